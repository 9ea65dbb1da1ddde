//! Mapping templates: what `$input`, `$context`, `$stageVariables` and `$util` mean to the template language.
//!
//! A template is compiled when it is deployed: JSONPaths are compiled, stage variables become text, `$context` names
//! become variables, and templates that only pass the body or are plain text are recognised. A [`Renderer`] runs it.

mod changed;
mod host;
mod names;
mod overrides;
mod parsed;
mod sample;
mod util;

#[cfg(test)]
mod tests;

use crate::json::Tape;
use crate::vtl::{self, Coverage, Dialect, Document, Machine, Program};

pub use crate::vtl::{About, Error, Failure, FailureKind, Remark};
use host::MessageHost;
use names::{Source, TemplateNames};
pub use overrides::{Override, OverrideTarget, Overrides};
pub use sample::Sample;

use super::expression::{Resolve, Values};

/// What a template reads of an exchange, beside what mappings read.
pub trait Message: Values {
    /// The body: in a request template the client's, in a response template the integration's.
    fn payload(&self) -> &[u8];
    /// The path variable at this position, with its name and its value as sent.
    fn path_parameter(&self, index: usize) -> Option<(&str, &[u8])>;
    /// The request header at this position, with its name and value as sent.
    fn header_parameter(&self, index: usize) -> Option<(&[u8], &[u8])>;
    /// Whether the names of request headers are to be shown in lower case.
    fn lowers_header_names(&self) -> bool {
        false
    }
    /// Gives what an authorizer said about the caller: `$context.authorizer.…`.
    fn each_authorizer_property(&self, _give: &mut dyn FnMut(&str, &str)) {}
}

/// A compiled mapping template.
#[derive(Debug)]
pub struct Template {
    program: Program,
    sources: Box<[Source]>,
    stage_variables: Box<[(Box<str>, Box<str>)]>,
    reads_body: bool,
    sets_overrides: bool,
}

/// What a template comes to without running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape<'t> {
    /// The same text for every request.
    Text(&'t str),
    /// `$input.body`: the body as it is; an empty one is `{}`.
    Body,
    /// It has to run.
    Program,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and column in the template.
    pub fn compile(text: &str, resolve: &impl Resolve) -> Result<Self, Error> {
        Self::compile_with(text, Coverage::Off, &Document::default(), resolve)
    }

    /// Compiles a template to try it out: with variables of its own, which [`Renderer::try_out`] must get too, and
    /// perhaps counting the branches taken.
    ///
    /// # Errors
    /// As for [`Template::compile`].
    pub fn compile_with(
        text: &str,
        coverage: Coverage,
        variables: &Document,
        resolve: &impl Resolve,
    ) -> Result<Self, Error> {
        let mut names = TemplateNames::new(variables, resolve);
        let program = vtl::compile(text, Dialect::ApiGateway, coverage, &mut names)?;
        Ok(Self {
            program,
            reads_body: names.reads_body(),
            sets_overrides: text.contains("Override"),
            stage_variables: names.stage_variables(),
            sources: names.sources(),
        })
    }

    /// What it comes to without running it.
    pub fn shape(&self) -> Shape<'_> {
        if let Some(text) = self.program.constant() {
            return Shape::Text(text);
        }
        match self.program.only_bound().and_then(|source| self.sources.get(source as usize)) {
            Some(Source::Body) => Shape::Body,
            _ => Shape::Program,
        }
    }

    /// Whether it may read the body, which must then be there whole.
    pub fn reads_body(&self) -> bool {
        self.reads_body
    }

    /// Whether it reads the body as JSON: `$input.json` or `$input.path` with a path that is known.
    pub fn reads_json(&self) -> bool {
        self.sources.iter().any(|source| matches!(source, Source::Json(_) | Source::Path(_)))
    }

    /// Whether it may set or read overrides.
    pub fn sets_overrides(&self) -> bool {
        self.sets_overrides
    }

    /// What is worth knowing before it runs: patterns that go back and try again, or cannot be used.
    pub fn remarks(&self) -> &[Remark] {
        self.program.remarks()
    }

    /// The branches of a template that was compiled for coverage.
    pub fn branches(&self) -> &[vtl::Branch] {
        self.program.branches()
    }
}

/// What runs templates, and the memory it keeps from one to the next. One belongs to a shard.
#[derive(Debug, Default)]
pub struct Renderer {
    machine: Machine,
    room: Room,
}

/// Memory for what a template reads.
#[derive(Debug, Default)]
struct Room {
    /// The body as a document.
    tape: Tape,
    /// Documents of `$util.parseJson`.
    parsed: Vec<Tape>,
    /// Values of parameters and of `$context`.
    text: String,
    spans: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    /// The argument of a function.
    argument: String,
}

/// More than this is given back between runs.
const TEXT_BYTES_KEPT: usize = 64 * 1024;
const PARSED_KEPT: usize = 4;

impl Room {
    fn reset(&mut self) {
        self.tape.clear();
        self.parsed.truncate(PARSED_KEPT);
        self.text.clear();
        self.text.shrink_to(TEXT_BYTES_KEPT);
        self.bytes.clear();
        self.bytes.shrink_to(TEXT_BYTES_KEPT);
        self.argument.clear();
        self.argument.shrink_to(TEXT_BYTES_KEPT);
        self.spans.clear();
    }
}

impl Renderer {
    /// A renderer with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a template and appends its text to `out`.
    ///
    /// `overrides` is what templates before this one have set, and afterwards what all have: it counts only when the
    /// whole template has run.
    ///
    /// # Errors
    /// What stopped the template; AWS answers 500 then. What was printed before it is in `out`.
    pub fn render(
        &mut self,
        template: &Template,
        message: &impl Message,
        overrides: &mut Overrides,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        self.try_out(template, &Document::default(), message, overrides, out)
    }

    /// As [`Renderer::render`], with variables of the template's own.
    ///
    /// # Errors
    /// As for [`Renderer::render`].
    pub fn try_out(
        &mut self,
        template: &Template,
        variables: &Document,
        message: &impl Message,
        overrides: &mut Overrides,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        self.room.reset();
        let mut host = MessageHost::new(template, variables, message, &mut self.room, overrides);
        self.machine.run(&template.program, &mut host, out)?;
        if template.sets_overrides
            && let Some(set) = host.overrides_set(&self.machine)
        {
            *overrides = set;
        }
        Ok(())
    }

    /// Which branches were taken since [`Renderer::forget_branches`], in the order of [`Template::branches`].
    pub fn covered(&self) -> &[bool] {
        self.machine.covered()
    }

    /// Starts counting branches anew.
    pub fn forget_branches(&mut self) {
        self.machine.forget_branches();
    }
}
