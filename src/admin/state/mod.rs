//! All that the management API knows, in memory: what is stored is this, record by record.
//!
//! A call that writes works on a copy. Copies share every record that was not touched, so what a call has changed is
//! found by comparing addresses ([`records`]): no operation can forget to store what it did, and one that fails has
//! done nothing.

pub mod adopt;
pub mod changes;
pub mod convert;
pub mod drift;
pub mod records;
pub mod serving;
pub mod usage;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use ringgate_core::model::rest;
use serde::{Deserialize, Serialize};

use super::wire::account::{
    Account, ApiKey, BasePathMapping, ClientCertificate, DomainName, DomainNameAccessAssociation, UsagePlan,
    UsagePlanKey, VpcLink,
};
use super::wire::deployment::{Deployment as DeploymentDocument, Stage};
use super::wire::error::Error;
use super::wire::parts::{
    Authorizer, DocumentationPart, DocumentationVersion, GatewayResponse, Model, RequestValidator,
};
use super::wire::resource::{Method, Resource};
use super::wire::rest_api::RestApi;
use usage::Usage;

/// Things by id.
pub type Collection<T> = BTreeMap<String, Arc<T>>;

/// Whose state it is: nothing is shared between two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// Twelve digits.
    pub account: Arc<str>,
    /// `us-east-1`, …
    pub region: Arc<str>,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (account, region) = text.split_once('/').ok_or("its scope is not an account and a region")?;
        Ok(Self { account: account.into(), region: region.into() })
    }
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// By account and region.
    pub tenants: BTreeMap<Scope, Arc<Tenant>>,
}

/// What an account has in a region.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    /// Settings.
    pub account: Arc<Account>,
    /// REST APIs.
    pub apis: Collection<Api>,
    /// API keys.
    pub api_keys: Collection<ApiKey>,
    /// Usage plans.
    pub usage_plans: Collection<UsagePlan>,
    /// Keys of plans, by `{plan}/{key}`.
    pub usage_plan_keys: Collection<UsagePlanKey>,
    /// What they have used, by the same.
    pub usages: Collection<Usage>,
    /// Custom domain names, by name.
    pub domain_names: Collection<DomainName>,
    /// Their paths, by `{domain}/{base path}`.
    pub base_path_mappings: Collection<BasePathMapping>,
    /// Who may use private domain names, by ARN.
    pub access_associations: Collection<DomainNameAccessAssociation>,
    /// VPC links.
    pub vpc_links: Collection<VpcLink>,
    /// Client certificates.
    pub client_certificates: Collection<ClientCertificate>,
}

/// A REST API: its definition as it is being edited, and what was deployed of it.
#[derive(Clone, Debug, Default)]
pub struct Api {
    /// What a deployment freezes.
    pub definition: Definition,
    /// Deployments.
    pub deployments: Collection<Deployment>,
    /// Stages, by name.
    pub stages: Collection<Stage>,
    /// Documentation, as it was when it was given a version.
    pub documentation_versions: Collection<DocumentationVersion>,
}

/// The part of an API that a deployment freezes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The API itself.
    pub rest_api: Arc<RestApi>,
    /// Resources.
    pub resources: Collection<Resource>,
    /// Models, by name.
    pub models: Collection<Model>,
    /// Request validators.
    pub request_validators: Collection<RequestValidator>,
    /// Authorizers.
    pub authorizers: Collection<Authorizer>,
    /// Customized gateway responses, by type.
    pub gateway_responses: Collection<GatewayResponse>,
    /// Documentation.
    pub documentation_parts: Collection<DocumentationPart>,
}

/// A deployment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Deployment {
    /// What is told of it.
    pub document: DeploymentDocument,
    /// The API as it was.
    pub definition: Arc<Definition>,
    /// The same for compiling, made when it is first served.
    #[serde(skip)]
    model: Arc<OnceLock<Arc<rest::RestApi>>>,
}

impl Definition {
    /// All methods, each with its resource and its verb.
    pub fn methods(&self) -> impl Iterator<Item = (&Resource, &str, &Method)> {
        self.resources.values().flat_map(|resource| {
            let methods = resource.resource_methods.iter();
            methods.map(move |(verb, method)| (&**resource, verb.as_str(), method))
        })
    }
}

impl Deployment {
    /// A deployment of `definition`.
    pub fn new(document: DeploymentDocument, definition: Arc<Definition>) -> Self {
        Self { document, definition, model: Arc::default() }
    }

    /// The API as it was, for compiling. The same one each time, so that what is compiled of it can be kept.
    pub fn model(&self) -> Arc<rest::RestApi> {
        self.model.get_or_init(|| Arc::new(convert::to_model(&self.definition))).clone()
    }
}

impl Tenant {
    /// An API to be changed.
    pub fn api_mut(&mut self, id: &str) -> Option<&mut Api> {
        self.apis.get_mut(id).map(Arc::make_mut)
    }

    /// The resource of a call about resources, methods or integrations: an unknown API is told as an unknown resource.
    ///
    /// # Errors
    /// There is none.
    pub fn resource(&self, api: &str, id: &str) -> Result<&Resource, Error> {
        let api = self.apis.get(api).ok_or_else(Error::unknown_resource)?;
        api.definition.resources.get(id).map(Arc::as_ref).ok_or_else(Error::unknown_resource)
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// There is none.
    pub fn resource_mut(&mut self, api: &str, id: &str) -> Result<&mut Resource, Error> {
        let api = self.api_mut(api).ok_or_else(Error::unknown_resource)?;
        api.definition.resources.get_mut(id).map(Arc::make_mut).ok_or_else(Error::unknown_resource)
    }

    /// A method.
    ///
    /// # Errors
    /// There is none, or no resource.
    pub fn method(&self, api: &str, resource: &str, verb: &str) -> Result<&Method, Error> {
        self.resource(api, resource)?.resource_methods.get(verb).ok_or_else(unknown_method)
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// There is none, or no resource.
    pub fn method_mut(&mut self, api: &str, resource: &str, verb: &str) -> Result<&mut Method, Error> {
        self.resource_mut(api, resource)?.resource_methods.get_mut(verb).ok_or_else(unknown_method)
    }
}

fn unknown_method() -> Error {
    Error::not_found("Invalid Method identifier specified")
}
