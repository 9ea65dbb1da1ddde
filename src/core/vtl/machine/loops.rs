//! `#foreach`.

use super::{Result, Run};
use crate::vtl::host::{Host, Item};
use crate::vtl::program::Slot;
use crate::vtl::read::Reader;
use crate::vtl::value::{HostRef, IteratorId, ListId, ListIterator, MapId, Memory, Value};
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
        let Some(first) = source.next(self.memory, self.host) else { return Ok(false) };
        let program = self.program;
        let mut saved = [Value::Null; 4];
        let slots = [Some(variable), program.foreach, program.count, program.has_next];
        for (saved, slot) in saved.iter_mut().zip(slots) {
            if let Some(slot) = slot {
                *saved = self.load(slot)?;
            }
        }
        let has_next = source.has_more(self.memory, self.host);
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
    #[inline]
    pub(super) fn next_pass(&mut self) -> bool {
        let Some(current) = self.state.loops.last_mut() else { return false };
        let (variable, passes) = (current.variable, current.index + 1);
        let is_full = self.dialect == Dialect::ApiGateway && passes >= limits::FOREACH_PASSES_MAX;
        let next = if is_full { None } else { current.source.next(self.memory, self.host) };
        let Some(item) = next else {
            self.end_loop();
            return false;
        };
        let has_next = current.source.has_more(self.memory, self.host);
        (current.index, current.has_next) = (passes, has_next);
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

    /// The next element of an iterator.
    pub(super) fn advance(&mut self, iterator: IteratorId) -> Option<Value> {
        advance(iterator, self.memory, self.host)
    }

    pub(super) fn has_more_elements(&self, iterator: IteratorId) -> bool {
        has_more_elements(iterator, self.memory, self.host)
    }
}

impl Source {
    fn has_more(&self, memory: &Memory, host: &impl Host) -> bool {
        match *self {
            Self::Range { next, .. } => next.is_some(),
            Self::List(list, at) => at < memory.items(list).len(),
            Self::Map(map, at) => at < memory.map_entries(map).len(),
            Self::Iterator(iterator) => has_more_elements(iterator, memory, host),
            Self::Host { next, .. } => next.is_some(),
        }
    }

    fn next(&mut self, memory: &mut Memory, host: &impl Host) -> Option<Value> {
        match self {
            Self::Range { next, last } => {
                let value = (*next)?;
                *next = (value != *last).then(|| value + (*last - value).signum());
                Some(Value::Int(value as i32))
            }
            Self::List(list, at) => {
                let item = memory.items(*list).get(*at).copied();
                *at += 1;
                item
            }
            Self::Map(map, at) => {
                let entry = memory.map_entries(*map).get(*at).copied();
                *at += 1;
                entry.map(|(_, value)| value)
            }
            Self::Iterator(iterator) => advance(*iterator, memory, host),
            Self::Host { container, next } => {
                let item = (*next)?;
                *next = host.next(*container, item.next);
                Some(Reader { memory, host }.settle(item.value))
            }
        }
    }
}

fn advance(iterator: IteratorId, memory: &mut Memory, host: &impl Host) -> Option<Value> {
    let &ListIterator { list, at, mut cursor } = memory.iterator_of(iterator);
    let reader = Reader { memory, host };
    let element = match memory.current(list) {
        // Elements of a document are not counted off each time.
        list @ Value::Host(_) => reader.next_element(list, &mut cursor).map(|(_, element)| element),
        list => reader.element(list, at),
    };
    *memory.iterator_mut(iterator) = ListIterator { list, at: at + 1, cursor };
    element
}

fn has_more_elements(iterator: IteratorId, memory: &Memory, host: &impl Host) -> bool {
    let iterator = memory.iterator_of(iterator);
    iterator.at < Reader { memory, host }.size(iterator.list)
}
