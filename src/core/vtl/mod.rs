//! The Velocity template language: text with references and directives, compiled once and run for every message.
//!
//! [`compile`] turns a template into a [`Program`], a flat list of steps in which variables are slots and everything
//! known beforehand is worked out; a [`Machine`] runs it and appends bytes to an output. What a template is about is
//! not known here: a [`Host`] answers for its own objects and documents.
//!
//! Two dialects: [`Dialect::Velocity`] is Apache Velocity 1.7 as it comes, [`Dialect::ApiGateway`] is the same engine
//! as API Gateway runs it. Java's methods are those of an allow-list; there is no reflection.

mod compile;
mod document;
mod error;
mod host;
mod lexer;
pub mod limits;
mod machine;
mod methods;
mod number;
mod parser;
mod pattern;
mod program;
mod read;
mod syntax;
mod token;
mod value;

#[cfg(test)]
mod tests;

pub use compile::Coverage;
pub use document::Document;
pub use error::{About, Error, Failure, FailureKind, Remark};
pub use host::{Binding, Bound, Constant, Host, Item, Link, Lookup, Names, Refusal, View, Written};
pub use machine::Machine;
pub use program::{Branch, Program};
pub use value::{Exceeded, HostRef, ListKind, MapId, MapKind, Memory, Value};

/// Whose rules a template follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As API Gateway runs templates: what has no value is an empty text, loops end after 1,000 passes, and
    /// `#evaluate`, `#parse` and `#include` do not exist.
    #[default]
    ApiGateway,
    /// Apache Velocity 1.7 with its own settings.
    Velocity,
}

/// Compiles a template.
///
/// # Errors
/// The first thing that is wrong, with its line and column.
pub fn compile(text: &str, dialect: Dialect, coverage: Coverage, names: &mut dyn Names) -> Result<Program, Error> {
    let block = parser::parse(text, dialect)?;
    compile::compile(&block, compile::Settings { dialect, coverage }, names)
}
