//! Path items and operations.

use serde_json::{Map, Value, json};

use crate::model::documentation::PartType;
use crate::model::rest::{Method, MethodName, MethodResponse, ParameterLocation, RequestParameter, Resource};

use super::documentation::Site;
use super::{Export, ExportType, insert, insert_full, object};
use crate::import::operation::member_name;

/// Content type and model name, as a method has them.
type Models = [(String, String)];

impl Export<'_> {
    pub(super) fn path_item(&self, resource: &Resource) -> Result<Value, String> {
        use MethodName::{Any, Delete, Get, Head, Options, Patch, Post, Put};
        let order = match self.export_type {
            ExportType::Swagger => [Get, Head, Post, Put, Delete, Options, Patch, Any],
            ExportType::Oas30 => [Get, Put, Post, Delete, Options, Head, Patch, Any],
        };
        let mut item = self.texts.of_resource(&resource.path);
        for name in order {
            if let Some(method) = resource.methods.iter().find(|method| method.name == name) {
                item.insert(member_name(name).to_owned(), Value::Object(self.operation(resource, method)?));
            }
        }
        Ok(Value::Object(item))
    }

    fn operation(&self, resource: &Resource, method: &Method) -> Result<Map<String, Value>, String> {
        let site = Site { path: &resource.path, method: method.name };
        let mut operation = self.texts.of_method(site);
        insert(&mut operation, "operationId", method.operation_name.as_deref().map(Value::from));
        match self.export_type {
            ExportType::Swagger => self.add_swagger_payload(&mut operation, site, method)?,
            ExportType::Oas30 => self.add_payload(&mut operation, site, method),
        }
        let security = self.schemes.requirements(method);
        insert(&mut operation, "security", (!security.is_empty()).then(|| Value::Array(security)));
        let validator = method.request_validator.as_ref().filter(|_| self.options.extensions.apigateway);
        let name = "x-amazon-apigateway-request-validator";
        insert(&mut operation, name, validator.map(|validator| json!(validator.value)));
        let integration = method.integration.as_ref().filter(|_| self.options.extensions.integrations);
        let name = "x-amazon-apigateway-integration";
        insert(&mut operation, name, integration.map(super::integration::integration));
        Ok(operation)
    }

    fn add_swagger_payload(
        &self,
        into: &mut Map<String, Value>,
        site: Site<'_>,
        method: &Method,
    ) -> Result<(), String> {
        insert_types(into, "consumes", consumed(method));
        insert_types(into, "produces", produced(method));
        let mut parameters = self.parameters(site, &method.request_parameters);
        if !method.request_models.is_empty() {
            let model = json_model(&method.request_models)
                .ok_or_else(|| format!("Only found non-JSON body models for {} {}", site.method, site.path))?;
            parameters.push(self.body_parameter(site, model));
        }
        insert(into, "parameters", (!parameters.is_empty()).then(|| Value::Array(parameters)));
        let responses = method.responses.iter().map(|response| self.swagger_response(site, response)).collect();
        into.insert("responses".to_owned(), Value::Object(responses));
        Ok(())
    }

    fn body_parameter(&self, site: Site<'_>, model: &str) -> Value {
        let mut parameter = object([("in", json!("body")), ("name", json!(model))]);
        parameter.extend(self.texts.of_entity(PartType::RequestBody, site, None, None));
        parameter.extend(object([("required", json!(true)), ("schema", self.reference(model))]));
        Value::Object(parameter)
    }

    fn swagger_response(&self, site: Site<'_>, response: &MethodResponse) -> (String, Value) {
        let mut written = self.described(site, response);
        let model = single_model(&response.models);
        insert(&mut written, "schema", model.map(|model| self.reference(model)));
        insert_full(&mut written, "headers", self.headers(site, response));
        (response.status_code.clone(), Value::Object(written))
    }

    fn add_payload(&self, into: &mut Map<String, Value>, site: Site<'_>, method: &Method) {
        let parameters = self.parameters(site, &method.request_parameters);
        insert(into, "parameters", (!parameters.is_empty()).then(|| Value::Array(parameters)));
        if !method.request_models.is_empty() {
            let mut body = self.texts.of_entity(PartType::RequestBody, site, None, None);
            let content = self.content(&method.request_models);
            body.extend(object([("content", content), ("required", json!(true))]));
            into.insert("requestBody".to_owned(), Value::Object(body));
        }
        let responses = method.responses.iter().map(|response| self.response(site, response)).collect();
        insert_full(into, "responses", responses);
    }

    fn response(&self, site: Site<'_>, response: &MethodResponse) -> (String, Value) {
        let mut written = self.described(site, response);
        insert_full(&mut written, "headers", self.headers(site, response));
        written.insert("content".to_owned(), self.content(&response.models));
        (response.status_code.clone(), Value::Object(written))
    }

    fn content(&self, models: &Models) -> Value {
        models
            .iter()
            .map(|(media_type, model)| (media_type.clone(), json!({"schema": self.reference(model)})))
            .collect()
    }

    /// A response with its description, which every response must have.
    fn described(&self, site: Site<'_>, response: &MethodResponse) -> Map<String, Value> {
        let mut written = object([("description", json!(format!("{} response", response.status_code)))]);
        written.extend(self.texts.of_entity(PartType::Response, site, Some(&response.status_code), None));
        written
    }

    fn headers(&self, site: Site<'_>, response: &MethodResponse) -> Map<String, Value> {
        let status = Some(response.status_code.as_str());
        let header = |name: &String| {
            let mut header = self.typed();
            header.extend(self.texts.of_entity(PartType::ResponseHeader, site, status, Some(name)));
            (name.clone(), Value::Object(header))
        };
        response.headers.iter().map(header).collect()
    }

    fn parameters(&self, site: Site<'_>, parameters: &[RequestParameter]) -> Vec<Value> {
        parameters.iter().map(|parameter| self.parameter(site, parameter)).collect()
    }

    fn parameter(&self, site: Site<'_>, parameter: &RequestParameter) -> Value {
        let (location, part_type) = match parameter.location {
            ParameterLocation::Path => ("path", PartType::PathParameter),
            ParameterLocation::QueryString => ("query", PartType::QueryParameter),
            ParameterLocation::Header => ("header", PartType::RequestHeader),
        };
        let mut written = object([("name", json!(parameter.name)), ("in", json!(location))]);
        written.extend(self.texts.of_entity(part_type, site, None, Some(&parameter.name)));
        if parameter.required || self.export_type == ExportType::Swagger {
            written.insert("required".to_owned(), json!(parameter.required));
        }
        written.extend(self.typed());
        Value::Object(written)
    }

    /// All parameters and headers are strings.
    fn typed(&self) -> Map<String, Value> {
        match self.export_type {
            ExportType::Swagger => object([("type", json!("string"))]),
            ExportType::Oas30 => object([("schema", json!({"type": "string"}))]),
        }
    }

    /// Those of the models of a body that the dialect can say.
    pub(super) fn shown_models<'m>(&self, models: &'m Models) -> Vec<&'m str> {
        match self.export_type {
            ExportType::Swagger => single_model(models).into_iter().collect(),
            ExportType::Oas30 => models.iter().map(|(_, model)| model.as_str()).collect(),
        }
    }

    fn reference(&self, model: &str) -> Value {
        let prefix = match self.export_type {
            ExportType::Swagger => "#/definitions/",
            ExportType::Oas30 => "#/components/schemas/",
        };
        json!({"$ref": format!("{prefix}{model}")})
    }
}

