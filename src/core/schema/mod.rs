//! JSON Schema draft 4, which models are written in: compiled at deploy time, run on a tape.
//!
//! A schema becomes a flat array of rules in which every reference is an index, so schemas that refer to each other in
//! circles are nothing special. An instance is walked in place; nothing is built and nothing is allocated unless it is
//! refused and somebody asks why. The words of a refusal are those of the Java validator behind API Gateway. So is what is
//! told: of one value all that is wrong with it, of what is inside it only if nothing was wrong before.
//!
//! Numbers are exact decimals. As in that validator, an integer is a number written without point and exponent.

mod address;
mod check;
mod compile;
mod format;
mod message;
mod report;
mod rules;
#[cfg(test)]
mod tests;

use crate::json::tape::Node;

pub use rules::Schema;

/// Values and rules that one validation may look at. A schema that tries alternatives inside alternatives doubles the
/// work with each level of the instance, so that depth alone is no bound.
pub const STEPS_MAX: u32 = 2_000_000;
/// Deepest nesting of rules while they are applied: levels of the instance, and references and alternatives between them.
/// Bounds the stack.
pub const NESTING_MAX: u32 = 512;
/// Most messages of one validation.
pub const MESSAGES_MAX: usize = 100;

/// The address of the schema of schemas, which every library has.
pub const DRAFT_04: &str = "http://json-schema.org/draft-04/schema";

/// Where the documents are that references lead to.
pub trait Library {
    /// The document at an absolute address without fragment.
    fn document(&self, address: &str) -> Option<Node<'_>>;
}

/// No documents.
impl Library for () {
    fn document(&self, _: &str) -> Option<Node<'_>> {
        None
    }
}

/// Why a document is not a schema that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    /// JSON pointer to the schema at fault, with the address before it if it is in another document.
    pub at: String,
    /// What is wrong, for people.
    pub message: String,
}

impl std::fmt::Display for SchemaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (at {:?})", self.message, self.at)
    }
}

impl std::error::Error for SchemaError {}

/// The instance needs more than [`STEPS_MAX`] steps or deeper nesting than
/// [`NESTING_MAX`], or a pattern went beyond its bounds: neither valid nor invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuchWork;

/// Something in a schema that an operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A keyword that later drafts or OpenAPI know and draft 4 does not: it is ignored.
    Ignored {
        /// JSON pointer to the schema.
        at: String,
        /// Its name.
        keyword: String,
    },
    /// A pattern that runs with a budget in the engine that goes back and tries again.
    Backtracks {
        /// JSON pointer to the schema.
        at: String,
        /// The pattern.
        pattern: String,
    },
}
