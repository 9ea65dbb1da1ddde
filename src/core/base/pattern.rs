//! Patterns that users write: regular expressions in Java's dialect, over text from the network.
//!
//! What the linear-time engine can express runs there. Look-around, back-references, atomic groups and possessive
//! repetition run in a backtracking engine that has a budget; [`Pattern::backtracks`] tells, so that `check` can name
//! them. Neither engine is ever unbounded: beyond its bound a pattern gives [`OverBudget`] and no answer.

mod dialect;
mod search;

use regex_automata::hybrid::dfa::DFA;
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::NFA;

pub use dialect::{Translation, translate};
pub use search::{Budget, Matches};

/// Longest pattern in bytes.
pub const PATTERN_BYTES_MAX: usize = 32 * 1024;
/// Memory of one compiled pattern, at most.
const PROGRAM_BYTES_MAX: usize = 1 << 20;
/// States of the automaton times bytes of text that the linear engine may visit for one answer: under a second in its
/// slowest form. A pattern of ten states, say of base64, may read 26 MB.
const LINEAR_WORK_MAX: u64 = 1 << 28;
/// Steps back that the other engine may take for one answer.
const BACKTRACKS_MAX: usize = 10_000;
/// Longest text for the backtracking engine: each of its steps may read all of it.
const BACKTRACKING_TEXT_BYTES_MAX: usize = 16 * 1024;

/// What of the text has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it, as Java's `matches`.
    Whole,
    /// Some part of it, as Java's `find`.
    Part,
}

/// Why a pattern cannot be used, in the engine's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(pub String);

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternError {}

/// The text is too long for the pattern, or the pattern tried too many ways: no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverBudget;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: Box<str>,
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Linear {
        regex: Regex,
        /// Longest text for [`LINEAR_WORK_MAX`].
        text_bytes_max: usize,
        /// States of the automaton.
        states: u64,
        /// Counts what a search reads, where an automaton can.
        counter: Option<Box<DFA>>,
    },
    Backtracking(Box<fancy_regex::Regex>),
}

impl Pattern {
    /// Compiles a pattern in Java's dialect.
    pub fn compile(pattern: &str, extent: Extent) -> Result<Self, PatternError> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(PatternError(format!("a pattern has at most {PATTERN_BYTES_MAX} bytes")));
        }
        let translation = translate(pattern)?;
        let text = match extent {
            Extent::Whole => format!(r"\A(?:{})\z", translation.text),
            Extent::Part => translation.text,
        };
        let engine = match translation.needs_backtracking {
            true => backtracking(&text)?,
            false => linear(&text)?,
        };
        Ok(Self { source: pattern.into(), engine })
    }

    /// Whether a text matches.
    pub fn is_match(&self, text: &str) -> Result<bool, OverBudget> {
        match &self.engine {
            Engine::Linear { regex, text_bytes_max, .. } if text.len() <= *text_bytes_max => Ok(regex.is_match(text)),
            Engine::Backtracking(regex) if text.len() <= BACKTRACKING_TEXT_BYTES_MAX => {
                regex.is_match(text).map_err(|_| OverBudget)
            }
            Engine::Linear { .. } | Engine::Backtracking(_) => Err(OverBudget),
        }
    }

    /// Whether it runs in the engine that goes back and tries again.
    pub fn backtracks(&self) -> bool {
        matches!(self.engine, Engine::Backtracking(_))
    }

    /// The pattern as the user wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }
}

fn linear(pattern: &str) -> Result<Engine, PatternError> {
    let nfa_config = NFA::config().nfa_size_limit(Some(PROGRAM_BYTES_MAX));
    let nfa = NFA::compiler().configure(nfa_config).build(pattern).map_err(|e| PatternError(deepest(&e)))?;
    let config = Regex::config().nfa_size_limit(Some(PROGRAM_BYTES_MAX)).onepass_size_limit(Some(PROGRAM_BYTES_MAX));
    let regex = Regex::builder().configure(config).build(pattern).map_err(|e| PatternError(deepest(&e)))?;
    let states = (nfa.states().len() as u64).max(1);
    let config = DFA::config().unicode_word_boundary(true).cache_capacity(PROGRAM_BYTES_MAX);
    let counter = DFA::builder().configure(config).build_from_nfa(nfa).ok().map(Box::new);
    let text_bytes_max = usize::try_from(LINEAR_WORK_MAX / states).unwrap_or(usize::MAX);
    Ok(Engine::Linear { regex, text_bytes_max, states, counter })
}

