//! `RestApi` and what is declared with it.

use serde::{Deserialize, Serialize};

use super::{EpochSeconds, Texts};

/// A REST API (api/API_RestApi).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RestApi {
    /// Ten characters of `[a-z0-9]`.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Never empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was made.
    pub created_date: EpochSeconds,
    /// `info.version` of the document it was imported from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Media types whose payloads are binary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub binary_media_types: Vec<String>,
    /// Bytes, 0 to 10,485,760; absent: nothing is compressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_compression_size: Option<u32>,
    /// `HEADER` or `AUTHORIZER`.
    pub api_key_source: String,
    /// Where it can be reached.
    pub endpoint_configuration: EndpointConfiguration,
    /// Resource policy, a JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Labels of the owner.
    pub tags: Texts,
    /// The default host answers 403.
    pub disable_execute_api_endpoint: bool,
    /// Resource of path `/`.
    pub root_resource_id: String,
    /// TLS policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<String>,
    /// `BASIC` or `STRICT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_access_mode: Option<String>,
}

/// Endpoint types of an API or of a domain name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointConfiguration {
    /// `EDGE`, `REGIONAL` or `PRIVATE`.
    pub types: Vec<String>,
    /// `ipv4` or `dualstack`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address_type: Option<String>,
    /// VPC endpoints of a private API.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vpc_endpoint_ids: Vec<String>,
}
