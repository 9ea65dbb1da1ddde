//! `DomainName` and `BasePathMapping`.

use std::sync::Arc;

use serde_json::json;

use super::api_keys::with_tags;
use super::request::{Quota, new_id};
use super::rest_apis::{ACCESS_MODES, SECURITY_POLICIES, check_security};
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::state::serving::NO_BASE_PATH;
use crate::admin::wire::account::{BasePathMapping, DomainName, MutualTlsAuthentication};
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::patch::{self, Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::rest_api::EndpointConfiguration;
use crate::admin::wire::tags;

const DOMAIN: &str = "/domainnames/{domain_name}";
const MAPPINGS: &str = "/domainnames/{domain_name}/basepathmappings";
const MAPPING: &str = "/domainnames/{domain_name}/basepathmappings/{base_path}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetDomainNames", "GET", "/domainnames", list),
    write("CreateDomainName", "POST", "/domainnames", create),
    read("GetDomainName", "GET", DOMAIN, get),
    write("UpdateDomainName", "PATCH", DOMAIN, update),
    write("DeleteDomainName", "DELETE", DOMAIN, delete),
    read("GetBasePathMappings", "GET", MAPPINGS, list_mappings),
    write("CreateBasePathMapping", "POST", MAPPINGS, create_mapping),
    read("GetBasePathMapping", "GET", MAPPING, get_mapping),
    write("UpdateBasePathMapping", "PATCH", MAPPING, update_mapping),
    write("DeleteBasePathMapping", "DELETE", MAPPING, delete_mapping),
];

const PUBLIC_NAMES: Quota = Quota::of_account(120, "public domain names");
const PRIVATE_NAMES: Quota = Quota::of_account(50, "private domain names");
const ENDPOINT_TYPES: [&str; 3] = ["REGIONAL", "EDGE", "PRIVATE"];
const IP_ADDRESS_TYPES: [&str; 2] = ["ipv4", "dualstack"];
pub(super) const RESOURCE_OWNERS: [&str; 2] = ["SELF", "OTHER_ACCOUNTS"];
const ROUTING_MODES: [&str; 3] = ["BASE_PATH_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"];
/// As AWS's page spells them; in any case they are taken.
const MAPPING_PATHS: [&str; 3] = ["/basePath", "/restapiId", "/stage"];
const BASE_PATH_CHARACTERS_MAX: usize = 300;
/// Names may be as long as DNS allows (RFC 1035 section 2.3.4).
const NAME_CHARACTERS_MAX: usize = 253;

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    request.check_query("resourceOwner", &RESOURCE_OWNERS)?;
    let is_own = request.query("resourceOwner") != Some("OTHER_ACCOUNTS");
    request.page(tenant.domain_names.iter().filter(|_| is_own).map(|(name, domain)| (name.clone(), domain.clone())))
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let mut domain = request.read(|input| read_domain(&input))?;
    check_name(&domain.domain_name)?;
    tags::check(&domain.tags)?;
    if tenant.domain_names.contains_key(&domain.domain_name) {
        return Err(taken());
    }
    let is_private = |domain: &DomainName| domain.endpoint_configuration.types.iter().any(|kind| kind == "PRIVATE");
    let alike = tenant.domain_names.values().filter(|known| is_private(known) == is_private(&domain));
    request.check_count(alike.count(), if is_private(&domain) { PRIVATE_NAMES } else { PUBLIC_NAMES })?;
    check_security(domain.security_policy.as_deref(), domain.endpoint_access_mode.as_deref())?;
    settle(&mut domain, request);
    let reply = Reply::created(&domain);
    tenant.domain_names.insert(domain.domain_name.clone(), Arc::new(domain));
    Ok(reply)
}

