//! Filters: `[?(@.price > 10 && @.tags contains 'new')]`.
//!
//! Comparison follows the Java library: numbers are exact; a number and a string are compared as the left one is; an
//! order between different kinds never holds; a value that is not there equals nothing but another such value.

use std::cmp::Ordering;

use super::evaluate::Evaluation;
use super::{Found, JsonPath, TooMuchWork};
use crate::base::pattern::Pattern;
use crate::json::number::Decimal;
use crate::json::tape::{Kind, Node};
use crate::json::writer::write_canonical;

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Or(Box<[Condition]>),
    And(Box<[Condition]>),
    Not(Box<Condition>),
    /// Whether a path leads somewhere.
    Exists(JsonPath),
    Compare(Operand, Operator, Operand),
    /// Whether all of the text of a value matches.
    Matches(Operand, Pattern),
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Path(JsonPath),
    Literal(Literal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    /// A JSON number.
    Number(Box<str>),
    Text(Box<str>),
    List(Box<[Literal]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    /// `===`: without turning numbers and strings into each other.
    Same,
    NotEqual,
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Contains,
    All,
    SubsetOf,
    AnyOf,
    NoneOf,
    Size,
    Empty,
}

impl Literal {
    pub(super) fn found<'t>(&self) -> Option<Found<'t>> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(value) => Found::Text(value.to_string()),
            Self::Number(digits) => match digits.parse() {
                Ok(integer) => Found::Integer(integer),
                Err(_) => Found::Double(digits.parse().unwrap_or(f64::NAN)),
            },
            Self::Text(text) => Found::Text(text.to_string()),
            Self::List(items) => Found::List(items.iter().filter_map(Self::found).collect()),
        })
    }
}

