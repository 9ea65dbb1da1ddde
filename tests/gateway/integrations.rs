//! HTTP integrations with mappings, MOCK, and gateway responses that a definition changes.

use serde_json::{Value, json};

use super::client::message;
use super::harness::{document, each_driver, mock, operation, refusing_port, routes, serving};
use super::origin::Origin;

const INTERNAL: &str = "{\"message\": \"Internal server error\"}";
const UNSUPPORTED: &str = "{\"message\": \"Unsupported Media Type\"}";

fn with_parameters(mut operation: Value, parameters: Value) -> Value {
    operation["parameters"] = parameters;
    operation
}

#[test]
fn every_source_of_a_mapping_reaches_every_target() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let integration = json!({
            "type": "http", "httpMethod": "GET",
            "uri": format!("http://127.0.0.1:{}/{{where}}/{{lit}}?fixed=1&in={{where}}", origin.port),
            "requestParameters": {
                "integration.request.path.where": "method.request.path.id",
                "integration.request.path.lit": "'a-b'",
                "integration.request.header.X-Literal": "'quoted text'",
                "integration.request.header.X-Last": "method.request.header.X-Many",
                "integration.request.header.X-All": "method.request.multivalueheader.X-Many",
                "integration.request.header.X-Absent": "method.request.header.X-None",
                "integration.request.header.X-Stage": "stageVariables.color",
                "integration.request.header.X-Context": "context.identity.sourceIp",
                "integration.request.header.X-Request": "context.requestId",
                "integration.request.header.X-Query": "method.request.querystring.q",
                "integration.request.querystring.s": "stageVariables.color",
                "integration.request.querystring.c": "context.httpMethod",
                "integration.request.querystring.h": "method.request.header.X-Many",
            },
            "responses": {"default": {"statusCode": "200"}},
        });
        let header = |name: &str| json!({"name": name, "in": "header", "schema": {"type": "string"}});
        let parameters = json!([
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "q", "in": "query", "schema": {"type": "string"}},
            header("X-Many"), header("X-None"),
        ]);
        let operation = with_parameters(operation("/m/{id}", &integration), parameters);
        let gateway =
            serving(&document(&json!({"/m/{id}": {"get": operation}}))).on(driver).flags(["--var=color=blue"]).start();
        let seen =
            gateway.call("GET /m/7?q=a%20b&q=c+d&z=1 HTTP/1.1\r\nHost: a.example\r\nX-Many: 1\r\nX-Many: 2\r\n\r\n");
        assert_eq!(seen.status, 200, "{}", seen.text());
        let request = origin.request();
        let (path, query) = request.target.split_once('?').expect("a query");
        assert_eq!(path, "/7/a-b");
        let mut pairs: Vec<_> = query.split('&').collect();
        pairs.sort_unstable();
        assert_eq!(pairs, ["c=GET", "fixed=1", "h=2", "in=7", "s=blue"]);
        let fields = [
            ("X-Literal", Some("quoted text")),
            ("X-Last", Some("2")),
            ("X-All", Some("1,2")),
            ("X-Absent", None),
            ("X-Stage", Some("blue")),
            ("X-Context", Some("127.0.0.1")),
            ("X-Query", Some("c d")),
            ("X-Request", seen.field("x-amzn-requestid")),
        ];
        for (name, value) in fields {
            assert_eq!(request.field(name), value, "{name}");
        }
    });
}

fn selecting(port: u16, responses: Value) -> Value {
    let integration = json!({"type": "http", "httpMethod": "GET", "uri": format!("http://127.0.0.1:{port}/{{s}}"),
        "requestParameters": {"integration.request.path.s": "method.request.path.s"}, "responses": responses});
    let mut operation = operation("/s/{s}", &integration);
    for status in ["201", "404", "418", "502"] {
        operation["responses"][status] = json!({"description": "x"});
    }
    document(&json!({"/s/{s}": {"get": operation}}))
}

fn answering_with_the_status_asked_for() -> Origin {
    Origin::start(|connection| {
        while let Some(request) = connection.request() {
            let status = request.target.trim_start_matches('/');
            connection.send(
                format!("HTTP/1.1 {status} X\r\nX-Theirs: {status}\r\nContent-Length: 3\r\n\r\n{status}").as_bytes(),
            );
        }
    })
}

#[test]
fn a_response_is_selected_by_the_whole_status() {
    let origin = answering_with_the_status_asked_for();
    let responses = json!({
        "2\\d{2}": {"statusCode": "201"},
        "4\\d\\d": {"statusCode": "404"},
        "41": {"statusCode": "502"},
        "default": {"statusCode": "418"},
    });
    let gateway = serving(&selecting(origin.port, responses)).start();
    for (theirs, ours) in [(200, 201), (299, 201), (404, 404), (410, 404), (500, 418), (302, 418)] {
        assert_eq!(gateway.get(&format!("/s/{theirs}")).brief(), message(ours, &theirs.to_string()));
    }
}

