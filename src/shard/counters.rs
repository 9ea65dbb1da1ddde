//! What a shard counts. Each counter has one writer, the shard, and is read by telemetry.

use std::sync::{Arc, Mutex, PoisonError};

use ringgate_core::exchange::CallFailure;
use ringgate_core::plan::{RouteSlot, SlotCounts, StageSlot};
use ringgate_core::proto::h1::Refusal;
use ringgate_core::record::{Counter, Histogram};

/// Counters and gauges of one shard.
#[derive(Debug)]
pub struct Counters {
    /// Requests answered, by the hundreds digit of their status.
    pub by_class: [Counter; 6],
    /// From the head of a request to the end of its response.
    pub latency: Histogram,
    /// From calling an origin to the head of its answer.
    pub integration_latency: Histogram,
    /// Connections accepted.
    pub accepted: Counter,
    /// Connections open now.
    pub open: Counter,
    /// Those of them that are parked.
    pub parked: Counter,
    /// Connections turned away because the cap was reached.
    pub shed_connections: Counter,
    /// Requests turned away because the memory cap was reached.
    pub shed_memory: Counter,
    /// Requests turned away because their origin had no connection left.
    pub shed_origin: Counter,
    /// Times that no descriptor was left to accept a connection with.
    pub out_of_descriptors: Counter,
    /// Client messages refused, by reason.
    pub refusals: [Counter; Refusal::ALL.len()],
    /// Answers of origins refused, by reason.
    pub broken_answers: [Counter; Refusal::ALL.len()],
    /// Clients that were too slow with a head.
    pub head_timeouts: Counter,
    /// Clients that were too slow with a body, sending or receiving.
    pub body_timeouts: Counter,
    /// Responses that a client did not take whole.
    pub client_aborts: Counter,
    /// Responses cut short because the origin broke off.
    pub origin_aborts: Counter,
    /// Responses cut short or refused because they were too large.
    pub too_large: Counter,
    /// Calls that failed, by [`failure_index`].
    pub call_failures: [Counter; FAILURES.len()],
    /// Calls made a second time because a kept connection had died.
    pub origin_retries: Counter,
    /// Answers that came before the request's body was sent.
    pub early_answers: Counter,
    /// Connections opened to origins.
    pub origin_connects: Counter,
    /// Connections to origins taken from the pool.
    pub origin_reuses: Counter,
    /// Connections to origins open now.
    pub origin_open: Counter,
    /// Connections to origins idle now.
    pub origin_idle: Counter,
    /// Addresses of origins set aside now.
    pub origin_set_aside: Counter,
    /// Bytes of buffers lent now.
    pub memory: Counter,
    /// Times a PROXY protocol header was refused.
    pub proxy_header_refusals: Counter,
    /// Counters of stages.
    pub stages: Blocks<StageCounter>,
    /// Counters of routes.
    pub routes: Blocks<RouteCounter>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            by_class: counters(),
            latency: Histogram::new(),
            integration_latency: Histogram::new(),
            accepted: Counter::new(),
            open: Counter::new(),
            parked: Counter::new(),
            shed_connections: Counter::new(),
            shed_memory: Counter::new(),
            shed_origin: Counter::new(),
            out_of_descriptors: Counter::new(),
            refusals: counters(),
            broken_answers: counters(),
            head_timeouts: Counter::new(),
            body_timeouts: Counter::new(),
            client_aborts: Counter::new(),
            origin_aborts: Counter::new(),
            too_large: Counter::new(),
            call_failures: counters(),
            origin_retries: Counter::new(),
            early_answers: Counter::new(),
            origin_connects: Counter::new(),
            origin_reuses: Counter::new(),
            origin_open: Counter::new(),
            origin_idle: Counter::new(),
            origin_set_aside: Counter::new(),
            memory: Counter::new(),
            proxy_header_refusals: Counter::new(),
            stages: Blocks::default(),
            routes: Blocks::default(),
        }
    }
}

