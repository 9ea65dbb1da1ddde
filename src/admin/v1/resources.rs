//! `Resource`: the tree of paths.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringgate_core::base::limits::RESOURCES_MAX;
use serde_json::{Value, json};

use super::request::{Quota, new_id};
use super::{Operation, Request, read, write};
use crate::admin::state::{Collection, Tenant};
use crate::admin::wire::error::Error;
use crate::admin::wire::patch::{self, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::resource::Resource;

const ALL: &str = "/restapis/{restapi_id}/resources";
const ONE: &str = "/restapis/{restapi_id}/resources/{resource_id}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetResources", "GET", ALL, list),
    write("CreateResource", "POST", "/restapis/{restapi_id}/resources/{parent_id}", create),
    read("GetResource", "GET", ONE, get),
    write("UpdateResource", "PATCH", ONE, update),
    write("DeleteResource", "DELETE", ONE, delete),
];

/// What may be replaced.
const PATHS: [&str; 2] = ["/parentId", "/pathPart"];
const RESOURCES: Quota = Quota::of_api(RESOURCES_MAX, "resources");

/// A resource as it is answered: methods by name alone, unless they are asked for with `embed=methods`.
fn shown(resource: &Resource, request: &Request<'_>) -> Value {
    let mut shown = json!(resource);
    if !request.query_all("embed").any(|embed| embed == "methods")
        && let Some(methods) = shown.get_mut("resourceMethods").and_then(Value::as_object_mut)
    {
        methods.values_mut().for_each(|method| *method = json!({}));
    }
    shown
}

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("restapi_id");
    let api = tenant.apis.get(id).ok_or_else(|| request.unknown_api(id))?;
    let resources = api.definition.resources.iter();
    request.page(resources.map(|(id, resource)| (id.clone(), shown(resource, request))))
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let resource = tenant.resource(request.label("restapi_id"), request.label("resource_id"))?;
    Ok(Reply::ok(&shown(resource, request)))
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let part = request.read(|input| input.required_string("pathPart"))?;
    let api = tenant.api_mut(request.label("restapi_id")).ok_or_else(Error::unknown_resource)?;
    let resources = &mut api.definition.resources;
    let parent = resources.get(request.label("parent_id")).ok_or_else(Error::unknown_resource)?.clone();
    check_part(&part)?;
    check_place(resources, &parent, &part, None)?;
    request.check_count(resources.len(), RESOURCES)?;
    let resource = Resource {
        id: new_id(6),
        parent_id: Some(parent.id.clone()),
        path: joined(&parent.path, &part),
        path_part: Some(part),
        resource_methods: BTreeMap::new(),
    };
    let reply = Reply::created(&resource);
    resources.insert(resource.id.clone(), Arc::new(resource));
    Ok(reply)
}

/// Path of a child.
pub fn joined(parent: &str, part: &str) -> String {
    if parent == "/" { format!("/{part}") } else { format!("{parent}/{part}") }
}

fn is_variable(part: &str) -> bool {
    part.starts_with('{') && part.ends_with('}')
}

fn is_greedy(part: &str) -> bool {
    is_variable(part) && part.ends_with("+}")
}

/// Letters, digits and a few signs, or those in braces.
fn check_part(part: &str) -> Result<(), Error> {
    let variable = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
    let inner = variable.map_or(part, |name| name.strip_suffix('+').unwrap_or(name));
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:,".contains(&byte);
    if !inner.is_empty() && inner.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Error::bad_request(
        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
         beginning and the end.",
    ))
}

