//! Records of whole exchanges, shown.

use super::*;
use crate::exchange::tests::world::{Session, Setting, Table, World};
use crate::exchange::{BodyFailure, CallFailure};
use crate::record::decision::{Decisions, MEMORY_BYTES_MIN, Step, Wanted};

const DOCUMENT: &str = r#"
paths:
  /pets/{id}:
    x-amazon-apigateway-any-method:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: ok, headers: {X-Kind: {schema: {type: string}}}}}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        uri: 'http://${stageVariables.host}/v1/{id}'
        requestParameters:
          integration.request.path.id: method.request.path.id
          integration.request.header.X-Copy: method.request.header.Authorization
          integration.request.querystring.k: method.request.querystring.access_token
  /mock:
    post:
      responses: {'200': {description: ok}}
      x-amazon-apigateway-integration:
        type: mock
        passthroughBehavior: never
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: '200', responseTemplates: {application/json: '{"ok": true}'}}}
  /closed:
    get: {responses: {}, security: [{sigv4: []}], x-amazon-apigateway-integration: {type: mock}}
  /lost:
    get:
      responses: {}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"status": "$stageVariables.apiToken", "stage": "$context.stage"}'}
  /bad:
    get:
      responses: {}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'https://${stageVariables.none}'}
components:
  securitySchemes:
    sigv4: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}
"#;

fn record(request: &str, answer: Result<&str, CallFailure>) -> Box<[u8]> {
    let variables = [("host", "origin.example"), ("apiToken", "stage-secret-value")];
    let world = World::with(DOCUMENT, &Setting { variables: &variables, ..Setting::default() });
    let mut session = Session { decisions: Decisions::new(MEMORY_BYTES_MIN), ..Session::default() };
    let wire = |text: &str| text.replace('\n', "\r\n").into_bytes();
    let answer = answer.map(wire);
    let mut effects = Table { answer: answer.as_deref().map_err(|failure| *failure), ..Table::default() };
    world.ask_with(&wire(request), &mut session, &mut effects);
    session.decisions.find(Wanted::Last(1)).remove(0)
}

fn decision(request: &str, answer: Result<&str, CallFailure>) -> Decision {
    Decision::read(&record(request, answer), &Redaction::new(["X-Card".to_owned()])).expect("a record")
}

const OK: &str = "HTTP/1.1 200 OK\nContent-Length: 2\nX-Kind: cat\nSet-Cookie: sid=answer-secret-1\n\nhi";

/// Every way to show a decision.
fn all(decision: &Decision) -> Vec<String> {
    let mut all = vec![story(decision), serde_json::to_string_pretty(&json(decision)).expect("text")];
    for shape in [Shape::CloudWatch, Shape::TestInvoke] {
        for level in [Level::Error, Level::Info] {
            for detail in [Detail::Outline, Detail::DataTrace] {
                all.push(execution_log(decision, shape, level, detail));
            }
        }
    }
    all
}

fn assert_says(text: &str, phrases: &[&str]) {
    for phrase in phrases {
        assert!(text.contains(phrase), "`{phrase}` in\n{text}");
    }
}

#[test]
fn the_story_of_a_proxied_request_answers_a_support_engineers_questions() {
    let decision = decision("GET /dev/pets/7?q=1 HTTP/1.1\nHost: gate.example\n\n", Ok(OK));
    let text = story(&decision);
    assert_says(
        &text,
        &[
            "Request 07070707-0707-4707-8707-070707070707 (extended BwcHBwcHBwcHBwc=)",
            "from 203.0.113.9",
            "GET /dev/pets/7?q=1 HTTP/1.1",
            "-> 200 in ",
            "API a1b2c3d4e5, stage dev, deployment deploy1234 (snapshot 1), found by host gate.example and path /dev",
            "ANY /pets/{id} (resource ",
            "matches /pets/7, which answers GET as well",
            "id = 7",
            "not checked: the method demands no authorization",
            "not checked: the method demands no API key; throttles and quotas are not enforced yet",
            "HTTP_PROXY http://${stageVariables.host}/v1/{id}",
            "stage variable host = origin.example",
            "integration.request.path.id <- method.request.path.id",
            "http://origin.example/v1/7?q=1 at 192.0.2.1:80",
            "| X-Kind: cat",
            "the back end's 200 became 200",
            "back end 12.000 ms",
        ],
    );
    assert!(!text.contains("What to do"), "{text}");
}

