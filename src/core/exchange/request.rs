//! The request towards the back end: line, headers, and how its body is framed.

use crate::mapping::Presence;
use crate::plan::{BodyTemplate, HttpPlan, StagePlan};
use crate::proto::h1::{Field, write};
use crate::proto::http::KnownField;
use crate::record::ids;

use super::headers::{DROPPED_TO_PROXY, FORBIDDEN_MAPPINGS, NEVER_MAPPED};
use super::{BodyShape, Exchange, Rejection, Step};

/// What follows the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body<'p> {
    None,
    Clients,
    Template(&'p BodyTemplate),
}

impl PartialEq for BodyTemplate {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for BodyTemplate {}

/// Writes the head (and a rendered body) of the request into `x.scratch.request`.
pub(super) fn write_request(x: &mut Exchange<'_>, stage: &StagePlan, plan: &HttpPlan, body: Body<'_>) -> Step {
    let mut out = std::mem::take(&mut x.scratch.request);
    out.clear();
    let written = write_head(x, stage, plan, &mut out).and_then(|()| write_body(x, plan, body, &mut out));
    x.scratch.request = out;
    written
}

fn write_head(x: &Exchange<'_>, stage: &StagePlan, plan: &HttpPlan, out: &mut Vec<u8>) -> Step {
    out.extend_from_slice(backend_method(x, plan));
    out.push(b' ');
    write_target(x, plan, out)?;
    out.extend_from_slice(b" HTTP/1.1\r\n");
    let maps_host = plan.header_mappings.iter().any(|mapping| mapping.name.eq_ignore_ascii_case(b"host"));
    if !maps_host {
        let upstream = x.snapshot.upstreams.get(plan.upstream.0 as usize).and_then(Option::as_ref);
        let authority = upstream.map_or("", |upstream| &upstream.authority);
        write_line(out, b"Host", authority.as_bytes());
    }
    if plan.is_proxy { write_client_fields(x, plan, out) } else { write_own_fields(x, stage, plan, out) };
    write_mapped_fields(x, plan, out)?;
    out.extend_from_slice(b"X-Amzn-Trace-Id: ");
    let incoming = x.request.field(KnownField::XAmznTraceId);
    ids::write_trace_id(incoming, x.facts.wall, &x.facts.trace_seed, out);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&stage.api_id_line);
    Ok(())
}

