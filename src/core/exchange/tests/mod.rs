//! The pipeline at its own seam: definitions in, exact bytes out.

mod content;
mod decision;
mod log;
mod mapped;
mod mock;
mod proxy;
mod rejections;
mod stages;
mod templates;
mod validate;
#[allow(dead_code, reason = "the simulation and the benchmarks use the rest")]
pub mod world;

use super::{BodyFailure, CallFailure};
use world::{Session, Setting, Table, Told, World};

/// What every response of these worlds carries after its date and framing.
const IDS: &str = "x-amzn-RequestId: 07070707-0707-4707-8707-070707070707\nx-amz-apigw-id: BwcHBwcHBwcHBwc=\n";
/// The end of every request to an origin.
const OURS: &str = "X-Amzn-Trace-Id: Root=1-69200000-070707070707070707070707;Parent=0707070707070707;Sampled=0\n\
                    X-Amzn-Apigateway-Api-Id: a1b2c3d4e5\n";
const TRACE: &str = "X-Amzn-Trace-Id: Root=1-69200000-070707070707070707070707;Parent=0707070707070707;Sampled=0\n";
const FORWARDED: &str = "X-Forwarded-For: 203.0.113.9\nX-Forwarded-Port: 443\nX-Forwarded-Proto: https\n";
const OK: &str = "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi";

/// Statuses that every operation of these tests declares.
const DECLARED: [u16; 8] = [200, 201, 204, 304, 400, 404, 418, 502];

/// A message written with line feeds.
fn wire(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// A message as text with line feeds.
fn text(wire: &[u8]) -> String {
    String::from_utf8_lossy(wire).replace("\r\n", "\n")
}

/// The usual request for a target.
fn get(target: &str) -> Vec<u8> {
    request(&format!("GET {target}"), "", "")
}

/// A request with further header lines and a body.
fn request(start: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\n", body.len()) };
    let mut request = wire(&format!("{start} HTTP/1.1\nHost: gate.example:8080\n{headers}{length}\n"));
    request.extend_from_slice(body.as_bytes());
    request
}

/// One exchange: what the origin was sent, and what the client was told.
fn exchange(world: &World, request: &[u8], answer: &str) -> (String, Told) {
    let answer = wire(answer);
    let mut effects = Table { answer: Ok(&answer), ..Table::default() };
    let told = world.ask_with(request, &mut Session::default(), &mut effects);
    (text(&effects.sent), told)
}

/// What the origin was sent.
fn sent(world: &World, request: &[u8]) -> String {
    exchange(world, request, OK).0
}

/// What the client gets for an answer.
fn received(world: &World, request: &[u8], answer: &str) -> String {
    text(&exchange(world, request, answer).1.wire)
}

/// A document whose `GET /pets` has this integration, and the statuses of these tests declared.
fn integration(members: &str) -> String {
    operation("get", "/pets", members)
}

fn operation(method: &str, path: &str, members: &str) -> String {
    format!(
        "paths: {{'{path}': {{{method}: {{parameters: [{}], responses: {{{}}}, \
         x-amazon-apigateway-integration: {{{members}}}}}}}}}",
        path.split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| format!(
                "{{name: {}, in: path, required: true, schema: {{type: string}}}}",
                name.trim_end_matches('+')
            ))
            .collect::<Vec<_>>()
            .join(", "),
        DECLARED.map(|status| format!("'{status}': {{description: x}}")).join(", ")
    )
}

/// The usual head of a response of ours.
fn answered(status: &str, length: usize, fields: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\nDate: Sat, 21 Nov 2026 05:00:00 GMT\nContent-Length: {length}\nConnection: keep-alive\n{IDS}{fields}\n{body}"
    )
}

/// A gateway response as it looks without customization.
fn refused(status: &str, error_type: &str, body: &str) -> String {
    let fields = format!("Content-Type: application/json\nx-amzn-ErrorType: {error_type}\n");
    answered(status, body.len(), &fields, body)
}
