//! `HTTP_PROXY` (rest-integrations §8, rest-routing-and-stages §9.2).

use super::*;

fn proxy(members: &str) -> World {
    World::of(&operation("x-amazon-apigateway-any-method", "/pets", &plain(members)))
}

fn plain(members: &str) -> String {
    format!("type: http_proxy, httpMethod: ANY, uri: 'http://origin.example/base'{members}")
}

#[test]
fn a_request_passes_with_the_fields_of_its_end_to_end_conversation() {
    let asked = request(
        "GET /pets?a=1&a=2",
        "Accept: */*\nX-Custom: one\nUser-Agent: curl/8\nAuthorization: Bearer x\nDate: today\n",
        "",
    );
    let expected = format!(
        "GET /base?a=1&a=2 HTTP/1.1\nHost: origin.example\nAccept: */*\nX-Custom: one\nUser-Agent: curl/8\n\
         Authorization: Bearer x\nDate: today\n{FORWARDED}{OURS}\n"
    );
    assert_eq!(sent(&proxy(""), &asked), expected);
}

#[test]
fn what_is_dropped_on_arrival_does_not_reach_the_origin() {
    let dropped = "Connection: keep-alive, x-private\nX-Private: 1\nContent-MD5: x\nMax-Forwards: 3\n\
                   Proxy-Authenticate: x\nServer: x\nTE: trailers\nTrailer: x\nUpgrade: h2c\nWWW-Authenticate: x\n\
                   Keep-Alive: 5\nProxy-Connection: x\nProxy-Authorization: x\nHTTP2-Settings: AAMAAABkAAQ\nContent-Encoding: gzip\nVia: 1.1 x\nX-Forwarded-Port: 1\nX-Forwarded-Proto: ftp\n\
                   X-Amzn-Apigateway-Api-Id: zz\n";
    let expected = format!("GET /base HTTP/1.1\nHost: origin.example\n{FORWARDED}{OURS}\n");
    assert_eq!(sent(&proxy(""), &request("GET /pets", dropped, "")), expected);
}

/// rest-routing-and-stages §2.1: it replaces the method, and reaches the back end only where it is mapped.
#[test]
fn a_client_may_name_another_method_than_it_sends() {
    let document = "paths: {/pets: {x-amazon-apigateway-any-method: {responses: {'200': {description: x}}, \
        x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: 'http://origin.example/$METHOD', \
        requestParameters: {integration.request.header.X-Method: context.httpMethod, \
        integration.request.header.X-Said: method.request.header.X-HTTP-Method-Override}}}, \
        delete: {responses: {'200': {description: x}}, x-amazon-apigateway-integration: \
        {type: http_proxy, httpMethod: ANY, uri: 'http://origin.example/delete'}}}}";
    let world = World::of(document);
    let asked =
        |sent: &str, named: &str| request(&format!("{sent} /pets"), &format!("X-HTTP-Method-Override: {named}\n"), "");
    let cases = [
        ("POST", "DELETE", "DELETE /delete HTTP/1.1", None),
        ("GET", "PUT", "PUT /$METHOD HTTP/1.1", Some("X-Method: PUT\nX-Said: PUT\n")),
        ("POST", "HEAD", "HEAD /$METHOD HTTP/1.1", Some("X-Method: HEAD\n")),
        // What is no method of a REST API replaces none.
        ("POST", "delete", "POST /$METHOD HTTP/1.1", Some("X-Method: POST\nX-Said: delete\n")),
        ("POST", "ANY", "POST /$METHOD HTTP/1.1", Some("X-Method: POST\n")),
        ("POST", "", "POST /$METHOD HTTP/1.1", Some("X-Method: POST\n")),
    ];
    for (method, named, line, mapped) in cases {
        let sent = sent(&world, &asked(method, named));
        assert!(sent.starts_with(&format!("{line}\n")), "{method} {named}: {sent}");
        assert!(
            !sent.contains("Override") && mapped.is_none_or(|mapped| sent.contains(mapped)),
            "{method} {named}: {sent}"
        );
    }
    // The answer is framed for what was sent.
    let head = received(&world, &asked("HEAD", "POST"), OK);
    assert!(head.starts_with("HTTP/1.1 200 OK\n") && head.ends_with("\n\n"), "{head}");

    let world = World::with(document, &Setting { overrides_methods: false, ..Setting::default() });
    let sent = sent(&world, &asked("POST", "DELETE"));
    assert!(sent.starts_with("POST /$METHOD HTTP/1.1\n") && sent.contains("X-Said: DELETE\n"), "{sent}");
}

