//! `GatewayResponse`: stored where it is customized, shown for all 21 types.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringgate_core::aws::errors::ResponseType;

use super::integrations::{REQUEST_SOURCES, check_mappings};
use super::{Operation, Request, read, write};
use crate::admin::state::{Collection, Tenant};
use crate::admin::wire::Texts;
use crate::admin::wire::error::Error;
use crate::admin::wire::input::{Complaints, is_status};
use crate::admin::wire::parts::GatewayResponse;
use crate::admin::wire::patch::{self, Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};

const ALL: &str = "/restapis/{restapi_id}/gatewayresponses";
const ONE: &str = "/restapis/{restapi_id}/gatewayresponses/{response_type}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetGatewayResponses", "GET", ALL, list),
    read("GetGatewayResponse", "GET", ONE, get),
    write("PutGatewayResponse", "PUT", ONE, put),
    write("UpdateGatewayResponse", "PATCH", ONE, update),
    write("DeleteGatewayResponse", "DELETE", ONE, delete),
];

const DEFAULT_TEMPLATE: &str = "{\"message\":$context.error.messageString}";

/// Backwards, which is how the service's model has those that its hash does not tell apart.
fn names() -> Vec<&'static str> {
    ResponseType::ALL.iter().rev().map(|kind| kind.as_str()).collect()
}

fn check_type(request: &Request<'_>) -> impl FnOnce(&Complaints) {
    let kind = request.label("response_type");
    move |complaints| complaints.one_of(kind, "responseType", &names())
}

/// How a type answers: as customized, or as the fallback of its class was, or as AWS has it.
fn shown(kind: ResponseType, customized: &Collection<GatewayResponse>) -> GatewayResponse {
    let own = customized.get(kind.as_str());
    let fallback = kind.fallback().and_then(|fallback| customized.get(fallback.as_str()));
    let inherited = fallback.filter(|_| own.is_none());
    let mut shown = own.or(inherited).map(|response| (**response).clone()).unwrap_or_default();
    shown.response_type = kind.as_str().to_owned();
    shown.default_response = own.is_none();
    shown.status_code = shown.status_code.or_else(|| kind.status().map(|status| status.to_string()));
    if shown.response_templates.is_empty() {
        shown.response_templates.insert("application/json".to_owned(), DEFAULT_TEMPLATE.to_owned());
    }
    shown
}

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let customized = &request.api(tenant)?.definition.gateway_responses;
    let mut all = ResponseType::ALL.to_vec();
    all.sort_by_key(|kind| kind.as_str());
    request.page(all.into_iter().map(|kind| (kind.as_str().to_owned(), shown(kind, customized))))
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    request.check_labels(check_type(request))?;
    let kind = kind_of(request)?;
    Ok(Reply::ok(&shown(kind, &request.api(tenant)?.definition.gateway_responses)))
}

fn kind_of(request: &Request<'_>) -> Result<ResponseType, Error> {
    let name = request.label("response_type");
    ResponseType::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(undefined)
}

fn undefined() -> Error {
    Error::not_found("Gateway response type not defined on api")
}

fn put(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let response = request.read_labelled(check_type(request), |input| {
        Ok(GatewayResponse {
            response_type: request.label("response_type").to_owned(),
            status_code: input.status("statusCode")?,
            response_parameters: input.texts("responseParameters")?.unwrap_or_default(),
            response_templates: input.texts("responseTemplates")?.unwrap_or_default(),
            default_response: false,
        })
    })?;
    keep(tenant, request, response, Reply::created)
}

/// Stores a customized response and shows it.
fn keep(
    tenant: &mut Tenant,
    request: &Request<'_>,
    response: GatewayResponse,
    reply: fn(&GatewayResponse) -> Reply,
) -> Answer {
    let api = request.api_mut(tenant)?;
    check(&response)?;
    let responses = &mut api.definition.gateway_responses;
    responses.insert(response.response_type.clone(), Arc::new(response));
    Ok(reply(&shown(kind_of(request)?, responses)))
}

fn check(response: &GatewayResponse) -> Result<(), Error> {
    let status = response.status_code.as_deref();
    if status.is_some_and(|status| !is_status(status)) {
        return Err(Error::bad_request("Invalid status code specified. It must match [1-5]\\d\\d"));
    }
    let is_parameter = |name: &String| {
        let name = name.strip_prefix("gatewayresponse.");
        name.and_then(|name| name.split_once('.'))
            .is_some_and(|(place, name)| matches!(place, "header" | "path" | "querystring") && !name.is_empty())
    };
    match response.response_parameters.keys().find(|name| !is_parameter(name)) {
        None => check_mappings(Some(&response.response_parameters), "gatewayresponse.", &REQUEST_SOURCES),
        Some(wrong) => Err(Error::bad_request(format!("Invalid mapping expression parameter specified: {wrong}"))),
    }
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch_labelled(check_type(request))?;
    let customized = &request.api(tenant)?.definition.gateway_responses;
    let name = request.label("response_type");
    let before = customized.get(name).map(|response| (**response).clone());
    let mut response =
        before.unwrap_or(GatewayResponse { response_type: name.to_owned(), ..GatewayResponse::default() });
    for operation in &operations {
        change(&mut response, operation)?;
    }
    keep(tenant, request, response, Reply::ok)
}

fn change(response: &mut GatewayResponse, operation: &PatchOperation) -> Result<(), Error> {
    let segments = operation.segments();
    match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["statusCode"] if operation.op == Op::Replace => response.status_code = operation.optional(),
        ["responseParameters", name] => {
            change_entry(&mut response.response_parameters, ("responseParameters", name), operation)?;
        }
        ["responseTemplates", media_type] => {
            change_entry(&mut response.response_templates, ("responseTemplates", media_type), operation)?;
        }
        _ => return Err(patch::invalid(operation)),
    }
    Ok(())
}

fn change_entry(texts: &mut Texts, place: (&str, &str), operation: &PatchOperation) -> Result<(), Error> {
    let mut map: Option<BTreeMap<_, _>> = Some(std::mem::take(texts));
    let changed = patch::entry(&mut map, place, operation, |operation| operation.text().to_owned());
    *texts = map.unwrap_or_default();
    changed
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    request.check_labels(check_type(request))?;
    let api = request.api_mut(tenant)?;
    api.definition.gateway_responses.remove(request.label("response_type")).ok_or_else(undefined)?;
    Ok(Reply::accepted())
}
