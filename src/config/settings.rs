//! What is meant: every option resolved, checked against the others, and with its default filled in.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ringgate_core::base::limits::IDLE_TIMEOUT_S;
use ringgate_core::record::decision::MEMORY_BYTES_MIN;

use super::values::{
    ByteSize, Cidr, HttpUrl, Invalid, ListenAddress, OriginRewrite, StageVariable, compete, duration, is_host_name,
    socket_address,
};
use super::{CheckConfig, Config, DevConfig, DoctorConfig, Problem, Source, Written, subject};
pub use crate::telemetry::access_log::LogTarget;

const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
pub(super) const ADMIN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
const ACCOUNT_DEFAULT: &str = "000000000000";
const REGION_DEFAULT: &str = "us-east-1";
pub(super) const STAGE_DEFAULT: &str = "dev";
const SHARDS_MAX: u16 = 1024;
const STAGE_NAME_CHARS_MAX: usize = 128;
/// Stage variables of one stage (AWS: 100).
const STAGE_VARIABLES_MAX: usize = 100;
/// Longest access-log format (AWS: 3 KB).
const LOG_FORMAT_BYTES_MAX: usize = 3 * 1024;
const CONNECTIONS_MAX_DEFAULT: NonZeroU32 = NonZeroU32::new(100_000).expect("not zero");
const ORIGIN_CONNECTIONS_MAX_DEFAULT: NonZeroU32 = NonZeroU32::new(1_024).expect("not zero");
const MEMORY_MAX_DEFAULT: ByteSize = ByteSize(1 << 30);
/// Below this a shard could not hold one body of the largest size, and every upload would be shed.
const MEMORY_MAX_MIN: ByteSize = ByteSize(64 << 20);
const EXPLAIN_MEMORY_DEFAULT: ByteSize = ByteSize(4 << 20);
const EXPLAIN_MEMORY_MIN: ByteSize = ByteSize(MEMORY_BYTES_MIN as u64);
/// More could not be searched without other requests noticing.
const EXPLAIN_MEMORY_MAX: ByteSize = ByteSize(256 << 20);
const HEAD_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
const BODY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
const IDLE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(IDLE_TIMEOUT_S);
const DRAIN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Whether what protects a method is enforced where it is not supported yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// A method whose protection is not supported answers 500.
    Enforced,
    /// It is served without; announced at start and in a response header.
    Ignored,
}

/// Which table of sizes, counts and timeouts applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitSet {
    /// AWS's.
    Aws,
    /// Raised.
    Relaxed,
}

/// What to take a document for when it does not say so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// API Gateway v1.
    Rest,
    /// API Gateway v2, HTTP.
    Http,
}

/// How shards wait for the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverChoice {
    /// The ring where the kernel allows it, else epoll.
    Auto,
    /// The ring; without it the process does not start.
    IoUring,
    /// epoll.
    Epoll,
}

/// Who is believed about a client's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// Nobody: the address is the socket's.
    Socket,
    /// These peers, through `X-Forwarded-For`.
    ForwardedFor(Vec<Cidr>),
    /// These peers, through a PROXY protocol header; other peers must not send one.
    ProxyProtocol(Vec<Cidr>),
}

/// How long a client may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From the first byte of a head to its last.
    pub head: Duration,
    /// Longest pause between two pieces of a body.
    pub body: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// For what is under way when draining begins.
    pub drain: Duration,
}

/// Where the process sheds with 503 instead of queueing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Client connections, all shards together.
    pub connections: NonZeroU32,
    /// Buffers and held bodies, all shards together.
    pub memory: ByteSize,
    /// Connections to one origin from one shard.
    pub origin_connections: NonZeroU32,
}

/// What is remembered of requests for `ringgate explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainSettings {
    /// Memory of each shard; 0: nothing is remembered.
    pub memory: ByteSize,
    /// Whether the beginning of bodies is.
    pub records_bodies: bool,
    /// Names to mask, in lower case, besides the built-in ones.
    pub redact: Vec<String>,
}

/// Where the management side listens, and under which names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSettings {
    /// Its socket.
    pub address: SocketAddr,
    /// Names allowed in `Host` and `Origin` besides the listener's own, in lower case.
    pub names: Vec<String>,
    /// Where `/healthz` and `/metrics` moved to, if they did.
    pub metrics: Option<SocketAddr>,
    /// Who may call; anyone who reaches it when `None`, which takes a loopback address.
    pub credentials: Option<PathBuf>,
}

