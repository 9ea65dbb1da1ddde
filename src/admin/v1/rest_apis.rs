//! `RestApi`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::domains::mapped;
use super::request::{Quota, new_id};
use super::{Operation, Request, read, write};
use crate::admin::access::Caller;
use crate::admin::state::{Api, Definition, Tenant};
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::parts::Model;
use crate::admin::wire::patch::{self, Op, PatchOperation};
use crate::admin::wire::policy::{self, Subject};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::resource::Resource;
use crate::admin::wire::rest_api::{EndpointConfiguration, RestApi};
use crate::admin::wire::tags;

pub(super) const OPERATIONS: &[Operation] = &[
    write("CreateRestApi", "POST", "/restapis", create),
    read("GetRestApis", "GET", "/restapis", list),
    read("GetRestApi", "GET", "/restapis/{restapi_id}", get),
    write("UpdateRestApi", "PATCH", "/restapis/{restapi_id}", update),
    write("DeleteRestApi", "DELETE", "/restapis/{restapi_id}", delete),
];

/// Asks for an id of one's own; AWS knows no such tag, and neither keeps nor shows it here.
const CUSTOM_ID_TAG: &str = "_custom_id_";
const ENDPOINT_TYPES: [&str; 3] = ["REGIONAL", "EDGE", "PRIVATE"];
const IP_ADDRESS_TYPES: [&str; 2] = ["ipv4", "dualstack"];
/// In the order of the service's model, as all these.
pub(super) const ACCESS_MODES: [&str; 2] = ["BASIC", "STRICT"];
pub(super) const SECURITY_POLICIES: [&str; 14] = [
    "TLS_1_0",
    "TLS_1_2",
    "SecurityPolicy_TLS13_1_3_2025_09",
    "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
    "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_2021_06",
    "SecurityPolicy_TLS13_2025_EDGE",
    "SecurityPolicy_TLS12_PFS_2025_EDGE",
    "SecurityPolicy_TLS12_2018_EDGE",
];
const API_KEY_SOURCES: [&str; 2] = ["HEADER", "AUTHORIZER"];
const COMPRESSION_BYTES_MAX: u32 = 10_485_760;

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let source = request.read(|input| input.string("cloneFrom"))?;
    let cloned = source.as_ref().and_then(|id| tenant.apis.get(id)).cloned();
    let base = cloned.as_ref().map_or_else(unset, |cloned| (*cloned.definition.rest_api).clone());
    let mut api = request.read(|input| read_rest_api(&input, base))?;
    if let Some(id) = source.filter(|_| cloned.is_none()) {
        return Err(request.unknown_api(&id));
    }
    check(&api)?;
    check_room(tenant, &api, request)?;
    set_defaults(&mut api, request)?;
    let definition = match cloned {
        Some(cloned) => clone_of(&cloned.definition, api),
        None => blank(api),
    };
    let (id, reply) = (definition.rest_api.id.clone(), Reply::created(&shown(&definition.rest_api, Tags::IfAny)));
    if tenant.apis.insert(id.clone(), Arc::new(Api { definition, ..Api::default() })).is_some() {
        return Err(Error::conflict(format!("An API with the identifier {id} already exists")));
    }
    Ok(reply)
}

/// `source` as the definition of another API. What names the source by its identifier names the other.
fn clone_of(source: &Definition, mut api: RestApi) -> Definition {
    let (old, new) = (&source.rest_api.id, api.id.clone());
    api.root_resource_id.clone_from(&source.rest_api.root_resource_id);
    api.policy = api.policy.map(|policy| policy.replace(&format!(":{old}/"), &format!(":{new}/")));
    let mut definition = source.clone();
    for model in definition.models.values_mut() {
        let model = Arc::make_mut(model);
        let of = |id: &str| format!("/restapis/{id}/models/");
        model.schema = model.schema.as_ref().map(|schema| schema.replace(&of(old), &of(&new)));
    }
    definition.rest_api = Arc::new(api);
    definition
}

/// What an API is before anybody says anything about it.
fn unset() -> RestApi {
    RestApi { api_key_source: "HEADER".to_owned(), endpoint_configuration: edge(), ..RestApi::default() }
}

