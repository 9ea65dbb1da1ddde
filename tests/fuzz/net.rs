//! The part of `net` that configuration values name; it stands alone.

#[path = "../../src/net/cidr.rs"]
pub mod cidr;
