//! `GetExport`: a stage's API as an OpenAPI document that imports to the same API again
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-export-api.html>).
//!
//! The shapes are those of AWS's own exports: texts such as `200 response`, `consumes` and `produces` made of models
//! and templates, and only the models that something refers to. Paths stand in the order of the alphabet, all else in
//! the order of the API, so that two exports of one API are the same text.

mod documentation;
mod extensions;
mod integration;
mod operation;
mod security;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

pub use yaml::to_yaml;

use crate::model::documentation::DocumentationVersion;
use crate::model::rest::{Model, Resource, RestApi};

use super::references::{References, reachable};
use documentation::Texts;
use security::Schemes;

/// What to export, and the facts about a stage that are not in its API.
#[derive(Clone, Copy, Debug)]
pub struct ExportOptions<'a> {
    /// Host of the stage: `{id}.execute-api.{region}.amazonaws.com`.
    pub host: &'a str,
    /// Name of the stage.
    pub stage: &'a str,
    /// When the API was made, in ISO 8601; the version of an API that has none.
    pub created_date: &'a str,
    /// What is written besides plain OpenAPI.
    pub extensions: Extensions,
    /// The documentation version that the stage points at.
    pub documentation: Option<&'a DocumentationVersion>,
}

/// The query parameter `extensions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// `integrations`: what each method calls.
    pub integrations: bool,
    /// `authorizers`: who may call, beyond the names of the schemes.
    pub authorizers: bool,
    /// `documentation`: the documentation parts.
    pub documentation: bool,
    /// `apigateway`: all that AWS's extensions can say, the other three included.
    pub apigateway: bool,
}

impl Extensions {
    /// All of them.
    pub const ALL: Self = Self { integrations: true, authorizers: true, documentation: true, apigateway: true };

    /// Reads a list of names between commas. `postman` is known and adds nothing: what Postman reads is in every
    /// export.
    ///
    /// # Errors
    /// The name that is none of AWS's.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut extensions = Self::default();
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "integrations" => extensions.integrations = true,
                "authorizers" => extensions.authorizers = true,
                "documentation" => extensions.documentation = true,
                "apigateway" => extensions = Self::ALL,
                "postman" => {}
                unknown => return Err(unknown.to_owned()),
            }
        }
        Ok(extensions)
    }
}

/// The dialects of an export: the path parameter `exportType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportType {
    /// `swagger`: Swagger 2.0.
    Swagger,
    /// `oas30`: OpenAPI 3.0.
    Oas30,
}

impl ExportType {
    /// AWS's spelling, which also begins the name of the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Swagger => "swagger",
            Self::Oas30 => "oas30",
        }
    }

    /// The type of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Swagger, Self::Oas30].into_iter().find(|kind| kind.as_str() == text)
    }

    const fn references(self) -> References<'static> {
        match self {
            Self::Swagger => References::Definitions,
            Self::Oas30 => References::Components,
        }
    }
}

/// The version that an export of the API states, which is also part of its file's name.
pub fn stated_version<'a>(api: &'a RestApi, options: &ExportOptions<'a>) -> &'a str {
    api.version.as_deref().filter(|version| !version.is_empty()).unwrap_or(options.created_date)
}

/// The document as Swagger 2.0.
///
/// # Errors
/// As for [`export`].
pub fn swagger(api: &RestApi, options: &ExportOptions<'_>) -> Result<Value, String> {
    export(api, ExportType::Swagger, options)
}

/// The document as OpenAPI 3.0.
///
/// # Errors
/// As for [`export`].
pub fn oas30(api: &RestApi, options: &ExportOptions<'_>) -> Result<Value, String> {
    export(api, ExportType::Oas30, options)
}

/// The document in the dialect `export_type`.
///
/// # Errors
/// The message of a `BadRequestException`: a body of a method has models, and none of them for JSON, which Swagger
/// cannot say and AWS does not.
pub fn export(api: &RestApi, export_type: ExportType, options: &ExportOptions<'_>) -> Result<Value, String> {
    let schemes = Schemes::new(api, options.extensions.authorizers);
    let export = Export { api, export_type, options, schemes, texts: Texts::new(options.documentation) };
    export.document().map(Value::Object)
}

