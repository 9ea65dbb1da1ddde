//! [`Disk`] as a file system of SQLite.
//!
//! Justification: SQLite knows file systems as tables of C functions, and only below them can a test see what the
//! database asks of its device.
//! Safety: SQLite calls the functions of a file only between a successful open and its close, with buffers of the
//! lengths that it names, and one connection at a time is open on a disk, so the memory that it shares is not moved or
//! freed under it. Disks and tables are leaked and live as long as the process.

#![allow(unsafe_code, reason = "see above")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use rusqlite::ffi::*;

use crate::disk::{Disk, Failure, Inode};

const NAME_BYTES_MAX: c_int = 512;

/// A disk and the name under which SQLite knows it.
#[derive(Clone, Copy)]
pub struct Mounted {
    pub name: &'static CStr,
    disk: &'static Mutex<Disk>,
}

impl Mounted {
    pub fn disk(&self) -> MutexGuard<'static, Disk> {
        self.disk.lock().expect("no panic while it is held")
    }
}

/// Makes a disk a file system of SQLite, for as long as the process lives.
pub fn mount(disk: Disk) -> Mounted {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("failing-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let name: &'static CStr = Box::leak(CString::new(name).expect("no NUL").into_boxed_c_str());
    let disk: &'static Mutex<Disk> = Box::leak(Box::new(Mutex::new(disk)));
    let table = Box::leak(Box::new(sqlite3_vfs {
        iVersion: 1,
        szOsFile: size_of::<Open>() as c_int,
        mxPathname: NAME_BYTES_MAX,
        pNext: std::ptr::null_mut(),
        zName: name.as_ptr(),
        pAppData: std::ptr::from_ref(disk).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_name),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: None,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    // SAFETY: the table is whole and is never freed.
    assert_eq!(unsafe { sqlite3_vfs_register(table, 0) }, SQLITE_OK);
    Mounted { name, disk }
}

/// What SQLite reserves for each open file.
#[repr(C)]
struct Open {
    base: sqlite3_file,
    disk: &'static Mutex<Disk>,
    inode: Inode,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(is_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(map),
    xShmLock: Some(lock_shared),
    xShmBarrier: Some(barrier),
    xShmUnmap: Some(unmap),
    xFetch: None,
    xUnfetch: None,
};

fn code(done: Result<(), Failure>, device: c_int) -> c_int {
    match done {
        Ok(()) => SQLITE_OK,
        Err(Failure::Full) => SQLITE_FULL,
        Err(Failure::Device | Failure::Missing) => device,
    }
}

unsafe fn of<'a>(file: *mut sqlite3_file) -> (MutexGuard<'a, Disk>, Inode) {
    // SAFETY: `open` made it.
    let open = unsafe { &*file.cast::<Open>() };
    (open.disk.lock().expect("no panic while it is held"), open.inode)
}

unsafe fn disk_of(vfs: *mut sqlite3_vfs) -> &'static Mutex<Disk> {
    // SAFETY: `mount` put it there.
    unsafe { &*(*vfs).pAppData.cast() }
}

unsafe fn name_of<'a>(name: *const c_char) -> &'a str {
    // SAFETY: SQLite's names end with NUL.
    unsafe { CStr::from_ptr(name) }.to_str().expect("names of this test")
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: see the top of the file.
    unsafe {
        (*file).pMethods = std::ptr::null();
        assert!(!name.is_null(), "temporary files are kept in memory");
        let disk = disk_of(vfs);
        let opened = disk.lock().expect("no panic").open(name_of(name), flags & SQLITE_OPEN_CREATE != 0);
        let Ok(inode) = opened else { return SQLITE_CANTOPEN };
        file.cast::<Open>().write(Open { base: sqlite3_file { pMethods: &raw const METHODS }, disk, inode });
        if !out.is_null() {
            *out = flags;
        }
    }
    SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: see the top of the file.
    let (disk, name) = unsafe { (disk_of(vfs), name_of(name)) };
    let mut disk = disk.lock().expect("no panic");
    match disk.delete(name) {
        Err(Failure::Missing) => SQLITE_IOERR_DELETE_NOENT,
        deleted => {
            if deleted.is_ok() && sync_folder != 0 {
                disk.sync_folder();
            }
            code(deleted, SQLITE_IOERR_DELETE)
        }
    }
}

unsafe extern "C" fn access(vfs: *mut sqlite3_vfs, name: *const c_char, _flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: see the top of the file.
    unsafe { *out = disk_of(vfs).lock().expect("no panic").exists(name_of(name)).into() };
    SQLITE_OK
}

unsafe extern "C" fn full_name(_: *mut sqlite3_vfs, name: *const c_char, room: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite gives `room` bytes.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > room as usize {
            return SQLITE_CANTOPEN;
        }
        out.copy_from_nonoverlapping(bytes.as_ptr().cast(), bytes.len());
    }
    SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, len: c_int, out: *mut c_char) -> c_int {
    // Salts of logs: they must differ from one another, not be hard to guess.
    static NEXT: AtomicU32 = AtomicU32::new(1);
    // SAFETY: SQLite gives `len` bytes.
    let out = unsafe { slice::from_raw_parts_mut(out.cast::<u8>(), len as usize) };
    for chunk in out.chunks_mut(4) {
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9);
        chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
    }
    len
}

unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, micros: c_int) -> c_int {
    micros
}

unsafe extern "C" fn current_time(_: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite gives room for the number. A Julian day.
    unsafe { *out = 2_460_000.5 };
    SQLITE_OK
}

unsafe extern "C" fn close(_: *mut sqlite3_file) -> c_int {
    SQLITE_OK
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, len: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: see the top of the file.
    let (mut disk, inode, into) = unsafe {
        let (disk, inode) = of(file);
        into.write_bytes(0, len as usize);
        (disk, inode, slice::from_raw_parts_mut(into.cast::<u8>(), len as usize))
    };
    match disk.read(inode, at as usize, into) {
        Ok(read) if read < into.len() => SQLITE_IOERR_SHORT_READ,
        read => code(read.map(drop), SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, len: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: see the top of the file.
    let ((mut disk, inode), bytes) = unsafe { (of(file), slice::from_raw_parts(from.cast::<u8>(), len as usize)) };
    code(disk.write(inode, at as usize, bytes), SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: sqlite3_int64) -> c_int {
    // SAFETY: see the top of the file.
    let (mut disk, inode) = unsafe { of(file) };
    code(disk.truncate(inode, len as usize), SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: see the top of the file.
    let (mut disk, inode) = unsafe { of(file) };
    code(disk.sync(inode), SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn size(file: *mut sqlite3_file, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: see the top of the file.
    unsafe {
        let (disk, inode) = of(file);
        *out = disk.len(inode) as sqlite3_int64;
    }
    SQLITE_OK
}

/// Nobody else is there.
unsafe extern "C" fn lock(_: *mut sqlite3_file, _level: c_int) -> c_int {
    SQLITE_OK
}

unsafe extern "C" fn is_reserved(_: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite gives room for the number.
    unsafe { *out = 0 };
    SQLITE_OK
}

unsafe extern "C" fn control(_: *mut sqlite3_file, _operation: c_int, _argument: *mut c_void) -> c_int {
    SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    4096
}

/// What SQLite's own code for Unix says of every disk.
unsafe extern "C" fn characteristics(_: *mut sqlite3_file) -> c_int {
    SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn map(
    file: *mut sqlite3_file,
    region: c_int,
    _size: c_int,
    makes: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: see the top of the file.
    unsafe {
        let (mut disk, inode) = of(file);
        *out = std::ptr::null_mut();
        match disk.shared(inode, region as usize, makes != 0) {
            Ok(memory) => {
                *out = memory.map_or(std::ptr::null_mut(), |memory| memory.cast());
                SQLITE_OK
            }
            Err(_) => SQLITE_IOERR_SHMMAP,
        }
    }
}

unsafe extern "C" fn lock_shared(_: *mut sqlite3_file, _offset: c_int, _n: c_int, _flags: c_int) -> c_int {
    SQLITE_OK
}

unsafe extern "C" fn barrier(_: *mut sqlite3_file) {}

/// The last to leave takes the memory along, and there is only one.
unsafe extern "C" fn unmap(file: *mut sqlite3_file, _deletes: c_int) -> c_int {
    // SAFETY: see the top of the file.
    let (mut disk, inode) = unsafe { of(file) };
    disk.forget_shared(inode);
    SQLITE_OK
}
