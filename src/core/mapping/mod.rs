//! How values travel from a request or an answer into headers, queries, paths and bodies.
//!
//! Everything here is parsed when an API is deployed: names of path variables become positions, stage variables become
//! text, `$context` names become an enum. At run time only headers and query parameters of the message itself are
//! looked up by name. Gateway-response
//! templates only substitute; mapping templates run the template language ([`template`]).

pub mod body;
pub mod context;
pub mod expression;
pub mod query;
pub mod status_code;
pub mod substitution;
pub mod template;
pub mod uri;

pub use context::ContextVariable;
pub use expression::{Expression, Presence, Resolve, Values};
pub use substitution::Substitution;
pub use template::{Message, Renderer, Template};

#[cfg(test)]
mod tests;
