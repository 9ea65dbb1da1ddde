//! One version of all that is served.

use std::sync::Arc;

use crate::base::limits::{INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_RELAXED_MAX, PAYLOAD_BYTES_MAX};
use crate::mapping::ContextVariable;
use crate::record::AccessLogProgram;

use super::{HostTable, StageIndex, StagePlan};

/// A dense number for an origin. It stays the same across snapshots while the origin is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamSlot(pub u32);

/// One version of all that is served. Never changes once made.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts up with every publication.
    pub version: u64,
    /// Who is asked for by which host and path.
    pub hosts: HostTable,
    /// Stages by [`StageIndex`], canaries behind them.
    pub stages: Box<[Arc<StagePlan>]>,
    /// Canaries by the [`StageIndex`] of their stage; shorter than `stages`.
    pub canaries: Box<[Option<Canary>]>,
    /// Origins by [`UpstreamSlot`]; `None` for a slot that nobody uses.
    pub upstreams: Box<[Option<Upstream>]>,
    /// Slots in use are below these.
    pub slots: SlotCounts,
    /// What bounds a request.
    pub limits: Limits,
    /// Whether a client's `X-HTTP-Method-Override` replaces its method, as on AWS (dg/api-gateway-known-issues).
    pub overrides_methods: bool,
    /// The line of requests that reach no stage.
    pub access_log: AccessLogProgram<ContextVariable>,
}

const _: () = {
    const fn shared_between_cores<T: Send + Sync>() {}
    shared_between_cores::<Snapshot>();
};

/// Bounds that depend on `--limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body in bytes; more: 413.
    pub request_body_bytes_max: u64,
    /// Largest response body in bytes; more: 500, or an abort once the head is out.
    pub response_body_bytes_max: u64,
    /// Longest timeout of an integration in milliseconds; longer ones are cut down to it.
    pub integration_timeout_ms_max: u64,
}

impl Limits {
    /// AWS's.
    pub const AWS: Self = Self {
        request_body_bytes_max: PAYLOAD_BYTES_MAX,
        response_body_bytes_max: PAYLOAD_BYTES_MAX,
        integration_timeout_ms_max: INTEGRATION_TIMEOUT_MS_MAX,
    };
    /// Raised.
    pub const RELAXED: Self = Self {
        request_body_bytes_max: u64::MAX,
        response_body_bytes_max: u64::MAX,
        integration_timeout_ms_max: INTEGRATION_TIMEOUT_MS_RELAXED_MAX,
    };
}

/// How many slots there are of what shards count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotCounts {
    /// Of stages.
    pub stages: u32,
    /// Of routes.
    pub routes: u32,
}

/// Another deployment that serves a part of a stage's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Where it stands.
    pub stage: StageIndex,
    /// Of 2^64 draws, those below this are its.
    pub share: u64,
}

impl Snapshot {
    /// Whether the stage at `index` has a canary.
    pub fn has_canary(&self, index: StageIndex) -> bool {
        self.canaries.get(index.0 as usize).is_some_and(Option::is_some)
    }

    /// The stage at `index`, or its canary if that is what `draw` says. Only a stage with a canary draws.
    pub fn stage(&self, index: StageIndex, draw: impl FnOnce() -> u64) -> Option<&StagePlan> {
        let canary = self.canaries.get(index.0 as usize).copied().flatten();
        let chosen = canary.filter(|canary| draw() < canary.share).map_or(index, |canary| canary.stage);
        self.stages.get(chosen.0 as usize).map(|stage| &**stage)
    }
}

/// An origin in its slot.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The origin.
    pub plan: Arc<UpstreamPlan>,
    /// Tells one origin of a slot from the next: what a shard remembers of an older one is of no use for this.
    pub generation: u64,
}

/// An origin: where requests of an HTTP integration go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamPlan {
    /// https
    pub is_tls: bool,
    /// `tlsConfig.insecureSkipVerification`
    pub any_authority: bool,
    /// Name or literal address, without brackets.
    pub host: Box<str>,
    /// Port.
    pub port: u16,
    /// What the `Host` header says: the port only where it is not the scheme's own.
    pub authority: Box<str>,
}