#[test]
fn a_method_that_the_client_named_is_told_beside_the_one_it_sent() {
    let head = "Host: gate.example\nX-HTTP-Method-Override: PUT\nContent-Length: 0\n\n";
    let found = decision(&format!("POST /pets/7 HTTP/1.1\n{head}"), Ok(OK));
    let says = "which answers PUT as well; X-HTTP-Method-Override made PUT of POST";
    assert_says(&story(&found), &["POST /pets/7 HTTP/1.1", says]);
    let log = execution_log(&found, Shape::CloudWatch, Level::Info, Detail::Outline);
    assert_says(&log, &["HTTP Method: PUT, Resource Path: /pets/{id}"]);
    let lost = decision(&format!("POST /mock HTTP/1.1\n{head}"), Ok(OK));
    assert_says(&story(&lost), &["nothing answers PUT /mock", "has no method PUT"]);
}

/// A request, what its back end answers, and what the story says.
const FAILURES: &[(&str, Result<&str, CallFailure>, &[&str])] = &[
    (
        "GET /pets/7 HTTP/1.1\nHost: gate.example\n\n",
        Err(CallFailure::Refused),
        &[
            "-> 500",
            "API_CONFIGURATION_ERROR",
            "Comes from            the back end",
            "Nothing accepts connections at 192.0.2.1:80",
        ],
    ),
    (
        "GET /pets/7 HTTP/1.1\nHost: gate.example\n\n",
        Err(CallFailure::Timeout),
        &[
            "-> 504",
            "INTEGRATION_TIMEOUT",
            "did not answer within",
            "not reached: the request ended at \u{201c}Call\u{201d}",
        ],
    ),
    (
        "GET /none HTTP/1.1\nHost: gate.example\n\n",
        Ok(OK),
        &[
            "-> 403",
            "MISSING_AUTHENTICATION_TOKEN",
            "No resource of the stage matches `/none`",
            "not reached: the request ended at \u{201c}Method\u{201d}",
        ],
    ),
    (
        "GET /x HTTP/1.1\nHost: zzz.execute-api.localhost\n\n",
        Ok(OK),
        &["-> 404", "none: no API answers at this host and path"],
    ),
    (
        "POST /mock HTTP/1.1\nHost: gate.example\nContent-Type: text/plain\nContent-Length: 2\n\nhi",
        Ok(OK),
        &["-> 415", "passthroughBehavior", "Comes from            the caller"],
    ),
    ("GET /bad HTTP/1.1\nHost: gate.example\n\n", Ok(OK), &["-> 500", "Comes from            the definition"]),
    (
        "GET /closed HTTP/1.1\nHost: gate.example\n\n",
        Ok(OK),
        &[
            "-> 500",
            "Authorization         refused to everyone: IAM authorization is not supported yet",
            "Validation            not reached: the request ended at \u{201c}Authorization\u{201d}",
        ],
    ),
    (
        "GET /lost HTTP/1.1\nHost: gate.example\n\n",
        Ok(OK),
        &[
            "-> 500",
            "MOCK could not be made: Unable to parse statusCode",
            "The request template made:",
            "| {\"status\": \"********\", \"stage\": \"dev\"}",
        ],
    ),
    (
        "GET /pets/7 HTTP/1.1\nHost: gate.example\n\n",
        Ok("HTTP/1.1 503 x\nContent-Length: 0\n\n"),
        &["-> 503", "The back end itself answered 503", "| (passing)"],
    ),
    (
        "GET /pets/7 HTTP/1.1\nHost: gate.example\n\n",
        Err(CallFailure::Body(BodyFailure::Gone)),
        &["-> 400", "The client left before its body was complete."],
    ),
];

#[test]
fn the_story_of_a_failure_says_where_it_came_from_and_what_to_do() {
    for (request, answer, phrases) in FAILURES {
        let decision = decision(request, *answer);
        assert_says(&story(&decision), phrases);
        all(&decision);
    }
}

