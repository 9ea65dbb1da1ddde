//! What is to be served, as the management side says it, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringgate_core::base::Diagnostic;
use ringgate_core::model::rest::RestApi;

/// A frozen definition and the variables it is served with.
#[derive(Clone, Debug)]
pub struct DeploymentSpec {
    /// `$context.deploymentId`
    pub deployment_id: String,
    /// The definition. One that is the same `Arc` as before is not compiled again.
    pub api: Arc<RestApi>,
    /// Stage variables; of a canary: the stage's with the overrides laid over them.
    pub variables: Arc<BTreeMap<String, String>>,
}

impl DeploymentSpec {
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.api, &other.api)
            && self.deployment_id == other.deployment_id
            && (Arc::ptr_eq(&self.variables, &other.variables) || self.variables == other.variables)
    }
}

/// One stage of one API.
#[derive(Clone, Debug)]
pub struct StageSpec {
    /// Twelve digits.
    pub account_id: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// Unlike that of any other API, whatever its account and region: hosts name nothing else.
    pub api_id: String,
    /// Such as `prod`.
    pub stage_name: String,
    /// What answers.
    pub deployment: DeploymentSpec,
    /// What answers a part of the requests instead.
    pub canary: Option<CanarySpec>,
    /// `accessLogSettings.format`; `None`: the process's own.
    pub access_log_format: Option<String>,
    /// `disableExecuteApiEndpoint`: said by one stage, it holds for all of the API.
    pub is_default_endpoint_disabled: bool,
}

impl StageSpec {
    /// Whether what is compiled of `self` and `deployment` can be taken for `other` and `others`.
    pub(super) fn compiles_same(&self, deployment: &DeploymentSpec, other: &Self, others: &DeploymentSpec) -> bool {
        deployment.is_same(others)
            && self.account_id == other.account_id
            && self.region == other.region
            && self.access_log_format == other.access_log_format
    }
}

/// `canarySettings`
#[derive(Clone, Debug)]
pub struct CanarySpec {
    /// `percentTraffic`, 0 to 100.
    pub percent: f64,
    /// What answers these requests.
    pub deployment: DeploymentSpec,
}

/// A custom domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSpec {
    /// Its first label may be `*`.
    pub name: String,
    /// Its base paths, each at most once.
    pub mappings: Vec<BasePathMapping>,
}

/// A base path of a custom domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePathMapping {
    /// Without slashes around it; empty for `(none)`.
    pub base_path: String,
    /// The API it leads to.
    pub api_id: String,
    /// The stage it leads to; `None`: the next segment of the path names it.
    pub stage: Option<String>,
}

/// Everything that the management side wants served. What it does not name is not served any longer.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// Counts up with the management side's state: what is older than what is being served changes nothing, so callers
    /// need not queue up.
    pub revision: u64,
    /// Stages that have a deployment.
    pub stages: Vec<StageSpec>,
    /// Custom domains.
    pub domains: Vec<DomainSpec>,
}

/// What a stage was compiled to.
#[derive(Clone, Debug)]
pub struct StageReport {
    /// Of the API.
    pub api_id: String,
    /// Of the stage.
    pub stage_name: String,
    /// Whether this is about its canary.
    pub is_canary: bool,
    /// How many routes it has.
    pub routes: usize,
    /// What there is to say about its definition.
    pub findings: Vec<Diagnostic>,
}

/// What became of a publication.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its version: the snapshot that holds it or what replaced it.
    pub version: u64,
    /// Stages that were compiled for it; the others were as they are.
    pub compiled: Vec<StageReport>,
    /// Numbers of the shards that had not adopted it in time. They will: it waits for them.
    pub missed: Vec<usize>,
}
