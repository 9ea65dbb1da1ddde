//! The JSON Schema test suite, draft 4.
//!
//! Everything that the draft requires must pass. What the suite calls optional is listed below where it differs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use ringgate_core::json::Tape;
use ringgate_core::json::tape::Node;
use ringgate_core::schema::{Library, Schema};
use serde_json::Value;

use crate::support;

/// Optional tests that differ, by file and the beginning of their description, and why.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("float-overflow.json", "", "an integer is a number without point and exponent, as in the Java validator"),
    ("uri.json", "validation of URIs: an invalid protocol-relative URI Reference", URI),
    ("uri.json", "validation of URIs: an invalid relative URI Reference", URI),
    ("uri.json", "validation of URIs: an invalid URI though valid URI reference", URI),
    ("uri.json", "validation of URIs: unescaped non US-ASCII characters", URI),
    ("ecmascript-regex.json", "", "patterns are in Java's dialect, which the conventions chose"),
];

const URI: &str = "the Java validator asks java.net.URI, which takes references and characters beyond ASCII";

/// Where the suite says its remote documents are served.
const REMOTES: &str = "http://localhost:1234/";

/// The documents, and those that were asked for and are not in the folder.
struct Remotes(BTreeMap<String, Tape>, RefCell<Vec<String>>);

impl Remotes {
    fn read(folder: &Path) -> Self {
        let mut remotes = Self(BTreeMap::new(), RefCell::default());
        remotes.add(folder, REMOTES.to_owned());
        remotes
    }

    fn add(&mut self, folder: &Path, address: String) {
        for entry in std::fs::read_dir(folder).expect("a folder of remotes").map(|entry| entry.expect("an entry")) {
            let address = format!("{address}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                self.add(&entry.path(), format!("{address}/"));
                continue;
            }
            let mut tape = Tape::new();
            tape.read(&std::fs::read(entry.path()).expect("a remote")).expect("JSON");
            self.0.insert(address, tape);
        }
    }
}

impl Library for Remotes {
    fn document(&self, address: &str) -> Option<Node<'_>> {
        let document = self.0.get(address).and_then(Tape::root);
        if document.is_none() && address.starts_with(REMOTES) {
            self.1.borrow_mut().push(address.to_owned());
        }
        document
    }
}

/// Differences of one file, each with what was tested.
fn differences(path: &Path, remotes: &Remotes, count: &mut usize) -> Vec<String> {
    // Numbers must stay as they are written, so the file is read as the gateway reads bodies.
    let mut tape = Tape::new();
    let groups = tape.read(&std::fs::read(path).expect("a file of the suite")).expect("JSON");
    let mut found = Vec::new();
    for group in groups.elements() {
        let name = group.get("description").and_then(Node::as_str).unwrap_or_default();
        let schema = group.get("schema").expect("a schema");
        let compiled = Schema::compile(schema, "", remotes);
        if let Some(missing) = remotes.1.take().first() {
            println!("not tested, {missing} is not among the remotes: {name}");
            continue;
        }
        for test in group.get("tests").expect("tests").elements() {
            *count += 1;
            let what = test.get("description").and_then(Node::as_str).unwrap_or_default();
            let expected = test.get("valid").and_then(Node::as_bool);
            let actual = match &compiled {
                Ok(schema) => schema.is_valid(test.get("data").expect("data")).map_err(|_| "too much work".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            if actual.as_ref().ok().copied() != expected {
                found.push(format!("{name}: {what}: {actual:?}"));
            }
        }
    }
    found
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect();
    files.sort();
    files
}

#[test]
fn everything_that_draft_4_requires_passes() {
    let Some(suite) = support::suite("json-schema-draft4") else { return };
    let remotes = Remotes::read(&suite.join("remotes"));
    let (mut count, mut failed) = (0, Vec::new());
    for path in files(&suite) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        failed.extend(
            differences(&path, &remotes, &mut count).into_iter().map(|difference| format!("{name}: {difference}")),
        );
    }
    assert!(count > 100, "only {count} tests were found");
    assert!(failed.is_empty(), "{} of {count} differ:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn optional_tests_pass_or_are_listed_with_a_reason() {
    let Some(suite) = support::suite("json-schema-draft4") else { return };
    let remotes = Remotes::read(&suite.join("remotes"));
    let (mut count, mut unlisted) = (0, Vec::new());
    for path in [suite.join("optional"), suite.join("optional/format")].iter().flat_map(|folder| files(folder)) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for difference in differences(&path, &remotes, &mut count) {
            let is_listed = |(file, what, _): &&(&str, &str, &str)| *file == name && difference.starts_with(what);
            if !DIFFERENT.iter().any(|listed| is_listed(&listed)) {
                unlisted.push(format!("{name}: {difference}"));
            }
        }
    }
    assert!(unlisted.is_empty(), "{} of {count} differ and are not listed:\n{}", unlisted.len(), unlisted.join("\n"));
}

/// Seeded mutations: every value of every instance replaced by every other kind. The verdict must be one and the same
/// whether it is asked for alone or with its reasons, and nothing panics.
#[test]
fn verdicts_and_reasons_agree_on_mutated_instances() {
    let Some(suite) = support::suite("json-schema-draft4") else { return };
    let remotes = Remotes::read(&suite.join("remotes"));
    let mut numbers = support::Numbers::new(4);
    for path in files(&suite) {
        let groups: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
        for group in groups.as_array().into_iter().flatten() {
            let mut tape = Tape::new();
            let text = group["schema"].to_string();
            let Ok(schema) = Schema::compile(tape.read(text.as_bytes()).expect("JSON"), "", &remotes) else { continue };
            for test in group["tests"].as_array().into_iter().flatten() {
                let mut instance = test["data"].clone();
                for _ in 0..8 {
                    mutate(&mut instance, &mut numbers);
                    let mut tape = Tape::new();
                    let node = tape.read(instance.to_string().as_bytes()).expect("JSON");
                    let faults = schema.faults(node).map(|faults| faults.is_empty());
                    assert_eq!(schema.is_valid(node), faults, "{text}: {instance}");
                }
            }
        }
    }
}

fn mutate(value: &mut Value, numbers: &mut support::Numbers) {
    let children = match &value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    if children > 0 && numbers.below(3) > 0 {
        let index = numbers.below(children);
        let child = match value {
            Value::Array(items) => items.get_mut(index),
            Value::Object(members) => members.values_mut().nth(index),
            _ => None,
        };
        return child.into_iter().for_each(|child| mutate(child, numbers));
    }
    let (one, all) = (value.clone(), ["null", "true", "-1", "1.5", "\"\"", "\"foo\"", "[]", "{}", "[1,1]", "1e300"]);
    *value = match numbers.below(all.len() + 2) {
        10 => Value::Array(vec![one.clone(), one]),
        11 => Value::Object([("foo".to_owned(), one)].into_iter().collect()),
        other => serde_json::from_str(all[other]).expect("JSON"),
    };
}
