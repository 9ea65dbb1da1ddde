//! A stage: its routes in a trie, and what they share.

use std::sync::Arc;

use crate::base::Severity;
use crate::mapping::ContextVariable;
use crate::model::rest::{Integration, IntegrationKind, Method, MethodName, Resource, RestApi};
use crate::plan::content::BinaryMediaTypes;
use crate::plan::trie::{MethodKey, RouteIndex, TrieBuilder, variables};
use crate::plan::{IntegrationPlan, RoutePlan, RouteSlot, StagePlan};
use crate::record::AccessLogProgram;

use super::slots::{Slots, StageName};
use super::validate::Models;
use super::{Findings, Names, StageInput, describe, integration, pointer, rejection, unsupported};

/// Compiles a stage. Nothing fails as a whole: a route that cannot be served answers 500 and is named in `findings`.
pub fn stage(api: &RestApi, input: &StageInput<'_>, slots: &mut Slots, findings: &mut Findings) -> StagePlan {
    unsupported::say_api(api, findings);
    let stage_name =
        StageName { api_id: input.api_id.into(), stage: input.stage_name.into(), is_canary: input.is_canary };
    let stage_name = Arc::new(stage_name);
    let mut builder = TrieBuilder::new();
    let mut routes = Vec::new();
    let mut models = Models::new(api, input.api_id);
    for resource in &api.resources {
        for method in &resource.methods {
            let index = RouteIndex(u32::try_from(routes.len()).unwrap_or(u32::MAX));
            if let Err(error) = builder.insert(&resource.path, key(method.name), index) {
                let pointer = pointer(&resource.path, method.name.as_str());
                findings.add(Severity::Error, "route", method.place, &pointer, error.to_string());
                continue;
            }
            let slot = slots.route(&stage_name, format!("{} {}", method.name, resource.path));
            routes.push(route(slot, (api, resource, method), &mut models, input, slots, findings));
        }
    }
    let names = Names { path: "", variables: input.variables };
    let line = |name: &str, value: String| format!("{name}: {value}\r\n").into_bytes().into_boxed_slice();
    let ignored: &[u8] = if input.ignores_authorization { b"x-ringgate-authorization: ignored\r\n" } else { b"" };
    StagePlan {
        slot: slots.stage(&stage_name),
        account_id: input.account_id.into(),
        region: input.region.into(),
        api_id: input.api_id.into(),
        name: input.stage_name.into(),
        deployment_id: input.deployment_id.into(),
        is_canary: input.is_canary,
        api_id_line: line("X-Amzn-Apigateway-Api-Id", input.api_id.to_owned()),
        user_agent_line: line("User-Agent", format!("AmazonAPIGateway_{}", input.api_id)),
        response_lines: ignored.into(),
        binary_media_types: BinaryMediaTypes::new(&api.binary_media_types),
        minimum_compression_size: api.minimum_compression_size.map(u64::from),
        trie: builder.freeze(),
        routes: routes.into(),
        rejections: rejection::rejections(api, &names, findings),
        description: describe::stage(input),
        records_bodies: input.records_bodies,
        access_log: input.access_log.cloned().unwrap_or_else(|| AccessLogProgram::default_json(ContextVariable::scan)),
    }
}

fn key(name: MethodName) -> MethodKey {
    match name {
        MethodName::Get => MethodKey::Get,
        MethodName::Put => MethodKey::Put,
        MethodName::Post => MethodKey::Post,
        MethodName::Delete => MethodKey::Delete,
        MethodName::Patch => MethodKey::Patch,
        MethodName::Options => MethodKey::Options,
        MethodName::Head => MethodKey::Head,
        MethodName::Any => MethodKey::Any,
    }
}

