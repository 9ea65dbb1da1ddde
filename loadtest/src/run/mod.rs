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
