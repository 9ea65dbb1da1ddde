//! The request validator: required parameters first, then the body against its model.

use crate::mapping::{Values, query};
use crate::plan::StagePlan;
use crate::plan::validate::{ParameterSource, RequiredParameter, ValidatePlan};
use crate::record::decision::Tag;
use crate::schema::Schema;

use super::content::receive_request;
use super::effects::Effects;
use super::{Exchange, Rejection, Step};

/// What is said of a body that is not JSON, or that cannot be judged within bounds.
const UNREADABLE: &str = "[Unknown error parsing request body]";
/// Most bytes of missing parameters' names that an answer lists.
const MISSING_BYTES_MAX: usize = 8 * 1024;

/// Checks what the route's validator asks for. If parameters are missing, the body is not looked at.
pub(super) async fn validate<E: Effects>(
    x: &mut Exchange<'_>,
    stage: &StagePlan,
    plan: &ValidatePlan,
    effects: &mut E,
) -> Step {
    check_parameters(x, &plan.parameters)?;
    let Some(schema) = plan.models.for_content_type(x.content_type()) else {
        let verdict: &[u8] = match (plan.parameters.is_empty(), plan.models.is_empty()) {
            (true, true) => b"nothing to check: no parameter is required and no model is named",
            (false, true) => b"valid: every required parameter is there; the body was not checked",
            (_, false) => b"valid as far as it was checked: no model for the body's content type",
        };
        x.scratch.trail.note(Tag::Validation, verdict);
        return Ok(());
    };
    receive_request(x, stage, effects).await?;
    check_body(x, schema)
}

fn check_parameters(x: &mut Exchange<'_>, parameters: &[RequiredParameter]) -> Step {
    let mut missing: Option<String> = None;
    for parameter in parameters.iter().filter(|parameter| is_missing(x, parameter)) {
        let message = missing.get_or_insert_with(|| "Missing required request parameters: [".to_owned());
        if message.len() > MISSING_BYTES_MAX {
            break;
        }
        if !message.ends_with('[') {
            message.push_str(", ");
        }
        message.push_str(&parameter.name);
    }
    let Some(message) = missing else { return Ok(()) };
    let rejection = Rejection::bad_request_parameters(format!("{message}]"));
    x.scratch.trail.note(Tag::Validation, rejection.message.as_bytes());
    Err(rejection)
}

/// Blank counts as missing (dg/api-gateway-method-request-validation).
fn is_missing(x: &Exchange<'_>, parameter: &RequiredParameter) -> bool {
    let values = x.values(None);
    let value = match parameter.source {
        ParameterSource::Header => values.header(&parameter.name),
        ParameterSource::Path(index) => index.and_then(|index| values.path(index)),
        ParameterSource::QueryString => {
            return query::last(values.query(), &parameter.name).is_none_or(query::is_blank);
        }
    };
    value.is_none_or(|value| value.trim_ascii().is_empty())
}

/// An empty body is an empty object.
fn check_body(x: &mut Exchange<'_>, schema: &Schema) -> Step {
    let body = match x.scratch.request_body.as_slice() {
        [] => b"{}",
        body => body,
    };
    let Ok(root) = x.scratch.document.read(body) else { return Err(refuse(x, UNREADABLE.to_owned())) };
    let faults = match schema.is_valid(root) {
        Ok(true) => {
            x.scratch.trail.note(Tag::Validation, b"valid: the body matches its model");
            return Ok(());
        }
        Ok(false) => schema.faults(root),
        Err(too_much) => Err(too_much),
    };
    let verdict = faults.map_or_else(|_| UNREADABLE.to_owned(), |faults| format!("[{}]", faults.join(", ")));
    Err(refuse(x, verdict))
}

fn refuse(x: &mut Exchange<'_>, verdict: String) -> Rejection {
    x.scratch.trail.note(Tag::Validation, verdict.as_bytes());
    Rejection::bad_request_body(verdict)
}
