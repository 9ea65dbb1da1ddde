//! A client connection: parked while idle, active while requests come.
//!
//! Parked, a connection is a small task that waits for readability and holds no buffer. Active, it has a buffer, a
//! session and a large future; after a second without a request it is parked again.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use ringgate_core::base::limits::PAYLOAD_BYTES_MAX;
use ringgate_core::exchange::{
    self, CallTrace, Delivery, Effects, Exchange, Facts, Request, SEED_BYTES, Scratch, Served,
};
use ringgate_core::proto::h1::{HeadLimits, Progress, Refusal, RequestHead, ResponseHead, parse_request};
use ringgate_core::record::decision::{Decisions, MEMORY_BYTES_MIN, Records, Wanted};

use super::Shard;
use super::body::ClientBody;
use super::effects::ShardEffects;
use super::inbuf::Inbuf;
use super::peer::Peer;
use super::relay::{Ended, Relay};
use super::view::View;
use crate::net::buffers::{OutOfMemory, Size};
use crate::net::ring::{Shutdown, Socket, is_cancelled};
use crate::net::timer::Deadline;

/// An active connection without a request for this long is parked.
const PARK_AFTER: Duration = Duration::from_secs(1);
/// While a shard has lent more small buffers than this, connections do not keep one between two requests: these are
/// enough to fill every turn of the loop, and ten thousand would hold a quarter of a gigabyte.
const HEADS_LENT_MAX: usize = 192;
/// How long, and for how many bytes, a connection that is being closed waits for its client to stop sending, so that the
/// last response is not lost to a reset (RFC 9112 section 9.6).
const LINGER: Duration = Duration::from_secs(2);
/// More than a whole body may have, so that a client that sends all of it before it looks still learns why.
const LINGER_BYTES_MAX: usize = 2 * PAYLOAD_BYTES_MAX as usize;

/// Memory that goes from connection to connection.
#[derive(Default)]
pub struct Session {
    head: RequestHead,
    answer_head: ResponseHead,
    scratch: Scratch,
    overread: Vec<u8>,
    date_line: Vec<u8>,
}

/// Serves a connection to its end. While it is parked this future is most of what a connection costs.
#[expect(clippy::manual_async_fn, reason = "the future of an `async fn` holds what it is given twice")]
pub fn connection(
    shard: Rc<Shard>,
    socket: Socket,
    peer: Option<SocketAddr>,
    port: u16,
) -> impl Future<Output = ()> + 'static {
    async move {
        let mut is_fresh = true;
        while park(&shard, &socket, is_fresh).await {
            let active = Box::pin(activate(&shard, &socket, Peer::new(peer, port), is_fresh));
            if active.await == Next::Close {
                break;
            }
            is_fresh = false;
        }
        drop(socket);
        shard.closed();
    }
}

/// Waits for the first byte of something. `false`: close.
async fn park(shard: &Rc<Shard>, socket: &Socket, is_fresh: bool) -> bool {
    if shard.is_closing() {
        return socket.has_data();
    }
    let idle = shard.idle.watch(socket);
    // A client that connects and says nothing has the time of a head, one that has been served that of an idle one.
    let patience = if is_fresh { shard.settings.head_timeout } else { shard.settings.idle_timeout };
    idle.set(shard.clock.recent() + patience, Shutdown::Read);
    let ready = socket.readable().await;
    // What arrived before the end is still served.
    ready.is_ok() && (!idle.has_fired() || (shard.is_closing() && socket.has_data()))
}

/// What becomes of a connection after a while of activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Park,
    Close,
}

async fn activate(shard: &Rc<Shard>, socket: &Socket, peer: Peer, is_fresh: bool) -> Next {
    let Ok(mut connection) = Connection::open(shard, socket, peer) else {
        shard.shed(socket).await;
        return Next::Close;
    };
    let next = connection.run(is_fresh).await;
    connection.close();
    next
}

/// Serves one request by `view`, counts it nowhere, and gives its decision record.
pub async fn test(shard: &Rc<Shard>, socket: &Socket, view: Rc<View>) -> Records {
    let Ok(mut connection) = Connection::open(shard, socket, Peer::tester()) else { return Records::new() };
    connection.test = Some(Box::new(Test { view, decisions: Decisions::new(MEMORY_BYTES_MIN) }));
    // Not as a fresh one: nothing stands before this request.
    connection.run(false).await;
    let decisions = connection.test.take().map(|test| test.decisions).unwrap_or_default();
    connection.close();
    decisions.find(Wanted::Last(1))
}

