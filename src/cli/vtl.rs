//! `ringgate vtl`: mapping templates without a gateway, run once or against golden files.

mod golden;

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use ringgate_core::base::Place;
use ringgate_core::json::Tape;
use ringgate_core::mapping::template::{Overrides, Renderer, Sample, Template};
use ringgate_core::vtl::{self, Coverage, Dialect, Document, Machine};
use serde_json::Value;

use crate::config::vtl::{VtlCall, VtlDialect};

/// The call is wrong.
const USAGE: u8 = 2;
/// Largest file in bytes that is read: more than any body or template may have.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Characters of a line that are shown.
const LINE_CHARS_SHOWN: usize = 100;

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
        let column = (place.column as usize).saturating_sub(1);
        // Of a long line, what is around the place.
        let start = if column < LINE_CHARS_SHOWN { 0 } else { column - LINE_CHARS_SHOWN / 2 };
        let shown: String = line.chars().skip(start).take(LINE_CHARS_SHOWN).collect();
        // Tabs stay tabs, so that the caret stands below its character.
        let before = shown.chars().chain(std::iter::repeat(' ')).take(column - start);
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "  {shown}\n  {indent}^")
    }
}

/// Why nothing can be tried.
enum Trouble {
    /// A file cannot be read.
    Unreadable(String),
    /// A file does not say what it should.
    Wrong { name: String, source: String, finding: Finding },
}

impl Trouble {
    fn code(&self) -> u8 {
        match self {
            Self::Unreadable(_) => USAGE,
            Self::Wrong { .. } => 1,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(message) => writeln!(f, "ringgate: {message}"),
            Self::Wrong { name, source, finding } => Shown { name, source, finding }.fmt(f),
        }
    }
}

/// Does what was asked. Gives the exit code: 1 when a template, a file of values or a case is wrong, 2 when a file cannot
/// be read.
///
/// # Errors
/// Those of `out` and `err`.
pub fn run(call: &VtlCall, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let done = match call {
        VtlCall::Eval { template, input, context, vars, dialect } => {
            match read_eval(template, input.as_deref(), context.as_deref(), vars.as_deref()) {
                Ok((source, trial)) => eval(&template.display().to_string(), source, &trial, *dialect, out, err)?,
                Err(trouble) => Err(trouble),
            }
        }
        VtlCall::Test { dir } => golden::test(dir, out)?,
    };
    match done {
        Ok(code) => Ok(code),
        Err(trouble) => write!(err, "{trouble}").map(|()| trouble.code()),
    }
}

fn read_eval(
    template: &Path,
    input: Option<&str>,
    context: Option<&Path>,
    variables: Option<&Path>,
) -> Result<(String, Trial), Trouble> {
    let body = match input.map(|input| (input, input.strip_prefix('@'))) {
        None => Vec::new(),
        Some((_, Some(file))) => read_bytes(Path::new(file))?,
        Some((text, None)) => text.as_bytes().to_vec(),
    };
    let sample = context.map(read_object).transpose()?.map_or_else(Sample::default, |json| Sample::read(&json));
    let body = if input.is_some() { body } else { sample.body.clone() };
    let variables = Document::new(&variables.map(read_object).transpose()?.unwrap_or_default());
    Ok((read_template(template)?, Trial { sample: Sample { body, ..sample }, variables }))
}

fn eval(
    name: &str,
    source: String,
    trial: &Trial,
    dialect: VtlDialect,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Result<u8, Trouble>> {
    let made = match dialect {
        VtlDialect::Apigateway => match trial.compile(&source, Coverage::Off) {
            Ok(template) => {
                note_remarks(name, &source, &template, err)?;
                note_body(&template, &trial.sample.body, err)?;
                trial.render(&template, &mut Renderer::new())
            }
            Err(finding) => Err(finding),
        },
        VtlDialect::Velocity => velocity(&source, &trial.variables),
    };
    match made {
        Ok(text) => out.write_all(&text).map(|()| Ok(0)),
        Err(finding) => Ok(Err(Trouble::Wrong { name: name.to_owned(), source, finding })),
    }
}

/// What is no error yet: patterns that may take too long, or cannot be used.
fn note_remarks(name: &str, source: &str, template: &Template, err: &mut impl Write) -> io::Result<()> {
    template.remarks().iter().try_for_each(|remark| {
        let finding = Finding { place: remark.place, message: format!("note: {}", remark.message) };
        write!(err, "{}", Shown { name, source, finding: &finding })
    })
}

/// A body that is no JSON makes no error, on AWS neither: a newcomer would look for the reason in the template.
fn note_body(template: &Template, body: &[u8], err: &mut impl Write) -> io::Result<()> {
    if body.is_empty() || !template.reads_json() {
        return Ok(());
    }
    match Tape::new().read(body) {
        Ok(_) => Ok(()),
        Err(error) => writeln!(err, "note: the input is {error}: $input.json gives \"\" and $input.path nothing"),
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
    fn compile(&self, source: &str, coverage: Coverage) -> Result<Template, Finding> {
        Ok(Template::compile_with(source, coverage, &self.variables, &self.sample)?)
    }

    fn render(&self, template: &Template, renderer: &mut Renderer) -> Result<Vec<u8>, Finding> {
        let mut text = Vec::new();
        renderer.try_out(template, &self.variables, &self.sample, &mut Overrides::default(), &mut text)?;
        Ok(text)
    }
}

fn read_template(path: &Path) -> Result<String, Trouble> {
    let bytes = if path == Path::new("-") {
        read_all(io::stdin()).map_err(|error| Trouble::Unreadable(format!("standard input: {error}")))?
    } else {
        read_bytes(path)?
    };
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Trouble::Unreadable(format!("{}: not UTF-8 text: byte {at} does not fit", path.display()))
    })
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Trouble> {
    let read = File::open(path).and_then(read_all);
    read.map_err(|error| Trouble::Unreadable(format!("{}: {error}", path.display())))
}

/// No more than may be, whatever a file says of its length: devices and pipes say nothing.
fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// A JSON file whose members have names that mean something.
fn read_object(path: &Path) -> Result<Value, Trouble> {
    let bytes = read_bytes(path)?;
    let source = String::from_utf8_lossy(&bytes).into_owned();
    let finding = match serde_json::from_slice(&bytes) {
        Ok(json @ Value::Object(_)) => return Ok(json),
        Ok(_) => Finding { place: Place { line: 1, column: 1 }, message: "not an object of JSON".to_owned() },
        Err(error) => not_json(&error, &source),
    };
    Err(Trouble::Wrong { name: path.display().to_string(), source, finding })
}

fn not_json(error: &serde_json::Error, source: &str) -> Finding {
    let line = source.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    // Its columns are bytes; ours are characters.
    let before = line.floor_char_boundary(error.column().saturating_sub(1));
    let column = line[..before].chars().count() as u32 + 1;
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    Finding { place: Place { line: error.line() as u32, column }, message: format!("not JSON: {message}") }
}
