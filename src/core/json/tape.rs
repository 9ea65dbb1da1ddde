//! A JSON document of the request path: one flat array of values over one text.
//!
//! Nothing is converted while reading: numbers stay the digits of the document and become numbers only where somebody
//! compares them, so `249.99`, `1e3` and integers of any length print as they were written. Strings without escapes
//! stay where they stand. A tape is reused from request to request and then allocates nothing.
//!
//! This is not simd-json's tape. That one loses the digits of numbers, and needs the body once more to rewrite it.

use std::fmt;

use super::read_tape;
use crate::base::bytes::is_same;

/// Deepest nesting of a document; what is deeper is refused (Jackson's own bound).
pub const DOCUMENT_DEPTH_MAX: usize = 1_000;
/// Largest document in bytes: places in it have 32 bits, of which unescaped strings may take half.
pub const DOCUMENT_BYTES_MAX: usize = (u32::MAX / 2) as usize;
/// Memory in bytes that a tape keeps for the next document after a large one.
const KEPT_BYTES_MAX: usize = 256 * 1024;

/// Why bytes are not a JSON document (RFC 8259), and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// What is wrong.
    pub fault: Fault,
    /// The byte at which reading stopped.
    pub at: usize,
}

/// What is wrong with a text that should be JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing, or it ends in the middle.
    Incomplete,
    /// A character that cannot stand there.
    Unexpected,
    /// More text after the value.
    Trailing,
    /// Not UTF-8.
    Encoding,
    /// An escape that does not exist, or half of a surrogate pair.
    Escape,
    /// Deeper than [`DOCUMENT_DEPTH_MAX`].
    TooDeep,
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    TooLong,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.fault {
            Fault::Incomplete => "it ends too early",
            Fault::Unexpected => "unexpected character",
            Fault::Trailing => "more text after the value",
            Fault::Encoding => "not UTF-8",
            Fault::Escape => "wrong escape in a string",
            Fault::TooDeep => "nested too deeply",
            Fault::TooLong => "too long",
        };
        write!(f, "not JSON: {what} at byte {}", self.at)
    }
}

impl std::error::Error for NotJson {}

/// A document that was read, or room for one.
#[derive(Debug, Default)]
pub struct Tape {
    /// The document, and behind it the strings that had escapes, without them.
    pub(super) text: String,
    /// Values in the order of the document. An object is followed by its keys and values in turn, an array by its
    /// elements.
    pub(super) entries: Vec<Entry>,
    /// Keys of one object, while they are searched for repetitions.
    pub(super) keys: Vec<u32>,
}

/// One value or key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    /// Of strings and numbers: where the text begins. Of arrays and objects: how many children. Of a moved value:
    /// where it is.
    pub(super) start: u32,
    /// Of strings and numbers: bytes of text. Of arrays, objects and moved values: entries to the next sibling.
    pub(super) size: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Null,
    False,
    True,
    Number,
    /// A string or a key.
    String,
    Array,
    Object,
    /// A key that came again later: skipped.
    Shadowed,
    /// The value of a key that came again: it is elsewhere. Keys keep the place of their first appearance and the value
    /// of their last, as in a `LinkedHashMap`.
    Moved,
}

impl Entry {
    /// Entries to the next sibling.
    pub(super) fn span(self) -> usize {
        match self.kind {
            EntryKind::Array | EntryKind::Object | EntryKind::Moved => self.size as usize,
            _ => 1,
        }
    }
}

