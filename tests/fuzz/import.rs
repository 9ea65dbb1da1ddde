//! Fuzz target of definition import.

use ringgate_core::base::Severity;
use ringgate_core::import::{ApiKind, Format, Options, import as import_document, lint, render};

/// Whatever the bytes are: the importer neither panics nor hangs; it gives an API or an error with a place; what it
/// gives can be linted and rendered; and the same bytes give the same findings again.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for kind in [ApiKind::Undecided, ApiKind::Rest] {
        let options = Options { kind, ..Options::default() };
        let imported = import_document(&text, &options);
        let mut findings = imported.diagnostics.clone();
        match &imported.api {
            Some(api) => findings.extend(lint(api)),
            None => assert!(findings.iter().any(|f| f.severity == Severity::Error && f.place.line > 0)),
        }
        render(&findings, "fuzz.yaml", Format::Human);
        render(&findings, "fuzz.yaml", Format::Json);
        assert_eq!(import_document(&text, &options).diagnostics, imported.diagnostics);
    }
}
