//! `Integration` and `IntegrationResponse`.

use ringgate_core::base::limits::{
    INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MIN, INTEGRATION_TIMEOUT_MS_RELAXED_MAX,
};

use super::methods::{VERBS, invalid_verb, place, unknown_status};
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::patch::{self, Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::resource::{Integration, IntegrationResponse, Method, TlsConfig};
use crate::admin::wire::{Flags, Texts};

const INTEGRATION: &str = "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration";
const RESPONSE: &str =
    "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}";

pub(super) const OPERATIONS: &[Operation] = &[
    write("PutIntegration", "PUT", INTEGRATION, put),
    read("GetIntegration", "GET", INTEGRATION, get),
    write("UpdateIntegration", "PATCH", INTEGRATION, update),
    write("DeleteIntegration", "DELETE", INTEGRATION, delete),
    write("PutIntegrationResponse", "PUT", RESPONSE, put_response),
    read("GetIntegrationResponse", "GET", RESPONSE, get_response),
    write("UpdateIntegrationResponse", "PATCH", RESPONSE, update_response),
    write("DeleteIntegrationResponse", "DELETE", RESPONSE, delete_response),
];

const TYPES: [&str; 5] = ["HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY"];
const CONNECTION_TYPES: [&str; 2] = ["INTERNET", "VPC_LINK"];
const CONTENT_HANDLING: [&str; 2] = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"];
const TRANSFER_MODES: [&str; 2] = ["BUFFERED", "STREAM"];
const PASSTHROUGH: [&str; 3] = ["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"];
const TIMEOUT_DEFAULT: u32 = INTEGRATION_TIMEOUT_MS_MAX as u32;
const TIMEOUT_MIN: u32 = INTEGRATION_TIMEOUT_MS_MIN as u32;
const TIMEOUT_RELAXED: u32 = INTEGRATION_TIMEOUT_MS_RELAXED_MAX as u32;
/// Longest timeout of a response that is streamed.
const TIMEOUT_STREAM: u32 = 900_000;

fn put(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let mut integration = request.read(|input| read_integration(&input))?;
    let (api, resource, verb) = place(request);
    tenant.method(api, resource, verb)?;
    settle(&mut integration, resource);
    check(&integration, tenant, request)?;
    let method = tenant.method_mut(api, resource, verb)?;
    if let Some(before) = method.method_integration.take() {
        integration.integration_responses = before.integration_responses;
    }
    let reply = Reply::created(&integration);
    method.method_integration = Some(integration);
    Ok(reply)
}

fn read_integration(input: &Input<'_>) -> Result<Integration, Error> {
    let kind = input.one_of("type", &TYPES)?;
    if kind.is_none() {
        input.required_string("type")?;
    }
    let timeout = input.integer("timeoutInMillis")?;
    Ok(Integration {
        kind: kind.unwrap_or_default(),
        http_method: input.string("httpMethod")?.or(input.string("integrationHttpMethod")?),
        uri: input.string("uri")?,
        connection_type: input.one_of("connectionType", &CONNECTION_TYPES)?,
        connection_id: input.string("connectionId")?,
        credentials: input.string("credentials")?,
        request_parameters: input.texts("requestParameters")?.filter(|parameters| !parameters.is_empty()),
        request_templates: input.nullable_texts("requestTemplates")?.filter(|templates| !templates.is_empty()),
        passthrough_behavior: input.string("passthroughBehavior")?,
        content_handling: input.one_of("contentHandling", &CONTENT_HANDLING)?,
        timeout_in_millis: timeout.map_or(TIMEOUT_DEFAULT, |millis| millis.try_into().unwrap_or_default()),
        cache_namespace: input.string("cacheNamespace")?,
        cache_key_parameters: input.strings("cacheKeyParameters")?.unwrap_or_default(),
        tls_config: input.object("tlsConfig", |tls| {
            let insecure_skip_verification = tls.boolean("insecureSkipVerification")?.unwrap_or_default();
            Ok(TlsConfig { insecure_skip_verification })
        })?,
        response_transfer_mode: input.one_of("responseTransferMode", &TRANSFER_MODES)?,
        integration_target: input.string("integrationTarget")?,
        ..Integration::default()
    })
}

fn is_http(integration: &Integration) -> bool {
    matches!(integration.kind.as_str(), "HTTP" | "HTTP_PROXY")
}

/// What AWS fills in, and leaves out (R).
fn settle(integration: &mut Integration, resource: &str) {
    if integration.kind == "MOCK" {
        integration.uri = None;
        integration.http_method = None;
    }
    if is_http(integration) {
        integration.connection_type.get_or_insert_with(|| "INTERNET".to_owned());
    }
    integration.passthrough_behavior.get_or_insert_with(|| PASSTHROUGH[0].to_owned());
    integration.cache_namespace.get_or_insert_with(|| resource.to_owned());
}

/// What the service has against an integration, in its order.
fn check(integration: &Integration, tenant: &Tenant, request: &Request<'_>) -> Result<(), Error> {
    let kind = integration.kind.as_str();
    if kind != "MOCK" {
        check_verb(integration.http_method.as_deref().unwrap_or_default())?;
        check_uri(kind, integration.uri.as_deref().unwrap_or_default())?;
    }
    check_value(integration.passthrough_behavior.as_ref(), "Passthrough Behavior", &PASSTHROUGH)?;
    check_value(integration.content_handling.as_ref(), "Content Handling Strategy", &CONTENT_HANDLING)?;
    check_value(integration.connection_type.as_ref(), "Connection Type", &CONNECTION_TYPES)?;
    check_value(integration.response_transfer_mode.as_ref(), "Response Transfer Mode", &TRANSFER_MODES)?;
    check_timeout(integration, request)?;
    check_link(integration, tenant)?;
    check_templates(integration.request_templates.as_ref().into_iter().flat_map(|templates| templates.keys()))?;
    check_mappings(integration.request_parameters.as_ref(), "integration.request.", &REQUEST_SOURCES)?;
    let (api, resource, verb) = place(request);
    let declared = tenant.method(api, resource, verb)?.request_parameters.as_ref();
    check_declared(integration.request_parameters.iter().flatten().map(|(_, source)| source), |source| {
        is_declared(source, declared)
    })
}

fn check_verb(verb: &str) -> Result<(), Error> {
    if verb.is_empty() {
        return Err(Error::bad_request("Enumeration value for HttpMethod must be non-empty"));
    }
    if VERBS.contains(&verb) { Ok(()) } else { Err(invalid_verb()) }
}

/// A value that a patch may have set to anything.
fn check_value(value: Option<&String>, noun: &str, allowed: &[&str]) -> Result<(), Error> {
    match value {
        Some(value) if !allowed.contains(&value.as_str()) => {
            Err(Error::bad_request(format!("Invalid {noun} specified. Valid options are {}", allowed.join(", "))))
        }
        _ => Ok(()),
    }
}

/// What is mapped from or to the method is declared there.
fn check_declared<'t>(
    expressions: impl Iterator<Item = &'t String>,
    is_declared: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let unknown: Vec<_> = expressions
        .filter(|expression| !is_declared(expression))
        .map(|expression| format!("Invalid mapping expression parameter specified: {expression}"))
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(invalid_mapping(&unknown.join(", "))) }
}

