//! Rules about calls from browsers.

use std::collections::HashSet;

use crate::base::{Diagnostic, Severity};
use crate::model::rest::{Method, MethodName, Resource, RestApi};

use super::{Advice, Site, path_pointer, sites};

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

pub(super) fn check(api: &RestApi, findings: &mut Vec<Diagnostic>) {
    let Some(first) = sites(api).find(|site| allows_origins(site.method)) else {
        return options_elsewhere(api, findings);
    };
    let preflights = Preflights::of(api);
    for resource in &api.resources {
        if resource.methods.iter().any(allows_origins) && !preflights.answer(&resource.path) {
            findings.push(missing_options(resource));
        }
    }
    findings.extend(gateway_responses(api, &first));
}

/// Whether the method sends `Access-Control-Allow-Origin` by declaration or mapping.
fn allows_origins(method: &Method) -> bool {
    let declares = method.responses.iter().flat_map(|response| &response.headers);
    let integration = method.integration.iter().flat_map(|integration| &integration.responses);
    let maps = integration.flat_map(|response| &response.response_parameters);
    declares.into_iter().any(|header| header.eq_ignore_ascii_case(ALLOW_ORIGIN))
        || maps.into_iter().any(|mapping| mapping.target.to_ascii_lowercase().ends_with(ALLOW_ORIGIN))
}

/// Which paths answer `OPTIONS`: their own, and those that fall through to a variable beside or above them.
struct Preflights<'a> {
    paths: HashSet<&'a str>,
    /// Parents of a variable or greedy child that answers `OPTIONS`.
    below: HashSet<&'a str>,
    below_greedy: HashSet<&'a str>,
}

impl<'a> Preflights<'a> {
    fn of(api: &'a RestApi) -> Self {
        let mut preflights = Self { paths: HashSet::new(), below: HashSet::new(), below_greedy: HashSet::new() };
        for resource in api.resources.iter().filter(|resource| has_options(resource)) {
            let (parent, segment) = resource.path.rsplit_once('/').unwrap_or_default();
            preflights.paths.insert(&resource.path);
            if segment.ends_with("+}") {
                preflights.below_greedy.insert(parent);
            } else if segment.starts_with('{') {
                preflights.below.insert(parent);
            }
        }
        preflights
    }

    fn answer(&self, path: &str) -> bool {
        let mut above = path;
        if self.paths.contains(path) || path.rsplit_once('/').is_some_and(|(parent, _)| self.below.contains(parent)) {
            return true;
        }
        while let Some((parent, _)) = above.rsplit_once('/').filter(|_| above != "/") {
            if self.below_greedy.contains(parent) {
                return true;
            }
            above = parent;
        }
        false
    }
}

fn has_options(resource: &Resource) -> bool {
    resource.methods.iter().any(|method| matches!(method.name, MethodName::Options | MethodName::Any))
}

fn missing_options(resource: &Resource) -> Diagnostic {
    let advice = Advice {
        severity: Severity::Warning,
        rule: "cors-options-missing",
        message: format!("{} allows other origins and has no OPTIONS method", resource.path),
        on_aws: "The browser's preflight is answered 403 Missing Authentication Token, and the call never happens.",
        fix: "Add an `options` operation with a MOCK integration that returns the Access-Control-Allow headers.",
    };
    let place = resource.methods.first().map_or(resource.place, |method| method.place);
    advice.at(place, path_pointer(resource))
}

/// No method allows other origins by itself (their backends may), but some resources answer preflights: those that do
/// not are probably forgotten. One finding for all of them.
fn options_elsewhere(api: &RestApi, findings: &mut Vec<Diagnostic>) {
    let declares = |resource: &Resource| resource.methods.iter().any(|method| method.name == MethodName::Options);
    if !api.resources.iter().any(declares) {
        return;
    }
    let preflights = Preflights::of(api);
    let forgotten = |resource: &&Resource| !resource.methods.is_empty() && !preflights.answer(&resource.path);
    let count = api.resources.iter().filter(forgotten).count();
    let Some(first) = api.resources.iter().find(forgotten) else { return };
    let advice = Advice {
        severity: Severity::Warning,
        rule: "cors-options-missing",
        message: format!("{} and {} more resources have no OPTIONS method, others have", first.path, count - 1),
        on_aws: "A browser's preflight to them is answered 403 Missing Authentication Token.",
        fix: "Add an `options` operation where browsers of other origins call, or remove those that are not needed.",
    };
    findings.push(advice.at(first.place, path_pointer(first)));
}

