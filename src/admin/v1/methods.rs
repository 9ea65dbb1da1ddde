//! `Method` and `MethodResponse`.

use std::collections::BTreeSet;

use super::{Operation, Request, read, write};
use crate::admin::state::{Definition, Tenant};
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::patch::{self, Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::resource::{Method, MethodResponse};
use crate::admin::wire::{Flags, Texts};

pub(super) const METHOD: &str = "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}";
const RESPONSE: &str = "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}";

pub(super) const OPERATIONS: &[Operation] = &[
    write("PutMethod", "PUT", METHOD, put),
    read("GetMethod", "GET", METHOD, get),
    write("UpdateMethod", "PATCH", METHOD, update),
    write("DeleteMethod", "DELETE", METHOD, delete),
    write("PutMethodResponse", "PUT", RESPONSE, put_response),
    read("GetMethodResponse", "GET", RESPONSE, get_response),
    write("UpdateMethodResponse", "PATCH", RESPONSE, update_response),
    write("DeleteMethodResponse", "DELETE", RESPONSE, delete_response),
];

pub(super) const VERBS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];
const AUTHORIZATION_TYPES: [&str; 4] = ["NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"];

/// API, resource and verb of a call.
pub(super) fn place<'r>(request: &'r Request<'_>) -> (&'r str, &'r str, &'r str) {
    (request.label("restapi_id"), request.label("resource_id"), request.label("http_method"))
}

fn put(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let method = request.read(|input| read_method(&input, request.label("http_method")))?;
    let (api, resource, verb) = place(request);
    tenant.resource(api, resource)?;
    if !VERBS.contains(&verb) {
        return Err(invalid_verb());
    }
    let api = tenant.api_mut(api).ok_or_else(Error::unknown_resource)?;
    let method = settled(method, &api.definition)?;
    check_parameters(method.request_parameters.as_ref())?;
    let methods = &mut tenant.resource_mut(request.label("restapi_id"), resource)?.resource_methods;
    if methods.contains_key(verb) {
        return Err(Error::conflict("Method already exists for this resource"));
    }
    let reply = Reply::created(&method);
    methods.insert(verb.to_owned(), method);
    Ok(reply)
}

pub(super) fn invalid_verb() -> Error {
    Error::bad_request(format!("Invalid HttpMethod specified. Valid options are {}", VERBS.join(",")))
}

fn read_method(input: &Input<'_>, verb: &str) -> Result<Method, Error> {
    Ok(Method {
        http_method: verb.to_owned(),
        // Any case is taken (R).
        authorization_type: input.required_string("authorizationType")?.to_ascii_uppercase(),
        authorizer_id: input.string("authorizerId")?,
        api_key_required: input.boolean("apiKeyRequired")?.unwrap_or_default(),
        operation_name: input.string("operationName")?,
        request_parameters: input.flags("requestParameters")?.filter(|flags| !flags.is_empty()),
        request_models: input.texts("requestModels")?.filter(|models| !models.is_empty()),
        request_validator_id: input.string("requestValidatorId")?,
        authorization_scopes: input.strings("authorizationScopes")?.unwrap_or_default(),
        ..Method::default()
    })
}

/// The method with what it names found in the API, and without an authorizer that it does not use.
fn settled(mut method: Method, definition: &Definition) -> Result<Method, Error> {
    match method.authorization_type.as_str() {
        "CUSTOM" | "COGNITO_USER_POOLS" => {
            let authorizer = method.authorizer_id.as_ref().and_then(|id| definition.authorizers.get(id));
            if authorizer.is_none() {
                return Err(Error::bad_request(
                    "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS \
                     requires a valid authorizer.",
                ));
            }
        }
        known if AUTHORIZATION_TYPES.contains(&known) => method.authorizer_id = None,
        _ => {
            let message =
                format!("Invalid authorizer type specified. Valid options are {}", AUTHORIZATION_TYPES.join(","));
            return Err(Error::bad_request(message));
        }
    }
    let validator = method.request_validator_id.as_ref();
    if validator.is_some_and(|id| !definition.request_validators.contains_key(id)) {
        return Err(Error::bad_request("Invalid Request Validator identifier specified"));
    }
    check_models(method.request_models.as_ref(), definition)?;
    Ok(method)
}

fn check_models(models: Option<&Texts>, definition: &Definition) -> Result<(), Error> {
    let unknown = models.into_iter().flat_map(Texts::values).find(|name| !definition.models.contains_key(*name));
    unknown.map_or(Ok(()), |name| Err(Error::bad_request(format!("Invalid model identifier specified: {name}"))))
}

/// `method.request.{location}.{name}`, and no name twice.
fn check_parameters(parameters: Option<&Flags>) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    for parameter in parameters.into_iter().flat_map(Flags::keys) {
        let parts = parameter.strip_prefix("method.request.").and_then(|rest| rest.split_once('.'));
        let Some(("path" | "querystring" | "header" | "multivaluequerystring" | "multivalueheader", name)) = parts
        else {
            let message = format!("Invalid mapping expression parameter specified: {parameter}");
            return Err(Error::bad_request(message));
        };
        if !names.insert(name) {
            return Err(Error::bad_request("Parameter names must be unique across querystring, header and path"));
        }
    }
    Ok(())
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let (api, resource, verb) = place(request);
    Ok(Reply::ok(tenant.method(api, resource, verb)?))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (api, resource, verb) = place(request);
    tenant.method(api, resource, verb)?;
    tenant.resource_mut(api, resource)?.resource_methods.remove(verb);
    Ok(Reply::no_content())
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let (api, resource, verb) = place(request);
    let mut method = tenant.method(api, resource, verb)?.clone();
    for operation in &operations {
        change(&mut method, operation)?;
    }
    let definition = tenant.api_mut(api).ok_or_else(Error::unknown_resource)?;
    let method = settled(method, &definition.definition)?;
    check_parameters(method.request_parameters.as_ref())?;
    let reply = Reply::ok(&method);
    *tenant.method_mut(api, resource, verb)? = method;
    Ok(reply)
}

