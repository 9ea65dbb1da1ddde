//! Why a request is not believed, in AWS's words.

use std::fmt;

use crate::aws::errors::ResponseType;

/// What is wrong, to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is no signature at all.
    MissingAuthenticationToken,
    /// What is there cannot be a signature.
    Incomplete,
    /// It was made too long ago, or will be made.
    OutOfTime,
    /// It was made for another region or service.
    WrongScope,
    /// Nobody has this access key, or it goes with another token.
    UnknownKey,
    /// It is another request's signature, or another secret's.
    Mismatch,
}

impl Reason {
    /// The name of AWS's exception, which goes into `x-amzn-ErrorType`.
    pub const fn exception(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::Incomplete => "IncompleteSignatureException",
            Self::OutOfTime | Self::WrongScope | Self::Mismatch => "InvalidSignatureException",
            Self::UnknownKey => "UnrecognizedClientException",
        }
    }

    /// The gateway response that a method answers with.
    pub const fn response_type(self) -> ResponseType {
        match self {
            Self::MissingAuthenticationToken | Self::Incomplete => ResponseType::MissingAuthenticationToken,
            Self::OutOfTime | Self::WrongScope | Self::UnknownKey | Self::Mismatch => ResponseType::InvalidSignature,
        }
    }
}

/// Why a request is not believed. AWS answers 403 to all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// To be counted.
    pub reason: Reason,
    /// For the client.
    pub message: String,
    /// What AWS's long form appends to the message of a mismatch: the strings that should have been signed.
    pub detail: String,
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";

impl Refusal {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), detail: String::new() }
    }

    pub(super) fn incomplete(message: impl Into<String>) -> Self {
        Self::new(Reason::Incomplete, message)
    }

    pub(super) fn mismatch(canonical_request: &[u8], string_to_sign: &[u8]) -> Self {
        let detail = format!(
            "\n\nThe Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign should have \
             been\n'{}'\n",
            String::from_utf8_lossy(canonical_request),
            String::from_utf8_lossy(string_to_sign)
        );
        Self { detail, ..Self::new(Reason::Mismatch, MISMATCH) }
    }

    /// Nobody has the access key that signed, or it goes with another session token.
    pub fn unknown_key() -> Self {
        Self::new(Reason::UnknownKey, "The security token included in the request is invalid.")
    }
}

/// The long form.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Refusal {}
