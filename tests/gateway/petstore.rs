//! AWS's own example, as published, against a live back end on the desk.

use std::path::PathBuf;

use serde_json::Value;

use super::client::message;
use super::harness::{each_driver, serving};
use super::origin::{Origin, ok};

fn definition() -> Option<Value> {
    let root = std::env::var_os("RINGGATE_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    let path = root.join("petstore/petstore.json");
    let Ok(text) = std::fs::read(&path) else {
        println!("no petstore at {}", path.display());
        return None;
    };
    Some(serde_json::from_slice(&text).expect("it is JSON"))
}

#[test]
fn the_published_example_serves_against_a_live_back_end() {
    let Some(definition) = definition() else { return };
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            while let Some(request) = connection.request() {
                let pet = if request.method == "POST" {
                    String::from_utf8_lossy(&request.body).into_owned()
                } else {
                    request.target
                };
                connection.send(&ok(&pet));
            }
        });
        let upstream =
            format!("--upstream=http://petstore.execute-api.us-east-1.amazonaws.com=http://127.0.0.1:{}", origin.port);
        let gateway = serving(&definition).on(driver).flags([&upstream, "--stage=test"]).start();
        let page = gateway.get("/");
        assert_eq!((page.status, page.field("content-type")), (200, Some("text/html")));
        assert!(page.text().contains("<a href=\"/test/pets/\""), "$context.stage is filled in: {}", page.text());
        assert_eq!(gateway.get("/pets?type=dog&page=2&other=x").status, 200);
        let request = origin.last();
        let (path, query) = request.target.split_once('?').expect("a query");
        let mut pairs: Vec<_> = query.split('&').collect();
        pairs.sort_unstable();
        assert_eq!((path, pairs), ("/petstore/pets", vec!["page=2", "type=dog"]));
        assert_eq!(gateway.get("/pets").brief(), message(200, "/petstore/pets"));
        let one = gateway.get("/test/pets/7");
        assert_eq!(one.brief(), message(200, "/petstore/pets/7"));
        assert_eq!(one.field("access-control-allow-origin"), Some("*"));
        let body = "{\"type\": \"cat\", \"price\": 123.11}";
        let head = format!(
            "POST /pets HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        assert_eq!(gateway.call(&format!("{head}{body}")).brief(), message(200, body));
        assert_eq!(origin.last().field("host"), Some(format!("127.0.0.1:{}", origin.port).as_str()));
        let options = gateway.call("OPTIONS /pets HTTP/1.1\r\nHost: a.example\r\n\r\n");
        assert_eq!((options.status, options.field("access-control-allow-methods")), (200, Some("POST,GET,OPTIONS")));
        assert_eq!(gateway.call("DELETE /pets HTTP/1.1\r\nHost: a.example\r\n\r\n").status, 403);
        assert_eq!(gateway.get("/pets/7/more").status, 403);
    });
}
