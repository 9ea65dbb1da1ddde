//! `Deployment`: an API as it was at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::request::new_id;
use super::stages::{self, NewStage};
use super::{Operation, Request, read, write};
use crate::admin::state::{Api, Definition, Deployment, Tenant};
use crate::admin::wire::deployment::{CanarySettings, Deployment as Document};
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::patch;
use crate::admin::wire::reply::{Answer, Reply};

const ALL: &str = "/restapis/{restapi_id}/deployments";
const ONE: &str = "/restapis/{restapi_id}/deployments/{deployment_id}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetDeployments", "GET", ALL, list),
    write("CreateDeployment", "POST", ALL, create),
    read("GetDeployment", "GET", ONE, get),
    write("UpdateDeployment", "PATCH", ONE, update),
    write("DeleteDeployment", "DELETE", ONE, delete),
];

/// What a new deployment does to a stage.
struct Asked {
    description: Option<String>,
    stage_name: Option<String>,
    stage: NewStage,
    canary: Option<CanarySettings>,
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let asked = request.read(|input| read_deployment(&input))?;
    let id = request.label("restapi_id");
    let now = request.now();
    let api = tenant.api_mut(id).ok_or_else(|| request.unknown_api(id))?;
    check_canary(&asked, api)?;
    check_complete(&api.definition)?;
    let document = Document { id: new_id(6), description: asked.description, created_date: now };
    let reply = Reply::created(&document);
    let id = document.id.clone();
    api.deployments.insert(id.clone(), Arc::new(Deployment::new(document, Arc::new(api.definition.clone()))));
    match (asked.stage_name.filter(|name| !name.is_empty()), asked.canary) {
        (Some(name), Some(canary)) => {
            let stage = api.stages.get_mut(&name).ok_or_else(stages::unknown)?;
            let stage = Arc::make_mut(stage);
            stage.canary_settings = Some(CanarySettings { deployment_id: Some(id), ..canary });
            stage.last_updated_date = now;
        }
        (Some(name), None) => {
            if !api.stages.contains_key(&name) {
                request.check_count(api.stages.len(), stages::STAGES)?;
            }
            stages::point(api, &name, id, asked.stage, now)?;
        }
        (None, _) => {}
    }
    Ok(reply)
}

fn read_deployment(input: &Input<'_>) -> Result<Asked, Error> {
    Ok(Asked {
        description: input.string("description")?.filter(|text| !text.is_empty()),
        stage_name: input.string("stageName")?,
        stage: NewStage {
            description: input.string("stageDescription")?,
            cache_cluster_enabled: input.boolean("cacheClusterEnabled")?,
            cache_cluster_size: stages::read_cache_size(input)?,
            variables: input.texts("variables")?,
            tracing_enabled: input.boolean("tracingEnabled")?,
        },
        canary: input.object("canarySettings", |canary| {
            Ok(CanarySettings {
                percent_traffic: canary.number("percentTraffic")?.unwrap_or_default(),
                deployment_id: None,
                stage_variable_overrides: canary.texts("stageVariableOverrides")?.unwrap_or_default(),
                use_stage_cache: canary.boolean("useStageCache")?.unwrap_or_default(),
            })
        })?,
    })
}

/// A canary needs a stage that is there already, and such a stage takes nothing but canaries (dg/canary-release).
fn check_canary(asked: &Asked, api: &Api) -> Result<(), Error> {
    let name = asked.stage_name.as_deref();
    if asked.canary.is_none() {
        return name.map_or(Ok(()), |name| check_lock(name, api));
    }
    let why = match name.filter(|name| !name.is_empty()) {
        None => format!(
            "Non null and non empty stageName must be provided for canary deployment. Provided value is {}",
            name.unwrap_or("null")
        ),
        Some(name) if !api.stages.contains_key(name) => {
            format!("Stage {name} must already be created before making a canary release deployment")
        }
        Some(_) => return asked.canary.as_ref().map_or(Ok(()), stages::check_canary),
    };
    Err(invalid_content(&why))
}

/// # Errors
/// The stage has a canary.
pub fn check_lock(stage: &str, api: &Api) -> Result<(), Error> {
    let has_canary = api.stages.get(stage).is_some_and(|stage| stage.canary_settings.is_some());
    if !has_canary {
        return Ok(());
    }
    Err(invalid_content(&format!(
        "Non canary deployment not supported on stage {stage} because Canary is enabled. Provide CanarySettings in \
         deploymentInput."
    )))
}

fn invalid_content(why: &str) -> Error {
    Error::bad_request(format!("Invalid deployment content specified.{why}"))
}

/// What AWS wants to see before it freezes an API.
pub(super) fn check_complete(definition: &Definition) -> Result<(), Error> {
    let mut methods = definition.methods().peekable();
    if methods.peek().is_none() {
        return Err(Error::bad_request("The REST API doesn't contain any methods"));
    }
    if methods.any(|(.., method)| method.method_integration.is_none()) {
        return Err(Error::bad_request("No integration defined for method"));
    }
    Ok(())
}

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let newest_first = |one: &Deployment| format!("{:016x}{}", !one.document.created_date, one.document.id);
    let deployments = request.api(tenant)?.deployments.values();
    let deployments: BTreeMap<_, _> = deployments.map(|one| (newest_first(one), one)).collect();
    request.page(deployments.into_iter().map(|(place, one)| (place, shown(one, request))))
}

pub(super) fn unknown() -> Error {
    Error::not_found("Invalid Deployment identifier specified")
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let deployment = request.part(tenant, |api| api.deployments.get(request.label("deployment_id")), unknown)?;
    Ok(Reply::ok(&shown(deployment, request)))
}

fn shown(deployment: &Deployment, request: &Request<'_>) -> Value {
    let mut shown = json!(deployment.document);
    if request.query_all("embed").any(|embed| embed == "apisummary") {
        shown["apiSummary"] = summary(&deployment.definition);
    }
    shown
}

/// Who may call each method.
fn summary(definition: &Definition) -> Value {
    let mut paths: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
    for resource in definition.resources.values() {
        for (verb, method) in &resource.resource_methods {
            let facts =
                json!({ "authorizationType": method.authorization_type, "apiKeyRequired": method.api_key_required });
            paths.entry(&resource.path).or_default().insert(verb, facts);
        }
    }
    json!(paths)
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let api = tenant.api_mut(request.label("restapi_id")).ok_or_else(unknown)?;
    let deployment = api.deployments.get_mut(request.label("deployment_id")).ok_or_else(unknown)?;
    let document = &mut Arc::make_mut(deployment).document;
    for operation in &operations {
        patch::replaces(operation, &["/description"])?;
        document.description = operation.optional();
    }
    Ok(Reply::ok(document))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let api = request.label("restapi_id");
    let api = tenant.api_mut(api).ok_or_else(|| request.unknown_api(api))?;
    let id = request.label("deployment_id");
    if !api.deployments.contains_key(id) {
        return Err(unknown());
    }
    let is_used = api.stages.values().any(|stage| {
        let canary = stage.canary_settings.as_ref().and_then(|canary| canary.deployment_id.as_deref());
        stage.deployment_id == id || canary == Some(id)
    });
    if is_used {
        return Err(Error::bad_request("Active stages pointing to this deployment must be moved or deleted"));
    }
    api.deployments.remove(id);
    Ok(Reply::accepted())
}
