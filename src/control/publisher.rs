//! From definitions to what every shard serves.
//!
//! A machine: it compiles, numbers and frees, and knows neither threads nor mailboxes ([`super::gateway`] runs it on a
//! thread of its own). It keeps a handle on everything that shards may still be using, and frees what only it has left:
//! no shard ever frees a tree, and a slot is given to something else only when nobody can be using it any more.

use std::collections::HashMap;
use std::sync::Arc;

use ringgate_core::base::{Diagnostic, Place, Severity};
use ringgate_core::compile::{
    self, Findings, Held, OriginRewrite, RouteName, Slots, StageInput, StageName, UpstreamChange,
};
use ringgate_core::mapping::ContextVariable;
use ringgate_core::plan::{
    Canary, HostTable, Limits, Mapping, RouteSlot, SlotCounts, Snapshot, StageIndex, StagePlan, StageSlot,
};
use ringgate_core::record::AccessLogProgram;

use super::served::{DeploymentSpec, Served, StageReport, StageSpec};
use super::test_invoke;

/// How stages are served, beyond what they are.
#[derive(Clone, Debug)]
pub struct Options {
    /// Origins to replace.
    pub rewrites: Vec<OriginRewrite>,
    /// An HTTP proxy for operations without integration.
    pub backend: Option<String>,
    /// Serve methods without their authorization.
    pub ignores_authorization: bool,
    /// Decision records hold bodies.
    pub records_bodies: bool,
    /// The access log's line, unless a stage has its own.
    pub access_log: AccessLogProgram<ContextVariable>,
    /// What bounds a request.
    pub limits: Limits,
    /// A client's `X-HTTP-Method-Override` replaces its method.
    pub overrides_methods: bool,
}

/// What is to be served from now on.
#[derive(Clone, Debug)]
pub enum Change {
    /// By the management side.
    Served(Served),
    /// By the definition file: the stage that also answers on hosts that name no API.
    File(Box<StageSpec>),
}

/// A version that shards can be given.
pub struct Composed {
    /// The version.
    pub snapshot: Arc<Snapshot>,
    /// What was compiled for it.
    pub compiled: Vec<StageReport>,
}

/// What metrics say of what is served.
#[derive(Debug, Default)]
pub struct Catalog {
    /// The version composed last.
    pub version: u64,
    /// Versions that shards may still have, the last one included.
    pub versions_alive: usize,
    /// Stages by slot, the first ones.
    pub stages: Vec<Option<Arc<StageName>>>,
    /// Routes by slot, the first ones.
    pub routes: Vec<Option<Arc<RouteName>>>,
    /// All slots.
    pub slots: SlotCounts,
}

/// Slots that are nobody's: their counts belong to what is gone.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Of stages.
    pub stages: Vec<StageSlot>,
    /// Of routes.
    pub routes: Vec<RouteSlot>,
}

/// A stage or canary as it was compiled.
struct Compiled {
    spec: StageSpec,
    deployment: DeploymentSpec,
    plan: Arc<StagePlan>,
    held: Held,
}

/// Compiles definitions and numbers versions.
pub struct Publisher {
    options: Options,
    slots: Slots,
    version: u64,
    file: Option<StageSpec>,
    served: Served,
    compiled: HashMap<StageName, Compiled>,
    /// Stages that are not served any longer, until no shard has them.
    leaving: Vec<(Arc<StagePlan>, Held)>,
    /// Versions that shards may have; the last one is being served.
    snapshots: Vec<Arc<Snapshot>>,
    /// Versions that tests use, each of one stage.
    tests: Vec<Arc<Snapshot>>,
    freed: Freed,
}

