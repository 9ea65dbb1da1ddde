//! From a document to rules: every subschema once, every reference an index.

use std::collections::HashMap;

use crate::base::pattern::{Extent, Pattern};
use crate::json::node::push_segment;
use crate::json::number::Decimal;
use crate::json::tape::{Kind, Node, NodeId, Tape};

use super::address::{pointer_names, resolve, split};
use super::format::Format;
use super::rules::{
    ArrayRules, Bound, Combined, Constant, Constants, Dependency, Id, Items, NumberRules, ObjectRules, Property, Rest,
    Rules, Schema, StringRules, Types, printed,
};
use super::{DRAFT_04, Library, Remark, SchemaError};

/// Most schemas and subschemas that one schema may lead to.
const RULES_MAX: usize = 100_000;

/// Keywords that are no part of draft 4 and that people write in the belief that something checks them.
const IGNORED: [&str; 14] = [
    "const",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "nullable",
    "discriminator",
    "$id",
    "$defs",
    "examples",
    "prefixItems",
    "dependentRequired",
    "unevaluatedProperties",
];

/// The schema of schemas (draft 4, appendix).
const META: &str = r##"{"id":"http://json-schema.org/draft-04/schema#","type":"object","default":{},
"definitions":{"schemaArray":{"type":"array","minItems":1,"items":{"$ref":"#"}},
"positiveInteger":{"type":"integer","minimum":0},
"positiveIntegerDefault0":{"allOf":[{"$ref":"#/definitions/positiveInteger"},{"default":0}]},
"simpleTypes":{"enum":["array","boolean","integer","null","number","object","string"]},
"stringArray":{"type":"array","items":{"type":"string"},"minItems":1,"uniqueItems":true}},
"properties":{"id":{"type":"string"},"$schema":{"type":"string"},"title":{"type":"string"},
"description":{"type":"string"},"default":{},"multipleOf":{"type":"number","minimum":0,"exclusiveMinimum":true},
"maximum":{"type":"number"},"exclusiveMaximum":{"type":"boolean"},"minimum":{"type":"number"},
"exclusiveMinimum":{"type":"boolean"},"maxLength":{"$ref":"#/definitions/positiveInteger"},
"minLength":{"$ref":"#/definitions/positiveIntegerDefault0"},"pattern":{"type":"string","format":"regex"},
"additionalItems":{"anyOf":[{"type":"boolean"},{"$ref":"#"}]},
"items":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/schemaArray"}]},
"maxItems":{"$ref":"#/definitions/positiveInteger"},"minItems":{"$ref":"#/definitions/positiveIntegerDefault0"},
"uniqueItems":{"type":"boolean"},"maxProperties":{"$ref":"#/definitions/positiveInteger"},
"minProperties":{"$ref":"#/definitions/positiveIntegerDefault0"},"required":{"$ref":"#/definitions/stringArray"},
"additionalProperties":{"anyOf":[{"type":"boolean"},{"$ref":"#"}]},
"definitions":{"type":"object","additionalProperties":{"$ref":"#"}},
"properties":{"type":"object","additionalProperties":{"$ref":"#"}},
"patternProperties":{"type":"object","additionalProperties":{"$ref":"#"}},
"dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/stringArray"}]}},
"enum":{"type":"array"},"type":{"anyOf":[{"$ref":"#/definitions/simpleTypes"},
{"type":"array","items":{"$ref":"#/definitions/simpleTypes"},"minItems":1,"uniqueItems":true}]},
"format":{"type":"string"},"allOf":{"$ref":"#/definitions/schemaArray"},"anyOf":{"$ref":"#/definitions/schemaArray"},
"oneOf":{"$ref":"#/definitions/schemaArray"},"not":{"$ref":"#"}},
"dependencies":{"exclusiveMaximum":["maximum"],"exclusiveMinimum":["minimum"]}}"##;

impl Schema {
    /// Compiles a document at an address, with all that it refers to.
    pub fn compile(document: Node<'_>, address: &str, library: &impl Library) -> Result<Self, SchemaError> {
        let mut meta = Tape::new();
        let meta = meta.read(META.as_bytes()).expect("the schema of schemas is JSON");
        let mut compiler = Compiler {
            library,
            meta,
            documents: Vec::new(),
            named: HashMap::new(),
            found: HashMap::new(),
            rules: Vec::new(),
            waiting: Vec::new(),
            remarks: Vec::new(),
        };
        compiler.add_document(address, document);
        compiler.id(Place { document: 0, node: document, base: address.to_owned(), pointer: String::new() })?;
        compiler.run()?;
        Ok(Self { rules: compiler.rules.into(), remarks: compiler.remarks.into() })
    }

