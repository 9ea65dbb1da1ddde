//! Why a template cannot be compiled.

use std::fmt;

use crate::base::Place;

/// A template that is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Line and column in the template.
    pub place: Place,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for Error {}

/// What a [`Remark`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A pattern that may take too long, or cannot be used.
    Pattern,
    /// A name that means nothing.
    Name,
}

/// What is not wrong in a template, but worth knowing before it runs, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Line and column in the template.
    pub place: Place,
    /// What kind of thing it is about.
    pub about: About,
    /// What it is, in one sentence without a full stop.
    pub message: String,
}

/// What stopped a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// A method refused its arguments, as a Java method that throws.
    Call,
    /// `#parse`, `#include` or `#evaluate`: a template stands alone.
    Resource,
    /// Macros call each other too deeply.
    MacroDepth,
    /// A call that is no call of a macro.
    Parse,
    /// Too many steps.
    Steps,
    /// Too much output.
    Output,
    /// Too much memory for values.
    Memory,
    /// Blocks and arguments that need each other too deeply.
    Depth,
}

/// A run that was given up, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which rule stopped it.
    pub kind: FailureKind,
    /// Line and column in the template.
    pub place: Place,
    /// What happened, in one sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for Failure {}
