//! Rules about one integration.

use crate::base::limits::{INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MIN};
use crate::base::{Diagnostic, Severity};
use crate::model::rest::{Integration, IntegrationKind, IntegrationResponse, MethodName};

use super::{Advice, Site, is_lambda, is_mapped};

/// Longest timeout in milliseconds of an integration that streams its response.
const STREAM_TIMEOUT_MS_MAX: u64 = 900_000;

pub(super) fn check(site: &Site<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(integration) = &site.method.integration else { return };
    findings.extend(lambda_method(site, integration));
    findings.extend(timeout(site, integration));
    findings.extend(default_response(site, integration));
    findings.extend(proxy_would_do(site, integration));
    findings.extend(integration.responses.iter().filter_map(|response| leak(site, integration, response)));
}

fn lambda_method(site: &Site<'_>, integration: &Integration) -> Option<Diagnostic> {
    let method = integration.http_method.as_deref().unwrap_or("ANY");
    let follows_client = method == "ANY" && site.method.name == MethodName::Post;
    if !is_lambda(integration) || method == "POST" || follows_client {
        return None;
    }
    let advice = Advice {
        severity: Severity::Error,
        rule: "lambda-method-not-post",
        message: format!("{} invokes a function with {method}; functions are invoked with POST only", site.name()),
        on_aws: "Every request is answered 500 Internal server error.",
        fix: "Set httpMethod of the integration to POST. The function still sees the client's method.",
    };
    Some(advice.at(integration.place, site.integration_pointer(&["httpMethod"])))
}

fn timeout(site: &Site<'_>, integration: &Integration) -> Option<Diagnostic> {
    let timeout = u64::from(integration.timeout_in_millis?);
    let max = if integration.stream { STREAM_TIMEOUT_MS_MAX } else { INTEGRATION_TIMEOUT_MS_MAX };
    let (severity, message, fix) = if timeout < INTEGRATION_TIMEOUT_MS_MIN {
        (Severity::Error, format!("{timeout} ms is less than the {INTEGRATION_TIMEOUT_MS_MIN} ms allowed"), "Raise it.")
    } else if timeout > max {
        (
            Severity::Warning,
            format!("{timeout} ms is more than the {max} ms allowed"),
            "Lower it, or answer asynchronously.",
        )
    } else if timeout == max && is_lambda(integration) {
        let fix = "Give the function a timeout below the gateway's, so that it can answer for itself.";
        (
            Severity::Note,
            format!("{timeout} ms is the longest timeout: a function that runs longer goes on unseen"),
            fix,
        )
    } else {
        return None;
    };
    let advice = Advice {
        severity,
        rule: "timeout-relations",
        message: format!("{}: {message}", site.name()),
        on_aws: "Timeouts lie between 50 and 29,000 ms (longer only with a raised quota); then the client gets 504.",
        fix,
    };
    Some(advice.at(integration.place, site.integration_pointer(&["timeoutInMillis"])))
}

fn default_response(site: &Site<'_>, integration: &Integration) -> Option<Diagnostic> {
    if !is_mapped(integration) || integration.responses.iter().any(is_default) {
        return None;
    }
    let never_answers = integration.responses.is_empty();
    let advice = Advice {
        severity: if never_answers { Severity::Error } else { Severity::Warning },
        rule: "default-response-missing",
        message: match never_answers {
            true => format!("{} has no integration response: every answer becomes a 500", site.name()),
            false => format!("{} has no default response: what no pattern matches becomes a 500", site.name()),
        },
        on_aws: "500 Internal server error: no match for output mapping and no default output mapping configured.",
        fix: "Add a `default` entry to the integration's responses.",
    };
    Some(advice.at(integration.place, site.integration_pointer(&["responses"])))
}

/// `.*` matches the absent message too, so it serves as the default.
fn is_default(response: &IntegrationResponse) -> bool {
    matches!(response.selection_pattern.as_deref(), None | Some("" | ".*"))
}

