//! A reader of YAML 1.2 over the events of `saphyr-parser`, for documents that AWS's YAML 1.1 tools wrote.
//!
//! What it settles that the events leave open: which plain scalars are numbers, booleans and null (the core schema;
//! `yes` and `on` are strings, and so are numbers with a leading zero, whose value depends on the reader), integer
//! keys (`200:` is the member `"200"`), merge keys (`<<`), aliases (expanded under a budget), and CloudFormation's
//! short tags, which become their long form (`!Sub x` is `{"Fn::Sub": x}`), so that an intrinsic function is never
//! mistaken for its argument.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::read_json::number_length;
use super::{ALIAS_BYTES_MAX, Key, Kind, Member, Node, SyntaxError, admit};
use crate::base::Place;
use crate::base::limits::{
    DEFINITION_BYTES_MAX, DEFINITION_BYTES_RELAXED_MAX, DEFINITION_DEPTH_MAX, DEFINITION_NODES_MAX,
    DEFINITION_NODES_RELAXED_MAX,
};

/// Reads a text that holds exactly one YAML document.
pub fn read_yaml(text: &str) -> Result<Node, SyntaxError> {
    read_within(text, DEFINITION_BYTES_MAX, DEFINITION_NODES_MAX)
}

/// As [`read_yaml`], within the limits of `--limits relaxed`. What aliases may add stays bounded as ever.
pub fn read_yaml_relaxed(text: &str) -> Result<Node, SyntaxError> {
    read_within(text, DEFINITION_BYTES_RELAXED_MAX, DEFINITION_NODES_RELAXED_MAX)
}

fn read_within(text: &str, bytes_max: usize, nodes_max: usize) -> Result<Node, SyntaxError> {
    let mut builder = Builder { nodes_max, ..Builder::default() };
    for event in Parser::new_from_str(admit(text, bytes_max)?) {
        let (event, span) = event.map_err(|error| scan_error(&error))?;
        builder.handle(event, span)?;
    }
    builder.root.ok_or_else(|| SyntaxError::new(Place { line: 1, column: 1 }, "the document is empty"))
}

fn scan_error(error: &ScanError) -> SyntaxError {
    SyntaxError::new(place_of(error.marker()), error.info())
}

fn place_of(marker: &Marker) -> Place {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Place { line: count(marker.line()), column: count(marker.col()).saturating_add(1) }
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    documents: usize,
    open: Vec<Collection>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    nodes_max: usize,
    alias_bytes: usize,
}

/// A sequence or mapping whose end has not come yet.
struct Collection {
    place: Place,
    anchor: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        members: Vec<Member>,
        /// Values of `<<`, to be merged when the mapping ends.
        merges: Vec<Node>,
        /// A key whose value has not come yet.
        key: Option<MapKey>,
    },
}

enum MapKey {
    Name(Key),
    Merge,
}

/// A finished node that aliases may repeat, and what each repetition costs.
struct Anchored {
    node: Node,
    size: Size,
}

#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    height: usize,
}

