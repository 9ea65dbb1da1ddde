//! `Stage`: a name for a deployment, and how it is served.

use std::sync::Arc;

use super::domains::mapped;
use super::request::Quota;
use super::{Operation, Request, read, write};
use super::{client_certificates, deployments, documentation};
use crate::admin::state::serving::overridden;
use crate::admin::state::{Api, Tenant};
use crate::admin::wire::account::{ApiStage, BasePathMapping};
use crate::admin::wire::deployment::{AccessLogSettings, CanarySettings, MethodSetting, Stage};
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::patch::{Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::{EpochSeconds, Texts, tags};

const ALL: &str = "/restapis/{restapi_id}/stages";
const ONE: &str = "/restapis/{restapi_id}/stages/{stage_name}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetStages", "GET", ALL, list),
    write("CreateStage", "POST", ALL, create),
    read("GetStage", "GET", ONE, get),
    write("UpdateStage", "PATCH", ONE, update),
    write("DeleteStage", "DELETE", ONE, delete),
    read("FlushStageCache", "DELETE", "/restapis/{restapi_id}/stages/{stage_name}/cache/data", flush),
    read("FlushStageAuthorizersCache", "DELETE", "/restapis/{restapi_id}/stages/{stage_name}/cache/authorizers", flush),
];

pub(super) const STAGES: Quota = Quota::of_api(10, "stages");
const CACHE_SIZES: [&str; 8] = ["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"];
/// Rate and burst of an account, which settings of a method show until they are set (R).
const ACCOUNT_RATE: f64 = 10_000.0;
const ACCOUNT_BURST: i64 = 5_000;
/// Stage variables (dg/stage-variables): how many, and characters of a name and of a value.
const VARIABLES_MAX: usize = 100;
const VARIABLE_NAME_MAX: usize = 64;
const VARIABLE_VALUE_MAX: usize = 512;
/// Bytes of an access log's format.
const FORMAT_BYTES_MAX: usize = 3 << 10;
const STRATEGIES: [&str; 3] = ["FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER"];

/// AWS's list of paths, its missing commas included (R).
const PATHS: &str = "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, \
    /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, \
    /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, \
    /{resourcePath}/{httpMethod}/logging/loglevel, \
    /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, \
    /{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, \
    /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, \
    /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, \
    /*/*/logging/dataTrace, /*/*/logging/loglevel, \
    /*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, \
    /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, \
    /*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled";

/// Members of a stage that a call may set besides its deployment.
#[derive(Debug, Default)]
pub(super) struct NewStage {
    pub description: Option<String>,
    pub cache_cluster_enabled: Option<bool>,
    pub cache_cluster_size: Option<String>,
    pub variables: Option<Texts>,
    pub tracing_enabled: Option<bool>,
}

pub(super) fn read_cache_size(input: &Input<'_>) -> Result<Option<String>, Error> {
    input.one_of("cacheClusterSize", &CACHE_SIZES)
}

pub(super) fn unknown() -> Error {
    Error::not_found("Invalid stage identifier specified")
}

/// Points a stage at a deployment; one that is not there is made.
pub(super) fn point(
    api: &mut Api,
    name: &str,
    deployment: String,
    new: NewStage,
    now: EpochSeconds,
) -> Result<(), Error> {
    check_name(name)?;
    let stage = api.stages.entry(name.to_owned()).or_insert_with(|| Arc::new(blank(name, now)));
    let stage = Arc::make_mut(stage);
    stage.deployment_id = deployment;
    stage.last_updated_date = now;
    if let Some(description) = new.description.filter(|text| !text.is_empty()) {
        stage.description = Some(description);
    }
    if let Some(variables) = new.variables {
        check_variables(&variables)?;
        stage.variables = variables;
    }
    stage.tracing_enabled = new.tracing_enabled.unwrap_or(stage.tracing_enabled);
    stage.cache_cluster_size = new.cache_cluster_size.or(stage.cache_cluster_size.take());
    stage.cache_cluster_enabled = new.cache_cluster_enabled.unwrap_or(stage.cache_cluster_enabled);
    settle(stage);
    Ok(())
}

fn blank(name: &str, now: EpochSeconds) -> Stage {
    Stage { stage_name: name.to_owned(), created_date: now, last_updated_date: now, ..Stage::default() }
}

