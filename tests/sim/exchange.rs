//! Random requests and random origins through the whole pipeline: whatever either says, the client gets one response
//! and the origin one request, and nothing of one turns into a line of the other.
//!
//! `EXCHANGE_SIM_SEEDS=N` runs the first N seeds, `EXCHANGE_SIM_SEED=N` one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ringgate_core::exchange::{BodyFailure, CallBody, CallFailure, Served};
use ringgate_core::proto::h1::{
    BodyDecoder, Fields, Framing, HeadLimits, Progress, RequestHead, ResponseHead, parse_request, parse_response,
};
use ringgate_core::proto::http::{FieldSet, KnownField as K, Method};

use crate::support::Numbers;
use crate::world::{Session, Table, Told, World, decoded};

const SEEDS_DEFAULT: u64 = 400;
const ROUNDS: usize = 25;

const DOCUMENT: &str = r#"
paths:
  /p/{id}/{rest+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}, {name: rest, in: path, required: true, schema: {type: string}}]
      responses: {}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        uri: 'http://origin.example/x/{id}?own={id}&rest={rest}'
        requestParameters:
          integration.request.path.id: method.request.path.id
          integration.request.path.rest: method.request.path.rest
          integration.request.header.X-Mapped: method.request.querystring.q
          integration.request.header.X-Many: method.request.multivalueheader.X-A
          integration.request.header.Host: method.request.header.X-Host
          integration.request.querystring.mapped: method.request.header.X-A
          integration.request.querystring.many: method.request.multivaluequerystring.q
  /plain:
    x-amazon-apigateway-any-method: {responses: {}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: 'http://plain.example:8080'}}
  /head:
    x-amazon-apigateway-any-method: {responses: {}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: HEAD, uri: 'http://plain.example'}}
  /http:
    x-amazon-apigateway-any-method:
      responses: {'200': {description: x}, '204': {description: x}, '304': {description: x}, '404': {description: x}, '502': {description: x}}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: ANY
        uri: 'https://http.example/?a=b'
        requestParameters:
          integration.request.header.Content-Type: method.request.header.Content-Type
          integration.request.header.X-Mapped: method.request.querystring.q
        requestTemplates: {text/plain: 'p $context.path q $context.identity.userAgent'}
        responses:
          2..: {statusCode: '200', responseParameters: {method.response.header.X-Back: integration.response.header.X-A, method.response.header.Content-Type: integration.response.header.Content-Type}}
          3..: {statusCode: '304'}
          40\d: {statusCode: '204', responseTemplates: {application/json: 'never sent $context.path'}}
          5..: {statusCode: '502', responseTemplates: {text/html: '<p>$context.domainName', application/json: '{}'}}
          default: {statusCode: '404', responseParameters: {method.response.header.Connection: integration.response.header.Connection, method.response.header.X-Q: context.identity.userAgent}}
  /mock:
    x-amazon-apigateway-any-method:
      responses: {'200': {description: x}, '204': {description: x}, '304': {description: x}, '404': {description: x}, '502': {description: x}}
      x-amazon-apigateway-integration:
        type: mock
        passthroughBehavior: WHEN_NO_TEMPLATES
        requestTemplates: {application/json: '{"statusCode": 200}', text/plain: '{statusCode: 404, p: "$context.path"}', text/xml: $input.body}
        responses: {'404': {statusCode: '204'}, default: {statusCode: '200', responseTemplates: {application/json: '"$context.httpMethod $context.identity.userAgent"'}}}
  /closed:
    get: {responses: {}}
x-amazon-apigateway-gateway-responses:
  DEFAULT_4XX: {responseParameters: {gatewayresponse.header.X-Q: method.request.querystring.q, gatewayresponse.header.X-Id: method.request.path.id}, responseTemplates: {text/plain: '$method.request.querystring.q $context.error.messageString'}}
  INTEGRATION_TIMEOUT: {statusCode: 304}
  API_CONFIGURATION_ERROR: {statusCode: 204, responseParameters: {gatewayresponse.header.Content-Length: "'7'"}}
