//! Following a compiled path over a tape.

use super::{Found, JsonPath, Step, TooMuchWork};
use crate::json::tape::{Kind, Node};

/// Keys and elements that are passed over in a search for so much as looking at one value.
const PASSED_PER_VISIT: usize = 8;

/// One evaluation: the document, and the work that is left.
pub(super) struct Evaluation<'t> {
    pub(super) root: Node<'t>,
    pub(super) visits_left: u32,
}

impl<'t> Evaluation<'t> {
    pub(super) fn new(root: Node<'t>, visits_left: u32) -> Self {
        Self { root, visits_left }
    }

    /// Pays for looking at so many values.
    pub(super) fn visit(&mut self, values: usize) -> Result<(), TooMuchWork> {
        let values = u32::try_from(values).map_err(|_| TooMuchWork)?;
        self.visits_left = self.visits_left.checked_sub(values).ok_or(TooMuchWork)?;
        Ok(())
    }

    /// What a path finds; `here` is the value under test of a filter, and the document elsewhere.
    pub(super) fn find(&mut self, path: &JsonPath, here: Node<'t>) -> Result<Option<Found<'t>>, TooMuchWork> {
        let from = if path.is_relative { here } else { self.root };
        let found = match path.is_definite {
            true => self.follow(&path.steps, from)?,
            false => {
                let mut found = Vec::new();
                self.collect(&path.steps, from, &mut found)?;
                Some(Found::List(found))
            }
        };
        match &path.call {
            None => Ok(found),
            Some(call) => self.call(call, found, here),
        }
    }

    /// Follows steps that lead to one value at most.
    fn follow(&mut self, steps: &[Step], from: Node<'t>) -> Result<Option<Found<'t>>, TooMuchWork> {
        let mut node = from;
        for step in steps {
            self.visit(1 + node.len() / PASSED_PER_VISIT)?;
            let next = match step {
                Step::Child(name) => node.get(name),
                Step::Index(index) => element(node, *index),
                // Only a last one is definite.
                Step::Children(names) => return Ok(members(node, names)),
                _ => None,
            };
            let Some(next) = next else { return Ok(None) };
            node = next;
        }
        Ok(Some(Found::Node(node)))
    }

    /// Adds everything that steps lead to.
    fn collect(&mut self, steps: &[Step], from: Node<'t>, found: &mut Vec<Found<'t>>) -> Result<(), TooMuchWork> {
        self.visit(1 + from.len() / PASSED_PER_VISIT)?;
        let [step, rest @ ..] = steps else {
            found.push(Found::Node(from));
            return Ok(());
        };
        match step {
            Step::Child(name) => self.collect_some(rest, from.get(name), found),
            Step::Children(names) if rest.is_empty() => {
                found.extend(members(from, names));
                Ok(())
            }
            Step::Children(names) => names.iter().try_for_each(|name| self.collect_some(rest, from.get(name), found)),
            Step::Index(index) => self.collect_some(rest, element(from, *index), found),
            Step::Indices(indices) => {
                indices.iter().try_for_each(|index| self.collect_some(rest, element(from, *index), found))
            }
            Step::Slice(start, end) => {
                let (start, end) = slice(from.len(), *start, *end);
                let selected = from.elements().skip(start).take(end.saturating_sub(start));
                self.visit(start.min(from.len()))?;
                self.collect_all(rest, selected, found)
            }
            Step::Wildcard => match from.kind() {
                Kind::Array => self.collect_all(rest, from.elements(), found),
                _ => self.collect_all(rest, from.members().map(|(_, value)| value), found),
            },
            Step::Filter(condition) => match from.kind() {
                Kind::Array => from.elements().try_for_each(|element| self.collect_if(condition, rest, element, found)),
                Kind::Object => self.collect_if(condition, rest, from, found),
                _ => Ok(()),
            },
            Step::Descend => self.descend(rest, from, found),
        }
    }

    /// The steps tried on a value and on everything in it, parents first.
    fn descend(&mut self, steps: &[Step], from: Node<'t>, found: &mut Vec<Found<'t>>) -> Result<(), TooMuchWork> {
        match steps {
            // A filter behind `..` tests every object once, where it stands, and not again as an element.
            [Step::Filter(condition), rest @ ..] => {
                if from.kind() == Kind::Object {
                    self.collect_if(condition, rest, from, found)?;
                }
            }
            // A member that is not there gives nothing, and nothing is looked for.
            [Step::Children(names), ..] if !names.iter().all(|name| from.get(name).is_some()) => self.visit(1)?,
            _ => self.collect(steps, from, found)?,
        }
        for child in from.elements().chain(from.members().map(|(_, value)| value)) {
            if matches!(child.kind(), Kind::Array | Kind::Object) {
                self.descend(steps, child, found)?;
            }
        }
        Ok(())
    }

    fn collect_some(
        &mut self,
        steps: &[Step],
        from: Option<Node<'t>>,
        found: &mut Vec<Found<'t>>,
    ) -> Result<(), TooMuchWork> {
        from.map_or(Ok(()), |from| self.collect(steps, from, found))
    }

    fn collect_all(
        &mut self,
        steps: &[Step],
        mut from: impl Iterator<Item = Node<'t>>,
        found: &mut Vec<Found<'t>>,
    ) -> Result<(), TooMuchWork> {
        from.try_for_each(|from| self.collect(steps, from, found))
    }

    fn collect_if(
        &mut self,
        condition: &super::filter::Condition,
        steps: &[Step],
        candidate: Node<'t>,
        found: &mut Vec<Found<'t>>,
    ) -> Result<(), TooMuchWork> {
        self.visit(1)?;
        if self.holds(condition, candidate)? { self.collect(steps, candidate, found) } else { Ok(()) }
    }
}

/// An element; a negative index counts from the end.
fn element(node: Node<'_>, index: i64) -> Option<Node<'_>> {
    let index = if index < 0 { index.checked_add_unsigned(node.len() as u64)? } else { index };
    node.at(usize::try_from(index).ok()?)
}

/// The members that are there, taken together.
fn members<'t>(node: Node<'t>, names: &[Box<str>]) -> Option<Found<'t>> {
    let taken = names.iter().filter_map(|name| node.members().find(|(key, _)| *key == &**name));
    (node.kind() == Kind::Object).then(|| Found::Members(taken.collect()))
}

/// The bounds of a slice of `len` elements; negative ones count from the end.
fn slice(len: usize, start: Option<i64>, end: Option<i64>) -> (usize, usize) {
    let bound = |index: i64| match index {
        0.. => usize::try_from(index).unwrap_or(usize::MAX).min(len),
        _ => len.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    (start.map_or(0, bound), end.map_or(len, bound))
}
