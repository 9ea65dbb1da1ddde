//! Signature Version 4 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>): how a client of AWS
//! proves that it holds the secret of an access key without sending it.
//!
//! Nothing here knows who owns a key or what it may do, reads a clock or keeps a secret: it is given all three.
//! Verifying takes three steps, so that the body of a stranger's request is never read:
//!
//! 1. [`Presented::read`] finds what the request claims, in its `Authorization` header or in its query;
//! 2. [`Presented::claim`] checks time and scope; the caller looks up the secret of the access key;
//! 3. [`Claim::verify`] computes the signature over the whole request, the hash of its body included.
//!
//! The words and the order of the checks are AWS's as far as they are known.

mod canonical;
mod claim;
mod credential;
mod key;
mod presented;
mod refusal;
mod sign;
mod timestamp;

pub use canonical::{PathStyle, Payload};
pub use claim::{Claim, Expected, UnsignedPayload};
pub use credential::{Credential, Scope};
pub use key::{HASH_BYTES, KeyCache, PayloadHash, SigningKey, hash};
pub use presented::Presented;
pub use refusal::{Reason, Refusal};
pub use sign::Signer;
pub use timestamp::Timestamp;

/// The only algorithm: an HMAC over the whole request with a key made for one day, region and service.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

const DATE_HEADER: &str = "x-amz-date";
const TOKEN_HEADER: &str = "x-amz-security-token";
const CONTENT_HASH_HEADER: &str = "x-amz-content-sha256";

/// A request as it was sent, or will be.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// In capitals.
    pub method: &'a str,
    /// Up to the `?`, nothing decoded.
    pub path: &'a str,
    /// What follows the `?`, nothing decoded; empty when there is none.
    pub query: &'a str,
    /// Names, in any case, and values, in the order in which they stand.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Request<'a> {
    /// The values of a header, in order.
    fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The first value of a header, if it is text.
    fn text(&self, name: &str) -> Option<&'a str> {
        self.values(name).next().and_then(|value| str::from_utf8(value).ok()).map(str::trim)
    }
}

#[cfg(test)]
mod tests;