"#;

#[test]
fn every_exchange_is_one_request_and_one_response() {
    let world = World::of(DOCUMENT);
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("EXCHANGE_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("EXCHANGE_SIM_SEEDS").unwrap_or(SEEDS_DEFAULT),
    };
    let mut seen = BTreeMap::new();
    for seed in seeds {
        let result = catch_unwind(AssertUnwindSafe(|| run(&world, seed, &mut seen)));
        if let Err(panic) = result {
            eprintln!("again with EXCHANGE_SIM_SEED={seed}");
            resume_unwind(panic);
        }
    }
    println!("{seen:?}");
    for wanted in ["unparsed", "relayed", "own", "called", "closes", "200", "204", "304", "403", "413", "500", "504"] {
        assert!(
            std::env::var_os("EXCHANGE_SIM_SEED").is_some() || seen.contains_key(wanted),
            "no `{wanted}` in {seen:?}"
        );
    }
}

fn run(world: &World, seed: u64, seen: &mut BTreeMap<String, usize>) {
    let mut numbers = Numbers::new(seed + 1);
    let mut session = Session::default();
    let mut count = |what: &str| *seen.entry(what.to_owned()).or_default() += 1;
    for round in 0..ROUNDS {
        let request = client(&mut numbers);
        let mut head = RequestHead::new();
        if !matches!(parse_request(&request, &HeadLimits::default(), &mut head), Ok(Progress::Complete(_))) {
            count("unparsed");
            continue;
        }
        let answer = origin(&mut numbers, head.method);
        let failure = failure(&mut numbers);
        let mut effects = Table {
            answer: failure.map_or(Ok(&answer[..]), Err),
            body: (numbers.below(20) == 0).then_some(Err(BodyFailure::TooLarge)),
            body_is_done: numbers.below(8) > 0,
            ..Table::default()
        };
        let told = world.ask_with(&request, &mut session, &mut effects);
        let what = format!("round {round}\n{}\n-- answer\n{}", lossy(&request), lossy(&answer));
        check_response(&told, &head, &effects, &what);
        assert!(effects.calls <= 1, "{what}");
        if effects.calls == 1 {
            count("called");
            check_request(&effects, &head, &request, &what);
        }
        check_log(&told, &what);
        count(&told.facts.status.to_string());
        count(if told.served == Served::Relay { "relayed" } else { "own" });
        if !told.keeps_alive {
            count("closes");
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check_response(told: &Told, asked: &RequestHead, effects: &Table<'_>, what: &str) {
    let what = format!("{what}\n-- response\n{}", lossy(&told.wire));
    let mut head = ResponseHead::new();
    let limits = HeadLimits { header_bytes_max: 1 << 20, ..HeadLimits::for_origin() };
    let parsed = parse_response(&told.wire, &limits, asked.method, &mut head);
    assert_eq!(parsed, Ok(Progress::Complete(head.len)), "{what}");
    assert_eq!(head.status.code(), told.facts.status, "{what}");
    assert!(head.status.code() >= 200, "{what}");
    let mut decoder = BodyDecoder::new(head.framing);
    let rest = &told.wire[head.len..];
    let mut consumed = 0;
    while consumed < rest.len() && !decoder.is_done() {
        consumed += decoder.decode(&rest[consumed..]).unwrap_or_else(|fault| panic!("{fault}\n{what}")).consumed;
    }
    assert_eq!(consumed, rest.len(), "bytes of another response\n{what}");
    if head.framing == Framing::UntilClose {
        assert!(!told.keeps_alive && !head.keep_alive, "{what}");
    } else {
        // What an origin cuts short the driver cuts off.
        assert!(decoder.is_done() || is_cut_short(told, effects), "cut short\n{what}");
    }
    let says_close = head.fields.value(K::Connection, &told.wire) == Some(b"close");
    assert_eq!(says_close, !told.keeps_alive, "{what}");
    assert!(!(told.wire.starts_with(b"HTTP/1.0")) && head.fields.values(K::Date, &told.wire).count() == 1, "{what}");
    for once in [K::XAmznRequestId, K::XAmzApigwId, K::Connection] {
        assert_eq!(head.fields.values(once, &told.wire).count(), 1, "{once:?}\n{what}");
    }
    assert!(head.fields.values(K::ContentType, &told.wire).count() >= 1, "{what}");
    assert_no_injection(&head.fields, &told.wire, &what);
    let content = decoded(&mut BodyDecoder::new(head.framing), rest);
    assert_eq!(
        content.len() as u64,
        if told.served == Served::Own { told.facts.response_length } else { content.len() as u64 }
    );
    if told.served == Served::Relay && head.framing != Framing::None {
        let answer = effects.answer.expect("passed on");
        let theirs = decoded(&mut BodyDecoder::new(effects.answer_head.framing), &answer[effects.answer_head.len..]);
        assert_eq!(content, theirs, "{what}");
    }
    if asked.version == ringgate_core::proto::http::Version::Http10 {
        assert!(!head.fields.contains(K::TransferEncoding), "{what}");
    }
}

fn is_cut_short(told: &Told, effects: &Table<'_>) -> bool {
    let mut decoder = BodyDecoder::new(effects.answer_head.framing);
    let answer = effects.answer.unwrap_or_default();
    decoded(&mut decoder, answer.get(effects.answer_head.len..).unwrap_or_default());
    told.served == Served::Relay && !decoder.is_done()
}

/// Every generated value that holds a line break tries to make this field.
fn assert_no_injection(fields: &Fields, bytes: &[u8], what: &str) {
    assert_eq!(fields.named(b"X-Injected", bytes).count(), 0, "{what}");
}

const ONE_CONNECTION: FieldSet = FieldSet::of(&[
    K::Connection,
    K::KeepAlive,
    K::ProxyConnection,
    K::ProxyAuthorization,
    K::ProxyAuthenticate,
    K::Te,
    K::Trailer,
    K::Upgrade,
    K::Http2Settings,
    K::Expect,
]);

/// What the gateway writes itself, whatever the client says about its own fields of that name.
const OURS: FieldSet = FieldSet::of(&[
    K::Host,
    K::ContentLength,
    K::TransferEncoding,
    K::XForwardedFor,
    K::XForwardedPort,
    K::XForwardedProto,
    K::XAmznTraceId,
    K::XAmznApigatewayApiId,
    K::Accept,
    K::UserAgent,
    K::ContentType,
]);

fn check_request(effects: &Table<'_>, asked: &RequestHead, request: &[u8], what: &str) {
    let what = format!("{what}\n-- sent\n{}", lossy(&effects.sent));
    let mut head = RequestHead::new();
    let limits = HeadLimits { header_bytes_max: 1 << 20, start_line_bytes_max: 1 << 20, ..HeadLimits::default() };
    let parsed = parse_request(&effects.sent, &limits, &mut head);
    assert_eq!(parsed, Ok(Progress::Complete(head.len)), "{what}");
    let called = effects.called.expect("a call was made");
    let body = &effects.sent[head.len..];
    match (called.body, head.framing) {
        (CallBody::Own, Framing::None) => assert!(body.is_empty(), "{what}"),
        (CallBody::Own, Framing::Length(length)) => assert_eq!(body.len() as u64, length, "{what}"),
        (CallBody::Clients, Framing::Length(_) | Framing::Chunked) => assert!(body.is_empty(), "{what}"),
        other => panic!("{other:?}\n{what}"),
    }
    assert_eq!(called.is_head, head.method == Method::Head, "{what}");
    for field in &head.fields {
        assert!(!ONE_CONNECTION.contains(field.known), "{field:?}\n{what}");
        let name = field.name.of(&effects.sent);
        let is_mapped = [&b"X-Mapped"[..], b"X-Many"].contains(&name);
        let is_ours = OURS.contains(field.known) || is_mapped;
        assert!(is_ours || !asked.fields.is_named_by_connection(name, request), "{}\n{what}", lossy(name));
    }
    for once in [K::Host, K::XAmznTraceId, K::XAmznApigatewayApiId] {
        assert_eq!(head.fields.values(once, &effects.sent).count(), 1, "{once:?}\n{what}");
    }
    assert_no_injection(&head.fields, &effects.sent, &what);
}

fn check_log(told: &Told, what: &str) {
    let line = std::str::from_utf8(&told.log_line).unwrap_or_else(|error| panic!("{error}\n{what}"));
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} {line}\n{what}"));
    assert_eq!((line.matches('\n').count(), value["status"].as_u64()), (1, Some(told.facts.status.into())), "{what}");
}

fn pick<'l, T: ?Sized>(list: &[&'l T], numbers: &mut Numbers) -> &'l T {
    list[numbers.below(list.len())]
}

