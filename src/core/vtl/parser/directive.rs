//! Directives that are not part of the grammar: `#foreach`, `#macro`, `#define`, calls of macros.

use super::{Parser, Result, push_text};
use crate::base::Place;
use crate::vtl::Dialect;
use crate::vtl::error::Error;
use crate::vtl::syntax::{Block, Call, Define, Expr, ExprKind, Foreach, Macro, Node, Reference};
use crate::vtl::token::{Kind, Token};

/// What stands between a directive's parentheses.
enum Argument {
    Word(Box<str>),
    Value(Expr),
}

/// A directive's name and where it began.
struct Head {
    name: Box<str>,
    start: usize,
    place: Place,
}

impl Parser<'_> {
    pub(super) fn directive(&mut self, block: &mut Block) -> Result<()> {
        let place = self.here();
        let token = self.advance()?;
        let head = Head { name: self.name_of(&token).into(), start: token.start, place };
        self.lexer.enter_directive();
        if !self.has_parenthesis() {
            self.lexer.leave_directive();
            return self.bare(&head, &token, block);
        }
        let arguments = self.arguments()?;
        let has_block = head.name.starts_with('@') || takes_block(&head.name);
        if !has_block {
            let end = self.end_before();
            return self.line(head, arguments, end, block);
        }
        let inside = self.end_before();
        let body = self.block()?;
        let after = self.start()?;
        let end = self.expect(Kind::End)?.end;
        let node = match &*head.name {
            "foreach" => foreach(&head, arguments, body)?,
            "macro" => self.define_macro(&head, arguments, body)?,
            "define" => define(&head, arguments, body)?,
            "literal" => Node::Text(self.source[inside..after].into()),
            _ => self.call(&head, arguments, Some(body), end),
        };
        block.push(node);
        Ok(())
    }

    fn name_of(&self, token: &Token) -> &str {
        let image = self.text(token);
        match token.kind {
            Kind::BracketedWord => image.get(2..image.len() - 1).unwrap_or_default(),
            _ => image.get(1..).unwrap_or_default(),
        }
    }

    /// Whether an opening parenthesis comes next, perhaps after space.
    fn has_parenthesis(&self) -> bool {
        let rest = &self.source[self.lexer.position()..];
        rest.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('(')
    }

    fn arguments(&mut self) -> Result<Vec<Argument>> {
        self.skip(Kind::Whitespace)?;
        self.expect(Kind::ParenLeft)?;
        let mut arguments = Vec::new();
        loop {
            self.skip(Kind::Whitespace)?;
            if self.skip(Kind::Comma)? {
                self.skip(Kind::Whitespace)?;
            } else if self.kind()? == Kind::ParenRight {
                self.advance()?;
                return Ok(arguments);
            }
            let argument = match self.kind()? {
                Kind::Word => {
                    let token = self.advance()?;
                    Argument::Word(self.text(&token).into())
                }
                _ => Argument::Value(self.simple()?),
            };
            arguments.push(argument);
        }
    }

    /// A directive without parentheses.
    fn bare(&mut self, head: &Head, token: &Token, block: &mut Block) -> Result<()> {
        let refuse = |message: &str| Err(Error { place: head.place, message: message.to_owned() });
        match &*head.name {
            "break" => block.push(Node::Break(None, head.place)),
            "stop" => block.push(Node::Stop),
            "macro" => return refuse("`#macro` needs a name: `#macro(name $parameter)`"),
            "foreach" => return refuse("`#foreach` needs `($item in $list)`"),
            "define" => return refuse("`#define` needs `($name)`"),
            "literal" => return refuse("`#literal` needs `()`"),
            "evaluate" if self.dialect == Dialect::Velocity => return refuse("`#evaluate` needs one argument"),
            "include" | "parse" if self.dialect == Dialect::Velocity => block.push(Node::Resource(head.place)),
            name if name.starts_with('@') => push_text(block, &format!("#{name}")),
            _ => {
                let call = self.call(head, Vec::new(), None, token.end);
                block.push(call);
            }
        }
        Ok(())
    }

    /// A directive with parentheses and no block.
    fn line(&mut self, head: Head, mut arguments: Vec<Argument>, end: usize, block: &mut Block) -> Result<()> {
        let is_velocity = self.dialect == Dialect::Velocity;
        let node = match &*head.name {
            "break" => match arguments.pop() {
                None => Node::Break(None, head.place),
                Some(argument) => Node::Break(Some(variable(&head, argument)?), head.place),
            },
            "stop" => Node::Stop,
            "evaluate" if is_velocity => match (arguments.pop(), arguments.is_empty()) {
                (Some(Argument::Value(value)), true) if is_evaluable(&value) => Node::Resource(head.place),
                _ => return Err(head.error("`#evaluate` takes one string or reference")),
            },
            "include" | "parse" if is_velocity => Node::Resource(head.place),
            _ => self.call(&head, arguments, None, end),
        };
        block.push(node);
        Ok(())
    }

    fn call(&self, head: &Head, arguments: Vec<Argument>, body: Option<Block>, end: usize) -> Node {
        let has_word = arguments.iter().any(|argument| matches!(argument, Argument::Word(_)));
        let values = arguments.into_iter().filter_map(|argument| match argument {
            Argument::Value(value) => Some(value),
            Argument::Word(_) => None,
        });
        Node::Call(Box::new(Call {
            name: head.name.strip_prefix('@').unwrap_or(&head.name).into(),
            arguments: values.collect(),
            has_word,
            body,
            literal: self.source[head.start..end].into(),
            place: head.place,
        }))
    }

    fn define_macro(&mut self, head: &Head, arguments: Vec<Argument>, block: Block) -> Result<Node> {
        let mut arguments = arguments.into_iter();
        let Some(Argument::Word(name)) = arguments.next() else {
            return Err(head.error("`#macro` begins with a name without quotes: `#macro(name $parameter)`"));
        };
        let mut parameters = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Value(Expr { kind: ExprKind::Reference(reference), .. }) => {
                    parameters.push(reference.assigned.clone());
                }
                Argument::Value(value) => parameters.push(value.literal),
                Argument::Word(word) => {
                    return Err(head.error(&format!("`{word}` is no parameter: write `${word}`")));
                }
            }
        }
        self.macros.insert(name.clone());
        Ok(Node::Macro(Box::new(Macro { name, parameters, block })))
    }
}