/// What serves a test, and remembers it.
struct Test {
    view: Rc<View>,
    decisions: Decisions,
}

struct Connection<'c> {
    shard: &'c Rc<Shard>,
    socket: &'c Socket,
    deadline: Deadline,
    inbuf: Inbuf,
    session: Box<Session>,
    peer: Peer,
    /// This connection brings a test, and nothing else.
    test: Option<Box<Test>>,
}

/// What waiting for a request comes to.
enum First {
    Bytes,
    Nothing,
    End,
}

/// What reading a head comes to.
enum Arrival {
    Request,
    Idle,
    Closed,
    Refused(Refusal),
    Late,
}

impl<'c> Connection<'c> {
    fn open(shard: &'c Rc<Shard>, socket: &'c Socket, peer: Peer) -> Result<Self, OutOfMemory> {
        let inbuf = Inbuf::new(shard.lend(Size::Head)?);
        let (deadline, session) = (shard.deadlines.watch(socket), shard.lend_session());
        Ok(Self { shard, socket, deadline, inbuf, session, peer, test: None })
    }

    fn close(self) {
        self.shard.buffers.take_back(Size::Head, self.inbuf.bytes);
        self.shard.take_back_session(self.session);
    }

    async fn run(&mut self, is_fresh: bool) -> Next {
        if is_fresh && !self.read_proxy_header().await {
            self.shard.counters.proxy_header_refusals.increment();
            return Next::Close;
        }
        loop {
            match self.read_head().await {
                Arrival::Request => {}
                Arrival::Idle => return Next::Park,
                Arrival::Closed => return Next::Close,
                Arrival::Late => {
                    self.shard.counters.head_timeouts.increment();
                    self.refuse(408).await;
                    return Next::Close;
                }
                Arrival::Refused(refusal) => {
                    self.shard.counters.refusals[refusal.index()].increment();
                    self.refuse(refusal.status()).await;
                    return Next::Close;
                }
            }
            if !self.serve().await {
                return Next::Close;
            }
        }
    }

    /// Reads until a head is complete.
    async fn read_head(&mut self) -> Arrival {
        self.session.head.clear();
        let mut has_deadline = false;
        loop {
            let parsed = parse_request(self.inbuf.unread(), &HeadLimits::default(), &mut self.session.head);
            match parsed {
                Err(refusal) => return Arrival::Refused(refusal),
                Ok(Progress::Complete(_)) => {
                    self.deadline.clear();
                    return Arrival::Request;
                }
                Ok(Progress::Partial) => {}
            }
            if !self.inbuf.make_room() {
                return Arrival::Refused(Refusal::HeadersTooLarge);
            }
            if self.inbuf.is_empty() {
                match self.read_first().await {
                    First::Bytes => {}
                    First::Nothing if self.shard.is_closing() => return Arrival::Closed,
                    First::Nothing => return Arrival::Idle,
                    First::End => return Arrival::Closed,
                }
                continue;
            }
            if !has_deadline {
                self.deadline.set(self.shard.clock.recent() + self.shard.settings.head_timeout, Shutdown::Read);
                has_deadline = true;
            }
            if self.read_more().await {
                continue;
            }
            if self.deadline.has_fired() && self.session.head.has_begun() {
                return Arrival::Late;
            }
            if let Err(refusal) = self.session.head.handle_end() {
                self.shard.counters.refusals[refusal.index()].increment();
            }
            return Arrival::Closed;
        }
    }

