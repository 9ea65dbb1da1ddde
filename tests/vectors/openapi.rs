//! Definitions of real users, of AWS's guide and of public APIs, through the importer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ringgate_core::base::{Diagnostic, Severity};
use ringgate_core::import::{ApiKind, BasePath, Imported, Options, import, lint};
use ringgate_core::model::rest::{
    ApiKeySource, Authorization, AuthorizerKind, Integration, Method, MethodName, ParameterLocation,
    PassthroughBehavior, RequestParameter, Resource, RestApi,
};
use serde_json::Value;

use crate::support::suite;

#[path = "../fuzz/import.rs"]
mod claim;
mod edits;
mod exports;

/// One row of the index.
struct Row {
    file: String,
    kind: ApiKind,
    path: PathBuf,
    operations: Option<u64>,
}

fn rows(folder: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(folder.join("index.json")).expect("the index can be read");
    let index: Vec<Value> = serde_json::from_str(&text).expect("the index is a list");
    index.iter().map(|row| Row::new(folder, row)).collect()
}

impl Row {
    fn new(folder: &Path, row: &Value) -> Self {
        let file = row["file"].as_str().expect("a row names its file").to_owned();
        let kind = match row["import"].as_str() {
            Some("apigatewayv2 import-api") => ApiKind::Http,
            _ => ApiKind::Rest,
        };
        let path = folder.join("documents").join(&file);
        Self { file, kind, path, operations: row["operations"].as_u64() }
    }

    fn text(&self) -> String {
        let bytes = std::fs::read(&self.path).unwrap_or_else(|error| panic!("{}: {error}", self.file));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn import(&self, kind: ApiKind) -> Imported {
        import(&self.text(), &Options { kind, ..Options::default() })
    }
}

/// Path and method of every operation, read without the importer.
fn operations_of(document: &Value) -> BTreeSet<(String, String)> {
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (name, _) in item.as_object().into_iter().flatten() {
            let method = match name.as_str() {
                "x-amazon-apigateway-any-method" => "ANY".to_owned(),
                "get" | "put" | "post" | "delete" | "patch" | "options" | "head" => name.to_ascii_uppercase(),
                _ => continue,
            };
            operations.insert((canonical(path), method));
        }
    }
    operations
}

/// A trailing slash is not part of a resource's path.
fn canonical(path: &str) -> String {
    if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path.to_owned() }
}

fn operations_in(api: &RestApi) -> BTreeSet<(String, String)> {
    let methods = |path: &str, names: Vec<MethodName>| {
        names.into_iter().map(|name| (path.to_owned(), name.to_string())).collect::<Vec<_>>()
    };
    let resources = api.resources.iter();
    resources.flat_map(|r| methods(&r.path, r.methods.iter().map(|m| m.name).collect())).collect()
}

fn first_error(imported: &Imported) -> Option<&Diagnostic> {
    imported.diagnostics.iter().find(|finding| finding.severity == Severity::Error)
}

/// A refusal names a place in the file and a reason.
fn reason(row: &Row, imported: &Imported) -> String {
    let error = first_error(imported).unwrap_or_else(|| panic!("{}: refused without an error", row.file));
    assert!(error.place.line > 0, "{}: refused without a place: {error:?}", row.file);
    assert!(!error.message.is_empty(), "{}: refused without a reason: {error:?}", row.file);
    format!("{}:{} {}: {}", row.file, error.place, error.rule, error.message)
}

#[test]
fn every_rest_document_loads_whole_or_is_refused_with_place_and_reason() {
    let Some(folder) = suite("openapi") else { return };
    let (mut loaded, mut refused, mut severities) = (0, Vec::new(), BTreeMap::new());
    for row in rows(&folder).iter().filter(|row| row.kind == ApiKind::Rest) {
        let imported = row.import(ApiKind::Rest);
        for finding in &imported.diagnostics {
            *severities.entry((finding.severity, finding.rule)).or_insert(0) += 1;
        }
        match &imported.api {
            None => refused.push(reason(row, &imported)),
            Some(api) => {
                loaded += 1;
                check_whole(row, api);
                check_tree(row, api);
                lint(api);
            }
        }
    }
    println!("{loaded} REST documents loaded, {} refused:", refused.len());
    refused.iter().for_each(|line| println!("  {line}"));
    severities.iter().for_each(|((severity, rule), count)| println!("  {count:5} {}[{rule}]", severity.as_str()));
}

