//! `ringgate dev`: serves from memory: a definition file, whose changes it follows, and what the management API makes.

use std::path::{Path, PathBuf};

use super::definition::find_in;
use super::follow::DefinitionFile;
use super::run::{self, Contents, Failure};
use crate::config::Settings;
use crate::control::served::Served;

/// Serves until a signal says to stop. Gives the exit code.
///
/// # Errors
/// [`Failure`] when serving cannot begin.
pub fn run(file: Option<PathBuf>, settings: &Settings) -> Result<u8, Failure> {
    let path = file.or_else(|| find_in(Path::new(".")));
    let file = path.map(|path| DefinitionFile::open(path, settings)).transpose()?;
    run::run(settings, Contents { file, served: Served::default() })
}