fn backtracking(pattern: &str) -> Result<Engine, PatternError> {
    let regex = fancy_regex::RegexBuilder::new(pattern)
        .backtrack_limit(BACKTRACKS_MAX)
        .delegate_size_limit(PROGRAM_BYTES_MAX)
        .delegate_dfa_size_limit(PROGRAM_BYTES_MAX)
        .build()
        .map_err(|e| PatternError(deepest(&e)))?;
    Ok(Engine::Backtracking(Box::new(regex)))
}

/// The innermost cause, which is the one that names the construct, on one line.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    text.lines().last().unwrap_or(&text).trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern, Extent::Whole).expect(pattern).is_match(text).expect("within bounds")
    }

    #[test]
    fn patterns_mean_what_they_mean_in_java() {
        let rows = [
            (r"\d+", "123", true),
            // Digits, words and blanks are ASCII unless a flag says otherwise.
            (r"\d+", "١٢٣", false),
            (r"\w+", "naïve", false),
            (r"[\w.-]+@[\w-]+\.[a-z]{2,}", "a.b@c-d.org", true),
            (r"[^\d\s]*", "abc", true),
            (r"[^\d\s]*", "ab c", false),
            (r"\S\D\W", "a-!", true),
            (r"4\d{2}|5\d{2}", "503", true),
            (r"4\d{2}|5\d{2}", "5030", false),
            // A dot is every character but the ends of lines.
            (".*", "a\u{2028}b", false),
            ("(?s).*", "a\u{2028}b", true),
            (r"\Qa.b\E+", "a.bbb", true),
            (r"\Qa.b\E+", "axbbb", false),
            (r"\u0041\x42\x{43}\0104\t", "ABCD\t", true),
            (r"\p{Alpha}\p{Lu}\p{IsAlphabetic}\P{Digit}", "aÉé-", true),
            (r"[\p{Upper}&&[^X]]+", "ABC", true),
            (r"[\p{Upper}&&[^X]]+", "AXC", false),
            (r"[a-z&&[^aeiou]]+", "xyz", true),
            (r"\<a\>", "<a>", true),
            (r"\é\-\/\ ", "é-/ ", true),
            (r"(?i)error.*", "ERROR: x", true),
            (r"(?<year>\d{4})-(?:0[1-9]|1[0-2])", "2026-11", true),
            (r"\h\R", " \r\n", true),
            ("[a~~b--]+", "a~b-", true),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(whole(pattern, text), expected, "{pattern} on {text:?}");
            assert!(!Pattern::compile(pattern, Extent::Part).expect(pattern).backtracks(), "{pattern}");
        }
    }

    #[test]
    fn what_the_linear_engine_cannot_express_runs_with_a_budget() {
        let rows = [
            (r"(?!200)\d{3}", "404", true),
            (r"(?!200)\d{3}", "200", false),
            (r"(?=.*\d)(?=.*[a-z]).{8,}", "password1", true),
            (r"(\w)\1", "aa", true),
            (r"(\w)\1", "ab", false),
            (r"(?<q>['x]).*\k<q>", "'abc'", true),
            (r"a*+a", "aaa", false),
            (r"(?>a|ab)c", "abc", false),
            (r"(?<=a)b|ab", "ab", true),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(whole(pattern, text), expected, "{pattern} on {text:?}");
            assert!(Pattern::compile(pattern, Extent::Whole).expect(pattern).backtracks(), "{pattern}");
        }
    }

    #[test]
    fn a_catastrophic_pattern_gives_no_answer_instead_of_none_for_a_year() {
        let pattern = Pattern::compile(r"(?:(a|b|ab)\1?)*c", Extent::Whole).expect("a pattern");
        assert_eq!(pattern.is_match(&"ab".repeat(2_000)), Err(OverBudget));
        assert_eq!(pattern.is_match(&"a".repeat(BACKTRACKING_TEXT_BYTES_MAX + 1)), Err(OverBudget));
        let linear = Pattern::compile("(?:a+)+b", Extent::Whole).expect("a pattern");
        assert_eq!(linear.is_match(&"a".repeat(100_000)), Ok(false));
        let wide = Pattern::compile("(?:[ab]{1,900}c){1,9}", Extent::Whole).expect("a pattern");
        assert_eq!(wide.is_match(&"ab".repeat(100_000)), Err(OverBudget));
    }

    #[test]
    fn what_is_broken_or_unknown_is_refused() {
        let long = "x".repeat(PATTERN_BYTES_MAX + 1);
        for pattern in ["(4", "a{2,1}", "[z-a]", "*", r"\", r"\p{Nope}", r"\G", r"\y", &long, "(?:x{999}){999}"] {
            assert!(Pattern::compile(pattern, Extent::Whole).is_err(), "{pattern}");
        }
    }
}
