//! Values of a running template, and the memory that they live in.

use std::collections::HashMap;

use super::error::FailureKind;
use super::host::Host;
use super::limits;
use super::read::Reader;

/// A text in the machine's memory. The program's own texts are at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// Something that the host knows: a place in its document, or an object such as `$input`. The numbers are the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostRef {
    /// Which of the host's things this is about.
    pub realm: u16,
    /// Which one of them.
    pub index: u32,
}

/// A value, as Java's objects are values: what has parts is a handle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// `Boolean`
    Bool(bool),
    /// `Integer`
    Int(i32),
    /// `Long`
    Long(i64),
    /// `Double`
    Double(f64),
    /// `BigInteger`
    Big(BigId),
    /// `String`
    Text(Text),
    /// A list, array, set or collection.
    List(ListId),
    /// `LinkedHashMap`
    Map(MapId),
    /// An entry of a map.
    Entry(EntryId),
    /// An iterator over a list.
    Iterator(IteratorId),
    /// What `#define` and `#@macro` hold.
    Block(u32),
    /// `$foreach`, by depth of the loop.
    Loop(u32),
    /// Something of the host.
    Host(HostRef),
}

const _: () = assert!(size_of::<Value>() == 16, "values are copied for every step");

/// A handle on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListId(u32);

/// A handle on a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapId(u32);

/// A handle on an entry of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(u32);

/// A handle on an iterator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IteratorId(u32);

/// A handle on an integer of more than 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigId(u32);

/// What a list is in Java, which decides its methods and how it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// `ArrayList`: prints `[a, b]`.
    List,
    /// A list of a JSON document: prints as JSON.
    Json,
    /// An array: its length is fixed.
    Array,
    /// A set or collection: no positions.
    Set,
}

/// How a map prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// `{a=1, b=2}`
    Java,
    /// Nothing, as `$context.identity` does on AWS.
    Silent,
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) items: Vec<Value>,
    pub(super) kind: ListKind,
}

#[derive(Debug)]
pub(super) struct Map {
    pub(super) entries: Vec<(Value, Value)>,
    pub(super) kind: MapKind,
}

#[derive(Debug)]
pub(super) struct ListIterator {
    pub(super) list: Value,
    pub(super) at: usize,
    /// The same place, as the host counts.
    pub(super) cursor: u32,
}

/// A limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded(pub FailureKind);

/// Where texts, lists and maps of a run are. It is emptied, not freed, between runs.
#[derive(Debug, Default)]
pub struct Memory {
    text: String,
    /// Of each, the first so many are in use.
    lists: Vec<List>,
    lists_used: usize,
    maps: Vec<Map>,
    maps_used: usize,
    entries: Vec<(Value, Value)>,
    iterators: Vec<ListIterator>,
    bigs: Vec<i128>,
    /// Bytes of values beside text.
    charged: usize,
    /// Containers of the host that were changed, and what stands for them since.
    changed: HashMap<HostRef, Value, ahash::RandomState>,
}

/// More than this is given back between runs.
const TEXT_BYTES_KEPT: usize = 256 * 1024;
const CONTAINERS_KEPT: usize = 1_024;
const ITEMS_KEPT: usize = 1_024;

impl Memory {
    pub(super) fn reset(&mut self, constants: &str) {
        self.text.clear();
        if self.text.capacity() > TEXT_BYTES_KEPT {
            self.text.shrink_to(TEXT_BYTES_KEPT);
        }
        self.text.push_str(constants);
        self.lists.truncate(CONTAINERS_KEPT);
        self.maps.truncate(CONTAINERS_KEPT);
        (self.lists_used, self.maps_used, self.charged) = (0, 0, 0);
        self.entries.clear();
        self.iterators.clear();
        self.bigs.clear();
        self.changed.clear();
        self.changed.shrink_to(CONTAINERS_KEPT);
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.charged += bytes;
        if self.charged + self.text.len() > limits::VALUE_BYTES_MAX {
            return Err(Exceeded(FailureKind::Memory));
        }
        Ok(())
    }