fn counters<const N: usize>() -> [Counter; N] {
    std::array::from_fn(|_| Counter::new())
}

/// Labels of the ways a call can fail.
pub const FAILURES: [&str; 11] = [
    "refused",
    "name_not_found",
    "address_not_allowed",
    "network",
    "protocol",
    "timeout",
    "too_many_connections",
    "out_of_memory",
    "client_body",
    "out_of_descriptors",
    "answer_too_large",
];

/// Where a failure is counted: an index into [`FAILURES`].
pub const fn failure_index(failure: CallFailure) -> usize {
    match failure {
        CallFailure::Refused => 0,
        CallFailure::NameNotFound => 1,
        CallFailure::AddressNotAllowed => 2,
        CallFailure::Network => 3,
        CallFailure::Protocol => 4,
        CallFailure::Timeout => 5,
        CallFailure::TooManyConnections => 6,
        CallFailure::OutOfMemory => 7,
        CallFailure::Body(_) => 8,
        CallFailure::OutOfDescriptors => 9,
        CallFailure::TooLarge => 10,
    }
}

/// Counters of one route: 32 bytes a route and shard.
#[derive(Debug, Default)]
pub struct RouteCounter {
    /// Requests.
    pub requests: Counter,
    /// Those answered 4xx.
    pub client_errors: Counter,
    /// Those answered 5xx.
    pub server_errors: Counter,
    /// Sum of latencies in nanoseconds.
    pub latency_nanos: Counter,
}

impl RouteCounter {
    fn clear(&self) {
        let Self { requests, client_errors, server_errors, latency_nanos } = self;
        [requests, client_errors, server_errors, latency_nanos].into_iter().for_each(|counter| counter.set(0));
    }
}

/// Counters of one stage or canary, requests without a route included.
#[derive(Debug, Default)]
pub struct StageCounter {
    /// Requests answered, by the hundreds digit of their status.
    pub by_class: [Counter; 6],
    /// Sum of latencies in nanoseconds.
    pub latency_nanos: Counter,
}

impl StageCounter {
    fn clear(&self) {
        self.by_class.iter().chain([&self.latency_nanos]).for_each(|counter| counter.set(0));
    }
}

/// Counters per block.
const BLOCK: usize = 256;

/// A block of counters.
pub type Block<C> = Arc<[C]>;

/// Counters by slot. Grows by whole blocks, which never move: the shard writes into those it knows without a lock.
#[derive(Debug)]
pub struct Blocks<C>(Mutex<Vec<Block<C>>>);

impl<C> Default for Blocks<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C: Default> Blocks<C> {
    /// All blocks, for reading, or for the shard to write from now on. Makes room for `slots` first.
    pub fn blocks(&self, slots: u32) -> Vec<Block<C>> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while blocks.len() * BLOCK < slots as usize {
            blocks.push((0..BLOCK).map(|_| C::default()).collect());
        }
        blocks.clone()
    }
}

/// What is counted at a slot, in a list of blocks.
pub fn at<C>(blocks: &[Block<C>], slot: u32) -> Option<&C> {
    let slot = slot as usize;
    blocks.get(slot / BLOCK)?.get(slot % BLOCK)
}

impl Counters {
    /// Makes room before the shard needs it: it would have to stop for that.
    pub fn reserve(&self, slots: SlotCounts) {
        self.stages.blocks(slots.stages);
        self.routes.blocks(slots.routes);
    }

    /// Begins anew at slots that are free. No shard counts there: whoever did has let go of the last snapshot that
    /// named them, and whoever will has not been given the first.
    pub fn clear(&self, stages: &[StageSlot], routes: &[RouteSlot]) {
        let blocks = self.stages.blocks(0);
        stages.iter().filter_map(|slot| at(&blocks, slot.0)).for_each(StageCounter::clear);
        let blocks = self.routes.blocks(0);
        routes.iter().filter_map(|slot| at(&blocks, slot.0)).for_each(RouteCounter::clear);
    }
}