/// Who the gateway says it is, and the stage it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageSettings {
    /// Twelve digits.
    pub account: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// The stage's name.
    pub stage: String,
    /// The stage's variables.
    pub variables: BTreeMap<String, String>,
}

/// What `dev` or `serve` will do. Holding one is proof that it can start, as far as that is known without touching the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where requests are accepted; at least one.
    pub listen: Vec<ListenAddress>,
    /// The management side.
    pub admin: AdminSettings,
    /// Event loops.
    pub shards: NonZeroU16,
    /// Where access-log lines go.
    pub log: LogTarget,
    /// Format of a line; the built-in one when `None`.
    pub log_format: Option<String>,
    /// Account, region, stage and its variables.
    pub stage: StageSettings,
    /// Origins to replace, each at most once.
    pub upstreams: Vec<OriginRewrite>,
    /// Where operations without integration go.
    pub backend: Option<HttpUrl>,
    /// What happens to protection that is not supported yet.
    pub authorization: Authorization,
    /// Which limits apply.
    pub limits: LimitSet,
    /// What documents are taken for; `None`: they decide, and those that do not are REST.
    pub kind: Option<ApiKind>,
    /// Who is believed about the client's address.
    pub client_address: ClientAddress,
    /// A client's `X-HTTP-Method-Override` replaces nothing.
    pub ignores_method_override: bool,
    /// Origin addresses that are allowed although they are refused by default.
    pub allowed_origin_addresses: Vec<Cidr>,
    /// What is remembered of requests.
    pub explain: ExplainSettings,
    /// Where the process sheds.
    pub caps: Caps,
    /// How long clients may take.
    pub deadlines: Deadlines,
    /// How shards wait.
    pub driver: DriverChoice,
}

impl Settings {
    /// Reports every problem at once: fixing a file one error per restart is a chore.
    pub fn resolve(config: &DevConfig, cores: NonZeroU16) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let run = &config.run;
        let settings = Self {
            listen: listen(run, &mut found),
            admin: admin(run, &mut found),
            shards: found.one("shards", &run.shards, shards).unwrap_or(cores),
            log: found.one("log", &run.log, LogTarget::from_str).unwrap_or(LogTarget::Stdout),
            log_format: found.one("log-format", &run.log_format, log_format),
            stage: stage(config, &mut found),
            upstreams: upstreams(run, &mut found),
            backend: found.one("backend", &config.backend, HttpUrl::from_str),
            authorization: match found.switch("ignore-authorization", &config.ignore_authorization) {
                true => Authorization::Ignored,
                false => Authorization::Enforced,
            },
            limits: limits(&run.limits, &mut found),
            kind: kind(&config.kind, &mut found),
            client_address: client_address(run, &mut found),
            ignores_method_override: found.switch("ignore-method-override", &run.ignore_method_override),
            allowed_origin_addresses: found.many("allow-origin-address", &run.allow_origin_address, Cidr::from_str),
            explain: explain(run, &mut found),
            caps: caps(run, &mut found),
            deadlines: deadlines(run, &mut found),
            driver: driver(run, &mut found),
        };
        refuse_shared_sockets(&settings, run, &mut found);
        found.into_result(settings)
    }
}

/// What `check` will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckSettings {
    /// How findings are printed.
    pub format: OutputFormat,
    /// What documents are taken for; `None`: they decide, and those that do not are REST.
    pub kind: Option<ApiKind>,
    /// Which limits apply.
    pub limits: LimitSet,
    /// What makes the exit code 1.
    pub fails_on: FailsOn,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// Which findings make `check` fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailsOn {
    /// Errors.
    Errors,
    /// Warnings too.
    Warnings,
}

impl CheckSettings {
    /// Reports every problem at once.
    pub fn resolve(config: &CheckConfig) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let settings = Self {
            format: format(&config.format, &mut found),
            kind: kind(&config.kind, &mut found),
            limits: limits(&config.limits, &mut found),
            fails_on: if found.switch("strict", &config.strict) { FailsOn::Warnings } else { FailsOn::Errors },
        };
        found.into_result(settings)
    }
}

/// What `doctor` will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoctorSettings {
    /// How findings are printed.
    pub format: OutputFormat,
}

impl DoctorSettings {
    /// Reports every problem at once.
    pub fn resolve(config: &DoctorConfig) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let settings = Self { format: format(&config.format, &mut found) };
        found.into_result(settings)
    }
}

