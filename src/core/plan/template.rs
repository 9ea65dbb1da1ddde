//! Mapping templates as far as they are worked out when a stage is compiled.

use crate::mapping::template::Template;

/// A template that makes a body.
#[derive(Debug)]
pub enum BodyTemplate {
    /// An empty text: the body as it is (rest-mapping-templates §12).
    AsIs,
    /// `$input.body`: the body as it is, and `{}` where there is none.
    Passthrough,
    /// The same text for every request.
    Text(Box<str>),
    /// It has to run.
    Program(Box<Template>),
    /// It does not compile: 500, with what is wrong and where.
    Broken(Box<str>),
}

impl BodyTemplate {
    /// Whether it may read the body, which must then be there whole.
    pub fn reads_body(&self) -> bool {
        matches!(self, Self::Program(template) if template.reads_body())
    }

    /// The program, if it has to run.
    pub fn program(&self) -> Option<&Template> {
        match self {
            Self::Program(template) => Some(template),
            _ => None,
        }
    }
}
