//! What a request costs the allocator: nothing, in steady state, for parsing, serving and answering.
//!
//! The allocator of this binary counts per thread, so that tests beside each other do not disturb.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ringgate_core::exchange::{BodyShape, CallFailure, Delivery, Scratch, serve, write_access_log, write_decision};
use ringgate_core::proto::h1::{Framing, HeadLimits, RequestHead, parse_request};
use ringgate_core::record::decision::{Decisions, MEMORY_BYTES_MIN};

#[allow(dead_code, reason = "the simulation needs the rest")]
#[path = "../src/core/exchange/tests/world.rs"]
mod world;

use world::{Table, World, block_on};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and nobody asks for it.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

/// Justification: the trait is unsafe to implement, and nothing else sees every allocation.
/// Safety: every call is passed on to the system's allocator unchanged.
#[allow(unsafe_code, reason = "see above")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const DOCUMENT: &str = r#"
paths:
  /pets/{id}:
    x-amazon-apigateway-any-method:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        uri: 'http://origin.example/x/{id}'
        requestParameters:
          integration.request.path.id: method.request.path.id
          integration.request.header.X-Stage: context.stage
          integration.request.header.X-Q: method.request.querystring.q
          integration.request.querystring.id: context.requestId
  /http:
    x-amazon-apigateway-any-method:
      responses: {'200': {description: x}, '204': {description: x}, '304': {description: x}, '404': {description: x}, '502': {description: x}}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: ANY
        uri: 'http://origin.example/x'
        requestTemplates: {application/json: '{"stage": "$context.stage"}'}
        responses:
          default:
            statusCode: '200'
            responseParameters: {method.response.header.X-Back: integration.response.header.X-Back}
            responseTemplates: {application/json: '{"id": "$context.requestId"}'}
  /program:
    x-amazon-apigateway-any-method:
      responses: {'200': {description: x}}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: ANY
        uri: 'http://origin.example/x'
        requestTemplates: {application/json: '#set($root = $input.path("$")){"name": $input.json("$.name"), "q": "$input.params("q")", "ids": [#foreach($item in $root.items)$item.id#if($foreach.hasNext),#end#end]}'}
        responses:
          default:
            statusCode: '200'
            responseTemplates: {application/json: '{"first": $input.path("$.a"), "all": $input.body, "id": "$context.requestId"}'}
  /mock:
    x-amazon-apigateway-any-method:
      responses: {'200': {description: x}, '204': {description: x}, '304': {description: x}, '404': {description: x}, '502': {description: x}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}', text/plain: '{"statusCode": 200, "stage": "$context.stage"}'}
        responses:
          default:
            statusCode: '200'
            responseParameters: {method.response.header.Access-Control-Allow-Origin: "'*'"}
            responseTemplates: {application/json: '{"path": "$context.path"}'}
x-amazon-apigateway-gateway-responses:
  INTEGRATION_TIMEOUT: {responseParameters: {gatewayresponse.header.X-Id: method.request.path.id}, responseTemplates: {application/json: '$context.error.messageString'}}
"#;

const FIELDS: &str = "Host: gate.example\r\nUser-Agent: curl/8\r\nAccept: */*\r\nX-A: 1\r\nCookie: a=b\r\nx-a: 2\r\n";

/// Allocations of one request, once its buffers have grown.
fn allocations(world: &World, request: &str, answer: Result<&[u8], CallFailure>) -> usize {
    let (mut head, mut scratch, mut line) = (RequestHead::new(), Scratch::default(), Vec::new());
    let content = request.split_once("\r\n\r\n").map_or("", |(_, content)| content).as_bytes().to_vec();
    let mut effects = Table { answer, body: Some(Ok(content)), ..Table::default() };
    let mut decisions = Decisions::new(MEMORY_BYTES_MIN);
    let mut last = 0;
    for _ in 0..3 {
        let before = ALLOCATIONS.get();
        parse_request(request.as_bytes(), &HeadLimits::default(), &mut head).expect("well formed");
        let body = match head.framing {
            Framing::Length(length) => BodyShape::Length(length),
            _ => BodyShape::Empty,
        };
        let mut exchange = world.exchange(request.as_bytes(), &head, body, &mut scratch);
        block_on(serve(&mut exchange, &mut effects));
        line.clear();
        write_access_log(&exchange, &mut line);
        let delivery = Delivery { request_body: b"hi", ..Delivery::default() };
        write_decision(&exchange, &delivery, &mut decisions);
        drop(exchange);
        last = ALLOCATIONS.get() - before;
    }
    last
}

#[test]
fn a_request_allocates_nothing_in_steady_state() {
    let world = World::of(DOCUMENT);
    let ok: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Back: 1\r\nContent-Length: 2\r\n\r\nhi";
    let request = |start: &str, more: &str| format!("{start} HTTP/1.1\r\n{FIELDS}{more}\r\n");
    let json: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"a\": 1}";
    let body = r#"{"name": "n", "items": [{"id": 1}, {"id": 2}]}"#;
    let program = request("POST /program?q=1", &format!("Content-Length: {}\r\n", body.len())) + body;
    let cases = [
        ("HTTP_PROXY", request("GET /pets/7?q=a%20b", ""), Ok(ok)),
        ("HTTP_PROXY with a body", request("POST /pets/7?q=a%20b", "Content-Length: 2\r\n"), Ok(ok)),
        ("HTTP_PROXY, HEAD", request("HEAD /dev/pets/7", ""), Ok(ok)),
        ("HTTP", request("GET /http", ""), Ok(ok)),
        ("HTTP with a template", request("POST /http", "Content-Length: 2\r\n"), Ok(ok)),
        ("HTTP with programs", program, Ok(json)),
        ("MOCK", request("GET /mock", ""), Ok(ok)),
        ("MOCK with a template", request("POST /mock", "Content-Type: text/plain\r\n"), Ok(ok)),
        ("no route", request("GET /none", ""), Ok(ok)),
    ];
    for (name, request, answer) in &cases {
        assert_eq!(allocations(&world, request, *answer), 0, "{name}");
    }
}

/// A failure tells the operator why in words of its own: that text is the one allocation.
#[test]
fn a_failure_allocates_its_reason_alone() {
    let world = World::of(DOCUMENT);
    let request = format!("GET /pets/7 HTTP/1.1\r\n{FIELDS}\r\n");
    for failure in [CallFailure::Refused, CallFailure::Network, CallFailure::Timeout, CallFailure::TooManyConnections] {
        assert_eq!(allocations(&world, &request, Err(failure)), 1, "{failure:?}");
    }
}

#[test]
fn the_allocator_counts() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(7)));
    assert_eq!(ALLOCATIONS.get() - before, 1);
}
