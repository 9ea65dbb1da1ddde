//! Tree to program: names become slots, texts that stand together one, constants what they come to.

mod expression;
mod reference;
mod survey;

pub(super) use expression::holds;

use std::collections::HashMap;

use super::Dialect;
use super::error::{Error, Remark};
use super::host::Names;
use super::program::{ArgumentCode, Branch, CallSite, MacroCall, MacroCode, Op, PrintSpec, Program, Slot, Target};
use super::syntax::{Block, Call, Define, ExprKind, Foreach, If, Macro, Node, Reference, Set, Step};
use super::value::{Text, Value};
use crate::base::Place;
use survey::Survey;

type Result<T> = std::result::Result<T, Error>;

/// Whether a program counts the branches it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// It does, for tests of templates.
    Counted,
    /// It does not.
    Off,
}

/// What is true for a whole compilation.
pub(super) struct Settings {
    pub(super) dialect: Dialect,
    pub(super) coverage: Coverage,
}

pub(super) struct Compiler<'c> {
    settings: Settings,
    names: &'c mut dyn Names,
    survey: Survey<'c>,
    ops: Vec<Op>,
    places: Vec<Place>,
    place: Place,
    output: String,
    constants: String,
    constant_texts: HashMap<Box<str>, Text>,
    slots: Vec<Box<str>>,
    slot_of: HashMap<Box<str>, Slot>,
    calls: Vec<CallSite>,
    macro_calls: Vec<MacroCall>,
    macros: Vec<MacroCode>,
    prints: Vec<PrintSpec>,
    paths: Vec<Box<[Box<str>]>>,
    operands: Vec<[(u32, u32); 2]>,
    values: Vec<Value>,
    bigs: Vec<i128>,
    remarks: Vec<Remark>,
    branches: Vec<Branch>,
    /// The loops around this place, within the routine: the jumps to their ends.
    loops: Vec<Vec<usize>>,
    /// A jump leads here: what stands before is not joined with what comes.
    label: usize,
}

/// Compiles a tree.
pub(super) fn compile(block: &Block, settings: Settings, names: &mut dyn Names) -> Result<Program> {
    let mut compiler = Compiler {
        settings,
        names,
        survey: Survey::of(block),
        ops: Vec::new(),
        places: Vec::new(),
        place: Place { line: 1, column: 1 },
        output: String::new(),
        constants: String::new(),
        constant_texts: HashMap::new(),
        slots: Vec::new(),
        slot_of: HashMap::new(),
        calls: Vec::new(),
        macro_calls: Vec::new(),
        macros: Vec::new(),
        prints: Vec::new(),
        paths: Vec::new(),
        operands: Vec::new(),
        values: Vec::new(),
        bigs: Vec::new(),
        remarks: Vec::new(),
        branches: Vec::new(),
        loops: Vec::new(),
        label: 0,
    };
    compiler.block(block)?;
    compiler.emit(Op::Return);
    compiler.define_macros()?;
    Ok(compiler.finish())
}

impl<'c> Compiler<'c> {
    fn finish(self) -> Program {
        let slot = |name: &str| self.slot_of.get(name).copied();
        let roots = self.slots.iter().enumerate();
        let roots = roots.filter_map(|(slot, name)| Some((slot as Slot, self.names.root(name)?))).collect();
        Program {
            dialect: self.settings.dialect,
            roots,
            foreach: slot("foreach"),
            count: slot("velocityCount"),
            has_next: slot("velocityHasNext"),
            body_content: slot("bodyContent"),
            ops: self.ops.into(),
            places: self.places.into(),
            output: self.output.into(),
            constants: self.constants.into(),
            values: self.values.into(),
            bigs: self.bigs.into(),
            remarks: self.remarks.into(),
            slots: self.slots.into(),
            calls: self.calls.into(),
            macro_calls: self.macro_calls.into(),
            macros: self.macros.into(),
            prints: self.prints.into(),
            paths: self.paths.into(),
            branches: self.branches.into(),
            operands: self.operands.into(),
        }
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        block.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &Node) -> Result<()> {
        match node {
            Node::Text(text) => self.text(text),
            Node::Print(reference) => self.print(reference)?,
            Node::Set(set) => self.set(set)?,
            Node::If(node) => self.if_node(node)?,
            Node::Foreach(foreach) => self.foreach(foreach)?,
            // Known already.
            Node::Macro(_) => {}
            Node::Call(call) => self.call(call)?,
            Node::Define(define) => self.define(define)?,
            Node::Break(scope, place) => self.leave(scope.as_ref(), *place)?,
            Node::Stop => drop(self.emit(Op::Stop)),
            Node::Resource(place) => {
                self.place = *place;
                self.emit(Op::Resource);
            }
        }
        Ok(())
    }

