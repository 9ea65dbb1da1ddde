//! Values as text: Java's `toString`, and JSON for lists of a JSON document.

use super::{Result, Run};
use crate::base::double::JavaDouble;
use crate::vtl::error::FailureKind;
use crate::vtl::host::Host;
use crate::vtl::limits;
use crate::vtl::value::{Exceeded, Text, Value};

impl<H: Host> Run<'_, H> {
    /// Prints a value; null prints nothing.
    pub(super) fn print(&mut self, value: Value) -> Result<()> {
        match value {
            Value::Text(text) => self.out.extend_from_slice(self.memory.str(text).as_bytes()),
            Value::Int(value) => self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
            Value::Bool(value) => self.out.extend_from_slice(if value { b"true" } else { b"false" }),
            Value::Double(value) => self.out.extend_from_slice(JavaDouble::new(value).as_bytes()),
            Value::Null => {}
            Value::Block(code) => return self.run_block(code).map(drop),
            Value::Host(host) if self.host.print(host, &mut self.out) => {}
            _ => self.print_slowly(value)?,
        }
        self.check_output()
    }

    fn print_slowly(&mut self, value: Value) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.state.scratch);
        scratch.clear();
        let written = self.write(value, &mut scratch);
        self.out.extend_from_slice(scratch.as_bytes());
        self.state.scratch = scratch;
        written
    }

    #[inline]
    pub(super) fn check_output(&self) -> Result<()> {
        if self.out.len() + self.waiting > limits::OUTPUT_BYTES_MAX {
            return Err(Exceeded(FailureKind::Output).into());
        }
        Ok(())
    }

    /// A value's text, kept.
    pub(super) fn text_of_value(&mut self, value: Value) -> Result<Text> {
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
}