    /// Reads the first bytes of a request, for which it waits a while. One operation: the buffer is held meanwhile,
    /// which is what parking is there to end.
    async fn read_first(&mut self) -> First {
        // What arrived before the end is still served.
        if self.shard.is_closing() && !self.socket.has_data() {
            return First::Nothing;
        }
        // Where many wait, the later ones wait without a buffer.
        if self.shard.buffers.lent_heads() > HEADS_LENT_MAX && !self.socket.has_data() {
            return First::Nothing;
        }
        let cancel = self.deadline.cancel_at(self.shard.clock.recent() + PARK_AFTER);
        let room = self.inbuf.end..self.inbuf.bytes.len();
        let bytes = std::mem::take(&mut self.inbuf.bytes);
        let (read, bytes) = self.socket.read_until_cancelled(bytes, room, cancel).await;
        self.inbuf.bytes = bytes;
        self.deadline.clear();
        match read {
            Ok(0) => First::End,
            Ok(count) => {
                self.inbuf.end += count;
                First::Bytes
            }
            Err(error) if is_cancelled(&error) && self.shard.is_closing() && self.socket.has_data() => First::Bytes,
            Err(error) if is_cancelled(&error) => First::Nothing,
            Err(_) => First::End,
        }
    }

    async fn read_more(&mut self) -> bool {
        let room = self.inbuf.end..self.inbuf.bytes.len();
        let (read, bytes) = self.socket.read(std::mem::take(&mut self.inbuf.bytes), room).await;
        self.inbuf.bytes = bytes;
        match read {
            Ok(count) if count > 0 => {
                self.inbuf.end += count;
                true
            }
            _ => false,
        }
    }

    /// Serves the request whose head stands in the in-buffer. `false`: the connection ends.
    async fn serve(&mut self) -> bool {
        let shard = self.shard;
        let head = &self.session.head;
        let opened = ClientBody::open(head.framing, head.expect_continue, head.len, &mut self.inbuf);
        let mut body = match opened {
            Ok(body) => body,
            Err(refusal) => {
                shard.counters.refusals[refusal.index()].increment();
                self.refuse(refusal.status()).await;
                return false;
            }
        };
        let keeps_alive = self.exchange(&mut body).await;
        self.inbuf.consume(body.consumed);
        if !self.session.overread.is_empty() {
            let overread = std::mem::take(&mut self.session.overread);
            self.inbuf.refill(&overread);
            self.session.overread = overread;
            self.session.overread.clear();
        }
        if !keeps_alive {
            self.linger(body.is_done()).await;
        }
        keeps_alive
    }

    async fn exchange(&mut self, body: &mut ClientBody) -> bool {
        let shard = self.shard;
        let view = self.test.as_ref().map_or_else(|| shard.view(), |test| test.view.clone());
        let facts = shard.facts(&self.session.head, self.inbuf.unread());
        shard.clock.write_date(facts.wall, &mut self.session.date_line);
        let Session { head, answer_head, scratch, overread, date_line } = &mut *self.session;
        let bytes = &self.inbuf.bytes[self.inbuf.start..self.inbuf.start + head.len];
        self.peer.learn(&shard.settings, head, bytes);
        let client = self.peer.client(date_line);
        let request = Request { head, bytes, body: body.shape(), client };
        let keeps_alive = head.keep_alive && !shard.is_draining() && self.test.is_none();
        let mut x = Exchange::new(request, view.snapshot(), scratch, facts, keeps_alive);
        let mut effects = ShardEffects {
            shard,
            client: self.socket,
            client_deadline: &self.deadline,
            inbuf: &self.inbuf,
            body,
            answer_head,
            answer: None,
            overread,
            claim: shard.buffers.claim(),
            call_deadline: shard.clock.recent(),
            trace: CallTrace::default(),
            snapshot: view.snapshot(),
        };
        let served = exchange::serve(&mut x, &mut effects).await;
        let ended = deliver(&mut x, &mut effects, served).await;
        settle(&mut x, &effects, ended, self.test.as_deref_mut());
        let keeps_alive = x.keeps_alive && ended == Ended::Complete;
        if x.is_gathered() {
            scratch.trim();
        }
        keeps_alive
    }

    /// Answers a message that could not be read, in the shape of AWS's front end.
    async fn refuse(&mut self, status: u16) {
        let mut response = Vec::new();
        let wall = self.shard.clock.wall(self.shard.clock.now());
        self.shard.clock.write_date(wall, &mut self.session.date_line);
        exchange::write_refusal(status, &self.session.date_line, &mut response);
        self.shard.counters.by_class[usize::from(status / 100).min(5)].increment();
        self.deadline.set(self.shard.clock.recent() + LINGER, Shutdown::Both);
        let all = 0..response.len();
        let (written, _) = self.socket.write_all(response, all).await;
        if written.is_ok() {
            self.linger(false).await;
        }
    }

