//! `HTTP`: templates, mapped fields and integration responses (rest-integrations §2, §3, §5, §8).

use super::*;

const URI: &str = "type: http, httpMethod: ANY, uri: 'http://origin.example/base'";
const DEFAULT: &str = "responses: {default: {statusCode: '200'}}";

fn http(members: &str) -> World {
    World::of(&operation("x-amazon-apigateway-any-method", "/pets", &format!("{URI}, {members}")))
}

fn defaults(content_type: &str) -> String {
    format!(
        "Host: origin.example\n{content_type}Accept: application/json\nUser-Agent: AmazonAPIGateway_a1b2c3d4e5\n{OURS}"
    )
}

#[test]
fn nothing_of_the_client_passes_but_its_content_type() {
    let world = http(DEFAULT);
    let fields = "Accept: text/html\nX-Custom: 1\nAuthorization: x\nUser-Agent: curl\nContent-Type: text/plain\n";
    let expected = format!("GET /base HTTP/1.1\n{}\n", defaults(""));
    assert_eq!(sent(&world, &request("GET /pets?a=1", fields, "")), expected);
    let expected = format!("POST /base HTTP/1.1\n{}Content-Length: 2\n\nhi", defaults("Content-Type: text/plain\n"));
    let (head, _) = expected.split_at(expected.len() - 2);
    assert_eq!(sent(&world, &request("POST /pets?a=1", fields, "hi")), head);
    let expected = format!("PUT /base HTTP/1.1\n{}Content-Length: 0\n\n", defaults("Content-Type: application/json\n"));
    assert_eq!(sent(&world, &request("PUT /pets", "", "")), expected);
}

#[test]
fn reading_methods_carry_no_body_to_the_origin() {
    for method in ["GET", "HEAD", "OPTIONS"] {
        let (sent, told) = exchange(&http(DEFAULT), &request(&format!("{method} /pets"), "", "hi"), OK);
        assert!(!sent.contains("Content-Length") && sent.ends_with("\n\n"), "{sent}");
        assert!(told.keeps_alive, "the body has arrived and is passed over");
    }
}

#[test]
fn mappings_replace_the_defaults() {
    let world = http(&format!(
        "{DEFAULT}, requestParameters: {{integration.request.header.Accept: \"'a/b'\", \
         integration.request.header.user-agent: method.request.header.User-Agent, \
         integration.request.header.Content-Type: \"'c/d'\", integration.request.header.Authorization: \
         method.request.header.Authorization, integration.request.querystring.q: method.request.querystring.q}}"
    ));
    let expected = format!(
        "POST /base?q=%26 HTTP/1.1\nHost: origin.example\nAccept: a/b\nuser-agent: curl\nContent-Type: c/d\n\
         Authorization: x\n{OURS}Content-Length: 0\n\n"
    );
    assert_eq!(sent(&world, &request("POST /pets?q=%26", "User-Agent: curl\nAuthorization: x\n", "")), expected);
}

#[test]
fn a_template_of_text_makes_the_body() {
    let world = http(&format!(
        "{DEFAULT}, requestTemplates: {{application/json: '{{\"stage\": \"$context.stage\", \"path\": \"$context.path\"}}', \
         text/xml: '$input.body'}}"
    ));
    let body = r#"{"stage": "dev", "path": "/dev/pets"}"#;
    for asked in [get("/pets"), get("/dev/pets")] {
        let post = [b"POST", &asked[3..]].concat();
        assert!(sent(&world, &post).ends_with(&format!("Content-Length: {}\n\n{body}", body.len())));
    }
    let xml = request("POST /pets", "Content-Type: text/xml; charset=utf-8\n", "<a/>");
    let (sent, _) = exchange(&world, &xml, OK);
    assert!(sent.ends_with("Content-Length: 4\n\n"), "the client's body follows from the driver: {sent}");
}

