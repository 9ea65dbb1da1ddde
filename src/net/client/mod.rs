//! Connections to origins: connecting, TLS, and the pool that keeps them. Addresses arrive resolved: a shard never asks
//! DNS.

pub mod pool;
pub mod stream;
pub mod tls;