#[test]
fn no_secret_is_shown_anywhere_however_it_travelled() {
    let request = "POST /pets/7?access_token=query%2Fsecret%2F1&x-card=4000123412341234 HTTP/1.1\nHost: gate.example\n\
                   Authorization: Bearer header-secret-1\nCookie: sid=cookie-secret-1; a=b\nX-Api-Key: key-secret-1\n\
                   X-Card: card-secret-1\nContent-Type: application/json\nContent-Length: 62\n\n\
                   {\"password\": \"body-secret-1\", \"n\": {\"clientSecret\": 1234567890}}";
    let answer =
        "HTTP/1.1 500 x\nContent-Length: 0\nSet-Cookie: sid=answer-secret-1\nX-Echo: Bearer header-secret-1\n\n";
    let raw = record(request, Ok(answer));
    let secrets = [
        "query/secret/1",
        "query%2Fsecret%2F1",
        "4000123412341234",
        "header-secret-1",
        "cookie-secret-1",
        "key-secret-1",
        "card-secret-1",
        "body-secret-1",
        "1234567890",
        "answer-secret-1",
    ];
    let kept = String::from_utf8_lossy(&raw);
    assert!(kept.contains("X-Copy: Bearer header-secret-1"), "a mapping copies it: {kept}");
    let decision = Decision::read(&raw, &Redaction::new(["X-Card".to_owned()])).expect("a record");
    for text in all(&decision) {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in\n{text}");
        }
    }
    assert_says(
        &story(&decision),
        &["Authorization: ********", "X-Copy: ********", "\"password\": \"********\"", "access_token=********"],
    );
}

#[test]
fn a_stage_variable_with_a_secrets_name_is_masked() {
    let described = crate::record::decision::describe([(Tag::StageVariable, "apiToken=stage-secret-value")]);
    let mut entry = crate::record::decision::Entry::new(Summary::default());
    entry.add_encoded(&described);
    let mut decisions = Decisions::new(MEMORY_BYTES_MIN);
    decisions.push(entry);
    let decision = Decision::read(&decisions.find(Wanted::Last(1))[0], &Redaction::default()).expect("a record");
    assert_eq!(decision.text(Tag::StageVariable), "apiToken=********");
    all(&decision);
}

/// R `test_failed_invoke_test_method`.
#[test]
fn a_failed_test_invocation_logs_as_recorded() {
    let decision = decision("GET /bad HTTP/1.1\nHost: gate.example\n\n", Ok(OK));
    let log = execution_log(&decision, Shape::TestInvoke, Level::Info, Detail::DataTrace);
    let id = "07070707-0707-4707-8707-070707070707";
    let expected = [
        format!("Execution log for request {id}"),
        format!("Fri Nov 21 06:00:32 UTC 2025 : Starting execution for request: {id}"),
        "Fri Nov 21 06:00:32 UTC 2025 : HTTP Method: GET, Resource Path: /bad".into(),
        "Fri Nov 21 06:00:32 UTC 2025 : Method request path: {}".into(),
        "Fri Nov 21 06:00:32 UTC 2025 : Method request query string: {}".into(),
        "Fri Nov 21 06:00:32 UTC 2025 : Method request headers: {Host=gate.example}".into(),
        "Fri Nov 21 06:00:32 UTC 2025 : Method request body before transformations: ".into(),
        "Fri Nov 21 06:00:32 UTC 2025 : Execution failed due to configuration error: Invalid endpoint address".into(),
        "Fri Nov 21 06:00:32 UTC 2025 : Method completed with status: 500".into(),
        String::new(),
    ];
    assert_eq!(log, expected.join("\n"));
}

