//! `Authorizer`.

use std::sync::Arc;

use ringgate_core::aws::arn::Arn;

use super::request::{Quota, new_id};
use super::{Operation, Request, read, write};
use crate::admin::state::{Collection, Tenant};
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::parts::Authorizer;
use crate::admin::wire::patch::{self, Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};

const ALL: &str = "/restapis/{restapi_id}/authorizers";
const ONE: &str = "/restapis/{restapi_id}/authorizers/{authorizer_id}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetAuthorizers", "GET", ALL, list),
    write("CreateAuthorizer", "POST", ALL, create),
    read("GetAuthorizer", "GET", ONE, get),
    write("UpdateAuthorizer", "PATCH", ONE, update),
    write("DeleteAuthorizer", "DELETE", ONE, delete),
    read("TestInvokeAuthorizer", "POST", ONE, test_invoke),
];

const TYPES: [&str; 3] = ["TOKEN", "REQUEST", "COGNITO_USER_POOLS"];
const AUTHORIZERS: Quota = Quota::of_api(10, "authorizers");
const TTL_SECONDS_MAX: u32 = 3_600;

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("restapi_id");
    let api = tenant.apis.get(id).ok_or_else(|| request.unknown_api(id))?;
    request.page(api.definition.authorizers.iter().map(|(id, authorizer)| (id.clone(), authorizer.clone())))
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let authorizer = request.read(|input| read_authorizer(&input))?;
    let Some(api) = tenant.api_mut(request.label("restapi_id")) else {
        // Recorded so.
        return Err(Error::conflict(
            "Unable to complete operation due to concurrent modification. Please try again later.",
        ));
    };
    check(&authorizer)?;
    let authorizers = &mut api.definition.authorizers;
    check_name(&authorizer, authorizers)?;
    request.check_count(authorizers.len(), AUTHORIZERS)?;
    let reply = Reply::created(&authorizer);
    authorizers.insert(authorizer.id.clone(), Arc::new(authorizer));
    Ok(reply)
}

fn check_name(authorizer: &Authorizer, authorizers: &Collection<Authorizer>) -> Result<(), Error> {
    let name = &authorizer.name;
    if name.is_empty() {
        return Err(Error::bad_request("Authorizer name cannot be empty"));
    }
    if authorizers.values().any(|other| other.name == *name && other.id != authorizer.id) {
        let message = format!("Authorizer name must be unique. Authorizer {name} already exists in this RestApi.");
        return Err(Error::bad_request(message));
    }
    Ok(())
}

fn read_authorizer(input: &Input<'_>) -> Result<Authorizer, Error> {
    let name = input.required_string("name")?;
    let kind = input.one_of("type", &TYPES)?;
    if kind.is_none() {
        input.required_string("type")?;
    }
    let kind = kind.unwrap_or_default();
    let auth_type = input.string("authType")?;
    let default = if kind == "COGNITO_USER_POOLS" { "cognito_user_pools" } else { "custom" };
    let ttl = input.integer("authorizerResultTtlInSeconds")?;
    Ok(Authorizer {
        id: new_id(6),
        name,
        provider_arns: input.strings("providerARNs")?.unwrap_or_default(),
        auth_type: Some(auth_type.unwrap_or_else(|| default.to_owned())),
        authorizer_uri: input.string("authorizerUri")?,
        authorizer_credentials: input.string("authorizerCredentials")?,
        identity_source: input.string("identitySource")?,
        identity_validation_expression: input.string("identityValidationExpression")?,
        authorizer_result_ttl_in_seconds: ttl.map(|seconds| seconds.try_into().unwrap_or(u32::MAX)),
        kind,
    })
}

fn check(authorizer: &Authorizer) -> Result<(), Error> {
    let refused = |message: &str| Err(Error::bad_request(message));
    if authorizer.authorizer_result_ttl_in_seconds.is_some_and(|seconds| seconds > TTL_SECONDS_MAX) {
        return refused("Authorizer result TTL must be between 0 and 3600 seconds");
    }
    if authorizer.kind == "COGNITO_USER_POOLS" {
        let is_pool = |arn: &String| {
            arn.contains("${stageVariables.") || Arn::parse(arn).is_ok_and(|arn| arn.service == "cognito-idp")
        };
        return match authorizer.provider_arns.iter().find(|arn| !is_pool(arn)) {
            _ if authorizer.provider_arns.is_empty() => refused("Invalid Authorizer: providerARNs must be non-empty"),
            Some(wrong) => refused(&format!("Invalid Cognito User Pool ARN specified: {wrong}")),
            None => Ok(()),
        };
    }
    let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
    if !uri.starts_with("arn:") || !uri.contains(":lambda:path/") {
        return refused(&format!(
            "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda \
             function invocation."
        ));
    }
    let source = authorizer.identity_source.as_deref().unwrap_or_default();
    // What is kept is found again by it.
    let is_kept = authorizer.authorizer_result_ttl_in_seconds.is_some_and(|seconds| seconds > 0);
    if authorizer.kind == "REQUEST" && source.is_empty() && is_kept {
        return refused("Identity source is required for REQUEST authorizers whose results are cached");
    }
    if authorizer.kind == "TOKEN" && !is_header(source) {
        return refused(&format!(
            "Invalid token source expression: {source}. The source must be a method request header, matching \
             'method.request.header.[a-zA-Z0-9._-]+'."
        ));
    }
    Ok(())
}