impl Publisher {
    /// A publisher that serves nothing yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            slots: Slots::default(),
            version: 0,
            file: None,
            served: Served::default(),
            compiled: HashMap::new(),
            leaving: Vec::new(),
            snapshots: Vec::new(),
            tests: Vec::new(),
            freed: Freed::default(),
        }
    }

    /// Compiles what is new in `change` and makes the next version. Frees nothing, which takes its time where an API is
    /// large: [`Publisher::collect`] does when the version has been handed over.
    pub fn compose(&mut self, change: Change) -> Composed {
        match change {
            Change::Served(served) if served.revision < self.served.revision => {}
            Change::Served(served) => self.served = served,
            Change::File(spec) => self.file = Some(*spec),
        }
        let compiled = self.compile();
        self.version += 1;
        let snapshot = Arc::new(self.snapshot());
        self.snapshots.push(snapshot.clone());
        Composed { snapshot, compiled }
    }

    /// Compiles a stage for one test. The version that is made of it holds nothing else; it is never
    /// published, and its slots are free again when whoever has it lets go of it.
    pub fn compose_test(&mut self, spec: &StageSpec) -> Arc<Snapshot> {
        self.collect();
        let options = Options { records_bodies: true, ..self.options.clone() };
        let (Compiled { plan, held, .. }, _) = compile(spec, &spec.deployment, false, &options, &mut self.slots);
        let mut hosts = HostTable::default();
        hosts.insert(&spec.api_id, &spec.stage_name, StageIndex(0));
        // A domain's paths begin with the resource's: none can be taken for one that begins with a stage.
        let mapping = Mapping { base_path: "", api_id: &spec.api_id, stage: Some(&spec.stage_name) };
        hosts.insert_domain(&test_invoke::HOST.to_ascii_lowercase(), &[mapping]);
        let snapshot = Arc::new(Snapshot {
            version: self.version,
            hosts,
            stages: [plan.clone()].into(),
            canaries: [].into(),
            upstreams: self.slots.upstreams(),
            slots: self.slots.counts(),
            limits: self.options.limits,
            // Who tests a method has named it.
            overrides_methods: false,
            access_log: self.options.access_log.clone(),
        });
        self.leaving.push((plan, held));
        self.tests.push(snapshot.clone());
        snapshot
    }

    /// Frees what no shard has any more.
    pub fn collect(&mut self) {
        self.tests.retain_mut(|snapshot| Arc::get_mut(snapshot).is_none());
        // Nobody can make a second handle of one that only we have.
        let current = self.snapshots.pop();
        self.snapshots.retain_mut(|snapshot| Arc::get_mut(snapshot).is_none());
        self.snapshots.extend(current);
        let gone: Vec<_> = self.leaving.extract_if(.., |(plan, _)| Arc::get_mut(plan).is_some()).collect();
        for (_, held) in gone {
            let (stages, routes) = self.slots.release(held);
            self.freed.stages.extend(stages);
            self.freed.routes.extend(routes);
        }
    }

    /// Slots that have become free since the last call. No shard counts under them before it is given a snapshot that
    /// is composed after this.
    pub fn freed(&mut self) -> Freed {
        std::mem::take(&mut self.freed)
    }

    /// What happened to origins since the last call, in order.
    pub fn upstream_changes(&mut self) -> Vec<UpstreamChange> {
        self.slots.upstream_changes()
    }

    /// Numbers of everything that can be named.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// What metrics say of this, with at most `max` names of each kind.
    pub fn catalog(&self, max: u32) -> Catalog {
        let slots = self.slots.counts();
        let stage = |slot| self.slots.stage_name(StageSlot(slot)).cloned();
        let route = |slot| self.slots.route_name(RouteSlot(slot)).cloned();
        Catalog {
            version: self.version,
            versions_alive: self.snapshots.len(),
            stages: (0..slots.stages.min(max)).map(stage).collect(),
            routes: (0..slots.routes.min(max)).map(route).collect(),
            slots,
        }
    }

    /// Compiles every stage and canary that is not what it was, and lets go of those that are not wanted.
    fn compile(&mut self) -> Vec<StageReport> {
        let mut before = std::mem::take(&mut self.compiled);
        let mut reports = Vec::new();
        for spec in self.file.iter().chain(&self.served.stages) {
            let canary = spec.canary.as_ref().map(|canary| &canary.deployment);
            for (deployment, is_canary) in [(Some(&spec.deployment), false), (canary, true)] {
                let Some(deployment) = deployment else { continue };
                let name = name(spec, is_canary);
                let known = before.remove(&name);
                let compiled = match known {
                    Some(known) if known.spec.compiles_same(&known.deployment, spec, deployment) => known,
                    known => {
                        self.leaving.extend(known.map(|known| (known.plan, known.held)));
                        let (compiled, report) = compile(spec, deployment, is_canary, &self.options, &mut self.slots);
                        reports.push(report);
                        compiled
                    }
                };
                // Of two that are called the same, the later one is served.
                let twice = self.compiled.insert(name, compiled);
                self.leaving.extend(twice.map(|twice| (twice.plan, twice.held)));
            }
        }
        self.leaving.extend(before.into_values().map(|gone| (gone.plan, gone.held)));
        reports
    }

    fn snapshot(&self) -> Snapshot {
        let mut hosts = HostTable::default();
        let specs: Vec<_> = self.file.iter().chain(&self.served.stages).collect();
        let plan = |spec: &StageSpec, is_canary| self.compiled[&name(spec, is_canary)].plan.clone();
        let mut stages: Vec<_> = specs.iter().map(|spec| plan(spec, false)).collect();
        let mut canaries = Vec::new();
        for (index, spec) in (0..).zip(&specs) {
            hosts.insert(&spec.api_id, &spec.stage_name, StageIndex(index));
            if spec.is_default_endpoint_disabled {
                hosts.disable_default_endpoint(&spec.api_id);
            }
            if let Some(canary) = &spec.canary {
                canaries.resize(index as usize, None);
                let stage = StageIndex(u32::try_from(stages.len()).unwrap_or(u32::MAX));
                canaries.push(Some(Canary { stage, share: share(canary.percent) }));
                stages.push(plan(spec, true));
            }
        }
        if let Some(file) = &self.file {
            hosts.set_bare(&file.stage_name, StageIndex(0));
        }
        for domain in &self.served.domains {
            let mappings: Vec<_> = domain
                .mappings
                .iter()
                .map(|mapping| Mapping {
                    base_path: &mapping.base_path,
                    api_id: &mapping.api_id,
                    stage: mapping.stage.as_deref(),
                })
                .collect();
            hosts.insert_domain(&domain.name.to_ascii_lowercase(), &mappings);
        }
        Snapshot {
            version: self.version,
            hosts,
            stages: stages.into(),
            canaries: canaries.into(),
            upstreams: self.slots.upstreams(),
            slots: self.slots.counts(),
            limits: self.options.limits,
            overrides_methods: self.options.overrides_methods,
            access_log: self.options.access_log.clone(),
        }
    }
}