impl Builder {
    fn handle(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let place = place_of(&span.start);
        match event {
            Event::DocumentStart(_) => self.start_document(place),
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), place),
            Event::SequenceStart(anchor, tag) => self.start(Content::Sequence(Vec::new()), anchor, tag, place),
            Event::MappingStart(anchor, tag) => self.start(Content::mapping(), anchor, tag, place),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn start_document(&mut self, place: Place) -> Result<(), SyntaxError> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(SyntaxError::new(place, "a second document begins here; one is expected"));
        }
        Ok(())
    }

    fn start(
        &mut self,
        content: Content,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        place: Place,
    ) -> Result<(), SyntaxError> {
        if self.awaits_key() {
            return Err(SyntaxError::new(place, "a member name must be a scalar"));
        }
        self.check_depth(1, place)?;
        let tag = tag.as_deref().and_then(intrinsic_name);
        self.open.push(Collection { place, anchor, tag, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        let Some(collection) = self.open.pop() else { return Ok(()) };
        let Collection { place, anchor, tag, content } = collection;
        let kind = match content {
            Content::Sequence(elements) => Kind::Array(elements),
            Content::Mapping { members, merges, .. } => Kind::Object(merge(members, merges)?),
        };
        self.add(tagged(Node { kind, place }, tag), anchor)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        place: Place,
    ) -> Result<(), SyntaxError> {
        if self.awaits_key() {
            let merges = text == "<<" && style == ScalarStyle::Plain;
            self.remember_scalar(text, anchor, place)?;
            let key = if merges { MapKey::Merge } else { MapKey::Name(Key { text: text.to_owned(), place }) };
            self.set_key(key);
            return Ok(());
        }
        let kind = scalar_kind(text, style, tag);
        self.add(tagged(Node { kind, place }, tag.and_then(intrinsic_name)), anchor)
    }

    /// An anchor on a key: `&a name: …`.
    fn remember_scalar(&mut self, text: &str, anchor: usize, place: Place) -> Result<(), SyntaxError> {
        self.remember(&Node { kind: Kind::String(text.to_owned()), place }, anchor)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), SyntaxError> {
        let Some(Anchored { node, size }) = self.anchors.get(&anchor) else {
            return Err(SyntaxError::new(place, "an alias inside the value that its anchor names"));
        };
        if self.awaits_key() {
            let Some(text) = node.scalar_text() else {
                return Err(SyntaxError::new(place, "a member name must be a scalar"));
            };
            let key = Key { text: text.to_owned(), place };
            self.alias_bytes += key.text.len();
            self.check_alias_bytes(place)?;
            self.set_key(MapKey::Name(key));
            return Ok(());
        }
        let size = *size;
        self.check_depth(size.height, place)?;
        self.spend(size, place)?;
        // Charged before it is cloned: a budget that is checked afterwards has already been spent.
        let Some(copy) = self.anchors.get(&anchor).map(|anchored| anchored.node.clone()) else { return Ok(()) };
        self.put(copy);
        Ok(())
    }

    fn spend(&mut self, size: Size, place: Place) -> Result<(), SyntaxError> {
        self.nodes = self.nodes.saturating_add(size.nodes);
        self.alias_bytes = self.alias_bytes.saturating_add(size.bytes);
        self.check_nodes(place)?;
        self.check_alias_bytes(place)
    }

    fn check_nodes(&self, place: Place) -> Result<(), SyntaxError> {
        if self.nodes > self.nodes_max {
            let message = format!("the document has more than {} values, aliases expanded", self.nodes_max);
            return Err(SyntaxError::new(place, message));
        }
        Ok(())
    }

    fn check_alias_bytes(&self, place: Place) -> Result<(), SyntaxError> {
        if self.alias_bytes > ALIAS_BYTES_MAX {
            let message = format!("aliases repeat more than {ALIAS_BYTES_MAX} bytes of text");
            return Err(SyntaxError::new(place, message));
        }
        Ok(())
    }

    fn check_depth(&self, below: usize, place: Place) -> Result<(), SyntaxError> {
        if self.open.len().saturating_add(below) > DEFINITION_DEPTH_MAX {
            let message = format!("the document is nested more than {DEFINITION_DEPTH_MAX} levels deep");
            return Err(SyntaxError::new(place, message));
        }
        Ok(())
    }

    /// Whether the next node is the name of a member.
    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Collection { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn set_key(&mut self, new: MapKey) {
        if let Some(Collection { content: Content::Mapping { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(new);
        }
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), SyntaxError> {
        self.nodes += 1;
        self.check_nodes(node.place)?;
        self.remember(&node, anchor)?;
        self.put(node);
        Ok(())
    }

    /// Keeps a copy for aliases. The copy is charged as one repetition, or nested anchors would multiply.
    fn remember(&mut self, node: &Node, anchor: usize) -> Result<(), SyntaxError> {
        if anchor == 0 {
            return Ok(());
        }
        let size = Size::of(node);
        self.spend(size, node.place)?;
        self.anchors.insert(anchor, Anchored { node: node.clone(), size });
        Ok(())
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut().map(|collection| &mut collection.content) {
            None => self.root = Some(node),
            Some(Content::Sequence(elements)) => elements.push(node),
            Some(Content::Mapping { members, merges, key }) => match key.take() {
                Some(MapKey::Name(key)) => members.push(Member { key, value: node }),
                Some(MapKey::Merge) => merges.push(node),
                None => {}
            },
        }
    }
}

impl Content {
    fn mapping() -> Self {
        Self::Mapping { members: Vec::new(), merges: Vec::new(), key: None }
    }
}

impl Size {
    fn of(node: &Node) -> Self {
        let mut size = Self { nodes: 1, bytes: 0, height: 0 };
        match &node.kind {
            Kind::String(text) | Kind::Number(text) => size.bytes = text.len(),
            Kind::Null | Kind::Bool(_) => {}
            Kind::Array(elements) => elements.iter().for_each(|element| size.grow(Self::of(element))),
            Kind::Object(members) => {
                for member in members {
                    size.bytes += member.key.text.len();
                    size.grow(Self::of(&member.value));
                }
            }
        }
        size
    }

    fn grow(&mut self, child: Self) {
        self.nodes = self.nodes.saturating_add(child.nodes);
        self.bytes = self.bytes.saturating_add(child.bytes);
        self.height = self.height.max(child.height + 1);
    }
}

/// Adds what `<<` names. A member of the mapping itself wins, then the earlier source
/// (<https://yaml.org/type/merge.html>).
fn merge(mut members: Vec<Member>, merges: Vec<Node>) -> Result<Vec<Member>, SyntaxError> {
    if merges.is_empty() {
        return Ok(members);
    }
    let mut names: HashSet<String> = members.iter().map(|member| member.key.text.clone()).collect();
    for source in merges.into_iter().flat_map(merge_sources) {
        let Kind::Object(merged) = source.kind else {
            return Err(SyntaxError::new(source.place, "`<<` needs a mapping or a list of mappings"));
        };
        members.extend(merged.into_iter().filter(|member| names.insert(member.key.text.clone())));
    }
    Ok(members)
}

fn merge_sources(node: Node) -> Vec<Node> {
    match node.kind {
        Kind::Array(elements) => elements,
        _ => vec![node],
    }
}

/// The long name of a CloudFormation short tag; `None` for tags of YAML itself.
fn intrinsic_name(tag: &Tag) -> Option<String> {
    if tag.handle != "!" || tag.suffix.is_empty() {
        return None;
    }
    Some(match tag.suffix.as_str() {
        "Ref" | "Condition" => tag.suffix.clone(),
        other => format!("Fn::{other}"),
    })
}

fn tagged(node: Node, tag: Option<String>) -> Node {
    let Some(text) = tag else { return node };
    let place = node.place;
    Node { kind: Kind::Object(vec![Member { key: Key { text, place }, value: node }]), place }
}

fn scalar_kind(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Kind {
    match tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str()) {
        Some("str" | "binary") => Kind::String(text.to_owned()),
        Some("null") => Kind::Null,
        Some("int" | "float" | "bool") => plain_kind(text),
        _ if style == ScalarStyle::Plain => plain_kind(text),
        _ => Kind::String(text.to_owned()),
    }
}

/// YAML 1.2 §10.3.2, with numbers turned into JSON's spelling.
fn plain_kind(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => number(text).map_or_else(|| Kind::String(text.to_owned()), Kind::Number),
    }
}

fn number(text: &str) -> Option<String> {
    let first = text.bytes().next()?;
    if !matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.') {
        return None;
    }
    if number_length(text.as_bytes()) == text.len() {
        return Some(text.to_owned());
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+')).map(|n| n.to_string());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+')).map(|n| n.to_string());
    }
    decimal(text)
}