    /// Keeps a text.
    ///
    /// # Errors
    /// When the run has used all its memory; so have the others below.
    pub fn text(&mut self, text: &str) -> Result<Value, Exceeded> {
        self.text_with(|out| out.push_str(text))
    }

    /// Keeps what `write` appends.
    ///
    /// # Errors
    /// As for [`Memory::text`].
    pub fn text_with(&mut self, write: impl FnOnce(&mut String)) -> Result<Value, Exceeded> {
        let start = self.text.len();
        write(&mut self.text);
        self.charge(0)?;
        Ok(Value::Text(Text { start: start as u32, length: (self.text.len() - start) as u32 }))
    }

    /// Keeps a part of a text, from byte `start` to byte `end`: both are boundaries of characters.
    pub(super) fn part(text: Text, start: usize, end: usize) -> Value {
        Value::Text(Text { start: text.start + start as u32, length: (end - start) as u32 })
    }

    pub(super) fn str(&self, text: Text) -> &str {
        let start = text.start as usize;
        self.text.get(start..start + text.length as usize).unwrap_or_default()
    }

    /// Makes a list.
    ///
    /// # Errors
    /// As for [`Memory::text`].
    pub fn list(&mut self, kind: ListKind, items: &[Value]) -> Result<Value, Exceeded> {
        self.charge(size_of::<List>() + size_of_val(items))?;
        if self.lists_used == self.lists.len() {
            self.lists.push(List { items: Vec::new(), kind });
        }
        let list = &mut self.lists[self.lists_used];
        list.kind = kind;
        list.items.clear();
        if list.items.capacity() > ITEMS_KEPT {
            list.items.shrink_to(ITEMS_KEPT);
        }
        list.items.extend_from_slice(items);
        self.lists_used += 1;
        Ok(Value::List(ListId(self.lists_used as u32 - 1)))
    }

    /// Makes an empty map.
    ///
    /// # Errors
    /// As for [`Memory::text`].
    pub fn map(&mut self, kind: MapKind) -> Result<MapId, Exceeded> {
        self.charge(size_of::<Map>())?;
        if self.maps_used == self.maps.len() {
            self.maps.push(Map { entries: Vec::new(), kind });
        }
        let map = &mut self.maps[self.maps_used];
        map.kind = kind;
        map.entries.clear();
        if map.entries.capacity() > ITEMS_KEPT {
            map.entries.shrink_to(ITEMS_KEPT);
        }
        self.maps_used += 1;
        Ok(MapId(self.maps_used as u32 - 1))
    }

    pub(super) fn items(&self, list: ListId) -> &[Value] {
        &self.lists[list.0 as usize].items
    }

    pub(super) fn list_kind(&self, list: ListId) -> ListKind {
        self.lists[list.0 as usize].kind
    }

    /// The items, to change them; `more` items may be added.
    pub(super) fn items_mut(&mut self, list: ListId, more: usize) -> Result<&mut Vec<Value>, Exceeded> {
        self.charge(more * size_of::<Value>())?;
        Ok(&mut self.lists[list.0 as usize].items)
    }

    /// The entries of a map, in the order in which they were put.
    pub fn map_entries(&self, map: MapId) -> &[(Value, Value)] {
        &self.maps[map.0 as usize].entries
    }

    pub(super) fn map_kind(&self, map: MapId) -> MapKind {
        self.maps[map.0 as usize].kind
    }

    /// The entries, to change them; `more` entries may be added.
    pub(super) fn map_entries_mut(&mut self, map: MapId, more: usize) -> Result<&mut Vec<(Value, Value)>, Exceeded> {
        self.charge(more * size_of::<(Value, Value)>())?;
        Ok(&mut self.maps[map.0 as usize].entries)
    }

    /// Adds an entry that is not there yet.
    ///
    /// # Errors
    /// As for [`Memory::text`].
    pub fn append(&mut self, map: MapId, key: Value, value: Value) -> Result<(), Exceeded> {
        self.map_entries_mut(map, 1)?.push((key, value));
        Ok(())
    }