fn check_whole(row: &Row, api: &RestApi) {
    let document: Value =
        serde_json::from_str(row.text().trim_start_matches('\u{feff}')).expect("the document is JSON");
    let written = operations_of(&document);
    assert_eq!(operations_in(api), written, "{}", row.file);
    if let Some(count) = row.operations {
        assert_eq!(written.len() as u64, count, "{}: the index counts differently", row.file);
    }
    let resources: BTreeSet<_> = api.resources.iter().map(|resource| resource.path.clone()).collect();
    for path in document["paths"].as_object().into_iter().flatten().map(|(path, _)| path) {
        assert!(path.starts_with("x-") || resources.contains(&canonical(path)), "{}: {path} is lost", row.file);
    }
}

fn check_tree(row: &Row, api: &RestApi) {
    let mut seen = BTreeSet::new();
    for resource in &api.resources {
        let parent = resource.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent = if parent.is_empty() { "/" } else { parent };
        assert!(resource.path == "/" || seen.contains(parent), "{}: {} before its parent", row.file, resource.path);
        assert!(seen.insert(resource.path.as_str()), "{}: {} twice", row.file, resource.path);
    }
    assert_eq!(api.resources.first().map(|root| root.path.as_str()), Some("/"), "{}", row.file);
}

/// Prints what the largest documents cost, in both notations. Nothing is asserted: a loaded machine is not a fault.
#[test]
fn the_largest_documents_are_timed() {
    let Some(folder) = suite("openapi") else { return };
    let mut rows = rows(&folder);
    rows.sort_by_key(|row| std::cmp::Reverse(row.text().len()));
    for row in rows.iter().take(4) {
        let json = row.text();
        for (notation, text) in [("JSON", json.clone()), ("YAML", as_yaml(&json))] {
            let best = (0..3).map(|_| time_to_check(&text)).min().unwrap_or_default();
            println!("{best:>10.1?} for {} bytes of {notation}: {}", text.len(), row.file);
        }
    }
}

fn time_to_check(text: &str) -> Duration {
    let started = Instant::now();
    let imported = import(text, &Options { kind: ApiKind::Rest, relaxed_limits: true, ..Options::default() });
    imported.api.iter().for_each(|api| drop(lint(api)));
    started.elapsed()
}

#[test]
fn every_http_api_document_is_refused_as_one() {
    let Some(folder) = suite("openapi") else { return };
    for row in rows(&folder).iter().filter(|row| row.kind == ApiKind::Http) {
        let imported = row.import(ApiKind::Http);
        assert!(imported.api.is_none(), "{}", row.file);
        let error = first_error(&imported).unwrap_or_else(|| panic!("{}: no error", row.file));
        assert_eq!(error.rule, "http-api", "{}: {error:?}", row.file);
        reason(row, &imported);
    }
}

#[test]
fn a_document_that_does_not_say_its_kind_is_a_rest_api() {
    let Some(folder) = suite("openapi") else { return };
    let (mut right, mut wrong) = (BTreeMap::new(), Vec::new());
    for row in rows(&folder) {
        let error = row.import(ApiKind::Undecided);
        let found = first_error(&error).is_some_and(|error| error.rule == "http-api");
        let found = if found { ApiKind::Http } else { ApiKind::Rest };
        match found == row.kind {
            true => *right.entry(format!("{found:?}")).or_insert(0) += 1,
            false => wrong.push(format!("{} is {:?}, taken for {found:?}", row.file, row.kind)),
        }
    }
    println!("kind recognised: {right:?}, not recognised: {}", wrong.len());
    wrong.iter().for_each(|line| println!("  {line}"));
}

#[test]
fn the_documents_newcomers_start_with_load() {
    let Some(folder) = suite("petstore") else { return };
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry can be read").path();
        let text = std::fs::read_to_string(&path).expect("a document can be read");
        let document: Value = serde_json::from_str(&text).expect("a document is JSON");
        if document.get("paths").is_none() {
            continue;
        }
        let imported = import(&text, &Options::default());
        let api = imported.api.unwrap_or_else(|| panic!("{}: {:?}", path.display(), imported.diagnostics));
        assert_eq!(operations_in(&api), operations_of(&document), "{}", path.display());
        let findings = lint(&api);
        println!(
            "{}: {} import findings, {} lint findings",
            path.display(),
            imported.diagnostics.len(),
            findings.len()
        );
    }
}

