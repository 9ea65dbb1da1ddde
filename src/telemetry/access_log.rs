//! Access-log lines from the shards to a file or standard output, by a thread of its own.
//!
//! A shard formats a line into its own scratch buffer and copies it into its own ring. It never waits, takes no lock
//! and allocates nothing; a line that finds no room is counted as dropped. The one thing it may do for the writer is
//! ring the doorbell: at most one system call per batch, and none while the writer is awake.
//!
//! The writer sleeps until a first line arrives, lets more arrive for [`BATCH_WINDOW`], then writes everything with
//! as few calls as possible. A write that fails (a full disk, say) loses its batch, is counted and is not the end:
//! the next batch is tried again. Measured on a virtual machine, a line of 300 bytes costs its shard 40 ns besides
//! formatting and the writer 70 ns; the kernel's own copy into a file adds 400 ns on the writer's core, as it would
//! for anybody (`what_a_line_costs` repeats it). Within one shard lines keep their order; between shards they mix.
//!
//! | thread | says | how | if it is late |
//! |---|---|---|---|
//! | shard | a line | its ring | the writer finds it in the next batch |
//! | shard | wake up | `Shared::knock`: compare-and-swap and unpark | lines wait for the next knock |
//! | control | reopen, stop | a flag and unpark | acted on after the batch under way |

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::byte_ring::{self, Reader, Writer};

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Nowhere; shards do not even format them.
    Off,
    /// Standard output.
    Stdout,
    /// The end of a file, made if it is not there.
    File(PathBuf),
}

/// How long the writer waits for more lines after the first. The longest time a line stays unwritten is this and
/// the time of one write.
pub const BATCH_WINDOW: Duration = Duration::from_millis(50);
/// Memory of one shard's ring: at 300 bytes a line, 50 ms of 280,000 requests a second.
pub const RING_BYTES: usize = 4 << 20;
/// Most bytes handed to one write.
const WRITE_BYTES_MAX: usize = 256 << 10;
/// Longest line; a longer one is counted as dropped. The parts of a request that a line may show are bounded by the
/// head's limits, so this is not reached by an honest one.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// How much later than its batch the writer may notice that it was told to stop.
const STOP_CHECK: Duration = Duration::from_millis(1);

const _: () = assert!(RING_BYTES >= 2 * LINE_BYTES_MAX, "a ring must hold a line while another is being written");
const _: () = assert!(BATCH_WINDOW.as_millis() <= 100, "a line is written within a tenth of a second");

/// What became of the lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounters {
    /// Lines taken from shards into a ring.
    pub lines: u64,
    /// Lines refused because a ring was full or the line too long.
    pub dropped: u64,
    /// Writes, and reopenings, that failed.
    pub write_errors: u64,
    /// Lines lost in writes that failed.
    pub lost: u64,
}

/// Counters of one shard: stored by it alone, read by anybody.
#[derive(Default)]
struct ShardCounters {
    lines: AtomicU64,
    dropped: AtomicU64,
}