/// rest-routing-and-stages §9.1.
#[test]
fn a_signature_towards_the_gateway_goes_no_further() {
    let signed = |value: &str| request("GET /pets", &format!("Authorization: {value}\nX-Amz-Date: d\n"), "");
    let signature =
        "AWS4-HMAC-SHA256 Credential=a/20261121/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=0";
    let expected = format!("GET /base HTTP/1.1\nHost: origin.example\nX-Amz-Date: d\n{FORWARDED}{OURS}\n");
    assert_eq!(sent(&proxy(""), &signed(signature)), expected);
    for value in ["Bearer x", "Basic eA==", "aws4"] {
        assert!(sent(&proxy(""), &signed(value)).contains(&format!("\nAuthorization: {value}\n")), "{value}");
    }
    // A mapping is the author's own word.
    let mapped = ", requestParameters: {integration.request.header.Authorization: method.request.header.Authorization}";
    assert!(sent(&proxy(mapped), &signed(signature)).contains(&format!("\nAuthorization: {signature}\n")));
}

#[test]
fn repeated_fields_become_one_where_the_first_stands() {
    let asked = request("GET /pets", "X-A: 1\nAccept: a\nCookie: c=1\nx-a: 2\nCookie: d=2\nAccept: b\n", "");
    let expected = format!(
        "GET /base HTTP/1.1\nHost: origin.example\nX-A: 1,2\nAccept: a,b\nCookie: c=1; d=2\n{FORWARDED}{OURS}\n"
    );
    assert_eq!(sent(&proxy(""), &asked), expected);
}

#[test]
fn the_client_joins_the_addresses_it_came_through() {
    let asked = request("GET /pets", "X-Forwarded-For: 1.1.1.1, 2.2.2.2\nX-Forwarded-For: 3.3.3.3\n", "");
    assert!(sent(&proxy(""), &asked).contains("\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 203.0.113.9\n"));
}

#[test]
fn a_trace_of_the_client_is_kept() {
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8";
    let asked = request("GET /pets", &format!("X-Amzn-Trace-Id: {root}\n"), "");
    assert!(sent(&proxy(""), &asked).contains(&format!("\nX-Amzn-Trace-Id: {root};Sampled=1\n")));
}

#[test]
fn bodies_are_framed_anew() {
    let world = proxy("");
    let cases = [
        (request("POST /pets", "", "ab"), "Content-Length: 2\n\n"),
        (request("POST /pets", "", ""), "Content-Length: 0\n\n"),
        (request("PUT /pets", "", ""), "Content-Length: 0\n\n"),
        (request("DELETE /pets", "", ""), "a1b2c3d4e5\n\n"),
        (request("GET /pets", "", ""), "a1b2c3d4e5\n\n"),
        (wire("POST /pets HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n2\nab\n0\n\n"), "Content-Length: 2\n\n"),
        (wire("POST /pets HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n"), "Content-Length: 0\n\n"),
        (wire("POST /pets HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n2\nab\n"), "Transfer-Encoding: chunked\n\n"),
    ];
    for (asked, end) in cases {
        let sent = sent(&world, &asked);
        assert!(sent.ends_with(end), "{}\n{sent}", text(&asked));
        assert!(sent.matches("Content-Length").count() + sent.matches("Transfer-Encoding").count() <= 1, "{sent}");
    }
}

