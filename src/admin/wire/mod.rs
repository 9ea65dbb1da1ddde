//! What the management API reads and writes, spelled as AWS spells it on the wire (restJson1, lower camel case).
//!
//! The structures here are stored as they are sent: the API is, member for member, what is kept. Absent optional
//! members are left out, never null.

pub mod account;
pub mod deployment;
pub mod error;
pub mod input;
pub mod parts;
pub mod patch;
pub mod policy;
pub mod reply;
pub mod resource;
pub mod rest_api;
pub mod tags;

use std::collections::BTreeMap;

/// Names and texts: templates by content type, variables, tags.
pub type Texts = BTreeMap<String, String>;
/// Names and flags: declared parameters and whether they are required.
pub type Flags = BTreeMap<String, bool>;
/// Seconds since 1970, as v1 prints times.
pub type EpochSeconds = i64;
