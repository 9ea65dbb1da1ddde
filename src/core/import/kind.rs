//! Which dialect of OpenAPI a document is written in, and which kind of API it describes.

use crate::base::Place;
use crate::json::{Member, Node, Pointer};

use super::findings::{Findings, Remark};

/// The dialects that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Swagger 2.0.
    Swagger2,
    /// OpenAPI 3.0 or 3.1.
    OpenApi3,
}

/// Reads the version member; refuses what is no OpenAPI document.
pub(super) fn version(root: &Node, findings: &mut Findings<'_>) -> Option<Version> {
    let member = root.member("swagger").or_else(|| root.member("openapi"));
    let Some(Member { key, value }) = member else {
        let message = "neither `swagger` nor `openapi` says that this is an OpenAPI document";
        let remark = Remark::new("not-openapi", message).invalid_input();
        findings.refuse(remark.fix("Begin with `openapi: 3.0.1`."), root.place, &Pointer::ROOT);
        return None;
    };
    let at = Pointer::ROOT.key(&key.text);
    let text = value.scalar_text().unwrap_or_default();
    match key.text.as_str() {
        "swagger" if matches!(text, "2" | "2.0") => Some(Version::Swagger2),
        "openapi" if in_series(text, "3.0") => Some(Version::OpenApi3),
        "openapi" if in_series(text, "3.1") => {
            let remark = Remark::new("openapi-version", "OpenAPI 3.1 is read as 3.0")
                .on_aws("OpenAPI 3.1 is not accepted: Invalid OpenAPI input.");
            findings.note(remark, value.place, &at);
            Some(Version::OpenApi3)
        }
        _ => {
            let message = format!("version '{text}' is not supported; 2.0, 3.0 and 3.1 are");
            findings.refuse(Remark::new("openapi-version", message).invalid_input(), value.place, &at);
            None
        }
    }
}

fn in_series(text: &str, series: &str) -> bool {
    text.strip_prefix(series).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What makes a document an HTTP API.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sign {
    /// For people: the member and what it says.
    pub(super) what: String,
    /// Where it stands.
    pub(super) place: Place,
    /// The pointer to it.
    pub(super) pointer: String,
}

impl Sign {
    fn at(what: impl Into<String>, place: Place, at: &Pointer<'_>) -> Self {
        Self { what: what.into(), place, pointer: at.render() }
    }
}

/// The first member that only an HTTP API can have.
pub(super) fn http_api_sign(root: &Node) -> Option<Sign> {
    root_sign(root).or_else(|| authorizer_sign(root)).or_else(|| path_sign(root)).or_else(|| version_stamp(root))
}

/// The mark of a document that was exported from an HTTP API. People copy it into other documents, so it counts only
/// where no authorizer reads a request as those of REST APIs do.
fn version_stamp(root: &Node) -> Option<Sign> {
    let name = "x-amazon-apigateway-importexport-version";
    let member = root.member(name)?;
    let schemes = root.get("components").and_then(|components| components.get("securitySchemes"));
    let is_rest = |scheme: &Member| {
        let source = scheme.value.get("x-amazon-apigateway-authorizer").and_then(|node| node.get("identitySource"));
        source.and_then(Node::as_str).is_some_and(|source| source.contains("method.request."))
    };
    let is_rest = schemes.is_some_and(|schemes| schemes.members().iter().any(is_rest));
    (!is_rest).then(|| Sign::at(format!("`{name}`"), member.key.place, &Pointer::ROOT.key(name)))
}

/// The version member, for a document that is an HTTP API because somebody said so.
pub(super) fn version_sign(root: &Node) -> Option<Sign> {
    let member = root.member("swagger").or_else(|| root.member("openapi"))?;
    let what = "the kind it was declared to be";
    Some(Sign::at(what, member.key.place, &Pointer::ROOT.key(&member.key.text)))
}

fn root_sign(root: &Node) -> Option<Sign> {
    let name = "x-amazon-apigateway-cors";
    if let Some(member) = root.member(name) {
        return Some(Sign::at(format!("`{name}`"), member.key.place, &Pointer::ROOT.key(name)));
    }
    let name = "x-amazon-apigateway-integrations";
    let member = root.get("components")?.member(name)?;
    Some(Sign::at(format!("`{name}`"), member.key.place, &Pointer::ROOT.key("components").key(name)))
}

fn authorizer_sign(root: &Node) -> Option<Sign> {
    let (components, schemes_key) = (Pointer::ROOT.key("components"), "securitySchemes");
    let schemes = root.get("components")?.get(schemes_key)?;
    for scheme in schemes.members() {
        let Some(authorizer) = scheme.value.get("x-amazon-apigateway-authorizer") else { continue };
        let schemes_at = components.key(schemes_key);
        let scheme_at = schemes_at.key(&scheme.key.text);
        let at = scheme_at.key("x-amazon-apigateway-authorizer");
        if let Some(kind) = authorizer.get("type").filter(|kind| is_word(kind, "jwt")) {
            return Some(Sign::at("an authorizer of type `jwt`", kind.place, &at.key("type")));
        }
        if let Some(source) = authorizer.get("identitySource").filter(|source| selects_request(source)) {
            return Some(Sign::at(
                "an identity source that begins `$request.`",
                source.place,
                &at.key("identitySource"),
            ));
        }
    }
    None
}

fn is_word(node: &Node, word: &str) -> bool {
    node.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word))
}

