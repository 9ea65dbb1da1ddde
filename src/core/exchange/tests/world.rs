//! A world of tables for one exchange: no socket, no clock, no thread. The origin is a text, the client's body is a
//! text, time passes only while a call is under way.
//!
//! Tests of the pipeline, the simulation and the benchmark share it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringgate_core::base::{Diagnostic, Instant, WallTime};
use ringgate_core::compile::{self, Findings, OriginRewrite, Slots, StageInput};
use ringgate_core::exchange::{
    Answer, BodyFailure, BodyShape, Call, CallBody, CallFailure, CallTrace, Client, Delivery, Effects, Exchange, Facts,
    Framed, Renderer, Request, SEED_BYTES, Scratch, Served, serve, write_access_log, write_decision,
};
use ringgate_core::import::{ApiKind, Options, import};
use ringgate_core::mapping::ContextVariable;
use ringgate_core::model::rest::RestApi;
use ringgate_core::plan::{HostTable, Limits, Snapshot, StageIndex, UpstreamSlot};
use ringgate_core::proto::h1::{
    BodyDecoder, Framing, HeadLimits, Progress, RequestHead, ResponseHead, encode_chunk_header, parse_request,
    parse_response,
};
use ringgate_core::proto::http::Method;
use ringgate_core::proto::http::coding::{Coding, Encoder, Flush};
use ringgate_core::record::AccessLogProgram;
use ringgate_core::record::decision::Decisions;

/// The API's id in every world.
pub const API_ID: &str = "a1b2c3d4e5";
/// The line that a client's response carries after the status line.
pub const DATE_LINE: &[u8] = b"Date: Sat, 21 Nov 2026 05:00:00 GMT\r\n";

/// What a stage is compiled with, beyond its definition.
#[derive(Clone, Debug)]
pub struct Setting<'s> {
    pub variables: &'s [(&'s str, &'s str)],
    pub backend: Option<&'s str>,
    pub ignores_authorization: bool,
    pub overrides_methods: bool,
    pub rewrites: Vec<OriginRewrite>,
    pub body_bytes_max: u64,
    pub timeout_ms_max: u64,
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self {
            variables: &[],
            backend: None,
            ignores_authorization: false,
            overrides_methods: true,
            rewrites: Vec::new(),
            body_bytes_max: 1_000,
            timeout_ms_max: Limits::AWS.integration_timeout_ms_max,
        }
    }
}

/// The model of an OpenAPI 3 document with this body.
pub fn api(body: &str) -> RestApi {
    let document = format!("openapi: 3.0.1\ninfo: {{title: t, version: 1.0}}\n{body}\n");
    let imported = import(&document, &Options { kind: ApiKind::Rest, ..Options::default() });
    imported.api.unwrap_or_else(|| panic!("{document}\n{:#?}", imported.diagnostics))
}

/// One API on one stage, `dev`, that also answers bare paths.
pub struct World {
    pub snapshot: Snapshot,
    pub findings: Vec<Diagnostic>,
}

impl World {
    /// Serves the OpenAPI 3 document with this body.
    pub fn of(body: &str) -> Self {
        Self::with(body, &Setting::default())
    }

    pub fn with(body: &str, setting: &Setting<'_>) -> Self {
        Self::serving(&api(body), setting)
    }

    pub fn serving(api: &RestApi, setting: &Setting<'_>) -> Self {
        let variables: BTreeMap<String, String> =
            setting.variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let limits = Limits {
            request_body_bytes_max: setting.body_bytes_max,
            response_body_bytes_max: setting.body_bytes_max,
            integration_timeout_ms_max: setting.timeout_ms_max,
        };
        let input = StageInput {
            account_id: "123456789012",
            region: "us-east-1",
            api_id: API_ID,
            stage_name: "dev",
            deployment_id: "deploy1234",
            is_canary: false,
            variables: &variables,
            rewrites: &setting.rewrites,
            backend: setting.backend,
            ignores_authorization: setting.ignores_authorization,
            records_bodies: true,
            access_log: None,
            integration_timeout_ms_max: limits.integration_timeout_ms_max,
        };
        let (mut slots, mut findings) = (Slots::default(), Findings::default());
        let stage = compile::stage(api, &input, &mut slots, &mut findings);
        let mut hosts = HostTable::default();
        hosts.insert(API_ID, "dev", StageIndex(0));
        hosts.set_bare("dev", StageIndex(0));
        let snapshot = Snapshot {
            version: 1,
            hosts,
            stages: Box::new([Arc::new(stage)]),
            canaries: Box::default(),
            upstreams: slots.upstreams(),
            slots: slots.counts(),
            limits,
            overrides_methods: setting.overrides_methods,
            access_log: AccessLogProgram::default_json(ContextVariable::scan),
        };
        Self { snapshot, findings: findings.0 }
    }

    /// Sends `request`, a whole message, to a gateway whose origins answer `answer`.
    pub fn ask(&self, request: &[u8], answer: Result<&[u8], CallFailure>) -> Told {
        let mut session = Session::default();
        let mut effects = Table { answer, ..Table::default() };
        self.ask_with(request, &mut session, &mut effects)
    }