/// Imports that were recorded on AWS: the document, the parameters of the call, and what reading it back gave.
#[test]
fn recorded_imports_read_back_as_on_aws() {
    let Some(folder) = suite("cases/lists") else { return };
    let Ok(text) = std::fs::read_to_string(folder.join("imports.json")) else {
        println!("no data for the suite `cases/lists`: imports.json is missing");
        return;
    };
    let rows: Vec<Value> = serde_json::from_str(&text).expect("the list is JSON");
    let (mut compared, mut differences) = (0, Vec::new());
    for row in &rows {
        let case = row["case"].as_str().unwrap_or_default();
        let imported = import(&specification(row), &recorded_options(row));
        let Some(api) = imported.api else {
            differences.push(format!(
                "{case}: refused: {:?}",
                imported.diagnostics.iter().map(|d| &d.message).collect::<Vec<_>>()
            ));
            continue;
        };
        for answer in row["answers"].as_object().into_iter().flat_map(|answers| answers.values()) {
            compared += compare(case, answer, &api, &mut differences);
        }
    }
    println!("{} recorded imports, {compared} values compared", rows.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn specification(row: &Value) -> String {
    match &row["specification"] {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    }
}

fn recorded_options(row: &Value) -> Options {
    let base_path = match row["params"]["parameters"]["basepath"].as_str() {
        Some("prepend") => BasePath::Prepend,
        Some("split") => BasePath::Split,
        _ => BasePath::Ignore,
    };
    let fail_on_warnings = row["params"]["failOnWarnings"] == true;
    Options { kind: ApiKind::Rest, base_path, fail_on_warnings, ..Options::default() }
}

/// Compares one recorded answer; gives the number of values compared.
fn compare(case: &str, answer: &Value, api: &RestApi, differences: &mut Vec<String>) -> usize {
    let recorded = &answer["recorded"];
    let pairs = match answer["call"].as_str() {
        Some("ImportRestApi" | "PutRestApi") => api_values(recorded, api),
        Some("GetResources") => vec![resource_values(recorded, api)],
        Some("GetAuthorizers") => authorizer_values(recorded, api),
        Some("GetRequestValidators") => vec![validator_values(recorded, api)],
        Some("GetModels") => vec![exports::model_values(recorded, api)],
        Some("GetDocumentationParts") => vec![exports::part_values(recorded, api)],
        Some("GetMethod") => method_values(answer, api),
        _ => Vec::new(),
    };
    for (what, recorded, ours) in &pairs {
        if recorded != ours {
            differences.push(format!("{case}: {what}: AWS {recorded}, here {ours}"));
        }
    }
    pairs.len()
}

/// What is compared, what AWS said, what we say.
type Pair = (String, String, String);

fn api_values(recorded: &Value, api: &RestApi) -> Vec<Pair> {
    let source = match api.api_key_source {
        ApiKeySource::Header => "HEADER",
        ApiKeySource::Authorizer => "AUTHORIZER",
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        ("apiKeySource", source.to_owned()),
        ("description", text(&api.description)),
        ("version", text(&api.version)),
        ("disableExecuteApiEndpoint", api.disable_execute_api_endpoint.to_string()),
    ]
    .into_iter()
    .map(|(name, ours)| (name.to_owned(), scalar(&recorded[name]), ours))
    .collect()
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn resource_values(recorded: &Value, api: &RestApi) -> Pair {
    let theirs: BTreeSet<_> = elements(recorded)
        .map(|item| format!("{} {:?}", scalar(&item["path"]), keys(&item["resourceMethods"])))
        .collect();
    let methods = |resource: &Resource| resource.methods.iter().map(|m| m.name.to_string()).collect::<BTreeSet<_>>();
    let ours: BTreeSet<_> = api.resources.iter().map(|r| format!("{} {:?}", r.path, methods(r))).collect();
    ("resources".to_owned(), format!("{theirs:?}"), format!("{ours:?}"))
}

/// The list of an answer, whichever way it was recorded.
fn elements(recorded: &Value) -> impl Iterator<Item = &Value> {
    recorded.as_array().or_else(|| recorded["items"].as_array()).into_iter().flatten()
}

fn keys(map: &Value) -> BTreeSet<String> {
    map.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
}

fn authorizer_values(recorded: &Value, api: &RestApi) -> Vec<Pair> {
    let kinds = |kind| match kind {
        AuthorizerKind::Token => "TOKEN",
        AuthorizerKind::Request => "REQUEST",
        AuthorizerKind::CognitoUserPools => "COGNITO_USER_POOLS",
    };
    let theirs: BTreeSet<_> = elements(recorded)
        .map(|a| {
            ["type", "authType", "identitySource", "authorizerResultTtlInSeconds", "identityValidationExpression"]
                .map(|name| scalar(&a[name]))
        })
        .collect();
    let ours: BTreeSet<_> = api
        .authorizers
        .iter()
        .map(|a| {
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let ttl = a.result_ttl_in_seconds.map(|ttl| ttl.to_string()).unwrap_or_default();
            let expression = text(&a.identity_validation_expression);
            [kinds(a.kind).to_owned(), text(&a.auth_type), text(&a.identity_source), ttl, expression]
        })
        .collect();
    vec![("authorizers".to_owned(), format!("{theirs:?}"), format!("{ours:?}"))]
}

fn validator_values(recorded: &Value, api: &RestApi) -> Pair {
    let theirs: BTreeSet<_> = elements(recorded)
        .map(|v| (v["validateRequestBody"] == true, v["validateRequestParameters"] == true))
        .collect();
    let validators = api.request_validators.iter();
    let ours: BTreeSet<_> = validators.map(|v| (v.validate_request_body, v.validate_request_parameters)).collect();
    ("validators".to_owned(), format!("{theirs:?}"), format!("{ours:?}"))
}

fn method_values(answer: &Value, api: &RestApi) -> Vec<Pair> {
    let recorded = &answer["recorded"];
    let id = answer["params"]["resourceId"].as_str().unwrap_or_default();
    let path = match id.split_once("path=").and_then(|(_, rest)| rest.rsplit_once("].id")) {
        Some((path, _)) => path.replace("%7B", "{").replace("%7D", "}"),
        None if id.ends_with("rootResourceId}") => "/".to_owned(),
        None => return Vec::new(),
    };
    let name = answer["params"]["httpMethod"].as_str().unwrap_or_default();
    let resource = api.resources.iter().find(|resource| resource.path == path);
    let Some(method) = resource.and_then(|r| r.methods.iter().find(|m| m.name.as_str() == name)) else {
        return vec![(format!("{name} {path}"), "is there".to_owned(), "is missing".to_owned())];
    };
    let mut pairs = plain_method_values(recorded, method);
    if let Some(integration) = &method.integration {
        pairs.extend(integration_values(&recorded["methodIntegration"], integration));
    }
    pairs.into_iter().map(|(what, theirs, ours)| (format!("{name} {path} {what}"), theirs, ours)).collect()
}

fn plain_method_values(recorded: &Value, method: &Method) -> Vec<Pair> {
    let (kind, scopes) = match &method.authorization {
        Authorization::None => ("NONE", &[][..]),
        Authorization::Iam => ("AWS_IAM", &[][..]),
        Authorization::Custom { .. } => ("CUSTOM", &[][..]),
        Authorization::Cognito { scopes, .. } => ("COGNITO_USER_POOLS", scopes.as_slice()),
    };
    let scopes: BTreeSet<_> = scopes.iter().cloned().collect();
    let theirs: BTreeSet<_> = recorded["authorizationScopes"].as_array().into_iter().flatten().map(scalar).collect();
    let parameters: BTreeMap<_, _> =
        method.request_parameters.iter().map(|p| (parameter_key(p), p.required.to_string())).collect();
    let responses: BTreeMap<_, _> = method
        .responses
        .iter()
        .map(|r| (r.status_code.clone(), r.headers.iter().cloned().collect::<BTreeSet<_>>()))
        .collect();
    let models: BTreeSet<_> = method.request_models.iter().map(|(media_type, _)| media_type.clone()).collect();
    vec![
        ("authorizationType".to_owned(), scalar(&recorded["authorizationType"]), kind.to_owned()),
        ("apiKeyRequired".to_owned(), scalar(&recorded["apiKeyRequired"]), method.api_key_required.to_string()),
        ("authorizationScopes".to_owned(), format!("{theirs:?}"), format!("{scopes:?}")),
        (
            "operationName".to_owned(),
            scalar(&recorded["operationName"]),
            method.operation_name.clone().unwrap_or_default(),
        ),
        (
            "requestParameters".to_owned(),
            format!("{:?}", entries(&recorded["requestParameters"])),
            format!("{parameters:?}"),
        ),
        ("requestModels".to_owned(), format!("{:?}", keys(&recorded["requestModels"])), format!("{models:?}")),
        ("responses".to_owned(), format!("{:?}", recorded_responses(recorded)), format!("{responses:?}")),
    ]
}

fn recorded_responses(recorded: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let name = |key: String| key.trim_start_matches("method.response.header.").to_owned();
    let headers = |response: &Value| keys(&response["responseParameters"]).into_iter().map(name).collect();
    let responses = recorded["methodResponses"].as_object().into_iter().flatten();
    responses.map(|(status, response)| (status.clone(), headers(response))).collect()
}

fn parameter_key(parameter: &RequestParameter) -> String {
    let place = match parameter.location {
        ParameterLocation::Path => "path",
        ParameterLocation::QueryString => "querystring",
        ParameterLocation::Header => "header",
    };
    format!("method.request.{place}.{}", parameter.name)
}

fn entries(map: &Value) -> BTreeMap<String, String> {
    map.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), scalar(value))).collect()
}

