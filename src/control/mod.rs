//! Deciding threads: what shards serve, where origins live, when to stop.

pub mod dns;
