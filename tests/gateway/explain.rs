//! What a running gateway tells about requests that are over.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::harness::{Gateway, document, each_driver, mock, proxy, refusing_port, routes, run, serving};
use super::origin::{Origin, ok};

/// Runs `ringgate explain` against a gateway: exit code, standard output, standard error.
fn explain(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String, String) {
    let admin = format!("http://127.0.0.1:{}", gateway.admin);
    let all: Vec<&str> = ["explain", "--admin", &admin].iter().chain(arguments).copied().collect();
    let ran = run(&all);
    (ran.code, ran.out, ran.err)
}

/// The story of one request.
fn story(gateway: &Gateway, arguments: &[&str]) -> String {
    let (code, out, err) = explain(gateway, arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    out
}

fn assert_says(text: &str, phrases: &[&str]) {
    for phrase in phrases {
        assert!(text.contains(phrase), "`{phrase}` in\n{text}");
    }
}

#[test]
fn a_request_that_goes_well_is_told_from_the_stage_to_the_last_byte() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("hello"));
        let mut integration = proxy(&format!("http://127.0.0.1:{}/v1/{{id}}", origin.port));
        integration["requestParameters"] = json!({"integration.request.path.id": "method.request.path.id"});
        let gateway = serving(&document(&routes(&[("/pets/{id}", "any", integration)]))).on(driver).start();
        let mut client = gateway.connect();
        let mut id = String::new();
        for _ in 0..2 {
            client.send(b"GET /dev/pets/7?q=1 HTTP/1.1\r\nHost: gate.example\r\nX-Kind: cat\r\n\r\n");
            id = client.response().field("x-amzn-requestid").expect("an id").to_owned();
        }
        let text = story(&gateway, &[&id]);
        let place = format!("http://127.0.0.1:{0}/v1/7?q=1 at 127.0.0.1:{0}, over a kept connection", origin.port);
        assert_says(
            &text,
            &[
                &format!("Request {id}"),
                "-> 200 in ",
                &format!("API {}, stage dev, deployment ", gateway.api_id),
                "found by host gate.example and path /dev",
                "ANY /pets/{id} ",
                "id = 7",
                "| X-Kind: cat",
                "HTTP_PROXY",
                &place,
                "the back end's 200 became 200",
                "200 with 5 bytes",
            ],
        );
        let (_, log, _) = explain(&gateway, &[&id, "--log"]);
        assert_says(
            &log,
            &[
                &format!("Execution log for request {id}\n"),
                &format!("({id}) Method request path: {{id=7}}\n"),
                &format!("({id}) Endpoint request URI: http://127.0.0.1:{}/v1/7?q=1\n", origin.port),
                &format!("({id}) Method completed with status: 200\n"),
            ],
        );
    });
}

#[test]
fn failures_are_told_with_their_origin_and_what_to_do() {
    each_driver(|driver| {
        let slow = Origin::start(|connection| {
            connection.request();
            std::thread::sleep(std::time::Duration::from_millis(400));
        });
        let mut late = proxy(&format!("http://127.0.0.1:{}/", slow.port));
        late["timeoutInMillis"] = json!(50);
        let dead = refusing_port();
        let rows = [
            ("/dead", "get", proxy(&format!("http://127.0.0.1:{dead}/"))),
            ("/late", "get", late),
            ("/mock", "get", mock("fine")),
        ];
        let gateway = serving(&document(&routes(&rows))).on(driver).start();
        let nothing_there = format!("Nothing accepts connections at 127.0.0.1:{dead}");
        let cases: [(&str, u16, &[&str]); 3] = [
            ("/dead", 500, &["API_CONFIGURATION_ERROR", "Comes from            the back end", &nothing_there]),
            ("/late", 504, &["INTEGRATION_TIMEOUT", "did not answer within the integration's timeout"]),
            ("/none", 403, &["MISSING_AUTHENTICATION_TOKEN", "No resource of the stage matches `/none`"]),
        ];
        for (path, status, phrases) in cases {
            let seen = gateway.get(path);
            assert_eq!(seen.status, status, "{path}");
            let by_id = story(&gateway, &[seen.field("x-amzn-requestid").expect("an id")]);
            let by_other_id = story(&gateway, &[seen.field("x-amz-apigw-id").expect("an id")]);
            let newest = story(&gateway, &["--last"]);
            assert_eq!((&by_id, &by_id), (&by_other_id, &newest));
            assert_says(&by_id, phrases);
        }
        gateway.get("/mock");
        let of_status = |arguments: &[&str]| {
            let value: Value = serde_json::from_str(&story(&gateway, arguments)).expect("JSON");
            let requests = value["requests"].as_array().expect("a list").clone();
            requests.iter().map(|request| request["status"].as_u64().expect("a number")).collect::<Vec<_>>()
        };
        assert_eq!(of_status(&["--format=json", "--status", "5xx"]), [504, 500]);
        assert_eq!(of_status(&["--format=json", "--status", "403"]), [403]);
        assert_eq!(of_status(&["--format=json", "--last", "2"]), [200, 403]);
    });
}

