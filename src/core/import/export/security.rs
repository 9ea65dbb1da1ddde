//! Security schemes and requirements.

use serde_json::{Map, Value, json};

use crate::model::rest::{Authorization, Authorizer, AuthorizerKind, Method, RestApi};

use super::{Export, insert, object};

/// Names of the schemes that are no authorizers, and whether any method needs them.
pub(super) struct Schemes<'a> {
    authorizers: &'a [Authorizer],
    /// Whether schemes say what only AWS's extensions can say.
    is_extended: bool,
    api_key: Option<String>,
    sigv4: Option<String>,
}

impl<'a> Schemes<'a> {
    pub(super) fn new(api: &'a RestApi, is_extended: bool) -> Self {
        let methods = || api.resources.iter().flat_map(|resource| &resource.methods);
        let needs_key = methods().any(|method| method.api_key_required);
        let needs_signature = methods().any(|method| method.authorization == Authorization::Iam);
        Self {
            authorizers: &api.authorizers,
            is_extended,
            api_key: needs_key.then(|| free_name("api_key", &api.authorizers)),
            sigv4: needs_signature.then(|| free_name("sigv4", &api.authorizers)),
        }
    }

    /// `security` of an operation: the authorizer, then the API key.
    pub(super) fn requirements(&self, method: &Method) -> Vec<Value> {
        let authorizer = match &method.authorization {
            Authorization::None => None,
            Authorization::Iam => self.sigv4.as_ref().map(|name| requirement(name, &[])),
            Authorization::Custom { authorizer } => Some(requirement(authorizer, &[])),
            Authorization::Cognito { authorizer, scopes } => Some(requirement(authorizer, scopes)),
        };
        let key = self.api_key.as_ref().filter(|_| method.api_key_required).map(|name| requirement(name, &[]));
        authorizer.into_iter().chain(key).collect()
    }
}

/// An authorizer may have the name that AWS gives to its own schemes.
fn free_name(name: &str, authorizers: &[Authorizer]) -> String {
    let mut free = name.to_owned();
    while authorizers.iter().any(|authorizer| authorizer.name == free) {
        free.push('_');
    }
    free
}

fn requirement(name: &str, scopes: &[String]) -> Value {
    json!({name: scopes})
}

impl Export<'_> {
    pub(super) fn security_schemes(&self) -> Map<String, Value> {
        let schemes = &self.schemes;
        let mut written: Map<_, _> = schemes.authorizers.iter().map(|a| (a.name.clone(), self.scheme(a))).collect();
        if let Some(name) = &schemes.api_key {
            written.insert(name.clone(), Value::Object(key_in("x-api-key", "header")));
        }
        if let Some(name) = &schemes.sigv4 {
            let mut scheme = key_in("Authorization", "header");
            let auth_type = schemes.is_extended.then(|| json!("awsSigv4"));
            insert(&mut scheme, "x-amazon-apigateway-authtype", auth_type);
            written.insert(name.clone(), Value::Object(scheme));
        }
        written
    }

    fn scheme(&self, authorizer: &Authorizer) -> Value {
        let (location, name) = place_of_token(authorizer);
        let mut scheme = key_in(name, location);
        scheme.extend(self.texts.of_authorizer(&authorizer.name));
        if self.schemes.is_extended {
            let default = match authorizer.kind {
                AuthorizerKind::Token | AuthorizerKind::Request => "custom",
                AuthorizerKind::CognitoUserPools => "cognito_user_pools",
            };
            let auth_type = authorizer.auth_type.as_deref().unwrap_or(default);
            scheme.insert("x-amazon-apigateway-authtype".to_owned(), json!(auth_type));
            scheme.insert("x-amazon-apigateway-authorizer".to_owned(), Value::Object(details(authorizer)));
        }
        Value::Object(scheme)
    }
}

fn key_in(name: &str, location: &str) -> Map<String, Value> {
    object([("type", json!("apiKey")), ("name", json!(name)), ("in", json!(location))])
}

fn details(authorizer: &Authorizer) -> Map<String, Value> {
    let mut written = Map::new();
    let mut text = |name: &str, value: Option<&String>| insert(&mut written, name, value.map(|value| json!(value)));
    // Of the other kinds the scheme itself says where the token stands.
    let source = authorizer.identity_source.as_ref().filter(|_| authorizer.kind == AuthorizerKind::Request);
    text("identitySource", source);
    text("authorizerUri", authorizer.uri.as_ref());
    text("authorizerCredentials", authorizer.credentials.as_ref());
    insert(&mut written, "authorizerResultTtlInSeconds", authorizer.result_ttl_in_seconds.map(Value::from));
    let expression = authorizer.identity_validation_expression.as_ref();
    insert(&mut written, "identityValidationExpression", expression.map(|expression| json!(expression)));
    let arns = &authorizer.provider_arns;
    insert(&mut written, "providerARNs", (!arns.is_empty()).then(|| json!(arns)));
    let kind = match authorizer.kind {
        AuthorizerKind::Token => "token",
        AuthorizerKind::Request => "request",
        AuthorizerKind::CognitoUserPools => "cognito_user_pools",
    };
    written.insert("type".to_owned(), json!(kind));
    written
}

/// Where a scheme says that the token stands. `Unused` is AWS's word for several places, and for places that a scheme
/// cannot name.
fn place_of_token(authorizer: &Authorizer) -> (&'static str, &str) {
    let source = authorizer.identity_source.as_deref().unwrap_or_default();
    let single = |prefix| source.strip_prefix(prefix).filter(|name| !name.contains(','));
    match (single("method.request.header."), single("method.request.querystring.")) {
        (Some(name), _) => ("header", name),
        (None, Some(name)) => ("query", name),
        (None, None) => ("header", "Unused"),
    }
}
