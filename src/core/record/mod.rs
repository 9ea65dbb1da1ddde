//! What is remembered about requests: counters, latencies, log lines, decisions and the ids that tie them together.
//!
//! Written by one shard, read by telemetry. Nothing here knows an API, draws randomness or reads a clock.

pub mod access_log;
pub mod clf;
pub mod counter;
pub mod decision;
pub mod histogram;
pub mod ids;

pub use access_log::AccessLogProgram;
pub use counter::Counter;
pub use histogram::Histogram;
