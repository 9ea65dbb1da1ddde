//! Rules about which resource answers.

use std::collections::HashMap;

use crate::base::{Diagnostic, Severity};
use crate::model::rest::{MethodName, Resource, RestApi};

use super::{Advice, path_pointer};

/// A greedy resource and what falls through to it.
struct Greedy<'a> {
    resource: &'a Resource,
    methods: MethodSet,
    fallen: Vec<&'a Resource>,
}

/// A set of HTTP methods, one bit each; ANY is all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct MethodSet(u8);

impl MethodSet {
    fn of(resource: &Resource) -> Self {
        Self(resource.methods.iter().fold(0, |set, method| match method.name {
            MethodName::Any => u8::MAX,
            name => set | 1 << name as u8,
        }))
    }

    fn covers(self, other: Self) -> bool {
        other.0 & !self.0 & 0x7F == 0
    }
}

/// A request for a method that a resource does not have goes on to a greedy variable above it: the method takes part
/// in matching. Authors of proxies rarely mean that.
pub(super) fn check(api: &RestApi, findings: &mut Vec<Diagnostic>) {
    let mut greedy: HashMap<&str, Greedy<'_>> = api.resources.iter().filter_map(greedy_entry).collect();
    if greedy.is_empty() {
        return;
    }
    for resource in api.resources.iter().filter(|resource| !resource.methods.is_empty()) {
        if let Some(above) = nearest(&resource.path, &mut greedy)
            && !MethodSet::of(resource).covers(above.methods)
        {
            above.fallen.push(resource);
        }
    }
    findings.extend(greedy.into_values().filter_map(shadowing));
}

fn greedy_entry(resource: &Resource) -> Option<(&str, Greedy<'_>)> {
    let (parent, segment) = resource.path.rsplit_once('/')?;
    let methods = MethodSet::of(resource);
    (segment.ends_with("+}") && !resource.methods.is_empty())
        .then_some((parent, Greedy { resource, methods, fallen: Vec::new() }))
}

/// The greedy resource nearest above `path`, which is not greedy itself.
fn nearest<'g, 'a>(path: &str, greedy: &'g mut HashMap<&str, Greedy<'a>>) -> Option<&'g mut Greedy<'a>> {
    let mut above = path;
    if path == "/" || path.ends_with("+}") {
        return None;
    }
    while let Some((parent, _)) = above.rsplit_once('/') {
        if greedy.contains_key(parent) {
            return greedy.get_mut(parent);
        }
        above = parent;
    }
    None
}

fn shadowing(greedy: Greedy<'_>) -> Option<Diagnostic> {
    let first = greedy.fallen.first()?;
    let more = match greedy.fallen.len() - 1 {
        0 => String::new(),
        count => format!(" and {count} more resources"),
    };
    let advice = Advice {
        severity: Severity::Warning,
        rule: "greedy-shadowing",
        message: format!(
            "methods that {}{more} do not declare fall through to {}, with its authorization and its backend",
            first.path, greedy.resource.path
        ),
        on_aws: "The method takes part in matching: the request goes on to the greedy resource instead of being refused.",
        fix: "Declare ANY on those resources (a MOCK that answers 405, for instance), or narrow the greedy one.",
    };
    Some(advice.at(greedy.resource.place, path_pointer(greedy.resource)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect, found};

    #[test]
    fn what_falls_through_to_a_greedy_resource_is_named_once() {
        let any = "x-amazon-apigateway-any-method: {}";
        let text =
            format!("paths: {{'/{{proxy+}}': {{{any}}}, /a: {{get: {{}}}}, /b/c: {{post: {{}}}}, /d: {{{any}}}}}");
        let findings = found("greedy-shadowing", &text);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.starts_with("methods that /a and 1 more resources do not"), "{findings:?}");
        let same = "paths: {'/{proxy+}': {get: {}}, /a: {get: {}, post: {}}, /: {post: {}}}";
        let elsewhere = "paths: {'/x/{proxy+}': {get: {}}, /a: {post: {}}}";
        let nearest = format!("paths: {{'/{{p+}}': {{get: {{}}}}, '/x/{{p+}}': {{{any}}}, /x/y: {{get: {{}}}}}}");
        expect("greedy-shadowing", &[(same, 0), (elsewhere, 0), ("paths: {/a: {get: {}}}", 0), (&nearest, 1)]);
    }
}
