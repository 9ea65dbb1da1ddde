//! What must survive: records of the control plane and the audit trail, in one SQLite database.
//!
//! The store knows nothing of what a record means. It keeps one promise: a commit that was answered is there after
//! anything, whole, and one that was not answered is there whole or not at all. One thread owns the database; callers
//! talk to it through a bounded queue and await its answer. Reading happens at start: afterwards the truth that is
//! served lives in memory, and the store is only written.

mod audit;
pub mod backup;
pub mod database;
mod error;
mod folder;
mod pending;
mod schema;
mod writer;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

pub use audit::{AuditEntry, AuditPage, AuditQuery, Outcome, PAGE_ENTRIES_MAX, Place, Retention};
use database::{Database, Write};
pub use error::StoreError;
use folder::Lock;
pub use pending::Pending;
use pending::pending;
use schema::Origin;
use writer::{Job, Waiting};

/// Largest record and largest audit entry.
pub const RECORD_BYTES_MAX: usize = 64 << 20;
/// How long another program's lock on the database is waited for.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Most writes that wait.
const QUEUE_JOBS_MAX: usize = 4_096;
/// Records under way between the thread and the caller of [`Store::load`].
const LOAD_RECORDS: usize = 256;

/// A JSON document, found by what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose: `ACCOUNT/REGION`.
    pub scope: String,
    /// What it is: `restapi`, `resource`, …
    pub kind: String,
    /// Which one, unique among its kind and scope.
    pub key: String,
    /// The document.
    pub body: Vec<u8>,
}

/// A change to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there with this body, whether or not it was before.
    Put(Record),
    /// It is not there, whether or not it was before.
    Delete {
        /// Whose.
        scope: String,
        /// What.
        kind: String,
        /// Which.
        key: String,
    },
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Put(record) => record.scope.len() + record.kind.len() + record.key.len() + record.body.len(),
            Self::Delete { scope, kind, key } => scope.len() + kind.len() + key.len(),
        }
    }
}

/// The number of a commit. Grows by one from commit to commit, for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// A line of commits, each of which builds on those before it: when one fails, all behind it fail
/// ([`StoreError::Orphaned`]). Whoever made it then begins another, of a higher number, on what is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(pub u64);

/// A handle on the store; clones are handles on the same one. With the last of them the store ends: what was asked is
/// done, the database is closed, and the folder is free.
#[derive(Clone)]
pub struct Store(Arc<Handle>);

struct Handle {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the store in `folder`; both are made if they are not there, for the owner alone.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it; those of [`Database::on`].
    pub fn open(folder: &Path, retention: Retention) -> Result<Self, StoreError> {
        let lock = Lock::take(folder)?;
        let database = Database::on(folder::open(folder)?)?;
        Self::start(database, retention, Some(lock))
    }

    /// A store that lasts as long as its handles.
    ///
    /// # Errors
    /// When there is no memory or no thread for it.
    pub fn in_memory(retention: Retention) -> Result<Self, StoreError> {
        Self::start(Database::on(Connection::open_in_memory()?)?, retention, None)
    }

    fn start(database: Database, retention: Retention, lock: Option<Lock>) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE_JOBS_MAX);
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || {
            writer::run(database, &queue, retention);
            // Only now is the database closed.
            drop(lock);
        })?;
        Ok(Self(Arc::new(Handle { jobs: Some(jobs), thread: Some(thread) })))
    }

    /// Makes the changes, in order, and adds the entry to the trail: all of it or nothing. When it resolves, it is on
    /// the device. It happens too when nobody awaits it, and in the order of the calls.
    ///
    /// # Errors
    /// Every [`StoreError`] that a device can cause, [`StoreError::TooLarge`], [`StoreError::Overloaded`]. Then nothing
    /// has changed, and the store goes on being usable.
    pub fn commit(&self, changes: Vec<Change>, audit: Option<AuditEntry>) -> Pending<Revision> {
        self.commit_write(Write { changes, audit }, None).unwrap_or_else(|error| {
            let (answer, pending) = pending();
            answer.give(Err(error));
            pending
        })
    }

    /// As [`Store::commit`], behind all that was committed in `line` before and only if all of that was.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] and [`StoreError::Overloaded`] at once: then it is not in the line, which goes on. All
    /// others are the answer, and the end of the line.
    pub fn commit_in(
        &self,
        line: Line,
        changes: Vec<Change>,
        audit: Option<AuditEntry>,
    ) -> Result<Pending<Revision>, StoreError> {
        self.commit_write(Write { changes, audit }, Some(line))
    }

    fn commit_write(&self, write: Write, line: Option<Line>) -> Result<Pending<Revision>, StoreError> {
        write.check()?;
        let (answer, pending) = pending();
        self.send(Job::Write(Box::new(Waiting { write, line, answer }))).map_err(|_| StoreError::Overloaded)?;
        Ok(pending)
    }

    /// Hands over every record, in the order in which they were first put. Blocks: for the start, before tasks run.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names a record that does not read as it was written; what was handed over before it is
    /// not all.
    pub fn load(&self, each: &mut dyn FnMut(Record)) -> Result<(), StoreError> {
        let (records, read) = sync_channel(LOAD_RECORDS);
        let loaded = self.read(move |database| {
            database.load(&mut |record| match records.send(record) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            })
        });
        read.iter().for_each(each);
        loaded.wait()
    }

    /// A page of the audit trail, newest entry first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn audit(&self, query: AuditQuery) -> Pending<AuditPage> {
        self.read(move |database| database.audit(&query))
    }

    fn read<T, F>(&self, read: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, pending) = pending();
        if let Err(Job::Read(read)) =
            self.send(Job::Read(Box::new(move |database| answer.give(database.and_then(read)))))
        {
            read(Err(StoreError::Overloaded));
        }
        pending
    }

    /// Gives the job back when too many wait.
    fn send(&self, job: Job) -> Result<(), Job> {
        let Some(jobs) = &self.0.jobs else { return Ok(()) };
        match jobs.try_send(job) {
            Err(TrySendError::Full(job)) => Err(job),
            // After the end of the thread a job is dropped, and its answer says that the store has stopped.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(()),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        drop(self.jobs.take());
        let Some(thread) = self.thread.take() else { return };
        // The thread itself drops the last handle when it wakes a task that held it.
        if thread.thread().id() != thread::current().id() {
            let _ = thread.join();
        }
    }
}

/// A page of the audit trail in `folder`, whether or not a process has it open. Changes nothing.
///
/// # Errors
/// [`StoreError::Foreign`], [`StoreError::NewerVersion`], and those of reading.
pub fn read_trail(folder: &Path, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    let connection = folder::open_to_read(folder)?;
    match schema::origin(&connection)? {
        Origin::Empty => Ok(AuditPage::default()),
        Origin::Ours(_) => audit::read(&connection, query),
    }
}

#[cfg(test)]
mod tests;
