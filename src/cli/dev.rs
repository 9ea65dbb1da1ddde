//! `ringgate dev`: serves a definition from memory and follows its changes.

mod banner;

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ringgate_core::base::Diagnostic;
use ringgate_core::base::limits::PAYLOAD_BYTES_MAX;
use ringgate_core::compile::OriginRewrite;
use ringgate_core::mapping::ContextVariable;
use ringgate_core::mapping::uri::Scheme as UriScheme;
use ringgate_core::model::rest::RestApi;
use ringgate_core::plan::{Limits, StagePlan};
use ringgate_core::record::AccessLogProgram;

use super::definition::{Reading, find_in};
use crate::admin::{self, Access, Management, Names};
use crate::config::Settings;
use crate::config::settings::{Authorization, ClientAddress, DriverChoice, LimitSet};
use crate::config::values::{ListenAddress, Scheme};
use crate::control::gateway::{Gateway, Plan};
use crate::control::publisher::{Publisher, StageOptions};
use crate::control::supervise::{self, Control, Drained, Duties, Ending};
use crate::control::watch::Watch;
use crate::net::listen::{Bound, bind_tcp, bind_unix, check_free};
use crate::net::ring::Driver;
use crate::shard::settings::{Settings as ShardSettings, Trusted};
use crate::store::{Retention, Store};
use crate::telemetry::access_log::AccessLog;

/// Longest wait for the access log's last lines.
const LOG_PATIENCE: Duration = Duration::from_secs(2);
/// Niceness of the control thread: serving comes first.
const CONTROL_NICE: i32 = 10;

/// Why `dev` did not run, and its exit code.
pub struct Failure {
    /// For standard error.
    pub message: String,
    /// 1: the definition is wrong; 2: the call is.
    pub code: u8,
}

fn wrong_call(message: impl Into<String>) -> Failure {
    Failure { message: message.into(), code: 2 }
}

/// Serves until a signal says to stop. Gives the exit code.
///
/// # Errors
/// [`Failure`] when serving cannot begin.
pub fn run(file: Option<PathBuf>, settings: &Settings) -> Result<u8, Failure> {
    let path = file.or_else(|| find_in(Path::new("."))).ok_or_else(|| {
        wrong_call("no definition: name a file, or run where there is an openapi, swagger, api or template file (yaml, yml, json)")
    })?;
    let mut settings = settings.clone();
    let admin = bind_admin(&mut settings)?;
    let settings = &settings;
    let service = Service::new(settings, path);
    let mut publisher = Publisher::new(service.stage_options()?);
    let (text, stage) = service.first(&mut publisher)?;
    let driver = choose_driver(settings.driver)?;
    let listeners = bind_all(settings)?;
    let addresses = banner::addresses(settings, &listeners);
    let log = AccessLog::start(&settings.log, listeners.len());
    let log = log.map_err(|error| wrong_call(format!("--log: its file cannot be opened: {error}")))?;
    banner::print(settings, driver, &addresses, &stage);
    let snapshot = publisher.snapshot(Some(stage));
    let plan = Plan {
        driver,
        cpus: crate::net::allowed_cpus(),
        shards: listeners.len(),
        settings: Arc::new(shard_settings(settings, listeners.len())),
        listeners,
        log,
    };
    let control = Control::new().map_err(|error| wrong_call(error.to_string()))?;
    let gateway = Gateway::start(plan, publisher, &snapshot).map_err(|error| wrong_call(error.to_string()))?;
    drop(snapshot);
    let _ = rustix::process::nice(CONTROL_NICE);
    service.control(control, &gateway, admin, text)
}

/// What `dev` serves, and how.
struct Service<'s> {
    settings: &'s Settings,
    reading: Reading,
    path: PathBuf,
}

impl<'s> Service<'s> {
    fn new(settings: &'s Settings, path: PathBuf) -> Self {
        let reading = Reading {
            kind: settings.kind,
            limits: settings.limits,
            account: settings.stage.account.clone(),
            region: settings.stage.region.clone(),
        };
        Self { settings, reading, path }
    }

    fn stage_options(&self) -> Result<StageOptions, Failure> {
        let settings = self.settings;
        Ok(StageOptions {
            account_id: settings.stage.account.clone(),
            stage_name: settings.stage.stage.clone(),
            variables: settings.stage.variables.clone(),
            rewrites: rewrites(settings),
            backend: settings.backend.as_ref().map(ToString::to_string),
            ignores_authorization: settings.authorization == Authorization::Ignored,
            records_bodies: settings.explain.records_bodies,
            access_log: access_log(settings.log_format.as_deref())?,
            limits: match settings.limits {
                LimitSet::Aws => {
                    Limits { request_body_bytes_max: PAYLOAD_BYTES_MAX, response_body_bytes_max: PAYLOAD_BYTES_MAX }
                }
                LimitSet::Relaxed => Limits { request_body_bytes_max: u64::MAX, response_body_bytes_max: u64::MAX },
            },
        })
    }

