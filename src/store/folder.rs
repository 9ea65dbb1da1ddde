//! The folder of a database: `ringgate.db`, SQLite's files beside it, and the lock that keeps a second process out.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::BUSY_TIMEOUT;
use super::error::StoreError;

const DATABASE: &str = "ringgate.db";
const LOCK: &str = "lock";
/// What becomes the database when a restore is complete. One that was interrupted leaves it behind.
pub(super) const RESTORING: &str = "restoring.db";
/// API keys are kept as their owners wrote them: nobody else reads this.
pub(super) const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// The database file of a folder.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// Whether nothing of value is in the folder, which need not be there.
pub(super) fn is_empty(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(entries.iter().all(|entry| [LOCK, RESTORING].iter().any(|ours| entry.file_name() == *ours)))
}

/// Proof that this process, and no other, may change the folder. Ends with the value, or with the process.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Makes the folder if there is none, and takes its lock.
    pub(super) fn take(folder: &Path) -> Result<Self, StoreError> {
        make(folder)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
        let mut file = options.open(folder.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { pid: holder(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Only for the message above: a disk without room for it is no reason to stop.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that another thread is just starting has it too, until it begins
        // its own program.
        let _ = self.file.unlock();
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.take(20).read_to_string(&mut text)).ok()?;
    text.parse().ok()
}

/// Makes the folder, and its entry in the folder above durable.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    folder.ancestors().skip(1).filter(|above| above.is_dir()).try_for_each(sync)
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Opens the folder's database, which is made if there is none.
pub(super) fn open(folder: &Path) -> Result<Connection, StoreError> {
    // An absolute path cannot be taken for a URI.
    let path = database(&fs::canonicalize(folder)?);
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&path) {
        Ok(file) => {
            file.sync_all()?;
            sync(folder)?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => close_to_others(&path)?,
        Err(error) => return Err(error.into()),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(path, flags)?)
}

/// Opens the folder's database beside whoever has it open for writing.
pub(super) fn open_to_read(folder: &Path) -> Result<Connection, StoreError> {
    let path = fs::canonicalize(database(folder))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// SQLite gives the files that it makes beside the database the database's mode.
fn close_to_others(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { fs::set_permissions(path, Permissions::from_mode(FILE_MODE)) }
}
