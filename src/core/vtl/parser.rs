//! Tokens to tree, with the grammar and the lookaheads of Velocity 1.7.
//!
//! Tokens are read one at a time and only as far as a decision needs, for what the parser has understood decides how
//! the lexer reads on.

mod directive;
mod expression;
mod reference;

use std::cell::Cell;
use std::collections::HashSet;

use super::error::Error;
use super::lexer::{Lexer, LexicalError};
use super::syntax::{Arm, Block, If, Node, Set};
use super::token::{Kind, Token};
use super::{Dialect, limits};
use crate::base::Place;

type Result<T> = std::result::Result<T, Error>;

/// Lines and columns, counted on from the place that was asked for last: a long line is counted once.
struct Lines<'t> {
    source: &'t str,
    last: Cell<(usize, Place)>,
}

impl<'t> Lines<'t> {
    fn new(source: &'t str) -> Self {
        Self { source, last: Cell::new((0, Place { line: 1, column: 1 })) }
    }

    fn place(&self, at: usize) -> Place {
        let (mut from, mut place) = self.last.get();
        if at < from {
            (from, place) = (0, Place { line: 1, column: 1 });
        }
        let between = &self.source[from..at];
        match between.rfind('\n') {
            Some(newline) => {
                place.line += memchr::memchr_iter(b'\n', between.as_bytes()).count() as u32;
                place.column = between[newline + 1..].chars().count() as u32 + 1;
            }
            None => place.column += between.chars().count() as u32,
        }
        self.last.set((at, place));
        place
    }
}

pub(super) struct Parser<'t> {
    source: &'t str,
    lexer: Lexer<'t>,
    lines: Lines<'t>,
    /// Of a string literal: where it stands in the template.
    origin: Option<Place>,
    dialect: Dialect,
    /// Read ahead, from `at` on.
    tokens: Vec<Token>,
    at: usize,
    /// Nesting of blocks and expressions.
    depth: usize,
    /// Macros defined so far: a backslash before their names is an escape.
    macros: HashSet<Box<str>>,
}

/// The tree of a template.
pub(super) fn parse(source: &str, dialect: Dialect) -> Result<Block> {
    if source.len() > limits::TEMPLATE_BYTES_MAX {
        let message = format!("a template has at most {} bytes", limits::TEMPLATE_BYTES_MAX);
        return Err(Error { place: Place { line: 1, column: 1 }, message });
    }
    // API Gateway takes the space around a template away; places are those of the whole.
    let (source, start) = match dialect {
        Dialect::ApiGateway => (source.trim_end(), source.len() - source.trim_start().len()),
        Dialect::Velocity => (source, 0),
    };
    Parser::new(source, start.min(source.len()), dialect).template()
}

impl<'t> Parser<'t> {
    fn new(source: &'t str, start: usize, dialect: Dialect) -> Self {
        Self {
            source,
            lexer: Lexer::new(source, start),
            lines: Lines::new(source),
            origin: None,
            dialect,
            tokens: Vec::new(),
            at: 0,
            depth: 0,
            macros: HashSet::new(),
        }
    }

    fn template(&mut self) -> Result<Block> {
        let block = self.block()?;
        self.expect(Kind::Eof)?;
        Ok(block)
    }

    fn block(&mut self) -> Result<Block> {
        self.enter()?;
        let mut block = Block::new();
        while self.statement(&mut block)? {}
        self.depth -= 1;
        Ok(block)
    }

