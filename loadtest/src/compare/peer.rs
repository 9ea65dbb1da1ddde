//! The gateways that are compared: how each is configured and started.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::scenario::{MOCK_BODY, Scenario};
use super::{Bench, document, template};
use crate::idle::ask;
use crate::net;
use crate::process::{Running, find_program, version_of};

/// How long a gateway may take to answer for the first time.
pub const START_PATIENCE: Duration = Duration::from_secs(20);

/// A gateway, and the way it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PeerKind {
    /// The least a forwarder can do.
    Floor,
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Envoy.
    Envoy,
    /// Ringgate on the ring, access log off.
    Ringgate,
    /// Ringgate on epoll, access log off.
    RinggateEpoll,
    /// Ringgate on the ring, access log on.
    RinggateLog,
}

impl PeerKind {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 7] =
        [Self::Floor, Self::Nginx, Self::Haproxy, Self::Envoy, Self::Ringgate, Self::RinggateEpoll, Self::RinggateLog];

    /// Its name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Ringgate => "ringgate",
            Self::RinggateEpoll => "ringgate-epoll",
            Self::RinggateLog => "ringgate-log",
        }
    }

    /// The program it runs, if there is one on this machine.
    pub fn program(self, bench: &Bench) -> Option<PathBuf> {
        match self {
            Self::Floor => std::env::current_exe().ok(),
            Self::Nginx => find_program("nginx"),
            Self::Haproxy => find_program("haproxy"),
            Self::Envoy => bench.envoy.clone().or_else(|| find_program("envoy")),
            Self::Ringgate | Self::RinggateEpoll | Self::RinggateLog => bench.ringgate.clone(),
        }
    }

    /// What the program says about its version.
    pub fn version(self, bench: &Bench) -> Option<String> {
        let argument = match self {
            Self::Nginx | Self::Haproxy => "-v",
            _ => "--version",
        };
        let program = self.program(bench)?;
        let version = version_of(&program, argument)?;
        Some(version.trim_start_matches(program.to_str().unwrap_or_default()).trim().to_owned())
    }

    /// Starts it for one scenario and waits for its first good answer.
    pub fn start(self, bench: &Bench, scenario: Scenario) -> Result<Peer, String> {
        let program = self.program(bench).ok_or_else(|| format!("{} is not installed", self.name()))?;
        let address = net::free_address().map_err(|error| error.to_string())?;
        let command = match self {
            Self::Floor => floor(&program, address, bench, scenario),
            Self::Nginx => nginx(&program, address, bench)?,
            Self::Haproxy => haproxy(&program, address, bench)?,
            Self::Envoy => envoy(&program, address, bench)?,
            Self::Ringgate | Self::RinggateEpoll | Self::RinggateLog => {
                let text = document::of_scenarios(&[scenario], bench.origin);
                let file = bench.folder.write(&format!("{}.json", self.name()), &text)?;
                ringgate(&program, address, &file, &RinggateWay { kind: self, shards: 1, more: &[] }, bench)?
            }
        };
        Peer::start(self.name(), command, address, bench, scenario, START_PATIENCE)
    }
}

fn floor(program: &Path, address: SocketAddr, bench: &Bench, scenario: Scenario) -> Command {
    let mut command = Command::new(program);
    command.args(["floor", "--listen", &address.to_string()]);
    match scenario {
        Scenario::Mock => command.args(["--respond", &MOCK_BODY.len().to_string()]),
        _ => command.args(["--upstream", &bench.origin.to_string()]),
    };
    command
}

fn nginx(program: &Path, address: SocketAddr, bench: &Bench) -> Result<Command, String> {
    let file = configuration("nginx.conf", include_str!("../../../perf/nginx.conf.in"), address, bench)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(&bench.folder.0).arg("-c").arg(file);
    Ok(command)
}

fn haproxy(program: &Path, address: SocketAddr, bench: &Bench) -> Result<Command, String> {
    let file = configuration("haproxy.cfg", include_str!("../../../perf/haproxy.cfg.in"), address, bench)?;
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

fn envoy(program: &Path, address: SocketAddr, bench: &Bench) -> Result<Command, String> {
    let file = configuration("envoy.yaml", include_str!("../../../perf/envoy.yaml.in"), address, bench)?;
    let mut command = Command::new(program);
    command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "-c"]).arg(file);
    Ok(command)
}

