//! Signature Version 4 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>): how a client of AWS
//! proves that it holds the secret of an access key without sending it.
//!
//! Nothing here knows who owns a key or what it may do, reads a clock or keeps a secret: it is given all three.

mod credential;

pub use credential::{Credential, Scope};

/// The only algorithm: an HMAC over the whole request with a key made for one day, region and service.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
