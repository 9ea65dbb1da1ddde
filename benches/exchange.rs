//! The pipeline without a world around it: `serve` from a parsed head to a response head. The origin answers at once.
//!
//! `EXCHANGE_BENCH=name:count` runs one case that often and nothing else, to count instructions:
//! `valgrind --tool=callgrind` over two counts, and the difference per exchange.

use std::hint::black_box;

use criterion::Criterion;
use ringgate_core::base::Instant;
use ringgate_core::exchange::{
    Answer, BodyFailure, BodyShape, Call, CallFailure, Delivery, Effects, Renderer, Scratch, Served, serve,
    write_access_log, write_decision,
};
use ringgate_core::proto::h1::{HeadLimits, RequestHead, ResponseHead, parse_request, parse_response};
use ringgate_core::proto::http::Method;
use ringgate_core::proto::http::coding::{Coding, Encoder};
use ringgate_core::record::decision::Decisions;

#[allow(dead_code, reason = "the tests need the rest")]
#[path = "../src/core/exchange/tests/world.rs"]
mod world;

use world::{World, block_on};

const DOCUMENT: &str = r#"
paths:
  /orders/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://origin.example/orders/{id}', requestParameters: {integration.request.path.id: method.request.path.id}}
  /health:
    get:
      responses: {'200': {description: ok}}
      x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: '200', responseTemplates: {application/json: '{"status": "ok"}'}}}}
"#;

const SIX_FIELDS: &str = "Host: a1b2c3d4e5.execute-api.example.com\r\n\
    User-Agent: orders-client/2.4.1\r\n\
    Accept: application/json\r\n\
    Accept-Encoding: gzip, br\r\n\
    X-Api-Key: 0123456789abcdef0123456789abcdef\r\n\
    Connection: keep-alive\r\n";

const FOURTEEN_MORE: &str = "Cache-Control: max-age=0\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Referer: https://shop.example.com/prod/catalogue\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: session=5f2b8c1e9d7a4f6083b2c1d0e9f8a7b6; theme=dark; consent=1\r\n\
    If-None-Match: \"3f80f-1b6-3e1cb03b\"\r\n\
    X-Forwarded-For: 203.0.113.7\r\n\
    DNT: 1\r\n";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Sat, 21 Nov 2026 05:00:00 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 512\r\nETag: \"x\"\r\nConnection: keep-alive\r\n\r\n";

/// An origin that has always answered already.
struct Still {
    head: ResponseHead,
}

impl Effects for Still {
    fn now(&self) -> Instant {
        Instant::from_nanos(2_000)
    }

    fn draw(&mut self) -> u64 {
        0
    }

    async fn call(&mut self, call: Call<'_>) -> Result<(), CallFailure> {
        black_box(call.request);
        Ok(())
    }

    fn uploaded(&self) -> Option<Instant> {
        None
    }

    fn answer(&self) -> Answer<'_> {
        Answer { head: &self.head, bytes: ANSWER, length: Some(512) }
    }

    fn can_serve_again(&self) -> bool {
        true
    }

    async fn read_body(&mut self, _: &mut Vec<u8>) -> Result<(), BodyFailure> {
        Ok(())
    }

    async fn read_answer(&mut self, _: &mut Vec<u8>) -> Result<(), CallFailure> {
        Ok(())
    }

    fn with_renderer<R>(&self, run: impl FnOnce(&mut Renderer) -> R) -> R {
        run(&mut Renderer::new())
    }

    fn lend_encoder(&mut self, _: Coding) -> Option<Box<Encoder>> {
        None
    }

    fn take_back_encoder(&mut self, _: Box<Encoder>) {}
}

/// One kind of exchange, again and again.
struct Case {
    world: World,
    request: Vec<u8>,
    head: RequestHead,
    scratch: Scratch,
    effects: Still,
    line: Vec<u8>,
    decisions: Decisions,
}

impl Case {
    fn new(path: &str, more: &str) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\n{SIX_FIELDS}{more}\r\n").into_bytes();
        let (mut head, mut answer) = (RequestHead::new(), ResponseHead::new());
        parse_request(&request, &HeadLimits::default(), &mut head).expect("well formed");
        parse_response(ANSWER, &HeadLimits::for_origin(), Method::Get, &mut answer).expect("well formed");
        let (world, effects) = (World::of(DOCUMENT), Still { head: answer });
        let mut case = Self {
            world,
            request,
            head,
            scratch: Scratch::default(),
            effects,
            line: Vec::new(),
            decisions: Decisions::new(4 << 20),
        };
        case.run();
        assert!(!case.scratch.response.starts_with(b"HTTP/1.1 5"), "a failure is not what is measured");
        case
    }

    fn run(&mut self) -> Served {
        let Self { world, request, head, scratch, effects, .. } = self;
        let mut exchange = world.exchange(black_box(request), head, BodyShape::Empty, scratch);
        block_on(serve(&mut exchange, effects))
    }

    /// The same with its access-log line.
    fn run_logged(&mut self) {
        let Self { world, request, head, scratch, effects, line, .. } = self;
        let mut exchange = world.exchange(black_box(request), head, BodyShape::Empty, scratch);
        block_on(serve(&mut exchange, effects));
        line.clear();
        write_access_log(&exchange, line);
    }
}

impl Case {
    /// The same with its decision record.
    fn run_remembered(&mut self) {
        let Self { world, request, head, scratch, effects, decisions, .. } = self;
        let mut exchange = world.exchange(black_box(request), head, BodyShape::Empty, scratch);
        block_on(serve(&mut exchange, effects));
        write_decision(&exchange, &Delivery::default(), decisions);
    }
}

const CASES: [(&str, &str, &str); 4] = [
    ("http_proxy/6-fields", "/dev/orders/42?expand=items&limit=20", ""),
    ("http_proxy/20-fields", "/dev/orders/42?expand=items&limit=20", FOURTEEN_MORE),
    ("mock", "/dev/health", ""),
    ("no-route", "/dev/nothing/here", ""),
];

fn main() {
    if let Ok(spec) = std::env::var("EXCHANGE_BENCH") {
        return count(&spec);
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("exchange");
    for (name, path, more) in CASES {
        let mut case = Case::new(path, more);
        group.bench_function(name, |bencher| bencher.iter(|| case.run()));
    }
    let mut case = Case::new(CASES[0].1, CASES[0].2);
    group.bench_function("http_proxy/6-fields/logged", |bencher| bencher.iter(|| case.run_logged()));
    group.bench_function("http_proxy/6-fields/remembered", |bencher| bencher.iter(|| case.run_remembered()));
    group.finish();
    criterion.final_summary();
}

fn count(spec: &str) {
    let (name, count) = spec.split_once(':').expect("name:count");
    let &(_, path, more) = CASES.iter().find(|(known, ..)| *known == name).expect("a case");
    let mut case = Case::new(path, more);
    for _ in 0..count.parse().expect("a number") {
        black_box(case.run());
    }
}
