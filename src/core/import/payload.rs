//! Request bodies and responses: which models they have, and which headers.

use crate::json::{Member, Node, Pointer};
use crate::model::documentation::PartType;
use crate::model::rest::MethodResponse;

use super::Import;
use super::kind::Version;
use super::scope::{Scope, Why};
use super::values::{Owner, is_status, present, texts};

impl<'d> Import<'d> {
    /// Models of the request body by content type.
    pub(super) fn request_models(
        &mut self,
        operation: &'d Node,
        body: Option<(&'d Node, String)>,
        owner: Owner<'_>,
        at: &Pointer<'_>,
    ) -> Vec<(String, String)> {
        if let Some((schema, pointer)) = body {
            let Some(model) = self.model_of(schema, &Pointer::written(&pointer)) else { return Vec::new() };
            let types = self.media_types(operation, "consumes", at);
            return types.into_iter().map(|media_type| (media_type, model.clone())).collect();
        }
        let Some(body) = present(operation, "requestBody") else { return Vec::new() };
        let Some((body, at)) = self.resolve(body, at.key("requestBody")) else { return Vec::new() };
        if !body.is_object() {
            self.findings.refuse_kind(body, "a request body", &at);
        }
        self.findings.leftovers(body, Scope::RequestBody, &at);
        self.document_entity(PartType::RequestBody, owner, None, None, body);
        self.content_models(body, &at)
    }

    /// `consumes` or `produces` of the operation, else of the document, else JSON.
    fn media_types(&mut self, operation: &'d Node, name: &'static str, at: &Pointer<'_>) -> Vec<String> {
        let own = present(operation, name).is_some();
        let (owner, at) = if own { (operation, *at) } else { (self.root, Pointer::ROOT) };
        let types = texts(owner, name, &at, &mut self.findings);
        if types.is_empty() { vec!["application/json".to_owned()] } else { types }
    }

    /// The models in `content` of OpenAPI 3.
    fn content_models(&mut self, owner: &'d Node, at: &Pointer<'_>) -> Vec<(String, String)> {
        let at = at.key("content");
        let Some(content) = present(owner, "content") else { return Vec::new() };
        if !content.is_object() {
            self.findings.skip_kind(content, "an object", &at);
        }
        let mut models = Vec::new();
        for member in content.members() {
            let at = at.key(&member.key.text);
            self.findings.leftovers(&member.value, Scope::MediaType, &at);
            let schema = present(&member.value, "schema");
            if let Some(model) = schema.and_then(|schema| self.model_of(schema, &at.key("schema"))) {
                models.push((member.key.text.clone(), model));
            }
        }
        models
    }

    /// Declared responses.
    pub(super) fn method_responses(
        &mut self,
        operation: &'d Node,
        owner: Owner<'_>,
        at: &Pointer<'_>,
    ) -> Vec<MethodResponse> {
        let at = at.key("responses");
        let Some(responses) = present(operation, "responses") else { return Vec::new() };
        if !responses.is_object() {
            self.findings.refuse_kind(responses, "an object", &at);
        }
        let mut list = Vec::new();
        for member in responses.members() {
            let (name, at) = (member.key.text.as_str(), at.key(&member.key.text));
            match name {
                _ if name.starts_with("x-") => self.findings.ignored(Why::Vendor, member, &at),
                _ if !is_status(name) => self.findings.ignored(Why::NoStatus, member, &at),
                _ => list.extend(self.method_response(operation, owner, member, at)),
            }
        }
        list
    }

    fn method_response(
        &mut self,
        operation: &'d Node,
        owner: Owner<'_>,
        member: &'d Member,
        at: Pointer<'_>,
    ) -> Option<MethodResponse> {
        let (status, node) = (member.key.text.as_str(), &member.value);
        if let Some(reference) = node.member("$ref") {
            self.findings.ignored(Why::SharedResponse, reference, &at);
        }
        let (response, at) = self.resolve(node, at)?;
        if !response.is_object() && !response.is_null() {
            self.findings.refuse_kind(response, "a response", &at);
        }
        self.findings.leftovers(response, Scope::Response, &at);
        self.document_entity(PartType::Response, owner, Some(status), None, response);
        let other = if self.version == Version::OpenApi3 { "schema" } else { "content" };
        if let Some(member) = response.member(other) {
            self.findings.ignored(Why::OtherVersion, member, &at.key(other));
        }
        let models = match self.version {
            Version::OpenApi3 => self.content_models(response, &at),
            Version::Swagger2 => self.produced_models(operation, response, &at),
        };
        Some(MethodResponse {
            status_code: status.to_owned(),
            headers: self.headers(response, owner, status, &at),
            models,
        })
    }

    fn produced_models(&mut self, operation: &'d Node, response: &'d Node, at: &Pointer<'_>) -> Vec<(String, String)> {
        let Some(schema) = present(response, "schema") else { return Vec::new() };
        let Some(model) = self.model_of(schema, &at.key("schema")) else { return Vec::new() };
        let types = self.media_types(operation, "produces", at);
        types.into_iter().map(|media_type| (media_type, model.clone())).collect()
    }

    fn headers(&mut self, response: &'d Node, owner: Owner<'_>, status: &str, at: &Pointer<'_>) -> Vec<String> {
        let at = at.key("headers");
        let Some(headers) = present(response, "headers") else { return Vec::new() };
        if !headers.is_object() {
            self.findings.skip_kind(headers, "an object", &at);
        }
        for member in headers.members() {
            if let Some((header, at)) = self.resolve(&member.value, at.key(&member.key.text)) {
                self.findings.leftovers(header, Scope::Header, &at);
                let name = Some(member.key.text.as_str());
                self.document_entity(PartType::ResponseHeader, owner, Some(status), name, header);
            }
        }
        headers.members().iter().map(|member| member.key.text.clone()).collect()
    }
}
