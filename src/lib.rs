//! Ringgate: an open, self-hosted Amazon API Gateway.

pub mod net;
