//! Integration responses: which one answers, and what it makes of the back end's answer.

use std::sync::Arc;

use crate::base::pattern::Pattern;
use crate::mapping::Expression;

use crate::proto::http::KnownField;

use super::content::Handling;
use super::{BodyTemplate, ByMediaType};

/// The integration responses of a method.
#[derive(Debug, Default)]
pub struct Responses {
    /// `None`: no response answers anything.
    choice: Option<Arc<Choice>>,
    plans: Box<[ResponsePlan]>,
}

/// Which response answers. A back end's status is what the patterns of an HTTP or MOCK integration are tested against,
/// and there are 500 of them: for those the choice is a table. Methods with the same patterns share it.
#[derive(Debug)]
pub struct Choice {
    /// For status 100 to 599 the index of the response, [`NONE`] where nothing matches.
    by_status: [u8; STATUS_COUNT],
    /// The patterns, for the other numbers that a MOCK may give.
    patterns: Box<[Option<Pattern>]>,
    /// The index of the response for what no pattern matches.
    default: u8,
}

const NONE: u8 = u8::MAX;
const STATUS_FIRST: i64 = 100;
const STATUS_COUNT: usize = 500;

impl Choice {
    /// Freezes the choice: of `patterns`, one for each response that has one, the first that matches wins, else
    /// `default`.
    pub fn new(default: Option<usize>, patterns: Vec<Option<Pattern>>) -> Self {
        let default = default.and_then(|index| u8::try_from(index).ok()).unwrap_or(NONE);
        let mut by_status = [NONE; STATUS_COUNT];
        for (status, index) in (STATUS_FIRST..).zip(&mut by_status) {
            *index = choose(&patterns, default, status);
        }
        Self { by_status, patterns: patterns.into(), default }
    }

    fn of(&self, status: i64) -> u8 {
        let at = status.checked_sub(STATUS_FIRST).and_then(|at| usize::try_from(at).ok());
        let known = at.and_then(|at| self.by_status.get(at)).copied();
        known.unwrap_or_else(|| choose(&self.patterns, self.default, status))
    }
}

impl Responses {
    /// Most integration responses of one method: one per status code that AWS allows would be 500; a table of bytes
    /// has room for fewer, and nobody has more.
    pub const COUNT_MAX: usize = NONE as usize;

    /// The responses of which `choice` gives the indices.
    pub fn new(plans: Vec<ResponsePlan>, choice: Arc<Choice>) -> Self {
        debug_assert!(plans.len() <= Self::COUNT_MAX, "compile refuses more");
        Self { choice: Some(choice), plans: plans.into() }
    }

    /// The response for a back end's status, or for a MOCK's number; `None`: nothing matches and there is no default.
    pub fn for_status(&self, status: i64) -> Option<&ResponsePlan> {
        self.plans.get(usize::from(self.choice.as_ref()?.of(status)))
    }
}

/// A pattern that tries too many ways matches nothing.
fn choose(patterns: &[Option<Pattern>], default: u8, status: i64) -> u8 {
    let mut text = itoa::Buffer::new();
    let text = text.format(status);
    let matches = |pattern: &Option<Pattern>| pattern.as_ref().is_some_and(|p| p.is_match(text).unwrap_or(false));
    patterns.iter().position(matches).and_then(|index| u8::try_from(index).ok()).unwrap_or(default)
}

/// One integration response.
#[derive(Debug)]
pub struct ResponsePlan {
    /// Status sent to the client.
    pub status: u16,
    /// The method declares no response of this status: 500.
    pub is_undeclared: bool,
    /// Mapped headers.
    pub headers: Box<[ResponseHeader]>,
    /// A mapping reads the answer's body.
    pub reads_answer: bool,
    /// `contentHandling`; `None`: whatever the body, it stays as it is.
    pub content: Option<Handling>,
    /// Body by the client's `Accept`; empty: the back end's body as it is (MOCK: none).
    pub bodies: ByMediaType<BodyTemplate>,
}

/// A header of the response that a mapping fills.
#[derive(Debug)]
pub struct ResponseHeader {
    /// Its name as the client sees it: remapped where AWS remaps.
    pub name: Box<[u8]>,
    /// Which one it is, if it is one that we write where no mapping does.
    pub known: KnownField,
    /// What fills it.
    pub value: Expression,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::pattern::Extent;

    fn plan(status: u16) -> ResponsePlan {
        ResponsePlan {
            status,
            is_undeclared: false,
            headers: Box::default(),
            reads_answer: false,
            content: None,
            bodies: ByMediaType::default(),
        }
    }

    fn responses(patterns: &[&str], default: Option<usize>) -> Responses {
        let compiled = |pattern: &&str| {
            (!pattern.is_empty()).then(|| Pattern::compile(pattern, Extent::Whole).expect("a pattern"))
        };
        let plans = (0..patterns.len() as u16).map(plan).collect();
        let choice = Choice::new(default, patterns.iter().map(compiled).collect());
        Responses::new(plans, Arc::new(choice))
    }

    #[test]
    fn the_first_match_wins_then_the_default_then_nothing() {
        let with_default = responses(&["2.*", "20.*|4", ""], Some(2));
        let rows = [(204, 0), (404, 2), (4, 1), (0, 2), (99, 2), (600, 2), (2000, 0), (-2, 2)];
        for (status, expected) in rows {
            assert_eq!(with_default.for_status(status).map(|plan| plan.status), Some(expected), "{status}");
        }
        let without = responses(&["2.*"], None);
        for status in [404, 99, 600, -1] {
            assert!(without.for_status(status).is_none(), "{status}");
        }
    }

    #[test]
    fn the_whole_status_must_match_in_javas_dialect() {
        let cases = [
            (r"2\d{2}", 200, true),
            (r"2\d{2}", 404, false),
            ("4", 404, false),
            ("404|500", 500, true),
            (r"(?!200)\d{3}", 404, true),
            (r"(?!200)\d{3}", 200, false),
            (r"(?:4(?!04)|5)\d++", 404, false),
            (r"(?:4(?!04)|5)\d++", 403, true),
            (r"(\d)\1{2}", 555, true),
            (r"[45&&[^4]]\d\d", 503, true),
        ];
        for (pattern, status, expected) in cases {
            assert_eq!(responses(&[pattern], None).for_status(status).is_some(), expected, "{pattern} {status}");
        }
    }
}