    fn set(&mut self, set: &Set) -> Result<()> {
        self.value(&set.value)?;
        let target = &set.target;
        self.place = target.place;
        let Some((last, before)) = target.steps.split_last() else {
            let slot = self.slot(&target.assigned)?;
            self.emit(Op::Store(slot));
            return Ok(());
        };
        let slot = self.slot(&target.root)?;
        self.emit(Op::Load(slot));
        self.steps(before)?;
        match last {
            Step::Property(name) | Step::Method { name, .. } => {
                let name = self.constant(name);
                self.emit(Op::SetProperty(name));
            }
            Step::Index(index, place) => {
                self.value(index)?;
                self.place = *place;
                self.emit(Op::SetIndex);
            }
        }
        Ok(())
    }

    fn if_node(&mut self, node: &If) -> Result<()> {
        let mut ends = Vec::new();
        for (index, arm) in node.arms.iter().enumerate() {
            self.place = arm.place;
            let mut otherwise = Vec::new();
            self.jump_unless(&arm.condition, &mut otherwise)?;
            self.cover(arm.place, false);
            self.block(&arm.block)?;
            // The last arm needs no jump over what is not there.
            let is_last = index + 1 == node.arms.len() && node.otherwise.is_none();
            if !is_last || self.settings.coverage == Coverage::Counted {
                ends.push(self.emit(Op::Jump(0)));
            }
            self.bind_all(otherwise);
        }
        match &node.otherwise {
            Some((block, place)) => {
                self.cover(*place, true);
                self.block(block)?;
            }
            None => self.cover(node.arms[0].place, true),
        }
        self.bind_all(ends);
        Ok(())
    }

    fn cover(&mut self, place: Place, is_else: bool) {
        if self.settings.coverage == Coverage::Counted {
            self.emit(Op::Cover(self.branches.len() as u32));
            self.branches.push(Branch { place, is_else });
        }
    }

    fn foreach(&mut self, foreach: &Foreach) -> Result<()> {
        let variable = self.slot(&foreach.variable)?;
        let begin = match &foreach.list.kind {
            ExprKind::Range(first, last) => {
                self.value(first)?;
                self.value(last)?;
                self.place = foreach.place;
                self.emit(Op::ForeachRange(variable, 0))
            }
            _ => {
                self.value(&foreach.list)?;
                self.place = foreach.place;
                self.emit(Op::Foreach(variable, 0))
            }
        };
        let body = self.here();
        self.loops.push(vec![begin]);
        self.block(&foreach.block)?;
        self.place = foreach.place;
        self.emit(Op::Next(body));
        let ends = self.loops.pop().unwrap_or_default();
        self.bind_all(ends);
        Ok(())
    }

    /// `#break`: out of the loop, or of what is run when there is none.
    fn leave(&mut self, scope: Option<&Reference>, place: Place) -> Result<()> {
        self.place = place;
        let levels = match scope {
            None => 1,
            Some(scope) => levels_of(scope).ok_or_else(|| {
                let message = format!("`{}` is no scope: `#break` takes `$foreach` or its parents", scope.literal);
                Error { place, message }
            })?,
        };
        if levels > self.loops.len() {
            self.emit(Op::Return);
            return Ok(());
        }
        let jump = self.emit(Op::Leave(levels as u16, 0));
        let outermost = self.loops.len() - levels;
        self.loops[outermost].push(jump);
        Ok(())
    }

    fn define(&mut self, define: &Define) -> Result<()> {
        let slot = self.slot(&define.name)?;
        let code = self.routine(|compiler| compiler.block(&define.block))?;
        self.emit(Op::Define(slot, code));
        Ok(())
    }

    /// Code that is called, with a jump around it.
    fn routine(&mut self, emit: impl FnOnce(&mut Self) -> Result<()>) -> Result<Target> {
        let around = self.emit(Op::Jump(0));
        let code = self.here();
        let loops = std::mem::take(&mut self.loops);
        emit(self)?;
        self.loops = loops;
        self.emit(Op::Return);
        self.bind(around);
        Ok(code)
    }

