//! One measured stretch: a load on one side, the gateway's processor time on the other.

use std::time::{Duration, Instant};

use super::Bench;
use super::peer::Peer;
use super::scenario::Scenario;
use crate::affinity::Cpus;
use crate::cpu::{CpuTime, ProcessorTime, family};
use crate::run::options::Load;
use crate::run::requests::Requests;
use crate::run::{Pace, Progress, Watcher, measure};

/// More foreign work than this makes a round a disturbed one.
pub const DISTURBANCE_MAX: f64 = 0.05;

/// A processor counts as quiet after a slice of time in which it worked no longer than this.
const QUIET_SLICE: Duration = Duration::from_millis(250);
const QUIET_BUSY_MAX: Duration = Duration::from_millis(20);

/// What one round of one peer came to.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Good answers a second.
    pub rate: f64,
    /// Microseconds of processor time of the gateway's processes for each answer.
    pub cpu_us: f64,
    /// Processor time of the gateway in each second. Below one full processor the load was the limit, and the
    /// gateway paid for waking up as well.
    pub busy: f64,
    /// Median latency in microseconds.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// Answers that were wrong or missing.
    pub failed: u64,
    /// Share of the time that a processor of ours spent on other processes, or was taken from us by the
    /// hypervisor, on the processor that had more of it: what makes a round worth less. Zero when nothing is
    /// confined, since then no processor is ours.
    pub disturbance: f64,
}

/// Reads the clocks of the gateway's processes when the measured time begins and ends, each time next to the
/// number of answers: their ratio does not depend on waking up exactly then.
struct CpuWatcher {
    gateway: Side,
    load: Side,
    begin: Progress,
    end: Progress,
}

/// Processes, and the processor that is theirs alone if it is quiet.
struct Side {
    processes: Vec<u32>,
    processor: Option<usize>,
    begin: Reading,
    end: Reading,
}

#[derive(Default)]
struct Reading {
    used: CpuTime,
    processor: ProcessorTime,
}

impl Side {
    fn new(processes: Vec<u32>, cpus: Option<&Cpus>) -> Self {
        let processor = cpus.and_then(|cpus| cpus.list().first().copied());
        Self { processes, processor, begin: Reading::default(), end: Reading::default() }
    }

    fn read(&self) -> Reading {
        let processor = self.processor.and_then(ProcessorTime::of).unwrap_or_default();
        Reading { used: CpuTime::of(&self.processes), processor }
    }

    fn used(&self) -> Duration {
        self.end.used.since(&self.begin.used)
    }

    fn disturbance(&self, window: Duration) -> f64 {
        if self.processor.is_none() {
            return 0.0;
        }
        let (begin, end) = (self.begin.processor, self.end.processor);
        let foreign = end.busy.saturating_sub(begin.busy).saturating_sub(self.used());
        let stolen = end.stolen.saturating_sub(begin.stolen);
        (foreign + stolen).as_secs_f64() / window.as_secs_f64()
    }
}

impl CpuWatcher {
    fn new(peer: &Peer, bench: &Bench) -> Self {
        let gateway = Side::new(family(peer.process.id()), bench.gateway_cpus.as_ref());
        let load = Side::new(vec![std::process::id()], bench.load_cpus.as_ref());
        Self { gateway, load, begin: Progress::default(), end: Progress::default() }
    }

    fn cpu_us_per_answer(&self) -> f64 {
        let answers = (self.end.completed - self.begin.completed) + (self.end.errors - self.begin.errors);
        self.gateway.used().as_secs_f64() * 1e6 / answers as f64
    }
}

impl Watcher for CpuWatcher {
    fn handle_begin(&mut self, progress: Progress) {
        self.begin = progress;
        self.gateway.begin = self.gateway.read();
        self.load.begin = self.load.read();
    }

    fn handle_end(&mut self, progress: Progress) {
        self.end = progress;
        self.gateway.end = self.gateway.read();
        self.load.end = self.load.read();
    }
}

/// Runs one round of a scenario at its own path.
pub fn run(bench: &Bench, peer: &Peer, scenario: Scenario, pace: Pace) -> Result<Round, String> {
    let requests = scenario.requests(peer.address, &[scenario.path().to_owned()])?;
    run_requests(bench, peer, scenario, requests, pace)
}

/// Runs one round with other requests that must be answered like the scenario's. A round that other work
/// disturbed is run again as often as the bench allows, and the least disturbed is kept.
pub fn run_requests(
    bench: &Bench,
    peer: &Peer,
    scenario: Scenario,
    requests: Requests,
    pace: Pace,
) -> Result<Round, String> {
    let load = Load {
        pace,
        connections: bench.connections,
        warmup: bench.warmup,
        duration: bench.seconds,
        cpus: bench.load_cpus.clone(),
        ..scenario.load(peer.address, requests)
    };
    wait_for_quiet(bench);
    let mut best = run_load(bench, peer, &load)?;
    for _ in 0..bench.repeats {
        if best.disturbance <= DISTURBANCE_MAX {
            break;
        }
        wait_for_quiet(bench);
        let again = run_load(bench, peer, &load)?;
        let failed = best.failed + again.failed;
        best = if again.disturbance < best.disturbance { again } else { best };
        // Whatever round is kept, an answer that failed has failed.
        best.failed = failed;
    }
    Ok(best)
}

/// Between rounds nobody of ours works: waits, within the bench's patience, until nobody else does either.
fn wait_for_quiet(bench: &Bench) {
    let processors = [&bench.gateway_cpus, &bench.load_cpus].into_iter().flatten().flat_map(Cpus::list);
    let until = Instant::now() + bench.patience;
    while Instant::now() < until {
        let before: Vec<_> = processors.clone().map(|&cpu| ProcessorTime::of(cpu)).collect();
        std::thread::sleep(QUIET_SLICE);
        let is_quiet = processors.clone().zip(before).all(|(&cpu, before)| match (before, ProcessorTime::of(cpu)) {
            (Some(before), Some(now)) => now.busy - before.busy <= QUIET_BUSY_MAX,
            _ => true,
        });
        if is_quiet {
            return;
        }
    }
}

fn run_load(bench: &Bench, peer: &Peer, load: &Load) -> Result<Round, String> {
    let mut watcher = CpuWatcher::new(peer, bench);
    let tally = measure(load, &mut watcher)?;
    let micros = |quantile| tally.latency.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(Round {
        rate: tally.rate(),
        cpu_us: watcher.cpu_us_per_answer(),
        busy: watcher.gateway.used().as_secs_f64() / load.duration.as_secs_f64(),
        p50_us: micros(0.5),
        p99_us: micros(0.99),
        failed: tally.errors.total() + tally.unfinished,
        disturbance: watcher.gateway.disturbance(load.duration).max(watcher.load.disturbance(load.duration)),
    })
}
