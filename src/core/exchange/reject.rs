//! Gateway responses: what a client is told when the gateway itself answers.

use std::borrow::Cow;

use crate::aws::errors::{BodyStyle, ResponseType, write_default_body};
use crate::aws::sigv4::{self, ALGORITHM, Presented, Refusal};
use crate::json::NotJson;
use crate::mapping::Presence;
use crate::plan::{NoEntry, RejectionPlan};
use crate::proto::h1::Field;
use crate::proto::h1::write::{write_field, write_status_line};
use crate::proto::http::{KnownField, Status};

use super::effects::{BodyFailure, CallFailure};
use super::{Exchange, Request, Served, respond};

/// Why the gateway answers itself.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// The gateway response that is sent.
    pub response_type: ResponseType,
    /// Status before customization.
    pub status: u16,
    /// `$context.error.message`
    pub message: Cow<'static, str>,
    /// `$context.error.validationErrorString`
    pub validation_error: Option<Box<str>>,
    error_type: &'static str,
    style: BodyStyle,
    /// Why, for the operator.
    pub reason: Option<Box<str>>,
    /// The call that failed.
    pub failure: Option<CallFailure>,
}

impl Rejection {
    fn of(response_type: ResponseType) -> Self {
        Self {
            response_type,
            status: response_type.status().unwrap_or(500),
            message: response_type.message().unwrap_or_default().into(),
            validation_error: None,
            error_type: response_type.error_type().unwrap_or("InternalServerErrorException"),
            style: response_type.body_style(),
            reason: None,
            failure: None,
        }
    }

    /// No resource matches, or the one that does has no such method (R `test_routing_not_found`). An `Authorization`
    /// header is then read as a signature, and where it is none AWS says that instead (rest-routing-and-stages §3).
    pub(super) fn unknown_route(request: &Request<'_>) -> Self {
        let missing = Self::of(ResponseType::MissingAuthenticationToken);
        match no_signature(request) {
            Some(refusal) => Self {
                error_type: refusal.reason.exception(),
                message: refusal.message.into(),
                reason: Some("no resource matches, and the Authorization header is no signature".into()),
                ..missing
            },
            None => missing,
        }
    }

    /// There is an API or a domain, and nothing of it answers here: reported as `Forbidden`
    /// (rest-routing-and-stages §3).
    pub(super) fn forbidden(reason: &'static str) -> Self {
        let forbidden = Self::of(ResponseType::InvalidApiKey);
        Self { response_type: ResponseType::Default4xx, reason: Some(reason.into()), ..forbidden }
    }

    /// There is no such API. On AWS its name would not resolve; here there is somebody to say so.
    pub(super) fn unknown_api() -> Self {
        let not_found = Self::of(ResponseType::ResourceNotFound);
        let reason = "no API answers at this host and path";
        Self { message: "Not Found".into(), error_type: "NotFoundException", reason: Some(reason.into()), ..not_found }
    }

    /// The definition asks for what this version does not do; the route fails closed.
    pub(super) fn unserved(reason: &str) -> Self {
        Self::configuration(reason)
    }

    /// The definition makes no answer possible. A bad endpoint is recorded without the space after the colon
    /// (R `test_apigw_stage_variables`).
    pub(super) fn configuration(reason: &str) -> Self {
        Self { reason: Some(reason.into()), ..Self::of(ResponseType::ApiConfigurationError) }
    }

    /// A bad endpoint: recorded without the space after the colon.
    pub(super) fn bad_endpoint(reason: &str) -> Self {
        Self { style: BodyStyle::Compact, ..Self::configuration(reason) }
    }

    /// No integration response matches.
    pub(super) fn no_response_for(status: i64) -> Self {
        Self::configuration(&format!(
            "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: {status}"
        ))
    }

    /// The integration response that was selected leads to no method response.
    pub(super) fn undeclared(status: u16) -> Self {
        Self::configuration(&format!("Output mapping refers to an invalid method response: {status}"))
    }

    /// A body that mappings read begins as JSON and is none.
    pub(super) fn invalid_json(why: &NotJson) -> Self {
        Self {
            status: 400,
            message: "Invalid JSON in request body".into(),
            error_type: "BadRequestException",
            reason: Some(format!("a mapping reads the request's body, which is {why}").into()),
            ..Self::of(ResponseType::Default4xx)
        }
    }

