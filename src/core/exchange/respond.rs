//! The response to the client: head, headers of the back end as they may pass, and a body of our own where there is one.

use crate::mapping::Presence;
use crate::plan::{ResponseBody, ResponsePlan, StagePlan};
use crate::proto::h1::{ResponseHead, write};
use crate::proto::http::{KnownField, Method, Status};
use crate::record::ids;

use super::effects::{Answer, Effects};
use super::headers::{DROPPED_FROM_PROXY, REMAPPED_FROM_MAPPING, REMAPPED_FROM_PROXY, REMAPPED_PREFIX};
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
    write::status_line(Status::new(status).unwrap_or(Status::OK), out);
    out.extend_from_slice(x.request.client.date_line);
    let framed = match body {
        Body::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            out.extend_from_slice(b"\r\n");
            Framed::Length
        }
        Body::Unknown if x.request.is_http_11() => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            Framed::Chunked
        }
        Body::Unknown => Framed::UntilClose,
        Body::Never => Framed::Length,
    };
    x.framed = framed;
    x.keeps_alive &= framed != Framed::UntilClose;
    let connection: &[u8] =
        if x.keeps_alive { b"Connection: keep-alive\r\nx-amzn-RequestId: " } else { b"Connection: close\r\nx-amzn-RequestId: " };
    out.extend_from_slice(connection);
    out.extend_from_slice(&x.facts.request_id);
    out.extend_from_slice(b"\r\nx-amz-apigw-id: ");
    out.extend_from_slice(&x.facts.extended_request_id);
    out.extend_from_slice(b"\r\n");
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
    if x.request.head.method != Method::Head {
        return answer.length;
    }
    let declared = answer.head.fields.get(KnownField::ContentLength)?.value.of(answer.bytes);
    std::str::from_utf8(declared).ok()?.parse().ok()
}

/// §9.2 step D. The set of names present tells at once when nothing has to be renamed or dropped.
fn write_origin_fields(x: &mut Exchange<'_>, answer: &Answer<'_>) {
    let Answer { head, bytes, .. } = *answer;
    let out = &mut x.scratch.response;
    let nominated = nominated_fields(head, bytes);
    for field in head.fields.iter() {
        if DROPPED_FROM_PROXY.contains(field.known) {
            continue;
        }
        let name = field.name.of(bytes);
        if nominated.is_some_and(|options| lists(options, name)) {
            continue;
        }
        if REMAPPED_FROM_PROXY.contains(field.known) {
            out.extend_from_slice(REMAPPED_PREFIX);
        }
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value.of(bytes));
        out.extend_from_slice(b"\r\n");
    }
    if !head.fields.present().contains(KnownField::ContentType) {
        out.extend_from_slice(b"Content-Type: application/json\r\n");
    }
}

/// The value of `Connection` where it names fields of that connection (RFC 9110 section 7.6.1).
fn nominated_fields<'a>(head: &ResponseHead, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let value = head.fields.get(KnownField::Connection)?.value.of(bytes);
    let is_plain = value.eq_ignore_ascii_case(b"keep-alive") || value.eq_ignore_ascii_case(b"close");
    (!is_plain).then_some(value)
}

fn lists(options: &[u8], name: &[u8]) -> bool {
    options.split(|&byte| byte == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(name))
}

/// `HTTP` and `MOCK`: mapped headers only, and the body of the response template.
pub(super) fn mapped(x: &mut Exchange<'_>, stage: &StagePlan, plan: &ResponsePlan, passing: Option<Option<u64>>) -> Result<Served, Rejection> {
    let rendered = render_body(x, plan)?;
    let length = match (&rendered, passing) {
        (Some((_, body)), _) => Some(body.len() as u64),
        (None, Some(length)) => length,
        (None, None) => Some(0),
    };
    start(x, plan.status, body_of(plan.status, length));
    if passing.is_some() {
        x.scratch.response.extend_from_slice(b"X-Amzn-Trace-Id: ");
        let incoming = x.request.field(KnownField::XAmznTraceId);
        ids::write_trace_id(incoming, x.facts.wall, &x.facts.trace_seed, &mut x.scratch.response);
        x.scratch.response.extend_from_slice(b"\r\n");
    }
    let media_type = rendered.as_ref().map_or("application/json", |(media_type, _)| media_type);
    write_mapped_fields(x, stage, plan, media_type)?;
    let Some((_, body)) = rendered else {
        return Ok(if passing.is_some() { Served::Relay } else { Served::Own });
    };
    x.facts.response_length = body.len() as u64;
    if x.request.head.method != Method::Head && !matches!(plan.status, 204 | 304) {
        x.scratch.response.extend_from_slice(&body);
    }
    Ok(Served::Own)
}

fn render_body<'p>(x: &Exchange<'_>, plan: &'p ResponsePlan) -> Result<Option<(&'p str, Vec<u8>)>, Rejection> {
    match plan.bodies.for_accept(x.request.field(KnownField::Accept)) {
        None | Some((_, ResponseBody::Passthrough)) => Ok(None),
        Some((_, ResponseBody::Unserved(reason))) => Err(Rejection::unserved(reason)),
        Some((media_type, ResponseBody::Text(text))) => {
            let mut body = Vec::new();
            text.write(x, &mut body);
            Ok(Some((media_type, body)))
        }
    }
}

fn write_mapped_fields(x: &mut Exchange<'_>, _stage: &StagePlan, plan: &ResponsePlan, media_type: &str) -> Step {
    let mut out = std::mem::take(&mut x.scratch.response);
    let mut has_content_type = false;
    let mut fault = None;
    for (name, expression) in &plan.headers {
        let start = out.len();
        let known = KnownField::from_name(name);
        if REMAPPED_FROM_MAPPING.contains(known) {
            out.extend_from_slice(REMAPPED_PREFIX);
        }
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        let value = out.len();
        let presence = expression.write(x, &mut out);
        if presence == Presence::Absent || known == KnownField::TransferEncoding {
            out.truncate(start);
            continue;
        }
        if !write::is_field_value(&out[value..]) {
            fault = Some(Rejection::configuration("a mapped response header holds a line break or a control character"));
            break;
        }
        out.extend_from_slice(b"\r\n");
        has_content_type |= known == KnownField::ContentType;
    }
    if !has_content_type {
        out.extend_from_slice(b"Content-Type: ");
        out.extend_from_slice(media_type.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    x.scratch.response = out;
    fault.map_or(Ok(()), Err)
}