    /// What an operator should know about it.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

struct Compiler<'d, L> {
    library: &'d L,
    meta: Node<'d>,
    /// Addresses and roots.
    documents: Vec<(String, Node<'d>)>,
    /// Schemas that have an `id`, by what it comes to.
    named: HashMap<String, Place<'d>>,
    found: HashMap<(usize, NodeId), Id>,
    rules: Vec<Rules>,
    waiting: Vec<(Id, Place<'d>)>,
    remarks: Vec<Remark>,
}

/// A subschema and what its references are relative to.
#[derive(Clone)]
struct Place<'d> {
    document: usize,
    node: Node<'d>,
    base: String,
    pointer: String,
}

impl<'d> Place<'d> {
    /// A child, which is relative to this place's own address.
    fn child(&self, node: Node<'d>, names: &[&str]) -> Self {
        let mut pointer = self.pointer.clone();
        names.iter().for_each(|name| push_segment(&mut pointer, name));
        Self { document: self.document, node, base: self.inner_base(), pointer }
    }

    fn inner_base(&self) -> String {
        // Beside a reference nothing counts.
        match self.node.get("id").and_then(Node::as_str) {
            Some(id) if self.node.get("$ref").is_none_or(|reference| reference.kind() != Kind::String) => {
                resolve(&self.base, id)
            }
            _ => self.base.clone(),
        }
    }
}

type Compiled<T> = Result<T, SchemaError>;

impl<'d, L: Library> Compiler<'d, L> {
    fn run(&mut self) -> Compiled<()> {
        while let Some((id, place)) = self.waiting.pop() {
            let rules = self.compile(&place)?;
            self.rules[id as usize] = rules;
        }
        self.refuse_circles()
    }

    fn error<T>(&self, place: &Place<'d>, message: impl Into<String>) -> Compiled<T> {
        let address = match place.document {
            0 => "",
            other => self.documents.get(other).map_or("", |(address, _)| address),
        };
        let separator = if address.is_empty() { "" } else { "#" };
        Err(SchemaError { at: format!("{address}{separator}{}", place.pointer), message: message.into() })
    }

    fn add_document(&mut self, address: &str, root: Node<'d>) -> usize {
        let document = self.documents.len();
        self.documents.push((address.to_owned(), root));
        self.note_names(&Place { document, node: root, base: address.to_owned(), pointer: String::new() });
        document
    }

    /// Notes every schema below that has an `id`.
    fn note_names(&mut self, place: &Place<'d>) {
        if place.node.kind() != Kind::Object || place.node.get("$ref").is_some_and(|r| r.kind() == Kind::String) {
            return;
        }
        if place.node.get("id").is_some_and(|id| id.kind() == Kind::String) {
            self.named.entry(place.inner_base()).or_insert_with(|| place.clone());
        }
        for (keyword, value) in place.node.members() {
            match keyword {
                "additionalItems" | "additionalProperties" | "not" | "items" if value.kind() == Kind::Object => {
                    self.note_names(&place.child(value, &[keyword]));
                }
                "items" | "allOf" | "anyOf" | "oneOf" => {
                    for (index, element) in value.elements().enumerate() {
                        self.note_names(&place.child(element, &[keyword, &index.to_string()]));
                    }
                }
                "definitions" | "properties" | "patternProperties" | "dependencies" => {
                    for (name, member) in value.members() {
                        self.note_names(&place.child(member, &[keyword, name]));
                    }
                }
                _ => {}
            }
        }
    }

    /// The index of a subschema, which is compiled later if it is new.
    fn id(&mut self, place: Place<'d>) -> Compiled<Id> {
        if place.node.kind() != Kind::Object {
            return self.error(&place, "a schema must be an object");
        }
        let key = (place.document, place.node.id());
        if let Some(id) = self.found.get(&key) {
            return Ok(*id);
        }
        if self.rules.len() >= RULES_MAX {
            return self.error(&place, format!("more than {RULES_MAX} subschemas"));
        }
        let id = self.rules.len() as Id;
        self.found.insert(key, id);
        self.rules.push(Rules::default());
        self.waiting.push((id, place));
        Ok(id)
    }

