//! Mapping templates: compiled, and recognised where they need not run.

use crate::mapping::Resolve;
use crate::mapping::status_code::status_code;
use crate::mapping::template::{Shape, Template};
use crate::plan::{BodyTemplate, MockRequest};

/// A template that makes a body.
pub(super) fn body(text: &str, resolve: &impl Resolve) -> BodyTemplate {
    if text.is_empty() {
        return BodyTemplate::AsIs;
    }
    match Template::compile(text, resolve) {
        Err(error) => BodyTemplate::Broken(reason(&error.to_string())),
        Ok(template) => match template.shape() {
            Shape::Text(text) => BodyTemplate::Text(text.into()),
            Shape::Body => BodyTemplate::Passthrough,
            Shape::Program => BodyTemplate::Program(Box::new(template)),
        },
    }
}

/// A template that gives a MOCK its status.
pub(super) fn mock(text: &str, resolve: &impl Resolve) -> MockRequest {
    match body(text, resolve) {
        BodyTemplate::AsIs | BodyTemplate::Passthrough => MockRequest::Passthrough,
        BodyTemplate::Program(template) => MockRequest::Program(template),
        BodyTemplate::Broken(reason) => MockRequest::Broken(reason),
        BodyTemplate::Text(text) => status_code(text.as_bytes()).map_or(MockRequest::NoStatus, MockRequest::Status),
    }
}

fn reason(error: &str) -> Box<str> {
    format!("the template does not compile: {error}").into()
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
        assert!(matches!(body("", &Nothing), BodyTemplate::AsIs));
        for text in ["$input.body", " $input.body\n", "${input.body}", "$!input.body"] {
            assert!(matches!(body(text, &Nothing), BodyTemplate::Passthrough), "{text}: {:?}", body(text, &Nothing));
        }
        for text in ["at $context.stage/pets", "$input.json('$')", "$input.json('$.a')", "#set($x = $input.body)$x"] {
            assert!(matches!(body(text, &Nothing), BodyTemplate::Program(_)), "{text}: {:?}", body(text, &Nothing));
        }
    }

    #[test]
    fn what_does_not_compile_names_its_place() {
        let BodyTemplate::Broken(reason) = body("{\n  #if($a}", &Nothing) else { panic!("it does not compile") };
        assert!(reason.starts_with("the template does not compile: 2:"), "{reason}");
    }

    #[test]
    fn names_that_mean_nothing_are_found_once_each_with_their_place() {
        let text = "$context.stage $context.identity.keySet() $context.get('x') $context.responseOverride.status\n\
                    $input.body.x $input.json('$').y $input.params($x).z $util.urlEncode($x) $context.authorizer.x.y\n\
                    $context.nope#if($context.nope)$context.routeKey#end $context.status\n\
                    $input.nope() $input.json() $input.headers $util.toJson($x) $util.urlEncode('a', 'b')";
        let compiled = body(text, &Nothing);
        let remarks = compiled.program().expect("it has to run").remarks();
        let found: Vec<_> = remarks.iter().map(|remark| format!("{} {}", remark.place, remark.message)).collect();
        let expected = [
            "3:1 $context.nope does not exist",
            "3:18 $context.nope does not exist",
            "3:32 $context.routeKey does not exist in REST APIs",
            "3:54 $context.status has its value only when",
            "4:1 $input.nope() does not exist; ",
            "4:15 $input.json() does not exist; ",
            "4:29 $input.headers does not exist; ",
            "4:44 $util.toJson() does not exist; ",
            "4:61 $util.urlEncode() does not exist; ",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
