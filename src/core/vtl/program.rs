//! A compiled template: a flat list of steps, with names resolved.

use super::Dialect;
use super::error::Remark;
use super::methods::Method;
use super::pattern::SharedPattern;
use super::syntax::{Arithmetic, Comparison};
use super::value::{HostRef, Text, Value};
use crate::base::Place;

/// The place of a variable.
pub(super) type Slot = u16;
/// A place in the program.
pub(super) type Target = u32;

/// One step. Values go over a stack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    /// Prints a part of the program's output text.
    Text(u32, u32),
    /// A value that is the same in every run, by number: the steps stay small.
    Push(u32),
    /// An integer of more than 64 bits.
    PushBig(u16),
    Load(Slot),
    /// Of null, keeps what was there.
    Store(Slot),
    Bound(u32),
    Property(Text),
    Index,
    Call(u32),
    SetProperty(Text),
    SetIndex,
    /// In the `apigateway` dialect a reference without value is an empty text.
    OrEmpty,
    Print(u32),
    /// `$variable.name.name`: a variable and the names on the way from there, in one step.
    PrintPath(Slot, u32, u32),
    PrintBound(u32, u32),
    /// The text of an escaped reference; the value decides how many backslashes.
    PrintEscaped(u32),
    Compare(Comparison),
    /// With the operands' texts, which stand for null in a concatenation.
    Arithmetic(Arithmetic, u32),
    Jump(Target),
    JumpIf(Target),
    JumpUnless(Target),
    /// Goes on with null when the value below is null, so that arguments are not evaluated in vain.
    JumpIfNull(Target),
    List(u32),
    Map(u32),
    Range,
    BeginText,
    EndText,
    /// Begins a loop over the value on the stack, or goes past its end.
    Foreach(Slot, Target),
    /// Begins a loop over the integers between the two on the stack.
    ForeachRange(Slot, Target),
    /// The next pass, or on.
    Next(Target),
    /// `#break`: leaves loops and goes to the end of the outermost of them.
    Leave(u16, Target),
    /// `$foreach.hasNext` of the innermost loop.
    LoopHasNext,
    LoopIndex,
    LoopCount,
    CallMacro(u32),
    /// Gives the variable the block at this place.
    Define(Slot, Target),
    /// `#parse`, `#include` or `#evaluate`.
    Resource,
    /// Counts a branch as taken.
    Cover(u32),
    /// `#stop`
    Stop,
    Return,
}

/// A call of a method.
#[derive(Debug)]
pub(super) struct CallSite {
    pub(super) method: Option<Method>,
    pub(super) name: Text,
    pub(super) arguments: u8,
    /// Of a constant first argument of a method that takes a pattern.
    pub(super) pattern: Option<SharedPattern>,
}

/// A call of a macro.
#[derive(Debug)]
pub(super) struct MacroCall {
    pub(super) index: u16,
    pub(super) arguments: Box<[ArgumentCode]>,
    /// Block of `#@name()`.
    pub(super) body: Option<Target>,
    pub(super) has_word: bool,
}

/// An argument of a macro: evaluated each time it is used, unless it is constant.
#[derive(Clone, Copy, Debug)]
pub(super) enum ArgumentCode {
    Constant(Target),
    ByName { code: Target, literal: (u32, u32) },
}

#[derive(Debug)]
pub(super) struct MacroCode {
    pub(super) name: Box<str>,
    pub(super) parameters: Box<[Slot]>,
    pub(super) code: Target,
}

const _: () = assert!(size_of::<Op>() == 12, "every step reads one");

/// How a reference is printed; ranges of the output text.
#[derive(Clone, Copy, Debug)]
pub(super) struct PrintSpec {
    /// What the template has before the reference: printed even if there is nothing to print after it.
    pub(super) text: (u32, u32),
    /// Before a value.
    pub(super) before: (u32, u32),
    /// Before what stands for null.
    pub(super) before_null: (u32, u32),
    pub(super) when_null: (u32, u32),
    /// The variable whose macro argument's text stands for null.
    pub(super) literal_of: Option<Slot>,
}

/// An `#if`, `#elseif` or `#else` of a template compiled for coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Where it is.
    pub place: Place,
    /// Whether it is the `#else`, written or not.
    pub is_else: bool,
}

/// A template, ready to run. It never changes: shards share it.
#[derive(Debug)]
pub struct Program {
    pub(super) dialect: Dialect,
    pub(super) ops: Box<[Op]>,
    /// Texts that are printed.
    pub(super) output: Box<str>,
    /// Names on the way from a variable to what is printed.
    pub(super) paths: Box<[Box<[Box<str>]>]>,
    /// Texts that are values or names.
    pub(super) constants: Box<str>,
    /// Values that are the same in every run.
    pub(super) values: Box<[Value]>,
    pub(super) bigs: Box<[i128]>,
    pub(super) slots: Box<[Box<str>]>,
    /// Variables that the host knows.
    pub(super) roots: Box<[(Slot, HostRef)]>,
    pub(super) calls: Box<[CallSite]>,
    pub(super) macro_calls: Box<[MacroCall]>,
    pub(super) macros: Box<[MacroCode]>,
    pub(super) prints: Box<[PrintSpec]>,
    /// Where each step comes from.
    pub(super) places: Box<[Place]>,
    /// `$foreach`, `$velocityCount`, `$velocityHasNext` where the template uses them.
    pub(super) foreach: Option<Slot>,
    pub(super) count: Option<Slot>,
    pub(super) has_next: Option<Slot>,
    pub(super) branches: Box<[Branch]>,
    /// Text of operands that stand for null in a concatenation.
    pub(super) operands: Box<[[(u32, u32); 2]]>,
    pub(super) body_content: Option<Slot>,
    pub(super) remarks: Box<[Remark]>,
}

impl Program {
    /// The text, when every run gives the same.
    pub fn constant(&self) -> Option<&str> {
        match &*self.ops {
            [Op::Return] => Some(""),
            [Op::Text(start, end), Op::Return] => Some(self.printed_text((*start, *end))),
            _ => None,
        }
    }

    /// The bound reference that is all there is, if so: the template prints it and nothing else.
    pub fn only_bound(&self) -> Option<u32> {
        match &*self.ops {
            [Op::PrintBound(number, spec), Op::Return] => {
                let spec = self.prints[*spec as usize];
                (self.printed(spec.before).is_empty()).then_some(*number)
            }
            _ => None,
        }
    }

    /// What is worth knowing before it runs.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// Branches, in the order of the template; empty unless compiled for coverage.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    pub(super) fn printed_text(&self, range: (u32, u32)) -> &str {
        &self.output[range.0 as usize..range.1 as usize]
    }

    /// The same in bytes, as it goes out: nothing has to be known about where characters begin.
    #[inline]
    pub(super) fn printed(&self, range: (u32, u32)) -> &[u8] {
        &self.output.as_bytes()[range.0 as usize..range.1 as usize]
    }

    pub(super) fn constant_text(&self, text: Text) -> &str {
        &self.constants[text.start as usize..(text.start + text.length) as usize]
    }
}
