//! What the outside sees of a running gateway: metrics as Prometheus text, and access-log lines.
//!
//! Nothing here decides anything about a request, and nothing here may make a shard wait.

pub mod access_log;
pub mod log_file;
pub mod prometheus;