/// What follows from the other members.
fn settle(stage: &mut Stage) {
    if stage.cache_cluster_enabled {
        stage.cache_cluster_size.get_or_insert_with(|| CACHE_SIZES[0].to_owned());
    }
    let status = if stage.cache_cluster_enabled { "AVAILABLE" } else { "NOT_AVAILABLE" };
    status.clone_into(&mut stage.cache_cluster_status);
}

fn check_name(name: &str) -> Result<(), Error> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if (1..=128).contains(&name.len()) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Error::bad_request("Stage name only allows a-zA-Z0-9_-"))
}

fn check_variables(variables: &Texts) -> Result<(), Error> {
    if variables.len() > VARIABLES_MAX {
        return Err(Error::bad_request(format!("A stage can have at most {VARIABLES_MAX} stage variables")));
    }
    let name_is_wrong = |name: &String| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !(1..=VARIABLE_NAME_MAX).contains(&name.len()) || !name.bytes().all(is_allowed)
    };
    let value_is_wrong = |value: &String| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&byte);
        value.len() > VARIABLE_VALUE_MAX || !value.bytes().all(is_allowed)
    };
    if let Some(name) = variables.keys().find(|name| name_is_wrong(name)) {
        let message = format!("Stage variable name must only contain alphanumeric and underscore characters: {name}");
        return Err(Error::bad_request(message));
    }
    match variables.iter().find(|(_, value)| value_is_wrong(value)) {
        None => Ok(()),
        Some((name, _)) => Err(Error::bad_request(format!(
            "Stage variable value of {name} must match the pattern [A-Za-z0-9-._~:/?#&=,]+"
        ))),
    }
}

/// What a stage names besides its deployment is there.
fn check_references(stage: &Stage, api: &Api, tenant: &Tenant) -> Result<(), Error> {
    let version = stage.documentation_version.as_ref();
    if version.is_some_and(|version| !api.documentation_versions.contains_key(version)) {
        return Err(documentation::unknown_version());
    }
    let certificate = stage.client_certificate_id.as_ref();
    if certificate.is_some_and(|id| !tenant.client_certificates.contains_key(id)) {
        return Err(client_certificates::unknown());
    }
    Ok(())
}

/// A line that can be found again (dg/set-up-logging).
fn check_format(settings: Option<&AccessLogSettings>) -> Result<(), Error> {
    let Some(format) = settings.and_then(|settings| settings.format.as_deref()) else { return Ok(()) };
    if format.len() > FORMAT_BYTES_MAX {
        return Err(Error::bad_request(format!("Access log format exceeds {FORMAT_BYTES_MAX} bytes")));
    }
    let line = format.strip_suffix('\n').unwrap_or(format);
    let has_id = ["requestId", "extendedRequestId"].into_iter().any(|id| format.contains(&format!("$context.{id}")));
    if line.contains('\n') || !has_id {
        return Err(Error::bad_request(
            "Access log format must be single line, new line character is allowed only at end of the format. Format \
             should contain context.requestId or context.extendedRequestId",
        ));
    }
    Ok(())
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (mut stage, new) = request.read(|input| read_stage(&input, request.now()))?;
    let id = request.label("restapi_id");
    let api = tenant.api_mut(id).ok_or_else(|| request.unknown_api(id))?;
    check_name(&stage.stage_name)?;
    check_variables(&stage.variables)?;
    stage.canary_settings.as_ref().map_or(Ok(()), check_canary)?;
    let canary = stage.canary_settings.as_ref().and_then(|canary| canary.deployment_id.as_ref());
    if canary.is_some_and(|id| !api.deployments.contains_key(id)) {
        return Err(no_deployment());
    }
    if !api.deployments.contains_key(&stage.deployment_id) {
        return Err(deployments::unknown());
    }
    if api.stages.contains_key(&stage.stage_name) {
        return Err(Error::conflict("Stage already exists"));
    }
    request.check_count(api.stages.len(), STAGES)?;
    tags::check(&stage.tags)?;
    let version = stage.documentation_version.as_ref();
    if version.is_some_and(|version| !api.documentation_versions.contains_key(version)) {
        return Err(documentation::unknown_version());
    }
    if let Some(canary) = &mut stage.canary_settings {
        canary.deployment_id.get_or_insert_with(|| stage.deployment_id.clone());
    }
    let name = stage.stage_name.clone();
    let deployment = stage.deployment_id.clone();
    api.stages.insert(name.clone(), Arc::new(stage));
    point(api, &name, deployment, new, request.now())?;
    Ok(Reply::created(&api.stages[&name]))
}

