//! What must be known of a whole template before its first step is emitted.

use std::collections::{HashMap, HashSet};

use crate::vtl::syntax::{Block, Expr, ExprKind, Macro, Node, Reference, Step};

/// Macros and the names that the template gives values to.
#[derive(Default)]
pub(super) struct Survey<'c> {
    /// Every macro, wherever it is defined; of two with one name, the first.
    pub(super) macros: HashMap<&'c str, (u16, &'c Macro)>,
    /// Variables that are set, of loops, parameters and blocks.
    assigned: HashSet<&'c str>,
    /// Objects of which a property or index is set.
    changed: HashSet<&'c str>,
}

impl<'c> Survey<'c> {
    pub(super) fn of(block: &'c Block) -> Self {
        let mut survey = Self::default();
        survey.block(block);
        survey
    }

    /// Whether the template changes the object.
    pub(super) fn is_changed(&self, name: &str) -> bool {
        self.changed.contains(name) || self.assigned.contains(name)
    }

    fn block(&mut self, block: &'c Block) {
        block.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &'c Node) {
        match node {
            Node::Text(_) | Node::Break(..) | Node::Stop | Node::Resource(_) => {}
            Node::Print(reference) => self.reference(reference),
            Node::Set(set) => {
                match set.target.steps.is_empty() {
                    true => self.assigned.insert(&set.target.assigned),
                    false => self.changed.insert(&set.target.root),
                };
                self.reference(&set.target);
                self.expression(&set.value);
            }
            Node::If(node) => {
                for arm in &node.arms {
                    self.expression(&arm.condition);
                    self.block(&arm.block);
                }
                node.otherwise.iter().for_each(|(block, _)| self.block(block));
            }
            Node::Foreach(foreach) => {
                self.assigned.insert(&foreach.variable);
                self.expression(&foreach.list);
                self.block(&foreach.block);
            }
            Node::Macro(found) => {
                let index = self.macros.len() as u16;
                self.macros.entry(&found.name).or_insert((index, found));
                self.assigned.extend(found.parameters.iter().map(|name| &**name));
                self.block(&found.block);
            }
            Node::Call(call) => {
                call.arguments.iter().for_each(|argument| self.expression(argument));
                call.body.iter().for_each(|body| self.block(body));
            }
            Node::Define(define) => {
                self.assigned.insert(&define.name);
                self.block(&define.block);
            }
        }
    }

    fn reference(&mut self, reference: &'c Reference) {
        for step in &reference.steps {
            match step {
                Step::Property(_) => {}
                Step::Index(index, _) => self.expression(index),
                Step::Method { name, arguments, .. } => {
                    // `$context.put(…)` changes what `$context` is.
                    if matches!(&**name, "put" | "putAll" | "remove" | "clear" | "putIfAbsent" | "set" | "replace") {
                        self.changed.insert(&reference.root);
                    }
                    arguments.iter().for_each(|argument| self.expression(argument));
                }
            }
        }
    }

    fn expression(&mut self, expression: &'c Expr) {
        match &expression.kind {
            ExprKind::Bool(_) | ExprKind::Integer(_) | ExprKind::Float(_) | ExprKind::Text(_) => {}
            ExprKind::Interpolated(block) => self.block(block),
            ExprKind::List(items) => items.iter().for_each(|item| self.expression(item)),
            ExprKind::Map(entries) => entries.iter().for_each(|(key, value)| {
                self.expression(key);
                self.expression(value);
            }),
            ExprKind::Reference(reference) => self.reference(reference),
            ExprKind::Not(operand) | ExprKind::Group(operand) => self.expression(operand),
            ExprKind::Range(left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::Arithmetic(_, left, right) => {
                self.expression(left);
                self.expression(right);
            }
        }
    }
}
