//! Findings as text for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::base::Diagnostic;

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    #[default]
    Human,
    /// One array of objects.
    Json,
}

/// Writes findings. `file` stands before line and column, as editors and compilers do it.
pub fn render(diagnostics: &[Diagnostic], file: &str, format: Format) -> String {
    match format {
        Format::Human => diagnostics.iter().map(|finding| human(finding, file)).collect(),
        Format::Json => {
            let list = Value::Array(diagnostics.iter().map(|finding| object(finding, file)).collect());
            format!("{list:#}\n")
        }
    }
}

fn human(finding: &Diagnostic, file: &str) -> String {
    let place = if finding.place.line == 0 { String::new() } else { format!(":{}", finding.place) };
    let severity = finding.severity.as_str();
    let mut text = format!("{file}{place}: {severity}[{}]: {}\n", finding.rule, printable(&finding.message));
    for (label, value) in [("at", &finding.pointer), ("on AWS", &finding.on_aws), ("fix", &finding.fix)] {
        if !value.is_empty() {
            _ = writeln!(text, "    {label}: {}", printable(value));
        }
    }
    text
}

/// Names of the document are quoted in messages; their control characters must not reach a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn object(finding: &Diagnostic, file: &str) -> Value {
    json!({
        "file": file,
        "line": finding.place.line,
        "column": finding.place.column,
        "severity": finding.severity.as_str(),
        "rule": finding.rule,
        "pointer": finding.pointer,
        "message": finding.message,
        "onAws": finding.on_aws,
        "fix": finding.fix,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Place, Severity};

    fn finding() -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            rule: "unsupported-field",
            place: Place { line: 12, column: 5 },
            pointer: "/paths/~1a".to_owned(),
            message: "`x\u{1b}[31m` is unknown".to_owned(),
            on_aws: "Ignored.".to_owned(),
            fix: String::new(),
        }
    }

    #[test]
    fn people_get_lines_without_control_characters() {
        let expected = "openapi.yaml:12:5: warning[unsupported-field]: `x\u{fffd}[31m` is unknown\n    at: /paths/~1a\n    on AWS: Ignored.\n";
        assert_eq!(render(&[finding()], "openapi.yaml", Format::Human), expected);
        let nowhere = Diagnostic { place: Place::NOWHERE, on_aws: String::new(), pointer: String::new(), ..finding() };
        let expected = "a.json: warning[unsupported-field]: `x\u{fffd}[31m` is unknown\n";
        assert_eq!(render(&[nowhere], "a.json", Format::Human), expected);
    }

    #[test]
    fn programs_get_an_array_with_stable_members() {
        let text = render(&[finding()], "a.json", Format::Json);
        let value: Value = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = value[0].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["file", "line", "column", "severity", "rule", "pointer", "message", "onAws", "fix"]);
        assert_eq!((value[0]["line"].as_u64(), value[0]["severity"].as_str()), (Some(12), Some("warning")));
        assert_eq!(render(&[], "a.json", Format::Json), "[]\n");
    }
}
