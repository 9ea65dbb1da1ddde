//! Running a gateway, whatever it serves: sockets, shards, the admin side, and the end.

pub mod banner;

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ringgate_core::compile::OriginRewrite;
use ringgate_core::explain::Redaction;
use ringgate_core::mapping::ContextVariable;
use ringgate_core::mapping::uri::Scheme as UriScheme;
use ringgate_core::record::AccessLogProgram;

use super::definition;
use super::follow::DefinitionFile;
use crate::admin::{self, Access, Management, Names};
use crate::config::Settings;
use crate::config::settings::{Authorization, ClientAddress, DriverChoice, StageSettings};
use crate::config::values::{ListenAddress, Scheme};
use crate::control::gateway::{CONTROL_NICE, Gateway, Plan};
use crate::control::publisher::{Change, Options, Publisher};
use crate::control::supervise::{self, Control, Drained, Duties, Ending, Task};
use crate::net::listen::{Bound, bind_tcp, bind_unix, check_free};
use crate::net::ring::Driver;
use crate::shard::settings::{Settings as ShardSettings, Trusted};
use crate::telemetry::access_log::AccessLog;

/// Longest wait for the access log's last lines.
const LOG_PATIENCE: Duration = Duration::from_secs(2);

/// Why nothing was served, and the exit code.
pub struct Failure {
    /// For standard error.
    pub message: String,
    /// 1: the definition is wrong; 2: the call is; 70: we are.
    pub code: u8,
}

/// A [`Failure`] of whoever called.
pub fn wrong_call(message: impl Into<String>) -> Failure {
    Failure { message: message.into(), code: 2 }
}

/// A [`Failure`] that is ours.
pub fn our_fault(error: impl ToString) -> Failure {
    Failure { message: error.to_string(), code: 70 }
}

/// What a gateway begins with.
pub struct Contents {
    /// The definition file, which is followed.
    pub file: Option<DefinitionFile>,
    /// The management API, with what is in its store.
    pub management: Arc<Management>,
}

/// Serves until a signal says to stop. Gives the exit code.
///
/// # Errors
/// [`Failure`] when serving cannot begin.
pub fn run(settings: &Settings, contents: Contents) -> Result<u8, Failure> {
    let Contents { mut file, management } = contents;
    let mut settings = settings.clone();
    let admin = bind_admin(&mut settings)?;
    let settings = &settings;
    let mut publisher = Publisher::new(options(settings)?);
    // The management side's first: `compile` then names the file's findings alone.
    let mut first = publisher.compose(Change::Served(management.served()));
    banner::print_stages(&first.compiled);
    if let Some(file) = &mut file {
        first = publisher.compose(Change::File(Box::new(file.spec())));
        file.print_findings(std::mem::take(&mut first.compiled));
    }
    let driver = choose_driver(settings.driver)?;
    let listeners = bind_all(settings)?;
    let addresses = banner::addresses(settings, &listeners);
    let cpus = crate::net::allowed_cpus();
    // Where shards leave processors over, those who decide and those who log do not disturb them. It is no harm where
    // the host forbids it.
    if let Some(spare) = cpus.get(listeners.len()..).filter(|spare| !spare.is_empty()) {
        let _ = crate::net::pin_to(spare);
    }
    let log = AccessLog::start(&settings.log, listeners.len());
    let log = log.map_err(|error| wrong_call(format!("--log: its file cannot be opened: {error}")))?;
    let bare = file.as_ref().and_then(|_| first.snapshot.stages.first());
    banner::print(settings, driver, &addresses, bare.map(|stage| &**stage));
    let plan = Plan {
        driver,
        cpus,
        shards: listeners.len(),
        settings: Arc::new(shard_settings(settings, listeners.len())),
        listeners,
        redaction: Redaction::new(settings.explain.redact.clone()),
        log,
    };
    let control = Control::new().map_err(|error| wrong_call(error.to_string()))?;
    let gateway = Gateway::start(plan, publisher, &first.snapshot).map_err(|error| wrong_call(error.to_string()))?;
    drop(first);
    management.serve_on(gateway.clone());
    let _ = rustix::process::nice(CONTROL_NICE);
    let follow = file.map(|file| Box::pin(file.follow(gateway.clone())) as Task);
    let duties = Duties { admin: admin.routed(&gateway, management, settings), tasks: follow.into_iter().collect() };
    let ended = supervise::run(control, &gateway, duties, settings.deadlines.drain);
    end(ended.map_err(our_fault)?, &gateway, settings)
}

