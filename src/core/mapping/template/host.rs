//! `$input`, `$context`, `$stageVariables` and `$util` at run time.

use super::names::{Source, json_path, object, realm};
use super::overrides::{self, Overrides, side_of};
use super::{Message, Room, Template, parsed, util};
use crate::json::path::{Found, PATH_VISITS_MAX};
use crate::json::tape::{Kind, Node, NodeId};
use crate::json::{JsonPath, Tape};
use crate::mapping::context::{ContextVariable, Scope};
use crate::mapping::query;
use crate::vtl::Document as Variables;
use crate::vtl::{Exceeded, FailureKind, Host, HostRef, Item, Lookup, MapId, MapKind, Memory, Refusal, Value, View};

/// Bytes of documents that one run may parse with `$util.parseJson`.
const PARSED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Documents that one run may parse with `$util.parseJson`.
const PARSED_MAX: usize = 1_000;

/// Keys of `$context` in the order in which AWS gave them.
const CONTEXT_KEYS: [&str; 18] = [
    "resourceId",
    "resourcePath",
    "httpMethod",
    "extendedRequestId",
    "requestTime",
    "path",
    "accountId",
    "protocol",
    "requestOverride",
    "stage",
    "domainPrefix",
    "requestTimeEpoch",
    "requestId",
    "identity",
    "domainName",
    "deploymentId",
    "responseOverride",
    "apiId",
];

/// Keys of `$context.identity` in the order in which AWS gave them; those without value are there too.
const IDENTITY_KEYS: [&str; 12] = [
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "sourceIp",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "userAgent",
    "user",
];

/// The body as a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Document {
    Unread,
    Read,
    NotJson,
}

/// One exchange as a template sees it.
pub(super) struct MessageHost<'h, M> {
    template: &'h Template,
    variables: &'h Variables,
    message: &'h M,
    room: &'h mut Room,
    document: Document,
    body: Option<HostRef>,
    parsed_used: usize,
    /// What paths may still look at.
    visits_left: u32,
    parsed_bytes: usize,
    parameters: Option<Value>,
    context: Option<MapId>,
    pub(super) overrides: &'h Overrides,
    pub(super) request_override: Option<MapId>,
    pub(super) response_override: Option<MapId>,
}

impl<'h, M: Message> MessageHost<'h, M> {
    pub(super) fn new(
        template: &'h Template,
        variables: &'h Variables,
        message: &'h M,
        room: &'h mut Room,
        overrides: &'h Overrides,
    ) -> Self {
        Self {
            template,
            variables,
            message,
            room,
            document: Document::Unread,
            body: None,
            parsed_used: 0,
            visits_left: PATH_VISITS_MAX,
            parsed_bytes: 0,
            parameters: None,
            context: None,
            overrides,
            request_override: None,
            response_override: None,
        }
    }

    // Texts that are made for this run.

    /// Keeps what `write` appends; `None` if it says that there is nothing.
    fn keep(&mut self, write: impl FnOnce(&M, &mut Vec<u8>) -> bool) -> Option<HostRef> {
        self.room.bytes.clear();
        if !write(self.message, &mut self.room.bytes) {
            return None;
        }
        let start = self.room.text.len();
        self.room.text.push_str(&String::from_utf8_lossy(&self.room.bytes));
        self.room.spans.push((start as u32, self.room.text.len() as u32));
        Some(HostRef { realm: realm::TEXT, index: self.room.spans.len() as u32 - 1 })
    }

    fn keep_value(&mut self, write: impl FnOnce(&M, &mut Vec<u8>) -> bool) -> Value {
        self.keep(write).map_or(Value::Null, Value::Host)
    }

    // The body.

