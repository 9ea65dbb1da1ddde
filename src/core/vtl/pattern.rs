//! Java's regular expressions in the methods of `String`: what they make of matches, and the patterns of a run.

use std::sync::Arc;

use super::limits;
use crate::base::pattern::{Budget, Extent, Matches, OverBudget, Pattern};

/// A pattern, or why it cannot be used.
pub(super) type SharedPattern = Arc<Result<Pattern, String>>;

/// Compiles a pattern.
pub(super) fn compile(java: &str, extent: Extent) -> SharedPattern {
    let compiled = Pattern::compile(java, extent);
    Arc::new(compiled.map_err(|error| format!("the pattern `{java}` cannot be used: {error}")))
}

fn too_much(_: OverBudget) -> String {
    "the text is too long for the pattern, or patterns take too long in this run".to_owned()
}

/// Java's `matches`, of the whole text.
pub(super) fn matches(pattern: &Pattern, text: &str, budget: &mut Budget) -> Result<bool, String> {
    pattern.is_match_within(text, budget).map_err(too_much)
}

/// Java's `replaceAll` and `replaceFirst`.
pub(super) fn replace(
    pattern: &Pattern,
    text: &str,
    replacement: &str,
    most: usize,
    budget: &mut Budget,
    out: &mut String,
) -> Result<(), String> {
    let mut matches = pattern.matches(text);
    let mut copied = 0;
    for _ in 0..most {
        let Some((start, end)) = matches.find(budget).map_err(too_much)? else { break };
        out.push_str(&text[copied..start]);
        expand(replacement, text, pattern.groups(), &matches, out)?;
        if out.len() > limits::VALUE_BYTES_MAX {
            return Err("the result is too long".to_owned());
        }
        copied = end;
    }
    out.push_str(&text[copied..]);
    Ok(())
}

/// Java's `split(pattern, limit)`: the places of the parts.
pub(super) fn split(
    pattern: &Pattern,
    text: &str,
    limit: i32,
    budget: &mut Budget,
) -> Result<Vec<(usize, usize)>, String> {
    let mut matches = pattern.matches(text);
    let mut parts = Vec::new();
    let mut copied = 0;
    while limit <= 0 || parts.len() + 1 < limit as usize {
        let Some((start, end)) = matches.find(budget).map_err(too_much)? else { break };
        let is_empty_at_start = end == 0;
        let is_empty_at_end = start == end && start == text.len();
        if is_empty_at_start || is_empty_at_end {
            continue;
        }
        parts.push((copied, start));
        copied = end;
    }
    parts.push((copied, text.len()));
    if parts.len() == 1 {
        return Ok(parts);
    }
    while limit == 0 && parts.last().is_some_and(|(start, end)| start == end) {
        parts.pop();
    }
    Ok(parts)
}

/// Writes a replacement, in which `$1` is a group and a backslash takes the next character as it is.
fn expand(
    replacement: &str,
    text: &str,
    groups: usize,
    matches: &Matches<'_, '_>,
    out: &mut String,
) -> Result<(), String> {
    let mut characters = replacement.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.push(characters.next().ok_or("a backslash ends the replacement")?),
            '$' => {
                let mut digits = String::new();
                // Further digits belong to the number as long as there is such a group.
                while let Some(&digit) = characters.peek().filter(|digit| digit.is_ascii_digit()) {
                    let more = format!("{digits}{digit}");
                    let is_group = more.parse::<usize>().is_ok_and(|group| group < groups);
                    if !digits.is_empty() && !is_group {
                        break;
                    }
                    digits = more;
                    characters.next();
                }
                let group: usize = digits.parse().map_err(|_| "`$` in a replacement is not followed by a group")?;
                if group >= groups {
                    return Err(format!("no group {group}"));
                }
                if let Some((start, end)) = matches.group(group) {
                    out.push_str(&text[start..end]);
                }
            }
            other => out.push(other),
        }
    }
    Ok(())
}