/// Collects what is wrong while everything else is still looked at.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn push(&mut self, subject: String, message: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Problem { subject, message: message.into(), fix: fix.into() });
    }

    fn read<T, E: Display>(&mut self, key: &str, written: &Written, read: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        match read(&written.text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(subject(key, &written.source), error.to_string(), "");
                None
            }
        }
    }

    pub(super) fn one<T, E: Display>(
        &mut self,
        key: &str,
        written: &Option<Written>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        written.as_ref().and_then(|written| self.read(key, written, read))
    }

    fn many<T, E: Display>(
        &mut self,
        key: &str,
        written: &[Written],
        read: impl Fn(&str) -> Result<T, E> + Copy,
    ) -> Vec<T> {
        written.iter().filter_map(|written| self.read(key, written, read)).collect()
    }

    fn choice<T: Copy>(&mut self, key: &str, written: &Option<Written>, choices: &[(&str, T)]) -> Option<T> {
        self.one(key, written, |text| match choices.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Ok(*value),
            None => {
                let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
                Err(Invalid(format!("expected {}, not `{text}`", names.join(" or "))))
            }
        })
    }

    pub(super) fn switch(&mut self, key: &str, written: &Option<Written>) -> bool {
        self.choice(key, written, &[("true", true), ("false", false)]).unwrap_or(false)
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

fn listen(config: &Config, found: &mut Problems) -> Vec<ListenAddress> {
    let mut addresses: Vec<ListenAddress> = Vec::new();
    for written in &config.listen {
        let Some(address) = found.read("listen", written, ListenAddress::from_str) else { continue };
        if addresses.iter().any(|other| is_same_socket(other, &address)) {
            let message = format!("{address} is already listened on by another --listen");
            found.push(subject("listen", &written.source), message, "leave one of them out");
        }
        addresses.push(address);
    }
    if config.listen.is_empty() { vec![ListenAddress::Tcp(LISTEN_DEFAULT)] } else { addresses }
}

fn is_same_socket(a: &ListenAddress, b: &ListenAddress) -> bool {
    match (a, b) {
        (ListenAddress::Tcp(a), ListenAddress::Tcp(b)) => compete(*a, *b),
        (ListenAddress::Unix(a), ListenAddress::Unix(b)) => a == b,
        _ => false,
    }
}

fn admin(config: &Config, found: &mut Problems) -> AdminSettings {
    let address = found.one("admin", &config.admin, socket_address);
    if let (Some(written), Some(address)) = (&config.admin, address)
        && !address.ip().to_canonical().is_loopback()
        && config.admin_credentials.is_none()
    {
        let message = format!("{address} is reachable from other machines and needs --admin-credentials");
        let fix = format!("name a file of credentials, or write 127.0.0.1:{}", address.port());
        found.push(subject("admin", &written.source), message, fix);
    }
    AdminSettings {
        address: address.unwrap_or(ADMIN_DEFAULT),
        names: found.many("admin-name", &config.admin_name, host_name),
        metrics: found.one("metrics", &config.metrics, socket_address),
        credentials: found.one("admin-credentials", &config.admin_credentials, file),
    }
}

/// The three surfaces never share a socket: what may be reached is decided by where it listens.
fn refuse_shared_sockets(settings: &Settings, config: &Config, found: &mut Problems) {
    let admin = settings.admin.address;
    let written = |slot: &Option<Written>| slot.as_ref().map_or(Source::Flag, |written| written.source.clone());
    for address in &settings.listen {
        let ListenAddress::Tcp(address) = *address else { continue };
        if compete(address, admin) {
            let message = format!("{admin} is also where requests are accepted; the two never share a socket");
            found.push(subject("admin", &written(&config.admin)), message, "give them different ports");
        }
        if settings.admin.metrics.is_some_and(|metrics| compete(address, metrics)) {
            let message = format!("{address} is also where requests are accepted; the two never share a socket");
            found.push(subject("metrics", &written(&config.metrics)), message, "give them different ports");
        }
    }
    if settings.admin.metrics.is_some_and(|metrics| compete(admin, metrics)) {
        let message = "is the admin listener's own socket, which serves /metrics anyway";
        found.push(subject("metrics", &written(&config.metrics)), message, "leave --metrics out");
    }
}

fn stage(config: &DevConfig, found: &mut Problems) -> StageSettings {
    let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
    StageSettings {
        account: or(found.one("account", &config.run.account, account), ACCOUNT_DEFAULT),
        region: or(found.one("region", &config.run.region, region), REGION_DEFAULT),
        stage: or(found.one("stage", &config.stage, stage_name), STAGE_DEFAULT),
        variables: variables(config, found),
    }
}

fn variables(config: &DevConfig, found: &mut Problems) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for written in &config.var {
        let Some(variable) = found.read("var", written, StageVariable::from_str) else { continue };
        if variables.contains_key(&variable.name) {
            let message = format!("`{}` is given twice", variable.name);
            found.push(subject("var", &written.source), message, "leave one of them out");
        }
        variables.insert(variable.name, variable.value);
    }
    if variables.len() > STAGE_VARIABLES_MAX {
        let message = format!("a stage has at most {STAGE_VARIABLES_MAX} variables, these are {}", variables.len());
        found.push(subject("var", &config.var[0].source), message, "");
    }
    variables
}

