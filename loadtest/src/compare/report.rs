//! Rounds gathered by peer, and the tables people read.

use std::fmt::Write as _;
use std::io::IsTerminal;

use serde_json::{Value, json};

use super::Bench;
use super::mark::{MARK_ASKED, marks, median, ratios};
use super::round::{DISTURBANCE_MAX, Round};
use super::scenario::Scenario;
use crate::run::report::human_micros;

/// The rounds of one peer.
pub struct Series {
    /// Whose.
    pub name: &'static str,
    /// In the order they were run.
    pub rounds: Vec<Round>,
}

impl Series {
    /// Of nobody's rounds yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, rounds: Vec::new() }
    }

    /// One number of each round.
    pub fn values(&self, value: impl Fn(&Round) -> f64) -> Vec<f64> {
        self.rounds.iter().map(value).collect()
    }

    /// The median of one number.
    pub fn median(&self, value: impl Fn(&Round) -> f64) -> f64 {
        median(&self.values(value))
    }

    /// Wrong or missing answers of all rounds.
    pub fn failed(&self) -> u64 {
        self.rounds.iter().map(|round| round.failed).sum()
    }

    /// Medians, and the rounds as `[rate, cpu_us, p50_us, p99_us, failed, disturbance, busy]`.
    pub fn json(&self) -> Value {
        let round = |round: &Round| {
            let numbers = [
                round.rate,
                round.cpu_us,
                round.p50_us,
                round.p99_us,
                round.failed as f64,
                round.disturbance,
                round.busy,
            ];
            json!(numbers.map(rounded))
        };
        json!({
            "rate": rounded(self.median(|round| round.rate)),
            "cpu_us": rounded(self.median(|round| round.cpu_us)),
            "p50_us": rounded(self.median(|round| round.p50_us)),
            "p99_us": rounded(self.median(|round| round.p99_us)),
            "busy": rounded(self.median(|round| round.busy)),
            "failed": self.failed(),
            "rounds": self.rounds.iter().map(round).collect::<Vec<_>>(),
        })
    }
}

/// To three decimals: what a measurement is worth, and short enough to keep.
pub fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Says on a terminal which round has just ended.
pub fn progress(scenario: Scenario, peer: &str, number: usize, round: &Round) {
    if std::io::stderr().is_terminal() {
        let name = scenario.name();
        eprint!("\r{name} round {} {peer}: {:.0} req/s, {:.2} us CPU{:20}", number + 1, round.rate, round.cpu_us, "");
    }
}

/// Clears that line.
pub fn end_progress() {
    if std::io::stderr().is_terminal() {
        eprint!("\r{:90}\r", "");
    }
}

/// Throughput, latency and cost of each peer, then the marks.
pub fn table(scenario: Scenario, bench: &Bench, all: &[Series]) -> String {
    let mut text = heading(scenario, bench);
    let costs =
        |name: &str| all.iter().find(|series| series.name == name).map(|series| series.values(|round| round.cpu_us));
    let (floor, nginx) = (costs("floor"), costs("nginx"));
    let _ = writeln!(
        text,
        "{:>15} {:>9} {:>9} {:>9} {:>12} {:>6} {:>8} {:>7}",
        "", "req/s", "p50", "p99", "CPU us/req", "busy", "x nginx", "failed"
    );
    for series in all {
        let cost = series.values(|round| round.cpu_us);
        let ratio = nginx.as_ref().map_or(String::new(), |nginx| format!("{:.3}", median(&ratios(&cost, nginx))));
        let _ = writeln!(
            text,
            "{:>15} {:>9.0} {:>9} {:>9} {:>12.2} {:>5.0}% {:>8} {:>7}",
            series.name,
            series.median(|round| round.rate),
            human_micros(series.median(|round| round.p50_us)),
            human_micros(series.median(|round| round.p99_us)),
            median(&cost),
            100.0 * series.median(|round| round.busy),
            ratio,
            series.failed()
        );
    }
    for series in all.iter().filter(|series| series.name.starts_with("ringgate")) {
        if let (Some(floor), Some(nginx)) = (&floor, &nginx) {
            let rounds = marks(&series.values(|round| round.cpu_us), floor, nginx);
            let _ = writeln!(text, "{}", mark_line(series.name, &rounds));
        }
    }
    text + &disturbance_line(all)
}

