//! Gateway responses: customizations resolved and their expressions parsed.

use crate::aws::errors::{Customization, Origin, Prepared, ResponseType, parse_status, resolve};
use crate::base::Place;
use crate::mapping::Substitution;
use crate::mapping::expression::{Expression, Side, Target};
use crate::model::rest::{GatewayResponse, RestApi};
use crate::plan::headers::REMAPPED;
use crate::plan::{ByMediaType, RejectionPlan};
use crate::proto::http::{FieldSet, KnownField};

use super::{Findings, Names};

/// Fields that frame a response or that every response of ours has: a second one would break the message or the
/// reader's trust in it.
const OURS: FieldSet = REMAPPED
    .with(KnownField::TransferEncoding)
    .with(KnownField::XAmznRequestId)
    .with(KnownField::XAmzApigwId)
    .with(KnownField::XAmznErrorType);

/// The gateway responses of an API, by type.
pub(super) fn rejections(api: &RestApi, names: &Names<'_>, findings: &mut Findings) -> Box<[RejectionPlan]> {
    let customizations: Vec<_> =
        api.gateway_responses.iter().filter_map(|response| customization(response, findings)).collect();
    let table = resolve(&customizations);
    let plans = table.iter().map(|prepared| {
        let declared = api.gateway_responses.iter().find(|r| r.response_type == prepared.response_type.as_str());
        // What is inherited was named where it was declared.
        let place = declared.filter(|_| prepared.origin == Origin::Own).map(|response| response.place);
        plan(prepared, place, names, findings)
    });
    plans.collect()
}

fn customization(response: &GatewayResponse, findings: &mut Findings) -> Option<(ResponseType, Customization)> {
    let pointer = format!("/x-amazon-apigateway-gateway-responses/{}", response.response_type);
    let Some(response_type) = ResponseType::parse(&response.response_type) else {
        let unknown = crate::aws::errors::UnknownResponseType(response.response_type.clone());
        findings.warn("gateway-response-unknown", response.place, &pointer, unknown.to_string());
        return None;
    };
    // A client takes a status below 200 for an interim response and waits for the final one.
    let status = response.status_code.as_deref().and_then(parse_status).filter(|&status| status >= 200);
    if response.status_code.is_some() && status.is_none() {
        let message = "a gateway response's status is three digits from 200 to 599; this one is not used".to_owned();
        findings.warn("gateway-response-status", response.place, &pointer, message);
    }
    let parameters =
        response.response_parameters.iter().map(|mapping| (mapping.target.clone(), mapping.source.clone())).collect();
    Some((response_type, Customization { status, parameters, templates: response.response_templates.clone() }))
}

/// `place`: where the response is declared, if its findings are to be said.
fn plan(prepared: &Prepared, place: Option<Place>, names: &Names<'_>, findings: &mut Findings) -> RejectionPlan {
    let pointer = format!("/x-amazon-apigateway-gateway-responses/{}", prepared.response_type.as_str());
    let mut warn = |rule, message| {
        if let Some(place) = place {
            findings.warn(rule, place, &pointer, message);
        }
    };
    let mut headers = Vec::new();
    for (target, source) in &prepared.customization.parameters {
        let target = Target::parse(target, Side::GatewayResponse);
        let source = Expression::parse(source, Side::GatewayResponse, names);
        match (target, source) {
            (Ok(Target::GatewayHeader(name)), Ok(_)) if OURS.contains(KnownField::from_name(name.as_bytes())) => {
                let message = format!("the header {name} is written by the gateway; this one is not sent");
                warn("mapping-dropped", message);
            }
            (Ok(Target::GatewayHeader(name)), Ok(source)) => headers.push((name.into_boxed_bytes(), source)),
            // AWS takes the other two targets and does nothing with them.
            (Ok(_), Ok(_)) => {}
            (Err(error), _) | (_, Err(error)) => warn("mapping-expression", error.to_string()),
        }
    }
    let mut templates = Vec::new();
    for (media_type, text) in &prepared.customization.templates {
        let (template, unknown) = Substitution::compile(text, names);
        unknown.iter().for_each(|variable| warn("context-unknown", format!("{variable}; it prints nothing")));
        templates.push((media_type.clone(), template));
    }
    // What a customization says counts whatever the cause, also where it says what the type has anyway.
    let cause = prepared.response_type.status().unwrap_or(500);
    let implied = Some(prepared.status(cause)).filter(|&status| status != cause);
    let status = prepared.customization.status.or(implied);
    RejectionPlan { status, headers: headers.into(), templates: ByMediaType::new(templates) }
}
