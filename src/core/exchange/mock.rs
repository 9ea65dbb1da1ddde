//! `MOCK` integrations: no back end; the request template says which response is given (rest-integrations §9).

use crate::mapping::status_code::status_code;
use crate::plan::{MockPlan, MockRequest};
use crate::record::decision::Step;

use super::effects::Effects;
use super::http::check_passthrough;
use super::{BodyShape, Exchange, Rejection, Served, respond};

pub(super) async fn integrate<'x, E: Effects>(
    x: &mut Exchange<'x>,
    plan: &'x MockPlan,
    effects: &mut E,
) -> Result<Served, Rejection> {
    let status = match plan.templates.for_content_type(x.content_type()) {
        Some(MockRequest::Status(status)) => Some(*status),
        Some(MockRequest::NoStatus) => None,
        Some(MockRequest::Unserved(reason)) => return Err(Rejection::unserved(reason)),
        Some(MockRequest::Text(text)) => {
            let mut rendered = std::mem::take(&mut x.scratch.body);
            rendered.clear();
            text.write(&x.values(None), &mut rendered);
            let status = status_code(&rendered);
            x.scratch.body = rendered;
            status
        }
        Some(MockRequest::Passthrough) => status_of_body(x, effects).await?,
        None => {
            check_passthrough(plan.passthrough)?;
            status_of_body(x, effects).await?
        }
    };
    let status = status.ok_or_else(|| {
        Rejection::configuration(
            "Unable to parse statusCode. It should be an integer that is defined in the request template.",
        )
    })?;
    x.scratch.trail.reach(Step::MapResponse);
    // Any integer is a status here (rest-integrations §9); what is none elsewhere leads to the default response.
    let response = plan.responses.for_status(u16::try_from(status).unwrap_or(0));
    let response = response.ok_or_else(|| Rejection::no_response_for(status))?;
    x.keeps_alive &= effects.can_serve_again();
    respond::mapped(x, response, None)
}

async fn status_of_body<E: Effects>(x: &Exchange<'_>, effects: &mut E) -> Result<Option<i64>, Rejection> {
    if x.request.body == BodyShape::Empty {
        return Ok(None);
    }
    effects.read_body().await.map(status_code).map_err(Rejection::from)
}
