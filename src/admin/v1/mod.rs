//! `apigateway`, API version 2015-07-09: one table of operations, one file for each kind of thing.
//!
//! An operation is a function of the state: a reading one of what is there, a writing one of a copy that replaces what
//! is there if the operation succeeds and the store has it. A test looks too, and leaves the rest to a shard.

pub mod request;

mod access_associations;
mod account;
mod api_keys;
mod authorizers;
mod client_certificates;
pub(super) mod deployments;
mod documentation;
pub(super) mod domains;
mod export;
mod gateway_responses;
pub(super) mod import;
mod integrations;
mod methods;
mod models;
pub mod resources;
mod rest_apis;
mod stages;
mod tags;
mod test_invocations;
mod usage;
mod usage_plans;
mod vpc_links;

use super::state::Tenant;
use super::wire::error::Error;
use super::wire::reply::Answer;
use crate::control::test_invoke::Trial;
pub use request::Request;

/// An operation of the API.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// AWS's name: `CreateRestApi`.
    pub name: &'static str,
    /// HTTP method.
    pub verb: &'static str,
    /// Path, with its labels in braces. A query behind it must be there too: it tells two operations apart.
    pub path: &'static str,
    /// What it does.
    pub run: Run,
}

/// What an operation does.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// Looks.
    Read(fn(&Tenant, &Request<'_>) -> Answer),
    /// Changes a copy, which is thrown away if it fails.
    Write(fn(&mut Tenant, &Request<'_>) -> Answer),
    /// Looks for what is to be tested, which a shard then does.
    Test(fn(&Tenant, &Request<'_>) -> Result<Trial, Error>),
}

pub use test_invocations::answer as test_answer;

const fn read(
    name: &'static str,
    verb: &'static str,
    path: &'static str,
    run: fn(&Tenant, &Request<'_>) -> Answer,
) -> Operation {
    Operation { name, verb, path, run: Run::Read(run) }
}

const fn write(
    name: &'static str,
    verb: &'static str,
    path: &'static str,
    run: fn(&mut Tenant, &Request<'_>) -> Answer,
) -> Operation {
    Operation { name, verb, path, run: Run::Write(run) }
}

/// All operations, by what they are about.
const OPERATIONS: &[&[Operation]] = &[
    rest_apis::OPERATIONS,
    resources::OPERATIONS,
    methods::OPERATIONS,
    integrations::OPERATIONS,
    models::OPERATIONS,
    authorizers::OPERATIONS,
    gateway_responses::OPERATIONS,
    deployments::OPERATIONS,
    stages::OPERATIONS,
    api_keys::OPERATIONS,
    usage_plans::OPERATIONS,
    usage::OPERATIONS,
    test_invocations::OPERATIONS,
    account::OPERATIONS,
    vpc_links::OPERATIONS,
    tags::OPERATIONS,
    import::OPERATIONS,
    export::OPERATIONS,
    documentation::OPERATIONS,
    domains::OPERATIONS,
    access_associations::OPERATIONS,
    client_certificates::OPERATIONS,
];

/// An operation and the labels of its path.
pub type Found = (&'static Operation, Vec<(&'static str, String)>);

/// The operation of a verb, a path as it came, and a query. An operation that asks for a query comes before one of the
/// same path that does not.
pub fn find(verb: &str, path: &str, query: &str) -> Option<Found> {
    let all = OPERATIONS.iter().flat_map(|operations| operations.iter()).filter(|operation| operation.verb == verb);
    let mut found = all.filter_map(|operation| Some((operation, labels(operation, path, query)?)));
    let first = found.next()?;
    if first.0.path.contains('?') { Some(first) } else { found.find(|(op, _)| op.path.contains('?')).or(Some(first)) }
}

/// Names of the operations on what a path leads to, as far as they change it.
pub fn beside(path: &str) -> impl Iterator<Item = &'static str> {
    let all = OPERATIONS.iter().flat_map(|operations| operations.iter());
    all.filter(move |operation| operation.verb != "GET" && labels(operation, path, "").is_some())
        .map(|operation| operation.name)
}

/// The labels of `operation` in `path`, percent-decoded; `None`: it is not this operation's path.
fn labels(operation: &'static Operation, path: &str, query: &str) -> Option<Vec<(&'static str, String)>> {
    let (template, wanted) = operation.path.split_once('?').unwrap_or((operation.path, ""));
    if !wanted.is_empty() && !query.split('&').any(|pair| pair == wanted) {
        return None;
    }
    let mut labels = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    let mut parts = template.strip_prefix('/')?.split('/').peekable();
    while let Some(part) = parts.next() {
        let is_greedy = part.ends_with("+}");
        let (segment, after) = match rest.split_once('/') {
            Some((segment, after)) if !is_greedy => (segment, Some(after)),
            _ => (rest, None),
        };
        match part.strip_prefix('{') {
            Some(label) if !segment.is_empty() => {
                labels.push((label.trim_end_matches(['+', '}']), request::decoded(segment)));
            }
            None if part == segment => {}
            _ => return None,
        }
        // A slash at the end changes nothing.
        rest = after.unwrap_or_default();
        if rest.is_empty() && parts.peek().is_some() {
            return None;
        }
    }
    rest.is_empty().then_some(labels)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn named(verb: &str, path: &str, query: &str) -> Option<&'static str> {
        find(verb, path, query).map(|(operation, _)| operation.name)
    }

    #[test]
    fn paths_lead_to_operations() {
        let (operation, labels) = find("GET", "/restapis/abc/resources/x%2Fy", "").expect("known");
        assert_eq!(operation.name, "GetResource");
        assert_eq!(labels, [("restapi_id", "abc".to_owned()), ("resource_id", "x/y".to_owned())]);
        assert_eq!(named("POST", "/restapis", ""), Some("CreateRestApi"));
        assert_eq!(named("GET", "/restapis/", ""), Some("GetRestApis"));
        assert_eq!(named("GET", "/restapis//resources", ""), None);
        assert_eq!(named("GET", "/restapi", ""), None);
        assert_eq!(named("BREW", "/restapis", ""), None);
    }

    #[test]
    fn no_two_operations_share_a_name_or_a_place() {
        let all = || OPERATIONS.iter().flat_map(|operations| operations.iter());
        let names: HashSet<_> = all().map(|operation| operation.name).collect();
        let places: HashSet<_> = all().map(|operation| (operation.verb, operation.path)).collect();
        assert_eq!((names.len(), places.len()), (all().count(), all().count()));
    }
}
