//! Rules about who may call, and whose answers are kept.

use crate::base::{Diagnostic, Severity};
use crate::model::rest::{Authorization, Authorizer, AuthorizerKind, IntegrationKind, MethodName, RestApi};

use super::{Advice, Site, sites};

/// Longest time in seconds that a verdict of an authorizer may be kept.
const TTL_S_MAX: u32 = 3600;

/// Operations named one by one; the others are counted.
const SHOWN: usize = 3;

pub(super) fn check(api: &RestApi, findings: &mut Vec<Diagnostic>) {
    findings.extend(no_authorization(api));
    for authorizer in &api.authorizers {
        findings.extend(ttl(authorizer));
    }
}

pub(super) fn check_method(site: &Site<'_>, findings: &mut Vec<Diagnostic>) {
    findings.extend(cached_caller(site));
}

fn no_authorization(api: &RestApi) -> Option<Diagnostic> {
    if api.policy.is_some() {
        return None;
    }
    let open: Vec<_> = sites(api).filter(is_open).collect();
    let first = open.first()?;
    let shown: Vec<_> =
        open.iter().take(SHOWN).map(|site| format!("{} (line {})", site.name(), site.method.place.line)).collect();
    let more = match open.len().saturating_sub(SHOWN) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let advice = Advice {
        severity: Severity::Warning,
        rule: "no-authorization",
        message: format!("everyone may call operations that change something: {}{more}", shown.join(", ")),
        on_aws: "The same: a method without authorization, API key and resource policy is public.",
        fix: "Add `security` with an authorizer, IAM or an API key, or a resource policy.",
    };
    Some(advice.at(first.method.place, first.pointer()))
}

fn is_open(site: &Site<'_>) -> bool {
    use MethodName::{Any, Delete, Patch, Post, Put};
    let method = site.method;
    let changes = matches!(method.name, Post | Put | Patch | Delete | Any);
    let is_mock = method.integration.as_ref().is_some_and(|integration| integration.kind == IntegrationKind::Mock);
    changes && !is_mock && method.authorization == Authorization::None && !method.api_key_required
}

/// A cache namespace says that answers are meant to be kept; without a header in the key one caller's answer is given
/// to the next.
fn cached_caller(site: &Site<'_>) -> Option<Diagnostic> {
    let integration = site.method.integration.as_ref()?;
    let keyed = integration.cache_key_parameters.iter().any(|parameter| parameter.contains(".header."));
    let is_read = matches!(site.method.name, MethodName::Get | MethodName::Any);
    let meant = integration.cache_namespace.is_some() || !integration.cache_key_parameters.is_empty();
    if !meant || !is_read || keyed || site.method.authorization == Authorization::None {
        return None;
    }
    let advice = Advice {
        severity: Severity::Warning,
        rule: "cached-caller-dependent",
        message: format!("{} is authorized and its cache key holds nothing of the caller", site.name()),
        on_aws: "With a cache on the stage, an answer made for one caller is served to every other.",
        fix: "Add the header that identifies the caller to parameters and cacheKeyParameters, or do not cache.",
    };
    Some(advice.at(integration.place, site.integration_pointer(&["cacheKeyParameters"])))
}

fn ttl(authorizer: &Authorizer) -> Option<Diagnostic> {
    let kept = authorizer.result_ttl_in_seconds.unwrap_or(300);
    let source = authorizer.identity_source.as_deref().unwrap_or_default();
    let (message, on_aws, fix) = if kept > TTL_S_MAX {
        let message = format!("'{}' keeps verdicts for {kept} s, more than {TTL_S_MAX}", authorizer.name);
        (message, "Refused: the time lies between 0 and 3600 seconds.", "Lower authorizerResultTtlInSeconds.")
    } else if authorizer.kind == AuthorizerKind::Request && kept > 0 && source.is_empty() {
        let message =
            format!("'{}' keeps verdicts for {kept} s and has no identity source to keep them by", authorizer.name);
        let fix = "Name what identifies the caller in identitySource, or set authorizerResultTtlInSeconds to 0.";
        (message, "Refused: caching needs an identity source.", fix)
    } else {
        return None;
    };
    let advice = Advice { severity: Severity::Warning, rule: "authorizer-ttl-long", message, on_aws, fix };
    let mut pointer = "/components/securitySchemes".to_owned();
    crate::json::node::push_segment(&mut pointer, &authorizer.name);
    Some(advice.at(authorizer.place, pointer))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect, found};

    const SCHEMES: &str = "components: {securitySchemes: {auth: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authorizer: {type: token, authorizerUri: a}}, key: {type: apiKey, in: header, name: x-api-key}}}";

    #[test]
    fn operations_that_change_something_ask_who_calls() {
        let open = "paths: {/a: {get: {}, post: {}, put: {}}, /b: {delete: {}, patch: {}}}";
        let findings = found("no-authorization", open);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].message.ends_with("POST /a (line 3), PUT /a (line 3), DELETE /b (line 3) and 1 more"),
            "{findings:?}"
        );
        let keyed = format!("{SCHEMES}\nsecurity: [{{key: []}}]\npaths: {{/a: {{post: {{}}}}}}");
        let authorized = format!("{SCHEMES}\nsecurity: [{{auth: []}}]\npaths: {{/a: {{post: {{}}}}}}");
        let policy = "x-amazon-apigateway-policy: {}\npaths: {/a: {post: {}}}";
        let mock = "paths: {/a: {post: {x-amazon-apigateway-integration: {type: mock}}}}";
        expect(
            "no-authorization",
            &[(&keyed, 0), (&authorized, 0), (policy, 0), (mock, 0), ("paths: {/a: {get: {}}}", 0)],
        );
    }

    #[test]
    fn answers_made_for_one_caller_are_not_kept_for_all() {
        let with = |security: &str, cache: &str| {
            format!(
                "{SCHEMES}\npaths: {{/a: {{get: {{security: [{security}], parameters: [{{name: Authorization, in: header}}], x-amazon-apigateway-integration: {{type: http_proxy, httpMethod: GET, uri: 'http://x', {cache}}}}}}}}}"
            )
        };
        let cases = [
            (with("{auth: []}", "cacheNamespace: n"), 1),
            (with("{auth: []}", "cacheKeyParameters: [method.request.querystring.q]"), 1),
            (with("{auth: []}", "cacheKeyParameters: [method.request.header.Authorization]"), 0),
            (with("{auth: []}", "timeoutInMillis: 100"), 0),
            (with("", "cacheNamespace: n"), 0),
        ];
        cases.iter().for_each(|(text, count)| expect("cached-caller-dependent", &[(text, *count)]));
    }

    #[test]
    fn verdicts_are_not_kept_too_long_nor_without_a_key() {
        let with = |name: &str, authorizer: &str| {
            format!(
                "paths: {{}}\ncomponents: {{securitySchemes: {{a: {{type: apiKey, in: header, name: {name}, x-amazon-apigateway-authorizer: {{authorizerUri: u, {authorizer}}}}}}}}}"
            )
        };
        let cases = [
            (with("A", "type: token, authorizerResultTtlInSeconds: 3601"), 1),
            (with("A", "type: token, authorizerResultTtlInSeconds: 3600"), 0),
            (with("Unused", "type: request"), 1),
            (with("Unused", "type: request, authorizerResultTtlInSeconds: 0"), 0),
            (with("Unused", "type: request, identitySource: context.httpMethod"), 0),
            (with("A", "type: request"), 0),
        ];
        cases.iter().for_each(|(text, count)| expect("authorizer-ttl-long", &[(text, *count)]));
    }
}
