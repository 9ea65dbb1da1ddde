//! The generator: options, the measurement itself, and its reports.
//!
//! A measurement is threads that each own an epoll loop and a share of the connections ([`worker`]), told
//! when to send by nobody (closed loop) or by a timetable ([`schedule`]), and what they saw ([`tally`]).
//! The calling thread only watches the clock.

pub mod html;
pub mod options;
pub mod plot;
pub mod report;
pub mod requests;
pub mod schedule;
pub mod tally;
pub mod worker;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use options::{Load, Pace, RunArgs};
use tally::Tally;

/// Nanoseconds since the measurement's first moment.
pub type Nanos = u64;

/// What a worker lets others see while it runs. Written by one thread, on a cache line of its own.
#[repr(align(128))]
#[derive(Default)]
pub struct Live {
    completed: AtomicU64,
    errors: AtomicU64,
    p99_us: AtomicU64,
}

/// What all workers have done so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Answers that were as expected.
    pub completed: u64,
    /// Everything else.
    pub errors: u64,
    /// The worst worker's 99th percentile in its last bucket of time.
    pub p99_us: u64,
}

/// Someone who wants to look while a measurement runs. All calls come from the thread that measures.
pub trait Watcher {
    /// The measured window begins.
    fn handle_begin(&mut self, _progress: Progress) {}
    /// About once a second.
    fn handle_second(&mut self, _elapsed: Duration, _progress: Progress) {}
    /// The measured window has ended.
    fn handle_end(&mut self, _progress: Progress) {}
}

/// Nobody.
pub struct NoWatcher;

impl Watcher for NoWatcher {}

/// Runs a load to its end. The time this takes is bounded by the load's own times.
pub fn measure(load: &Load, watcher: &mut dyn Watcher) -> Result<Tally, String> {
    let lives: Vec<Live> = (0..load.threads).map(|_| Live::default()).collect();
    let epoch = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = lives
            .iter()
            .enumerate()
            .map(|(lane, live)| scope.spawn(move || worker::run(load, lane, epoch, live)))
            .collect();
        watch(load, epoch, &lives, watcher);
        let mut total = Tally::new(load);
        for worker in workers {
            let tally = worker.join().map_err(|_| "a generator thread panicked".to_owned())?;
            total.add(&tally.map_err(|error| format!("generator: {error}"))?);
        }
        Ok(total)
    })
}

fn watch(load: &Load, epoch: Instant, lives: &[Live], watcher: &mut dyn Watcher) {
    let (begin, end) = (epoch + load.warmup, epoch + load.warmup + load.duration);
    sleep_until(begin);
    watcher.handle_begin(progress(lives));
    let mut next = begin + Duration::from_secs(1);
    while next < end {
        sleep_until(next);
        watcher.handle_second(next - begin, progress(lives));
        next += Duration::from_secs(1);
    }
    sleep_until(end);
    watcher.handle_end(progress(lives));
}

fn progress(lives: &[Live]) -> Progress {
    lives.iter().fold(Progress::default(), |sum, live| Progress {
        completed: sum.completed + live.completed.load(Ordering::Relaxed),
        errors: sum.errors + live.errors.load(Ordering::Relaxed),
        p99_us: sum.p99_us.max(live.p99_us.load(Ordering::Relaxed)),
    })
}

fn sleep_until(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
}

/// The progress line of a terminal.
struct ProgressLine {
    last: u64,
}

impl Watcher for ProgressLine {
    fn handle_begin(&mut self, progress: Progress) {
        self.last = progress.completed;
    }

    fn handle_second(&mut self, elapsed: Duration, progress: Progress) {
        let rate = progress.completed - self.last;
        self.last = progress.completed;
        let (seconds, p99, errors) = (elapsed.as_secs(), progress.p99_us, progress.errors);
        eprint!("\r{seconds:>4} s  {rate:>8} req/s  p99 {p99:>7} us  errors {errors}   ");
    }

    fn handle_end(&mut self, _progress: Progress) {
        eprint!("\r{:70}\r", "");
    }
}

