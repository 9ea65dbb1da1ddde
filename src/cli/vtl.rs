//! `ringgate vtl`: mapping templates without a gateway, run once or against golden files.

mod golden;

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;

use ringgate_core::base::Place;
use ringgate_core::mapping::template::{Overrides, Renderer, Sample, Template};
use ringgate_core::vtl::{self, Coverage, Dialect, Document, Machine};
use serde_json::Value;

use crate::config::vtl::{VtlCall, VtlDialect};

/// The call is wrong.
const USAGE: u8 = 2;

/// What is wrong with a template, and where.
struct Finding {
    place: Place,
    message: String,
}

impl From<vtl::Error> for Finding {
    fn from(error: vtl::Error) -> Self {
        Self { place: error.place, message: error.message }
    }
}

impl From<vtl::Failure> for Finding {
    fn from(failure: vtl::Failure) -> Self {
        Self { place: failure.place, message: failure.message }
    }
}

/// A finding with the line it is about.
struct Shown<'s> {
    name: &'s str,
    source: &'s str,
    finding: &'s Finding,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { place, message } = self.finding;
        writeln!(f, "{}:{place}: {message}", self.name)?;
        let Some(line) = self.source.lines().nth((place.line as usize).saturating_sub(1)) else { return Ok(()) };
        // Tabs stay tabs, so that the caret stands below its character.
        let before = line.chars().take((place.column as usize).saturating_sub(1));
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "  {line}\n  {indent}^")
    }
}

/// A file that cannot be used.
struct Unusable(String);

/// Does what was asked. Gives the exit code: 1 when a template is wrong or a case fails, 2 when a file cannot be read.
///
/// # Errors
/// Those of `out` and `err`.
pub fn run(call: &VtlCall, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let done = match call {
        VtlCall::Eval { template, input, context, vars, dialect } => {
            eval(template, input.as_deref(), [context.as_deref(), vars.as_deref()], *dialect, out, err)
        }
        VtlCall::Test { dir } => golden::test(dir, out),
    };
    match done? {
        Ok(code) => Ok(code),
        Err(Unusable(message)) => {
            writeln!(err, "ringgate: {message}")?;
            Ok(USAGE)
        }
    }
}

fn eval(
    template: &Path,
    input: Option<&str>,
    [context, variables]: [Option<&Path>; 2],
    dialect: VtlDialect,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Result<u8, Unusable>> {
    let read = || -> Result<_, Unusable> {
        let body = match input.map(|input| (input, input.strip_prefix('@'))) {
            None => Vec::new(),
            Some((_, Some(file))) => read_bytes(Path::new(file))?,
            Some((text, None)) => text.as_bytes().to_vec(),
        };
        let sample = context.map(read_json).transpose()?.map_or_else(Sample::default, |json| Sample::read(&json));
        let variables = variables.map(read_json).transpose()?.unwrap_or_default();
        Ok((read_template(template)?, Sample { body, ..sample }, Document::new(&variables)))
    };
    let (source, sample, variables) = match read() {
        Ok(read) => read,
        Err(unusable) => return Ok(Err(unusable)),
    };
    let made = match dialect {
        VtlDialect::Apigateway => Trial { sample, variables }.run(&source),
        VtlDialect::Velocity => velocity(&source, &variables),
    };
    match made {
        Ok(text) => out.write_all(&text).map(|()| Ok(0)),
        Err(finding) => {
            let name = template.display().to_string();
            write!(err, "{}", Shown { name: &name, source: &source, finding: &finding })?;
            Ok(Ok(1))
        }
    }
}

fn velocity(source: &str, variables: &Document) -> Result<Vec<u8>, Finding> {
    let program = vtl::compile(source, Dialect::Velocity, Coverage::Off, &mut &*variables)?;
    let mut text = Vec::new();
    Machine::new().run(&program, &mut &*variables, &mut text)?;
    Ok(text)
}

/// What a template is tried with.
struct Trial {
    sample: Sample,
    variables: Document,
}

impl Trial {
    fn run(&self, source: &str) -> Result<Vec<u8>, Finding> {
        let template = Template::compile_with(source, Coverage::Off, &self.variables, &self.sample)?;
        self.render(&template, &mut Renderer::new())
    }

    fn render(&self, template: &Template, renderer: &mut Renderer) -> Result<Vec<u8>, Finding> {
        let mut text = Vec::new();
        renderer.try_out(template, &self.variables, &self.sample, &mut Overrides::default(), &mut text)?;
        Ok(text)
    }
}

fn read_template(path: &Path) -> Result<String, Unusable> {
    let bytes = match path.to_str() {
        Some("-") => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map_err(|error| Unusable(format!("standard input: {error}")))?;
            bytes
        }
        _ => read_bytes(path)?,
    };
    String::from_utf8(bytes).map_err(|_| Unusable(format!("{}: not UTF-8", path.display())))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Unusable> {
    std::fs::read(path).map_err(|error| Unusable(format!("{}: {error}", path.display())))
}

fn read_json(path: &Path) -> Result<Value, Unusable> {
    serde_json::from_slice(&read_bytes(path)?)
        .map_err(|error| Unusable(format!("{}: not JSON: {error}", path.display())))
}
