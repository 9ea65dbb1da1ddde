//! From a definition to what every shard serves.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ringgate_core::compile::{self, Findings, OriginRewrite, Slots, StageInput};
use ringgate_core::mapping::ContextVariable;
use ringgate_core::model::rest::RestApi;
use ringgate_core::plan::{HostTable, Limits, Snapshot, StagePlan, StageSlot, UpstreamPlan, UpstreamSlot};
use ringgate_core::record::AccessLogProgram;

use crate::shard::inbox::{Inbox, ToShard};

/// How a stage is served, beyond its definition.
#[derive(Clone, Debug)]
pub struct StageOptions {
    /// Twelve digits.
    pub account_id: String,
    /// Name of the stage.
    pub stage_name: String,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// Origins to replace.
    pub rewrites: Vec<OriginRewrite>,
    /// An HTTP proxy for operations without integration.
    pub backend: Option<String>,
    /// Serve methods without their authorization.
    pub ignores_authorization: bool,
    /// Decision records hold bodies.
    pub records_bodies: bool,
    /// The access log's line.
    pub access_log: AccessLogProgram<ContextVariable>,
    /// What bounds a request.
    pub limits: Limits,
}

/// Compiles definitions and hands the result to the shards.
pub struct Publisher {
    options: StageOptions,
    slots: Slots,
    version: u64,
    shards: Vec<Arc<Inbox>>,
    /// Origins whose addresses are being looked up.
    resolving: HashSet<UpstreamSlot>,
}

/// A definition compiled, not yet served.
pub struct Prepared {
    /// The stage.
    pub stage: StagePlan,
    /// What there is to say about it.
    pub findings: Findings,
}

impl Publisher {
    /// A publisher that serves one stage.
    pub fn new(options: StageOptions) -> Self {
        Self { options, slots: Slots::default(), version: 0, shards: Vec::new(), resolving: HashSet::new() }
    }

    /// Names the shards, once they run.
    pub fn connect(&mut self, shards: Vec<Arc<Inbox>>) {
        self.shards = shards;
    }

    /// Compiles `api`. Nothing is served by this.
    pub fn prepare(&mut self, api: &RestApi, api_id: &str) -> Prepared {
        let deployment_id = ringgate_core::base::hash::id_of(&[api_id.as_bytes(), &self.version.to_le_bytes()]);
        let options = &self.options;
        let input = StageInput {
            account_id: &options.account_id,
            api_id,
            stage_name: &options.stage_name,
            deployment_id: &deployment_id,
            variables: &options.variables,
            rewrites: &options.rewrites,
            backend: options.backend.as_deref(),
            ignores_authorization: options.ignores_authorization,
            records_bodies: options.records_bodies,
            access_log: Some(&options.access_log),
        };
        let mut findings = Findings::default();
        let stage = compile::stage(api, &input, &mut self.slots, &mut findings);
        Prepared { stage, findings }
    }

    /// The next version, with `stage` in it or empty.
    pub fn snapshot(&mut self, stage: Option<StagePlan>) -> Arc<Snapshot> {
        self.version += 1;
        let mut hosts = HostTable::default();
        let stages: Box<[_]> = stage.map(Arc::new).into_iter().collect();
        if let Some(stage) = stages.first() {
            hosts.insert(&stage.api_id, &stage.name, StageSlot(0));
            hosts.set_bare(&stage.name, StageSlot(0));
        }
        Arc::new(Snapshot {
            version: self.version,
            hosts,
            stages,
            upstreams: self.slots.upstreams().iter().cloned().map(Some).collect(),
            route_slots: u32::try_from(self.slots.routes().len()).unwrap_or(u32::MAX),
            limits: self.options.limits,
            access_log: self.options.access_log.clone(),
        })
    }

    /// Gives every shard `snapshot`. A full mailbox is a shard that is stuck; it is told again with the next version.
    pub fn publish(&self, snapshot: &Arc<Snapshot>) {
        for shard in &self.shards {
            let _ = shard.send(ToShard::Adopt(snapshot.clone()));
        }
    }

    /// Origins that nobody looks up yet; from now on somebody does.
    pub fn unresolved(&mut self) -> Vec<(UpstreamSlot, Arc<UpstreamPlan>)> {
        let all = self.slots.upstreams().iter().enumerate();
        let all = all.map(|(slot, plan)| (UpstreamSlot(u32::try_from(slot).unwrap_or(u32::MAX)), plan.clone()));
        let fresh: Vec<_> = all.filter(|(slot, _)| !self.resolving.contains(slot)).collect();
        self.resolving.extend(fresh.iter().map(|(slot, _)| *slot));
        fresh
    }

    /// Stage and name of every route so far, by slot.
    pub fn routes(&self) -> &[(String, String)] {
        self.slots.routes()
    }

    /// The version published last.
    pub fn version(&self) -> u64 {
        self.version
    }
}
