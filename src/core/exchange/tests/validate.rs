//! Request validators (rest-validation-models-cors §1).

use super::*;

const TOP: &str = "
x-amazon-apigateway-request-validators:
  all: {validateRequestBody: true, validateRequestParameters: true}
  parameters: {validateRequestBody: false, validateRequestParameters: true}
  body: {validateRequestBody: true, validateRequestParameters: false}
components:
  schemas:
    Order:
      type: object
      required: [id]
      properties: {id: {type: integer, minimum: 1}, next: {oneOf: [{type: 'null'}, {$ref: '#/components/schemas/Order'}]}}
    List: {type: array, items: {$ref: '#/components/schemas/Order'}}
x-amazon-apigateway-gateway-responses:
  BAD_REQUEST_BODY: {statusCode: '422', responseTemplates: {text/plain: '$context.error.message|$context.error.validationErrorString|$context.error.responseType'}}
";

const BODIES: &str = "requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}, \
                      application/vnd.list+json: {schema: {$ref: '#/components/schemas/List'}}}}";

const PARAMETERS: &str = "{name: id, in: path, required: true, schema: {type: string}}, \
    {name: q, in: query, required: true, schema: {type: string}}, {name: a, in: query, required: true, schema: {type: string}}, \
    {name: X-Key, in: header, required: true, schema: {type: string}}, {name: free, in: query, schema: {type: string}}";

/// `POST /orders/{id}` with a validator and more members, in front of a back end.
fn world(validator: &str, members: &str) -> World {
    world_with(validator, members, "type: http_proxy, httpMethod: POST, uri: 'http://origin.example/x'", TOP)
}

fn world_with(validator: &str, members: &str, integration: &str, top: &str) -> World {
    World::of(&format!(
        "paths:\n  '/orders/{{id}}':\n    post: {{responses: {{'200': {{description: ok}}}}, \
         x-amazon-apigateway-request-validator: {validator}, {members}, x-amazon-apigateway-integration: {{{integration}}}}}\n{top}"
    ))
}

/// What a client is told, or what the origin was sent if the request went through.
fn outcome(world: &World, target: &str, headers: &str, body: &str) -> String {
    let request = request(&format!("POST {target}"), headers, body);
    let answer = wire(OK);
    let mut effects = Table { answer: Ok(&answer), ..Table::default() };
    let told = world.ask_with(&request, &mut Session::default(), &mut effects);
    match told.facts.status {
        200 => text(&effects.sent).split_once("\n\n").map_or_else(String::new, |(_, body)| format!("sent {body}")),
        _ => text(&told.wire).split_once("\n\n").map_or_else(String::new, |(_, body)| body.to_owned()),
    }
}

#[test]
fn missing_parameters_are_listed_by_place_and_name() {
    let world = world("parameters", &format!("parameters: [{PARAMETERS}], {BODIES}"));
    let missing = |names: &str| format!("{{\"message\": \"Missing required request parameters: [{names}]\"}}");
    let rows = [
        ("/orders/7", "", missing("X-Key, a, q")),
        ("/orders/7?q=1&a=2", "x-key: 1\n", missing("X-Key")),
        ("/orders/7?q=1&a=2", "X-Key: \n", missing("X-Key")),
        ("/orders/7?q=&a", "X-Key: 1\n", missing("a, q")),
        ("/orders/7?q=%20+&a=0", "X-Key: 1\n", missing("q")),
        ("/orders/7?Q=1&a=2", "X-Key: 1\n", missing("q")),
    ];
    for (target, headers, expected) in rows {
        assert_eq!(outcome(&world, target, headers, "not json"), expected, "{target} {headers}");
    }
    // The body is the driver's to pass on: nobody has to see it.
    assert_eq!(outcome(&world, "/orders/7?q=1&a=2", "X-Key: 1\n", "not json"), "sent ");
}

#[test]
fn a_path_parameter_that_the_resource_does_not_have_is_always_missing() {
    let world = world("all", "parameters: [{name: issuer, in: path, required: true, schema: {type: string}}]");
    let expected = "{\"message\": \"Missing required request parameters: [issuer]\"}";
    assert_eq!(outcome(&world, "/orders/7", "", ""), expected);
}

