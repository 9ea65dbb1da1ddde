//! `DocumentationPart` and `DocumentationVersion`.

use std::sync::Arc;

use ringgate_core::import;
use ringgate_core::model::documentation::{DocumentationLocation, GivenLocation, PartType};
use serde_json::{Value, json};

use super::import::PUT_MODES;
use super::request::{Quota, new_id};
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::state::adopt::{to_location, to_parts};
use crate::admin::state::convert::to_model;
use crate::admin::wire::error::Error;
use crate::admin::wire::input::{Input, is_status};
use crate::admin::wire::parts::{DocumentationPart, DocumentationPartLocation, DocumentationVersion};
use crate::admin::wire::patch;
use crate::admin::wire::reply::{Answer, Reply};

const PARTS: &str = "/restapis/{restapi_id}/documentation/parts";
const PART: &str = "/restapis/{restapi_id}/documentation/parts/{part_id}";
const VERSIONS: &str = "/restapis/{restapi_id}/documentation/versions";
const VERSION: &str = "/restapis/{restapi_id}/documentation/versions/{doc_version}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetDocumentationParts", "GET", PARTS, list),
    write("CreateDocumentationPart", "POST", PARTS, create),
    write("ImportDocumentationParts", "PUT", PARTS, import_parts),
    read("GetDocumentationPart", "GET", PART, get),
    write("UpdateDocumentationPart", "PATCH", PART, update),
    write("DeleteDocumentationPart", "DELETE", PART, delete),
    read("GetDocumentationVersions", "GET", VERSIONS, list_versions),
    write("CreateDocumentationVersion", "POST", VERSIONS, create_version),
    read("GetDocumentationVersion", "GET", VERSION, get_version),
    write("UpdateDocumentationVersion", "PATCH", VERSION, update_version),
    write("DeleteDocumentationVersion", "DELETE", VERSION, delete_version),
];

const PARTS_QUOTA: Quota = Quota::of_api(2_000, "documentation parts");
const STATUS_PATTERN: &str = "^([1-5]\\d\\d|\\*|\\s*)$";
const TYPES: [&str; 12] = [
    "API",
    "AUTHORIZER",
    "MODEL",
    "RESOURCE",
    "METHOD",
    "PATH_PARAMETER",
    "QUERY_PARAMETER",
    "REQUEST_HEADER",
    "REQUEST_BODY",
    "RESPONSE",
    "RESPONSE_HEADER",
    "RESPONSE_BODY",
];

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    request.check_query("type", &TYPES)?;
    request.check_query("locationStatus", &["DOCUMENTED", "UNDOCUMENTED"])?;
    let parts = request.api(tenant)?.definition.documentation_parts.iter();
    let is_wanted = |part: &DocumentationPart| {
        let location = &part.location;
        let same =
            |parameter: &str, value: Option<&str>| request.query(parameter).is_none_or(|wanted| value == Some(wanted));
        let begins =
            request.query("path").is_none_or(|path| location.path.as_deref().is_some_and(|p| p.starts_with(path)));
        // Every part that is kept has a text.
        let has_content = request.query("locationStatus") != Some("UNDOCUMENTED");
        same("type", Some(&location.kind)) && same("name", location.name.as_deref()) && begins && has_content
    };
    request.page(parts.filter(|(_, part)| is_wanted(part)).map(|(id, part)| (id.clone(), part.clone())))
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (location, properties) = request.read(|input| {
        let location = input.object("location", read_location)?;
        if location.is_none() {
            input.required_string("location")?;
        }
        Ok((location.unwrap_or_default(), input.required_string("properties")?))
    })?;
    let parts = &mut request.api_mut(tenant)?.definition.documentation_parts;
    check_properties(&properties)?;
    let location = settled(location);
    if parts.values().any(|part| part.location == location) {
        return Err(Error::conflict("Documentation part already exists for the specified location"));
    }
    request.check_count(parts.len(), PARTS_QUOTA)?;
    let part = DocumentationPart { id: new_id(6), location, properties };
    let reply = Reply::created(&part);
    parts.insert(part.id.clone(), Arc::new(part));
    Ok(reply)
}

fn read_location(input: Input<'_>) -> Result<DocumentationPartLocation, Error> {
    let kind = input.one_of("type", &TYPES)?;
    if kind.is_none() {
        input.required_string("type")?;
    }
    Ok(DocumentationPartLocation {
        kind: kind.unwrap_or_default(),
        path: input.string("path")?,
        method: input.string("method")?,
        status_code: input.matching("statusCode", STATUS_PATTERN, |text| {
            is_status(text) || text == "*" || text.bytes().all(|byte| byte.is_ascii_whitespace())
        })?,
        name: input.string("name")?,
    })
}