const NAMES: [&str; 44] = [
    "Accept",
    "Accept",
    "X-A",
    "X-A",
    "x-a",
    "X-B",
    "X-Host",
    "Host",
    "Connection",
    "connection",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Upgrade",
    "HTTP2-Settings",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "Via",
    "Expect",
    "Date",
    "Server",
    "Content-Type",
    "Content-Encoding",
    "Content-MD5",
    "Cookie",
    "Set-Cookie",
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Amzn-Trace-Id",
    "x-amzn-RequestId",
    "x-amz-apigw-id",
    "X-Amzn-Apigateway-Api-Id",
    "x-amzn-ErrorType",
    "User-Agent",
    "Authorization",
    "Content-Length",
    "Transfer-Encoding",
    "X-Injected-Not",
    "Max-Forwards",
    "WWW-Authenticate",
    "Location",
    "Content-Type ",
];
const VALUES: [&str; 34] = [
    "",
    "1",
    "*/*",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/xml",
    "application/json",
    "close",
    "keep-alive",
    "close, X-A",
    "X-B, x-host",
    "keep-alive, Content-Type",
    "Upgrade, HTTP2-Settings",
    "host, content-length",
    "a.example",
    "a.example:81",
    "[::1]:80",
    "user@a",
    "a b",
    "a,b",
    "trailers",
    "h2c",
    "gzip",
    "chunked",
    "0",
    "5",
    "-1",
    "identity",
    "\"quoted\\",
    "a\tb",
    "\u{e4}\u{0}",
    "a\rX-Injected: 1",
    "a\nX-Injected: 1",
    "Root=1-2;Parent=3",
];

