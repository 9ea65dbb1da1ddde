//! From an imported model to what the management API keeps: names become ids. What had an id before keeps it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringgate_core::import::References;
use ringgate_core::model::documentation::DocumentationPart as ModelPart;
use ringgate_core::model::rest::{self, Declared, ParameterLocation, ParameterMapping};
use serde_json::Value;

use super::{Collection, Definition};
use crate::admin::v1::request::new_id;
use crate::admin::v1::resources::joined;
use crate::admin::wire::parts::{
    Authorizer, DocumentationPart, DocumentationPartLocation, GatewayResponse, Model, RequestValidator,
};
use crate::admin::wire::resource::{Integration, IntegrationResponse, Method, MethodResponse, Resource, TlsConfig};
use crate::admin::wire::rest_api::RestApi;
use crate::admin::wire::{Flags, Texts};

/// `model` in the place of `before`, which keeps its id, its dates, its tags, and the ids of what has the same name.
pub fn to_definition(model: &rest::RestApi, before: &Definition) -> Definition {
    let request_validators = by_id(
        &model.request_validators,
        &before.request_validators,
        |new, known: &RequestValidator| known.name.as_deref() == Some(&new.name),
        |id, new| RequestValidator {
            id,
            name: Some(new.name.clone()),
            validate_request_body: new.validate_request_body,
            validate_request_parameters: new.validate_request_parameters,
        },
    );
    let authorizers =
        by_id(&model.authorizers, &before.authorizers, |new, known: &Authorizer| known.name == new.name, to_authorizer);
    let ids = Ids {
        validators: request_validators
            .values()
            .map(|one| (one.name.clone().unwrap_or_default(), one.id.clone()))
            .collect(),
        authorizers: authorizers.values().map(|one| (one.name.clone(), one.id.clone())).collect(),
    };
    let mut resources = resources(model, before, &ids);
    let root = resources.values().find(|resource| resource.parent_id.is_none()).map(|root| root.id.clone());
    let root = root.unwrap_or_else(|| {
        let root = Resource { id: new_id(10), path: "/".to_owned(), ..Resource::default() };
        resources.insert(root.id.clone(), Arc::new(root.clone()));
        root.id
    });
    Definition {
        rest_api: Arc::new(to_rest_api(model, &before.rest_api, root)),
        resources,
        models: models(model, before),
        request_validators,
        authorizers,
        gateway_responses: model.gateway_responses.iter().map(to_gateway_response).collect(),
        documentation_parts: to_parts(&model.documentation.parts, &before.documentation_parts),
    }
}

/// Things with ids: the one that `is_same` keeps its id.
fn by_id<N, T>(
    new: &[N],
    before: &Collection<T>,
    is_same: impl Fn(&N, &T) -> bool,
    make: impl Fn(String, &N) -> T,
) -> Collection<T> {
    let id_of =
        |one: &N| before.iter().find(|(_, known)| is_same(one, known)).map_or_else(|| new_id(6), |(id, _)| id.clone());
    new.iter().map(|one| (id_of(one), one)).map(|(id, one)| (id.clone(), Arc::new(make(id, one)))).collect()
}

struct Ids {
    validators: BTreeMap<String, String>,
    authorizers: BTreeMap<String, String>,
}

fn to_rest_api(model: &rest::RestApi, before: &RestApi, root_resource_id: String) -> RestApi {
    let mut api = before.clone();
    api.root_resource_id = root_resource_id;
    api.name.clone_from(&model.name);
    api.description.clone_from(&model.description);
    api.version.clone_from(&model.version);
    api.binary_media_types.clone_from(&model.binary_media_types);
    api.minimum_compression_size = model.minimum_compression_size;
    api.api_key_source = match model.api_key_source {
        rest::ApiKeySource::Header => "HEADER",
        rest::ApiKeySource::Authorizer => "AUTHORIZER",
    }
    .to_owned();
    api.policy = model.policy.as_ref().map(|policy| text_of(&policy.value));
    api.disable_execute_api_endpoint = model.disable_execute_api_endpoint;
    let endpoints = &mut api.endpoint_configuration;
    if !model.endpoint_types.is_empty() {
        endpoints.types = model.endpoint_types.iter().map(|kind| kind.as_str().to_owned()).collect();
    }
    if !model.vpc_endpoint_ids.is_empty() {
        endpoints.vpc_endpoint_ids.clone_from(&model.vpc_endpoint_ids);
    }
    if model.ip_address_type.is_some() {
        endpoints.ip_address_type.clone_from(&model.ip_address_type);
    }
    api.security_policy.clone_from(&model.security_policy);
    api.endpoint_access_mode.clone_from(&model.endpoint_access_mode);
    api
}