    /// An empty body counts as an empty object.
    fn payload(&self) -> &'h [u8] {
        let payload = self.message.payload();
        if payload.is_empty() { b"{}" } else { payload }
    }

    fn body(&mut self) -> HostRef {
        if let Some(body) = self.body {
            return body;
        }
        let payload = self.payload();
        let body = match std::str::from_utf8(payload) {
            Ok(_) => object(realm::BODY),
            Err(_) => self
                .keep(|_, out| {
                    out.extend_from_slice(payload);
                    true
                })
                .unwrap_or(object(realm::BODY)),
        };
        self.body = Some(body);
        body
    }

    /// Reads the body as a document, once. `None`: it is none.
    fn read_document(&mut self) -> Option<&Tape> {
        if self.document == Document::Unread {
            let is_json = self.room.tape.read(self.payload()).is_ok();
            self.document = if is_json { Document::Read } else { Document::NotJson };
        }
        (self.document == Document::Read).then_some(&self.room.tape)
    }

    fn find(&mut self, path: &JsonPath) -> Result<Option<Found<'_>>, Refusal> {
        if self.read_document().is_none() {
            return Ok(None);
        }
        find_in(self.room.tape.root(), path, &mut self.visits_left)
    }

    /// `$input.json(path)`: what has no value is an empty string, in quotes.
    fn write_json(&mut self, path: &JsonPath, memory: &Memory, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if memory.has_changed(realm::NODE) {
            return self.write_changed_json(path, memory, out);
        }
        match self.find(path)? {
            Some(found) => found.write_json(out),
            None => out.extend_from_slice(b"\"\""),
        }
        Ok(())
    }

    fn json(&mut self, path: &JsonPath, memory: &mut Memory) -> Result<Value, Refusal> {
        let mut bytes = std::mem::take(&mut self.room.bytes);
        bytes.clear();
        let written = self.write_json(path, memory, &mut bytes);
        let text = written.and_then(|()| Ok(memory.text(std::str::from_utf8(&bytes).unwrap_or_default())?));
        self.room.bytes = bytes;
        text
    }

    fn path(&mut self, path: &JsonPath, memory: &mut Memory) -> Result<Value, Refusal> {
        if memory.has_changed(realm::NODE) {
            return self.changed_path(path, memory);
        }
        match self.find(path)? {
            Some(found) => parsed::value_of(&found, realm::NODE, memory),
            None => Ok(Value::Null),
        }
    }

    // Parameters.

    /// `$input.params(name)`: of the path, else of the query, else of the headers; what is missing is an empty text.
    fn write_parameter(message: &M, name: &str, out: &mut Vec<u8>) {
        if let Some(value) = message.path_named(name) {
            out.extend_from_slice(value);
        } else if let Some(value) = query::last(message.query(), name) {
            query::decode(value, out);
        } else if let Some(value) = message.header(name) {
            out.extend_from_slice(value);
        }
    }

    /// Appends the value of a source that is a text; `false`: it has none.
    fn write_text(message: &M, source: &Source, out: &mut Vec<u8>) -> bool {
        let mut put = |value: Option<&[u8]>| value.map(|value| out.extend_from_slice(value)).is_some();
        match source {
            Source::Parameter(name) => {
                Self::write_parameter(message, name, out);
                true
            }
            Source::PathParameter(name) => put(message.path_named(name)),
            Source::HeaderParameter(name) => put(message.header(name)),
            Source::QueryParameter(name) => match query::last(message.query(), name) {
                Some(value) => {
                    query::decode(value, out);
                    true
                }
                None => false,
            },
            Source::Context(variable) => message.context(variable, out),
            Source::Body | Source::Json(_) | Source::Path(_) => false,
        }
    }

    /// `$input.params()`
    fn parameters(&mut self, memory: &mut Memory) -> Result<Value, Refusal> {
        if let Some(known) = self.parameters {
            return Ok(known);
        }
        let all = memory.map(MapKind::Java)?;
        let message = self.message;
        let paths = (0..).map_while(|index| message.path_parameter(index));
        self.add_parameters(all, "path", paths.map(|(name, value)| (name.as_bytes(), value)), false, memory)?;
        self.add_parameters(all, "querystring", query::pairs(message.query()), true, memory)?;
        let headers = (0..).map_while(|index| message.header_parameter(index));
        self.add_parameters(all, "header", headers, false, memory)?;
        self.parameters = Some(Value::Map(all));
        Ok(Value::Map(all))
    }

    fn add_parameters<'p>(
        &mut self,
        all: MapId,
        kind: &str,
        parameters: impl Iterator<Item = (&'p [u8], &'p [u8])>,
        is_encoded: bool,
        memory: &mut Memory,
    ) -> Result<(), Refusal> {
        let map = memory.map(MapKind::Java)?;
        let lowers_names = kind == "header" && self.message.lowers_header_names();
        let write = |bytes: &[u8], out: &mut Vec<u8>| {
            if is_encoded {
                query::decode(bytes, out)
            } else {
                out.extend_from_slice(bytes)
            }
            true
        };
        for (name, value) in parameters {
            let key = self.keep_value(|_, out| {
                let is_kept = write(name, out);
                if lowers_names {
                    out.make_ascii_lowercase();
                }
                is_kept
            });
            let value = self.keep_value(|_, out| write(value, out));
            // Of a name that comes again, the last value counts.
            let known = memory.map_entries(map).iter().position(|(other, _)| self.is_same_text(*other, key));
            match known {
                Some(at) => memory.replace(map, at, value),
                None => memory.append(map, key, value)?,
            }
        }
        let key = memory.text(kind)?;
        Ok(memory.append(all, key, Value::Map(map))?)
    }

    fn is_same_text(&self, left: Value, right: Value) -> bool {
        match (left, right) {
            (Value::Host(left), Value::Host(right)) => self.view(left) == self.view(right),
            _ => false,
        }
    }

    // `$context`.

    fn context_variable(&mut self, name: &str) -> Value {
        match ContextVariable::parse(name) {
            Ok(variable) if variable.scope() == Scope::Everywhere => self.context_value(&variable),
            _ => Value::Null,
        }
    }

    /// Texts, except for the one that templates compute with.
    fn context_value(&mut self, variable: &ContextVariable) -> Value {
        let text = self.keep(|message, out| message.context(variable, out));
        match text.map(|text| (text, self.view(text))) {
            None => Value::Null,
            Some((text, View::Text(digits))) if *variable == ContextVariable::RequestTimeEpoch => {
                digits.parse().map_or(Value::Host(text), Value::Long)
            }
            Some((text, _)) => Value::Host(text),
        }
    }

    /// A property of `$context`: an override, an object of it, or a variable.
    fn context_property(&mut self, name: &str, memory: &mut Memory) -> Result<Value, Refusal> {
        if let Some(is_request) = side_of(name) {
            return self.overrides_map(is_request, memory);
        }
        match name {
            "identity" => self.context_object("identity", &IDENTITY_KEYS, memory),
            "authorizer" => self.authorizer(memory),
            "error" => self.context_object(name, &[], memory),
            _ => Ok(self.context_variable(name)),
        }
    }

    fn overrides_map(&mut self, is_request: bool, memory: &mut Memory) -> Result<Value, Refusal> {
        let known = if is_request { &mut self.request_override } else { &mut self.response_override };
        let map = match *known {
            Some(map) => map,
            None => *known.insert(overrides::maps(self.overrides, is_request, memory)?),
        };
        Ok(Value::Map(map))
    }

    /// Variables whose names begin alike, as a map: those of `always`, and others that have a value. Null if there are
    /// none.
    fn context_object(&mut self, prefix: &str, always: &[&str], memory: &mut Memory) -> Result<Value, Refusal> {
        let map = memory.map(MapKind::Silent)?;
        for name in always {
            let value = self.context_variable(&format!("{prefix}.{name}"));
            let key = memory.text(name)?;
            memory.append(map, key, value)?;
        }
        for variable in ContextVariable::NAMED {
            let name = variable.name().strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
            let Some(name) = name.filter(|name| !always.contains(name) && !name.contains('.')) else { continue };
            let value = self.context_variable(variable.name());
            if value != Value::Null {
                let key = memory.text(name)?;
                memory.append(map, key, value)?;
            }
        }
        Ok(if memory.map_entries(map).is_empty() { Value::Null } else { Value::Map(map) })
    }

    fn authorizer(&mut self, memory: &mut Memory) -> Result<Value, Refusal> {
        let mut properties = Vec::new();
        self.message.each_authorizer_property(&mut |name, value| properties.push((name.to_owned(), value.to_owned())));
        let known = self.context_object("authorizer", &[], memory)?;
        let map = match known {
            Value::Map(map) => map,
            _ if properties.is_empty() => return Ok(Value::Null),
            _ => memory.map(MapKind::Silent)?,
        };
        let mut claims = None;
        for (name, value) in properties {
            let value = memory.text(&value)?;
            match name.strip_prefix("claims.") {
                Some(claim) => {
                    let claims = match claims {
                        Some(claims) => claims,
                        None => *claims.insert(memory.map(MapKind::Silent)?),
                    };
                    let key = memory.text(claim)?;
                    memory.append(claims, key, value)?;
                }
                None if memory.find(map, &name, self).is_none() => {
                    let key = memory.text(&name)?;
                    memory.append(map, key, value)?;
                }
                None => {}
            }
        }
        if let Some(claims) = claims {
            let key = memory.text("claims")?;
            memory.append(map, key, Value::Map(claims))?;
        }
        Ok(Value::Map(map))
    }

    /// The whole of `$context`.
    fn context_map(&mut self, memory: &mut Memory) -> Result<Value, Refusal> {
        if let Some(map) = self.context {
            return Ok(Value::Map(map));
        }
        let map = memory.map(MapKind::Silent)?;
        for name in CONTEXT_KEYS.into_iter().chain(["authorizer", "error"]) {
            let value = self.context_property(name, memory)?;
            if value != Value::Null || CONTEXT_KEYS.contains(&name) {
                let key = memory.text(name)?;
                memory.append(map, key, value)?;
            }
        }
        self.context = Some(map);
        Ok(Value::Map(map))
    }

    // `$util`.

    fn util(&mut self, method: &str, argument: Value, memory: &mut Memory) -> Result<Option<Value>, Refusal> {
        let mut text = std::mem::take(&mut self.room.argument);
        text.clear();
        // What has no value stays without.
        let written = if argument == Value::Null { Ok(()) } else { memory.write(argument, self, &mut text) };
        let made = written.map_err(Refusal::from).and_then(|()| self.util_of_text(method, &text, memory));
        self.room.argument = text;
        made
    }

    fn util_of_text(&mut self, method: &str, text: &str, memory: &mut Memory) -> Result<Option<Value>, Refusal> {
        let throw = |what: &str| Refusal::Call(format!("$util.{method}: {what}"));
        let made = match method {
            "escapeJavaScript" => memory.text_with(|out| util::escape_java_script(text, out)),
            "urlEncode" => memory.text_with(|out| util::url_encode(text, out)),
            "urlDecode" => memory.text(&util::url_decode(text).ok_or_else(|| throw("not url-encoded"))?),
            "base64Encode" => memory.text_with(|out| util::base64_encode(text, out)),
            "base64Decode" => memory.text(&util::base64_decode(text).ok_or_else(|| throw("not base64"))?),
            "parseJson" => return self.parse_json(text, memory).map(Some),
            _ => return Ok(None),
        };
        Ok(Some(made?))
    }

    /// `$util.parseJson`: numbers, `true`, `false`, `null` and what is no JSON are an empty text.
    fn parse_json(&mut self, text: &str, memory: &mut Memory) -> Result<Value, Refusal> {
        match self.read_parsed(text)? {
            Some(root) if matches!(self.view(root), View::Map | View::JsonList | View::Text(_)) => {
                Ok(Value::Host(root))
            }
            _ => Ok(memory.text("")?),
        }
    }

    /// Reads a text as a further document, and gives its root. `None`: it is no JSON.
    pub(super) fn read_parsed(&mut self, text: &str) -> Result<Option<HostRef>, Refusal> {
        self.parsed_bytes += text.len();
        if self.parsed_used == PARSED_MAX || self.parsed_bytes > PARSED_BYTES_MAX {
            return Err(Exceeded(FailureKind::Memory).into());
        }
        if self.parsed_used == self.room.parsed.len() {
            self.room.parsed.push(Tape::new());
        }
        if self.room.parsed[self.parsed_used].read(text.as_bytes()).is_err() {
            return Ok(None);
        }
        self.parsed_used += 1;
        Ok(Some(object(realm::PARSED + self.parsed_used as u16 - 1)))
    }

    /// The body's document as a value, if it is one.
    pub(super) fn root(&mut self) -> Option<Value> {
        let root = self.read_document()?.root()?;
        Some(Value::Host(HostRef { realm: realm::NODE, index: root.id().index() }))
    }

    /// Follows a path in a document that was read by [`Self::read_parsed`].
    pub(super) fn find_parsed(&mut self, root: HostRef, path: &JsonPath) -> Result<Option<Found<'_>>, Refusal> {
        let tape = self.room.parsed.get(usize::from(root.realm - realm::PARSED));
        find_in(tape.and_then(Tape::root), path, &mut self.visits_left)
    }

    /// The document that a reference is about.
    fn tape(&self, of: HostRef) -> Option<&Tape> {
        match of.realm {
            realm::NODE => Some(&self.room.tape),
            other => self.room.parsed.get(usize::from(other.checked_sub(realm::PARSED)?)),
        }
    }

    fn source(&self, number: u32) -> &'h Source {
        let template: &'h Template = self.template;
        &template.sources[number as usize]
    }
}