#[test]
fn the_driver_is_told_what_it_may_do_with_a_call() {
    let world = World::of(&operation("x-amazon-apigateway-any-method", "/pets", &plain(", timeoutInMillis: 1500")));
    let cases = [("GET", true, false), ("HEAD", true, true), ("POST", false, false), ("PUT", true, false)];
    for (method, is_idempotent, is_head) in cases {
        let mut effects = Table::default();
        world.ask_with(&request(&format!("{method} /pets"), "", ""), &mut Session::default(), &mut effects);
        let called = effects.called.expect("a call was made");
        assert_eq!((called.is_idempotent, called.is_head), (is_idempotent, is_head), "{method}");
        assert_eq!(called.timeout, std::time::Duration::from_millis(1500));
    }
}

#[test]
fn mapped_parameters_override_and_are_appended() {
    let mappings = ", requestParameters: {integration.request.header.X-Mapped: method.request.header.X-From, \
                    integration.request.header.x-fixed: \"'v'\", \
                    integration.request.header.X-Many: method.request.multivaluequerystring.a, \
                    integration.request.header.X-Stage: context.stage, \
                    integration.request.querystring.testVar: method.request.querystring.from, \
                    integration.request.querystring.m: method.request.multivaluequerystring.a, \
                    integration.request.querystring.none: method.request.querystring.none, \
                    integration.request.header.X-None: method.request.header.none}";
    let world = World::of(&operation("get", "/pets", &plain(mappings).replace("/base", "/base?testVar=foobar")));
    let asked = request("GET /pets?from=b%20r&a=1&a=2+3", "X-From: f\nx-mapped: client\nX-None: kept\n", "");
    let expected = format!(
        "GET /base?testVar=foobar&from=b%20r&a=1&a=2+3&testVar=b%20r&m=1&m=2+3 HTTP/1.1\nHost: origin.example\n\
         X-From: f\nX-None: kept\n{FORWARDED}X-Mapped: f\nx-fixed: v\nX-Many: 1,2 3\nX-Stage: dev\n{OURS}\n"
    );
    assert_eq!(sent(&world, &asked), expected);
}

#[test]
fn path_variables_fill_the_uri_escaped_for_where_they_stand() {
    let members = "type: http_proxy, httpMethod: GET, uri: 'http://origin.example/x/{id}/{rest}?q={id}', requestParameters: \
                   {integration.request.path.id: method.request.path.id, integration.request.path.rest: method.request.path.proxy}";
    let world = World::of(&operation("get", "/pets/{id}/{proxy+}", members));
    let target = |asked: &str| sent(&world, &get(asked)).lines().next().unwrap_or_default().to_owned();
    assert_eq!(target("/pets/7/a/b%2Fc"), "GET /x/7/a/b%2Fc?q=7 HTTP/1.1");
    assert_eq!(target("/dev/pets/7/a/"), "GET /x/7/a?q=7 HTTP/1.1");
    assert_eq!(target("/pets/a&b=c/x%20y?z=1"), "GET /x/a&b=c/x%20y?q=a%26b%3Dc&z=1 HTTP/1.1");
}

#[test]
fn the_declared_method_goes_to_the_origin() {
    let world =
        World::of(&operation("get", "/pets", "type: http_proxy, httpMethod: POST, uri: 'http://origin.example'"));
    assert!(sent(&world, &get("/pets")).starts_with("POST / HTTP/1.1\n"));
}

