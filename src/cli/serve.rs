//! `ringgate serve`: serves what the management API was told, and keeps it.

use std::sync::Arc;

use super::run::{self, Contents, Failure, our_fault, wrong_call};
use crate::admin::Management;
use crate::config::Settings;
use crate::config::settings::LimitSet;
use crate::config::store::StoreSettings;
use crate::store::Store;

/// Serves until a signal says to stop. Gives the exit code.
///
/// # Errors
/// [`Failure`] when serving cannot begin.
pub fn run(settings: &Settings, kept: &StoreSettings) -> Result<u8, Failure> {
    let store = Store::open(&kept.data, kept.retention);
    let store = store.map_err(|error| wrong_call(format!("--data {}: {error}", kept.data.display())))?;
    let relaxed = settings.limits == LimitSet::Relaxed;
    let management = Arc::new(Management::load(store, relaxed).map_err(our_fault)?);
    run::run(settings, Contents { file: None, management })
}
