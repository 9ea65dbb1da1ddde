//! Documents out: `GetExport`. SDKs are not generated.

use ringgate_core::base::WallTime;
use ringgate_core::base::calendar::rfc3339;
use ringgate_core::import::export::{ExportOptions, ExportType, Extensions, export, stated_version, to_yaml};
use ringgate_core::model::documentation::DocumentationVersion as ModelVersion;
use serde_json::Value;

use super::{Operation, Request, read};
use crate::admin::state::convert::to_documentation;
use crate::admin::state::{Api, Tenant};
use crate::admin::wire::EpochSeconds;
use crate::admin::wire::error::Error;
use crate::admin::wire::parts::DocumentationVersion;
use crate::admin::wire::reply::{Answer, Body, Reply};

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetExport", "GET", "/restapis/{restapi_id}/stages/{stage_name}/exports/{export_type}", get),
    read("GetSdk", "GET", "/restapis/{restapi_id}/stages/{stage_name}/sdks/{sdk_type}", get_sdk),
];

fn find<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t Api, Error> {
    let has_stage = |api: &&Api| api.stages.contains_key(request.label("stage_name"));
    request.part(tenant, |api| Some(api).filter(has_stage), super::stages::unknown)
}

/// What a stage serves, as a document.
fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let api = find(tenant, request)?;
    let stage = api.stages.get(request.label("stage_name")).ok_or_else(super::stages::unknown)?;
    let deployment = api.deployments.get(&stage.deployment_id).ok_or_else(super::deployments::unknown)?;
    let wrong_type = || Error::bad_request("Invalid export type specified. Valid options are oas30, swagger");
    let kind = ExportType::parse(request.label("export_type")).ok_or_else(wrong_type)?;
    let wrong_extension = |name| Error::bad_request(format!("Invalid extension specified: {name}"));
    let extensions = request.query("extensions").unwrap_or_default();
    let version = stage.documentation_version.as_ref().and_then(|name| api.documentation_versions.get(name));
    let version = version.map(|version| to_version(version));
    let created = time(api.definition.rest_api.created_date);
    let options = ExportOptions {
        host: &format!("{}.execute-api.{}.amazonaws.com", api.definition.rest_api.id, request.caller.region),
        stage: &stage.stage_name,
        created_date: &created,
        extensions: Extensions::parse(extensions).map_err(wrong_extension)?,
        documentation: version.as_ref(),
    };
    let model = deployment.model();
    let document = export(&model, kind, &options).map_err(Error::bad_request)?;
    let accept = request.headers.get("accept").and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (ending, text) = match accept.contains("yaml") {
        true => ("yaml", to_yaml(&document)),
        false => ("json", pretty(&document)),
    };
    let version = stated_version(&model, &options);
    let body = Body::Document {
        content_type: "application/octet-stream",
        disposition: format!("attachment; filename=\"{}_{version}.{ending}\"", kind.as_str()),
        text,
    };
    Ok(Reply { status: 200, body })
}

fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}

fn time(seconds: EpochSeconds) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    rfc3339(WallTime::from_millis(seconds.saturating_mul(1_000))).replace(".000Z", "Z")
}

fn to_version(version: &DocumentationVersion) -> ModelVersion {
    ModelVersion {
        version: version.version.clone(),
        created_date: time(version.created_date),
        parts: version.parts.iter().filter_map(to_documentation).collect(),
    }
}

/// SDKs are for generators of their own, which read an export.
fn get_sdk(tenant: &Tenant, request: &Request<'_>) -> Answer {
    find(tenant, request)?;
    Err(Error::bad_request("SDKs are not generated; export the API (oas30) and give it to an OpenAPI generator"))
}
