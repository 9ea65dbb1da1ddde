//! A running gateway: shards, the thread that compiles what they serve, and what both say.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ringgate_core::compile::UpstreamChange;
use ringgate_core::explain::Redaction;
use ringgate_core::plan::Snapshot;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore, oneshot, watch};

use super::dns::Resolver;
use super::origins;
use super::publisher::{Catalog, Change, Composed, Publisher};
use super::served::{Published, Served, StageSpec};
use super::test_invoke::TESTS_MAX;
use crate::net::client::tls::TlsClients;
use crate::net::listen::Bound;
use crate::net::ring::Driver;
use crate::shard::counters::Counters;
use crate::shard::inbox::{FromShard, Inbox, Outbox, ToShard};
use crate::shard::settings::Settings;
use crate::shard::start::{Handle, LineSink, Start};
use crate::telemetry::access_log::{AccessLog, LogSink};

/// A publication is answered for when every shard has adopted it or this has passed.
const ADOPTION_PATIENCE: Duration = Duration::from_secs(2);
/// Stages and routes that metrics show one by one; the rest are summed under `other`.
const NAMES_MAX: u32 = 1_000;
/// Niceness of threads that decide: serving comes first.
pub const CONTROL_NICE: i32 = 10;
/// A shard that does not take a message for this long is passed over.
const SEND_PATIENCE: Duration = Duration::from_secs(2);
/// After a drain, threads that have not ended are left behind.
const JOIN_PATIENCE: Duration = Duration::from_millis(500);

/// What a gateway is started with.
pub struct Plan {
    /// How shards wait.
    pub driver: Driver,
    /// Processors to bind shards to, in turn.
    pub cpus: Vec<usize>,
    /// How many shards.
    pub shards: usize,
    /// Listening sockets, for each shard its own.
    pub listeners: Vec<Vec<Bound>>,
    /// Bounds of each shard.
    pub settings: Arc<Settings>,
    /// What must not be shown of decision records.
    pub redaction: Redaction,
    /// Access log, and each shard's end of it.
    pub log: (AccessLog, Vec<LogSink>),
}

/// A running gateway.
pub struct Gateway {
    /// How shards wait.
    pub driver: Driver,
    /// The access log.
    pub log: AccessLog,
    /// Where requests are accepted over TCP.
    pub addresses: Vec<SocketAddr>,
    pub(super) redaction: Redaction,
    pub(super) inboxes: Arc<[Arc<Inbox>]>,
    counters: Vec<Arc<Counters>>,
    threads: Mutex<Vec<JoinHandle<io::Result<()>>>>,
    outbox: Arc<Outbox>,
    news: Arc<Notify>,
    commands: mpsc::Sender<Command>,
    catalog: Arc<Mutex<Arc<Catalog>>>,
    origins: Mutex<Option<UnboundedReceiver<UpstreamChange>>>,
    /// Versions being served, by shard.
    adopted: watch::Sender<Vec<u64>>,
    late: AtomicU64,
    drained: AtomicUsize,
    /// Room for tests.
    pub(super) tests: Semaphore,
}

/// What the publisher's thread is told.
enum Command {
    Publish(Change, oneshot::Sender<Composed>),
    /// Compile a stage for a test.
    Test(Box<StageSpec>, oneshot::Sender<Arc<Snapshot>>),
    /// A shard has let go of a version.
    Collect,
}

