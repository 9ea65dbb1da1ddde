//! What deployments differ in: `GET /_ringgate/deployments/diff` of two of them, and `POST /_ringgate/deployments/plan`
//! of a stage and a document that may be deployed on it. Neither changes anything.

use std::sync::Arc;

use axum::body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use ringgate_core::import::{ApiKind, Options};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::Caller;
use super::service::Management;
use super::state::changes::{Change, Kind, Noun, changes};
use super::state::{Api, Definition, Scope, Tenant};
use super::v1::deployments::check_lock;
use super::v1::import::planned;
use super::v1::request::pairs;
use super::wire::error::Error;
use super::{BODY_BYTES_MAX, refused};
use crate::control::gateway::Gateway;

/// Two deployments: `api`, `a` and `b`, each a deployment's id, a stage's name, or `current`.
pub const DIFF_PATH: &str = "/_ringgate/deployments/diff";
/// A document in the body, for `stage` of the API that `api` or `name` names.
pub const PLAN_PATH: &str = "/_ringgate/deployments/plan";
/// The definition as it is being edited.
const CURRENT: &str = "current";

/// What deploying a document would do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentPlan {
    /// The API; `None` when there is none of that name yet.
    pub api_id: Option<String>,
    /// What would become different for callers of the stage.
    pub changes: Vec<Change>,
    /// Where the gateway accepts requests, if it does over TCP.
    pub port: Option<u16>,
}

type Served = (Arc<Gateway>, Arc<Management>);

/// The routes. They expect a [`Caller`] in the request's extensions.
pub fn router(gateway: Arc<Gateway>, management: Arc<Management>) -> Router {
    Router::new().route(DIFF_PATH, get(diff)).route(PLAN_PATH, post(plan)).with_state((gateway, management))
}

async fn diff(
    State((_, management)): State<Served>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let answer = Query::read(&request, &["api", "a", "b"]).and_then(|query| {
        let tenant = tenant(&management, &caller);
        let id = query.required("api")?;
        let api = tenant.apis.get(id).ok_or_else(|| Error::unknown_api(&caller.account, id))?;
        let (a, b) = (query.required("a")?, query.required("b")?);
        let changes = changes(definition(api, a)?, definition(api, b)?);
        Ok(json!({ "apiId": id, "a": a, "b": b, "changes": changes }).to_string())
    });
    respond(answer)
}

async fn plan(
    State((gateway, management)): State<Served>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let query = match Query::read(&request, &["api", "name", "stage"]) {
        Ok(query) => query,
        Err(error) => return refused(&error),
    };
    let Ok(document) = body::to_bytes(request.into_body(), BODY_BYTES_MAX).await else {
        return refused(&Error::too_large());
    };
    let options = Options {
        kind: ApiKind::Rest,
        relaxed_limits: management.limits_are_relaxed(),
        account: caller.account.clone(),
        region: caller.region.clone(),
        ..Options::default()
    };
    let tenant = tenant(&management, &caller);
    let planned = find(&tenant, &caller, &query).and_then(|api| {
        let changes = changes_of_stage(api, query.required("stage")?, &document, &options)?;
        let api_id = api.map(|api| api.definition.rest_api.id.clone());
        Ok(json!(DeploymentPlan { api_id, changes, port: gateway.addresses.first().map(|one| one.port()) }).to_string())
    });
    respond(planned)
}

fn changes_of_stage(api: Option<&Api>, stage: &str, document: &[u8], options: &Options) -> Result<Vec<Change>, Error> {
    let after = planned(document, api.map(|api| &api.definition), options)?;
    match api.filter(|api| api.stages.contains_key(stage)) {
        Some(api) => {
            let changes = changes(definition(api, stage)?, &after);
            // Later the definition would be changed already when its deployment is refused.
            if !changes.is_empty() {
                check_lock(stage, api)?;
            }
            Ok(changes)
        }
        None => {
            let made = Change { change: Kind::Added, noun: Noun::Stage, name: stage.to_owned(), members: Vec::new() };
            Ok([made].into_iter().chain(changes(&Definition::default(), &after)).collect())
        }
    }
}

fn tenant(management: &Management, caller: &Caller) -> Arc<Tenant> {
    let scope = Scope { account: caller.account.as_str().into(), region: caller.region.as_str().into() };
    management.state().tenants.get(&scope).cloned().unwrap_or_default()
}

/// The API with the id, or else the only one with the name.
fn find<'t>(tenant: &'t Tenant, caller: &Caller, query: &Query) -> Result<Option<&'t Api>, Error> {
    if let Some(id) = query.get("api") {
        let api = tenant.apis.get(id).ok_or_else(|| Error::unknown_api(&caller.account, id))?;
        return Ok(Some(api));
    }
    let name = query.required("name")?;
    let named: Vec<_> = tenant.apis.iter().filter(|(_, api)| api.definition.rest_api.name == name).collect();
    match named.as_slice() {
        [] => Ok(None),
        [(_, api)] => Ok(Some(api)),
        several => {
            let ids: Vec<_> = several.iter().map(|(id, _)| id.as_str()).collect();
            Err(Error::conflict(format!("{} APIs are named {name}: {}", ids.len(), ids.join(", "))))
        }
    }
}

/// A definition of an API, by the names that its owner has for it.
fn definition<'a>(api: &'a Api, name: &str) -> Result<&'a Definition, Error> {
    let id = api.stages.get(name).map_or(name, |stage| stage.deployment_id.as_str());
    match api.deployments.get(id) {
        Some(deployment) => Ok(&deployment.definition),
        None if name == CURRENT => Ok(&api.definition),
        None => Err(Error::not_found(format!("there is no deployment and no stage `{name}`"))),
    }
}

fn respond(answer: Result<String, Error>) -> Response {
    match answer {
        Ok(body) => (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body + "\n").into_response(),
        Err(error) => refused(&error),
    }
}

/// Parameters, each known and with a value.
struct Query(Vec<(String, String)>);

impl Query {
    fn read(request: &Request, known: &[&str]) -> Result<Self, Error> {
        let pairs = pairs(request.uri().query().unwrap_or_default());
        match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Error::bad_request(format!("there is no parameter `{name}`"))),
            None => Ok(Self(pairs)),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::bad_request(format!("the parameter `{name}` is required")))
    }
}
