//! Definitions of real users whose routes are HTTP or MOCK, served with a small back end behind them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ringgate_core::import::{ApiKind, Options, import};
use ringgate_core::mapping::uri::{Authority, Scheme};
use ringgate_core::model::rest::{
    Integration, IntegrationKind, Method, MethodName, ParameterLocation, Resource, RestApi,
};
use serde_json::Value;

use super::client::Response;
use super::harness::{Gateway, serving};
use super::origin::Origin;

const ANSWER: &str = r#"{"id": 7, "name": "a name", "items": [{"price": 1.5}]}"#;

/// The documents of REST APIs: name and text.
fn documents() -> Vec<(String, String)> {
    let root = std::env::var_os("RINGGATE_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    let Ok(index) = std::fs::read_to_string(root.join("openapi/index.json")) else {
        println!("no definitions under {}", root.display());
        return Vec::new();
    };
    let index: Vec<Value> = serde_json::from_str(&index).expect("an index");
    let rest = index.iter().filter(|row| row["import"] == "apigateway import-rest-api");
    let named = rest.map(|row| row["file"].as_str().expect("a file").to_owned());
    let read = |name: String| {
        let text = std::fs::read_to_string(root.join("openapi/documents").join(&name)).expect("a document");
        (name, text)
    };
    named.map(read).collect()
}

fn is_ours(integration: &Integration) -> bool {
    matches!(integration.kind, IntegrationKind::Mock | IntegrationKind::Http | IntegrationKind::HttpProxy)
}

/// Methods with an integration of these kinds.
fn routes(api: &RestApi) -> impl Iterator<Item = (&Resource, &Method, &Integration)> {
    let methods =
        api.resources.iter().flat_map(|resource| resource.methods.iter().map(move |method| (resource, method)));
    methods
        .filter_map(|(resource, method)| Some((resource, method, method.integration.as_ref()?)))
        .filter(|(_, _, integration)| is_ours(integration))
}

/// `--upstream` flags that send every origin of the API to the one back end.
fn upstreams(api: &RestApi, port: u16) -> Vec<String> {
    let uris = routes(api).filter_map(|(_, _, integration)| integration.uri.as_ref());
    let origins: BTreeSet<_> = uris.filter_map(|uri| origin_of(&uri.value)).collect();
    origins.into_iter().map(|origin| format!("--upstream={origin}=http://127.0.0.1:{port}")).collect()
}

fn origin_of(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let known = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    Authority::parse(authority, known).ok().map(|_| format!("{scheme}://{authority}"))
}

/// A request that satisfies what the method declares.
fn request_for(resource: &Resource, method: &Method) -> String {
    let path: Vec<_> = resource.path.split('/').map(|part| if part.starts_with('{') { "7" } else { part }).collect();
    let (mut query, mut fields) = (Vec::new(), String::new());
    for parameter in method.request_parameters.iter().filter(|parameter| parameter.required) {
        match parameter.location {
            ParameterLocation::Path => {}
            ParameterLocation::QueryString => query.push(format!("{}=7", parameter.name)),
            ParameterLocation::Header => fields.push_str(&format!("{}: 7\r\n", parameter.name)),
        }
    }
    let name = if method.name == MethodName::Any { "POST" } else { method.name.as_str() };
    let question = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let body = if matches!(name, "POST" | "PUT" | "PATCH") {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{ANSWER}", ANSWER.len())
    } else {
        "\r\n".to_owned()
    };
    format!("{name} {}{question} HTTP/1.1\r\nHost: a.example\r\n{fields}{body}", path.join("/"))
}

/// What the gateway said about a route when it started.
fn is_explained(gateway: &Gateway, resource: &Resource, method: &Method) -> bool {
    let name = if method.name == MethodName::Any { "x-amazon-apigateway-any-method" } else { method.name.as_str() };
    let route = format!("{}/{}", resource.path.replace('~', "~0").replace('/', "~1"), name.to_ascii_lowercase());
    gateway.err.text().lines().any(|line| line.contains(&route) && !line.contains("note["))
        || gateway.err.text().contains(&format!("{} {}", method.name, resource.path))
}

/// An answer that follows from the definition and the back end's.
fn check(
    file: &str,
    gateway: &Gateway,
    resource: &Resource,
    method: &Method,
    integration: &Integration,
    seen: &Response,
) {
    let route = format!("{file} {} {}: {} {}", method.name, resource.path, seen.status, seen.text());
    let declares = |status: u16| method.responses.iter().any(|declared| declared.status_code == status.to_string());
    match (integration.kind, seen.status) {
        (_, 500) => assert!(is_explained(gateway, resource, method), "{route}\n{}", gateway.err.text()),
        (_, 400 | 415) if method.request_validator.is_some() => {}
        (IntegrationKind::HttpProxy, status) => {
            assert_eq!(status, 200, "{route}");
            assert!(method.name == MethodName::Head || seen.text() == ANSWER, "{route}");
        }
        (_, status) => assert!(declares(status), "{route}"),
    }
}

#[test]
fn every_route_of_real_definitions_answers_as_it_is_defined() {
    let (mut served, mut failed) = (0, 0);
    for (file, text) in documents() {
        let Some(api) = import(&text, &Options { kind: ApiKind::Rest, ..Options::default() }).api else { continue };
        if routes(&api).next().is_none() {
            continue;
        }
        let origin = Origin::answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{ANSWER}",
            ANSWER.len()
        ));
        let mut start =
            serving(&serde_json::from_str(&text).expect("JSON")).flags(["--kind=rest", "--ignore-authorization"]);
        for flag in upstreams(&api, origin.port) {
            start = start.flags([flag.as_str()]);
        }
        let gateway = start.start();
        for (resource, method, integration) in routes(&api) {
            let seen = gateway.call(&request_for(resource, method));
            check(&file, &gateway, resource, method, integration, &seen);
            (served, failed) = if seen.status == 500 { (served, failed + 1) } else { (served + 1, failed) };
        }
    }
    println!("{served} routes answered, {failed} answered 500 for a reason that was given");
}