/// What is not given is that of `base`.
fn read_rest_api(input: &Input<'_>, base: RestApi) -> Result<RestApi, Error> {
    let minimum = input.integer("minimumCompressionSize")?;
    Ok(RestApi {
        name: input.required_string("name")?,
        description: input.string("description")?.or(base.description),
        version: input.string("version")?.or(base.version),
        binary_media_types: input.strings("binaryMediaTypes")?.unwrap_or(base.binary_media_types),
        api_key_source: input.one_of("apiKeySource", &API_KEY_SOURCES)?.unwrap_or(base.api_key_source),
        endpoint_configuration: input
            .object("endpointConfiguration", read_endpoints)?
            .unwrap_or(base.endpoint_configuration),
        policy: input.string("policy")?.or(base.policy),
        tags: input.texts("tags")?.unwrap_or_default(),
        disable_execute_api_endpoint: input
            .boolean("disableExecuteApiEndpoint")?
            .unwrap_or(base.disable_execute_api_endpoint),
        security_policy: input.one_of("securityPolicy", &SECURITY_POLICIES)?.or(base.security_policy),
        endpoint_access_mode: input.one_of("endpointAccessMode", &ACCESS_MODES)?.or(base.endpoint_access_mode),
        // Out of range becomes a value that `check` refuses after the description, as AWS does.
        minimum_compression_size: minimum
            .map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX))
            .or(base.minimum_compression_size),
        ..RestApi::default()
    })
}

fn edge() -> EndpointConfiguration {
    EndpointConfiguration { types: vec!["EDGE".to_owned()], ..EndpointConfiguration::default() }
}

fn read_endpoints(input: Input<'_>) -> Result<EndpointConfiguration, Error> {
    Ok(EndpointConfiguration {
        types: input.some_of("types", &ENDPOINT_TYPES)?.unwrap_or_else(|| edge().types),
        ip_address_type: input.one_of("ipAddressType", &IP_ADDRESS_TYPES)?,
        vpc_endpoint_ids: input.strings("vpcEndpointIds")?.unwrap_or_default(),
    })
}

/// What the service itself has against a new API, in its order.
fn check(api: &RestApi) -> Result<(), Error> {
    tags::check(&api.tags)?;
    if api.name.is_empty() {
        return Err(Error::bad_request("Name cannot be empty"));
    }
    if api.description.as_deref() == Some("") {
        return Err(Error::bad_request("Description cannot be an empty string"));
    }
    if api.minimum_compression_size.is_some_and(|bytes| bytes > COMPRESSION_BYTES_MAX) {
        return Err(wrong_compression_size());
    }
    check_security(api.security_policy.as_deref(), api.endpoint_access_mode.as_deref())?;
    check_endpoints(&api.endpoint_configuration)
}

/// A policy of the kind that says which ciphers there are needs to be told who is let in
/// (dg/apigateway-security-policies).
///
/// # Errors
/// It is not told.
pub(super) fn check_security(policy: Option<&str>, access_mode: Option<&str>) -> Result<(), Error> {
    match policy {
        Some(policy) if policy.starts_with("SecurityPolicy_") && access_mode.is_none() => {
            Err(Error::bad_request("Endpoint access mode is required for the specified security policy"))
        }
        _ => Ok(()),
    }
}

/// APIs that an account may have of each endpoint type.
const QUOTAS: [(&str, Quota); 3] = [
    ("EDGE", Quota::of_account(120, "edge-optimized APIs")),
    ("REGIONAL", Quota::of_account(600, "regional APIs")),
    ("PRIVATE", Quota::of_account(600, "private APIs")),
];

/// # Errors
/// There are as many APIs of its endpoint type as there may be.
pub(super) fn check_room(tenant: &Tenant, api: &RestApi, request: &Request<'_>) -> Result<(), Error> {
    let has = |api: &RestApi, kind: &str| api.endpoint_configuration.types.iter().any(|known| known == kind);
    for (kind, quota) in QUOTAS.into_iter().filter(|(kind, _)| has(api, kind)) {
        let known = tenant.apis.values().filter(|known| has(&known.definition.rest_api, kind));
        request.check_count(known.count(), quota)?;
    }
    Ok(())
}

/// The policy as it is kept.
pub(super) fn settle_policy(api: &mut RestApi, request: &Request<'_>) -> Result<(), Error> {
    let Some(written) = &api.policy else { return Ok(()) };
    if written.chars().count() > policy::CHARACTERS_MAX && !request.limits_are_relaxed() {
        let message = format!("Invalid policy document. It exceeds {} characters", policy::CHARACTERS_MAX);
        return Err(Error::bad_request(message));
    }
    let Caller { region, account, .. } = request.caller;
    api.policy = Some(policy::settled(written, Subject { region, account, api: &api.id })?);
    Ok(())
}

fn wrong_compression_size() -> Error {
    Error::bad_request(format!("Invalid minimum compression size, must be between 0 and {COMPRESSION_BYTES_MAX}"))
}

