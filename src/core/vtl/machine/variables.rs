//! Variables, and the arguments of macros, which are evaluated each time they are used.

use super::{Flow, Result, Run, Trouble};
use crate::vtl::error::FailureKind;
use crate::vtl::host::Host;
use crate::vtl::limits;
use crate::vtl::program::{ArgumentCode, MacroCall, Slot, Target};
use crate::vtl::value::{Exceeded, Value};

/// The arguments of one call of a macro.
#[derive(Clone, Copy, Debug)]
pub(super) struct Environment {
    /// Where the call was made.
    parent: u32,
    first: u32,
    last: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Binding {
    slot: Slot,
    what: BoundTo,
    /// Text of the argument, which is printed when it has no value.
    literal: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
enum BoundTo {
    Value(Value),
    ByName(Target),
    /// A loop over a variable of this name has ended.
    Nothing,
}

impl<H: Host> Run<'_, H> {
    #[inline]
    pub(super) fn load(&mut self, slot: Slot) -> Result<Value> {
        match self.environment {
            0 => Ok(self.state.variables[usize::from(slot)]),
            _ => self.load_bound(slot),
        }
    }

    fn load_bound(&mut self, slot: Slot) -> Result<Value> {
        let mut at = self.environment;
        while at != 0 {
            let environment = self.state.environments[at as usize - 1];
            let bindings = &self.state.bindings[environment.first as usize..environment.last as usize];
            match bindings.iter().rev().find(|binding| binding.slot == slot).map(|binding| binding.what) {
                Some(BoundTo::Value(value)) => return Ok(value),
                Some(BoundTo::ByName(code)) => return self.evaluate_in(environment.parent, code),
                Some(BoundTo::Nothing) | None => at = environment.parent,
            }
        }
        Ok(self.state.variables[usize::from(slot)])
    }

    /// Runs code that leaves a value, as if it stood in `environment`.
    fn evaluate_in(&mut self, environment: u32, code: Target) -> Result<Value> {
        let here = std::mem::replace(&mut self.environment, environment);
        let flow = self.execute(code);
        self.environment = here;
        flow?;
        Ok(self.pop())
    }

    #[inline]
    pub(super) fn store(&mut self, slot: Slot, value: Value) {
        if self.environment != 0 {
            self.rebind(slot, BoundTo::Value(value));
        }
        self.state.variables[usize::from(slot)] = value;
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        self.rebind(slot, BoundTo::Nothing);
        self.state.variables[usize::from(slot)] = Value::Null;
    }

    /// A value given in a macro is seen by all callers too.
    fn rebind(&mut self, slot: Slot, what: BoundTo) {
        let mut at = self.environment;
        while at != 0 {
            let environment = self.state.environments[at as usize - 1];
            let bindings = &mut self.state.bindings[environment.first as usize..environment.last as usize];
            bindings.iter_mut().filter(|binding| binding.slot == slot).for_each(|binding| binding.what = what);
            at = environment.parent;
        }
    }

    /// The text of the macro argument that a variable stands for.
    pub(super) fn literal_of(&self, slot: Slot) -> Option<(u32, u32)> {
        let mut at = self.environment;
        while at != 0 {
            let environment = self.state.environments[at as usize - 1];
            let bindings = &self.state.bindings[environment.first as usize..environment.last as usize];
            let bound = bindings.iter().rev().find(|binding| binding.slot == slot);
            if let Some(literal) = bound.and_then(|binding| binding.literal) {
                return Some(literal);
            }
            at = environment.parent;
        }
        None
    }

    pub(super) fn call_macro(&mut self, call: &MacroCall) -> Result<Flow> {
        let program = self.program;
        let found = &program.macros[usize::from(call.index)];
        if call.has_word {
            let message = format!("an argument of #{} is a word: it must be in quotes, or a reference", found.name);
            return Err(Trouble::new(FailureKind::Parse, message));
        }
        if self.macro_depth == limits::MACRO_DEPTH_MAX {
            let most = limits::MACRO_DEPTH_MAX;
            let message = format!("macros call each other deeper than {most}, last #{}", found.name);
            return Err(Trouble::new(FailureKind::MacroDepth, message));
        }
        let first = self.state.bindings.len();
        if let (Some(body), Some(slot)) = (call.body, program.body_content) {
            self.state.bindings.push(Binding { slot, what: BoundTo::Value(Value::Block(body)), literal: None });
        }
        for (&slot, argument) in found.parameters.iter().zip(&call.arguments) {
            let (what, literal) = match *argument {
                ArgumentCode::Constant(code) => (BoundTo::Value(self.evaluate_in(self.environment, code)?), None),
                ArgumentCode::ByName { code, literal } => (BoundTo::ByName(code), Some(literal)),
            };
            self.state.bindings.push(Binding { slot, what, literal });
        }
        let last = self.state.bindings.len() as u32;
        let caller = self.environment;
        self.state.environments.push(Environment { parent: caller, first: first as u32, last });
        self.environment = self.state.environments.len() as u32;
        self.macro_depth += 1;
        let flow = self.execute(found.code);
        self.macro_depth -= 1;
        self.environment = caller;
        self.state.environments.pop();
        self.state.bindings.truncate(first);
        flow
    }

    /// Runs a block of `#define`. `false`: it runs within itself too often already.
    pub(super) fn run_block(&mut self, code: Target) -> Result<bool> {
        let known = self.state.blocks.iter().position(|(block, _)| *block == code);
        let at = known.unwrap_or_else(|| {
            self.state.blocks.push((code, 0));
            self.state.blocks.len() - 1
        });
        if self.state.blocks[at].1 == limits::BLOCK_DEPTH_MAX {
            return Ok(false);
        }
        self.state.blocks[at].1 += 1;
        let flow = self.execute(code);
        self.state.blocks[at].1 -= 1;
        flow.map(|_| true)
    }

    /// The text of a block.
    pub(super) fn block_text(&mut self, code: Target) -> Result<Value> {
        self.begin_text();
        self.run_block(code)?;
        self.end_text()
    }

    pub(super) fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > limits::CALL_DEPTH_MAX {
            return Err(Exceeded(FailureKind::Depth).into());
        }
        Ok(())
    }
}
