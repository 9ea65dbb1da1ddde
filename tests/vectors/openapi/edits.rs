//! Documents with seeded edits: read or refused, never a panic, never a hang.

use std::time::{Duration, Instant};

use ringgate_core::import::{ApiKind, Options, import, lint};
use serde_json::Value;

use super::{Row, as_yaml, claim, first_error, rows};
use crate::support::{Numbers, suite};

/// Edits of real documents, each from a seed: whatever they make of a document, the importer says something about it
/// or loads it, soon, and never panics.
#[test]
fn edited_documents_are_read_or_refused_in_bounded_time() {
    let Some(folder) = suite("openapi") else { return };
    let texts: Vec<_> = rows(&folder).iter().map(Row::text).filter(|text| text.len() < 40_000).collect();
    let rounds = std::env::var("IMPORT_MUTATION_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(8);
    let (mut loaded, mut refused, mut slowest) = (0, 0, Duration::ZERO);
    for seed in 0..rounds * texts.len() {
        let mut numbers = Numbers::new(seed as u64 + 1);
        let text = edited(&texts[seed % texts.len()], &mut numbers);
        let started = Instant::now();
        let imported = import(&text, &Options { kind: ApiKind::Rest, ..Options::default() });
        match &imported.api {
            Some(api) => {
                loaded += 1;
                lint(api);
            }
            None => {
                refused += 1;
                let error = first_error(&imported).unwrap_or_else(|| panic!("seed={seed}: refused without an error"));
                assert!(error.place.line > 0, "seed={seed}: refused without a place: {error:?}");
            }
        }
        slowest = slowest.max(started.elapsed());
        if seed % 8 == 0 {
            claim::target(text.as_bytes());
        }
        assert!(started.elapsed() < Duration::from_secs(10), "seed={seed} took {:?}", started.elapsed());
    }
    println!("{loaded} edited documents loaded, {refused} refused, the slowest took {slowest:?}");
}

/// One to four edits; of every other document only its values, so that it stays well-formed.
fn edited(text: &str, numbers: &mut Numbers) -> String {
    if numbers.below(2) == 0 {
        return (0..=numbers.below(4)).fold(text.to_owned(), |text, _| edit_value(&text, numbers));
    }
    let mut text = match numbers.below(3) {
        0 => as_yaml(text),
        _ => text.to_owned(),
    };
    for _ in 0..=numbers.below(4) {
        text = edit(text, numbers);
    }
    text
}

fn edit(text: String, numbers: &mut Numbers) -> String {
    if text.is_empty() {
        return text;
    }
    match numbers.below(9) {
        0 => String::from_utf8_lossy(&text.as_bytes()[..numbers.below(text.len())]).into_owned(),
        1 => random_bytes(&text, numbers),
        2 => remove_span(&text, numbers),
        3 => repeat_span(&text, numbers),
        4 => nest(&text, numbers),
        5 => insert(&text, WORDS[numbers.below(WORDS.len())], numbers),
        _ => edit_value(&text, numbers),
    }
}

const WORDS: [&str; 20] = [
    "\"$ref\": \"#/paths\",",
    "{\"$ref\": \"#\"}",
    "\"$ref\": \"#/components/schemas/Empty\",",
    "null",
    "[]",
    "{}",
    "\"\"",
    "-1",
    "1e999",
    "true",
    "&a ",
    "*a",
    "<<: ",
    "!Sub ",
    "\t",
    "\u{0}",
    "\u{feff}",
    "---\n",
    "{",
    "]",
];

fn cut(text: &str, numbers: &mut Numbers) -> usize {
    let mut at = numbers.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn span(text: &str, numbers: &mut Numbers) -> (usize, usize) {
    let (a, b) = (cut(text, numbers), cut(text, numbers));
    let (from, to) = (a.min(b), a.max(b));
    let mut to = to.min(from + 400);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    (from, to)
}

fn random_bytes(text: &str, numbers: &mut Numbers) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=numbers.below(8) {
        let at = numbers.below(bytes.len());
        bytes[at] = numbers.below(256) as u8;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn remove_span(text: &str, numbers: &mut Numbers) -> String {
    let (from, to) = span(text, numbers);
    format!("{}{}", &text[..from], &text[to..])
}

fn repeat_span(text: &str, numbers: &mut Numbers) -> String {
    let (from, to) = span(text, numbers);
    format!("{}{}{}", &text[..to], &text[from..to], &text[to..])
}

fn nest(text: &str, numbers: &mut Numbers) -> String {
    let (at, depth) = (cut(text, numbers), 1 + numbers.below(300));
    format!("{}{}{}{}", &text[..at], "[".repeat(depth), "]".repeat(depth), &text[at..])
}

fn insert(text: &str, word: &str, numbers: &mut Numbers) -> String {
    let at = cut(text, numbers);
    format!("{}{word}{}", &text[..at], &text[at..])
}

/// Changes the type of one value, removes or repeats one member; the document stays well-formed JSON.
fn edit_value(text: &str, numbers: &mut Numbers) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(text) else { return random_bytes(text, numbers) };
    let mut node = &mut document;
    for _ in 0..numbers.below(9) {
        node = child(node, numbers);
    }
    match node {
        Value::Object(members) if numbers.below(3) == 0 && !members.is_empty() => {
            let name = members.keys().nth(numbers.below(members.len())).cloned().unwrap_or_default();
            members.remove(&name);
        }
        node => *node = other_value(node.take(), numbers),
    }
    document.to_string()
}

/// One of the values inside `node`; `node` if there are none.
fn child<'v>(node: &'v mut Value, numbers: &mut Numbers) -> &'v mut Value {
    let count = match node {
        Value::Object(members) => members.len(),
        Value::Array(elements) => elements.len(),
        _ => 0,
    };
    if count == 0 {
        return node;
    }
    let at = numbers.below(count);
    match node {
        Value::Object(members) => members.values_mut().nth(at).expect("the index is below the length"),
        Value::Array(elements) => &mut elements[at],
        other => other,
    }
}

fn other_value(old: Value, numbers: &mut Numbers) -> Value {
    match numbers.below(9) {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => Value::from(-7),
        3 => Value::from("x"),
        4 => Value::Array(vec![old.clone(), old]),
        5 => Value::Object([("$ref".to_owned(), Value::from("#/paths"))].into_iter().collect()),
        6 => Value::Object([("x".to_owned(), old)].into_iter().collect()),
        7 => Value::Array(Vec::new()),
        _ => Value::from("{proxy+}/#"),
    }
}
