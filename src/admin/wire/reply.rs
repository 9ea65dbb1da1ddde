//! Answers of the management API.

use serde::Serialize;
use serde_json::Value;

use super::error::Error;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// What follows.
    pub body: Body,
}

/// What follows the head of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// A document of its own media type, with the name under which it is to be kept.
    Document {
        /// `Content-Type`
        content_type: &'static str,
        /// `Content-Disposition`
        disposition: String,
        /// Its text.
        text: String,
    },
}

/// What an operation comes to.
pub type Answer = Result<Reply, Error>;

impl Reply {
    /// `status` and a structure.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        Self { status, body: Body::Json(serde_json::to_value(body).unwrap_or_default()) }
    }

    /// 200 and a structure.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    /// 201 and a structure.
    pub fn created(body: &impl Serialize) -> Self {
        Self::json(201, body)
    }

    /// 202 and nothing: what most deletions answer.
    pub const fn accepted() -> Self {
        Self { status: 202, body: Body::Empty }
    }

    /// 204.
    pub const fn no_content() -> Self {
        Self { status: 204, body: Body::Empty }
    }
}
