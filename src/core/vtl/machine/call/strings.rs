//! Methods of `String`. Positions are those of Java: in units of UTF-16.

use std::sync::Arc;

use super::numbers::int;
use super::{Answer, Arguments, throw};
use crate::base::pattern::Pattern;
use crate::vtl::host::Host;
use crate::vtl::machine::{Result, Run};
use crate::vtl::methods::Method;
use crate::vtl::pattern::{self, SharedPattern};
use crate::vtl::program::CallSite;
use crate::vtl::read::Reader;
use crate::vtl::value::{ListKind, Memory, Value};

impl<H: Host> Run<'_, H> {
    pub(super) fn string_method(
        &mut self,
        receiver: Value,
        method: Method,
        arguments: &Arguments,
        site: &CallSite,
    ) -> Answer {
        let texts = arguments.iter().chain([&receiver]).filter_map(|&value| self.str(value));
        let length = texts.map(str::len).sum();
        self.charge(length)?;
        if let Some(value) = self.asked(receiver, method, arguments) {
            return Ok(Some(value));
        }
        if method.pattern_extent().is_some() {
            return self.pattern_method(receiver, method, arguments, site);
        }
        match (method, &arguments[..]) {
            (Method::Substring | Method::SubSequence, _) => self.substring(receiver, method, arguments),
            (Method::CharAt | Method::CodePointAt, &[at]) => self.character(receiver, method, at),
            (Method::Format, _) => self.format(receiver, arguments),
            (Method::Join, _) => self.join(arguments),
            (Method::ValueOf, &[value]) => Ok(Some(Value::Text(self.text_of_value(value)?))),
            (Method::ToCharArray, []) => self.characters(receiver).map(Some),
            (Method::GetBytes, []) => self.bytes(receiver).map(Some),
            _ => self.changed(receiver, method, arguments),
        }
    }

    /// Methods that answer with a number or truth.
    fn asked(&self, receiver: Value, method: Method, arguments: &Arguments) -> Option<Value> {
        let text = self.str(receiver)?;
        let other = arguments.first().and_then(|&other| self.str(other));
        let is_only = arguments.len() == 1;
        Some(match (method, other) {
            (Method::Length, None) if arguments.is_empty() => Value::Int(units_in(text) as i32),
            (Method::IsEmpty, None) if arguments.is_empty() => Value::Bool(text.is_empty()),
            (Method::IsBlank, None) if arguments.is_empty() => Value::Bool(text.chars().all(char::is_whitespace)),
            (Method::Contains, Some(other)) if is_only => {
                Value::Bool(memchr::memmem::find(text.as_bytes(), other.as_bytes()).is_some())
            }
            (Method::ContentEquals, Some(other)) if is_only => Value::Bool(text == other),
            (Method::StartsWith, Some(other)) if is_only => Value::Bool(text.starts_with(other)),
            (Method::StartsWith, Some(other)) => {
                let from = arguments.get(1).copied().and_then(int)?;
                let start = usize::try_from(from).ok().and_then(|from| byte_of(text, from));
                Value::Bool(start.is_some_and(|start| text[start..].starts_with(other)))
            }
            (Method::EndsWith, Some(other)) if is_only => Value::Bool(text.ends_with(other)),
            (Method::EqualsIgnoreCase, Some(other)) if is_only => {
                Value::Bool(text.to_lowercase() == other.to_lowercase())
            }
            (Method::EqualsIgnoreCase, None) if is_only => Value::Bool(false),
            (Method::CompareTo, Some(other)) if is_only => Value::Int(compare(text, other)),
            (Method::CompareToIgnoreCase, Some(other)) if is_only => {
                Value::Int(compare(&text.to_lowercase(), &other.to_lowercase()))
            }
            (Method::IndexOf, Some(other)) => {
                let from = match arguments.get(1) {
                    None => 0,
                    Some(&from) => int(from)?.max(0) as usize,
                };
                Value::Int(index_of(text, other, from))
            }
            (Method::LastIndexOf, Some(other)) if is_only => {
                Value::Int(text.rfind(other).map_or(-1, |at| units_in(&text[..at]) as i32))
            }
            (Method::IndexOf, None) if is_only => {
                let code = arguments.first().copied().and_then(int)?;
                let wanted = u32::try_from(code).ok().and_then(char::from_u32)?;
                Value::Int(text.find(wanted).map_or(-1, |at| units_in(&text[..at]) as i32))
            }
            _ => return None,
        })
    }

    /// Methods that answer with another string.
    fn changed(&mut self, receiver: Value, method: Method, arguments: &Arguments) -> Answer {
        let Some(text) = self.str(receiver) else { return Ok(None) };
        let is_java_space = |c: char| c <= ' ';
        let kept = match (method, &arguments[..]) {
            (Method::Intern, []) => text,
            (Method::Trim, []) => text.trim_matches(is_java_space),
            (Method::Strip, []) => text.trim(),
            (Method::StripLeading, []) => text.trim_start(),
            (Method::StripTrailing, []) => text.trim_end(),
            _ => return self.rewritten(receiver, method, arguments),
        };
        if let Value::Text(whole) = receiver {
            let start = kept.as_ptr() as usize - text.as_ptr() as usize;
            return Ok(Some(Memory::part(whole, start, start + kept.len())));
        }
        let (start, end) = (kept.as_ptr() as usize - text.as_ptr() as usize, kept.len());
        self.text_of(receiver, |text, out| out.push_str(&text[start..start + end])).map(Some)
    }

    fn rewritten(&mut self, receiver: Value, method: Method, arguments: &Arguments) -> Answer {
        let made = match (method, &arguments[..]) {
            (Method::ToLowerCase, []) => self.text_of(receiver, |text, out| out.push_str(&text.to_lowercase()))?,
            (Method::ToUpperCase, []) => self.text_of(receiver, |text, out| out.push_str(&text.to_uppercase()))?,
            (Method::Concat, &[other]) if self.str(other).is_some() => self.make_text(|run, out| {
                run.write(receiver, out)?;
                run.write(other, out)
            })?,
            (Method::Replace, &[from, to]) if self.str(from).is_some() && self.str(to).is_some() => {
                self.replace(receiver, from, to)?
            }
            (Method::Repeat, &[Value::Int(count)]) => {
                let count = usize::try_from(count).map_err(|_| throw(format!("count is negative: {count}")))?;
                let length = self.str(receiver).map_or(0, str::len);
                if length.saturating_mul(count) > crate::vtl::limits::VALUE_BYTES_MAX {
                    return Err(crate::vtl::value::Exceeded(crate::vtl::error::FailureKind::Memory).into());
                }
                self.text_of(receiver, |text, out| (0..count).for_each(|_| out.push_str(text)))?
            }
            _ => return self.too_many(method, arguments),
        };
        Ok(Some(made))
    }

    /// Velocity calls a method without parameters whatever is given to it, and Java refuses.
    fn too_many(&self, method: Method, arguments: &Arguments) -> Answer {
        let takes_nothing = matches!(
            method,
            Method::Length | Method::IsEmpty | Method::IsBlank | Method::Trim | Method::Strip | Method::Intern
        );
        if takes_nothing && !arguments.is_empty() {
            return Err(throw("wrong number of arguments"));
        }
        Ok(None)
    }

    fn replace(&mut self, receiver: Value, from: Value, to: Value) -> Result<Value> {
        self.make_text(|run, out| {
            let (text, from) = (run.str(receiver).unwrap_or_default(), run.str(from).unwrap_or_default());
            let to = run.str(to).unwrap_or_default();
            let mut copied = 0;
            for (at, found) in text.match_indices(from) {
                out.push_str(&text[copied..at]);
                out.push_str(to);
                copied = at + found.len();
                if out.len() > crate::vtl::limits::VALUE_BYTES_MAX {
                    return Err(crate::vtl::value::Exceeded(crate::vtl::error::FailureKind::Memory).into());
                }
            }
            out.push_str(&text[copied..]);
            Ok(())
        })
    }

    /// Keeps what is made from a string.
    fn text_of(&mut self, receiver: Value, write: impl FnOnce(&str, &mut String)) -> Result<Value> {
        self.make_text(|run, out| {
            write(run.str(receiver).unwrap_or_default(), out);
            Ok(())
        })
    }

    fn substring(&mut self, receiver: Value, method: Method, arguments: &Arguments) -> Answer {
        let Some(text) = self.str(receiver) else { return Ok(None) };
        let units = units_in(text);
        let (start, end) = match (method, &arguments[..]) {
            (Method::Substring, &[Value::Int(start)]) => (start, units as i32),
            (_, &[Value::Int(start), Value::Int(end)]) => (start, end),
            _ => return Ok(None),
        };
        let bounds = (usize::try_from(start), usize::try_from(end));
        let (Ok(from), Ok(to)) = bounds else { return Err(range(start, end, units)) };
        if from > to || to > units {
            return Err(range(start, end, units));
        }
        match (byte_of(text, from), byte_of(text, to), receiver) {
            (Some(start), Some(end), Value::Text(whole)) => Ok(Some(Memory::part(whole, start, end))),
            (Some(start), Some(end), _) => {
                self.text_of(receiver, |text, out| out.push_str(&text[start..end])).map(Some)
            }
            // Half of a pair of surrogates: Java prints it as a question mark.
            _ => {
                let cut: Vec<u16> = text.encode_utf16().skip(from).take(to - from).collect();
                let text = String::from_utf16_lossy(&cut).replace('\u{fffd}', "?");
                Ok(Some(self.memory.text(&text)?))
            }
        }
    }

    fn character(&mut self, receiver: Value, method: Method, at: Value) -> Answer {
        let (Some(text), Some(at)) = (self.str(receiver), int(at)) else { return Ok(None) };
        let found = usize::try_from(at).ok().and_then(|index| text.encode_utf16().nth(index));
        let Some(unit) = found else { return Err(throw(format!("string index out of range: {at}"))) };
        let character = byte_of(text, at as usize).and_then(|start| text[start..].chars().next());
        Ok(Some(match (method, character) {
            (Method::CodePointAt, Some(character)) => Value::Int(character as i32),
            (Method::CodePointAt, None) => Value::Int(unit.into()),
            (_, Some(character)) if character.len_utf16() == 1 => self.memory.text_with(|out| out.push(character))?,
            _ => self.memory.text("?")?,
        }))
    }

    /// Java's `toCharArray`: a text for each character.
    fn characters(&mut self, receiver: Value) -> Result<Value> {
        let text = self.str(receiver).unwrap_or_default().to_owned();
        self.charge(text.len() * size_of::<Value>())?;
        let mut items = Vec::with_capacity(text.len());
        let mut buffer = [0; 4];
        for character in text.chars() {
            items.push(self.memory.text(character.encode_utf8(&mut buffer))?);
        }
        Ok(self.memory.list(ListKind::Array, &items)?)
    }

    /// Java's `getBytes`, signed as Java's bytes are.
    pub(in crate::vtl::machine) fn bytes(&mut self, receiver: Value) -> Result<Value> {
        let text = self.str(receiver).unwrap_or_default();
        let items: Vec<Value> = text.bytes().map(|byte| Value::Int((byte as i8).into())).collect();
        self.charge(items.len() * size_of::<Value>())?;
        Ok(self.memory.list(ListKind::Array, &items)?)
    }

    fn pattern_method(&mut self, receiver: Value, method: Method, arguments: &Arguments, site: &CallSite) -> Answer {
        let Some(&source) = arguments.first() else { return Ok(None) };
        let reader = Reader { memory: &*self.memory, host: &*self.host };
        let Some(source) = reader.str(source) else { return Ok(None) };
        let pattern: SharedPattern = match (&site.pattern, method.pattern_extent()) {
            (Some(pattern), _) => Arc::clone(pattern),
            (None, Some(extent)) => self.patterns.of(source, extent).map_err(throw)?,
            (None, None) => return Ok(None),
        };
        let pattern = match &*pattern {
            Ok(pattern) => pattern,
            Err(message) => return Err(throw(message.clone())),
        };
        match (method, &arguments[1..]) {
            (Method::Matches, []) => {
                let text = reader.str(receiver).unwrap_or_default();
                let budget = &mut self.patterns.budget;
                Ok(Some(Value::Bool(pattern::matches(pattern, text, budget).map_err(throw)?)))
            }
            (Method::ReplaceAll | Method::ReplaceFirst, &[with]) if self.str(with).is_some() => {
                let most = if method == Method::ReplaceAll { usize::MAX } else { 1 };
                let mut budget = std::mem::take(&mut self.patterns.budget);
                let made = self.make_text(|run, out| {
                    let text = run.str(receiver).unwrap_or_default();
                    let with = run.str(with).unwrap_or_default();
                    pattern::replace(pattern, text, with, most, &mut budget, out).map_err(throw)
                });
                self.patterns.budget = budget;
                made.map(Some)
            }
            (Method::Split, []) => self.split(receiver, pattern, 0),
            (Method::Split, &[Value::Int(limit)]) => self.split(receiver, pattern, limit),
            _ => Ok(None),
        }
    }

    fn split(&mut self, receiver: Value, pattern: &Pattern, limit: i32) -> Answer {
        let reader = Reader { memory: &*self.memory, host: &*self.host };
        let Some(text) = reader.str(receiver) else { return Ok(None) };
        let budget = &mut self.patterns.budget;
        let parts = pattern::split(pattern, text, limit, budget).map_err(throw)?;
        // The parts are within one text that stays.
        let whole = self.text_of_value(receiver)?;
        let items: Vec<Value> = parts.into_iter().map(|(start, end)| Memory::part(whole, start, end)).collect();
        Ok(Some(self.memory.list(ListKind::Array, &items)?))
    }

    /// `String.join(delimiter, list)` or `(delimiter, a, b, …)`.
    fn join(&mut self, arguments: &Arguments) -> Answer {
        let Some((&delimiter, rest)) = arguments.split_first() else { return Ok(None) };
        if self.str(delimiter).is_none() {
            return Ok(None);
        }
        let items = match rest {
            &[list] if self.list_kind(list).is_some() => self.elements(list)?,
            rest => rest.to_vec(),
        };
        let joined = self.make_text(|run, out| {
            for (index, &item) in items.iter().enumerate() {
                if index > 0 {
                    run.write(delimiter, out)?;
                }
                run.write(item, out)?;
            }
            Ok(())
        });
        joined.map(Some)
    }
}

