//! Exports: as AWS wrote them, and of every definition, read back.

use std::path::Path;

use ringgate_core::import::export::{ExportOptions, ExportType, Extensions, export, to_yaml};
use ringgate_core::import::{ApiKind, Options, References, import};
use ringgate_core::model::documentation::DocumentationVersion;
use ringgate_core::model::rest::RestApi;
use serde_json::Value;

use super::{Pair, Row, elements, rows};
use crate::support::suite;

/// What the recordings have in place of the API, its region and the time.
const HOST: &str = "<api-id:1>.execute-api.<region>.amazonaws.com";

fn options(extensions: Extensions) -> ExportOptions<'static> {
    ExportOptions { host: HOST, stage: "local", created_date: "date", extensions, documentation: None }
}

/// One case: what was imported, and the exports that followed.
#[test]
fn recorded_exports_are_written_as_on_aws() {
    let Some(folder) = suite("cases/recorded") else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        compared += compare_case(&entry.expect("an entry can be read").path());
    }
    println!("{compared} recorded exports compared");
    assert!(compared >= 6, "{compared} recorded exports");
}

fn compare_case(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).expect("a case can be read");
    let case: Value = serde_json::from_str(&text).expect("a case is JSON");
    let mut api = None;
    let mut compared = 0;
    for step in case["steps"].as_array().into_iter().flatten() {
        let params = &step["params"];
        match step["call"].as_str() {
            Some("apigateway.ImportRestApi") => api = imported(&params["body"]),
            Some("apigateway.GetExport") => {
                let api = api.as_ref().unwrap_or_else(|| panic!("{}: nothing to export", path.display()));
                let stage = params["stageName"].as_str().unwrap_or_default();
                let extensions = params["parameters"]["extensions"].as_str().unwrap_or_default();
                let extensions = Extensions::parse(extensions).expect("the extensions are known");
                let options = ExportOptions { stage, ..options(extensions) };
                let kind = params["exportType"].as_str().and_then(ExportType::parse).expect("the type is known");
                let ours = export(api, kind, &options).expect("the API can be exported");
                for check in step["checks"].as_array().into_iter().flatten() {
                    let theirs = &check["recorded"]["body"];
                    assert_eq!(&ours, theirs, "{}: {}", path.display(), check["key"]);
                    compared += 1;
                }
            }
            _ => {}
        }
    }
    compared
}

fn imported(body: &Value) -> Option<RestApi> {
    let text = body.as_str()?.replace("${region}", "<region>");
    import(&text, &Options { kind: ApiKind::Rest, ..Options::default() }).api
}

/// An export read back and exported again is the same text, in both dialects and both notations.
#[test]
fn an_export_means_what_it_was_made_of() {
    let Some(folder) = suite("openapi") else { return };
    let (mut stable, mut refused) = (0, Vec::new());
    for row in rows(&folder).iter().filter(|row| row.kind == ApiKind::Rest) {
        let Some(api) = row.import(ApiKind::Rest).api else { continue };
        for kind in [ExportType::Swagger, ExportType::Oas30] {
            match check_round_trip(row, &api, kind) {
                Ok(()) => stable += 1,
                Err(message) => refused.push(format!("{} as {}: {message}", row.file, kind.as_str())),
            }
        }
    }
    println!("{stable} exports read back as they were, {} not exported:", refused.len());
    refused.iter().for_each(|line| println!("  {line}"));
}

fn check_round_trip(row: &Row, api: &RestApi, kind: ExportType) -> Result<(), String> {
    read_back(row, &export(api, kind, &options(Extensions::default()))?.to_string());
    let version = documented(api);
    // YAML without documentation, JSON with it: all four combinations would say no more and take twice the time.
    for documentation in [None, Some(&version)] {
        let first = export(api, kind, &ExportOptions { documentation, ..options(Extensions::ALL) })?;
        let text = if documentation.is_some() { first.to_string() } else { to_yaml(&first) };
        let again = read_back(row, &text);
        let version = documented(&again);
        let documentation = documentation.map(|_| &version);
        let second = export(&again, kind, &ExportOptions { documentation, ..options(Extensions::ALL) })?;
        assert_same(row, &first, &second);
    }
    Ok(())
}

fn documented(api: &RestApi) -> DocumentationVersion {
    let parts = api.documentation.parts.clone();
    DocumentationVersion { version: "1".to_owned(), created_date: String::new(), parts }
}

fn read_back(row: &Row, text: &str) -> RestApi {
    let options = Options { kind: ApiKind::Rest, relaxed_limits: true, ..Options::default() };
    let imported = import(text, &options);
    let errors =
        || imported.diagnostics.iter().filter(|d| d.severity == super::Severity::Error).take(3).collect::<Vec<_>>();
    imported.api.clone().unwrap_or_else(|| panic!("{}: {:?}", row.file, errors()))
}

fn assert_same(row: &Row, first: &Value, second: &Value) {
    let (first, second) = (format!("{first:#}"), format!("{second:#}"));
    if first != second {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (first, second) = (lines(&first), lines(&second));
        let at = first.iter().zip(&second).position(|(a, b)| a != b).unwrap_or_default();
        let around = |lines: &[String]| lines.iter().skip(at.saturating_sub(12)).take(18).cloned().collect::<Vec<_>>();
        panic!("{}:\n{}\nand again:\n{}", row.file, around(&first).join("\n"), around(&second).join("\n"));
    }
}

/// Schemas as the management API shows them, whatever the order of members and of lists.
pub(super) fn model_values(recorded: &Value, api: &RestApi) -> Pair {
    let references = References::Addresses { api_id: "<api>" };
    let theirs = elements(recorded).map(|model| canonical(&model["schema"]));
    let ours = api.models.iter().map(|model| canonical(&references.write(&model.schema)));
    ("models".to_owned(), sorted(theirs), sorted(ours))
}

pub(super) fn part_values(recorded: &Value, api: &RestApi) -> Pair {
    let theirs =
        elements(recorded).map(|part| format!("{} {}", canonical(&part["location"]), canonical(&part["properties"])));
    let version = documented(api);
    let options = ExportOptions { documentation: Some(&version), ..options(Extensions::ALL) };
    let document = export(api, ExportType::Oas30, &options).expect("the API can be exported");
    let parts = document["x-amazon-apigateway-documentation"]["documentationParts"].as_array().into_iter().flatten();
    let ours = parts.map(|part| format!("{} {}", canonical(&part["location"]), canonical(&part["properties"])));
    ("documentation parts".to_owned(), sorted(theirs), sorted(ours))
}

fn sorted(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts.join("\n")
}

/// Members and elements in the order of their text; names that the recorder replaced are any name.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            sorted(members.iter().map(|(name, value)| format!("{name}:{}", canonical(value)))).replace('\n', ",")
        }
        Value::Array(elements) => sorted(elements.iter().map(canonical)).replace('\n', ","),
        Value::String(text) => masked(text),
        other => other.to_string(),
    }
}

/// The recorder's marks, and what they stand for, are the same text.
fn masked(text: &str) -> String {
    let model = text.rsplit_once("/models/").map(|(_, name)| format!("model {name}"));
    let text = model.unwrap_or_else(|| text.to_owned());
    ["<name:1>", "<name:2>", "<name:3>"].iter().fold(text, |text, mark| text.replace(mark, "Empty"))
}
