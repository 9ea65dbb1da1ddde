//! The API definitions that Ringgate serves in comparisons: OpenAPI with API Gateway's extensions.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::scenario::{MOCK_BODY, Scenario};

/// One route for each of these scenarios.
pub fn of_scenarios(scenarios: &[Scenario], origin: SocketAddr) -> String {
    let mut paths = Map::new();
    for &scenario in scenarios {
        let method = if scenario == Scenario::Post4k { "post" } else { "get" };
        paths.insert(scenario.path().to_owned(), json!({ method: operation(scenario, origin) }));
    }
    document(paths)
}

/// Routes made of [`route_template`], all with the integration of one scenario.
pub fn of_many_routes(count: usize, scenario: Scenario, origin: SocketAddr) -> String {
    let routes = (0..count).map(|index| {
        let (template, has_parameter) = route_template(index);
        let mut operation = operation(scenario, origin);
        if has_parameter {
            operation["parameters"] =
                json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
        }
        (template, json!({ "get": operation }))
    });
    document(routes.collect())
}

/// The path of a route: a thousand to a group, every fourth with a parameter at its end. All are equally
/// long to request, so that more routes are not more bytes.
fn route_template(index: usize) -> (String, bool) {
    let (group, has_parameter) = (index / 1_000, index % 4 == 3);
    let tail = if has_parameter { "{id}" } else { "item" };
    (format!("/r/g{group:04}/x{index:06}/{tail}"), has_parameter)
}

/// A path that reaches route `index`.
pub fn route_path(index: usize) -> String {
    route_template(index).0.replace("{id}", "1234")
}

fn document(paths: Map<String, Value>) -> String {
    json!({
        "openapi": "3.0.1",
        "info": { "title": "ringload", "version": "1" },
        "paths": paths,
    })
    .to_string()
}

fn operation(scenario: Scenario, origin: SocketAddr) -> Value {
    let integration = match scenario {
        Scenario::Mock => json!({
            "type": "mock",
            "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
            "responses": {
                "default": { "statusCode": "200", "responseTemplates": { "application/json": MOCK_BODY } }
            },
        }),
        proxied => json!({
            "type": "http_proxy",
            "httpMethod": if proxied == Scenario::Post4k { "POST" } else { "GET" },
            "uri": format!("http://{origin}{}", proxied.path()),
        }),
    };
    json!({
        "responses": { "200": { "description": "OK" } },
        "x-amazon-apigateway-integration": integration,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_distinct_and_requests_to_them_equally_long() {
        let templates: std::collections::BTreeSet<_> = (0..5_000).map(|index| route_template(index).0).collect();
        assert_eq!(templates.len(), 5_000);
        assert!((0..5_000).all(|index| route_path(index).len() == route_path(0).len()));
        assert_eq!(route_path(3), "/r/g0000/x000003/1234");
    }

    #[test]
    fn documents_hold_a_route_for_each_scenario() {
        let all = [Scenario::Get1k, Scenario::Get64k, Scenario::Post4k, Scenario::Mock];
        let document: Value = serde_json::from_str(&of_scenarios(&all, ([127, 0, 0, 1], 9).into())).unwrap();
        let integration = "x-amazon-apigateway-integration";
        assert_eq!(document["paths"]["/bytes/1024"]["get"][integration]["uri"], "http://127.0.0.1:9/bytes/1024");
        assert_eq!(document["paths"]["/bytes/128"]["post"][integration]["httpMethod"], "POST");
        assert_eq!(document["paths"]["/mock"]["get"][integration]["type"], "mock");
    }
}
