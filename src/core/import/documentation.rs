//! Documentation parts: those of `x-amazon-apigateway-documentation`, and those made of the descriptions that stand
//! all over a document.

use serde_json::{Map, Value};

use crate::json::{Kind, Node, Pointer, read};
use crate::model::documentation::{DocumentationLocation, DocumentationPart, GivenLocation, PartType};

use super::findings::{Findings, Remark};
use super::kind;
use super::prepare::prepare;
use super::scope::Scope;
use super::values::{Owner, present, text};
use super::{ApiKind, Import, Options};

/// Bytes that parts made of descriptions may take. Shared responses and long paths are repeated in each of them.
const DERIVED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What `ImportDocumentationParts` answers to a text that it cannot read.
const NO_IMPORTER: &str = "Unable to build importer with provided input.";

/// The parts that `ImportDocumentationParts` makes of a document, in its order.
///
/// # Errors
/// The message of a `BadRequestException`: the text is no OpenAPI document.
pub fn documentation_parts(text: &str, options: &Options) -> Result<Vec<DocumentationPart>, String> {
    let mut root = read(text).map_err(|_| NO_IMPORTER.to_owned())?;
    let options = Options { kind: ApiKind::Rest, ignore_documentation: false, ..options.clone() };
    kind::version(&root, &mut Findings::default()).ok_or_else(|| NO_IMPORTER.to_owned())?;
    prepare(&mut root, &options);
    // What else is wrong with the document does not matter here: its parts count, not its API.
    let mut import = Import::new(&root, &options);
    import.run();
    Ok(import.parts)
}

/// The members of an entity that become its documentation.
pub(super) const fn texts(part_type: PartType) -> &'static [&'static str] {
    match part_type {
        PartType::Api => &["tags", "externalDocs"],
        PartType::Method => &["tags", "summary", "description", "externalDocs", "deprecated"],
        PartType::Resource => &["summary", "description"],
        PartType::Model => &["title", "description"],
        _ => &["description"],
    }
}

impl<'d> Import<'d> {
    /// Stores the explicit parts, and what the document says of the API as a whole.
    pub(super) fn read_documentation(&mut self) {
        self.read_explicit_parts();
        self.document_api();
    }

    fn read_explicit_parts(&mut self) {
        let name = "x-amazon-apigateway-documentation";
        let Some(node) = present(self.root, name) else { return };
        let at = Pointer::ROOT.key(name);
        if !node.is_object() {
            return self.findings.skip_kind(node, "an object", &at);
        }
        self.findings.leftovers(node, Scope::Documentation, &at);
        if self.options.ignore_documentation {
            return;
        }
        self.api.documentation.version = text(node, "version", &at, &mut self.findings);
        let at = at.key("documentationParts");
        let Some(parts) = present(node, "documentationParts") else { return };
        if !matches!(parts.kind, Kind::Array(_)) {
            self.findings.skip_kind(parts, "a list", &at);
        }
        for (index, part) in parts.elements().iter().enumerate() {
            self.read_part(part, &at.index(index));
        }
    }

    fn read_part(&mut self, part: &'d Node, at: &Pointer<'_>) {
        let (Some(location), Some(properties)) = (present(part, "location"), present(part, "properties")) else {
            return self.findings.skip_kind(part, "an object with `location` and `properties`", at);
        };
        self.findings.leftovers(part, Scope::DocumentationPart, at);
        let Some(location) = self.read_location(location, &at.key("location")) else { return };
        let properties = properties.to_json();
        if !self.push_part(DocumentationPart { location, properties, place: part.place }) {
            let remark = Remark::new("repeated-part", "an earlier part documents the same; this one is left out");
            self.findings.warn(remark.on_aws("A location has one part."), part.place, at);
        }
    }