/// Whether a source is a parameter that the method declares, or none at all.
fn is_declared(source: &str, declared: Option<&Flags>) -> bool {
    let Some((place, name)) = source.strip_prefix("method.request.").and_then(|rest| rest.split_once('.')) else {
        return true;
    };
    let place = place.strip_prefix("multivalue").unwrap_or(place);
    if !matches!(place, "path" | "querystring" | "header") {
        return true;
    }
    let names = ["", "multivalue"].map(|prefix| format!("method.request.{prefix}{place}.{name}"));
    names.iter().any(|name| declared.is_some_and(|declared| declared.contains_key(name)))
}

fn check_uri(kind: &str, uri: &str) -> Result<(), Error> {
    let is_variable = uri.contains("${stageVariables.");
    if kind.starts_with("HTTP") {
        let is_url = uri.starts_with("http://") || uri.starts_with("https://");
        return if is_url || is_variable {
            Ok(())
        } else {
            Err(Error::bad_request("Invalid HTTP endpoint specified for URI"))
        };
    }
    let mut parts = uri.splitn(6, ':');
    if parts.next() != Some("arn") || parts.clone().count() < 5 {
        return Err(Error::bad_request("Invalid ARN specified in the request"));
    }
    let target = parts.nth(4).unwrap_or_default();
    if !target.starts_with("path/") && !target.starts_with("action/") {
        return Err(Error::bad_request("AWS ARN for integration must contain path or action"));
    }
    let is_function = uri.contains(":lambda:path/") && uri.contains("/functions/");
    if kind == "AWS_PROXY" && !is_function && !uri.contains(":firehose:") {
        return Err(Error::bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
        ));
    }
    Ok(())
}