fn name(spec: &StageSpec, is_canary: bool) -> StageName {
    StageName { api_id: spec.api_id.as_str().into(), stage: spec.stage_name.as_str().into(), is_canary }
}

/// Of 2^64 draws.
fn share(percent: f64) -> u64 {
    // The cast saturates: all draws but one for 100, none for less than 0.
    (percent / 100.0 * 2.0_f64.powi(64)) as u64
}

fn compile(
    spec: &StageSpec,
    deployment: &DeploymentSpec,
    is_canary: bool,
    options: &Options,
    slots: &mut Slots,
) -> (Compiled, StageReport) {
    let mut findings = Findings::default();
    let access_log = access_log(spec, &mut findings);
    let input = StageInput {
        account_id: &spec.account_id,
        region: &spec.region,
        api_id: &spec.api_id,
        stage_name: &spec.stage_name,
        deployment_id: &deployment.deployment_id,
        is_canary,
        variables: &deployment.variables,
        rewrites: &options.rewrites,
        backend: options.backend.as_deref(),
        ignores_authorization: options.ignores_authorization,
        records_bodies: options.records_bodies,
        access_log: Some(access_log.as_ref().unwrap_or(&options.access_log)),
        integration_timeout_ms_max: options.limits.integration_timeout_ms_max,
    };
    let plan = compile::stage(&deployment.api, &input, slots, &mut findings);
    let report = StageReport {
        api_id: spec.api_id.clone(),
        stage_name: spec.stage_name.clone(),
        is_canary,
        routes: plan.routes.len(),
        findings: findings.0,
    };
    let (spec, deployment) = (spec.clone(), deployment.clone());
    (Compiled { spec, deployment, plan: Arc::new(plan), held: slots.held() }, report)
}

/// A stage's own line; `None`, with a finding where it has a format that is none: the process's.
fn access_log(spec: &StageSpec, findings: &mut Findings) -> Option<AccessLogProgram<ContextVariable>> {
    let mut warn = |message: String| {
        findings.0.push(Diagnostic {
            severity: Severity::Warning,
            rule: "access-log-format",
            place: Place::NOWHERE,
            pointer: "/accessLogSettings/format".to_owned(),
            message,
            on_aws: String::new(),
            fix: String::new(),
        });
    };
    match AccessLogProgram::compile(spec.access_log_format.as_deref()?, ContextVariable::scan) {
        Ok((program, unknown)) => {
            unknown.into_iter().for_each(|variable| warn(format!("{variable}; it prints -")));
            Some(program)
        }
        Err(error) => {
            warn(format!("{error}: the line is the gateway's own"));
            None
        }
    }
}