    fn read_location(&mut self, node: &'d Node, at: &Pointer<'_>) -> Option<DocumentationLocation> {
        let findings = &mut self.findings;
        findings.leftovers(node, Scope::DocumentationLocation, at);
        let part_type = node.get("type").and_then(Node::as_str).and_then(PartType::parse);
        let given = GivenLocation {
            path: text(node, "path", at, findings),
            method: text(node, "method", at, findings),
            status_code: text(node, "statusCode", at, findings),
            name: text(node, "name", at, findings),
        };
        if part_type.is_none() {
            findings.skip_kind(node, "a location whose `type` is one of AWS's", at);
        }
        Some(DocumentationLocation::new(part_type?, given))
    }

    /// What `info`, `tags` and `externalDocs` say; title and version are the API's own.
    fn document_api(&mut self) {
        let mut properties = Map::new();
        if let Some(info) = present(self.root, "info") {
            let kept = info.members().iter().filter(|member| !matches!(member.key.text.as_str(), "title" | "version"));
            let info: Map<_, _> = kept.map(|member| (member.key.text.clone(), member.value.to_json())).collect();
            if !info.is_empty() {
                properties.insert("info".to_owned(), Value::Object(info));
            }
        }
        properties.extend(said(self.root, texts(PartType::Api)));
        self.add_part(PartType::Api, GivenLocation::default(), properties, self.root);
    }

    /// What `node` says about an entity of a method.
    pub(super) fn document_entity(
        &mut self,
        part_type: PartType,
        owner: Owner<'_>,
        status_code: Option<&str>,
        name: Option<&str>,
        node: &'d Node,
    ) {
        let properties = said(node, texts(part_type));
        // The text that an export puts where a description must stand and there is none.
        let is_placeholder = |status: &str| properties.get("description") == Some(&format!("{status} response").into());
        if properties.is_empty() || (properties.len() == 1 && status_code.is_some_and(is_placeholder)) {
            return;
        }
        let given = GivenLocation {
            path: Some(owner.resource.to_owned()),
            method: Some(owner.method.to_owned()),
            status_code: status_code.map(str::to_owned),
            name: name.map(str::to_owned),
        };
        self.add_part(part_type, given, properties, node);
    }

    /// What `node` says about a resource.
    pub(super) fn document_resource(&mut self, path: &str, node: &'d Node) {
        let given = GivenLocation { path: Some(path.to_owned()), ..GivenLocation::default() };
        self.add_part(PartType::Resource, given, said(node, texts(PartType::Resource)), node);
    }

    /// What `node` says about an authorizer. What a schema says about a model stays in the model.
    pub(super) fn document_authorizer(&mut self, name: &str, node: &'d Node) {
        let given = GivenLocation { name: Some(name.to_owned()), ..GivenLocation::default() };
        self.add_part(PartType::Authorizer, given, said(node, texts(PartType::Authorizer)), node);
    }

    fn add_part(&mut self, part_type: PartType, given: GivenLocation, properties: Map<String, Value>, node: &'d Node) {
        if properties.is_empty() || self.options.ignore_documentation || self.derived_bytes > DERIVED_BYTES_MAX {
            return;
        }
        let location = DocumentationLocation::new(part_type, given);
        let properties = Value::Object(properties);
        let path = location.path.as_ref().map_or(0, String::len);
        self.derived_bytes += path + location.name.as_ref().map_or(0, String::len) + bytes(&properties);
        // An export repeats at each entity what a part says of several: that makes no parts of their own.
        let inherited = self.documented.said(&self.parts, &location);
        let is_new = |(name, value): (&String, &Value)| inherited.get(name) != Some(value);
        if properties.as_object().into_iter().flatten().any(is_new) {
            self.push_part(DocumentationPart { location, properties, place: node.place });
        }
    }

    /// Adds a part, unless there is one about the same.
    fn push_part(&mut self, part: DocumentationPart) -> bool {
        let is_new = !self.documented.contains(&self.parts, &part.location);
        if is_new {
            self.documented.add(&part.location, self.parts.len());
            self.parts.push(part);
        }
        is_new
    }
}

fn said(node: &Node, names: &[&str]) -> Map<String, Value> {
    let said = names.iter().filter_map(|name| Some(((*name).to_owned(), present(node, name)?.to_json())));
    said.collect()
}

