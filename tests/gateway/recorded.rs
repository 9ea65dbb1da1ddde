//! Answers that AWS gave, asked again: the recorded rows of mappings and templates whose routes are HTTP or MOCK.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::client::Response;
use super::harness::{document, serving};
use super::origin::Origin;

fn rows() -> Vec<Value> {
    let root = std::env::var_os("RINGGATE_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("cases/lists/vtl-and-mappings.json")) else {
        println!("no recorded rows under {}", root.display());
        return Vec::new();
    };
    serde_json::from_str(&text).expect("rows")
}

/// Rows that need no function, no AWS service and nothing that stands outside the row, such as a stage's variables.
fn is_asked(row: &Value) -> bool {
    let integration = &row["definition"]["integration"];
    let is_ours = integration["type"] == "MOCK" || integration["uri"] == "${echo}/post";
    let stands_alone = row["definition"]["method"]["requestValidatorId"].is_null()
        && !row["case"].as_str().expect("a case").contains("Canary");
    is_ours && stands_alone && row["views"][0].is_string()
}

fn texts(members: &Value) -> impl Iterator<Item = (&String, &Value)> {
    members.as_object().into_iter().flatten()
}

/// The row's definition as a document.
fn definition(row: &Value, port: u16) -> Value {
    let declared = &row["definition"];
    let mut integration = json!({"type": declared["integration"]["type"].as_str().expect("a type").to_lowercase()});
    for (name, value) in texts(&declared["integration"]) {
        match name.as_str() {
            "type" => {}
            "integrationHttpMethod" => integration["httpMethod"] = value.clone(),
            "uri" => integration["uri"] = json!(format!("http://127.0.0.1:{port}/post")),
            "passthroughBehavior" => integration["passthroughBehavior"] = json!(value.as_str().map(str::to_lowercase)),
            _ => integration[name] = value.clone(),
        }
    }
    integration["responses"] = json!({});
    for response in declared["integrationResponses"].as_array().into_iter().flatten() {
        let pattern = response["selectionPattern"].as_str().filter(|pattern| !pattern.is_empty()).unwrap_or("default");
        let mut made = response.clone();
        made.as_object_mut().expect("an object").remove("selectionPattern");
        integration["responses"][pattern] = made;
    }
    let path = row["resource"].as_str().expect("a path");
    let variables = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<_> = variables
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    let statuses = declared["methodResponses"].as_array().into_iter().flatten();
    let responses: serde_json::Map<_, _> = statuses
        .map(|status| (status["statusCode"].as_str().expect("a status").to_owned(), json!({"description": "x"})))
        .collect();
    let method = row["verb"].as_str().expect("a method").to_lowercase();
    document(&json!({path: {method: {"parameters": parameters, "responses": responses,
        "x-amazon-apigateway-integration": integration}}}))
}

/// An httpbin, as far as these rows look at it.
fn echo() -> Origin {
    Origin::start(|connection| {
        while let Some(request) = connection.request() {
            let body = String::from_utf8_lossy(&request.body);
            let parsed: Value = serde_json::from_str(&body).unwrap_or_default();
            let answer = json!({"args": {}, "data": body, "json": parsed, "url": request.target}).to_string();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
            connection.send(format!("{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).as_bytes());
        }
    })
}

fn ask(row: &Value, port: u16) -> Response {
    let request = &row["request"];
    let path = request["path"].as_str().expect("a path");
    let stage = path.split('/').nth(1).expect("a stage");
    let gateway = serving(&definition(row, port)).flags([&format!("--stage={stage}")]).start();
    let mut fields = String::new();
    for (name, value) in texts(&request["headers"]) {
        fields.push_str(&format!("{name}: {}\r\n", value.as_str().expect("text")));
    }
    let body = request["body"].as_str().unwrap_or_default();
    let method = request["http"].as_str().expect("a method");
    gateway.call(&format!("{method} {path} HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n{body}"))
}

#[test]
fn the_recorded_answers_are_given_again() {
    let origin = echo();
    let mut count = 0;
    for row in rows().iter().filter(|row| is_asked(row)) {
        let seen = ask(row, origin.port);
        let (_, recorded) = texts(&row["recorded"]).next().expect("an answer");
        match row["views"][0].as_str() {
            Some("text") => assert_eq!(json!(seen.text()), *recorded, "{row:#}"),
            Some("json") => {
                let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
                assert_eq!(body, *recorded, "{row:#}\n{}", seen.text());
            }
            // Which headers a MOCK has: no trace id among them.
            Some("headers") => assert_eq!(seen.field("x-amzn-trace-id"), None),
            other => panic!("{other:?}"),
        }
        count += 1;
    }
    println!("{count} recorded answers were given again");
}
