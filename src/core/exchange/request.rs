//! The request towards the back end: line, headers, and how its body is framed.

use crate::aws::sigv4::ALGORITHM;
use crate::mapping::template::OverrideTarget;
use crate::mapping::{Presence, query};
use crate::plan::headers::DROPPED_TO_PROXY;
use crate::plan::{HttpPlan, StagePlan};
use crate::proto::h1::write::{copy_field, end_head, write_chunked, write_field, write_length};
use crate::proto::h1::{Field, Fields};
use crate::proto::http::{Authority, FieldSet, KnownField, percent};

use super::{BodyShape, Exchange, Rejection, Step, template};

/// What follows the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body<'p> {
    None,
    Clients,
    /// The client's, which has been gathered.
    Whole,
    /// The same text for every request.
    Text(&'p [u8]),
    /// What a template made: `scratch.body`.
    Rendered,
}

/// Writes the head (and a rendered body) of the request into `x.scratch.request`.
pub(super) fn write_request(x: &mut Exchange<'_>, stage: &StagePlan, plan: &HttpPlan, body: Body<'_>) -> Step {
    let (mut out, mut value) = (std::mem::take(&mut x.scratch.request), std::mem::take(&mut x.scratch.value));
    out.clear();
    let written = write_head(x, stage, plan, &mut value, &mut out);
    write_body(x, plan, body, &mut out);
    (x.scratch.request, x.scratch.value) = (out, value);
    written
}

fn write_head(x: &Exchange<'_>, stage: &StagePlan, plan: &HttpPlan, value: &mut Vec<u8>, out: &mut Vec<u8>) -> Step {
    out.extend_from_slice(backend_method(x, plan));
    out.push(b' ');
    write_target(x, plan, value, out)?;
    out.extend_from_slice(b" HTTP/1.1\r\n");
    if !is_mapped(x, plan, b"host", out) {
        let upstream = x.snapshot.upstreams.get(plan.upstream.0 as usize).and_then(Option::as_ref);
        let authority = upstream.map_or("", |upstream| &upstream.plan.authority);
        write_line(out, b"Host", authority.as_bytes());
    }
    if plan.is_proxy {
        write_client_fields(x, plan, out)
    } else {
        write_own_fields(x, stage, plan, out)
    };
    write_mapped_fields(x, plan, value, out)?;
    write_line(out, b"X-Amzn-Trace-Id", &x.facts.trace_header(x.request.field(KnownField::XAmznTraceId)));
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
fn write_target(x: &Exchange<'_>, plan: &HttpPlan, value: &mut Vec<u8>, out: &mut Vec<u8>) -> Step {
    if let Some(path) = &plan.static_path {
        out.extend_from_slice(path);
    } else {
        write_filled_path(x, plan, out)?;
    }
    let mut has_query = plan.uri.has_query();
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
    for set in x.scratch.overrides.of(OverrideTarget::RequestQuery) {
        for value in &set.values {
            separate(out);
            percent::encode(set.name.as_bytes(), out);
            out.push(b'=');
            percent::encode(value.as_bytes(), out);
        }
    }
    for mapping in plan.query_mappings.iter().filter(|mapping| !is_query_overridden(x, &mapping.name)) {
        let repeated = mapping.value.repeated_query();
        for raw in repeated.into_iter().flat_map(|name| query::values(x.request.query().unwrap_or_default(), name)) {
            separate(out);
            out.extend_from_slice(&mapping.name);
            out.extend_from_slice(raw);
        }
        value.clear();
        if repeated.is_none() && mapping.value.write(&x.values(None), value) == Presence::Present {
            separate(out);
            out.extend_from_slice(&mapping.name);
            percent::encode(value, out);
        }
    }
    Ok(())
}

/// `name` is percent-encoded and ends with its `=`.
fn is_query_overridden(x: &Exchange<'_>, name: &[u8]) -> bool {
    x.scratch.overrides.of(OverrideTarget::RequestQuery).any(|set| {
        let mut encoded = Vec::new();
        percent::encode(set.name.as_bytes(), &mut encoded);
        name.strip_suffix(b"=") == Some(&encoded)
    })
}

fn write_filled_path(x: &Exchange<'_>, plan: &HttpPlan, out: &mut Vec<u8>) -> Step {
    let start = out.len();
    let values = x.values(None);
    // A variable without a value is left empty (rest-integrations §2: the mapping is omitted).
    let _ = plan.uri.write_path(&values, out);
    if plan.uri.has_query() {
        out.push(b'?');
        let _ = plan.uri.write_query(&values, out);
    }
    if out[start..].iter().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Rejection::bad_endpoint(
        "Invalid endpoint address: the filled URI holds a space, a control character or a byte beyond ASCII",
    ))
}

