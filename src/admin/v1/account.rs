//! What an account has besides APIs and keys: its settings, VPC links, client certificates, tags, SDK types.

use std::sync::Arc;

use serde_json::{Value, json};

use super::api_keys::with_tags;
use super::request::new_id;
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::wire::Texts;
use crate::admin::wire::account::{Account, VpcLink};
use crate::admin::wire::error::Error;
use crate::admin::wire::patch::{self, Op};
use crate::admin::wire::reply::{Answer, Reply};

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetAccount", "GET", "/account", get_account),
    write("UpdateAccount", "PATCH", "/account", update_account),
    read("GetVpcLinks", "GET", "/vpclinks", list_links),
    write("CreateVpcLink", "POST", "/vpclinks", create_link),
    read("GetVpcLink", "GET", "/vpclinks/{vpclink_id}", get_link),
    write("UpdateVpcLink", "PATCH", "/vpclinks/{vpclink_id}", update_link),
    write("DeleteVpcLink", "DELETE", "/vpclinks/{vpclink_id}", delete_link),
    read("GetTags", "GET", "/tags/{resource_arn+}", get_tags),
    write("TagResource", "PUT", "/tags/{resource_arn+}", tag),
    write("UntagResource", "DELETE", "/tags/{resource_arn+}", untag),
    read("GetSdkTypes", "GET", "/sdktypes", list_sdk_types),
    read("GetSdkType", "GET", "/sdktypes/{sdktype_id}", get_sdk_type),
];

/// Tags of one thing (AWS's quota).
const TAGS_MAX: usize = 50;

fn shown_account(account: &Account) -> Value {
    let mut shown = json!({
        // AWS's numbers; ours are off unless they are set.
        "throttleSettings": { "burstLimit": 5000, "rateLimit": 10000.0 },
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    });
    if let Some(role) = &account.cloudwatch_role_arn {
        shown["cloudwatchRoleArn"] = json!(role);
    }
    shown
}

fn get_account(tenant: &Tenant, _: &Request<'_>) -> Answer {
    Ok(Reply::ok(&shown_account(&tenant.account)))
}

fn update_account(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let account = Arc::make_mut(&mut tenant.account);
    for operation in &request.patch()? {
        match (operation.op, operation.path()) {
            (Op::Replace, "/cloudwatchRoleArn") => {
                let role = operation.optional();
                if role.as_ref().is_some_and(|role| !role.starts_with("arn:")) {
                    return Err(Error::bad_request("The role ARN is not well formed"));
                }
                account.cloudwatch_role_arn = role;
            }
            (Op::Add, "/features") if operation.text() == "UsagePlans" => {}
            (Op::Remove, "/features") => {
                return Err(Error::bad_request("Usage Plans cannot be disabled once enabled"));
            }
            _ => return Err(patch::invalid_path(operation, &["/cloudwatchRoleArn"])),
        }
    }
    Ok(Reply::ok(&shown_account(account)))
}

fn list_links(tenant: &Tenant, request: &Request<'_>) -> Answer {
    request.page(tenant.vpc_links.iter().map(|(id, link)| (id.clone(), link.clone())))
}

fn create_link(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
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
    if link.target_arns.is_empty() {
        return Err(Error::bad_request("A VPC link must have a target"));
    }
    let reply = Reply::json(202, &link);
    // Nothing has to be built: from the next call on it is there.
    link.status = "AVAILABLE".to_owned();
    link.status_message = Some("Your vpc link is ready for use".to_owned());
    tenant.vpc_links.insert(link.id.clone(), Arc::new(link));
    Ok(reply)
}

fn unknown_link() -> Error {
    Error::not_found("Invalid Vpc Link identifier specified")
}

fn get_link(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let link = tenant.vpc_links.get(request.label("vpclink_id")).ok_or_else(unknown_link)?;
    Ok(Reply::ok(&with_tags(json!(link))))
}