#[test]
fn no_matching_response_is_a_configuration_error() {
    let origin = answering_with_the_status_asked_for();
    let gateway = serving(&selecting(origin.port, json!({"200": {"statusCode": "200"}}))).start();
    let mut client = gateway.connect();
    for (theirs, expected) in [(200, message(200, "200")), (404, message(500, INTERNAL)), (200, message(200, "200"))] {
        client.send(format!("GET /s/{theirs} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
        let seen = client.response();
        assert_eq!(seen.brief(), expected);
        if theirs == 404 {
            assert_eq!(seen.field("x-amzn-errortype"), Some("InternalServerErrorException"));
        }
    }
}

#[test]
fn only_mapped_response_headers_pass_and_their_sources_are_the_answers() {
    let origin = answering_with_the_status_asked_for();
    let responses = json!({"default": {"statusCode": "200", "responseParameters": {
        "method.response.header.X-Ours": "integration.response.header.X-Theirs",
        "method.response.header.X-Literal": "'l'",
        "method.response.header.X-None": "integration.response.header.X-Absent",
        "method.response.header.Content-Type": "'text/plain'",
    }}});
    let mut document = selecting(origin.port, responses);
    let headers: Value = ["X-Ours", "X-Literal", "X-None", "Content-Type"]
        .iter()
        .map(|name| ((*name).to_owned(), json!({"schema": {"type": "string"}})))
        .collect();
    document["paths"]["/s/{s}"]["get"]["responses"]["200"]["headers"] = headers;
    let gateway = serving(&document).start();
    let seen = gateway.get("/s/203");
    let fields = [("x-ours", Some("203")), ("x-literal", Some("l")), ("x-none", None), ("x-theirs", None)];
    for (name, value) in fields {
        assert_eq!(seen.field(name), value, "{name}");
    }
    assert_eq!(seen.field("content-type"), Some("text/plain"));
}

#[test]
fn the_table_of_passthrough_behaviours_holds() {
    let origin = Origin::echoing();
    let template = |kind: &str| match kind {
        "json" => json!({"application/json": "templated"}),
        "xml" => json!({"application/xml": "templated"}),
        _ => json!({}),
    };
    let mut paths = json!({});
    let behaviours = ["when_no_match", "when_no_templates", "never"];
    for kind in ["json", "xml", "none"] {
        for behaviour in behaviours {
            let path = format!("/{kind}/{behaviour}");
            let integration = json!({"type": "http", "httpMethod": "POST", "passthroughBehavior": behaviour,
                "uri": format!("http://127.0.0.1:{}/x", origin.port), "requestTemplates": template(kind),
                "responses": {"default": {"statusCode": "200"}}});
            paths[&path] = json!({"post": operation(&path, &integration)});
        }
    }
    let gateway = serving(&document(&paths)).start();
    // Rows: templates, content type, and what happens under each behaviour (T transformed, P passed, x 415).
    let rows = [
        ("json", "", "TTT"),
        ("json", "application/json", "TTT"),
        ("json", "application/json; charset=utf-8", "TTT"),
        ("json", "application/xml", "Pxx"),
        ("xml", "", "Pxx"),
        ("xml", "application/json", "Pxx"),
        ("xml", "application/xml", "TTT"),
        ("none", "", "PPx"),
        ("none", "application/json", "PPx"),
        ("none", "text/x", "PPx"),
    ];
    for (kind, content_type, outcomes) in rows {
        for (behaviour, outcome) in behaviours.iter().zip(outcomes.chars()) {
            let line =
                if content_type.is_empty() { String::new() } else { format!("Content-Type: {content_type}\r\n") };
            let head =
                format!("POST /{kind}/{behaviour} HTTP/1.1\r\nHost: a.example\r\n{line}Content-Length: 4\r\n\r\nbody");
            let before = origin.request_count();
            let expected = match outcome {
                'T' => message(200, "POST /x|templated"),
                'P' => message(200, "POST /x|body"),
                _ => message(415, UNSUPPORTED),
            };
            assert_eq!(gateway.call(&head).brief(), expected, "{kind} {behaviour} {content_type}");
            assert_eq!(origin.request_count() - before, usize::from(outcome != 'x'));
        }
    }
}

#[test]
fn mocks_select_their_response_by_an_integer_status() {
    each_driver(|driver| {
        let with = |template: &str| {
            json!({"type": "mock", "requestTemplates": {"application/json": template}, "responses": {
                "default": {"statusCode": "200", "responseTemplates": {"application/json": "default"}},
                "4\\d\\d": {"statusCode": "404", "responseTemplates": {"application/json": "four hundred"}},
            }})
        };
        let rows = [
            ("{\"statusCode\": 200}", 200),
            ("{statusCode: 200}", 200),
            ("{'statusCode': 200}", 200),
            ("{\"statusCode\": 200,,}", 200),
            ("{\"statusCode\": 404}", 404),
            ("{\"statusCode\": 499}", 404),
            ("{\"a\": \"b\", \"statusCode\": 410}", 404),
            ("{\"statusCode\": 503}", 200),
            ("{\"statusCode\": \"200\"}", 500),
            ("{\"statusCode': 200}", 500),
            ("\"statusCode\": 200", 500),
            ("{}", 500),
        ];
        let mut paths = json!({});
        for (index, (template, _)) in rows.iter().enumerate() {
            let path = format!("/m{index}");
            let mut operation = operation(&path, &with(template));
            operation["responses"]["404"] = json!({"description": "x"});
            paths[&path] = json!({"get": operation});
        }
        let gateway = serving(&document(&paths)).on(driver).start();
        for (index, (template, status)) in rows.iter().enumerate() {
            let body = match status {
                200 => "default",
                404 => "four hundred",
                _ => INTERNAL,
            };
            let seen = gateway.get(&format!("/m{index}"));
            assert_eq!(seen.brief(), message(*status, body), "{template}");
            assert_eq!(seen.field("x-amzn-trace-id"), None);
        }
    });
}

#[test]
fn a_mock_without_template_reads_the_status_from_the_clients_body() {
    let integration = json!({"type": "mock", "passthroughBehavior": "when_no_match",
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": "ok"}}}});
    let gateway = serving(&document(&routes(&[("/m", "post", integration)]))).start();
    let call = |body: &str| {
        gateway
            .call(&format!("POST /m HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
            .status
    };
    assert_eq!((call("{\"statusCode\": 200}"), call("{\"status\": 200}"), call("")), (200, 500, 500));
    let large = format!("{{\"pad\": \"{}\", \"statusCode\": 200}}", "x".repeat(100_000));
    assert_eq!(call(&large), 200);
}

#[test]
fn gateway_responses_are_what_the_definition_makes_of_them() {
    let mut document = document(&routes(&[
        (
            "/refused",
            "get",
            json!({"type": "http_proxy", "httpMethod": "GET", "uri": format!("http://127.0.0.1:{}/", refusing_port())}),
        ),
        (
            "/mock",
            "post",
            json!({"type": "mock", "passthroughBehavior": "never", "responses": {"default": {"statusCode": "200"}}}),
        ),
    ]));
    document["x-amazon-apigateway-gateway-responses"] = json!({
        "MISSING_AUTHENTICATION_TOKEN": {
            "statusCode": 404,
            "responseParameters": {
                "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
                "gatewayresponse.header.X-Asked": "method.request.header.X-Ask",
            },
            "responseTemplates": {"application/json": "{\"m\":$context.error.messageString,\"t\":\"$context.error.responseType\"}"},
        },
        "API_CONFIGURATION_ERROR": {"statusCode": 502, "responseTemplates": {"text/plain": "sorry"},
            "responseParameters": {"gatewayresponse.header.Content-Type": "'text/plain'"}},
        "DEFAULT_4XX": {"statusCode": 499},
    });
    let gateway = serving(&document).start();
    let seen = gateway.call("GET /none HTTP/1.1\r\nHost: a.example\r\nX-Ask: yes\r\n\r\n");
    let body = "{\"m\":\"Missing Authentication Token\",\"t\":\"MISSING_AUTHENTICATION_TOKEN\"}";
    assert_eq!(seen.brief(), message(404, body));
    assert_eq!(seen.field("access-control-allow-origin"), Some("*"));
    assert_eq!(seen.field("x-asked"), Some("yes"));
    assert_eq!(seen.field("x-amzn-errortype"), Some("MissingAuthenticationTokenException"));
    let seen = gateway.get("/refused");
    assert_eq!((seen.brief(), seen.field("content-type")), (message(502, "sorry"), Some("text/plain")));
    let seen = gateway.call("POST /mock HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(seen.status, 499, "the type without an entry falls back to DEFAULT_4XX");
    assert_eq!(seen.text(), UNSUPPORTED);
}

#[test]
fn what_is_not_served_yet_answers_500_and_the_rest_goes_on() {
    let lambda = json!({"type": "aws_proxy", "httpMethod": "POST",
        "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"});
    let gateway = serving(&document(&routes(&[("/l", "get", lambda), ("/m", "get", mock("fine"))]))).start();
    assert_eq!(gateway.get("/l").brief(), message(500, INTERNAL));
    assert_eq!(gateway.get("/m").brief(), message(200, "fine"));
}
