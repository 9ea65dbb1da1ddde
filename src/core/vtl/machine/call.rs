//! Methods: Java's, of strings, numbers, lists and maps, and the host's own.

mod containers;
mod format;
mod numbers;
mod strings;

use smallvec::SmallVec;

use super::{Result, Run, Trouble};
use crate::base::hash::java_hash;
use crate::vtl::error::FailureKind;
use crate::vtl::host::{Host, View};
use crate::vtl::methods::Method;
use crate::vtl::program::CallSite;
use crate::vtl::value::{ListKind, Value};

type Arguments = SmallVec<[Value; 4]>;

/// What a method made of its call. `None`: the object has no such method for these arguments, which Velocity takes for
/// null.
type Answer = Result<Option<Value>>;

/// A method was given what it does not take, as when Java throws.
fn throw(message: impl Into<String>) -> Trouble {
    Trouble::new(FailureKind::Call, message)
}

impl<H: Host> Run<'_, H> {
    pub(super) fn call(&mut self, site: &CallSite) -> Result<()> {
        let start = self.state.stack.len().saturating_sub(site.arguments.into());
        let arguments: Arguments = self.state.stack[start..].into();
        self.state.stack.truncate(start);
        let receiver = self.pop();
        let answer = match receiver {
            Value::Null => None,
            receiver => self.answer(receiver, site, &arguments)?,
        };
        let value = self.settled(answer.unwrap_or(Value::Null));
        self.push(value);
        Ok(())
    }

    fn answer(&mut self, receiver: Value, site: &CallSite, arguments: &Arguments) -> Answer {
        let mut receiver = receiver;
        if let Value::Host(host) = receiver
            && self.host.view(host) == View::Object
        {
            let name = self.program.constant_text(site.name);
            if let Some(answer) = self.host.call(host, name, arguments, self.memory)? {
                return Ok(Some(answer));
            }
            receiver = self.container(receiver)?;
        }
        let Some(method) = site.method else { return Ok(None) };
        if let Some(answer) = self.common(receiver, method, arguments)? {
            return Ok(Some(answer));
        }
        if self.str(receiver).is_some() {
            return self.string_method(receiver, method, arguments, site);
        }
        if self.number(receiver).is_some() || matches!(receiver, Value::Bool(_)) {
            return self.number_method(receiver, method, arguments);
        }
        match self.list_kind(receiver) {
            Some(kind) => self.list_method(receiver, kind, method, arguments),
            None if self.is_map(receiver) => self.map_method(receiver, method, arguments),
            None => self.small_method(receiver, method, arguments),
        }
    }

    /// What every object of Java has.
    fn common(&mut self, receiver: Value, method: Method, arguments: &Arguments) -> Answer {
        Ok(match (method, &arguments[..]) {
            (Method::Equals, &[other]) => Some(Value::Bool(self.is_same(receiver, other)?)),
            (Method::ToString, []) => Some(Value::Text(self.text_of_value(receiver)?)),
            (Method::HashCode, []) => Some(Value::Int(self.hash(receiver, 0)?)),
            _ => None,
        })
    }

    /// Java's `equals`, in which numbers of different classes differ.
    fn is_same(&mut self, left: Value, right: Value) -> Result<bool> {
        self.equals(left, right, 0)
    }

    /// Of entries and iterators.
    fn small_method(&mut self, receiver: Value, method: Method, arguments: &Arguments) -> Answer {
        Ok(match (receiver, method, &arguments[..]) {
            (Value::Entry(entry), Method::GetKey, []) => Some(self.memory.entry_of(entry).0),
            (Value::Entry(entry), Method::GetValue, []) => Some(self.memory.entry_of(entry).1),
            (Value::Iterator(iterator), Method::HasNext, []) => Some(Value::Bool(self.has_more_elements(iterator))),
            (Value::Iterator(iterator), Method::Next, []) => {
                Some(self.advance(iterator).ok_or_else(|| throw("the iterator has no more elements"))?)
            }
            (Value::Loop(depth), Method::HasNext, []) => Some(self.loop_property(depth, "hasNext")),
            _ => None,
        })
    }

    /// Java's `hashCode`.
    fn hash(&mut self, value: Value, depth: usize) -> Result<i32> {
        self.charge(crate::vtl::limits::BYTES_PER_STEP)?;
        if depth > crate::vtl::limits::VALUE_DEPTH_MAX {
            return Err(crate::vtl::value::Exceeded(FailureKind::Depth).into());
        }
        if let Some(text) = self.str(value) {
            let length = text.len();
            let hash = java_hash(text);
            self.charge(length)?;
            return Ok(hash);
        }
        let value = self.memory.current(value);
        Ok(match value {
            Value::Bool(true) => 1231,
            Value::Bool(false) => 1237,
            Value::Int(value) => value,
            Value::Long(value) => (value ^ (value >> 32)) as i32,
            Value::Double(value) => {
                let bits = value.to_bits() as i64;
                (bits ^ (bits >> 32)) as i32
            }
            Value::Entry(entry) => {
                let (key, value) = self.memory.entry_of(entry);
                self.hash(key, depth + 1)? ^ self.hash(value, depth + 1)?
            }
            _ => self.hash_of_elements(value, depth)?,
        })
    }

    fn hash_of_elements(&mut self, container: Value, depth: usize) -> Result<i32> {
        let is_list = !matches!(self.list_kind(container), None | Some(ListKind::Set));
        let mut hash = i32::from(is_list);
        let mut cursor = 0;
        while let Some((key, value)) = self.next_element(container, &mut cursor) {
            let value_hash = if value == Value::Null { 0 } else { self.hash(value, depth + 1)? };
            hash = match (is_list, key) {
                (true, _) => hash.wrapping_mul(31).wrapping_add(value_hash),
                (false, Value::Null) => hash.wrapping_add(value_hash),
                (false, key) => hash.wrapping_add(self.hash(key, depth + 1)? ^ value_hash),
            };
        }
        Ok(hash)
    }
}
