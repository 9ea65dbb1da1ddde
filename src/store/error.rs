//! Why the store did not do what it was asked.

use std::fmt;
use std::io;

use rusqlite::ffi::{ErrorCode, SQLITE_IOERR_SHMSIZE};

/// Why something was not stored or read. Nothing of what was asked has happened, and what was there before is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// No room left on the device.
    DiskFull,
    /// The database or its folder may not be written.
    ReadOnly,
    /// Another gateway, or a restore, holds the folder.
    InUse {
        /// Its process, if it said so.
        pid: Option<u32>,
    },
    /// Another program holds a lock on the database longer than [`super::BUSY_TIMEOUT`].
    Busy,
    /// The database was written by a later version of Ringgate. It was not touched.
    NewerVersion {
        /// Version of its tables.
        found: u32,
        /// The latest version that this program knows.
        known: u32,
    },
    /// The file is something else than a database of Ringgate.
    Foreign,
    /// What was written is not what is read: what is wrong.
    Corrupt(String),
    /// A record or an audit entry larger than [`super::RECORD_BYTES_MAX`].
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A commit that it builds on failed: why.
    Orphaned(Box<StoreError>),
    /// Too many writes wait already.
    Overloaded,
    /// The store's thread has ended.
    Stopped,
    /// The device or the file system failed: its words.
    Io(String),
    /// A fault of Ringgate's own.
    Internal(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskFull => f.write_str("the disk is full"),
            Self::ReadOnly => f.write_str("the database may not be written by this process"),
            Self::InUse { pid: Some(pid) } => write!(f, "in use by another process ({pid})"),
            Self::InUse { pid: None } => f.write_str("in use by another process"),
            Self::Busy => f.write_str("the database is locked by another program"),
            Self::NewerVersion { found, known } => {
                write!(f, "written by a later version of Ringgate: its tables are of version {found}, ")?;
                write!(f, "this program knows {known}; nothing was changed")
            }
            Self::Foreign => f.write_str("not a database of Ringgate"),
            Self::Corrupt(what) => write!(f, "the database is damaged: {what}"),
            Self::TooLarge { bytes } => {
                write!(f, "{bytes} bytes are more than the {} that one record may have", super::RECORD_BYTES_MAX)
            }
            Self::Orphaned(why) => write!(f, "a change before it was not stored, for {why}"),
            Self::Overloaded => f.write_str("too many changes wait to be stored"),
            Self::Stopped => f.write_str("the store has stopped"),
            Self::Io(what) => write!(f, "the disk or the file system failed: {what}"),
            Self::Internal(what) => write!(f, "the store failed: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match &error {
            E::SqliteFailure(failure, _) => of_code(failure.code, failure.extended_code, error.to_string()),
            E::SqlInputError { error: failure, .. } => of_code(failure.code, failure.extended_code, error.to_string()),
            // The tables are strict: a value of another type was not written by us.
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..)
            | E::QueryReturnedNoRows => Self::Corrupt(error.to_string()),
            _ => Self::Internal(error.to_string()),
        }
    }
}

fn of_code(code: ErrorCode, extended: i32, words: String) -> StoreError {
    match code {
        ErrorCode::DiskFull => StoreError::DiskFull,
        // The one message of a full disk that SQLite gives another name: no room for the index of its log.
        ErrorCode::SystemIoFailure if extended == SQLITE_IOERR_SHMSIZE => StoreError::DiskFull,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => StoreError::Busy,
        ErrorCode::NotADatabase => StoreError::Foreign,
        ErrorCode::DatabaseCorrupt => StoreError::Corrupt(words),
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory => StoreError::Io(words),
        _ => StoreError::Internal(words),
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::Io(error.to_string()),
        }
    }
}
