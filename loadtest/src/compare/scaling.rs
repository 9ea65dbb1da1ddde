//! Two shards against one at the same fixed rate: what it costs to be on more than one core.
//!
//! Generator and origin are not confined here, and neither is the gateway: all share the same processors in
//! both arms, and only the number of shards differs.

use super::document::of_scenarios;
use super::peer::{Peer, PeerKind, RinggateWay, START_PATIENCE, ringgate};
use super::report::{self, Series};
use super::scenario::Scenario;
use super::{Bench, Outcome, round};
use crate::net;
use crate::run::Pace;

/// The rate when none is given, as a share of what one shard can do.
const RATE_SHARE: f64 = 0.6;

/// Runs both arms in turn.
pub fn compare(bench: &Bench, rate: Option<f64>) -> Result<Outcome, String> {
    let scenario = Scenario::Get1k;
    let peers = [start(bench, scenario, "1 shard", 1)?, start(bench, scenario, "2 shards", 2)?];
    let rate = match rate {
        Some(rate) => rate,
        None => (RATE_SHARE * round::run(bench, &peers[0], scenario, Pace::Closed)?.rate).round(),
    };
    let mut all: Vec<Series> = peers.iter().map(|peer| Series::new(peer.name)).collect();
    for number in 0..bench.rounds {
        for step in 0..peers.len() {
            let index = (number + step) % peers.len();
            all[index].rounds.push(round::run(bench, &peers[index], scenario, Pace::Constant(rate))?);
        }
    }
    println!("{}", report::arms_table(&format!("{} at {rate} req/s, nothing confined", scenario.title()), &all));
    let mut results = report::arms_json(&all);
    results["rate_asked"] = rate.into();
    Ok(Outcome { results, failed: all.iter().map(Series::failed).sum() })
}

fn start(bench: &Bench, scenario: Scenario, name: &'static str, shards: usize) -> Result<Peer, String> {
    let file = bench.folder.write(&format!("{shards}.json"), &of_scenarios(&[scenario], bench.origin))?;
    let address = net::free_address().map_err(|error| error.to_string())?;
    let way = RinggateWay { kind: PeerKind::Ringgate, shards, more: &[] };
    let command = ringgate(bench.ringgate()?, address, &file, &way, bench)?;
    Peer::start(name, command, address, bench, scenario, START_PATIENCE)
}