fn update_link(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let link = tenant.vpc_links.get_mut(request.label("vpclink_id")).ok_or_else(unknown_link)?;
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

fn delete_link(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("vpclink_id");
    tenant.vpc_links.remove(id).ok_or_else(unknown_link)?;
    Ok(Reply::accepted())
}

/// The tags of what an ARN names: `arn:aws:apigateway:{region}::/restapis/{id}` and so on.
fn tags_mut<'t>(tenant: &'t mut Tenant, request: &Request<'_>) -> Result<&'t mut Texts, Error> {
    let arn = request.label("resource_arn");
    let wrong = || Error::bad_request(format!("Invalid ARN specified in the request: {arn}"));
    let path = arn.strip_prefix("arn:").and_then(|arn| arn.split_once("::/")).ok_or_else(wrong)?.1;
    let missing = || Error::not_found(format!("Invalid resource ARN specified: {arn}"));
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["restapis", id] => {
            let api = tenant.api_mut(id).ok_or_else(|| request.unknown_api(id))?;
            Ok(&mut Arc::make_mut(&mut api.definition.rest_api).tags)
        }
        ["restapis", id, "stages", name] => {
            let api = tenant.api_mut(id).ok_or_else(|| request.unknown_api(id))?;
            Ok(&mut Arc::make_mut(api.stages.get_mut(*name).ok_or_else(missing)?).tags)
        }
        ["apikeys", id] => Ok(&mut Arc::make_mut(tenant.api_keys.get_mut(*id).ok_or_else(missing)?).tags),
        ["usageplans", id] => Ok(&mut Arc::make_mut(tenant.usage_plans.get_mut(*id).ok_or_else(missing)?).tags),
        ["vpclinks", id] => Ok(&mut Arc::make_mut(tenant.vpc_links.get_mut(*id).ok_or_else(missing)?).tags),
        ["domainnames", id] => Ok(&mut Arc::make_mut(tenant.domain_names.get_mut(*id).ok_or_else(missing)?).tags),
        ["clientcertificates", id] => {
            let certificate = tenant.client_certificates.get_mut(*id).ok_or_else(missing)?;
            Ok(&mut Arc::make_mut(certificate).tags)
        }
        _ => Err(wrong()),
    }
}

fn get_tags(tenant: &Tenant, request: &Request<'_>) -> Answer {
    // Looking the way a change would costs a copy of one account's maps, and keeps the two from differing.
    let tags = tags_mut(&mut tenant.clone(), request)?.clone();
    Ok(Reply::ok(&json!({ "tags": tags })))
}

fn tag(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let new = request.read(|input| input.texts("tags"))?.unwrap_or_default();
    if let Some(reserved) = new.keys().find(|name| name.is_empty() || name.to_ascii_lowercase().starts_with("aws:")) {
        return Err(Error::bad_request(format!("Invalid tag key specified: {reserved}")));
    }
    let tags = tags_mut(tenant, request)?;
    tags.extend(new);
    if tags.len() > TAGS_MAX {
        return Err(Error::bad_request(format!("A resource can have at most {TAGS_MAX} tags")));
    }
    Ok(Reply::no_content())
}

fn untag(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let gone: Vec<_> = request.query_all("tagKeys").collect();
    tags_mut(tenant, request)?.retain(|name, _| !gone.contains(&name.as_str()));
    Ok(Reply::no_content())
}

/// Id, name and what it is.
const SDK_TYPES: [(&str, &str, &str); 5] = [
    ("android", "Android", "Android SDK"),
    ("java", "Java", "Java SDK"),
    ("javascript", "JavaScript", "JavaScript SDK"),
    ("objectivec", "iOS (Objective-C)", "iOS SDK in Objective-C"),
    ("ruby", "Ruby", "Ruby SDK"),
];

fn sdk_type((id, name, description): (&str, &str, &str)) -> Value {
    json!({ "id": id, "friendlyName": name, "description": description })
}

fn list_sdk_types(_: &Tenant, request: &Request<'_>) -> Answer {
    request.page(SDK_TYPES.map(|kind| (kind.0.to_owned(), sdk_type(kind))))
}

fn get_sdk_type(_: &Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("sdktype_id");
    let found = SDK_TYPES.into_iter().find(|kind| kind.0 == id);
    let found = found.ok_or_else(|| Error::not_found(format!("Invalid SDK type specified: {id}")))?;
    Ok(Reply::ok(&sdk_type(found)))
}
