//! Ringgate: an open, self-hosted Amazon API Gateway.
<<<<<<< HEAD
//!
//! One process: a few threads that each own a core and serve requests ([`shard`]), and a few that decide what they serve
//! ([`control`]). They share nothing but immutable snapshots and bounded mailboxes.

pub mod net;

pub mod shard;

pub mod control;
=======

pub mod cli;
pub mod config;
pub mod telemetry;
>>>>>>> wt-ops
