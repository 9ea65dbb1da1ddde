//! What the operator wrote, and where: flags, `RINGGATE_…` variables and `ringgate.yaml`, merged in that order.
//!
//! A value passes through three shapes: [`Config`] is text with its source, [`Settings`] is what is meant and proof
//! that the process can start, and what is executed belongs to the modules that get it. Every option has one name;
//! its variable (`RINGGATE_` and the name in capitals) and its key in the file follow from it, so nothing can be set
//! in one place only.
//!
//! Reading is pure: the environment and the file system are functions handed in by `main`.

mod admin;
pub mod deploy;
pub mod explain;
pub mod file;
mod fill;
pub mod settings;
pub mod store;
pub mod values;
pub mod vtl;

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use ringgate_core::base::Place;

pub use admin::Admin;
use deploy::{DeployConfig, DiffConfig};
use explain::ExplainConfig;
use fill::fill;
pub use vtl::VtlCall;

pub use settings::{CheckSettings, DoctorSettings, Settings};
use store::{AuditConfig, BackupConfig, RestoreConfig, StoreConfig};

/// The file read when `--config` does not name another.
pub const DEFAULT_FILE: &str = "ringgate.yaml";

/// Where a value was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// On the command line.
    #[default]
    Flag,
    /// In the environment.
    Variable,
    /// In the configuration file.
    File(PathBuf, Place),
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its text, nothing checked.
    pub text: String,
    /// Where it stands, for messages.
    pub source: Source,
}

impl FromStr for Written {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self { text: text.to_owned(), source: Source::Flag })
    }
}

/// Something that keeps the process from starting: what it is about, what is wrong, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The flag, variable or place in the file.
    pub subject: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it; empty when the message says it.
    pub fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.message)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, " (fix: {})", self.fix) }
    }
}

/// What messages call the option `key` where it was written.
fn subject(key: &str, source: &Source) -> String {
    match source {
        Source::Flag => format!("--{key}"),
        Source::Variable => variable_name(key),
        Source::File(path, place) => format!("{}:{place}: {key}", path.display()),
    }
}

/// The environment variable of an option: `--admin-name` is `RINGGATE_ADMIN_NAME`.
pub fn variable_name(key: &str) -> String {
    format!("RINGGATE_{}", key.to_ascii_uppercase().replace('-', "_"))
}

#[derive(Parser)]
#[command(name = "ringgate", version, about = "An open, self-hosted Amazon API Gateway", after_help = AFTER_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Every option can also be set by a variable (--admin-name is RINGGATE_ADMIN_NAME; several values \
are separated by spaces) and by a key of ringgate.yaml (admin-name). A flag beats a variable, a variable beats the file.";

