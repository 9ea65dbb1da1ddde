//! Expressions: of `#if` and `#set`, arguments of methods and directives, and strings with a template in them.

use super::{Parser, Result};
use crate::vtl::limits;
use crate::vtl::syntax::{Arithmetic, Block, Comparison, Expr, ExprKind, Node, Shape};
use crate::vtl::token::Kind;

/// Binary operators, loosest first.
const LEVELS: [&[Kind]; 6] = [
    &[Kind::Or],
    &[Kind::And],
    &[Kind::Equal, Kind::NotEqual],
    &[Kind::Less, Kind::Greater, Kind::LessOrEqual, Kind::GreaterOrEqual],
    &[Kind::Plus, Kind::Minus],
    &[Kind::Multiply, Kind::Divide, Kind::Modulus],
];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.enter()?;
        let expression = self.binary(0)?;
        self.depth -= 1;
        Ok(expression)
    }

    fn binary(&mut self, level: usize) -> Result<Expr> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        let mut operations = 0;
        loop {
            let kind = self.kind()?;
            if !operators.contains(&kind) {
                return Ok(left);
            }
            // Each operation is one deeper in the tree.
            operations += 1;
            if operations > limits::OPERATIONS_MAX {
                let message = format!("more than {} operations in a row", limits::OPERATIONS_MAX);
                return Err(self.error(self.here(), message));
            }
            self.advance()?;
            let start = self.start()?;
            let right = self.binary(level + 1)?;
            // Velocity counts the right side alone as an operation's text.
            let literal = self.source[start..self.end_before()].into();
            left = Expr { kind: operation(kind, Box::new(left), Box::new(right)), literal };
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        let space = usize::from(self.kind()? == Kind::Whitespace);
        if self.kind_at(space)? != Kind::Not {
            return self.primary();
        }
        self.enter()?;
        self.skip(Kind::Whitespace)?;
        self.advance()?;
        let start = self.start()?;
        let operand = self.unary()?;
        self.depth -= 1;
        let literal = self.source[start..self.end_before()].into();
        Ok(Expr { kind: ExprKind::Not(Box::new(operand)), literal })
    }

    fn primary(&mut self) -> Result<Expr> {
        self.skip(Kind::Whitespace)?;
        let expression = match self.kind()? {
            Kind::ParenLeft => {
                self.advance()?;
                let start = self.start()?;
                let inside = self.expression()?;
                let literal = self.source[start..self.end_before()].into();
                self.expect(Kind::ParenRight)?;
                Expr { kind: ExprKind::Group(Box::new(inside)), literal }
            }
            _ => self.simple()?,
        };
        self.skip(Kind::Whitespace)?;
        Ok(expression)
    }

    /// An argument of a method, an element of a list or map.
    pub(super) fn parameter(&mut self) -> Result<Expr> {
        self.skip(Kind::Whitespace)?;
        let parameter = self.simple()?;
        self.skip(Kind::Whitespace)?;
        Ok(parameter)
    }

    /// A literal, list, map, range or reference.
    pub(super) fn simple(&mut self) -> Result<Expr> {
        match self.kind()? {
            Kind::String | Kind::Integer | Kind::Float | Kind::True | Kind::False => self.literal(),
            Kind::Identifier | Kind::ReferenceCurlyLeft => self.reference_expression(),
            Kind::BracketLeft => self.list_or_range(),
            Kind::CurlyLeft => self.map(),
            _ => Err(self.unexpected()),
        }
    }

    pub(super) fn literal(&mut self) -> Result<Expr> {
        let place = self.here();
        let token = self.advance()?;
        let image = self.text(&token);
        let kind = match token.kind {
            Kind::String => self.string(image, place)?,
            Kind::Integer => ExprKind::Integer(image.into()),
            Kind::Float => ExprKind::Float(image.parse().unwrap_or(f64::INFINITY)),
            kind => ExprKind::Bool(kind == Kind::True),
        };
        Ok(Expr { kind, literal: image.into() })
    }

    fn list_or_range(&mut self) -> Result<Expr> {
        self.enter()?;
        let start = self.start()?;
        self.expect(Kind::BracketLeft)?;
        let mut elements = Vec::new();
        let mut range = None;
        let is_empty = self.kind()? == Kind::BracketRight;
        if !is_empty {
            elements.push(self.parameter()?);
            let is_bound = matches!(elements[0].kind, ExprKind::Integer(_) | ExprKind::Reference(_));
            if is_bound && self.skip(Kind::DoubleDot)? {
                self.skip(Kind::Whitespace)?;
                range = Some(self.range_end()?);
                self.skip(Kind::Whitespace)?;
            }
        }
        while range.is_none() && !is_empty && self.skip(Kind::Comma)? {
            elements.push(self.parameter()?);
        }
        let end = self.expect(Kind::BracketRight)?.end;
        self.depth -= 1;
        let kind = match (range, elements.pop()) {
            (Some(last), Some(first)) => ExprKind::Range(Box::new(first), Box::new(last)),
            (_, last) => {
                elements.extend(last);
                ExprKind::List(elements)
            }
        };
        Ok(Expr { kind, literal: self.source[start..end].into() })
    }

    fn range_end(&mut self) -> Result<Expr> {
        match self.kind()? {
            Kind::Integer => self.literal(),
            Kind::Identifier | Kind::ReferenceCurlyLeft => self.reference_expression(),
            _ => Err(self.unexpected()),
        }
    }

    fn map(&mut self) -> Result<Expr> {
        self.enter()?;
        let start = self.start()?;
        self.expect(Kind::CurlyLeft)?;
        let mut entries = Vec::new();
        let space = usize::from(self.kind()? == Kind::Whitespace);
        if is_map_end(self.kind_at(space)?) {
            self.skip(Kind::Whitespace)?;
        } else {
            entries.push(self.map_entry()?);
            while self.skip(Kind::Comma)? {
                entries.push(self.map_entry()?);
            }
        }
        if !is_map_end(self.kind()?) {
            return Err(self.unexpected());
        }
        let end = self.advance()?.end;
        self.depth -= 1;
        Ok(Expr { kind: ExprKind::Map(entries), literal: self.source[start..end].into() })
    }

    fn map_entry(&mut self) -> Result<(Expr, Expr)> {
        let key = self.parameter()?;
        self.expect(Kind::Colon)?;
        Ok((key, self.parameter()?))
    }

    /// Where the next token begins, for the text of what follows.
    pub(super) fn start(&mut self) -> Result<usize> {
        Ok(self.peek(0)?.start)
    }

    /// Where the last token ended.
    pub(super) fn end_before(&self) -> usize {
        self.tokens.get(self.at).map_or(self.lexer.position(), |token| token.start)
    }

    /// The value of a string literal: in double quotes, a template.
    fn string(&mut self, image: &str, place: crate::base::Place) -> Result<ExprKind> {
        let inside = &image[1..image.len() - 1];
        if image.starts_with('\'') {
            return Ok(ExprKind::Text(inside.replace("''", "'").into()));
        }
        let text = unescape(inside).replace("\"\"", "\"");
        if !image.contains(['$', '#']) {
            return Ok(ExprKind::Text(text.into()));
        }
        self.enter()?;
        // A sign at the very end would begin something; Velocity appends a blank and takes it away again.
        let has_comment = text.contains("##");
        let source = if has_comment { text } else { text + " " };
        let mut parser = Parser::new(&source, 0, self.dialect);
        parser.origin = Some(place);
        parser.depth = self.depth;
        parser.macros = std::mem::take(&mut self.macros);
        let block = parser.template();
        self.macros = parser.macros;
        let mut block = block?;
        if !has_comment {
            drop_last_character(&mut block);
        }
        self.depth -= 1;
        Ok(plain(&block).map_or(ExprKind::Interpolated(block), ExprKind::Text))
    }
}