    /// Parses a statement. `false`: none begins here.
    fn statement(&mut self, block: &mut Block) -> Result<bool> {
        match self.kind()? {
            Kind::If => {
                let node = self.if_statement()?;
                block.push(node);
            }
            Kind::Identifier => self.print(block)?,
            Kind::ReferenceCurlyLeft if self.kind_at(1)? == Kind::Identifier => self.print(block)?,
            Kind::LineComment => {
                let token = self.advance()?;
                // A sign right before it is text.
                push_text(block, self.text(&token).trim_end_matches('#'));
                self.skip(Kind::LineCommentEnd)?;
            }
            Kind::BlockComment => drop(self.advance()?),
            Kind::TextBlock => {
                let token = self.advance()?;
                // The signs that enclose it.
                let inside = self.text(&token).get(3..).and_then(|text| text.strip_suffix("]]#"));
                push_text(block, inside.unwrap_or_default());
            }
            Kind::Set => {
                let node = self.set_statement()?;
                block.push(node);
            }
            Kind::EscapedDirective => self.escaped_directive(block)?,
            Kind::DoubleEscape => self.escapes(block)?,
            Kind::Word | Kind::BracketedWord => self.directive(block)?,
            kind if is_text(kind) => {
                let token = self.advance()?;
                self.push_token(block, &token);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn print(&mut self, block: &mut Block) -> Result<()> {
        let (reference, _) = self.reference()?;
        block.push(Node::Print(Box::new(reference)));
        Ok(())
    }

    fn push_token(&self, block: &mut Block, token: &Token) {
        if let Some(stray) = &token.stray {
            push_text(block, stray);
        }
        push_text(block, self.text(token));
    }

    fn if_statement(&mut self) -> Result<Node> {
        let mut arms = vec![self.arm()?];
        while self.kind()? == Kind::ElseIf {
            arms.push(self.arm()?);
        }
        let mut otherwise = None;
        if self.kind()? == Kind::Else {
            let place = self.here();
            self.advance()?;
            otherwise = Some((self.block()?, place));
        }
        self.expect(Kind::End)?;
        Ok(Node::If(If { arms, otherwise }))
    }

    /// `#if(…)` or `#elseif(…)` and the block after it.
    fn arm(&mut self) -> Result<Arm> {
        let place = self.here();
        self.advance()?;
        self.skip(Kind::Whitespace)?;
        self.expect(Kind::ParenLeft)?;
        let condition = self.expression()?;
        self.expect(Kind::ParenRight)?;
        Ok(Arm { condition, block: self.block()?, place })
    }

    fn set_statement(&mut self) -> Result<Node> {
        self.advance()?;
        self.skip(Kind::Whitespace)?;
        let (target, _) = self.reference()?;
        self.skip(Kind::Whitespace)?;
        self.expect(Kind::Assign)?;
        let value = self.expression()?;
        self.expect(Kind::ParenRight)?;
        self.lexer.leave_set();
        Ok(Node::Set(Box::new(Set { target, value })))
    }

    /// `\#name`: half of the backslashes, if there is such a directive.
    fn escaped_directive(&mut self, block: &mut Block) -> Result<()> {
        let token = self.advance()?;
        if let Some(stray) = &token.stray {
            push_text(block, stray);
        }
        let image = self.text(&token).to_owned();
        let sign = image.find('#').unwrap_or(0);
        let (backslashes, directive) = image.split_at(sign);
        let name = directive[1..].trim_start_matches('{').trim_end_matches('}');
        let is_grammar = matches!(name, "if" | "end" | "set" | "else" | "elseif");
        if is_grammar || self.is_directive(name) || self.macros.contains(name) {
            push_text(block, &backslashes[..(backslashes.len() - 1) / 2]);
            push_text(block, directive);
        } else {
            push_text(block, &image);
        }
        Ok(())
    }

    /// Pairs of backslashes: one of each before a directive, else both.
    fn escapes(&mut self, block: &mut Block) -> Result<()> {
        let mut pairs = 0;
        while self.kind()? == Kind::DoubleEscape {
            let token = self.advance()?;
            if let (0, Some(stray)) = (pairs, &token.stray) {
                push_text(block, stray);
            }
            pairs += 1;
        }
        let next = self.peek(0)?.clone();
        let is_grammar = matches!(next.kind, Kind::If | Kind::Else | Kind::ElseIf | Kind::End);
        let name = self.text(&next).get(1..).unwrap_or_default();
        let is_before_directive = is_grammar || self.is_directive(name) || self.macros.contains(name);
        let text = if is_before_directive { "\\" } else { "\\\\" };
        push_text(block, &text.repeat(pairs));
        Ok(())
    }

    fn is_directive(&self, name: &str) -> bool {
        match name {
            "break" | "define" | "foreach" | "literal" | "macro" | "stop" => true,
            "evaluate" | "include" | "parse" => self.dialect == Dialect::Velocity,
            _ => false,
        }
    }

    // Tokens.

    fn peek(&mut self, ahead: usize) -> Result<&Token> {
        while self.tokens.len() <= self.at + ahead {
            let token = self.lexer.next().map_err(|error| self.lexical(&error))?;
            self.tokens.push(token);
        }
        Ok(&self.tokens[self.at + ahead])
    }

    fn kind(&mut self) -> Result<Kind> {
        self.kind_at(0)
    }

    fn kind_at(&mut self, ahead: usize) -> Result<Kind> {
        Ok(self.peek(ahead)?.kind)
    }

    fn advance(&mut self) -> Result<Token> {
        let token = self.peek(0)?.clone();
        self.at += 1;
        // What was read stays only as long as a literal may need it: its text is a part of the source.
        if self.at == self.tokens.len() {
            self.tokens.clear();
            self.at = 0;
        }
        Ok(token)
    }

    fn skip(&mut self, kind: Kind) -> Result<bool> {
        let is_there = self.kind()? == kind;
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }

    fn expect(&mut self, kind: Kind) -> Result<Token> {
        if self.kind()? == kind {
            return self.advance();
        }
        Err(self.unexpected())
    }

    fn text(&self, token: &Token) -> &'t str {
        &self.source[token.start..token.end]
    }

    // Places and errors.

    fn place(&self, at: usize) -> Place {
        let place = self.lines.place(at);
        match self.origin {
            Some(origin) if place.line == 1 => Place { line: origin.line, column: origin.column + place.column },
            Some(origin) => Place { line: origin.line + place.line - 1, column: place.column },
            None => place,
        }
    }

    /// Where the next token begins.
    fn here(&self) -> Place {
        let start = self.tokens.get(self.at).map_or(self.lexer.position(), |token| token.start);
        self.place(start)
    }

    fn error(&self, place: Place, message: impl Into<String>) -> Error {
        Error { place, message: message.into() }
    }

    fn unexpected(&self) -> Error {
        let Some(token) = self.tokens.get(self.at) else { return self.error(self.here(), "unexpected end") };
        let what = match token.kind {
            Kind::Eof => "the end of the template comes too early: an `#end` or `)` is missing".to_owned(),
            _ => format!("`{}` was not expected here", shortened(self.text(token))),
        };
        self.error(self.place(token.start), what)
    }

    fn lexical(&self, error: &LexicalError) -> Error {
        let place = self.place(error.at);
        match self.source[error.at..].chars().next() {
            Some(c) => self.error(place, format!("`{c}` was not expected here")),
            None => self.error(place, "the template ends within a reference or directive"),
        }
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > limits::NESTING_MAX {
            let message = format!("nested deeper than {}", limits::NESTING_MAX);
            return Err(self.error(self.here(), message));
        }
        Ok(())
    }
}

/// The beginning of a long text, on one line.
fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 24;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn is_text(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Text
            | Kind::Dot
            | Kind::ParenRight
            | Kind::ParenLeft
            | Kind::Integer
            | Kind::Float
            | Kind::String
            | Kind::Escape
            | Kind::ReferenceCurlyLeft
            | Kind::ReferenceCurlyRight
            | Kind::EmptyIndex
    )
}

fn push_text(block: &mut Block, text: &str) {
    if !text.is_empty() {
        block.push(Node::Text(text.into()));
    }
}
