//! The response to the client: head, headers of the back end as they may pass, and a body of our own where there is one.

use crate::mapping::Presence;
use crate::mapping::template::OverrideTarget;
use crate::plan::content::{Conversion, Handling};
use crate::plan::headers::{
    DROPPED_FROM_PROXY, NEVER_ANSWERED, REMAPPED_FROM_MAPPING, REMAPPED_FROM_PROXY, REMAPPED_PREFIX,
};
use crate::plan::{BodyTemplate, HttpPlan, ResponsePlan, StagePlan};
use crate::proto::h1::write::{copy_field, end_head, write_chunked, write_field, write_length, write_status_line};
use crate::proto::http::coding::{Coding, Flush};
use crate::proto::http::{FieldSet, KnownField, Status};

use super::effects::{Answer, Effects};
use super::values::Side;
use super::{Exchange, Framed, Rejection, Scratch, Served, Step, content, template};

/// What templates take an empty body for (rest-mapping-templates §6).
pub(super) const EMPTY_OBJECT: &[u8] = b"{}";

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

/// Whose answer a response is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The back end's.
    BackEnd,
    /// Nobody's: a MOCK.
    Nothing,
}

impl Source {
    fn answer<E: Effects>(self, effects: &E) -> Option<Answer<'_>> {
        (self == Self::BackEnd).then(|| effects.answer())
    }
}

/// The body of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// What stands in `scratch.body`.
    Own,
    /// The back end's, passed on as it comes.
    Relayed,
}

/// `HTTP_PROXY`: the back end's status, headers and body.
pub(super) async fn proxy<E: Effects>(
    x: &mut Exchange<'_>,
    stage: &StagePlan,
    plan: &HttpPlan,
    effects: &mut E,
) -> Result<Served, Rejection> {
    let content = if plan.converts_answers { converted(x, stage, effects).await? } else { Content::Relayed };
    let status = effects.answer().head.status.code();
    let is_encoded =
        |answer: &Answer<'_>| answer.head.fields.value(KnownField::ContentEncoding, answer.bytes).is_some();
    let coding = coding(x, stage, status, content, Some(effects.answer()), |answer| answer.is_some_and(is_encoded));
    begin(x, status, content, coding, Source::BackEnd, effects);
    write_origin_fields(x, &effects.answer());
    x.scratch.response.extend_from_slice(b"\r\n");
    Ok(finish(x, status, content, Source::BackEnd))
}

/// Gathers and converts the answer of a proxy where its media type asks for it.
async fn converted<E: Effects>(x: &mut Exchange<'_>, stage: &StagePlan, effects: &mut E) -> Result<Content, Rejection> {
    let conversion = {
        let Answer { head, bytes, .. } = effects.answer();
        let content_type = head.fields.value(KnownField::ContentType, bytes);
        content::of_response(x, stage, Some(Handling::ByType), content_type, false)?
    };
    if conversion == Conversion::None || x.is_head() {
        return Ok(Content::Relayed);
    }
    content::gather_answer(x, conversion, effects).await?;
    x.scratch.body.clear();
    Ok(own(x))
}

/// For HEAD, what the origin says a GET would bring; else the length of what comes.
fn declared_length(x: &Exchange<'_>, answer: &Answer<'_>) -> Option<u64> {
    if x.is_head() { answer.head.content_length } else { answer.length }
}

/// The length of a body, where it is known.
fn length_of(x: &Exchange<'_>, content: Content, answer: Option<Answer<'_>>) -> Option<u64> {
    match (content, answer) {
        (Content::Own, _) => Some(x.scratch.body.len() as u64),
        (Content::Relayed, Some(answer)) => declared_length(x, &answer),
        (Content::Relayed, None) => Some(0),
    }
}

/// The coding to compress a response in (rest-routing-and-stages §11). A length that nobody knows counts as large.
fn coding<'a>(
    x: &Exchange<'_>,
    stage: &StagePlan,
    status: u16,
    content: Content,
    answer: Option<Answer<'a>>,
    is_encoded: impl FnOnce(Option<&Answer<'a>>) -> bool,
) -> Option<Coding> {
    let minimum = stage.minimum_compression_size?;
    let length = length_of(x, content, answer);
    let is_whole = body_of(status, length) != Body::Never && status != 206 && !x.is_head();
    if !is_whole || length.is_some_and(|length| length < minimum) || is_encoded(answer.as_ref()) {
        return None;
    }
    Coding::accepted(x.request.fields(KnownField::AcceptEncoding))
}

