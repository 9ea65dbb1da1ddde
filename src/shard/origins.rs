//! Connections to origins, on behalf of exchanges.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use ringgate_core::base::Instant;
use ringgate_core::exchange::{CallFailure, CallTrace};
use ringgate_core::plan::{Snapshot, Upstream, UpstreamPlan, UpstreamSlot};
use ringgate_core::proto::h1::Refusal;

use super::Shard;
use super::effects::{Origin, OriginAnswer, SMALL_ANSWER_BYTES_MAX};
use crate::net::client::pool::{Connection, Pool, Resolution};
use crate::net::client::stream::OriginStream;
use crate::net::client::tls::{TlsStream, Verification};
use crate::net::listen::is_out_of_descriptors;
use crate::net::ring::{Shutdown, Socket};
use crate::net::timeout;

/// A connection used so recently is not asked again.
const SURELY_QUIET: Duration = Duration::from_micros(200);
/// Patience with one address. The integration's own timeout bounds all attempts together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The pool of whatever origin has a slot.
#[derive(Default)]
pub struct OriginPool {
    /// Which origin that is.
    generation: u64,
    pub(super) pool: Pool,
}

impl OriginPool {
    /// Begins anew for a later origin. Nobody uses the one before: its slot was free.
    fn renew(&mut self, generation: u64) {
        if generation > self.generation {
            *self = Self { generation, pool: Pool::default() };
        }
    }
}

impl Shard {
    /// A connection to an origin: a kept one if `may_reuse`, else a new one.
    pub(super) async fn origin(
        &self,
        snapshot: &Snapshot,
        upstream: UpstreamSlot,
        deadline: Instant,
        may_reuse: bool,
    ) -> Result<Origin, CallFailure> {
        let now = self.clock.recent();
        while may_reuse && let Some(connection) = self.pool(upstream, |pool| pool.take_idle(now)).flatten() {
            // One that was closed is no use, and one that brings bytes nobody asked for is worse: they would be read as
            // the answer to this request. Asking costs a system call; bytes that come within the moment before the next
            // use could as well come right after it was asked.
            if connection.idle_time(now) < SURELY_QUIET || connection.stream.is_quiet() {
                self.counters.origin_reuses.increment();
                return Ok(Origin { connection, upstream, is_spent: false });
            }
            self.pool(upstream, |pool| pool.open -= 1);
        }
        // Boxed because it is rare: its future would make that of every request twice as large.
        Box::pin(self.connect(snapshot, upstream, deadline)).await
    }

    /// Whether the origin's last answer was a large one.
    pub(super) fn expects_much(&self, upstream: UpstreamSlot) -> bool {
        self.pool(upstream, |pool| pool.expects_much) == Some(true)
    }

    /// Adds to a trace how many addresses the origin has and how many of them are set aside, and the only one it could
    /// have been when no connection came about.
    pub(super) fn note_health(&self, upstream: UpstreamSlot, trace: &mut CallTrace) {
        let now = self.clock.recent();
        let health = self.pool(upstream, |pool| (pool.health(now), pool.lone_address()));
        let ((known, aside), lone) = health.unwrap_or_default();
        trace.addresses = [known, aside].map(|count| u8::try_from(count).unwrap_or(u8::MAX));
        trace.address = trace.address.or(lone);
    }

    fn pool<R>(&self, upstream: UpstreamSlot, f: impl FnOnce(&mut Pool) -> R) -> Option<R> {
        self.pools.with(|pools| pools.get_mut(upstream.0 as usize).map(|origin| f(&mut origin.pool)))
    }

    async fn connect(
        &self,
        snapshot: &Snapshot,
        upstream: UpstreamSlot,
        deadline: Instant,
    ) -> Result<Origin, CallFailure> {
        let plan = snapshot.upstreams.get(upstream.0 as usize).and_then(Option::as_ref);
        let plan = &plan.ok_or(CallFailure::NameNotFound)?.plan;
        self.resolved(upstream, deadline).await?;
        let has_room = self.pool(upstream, |pool| {
            let has_room = pool.open < self.settings.origin_connections_max;
            pool.open += usize::from(has_room);
            has_room
        });
        if has_room != Some(true) {
            self.counters.shed_origin.increment();
            return Err(CallFailure::TooManyConnections);
        }
        let connected = self.connect_to_any(plan, upstream, deadline).await;
        if connected.is_err() {
            self.pool(upstream, |pool| pool.open -= 1);
        }
        connected
    }

    /// Tries the addresses in turn until one takes the connection.
    async fn connect_to_any(
        &self,
        plan: &UpstreamPlan,
        upstream: UpstreamSlot,
        deadline: Instant,
    ) -> Result<Origin, CallFailure> {
        let mut tried = Vec::new();
        let mut failure = CallFailure::Refused;
        loop {
            let now = self.clock.now();
            if now >= deadline {
                return Err(CallFailure::Timeout);
            }
            let Some(address) = self.pool(upstream, |pool| pool.next_address(now, &tried)).flatten() else {
                return Err(failure);
            };
            tried.push(address);
            if !self.settings.allows_origin(address) {
                failure = CallFailure::AddressNotAllowed;
                continue;
            }
            match self.connect_to(plan, address, deadline.since(now).min(CONNECT_TIMEOUT)).await {
                Ok(stream) => {
                    self.counters.origin_connects.increment();
                    let connection = Connection::new(stream, address, &self.deadlines);
                    return Ok(Origin { connection, upstream, is_spent: false });
                }
                // Ours is the fault, not the address's.
                Err(CallFailure::OutOfDescriptors) => return Err(CallFailure::OutOfDescriptors),
                Err(why) => {
                    self.set_aside(upstream, address);
                    // Of several addresses, the one that got furthest says most.
                    if failure == CallFailure::Refused {
                        failure = why;
                    }
                }
            }
        }
    }

