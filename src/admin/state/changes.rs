//! What makes one definition of another, in the nouns of its owner.
//!
//! Things are told apart by name: ids differ between an import and the next and mean nothing to the one who reads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Collection, Definition};
use crate::admin::wire::parts::DocumentationPart;
use crate::admin::wire::resource::{Method, Resource};

/// Members of an API that nobody declares, or that no deployment is about.
const NOT_DECLARED: [&str; 4] = ["id", "createdDate", "rootResourceId", "tags"];

/// One thing that is in one of two definitions, or different in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What became of it.
    pub change: Kind,
    /// What it is.
    pub noun: Noun,
    /// Its name: `GET /pets` of a method.
    pub name: String,
    /// The members that differ, when it was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// What became of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// It was not there.
    Added,
    /// It was different.
    Changed,
    /// It is no longer there.
    Removed,
}

/// What an API is made of, in the order in which changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Noun {
    /// A stage. Definitions have none: a plan may begin with making one.
    Stage,
    /// A member of the API itself.
    Setting,
    /// A path.
    Resource,
    /// A method with its integration.
    Method,
    /// A model.
    Model,
    /// A request validator.
    RequestValidator,
    /// An authorizer.
    Authorizer,
    /// A customized gateway response.
    GatewayResponse,
    /// A piece of documentation.
    DocumentationPart,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stage => "stage",
            Self::Setting => "setting",
            Self::Resource => "resource",
            Self::Method => "method",
            Self::Model => "model",
            Self::RequestValidator => "request validator",
            Self::Authorizer => "authorizer",
            Self::GatewayResponse => "gateway response",
            Self::DocumentationPart => "documentation",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.change {
            Kind::Added => '+',
            Kind::Changed => '~',
            Kind::Removed => '-',
        };
        // What others wrote must not steer the terminal.
        let name: String = self.name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        write!(f, "{sign} {} {name}", self.noun)?;
        if self.members.is_empty() { Ok(()) } else { write!(f, " ({})", self.members.join(", ")) }
    }
}

/// What makes `new` of `old`, by noun and then by name.
pub fn changes(old: &Definition, new: &Definition) -> Vec<Change> {
    let (before, after) = (things(old), things(new));
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let change = |key: &(Noun, String)| {
        let (change, members) = match (before.get(key), after.get(key)) {
            (None, _) => (Kind::Added, Vec::new()),
            (_, None) => (Kind::Removed, Vec::new()),
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) => (Kind::Changed, differing(old, new)),
        };
        Some(Change { change, noun: key.0, name: key.1.clone(), members })
    };
    names.into_iter().filter_map(change).collect()
}

/// Names of the members that are not the same in both.
fn differing(old: &Value, new: &Value) -> Vec<String> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return Vec::new() };
    let mut names: Vec<_> = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().cloned().collect()
}

type Things = BTreeMap<(Noun, String), Value>;

/// All that a definition declares, without ids.
fn things(definition: &Definition) -> Things {
    let mut things = Things::new();
    for (name, value) in members(&*definition.rest_api) {
        if !NOT_DECLARED.contains(&name.as_str()) && !is_default(&name, &value) {
            things.insert((Noun::Setting, name), parsed(value));
        }
    }
    for resource in definition.resources.values() {
        things.insert((Noun::Resource, resource.path.clone()), Value::Null);
        for (verb, method) in &resource.resource_methods {
            let name = format!("{verb} {}", resource.path);
            things.insert((Noun::Method, name), of_method(method, resource, definition));
        }
    }
    for (name, model) in &definition.models {
        let mut model = without_id(&**model);
        if let Some(schema) = model.get_mut("schema") {
            *schema = parsed(schema.take());
        }
        things.insert((Noun::Model, name.clone()), Value::Object(model));
    }
    let mut insert = |noun, name: String, thing| things.insert((noun, name), Value::Object(thing));
    for validator in definition.request_validators.values() {
        insert(Noun::RequestValidator, validator.name.clone().unwrap_or_default(), without_id(&**validator));
    }
    for authorizer in definition.authorizers.values() {
        insert(Noun::Authorizer, authorizer.name.clone(), without_id(&**authorizer));
    }
    for (kind, response) in &definition.gateway_responses {
        insert(Noun::GatewayResponse, kind.clone(), members(&**response));
    }
    for part in definition.documentation_parts.values() {
        insert(Noun::DocumentationPart, place(part), without_id(&**part));
    }
    things
}