    pub fn ask_with(&self, request: &[u8], session: &mut Session, effects: &mut Table<'_>) -> Told {
        let arrived = Arrived::read(request, &mut session.head);
        if effects.body.is_none() {
            effects.body = Some(Ok(arrived.content.clone()));
        }
        let mut exchange = self.exchange(request, &session.head, arrived.shape(effects), &mut session.scratch);
        let served = block_on(serve(&mut exchange, effects));
        let mut log_line = Vec::new();
        write_access_log(&exchange, &mut log_line);
        exchange.note_passing_body(b"(passing)");
        let delivery = Delivery { request_body: &arrived.content, call: effects.trace(), ..Delivery::default() };
        write_decision(&exchange, &delivery, &mut session.decisions);
        let (framed, keeps_alive, is_head) = (exchange.framed, exchange.keeps_alive, exchange.is_head());
        let encoder = exchange.encoder.take();
        let facts = exchange.facts.clone();
        let head = session.scratch.response.clone();
        let wire = deliver(&head, served, framed, is_head, encoder, effects);
        Told { served, head, wire, framed, keeps_alive, facts, log_line }
    }

    /// An exchange of a request that has been parsed.
    pub fn exchange<'x>(
        &'x self,
        bytes: &'x [u8],
        head: &'x RequestHead,
        body: BodyShape,
        scratch: &'x mut Scratch,
    ) -> Exchange<'x> {
        let client = Client {
            source_ip: b"203.0.113.9",
            peer: b"203.0.113.9",
            forwarded_lines: b"\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\n",
            date_line: DATE_LINE,
        };
        let wall = WallTime::from_millis(0x6920_0000_u64 * 1000);
        let facts = Facts::new(Instant::from_nanos(1_000), wall, head, bytes, &[7; SEED_BYTES]);
        let request = Request { head, bytes, body, client };
        Exchange::new(request, &self.snapshot, scratch, facts, head.keep_alive)
    }
}

/// Memory that goes from request to request.
#[derive(Default)]
pub struct Session {
    pub head: RequestHead,
    pub scratch: Scratch,
    /// Remembers nothing unless a test gives it memory.
    pub decisions: Decisions,
}

/// A request that has been read.
struct Arrived {
    framing: Framing,
    content: Vec<u8>,
    is_whole: bool,
}

impl Arrived {
    fn read(request: &[u8], head: &mut RequestHead) -> Self {
        let parsed = parse_request(request, &HeadLimits::default(), head);
        let text = String::from_utf8_lossy(request);
        assert_eq!(parsed, Ok(Progress::Complete(head.len)), "{text}");
        let mut decoder = BodyDecoder::new(head.framing);
        let content = decoded(&mut decoder, &request[head.len..]);
        Self { framing: head.framing, content, is_whole: decoder.is_done() }
    }

    fn shape(&self, effects: &Table<'_>) -> BodyShape {
        let is_whole = self.is_whole && effects.body_is_done;
        match self.framing {
            Framing::None | Framing::Length(0) => BodyShape::Empty,
            Framing::Length(length) => BodyShape::Length(length),
            _ if is_whole && self.content.is_empty() => BodyShape::Empty,
            _ if is_whole => BodyShape::Length(self.content.len() as u64),
            _ => BodyShape::Chunked,
        }
    }
}

/// All the content that `decoder` finds.
pub fn decoded(decoder: &mut BodyDecoder, mut input: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    while !decoder.is_done() && !input.is_empty() {
        let step = decoder.decode(input).expect("the framing is sound");
        content.extend_from_slice(&input[step.data.clone()]);
        input = &input[step.consumed..];
        if step.consumed == 0 {
            break;
        }
    }
    content
}

/// Polls a future that never waits.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing in this world takes time"),
    }
}

/// What a call was, besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Called {
    pub upstream: UpstreamSlot,
    pub body: CallBody,
    pub is_idempotent: bool,
    pub is_head: bool,
    pub timeout: Duration,
}

/// Effects out of a table.
pub struct Table<'t> {
    /// What origins answer: a whole message, or why there is none.
    pub answer: Result<&'t [u8], CallFailure>,
    /// What [`Effects::read_body`] gives; `None`: the body as it came.
    pub body: Option<Result<Vec<u8>, BodyFailure>>,
    pub body_is_done: bool,
    /// What a call takes.
    pub latency: Duration,
    /// What [`Effects::uploaded`] gives.
    pub uploaded: Option<Instant>,
    /// The last request to an origin.
    pub sent: Vec<u8>,
    pub called: Option<Called>,
    pub calls: usize,
    pub answer_head: ResponseHead,
    pub now: Instant,
    pub renderer: RefCell<Renderer>,
    /// What the next random number is.
    pub draw: u64,
}

impl Default for Table<'_> {
    fn default() -> Self {
        Self {
            answer: Err(CallFailure::Refused),
            body: None,
            body_is_done: true,
            latency: Duration::from_millis(12),
            uploaded: None,
            sent: Vec::new(),
            called: None,
            calls: 0,
            answer_head: ResponseHead::new(),
            now: Instant::from_nanos(1_000),
            renderer: RefCell::default(),
            draw: 0,
        }
    }
}

