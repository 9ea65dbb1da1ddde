//! The response to the client: head, headers of the back end as they may pass, and a body of our own where there is one.

use crate::mapping::Presence;
use crate::plan::headers::{DROPPED_FROM_PROXY, REMAPPED_FROM_PROXY, REMAPPED_PREFIX};
use crate::plan::{ResponseBody, ResponsePlan};
use crate::proto::h1::write::{copy_field, end_head, write_chunked, write_field, write_length, write_status_line};
use crate::proto::http::{KnownField, Status};

use super::effects::{Answer, Effects};
use super::{Exchange, Framed, Rejection, Served, Step};

/// How the body that follows a head is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// This many bytes (a response to HEAD says so and sends none).
    Length(u64),
    /// Chunked, or until the end of the connection for HTTP/1.0 clients.
    Unknown,
    /// None, and no length either: 1xx, 204, 304.
    Never,
}

/// Starts a response: status line, and the fields that every response carries (rest-routing-and-stages §8).
pub(super) fn start(x: &mut Exchange<'_>, status: u16, body: Body) {
    x.facts.status = status;
    let out = &mut x.scratch.response;
    out.clear();
    write_status_line(Status::new(status).unwrap_or(Status::OK), out);
    out.extend_from_slice(x.request.client.date_line);
    let framed = match body {
        Body::Length(length) => {
            write_length(length, out);
            Framed::Length
        }
        Body::Unknown if x.request.is_http_11() => {
            write_chunked(out);
            Framed::Chunked
        }
        Body::Unknown => Framed::UntilClose,
        Body::Never => Framed::Bodiless,
    };
    x.framed = framed;
    x.keeps_alive &= framed != Framed::UntilClose;
    let connection: &[u8] = if x.keeps_alive {
        b"Connection: keep-alive\r\nx-amzn-RequestId: "
    } else {
        b"Connection: close\r\nx-amzn-RequestId: "
    };
    out.extend_from_slice(connection);
    out.extend_from_slice(&x.facts.request_id);
    out.extend_from_slice(b"\r\nx-amz-apigw-id: ");
    out.extend_from_slice(&x.facts.extended_request_id);
    out.extend_from_slice(b"\r\n");
    if let Some(stage) = x.stage {
        out.extend_from_slice(&stage.response_lines);
    }
}

/// The rule for the length of a response without content of its own.
pub(super) fn body_of(status: u16, length: Option<u64>) -> Body {
    match length {
        _ if status == 204 || status == 304 => Body::Never,
        Some(length) => Body::Length(length),
        None => Body::Unknown,
    }
}

/// `HTTP_PROXY`: the back end's status, headers and body.
pub(super) fn proxy<E: Effects>(x: &mut Exchange<'_>, effects: &E) -> Served {
    let answer = effects.answer();
    let status = answer.head.status.code();
    let content_length = declared_length(x, &answer);
    start(x, status, body_of(status, content_length));
    write_origin_fields(x, &answer);
    x.scratch.response.extend_from_slice(b"\r\n");
    Served::Relay
}

/// For HEAD, what the origin says a GET would bring; else the length of what comes.
fn declared_length(x: &Exchange<'_>, answer: &Answer<'_>) -> Option<u64> {
    if x.is_head() { answer.head.content_length } else { answer.length }
}

/// §9.2 step D for `HTTP_PROXY`.
fn write_origin_fields(x: &mut Exchange<'_>, answer: &Answer<'_>) {
    let Answer { head, bytes, .. } = *answer;
    let out = &mut x.scratch.response;
    let mut has_content_type = false;
    for field in &head.fields {
        if DROPPED_FROM_PROXY.contains(field.known) || head.fields.is_named_by_connection(field.name.of(bytes), bytes) {
            continue;
        }
        if REMAPPED_FROM_PROXY.contains(field.known) {
            out.extend_from_slice(REMAPPED_PREFIX);
        }
        has_content_type |= field.known == KnownField::ContentType;
        copy_field(field, bytes, out);
    }
    if !has_content_type {
        out.extend_from_slice(b"Content-Type: application/json\r\n");
    }
}

/// `HTTP` and `MOCK`: mapped headers only, and the body of the response template. `answer` is the back end's; MOCK has
/// none.
pub(super) fn mapped(
    x: &mut Exchange<'_>,
    plan: &ResponsePlan,
    answer: Option<Answer<'_>>,
) -> Result<Served, Rejection> {
    let mut body = std::mem::take(&mut x.scratch.body);
    body.clear();
    let served = mapped_with(x, plan, answer, &mut body);
    x.scratch.body = body;
    served
}

fn mapped_with(
    x: &mut Exchange<'_>,
    plan: &ResponsePlan,
    answer: Option<Answer<'_>>,
    body: &mut Vec<u8>,
) -> Result<Served, Rejection> {
    let rendered = render_body(x, plan, answer, body)?;
    let length = match (rendered, answer) {
        (Some(_), _) => Some(body.len() as u64),
        (None, Some(answer)) => declared_length(x, &answer),
        (None, None) => Some(0),
    };
    start(x, plan.status, body_of(plan.status, length));
    if answer.is_some() {
        let trace = x.facts.trace_header(x.request.field(KnownField::XAmznTraceId));
        write_checked(b"X-Amzn-Trace-Id", &trace, &mut x.scratch.response);
    }
    write_mapped_fields(x, plan, rendered.unwrap_or("application/json"), answer)?;
    // What the back end sent stays with it where the status promises the client that nothing follows.
    let has_content = body_of(plan.status, length) != Body::Never;
    match rendered {
        None if answer.is_some() && has_content => return Ok(Served::Relay),
        Some(_) if has_content && !x.is_head() => {
            x.facts.response_length = body.len() as u64;
            x.scratch.response.extend_from_slice(body);
        }
        _ => {}
    }
    Ok(Served::Own)
}

/// Appends the rendered body to `body`, if there is a template, and says its media type.
fn render_body<'p>(
    x: &Exchange<'_>,
    plan: &'p ResponsePlan,
    answer: Option<Answer<'_>>,
    body: &mut Vec<u8>,
) -> Result<Option<&'p str>, Rejection> {
    match plan.bodies.for_accept(x.request.field(KnownField::Accept)) {
        None | Some((_, ResponseBody::Passthrough)) => Ok(None),
        Some((_, ResponseBody::Unserved(reason))) => Err(Rejection::unserved(reason)),
        Some((media_type, ResponseBody::Text(text))) => {
            text.write(&x.values(answer), body);
            Ok(Some(media_type))
        }
    }
}

/// §9.2 step D for mapped headers, and the content type that no mapping gives.
fn write_mapped_fields(
    x: &mut Exchange<'_>,
    plan: &ResponsePlan,
    media_type: &str,
    answer: Option<Answer<'_>>,
) -> Step {
    let (mut out, mut value) = (std::mem::take(&mut x.scratch.response), std::mem::take(&mut x.scratch.value));
    let mut has_content_type = false;
    let mut written = Ok(());
    for header in &plan.headers {
        value.clear();
        if header.value.write(&x.values(answer), &mut value) == Presence::Missing {
            continue;
        }
        has_content_type |= header.is_content_type;
        if !write_checked(&header.name, &value, &mut out) {
            written = Err(Rejection::configuration("a mapped response header holds a control character"));
            break;
        }
    }
    if !has_content_type {
        write_checked(b"Content-Type", media_type.as_bytes(), &mut out);
    }
    end_head(&mut out);
    (x.scratch.response, x.scratch.value) = (out, value);
    written
}

fn write_checked(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> bool {
    write_field(name, value, out).is_ok()
}