fn read_domain(input: &Input<'_>) -> Result<DomainName, Error> {
    for ours_not_kept in ["certificateBody", "certificatePrivateKey", "certificateChain"] {
        if input.has(ours_not_kept) {
            let message = format!("{ours_not_kept} is not supported: certificates are given to the listener");
            return Err(Error::bad_request(message));
        }
    }
    Ok(DomainName {
        domain_name: input.required_string("domainName")?.to_ascii_lowercase(),
        certificate_name: input.string("certificateName")?,
        certificate_arn: input.string("certificateArn")?,
        regional_certificate_name: input.string("regionalCertificateName")?,
        regional_certificate_arn: input.string("regionalCertificateArn")?,
        endpoint_configuration: input.object("endpointConfiguration", read_endpoints)?.unwrap_or_default(),
        security_policy: input.one_of("securityPolicy", &SECURITY_POLICIES)?,
        endpoint_access_mode: input.one_of("endpointAccessMode", &ACCESS_MODES)?,
        mutual_tls_authentication: input.object("mutualTlsAuthentication", |tls| {
            Ok(MutualTlsAuthentication {
                truststore_uri: tls.string("truststoreUri")?,
                truststore_version: tls.string("truststoreVersion")?,
                truststore_warnings: Vec::new(),
            })
        })?,
        ownership_verification_certificate_arn: input.string("ownershipVerificationCertificateArn")?,
        policy: input.string("policy")?,
        routing_mode: input.one_of("routingMode", &ROUTING_MODES)?,
        tags: input.texts("tags")?.unwrap_or_default(),
        ..DomainName::default()
    })
}

fn read_endpoints(input: Input<'_>) -> Result<EndpointConfiguration, Error> {
    Ok(EndpointConfiguration {
        types: input.some_of("types", &ENDPOINT_TYPES)?.unwrap_or_default(),
        ip_address_type: input.one_of("ipAddressType", &IP_ADDRESS_TYPES)?,
        vpc_endpoint_ids: input.strings("vpcEndpointIds")?.unwrap_or_default(),
    })
}

/// Labels of letters, digits and hyphens with dots between them; the first may be `*`.
fn check_name(name: &str) -> Result<(), Error> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    if name.len() <= NAME_CHARACTERS_MAX && rest.contains('.') && rest.split('.').all(is_label) {
        return Ok(());
    }
    Err(Error::bad_request("Invalid domain name"))
}

/// What AWS fills in.
fn settle(domain: &mut DomainName, request: &Request<'_>) {
    let endpoints = &mut domain.endpoint_configuration;
    if endpoints.types.is_empty() {
        endpoints.types.push("EDGE".to_owned());
    }
    endpoints.ip_address_type.get_or_insert_with(|| "ipv4".to_owned());
    let is_edge = endpoints.types.iter().any(|kind| kind == "EDGE");
    let region = &request.caller.region;
    if is_edge && domain.distribution_domain_name.is_none() {
        domain.distribution_domain_name = Some(format!("d{}.cloudfront.net", new_id(13)));
        domain.distribution_hosted_zone_id = Some("Z2FDTNDATAQYW2".to_owned());
    }
    if !is_edge && domain.regional_domain_name.is_none() {
        domain.regional_domain_name = Some(format!("d-{}.execute-api.{region}.amazonaws.com", new_id(10)));
        domain.regional_hosted_zone_id = Some("Z1UJRXOUMOOFQ8".to_owned());
    }
    if domain.certificate_arn.is_some() || domain.certificate_name.is_some() {
        domain.certificate_upload_date.get_or_insert(request.now());
    }
    if endpoints.types.iter().any(|kind| kind == "PRIVATE") && domain.domain_name_id.is_none() {
        let id = new_id(10);
        let account = &request.caller.account;
        let name = &domain.domain_name;
        domain.domain_name_arn = Some(format!("arn:aws:apigateway:{region}:{account}:/domainnames/{name}+{id}"));
        domain.domain_name_id = Some(id);
    }
    domain.domain_name_status.get_or_insert_with(|| "AVAILABLE".to_owned());
    domain.security_policy.get_or_insert_with(|| "TLS_1_2".to_owned());
    domain.routing_mode.get_or_insert_with(|| ROUTING_MODES[0].to_owned());
}

/// Somebody has the name.
pub fn taken() -> Error {
    Error::conflict("The domain name you provided already exists.")
}

pub(super) fn unknown() -> Error {
    Error::not_found("Invalid domain name identifier specified")
}

fn name(request: &Request<'_>) -> String {
    request.label("domain_name").to_ascii_lowercase()
}