    async fn connect_to(
        &self,
        plan: &UpstreamPlan,
        address: SocketAddr,
        patience: Duration,
    ) -> Result<OriginStream, CallFailure> {
        let socket = match timeout(patience, Socket::connect(address)).await {
            Some(Ok(socket)) => socket,
            Some(Err(error)) if is_out_of_descriptors(&error) => return Err(CallFailure::OutOfDescriptors),
            Some(Err(_)) => return Err(CallFailure::Refused),
            None => return Err(CallFailure::Timeout),
        };
        if !plan.is_tls {
            return Ok(OriginStream::Plain(socket));
        }
        let deadline = self.deadlines.watch(&socket);
        deadline.set(self.clock.now() + patience, Shutdown::Both);
        let verification = if plan.any_authority { Verification::AnyAuthority } else { Verification::Full };
        let stream = TlsStream::connect(socket, &self.tls, verification, &plan.host).await;
        let is_late = deadline.has_fired();
        drop(deadline);
        match stream {
            Ok(stream) => Ok(OriginStream::Tls(Box::new(stream))),
            Err(_) if is_late => Err(CallFailure::Timeout),
            Err(_) => Err(CallFailure::Network),
        }
    }

    /// Waits until the origin's name has been resolved.
    async fn resolved(&self, upstream: UpstreamSlot, deadline: Instant) -> Result<(), CallFailure> {
        let resolution = || self.pool(upstream, |pool| pool.resolution()).unwrap_or(Resolution::Failed);
        let patience = deadline.since(self.clock.recent());
        let waited = timeout(
            patience,
            poll_fn(|context| {
                if resolution() == Resolution::Pending {
                    self.waiting.with(|waiting| waiting.push(context.waker().clone()));
                    return Poll::Pending;
                }
                Poll::Ready(resolution())
            }),
        );
        let resolution = if resolution() == Resolution::Pending { waited.await } else { Some(resolution()) };
        match resolution {
            Some(Resolution::Known) => Ok(()),
            Some(_) => Err(CallFailure::NameNotFound),
            None => Err(CallFailure::Timeout),
        }
    }

    /// Makes room for the origins of a snapshot, and forgets what had their slots before.
    pub(super) fn renew_pools(&self, upstreams: &[Option<Upstream>]) {
        self.pools.with(|pools| {
            if pools.len() < upstreams.len() {
                pools.resize_with(upstreams.len(), OriginPool::default);
            }
            for (origin, upstream) in pools.iter_mut().zip(upstreams) {
                if let Some(upstream) = upstream {
                    origin.renew(upstream.generation);
                }
            }
        });
    }

    /// Takes in what control's resolver found. It may come before the snapshot that names the origin.
    pub(super) fn update_addresses(&self, upstream: UpstreamSlot, generation: u64, addresses: &[SocketAddr]) {
        self.pools.with(|pools| {
            let slot = upstream.0 as usize;
            if pools.len() <= slot {
                pools.resize_with(slot + 1, OriginPool::default);
            }
            let origin = &mut pools[slot];
            origin.renew(generation);
            if origin.generation == generation {
                origin.pool.update(addresses);
            }
        });
        for waker in self.waiting.with(std::mem::take) {
            waker.wake();
        }
    }

    pub(super) fn set_aside(&self, upstream: UpstreamSlot, address: SocketAddr) {
        let now = self.clock.recent();
        self.pool(upstream, |pool| pool.set_aside(address, now));
    }

    /// Closes a connection that cannot be used again.
    pub(super) fn close_origin(&self, origin: Origin) {
        let upstream = origin.upstream;
        drop(origin);
        self.pool(upstream, |pool| pool.open -= 1);
    }

    /// Ends an answer: keeps its connection if it can serve again, and takes the buffer back.
    pub(super) fn finish_origin(&self, answer: OriginAnswer, is_reusable: bool) {
        let OriginAnswer { origin, buffer, size, received, .. } = answer;
        self.buffers.take_back(size, buffer);
        self.pool(origin.upstream, |pool| pool.expects_much = received > SMALL_ANSWER_BYTES_MAX);
        if !is_reusable || self.is_draining() {
            return self.close_origin(origin);
        }
        let Origin { connection, upstream, .. } = origin;
        let now = self.clock.recent();
        self.pool(upstream, |pool| pool.put_idle(connection, now));
    }

    pub(super) fn broken_answer(&self, refusal: Refusal) -> CallFailure {
        self.counters.broken_answers[refusal.index()].increment();
        CallFailure::Protocol
    }
}
