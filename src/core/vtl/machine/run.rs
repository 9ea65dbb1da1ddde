//! Step after step.

use super::evaluate::is_true;
use super::{Flow, Result, Run};
use crate::vtl::error::FailureKind;
use crate::vtl::host::Host;
use crate::vtl::program::{Op, PrintSpec, Slot, Target};
use crate::vtl::value::{Exceeded, Text, Value};

impl<H: Host> Run<'_, H> {
    #[inline]
    pub(super) fn push(&mut self, value: Value) {
        self.state.stack.push(value);
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Value {
        self.state.stack.pop().unwrap_or(Value::Null)
    }

    fn top(&self) -> Value {
        self.state.stack.last().copied().unwrap_or(Value::Null)
    }

    /// Runs from `start` to the routine's end, and notes where it fails.
    pub(super) fn execute(&mut self, start: Target) -> Result<Flow> {
        self.enter()?;
        let (loops, outputs) = (self.state.loops.len(), self.state.outputs_used);
        let mut pc = start as usize;
        let flow = self.steps(&mut pc);
        self.depth -= 1;
        match flow {
            Ok(flow) => {
                // `#break` may have left loops and strings of this routine unfinished.
                self.end_loops_above(loops);
                self.unwind(self.state.stack.len(), outputs);
                Ok(flow)
            }
            Err(mut trouble) => {
                let places = &self.program.places;
                trouble.0.place = trouble.0.place.or_else(|| places.get(pc.saturating_sub(1)).copied());
                Err(trouble)
            }
        }
    }

    fn steps(&mut self, at: &mut usize) -> Result<Flow> {
        let program = self.program;
        let mut pc = *at;
        loop {
            let op = &program.ops[pc];
            pc += 1;
            *at = pc;
            self.fuel = self.fuel.checked_sub(1).ok_or(Exceeded(FailureKind::Steps))?;
            match *op {
                Op::Text(start, end) => {
                    self.out.extend_from_slice(program.printed((start, end)));
                    self.check_output()?;
                }
                Op::PrintPath(slot, path, spec) => self.print_path(slot, path, spec)?,
                Op::LoopHasNext => {
                    let has_next = self.state.loops.last().is_some_and(|current| current.has_next);
                    self.push(Value::Bool(has_next));
                }
                Op::Jump(target) => pc = target as usize,
                Op::JumpUnless(target) => {
                    if !is_true(self.pop()) {
                        pc = target as usize;
                    }
                }
                Op::JumpIf(target) => {
                    if is_true(self.pop()) {
                        pc = target as usize;
                    }
                }
                Op::JumpIfNull(target) => {
                    if self.top() == Value::Null {
                        pc = target as usize;
                    }
                }
                Op::Foreach(slot, end) => {
                    if !self.begin_loop(slot)? {
                        pc = end as usize;
                    }
                }
                Op::ForeachRange(slot, end) => {
                    if !self.begin_range(slot)? {
                        pc = end as usize;
                    }
                }
                Op::Next(body) => {
                    if self.next_pass() {
                        pc = body as usize;
                    }
                }
                Op::Leave(loops, target) => {
                    self.leave_loops(loops);
                    pc = target as usize;
                }
                Op::CallMacro(call) => {
                    if self.call_macro(&program.macro_calls[call as usize])? == Flow::Stopped {
                        return Ok(Flow::Stopped);
                    }
                }
                Op::Return => return Ok(Flow::Returned),
                Op::Stop => return Ok(Flow::Stopped),
                _ => self.step(*op)?,
            }
        }
    }

    /// A step that goes on to the next.
    fn step(&mut self, op: Op) -> Result<()> {
        let program = self.program;
        match op {
            Op::Push(value) => self.push(program.values[value as usize]),
            Op::PushBig(index) => {
                let big = self.memory.big(program.bigs[usize::from(index)])?;
                self.push(big);
            }
            Op::Load(slot) => {
                let value = self.load(slot)?;
                self.push(value);
            }
            Op::Store(slot) => match self.pop() {
                Value::Null => {}
                value => self.store(slot, value),
            },
            Op::Bound(number) => {
                let value = self.host.bound(number, self.memory)?;
                self.push(self.settled(value));
            }
            Op::Property(name) => {
                let value = self.pop();
                let found = self.property(value, self.program.constant_text(name))?;
                self.push(found);
            }
            Op::Index => {
                let (key, value) = (self.pop(), self.pop());
                let found = self.index(value, key)?;
                self.push(found);
            }
            Op::Call(site) => self.call(&program.calls[site as usize])?,
            Op::SetProperty(name) => {
                let (target, value) = (self.pop(), self.pop());
                self.set_property(target, Value::Text(name), value)?;
            }
            Op::SetIndex => {
                let (key, target, value) = (self.pop(), self.pop(), self.pop());
                self.set_index(target, key, value)?;
            }
            Op::OrEmpty => {
                if let Some(top @ Value::Null) = self.state.stack.last_mut() {
                    *top = Value::Text(Text { start: 0, length: 0 });
                }
            }
            other => self.compute_or_print(other)?,
        }
        Ok(())
    }

    fn compute_or_print(&mut self, op: Op) -> Result<()> {
        let program = self.program;
        match op {
            Op::Print(spec) => {
                let value = self.pop();
                self.print_with(value, &program.prints[spec as usize])?;
            }
            Op::PrintBound(number, spec) => self.print_bound(number, &program.prints[spec as usize])?,
            Op::PrintEscaped(spec) => self.print_escaped(&program.prints[spec as usize]),
            Op::Compare(how) => self.compare(how)?,
            Op::Arithmetic(how, operands) => self.arithmetic(how, program.operands[operands as usize])?,
            Op::List(count) => self.make_list(count as usize)?,
            Op::Map(count) => self.make_map(count as usize)?,
            Op::Range => self.make_range()?,
            Op::BeginText => self.begin_text(),
            Op::EndText => {
                let text = self.end_text()?;
                self.push(text);
            }
            Op::LoopIndex => self.push_count(0),
            Op::LoopCount => self.push_count(1),
            Op::Define(slot, code) => self.store(slot, Value::Block(code)),
            Op::Resource => {
                let message = "a template stands alone: there is nothing to include, and no text is run as a template";
                return Err(super::Trouble::new(FailureKind::Resource, message));
            }
            Op::Cover(branch) => self.cover(branch as usize),
            _ => unreachable!("the other steps were taken"),
        }
        Ok(())
    }

    fn push_count(&mut self, first: i32) {
        let index = self.state.loops.last().map_or(0, |current| current.index as i32);
        self.push(Value::Int(first + index));
    }

    fn cover(&mut self, branch: usize) {
        if self.covered.len() <= branch {
            self.covered.resize(branch + 1, false);
        }
        self.covered[branch] = true;
    }

    /// Prints a value, or what stands for it when there is none.
    fn print_with(&mut self, value: Value, spec: &PrintSpec) -> Result<()> {
        if value == Value::Null {
            self.print_null(spec);
            return self.check_output();
        }
        let start = self.out.len();
        if spec.before.0 < spec.before.1 {
            self.out.extend_from_slice(self.program.printed(spec.before));
        }
        match value {
            // A block that may not run within itself once more is without value.
            Value::Block(code) if !self.run_block(code)? => {
                self.out.truncate(start);
                self.print_null(spec);
                Ok(())
            }
            Value::Block(_) => Ok(()),
            value => self.print(value),
        }
    }

    fn print_null(&mut self, spec: &PrintSpec) {
        let program = self.program;
        self.out.extend_from_slice(program.printed(spec.before_null));
        let literal = spec.literal_of.and_then(|slot| self.literal_of(slot));
        self.out.extend_from_slice(program.printed(literal.unwrap_or(spec.when_null)));
    }

    fn print_escaped(&mut self, spec: &PrintSpec) {
        let program = self.program;
        let is_null = self.pop() == Value::Null;
        self.out.extend_from_slice(program.printed(spec.before));
        if is_null {
            self.out.push(b'\\');
        }
        let literal = spec.literal_of.and_then(|slot| self.literal_of(slot));
        self.out.extend_from_slice(program.printed(literal.unwrap_or(spec.when_null)));
    }

    fn print_bound(&mut self, number: u32, spec: &PrintSpec) -> Result<()> {
        let program = self.program;
        let start = self.out.len();
        self.out.extend_from_slice(program.printed(spec.before));
        if !self.host.print_bound(number, self.memory, &mut self.out)? {
            self.out.truncate(start);
            self.print_null(spec);
        }
        self.check_output()
    }

    /// A variable, or what names lead to from there.
    fn print_path(&mut self, slot: Slot, path: u32, spec: u32) -> Result<()> {
        let program = self.program;
        let spec = &program.prints[spec as usize];
        self.out.extend_from_slice(program.printed(spec.text));
        let names = &program.paths[path as usize];
        let value = match self.state.variables[usize::from(slot)] {
            // Read in the parts in which it was written: a value as a whole would wait until it is in memory.
            Value::Host(at) if self.environment == 0 => self.follow(at, names)?,
            _ => {
                let value = self.load(slot)?;
                self.properties(value, names)?
            }
        };
        match value {
            Value::Host(at) if self.host.print(at, &mut self.out) => self.check_output(),
            value => self.print_with(self.settled(value), spec),
        }
    }

    /// From here on, what is printed becomes a string.
    pub(super) fn begin_text(&mut self) {
        let state = &mut *self.state;
        if state.outputs_used == state.outputs.len() {
            state.outputs.push(Vec::new());
        }
        std::mem::swap(&mut self.out, &mut state.outputs[state.outputs_used]);
        self.waiting += state.outputs[state.outputs_used].len();
        state.outputs_used += 1;
        self.out.clear();
    }

    pub(super) fn end_text(&mut self) -> Result<Value> {
        let text = self.memory.text(&String::from_utf8_lossy(&self.out));
        self.resume_output();
        Ok(text?)
    }

    fn resume_output(&mut self) {
        let state = &mut *self.state;
        state.outputs_used -= 1;
        self.out.clear();
        std::mem::swap(&mut self.out, &mut state.outputs[state.outputs_used]);
        self.waiting -= self.out.len();
    }

    /// Drops strings and values that were begun.
    pub(super) fn unwind(&mut self, stack: usize, outputs: usize) {
        self.state.stack.truncate(stack);
        while self.state.outputs_used > outputs {
            self.resume_output();
        }
    }
}
