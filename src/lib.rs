//! Ringgate: an open, self-hosted Amazon API Gateway.

pub mod cli;
pub mod config;
pub mod telemetry;