/// A side of a comparison.
enum Term<'p, 't> {
    Missing,
    Literal(&'p Literal),
    Found(Found<'t>),
}

/// What two terms are compared by.
enum Plain<'a, 't> {
    Missing,
    Null,
    Bool(bool),
    Number(&'a str),
    /// What a function counted or computed.
    Computed(f64),
    Text(&'a str),
    Items(Vec<Plain<'a, 't>>),
    Object(Node<'t>),
}

impl<'t> Evaluation<'t> {
    pub(super) fn holds(&mut self, condition: &Condition, here: Node<'t>) -> Result<bool, TooMuchWork> {
        match condition {
            Condition::Or(conditions) => self.any_is(true, conditions, here),
            Condition::And(conditions) => self.any_is(false, conditions, here).map(|found| !found),
            Condition::Not(condition) => self.holds(condition, here).map(|holds| !holds),
            Condition::Exists(path) => Ok(match self.find(path, here)? {
                None => false,
                Some(Found::List(items)) => path.is_definite || !items.is_empty(),
                Some(_) => true,
            }),
            Condition::Compare(left, operator, right) => {
                let (left, right) = (self.term(left, here)?, self.term(right, here)?);
                let (left, right) = (self.plain(&left)?, self.plain(&right)?);
                self.compare(&left, *operator, &right)
            }
            Condition::Matches(operand, pattern) => {
                let term = self.term(operand, here)?;
                let plain = self.plain(&term)?;
                self.matches(&plain, pattern)
            }
        }
    }

    fn any_is(&mut self, wanted: bool, conditions: &[Condition], here: Node<'t>) -> Result<bool, TooMuchWork> {
        for condition in conditions {
            if self.holds(condition, here)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn term<'p>(&mut self, operand: &'p Operand, here: Node<'t>) -> Result<Term<'p, 't>, TooMuchWork> {
        Ok(match operand {
            Operand::Literal(literal) => Term::Literal(literal),
            Operand::Path(path) => self.find(path, here)?.map_or(Term::Missing, Term::Found),
        })
    }

    fn plain<'a>(&mut self, term: &'a Term<'_, 't>) -> Result<Plain<'a, 't>, TooMuchWork> {
        match term {
            Term::Missing => Ok(Plain::Missing),
            Term::Literal(literal) => self.plain_literal(literal),
            Term::Found(found) => self.plain_found(found),
        }
    }

    fn plain_literal<'a>(&mut self, literal: &'a Literal) -> Result<Plain<'a, 't>, TooMuchWork> {
        self.visit(1)?;
        Ok(match literal {
            Literal::Null => Plain::Null,
            Literal::Bool(value) => Plain::Bool(*value),
            Literal::Number(digits) => Plain::Number(digits),
            Literal::Text(text) => Plain::Text(text),
            Literal::List(items) => {
                Plain::Items(items.iter().map(|item| self.plain_literal(item)).collect::<Result<_, _>>()?)
            }
        })
    }

    fn plain_found<'a>(&mut self, found: &'a Found<'t>) -> Result<Plain<'a, 't>, TooMuchWork> {
        Ok(match found {
            Found::Node(node) => return self.plain_node(*node),
            Found::List(items) => {
                Plain::Items(items.iter().map(|item| self.plain_found(item)).collect::<Result<_, _>>()?)
            }
            // Cannot be written in a filter on purpose; equal to nothing.
            Found::Members(_) => Plain::Missing,
            Found::Integer(value) => Plain::Computed(*value as f64),
            Found::Double(value) => Plain::Computed(*value),
            Found::Text(text) => Plain::Text(text),
        })
    }

    fn plain_node<'a>(&mut self, node: Node<'t>) -> Result<Plain<'a, 't>, TooMuchWork>
    where
        't: 'a,
    {
        self.visit(1)?;
        let text = node.scalar_text().unwrap_or_default();
        Ok(match node.kind() {
            Kind::Null => Plain::Null,
            Kind::Bool => Plain::Bool(node.as_bool() == Some(true)),
            Kind::Number => Plain::Number(text),
            Kind::String => Plain::Text(text),
            Kind::Array => {
                Plain::Items(node.elements().map(|element| self.plain_node(element)).collect::<Result<_, _>>()?)
            }
            Kind::Object => Plain::Object(node),
        })
    }

    fn compare(
        &mut self,
        left: &Plain<'_, 't>,
        operator: Operator,
        right: &Plain<'_, 't>,
    ) -> Result<bool, TooMuchWork> {
        use Operator as O;
        let is_order = |wanted: fn(Ordering) -> bool| order(left, right).is_some_and(wanted);
        Ok(match operator {
            O::Equal => self.equals(left, right)?,
            O::NotEqual => !self.equals(left, right)?,
            O::Same => same_kind(left, right) && self.equals(left, right)?,
            O::NotSame => !(same_kind(left, right) && self.equals(left, right)?),
            O::Less => is_order(Ordering::is_lt),
            O::LessOrEqual => is_order(Ordering::is_le),
            O::Greater => is_order(Ordering::is_gt),
            O::GreaterOrEqual => is_order(Ordering::is_ge),
            O::In => self.contains(right, left)?,
            O::NotIn => !self.contains(right, left)?,
            O::Contains => match (left, right) {
                (Plain::Text(text), Plain::Text(part)) => text.contains(part),
                _ => self.contains(left, right)?,
            },
            O::All => self.covers(left, right)?,
            O::SubsetOf => self.covers(right, left)?,
            O::AnyOf => self.overlaps(left, right)?.unwrap_or(false),
            O::NoneOf => self.overlaps(left, right)?.is_some_and(|overlaps| !overlaps),
            O::Size => size(left).is_some_and(|size| number(right) == Some(size as f64)),
            O::Empty => size(left).is_some_and(|size| matches!(right, Plain::Bool(wanted) if *wanted == (size == 0))),
        })
    }

    fn equals(&mut self, left: &Plain<'_, 't>, right: &Plain<'_, 't>) -> Result<bool, TooMuchWork> {
        self.visit(1)?;
        Ok(match (left, right) {
            (Plain::Missing, Plain::Missing) | (Plain::Null, Plain::Null) => true,
            (Plain::Bool(left), Plain::Bool(right)) => left == right,
            (Plain::Text(left), Plain::Text(right) | Plain::Number(right)) => left == right,
            (Plain::Number(left), Plain::Number(right)) => Decimal::of(left) == Decimal::of(right),
            (Plain::Number(_) | Plain::Computed(_), Plain::Number(_) | Plain::Computed(_) | Plain::Text(_)) => {
                number(left).zip(number(right)).is_some_and(|(left, right)| left == right)
            }
            (Plain::Items(left), Plain::Items(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for (left, right) in left.iter().zip(right) {
                    if !self.equals(left, right)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Plain::Object(left), Plain::Object(right)) => {
                self.visit(left.size() + right.size())?;
                canonical(*left) == canonical(*right)
            }
            _ => false,
        })
    }

    fn contains(&mut self, list: &Plain<'_, 't>, item: &Plain<'_, 't>) -> Result<bool, TooMuchWork> {
        let Plain::Items(items) = list else { return Ok(false) };
        for candidate in items {
            if self.equals(candidate, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether all items of `part` are in `whole`. Both must be lists.
    fn covers(&mut self, whole: &Plain<'_, 't>, part: &Plain<'_, 't>) -> Result<bool, TooMuchWork> {
        let (Plain::Items(_), Plain::Items(items)) = (whole, part) else { return Ok(false) };
        for item in items {
            if !self.contains(whole, item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether two lists have an item in common; nothing if one is no list.
    fn overlaps(&mut self, left: &Plain<'_, 't>, right: &Plain<'_, 't>) -> Result<Option<bool>, TooMuchWork> {
        let (Plain::Items(items), Plain::Items(_)) = (left, right) else { return Ok(None) };
        for item in items {
            if self.contains(right, item)? {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// Of a list: whether some item matches.
    fn matches(&mut self, value: &Plain<'_, 't>, pattern: &Pattern) -> Result<bool, TooMuchWork> {
        let text = match value {
            Plain::Text(text) | Plain::Number(text) => text,
            Plain::Bool(true) => "true",
            Plain::Bool(false) => "false",
            Plain::Items(items) => {
                for item in items {
                    if self.matches(item, pattern)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            _ => "",
        };
        // The engine reads the text at least once.
        self.visit(1 + text.len() / 16)?;
        pattern.is_match(text).map_err(|_| TooMuchWork)
    }
}

fn same_kind(left: &Plain<'_, '_>, right: &Plain<'_, '_>) -> bool {
    let is_number = |plain: &Plain<'_, '_>| matches!(plain, Plain::Number(_) | Plain::Computed(_));
    std::mem::discriminant(left) == std::mem::discriminant(right) || (is_number(left) && is_number(right))
}

fn canonical(node: Node<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_canonical(node, &mut out);
    out
}

fn number(of: &Plain<'_, '_>) -> Option<f64> {
    match of {
        Plain::Number(text) | Plain::Text(text) => text.parse().ok(),
        Plain::Computed(value) => Some(*value),
        _ => None,
    }
}

fn order(left: &Plain<'_, '_>, right: &Plain<'_, '_>) -> Option<Ordering> {
    match (left, right) {
        (Plain::Number(left), Plain::Number(right)) => Some(Decimal::of(left).cmp(&Decimal::of(right))),
        (Plain::Text(left), Plain::Text(right)) => Some(left.cmp(right)),
        (Plain::Number(_) | Plain::Computed(_), Plain::Number(_) | Plain::Computed(_)) => {
            number(left)?.partial_cmp(&number(right)?)
        }
        _ => None,
    }
}

/// Characters of a string, elements of a list, members of an object.
fn size(of: &Plain<'_, '_>) -> Option<usize> {
    match of {
        Plain::Text(text) => Some(text.encode_utf16().count()),
        Plain::Items(items) => Some(items.len()),
        Plain::Object(node) => Some(node.len()),
        _ => None,
    }
}