impl Table<'_> {
    fn trace(&self) -> CallTrace {
        CallTrace { attempts: self.calls as u8, address: Some(([192, 0, 2, 1], 80).into()), ..CallTrace::default() }
    }
}

impl Effects for Table<'_> {
    fn now(&self) -> Instant {
        self.now
    }

    async fn call(&mut self, call: Call<'_>) -> Result<(), CallFailure> {
        self.calls += 1;
        self.sent.clear();
        self.sent.extend_from_slice(call.request);
        let Call { upstream, body, is_idempotent, is_head, timeout, .. } = call;
        self.called = Some(Called { upstream, body, is_idempotent, is_head, timeout });
        self.now = self.now + self.latency;
        let bytes = self.answer?;
        let method = if is_head { Method::Head } else { Method::Get };
        self.answer_head.clear();
        match parse_response(bytes, &HeadLimits::for_origin(), method, &mut self.answer_head) {
            // A driver passes over interim answers and refuses a change of protocol.
            Ok(Progress::Complete(_)) if self.answer_head.status.is_informational() => Err(CallFailure::Protocol),
            Ok(Progress::Complete(_)) => Ok(()),
            Ok(Progress::Partial) => Err(CallFailure::Network),
            Err(_) => Err(CallFailure::Protocol),
        }
    }

    fn uploaded(&self) -> Option<Instant> {
        self.uploaded
    }

    fn answer(&self) -> Answer<'_> {
        let bytes = self.answer.expect("asked for only after a call that succeeded");
        let length = match self.answer_head.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked | Framing::UntilClose => None,
        };
        Answer { head: &self.answer_head, bytes, length }
    }

    fn can_serve_again(&self) -> bool {
        self.body_is_done
    }

    fn draw(&mut self) -> u64 {
        self.draw
    }

    async fn read_body(&mut self, into: &mut Vec<u8>) -> Result<(), BodyFailure> {
        match &self.body {
            Some(Ok(body)) => into.extend_from_slice(body),
            Some(Err(failure)) => return Err(*failure),
            None => {}
        }
        Ok(())
    }

    async fn read_answer(&mut self, into: &mut Vec<u8>) -> Result<(), CallFailure> {
        let bytes = self.answer.expect("asked for only after a call that succeeded");
        let mut decoder = BodyDecoder::new(self.answer_head.framing);
        let mut rest = &bytes[self.answer_head.len..];
        while !decoder.is_done() && !rest.is_empty() {
            let step = decoder.decode(rest).map_err(|_| CallFailure::Protocol)?;
            into.extend_from_slice(&rest[step.data.clone()]);
            rest = &rest[step.consumed..];
        }
        decoder.handle_end().map_err(|_| CallFailure::Network)
    }

    fn with_renderer<R>(&self, run: impl FnOnce(&mut Renderer) -> R) -> R {
        run(&mut self.renderer.borrow_mut())
    }

    fn lend_encoder(&mut self, coding: Coding) -> Option<Box<Encoder>> {
        Some(Box::new(Encoder::new(coding)))
    }

    fn take_back_encoder(&mut self, _: Box<Encoder>) {}
}

/// The bytes that a driver would send: the head, and what follows it.
fn deliver(
    head: &[u8],
    served: Served,
    framed: Framed,
    is_head: bool,
    encoder: Option<Box<Encoder>>,
    effects: &Table<'_>,
) -> Vec<u8> {
    let mut wire = head.to_vec();
    if served == Served::Own || is_head {
        return wire;
    }
    let bytes = effects.answer.expect("only an answer is passed on");
    let mut decoder = BodyDecoder::new(effects.answer_head.framing);
    let mut content = decoded(&mut decoder, &bytes[effects.answer_head.len..]);
    if let Some(mut encoder) = encoder {
        let plain = std::mem::take(&mut content);
        encoder.encode(&plain, Flush::End, &mut content);
    }
    if framed != Framed::Chunked {
        wire.extend_from_slice(&content);
        return wire;
    }
    if !content.is_empty() {
        encode_chunk_header(content.len(), &mut wire);
        wire.extend_from_slice(&content);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

/// What became of a request.
pub struct Told {
    pub served: Served,
    /// The head, and our own body behind it.
    pub head: Vec<u8>,
    /// All that the client gets.
    pub wire: Vec<u8>,
    pub framed: Framed,
    pub keeps_alive: bool,
    pub facts: Facts,
    pub log_line: Vec<u8>,
}

impl Told {
    /// The head that the client reads, and the content behind it.
    pub fn parsed(&self, method: Method) -> (ResponseHead, Vec<u8>) {
        let mut head = ResponseHead::new();
        let parsed = parse_response(&self.wire, &HeadLimits::for_origin(), method, &mut head);
        assert_eq!(parsed, Ok(Progress::Complete(head.len)), "{}", String::from_utf8_lossy(&self.wire));
        let mut decoder = BodyDecoder::new(head.framing);
        let content = decoded(&mut decoder, &self.wire[head.len..]);
        (head, content)
    }
}
