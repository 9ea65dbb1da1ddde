//! Towards the back end: `HTTP`, `HTTP_PROXY` and `MOCK` integrations.

use std::time::Duration;

use crate::mapping::Expression;
use crate::mapping::template::Template;
use crate::mapping::uri::UriTemplate;

use super::content::Handling;
use super::{BodyTemplate, ByMediaType, Responses, UpstreamSlot};

/// What happens to a body for whose media type there is no template (`passthroughBehavior`, and whether there are any
/// templates: rest-integrations §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passthrough {
    /// It passes as it is.
    Allowed,
    /// 415.
    Refused,
}

/// An `HTTP` or `HTTP_PROXY` integration.
#[derive(Debug)]
pub struct HttpPlan {
    /// The origin.
    pub upstream: UpstreamSlot,
    /// `HTTP_PROXY`: headers, query and body pass, the back end's answer too.
    pub is_proxy: bool,
    /// Method towards the back end; `None`: the client's.
    pub method: Option<Box<[u8]>>,
    /// Path and query of the URI.
    pub uri: UriTemplate,
    /// Path and query of the URI where they are the same for every request.
    pub static_path: Option<Box<[u8]>>,
    /// `integration.request.querystring.*`.
    pub query_mappings: Box<[QueryMapping]>,
    /// `integration.request.header.*`.
    pub header_mappings: Box<[HeaderMapping]>,
    /// Request templates by the client's `Content-Type`.
    pub templates: ByMediaType<BodyTemplate>,
    /// What happens without a matching template.
    pub passthrough: Passthrough,
    /// `contentHandling`; `None`: whatever the body, it stays as it is.
    pub content: Option<Handling>,
    /// A mapping reads the request's body.
    pub reads_body: bool,
    /// No request has to be prepared: no template runs, and nothing reads a body, converts or decodes it.
    pub streams: bool,
    /// An `HTTP_PROXY`'s answers are converted by their media types.
    pub converts_answers: bool,
    /// From sending the request to the response's head.
    pub timeout: Duration,
    /// Integration responses; unused by `HTTP_PROXY`.
    pub responses: Responses,
}

/// A header that is set towards the back end.
#[derive(Debug)]
pub struct HeaderMapping {
    /// Name as declared.
    pub name: Box<[u8]>,
    /// What fills it.
    pub value: Expression,
}

/// A query parameter that is set towards the back end.
#[derive(Debug)]
pub struct QueryMapping {
    /// Name, percent-encoded, with its `=`.
    pub name: Box<[u8]>,
    /// What fills it.
    pub value: Expression,
}

/// A `MOCK` integration.
#[derive(Debug)]
pub struct MockPlan {
    /// Request templates by the client's `Content-Type`.
    pub templates: ByMediaType<MockRequest>,
    /// What happens without a matching template.
    pub passthrough: Passthrough,
    /// `contentHandling`; `None`: whatever the body, it stays as it is.
    pub content: Option<Handling>,
    /// Chosen by the status that the template gives.
    pub responses: Responses,
}

/// What a MOCK's request template comes to.
#[derive(Debug)]
pub enum MockRequest {
    /// An integer `statusCode`, found at deploy time.
    Status(i64),
    /// A text without an integer `statusCode`: 500, `Unable to parse statusCode`.
    NoStatus,
    /// The client's body.
    Passthrough,
    /// It has to run.
    Program(Box<Template>),
    /// It does not compile: 500, with what is wrong and where.
    Broken(Box<str>),
}