/// # Errors
/// Its share of the traffic is none, or its variables are none.
pub(super) fn check_canary(canary: &CanarySettings) -> Result<(), Error> {
    if !(0.0..=100.0).contains(&canary.percent_traffic) {
        return Err(wrong_percent());
    }
    check_variables(&canary.stage_variable_overrides)
}

fn wrong_percent() -> Error {
    Error::bad_request("Invalid percentTraffic: it must be a number from 0.0 to 100.0")
}

fn no_deployment() -> Error {
    Error::bad_request("Deployment id does not exist")
}

fn read_stage(input: &Input<'_>, now: EpochSeconds) -> Result<(Stage, NewStage), Error> {
    let name = input.required_string("stageName")?;
    let stage = Stage {
        deployment_id: input.required_string("deploymentId")?,
        documentation_version: input.string("documentationVersion")?,
        tags: input.texts("tags")?.unwrap_or_default(),
        canary_settings: input.object("canarySettings", read_canary)?,
        ..blank(&name, now)
    };
    let new = NewStage {
        description: input.string("description")?,
        cache_cluster_enabled: input.boolean("cacheClusterEnabled")?,
        cache_cluster_size: read_cache_size(input)?,
        variables: input.texts("variables")?,
        tracing_enabled: input.boolean("tracingEnabled")?,
    };
    Ok((stage, new))
}

fn read_canary(input: Input<'_>) -> Result<CanarySettings, Error> {
    Ok(CanarySettings {
        percent_traffic: input.number("percentTraffic")?.unwrap_or_default(),
        deployment_id: input.string("deploymentId")?,
        stage_variable_overrides: input.texts("stageVariableOverrides")?.unwrap_or_default(),
        use_stage_cache: input.boolean("useStageCache")?.unwrap_or_default(),
    })
}

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("restapi_id");
    let api = tenant.apis.get(id).ok_or_else(|| request.unknown_api(id))?;
    let wanted = request.query("deploymentId");
    let stages = api.stages.values().filter(|stage| wanted.is_none_or(|id| stage.deployment_id == id));
    Ok(request.whole(stages))
}

fn find<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t Arc<Stage>, Error> {
    request.part(tenant, |api| api.stages.get(request.label("stage_name")), unknown)
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    Ok(Reply::ok(find(tenant, request)?))
}

/// Nothing is kept yet, so there is nothing to throw away.
fn flush(tenant: &Tenant, request: &Request<'_>) -> Answer {
    find(tenant, request)?;
    Ok(Reply::accepted())
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    find(tenant, request)?;
    let (id, name) = (request.label("restapi_id"), request.label("stage_name"));
    let is_meant = |mapping: &BasePathMapping| mapping.rest_api_id == id && mapping.stage.as_deref() == Some(name);
    if let Some(domains) = mapped(tenant, is_meant) {
        return Err(Error::bad_request(format!(
            "Deleting stage {name} failed. Please remove all base path mappings related to the stage in your domains: \
             {domains}"
        )));
    }
    let is_here = |stage: &ApiStage| stage.api_id == id && stage.stage == name;
    if let Some(plan) = tenant.usage_plans.values().find(|plan| plan.api_stages.iter().any(is_here)) {
        return Err(Error::bad_request(format!(
            "Deleting stage {name} failed. Please remove it from the usage plan {} first",
            plan.id
        )));
    }
    tenant.api_mut(id).ok_or_else(unknown)?.stages.remove(name);
    Ok(Reply::accepted())
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let before = &**find(tenant, request)?;
    let mut stage = before.clone();
    let api = request.api(tenant)?;
    for operation in &operations {
        change(&mut stage, api, operation)?;
    }
    check_lock(before, &stage)?;
    check_references(&stage, api, tenant)?;
    check_variables(&stage.variables)?;
    check_format(stage.access_log_settings.as_ref())?;
    stage.canary_settings.as_ref().map_or(Ok(()), check_canary)?;
    settle(&mut stage);
    stage.last_updated_date = request.now();
    let reply = Reply::ok(&stage);
    request.api_mut(tenant)?.stages.insert(stage.stage_name.clone(), Arc::new(stage));
    Ok(reply)
}

/// While a stage has a canary it serves no other deployment than that one's or its own (dg/canary-release).
fn check_lock(before: &Stage, after: &Stage) -> Result<(), Error> {
    let (Some(canary), Some(kept)) = (&before.canary_settings, &after.canary_settings) else { return Ok(()) };
    let is_canary = |canary: &CanarySettings| canary.deployment_id.as_ref() == Some(&after.deployment_id);
    if after.deployment_id == before.deployment_id || is_canary(canary) || is_canary(kept) {
        return Ok(());
    }
    Err(Error::bad_request(format!(
        "Non canary deployment not supported on stage {} because Canary is enabled. Remove canarySettings first.",
        before.stage_name
    )))
}

