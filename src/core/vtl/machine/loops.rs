//! `#foreach`.

use super::{Result, Run};
use crate::vtl::host::{Host, Item};
use crate::vtl::program::Slot;
use crate::vtl::value::{HostRef, IteratorId, ListId, MapId, Value};
use crate::vtl::{Dialect, limits};

/// A loop that runs.
#[derive(Debug)]
pub(super) struct Loop {
    variable: Slot,
    source: Source,
    pub(super) index: usize,
    pub(super) has_next: bool,
    /// What the loop's variables were before.
    saved: [Value; 4],
    /// How high the stack and the outputs were.
    stack: usize,
    outputs: usize,
}

/// What is looped over, and the next place in it.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// `None`: the last has been given.
    Range {
        next: Option<i64>,
        last: i64,
    },
    List(ListId, usize),
    Map(MapId, usize),
    Iterator(IteratorId),
    /// What comes next is known already, and where what comes after it is.
    Host {
        container: HostRef,
        next: Option<Item>,
    },
}

impl<H: Host> Run<'_, H> {
    /// Begins a loop; `false` when there is nothing to loop over.
    pub(super) fn begin_loop(&mut self, variable: Slot) -> Result<bool> {
        let list = self.pop();
        let source = match self.container(list)? {
            Value::List(list) => Source::List(list, 0),
            Value::Map(map) => Source::Map(map, 0),
            Value::Iterator(iterator) => Source::Iterator(iterator),
            Value::Host(container) => Source::Host { container, next: self.host.next(container, 0) },
            _ => return Ok(false),
        };
        self.start(variable, source)
    }

    /// Begins a loop over the integers between the two values on the stack.
    pub(super) fn begin_range(&mut self, variable: Slot) -> Result<bool> {
        let (last, first) = (self.pop(), self.pop());
        match (self.range_bound(first), self.range_bound(last)) {
            (Some(next), Some(last)) => self.start(variable, Source::Range { next: Some(next), last }),
            _ => Ok(false),
        }
    }

    fn start(&mut self, variable: Slot, mut source: Source) -> Result<bool> {
        let Some(first) = self.next_of(&mut source) else { return Ok(false) };
        let program = self.program;
        let mut saved = [Value::Null; 4];
        let slots = [Some(variable), program.foreach, program.count, program.has_next];
        for (saved, slot) in saved.iter_mut().zip(slots) {
            if let Some(slot) = slot {
                *saved = self.load(slot)?;
            }
        }
        let has_next = self.has_more(&source);
        let (stack, outputs) = (self.state.stack.len(), self.state.outputs_used);
        self.state.loops.push(Loop { variable, source, index: 0, has_next, saved, stack, outputs });
        if let Some(slot) = program.foreach {
            self.store(slot, Value::Loop(self.state.loops.len() as u32 - 1));
        }
        self.publish(variable, first, 1, has_next);
        Ok(true)
    }

    /// Gives the loop's variables the values of this pass.
    fn publish(&mut self, variable: Slot, item: Value, count: usize, has_next: bool) {
        self.store(variable, item);
        if let Some(slot) = self.program.count {
            self.store(slot, Value::Int(count as i32));
        }
        if let Some(slot) = self.program.has_next {
            self.store(slot, Value::Bool(has_next));
        }
    }

    /// Goes to the next pass; `false` when the loop has ended.
    pub(super) fn next_pass(&mut self) -> bool {
        let Some(current) = self.state.loops.last() else { return false };
        let (variable, mut source, passes) = (current.variable, current.source, current.index + 1);
        let is_full = self.dialect == Dialect::ApiGateway && passes >= limits::FOREACH_PASSES_MAX;
        let next = if is_full { None } else { self.next_of(&mut source) };
        let Some(item) = next else {
            self.end_loop();
            return false;
        };
        let has_next = self.has_more(&source);
        if let Some(current) = self.state.loops.last_mut() {
            current.source = source;
            current.index = passes;
            current.has_next = has_next;
        }
        self.publish(variable, item, passes + 1, has_next);
        true
    }

    /// Leaves the innermost loop: its variables are again what they were.
    fn end_loop(&mut self) {
        let Some(ended) = self.state.loops.pop() else { return };
        let program = self.program;
        let slots = [Some(ended.variable), program.foreach, program.count, program.has_next];
        for (saved, slot) in ended.saved.into_iter().zip(slots) {
            match (slot, saved) {
                (Some(slot), Value::Null) => self.remove(slot),
                (Some(slot), saved) => self.store(slot, saved),
                (None, _) => {}
            }
        }
    }

    /// `#break`: leaves so many loops, and the strings and values that were begun in them.
    pub(super) fn leave_loops(&mut self, count: u16) {
        for _ in 0..count {
            if let Some((stack, outputs)) = self.state.loops.last().map(|inner| (inner.stack, inner.outputs)) {
                self.unwind(stack, outputs);
            }
            self.end_loop();
        }
    }

    /// Loops that a routine began and did not end are ended with it.
    pub(super) fn end_loops_above(&mut self, count: usize) {
        while self.state.loops.len() > count {
            self.end_loop();
        }
    }

    fn has_more(&self, source: &Source) -> bool {
        match *source {
            Source::Range { next, .. } => next.is_some(),
            Source::List(list, at) => at < self.memory.items(list).len(),
            Source::Map(map, at) => at < self.memory.map_entries(map).len(),
            Source::Iterator(iterator) => self.has_more_elements(iterator),
            Source::Host { next, .. } => next.is_some(),
        }
    }

    fn next_of(&mut self, source: &mut Source) -> Option<Value> {
        match source {
            Source::Range { next, last } => {
                let value = (*next)?;
                *next = (value != *last).then(|| value + (*last - value).signum());
                Some(Value::Int(value as i32))
            }
            Source::List(list, at) => {
                let item = self.memory.items(*list).get(*at).copied();
                *at += 1;
                item
            }
            Source::Map(map, at) => {
                let entry = self.memory.map_entries(*map).get(*at).copied();
                *at += 1;
                entry.map(|(_, value)| value)
            }
            Source::Iterator(iterator) => self.advance(*iterator),
            Source::Host { container, next } => {
                let item = (*next)?;
                *next = self.host.next(*container, item.next);
                Some(self.settle(item.value))
            }
        }
    }

    /// The next element of an iterator.
    pub(super) fn advance(&mut self, iterator: IteratorId) -> Option<Value> {
        let state = self.memory.iterator_mut(iterator);
        let (list, at) = (state.list, state.at);
        state.at += 1;
        self.element(list, at)
    }

    pub(super) fn has_more_elements(&self, iterator: IteratorId) -> bool {
        let state = self.memory.iterator_of(iterator);
        state.at < self.size(state.list)
    }
}
