//! `x-amazon-apigateway-integration`.

use serde_json::{Map, Value, json};

use crate::base::limits::INTEGRATION_TIMEOUT_MS_MAX;
use crate::model::rest::{
    ConnectionType, ContentHandling, Declared, Integration, IntegrationResponse, ParameterMapping, PassthroughBehavior,
};

use super::{insert, insert_full};

/// What is at its default is left out, as AWS does it.
pub(super) fn integration(integration: &Integration) -> Value {
    let mut written = Map::new();
    let mut text = |name: &str, value: Option<&str>| insert(&mut written, name, value.map(Value::from));
    text("type", Some(&integration.kind.as_str().to_ascii_lowercase()));
    text("connectionId", integration.connection_id.as_deref());
    text("integrationTarget", integration.integration_target.as_deref());
    text("credentials", integration.credentials.as_deref());
    text("httpMethod", integration.http_method.as_deref());
    text("uri", integration.uri.as_ref().map(|uri| uri.value.as_str()));
    insert_full(&mut written, "responses", integration.responses.iter().map(response).collect());
    insert_full(&mut written, "requestParameters", mappings(&integration.request_parameters));
    insert_full(&mut written, "requestTemplates", templates(&integration.request_templates));
    written.insert("passthroughBehavior".to_owned(), json!(passthrough(integration.passthrough_behavior)));
    add_details(&mut written, integration);
    Value::Object(written)
}

fn add_details(into: &mut Map<String, Value>, integration: &Integration) {
    let by_link = integration.connection_type == ConnectionType::VpcLink;
    insert(into, "connectionType", by_link.then(|| json!("VPC_LINK")));
    let timeout = integration.timeout_in_millis.filter(|timeout| u64::from(*timeout) != INTEGRATION_TIMEOUT_MS_MAX);
    insert(into, "timeoutInMillis", timeout.map(Value::from));
    insert(into, "cacheNamespace", integration.cache_namespace.as_deref().map(Value::from));
    insert(into, "responseTransferMode", integration.stream.then(|| json!("STREAM")));
    let keys = &integration.cache_key_parameters;
    insert(into, "cacheKeyParameters", (!keys.is_empty()).then(|| json!(keys)));
    insert(into, "contentHandling", integration.content_handling.map(content_handling));
    let is_insecure = integration.insecure_skip_verification;
    insert(into, "tlsConfig", is_insecure.then(|| json!({"insecureSkipVerification": true})));
}

fn response(response: &IntegrationResponse) -> (String, Value) {
    let mut written = Map::new();
    written.insert("statusCode".to_owned(), json!(response.status_code));
    insert_full(&mut written, "responseParameters", mappings(&response.response_parameters));
    insert_full(&mut written, "responseTemplates", templates(&response.response_templates));
    insert(&mut written, "contentHandling", response.content_handling.map(content_handling));
    let pattern = response.selection_pattern.as_deref().unwrap_or("default");
    (pattern.to_owned(), Value::Object(written))
}

pub(super) fn mappings(mappings: &[ParameterMapping]) -> Map<String, Value> {
    mappings.iter().map(|mapping| (mapping.target.clone(), json!(mapping.source))).collect()
}

fn templates(templates: &[(String, Declared<String>)]) -> Map<String, Value> {
    templates.iter().map(|(media_type, template)| (media_type.clone(), json!(template.value))).collect()
}

const fn passthrough(behavior: PassthroughBehavior) -> &'static str {
    match behavior {
        PassthroughBehavior::WhenNoMatch => "when_no_match",
        PassthroughBehavior::WhenNoTemplates => "when_no_templates",
        PassthroughBehavior::Never => "never",
    }
}

fn content_handling(handling: ContentHandling) -> Value {
    match handling {
        ContentHandling::ConvertToText => json!("CONVERT_TO_TEXT"),
        ContentHandling::ConvertToBinary => json!("CONVERT_TO_BINARY"),
    }
}
