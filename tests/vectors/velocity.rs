//! Templates answered by Apache Velocity 1.7, and real users' mapping templates.

use std::fs;

use ringgate_core::vtl::{Coverage, Dialect, Document, FailureKind, Machine, compile};
use serde_json::Value;

use crate::support::suite;

/// What a template comes to: its output, or the kind of its failure.
type Outcome = Result<String, &'static str>;

fn kind_of(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Call => "call",
        FailureKind::Resource => "resource",
        FailureKind::MacroDepth => "macro-depth",
        FailureKind::Parse => "parse",
        _ => "limit",
    }
}

fn render(template: &str, context: &Value) -> Outcome {
    let document = Document::new(context);
    let program = compile(template, Dialect::Velocity, Coverage::Off, &mut &document).map_err(|_| "parse")?;
    let mut out = String::new();
    Machine::new().run(&program, &mut &document, &mut out).map_err(|failure| kind_of(failure.kind))?;
    Ok(out)
}

fn expected(row: &Value) -> Result<&str, &str> {
    match row["error"]["kind"].as_str() {
        Some(kind) => Err(kind),
        None => Ok(row["output"].as_str().unwrap_or_default()),
    }
}

fn rows(suite: &std::path::Path, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(suite.join(file)).expect("the suite's file can be read");
    serde_json::from_str(&text).expect("the suite's file is a list")
}

#[test]
fn templates_print_what_velocity_prints() {
    let Some(folder) = suite("velocity") else { return };
    let context: Value = serde_json::from_str(&fs::read_to_string(folder.join("context.json")).unwrap()).unwrap();
    let mut wrong = 0;
    let mut count = 0;
    for (file, own) in [("core.json", false), ("engine-templates.json", true)] {
        for row in rows(&folder, file) {
            count += 1;
            let template = row["template"].as_str().unwrap();
            let context = if own { &row["context"] } else { &context };
            let found = render(template, context);
            if found.as_deref().map_err(|kind| *kind) != expected(&row) {
                wrong += 1;
                println!("{}: {template:?}\n  velocity {:?}\n  here     {found:?}", row["name"], expected(&row));
            }
        }
    }
    println!("{wrong} of {count} differ");
    assert!(wrong == 0);
}
