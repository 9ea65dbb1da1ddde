//! Which route a request line leads to, and what is said when it leads nowhere.

use serde_json::json;

use super::client::message;
use super::harness::document;
use super::harness::{Gateway, each_driver, mock, operation, proxy, routes, serving};
use super::origin::Origin;

const MISSING: &str = "{\"message\":\"Missing Authentication Token\"}";
const WHERE: &str = "$context.resourcePath $context.httpMethod $context.path";

fn request(method: &str, path: &str, host: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

fn path_gateway(driver: &'static str) -> Gateway {
    let seen = mock(WHERE);
    let rows = [
        ("/hardcoded", "get", seen.clone()),
        ("/test", "post", seen.clone()),
        ("/part1", "get", seen.clone()),
        ("/part1/{id}/leaf", "get", seen.clone()),
        ("/a/{x}", "get", seen.clone()),
        ("/any", "any", seen.clone()),
        ("/any", "get", mock("the GET $context.httpMethod")),
        ("/{proxy+}", "get", seen.clone()),
        ("/{proxy+}", "options", seen),
    ];
    serving(&document(&routes(&rows))).on(driver).flags(["--stage=stage"]).start()
}

#[test]
fn the_recorded_table_of_paths_holds_over_a_socket() {
    each_driver(|driver| {
        let gateway = path_gateway(driver);
        let host = format!("{}.execute-api.us-east-1.amazonaws.com", gateway.api_id);
        let rows = [
            ("/stage/proxy-value", "/{proxy+} GET /stage/proxy-value"),
            ("/stage/proxy-value/", "/{proxy+} GET /stage/proxy-value/"),
            ("/stage/proxy-value//double-slash", "/{proxy+} GET /stage/proxy-value//double-slash"),
            ("/stage//hardcoded", "/hardcoded GET /stage//hardcoded"),
            ("//stage/proxy-value", "/{proxy+} GET /stage/proxy-value"),
            ("/stage//proxy-value", "/{proxy+} GET /stage//proxy-value"),
            ("/stage/hardcoded/", "/hardcoded GET /stage/hardcoded/"),
            (
                "/stage/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
                "/{proxy+} GET /stage/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
            ),
        ];
        for (path, expected) in rows {
            assert_eq!(gateway.call(&request("GET", path, &host)).brief(), message(200, expected), "{path}");
        }
    });
}

#[test]
fn a_request_falls_back_to_whoever_has_its_method() {
    let gateway = path_gateway("auto");
    let rows = [
        ("OPTIONS", "/test", 200, "/{proxy+} OPTIONS /stage/test"),
        ("POST", "/test", 200, "/test POST /stage/test"),
        ("GET", "/part1/random-value", 200, "/{proxy+} GET /stage/part1/random-value"),
        ("GET", "/part1/1/leaf", 200, "/part1/{id}/leaf GET /stage/part1/1/leaf"),
        ("GET", "/a/1", 200, "/a/{x} GET /stage/a/1"),
        ("GET", "/any", 200, "the GET GET"),
        ("DELETE", "/any", 200, "/any DELETE /stage/any"),
        ("PATCH", "/a/1", 403, MISSING),
        ("GET", "/", 403, MISSING),
    ];
    for (method, path, status, expected) in rows {
        let seen = gateway.call(&request(method, path, "a.example"));
        assert_eq!(seen.brief(), message(status, expected), "{method} {path}");
    }
}

#[test]
fn hosts_and_paths_of_aws_lead_to_the_stage() {
    let gateway = path_gateway("auto");
    let id = gateway.api_id.clone();
    let amazon = format!("{id}.execute-api.us-east-1.amazonaws.com");
    let local = format!("{id}.execute-api.localhost:{}", gateway.port);
    let invoke = format!("/restapis/{id}/stage/_user_request_/hardcoded");
    let rows = [
        (amazon.as_str(), "/stage/hardcoded", 200),
        (local.as_str(), "/stage/hardcoded", 200),
        (&format!("{id}.Execute-API.us-east-1.amazonaws.com"), "/stage/hardcoded", 200),
        ("a.example", "/hardcoded", 200),
        ("a.example", "/stage/hardcoded", 200),
        ("a.example", &invoke, 200),
        (&amazon, "/hardcoded", 403),
        (&amazon, "/other/hardcoded", 403),
        ("unknown000.execute-api.localhost", "/stage/hardcoded", 404),
        ("a.example", "/restapis/unknown000/stage/_user_request_/hardcoded", 404),
        ("a.example", &format!("/restapis/{id}/other/_user_request_/hardcoded"), 403),
    ];
    for (host, path, status) in rows {
        let seen = gateway.call(&request("GET", path, host));
        assert_eq!(seen.status, status, "{host} {path} {}", seen.text());
    }
    // A private API by the name of its VPC endpoint.
    for (named, path, status) in [(id.as_str(), "/stage/hardcoded", 200), (&id, "/nope", 403), ("nope", "/stage", 404)]
    {
        let head = format!("GET {path} HTTP/1.1\r\nHost: vpce-0ab1.execute-api.us-east-1.vpce.amazonaws.com\r\n");
        let seen = gateway.call(&format!("{head}x-apigw-api-id: {named}\r\n\r\n"));
        assert_eq!(seen.status, status, "{named} {path} {}", seen.text());
    }
}

#[test]
fn what_leads_nowhere_is_answered_as_by_aws() {
    each_driver(|driver| {
        let gateway = path_gateway(driver);
        let host = format!("{}.execute-api.localhost", gateway.api_id);
        let rows = [
            ("a.example", "/stage", MISSING, "MissingAuthenticationTokenException", 403),
            (&host, "/nope/hardcoded", "{\"message\":\"Forbidden\"}", "ForbiddenException", 403),
            ("x.execute-api.localhost", "/", "{\"message\":\"Not Found\"}", "NotFoundException", 404),
        ];
        for (host, path, body, kind, status) in rows {
            let seen = gateway.call(&request("GET", path, host));
            assert_eq!(seen.brief(), message(status, body), "{host} {path}");
            assert_eq!(seen.field("x-amzn-errortype"), Some(kind));
            assert_eq!(seen.field("content-type"), Some("application/json"));
            assert!(seen.field("x-amzn-requestid").is_some_and(|id| id.len() == 36), "{:?}", seen.fields);
            assert!(seen.field("x-amz-apigw-id").is_some_and(|id| id.ends_with('=')), "{:?}", seen.fields);
            assert!(seen.field("date").is_some() && seen.field("x-amzn-trace-id").is_none());
        }
    });
}

#[test]
fn a_variable_takes_one_segment_and_a_greedy_one_the_rest() {
    let origin = Origin::echoing();
    let to = |path: &str| format!("http://127.0.0.1:{}{path}", origin.port);
    let mut one = proxy(&to("/one/{id}"));
    one["requestParameters"] = json!({"integration.request.path.id": "method.request.path.id"});
    let mut rest = proxy(&to("/rest/{rest}"));
    rest["requestParameters"] = json!({"integration.request.path.rest": "method.request.path.rest"});
    let gateway = serving(&document(&routes(&[("/one/{id}", "get", one), ("/rest/{rest+}", "get", rest)]))).start();
    let rows = [
        ("/one/1", "GET /one/1|"),
        ("/one/a%2Fb", "GET /one/a%2Fb|"),
        ("/one/%20x", "GET /one/%20x|"),
        ("/one/1/", "GET /one/1|"),
        ("/rest/a/b/c", "GET /rest/a/b/c|"),
        ("/rest/a/b/", "GET /rest/a/b|"),
        ("/rest/a//b", "GET /rest/a//b|"),
        ("/rest/%2e%2e/x", "GET /rest/%2e%2e/x|"),
    ];
    for (path, expected) in rows {
        assert_eq!(gateway.get(path).brief(), message(200, expected), "{path}");
    }
    for path in ["/one", "/one/", "/one/1/2", "/rest", "/rest/", "/%6Fne/1"] {
        assert_eq!(gateway.get(path).brief(), message(403, MISSING), "{path}");
    }
}

#[test]
fn head_reaches_any_and_its_answer_has_no_body() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let rows = [
            ("/mock", "any", mock("twelve bytes")),
            ("/get", "get", mock("only GET")),
            ("/proxy", "any", proxy(&format!("http://127.0.0.1:{}/", origin.port))),
        ];
        let gateway = serving(&document(&routes(&rows))).on(driver).start();
        let mut client = gateway.connect();
        for (path, status, length) in [("/mock", 200, "12"), ("/proxy", 200, "7"), ("/get", 403, "42")] {
            client.send(request("HEAD", path, "a.example").as_bytes());
            let head = client.response_to_head();
            assert_eq!((head.status, head.field("content-length")), (status, Some(length)), "{path}");
        }
        // The connection is still in step.
        client.send(request("GET", "/mock", "a.example").as_bytes());
        assert_eq!(client.response().text(), "twelve bytes");
    });
}

