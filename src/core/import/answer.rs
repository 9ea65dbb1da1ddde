//! What `ImportRestApi` and `PutRestApi` say about a document: the message of a refusal, and `warnings[]`.
//!
//! AWS says less than our findings do, and scripts look for its words, so the two are kept apart.

/// The whole message about a text that is no document
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html>).
pub const INVALID_INPUT: &str = "Invalid OpenAPI input.";

/// Lines kept of each kind.
const LINES_MAX: usize = 1000;

/// The answer in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    is_invalid: bool,
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Answer {
    pub(super) fn refuse_input(&mut self) {
        self.is_invalid = true;
    }

    pub(super) fn add_error(&mut self, line: String) {
        add(&mut self.errors, line);
    }

    pub(super) fn add_warning(&mut self, line: String) {
        add(&mut self.warnings, line);
    }

    /// What was found before the lines of `self`.
    pub(super) fn after(mut self, earlier: Self) -> Self {
        let Self { is_invalid, mut errors, mut warnings } = earlier;
        self.is_invalid |= is_invalid;
        errors.append(&mut self.errors);
        warnings.append(&mut self.warnings);
        Self { is_invalid: self.is_invalid, errors, warnings }
    }

    /// The member `warnings` of the answer, empty where AWS leaves the member out.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The message of the `BadRequestException`, if the document is refused for its faults.
    pub fn refusal(&self) -> Option<String> {
        if self.is_invalid {
            return Some(INVALID_INPUT.to_owned());
        }
        let errors = (!self.errors.is_empty()).then(|| listed("Errors found during import:", &self.errors))?;
        match self.warnings.as_slice() {
            [] => Some(errors),
            warnings => Some(format!("{errors}\n{}", listed("Additionally, these warnings were found:", warnings))),
        }
    }

    /// As [`Self::refusal`], with `failonwarnings`: warnings refuse the document too.
    pub fn strict_refusal(&self) -> Option<String> {
        let warned = || listed("Warnings found during import:", &self.warnings);
        self.refusal().or_else(|| (!self.warnings.is_empty()).then(warned))
    }
}

/// Parameters of a path are read once for each of its operations: a line is said once.
fn add(lines: &mut Vec<String>, line: String) {
    if lines.len() < LINES_MAX && !lines.contains(&line) {
        lines.push(line);
    }
}

fn listed(title: &str, lines: &[String]) -> String {
    format!("{title}\n\t{}", lines.join("\n\t"))
}

/// A JSON pointer as AWS's parser names an attribute: `paths.'/update'(get).responses.200`.
pub(super) fn attribute(pointer: &str) -> String {
    let mut segments = pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"));
    let Some(first) = segments.next() else { return "document".to_owned() };
    let mut name = first;
    let mut rest: Vec<_> = segments.collect();
    if name == "paths" && !rest.is_empty() {
        name = format!("paths.'{}'", rest.remove(0));
        if !rest.is_empty() && rest.first().is_some_and(|member| member != "parameters") {
            name = format!("{name}({})", rest.remove(0));
        }
    }
    for segment in rest {
        name = format!("{name}.{segment}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_lists_errors_then_warnings_each_behind_a_tab() {
        let mut answer = Answer::default();
        assert_eq!((answer.refusal(), answer.strict_refusal()), (None, None));
        answer.add_warning("w".to_owned());
        assert_eq!(answer.refusal(), None);
        assert_eq!(answer.strict_refusal().as_deref(), Some("Warnings found during import:\n\tw"));
        answer.add_error("a".to_owned());
        answer.add_error("b".to_owned());
        answer.add_error("a".to_owned());
        let expected = "Errors found during import:\n\ta\n\tb\nAdditionally, these warnings were found:\n\tw";
        assert_eq!(answer.refusal().as_deref(), Some(expected));
        answer.refuse_input();
        assert_eq!(answer.strict_refusal().as_deref(), Some(INVALID_INPUT));
    }

    #[test]
    fn attributes_are_named_as_the_parser_of_aws_names_them() {
        let cases = [
            ("/paths/~1update/get/responses/200", "paths.'/update'(get).responses.200"),
            ("/paths/~1a/parameters", "paths.'/a'.parameters"),
            ("/paths", "paths"),
            ("/info/title", "info.title"),
            ("", "document"),
        ];
        for (pointer, expected) in cases {
            assert_eq!(attribute(pointer), expected);
        }
    }
}
