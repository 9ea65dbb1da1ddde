//! The life of a request, from a parsed head to a response head, and to a response body where it is our own.
//!
//! [`serve`] is the whole order of steps (rest-routing-and-stages §12) in one function. Every step is synchronous; what
//! takes time is asked of [`Effects`]. The driver reads and parses the head, calls [`serve`], writes
//! `scratch.response`, and passes a back end's body on when the answer is [`Served::Relay`].

mod content;
mod decision;
pub mod effects;
mod http;
mod mock;
mod reject;
mod request;
mod respond;
mod template;
#[cfg(test)]
pub(crate) mod tests;
mod validate;
mod values;

use std::borrow::Cow;

use crate::aws::errors::ResponseType;
use crate::base::{Instant, WallTime};
use crate::json::Tape;
use crate::mapping::template::Overrides;
use crate::plan::trie::{Captures, MethodKey};
use crate::plan::{Door, IntegrationPlan, RoutePlan, Snapshot, StagePlan};
use crate::proto::h1::RequestHead;
use crate::proto::http::coding::Encoder;
use crate::proto::http::{KnownField, Method, Version};
use crate::record::decision::{Step as Reached, Tag, Trail};
use crate::record::ids::{self, TraceSeed};

pub use crate::mapping::template::Renderer;
pub use decision::{CallTrace, Delivery, write_decision};
pub use effects::{Answer, BodyFailure, Call, CallBody, CallFailure, Effects};
pub use reject::{Rejection, write_refusal};

/// What a step that can only fail comes to.
type Step = Result<(), Rejection>;

/// Who sent a request and over what: the same for all requests of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Client<'x> {
    /// The immediate peer, or whom a trusted proxy names: `$context.identity.sourceIp`.
    pub source_ip: &'x [u8],
    /// The immediate peer as `X-Forwarded-For` gets it.
    pub peer: &'x [u8],
    /// CRLF and the `X-Forwarded-Port` and `-Proto` lines.
    pub forwarded_lines: &'x [u8],
    /// The `Date` line of this second.
    pub date_line: &'x [u8],
}

/// How the request's body is framed towards us, told after what has already arrived was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyShape {
    /// None, or of length 0.
    Empty,
    /// This many bytes.
    Length(u64),
    /// Chunked and not all here yet.
    Chunked,
}

/// A request as it came.
#[derive(Clone, Copy)]
pub struct Request<'x> {
    /// The parsed head.
    pub head: &'x RequestHead,
    /// The bytes its spans point into.
    pub bytes: &'x [u8],
    /// Its body.
    pub body: BodyShape,
    /// Its connection.
    pub client: Client<'x>,
}

impl<'x> Request<'x> {
    fn method_text(&self) -> &'x [u8] {
        self.head.method_text.of(self.bytes)
    }

    fn path(&self) -> &'x [u8] {
        self.head.path(self.bytes)
    }

    fn query(&self) -> Option<&'x [u8]> {
        self.head.query.map(|query| query.of(self.bytes))
    }

    fn host(&self) -> &'x [u8] {
        self.head.authority.map_or(b"", |authority| authority.of(self.bytes))
    }

    fn is_http_11(&self) -> bool {
        self.head.version == Version::Http11
    }

    fn field(&self, known: KnownField) -> Option<&'x [u8]> {
        self.head.fields.value(known, self.bytes)
    }

    fn fields(&self, known: KnownField) -> impl Iterator<Item = &'x [u8]> {
        self.head.fields.values(known, self.bytes)
    }
}

/// Memory that a driver keeps from request to request.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The response: its head, and its body where it is our own.
    pub response: Vec<u8>,
    /// The request to the back end.
    pub request: Vec<u8>,
    /// A mapped value while it is being written.
    value: Vec<u8>,
    /// A body of our own until the head before it is written.
    body: Vec<u8>,
    /// The client's body, where all of it is needed.
    request_body: Vec<u8>,
    /// The back end's body, where all of it is needed.
    answer_body: Vec<u8>,
    /// The body that is validated, and then the one that mappings read, parsed.
    document: Tape,
    /// What templates have set.
    overrides: Overrides,
    /// What the decision record needs and the end of the exchange no longer has.
    trail: Trail,
}

/// What each part of a [`Scratch`] keeps of its memory, in bytes.
const SCRATCH_BYTES_KEPT_MAX: usize = 64 * 1024;

impl Scratch {
    /// Gives back what a large body took.
    pub fn trim(&mut self) {
        let Self { response, request, value, body, request_body, answer_body, document, .. } = self;
        for part in [response, request, value, body, request_body, answer_body] {
            part.clear();
            part.shrink_to(SCRATCH_BYTES_KEPT_MAX);
        }
        document.clear();
    }
}