#[test]
fn stage_variables_fill_uris_and_mappings() {
    let origin = Origin::echoing();
    let mut mapped = proxy("http://${stageVariables.host}/v/${stageVariables.part}?q=${stageVariables.absent}");
    mapped["requestParameters"] = json!({"integration.request.querystring.v": "stageVariables.part"});
    let broken = proxy("http://${stageVariables.absent}/");
    let document = document(&routes(&[
        ("/v", "get", mapped),
        ("/broken", "get", broken),
        ("/t", "get", mock("<$stageVariables.part>")),
    ]));
    let host = format!("--var=host=127.0.0.1:{}", origin.port);
    let gateway = serving(&document).flags([&host, "--var=part=blue"]).start();
    assert_eq!(gateway.get("/v").brief(), message(200, "GET /v/blue?q=&v=blue|"));
    let broken = gateway.get("/broken");
    assert_eq!(broken.brief(), message(500, "{\"message\":\"Internal server error\"}"));
    assert_eq!(broken.field("x-amzn-errortype"), Some("InternalServerErrorException"));
    assert_eq!(gateway.get("/t").brief(), message(200, "<blue>"));
}

#[test]
fn an_options_needs_a_method_of_its_own_or_any() {
    let gateway = path_gateway("auto");
    assert_eq!(gateway.call(&request("OPTIONS", "/any", "a.example")).status, 200);
    let seen = gateway.call(&request("OPTIONS", "/", "a.example"));
    assert_eq!(seen.brief(), message(403, MISSING));
}

#[test]
fn a_thousand_routes_each_lead_to_themselves() {
    let paths: Vec<String> = (0..1000).map(|n| format!("/r{n}/x{}/{{id}}", n % 7)).collect();
    let mut all = json!({});
    for path in &paths {
        all[path] = json!({"get": operation(path, &mock("$context.resourcePath"))});
    }
    let gateway = serving(&document(&all)).flags(["--limits=relaxed"]).start();
    let mut client = gateway.connect();
    for path in &paths {
        client.send(request("GET", &path.replace("{id}", "7"), "a.example").as_bytes());
        assert_eq!(client.response().brief(), message(200, path));
    }
}
