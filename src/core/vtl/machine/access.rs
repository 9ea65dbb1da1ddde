//! What values are and have: texts, numbers, elements, properties, equality.

use super::{Result, Run, Trouble};
use crate::vtl::error::FailureKind;
use crate::vtl::host::{Host, Lookup, View};
use crate::vtl::limits;
use crate::vtl::number::Number;
use crate::vtl::read::Reader;
use crate::vtl::value::{Exceeded, HostRef, ListKind, MapKind, Value};

impl<H: Host> Run<'_, H> {
    #[inline]
    pub(super) fn reader(&self) -> Reader<'_, H> {
        Reader { memory: self.memory, host: self.host }
    }

    #[inline]
    pub(super) fn settle(&self, host: HostRef) -> Value {
        self.reader().settle(host)
    }

    pub(super) fn str(&self, value: Value) -> Option<&str> {
        self.reader().str(value)
    }

    pub(super) fn number(&self, value: Value) -> Option<Number> {
        self.reader().number(value)
    }

    pub(super) fn list_kind(&self, value: Value) -> Option<ListKind> {
        self.reader().list_kind(value)
    }

    pub(super) fn is_map(&self, value: Value) -> bool {
        self.reader().is_map(value)
    }

    pub(super) fn size(&self, value: Value) -> usize {
        self.reader().size(value)
    }

    /// An element of a list. Those of a document have different sizes: they are counted off.
    pub(super) fn element(&mut self, list: Value, index: usize) -> Result<Option<Value>> {
        let list = self.memory.current(list);
        if matches!(list, Value::Host(_)) {
            self.charge_lookup(index)?;
        }
        Ok(self.reader().element(list, index))
    }

    pub(super) fn next_element(&self, container: Value, cursor: &mut u32) -> Option<(Value, Value)> {
        self.reader().next_element(container, cursor)
    }

    /// Appends a value's text.
    pub(super) fn write(&self, value: Value, out: &mut String) -> Result<()> {
        Ok(self.reader().write(value, out)?)
    }

    /// Takes steps for work over so many bytes or items.
    pub(super) fn charge(&mut self, size: usize) -> Result<()> {
        let steps = (size / limits::BYTES_PER_STEP) as u64;
        self.fuel = self.fuel.checked_sub(steps).ok_or(Exceeded(FailureKind::Steps))?;
        Ok(())
    }

    /// Takes steps for looking through so many keys or elements. Free in small containers.
    #[inline]
    pub(super) fn charge_lookup(&mut self, size: usize) -> Result<()> {
        self.charge(size * limits::BYTES_PER_KEY)
    }

    pub(super) fn number_value(&mut self, number: Number) -> Result<Value> {
        Ok(match number {
            Number::Int(value) => Value::Int(value),
            Number::Long(value) => Value::Long(value),
            Number::Double(value) => Value::Double(value),
            Number::Big(value) => self.memory.big(value)?,
        })
    }

    /// A bound of a range: an integer that Java's `intValue` keeps.
    pub(super) fn range_bound(&self, value: Value) -> Option<i64> {
        self.number(value).map(|number| i64::from(number.int()))
    }

    /// What stands for a value that has parts: its changed form, the map of an object.
    pub(super) fn container(&mut self, value: Value) -> Result<Value> {
        match self.memory.current(value) {
            Value::Host(host) if self.host.view(host) == View::Object => Ok(self.host.as_map(host, self.memory)?),
            current => Ok(current),
        }
    }

    /// All elements of a list, or values of a map.
    pub(super) fn elements(&mut self, container: Value) -> Result<Vec<Value>> {
        let container = self.container(container)?;
        self.charge(self.size(container) * size_of::<Value>())?;
        let mut elements = Vec::with_capacity(self.size(container));
        let mut cursor = 0;
        while let Some((_, value)) = self.next_element(container, &mut cursor) {
            elements.push(value);
        }
        Ok(elements)
    }

    /// Where an entry is in a map of ours.
    pub(super) fn position(&mut self, map: Value, key: Value) -> Result<Option<usize>> {
        let Value::Map(map) = map else { return Ok(None) };
        self.charge_lookup(self.memory.map_entries(map).len())?;
        if let Some(name) = self.str(key) {
            let entries = self.memory.map_entries(map);
            return Ok(entries.iter().position(|(other, _)| self.str(*other) == Some(name)));
        }
        for at in 0..self.memory.map_entries(map).len() {
            let (other, _) = self.memory.map_entries(map)[at];
            if self.equals(key, other, 0)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Java's `map.get(key)`.
    pub(super) fn get(&mut self, map: Value, key: Value) -> Result<Option<Value>> {
        match self.memory.current(map) {
            Value::Map(id) => {
                let at = self.position(Value::Map(id), key)?;
                Ok(at.map(|at| self.memory.map_entries(id)[at].1))
            }
            map => {
                self.charge_lookup(self.size(map))?;
                Ok(self.str(key).and_then(|name| self.reader().member(map, name)))
            }
        }
    }

    /// Java's `map.put(key, value)`: gives what was there.
    pub(super) fn put(&mut self, map: Value, key: Value, value: Value) -> Result<Value> {
        let Value::Map(id) = self.own(map)? else { return Ok(Value::Null) };
        match self.position(Value::Map(id), key)? {
            Some(at) => {
                let entry = &mut self.memory.map_entries_mut(id, 0)?[at];
                Ok(std::mem::replace(&mut entry.1, value))
            }
            None => {
                self.memory.append(id, key, value)?;
                Ok(Value::Null)
            }
        }
    }

    /// A list or map that may be changed: one of the host is copied first, and the copy stands for it from then on.
    pub(super) fn own(&mut self, container: Value) -> Result<Value> {
        let container = self.container(container)?;
        let Value::Host(host) = container else { return Ok(container) };
        let copy = match self.list_kind(container) {
            Some(kind) => {
                let elements = self.elements(container)?;
                self.memory.list(kind, &elements)?
            }
            None if self.is_map(container) => {
                self.charge(self.size(container) * size_of::<(Value, Value)>())?;
                let copy = self.memory.map(MapKind::Java)?;
                let mut cursor = 0;
                while let Some((key, value)) = self.next_element(container, &mut cursor) {
                    self.memory.append(copy, key, value)?;
                }
                Value::Map(copy)
            }
            None => return Ok(Value::Null),
        };
        self.memory.change(host, copy)?;
        Ok(copy)
    }

    /// `value.a.b.c` from a thing of the host on. As long as it leads through maps as they came, a place is all that is
    /// carried: what is there at last may be a scalar that is not ours yet.
    #[inline]
    pub(super) fn follow(&mut self, mut at: HostRef, names: &[Box<str>]) -> Result<Value> {
        for (passed, name) in names.iter().enumerate() {
            let lookup = if self.memory.is_unchanged() { self.host.member(at, name) } else { None };
            let Some(Lookup { found, keys }) = lookup else {
                return self.properties(self.settle(at), &names[passed..]);
            };
            self.charge_lookup(keys)?;
            match found {
                Some(found) => at = found,
                None => return Ok(Value::Null),
            }
        }
        Ok(Value::Host(at))
    }

    /// `value.a.b.c`
    pub(super) fn properties(&mut self, value: Value, names: &[Box<str>]) -> Result<Value> {
        names.iter().try_fold(value, |value, name| self.property(value, name))
    }

    /// `value.name`
    #[inline(always)]
    pub(super) fn property(&mut self, value: Value, name: &str) -> Result<Value> {
        let value = self.memory.current(value);
        if let Value::Host(host) = value
            && let Some(Lookup { found, keys }) = self.host.member(host, name)
        {
            self.charge_lookup(keys)?;
            return Ok(found.map_or(Value::Null, |found| self.settle(found)));
        }
        self.other_property(value, name)
    }

    /// A property of what is no map of the host: of a map of ours, or what Java's getters give.
    fn other_property(&mut self, value: Value, name: &str) -> Result<Value> {
        if let Value::Map(map) = value {
            self.charge_lookup(self.memory.map_entries(map).len())?;
            return Ok(self.reader().member(value, name).unwrap_or(Value::Null));
        }
        // Java's getters are found with either case of the first letter.
        let mut letters = name.chars();
        let lower = letters.next().map(|first| first.to_ascii_lowercase());
        let is = |getter: &str| getter.chars().next() == lower && getter.get(1..) == Some(letters.as_str());
        Ok(match value {
            Value::Host(host) if self.host.view(host) == View::Object => {
                let found = self.host.property(host, name, self.memory)?;
                self.settled(found)
            }
            Value::Entry(entry) if is("key") => self.memory.entry_of(entry).0,
            Value::Entry(entry) if is("value") => self.memory.entry_of(entry).1,
            Value::Loop(depth) => self.loop_property(depth, name),
            _ if is("bytes") && self.str(value).is_some() => self.bytes(value)?,
            _ => match (self.str(value), self.list_kind(value)) {
                (Some(text), _) if is("empty") => Value::Bool(text.is_empty()),
                (Some(text), _) if is("blank") => Value::Bool(text.trim().is_empty()),
                (None, Some(_)) if is("empty") => Value::Bool(self.size(value) == 0),
                _ => Value::Null,
            },
        })
    }

    /// A value that the host gave: scalars of its document become ours.
    pub(super) fn settled(&self, value: Value) -> Value {
        match value {
            Value::Host(host) => self.settle(host),
            other => other,
        }
    }

    pub(super) fn loop_property(&self, depth: u32, name: &str) -> Value {
        let Some(running) = self.state.loops.get(depth as usize) else { return Value::Null };
        match name {
            "index" => Value::Int(running.index as i32),
            "count" => Value::Int(running.index as i32 + 1),
            "hasNext" => Value::Bool(running.has_next),
            "first" => Value::Bool(running.index == 0),
            "last" => Value::Bool(!running.has_next),
            "parent" if depth > 0 => Value::Loop(depth - 1),
            "topmost" => Value::Loop(0),
            "depth" => Value::Int(depth as i32 + 1),
            _ => Value::Null,
        }
    }

    /// `value[key]`
    pub(super) fn index(&mut self, value: Value, key: Value) -> Result<Value> {
        if value == Value::Null {
            return Ok(Value::Null);
        }
        if let (Value::Host(host), Some(name)) = (value, self.str(key))
            && self.host.view(host) == View::Object
        {
            let name = name.to_owned();
            return self.property(Value::Host(host), &name);
        }
        let value = self.container(value)?;
        match (self.list_kind(value), key) {
            (Some(ListKind::Set), _) => Ok(Value::Null),
            (Some(_), Value::Int(index)) => {
                let index = self.list_index(value, index)?;
                Ok(self.element(value, index)?.unwrap_or(Value::Null))
            }
            (None, _) if self.is_map(value) => Ok(self.get(value, key)?.unwrap_or(Value::Null)),
            _ => Ok(Value::Null),
        }
    }

    /// An index that is there; negative ones count from the end.
    fn list_index(&self, list: Value, index: i32) -> Result<usize> {
        let size = self.size(list);
        let from_end = usize::try_from(index).is_err().then(|| size.checked_sub(index.unsigned_abs() as usize));
        let index = from_end.unwrap_or(usize::try_from(index).ok());
        index.filter(|&index| index < size).ok_or_else(|| out_of_bounds(index.map_or(-1, |i| i as i64), size))
    }

    /// `#set($value.name = …)`
    pub(super) fn set_property(&mut self, target: Value, name: Value, value: Value) -> Result<()> {
        if value == Value::Null || target == Value::Null {
            return Ok(());
        }
        let target = self.container(target)?;
        if self.is_map(target) {
            self.put(target, name, value)?;
        }
        Ok(())
    }

    /// `#set($value[key] = …)`
    pub(super) fn set_index(&mut self, target: Value, key: Value, value: Value) -> Result<()> {
        if value == Value::Null || target == Value::Null {
            return Ok(());
        }
        let target = self.container(target)?;
        match (self.list_kind(target), key) {
            (Some(ListKind::Set), _) => {}
            (Some(_), Value::Int(index)) => {
                let index = self.list_index(target, index)?;
                if let Value::List(list) = self.own(target)? {
                    self.memory.items_mut(list, 0)?[index] = value;
                }
            }
            (None, _) if self.is_map(target) => drop(self.put(target, key, value)?),
            _ => {}
        }
        Ok(())
    }

    /// Java's `equals`.
    pub(super) fn equals(&mut self, left: Value, right: Value, depth: usize) -> Result<bool> {
        self.charge(limits::BYTES_PER_STEP)?;
        if depth > limits::VALUE_DEPTH_MAX {
            return Err(Exceeded(FailureKind::Depth).into());
        }
        if let (Some(a), Some(b)) = (self.str(left), self.str(right)) {
            let (is_equal, length) = (a == b, a.len());
            self.charge(length)?;
            return Ok(is_equal);
        }
        let (left, right) = (self.memory.current(left), self.memory.current(right));
        match (left, right) {
            (Value::Big(a), Value::Big(b)) => return Ok(self.memory.big_of(a) == self.memory.big_of(b)),
            (Value::Entry(a), Value::Entry(b)) => {
                let ((key, value), (other_key, other_value)) = (self.memory.entry_of(a), self.memory.entry_of(b));
                return Ok(self.equals(key, other_key, depth + 1)? && self.equals(value, other_value, depth + 1)?);
            }
            _ if left == right => return Ok(true),
            _ => {}
        }
        let are_lists = self.list_kind(left).is_some() && self.list_kind(right).is_some();
        let are_maps = self.is_map(left) && self.is_map(right);
        if !(are_lists || are_maps) || self.size(left) != self.size(right) {
            return Ok(false);
        }
        let (mut cursor, mut other_cursor) = (0, 0);
        while let Some((key, value)) = self.next_element(left, &mut cursor) {
            let other = match are_maps {
                true => self.get(right, key)?,
                false => self.next_element(right, &mut other_cursor).map(|(_, other)| other),
            };
            match other {
                Some(other) if self.equals(value, other, depth + 1)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Java's exception for an index that is not there.
pub(super) fn out_of_bounds(index: i64, size: usize) -> Trouble {
    Trouble::new(FailureKind::Call, format!("index {index} is out of bounds for length {size}"))
}
