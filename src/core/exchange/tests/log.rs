//! The access-log line of each outcome.

use super::*;
use serde_json::Value;

const PROXY: &str = "type: http_proxy, httpMethod: ANY, uri: 'http://origin.example'";

fn line(told: &Told) -> Value {
    let line = std::str::from_utf8(&told.log_line).expect("text");
    assert_eq!(line.matches('\n').count(), 1, "{line}");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn world() -> World {
    World::of(&operation("get", "/pets/{id}", PROXY))
}

#[test]
fn a_success_is_told_with_its_route_and_its_back_end() {
    let (_, told) = exchange(&world(), &request("GET /dev/pets/7?secret=1", "User-Agent: a \"b\"\\c\n", ""), OK);
    let line = line(&told);
    let expected = serde_json::json!({
        "requestId": "07070707-0707-4707-8707-070707070707", "extendedRequestId": "BwcHBwcHBwcHBwc=",
        "ip": "203.0.113.9", "requestTime": "21/Nov/2025:06:00:32 +0000", "httpMethod": "GET",
        "resourcePath": "/pets/{id}", "path": "/dev/pets/7", "status": 200, "protocol": "HTTP/1.1",
        "responseLength": 0, "responseLatency": 0, "integrationLatency": 12, "integrationStatus": 200,
        "userAgent": "a \"b\"\\c", "apiId": "a1b2c3d4e5", "stage": "dev",
    });
    assert_eq!(line, expected);
}

#[test]
fn a_client_that_sends_slowly_does_not_make_the_integration_slow() {
    let answer = wire(OK);
    let mut effects = Table { answer: Ok(&answer), ..Table::default() };
    effects.uploaded = Some(effects.now + std::time::Duration::from_millis(9));
    let told = world().ask_with(&get("/pets/7"), &mut Session::default(), &mut effects);
    assert_eq!(line(&told)["integrationLatency"], 3);
}

#[test]
fn the_path_always_has_its_stage_and_nothing_else_before_it() {
    let cases = [
        ("a", "/pets/7", "/dev/pets/7"),
        ("a", "/dev/pets/7", "/dev/pets/7"),
        ("a", "//dev/pets/7", "/dev/pets/7"),
        ("a", "/dev//pets/7/", "/dev//pets/7/"),
        ("a1b2c3d4e5.execute-api.localhost", "/dev/pets/7", "/dev/pets/7"),
        ("a", "/restapis/a1b2c3d4e5/dev/_user_request_/pets/7", "/dev/pets/7"),
        ("a", "/dev", "/dev"),
        ("a", "/", "/dev/"),
        ("a", "http://b/pets/7", "/dev/pets/7"),
        ("a", "/user/test%2Balias@gmail.com", "/dev/user/test%2Balias@gmail.com"),
    ];
    for (host, path, expected) in cases {
        let asked = wire(&format!("GET {path} HTTP/1.1\nHost: {host}\n\n"));
        let (_, told) = exchange(&world(), &asked, OK);
        assert_eq!(line(&told)["path"], expected, "{host} {path}");
    }
}

#[test]
fn failures_are_told_with_their_type() {
    let told = world().ask(&get("/pets/7"), Err(CallFailure::Timeout));
    let late = line(&told);
    assert_eq!((&late["status"], &late["errorResponseType"]), (&Value::from(504), &Value::from("INTEGRATION_TIMEOUT")));
    assert_eq!(
        (&late["errorMessage"], &late["integrationLatency"]),
        (&Value::from("Endpoint request timed out"), &Value::from(12))
    );
    assert_eq!(late.get("integrationStatus"), None);
    assert_eq!(late["integrationErrorMessage"], "Execution failed due to a timeout error");
    let missing = request("GET /none", "Authorization: Bearer x\n", "");
    let missing = line(&world().ask(&missing, Err(CallFailure::Refused)));
    assert_eq!((&missing["status"], missing.get("resourcePath")), (&Value::from(403), None));
    assert_eq!(missing.get("integrationErrorMessage"), None, "no integration was reached");
    let nobody = wire("GET / HTTP/1.1\nHost: zzzzzzzzzz.execute-api.x\n\n");
    let nobody = line(&world().ask(&nobody, Err(CallFailure::Refused)));
    assert_eq!((&nobody["status"], nobody.get("stage"), &nobody["path"]), (&Value::from(404), None, &Value::from("/")));
}

#[test]
fn every_outcome_is_one_line_of_json_whatever_the_client_sent() {
    let agents: &[&[u8]] = &[b"\x80\xff\"", "grün\t".as_bytes(), b"\\", b"{\"a\":1}", b""];
    let answers = [OK, "HTTP/1.1 500 x\n\n", "nonsense\n"];
    for agent in agents {
        for (answer, target) in answers.iter().zip(["/pets/%0a\"'<>", "/pets/7", "/none\\\""]) {
            let head = format!("GET {target} HTTP/1.1\nHost: a\nx-amzn-RequestId: \"\nUser-Agent: ");
            let asked = [&wire(&head), *agent, b"\r\n\r\n"].concat();
            let (_, told) = exchange(&world(), &asked, answer);
            assert_eq!(line(&told)["requestId"], "UUID_REPLACED_INVALID_REQUEST_ID");
        }
    }
}
