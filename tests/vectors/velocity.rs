//! Templates answered by Apache Velocity 1.7, and real users' mapping templates.

use std::fs;

use ringgate_core::mapping::template::{Sample, Template};
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
    let mut out = Vec::new();
    Machine::new().run(&program, &mut &document, &mut out).map_err(|failure| kind_of(failure.kind))?;
    Ok(String::from_utf8(out).expect("templates print text"))
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

/// Why a template may print something else than Velocity prints.
fn reason(template: &str) -> Option<&'static str> {
    let reasons = [
        ("class", "there is no reflection: methods are those of an allow-list"),
        ("getClass()", "there is no reflection: methods are those of an allow-list"),
        (".stream()", "streams are not on the list of methods"),
        ("#foreach($foreach in", "Velocity fails on a loop variable of this name, by a fault of its own"),
        ("#evaluate", "no text is run as a template: API Gateway does not either"),
    ];
    reasons.into_iter().find(|(part, _)| template.contains(part)).map(|(_, reason)| reason)
}

#[test]
fn templates_print_what_velocity_prints() {
    let Some(folder) = suite("velocity") else { return };
    let context = fs::read_to_string(folder.join("context.json")).expect("the context can be read");
    let context: Value = serde_json::from_str(&context).expect("the context is JSON");
    let (mut count, mut excused, mut wrong) = (0, 0, Vec::new());
    for file in ["core.json", "engine-templates.json"] {
        for row in rows(&folder, file) {
            count += 1;
            let template = row["template"].as_str().expect("a row has a template");
            let context = if row["context"].is_object() { &row["context"] } else { &context };
            let found = render(template, context);
            let expected = expected(&row);
            if found.as_deref().map_err(|kind| *kind) == expected {
                continue;
            }
            match reason(template) {
                Some(reason) => {
                    excused += 1;
                    println!("{}: {template:?}: {reason}", row["name"]);
                }
                None => wrong.push(format!("{template:?}\n  Velocity {expected:?}\n  here     {found:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ without reason:\n{}", wrong.len(), wrong.join("\n"));
    println!("{count} templates, {excused} differ with a reason");
    assert!(excused * 200 <= count, "99.5 % must agree");
}

#[test]
fn templates_of_users_compile_or_are_refused_where_velocity_refuses_them() {
    let Some(folder) = suite("mapping-templates") else { return };
    for row in rows(&folder, "templates.json") {
        let template = row["template"].as_str().expect("a row has a template");
        let context = serde_json::json!({});
        let found = render(template, &context);
        match row["parses"].as_bool() {
            Some(false) => assert_eq!(found, Err("parse"), "{}", row["name"]),
            _ => assert_eq!(
                found.as_deref(),
                Ok(row["rendered_in_an_empty_context"].as_str().unwrap_or_default()),
                "{}",
                row["name"]
            ),
        }
        let own = Template::compile(template, &Sample::default());
        assert_eq!(own.is_ok(), row["parses"] == true, "{}: {own:?}", row["name"]);
    }
}
