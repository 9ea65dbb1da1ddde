//! What shards execute: everything decided at deploy time, immutable, and shared by all cores.
//!
//! `compile` makes these values, `exchange` reads them. A name that matters at run time is an index here, a template is
//! bytes or a program, a choice is a table.

pub mod content;
pub mod headers;
pub mod host;
pub mod integrate;
pub mod media;
pub mod respond;
pub mod route;
pub mod snapshot;
pub mod stage;
pub mod template;
pub mod trie;
pub mod validate;

pub use host::{Door, Entry, HostTable, Mapping, NoEntry, StageIndex};
pub use integrate::{HeaderMapping, HttpPlan, MockPlan, MockRequest, Passthrough, QueryMapping};
pub use media::ByMediaType;
pub use respond::{Choice, ResponseHeader, ResponsePlan, Responses};
pub use route::{IntegrationPlan, RoutePlan, RouteSlot};
pub use snapshot::{Canary, Limits, SlotCounts, Snapshot, Upstream, UpstreamPlan, UpstreamSlot};
pub use stage::{RejectionPlan, StagePlan, StageSlot};
pub use template::BodyTemplate;
pub use validate::ValidatePlan;
