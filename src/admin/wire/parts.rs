//! What an API has besides resources: models, validators, authorizers, gateway responses, documentation.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{EpochSeconds, Texts};

/// A named schema (api/API_Model).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Model {
    /// Six characters.
    pub id: String,
    /// Alphanumeric, unique within the API.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Media type of the body it describes.
    pub content_type: String,
}

/// A request validator (api/API_RequestValidator).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestValidator {
    /// Six characters.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Checks bodies against models.
    pub validate_request_body: bool,
    /// Checks that required parameters are there.
    pub validate_request_parameters: bool,
}

/// An authorizer (api/API_Authorizer).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Authorizer {
    /// Six characters.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `TOKEN`, `REQUEST` or `COGNITO_USER_POOLS`.
    #[serde(rename = "type")]
    pub kind: String,
    /// User pools.
    #[serde(rename = "providerARNs", skip_serializing_if = "Vec::is_empty")]
    pub provider_arns: Vec<String>,
    /// For exports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    /// Invocation URI of a function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_uri: Option<String>,
    /// Role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_credentials: Option<String>,
    /// Comma list of parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_source: Option<String>,
    /// What a token must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_validation_expression: Option<String>,
    /// Seconds, 0 to 3,600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_result_ttl_in_seconds: Option<u32>,
}

/// A customized gateway response (api/API_GatewayResponse).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayResponse {
    /// One of the 21 types.
    pub response_type: String,
    /// Three digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<String>,
    /// `gatewayresponse.header.{name}` and its source.
    pub response_parameters: Texts,
    /// Templates by content type.
    pub response_templates: Texts,
    /// AWS's own, not customized.
    pub default_response: bool,
}

/// A piece of documentation (api/API_DocumentationPart).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentationPart {
    /// Six characters.
    pub id: String,
    /// What it documents.
    pub location: DocumentationPartLocation,
    /// JSON text.
    pub properties: String,
}

/// What a piece of documentation is about (api/API_DocumentationPartLocation).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentationPartLocation {
    /// `API`, `METHOD`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Path of a resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Verb.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<String>,
    /// Name of a parameter, model or authorizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Documentation as it was at a time (api/API_DocumentationVersion).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentationVersion {
    /// Its name.
    pub version: String,
    /// When it was made.
    pub created_date: EpochSeconds,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The parts as they were then. Not shown.
    pub parts: Vec<DocumentationPart>,
}

impl DocumentationVersion {
    /// What is told of it.
    pub fn shown(&self) -> Value {
        let mut shown = serde_json::json!(self);
        if let Some(members) = shown.as_object_mut() {
            members.remove("parts");
        }
        shown
    }
}
