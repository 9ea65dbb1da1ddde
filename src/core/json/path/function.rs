//! Functions at the end of a path: `$.prices.sum()`, `$.concat($.first, " ", $.last)`.

use super::evaluate::Evaluation;
use super::filter::Literal;
use super::{Found, JsonPath, TooMuchWork};
use crate::json::tape::{Kind, Node};

/// A function and what stands in its parentheses.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) arguments: Box<[Argument]>,
}

#[derive(Clone, Debug)]
pub(super) enum Argument {
    Path(JsonPath),
    Literal(Literal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Min,
    Max,
    Avg,
    Sum,
    Stddev,
    Keys,
    Concat,
    Append,
    First,
    Last,
    Index,
}

impl Function {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "length" | "size" => Self::Length,
            "min" => Self::Min,
            "max" => Self::Max,
            "avg" => Self::Avg,
            "sum" => Self::Sum,
            "stddev" => Self::Stddev,
            "keys" => Self::Keys,
            "concat" => Self::Concat,
            "append" => Self::Append,
            "first" => Self::First,
            "last" => Self::Last,
            "index" => Self::Index,
            _ => return None,
        })
    }

    /// How many arguments it takes at most. The others take any number.
    pub(super) fn arguments_max(self) -> Option<usize> {
        match self {
            Self::Length | Self::Index => Some(1),
            Self::Keys | Self::First | Self::Last => Some(0),
            _ => None,
        }
    }
}

impl<'t> Evaluation<'t> {
    /// What a function makes of what the path found.
    pub(super) fn call(
        &mut self,
        call: &Call,
        subject: Option<Found<'t>>,
        here: Node<'t>,
    ) -> Result<Option<Found<'t>>, TooMuchWork> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.extend(match argument {
                Argument::Path(path) => self.find(path, here)?,
                Argument::Literal(literal) => literal.found(),
            });
        }
        let subject = subject.as_ref();
        Ok(match call.function {
            Function::Length => length(arguments.first().or(subject)),
            Function::Keys => subject.and_then(keys),
            Function::Concat => {
                let parts = items(subject).into_iter().chain(arguments.iter().flat_map(parts));
                Some(Found::Text(parts.filter_map(|part| text(&part)).collect()))
            }
            Function::Append => match subject {
                Some(list) if list.kind() == Kind::Array => {
                    Some(Found::List(items(subject).into_iter().chain(arguments).collect()))
                }
                other => other.cloned(),
            },
            Function::First => items(subject).into_iter().next(),
            Function::Last => items(subject).pop(),
            Function::Index => at(items(subject), arguments.first()),
            Function::Min | Function::Max | Function::Avg | Function::Sum | Function::Stddev => {
                let numbers = items(subject).into_iter().chain(arguments.iter().flat_map(parts));
                aggregate(call.function, &numbers.filter_map(|n| number(&n)).collect::<Vec<_>>())
            }
        })
    }
}

fn length<'t>(of: Option<&Found<'t>>) -> Option<Found<'t>> {
    let count = match of? {
        Found::Node(node) if matches!(node.kind(), Kind::Array | Kind::Object) => node.len(),
        Found::List(items) => items.len(),
        Found::Members(members) => members.len(),
        _ => return None,
    };
    i64::try_from(count).ok().map(Found::Integer)
}

fn keys<'t>(of: &Found<'t>) -> Option<Found<'t>> {
    let name = |name: &str| Found::Text(name.to_owned());
    match of {
        Found::Node(node) if node.kind() == Kind::Object => {
            Some(Found::List(node.members().map(|(key, _)| name(key)).collect()))
        }
        Found::Members(members) => Some(Found::List(members.iter().map(|(key, _)| name(key)).collect())),
        _ => None,
    }
}

fn at<'t>(mut items: Vec<Found<'t>>, index: Option<&Found<'t>>) -> Option<Found<'t>> {
    let index = number(index?)? as i64;
    let index = if index < 0 { index + items.len() as i64 } else { index };
    let index = usize::try_from(index).ok().filter(|&index| index < items.len())?;
    Some(items.swap_remove(index))
}

/// Elements of a list; nothing of everything else.
fn items<'t>(of: Option<&Found<'t>>) -> Vec<Found<'t>> {
    match of {
        Some(Found::List(items)) => items.clone(),
        Some(Found::Node(node)) => node.elements().map(Found::Node).collect(),
        _ => Vec::new(),
    }
}

/// An argument: its elements, if it is a list.
fn parts<'t>(argument: &Found<'t>) -> Vec<Found<'t>> {
    match argument.kind() {
        Kind::Array => items(Some(argument)),
        _ => vec![argument.clone()],
    }
}

fn text(of: &Found<'_>) -> Option<String> {
    match of {
        Found::Text(text) => Some(text.clone()),
        Found::Node(node) => node.as_str().map(str::to_owned),
        _ => None,
    }
}

fn number(of: &Found<'_>) -> Option<f64> {
    match of {
        Found::Integer(value) => Some(*value as f64),
        Found::Double(value) => Some(*value),
        Found::Node(node) => node.as_number()?.parse().ok(),
        _ => None,
    }
}

/// Nothing of no numbers, where the Java library throws.
fn aggregate(function: Function, numbers: &[f64]) -> Option<Found<'static>> {
    let (count, sum) = (numbers.len() as f64, numbers.iter().sum::<f64>());
    let squares: f64 = numbers.iter().map(|n| n * n).sum();
    let value = match function {
        _ if numbers.is_empty() => return None,
        Function::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Function::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Function::Avg => sum / count,
        Function::Stddev => (squares / count - (sum / count) * (sum / count)).max(0.0).sqrt(),
        _ => sum,
    };
    Some(Found::Double(value))
}
