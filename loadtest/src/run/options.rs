//! What was asked for on the command line, and what it means.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::requests::Requests;
use crate::affinity::Cpus;
use crate::http::response::Bodies;
use crate::net;

/// Points of the timeline that a report aims for.
const TIMELINE_POINTS: u32 = 100;

/// Widths a bucket of the timeline may have.
const BUCKET_WIDTHS_MS: [u64; 9] = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];

/// `ringload run`
#[derive(clap::Args)]
pub struct RunArgs {
    /// What to load: `http://HOST:PORT/PATH`.
    #[arg(long)]
    url: String,
    /// Requests a second, at a constant rate whatever the answers do. Without it every connection sends its
    /// next request when it has its answer.
    #[arg(long)]
    rate: Option<f64>,
    /// Keep-alive connections, shared among the threads.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Threads, each with an epoll loop.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seconds measured.
    #[arg(long, default_value_t = 10.0)]
    duration: f64,
    /// Seconds before them that are not.
    #[arg(long, default_value_t = 1.0)]
    warmup: f64,
    /// Seconds after which a request without answer counts as failed.
    #[arg(long, default_value_t = 10.0)]
    timeout: f64,
    /// Seconds that requests still due at the end may take.
    #[arg(long, default_value_t = 2.0)]
    grace: f64,
    /// Request method.
    #[arg(long, default_value = "GET")]
    method: String,
    /// Send a body of this many bytes.
    #[arg(long, conflicts_with = "body")]
    body_bytes: Option<usize>,
    /// Send this file as the body.
    #[arg(long)]
    body: Option<PathBuf>,
    /// A header line, `Name: value`; repeatable. `Host` replaces that of the URL.
    #[arg(long)]
    header: Vec<String>,
    /// Request the paths of this file, one a line, instead of that of the URL, uniformly at random.
    #[arg(long)]
    paths: Option<PathBuf>,
    /// Use only the first N paths.
    #[arg(long, requires = "paths")]
    hot: Option<usize>,
    /// Where randomness begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Processors to run on: `1` or `0-1`.
    #[arg(long)]
    cpus: Option<Cpus>,
    /// Write the report as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Write the report as one HTML page.
    #[arg(long)]
    pub html: Option<PathBuf>,
    /// Count answers with another status as errors.
    #[arg(long)]
    expect_status: Option<u16>,
    /// Count answers with a body of another size as errors.
    #[arg(long)]
    expect_bytes: Option<u64>,
    /// Show progress even when stderr is no terminal.
    #[arg(long)]
    progress: bool,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// When the previous answer is there.
    Closed,
    /// At this many a second, by a timetable.
    Constant(f64),
}

/// What an answer must be, not to count as an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expectation {
    /// Its status; without one, any below 400.
    pub status: Option<u16>,
    /// The size of its body.
    pub body_bytes: Option<u64>,
}

/// A load that can be run.
#[derive(Clone)]
pub struct Load {
    /// The server.
    pub target: SocketAddr,
    /// The URL, for reports.
    pub url: String,
    /// What is sent.
    pub requests: Requests,
    /// Whether answers have bodies.
    pub bodies: Bodies,
    /// When it is sent.
    pub pace: Pace,
    /// Connections of all threads together.
    pub connections: usize,
    /// Threads.
    pub threads: usize,
    /// Time before measuring.
    pub warmup: Duration,
    /// Time measured.
    pub duration: Duration,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Time given to requests that are due and unanswered at the end.
    pub grace: Duration,
    /// Processors, if confined.
    pub cpus: Option<Cpus>,
    /// What answers must be.
    pub expectation: Expectation,
    /// Where randomness begins.
    pub seed: u64,
}

impl Load {
    /// A closed loop of GETs without warm-up, to be changed field by field.
    pub fn closed(target: SocketAddr, requests: Requests, connections: usize, duration: Duration) -> Self {
        Self {
            target,
            url: format!("http://{target}"),
            requests,
            bodies: Bodies::AsFramed,
            pace: Pace::Closed,
            connections,
            threads: 1,
            warmup: Duration::ZERO,
            duration,
            timeout: Duration::from_secs(10),
            grace: Duration::from_secs(2),
            cpus: None,
            expectation: Expectation::default(),
            seed: 1,
        }
    }

    /// How wide a point of the timeline is.
    pub fn bucket_width(&self) -> Duration {
        let wanted = (self.duration / TIMELINE_POINTS).as_millis();
        let width = BUCKET_WIDTHS_MS.iter().find(|&&width| u128::from(width) >= wanted);
        Duration::from_millis(*width.unwrap_or(&BUCKET_WIDTHS_MS[BUCKET_WIDTHS_MS.len() - 1]))
    }
}

impl RunArgs {
    /// Whether to show a progress line.
    pub fn wants_progress(&self) -> bool {
        self.progress || std::io::stderr().is_terminal()
    }

    /// What the arguments mean, or what is wrong with them.
    pub fn resolve(&self) -> Result<Load, String> {
        let (authority, path) = split_url(&self.url)?;
        if self.threads == 0 || self.connections < self.threads {
            return Err("every thread needs a connection".to_owned());
        }
        let bodies = if self.method == "HEAD" { Bodies::Absent } else { Bodies::AsFramed };
        Ok(Load {
            target: net::resolve(authority)?,
            url: self.url.clone(),
            requests: Requests::build(&self.method, authority, &self.header, &self.body()?, &self.paths(path)?)?,
            bodies,
            pace: self.pace()?,
            connections: self.connections,
            threads: self.threads,
            warmup: seconds("--warmup", self.warmup)?,
            duration: seconds("--duration", self.duration)?,
            timeout: seconds("--timeout", self.timeout)?,
            grace: seconds("--grace", self.grace)?,
            cpus: self.cpus.clone(),
            expectation: Expectation { status: self.expect_status, body_bytes: self.expect_bytes },
            seed: self.seed,
        })
    }

    fn pace(&self) -> Result<Pace, String> {
        match self.rate {
            None => Ok(Pace::Closed),
            Some(rate) if rate > 0.0 && rate <= 1e8 => Ok(Pace::Constant(rate)),
            Some(rate) => Err(format!("--rate {rate} is not a rate")),
        }
    }

    fn body(&self) -> Result<Vec<u8>, String> {
        match (&self.body, self.body_bytes) {
            (Some(path), _) => std::fs::read(path).map_err(|error| format!("{}: {error}", path.display())),
            (None, count) => Ok(vec![b'b'; count.unwrap_or(0)]),
        }
    }

    fn paths(&self, path: &str) -> Result<Vec<String>, String> {
        let Some(file) = &self.paths else { return Ok(vec![path.to_owned()]) };
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
        Ok(lines.take(self.hot.unwrap_or(usize::MAX)).collect())
    }
}

/// Authority and path of an `http:` URL.
pub fn split_url(url: &str) -> Result<(&str, &str), String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url}: only http:// is spoken"))?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    if authority.contains(':') { Ok((authority, path)) } else { Err(format!("{url}: name the port")) }
}

fn seconds(name: &str, value: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(value).map_err(|error| format!("{name} {value}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_split_into_authority_and_path() {
        assert_eq!(split_url("http://a:1/b/c?d"), Ok(("a:1", "/b/c?d")));
        assert_eq!(split_url("http://a:1"), Ok(("a:1", "/")));
        assert!(split_url("https://a:1/").is_err());
        assert!(split_url("http://a/").is_err());
    }
}
