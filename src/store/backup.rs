//! A copy of the database while it is being written, and the way back.
//!
//! A backup is one file: a complete database with no log beside it. Both ways end in a rename, so what bears the final
//! name is whole, and both check every record before that.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::error::StoreError;
use super::folder::{self, FILE_MODE, Lock, RESTORING};
use super::schema::{self, Origin};
use super::{BUSY_TIMEOUT, Revision, database};

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The revision it stands at.
    pub revision: Revision,
    /// Records of the control plane.
    pub records: usize,
    /// Size of the file.
    pub bytes: u64,
}

/// What may stand in the way of a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Nothing is replaced: the folder must be empty or not there.
    Nothing,
    /// What the folder has is given up.
    Everything,
}

/// Why nothing was copied. What was there before is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyError {
    /// There is no database, or no such file.
    Missing(PathBuf),
    /// The file is there already, or another backup is writing it.
    Exists(PathBuf),
    /// The folder has something in it.
    NotEmpty(PathBuf),
    /// The file is a database in use and not a backup: part of it is in the log beside it.
    InUse(PathBuf),
    /// What is there cannot be read or written.
    Failed(PathBuf, StoreError),
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{}: there is no such file", path.display()),
            Self::Exists(path) => write!(f, "{}: is there already, and is not overwritten", path.display()),
            Self::NotEmpty(path) => write!(f, "{}: is not empty; --force gives up what it has", path.display()),
            Self::InUse(path) => {
                write!(
                    f,
                    "{}: a database with a log beside it, not a backup; `ringgate backup` makes one",
                    path.display()
                )
            }
            Self::Failed(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for CopyError {}

/// Copies the database of `folder`, which may be in use, to a new `file` for the owner alone.
///
/// # Errors
/// [`CopyError`]; then there is no `file`.
pub fn backup(folder: &Path, file: &Path) -> Result<Copied, CopyError> {
    let source = folder::database(folder);
    if !source.is_file() {
        return Err(CopyError::Missing(source));
    }
    if file.exists() {
        return Err(CopyError::Exists(file.to_owned()));
    }
    let partial = with_suffix(file, ".partial");
    create(&partial).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(partial.clone()),
        _ => CopyError::Failed(partial.clone(), error.into()),
    })?;
    let copied = copy_database(&source, &partial).and_then(|copied| {
        publish(&partial, file)?;
        Ok(copied)
    });
    if copied.is_err() {
        let _ = fs::remove_file(&partial);
    }
    copied
}

fn copy_database(source: &Path, partial: &Path) -> Result<Copied, CopyError> {
    let of_source = |error: StoreError| CopyError::Failed(source.to_owned(), error);
    let of_copy = |error: StoreError| CopyError::Failed(partial.to_owned(), error);
    let from = connect(source).map_err(of_source)?;
    schema::origin(&from).map_err(of_source)?;
    let mut to = connect(partial).map_err(of_copy)?;
    // All at once: one state of the database, during which others go on writing.
    let step = Backup::new(&from, &mut to).and_then(|backup| backup.step(-1));
    match step.map_err(|error| of_source(error.into()))? {
        StepResult::Done => {}
        _ => return Err(of_source(StoreError::Busy)),
    }
    stand_alone(&to).map_err(of_copy)?;
    // Copied bytes are as good as what they were copied from.
    let (revision, records) = verify(&to).map_err(of_source)?;
    to.close().map_err(|(_, error)| of_copy(error.into()))?;
    let bytes = sync(partial).map_err(|error| of_copy(error.into()))?;
    Ok(Copied { revision, records, bytes })
}

/// Gives the finished file its name, unless another has it by now.
fn publish(partial: &Path, file: &Path) -> Result<(), CopyError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(file.to_owned()),
        _ => CopyError::Failed(file.to_owned(), error.into()),
    };
    match renameat_with(CWD, partial, CWD, file, RenameFlags::NOREPLACE) {
        // Network file systems know the other way not to replace anything.
        Err(Errno::INVAL) => fs::hard_link(partial, file).and_then(|()| fs::remove_file(partial)),
        renamed => renamed.map_err(io::Error::from),
    }
    .map_err(failed)?;
    folder::sync(&parent(file)).map_err(failed)
}

