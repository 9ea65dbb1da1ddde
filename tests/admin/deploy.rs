//! `ringgate deploy` and `ringgate deployments diff` against a running gateway, and who they say that they are.

use std::process::Command;

use serde_json::{Value, json};

use super::access::protected;
use super::empty_gateway;
use super::harness::{Folder, Gateway, Ran, document, mock, refusing_port, routes};

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDONE"), ("AWS_SECRET_ACCESS_KEY", "secret/one+")];

/// Runs the program towards the management side at a port.
fn ringgate(port: u16, variables: &[(&str, &str)], args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_ringgate"))
        .args(args)
        .arg(format!("--admin=http://127.0.0.1:{port}/"))
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(std::env::temp_dir())
        .output()
        .expect("the built program");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn pets(text: &str) -> Value {
    let mut document = document(&routes(&[("/pets", "get", mock(text)), ("/pets/{id}", "get", mock("{}"))]));
    document["info"]["title"] = json!("Pets");
    document["components"] = json!({"schemas": {"Pet": {"type": "object"}}});
    document
}

/// The file of a document, by name.
fn write(folder: &Folder, name: &str, document: &Value) -> String {
    folder.write(name, &document.to_string()).display().to_string()
}

fn ids(gateway: &Gateway) -> Vec<String> {
    let apis = gateway.manage("GET", "/restapis", &Value::Null);
    let apis = apis["item"].as_array().or(apis["items"].as_array()).cloned().unwrap_or_default();
    apis.iter().filter_map(|api| api["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_document_is_deployed_once_and_then_there_is_nothing_to_change() {
    let (gateway, folder) = (empty_gateway(), Folder::new());
    let file = write(&folder, "a.json", &pets("one"));
    let deploy = |args: &[&str]| ringgate(gateway.admin, &[], &[&["deploy", file.as_str()], args].concat());

    let told = deploy(&["--dry-run"]);
    assert_eq!(told.code, Some(1), "{}", told.err);
    assert!(ids(&gateway).is_empty());

    let first = deploy(&["--description=the first"]);
    assert_eq!(first.code, Some(0), "{}{}", first.out, first.err);
    let planned: Vec<_> = told.out.lines().collect();
    assert!(planned.contains(&"+ stage dev") && planned.contains(&"+ method GET /pets/{id}"), "{planned:?}");
    assert!(first.out.starts_with(&told.out), "the plan comes first: {}", first.out);
    let [id] = &ids(&gateway)[..] else { panic!("one API") };
    let url = first.out.lines().last().expect("a URL");
    assert_eq!(url, format!("http://{id}.execute-api.localhost:{}/dev/", gateway.port));
    let host = format!("{id}.execute-api.localhost");
    assert_eq!(gateway.get_at(&host, "/dev/pets").text(), "one");
    let deployments = gateway.manage("GET", &format!("/restapis/{id}/deployments"), &Value::Null);
    assert!(deployments.to_string().contains("the first"), "{deployments}");

    for args in [&["--dry-run"][..], &[], &["--name=Pets"], &["--api-id", id]] {
        let again = deploy(args);
        assert_eq!((again.code, again.out.lines().last()), (Some(0), Some("nothing to change")), "{}", again.err);
    }
    let after = gateway.manage("GET", &format!("/restapis/{id}/deployments"), &Value::Null);
    assert_eq!(deployments, after, "nothing to change is nothing done");
}

#[test]
fn a_change_is_told_deployed_and_found_between_deployments() {
    let (gateway, folder) = (empty_gateway(), Folder::new());
    let deploy = |name: &str, document: &Value, args: &[&str]| {
        let file = write(&folder, name, document);
        ringgate(gateway.admin, &[], &[&["deploy", file.as_str(), "--format=json"], args].concat())
    };
    let report = |ran: &Ran| -> Value { ran.out.parse().unwrap_or_else(|_| panic!("JSON: {}{}", ran.out, ran.err)) };
    let first = report(&deploy("a.json", &pets("one"), &["--stage=prod"]));
    let mut next = pets("two");
    next["paths"]["/owners"] = next["paths"]["/pets"].clone();
    next["paths"].as_object_mut().expect("paths").remove("/pets/{id}");
    next["components"]["schemas"]["Pet"]["type"] = json!("array");
    let changed = deploy("b.json", &next, &["--stage=prod"]);
    let second = report(&changed);
    assert_eq!(changed.code, Some(0), "{}", changed.err);
    assert_eq!(second["apiId"], first["apiId"]);
    let told: Vec<_> = second["changes"].as_array().expect("changes").iter().map(Value::to_string).collect();
    let expected = [
        r#"{"change":"added","noun":"resource","name":"/owners"}"#,
        r#"{"change":"removed","noun":"resource","name":"/pets/{id}"}"#,
        r#"{"change":"added","noun":"method","name":"GET /owners"}"#,
        r#"{"change":"changed","noun":"method","name":"GET /pets","members":["methodIntegration"]}"#,
        r#"{"change":"removed","noun":"method","name":"GET /pets/{id}"}"#,
        r#"{"change":"changed","noun":"model","name":"Pet","members":["schema"]}"#,
        // An import adds documentation and takes none away.
        r#"{"change":"added","noun":"documentationPart","name":"RESPONSE GET /owners 200"}"#,
    ];
    assert_eq!(told, expected);

    let id = second["apiId"].as_str().expect("an id");
    let (a, b) = (first["deploymentId"].as_str().expect("an id"), second["deploymentId"].as_str().expect("an id"));
    let diff = |a: &str, b: &str| ringgate(gateway.admin, &[], &["deployments", "diff", a, b, "--api-id", id]);
    let between = diff(a, "prod");
    assert_eq!(between.code, Some(1), "{}", between.err);
    assert!(between.out.contains("~ method GET /pets (methodIntegration)\n"), "{}", between.out);
    let back = diff(b, a);
    assert!(back.out.contains("+ resource /pets/{id}\n") && back.out.contains("- resource /owners\n"), "{}", back.out);
    let none = diff("prod", "current");
    assert_eq!((none.code, none.out.as_str()), (Some(0), "no difference\n"));
    let unknown = diff("nowhere", "prod");
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("there is no deployment and no stage `nowhere`"), "{}", unknown.err);
    let json: Value = ringgate(gateway.admin, &[], &["deployments", "diff", a, b, "--api-id", id, "--format=json"])
        .out
        .parse()
        .expect("JSON");
    assert_eq!(json["changes"], second["changes"]);
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_changed() {
    let (gateway, folder) = (empty_gateway(), Folder::new());
    let run = |args: &[&str]| ringgate(gateway.admin, &[], &[&["deploy"], args].concat());
    let wrong = write(&folder, "wrong.json", &json!({"openapi": "3.0.1", "info": []}));
    let refused = run(&[&wrong]);
    assert_eq!(refused.code, Some(1), "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("is refused; nothing was changed"), "{}", refused.err);

    let mut bare = pets("one");
    bare["paths"]["/pets"]["get"].as_object_mut().expect("a method").remove("x-amazon-apigateway-integration");
    let incomplete = run(&[&write(&folder, "bare.json", &bare)]);
    assert_eq!(incomplete.code, Some(1));
    assert!(incomplete.err.contains("No integration defined for method"), "{}", incomplete.err);

    let good = write(&folder, "good.json", &pets("one"));
    let twice = ["--name=Pets", "--api-id=x"];
    for (args, said) in [
        (&["/nowhere/at/all.json"][..], "No such file"),
        (&[&good, "--api-id=nowhere000"], "Invalid API identifier specified"),
        (&[&good, "--name=Unknown"], "no API is named Unknown"),
        (&[&good, twice[0], twice[1]], "leave out either"),
    ] {
        let ran = run(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
    assert!(ids(&gateway).is_empty());

    for _ in 0..2 {
        gateway.manage("POST", "/restapis", &json!({"name": "Pets"}));
    }
    let ambiguous = run(&[&good]);
    assert_eq!(ambiguous.code, Some(2));
    assert!(ambiguous.err.contains("2 APIs are named Pets"), "{}", ambiguous.err);

    let dead = ringgate(refusing_port(), &[], &["deploy", &good]);
    assert_eq!(dead.code, Some(2));
    assert!(dead.err.contains("no gateway listens at 127.0.0.1:"), "{}", dead.err);
}

#[test]
fn a_stage_with_a_canary_is_left_as_it_is() {
    let (gateway, folder) = (empty_gateway(), Folder::new());
    let (one, two) = (write(&folder, "one.json", &pets("one")), write(&folder, "two.json", &pets("two")));
    let deploy = |args: &[&str]| ringgate(gateway.admin, &[], &[&["deploy"], args].concat());
    assert_eq!(deploy(&[&one]).code, Some(0));
    let [id] = &ids(&gateway)[..] else { panic!("one API") };
    let canary = json!({"stageName": "dev", "canarySettings": {"percentTraffic": 0}});
    gateway.manage("POST", &format!("/restapis/{id}/deployments"), &canary);
    assert_eq!(deploy(&[&one]).code, Some(0), "there is nothing to change");
    for args in [&[two.as_str()][..], &[&two, "--dry-run"]] {
        let ran = deploy(args);
        assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("Non canary deployment not supported on stage dev"), "{}", ran.err);
    }
    let unchanged = ringgate(gateway.admin, &[], &["deployments", "diff", "dev", "current", "--api-id", id]);
    assert_eq!((unchanged.code, unchanged.out.as_str()), (Some(0), "no difference\n"), "{}", unchanged.err);
}

#[test]
fn calls_are_signed_with_the_keys_of_the_environment() {
    let (gateway, folder) = protected(0o600);
    let file = write(&folder, "a.json", &pets("one"));
    let stranger = ringgate(gateway.admin, &[], &["deploy", &file]);
    assert_eq!(stranger.code, Some(2));
    assert!(stranger.err.contains("answered 403: Missing Authentication Token"), "{}", stranger.err);
    for args in [&["deploy", file.as_str(), "--region=eu-west-1"][..], &["audit"], &["explain", "--last=1"]] {
        let ran = ringgate(gateway.admin, &KEYS, args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}{}", ran.out, ran.err);
    }
    let token = [KEYS[0].0, KEYS[1].0, "AWS_SESSION_TOKEN"].into_iter().zip(["AKIDTWO", "secret-two", "token/two=="]);
    let second = ringgate(gateway.admin, &token.collect::<Vec<_>>(), &["deploy", &file, "--dry-run"]);
    assert_eq!(second.code, Some(1), "another account has no such API: {}{}", second.out, second.err);
    let trail = ringgate(gateway.admin, &KEYS, &["audit", "--access-key=AKIDONE", "--format=json"]);
    assert!(trail.out.contains("\"ImportRestApi\"") && trail.out.contains("\"eu-west-1\""), "{}", trail.out);
}

#[test]
fn what_was_changed_and_not_deployed_is_told_to_whoever_looks() {
    let (gateway, folder) = (empty_gateway(), Folder::new());
    let file = write(&folder, "a.json", &pets("one"));
    assert_eq!(ringgate(gateway.admin, &[], &["deploy", &file]).code, Some(0));
    let [id] = &ids(&gateway)[..] else { panic!("one API") };
    let host = format!("{id}.execute-api.localhost");
    let explained = || {
        assert_eq!(gateway.get_at(&host, "/dev/pets").text(), "one");
        ringgate(gateway.admin, &[], &["explain"]).out
    };
    let notice = format!("API {id} has changed; stage dev does not serve it until it is deployed");
    let note = format!("Note: {notice}");
    let answered = || gateway.admin(&format!("/restapis/{id}")).field("x-ringgate-notice").map(str::to_owned);
    assert!(!explained().contains("Note:"));
    assert_eq!(answered(), None);
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}}).to_string();
    let change = |name| {
        let model = json!({"name": name, "contentType": "application/json", "schema": schema});
        gateway.manage("POST", &format!("/restapis/{id}/models"), &model);
    };
    change("Cat");
    change("Dog");
    assert!(explained().contains(&note), "{}", explained());
    assert_eq!(answered(), Some(notice));
    let logged = format!("API {id} (Pets) has changed; its stages serve it as it was deployed");
    gateway.err.wait_for(&logged, 0);
    assert_eq!(gateway.err.text().matches(&logged).count(), 1, "it is said once, not with every change");
    gateway.manage("POST", &format!("/restapis/{id}/deployments"), &json!({"stageName": "dev"}));
    assert!(!explained().contains("Note:"));
    assert_eq!(answered(), None);
}