fn leak(site: &Site<'_>, integration: &Integration, response: &IntegrationResponse) -> Option<Diagnostic> {
    let is_failure = response.status_code.starts_with('5');
    if !is_failure || integration.kind == IntegrationKind::Mock || !is_mapped(integration) {
        return None;
    }
    let leaking = response.response_templates.iter().find(|(_, template)| returns_internals(&template.value));
    let passes = response.response_templates.is_empty() && is_lambda(integration);
    let (what, place) = match leaking {
        Some((_, template)) => ("its template returns what the backend said", template.place),
        None if passes => ("without a template the function's error passes as it is", response.place),
        None => return None,
    };
    let pattern = response.selection_pattern.as_deref().unwrap_or("default");
    let advice = Advice {
        severity: Severity::Warning,
        rule: "template-leaks-internal-errors",
        message: format!("{}, response {}: {what}, stack traces included", site.name(), response.status_code),
        on_aws: "The client sees errorMessage, errorType and stackTrace of the function, or the backend's error page.",
        fix: "Answer with a fixed body, and log the cause in the backend.",
    };
    Some(advice.at(place, site.integration_pointer(&["responses", pattern])))
}

fn returns_internals(template: &str) -> bool {
    is_passthrough(template)
        || ["$input.body", "$input.json('$')", "$input.json(\"$\")", "errorMessage", "stackTrace"]
            .iter()
            .any(|part| template.contains(part))
}

/// Whether a template does nothing but pass the body.
fn is_passthrough(template: &str) -> bool {
    matches!(
        template.trim(),
        "$input.body" | "${input.body}" | "$input.json('$')" | "$input.json(\"$\")" | "$input.json(\"$.\")"
    )
}