/// Writes the last lines and tidies up.
fn end((ending, drained): (Ending, Drained), gateway: &Gateway, settings: &Settings) -> Result<u8, Failure> {
    if drained == Drained::SomeCut {
        eprintln!("ringgate: some connections were closed before their requests ended");
    }
    if gateway.log.shutdown(LOG_PATIENCE).is_err() {
        eprintln!("ringgate: the access log did not take its last lines in time");
    }
    for address in &settings.listen {
        if let ListenAddress::Unix(path) = address {
            let _ = std::fs::remove_file(path);
        }
    }
    match ending {
        Ending::Signalled => Ok(0),
        Ending::Fallen(why) => Err(Failure { message: why, code: 70 }),
    }
}

fn options(settings: &Settings) -> Result<Options, Failure> {
    Ok(Options {
        rewrites: rewrites(settings),
        backend: settings.backend.as_ref().map(ToString::to_string),
        ignores_authorization: settings.authorization == Authorization::Ignored,
        records_bodies: settings.explain.records_bodies,
        access_log: access_log(settings.log_format.as_deref())?,
        limits: definition::limits(settings.limits),
        overrides_methods: !settings.ignores_method_override,
    })
}

/// The sockets of the admin side, bound before anything starts.
struct Admin {
    main: StdTcpListener,
    metrics: Option<StdTcpListener>,
    access: Access,
}

/// Binds the admin side. The settings learn the ports that the kernel chose: they are announced, and no origin may be
/// there.
fn bind_admin(settings: &mut Settings) -> Result<Admin, Failure> {
    let bind = |flag: &str, address: &mut SocketAddr| {
        let bound = StdTcpListener::bind(*address).and_then(|listener| {
            *address = listener.local_addr()?;
            Ok(listener)
        });
        bound.map_err(|error| unbound(flag, &*address, &error))
    };
    let main = bind("admin", &mut settings.admin.address)?;
    let metrics = settings.admin.metrics.as_mut().map(|address| bind("metrics", address)).transpose()?;
    let StageSettings { account, region, .. } = &settings.stage;
    let access = match &settings.admin.credentials {
        None => Access::open(account, region),
        Some(file) => {
            Access::signed(account, region, file).map_err(|why| wrong_call(format!("--admin-credentials: {why}")))?
        }
    };
    Ok(Admin { main, metrics, access })
}

impl Admin {
    fn routed(
        self,
        gateway: &Arc<Gateway>,
        management: Arc<Management>,
        settings: &Settings,
    ) -> Vec<(StdTcpListener, Router)> {
        let address = self.main.local_addr().ok();
        let names = Names::new(address, &settings.admin.names);
        let router = admin::router(gateway.clone(), management.clone(), names, self.access, self.metrics.is_none());
        let mut all = vec![(self.main, router)];
        all.extend(self.metrics.map(|listener| (listener, admin::observing(gateway.clone(), management.clone()))));
        all
    }
}

fn access_log(format: Option<&str>) -> Result<AccessLogProgram<ContextVariable>, Failure> {
    let Some(format) = format else { return Ok(AccessLogProgram::default_json(ContextVariable::scan)) };
    let (program, unknown) = AccessLogProgram::compile(format, ContextVariable::scan)
        .map_err(|error| wrong_call(format!("--log-format: {error}")))?;
    for variable in unknown {
        eprintln!("ringgate: --log-format: {variable}; it prints -");
    }
    Ok(program)
}

