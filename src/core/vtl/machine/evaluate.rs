//! Computing with values.

use std::cmp::Ordering;

use super::{Result, Run};
use crate::vtl::compile::holds;
use crate::vtl::error::FailureKind;
use crate::vtl::host::Host;
use crate::vtl::number;
use crate::vtl::syntax::{Arithmetic, Comparison};
use crate::vtl::value::{Exceeded, ListKind, MapKind, Value};

/// Everything is true that is neither `false` nor nothing.
pub(super) fn is_true(value: Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

impl<H: Host> Run<'_, H> {
    pub(super) fn compare(&mut self, how: Comparison) -> Result<()> {
        let (right, left) = (self.pop(), self.pop());
        let result = match (self.number(left), self.number(right)) {
            (Some(a), Some(b)) => a.compare(b).map_or(how == Comparison::NotEqual, |order| holds(how, order)),
            _ if !matches!(how, Comparison::Equal | Comparison::NotEqual) => false,
            _ => {
                let order = if self.is_equal(left, right)? { Ordering::Equal } else { Ordering::Less };
                holds(how, order)
            }
        };
        self.push(Value::Bool(result));
        Ok(())
    }

    /// `==` of values that are not both numbers: `equals` within a class, the texts of both across.
    fn is_equal(&mut self, left: Value, right: Value) -> Result<bool> {
        let is_null = |value| value == Value::Null;
        if is_null(left) || is_null(right) {
            return Ok(is_null(left) && is_null(right));
        }
        let are_texts = self.str(left).is_some() && self.str(right).is_some();
        let are_bools = matches!((left, right), (Value::Bool(_), Value::Bool(_)));
        let are_lists = self.list_kind(left).is_some() && self.list_kind(right).is_some();
        let are_maps = self.is_map(left) && self.is_map(right);
        if are_texts || are_bools || are_lists || are_maps {
            return self.equals(left, right, 0);
        }
        let (left, right) = (self.text_of_value(left)?, self.text_of_value(right)?);
        Ok(self.memory.str(left) == self.memory.str(right))
    }

    pub(super) fn arithmetic(&mut self, how: Arithmetic, operands: [(u32, u32); 2]) -> Result<()> {
        let (right, left) = (self.pop(), self.pop());
        let result = match (self.number(left), self.number(right)) {
            (Some(a), Some(b)) => match number::compute(how, a, b) {
                Some(result) => self.number_value(result)?,
                None => Value::Null,
            },
            _ if how == Arithmetic::Add => self.concatenate([left, right], operands)?,
            _ => Value::Null,
        };
        self.push(result);
        Ok(())
    }

    /// `+` with a string: what has no value adds its source.
    fn concatenate(&mut self, values: [Value; 2], operands: [(u32, u32); 2]) -> Result<Value> {
        if values.iter().all(|&value| self.str(value).is_none()) {
            return Ok(Value::Null);
        }
        let mut values = values;
        for value in &mut values {
            if let Value::Block(code) = *value {
                *value = self.block_text(code)?;
            }
        }
        let program = self.program;
        self.make_text(|run, out| {
            for (value, literal) in values.into_iter().zip(operands) {
                match value {
                    Value::Null => out.push_str(program.printed_text(literal)),
                    value => run.write(value, out)?,
                }
            }
            Ok(())
        })
    }

    pub(super) fn make_list(&mut self, count: usize) -> Result<()> {
        let start = self.state.stack.len().saturating_sub(count);
        let list = self.memory.list(ListKind::List, &self.state.stack[start..])?;
        self.state.stack.truncate(start);
        self.push(list);
        Ok(())
    }

    pub(super) fn make_map(&mut self, count: usize) -> Result<()> {
        let map = Value::Map(self.memory.map(MapKind::Java)?);
        let start = self.state.stack.len().saturating_sub(count * 2);
        for at in 0..count {
            let (key, value) = (self.state.stack[start + at * 2], self.state.stack[start + at * 2 + 1]);
            self.put(map, key, value)?;
        }
        self.state.stack.truncate(start);
        self.push(map);
        Ok(())
    }

    /// `[1..3]`, in either direction.
    pub(super) fn make_range(&mut self) -> Result<()> {
        let (last, first) = (self.pop(), self.pop());
        let (Some(first), Some(last)) = (self.range_bound(first), self.range_bound(last)) else {
            self.push(Value::Null);
            return Ok(());
        };
        let length = first.abs_diff(last) as usize + 1;
        self.charge(length * size_of::<Value>())?;
        let Value::List(id) = self.memory.list(ListKind::List, &[])? else {
            return Err(Exceeded(FailureKind::Memory).into());
        };
        let items = self.memory.items_mut(id, length)?;
        let step = (last - first).signum();
        items.extend((0..length as i64).map(|at| Value::Int((first + at * step) as i32)));
        self.push(Value::List(id));
        Ok(())
    }
}
