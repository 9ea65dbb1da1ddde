//! The closed list of `$context` variables that a REST API knows.
//!
//! Names are those of the mapping-template reference and the access-logging page of the API Gateway developer guide.
//! They are case-sensitive. Parsed when deployed; whoever runs the request writes the values.

use std::fmt;

/// Whether a variable has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// In every request.
    Always,
    /// In some: after an error, after an integration, if the client sent it.
    Sometimes,
    /// In none yet: it belongs to a capability that is not there. Worth a warning.
    NotYet,
}

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
    ($($variant:ident $name:literal $scope:ident $availability:ident;)*) => {
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

            /// Whether it has a value.
            pub const fn availability(&self) -> Availability {
                match self {
                    $(Self::$variant => Availability::$availability,)*
                    Self::AuthorizerClaim(_) | Self::AuthorizerProperty(_) => Availability::NotYet,
                }
            }
        }
    };
}

context_variables! {
    AccountId "accountId" Everywhere Always;
    ApiId "apiId" Everywhere Always;
    AuthenticateError "authenticate.error" AccessLog NotYet;
    AuthenticateLatency "authenticate.latency" AccessLog NotYet;
    AuthenticateStatus "authenticate.status" AccessLog NotYet;
    AuthorizeError "authorize.error" AccessLog NotYet;
    AuthorizeLatency "authorize.latency" AccessLog NotYet;
    AuthorizeStatus "authorize.status" AccessLog NotYet;
    AuthorizerError "authorizer.error" AccessLog NotYet;
    AuthorizerIntegrationLatency "authorizer.integrationLatency" AccessLog NotYet;
    AuthorizerIntegrationStatus "authorizer.integrationStatus" AccessLog NotYet;
    AuthorizerLatency "authorizer.latency" AccessLog NotYet;
    AuthorizerPrincipalId "authorizer.principalId" Everywhere NotYet;
    AuthorizerRequestId "authorizer.requestId" AccessLog NotYet;
    AuthorizerStatus "authorizer.status" AccessLog NotYet;
    AwsEndpointRequestId "awsEndpointRequestId" Everywhere NotYet;
    CipherSuite "cipherSuite" AccessLog NotYet;
    CustomDomainBasePathMatched "customDomain.basePathMatched" AccessLog Sometimes;
    CustomDomainRoutingRuleIdMatched "customDomain.routingRuleIdMatched" AccessLog NotYet;
    DeploymentId "deploymentId" Everywhere Always;
    DomainName "domainName" Everywhere Sometimes;
    DomainPrefix "domainPrefix" Everywhere Sometimes;
    EndpointType "endpointType" AccessLog Sometimes;
    ErrorMessage "error.message" Everywhere Sometimes;
    ErrorMessageString "error.messageString" Everywhere Sometimes;
    ErrorResponseType "error.responseType" Everywhere Sometimes;
    ErrorValidationErrorString "error.validationErrorString" Everywhere Sometimes;
    ExtendedRequestId "extendedRequestId" Everywhere Always;
    HttpMethod "httpMethod" Everywhere Always;
    IdentityAccessKey "identity.accessKey" Everywhere NotYet;
    IdentityAccountId "identity.accountId" Everywhere NotYet;
    IdentityApiKey "identity.apiKey" Everywhere NotYet;
    IdentityApiKeyId "identity.apiKeyId" Everywhere NotYet;
    IdentityCaller "identity.caller" Everywhere NotYet;
    IdentityClientCertPem "identity.clientCert.clientCertPem" Everywhere NotYet;
    IdentityClientCertIssuerDn "identity.clientCert.issuerDN" Everywhere NotYet;
    IdentityClientCertSerialNumber "identity.clientCert.serialNumber" Everywhere NotYet;
    IdentityClientCertSubjectDn "identity.clientCert.subjectDN" Everywhere NotYet;
    IdentityClientCertNotAfter "identity.clientCert.validity.notAfter" Everywhere NotYet;
    IdentityClientCertNotBefore "identity.clientCert.validity.notBefore" Everywhere NotYet;
    IdentityCognitoAuthenticationProvider "identity.cognitoAuthenticationProvider" Everywhere NotYet;
    IdentityCognitoAuthenticationType "identity.cognitoAuthenticationType" Everywhere NotYet;
    IdentityCognitoIdentityId "identity.cognitoIdentityId" Everywhere NotYet;
    IdentityCognitoIdentityPoolId "identity.cognitoIdentityPoolId" Everywhere NotYet;
    IdentityPrincipalOrgId "identity.principalOrgId" Everywhere NotYet;
    IdentitySourceIp "identity.sourceIp" Everywhere Always;
    IdentityUser "identity.user" Everywhere NotYet;
    IdentityUserAgent "identity.userAgent" Everywhere Sometimes;
    IdentityUserArn "identity.userArn" Everywhere NotYet;
    IdentityVpcId "identity.vpcId" Everywhere NotYet;
    IdentityVpceId "identity.vpceId" Everywhere NotYet;
    IntegrationError "integration.error" AccessLog Sometimes;
    IntegrationIntegrationStatus "integration.integrationStatus" AccessLog Sometimes;
    IntegrationLatencyOf "integration.latency" AccessLog Sometimes;
    IntegrationRequestId "integration.requestId" AccessLog NotYet;
    IntegrationResponseTransferMode "integration.responseTransferMode" AccessLog NotYet;
    IntegrationStatusOf "integration.status" AccessLog Sometimes;
    IntegrationTimeToAllHeaders "integration.timeToAllHeaders" AccessLog NotYet;
    IntegrationTimeToFirstContent "integration.timeToFirstContent" AccessLog NotYet;
    IntegrationErrorMessage "integrationErrorMessage" AccessLog Sometimes;
    IntegrationLatency "integrationLatency" AccessLog Sometimes;
    IntegrationStatus "integrationStatus" AccessLog Sometimes;
    IsCanaryRequest "isCanaryRequest" Everywhere Sometimes;
    Path "path" Everywhere Always;
    Protocol "protocol" Everywhere Always;
    RequestId "requestId" Everywhere Always;
    RequestTime "requestTime" Everywhere Always;
    RequestTimeEpoch "requestTimeEpoch" Everywhere Always;
    ResourceId "resourceId" Everywhere Sometimes;
    ResourcePath "resourcePath" Everywhere Sometimes;
    ResponseLatency "responseLatency" AccessLog Always;
    ResponseLength "responseLength" AccessLog Always;
    Stage "stage" Everywhere Always;
    Status "status" AccessLog Always;
    TlsVersion "tlsVersion" AccessLog NotYet;
    WafError "waf.error" AccessLog NotYet;
    WafLatency "waf.latency" AccessLog NotYet;
    WafStatus "waf.status" AccessLog NotYet;
    WafResponseCode "wafResponseCode" Everywhere NotYet;
    WebaclArn "webaclArn" Everywhere NotYet;
    XrayTraceId "xrayTraceId" AccessLog NotYet;
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

    /// Whether a request can lack it; an access log then prints `-`, a mapping is left out.
    pub const fn can_be_absent(&self) -> bool {
        !matches!(self.availability(), Availability::Always)
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