fn heading(scenario: Scenario, bench: &Bench) -> String {
    format!(
        "{}: {} connections, closed loop, medians of {} rounds of {} s\n",
        scenario.title(),
        bench.connections,
        bench.rounds,
        bench.seconds.as_secs_f64()
    )
}

fn mark_line(name: &str, rounds: &[f64]) -> String {
    let each: String = rounds.iter().map(|mark| format!(" {mark:.2}")).collect();
    let mark = median(rounds);
    let verdict = if mark <= MARK_ASKED { "reached" } else { "not reached" };
    format!(
        "{name:>15} (it - floor) / (nginx - floor) = {mark:.3}; at most {MARK_ASKED} is asked: {verdict} (rounds{each})"
    )
}

/// The 99th percentile of each peer at the same rate.
pub fn tail_table(scenario: Scenario, rate: f64, all: &[Series]) -> String {
    let mut text = format!("{}: open loop at {rate:.0} req/s\n", scenario.title());
    let tail = |round: &Round| round.p99_us;
    let nginx = all.iter().find(|series| series.name == "nginx").map(|series| series.values(tail)).unwrap_or_default();
    let _ = writeln!(
        text,
        "{:>15} {:>9} {:>9} {:>12} {:>12} {:>7}",
        "", "p50", "p99", "p99 x nginx", "CPU us/req", "failed"
    );
    for series in all {
        let _ = writeln!(
            text,
            "{:>15} {:>9} {:>9} {:>12.3} {:>12.2} {:>7}",
            series.name,
            human_micros(series.median(|round| round.p50_us)),
            human_micros(series.median(tail)),
            median(&ratios(&series.values(tail), &nginx)),
            series.median(|round| round.cpu_us),
            series.failed()
        );
    }
    text + &disturbance_line(all)
}

/// A table of Ringgate against itself: cost of each arm, and its ratio to the first.
pub fn arms_table(title: &str, all: &[Series]) -> String {
    let mut text = format!("{title}\n");
    let base = all.first().map(|series| series.values(|round| round.cpu_us)).unwrap_or_default();
    let _ =
        writeln!(text, "{:>22} {:>9} {:>9} {:>12} {:>9} {:>7}", "", "req/s", "p99", "CPU us/req", "ratio", "failed");
    for series in all {
        let cost = series.values(|round| round.cpu_us);
        let _ = writeln!(
            text,
            "{:>22} {:>9.0} {:>9} {:>12.2} {:>9.3} {:>7}",
            series.name,
            series.median(|round| round.rate),
            human_micros(series.median(|round| round.p99_us)),
            median(&cost),
            median(&ratios(&cost, &base)),
            series.failed()
        );
    }
    text + &disturbance_line(all)
}

/// The same as JSON.
pub fn arms_json(all: &[Series]) -> Value {
    let base = all.first().map(|series| series.values(|round| round.cpu_us)).unwrap_or_default();
    let arm = |series: &Series| {
        let mut arm = series.json();
        arm["cpu_to_first"] = json!(rounded(median(&ratios(&series.values(|round| round.cpu_us), &base))));
        (series.name.to_owned(), arm)
    };
    Value::Object(all.iter().map(arm).collect())
}

fn disturbance_line(all: &[Series]) -> String {
    let rounds = || all.iter().flat_map(|series| &series.rounds);
    let disturbed = rounds().filter(|round| round.disturbance > DISTURBANCE_MAX).count();
    if disturbed == 0 {
        return String::new();
    }
    let worst = rounds().map(|round| round.disturbance).fold(0.0, f64::max) * 100.0;
    format!("note: in {disturbed} rounds other work had a processor of ours, up to {worst:.0} % of the time\n")
}
