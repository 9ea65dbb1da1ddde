//! A client connection: active while requests come, parked while idle.
//!
//! Active, it has a buffer, a session and a large future. Where many are active, the later ones wait for each request in
//! a small task with a small buffer. After a second without a request either is parked: its descriptor and its peer
//! stay, its task ends, and another begins when something arrives.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use ringgate_core::base::Instant;
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
use super::peer::{Caller, Peer};
use super::relay::{Ended, Relay};
use super::view::View;
use crate::net::buffers::{OutOfMemory, Size};
use crate::net::ring::{Shutdown, Socket, is_cancelled};
use crate::net::timer::Deadline;
use crate::net::{sleep, spawn};

/// A connection without a request for this long is parked.
const PARK_AFTER: Duration = Duration::from_secs(1);
/// While a shard has lent more small buffers than this, connections do not keep one between two requests: these are
/// enough to fill every turn of the loop, and ten thousand would hold a quarter of a gigabyte.
const HEADS_LENT_MAX: usize = 192;
/// What they wait with instead. Most heads fit.
const FIRST_BYTES: usize = 512;
/// About what a connection has beside buffers and a session, and does not need once it is parked.
const LEFT_BEHIND_BYTES: usize = 1_024;
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

/// Serves a connection until it ends or is parked. While many wait, this future is most of what each costs.
#[expect(clippy::manual_async_fn, reason = "the future of an `async fn` holds what it is given twice")]
pub fn connection(shard: Rc<Shard>, socket: Socket, mut caller: Caller) -> impl Future<Output = ()> + 'static {
    async move {
        let mut bytes = Vec::new();
        // What arrived before the end is still served.
        while !shard.is_closing() || socket.has_data() {
            let served = Box::pin(activate(&shard, &socket, &mut caller, std::mem::take(&mut bytes))).await;
            let waited = if served == Next::Wait { wait(&shard, &socket, &caller).await } else { Err(served) };
            match waited {
                Ok(first) => bytes = first,
                Err(Next::Close) => break,
                Err(_) if shard.is_closing() => {}
                Err(_) => return shard.park(socket, caller),
            }
        }
        drop(socket);
        shard.closed();
    }
}

/// Begins a task for each parked connection on which something arrives.
pub async fn revive(shard: Rc<Shard>) {
    loop {
        if shard.parked.wait(|socket, caller| shard.revive(socket, caller)).await.is_err() {
            sleep(PARK_AFTER).await;
        }
    }
}

impl Shard {
    /// Whether so many wait for requests that the next ones get no buffer to do so.
    fn is_crowded(&self) -> bool {
        self.buffers.lent_heads() > HEADS_LENT_MAX
    }

    /// A client that connects and says nothing has the time of a head, one that has been served that of an idle one.
    fn patience(&self, caller: &Caller) -> Duration {
        if caller.has_begun { self.settings.idle_timeout } else { self.settings.head_timeout }
    }

    /// When a connection that falls silent now is parked.
    fn park_at(&self, caller: &Caller) -> Instant {
        self.clock.recent() + self.patience(caller).min(PARK_AFTER)
    }

    /// Parks a connection that has been silent for a while, if it may be so for longer.
    fn park(&self, socket: Socket, caller: Caller) {
        let until = self.clock.recent() + self.patience(&caller).saturating_sub(PARK_AFTER);
        self.left_behind.set(self.left_behind.get() + LEFT_BEHIND_BYTES);
        if self.parked.put(socket, until, caller).is_err() {
            self.counters.shed_connections.increment();
            self.closed();
        }
    }

    /// Goes on with a connection that was parked.
    pub(super) fn revive(self: &Rc<Self>, socket: io::Result<Socket>, caller: Caller) {
        match socket {
            Ok(socket) => spawn(connection(self.clone(), socket, caller)),
            Err(_) => {
                self.counters.shed_connections.increment();
                self.closed();
            }
        }
    }
}

/// Waits a while for the first bytes of a request.
async fn wait(shard: &Shard, socket: &Socket, caller: &Caller) -> Result<Vec<u8>, Next> {
    let deadline = shard.idle.watch(socket);
    let cancel = deadline.cancel_at(shard.park_at(caller));
    let (read, mut bytes) = socket.read_until_cancelled(vec![0; FIRST_BYTES], 0..FIRST_BYTES, cancel).await;
    bytes.truncate(first(read)?);
    Ok(bytes)
}

/// How many bytes came, or what else becomes of a connection that waited for some.
fn first(read: io::Result<usize>) -> Result<usize, Next> {
    match read {
        Ok(count) if count > 0 => Ok(count),
        Err(error) if is_cancelled(&error) => Err(Next::Park),
        _ => Err(Next::Close),
    }
}

/// What becomes of a connection after a while of activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It makes room for others while it waits for a request.
    Wait,
    Park,
    Close,
}

/// Serves requests; `bytes` are the first of what was read.
async fn activate(shard: &Rc<Shard>, socket: &Socket, caller: &mut Caller, bytes: Vec<u8>) -> Next {
    let Ok(mut connection) = Connection::open(shard, socket, Peer::new(*caller)) else {
        shard.shed(socket).await;
        return Next::Close;
    };
    connection.inbuf.refill(&bytes);
    drop(bytes);
    let next = connection.run().await;
    *caller = connection.peer.caller;
    connection.close();
    next
}

/// Serves one request by `view`, counts it nowhere, and gives its decision record.
pub async fn test(shard: &Rc<Shard>, socket: &Socket, view: Rc<View>) -> Records {
    let Ok(mut connection) = Connection::open(shard, socket, Peer::tester()) else { return Records::new() };
    connection.test = Some(Box::new(Test { view, decisions: Decisions::new(MEMORY_BYTES_MIN) }));
    connection.run().await;
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

/// What reading a head comes to.
enum Arrival {
    Request,
    /// None yet.
    Pause(Next),
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

    async fn run(&mut self) -> Next {
        if !self.peer.caller.has_begun {
            if self.inbuf.is_empty()
                && let Err(next) = self.read_first().await
            {
                return next;
            }
            self.peer.caller.has_begun = true;
            if !self.read_proxy_header().await {
                self.shard.counters.proxy_header_refusals.increment();
                return Next::Close;
            }
        }
        loop {
            match self.read_head().await {
                Arrival::Request => {}
                Arrival::Pause(next) => return next,
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
                    Ok(()) => continue,
                    Err(next) => return Arrival::Pause(next),
                }
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
            return Arrival::Pause(Next::Close);
        }
    }

    /// Reads the first bytes of a request, for which it waits a while. One operation: the buffer is held meanwhile,
    /// which is what parking is there to end.
    async fn read_first(&mut self) -> Result<(), Next> {
        // What arrived before the end is still served.
        if self.shard.is_closing() && !self.socket.has_data() {
            return Err(Next::Close);
        }
        if self.shard.is_crowded() && self.test.is_none() {
            return Err(Next::Wait);
        }
        let cancel = self.deadline.cancel_at(self.shard.park_at(&self.peer.caller));
        let room = self.inbuf.end..self.inbuf.bytes.len();
        let bytes = std::mem::take(&mut self.inbuf.bytes);
        let (read, bytes) = self.socket.read_until_cancelled(bytes, room, cancel).await;
        self.inbuf.bytes = bytes;
        self.deadline.clear();
        self.inbuf.end += first(read)?;
        Ok(())
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
