//! Which headers pass to an origin and back to a client, and which the gateway adds.

use serde_json::{Value, json};

use super::client::{Client, message};
use super::harness::{document, each_driver, mock, operation, proxy, proxy_all, routes, serving};
use super::origin::{Origin, Request};

/// The request headers of the recorded table, but for those that the framing rules are about.
const SENT: &str = "Accept: a/b\r\nAccept-Charset: utf-8\r\nAccept-Encoding: gzip\r\nAge: 1\r\nAuthorization: Bearer x\r\n\
Content-Encoding: identity\r\nContent-MD5: x\r\nContent-Type: text/x\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n\
Max-Forwards: 1\r\nPragma: p\r\nProxy-Authenticate: x\r\nProxy-Authorization: x\r\nRange: bytes=0-1\r\nReferer: r\r\n\
Server: s\r\nTE: trailers\r\nTrailer: X-T\r\nUpgrade: h2c\r\nUser-Agent: me\r\nVia: 1.0 x\r\nWarn: w\r\n\
WWW-Authenticate: x\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\ntEsT-HEADeR: aValUE\r\n";

fn names(request: &Request) -> Vec<String> {
    let mut names: Vec<_> = request.fields.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_proxied_request_carries_the_clients_headers_but_the_dropped_ones() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let seen = gateway.call(&format!("POST /x HTTP/1.1\r\nHost: a.example\r\n{SENT}Content-Length: 2\r\n\r\nhi"));
        assert_eq!(seen.brief(), message(200, "POST /x|hi"));
        let request = origin.request();
        let expected = [
            "accept",
            "accept-charset",
            "accept-encoding",
            "age",
            "authorization",
            "content-length",
            "content-type",
            "date",
            "host",
            "pragma",
            "range",
            "referer",
            "test-header",
            "user-agent",
            "warn",
            "x-amzn-apigateway-api-id",
            "x-amzn-trace-id",
            "x-forwarded-for",
            "x-forwarded-port",
            "x-forwarded-proto",
        ];
        assert_eq!(names(&request), sorted(&expected));
        assert_eq!(request.field("host"), Some(format!("127.0.0.1:{}", origin.port).as_str()));
        assert_eq!(request.field("x-amzn-apigateway-api-id"), Some(gateway.api_id.as_str()));
        assert_eq!(request.field("x-forwarded-for"), Some("127.0.0.1"));
        assert!(request.fields.iter().any(|(name, value)| name == "tEsT-HEADeR" && value == "aValUE"));
    });
}