/// Adds one to a counter that has a single writer: a load and a store, without the locked instruction of `fetch_add`.
fn bump(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

/// The writer is at work and will look at every ring before it sleeps.
const AWAKE: u8 = 0;
/// The writer lets lines gather; only a filling ring may wake it.
const GATHERING: u8 = 1;
/// The writer sleeps until there is a line.
const ASLEEP: u8 = 2;

struct Shared {
    state: CachePadded<AtomicU8>,
    reopen: AtomicBool,
    stop: AtomicBool,
    shards: Box<[CachePadded<ShardCounters>]>,
    write_errors: AtomicU64,
    lost: AtomicU64,
    writer: OnceLock<Thread>,
}

impl Shared {
    /// Wakes the writer if its state is `state`; of several shards that try, one pays for the call.
    #[cold]
    fn knock(&self, state: u8) {
        if self.state.compare_exchange(state, AWAKE, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            self.unpark();
        }
    }

    fn unpark(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }
}

/// A shard's end of the log. It moves to the shard's thread once and stays there.
pub struct LogSink(Option<Tap>);

struct Tap {
    scratch: Vec<u8>,
    ring: Writer,
    shared: Arc<Shared>,
    shard: usize,
}

impl LogSink {
    /// A sink that takes nothing.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Whether lines are wanted at all.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Writes one line: `format` appends its text, without a line end, to an empty buffer. Not called when the log
    /// is off.
    pub fn line(&mut self, format: impl FnOnce(&mut Vec<u8>)) {
        let Some(tap) = &mut self.0 else { return };
        tap.scratch.clear();
        format(&mut tap.scratch);
        tap.scratch.push(b'\n');
        tap.send();
    }
}

impl Tap {
    fn send(&mut self) {
        let counters = &self.shared.shards[self.shard];
        if self.scratch.len() > LINE_BYTES_MAX || self.ring.push(&self.scratch).is_err() {
            bump(&counters.dropped, 1);
            return;
        }
        bump(&counters.lines, 1);
        // The line is published, then the state is read; the writer publishes that it sleeps, then reads the rings.
        // With a full fence between the two on both sides, one of them must see the other, so no line is slept on.
        fence(Ordering::SeqCst);
        match self.shared.state.load(Ordering::Relaxed) {
            ASLEEP => self.shared.knock(ASLEEP),
            GATHERING if self.ring.is_half_full() => self.shared.knock(GATHERING),
            _ => {}
        }
    }
}

/// The log as control sees it.
pub struct AccessLog {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Lines were still waiting when the time for writing them was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished;

impl AccessLog {
    /// Opens the target and starts the writer; one sink for each of `shards`. Fails when the file cannot be opened.
    pub fn start(target: &LogTarget, shards: usize) -> io::Result<(Self, Vec<LogSink>)> {
        match target {
            LogTarget::Off => Ok((Self::without_writer(), (0..shards).map(|_| LogSink::off()).collect())),
            LogTarget::Stdout => Self::start_writing(|| Ok(Box::new(io::stdout())), shards, RING_BYTES),
            LogTarget::File(path) => {
                let path = path.clone();
                Self::start_writing(move || append_to(&path).map(|file| Box::new(file) as _), shards, RING_BYTES)
            }
        }
    }

    fn without_writer() -> Self {
        Self { shared: Arc::new(shared(0)), writer: Mutex::new(None) }
    }

    fn start_writing(
        mut open: impl FnMut() -> io::Result<Box<dyn Write + Send>> + Send + 'static,
        shards: usize,
        ring_bytes: usize,
    ) -> io::Result<(Self, Vec<LogSink>)> {
        let output = open()?;
        let shared = Arc::new(shared(shards));
        let (writers, rings): (Vec<_>, Vec<_>) = (0..shards).map(|_| byte_ring::channel(ring_bytes)).unzip();
        let tap = |(shard, ring)| Tap { scratch: Vec::with_capacity(1024), ring, shared: Arc::clone(&shared), shard };
        let sinks = writers.into_iter().enumerate().map(|each| LogSink(Some(tap(each)))).collect();
        let batch = Vec::with_capacity(WRITE_BYTES_MAX + LINE_BYTES_MAX);
        let desk = Desk { shared: Arc::clone(&shared), rings, open: Box::new(open), output, batch, is_torn: false };
        let writer = thread::Builder::new().name("access-log".to_owned()).spawn(move || desk.run())?;
        Ok((Self { shared, writer: Mutex::new(Some(writer)) }, sinks))
    }

    /// Opens the file anew after the batch under way, as is done after a log was rotated away. If that fails, the
    /// old file stays in use and the failure is counted.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::SeqCst);
        self.shared.unpark();
    }

    /// What became of the lines so far.
    pub fn counters(&self) -> LogCounters {
        let shared = &self.shared;
        let sum = |count: fn(&ShardCounters) -> &AtomicU64| {
            shared.shards.iter().map(|shard| count(shard).load(Ordering::Relaxed)).sum()
        };
        LogCounters {
            lines: sum(|shard| &shard.lines),
            dropped: sum(|shard| &shard.dropped),
            write_errors: shared.write_errors.load(Ordering::Relaxed),
            lost: shared.lost.load(Ordering::Relaxed),
        }
    }

    /// Writes what waits and ends the writer, once the shards have stopped. An output that takes longer than
    /// `patience` is left to itself: the process must be able to end while a disk hangs.
    pub fn shutdown(&self, patience: Duration) -> Result<(), Unfinished> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return Ok(()) };
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.unpark();
        let deadline = Instant::now() + patience;
        while !writer.is_finished() {
            if Instant::now() >= deadline {
                return Err(Unfinished);
            }
            thread::sleep(STOP_CHECK);
        }
        writer.join().map_err(|_| Unfinished)
    }
}