fn range(start: i32, end: i32, length: usize) -> super::Trouble {
    throw(format!("begin {start}, end {end}, length {length}"))
}

/// Length in units of UTF-16.
fn units_in(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Where a unit of UTF-16 begins in the bytes; `None` within a pair of surrogates or past the end.
fn byte_of(text: &str, unit: usize) -> Option<usize> {
    if text.is_ascii() {
        return (unit <= text.len()).then_some(unit);
    }
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units == unit {
            return Some(at);
        }
        units += character.len_utf16();
    }
    (units == unit).then_some(text.len())
}

fn index_of(text: &str, other: &str, from: usize) -> i32 {
    let Some(start) = byte_of(text, from) else {
        return if other.is_empty() { units_in(text) as i32 } else { -1 };
    };
    let found = memchr::memmem::find(&text.as_bytes()[start..], other.as_bytes());
    found.map_or(-1, |at| units_in(&text[..start + at]) as i32)
}

/// Java's `compareTo`: by units of UTF-16, then by length.
fn compare(left: &str, right: &str) -> i32 {
    let different = left.encode_utf16().zip(right.encode_utf16()).find(|(a, b)| a != b);
    match different {
        Some((a, b)) => i32::from(a) - i32::from(b),
        None => units_in(left) as i32 - units_in(right) as i32,
    }
}
