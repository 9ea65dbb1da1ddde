//! The grammar of paths and filters.

use super::filter::{Condition, Literal, Operand, Operator};
use super::function::{Argument, Call, Function};
use super::{JsonPath, PATH_BYTES_MAX, PathError, Step};
use crate::base::pattern::{Extent, Pattern};

/// Deepest nesting of filters, parentheses and arguments.
const DEPTH_MAX: usize = 32;
/// Most steps of a path.
const STEPS_MAX: usize = 256;

/// Operators that are signs, longer ones first.
const SIGNS: [(&str, Operator); 8] = [
    ("===", Operator::Same),
    ("!==", Operator::NotSame),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// Operators that are words, in any case.
const WORDS: [(&str, Operator); 9] = [
    ("in", Operator::In),
    ("nin", Operator::NotIn),
    ("contains", Operator::Contains),
    ("all", Operator::All),
    ("subsetof", Operator::SubsetOf),
    ("anyof", Operator::AnyOf),
    ("noneof", Operator::NoneOf),
    ("size", Operator::Size),
    ("empty", Operator::Empty),
];

pub(super) fn path(text: &str) -> Result<JsonPath, PathError> {
    let trimmed = text.trim();
    let mut parser = Parser { text: trimmed, at: 0, depth: 0 };
    if trimmed.is_empty() {
        return Err(parser.error("a path is missing"));
    }
    if trimmed.len() > PATH_BYTES_MAX {
        return Err(parser.error("too long"));
    }
    let path = match trimmed.starts_with(['$', '@']) {
        true => parser.rooted_path(Stop::End)?,
        // As if `$.` stood before it.
        false => {
            let mut steps = Vec::new();
            let call = parser.after_dot(&mut steps, Stop::End)?;
            let call = if call.is_some() { call } else { parser.steps(&mut steps, Stop::End)? };
            finish(steps, call, false)
        }
    };
    if parser.at < trimmed.len() {
        return Err(parser.error("a path cannot go on like this"));
    }
    Ok(path)
}

/// Where a path ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// With the text.
    End,
    /// Before an operator, a bracket or a comma: paths in filters and arguments.
    Expression,
}

struct Parser<'p> {
    text: &'p str,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, PathError>;

fn finish(steps: Vec<Step>, call: Option<Call>, is_relative: bool) -> JsonPath {
    let last = steps.len().saturating_sub(1);
    let is_definite = steps.iter().enumerate().all(|(index, step)| match step {
        Step::Child(_) | Step::Index(_) => true,
        Step::Children(_) => index == last,
        _ => false,
    });
    JsonPath { steps: steps.into(), call, is_definite, is_relative }
}

impl<'p> Parser<'p> {
    fn error(&self, message: impl Into<String>) -> PathError {
        PathError { at: self.at, message: message.into() }
    }

