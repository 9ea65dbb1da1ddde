//! Expressions: values on the stack, and jumps where only the truth is asked.

use super::{Compiler, Result};
use crate::vtl::error::Error;
use crate::vtl::number::{self, Number};
use crate::vtl::program::Op;
use crate::vtl::syntax::{Comparison, Expr, ExprKind, Node};
use crate::vtl::value::Value;

impl Compiler<'_> {
    /// Puts the value of an expression on the stack.
    pub(super) fn value(&mut self, expression: &Expr) -> Result<()> {
        if let Some(number) = constant_number(expression) {
            return self.push_number(number);
        }
        match &expression.kind {
            ExprKind::Bool(value) => self.push(Value::Bool(*value)),
            ExprKind::Integer(text) => {
                let message = format!("the integer {} is too long", text);
                return Err(Error { place: self.place, message });
            }
            ExprKind::Float(value) => self.push(Value::Double(*value)),
            ExprKind::Text(text) => {
                let text = self.constant(text);
                self.push(Value::Text(text));
            }
            ExprKind::Interpolated(block) => self.interpolated(block)?,
            ExprKind::List(items) => {
                items.iter().try_for_each(|item| self.value(item))?;
                self.emit(Op::List(items.len() as u32));
            }
            ExprKind::Map(entries) => {
                for (key, value) in entries {
                    self.value(key)?;
                    self.value(value)?;
                }
                self.emit(Op::Map(entries.len() as u32));
            }
            ExprKind::Range(first, last) => {
                self.value(first)?;
                self.value(last)?;
                self.emit(Op::Range);
            }
            ExprKind::Reference(reference) => self.reference(reference)?,
            ExprKind::Group(inside) => self.value(inside)?,
            ExprKind::Not(_) | ExprKind::And(..) | ExprKind::Or(..) => self.truth_value(expression)?,
            ExprKind::Compare(how, left, right) => {
                self.value(left)?;
                self.value(right)?;
                self.emit(Op::Compare(*how));
            }
            ExprKind::Arithmetic(how, left, right) => {
                self.value(left)?;
                self.value(right)?;
                let texts = [self.print_text(&left.literal), self.print_text(&right.literal)];
                self.operands.push(texts);
                self.emit(Op::Arithmetic(*how, self.operands.len() as u32 - 1));
            }
        }
        Ok(())
    }

    fn push_number(&mut self, number: Number) -> Result<()> {
        match number {
            Number::Int(value) => self.push(Value::Int(value)),
            Number::Long(value) => self.push(Value::Long(value)),
            Number::Double(value) => self.push(Value::Double(value)),
            Number::Big(value) => {
                self.bigs.push(value);
                let index = u16::try_from(self.bigs.len() - 1)
                    .map_err(|_| Error { place: self.place, message: "too many long integers".to_owned() })?;
                self.emit(Op::PushBig(index));
            }
        }
        Ok(())
    }

    fn interpolated(&mut self, block: &[Node]) -> Result<()> {
        self.emit(Op::BeginText);
        self.here();
        block.iter().try_for_each(|node| self.node(node))?;
        self.emit(Op::EndText);
        Ok(())
    }

    /// The truth of an expression as a value.
    fn truth_value(&mut self, expression: &Expr) -> Result<()> {
        let mut otherwise = Vec::new();
        self.jump_unless(expression, &mut otherwise)?;
        self.push(Value::Bool(true));
        let end = self.emit(Op::Jump(0));
        self.bind_all(otherwise);
        self.push(Value::Bool(false));
        self.bind(end);
        Ok(())
    }

    /// Jumps when the expression is not true. Velocity asks only references, logic and comparisons for their truth: what
    /// is written as a literal, list or computation is false.
    pub(super) fn jump_unless(&mut self, expression: &Expr, jumps: &mut Vec<usize>) -> Result<()> {
        match &expression.kind {
            ExprKind::Group(inside) => self.jump_unless(inside, jumps)?,
            ExprKind::Bool(true) => {}
            ExprKind::Not(operand) => self.jump_if(operand, jumps)?,
            ExprKind::And(left, right) => {
                self.jump_unless(left, jumps)?;
                self.jump_unless(right, jumps)?;
            }
            ExprKind::Or(left, right) => {
                let mut holds = Vec::new();
                self.jump_if(left, &mut holds)?;
                self.jump_unless(right, jumps)?;
                self.bind_all(holds);
            }
            ExprKind::Reference(_) | ExprKind::Compare(..) => {
                self.value(expression)?;
                jumps.push(self.emit(Op::JumpUnless(0)));
            }
            _ => jumps.push(self.emit(Op::Jump(0))),
        }
        Ok(())
    }

    fn jump_if(&mut self, expression: &Expr, jumps: &mut Vec<usize>) -> Result<()> {
        match &expression.kind {
            ExprKind::Group(inside) => self.jump_if(inside, jumps)?,
            ExprKind::Bool(true) => jumps.push(self.emit(Op::Jump(0))),
            ExprKind::Not(operand) => self.jump_unless(operand, jumps)?,
            ExprKind::Or(left, right) => {
                self.jump_if(left, jumps)?;
                self.jump_if(right, jumps)?;
            }
            ExprKind::And(left, right) => {
                let mut fails = Vec::new();
                self.jump_unless(left, &mut fails)?;
                self.jump_if(right, jumps)?;
                self.bind_all(fails);
            }
            ExprKind::Reference(_) | ExprKind::Compare(..) => {
                self.value(expression)?;
                jumps.push(self.emit(Op::JumpIf(0)));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The value of an expression that is a number in every run.
pub(super) fn constant_number(expression: &Expr) -> Option<Number> {
    match &expression.kind {
        ExprKind::Integer(text) => Number::integer(text),
        ExprKind::Float(value) => Some(Number::Double(*value)),
        ExprKind::Group(inside) => constant_number(inside),
        ExprKind::Arithmetic(how, left, right) => {
            number::compute(*how, constant_number(left)?, constant_number(right)?)
        }
        _ => None,
    }
}

/// Whether an order answers a comparison.
pub(in crate::vtl) fn holds(how: Comparison, order: std::cmp::Ordering) -> bool {
    match how {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}
