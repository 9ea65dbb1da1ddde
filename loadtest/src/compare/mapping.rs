//! A request that is validated and mapped against one that is only passed on, on Ringgate.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::peer::{Peer, PeerKind, RinggateWay, START_PATIENCE, ringgate};
use super::report::{self, Series};
use super::scenario::Scenario;
use super::{Bench, Outcome, round};
use crate::net;
use crate::run::Pace;
use crate::run::requests::Requests;

/// 225 bytes, as a client sends an order.
const ORDER: &str = r#"{"orderId":"a81bc81b-dead-4e5d-abff-90865d1e13b1","customer":{"id":48151623,"name":"Ada Lovelace","email":"ada@example.com"},"items":[{"sku":"X1","quantity":2,"price":249.9},{"sku":"Y2","quantity":1,"price":5.0}],"gift":true}"#;

/// Renames fields and runs over the items, for a back end that has other names.
const TEMPLATE: &str = r##"#set($order = $input.path('$'))
{"id": "$order.orderId", "buyer": {"number": $order.customer.id, "name": "$util.escapeJavaScript($order.customer.name)"},
 "lines": [#foreach($item in $order.items){"article": "$item.sku", "count": $item.quantity}#if($foreach.hasNext), #end#end],
 "stage": "$context.stage", "request": "$context.requestId"}"##;

/// Answers to both arms are those of this scenario.
const SCENARIO: Scenario = Scenario::Post4k;
const ARMS: [(&str, &str); 2] = [("passed on", "/bare"), ("validated and mapped", "/mapped")];

/// Runs both arms in turn, on one gateway.
pub fn compare(bench: &Bench) -> Result<Outcome, String> {
    let peer = start(bench)?;
    let mut all: Vec<Series> = ARMS.iter().map(|(name, _)| Series::new(name)).collect();
    for number in 0..bench.rounds {
        for step in 0..ARMS.len() {
            let index = (number + step) % ARMS.len();
            let requests = requests(peer.address, ARMS[index].1)?;
            all[index].rounds.push(round::run_requests(bench, &peer, SCENARIO, requests, Pace::Closed)?);
        }
    }
    println!("{}", report::arms_table(&format!("POST of {} bytes of JSON", ORDER.len()), &all));
    Ok(Outcome { results: report::arms_json(&all), failed: all.iter().map(Series::failed).sum() })
}

fn start(bench: &Bench) -> Result<Peer, String> {
    let file = bench.folder.write("mapping.json", &document(bench.origin).to_string())?;
    let address = net::free_address().map_err(|error| error.to_string())?;
    let way = RinggateWay { kind: PeerKind::Ringgate, shards: 1, more: &[] };
    let command = ringgate(bench.ringgate()?, address, &file, &way, bench)?;
    let request = requests(address, ARMS[1].1)?;
    Peer::start_asking("mapping", command, address, bench, (SCENARIO, request), START_PATIENCE)
}

fn requests(address: SocketAddr, path: &str) -> Result<Requests, String> {
    let headers = ["Accept: */*", "Content-Type: application/json"].map(str::to_owned);
    Requests::build("POST", &address.to_string(), &headers, ORDER.as_bytes(), &[path.to_owned()])
}

fn document(origin: SocketAddr) -> Value {
    let uri = format!("http://{origin}{}", SCENARIO.path());
    let responses = json!({ "200": { "description": "OK" } });
    json!({
        "openapi": "3.0.1",
        "info": { "title": "ringload", "version": "1" },
        "x-amazon-apigateway-request-validators": { "body": { "validateRequestBody": true } },
        "paths": {
            "/bare": { "post": {
                "responses": responses,
                "x-amazon-apigateway-integration": { "type": "http_proxy", "httpMethod": "POST", "uri": uri },
            } },
            "/mapped": { "post": {
                "x-amazon-apigateway-request-validator": "body",
                "requestBody": { "content": { "application/json": { "schema": schema() } } },
                "responses": responses,
                "x-amazon-apigateway-integration": {
                    "type": "http",
                    "httpMethod": "POST",
                    "uri": uri,
                    "passthroughBehavior": "never",
                    "requestTemplates": { "application/json": TEMPLATE },
                    "responses": { "default": { "statusCode": "200" } },
                },
            } },
        },
    })
}

fn schema() -> Value {
    let item = json!({
        "type": "object",
        "required": ["sku", "quantity"],
        "properties": {
            "sku": { "type": "string" },
            "quantity": { "type": "integer", "minimum": 1, "maximum": 1000 },
            "price": { "type": "number", "minimum": 0 },
        },
    });
    json!({
        "type": "object",
        "required": ["orderId", "customer", "items"],
        "properties": {
            "orderId": { "type": "string", "minLength": 36, "maxLength": 36 },
            "customer": {
                "type": "object",
                "required": ["id", "name"],
                "properties": { "id": { "type": "integer" }, "name": { "type": "string", "maxLength": 100 } },
            },
            "items": { "type": "array", "minItems": 1, "items": item },
            "gift": { "type": "boolean" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_arms_go_to_the_same_place_and_one_is_checked_on_its_way() {
        let document = document(([127, 0, 0, 1], 9).into());
        let integration = |arm: usize| &document["paths"][ARMS[arm].1]["post"]["x-amazon-apigateway-integration"];
        assert_eq!(integration(0)["uri"], integration(1)["uri"]);
        assert_eq!(document["paths"][ARMS[1].1]["post"]["x-amazon-apigateway-request-validator"], "body");
        let order: Value = serde_json::from_str(ORDER).unwrap();
        assert_eq!((ORDER.len(), &order["gift"]), (225, &Value::Bool(true)));
    }
}