    /// The same of an answer's body (rest-integrations §2).
    pub(super) fn invalid_json_answer(why: &NotJson) -> Self {
        Self {
            error_type: "InternalFailureException",
            ..Self::configuration(&format!("the answer's body that a mapping reads is {why}"))
        }
    }

    /// No template for the body's media type, and passing it on is forbidden.
    pub(super) fn unsupported_media_type() -> Self {
        Self::of(ResponseType::UnsupportedMediaType)
    }

    /// Required parameters are missing, as `message` lists them.
    pub(super) fn bad_request_parameters(message: String) -> Self {
        let validation_error = Some(message.as_str().into());
        Self { message: message.into(), validation_error, ..Self::of(ResponseType::BadRequestParameters) }
    }

    /// The body is not what its model says, for the reasons in `verdict`.
    pub(super) fn bad_request_body(verdict: String) -> Self {
        let validation_error = Some(verdict.as_str().into());
        Self { validation_error, reason: Some(verdict.into()), ..Self::of(ResponseType::BadRequestBody) }
    }

    /// The body is larger than a request may carry.
    pub(super) fn request_too_large() -> Self {
        Self::of(ResponseType::RequestTooLarge)
    }

    /// The back end says that its answer is larger than a response may be. AWS: 500 or 502 were reported.
    pub(super) fn response_too_large() -> Self {
        Self { reason: Some("the answer is larger than 10 MB".into()), ..Self::of(ResponseType::IntegrationFailure) }
            .with_status(500)
    }

    fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn shed(reason: &'static str) -> Self {
        let base = Self::of(ResponseType::Default5xx);
        Self {
            status: 503,
            message: "Service Unavailable".into(),
            error_type: "ServiceUnavailableException",
            style: BodyStyle::Compact,
            reason: Some(reason.into()),
            ..base
        }
    }

    fn network(reason: &'static str) -> Self {
        let failure = Self::of(ResponseType::IntegrationFailure);
        Self { message: "Network error communicating with endpoint".into(), reason: Some(reason.into()), ..failure }
    }
}

/// What is wrong with an `Authorization` header of another scheme, read as a signature.
fn no_signature(request: &Request<'_>) -> Option<Refusal> {
    let authorization = request.field(KnownField::Authorization)?;
    if authorization.starts_with(ALGORITHM.as_bytes()) {
        return None;
    }
    let field = |field: &Field| {
        let name = std::str::from_utf8(field.name.of(request.bytes)).ok()?;
        Some((name, field.value.of(request.bytes)))
    };
    let headers: Vec<_> = request.head.fields.iter().filter_map(field).collect();
    Presented::read(&sigv4::Request { method: "", path: "", query: "", headers: &headers }).err()
}

/// rest-routing-and-stages §3.
impl From<NoEntry> for Rejection {
    fn from(none: NoEntry) -> Self {
        match none {
            NoEntry::UnknownStage => Self::forbidden("no such stage"),
            NoEntry::DisabledEndpoint => Self::forbidden("the default endpoint is disabled"),
            NoEntry::Unmapped => Self::forbidden("the domain maps no base path to this"),
            NoEntry::UnknownApi => Self::unknown_api(),
        }
    }
}

/// rest-integrations §8.1.
impl From<CallFailure> for Rejection {
    fn from(failure: CallFailure) -> Self {
        let rejection = match failure {
            CallFailure::Refused => Self::bad_endpoint("Invalid endpoint address: the connection was refused"),
            CallFailure::NameNotFound => Self::bad_endpoint("Invalid endpoint address: the name does not resolve"),
            CallFailure::AddressNotAllowed => Self::bad_endpoint(
                "Invalid endpoint address: link-local metadata addresses and our own admin listener are refused; \
                 --allow-origin-address names exceptions",
            ),
            CallFailure::Network => Self::network("Network error communicating with endpoint"),
            CallFailure::Protocol => Self::network("the endpoint's answer breaks HTTP"),
            CallFailure::Timeout => {
                let reason = "Execution failed due to a timeout error";
                Self { reason: Some(reason.into()), ..Self::of(ResponseType::IntegrationTimeout) }
            }
            CallFailure::TooManyConnections => {
                Self::shed("the origin has as many connections as --origin-connections-max allows")
            }
            CallFailure::OutOfDescriptors => {
                Self::shed("no file descriptor is left to connect with; ringgate doctor says how many there are")
            }
            CallFailure::OutOfMemory => Self::shed("the memory cap of --memory-max is reached"),
            CallFailure::TooLarge => Self::response_too_large(),
            CallFailure::Body(failure) => failure.into(),
        };
        Self { failure: Some(failure), ..rejection }
    }
}

