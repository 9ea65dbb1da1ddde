//! Access-log lines from the shards to a file or standard output, by a thread of its own.
//!
//! A shard formats its lines one behind the other into a page of memory and hands the page over when it is full or
//! when the clock ticks; the writer writes it as it is and gives it back for the next lines. So a line is formatted
//! where it stays and never copied on its way to the kernel, and the two or three pages that go round stay in the
//! cache. A shard never waits and takes no lock; where all its pages are with the writer, lines are counted as
//! dropped. The one thing it may do for the writer is ring the doorbell: at most one system call per page, and none
//! while the writer is awake.
//!
//! A write that fails (a full disk, say) loses its page, is counted and is not the end: the next one is tried again.
//! Within one shard lines keep their order; between shards they mix.
//!
//! | thread | says | how | if it is late |
//! |---|---|---|---|
//! | shard | a page of lines | `Shared::full` | nothing: it has room for every page there is |
//! | shard | wake up | `Shared::knock`: swap and unpark | lines wait for the next page |
//! | writer | an empty page | `Shared::free` | the shard makes another, up to [`PAGES_MAX`] |
//! | control | reopen, stop | a flag and unpark | acted on after the pages that wait |

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;

use super::log_file::LogFile;

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

/// A page with this many bytes is full.
pub const PAGE_BYTES: usize = 128 << 10;
/// Pages of one shard: at 400 bytes a line, a fifth of a second of 50,000 requests a second.
pub const PAGES_MAX: usize = 32;
/// What a page may hold of a line that began before it was full, without growing.
const PAGE_MARGIN: usize = 4 << 10;
/// Longest line; a longer one is counted as dropped. The parts of a request that a line may show are bounded by the
/// head's limits, so this is not reached by an honest one.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// How much later than its last page the writer may notice that it was told to stop.
const STOP_CHECK: Duration = Duration::from_millis(1);

/// What became of the lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounters {
    /// Lines taken from shards.
    pub lines: u64,
    /// Lines refused because no page was left or the line was too long.
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

/// Lines on their way to the writer.
struct Page {
    bytes: Vec<u8>,
    lines: u64,
    shard: usize,
}

struct Shared {
    /// Room for every page that may be made.
    full: ArrayQueue<Page>,
    /// By shard.
    free: Box<[ArrayQueue<Vec<u8>>]>,
    is_asleep: CachePadded<AtomicBool>,
    reopen: AtomicBool,
    stop: AtomicBool,
    shards: Box<[CachePadded<ShardCounters>]>,
    write_errors: AtomicU64,
    lost: AtomicU64,
    writer: OnceLock<Thread>,
}

impl Shared {
    fn new(shards: usize, pages_max: usize) -> Self {
        Self {
            full: ArrayQueue::new((shards * pages_max).max(1)),
            free: (0..shards).map(|_| ArrayQueue::new(pages_max)).collect(),
            is_asleep: CachePadded::default(),
            reopen: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            shards: (0..shards).map(|_| CachePadded::default()).collect(),
            write_errors: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            writer: OnceLock::new(),
        }
    }