#[derive(Subcommand)]
enum Command {
    /// Run mapping templates, and test them
    Vtl {
        #[command(subcommand)]
        call: VtlCall,
    },
    /// Serve an API definition, and what the management API is told, from memory
    #[command(after_help = AFTER_HELP)]
    Dev {
        /// Swagger 2.0 or OpenAPI 3 document; without it, the definition found in this folder
        file: Option<PathBuf>,
        #[command(flatten)]
        config: DevConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
    /// Serve what the management API is told, and keep it
    #[command(after_help = AFTER_HELP)]
    Serve {
        #[command(flatten)]
        config: ServeConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
    /// Say what is wrong with an API definition, without serving it
    #[command(after_help = AFTER_HELP)]
    Check {
        /// Swagger 2.0 or OpenAPI 3 document
        file: PathBuf,
        #[command(flatten)]
        config: CheckConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
    /// Check this host for what costs speed or connections, with the command that fixes each
    #[command(after_help = AFTER_HELP)]
    Doctor {
        #[command(flatten)]
        config: DoctorConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
    /// Copy what a gateway keeps to a new file, while it serves
    #[command(after_help = AFTER_HELP)]
    Backup {
        /// The file to make
        file: PathBuf,
        #[command(flatten)]
        config: BackupConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
    /// Make a backup what a gateway keeps
    #[command(after_help = AFTER_HELP)]
    Restore {
        /// The backup
        file: PathBuf,
        #[command(flatten)]
        config: RestoreConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
    /// Tell what was decided about a request, step by step, and why
    #[command(after_help = AFTER_HELP)]
    Explain {
        /// Its id: x-amzn-RequestId or x-amz-apigw-id of the response [default: the newest request]
        // The second may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        id: Option<String>,
        /// Print the execution log in the sentences of CloudWatch instead
        #[arg(long)]
        log: bool,
        #[command(flatten)]
        config: ExplainConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
    /// Have a running gateway serve an API definition, after telling what that changes
    #[command(after_help = AFTER_HELP)]
    Deploy {
        /// Swagger 2.0 or OpenAPI 3 document
        file: PathBuf,
        #[command(flatten)]
        config: DeployConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
    /// Look at what was deployed
    Deployments {
        #[command(subcommand)]
        call: DeploymentsCommand,
    },
    /// Print the trail of management calls: who did what, when, from where
    #[command(after_help = AFTER_HELP)]
    Audit {
        #[command(flatten)]
        config: AuditConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
}

#[derive(Subcommand)]
enum DeploymentsCommand {
    /// Tell in what two deployments of an API differ
    #[command(after_help = AFTER_HELP)]
    Diff {
        /// A deployment's id, a stage's name, or `current` for the definition as it is being edited
        a: String,
        /// The same, for the other
        b: String,
        #[command(flatten)]
        config: DiffConfig,
        #[command(flatten)]
        from: ConfigFile,
    },
}

#[derive(Args)]
struct ConfigFile {
    /// Read options from FILE [default: ./ringgate.yaml, if there is one]
    #[arg(long = "config", value_name = "FILE", id = "config")]
    path: Option<PathBuf>,
}

/// What the operator wrote about running a gateway: all optional, nothing checked.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Accept requests here; may be repeated [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT|unix:PATH")]
    pub listen: Vec<Written>,
    /// Serve the management API, dashboard, health and metrics here [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR:PORT")]
    pub admin: Option<Written>,
    /// Move /healthz and /metrics to a socket of their own
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<Written>,
    /// A further name under which the admin listener may be called; may be repeated
    #[arg(long, value_name = "NAME")]
    pub admin_name: Vec<Written>,
    /// Take management calls only from the access keys in this file
    #[arg(long, value_name = "FILE")]
    pub admin_credentials: Option<Written>,
    /// Event loops, one core each [default: as many as this process may use cores]
    #[arg(long, value_name = "N")]
    pub shards: Option<Written>,
    /// Where access-log lines go: a file, - for standard output, or off [default: -]
    #[arg(long, value_name = "FILE|-|off", allow_hyphen_values = true)]
    pub log: Option<Written>,
    /// Format of an access-log line, with $context variables [default: JSON]
    #[arg(long, value_name = "STRING")]
    pub log_format: Option<Written>,
    /// Account in ARNs and $context [default: 000000000000]
    #[arg(long, value_name = "ID")]
    pub account: Option<Written>,
    /// Region in ARNs and $context [default: us-east-1]
    #[arg(long, value_name = "REGION")]
    pub region: Option<Written>,
    /// Send what goes to origin FROM to origin TO; may be repeated
    #[arg(long, value_name = "FROM=TO")]
    pub upstream: Vec<Written>,
    /// Sizes, counts and timeouts: AWS's exactly, or raised [default: aws]
    #[arg(long, value_name = "aws|relaxed")]
    pub limits: Option<Written>,
    /// Expect a PROXY protocol header from the peers in --trusted-proxies
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub proxy_protocol: Option<Written>,
    /// Peers whose word about the client's address is taken; may be repeated
    #[arg(long, value_name = "CIDR,…")]
    pub trusted_proxies: Vec<Written>,
    /// An address that origins may have although it is refused by default; may be repeated
    #[arg(long, value_name = "CIDR|ADDR")]
    pub allow_origin_address: Vec<Written>,
    /// Take no client's X-HTTP-Method-Override header for its method
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub ignore_method_override: Option<Written>,
    /// A header, parameter or member of a body to mask in what `ringgate explain` shows; may be repeated
    #[arg(long, value_name = "NAME")]
    pub redact: Vec<Written>,
    /// Memory of each shard for what `ringgate explain` shows; 0 for none [default: 4MiB]
    #[arg(long, value_name = "SIZE")]
    pub explain_memory: Option<Written>,
    /// Whether that holds the beginning of bodies [default: true]
    #[arg(long, value_name = "BOOL")]
    pub explain_bodies: Option<Written>,
    /// Most client connections of the process [default: 100000]
    #[arg(long, value_name = "N")]
    pub connections_max: Option<Written>,
    /// Most memory for buffers and held bodies [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    pub memory_max: Option<Written>,
    /// Most connections to one origin from one shard [default: 1024]
    #[arg(long, value_name = "N")]
    pub origin_connections_max: Option<Written>,
    /// From the first byte of a request's head to its last [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub head_timeout: Option<Written>,
    /// Longest pause between two pieces of a body, either way [default: 30s]
    #[arg(long, value_name = "TIME")]
    pub body_timeout: Option<Written>,
    /// How long a connection may stay open between requests [default: 310s]
    #[arg(long, value_name = "TIME")]
    pub idle_timeout: Option<Written>,
    /// How long requests may take to finish after SIGTERM [default: 30s]
    #[arg(long, value_name = "TIME")]
    pub drain_timeout: Option<Written>,
    /// How shards wait for the kernel [default: auto]
    #[arg(long, value_name = "auto|io_uring|epoll")]
    pub driver: Option<Written>,
}

/// What the operator wrote for `dev`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct DevConfig {
    /// How it runs.
    #[command(flatten)]
    pub run: Config,
    /// Name of the stage [default: dev]
    #[arg(long, value_name = "NAME")]
    pub stage: Option<Written>,
    /// A stage variable; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub var: Vec<Written>,
    /// Forward operations that have no integration to this URL
    #[arg(long, value_name = "URL")]
    pub backend: Option<Written>,
    /// Serve methods whose authorization is not supported yet, without it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub ignore_authorization: Option<Written>,
    /// What to take a document for that does not say it itself [default: rest]
    #[arg(long, value_name = "rest|http")]
    pub kind: Option<Written>,
}

/// What the operator wrote for `serve`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct ServeConfig {
    /// How it runs.
    #[command(flatten)]
    pub run: Config,
    /// What it keeps.
    #[command(flatten)]
    pub store: StoreConfig,
}

/// What the operator wrote for `check`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckConfig {
    /// How findings are printed [default: human]
    #[arg(long, value_name = "human|json")]
    pub format: Option<Written>,
    /// What to take a document for that does not say it itself [default: rest]
    #[arg(long, value_name = "rest|http")]
    pub kind: Option<Written>,
    /// Sizes and counts to check against [default: aws]
    #[arg(long, value_name = "aws|relaxed")]
    pub limits: Option<Written>,
    /// Warnings fail too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub strict: Option<Written>,
}

/// What the operator wrote for `doctor`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct DoctorConfig {
    /// How findings are printed [default: human]
    #[arg(long, value_name = "human|json")]
    pub format: Option<Written>,
}

/// The place of one option in a configuration.
pub enum Slot<'a> {
    /// Holds one value.
    One(&'a mut Option<Written>),
    /// Holds any number; a stronger source replaces all of them.
    Many(&'a mut Vec<Written>),
}

/// A configuration that can be filled by name. The one list of an option's names, beside the fields themselves.
pub trait Options {
    /// The place of `key`, or `None` when there is no such option.
    fn slot(&mut self, key: &str) -> Option<Slot<'_>>;
}

impl Options for Config {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "listen" => Slot::Many(&mut self.listen),
            "admin" => Slot::One(&mut self.admin),
            "metrics" => Slot::One(&mut self.metrics),
            "admin-name" => Slot::Many(&mut self.admin_name),
            "admin-credentials" => Slot::One(&mut self.admin_credentials),
            "shards" => Slot::One(&mut self.shards),
            "log" => Slot::One(&mut self.log),
            "log-format" => Slot::One(&mut self.log_format),
            "account" => Slot::One(&mut self.account),
            "region" => Slot::One(&mut self.region),
            "upstream" => Slot::Many(&mut self.upstream),
            "limits" => Slot::One(&mut self.limits),
            "proxy-protocol" => Slot::One(&mut self.proxy_protocol),
            "trusted-proxies" => Slot::Many(&mut self.trusted_proxies),
            "allow-origin-address" => Slot::Many(&mut self.allow_origin_address),
            "ignore-method-override" => Slot::One(&mut self.ignore_method_override),
            "redact" => Slot::Many(&mut self.redact),
            "explain-memory" => Slot::One(&mut self.explain_memory),
            "explain-bodies" => Slot::One(&mut self.explain_bodies),
            "connections-max" => Slot::One(&mut self.connections_max),
            "memory-max" => Slot::One(&mut self.memory_max),
            "origin-connections-max" => Slot::One(&mut self.origin_connections_max),
            "head-timeout" => Slot::One(&mut self.head_timeout),
            "body-timeout" => Slot::One(&mut self.body_timeout),
            "idle-timeout" => Slot::One(&mut self.idle_timeout),
            "drain-timeout" => Slot::One(&mut self.drain_timeout),
            "driver" => Slot::One(&mut self.driver),
            _ => return None,
        })
    }
}

impl Options for DevConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "stage" => Slot::One(&mut self.stage),
            "var" => Slot::Many(&mut self.var),
            "backend" => Slot::One(&mut self.backend),
            "ignore-authorization" => Slot::One(&mut self.ignore_authorization),
            "kind" => Slot::One(&mut self.kind),
            _ => return self.run.slot(key),
        })
    }
}