#[test]
fn an_answer_passes_with_the_recorded_fields_remapped() {
    let answer = "HTTP/1.1 201 Created\nContent-Type: text/plain\nConnection: keep-alive\nDate: d\nServer: s\nVia: v\n\
                  X-Amzn-RequestId: theirs\nSet-Cookie: a=1\nSet-Cookie: b=2\nWWW-Authenticate: Basic\nETag: e\n\
                  Content-Encoding: gzip\nKeep-Alive: 5\nTrailer: t\nUpgrade: u\nX-Amz-Apigw-Id: x\nContent-Length: 2\n\nhi";
    let expected = answered(
        "201 Created",
        2,
        "Content-Type: text/plain\nx-amzn-Remapped-Connection: keep-alive\nx-amzn-Remapped-Date: d\n\
         x-amzn-Remapped-Server: s\nx-amzn-Remapped-X-Amzn-RequestId: theirs\nSet-Cookie: a=1\nSet-Cookie: b=2\n\
         WWW-Authenticate: Basic\nETag: e\nContent-Encoding: gzip\nx-amzn-Remapped-Content-Length: 2\n",
        "hi",
    );
    assert_eq!(received(&proxy(""), &get("/pets"), answer), expected);
}

#[test]
fn an_answer_without_content_type_is_json_and_has_no_error_type() {
    let expected = answered("200 OK", 2, "x-amzn-Remapped-Content-Length: 2\nContent-Type: application/json\n", "hi");
    assert_eq!(received(&proxy(""), &get("/pets"), OK), expected);
    let named = OK.replace("\n\n", "\nConnection: Content-Type\nContent-Type: a/b\n\n");
    assert!(received(&proxy(""), &get("/pets"), &named).contains("\nContent-Type: application/json\n"));
}

#[test]
fn lengths_and_framing_follow_method_status_and_version() {
    let world = proxy("");
    let chunked = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n";
    let until_close = "HTTP/1.1 200 OK\n\nhi";
    let told = |start: &str, answer: &str| {
        let asked = wire(&format!("{start}\nHost: a\n\n"));
        let (_, told) = exchange(&world, &asked, answer);
        (text(&told.wire), told.keeps_alive)
    };
    let (wire, kept) = told("GET /pets HTTP/1.1", chunked);
    assert!(wire.contains("\nTransfer-Encoding: chunked\n") && wire.ends_with("\n\n2\nhi\n0\n\n") && kept, "{wire}");
    let (wire, kept) = told("GET /pets HTTP/1.1", until_close);
    assert!(wire.contains("\nTransfer-Encoding: chunked\n") && kept, "{wire}");
    let (wire, kept) = told("GET /pets HTTP/1.0", chunked);
    assert!(
        !wire.contains("Transfer-Encoding")
            && wire.contains("\nConnection: close\n")
            && wire.ends_with("\n\nhi")
            && !kept
    );
    let (wire, kept) = told("GET /pets HTTP/1.0", OK);
    assert!(wire.contains("\nContent-Length: 2\nConnection: close\n") && !kept, "{wire}");
    let (wire, _) = told("HEAD /pets HTTP/1.1", "HTTP/1.1 200 OK\nContent-Length: 77\n\n");
    assert!(wire.contains("\nContent-Length: 77\n") && wire.ends_with("\n\n"), "{wire}");
    for status in ["204 No Content", "304 Not Modified"] {
        let (wire, kept) = told("GET /pets HTTP/1.1", &format!("HTTP/1.1 {status}\n\n"));
        let has_length = wire.lines().any(|line| line.starts_with("Content-Length") || line.starts_with("Transfer"));
        assert!(!has_length && wire.ends_with("\n\n") && kept, "{wire}");
    }
}

#[test]
fn a_client_that_asked_to_close_is_told_so() {
    let wire = received(&proxy(""), &request("GET /pets", "Connection: close\n", ""), OK);
    assert!(wire.contains("\nConnection: close\n") && !wire.contains("keep-alive"));
}

#[test]
fn a_client_may_choose_the_request_id() {
    let id = "c0ffee00-0000-4000-8000-0000000000aa";
    let wire = received(&proxy(""), &request("GET /pets", &format!("x-amzn-RequestId: {id}\n"), ""), OK);
    assert!(wire.contains(&format!("\nx-amzn-RequestId: {id}\n")));
    let wire = received(&proxy(""), &request("GET /pets", "x-amzn-RequestId: mine\n", ""), OK);
    assert!(wire.contains(IDS));
}

