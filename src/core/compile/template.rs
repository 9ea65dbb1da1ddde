//! Mapping templates: compiled, and recognised where they need not run.

use crate::mapping::status_code::status_code;
use crate::mapping::template::{Shape, Template};
use crate::mapping::{ContextVariable, Resolve};
use crate::plan::{BodyTemplate, MockRequest};

/// A template that makes a body.
pub(super) fn body(text: &str, resolve: &impl Resolve) -> BodyTemplate {
    // Stored as an empty string, a template passes the body (rest-mapping-templates §12).
    if text.is_empty() {
        return BodyTemplate::Passthrough;
    }
    match Template::compile(text, resolve) {
        Err(error) => BodyTemplate::Broken(reason(&error.to_string())),
        Ok(template) => match template.shape() {
            Shape::Text(text) => BodyTemplate::Text(text.into()),
            Shape::Body | Shape::Json => BodyTemplate::Passthrough,
            Shape::Program => BodyTemplate::Program(Box::new(template)),
        },
    }
}

/// A template that gives a MOCK its status.
pub(super) fn mock(text: &str, resolve: &impl Resolve) -> MockRequest {
    match body(text, resolve) {
        BodyTemplate::Passthrough => MockRequest::Passthrough,
        BodyTemplate::Program(template) => MockRequest::Program(template),
        BodyTemplate::Broken(reason) => MockRequest::Broken(reason),
        BodyTemplate::Text(text) => status_code(text.as_bytes()).map_or(MockRequest::NoStatus, MockRequest::Status),
    }
}

fn reason(error: &str) -> Box<str> {
    format!("the template does not compile: {error}").into()
}

/// Names of `$context` in a template that do not exist: they print nothing.
pub(super) fn unknown_names(text: &str) -> Vec<String> {
    let places = text.match_indices("$context.").map(|(at, _)| &text[at..]);
    let scanned = places.filter_map(|rest| ContextVariable::scan(rest).and_then(|(found, _)| found.err()));
    let mut unknown: Vec<_> =
        scanned.map(|unknown| unknown.to_string()).filter(|message| !message.contains("Override")).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Resolve for Nothing {
        fn path_variable(&self, _: &str) -> Option<usize> {
            None
        }

        fn stage_variable(&self, _: &str) -> Option<&str> {
            None
        }
    }

    #[test]
    fn what_need_not_run_is_recognised() {
        for text in ["{}", "color: #333;", "a $5 bill", "100%", "$stageVariables.x", "## a comment\nx"] {
            assert!(matches!(body(text, &Nothing), BodyTemplate::Text(_)), "{text}: {:?}", body(text, &Nothing));
        }
        for text in ["", "$input.body", " $input.json('$')\n", "$input.json(\"$\")", "${input.body}", "$!input.body"] {
            assert!(matches!(body(text, &Nothing), BodyTemplate::Passthrough), "{text}: {:?}", body(text, &Nothing));
        }
        for text in ["at $context.stage/pets", "$input.json('$.a')", "#set($x = $input.body)$x"] {
            assert!(matches!(body(text, &Nothing), BodyTemplate::Program(_)), "{text}: {:?}", body(text, &Nothing));
        }
    }

    #[test]
    fn what_does_not_compile_names_its_place() {
        let BodyTemplate::Broken(reason) = body("{\n  #if($a}", &Nothing) else { panic!("it does not compile") };
        assert!(reason.starts_with("the template does not compile: 2:"), "{reason}");
    }

    #[test]
    fn unknown_names_are_found_once_each() {
        let text = "$context.nope $context.stage $context.nope $context.routeKey $context.responseOverride.status";
        assert_eq!(
            unknown_names(text),
            ["$context.nope does not exist", "$context.routeKey does not exist in REST APIs"]
        );
    }
}
