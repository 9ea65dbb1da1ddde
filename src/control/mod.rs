//! Deciding threads: what shards serve, where origins live, when to stop.

pub mod dns;
pub mod explain;
pub mod gateway;
pub mod metrics;
mod origins;
pub mod publisher;
pub mod served;
pub mod supervise;
pub mod test_invoke;
pub mod watch;