/// What is known of a request when it is over: the access log and the counters are written from this.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When its head was complete.
    pub started: Instant,
    /// The same by the calendar.
    pub wall: WallTime,
    /// `$context.requestId`
    pub request_id: [u8; 36],
    /// `$context.extendedRequestId`
    pub extended_request_id: [u8; 16],
    /// Whether the client sent a request id that is none; access logs say so.
    pub has_invalid_request_id: bool,
    trace_seed: TraceSeed,
    /// Status sent; 0: none was.
    pub status: u16,
    /// Bytes of the response's body.
    pub response_length: u64,
    /// From [`Facts::started`] to the end of the response, in nanoseconds.
    pub response_latency_nanos: u64,
    /// Status of the back end.
    pub integration_status: Option<u16>,
    /// Nanoseconds from the call to the head of the back end's answer.
    pub integration_latency_nanos: Option<u64>,
    /// The gateway response that was sent.
    pub error: Option<(ResponseType, Cow<'static, str>)>,
    /// What a validator found wrong with the body: `$context.error.validationErrorString`.
    pub validation_error: Option<Box<str>>,
    /// Why, for the operator; not for the client.
    pub reason: Option<Box<str>>,
    /// The call that failed.
    pub call_failure: Option<CallFailure>,
}

/// Random bytes that one request's identifiers take.
pub const SEED_BYTES: usize = 48;

impl Facts {
    /// What is known when a head has been read. A client may choose the request id, if it is a UUID
    /// (dg/api-gateway-variables-for-access-logging).
    pub fn new(started: Instant, wall: WallTime, head: &RequestHead, bytes: &[u8], seed: &[u8; SEED_BYTES]) -> Self {
        let given = head.fields.value(KnownField::XAmznRequestId, bytes);
        let valid = given.filter(|given| ids::is_uuid(given)).and_then(|given| given.try_into().ok());
        let part = |from: usize| &seed[from..];
        Self {
            started,
            wall,
            request_id: valid.unwrap_or_else(|| ids::request_id(head_of(part(0)))),
            extended_request_id: ids::extended_request_id(head_of(part(16))),
            has_invalid_request_id: given.is_some() && valid.is_none(),
            trace_seed: TraceSeed { root: head_of(part(27)), parent: head_of(part(39)) },
            status: 0,
            response_length: 0,
            response_latency_nanos: 0,
            integration_status: None,
            integration_latency_nanos: None,
            error: None,
            validation_error: None,
            reason: None,
            call_failure: None,
        }
    }

    /// Whether what went wrong is the integration's: its definition, its template or its back end. What the client did
    /// wrong has other variables.
    fn is_integration_error(&self) -> bool {
        use ResponseType::{ApiConfigurationError, Default5xx, IntegrationFailure, IntegrationTimeout};
        let kinds = [ApiConfigurationError, Default5xx, IntegrationFailure, IntegrationTimeout];
        self.error.as_ref().is_some_and(|(kind, _)| kinds.contains(kind))
    }

    fn trace_header(&self, incoming: Option<&[u8]>) -> [u8; ids::TRACE_HEADER_BYTES] {
        ids::trace_header(incoming, self.wall.as_secs(), self.trace_seed)
    }
}

/// The first `N` of at least `N` bytes.
fn head_of<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("the seed is as long as its parts together")
}

const _: () = assert!(SEED_BYTES >= 16 + 11 + 12 + 8, "the seed is as long as its parts together");

/// Who delivers the body behind the head in `scratch.response`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// It is in `scratch.response` too, or there is none.
    Own,
    /// The driver passes the back end's body on, framed as [`Exchange::framed`] says.
    Relay,
}

/// How the client finds the end of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed {
    /// By its `Content-Length`, or there is none by definition.
    Length,
    /// Chunked.
    Chunked,
    /// The connection ends.
    UntilClose,
    /// Its status has no body (RFC 9110 section 6.4.1), whatever the back end sends.
    Bodiless,
}

/// One request being served.
pub struct Exchange<'x> {
    /// The request.
    pub request: Request<'x>,
    /// The version that serves it.
    pub snapshot: &'x Snapshot,
    /// Reused memory.
    pub scratch: &'x mut Scratch,
    /// What is learned on the way.
    pub facts: Facts,
    /// Set by [`serve`]: how the response ends.
    pub framed: Framed,
    /// Set by [`serve`]: what encodes the body that is passed on. Goes back to [`Effects::take_back_encoder`].
    pub encoder: Option<Box<Encoder>>,
    /// Whether the connection may serve another request. [`serve`] only ever clears it.
    pub keeps_alive: bool,
    stage: Option<&'x StagePlan>,
    route: Option<&'x RoutePlan>,
    /// What is asked for. How messages are framed depends on the method that was sent, and on nothing else.
    method: &'x [u8],
    /// Whether its stage has a canary, be this the canary's request or not.
    has_canary: bool,
    /// Where the resource path begins in the request's path.
    offset: usize,
    /// Through what it came to its stage.
    door: Door,
    captures: Captures,
    has_request_body: bool,
    has_answer_body: bool,
    /// Bytes of the head in `scratch.response`; a body of our own stands behind it.
    response_head: usize,
}