/// The text of a block that says the same in every run. `"$.name"` is one: its sign begins no reference.
fn plain(block: &Block) -> Option<Box<str>> {
    let texts = block.iter().map(|node| match node {
        Node::Text(text) => Some(&**text),
        Node::Print(reference) if reference.print.shape == Shape::Text => Some(&*reference.print.when_null),
        _ => None,
    });
    texts.collect::<Option<String>>().map(Into::into)
}

fn is_map_end(kind: Kind) -> bool {
    matches!(kind, Kind::CurlyRight | Kind::ReferenceCurlyRight)
}

/// Takes back the blank that was appended, unless a comment swallowed it.
fn drop_last_character(block: &mut Block) {
    if let Some(Node::Text(text)) = block.last_mut()
        && let Some(without) = text.strip_suffix(' ')
    {
        *text = without.into();
    }
}

/// `\u0041` in double quotes.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut units: Vec<u16> = Vec::new();
    while let Some(found) = rest.find("\\u") {
        let code = rest.get(found + 2..found + 6).and_then(|digits| u16::from_str_radix(digits, 16).ok());
        if found > 0 || code.is_none() {
            out.push_str(&String::from_utf16_lossy(&units));
            units.clear();
        }
        out.push_str(&rest[..found]);
        match code {
            Some(code) => {
                units.push(code);
                rest = &rest[found + 6..];
            }
            None => {
                out.push_str("\\u");
                rest = &rest[found + 2..];
            }
        }
    }
    out.push_str(&String::from_utf16_lossy(&units));
    out + rest
}

fn operation(kind: Kind, left: Box<Expr>, right: Box<Expr>) -> ExprKind {
    let compare = |how| move |left, right| ExprKind::Compare(how, left, right);
    let compute = |how| move |left, right| ExprKind::Arithmetic(how, left, right);
    match kind {
        Kind::Or => ExprKind::Or(left, right),
        Kind::And => ExprKind::And(left, right),
        Kind::Equal => compare(Comparison::Equal)(left, right),
        Kind::NotEqual => compare(Comparison::NotEqual)(left, right),
        Kind::Less => compare(Comparison::Less)(left, right),
        Kind::LessOrEqual => compare(Comparison::LessOrEqual)(left, right),
        Kind::Greater => compare(Comparison::Greater)(left, right),
        Kind::GreaterOrEqual => compare(Comparison::GreaterOrEqual)(left, right),
        Kind::Plus => compute(Arithmetic::Add)(left, right),
        Kind::Minus => compute(Arithmetic::Subtract)(left, right),
        Kind::Multiply => compute(Arithmetic::Multiply)(left, right),
        Kind::Divide => compute(Arithmetic::Divide)(left, right),
        _ => compute(Arithmetic::Remainder)(left, right),
    }
}