/// §9.2 step B, `HTTP_PROXY`: the client's headers but for those that are dropped or mapped.
fn write_client_fields(x: &Exchange<'_>, plan: &HttpPlan, out: &mut Vec<u8>) {
    let bytes = x.request.bytes;
    let fields = &x.request.head.fields;
    let is_repetitive = has_repeated_names(fields, bytes);
    let lowers_names = x.lowers_header_names();
    for (index, field) in fields.iter().enumerate() {
        if DROPPED_TO_PROXY.contains(field.known) {
            continue;
        }
        let name = field.name.of(bytes);
        let is_dropped =
            is_mapped(x, plan, name, out) || fields.is_named_by_connection(name, bytes) || is_signature(field, bytes);
        if is_dropped {
            continue;
        }
        let start = out.len();
        if is_repetitive {
            write_joined(fields, index, bytes, out);
        } else {
            copy_field(field, bytes, out);
        }
        // Nothing was written for a name that stood before.
        if lowers_names && let Some(written) = out.get_mut(start..start + name.len()) {
            written.make_ascii_lowercase();
        }
    }
    write_forwarded(x, plan, out);
}

/// Whether a field signs the request towards the gateway: it is nobody else's, and the request that goes on is not the
/// one that was signed (rest-routing-and-stages §9.1).
fn is_signature(field: &Field, bytes: &[u8]) -> bool {
    field.known == KnownField::Authorization && field.value.of(bytes).starts_with(ALGORITHM.as_bytes())
}

/// Whether two fields share a name. Most messages have none that do, and are told by a set of known names and a small
/// hash of the others; where that is in doubt the names before are compared.
fn has_repeated_names(fields: &Fields, bytes: &[u8]) -> bool {
    let (mut known, mut others) = (FieldSet::EMPTY, 0_u64);
    fields.iter().enumerate().any(|(index, field)| {
        if field.known != KnownField::Other {
            let seen = known.contains(field.known);
            known = known.with(field.known);
            return seen;
        }
        let name = field.name.of(bytes);
        let ends =
            [name.first(), name.last()].into_iter().flatten().map(|byte| usize::from(byte | 0x20)).sum::<usize>();
        let bit = 1_u64 << ((ends * 7 + name.len()) & 63);
        let is_doubtful = others & bit != 0;
        others |= bit;
        is_doubtful && fields.iter().take(index).any(|before| before.name.of(bytes).eq_ignore_ascii_case(name))
    })
}

/// Fields of one name go to the back end as one, joined with commas (R; RFC 9110 section 5.3 says it is the same), where
/// the first of them stands.
fn write_joined(fields: &Fields, index: usize, bytes: &[u8], out: &mut Vec<u8>) {
    let Some(field) = fields.iter().nth(index) else { return };
    let name = field.name.of(bytes);
    let is_same = |other: &Field| other.name.of(bytes).eq_ignore_ascii_case(name);
    if fields.iter().take(index).any(is_same) {
        return;
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(field.value.of(bytes));
    // Cookies are joined with semicolons (RFC 9113 section 8.2.3), everything else with commas.
    let separator: &[u8] = if field.known == KnownField::Cookie { b"; " } else { b"," };
    for other in fields.iter().skip(index + 1).filter(|other| is_same(other)) {
        out.extend_from_slice(separator);
        out.extend_from_slice(other.value.of(bytes));
    }
    out.extend_from_slice(b"\r\n");
}

fn write_forwarded(x: &Exchange<'_>, plan: &HttpPlan, out: &mut Vec<u8>) {
    let client = &x.request.client;
    if plan.header_mappings.is_empty() {
        write_forwarded_for(x, out);
        return out.extend_from_slice(client.forwarded_lines);
    }
    if !is_mapped(x, plan, b"x-forwarded-for", out) {
        write_forwarded_for(x, out);
        end_head(out);
    }
    for line in client.forwarded_lines.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        if !name.is_empty() && !is_mapped(x, plan, name, out) {
            out.extend_from_slice(line);
            end_head(out);
        }
    }
}

/// Without the end of its line.
fn write_forwarded_for(x: &Exchange<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"X-Forwarded-For: ");
    for value in x.request.fields(KnownField::XForwardedFor) {
        out.extend_from_slice(value);
        out.extend_from_slice(b", ");
    }
    out.extend_from_slice(x.request.client.peer);
}

