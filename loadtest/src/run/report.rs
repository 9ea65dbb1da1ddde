//! A load's result as text and as JSON.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::plot::percentile_points;
use super::tally::Failure;
use super::{Load, Pace, Tally};

/// The quantiles that reports name.
pub const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];

/// A quantile in microseconds.
pub fn micros_at(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1_000.0
}

/// The report as a document:
///
/// | member | meaning |
/// |---|---|
/// | `tool`, `version`, `url` | what was run |
/// | `loop` | `open` (with `rate_asked`) or `closed` |
/// | `connections`, `threads`, `seconds`, `warmup_seconds` | as asked |
/// | `completed`, `rate` | good answers in the measured time, and a second |
/// | `bytes_read` | bytes of all answers in the measured time |
/// | `errors` | by kind: `connect`, `reset`, `status`, `length`, `protocol`, `timeout`, and `total` |
/// | `unfinished` | requests due in the measured time that had no answer at the end of the grace |
/// | `reconnects` | connections made again because the server closed them between requests |
/// | `latency_us` | `count`, `mean`, `p50` … `p99.99`, `max`: from the intended moment of sending |
/// | `service_us` | the same from the actual moment; differs in an open loop only |
/// | `percentiles` | `[1 / (1 - quantile), latency_us]`, the curve of the plot |
/// | `timeline` | `at_s`, `rate`, `errors`, `p50_us`, `p99_us`, `max_us` of each `bucket_seconds` |
pub fn json(load: &Load, tally: &Tally) -> Value {
    let (name, rate_asked) = match load.pace {
        Pace::Closed => ("closed", Value::Null),
        Pace::Constant(rate) => ("open", json!(rate)),
    };
    json!({
        "tool": "ringload",
        "version": env!("CARGO_PKG_VERSION"),
        "url": load.url,
        "loop": name,
        "rate_asked": rate_asked,
        "connections": load.connections,
        "threads": load.threads,
        "seconds": load.duration.as_secs_f64(),
        "warmup_seconds": load.warmup.as_secs_f64(),
        "completed": tally.completed,
        "rate": tally.rate(),
        "bytes_read": tally.bytes_read,
        "errors": errors(tally),
        "unfinished": tally.unfinished,
        "reconnects": tally.reconnects,
        "latency_us": latency(&tally.latency),
        "service_us": latency(&tally.service),
        "percentiles": percentile_points(&tally.latency),
        "bucket_seconds": load.bucket_width().as_secs_f64(),
        "timeline": timeline(load, tally),
    })
}

fn errors(tally: &Tally) -> Value {
    let mut errors: Map<String, Value> =
        Failure::ALL.iter().map(|&(failure, name)| (name.to_owned(), tally.errors.of(failure).into())).collect();
    errors.insert("total".to_owned(), tally.errors.total().into());
    Value::Object(errors)
}

fn latency(histogram: &Histogram<u64>) -> Value {
    let mut latency = Map::new();
    latency.insert("count".to_owned(), histogram.len().into());
    latency.insert("mean".to_owned(), (histogram.mean() / 1_000.0).into());
    for (name, quantile) in QUANTILES {
        latency.insert(name.to_owned(), micros_at(histogram, quantile).into());
    }
    latency.insert("max".to_owned(), (histogram.max() as f64 / 1_000.0).into());
    Value::Object(latency)
}

fn timeline(load: &Load, tally: &Tally) -> Vec<Value> {
    let width = load.bucket_width().as_secs_f64();
    let bucket = |(index, bucket): (usize, &super::tally::Bucket)| {
        json!({
            "at_s": index as f64 * width,
            "rate": bucket.completed as f64 / width,
            "errors": bucket.failed,
            "p50_us": bucket.latency_us.value_at_quantile(0.5),
            "p99_us": bucket.latency_us.value_at_quantile(0.99),
            "max_us": bucket.latency_us.max(),
        })
    };
    tally.timeline.iter().enumerate().map(bucket).collect()
}

/// The report for a terminal.
pub fn summary(load: &Load, tally: &Tally) -> String {
    let mut text = String::new();
    let pace = match load.pace {
        Pace::Closed => "closed loop".to_owned(),
        Pace::Constant(rate) => format!("open loop at {rate} req/s"),
    };
    let (connections, threads, seconds) = (load.connections, load.threads, load.duration.as_secs_f64());
    let _ = writeln!(text, "{}  {pace}, {connections} connections, {threads} threads, {seconds} s", load.url);
    let _ = writeln!(text, "{:>12.0} req/s   {} answers, {}", tally.rate(), tally.completed, megabytes(tally));
    latency_line(&mut text, "latency", &tally.latency);
    if load.pace != Pace::Closed {
        latency_line(&mut text, "service", &tally.service);
    }
    let named = Failure::ALL.iter().filter(|(failure, _)| tally.errors.of(*failure) > 0);
    let kinds: String = named.map(|(failure, name)| format!("  {name} {}", tally.errors.of(*failure))).collect();
    let _ = writeln!(text, "{:>12} errors{kinds}", tally.errors.total());
    if tally.unfinished > 0 {
        let _ = writeln!(text, "{:>12} unfinished: due, and without answer at the end", tally.unfinished);
    }
    text
}

fn latency_line(text: &mut String, name: &str, histogram: &Histogram<u64>) {
    let _ = write!(text, "{name:>12}");
    for (name, quantile) in &QUANTILES[..4] {
        let _ = write!(text, "  {name} {}", human_micros(micros_at(histogram, *quantile)));
    }
    let _ = writeln!(text, "  max {}", human_micros(histogram.max() as f64 / 1_000.0));
}

fn megabytes(tally: &Tally) -> String {
    format!("{:.1} MB read", tally.bytes_read as f64 / 1e6)
}

/// Microseconds as people say them.
pub fn human_micros(micros: f64) -> String {
    match micros {
        value if value < 10.0 => format!("{value:.1} us"),
        value if value < 1e3 => format!("{value:.0} us"),
        value if value < 1e4 => format!("{:.2} ms", value / 1e3),
        value if value < 1e6 => format!("{:.1} ms", value / 1e3),
        value => format!("{:.2} s", value / 1e6),
    }
}
