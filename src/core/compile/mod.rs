//! From what a user declared to what shards execute. Whatever can fail, fails here, with a diagnostic.

mod choices;
mod describe;
mod integration;
mod rejection;
pub mod slots;
mod stage;
mod template;
#[cfg(test)]
mod tests;
mod unsupported;
mod validate;

use std::collections::BTreeMap;
use std::fmt;

use crate::base::{Diagnostic, Place, Severity};
use crate::mapping::uri::Scheme;
use crate::mapping::{ContextVariable, Resolve};
use crate::model::rest::MethodName;
use crate::plan::trie::variables;
use crate::record::AccessLogProgram;

pub use slots::{Held, RouteName, Slots, StageName, UpstreamChange};
pub use stage::stage;

/// What a stage is compiled with, beyond its API.
#[derive(Clone, Debug)]
pub struct StageInput<'s> {
    /// Twelve digits.
    pub account_id: &'s str,
    /// Such as `us-east-1`.
    pub region: &'s str,
    /// Ten characters.
    pub api_id: &'s str,
    /// Such as `dev`.
    pub stage_name: &'s str,
    /// `$context.deploymentId`
    pub deployment_id: &'s str,
    /// Whether this is the stage's canary.
    pub is_canary: bool,
    /// Stage variables.
    pub variables: &'s BTreeMap<String, String>,
    /// Origins to replace.
    pub rewrites: &'s [OriginRewrite],
    /// An HTTP proxy for operations without integration: a URL without trailing slash.
    pub backend: Option<&'s str>,
    /// Serve methods without their authorizers and API keys, and say so in each response.
    pub ignores_authorization: bool,
    /// Decision records hold bodies.
    pub records_bodies: bool,
    /// Access log; `None`: the default line.
    pub access_log: Option<&'s AccessLogProgram<ContextVariable>>,
    /// Longest timeout of an integration.
    pub integration_timeout_ms_max: u64,
}

/// An origin that is called elsewhere (`dev --upstream`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRewrite {
    /// Scheme the definition names.
    pub scheme: Scheme,
    /// Host the definition names, an IPv6 address in brackets.
    pub host: String,
    /// Port the definition means.
    pub port: u16,
    /// What stands in their place: `scheme://host[:port]`.
    pub to: String,
}

/// Diagnostics gathered while compiling.
#[derive(Debug, Default)]
pub struct Findings(pub Vec<Diagnostic>);

impl Findings {
    fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        place: Place,
        pointer: impl fmt::Display,
        message: String,
    ) {
        self.0.push(Diagnostic {
            severity,
            rule,
            place,
            pointer: pointer.to_string(),
            message,
            on_aws: String::new(),
            fix: String::new(),
        });
    }

    fn warn(
        &mut self,
        rule: &'static str,
        place: Place,
        pointer: impl fmt::Display,
        message: String,
    ) -> &mut Diagnostic {
        self.add(Severity::Warning, rule, place, pointer, message);
        self.0.last_mut().expect("one was just added")
    }
}

/// A route's names: what expressions and URIs are resolved against.
struct Names<'n> {
    path: &'n str,
    variables: &'n BTreeMap<String, String>,
}

impl Resolve for Names<'_> {
    fn path_variable(&self, name: &str) -> Option<usize> {
        variables(self.path).position(|variable| variable.name == name)
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    fn each_stage_variable(&self, give: &mut dyn FnMut(&str, &str)) {
        self.variables.iter().for_each(|(name, value)| give(name, value));
    }
}

/// A JSON pointer (RFC 6901) to an operation of an OpenAPI document, written out only when something is found there.
#[derive(Clone, Copy, Debug)]
struct Pointer<'p> {
    path: &'p str,
    method: MethodName,
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.replace('~', "~0").replace('/', "~1");
        match self.method {
            MethodName::Any => write!(f, "/paths/{path}/x-amazon-apigateway-any-method"),
            method => write!(f, "/paths/{path}/{}", method.as_str().to_ascii_lowercase()),
        }
    }
}