fn upstreams(config: &Config, found: &mut Problems) -> Vec<OriginRewrite> {
    let mut rewrites: Vec<OriginRewrite> = Vec::new();
    for written in &config.upstream {
        let Some(rewrite) = found.read("upstream", written, OriginRewrite::from_str) else { continue };
        if rewrites.iter().any(|other| other.from == rewrite.from) {
            let message = format!("{} is already sent elsewhere", rewrite.from);
            found.push(subject("upstream", &written.source), message, "leave one of them out");
        }
        rewrites.push(rewrite);
    }
    rewrites
}

fn client_address(config: &Config, found: &mut Problems) -> ClientAddress {
    let mut networks = Vec::new();
    for written in &config.trusted_proxies {
        let parts = written.text.split(',').map(str::trim);
        let piece = |text: &str| Written { text: text.to_owned(), source: written.source.clone() };
        networks.extend(parts.filter_map(|text| found.read("trusted-proxies", &piece(text), Cidr::from_str)));
    }
    if !found.switch("proxy-protocol", &config.proxy_protocol) {
        return if networks.is_empty() { ClientAddress::Socket } else { ClientAddress::ForwardedFor(networks) };
    }
    if let (Some(written), true) = (&config.proxy_protocol, config.trusted_proxies.is_empty()) {
        let message = "nobody would be believed without --trusted-proxies";
        let fix = "name the load balancer's network, such as --trusted-proxies 10.0.0.0/8";
        found.push(subject("proxy-protocol", &written.source), message, fix);
    }
    ClientAddress::ProxyProtocol(networks)
}

fn caps(config: &Config, found: &mut Problems) -> Caps {
    Caps {
        connections: found.one("connections-max", &config.connections_max, count).unwrap_or(CONNECTIONS_MAX_DEFAULT),
        memory: found.one("memory-max", &config.memory_max, memory).unwrap_or(MEMORY_MAX_DEFAULT),
        origin_connections: found
            .one("origin-connections-max", &config.origin_connections_max, count)
            .unwrap_or(ORIGIN_CONNECTIONS_MAX_DEFAULT),
    }
}

fn deadlines(config: &Config, found: &mut Problems) -> Deadlines {
    Deadlines {
        head: found.one("head-timeout", &config.head_timeout, duration).unwrap_or(HEAD_TIMEOUT_DEFAULT),
        body: found.one("body-timeout", &config.body_timeout, duration).unwrap_or(BODY_TIMEOUT_DEFAULT),
        idle: found.one("idle-timeout", &config.idle_timeout, duration).unwrap_or(IDLE_TIMEOUT_DEFAULT),
        drain: found.one("drain-timeout", &config.drain_timeout, duration).unwrap_or(DRAIN_TIMEOUT_DEFAULT),
    }
}

fn limits(written: &Option<Written>, found: &mut Problems) -> LimitSet {
    let choices = [("aws", LimitSet::Aws), ("relaxed", LimitSet::Relaxed)];
    found.choice("limits", written, &choices).unwrap_or(LimitSet::Aws)
}

fn explain(config: &Config, found: &mut Problems) -> ExplainSettings {
    let bodies = found.choice("explain-bodies", &config.explain_bodies, &[("true", true), ("false", false)]);
    ExplainSettings {
        memory: found.one("explain-memory", &config.explain_memory, explain_memory).unwrap_or(EXPLAIN_MEMORY_DEFAULT),
        records_bodies: bodies.unwrap_or(true),
        redact: found.many("redact", &config.redact, field_name),
    }
}

