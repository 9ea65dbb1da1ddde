//! Searching a text for one match after another, within a budget.
//!
//! One search is bounded by the pattern; many of them are not, because each may read far behind its match: `a.*b|a` over
//! a text of `a`s takes time that is quadratic. So what each search reads is counted and paid for.

use regex_automata::Input;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::captures::Captures;

use super::{BACKTRACKING_TEXT_BYTES_MAX, Engine, LINEAR_WORK_MAX, OverBudget, Pattern};

/// Texts up to this length are paid for as if each search read all that is left: counting would cost more.
const COUNTED_BYTES_MIN: usize = 1_024;
/// What a search by going back pays for each byte that is left: it may read all of them many times over.
const BACKTRACKING_WORK_PER_BYTE: u64 = 256;
/// What compiling a pattern pays.
const COMPILING_WORK: u64 = 1 << 20;

/// The work that patterns may still do, in states of an automaton times bytes of text.
#[derive(Clone, Debug)]
pub struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(LINEAR_WORK_MAX)
    }
}

impl Budget {
    /// Pays for compiling a pattern.
    ///
    /// # Errors
    /// When it has used up what it had.
    pub fn compile(&mut self) -> Result<(), OverBudget> {
        self.pay(COMPILING_WORK)
    }

    fn pay(&mut self, work: u64) -> Result<(), OverBudget> {
        self.0 = self.0.checked_sub(work).ok_or(OverBudget)?;
        Ok(())
    }
}

/// The matches of a pattern in a text, in order: Java's `Matcher.find`.
#[derive(Debug)]
pub struct Matches<'p, 't> {
    pattern: &'p Pattern,
    text: &'t str,
    /// Where the next search begins; past the text when there is none.
    at: usize,
    /// Of the last match, where its groups are; the first is the match.
    groups: Vec<Option<(usize, usize)>>,
    captures: Option<Captures>,
    counter: Option<Cache>,
}

impl Pattern {
    /// The matches in a text. The pattern is compiled for a part of it.
    pub fn matches<'p, 't>(&'p self, text: &'t str) -> Matches<'p, 't> {
        let captures = match &self.engine {
            Engine::Linear { regex, .. } => Some(regex.create_captures()),
            Engine::Backtracking(_) => None,
        };
        Matches { pattern: self, text, at: 0, groups: Vec::new(), captures, counter: None }
    }

    /// As [`Pattern::is_match`], paid for.
    ///
    /// # Errors
    /// When the pattern or the budget has no answer for so long a text.
    pub fn is_match_within(&self, text: &str, budget: &mut Budget) -> Result<bool, OverBudget> {
        budget.pay(self.work_per_byte() * (text.len() as u64 + 1))?;
        self.is_match(text)
    }

    /// How many groups it has, the whole match included.
    pub fn groups(&self) -> usize {
        match &self.engine {
            Engine::Linear { regex, .. } => regex.group_info().group_len(regex_automata::PatternID::ZERO),
            Engine::Backtracking(regex) => regex.captures_len(),
        }
    }

    fn work_per_byte(&self) -> u64 {
        match &self.engine {
            Engine::Linear { states, .. } => *states,
            Engine::Backtracking(_) => BACKTRACKING_WORK_PER_BYTE,
        }
    }
}

impl Matches<'_, '_> {
    /// Goes to the next match: where it begins and ends. An empty match is found once.
    ///
    /// # Errors
    /// When the pattern or the budget has no answer for so long a text.
    pub fn find(&mut self, budget: &mut Budget) -> Result<Option<(usize, usize)>, OverBudget> {
        if self.at > self.text.len() {
            return Ok(None);
        }
        budget.pay(self.pattern.work_per_byte() * (self.bytes_read() as u64 + 1))?;
        self.groups.clear();
        match &self.pattern.engine {
            Engine::Linear { regex, text_bytes_max, .. } if self.text.len() <= *text_bytes_max => {
                let Some(captures) = &mut self.captures else { return Err(OverBudget) };
                regex.search_captures(&Input::new(self.text).range(self.at..), captures);
                if captures.is_match() {
                    self.groups.extend(captures.iter().map(|group| group.map(|span| (span.start, span.end))));
                }
            }
            Engine::Backtracking(regex) if self.text.len() <= BACKTRACKING_TEXT_BYTES_MAX => {
                if let Some(found) = regex.captures_from_pos(self.text, self.at).map_err(|_| OverBudget)? {
                    let group = |index| found.get(index).map(|group| (group.start(), group.end()));
                    self.groups.extend((0..found.len()).map(group));
                }
            }
            Engine::Linear { .. } | Engine::Backtracking(_) => return Err(OverBudget),
        }
        let Some((start, end)) = self.group(0) else {
            self.at = self.text.len() + 1;
            return Ok(None);
        };
        let skipped = if start == end { self.text[end..].chars().next().map_or(1, char::len_utf8) } else { 0 };
        self.at = end + skipped;
        Ok(Some((start, end)))
    }

