//! The decision record of an exchange that is over: what it was, gathered from where it still stands.

use std::net::{IpAddr, SocketAddr};

use memchr::memmem;

use crate::base::Instant;
use crate::plan::IntegrationPlan;
use crate::plan::host::Door;
use crate::plan::trie::VARIABLES_MAX;
use crate::record::decision::{Decisions, Ended, Entry, Id, Summary, Tag};

use super::effects::CallFailure;
use super::{BodyFailure, Exchange, Facts};

/// What the driver knows of an exchange beyond the exchange itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivery<'d> {
    /// How the delivery of the response ended.
    pub ended: Ended,
    /// How the back end was called.
    pub call: CallTrace,
    /// What is at hand of the client's body, where the exchange did not gather it.
    pub request_body: &'d [u8],
    /// Bytes of the client's body that were read.
    pub request_length: u64,
}

/// How a call went, as its driver saw it.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallTrace {
    /// Where the last attempt went.
    pub address: Option<SocketAddr>,
    /// Over a connection that had served before.
    pub is_reused: bool,
    /// How many attempts there were.
    pub attempts: u8,
    /// When a fresh connection was ready.
    pub connected: Option<Instant>,
    /// When a body that came piece by piece had been passed on.
    pub uploaded: Option<Instant>,
    /// After a failure: how many addresses the origin has, and how many of them are set aside.
    pub addresses: [u8; 2],
}

/// Longest address with its port.
const ADDRESS_BYTES: usize = 18;

/// Keeps the record of an exchange that is over.
pub fn write_decision(x: &Exchange<'_>, delivery: &Delivery<'_>, decisions: &mut Decisions) {
    if !decisions.is_on() {
        return;
    }
    let (mut captures, mut address) = ([0; 4 * VARIABLES_MAX], [0; ADDRESS_BYTES]);
    let mut entry = Entry::new(summary(x, delivery));
    if let Some(stage) = x.stage {
        entry.add_encoded(&stage.description);
    }
    if let Some(route) = x.route {
        entry.add_encoded(&route.description);
        entry.add(Tag::Captures, encode_captures(x, &mut captures));
    }
    entry.add(Tag::Client, x.request.client.source_ip);
    if x.method != x.request.method_text() {
        entry.add(Tag::AskedMethod, x.method);
    }
    entry.add(Tag::RequestHead, x.request.bytes);
    add_request_body(x, delivery, &mut entry);
    entry.add_encoded(x.scratch.trail.chunks());
    add_call(x, &mut entry);
    entry.add(Tag::Address, encode_address(delivery.call.address, &mut address));
    if x.has_answer_body && holds_bodies(x) {
        entry.add(Tag::AnswerBody, &x.scratch.answer_body);
    }
    add_response(x, &mut entry);
    add_error(&x.facts, &mut entry);
    decisions.push(entry);
}

fn summary(x: &Exchange<'_>, delivery: &Delivery<'_>) -> Summary {
    let facts = &x.facts;
    let called = u64::try_from(x.scratch.trail.called_after().as_nanos()).unwrap_or(u64::MAX);
    let since_start = |at: Instant| u64::try_from(at.since(facts.started).as_nanos()).unwrap_or(u64::MAX);
    Summary {
        request_id: Id(facts.request_id),
        extended_request_id: Id(facts.extended_request_id),
        sequence: 0,
        wall_millis: facts.wall.as_millis(),
        version: x.snapshot.version,
        ended_nanos: facts.response_latency_nanos,
        connected_nanos: delivery.call.connected.map_or(0, since_start),
        called_nanos: called,
        answered_nanos: facts.integration_latency_nanos.map_or(0, |nanos| called.saturating_add(nanos)),
        request_length: delivery.request_length,
        response_length: facts.response_length,
        status: facts.status,
        integration_status: facts.integration_status.unwrap_or(0),
        offset: u16::try_from(x.offset).unwrap_or(u16::MAX),
        attempts: delivery.call.attempts,
        addresses: delivery.call.addresses,
        step: x.scratch.trail.step(),
        ended: delivery.ended,
        is_tls: is_tls(x),
        is_reused: delivery.call.is_reused,
        is_canary: x.stage.is_some_and(|stage| stage.is_canary),
        base_path_end: base_path_end(x),
        has_invalid_request_id: facts.has_invalid_request_id,
    }
}

fn base_path_end(x: &Exchange<'_>) -> u16 {
    match x.door {
        Door::DefaultEndpoint => 0,
        // A custom domain may map everything: then it is the slash that ends it.
        Door::CustomDomain { base_path, .. } => u16::try_from(base_path.end.max(1)).unwrap_or(u16::MAX),
    }
}

