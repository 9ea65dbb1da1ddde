//! `x-amazon-apigateway-integration`.

use crate::json::{Member, Node, Pointer};
use crate::model::rest::{
    ConnectionType, ContentHandling, Declared, Integration, IntegrationKind, IntegrationResponse, MethodName,
    PassthroughBehavior,
};

use super::Import;
use super::findings::{Findings, Remark};
use super::root::invalid_status;
use super::scope::Scope;
use super::values::{Owner, choice, flag, integer, is_status, mappings, present, templates, text, texts};

const NAME: &str = "x-amazon-apigateway-integration";

const CONTENT_HANDLING: [(&str, ContentHandling); 2] =
    [("CONVERT_TO_TEXT", ContentHandling::ConvertToText), ("CONVERT_TO_BINARY", ContentHandling::ConvertToBinary)];

const PASSTHROUGH: [(&str, PassthroughBehavior); 3] = [
    ("when_no_match", PassthroughBehavior::WhenNoMatch),
    ("when_no_templates", PassthroughBehavior::WhenNoTemplates),
    ("never", PassthroughBehavior::Never),
];

const KINDS: [(&str, IntegrationKind); 5] = [
    ("http", IntegrationKind::Http),
    ("mock", IntegrationKind::Mock),
    ("aws_proxy", IntegrationKind::AwsProxy),
    ("http_proxy", IntegrationKind::HttpProxy),
    ("aws", IntegrationKind::Aws),
];

impl<'d> Import<'d> {
    /// The integration of an operation, if it has one.
    pub(super) fn read_integration(
        &mut self,
        operation: &'d Node,
        path: &str,
        method: MethodName,
        at: &Pointer<'_>,
    ) -> Option<Integration> {
        let node = present(operation, NAME)?;
        let at = at.key(NAME);
        if !node.is_object() {
            self.findings.refuse_kind(node, "an integration", &at);
            return None;
        }
        let findings = &mut self.findings;
        findings.leftovers(node, Scope::Integration, &at);
        if present(node, "type").is_none() {
            let remark = Remark::new("invalid-value", "the integration has no `type`");
            findings.refuse(remark.on_aws("Refused: the type is required."), node.place, &at);
        }
        let kind = choice(node, "type", &KINDS, &at, findings)?;
        let mut integration = of_kind(kind, node);
        let owner = Owner { resource: path, method: method.as_str() };
        read_target(node, &at, findings, &mut integration);
        read_request(node, &at, findings, owner, &mut integration);
        read_details(node, &at, findings, &mut integration);
        integration.responses = read_responses(node, owner, &at, findings);
        check_target(&integration, node, owner, &at, findings);
        Some(integration)
    }
}

fn of_kind(kind: IntegrationKind, node: &Node) -> Integration {
    Integration {
        kind,
        http_method: None,
        uri: None,
        credentials: None,
        connection_type: ConnectionType::default(),
        connection_id: None,
        passthrough_behavior: PassthroughBehavior::default(),
        content_handling: None,
        timeout_in_millis: None,
        cache_namespace: None,
        cache_key_parameters: Vec::new(),
        request_parameters: Vec::new(),
        request_templates: Vec::new(),
        responses: Vec::new(),
        integration_target: None,
        insecure_skip_verification: false,
        stream: false,
        place: node.place,
    }
}

/// What is called.
fn read_target(node: &Node, at: &Pointer<'_>, findings: &mut Findings<'_>, into: &mut Integration) {
    let place = node.get("uri").map_or(node.place, |uri| uri.place);
    into.uri = text(node, "uri", at, findings).map(|value| Declared { value, place });
    into.http_method = text(node, "httpMethod", at, findings).map(|method| method.to_ascii_uppercase());
    into.credentials = text(node, "credentials", at, findings);
    let connections = [("INTERNET", ConnectionType::Internet), ("VPC_LINK", ConnectionType::VpcLink)];
    into.connection_type = choice(node, "connectionType", &connections, at, findings).unwrap_or_default();
    into.connection_id = text(node, "connectionId", at, findings);
    into.integration_target = text(node, "integrationTarget", at, findings);
}

/// What it is sent.
fn read_request(node: &Node, at: &Pointer<'_>, findings: &mut Findings<'_>, owner: Owner<'_>, into: &mut Integration) {
    into.request_parameters = mappings(node, "requestParameters", Some(owner), at, findings);
    into.request_templates = templates(node, "requestTemplates", at, findings);
    into.passthrough_behavior = choice(node, "passthroughBehavior", &PASSTHROUGH, at, findings).unwrap_or_default();
    into.content_handling = choice(node, "contentHandling", &CONTENT_HANDLING, at, findings);
}

/// How it is called.
fn read_details<'d>(node: &'d Node, at: &Pointer<'_>, findings: &mut Findings<'d>, into: &mut Integration) {
    into.cache_namespace = text(node, "cacheNamespace", at, findings);
    into.cache_key_parameters = texts(node, "cacheKeyParameters", at, findings);
    into.timeout_in_millis = integer(node, "timeoutInMillis", at, findings);
    let modes = [("BUFFERED", false), ("STREAM", true)];
    into.stream = choice(node, "responseTransferMode", &modes, at, findings).unwrap_or_default();
    if let Some(tls) = present(node, "tlsConfig") {
        let at = at.key("tlsConfig");
        findings.leftovers(tls, Scope::TlsConfig, &at);
        into.insecure_skip_verification = flag(tls, "insecureSkipVerification", &at, findings).unwrap_or_default();
    }
}

