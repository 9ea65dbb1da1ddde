//! Access-log lines: a format compiled to a program once, run for every request into a buffer.
//!
//! A user's format is text with `$context` variables. Values are inserted as they are and a variable without a value is
//! `-`, as on AWS; quotes in a value break such a line, as on AWS. Two things AWS cannot suffer from: a line break in a
//! value becomes a space, so that one request is always one line. The default line is JSON of our own, escaped and so
//! always valid, whose absent members are left out.
//!
//! This module does not know the variables. Whoever compiles says how to read their names, whoever renders writes
//! their values.

use std::fmt;

use crate::base::escape::escape_json_from;

/// Longest format in bytes (AWS: 3 KB).
pub const FORMAT_BYTES_MAX: usize = 3 * 1024;

/// Why a format was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// There is nothing in it.
    Empty,
    /// Longer than [`FORMAT_BYTES_MAX`].
    TooLong,
    /// A line break before the end.
    SeveralLines,
    /// Neither `$context.requestId` nor `$context.extendedRequestId`.
    NoRequestId,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Access Log value must not be empty"),
            Self::TooLong => write!(f, "the access log format is longer than {FORMAT_BYTES_MAX} bytes"),
            Self::SeveralLines => f.write_str("the access log format has more than one line"),
            Self::NoRequestId => {
                f.write_str("the access log format has neither $context.requestId nor $context.extendedRequestId")
            }
        }
    }
}

impl std::error::Error for FormatError {}

/// How a variable's name is read: from text that begins with `$`, the variable or why there is none, and how many bytes
/// name it. `None`: the `$` is text.
pub trait Scan<V, E>: Fn(&str) -> Option<(Result<V, E>, usize)> {}

impl<V, E, F: Fn(&str) -> Option<(Result<V, E>, usize)>> Scan<V, E> for F {}

/// A compiled access-log format over variables of type `V`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLogProgram<V> {
    steps: Box<[Step<V>]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step<V> {
    /// Text as it is.
    Text(Box<str>),
    /// A value as it is, or `-`.
    Plain(V),
    /// `-`: a variable that does not exist.
    Unknown,
    /// A member of a JSON object: its name with quotes and colon, and the value; nothing if there is none.
    Member(Box<str>, V, Form),
}

/// How a value of our JSON line is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    String,
    /// Digits as they are; anything else as a string, so that the line stays valid.
    Number,
}

/// Members of the default line and the variables behind them.
const DEFAULT_MEMBERS: [(&str, &str, Form); 19] = [
    ("requestId", "$context.requestId", Form::String),
    ("extendedRequestId", "$context.extendedRequestId", Form::String),
    ("ip", "$context.identity.sourceIp", Form::String),
    ("requestTime", "$context.requestTime", Form::String),
    ("httpMethod", "$context.httpMethod", Form::String),
    ("resourcePath", "$context.resourcePath", Form::String),
    ("path", "$context.path", Form::String),
    ("status", "$context.status", Form::Number),
    ("protocol", "$context.protocol", Form::String),
    ("responseLength", "$context.responseLength", Form::Number),
    ("responseLatency", "$context.responseLatency", Form::Number),
    ("integrationLatency", "$context.integrationLatency", Form::Number),
    ("integrationStatus", "$context.integrationStatus", Form::Number),
    ("integrationErrorMessage", "$context.integrationErrorMessage", Form::String),
    ("errorMessage", "$context.error.message", Form::String),
    ("errorResponseType", "$context.error.responseType", Form::String),
    ("userAgent", "$context.identity.userAgent", Form::String),
    ("apiId", "$context.apiId", Form::String),
    ("stage", "$context.stage", Form::String),
];