    /// Ends our side, and reads on for a while where the client may still be sending.
    async fn linger(&mut self, is_done: bool) {
        self.socket.shutdown(Shutdown::Write);
        if is_done && self.inbuf.is_empty() {
            return;
        }
        self.deadline.set(self.shard.clock.recent() + LINGER, Shutdown::Both);
        let mut passed = 0;
        while passed < LINGER_BYTES_MAX {
            let bytes = std::mem::take(&mut self.inbuf.bytes);
            let all = 0..bytes.len();
            let (read, bytes) = self.socket.read(bytes, all).await;
            self.inbuf.bytes = bytes;
            match read {
                Ok(count) if count > 0 => passed += count,
                _ => return,
            }
        }
    }

    /// Reads a PROXY protocol header where this peer must send one. `false`: it did not, or it is broken.
    async fn read_proxy_header(&mut self) -> bool {
        if !self.peer.sends_proxy_header(&self.shard.settings) {
            return true;
        }
        self.deadline.set(self.shard.clock.recent() + self.shard.settings.head_timeout, Shutdown::Both);
        loop {
            match self.peer.read_proxy_header(self.inbuf.unread()) {
                Ok(Some(length)) => {
                    self.inbuf.consume(length);
                    self.deadline.clear();
                    return true;
                }
                Ok(None) if self.inbuf.make_room() && self.read_more().await => {}
                _ => return false,
            }
        }
    }
}

/// Sends the response, and ends the answer that it was made of.
async fn deliver(x: &mut Exchange<'_>, effects: &mut ShardEffects<'_>, served: Served) -> Ended {
    let keeps_alive = effects.answer_head.keep_alive;
    let relay = Relay {
        shard: effects.shard,
        client: effects.client,
        client_deadline: effects.client_deadline,
        framed: x.framed,
        body_bytes_max: effects.snapshot.limits.response_body_bytes_max,
        is_head: x.is_head(),
    };
    if served == Served::Relay
        && let Some(mut answer) = effects.answer.take()
    {
        x.note_passing_body(answer.content_here());
        let (ended, length) = match x.encoder.take() {
            None => relay.run(&mut x.scratch.response, &mut answer).await,
            Some(mut encoder) => {
                // Boxed because it is rare.
                let run = Box::pin(relay.run_encoded(&x.scratch.response, &mut answer, &mut encoder)).await;
                effects.take_back_encoder(encoder);
                run
            }
        };
        x.facts.response_length = length;
        let is_reusable = ended == Ended::Complete && keeps_alive && answer.is_exhausted();
        effects.shard.finish_origin(answer, is_reusable);
        return ended;
    }
    if let Some(answer) = effects.answer.take() {
        let is_reusable = keeps_alive && answer.is_exhausted();
        effects.shard.finish_origin(answer, is_reusable);
    }
    let response = std::mem::take(&mut x.scratch.response);
    let all = 0..response.len();
    let (ended, response) = relay.write(response, all).await;
    x.scratch.response = response;
    ended
}

/// Counts, logs and keeps what became of a request; of a test it is only kept.
fn settle(x: &mut Exchange<'_>, effects: &ShardEffects<'_>, ended: Ended, test: Option<&mut Test>) {
    let shard = effects.shard;
    x.facts.response_latency_nanos = shard.clock.now().since(x.facts.started).as_nanos() as u64;
    let delivery = Delivery {
        ended,
        call: effects.trace,
        request_body: effects.body_at_hand(),
        request_length: effects.body.received,
    };
    if let Some(test) = test {
        return exchange::write_decision(x, &delivery, &mut test.decisions);
    }
    shard.record(x, ended);
    shard.decisions.with(|decisions| exchange::write_decision(x, &delivery, decisions));
}

impl Shard {
    fn facts(&self, head: &RequestHead, bytes: &[u8]) -> Facts {
        let started = self.clock.now();
        let wall = self.clock.wall(started);
        let seed: [u8; SEED_BYTES] = self.random.bytes();
        Facts::new(started, wall, head, bytes, &seed)
    }
}