fn change(stage: &mut Stage, api: &Api, operation: &PatchOperation) -> Result<(), Error> {
    let segments = operation.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match (operation.op, segments.as_slice()) {
        (Op::Copy, _) => copy(stage, operation),
        (Op::Remove, path) => remove(stage, path, operation),
        (Op::Add, ["canarySettings", ..]) => {
            Err(Error::bad_request(format!("Invalid add operation with path: {}", operation.path())))
        }
        (Op::Add | Op::Replace, ["variables", name]) => {
            stage.variables.insert((*name).to_owned(), operation.text().to_owned());
            Ok(())
        }
        (Op::Add | Op::Replace, ["accessLogSettings", member @ ("destinationArn" | "format")]) => {
            let settings = stage.access_log_settings.get_or_insert_with(AccessLogSettings::default);
            let value = operation.optional();
            if *member == "format" {
                settings.format = value
            } else {
                settings.destination_arn = value
            }
            Ok(())
        }
        (Op::Replace, ["canarySettings", member, rest @ ..]) => change_canary(stage, api, (member, rest), operation),
        (Op::Replace, [member]) => change_member(stage, api, member, operation),
        (Op::Replace | Op::Add, [_, _, ..]) => change_setting(stage, operation),
        _ => Err(invalid(operation)),
    }
}

fn invalid(operation: &PatchOperation) -> Error {
    Error::bad_request(format!("Invalid method setting path: {}. Must be one of: [{PATHS}]", operation.path()))
}

fn change_member(stage: &mut Stage, api: &Api, member: &str, operation: &PatchOperation) -> Result<(), Error> {
    match member {
        "deploymentId" => {
            let id = operation.text();
            if !api.deployments.contains_key(id) {
                return Err(deployments::unknown());
            }
            id.clone_into(&mut stage.deployment_id);
        }
        "description" => stage.description = operation.optional(),
        "cacheClusterEnabled" => stage.cache_cluster_enabled = operation.flag(),
        "cacheClusterSize" if !CACHE_SIZES.contains(&operation.text()) => {
            return Err(Error::bad_request(format!(
                "Invalid cache cluster size. Must be one of: {}",
                CACHE_SIZES.join(", ")
            )));
        }
        "cacheClusterSize" => stage.cache_cluster_size = operation.optional(),
        "clientCertificateId" => stage.client_certificate_id = operation.optional(),
        "documentationVersion" => stage.documentation_version = operation.optional(),
        "tracingEnabled" => stage.tracing_enabled = operation.flag(),
        _ => return Err(invalid(operation)),
    }
    Ok(())
}

fn change_canary(stage: &mut Stage, api: &Api, path: (&str, &[&str]), operation: &PatchOperation) -> Result<(), Error> {
    let deployment = stage.deployment_id.clone();
    // A canary that is made by setting one of its members serves what the stage serves (R).
    let blank = || CanarySettings { deployment_id: Some(deployment), ..CanarySettings::default() };
    let mut canary = stage.canary_settings.take().unwrap_or_else(blank);
    match path {
        ("deploymentId", []) if !api.deployments.contains_key(operation.text()) => return Err(no_deployment()),
        ("deploymentId", []) => canary.deployment_id = operation.optional(),
        ("percentTraffic", []) => {
            canary.percent_traffic = operation.fraction().ok_or_else(wrong_percent)?;
        }
        ("useStageCache", []) => canary.use_stage_cache = operation.flag(),
        ("stageVariableOverrides", [name]) => {
            canary.stage_variable_overrides.insert((*name).to_owned(), operation.text().to_owned());
        }
        _ => return Err(invalid(operation)),
    }
    stage.canary_settings = Some(canary);
    Ok(())
}

/// Promotion: what the canary has becomes the stage's.
fn copy(stage: &mut Stage, operation: &PatchOperation) -> Result<(), Error> {
    let from = operation.from.as_deref().unwrap_or("null");
    let Some(canary) = &stage.canary_settings else {
        return Err(Error::bad_request("Promotion not available. Canary does not exist."));
    };
    match (operation.path(), from) {
        ("/deploymentId", "/canarySettings/deploymentId") => {
            stage.deployment_id = canary.deployment_id.clone().unwrap_or_default();
        }
        ("/variables", "/canarySettings/stageVariableOverrides") => {
            stage.variables = overridden(&stage.variables, &canary.stage_variable_overrides);
        }
        (path, from) => {
            return Err(Error::bad_request(format!(
                "Invalid copy operation with path: {path} and from {from}. Valid copy:path are [/deploymentId, \
                 /variables] and valid copy:from are [/canarySettings/deploymentId, \
                 /canarySettings/stageVariableOverrides]"
            )));
        }
    }
    Ok(())
}

