//! Starting a shard: its thread, its event loop, its listeners; and ending it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringgate_core::plan::Snapshot;
use ringgate_core::record::decision::Decisions;

use super::clock::Clock;
use super::counters::Counters;
use super::inbox::{FromShard, Inbox, Outbox, TestInvocation, ToShard};
use super::owned::Owned;
use super::peer::Caller;
use super::random::Random;
use super::settings::Settings;
use super::view::View;
use super::{Shard, serve, tick};
use crate::net::buffers::Buffers;
use crate::net::client::tls::TlsClients;
use crate::net::listen::{Bound, Listener, is_out_of_descriptors};
use crate::net::park::Park;
use crate::net::ring::{Driver, Shutdown, Socket};
use crate::net::shelf::Shelf;
use crate::net::timer::Deadlines;
use crate::net::wake::{self, Wakeups, WakeupsSeed};
use crate::net::{pin_to, sleep, spawn};

/// Stack of a shard's thread. Futures live on the heap; this is for the deepest call chain.
const STACK_BYTES: usize = 2 * 1024 * 1024;
/// Pause after the system had no descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where a shard's access-log lines go. Nothing of it waits.
pub trait LineSink: Send {
    /// Takes one line, which `format` appends, with its end, to what it is given.
    fn line(&mut self, format: &mut dyn FnMut(&mut Vec<u8>));

    /// Lets whoever writes them have the lines so far: they may stay in the sink until this is called.
    fn hand_over(&mut self);
}

/// How long a draining shard goes on accepting, and waiting for requests on open connections.
const FAREWELL: Duration = Duration::from_millis(100);

/// How long connections that had begun when the others were turned away may take to be accepted.
const LAST_CALL: Duration = Duration::from_millis(20);

/// What it takes to start a shard.
pub struct Start {
    /// Number of the shard, from 0.
    pub index: usize,
    /// The processor it is bound to; `None`: left to the scheduler.
    pub cpu: Option<usize>,
    /// How it waits.
    pub driver: Driver,
    /// Its listening sockets.
    pub listeners: Vec<Bound>,
    /// What it serves first.
    pub snapshot: Arc<Snapshot>,
    /// Its bounds.
    pub settings: Arc<Settings>,
    /// TLS towards origins.
    pub tls: TlsClients,
    /// Its access log.
    pub log: Option<Box<dyn LineSink>>,
    /// Where it reports to.
    pub outbox: Arc<Outbox>,
}

/// A running shard, as others see it.
pub struct Handle {
    /// Its mailbox.
    pub inbox: Arc<Inbox>,
    /// Its counters.
    pub counters: Arc<Counters>,
    /// Its thread.
    pub thread: JoinHandle<io::Result<()>>,
}

impl Start {
    /// Starts the thread.
    ///
    /// # Errors
    /// The kernel's, when there is no thread or descriptor left. What fails on the thread itself is its result.
    pub fn spawn(self) -> io::Result<Handle> {
        let (waker, seed) = wake::pair()?;
        let inbox = Arc::new(Inbox::new(waker));
        let counters = Arc::new(Counters::default());
        let (theirs, counted) = (inbox.clone(), counters.clone());
        let builder = thread::Builder::new().name(format!("shard-{}", self.index)).stack_size(STACK_BYTES);
        let thread = builder.spawn(move || self.run(theirs, counted, seed))?;
        Ok(Handle { inbox, counters, thread })
    }

    fn run(self, inbox: Arc<Inbox>, counters: Arc<Counters>, seed: WakeupsSeed) -> io::Result<()> {
        if let Some(cpu) = self.cpu {
            pin_to(&[cpu])?;
        }
        let driver = self.driver;
        driver.run(self.serve(inbox, counters, seed))?
    }

    async fn serve(self, inbox: Arc<Inbox>, counters: Arc<Counters>, seed: WakeupsSeed) -> io::Result<()> {
        let listeners = self.listeners.into_iter().map(Listener::new).collect::<io::Result<Vec<_>>>()?;
        let wakeups = Wakeups::new(seed)?;
        let shard = Rc::new(Shard {
            index: self.index,
            clock: Clock::new(),
            random: Random::from_system(),
            buffers: Buffers::new(self.settings.memory_bytes_max),
            deadlines: Deadlines::default(),
            idle: Deadlines::default(),
            parked: Park::new()?,
            left_behind: Cell::new(0),
            view: Owned::new(View::new(self.snapshot.clone(), self.outbox.clone())),
            pools: Owned::default(),
            waiting: Owned::default(),
            counters,
            route_blocks: RefCell::default(),
            stage_blocks: RefCell::default(),
            sessions: Shelf::default(),
            log: Owned::new(self.log),
            decisions: Owned::new(Decisions::new(self.settings.explain_bytes)),
            tls: self.tls,
            renderer: Owned::default(),
            encoders: Owned::default(),
            open: Cell::new(0),
            draining: Cell::new(false),
            closing: Cell::new(false),
            outbox: self.outbox,
            settings: self.settings,
        });
        shard.adopt(self.snapshot);
        let listeners: Vec<_> = listeners.into_iter().map(Rc::new).collect();
        for listener in &listeners {
            spawn(accept(shard.clone(), listener.clone()));
        }
        spawn(serve::revive(shard.clone()));
        spawn(tick::run(shard.clone()));
        shard.listen_to(inbox, wakeups, &listeners).await;
        Ok(())
    }
}

