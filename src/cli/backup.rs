//! `ringgate backup` and `ringgate restore`: what a gateway keeps, in one file.

use std::io::{self, Write};
use std::path::Path;

use crate::config::store::{BackupSettings, RestoreSettings};
use crate::store::StoreError;
use crate::store::backup::{self, Copied, CopyError, Replace};

/// Copies what is kept to a new file. Gives the exit code.
///
/// # Errors
/// Those of `out` and `err`.
pub fn back_up(settings: &BackupSettings, file: &Path, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    tell(backup::backup(&settings.data, file), "backed up to", file, out, err)
}

/// Makes the backup in `file` what is kept. Gives the exit code.
///
/// # Errors
/// Those of `out` and `err`.
pub fn restore(settings: &RestoreSettings, file: &Path, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let replace = if settings.is_forced { Replace::Everything } else { Replace::Nothing };
    tell(backup::restore(&settings.data, file, replace), "restored from", file, out, err)
}

fn tell(
    copied: Result<Copied, CopyError>,
    done: &str,
    file: &Path,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<u8> {
    match copied {
        Ok(Copied { revision, records, bytes }) => {
            writeln!(out, "{records} records at revision {}, {bytes} bytes, {done} {}", revision.0, file.display())?;
            Ok(0)
        }
        Err(error) => {
            writeln!(err, "ringgate: {error}")?;
            Ok(exit_code(&error))
        }
    }
}

fn exit_code(error: &CopyError) -> u8 {
    match error {
        CopyError::Failed(_, StoreError::Foreign | StoreError::NewerVersion { .. } | StoreError::Corrupt(_)) => 1,
        CopyError::Failed(_, StoreError::Internal(_)) => 70,
        _ => 2,
    }
}