fn configuration(name: &str, text: &str, address: SocketAddr, bench: &Bench) -> Result<PathBuf, String> {
    let values = [
        ("folder", bench.folder.0.display().to_string()),
        ("listen", address.to_string()),
        ("listen_host", address.ip().to_string()),
        ("listen_port", address.port().to_string()),
        ("origin", bench.origin.to_string()),
        ("origin_host", bench.origin.ip().to_string()),
        ("origin_port", bench.origin.port().to_string()),
    ];
    let filled = template::fill(text, &values).map_err(|problem| format!("{name}: {problem}"))?;
    bench.folder.write(name, &filled)
}

/// How Ringgate is run.
pub struct RinggateWay<'a> {
    /// Which of its ways.
    pub kind: PeerKind,
    /// Event loops.
    pub shards: usize,
    /// Further flags.
    pub more: &'a [&'a str],
}

/// The command that serves `file` at `address`.
pub fn ringgate(
    program: &Path,
    address: SocketAddr,
    file: &Path,
    way: &RinggateWay<'_>,
    bench: &Bench,
) -> Result<Command, String> {
    let admin = net::free_address().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.arg("dev").arg(file).args(["--listen", &address.to_string(), "--admin", &admin.to_string()]);
    command.args(["--shards", &way.shards.to_string(), "--log"]);
    match way.kind {
        PeerKind::RinggateLog => command.arg(bench.folder.file("access.log")),
        _ => command.arg("off"),
    };
    if way.kind == PeerKind::RinggateEpoll {
        command.env("MONOIO_FORCE_LEGACY_DRIVER", "1");
    }
    command.args(way.more);
    Ok(command)
}

/// A gateway that is running and has answered.
pub struct Peer {
    /// Its name in reports.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process.
    pub process: Running,
    /// From the start of the process to the first good answer.
    pub started_in: Duration,
}

impl Peer {
    /// Starts a command that will listen at `address`.
    pub fn start(
        name: &'static str,
        command: Command,
        address: SocketAddr,
        bench: &Bench,
        scenario: Scenario,
        patience: Duration,
    ) -> Result<Self, String> {
        let request = scenario.requests(address, &[scenario.path().to_owned()])?;
        Self::start_asking(name, command, address, bench, (scenario, request), patience)
    }

    /// The same, asking with a given request whether it is there.
    pub fn start_asking(
        name: &'static str,
        command: Command,
        address: SocketAddr,
        bench: &Bench,
        (scenario, request): (Scenario, crate::run::requests::Requests),
        patience: Duration,
    ) -> Result<Self, String> {
        let log = bench.folder.file(&format!("{name}.log"));
        let begin = Instant::now();
        let process = Running::start(command, bench.gateway_cpus.as_ref(), &log)?;
        let mut peer = Self { name, address, process, started_in: Duration::ZERO };
        let mut bytes = Vec::new();
        request.write(0, &mut bytes);
        match peer.wait_for_answer(&bytes, scenario, begin + patience) {
            Ok(()) => {
                peer.started_in = begin.elapsed();
                Ok(peer)
            }
            Err(problem) => Err(format!("{name}: {problem}\n{}", tail(&log))),
        }
    }

    fn wait_for_answer(&mut self, request: &[u8], scenario: Scenario, until: Instant) -> Result<(), String> {
        loop {
            if let Ok(mut stream) = TcpStream::connect(self.address) {
                return check(&mut stream, request, scenario);
            }
            if self.process.has_ended() {
                return Err("ended at once".to_owned());
            }
            if Instant::now() > until {
                return Err("does not listen".to_owned());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }
}

fn check(stream: &mut TcpStream, request: &[u8], scenario: Scenario) -> Result<(), String> {
    let answer = ask(stream, request)?;
    let expected = scenario.expectation();
    let is_right = Some(answer.status) == expected.status && Some(answer.body_bytes) == expected.body_bytes;
    if is_right { Ok(()) } else { Err(format!("answered {answer:?} where {expected:?} was expected")) }
}

/// The end of what a program has said.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
