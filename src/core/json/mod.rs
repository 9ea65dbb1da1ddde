//! JSON, twice.
//!
//! [`Node`] is a tree that remembers where everything was written, in JSON or YAML: for definitions, read once when a
//! file changes, where a finding must be able to say line and column. [`Tape`] is the document of the request path: a
//! flat array without places, reused from request to request, on which JSONPath and schemas run. Both readers bound
//! bytes and depth, keep the order of members, and keep numbers as text.

pub mod node;
pub mod number;
pub mod path;
mod read_json;
mod read_tape;
mod read_yaml;
pub mod tape;
pub mod writer;

use std::fmt;

pub use node::{Key, Kind, Member, Node, Pointer};
pub use path::JsonPath;
pub use read_json::{read_json, read_json_relaxed};
pub use read_yaml::{read_yaml, read_yaml_relaxed};
pub use tape::{NotJson, Tape};

use crate::base::Place;
use crate::base::limits::DEFINITION_BYTES_MAX;

/// Bytes of text that YAML aliases may add by expansion. Nodes are bounded too, but a node may be a long string.
pub const ALIAS_BYTES_MAX: usize = 8 * DEFINITION_BYTES_MAX;

/// Why a text is not a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where reading stopped.
    pub place: Place,
    /// What was expected or found, for people.
    pub message: String,
}

impl SyntaxError {
    fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// Reads JSON if the first character that is not white space is `{`, else YAML.
pub fn read(text: &str) -> Result<Node, SyntaxError> {
    let first = text.trim_start_matches('\u{feff}').trim_start();
    if first.starts_with('{') { read_json(text) } else { read_yaml(text) }
}

/// As [`read`], with room for documents far beyond AWS's size.
pub fn read_relaxed(text: &str) -> Result<Node, SyntaxError> {
    let first = text.trim_start_matches('\u{feff}').trim_start();
    if first.starts_with('{') { read_json_relaxed(text) } else { read_yaml_relaxed(text) }
}

/// The text without its byte order mark, or why it is too large to be looked at.
fn admit(text: &str, bytes_max: usize) -> Result<&str, SyntaxError> {
    if text.len() > bytes_max {
        let message = format!("the document has {} bytes, more than {bytes_max}", text.len());
        return Err(SyntaxError::new(Place { line: 1, column: 1 }, message));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
