//! Variables from a JSON document: the host of `vtl eval --vars`, of tests and of benchmarks.

use super::Binding;
use super::host::{Host, Item, Link, Lookup, Names, Refusal, View};
use super::value::{HostRef, Memory, Value};
use crate::base::bytes::is_same;

/// A flattened JSON document whose members are variables. Lists and maps print as Java prints them.
#[derive(Debug, Default)]
pub struct Document {
    nodes: Vec<Node>,
    text: String,
}

#[derive(Clone, Copy, Debug)]
enum Node {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    Text {
        start: u32,
        length: u32,
    },
    /// The index past its last part, and how many elements it has.
    List {
        end: u32,
        size: u32,
    },
    /// Its value stands behind it, and the next key at `next`.
    Key {
        start: u32,
        length: u32,
        next: u32,
    },
    /// The index past its last value, and how many keys it has.
    Map {
        end: u32,
        size: u32,
    },
}

impl Document {
    /// The realm of its values, so that other hosts can pass them on.
    pub const REALM: u16 = u16::MAX;

    /// Flattens a document.
    pub fn new(json: &serde_json::Value) -> Self {
        let mut document = Self::default();
        document.add(json);
        document
    }

    fn add(&mut self, json: &serde_json::Value) {
        use serde_json::Value as Json;
        let at = self.nodes.len();
        match json {
            Json::Null => self.nodes.push(Node::Null),
            Json::Bool(value) => self.nodes.push(Node::Bool(*value)),
            Json::Number(number) => self.nodes.push(number_of(number)),
            Json::String(text) => self.add_text(text),
            Json::Array(items) => {
                self.nodes.push(Node::Null);
                items.iter().for_each(|item| self.add(item));
                self.nodes[at] = Node::List { end: self.nodes.len() as u32, size: items.len() as u32 };
            }
            Json::Object(members) => {
                self.nodes.push(Node::Null);
                for (name, value) in members {
                    let (key, start) = (self.nodes.len(), self.text.len() as u32);
                    self.text.push_str(name);
                    self.nodes.push(Node::Null);
                    self.add(value);
                    self.nodes[key] = Node::Key { start, length: name.len() as u32, next: self.nodes.len() as u32 };
                }
                self.nodes[at] = Node::Map { end: self.nodes.len() as u32, size: members.len() as u32 };
            }
        }
    }

    fn add_text(&mut self, text: &str) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        self.nodes.push(Node::Text { start, length: text.len() as u32 });
    }

    fn node(&self, at: u32) -> Node {
        self.nodes.get(at as usize).copied().unwrap_or(Node::Null)
    }

    /// The bytes of a text or key.
    fn bytes(&self, start: u32, length: u32) -> &[u8] {
        self.text.as_bytes().get(start as usize..start as usize + length as usize).unwrap_or_default()
    }

    /// The index past a value.
    fn past(&self, at: u32) -> u32 {
        match self.node(at) {
            Node::List { end, .. } | Node::Map { end, .. } => end,
            _ => at + 1,
        }
    }

    /// Compares lengths first: most keys differ in it.
    fn find(&self, map: u32, name: &str) -> Option<u32> {
        let Node::Map { end, .. } = self.node(map) else { return None };
        let mut at = map + 1;
        while at < end
            && let Node::Key { start, length, next } = self.node(at)
        {
            if length as usize == name.len() && is_same(self.bytes(start, length), name.as_bytes()) {
                return Some(at + 1);
            }
            at = next;
        }
        None
    }
}

fn number_of(number: &serde_json::Number) -> Node {
    match number.as_i64() {
        Some(value) => i32::try_from(value).map_or(Node::Long(value), Node::Int),
        None => Node::Double(number.as_f64().unwrap_or(f64::NAN)),
    }
}

fn here(index: u32) -> HostRef {
    HostRef { realm: Document::REALM, index }
}

impl Names for &Document {
    fn root(&self, name: &str) -> Option<HostRef> {
        self.find(0, name).map(here)
    }

    fn bind(&mut self, _: HostRef, _: &[Link]) -> Result<Option<Binding>, String> {
        Ok(None)
    }
}

impl Host for &Document {
    #[inline]
    fn view(&self, at: HostRef) -> View<'_> {
        match self.node(at.index) {
            Node::Null => View::Null,
            Node::Bool(value) => View::Bool(value),
            Node::Int(value) => View::Int(value),
            Node::Long(value) => View::Long(value),
            Node::Double(value) => View::Double(value),
            Node::Text { start, length } | Node::Key { start, length, .. } => {
                View::Text(self.text.get(start as usize..start as usize + length as usize).unwrap_or_default())
            }
            Node::List { .. } => View::List,
            Node::Map { .. } => View::Map,
        }
    }

    fn size(&self, at: HostRef) -> usize {
        match self.node(at.index) {
            Node::List { size, .. } | Node::Map { size, .. } => size as usize,
            _ => 0,
        }
    }

    #[inline]
    fn member(&self, map: HostRef, key: &str) -> Option<Lookup> {
        let Node::Map { size, .. } = self.node(map.index) else { return None };
        Some(Lookup { found: self.find(map.index, key).map(here), keys: size as usize })
    }

    fn element(&self, list: HostRef, index: usize) -> Option<HostRef> {
        let mut cursor = 0;
        let mut found = None;
        for _ in 0..=index {
            let item = self.next(list, cursor)?;
            cursor = item.next;
            found = Some(item.value);
        }
        found
    }

    fn next(&self, container: HostRef, cursor: u32) -> Option<Item> {
        let (end, key_nodes) = match self.node(container.index) {
            Node::List { end, .. } => (end, 0),
            Node::Map { end, .. } => (end, 1),
            _ => return None,
        };
        let at = if cursor == 0 { container.index + 1 } else { cursor };
        let value = at + key_nodes;
        (at < end).then(|| Item { key: here(at), value: here(value), next: self.past(value) })
    }

    fn bound(&mut self, _: u32, _: &mut Memory) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }

    fn print_bound(&mut self, _: u32, _: &mut Memory, _: &mut Vec<u8>) -> Result<bool, Refusal> {
        Ok(false)
    }

    fn property(&mut self, _: HostRef, _: &str, _: &mut Memory) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }

    fn call(&mut self, _: HostRef, _: &str, _: &[Value], _: &mut Memory) -> Result<Option<Value>, Refusal> {
        Ok(None)
    }

    fn as_map(&mut self, _: HostRef, _: &mut Memory) -> Result<Value, Refusal> {
        Ok(Value::Null)
    }
}