fn rewrites(settings: &Settings) -> Vec<OriginRewrite> {
    let rewrite = |rewrite: &crate::config::values::OriginRewrite| OriginRewrite {
        scheme: match rewrite.from.scheme {
            Scheme::Http => UriScheme::Http,
            Scheme::Https => UriScheme::Https,
        },
        host: rewrite.from.host.clone(),
        port: rewrite.from.port,
        to: rewrite.to.to_string(),
    };
    settings.upstreams.iter().map(rewrite).collect()
}

fn choose_driver(choice: DriverChoice) -> Result<Driver, Failure> {
    match choice {
        DriverChoice::Epoll => Ok(Driver::Epoll),
        DriverChoice::Auto => Ok(Driver::probe()),
        DriverChoice::IoUring => match Driver::probe() {
            Driver::Epoll => Err(wrong_call(
                "--driver io_uring: this kernel or container refuses io_uring; `ringgate doctor` says why",
            )),
            driver => Ok(driver),
        },
    }
}

/// Why a socket could not be bound, and what helps.
fn unbound(flag: &str, address: &dyn Display, error: &io::Error) -> Failure {
    let help = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("; stop what listens there (`ss -ltnp` names it), or choose another address with --{flag}")
        }
        io::ErrorKind::AddrNotAvailable => {
            "; this host has no such address (`ip address` lists those it has)".to_owned()
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 need CAP_NET_BIND_SERVICE".to_owned(),
        _ => String::new(),
    };
    wrong_call(format!("--{flag} {address}: {error}{help}"))
}

/// Binds every address once for every shard.
fn bind_all(settings: &Settings) -> Result<Vec<Vec<Bound>>, Failure> {
    let shards = usize::from(settings.shards.get());
    let mut all: Vec<Vec<Bound>> = (0..shards).map(|_| Vec::new()).collect();
    for address in &settings.listen {
        let failed = |error: io::Error| unbound("listen", address, &error);
        let first = match address {
            ListenAddress::Tcp(address) => check_free(*address).and_then(|()| bind_tcp(*address)),
            ListenAddress::Unix(path) => bind_unix(path),
        };
        let first = first.map_err(failed)?;
        for listeners in &mut all[1..] {
            listeners.push(match first.address() {
                Some(address) => bind_tcp(address).map_err(failed)?,
                None => first.duplicate().map_err(failed)?,
            });
        }
        all[0].push(first);
    }
    Ok(all)
}

/// The process's caps, divided among its shards.
fn shard_settings(settings: &Settings, shards: usize) -> ShardSettings {
    let shards = NonZeroUsize::new(shards).unwrap_or(NonZeroUsize::MIN);
    let (trusted, trusted_proxies) = match &settings.client_address {
        ClientAddress::Socket => (Trusted::Nobody, Vec::new()),
        ClientAddress::ForwardedFor(peers) => (Trusted::ForwardedFor, peers.clone()),
        ClientAddress::ProxyProtocol(peers) => (Trusted::ProxyProtocol, peers.clone()),
    };
    let mut admin = vec![settings.admin.address];
    admin.extend(settings.admin.metrics);
    ShardSettings {
        head_timeout: settings.deadlines.head,
        body_timeout: settings.deadlines.body,
        idle_timeout: settings.deadlines.idle,
        connections_max: settings.caps.connections.get().div_ceil(u32::try_from(shards.get()).unwrap_or(1)),
        memory_bytes_max: usize::try_from(settings.caps.memory.0).unwrap_or(usize::MAX) / shards,
        explain_bytes: usize::try_from(settings.explain.memory.0).unwrap_or(usize::MAX),
        origin_connections_max: settings.caps.origin_connections.get() as usize,
        trusted,
        trusted_proxies,
        admin,
        allowed_origins: settings.allowed_origin_addresses.clone(),
    }
}
