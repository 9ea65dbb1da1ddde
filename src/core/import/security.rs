//! Security schemes and requirements: authorizers, IAM, API keys, and what AWS leaves open.

use crate::json::{Kind, Member, Node, Pointer};
use crate::model::rest::{Authorization, Authorizer, AuthorizerKind};

use super::Import;
use super::findings::Remark;
use super::kind::Version;
use super::scope::{Scope, Why};
use super::values::{choice, integer, present, text, texts};

const AUTHORIZER: &str = "x-amazon-apigateway-authorizer";
const AUTH_TYPE: &str = "x-amazon-apigateway-authtype";

/// What a security scheme comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `AWS_IAM`
    Iam,
    /// An authorizer of the same name.
    Authorizer(AuthorizerKind),
    /// An API key in `x-api-key`.
    ApiKey,
    /// Nothing: AWS ignores it and the method is open.
    Open,
}

/// How an operation is protected.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Protection {
    pub(super) authorization: Authorization,
    pub(super) api_key_required: bool,
}

impl<'d> Import<'d> {
    /// Every security scheme; those with an authorizer make one even if no operation names it.
    pub(super) fn read_security_schemes(&mut self) {
        let components = Pointer::ROOT.key("components");
        let (parent, name, at) = match self.version {
            Version::Swagger2 => (Some(self.root), "securityDefinitions", Pointer::ROOT),
            Version::OpenApi3 => (present(self.root, "components"), "securitySchemes", components),
        };
        let Some(schemes) = parent.and_then(|parent| present(parent, name)) else { return };
        let at = at.key(name);
        if !schemes.is_object() {
            return self.findings.refuse_kind(schemes, "an object", &at);
        }
        for member in schemes.members() {
            let at = at.key(&member.key.text);
            if let Some((node, at)) = self.resolve(&member.value, at) {
                let scheme = self.read_scheme(member, node, &at);
                self.schemes.insert(&member.key.text, scheme);
            }
        }
    }

    fn read_scheme(&mut self, member: &'d Member, node: &'d Node, at: &Pointer<'_>) -> Scheme {
        if !node.is_object() {
            self.findings.refuse_kind(node, "a security scheme", at);
        }
        self.findings.leftovers(node, Scope::SecurityScheme, at);
        self.document_authorizer(&member.key.text, node);
        let auth_type = text(node, AUTH_TYPE, at, &mut self.findings);
        if auth_type.as_ref().is_some_and(|kind| kind.to_ascii_lowercase().starts_with("aws")) {
            return Scheme::Iam;
        }
        if let Some(authorizer) = present(node, AUTHORIZER) {
            return self.read_authorizer(member, node, authorizer, auth_type, &at.key(AUTHORIZER));
        }
        if auth_type.is_some() {
            return self.refuse_missing_authorizer(member, at);
        }
        if is_api_key(node) {
            return Scheme::ApiKey;
        }
        let kind = node.get("type").and_then(Node::scalar_text).unwrap_or("none");
        let message = format!(
            "'{}', a security scheme of type '{kind}' without an authorizer, protects nothing",
            member.key.text
        );
        let remark = Remark::new("security-scheme", message)
            .on_aws("Ignored with a warning: methods that require it are open to everyone.")
            .fix("Add x-amazon-apigateway-authorizer, or require an API key in the x-api-key header.");
        let line = || format!("Unsupported security definition type '{kind}' for '{}'. Ignoring.", member.key.text);
        let remark = if kind == "apiKey" { remark } else { remark.words(line()) };
        self.findings.warn(remark, member.key.place, at);
        Scheme::Open
    }

    /// The scheme speaks of an authorizer that is not there: its methods are closed, not open.
    fn refuse_missing_authorizer(&mut self, member: &Member, at: &Pointer<'_>) -> Scheme {
        let message =
            format!("'{}' has an {AUTH_TYPE} and no {AUTHORIZER}: its operations answer 500", member.key.text);
        let remark = Remark::new("security-scheme", message).on_aws("Not documented.").fix("Add the authorizer.");
        self.findings.error(remark, member.key.place, at);
        Scheme::Authorizer(AuthorizerKind::Token)
    }

    fn read_authorizer(
        &mut self,
        member: &Member,
        scheme: &Node,
        node: &'d Node,
        auth_type: Option<String>,
        at: &Pointer<'_>,
    ) -> Scheme {
        let Some(kind) = self.authorizer_kind(member, node, at) else { return Scheme::Open };
        let findings = &mut self.findings;
        findings.leftovers(node, Scope::Authorizer, at);
        let header = scheme.get("name").and_then(Node::scalar_text);
        let identity_source = match kind {
            AuthorizerKind::Request => text(node, "identitySource", at, findings).or_else(|| request_source(scheme)),
            // Both are told by the scheme itself which header holds the token.
            AuthorizerKind::Token | AuthorizerKind::CognitoUserPools => {
                if let Some(source) = node.member("identitySource") {
                    findings.ignored(Why::IdentitySource, source, &at.key("identitySource"));
                }
                header.map(|name| format!("method.request.header.{name}"))
            }
        };
        self.api.authorizers.push(Authorizer {
            name: member.key.text.clone(),
            kind,
            auth_type,
            uri: text(node, "authorizerUri", at, findings),
            credentials: text(node, "authorizerCredentials", at, findings),
            identity_source,
            identity_validation_expression: text(node, "identityValidationExpression", at, findings),
            result_ttl_in_seconds: integer(node, "authorizerResultTtlInSeconds", at, findings),
            provider_arns: texts(node, "providerARNs", at, findings),
            place: member.key.place,
        });
        Scheme::Authorizer(kind)
    }

