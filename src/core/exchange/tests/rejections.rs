//! Gateway responses: what each failure answers (rest-integrations §8.1, rest-validation-models-cors §4).

use super::*;
use crate::exchange::{BodyFailure, write_refusal};

const PROXY: &str = "type: http_proxy, httpMethod: ANY, uri: 'http://origin.example'";

fn world(responses: &str) -> World {
    let paths = operation("x-amazon-apigateway-any-method", "/pets/{id}", PROXY);
    World::of(&format!("{paths}\nx-amazon-apigateway-gateway-responses: {{{responses}}}"))
}

fn failed(world: &World, failure: CallFailure) -> Told {
    world.ask(&get("/pets/7?q=a%20b"), Err(failure))
}

#[test]
fn each_failure_of_a_call_has_its_recorded_answer() {
    let (compact, spaced) =
        (r#"{"message":"Internal server error"}"#, r#"{"message": "Network error communicating with endpoint"}"#);
    let late = r#"{"message": "Endpoint request timed out"}"#;
    let busy = r#"{"message":"Service Unavailable"}"#;
    let (internal, unavailable) = ("InternalServerErrorException", "ServiceUnavailableException");
    let bad = |message: &str| format!(r#"{{"message":"{message}"}}"#);
    let cases = [
        (CallFailure::Refused, "500 Internal Server Error", internal, compact.to_owned()),
        (CallFailure::NameNotFound, "500 Internal Server Error", internal, compact.to_owned()),
        (CallFailure::AddressNotAllowed, "500 Internal Server Error", internal, compact.to_owned()),
        (CallFailure::Network, "504 Gateway Timeout", internal, spaced.to_owned()),
        (CallFailure::Protocol, "504 Gateway Timeout", internal, spaced.to_owned()),
        (CallFailure::Timeout, "504 Gateway Timeout", internal, late.to_owned()),
        (CallFailure::TooManyConnections, "503 Service Unavailable", unavailable, busy.to_owned()),
        (CallFailure::OutOfMemory, "503 Service Unavailable", unavailable, busy.to_owned()),
        (CallFailure::Body(BodyFailure::Gone), "400 Bad Request", "BadRequestException", bad("Bad Request")),
        (CallFailure::Body(BodyFailure::Malformed), "400 Bad Request", "BadRequestException", bad("Bad Request")),
        (CallFailure::Body(BodyFailure::Timeout), "408 Request Timeout", "BadRequestException", bad("Request Timeout")),
        (
            CallFailure::Body(BodyFailure::TooLarge),
            "413 Content Too Large",
            "RequestTooLargeException",
            bad("Request Too Long"),
        ),
        (CallFailure::Body(BodyFailure::OutOfMemory), "503 Service Unavailable", unavailable, busy.to_owned()),
    ];
    for (failure, status, error_type, body) in cases {
        let told = failed(&world(""), failure);
        assert_eq!(text(&told.wire), refused(status, error_type, &body), "{failure:?}");
        assert_eq!(told.facts.call_failure, Some(failure));
        let latency = told.facts.integration_latency_nanos;
        assert_eq!((latency, told.facts.integration_status), (Some(12_000_000), None), "{failure:?}");
    }
}

#[test]
fn the_front_end_answers_what_leads_nowhere() {
    let world = world("");
    let missing = refused(
        "403 Forbidden",
        "MissingAuthenticationTokenException",
        r#"{"message":"Missing Authentication Token"}"#,
    );
    for start in ["GET /", "GET /pets", "GET /dev", "GET /dev/nothing", "GET /pets/1/2", "TRACE /pets/1", "OPTIONS *"] {
        assert_eq!(received(&world, &request(start, "", ""), OK), missing, "{start}");
    }
    let all = World::of(&operation("x-amazon-apigateway-any-method", "/{proxy+}", PROXY));
    assert_eq!(received(&all, &request("OPTIONS *", "", ""), OK), missing, "the server is no resource");
    for (header, says) in [
        (
            "Bearer x",
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with \
             Base64): 'uTem/WB082UJMN2ajD6lH6UChGpTAddMJSx2iu923No='.",
        ),
        (
            "Basic eA==",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires \
             existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=Basic",
        ),
    ] {
        let asked = request("GET /none", &format!("Authorization: {header}\n"), "");
        let expected = refused("403 Forbidden", "IncompleteSignatureException", &format!("{{\"message\":\"{says}\"}}"));
        assert_eq!(received(&world, &asked, OK), expected, "{header}");
    }
    let signed = "Authorization: AWS4-HMAC-SHA256 Credential=x\n";
    assert_eq!(received(&world, &request("GET /none", signed, ""), OK), missing);
    let at = |host: &str, path: &str| {
        text(&world.ask(&wire(&format!("GET {path} HTTP/1.1\nHost: {host}\n\n")), Err(CallFailure::Refused)).wire)
    };
    let host = "a1b2c3d4e5.execute-api.localhost:8080";
    assert_eq!(at(host, "/prod/pets/1"), refused("403 Forbidden", "ForbiddenException", r#"{"message":"Forbidden"}"#));
    assert_eq!(at(host, "/dev/pets"), missing);
    assert_eq!(at(&host.to_uppercase(), "/dev/pets"), missing, "hosts have no case");
    let nobody = refused("404 Not Found", "NotFoundException", r#"{"message":"Not Found"}"#);
    assert_eq!(at("zzzzzzzzzz.execute-api.localhost", "/dev/pets/1"), nobody);
    assert_eq!(at("localhost", "/restapis/zzzzzzzzzz/dev/_user_request_/pets/1"), nobody);
}

#[test]
fn bodies_beyond_the_limit_are_refused_on_their_word() {
    let declared = wire("POST /pets/1 HTTP/1.1\nHost: a\nContent-Length: 1001\n\n");
    let mut effects = Table { body_is_done: false, ..Table::default() };
    let told = world("").ask_with(&declared, &mut Session::default(), &mut effects);
    let expected = refused("413 Content Too Large", "RequestTooLargeException", r#"{"message":"Request Too Long"}"#);
    assert_eq!(text(&told.wire), expected.replace("keep-alive", "close"));
    assert_eq!(effects.calls, 0);
    let (_, told) = exchange(&world(""), &get("/pets/1"), "HTTP/1.1 200 OK\nContent-Length: 1001\n\n");
    assert_eq!(
        text(&told.wire),
        refused("500 Internal Server Error", "InternalServerErrorException", r#"{"message": "Internal server error"}"#)
    );
    assert_eq!(told.facts.integration_status, Some(200));
}

#[test]
fn an_answer_that_is_no_http_is_a_network_error() {
    for answer in [
        "SSH-2.0-x\n",
        "HTTP/1.1 200 OK\nA : b\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\n",
        "HTTP/1.1 20",
    ] {
        let (_, told) = exchange(&world(""), &get("/pets/1"), answer);
        assert_eq!((told.facts.status, told.facts.integration_status), (504, None), "{answer}");
    }
}

#[test]
fn head_has_no_body_and_the_length_of_one() {
    let told = world("").ask(&request("HEAD /nothing", "", ""), Err(CallFailure::Refused));
    let missing = r#"{"message":"Missing Authentication Token"}"#;
    let expected = refused("403 Forbidden", "MissingAuthenticationTokenException", missing).replace(missing, "");
    assert_eq!((text(&told.wire), told.facts.response_length), (expected, 0));
}

#[test]
fn a_customized_type_changes_status_fields_and_body() {
    let world = world(
        "MISSING_AUTHENTICATION_TOKEN: {statusCode: 404, responseParameters: {\
         gatewayresponse.header.Access-Control-Allow-Origin: \"'*'\", \
         gatewayresponse.header.x-request-query: method.request.querystring.q, \
         gatewayresponse.header.x-request-header: method.request.header.Accept, \
         gatewayresponse.header.x-stage: context.stage, \
         gatewayresponse.header.x-none: method.request.header.none}, responseTemplates: {application/json: \
         '{\"m\": $context.error.messageString, \"t\": \"$context.error.responseType\", \"r\": \"$context.error.message\"}'}}",
    );
    let body = r#"{"m": "Missing Authentication Token", "t": "MISSING_AUTHENTICATION_TOKEN", "r": "Missing Authentication Token"}"#;
    let fields = "Access-Control-Allow-Origin: *\nx-request-query: a b\nx-request-header: text/html\nx-stage: dev\n\
                  Content-Type: application/json\nx-amzn-ErrorType: MissingAuthenticationTokenException\n";
    let asked = request("GET /none?q=a%20b", "Accept: text/html\n", "");
    assert_eq!(received(&world, &asked, OK), answered("404 Not Found", body.len(), fields, body));
}

#[test]
fn path_variables_are_known_to_failures_of_their_route() {
    let world = world(
        "INTEGRATION_TIMEOUT: {responseParameters: {gatewayresponse.header.x-id: method.request.path.id}, \
         responseTemplates: {text/plain: 'no pet $method.request.path.id for $method.request.querystring.q'}}",
    );
    let body = "no pet 7 for a b";
    let fields = "x-id: 7\nContent-Type: text/plain\nx-amzn-ErrorType: InternalServerErrorException\n";
    let told = failed(&world, CallFailure::Timeout);
    assert_eq!(text(&told.wire), answered("504 Gateway Timeout", body.len(), fields, body));
}

#[test]
fn untouched_types_inherit_the_default_of_their_class() {
    let statuses = |responses: &str| {
        let world = world(responses);
        let status = |failure| failed(&world, failure).facts.status;
        let shed = status(CallFailure::TooManyConnections);
        let missing = world.ask(&get("/none"), Err(CallFailure::Refused)).facts.status;
        let (_, large) = exchange(&world, &get("/pets/1"), "HTTP/1.1 200 OK\nContent-Length: 1001\n\n");
        (missing, status(CallFailure::Refused), status(CallFailure::Network), shed, large.facts.status)
    };
    assert_eq!(statuses(""), (403, 500, 504, 503, 500));
    assert_eq!(statuses("DEFAULT_4XX: {statusCode: 499}"), (499, 500, 504, 503, 500));
    assert_eq!(statuses("DEFAULT_5XX: {statusCode: 599}"), (403, 599, 599, 599, 599));
    assert_eq!(statuses("DEFAULT_5XX: {statusCode: 500}"), (403, 500, 500, 500, 500));
    assert_eq!(
        statuses("DEFAULT_5XX: {statusCode: 599}, INTEGRATION_FAILURE: {statusCode: 504}"),
        (403, 599, 504, 599, 504)
    );
    assert_eq!(statuses("INTEGRATION_FAILURE: {}"), (403, 500, 500, 503, 500));
    assert_eq!(statuses("DEFAULT_4XX: {statusCode: 499}, MISSING_AUTHENTICATION_TOKEN: {}"), (403, 500, 504, 503, 500));
}

#[test]
fn a_customization_cannot_break_the_message() {
    let names = [
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Date",
        "Server",
        "x-amzn-RequestId",
        "x-amz-apigw-id",
        "x-amzn-ErrorType",
    ];
    let parameters: Vec<_> = names.iter().map(|name| format!("gatewayresponse.header.{name}: \"'7'\"")).collect();
    let world = world(&format!(
        "MISSING_AUTHENTICATION_TOKEN: {{responseParameters: {{{}, gatewayresponse.header.x-q: method.request.querystring.q, \
         gatewayresponse.header.WWW-Authenticate: \"'Basic'\"}}}}",
        parameters.join(", ")
    ));
    let told = world.ask(&get("/none?q=a%0d%0ab"), Err(CallFailure::Refused));
    let (head, content) = told.parsed(crate::proto::http::Method::Get);
    for name in names {
        let count = head.fields.named(name.as_bytes(), &told.wire).count();
        assert!(count <= 1, "{name}\n{}", text(&told.wire));
    }
    let wire = text(&told.wire);
    assert!(wire.contains("\nWWW-Authenticate: Basic\n") && !wire.contains("x-q"), "{wire}");
    assert!(wire.contains("\nx-amzn-ErrorType: MissingAuthenticationTokenException\n"), "{wire}");
    assert_eq!(content, br#"{"message":"Missing Authentication Token"}"#);
    for name in &names[..5] {
        let finding = world.findings.iter().find(|finding| finding.message.contains(name));
        assert_eq!(finding.map(|finding| finding.rule), Some("mapping-dropped"), "{name}");
    }
}

#[test]
fn a_status_of_no_content_sends_none() {
    let world = world("MISSING_AUTHENTICATION_TOKEN: {statusCode: 204}, DEFAULT_5XX: {statusCode: 101}");
    let told = world.ask(&get("/none"), Err(CallFailure::Refused));
    assert!(!text(&told.wire).contains("Content-Length") && told.wire.ends_with(b"\r\n\r\n"));
    assert_eq!(failed(&world, CallFailure::Timeout).facts.status, 504, "an interim status is none");
    assert!(world.findings.iter().any(|finding| finding.rule == "gateway-response-status"));
}

#[test]
fn a_message_that_cannot_be_read_is_refused_without_a_stage() {
    let mut out = Vec::new();
    for (status, line, message) in [
        (400, "400 Bad Request", "Bad Request"),
        (431, "431 Request Header Fields Too Large", "Request Header Fields Too Large"),
        (503, "503 Service Unavailable", "Service Unavailable"),
    ] {
        out.clear();
        write_refusal(status, b"Date: x\r\n", &mut out);
        let body = format!("{{\"message\":\"{message}\"}}");
        let length = body.len();
        assert_eq!(
            text(&out),
            format!(
                "HTTP/1.1 {line}\nDate: x\nContent-Type: application/json\nConnection: close\nContent-Length: {length}\n\n{body}"
            )
        );
    }
}