impl Options for ServeConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        let Self { run, store } = self;
        store.slot(key).or_else(|| run.slot(key))
    }
}

impl Options for CheckConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "format" => Slot::One(&mut self.format),
            "kind" => Slot::One(&mut self.kind),
            "limits" => Slot::One(&mut self.limits),
            "strict" => Slot::One(&mut self.strict),
            _ => return None,
        })
    }
}

impl Options for DoctorConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        match key {
            "format" => Some(Slot::One(&mut self.format)),
            _ => None,
        }
    }
}

/// What was asked for, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `ringgate vtl …`
    Vtl(VtlCall),
    /// `ringgate dev [FILE]`
    Dev {
        /// The definition, if one was named.
        file: Option<PathBuf>,
        /// Its options.
        config: DevConfig,
    },
    /// `ringgate serve`
    Serve {
        /// Its options.
        config: ServeConfig,
    },
    /// `ringgate check FILE`
    Check {
        /// The definition.
        file: PathBuf,
        /// Its options.
        config: CheckConfig,
    },
    /// `ringgate doctor`
    Doctor {
        /// Its options.
        config: DoctorConfig,
    },
    /// `ringgate explain [ID]`
    Explain {
        /// The request.
        id: Option<String>,
        /// As an execution log.
        log: bool,
        /// Its options.
        config: ExplainConfig,
    },
    /// `ringgate backup FILE`
    Backup {
        /// The file to make.
        file: PathBuf,
        /// Its options.
        config: BackupConfig,
    },
    /// `ringgate restore FILE`
    Restore {
        /// The backup.
        file: PathBuf,
        /// Its options.
        config: RestoreConfig,
    },
    /// `ringgate deploy FILE`
    Deploy {
        /// The definition.
        file: PathBuf,
        /// Its options.
        config: DeployConfig,
    },
    /// `ringgate deployments diff A B`
    Diff {
        /// The two.
        sides: [String; 2],
        /// Its options.
        config: DiffConfig,
    },
    /// `ringgate audit`
    Audit {
        /// Its options.
        config: AuditConfig,
    },
}