/// Makes the backup in `file` the database of `folder`, which no process may have open.
///
/// # Errors
/// [`CopyError`]; then the folder's database is the one it was.
pub fn restore(folder: &Path, file: &Path, replace: Replace) -> Result<Copied, CopyError> {
    if !file.is_file() {
        return Err(CopyError::Missing(file.to_owned()));
    }
    if fs::metadata(with_suffix(file, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(CopyError::InUse(file.to_owned()));
    }
    let failed = |error: StoreError| CopyError::Failed(folder.to_owned(), error);
    if replace == Replace::Nothing && !folder::is_empty(folder).map_err(|error| failed(error.into()))? {
        return Err(CopyError::NotEmpty(folder.to_owned()));
    }
    let _lock = Lock::take(folder).map_err(failed)?;
    let restoring = folder.join(RESTORING);
    let restored = take_in(file, &restoring).and_then(|copied| {
        put_in_place(folder, &restoring).map_err(failed)?;
        Ok(copied)
    });
    if restored.is_err() {
        let _ = fs::remove_file(&restoring);
    }
    restored
}

/// Copies the backup beside the database and looks whether it is one.
fn take_in(file: &Path, restoring: &Path) -> Result<Copied, CopyError> {
    let of_file = |error: StoreError| CopyError::Failed(file.to_owned(), error);
    let of_copy = |error: StoreError| CopyError::Failed(restoring.to_owned(), error);
    let copied = remove(restoring).and_then(|()| {
        let mut to = create(restoring)?;
        io::copy(&mut File::open(file)?, &mut to)
    });
    copied.map_err(|error| of_copy(error.into()))?;
    let connection = connect(restoring).map_err(of_copy)?;
    let verified = schema::origin(&connection).and_then(|origin| match origin {
        Origin::Empty => Err(StoreError::Foreign),
        Origin::Ours(_) => verify(&connection),
    });
    let (revision, records) = verified.map_err(of_file)?;
    stand_alone(&connection).map_err(of_copy)?;
    connection.close().map_err(|(_, error)| of_copy(error.into()))?;
    let bytes = sync(restoring).map_err(|error| of_copy(error.into()))?;
    Ok(Copied { revision, records, bytes })
}

/// Replaces the database. A log of the old one would be taken for the new one's, so it goes first; what it has goes into
/// the old database before that, which is whole until it is replaced.
fn put_in_place(folder: &Path, restoring: &Path) -> Result<(), StoreError> {
    let path = folder::database(folder);
    if path.is_file() {
        match empty_log(&path) {
            // What cannot be read has nothing to lose.
            Ok(()) | Err(StoreError::Corrupt(_) | StoreError::Foreign) => {}
            Err(error) => return Err(error),
        }
    }
    remove(&with_suffix(&path, "-wal"))?;
    remove(&with_suffix(&path, "-shm"))?;
    fs::rename(restoring, &path)?;
    Ok(folder::sync(folder)?)
}

fn empty_log(database: &Path) -> Result<(), StoreError> {
    let connection = connect(database)?;
    let busy: i64 = schema::ask(&connection, "PRAGMA wal_checkpoint(TRUNCATE)")?;
    if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
}

/// Makes the file a database that needs no other file.
fn stand_alone(connection: &Connection) -> Result<(), StoreError> {
    let mode: String = schema::ask(connection, "PRAGMA journal_mode = DELETE")?;
    if mode == "delete" { Ok(()) } else { Err(StoreError::Busy) }
}

/// Reads everything. Gives the revision and the number of records.
fn verify(connection: &Connection) -> Result<(Revision, usize), StoreError> {
    database::check(connection, "integrity_check")?;
    let mut records = 0;
    database::load(connection, &mut |_| {
        records += 1;
        ControlFlow::Continue(())
    })?;
    Ok((database::revision(connection)?, records))
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let path = fs::canonicalize(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes a file durable. Gives its size.
fn sync(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn parent(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
