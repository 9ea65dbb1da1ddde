//! Definitions of real users, of AWS's guide and of public APIs, through the importer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ringgate_core::base::{Diagnostic, Severity};
use ringgate_core::import::{ApiKind, Imported, Options, import, lint};
use ringgate_core::model::rest::{MethodName, RestApi};
use serde_json::Value;

use crate::support::suite;

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
    let document: Value = serde_json::from_str(row.text().trim_start_matches('\u{feff}')).expect("the document is JSON");
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
        println!("{}: {} import findings, {} lint findings", path.display(), imported.diagnostics.len(), findings.len());
    }
}