fn route(
    slot: RouteSlot,
    (api, resource, method): (&RestApi, &Resource, &Method),
    models: &mut Models<'_>,
    input: &StageInput<'_>,
    slots: &mut Slots,
    findings: &mut Findings,
) -> RoutePlan {
    let resource_id = resource_id(input.api_id, &resource.path);
    let made = input.backend.map(|backend| backend_proxy(&resource.path, backend));
    let declared = method.integration.as_ref().or(made.as_ref());
    let names = Names { path: &resource.path, variables: input.variables };
    let closed = unsupported::closed_by(method, api).filter(|_| !input.ignores_authorization);
    if let Some((rule, why)) = &closed {
        warn_closed(rule, why, method, &resource.path, findings);
    }
    let (validate, unchecked) = match models.validate(method, &names, findings) {
        Ok(validate) => (validate, None),
        Err(why) => (None, Some(why)),
    };
    RoutePlan {
        description: describe::route(api, (&resource.path, &resource_id), method, declared, input),
        resource_path: resource.path.as_str().into(),
        resource_id: resource_id.into(),
        method: method.name.as_str(),
        slot,
        variables: variables(&resource.path).map(|variable| variable.name.into()).collect(),
        closed: closed.map(|(_, why)| why.into()),
        validate,
        integration: plan((api, resource, method), declared, unchecked, input, slots, findings),
    }
}

fn warn_closed(rule: &'static str, why: &str, method: &Method, path: &str, findings: &mut Findings) {
    let pointer = pointer(path, method.name.as_str());
    let found = findings.warn(rule, method.place, &pointer, format!("{why}: the route answers 500"));
    found.fix = "dev --ignore-authorization serves it unprotected".into();
}

fn plan(
    (api, resource, method): (&RestApi, &Resource, &Method),
    declared: Option<&Integration>,
    unchecked: Option<String>,
    input: &StageInput<'_>,
    slots: &mut Slots,
    findings: &mut Findings,
) -> IntegrationPlan {
    let pointer = pointer(&resource.path, method.name.as_str());
    if let Some(why) = unchecked.filter(|_| !input.ignores_authorization) {
        warn_closed("validator-unusable", &why, method, &resource.path, findings);
        return IntegrationPlan::Unserved(why.into());
    }
    let Some(declared) = declared else {
        let message = "No integration defined for method: the route answers 500".to_owned();
        let found = findings.warn("integration-missing", method.place, &pointer, message);
        found.on_aws = "create-deployment refuses the API: No integration defined for method".into();
        found.fix = "add x-amazon-apigateway-integration, or run with --backend URL".into();
        return IntegrationPlan::Unserved("No integration defined for method".into());
    };
    unsupported::say_integration(declared, &pointer, findings);
    let names = Names { path: &resource.path, variables: input.variables };
    let route = integration::Route { api, method, names: &names, pointer: &pointer };
    match integration::plan(&route, declared, input, slots, findings) {
        Ok(plan) => plan,
        Err(fault) => {
            let message = format!("{}: the route answers 500", fault.reason());
            findings.warn("integration-unserved", declared.place, &pointer, message);
            fault.into_plan()
        }
    }
}

/// What `--backend` gives an operation without integration: an HTTP proxy to the same path.
fn backend_proxy(path: &str, backend: &str) -> Integration {
    let mapping = |name: &str| crate::model::rest::ParameterMapping {
        target: format!("integration.request.path.{name}"),
        source: format!("method.request.path.{name}"),
        place: crate::base::Place::NOWHERE,
    };
    let uri = format!("{}{}", backend.trim_end_matches('/'), path.replace("+}", "}"));
    Integration {
        uri: Some(crate::model::rest::Declared { value: uri, place: crate::base::Place::NOWHERE }),
        request_parameters: variables(path).map(|variable| mapping(variable.name)).collect(),
        ..Integration::new(IntegrationKind::HttpProxy)
    }
}

/// Ten characters that are the same for the same path of the same API.
fn resource_id(api_id: &str, path: &str) -> String {
    crate::base::hash::id_of(&[api_id.as_bytes(), path.as_bytes()])
}
