//! Integration responses: which one answers, and what it makes of the back end's answer.

use crate::mapping::Expression;

use super::content::Handling;
use super::{BodyTemplate, ByMediaType};

/// The integration responses of a method, chosen by a table instead of by patterns: a back end's status is the only
/// thing a pattern of an HTTP or MOCK integration is tested against, and there are 500 of them.
#[derive(Debug)]
pub struct Responses {
    /// For status 100 to 599 the index into `plans`, [`NONE`] where nothing matches.
    by_status: Box<[u8]>,
    /// Other numbers that the templates of a MOCK give, as far as they are known, and their index.
    others: Box<[(i64, u8)]>,
    /// The index for every number besides: a MOCK may give any.
    otherwise: u8,
    plans: Box<[ResponsePlan]>,
}

const NONE: u8 = u8::MAX;
const STATUS_FIRST: i64 = 100;
const STATUS_COUNT: i64 = 500;

impl Default for Responses {
    fn default() -> Self {
        Self { by_status: Box::default(), others: Box::default(), otherwise: NONE, plans: Box::default() }
    }
}

impl Responses {
    /// Most integration responses of one method: one per status code that AWS allows would be 500; a table of bytes
    /// has room for fewer, and nobody has more.
    pub const COUNT_MAX: usize = NONE as usize;

    /// Freezes the choice. `matches(index, status)` says whether a plan's pattern matches a status; the first that does
    /// wins, else `default`. `others` are numbers outside 100 to 599 to choose for as well.
    pub fn new(
        plans: Vec<ResponsePlan>,
        default: Option<usize>,
        others: &[i64],
        mut matches: impl FnMut(usize, i64) -> bool,
    ) -> Self {
        debug_assert!(plans.len() <= Self::COUNT_MAX, "compile refuses more");
        let index = |chosen: Option<usize>| chosen.and_then(|index| u8::try_from(index).ok()).unwrap_or(NONE);
        let mut choose = |status: i64| index((0..plans.len()).find(|&index| matches(index, status)).or(default));
        let by_status = (STATUS_FIRST..STATUS_FIRST + STATUS_COUNT).map(&mut choose).collect();
        let others = others.iter().map(|&status| (status, choose(status))).collect();
        Self { by_status, others, otherwise: index(default), plans: plans.into_boxed_slice() }
    }

    /// The response for a back end's status, or for a MOCK's number; `None`: nothing matches and there is no default.
    /// Outside 100 to 599 patterns are tried only for numbers that were known when this was made.
    pub fn for_status(&self, status: i64) -> Option<&ResponsePlan> {
        let at = status.checked_sub(STATUS_FIRST).and_then(|at| usize::try_from(at).ok());
        let known = at.and_then(|at| self.by_status.get(at)).copied();
        let other = || self.others.iter().find(|(number, _)| *number == status).map(|&(_, index)| index);
        self.plans.get(usize::from(known.or_else(other).unwrap_or(self.otherwise)))
    }
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
    /// It replaces the content type.
    pub is_content_type: bool,
    /// What fills it.
    pub value: Expression,
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_first_match_wins_then_the_default_then_nothing() {
        let starts = ["2", "20"];
        let matches =
            |index: usize, status: i64| starts.get(index).is_some_and(|start| status.to_string().starts_with(start));
        let with_default = Responses::new(vec![plan(1), plan(2), plan(3)], Some(2), &[2000], matches);
        assert_eq!(with_default.for_status(204).map(|plan| plan.status), Some(1));
        for status in [404, 0, 99, 600, 999] {
            assert_eq!(with_default.for_status(status).map(|plan| plan.status), Some(3), "{status}");
        }
        assert_eq!(with_default.for_status(2000).map(|plan| plan.status), Some(1), "known when it was made");
        let without = Responses::new(vec![plan(1)], None, &[], matches);
        assert!(without.for_status(404).is_none());
        assert!(without.for_status(99).is_none() && without.for_status(600).is_none());
    }
}
