//! Selection patterns: Java regular expressions tested against a status, run once at deploy time for every status there
//! can be, so that no engine runs for a request. The same few patterns stand at every method of an API: each is run once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// Look-around, back-references or possessive repetition: the linear engine cannot express them.
    Unsupported(String),
    /// It does not parse.
    Invalid(String),
}

/// A pattern over status texts, and what it says of those that a back end can give.
#[derive(Debug)]
pub struct StatusPattern {
    regex: Regex,
    matched: Box<[bool]>,
}

/// Statuses whose answer is known beforehand.
const STATUSES: std::ops::Range<i64> = 100..600;

/// Memory of one compiled pattern, at most.
const SIZE_BYTES_MAX: usize = 1 << 20;

impl StatusPattern {
    /// Compiles a pattern. The whole text must match it, as with Java's `matches` (rest-integrations §5).
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let config = Regex::config().nfa_size_limit(Some(SIZE_BYTES_MAX)).onepass_size_limit(Some(SIZE_BYTES_MAX));
        let whole = format!("^(?:{pattern})$");
        let error = match Regex::builder().configure(config).build(&whole) {
            Ok(regex) => {
                let matched = STATUSES.map(|status| is_match(&regex, status)).collect();
                return Ok(Self { regex, matched });
            }
            Err(error) => error.to_string(),
        };
        let is_java_only = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "*+", "++", "?+", "\\1", "\\2", "\\k<"];
        if is_java_only.iter().any(|construct| pattern.contains(construct)) {
            return Err(PatternError::Unsupported(error));
        }
        Err(PatternError::Invalid(error))
    }

    /// Whether a status matches. A MOCK may give any number.
    pub fn matches(&self, status: i64) -> bool {
        let at = status.checked_sub(STATUSES.start).and_then(|at| usize::try_from(at).ok());
        let known = at.and_then(|at| self.matched.get(at)).copied();
        known.unwrap_or_else(|| is_match(&self.regex, status))
    }
}

fn is_match(regex: &Regex, status: i64) -> bool {
    regex.is_match(Input::new(itoa::Buffer::new().format(status)).anchored(Anchored::Yes))
}

/// The patterns of an API, each compiled when the first method asks for it.
#[derive(Debug, Default)]
pub(super) struct Patterns(RefCell<HashMap<String, Compiled>>);

type Compiled = Result<Rc<StatusPattern>, PatternError>;

impl Patterns {
    /// The pattern of a text.
    pub(super) fn pattern(&self, text: &str) -> Compiled {
        if let Some(known) = self.0.borrow().get(text) {
            return known.clone();
        }
        let compiled = StatusPattern::new(text).map(Rc::new);
        self.0.borrow_mut().insert(text.to_owned(), compiled.clone());
        compiled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_status_must_match() {
        let cases = [
            ("2\\d{2}", 200, true),
            ("2\\d{2}", 404, false),
            ("4", 404, false),
            ("404|500", 500, true),
            ("2\\d{3}", 2000, true),
            ("-.*", -1, true),
            ("-.*", i64::MIN, true),
            ("", 200, false),
        ];
        for (pattern, status, expected) in cases {
            assert_eq!(StatusPattern::new(pattern).unwrap().matches(status), expected, "{pattern} {status}");
        }
    }

    #[test]
    fn what_only_java_knows_is_told_from_what_is_broken() {
        assert!(matches!(StatusPattern::new("(?!200).*"), Err(PatternError::Unsupported(_))));
        assert!(matches!(StatusPattern::new("(4"), Err(PatternError::Invalid(_))));
    }
}