#[test]
fn secrets_are_never_told() {
    let origin = Origin::answering(
        b"HTTP/1.1 401 Unauthorized\r\nSet-Cookie: sid=answer-secret-1\r\nContent-Length: 32\r\n\r\n{\"access_token\":\"answer-token-1\"}"
            .to_vec(),
    );
    let mut integration = proxy(&format!("http://127.0.0.1:{}/", origin.port));
    integration["requestParameters"] =
        json!({"integration.request.header.X-Copy": "method.request.header.Authorization"});
    let gateway = serving(&document(&routes(&[("/login", "post", integration)]))).flags(["--redact=X-Card"]).start();
    let body = "{\"user\":\"alice\",\"password\":\"body-secret-1\"}";
    let seen = gateway.call(&format!(
        "POST /login?access_token=query-secret-1 HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer header-secret-1\r\n\
         Cookie: sid=cookie-secret-1\r\nX-Api-Key: key-secret-1\r\nX-Card: card-secret-1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(seen.status, 401);
    let id = seen.field("x-amzn-requestid").expect("an id").to_owned();
    for format in [&["--format=human"][..], &["--format=json"], &["--log"]] {
        let text = story(&gateway, &[&[id.as_str()], format].concat());
        assert_says(&text, &["alice", "********"]);
        for secret in ["secret-1", "token-1"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn bodies_are_left_out_where_that_is_wanted() {
    let gateway = serving(&document(&routes(&[("/mock", "get", mock("the body"))]))).flags(["--explain-bodies=false"]);
    let gateway = gateway.start();
    gateway.get("/mock");
    let text = story(&gateway, &[]);
    assert!(text.contains("200 with 8 bytes") && !text.contains("the body"), "{text}");
}

#[test]
fn what_is_not_remembered_is_told_so() {
    let gateway = serving(&document(&routes(&[("/mock", "get", mock("fine"))]))).start();
    let (code, out, err) = explain(&gateway, &["c0ffee00-0000-4000-8000-0000000000aa"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert_says(&err, &["no shard remembers this request"]);
    let (code, _, err) = explain(&gateway, &["not-an-id"]);
    assert_eq!(code, Some(2));
    assert_says(&err, &["is no request id"]);
    let forgetful =
        serving(&document(&routes(&[("/mock", "get", mock("fine"))]))).flags(["--explain-memory=0"]).start();
    forgetful.get("/mock");
    assert_eq!(explain(&forgetful, &[]).1, "no such request\n");
    let nobody = run(&["explain", "--admin", &format!("127.0.0.1:{}", refusing_port())]);
    assert_eq!(nobody.code, Some(2));
    assert_says(&nobody.err, &["no gateway listens at"]);
}

#[test]
fn several_shards_answer_as_one() {
    let gateway = serving(&document(&routes(&[("/mock", "get", mock("fine"))]))).flags(["--shards=2"]).start();
    let ids: Vec<String> =
        (0..12).map(|_| gateway.get("/mock").field("x-amzn-requestid").expect("an id").to_owned()).collect();
    let value: Value = serde_json::from_str(&story(&gateway, &["--last=12", "--format=json"])).expect("JSON");
    let mut told: Vec<_> =
        value["requests"].as_array().expect("a list").iter().map(|one| one["requestId"].clone()).collect();
    assert_eq!((told.len(), value["silentShards"].as_u64()), (12, Some(0)));
    for id in ids {
        told.retain(|known| *known != id.as_str());
    }
    assert!(told.is_empty());
}

#[test]
fn memory_is_bounded_whatever_is_sent() {
    let gateway = serving(&document(&routes(&[("/mock", "get", mock("fine"))]))).flags(["--explain-memory=1MiB"]);
    let mut gateway = gateway.start();
    let request = format!("GET /mock HTTP/1.1\r\nHost: a.example\r\nX-Long: {}\r\n\r\n", "x".repeat(9_000));
    let mut client = gateway.connect();
    let mut ask = |count: usize| {
        for _ in 0..count {
            client.send(request.as_bytes());
            assert_eq!(client.response().status, 200);
        }
    };
    ask(1_000);
    let before = gateway.resident_kib();
    ask(2_000);
    let after = gateway.resident_kib();
    // They carried 18 MB.
    assert!(after < before + 1_024, "{before} KiB became {after}");
    let value: Value = serde_json::from_str(&story(&gateway, &["--last=100", "--format=json"])).expect("JSON");
    let kept = value["requests"].as_array().expect("a list").len();
    assert!((40..=60).contains(&kept), "half a MiB holds {kept} requests of 9 KiB");
    gateway.signal(Signal::TERM);
    gateway.wait();
}