impl<'x> Exchange<'x> {
    /// A request that has just arrived.
    pub fn new(
        request: Request<'x>,
        snapshot: &'x Snapshot,
        scratch: &'x mut Scratch,
        facts: Facts,
        keeps_alive: bool,
    ) -> Self {
        let captures = Captures::new();
        scratch.trail.clear();
        scratch.overrides.clear();
        Self {
            encoder: None,
            has_request_body: false,
            has_answer_body: false,
            response_head: 0,
            request,
            snapshot,
            scratch,
            facts,
            framed: Framed::Length,
            keeps_alive,
            stage: None,
            route: None,
            method: asked_method(&request, snapshot),
            has_canary: false,
            offset: 0,
            door: Door::DefaultEndpoint,
            captures,
        }
    }

    /// Whether a whole body was gathered, so that its memory is to be given back: [`Scratch::trim`].
    pub fn is_gathered(&self) -> bool {
        self.has_request_body || self.has_answer_body
    }

    /// The stage that serves it, once known.
    pub fn stage(&self) -> Option<&'x StagePlan> {
        self.stage
    }

    /// Whether the response has no body because only its head was asked for.
    pub fn is_head(&self) -> bool {
        self.request.head.method == Method::Head
    }

    /// Shows the decision record the beginning of a body that the driver passes on. Kept for failures only: what goes
    /// well is the client's and the back end's business.
    pub fn note_passing_body(&mut self, bytes: &[u8]) {
        if self.facts.status >= 400 && self.stage.is_some_and(|stage| stage.records_bodies) {
            self.scratch.trail.note(Tag::AnswerBody, bytes);
        }
    }

    /// The route that serves it, once known.
    pub fn route(&self) -> Option<&'x RoutePlan> {
        self.route
    }
}

/// The method of the request line, unless `X-HTTP-Method-Override` names another (rest-routing-and-stages §2.1). A name
/// that is no method of a REST API replaces nothing.
fn asked_method<'x>(request: &Request<'x>, snapshot: &Snapshot) -> &'x [u8] {
    let sent = request.method_text();
    if !snapshot.overrides_methods {
        return sent;
    }
    let named = request.field(KnownField::XHttpMethodOverride);
    named.filter(|named| MethodKey::of_request(named).is_some()).unwrap_or(sent)
}

/// Serves one request: afterwards `scratch.response` holds a whole head.
pub async fn serve<E: Effects>(x: &mut Exchange<'_>, effects: &mut E) -> Served {
    match run(x, effects).await {
        Ok(served) => served,
        Err(rejection) => {
            x.keeps_alive &= effects.can_serve_again();
            reject::respond(x, rejection)
        }
    }
}

/// Appends the access-log line of a request that is over.
pub fn write_access_log(x: &Exchange<'_>, line: &mut Vec<u8>) {
    let program = x.stage.map_or(&x.snapshot.access_log, |stage| &stage.access_log);
    program.render(|variable, out| values::log_value(x, variable, out), line);
}

async fn run<E: Effects>(x: &mut Exchange<'_>, effects: &mut E) -> Result<Served, Rejection> {
    let (stage, route) = find_route(x, effects)?;
    x.scratch.trail.reach(Reached::Authorize);
    if let Some(reason) = &route.closed {
        return Err(Rejection::unserved(reason));
    }
    x.scratch.trail.reach(Reached::Validate);
    // Before an origin is contacted, but when it is known whose log line and counters it goes to.
    if let BodyShape::Length(length) = x.request.body
        && length > x.snapshot.limits.request_body_bytes_max
    {
        return Err(Rejection::request_too_large());
    }
    if let Some(plan) = &route.validate {
        validate::validate(x, stage, plan, effects).await?;
    }
    x.scratch.trail.reach(Reached::MapRequest);
    match &route.integration {
        IntegrationPlan::Http(plan) => http::integrate(x, stage, plan, effects).await,
        IntegrationPlan::Mock(plan) => mock::integrate(x, stage, plan, effects).await,
        IntegrationPlan::Unserved(reason) => Err(Rejection::unserved(reason)),
        IntegrationPlan::BadEndpoint(reason) => Err(Rejection::bad_endpoint(reason)),
    }
}

fn find_route<'x, E: Effects>(
    x: &mut Exchange<'x>,
    effects: &mut E,
) -> Result<(&'x StagePlan, &'x RoutePlan), Rejection> {
    let path = x.request.path();
    let entry = x.snapshot.hosts.find(x.request.host(), path, x.request.field(KnownField::XApigwApiId))?;
    let stage = x.snapshot.stage(entry.stage, || effects.draw());
    let stage = stage.ok_or_else(|| Rejection::forbidden("no such stage"))?;
    x.stage = Some(stage);
    x.has_canary = x.snapshot.has_canary(entry.stage);
    x.scratch.trail.reach(Reached::Route);
    x.offset = entry.offset;
    x.door = entry.door;
    let found = match path {
        // The server as a whole, which is no resource (RFC 9110 section 9.3.7).
        b"*" => None,
        _ => stage.trie.find(&path[entry.offset..], MethodKey::of_request(x.method), &mut x.captures),
    };
    let route = found.and_then(|index| stage.routes.get(index.0 as usize));
    let route = route.ok_or_else(|| Rejection::unknown_route(&x.request))?;
    x.route = Some(route);
    Ok((stage, route))
}
