//! Tags of whatever an ARN names.

use ringgate_core::aws::arn::Arn;
use serde_json::json;

use super::{Operation, Request, read, write};
use super::{access_associations, api_keys, client_certificates, domains, stages, usage_plans, vpc_links};
use crate::admin::state::{Collection, Tenant};
use crate::admin::wire::Texts;
use crate::admin::wire::account::DomainName;
use crate::admin::wire::error::Error;
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::tags::check;
use std::sync::Arc;

const TAGS: &str = "/tags/{resource_arn+}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetTags", "GET", TAGS, get),
    write("TagResource", "PUT", TAGS, tag),
    write("UntagResource", "DELETE", TAGS, untag),
];

/// The path of an ARN of the caller's own region and account: `arn:aws:apigateway:{region}::/restapis/{id}`. Those of
/// private domain names have the account, the others none.
fn path_of<'r>(request: &'r Request<'_>) -> Result<&'r str, Error> {
    let text = request.label("resource_arn");
    let wrong = || Error::bad_request(format!("Invalid ARN specified in the request: {text}"));
    let arn = Arn::parse(text).map_err(|_| wrong())?;
    let is_own = arn.service == "apigateway"
        && arn.region == request.caller.region
        && (arn.account.is_empty() || arn.account == request.caller.account);
    arn.resource.strip_prefix('/').filter(|_| is_own).ok_or_else(wrong)
}

/// The tags of what the ARN names.
fn tags_mut<'t>(tenant: &'t mut Tenant, request: &Request<'_>) -> Result<&'t mut Texts, Error> {
    let path = path_of(request)?;
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["restapis", id] => {
            let api = tenant.api_mut(id).ok_or_else(|| request.unknown_api(id))?;
            Ok(&mut Arc::make_mut(&mut api.definition.rest_api).tags)
        }
        ["restapis", id, "stages", name] => {
            let api = tenant.api_mut(id).ok_or_else(|| request.unknown_api(id))?;
            Ok(&mut one(&mut api.stages, name, stages::unknown)?.tags)
        }
        ["apikeys", id] => Ok(&mut one(&mut tenant.api_keys, id, api_keys::unknown)?.tags),
        ["usageplans", id] => Ok(&mut one(&mut tenant.usage_plans, id, usage_plans::unknown)?.tags),
        ["vpclinks", id] => Ok(&mut one(&mut tenant.vpc_links, id, vpc_links::unknown)?.tags),
        ["clientcertificates", id] => {
            Ok(&mut one(&mut tenant.client_certificates, id, client_certificates::unknown)?.tags)
        }
        ["domainnames", name] => Ok(&mut domain(&mut tenant.domain_names, name)?.tags),
        ["domainnameaccessassociations", ..] => {
            let arn = request.label("resource_arn");
            Ok(&mut one(&mut tenant.access_associations, arn, access_associations::unknown)?.tags)
        }
        _ => {
            Err(Error::bad_request(format!("Invalid ARN specified in the request: {}", request.label("resource_arn"))))
        }
    }
}

fn one<'t, T: Clone>(things: &'t mut Collection<T>, id: &str, unknown: fn() -> Error) -> Result<&'t mut T, Error> {
    things.get_mut(id).map(Arc::make_mut).ok_or_else(unknown)
}

/// A domain name; the ARN of a private one has its identifier behind a plus sign.
fn domain<'t>(names: &'t mut Collection<DomainName>, name: &str) -> Result<&'t mut DomainName, Error> {
    let (name, id) = name.split_once('+').map_or((name, None), |(name, id)| (name, Some(id)));
    let domain = one(names, &name.to_ascii_lowercase(), domains::unknown)?;
    if id.is_some() && domain.domain_name_id.as_deref() != id { Err(domains::unknown()) } else { Ok(domain) }
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    // Looking the way a change would costs a copy of one account's maps, and keeps the two from differing.
    let tags = tags_mut(&mut tenant.clone(), request)?.clone();
    Ok(Reply::ok(&json!({ "tags": tags })))
}

fn tag(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let new = request.read(|input| {
        let new = input.texts("tags")?;
        input.require("tags");
        Ok(new)
    })?;
    let tags = tags_mut(tenant, request)?;
    tags.extend(new.unwrap_or_default());
    check(tags)?;
    Ok(Reply::no_content())
}

fn untag(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let gone: Vec<_> = request.query_all("tagKeys").collect();
    tags_mut(tenant, request)?.retain(|name, _| !gone.contains(&name.as_str()));
    Ok(Reply::no_content())
}
