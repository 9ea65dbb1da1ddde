//! Templates of gateway responses: plain substitution, no directives, no functions.
//!
//! `$context.x`, `$stageVariables.x` and `$method.request.{header,path,querystring}.x` are replaced, everything else
//! is text. A variable without a value leaves nothing, except that `$context.error.messageString` of an error without a
//! message is `null`: AWS answers `{"message":null}` then. Compiled when deployed; stage variables become text.
//!
//! In a template that is JSON `$context.error.validationErrorString` is escaped, in quotes or not, as users of AWS saw it:
//! nearly every such text has quotes of its own.

use super::context::{ContextVariable, UnknownContext};
use super::expression::{Expression, Presence, Resolve, Side, Values};
use crate::base::escape::escape_json_from;

/// The template that every gateway-response type has by default.
pub const STANDARD_TEMPLATE: &str = r#"{"message":$context.error.messageString}"#;

/// A compiled template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitution {
    pieces: Box<[Piece]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Variable(Expression),
    /// In a template that is JSON.
    Escaped(Expression),
}

impl Substitution {
    /// Compiles a template. Every text is one; what is reported names `$context` variables that do not exist, which
    /// will print nothing.
    pub fn compile(template: &str, resolve: &impl Resolve) -> (Self, Vec<UnknownContext>) {
        let mut draft = Draft { is_json: template.trim_start().starts_with(['{', '[']), ..Draft::default() };
        let mut rest = template;
        while let Some(dollar) = rest.find('$') {
            draft.text.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            rest = &rest[draft.take_variable(rest, resolve)..];
        }
        draft.text.push_str(rest);
        draft.end_text();
        (Self { pieces: draft.pieces.into() }, draft.unknown)
    }

    /// Appends the template with its variables replaced.
    pub fn write(&self, values: &impl Values, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Variable(expression) => {
                    let is_message = *expression == Expression::Context(ContextVariable::ErrorMessageString);
                    if expression.write(values, out) == Presence::Missing && is_message {
                        out.extend_from_slice(b"null");
                    }
                }
                Piece::Escaped(expression) => {
                    let start = out.len();
                    if expression.write(values, out) == Presence::Present {
                        escape_json_from(out, start);
                    }
                }
            }
        }
    }

    /// The text, if it is the same for every request.
    pub fn as_static(&self) -> Option<&str> {
        match &*self.pieces {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Draft {
    pieces: Vec<Piece>,
    text: String,
    unknown: Vec<UnknownContext>,
    is_json: bool,
}

impl Draft {
    /// Takes the variable at the beginning of `rest`, which begins with `$`, or the `$` alone as text. Returns how many
    /// bytes that was.
    fn take_variable(&mut self, rest: &str, resolve: &impl Resolve) -> usize {
        if let Some((variable, used)) = ContextVariable::scan(rest) {
            match variable {
                Ok(variable) => self.context(variable),
                Err(unknown) => self.unknown.push(unknown),
            }
            return used;
        }
        let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
        let name = end.map_or(rest, |end| &rest[..end + 1]).trim_end_matches('.');
        match Expression::parse(&name[1..], Side::GatewayResponse, resolve) {
            Ok(Expression::Literal(text)) => self.text.push_str(&text),
            Ok(Expression::Absent) => {}
            Ok(expression) => self.variable(expression),
            Err(_) => {
                self.text.push('$');
                return 1;
            }
        }
        name.len()
    }

    fn context(&mut self, variable: ContextVariable) {
        let is_escaped = variable == ContextVariable::ErrorValidationErrorString && self.is_json;
        self.end_text();
        let expression = Expression::Context(variable);
        self.pieces.push(if is_escaped { Piece::Escaped(expression) } else { Piece::Variable(expression) });
    }

    fn variable(&mut self, expression: Expression) {
        self.end_text();
        self.pieces.push(Piece::Variable(expression));
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text).into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::tests::{Request, Route};
    use super::*;

    fn rendered(template: &str) -> String {
        let (compiled, _) = Substitution::compile(template, &Route);
        let mut out = Vec::new();
        compiled.write(&Request, &mut out);
        String::from_utf8(out).expect("test values are text")
    }

    #[test]
    fn variables_are_replaced_and_all_else_is_text() {
        let rows = [
            (STANDARD_TEMPLATE, r#"{"message":"say \"no\""}"#),
            ("$context.error.message.", "say \"no\"."),
            ("<$context.stage.json$context.stage>", "<dev.jsondev>"),
            ("$stageVariables.host/$stageVariables.none!", "backend.example:8080/!"),
            ("$method.request.path.id $method.request.querystring.q", "42 last one!"),
            ("$method.request.header.Accept,$method.request.header.none;", "text/html,;"),
            ("$context.identity.user|$context.nope|", "||"),
            ("$5 $$ $ $input.body #set($x = 1) 'text'", "$5 $$ $ $input.body #set($x = 1) 'text'"),
            ("$'literal'", "$'literal'"),
            ("", ""),
            (r#"{"a": "$context.error.validationErrorString"}"#, r#"{"a": "[\"a\"]"}"#),
            (r#"["\"", "x $context.error.validationErrorString"]"#, r#"["\"", "x [\"a\"]"]"#),
            (r#"{"a": $context.error.validationErrorString}"#, r#"{"a": [\"a\"]}"#),
            (r#"said "$context.error.validationErrorString""#, r#"said "["a"]""#),
        ];
        for (template, expected) in rows {
            assert_eq!(rendered(template), expected, "{template}");
        }
    }

    #[test]
    fn what_does_not_vary_is_known_when_compiled() {
        let static_text = |template| Substitution::compile(template, &Route).0.as_static().map(str::to_owned);
        assert_eq!(static_text("no").as_deref(), Some("no"));
        assert_eq!(static_text("at $stageVariables.host$").as_deref(), Some("at backend.example:8080$"));
        assert_eq!(static_text("").as_deref(), Some(""));
        assert_eq!(static_text("$context.stage"), None);
    }

    #[test]
    fn unknown_context_names_are_reported() {
        let (_, unknown) = Substitution::compile("$context.nope $context.routeKey", &Route);
        assert_eq!(
            unknown,
            [UnknownContext::NoSuchName("nope".into()), UnknownContext::OtherKindOfApi("routeKey".into())]
        );
    }
}