/// The location as it is kept: members that its type has not are left out, others get their defaults.
fn settled(given: DocumentationPartLocation) -> DocumentationPartLocation {
    let Some(kind) = PartType::parse(&given.kind) else { return given };
    let DocumentationPartLocation { path, method, status_code, name, kind: text } = given;
    let location = DocumentationLocation::new(kind, GivenLocation { path, method, status_code, name });
    DocumentationPartLocation {
        kind: text,
        path: location.path,
        method: location.method,
        status_code: location.status_code,
        name: location.name,
    }
}

fn check_properties(properties: &str) -> Result<(), Error> {
    match serde_json::from_str::<Value>(properties) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(Error::bad_request("Documentation part properties must be a valid JSON object")),
    }
}

fn unknown() -> Error {
    Error::not_found("Invalid Documentation part identifier specified")
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("part_id");
    Ok(Reply::ok(request.part(tenant, |api| api.definition.documentation_parts.get(id), unknown)?))
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    // Of an API that is not there AWS says that the part is not (R).
    let api = tenant.api_mut(request.label("restapi_id")).ok_or_else(unknown)?;
    let part = api.definition.documentation_parts.get_mut(request.label("part_id")).ok_or_else(unknown)?;
    let part = Arc::make_mut(part);
    for operation in &operations {
        patch::replaces(operation, &["/properties"])?;
        check_properties(operation.text())?;
        operation.text().clone_into(&mut part.properties);
    }
    Ok(Reply::ok(part))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let parts = &mut request.api_mut(tenant)?.definition.documentation_parts;
    parts.remove(request.label("part_id")).ok_or_else(unknown)?;
    Ok(Reply::accepted())
}

fn import_parts(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    request.check_query("mode", &PUT_MODES)?;
    let options = super::import::options(request)?;
    let text = std::str::from_utf8(request.body).unwrap_or_default();
    let definition = &mut request.api_mut(tenant)?.definition;
    let imported = import::documentation_parts(text, &options).map_err(Error::bad_request)?;
    let mut parts = imported.clone();
    if request.query("mode") != Some("overwrite") {
        import::merge_parts(&to_model(definition).documentation.parts, &mut parts);
    }
    definition.documentation_parts = to_parts(&parts, &definition.documentation_parts);
    // In the document's order (R).
    let parts = &definition.documentation_parts;
    let id_of = |part| parts.values().find(|kept| kept.location == to_location(part)).map(|kept| kept.id.as_str());
    let ids: Vec<_> = imported.iter().filter_map(id_of).collect();
    Ok(Reply::ok(&json!({ "ids": ids })))
}

fn list_versions(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let versions = request.api(tenant)?.documentation_versions.iter();
    request.page(versions.map(|(name, version)| (name.clone(), version.shown())))
}

fn create_version(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (version, stage, description) = request.read(|input| {
        Ok((input.required_string("documentationVersion")?, input.string("stageName")?, input.string("description")?))
    })?;
    let now = request.now();
    let api = request.api_mut(tenant)?;
    if version.is_empty() {
        return Err(Error::bad_request("Documentation version cannot be empty"));
    }
    if api.documentation_versions.contains_key(&version) {
        return Err(Error::conflict("Documentation version already exists"));
    }
    if api.definition.documentation_parts.is_empty() {
        return Err(Error::bad_request("Cannot create a documentation version of an API without documentation"));
    }
    let parts = api.definition.documentation_parts.values().map(|part| (**part).clone()).collect();
    let made = DocumentationVersion { version: version.clone(), created_date: now, description, parts };
    let reply = Reply::created(&made.shown());
    if let Some(name) = stage {
        let stage = api.stages.get_mut(&name).ok_or_else(super::stages::unknown)?;
        Arc::make_mut(stage).documentation_version = Some(version.clone());
    }
    api.documentation_versions.insert(version, Arc::new(made));
    Ok(reply)
}

pub(super) fn unknown_version() -> Error {
    Error::not_found("Invalid Documentation version specified")
}

fn get_version(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let name = request.label("doc_version");
    let version = request.part(tenant, |api| api.documentation_versions.get(name), unknown_version)?;
    Ok(Reply::ok(&version.shown()))
}

fn update_version(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let api = tenant.api_mut(request.label("restapi_id")).ok_or_else(unknown_version)?;
    let version = api.documentation_versions.get_mut(request.label("doc_version")).ok_or_else(unknown_version)?;
    let version = Arc::make_mut(version);
    for operation in &operations {
        patch::replaces(operation, &["/description"])?;
        version.description = operation.optional();
    }
    Ok(Reply::ok(&version.shown()))
}

fn delete_version(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let api = request.api_mut(tenant)?;
    let name = request.label("doc_version");
    if api.stages.values().any(|stage| stage.documentation_version.as_deref() == Some(name)) {
        return Err(Error::conflict("Cannot delete a documentation version that a stage uses"));
    }
    api.documentation_versions.remove(name).ok_or_else(unknown_version)?;
    Ok(Reply::accepted())
}
