//! Regular expressions of Java, on an engine whose time is linear in the text.
//!
//! What Java writes differently is translated. Look-around, back-references and possessive repetition cannot be
//! expressed and are refused by name.

use std::sync::Arc;

use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;
use regex_automata::{Anchored, Input};

use super::limits;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// For a match of the whole text.
    whole: Regex,
}

impl Pattern {
    /// Compiles a pattern in Java's syntax.
    pub(super) fn new(java: &str) -> Result<Self, String> {
        let pattern = translate(java)?;
        let build = |pattern: &str| {
            let config = Regex::config()
                .nfa_size_limit(Some(limits::PATTERN_BYTES_MAX))
                .onepass_size_limit(Some(limits::PATTERN_BYTES_MAX))
                .hybrid_cache_capacity(limits::PATTERN_BYTES_MAX);
            let built = Regex::builder().configure(config).build(pattern);
            built.map_err(|error| format!("the pattern `{java}` cannot be used: {error}"))
        };
        Ok(Self { regex: build(&pattern)?, whole: build(&format!("^(?:{pattern})$"))? })
    }

    /// Java's `matches`: of the whole text.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.whole.is_match(Input::new(text).anchored(Anchored::Yes))
    }

    /// Java's `replaceAll` and `replaceFirst`.
    pub(super) fn replace(&self, text: &str, replacement: &str, most: usize, out: &mut String) -> Result<(), String> {
        let mut captures = self.regex.create_captures();
        let mut copied = 0;
        let mut at = 0;
        for _ in 0..most {
            if at > text.len() {
                break;
            }
            self.regex.search_captures(&Input::new(text).range(at..), &mut captures);
            let Some(found) = captures.get_match() else { break };
            out.push_str(&text[copied..found.start()]);
            expand(replacement, text, &captures, out)?;
            if out.len() > limits::VALUE_BYTES_MAX {
                return Err("the result is too long".to_owned());
            }
            copied = found.end();
            at = after(text, found.start(), found.end());
        }
        out.push_str(&text[copied..]);
        Ok(())
    }

    /// Java's `split(pattern, limit)`: the places of the parts.
    pub(super) fn split(&self, text: &str, limit: i32) -> Vec<(usize, usize)> {
        let mut parts = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at <= text.len() && (limit <= 0 || parts.len() + 1 < limit as usize) {
            let Some(found) = self.regex.search(&Input::new(text).range(at..)) else { break };
            at = after(text, found.start(), found.end());
            let is_empty_at_start = found.end() == 0;
            let is_empty_at_end = found.is_empty() && found.start() == text.len();
            if is_empty_at_start || is_empty_at_end {
                continue;
            }
            parts.push((start, found.start()));
            start = found.end();
        }
        parts.push((start, text.len()));
        if parts.len() == 1 {
            return parts;
        }
        while limit == 0 && parts.last().is_some_and(|(start, end)| start == end) {
            parts.pop();
        }
        parts
    }
}

/// Where to search on: an empty match must not be found again.
fn after(text: &str, start: usize, end: usize) -> usize {
    if start < end {
        return end;
    }
    end + text[end..].chars().next().map_or(1, char::len_utf8)
}

/// Writes a replacement, in which `$1` is a group and a backslash takes the next character as it is.
fn expand(replacement: &str, text: &str, captures: &Captures, out: &mut String) -> Result<(), String> {
    let mut characters = replacement.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.push(characters.next().ok_or("a backslash ends the replacement")?),
            '$' => {
                let mut digits = String::new();
                // Further digits belong to the number as long as there is such a group.
                while let Some(&digit) = characters.peek().filter(|digit| digit.is_ascii_digit()) {
                    let more = format!("{digits}{digit}");
                    let is_group = more.parse::<usize>().is_ok_and(|group| group < captures.group_len());
                    if !digits.is_empty() && !is_group {
                        break;
                    }
                    digits = more;
                    characters.next();
                }
                let group: usize = digits.parse().map_err(|_| "`$` in a replacement is not followed by a group")?;
                if group >= captures.group_len() {
                    return Err(format!("no group {group}"));
                }
                if let Some(span) = captures.get_group(group) {
                    out.push_str(&text[span.start..span.end]);
                }
            }
            other => out.push(other),
        }
    }
    Ok(())
}

