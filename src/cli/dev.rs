//! `ringgate dev`: serves from memory: a definition file, whose changes it follows, and what the management API makes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::definition::find_in;
use super::follow::DefinitionFile;
use super::run::{self, Contents, Failure, our_fault};
use crate::admin::Management;
use crate::config::Settings;
use crate::config::settings::LimitSet;
use crate::store::{Retention, Store};

/// Serves until a signal says to stop. Gives the exit code.
///
/// # Errors
/// [`Failure`] when serving cannot begin.
pub fn run(file: Option<PathBuf>, settings: &Settings) -> Result<u8, Failure> {
    let path = file.or_else(|| find_in(Path::new(".")));
    if path.is_none() {
        eprintln!(
            "ringgate: no definition in this folder (openapi, swagger, api or template, .yaml, .yml or .json): starting \
             empty.\n          `ringgate dev FILE` serves a definition; or make an API through the admin URL below:\n          \
             aws --endpoint-url URL apigateway create-rest-api --name NAME"
        );
    }
    let file = path.map(|path| DefinitionFile::open(path, settings)).transpose()?;
    let store = Store::in_memory(Retention::default()).map_err(our_fault)?;
    let relaxed = settings.limits == LimitSet::Relaxed;
    let management = Arc::new(Management::load(store, relaxed).map_err(our_fault)?);
    run::run(settings, Contents { file, management })
}
