//! Methods of lists and maps.

use super::{Answer, Arguments, throw};
use crate::vtl::host::Host;
use crate::vtl::machine::access::out_of_bounds;
use crate::vtl::machine::{Result, Run};
use crate::vtl::methods::Method;
use crate::vtl::value::{ListId, ListKind, Value};

impl<H: Host> Run<'_, H> {
    pub(super) fn list_method(&mut self, list: Value, kind: ListKind, method: Method, arguments: &Arguments) -> Answer {
        let list = self.memory.current(list);
        let has_places = kind != ListKind::Set;
        Ok(match (method, &arguments[..]) {
            (Method::Size, []) => Some(Value::Int(self.size(list) as i32)),
            (Method::Count, []) if kind == ListKind::Json => Some(Value::Int(self.size(list) as i32)),
            (Method::IsEmpty, []) => Some(Value::Bool(self.size(list) == 0)),
            (Method::Size | Method::IsEmpty, _) => {
                return Err(throw("wrong number of arguments"));
            }
            (Method::Get, &[Value::Int(index)]) if has_places => {
                let at = self.checked(list, index, 0)?;
                Some(self.element(list, at)?.unwrap_or(Value::Null))
            }
            (Method::Contains, &[item]) => Some(Value::Bool(self.find(list, item, false)?.is_some())),
            (Method::IndexOf, &[item]) if has_places => Some(place(self.find(list, item, false)?)),
            (Method::LastIndexOf, &[item]) if has_places => Some(place(self.find(list, item, true)?)),
            (Method::ContainsAll, &[other]) if self.list_kind(other).is_some() => {
                let mut has_all = true;
                for item in self.elements(other)? {
                    has_all = has_all && self.find(list, item, false)?.is_some();
                }
                Some(Value::Bool(has_all))
            }
            (Method::Iterator, []) => Some(self.memory.iterator(list)?),
            (Method::ToArray, []) => {
                let elements = self.elements(list)?;
                Some(self.memory.list(ListKind::Array, &elements)?)
            }
            (Method::SubList, &[Value::Int(from), Value::Int(to)]) if has_places => {
                let (start, end) = (self.checked(list, from, 1)?, self.checked(list, to, 1)?);
                let elements = self.elements(list)?;
                let part = elements.get(start..end).ok_or_else(|| throw(format!("from {from} to {to}")))?;
                Some(self.memory.list(kind, part)?)
            }
            _ => return self.change_list(list, kind, method, arguments),
        })
    }

    fn change_list(&mut self, list: Value, kind: ListKind, method: Method, arguments: &Arguments) -> Answer {
        let has_places = kind != ListKind::Set;
        let is_fixed = kind == ListKind::Array;
        Ok(match (method, &arguments[..]) {
            (Method::Set, &[Value::Int(index), item]) if has_places => {
                let at = self.checked(list, index, 0)?;
                let id = self.own_list(list)?;
                Some(std::mem::replace(&mut self.memory.items_mut(id, 0)?[at], item))
            }
            _ if is_fixed => None,
            (Method::Add, &[item]) => {
                let id = self.own_list(list)?;
                self.memory.items_mut(id, 1)?.push(item);
                Some(Value::Bool(true))
            }
            (Method::Add, &[Value::Int(index), item]) if has_places => {
                let at = self.checked(list, index, 1)?;
                let id = self.own_list(list)?;
                self.charge(self.size(list) * size_of::<Value>())?;
                self.memory.items_mut(id, 1)?.insert(at, item);
                Some(Value::Null)
            }
            (Method::AddAll, &[other]) if self.list_kind(other).is_some() => {
                let elements = self.elements(other)?;
                let id = self.own_list(list)?;
                self.memory.items_mut(id, elements.len())?.extend_from_slice(&elements);
                Some(Value::Bool(!elements.is_empty()))
            }
            (Method::Remove, &[Value::Int(index)]) if has_places => {
                let at = self.checked(list, index, 0)?;
                let id = self.own_list(list)?;
                self.charge(self.size(list) * size_of::<Value>())?;
                Some(self.memory.items_mut(id, 0)?.remove(at))
            }
            (Method::Remove, &[item]) => {
                let at = self.find(list, item, false)?;
                let id = self.own_list(list)?;
                if let Some(at) = at {
                    self.memory.items_mut(id, 0)?.remove(at);
                }
                Some(Value::Bool(at.is_some()))
            }
            (Method::RemoveAll, &[other]) if self.list_kind(other).is_some() => Some(self.keep(list, other, false)?),
            (Method::RetainAll, &[other]) if self.list_kind(other).is_some() => Some(self.keep(list, other, true)?),
            (Method::Clear, []) => {
                let id = self.own_list(list)?;
                self.memory.items_mut(id, 0)?.clear();
                Some(Value::Null)
            }
            _ => None,
        })
    }

    fn own_list(&mut self, list: Value) -> Result<ListId> {
        match self.own(list)? {
            Value::List(list) => Ok(list),
            _ => Err(throw("it cannot be changed")),
        }
    }

    /// An index that is there, or at most `beyond` past the last.
    fn checked(&self, list: Value, index: i32, beyond: usize) -> Result<usize> {
        let size = self.size(list);
        let at = usize::try_from(index).ok().filter(|&at| at < size + beyond);
        at.ok_or_else(|| out_of_bounds(index.into(), size))
    }

    fn find(&mut self, list: Value, item: Value, from_end: bool) -> Result<Option<usize>> {
        let elements = self.elements(list)?;
        let mut found = None;
        for (at, element) in elements.into_iter().enumerate() {
            if self.equals(element, item, 0)? {
                found = Some(at);
                if !from_end {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Keeps the elements that are in `other`, or those that are not.
    fn keep(&mut self, list: Value, other: Value, is_kept: bool) -> Result<Value> {
        let elements = self.elements(list)?;
        let before = elements.len();
        let mut kept = Vec::new();
        for element in elements {
            if self.find(other, element, false)?.is_some() == is_kept {
                kept.push(element);
            }
        }
        let has_changed = kept.len() != before;
        let id = self.own_list(list)?;
        *self.memory.items_mut(id, 0)? = kept;
        Ok(Value::Bool(has_changed))
    }

    pub(super) fn map_method(&mut self, map: Value, method: Method, arguments: &Arguments) -> Answer {
        let map = self.memory.current(map);
        Ok(match (method, &arguments[..]) {
            (Method::Get, &[key]) => Some(self.get(map, key)?.unwrap_or(Value::Null)),
            (Method::GetOrDefault, &[key, otherwise]) => Some(self.get(map, key)?.unwrap_or(otherwise)),
            (Method::ContainsKey, &[key]) => Some(Value::Bool(self.get(map, key)?.is_some())),
            (Method::ContainsValue, &[value]) => {
                let mut has = false;
                for element in self.elements(map)? {
                    has = has || self.equals(element, value, 0)?;
                }
                Some(Value::Bool(has))
            }
            (Method::Size, []) => Some(Value::Int(self.size(map) as i32)),
            (Method::IsEmpty, []) => Some(Value::Bool(self.size(map) == 0)),
            (Method::KeySet | Method::Values | Method::EntrySet, []) => Some(self.view_of(map, method)?),
            (Method::Put, &[key, value]) => Some(self.put(map, key, value)?),
            (Method::Replace, &[key, value]) => match self.get(map, key)? {
                Some(_) => Some(self.put(map, key, value)?),
                None => Some(Value::Null),
            },
            (Method::PutIfAbsent, &[key, value]) => match self.get(map, key)? {
                Some(known) if known != Value::Null => Some(known),
                _ => Some(self.put(map, key, value)?),
            },
            (Method::PutAll, &[other]) if self.is_map(other) => {
                let other = self.container(other)?;
                self.charge(self.size(other) * size_of::<Value>())?;
                let mut cursor = 0;
                while let Some((key, value)) = self.next_element(other, &mut cursor) {
                    self.put(map, key, value)?;
                }
                // A method of type void gives an empty text.
                Some(self.memory.text("")?)
            }
            (Method::Remove, &[key]) => Some(self.remove_key(map, key)?),
            (Method::Clear, []) => {
                if let Value::Map(id) = self.own(map)? {
                    self.memory.map_entries_mut(id, 0)?.clear();
                }
                Some(self.memory.text("")?)
            }
            (Method::Size | Method::IsEmpty | Method::KeySet | Method::Values | Method::EntrySet, _) => {
                return Err(throw("wrong number of arguments"));
            }
            _ => None,
        })
    }

    fn remove_key(&mut self, map: Value, key: Value) -> Result<Value> {
        let Value::Map(id) = self.own(map)? else { return Ok(Value::Null) };
        Ok(match self.position(Value::Map(id), key)? {
            Some(at) => self.memory.map_entries_mut(id, 0)?.remove(at).1,
            None => Value::Null,
        })
    }

    /// Keys, values or entries, as they are now.
    fn view_of(&mut self, map: Value, method: Method) -> Result<Value> {
        self.charge(self.size(map) * size_of::<Value>())?;
        let mut items = Vec::with_capacity(self.size(map));
        let mut cursor = 0;
        while let Some((key, value)) = self.next_element(map, &mut cursor) {
            items.push(match method {
                Method::KeySet => key,
                Method::Values => value,
                _ => self.memory.entry(key, value)?,
            });
        }
        Ok(self.memory.list(ListKind::Set, &items)?)
    }
}

fn place(found: Option<usize>) -> Value {
    Value::Int(found.map_or(-1, |at| at as i32))
}