impl Gateway {
    /// Starts the shards with `first`, which `publisher` has composed, and the thread that composes what follows.
    ///
    /// # Errors
    /// The kernel's, when there are not enough descriptors or threads.
    pub fn start(plan: Plan, mut publisher: Publisher, first: &Arc<Snapshot>) -> io::Result<Arc<Self>> {
        let news = Arc::new(Notify::new());
        let notify = news.clone();
        let outbox = Arc::new(Outbox::new(Box::new(move || notify.notify_one())));
        let tls = TlsClients::new();
        let (log, sinks) = plan.log;
        let addresses = plan.listeners.first().into_iter().flatten().filter_map(Bound::address).collect();
        let mut handles = Vec::new();
        for ((index, listeners), sink) in plan.listeners.into_iter().enumerate().zip(sinks) {
            let start = Start {
                index,
                cpu: (plan.shards <= plan.cpus.len()).then(|| plan.cpus[index]),
                driver: plan.driver,
                listeners,
                snapshot: first.clone(),
                settings: plan.settings.clone(),
                tls: tls.clone(),
                log: sink.is_on().then(|| Box::new(sink) as Box<dyn LineSink>),
                outbox: outbox.clone(),
            };
            handles.push(start.spawn()?);
        }
        let inboxes: Arc<[_]> = handles.iter().map(|handle| handle.inbox.clone()).collect();
        let counters: Vec<_> = handles.iter().map(|handle| handle.counters.clone()).collect();
        let mut threads: Vec<_> = handles.into_iter().map(|Handle { thread, .. }| thread).collect();
        let (commands, told) = mpsc::channel();
        let (changes, origins) = unbounded_channel();
        let catalog = Arc::new(Mutex::new(Arc::default()));
        let publishing =
            Publishing { inboxes: inboxes.clone(), counters: counters.clone(), catalog: catalog.clone(), changes };
        publishing.account(&mut publisher);
        threads.push(thread::Builder::new().name("publisher".into()).spawn(move || publishing.run(publisher, &told))?);
        Ok(Arc::new(Self {
            driver: plan.driver,
            log,
            addresses,
            redaction: plan.redaction,
            adopted: watch::Sender::new(vec![0; inboxes.len()]),
            inboxes,
            counters,
            threads: Mutex::new(threads),
            outbox,
            news,
            commands,
            catalog,
            origins: Mutex::new(Some(origins)),
            late: AtomicU64::new(0),
            drained: AtomicUsize::new(0),
            tests: Semaphore::new(TESTS_MAX),
        }))
    }

    /// Counters by shard.
    pub fn counters(&self) -> &[Arc<Counters>] {
        &self.counters
    }

    /// What is served, for metrics.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publications that some shard had not adopted in time.
    pub fn late_publications(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// Serves what the management side says, beside the definition file. Compiles what has changed on the publisher's
    /// thread, and returns when every shard serves it or [`ADOPTION_PATIENCE`] has passed. Whoever stops waiting stops
    /// nothing.
    pub async fn serve(&self, served: Served) -> Published {
        self.publish(Change::Served(served)).await
    }

    /// Serves the definition file, beside what the management side says. Returns as [`Gateway::serve`] does.
    pub async fn serve_file(&self, stage: StageSpec) -> Published {
        self.publish(Change::File(Box::new(stage))).await
    }

    /// A version that serves `stage` to tests, and is known to nobody but whoever has it.
    pub(super) async fn compose_test(&self, stage: StageSpec) -> Option<Arc<Snapshot>> {
        let (reply, composed) = oneshot::channel();
        self.commands.send(Command::Test(Box::new(stage), reply)).ok()?;
        composed.await.ok()
    }

    async fn publish(&self, change: Change) -> Published {
        let (reply, composed) = oneshot::channel();
        // Sent before anything is waited for: versions follow the order of calls.
        let _ = self.commands.send(Command::Publish(change, reply));
        let Composed { snapshot, compiled } = composed.await.expect("the process ends when its publisher does");
        let version = snapshot.version;
        drop(snapshot);
        let mut adopted = self.adopted.subscribe();
        let everywhere = adopted.wait_for(|versions| versions.iter().all(|adopted| *adopted >= version));
        let missed = match tokio::time::timeout(ADOPTION_PATIENCE, everywhere).await {
            Ok(_) => Vec::new(),
            Err(_) => self.missed(version),
        };
        Published { version, compiled, missed }
    }

    /// Shards that do not serve `version` yet, counted and said.
    fn missed(&self, version: u64) -> Vec<usize> {
        let adopted = self.adopted.borrow();
        let missed: Vec<_> =
            (0..).zip(&*adopted).filter(|(_, adopted)| **adopted < version).map(|(shard, _)| shard).collect();
        if !missed.is_empty() {
            self.late.fetch_add(1, Ordering::Relaxed);
            eprintln!("ringgate: version {version} was not adopted in {ADOPTION_PATIENCE:?} by shards {missed:?}");
        }
        missed
    }

    /// Takes in what shards say, for ever.
    pub async fn listen_to_shards(self: Arc<Self>) {
        loop {
            while let Some(message) = self.outbox.take() {
                match message {
                    FromShard::Adopted { shard, version } => {
                        self.adopted.send_modify(|adopted| adopted[shard] = version)
                    }
                    FromShard::Retired => drop(self.commands.send(Command::Collect)),
                    FromShard::Drained => drop(self.drained.fetch_add(1, Ordering::Relaxed)),
                }
            }
            self.news.notified().await;
        }
    }

    /// Keeps the addresses of origins fresh, for ever. Called once.
    pub async fn resolve_origins(self: Arc<Self>, resolver: Arc<Resolver>) {
        let changes = self.origins.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(changes) = changes {
            origins::keep_resolved(changes, self.inboxes.clone(), resolver).await;
        }
    }

    /// Lets every shard finish, for at most `within`, then ends the log. `false`: some connection had to be closed.
    pub async fn drain(&self, within: Duration) -> bool {
        for inbox in &*self.inboxes {
            send(inbox, || ToShard::Drain { within }).await;
        }
        let deadline = Instant::now() + within + JOIN_PATIENCE;
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let mut shards = threads.iter().take(self.inboxes.len());
        while shards.clone().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shards.all(JoinHandle::is_finished)
    }

    /// A thread that has ended although nobody told it to: what it was, and its error.
    pub fn fallen_thread(&self) -> Option<String> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let index = threads.iter().position(JoinHandle::is_finished)?;
        let thread = threads.swap_remove(index);
        let name = thread.thread().name().unwrap_or("a thread").to_owned();
        Some(match thread.join() {
            Ok(Ok(())) => format!("{name} ended"),
            Ok(Err(error)) => format!("{name} ended: {error}"),
            Err(_) => format!("{name} panicked"),
        })
    }
}

