//! The tables, their versions, and how a connection is set up.

use rusqlite::config::DbConfig;
use rusqlite::types::FromSql;
use rusqlite::{Connection, TransactionBehavior};

use super::BUSY_TIMEOUT;
use super::error::StoreError;

/// `application_id` of our databases, so that another program's is not taken for one: "RGte".
const APPLICATION_ID: i32 = 0x5247_7465;

/// Each step takes the tables from the version of its index to the next. Steps are never changed once released.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE record (
        scope TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        sum INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (scope, kind, key)
    ) STRICT;
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        scope TEXT NOT NULL,
        operation TEXT NOT NULL,
        access_key TEXT,
        resource TEXT NOT NULL,
        id TEXT NOT NULL,
        source_ip TEXT NOT NULL,
        user_agent TEXT NOT NULL,
        error_code TEXT,
        error_message TEXT,
        request TEXT NOT NULL,
        changed TEXT NOT NULL
    ) STRICT;
    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO counter VALUES ('revision', 0), ('settled', 0);
",
    "
    ALTER TABLE audit ADD COLUMN key_is_verified INTEGER NOT NULL DEFAULT 1;
",
];

/// The version of the tables that this program writes.
pub const VERSION: u32 = MIGRATIONS.len() as u32;

/// The log of changes is cut back to this once it has been copied into the database.
const LOG_BYTES_KEPT: i64 = 16 << 20;

/// What a database file says about itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nothing is in it.
    Empty,
    /// Ours, with tables of this version.
    Ours(u32),
}

/// Whose database it is. Changes nothing.
///
/// # Errors
/// [`StoreError::Foreign`] and [`StoreError::NewerVersion`], and those of reading.
pub fn origin(connection: &Connection) -> Result<Origin, StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, u32::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Ok(Origin::Empty),
        (APPLICATION_ID, Ok(found)) if found > VERSION => Err(StoreError::NewerVersion { found, known: VERSION }),
        (APPLICATION_ID, Ok(found @ 1..)) => Ok(Origin::Ours(found)),
        _ => Err(StoreError::Foreign),
    }
}

/// Makes the connection one on which a commit that returns is on the disk, and brings the tables up to [`VERSION`].
///
/// # Errors
/// Those of [`origin`], and [`StoreError::ReadOnly`]. In both cases the database is as it was.
pub fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Until we know that the database is ours to change, closing the connection must not change it either.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let origin = origin(connection)?;
    if connection.is_readonly("main")? {
        return Err(StoreError::ReadOnly);
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    write_ahead(connection)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |row| row.get::<_, i64>(0))?;
    // In a write-ahead log, FULL is what makes every commit wait for the device.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    settle(connection)?;
    migrate(connection, origin)
}

/// In another mode a commit that was answered may be undone by a loss of power. SQLite answers with the mode that it is
/// in, and another one than was asked for is no error to it.
fn write_ahead(connection: &Connection) -> Result<(), StoreError> {
    let mode: String = ask(connection, "PRAGMA journal_mode = WAL")?;
    match mode.as_str() {
        "wal" | "memory" => Ok(()),
        mode => Err(StoreError::Io(format!("its log cannot be written; the database stays in mode `{mode}`"))),
    }
}

/// What a process that died has left in the log is read from memory of the kernel, which does not say whether it ever
/// reached the device: after a flush that failed, it may not, and whatever is written behind it would be lost with it.
/// So it is copied into the database and flushed before anything is built on it.
fn settle(connection: &Connection) -> Result<(), StoreError> {
    // A reader that keeps part of the log in use (a backup) does not keep us from starting.
    ask::<i64>(connection, "PRAGMA wal_checkpoint(TRUNCATE)").map(drop)
}

/// The answer of a pragma that does something. It is read to its end: SQLite answers first and writes afterwards, and
/// whoever stops at the answer does not learn that the writing failed.
pub fn ask<T: FromSql>(connection: &Connection, pragma: &str) -> Result<T, StoreError> {
    let mut statement = connection.prepare(pragma)?;
    let mut rows = statement.query([])?;
    let answer = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?.get(0)?;
    while rows.next()?.is_some() {}
    Ok(answer)
}

fn migrate(connection: &mut Connection, origin: Origin) -> Result<(), StoreError> {
    let found = match origin {
        Origin::Empty => 0,
        Origin::Ours(version) => version,
    };
    for (step, version) in MIGRATIONS.iter().zip(1_u32..).skip(found as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
    Ok(())
}