/// Why there is no [`Call`].
#[derive(Debug)]
pub enum Refusal {
    /// `--help` or `--version` was asked for: print it to standard output, exit 0.
    Asked(String),
    /// The command line is wrong: print it to standard error, exit 2.
    Usage(String),
    /// The environment or the file is wrong: print each to standard error, exit 2.
    Problems(Vec<Problem>),
}

/// Where options are read from besides the command line.
pub trait Surroundings {
    /// The environment variable `name`, if it is set.
    fn variable(&self, name: &str) -> Option<OsString>;
    /// The text of a file.
    fn read(&self, path: &Path) -> io::Result<String>;
}

/// The environment and the files of this process.
pub struct ThisProcess;

impl Surroundings for ThisProcess {
    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }
}

/// Reads the command line (program name first), then fills what it left open from the variables and the file.
pub fn read(args: impl IntoIterator<Item = OsString>, around: &impl Surroundings) -> Result<Call, Refusal> {
    let matches = CommandLine::command().try_get_matches_from(args).map_err(|error| refusal(&error))?;
    let line = CommandLine::from_arg_matches(&matches).map_err(|error| refusal(&error))?;
    match line.command {
        Command::Vtl { call } => Ok(Call::Vtl(call)),
        Command::Dev { file, mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Dev { file, config })
        }
        Command::Serve { mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Serve { config })
        }
        Command::Check { file, mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Check { file, config })
        }
        Command::Doctor { mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Doctor { config })
        }
        Command::Explain { id, log, mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Explain { id, log, config })
        }
        Command::Backup { file, mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Backup { file, config })
        }
        Command::Restore { file, mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Restore { file, config })
        }
        Command::Deploy { file, mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Deploy { file, config })
        }
        Command::Deployments { call: DeploymentsCommand::Diff { a, b, mut config, from } } => {
            fill(&mut config, from, around)?;
            Ok(Call::Diff { sides: [a, b], config })
        }
        Command::Audit { mut config, from } => {
            fill(&mut config, from, around)?;
            Ok(Call::Audit { config })
        }
    }
}

fn refusal(error: &clap::Error) -> Refusal {
    let text = error.render().to_string();
    if error.use_stderr() { Refusal::Usage(text) } else { Refusal::Asked(text) }
}

/// How many cores this process may use: the affinity mask, which a cgroup's cpuset narrows too, and not the number
/// of cores of the machine.
pub fn allowed_cores() -> NonZeroU16 {
    let counted = rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count());
    u16::try_from(counted).ok().and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MIN)
}

#[cfg(test)]
mod tests;