/// §9.2 step B, `HTTP`: nothing from the client but its content type, and the defaults that no mapping replaces.
fn write_own_fields(x: &Exchange<'_>, stage: &StagePlan, plan: &HttpPlan, out: &mut Vec<u8>) {
    if has_request_body(x, plan) && !is_mapped(x, plan, b"content-type", out) {
        let content_type = x.request.field(KnownField::ContentType).unwrap_or(b"application/json");
        write_line(out, b"Content-Type", content_type);
    }
    if !is_mapped(x, plan, b"accept", out) {
        out.extend_from_slice(b"Accept: application/json\r\n");
    }
    if !is_mapped(x, plan, b"user-agent", out) {
        out.extend_from_slice(&stage.user_agent_line);
    }
}

/// Towards the back end of an `HTTP` integration, GET, HEAD and OPTIONS carry no body (rest-integrations §8).
pub(super) fn has_request_body(x: &Exchange<'_>, plan: &HttpPlan) -> bool {
    plan.is_proxy || !matches!(backend_method(x, plan), b"GET" | b"HEAD" | b"OPTIONS")
}

/// The integration's method; `ANY` or none: the client's.
pub(super) fn backend_method<'x>(x: &Exchange<'x>, plan: &'x HttpPlan) -> &'x [u8] {
    plan.method.as_deref().unwrap_or(x.method)
}

/// Whether a mapping sets this header. One whose source is missing is left out altogether, so it replaces nothing
/// (rest-integrations §2). `out` is room to look, and stays as it is.
fn is_mapped(x: &Exchange<'_>, plan: &HttpPlan, name: &[u8], out: &mut Vec<u8>) -> bool {
    if template::sets_request_header(&x.scratch.overrides, name) {
        return true;
    }
    let start = out.len();
    let mut mappings = plan.header_mappings.iter().filter(|mapping| mapping.name.eq_ignore_ascii_case(name));
    let is_set = mappings.any(|mapping| mapping.value.write(&x.values(None), out) == Presence::Present);
    out.truncate(start);
    is_set
}

fn write_mapped_fields(x: &Exchange<'_>, plan: &HttpPlan, value: &mut Vec<u8>, out: &mut Vec<u8>) -> Step {
    let overrides = &x.scratch.overrides;
    for mapping in &plan.header_mappings {
        value.clear();
        if template::sets_request_header(overrides, &mapping.name)
            || mapping.value.write(&x.values(None), value) == Presence::Missing
        {
            continue;
        }
        write_mapped(&mapping.name, value, out)?;
    }
    for set in overrides.of(OverrideTarget::RequestHeader) {
        value.clear();
        template::joined(&set.values, value);
        if template::check_request_header(&set.name)? {
            write_mapped(set.name.as_bytes(), value, out)?;
        }
    }
    Ok(())
}

fn write_mapped(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Step {
    if name.eq_ignore_ascii_case(b"host") && Authority::parse(value).is_none() {
        return Err(Rejection::configuration("a mapped Host header holds no host"));
    }
    write_field(name, value, out)
        .map_err(|_| Rejection::configuration("a mapped header's name or value holds what no header can hold"))
}

fn write_body(x: &Exchange<'_>, plan: &HttpPlan, body: Body<'_>, out: &mut Vec<u8>) {
    match body {
        Body::None => out.extend_from_slice(b"\r\n"),
        Body::Clients => match x.request.body {
            BodyShape::Empty => write_nothing(backend_method(x, plan), out),
            BodyShape::Length(length) => {
                write_length(length, out);
                end_head(out);
            }
            BodyShape::Chunked => {
                write_chunked(out);
                end_head(out);
            }
        },
        Body::Whole if x.scratch.request_body.is_empty() => write_nothing(backend_method(x, plan), out),
        Body::Whole => write_own(&x.scratch.request_body, out),
        Body::Text(text) => write_own(text, out),
        Body::Rendered => write_own(&x.scratch.body, out),
    }
}

/// RFC 9110 section 8.6: a method that expects content says that there is none.
fn write_nothing(method: &[u8], out: &mut Vec<u8>) {
    if matches!(method, b"POST" | b"PUT" | b"PATCH") {
        out.extend_from_slice(b"Content-Length: 0\r\n");
    }
    end_head(out);
}

fn write_own(body: &[u8], out: &mut Vec<u8>) {
    write_length(body.len() as u64, out);
    end_head(out);
    out.extend_from_slice(body);
}
