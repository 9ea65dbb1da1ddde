//! The top level: names, the simple extensions, endpoint configuration, validators, gateway responses, and the paths.

use crate::json::{Key, Kind, Node, Pointer};
use crate::model::rest::{ApiKeySource, Declared, GatewayResponse, RequestValidator};

use super::BasePath;
use super::Import;
use super::findings::Remark;
use super::kind::Version;
use super::scope::{Scope, Why};
use super::tree::Tree;
use super::values::{choice, flag, integer, is_status, mappings, present, templates, text, texts};

/// Gateway response types, in AWS's order
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>).
const RESPONSE_TYPES: [&str; 21] = [
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "MISSING_AUTHENTICATION_TOKEN",
    "BAD_REQUEST_BODY",
    "INVALID_SIGNATURE",
    "INVALID_API_KEY",
    "BAD_REQUEST_PARAMETERS",
    "AUTHORIZER_FAILURE",
    "UNAUTHORIZED",
    "INTEGRATION_TIMEOUT",
    "ACCESS_DENIED",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "WAF_FILTERED",
    "QUOTA_EXCEEDED",
    "THROTTLED",
    "API_CONFIGURATION_ERROR",
    "UNSUPPORTED_MEDIA_TYPE",
    "INTEGRATION_FAILURE",
    "EXPIRED_TOKEN",
];

/// Largest `minimumCompressionSize` in bytes.
const COMPRESSION_BYTES_MAX: u32 = 10_485_760;

impl<'d> Import<'d> {
    /// Everything at the top level except paths, models and security.
    pub(super) fn read_root(&mut self) {
        self.findings.leftovers(self.root, Scope::Root, &Pointer::ROOT);
        self.report_other_version();
        self.read_info();
        self.read_components();
        self.read_tags();
        self.read_simple_extensions();
        self.read_compression();
        self.read_policy();
        self.read_endpoints();
        self.read_validators();
        self.read_gateway_responses();
        self.read_documentation();
    }

    /// Members of the other version of OpenAPI, which nobody reads in this one.
    fn report_other_version(&mut self) {
        let names: &[&str] = match self.version {
            Version::Swagger2 => &["components", "servers"],
            Version::OpenApi3 => &["definitions", "securityDefinitions", "basePath", "consumes", "produces"],
        };
        for name in names {
            if let Some(member) = self.root.member(name) {
                self.findings.ignored(Why::OtherVersion, member, &Pointer::ROOT.key(name));
            }
        }
    }

    fn read_info(&mut self) {
        let at = Pointer::ROOT.key("info");
        let Some(info) = present(self.root, "info") else {
            let remark = Remark::new("missing-title", "the document has no `info`, so the API has no name");
            self.findings.warn(remark.fix("Add info.title and info.version."), self.root.place, &Pointer::ROOT);
            return;
        };
        if !info.is_object() {
            return self.findings.refuse_kind(info, "an object", &at);
        }
        self.findings.leftovers(info, Scope::Info, &at);
        self.api.name = text(info, "title", &at, &mut self.findings).unwrap_or_default();
        self.api.description = text(info, "description", &at, &mut self.findings);
        self.api.version = text(info, "version", &at, &mut self.findings);
        if self.api.name.is_empty() {
            let remark = Remark::new("missing-title", "`info.title` is missing, so the API has no name");
            self.findings.warn(remark.fix("Add info.title."), info.place, &at);
        }
    }

    fn read_components(&mut self) {
        let Some(components) = present(self.root, "components") else { return };
        let at = Pointer::ROOT.key("components");
        match components.is_object() {
            true => self.findings.leftovers(components, Scope::Components, &at),
            false => self.findings.refuse_kind(components, "an object", &at),
        }
    }

    fn read_tags(&mut self) {
        let at = Pointer::ROOT.key("tags");
        let Some(tags) = present(self.root, "tags") else { return };
        if !matches!(tags.kind, Kind::Array(_)) {
            self.findings.skip_kind(tags, "a list", &at);
        }
        for (index, tag) in tags.elements().iter().enumerate() {
            let at = at.index(index);
            self.findings.leftovers(tag, Scope::Tag, &at);
            if let Some(name) = tag.member("name") {
                self.findings.ignored(Why::Tag, name, &at.key("name"));
            }
        }
    }

    fn read_simple_extensions(&mut self) {
        let (root, at, findings) = (self.root, Pointer::ROOT, &mut self.findings);
        let sources = [("HEADER", ApiKeySource::Header), ("AUTHORIZER", ApiKeySource::Authorizer)];
        let source = choice(root, "x-amazon-apigateway-api-key-source", &sources, &at, findings);
        self.api.api_key_source = source.unwrap_or_default();
        self.api.binary_media_types = texts(root, "x-amazon-apigateway-binary-media-types", &at, findings);
        let place = |name: &str| root.get(name).map(|node| node.place).unwrap_or_default();
        self.api.places.security_policy = place("x-amazon-apigateway-security-policy");
        self.api.places.endpoint_access_mode = place("x-amazon-apigateway-endpoint-access-mode");
        self.api.security_policy = text(root, "x-amazon-apigateway-security-policy", &at, findings);
        let modes = [("BASIC", "BASIC"), ("STRICT", "STRICT")];
        let mode = choice(root, "x-amazon-apigateway-endpoint-access-mode", &modes, &at, findings);
        self.api.endpoint_access_mode = mode.map(str::to_owned);
    }

