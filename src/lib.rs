//! Ringgate: an open, self-hosted Amazon API Gateway.
//!
//! One process: a few threads that each own a core and serve requests ([`shard`]), and a few that decide what they serve
//! ([`control`]). They share nothing but immutable snapshots and bounded mailboxes. Modules in dependency order:

pub mod net;

pub mod telemetry;

pub mod config;

pub mod shard;

pub mod store;

pub mod control;

pub mod admin;

pub mod cli;
