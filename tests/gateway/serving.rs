//! Many APIs, stages, canaries and domains, made through the management API and served at once.

use std::time::Instant;

use serde_json::{Value, json};

use super::client::message;
use super::harness::{Folder, Gateway, document, each_driver, eventually, keeping, mock, proxy_all, routes, serving};
use super::load::Load;
use super::origin::{Origin, ok};

fn one(text: &str) -> Value {
    document(&routes(&[("/x", "get", mock(text))]))
}

/// Imports an API and deploys it: its id.
fn deployed(gateway: &Gateway, definition: &Value, stage: &str) -> String {
    let api = gateway.manage("POST", "/restapis?mode=import", definition);
    let id = api["id"].as_str().expect("an id").to_owned();
    deploy(gateway, &id, &json!({ "stageName": stage }));
    id
}

fn deploy(gateway: &Gateway, api: &str, body: &Value) -> String {
    let deployment = gateway.manage("POST", &format!("/restapis/{api}/deployments"), body);
    deployment["id"].as_str().expect("an id").to_owned()
}

fn overwrite(gateway: &Gateway, api: &str, definition: &Value) {
    gateway.manage("PUT", &format!("/restapis/{api}?mode=overwrite"), definition);
}

fn host(api: &str) -> String {
    format!("{api}.execute-api.localhost")
}

#[test]
fn what_was_deployed_is_served_when_the_call_returns_and_after_a_restart() {
    each_driver(|driver| {
        let gateway = keeping(Folder::new()).on(driver).flags(["--shards=2"]).start();
        let first = deployed(&gateway, &one("first $stageVariables.v"), "prod");
        let second = deployed(&gateway, &one("second"), "dev");
        for _ in 0..8 {
            assert_eq!(gateway.get_at(&host(&first), "/prod/x").text(), "first ");
            assert_eq!(gateway.get(&format!("/restapis/{second}/dev/_user_request_/x")).text(), "second");
        }
        assert_eq!(gateway.get_at(&host(&first), "/dev/x").brief(), message(403, "{\"message\":\"Forbidden\"}"));
        assert_eq!(gateway.get_at(&host("nosuchapi0"), "/dev/x").status, 404);
        assert_eq!(gateway.get("/x").status, 404);
        // Changing an API serves nothing; deploying it does, and a stage's own settings do at once.
        overwrite(&gateway, &first, &one("changed $stageVariables.v"));
        assert_eq!(gateway.get_at(&host(&first), "/prod/x").text(), "first ");
        deploy(&gateway, &first, &json!({ "stageName": "prod" }));
        assert_eq!(gateway.get_at(&host(&first), "/prod/x").text(), "changed ");
        let patch = json!({"patchOperations": [{"op": "replace", "path": "/variables/v", "value": "now"}]});
        gateway.manage("PATCH", &format!("/restapis/{first}/stages/prod"), &patch);
        assert_eq!(gateway.get_at(&host(&first), "/prod/x").text(), "changed now");
        let gateway = keeping(gateway.into_folder()).on(driver).start();
        assert_eq!(gateway.get_at(&host(&first), "/prod/x").text(), "changed now");
        gateway.manage("DELETE", &format!("/restapis/{second}"), &json!({}));
        assert_eq!(gateway.get_at(&host(&second), "/dev/x").status, 404);
    });
}

#[test]
fn going_back_to_a_deployment_is_quick_and_loses_no_request() {
    let gateway = keeping(Folder::new()).flags(["--shards=2"]).start();
    let api = deployed(&gateway, &one("old"), "prod");
    let path = format!("/restapis/{api}/stages/prod");
    let old = gateway.manage("GET", &path, &json!({}))["deploymentId"].clone();
    overwrite(&gateway, &api, &one("new"));
    deploy(&gateway, &api, &json!({ "stageName": "prod" }));
    gateway.manage("POST", "/domainnames", &json!({"domainName": "a.example"}));
    let mapping = json!({"restApiId": api, "stage": "prod"});
    gateway.manage("POST", "/domainnames/a.example/basepathmappings", &mapping);
    let load = Load::start(gateway.port, 3, "GET");
    load.wait_for(50);
    let patch = json!({"patchOperations": [{"op": "replace", "path": "/deploymentId", "value": old}]});
    let started = Instant::now();
    gateway.manage("PATCH", &path, &patch);
    println!("rolled back in {:?}", started.elapsed());
    assert_eq!(gateway.get("/x").text(), "old");
    load.wait_for(50);
    for seen in load.finish() {
        let seen = seen.expect("no request is lost").brief();
        assert!(seen == message(200, "old") || seen == message(200, "new"), "{seen:?}");
    }
}