impl From<BodyFailure> for Rejection {
    fn from(failure: BodyFailure) -> Self {
        let bad_request = |message: &'static str, reason: &'static str| Self {
            status: 400,
            message: message.into(),
            error_type: "BadRequestException",
            style: BodyStyle::Compact,
            reason: Some(reason.into()),
            ..Self::of(ResponseType::Default4xx)
        };
        match failure {
            BodyFailure::Gone => bad_request("Bad Request", "the client went away before its body was complete"),
            BodyFailure::Malformed => bad_request("Bad Request", "the framing of the request body is broken"),
            BodyFailure::Timeout => {
                Self { status: 408, ..bad_request("Request Timeout", "the request body did not come in time") }
            }
            BodyFailure::TooLarge => Self::request_too_large(),
            BodyFailure::OutOfMemory => Self::shed("the memory cap of --memory-max is reached"),
        }
    }
}

/// Writes the whole gateway response into `x.scratch.response`.
pub(super) fn respond(x: &mut Exchange<'_>, mut rejection: Rejection) -> Served {
    x.facts.error = Some((rejection.response_type, rejection.message.clone()));
    x.facts.validation_error = rejection.validation_error.take();
    x.facts.reason = rejection.reason.take();
    x.facts.call_failure = rejection.failure;
    let plan = x.stage.and_then(|stage| stage.rejection(rejection.response_type));
    let status = plan.and_then(|plan| plan.status).unwrap_or(rejection.status);
    let mut body = std::mem::take(&mut x.scratch.body);
    body.clear();
    let media_type = render_body(x, plan, &rejection, &mut body);
    respond::start(x, status, respond::body_of(status, Some(body.len() as u64)));
    let (mut out, mut value) = (std::mem::take(&mut x.scratch.response), std::mem::take(&mut x.scratch.value));
    let has_content_type = plan.is_some_and(|plan| write_headers(x, plan, &mut value, &mut out));
    if !has_content_type {
        let _ = write_field(b"Content-Type", media_type.as_bytes(), &mut out);
    }
    let _ = write_field(b"x-amzn-ErrorType", rejection.error_type.as_bytes(), &mut out);
    out.extend_from_slice(b"\r\n");
    x.response_head = out.len();
    x.facts.response_length = 0;
    if !x.is_head() && !matches!(status, 204 | 304) {
        x.facts.response_length = body.len() as u64;
        out.extend_from_slice(&body);
    }
    (x.scratch.response, x.scratch.value, x.scratch.body) = (out, value, body);
    Served::Own
}

/// Appends the body and says its media type.
fn render_body<'p>(
    x: &Exchange<'_>,
    plan: Option<&'p RejectionPlan>,
    rejection: &Rejection,
    body: &mut Vec<u8>,
) -> &'p str {
    let accept = x.request.field(KnownField::Accept);
    match plan.and_then(|plan| plan.templates.for_accept(accept)) {
        Some((media_type, template)) => {
            template.write(&x.values(None), body);
            media_type
        }
        None => {
            let message = (!rejection.message.is_empty()).then_some(&*rejection.message);
            write_default_body(rejection.style, message, body);
            "application/json"
        }
    }
}

/// Customized headers; tells whether the content type is among them. A value that would break its line is left out.
fn write_headers(x: &Exchange<'_>, plan: &RejectionPlan, value: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    let mut has_content_type = false;
    for (name, expression) in &plan.headers {
        value.clear();
        if expression.write(&x.values(None), value) == Presence::Present && write_field(name, value, out).is_ok() {
            has_content_type |= name.eq_ignore_ascii_case(b"content-type");
        }
    }
    has_content_type
}

/// The answer to a message that could not be read, or to a connection that is turned away: no stage is known, so nothing
/// of it is customizable, as with AWS's front end. The connection closes after it.
pub fn write_refusal(status: u16, date_line: &[u8], out: &mut Vec<u8>) {
    let status = Status::new(status).unwrap_or(Status::OK);
    let mut body = Vec::new();
    write_default_body(BodyStyle::Compact, Some(status.reason()), &mut body);
    write_status_line(status, out);
    out.extend_from_slice(date_line);
    out.extend_from_slice(b"Content-Type: application/json\r\nConnection: close\r\nContent-Length: ");
    out.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(&body);
}