fn selects_request(node: &Node) -> bool {
    node.as_str().is_some_and(|text| text.contains("$request."))
}

fn path_sign(root: &Node) -> Option<Sign> {
    let paths_at = Pointer::ROOT.key("paths");
    for path in root.get("paths")?.members() {
        let path_at = paths_at.key(&path.key.text);
        if matches!(path.key.text.as_str(), "/$default" | "$default") {
            return Some(Sign::at(format!("the path `{}`", path.key.text), path.key.place, &path_at));
        }
        for operation in path.value.members() {
            let operation_at = path_at.key(&operation.key.text);
            if let Some(member) = operation.value.member("isDefaultRoute") {
                return Some(Sign::at("`isDefaultRoute`", member.key.place, &operation_at.key("isDefaultRoute")));
            }
            let name = "x-amazon-apigateway-integration";
            let Some(integration) = operation.value.get(name) else { continue };
            if let Some(sign) = integration_sign(integration, &operation_at.key(name)) {
                return Some(sign);
            }
        }
    }
    None
}

fn integration_sign(integration: &Node, at: &Pointer<'_>) -> Option<Sign> {
    let version = integration.get("payloadFormatVersion");
    if let Some(version) = version.filter(|v| matches!(v.scalar_text(), Some("2.0" | "2"))) {
        return Some(Sign::at("`payloadFormatVersion` 2.0", version.place, &at.key("payloadFormatVersion")));
    }
    let mappings = integration.get("requestParameters")?;
    let mapping = mappings.members().iter().find(|mapping| selects_request(&mapping.value))?;
    let mappings_at = at.key("requestParameters");
    Some(Sign::at("a mapping from `$request.`", mapping.value.place, &mappings_at.key(&mapping.key.text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn versions_are_read_whatever_their_type() {
        let cases = [
            (r#"{"swagger": 2.0}"#, Some(Version::Swagger2), 0),
            (r#"{"swagger": "2.0"}"#, Some(Version::Swagger2), 0),
            ("openapi: 3.0", Some(Version::OpenApi3), 0),
            ("openapi: 3.0.3", Some(Version::OpenApi3), 0),
            ("openapi: 3.1.0", Some(Version::OpenApi3), 1),
            ("openapi: 3.2.0", None, 1),
            ("openapi: 3.10", None, 1),
            ("swagger: '1.2'", None, 1),
            ("openapi: [3]", None, 1),
            ("title: x", None, 1),
        ];
        for (text, expected, count) in cases {
            let (root, mut findings) = (read(text).unwrap(), Findings::default());
            assert_eq!(version(&root, &mut findings), expected, "{text}");
            assert_eq!(findings.finish().len(), count, "{text}");
        }
    }

    #[test]
    fn the_members_of_http_apis_are_recognised_with_their_pointer() {
        let integration = |inner: &str| format!("paths: {{/a: {{get: {{x-amazon-apigateway-integration: {inner}}}}}}}");
        let at = "/paths/~1a/get/x-amazon-apigateway-integration";
        let cases = [
            ("x-amazon-apigateway-cors: {}".to_owned(), "/x-amazon-apigateway-cors".to_owned()),
            ("paths: {/$default: {}}".to_owned(), "/paths/~1$default".to_owned()),
            ("paths: {$default: {}}".to_owned(), "/paths/$default".to_owned()),
            ("paths: {/a: {get: {isDefaultRoute: true}}}".to_owned(), "/paths/~1a/get/isDefaultRoute".to_owned()),
            (
                "x-amazon-apigateway-importexport-version: 1.0".to_owned(),
                "/x-amazon-apigateway-importexport-version".to_owned(),
            ),
            (integration("{payloadFormatVersion: 2.0}"), format!("{at}/payloadFormatVersion")),
            (
                integration("{requestParameters: {'append:header.x': $request.path.y}}"),
                format!("{at}/requestParameters/append:header.x"),
            ),
            (
                "components: {securitySchemes: {j: {x-amazon-apigateway-authorizer: {type: JWT}}}}".to_owned(),
                "/components/securitySchemes/j/x-amazon-apigateway-authorizer/type".to_owned(),
            ),
            (
                "components: {x-amazon-apigateway-integrations: {}}".to_owned(),
                "/components/x-amazon-apigateway-integrations".to_owned(),
            ),
        ];
        for (text, pointer) in cases {
            let sign = http_api_sign(&read(&text).unwrap()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((sign.pointer, sign.place.line), (pointer, 1), "{text}");
        }
        let stamped = "x-amazon-apigateway-importexport-version: 1.0
components: {securitySchemes: {a: {x-amazon-apigateway-authorizer: {identitySource: method.request.header.A}}}}";
        for text in
            [integration("{payloadFormatVersion: 1.0}"), "paths: {/$defaults: {}}".to_owned(), stamped.to_owned()]
        {
            assert_eq!(http_api_sign(&read(&text).unwrap()), None, "{text}");
        }
    }
}