    /// Wakes the writer if it sleeps; of several shards that try, one pays for the call.
    fn knock(&self) {
        // A page is published, then the flag is read; the writer publishes that it sleeps, then reads the queue. With
        // a full fence between the two on both sides, one of them must see the other, so no page is slept on.
        fence(Ordering::SeqCst);
        if self.is_asleep.load(Ordering::Relaxed) && self.is_asleep.swap(false, Ordering::SeqCst) {
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
    /// Where lines are gathered; `None` until the next line.
    page: Option<Vec<u8>>,
    /// How many stand there.
    lines: u64,
    /// Pages that may still be made.
    unmade: usize,
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

    /// Takes one line: `format` appends it, with its end, to what stands there already. Not called when the log is off
    /// or the line has no place.
    pub fn line(&mut self, format: impl FnOnce(&mut Vec<u8>)) {
        if let Some(tap) = &mut self.0 {
            tap.line(format);
        }
    }

    /// Gives the writer what has been gathered. Lines stay here until then, or until they fill a page.
    pub fn hand_over(&mut self) {
        if let Some(tap) = &mut self.0 {
            tap.hand_over();
        }
    }
}

impl Tap {
    fn line(&mut self, format: impl FnOnce(&mut Vec<u8>)) {
        let Some(mut page) = self.take_page() else { return bump(&self.counters().dropped, 1) };
        let start = page.len();
        format(&mut page);
        if page.len() - start > LINE_BYTES_MAX {
            page.truncate(start);
            bump(&self.counters().dropped, 1);
        } else {
            self.lines += 1;
            bump(&self.counters().lines, 1);
        }
        let is_full = page.len() >= PAGE_BYTES;
        self.page = Some(page);
        if is_full {
            self.hand_over();
        }
    }

    fn take_page(&mut self) -> Option<Vec<u8>> {
        if let Some(page) = self.page.take().or_else(|| self.shared.free[self.shard].pop()) {
            return Some(page);
        }
        self.unmade = self.unmade.checked_sub(1)?;
        Some(Vec::with_capacity(PAGE_BYTES + PAGE_MARGIN))
    }

    fn hand_over(&mut self) {
        if self.lines == 0 {
            return;
        }
        let lines = std::mem::take(&mut self.lines);
        let bytes = self.page.take().unwrap_or_default();
        let pushed = self.shared.full.push(Page { bytes, lines, shard: self.shard });
        debug_assert!(pushed.is_ok(), "the queue has room for every page there is");
        self.shared.knock();
    }

    fn counters(&self) -> &ShardCounters {
        &self.shared.shards[self.shard]
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.hand_over();
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
            LogTarget::Stdout => Self::start_writing(|| Ok(Box::new(io::stdout())), shards, PAGES_MAX),
            LogTarget::File(path) => {
                let path = path.clone();
                Self::start_writing(move || LogFile::open(&path).map(|file| Box::new(file) as _), shards, PAGES_MAX)
            }
        }
    }

    fn without_writer() -> Self {
        Self { shared: Arc::new(Shared::new(0, 1)), writer: Mutex::new(None) }
    }

    fn start_writing(
        mut open: impl FnMut() -> io::Result<Box<dyn Write + Send>> + Send + 'static,
        shards: usize,
        pages_max: usize,
    ) -> io::Result<(Self, Vec<LogSink>)> {
        let output = open()?;
        let shared = Arc::new(Shared::new(shards, pages_max));
        let tap = |shard| Tap { page: None, lines: 0, unmade: pages_max, shared: Arc::clone(&shared), shard };
        let sinks = (0..shards).map(|shard| LogSink(Some(tap(shard)))).collect();
        let desk = Desk { shared: Arc::clone(&shared), open: Box::new(open), output, is_torn: false };
        let writer = thread::Builder::new().name("access-log".to_owned()).spawn(move || desk.run())?;
        Ok((Self { shared, writer: Mutex::new(Some(writer)) }, sinks))
    }

    /// Opens the file anew after the pages that wait, as is done after a log was rotated away. If that fails, the
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

    /// Writes what waits and ends the writer, once the shards have handed over what they had. An output that takes longer than
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

/// Everything the writer thread owns.
struct Desk {
    shared: Arc<Shared>,
    open: Box<dyn FnMut() -> io::Result<Box<dyn Write + Send>> + Send>,
    output: Box<dyn Write + Send>,
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
            while let Some(page) = self.shared.full.pop() {
                self.write(page);
            }
            if is_last {
                return;
            }
            if self.shared.reopen.swap(false, Ordering::SeqCst) {
                self.reopen();
            }
            self.sleep();
        }
    }

    /// Sleeps until there is a page or somebody calls.
    fn sleep(&self) {
        self.shared.is_asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        while self.shared.is_asleep.load(Ordering::Relaxed) && self.shared.full.is_empty() && !self.is_called() {
            thread::park();
        }
        self.shared.is_asleep.store(false, Ordering::Relaxed);
    }

    fn is_called(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst) || self.shared.reopen.load(Ordering::SeqCst)
    }

    fn write(&mut self, page: Page) {
        let Page { mut bytes, lines, shard } = page;
        if self.is_torn {
            bytes.insert(0, b'\n');
        }
        let written = self.output.write_all(&bytes).and_then(|()| self.output.flush());
        self.is_torn = written.is_err();
        if self.is_torn {
            bump(&self.shared.write_errors, 1);
            bump(&self.shared.lost, lines);
        }
        bytes.clear();
        bytes.shrink_to(PAGE_BYTES + PAGE_MARGIN);
        // Every page of the shard fits.
        let _ = self.shared.free[shard].push(bytes);
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
