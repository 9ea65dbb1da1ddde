//! One measured stretch: a load on one side, the gateway's processor time on the other.

use std::time::Duration;

use super::Bench;
use super::peer::Peer;
use super::scenario::Scenario;
use crate::cpu::{CpuTime, ProcessorTime, family};
use crate::run::options::Load;
use crate::run::requests::Requests;
use crate::run::{Pace, Progress, Watcher, measure};

/// What one round of one peer came to.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Good answers a second.
    pub rate: f64,
    /// Microseconds of processor time of the gateway's processes for each answer.
    pub cpu_us: f64,
    /// Median latency in microseconds.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// Answers that were wrong or missing.
    pub failed: u64,
    /// Share of the time that the gateway's processor spent on other processes, or was taken from us by the
    /// hypervisor: what makes a round worth less. Zero when the gateway is not confined.
    pub disturbance: f64,
}

/// Reads the clocks of the gateway's processes when the measured time begins and ends, each time next to the
/// number of answers: their ratio does not depend on waking up exactly then.
struct CpuWatcher {
    processes: Vec<u32>,
    processor: Option<usize>,
    begin: Reading,
    end: Reading,
}

#[derive(Default)]
struct Reading {
    gateway: CpuTime,
    processor: ProcessorTime,
    completed: u64,
    errors: u64,
}

impl CpuWatcher {
    fn new(peer: &Peer, bench: &Bench) -> Self {
        let processor = bench.gateway_cpus.as_ref().and_then(|cpus| cpus.list().first().copied());
        Self { processes: family(peer.process.id()), processor, begin: Reading::default(), end: Reading::default() }
    }

    fn read(&self, progress: Progress) -> Reading {
        Reading {
            gateway: CpuTime::of(&self.processes),
            processor: self.processor.and_then(ProcessorTime::of).unwrap_or_default(),
            completed: progress.completed,
            errors: progress.errors,
        }
    }

    fn cpu_time(&self) -> Duration {
        self.end.gateway.since(&self.begin.gateway)
    }

    fn cpu_us_per_answer(&self) -> f64 {
        let answers = (self.end.completed - self.begin.completed) + (self.end.errors - self.begin.errors);
        self.cpu_time().as_secs_f64() * 1e6 / answers as f64
    }

    fn disturbance(&self, window: Duration) -> f64 {
        let (begin, end) = (self.begin.processor, self.end.processor);
        let foreign = end.busy.saturating_sub(begin.busy).saturating_sub(self.cpu_time());
        let stolen = end.stolen.saturating_sub(begin.stolen);
        (foreign + stolen).as_secs_f64() / window.as_secs_f64()
    }
}

impl Watcher for CpuWatcher {
    fn handle_begin(&mut self, progress: Progress) {
        self.begin = self.read(progress);
    }

    fn handle_end(&mut self, progress: Progress) {
        self.end = self.read(progress);
    }
}

/// Runs one round of a scenario at its own path.
pub fn run(bench: &Bench, peer: &Peer, scenario: Scenario, pace: Pace) -> Result<Round, String> {
    let requests = scenario.requests(peer.address, &[scenario.path().to_owned()])?;
    run_requests(bench, peer, scenario, requests, pace)
}

/// Runs one round with other requests that must be answered like the scenario's.
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
    let mut watcher = CpuWatcher::new(peer, bench);
    let tally = measure(&load, &mut watcher)?;
    let micros = |quantile| tally.latency.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(Round {
        rate: tally.rate(),
        cpu_us: watcher.cpu_us_per_answer(),
        p50_us: micros(0.5),
        p99_us: micros(0.99),
        failed: tally.errors.total() + tally.unfinished,
        disturbance: if watcher.processor.is_some() { watcher.disturbance(load.duration) } else { 0.0 },
    })
}