/// Content types of the request: those of its models, and those it has templates for.
fn consumed(method: &Method) -> impl Iterator<Item = &String> {
    let templates = method.integration.iter().flat_map(|integration| &integration.request_templates);
    method.request_models.iter().map(|(media_type, _)| media_type).chain(templates.map(|(media_type, _)| media_type))
}

/// Content types of the responses, likewise.
fn produced(method: &Method) -> impl Iterator<Item = &String> {
    let models = method.responses.iter().flat_map(|response| &response.models);
    let responses = method.integration.iter().flat_map(|integration| &integration.responses);
    let templates = responses.flat_map(|response| &response.response_templates);
    models.map(|(media_type, _)| media_type).chain(templates.map(|(media_type, _)| media_type))
}

fn insert_types<'m>(into: &mut Map<String, Value>, name: &str, types: impl Iterator<Item = &'m String>) {
    let mut list: Vec<Value> = Vec::new();
    for media_type in types {
        if !list.iter().any(|known| known == media_type) {
            list.push(json!(media_type));
        }
    }
    insert(into, name, (!list.is_empty()).then_some(Value::Array(list)));
}

/// Swagger has one schema for a body: the one for JSON, else the first.
fn single_model(models: &Models) -> Option<&str> {
    json_model(models).or_else(|| models.first().map(|(_, model)| model.as_str()))
}

fn json_model(models: &Models) -> Option<&str> {
    let exactly = models.iter().find(|(media_type, _)| media_type.eq_ignore_ascii_case("application/json"));
    let alike = || models.iter().find(|(media_type, _)| media_type.to_ascii_lowercase().contains("json"));
    exactly.or_else(alike).map(|(_, model)| model.as_str())
}
