//! `MOCK` integrations: no back end; the request template says which response is given (rest-integrations §9).

use crate::mapping::status_code::status_code;
use crate::plan::content::Conversion;
use crate::plan::{MockPlan, MockRequest, StagePlan};
use crate::record::decision::{Step, Tag};

use super::effects::Effects;
use super::http::check_passthrough;
use super::respond::Source;
use super::values::Side;
use super::{Exchange, Rejection, Served, content, respond, template};

pub(super) async fn integrate<'x, E: Effects>(
    x: &mut Exchange<'x>,
    stage: &'x StagePlan,
    plan: &'x MockPlan,
    effects: &mut E,
) -> Result<Served, Rejection> {
    let template = plan.templates.for_content_type(x.content_type());
    let conversion = content::of_request(x, stage, plan.content, template.is_some())?;
    let status = match template {
        Some(MockRequest::Status(status)) => Some(*status),
        Some(MockRequest::NoStatus) => None,
        Some(MockRequest::Broken(reason)) => return Err(Rejection::configuration(reason)),
        Some(MockRequest::Program(program)) => {
            if program.reads_body() {
                content::gather_request(x, stage, conversion, effects).await?;
            }
            template::run(x, program, Side::Request, effects)?;
            let status = status_code(&x.scratch.body);
            if status.is_none() && stage.records_bodies {
                x.scratch.trail.note(Tag::Rendered, &x.scratch.body);
            }
            status
        }
        Some(MockRequest::Passthrough) => status_of_body(x, stage, conversion, effects).await?,
        None => {
            check_passthrough(plan.passthrough)?;
            status_of_body(x, stage, conversion, effects).await?
        }
    };
    let status = status.ok_or_else(|| {
        Rejection::configuration(
            "Unable to parse statusCode. It should be an integer that is defined in the request template.",
        )
    })?;
    x.scratch.trail.reach(Step::MapResponse);
    // Any integer is a status here (rest-integrations §9).
    let response = plan.responses.for_status(status).ok_or_else(|| Rejection::no_response_for(status))?;
    x.keeps_alive &= effects.can_serve_again();
    respond::mapped(x, stage, response, Source::Nothing, effects).await
}

async fn status_of_body<E: Effects>(
    x: &mut Exchange<'_>,
    stage: &StagePlan,
    conversion: Conversion,
    effects: &mut E,
) -> Result<Option<i64>, Rejection> {
    content::gather_request(x, stage, conversion, effects).await?;
    Ok(status_code(&x.scratch.request_body))
}
