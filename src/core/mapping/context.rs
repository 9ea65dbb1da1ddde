//! The closed list of `$context` variables that a REST API knows.
//!
//! Names are those of the mapping-template reference and the access-logging page of the API Gateway developer guide.
//! They are case-sensitive. Parsed when deployed; whoever runs the request writes the values.

use std::fmt;

/// Where a variable may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In mappings, templates and access logs.
    Everywhere,
    /// In access logs only: its value is not known before.
    AccessLog,
}

/// Why a name is not a variable of a REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownContext {
    /// It is a variable of HTTP or WebSocket APIs.
    OtherKindOfApi(String),
    /// It can only be assigned by a Velocity template.
    OutputOnly(String),
    /// No such name.
    NoSuchName(String),
}

impl fmt::Display for UnknownContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKindOfApi(name) => write!(f, "$context.{name} does not exist in REST APIs"),
            Self::OutputOnly(name) => write!(f, "$context.{name} can only be assigned, by a mapping template"),
            Self::NoSuchName(name) => write!(f, "$context.{name} does not exist"),
        }
    }
}

impl std::error::Error for UnknownContext {}

macro_rules! context_variables {
    ($($variant:ident $name:literal $scope:ident;)*) => {
        /// A `$context` variable.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum ContextVariable {
            $(#[doc = concat!("`$context.", $name, "`")] $variant,)*
            /// `$context.authorizer.claims.{name}`
            AuthorizerClaim(Box<str>),
            /// `$context.authorizer.{name}`: what a Lambda authorizer put into its `context`.
            AuthorizerProperty(Box<str>),
        }

        impl ContextVariable {
            /// Every variable with a fixed name.
            pub const NAMED: &'static [Self] = &[$(Self::$variant),*];

            fn named(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self::$variant,)*
                    _ => return None,
                })
            }

            /// Its name without `$context.`; of those that are named by the API, the fixed part.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::AuthorizerClaim(_) => "authorizer.claims",
                    Self::AuthorizerProperty(_) => "authorizer",
                }
            }

            /// Where it may be used.
            pub const fn scope(&self) -> Scope {
                match self {
                    $(Self::$variant => Scope::$scope,)*
                    Self::AuthorizerClaim(_) | Self::AuthorizerProperty(_) => Scope::Everywhere,
                }
            }
        }
    };
}

