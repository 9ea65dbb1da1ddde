//! The seam to what a template is about: what `$input` and the like mean.
//!
//! When a template is compiled, [`Names`] says which names the host knows and takes whole references over, so that
//! nothing of them is looked up by name again. When it runs, [`Host`] answers for them.

use super::value::{Exceeded, HostRef, Memory, Value};
use crate::base::double::JavaDouble;

/// A part of a reference whose names and arguments are known when the template is compiled.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// `.name`, or `['name']`.
    Property(Box<str>),
    /// `.name(…)` with these arguments.
    Method(Box<str>, Vec<Constant>),
}

/// A part of a reference as its author wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<'s> {
    /// `.name`, or `['name']`.
    Property(&'s str),
    /// `.name(…)` with so many arguments.
    Method(&'s str, usize),
}

/// An argument that is known when the template is compiled.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// A string without references.
    Text(Box<str>),
    /// An integer.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
}

/// What the host makes of the beginning of a reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// How many links it covers.
    pub links: usize,
    /// What it is.
    pub what: Bound,
}

/// What a bound reference stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// The same text in every run.
    Text(Box<str>),
    /// What [`Host::bound`] gives for this number.
    Number(u32),
}

/// What a template's names mean, asked when it is compiled.
pub trait Names {
    /// The object behind the variable `$name`.
    fn root(&self, name: &str) -> Option<HostRef>;

    /// Takes over the beginning of a reference to the object `root`. An error refuses the template.
    fn bind(&mut self, root: HostRef, links: &[Link]) -> Result<Option<Binding>, String>;

    /// What is wrong with a reference to the object `root`, which is no error: a name that means nothing.
    fn look(&self, _root: HostRef, _path: &[Written<'_>]) -> Option<String> {
        None
    }
}

/// No names at all.
impl Names for () {
    fn root(&self, _: &str) -> Option<HostRef> {
        None
    }

    fn bind(&mut self, _: HostRef, _: &[Link]) -> Result<Option<Binding>, String> {
        Ok(None)
    }
}

/// What a thing of the host is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View<'h> {
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
    /// A number that prints in the digits in which the document has it.
    Decimal(&'h str),
    /// `String`
    Text(&'h str),
    /// A list that prints as Java prints lists.
    List,
    /// A list that prints as JSON.
    JsonList,
    /// A map.
    Map,
    /// An object with properties and methods of its own; it prints nothing.
    Object,
}

impl View<'_> {
    /// Appends the text of a string, number or boolean; `false`: it is none.
    #[inline]
    pub fn print(self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Text(text) | Self::Decimal(text) => out.extend_from_slice(text.as_bytes()),
            Self::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
            Self::Long(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
            Self::Double(value) => out.extend_from_slice(JavaDouble::new(value).as_bytes()),
            Self::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Self::Null | Self::List | Self::JsonList | Self::Map | Self::Object => return false,
        }
        true
    }
}

/// An element of a list or map of the host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// Its key, in a map.
    pub key: HostRef,
    /// Its value.
    pub value: HostRef,
    /// Where the next one is.
    pub next: u32,
}

/// Why the host did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A limit of the run is reached.
    Exceeded(Exceeded),
    /// The arguments are wrong, as when a Java method throws.
    Call(String),
}

impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded(exceeded)
    }
}

/// What looking for a key of a map came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The key's value.
    pub found: Option<HostRef>,
    /// How many keys the map has: what looking may have cost.
    pub keys: usize,
}

/// What a running template may ask.
pub trait Host {
    /// What a thing is.
    fn view(&self, at: HostRef) -> View<'_>;

    /// How many elements a list or map has.
    fn size(&self, at: HostRef) -> usize;

    /// Looks for a key. `None`: it is no map.
    fn member(&self, map: HostRef, key: &str) -> Option<Lookup>;

    /// An element of a list.
    fn element(&self, list: HostRef, index: usize) -> Option<HostRef>;

    /// The element of a list or map at `cursor`, which is 0 for the first.
    fn next(&self, container: HostRef, cursor: u32) -> Option<Item>;

    /// Appends the text of a string, number or boolean; `false`: it is none.
    #[inline]
    fn print(&self, at: HostRef, out: &mut Vec<u8>) -> bool {
        self.view(at).print(out)
    }

    /// A bound reference; null when it has no value.
    ///
    /// # Errors
    /// [`Refusal`]; so have the others below.
    fn bound(&mut self, number: u32, memory: &mut Memory) -> Result<Value, Refusal>;

    /// Appends the text of a bound reference. `false`: it has no value.
    ///
    /// # Errors
    /// As above.
    fn print_bound(&mut self, number: u32, memory: &mut Memory, out: &mut Vec<u8>) -> Result<bool, Refusal>;

    /// A property of an object.
    ///
    /// # Errors
    /// As above.
    fn property(&mut self, object: HostRef, name: &str, memory: &mut Memory) -> Result<Value, Refusal>;

    /// A method of an object. `None`: it has none of this name.
    ///
    /// # Errors
    /// As above.
    fn call(
        &mut self,
        object: HostRef,
        method: &str,
        arguments: &[Value],
        memory: &mut Memory,
    ) -> Result<Option<Value>, Refusal>;

    /// The object as a map, for what asks for all its properties or sets one.
    ///
    /// # Errors
    /// As above.
    fn as_map(&mut self, object: HostRef, memory: &mut Memory) -> Result<Value, Refusal>;
}