impl Tape {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a document in place of the one before. After an error the tape is empty.
    pub fn read(&mut self, document: &[u8]) -> Result<Node<'_>, NotJson> {
        self.clear();
        if let Err(error) = read_tape::read(document, self) {
            self.clear();
            return Err(error);
        }
        Ok(Node { tape: self, at: 0 })
    }

    /// The document's value; `None` if nothing was read, or the last thing read was not JSON.
    pub fn root(&self) -> Option<Node<'_>> {
        self.node(NodeId(0))
    }

    /// The node that had this number on this tape, as long as nothing else was read.
    pub fn node(&self, id: NodeId) -> Option<Node<'_>> {
        self.entries.get(id.0 as usize).map(|_| Node { tape: self, at: id.0 })
    }

    /// A child of an array or object by number, for those who cannot hold an iterator. `cursor` is 0 for the first, then
    /// what the child before said.
    pub fn child(&self, container: NodeId, cursor: u32) -> Option<Child> {
        let entry = self.entry(container.0 as usize);
        let is_object = entry.kind == EntryKind::Object;
        if !is_object && entry.kind != EntryKind::Array {
            return None;
        }
        let start = if cursor == 0 { container.0 as usize + 1 } else { cursor as usize };
        let mut children = Children { tape: self, at: start, end: container.0 as usize + entry.size as usize };
        while children.at < children.end {
            let key = children.at as u32;
            children.at += usize::from(is_object);
            let value = children.step();
            if !is_object || self.entry(key as usize).kind != EntryKind::Shadowed {
                return Some(Child { key: NodeId(key), value: value.id(), next: children.at as u32 });
            }
        }
        None
    }

    /// Forgets the document, and returns memory that only a large one needed.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.keys.clear();
        self.entries.shrink_to(KEPT_BYTES_MAX / size_of::<Entry>());
        self.text.shrink_to(KEPT_BYTES_MAX);
        self.keys.shrink_to(KEPT_BYTES_MAX / size_of::<u32>());
    }

    /// How many values and keys the document has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&self, at: usize) -> Entry {
        self.entries.get(at).copied().unwrap_or(Entry { kind: EntryKind::Null, start: 0, size: 0 })
    }

    /// The text of a string or number in bytes: nothing has to be known about where characters begin.
    pub(super) fn bytes_of(&self, entry: Entry) -> &[u8] {
        let start = entry.start as usize;
        self.text.as_bytes().get(start..start + entry.size as usize).unwrap_or_default()
    }

    pub(super) fn text_of(&self, entry: Entry) -> &str {
        let start = entry.start as usize;
        self.text.get(start..start + entry.size as usize).unwrap_or_default()
    }
}

/// The number of a node on its tape, for those who cannot hold a borrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The number behind it.
    pub fn index(self) -> u32 {
        self.0
    }

    /// The node of that number, if there is one on the tape it is asked of.
    pub fn at(index: u32) -> Self {
        Self(index)
    }
}

/// A child of an array or object, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Child {
    /// Its key, which is a string of the tape; of an element, the element.
    pub key: NodeId,
    /// Its value.
    pub value: NodeId,
    /// The cursor of the next.
    pub next: u32,
}

