//! What a schema is compiled to.

use crate::base::pattern::Pattern;
use crate::json::number::Decimal;
use crate::json::tape::{Kind, Node};
use crate::json::writer::{write_canonical, write_json};

use super::Remark;
use super::format::Format;

/// A compiled schema with everything that it refers to.
#[derive(Debug)]
pub struct Schema {
    pub(super) rules: Box<[Rules]>,
    pub(super) remarks: Box<[Remark]>,
}

/// Rules by their index. The schema itself is the first.
pub(super) type Id = u32;

/// One schema or subschema.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Only this counts, if it is there.
    pub(super) reference: Option<Id>,
    /// A format that asserts nothing, which refusals mention.
    pub(super) unknown_format: Option<Box<str>>,
    pub(super) types: Option<Types>,
    pub(super) constants: Option<Box<Constants>>,
    pub(super) combined: Option<Box<Combined>>,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) string: Option<Box<StringRules>>,
    pub(super) array: Option<Box<ArrayRules>>,
    pub(super) object: Option<Box<ObjectRules>>,
}

/// A set of primitive types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

/// The primitive types in the order of their names.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
const INTEGER: u8 = 1 << 2;
const NUMBER: u8 = 1 << 4;

impl Types {
    /// Adds the type of that name. A number may be an integer.
    pub(super) fn add(&mut self, name: &str) -> bool {
        let Some(index) = TYPES.iter().position(|known| *known == name) else { return false };
        self.0 |= 1 << index;
        if self.0 & NUMBER != 0 {
            self.0 |= INTEGER;
        }
        true
    }

    pub(super) fn allows(self, node: Node<'_>) -> bool {
        self.0 & Self::of(node).0 != 0
    }

    /// The one type of a value.
    pub(super) fn of(node: Node<'_>) -> Self {
        Self(match node.kind() {
            Kind::Array => 1,
            Kind::Bool => 1 << 1,
            Kind::Number => {
                match node.as_number().is_some_and(|text| text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'))) {
                    true => NUMBER,
                    false => INTEGER,
                }
            }
            Kind::Null => 1 << 3,
            Kind::Object => 1 << 5,
            Kind::String => 1 << 6,
        })
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        TYPES.into_iter().enumerate().filter(move |(index, _)| self.0 & 1 << index != 0).map(|(_, name)| name)
    }
}

/// `enum`
#[derive(Debug)]
pub(super) struct Constants {
    pub(super) values: Box<[Constant]>,
    /// As the schema writes them, for messages.
    pub(super) text: Box<str>,
}

#[derive(Debug)]
pub(super) enum Constant {
    Text(Box<str>),
    Number(Box<str>),
    /// The canonical spelling of everything else.
    Other(Box<[u8]>),
}

impl Constant {
    pub(super) fn of(node: Node<'_>) -> Self {
        match (node.as_str(), node.as_number()) {
            (Some(text), _) => Self::Text(text.into()),
            (_, Some(digits)) => Self::Number(digits.into()),
            _ => Self::Other(canonical(node).into()),
        }
    }
}

impl Constants {
    pub(super) fn allow(&self, node: Node<'_>) -> bool {
        match node.kind() {
            Kind::String => {
                let wanted = node.as_str().unwrap_or_default();
                self.values.iter().any(|value| matches!(value, Constant::Text(text) if **text == *wanted))
            }
            Kind::Number => {
                let wanted = Decimal::of(node.as_number().unwrap_or_default());
                self.values
                    .iter()
                    .any(|value| matches!(value, Constant::Number(digits) if Decimal::of(digits) == wanted))
            }
            _ => {
                let wanted = canonical(node);
                self.values.iter().any(|value| matches!(value, Constant::Other(text) if **text == *wanted))
            }
        }
    }
}

pub(super) fn canonical(node: Node<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_canonical(node, &mut out);
    out
}

/// A value as JSON, for messages.
pub(super) fn printed(node: Node<'_>) -> String {
    let mut out = Vec::new();
    write_json(node, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Schemas for the same value.
#[derive(Debug, Default)]
pub(super) struct Combined {
    pub(super) all_of: Box<[Id]>,
    pub(super) any_of: Box<[Id]>,
    pub(super) one_of: Box<[Id]>,
    pub(super) not: Option<Id>,
}

/// A bound of numbers, in the digits of the schema.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) digits: Box<str>,
    pub(super) is_exclusive: bool,
}

#[derive(Debug, Default)]
pub(super) struct NumberRules {
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) multiple_of: Option<Box<str>>,
}

#[derive(Debug, Default)]
pub(super) struct StringRules {
    pub(super) length_min: Option<u64>,
    pub(super) length_max: Option<u64>,
    pub(super) pattern: Option<Pattern>,
    pub(super) format: Option<Format>,
}

#[derive(Debug, Default)]
pub(super) struct ArrayRules {
    pub(super) items: Items,
    pub(super) length_min: Option<u64>,
    pub(super) length_max: Option<u64>,
    pub(super) is_unique: bool,
}

#[derive(Debug, Default)]
pub(super) enum Items {
    #[default]
    Any,
    All(Id),
    /// The first ones each by its own, the others by the rest.
    Each(Box<[Id]>, Rest),
}

/// What is allowed beyond what is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rest {
    #[default]
    Any,
    None,
    Schema(Id),
}

#[derive(Debug, Default)]
pub(super) struct ObjectRules {
    /// Everything named in `properties` or `required`, by name.
    pub(super) properties: Box<[Property]>,
    /// How many of them are required.
    pub(super) required_count: usize,
    pub(super) patterns: Box<[(Pattern, Id)]>,
    pub(super) additional: Rest,
    pub(super) count_min: Option<u64>,
    pub(super) count_max: Option<u64>,
    pub(super) dependencies: Box<[(Box<str>, Dependency)]>,
}

#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: Box<str>,
    pub(super) schema: Option<Id>,
    pub(super) is_required: bool,
}

#[derive(Debug)]
pub(super) enum Dependency {
    /// The value must match too.
    Schema(Id),
    /// These must be there too.
    Properties(Box<[Box<str>]>),
}

/// Up to here, looking at all is faster than searching.
const SEARCHED_MIN: usize = 12;

impl ObjectRules {
    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        if self.properties.len() < SEARCHED_MIN {
            return self.properties.iter().find(|property| *property.name == *name);
        }
        let found = self.properties.binary_search_by(|property| (*property.name).cmp(name));
        found.ok().and_then(|index| self.properties.get(index))
    }

    /// Whether members that are not named need a look.
    pub(super) fn has_children(&self) -> bool {
        let has_rest = matches!(self.additional, Rest::Schema(_));
        has_rest || !self.patterns.is_empty() || self.properties.iter().any(|property| property.schema.is_some())
    }
}