fn gateway_responses(api: &RestApi, first: &Site<'_>) -> Option<Diagnostic> {
    let covered = |kind: &str| {
        api.gateway_responses.iter().any(|response| {
            let sends = |target: &str| target.to_ascii_lowercase().ends_with(ALLOW_ORIGIN);
            response.response_type == kind && response.response_parameters.iter().any(|mapping| sends(&mapping.target))
        })
    };
    let missing: Vec<_> = ["DEFAULT_4XX", "DEFAULT_5XX"].into_iter().filter(|kind| !covered(kind)).collect();
    if missing.is_empty() {
        return None;
    }
    let advice = Advice {
        severity: Severity::Warning,
        rule: "cors-gateway-responses",
        message: format!(
            "methods allow other origins, and the gateway's own errors do not ({} without Access-Control-Allow-Origin)",
            missing.join(" and ")
        ),
        on_aws: "A browser hides 403, 429 and 5xx of the gateway behind a CORS error, so the cause is invisible.",
        fix: "Add gatewayresponse.header.Access-Control-Allow-Origin to both under x-amazon-apigateway-gateway-responses.",
    };
    Some(advice.at(first.method.place, first.pointer()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect, found};

    const HEADER: &str = "responses: {'200': {headers: {access-control-allow-origin: {schema: {type: string}}}}}";

    #[test]
    fn resources_that_allow_origins_answer_preflights() {
        let alone = format!("paths: {{/a: {{get: {{{HEADER}}}}}}}");
        let own = format!("paths: {{/a: {{get: {{{HEADER}}}, options: {{}}}}}}");
        let greedy =
            format!("paths: {{/a/b: {{get: {{{HEADER}}}}}, '/{{proxy+}}': {{x-amazon-apigateway-any-method: {{}}}}}}");
        let variable = format!("paths: {{/a/b: {{get: {{{HEADER}}}}}, '/a/{{x}}': {{options: {{}}}}}}");
        let root = format!("paths: {{/: {{get: {{{HEADER}}}}}, '/{{proxy+}}': {{options: {{}}}}}}");
        let cases = [(&alone, 1), (&own, 0), (&greedy, 0), (&variable, 0), (&root, 1)];
        expect("cors-options-missing", &cases.map(|(text, count)| (text.as_str(), count)));
    }

    #[test]
    fn resources_without_options_beside_others_with_it_are_one_finding() {
        let text = "paths: {/a: {options: {}, get: {}}, /b: {get: {}}, /c: {post: {}}, /d/e: {x-amazon-apigateway-any-method: {}}}";
        let findings = found("cors-options-missing", text);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.starts_with("/b and 1 more"), "{findings:?}");
        expect("cors-options-missing", &[("paths: {/b: {get: {}}}", 0), ("paths: {/a: {options: {}, get: {}}}", 0)]);
    }

    #[test]
    fn the_gateways_own_errors_allow_origins_too() {
        let paths = format!("paths: {{/a: {{options: {{{HEADER}}}}}}}");
        let responses = |kinds: &[&str]| {
            let one = |kind: &&str| {
                format!(
                    "{kind}: {{responseParameters: {{gatewayresponse.header.Access-Control-Allow-Origin: \"'*'\"}}}}"
                )
            };
            let all: Vec<_> = kinds.iter().map(one).collect();
            format!("{paths}\nx-amazon-apigateway-gateway-responses: {{{}}}", all.join(", "))
        };
        let (both, one) = (responses(&["DEFAULT_4XX", "DEFAULT_5XX"]), responses(&["DEFAULT_4XX"]));
        expect("cors-gateway-responses", &[(&paths, 1), (&one, 1), (&both, 0), ("paths: {/a: {get: {}}}", 0)]);
        assert!(found("cors-gateway-responses", &one)[0].message.contains("(DEFAULT_5XX without"));
    }
}