/// A value of a document. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tape: &'t Tape,
    at: u32,
}

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'t> Node<'t> {
    /// What it is.
    pub fn kind(self) -> Kind {
        match self.entry().kind {
            EntryKind::Null | EntryKind::Shadowed | EntryKind::Moved => Kind::Null,
            EntryKind::False | EntryKind::True => Kind::Bool,
            EntryKind::Number => Kind::Number,
            EntryKind::String => Kind::String,
            EntryKind::Array => Kind::Array,
            EntryKind::Object => Kind::Object,
        }
    }

    /// Its number on the tape.
    pub fn id(self) -> NodeId {
        NodeId(self.at)
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The value of a boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.entry().kind {
            EntryKind::True => Some(true),
            EntryKind::False => Some(false),
            _ => None,
        }
    }

    /// The text of a string, without escapes.
    pub fn as_str(self) -> Option<&'t str> {
        let entry = self.entry();
        (entry.kind == EntryKind::String).then(|| self.tape.text_of(entry))
    }

    /// The digits of a number as they were written. Always a valid JSON number.
    pub fn as_number(self) -> Option<&'t str> {
        let entry = self.entry();
        (entry.kind == EntryKind::Number).then(|| self.tape.text_of(entry))
    }

    /// The text of a string, number, boolean or null, as it prints without quotes.
    pub fn scalar_text(self) -> Option<&'t str> {
        let entry = self.entry();
        match entry.kind {
            EntryKind::String | EntryKind::Number => Some(self.tape.text_of(entry)),
            EntryKind::True => Some("true"),
            EntryKind::False => Some("false"),
            EntryKind::Null => Some("null"),
            _ => None,
        }
    }

    /// Appends the text of a string, number or boolean, as it prints without quotes; `false`: it is none of them.
    pub fn print_scalar(self, out: &mut Vec<u8>) -> bool {
        let entry = self.entry();
        match entry.kind {
            EntryKind::String | EntryKind::Number => out.extend_from_slice(self.tape.bytes_of(entry)),
            EntryKind::True => out.extend_from_slice(b"true"),
            EntryKind::False => out.extend_from_slice(b"false"),
            _ => return false,
        }
        true
    }

    /// How many elements or members; 0 for every other kind.
    pub fn len(self) -> usize {
        let entry = self.entry();
        if matches!(entry.kind, EntryKind::Array | EntryKind::Object) { entry.start as usize } else { 0 }
    }

    /// Whether there are no elements and no members.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Members of an object in order, each name once; nothing for every other kind.
    pub fn members(self) -> Members<'t> {
        Members(self.children(EntryKind::Object))
    }

    /// Elements of an array; nothing for every other kind.
    pub fn elements(self) -> Elements<'t> {
        Elements(self.children(EntryKind::Array))
    }

    /// The value of a member.
    pub fn get(self, name: &str) -> Option<Node<'t>> {
        self.children(EntryKind::Object).find(name)
    }

    /// An element by its index.
    pub fn at(self, index: usize) -> Option<Node<'t>> {
        self.elements().nth(index)
    }

    /// Values and keys in this value, itself included.
    pub fn size(self) -> usize {
        self.entry().span()
    }

    fn entry(self) -> Entry {
        self.tape.entry(self.at as usize)
    }

    fn children(self, kind: EntryKind) -> Children<'t> {
        let entry = self.entry();
        let at = self.at as usize;
        let end = if entry.kind == kind { at + entry.size as usize } else { 0 };
        Children { tape: self.tape, at: at + 1, end }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        super::writer::write_json(*self, &mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

#[derive(Clone, Debug)]
struct Children<'t> {
    tape: &'t Tape,
    at: usize,
    end: usize,
}

impl<'t> Children<'t> {
    /// The node that begins here; goes on to the next.
    fn step(&mut self) -> Node<'t> {
        let entry = self.tape.entry(self.at);
        // Entries are counted in 32 bits: there are at most as many as bytes.
        let at = if entry.kind == EntryKind::Moved { entry.start } else { self.at as u32 };
        self.at += entry.span();
        Node { tape: self.tape, at }
    }
}

impl<'t> Children<'t> {
    /// The value of a key. Compares lengths first: most keys differ in it, and the text stays unread.
    fn find(self, name: &str) -> Option<Node<'t>> {
        let mut at = self.at;
        let mut rest = self.tape.entries.get(at..self.end)?;
        while let [key, value, ..] = rest {
            let may_be = key.size as usize == name.len() && key.kind != EntryKind::Shadowed;
            if may_be && is_same(self.tape.bytes_of(*key), name.as_bytes()) {
                return Some(Self { at: at + 1, ..self }.step());
            }
            let next = 1 + value.span();
            at += next;
            rest = rest.get(next..)?;
        }
        None
    }
}

/// Members of an object.
#[derive(Clone, Debug)]
pub struct Members<'t>(Children<'t>);

impl<'t> Iterator for Members<'t> {
    type Item = (&'t str, Node<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let children = &mut self.0;
        while children.at < children.end {
            let key = children.tape.entry(children.at);
            children.at += 1;
            let value = children.step();
            if key.kind != EntryKind::Shadowed {
                return Some((children.tape.text_of(key), value));
            }
        }
        None
    }
}

/// Elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'t>(Children<'t>);

