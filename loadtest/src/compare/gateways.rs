//! The comparison proper: every scenario against every gateway.

use serde_json::{Map, Value, json};

use super::mark::{marks, median, ratios};
use super::peer::{Peer, PeerKind};
use super::report::{self, Series};
use super::round::{self, Round};
use super::scenario::Scenario;
use super::{Bench, CompareArgs, Outcome};
use crate::run::Pace;

/// The load at which tails are compared, as a share of nginx's maximum.
const TAIL_LOAD: f64 = 0.7;

/// Runs all scenarios that were asked for.
pub fn compare(bench: &Bench, args: &CompareArgs) -> Result<Outcome, String> {
    let kinds = choose_peers(bench, &args.peers)?;
    for &kind in &kinds {
        println!("{:>15}  {}", kind.name(), kind.version(bench).unwrap_or_default());
    }
    let (mut results, mut failed) = (Map::new(), 0);
    for &scenario in &args.scenario {
        let peers = start_all(bench, scenario, &kinds)?;
        let all = measure_all(bench, scenario, &peers, Pace::Closed)?;
        let mut result = summarize(&all);
        failed += all.iter().map(Series::failed).sum::<u64>();
        println!("\n{}", report::table(scenario, bench, &all));
        if args.p99 {
            failed += compare_tails(bench, scenario, &peers, &all, &mut result)?;
        }
        results.insert(scenario.name().to_owned(), result);
    }
    let versions: Map<String, Value> =
        kinds.iter().map(|kind| (kind.name().to_owned(), kind.version(bench).into())).collect();
    Ok(Outcome { results: json!({ "versions": versions, "scenarios": results }), failed })
}

/// Those asked for, all of which must be there; or, of all, those that are.
fn choose_peers(bench: &Bench, asked: &[PeerKind]) -> Result<Vec<PeerKind>, String> {
    if let Some(missing) = asked.iter().find(|kind| kind.program(bench).is_none()) {
        return Err(format!("{} is not installed, or its place was not given", missing.name()));
    }
    let is_chosen =
        |kind: &PeerKind| if asked.is_empty() { kind.program(bench).is_some() } else { asked.contains(kind) };
    let mut kinds = PeerKind::ALL.to_vec();
    kinds.retain(is_chosen);
    Ok(kinds)
}

fn start_all(bench: &Bench, scenario: Scenario, kinds: &[PeerKind]) -> Result<Vec<Peer>, String> {
    kinds.iter().map(|kind| kind.start(bench, scenario)).collect()
}

/// Rounds of all peers, alternating: round 1 of each, round 2 of each in an order that has moved on by one.
fn measure_all(bench: &Bench, scenario: Scenario, peers: &[Peer], pace: Pace) -> Result<Vec<Series>, String> {
    let mut all: Vec<Series> = peers.iter().map(|peer| Series::new(peer.name)).collect();
    for number in 0..bench.rounds {
        for step in 0..peers.len() {
            let index = (number + step) % peers.len();
            let round = round::run(bench, &peers[index], scenario, pace)?;
            report::progress(scenario, peers[index].name, number, &round);
            all[index].rounds.push(round);
        }
    }
    report::end_progress();
    Ok(all)
}

/// Ratios to nginx and marks, with every round they come from.
fn summarize(all: &[Series]) -> Value {
    let costs =
        |name: &str| all.iter().find(|series| series.name == name).map(|series| series.values(|round| round.cpu_us));
    let (floor, nginx) = (costs("floor"), costs("nginx"));
    let (mut peers, mut marks_of) = (Map::new(), Map::new());
    for series in all {
        let cost = series.values(|round| round.cpu_us);
        let mut peer = series.json();
        if let Some(nginx) = &nginx {
            peer["cpu_to_nginx"] = json!(report::rounded(median(&ratios(&cost, nginx))));
        }
        peers.insert(series.name.to_owned(), peer);
        if let (true, Some(floor), Some(nginx)) = (series.name.starts_with("ringgate"), &floor, &nginx) {
            let rounds: Vec<f64> = marks(&cost, floor, nginx).into_iter().map(report::rounded).collect();
            marks_of.insert(series.name.to_owned(), json!({ "median": median(&rounds), "rounds": rounds }));
        }
    }
    json!({ "peers": peers, "mark": marks_of })
}

/// The 99th percentile of each at a rate that nginx can just bear with ease.
fn compare_tails(
    bench: &Bench,
    scenario: Scenario,
    peers: &[Peer],
    maxima: &[Series],
    result: &mut Value,
) -> Result<u64, String> {
    let Some(nginx) = maxima.iter().find(|series| series.name == "nginx") else {
        println!("no tail: it is measured at a share of nginx's maximum, and nginx is not here");
        return Ok(0);
    };
    let rate = TAIL_LOAD * nginx.median(|round| round.rate);
    let all = measure_all(bench, scenario, peers, Pace::Constant(rate))?;
    println!("\n{}", report::tail_table(scenario, rate, &all));
    let tail = |round: &Round| round.p99_us;
    let nginx = all.iter().find(|series| series.name == "nginx").map(|series| series.values(tail)).unwrap_or_default();
    let peers = all.iter().map(|series| {
        let ratio = report::rounded(median(&ratios(&series.values(tail), &nginx)));
        let mut peer = series.json();
        peer["p99_to_nginx"] = json!(ratio);
        (series.name.to_owned(), peer)
    });
    result["tail"] = json!({ "rate": rate, "peers": peers.collect::<Map<_, _>>() });
    Ok(all.iter().map(Series::failed).sum())
}
