//! Values as text: Java's `toString`, and JSON for lists of a JSON document.

use super::{Result, Run};
use crate::vtl::error::FailureKind;
use crate::vtl::host::View;
use crate::vtl::limits;
use crate::vtl::number::Number;
use crate::vtl::value::{Exceeded, ListKind, MapKind, Text, Value};

/// How what is inside of a list or map is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Java,
    Json,
}

impl Run<'_> {
    /// Prints a value; null prints nothing.
    pub(super) fn print(&mut self, value: Value) -> Result<()> {
        match value {
            Value::Text(text) => self.out.push_str(self.memory.str(text)),
            Value::Int(value) => self.out.push_str(itoa::Buffer::new().format(value)),
            Value::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            Value::Null => {}
            Value::Block(code) => return self.run_block(code).map(drop),
            Value::Host(host) => {
                if let View::Text(text) = self.host.view(host) {
                    self.out.push_str(text);
                } else {
                    self.print_slowly(value)?;
                }
            }
            _ => self.print_slowly(value)?,
        }
        self.check_output()
    }

    fn print_slowly(&mut self, value: Value) -> Result<()> {
        let mut out = std::mem::take(&mut self.out);
        let written = self.write(value, &mut out);
        self.out = out;
        written
    }

    #[inline]
    pub(super) fn check_output(&self) -> Result<()> {
        if self.out.len() + self.waiting > limits::OUTPUT_BYTES_MAX {
            return Err(Exceeded(FailureKind::Output).into());
        }
        Ok(())
    }

    /// Appends a value's text.
    pub(super) fn write(&self, value: Value, out: &mut String) -> Result<()> {
        self.write_nested(value, Style::Java, 0, out)
    }

    /// A value's text, kept.
    pub(super) fn to_text(&mut self, value: Value) -> Result<Text> {
        match value {
            Value::Text(text) => return Ok(text),
            Value::Block(code) => {
                if let Value::Text(text) = self.block_text(code)? {
                    return Ok(text);
                }
            }
            _ => {}
        }
        let text = self.make_text(|run, out| run.write(value, out))?;
        match text {
            Value::Text(text) => Ok(text),
            _ => Err(Exceeded(FailureKind::Memory).into()),
        }
    }

    /// Keeps a text that is made from others.
    pub(super) fn make_text(&mut self, write: impl FnOnce(&Self, &mut String) -> Result<()>) -> Result<Value> {
        let mut scratch = std::mem::take(&mut self.state.scratch);
        scratch.clear();
        let made = write(self, &mut scratch);
        self.charge(scratch.len())?;
        let text = made.and_then(|()| Ok(self.memory.text(&scratch)?));
        self.state.scratch = scratch;
        text
    }

    fn write_nested(&self, value: Value, style: Style, depth: usize, out: &mut String) -> Result<()> {
        if depth > limits::VALUE_DEPTH_MAX {
            return Err(Exceeded(FailureKind::Depth).into());
        }
        if out.len() > limits::OUTPUT_BYTES_MAX {
            return Err(Exceeded(FailureKind::Output).into());
        }
        let value = self.memory.current(value);
        if let Some(text) = self.str(value) {
            match style {
                Style::Java => out.push_str(text),
                Style::Json => write_quoted(text, out),
            }
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

    fn write_list(&self, list: Value, kind: ListKind, style: Style, depth: usize, out: &mut String) -> Result<()> {
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

    fn write_map(&self, map: Value, style: Style, depth: usize, out: &mut String) -> Result<()> {
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