/// A JSON text, or the text that a document had in its place.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Models, with links to one another by the addresses that the API has for them.
fn models(model: &rest::RestApi, before: &Definition) -> Collection<Model> {
    let references = References::Addresses { api_id: &before.rest_api.id };
    let linked = |one: &rest::Model| rest::Model { schema: references.write(&one.schema), ..one.clone() };
    let kept = model.models.iter().map(|one| to_model(&linked(one), &before.models));
    kept.map(|one| (one.name.clone(), Arc::new(one))).collect()
}

fn to_model(model: &rest::Model, before: &Collection<Model>) -> Model {
    Model {
        id: before.get(&model.name).map_or_else(|| new_id(6), |known| known.id.clone()),
        name: model.name.clone(),
        description: model.description.clone(),
        schema: Some(text_of(&model.schema)),
        content_type: model.content_type.clone(),
    }
}

fn to_authorizer(id: String, authorizer: &rest::Authorizer) -> Authorizer {
    let kind = match authorizer.kind {
        rest::AuthorizerKind::Token => "TOKEN",
        rest::AuthorizerKind::Request => "REQUEST",
        rest::AuthorizerKind::CognitoUserPools => "COGNITO_USER_POOLS",
    };
    Authorizer {
        id,
        name: authorizer.name.clone(),
        kind: kind.to_owned(),
        provider_arns: authorizer.provider_arns.clone(),
        auth_type: authorizer.auth_type.clone(),
        authorizer_uri: authorizer.uri.clone(),
        authorizer_credentials: authorizer.credentials.clone(),
        identity_source: authorizer.identity_source.clone(),
        identity_validation_expression: authorizer.identity_validation_expression.clone(),
        authorizer_result_ttl_in_seconds: authorizer.result_ttl_in_seconds,
    }
}

fn to_gateway_response(response: &rest::GatewayResponse) -> (String, Arc<GatewayResponse>) {
    let kept = GatewayResponse {
        response_type: response.response_type.clone(),
        status_code: response.status_code.clone(),
        response_parameters: mappings(&response.response_parameters),
        response_templates: response.response_templates.iter().cloned().collect(),
        default_response: false,
    };
    (response.response_type.clone(), Arc::new(kept))
}

/// Parts with ids: one at the same place keeps its own.
pub fn to_parts(parts: &[ModelPart], before: &Collection<DocumentationPart>) -> Collection<DocumentationPart> {
    by_id(
        parts,
        before,
        |new, known: &DocumentationPart| known.location == to_location(new),
        |id, part| DocumentationPart { id, location: to_location(part), properties: part.properties.to_string() },
    )
}

/// Where a part belongs, as it is kept.
pub fn to_location(part: &ModelPart) -> DocumentationPartLocation {
    let location = &part.location;
    DocumentationPartLocation {
        kind: location.part_type.as_str().to_owned(),
        path: location.path.clone(),
        method: location.method.clone(),
        status_code: location.status_code.clone(),
        name: location.name.clone(),
    }
}

fn resources(model: &rest::RestApi, before: &Definition, ids: &Ids) -> Collection<Resource> {
    let known: BTreeMap<&str, &str> =
        before.resources.values().map(|resource| (resource.path.as_str(), resource.id.as_str())).collect();
    let mut by_path: BTreeMap<&str, Resource> = BTreeMap::new();
    // Parents come before their children.
    for resource in &model.resources {
        let is_root = resource.path == "/";
        let fresh = || new_id(if is_root { 10 } else { 6 });
        let id = known.get(resource.path.as_str()).map_or_else(fresh, |id| (*id).to_owned());
        let parent =
            resource.path.rsplit_once('/').map_or("/", |(above, _)| if above.is_empty() { "/" } else { above });
        let parent = by_path.get(parent).filter(|_| !is_root);
        let part = resource.path.rsplit('/').next().filter(|_| !is_root).map(str::to_owned);
        let methods = resource.methods.iter().map(|method| to_method(method, &id, ids));
        let path = match (parent, &part) {
            (Some(parent), Some(part)) => joined(&parent.path, part),
            _ => resource.path.clone(),
        };
        let made = Resource {
            parent_id: parent.map(|parent| parent.id.clone()),
            path_part: part,
            path,
            resource_methods: methods.map(|method| (method.http_method.clone(), method)).collect(),
            id,
        };
        by_path.insert(&resource.path, made);
    }
    by_path.into_values().map(|resource| (resource.id.clone(), Arc::new(resource))).collect()
}

