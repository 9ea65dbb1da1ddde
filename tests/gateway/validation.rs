//! Request validators from outside: what is refused before a back end hears of it, and what arrives there whole.

use serde_json::{Value, json};

use super::harness::{document, each_driver, operation, serving};
use super::origin::Origin;

/// `POST /orders` behind a validator of both, with the model `Order`.
fn definition(port: u16) -> Value {
    let integration =
        json!({"type": "http_proxy", "httpMethod": "POST", "uri": format!("http://127.0.0.1:{port}/orders")});
    let mut operation = operation("/orders", &integration);
    operation["parameters"] =
        json!([{"name": "X-Key", "in": "header", "required": true, "schema": {"type": "string"}}]);
    operation["requestBody"] =
        json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}});
    let mut definition = document(&json!({"/orders": {"post": operation}}));
    definition["x-amazon-apigateway-request-validator"] = json!("all");
    definition["x-amazon-apigateway-request-validators"] =
        json!({"all": {"validateRequestBody": true, "validateRequestParameters": true}});
    definition["components"]["schemas"] = json!({
        "Order": {"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"}, "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}}}},
        "Line": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string", "pattern": "^[A-Z]-\\d+$"}}},
    });
    definition["x-amazon-apigateway-gateway-responses"] = json!({"BAD_REQUEST_BODY": {"responseTemplates": {
        "application/json": "$context.error.message $context.error.validationErrorString"}}});
    definition
}

fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /orders HTTP/1.1\r\nHost: a.example\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

#[test]
fn what_is_refused_never_reaches_the_back_end_and_the_connection_goes_on() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let gateway = serving(&definition(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        let rows = [
            (post("", "{}"), "{\"message\": \"Missing required request parameters: [X-Key]\"}"),
            (post("X-Key: 1\r\n", "{}"), "Invalid request body [object has missing required properties ([\"id\"])]"),
            (post("X-Key: 1\r\n", "nonsense"), "Invalid request body [Unknown error parsing request body]"),
            (
                post("X-Key: 1\r\n", r#"{"id": 1, "lines": [{"sku": "A-1"}, {"sku": "x"}]}"#),
                r#"Invalid request body [ECMA 262 regex "^[A-Z]-\d+$" does not match input string "x"]"#,
            ),
        ];
        for (request, expected) in rows {
            client.send(request.as_bytes());
            let response = client.response();
            assert_eq!((response.status, response.text().as_str()), (400, expected));
            assert_eq!(response.field("x-amzn-ErrorType"), Some("BadRequestException"));
        }
        client.send(post("X-Key: 1\r\nContent-Type: application/json\r\n", r#"{"id": 1, "lines": []}"#).as_bytes());
        assert_eq!(client.response().status, 200);
        assert_eq!(origin.request().body, br#"{"id": 1, "lines": []}"#);
    });
}

#[test]
fn a_body_in_pieces_is_validated_whole_and_passed_on_as_it_came() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let gateway = serving(&definition(origin.port)).on(driver).start();
        let padding = " ".repeat(100_000);
        let body = format!("{{\"id\": 1e0{padding}, \"id\": 12345678901234567890123}}");
        let mut client = gateway.connect();
        client.send(b"POST /orders HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
        for piece in body.as_bytes().chunks(7_001) {
            client.send(format!("{:x}\r\n", piece.len()).as_bytes());
            client.send(piece);
            client.send(b"\r\n");
        }
        client.send(b"0\r\n\r\n");
        assert_eq!(client.response().status, 200);
        assert_eq!(origin.request().body, body.as_bytes());
    });
}

#[test]
fn a_body_of_another_type_streams_past_the_validator() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let gateway = serving(&definition(origin.port)).on(driver).start();
        let seen = gateway.call(&post("X-Key: 1\r\nContent-Type: text/plain\r\n", "not json"));
        assert_eq!(seen.status, 200);
        assert_eq!(origin.request().body, b"not json");
    });
}

#[test]
fn hostile_bodies_are_refused_and_the_gateway_lives_on() {
    let origin = Origin::echoing();
    let mut gateway = serving(&definition(origin.port)).start();
    let deep = format!(r#"{{"id":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let repeated = format!("{{{}\"id\":\"x\"}}", r#""id":1,"#.repeat(100_000));
    for body in
        [deep.as_str(), &repeated, r#"{"id":1e999999999}"#, "{\"id\":1,\"a\":\"\\ud800\"}", "\u{feff}{\"id\":1}"]
    {
        let seen = gateway.call(&post("X-Key: 1\r\n", body));
        assert_eq!(seen.status, 400, "{}", body.get(..40).unwrap_or(body));
    }
    assert!(gateway.is_alive());
    assert_eq!(gateway.call(&post("X-Key: 1\r\n", r#"{"id":1}"#)).status, 200);
}