context_variables! {
    AccountId "accountId" Everywhere;
    ApiId "apiId" Everywhere;
    AuthenticateError "authenticate.error" AccessLog;
    AuthenticateLatency "authenticate.latency" AccessLog;
    AuthenticateStatus "authenticate.status" AccessLog;
    AuthorizeError "authorize.error" AccessLog;
    AuthorizeLatency "authorize.latency" AccessLog;
    AuthorizeStatus "authorize.status" AccessLog;
    AuthorizerError "authorizer.error" AccessLog;
    AuthorizerIntegrationLatency "authorizer.integrationLatency" AccessLog;
    AuthorizerIntegrationStatus "authorizer.integrationStatus" AccessLog;
    AuthorizerLatency "authorizer.latency" AccessLog;
    AuthorizerPrincipalId "authorizer.principalId" Everywhere;
    AuthorizerRequestId "authorizer.requestId" AccessLog;
    AuthorizerStatus "authorizer.status" AccessLog;
    AwsEndpointRequestId "awsEndpointRequestId" Everywhere;
    CipherSuite "cipherSuite" AccessLog;
    CustomDomainBasePathMatched "customDomain.basePathMatched" AccessLog;
    CustomDomainRoutingRuleIdMatched "customDomain.routingRuleIdMatched" AccessLog;
    DeploymentId "deploymentId" Everywhere;
    DomainName "domainName" Everywhere;
    DomainPrefix "domainPrefix" Everywhere;
    EndpointType "endpointType" AccessLog;
    ErrorMessage "error.message" Everywhere;
    ErrorMessageString "error.messageString" Everywhere;
    ErrorResponseType "error.responseType" Everywhere;
    ErrorValidationErrorString "error.validationErrorString" Everywhere;
    ExtendedRequestId "extendedRequestId" Everywhere;
    HttpMethod "httpMethod" Everywhere;
    IdentityAccessKey "identity.accessKey" Everywhere;
    IdentityAccountId "identity.accountId" Everywhere;
    IdentityApiKey "identity.apiKey" Everywhere;
    IdentityApiKeyId "identity.apiKeyId" Everywhere;
    IdentityCaller "identity.caller" Everywhere;
    IdentityClientCertPem "identity.clientCert.clientCertPem" Everywhere;
    IdentityClientCertIssuerDn "identity.clientCert.issuerDN" Everywhere;
    IdentityClientCertSerialNumber "identity.clientCert.serialNumber" Everywhere;
    IdentityClientCertSubjectDn "identity.clientCert.subjectDN" Everywhere;
    IdentityClientCertNotAfter "identity.clientCert.validity.notAfter" Everywhere;
    IdentityClientCertNotBefore "identity.clientCert.validity.notBefore" Everywhere;
    IdentityCognitoAuthenticationProvider "identity.cognitoAuthenticationProvider" Everywhere;
    IdentityCognitoAuthenticationType "identity.cognitoAuthenticationType" Everywhere;
    IdentityCognitoIdentityId "identity.cognitoIdentityId" Everywhere;
    IdentityCognitoIdentityPoolId "identity.cognitoIdentityPoolId" Everywhere;
    IdentityPrincipalOrgId "identity.principalOrgId" Everywhere;
    IdentitySourceIp "identity.sourceIp" Everywhere;
    IdentityUser "identity.user" Everywhere;
    IdentityUserAgent "identity.userAgent" Everywhere;
    IdentityUserArn "identity.userArn" Everywhere;
    IdentityVpcId "identity.vpcId" Everywhere;
    IdentityVpceId "identity.vpceId" Everywhere;
    IntegrationError "integration.error" AccessLog;
    IntegrationIntegrationStatus "integration.integrationStatus" AccessLog;
    IntegrationLatencyOf "integration.latency" AccessLog;
    IntegrationRequestId "integration.requestId" AccessLog;
    IntegrationResponseTransferMode "integration.responseTransferMode" AccessLog;
    IntegrationStatusOf "integration.status" AccessLog;
    IntegrationTimeToAllHeaders "integration.timeToAllHeaders" AccessLog;
    IntegrationTimeToFirstContent "integration.timeToFirstContent" AccessLog;
    IntegrationErrorMessage "integrationErrorMessage" AccessLog;
    IntegrationLatency "integrationLatency" AccessLog;
    IntegrationStatus "integrationStatus" AccessLog;
    IsCanaryRequest "isCanaryRequest" Everywhere;
    Path "path" Everywhere;
    Protocol "protocol" Everywhere;
    RequestId "requestId" Everywhere;
    RequestTime "requestTime" Everywhere;
    RequestTimeEpoch "requestTimeEpoch" Everywhere;
    ResourceId "resourceId" Everywhere;
    ResourcePath "resourcePath" Everywhere;
    ResponseLatency "responseLatency" AccessLog;
    ResponseLength "responseLength" AccessLog;
    Stage "stage" Everywhere;
    Status "status" AccessLog;
    TlsVersion "tlsVersion" AccessLog;
    WafError "waf.error" AccessLog;
    WafLatency "waf.latency" AccessLog;
    WafStatus "waf.status" AccessLog;
    WafResponseCode "wafResponseCode" Everywhere;
    WebaclArn "webaclArn" Everywhere;
    XrayTraceId "xrayTraceId" AccessLog;
}

/// Names that exist, but not in REST APIs.
const OTHER_KINDS: [&str; 7] =
    ["awsEndpointRequestId2", "connectedAt", "connectionId", "dataProcessed", "eventType", "messageId", "routeKey"];

impl ContextVariable {
    /// The variable of that name, with or without `context.` or `$context.` before it.
    pub fn parse(text: &str) -> Result<Self, UnknownContext> {
        let text = text.strip_prefix('$').unwrap_or(text);
        let name = text.strip_prefix("context.").unwrap_or(text);
        if let Some(variable) = Self::named(name) {
            return Ok(variable);
        }
        if let Some(claim) = name.strip_prefix("authorizer.claims.").filter(|claim| !claim.is_empty()) {
            return Ok(Self::AuthorizerClaim(claim.into()));
        }
        match name.strip_prefix("authorizer.") {
            Some(property) if !property.is_empty() && !property.contains('.') && property != "claims" => {
                Ok(Self::AuthorizerProperty(property.into()))
            }
            _ => Err(unknown(name)),
        }
    }