pub(super) fn check_endpoints(endpoints: &EndpointConfiguration) -> Result<(), Error> {
    let refused = match endpoints.types.as_slice() {
        [] => "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
        [only] if only == "PRIVATE" && endpoints.ip_address_type.as_deref() == Some("ipv4") => {
            "Only dualstack ipAddressType is supported for Private APIs."
        }
        [_] => return Ok(()),
        _ => "Cannot create an api with multiple Endpoint Types.",
    };
    Err(Error::bad_request(refused))
}

/// What AWS fills in.
fn set_defaults(api: &mut RestApi, request: &Request<'_>) -> Result<(), Error> {
    api.id = match api.tags.remove(CUSTOM_ID_TAG) {
        None => new_id(10),
        Some(id) if is_id(&id) => id,
        Some(id) => {
            let message = format!("Invalid identifier in tag {CUSTOM_ID_TAG}: {id}; letters a to z and digits only");
            return Err(Error::bad_request(message));
        }
    };
    api.root_resource_id = new_id(10);
    api.created_date = request.now();
    let endpoints = &mut api.endpoint_configuration;
    endpoints.ip_address_type.get_or_insert_with(|| default_ip_address_type(&endpoints.types).to_owned());
    settle_policy(api, request)
}

fn is_id(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=32).contains(&text.len()) && text.bytes().all(is_digit)
}

fn default_ip_address_type(types: &[String]) -> &'static str {
    if types.iter().any(|kind| kind == "PRIVATE") { "dualstack" } else { "ipv4" }
}

/// A new API: a root, and the two models that AWS gives it.
fn blank(api: RestApi) -> Definition {
    let root = Resource { id: api.root_resource_id.clone(), path: "/".to_owned(), ..Resource::default() };
    let model = |name: &str, description: &str, schema: &str| Model {
        id: new_id(6),
        name: name.to_owned(),
        description: Some(description.to_owned()),
        schema: Some(schema.to_owned()),
        content_type: "application/json".to_owned(),
    };
    let models = [
        model("Empty", "This is a default empty schema model", EMPTY_SCHEMA),
        model("Error", "This is a default error schema model", ERROR_SCHEMA),
    ];
    Definition {
        resources: [(root.id.clone(), Arc::new(root))].into(),
        models: models.into_iter().map(|model| (model.name.clone(), Arc::new(model))).collect(),
        rest_api: Arc::new(api),
        ..Definition::default()
    }
}

const EMPTY_SCHEMA: &str = "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\
                            \n  \"type\" : \"object\"\n}";
const ERROR_SCHEMA: &str = "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\
                            \n  \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\
                            \n  }\n}";

/// When tags are shown: a new API and lists leave an empty set out, the others show it (R).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tags {
    IfAny,
    Always,
}

/// An API as it is answered.
pub(super) fn shown(api: &RestApi, tags: Tags) -> Value {
    let mut shown = json!(api);
    if let Some(policy) = &api.policy {
        shown["policy"] = policy::told(policy).into();
    }
    if tags == Tags::IfAny
        && api.tags.is_empty()
        && let Some(members) = shown.as_object_mut()
    {
        members.remove("tags");
    }
    shown
}

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let apis = tenant.apis.iter();
    request.page(apis.map(|(id, api)| (id.clone(), shown(&api.definition.rest_api, Tags::IfAny))))
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let api = request.api(tenant)?;
    Ok(Reply::ok(&shown(&api.definition.rest_api, Tags::Always)))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("restapi_id");
    request.api(tenant)?;
    if let Some(domains) = mapped(tenant, |mapping| mapping.rest_api_id == id) {
        return Err(Error::bad_request(format!(
            "Deleting RestApi {id} failed. Please remove all base path mappings related to the RestApi in your domains: \
             {domains}"
        )));
    }
    tenant.apis.remove(id);
    Ok(Reply::accepted())
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let api = request.api_mut(tenant)?;
    let document = Arc::make_mut(&mut api.definition.rest_api);
    for operation in &operations {
        change(document, operation)?;
    }
    check_security(document.security_policy.as_deref(), document.endpoint_access_mode.as_deref())?;
    settle_policy(document, request)?;
    Ok(Reply::ok(&shown(document, Tags::Always)))
}

fn change(api: &mut RestApi, operation: &PatchOperation) -> Result<(), Error> {
    let segments = operation.segments();
    match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["binaryMediaTypes", media_type] => patch_media_types(&mut api.binary_media_types, media_type, operation),
        ["endpointConfiguration", rest @ ..] => patch_endpoints(&mut api.endpoint_configuration, rest, operation),
        ["tags", _] => Err(patch::invalid(operation)),
        [member] => patch_member(api, member, operation),
        _ => Err(patch::invalid(operation)),
    }
}

