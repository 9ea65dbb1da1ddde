//! Selection patterns: Java regular expressions tested against a status, run once at deploy time for every status there
//! can be, so that no engine runs for a request.

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

/// A pattern over status texts.
#[derive(Debug)]
pub struct StatusPattern(Regex);

/// Memory of one compiled pattern, at most.
const SIZE_BYTES_MAX: usize = 1 << 20;

impl StatusPattern {
    /// Compiles a pattern. The whole text must match it, as with Java's `matches` (rest-integrations §5).
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let config = Regex::config().nfa_size_limit(Some(SIZE_BYTES_MAX)).onepass_size_limit(Some(SIZE_BYTES_MAX));
        let whole = format!("^(?:{pattern})$");
        let error = match Regex::builder().configure(config).build(&whole) {
            Ok(regex) => return Ok(Self(regex)),
            Err(error) => error.to_string(),
        };
        let is_java_only = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "*+", "++", "?+", "\\1", "\\2", "\\k<"];
        if is_java_only.iter().any(|construct| pattern.contains(construct)) {
            return Err(PatternError::Unsupported(error));
        }
        Err(PatternError::Invalid(error))
    }

    /// Whether a status matches.
    pub fn matches(&self, status: &str) -> bool {
        self.0.is_match(Input::new(status).anchored(Anchored::Yes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_status_must_match() {
        let cases = [
            ("2\\d{2}", "200", true),
            ("2\\d{2}", "404", false),
            ("4", "404", false),
            ("404|500", "500", true),
            ("", "200", false),
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