fn integration_values(recorded: &Value, integration: &Integration) -> Vec<Pair> {
    let passthrough = match integration.passthrough_behavior {
        PassthroughBehavior::WhenNoMatch => "WHEN_NO_MATCH",
        PassthroughBehavior::WhenNoTemplates => "WHEN_NO_TEMPLATES",
        PassthroughBehavior::Never => "NEVER",
    };
    let parameters: BTreeMap<_, _> =
        integration.request_parameters.iter().map(|m| (m.target.clone(), m.source.clone())).collect();
    let templates: BTreeSet<_> = integration.request_templates.iter().map(|(name, _)| name.clone()).collect();
    let responses: BTreeMap<_, _> = integration
        .responses
        .iter()
        .map(|r| (r.status_code.clone(), r.selection_pattern.clone().unwrap_or_default()))
        .collect();
    let theirs: BTreeMap<_, _> = recorded["integrationResponses"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(status, response)| (status.clone(), scalar(&response["selectionPattern"])))
        .collect();
    vec![
        ("type".to_owned(), scalar(&recorded["type"]), integration.kind.as_str().to_owned()),
        ("httpMethod".to_owned(), scalar(&recorded["httpMethod"]), integration.http_method.clone().unwrap_or_default()),
        ("passthroughBehavior".to_owned(), scalar(&recorded["passthroughBehavior"]), passthrough.to_owned()),
        (
            "timeoutInMillis".to_owned(),
            scalar(&recorded["timeoutInMillis"]),
            integration.timeout_in_millis.unwrap_or(29_000).to_string(),
        ),
        (
            "integration parameters".to_owned(),
            format!("{:?}", entries(&recorded["requestParameters"])),
            format!("{parameters:?}"),
        ),
        ("templates".to_owned(), format!("{:?}", keys(&recorded["requestTemplates"])), format!("{templates:?}")),
        ("integration responses".to_owned(), format!("{theirs:?}"), format!("{responses:?}")),
    ]
}