#[test]
fn a_body_must_match_the_model_of_its_type() {
    let world = world("body", BODIES);
    let refused = |why: &str| format!("Invalid request body|{why}|BAD_REQUEST_BODY");
    let missing = refused(r#"[object has missing required properties (["id"])]"#);
    let unreadable = refused("[Unknown error parsing request body]");
    let rows = [
        ("Content-Type: application/json\n", r#"{"id": 1}"#, r#"sent {"id": 1}"#.to_owned()),
        ("Content-Type: APPLICATION/JSON; charset=utf-8\n", r#"{"id":2}"#, r#"sent {"id":2}"#.to_owned()),
        ("", r#"{"id":1,"next":{"id":2,"next":null}}"#, r#"sent {"id":1,"next":{"id":2,"next":null}}"#.to_owned()),
        ("", r#"{"id":1,"next":{}}"#, refused("[instance failed to match exactly one schema (matched 0 out of 2)]")),
        ("", r#"{"id":0}"#, refused("[numeric instance is lower than the required minimum (minimum: 1, found: 0)]")),
        ("", "{}", missing.clone()),
        // An empty body is an empty object.
        ("", "", missing.clone()),
        ("Content-Type: application/vnd.list+json\n", "[]", "sent []".to_owned()),
        ("Content-Type: application/vnd.list+json\n", "[{}]", missing),
        (
            "Content-Type: application/vnd.list+json\n",
            "",
            refused(r#"[instance type (object) does not match any allowed primitive type (allowed: ["array"])]"#),
        ),
        ("", "not json", unreadable.clone()),
        ("", r#"{"id":1"#, unreadable.clone()),
        ("", "{\"id\":1,\"x\":\"\\ud800\"}", unreadable),
        // Of another type there is no model.
        ("Content-Type: text/plain\n", "not json", "sent ".to_owned()),
    ];
    for (headers, body, expected) in rows {
        assert_eq!(outcome(&world, "/orders/7", headers, body), expected, "{headers} {body}");
    }
}

#[test]
fn the_standard_answer_says_no_more_than_that_the_body_is_invalid() {
    let world =
        world_with("body", BODIES, "type: mock", TOP.split("x-amazon-apigateway-gateway").next().unwrap_or_default());
    let (_, told) = exchange(&world, &request("POST /orders/7", "", "{}"), OK);
    let body = "{\"message\": \"Invalid request body\"}";
    assert_eq!(text(&told.wire), refused("400 Bad Request", "BadRequestException", body));
    let reason = told.facts.reason.expect("the operator is told more");
    assert_eq!(&*reason, r#"[object has missing required properties (["id"])]"#);
}

#[test]
fn parameters_come_before_the_body() {
    let world = world("all", &format!("parameters: [{PARAMETERS}], {BODIES}"));
    let seen = outcome(&world, "/orders/7?a=1", "X-Key: 1\n", "not json");
    assert_eq!(seen, "{\"message\": \"Missing required request parameters: [q]\"}");
    let seen = outcome(&world, "/orders/7?a=1&q=2", "X-Key: 1\n", "not json");
    assert!(seen.starts_with("Invalid request body|"), "{seen}");
}

#[test]
fn a_validated_body_reaches_templates_and_mappings_whole() {
    let mapped = "type: http, httpMethod: POST, uri: 'http://origin.example/x', responses: {default: {statusCode: '200'}}, \
                  requestParameters: {integration.request.header.X-Body: method.request.body}";
    let world = world_with("body", BODIES, mapped, TOP);
    let request = request("POST /orders/7", "Content-Type: application/json\n", r#"{"id":5}"#);
    let (sent, told) = exchange(&world, &request, OK);
    assert_eq!(told.facts.status, 200);
    assert!(sent.contains("X-Body: {\"id\":5}\n") && sent.ends_with("\n\n{\"id\":5}"), "{sent}");
}

#[test]
fn a_body_that_cannot_be_read_is_not_judged() {
    let world = world("body", BODIES);
    let request = request("POST /orders/7", "", r#"{"id":1}"#);
    for (failure, status) in [(BodyFailure::TooLarge, 413), (BodyFailure::Timeout, 408), (BodyFailure::Malformed, 400)]
    {
        let mut effects = Table { body: Some(Err(failure)), ..Table::default() };
        let told = world.ask_with(&request, &mut Session::default(), &mut effects);
        assert_eq!((told.facts.status, effects.calls), (status, 0), "{failure:?}");
    }
}
