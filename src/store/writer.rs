//! The thread that owns the database. What arrives while the device is busy is written together: one flush for all.

use std::iter;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringgate_core::base::WallTime;

use super::audit::Retention;
use super::database::{Database, Write};
use super::error::StoreError;
use super::pending::Answer;
use super::{Line, Revision};

/// Most writes of one group.
const GROUP_WRITES_MAX: usize = 1_024;
/// No more writes join a group that has this many bytes.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// The trail is looked through for what may go after this many entries, at start, and after this time.
const TRIM_ENTRIES: usize = 1_000;
const TRIM_PERIOD: Duration = Duration::from_secs(3_600);
/// Entries removed by one transaction: those who wait for the thread wait no longer than for that.
const TRIM_BATCH: u32 = 2_000;
/// Serving comes first.
const NICE: i32 = 10;

/// Gets the database, or why not.
type Read = Box<dyn FnOnce(Result<&Database, StoreError>) + Send>;

/// What the thread may be asked to do.
pub(super) enum Job {
    /// Write, and say when it is on the device.
    Write(Box<Waiting>),
    /// Read, or be told why not; the answer travels inside.
    Read(Read),
}

/// A write, and whoever waits for it.
pub(super) struct Waiting {
    pub(super) write: Write,
    /// What it is part of.
    pub(super) line: Option<Line>,
    pub(super) answer: Answer<Revision>,
}

/// Lines that have ended, up to a number, and why the last of them did.
type Ended = Option<(Line, StoreError)>;

/// Does one job after the other until nobody is left who could send one.
pub(super) fn run(mut database: Database, jobs: &Receiver<Job>, retention: Retention) {
    let _ = rustix::process::setpriority_process(None, NICE);
    let mut untrimmed = TRIM_ENTRIES;
    let (mut held, mut ended) = (None, None);
    loop {
        if untrimmed >= TRIM_ENTRIES && held.is_none() {
            // A trail that could not be trimmed is tried again after as many entries.
            let trimmed = database.trim(retention, now(), TRIM_BATCH);
            untrimmed = if trimmed == Ok(ControlFlow::Continue(())) { TRIM_ENTRIES } else { 0 };
        }
        let wait = if untrimmed >= TRIM_ENTRIES { Duration::ZERO } else { TRIM_PERIOD };
        match held.take().map_or_else(|| jobs.recv_timeout(wait), Ok) {
            Ok(Job::Read(read)) => read(Ok(&database)),
            Ok(Job::Write(waiting)) => {
                let group = gather(*waiting, jobs, &mut held);
                untrimmed += group.iter().filter(|waiting| waiting.write.audit.is_some()).count();
                write_group(&mut database, group, &mut ended);
            }
            Err(RecvTimeoutError::Timeout) => untrimmed = TRIM_ENTRIES,
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Takes the writes that wait already. A job of another kind ends the group and is `held` for afterwards.
fn gather(first: Waiting, jobs: &Receiver<Job>, held: &mut Option<Job>) -> Vec<Waiting> {
    let mut bytes = first.write.bytes();
    let mut group = vec![first];
    while group.len() < GROUP_WRITES_MAX && bytes < GROUP_BYTES_MAX {
        match jobs.try_recv() {
            Ok(Job::Write(waiting)) => {
                bytes += waiting.write.bytes();
                group.push(*waiting);
            }
            Ok(other) => {
                *held = Some(other);
                break;
            }
            Err(_) => break,
        }
    }
    group
}

fn write_group(database: &mut Database, group: Vec<Waiting>, ended: &mut Ended) {
    let writes: Vec<&Write> = group.iter().map(|waiting| &waiting.write).collect();
    let is_whole = writes.len() > 1 && group.iter().all(|waiting| orphaned(waiting, ended).is_none());
    match is_whole.then(|| database.write(&writes)) {
        Some(Ok(first)) => {
            for (waiting, revision) in iter::zip(group, first.0..) {
                waiting.answer.give(Ok(Revision(revision)));
            }
        }
        // What does not fit together may fit alone: nobody fails because of a neighbour that it does not build on.
        Some(Err(_)) | None => group.into_iter().for_each(|waiting| write_alone(database, waiting, ended)),
    }
}

fn write_alone(database: &mut Database, waiting: Waiting, ended: &mut Ended) {
    if let Some(why) = orphaned(&waiting, ended) {
        return waiting.answer.give(Err(why));
    }
    let written = database.write(&[&waiting.write]);
    if let (Err(why), Some(line)) = (&written, waiting.line) {
        *ended = Some((line, why.clone()));
    }
    waiting.answer.give(written);
}

/// Why a write that builds on others cannot be made.
fn orphaned(waiting: &Waiting, ended: &Ended) -> Option<StoreError> {
    let (last, why) = ended.as_ref()?;
    (waiting.line? <= *last).then(|| StoreError::Orphaned(Box::new(why.clone())))
}

fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