    fn call(&mut self, call: &Call) -> Result<()> {
        self.place = call.place;
        let Some(&(index, _)) = self.survey.macros.get(&*call.name) else {
            self.text(&call.literal);
            return Ok(());
        };
        let mut arguments = Vec::new();
        for argument in &call.arguments {
            let code = self.routine(|compiler| compiler.value(argument))?;
            arguments.push(match argument.kind {
                ExprKind::Bool(_) | ExprKind::Integer(_) | ExprKind::Float(_) => ArgumentCode::Constant(code),
                _ => ArgumentCode::ByName { code, literal: self.print_text(&argument.literal) },
            });
        }
        let body = match &call.body {
            Some(block) => {
                self.slot("bodyContent")?;
                Some(self.routine(|compiler| compiler.block(block))?)
            }
            None => None,
        };
        self.place = call.place;
        let call = MacroCall { index, arguments: arguments.into(), body, has_word: call.has_word };
        self.macro_calls.push(call);
        self.emit(Op::CallMacro(self.macro_calls.len() as u32 - 1));
        Ok(())
    }

    fn define_macros(&mut self) -> Result<()> {
        let mut macros: Vec<(u16, &'c Macro)> = self.survey.macros.values().copied().collect();
        macros.sort_by_key(|(index, _)| *index);
        for (_, found) in macros {
            let code = self.here();
            let parameters = found.parameters.iter().map(|name| self.slot(name)).collect::<Result<_>>()?;
            self.block(&found.block)?;
            self.emit(Op::Return);
            self.macros.push(MacroCode { name: found.name.clone(), parameters, code });
        }
        Ok(())
    }

    // Steps and their places.

    fn emit(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.places.push(self.place);
        self.ops.len() - 1
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
        self.emit(Op::Push(self.values.len() as u32 - 1));
    }

    /// This place, to be jumped to.
    fn here(&mut self) -> Target {
        self.label = self.ops.len();
        self.label as Target
    }

    /// Lets a jump lead here.
    fn bind(&mut self, jump: usize) {
        let here = self.here();
        match &mut self.ops[jump] {
            Op::Jump(target)
            | Op::JumpIf(target)
            | Op::JumpUnless(target)
            | Op::JumpIfNull(target)
            | Op::Foreach(_, target)
            | Op::ForeachRange(_, target)
            | Op::Leave(_, target) => *target = here,
            other => unreachable!("{other:?} does not jump"),
        }
    }

    fn bind_all(&mut self, jumps: Vec<usize>) {
        jumps.into_iter().for_each(|jump| self.bind(jump));
    }

    // Texts and names.

    /// Prints a text, with the one before if that was printed just now.
    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let start = self.output.len() as u32;
        self.output.push_str(text);
        let end = self.output.len() as u32;
        let can_join = self.ops.len() > self.label;
        match self.ops.last_mut() {
            Some(Op::Text(_, last)) if can_join && *last == start => *last = end,
            _ => drop(self.emit(Op::Text(start, end))),
        }
    }

    /// Takes back the text that was printed just now, for a step that prints it too.
    fn take_text(&mut self) -> (u32, u32) {
        match self.ops.last() {
            Some(&Op::Text(start, end)) if self.ops.len() > self.label => {
                self.ops.pop();
                self.places.pop();
                (start, end)
            }
            _ => (0, 0),
        }
    }

    /// Keeps a text that may be printed.
    fn print_text(&mut self, text: &str) -> (u32, u32) {
        if text.is_empty() {
            return (0, 0);
        }
        let start = self.output.len() as u32;
        self.output.push_str(text);
        (start, self.output.len() as u32)
    }

    fn constant(&mut self, text: &str) -> Text {
        if let Some(&known) = self.constant_texts.get(text) {
            return known;
        }
        let start = self.constants.len() as u32;
        let constant = Text { start, length: text.len() as u32 };
        self.constants.push_str(text);
        self.constant_texts.insert(text.into(), constant);
        constant
    }

    fn slot(&mut self, name: &str) -> Result<Slot> {
        if let Some(&slot) = self.slot_of.get(name) {
            return Ok(slot);
        }
        let Ok(slot) = Slot::try_from(self.slots.len()) else {
            let message = format!("more than {} variables", Slot::MAX);
            return Err(Error { place: self.place, message });
        };
        self.slots.push(name.into());
        self.slot_of.insert(name.into(), slot);
        Ok(slot)
    }
}

/// How many loops `$foreach`, `$foreach.parent`, … names.
fn levels_of(scope: &Reference) -> Option<usize> {
    let is_parent = |step: &Step| matches!(step, Step::Property(name) if &**name == "parent");
    (&*scope.root == "foreach" && scope.steps.iter().all(is_parent)).then(|| scope.steps.len() + 1)
}
