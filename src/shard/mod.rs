//! One core's event loop: what it owns and what it serves.

pub mod body;
pub mod clock;
pub mod counters;
pub mod effects;
mod gather;
pub mod inbox;
mod inbuf;
mod origins;
mod owned;
mod peer;
mod random;
mod relay;
mod serve;
pub mod settings;
pub mod start;
mod tick;
mod view;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use ringgate_core::exchange::{self, Exchange, Renderer};
use ringgate_core::plan::{RouteSlot, Snapshot, StageSlot};
use ringgate_core::proto::http::coding::{Coding, Encoder};
use ringgate_core::record::decision::Decisions;

use clock::Clock;
use counters::{Block, Counters, RouteCounter, StageCounter};
use inbox::{FromShard, Outbox};
use origins::OriginPool;
use owned::Owned;
use peer::Caller;
use random::Random;
use relay::Ended;
use serve::Session;
use settings::Settings;
use start::LineSink;
use view::View;

use crate::net::buffers::{Buffers, OutOfMemory, Size};
use crate::net::client::tls::TlsClients;
use crate::net::park::Park;
use crate::net::ring::{Shutdown, Socket};
use crate::net::shelf::Shelf;
use crate::net::timer::Deadlines;

/// Sessions kept for the next connections.
const FREE_SESSIONS_MAX: usize = 256;
/// Encoders kept for the next bodies, some 300 KiB each.
const FREE_ENCODERS_MAX: usize = 8;

/// Everything one core owns.
pub struct Shard {
    index: usize,
    settings: Arc<Settings>,
    clock: Clock,
    random: Random,
    buffers: Rc<Buffers>,
    /// Deadlines of what is under way: swept every few milliseconds.
    deadlines: Deadlines,
    /// Deadlines of those that wait for requests with less than a buffer: swept a few times a second.
    idle: Deadlines,
    parked: Park<Caller>,
    /// Bytes that connections left behind when they were parked.
    left_behind: Cell<usize>,
    view: Owned<Rc<View>>,
    pools: Owned<Vec<OriginPool>>,
    /// Tasks that wait for an origin's addresses.
    waiting: Owned<Vec<Waker>>,
    counters: Arc<Counters>,
    route_blocks: RefCell<Vec<Block<RouteCounter>>>,
    stage_blocks: RefCell<Vec<Block<StageCounter>>>,
    /// Boxed because they are lent to connections, and large.
    sessions: Shelf<Box<Session>>,
    log: Owned<Option<Box<dyn LineSink>>>,
    decisions: Owned<Decisions>,
    tls: TlsClients,
    /// What runs templates.
    renderer: Owned<Renderer>,
    /// Encoders for the next bodies.
    #[expect(clippy::vec_box, reason = "an encoder is moved about by its box")]
    encoders: Owned<Vec<Box<Encoder>>>,
    open: Cell<u32>,
    /// Every response says that its connection closes.
    draining: Cell<bool>,
    /// Nothing is waited for any more.
    closing: Cell<bool>,
    outbox: Arc<Outbox>,
}

impl Shard {
    fn is_draining(&self) -> bool {
        self.draining.get()
    }

    fn is_closing(&self) -> bool {
        self.closing.get()
    }

    fn view(&self) -> Rc<View> {
        self.view.with(|view| view.clone())
    }

    fn adopt(&self, snapshot: Arc<Snapshot>) {
        let version = snapshot.version;
        *self.route_blocks.borrow_mut() = self.counters.routes.blocks(snapshot.slots.routes);
        *self.stage_blocks.borrow_mut() = self.counters.stages.blocks(snapshot.slots.stages);
        self.renew_pools(&snapshot.upstreams);
        let view = View::new(snapshot, self.outbox.clone());
        let old = self.view.with(|current| std::mem::replace(current, view));
        drop(old);
        self.outbox.send(FromShard::Adopted { shard: self.index, version });
    }