/// What the publisher's thread reaches.
struct Publishing {
    inboxes: Arc<[Arc<Inbox>]>,
    counters: Vec<Arc<Counters>>,
    catalog: Arc<Mutex<Arc<Catalog>>>,
    changes: UnboundedSender<UpstreamChange>,
}

impl Publishing {
    fn run(self, mut publisher: Publisher, commands: &mpsc::Receiver<Command>) -> io::Result<()> {
        let _ = rustix::process::nice(CONTROL_NICE);
        for command in commands {
            match command {
                Command::Collect => {
                    publisher.collect();
                    self.account(&mut publisher);
                }
                Command::Test(stage, reply) => {
                    let snapshot = publisher.compose_test(&stage);
                    self.account(&mut publisher);
                    let _ = reply.send(snapshot);
                }
                Command::Publish(change, reply) => {
                    let composed = publisher.compose(change);
                    // What was counted under a slot is cleared before anybody is given the slot again.
                    self.account(&mut publisher);
                    for (inbox, counters) in self.inboxes.iter().zip(&self.counters) {
                        counters.reserve(composed.snapshot.slots);
                        inbox.adopt(composed.snapshot.clone());
                    }
                    let _ = reply.send(composed);
                    publisher.collect();
                    self.account(&mut publisher);
                }
            }
        }
        Ok(())
    }

    /// Passes on what has changed besides the snapshot.
    fn account(&self, publisher: &mut Publisher) {
        let freed = publisher.freed();
        for counters in &self.counters {
            counters.clear(&freed.stages, &freed.routes);
        }
        for change in publisher.upstream_changes() {
            let _ = self.changes.send(change);
        }
        let catalog = Arc::new(publisher.catalog(NAMES_MAX));
        *self.catalog.lock().unwrap_or_else(PoisonError::into_inner) = catalog;
    }
}

impl LineSink for LogSink {
    fn line(&mut self, format: &mut dyn FnMut(&mut Vec<u8>)) {
        Self::line(self, format);
    }

    fn hand_over(&mut self) {
        Self::hand_over(self);
    }
}

async fn send(inbox: &Inbox, message: impl Fn() -> ToShard) {
    let deadline = Instant::now() + SEND_PATIENCE;
    while inbox.send(message()).is_err() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
