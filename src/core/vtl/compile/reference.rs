//! References: a variable or something of the host, and the way from there.

use super::expression::constant_number;
use super::{Compiler, Result};
use crate::base::pattern::Extent;
use crate::vtl::Dialect;
use crate::vtl::error::{About, Error, Remark};
use crate::vtl::host::{Binding, Bound, Constant, Link, Written};
use crate::vtl::methods::Method;
use crate::vtl::number::Number;
use crate::vtl::pattern::{self, SharedPattern};
use crate::vtl::program::{CallSite, Op, PrintSpec};
use crate::vtl::syntax::{Expr, ExprKind, Reference, Shape, Step};
use crate::vtl::value::Value;

impl Compiler<'_> {
    /// Puts the value of a reference on the stack.
    pub(super) fn reference(&mut self, reference: &Reference) -> Result<()> {
        self.raw_reference(reference)?;
        if self.settings.dialect == Dialect::ApiGateway && self.loop_state(reference).is_none() {
            self.emit(Op::OrEmpty);
        }
        Ok(())
    }

    /// As [`Self::reference`], with null where there is no value.
    fn raw_reference(&mut self, reference: &Reference) -> Result<()> {
        self.place = reference.place;
        // What only looks like a reference has no value.
        if reference.print.shape == Shape::Text {
            self.push(Value::Null);
            return Ok(());
        }
        if let Some(op) = self.loop_state(reference) {
            self.emit(op);
            return Ok(());
        }
        match self.binding(reference)? {
            Some(binding) => {
                match binding.what {
                    Bound::Text(text) => {
                        let text = self.constant(&text);
                        self.push(Value::Text(text));
                    }
                    Bound::Number(number) => drop(self.emit(Op::Bound(number))),
                }
                self.steps(&reference.steps[binding.links..])
            }
            None => {
                let slot = self.slot(&reference.root)?;
                self.emit(Op::Load(slot));
                self.steps(&reference.steps)
            }
        }
    }

    /// `$foreach.hasNext` and the like, where the loop is in sight.
    fn loop_state(&self, reference: &Reference) -> Option<Op> {
        let is_loop = &*reference.root == "foreach" && !self.loops.is_empty();
        let [Step::Property(name)] = &*reference.steps else { return None };
        if !is_loop || self.survey.is_changed("foreach") {
            return None;
        }
        match &**name {
            "hasNext" => Some(Op::LoopHasNext),
            "index" => Some(Op::LoopIndex),
            "count" => Some(Op::LoopCount),
            _ => None,
        }
    }

    fn binding(&mut self, reference: &Reference) -> Result<Option<Binding>> {
        let Some(root) = self.names.root(&reference.root) else { return Ok(None) };
        if self.survey.is_changed(&reference.root) {
            return Ok(None);
        }
        let links: Vec<Link> = reference.steps.iter().map_while(link).collect();
        let place = match reference.steps.first() {
            Some(Step::Method { place, .. }) => *place,
            _ => reference.place,
        };
        let path: Vec<_> = reference.steps.iter().map_while(written).collect();
        let remark =
            self.names.look(root, &path).map(|message| Remark { place: reference.place, about: About::Name, message });
        // A reference that is printed is bound twice.
        self.remarks.extend(remark.filter(|remark| !self.remarks.contains(remark)));
        let bound = self.names.bind(root, &links);
        bound.map_err(|message| Error { place, message })
    }

    /// The way from the value on the stack.
    pub(super) fn steps(&mut self, steps: &[Step]) -> Result<()> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Property(name) => {
                let name = self.constant(name);
                self.emit(Op::Property(name));
            }
            Step::Index(index, place) => {
                self.value(index)?;
                self.place = *place;
                self.emit(Op::Index);
            }
            Step::Method { name, arguments, place } => {
                let is_plain = arguments.iter().all(|argument| constant(argument).is_some());
                let skip = (!is_plain).then(|| self.emit(Op::JumpIfNull(0)));
                arguments.iter().try_for_each(|argument| self.value(argument))?;
                self.place = *place;
                let site = self.call_site(name, arguments)?;
                self.calls.push(site);
                self.emit(Op::Call(self.calls.len() as u32 - 1));
                skip.into_iter().for_each(|jump| self.bind(jump));
            }
        }
        Ok(())
    }

    fn call_site(&mut self, name: &str, arguments: &[Expr]) -> Result<CallSite> {
        let method = Method::of(name);
        let count = u8::try_from(arguments.len())
            .map_err(|_| Error { place: self.place, message: "more than 255 arguments".to_owned() })?;
        let pattern = match (method.and_then(Method::pattern_extent), arguments.first().map(|first| &first.kind)) {
            (Some(extent), Some(ExprKind::Text(text))) => Some(self.pattern(text, extent)),
            _ => None,
        };
        Ok(CallSite { method, name: self.constant(name), arguments: count, pattern })
    }

    /// A pattern that is known now. What is remarkable about it is said.
    fn pattern(&mut self, java: &str, extent: Extent) -> SharedPattern {
        let compiled = pattern::compile(java, extent);
        let message = match &*compiled {
            Ok(pattern) if pattern.backtracks() => Some(format!(
                "the pattern `{java}` goes back and tries again: it runs with a budget, and fails on a text that exceeds it"
            )),
            Ok(_) => None,
            Err(message) => Some(message.clone()),
        };
        self.remarks.extend(message.map(|message| Remark { place: self.place, about: About::Pattern, message }));
        compiled
    }

    /// Prints a reference.
    pub(super) fn print(&mut self, reference: &Reference) -> Result<()> {
        self.place = reference.place;
        let print = &reference.print;
        let is_strict = self.settings.dialect == Dialect::Velocity;
        match print.shape {
            Shape::Text => self.text(&print.when_null),
            // Without a value it would print one backslash more, but here everything has a value.
            Shape::Escaped if !is_strict => {
                self.text(&print.escapes);
                self.text(&print.when_null);
            }
            Shape::Escaped => {
                self.raw_reference(reference)?;
                let spec = self.print_spec(reference)?;
                self.emit(Op::PrintEscaped(spec));
            }
            Shape::Value => self.print_value(reference)?,
        }
        Ok(())
    }

    fn print_value(&mut self, reference: &Reference) -> Result<()> {
        if self.loop_state(reference).is_none() {
            if let Some(binding) = self.binding(reference)? {
                if binding.links == reference.steps.len() {
                    return self.print_bound(reference, binding);
                }
            } else if let Some(op) = self.path(reference)? {
                self.emit(op);
                return Ok(());
            }
        }
        self.raw_reference(reference)?;
        let spec = self.print_spec(reference)?;
        self.emit(Op::Print(spec));
        Ok(())
    }

    fn print_bound(&mut self, reference: &Reference, binding: Binding) -> Result<()> {
        match binding.what {
            Bound::Text(text) => {
                let print = &reference.print;
                self.text(&print.escapes);
                self.text(&print.before);
                self.text(&text);
            }
            Bound::Number(number) => {
                let spec = self.print_spec(reference)?;
                self.emit(Op::PrintBound(number, spec));
            }
        }
        Ok(())
    }

    /// The commonest references, a variable and names, are printed in one step, unless something stands before them only
    /// when they have a value.
    fn path(&mut self, reference: &Reference) -> Result<Option<Op>> {
        if !reference.print.escapes.is_empty() || !reference.print.before.is_empty() {
            return Ok(None);
        }
        let name = |step: &Step| match step {
            Step::Property(name) => Some(name.clone()),
            _ => None,
        };
        let Some(names) = reference.steps.iter().map(name).collect() else { return Ok(None) };
        self.paths.push(names);
        let path = self.paths.len() as u32 - 1;
        let spec = self.print_spec(reference)?;
        self.prints[spec as usize].text = self.take_text();
        Ok(Some(Op::PrintPath(self.slot(&reference.root)?, path, spec)))
    }

    fn print_spec(&mut self, reference: &Reference) -> Result<u32> {
        let print = &reference.print;
        let is_strict = self.settings.dialect == Dialect::Velocity;
        let before = format!("{}{}", print.escapes, print.before);
        let mut spec = PrintSpec {
            text: (0, 0),
            before: self.print_text(&before),
            before_null: (0, 0),
            when_null: (0, 0),
            literal_of: None,
        };
        spec.before_null = spec.before;
        if is_strict {
            // Both halves of the backslashes: they escape nothing.
            spec.before_null = self.print_text(&format!("{}{before}", print.escapes));
            spec.when_null = self.print_text(&print.when_null);
            if let Some(name) = print.when_null.strip_prefix('$')
                && *name == *reference.root
                && !self.survey.macros.is_empty()
            {
                spec.literal_of = Some(self.slot(name)?);
            }
        }
        self.prints.push(spec);
        Ok(self.prints.len() as u32 - 1)
    }
}

fn link(step: &Step) -> Option<Link> {
    Some(match step {
        Step::Property(name) => Link::Property(name.clone()),
        Step::Index(index, _) => match constant(index)? {
            Constant::Text(name) => Link::Property(name),
            _ => return None,
        },
        Step::Method { name, arguments, .. } => {
            Link::Method(name.clone(), arguments.iter().map(constant).collect::<Option<_>>()?)
        }
    })
}

fn written(step: &Step) -> Option<Written<'_>> {
    Some(match step {
        Step::Property(name) => Written::Property(name),
        Step::Index(Expr { kind: ExprKind::Text(name), .. }, _) => Written::Property(name),
        Step::Index(..) => return None,
        Step::Method { name, arguments, .. } => Written::Method(name, arguments.len()),
    })
}

fn constant(expression: &Expr) -> Option<Constant> {
    match &expression.kind {
        ExprKind::Text(text) => Some(Constant::Text(text.clone())),
        ExprKind::Bool(value) => Some(Constant::Bool(*value)),
        _ => match constant_number(expression)? {
            Number::Int(value) => Some(Constant::Integer(value.into())),
            Number::Long(value) => Some(Constant::Integer(value)),
            _ => None,
        },
    }
}