fn write_line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Path and query: the URI's own, then the client's (`HTTP_PROXY`), then the mapped ones
/// (R `test_http_proxy_integration_request_data_mappings`).
fn write_target(x: &Exchange<'_>, plan: &HttpPlan, out: &mut Vec<u8>) -> Step {
    let start = out.len();
    plan.uri.write(&plan.path_mappings, x, out);
    // A value of a path variable must not be able to end the line or to start another one.
    if out[start..].iter().any(|byte| byte.is_ascii_control() || *byte == b' ') {
        return Err(Rejection::configuration("Invalid endpoint address: the mapped URI holds a space or control character"));
    }
    let mut has_query = out[start..].contains(&b'?');
    let mut separate = |out: &mut Vec<u8>| {
        out.push(if has_query { b'&' } else { b'?' });
        has_query = true;
    };
    if plan.is_proxy
        && let Some(query) = x.request.query().filter(|query| !query.is_empty())
    {
        separate(out);
        out.extend_from_slice(query);
    }
    for mapping in &plan.query_mappings {
        let mut value = Vec::new();
        if mapping.value.write(x, &mut value) == Presence::Present {
            separate(out);
            out.extend_from_slice(&mapping.name);
            write_encoded(&value, out);
        }
    }
    Ok(())
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
fn write_encoded(value: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in value {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

/// §9.2 step B, `HTTP_PROXY`: the client's headers but for those that are dropped or mapped.
fn write_client_fields(x: &Exchange<'_>, plan: &HttpPlan, out: &mut Vec<u8>) {
    let fields = &x.request.head.fields;
    let bytes = x.request.bytes;
    let nominated = x.request.field(KnownField::Connection).filter(|value| names_fields(value));
    for (index, field) in fields.iter().enumerate() {
        if DROPPED_TO_PROXY.contains(field.known) || is_written_before(x, index, field) {
            continue;
        }
        let name = field.name.of(bytes);
        let is_mapped = plan.header_mappings.iter().any(|mapping| mapping.name.eq_ignore_ascii_case(name));
        let is_hop = nominated.is_some_and(|options| lists(options, name));
        if !is_mapped && !is_hop {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            write_joined(x, index, field, out);
            out.extend_from_slice(b"\r\n");
        }
    }
    write_forwarded(x, out);
}

/// Whether a `Connection` value names fields (RFC 9110 section 7.6.1) and not only `keep-alive` or `close`.
fn names_fields(value: &[u8]) -> bool {
    !value.eq_ignore_ascii_case(b"keep-alive") && !value.eq_ignore_ascii_case(b"close")
}

fn lists(options: &[u8], name: &[u8]) -> bool {
    options.split(|&byte| byte == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(name))
}

/// Fields of one name go to the back end as one, joined with commas (R; RFC 9110 section 5.3 says it is the same).
/// Messages without a repeated name, nearly all, are told by one look at the set of names.
fn is_written_before(x: &Exchange<'_>, index: usize, field: &Field) -> bool {
    x.request.has_repeated_fields && first_of_name(x, field) < index
}

fn first_of_name(x: &Exchange<'_>, field: &Field) -> usize {
    let bytes = x.request.bytes;
    let name = field.name.of(bytes);
    let same = |other: &Field| other.name.of(bytes).eq_ignore_ascii_case(name);
    x.request.head.fields.iter().position(same).unwrap_or(usize::MAX)
}

fn write_joined(x: &Exchange<'_>, index: usize, field: &Field, out: &mut Vec<u8>) {
    let bytes = x.request.bytes;
    out.extend_from_slice(field.value.of(bytes));
    if !x.request.has_repeated_fields {
        return;
    }
    // Cookies are joined with semicolons (RFC 9113 section 8.2.3), everything else with commas.
    let separator: &[u8] = if field.known == KnownField::Cookie { b"; " } else { b"," };
    let name = field.name.of(bytes);
    for other in x.request.head.fields.iter().skip(index + 1) {
        if other.name.of(bytes).eq_ignore_ascii_case(name) {
            out.extend_from_slice(separator);
            out.extend_from_slice(other.value.of(bytes));
        }
    }
}

fn write_forwarded(x: &Exchange<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"X-Forwarded-For: ");
    for value in x.request.fields(KnownField::XForwardedFor) {
        out.extend_from_slice(value);
        out.extend_from_slice(b", ");
    }
    out.extend_from_slice(x.request.client.peer);
    out.extend_from_slice(x.request.client.forwarded_lines);
}

/// §9.2 step B, `HTTP`: nothing from the client but its content type, and the defaults that no mapping replaces.
fn write_own_fields(x: &Exchange<'_>, stage: &StagePlan, plan: &HttpPlan, out: &mut Vec<u8>) {
    let is_mapped =
        |name: &[u8]| plan.header_mappings.iter().any(|mapping| mapping.name.eq_ignore_ascii_case(name));
    if has_request_body(x, plan) && !is_mapped(b"content-type") {
        let content_type = x.request.field(KnownField::ContentType).unwrap_or(b"application/json");
        write_line(out, b"Content-Type", content_type);
    }
    if !is_mapped(b"accept") {
        out.extend_from_slice(b"Accept: application/json\r\n");
    }
    if !is_mapped(b"user-agent") {
        out.extend_from_slice(&stage.user_agent_line);
    }
}

/// Towards the back end of an `HTTP` integration, GET, HEAD and OPTIONS carry no body (rest-integrations §8).
pub(super) fn has_request_body(x: &Exchange<'_>, plan: &HttpPlan) -> bool {
    plan.is_proxy || !matches!(backend_method(x, plan), b"GET" | b"HEAD" | b"OPTIONS")
}

/// The integration's method; `ANY` or none: the client's.
pub(super) fn backend_method<'x>(x: &Exchange<'x>, plan: &'x HttpPlan) -> &'x [u8] {
    plan.method.as_deref().unwrap_or_else(|| x.request.method_text())
}

fn write_mapped_fields(x: &Exchange<'_>, plan: &HttpPlan, out: &mut Vec<u8>) -> Step {
    for mapping in &plan.header_mappings {
        let known = KnownField::from_name(&mapping.name);
        if FORBIDDEN_MAPPINGS.contains(known) {
            return Err(Rejection::configuration("a header that must not be mapped: Content-Length, Transfer-Encoding, \
                                                 X-Amzn-Trace-Id and X-Amzn-Apigateway-Api-Id are the gateway's own"));
        }
        if NEVER_MAPPED.contains(known) {
            continue;
        }
        let start = out.len();
        out.extend_from_slice(&mapping.name);
        out.extend_from_slice(b": ");
        let value = out.len();
        let presence = mapping.value.write(x, out);
        if presence == Presence::Absent {
            out.truncate(start);
            continue;
        }
        if !write::is_field_value(&out[value..]) {
            return Err(Rejection::configuration("a mapped header value holds a line break or a control character"));
        }
        out.extend_from_slice(b"\r\n");
    }
    Ok(())
}

fn write_body(x: &Exchange<'_>, plan: &HttpPlan, body: Body<'_>, out: &mut Vec<u8>) -> Step {
    match body {
        Body::None => out.extend_from_slice(b"\r\n"),
        Body::Clients => match x.request.body {
            // RFC 9110 section 8.6: a method that expects content says that there is none.
            BodyShape::Empty if matches!(backend_method(x, plan), b"POST" | b"PUT" | b"PATCH") => {
                out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
            }
            BodyShape::Empty => out.extend_from_slice(b"\r\n"),
            BodyShape::Length(length) => write_length(length, out),
            BodyShape::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n"),
        },
        Body::Template(BodyTemplate::Text(text)) => {
            let mut rendered = Vec::new();
            text.write(x, &mut rendered);
            write_length(rendered.len() as u64, out);
            out.extend_from_slice(&rendered);
        }
        Body::Template(BodyTemplate::Unserved(reason)) => return Err(Rejection::unserved(reason)),
        // `http::choose_body` turns these into the client's body.
        Body::Template(BodyTemplate::Passthrough) => out.extend_from_slice(b"\r\n"),
    }
    Ok(())
}

fn write_length(length: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Length: ");
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
}