/// A member that is replaced as a whole.
fn patch_member(api: &mut RestApi, member: &str, operation: &PatchOperation) -> Result<(), Error> {
    const MEMBERS: [&str; 8] = [
        "name",
        "description",
        "apiKeySource",
        "disableExecuteApiEndpoint",
        "minimumCompressionSize",
        "policy",
        "securityPolicy",
        "endpointAccessMode",
    ];
    if !MEMBERS.contains(&member) {
        return Err(patch::invalid(operation));
    }
    if member != "description" || !matches!(operation.op, Op::Add | Op::Remove) {
        patch::only_replace(operation)?;
    }
    match member {
        "description" if operation.op == Op::Remove => api.description = None,
        "name" if operation.text().is_empty() => return Err(Error::bad_request("Name cannot be empty")),
        "name" => api.name = operation.text().to_owned(),
        "description" => api.description = operation.optional(),
        "apiKeySource" if !API_KEY_SOURCES.contains(&operation.text()) => {
            return Err(Error::bad_request("Invalid API Key Source specified. Valid options are HEADER,AUTHORIZER"));
        }
        "apiKeySource" => api.api_key_source = operation.text().to_owned(),
        "disableExecuteApiEndpoint" => api.disable_execute_api_endpoint = operation.flag(),
        "minimumCompressionSize" => api.minimum_compression_size = compression_size(operation)?,
        "policy" => api.policy = operation.optional(),
        "securityPolicy" if !SECURITY_POLICIES.contains(&operation.text()) => {
            return Err(Error::bad_request(format!("Invalid security policy specified: {}", operation.text())));
        }
        "securityPolicy" => api.security_policy = operation.optional(),
        _ if !ACCESS_MODES.contains(&operation.text()) => {
            let modes = ACCESS_MODES.join(",");
            return Err(Error::bad_request(format!(
                "Invalid endpoint access mode specified. Valid options are {modes}"
            )));
        }
        _ => api.endpoint_access_mode = operation.optional(),
    }
    Ok(())
}

/// Bytes; without a value nothing is compressed any more.
fn compression_size(operation: &PatchOperation) -> Result<Option<u32>, Error> {
    let Some(text) = operation.optional() else { return Ok(None) };
    match text.parse() {
        Ok(bytes) if bytes <= COMPRESSION_BYTES_MAX => Ok(Some(bytes)),
        _ => Err(wrong_compression_size()),
    }
}

fn patch_media_types(types: &mut Vec<String>, media_type: &str, operation: &PatchOperation) -> Result<(), Error> {
    match operation.op {
        Op::Add => {
            if !types.iter().any(|known| known == media_type) {
                types.push(media_type.to_owned());
            }
        }
        Op::Remove => types.retain(|known| known != media_type),
        Op::Replace => {
            let Some(new) = operation.optional() else {
                return Err(Error::bad_request("Invalid null or empty value in binaryMediaTypes"));
            };
            let found = types.iter_mut().find(|known| *known == media_type);
            *found.ok_or_else(|| Error::not_found("Content-Type specified was not found"))? = new;
        }
        _ => return Err(Error::bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")),
    }
    Ok(())
}

fn patch_endpoints(
    endpoints: &mut EndpointConfiguration,
    path: &[&str],
    operation: &PatchOperation,
) -> Result<(), Error> {
    let value = operation.text();
    match (path, operation.op) {
        (["types", _], Op::Replace) if !ENDPOINT_TYPES.contains(&value) => {
            Err(Error::bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"))
        }
        (["types", _], Op::Replace) => {
            endpoints.types = vec![value.to_owned()];
            if value == "PRIVATE" {
                endpoints.ip_address_type = Some("dualstack".to_owned());
            }
            Ok(())
        }
        (["ipAddressType"], Op::Replace) if !IP_ADDRESS_TYPES.contains(&value) => {
            Err(Error::bad_request("ipAddressType must be either ipv4 or dualstack."))
        }
        (["ipAddressType"], Op::Replace) => {
            let changed = EndpointConfiguration { ip_address_type: Some(value.to_owned()), ..endpoints.clone() };
            check_endpoints(&changed)?;
            *endpoints = changed;
            Ok(())
        }
        (["vpcEndpointIds"], Op::Add) => {
            endpoints.vpc_endpoint_ids.push(value.to_owned());
            Ok(())
        }
        (["vpcEndpointIds"], Op::Remove) => {
            endpoints.vpc_endpoint_ids.retain(|id| id != value);
            Ok(())
        }
        (["types", _] | ["ipAddressType"], _) => patch::only_replace(operation),
        _ => Err(patch::invalid(operation)),
    }
}