/// Patterns that templates made while they ran, of which the last few are kept, and the work that all patterns of a run
/// may still do.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    kept: Vec<(Box<str>, Extent, SharedPattern)>,
    pub(super) budget: Budget,
}

const PATTERNS_KEPT: usize = 16;

impl Patterns {
    pub(super) fn reset(&mut self) {
        self.budget = Budget::default();
    }

    /// A pattern that is known only now.
    pub(super) fn of(&mut self, java: &str, extent: Extent) -> Result<SharedPattern, String> {
        if let Some(at) = self.kept.iter().position(|(known, of, _)| **known == *java && *of == extent) {
            let found = self.kept.remove(at);
            let pattern = Arc::clone(&found.2);
            self.kept.push(found);
            return Ok(pattern);
        }
        self.budget.compile().map_err(too_much)?;
        if self.kept.len() == PATTERNS_KEPT {
            self.kept.remove(0);
        }
        let pattern = compile(java, extent);
        self.kept.push((java.into(), extent, Arc::clone(&pattern)));
        Ok(pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(java: &str) -> Pattern {
        Pattern::compile(java, Extent::Part).unwrap_or_else(|error| panic!("{java}: {error}"))
    }

    #[test]
    fn splitting_drops_empty_ends() {
        let split = |pattern: &str, text: &str, limit| {
            let parts = split(&part(pattern), text, limit, &mut Budget::default()).expect("it is short");
            parts.iter().map(|&(start, end)| text[start..end].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(split(",", "1,2,,3,,", 0), ["1", "2", "", "3"]);
        assert_eq!(split(",", "1,2,,3,,", -1), ["1", "2", "", "3", "", ""]);
        assert_eq!(split(",", "1,2,3", 2), ["1", "2,3"]);
        assert_eq!(split("", "abc", 0), ["a", "b", "c"]);
        assert_eq!(split(",", "", 0), [""]);
        assert_eq!(split(",", ",", 0), Vec::<String>::new());
        assert_eq!(split("(?<=,)", "a,b", 0), ["a,", "b"]);
    }

    #[test]
    fn replacements_name_groups() {
        let replace = |pattern: &str, text: &str, with: &str| {
            let mut out = String::new();
            replace(&part(pattern), text, with, usize::MAX, &mut Budget::default(), &mut out).map(|()| out)
        };
        assert_eq!(replace("(e)(l)", "hello", "$2$1").as_deref(), Ok("hlelo"));
        assert_eq!(replace("\"", "\"", "\\\\\"").as_deref(), Ok("\\\""));
        assert_eq!(replace("", "ab", "-").as_deref(), Ok("-a-b-"));
        assert_eq!(replace("(a)", "a", "$12").as_deref(), Ok("a2"));
        assert_eq!(replace(r"(?<=\d)(?=(?:\d{3})+$)", "1234567", ",").as_deref(), Ok("1,234,567"));
        assert_eq!(replace(r"(\w)\1", "aabc", "<$1>").as_deref(), Ok("<a>bc"));
        assert!(replace("a", "a", "$1").is_err());
        assert!(replace("a", "a", "$").is_err());
    }

    #[test]
    fn patterns_of_a_run_are_kept_and_their_number_is_bounded() {
        let mut patterns = Patterns::default();
        let first = patterns.of("a", Extent::Whole).expect("there is room");
        assert!(Arc::ptr_eq(&first, &patterns.of("a", Extent::Whole).expect("it is known")));
        assert!(!Arc::ptr_eq(&first, &patterns.of("a", Extent::Part).expect("another one")));
        assert!(patterns.of("(", Extent::Part).expect("it is known to be wrong").is_err());
        assert!((0..1_000).any(|index| patterns.of(&format!("a{index}"), Extent::Part).is_err()));
        assert_eq!(patterns.kept.len(), PATTERNS_KEPT);
        patterns.reset();
        assert!(patterns.of("b", Extent::Part).is_ok());
    }
}