#[test]
fn a_canary_takes_its_share_and_is_counted_apart() {
    let gateway = keeping(Folder::new()).start();
    let api = deployed(&gateway, &one("stage $stageVariables.v $context.isCanaryRequest"), "prod");
    let canary = json!({"percentTraffic": 30.0, "stageVariableOverrides": {"v": "over"}});
    overwrite(&gateway, &api, &one("canary $stageVariables.v $context.isCanaryRequest"));
    deploy(&gateway, &api, &json!({"stageName": "prod", "canarySettings": canary}));
    let target = format!("/restapis/{api}/prod/_user_request_/x");
    let mut client = gateway.connect();
    let mut canaries = 0;
    for _ in 0..400 {
        client.send(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
        match client.response().text().as_str() {
            "canary over true" => canaries += 1,
            other => assert_eq!(other, "stage  false"),
        }
    }
    // Six standard deviations either way: once in a thousand million runs.
    assert!((65..=175).contains(&canaries), "{canaries} of 400");
    let metric = |canary: &str| {
        let labels = format!("api_id=\"{api}\",stage=\"prod\",canary=\"{canary}\",class=\"2xx\"");
        gateway.metric(&format!("ringgate_stage_requests_total{{{labels}}}"))
    };
    assert_eq!((metric("true"), metric("false")), (canaries, 400 - canaries));
}

#[test]
fn a_domain_leads_to_stages_by_base_path() {
    let gateway = keeping(Folder::new()).start();
    let (shop, blog) =
        (deployed(&gateway, &one("shop $context.path"), "prod"), deployed(&gateway, &one("blog $context.path"), "v1"));
    gateway.manage("POST", "/domainnames", &json!({"domainName": "api.example.test"}));
    let map = |base_path: &str, api: &str, stage: &str| {
        let body = json!({"basePath": base_path, "restApiId": api, "stage": stage});
        gateway.manage("POST", "/domainnames/api.example.test/basepathmappings", &body);
    };
    map("shop", &shop, "prod");
    let get = |path: &str| gateway.get_at("API.example.test:8080", path);
    assert_eq!(get("/shop/x").text(), "shop /shop/x");
    assert_eq!(get("/x").brief(), message(403, "{\"message\":\"Forbidden\"}"));
    map("(none)", &blog, "v1");
    assert_eq!(get("/x").text(), "blog /x");
    assert_eq!(get("/shop/x").text(), "shop /shop/x");
}

#[test]
fn the_definition_file_and_the_management_api_change_without_each_other() {
    let gateway = serving(&one("file")).start();
    let api = deployed(&gateway, &one("made"), "prod");
    let both = |file: &str| {
        assert_eq!(gateway.get_at(&host(&api), "/prod/x").text(), "made");
        assert_eq!(gateway.get("/x").text(), file);
    };
    both("file");
    std::fs::write(&gateway.file, one("edited").to_string()).expect("a temporary file");
    eventually("the edit", || (gateway.get("/x").text() == "edited").then_some(()));
    both("edited");
    deploy(&gateway, &api, &json!({ "stageName": "other" }));
    both("edited");
}

#[test]
fn an_origin_that_is_gone_leaves_its_slot_to_another() {
    let gateway = keeping(Folder::new()).start();
    let origins: Vec<_> = ["a", "b", "c"].into_iter().map(|text| Origin::answering(ok(text))).collect();
    for round in 0..12 {
        let index = round % origins.len();
        let api = deployed(&gateway, &proxy_all(origins[index].port), "prod");
        let expected = ["a", "b", "c"][index];
        assert_eq!(gateway.get_at(&host(&api), "/prod/y").text(), expected, "round {round}");
        gateway.manage("DELETE", &format!("/restapis/{api}"), &json!({}));
    }
    eventually("old versions are gone", || (gateway.metric("ringgate_snapshots_alive") == 1).then_some(()));
    let gone = || (!gateway.admin("/metrics").text().contains("ringgate_stage_requests_total{")).then_some(());
    eventually("what is gone is not counted", gone);
}
