//! Reading values: what they are and have, and their text. Nothing here changes anything.

use super::error::FailureKind;
use super::host::{Host, View};
use super::limits;
use super::number::Number;
use super::value::{Exceeded, HostRef, ListKind, MapKind, Memory, Value};

/// Values of a run with all that they refer to.
pub(super) struct Reader<'a, H> {
    pub(super) memory: &'a Memory,
    pub(super) host: &'a H,
}

impl<H> Clone for Reader<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for Reader<'_, H> {}

/// How what is inside of a list or map is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Java,
    Json,
}

impl<'a, H: Host> Reader<'a, H> {
    /// A thing of the host as a value: scalars become ours.
    #[inline]
    pub(super) fn settle(self, host: HostRef) -> Value {
        match self.host.view(host) {
            View::Null => Value::Null,
            View::Bool(value) => Value::Bool(value),
            View::Int(value) => Value::Int(value),
            View::Long(value) => Value::Long(value),
            View::Double(value) => Value::Double(value),
            View::Text(_) | View::Decimal(_) | View::List | View::JsonList | View::Map | View::Object => {
                Value::Host(host)
            }
        }
    }

    /// The text of a string.
    pub(super) fn str(self, value: Value) -> Option<&'a str> {
        match value {
            Value::Text(text) => Some(self.memory.str(text)),
            Value::Host(host) => match self.host.view(host) {
                View::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn number(self, value: Value) -> Option<Number> {
        match value {
            Value::Int(value) => Some(Number::Int(value)),
            Value::Long(value) => Some(Number::Long(value)),
            Value::Double(value) => Some(Number::Double(value)),
            Value::Big(big) => Some(Number::Big(self.memory.big_of(big))),
            Value::Host(host) => match self.host.view(host) {
                View::Decimal(digits) => Number::decimal(digits),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn list_kind(self, value: Value) -> Option<ListKind> {
        match self.memory.current(value) {
            Value::List(list) => Some(self.memory.list_kind(list)),
            Value::Host(host) => match self.host.view(host) {
                View::List => Some(ListKind::List),
                View::JsonList => Some(ListKind::Json),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn is_map(self, value: Value) -> bool {
        match self.memory.current(value) {
            Value::Map(_) => true,
            Value::Host(host) => self.host.view(host) == View::Map,
            _ => false,
        }
    }

    /// How many elements a list or map has.
    pub(super) fn size(self, value: Value) -> usize {
        match self.memory.current(value) {
            Value::List(list) => self.memory.items(list).len(),
            Value::Map(map) => self.memory.map_entries(map).len(),
            Value::Host(host) => self.host.size(host),
            _ => 0,
        }
    }

    /// An element of a list.
    pub(super) fn element(self, list: Value, index: usize) -> Option<Value> {
        match self.memory.current(list) {
            Value::List(list) => self.memory.items(list).get(index).copied(),
            Value::Host(host) => self.host.element(host, index).map(|found| self.settle(found)),
            _ => None,
        }
    }

    /// The element of a list or map at a cursor, which is moved on: its key and value.
    pub(super) fn next_element(self, container: Value, cursor: &mut u32) -> Option<(Value, Value)> {
        let at = *cursor as usize;
        match container {
            Value::List(list) => {
                *cursor += 1;
                self.memory.items(list).get(at).map(|&item| (Value::Null, item))
            }
            Value::Map(map) => {
                *cursor += 1;
                self.memory.map_entries(map).get(at).copied()
            }
            Value::Host(host) => {
                let item = self.host.next(host, *cursor)?;
                *cursor = item.next;
                let key = if self.host.view(host) == View::Map { Value::Host(item.key) } else { Value::Null };
                Some((key, self.settle(item.value)))
            }
            _ => None,
        }
    }

    /// The value of a key that is a text.
    pub(super) fn member(self, map: Value, name: &str) -> Option<Value> {
        match self.memory.current(map) {
            Value::Map(map) => {
                let entries = self.memory.map_entries(map);
                entries.iter().find(|(key, _)| self.str(*key) == Some(name)).map(|(_, value)| *value)
            }
            Value::Host(host) => self.host.member(host, name)?.found.map(|found| self.settle(found)),
            _ => None,
        }
    }

    /// Appends a value's text.
    pub(super) fn write(self, value: Value, out: &mut String) -> Result<(), Exceeded> {
        self.write_nested(value, Style::Java, 0, out)
    }

    /// Appends a value as JSON.
    pub(super) fn write_json(self, value: Value, out: &mut String) -> Result<(), Exceeded> {
        self.write_nested(value, Style::Json, 0, out)
    }

    fn write_nested(self, value: Value, style: Style, depth: usize, out: &mut String) -> Result<(), Exceeded> {
        if depth > limits::VALUE_DEPTH_MAX {
            return Err(Exceeded(FailureKind::Depth));
        }
        if out.len() > limits::OUTPUT_BYTES_MAX {
            return Err(Exceeded(FailureKind::Output));
        }
        let value = self.memory.current(value);
        if let Some(text) = self.str(value) {
            match style {
                Style::Java => out.push_str(text),
                Style::Json => write_quoted(text, out),
            }
            return Ok(());
        }
        if let Value::Host(host) = value
            && let View::Decimal(digits) = self.host.view(host)
        {
            out.push_str(digits);
            return Ok(());
        }
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Value::Entry(entry) => {
                let (key, value) = self.memory.entry_of(entry);
                self.write_nested(key, style, depth + 1, out)?;
                out.push('=');
                self.write_nested(value, style, depth + 1, out)?;
            }
            Value::Loop(_) => out.push_str("{}"),
            _ => match (self.number(value), self.list_kind(value)) {
                (Some(number), _) => write_number(number, style, out),
                (None, Some(kind)) => self.write_list(value, kind, style, depth, out)?,
                (None, None) => self.write_map(value, style, depth, out)?,
            },
        }
        Ok(())
    }

    fn write_list(
        self,
        list: Value,
        kind: ListKind,
        style: Style,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Exceeded> {
        let inner = if kind == ListKind::Json { Style::Json } else { style };
        out.push('[');
        let mut cursor = 0;
        let mut is_first = true;
        while let Some((_, item)) = self.next_element(list, &mut cursor) {
            if !std::mem::take(&mut is_first) {
                out.push_str(if inner == Style::Json { "," } else { ", " });
            }
            self.write_nested(item, inner, depth + 1, out)?;
        }
        out.push(']');
        Ok(())
    }

    fn write_map(self, map: Value, style: Style, depth: usize, out: &mut String) -> Result<(), Exceeded> {
        let is_silent = matches!(map, Value::Map(map) if self.memory.map_kind(map) == MapKind::Silent);
        if is_silent || !self.is_map(map) {
            return Ok(());
        }
        out.push('{');
        let mut cursor = 0;
        let mut is_first = true;
        while let Some((key, value)) = self.next_element(map, &mut cursor) {
            if !std::mem::take(&mut is_first) {
                out.push_str(if style == Style::Json { "," } else { ", " });
            }
            self.write_nested(key, style, depth + 1, out)?;
            out.push(if style == Style::Json { ':' } else { '=' });
            self.write_nested(value, style, depth + 1, out)?;
        }
        out.push('}');
        Ok(())
    }
}

fn write_number(number: Number, style: Style, out: &mut String) {
    match number {
        Number::Double(value) if style == Style::Json && !value.is_finite() => out.push_str("null"),
        number => number.write(out),
    }
}

/// A JSON string.
pub(super) fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\') || c < ' ') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            control => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(char::from(DIGITS[usize::from(control >> 4)]));
                out.push(char::from(DIGITS[usize::from(control & 15)]));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}