fn change(method: &mut Method, operation: &PatchOperation) -> Result<(), Error> {
    let segments = operation.segments();
    match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["requestParameters", name] => {
            patch::entry(&mut method.request_parameters, ("requestParameters", name), operation, PatchOperation::flag)
        }
        ["requestModels", media_type] => {
            patch::entry(&mut method.request_models, ("requestModels", media_type), operation, |operation| {
                operation.text().to_owned()
            })
        }
        ["authorizationScopes", ..] => change_scopes(&mut method.authorization_scopes, operation),
        [member] => change_member(method, member, operation),
        _ => Err(patch::invalid(operation)),
    }
}

fn change_scopes(scopes: &mut Vec<String>, operation: &PatchOperation) -> Result<(), Error> {
    match operation.op {
        Op::Add => scopes.push(operation.text().to_owned()),
        Op::Remove => scopes.retain(|scope| scope != operation.text()),
        _ => return Err(Error::bad_request("Invalid patch operation specified. Must be one of: [add, remove]")),
    }
    Ok(())
}

fn change_member(method: &mut Method, member: &str, operation: &PatchOperation) -> Result<(), Error> {
    let known = ["authorizationType", "authorizerId", "apiKeyRequired", "operationName", "requestValidatorId"];
    if !known.contains(&member) {
        return Err(patch::invalid(operation));
    }
    patch::only_replace(operation)?;
    match member {
        "authorizationType" => method.authorization_type = operation.text().to_ascii_uppercase(),
        "authorizerId" => method.authorizer_id = operation.optional(),
        "apiKeyRequired" => method.api_key_required = operation.flag(),
        "operationName" => method.operation_name = operation.optional(),
        _ => method.request_validator_id = operation.optional(),
    }
    Ok(())
}

pub(super) fn unknown_status() -> Error {
    Error::not_found("Invalid Response status code specified")
}

fn put_response(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let status = request.label("status_code");
    let response = request.read_labelled(
        |complaints| complaints.status(status, "statusCode"),
        |input| {
            Ok(MethodResponse {
                status_code: status.to_owned(),
                response_parameters: input.flags("responseParameters")?.filter(|flags| !flags.is_empty()),
                response_models: input.texts("responseModels")?.filter(|models| !models.is_empty()),
            })
        },
    )?;
    let (api, resource, verb) = place(request);
    tenant.method(api, resource, verb)?;
    let definition = &tenant.api_mut(api).ok_or_else(Error::unknown_resource)?.definition;
    check_models(response.response_models.as_ref(), definition)?;
    check_response_parameters(response.response_parameters.as_ref())?;
    let responses = &mut tenant.method_mut(api, resource, verb)?.method_responses;
    if responses.contains_key(status) {
        return Err(Error::conflict("Response already exists for this resource"));
    }
    let reply = Reply::created(&response);
    responses.insert(status.to_owned(), response);
    Ok(reply)
}

fn check_response_parameters(parameters: Option<&Flags>) -> Result<(), Error> {
    let wrong = parameters
        .into_iter()
        .flat_map(Flags::keys)
        .find(|name| name.strip_prefix("method.response.header.").is_none_or(str::is_empty));
    let message = |name| format!("Invalid mapping expression parameter specified: {name}");
    wrong.map_or(Ok(()), |name| Err(Error::bad_request(message(name))))
}

fn get_response(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let status = request.label("status_code");
    request.check_labels(|complaints| complaints.status(status, "statusCode"))?;
    let (api, resource, verb) = place(request);
    let responses = &tenant.method(api, resource, verb)?.method_responses;
    Ok(Reply::ok(responses.get(status).ok_or_else(unknown_status)?))
}

fn delete_response(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let status = request.label("status_code");
    request.check_labels(|complaints| complaints.status(status, "statusCode"))?;
    let (api, resource, verb) = place(request);
    let responses = &mut tenant.method_mut(api, resource, verb)?.method_responses;
    responses.remove(status).ok_or_else(unknown_status)?;
    Ok(Reply::no_content())
}

fn update_response(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let status = request.label("status_code");
    let operations = request.patch_labelled(|complaints| complaints.status(status, "statusCode"))?;
    let (api, resource, verb) = place(request);
    let mut response = tenant.method(api, resource, verb)?.method_responses.get(status).cloned();
    let response = response.as_mut().ok_or_else(unknown_status)?;
    for operation in &operations {
        change_response(response, operation)?;
    }
    let definition = &tenant.api_mut(api).ok_or_else(Error::unknown_resource)?.definition;
    check_models(response.response_models.as_ref(), definition)?;
    check_response_parameters(response.response_parameters.as_ref())?;
    let reply = Reply::created(&*response);
    tenant.method_mut(api, resource, verb)?.method_responses.insert(status.to_owned(), response.clone());
    Ok(reply)
}

fn change_response(response: &mut MethodResponse, operation: &PatchOperation) -> Result<(), Error> {
    let segments = operation.segments();
    match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["responseParameters", name] => {
            let place = ("responseParameters", *name);
            patch::entry(&mut response.response_parameters, place, operation, PatchOperation::flag)
        }
        ["responseModels", media_type] => {
            let place = ("responseModels", *media_type);
            patch::entry(&mut response.response_models, place, operation, |operation| operation.text().to_owned())
        }
        _ => Err(patch::invalid(operation)),
    }
}