    /// The variable that a text beginning with `$context.` names, and how many bytes of the text name it: the longest
    /// dotted prefix that is a variable, so that `$context.stage.json` is the stage and `.json`. Where no prefix is,
    /// the whole dotted name counts. `None`: the text does not begin with `$context.` and a name.
    pub fn scan(text: &str) -> Option<(Result<Self, UnknownContext>, usize)> {
        const PREFIX: &str = "$context.";
        let after = text.strip_prefix(PREFIX)?;
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(after.len());
        let whole = after[..end].trim_end_matches('.');
        if whole.is_empty() {
            return None;
        }
        let mut name = whole;
        loop {
            if let Ok(variable) = Self::parse(name) {
                return Some((Ok(variable), PREFIX.len() + name.len()));
            }
            match name.rfind('.') {
                Some(dot) => name = &name[..dot],
                None => return Some((Err(unknown(whole)), PREFIX.len() + whole.len())),
            }
        }
    }
}

fn unknown(name: &str) -> UnknownContext {
    if OTHER_KINDS.contains(&name) {
        return UnknownContext::OtherKindOfApi(name.to_owned());
    }
    if name.starts_with("requestOverride.") || name.starts_with("responseOverride.") {
        return UnknownContext::OutputOnly(name.to_owned());
    }
    UnknownContext::NoSuchName(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_its_variable_in_all_spellings() {
        for variable in ContextVariable::NAMED {
            for prefix in ["", "context.", "$context."] {
                assert_eq!(ContextVariable::parse(&format!("{prefix}{}", variable.name())).as_ref(), Ok(variable));
            }
        }
    }

    #[test]
    fn names_are_case_sensitive_and_unknown_ones_say_why() {
        use UnknownContext::{NoSuchName, OtherKindOfApi, OutputOnly};
        assert_eq!(ContextVariable::parse("context.requestid"), Err(NoSuchName("requestid".into())));
        assert_eq!(ContextVariable::parse("$context.routeKey"), Err(OtherKindOfApi("routeKey".into())));
        let output = "requestOverride.header.x";
        assert_eq!(ContextVariable::parse(output), Err(OutputOnly(output.into())));
        assert_eq!(ContextVariable::parse("authorizer.claims"), Err(NoSuchName("authorizer.claims".into())));
        assert_eq!(ContextVariable::parse(""), Err(NoSuchName(String::new())));
    }

    #[test]
    fn authorizers_name_their_own() {
        use ContextVariable::{AuthorizerClaim, AuthorizerPrincipalId, AuthorizerProperty};
        assert_eq!(ContextVariable::parse("context.authorizer.claims.sub"), Ok(AuthorizerClaim("sub".into())));
        assert_eq!(ContextVariable::parse("context.authorizer.tenant_id"), Ok(AuthorizerProperty("tenant_id".into())));
        assert_eq!(ContextVariable::parse("context.authorizer.principalId"), Ok(AuthorizerPrincipalId));
    }

    #[test]
    fn scanning_takes_the_longest_name_and_leaves_the_rest() {
        use ContextVariable::{ErrorMessage, Stage};
        assert_eq!(ContextVariable::scan("$context.stage.json"), Some((Ok(Stage), "$context.stage".len())));
        assert_eq!(ContextVariable::scan("$context.stage."), Some((Ok(Stage), "$context.stage".len())));
        assert_eq!(ContextVariable::scan("$context.error.message-x"), Some((Ok(ErrorMessage), 22)));
        assert_eq!(
            ContextVariable::scan("$context.no.such x").map(|(found, len)| (found.is_err(), len)),
            Some((true, 16))
        );
        assert_eq!(ContextVariable::scan("$context."), None);
        assert_eq!(ContextVariable::scan("$contexts.x"), None);
    }
}