fn fields(numbers: &mut Numbers, out: &mut Vec<u8>) {
    for _ in 0..numbers.below(9) {
        let hostile = numbers.below(40) == 0;
        let names = if hostile { &NAMES[..] } else { &NAMES[..37] };
        let values = if hostile { &VALUES[..] } else { &VALUES[..30] };
        line(pick(names, numbers).as_bytes(), pick(values, numbers).as_bytes(), out);
    }
    if numbers.below(10) == 0 {
        let value: Vec<u8> =
            (0..numbers.below(40)).map(|_| 0x20 + numbers.below(0xdf) as u8).filter(|&byte| byte != 0x7f).collect();
        line(pick(&["X-A", "User-Agent", "X-Random"], numbers).as_bytes(), &value, out);
    }
}

fn line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// One request, mostly well formed.
fn client(numbers: &mut Numbers) -> Vec<u8> {
    let methods = ["GET", "GET", "POST", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY"];
    let paths = [
        "/plain",
        "/plain/",
        "//plain",
        "/dev/plain",
        "/head",
        "/http",
        "/http",
        "/mock",
        "/mock",
        "/closed",
        "/none",
        "/",
        "/p/1/a/b",
        "/p/1/a/b",
        "/dev/p/a%2Fb/%20c/",
        "/p/a&b=c/d?e",
        "/p/x//y%0d%0aX-Injected:%201",
        "/p/\"<>^`{|}/\\",
        "*",
        "http://b.example/plain",
        "/restapis/a1b2c3d4e5/dev/_user_request_/mock",
    ];
    let queries = [
        "",
        "",
        "",
        "?",
        "?q=1",
        "?q=a%0d%0aX-Injected:%201",
        "?q=%0aX-Injected:1",
        "?q=%00",
        "?q=1&q=2;q=3",
        "?&&a",
        "?q=%ff&%",
        "?q=a#b",
    ];
    let (method, path, query) = (pick(&methods, numbers), pick(&paths, numbers), pick(&queries, numbers));
    let version = if numbers.below(6) == 0 { "HTTP/1.0" } else { "HTTP/1.1" };
    let mut out = format!("{method} {path}{query} {version}\r\n").into_bytes();
    if numbers.below(30) > 0 {
        let hosts =
            ["gate.example", "gate.example:8080", "a1b2c3d4e5.execute-api.localhost", "zz.execute-api.x", "[::1]"];
        line(b"Host", pick(&hosts, numbers).as_bytes(), &mut out);
    }
    fields(numbers, &mut out);
    let bodies: [&[u8]; 5] = [b"", b"hello", b"{\"statusCode\": 404}", b"{\"statusCode\": 1}", &[b'x'; 1001]];
    let body = bodies[numbers.below(bodies.len())];
    message_body(body, version == "HTTP/1.1", numbers, &mut out);
    out
}

/// A body in one of the framings, or none.
fn message_body(body: &[u8], may_chunk: bool, numbers: &mut Numbers, out: &mut Vec<u8>) {
    match numbers.below(3) {
        0 if may_chunk => {
            line(b"Transfer-Encoding", b"chunked", out);
            out.extend_from_slice(b"\r\n");
            if !body.is_empty() {
                out.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
                out.extend_from_slice(body);
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(b"0\r\n\r\n");
        }
        1 => {
            line(b"Content-Length", body.len().to_string().as_bytes(), out);
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(body);
        }
        _ => out.extend_from_slice(b"\r\n"),
    }
}

/// One answer, mostly well formed; its body is as long as it says.
fn origin(numbers: &mut Numbers, asked: Method) -> Vec<u8> {
    let statuses = [
        "200 OK",
        "200 OK",
        "200 OK",
        "201 x",
        "204 No Content",
        "205 x",
        "304 Not Modified",
        "302 Found",
        "404 x",
        "401 x",
        "500 x",
        "503",
        "600 x",
        "799 x",
        "100 Continue",
        "101 x",
        "999 ",
    ];
    let status = pick(&statuses, numbers);
    let mut out = format!("HTTP/1.{} {status}\r\n", numbers.below(2)).into_bytes();
    let is_11 = out[7] == b'1';
    fields(numbers, &mut out);
    let has_body =
        asked != Method::Head && !status.starts_with("204") && !status.starts_with("304") && !status.starts_with('1');
    let bodies: [&[u8]; 4] = [b"", b"hi", b"HTTP/1.1 200 OK\r\nX-Injected: 1\r\n\r\n", &[b'y'; 999]];
    let body = if has_body { bodies[numbers.below(bodies.len())] } else { b"" };
    let length = out.len();
    message_body(body, is_11, numbers, &mut out);
    if numbers.below(60) == 0 {
        let at = numbers.below(length);
        out[at] = numbers.below(256) as u8;
    }
    out
}

fn failure(numbers: &mut Numbers) -> Option<CallFailure> {
    let failures = [
        CallFailure::Refused,
        CallFailure::NameNotFound,
        CallFailure::Network,
        CallFailure::Timeout,
        CallFailure::TooManyConnections,
        CallFailure::Body(BodyFailure::Gone),
    ];
    failures.get(numbers.below(failures.len() * 4)).copied()
}
