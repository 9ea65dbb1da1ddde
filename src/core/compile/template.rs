//! Mapping templates that need no run of the template language: text, text with `$context` and stage variables, and
//! "pass the body".

use crate::mapping::context::UnknownContext;
use crate::mapping::{Resolve, Substitution};

/// What a template comes to at deploy time.
#[derive(Debug)]
pub enum Template {
    /// `$input.body` or `$input.json('$')`.
    Passthrough,
    /// Text and references that are read at run time, and those that name nothing.
    Text(Substitution, Vec<UnknownContext>),
    /// It needs the template language: what, and in which line and column of the template.
    Language(String),
}

/// Classifies a template.
pub fn classify(text: &str, resolve: &impl Resolve) -> Template {
    if is_passthrough(text.trim()) {
        return Template::Passthrough;
    }
    if let Some((offset, what)) = first_of_language(text) {
        let (line, column) = line_and_column(text, offset);
        return Template::Language(format!("{what} at {line}:{column} of the template"));
    }
    let (substitution, unknown) = Substitution::compile(text, resolve);
    Template::Text(substitution, unknown)
}

/// `$input.json('$')` passes JSON bodies as they are, which are the only ones it is written for.
fn is_passthrough(text: &str) -> bool {
    ["$input.body", "${input.body}", "$input.json('$')", "$input.json(\"$\")", "$!input.body"].contains(&text)
}

/// The first place that is neither text nor a plain `$context` or `$stageVariables` reference.
fn first_of_language(text: &str) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| matches!(byte, b'#' | b'$' | b'\\')) {
        let start = at + found;
        let rest = &text[start..];
        match bytes[start] {
            b'#' if is_directive(&rest[1..]) => return Some((start, format!("the directive `{}`", word(rest)))),
            b'$' if is_reference(&rest[1..]) && !is_plain(rest) => {
                return Some((start, format!("the reference `{}`", word(rest))));
            }
            // Velocity's escape before a reference or directive.
            b'\\' if rest[1..].starts_with(['$', '#']) => return Some((start, "an escape".to_owned())),
            _ => {}
        }
        at = start + 1;
    }
    None
}

/// Velocity's directives begin with a letter, `{`, `@`; `##`, `#*` and `#[[` are comments and literals. `#333` is text.
fn is_directive(rest: &str) -> bool {
    rest.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '{' | '@' | '#' | '*' | '['))
}

fn is_reference(rest: &str) -> bool {
    let rest = rest.strip_prefix('!').unwrap_or(rest);
    rest.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '{'))
}

/// `$context.a.b` or `$stageVariables.a`, without braces, a call, an index or an override.
fn is_plain(rest: &str) -> bool {
    let inside = &rest[1..];
    let is_known = inside.starts_with("context.") || inside.starts_with("stageVariables.");
    let end =
        inside.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))).unwrap_or(inside.len());
    let has_more = inside[end..].starts_with(['(', '[']);
    is_known && !has_more && !inside[..end].contains("Override")
}

fn word(rest: &str) -> &str {
    let end = rest.char_indices().skip(1).find(|(_, c)| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '{' | '!')));
    rest[..end.map_or(rest.len(), |(index, _)| index)].trim_end_matches('.')
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
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
    fn what_needs_no_language_is_recognised() {
        let text = ["{}", "color: #333;", "a $5 bill", "at $context.stage/pets", "$stageVariables.x", "100%", "$", "#"];
        for template in text {
            assert!(matches!(classify(template, &Nothing), Template::Text(..)), "{template}");
        }
        for template in ["$input.body", " $input.json('$')\n"] {
            assert!(matches!(classify(template, &Nothing), Template::Passthrough), "{template}");
        }
    }

    #[test]
    fn what_needs_the_language_is_named_with_its_place() {
        let cases = [
            ("{\n  #set($a = 1)}", "the directive `#set` at 2:3"),
            ("{\"a\": $input.json('$.a')}", "the reference `$input.json` at 1:7"),
            ("$util.escapeJavaScript($input.body)", "the reference `$util.escapeJavaScript` at 1:1"),
            ("$context.responseOverride.status", "the reference `$context.responseOverride.status` at 1:1"),
            ("## a comment", "the directive `#"),
            ("$x", "the reference `$x` at 1:1"),
            ("\\$x", "an escape at 1:1"),
        ];
        for (template, expected) in cases {
            match classify(template, &Nothing) {
                Template::Language(why) => assert!(why.starts_with(expected), "{template}: {why}"),
                other => panic!("{template}: {other:?}"),
            }
        }
    }
}