/// A method, with names in the place of ids.
fn of_method(method: &Method, resource: &Resource, definition: &Definition) -> Value {
    let mut shown = members(method);
    let mut rename = |id: &str, member: &str, name: Option<&str>| {
        if shown.remove(id).is_some() {
            shown.insert(member.to_owned(), json!(name));
        }
    };
    let authorizer = found(&definition.authorizers, method.authorizer_id.as_ref());
    rename("authorizerId", "authorizer", authorizer.map(|authorizer| authorizer.name.as_str()));
    let validator = found(&definition.request_validators, method.request_validator_id.as_ref());
    rename("requestValidatorId", "requestValidator", validator.and_then(|validator| validator.name.as_deref()));
    if let Some(Value::Object(integration)) = shown.get_mut("methodIntegration") {
        // The namespace that a resource has by itself.
        if integration.get("cacheNamespace").and_then(Value::as_str) == Some(&resource.id) {
            integration.remove("cacheNamespace");
        }
    }
    Value::Object(shown)
}

fn found<'d, T>(things: &'d Collection<T>, id: Option<&String>) -> Option<&'d T> {
    things.get(id?).map(Arc::as_ref)
}

/// `METHOD GET /pets`
fn place(part: &DocumentationPart) -> String {
    let location = &part.location;
    let parts = [&location.method, &location.path, &location.status_code, &location.name];
    let parts = parts.into_iter().flatten().map(String::as_str);
    [location.kind.as_str()].into_iter().chain(parts).collect::<Vec<_>>().join(" ")
}

fn members(thing: &impl Serialize) -> Map<String, Value> {
    match json!(thing) {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn without_id(thing: &impl Serialize) -> Map<String, Value> {
    let mut members = members(thing);
    members.remove("id");
    members
}

/// The document in a text: spaces in it are no change.
fn parsed(value: Value) -> Value {
    let document = value.as_str().and_then(|text| serde_json::from_str(text).ok()).filter(Value::is_object);
    document.unwrap_or(value)
}

/// A setting that says nothing, so that a new API does not begin with a list of them.
fn is_default(name: &str, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || (name == "apiKeySource" && text == "HEADER"),
        Value::Array(list) => list.is_empty(),
        Value::Object(endpoints) => endpoints.get("types").is_some_and(|types| *types == json!([])),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::adopt::to_definition;
    use super::*;
    use ringgate_core::import::{Options, import};

    const BASE: &str = r"
openapi: 3.0.1
info: {title: Pets, version: '1'}
paths:
  /pets: {get: &op {x-amazon-apigateway-request-validator: all, x-amazon-apigateway-integration: {type: mock}}}
  /gone: {get: *op}
components: {schemas: {Pet: {type: object}}}
x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: true}}
";
    const NEXT: &str = r"
openapi: 3.0.1
info: {title: Pets, version: '2'}
paths:
  /pets:
    get: {x-amazon-apigateway-integration: {type: mock, timeoutInMillis: 900}}
    post: {x-amazon-apigateway-integration: {type: mock}}
components: {schemas: {Pet: {type: array}}}
x-amazon-apigateway-gateway-responses: {DEFAULT_4XX: {statusCode: '418'}}
";

    /// As it is made anew, with ids of its own.
    fn definition(text: &str) -> Definition {
        let model = import(text, &Options::default()).api.expect("a good document");
        to_definition(&model, &Definition::default())
    }

    fn told(old: &Definition, new: &Definition) -> Vec<String> {
        changes(old, new).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn other_ids_are_no_change() {
        assert_eq!(told(&definition(BASE), &definition(BASE)), [""; 0]);
        assert_ne!(definition(BASE), definition(BASE));
    }

    #[test]
    fn what_was_added_changed_and_removed_is_told_by_name() {
        let expected = [
            "~ setting version",
            "- resource /gone",
            "- method GET /gone",
            "~ method GET /pets (methodIntegration, requestValidator)",
            "+ method POST /pets",
            "~ model Pet (schema)",
            "- request validator all",
            "+ gateway response DEFAULT_4XX",
        ];
        assert_eq!(told(&definition(BASE), &definition(NEXT)), expected);
    }

    #[test]
    fn the_first_definition_is_all_new() {
        let told = told(&Definition::default(), &definition(BASE));
        assert!(told.iter().all(|change| change.starts_with("+ ")), "{told:#?}");
        assert_eq!(&told[..2], ["+ setting name", "+ setting version"]);
    }
}