fn shared(shards: usize) -> Shared {
    Shared {
        state: CachePadded::new(AtomicU8::new(AWAKE)),
        reopen: AtomicBool::new(false),
        stop: AtomicBool::new(false),
        shards: (0..shards).map(|_| CachePadded::default()).collect(),
        write_errors: AtomicU64::new(0),
        lost: AtomicU64::new(0),
        writer: OnceLock::new(),
    }
}

fn append_to(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Everything the writer thread owns.
struct Desk {
    shared: Arc<Shared>,
    rings: Vec<Reader>,
    open: Box<dyn FnMut() -> io::Result<Box<dyn Write + Send>> + Send>,
    output: Box<dyn Write + Send>,
    batch: Vec<u8>,
    /// A write failed, perhaps in the middle of a line: the next one begins on a line of its own.
    is_torn: bool,
}

impl Desk {
    fn run(mut self) {
        self.shared.writer.get_or_init(thread::current);
        // Control threads give way to shards. Refused means only that the host forbids changing priorities.
        let _ = rustix::process::setpriority_process(None, 10);
        loop {
            let is_last = self.shared.stop.load(Ordering::SeqCst);
            self.write_everything();
            if is_last {
                return;
            }
            if self.shared.reopen.swap(false, Ordering::SeqCst) {
                self.reopen();
            }
            self.wait(ASLEEP, None);
            self.wait(GATHERING, Some(BATCH_WINDOW));
        }
    }

    /// Sleeps in `state` until somebody wakes the writer, or `window` is over.
    fn wait(&self, state: u8, window: Option<Duration>) {
        self.shared.state.store(state, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let until = window.map(|window| Instant::now() + window);
        while self.shared.state.load(Ordering::SeqCst) == state && !self.is_called() {
            // A line that came before the state was visible rang no bell.
            if state == ASLEEP && self.rings.iter().any(|ring| !ring.is_empty()) {
                break;
            }
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => break,
                Some(left) => thread::park_timeout(left),
            }
        }
        self.shared.state.store(AWAKE, Ordering::SeqCst);
    }

    fn is_called(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst) || self.shared.reopen.load(Ordering::SeqCst)
    }

    fn write_everything(&mut self) {
        for shard in 0..self.rings.len() {
            loop {
                self.batch.clear();
                if self.is_torn {
                    self.batch.push(b'\n');
                }
                let lines = self.rings[shard].drain(&mut self.batch, WRITE_BYTES_MAX);
                if lines == 0 {
                    break;
                }
                self.write_batch(lines);
            }
        }
    }

    fn write_batch(&mut self, lines: u64) {
        let written = self.output.write_all(&self.batch).and_then(|()| self.output.flush());
        self.is_torn = written.is_err();
        if self.is_torn {
            bump(&self.shared.write_errors, 1);
            bump(&self.shared.lost, lines);
        }
    }

    fn reopen(&mut self) {
        match (self.open)() {
            Ok(output) => {
                self.output = output;
                self.is_torn = false;
            }
            Err(_) => bump(&self.shared.write_errors, 1),
        }
    }
}

#[cfg(test)]
mod tests;