    /// Gives an entry, counted in order, another value.
    pub fn replace(&mut self, map: MapId, at: usize, value: Value) {
        if let Some(entry) = self.maps[map.0 as usize].entries.get_mut(at) {
            entry.1 = value;
        }
    }

    /// The value of a key of a map.
    pub fn find(&self, map: MapId, key: &str, host: &impl Host) -> Option<Value> {
        Reader { memory: self, host }.member(Value::Map(map), key)
    }

    /// Appends a value's text, as a template prints it.
    ///
    /// # Errors
    /// When it is nested too deeply or too long.
    pub fn write(&self, value: Value, host: &impl Host, out: &mut String) -> Result<(), Exceeded> {
        Reader { memory: self, host }.write(value, out)
    }

    /// Appends a value as JSON without spaces.
    ///
    /// # Errors
    /// When it is nested too deeply or too long.
    pub fn write_json(&self, value: Value, host: &impl Host, out: &mut String) -> Result<(), Exceeded> {
        Reader { memory: self, host }.write_json(value, out)
    }

    /// The value of a key of a map.
    pub fn member(&self, map: Value, key: &str, host: &impl Host) -> Option<Value> {
        Reader { memory: self, host }.member(map, key)
    }

    /// An element of a list, counted from its end where the index is negative.
    pub fn element(&self, list: Value, index: i64, host: &impl Host) -> Option<Value> {
        let reader = Reader { memory: self, host };
        let from_end = if index < 0 { reader.size(list) as i64 } else { 0 };
        reader.element(list, usize::try_from(index + from_end).ok()?)
    }

    /// Whether the template changed anything of a realm of the host.
    pub fn has_changed(&self, realm: u16) -> bool {
        self.changed.iter().any(|(of, _)| of.realm == realm)
    }

    /// The elements of a list that a template made.
    pub fn list_items(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::List(list) => Some(self.items(list)),
            _ => None,
        }
    }

    pub(super) fn entry(&mut self, key: Value, value: Value) -> Result<Value, Exceeded> {
        self.charge(size_of::<(Value, Value)>())?;
        self.entries.push((key, value));
        Ok(Value::Entry(EntryId(self.entries.len() as u32 - 1)))
    }

    pub(super) fn entry_of(&self, entry: EntryId) -> (Value, Value) {
        self.entries[entry.0 as usize]
    }

    pub(super) fn iterator(&mut self, list: Value) -> Result<Value, Exceeded> {
        self.charge(size_of::<ListIterator>())?;
        self.iterators.push(ListIterator { list, at: 0, cursor: 0 });
        Ok(Value::Iterator(IteratorId(self.iterators.len() as u32 - 1)))
    }

    pub(super) fn iterator_mut(&mut self, iterator: IteratorId) -> &mut ListIterator {
        &mut self.iterators[iterator.0 as usize]
    }

    pub(super) fn iterator_of(&self, iterator: IteratorId) -> &ListIterator {
        &self.iterators[iterator.0 as usize]
    }

    /// Keeps an integer as the smallest type that is not smaller than `Integer` and holds it.
    pub(super) fn big(&mut self, value: i128) -> Result<Value, Exceeded> {
        self.charge(size_of::<i128>())?;
        self.bigs.push(value);
        Ok(Value::Big(BigId(self.bigs.len() as u32 - 1)))
    }

    pub(super) fn big_of(&self, big: BigId) -> i128 {
        self.bigs[big.0 as usize]
    }

    /// Whether no container of the host was changed.
    pub(super) fn is_unchanged(&self) -> bool {
        self.changed.is_empty()
    }

    /// What stands for a container of the host, if it was changed.
    pub(super) fn current(&self, value: Value) -> Value {
        match value {
            Value::Host(host) if !self.changed.is_empty() => self.changed.get(&host).copied().unwrap_or(value),
            _ => value,
        }
    }

    pub(super) fn change(&mut self, of: HostRef, now: Value) -> Result<(), Exceeded> {
        self.charge(size_of::<(HostRef, Value)>())?;
        self.changed.insert(of, now);
        Ok(())
    }
}