#[test]
fn an_http_integration_sends_its_own_headers_only() {
    let origin = Origin::echoing();
    let integration = json!({
        "type": "http", "httpMethod": "POST", "uri": format!("http://127.0.0.1:{}/x", origin.port),
        "responses": {"default": {"statusCode": "200"}},
    });
    let gateway = serving(&document(&routes(&[("/x", "any", integration)]))).start();
    let seen = gateway.call(&format!("PUT /x HTTP/1.1\r\nHost: a.example\r\n{SENT}Content-Length: 2\r\n\r\nhi"));
    assert_eq!(seen.brief(), message(200, "POST /x|hi"));
    let request = origin.request();
    let expected = [
        "accept",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-amzn-apigateway-api-id",
        "x-amzn-trace-id",
    ];
    assert_eq!(names(&request), sorted(&expected));
    assert_eq!(request.field("accept"), Some("application/json"));
    assert_eq!(request.field("content-type"), Some("text/x"));
    assert_eq!(request.field("user-agent"), Some(format!("AmazonAPIGateway_{}", gateway.api_id).as_str()));
    assert!(seen.field("x-amzn-trace-id").is_some(), "HTTP answers carry the trace");
    // For GET there is no body, so no Content-Type.
    let seen = gateway.call("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!(seen.brief(), message(200, "POST /x|"));
}

#[test]
fn mapped_headers_override_are_dropped_or_are_refused_as_recorded() {
    let origin = Origin::echoing();
    let uri = format!("http://127.0.0.1:{}/x", origin.port);
    let with = |kind: &str, header: &str| {
        json!({"type": kind, "httpMethod": "POST", "uri": uri,
            "requestParameters": {format!("integration.request.header.{header}"): "'mapped'"},
            "responses": {"default": {"statusCode": "200"}}})
    };
    let settable = [
        "Host",
        "Date",
        "Server",
        "Content-MD5",
        "Max-Forwards",
        "Trailer",
        "Upgrade",
        "WWW-Authenticate",
        "Authorization",
        "User-Agent",
        "Accept",
        "Content-Type",
        "Content-Encoding",
    ];
    let dropped = ["Expect", "Proxy-Authenticate", "TE", "Connection", "Via"];
    let forbidden = ["Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id"];
    let mut paths = json!({});
    for header in settable.iter().chain(&dropped).chain(&forbidden) {
        for kind in ["http", "http_proxy"] {
            let path = format!("/{kind}/{header}");
            paths[&path] = json!({"post": operation(&path, &with(kind, header))});
        }
    }
    let gateway = serving(&document(&paths)).start();
    let mut client = gateway.connect();
    for kind in ["http", "http_proxy"] {
        let mut call = |header: &str| {
            client.send(
                format!("POST /{kind}/{header} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n").as_bytes(),
            );
            client.response()
        };
        for header in settable {
            assert_eq!(call(header).status, 200, "{kind} {header}");
            assert_eq!(origin.last().field(header), Some("mapped"), "{kind} {header}");
        }
        for header in dropped {
            assert_eq!(call(header).status, 200, "{kind} {header}");
            assert_eq!(origin.last().field(header), None, "{kind} {header}");
        }
        for header in forbidden {
            let seen = call(header);
            assert_eq!(seen.brief(), message(500, "{\"message\": \"Internal server error\"}"), "{kind} {header}");
            assert_eq!(seen.field("x-amzn-errortype"), Some("InternalServerErrorException"));
        }
    }
}

/// What an origin may answer with, but for framing.
const ANSWERED: &str = "Accept: a\r\nAge: 1\r\nAuthorization: x\r\nContent-Encoding: identity\r\nContent-MD5: x\r\n\
Date: Sat, 01 Jan 2000 00:00:00 GMT\r\nExpect: x\r\nHost: x\r\nMax-Forwards: 1\r\nPragma: p\r\nProxy-Authenticate: x\r\n\
Server: s\r\nTE: x\r\nUser-Agent: x\r\nVia: x\r\nWarn: w\r\nWWW-Authenticate: Basic\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
X-Amzn-RequestId: theirs\r\nX-Own: 1\r\n";

#[test]
fn a_proxied_answer_keeps_its_headers_but_the_remapped_and_dropped_ones() {
    each_driver(|driver| {
        let origin = Origin::answering(format!("HTTP/1.1 201 Made Up\r\n{ANSWERED}Content-Length: 2\r\n\r\nhi"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let seen = gateway.get("/x");
        assert_eq!(seen.brief(), message(201, "hi"));
        for (name, value) in
            [("Date", "Sat, 01 Jan 2000 00:00:00 GMT"), ("Server", "s"), ("X-Amzn-RequestId", "theirs")]
        {
            assert_eq!(seen.field(&format!("x-amzn-Remapped-{name}")), Some(value), "{name}");
        }
        assert!(seen.field("x-amzn-requestid").is_some_and(|id| id.len() == 36));
        assert_ne!(seen.field("date"), Some("Sat, 01 Jan 2000 00:00:00 GMT"));
        for name in ["via", "server", "x-amzn-trace-id"] {
            assert_eq!(seen.field(name), None, "{name}");
        }
        for name in ["age", "content-encoding", "pragma", "www-authenticate", "x-own", "te", "warn"] {
            assert!(seen.field(name).is_some(), "{name}");
        }
        let cookies = seen.fields.iter().filter(|(name, _)| name == "Set-Cookie").count();
        assert_eq!(cookies, 2, "cookies are never joined");
    });
}

#[test]
fn an_http_answer_carries_mapped_headers_only_under_the_names_recorded() {
    let origin =
        Origin::answering(format!("HTTP/1.1 200 OK\r\n{ANSWERED}Content-Type: text/x\r\nContent-Length: 2\r\n\r\nhi"));
    let remapped = [
        "Connection",
        "Date",
        "Server",
        "Authorization",
        "Content-MD5",
        "Expect",
        "Host",
        "Max-Forwards",
        "Proxy-Authenticate",
        "Trailer",
        "Upgrade",
        "User-Agent",
        "WWW-Authenticate",
    ];
    let passing = ["Accept", "Age", "Pragma", "Range", "TE", "Via", "Warn", "X-Own"];
    let parameters: Value =
        remapped.iter().chain(&passing).map(|name| (format!("method.response.header.{name}"), json!("'m'"))).collect();
    let integration = json!({
        "type": "http", "httpMethod": "GET", "uri": format!("http://127.0.0.1:{}/", origin.port),
        "responses": {"default": {"statusCode": "200", "responseParameters": parameters}},
    });
    let mut operation = operation("/x", &integration);
    let declared: Value = remapped
        .iter()
        .chain(&passing)
        .map(|name| ((*name).to_owned(), json!({"schema": {"type": "string"}})))
        .collect();
    operation["responses"]["200"]["headers"] = declared;
    let gateway = serving(&document(&json!({"/x": {"get": operation}}))).start();
    let seen = gateway.get("/x");
    assert_eq!(seen.brief(), message(200, "hi"));
    for name in remapped {
        assert_eq!(seen.field(&format!("x-amzn-Remapped-{name}")), Some("m"), "{name}");
    }
    for name in passing {
        assert_eq!(seen.field(name), Some("m"), "{name}");
    }
    assert_eq!(seen.field("content-type"), Some("application/json"), "whatever the back end said");
    for name in ["set-cookie", "content-encoding", "x-amzn-remapped-x-amzn-requestid"] {
        assert_eq!(seen.field(name), None, "{name} is not mapped");
    }
}

#[test]
fn a_clients_uuid_is_kept_as_request_id_and_nothing_else_is() {
    let gateway = serving(&document(&routes(&[("/x", "get", mock("$context.requestId"))]))).start();
    let call =
        |id: &str| gateway.call(&format!("GET /x HTTP/1.1\r\nHost: a.example\r\nx-amzn-RequestId: {id}\r\n\r\n"));
    let uuid = "01234567-89ab-cdef-0123-456789abcdef";
    let kept = call(uuid);
    assert_eq!((kept.field("x-amzn-requestid"), kept.text().as_str()), (Some(uuid), uuid));
    for invalid in ["", "x", "01234567-89ab-cdef-0123-456789abcdeg", "0123456789abcdef0123456789abcdef0123"] {
        let seen = call(invalid);
        let id = seen.field("x-amzn-requestid").expect("always there").to_owned();
        assert!(id != invalid && id.len() == 36 && seen.text() == id, "{invalid}: {id}");
    }
}

#[test]
fn headers_of_one_name_are_joined_and_cookies_by_semicolon() {
    let origin = Origin::echoing();
    let gateway = serving(&proxy_all(origin.port)).start();
    let lines =
        "X-Multi: a\r\nAccept: x/y\r\nx-multi: b\r\nCookie: c=1\r\nX-MULTI: c,d\r\nCookie: d=2\r\naccept: z\r\n";
    assert_eq!(gateway.call(&format!("GET /x HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n")).status, 200);
    let request = origin.request();
    assert_eq!(request.field("x-multi"), Some("a,b,c,d"));
    assert_eq!(request.field("accept"), Some("x/y,z"));
    assert_eq!(request.field("cookie"), Some("c=1; d=2"));
}

#[test]
fn the_query_is_the_uris_then_the_clients_then_the_mapped() {
    let origin = Origin::echoing();
    let mut integration = proxy(&format!("http://127.0.0.1:{}/q?testVar=foobar", origin.port));
    integration["requestParameters"] = json!({
        "integration.request.querystring.lit": "'a b&c'",
        "integration.request.querystring.last": "method.request.querystring.m",
        "integration.request.querystring.all": "method.request.multivaluequerystring.m",
        "integration.request.querystring.none": "method.request.querystring.absent",
    });
    let mut operation = operation("/q", &integration);
    operation["parameters"] = json!([
        {"name": "m", "in": "query", "schema": {"type": "string"}},
        {"name": "absent", "in": "query", "schema": {"type": "string"}},
    ]);
    let gateway = serving(&document(&json!({"/q": {"get": operation}}))).start();
    let target = |query: &str| {
        assert_eq!(gateway.get(&format!("/q{query}")).status, 200);
        origin.last().target
    };
    let seen = target("?testVar=bar&m=1&m=2&x=%2F%20+");
    let (uris, rest) = seen.split_once("&testVar=bar&m=1&m=2&x=%2F%20+").unwrap_or_else(|| panic!("{seen}"));
    assert_eq!(uris, "/q?testVar=foobar");
    for pair in ["&last=2", "&all=1&all=2"] {
        assert!(rest.contains(pair), "{seen}");
    }
    assert!(!seen.contains("none") && (rest.contains("lit=a%20b%26c") || rest.contains("lit=a+b%26c")), "{seen}");
    let bare = target("");
    assert!(bare.starts_with("/q?testVar=foobar&") && !bare.contains("last"), "{bare}");
}

#[test]
fn forwarded_fields_say_who_called_and_add_to_those_that_came() {
    let origin = Origin::echoing();
    let gateway = serving(&proxy_all(origin.port)).start();
    let came = "X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\nForwarded: for=x\r\n";
    assert_eq!(gateway.call(&format!("GET /x HTTP/1.1\r\nHost: a.example\r\n{came}\r\n")).status, 200);
    let request = origin.request();
    assert_eq!(request.field("x-forwarded-for"), Some("1.2.3.4, 5.6.7.8, 127.0.0.1"));
    assert_eq!(request.field("x-forwarded-port"), Some(gateway.port.to_string().as_str()));
    assert_eq!(request.field("x-forwarded-proto"), Some("http"));
}

#[test]
fn a_trace_is_kept_and_completed() {
    let origin = Origin::echoing();
    let gateway = serving(&proxy_all(origin.port)).start();
    let call = |trace: &str| {
        let line = if trace.is_empty() { String::new() } else { format!("X-Amzn-Trace-Id: {trace}\r\n") };
        assert_eq!(gateway.call(&format!("GET /x HTTP/1.1\r\nHost: a.example\r\n{line}\r\n")).status, 200);
        origin.last().field("x-amzn-trace-id").expect("always there").to_owned()
    };
    let root = "Root=1-3152b799-8954dae64eda91bc9a23a7e8";
    let fresh = call("");
    assert!(fresh.starts_with("Root=1-") && fresh.contains(";Parent=") && fresh.ends_with(";Sampled=0"), "{fresh}");
    let extended = call(root);
    assert!(extended.starts_with(&format!("{root};Parent=")) && extended.ends_with(";Sampled=0"), "{extended}");
    assert_eq!(call(&format!("{root};Parent=7fa8c0f79203be72")), format!("{root};Parent=7fa8c0f79203be72;Sampled=1"));
    assert_eq!(
        call(&format!("{root};Parent=7fa8c0f79203be72;Sampled=0")),
        format!("{root};Parent=7fa8c0f79203be72;Sampled=0")
    );
    let nonsense = call("not a trace");
    assert!(nonsense.starts_with("Root=1-"), "{nonsense}");
}

#[test]
fn fields_named_by_connection_stay_here_and_no_upgrade_happens() {
    each_driver(|driver| {
        let origin = Origin::answering(
            "HTTP/1.1 200 OK\r\nConnection: X-Theirs, keep-alive\r\nX-Theirs: 1\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
        );
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let seen = gateway.call(
            "GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, X-Hop, close\r\nUpgrade: websocket\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n",
        );
        let request = origin.request();
        assert_eq!((request.field("x-hop"), request.field("upgrade"), request.field("connection")), (None, None, None));
        assert_eq!(request.field("x-end"), Some("2"));
        assert_eq!((seen.status, seen.field("x-theirs"), seen.field("upgrade")), (200, None, None));
        assert!(seen.closes(), "the client asked for it");
    });
}

#[test]
fn connection_says_what_happens_next() {
    let gateway = serving(&document(&routes(&[("/x", "get", mock("x"))]))).start();
    let rows = [
        ("HTTP/1.1", "", false),
        ("HTTP/1.1", "Connection: close\r\n", true),
        ("HTTP/1.1", "Connection: Keep-Alive, CLOSE\r\n", true),
        ("HTTP/1.0", "", true),
        ("HTTP/1.0", "Connection: keep-alive\r\n", false),
    ];
    for (version, line, closes) in rows {
        let mut client: Client = gateway.connect();
        client.send(format!("GET /x {version}\r\nHost: a.example\r\n{line}\r\n").as_bytes());
        let seen = client.response();
        assert_eq!((seen.status, seen.closes()), (200, closes), "{version} {line}");
        if closes {
            assert!(client.is_at_end(), "{version} {line}");
        } else {
            client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
            assert_eq!(client.response().status, 200);
        }
    }
}

#[test]
fn no_value_of_a_client_breaks_a_line_it_is_mapped_into() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let mut integration = proxy(&format!("http://127.0.0.1:{}/{{p}}", origin.port));
        integration["requestParameters"] = json!({
            "integration.request.header.X-Mapped": "method.request.querystring.h",
            "integration.request.path.p": "method.request.querystring.p",
            "integration.request.querystring.q": "method.request.querystring.q",
        });
        let mut operation = operation("/x", &integration);
        operation["parameters"] = ["h", "p", "q"]
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
            .collect();
        let gateway = serving(&document(&json!({"/x": {"get": operation}}))).on(driver).start();
        let evil =
            ["%0d%0aEvil:%20yes", "%0aEvil:yes", "%0d", "%00", "a%20HTTP/1.1%0d%0aEvil:%20yes%0d%0a%0d%0aGET%20/"];
        for value in evil {
            for name in ["h", "p", "q"] {
                let seen = gateway.get(&format!("/x?{name}={value}"));
                assert!(matches!(seen.status, 200 | 500), "{name}={value}: {seen:?}");
            }
        }
        for request in origin.requests() {
            assert!(request.field("evil").is_none() && request.method == "GET", "{request:?}");
            assert!(request.target.bytes().all(|byte| byte.is_ascii_graphic()), "{}", request.target);
        }
    });
}