/// One export on its way.
struct Export<'a> {
    api: &'a RestApi,
    export_type: ExportType,
    options: &'a ExportOptions<'a>,
    schemes: Schemes<'a>,
    texts: Texts<'a>,
}

impl Export<'_> {
    fn document(&self) -> Result<Map<String, Value>, String> {
        let mut document = self.head();
        document.insert("paths".to_owned(), self.paths()?);
        match self.export_type {
            ExportType::Swagger => {
                insert_full(&mut document, "securityDefinitions", self.security_schemes());
                insert_full(&mut document, "definitions", self.schemas());
            }
            ExportType::Oas30 => {
                let mut components = Map::new();
                insert_full(&mut components, "schemas", self.schemas());
                insert_full(&mut components, "securitySchemes", self.security_schemes());
                document.insert("components".to_owned(), Value::Object(components));
            }
        }
        if self.options.extensions.apigateway {
            self.add_extensions(&mut document);
        }
        self.add_documentation_parts(&mut document);
        Ok(document)
    }

    /// Everything before the paths.
    fn head(&self) -> Map<String, Value> {
        let (host, stage) = (self.options.host, self.options.stage);
        match self.export_type {
            ExportType::Swagger => object([
                ("swagger", json!("2.0")),
                ("info", self.info(&["description", "version", "title"])),
                ("host", json!(host)),
                ("basePath", json!(format!("/{stage}"))),
                ("schemes", json!(["https"])),
            ]),
            ExportType::Oas30 => {
                let mut server = object([
                    ("url", json!(format!("https://{host}/{{basePath}}"))),
                    ("variables", json!({"basePath": {"default": stage}})),
                ]);
                if self.options.extensions.apigateway {
                    self.add_endpoint_configuration(&mut server);
                }
                object([
                    ("openapi", json!("3.0.1")),
                    ("info", self.info(&["title", "description", "version"])),
                    ("servers", json!([server])),
                ])
            }
        }
    }

    fn info(&self, order: &[&str]) -> Value {
        let mut info = Map::new();
        for name in order {
            let text = match *name {
                "title" => Some(self.api.name.as_str()),
                "description" => self.api.description.as_deref(),
                _ => Some(stated_version(self.api, self.options)),
            };
            insert(&mut info, name, text.map(Value::from));
        }
        info.extend(self.texts.of_info());
        Value::Object(info)
    }

    /// Every path that has methods, and those that would be lost because nothing lies below them.
    fn paths(&self) -> Result<Value, String> {
        let parents: HashSet<&str> = self.api.resources.iter().filter_map(parent_path).collect();
        let is_lost = |resource: &Resource| resource.path != "/" && !parents.contains(resource.path.as_str());
        let is_shown = |resource: &&Resource| !resource.methods.is_empty() || is_lost(resource);
        let mut resources: Vec<&Resource> = self.api.resources.iter().filter(is_shown).collect();
        resources.sort_by(|a, b| a.path.cmp(&b.path));
        let mut paths = Map::new();
        for resource in resources {
            paths.insert(resource.path.clone(), self.path_item(resource)?);
        }
        Ok(Value::Object(paths))
    }

    /// The models that the operations refer to, and the models that those refer to.
    fn schemas(&self) -> Map<String, Value> {
        let methods = self.api.resources.iter().flat_map(|resource| &resource.methods);
        let lists = methods.flat_map(|method| {
            let responses = method.responses.iter().map(|response| &response.models);
            responses.chain([&method.request_models])
        });
        let names = lists.flat_map(|models| self.shown_models(models));
        let models = reachable(&self.api.models, names).into_iter();
        models.filter_map(|model| Some((model.name.clone(), self.schema(model)?))).collect()
    }

    /// A schema; nothing for what is no JSON.
    fn schema(&self, model: &Model) -> Option<Value> {
        let mut schema = self.export_type.references().write(&model.schema);
        self.texts.of_model(&model.name, schema.as_object_mut()?);
        Some(schema)
    }
}

fn parent_path(resource: &Resource) -> Option<&str> {
    resource.path.rsplit_once('/').map(|(parent, _)| parent)
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn insert(into: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value);
    }
}

/// A member that is left out when there is nothing in it.
fn insert_full(into: &mut Map<String, Value>, name: &str, members: Map<String, Value>) {
    if !members.is_empty() {
        into.insert(name.to_owned(), Value::Object(members));
    }
}
