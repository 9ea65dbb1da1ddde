//! What of the state is to be served: stages with what they point at, and domain names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Api, Scope, State, Tenant};
use crate::admin::wire::Texts;
use crate::admin::wire::account::DomainName;
use crate::admin::wire::deployment::Stage;
use crate::control::served::{BasePathMapping, CanarySpec, DeploymentSpec, DomainSpec, Served, StageSpec};

/// How an empty base path is spelled.
pub const NO_BASE_PATH: &str = "(none)";

/// Everything that `state` wants served.
pub fn served(state: &State, revision: u64) -> Served {
    let mut served = Served { revision, ..Served::default() };
    for (scope, tenant) in &state.tenants {
        for api in tenant.apis.values() {
            served.stages.extend(api.stages.values().filter_map(|stage| stage_spec(scope, api, stage)));
        }
        served.domains.extend(domains(tenant));
    }
    served
}

/// Whether going from `old` to `new` changes what is served.
pub fn differs(old: &State, new: &State) -> bool {
    let empty = Tenant::default();
    new.tenants.iter().any(|(scope, new)| {
        let old = old.tenants.get(scope).map_or(&empty, |old| old);
        !std::ptr::eq(old, &**new)
            && (!is_same(&old.domain_names, &new.domain_names)
                || !is_same(&old.base_path_mappings, &new.base_path_mappings)
                || old.apis.len() != new.apis.len()
                || new.apis.iter().any(|(id, api)| {
                    old.apis.get(id).is_none_or(|old| !Arc::ptr_eq(old, api) && !is_same(&old.stages, &api.stages))
                }))
    })
}

fn is_same<T>(old: &BTreeMap<String, Arc<T>>, new: &BTreeMap<String, Arc<T>>) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|((a, x), (b, y))| a == b && Arc::ptr_eq(x, y))
}

fn stage_spec(scope: &Scope, api: &Api, stage: &Stage) -> Option<StageSpec> {
    let deployment = deployment_spec(api, &stage.deployment_id, stage.variables.clone())?;
    let is_default_endpoint_disabled = deployment.api.disable_execute_api_endpoint;
    let canary = stage.canary_settings.as_ref().and_then(|canary| {
        let variables = overridden(&stage.variables, &canary.stage_variable_overrides);
        let deployment = deployment_spec(api, canary.deployment_id.as_deref()?, variables)?;
        Some(CanarySpec { percent: canary.percent_traffic, deployment })
    });
    Some(StageSpec {
        account_id: scope.account.to_string(),
        region: scope.region.to_string(),
        api_id: api.definition.rest_api.id.clone(),
        stage_name: stage.stage_name.clone(),
        deployment,
        canary,
        access_log_format: stage.access_log_settings.as_ref().and_then(|settings| settings.format.clone()),
        is_default_endpoint_disabled,
    })
}

fn deployment_spec(api: &Api, id: &str, variables: Texts) -> Option<DeploymentSpec> {
    let model = api.deployments.get(id)?.model();
    Some(DeploymentSpec { deployment_id: id.to_owned(), api: model, variables: Arc::new(variables) })
}

/// Stage variables of a canary: the stage's, with what differs.
pub fn overridden(variables: &Texts, overrides: &Texts) -> Texts {
    let mut merged = variables.clone();
    merged.extend(overrides.iter().map(|(name, value)| (name.clone(), value.clone())));
    merged
}

/// What of `domain` protects it and is not obeyed yet: it then leads nowhere, and refuses all requests with 403.
pub fn closed_by(domain: &DomainName) -> Option<&'static str> {
    let is_private = domain.endpoint_configuration.types.iter().any(|kind| kind == "PRIVATE");
    let has_mappings = domain.routing_mode.as_deref() != Some("ROUTING_RULE_ONLY");
    let protections = [
        ("mutualTlsAuthentication", domain.mutual_tls_authentication.is_some()),
        ("policy", domain.policy.is_some()),
        ("endpoint type PRIVATE", is_private),
        ("routingMode ROUTING_RULE_ONLY", !has_mappings),
    ];
    protections.into_iter().find_map(|(name, is_there)| is_there.then_some(name))
}

fn domains(tenant: &Tenant) -> impl Iterator<Item = DomainSpec> {
    tenant.domain_names.iter().map(|(name, domain)| {
        let mappings = if closed_by(domain).is_some() { Vec::new() } else { mappings(tenant, name) };
        DomainSpec { name: name.clone(), mappings }
    })
}

fn mappings(tenant: &Tenant, domain: &str) -> Vec<BasePathMapping> {
    let prefix = format!("{domain}/");
    let mappings = tenant.base_path_mappings.iter().filter(|(key, _)| key.starts_with(&prefix));
    let mappings = mappings.map(|(_, mapping)| BasePathMapping {
        base_path: Some(mapping.base_path.as_str()).filter(|path| *path != NO_BASE_PATH).unwrap_or("").to_owned(),
        api_id: mapping.rest_api_id.clone(),
        stage: mapping.stage.clone(),
    });
    mappings.collect()
}
