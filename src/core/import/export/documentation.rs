//! The texts of a documentation version, where the entities they document are, and all parts as an extension.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::model::documentation::{
    DocumentationLocation, DocumentationPart, DocumentationVersion, GivenLocation, PartType,
};
use crate::model::rest::MethodName;

use super::{Export, insert, object};
use crate::import::documentation::texts;

/// What is documented, by what it documents.
pub(super) struct Texts<'a> {
    parts: HashMap<&'a DocumentationLocation, &'a Value>,
}

/// A method and where it is.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) path: &'a str,
    pub(super) method: MethodName,
}

impl<'a> Texts<'a> {
    pub(super) fn new(version: Option<&'a DocumentationVersion>) -> Self {
        let parts = version.map(|version| version.parts.as_slice()).unwrap_or_default().iter();
        Self { parts: parts.map(|part| (&part.location, &part.properties)).collect() }
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn of_info(&self) -> Map<String, Value> {
        let properties = self.at(PartType::Api, GivenLocation::default());
        let info = properties.and_then(|properties| properties.get("info")).and_then(Value::as_object);
        info.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub(super) fn of_model(&self, name: &str, schema: &mut Map<String, Value>) {
        let given = || GivenLocation { name: Some(name.to_owned()), ..GivenLocation::default() };
        if !self.is_empty() {
            schema.extend(self.said(PartType::Model, given()));
        }
    }

    pub(super) fn of_authorizer(&self, name: &str) -> Map<String, Value> {
        let given = GivenLocation { name: Some(name.to_owned()), ..GivenLocation::default() };
        self.said(PartType::Authorizer, given)
    }

    pub(super) fn of_resource(&self, path: &str) -> Map<String, Value> {
        self.said(PartType::Resource, GivenLocation { path: Some(path.to_owned()), ..GivenLocation::default() })
    }

    pub(super) fn of_method(&self, site: Site<'_>) -> Map<String, Value> {
        self.of_entity(PartType::Method, site, None, None)
    }

    /// What is said about an entity of a method: by a part about this method, else by one about all methods of the
    /// path.
    pub(super) fn of_entity(
        &self,
        part_type: PartType,
        site: Site<'_>,
        status_code: Option<&str>,
        name: Option<&str>,
    ) -> Map<String, Value> {
        if self.is_empty() {
            return Map::new();
        }
        let given = |method: &str| GivenLocation {
            path: Some(site.path.to_owned()),
            method: Some(method.to_owned()),
            status_code: status_code.map(str::to_owned),
            name: name.map(str::to_owned),
        };
        let own = self.said(part_type, given(site.method.as_str()));
        if own.is_empty() { self.said(part_type, given("*")) } else { own }
    }

    fn said(&self, part_type: PartType, given: GivenLocation) -> Map<String, Value> {
        let Some(properties) = self.at(part_type, given) else { return Map::new() };
        let said = texts(part_type).iter().filter_map(|name| Some(((*name).to_owned(), properties.get(name)?.clone())));
        said.collect()
    }

    fn at(&self, part_type: PartType, given: GivenLocation) -> Option<&'a Value> {
        self.parts.get(&DocumentationLocation::new(part_type, given)).copied()
    }
}

impl Export<'_> {
    /// `tags` and `externalDocs` of the API, and the parts themselves.
    pub(super) fn add_documentation_parts(&self, into: &mut Map<String, Value>) {
        into.extend(self.texts.said(PartType::Api, GivenLocation::default()));
        let Some(version) = self.options.documentation.filter(|_| self.options.extensions.documentation) else {
            return;
        };
        let parts: Vec<_> = version.parts.iter().map(part).collect();
        let mut documentation = object([("version", json!(version.version))]);
        let date = (!version.created_date.is_empty()).then(|| json!(version.created_date));
        insert(&mut documentation, "createdDate", date);
        documentation.insert("documentationParts".to_owned(), Value::Array(parts));
        into.insert("x-amazon-apigateway-documentation".to_owned(), Value::Object(documentation));
    }
}

fn part(part: &DocumentationPart) -> Value {
    let DocumentationLocation { part_type, path, method, status_code, name } = &part.location;
    let mut location = object([("type", json!(part_type.as_str()))]);
    for (member, text) in [("path", path), ("method", method), ("statusCode", status_code), ("name", name)] {
        insert(&mut location, member, text.as_ref().map(|text| json!(text)));
    }
    json!({"location": location, "properties": part.properties})
}