fn check_timeout(integration: &Integration, request: &Request<'_>) -> Result<(), Error> {
    let millis = integration.timeout_in_millis;
    let is_stream = integration.response_transfer_mode.as_deref() == Some("STREAM");
    if is_stream && !integration.kind.ends_with("_PROXY") {
        return Err(Error::bad_request(
            "Response transfer mode STREAM needs an integration of type HTTP_PROXY or AWS_PROXY",
        ));
    }
    let most = match (is_stream, request.limits_are_relaxed()) {
        (true, _) => TIMEOUT_STREAM,
        (false, true) => TIMEOUT_RELAXED,
        (false, false) => TIMEOUT_DEFAULT,
    };
    if (TIMEOUT_MIN..=most).contains(&millis) {
        return Ok(());
    }
    let message = format!("Timeout should be between {TIMEOUT_MIN} ms and {most} ms");
    Err(Error::bad_request(message))
}

fn check_link(integration: &Integration, tenant: &Tenant) -> Result<(), Error> {
    if integration.connection_type.as_deref() != Some("VPC_LINK") {
        return Ok(());
    }
    let id = integration.connection_id.as_deref().unwrap_or_default();
    if id.starts_with("${stageVariables.") || tenant.vpc_links.contains_key(id) {
        return Ok(());
    }
    Err(Error::bad_request("Invalid VpcLink identifier specified"))
}

/// Keys are media types.
fn check_templates<'t>(mut media_types: impl Iterator<Item = &'t String>) -> Result<(), Error> {
    let is_media_type =
        |text: &str| text == "$default" || text.split_once('/').is_some_and(|(t, s)| !t.is_empty() && !s.is_empty());
    let Some(wrong) = media_types.find(|media_type| !is_media_type(media_type)) else { return Ok(()) };
    let message = format!("Validation Result: warnings : [], errors : [Invalid content type specified: {wrong}]");
    Err(Error::bad_request(message))
}

pub(super) const REQUEST_SOURCES: [&str; 3] = ["method.request.", "context.", "stageVariables."];
const RESPONSE_SOURCES: [&str; 4] = ["integration.response.", "context.", "stageVariables.", "method.request."];

/// Targets and sources of parameter mappings. What a source means is found out when the API is compiled.
pub(super) fn check_mappings(mappings: Option<&Texts>, target_prefix: &str, sources: &[&str]) -> Result<(), Error> {
    let refused = |expression: &str| invalid_mapping(&format!("Invalid mapping expression specified: {expression}"));
    for (target, source) in mappings.into_iter().flatten() {
        if !target.starts_with(target_prefix) {
            return Err(refused(target));
        }
        let is_literal = source.len() >= 2 && source.starts_with('\'') && source.ends_with('\'');
        let is_known =
            is_literal || sources.iter().any(|prefix| source.starts_with(prefix) && source.len() > prefix.len());
        if !is_known {
            return Err(refused(source));
        }
    }
    Ok(())
}