fn kind(written: &Option<Written>, found: &mut Problems) -> Option<ApiKind> {
    let choices = [("rest", ApiKind::Rest), ("http", ApiKind::Http)];
    found.choice("kind", written, &choices)
}

pub(super) fn format(written: &Option<Written>, found: &mut Problems) -> OutputFormat {
    let choices = [("human", OutputFormat::Human), ("json", OutputFormat::Json)];
    found.choice("format", written, &choices).unwrap_or(OutputFormat::Human)
}

fn driver(config: &Config, found: &mut Problems) -> DriverChoice {
    let choices = [("auto", DriverChoice::Auto), ("io_uring", DriverChoice::IoUring), ("epoll", DriverChoice::Epoll)];
    found.choice("driver", &config.driver, &choices).unwrap_or(DriverChoice::Auto)
}

impl FromStr for LogTarget {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "" => Err(Invalid("expected a file, - or off".to_owned())),
            "off" => Ok(Self::Off),
            "-" => Ok(Self::Stdout),
            path => Ok(Self::File(PathBuf::from(path))),
        }
    }
}

fn file(text: &str) -> Result<PathBuf, Invalid> {
    if text.is_empty() { Err(Invalid("expected a file".to_owned())) } else { Ok(PathBuf::from(text)) }
}

fn shards(text: &str) -> Result<NonZeroU16, Invalid> {
    let number = text.parse::<u16>().ok().filter(|n| *n <= SHARDS_MAX).and_then(NonZeroU16::new);
    number.ok_or_else(|| {
        Invalid(format!("expected 1 to {SHARDS_MAX}, not `{text}`; leave it out for one for each allowed core"))
    })
}

fn count(text: &str) -> Result<NonZeroU32, Invalid> {
    text.parse().map_err(|_| Invalid(format!("expected a whole number from 1 to {}, not `{text}`", u32::MAX)))
}

fn memory(text: &str) -> Result<ByteSize, Invalid> {
    let size = ByteSize::from_str(text)?;
    if size >= MEMORY_MAX_MIN { Ok(size) } else { Err(Invalid(format!("at least {MEMORY_MAX_MIN}, not {size}"))) }
}

fn explain_memory(text: &str) -> Result<ByteSize, Invalid> {
    let size = ByteSize::from_str(text)?;
    let range = EXPLAIN_MEMORY_MIN..=EXPLAIN_MEMORY_MAX;
    if size.0 == 0 || range.contains(&size) {
        return Ok(size);
    }
    Err(Invalid(format!("0, or from {EXPLAIN_MEMORY_MIN} to {EXPLAIN_MEMORY_MAX} for each shard, not {size}")))
}

fn log_format(text: &str) -> Result<String, Invalid> {
    // AWS allows one line end, at the end; the writer adds one to each line anyway.
    let line = text.strip_suffix('\n').unwrap_or(text);
    match line {
        "" => Err(Invalid("is empty".to_owned())),
        _ if line.contains(['\n', '\r']) => Err(Invalid("must be one line".to_owned())),
        _ if line.len() > LOG_FORMAT_BYTES_MAX => Err(Invalid(format!("has more than {LOG_FORMAT_BYTES_MAX} bytes"))),
        _ => Ok(line.to_owned()),
    }
}

fn account(text: &str) -> Result<String, Invalid> {
    let is_account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err(Invalid(format!("expected twelve digits, not `{text}`"))) }
}

fn region(text: &str) -> Result<String, Invalid> {
    let is_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits = (1..=63).contains(&text.len()) && text.bytes().all(is_region);
    if fits { Ok(text.to_owned()) } else { Err(Invalid(format!("expected a region such as us-east-1, not `{text}`"))) }
}

pub(super) fn stage_name(text: &str) -> Result<String, Invalid> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (1..=STAGE_NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_name) {
        return Ok(text.to_owned());
    }
    Err(Invalid(format!("a stage's name is 1 to {STAGE_NAME_CHARS_MAX} letters, digits, `-` and `_`, not `{text}`")))
}

fn host_name(text: &str) -> Result<String, Invalid> {
    if is_host_name(text) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Invalid(format!("expected a host name without port, not `{text}`")))
    }
}

fn field_name(text: &str) -> Result<String, Invalid> {
    let is_name = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b",:;=\"".contains(&b));
    if is_name {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Invalid(format!("expected the name of a header or parameter, not `{text}`")))
    }
}
