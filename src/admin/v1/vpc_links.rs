//! `VpcLink`: a way into a private network.

use std::sync::Arc;

use serde_json::json;

use super::api_keys::with_tags;
use super::request::{Quota, new_id};
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::wire::account::VpcLink;
use crate::admin::wire::error::Error;
use crate::admin::wire::patch;
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::tags::check;

const VPC_LINKS_MAX: Quota = Quota::of_account(20, "VPC links");
const ONE: &str = "/vpclinks/{vpclink_id}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetVpcLinks", "GET", "/vpclinks", list),
    write("CreateVpcLink", "POST", "/vpclinks", create),
    read("GetVpcLink", "GET", ONE, get),
    write("UpdateVpcLink", "PATCH", ONE, update),
    write("DeleteVpcLink", "DELETE", ONE, delete),
];

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    request.page(tenant.vpc_links.iter().map(|(id, link)| (id.clone(), link.clone())))
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let mut link = request.read(|input| {
        Ok(VpcLink {
            id: new_id(6),
            name: input.required_string("name")?,
            description: input.string("description")?,
            target_arns: input.strings("targetArns")?.unwrap_or_default(),
            tags: input.texts("tags")?.unwrap_or_default(),
            status: "PENDING".to_owned(),
            status_message: None,
        })
    })?;
    if link.name.is_empty() {
        return Err(Error::bad_request("Name cannot be empty"));
    }
    if let Some(wrong) = link.target_arns.iter().find(|arn| arn.split(':').count() < 6 || !arn.starts_with("arn:")) {
        return Err(Error::bad_request(format!("Invalid ARN. ARN is not well formed {wrong}")));
    }
    match link.target_arns.len() {
        0 => return Err(Error::bad_request("A VPC link must have a target")),
        1 => {}
        _ => return Err(Error::bad_request("More than one target arn specified for vpc link.")),
    }
    check(&link.tags)?;
    request.check_count(tenant.vpc_links.len(), VPC_LINKS_MAX)?;
    let reply = Reply::json(202, &link);
    // Nothing has to be built: from the next call on it is there.
    link.status = "AVAILABLE".to_owned();
    link.status_message = Some("Your vpc link is ready for use".to_owned());
    tenant.vpc_links.insert(link.id.clone(), Arc::new(link));
    Ok(reply)
}

pub(super) fn unknown() -> Error {
    Error::not_found("Invalid Vpc Link identifier specified")
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let link = tenant.vpc_links.get(request.label("vpclink_id")).ok_or_else(unknown)?;
    Ok(Reply::ok(&with_tags(json!(link))))
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let link = tenant.vpc_links.get_mut(request.label("vpclink_id")).ok_or_else(unknown)?;
    let link = Arc::make_mut(link);
    for operation in &operations {
        patch::replaces(operation, &["/name", "/description"])?;
        match operation.path() {
            "/name" if operation.text().is_empty() => return Err(Error::bad_request("Name cannot be empty")),
            "/name" => operation.text().clone_into(&mut link.name),
            _ => link.description = operation.optional(),
        }
    }
    Ok(Reply::ok(&with_tags(json!(link))))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("vpclink_id");
    let users = users(tenant, id);
    if !users.is_empty() {
        return Err(Error::bad_request(format!(
            "Cannot delete vpc link. Vpc link '{id}', is referenced in [{}] in format of \
             [RESTApiId:Method:Resource:Stage].",
            users.join(", ")
        )));
    }
    tenant.vpc_links.remove(id).ok_or_else(unknown)?;
    Ok(Reply::accepted())
}

/// The methods of stages that go through a link.
fn users(tenant: &Tenant, link: &str) -> Vec<String> {
    let mut users = Vec::new();
    for (id, api) in &tenant.apis {
        for stage in api.stages.values() {
            let Some(deployment) = api.deployments.get(&stage.deployment_id) else { continue };
            for (resource, verb, method) in deployment.definition.methods() {
                let integration = method.method_integration.as_ref();
                if integration.is_some_and(|integration| integration.connection_id.as_deref() == Some(link)) {
                    users.push(format!("{id}:{verb}:{}:{}", resource.id, stage.stage_name));
                }
            }
        }
    }
    users
}