    fn compile(&mut self, place: &Place<'d>) -> Compiled<Rules> {
        let node = place.node;
        if let Some(reference) = node.get("$ref").and_then(Node::as_str) {
            let target = self.target(place, reference)?;
            return Ok(Rules { reference: Some(self.id(target)?), ..Rules::default() });
        }
        for (keyword, _) in node.members().filter(|(keyword, _)| IGNORED.contains(keyword)) {
            self.remarks.push(Remark::Ignored { at: place.pointer.clone(), keyword: keyword.to_owned() });
        }
        let format = node.get("format").and_then(Node::as_str);
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| node.get(keyword).is_some());
        let combined = has(&["allOf", "anyOf", "oneOf", "not"]);
        let number = has(&["minimum", "maximum", "multipleOf"]);
        let string = has(&["minLength", "maxLength", "pattern", "format"]);
        let array = has(&["items", "minItems", "maxItems", "uniqueItems"]);
        let object = has(&[
            "properties",
            "required",
            "patternProperties",
            "additionalProperties",
            "minProperties",
            "maxProperties",
            "dependencies",
        ]);
        Ok(Rules {
            reference: None,
            unknown_format: format.filter(|name| Format::parse(name).is_none()).map(Into::into),
            types: self.types(place)?,
            constants: self.constants(place)?,
            combined: if combined { Some(Box::new(self.combined(place)?)) } else { None },
            number: if number { Some(Box::new(self.number(place)?)) } else { None },
            string: if string { Some(Box::new(self.string(place)?)) } else { None },
            array: if array { Some(Box::new(self.array(place)?)) } else { None },
            object: if object { Some(Box::new(self.object(place)?)) } else { None },
        })
    }

    /// Where a reference leads.
    fn target(&mut self, place: &Place<'d>, reference: &str) -> Compiled<Place<'d>> {
        let full = resolve(&place.base, reference);
        if let Some(named) = self.named.get(&full) {
            return Ok(named.clone());
        }
        let (address, fragment) = split(&full);
        let Some(start) = self.start(address) else {
            return self.error(place, format!("the reference {reference:?} leads to no document that is known here"));
        };
        if fragment.is_empty() {
            return Ok(start);
        }
        if let Some(named) = self.named.get(&full) {
            return Ok(named.clone());
        }
        let names = pointer_names(fragment).unwrap_or_default();
        let found = names.iter().try_fold(start, |at, name| {
            let next = match at.node.kind() {
                Kind::Array => name.parse().ok().and_then(|index| at.node.at(index)),
                _ => at.node.get(name),
            };
            next.map(|next| at.child(next, &[name]))
        });
        match found {
            Some(found) if !names.is_empty() => Ok(found),
            _ => self.error(place, format!("the reference {reference:?} leads nowhere")),
        }
    }

    /// The schema or the document at an address.
    fn start(&mut self, address: &str) -> Option<Place<'d>> {
        if let Some(named) = self.named.get(address) {
            return Some(named.clone());
        }
        let known = self.documents.iter().position(|(known, _)| known == address);
        let document = match known {
            Some(known) => known,
            None => {
                let root = self.library.document(address).or((address == DRAFT_04).then_some(self.meta))?;
                self.add_document(address, root)
            }
        };
        let (_, node) = self.documents.get(document)?;
        Some(Place { document, node: *node, base: address.to_owned(), pointer: String::new() })
    }

    fn types(&self, place: &Place<'d>) -> Compiled<Option<Types>> {
        let Some(node) = place.node.get("type") else { return Ok(None) };
        let mut types = Types::default();
        let is_known = match node.kind() {
            Kind::String => types.add(node.as_str().unwrap_or_default()),
            Kind::Array => {
                !node.is_empty() && node.elements().all(|name| name.as_str().is_some_and(|name| types.add(name)))
            }
            _ => false,
        };
        if is_known { Ok(Some(types)) } else { self.error(place, "\"type\" must name primitive types") }
    }

    fn constants(&self, place: &Place<'d>) -> Compiled<Option<Box<Constants>>> {
        let Some(node) = place.node.get("enum") else { return Ok(None) };
        if node.kind() != Kind::Array {
            return self.error(place, "\"enum\" must be an array");
        }
        let values = node.elements().map(Constant::of).collect();
        Ok(Some(Box::new(Constants { values, text: printed(node).into() })))
    }

    fn combined(&mut self, place: &Place<'d>) -> Compiled<Combined> {
        Ok(Combined {
            all_of: self.list(place, "allOf")?,
            any_of: self.list(place, "anyOf")?,
            one_of: self.list(place, "oneOf")?,
            not: place.node.get("not").map(|not| self.id(place.child(not, &["not"]))).transpose()?,
        })
    }

