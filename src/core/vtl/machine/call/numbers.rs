//! Methods of `Integer`, `Long`, `Double` and `Boolean`, the static ones too: Velocity calls those through an instance.

use super::{Answer, Arguments, throw};
use crate::vtl::host::Host;
use crate::vtl::machine::Run;
use crate::vtl::methods::Method;
use crate::vtl::number::Number;
use crate::vtl::value::Value;

impl<H: Host> Run<'_, H> {
    pub(super) fn number_method(&mut self, receiver: Value, method: Method, arguments: &Arguments) -> Answer {
        if let Value::Bool(value) = receiver {
            return self.bool_method(value, method, arguments);
        }
        let Some(number) = self.number(receiver) else { return Ok(None) };
        Ok(match (method, &arguments[..]) {
            (Method::IntValue, []) => Some(Value::Int(number.int())),
            (Method::ShortValue, []) => Some(Value::Int((number.int() as i16).into())),
            (Method::ByteValue, []) => Some(Value::Int((number.int() as i8).into())),
            (Method::LongValue, []) => Some(Value::Long(number.long())),
            (Method::DoubleValue, []) => Some(Value::Double(number.double())),
            (Method::FloatValue, []) => Some(Value::Double((number.double() as f32).into())),
            (Method::IsNaN, []) => Some(Value::Bool(number.double().is_nan())),
            (Method::IsInfinite, []) => Some(Value::Bool(number.double().is_infinite())),
            (Method::CompareTo, &[other]) if is_same_class(receiver, other) => {
                let other = self.number(other).unwrap_or(number);
                Some(Value::Int(number.compare(other).map_or(1, |order| order as i32)))
            }
            (Method::Max | Method::Min, &[a, b]) if is_same_class(receiver, a) && is_same_class(receiver, b) => {
                let is_less = match (self.number(a), self.number(b)) {
                    (Some(first), Some(second)) => first.compare(second).is_some_and(|order| order.is_lt()),
                    _ => false,
                };
                Some(if is_less == (method == Method::Min) { a } else { b })
            }
            (Method::ToString | Method::ValueOf, &[Value::Int(other)]) => {
                let is_text = method == Method::ToString;
                Some(if is_text { self.make_text(|run, out| run.write(Value::Int(other), out))? } else { arguments[0] })
            }
            (Method::ToHexString, &[Value::Int(value)]) => Some(self.memory.text(&format!("{value:x}"))?),
            (Method::ToBinaryString, &[Value::Int(value)]) => Some(self.memory.text(&format!("{value:b}"))?),
            (_, &[text]) => self.parse(receiver, method, text)?,
            _ => None,
        })
    }

    /// `parseInt('12')` and its like.
    fn parse(&mut self, receiver: Value, method: Method, text: Value) -> Answer {
        let Some(text) = self.str(text) else { return Ok(None) };
        let wrong = || throw(format!("for input string: \"{text}\""));
        let digits = text.strip_prefix('+').unwrap_or(text);
        let value = match (receiver, method) {
            (Value::Int(_), Method::ParseInt | Method::ValueOf) => Value::Int(digits.parse().map_err(|_| wrong())?),
            (Value::Long(_), Method::ParseLong | Method::ValueOf) => Value::Long(digits.parse().map_err(|_| wrong())?),
            (Value::Double(_), Method::ParseDouble | Method::ParseFloat | Method::ValueOf) => {
                Value::Double(digits.trim().parse().map_err(|_| wrong())?)
            }
            // Other classes' parsers, for templates that keep one number for all.
            (_, Method::ParseInt) => Value::Int(digits.parse().map_err(|_| wrong())?),
            (_, Method::ParseLong) => Value::Long(digits.parse().map_err(|_| wrong())?),
            (_, Method::ParseDouble) => Value::Double(digits.trim().parse().map_err(|_| wrong())?),
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    fn bool_method(&mut self, receiver: bool, method: Method, arguments: &Arguments) -> Answer {
        Ok(match (method, &arguments[..]) {
            (Method::BooleanValue, []) => Some(Value::Bool(receiver)),
            (Method::CompareTo, &[Value::Bool(other)]) => Some(Value::Int(i32::from(receiver) - i32::from(other))),
            (Method::ParseBoolean | Method::ValueOf, &[text]) => {
                self.str(text).map(|text| Value::Bool(text.eq_ignore_ascii_case("true")))
            }
            _ => None,
        })
    }
}

fn is_same_class(left: Value, right: Value) -> bool {
    std::mem::discriminant(&left) == std::mem::discriminant(&right)
}

/// The integer that a parameter of type `int` takes.
pub(super) fn int(value: Value) -> Option<i32> {
    match value {
        Value::Int(value) => Some(value),
        _ => None,
    }
}

/// Its number, for a format.
pub(super) fn whole(number: Number) -> Option<i128> {
    number.whole()
}