fn read_responses<'d>(
    node: &'d Node,
    owner: Owner<'_>,
    at: &Pointer<'_>,
    findings: &mut Findings<'d>,
) -> Vec<IntegrationResponse> {
    let Some(responses) = present(node, "responses") else { return Vec::new() };
    let at = at.key("responses");
    if !responses.is_object() {
        findings.refuse_kind(responses, "an object", &at);
    }
    let members = responses.members().iter();
    members.filter_map(|member| read_response(member, owner, &at.key(&member.key.text), findings)).collect()
}

fn read_response<'d>(
    member: &'d Member,
    owner: Owner<'_>,
    at: &Pointer<'_>,
    findings: &mut Findings<'d>,
) -> Option<IntegrationResponse> {
    let (pattern, node) = (member.key.text.as_str(), &member.value);
    if !node.is_object() {
        findings.refuse_kind(node, "an integration response", at);
        return None;
    }
    findings.leftovers(node, Scope::IntegrationResponse, at);
    let status_code = text(node, "statusCode", at, findings).unwrap_or_default();
    if !is_status(&status_code) {
        findings.refuse(invalid_status(&status_code), node.place, at);
    }
    Some(IntegrationResponse {
        status_code,
        selection_pattern: (pattern != "default").then(|| pattern.to_owned()),
        response_parameters: mappings(node, "responseParameters", Some(owner), at, findings),
        response_templates: templates(node, "responseTemplates", at, findings),
        content_handling: choice(node, "contentHandling", &CONTENT_HANDLING, at, findings),
        place: member.key.place,
    })
}

/// The checks of PutIntegration, with its messages.
fn check_target(
    integration: &Integration,
    node: &Node,
    owner: Owner<'_>,
    at: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    use IntegrationKind::{Aws, AwsProxy, Http, HttpProxy, Mock};
    let uri = integration.uri.as_ref().map(|uri| uri.value.as_str()).unwrap_or_default();
    let place = integration.uri.as_ref().map_or(node.place, |uri| uri.place);
    let problem = match integration.kind {
        Mock => None,
        Http | HttpProxy if integration.connection_type == ConnectionType::VpcLink => None,
        Http | HttpProxy => (!is_http_url(uri)).then_some("Invalid HTTP endpoint specified for URI"),
        Aws | AwsProxy => arn_problem(uri),
    };
    if let Some(message) = problem {
        let remark = Remark::new("integration-uri", format!("{message}: '{uri}'")).on_aws("Refused with these words.");
        let remark = remark.words(owner.unable_to_put_integration(message));
        findings.refuse(remark, place, &at.key("uri"));
    }
    if integration.kind != Mock && integration.http_method.as_deref().unwrap_or_default().is_empty() {
        let words = "Enumeration value for HttpMethod must be non-empty";
        let remark = Remark::new("integration-method", format!("{words}: the integration has no `httpMethod`"))
            .on_aws("Refused with these words.")
            .words(owner.unable_to_put_integration(words))
            .fix("Add httpMethod: POST for Lambda, the backend's method or ANY for HTTP.");
        findings.refuse(remark, node.place, at);
    }
}

fn is_http_url(uri: &str) -> bool {
    let lower = uri.get(..8).unwrap_or(uri).to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// `arn:{partition}:apigateway:{region}:{service}:{path|action}/…`
fn arn_problem(uri: &str) -> Option<&'static str> {
    let mut parts = uri.splitn(6, ':');
    if parts.next() != Some("arn") || parts.nth(1) != Some("apigateway") {
        return Some("Invalid ARN specified in the request");
    }
    let (_region, _service) = (parts.next(), parts.next());
    let call = parts.next().unwrap_or_default();
    let names_call = call.starts_with("path/") || call.starts_with("action/");
    (!names_call).then_some("AWS ARN for integration must contain path or action")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_checked_as_put_integration_checks_them() {
        let lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:f/invocations";
        assert_eq!(arn_problem(lambda), None);
        assert_eq!(arn_problem("arn:aws:apigateway:us-east-1:sns:action/Publish"), None);
        assert_eq!(arn_problem("arn:aws:lambda:us-east-1:1:function:f"), Some("Invalid ARN specified in the request"));
        assert_eq!(arn_problem("https://x"), Some("Invalid ARN specified in the request"));
        let problem = Some("AWS ARN for integration must contain path or action");
        assert_eq!(arn_problem("arn:aws:apigateway:us-east-1:lambda:function"), problem);
        assert!(is_http_url("HTTPS://${stageVariables.host}/x") && is_http_url("http://h"));
        assert!(!is_http_url("${stageVariables.url}") && !is_http_url("ftp://x") && !is_http_url(""));
    }
}
