//! What is wrong with a definition, where, and what to do about it.

use std::fmt;

/// A place in a definition file. Lines and columns count from 1; line 0 means that there is no file behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line, from 1; 0 when the thing did not come from a file.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// No place: the thing was made through the management API or by a default.
    pub const NOWHERE: Self = Self { line: 0, column: 0 };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; `check` still exits 0.
    Note,
    /// Probably not what was meant, or a field that Ringgate does not obey; served all the same.
    Warning,
    /// The document is refused, or a route of it answers 500.
    Error,
}

impl Severity {
    /// The word printed before a finding and used in `check --format json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding about a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable kebab-case name of the rule, for filters and CI: `unsupported-field`, `lambda-method-not-post`.
    pub rule: &'static str,
    /// Where in the file.
    pub place: Place,
    /// Path inside the document, as a JSON pointer (RFC 6901): `/paths/~1pets/get`. Empty for the whole document.
    pub pointer: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What happens on AWS in this case. Empty when nothing is known or nothing differs.
    pub on_aws: String,
    /// What to do about it. Empty when the message says it all.
    pub fix: String,
}