impl Head {
    fn error(&self, message: &str) -> Error {
        Error { place: self.place, message: message.to_owned() }
    }
}

fn takes_block(name: &str) -> bool {
    matches!(name, "foreach" | "macro" | "define" | "literal")
}

fn is_evaluable(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Text(_) | ExprKind::Interpolated(_) | ExprKind::Reference(_))
}

fn variable(head: &Head, argument: Argument) -> Result<Reference> {
    match argument {
        Argument::Value(Expr { kind: ExprKind::Reference(reference), .. }) => Ok(*reference),
        _ => Err(head.error(&format!("`#{}` takes a reference here", head.name))),
    }
}

fn foreach(head: &Head, arguments: Vec<Argument>, block: Block) -> Result<Node> {
    let mut arguments = arguments.into_iter();
    match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(item), Some(_), Some(Argument::Value(list))) => {
            let variable = variable(head, item)?.root;
            // Velocity takes what follows the list for the block.
            let block = match arguments.next() {
                None => block,
                Some(Argument::Value(Expr { kind: ExprKind::Reference(reference), .. })) => {
                    vec![Node::Print(reference)]
                }
                Some(_) => Block::new(),
            };
            Ok(Node::Foreach(Box::new(Foreach { variable, list, block, place: head.place })))
        }
        _ => Err(head.error("`#foreach` reads `#foreach($item in $list)`")),
    }
}

fn define(head: &Head, mut arguments: Vec<Argument>, block: Block) -> Result<Node> {
    match (arguments.pop(), arguments.is_empty()) {
        (Some(argument), true) => {
            let name = variable(head, argument)?.assigned;
            Ok(Node::Define(Box::new(Define { name, block })))
        }
        _ => Err(head.error("`#define` takes one variable: `#define($name)`")),
    }
}