fn find_in<'t>(root: Option<Node<'t>>, path: &JsonPath, visits_left: &mut u32) -> Result<Option<Found<'t>>, Refusal> {
    let Some(root) = root else { return Ok(None) };
    path.find_within(root, visits_left).map_err(|_| Refusal::Exceeded(Exceeded(FailureKind::Steps)))
}

impl<M: Message> Host for MessageHost<'_, M> {
    fn view(&self, at: HostRef) -> View<'_> {
        let index = at.index as usize;
        match at.realm {
            realm::INPUT | realm::CONTEXT | realm::UTIL => View::Object,
            Variables::REALM => self.variables.view(at),
            realm::STAGE_VARIABLES => View::Map,
            realm::STAGE_VARIABLE => match self.template.stage_variables.get(index / 2) {
                Some((name, value)) => View::Text(if index.is_multiple_of(2) { name } else { value }),
                None => View::Null,
            },
            realm::BODY => View::Text(std::str::from_utf8(self.payload()).unwrap_or_default()),
            realm::TEXT => {
                let span = self.room.spans.get(index);
                View::Text(
                    span.and_then(|&(start, end)| self.room.text.get(start as usize..end as usize)).unwrap_or(""),
                )
            }
            _ => {
                let node = self.tape(at).and_then(|tape| tape.node(NodeId::at(at.index)));
                node.map_or(View::Null, parsed::view)
            }
        }
    }

    fn size(&self, at: HostRef) -> usize {
        match at.realm {
            realm::STAGE_VARIABLES => self.template.stage_variables.len(),
            Variables::REALM => self.variables.size(at),
            _ => self.node(at).map_or(0, |node| node.len()),
        }
    }

    fn member(&self, map: HostRef, key: &str) -> Option<Lookup> {
        if map.realm == Variables::REALM {
            return self.variables.member(map, key);
        }
        if map.realm == realm::STAGE_VARIABLES {
            let variables = &self.template.stage_variables;
            let at = variables.iter().position(|(name, _)| **name == *key);
            let found = at.map(|at| HostRef { realm: realm::STAGE_VARIABLE, index: at as u32 * 2 + 1 });
            return Some(Lookup { found, keys: variables.len() });
        }
        let node = self.node(map).filter(|node| node.kind() == Kind::Object)?;
        let found = node.get(key).map(|found| HostRef { realm: map.realm, index: found.id().index() });
        Some(Lookup { found, keys: node.len() })
    }

    fn print(&self, at: HostRef, out: &mut Vec<u8>) -> bool {
        match self.node(at) {
            // Integers print in the digits in which they came, as other numbers do.
            Some(node) => node.print_scalar(out),
            None => self.view(at).print(out),
        }
    }

    fn element(&self, list: HostRef, index: usize) -> Option<HostRef> {
        if list.realm == Variables::REALM {
            return self.variables.element(list, index);
        }
        self.node(list)?.at(index).map(|found| HostRef { realm: list.realm, index: found.id().index() })
    }

    fn next(&self, container: HostRef, cursor: u32) -> Option<Item> {
        if container.realm == Variables::REALM {
            return self.variables.next(container, cursor);
        }
        if container.realm == realm::STAGE_VARIABLES {
            let at = |index| HostRef { realm: realm::STAGE_VARIABLE, index };
            let is_there = (cursor as usize) < self.template.stage_variables.len();
            return is_there.then(|| Item { key: at(cursor * 2), value: at(cursor * 2 + 1), next: cursor + 1 });
        }
        parsed::child(self.tape(container)?, container, cursor)
    }

    fn bound(&mut self, number: u32, memory: &mut Memory) -> Result<Value, Refusal> {
        match self.source(number) {
            Source::Body => Ok(Value::Host(self.body())),
            Source::Json(path) => self.json(path, memory),
            Source::Path(path) => self.path(path, memory),
            Source::Context(variable) => Ok(self.context_value(variable)),
            source => Ok(self.keep_value(|message, out| Self::write_text(message, source, out))),
        }
    }

    fn print_bound(&mut self, number: u32, memory: &mut Memory, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        match self.source(number) {
            Source::Body => out.extend_from_slice(self.payload()),
            Source::Json(path) => self.write_json(path, memory, out)?,
            Source::Path(path) if memory.has_changed(realm::NODE) => return self.print_changed_path(path, memory, out),
            Source::Path(path) => match self.find(path)? {
                Some(found) if found.node().is_some_and(|node| node.is_null()) => return Ok(false),
                Some(found) => found.write_java(out),
                None => return Ok(false),
            },
            source => return Ok(Self::write_text(self.message, source, out)),
        }
        Ok(true)
    }

    fn property(&mut self, of: HostRef, name: &str, memory: &mut Memory) -> Result<Value, Refusal> {
        match of.realm {
            realm::INPUT if name == "body" => Ok(Value::Host(self.body())),
            realm::CONTEXT => match self.context {
                // The template changed it: what it says now counts.
                Some(map) => Ok(memory.find(map, name, self).unwrap_or(Value::Null)),
                None => self.context_property(name, memory),
            },
            _ => Ok(Value::Null),
        }
    }

    fn call(
        &mut self,
        of: HostRef,
        method: &str,
        arguments: &[Value],
        memory: &mut Memory,
    ) -> Result<Option<Value>, Refusal> {
        match (of.realm, method, arguments) {
            (realm::UTIL, method, &[argument]) => self.util(method, argument, memory),
            (realm::INPUT, "params", []) => self.parameters(memory).map(Some),
            (realm::INPUT, "params" | "json" | "path", &[argument]) => {
                let mut text = String::new();
                memory.write(argument, self, &mut text)?;
                if method == "params" {
                    let source = Source::Parameter(text.into());
                    return Ok(Some(self.keep_value(|message, out| Self::write_text(message, &source, out))));
                }
                let path = json_path(&text).map_err(Refusal::Call)?;
                let value = if method == "json" { self.json(&path, memory)? } else { self.path(&path, memory)? };
                Ok(Some(value))
            }
            _ => Ok(None),
        }
    }

    fn as_map(&mut self, of: HostRef, memory: &mut Memory) -> Result<Value, Refusal> {
        match of.realm {
            realm::CONTEXT => self.context_map(memory),
            _ => Ok(Value::Null),
        }
    }
}

impl<M: Message> MessageHost<'_, M> {
    fn node(&self, at: HostRef) -> Option<Node<'_>> {
        self.tape(at)?.node(NodeId::at(at.index))
    }
}
