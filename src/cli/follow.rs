//! The definition file of `dev`: read at start, and again whenever it has changed.

use std::path::PathBuf;
use std::sync::Arc;

use ringgate_core::base::Diagnostic;
use ringgate_core::base::hash::id_of;
use ringgate_core::model::rest::RestApi;

use super::definition::Reading;
use super::run::{Failure, banner, wrong_call};
use crate::config::Settings;
use crate::config::settings::StageSettings;
use crate::control::gateway::Gateway;
use crate::control::served::{DeploymentSpec, StageReport, StageSpec};
use crate::control::supervise::aside;
use crate::control::watch::Watch;

/// A definition file that could be read.
pub struct DefinitionFile {
    path: PathBuf,
    reading: Reading,
    stage: StageSettings,
    text: String,
    api: Arc<RestApi>,
    diagnostics: Vec<Diagnostic>,
}

impl DefinitionFile {
    /// Reads it for the first time: what is wrong with it keeps `dev` from starting.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be read or is refused.
    pub fn open(path: PathBuf, settings: &Settings) -> Result<Self, Failure> {
        let reading = Reading {
            kind: settings.kind,
            limits: settings.limits,
            account: settings.stage.account.clone(),
            region: settings.stage.region.clone(),
        };
        let read = reading.read_file(&path);
        let (text, definition) = read.map_err(|error| wrong_call(format!("{}: {error}", path.display())))?;
        let Some(api) = definition.api else {
            banner::print_findings(&path, definition.diagnostics);
            return Err(Failure { message: format!("{} is refused: see above", path.display()), code: 1 });
        };
        let (stage, diagnostics) = (settings.stage.clone(), definition.diagnostics);
        Ok(Self { path, reading, stage, text, api: Arc::new(api), diagnostics })
    }

    /// The stage it makes. The API of a file has an id that survives restarts.
    pub fn spec(&self) -> StageSpec {
        let api_id = id_of(&[self.api.name.as_bytes()]);
        let deployment = DeploymentSpec {
            deployment_id: id_of(&[api_id.as_bytes(), self.text.as_bytes()]),
            api: self.api.clone(),
            variables: Arc::new(self.stage.variables.clone()),
        };
        StageSpec {
            account_id: self.stage.account.clone(),
            region: self.stage.region.clone(),
            api_id,
            stage_name: self.stage.stage.clone(),
            deployment,
            canary: None,
            access_log_format: None,
            is_default_endpoint_disabled: self.api.disable_execute_api_endpoint,
        }
    }

    /// Says what there is to say about it.
    pub fn print_findings(&mut self, compiled: Vec<StageReport>) {
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        diagnostics.extend(compiled.into_iter().flat_map(|stage| stage.findings));
        banner::print_findings(&self.path, diagnostics);
    }

    /// Serves what it says whenever that changes, for ever.
    pub async fn follow(mut self, gateway: Arc<Gateway>) {
        let mut watch = Watch::new(self.path.clone());
        loop {
            watch.changed().await;
            let is_new;
            (self, is_new) = aside(move || self.reread()).await;
            if is_new {
                self.serve(&gateway).await;
            }
        }
    }

    /// Reads it again. Whether it is another definition than before.
    fn reread(mut self) -> (Self, bool) {
        let file = self.path.display().to_string();
        match self.reading.read_text(&self.path) {
            Ok(same) if same == self.text => return (self, false),
            Ok(changed) => self.text = changed,
            Err(error) => {
                eprintln!("ringgate: {file}: {error}; the version before goes on being served");
                return (self, false);
            }
        }
        let definition = self.reading.read(&self.text);
        let Some(api) = definition.api else {
            banner::print_findings(&self.path, definition.diagnostics);
            eprintln!("ringgate: {file} is refused; the version before goes on being served");
            return (self, false);
        };
        self.api = Arc::new(api);
        self.diagnostics = definition.diagnostics;
        (self, true)
    }

    async fn serve(&mut self, gateway: &Gateway) {
        let published = gateway.serve_file(self.spec()).await;
        let routes: usize = published.compiled.iter().map(|stage| stage.routes).sum();
        self.print_findings(published.compiled);
        eprintln!("ringgate: {} has changed: {routes} routes are being served", self.path.display());
    }
}
