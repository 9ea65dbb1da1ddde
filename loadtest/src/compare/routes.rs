//! Many routes against few, on Ringgate: the cost of a request must not depend on how many there are.

use std::time::Duration;

use super::document::{of_many_routes, route_path};
use super::peer::{Peer, PeerKind, RinggateWay, ringgate};
use super::report::{self, Series};
use super::scenario::Scenario;
use super::{Bench, CompareArgs, Outcome, round};
use crate::net;
use crate::run::Pace;

const ROUTES_FEW: usize = 10;
/// How many of the many are requested in the arm in between.
const ROUTES_HOT: usize = 1_000;
/// From one hot route to the next, in a circle of all: about the golden section, and prime to powers of ten.
const SCATTER: usize = 61_803;
/// Compiling a hundred thousand routes takes its time.
const START_PATIENCE: Duration = Duration::from_secs(180);

/// Who answers, and which paths are asked for.
struct Arm {
    name: &'static str,
    peer: usize,
    paths: Vec<String>,
}

/// Runs three arms in turn: few routes, many of which some are hot, many evenly.
pub fn compare(bench: &Bench, args: &CompareArgs) -> Result<Outcome, String> {
    let scenario = args.scenario.first().copied().unwrap_or(Scenario::Get1k);
    if scenario == Scenario::Post4k {
        return Err("--routes takes a scenario with GET".to_owned());
    }
    let many = args.routes_many.max(ROUTES_HOT);
    let peers = [start(bench, scenario, "few", ROUTES_FEW)?, start(bench, scenario, "many", many)?];
    println!("{many} routes: first answer after {:.2} s", peers[1].started_in.as_secs_f64());
    // Scattered: equal steps would be equal steps in memory too, and meet in the same places of the cache.
    let hot = (0..ROUTES_HOT).map(|index| route_path(index * SCATTER % many));
    let arms = [
        Arm { name: "10 routes", peer: 0, paths: (0..ROUTES_FEW).map(route_path).collect() },
        Arm { name: "many, 1,000 of them hot", peer: 1, paths: hot.collect() },
        Arm { name: "many, all evenly", peer: 1, paths: (0..many).map(route_path).collect() },
    ];
    let mut all: Vec<Series> = arms.iter().map(|arm| Series::new(arm.name)).collect();
    for number in 0..bench.rounds {
        for step in 0..arms.len() {
            let index = (number + step) % arms.len();
            let peer = &peers[arms[index].peer];
            let requests = scenario.requests(peer.address, &arms[index].paths)?;
            all[index].rounds.push(round::run_requests(bench, peer, scenario, requests, Pace::Closed)?);
        }
    }
    println!("{}", report::arms_table(&format!("{}: {many} routes against {ROUTES_FEW}", scenario.title()), &all));
    Ok(Outcome { results: report::arms_json(&all), failed: all.iter().map(Series::failed).sum() })
}

fn start(bench: &Bench, scenario: Scenario, name: &'static str, count: usize) -> Result<Peer, String> {
    let file = bench.folder.write(&format!("{name}.json"), &of_many_routes(count, scenario, bench.origin))?;
    let address = net::free_address().map_err(|error| error.to_string())?;
    let way = RinggateWay { kind: PeerKind::Ringgate, shards: 1, more: &["--limits", "relaxed"] };
    let command = ringgate(bench.ringgate()?, address, &file, &way, bench)?;
    let request = scenario.requests(address, &[route_path(0)])?;
    Peer::start_asking(name, command, address, bench, (scenario, request), START_PATIENCE)
}