/// Accepts until the listener is closed. The accept itself is never dropped, for it may complete.
async fn accept(shard: Rc<Shard>, listener: Rc<Listener>) {
    // Held back so that there is one descriptor to accept with, and to say no, when all others are in use.
    let mut reserve = File::open("/dev/null").ok();
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                if reserve.is_none() {
                    reserve = File::open("/dev/null").ok();
                }
                if reserve.is_none() {
                    // This one came with the last descriptor. It is closed, so that its client learns at once.
                    drop(socket);
                    reserve = File::open("/dev/null").ok();
                    continue;
                }
                shard.admit(socket, peer, listener.port());
            }
            Err(_) if shard.closing.get() => return,
            Err(error) if is_out_of_descriptors(&error) => {
                shard.counters.out_of_descriptors.increment();
                if reserve.take().is_none() {
                    sleep(ACCEPT_PAUSE).await;
                }
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

impl Shard {
    fn admit(self: &Rc<Self>, socket: Socket, peer: Option<SocketAddr>, port: u16) {
        self.counters.accepted.increment();
        let shard = self.clone();
        if self.open.get() >= self.settings.connections_max {
            self.counters.shed_connections.increment();
            return spawn(async move { shard.shed(&socket).await });
        }
        self.opened();
        spawn(serve::connection(shard, socket, Caller::new(peer, port)));
    }

    /// Serves a request that is a test. One that cannot be served is dropped: its other end sees the connection end.
    fn test(self: &Rc<Self>, TestInvocation { snapshot, stream, reply }: TestInvocation) {
        let Ok(socket) = Socket::pair_end(stream) else { return };
        self.renew_pools(&snapshot.upstreams);
        let view = View::new(snapshot, self.outbox.clone());
        let shard = self.clone();
        self.opened();
        spawn(async move {
            let records = serve::test(&shard, &socket, view).await;
            reply.send(records);
            shard.closed();
        });
    }

    fn opened(&self) {
        self.open.set(self.open.get() + 1);
        self.counters.open.set(self.open.get().into());
    }

    pub(super) fn closed(&self) {
        self.open.set(self.open.get() - 1);
        self.counters.open.set(self.open.get().into());
        if self.draining.get() && self.open.get() == 0 {
            self.hand_over_log();
            self.outbox.send(FromShard::Drained);
        }
    }

    /// Obeys messages until told to drain and done with it.
    async fn listen_to(self: &Rc<Self>, inbox: Arc<Inbox>, mut wakeups: Wakeups, listeners: &[Rc<Listener>]) {
        loop {
            while let Some(message) = inbox.take() {
                match message {
                    ToShard::Adopt(snapshot) => self.adopt(snapshot),
                    ToShard::Addresses { upstream, generation, addresses } => {
                        self.update_addresses(upstream, generation, &addresses);
                    }
                    ToShard::Explain { wanted, reply } => {
                        reply.send(self.decisions.with(|decisions| decisions.find(wanted)));
                    }
                    ToShard::TestInvoke(invocation) => self.test(invocation),
                    ToShard::Drain { within } => return self.drain(within, listeners).await,
                }
            }
            if !wakeups.next().await {
                return;
            }
        }
    }

    /// Lets what is under way end, closes what is idle, and after `within` closes the rest.
    ///
    /// For a moment everything goes on, but every response says that its connection closes: a client that is calling
    /// learns it from an answer, and not from a connection that ends under its next request.
    async fn drain(self: &Rc<Self>, within: Duration, listeners: &[Rc<Listener>]) {
        self.draining.set(true);
        let deadline = self.clock.now() + within;
        sleep(FAREWELL.min(within)).await;
        listeners.iter().for_each(|listener| listener.turn_away());
        sleep(LAST_CALL.min(within)).await;
        self.closing.set(true);
        listeners.iter().for_each(|listener| listener.close());
        self.parked.empty(|socket, caller| self.revive(socket, caller));
        self.idle.cancel_all();
        self.deadlines.cancel_all();
        while self.open.get() > 0 && self.clock.now() < deadline {
            sleep(Duration::from_millis(5)).await;
        }
        self.deadlines.fire_all(Shutdown::Both);
        let grace = self.clock.now() + Duration::from_millis(200);
        while self.open.get() > 0 && self.clock.now() < grace {
            sleep(Duration::from_millis(5)).await;
        }
        self.hand_over_log();
        self.outbox.send(FromShard::Drained);
    }
}
