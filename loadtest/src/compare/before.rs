//! Ringgate against another build of itself: what a change costs.

use std::path::Path;

use serde_json::{Map, Value};

use super::document::of_scenarios;
use super::peer::{Peer, PeerKind, RinggateWay, START_PATIENCE, ringgate};
use super::report::{self, Series};
use super::scenario::Scenario;
use super::{Bench, Outcome, round};
use crate::net;
use crate::run::Pace;

/// Runs both builds in turn, for each scenario.
pub fn compare(bench: &Bench, before: &Path, scenarios: &[Scenario]) -> Result<Outcome, String> {
    let (mut results, mut failed) = (Map::new(), 0);
    for &scenario in scenarios {
        let builds = [("before", before), ("now", bench.ringgate()?)];
        let mut all: Vec<Series> = builds.iter().map(|(name, _)| Series::new(name)).collect();
        let [one, other] = builds.map(|(name, program)| start(bench, scenario, name, program));
        let peers = [one?, other?];
        for number in 0..bench.rounds {
            for step in 0..peers.len() {
                let index = (number + step) % peers.len();
                all[index].rounds.push(round::run(bench, &peers[index], scenario, Pace::Closed)?);
            }
        }
        println!("{}", report::arms_table(scenario.title(), &all));
        failed += all.iter().map(Series::failed).sum::<u64>();
        results.insert(scenario.name().to_owned(), report::arms_json(&all));
    }
    Ok(Outcome { results: Value::Object(results), failed })
}

fn start(bench: &Bench, scenario: Scenario, name: &'static str, program: &Path) -> Result<Peer, String> {
    let file = bench.folder.write(&format!("{name}.json"), &of_scenarios(&[scenario], bench.origin))?;
    let address = net::free_address().map_err(|error| error.to_string())?;
    let way = RinggateWay { kind: PeerKind::Ringgate, shards: 1, more: &[] };
    let command = ringgate(program, address, &file, &way, bench)?;
    Peer::start(name, command, address, bench, scenario, START_PATIENCE)
}