/// Whether a resource, `moved` unless it is new, can stand below `parent` under the name `part`.
fn check_place(
    resources: &Collection<Resource>,
    parent: &Resource,
    part: &str,
    moved: Option<&str>,
) -> Result<(), Error> {
    if let Some(greedy) = parent.path_part.as_deref().filter(|part| is_greedy(part)) {
        let message = format!("Cannot create a child of a resource with a greedy path variable: {greedy}");
        return Err(Error::bad_request(message));
    }
    let siblings = resources.values().filter(|resource| resource.parent_id.as_deref() == Some(&parent.id));
    for sibling in siblings.filter(|sibling| moved != Some(&sibling.id)) {
        let name = sibling.path_part.as_deref().unwrap_or_default();
        if name == part {
            let message = format!("Another resource with the same parent already has this name: {part}");
            return Err(Error::conflict(message));
        }
        if is_variable(name) && is_variable(part) {
            let message =
                format!("A sibling ({name}) of this resource already has a variable path part -- only one is allowed");
            return Err(Error::bad_request(message));
        }
    }
    Ok(())
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let id = request.label("resource_id");
    tenant.resource(request.label("restapi_id"), id)?;
    let api = tenant.api_mut(request.label("restapi_id")).ok_or_else(Error::unknown_resource)?;
    let resources = &mut api.definition.resources;
    for operation in &operations {
        patch(resources, id, operation)?;
    }
    let resource = resources.get(id).ok_or_else(Error::unknown_resource)?;
    Ok(Reply::ok(&shown(resource, request)))
}

fn patch(resources: &mut Collection<Resource>, id: &str, operation: &PatchOperation) -> Result<(), Error> {
    patch::replaces(operation, &PATHS)?;
    let resource = resources.get(id).ok_or_else(Error::unknown_resource)?.clone();
    let member = operation.path().trim_start_matches('/');
    let (Some(parent), Some(part)) = (&resource.parent_id, &resource.path_part) else {
        return Err(Error::bad_request(format!("Root resource cannot update its {member}.")));
    };
    let value = operation.text();
    let (parent, part) = if member == "parentId" { (value, part.as_str()) } else { (parent.as_str(), value) };
    let parent = resources.get(parent).ok_or_else(Error::unknown_resource)?.clone();
    if member == "pathPart" {
        check_part(part)?;
    }
    if is_below(resources, &parent.id, id) {
        return Err(Error::bad_request("Resources cannot be cyclical."));
    }
    check_place(resources, &parent, part, Some(id))?;
    let moved =
        Resource { parent_id: Some(parent.id.clone()), path_part: Some(part.to_owned()), ..(*resource).clone() };
    resources.insert(id.to_owned(), Arc::new(moved));
    set_paths(resources, id, &joined(&parent.path, part));
    Ok(())
}

/// Whether `id` is `above` or stands below it.
fn is_below(resources: &Collection<Resource>, id: &str, above: &str) -> bool {
    let mut at = Some(id);
    while let Some(id) = at {
        if id == above {
            return true;
        }
        at = resources.get(id).and_then(|resource| resource.parent_id.as_deref());
    }
    false
}

/// Gives a resource its path, and those below it theirs.
fn set_paths(resources: &mut Collection<Resource>, id: &str, path: &str) {
    let Some(resource) = resources.get_mut(id) else { return };
    Arc::make_mut(resource).path = path.to_owned();
    let is_child = |resource: &Arc<Resource>| resource.parent_id.as_deref() == Some(id);
    let children: Vec<_> = resources.values().filter(|resource| is_child(resource)).cloned().collect();
    for child in children {
        set_paths(resources, &child.id, &joined(path, child.path_part.as_deref().unwrap_or_default()));
    }
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (api, id) = (request.label("restapi_id"), request.label("resource_id"));
    if tenant.resource(api, id)?.parent_id.is_none() {
        return Err(Error::bad_request("Root resource cannot be deleted"));
    }
    let resources = &mut tenant.api_mut(api).ok_or_else(Error::unknown_resource)?.definition.resources;
    let below: Vec<String> = resources.keys().filter(|other| is_below(resources, other, id)).cloned().collect();
    for id in below {
        resources.remove(&id);
    }
    Ok(Reply::accepted())
}