impl<V> AccessLogProgram<V> {
    /// Compiles a user's format. Variables that do not exist print `-`; why is told beside the program.
    pub fn compile<E>(format: &str, scan: impl Scan<V, E>) -> Result<(Self, Vec<E>), FormatError> {
        let format = checked(format)?;
        let (mut steps, mut unknown) = (Vec::new(), Vec::new());
        let mut text = String::new();
        let mut rest = format;
        while let Some(dollar) = rest.find('$') {
            text.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            let Some((variable, used)) = scan(rest) else {
                text.push('$');
                rest = &rest[1..];
                continue;
            };
            end_text(&mut text, &mut steps);
            steps.push(variable.map_or_else(
                |error| {
                    unknown.push(error);
                    Step::Unknown
                },
                Step::Plain,
            ));
            rest = &rest[used..];
        }
        text.push_str(rest);
        text.push('\n');
        end_text(&mut text, &mut steps);
        Ok((Self { steps: steps.into() }, unknown))
    }

    /// Our own line: JSON that is always valid, under AWS's names. Members that `scan` does not know are left out.
    pub fn default_json<E>(scan: impl Scan<V, E>) -> Self {
        let mut steps = vec![Step::Text("{".into())];
        for (name, variable, form) in DEFAULT_MEMBERS {
            if let Some((Ok(variable), _)) = scan(variable) {
                steps.push(Step::Member(format!("\"{name}\":").into(), variable, form));
            }
        }
        steps.push(Step::Text("}\n".into()));
        Self { steps: steps.into() }
    }

    /// Appends the line with its line break. `value` appends the value of a variable and says whether there is one.
    /// Allocates nothing if `out` has room.
    pub fn render(&self, mut value: impl FnMut(&V, &mut Vec<u8>) -> bool, out: &mut Vec<u8>) {
        for step in &self.steps {
            match step {
                Step::Text(text) => out.extend_from_slice(text.as_bytes()),
                Step::Unknown => out.push(b'-'),
                Step::Plain(variable) => {
                    let start = out.len();
                    if !value(variable, out) {
                        out.truncate(start);
                        out.push(b'-');
                    }
                    keep_one_line(out.get_mut(start..).unwrap_or_default());
                }
                Step::Member(name, variable, form) => {
                    write_member(name, *form, |out| value(variable, out), out);
                }
            }
        }
    }
}

/// A format is one line, of which the line break at the end is ours to write.
fn checked(format: &str) -> Result<&str, FormatError> {
    if format.len() > FORMAT_BYTES_MAX {
        return Err(FormatError::TooLong);
    }
    let line = format.strip_suffix('\n').or_else(|| format.strip_suffix("\\n")).unwrap_or(format);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(FormatError::Empty);
    }
    if line.contains(['\n', '\r']) {
        return Err(FormatError::SeveralLines);
    }
    if !line.contains("$context.requestId") && !line.contains("$context.extendedRequestId") {
        return Err(FormatError::NoRequestId);
    }
    Ok(line)
}

fn end_text<V>(text: &mut String, steps: &mut Vec<Step<V>>) {
    if !text.is_empty() {
        steps.push(Step::Text(std::mem::take(text).into()));
    }
}