#[test]
fn ignoring_authorization_is_said_in_each_response() {
    let setting = Setting { ignores_authorization: true, ..Setting::default() };
    let world = World::with(&operation("get", "/pets", &plain("")), &setting);
    assert!(received(&world, &get("/pets"), OK).contains("\nx-ringgate-authorization: ignored\n"));
    assert!(received(&world, &get("/none"), OK).contains("\nx-ringgate-authorization: ignored\n"));
}

#[test]
fn a_second_connection_field_names_fields_as_well() {
    let named = "Connection: close\nConnection: X-Private\nX-Private: 1\n";
    assert!(!sent(&proxy(""), &request("GET /pets", named, "")).contains("X-Private"));
    let answer = "HTTP/1.1 200 OK\nConnection: close\nConnection: X-Private\nX-Private: 1\nContent-Length: 0\n\n";
    assert!(!received(&proxy(""), &get("/pets"), answer).contains("X-Private: 1"));
}

#[test]
fn what_never_becomes_visible_cannot_be_mapped() {
    let hidden = ["Connection", "Content-Length", "Content-MD5", "Max-Forwards", "Server", "TE", "Upgrade"];
    for name in hidden {
        let source = format!("method.request.header.{name}");
        let world = proxy(&format!(", requestParameters: {{integration.request.header.X-Seen: {source}}}"));
        let value = if name == "Content-Length" { "2" } else { "x" };
        let asked = wire(&format!("POST /pets HTTP/1.1\nHost: a\n{name}: {value}\n\n"));
        let asked = if name == "Content-Length" { [&asked[..], b"ab"].concat() } else { asked };
        assert!(!sent(&world, &asked).contains("X-Seen"), "{name}");
    }
    let world = proxy(", requestParameters: {integration.request.header.X-Seen: method.request.header.Host}");
    assert!(sent(&world, &get("/pets")).contains("X-Seen: gate.example:8080\n"));
}

#[test]
fn a_mapped_host_that_is_none_makes_no_request() {
    let world = proxy(", requestParameters: {integration.request.header.Host: method.request.header.X-Host}");
    assert!(sent(&world, &request("GET /pets", "X-Host: b.example:81\n", "")).contains("\nHost: b.example:81\n"));
    for host in ["a b", "a,b", "a/b", "user@a", ""] {
        let (sent, told) = exchange(&world, &request("GET /pets", &format!("X-Host: {host}\n"), ""), OK);
        assert_eq!((sent.as_str(), told.facts.status), ("", 500), "{host}");
    }
}

#[test]
fn a_missing_source_leaves_what_the_client_or_the_gateway_would_send() {
    let mapped = |target: &str| {
        proxy(&format!(", requestParameters: {{integration.request.header.{target}: method.request.header.X-Absent}}"))
    };
    assert!(sent(&mapped("Host"), &get("/pets")).contains("\nHost: origin.example\n"));
    let asked = request("GET /pets", "Accept: text/plain\n", "");
    assert!(sent(&mapped("Accept"), &asked).contains("\nAccept: text/plain\n"));
    assert!(sent(&mapped("X-Forwarded-For"), &asked).contains("\nX-Forwarded-For: 203.0.113.9\n"));
}

#[test]
fn fields_that_the_gateway_writes_can_be_replaced_by_a_mapping() {
    let mapped = |target: &str, value: &str| {
        proxy(&format!(", requestParameters: {{integration.request.header.{target}: \"'{value}'\"}}"))
    };
    let host = sent(&mapped("Host", "other.example"), &get("/pets"));
    assert_eq!((host.matches("Host: ").count(), host.contains("Host: other.example\n")), (1, true), "{host}");
    let forwarded = sent(&mapped("X-Forwarded-For", "9.9.9.9"), &get("/pets"));
    assert_eq!(forwarded.matches("X-Forwarded-For: ").count(), 1, "{forwarded}");
    assert!(forwarded.contains("X-Forwarded-For: 9.9.9.9\n") && forwarded.contains("X-Forwarded-Port: 443\n"));
}