/// The domain name of the path. A private one has an identifier, which the query may name.
fn find<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t Arc<DomainName>, Error> {
    let domain = tenant.domain_names.get(&name(request)).ok_or_else(unknown)?;
    let asked = request.query("domainNameId").filter(|id| !id.is_empty());
    if asked.is_some() && domain.domain_name_id.as_deref() != asked { Err(unknown()) } else { Ok(domain) }
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let domain = find(tenant, request)?;
    Ok(Reply::ok(&with_tags(json!(domain))))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    find(tenant, request)?;
    let name = name(request);
    tenant.domain_names.remove(&name);
    let prefix = format!("{name}/");
    tenant.base_path_mappings.retain(|key, _| !key.starts_with(&prefix));
    Ok(Reply::accepted())
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    find(tenant, request)?;
    let domain = tenant.domain_names.get_mut(&name(request)).ok_or_else(unknown)?;
    let domain = Arc::make_mut(domain);
    for operation in &operations {
        change(domain, operation)?;
    }
    check_security(domain.security_policy.as_deref(), domain.endpoint_access_mode.as_deref())?;
    settle(domain, request);
    Ok(Reply::ok(&with_tags(json!(domain))))
}

fn change(domain: &mut DomainName, operation: &PatchOperation) -> Result<(), Error> {
    let value = operation.optional().filter(|_| operation.op != Op::Remove);
    if !matches!(operation.op, Op::Add | Op::Remove | Op::Replace) {
        return Err(patch::invalid(operation));
    }
    let segments = operation.segments();
    let place = match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["certificateName"] => &mut domain.certificate_name,
        ["certificateArn"] => &mut domain.certificate_arn,
        ["regionalCertificateName"] => &mut domain.regional_certificate_name,
        ["regionalCertificateArn"] => &mut domain.regional_certificate_arn,
        ["ownershipVerificationCertificateArn"] => &mut domain.ownership_verification_certificate_arn,
        ["endpointAccessMode"] if ACCESS_MODES.contains(&operation.text()) => &mut domain.endpoint_access_mode,
        ["managementPolicy"] => &mut domain.management_policy,
        ["policy"] => &mut domain.policy,
        ["routingMode"] if ROUTING_MODES.contains(&operation.text()) => &mut domain.routing_mode,
        ["securityPolicy"] if SECURITY_POLICIES.contains(&operation.text()) => &mut domain.security_policy,
        ["endpointConfiguration", "ipAddressType"] if IP_ADDRESS_TYPES.contains(&operation.text()) => {
            &mut domain.endpoint_configuration.ip_address_type
        }
        ["endpointConfiguration", "types", ..] => return change_types(domain, operation),
        ["mutualTlsAuthentication", member] => {
            let tls = domain.mutual_tls_authentication.get_or_insert_default();
            match *member {
                "truststoreUri" => &mut tls.truststore_uri,
                "truststoreVersion" => &mut tls.truststore_version,
                _ => return Err(patch::invalid(operation)),
            }
        }
        _ => return Err(patch::invalid(operation)),
    };
    *place = value;
    // Mutual TLS ends with its trust store (dg/rest-api-mutual-tls).
    if domain.mutual_tls_authentication.as_ref().is_some_and(|tls| tls.truststore_uri.is_none()) {
        domain.mutual_tls_authentication = None;
    }
    Ok(())
}