fn is_header(source: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    source.strip_prefix("method.request.header.").is_some_and(|name| !name.is_empty() && name.bytes().all(is_allowed))
}

fn unknown() -> Error {
    Error::not_found("Invalid Authorizer identifier specified")
}

fn find<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t Arc<Authorizer>, Error> {
    request.part(tenant, |api| api.definition.authorizers.get(request.label("authorizer_id")), unknown)
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    Ok(Reply::ok(find(tenant, request)?))
}

fn test_invoke(tenant: &Tenant, request: &Request<'_>) -> Answer {
    find(tenant, request)?;
    Err(Error::bad_request("Authorizers are not run yet: this call waits for them"))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let Authorizer { id, name, .. } = (**find(tenant, request)?).clone();
    let definition = &mut tenant.api_mut(request.label("restapi_id")).ok_or_else(unknown)?.definition;
    let user = definition.methods().find(|(.., method)| method.authorizer_id.as_ref() == Some(&id));
    if let Some((resource, verb, _)) = user {
        let message = format!("Cannot delete authorizer '{name}', is referenced in method: {verb}/{}", resource.path);
        return Err(Error::conflict(message));
    }
    definition.authorizers.remove(&id);
    Ok(Reply::accepted())
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let mut changed = (**find(tenant, request)?).clone();
    for operation in &operations {
        change(&mut changed, operation)?;
    }
    check(&changed)?;
    let reply = Reply::ok(&changed);
    let definition = &mut tenant.api_mut(request.label("restapi_id")).ok_or_else(unknown)?.definition;
    check_name(&changed, &definition.authorizers)?;
    definition.authorizers.insert(changed.id.clone(), Arc::new(changed));
    Ok(reply)
}

fn change(authorizer: &mut Authorizer, operation: &PatchOperation) -> Result<(), Error> {
    const MEMBERS: [&str; 8] = [
        "/name",
        "/type",
        "/authType",
        "/authorizerUri",
        "/authorizerCredentials",
        "/identitySource",
        "/identityValidationExpression",
        "/authorizerResultTtlInSeconds",
    ];
    let value = operation.optional();
    match (operation.path(), operation.op) {
        ("/providerARNs", Op::Add) => authorizer.provider_arns.extend(value),
        ("/providerARNs", Op::Remove) => authorizer.provider_arns.retain(|arn| arn != operation.text()),
        ("/identitySource", Op::Add) => authorizer.identity_source = value,
        ("/identitySource", Op::Remove) => authorizer.identity_source = None,
        (path, Op::Replace) if MEMBERS.contains(&path) => set(authorizer, path, operation)?,
        _ => return Err(patch::invalid_path(operation, &MEMBERS)),
    }
    Ok(())
}

fn set(authorizer: &mut Authorizer, path: &str, operation: &PatchOperation) -> Result<(), Error> {
    let value = operation.optional();
    match path {
        "/name" => authorizer.name = operation.text().to_owned(),
        "/type" if !TYPES.contains(&operation.text()) => {
            return Err(Error::bad_request(format!(
                "Invalid authorizer type specified. Valid options are {}",
                TYPES.join(",")
            )));
        }
        "/type" => authorizer.kind = operation.text().to_owned(),
        "/authType" => authorizer.auth_type = value,
        "/authorizerUri" => authorizer.authorizer_uri = value,
        "/authorizerCredentials" => authorizer.authorizer_credentials = value,
        "/identitySource" => authorizer.identity_source = value,
        "/identityValidationExpression" => authorizer.identity_validation_expression = value,
        _ => {
            let seconds = operation.text().parse();
            let seconds = seconds.map_err(|_| Error::bad_request("Authorizer result TTL must be a whole number"))?;
            authorizer.authorizer_result_ttl_in_seconds = Some(seconds);
        }
    }
    Ok(())
}
