//! Mapping templates with the results that AWS's guide and LocalStack's tests give for them.

use ringgate_core::mapping::template::{Overrides, Renderer, Sample, Template};
use serde_json::Value;

use crate::support::suite;

fn rows(folder: &std::path::Path, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(file)).expect("the suite's file can be read");
    serde_json::from_str(&text).expect("the suite's file is a list")
}

pub fn render(template: &str, sample: &Sample) -> String {
    let compiled = Template::compile(template, sample).unwrap_or_else(|error| panic!("{template}: {error}"));
    let mut out = Vec::new();
    let rendered = Renderer::new().render(&compiled, sample, &mut Overrides::default(), &mut out);
    rendered.unwrap_or_else(|failure| panic!("{template}: {failure}"));
    String::from_utf8(out).expect("templates print text")
}

/// A document without members that are empty texts: AWS lists the members of `$context.identity` that have no value.
fn with_values(json: &Value) -> Value {
    match json {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| *value != "");
            Value::Object(kept.map(|(name, value)| (name.clone(), with_values(value))).collect())
        }
        Value::Array(items) => items.iter().map(with_values).collect(),
        other => other.clone(),
    }
}

fn is_same_document(left: &str, right: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).map(|json| with_values(&json));
    matches!((read(left), read(right)), (Ok(left), Ok(right)) if left == right)
}

#[test]
fn the_guides_examples_transform_their_data() {
    let Some(folder) = suite("developer-guide") else { return };
    for row in rows(&folder, "mapping-examples.json") {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let sample = Sample { body: text("original_data").into(), ..Sample::default() };
        for (template, expected) in
            [("input_mapping_template", "original_data"), ("output_mapping_template", "transformed_data")]
        {
            let made = render(text(template), &sample);
            assert!(is_same_document(&made, text(expected)), "{} {template}: {made}", row["name"]);
        }
    }
}

#[test]
fn localstacks_templates_make_what_its_tests_expect() {
    let Some(folder) = suite("localstack-unit") else { return };
    let all = rows(&folder, "vtl-and-parameters.json");
    for row in all.iter().filter(|row| row["kind"] == "vtl") {
        let template = row["template"].as_str().unwrap_or_default();
        let expected = row["result"].as_str().unwrap_or_default();
        let made = render(template, &Sample::read(&row["variables"]));
        // JSON that a template takes from a body is compact on AWS, with spaces there.
        assert!(made == expected || is_same_document(&made, expected), "{template}\n{made}\n{expected}");
    }
}
