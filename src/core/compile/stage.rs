//! A stage: its routes in a trie, and what they share.

use std::sync::Arc;

use crate::base::Severity;
use crate::mapping::ContextVariable;
use crate::model::rest::{EndpointType, Integration, IntegrationKind, Method, MethodName, Resource, RestApi};
use crate::plan::content::BinaryMediaTypes;
use crate::plan::trie::{MethodKey, RouteIndex, Trie, TrieBuilder, variables};
use crate::plan::{IntegrationPlan, RoutePlan, RouteSlot, StagePlan};
use crate::record::AccessLogProgram;

use super::choices::Choices;
use super::slots::{Slots, StageName};
use super::validate::Models;
use super::{Findings, Names, Pointer, StageInput, describe, integration, rejection, unsupported};

/// Compiles a stage. Nothing fails as a whole: a route that cannot be served answers 500 and is named in `findings`.
pub fn stage(api: &RestApi, input: &StageInput<'_>, slots: &mut Slots, findings: &mut Findings) -> StagePlan {
    unsupported::say_api(api, findings);
    let stage_name =
        StageName { api_id: input.api_id.into(), stage: input.stage_name.into(), is_canary: input.is_canary };
    let stage_name = Arc::new(stage_name);
    let models = Models::new(api, input.api_id);
    let mut compiler = Compiler { api, input, models, choices: Choices::default(), slots, findings };
    let (trie, routes) = compiler.routes(&stage_name);
    let Compiler { slots, findings, .. } = compiler;
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
        // AWS's own choice where none is declared.
        endpoint_type: api.endpoint_types.first().unwrap_or(&EndpointType::Edge).as_str(),
        is_canary: input.is_canary,
        api_id_line: line("X-Amzn-Apigateway-Api-Id", input.api_id.to_owned()),
        user_agent_line: line("User-Agent", format!("AmazonAPIGateway_{}", input.api_id)),
        response_lines: ignored.into(),
        binary_media_types: BinaryMediaTypes::new(&api.binary_media_types),
        minimum_compression_size: api.minimum_compression_size.map(u64::from),
        trie,
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

/// What the routes of a stage are compiled with.
struct Compiler<'c> {
    api: &'c RestApi,
    input: &'c StageInput<'c>,
    models: Models<'c>,
    choices: Choices,
    slots: &'c mut Slots,
    findings: &'c mut Findings,
}

impl Compiler<'_> {
    fn routes(&mut self, stage: &Arc<StageName>) -> (Trie, Vec<RoutePlan>) {
        let mut builder = TrieBuilder::new();
        let count = self.api.resources.iter().map(|resource| resource.methods.len()).sum();
        let mut routes = Vec::with_capacity(count);
        self.slots.reserve(count);
        for resource in &self.api.resources {
            for method in &resource.methods {
                let index = RouteIndex(u32::try_from(routes.len()).unwrap_or(u32::MAX));
                if let Err(error) = builder.insert(&resource.path, key(method.name), index) {
                    let pointer = Pointer { path: &resource.path, method: method.name };
                    self.findings.add(Severity::Error, "route", method.place, pointer, error.to_string());
                    continue;
                }
                let slot = self.slots.route(stage, method.name.as_str(), &resource.path);
                routes.push(self.route(slot, resource, method));
            }
        }
        (builder.freeze(), routes)
    }

    fn route(&mut self, slot: RouteSlot, resource: &Resource, method: &Method) -> RoutePlan {
        let Self { api, input, .. } = *self;
        let resource_id = resource_id(input.api_id, &resource.path);
        let made = input.backend.map(|backend| backend_proxy(&resource.path, backend));
        let declared = method.integration.as_ref().or(made.as_ref());
        let names = Names { path: &resource.path, variables: input.variables };
        let closed = unsupported::closed_by(method, api).filter(|_| !input.ignores_authorization);
        if let Some((rule, why)) = &closed {
            self.warn_closed(rule, why, resource, method);
        }
        let (validate, unchecked) = match self.models.validate(method, &names, self.findings) {
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
            integration: self.integration(resource, method, declared, unchecked),
        }
    }

    fn warn_closed(&mut self, rule: &'static str, why: &str, resource: &Resource, method: &Method) {
        let pointer = Pointer { path: &resource.path, method: method.name };
        let found = self.findings.warn(rule, method.place, pointer, format!("{why}: the route answers 500"));
        found.fix = "dev --ignore-authorization serves it unprotected".into();
    }

    fn integration(
        &mut self,
        resource: &Resource,
        method: &Method,
        declared: Option<&Integration>,
        unchecked: Option<String>,
    ) -> IntegrationPlan {
        let Self { api, input, .. } = *self;
        let pointer = Pointer { path: &resource.path, method: method.name };
        if let Some(why) = unchecked.filter(|_| !input.ignores_authorization) {
            self.warn_closed("validator-unusable", &why, resource, method);
            return IntegrationPlan::Unserved(why.into());
        }
        let Some(declared) = declared else {
            let message = "No integration defined for method: the route answers 500".to_owned();
            let found = self.findings.warn("integration-missing", method.place, pointer, message);
            found.on_aws = "create-deployment refuses the API: No integration defined for method".into();
            found.fix = "add x-amazon-apigateway-integration, or run with --backend URL".into();
            return IntegrationPlan::Unserved("No integration defined for method".into());
        };
        unsupported::say_integration(declared, pointer, self.findings);
        let names = Names { path: &resource.path, variables: input.variables };
        let route = integration::Route { api, method, names: &names, pointer };
        match integration::plan(&route, declared, input, self.slots, &mut self.choices, self.findings) {
            Ok(plan) => plan,
            Err(fault) => {
                let message = format!("{}: the route answers 500", fault.reason());
                self.findings.warn("integration-unserved", declared.place, pointer, message);
                fault.into_plan()
            }
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