impl<'t> Iterator for Elements<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.0.at < self.0.end).then(|| self.0.step())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(document: &str) -> String {
        format!("{:?}", Tape::new().read(document.as_bytes()).expect(document))
    }

    #[test]
    fn children_by_number_are_those_of_the_iterators() {
        let mut tape = Tape::new();
        tape.read(br#"{"a":[1,[2]],"b":{},"a":{"c":3},"d":[]}"#).expect("a document");
        for index in 0..tape.len() as u32 {
            let Some(node) = tape.node(NodeId::at(index)) else { continue };
            let (mut cursor, mut found) = (0, Vec::new());
            while let Some(child) = tape.child(node.id(), cursor) {
                cursor = child.next;
                found.push((tape.node(child.key).and_then(Node::as_str), child.value));
            }
            let members = node.members().map(|(key, value)| (Some(key), value.id()));
            let elements = node.elements().map(|value| (value.as_str(), value.id()));
            assert_eq!(found, members.chain(elements).collect::<Vec<_>>());
        }
    }

    #[test]
    fn documents_print_compact_with_their_numbers_as_written() {
        let rows = [
            (" { \"Price\" : \"249.99\",\r\n\t\"Age\": 6 } ", r#"{"Price":"249.99","Age":6}"#),
            ("[1.0,1e3,-0,-0.50E+7,123456789012345678901234567890,1e400]", ""),
            (r#"{"a":{"b":[[],{},[{}]],"c":null},"d":[true,false]}"#, ""),
            ("[ ]", "[]"),
            ("{ }", "{}"),
            ("0", ""),
            (r#""""#, ""),
            (r#""\u0041\n\u00e9\ud83d\ude00\/\"\\""#, "\"A\\né😀/\\\"\\\\\""),
            (r#""\u0000\u001f\b\f""#, r#""\u0000\u001F\b\f""#),
            (r#"{"\u0061":1,"exactly8":2,"longer than eight":3}"#, r#"{"a":1,"exactly8":2,"longer than eight":3}"#),
        ];
        for (document, expected) in rows {
            assert_eq!(printed(document), if expected.is_empty() { document } else { expected });
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        use Fault::*;
        let rows: [(&[u8], Fault, usize); 37] = [
            (b"", Incomplete, 0),
            (b" \n", Incomplete, 2),
            (b"{", Incomplete, 1),
            (b"[1", Incomplete, 2),
            (b"[1,", Incomplete, 3),
            (b"{\"a\"", Incomplete, 4),
            (b"{\"a\":", Incomplete, 5),
            (b"\"abc", Incomplete, 4),
            (b"\"abcdefgh\\", Incomplete, 10),
            (b"tru", Incomplete, 3),
            (b"-", Incomplete, 1),
            (b"1.", Incomplete, 2),
            (b"1e", Incomplete, 2),
            (b"1e+", Incomplete, 3),
            (b"\"\\u12", Incomplete, 5),
            (b"trux", Unexpected, 3),
            (b"nul", Incomplete, 3),
            (b"{]", Unexpected, 1),
            (b"{\"a\",1}", Unexpected, 4),
            (b"{a:1}", Unexpected, 1),
            (b"{\"a\":1,}", Unexpected, 7),
            (b"[1,]", Unexpected, 3),
            (b"[1 2]", Unexpected, 3),
            (b"\"a\nb\"", Unexpected, 2),
            (b"+1", Unexpected, 0),
            (b".5", Unexpected, 0),
            (b"-a", Unexpected, 1),
            (b"NaN", Unexpected, 0),
            (b"'a'", Unexpected, 0),
            (b"\xEF\xBB\xBF{}", Unexpected, 0),
            (b"01", Trailing, 1),
            (b"{} x", Trailing, 3),
            (b"\"\xFF\"", Encoding, 1),
            (b"\"\\x\"", Escape, 2),
            (b"\"\\ud800\"", Escape, 7),
            (b"\"\\ud800\\u0041\"", Escape, 13),
            (b"\"\\udc00\"", Escape, 7),
        ];
        let mut tape = Tape::new();
        for (document, fault, at) in rows {
            let error = tape.read(document).map(|node| format!("{node:?}"));
            assert_eq!(error, Err(NotJson { fault, at }), "{}", String::from_utf8_lossy(document));
            assert!(tape.root().is_none());
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Tape::new().read(nested(DOCUMENT_DEPTH_MAX).as_bytes()).is_ok());
        for depth in [DOCUMENT_DEPTH_MAX + 1, 100_000] {
            let error = Tape::new().read(nested(depth).as_bytes()).map(|_| ()).expect_err("too deep");
            assert_eq!(error.fault, Fault::TooDeep);
        }
        let objects = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        assert_eq!(Tape::new().read(objects.as_bytes()).map(|_| ()).expect_err("too deep").fault, Fault::TooDeep);
    }

    #[test]
    fn a_repeated_key_has_its_first_place_and_its_last_value() {
        let rows = [
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (r#"{"a":{"x":[1,2]},"b":2,"a":3,"c":4}"#, r#"{"a":3,"b":2,"c":4}"#),
            (r#"{"a":1,"b":2,"a":{"x":1,"x":[1,2]},"a":[{"y":0,"y":1}],"c":4}"#, r#"{"a":[{"y":1}],"b":2,"c":4}"#),
            (r#"[{"a":1,"\u0061":2},5]"#, r#"[{"a":2},5]"#),
        ];
        for (document, expected) in rows {
            assert_eq!(printed(document), expected);
        }
        let mut tape = Tape::new();
        let root = tape.read(br#"{"a":1,"b":{"k":7},"a":3}"#).expect("JSON");
        assert_eq!((root.len(), root.members().count()), (2, 2));
        assert_eq!(root.get("a").and_then(Node::as_number), Some("3"));
    }

    #[test]
    fn large_objects_are_searched_for_repetitions_as_well() {
        let members: Vec<_> = (0..5_000).map(|i| format!(r#""key{}":{i}"#, i % 1_000)).collect();
        let document = format!("{{{}}}", members.join(","));
        let mut tape = Tape::new();
        let root = tape.read(document.as_bytes()).expect("JSON");
        assert_eq!(root.len(), 1_000);
        for (index, (key, value)) in root.members().enumerate() {
            assert_eq!((key, value.as_number()), (&*format!("key{index}"), Some(&*format!("{}", 4_000 + index))));
        }
    }

    #[test]
    fn nodes_answer_by_kind_and_can_be_found_again_by_number() {
        let mut tape = Tape::new();
        tape.read(br#"{"s":"x","n":-1.50,"t":true,"z":null,"l":[1,[2,3],{"a":4}],"o":{}}"#).expect("JSON");
        let root = tape.root().expect("a document");
        let list = root.get("l").expect("a member");
        assert_eq!(root.kind(), Kind::Object);
        assert_eq!(root.get("s").and_then(Node::as_str), Some("x"));
        assert_eq!(root.get("n").and_then(Node::as_number), Some("-1.50"));
        assert_eq!(root.get("t").and_then(Node::as_bool), Some(true));
        assert!(root.get("z").is_some_and(Node::is_null));
        assert!(root.get("none").is_none());
        assert_eq!((list.len(), list.elements().count()), (3, 3));
        assert_eq!(list.at(1).and_then(|l| l.at(1)).and_then(Node::scalar_text), Some("3"));
        assert!(list.at(3).is_none() && list.get("a").is_none() && root.at(0).is_none());
        assert!(root.get("o").is_some_and(Node::is_empty));
        assert_eq!(tape.node(list.id()).map(Node::len), Some(3));
    }

    #[test]
    fn a_tape_keeps_little_after_a_large_document() {
        let mut tape = Tape::new();
        let large = format!("[{}1]", "1,".repeat(1 << 20));
        assert_eq!(tape.read(large.as_bytes()).expect("JSON").len(), (1 << 20) + 1);
        tape.read(b"{}").expect("JSON");
        assert!(tape.entries.capacity() * size_of::<Entry>() + tape.text.capacity() <= 2 * KEPT_BYTES_MAX);
    }
}