    fn list(&mut self, place: &Place<'d>, keyword: &'static str) -> Compiled<Box<[Id]>> {
        let Some(node) = place.node.get(keyword) else { return Ok(Box::default()) };
        if node.is_empty() || node.kind() != Kind::Array {
            return self.error(place, format!("{keyword:?} must be an array of schemas"));
        }
        let elements = node.elements().enumerate();
        elements.map(|(index, element)| self.id(place.child(element, &[keyword, &index.to_string()]))).collect()
    }

    fn number(&self, place: &Place<'d>) -> Compiled<NumberRules> {
        let digits = |keyword: &str| match place.node.get(keyword) {
            None => Ok(None),
            Some(node) => match node.as_number() {
                Some(digits) => Ok(Some(digits)),
                None => self.error(place, format!("{keyword:?} must be a number")),
            },
        };
        let is_exclusive = |keyword: &str| place.node.get(keyword).and_then(Node::as_bool) == Some(true);
        let bound = |digits: &str, exclusive| Bound { digits: digits.into(), is_exclusive: is_exclusive(exclusive) };
        let multiple_of = digits("multipleOf")?;
        if let Some(divisor) = multiple_of
            && Decimal::of("0").is_multiple_of(&Decimal::of(divisor)).is_none_or(|_| divisor.starts_with('-'))
        {
            return self.error(place, "\"multipleOf\" must be above zero and of at most 18 digits");
        }
        Ok(NumberRules {
            minimum: digits("minimum")?.map(|digits| bound(digits, "exclusiveMinimum")),
            maximum: digits("maximum")?.map(|digits| bound(digits, "exclusiveMaximum")),
            multiple_of: multiple_of.map(Into::into),
        })
    }

    /// A count: an integer from 0, also written as `2.0`.
    fn count(&self, place: &Place<'d>, keyword: &str) -> Compiled<Option<u64>> {
        let Some(node) = place.node.get(keyword) else { return Ok(None) };
        let count = node.as_number().and_then(|digits| digits.parse::<f64>().ok());
        match count.filter(|count| *count >= 0.0 && count.fract() == 0.0) {
            // What is beyond 64 bits is more than anything has.
            Some(count) => Ok(Some(count as u64)),
            None => self.error(place, format!("{keyword:?} must be an integer from 0")),
        }
    }

    fn pattern(&mut self, place: &Place<'d>, pattern: &str) -> Compiled<Pattern> {
        match Pattern::compile(pattern, Extent::Part) {
            Ok(compiled) => {
                if compiled.backtracks() {
                    self.remarks.push(Remark::Backtracks { at: place.pointer.clone(), pattern: pattern.to_owned() });
                }
                Ok(compiled)
            }
            Err(error) => self.error(place, format!("the pattern {pattern:?} is wrong: {error}")),
        }
    }

    fn string(&mut self, place: &Place<'d>) -> Compiled<StringRules> {
        let pattern = match place.node.get("pattern").map(|node| (node.as_str(), node)) {
            None => None,
            Some((Some(pattern), _)) => Some(self.pattern(place, pattern)?),
            Some((None, _)) => return self.error(place, "\"pattern\" must be a string"),
        };
        Ok(StringRules {
            length_min: self.count(place, "minLength")?,
            length_max: self.count(place, "maxLength")?,
            pattern,
            format: place.node.get("format").and_then(Node::as_str).and_then(Format::parse),
        })
    }

    fn array(&mut self, place: &Place<'d>) -> Compiled<ArrayRules> {
        let items = match place.node.get("items") {
            None => Items::Any,
            Some(items) if items.kind() == Kind::Array => {
                let elements = items.elements().enumerate();
                let ids = elements.map(|(index, item)| self.id(place.child(item, &["items", &index.to_string()])));
                Items::Each(ids.collect::<Compiled<_>>()?, self.rest(place, "additionalItems")?)
            }
            Some(items) => Items::All(self.id(place.child(items, &["items"]))?),
        };
        Ok(ArrayRules {
            items,
            length_min: self.count(place, "minItems")?,
            length_max: self.count(place, "maxItems")?,
            is_unique: place.node.get("uniqueItems").and_then(Node::as_bool) == Some(true),
        })
    }

    fn rest(&mut self, place: &Place<'d>, keyword: &'static str) -> Compiled<Rest> {
        match place.node.get(keyword) {
            None => Ok(Rest::Any),
            Some(node) => match node.as_bool() {
                Some(true) => Ok(Rest::Any),
                Some(false) => Ok(Rest::None),
                None => self.id(place.child(node, &[keyword])).map(Rest::Schema),
            },
        }
    }

