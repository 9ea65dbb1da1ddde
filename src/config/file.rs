//! Reads `ringgate.yaml`: a flat mapping of flag names to values, each with its place.
//!
//! A small part of YAML on purpose. Anchors, aliases, tags, nested mappings and several documents are refused with
//! their place: nothing here needs them, and what is not there cannot surprise. Scalars stay text; what a text means
//! is decided by the flag it belongs to, so `yes`, `0777` and `1e3` cannot change their type on the way.

use std::borrow::Cow;

use ringgate_core::base::Place;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// A value as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The scalar's text; for an item of a nested mapping, `NAME=VALUE`.
    pub text: String,
    /// Where it begins.
    pub place: Place,
}

/// One key with its value or values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, a flag's name without the dashes.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// Every value; exactly one unless a list or a mapping was written.
    pub values: Vec<Text>,
    /// How the values were written.
    pub shape: Shape,
}

/// How the value of a key was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `key: value`
    Scalar,
    /// A list of scalars.
    List,
    /// A mapping of names to scalars, for flags that take `NAME=VALUE`.
    Mapping,
}

/// Something in the file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where.
    pub place: Place,
    /// What is wrong there.
    pub message: String,
}

fn unreadable<T>(place: Place, message: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable { place, message: message.into() })
}

/// Most bytes of a configuration file: far above any sensible one, far below what would be slow to read.
pub const CONFIG_BYTES_MAX: usize = 1 << 20;

/// Reads the whole file. The first thing that is not understood ends the reading, because what follows it would be
/// guesswork; problems of meaning are found later, all at once.
pub fn read(text: &str) -> Result<Vec<Entry>, Unreadable> {
    if text.len() > CONFIG_BYTES_MAX {
        return unreadable(Place::NOWHERE, format!("larger than {CONFIG_BYTES_MAX} bytes"));
    }
    let mut events = Events { parser: Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) };
    let mut entries = Vec::new();
    loop {
        match events.next()? {
            (Token::MappingStart, _) => break,
            (Token::End, _) => return Ok(entries),
            // A file of comments alone, or `---` and nothing behind it.
            (Token::Scalar { text, style: ScalarStyle::Plain }, _) if is_null(&text) => {}
            (_, place) => return unreadable(place, "expected `key: value` lines"),
        }
    }
    loop {
        match events.next()? {
            (Token::Scalar { text, .. }, place) => {
                let entry = entry(&mut events, text.into_owned(), place)?;
                refuse_twice(&entries, &entry)?;
                entries.push(entry);
            }
            (Token::MappingEnd, _) => break,
            (_, place) => return unreadable(place, "a key must be a plain word"),
        }
    }
    match events.next()? {
        (Token::End, _) => Ok(entries),
        (_, place) => unreadable(place, "one document is enough"),
    }
}

fn refuse_twice(entries: &[Entry], entry: &Entry) -> Result<(), Unreadable> {
    match entries.iter().find(|before| before.key == entry.key) {
        Some(before) => unreadable(entry.place, format!("`{}` was already given at {}", entry.key, before.place)),
        None => Ok(()),
    }
}

fn entry(events: &mut Events<'_>, key: String, place: Place) -> Result<Entry, Unreadable> {
    let (token, value_place) = events.next()?;
    let (values, shape) = match token {
        Token::Scalar { text, style } => (vec![scalar(text, style, value_place)?], Shape::Scalar),
        Token::SequenceStart => (items(events)?, Shape::List),
        Token::MappingStart => (pairs(events)?, Shape::Mapping),
        _ => return unreadable(value_place, format!("`{key}` has no value")),
    };
    Ok(Entry { key, place, values, shape })
}

fn items(events: &mut Events<'_>) -> Result<Vec<Text>, Unreadable> {
    let mut values = Vec::new();
    loop {
        match events.next()? {
            (Token::Scalar { text, style }, place) => values.push(scalar(text, style, place)?),
            (Token::SequenceEnd, _) => return Ok(values),
            (_, place) => return unreadable(place, "a list may hold only single values"),
        }
    }
}

