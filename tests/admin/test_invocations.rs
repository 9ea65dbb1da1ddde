//! `TestInvokeMethod`: definitions that are not deployed, called by a shard and by nobody else.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::empty_gateway;
use super::harness::Gateway;

/// A method with a MOCK or HTTP_PROXY integration on `/pets/{id}`, behind IAM and an API key: its path, and its API's.
fn method(gateway: &Gateway, integration: &Value, parameters: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let api = gateway.manage("POST", "/restapis", &json!({"name": "t"}));
    let id = text(&api["id"]);
    let add = |parent: &str, part: &str| {
        let path = format!("/restapis/{id}/resources/{parent}");
        text(&gateway.manage("POST", &path, &json!({"pathPart": part}))["id"])
    };
    let pets = add(&text(&api["rootResourceId"]), "pets");
    // A sibling that would take `/pets/mine` in a deployment.
    add(&pets, "mine");
    let method = format!("/restapis/{id}/resources/{}/methods/ANY", add(&pets, "{id}"));
    let protected = json!({"authorizationType": "AWS_IAM", "apiKeyRequired": true, "requestParameters": parameters});
    gateway.manage("PUT", &method, &protected);
    gateway.manage("PUT", &format!("{method}/integration"), integration);
    (method.replace("/ANY", "/POST"), id)
}

/// The sentences of a log, its first line whole.
fn sentences(answer: &Value) -> Vec<String> {
    let log = answer["log"].as_str().expect("a log");
    log.lines().map(|line| line.split_once(" : ").map_or(line, |(_, text)| text).to_owned()).collect()
}

/// Answers one call and gives what it was asked.
fn origin(answer: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a call");
        let (mut request, mut piece) = (String::new(), [0; 4096]);
        while !request.ends_with("cat") {
            let count = stream.read(&mut piece).expect("the gateway writes");
            assert!(count > 0, "{request}");
            request.push_str(std::str::from_utf8(&piece[..count]).expect("text"));
        }
        stream.write_all(answer.as_bytes()).expect("the gateway reads");
        request
    });
    (port, asked)
}

#[test]
fn a_mock_is_tested_as_it_is_now_and_nobody_counts_it() {
    let gateway = empty_gateway();
    let integration = json!({"type": "MOCK", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
    let (method, api) = method(&gateway, &integration, &json!({}));
    gateway.manage("PUT", &format!("{}/responses/200", method.replace("/POST", "/ANY")), &json!({}));
    let template = "$input.params('id') $context.stage $stageVariables.kind $input.params('q')";
    let response = json!({"responseTemplates": {"application/json": template}});
    let path = format!("{}/integration/responses/200", method.replace("/POST", "/ANY"));
    gateway.manage("PUT", &path, &response);
    let counted = || gateway.metric("ringgate_requests_total{class=\"2xx\"}");
    let before = counted();
    let asked = json!({
        "pathWithQueryString": "/pets/mine?q=x",
        "headers": {"X-One": "1"},
        "multiValueHeaders": {"X-Two": ["2", "3"]},
        "stageVariables": {"kind": "cat"},
        "body": "{}",
    });
    let answer = gateway.manage("POST", &method, &asked);
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(answer["body"], "mine test-invoke-stage cat x");
    assert_eq!(answer["headers"], json!({"Content-Type": "application/json"}));
    assert_eq!(answer["multiValueHeaders"], json!({"Content-Type": ["application/json"]}));
    assert!(answer["latency"].is_u64());
    let said = sentences(&answer);
    let expected = [
        "HTTP Method: POST, Resource Path: /pets/mine",
        "Method request path: {id=mine}",
        "Method request query string: {q=x}",
        "Method request headers: {X-Two=2, X-Two=3, X-One=1}",
        "Method request body before transformations: {}",
        "Method response body after transformations: mine test-invoke-stage cat x",
        "Method response headers: {Content-Type=application/json}",
        "Successfully completed execution",
        "Method completed with status: 200",
    ];
    assert_eq!(said[2..], expected, "{said:?}");

    let other = gateway.manage("POST", &method, &json!({"pathWithQueryString": "/elsewhere"}));
    let said = sentences(&other);
    assert_eq!(said[2..4], ["HTTP Method: POST, Resource Path: /elsewhere", "Method request path: {id={id}}"]);

    // Nothing of it can be called or is counted.
    let host = format!("{api}.execute-api.localhost");
    assert_ne!(gateway.get_at(&host, "/test-invoke-stage/pets/1").status, 200);
    assert_ne!(gateway.get_at("testPrefix.testDomainName", "/pets/1").status, 200);
    assert_eq!(counted(), before);
    assert!(!gateway.admin("/metrics").text().contains("test-invoke-stage"));
}

#[test]
fn an_http_proxy_is_called_and_its_passing_bodies_are_in_the_log() {
    let gateway = empty_gateway();
    let (port, asked) = origin("HTTP/1.1 201 Created\r\nX-Kind: cat\r\nContent-Length: 4\r\n\r\nmeow");
    let integration = json!({
        "type": "HTTP_PROXY",
        "httpMethod": "POST",
        "uri": format!("http://127.0.0.1:{port}/${{stageVariables.base}}/{{id}}"),
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
    });
    let (method, _) = method(&gateway, &integration, &json!({"method.request.path.id": true}));
    let body = json!({
        "pathWithQueryString": "/pets/7?a=b",
        "headers": {"X-Api-Key": "very-secret-key"},
        "stageVariables": {"base": "v1"},
        "body": "cat",
    });
    let answer = gateway.manage("POST", &method, &body);
    assert_eq!((&answer["status"], &answer["body"]), (&json!(201), &json!("meow")), "{answer}");
    assert_eq!(answer["headers"]["X-Kind"], "cat");
    let asked = asked.join().expect("it was called");
    assert!(asked.starts_with("POST /v1/7?a=b HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("very-secret-key"), "{asked}");
    let said = sentences(&answer);
    for sentence in [
        "Method request body before transformations: cat",
        "Endpoint request body after transformations: cat",
        "Endpoint response body before transformations: meow",
        "Method response body after transformations: meow",
        "Method completed with status: 201",
    ] {
        assert!(said.iter().any(|line| line == sentence), "{sentence}: {said:?}");
    }
    assert!(said.iter().any(|line| line.starts_with(&format!("Sending request to http://127.0.0.1:{port}/v1/7?a=b"))));
    assert!(!answer["log"].as_str().expect("a log").contains("very-secret-key"), "{answer}");
}