/// The table of rest-integrations §3.
#[test]
fn a_body_without_template_passes_or_answers_415() {
    let json = "application/json: '{}'";
    let xml = "text/xml: '<a/>'";
    let cases = [
        (json, "", ["transform", "transform", "transform"]),
        (json, "application/json", ["transform", "transform", "transform"]),
        (json, "application/json;charset=utf-8", ["transform", "transform", "transform"]),
        (json, "text/xml", ["pass", "415", "415"]),
        (xml, "", ["pass", "415", "415"]),
        (xml, "application/json", ["pass", "415", "415"]),
        (xml, "text/xml", ["transform", "transform", "transform"]),
        ("", "", ["pass", "pass", "415"]),
        ("", "text/xml", ["pass", "pass", "415"]),
        ("$default: 'd'", "text/xml", ["transform", "transform", "transform"]),
    ];
    let behaviors = ["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"];
    for (templates, content_type, expected) in cases {
        for (behavior, expected) in behaviors.iter().zip(expected) {
            let world = http(&format!("{DEFAULT}, requestTemplates: {{{templates}}}, passthroughBehavior: {behavior}"));
            let field = if content_type.is_empty() { String::new() } else { format!("Content-Type: {content_type}\n") };
            let (sent, told) = exchange(&world, &request("POST /pets", &field, "client"), OK);
            let outcome = match told.facts.status {
                415 => "415",
                200 if sent.ends_with("Content-Length: 6\n\n") => "pass",
                200 => "transform",
                other => panic!("{other}"),
            };
            assert_eq!(outcome, expected, "{templates} {content_type} {behavior}");
        }
    }
    let never = http(&format!("{DEFAULT}, passthroughBehavior: NEVER"));
    let expected =
        refused("415 Unsupported Media Type", "BadRequestException", r#"{"message": "Unsupported Media Type"}"#);
    assert_eq!(received(&never, &request("POST /pets", "", "x"), OK), expected);
}

#[test]
fn only_mapped_fields_reach_the_client_and_the_body_is_json_by_default() {
    let expected = answered("200 OK", 2, &format!("Content-Type: application/json\n{TRACE}"), "hi");
    let answer = "HTTP/1.1 200 OK\nContent-Type: text/html\nX-Theirs: 1\nSet-Cookie: a\nContent-Length: 2\n\nhi";
    assert_eq!(received(&http(DEFAULT), &get("/pets"), answer), expected);
}

#[test]
fn mapped_response_fields_are_remapped_dropped_or_as_they_are() {
    let remapped = [
        "Connection",
        "Content-Length",
        "Date",
        "Server",
        "Authorization",
        "Content-MD5",
        "Expect",
        "Host",
        "Max-Forwards",
        "Proxy-Authenticate",
        "Trailer",
        "Upgrade",
        "User-Agent",
        "WWW-Authenticate",
    ];
    let passing = ["Accept", "Age", "Content-Encoding", "Pragma", "Range", "Referer", "TE", "Via", "Warn", "X-Any"];
    let header = |name: &str| format!("method.response.header.{name}: \"'v'\"");
    let names = remapped.iter().chain(&passing).chain(&["Transfer-Encoding"]);
    let parameters = names.map(|name| header(name)).collect::<Vec<_>>().join(", ");
    let world = http(&format!("responses: {{default: {{statusCode: '200', responseParameters: {{{parameters}}}}}}}"));
    let fields: String = remapped.iter().map(|name| format!("x-amzn-Remapped-{name}: v\n")).collect();
    let passing: String = passing.iter().map(|name| format!("{name}: v\n")).collect();
    let expected = answered("200 OK", 2, &format!("{fields}{passing}Content-Type: application/json\n{TRACE}"), "hi");
    assert_eq!(received(&http(""), &get("/pets"), OK).lines().next(), Some("HTTP/1.1 500 Internal Server Error"));
    assert_eq!(received(&world, &get("/pets"), OK), expected);
}

#[test]
fn a_mapped_trace_stands_alone() {
    let world = http(
        "responses: {default: {statusCode: '200', responseParameters: {method.response.header.X-Amzn-Trace-Id: \"'t'\"}}}",
    );
    let fields = "X-Amzn-Trace-Id: t\nContent-Type: application/json\n";
    assert_eq!(received(&world, &get("/pets"), OK), answered("200 OK", 2, fields, "hi"));
}

#[test]
fn a_body_that_begins_as_json_and_is_none_cannot_be_mapped() {
    let world = http(
        "responses: {default: {statusCode: '200', responseParameters: {method.response.header.X: integration.response.body.a}}}",
    );
    for (body, expected) in [("{\"a\":1}", 200), ("{\"a\":", 500), ("'a'", 500), ("plain", 200), ("", 200)] {
        let answer = format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n{body}", body.len());
        let told = exchange(&world, &get("/pets"), &answer).1;
        assert_eq!(told.facts.status, expected, "{body}");
        let is_said = text(&told.wire).contains("x-amzn-ErrorType: InternalFailureException\n");
        assert_eq!(is_said, expected == 500, "{body}");
    }
}

#[test]
fn an_empty_template_passes_the_body_and_an_empty_one_stays_empty() {
    let world = http(
        "requestTemplates: {application/json: ''}, \
         responses: {default: {statusCode: '200', responseTemplates: {application/json: ''}}}",
    );
    assert!(sent(&world, &request("POST /pets", "", "")).ends_with("Content-Length: 0\n\n"));
    let json = format!("Content-Type: application/json\n{TRACE}");
    assert_eq!(received(&world, &request("POST /pets", "", ""), OK), answered("200 OK", 2, &json, "hi"));
    let nothing = "HTTP/1.1 200 OK\nContent-Length: 0\n\n";
    assert_eq!(received(&world, &request("POST /pets", "", ""), nothing), answered("200 OK", 0, &json, ""));
    let read = http("responses: {default: {statusCode: '200', responseTemplates: {text/xml: '$input.body'}}}");
    let xml = format!("Content-Type: text/xml\n{TRACE}");
    assert_eq!(received(&read, &get("/pets"), nothing), answered("200 OK", 2, &xml, "{}"));
    assert_eq!(received(&read, &get("/pets"), OK), answered("200 OK", 2, &xml, "hi"));
}

#[test]
fn response_mappings_read_the_answer_and_leave_out_what_it_lacks() {
    let world = http(
        "responses: {default: {statusCode: '200', responseParameters: {\
         method.response.header.X-Last: integration.response.header.X-Many, \
         method.response.header.X-All: integration.response.multivalueheader.X-Many, \
         method.response.header.X-Case: integration.response.header.x-many, \
         method.response.header.X-None: integration.response.header.None, \
         method.response.header.X-Id: context.requestId, \
         method.response.header.Content-Type: integration.response.header.Content-Type}}}",
    );
    let answer = "HTTP/1.1 200 OK\nX-Many: 1\nX-Many: 2\nContent-Type: text/html\nContent-Length: 2\n\nhi";
    let fields =
        format!("X-Last: 2\nX-All: 1,2\nX-Id: 07070707-0707-4707-8707-070707070707\nContent-Type: text/html\n{TRACE}");
    assert_eq!(received(&world, &get("/pets"), answer), answered("200 OK", 2, &fields, "hi"));
}

#[test]
fn the_status_chooses_the_response_by_pattern_in_order() {
    let world = http(
        "responses: {'2\\d{2}': {statusCode: '201'}, '4.*': {statusCode: '404'}, '40\\d': {statusCode: '400'}, \
         default: {statusCode: '200'}}",
    );
    let cases = [("200 x", 201), ("299 x", 201), ("404 x", 404), ("500 x", 200), ("302 x", 200), ("799 x", 200)];
    for (status, expected) in cases {
        let answer = format!("HTTP/1.1 {status}\nContent-Length: 2\n\nhi");
        assert_eq!(exchange(&world, &get("/pets"), &answer).1.facts.status, expected, "{status}");
    }
}

#[test]
fn an_error_of_the_origin_is_a_success_where_only_a_default_response_exists() {
    let answer = "HTTP/1.1 400 Bad Request\nContent-Length: 2\n\nhi";
    assert!(received(&http(DEFAULT), &get("/pets"), answer).starts_with("HTTP/1.1 200 OK\n"));
}

#[test]
fn without_a_matching_response_the_definition_is_at_fault() {
    let world = http("responses: {'2..': {statusCode: '200'}}");
    let (_, told) = exchange(&world, &get("/pets"), "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n");
    let expected =
        refused("500 Internal Server Error", "InternalServerErrorException", r#"{"message": "Internal server error"}"#);
    assert_eq!(text(&told.wire), expected);
    assert_eq!(
        told.facts.reason.as_deref(),
        Some(
            "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 404"
        )
    );
}

#[test]
fn a_response_template_replaces_the_body() {
    let templates = "{text/plain: 'stage $context.stage', application/json: '{\"id\": 1}'}";
    let world = http(&format!("responses: {{default: {{statusCode: '200', responseTemplates: {templates}}}}}"));
    let with = |accept: &str| received(&world, &request("GET /pets", accept, ""), OK);
    let plain = answered("200 OK", 9, &format!("Content-Type: text/plain\n{TRACE}"), "stage dev");
    assert_eq!(with("Accept: text/plain, */*\n"), plain);
    let json = answered("200 OK", 9, &format!("Content-Type: application/json\n{TRACE}"), r#"{"id": 1}"#);
    assert_eq!(with("Accept: image/png\n"), json);
    assert_eq!(with(""), json);
    let head = text(&exchange(&world, &request("HEAD /pets", "", ""), "HTTP/1.1 200 OK\n\n").1.wire);
    assert_eq!(head, json.replace(r#"{"id": 1}"#, ""));
}

#[test]
fn a_status_without_content_sends_none_whatever_the_origin_sent() {
    for (status, line) in [("204", "204 No Content"), ("304", "304 Not Modified")] {
        for members in ["", ", responseTemplates: {application/json: '{}'}"] {
            let world = http(&format!("responses: {{default: {{statusCode: '{status}'{members}}}}}"));
            for answer in [OK, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n"] {
                let (_, told) = exchange(&world, &get("/pets"), answer);
                let wire = text(&told.wire);
                assert!(wire.starts_with(&format!("HTTP/1.1 {line}\n")) && wire.ends_with("\n\n"), "{wire}");
                assert!(!wire.contains("Content-Length") && !wire.contains("Transfer-Encoding"), "{wire}");
                assert_eq!((told.keeps_alive, told.facts.response_length), (true, 0));
            }
        }
    }
}

#[test]
fn the_answer_to_head_says_what_get_would_bring() {
    let (_, told) = exchange(&http(DEFAULT), &request("HEAD /pets", "", ""), "HTTP/1.1 200 OK\nContent-Length: 77\n\n");
    assert!(text(&told.wire).contains("\nContent-Length: 77\n") && told.wire.ends_with(b"\r\n\r\n"));
    assert_eq!(told.facts.response_length, 0);
}

#[test]
fn an_interim_status_cannot_end_an_exchange() {
    let world = http("responses: {default: {statusCode: '100'}}");
    assert!(received(&world, &get("/pets"), OK).starts_with("HTTP/1.1 500 "));
}

#[test]
fn stage_variables_name_hosts_and_a_missing_one_answers_500() {
    let members =
        "type: http_proxy, httpMethod: GET, uri: 'http://${stageVariables.host}/${stageVariables.path}/${name}'";
    let variables = &[("host", "v.example:8080"), ("path", "v1")];
    let setting = Setting { variables, ..Setting::default() };
    let world = World::with(&integration(members), &setting);
    assert!(sent(&world, &get("/pets")).starts_with("GET /v1/$%7Bname%7D HTTP/1.1\nHost: v.example:8080\n"));
    let expected =
        refused("500 Internal Server Error", "InternalServerErrorException", r#"{"message":"Internal server error"}"#);
    assert_eq!(received(&World::of(&integration(members)), &get("/pets"), OK), expected);
}

#[test]
fn a_decoded_line_break_in_a_mapped_value_is_no_request() {
    let world = http(&format!(
        "{DEFAULT}, requestParameters: {{integration.request.header.X-Q: method.request.querystring.q}}"
    ));
    let (sent, told) = exchange(&world, &get("/pets?q=a%0d%0aX-Evil:%201"), OK);
    assert_eq!((sent.as_str(), told.facts.status), ("", 500));
    let world = http(
        "responses: {default: {statusCode: '200', responseParameters: {method.response.header.X-Q: context.path}}}",
    );
    assert_eq!(exchange(&world, &get("/pets?%0d%0a"), OK).1.facts.status, 200);
}

#[test]
fn a_template_that_does_not_compile_answers_500_for_every_method() {
    let world = http(&format!("{DEFAULT}, requestTemplates: {{application/json: '#if(1)'}}"));
    for method in ["GET", "POST"] {
        let (sent, told) = exchange(&world, &request(&format!("{method} /pets"), "", ""), OK);
        assert_eq!((sent.as_str(), told.facts.status), ("", 500), "{method}");
        assert!(told.facts.reason.is_some_and(|reason| reason.starts_with("the template does not compile: 1:")));
    }
}
