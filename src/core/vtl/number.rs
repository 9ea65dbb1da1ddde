//! Numbers as Velocity 1.7 computes with them: Java's `Integer`, `Long`, `Double` and `BigInteger`.

use std::cmp::Ordering;

use super::syntax::Arithmetic;
use crate::base::double::JavaDouble;

/// A number by value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i32),
    Long(i64),
    /// Wider than 64 bits, or made by something that is.
    Big(i128),
    Double(f64),
}

impl Number {
    /// An integer literal: the smallest of Java's types that holds it. `None`: wider than 128 bits.
    pub(super) fn integer(text: &str) -> Option<Self> {
        let value: i128 = text.parse().ok()?;
        Some(match (i32::try_from(value), i64::try_from(value)) {
            (Ok(int), _) => Self::Int(int),
            (_, Ok(long)) => Self::Long(long),
            _ => Self::Big(value),
        })
    }

    /// A number of a document: an integer if it is written as one and not too long.
    pub(super) fn decimal(digits: &str) -> Option<Self> {
        Self::integer(digits).or_else(|| digits.parse().ok().map(Self::Double))
    }

    /// Its value when it is an integer.
    pub(super) fn whole(self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(value.into()),
            Self::Long(value) => Some(value.into()),
            Self::Big(value) => Some(value),
            Self::Double(_) => None,
        }
    }

    pub(super) fn double(self) -> f64 {
        match self {
            Self::Int(value) => value.into(),
            Self::Long(value) => value as f64,
            Self::Big(value) => value as f64,
            Self::Double(value) => value,
        }
    }

    /// Java's `longValue()`.
    pub(super) fn long(self) -> i64 {
        match self {
            Self::Double(value) => value as i64,
            other => other.whole().unwrap_or(0) as i64,
        }
    }

    /// Java's `intValue()`.
    pub(super) fn int(self) -> i32 {
        match self {
            Self::Double(value) => value as i32,
            other => other.long() as i32,
        }
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self.whole(), other.whole()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => self.double().partial_cmp(&other.double()),
        }
    }

    pub(super) fn write(self, out: &mut String) {
        match self {
            Self::Int(value) => out.push_str(itoa::Buffer::new().format(value)),
            Self::Long(value) => out.push_str(itoa::Buffer::new().format(value)),
            Self::Big(value) => out.push_str(itoa::Buffer::new().format(value)),
            Self::Double(value) => out.push_str(JavaDouble::new(value).as_str()),
        }
    }
}

/// Computes; `None` for what has no result: division by zero, more than 128 bits.
pub(super) fn compute(operation: Arithmetic, left: Number, right: Number) -> Option<Number> {
    match (left.whole(), right.whole()) {
        (Some(a), Some(b)) => whole(operation, a, b).and_then(|result| narrow(result, left, right)),
        _ => double(operation, left.double(), right.double()).map(Number::Double),
    }
}

fn whole(operation: Arithmetic, a: i128, b: i128) -> Option<i128> {
    match operation {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Remainder => a.checked_rem(b),
    }
}

fn double(operation: Arithmetic, a: f64, b: f64) -> Option<f64> {
    match operation {
        Arithmetic::Add => Some(a + b),
        Arithmetic::Subtract => Some(a - b),
        Arithmetic::Multiply => Some(a * b),
        Arithmetic::Divide => (b != 0.0).then(|| a / b),
        Arithmetic::Remainder => (b != 0.0).then(|| a % b),
    }
}

/// The wider type of both operands, or the next that holds the result.
fn narrow(result: i128, left: Number, right: Number) -> Option<Number> {
    let is_big = matches!(left, Number::Big(_)) || matches!(right, Number::Big(_));
    let is_long = matches!(left, Number::Long(_)) || matches!(right, Number::Long(_));
    Some(match (i32::try_from(result), i64::try_from(result)) {
        _ if is_big => Number::Big(result),
        (Ok(int), _) if !is_long => Number::Int(int),
        (_, Ok(long)) => Number::Long(long),
        _ => Number::Big(result),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_widen_only_when_they_must() {
        let max = Number::Int(i32::MAX);
        assert_eq!(compute(Arithmetic::Add, max, Number::Int(1)), Some(Number::Long(2_147_483_648)));
        assert_eq!(compute(Arithmetic::Add, Number::Long(1), Number::Int(1)), Some(Number::Long(2)));
        let wide = compute(Arithmetic::Multiply, Number::Long(i64::MAX), Number::Int(2));
        assert_eq!(wide, Some(Number::Big(i128::from(i64::MAX) * 2)));
        assert_eq!(compute(Arithmetic::Divide, Number::Int(1), Number::Int(0)), None);
        assert_eq!(compute(Arithmetic::Divide, Number::Double(1.0), Number::Int(0)), None);
        assert_eq!(compute(Arithmetic::Remainder, Number::Int(-7), Number::Int(2)), Some(Number::Int(-1)));
    }
}
