//! What the parts of one method must agree on.

use std::collections::HashSet;

use crate::json::Pointer;
use crate::model::rest::{Integration, IntegrationResponse, Method, MethodResponse, ParameterLocation};

use super::Import;
use super::findings::Remark;
use super::tree::variables;
use super::values::Owner;

impl<'d> Import<'d> {
    /// Compares parameters with the path, mappings with parameters, and integration responses with responses.
    pub(super) fn check_method(&mut self, path: &str, method: &Method, at: &Pointer<'_>) {
        self.check_path_parameters(path, method, at);
        let Some(integration) = &method.integration else { return };
        let at = at.key("x-amazon-apigateway-integration");
        let owner = Owner { resource: path, method: method.name.as_str() };
        self.check_sources(method, integration, owner, &at);
        self.check_statuses(method, integration, owner, &at);
    }

    fn check_path_parameters(&mut self, path: &str, method: &Method, at: &Pointer<'_>) {
        let in_path: HashSet<&str> = variables(path).collect();
        for parameter in &method.request_parameters {
            if parameter.location == ParameterLocation::Path && !in_path.contains(parameter.name.as_str()) {
                let message = format!("the path parameter '{}' is not in the path '{path}'", parameter.name);
                let remark = Remark::new("path-parameter", message)
                    .on_aws("Accepted; a validator of parameters then refuses every request.")
                    .fix("Put it into the path as {name}, or remove it.");
                self.findings.warn(remark, method.place, at);
            }
        }
    }

    fn check_sources(&mut self, method: &Method, integration: &Integration, owner: Owner<'_>, at: &Pointer<'_>) {
        let declared: HashSet<(ParameterLocation, &str)> =
            method.request_parameters.iter().map(|p| (p.location, p.name.as_str())).collect();
        let at = at.key("requestParameters");
        for mapping in &integration.request_parameters {
            let Some(source) = method_parameter(&mapping.source) else { continue };
            if !declared.contains(&source) {
                let message = format!("'{}' is mapped and not declared among the parameters", mapping.source);
                let remark = Remark::new("undeclared-parameter", message)
                    .words(owner.unable_to_put_integration(&undeclared(&mapping.source)))
                    .on_aws("Refused: Invalid mapping expression specified.")
                    .fix("Declare it in the operation's parameters.");
                self.findings.warn(remark, mapping.place, &at.key(&mapping.target));
            }
        }
    }

    fn check_statuses(&mut self, method: &Method, integration: &Integration, owner: Owner<'_>, at: &Pointer<'_>) {
        let at = at.key("responses");
        let mut seen = HashSet::new();
        for response in &integration.responses {
            let at = at.key(response.selection_pattern.as_deref().unwrap_or("default"));
            if !seen.insert(response.status_code.as_str()) {
                let message = format!("a second integration response leads to the status {}", response.status_code);
                let remark = Remark::new("repeated-status", message)
                    .on_aws("One integration response for each status: one of the two is lost, and which is not documented.")
                    .fix("Join the patterns with `|`.");
                self.findings.warn(remark, response.place, &at);
            }
            match method.responses.iter().find(|declared| declared.status_code == response.status_code) {
                Some(declared) => self.check_headers(declared, response, owner, &at),
                None => self.warn_undeclared_status(response, &at),
            }
        }
    }

    fn warn_undeclared_status(&mut self, response: &IntegrationResponse, at: &Pointer<'_>) {
        let message = format!("the status {} is not among the operation's responses", response.status_code);
        let remark = Remark::new("undeclared-status", message)
            .on_aws("A selected status without a method response is answered 500.")
            .fix("Declare the status under the operation's `responses`.");
        self.findings.warn(remark, response.place, at);
    }

    fn check_headers(
        &mut self,
        declared: &MethodResponse,
        response: &IntegrationResponse,
        owner: Owner<'_>,
        at: &Pointer<'_>,
    ) {
        let at = at.key("responseParameters");
        let headers: HashSet<&str> = declared.headers.iter().map(String::as_str).collect();
        for mapping in &response.response_parameters {
            let Some(header) = mapping.target.strip_prefix("method.response.header.") else { continue };
            if !headers.contains(header) {
                let message = format!("the header '{header}' is not declared in the response {}", declared.status_code);
                let remark = Remark::new("undeclared-header", message)
                    .words(owner.unable_to_put_response(&undeclared(&mapping.target)))
                    .on_aws("Refused: Invalid mapping expression parameter specified.")
                    .fix("Declare it under the response's `headers`.");
                self.findings.warn(remark, mapping.place, &at.key(&mapping.target));
            }
        }
    }
}

/// What PutIntegration and PutIntegrationResponse say of a mapping from or to what the method does not declare.
fn undeclared(expression: &str) -> String {
    format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {expression}]"
    )
}

/// The declared parameter that a mapping source names.
fn method_parameter(source: &str) -> Option<(ParameterLocation, &str)> {
    let (place, name) = source.strip_prefix("method.request.")?.split_once('.')?;
    let location = match place {
        "path" => ParameterLocation::Path,
        "querystring" | "multivaluequerystring" => ParameterLocation::QueryString,
        "header" | "multivalueheader" => ParameterLocation::Header,
        _ => return None,
    };
    Some((location, name))
}
