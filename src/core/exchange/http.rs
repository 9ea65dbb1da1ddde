//! `HTTP` and `HTTP_PROXY` integrations.

use crate::plan::content::Conversion;
use crate::plan::{BodyTemplate, HttpPlan, Passthrough, StagePlan};
use crate::proto::http::Method;
use crate::record::decision::{Step, Tag};

use super::effects::{Answer, Call, CallBody, Effects};
use super::request::{self, Body};
use super::respond::Source;
use super::values::Side;
use super::{BodyShape, Exchange, Rejection, Served, content, respond, template};

pub(super) async fn integrate<'x, E: Effects>(
    x: &mut Exchange<'x>,
    stage: &'x StagePlan,
    plan: &'x HttpPlan,
    effects: &mut E,
) -> Result<Served, Rejection> {
    let mut body = choose_body(x, plan)?;
    if !plan.streams || x.has_request_body {
        body = prepare(x, stage, plan, body, effects).await?;
    }
    request::write_request(x, stage, plan, body)?;
    let method = request::backend_method(x, plan);
    let mut request = std::mem::take(&mut x.scratch.request);
    let call = Call {
        upstream: plan.upstream,
        request: &mut request,
        body: if body == Body::Clients && x.request.body != BodyShape::Empty {
            CallBody::Clients
        } else {
            CallBody::Own
        },
        is_idempotent: is_idempotent(method),
        is_head: method == b"HEAD",
        timeout: plan.timeout,
    };
    // What precedes the call takes a microsecond or two, less than a second reading of the clock is worth; unless the
    // client was waited for.
    let called = if x.has_request_body { effects.now() } else { x.facts.started };
    x.scratch.trail.call(call.request.len(), called.since(x.facts.started));
    let answered = effects.call(call).await;
    x.scratch.request = request;
    x.keeps_alive &= effects.can_serve_again();
    // What a client takes to send its body is not the integration's: AWS has all of it before it calls.
    let called = effects.uploaded().unwrap_or(called);
    x.scratch.trail.sent(called.since(x.facts.started));
    x.facts.integration_latency_nanos = u64::try_from(effects.now().since(called).as_nanos()).ok();
    answered.map_err(Rejection::from)?;
    let status = note_answer(x, effects.answer());
    let length = effects.answer().length;
    if length.is_some_and(|length| length > x.snapshot.limits.response_body_bytes_max) {
        return Err(Rejection::response_too_large());
    }
    if plan.is_proxy {
        return respond::proxy(x, stage, plan, effects).await;
    }
    let status = i64::from(status);
    let response = plan.responses.for_status(status).ok_or_else(|| Rejection::no_response_for(status))?;
    respond::mapped(x, stage, response, Source::BackEnd, effects).await
}

/// Gathers the client's body if this request has to, and runs its template: `body` says what would be sent without that.
async fn prepare<'x, E: Effects>(
    x: &mut Exchange<'x>,
    stage: &StagePlan,
    plan: &'x HttpPlan,
    body: Body<'x>,
    effects: &mut E,
) -> Result<Body<'x>, Rejection> {
    let template = plan.templates.for_content_type(x.content_type());
    let conversion = content::of_request(x, stage, plan.content, template.is_some())?;
    let changes = conversion != Conversion::None || content::is_encoded(x, stage);
    // A validator may have read it already; then there is nothing left to pass on.
    let is_read = plan.reads_body || x.has_request_body || template.is_some_and(BodyTemplate::reads_body);
    if is_read || (body == Body::Clients && changes) {
        content::gather_request(x, stage, conversion, effects).await?;
        if plan.reads_body {
            content::read_request(x)?;
        }
    }
    if let Some(program) = template.and_then(BodyTemplate::program) {
        // Also where no body is sent: it may override the path, the query or the headers.
        template::run(x, program, Side::Request, effects)?;
        return Ok(if request::has_request_body(x, plan) { Body::Rendered } else { Body::None });
    }
    Ok(if body == Body::Clients && x.has_request_body { Body::Whole } else { body })
}

/// Remembers the head of an answer, and gives its status.
fn note_answer(x: &mut Exchange<'_>, answer: Answer<'_>) -> u16 {
    let status = answer.head.status.code();
    x.facts.integration_status = Some(status);
    x.scratch.trail.reach(Step::MapResponse);
    x.scratch.trail.note(Tag::AnswerHead, answer.bytes.get(..answer.head.len).unwrap_or_default());
    status
}

fn is_idempotent(method: &[u8]) -> bool {
    Method::from_bytes(method).is_some_and(Method::is_idempotent)
}

/// rest-integrations §3: the template for the content type, else what the passthrough behaviour says. The choice, and a
/// 415, come before the body is touched.
fn choose_body<'x>(x: &Exchange<'x>, plan: &'x HttpPlan) -> Result<Body<'x>, Rejection> {
    let clients = if request::has_request_body(x, plan) { Body::Clients } else { Body::None };
    if plan.is_proxy {
        return Ok(clients);
    }
    let Some(template) = plan.templates.for_content_type(x.content_type()) else {
        return check_passthrough(plan.passthrough).map(|()| clients);
    };
    match template {
        BodyTemplate::Broken(reason) => Err(Rejection::configuration(reason)),
        _ if clients == Body::None => Ok(Body::None),
        BodyTemplate::AsIs => Ok(clients),
        BodyTemplate::Passthrough if x.request.body == BodyShape::Empty => Ok(Body::Text(respond::EMPTY_OBJECT)),
        BodyTemplate::Passthrough => Ok(clients),
        BodyTemplate::Text(text) => Ok(Body::Text(text.as_bytes())),
        // `prepare` makes the body.
        BodyTemplate::Program(_) => Ok(Body::Rendered),
    }
}

pub(super) fn check_passthrough(passthrough: Passthrough) -> Result<(), Rejection> {
    match passthrough {
        Passthrough::Allowed => Ok(()),
        Passthrough::Refused => Err(Rejection::unsupported_media_type()),
    }
}