/// R `test_apigw_test_invoke_method_api`, with an HTTP back end in the function's place.
#[test]
fn a_request_logs_the_sentences_of_aws_in_their_order() {
    let request = "GET /pets/7?queryTest=value HTTP/1.1\nHost: gate.example\ncontent-type: application/json\n\n";
    let log = execution_log(&decision(request, Ok(OK)), Shape::CloudWatch, Level::Info, Detail::DataTrace);
    let sentences = [
        "Extended Request Id: BwcHBwcHBwcHBwc=",
        "Verifying Usage Plan for request: 07070707-0707-4707-8707-070707070707. API Key:  API Stage: a1b2c3d4e5/dev",
        "API Key  authorized because method 'GET /pets/{id}' does not require API Key. Request will not contribute to \
         throttle or quota limits",
        "Usage Plan check succeeded for API Key  and API Stage a1b2c3d4e5/dev",
        "Starting execution for request: 07070707-0707-4707-8707-070707070707",
        "HTTP Method: GET, Resource Path: /pets/{id}",
        "Method request path: {id=7}",
        "Method request query string: {queryTest=value}",
        "Method request headers: {Host=gate.example, content-type=application/json}",
        "Method request body before transformations: ",
        "Endpoint request URI: http://origin.example/v1/7?queryTest=value",
        "Endpoint request headers: {Host=origin.example, content-type=application/json, ",
        "Endpoint request body after transformations: ",
        "Sending request to http://origin.example/v1/7?queryTest=value",
        "Received response. Status: 200, Integration latency: 12 ms",
        "Endpoint response headers: {Content-Length=2, X-Kind=cat, Set-Cookie=********}",
        "Endpoint response body before transformations: ",
        "Method response body after transformations: ",
        "Method response headers: {x-amzn-Remapped-Content-Length=2, X-Kind=cat, Set-Cookie=********, Content-Type=application/json}",
        "Successfully completed execution",
        "Method completed with status: 200",
    ];
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), sentences.len(), "{log}");
    for (line, sentence) in lines.iter().zip(sentences) {
        let text = line.strip_prefix("(07070707-0707-4707-8707-070707070707) ").expect("each line begins with the id");
        assert!(text.starts_with(sentence), "{text}\n{sentence}");
    }
}

#[test]
fn a_mock_logs_no_endpoint_and_an_error_level_no_success() {
    let request = "POST /mock HTTP/1.1\nHost: gate.example\nContent-Type: application/json\nContent-Length: 2\n\n{}";
    let decision = decision(request, Ok(OK));
    let log = execution_log(&decision, Shape::TestInvoke, Level::Info, Detail::DataTrace);
    assert!(!log.contains("Endpoint") && !log.contains("Sending"), "{log}");
    assert_says(&log, &["Method response body after transformations: {\"ok\": true}"]);
    assert_eq!(execution_log(&decision, Shape::CloudWatch, Level::Error, Detail::DataTrace), "");
}

#[test]
fn a_long_event_is_cut_and_marked() {
    let request = format!("GET /none HTTP/1.1\nHost: gate.example\nX-Long: {}\n\n", "\u{e4}".repeat(1_000));
    let log = execution_log(&decision(&request, Ok(OK)), Shape::TestInvoke, Level::Info, Detail::DataTrace);
    let line = log.lines().find(|line| line.contains("Method request headers")).expect("a line");
    assert!(line.ends_with(" [TRUNCATED]"), "{line}");
    let event = line.split_once(" : ").expect("a time").1;
    assert!((1_020..=1_024).contains(&event.len()), "{}", event.len());
}

#[test]
fn json_has_names_of_api_gateway_and_no_empty_members() {
    let value = json(&decision("GET /pets/7 HTTP/1.1\nHost: gate.example\n\n", Err(CallFailure::Timeout)));
    assert_eq!(value["stage"], "dev");
    assert_eq!(value["pathVariables"]["id"], "7");
    assert_eq!(value["error"]["responseType"], "INTEGRATION_TIMEOUT");
    assert_eq!(value["integration"]["address"], "192.0.2.1:80");
    assert_eq!(value["steps"].as_array().map(Vec::len), Some(Step::ALL.len()));
    assert!(value.get("stageVariables").is_some() && value["integration"].get("answer").is_none());
    let well = json(&decision("GET /pets/7 HTTP/1.1\nHost: gate.example\n\n", Ok(OK)));
    assert!(well.get("error").is_none(), "{well}");
}

#[test]
fn records_of_any_bytes_are_shown_without_harm() {
    let good = record("GET /pets/7?a=b HTTP/1.1\nHost: gate.example\n\n", Ok(OK));
    let mut state = 1_u64;
    for _ in 0..3_000 {
        let mut bytes = good.to_vec();
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 20) as u8;
        }
        bytes.truncate(1 + (state >> 40) as usize % bytes.len());
        if let Some(decision) = Decision::read(&bytes, &Redaction::default()) {
            all(&decision);
        }
    }
}
