//! What Ringgate thinks with: parsers, definitions, plans and the life of a request.
//!
//! Nothing here opens a socket, reads a clock, starts a thread or draws randomness: it is told the time and handed
//! the bytes, and answers with bytes, values and deadlines. The modules stand in dependency order.

#![forbid(unsafe_code)]

// Tests that the simulation and the benchmarks share name this crate as those do.
#[cfg(test)]
extern crate self as ringgate_core;

pub mod base;

pub mod json;
pub mod proto;
pub mod record;
pub mod vtl;

pub mod schema;

pub mod explain;

pub mod aws;
pub mod mapping;

pub mod model;

pub mod import;

pub mod plan;

pub mod compile;

pub mod exchange;
