//! The access log's file, which does not fill the page cache.
//!
//! A log is written once and read by few, and soon. Left to itself it takes new memory for every line until the whole
//! cache is log, and new memory is the dearest part of writing. So writing to the disk begins when a mebibyte is
//! complete, and what is [`KEPT_BYTES`] behind is given back: the same memory serves again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::Path;

use rustix::fs::{Advice, fadvise};

/// How much is told to the kernel at a time.
const STEP_BYTES: NonZeroU64 = NonZeroU64::new(1 << 20).unwrap();
/// What stays in memory for whoever follows the log.
const KEPT_BYTES: u64 = 8 << 20;

/// A file that is only appended to.
pub struct LogFile {
    file: File,
    /// Where the next step begins, and how much of it there is. Another program may have cut the file short: then
    /// advice is about nothing, and does no harm.
    step: u64,
    ahead: u64,
}

impl LogFile {
    /// Opens the end of a file, made if it is not there.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let step = file.metadata()?.len();
        Ok(Self { file, step, ahead: 0 })
    }

    /// Tells the kernel about complete steps. Pages that are not on the disk yet are sent there and stay; those that
    /// are go. What is no file on a disk refuses, and needs none of it.
    fn advise(&mut self) {
        while self.ahead >= STEP_BYTES.get() {
            let _ = fadvise(&self.file, self.step, Some(STEP_BYTES), Advice::DontNeed);
            if let Some(old) = self.step.checked_sub(KEPT_BYTES) {
                let _ = fadvise(&self.file, old, Some(STEP_BYTES), Advice::DontNeed);
            }
            self.step += STEP_BYTES.get();
            self.ahead -= STEP_BYTES.get();
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.ahead += count as u64;
        self.advise();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
