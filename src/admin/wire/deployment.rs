//! `Deployment` and `Stage`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{EpochSeconds, Texts};

/// A snapshot of an API (api/API_Deployment).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deployment {
    /// Six characters.
    pub id: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was made.
    pub created_date: EpochSeconds,
}

/// A named reference to a deployment, and how it is served (api/API_Stage).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stage {
    /// What it serves.
    pub deployment_id: String,
    /// Certificate shown to back ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_id: Option<String>,
    /// First segment of the path.
    pub stage_name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether responses may be kept.
    pub cache_cluster_enabled: bool,
    /// GB: `0.5`, `1.6`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_cluster_size: Option<String>,
    /// `NOT_AVAILABLE` or `AVAILABLE`.
    pub cache_cluster_status: String,
    /// Settings by `{resource path without its slash}/{verb}`, `*/*` for all.
    pub method_settings: BTreeMap<String, MethodSetting>,
    /// Stage variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: Texts,
    /// Documentation version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_version: Option<String>,
    /// Access log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_log_settings: Option<AccessLogSettings>,
    /// Part of the traffic that goes to another deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_settings: Option<CanarySettings>,
    /// X-Ray.
    pub tracing_enabled: bool,
    /// Firewall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_acl_arn: Option<String>,
    /// Labels of the owner.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Texts,
    /// When it was made.
    pub created_date: EpochSeconds,
    /// When it was changed last.
    pub last_updated_date: EpochSeconds,
}

/// Settings of a method at a stage (api/API_MethodSetting).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MethodSetting {
    /// Detailed metrics.
    pub metrics_enabled: bool,
    /// `OFF`, `ERROR` or `INFO`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_level: Option<String>,
    /// Bodies in the log.
    pub data_trace_enabled: bool,
    /// Requests at once; -1: as the account.
    pub throttling_burst_limit: i64,
    /// Requests a second; -1: as the account.
    pub throttling_rate_limit: f64,
    /// Whether responses are kept.
    pub caching_enabled: bool,
    /// Seconds, 0 to 3,600.
    pub cache_ttl_in_seconds: i64,
    /// Whether kept responses are encrypted.
    pub cache_data_encrypted: bool,
    /// Whether `Cache-Control: max-age=0` needs authorization.
    pub require_authorization_for_cache_control: bool,
    /// What happens to one without.
    pub unauthorized_cache_control_header_strategy: String,
}

impl Default for MethodSetting {
    fn default() -> Self {
        Self {
            metrics_enabled: false,
            logging_level: None,
            data_trace_enabled: false,
            throttling_burst_limit: -1,
            throttling_rate_limit: -1.0,
            caching_enabled: false,
            cache_ttl_in_seconds: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: true,
            unauthorized_cache_control_header_strategy: "SUCCEED_WITH_RESPONSE_HEADER".to_owned(),
        }
    }
}

/// Where access-log lines go and what they hold (api/API_AccessLogSettings).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLogSettings {
    /// Format with `$context` variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Log group or delivery stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
}

/// A canary release (api/API_CanarySettings).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanarySettings {
    /// 0 to 100.
    pub percent_traffic: f64,
    /// What the canary serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// Variables that differ from the stage's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stage_variable_overrides: Texts,
    /// Whether both share the cache.
    pub use_stage_cache: bool,
}