fn invalid_mapping(errors: &str) -> Error {
    Error::bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [{errors}]"
    ))
}

fn unknown() -> Error {
    Error::not_found("Invalid Integration identifier specified")
}

fn of(method: &Method) -> Result<&Integration, Error> {
    method.method_integration.as_ref().ok_or_else(unknown)
}

fn of_mut<'t>(tenant: &'t mut Tenant, request: &Request<'_>) -> Result<&'t mut Integration, Error> {
    let (api, resource, verb) = place(request);
    tenant.method_mut(api, resource, verb)?.method_integration.as_mut().ok_or_else(unknown)
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let (api, resource, verb) = place(request);
    Ok(Reply::ok(of(tenant.method(api, resource, verb)?)?))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (api, resource, verb) = place(request);
    tenant.method_mut(api, resource, verb)?.method_integration.take().ok_or_else(unknown)?;
    Ok(Reply::no_content())
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let (api, resource, verb) = place(request);
    let mut integration = of(tenant.method(api, resource, verb)?)?.clone();
    for operation in &operations {
        change(&mut integration, operation)?;
    }
    settle(&mut integration, resource);
    check(&integration, tenant, request)?;
    let reply = Reply::ok(&integration);
    *of_mut(tenant, request)? = integration;
    Ok(reply)
}

fn change(integration: &mut Integration, operation: &PatchOperation) -> Result<(), Error> {
    let segments = operation.segments();
    match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["requestParameters", name] => {
            let place = ("requestParameters", *name);
            patch::entry(&mut integration.request_parameters, place, operation, |operation| operation.text().to_owned())
        }
        ["requestTemplates", media_type] => {
            let place = ("requestTemplates", *media_type);
            patch::entry(&mut integration.request_templates, place, operation, PatchOperation::optional)
        }
        ["cacheKeyParameters", name] => change_keys(&mut integration.cache_key_parameters, name, operation),
        ["tlsConfig", "insecureSkipVerification"] => {
            patch::only_replace(operation)?;
            integration.tls_config = Some(TlsConfig { insecure_skip_verification: operation.flag() });
            Ok(())
        }
        [member] => change_member(integration, member, operation),
        _ => Err(patch::invalid(operation)),
    }
}