    /// Reads the file for the first time: what is wrong with it keeps `dev` from starting.
    fn first(&self, publisher: &mut Publisher) -> Result<(String, StagePlan), Failure> {
        let read = self.reading.read_file(&self.path);
        let (text, definition) = read.map_err(|error| wrong_call(format!("{}: {error}", self.path.display())))?;
        let Some(api) = definition.api else {
            banner::print_findings(&self.path, definition.diagnostics);
            return Err(Failure { message: format!("{} is refused: see above", self.path.display()), code: 1 });
        };
        Ok((text, self.compile(publisher, &api, definition.diagnostics)))
    }

    fn compile(&self, publisher: &mut Publisher, api: &RestApi, mut diagnostics: Vec<Diagnostic>) -> StagePlan {
        let prepared = publisher.prepare(api, &api_id(api));
        diagnostics.extend(prepared.findings.0);
        banner::print_findings(&self.path, diagnostics);
        prepared.stage
    }

    /// Serves until a signal says to stop.
    fn control(&self, control: Control, gateway: &Arc<Gateway>, admin: Admin, mut text: String) -> Result<u8, Failure> {
        let duties = Duties {
            admin: admin.routed(gateway, management()?, self.settings),
            watch: Watch::new(self.path.clone()),
            reload: || self.reload(gateway, &mut text),
        };
        let ended = supervise::run(control, gateway, duties, self.settings.deadlines.drain);
        let (ending, drained) = ended.map_err(|error| Failure { message: error.to_string(), code: 70 })?;
        if drained == Drained::SomeCut {
            eprintln!("ringgate: some connections were closed before their requests ended");
        }
        if gateway.log.shutdown(LOG_PATIENCE).is_err() {
            eprintln!("ringgate: the access log did not take its last lines in time");
        }
        for address in &self.settings.listen {
            if let ListenAddress::Unix(path) = address {
                let _ = std::fs::remove_file(path);
            }
        }
        match ending {
            Ending::Signalled => Ok(0),
            Ending::Fallen(why) => Err(Failure { message: format!("an event loop ended: {why}"), code: 70 }),
        }
    }

    /// Serves what the file says now, if that is another text than the one before, and a definition.
    fn reload(&self, gateway: &Gateway, text: &mut String) {
        let file = self.path.display();
        match self.reading.read_text(&self.path) {
            Ok(same) if same == *text => return,
            Ok(changed) => *text = changed,
            Err(error) => return eprintln!("ringgate: {file}: {error}; the version before goes on being served"),
        }
        let definition = self.reading.read(text);
        let Some(api) = definition.api else {
            banner::print_findings(&self.path, definition.diagnostics);
            return eprintln!("ringgate: {file} is refused; the version before goes on being served");
        };
        let routes = gateway.with_publisher(|publisher| {
            let stage = self.compile(publisher, &api, definition.diagnostics);
            let routes = stage.routes.len();
            let snapshot = publisher.snapshot(Some(stage));
            publisher.publish(&snapshot);
            routes
        });
        eprintln!("ringgate: {file} has changed: {routes} routes are being served");
    }
}

/// The sockets of the admin side, bound before anything starts.
struct Admin {
    main: StdTcpListener,
    metrics: Option<StdTcpListener>,
}

/// Binds the admin side. The settings learn the ports that the kernel chose: they are announced, and no origin may be
/// there.
fn bind_admin(settings: &mut Settings) -> Result<Admin, Failure> {
    let bind = |flag: &str, address: &mut SocketAddr| {
        let bound = StdTcpListener::bind(*address).and_then(|listener| {
            *address = listener.local_addr()?;
            Ok(listener)
        });
        bound.map_err(|error| wrong_call(format!("--{flag} {address}: {error}")))
    };
    let main = bind("admin", &mut settings.admin.address)?;
    let metrics = settings.admin.metrics.as_mut().map(|address| bind("metrics", address)).transpose()?;
    Ok(Admin { main, metrics })
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
        let access = Access::open(&settings.stage.account, &settings.stage.region);
        let router = admin::router(gateway.clone(), management, names, access, self.metrics.is_none());
        let mut all = vec![(self.main, router)];
        all.extend(self.metrics.map(|listener| (listener, admin::observing(gateway.clone()))));
        all
    }
}

/// The management API of a gateway that keeps nothing.
fn management() -> Result<Arc<Management>, Failure> {
    let store = Store::in_memory(Retention::default());
    let store = store.map_err(|error| Failure { message: error.to_string(), code: 70 })?;
    let management =
        Management::load(store, false).map_err(|error| Failure { message: error.to_string(), code: 70 })?;
    Ok(Arc::new(management))
}

/// The API of a file has an id that survives restarts.
fn api_id(api: &RestApi) -> String {
    ringgate_core::base::hash::id_of(&[api.name.as_bytes()])
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

/// Binds every address once for every shard.
fn bind_all(settings: &Settings) -> Result<Vec<Vec<Bound>>, Failure> {
    let shards = usize::from(settings.shards.get());
    let mut all: Vec<Vec<Bound>> = (0..shards).map(|_| Vec::new()).collect();
    for address in &settings.listen {
        let failed = |error: io::Error| wrong_call(format!("--listen {address}: {error}"));
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