    fn read_compression(&mut self) {
        let name = "x-amazon-apigateway-minimum-compression-size";
        let size = integer(self.root, name, &Pointer::ROOT, &mut self.findings);
        if size.is_some_and(|size| size > COMPRESSION_BYTES_MAX) {
            let place = self.root.get(name).map_or(self.root.place, |node| node.place);
            let message = "Invalid minimum compression size, must be between 0 and 10485760";
            let remark = Remark::new("invalid-value", message).on_aws("Refused with these words.");
            return self.findings.refuse(remark, place, &Pointer::ROOT.key(name));
        }
        self.api.minimum_compression_size = size;
    }

    /// A policy that cannot be read is refused: without it the API would be open.
    fn read_policy(&mut self) {
        let name = "x-amazon-apigateway-policy";
        let Some(policy) = present(self.root, name) else { return };
        if !policy.is_object() {
            return self.findings.refuse_kind(policy, "a policy document", &Pointer::ROOT.key(name));
        }
        self.api.policy = Some(Declared { value: policy.to_json(), place: policy.place });
    }

    /// In Swagger 2.0 the endpoint configuration stands at the root, in OpenAPI 3 inside the first server; both are
    /// read.
    fn read_endpoints(&mut self) {
        const NAME: &str = "x-amazon-apigateway-endpoint-configuration";
        self.read_endpoint_configuration(present(self.root, NAME), &Pointer::ROOT.key(NAME));
        if self.version == Version::Swagger2 {
            self.api.base_path = text(self.root, "basePath", &Pointer::ROOT, &mut self.findings);
            return;
        }
        let Some(servers) = present(self.root, "servers") else { return };
        let at = Pointer::ROOT.key("servers");
        if !matches!(servers.kind, Kind::Array(_)) {
            return self.findings.skip_kind(servers, "a list of servers", &at);
        }
        for (index, server) in servers.elements().iter().enumerate() {
            let at = at.index(index);
            self.findings.leftovers(server, Scope::Server, &at);
            match index {
                0 => self.read_endpoint_configuration(present(server, NAME), &at.key(NAME)),
                1 => self.note_second_server(server, &at),
                _ => {}
            }
        }
        self.api.base_path = servers.elements().first().and_then(server_base_path);
    }

    fn note_second_server(&mut self, server: &Node, at: &Pointer<'_>) {
        let words = "More than one server provided. Ignoring all but the first for defining endpoint configuration";
        let remark = Remark::new("servers", words).words(words).on_aws("The same warning.");
        self.findings.note(remark, server.place, at);
    }

    fn read_endpoint_configuration(&mut self, node: Option<&'d Node>, at: &Pointer<'_>) {
        let Some(node) = node else { return };
        let findings = &mut self.findings;
        if !node.is_object() {
            return findings.refuse_kind(node, "an object", at);
        }
        findings.leftovers(node, Scope::EndpointConfiguration, at);
        self.api.places.endpoint_configuration = node.place;
        self.api.disable_execute_api_endpoint |=
            flag(node, "disableExecuteApiEndpoint", at, findings).unwrap_or_default();
        self.api.vpc_endpoint_ids.extend(texts(node, "vpcEndpointIds", at, findings));
        if let Some(kind) = text(node, "ipAddressType", at, findings) {
            self.api.ip_address_type = Some(kind);
        }
    }

    fn read_validators(&mut self) {
        let name = "x-amazon-apigateway-request-validators";
        let Some(validators) = present(self.root, name) else { return };
        let at = Pointer::ROOT.key(name);
        if !validators.is_object() {
            return self.findings.refuse_kind(validators, "an object", &at);
        }
        for member in validators.members() {
            let (key, at) = (&member.key, at.key(&member.key.text));
            self.validator_names.insert(&key.text);
            let findings = &mut self.findings;
            if !member.value.is_object() {
                findings.refuse_kind(&member.value, "a request validator", &at);
            }
            findings.leftovers(&member.value, Scope::RequestValidator, &at);
            let body = flag(&member.value, "validateRequestBody", &at, findings);
            let parameters = flag(&member.value, "validateRequestParameters", &at, findings);
            self.api.request_validators.push(RequestValidator {
                name: key.text.clone(),
                validate_request_body: body.unwrap_or_default(),
                validate_request_parameters: parameters.unwrap_or_default(),
                place: key.place,
            });
        }
    }