    /// Where a group of the last match is; `None` when it took no part in it.
    pub fn group(&self, index: usize) -> Option<(usize, usize)> {
        self.groups.get(index).copied().flatten()
    }

    /// How many bytes the next search reads, at most.
    fn bytes_read(&mut self) -> usize {
        let left = self.text.len() - self.at;
        match &self.pattern.engine {
            Engine::Linear { counter: Some(counter), .. } if left > COUNTED_BYTES_MIN => {
                let cache = self.counter.get_or_insert_with(|| counter.create_cache());
                count(counter, cache, self.text, self.at).unwrap_or(left)
            }
            Engine::Linear { .. } | Engine::Backtracking(_) => left,
        }
    }
}

/// How many bytes an automaton reads until it knows the match. `None`: it cannot tell.
fn count(counter: &DFA, cache: &mut Cache, text: &str, at: usize) -> Option<usize> {
    let mut state = counter.start_state_forward(cache, &Input::new(text).range(at..)).ok()?;
    for (read, &byte) in text.as_bytes().get(at..)?.iter().enumerate() {
        state = counter.next_state(cache, state, byte).ok()?;
        if state.is_quit() {
            return None;
        }
        if state.is_dead() {
            return Some(read + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Extent;
    use super::*;

    fn all(pattern: &str, text: &str, budget: &mut Budget) -> Result<Vec<(usize, usize)>, OverBudget> {
        let pattern = Pattern::compile(pattern, Extent::Part).expect("a pattern");
        let mut matches = pattern.matches(text);
        std::iter::from_fn(|| matches.find(budget).transpose()).collect()
    }

    #[test]
    fn matches_come_in_order_with_their_groups() {
        let budget = &mut Budget::default();
        assert_eq!(all("[ab]+", "ab-b-c", budget), Ok(vec![(0, 2), (3, 4)]));
        assert_eq!(all("x*", "éx", budget), Ok(vec![(0, 0), (2, 3), (3, 3)]));
        assert_eq!(all(r"(?<=\d)(?=(?:\d{3})+$)", "1234567", budget), Ok(vec![(1, 1), (4, 4)]));
        let pattern = Pattern::compile("(a)|(b)", Extent::Part).expect("a pattern");
        let mut matches = pattern.matches("b");
        assert_eq!((pattern.groups(), matches.find(budget)), (3, Ok(Some((0, 1)))));
        assert_eq!((matches.group(1), matches.group(2), matches.group(3)), (None, Some((0, 1)), None));
    }

    #[test]
    fn many_matches_in_a_long_text_cost_what_they_read() {
        let text = "a, \n".repeat(100_000);
        assert_eq!(all(r"\s+", &text, &mut Budget::default()).map(|all| all.len()), Ok(100_000));
        // After every match, the engine reads to the end to see whether there is a longer one.
        assert_eq!(all("a(?s:.)*b|a", &text.replace('b', ""), &mut Budget::default()), Err(OverBudget));
    }

    #[test]
    fn going_back_is_paid_for_by_the_search() {
        let pattern = r"(\w)\1";
        assert_eq!(all(pattern, &"aa ".repeat(100), &mut Budget::default()).map(|all| all.len()), Ok(100));
        assert_eq!(all(pattern, &"aa ".repeat(5_000), &mut Budget::default()), Err(OverBudget));
        let mut budget = Budget::default();
        let compiled = (0..).take_while(|_| budget.compile().is_ok()).count();
        assert_eq!(compiled, 256);
    }
}
