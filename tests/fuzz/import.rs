//! Fuzz target of definition import and export.

use ringgate_core::base::Severity;
use ringgate_core::import::export::{ExportOptions, ExportType, Extensions, export, to_yaml};
use ringgate_core::import::{ApiKind, Format, Options, import as import_document, lint, merge, render};
use ringgate_core::model::rest::RestApi;

/// Whatever the bytes are: the importer neither panics nor hangs; it gives an API or an error with a place; what it
/// gives can be linted, rendered, merged with itself and exported; and the same bytes give the same findings again.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for kind in [ApiKind::Undecided, ApiKind::Rest] {
        let options = Options { kind, ..Options::default() };
        let imported = import_document(&text, &options);
        let mut findings = imported.diagnostics.clone();
        match &imported.api {
            Some(api) => {
                findings.extend(lint(api));
                let merged = merge(api, api.clone(), imported.stated, &options).expect("an API fits itself");
                assert_eq!(merged.resources.len(), api.resources.len());
                exports(api);
            }
            None => {
                assert!(findings.iter().any(|f| f.severity == Severity::Error && f.place.line > 0));
                assert!(imported.answer.refusal().is_some_and(|message| !message.is_empty()));
            }
        }
        render(&findings, "fuzz.yaml", Format::Human);
        render(&findings, "fuzz.yaml", Format::Json);
        assert_eq!(import_document(&text, &options).diagnostics, imported.diagnostics);
    }
}

/// An export imports again, to an API whose export is the same text.
fn exports(api: &RestApi) {
    let options =
        ExportOptions { host: "h", stage: "s", created_date: "d", extensions: Extensions::ALL, documentation: None };
    for kind in [ExportType::Swagger, ExportType::Oas30] {
        let Ok(first) = export(api, kind, &options) else { continue };
        for text in [first.to_string(), to_yaml(&first)] {
            let again =
                import_document(&text, &Options { kind: ApiKind::Rest, relaxed_limits: true, ..Options::default() });
            let Some(again) = again.api else { panic!("{:?}\n{text}", again.answer.refusal()) };
            let second = export(&again, kind, &options).expect("what was exported can be exported again");
            assert_eq!(format!("{second:#}"), format!("{first:#}"));
        }
    }
}
