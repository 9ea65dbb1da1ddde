//! Between what the management API keeps and what is compiled: ids on one side, names and paths on the other.

use std::collections::BTreeMap;

use ringgate_core::base::Place;
use ringgate_core::model::documentation::{
    Documentation, DocumentationLocation, DocumentationPart, GivenLocation, PartType,
};
use ringgate_core::model::rest::{self, Declared, MethodName, ParameterLocation, ParameterMapping};
use serde_json::Value;

use super::{Collection, Definition};
use crate::admin::wire::parts::{Authorizer, RequestValidator};
use crate::admin::wire::resource::{Integration, IntegrationResponse, Method, MethodResponse, Resource};
use crate::admin::wire::rest_api::EndpointConfiguration;
use crate::admin::wire::{Flags, Texts};

type Templates = BTreeMap<String, Option<String>>;

/// A definition for compiling and exporting. Ids become names, which an import makes ids of again.
pub fn to_model(definition: &Definition) -> rest::RestApi {
    let api = &*definition.rest_api;
    let names = Names::new(definition);
    let types = &api.endpoint_configuration.types;
    let mut resources: Vec<&Resource> = definition.resources.values().map(AsRef::as_ref).collect();
    resources.sort_by(|a, b| a.path.cmp(&b.path));
    rest::RestApi {
        name: api.name.clone(),
        description: api.description.clone(),
        version: api.version.clone(),
        resources: resources.into_iter().map(|resource| to_resource(resource, &names)).collect(),
        binary_media_types: api.binary_media_types.clone(),
        minimum_compression_size: api.minimum_compression_size,
        api_key_source: match api.api_key_source.as_str() {
            "AUTHORIZER" => rest::ApiKeySource::Authorizer,
            _ => rest::ApiKeySource::Header,
        },
        policy: api.policy.as_deref().map(|policy| declared(json_or_text(policy))),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint,
        models: definition.models.values().map(|model| to_schema(model)).collect(),
        request_validators: definition.request_validators.values().map(|v| names.to_validator(v)).collect(),
        authorizers: definition.authorizers.values().map(|authorizer| names.to_authorizer(authorizer)).collect(),
        gateway_responses: definition
            .gateway_responses
            .values()
            .map(|response| to_gateway_response(response))
            .collect(),
        endpoint_types: types.iter().filter_map(|kind| rest::EndpointType::parse(kind)).collect(),
        vpc_endpoint_ids: api.endpoint_configuration.vpc_endpoint_ids.clone(),
        ip_address_type: chosen_address_type(&api.endpoint_configuration),
        security_policy: api.security_policy.clone(),
        endpoint_access_mode: api.endpoint_access_mode.clone(),
        documentation: Documentation {
            version: None,
            parts: definition.documentation_parts.values().filter_map(|part| to_documentation(part)).collect(),
        },
        ..rest::RestApi::default()
    }
}

/// The kind of address, where it is another than follows from the endpoint type.
fn chosen_address_type(endpoints: &EndpointConfiguration) -> Option<String> {
    let default = if endpoints.types.iter().any(|kind| kind == "PRIVATE") { "dualstack" } else { "ipv4" };
    endpoints.ip_address_type.clone().filter(|kind| kind != default)
}

/// Names that are unique within the API: a thing's own, or its id where another has the same name.
struct Names {
    validators: BTreeMap<String, String>,
    authorizers: BTreeMap<String, String>,
}

impl Names {
    fn new(definition: &Definition) -> Self {
        Self {
            validators: unique(&definition.request_validators, |validator| validator.name.as_deref().unwrap_or("")),
            authorizers: unique(&definition.authorizers, |authorizer| &authorizer.name),
        }
    }

    fn to_validator(&self, validator: &RequestValidator) -> rest::RequestValidator {
        rest::RequestValidator {
            name: named(&self.validators, &validator.id),
            validate_request_body: validator.validate_request_body,
            validate_request_parameters: validator.validate_request_parameters,
            place: Place::NOWHERE,
        }
    }

