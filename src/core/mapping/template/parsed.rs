//! Values of JSON documents as the template language sees them.

use crate::json::Tape;
use crate::json::path::Found;
use crate::json::tape::{Kind, Node, NodeId};
use crate::vtl::{HostRef, Item, ListKind, MapKind, Memory, Refusal, Value, View};

/// What a value of a document is.
pub(super) fn view(node: Node<'_>) -> View<'_> {
    match node.kind() {
        Kind::Null => View::Null,
        Kind::Bool => View::Bool(node.as_bool() == Some(true)),
        Kind::Number => number(node.as_number().unwrap_or_default()),
        Kind::String => View::Text(node.as_str().unwrap_or_default()),
        Kind::Array => View::JsonList,
        Kind::Object => View::Map,
    }
}

/// Numbers that Java's integers hold are those; others keep their digits.
fn number(digits: &str) -> View<'_> {
    match digits.parse::<i64>() {
        Ok(value) if digits != "-0" => i32::try_from(value).map_or(View::Long(value), View::Int),
        _ => View::Decimal(digits),
    }
}

/// The child of a container at a cursor.
pub(super) fn child(tape: &Tape, container: HostRef, cursor: u32) -> Option<Item> {
    let child = tape.child(NodeId::at(container.index), cursor)?;
    let at = |id: NodeId| HostRef { realm: container.realm, index: id.index() };
    Some(Item { key: at(child.key), value: at(child.value), next: child.next })
}

/// A value of a document. What fits into a value is one, for lists and maps that are put together here hold it as it is.
fn value_of_node(node: Node<'_>, realm: u16) -> Value {
    match view(node) {
        View::Null => Value::Null,
        View::Bool(value) => Value::Bool(value),
        View::Int(value) => Value::Int(value),
        View::Long(value) => Value::Long(value),
        _ => Value::Host(HostRef { realm, index: node.id().index() }),
    }
}

/// What a path found in the document of a realm, as a value.
pub(super) fn value_of(found: &Found<'_>, realm: u16, memory: &mut Memory) -> Result<Value, Refusal> {
    Ok(match found {
        Found::Node(node) => value_of_node(*node, realm),
        Found::List(items) => {
            let values = items.iter().map(|item| value_of(item, realm, memory)).collect::<Result<Vec<_>, _>>()?;
            memory.list(ListKind::Json, &values)?
        }
        Found::Members(members) => {
            let map = memory.map(MapKind::Java)?;
            for (name, node) in members {
                let key = memory.text(name)?;
                memory.append(map, key, value_of_node(*node, realm))?;
            }
            Value::Map(map)
        }
        Found::Integer(value) => i32::try_from(*value).map_or(Value::Long(*value), Value::Int),
        Found::Double(value) => Value::Double(*value),
        Found::Text(text) => memory.text(text)?,
    })
}