fn remove(stage: &mut Stage, path: &[&str], operation: &PatchOperation) -> Result<(), Error> {
    let key = operation.path().trim_start_matches('/');
    let is_removed = match path {
        ["accessLogSettings"] => stage.access_log_settings.take().is_some(),
        ["accessLogSettings", member @ ("destinationArn" | "format")] => {
            let settings = stage.access_log_settings.get_or_insert_with(AccessLogSettings::default);
            let place = if *member == "format" { &mut settings.format } else { &mut settings.destination_arn };
            place.take().is_some()
        }
        ["canarySettings"] => stage.canary_settings.take().is_some(),
        ["canarySettings", "stageVariableOverrides", name] => {
            let canary = stage.canary_settings.as_mut();
            canary.is_some_and(|canary| canary.stage_variable_overrides.remove(*name).is_some())
        }
        ["variables"] => !std::mem::take(&mut stage.variables).is_empty(),
        ["variables", name] => stage.variables.remove(*name).is_some(),
        _ => stage.method_settings.remove(key).is_some(),
    };
    if is_removed {
        return Ok(());
    }
    let message = format!("Cannot remove method setting {key} because there is no method setting for this method ");
    Err(Error::bad_request(message))
}

/// `/{resource}/{verb}/{group}/{setting}`. A new entry begins as that of all methods.
fn change_setting(stage: &mut Stage, operation: &PatchOperation) -> Result<(), Error> {
    let path = operation.path().trim_start_matches('/');
    let mut parts = path.rsplitn(3, '/');
    let (Some(name), Some(group), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(invalid(operation));
    };
    let account = || MethodSetting {
        throttling_rate_limit: ACCOUNT_RATE,
        throttling_burst_limit: ACCOUNT_BURST,
        ..MethodSetting::default()
    };
    let all = || stage.method_settings.get("*/*").cloned().unwrap_or_else(account);
    let mut setting = stage.method_settings.get(key).cloned().unwrap_or_else(all);
    if !key.contains('/') || !set(&mut setting, (group, name), operation)? {
        return Err(invalid(operation));
    }
    stage.method_settings.insert(key.to_owned(), setting);
    Ok(())
}

/// Sets a member; `false`: there is no such setting.
fn set(setting: &mut MethodSetting, path: (&str, &str), operation: &PatchOperation) -> Result<bool, Error> {
    let value = operation.text();
    let wrong = || Error::bad_request(format!("Invalid value {value} for {}", operation.path()));
    match path {
        ("metrics", "enabled") => setting.metrics_enabled = operation.flag(),
        ("logging", "dataTrace") => setting.data_trace_enabled = operation.flag(),
        ("logging", "loglevel") if !["OFF", "ERROR", "INFO"].contains(&value) => return Err(wrong()),
        ("logging", "loglevel") => setting.logging_level = operation.optional(),
        ("throttling", "burstLimit") => setting.throttling_burst_limit = value.parse().map_err(|_| wrong())?,
        ("throttling", "rateLimit") => setting.throttling_rate_limit = operation.fraction().ok_or_else(wrong)?,
        ("caching", "enabled") => setting.caching_enabled = operation.flag(),
        ("caching", "dataEncrypted") => setting.cache_data_encrypted = operation.flag(),
        ("caching", "ttlInSeconds") => {
            let seconds = value.parse().ok().filter(|seconds| (0..=3_600).contains(seconds));
            setting.cache_ttl_in_seconds = seconds.ok_or_else(wrong)?;
        }
        ("caching", "requireAuthorizationForCacheControl") => {
            setting.require_authorization_for_cache_control = operation.flag();
        }
        ("caching", "unauthorizedCacheControlHeaderStrategy") if !STRATEGIES.contains(&value) => return Err(wrong()),
        ("caching", "unauthorizedCacheControlHeaderStrategy") => {
            value.clone_into(&mut setting.unauthorized_cache_control_header_strategy);
        }
        _ => return Ok(false),
    }
    Ok(true)
}
