//! A running gateway: shards, and the thread that decides for them.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ringgate_core::plan::{UpstreamPlan, UpstreamSlot};
use tokio::sync::Notify;

use super::dns::Resolver;
use super::publisher::Publisher;
use crate::net::client::tls::TlsClients;
use crate::net::listen::Bound;
use crate::net::ring::Driver;
use crate::shard::counters::Counters;
use crate::shard::inbox::{FromShard, Inbox, Outbox, ToShard};
use crate::shard::settings::Settings;
use crate::shard::start::{Handle, Start, WriteLine};
use crate::telemetry::access_log::{AccessLog, LogSink};

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
    /// Access log, and each shard's end of it.
    pub log: (AccessLog, Vec<LogSink>),
}

/// A running gateway.
pub struct Gateway {
    /// How shards wait.
    pub driver: Driver,
    /// What is served.
    pub publisher: Mutex<Publisher>,
    /// The access log.
    pub log: AccessLog,
    inboxes: Vec<Arc<Inbox>>,
    counters: Vec<Arc<Counters>>,
    threads: Mutex<Vec<std::thread::JoinHandle<io::Result<()>>>>,
    outbox: Arc<Outbox>,
    news: Arc<Notify>,
    adopted: AtomicUsize,
    drained: AtomicUsize,
}

impl Gateway {
    /// Starts the shards with what `publisher` has prepared.
    ///
    /// # Errors
    /// The kernel's, when there are not enough descriptors or threads.
    pub fn start(
        plan: Plan,
        mut publisher: Publisher,
        snapshot: &Arc<ringgate_core::plan::Snapshot>,
    ) -> io::Result<Arc<Self>> {
        let news = Arc::new(Notify::new());
        let notify = news.clone();
        let outbox = Arc::new(Outbox::new(Box::new(move || notify.notify_one())));
        let tls = TlsClients::new();
        let (log, sinks) = plan.log;
        let mut handles = Vec::new();
        for ((index, listeners), sink) in plan.listeners.into_iter().enumerate().zip(sinks) {
            let start = Start {
                index,
                cpu: (plan.shards <= plan.cpus.len()).then(|| plan.cpus[index]),
                driver: plan.driver,
                listeners,
                snapshot: snapshot.clone(),
                settings: plan.settings.clone(),
                tls: tls.clone(),
                log: sink.is_on().then(|| write_line(sink)),
                outbox: outbox.clone(),
            };
            handles.push(start.spawn()?);
        }
        let inboxes: Vec<_> = handles.iter().map(|handle| handle.inbox.clone()).collect();
        let counters = handles.iter().map(|handle| handle.counters.clone()).collect();
        let threads = handles.into_iter().map(|Handle { thread, .. }| thread).collect();
        publisher.connect(inboxes.clone());
        Ok(Arc::new(Self {
            driver: plan.driver,
            publisher: Mutex::new(publisher),
            log,
            inboxes,
            counters,
            threads: Mutex::new(threads),
            outbox,
            news,
            adopted: AtomicUsize::new(0),
            drained: AtomicUsize::new(0),
        }))
    }

    /// Counters by shard.
    pub fn counters(&self) -> &[Arc<Counters>] {
        &self.counters
    }

    /// Uses the publisher.
    pub fn with_publisher<R>(&self, f: impl FnOnce(&mut Publisher) -> R) -> R {
        f(&mut self.publisher.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in what shards say, for ever. Snapshots they are done with are freed here.
    pub async fn listen_to_shards(self: Arc<Self>) {
        loop {
            while let Some(message) = self.outbox.take() {
                match message {
                    FromShard::Adopted { version }
                        if version == self.with_publisher(|publisher| publisher.version()) =>
                    {
                        self.adopted.fetch_add(1, Ordering::Relaxed);
                    }
                    FromShard::Adopted { .. } => {}
                    FromShard::Retired(snapshot) => drop(snapshot),
                    FromShard::Drained => {
                        self.drained.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            self.news.notified().await;
        }
    }

    /// Looks up the origins that are new since the last call, and keeps their addresses fresh.
    pub fn resolve_new_origins(self: &Arc<Self>, resolver: &Arc<Resolver>) {
        for (slot, plan) in self.with_publisher(Publisher::unresolved) {
            tokio::spawn(self.clone().keep_resolved(resolver.clone(), slot, plan));
        }
    }

    async fn keep_resolved(self: Arc<Self>, resolver: Arc<Resolver>, slot: UpstreamSlot, plan: Arc<UpstreamPlan>) {
        loop {
            let answer = resolver.look_up(&plan.host, plan.port).await;
            if let Some(failure) = answer.failure {
                eprintln!("ringgate: {}: {failure}", plan.host);
            }
            let addresses: Arc<[SocketAddr]> = answer.addresses.into();
            for inbox in &self.inboxes {
                send(inbox, || ToShard::Addresses { upstream: slot, addresses: addresses.clone() }).await;
            }
            match answer.ask_again {
                Some(after) => tokio::time::sleep(after).await,
                None => return,
            }
        }
    }

    /// Lets every shard finish, for at most `within`, then ends the log. `false`: some connection had to be closed.
    pub async fn drain(&self, within: Duration) -> bool {
        for inbox in &self.inboxes {
            send(inbox, || ToShard::Drain { within }).await;
        }
        let deadline = Instant::now() + within + JOIN_PATIENCE;
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        threads.iter().all(std::thread::JoinHandle::is_finished)
    }

    /// A shard whose event loop has ended although nobody told it to, with its error.
    pub fn fallen_shard(&self) -> Option<String> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let index = threads.iter().position(std::thread::JoinHandle::is_finished)?;
        Some(match threads.swap_remove(index).join() {
            Ok(Ok(())) => "its event loop ended".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it panicked".to_owned(),
        })
    }
}

fn write_line(mut sink: LogSink) -> Box<dyn FnOnce() -> WriteLine + Send> {
    // The sink ends the line itself.
    Box::new(move || {
        Box::new(move |line| sink.line(|out| out.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line))))
    })
}

async fn send(inbox: &Inbox, message: impl Fn() -> ToShard) {
    let deadline = Instant::now() + SEND_PATIENCE;
    while inbox.send(message()).is_err() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
