//! The texts of a documentation version, where the entities they document are, and all parts as an extension.

use serde_json::{Map, Value, json};

use crate::model::documentation::{
    DocumentationLocation, DocumentationPart, DocumentationVersion, GivenLocation, PartType,
};
use crate::model::rest::MethodName;

use super::{Export, insert, object};
use crate::import::documentation::texts;
use crate::import::parts::PartIndex;

/// What is documented.
pub(super) struct Texts<'a> {
    parts: &'a [DocumentationPart],
    index: PartIndex,
}

/// A method and where it is.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) path: &'a str,
    pub(super) method: MethodName,
}

impl<'a> Texts<'a> {
    pub(super) fn new(version: Option<&'a DocumentationVersion>) -> Self {
        let parts = version.map(|version| version.parts.as_slice()).unwrap_or_default();
        Self { parts, index: PartIndex::of(parts) }
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn of_info(&self) -> Map<String, Value> {
        match self.all_said(PartType::Api, GivenLocation::default()).remove("info") {
            Some(Value::Object(info)) => info,
            _ => Map::new(),
        }
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

    /// What is said about an entity of a method.
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
        let given = GivenLocation {
            path: Some(site.path.to_owned()),
            method: Some(site.method.as_str().to_owned()),
            status_code: status_code.map(str::to_owned),
            name: name.map(str::to_owned),
        };
        self.said(part_type, given)
    }

    /// Those members that have a place at the entity itself.
    fn said(&self, part_type: PartType, given: GivenLocation) -> Map<String, Value> {
        let mut said = self.all_said(part_type, given);
        texts(part_type).iter().filter_map(|name| said.remove_entry(*name)).collect()
    }

    fn all_said(&self, part_type: PartType, given: GivenLocation) -> Map<String, Value> {
        self.index.said(self.parts, &DocumentationLocation::new(part_type, given))
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
