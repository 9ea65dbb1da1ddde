//! The line that is kept for each measured commit.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Bench;

/// The results with what is needed to read them later; `perf/README.md` documents the members.
pub fn record(kind: &str, bench: &Bench, commit: Option<&str>, results: &Value) -> Value {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    json!({
        "commit": commit,
        "unix_seconds": seconds,
        "kind": kind,
        "machine": machine(),
        "connections": bench.connections,
        "rounds": bench.rounds,
        "seconds": bench.seconds.as_secs_f64(),
        "results": results,
    })
}

/// Appends one line.
pub fn append(path: &Path, record: &Value) -> Result<(), String> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(format!("{record}\n").as_bytes()));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

fn machine() -> Value {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = processors
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, model)| model.trim()))
        .collect();
    json!({
        "model": models.first(),
        "processors": models.len(),
        "kernel": kernel.trim(),
        "is_virtual": processors.contains(" hypervisor "),
    })
}
