//! `Resource`, and the methods and integrations inside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Flags, Texts};

/// A node of an API's resource tree (api/API_Resource), with its methods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resource {
    /// Six characters, of the root ten.
    pub id: String,
    /// The resource above; the root has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Last segment of the path; the root has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_part: Option<String>,
    /// Whole path.
    pub path: String,
    /// Methods by verb.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_methods: BTreeMap<String, Method>,
}

/// A method (api/API_Method).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Method {
    /// One of the eight verbs.
    pub http_method: String,
    /// `NONE`, `AWS_IAM`, `CUSTOM` or `COGNITO_USER_POOLS`.
    pub authorization_type: String,
    /// Of `CUSTOM` and `COGNITO_USER_POOLS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_id: Option<String>,
    /// Whether a valid API key must come with the request.
    pub api_key_required: bool,
    /// Validator of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_validator_id: Option<String>,
    /// Name for SDKs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// `method.request.{location}.{name}` and whether it is required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<Flags>,
    /// Content type and model name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_models: Option<Texts>,
    /// Declared responses by status.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub method_responses: BTreeMap<String, MethodResponse>,
    /// What answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method_integration: Option<Integration>,
    /// Scopes of which a token must carry one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_scopes: Vec<String>,
}

/// A declared response (api/API_MethodResponse).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MethodResponse {
    /// Three digits.
    pub status_code: String,
    /// `method.response.header.{name}` and a flag that means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<Flags>,
    /// Content type and model name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_models: Option<Texts>,
}

/// What a method calls (api/API_Integration).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Integration {
    /// `AWS`, `AWS_PROXY`, `HTTP`, `HTTP_PROXY` or `MOCK`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Method towards the back end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// URL or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// `INTERNET` or `VPC_LINK`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<String>,
    /// VPC link, or a stage variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// Role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// `integration.request.{location}.{name}` and its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<Texts>,
    /// Templates by content type. An entry with an empty text passes the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_templates: Option<BTreeMap<String, Option<String>>>,
    /// `WHEN_NO_MATCH`, `WHEN_NO_TEMPLATES` or `NEVER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passthrough_behavior: Option<String>,
    /// `CONVERT_TO_BINARY` or `CONVERT_TO_TEXT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<String>,
    /// Milliseconds, 50 to 29,000.
    pub timeout_in_millis: u32,
    /// The resource's id, unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_namespace: Option<String>,
    /// Parameters of the cache key.
    pub cache_key_parameters: Vec<String>,
    /// Responses by status.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub integration_responses: BTreeMap<String, IntegrationResponse>,
    /// How the back end's certificate is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
    /// `BUFFERED` or `STREAM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_transfer_mode: Option<String>,
    /// Load balancer behind a VPC link of the second kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_target: Option<String>,
}

/// `tlsConfig`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsConfig {
    /// Certificates of unknown issuers are taken.
    pub insecure_skip_verification: bool,
}

/// How an answer of the back end becomes a response (api/API_IntegrationResponse).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IntegrationResponse {
    /// Three digits.
    pub status_code: String,
    /// Java regular expression; absent: the default response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_pattern: Option<String>,
    /// `method.response.header.{name}` and its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<Texts>,
    /// Templates by content type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_templates: Option<BTreeMap<String, Option<String>>>,
    /// `CONVERT_TO_BINARY` or `CONVERT_TO_TEXT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<String>,
}