    fn to_authorizer(&self, authorizer: &Authorizer) -> rest::Authorizer {
        rest::Authorizer {
            name: named(&self.authorizers, &authorizer.id),
            kind: match authorizer.kind.as_str() {
                "TOKEN" => rest::AuthorizerKind::Token,
                "REQUEST" => rest::AuthorizerKind::Request,
                _ => rest::AuthorizerKind::CognitoUserPools,
            },
            auth_type: authorizer.auth_type.clone(),
            uri: authorizer.authorizer_uri.clone(),
            credentials: authorizer.authorizer_credentials.clone(),
            identity_source: authorizer.identity_source.clone(),
            identity_validation_expression: authorizer.identity_validation_expression.clone(),
            result_ttl_in_seconds: authorizer.authorizer_result_ttl_in_seconds,
            provider_arns: authorizer.provider_arns.clone(),
            place: Place::NOWHERE,
        }
    }

    fn authorization(&self, method: &Method) -> rest::Authorization {
        let authorizer = || named(&self.authorizers, method.authorizer_id.as_deref().unwrap_or_default());
        match method.authorization_type.as_str() {
            "AWS_IAM" => rest::Authorization::Iam,
            "CUSTOM" => rest::Authorization::Custom { authorizer: authorizer() },
            "COGNITO_USER_POOLS" => {
                rest::Authorization::Cognito { authorizer: authorizer(), scopes: method.authorization_scopes.clone() }
            }
            _ => rest::Authorization::None,
        }
    }
}

fn unique<T>(things: &Collection<T>, name: impl Fn(&T) -> &str) -> BTreeMap<String, String> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for thing in things.values() {
        *count.entry(name(thing)).or_default() += 1;
    }
    let is_unique = |name: &str| !name.is_empty() && count.get(name) == Some(&1);
    let named = things.iter().map(|(id, thing)| (id, name(thing)));
    named.map(|(id, name)| (id.clone(), if is_unique(name) { name.to_owned() } else { id.clone() })).collect()
}

fn named(names: &BTreeMap<String, String>, id: &str) -> String {
    names.get(id).map_or(id, String::as_str).to_owned()
}

fn declared<T>(value: T) -> Declared<T> {
    Declared { value, place: Place::NOWHERE }
}

/// JSON, or the text itself where it is none.
fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn to_schema(model: &crate::admin::wire::parts::Model) -> rest::Model {
    rest::Model {
        name: model.name.clone(),
        content_type: model.content_type.clone(),
        description: model.description.clone(),
        schema: model.schema.as_deref().map(json_or_text).unwrap_or_default(),
        place: Place::NOWHERE,
    }
}

fn to_gateway_response(response: &crate::admin::wire::parts::GatewayResponse) -> rest::GatewayResponse {
    rest::GatewayResponse {
        response_type: response.response_type.clone(),
        status_code: response.status_code.clone(),
        response_parameters: mappings(&response.response_parameters),
        response_templates: pairs(&response.response_templates),
        place: Place::NOWHERE,
    }
}

/// A part, if its type is known.
pub fn to_documentation(part: &crate::admin::wire::parts::DocumentationPart) -> Option<DocumentationPart> {
    let written = &part.location;
    let given = GivenLocation {
        path: written.path.clone(),
        method: written.method.clone(),
        status_code: written.status_code.clone(),
        name: written.name.clone(),
    };
    let location = DocumentationLocation::new(PartType::parse(&written.kind)?, given);
    Some(DocumentationPart { location, properties: json_or_text(&part.properties), place: Place::NOWHERE })
}

fn to_resource(resource: &Resource, names: &Names) -> rest::Resource {
    let methods =
        resource.resource_methods.values().filter_map(|method| to_method(method, &resource.id, names)).collect();
    rest::Resource { path: resource.path.clone(), methods, place: Place::NOWHERE }
}

fn to_method(method: &Method, resource: &str, names: &Names) -> Option<rest::Method> {
    let validator = method.request_validator_id.as_deref();
    Some(rest::Method {
        name: MethodName::parse(&method.http_method)?,
        operation_name: method.operation_name.clone(),
        authorization: names.authorization(method),
        api_key_required: method.api_key_required,
        request_validator: validator.map(|id| declared(named(&names.validators, id))),
        request_parameters: method.request_parameters.iter().flatten().filter_map(to_parameter).collect(),
        request_models: method.request_models.as_ref().map(pairs).unwrap_or_default(),
        responses: method.method_responses.values().map(to_method_response).collect(),
        integration: method.method_integration.as_ref().and_then(|one| to_integration(one, resource)),
        place: Place::NOWHERE,
    })
}