/// Java's classes that the engine would read wider or does not know.
fn class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[a-zA-Z0-9_]",
        'W' => "[^a-zA-Z0-9_]",
        's' => "[ \\t\\n\\x0B\\f\\r]",
        'S' => "[^ \\t\\n\\x0B\\f\\r]",
        'h' => "[ \\t\\u{A0}\\u{1680}\\u{180e}\\u{2000}-\\u{200a}\\u{202f}\\u{205f}\\u{3000}]",
        'v' => "[\\n\\x0B\\f\\r\\u{85}\\u{2028}\\u{2029}]",
        'R' => "(?:\\r\\n|[\\n\\x0B\\f\\r\\u{85}\\u{2028}\\u{2029}])",
        _ => return None,
    })
}

/// Java's named classes of ASCII.
fn named_class(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => "\\x00-\\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => "!-/:-@\\[-`{-~",
        "Graph" => "!-~",
        "Print" => " -~",
        "Blank" => " \\t",
        "Cntrl" => "\\x00-\\x1F\\x7F",
        "XDigit" => "0-9a-fA-F",
        "Space" => " \\t\\n\\x0B\\f\\r",
        _ => return None,
    })
}

/// Java's syntax to the engine's.
fn translate(java: &str) -> Result<String, String> {
    let refusal = |what: &str| format!("the pattern `{java}` cannot be used: {what}");
    let mut out = String::with_capacity(java.len() + 16);
    let mut rest = java;
    let mut in_class = 0_usize;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => rest = escape(rest, in_class > 0, &mut out).map_err(|what| refusal(&what))?,
            '[' => {
                in_class += 1;
                out.push('[');
                // `[]` and `[^]` begin with a bracket that is a character.
                if let Some(after) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = after;
                }
            }
            ']' if in_class > 0 => {
                in_class -= 1;
                out.push(']');
            }
            '.' if in_class == 0 => out.push_str("[^\\n\\r\\u{85}\\u{2028}\\u{2029}]"),
            '(' if in_class == 0 && ["?=", "?!", "?<=", "?<!"].iter().any(|look| rest.starts_with(look)) => {
                return Err(refusal("look-around is not supported"));
            }
            '(' if in_class == 0 && rest.starts_with("?>") => return Err(refusal("atomic groups are not supported")),
            '*' | '+' | '?' | '}' if in_class == 0 && rest.starts_with('+') => {
                return Err(refusal("possessive repetition is not supported"));
            }
            '&' | '-' | '~' if in_class > 0 && !rest.starts_with(c) => out.push(c),
            '-' | '~' if in_class > 0 => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// What follows a backslash.
fn escape<'t>(rest: &'t str, in_class: bool, out: &mut String) -> Result<&'t str, String> {
    let Some(c) = rest.chars().next() else { return Err("it ends with a backslash".to_owned()) };
    let after = &rest[c.len_utf8()..];
    if let Some(known) = class(c) {
        out.push_str(known);
        return Ok(after);
    }
    match c {
        'Q' => {
            let end = after.find("\\E").unwrap_or(after.len());
            after[..end].chars().for_each(|c| literal(c, out));
            return Ok(after[end..].strip_prefix("\\E").unwrap_or(""));
        }
        'E' => {}
        'p' | 'P' => return property(after, c == 'P', out),
        '1'..='9' | 'k' if !in_class => return Err("back-references are not supported".to_owned()),
        'e' => out.push_str("\\x1B"),
        '0' => {
            let digits: String = after.chars().take_while(|digit| digit.is_digit(8)).take(3).collect();
            let code = u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32);
            literal(code.ok_or("`\\0` takes octal digits")?, out);
            return Ok(&after[digits.len()..]);
        }
        'Z' => out.push_str("\\z"),
        'G' => return Err("`\\G` is not supported".to_owned()),
        'u' => {
            let code = after.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
            literal(code.ok_or("`\\u` takes four hexadecimal digits")?, out);
            return Ok(&after[4..]);
        }
        letter if letter.is_ascii_alphabetic() => {
            out.push('\\');
            out.push(letter);
        }
        other => literal(other, out),
    }
    Ok(after)
}

/// `{Alpha}` after `\p`.
fn property<'t>(rest: &'t str, is_negated: bool, out: &mut String) -> Result<&'t str, String> {
    let sign = if is_negated { "P" } else { "p" };
    let Some(inside) = rest.strip_prefix('{') else {
        let letter = rest.chars().next().ok_or("`\\p` takes a class")?;
        out.push_str(&format!("\\{sign}{{{letter}}}"));
        return Ok(&rest[letter.len_utf8()..]);
    };
    let end = inside.find('}').ok_or("`\\p{` is not closed")?;
    let name = &inside[..end];
    match named_class(name) {
        Some(class) => out.push_str(&format!("[{}{class}]", if is_negated { "^" } else { "" })),
        None => {
            let name = name.strip_prefix("Is").or(name.strip_prefix("java")).unwrap_or(name);
            out.push_str(&format!("\\{sign}{{{name}}}"));
        }
    }
    Ok(&inside[end + 1..])
}

/// A character that stands for itself.
fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() && c != '<' && c != '>' {
        out.push('\\');
    }
    out.push(c);
}

/// A pattern, or why it cannot be used.
pub(super) type SharedPattern = Arc<Result<Pattern, String>>;

/// Patterns that templates made while they ran: the last few are kept.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    kept: Vec<(Box<str>, SharedPattern)>,
}

const PATTERNS_KEPT: usize = 16;

impl Patterns {
    pub(super) fn of(&mut self, java: &str) -> SharedPattern {
        if let Some(at) = self.kept.iter().position(|(known, _)| **known == *java) {
            let found = self.kept.remove(at);
            let pattern = Arc::clone(&found.1);
            self.kept.push(found);
            return pattern;
        }
        if self.kept.len() == PATTERNS_KEPT {
            self.kept.remove(0);
        }
        let pattern = Arc::new(Pattern::new(java));
        self.kept.push((java.into(), Arc::clone(&pattern)));
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_java() {
        let cases = [
            ("h.*o", "hello", true),
            ("ell", "hello", false),
            ("\\d+", "12", true),
            ("\\d+", "٣", false),
            ("\\w", "ż", false),
            (".", "\n", false),
            ("\\p{Alpha}+", "abc", true),
            ("[\\w.-]+", "a-b.c", true),
            ("[^\\s]+", "ab", true),
            ("\\Qa.b\\E", "a.b", true),
            ("\\Qa.b\\E", "axb", false),
            ("\\/\\\"\\'", "/\"'", true),
            ("[a-z&&[^b]]", "b", false),
            ("\\u0041", "A", true),
            ("a{2}", "aa", true),
        ];
        for (pattern, text, expected) in cases {
            let compiled = Pattern::new(pattern).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(compiled.matches(text), expected, "{pattern} {text}");
        }
        for refused in ["(", "(?=a)", "(a)\\1", "a*+", "(?>a)", "\\"] {
            assert!(Pattern::new(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn splitting_drops_empty_ends() {
        let split = |pattern: &str, text: &str, limit| {
            let parts = Pattern::new(pattern).unwrap().split(text, limit);
            parts.iter().map(|&(start, end)| text[start..end].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(split(",", "1,2,,3,,", 0), ["1", "2", "", "3"]);
        assert_eq!(split(",", "1,2,,3,,", -1), ["1", "2", "", "3", "", ""]);
        assert_eq!(split(",", "1,2,3", 2), ["1", "2,3"]);
        assert_eq!(split("", "abc", 0), ["a", "b", "c"]);
        assert_eq!(split(",", "", 0), [""]);
        assert_eq!(split(",", ",", 0), Vec::<String>::new());
    }

    #[test]
    fn replacements_name_groups() {
        let replace = |pattern: &str, text: &str, with: &str| {
            let mut out = String::new();
            Pattern::new(pattern).unwrap().replace(text, with, usize::MAX, &mut out).map(|()| out)
        };
        assert_eq!(replace("(e)(l)", "hello", "$2$1").as_deref(), Ok("hlelo"));
        assert_eq!(replace("\"", "\"", "\\\\\"").as_deref(), Ok("\\\""));
        assert_eq!(replace("", "ab", "-").as_deref(), Ok("-a-b-"));
        assert_eq!(replace("(a)", "a", "$12").as_deref(), Ok("a2"));
        assert!(replace("a", "a", "$1").is_err());
        assert!(replace("a", "a", "$").is_err());
    }
}
