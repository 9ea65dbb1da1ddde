//! The same load against several gateways in turn, on one machine, and what each request costs them.
//!
//! | module | what it owns |
//! |---|---|
//! | [`scenario`] | what is requested |
//! | [`peer`], [`template`], [`document`] | what answers, and how it is configured and started |
//! | [`round`] | one measured stretch of time: load on one side, processor time on the other |
//! | [`gateways`] | the comparison proper, with the mark ([`mark`]) and the tail at a fixed rate |
//! | [`routes`], [`scaling`], [`mapping`], [`before`] | Ringgate against itself: many routes, two shards, with validation and mapping, another build |
//! | [`start`] | start to first answer and idle memory |
//! | [`report`], [`history`] | tables, JSON, and the line that is kept for each commit |
//!
//! The gateway has one processor and one worker; generator and origin share the other. Rounds of the peers
//! alternate, in rotating order, so that what drifts on the machine drifts for all of them.

mod before;
mod document;
mod gateways;
mod history;
mod mapping;
mod mark;
mod peer;
mod report;
mod round;
mod routes;
mod scaling;
mod scenario;
mod start;
mod template;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::affinity::Cpus;
use crate::idle::raise_descriptor_limit_to_maximum;
use crate::net;
use crate::stub::{Stub, StubArgs};
use peer::PeerKind;
use scenario::Scenario;

/// `ringload compare`
#[derive(clap::Args)]
pub struct CompareArgs {
    /// The Ringgate binary. Without it only the others are compared.
    #[arg(long)]
    ringgate: Option<PathBuf>,
    /// The Envoy binary, if it is not on PATH.
    #[arg(long)]
    envoy: Option<PathBuf>,
    /// What to request.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "get1k,get64k,post4k,mock")]
    scenario: Vec<Scenario>,
    /// Who answers; without it, whoever is installed.
    #[arg(long, value_enum, value_delimiter = ',')]
    peers: Vec<PeerKind>,
    /// Rounds of each peer.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of a round.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Seconds before a round that are not measured.
    #[arg(long, default_value_t = 0.5)]
    warmup: f64,
    /// How often a round that other work disturbed is run again.
    #[arg(long, default_value_t = 2)]
    repeats: usize,
    /// Seconds to wait before a round until nothing else has the processors.
    #[arg(long, default_value_t = 10.0)]
    patience: f64,
    /// Keep-alive connections of the generator.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// The gateway's processor.
    #[arg(long, default_value_t = 0)]
    gateway_cpu: usize,
    /// The processor of generator and origin.
    #[arg(long, default_value_t = 1)]
    load_cpu: usize,
    /// Also compare the 99th percentile at 70 % of nginx's maximum.
    #[arg(long, conflicts_with = "instead")]
    p99: bool,
    /// Instead: 100,000 routes against 10, on Ringgate.
    #[arg(long, requires = "ringgate", group = "instead")]
    routes: bool,
    /// How many routes are many.
    #[arg(long, default_value_t = 100_000)]
    routes_many: usize,
    /// Instead: two shards against one at the same rate, on Ringgate.
    #[arg(long, requires = "ringgate", group = "instead")]
    scaling: bool,
    /// The rate for --scaling; without it, 60 % of what one shard can do.
    #[arg(long)]
    rate: Option<f64>,
    /// Instead: time from start to first answer, and memory of idle connections, of Ringgate.
    #[arg(long, requires = "ringgate", group = "instead")]
    start: bool,
    /// Instead: a request that is validated and mapped against one that is passed on, on Ringgate.
    #[arg(long, requires = "ringgate", group = "instead")]
    mapping: bool,
    /// Instead: Ringgate against this other build of it.
    #[arg(long, value_name = "RINGGATE", requires = "ringgate", group = "instead")]
    before: Option<PathBuf>,
    /// Idle connections that --start opens.
    #[arg(long, default_value_t = 10_000)]
    idle_connections: usize,
    /// Write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Append the results to this file as one line.
    #[arg(long, requires = "commit")]
    history: Option<PathBuf>,
    /// The commit that the line is about.
    #[arg(long)]
    commit: Option<String>,
}

