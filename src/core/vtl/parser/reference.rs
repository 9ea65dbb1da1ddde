//! References: `$a`, `${a.b}`, `$!a.b(1)[2]`, and the backslashes before them.

use super::{Parser, Result};
use crate::vtl::syntax::{Expr, ExprKind, Print, Reference, Shape, Step};
use crate::vtl::token::{Kind, Token};

/// What the signs before a name say.
struct Sign {
    print: Print,
    assigned: Box<str>,
    is_quiet: bool,
}

impl Parser<'_> {
    /// Parses a reference; gives where its text ends too.
    pub(super) fn reference(&mut self) -> Result<(Reference, usize)> {
        self.enter()?;
        let place = self.here();
        let is_formal = self.kind()? == Kind::ReferenceCurlyLeft;
        let first = if is_formal { self.advance()? } else { self.expect(Kind::Identifier)? };
        let name = if is_formal { self.expect(Kind::Identifier)? } else { first.clone() };
        let mut end = name.end;
        let mut steps = Vec::new();
        self.indices(&mut steps, &mut end)?;
        while self.kind()? == Kind::Dot && self.kind_at(1)? == Kind::Identifier {
            self.advance()?;
            self.member(&mut steps, &mut end)?;
            self.indices(&mut steps, &mut end)?;
        }
        if is_formal {
            end = self.expect(Kind::ReferenceCurlyRight)?.end;
        }
        self.depth -= 1;
        let reference = self.finish(&first, &name, steps, end);
        Ok((Reference { place, ..reference }, end))
    }

    /// A property or a method.
    fn member(&mut self, steps: &mut Vec<Step>, end: &mut usize) -> Result<()> {
        let place = self.here();
        let is_method = self.kind_at(1)? == Kind::ParenLeft && begins_arguments(self.kind_at(2)?);
        let token = self.advance()?;
        let name = self.text(&token).into();
        *end = token.end;
        if !is_method {
            steps.push(Step::Property(name));
            return Ok(());
        }
        self.advance()?;
        let mut arguments = Vec::new();
        if self.kind()? != Kind::ArgumentsEnd {
            arguments.push(self.parameter()?);
            while self.skip(Kind::Comma)? {
                arguments.push(self.parameter()?);
            }
        }
        *end = self.expect(Kind::ArgumentsEnd)?.end;
        steps.push(Step::Method { name, arguments, place });
        Ok(())
    }

    fn indices(&mut self, steps: &mut Vec<Step>, end: &mut usize) -> Result<()> {
        while self.kind()? == Kind::IndexLeft {
            let place = self.here();
            self.advance()?;
            self.skip(Kind::Whitespace)?;
            let index = self.index()?;
            self.skip(Kind::Whitespace)?;
            *end = self.expect(Kind::IndexRight)?.end;
            steps.push(Step::Index(index, place));
        }
        Ok(())
    }

    fn index(&mut self) -> Result<Expr> {
        match self.kind()? {
            Kind::String | Kind::Integer | Kind::True | Kind::False => self.literal(),
            Kind::Identifier | Kind::ReferenceCurlyLeft => self.reference_expression(),
            _ => Err(self.unexpected()),
        }
    }

    pub(super) fn reference_expression(&mut self) -> Result<Expr> {
        let (reference, _) = self.reference()?;
        let literal = reference.literal.clone();
        Ok(Expr { kind: ExprKind::Reference(Box::new(reference)), literal })
    }

    fn finish(&self, first: &Token, name: &Token, steps: Vec<Step>, end: usize) -> Reference {
        let image = self.text(first);
        let after = &self.source[first.end..end];
        if let Some(shown) = unescaped_bang(image) {
            let print = plain(Shape::Text, shown);
            return self.reference_of("", "", steps, print, format!("{image}{after}"));
        }
        let sign = sign(image);
        let stray = first.stray.as_deref().unwrap_or_default();
        let root = match image.rfind('$') {
            // `${name` and `$!{name`.
            Some(_) if first.start != name.start => self.text(name),
            Some(dollar) => image[dollar + 1..].trim_start_matches('!'),
            // What follows a comment in a reference looks like a name and is text.
            None => return self.reference_of("", "", steps, plain(Shape::Text, image.to_owned()), image.to_owned()),
        };
        let literal = format!("{stray}{}{after}", &image[image.rfind('$').unwrap_or(0)..]);
        let mut print = sign.print;
        if !sign.is_quiet || print.shape == Shape::Escaped {
            print.when_null = literal.as_str().into();
        }
        self.reference_of(root, &sign.assigned, steps, print, literal)
    }

    fn reference_of(&self, root: &str, assigned: &str, steps: Vec<Step>, print: Print, literal: String) -> Reference {
        Reference {
            root: root.into(),
            assigned: assigned.into(),
            steps,
            print,
            literal: literal.into(),
            place: crate::base::Place::NOWHERE,
        }
    }
}

/// What may follow `.name(` in a method call. Elsewhere the name is a property and the parenthesis text.
fn begins_arguments(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ArgumentsEnd
            | Kind::Whitespace
            | Kind::String
            | Kind::Integer
            | Kind::Float
            | Kind::BracketLeft
            | Kind::CurlyLeft
            | Kind::True
            | Kind::False
            | Kind::Identifier
            | Kind::ReferenceCurlyLeft
    )
}

fn plain(shape: Shape, when_null: String) -> Print {
    Print { shape, escapes: "".into(), before: "".into(), when_null: when_null.into() }
}

/// `$\!name` is no reference: it is printed with one backslash less.
fn unescaped_bang(image: &str) -> Option<String> {
    image.find("\\!")?;
    let dollar = image.find('$')?;
    let first = dollar + image[dollar..].find('\\')?;
    let run = image[first..].bytes().take_while(|&byte| byte == b'\\').count();
    Some(format!("{}{}{}", &image[..first], &image[first..first + run - 1], &image[first + run..]))
}

/// Reads the signs of the first token, `\\$!name` or `$${`.
fn sign(image: &str) -> Sign {
    let backslashes = image.bytes().take_while(|&byte| byte == b'\\').count();
    let shape = if backslashes % 2 == 1 { Shape::Escaped } else { Shape::Value };
    let rest = &image[backslashes..];
    let dollar = rest.rfind('$').unwrap_or(0);
    let clean = &rest[dollar..];
    let print =
        Print { shape, escapes: image[..backslashes / 2].into(), before: rest[..dollar].into(), when_null: "".into() };
    Sign { print, assigned: clean.get(1..).unwrap_or_default().into(), is_quiet: clean.starts_with("$!") }
}
