//! The control thread's loop: listeners of the admin side, signals, and the end.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::dns::Resolver;
use super::gateway::Gateway;

/// Something that goes on beside everything else until the process ends.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the control thread looks after besides the shards.
pub struct Duties {
    /// Listeners of the admin side and what they serve.
    pub admin: Vec<(StdTcpListener, Router)>,
    /// What goes on beside.
    pub tasks: Vec<Task>,
}

/// Does what takes long on a thread of its own, so that the admin side goes on answering.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// How serving ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A signal said to stop.
    Signalled,
    /// A thread ended by itself: why.
    Fallen(String),
}

/// How often shards are looked after.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// What deciding takes of the system. Made before the shards accept: clients could leave no descriptor for it.
pub struct Control {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    resolver: Arc<Resolver>,
}

impl Control {
    /// Claims it.
    ///
    /// # Errors
    /// The kernel's, when there is no descriptor left.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let within = runtime.enter();
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        let hang_up = signal(SignalKind::hangup())?;
        let resolver = Arc::new(Resolver::from_system());
        drop(within);
        Ok(Self { runtime, terminate, interrupt, hang_up, resolver })
    }
}

/// Decides until a signal says to stop. `drain` is told then, with requests still being served, and the shards are
/// given that long to finish.
///
/// # Errors
/// The kernel's, when there is no descriptor left for signals or listeners.
pub fn run(control: Control, gateway: &Arc<Gateway>, duties: Duties, drain: Duration) -> io::Result<(Ending, Drained)> {
    let Control { runtime, terminate, interrupt, hang_up, resolver } = control;
    runtime.block_on(async {
        let ending = decide(gateway, duties, resolver, [terminate, interrupt], hang_up).await?;
        eprintln!("ringgate: stopping; requests under way have {drain:?}");
        let drained = if gateway.drain(drain).await { Drained::All } else { Drained::SomeCut };
        Ok((ending, drained))
    })
}

/// Whether every request under way could end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// All did.
    All,
    /// The time was up before some had.
    SomeCut,
}

async fn decide(
    gateway: &Arc<Gateway>,
    duties: Duties,
    resolver: Arc<Resolver>,
    [mut terminate, mut interrupt]: [Signal; 2],
    mut hang_up: Signal,
) -> io::Result<Ending> {
    let Duties { admin, tasks } = duties;
    for (listener, router) in admin {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
    }
    tokio::spawn(gateway.clone().resolve_origins(resolver));
    tokio::spawn(gateway.clone().listen_to_shards());
    tasks.into_iter().for_each(|task| drop(tokio::spawn(task)));
    let mut look_after = tokio::time::interval(LOOK_AFTER);
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(Ending::Signalled),
            _ = interrupt.recv() => return Ok(Ending::Signalled),
            _ = hang_up.recv() => gateway.log.reopen(),
            _ = look_after.tick() => {
                if let Some(why) = gateway.fallen_thread() {
                    return Ok(Ending::Fallen(why));
                }
            }
        }
    }
}