/// Everything a comparison stands on: where files go, who loads, and the origin behind the gateways.
struct Bench {
    folder: Folder,
    origin: SocketAddr,
    ringgate: Option<PathBuf>,
    envoy: Option<PathBuf>,
    /// Where the gateways run; `None` leaves it to the scheduler.
    gateway_cpus: Option<Cpus>,
    /// Where the generator runs; likewise.
    load_cpus: Option<Cpus>,
    connections: usize,
    rounds: usize,
    repeats: usize,
    patience: Duration,
    seconds: Duration,
    warmup: Duration,
}

/// Compares, prints, and writes what was asked for.
pub fn main(args: &CompareArgs) -> Result<ExitCode, String> {
    let bench = Bench::prepare(args)?;
    let (kind, outcome) = if args.routes {
        ("routes", routes::compare(&bench, args)?)
    } else if args.scaling {
        ("scaling", scaling::compare(&bench, args.rate)?)
    } else if args.start {
        ("start", start::compare(&bench, args.idle_connections)?)
    } else if args.mapping {
        ("mapping", mapping::compare(&bench)?)
    } else if let Some(before) = &args.before {
        ("before", before::compare(&bench, before, &args.scenario)?)
    } else {
        ("gateways", gateways::compare(&bench, args)?)
    };
    let record = history::record(kind, &bench, args.commit.as_deref(), &outcome.results);
    if let Some(path) = &args.json {
        write(path, &format!("{record:#}\n"))?;
    }
    if let Some(path) = &args.history {
        history::append(path, &record)?;
    }
    Ok(if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What a comparison came to.
struct Outcome {
    results: Value,
    /// Answers that were wrong or missing, of all peers.
    failed: u64,
}

impl Bench {
    fn prepare(args: &CompareArgs) -> Result<Self, String> {
        raise_descriptor_limit_to_maximum();
        let pins_load = !args.scaling;
        let load_cpus = pins_load.then(|| Cpus::one(args.load_cpu));
        if let Some(cpus) = &load_cpus {
            cpus.confine_current_thread().map_err(|error| format!("processor {}: {error}", args.load_cpu))?;
        }
        let seconds = |value: f64| Duration::try_from_secs_f64(value).map_err(|error| error.to_string());
        let absolute = |path: &PathBuf| path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
        Ok(Self {
            folder: Folder::make()?,
            // Threads inherit the processors of the one that starts them, so the stub is where we are.
            origin: start_stub()?,
            ringgate: args.ringgate.as_ref().map(absolute).transpose()?,
            envoy: args.envoy.as_ref().map(absolute).transpose()?,
            gateway_cpus: pins_load.then(|| Cpus::one(args.gateway_cpu)),
            load_cpus,
            connections: args.connections,
            rounds: args.rounds.max(1),
            repeats: args.repeats,
            patience: seconds(args.patience)?,
            seconds: seconds(args.seconds)?,
            warmup: seconds(args.warmup)?,
        })
    }

    fn ringgate(&self) -> Result<&Path, String> {
        self.ringgate.as_deref().ok_or_else(|| "name the binary with --ringgate".to_owned())
    }
}

/// The origin runs in a thread of ours until we end.
fn start_stub() -> Result<SocketAddr, String> {
    let address = net::free_address().map_err(|error| format!("origin: {error}"))?;
    let (bound, is_bound) = mpsc::channel();
    std::thread::spawn(move || {
        let served = Stub::bind(&StubArgs::plain(address)).and_then(|mut stub| {
            let _ = bound.send(());
            stub.serve()
        });
        if let Err(error) = served {
            eprintln!("ringload: origin: {error}");
        }
    });
    is_bound.recv().map_err(|_| format!("origin: cannot listen on {address}"))?;
    Ok(address)
}

/// A folder for configurations and logs, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("ringload-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.file(name);
        write(&path, text)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