fn change_keys(keys: &mut Vec<String>, name: &str, operation: &PatchOperation) -> Result<(), Error> {
    match operation.op {
        Op::Add if !keys.iter().any(|key| key == name) => keys.push(name.to_owned()),
        Op::Add => {}
        Op::Remove => keys.retain(|key| key != name),
        Op::Replace => {
            let key = keys.iter_mut().find(|key| *key == name);
            *key.ok_or_else(|| Error::not_found("Invalid parameter name specified"))? = operation.text().to_owned();
        }
        _ => return Err(Error::bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")),
    }
    Ok(())
}

fn change_member(integration: &mut Integration, member: &str, operation: &PatchOperation) -> Result<(), Error> {
    const MEMBERS: [&str; 11] = [
        "cacheNamespace",
        "connectionId",
        "connectionType",
        "contentHandling",
        "credentials",
        "httpMethod",
        "integrationTarget",
        "passthroughBehavior",
        "responseTransferMode",
        "timeoutInMillis",
        "uri",
    ];
    let is_of_call = matches!(member, "httpMethod" | "uri");
    if !MEMBERS.contains(&member) || (is_of_call && integration.kind == "MOCK") {
        return Err(patch::invalid(operation));
    }
    patch::only_replace(operation)?;
    let value = operation.optional();
    match member {
        "cacheNamespace" => integration.cache_namespace = value,
        "connectionId" => integration.connection_id = value,
        "connectionType" => integration.connection_type = value,
        "contentHandling" => integration.content_handling = value,
        "credentials" => integration.credentials = value,
        "httpMethod" => integration.http_method = value,
        "integrationTarget" => integration.integration_target = value,
        "passthroughBehavior" => integration.passthrough_behavior = value,
        "responseTransferMode" => integration.response_transfer_mode = value,
        "timeoutInMillis" => integration.timeout_in_millis = operation.text().parse().unwrap_or_default(),
        _ => integration.uri = value,
    }
    Ok(())
}

fn put_response(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let status = request.label("status_code");
    let response = request.read_labelled(
        |complaints| complaints.status(status, "statusCode"),
        |input| {
            let parameters = input.texts("responseParameters")?;
            Ok(IntegrationResponse {
                status_code: status.to_owned(),
                selection_pattern: input.string("selectionPattern")?,
                response_parameters: parameters.filter(|parameters| !parameters.is_empty()),
                // An empty map stays one (R).
                response_templates: input.nullable_texts("responseTemplates")?,
                content_handling: input.one_of("contentHandling", &CONTENT_HANDLING)?,
            })
        },
    )?;
    check_response(&response, method_of(tenant, request)?)?;
    let reply = Reply::created(&response);
    of_mut(tenant, request)?.integration_responses.insert(status.to_owned(), response);
    Ok(reply)
}

fn method_of<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t Method, Error> {
    let (api, resource, verb) = place(request);
    tenant.method(api, resource, verb)
}

fn check_response(response: &IntegrationResponse, method: &Method) -> Result<(), Error> {
    check_value(response.content_handling.as_ref(), "Content Handling Strategy", &CONTENT_HANDLING)?;
    check_templates(response.response_templates.as_ref().into_iter().flat_map(|templates| templates.keys()))?;
    check_mappings(response.response_parameters.as_ref(), "method.response.", &RESPONSE_SOURCES)?;
    let declared = method.method_responses.get(&response.status_code);
    let declared = declared.and_then(|declared| declared.response_parameters.as_ref());
    check_declared(response.response_parameters.iter().flatten().map(|(target, _)| target), |target| {
        declared.is_some_and(|declared| declared.contains_key(target))
    })
}

fn get_response(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let status = request.label("status_code");
    request.check_labels(|complaints| complaints.status(status, "statusCode"))?;
    let (api, resource, verb) = place(request);
    let integration = of(tenant.method(api, resource, verb)?)?;
    Ok(Reply::ok(integration.integration_responses.get(status).ok_or_else(unknown_status)?))
}

fn delete_response(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let status = request.label("status_code");
    request.check_labels(|complaints| complaints.status(status, "statusCode"))?;
    of_mut(tenant, request)?.integration_responses.remove(status).ok_or_else(unknown_status)?;
    Ok(Reply::no_content())
}

fn update_response(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let status = request.label("status_code");
    let operations = request.patch_labelled(|complaints| complaints.status(status, "statusCode"))?;
    let method = method_of(tenant, request)?;
    let mut response = of(method)?.integration_responses.get(status).ok_or_else(unknown_status)?.clone();
    for operation in &operations {
        change_response(&mut response, operation)?;
    }
    check_response(&response, method)?;
    let reply = Reply::ok(&response);
    of_mut(tenant, request)?.integration_responses.insert(status.to_owned(), response);
    Ok(reply)
}

fn change_response(response: &mut IntegrationResponse, operation: &PatchOperation) -> Result<(), Error> {
    let segments = operation.segments();
    match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["responseParameters", name] => {
            let place = ("responseParameters", *name);
            patch::entry(&mut response.response_parameters, place, operation, |operation| operation.text().to_owned())
        }
        ["responseTemplates", media_type] => {
            let place = ("responseTemplates", *media_type);
            patch::entry(&mut response.response_templates, place, operation, PatchOperation::optional)
        }
        ["selectionPattern"] => {
            patch::only_replace(operation)?;
            response.selection_pattern = operation.value.clone();
            Ok(())
        }
        ["contentHandling"] => {
            patch::only_replace(operation)?;
            response.content_handling = operation.optional();
            Ok(())
        }
        _ => Err(patch::invalid(operation)),
    }
}