    /// The kind of an authorizer; without one the document is refused.
    fn authorizer_kind(&mut self, member: &Member, node: &'d Node, at: &Pointer<'_>) -> Option<AuthorizerKind> {
        if !node.is_object() {
            self.findings.refuse_kind(node, "an authorizer", at);
            return None;
        }
        if present(node, "type").is_none() {
            let message = format!("the authorizer '{}' has no `type`", member.key.text);
            let remark = Remark::new("invalid-value", message).on_aws("Refused: the type is required.");
            self.findings.refuse(remark, node.place, at);
        }
        let kinds = [
            ("token", AuthorizerKind::Token),
            ("request", AuthorizerKind::Request),
            ("cognito_user_pools", AuthorizerKind::CognitoUserPools),
        ];
        choice(node, "type", &kinds, at, &mut self.findings)
    }

    /// How an operation is protected: by its own requirements, else by those of the document.
    ///
    /// OpenAPI means "one of these" by a list of requirements. API Gateway has one authorizer for each method, so the
    /// first one counts; an API key in any requirement is required besides, as SAM writes it.
    pub(super) fn protection(&mut self, operation: &'d Node, at: &Pointer<'_>) -> Protection {
        let own = operation.get("security");
        let (security, at) = match own {
            Some(security) => (Some(security), at.key("security")),
            None => (self.root.get("security"), Pointer::ROOT.key("security")),
        };
        let mut protection = Protection::default();
        let Some(security) = security.filter(|security| !security.is_null()) else { return protection };
        match &security.kind {
            Kind::Array(_) => {}
            Kind::Object(_) => {
                let remark =
                    Remark::new("wrong-type", "`security` must be a list; read as a list of this one requirement");
                self.findings.warn(remark.fix("Write `- name: []`."), security.place, &at);
                self.read_requirement(security, &at, &mut protection);
            }
            _ => self.findings.refuse_kind(security, "a list of security requirements", &at),
        }
        for (index, requirement) in security.elements().iter().enumerate() {
            self.read_requirement(requirement, &at.index(index), &mut protection);
        }
        protection
    }

    fn read_requirement(&mut self, requirement: &'d Node, at: &Pointer<'_>, protection: &mut Protection) {
        match &requirement.kind {
            Kind::Object(members) => {
                for member in members {
                    let at = at.key(&member.key.text);
                    self.require(&member.key.text, &member.value, &at, protection);
                }
            }
            Kind::String(name) => {
                let remark = Remark::new("wrong-type", "a security requirement must be an object; read as its scheme")
                    .fix("Write `- name: []`.");
                self.findings.warn(remark, requirement.place, at);
                self.require(name, requirement, at, protection);
            }
            _ => self.findings.refuse_kind(requirement, "a security requirement", at),
        }
    }

    fn require(&mut self, name: &'d str, scopes: &'d Node, at: &Pointer<'_>, protection: &mut Protection) {
        let authorization = match self.schemes.get(name) {
            Some(Scheme::ApiKey) => {
                protection.api_key_required = true;
                return;
            }
            Some(Scheme::Open) => return self.findings.ignored_name(Why::OpenScheme, name, scopes.place, at),
            Some(Scheme::Iam) => Authorization::Iam,
            Some(Scheme::Authorizer(kind)) => authorization(*kind, name, scopes),
            // SAM writes `NONE` for "no authorizer" and declares no such scheme.
            None if name == "NONE" => return,
            // AWS's guide requires `api_key` in documents that do not declare it.
            None if name == "api_key" => {
                self.findings.ignored_name(Why::ImpliedKey, name, scopes.place, at);
                protection.api_key_required = true;
                return;
            }
            None => {
                self.findings.ignored_name(Why::UndeclaredScheme, name, scopes.place, at);
                Authorization::Custom { authorizer: name.to_owned() }
            }
        };
        if protection.authorization == Authorization::None {
            protection.authorization = authorization;
        } else if protection.authorization != authorization {
            self.findings.ignored_name(Why::SecondScheme, name, scopes.place, at);
        }
        if matches!(protection.authorization, Authorization::Custom { .. }) && !scopes.elements().is_empty() {
            self.findings.ignored_name(Why::Scopes, name, scopes.place, at);
        }
    }
}

fn authorization(kind: AuthorizerKind, name: &str, scopes: &Node) -> Authorization {
    let authorizer = name.to_owned();
    match kind {
        AuthorizerKind::Token | AuthorizerKind::Request => Authorization::Custom { authorizer },
        AuthorizerKind::CognitoUserPools => {
            let scopes = scopes.elements().iter().filter_map(Node::scalar_text).map(str::to_owned).collect();
            Authorization::Cognito { authorizer, scopes }
        }
    }
}

/// A plain key scheme is API Gateway's API key only in the header `x-api-key`.
fn is_api_key(scheme: &Node) -> bool {
    let is = |name: &str, word: &str| {
        scheme.get(name).and_then(Node::as_str).is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    is("type", "apiKey") && is("in", "header") && is("name", "x-api-key")
}

/// Where a request authorizer without `identitySource` looks: at the scheme's own header or query parameter.
fn request_source(scheme: &Node) -> Option<String> {
    let name = scheme.get("name")?.scalar_text().filter(|name| !name.eq_ignore_ascii_case("unused"))?;
    match scheme.get("in")?.as_str()? {
        "header" => Some(format!("method.request.header.{name}")),
        "query" => Some(format!("method.request.querystring.{name}")),
        _ => None,
    }
}
