//! The store without its thread: what is done with one connection, one call after the other.
//!
//! A commit that returns is on the device. One that fails has not happened: not now, and not after a loss of power.

use std::ops::ControlFlow;

use ringgate_core::base::WallTime;
use ringgate_core::base::hash::fnv1a;
use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::audit::{self, AuditEntry, AuditPage, AuditQuery, Retention};
use super::error::StoreError;
use super::{Change, RECORD_BYTES_MAX, Record, Revision, schema};

/// What one caller wants written, all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// In this order.
    pub changes: Vec<Change>,
    /// The call that asked for it.
    pub audit: Option<AuditEntry>,
}

impl Write {
    /// Refuses what would be too large to be stored.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for change in &self.changes {
            let bytes = change.bytes();
            if bytes > RECORD_BYTES_MAX {
                return Err(StoreError::TooLarge { bytes });
            }
        }
        self.audit.as_ref().map_or(Ok(()), AuditEntry::check)
    }

    pub(super) fn bytes(&self) -> usize {
        self.changes.iter().map(Change::bytes).sum::<usize>() + self.audit.as_ref().map_or(0, AuditEntry::bytes)
    }
}

/// A database of Ringgate, open for writing.
pub struct Database {
    connection: Connection,
    revision: Revision,
}

impl Database {
    /// The database behind `connection`, its tables brought up to date and found whole.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] and [`StoreError::NewerVersion`], both with nothing changed; [`StoreError::Corrupt`],
    /// [`StoreError::ReadOnly`], and those of the device.
    pub fn on(mut connection: Connection) -> Result<Self, StoreError> {
        schema::prepare(&mut connection)?;
        check(&connection, "quick_check('record')")?;
        let revision = revision(&connection)?;
        Ok(Self { connection, revision })
    }

    /// The revision of the last write.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Hands over every record, in the order in which they were first put, until `each` breaks.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names a record that does not read as it was written.
    pub fn load(&self, each: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<(), StoreError> {
        load(&self.connection, each)
    }

    /// Writes all of the group, or nothing of it. Each member makes a revision, in order; gives the first of them.
    ///
    /// # Errors
    /// Those of the device; then nothing has changed, and the database goes on being usable.
    pub fn write(&mut self, group: &[&Write]) -> Result<Revision, StoreError> {
        let first = Revision(self.revision.0 + 1);
        let last = Revision(self.revision.0 + group.len() as u64);
        let written = transact(&mut self.connection, |connection| {
            for write in group {
                write.changes.iter().try_for_each(|change| apply(connection, change))?;
                write.audit.as_ref().map_or(Ok(()), |entry| entry.insert(connection))?;
            }
            let mut count = connection.prepare_cached("UPDATE counter SET value = ?1 WHERE name = 'revision'")?;
            count.execute([last.0.cast_signed()])?;
            Ok(())
        });
        match written {
            Ok(()) => self.revision = last,
            Err(_) => self.settle(),
        }
        written.map(|()| first)
    }

    /// A commit that fails while the log is flushed leaves complete frames in the file. They are not in force, but after
    /// a crash recovery would find them and believe them. A small commit of our own takes their place. If it fails too,
    /// then whichever commit succeeds next does it.
    fn settle(&mut self) {
        let _ = transact(&mut self.connection, |connection| {
            connection.execute("UPDATE counter SET value = value + 1 WHERE name = 'settled'", [])?;
            Ok(())
        });
    }

    /// A page of the trail.
    ///
    /// # Errors
    /// Those of reading.
    pub fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        audit::read(&self.connection, query)
    }

    /// Removes up to `batch` entries of the trail that are too old or too many. Breaks when there are no more.
    ///
    /// # Errors
    /// Those of the device.
    pub fn trim(&mut self, retention: Retention, now: WallTime, batch: u32) -> Result<ControlFlow<()>, StoreError> {
        let trimmed = transact(&mut self.connection, |connection| audit::trim(connection, retention, now, batch));
        if trimmed.is_err() {
            self.settle();
        }
        trimmed
    }
}

pub(super) fn revision(connection: &Connection) -> Result<Revision, StoreError> {
    let mut select = connection.prepare("SELECT value FROM counter WHERE name = 'revision'")?;
    Ok(Revision(select.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned()))
}

pub(super) fn load(connection: &Connection, each: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<(), StoreError> {
    let mut select = connection.prepare("SELECT scope, kind, key, sum, body FROM record ORDER BY rowid")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if each(read_record(row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Runs one of SQLite's checks and makes an error of its findings.
pub(super) fn check(connection: &Connection, pragma: &str) -> Result<(), StoreError> {
    let finding: String = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
    if finding == "ok" { Ok(()) } else { Err(StoreError::Corrupt(finding.replace('\n', "; "))) }
}

fn transact<T>(
    connection: &mut Connection,
    act: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = act(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

fn apply(connection: &Connection, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Put(record) => {
            let mut put = connection.prepare_cached(
                "INSERT INTO record (scope, kind, key, sum, body) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET sum = excluded.sum, body = excluded.body",
            )?;
            put.execute(params![record.scope, record.kind, record.key, sum(record), record.body])?;
        }
        Change::Delete { scope, kind, key } => {
            let mut delete =
                connection.prepare_cached("DELETE FROM record WHERE scope = ?1 AND kind = ?2 AND key = ?3")?;
            delete.execute(params![scope, kind, key])?;
        }
    }
    Ok(())
}

fn read_record(row: &Row<'_>) -> Result<Record, StoreError> {
    let record = Record { scope: row.get(0)?, kind: row.get(1)?, key: row.get(2)?, body: row.get(4)? };
    if row.get::<_, i64>(3)? == sum(&record) {
        return Ok(record);
    }
    let Record { scope, kind, key, .. } = record;
    Err(StoreError::Corrupt(format!("{kind} {key} of {scope} is not as it was written")))
}

/// SQLite finds damage to its own structures, not to what they hold.
fn sum(record: &Record) -> i64 {
    let parts = [record.scope.as_bytes(), record.kind.as_bytes(), record.key.as_bytes(), &record.body];
    fnv1a(&parts).cast_signed()
}