fn to_method(method: &rest::Method, resource: &str, ids: &Ids) -> Method {
    let authorizer = |name: &String| ids.authorizers.get(name).cloned();
    let (authorization_type, authorizer_id, scopes) = match &method.authorization {
        rest::Authorization::None => ("NONE", None, Vec::new()),
        rest::Authorization::Iam => ("AWS_IAM", None, Vec::new()),
        rest::Authorization::Custom { authorizer: name } => ("CUSTOM", authorizer(name), Vec::new()),
        rest::Authorization::Cognito { authorizer: name, scopes } => {
            ("COGNITO_USER_POOLS", authorizer(name), scopes.clone())
        }
    };
    let validator = method.request_validator.as_ref();
    Method {
        http_method: method.name.as_str().to_owned(),
        authorization_type: authorization_type.to_owned(),
        authorizer_id,
        authorization_scopes: scopes,
        api_key_required: method.api_key_required,
        request_validator_id: validator.and_then(|name| ids.validators.get(&name.value).cloned()),
        operation_name: method.operation_name.clone(),
        request_parameters: some(method.request_parameters.iter().map(to_parameter).collect()),
        request_models: some(method.request_models.iter().cloned().collect()),
        method_responses: method
            .responses
            .iter()
            .map(|one| (one.status_code.clone(), to_method_response(one)))
            .collect(),
        method_integration: method.integration.as_ref().map(|integration| to_integration(integration, resource)),
    }
}

fn some<V>(map: BTreeMap<String, V>) -> Option<BTreeMap<String, V>> {
    (!map.is_empty()).then_some(map)
}

fn to_parameter(parameter: &rest::RequestParameter) -> (String, bool) {
    let location = match parameter.location {
        ParameterLocation::Path => "path",
        ParameterLocation::QueryString => "querystring",
        ParameterLocation::Header => "header",
    };
    (format!("method.request.{location}.{}", parameter.name), parameter.required)
}

fn to_method_response(response: &rest::MethodResponse) -> MethodResponse {
    let headers: Flags =
        response.headers.iter().map(|name| (format!("method.response.header.{name}"), false)).collect();
    MethodResponse {
        status_code: response.status_code.clone(),
        response_parameters: some(headers),
        response_models: some(response.models.iter().cloned().collect()),
    }
}

fn to_integration(integration: &rest::Integration, resource: &str) -> Integration {
    let is_http = matches!(integration.kind, rest::IntegrationKind::Http | rest::IntegrationKind::HttpProxy);
    let is_mock = integration.kind == rest::IntegrationKind::Mock;
    let connection_type = match integration.connection_type {
        rest::ConnectionType::VpcLink => Some("VPC_LINK"),
        rest::ConnectionType::Internet => is_http.then_some("INTERNET"),
    };
    let passthrough_behavior = match integration.passthrough_behavior {
        rest::PassthroughBehavior::WhenNoMatch => "WHEN_NO_MATCH",
        rest::PassthroughBehavior::WhenNoTemplates => "WHEN_NO_TEMPLATES",
        rest::PassthroughBehavior::Never => "NEVER",
    };
    let tls = TlsConfig { insecure_skip_verification: true };
    let responses = integration.responses.iter().map(|one| (one.status_code.clone(), to_integration_response(one)));
    Integration {
        kind: integration.kind.as_str().to_owned(),
        http_method: integration.http_method.clone().filter(|_| !is_mock),
        uri: integration.uri.as_ref().filter(|_| !is_mock).map(|uri| uri.value.clone()),
        connection_type: connection_type.map(str::to_owned),
        connection_id: integration.connection_id.clone(),
        credentials: integration.credentials.clone(),
        request_parameters: some(mappings(&integration.request_parameters)),
        request_templates: some(templates(&integration.request_templates)),
        passthrough_behavior: Some(passthrough_behavior.to_owned()),
        content_handling: integration.content_handling.map(to_content_handling),
        timeout_in_millis: integration.timeout_in_millis.unwrap_or(29_000),
        cache_namespace: Some(integration.cache_namespace.clone().unwrap_or_else(|| resource.to_owned())),
        cache_key_parameters: integration.cache_key_parameters.clone(),
        integration_responses: responses.collect(),
        tls_config: integration.insecure_skip_verification.then_some(tls),
        response_transfer_mode: integration.stream.then(|| "STREAM".to_owned()),
        integration_target: integration.integration_target.clone(),
    }
}

fn to_integration_response(response: &rest::IntegrationResponse) -> IntegrationResponse {
    IntegrationResponse {
        status_code: response.status_code.clone(),
        selection_pattern: response.selection_pattern.clone(),
        response_parameters: some(mappings(&response.response_parameters)),
        response_templates: some(templates(&response.response_templates)),
        content_handling: response.content_handling.map(to_content_handling),
    }
}

fn to_content_handling(handling: rest::ContentHandling) -> String {
    match handling {
        rest::ContentHandling::ConvertToText => "CONVERT_TO_TEXT",
        rest::ContentHandling::ConvertToBinary => "CONVERT_TO_BINARY",
    }
    .to_owned()
}

/// An empty template is kept as null: it passes the body (rest-mapping-templates §12).
fn templates(templates: &[(String, Declared<String>)]) -> BTreeMap<String, Option<String>> {
    let text = |text: &Declared<String>| Some(text.value.clone()).filter(|text| !text.is_empty());
    templates.iter().map(|(media_type, template)| (media_type.clone(), text(template))).collect()
}

fn mappings(mappings: &[ParameterMapping]) -> Texts {
    mappings.iter().map(|mapping| (mapping.target.clone(), mapping.source.clone())).collect()
}