fn pairs(events: &mut Events<'_>) -> Result<Vec<Text>, Unreadable> {
    let mut values = Vec::new();
    loop {
        let (name, place) = match events.next()? {
            (Token::Scalar { text, .. }, place) => (text, place),
            (Token::MappingEnd, _) => return Ok(values),
            (_, place) => return unreadable(place, "a name must be a plain word"),
        };
        match events.next()? {
            (Token::Scalar { text, style }, at) => {
                let value = scalar(text, style, at)?;
                values.push(Text { text: format!("{name}={}", value.text), place });
            }
            (_, place) => return unreadable(place, format!("`{name}` must have a single value")),
        }
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, place: Place) -> Result<Text, Unreadable> {
    if style == ScalarStyle::Plain && is_null(&text) {
        return unreadable(place, "a value is missing here; leave the key out to get the default");
    }
    Ok(Text { text: text.into_owned(), place })
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What is left of the parser's events once everything not wanted has been refused.
enum Token<'a> {
    Scalar { text: Cow<'a, str>, style: ScalarStyle },
    SequenceStart,
    SequenceEnd,
    MappingStart,
    MappingEnd,
    End,
}

struct Events<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<(Token<'a>, Place), Unreadable> {
        loop {
            let (event, span) = match self.parser.next_event() {
                None => return Ok((Token::End, Place::NOWHERE)),
                Some(Ok(event)) => event,
                Some(Err(error)) => return unreadable(place(error.marker()), error.info()),
            };
            if let Some(token) = token(event, &span)? {
                return Ok((token, place(&span.start)));
            }
        }
    }
}

fn token<'a>(event: Event<'a>, span: &Span) -> Result<Option<Token<'a>>, Unreadable> {
    let at = place(&span.start);
    let (token, anchor, tag) = match event {
        Event::Scalar(text, style, anchor, tag) => (Token::Scalar { text, style }, anchor, tag),
        Event::SequenceStart(anchor, tag) => (Token::SequenceStart, anchor, tag),
        Event::MappingStart(anchor, tag) => (Token::MappingStart, anchor, tag),
        Event::SequenceEnd => (Token::SequenceEnd, 0, None),
        Event::MappingEnd => (Token::MappingEnd, 0, None),
        Event::StreamEnd => (Token::End, 0, None),
        Event::Alias(_) => return unreadable(at, "aliases are not supported here"),
        Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => return Ok(None),
    };
    match (anchor, tag) {
        (0, None) => Ok(Some(token)),
        (0, Some(_)) => unreadable(at, "tags are not supported here"),
        _ => unreadable(at, "anchors are not supported here"),
    }
}

fn place(marker: &saphyr_parser::Marker) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: number(marker.line()), column: number(marker.col()).saturating_add(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(entry: &Entry) -> Vec<&str> {
        entry.values.iter().map(|value| value.text.as_str()).collect()
    }

    #[test]
    fn keys_have_values_of_three_shapes_with_places() {
        let text = "# ours\nshards: 2\nlisten:\n  - 127.0.0.1:80\n  - \"unix:/x\"\nvar: {a: '1', b: 2}\n";
        let entries = read(text).unwrap();
        assert_eq!(entries.len(), 3);
        assert_eq!(
            (entries[0].key.as_str(), texts(&entries[0]), entries[0].shape),
            ("shards", vec!["2"], Shape::Scalar)
        );
        assert_eq!(entries[0].place, Place { line: 2, column: 1 });
        assert_eq!(entries[0].values[0].place, Place { line: 2, column: 9 });
        assert_eq!((texts(&entries[1]), entries[1].shape), (vec!["127.0.0.1:80", "unix:/x"], Shape::List));
        assert_eq!(entries[1].values[1].place, Place { line: 5, column: 5 });
        assert_eq!((texts(&entries[2]), entries[2].shape), (vec!["a=1", "b=2"], Shape::Mapping));
    }

    #[test]
    fn a_file_without_keys_is_empty() {
        for text in ["", "\n\n", "# nothing\n", "---\n", "---\n# nothing\n", "{}", "\u{feff}"] {
            assert_eq!(read(text), Ok(vec![]), "{text:?}");
        }
    }

    #[test]
    fn scalars_stay_text() {
        let entries = read("a: yes\nb: 0777\nc: 1e3\nd: 'null'\n").unwrap();
        let all: Vec<_> = entries.iter().flat_map(texts).collect();
        assert_eq!(all, ["yes", "0777", "1e3", "null"]);
    }

    #[test]
    fn what_is_not_wanted_is_refused_at_its_place() {
        let cases = [
            ("- a\n", (1, 1), "key: value"),
            ("word\n", (1, 1), "key: value"),
            ("a: 1\na: 2\n", (2, 1), "already given at 1:1"),
            ("a: &x 1\n", (1, 4), "anchors"),
            ("a: !t 1\n", (1, 4), "tags"),
            ("a: ~\n", (1, 4), "missing"),
            ("a:\nb: 1\n", (1, 2), "missing"),
            ("a: [[1]]\n", (1, 5), "single values"),
            ("a: {b: {c: 1}}\n", (1, 8), "single value"),
            ("? [a]\n: 1\n", (1, 3), "plain word"),
            ("a: 1\n---\nb: 2\n", (3, 1), "one document"),
            ("a: \"x\n", (1, 4), ""),
        ];
        for (text, (line, column), words) in cases {
            let error = read(text).expect_err(text);
            assert!(error.message.contains(words), "{text:?}: {error:?}");
            assert_eq!(error.place.line, line, "{text:?}: {error:?}");
            if !words.is_empty() {
                assert_eq!(error.place.column, column, "{text:?}: {error:?}");
            }
        }
    }

    #[test]
    fn a_file_too_large_or_too_deep_is_refused_quickly() {
        assert!(read(&" ".repeat(CONFIG_BYTES_MAX + 1)).is_err());
        assert!(read(&format!("a: {}", "[".repeat(100_000))).is_err());
        assert!(read(&format!("a: {}", "{a: ".repeat(100_000))).is_err());
    }
}
