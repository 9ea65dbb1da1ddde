//! Rules about the size of messages.

use serde_json::Value;

use crate::base::limits::PAYLOAD_BYTES_MAX;
use crate::base::{Diagnostic, Severity};
use crate::model::rest::{Model, RestApi};

use super::Advice;

/// Declared lengths from here on are near enough to the payload limit to meet it: base64 adds a third.
const LENGTH_NEAR_LIMIT: u64 = PAYLOAD_BYTES_MAX / 4 * 3;

pub(super) fn check(api: &RestApi, findings: &mut Vec<Diagnostic>) {
    findings.extend(api.models.iter().filter_map(|model| near_limit(model, longest(&model.schema))));
}

/// The largest `maxLength` in a schema.
fn longest(schema: &Value) -> u64 {
    match schema {
        Value::Array(elements) => elements.iter().map(longest).max().unwrap_or_default(),
        Value::Object(members) => {
            let own = members.get("maxLength").and_then(Value::as_u64).unwrap_or_default();
            members.values().map(longest).max().unwrap_or_default().max(own)
        }
        _ => 0,
    }
}

fn near_limit(model: &Model, length: u64) -> Option<Diagnostic> {
    if length < LENGTH_NEAR_LIMIT {
        return None;
    }
    let advice = Advice {
        severity: Severity::Warning,
        rule: "payload-limit",
        message: format!(
            "the model '{}' allows a text of {length} characters; a message has 10 MB at most",
            model.name
        ),
        on_aws: "Larger requests are answered 413; functions take no more than 6 MB.",
        fix: "Let clients put large objects into storage directly, with a presigned URL, and send a reference.",
    };
    Some(advice.at(model.place, String::new()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect;

    #[test]
    fn texts_near_the_payload_limit_are_noticed() {
        let with = |length: u64| {
            format!(
                "paths: {{}}\ncomponents: {{schemas: {{M: {{properties: {{a: {{type: string, maxLength: {length}}}}}}}}}}}"
            )
        };
        let (large, small) = (with(10_000_000), with(1_000_000));
        expect("payload-limit", &[(&large, 1), (&small, 0)]);
    }
}
