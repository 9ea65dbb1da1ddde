//! The document tree and pointers into it.

use std::fmt::Write as _;

use serde_json::Value;

use crate::base::Place;

/// A value of a document and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where its first character stands.
    pub place: Place,
}

/// The kinds of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, in the digits of the document: `1.0` stays `1.0`. Always a valid JSON number.
    Number(String),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Node>),
    /// An object: its members in order, a repeated key repeated.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub key: Key,
    /// Its value.
    pub value: Node,
}

/// The name of a member and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name.
    pub text: String,
    /// Where it was written.
    pub place: Place,
}

impl Node {
    /// The value of the member `name`; the last one if the name is repeated. `None` if this is no object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.member(name).map(|member| &member.value)
    }

    /// The member `name` with its key; the last one if the name is repeated.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().rev().find(|member| member.key.text == name)
    }

    /// Members of an object; nothing for every other kind.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    /// Elements of an array; nothing for every other kind.
    pub fn elements(&self) -> &[Self] {
        match &self.kind {
            Kind::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a string, number or boolean, as it was written.
    pub fn scalar_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) | Kind::Number(text) => Some(text),
            Kind::Bool(true) => Some("true"),
            Kind::Bool(false) => Some("false"),
            Kind::Null | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Whether this is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    /// The word for its kind in a message.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "an array",
            Kind::Object(_) => "an object",
        }
    }

    /// The node that a JSON pointer (RFC 6901, without `#`) leads to.
    pub fn find(&self, pointer: &str) -> Option<&Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |node, segment| node.step(segment))
    }

    fn step(&self, segment: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Array(elements) => elements.get(index_of(segment)?),
            Kind::Object(_) if segment.contains('~') => self.get(&segment.replace("~1", "/").replace("~0", "~")),
            Kind::Object(_) => self.get(segment),
            _ => None,
        }
    }

    /// The same value without places. A number beyond the range of a 64-bit float becomes a string.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(text) => text.parse().map_or_else(|_| Value::String(text.clone()), Value::Number),
            Kind::String(text) => Value::String(text.clone()),
            Kind::Array(elements) => Value::Array(elements.iter().map(Self::to_json).collect()),
            Kind::Object(members) => {
                Value::Object(members.iter().map(|m| (m.key.text.clone(), m.value.to_json())).collect())
            }
        }
    }
}

/// Longest name that a pointer repeats in full.
const SEGMENT_CHARACTERS_MAX: usize = 500;

/// A path into a document, built on the way down and written out only when something is to be said.
///
/// Each step borrows the step above it, so walking a document costs no allocation.
#[derive(Clone, Copy, Debug)]
pub struct Pointer<'p> {
    parent: Option<&'p Pointer<'p>>,
    segment: Segment<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Segment<'p> {
    Root,
    Key(&'p str),
    Index(usize),
    /// A pointer already written out: the place a reference led to.
    Written(&'p str),
}

impl<'p> Pointer<'p> {
    /// The whole document.
    pub const ROOT: Pointer<'static> = Pointer { parent: None, segment: Segment::Root };

    /// A pointer that was written elsewhere, as in `$ref`; without `#`.
    pub fn written(text: &'p str) -> Self {
        Self { parent: None, segment: Segment::Written(text) }
    }

    /// One step down, to a member.
    pub fn key<'q>(&'q self, name: &'q str) -> Pointer<'q> {
        Pointer { parent: Some(self), segment: Segment::Key(name) }
    }

    /// One step down, to an element.
    pub fn index<'q>(&'q self, index: usize) -> Pointer<'q> {
        Pointer { parent: Some(self), segment: Segment::Index(index) }
    }

    /// RFC 6901 text. A name of absurd length is cut: it would be repeated in every finding below it.
    pub fn render(&self) -> String {
        let mut text = self.parent.map(Pointer::render).unwrap_or_default();
        match self.segment {
            Segment::Root => {}
            Segment::Written(written) => text.push_str(written),
            Segment::Index(index) => _ = write!(text, "/{index}"),
            Segment::Key(name) => match name.char_indices().nth(SEGMENT_CHARACTERS_MAX) {
                None => push_segment(&mut text, name),
                Some((end, _)) => {
                    push_segment(&mut text, name.get(..end).unwrap_or_default());
                    text.push('…');
                }
            },
        }
        text
    }
}

/// An array index as RFC 6901 §4 has it: digits without leading zeros, so that a node has one pointer only.
fn index_of(segment: &str) -> Option<usize> {
    let is_index = segment == "0" || (!segment.starts_with('0') && segment.bytes().all(|b| b.is_ascii_digit()));
    if is_index { segment.parse().ok() } else { None }
}

/// Appends `/name` with the escapes of RFC 6901 §3.
pub fn push_segment(pointer: &mut String, name: &str) {
    pointer.push('/');
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read_json;

    #[test]
    fn a_pointer_renders_with_escapes_and_leads_back() {
        let document = read_json(r#"{"paths": {"/a~b/{c}": [{"x": 1}, {"x": 2}]}}"#).unwrap();
        let paths = Pointer::ROOT.key("paths");
        let path = paths.key("/a~b/{c}");
        let element = path.index(1);
        let member = element.key("x");
        assert_eq!(member.render(), "/paths/~1a~0b~1{c}/1/x");
        assert_eq!(document.find(&member.render()).and_then(Node::scalar_text), Some("2"));
        assert_eq!(document.find(""), Some(&document));
        assert_eq!(document.find("/paths/none"), None);
        assert_eq!(document.find("paths"), None);
        assert_eq!(document.find("/paths/~1a~0b~1{c}/01"), None);
        assert_eq!(document.find("/paths/~1a~0b~1{c}/+1"), None);
    }

    #[test]
    fn a_repeated_key_keeps_both_members_and_the_last_one_answers() {
        let document = read_json(r#"{"a": 1, "a": 2}"#).unwrap();
        assert_eq!(document.members().len(), 2);
        assert_eq!(document.get("a").and_then(Node::scalar_text), Some("2"));
    }

    #[test]
    fn to_json_keeps_order_and_numbers() {
        let text = r#"{"b":[1,2.5,-3e2,12345678901],"a":{"z":null,"y":true,"x":"s"}}"#;
        let value = read_json(text).unwrap().to_json();
        assert_eq!(value.to_string(), r#"{"b":[1,2.5,-300.0,12345678901],"a":{"z":null,"y":true,"x":"s"}}"#);
        assert_eq!(read_json("1e999").unwrap().to_json(), Value::String("1e999".into()));
    }
}
