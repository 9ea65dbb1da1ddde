//! What is declared and not obeyed yet. What protects something fails closed; the rest is said.

use crate::base::Severity;
use crate::model::rest::{Authorization, ConnectionType, Integration, IntegrationKind, Method, RestApi};

use super::{Findings, Pointer};

/// Why a method must not be served, if anything that protects it is not obeyed.
pub(super) fn closed_by(method: &Method, api: &RestApi) -> Option<(&'static str, String)> {
    match &method.authorization {
        Authorization::None => {}
        Authorization::Iam => {
            return Some(("authorization-unsupported", "IAM authorization is not supported yet".into()));
        }
        Authorization::Custom { authorizer } => {
            return Some((
                "authorization-unsupported",
                format!("the Lambda authorizer `{authorizer}` is not supported yet"),
            ));
        }
        Authorization::Cognito { authorizer, .. } => {
            return Some((
                "authorization-unsupported",
                format!("the Cognito authorizer `{authorizer}` is not supported yet"),
            ));
        }
    }
    if method.api_key_required {
        return Some(("api-key-unsupported", "API keys are not supported yet".into()));
    }
    if api.policy.is_some() {
        return Some(("policy-unsupported", "resource policies are not supported yet".into()));
    }
    None
}

/// Why an integration cannot be run, whatever it protects.
pub(super) fn unserved(integration: &Integration) -> Option<String> {
    match integration.kind {
        IntegrationKind::Aws | IntegrationKind::AwsProxy => {
            return Some(format!("{} integrations are not supported yet", integration.kind.as_str()));
        }
        IntegrationKind::Http | IntegrationKind::HttpProxy | IntegrationKind::Mock => {}
    }
    if integration.connection_type == ConnectionType::VpcLink {
        return Some("VPC links are not supported yet".into());
    }
    None
}

/// Says what an API declares that changes nothing yet.
pub(super) fn say_api(api: &RestApi, findings: &mut Findings) {
    let places = &api.places;
    if !api.vpc_endpoint_ids.is_empty() {
        let message = "vpcEndpointIds are stored; whoever reaches the listener may call this private API".to_owned();
        let found = findings.warn("private-unsupported", places.endpoint_configuration, "", message);
        found.on_aws = "the API answers only through VPC endpoints, as its resource policy says".into();
    }
    let ignored = [
        ("securityPolicy", &api.security_policy, places.security_policy),
        ("endpointAccessMode", &api.endpoint_access_mode, places.endpoint_access_mode),
        ("ipAddressType", &api.ip_address_type, places.endpoint_configuration),
    ];
    for (name, _, place) in ignored.into_iter().filter(|(_, value, _)| value.is_some()) {
        let message = format!("{name} is stored; it belongs to AWS's own listeners and changes nothing here");
        findings.add(Severity::Note, "endpoint-unsupported", place, "", message);
    }
}

/// Says what an integration declares that changes nothing yet.
pub(super) fn say_integration(integration: &Integration, pointer: Pointer<'_>, findings: &mut Findings) {
    if !integration.cache_key_parameters.is_empty() || integration.cache_namespace.is_some() {
        let message = "cacheKeyParameters and cacheNamespace are stored; responses are not cached yet".to_owned();
        findings.add(Severity::Note, "cache-unsupported", integration.place, pointer, message);
    }
    if integration.stream {
        let message =
            "responseTransferMode STREAM: responses are streamed whatever the mode, the 15 minutes it allows are not"
                .to_owned();
        findings.add(Severity::Note, "stream-unsupported", integration.place, pointer, message);
    }
    if integration.credentials.is_some()
        && matches!(integration.kind, IntegrationKind::Http | IntegrationKind::HttpProxy | IntegrationKind::Mock)
    {
        let message = "credentials have no effect on this type of integration".to_owned();
        findings.add(Severity::Note, "credentials-unused", integration.place, pointer, message);
    }
}