    fn read_gateway_responses(&mut self) {
        let name = "x-amazon-apigateway-gateway-responses";
        let Some(responses) = present(self.root, name) else { return };
        let at = Pointer::ROOT.key(name);
        if !responses.is_object() {
            return self.findings.refuse_kind(responses, "an object", &at);
        }
        for member in responses.members() {
            self.read_gateway_response(&member.key, &member.value, &at.key(&member.key.text));
        }
    }

    fn read_gateway_response(&mut self, key: &'d Key, node: &'d Node, at: &Pointer<'_>) {
        let findings = &mut self.findings;
        if !RESPONSE_TYPES.contains(&key.text.as_str()) {
            let message = format!(
                "Value '{}' at 'responseType' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                key.text,
                RESPONSE_TYPES.join(", ")
            );
            let remark = Remark::new("invalid-value", message).on_aws("Refused with these words.");
            return findings.refuse(remark, key.place, at);
        }
        findings.leftovers(node, Scope::GatewayResponse, at);
        let status_code = text(node, "statusCode", at, findings);
        if let Some(status) = status_code.as_ref().filter(|status| !is_status(status)) {
            findings.refuse(invalid_status(status), key.place, at);
        }
        let response_templates = templates(node, "responseTemplates", at, findings);
        self.api.gateway_responses.push(GatewayResponse {
            response_type: key.text.clone(),
            status_code,
            response_parameters: mappings(node, "responseParameters", None, at, findings),
            response_templates: response_templates.into_iter().map(|(name, text)| (name, text.value)).collect(),
            place: key.place,
        });
    }

    /// Every path, with the base path before it if that was asked for.
    pub(super) fn read_paths(&mut self) {
        let mut tree = Tree::new(self.options.relaxed_limits);
        let at = Pointer::ROOT.key("paths");
        let paths = present(self.root, "paths");
        if let Some(paths) = paths.filter(|paths| !paths.is_object()) {
            self.findings.refuse_kind(paths, "an object", &at);
        }
        if paths.is_none_or(|paths| paths.members().is_empty()) {
            let remark = Remark::new("no-paths", "the document declares no path: nothing can be called");
            let place = paths.map_or(self.root.place, |paths| paths.place);
            self.findings.warn(remark.on_aws("Imported; the API cannot be deployed without a method."), place, &at);
        }
        let prefix = self.path_prefix();
        for member in paths.map(Node::members).unwrap_or_default() {
            let (key, at) = (&member.key, at.key(&member.key.text));
            if key.text.starts_with("x-") {
                self.findings.ignored(Why::Vendor, member, &at);
                continue;
            }
            let path = format!("{prefix}{}", key.text);
            self.note_trailing_slash(key, &at);
            if let Some(index) = tree.resource(&path, key.place, &at, &mut self.findings) {
                self.read_path_item(&mut tree, index, key, &member.value, at);
            }
        }
        self.api.resources = tree.into_resources();
    }

    fn note_trailing_slash(&mut self, key: &Key, at: &Pointer<'_>) {
        if key.text.len() > 1 && key.text.ends_with('/') {
            let remark = Remark::new("trailing-slash", "the trailing slash is not part of the resource's path")
                .on_aws("Requests match with and without it.");
            self.findings.note(remark, key.place, at);
        }
    }

    fn path_prefix(&self) -> String {
        let path = self.api.base_path.as_deref().unwrap_or_default().trim_matches('/');
        let kept = match self.options.base_path {
            BasePath::Ignore => "",
            BasePath::Prepend => path,
            BasePath::Split => path.split_once('/').map_or("", |(_, rest)| rest),
        };
        if kept.is_empty() { String::new() } else { format!("/{kept}") }
    }
}

/// What a status code must look like, in AWS's words.
pub(super) fn invalid_status(status: &str) -> Remark {
    let message = format!(
        "Value '{status}' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d"
    );
    Remark::new("invalid-value", message).on_aws("Refused with these words.")
}

/// The path of a server's address, the defaults of its variables put in.
fn server_base_path(server: &Node) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.to_owned();
    for variable in server.get("variables").map(Node::members).unwrap_or_default() {
        let default = variable.value.get("default").and_then(Node::scalar_text).unwrap_or_default();
        url = url.replace(&format!("{{{}}}", variable.key.text), default.trim_start_matches('/'));
    }
    let after_scheme = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |start| &after_scheme[start..]);
    let path = path.trim_end_matches('/');
    (!path.is_empty()).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn the_base_path_of_a_server_is_the_path_of_its_address() {
        let cases = [
            ("url: https://a.example/v1/", Some("/v1")),
            ("url: /v1/x", Some("/v1/x")),
            ("url: https://a.example", None),
            ("url: /", None),
            (
                "url: 'https://id.execute-api.us-east-1.amazonaws.com/{basePath}'\nvariables: {basePath: {default: /prod}}",
                Some("/prod"),
            ),
            ("url: 5", None),
        ];
        for (text, expected) in cases {
            assert_eq!(server_base_path(&read(text).unwrap()).as_deref(), expected, "{text}");
        }
    }
}