/// `+1`, `.5` and `1.`, which JSON does not know.
fn decimal(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let whole = if digits.starts_with('.') { "0" } else { "" };
    let fraction = if digits.ends_with('.') { "0" } else { "" };
    let text = format!("{sign}{whole}{digits}{fraction}");
    (digits != "." && number_length(text.as_bytes()) == text.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        read_yaml(text).map_or_else(|error| format!("error {error}"), |node| node.to_json().to_string())
    }

    #[test]
    fn plain_scalars_follow_the_core_schema_and_keys_are_always_text() {
        let cases = [
            ("200: {x: y}", r#"{"200":{"x":"y"}}"#),
            ("a: yes\nb: on\nc: true\nd: False", r#"{"a":"yes","b":"on","c":true,"d":false}"#),
            ("[~, null, '', \"null\"]", r#"[null,null,"","null"]"#),
            ("[1, 1.50, -2e3, +4, .5, 1., 0x1F, 0o17]", "[1,1.5,-2000.0,4,0.5,1.0,31,15]"),
            (
                "[0777, 1_000, 2024-01-02, 12:30, .inf, ., 1.2.3]",
                r#"["0777","1_000","2024-01-02","12:30",".inf",".","1.2.3"]"#,
            ),
            ("a: !!str 200\nb: !!int '5'\nc: !!null x", r#"{"a":"200","b":5,"c":null}"#),
            ("on: 1\nno: 2\n~: 3", r#"{"on":1,"no":2,"~":3}"#),
            ("a: |\n  x\n  y\nb: >-\n  x\n  y", r#"{"a":"x\ny\n","b":"x y"}"#),
        ];
        for (text, expected) in cases {
            assert_eq!(json(text), expected, "{text}");
        }
    }

    #[test]
    fn a_version_keeps_its_digits() {
        let document = read_yaml("info: {version: 1.10}").unwrap();
        assert_eq!(document.find("/info/version").and_then(Node::scalar_text), Some("1.10"));
    }

    #[test]
    fn places_count_from_one() {
        let document = read_yaml("a:\n  - x\n  - é: [1, 2]\n").unwrap();
        assert_eq!(document.find("/a/0").unwrap().place, Place { line: 2, column: 5 });
        assert_eq!(document.find("/a/1/é").unwrap().place, Place { line: 3, column: 8 });
        assert_eq!(document.find("/a/1/é/1").unwrap().place, Place { line: 3, column: 12 });
        assert_eq!(document.get("a").unwrap().elements()[1].member("é").unwrap().key.place.column, 5);
    }

    #[test]
    fn short_tags_become_their_long_form() {
        let text = "a: !Sub 'x-${y}'\nb: !GetAtt F.Arn\nc: !Ref R\nd: !Join ['', [a, !Ref b]]";
        let expected = r#"{"a":{"Fn::Sub":"x-${y}"},"b":{"Fn::GetAtt":"F.Arn"},"c":{"Ref":"R"},"d":{"Fn::Join":["",["a",{"Ref":"b"}]]}}"#;
        assert_eq!(json(text), expected);
    }

    #[test]
    fn aliases_and_merge_keys_are_expanded() {
        let text = "base: &base {x: 1, y: 2}\none: {<<: *base, y: 3}\ntwo:\n  <<: [{z: 0}, *base]\n  q: *base";
        let expected = r#"{"base":{"x":1,"y":2},"one":{"y":3,"x":1},"two":{"q":{"x":1,"y":2},"z":0,"x":1,"y":2}}"#;
        assert_eq!(json(text), expected);
        assert_eq!(json("a: &k name\nb: {*k : 1}"), r#"{"a":"name","b":{"name":1}}"#);
        assert_eq!(json("a: {'<<': 1}"), r#"{"a":{"<<":1}}"#);
    }

    #[test]
    fn what_is_no_single_document_is_refused_with_its_place() {
        let cases = [
            ("", "1:1: the document is empty"),
            ("# nothing\n", "1:1: the document is empty"),
            ("a: 1\n---\nb: 2", "2:1: a second document begins here; one is expected"),
            ("? [a, b]\n: 1", "1:3: a member name must be a scalar"),
            ("a: &x [*x]", "1:8: an alias inside the value that its anchor names"),
            ("a: {<<: 1}", "1:9: `<<` needs a mapping or a list of mappings"),
        ];
        for (text, expected) in cases {
            assert_eq!(json(text), format!("error {expected}").replace("error error", "error"), "{text}");
        }
        assert!(json("a: *none").starts_with("error "));
        assert!(json("a: [1").starts_with("error "));
        assert!(json("a: b: c").starts_with("error "));
    }

    #[test]
    fn a_billion_laughs_are_refused_before_they_are_told() {
        let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for level in 1..12 {
            let below = vec![format!("*a{}", level - 1); 9].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert!(json(&text).contains("values, aliases expanded"), "{}", json(&text));
    }

    #[test]
    fn long_strings_cannot_be_multiplied_by_aliases() {
        let text = format!("a: &a {}\nb: [{}]", "x".repeat(1_000_000), vec!["*a"; 1000].join(", "));
        assert!(json(&text).contains("bytes of text"));
        let keys: String = (0..1000).map(|n| format!("- {{? *a : {n}}}\n")).collect();
        let text = format!("a: &a {}\nb:\n{keys}", "x".repeat(1_000_000));
        assert!(json(&text).contains("bytes of text"));
    }

    #[test]
    fn depth_is_bounded_in_the_text_and_through_aliases() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read_yaml(&deep(100)).is_ok());
        assert!(json(&deep(DEFINITION_DEPTH_MAX + 1)).contains("nested more than"));
        let text = format!("a: &a {}\nb: {}*a{}", deep(100), "[".repeat(100), "]".repeat(100));
        assert!(json(&text).contains("nested more than"));
        let block: String = (0..5000).map(|n| " ".repeat(n) + "a:\n").collect();
        assert!(json(&block[..200_000]).contains("nested more than"));
    }

    #[test]
    fn texts_beyond_the_size_of_aws_are_read_only_where_limits_are_relaxed() {
        let text = format!("a: {}", "x".repeat(DEFINITION_BYTES_MAX));
        assert!(read_yaml(&text).is_err());
        assert_eq!(read_yaml_relaxed(&text).unwrap().members().len(), 1);
    }
}
