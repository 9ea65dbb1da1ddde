//! Sockets, the ring under them, and time. The only module that names the runtime; everything here belongs to one shard.

pub mod buffers;
pub mod cidr;
pub mod client;
pub mod listen;
pub mod memory;
pub mod park;
pub mod ring;
pub mod shelf;
pub mod timer;
pub mod wake;

use std::future::Future;
use std::time::Duration;

/// Starts a task on this thread's event loop. It may not wake itself: it would run before its neighbours every time.
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    drop(monoio::spawn(task));
}

/// Waits. Precise to a few milliseconds.
pub async fn sleep(time: Duration) {
    monoio::time::sleep(time).await;
}

/// Runs `future`, but not for longer than `time`. `None`: it was dropped unfinished, so it must hold nothing that is
/// lost with it; connecting is such a one, reading is not.
pub async fn timeout<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    monoio::time::timeout(time, future).await.ok()
}

/// Binds this thread, and those that it will start, to these processors.
///
/// # Errors
/// The kernel's, when none of them is in this process's set.
pub fn pin_to(cpus: &[usize]) -> std::io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    cpus.iter().for_each(|&cpu| set.set(cpu));
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// The processors this process may use, in order (cgroup cpusets respected).
pub fn allowed_cpus() -> Vec<usize> {
    match rustix::thread::sched_getaffinity(None) {
        Ok(set) => (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect(),
        Err(_) => vec![0],
    }
}
