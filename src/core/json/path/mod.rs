//! JSONPath in the dialect of Jayway's library, which API Gateway speaks: compiled at deploy time, run on a tape.
//!
//! A path is definite if it can lead to one value only; it then gives that value or nothing. Every other path gives a
//! list, also of one or no values. A path without `$` begins at the root. Where this departs from the Java library: a
//! function at the end of an indefinite path takes all its values together (there only behind `..`), and an index
//! behind `..` selects what it says also when more steps follow it.

mod evaluate;
mod filter;
mod function;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use super::tape::{Kind, Node};
use super::writer::{write_java, write_json};
use crate::base::double::JavaDouble;
use crate::base::escape::quote_json;
use evaluate::Evaluation;
use function::Call;

/// Longest path in bytes.
pub const PATH_BYTES_MAX: usize = 8 * 1024;
/// Values that one evaluation may look at. A path like `$..a..b..c` can find more than the document has.
pub const PATH_VISITS_MAX: u32 = 8_000_000;

/// Why a text is not a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The byte at which reading stopped.
    pub at: usize,
    /// What is wrong, for people.
    pub message: String,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a JSONPath: {} at character {}", self.message, self.at + 1)
    }
}

impl std::error::Error for PathError {}

/// An evaluation that looked at more than [`PATH_VISITS_MAX`] values, or ran a pattern beyond its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuchWork;

/// A compiled path.
#[derive(Clone, Debug)]
pub struct JsonPath {
    steps: Box<[Step]>,
    /// A function applied to what the steps find.
    call: Option<Call>,
    is_definite: bool,
    /// Of paths in filters: whether they begin at the value under test (`@`) instead of the document (`$`).
    is_relative: bool,
}

/// One step down.
#[derive(Clone, Debug)]
enum Step {
    Child(Box<str>),
    /// `['a','b']`
    Children(Box<[Box<str>]>),
    Index(i64),
    /// `[0,2]`
    Indices(Box<[i64]>),
    /// `[1:3]`
    Slice(Option<i64>, Option<i64>),
    Wildcard,
    /// `..`: the step after it is tried on this value and on everything in it.
    Descend,
    Filter(Box<filter::Condition>),
}

/// A step to one member or element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'p> {
    /// The member of that name.
    Name(&'p str),
    /// The element at that place; negative ones count from the end.
    Index(i64),
}

/// What a path found.
#[derive(Clone, Debug)]
pub enum Found<'t> {
    /// A value of the document.
    Node(Node<'t>),
    /// The values of an indefinite path.
    List(Vec<Found<'t>>),
    /// Members taken together by `['a','b']`.
    Members(Vec<(&'t str, Node<'t>)>),
    /// What a function counted.
    Integer(i64),
    /// What a function computed.
    Double(f64),
    /// What a function joined, or the name of a member.
    Text(String),
}

impl JsonPath {
    /// Compiles a path.
    pub fn compile(path: &str) -> Result<Self, PathError> {
        parse::path(path)
    }

    /// Whether the path leads to one value at most.
    pub fn is_definite(&self) -> bool {
        self.is_definite
    }

    /// Its steps, if it has none but names and indices.
    pub fn keys(&self) -> Option<impl Iterator<Item = Key<'_>>> {
        let keys = self.steps.iter().filter_map(|step| match step {
            Step::Child(name) => Some(Key::Name(name)),
            Step::Index(index) => Some(Key::Index(*index)),
            _ => None,
        });
        (self.call.is_none() && keys.clone().count() == self.steps.len()).then_some(keys)
    }

    /// Follows the path from the document's value. `None`: it leads nowhere. Allocates nothing if the path is definite
    /// and has no function.
    pub fn find<'t>(&self, root: Node<'t>) -> Result<Option<Found<'t>>, TooMuchWork> {
        let mut visits_left = PATH_VISITS_MAX;
        self.find_within(root, &mut visits_left)
    }

    /// As [`JsonPath::find`], for those who evaluate again and again: `visits_left` is what all evaluations together may
    /// still look at, and less afterwards.
    pub fn find_within<'t>(&self, root: Node<'t>, visits_left: &mut u32) -> Result<Option<Found<'t>>, TooMuchWork> {
        let mut evaluation = Evaluation::new(root, *visits_left);
        let found = evaluation.find(self, root);
        *visits_left = evaluation.visits_left;
        found
    }
}

impl<'t> Found<'t> {
    /// The value of the document, if it is one.
    pub fn node(&self) -> Option<Node<'t>> {
        match self {
            Self::Node(node) => Some(*node),
            _ => None,
        }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Node(node) => node.kind(),
            Self::List(_) => Kind::Array,
            Self::Members(_) => Kind::Object,
            Self::Integer(_) | Self::Double(_) => Kind::Number,
            Self::Text(_) => Kind::String,
        }
    }

    /// Appends it as JSON without spaces.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Node(node) => write_json(*node, out),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    separate(index, b",", out);
                    item.write_json(out);
                }
                out.push(b']');
            }
            Self::Members(members) => {
                out.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    separate(index, b",", out);
                    quote_json(name, out);
                    out.push(b':');
                    write_json(*value, out);
                }
                out.push(b'}');
            }
            Self::Text(text) => quote_json(text, out),
            Self::Integer(_) | Self::Double(_) => self.write_java(out),
        }
    }

    /// Appends it as a template prints it ([`write_java`]).
    pub fn write_java(&self, out: &mut Vec<u8>) {
        match self {
            Self::Node(node) => write_java(*node, out),
            Self::List(_) => self.write_json(out),
            Self::Members(members) => {
                out.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    separate(index, b", ", out);
                    out.extend_from_slice(name.as_bytes());
                    out.push(b'=');
                    write_java(*value, out);
                }
                out.push(b'}');
            }
            Self::Integer(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Self::Double(value) => out.extend_from_slice(JavaDouble::new(*value).as_bytes()),
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

fn separate(index: usize, separator: &[u8], out: &mut Vec<u8>) {
    if index > 0 {
        out.extend_from_slice(separator);
    }
}