fn is_tls(x: &Exchange<'_>) -> bool {
    let Some(IntegrationPlan::Http(plan)) = x.route.map(|route| &route.integration) else { return false };
    x.snapshot
        .upstreams
        .get(plan.upstream.0 as usize)
        .and_then(Option::as_ref)
        .is_some_and(|upstream| upstream.plan.is_tls)
}

fn encode_captures<'c>(x: &Exchange<'_>, out: &'c mut [u8; 4 * VARIABLES_MAX]) -> &'c [u8] {
    let spans = x.captures.as_slice();
    let places = out.as_chunks_mut::<4>().0;
    for (place, span) in places.iter_mut().zip(spans) {
        let ([a, b], [c, d]) = ((span.start as u16).to_le_bytes(), (span.end as u16).to_le_bytes());
        *place = [a, b, c, d];
    }
    &out[..4 * spans.len().min(VARIABLES_MAX)]
}

fn encode_address(address: Option<SocketAddr>, out: &mut [u8; ADDRESS_BYTES]) -> &[u8] {
    let Some(address) = address else { return &[] };
    let length = match address.ip() {
        IpAddr::V4(ip) => {
            out[..4].copy_from_slice(&ip.octets());
            4
        }
        IpAddr::V6(ip) => {
            out[..16].copy_from_slice(&ip.octets());
            16
        }
    };
    out[length..length + 2].copy_from_slice(&address.port().to_be_bytes());
    &out[..length + 2]
}

fn holds_bodies(x: &Exchange<'_>) -> bool {
    x.stage.is_some_and(|stage| stage.records_bodies)
}

/// A body that only passes is kept for failures alone, like a back end's.
fn add_request_body<'e>(x: &'e Exchange<'_>, delivery: &Delivery<'e>, entry: &mut Entry<'e>) {
    if holds_bodies(x) && (x.has_request_body || x.facts.status >= 400) {
        let body = if x.has_request_body { &x.scratch.request_body } else { delivery.request_body };
        entry.add(Tag::RequestBody, body);
    }
}

fn add_call<'e>(x: &'e Exchange<'_>, entry: &mut Entry<'e>) {
    let Some(length) = x.scratch.trail.called_with() else { return };
    let call = x.scratch.request.get(..length).unwrap_or_default();
    // Most calls are a head alone.
    let (head, body) = if call.ends_with(b"\r\n\r\n") { (call, &b""[..]) } else { split_head(call) };
    entry.add(Tag::CallHead, head);
    if holds_bodies(x) {
        entry.add(Tag::CallBody, body);
    }
}

fn split_head(message: &[u8]) -> (&[u8], &[u8]) {
    let end = memmem::find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 4);
    message.split_at(end)
}

fn add_response<'e>(x: &'e Exchange<'_>, entry: &mut Entry<'e>) {
    let response = &x.scratch.response;
    let (head, body) = response.split_at_checked(x.response_head).unwrap_or((response, b""));
    entry.add(Tag::ResponseHead, head);
    if holds_bodies(x) {
        entry.add(Tag::ResponseBody, body);
    }
}

fn add_error<'e>(facts: &'e Facts, entry: &mut Entry<'e>) {
    if let Some((response_type, message)) = &facts.error {
        entry.add(Tag::ErrorType, response_type.as_str().as_bytes());
        entry.add(Tag::ErrorMessage, message.as_bytes());
    }
    entry.add(Tag::Reason, facts.reason.as_deref().unwrap_or_default().as_bytes());
    if let Some(failure) = facts.call_failure {
        entry.add(Tag::Failure, word(failure).as_bytes());
    }
}

/// The failure in a word, as `/metrics` labels it.
fn word(failure: CallFailure) -> &'static str {
    match failure {
        CallFailure::Refused => "refused",
        CallFailure::NameNotFound => "name_not_found",
        CallFailure::AddressNotAllowed => "address_not_allowed",
        CallFailure::Network => "network",
        CallFailure::Protocol => "protocol",
        CallFailure::Timeout => "timeout",
        CallFailure::TooManyConnections => "too_many_connections",
        CallFailure::OutOfDescriptors => "out_of_descriptors",
        CallFailure::OutOfMemory => "out_of_memory",
        CallFailure::TooLarge => "answer_too_large",
        CallFailure::Body(BodyFailure::Gone) => "client_gone",
        CallFailure::Body(BodyFailure::Timeout) => "client_timeout",
        CallFailure::Body(BodyFailure::Malformed) => "client_malformed",
        CallFailure::Body(BodyFailure::TooLarge) => "client_too_large",
        CallFailure::Body(BodyFailure::OutOfMemory) => "out_of_memory",
    }
}