    fn rest(&self) -> &'p str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, text: &str) -> bool {
        let is_there = self.rest().starts_with(text);
        self.at += if is_there { text.len() } else { 0 };
        is_there
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.eat(text) { Ok(()) } else { Err(self.error(format!("{text:?} is missing"))) }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'p str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH_MAX {
            return Err(self.error("nested too deeply"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// At `$` or `@`.
    fn rooted_path(&mut self, stop: Stop) -> Parsed<JsonPath> {
        let is_relative = self.eat("@");
        self.at += usize::from(!is_relative);
        let mut steps = Vec::new();
        let call = self.steps(&mut steps, stop)?;
        Ok(finish(steps, call, is_relative && stop == Stop::Expression))
    }

    fn steps(&mut self, steps: &mut Vec<Step>, stop: Stop) -> Parsed<Option<Call>> {
        loop {
            if steps.len() > STEPS_MAX {
                return Err(self.error("too many steps"));
            }
            let is_descent = self.eat("..");
            let is_dotted = is_descent || self.eat(".");
            steps.extend(is_descent.then_some(Step::Descend));
            if self.peek() == Some('[') {
                self.bracket(steps)?;
            } else if !is_dotted {
                return Ok(None);
            } else if let Some(call) = self.after_dot(steps, stop)? {
                return Ok(Some(call));
            }
        }
    }

    /// A wildcard, a name, or a function, which ends the path.
    fn after_dot(&mut self, steps: &mut Vec<Step>, stop: Stop) -> Parsed<Option<Call>> {
        if self.eat("*") {
            steps.push(Step::Wildcard);
            return Ok(None);
        }
        let start = self.at;
        let name = self.take_while(|c| match c {
            '.' | '[' | '(' => false,
            ' ' | '\t' | '\n' | '\r' | ')' | ',' | ']' | '=' | '!' | '<' | '>' | '&' | '|' => stop == Stop::End,
            _ => true,
        });
        if self.peek() == Some('(') {
            let Some(function) = Function::parse(name) else {
                self.at = start;
                return Err(self.error(format!("there is no function {name:?}")));
            };
            return self.call(function).map(Some);
        }
        if name.is_empty() {
            return Err(self.error("the name of a member is missing"));
        }
        if name.contains([' ', '\t', '\n', '\r']) {
            self.at = start;
            return Err(self.error("a name with blanks must be written in brackets and quotes"));
        }
        steps.push(Step::Child(name.into()));
        Ok(None)
    }

    /// At the parenthesis behind the name of a function.
    fn call(&mut self, function: Function) -> Parsed<Call> {
        self.expect("(")?;
        let arguments = self.deeper(|parser| parser.separated(")", Self::argument))?;
        if function.arguments_max().is_some_and(|max| arguments.len() > max) {
            return Err(self.error("too many arguments"));
        }
        self.skip_space();
        Ok(Call { function, arguments: arguments.into() })
    }

    fn argument(&mut self) -> Parsed<Argument> {
        match self.peek() {
            Some('$' | '@') => self.rooted_path(Stop::Expression).map(Argument::Path),
            _ => self.literal().map(Argument::Literal),
        }
    }

    /// Items between commas, up to and with `close`.
    fn separated<T>(&mut self, close: &str, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            self.skip_space();
            items.push(item(self)?);
            self.skip_space();
            if self.eat(close) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    fn bracket(&mut self, steps: &mut Vec<Step>) -> Parsed<()> {
        self.expect("[")?;
        self.skip_space();
        let step = match self.peek() {
            Some('\'' | '"') => self.names()?,
            Some('?') => self.filter()?,
            Some('*') => {
                self.at += 1;
                Step::Wildcard
            }
            _ => self.indices()?,
        };
        self.skip_space();
        self.expect("]")?;
        steps.push(step);
        Ok(())
    }

    fn names(&mut self) -> Parsed<Step> {
        let mut names = Vec::new();
        loop {
            self.skip_space();
            names.push(self.quoted()?.into_boxed_str());
            self.skip_space();
            if !self.eat(",") {
                break;
            }
        }
        Ok(match <[Box<str>; 1]>::try_from(names) {
            Ok([name]) => Step::Child(name),
            Err(names) => Step::Children(names.into()),
        })
    }

    /// A string in either kind of quotes; a backslash takes the next character as it is, or as in JSON.
    fn quoted(&mut self) -> Parsed<String> {
        let Some(quote @ ('\'' | '"')) = self.peek() else { return Err(self.error("a quote is missing")) };
        self.at += 1;
        let mut text = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                c if c == quote => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    None => break,
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'b')) => text.push('\u{8}'),
                    Some((_, 'f')) => text.push('\u{c}'),
                    Some((at, 'u')) => {
                        let digits =
                            self.rest().get(at + 1..at + 5).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                        let Some(character) = code.and_then(char::from_u32) else {
                            return Err(self.error("a wrong escape in quotes"));
                        };
                        text.push(character);
                        characters.nth(3);
                    }
                    Some((_, other)) => text.push(other),
                },
                other => text.push(other),
            }
        }
        Err(self.error("a quote is never closed"))
    }

    /// `0`, `-1`, `0,2`, `1:3`, `:2`, `-2:`.
    fn indices(&mut self) -> Parsed<Step> {
        let first = self.index()?;
        self.skip_space();
        if self.eat(":") {
            self.skip_space();
            let end = self.index()?;
            if first.is_none() && end.is_none() {
                return Err(self.error("a slice needs a begin or an end"));
            }
            return Ok(Step::Slice(first, end));
        }
        let Some(first) = first else { return Err(self.error("an index, a name in quotes, * or a filter is missing")) };
        let mut indices = vec![first];
        while self.eat(",") {
            self.skip_space();
            indices.push(self.index()?.ok_or_else(|| self.error("an index is missing"))?);
            self.skip_space();
        }
        Ok(if indices.len() == 1 { Step::Index(first) } else { Step::Indices(indices.into()) })
    }

    fn index(&mut self) -> Parsed<Option<i64>> {
        let start = self.at;
        self.eat("-");
        self.take_while(|c| c.is_ascii_digit());
        match self.text.get(start..self.at) {
            None | Some("") => Ok(None),
            Some(digits) => {
                digits.parse::<i32>().map(|index| Some(index.into())).map_err(|_| self.error("not an index"))
            }
        }
    }

    fn filter(&mut self) -> Parsed<Step> {
        self.expect("?")?;
        self.skip_space();
        self.expect("(")?;
        let condition = self.deeper(Self::either)?;
        self.skip_space();
        self.expect(")")?;
        Ok(Step::Filter(Box::new(condition)))
    }

    fn either(&mut self) -> Parsed<Condition> {
        let mut conditions = vec![self.both()?];
        self.skip_space();
        while self.eat("||") {
            conditions.push(self.both()?);
            self.skip_space();
        }
        Ok(join(conditions, Condition::Or))
    }

    fn both(&mut self) -> Parsed<Condition> {
        let mut conditions = vec![self.one()?];
        self.skip_space();
        while self.eat("&&") {
            conditions.push(self.one()?);
            self.skip_space();
        }
        Ok(join(conditions, Condition::And))
    }

    fn one(&mut self) -> Parsed<Condition> {
        self.skip_space();
        if self.eat("!") {
            return self.deeper(Self::one).map(|condition| Condition::Not(Box::new(condition)));
        }
        if self.eat("(") {
            let inner = self.deeper(Self::either)?;
            self.skip_space();
            self.expect(")")?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Condition> {
        if self.peek() == Some('/') {
            let pattern = self.pattern()?;
            self.skip_space();
            self.expect("=~")?;
            self.skip_space();
            return Ok(Condition::Matches(self.operand()?, pattern));
        }
        let left = self.operand()?;
        self.skip_space();
        if self.eat("=~") {
            self.skip_space();
            return Ok(Condition::Matches(left, self.pattern()?));
        }
        let Some(operator) = self.operator()? else {
            return match left {
                Operand::Path(path) => Ok(Condition::Exists(path)),
                Operand::Literal(_) => Err(self.error("an operator is missing")),
            };
        };
        self.skip_space();
        Ok(Condition::Compare(left, operator, self.operand()?))
    }

    fn operator(&mut self) -> Parsed<Option<Operator>> {
        for (sign, operator) in SIGNS {
            if self.eat(sign) {
                return Ok(Some(operator));
            }
        }
        let start = self.at;
        let word = self.take_while(|c| c.is_ascii_alphabetic());
        if word.is_empty() {
            return Ok(None);
        }
        if let Some((_, operator)) = WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)) {
            return Ok(Some(*operator));
        }
        self.at = start;
        Err(self.error(format!("there is no operator {word:?}")))
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match self.peek() {
            Some('$' | '@') => self.rooted_path(Stop::Expression).map(Operand::Path),
            _ => self.literal().map(Operand::Literal),
        }
    }

    fn literal(&mut self) -> Parsed<Literal> {
        match self.peek() {
            Some('\'' | '"') => self.quoted().map(|text| Literal::Text(text.into())),
            Some('[') => {
                self.at += 1;
                self.deeper(|parser| parser.separated("]", Self::literal)).map(|items| Literal::List(items.into()))
            }
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Parsed<Literal> {
        let start = self.at;
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        Ok(match word {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "null" => Literal::Null,
            _ if is_number(word) => Literal::Number(word.into()),
            _ => {
                self.at = start;
                return Err(
                    self.error("a value is missing: a path, a number, a text in quotes, true, false, null, a list")
                );
            }
        })
    }

    /// `/pattern/flags`
    fn pattern(&mut self) -> Parsed<Pattern> {
        self.expect("/")?;
        let mut body = String::new();
        let mut characters = self.rest().char_indices();
        let end = loop {
            match characters.next() {
                None => return Err(self.error("a pattern is never closed")),
                Some((offset, '/')) => break offset,
                Some((_, '\\')) => match characters.next() {
                    Some((_, '/')) => body.push('/'),
                    Some((_, other)) => body.extend(['\\', other]),
                    None => return Err(self.error("a pattern is never closed")),
                },
                Some((_, other)) => body.push(other),
            }
        };
        self.at += end + 1;
        let flags = self.take_while(|c| c.is_ascii_alphabetic());
        if let Some(unknown) = flags.chars().find(|flag| !"idmsuxU".contains(*flag)) {
            return Err(self.error(format!("there is no flag {unknown:?} of patterns")));
        }
        let text = if flags.is_empty() { body } else { format!("(?{flags}){body}") };
        Pattern::compile(&text, Extent::Whole).map_err(|error| self.error(format!("a pattern is wrong: {error}")))
    }
}

fn join(mut conditions: Vec<Condition>, kind: fn(Box<[Condition]>) -> Condition) -> Condition {
    match conditions.len() {
        1 => conditions.swap_remove(0),
        _ => kind(conditions.into()),
    }
}

/// Whether a word is a JSON number.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let starts_well = digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.ends_with('.');
    starts_well && word.parse::<f64>().is_ok()
}
