//! The field lines of one head: a table of ranges, and a bit set that answers most questions without a search.

use super::class::elements;
use super::span::Span;
use crate::proto::http::{FieldSet, KnownField};

/// One field line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// The name as it was spelled.
    pub name: Span,
    /// The value without white space around it.
    pub value: Span,
    /// Which known field it is, if any.
    pub known: KnownField,
}

/// The fields of one head in the order they came. Reusable: `clear` keeps the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    list: Vec<Field>,
    present: FieldSet,
    /// Whether a Connection field lists more than `close` and `keep-alive`. Mostly not, and then no list is searched.
    connection_names_fields: bool,
}

/// Fields without which a message cannot be read or routed. A Connection field naming one of them is ignored in that
/// respect: the sender asks that the next hop lose the framing.
const NEVER_HOP_BY_HOP: FieldSet =
    FieldSet::of(&[KnownField::Host, KnownField::ContentLength, KnownField::TransferEncoding]);

/// Fields that concern one connection, whether Connection names them or not (RFC 9110 §7.6.1).
const ALWAYS_HOP_BY_HOP: FieldSet = FieldSet::of(&[
    KnownField::Connection,
    KnownField::KeepAlive,
    KnownField::ProxyConnection,
    KnownField::Te,
    KnownField::Upgrade,
    KnownField::Http2Settings,
]);

impl Fields {
    pub(super) fn push(&mut self, field: Field) {
        self.list.push(field);
        self.present = self.present.with(field.known);
    }

    pub(super) fn set_connection_names_fields(&mut self, names_fields: bool) {
        self.connection_names_fields = names_fields;
    }

    /// Forgets all fields and keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.present = FieldSet::EMPTY;
        self.connection_names_fields = false;
    }

    /// Number of field lines.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Which known fields there are, `Other` standing for any unknown one.
    #[inline]
    pub const fn present(&self) -> FieldSet {
        self.present
    }

    /// Whether there is at least one line of `known`.
    #[inline]
    pub const fn contains(&self, known: KnownField) -> bool {
        self.present.contains(known)
    }

    /// All fields, in order.
    #[inline]
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.list.iter()
    }

    /// The first line of `known`.
    #[inline]
    pub fn find(&self, known: KnownField) -> Option<&Field> {
        if self.contains(known) { self.list.iter().find(|field| field.known == known) } else { None }
    }

    /// The value of the first line of `known`, out of the buffer that was parsed.
    #[inline]
    pub fn value<'a>(&self, known: KnownField, bytes: &'a [u8]) -> Option<&'a [u8]> {
        self.find(known).map(|field| field.value.of(bytes))
    }

    /// The values of all lines of `known`, in order.
    pub fn values<'a>(&self, known: KnownField, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let list = if self.contains(known) { self.list.as_slice() } else { &[] };
        list.iter().filter(move |field| field.known == known).map(|field| field.value.of(bytes))
    }

    /// All lines whose name is `name`, whatever its case.
    pub fn named<'a>(&'a self, name: &'a [u8], bytes: &'a [u8]) -> impl Iterator<Item = &'a Field> {
        let known = KnownField::from_name(name);
        let list = if self.contains(known) { self.list.as_slice() } else { &[] };
        list.iter().filter(move |field| {
            field.known == known && (known != KnownField::Other || field.name.of(bytes).eq_ignore_ascii_case(name))
        })
    }

    /// Whether `field` concerns this connection only and must not be passed on: by its nature, or because a Connection
    /// field names it (RFC 9110 §7.6.1). Content-Length, Transfer-Encoding and Host are never: the one who forwards
    /// writes its own framing and decides about the host by other rules.
    pub fn is_hop_by_hop(&self, field: &Field, bytes: &[u8]) -> bool {
        if NEVER_HOP_BY_HOP.contains(field.known) {
            return false;
        }
        ALWAYS_HOP_BY_HOP.contains(field.known) || self.is_named_by_connection(field.name.of(bytes), bytes)
    }

    /// Whether a Connection field lists `name`, which is the name of a field.
    #[inline]
    pub fn is_named_by_connection(&self, name: &[u8], bytes: &[u8]) -> bool {
        self.connection_names_fields && self.is_listed(name, bytes)
    }

    fn is_listed(&self, name: &[u8], bytes: &[u8]) -> bool {
        self.values(KnownField::Connection, bytes)
            .any(|value| elements(value).any(|element| element.eq_ignore_ascii_case(name)))
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
