//! Which deployment serves a request, and what that shows: canaries and custom domains.

use std::sync::Arc;

use ringgate_core::plan::{Canary, Mapping, StageIndex};

use super::world::{API_ID, Session, Table, Told, World};
use super::{exchange, get, operation, text, wire};

/// A resource `/x` that answers with what a template makes of `says`.
fn saying(says: &str) -> World {
    World::of(&format!(
        "paths: {{/x: {{get: {{responses: {{'200': {{description: d}}}}, x-amazon-apigateway-integration: {{type: mock, \
         requestTemplates: {{application/json: '{{\"statusCode\": 200}}'}}, \
         responses: {{default: {{statusCode: '200', responseTemplates: {{application/json: '{says}'}}}}}}}}}}}}}}"
    ))
}

/// A stage with a canary that takes half of its requests.
fn with_canary() -> World {
    let says = "$context.isCanaryRequest $context.deploymentId $context.stage";
    let (mut world, canary) = (saying(&format!("stage {says}")), saying(&format!("canary {says}")));
    let mut canary = Arc::into_inner(canary.snapshot.stages.into_vec().remove(0)).expect("nobody else has it");
    (canary.is_canary, canary.deployment_id) = (true, "next567890".into());
    let mut stages = std::mem::take(&mut world.snapshot.stages).into_vec();
    stages.push(Arc::new(canary));
    world.snapshot.stages = stages.into();
    world.snapshot.canaries = Box::new([Some(Canary { stage: StageIndex(1), share: 1 << 63 })]);
    world
}

fn drawing(world: &World, draw: u64) -> String {
    let mut effects = Table { draw, ..Table::default() };
    body(&world.ask_with(&get("/x"), &mut Session::default(), &mut effects))
}

fn body(told: &Told) -> String {
    text(&told.wire).split("\n\n").nth(1).unwrap_or_default().to_owned()
}

#[test]
fn a_draw_below_the_share_goes_to_the_canary() {
    let world = with_canary();
    for (draw, expected) in [
        (0, "canary true next567890 dev"),
        ((1 << 63) - 1, "canary true next567890 dev"),
        (1 << 63, "stage false deploy1234 dev"),
        (u64::MAX, "stage false deploy1234 dev"),
    ] {
        assert_eq!(drawing(&world, draw), expected, "{draw:#x}");
    }
}

#[test]
fn a_stage_without_a_canary_says_nothing_about_canaries() {
    let (_, told) = exchange(&saying("[$context.isCanaryRequest]"), &get("/x"), "");
    assert_eq!(body(&told), "[]");
}

#[test]
fn on_a_custom_domain_the_path_holds_the_base_path_and_not_the_stage() {
    let mut world = saying("$context.path $context.domainName $context.stage");
    let mapping = |base_path| Mapping { base_path, api_id: API_ID, stage: Some("dev") };
    world.snapshot.hosts.insert_domain("api.example.com", &[mapping("shop")]);
    let ask = |path: &str| wire(&format!("GET {path} HTTP/1.1\nHost: api.example.com:8080\n\n"));
    let (_, told) = exchange(&world, &ask("/shop/x"), "");
    assert_eq!(body(&told), "/shop/x api.example.com dev");
    let (_, told) = exchange(&world, &ask("//shop/x"), "");
    assert_eq!(body(&told), "/shop/x api.example.com dev");
    let (_, told) = exchange(&world, &ask("/other/x"), "");
    assert_eq!((told.facts.status, body(&told).as_str()), (403, "{\"message\":\"Forbidden\"}"));
    assert!(text(&told.wire).contains("x-amzn-ErrorType: ForbiddenException\n"), "{}", text(&told.wire));
}

#[test]
fn on_a_domain_with_base_paths_of_several_levels_headers_have_lower_case_names() {
    let says = "$input.params().header.get(\\\"x-kind\\\") $input.params(\\\"x-kind\\\")";
    let mut world = saying(&says.replace("\\\"", "\""));
    let mapping = |base_path| Mapping { base_path, api_id: API_ID, stage: Some("dev") };
    world.snapshot.hosts.insert_domain("api.example.com", &[mapping("shop"), mapping("shop/v1")]);
    world.snapshot.hosts.insert_domain("plain.example.com", &[mapping("shop")]);
    for (host, expected) in [("api.example.com", "cat cat"), ("plain.example.com", " ")] {
        let asked = wire(&format!("GET /shop/x HTTP/1.1\nHost: {host}\nX-Kind: cat\n\n"));
        assert_eq!(body(&exchange(&world, &asked, "").1), expected, "{host}");
    }
    let mut world = World::of(&operation(
        "get",
        "/x",
        "type: http_proxy, httpMethod: GET, uri: 'http://origin.example/', \
         requestParameters: {integration.request.header.Copy: method.request.header.x-kind}",
    ));
    world.snapshot.hosts.insert_domain("api.example.com", &[mapping("shop"), mapping("shop/v1")]);
    let asked = wire("GET /shop/x HTTP/1.1\nHost: api.example.com\nX-Kind: Cat\nX-KIND: Dog\n\n");
    let (sent, _) = exchange(&world, &asked, "HTTP/1.1 200 OK\nContent-Length: 0\n\n");
    assert!(sent.contains("\nx-kind: Cat,Dog\n") && sent.contains("\nCopy: Dog\n"), "{sent}");
}

#[test]
fn a_closed_default_endpoint_is_forbidden() {
    let mut world = saying("open");
    world.snapshot.hosts.disable_default_endpoint(API_ID);
    let request = wire(&format!("GET /dev/x HTTP/1.1\nHost: {API_ID}.execute-api.localhost\n\n"));
    let (_, told) = exchange(&world, &request, "");
    assert_eq!((told.facts.status, body(&told).as_str()), (403, "{\"message\":\"Forbidden\"}"));
}