fn to_parameter((name, required): (&String, &bool)) -> Option<rest::RequestParameter> {
    let (location, name) = name.strip_prefix("method.request.")?.split_once('.')?;
    let location = match location {
        "path" => ParameterLocation::Path,
        "querystring" | "multivaluequerystring" => ParameterLocation::QueryString,
        _ => ParameterLocation::Header,
    };
    Some(rest::RequestParameter { location, name: name.to_owned(), required: *required })
}

fn to_method_response(response: &MethodResponse) -> rest::MethodResponse {
    let header = |name: &String| name.strip_prefix("method.response.header.").map(str::to_owned);
    let headers = response.response_parameters.as_ref().into_iter().flat_map(Flags::keys).filter_map(header);
    rest::MethodResponse {
        status_code: response.status_code.clone(),
        headers: headers.collect(),
        models: response.response_models.as_ref().map(pairs).unwrap_or_default(),
    }
}

fn to_integration(integration: &Integration, resource: &str) -> Option<rest::Integration> {
    let content_handling = integration.content_handling.as_deref();
    Some(rest::Integration {
        http_method: integration.http_method.clone(),
        uri: integration.uri.clone().map(declared),
        credentials: integration.credentials.clone(),
        connection_type: match integration.connection_type.as_deref() {
            Some("VPC_LINK") => rest::ConnectionType::VpcLink,
            _ => rest::ConnectionType::Internet,
        },
        connection_id: integration.connection_id.clone(),
        passthrough_behavior: match integration.passthrough_behavior.as_deref() {
            Some("NEVER") => rest::PassthroughBehavior::Never,
            Some("WHEN_NO_TEMPLATES") => rest::PassthroughBehavior::WhenNoTemplates,
            _ => rest::PassthroughBehavior::WhenNoMatch,
        },
        content_handling: content_handling.and_then(to_content_handling),
        timeout_in_millis: Some(integration.timeout_in_millis),
        // The resource's id is what stands there unless something was said.
        cache_namespace: integration.cache_namespace.clone().filter(|namespace| namespace != resource),
        cache_key_parameters: integration.cache_key_parameters.clone(),
        request_parameters: integration.request_parameters.as_ref().map(mappings).unwrap_or_default(),
        request_templates: templates(integration.request_templates.as_ref()),
        responses: integration.integration_responses.values().map(to_integration_response).collect(),
        integration_target: integration.integration_target.clone(),
        insecure_skip_verification: integration.tls_config.as_ref().is_some_and(|tls| tls.insecure_skip_verification),
        stream: integration.response_transfer_mode.as_deref() == Some("STREAM"),
        ..rest::Integration::new(rest::IntegrationKind::parse(&integration.kind)?)
    })
}

fn to_integration_response(response: &IntegrationResponse) -> rest::IntegrationResponse {
    rest::IntegrationResponse {
        status_code: response.status_code.clone(),
        // An empty pattern is the default response too (R: `put_integration_response` with `selectionPattern: ""`).
        selection_pattern: response.selection_pattern.clone().filter(|pattern| !pattern.is_empty()),
        response_parameters: response.response_parameters.as_ref().map(mappings).unwrap_or_default(),
        response_templates: templates(response.response_templates.as_ref()),
        content_handling: response.content_handling.as_deref().and_then(to_content_handling),
        place: Place::NOWHERE,
    }
}

fn to_content_handling(text: &str) -> Option<rest::ContentHandling> {
    match text {
        "CONVERT_TO_TEXT" => Some(rest::ContentHandling::ConvertToText),
        "CONVERT_TO_BINARY" => Some(rest::ContentHandling::ConvertToBinary),
        _ => None,
    }
}

fn templates(templates: Option<&Templates>) -> Vec<(String, Declared<String>)> {
    let pair = |(name, text): (&String, &Option<String>)| (name.clone(), declared(text.clone().unwrap_or_default()));
    templates.into_iter().flatten().map(pair).collect()
}

fn pairs(texts: &Texts) -> Vec<(String, String)> {
    texts.iter().map(|(name, text)| (name.clone(), text.clone())).collect()
}

fn mappings(texts: &Texts) -> Vec<ParameterMapping> {
    let mapping = |(target, source): (&String, &String)| ParameterMapping {
        target: target.clone(),
        source: source.clone(),
        place: Place::NOWHERE,
    };
    texts.iter().map(mapping).collect()
}
