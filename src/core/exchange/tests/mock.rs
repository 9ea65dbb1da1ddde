//! `MOCK` (rest-integrations §9).

use super::*;
use crate::exchange::BodyFailure;

fn mock(members: &str) -> World {
    World::of(&operation("x-amazon-apigateway-any-method", "/pets", &format!("type: mock, {members}")))
}

const RESPONSES: &str = "responses: {'404': {statusCode: '404'}, default: {statusCode: '200'}}";

fn status(world: &World, asked: &[u8]) -> (u16, Option<String>) {
    let told = world.ask(asked, Err(CallFailure::Refused));
    (told.facts.status, told.facts.reason.map(String::from))
}

#[test]
fn the_template_gives_the_status_and_the_response_has_no_body_of_its_own() {
    let world = mock(&format!("requestTemplates: {{application/json: '{{\"statusCode\": 200}}'}}, {RESPONSES}"));
    let expected = answered("200 OK", 0, "Content-Type: application/json\n", "");
    assert_eq!(received(&world, &get("/pets"), OK), expected);
    assert_eq!(sent(&world, &get("/pets")), "", "no back end is called");
}

#[test]
fn statuses_choose_responses() {
    let cases = [
        ("{\"statusCode\": 404}", 404),
        ("{\"statusCode\": 200}", 200),
        ("{\"statusCode\": 0}", 200),
        ("{\"statusCode\": -1000}", 200),
        ("{\"statusCode\": 70000}", 200),
        ("{statusCode: 404,,}", 404),
        ("{\"statusCode\": \"200\"}", 500),
        ("{\"statusCode\": 200", 500),
        ("{}", 500),
        ("", 500),
        ("{\"statusCode\": $stageVariables.code}", 404),
        ("{\"statusCode\": 404, \"id\": \"$context.requestId\"}", 404),
        ("{\"statusCode\": $context.stage}", 500),
        ("#set($x = 404){\"statusCode\": $x}", 404),
        ("#if(1){\"statusCode\": 200}", 500),
    ];
    for (template, expected) in cases {
        let text = template.replace('"', "\\\"");
        let members = operation(
            "get",
            "/pets",
            &format!("type: mock, requestTemplates: {{application/json: \"{text}\"}}, {RESPONSES}"),
        );
        let world = World::with(&members, &Setting { variables: &[("code", "404")], ..Setting::default() });
        assert_eq!(status(&world, &get("/pets")).0, expected, "{template}");
    }
}

#[test]
fn without_a_template_the_body_carries_the_status() {
    let world = mock(RESPONSES);
    let unable = "Unable to parse statusCode. It should be an integer that is defined in the request template.";
    assert_eq!(status(&world, &request("POST /pets", "", "{\"statusCode\": 404}")).0, 404);
    assert_eq!(status(&world, &request("POST /pets", "", "{}")), (500, Some(unable.to_owned())));
    assert_eq!(status(&world, &get("/pets")), (500, Some(unable.to_owned())));
    assert_eq!(status(&mock(&format!("{RESPONSES}, passthroughBehavior: NEVER")), &get("/pets")).0, 415);
    let passing = mock(&format!("requestTemplates: {{application/json: '$input.body'}}, {RESPONSES}"));
    assert_eq!(status(&passing, &request("POST /pets", "", "{\"statusCode\": 404}")).0, 404);
}

#[test]
fn a_body_that_cannot_be_read_has_its_own_answers() {
    let world = mock(RESPONSES);
    let cases = [
        (BodyFailure::Gone, 400),
        (BodyFailure::Timeout, 408),
        (BodyFailure::Malformed, 400),
        (BodyFailure::TooLarge, 413),
        (BodyFailure::OutOfMemory, 503),
    ];
    for (failure, expected) in cases {
        let mut effects = Table { body: Some(Err(failure)), body_is_done: false, ..Table::default() };
        let told = world.ask_with(&request("POST /pets", "", "x"), &mut Session::default(), &mut effects);
        assert_eq!((told.facts.status, told.keeps_alive), (expected, false), "{failure:?}");
        assert!(text(&told.wire).contains("\nConnection: close\n"));
    }
}

#[test]
fn no_matching_response_is_a_fault_of_the_definition() {
    let world =
        mock("requestTemplates: {application/json: '{\"statusCode\": 500}'}, responses: {'2..': {statusCode: '200'}}");
    let (status, reason) = status(&world, &get("/pets"));
    assert_eq!((status, reason.as_deref().map(|reason| &reason[..27])), (500, Some("No match for output mapping")));
}

#[test]
fn a_response_has_mapped_fields_and_a_template_and_no_trace() {
    let world = mock(
        "requestTemplates: {application/json: '{\"statusCode\": 200}'}, responses: {default: {statusCode: '200', \
         responseParameters: {method.response.header.Access-Control-Allow-Origin: \"'*'\", \
         method.response.header.X-Back: integration.response.header.X}, \
         responseTemplates: {application/json: '{\"ip\": \"$context.identity.sourceIp\"}'}}}",
    );
    let body = r#"{"ip": "203.0.113.9"}"#;
    let fields = "Access-Control-Allow-Origin: *\nContent-Type: application/json\n";
    let expected = answered("200 OK", body.len(), fields, body);
    assert_eq!(received(&world, &get("/pets"), OK), expected);
    assert_eq!(received(&world, &request("HEAD /pets", "", ""), OK), expected.replace(body, ""));
    assert_eq!(received(&world, &request("OPTIONS /dev/pets/", "", ""), OK), expected);
}

/// As preflight responses are often declared.
#[test]
fn an_empty_response_template_is_an_empty_body() {
    let world = mock(
        "requestTemplates: {application/json: '{\"statusCode\": 200}'}, \
         responses: {default: {statusCode: '200', responseTemplates: {application/json: ''}}}",
    );
    let expected = answered("200 OK", 0, "Content-Type: application/json\n", "");
    assert_eq!(received(&world, &request("OPTIONS /pets", "", ""), OK), expected);
}

#[test]
fn a_body_that_has_not_arrived_ends_the_connection() {
    let world = mock(&format!("requestTemplates: {{application/json: '{{\"statusCode\": 200}}'}}, {RESPONSES}"));
    let mut effects = Table { body_is_done: false, ..Table::default() };
    let told = world.ask_with(&request("POST /pets", "", "abc"), &mut Session::default(), &mut effects);
    assert!(!told.keeps_alive && text(&told.wire).contains("\nConnection: close\n"));
}