/// `ringload run`
pub fn main(args: &RunArgs) -> Result<ExitCode, String> {
    let load = args.resolve()?;
    let tally = if args.wants_progress() {
        measure(&load, &mut ProgressLine { last: 0 })?
    } else {
        measure(&load, &mut NoWatcher)?
    };
    print!("{}", report::summary(&load, &tally));
    if let Some(path) = &args.json {
        let text = format!("{:#}\n", report::json(&load, &tally));
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if let Some(path) = &args.html {
        std::fs::write(path, html::page(&load, &tally)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let is_clean = tally.errors.total() == 0 && tally.unfinished == 0 && tally.completed > 0;
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::requests::Requests;
    use super::tally::Failure;
    use super::*;
    use crate::net;
    use crate::stub::{Stub, StubArgs};

    const SHORT: Duration = Duration::from_millis(150);

    fn stub(change: impl FnOnce(&mut StubArgs)) -> SocketAddr {
        let mut args = StubArgs::plain(net::free_address().unwrap());
        change(&mut args);
        let address = args.listen;
        let (bound, is_bound) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut stub = Stub::bind(&args).unwrap();
            bound.send(()).unwrap();
            stub.serve().unwrap();
        });
        is_bound.recv().unwrap();
        address
    }

    fn load(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Load {
        let requests = Requests::build(method, &address.to_string(), &[], body, &[path.to_owned()]).unwrap();
        Load { threads: 2, ..Load::closed(address, requests, 4, SHORT) }
    }

    fn run(load: &Load) -> Tally {
        measure(load, &mut NoWatcher).unwrap()
    }

    #[test]
    fn a_closed_loop_counts_right_answers_of_any_framing_and_size() {
        for (is_chunked, path, bytes) in
            [(false, "/bytes/300000", 300_000), (true, "/bytes/70000", 70_000), (false, "/", 1024)]
        {
            let address = stub(|args| args.chunked = is_chunked);
            let mut load = load(address, "POST", path, &[b'x'; 200_000]);
            load.expectation = options::Expectation { status: Some(200), body_bytes: Some(bytes) };
            let tally = run(&load);
            assert_eq!((tally.errors.total(), tally.unfinished), (0, 0), "{path}");
            assert!(tally.completed > 0 && tally.bytes_read >= tally.completed.saturating_sub(4) * bytes);
            assert_eq!(tally.timeline.iter().map(|bucket| bucket.completed).sum::<u64>(), tally.completed);
        }
    }

    #[test]
    fn wrong_answers_are_failures_of_their_kind() {
        let address = stub(|args| args.status = 503);
        let tally = run(&load(address, "GET", "/", b""));
        assert!(tally.completed == 0 && tally.errors.of(Failure::Status) > 0);
        let mut load = load(stub(|_| {}), "GET", "/", b"");
        load.expectation.body_bytes = Some(1);
        let tally = run(&load);
        assert!(tally.completed == 0 && tally.errors.of(Failure::Length) > 0);
    }

    #[test]
    fn a_server_that_is_not_there_fails_to_connect() {
        let tally = run(&load(net::free_address().unwrap(), "GET", "/", b""));
        assert!(tally.completed == 0 && tally.errors.of(Failure::Connect) > 0);
    }

    #[test]
    fn an_open_loop_counts_waiting_for_a_connection_as_latency() {
        // Four connections and 20 ms of delay bear 200 requests a second; 600 are due.
        let mut load = load(stub(|args| args.delay_ms = 20), "GET", "/", b"");
        load.pace = Pace::Constant(600.0);
        let tally = run(&load);
        assert_eq!(tally.latency.len(), 90, "every request of the timetable has a latency");
        assert!(tally.latency.max() > 2 * tally.service.value_at_quantile(0.5));
    }

    #[test]
    fn a_request_without_answer_times_out() {
        let mut load = load(stub(|args| args.delay_ms = 10_000), "GET", "/", b"");
        load.timeout = Duration::from_millis(40);
        assert!(run(&load).errors.of(Failure::Timeout) > 0);
    }
}
