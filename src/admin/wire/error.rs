//! Refusals of the management API: `{"message": …}` with the exception's name in `x-amzn-ErrorType`.

use std::fmt::Display;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// HTTP status.
    pub status: u16,
    /// Name of the exception.
    pub kind: &'static str,
    /// AWS's words.
    pub message: String,
}

impl Error {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    /// 400: a value is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequestException", message)
    }

    /// 404: what is named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NotFoundException", message)
    }

    /// 409: it clashes with what is there.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "ConflictException", message)
    }

    /// 429: there may not be more of it.
    pub fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new(429, "LimitExceededException", message)
    }

    /// 503: it could not be kept; nothing has changed.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "ServiceUnavailableException", message)
    }

    /// When it is worth while to try again: the service's model gives this member to what is full or out of order.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        match self.status {
            429 => Some(60),
            503 => Some(1),
            _ => None,
        }
    }

    /// 404: no such operation.
    pub fn unknown_operation() -> Self {
        Self::new(404, "UnknownOperationException", "Unknown operation")
    }

    /// 413: the body is larger than any operation takes.
    pub fn too_large() -> Self {
        Self::new(413, "RequestEntityTooLargeException", "Request is too large.")
    }

    /// 400: a member is of the wrong JSON type, or the body is no JSON.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// 400: members that break the service's model, all of them at once.
    pub fn validation(complaints: &[String]) -> Self {
        let noun = if complaints.len() == 1 { "error" } else { "errors" };
        let message = format!("{} validation {noun} detected: {}", complaints.len(), complaints.join("; "));
        Self::new(400, "ValidationException", message)
    }

    /// No such API.
    pub fn unknown_api(account: impl Display, id: impl Display) -> Self {
        Self::not_found(format!("Invalid API identifier specified {account}:{id}"))
    }

    /// No such resource, or no such API in a call about one.
    pub fn unknown_resource() -> Self {
        Self::not_found("Invalid Resource identifier specified")
    }
}
