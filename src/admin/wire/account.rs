//! What belongs to an account rather than to an API: keys, plans, domain names, links, certificates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rest_api::EndpointConfiguration;
use super::{EpochSeconds, Texts};

/// Settings of an account (api/API_Account).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Account {
    /// Role for writing logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloudwatch_role_arn: Option<String>,
    /// `UsagePlans`
    pub features: Vec<String>,
}

/// An API key (api/API_ApiKey).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiKey {
    /// Ten characters.
    pub id: String,
    /// The secret itself, 20 to 128 characters. Shown only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// At most 1,024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// AWS Marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is taken.
    pub enabled: bool,
    /// When it was made.
    pub created_date: EpochSeconds,
    /// When it was changed last.
    pub last_updated_date: EpochSeconds,
    /// Counts up with every key of the account: lists show the newest first. Not shown.
    pub ordinal: u64,
    /// `{api}/{stage}`, from before usage plans.
    pub stage_keys: Vec<String>,
    /// Labels of the owner.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Texts,
}

/// A usage plan (api/API_UsagePlan).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsagePlan {
    /// Six characters.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Stages it is for.
    pub api_stages: Vec<ApiStage>,
    /// Rate of each key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ThrottleSettings>,
    /// Requests of each key in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSettings>,
    /// AWS Marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
    /// Labels of the owner.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Texts,
}

/// A stage of a usage plan (api/API_ApiStage).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiStage {
    /// API.
    pub api_id: String,
    /// Stage.
    pub stage: String,
    /// Rates by `{path}/{verb}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub throttle: BTreeMap<String, ThrottleSettings>,
}

/// A rate (api/API_ThrottleSettings).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ThrottleSettings {
    /// Requests at once.
    pub burst_limit: i64,
    /// Requests a second.
    pub rate_limit: f64,
}

/// A quota (api/API_QuotaSettings).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QuotaSettings {
    /// Requests of a period.
    pub limit: i64,
    /// Requests taken off the first period.
    pub offset: i64,
    /// `DAY`, `WEEK` or `MONTH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
}

/// A key of a usage plan (api/API_UsagePlanKey). Stored under `{plan}/{key}`; its other members are the key's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsagePlanKey {
    /// The API key.
    pub id: String,
    /// `API_KEY`
    #[serde(rename = "type")]
    pub kind: String,
    /// Since when the plan has it. Not shown.
    pub joined: EpochSeconds,
}

/// A custom domain name (api/API_DomainName).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DomainName {
    /// The name.
    pub domain_name: String,
    /// Of a private one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_name_id: Option<String>,
    /// Its ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_name_arn: Option<String>,
    /// Certificate of an edge endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_name: Option<String>,
    /// Certificate of an edge endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
    /// When the certificate was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_upload_date: Option<EpochSeconds>,
    /// Where a DNS record for a regional endpoint points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_domain_name: Option<String>,
    /// Zone of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_hosted_zone_id: Option<String>,
    /// Certificate of a regional endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_certificate_name: Option<String>,
    /// Certificate of a regional endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_certificate_arn: Option<String>,
    /// Where a DNS record for an edge endpoint points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_domain_name: Option<String>,
    /// Zone of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_hosted_zone_id: Option<String>,
    /// Endpoint types.
    pub endpoint_configuration: EndpointConfiguration,
    /// `AVAILABLE`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_name_status: Option<String>,
    /// TLS policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<String>,
    /// `BASIC` or `STRICT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_access_mode: Option<String>,
    /// Mutual TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutual_tls_authentication: Option<MutualTlsAuthentication>,
    /// Proof of ownership.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ownership_verification_certificate_arn: Option<String>,
    /// Policy of who may manage a private one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_policy: Option<String>,
    /// Policy of who may call a private one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// `BASE_PATH_MAPPING_ONLY`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_mode: Option<String>,
    /// Labels of the owner.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Texts,
}

/// Mutual TLS of a domain name (api/API_MutualTlsAuthentication).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MutualTlsAuthentication {
    /// Where the trusted certificates are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truststore_uri: Option<String>,
    /// Version of that object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truststore_version: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub truststore_warnings: Vec<String>,
}

/// A path of a domain name that leads to a stage (api/API_BasePathMapping). Stored under `{domain}/{base path}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BasePathMapping {
    /// Without slashes around it; `(none)` for none.
    pub base_path: String,
    /// API.
    pub rest_api_id: String,
    /// Stage; absent: the first segment behind the base path names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

/// A VPC link (api/API_VpcLink).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VpcLink {
    /// Six characters.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Load balancers.
    pub target_arns: Vec<String>,
    /// `AVAILABLE`
    pub status: String,
    /// What AWS says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// Labels of the owner.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Texts,
}

/// A certificate that the gateway shows to back ends (api/API_ClientCertificate).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientCertificate {
    /// Six characters.
    pub client_certificate_id: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The certificate.
    pub pem_encoded_certificate: String,
    /// Its private key. Never shown.
    pub private_key: String,
    /// When it was made.
    pub created_date: EpochSeconds,
    /// When it ends.
    pub expiration_date: EpochSeconds,
    /// Labels of the owner.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Texts,
}

/// A VPC endpoint that may use a private domain name (api/API_DomainNameAccessAssociation). Stored under its ARN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DomainNameAccessAssociation {
    /// Its ARN.
    pub domain_name_access_association_arn: String,
    /// The domain name's.
    pub domain_name_arn: String,
    /// `VPCE`
    pub access_association_source_type: String,
    /// The endpoint.
    pub access_association_source: String,
    /// Labels of the owner.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Texts,
}
