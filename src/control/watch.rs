//! Noticing that the definition file has changed.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

/// How often the file is looked at. A look is one system call.
const INTERVAL: Duration = Duration::from_millis(200);

/// What tells one state of a file from another without reading it.
type Stamp = (u64, u64, i64, i64);

/// Watches one file by looking at it: that works on every file system, and across the ways editors have of replacing a
/// file.
pub struct Watch {
    path: PathBuf,
    seen: Option<Stamp>,
}

impl Watch {
    /// Watches the file at `path`. It may have been touched since it was read: the first look says so.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// Waits until the file was touched and has stayed the same for one look, so that a half-written one is not taken.
    /// May be dropped and called again.
    pub async fn changed(&mut self) {
        loop {
            let before = self.stamp();
            tokio::time::sleep(INTERVAL).await;
            let stamp = self.stamp();
            if stamp.is_none() || stamp != before || stamp == self.seen {
                continue;
            }
            self.seen = stamp;
            return;
        }
    }

    fn stamp(&self) -> Option<Stamp> {
        let of = |metadata: Metadata| (metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec());
        std::fs::metadata(&self.path).ok().map(of)
    }
}
