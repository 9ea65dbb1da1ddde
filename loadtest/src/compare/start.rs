//! Time from start to first answer, and memory of idle connections.

use std::time::Duration;

use serde_json::json;

use super::mark::median;
use super::peer::PeerKind;
use super::scenario::Scenario;
use super::{Bench, Outcome};
use crate::idle;

const SETTLE: Duration = Duration::from_secs(2);

/// Starts it once for each round, and opens the idle connections on the last of them.
pub fn compare(bench: &Bench, idle_connections: usize) -> Result<Outcome, String> {
    let mut starts = Vec::new();
    let mut last = None;
    for _ in 0..bench.rounds {
        drop(last.take());
        let peer = PeerKind::Ringgate.start(bench, Scenario::Mock)?;
        starts.push(peer.started_in.as_secs_f64() * 1e3);
        last = Some(peer);
    }
    let each: String = starts.iter().map(|milliseconds| format!(" {milliseconds:.1}")).collect();
    println!("start to first answer: {:.1} ms (rounds{each})", median(&starts));
    let Some(peer) = last else { return Err("there was no round".to_owned()) };
    let path = Scenario::Mock.path();
    let growth = idle::measure(peer.address, path, idle_connections, peer.process.id(), SETTLE)?;
    println!("{}", idle::describe(&growth));
    let results = json!({
        "start_ms": median(&starts),
        "start_rounds_ms": starts,
        "idle_connections": growth.connections,
        "idle_kib_each": growth.kib_per_connection(),
    });
    Ok(Outcome { results, failed: 0 })
}