/// Starts the head of a response with this body, encoded where there is memory for it.
fn begin<E: Effects>(
    x: &mut Exchange<'_>,
    status: u16,
    content: Content,
    coding: Option<Coding>,
    source: Source,
    effects: &mut E,
) {
    let Some(mut encoder) = coding.and_then(|coding| effects.lend_encoder(coding)) else {
        let length = length_of(x, content, source.answer(effects));
        return start(x, status, body_of(status, length));
    };
    let name = encoder.coding().as_str();
    match content {
        Content::Own => {
            let Scratch { body, value, .. } = &mut *x.scratch;
            value.clear();
            encoder.encode(body, Flush::End, value);
            std::mem::swap(body, value);
            let length = body.len() as u64;
            effects.take_back_encoder(encoder);
            start(x, status, Body::Length(length));
        }
        Content::Relayed => {
            x.encoder = Some(encoder);
            start(x, status, Body::Unknown);
        }
    }
    write_checked(b"Content-Encoding", name.as_bytes(), &mut x.scratch.response);
}

/// What is left to send behind a head that is complete.
fn finish(x: &mut Exchange<'_>, status: u16, content: Content, source: Source) -> Served {
    x.response_head = x.scratch.response.len();
    // What the back end sent stays with it where the status promises the client that nothing follows.
    if body_of(status, Some(0)) == Body::Never {
        return Served::Own;
    }
    match content {
        Content::Relayed if source == Source::BackEnd => return Served::Relay,
        Content::Own if !x.is_head() => {
            let Scratch { body, response, .. } = &mut *x.scratch;
            x.facts.response_length = body.len() as u64;
            response.extend_from_slice(body);
        }
        _ => {}
    }
    Served::Own
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

/// `HTTP` and `MOCK`: mapped headers only, and the body of the response template.
pub(super) async fn mapped<E: Effects>(
    x: &mut Exchange<'_>,
    stage: &StagePlan,
    plan: &ResponsePlan,
    source: Source,
    effects: &mut E,
) -> Result<Served, Rejection> {
    if plan.is_undeclared {
        return Err(Rejection::undeclared(plan.status));
    }
    let chosen = plan.bodies.for_accept(x.request.field(KnownField::Accept));
    let mut content = if source == Source::BackEnd { Content::Relayed } else { Content::Own };
    x.scratch.body.clear();
    let is_read = plan.reads_answer || chosen.is_some_and(|(_, template)| template.reads_body());
    if plan.content.is_some() || is_read {
        content = gather(x, stage, plan, source, is_read, effects).await?;
    }
    let mut media_type = "application/json";
    if let Some((of_template, template)) = chosen.filter(|(_, template)| !matches!(template, BodyTemplate::AsIs)) {
        media_type = of_template;
        if render(x, template, source, effects)? {
            content = Content::Own;
        }
    }
    // Below 200 it would be an interim response, for whose end a client waits in vain.
    let status = x.scratch.overrides.status().filter(|&status| status >= 200).unwrap_or(plan.status);
    let coding = coding(x, stage, status, content, source.answer(effects), |answer| is_encoded(plan, content, answer));
    begin(x, status, content, coding, source, effects);
    write_mapped_fields(x, plan, media_type, source.answer(effects))?;
    Ok(finish(x, status, content, source))
}

/// Gathers the answer where a mapping reads it or it is converted: `HEAD` has none.
async fn gather<E: Effects>(
    x: &mut Exchange<'_>,
    stage: &StagePlan,
    plan: &ResponsePlan,
    source: Source,
    is_read: bool,
    effects: &mut E,
) -> Result<Content, Rejection> {
    let has_template = !plan.bodies.is_empty();
    if source == Source::Nothing {
        content::of_response(x, stage, plan.content, None, has_template)?;
        return Ok(Content::Own);
    }
    let conversion = {
        let Answer { head, bytes, .. } = effects.answer();
        let content_type = head.fields.value(KnownField::ContentType, bytes);
        content::of_response(x, stage, plan.content, content_type, has_template)?
    };
    if !is_read && conversion == Conversion::None {
        return Ok(Content::Relayed);
    }
    content::gather_answer(x, conversion, effects).await?;
    if plan.reads_answer {
        content::read_answer(x)?;
    }
    if x.is_head() {
        return Ok(Content::Relayed);
    }
    Ok(own(x))
}

/// Makes the gathered answer the body.
fn own(x: &mut Exchange<'_>) -> Content {
    let Scratch { body, answer_body, .. } = &mut *x.scratch;
    body.extend_from_slice(answer_body);
    Content::Own
}

/// Whether the client would be told of a coding that is not ours: the back end's, or a mapped one.
fn is_encoded(plan: &ResponsePlan, content: Content, answer: Option<&Answer<'_>>) -> bool {
    let backends = |answer: &Answer<'_>| answer.head.fields.value(KnownField::ContentEncoding, answer.bytes).is_some();
    let is_mapped = plan.headers.iter().any(|header| header.name.eq_ignore_ascii_case(b"content-encoding"));
    is_mapped || (content == Content::Relayed && answer.is_some_and(backends))
}

/// Makes the body that a template gives `scratch.body`. `false`: it passes the back end's.
fn render<E: Effects>(
    x: &mut Exchange<'_>,
    template: &BodyTemplate,
    source: Source,
    effects: &E,
) -> Result<bool, Rejection> {
    let text = match template {
        BodyTemplate::Broken(reason) => return Err(Rejection::configuration(reason)),
        BodyTemplate::Program(program) => {
            let side = if source == Source::BackEnd { Side::Answer } else { Side::Mock };
            template::run(x, program, side, effects)?;
            return Ok(true);
        }
        BodyTemplate::Passthrough if source.answer(effects).is_none_or(|answer| answer.length == Some(0)) => {
            EMPTY_OBJECT
        }
        BodyTemplate::AsIs | BodyTemplate::Passthrough => return Ok(false),
        BodyTemplate::Text(text) => text.as_bytes(),
    };
    x.scratch.body.clear();
    x.scratch.body.extend_from_slice(text);
    Ok(true)
}

/// §9.2 step D for mapped headers, and the content type and trace that no mapping gives.
fn write_mapped_fields(
    x: &mut Exchange<'_>,
    plan: &ResponsePlan,
    media_type: &str,
    answer: Option<Answer<'_>>,
) -> Step {
    let (mut out, mut value) = (std::mem::take(&mut x.scratch.response), std::mem::take(&mut x.scratch.value));
    let mut seen = FieldSet::EMPTY;
    let mut written = Ok(());
    for header in &plan.headers {
        value.clear();
        if is_overridden(x, &header.name) || header.value.write(&x.values(answer), &mut value) == Presence::Missing {
            continue;
        }
        seen = seen.with(header.known);
        if !write_checked(&header.name, &value, &mut out) {
            written = Err(Rejection::configuration("a mapped response header holds a control character"));
            break;
        }
    }
    for set in x.scratch.overrides.of(OverrideTarget::ResponseHeader) {
        value.clear();
        template::joined(&set.values, &mut value);
        let Some((prefix, known)) = prefix_of(&set.name) else { continue };
        seen = seen.with(known);
        let start = out.len();
        out.extend_from_slice(prefix);
        if !write_checked(set.name.as_bytes(), &value, &mut out) {
            out.truncate(start);
            written = Err(Rejection::configuration("an overridden response header holds what no header can hold"));
            break;
        }
    }
    if !seen.contains(KnownField::ContentType) {
        write_checked(b"Content-Type", media_type.as_bytes(), &mut out);
    }
    if answer.is_some() && !seen.contains(KnownField::XAmznTraceId) {
        let trace = x.facts.trace_header(x.request.field(KnownField::XAmznTraceId));
        write_checked(b"X-Amzn-Trace-Id", &trace, &mut out);
    }
    end_head(&mut out);
    (x.scratch.response, x.scratch.value) = (out, value);
    written
}

/// How a mapped or overridden header is written: remapped or as it is; `None`: not at all (§9.2 step D).
fn prefix_of(name: &str) -> Option<(&'static [u8], KnownField)> {
    let known = KnownField::from_name(name.as_bytes());
    if NEVER_ANSWERED.contains(known) {
        return None;
    }
    let prefix = if REMAPPED_FROM_MAPPING.contains(known) { REMAPPED_PREFIX } else { b"" };
    Some((prefix, known))
}

/// Whether a template set the header that is written under this name.
fn is_overridden(x: &Exchange<'_>, written: &[u8]) -> bool {
    let name = written.strip_prefix(REMAPPED_PREFIX).unwrap_or(written);
    let mut set = x.scratch.overrides.of(OverrideTarget::ResponseHeader);
    set.any(|set| set.name.as_bytes().eq_ignore_ascii_case(name))
}

fn write_checked(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> bool {
    write_field(name, value, out).is_ok()
}
