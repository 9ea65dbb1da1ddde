//! `method.request.body` and `integration.response.body`: a whole body, or the part of it that a JSONPath selects.

use crate::json::path::Found;
use crate::json::tape::Kind;
use crate::json::{JsonPath, NotJson, Tape};

use super::expression::{Presence, Values};

/// What a mapping reads of a body.
#[derive(Clone, Debug)]
pub struct BodySource {
    /// As written behind `body`, with `$` before it; empty: the whole body.
    text: Box<str>,
    path: Option<JsonPath>,
}

/// Two sources are equal if they are written the same.
impl PartialEq for BodySource {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for BodySource {}

impl BodySource {
    /// Reads what follows `body`: nothing, `.member…` or `[index]…`.
    pub fn parse(path: &str) -> Option<Self> {
        if path.is_empty() {
            return Some(Self { text: Box::default(), path: None });
        }
        matches!(path.as_bytes(), [b'.' | b'[', _, ..]).then_some(())?;
        let text = format!("${path}").into_boxed_str();
        let path = JsonPath::compile(&text).ok()?;
        Some(Self { text, path: Some(path) })
    }

    /// Appends the value: a scalar as its text, an object or an array as JSON without spaces.
    pub(super) fn write(&self, values: &impl Values, out: &mut Vec<u8>) -> Presence {
        match &self.path {
            None => {
                // An empty body counts as an empty object.
                let body = values.body().map(|body| if body.is_empty() { b"{}" } else { body });
                body.inspect(|body| out.extend_from_slice(body)).is_some().into()
            }
            Some(path) => write_found(path, values, out),
        }
    }
}

fn write_found(path: &JsonPath, values: &impl Values, out: &mut Vec<u8>) -> Presence {
    // A search that looks at too much has found nothing: the mapping is left out.
    let found = values.document().and_then(|tape| tape.root()).and_then(|root| path.find(root).ok().flatten());
    let Some(found) = found else { return Presence::Missing };
    match found.kind() {
        Kind::Null => return Presence::Missing,
        Kind::Array | Kind::Object => found.write_json(out),
        Kind::Bool | Kind::Number | Kind::String => match &found {
            Found::Node(node) => out.extend_from_slice(node.scalar_text().unwrap_or_default().as_bytes()),
            computed => computed.write_java(out),
        },
    }
    Presence::Present
}

/// Reads a body that mappings read. What does not begin as a document of JSON is none, and has no parts; an empty body
/// is an empty object.
///
/// # Errors
/// [`NotJson`]: it begins as one and is none.
pub fn read_document(body: &[u8], tape: &mut Tape) -> Result<(), NotJson> {
    tape.clear();
    let text = body.trim_ascii_start();
    match text.first() {
        None => tape.read(b"{}").map(|_| ()),
        Some(b'{' | b'[' | b'"' | b'\'') => tape.read(text).map(|_| ()),
        Some(_) => Ok(()),
    }
}