fn proxy_would_do(site: &Site<'_>, integration: &Integration) -> Option<Diagnostic> {
    let proxy = match integration.kind {
        IntegrationKind::Http => "http_proxy",
        IntegrationKind::Aws if is_lambda(integration) => "aws_proxy",
        _ => return None,
    };
    let [response] = integration.responses.as_slice() else { return None };
    let requests_pass = integration.request_templates.iter().all(|(_, template)| is_passthrough(&template.value));
    let responses_pass = response.response_templates.iter().all(|(_, template)| is_passthrough(&template.value));
    let maps = !integration.request_parameters.is_empty() || !response.response_parameters.is_empty();
    let spells_out = !integration.request_templates.is_empty() || !response.response_templates.is_empty();
    if !is_default(response) || maps || !requests_pass || !responses_pass || !spells_out {
        return None;
    }
    let advice = Advice {
        severity: Severity::Note,
        rule: "mapping-where-proxy-would-do",
        message: format!("{} passes bodies through templates that change nothing", site.name()),
        on_aws: "Each template is run for each request, and the backend's status is replaced by the default one.",
        fix: match proxy {
            "http_proxy" => "Use type http_proxy: status and headers of the backend then reach the client.",
            _ => "Use type aws_proxy, if the function may see the proxy event instead of the body.",
        },
    };
    Some(advice.at(integration.place, site.integration_pointer(&["type"])))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect, of_integration};

    const LAMBDA: &str = "uri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations'";

    fn count(rule: &str, cases: &[(String, usize)]) {
        for (integration, expected) in cases {
            assert_eq!(of_integration(rule, integration), *expected, "{rule}: {integration}");
        }
    }

    #[test]
    fn functions_are_invoked_with_post() {
        let cases = [
            (format!("{{type: aws_proxy, httpMethod: GET, {LAMBDA}}}"), 1),
            (format!("{{type: aws, httpMethod: ANY, {LAMBDA}, responses: {{default: {{statusCode: 200}}}}}}"), 1),
            (format!("{{type: aws_proxy, httpMethod: post, {LAMBDA}}}"), 0),
            ("{type: http_proxy, httpMethod: GET, uri: 'http://x'}".to_owned(), 0),
            ("{type: aws, httpMethod: GET, uri: 'arn:aws:apigateway:r:s3:path/b'}".to_owned(), 0),
        ];
        count("lambda-method-not-post", &cases);
        let any = format!("x-amazon-apigateway-integration: {{type: aws_proxy, httpMethod: ANY, {LAMBDA}}}");
        let post = format!("paths: {{/a: {{post: {{{any}}}}}}}");
        expect("lambda-method-not-post", &[(&post, 0)]);
    }

    #[test]
    fn timeouts_stay_within_their_bounds() {
        let with = |kind: &str, timeout: &str| format!("{{type: {kind}, httpMethod: POST, {LAMBDA}, {timeout}}}");
        let cases = [
            (with("aws_proxy", "timeoutInMillis: 49"), 1),
            (with("aws_proxy", "timeoutInMillis: 29001"), 1),
            (with("aws_proxy", "timeoutInMillis: 29000"), 1),
            (with("aws_proxy", "timeoutInMillis: 28999"), 0),
            (with("aws_proxy", "timeoutInMillis: 60000, responseTransferMode: STREAM"), 0),
            (with("aws_proxy", "timeoutInMillis: 900001, responseTransferMode: STREAM"), 1),
            ("{type: http_proxy, httpMethod: GET, uri: 'http://x', timeoutInMillis: 29000}".to_owned(), 0),
            ("{type: http_proxy, httpMethod: GET, uri: 'http://x'}".to_owned(), 0),
        ];
        count("timeout-relations", &cases);
    }

    #[test]
    fn a_mapped_integration_needs_a_default_response() {
        let mock = |responses: &str| format!("{{type: mock, responses: {responses}}}");
        let cases = [
            (mock("{}"), 1),
            ("{type: http, httpMethod: GET, uri: 'http://x'}".to_owned(), 1),
            (mock("{'4..': {statusCode: 200}}"), 1),
            (mock("{default: {statusCode: 200}}"), 0),
            (mock("{'.*': {statusCode: 200}}"), 0),
            ("{type: http_proxy, httpMethod: GET, uri: 'http://x'}".to_owned(), 0),
        ];
        count("default-response-missing", &cases);
    }

    #[test]
    fn failures_do_not_carry_the_backends_words() {
        let aws = |response: &str| {
            format!(
                "{{type: aws, httpMethod: POST, {LAMBDA}, responses: {{default: {{statusCode: 200}}, '.*Error.*': {response}}}}}"
            )
        };
        let cases = [
            (aws("{statusCode: 500, responseTemplates: {application/json: \"$input.json('$')\"}}"), 1),
            (
                aws(
                    "{statusCode: 502, responseTemplates: {application/json: '{\"m\": $input.path(\"$.errorMessage\")}'}}",
                ),
                1,
            ),
            (aws("{statusCode: 500}"), 1),
            (aws("{statusCode: 500, responseTemplates: {application/json: '{\"message\": \"sorry\"}'}}"), 0),
            (aws("{statusCode: 400, responseTemplates: {application/json: $input.body}}"), 0),
            (
                "{type: mock, responses: {default: {statusCode: 500, responseTemplates: {a/b: $input.body}}}}"
                    .to_owned(),
                0,
            ),
            ("{type: http, httpMethod: GET, uri: 'http://x', responses: {'5..': {statusCode: 500}}}".to_owned(), 0),
        ];
        count("template-leaks-internal-errors", &cases);
    }

    #[test]
    fn templates_that_change_nothing_are_noticed() {
        let http = |more: &str| format!("{{type: http, httpMethod: GET, uri: 'http://x', {more}}}");
        let passes =
            "responses: {default: {statusCode: 200, responseTemplates: {application/json: \"$input.json('$')\"}}}";
        let cases = [
            (http(passes), 1),
            (http(&format!("requestTemplates: {{a/b: $input.body}}, {passes}")), 1),
            (format!("{{type: aws, httpMethod: POST, {LAMBDA}, {passes}}}"), 1),
            (http(&format!("requestTemplates: {{a/b: '{{}}'}}, {passes}")), 0),
            (http("responses: {default: {statusCode: 200}}"), 0),
            (http(&passes.replace("default: {", "'4..': {statusCode: 500}, default: {")), 0),
            (format!("{{type: mock, {passes}}}"), 0),
        ];
        count("mapping-where-proxy-would-do", &cases);
    }
}
