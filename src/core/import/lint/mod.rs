//! The usual mistakes in a definition, each where its evidence is in the definition itself.
//!
//! A rule speaks only if what it needs to know is in the model. Whether a function may be invoked, whether a stage
//! writes an access log, and which throttles a usage plan sets is not in an OpenAPI document, so nothing is said
//! about them here.

mod access;
mod cors;
mod integration;
mod payload;
mod routing;

use crate::base::{Diagnostic, Place, Severity};
use crate::json::node::push_segment;
use crate::model::rest::{Integration, IntegrationKind, Method, Resource, RestApi};

use super::operation::member_name;

/// Looks for all of them, in the order of the document.
pub fn lint(api: &RestApi) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for site in sites(api) {
        integration::check(&site, &mut findings);
        access::check_method(&site, &mut findings);
    }
    cors::check(api, &mut findings);
    routing::check(api, &mut findings);
    access::check(api, &mut findings);
    payload::check(api, &mut findings);
    findings.sort_by(|a, b| (a.place, &a.pointer, a.rule).cmp(&(b.place, &b.pointer, b.rule)));
    findings
}

/// A method and the resource it belongs to.
#[derive(Clone, Copy)]
struct Site<'a> {
    resource: &'a Resource,
    method: &'a Method,
}

fn sites(api: &RestApi) -> impl Iterator<Item = Site<'_>> {
    api.resources.iter().flat_map(|resource| resource.methods.iter().map(move |method| Site { resource, method }))
}

impl Site<'_> {
    /// Pointer to the operation.
    fn pointer(&self) -> String {
        let mut pointer = path_pointer(self.resource);
        push_segment(&mut pointer, member_name(self.method.name));
        pointer
    }

    /// Pointer into the integration.
    fn integration_pointer(&self, members: &[&str]) -> String {
        let mut pointer = self.pointer();
        push_segment(&mut pointer, "x-amazon-apigateway-integration");
        members.iter().for_each(|member| push_segment(&mut pointer, member));
        pointer
    }

    /// For messages: `POST /pets`.
    fn name(&self) -> String {
        format!("{} {}", self.method.name, self.resource.path)
    }
}

fn path_pointer(resource: &Resource) -> String {
    let mut pointer = "/paths".to_owned();
    push_segment(&mut pointer, &resource.path);
    pointer
}

/// Whether the integration invokes a Lambda function.
fn is_lambda(integration: &Integration) -> bool {
    let uri = integration.uri.as_ref().map(|uri| uri.value.as_str()).unwrap_or_default();
    matches!(integration.kind, IntegrationKind::Aws | IntegrationKind::AwsProxy) && uri.contains(":lambda:path/")
}

/// Whether the integration maps requests and responses: the kinds that have integration responses.
fn is_mapped(integration: &Integration) -> bool {
    matches!(integration.kind, IntegrationKind::Aws | IntegrationKind::Http | IntegrationKind::Mock)
}

struct Advice {
    severity: Severity,
    rule: &'static str,
    message: String,
    on_aws: &'static str,
    fix: &'static str,
}

impl Advice {
    fn at(self, place: Place, pointer: String) -> Diagnostic {
        Diagnostic {
            severity: self.severity,
            rule: self.rule,
            place,
            pointer,
            message: self.message,
            on_aws: self.on_aws.to_owned(),
            fix: self.fix.to_owned(),
        }
    }
}

#[cfg(test)]
mod testing {
    //! How the rules are tested: a document in YAML, and the rules that spoke.

    use super::*;
    use crate::import::{Options, import};

    /// Findings of the rule `rule` in a document whose `paths` (and more) are `text`.
    pub(super) fn found(rule: &str, text: &str) -> Vec<Diagnostic> {
        let document = format!("openapi: 3.0.1\ninfo: {{title: t, version: 1}}\n{text}\n");
        let imported = import(&document, &Options::default());
        let api = imported.api.unwrap_or_else(|| panic!("{document}\n{:?}", imported.diagnostics));
        let findings: Vec<_> = lint(&api).into_iter().filter(|finding| finding.rule == rule).collect();
        for finding in &findings {
            assert!(finding.place.line > 0, "{finding:?}");
            assert!(!finding.message.is_empty() && !finding.fix.is_empty(), "{finding:?}");
        }
        findings
    }

    /// Says how often `rule` speaks about each text.
    pub(super) fn expect(rule: &str, cases: &[(&str, usize)]) {
        for (text, count) in cases {
            assert_eq!(found(rule, text).len(), *count, "{rule} in {text}");
        }
    }

    /// A document with one operation that has this integration and these responses.
    pub(super) fn with_integration(integration: &str) -> String {
        format!(
            "paths: {{/a: {{get: {{responses: {{'200': {{}}, '500': {{}}}}, x-amazon-apigateway-integration: {integration}}}}}}}"
        )
    }

    /// Findings of `rule` about one integration.
    pub(super) fn of_integration(rule: &str, integration: &str) -> usize {
        found(rule, &with_integration(integration)).len()
    }
}