/// Migration between endpoint types: both are there for a while.
fn change_types(domain: &mut DomainName, operation: &PatchOperation) -> Result<(), Error> {
    let value = operation.text();
    if !ENDPOINT_TYPES.contains(&value) {
        return Err(Error::bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"));
    }
    let types = &mut domain.endpoint_configuration.types;
    match operation.op {
        Op::Add if !types.iter().any(|kind| kind == value) => types.push(value.to_owned()),
        Op::Add => {}
        Op::Replace => *types = vec![value.to_owned()],
        _ if types.len() > 1 => types.retain(|kind| kind != value),
        _ => return Err(Error::bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")),
    }
    Ok(())
}

/// Domain names with a mapping that `is_meant`, as a list.
pub(super) fn mapped(tenant: &Tenant, is_meant: impl Fn(&BasePathMapping) -> bool) -> Option<String> {
    let mappings = tenant.base_path_mappings.iter().filter(|(_, mapping)| is_meant(mapping));
    let mut names: Vec<_> = mappings.filter_map(|(key, _)| Some(key.split_once('/')?.0)).collect();
    names.dedup();
    (!names.is_empty()).then(|| names.join(", "))
}

fn list_mappings(tenant: &Tenant, request: &Request<'_>) -> Answer {
    find(tenant, request)?;
    let name = name(request);
    let prefix = format!("{name}/");
    let mappings = tenant.base_path_mappings.iter().filter(|(key, _)| key.starts_with(&prefix));
    request.page(mappings.map(|(key, mapping)| (key.clone(), mapping.clone())))
}

fn create_mapping(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let mapping = request.read(|input| {
        Ok(BasePathMapping {
            base_path: shown_path(input.string("basePath")?),
            rest_api_id: input.required_string("restApiId")?,
            stage: input.string("stage")?.filter(|stage| !stage.is_empty()),
        })
    })?;
    find(tenant, request)?;
    let name = name(request);
    check_mapping(tenant, &mapping)?;
    let key = format!("{name}/{}", mapping.base_path);
    if tenant.base_path_mappings.contains_key(&key) {
        return Err(Error::conflict("Base path already exists for this domain name"));
    }
    let reply = Reply::created(&mapping);
    tenant.base_path_mappings.insert(key, Arc::new(mapping));
    Ok(reply)
}

fn shown_path(path: Option<String>) -> String {
    let path = path.unwrap_or_default();
    let path = path.trim_matches('/');
    if path.is_empty() { NO_BASE_PATH.to_owned() } else { path.to_owned() }
}

fn check_mapping(tenant: &Tenant, mapping: &BasePathMapping) -> Result<(), Error> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&byte);
    if mapping.base_path.len() > BASE_PATH_CHARACTERS_MAX {
        return Err(Error::bad_request(format!("The base path exceeds {BASE_PATH_CHARACTERS_MAX} characters")));
    }
    if mapping.base_path.contains('/') {
        return Err(Error::bad_request(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base \
             path mapping, use API Gateway V2.",
        ));
    }
    if !mapping.base_path.bytes().all(is_allowed) {
        return Err(Error::bad_request(
            "API Gateway V1 doesn't support the use of the specified characters in the base path",
        ));
    }
    let api = tenant.apis.get(&mapping.rest_api_id);
    let api = api.ok_or_else(|| Error::bad_request("Invalid REST API identifier specified"))?;
    match &mapping.stage {
        Some(stage) if !api.stages.contains_key(stage) => Err(Error::bad_request("Invalid stage identifier specified")),
        _ => Ok(()),
    }
}

fn unknown_mapping() -> Error {
    Error::not_found("Invalid base path mapping identifier specified")
}

fn key(request: &Request<'_>) -> String {
    format!("{}/{}", name(request), shown_path(Some(request.label("base_path").to_owned())))
}

fn get_mapping(tenant: &Tenant, request: &Request<'_>) -> Answer {
    find(tenant, request)?;
    Ok(Reply::ok(tenant.base_path_mappings.get(&key(request)).ok_or_else(unknown_mapping)?))
}

fn delete_mapping(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    find(tenant, request)?;
    tenant.base_path_mappings.remove(&key(request)).ok_or_else(unknown_mapping)?;
    Ok(Reply::accepted())
}

fn update_mapping(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    find(tenant, request)?;
    let mut mapping = (**tenant.base_path_mappings.get(&key(request)).ok_or_else(unknown_mapping)?).clone();
    for operation in &operations {
        match operation.path().to_ascii_lowercase().as_str() {
            _ if operation.op != Op::Replace => return Err(patch::invalid_path(operation, &MAPPING_PATHS)),
            "/basepath" => mapping.base_path = shown_path(operation.value.clone()),
            "/stage" => mapping.stage = operation.optional(),
            "/restapiid" => operation.text().clone_into(&mut mapping.rest_api_id),
            _ => return Err(patch::invalid_path(operation, &MAPPING_PATHS)),
        }
    }
    check_mapping(tenant, &mapping)?;
    let moved = format!("{}/{}", name(request), mapping.base_path);
    if moved != key(request) && tenant.base_path_mappings.contains_key(&moved) {
        return Err(Error::conflict("Base path already exists for this domain name"));
    }
    tenant.base_path_mappings.remove(&key(request));
    let reply = Reply::ok(&mapping);
    tenant.base_path_mappings.insert(moved, Arc::new(mapping));
    Ok(reply)
}