fn keep_one_line(value: &mut [u8]) {
    for byte in value.iter_mut().filter(|byte| matches!(**byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
}

fn write_member(name: &str, form: Form, value: impl FnOnce(&mut Vec<u8>) -> bool, out: &mut Vec<u8>) {
    let before = out.len();
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.extend_from_slice(name.as_bytes());
    // The opening quote goes in first, so that a string that needs no escaping never moves.
    if form == Form::String {
        out.push(b'"');
    }
    let start = out.len();
    if !value(out) {
        return out.truncate(before);
    }
    if form == Form::Number {
        if is_number(out.get(start..).unwrap_or_default()) {
            return;
        }
        out.insert(start, b'"');
    }
    escape_json_from(out, start + usize::from(form == Form::Number));
    out.push(b'"');
}

/// Whether text is a JSON number of digits alone.
fn is_number(text: &[u8]) -> bool {
    match text {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables are their names here; those that begin with `no` do not exist.
    fn scan(text: &str) -> Option<(Result<String, String>, usize)> {
        let after = text.strip_prefix("$context.")?;
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(after.len());
        let name = after[..end].to_owned();
        Some((if name.starts_with("no") { Err(name) } else { Ok(name) }, "$context.".len() + end))
    }

    fn value(name: &str, out: &mut Vec<u8>) -> bool {
        let text: &[u8] = match name {
            "requestId" => b"c0ffee",
            "status" => b"200",
            "responseLength" => b"-",
            "identity.userAgent" => b"a \"quoted\"\r\nagent \xFC",
            "path" => "/grün".as_bytes(),
            _ => return false,
        };
        out.extend_from_slice(text);
        true
    }

    fn line(program: &AccessLogProgram<String>) -> Vec<u8> {
        let mut out = b"before\n".to_vec();
        program.render(|name, out| value(name, out), &mut out);
        out.split_off(7)
    }

    #[test]
    fn a_users_format_is_rendered_as_on_aws() {
        let rows: [(&str, &[u8]); 6] = [
            ("$context.requestId", b"c0ffee\n"),
            ("$context.requestId\n", b"c0ffee\n"),
            ("$context.requestId\\n", b"c0ffee\n"),
            ("$context.identity.sourceIp - - \"$context.status\" $context.requestId", b"- - - \"200\" c0ffee\n"),
            ("{\"id\":\"$context.requestId\",\"x\":\"$context.nope\"}", b"{\"id\":\"c0ffee\",\"x\":\"-\"}\n"),
            (
                "$context.requestId $$5 $input.x $context.identity.userAgent",
                b"c0ffee $$5 $input.x a \"quoted\"  agent \xFC\n",
            ),
        ];
        for (format, expected) in rows {
            let (program, _) = AccessLogProgram::compile(format, scan).expect(format);
            assert_eq!(line(&program), expected, "{format}");
        }
    }

    #[test]
    fn unknown_variables_are_reported() {
        let (_, unknown) = AccessLogProgram::compile("$context.requestId $context.nope", scan).expect("a format");
        assert_eq!(unknown, ["nope"]);
    }

    #[test]
    fn formats_that_aws_refuses_are_refused() {
        let long = format!("$context.requestId{}", "x".repeat(FORMAT_BYTES_MAX));
        let rows = [
            ("", FormatError::Empty),
            ("\n", FormatError::Empty),
            ("$context.status", FormatError::NoRequestId),
            ("$context.requestId\n$context.status", FormatError::SeveralLines),
            (&long, FormatError::TooLong),
        ];
        for (format, error) in rows {
            assert_eq!(AccessLogProgram::compile(format, scan).map(|_| ()), Err(error), "{format}");
        }
    }

    #[test]
    fn the_default_line_is_valid_json_whatever_the_values_are() {
        let program = AccessLogProgram::default_json(scan);
        let line = line(&program);
        let parsed: serde_json::Value = serde_json::from_slice(&line).expect("valid JSON");
        let expected = serde_json::json!({
            "requestId": "c0ffee", "path": "/grün", "status": 200, "responseLength": "-",
            "userAgent": "a \"quoted\"\r\nagent ü",
        });
        assert_eq!(parsed, expected);
        assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
    }

    #[test]
    fn every_byte_survives_in_json() {
        let program = AccessLogProgram::default_json(scan);
        for byte in 0..=255_u8 {
            let mut out = Vec::new();
            let write = |name: &String, out: &mut Vec<u8>| {
                out.extend_from_slice(&[b'x', byte, b'y']);
                name == "path" || name == "status" || name == "requestId"
            };
            program.render(write, &mut out);
            let parsed: serde_json::Value = serde_json::from_slice(&out).expect("valid JSON");
            assert_eq!(parsed["path"], format!("x{}y", char::from(byte)), "{byte}");
            assert_eq!(parsed["status"], parsed["path"]);
        }
    }

    #[test]
    fn a_line_without_any_value_is_an_empty_object() {
        let mut out = Vec::new();
        AccessLogProgram::default_json(scan).render(|_, _| false, &mut out);
        assert_eq!(out, b"{}\n");
    }
}