/// The same document as block YAML, strings in double quotes.
fn as_yaml(text: &str) -> String {
    let Ok(document) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let mut yaml = String::new();
    write_yaml(&document, 0, &mut yaml);
    yaml
}

fn write_yaml(value: &Value, indent: usize, into: &mut String) {
    let pad = "  ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                into.push_str(&format!("\n{pad}{}: ", Value::from(name.as_str())));
                write_yaml(value, indent + 1, into);
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            for element in elements {
                into.push_str(&format!("\n{pad}- "));
                write_yaml(element, indent + 1, into);
            }
        }
        other => into.push_str(&other.to_string()),
    }
}

#[test]
fn a_document_means_the_same_in_yaml() {
    let Some(folder) = suite("openapi") else { return };
    for row in rows(&folder) {
        let (text, options) = (row.text(), Options { kind: row.kind, ..Options::default() });
        let (json, yaml) = (import(&text, &options), import(&as_yaml(&text), &options));
        let rules = |imported: &Imported| {
            let mut rules: Vec<_> =
                imported.diagnostics.iter().map(|d| (d.rule, d.pointer.clone(), d.message.clone())).collect();
            rules.sort();
            rules
        };
        assert_eq!(json.api.as_ref().map(operations_in), yaml.api.as_ref().map(operations_in), "{}", row.file);
        assert_eq!(rules(&json), rules(&yaml), "{}", row.file);
    }
}
