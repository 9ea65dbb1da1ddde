//! `$input.json` and `$input.path` once the template has changed what `$input.path` gave it: on AWS all of them are about
//! one and the same object, so that `#set($b = $input.path('$'))#set($b.x = 1)$input.json('$')` has the new member.

use super::Message;
use super::host::MessageHost;
use super::parsed;
use crate::json::JsonPath;
use crate::json::path::Key;
use crate::vtl::{HostRef, Memory, Refusal, Value};

impl<M: Message> MessageHost<'_, M> {
    pub(super) fn write_changed_json(
        &mut self,
        path: &JsonPath,
        memory: &Memory,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        if path.keys().is_some() {
            let mut text = String::new();
            match self.follow(path, memory) {
                Some(value) => memory.write_json(value, self, &mut text)?,
                None => text.push_str("\"\""),
            }
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let document = self.read_changed(memory)?;
        match document.map(|root| self.find_parsed(root, path)).transpose()?.flatten() {
            Some(found) => found.write_json(out),
            None => out.extend_from_slice(b"\"\""),
        }
        Ok(())
    }

    pub(super) fn changed_path(&mut self, path: &JsonPath, memory: &mut Memory) -> Result<Value, Refusal> {
        if path.keys().is_some() {
            return Ok(self.follow(path, memory).unwrap_or(Value::Null));
        }
        let Some(root) = self.read_changed(memory)? else { return Ok(Value::Null) };
        match self.find_parsed(root, path)? {
            Some(found) => parsed::value_of(&found, root.realm, memory),
            None => Ok(Value::Null),
        }
    }

    /// `false`: it leads to nothing.
    pub(super) fn print_changed_path(
        &mut self,
        path: &JsonPath,
        memory: &mut Memory,
        out: &mut Vec<u8>,
    ) -> Result<bool, Refusal> {
        let value = self.changed_path(path, memory)?;
        if value == Value::Null {
            return Ok(false);
        }
        let mut text = String::new();
        memory.write(value, self, &mut text)?;
        out.extend_from_slice(text.as_bytes());
        Ok(true)
    }

    /// Where names and indices lead to. `None`: nowhere, or they are not all there is to the path.
    fn follow(&mut self, path: &JsonPath, memory: &Memory) -> Option<Value> {
        let mut value = self.root()?;
        for key in path.keys()? {
            value = match key {
                Key::Name(name) => memory.member(value, name, self)?,
                Key::Index(index) => memory.element(value, index, self)?,
            };
        }
        Some(value)
    }

    /// The document as it is now, read anew for paths that look around in it.
    fn read_changed(&mut self, memory: &Memory) -> Result<Option<HostRef>, Refusal> {
        let Some(root) = self.root() else { return Ok(None) };
        let mut text = String::new();
        memory.write_json(root, self, &mut text)?;
        self.read_parsed(&text)
    }
}
