//! A decision for programs.

use serde_json::{Map, Value, json};

use crate::record::decision::{Step, Tag};

use super::advice::advice;
use super::story::{mappings, name, outcome, times};
use super::{Body, Decision, Message};

/// One request as a JSON object. Members without a value are left out.
pub fn json(decision: &Decision) -> Value {
    let summary = &decision.summary;
    let (origin, what_to_do) = advice(decision);
    let texts = |tag| decision.texts(tag).map(Value::from).collect::<Vec<_>>();
    let text = |tag| Value::from(decision.text(tag));
    let mut out = json!({
        "requestId": decision.request_id(),
        "extendedRequestId": decision.extended_request_id(),
        "requestTimeEpoch": summary.wall_millis,
        "status": summary.status,
        "sourceIp": text(Tag::Client),
        "apiId": text(Tag::ApiId),
        "stage": text(Tag::Stage),
        "deploymentId": text(Tag::Deployment),
        "isCanaryRequest": summary.is_canary.then_some(true),
        "customDomainBasePath": (summary.base_path_end > 0)
            .then(|| decision.request.target().get(1..summary.base_path_end.into()).unwrap_or_default()),
        "snapshot": summary.version,
        "resourceId": text(Tag::ResourceId),
        "resourcePath": text(Tag::Resource),
        "declaredMethod": text(Tag::Method),
        "pathVariables": object(&decision.path_variables),
        "protection": texts(Tag::Protection),
        "metering": texts(Tag::Metering),
        "requestValidator": text(Tag::Validator),
        "stageVariables": texts(Tag::StageVariable),
        "steps": steps(decision),
        "request": message(&decision.request, decision.request_body.as_ref()),
        "rendered": decision.rendered.as_ref().map(|body| &body.text),
        "integration": integration(decision),
        "response": message(&decision.response, decision.response_body.as_ref()),
        "responseLength": summary.response_length,
        "delivery": delivery(decision),
        "times": times(decision).into_iter().map(|(what, nanos)| (camel(what), json!(nanos / 1_000))).collect::<Map<_, _>>(),
        "error": {
            "responseType": text(Tag::ErrorType),
            "message": text(Tag::ErrorMessage),
            "reason": text(Tag::Reason),
            "origin": if what_to_do.is_empty() { "" } else { origin.as_str() },
            "whatToDo": what_to_do,
        },
    });
    prune(&mut out);
    out
}

fn steps(decision: &Decision) -> Vec<Value> {
    let reached = |step| step <= decision.summary.step;
    Step::ALL
        .map(|step| json!({"step": name(step), "reached": reached(step), "outcome": outcome(decision, step)}))
        .to_vec()
}

fn integration(decision: &Decision) -> Value {
    let summary = &decision.summary;
    let is_called = decision.call.is_some();
    let pairs = |begin| mappings(decision, begin).map(|(to, from)| (to.to_owned(), from.into())).collect::<Map<_, _>>();
    json!({
        "type": decision.text(Tag::Integration),
        "uri": decision.text(Tag::Uri),
        "requestParameters": pairs("integration.request."),
        "responseParameters": pairs("method.response."),
        "endpoint": decision.endpoint(),
        "address": decision.address.map(|address| address.to_string()),
        "attempts": is_called.then_some(summary.attempts),
        "keptConnection": is_called.then_some(summary.is_reused),
        "failure": decision.text(Tag::Failure),
        "status": (summary.integration_status > 0).then_some(summary.integration_status),
        "request": decision.call.as_ref().map(|call| message(call, decision.call_body.as_ref())),
        "answer": decision.answer.as_ref().map(|answer| message(answer, decision.answer_body.as_ref())),
    })
}

fn delivery(decision: &Decision) -> &'static str {
    use crate::record::decision::Ended;
    match decision.summary.ended {
        Ended::Complete => "complete",
        Ended::ClientGone => "client gone",
        Ended::OriginBroke => "back end broke off",
        Ended::TooLarge => "too large",
    }
}

/// Headers stay a list of pairs: names may repeat.
fn message(message: &Message, body: Option<&Body>) -> Value {
    let fields: Vec<_> = message.fields.iter().map(|(name, value)| json!([name, value])).collect();
    json!({
        "startLine": message.start_line,
        "headers": fields,
        "isCut": message.is_cut.then_some(true),
        "body": body.filter(|body| !body.is_binary).map(|body| &body.text),
        "bodyBytesKept": body.map(|body| body.kept),
        "bodyIsCut": body.filter(|body| body.is_cut).map(|_| true),
    })
}

fn object(pairs: &[(String, String)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// `until connected` as `untilConnectedMicros`.
fn camel(words: &str) -> String {
    let mut parts = words.split(' ');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.extend(part.chars().take(1).map(|first| first.to_ascii_uppercase()));
        out.push_str(part.get(1..).unwrap_or_default());
    }
    out + "Micros"
}

/// Leaves out what is null or empty.
fn prune(value: &mut Value) {
    let Value::Object(members) = value else { return };
    members.values_mut().for_each(prune);
    members.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    });
}
