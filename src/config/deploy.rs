//! The commands about deployments: `deploy` and `deployments diff`.

use clap::Args;

use super::admin::{Admin, AdminConfig};
use super::settings::{OutputFormat, Problems, STAGE_DEFAULT, format, stage_name};
use super::values::Invalid;
use super::{Options, Problem, Slot, Written};

/// What the operator wrote for `deploy`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct DeployConfig {
    /// The API with this id [default: the one that is named as the document's title says; else a new one]
    #[arg(long, value_name = "ID")]
    pub api_id: Option<Written>,
    /// The API with this name, which is there already
    #[arg(long, value_name = "NAME")]
    pub name: Option<Written>,
    /// The stage, which is made if it is not there [default: dev]
    #[arg(long, value_name = "NAME")]
    pub stage: Option<Written>,
    /// What the deployment is for
    #[arg(long, value_name = "TEXT")]
    pub description: Option<Written>,
    /// Change nothing, and exit with 1 if there would be changes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub dry_run: Option<Written>,
    /// How it is told [default: human]
    #[arg(long, value_name = "human|json")]
    pub format: Option<Written>,
    /// The gateway.
    #[command(flatten)]
    pub admin: AdminConfig,
}

/// What `deploy` will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploySettings {
    /// On which gateway.
    pub admin: Admin,
    /// Of which API.
    pub api: WhichApi,
    /// On which stage.
    pub stage: String,
    /// What the deployment is for.
    pub description: Option<String>,
    /// Whether it is done, or only told.
    pub effect: Effect,
    /// How it is told.
    pub format: OutputFormat,
}

/// The API that a document is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichApi {
    /// The one with this id.
    Id(String),
    /// The one with this name.
    Name(String),
    /// The one with the document's title, or a new one.
    Titled,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is done.
    Done,
    /// It is told.
    Told,
}

impl DeploySettings {
    /// Reports every problem at once.
    pub fn resolve(config: &DeployConfig) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let id = found.one("api-id", &config.api_id, some_text);
        let name = found.one("name", &config.name, some_text);
        let api = match (id, name) {
            (Some(_), Some(_)) => {
                found.push("--name".to_owned(), "names an API, and so does --api-id", "leave out either");
                WhichApi::Titled
            }
            (Some(id), None) => WhichApi::Id(id),
            (None, Some(name)) => WhichApi::Name(name),
            (None, None) => WhichApi::Titled,
        };
        let settings = Self {
            admin: Admin::resolve(&config.admin, &mut found),
            api,
            stage: found.one("stage", &config.stage, stage_name).unwrap_or_else(|| STAGE_DEFAULT.to_owned()),
            description: found.one("description", &config.description, some_text),
            effect: if found.switch("dry-run", &config.dry_run) { Effect::Told } else { Effect::Done },
            format: format(&config.format, &mut found),
        };
        found.into_result(settings)
    }
}

/// What the operator wrote for `deployments diff`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffConfig {
    /// The API, by its id
    #[arg(long, value_name = "ID")]
    pub api_id: Option<Written>,
    /// How it is told [default: human]
    #[arg(long, value_name = "human|json")]
    pub format: Option<Written>,
    /// The gateway.
    #[command(flatten)]
    pub admin: AdminConfig,
}

/// What `deployments diff` will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffSettings {
    /// On which gateway.
    pub admin: Admin,
    /// Of which API.
    pub api_id: String,
    /// Before and after: deployments, stages, or `current`.
    pub sides: [String; 2],
    /// How it is told.
    pub format: OutputFormat,
}

impl DiffSettings {
    /// Reports every problem at once.
    pub fn resolve(sides: [String; 2], config: &DiffConfig) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        if config.api_id.is_none() {
            found.push("--api-id".to_owned(), "is required", "name the API whose deployments they are");
        }
        let settings = Self {
            admin: Admin::resolve(&config.admin, &mut found),
            api_id: found.one("api-id", &config.api_id, some_text).unwrap_or_default(),
            sides,
            format: format(&config.format, &mut found),
        };
        found.into_result(settings)
    }
}

fn some_text(text: &str) -> Result<String, Invalid> {
    if text.is_empty() { Err(Invalid("is empty".to_owned())) } else { Ok(text.to_owned()) }
}

impl Options for DeployConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "api-id" => Slot::One(&mut self.api_id),
            "name" => Slot::One(&mut self.name),
            "stage" => Slot::One(&mut self.stage),
            "description" => Slot::One(&mut self.description),
            "dry-run" => Slot::One(&mut self.dry_run),
            "format" => Slot::One(&mut self.format),
            _ => return self.admin.slot(key),
        })
    }
}

impl Options for DiffConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "api-id" => Slot::One(&mut self.api_id),
            "format" => Slot::One(&mut self.format),
            _ => return self.admin.slot(key),
        })
    }
}