    fn object(&mut self, place: &Place<'d>) -> Compiled<ObjectRules> {
        let properties = self.properties(place)?;
        let mut patterns = Vec::new();
        for (pattern, schema) in self.members(place, "patternProperties")? {
            let id = self.id(place.child(schema, &["patternProperties", pattern]))?;
            patterns.push((self.pattern(place, pattern)?, id));
        }
        let mut dependencies = Vec::new();
        for (name, node) in self.members(place, "dependencies")? {
            let dependency = match node.kind() {
                Kind::Array => Dependency::Properties(self.names(place, node, "dependencies")?),
                _ => Dependency::Schema(self.id(place.child(node, &["dependencies", name]))?),
            };
            dependencies.push((name.into(), dependency));
        }
        dependencies.sort_unstable_by(|(a, _): &(Box<str>, _), (b, _)| a.cmp(b));
        Ok(ObjectRules {
            required_count: properties.iter().filter(|property| property.is_required).count(),
            properties,
            patterns: patterns.into(),
            additional: self.rest(place, "additionalProperties")?,
            count_min: self.count(place, "minProperties")?,
            count_max: self.count(place, "maxProperties")?,
            dependencies: dependencies.into(),
        })
    }

    /// What `properties` and `required` say, by name.
    fn properties(&mut self, place: &Place<'d>) -> Compiled<Box<[Property]>> {
        let mut properties = Vec::new();
        for (name, schema) in self.members(place, "properties")? {
            let id = self.id(place.child(schema, &["properties", name]))?;
            properties.push(Property { name: name.into(), schema: Some(id), is_required: false });
        }
        properties.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let Some(required) = place.node.get("required") else { return Ok(properties.into()) };
        let mut added = Vec::new();
        for name in self.names(place, required, "required")? {
            match properties.binary_search_by(|property| property.name.cmp(&name)) {
                Ok(index) => properties[index].is_required = true,
                Err(_) => added.push(Property { name, schema: None, is_required: true }),
            }
        }
        properties.append(&mut added);
        properties.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        properties.dedup_by(|a, b| a.name == b.name);
        Ok(properties.into())
    }

    fn members(&self, place: &Place<'d>, keyword: &'static str) -> Compiled<Vec<(&'d str, Node<'d>)>> {
        match place.node.get(keyword) {
            None => Ok(Vec::new()),
            Some(node) if node.kind() == Kind::Object => Ok(node.members().collect()),
            Some(_) => self.error(place, format!("{keyword:?} must be an object")),
        }
    }

    fn names(&self, place: &Place<'d>, node: Node<'d>, keyword: &str) -> Compiled<Box<[Box<str>]>> {
        let names: Option<_> = node.elements().map(|name| name.as_str().map(Box::from)).collect();
        match names.filter(|_| node.kind() == Kind::Array) {
            Some(names) => Ok(names),
            None => self.error(place, format!("{keyword:?} must be an array of names")),
        }
    }

    /// Refuses schemas that apply themselves to the same value: validation would never end.
    fn refuse_circles(&self) -> Compiled<()> {
        let mut states = vec![State::New; self.rules.len()];
        for start in 0..self.rules.len() as Id {
            let mut path = vec![(start, false)];
            while let Some((id, is_done)) = path.pop() {
                let state = &mut states[id as usize];
                match (*state, is_done) {
                    (_, true) => *state = State::Done,
                    (State::Done, _) => {}
                    (State::Open, _) => {
                        let message = "schemas refer to each other in a circle that no property or item interrupts";
                        return Err(SchemaError { at: self.pointer_of(id), message: message.to_owned() });
                    }
                    (State::New, _) => {
                        *state = State::Open;
                        path.push((id, true));
                        same_value(&self.rules[id as usize], |next| {
                            if states[next as usize] != State::Done {
                                path.push((next, false));
                            }
                        });
                    }
                }
            }
        }
        Ok(())
    }

    fn pointer_of(&self, id: Id) -> String {
        let place = self.found.iter().find(|(_, found)| **found == id).map(|(key, _)| *key);
        place
            .and_then(|(document, _)| self.documents.get(document))
            .map_or_else(String::new, |(address, _)| address.clone())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

/// The rules that are applied to the same value.
fn same_value(rules: &Rules, mut visit: impl FnMut(Id)) {
    rules.reference.into_iter().for_each(&mut visit);
    if let Some(combined) = &rules.combined {
        let lists = [&combined.all_of, &combined.any_of, &combined.one_of];
        lists.into_iter().flat_map(|ids| ids.iter().copied()).chain(combined.not).for_each(&mut visit);
    }
    if let Some(object) = &rules.object {
        for (_, dependency) in &object.dependencies {
            if let Dependency::Schema(id) = dependency {
                visit(*id);
            }
        }
    }
}