/// About what a value takes.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => 8 + text.len(),
        Value::Array(elements) => 8 + elements.iter().map(bytes).sum::<usize>(),
        Value::Object(members) => 8 + members.iter().map(|(name, value)| name.len() + bytes(value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::import;

    const DOCUMENT: &str = "
swagger: 2.0
info: {title: t, version: 1, description: about}
tags: [{name: x}]
x-amazon-apigateway-documentation:
  version: 1.0.3
  documentationParts:
    - {location: {type: METHOD, method: GET}, properties: {description: explicit}}
    - {location: {type: MODEL, name: M, path: /no}, properties: {title: m}}
    - {location: {type: METHOD, method: GET}, properties: {description: again}}
paths:
  /:
    summary: s
    parameters: [{name: q, in: query, description: shared}]
    get: {description: derived, tags: [a]}
    post:
      tags: [a]
      parameters: [{name: b, in: body, description: body, schema: {type: object}}]
      responses: {200: {description: ok, headers: {H: {type: string, description: h}}}}
definitions: {M: {description: model}}
securityDefinitions: {k: {type: apiKey, in: header, name: x-api-key, description: key}}";

    fn shown(parts: &[DocumentationPart]) -> Vec<String> {
        let one = |part: &DocumentationPart| {
            let DocumentationLocation { part_type, path, method, status_code, name } = &part.location;
            let members = [path, method, status_code, name].into_iter().flatten().map(|text| format!(" {text}"));
            format!("{}{} {}", part_type.as_str(), members.collect::<String>(), part.properties)
        };
        parts.iter().map(one).collect()
    }

    #[test]
    fn explicit_parts_win_over_those_made_of_descriptions() {
        let expected = [
            r#"METHOD / GET {"description":"explicit"}"#,
            r#"MODEL M {"title":"m"}"#,
            r#"API {"info":{"description":"about"},"tags":[{"name":"x"}]}"#,
            r#"AUTHORIZER k {"description":"key"}"#,
            r#"RESOURCE / {"summary":"s"}"#,
            r#"QUERY_PARAMETER / * q {"description":"shared"}"#,
            r#"METHOD / POST {"tags":["a"]}"#,
            r#"REQUEST_BODY / POST {"description":"body"}"#,
            r#"RESPONSE / POST 200 {"description":"ok"}"#,
            r#"RESPONSE_HEADER / POST 200 H {"description":"h"}"#,
        ];
        let options = Options { kind: ApiKind::Rest, ..Options::default() };
        let documentation = import(DOCUMENT, &options).api.unwrap().documentation;
        assert_eq!(shown(&documentation.parts), expected);
        assert_eq!(documentation.version.as_deref(), Some("1.0.3"));
        let parts = documentation_parts(DOCUMENT, &Options { ignore_documentation: true, ..options.clone() });
        assert_eq!(shown(&parts.unwrap()), expected);
        let ignored = import(DOCUMENT, &Options { ignore_documentation: true, ..options }).api.unwrap();
        assert_eq!(ignored.documentation, crate::model::documentation::Documentation::default());
    }

    #[test]
    fn a_text_that_is_no_document_is_refused_in_the_words_of_aws() {
        for text in ["", "{", "[]", "title: x", "openapi: 4.0.0"] {
            assert_eq!(documentation_parts(text, &Options::default()).unwrap_err(), NO_IMPORTER, "{text}");
        }
    }

    #[test]
    fn shared_descriptions_do_not_multiply_without_end() {
        let paths: String = (0..2000)
            .map(|n| format!("  /p{n}: {{get: {{responses: {{200: {{$ref: '#/responses/R'}}}}}}}}\n"))
            .collect();
        let text = format!("swagger: 2.0\npaths:\n{paths}\nresponses: {{R: {{description: {}}}}}", "d".repeat(100_000));
        let parts = documentation_parts(&text, &Options::default()).unwrap();
        assert!(parts.len() < 200, "{}", parts.len());
    }
}