    /// Lends a buffer. Whoever gets none is shed, and counted here.
    fn lend(&self, size: Size) -> Result<Vec<u8>, OutOfMemory> {
        self.buffers.lend(size).inspect_err(|_| self.counters.shed_memory.increment())
    }

    fn lend_session(&self) -> Box<Session> {
        self.sessions.take().unwrap_or_default()
    }

    fn take_back_session(&self, session: Box<Session>) {
        if self.sessions.len() < FREE_SESSIONS_MAX {
            self.sessions.put(session);
        }
    }

    fn lend_encoder(&self, coding: Coding) -> Box<Encoder> {
        let free = self.encoders.with(|free| {
            let at = free.iter().position(|encoder| encoder.coding() == coding)?;
            Some(free.swap_remove(at))
        });
        free.unwrap_or_else(|| Box::new(Encoder::new(coding)))
    }

    fn take_back_encoder(&self, mut encoder: Box<Encoder>) {
        self.encoders.with(|free| {
            if free.len() < FREE_ENCODERS_MAX {
                encoder.reset();
                free.push(encoder);
            }
        });
    }

    /// Counts and logs a request that is over.
    fn record(&self, x: &Exchange<'_>, ended: Ended) {
        let counters = &*self.counters;
        let facts = &x.facts;
        counters.by_class[usize::from(facts.status / 100).min(5)].increment();
        counters.latency.record(facts.response_latency_nanos / 1000);
        if let Some(nanos) = facts.integration_latency_nanos {
            counters.integration_latency.record(nanos / 1000);
        }
        match ended {
            Ended::Complete => {}
            Ended::ClientGone => counters.client_aborts.increment(),
            Ended::OriginBroke => counters.origin_aborts.increment(),
            Ended::TooLarge => counters.too_large.increment(),
        }
        if let Some(failure) = facts.call_failure {
            counters.call_failures[counters::failure_index(failure)].increment();
        }
        if let Some(stage) = x.stage() {
            self.record_stage(stage.slot, facts.status, facts.response_latency_nanos);
        }
        if let Some(route) = x.route() {
            self.record_route(route.slot, facts.status, facts.response_latency_nanos);
        }
        self.log.with(|log| {
            if let Some(sink) = log {
                sink.line(&mut |line| exchange::write_access_log(x, line));
            }
        });
    }

    /// Lets the access log's writer have the lines so far.
    fn hand_over_log(&self) {
        self.log.with(|log| log.iter_mut().for_each(|sink| sink.hand_over()));
    }

    fn record_stage(&self, slot: StageSlot, status: u16, nanos: u64) {
        let blocks = self.stage_blocks.borrow();
        let Some(counter) = counters::at(&blocks, slot.0) else { return };
        counter.by_class[usize::from(status / 100).min(5)].increment();
        counter.latency_nanos.add(nanos);
    }

    fn record_route(&self, slot: RouteSlot, status: u16, nanos: u64) {
        let blocks = self.route_blocks.borrow();
        let Some(counter) = counters::at(&blocks, slot.0) else { return };
        counter.requests.increment();
        counter.latency_nanos.add(nanos);
        match status / 100 {
            4 => counter.client_errors.increment(),
            5 => counter.server_errors.increment(),
            _ => {}
        }
    }

    /// Turns a connection away with 503, without reading a byte.
    async fn shed(&self, socket: &Socket) {
        let mut date_line = Vec::new();
        self.clock.write_date(self.clock.wall(self.clock.now()), &mut date_line);
        let mut response = Vec::new();
        exchange::write_refusal(503, &date_line, &mut response);
        self.counters.by_class[5].increment();
        let all = 0..response.len();
        let deadline = self.deadlines.watch(socket);
        deadline.set(self.clock.recent() + self.settings.head_timeout, Shutdown::Both);
        let _ = socket.write_all(response, all).await;
        socket.shutdown(Shutdown::Write);
    }
}
