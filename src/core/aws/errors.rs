//! Gateway responses: what API Gateway answers when no integration does, and what a user may change about it.
//!
//! Facts come from the supported-types page of the API Gateway developer guide and from recorded answers; where a fact
//! was only reported or guessed its row says so. Parameters and templates stay text here: `compile` parses them.

use std::fmt;

use crate::base::escape::quote_json;

/// A gateway-response type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ResponseType {
    /// The body is larger than the limit.
    RequestTooLarge,
    /// Documented for a resource that is missing after authorization; never observed.
    ResourceNotFound,
    /// The authorizer cannot be reached or answers nonsense.
    AuthorizerConfigurationError,
    /// No credentials; also no such route or method.
    MissingAuthenticationToken,
    /// The body does not match its model.
    BadRequestBody,
    /// The signature does not match.
    InvalidSignature,
    /// The API key is missing, unknown or disabled.
    InvalidApiKey,
    /// A required parameter is missing.
    BadRequestParameters,
    /// The authorizer failed.
    AuthorizerFailure,
    /// The token is missing, or the authorizer refused it.
    Unauthorized,
    /// The integration did not answer in time.
    IntegrationTimeout,
    /// A policy denies.
    AccessDenied,
    /// Fallback for 4xx, and for errors of that class without a type of their own.
    Default4xx,
    /// Fallback for 5xx, and for errors of that class without a type of their own.
    Default5xx,
    /// The firewall blocks.
    WafFiltered,
    /// The quota of a usage plan is used up.
    QuotaExceeded,
    /// A rate limit.
    Throttled,
    /// The definition makes no answer possible.
    ApiConfigurationError,
    /// No template for the body's media type.
    UnsupportedMediaType,
    /// The integration could not be reached or answered nonsense.
    IntegrationFailure,
    /// The security token has expired.
    ExpiredToken,
}

/// How a default body is spelled. Recorded answers differ in a space and a capital.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyStyle {
    /// `{"message":"…"}`. Also for an endpoint address that is malformed, does not resolve or refuses the connection,
    /// although its type is [`ResponseType::ApiConfigurationError`].
    Compact,
    /// `{"message": "…"}`
    Spaced,
    /// `{"Message":"…"}`
    Capital,
}

struct Facts {
    name: &'static str,
    status: Option<u16>,
    message: Option<&'static str>,
    error_type: Option<&'static str>,
    style: BodyStyle,
}

const fn facts(
    name: &'static str,
    status: u16,
    message: &'static str,
    error_type: &'static str,
    style: BodyStyle,
) -> Facts {
    Facts { name, status: Some(status), message: Some(message), error_type: Some(error_type), style }
}

const fn fallback(name: &'static str, style: BodyStyle) -> Facts {
    Facts { name, status: None, message: None, error_type: None, style }
}

const WRONG_SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check \
                               your AWS Secret Access Key and signing method. Consult the service documentation for \
                               details.";

/// In the order of AWS's own enumeration, which its validation message prints.
const FACTS: [Facts; ResponseType::COUNT] = {
    use BodyStyle::{Capital, Compact, Spaced};
    [
        // Not documented, two texts were reported; this one is the choice of `conventions`.
        facts("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException", Compact),
        // Never observed.
        facts("RESOURCE_NOT_FOUND", 404, "Not Found", "ResourceNotFoundException", Compact),
        Facts {
            message: None,
            ..facts("AUTHORIZER_CONFIGURATION_ERROR", 500, "", "AuthorizerConfigurationException", Compact)
        },
        facts(
            "MISSING_AUTHENTICATION_TOKEN",
            403,
            "Missing Authentication Token",
            "MissingAuthenticationTokenException",
            Compact,
        ),
        facts("BAD_REQUEST_BODY", 400, "Invalid request body", "BadRequestException", Spaced),
        facts("INVALID_SIGNATURE", 403, WRONG_SIGNATURE, "InvalidSignatureException", Compact),
        facts("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException", Compact),
        facts("BAD_REQUEST_PARAMETERS", 400, "Missing required request parameters", "BadRequestException", Spaced),
        Facts { message: None, ..facts("AUTHORIZER_FAILURE", 500, "", "AuthorizerFailureException", Compact) },
        facts("UNAUTHORIZED", 401, "Unauthorized", "UnauthorizedException", Compact),
        facts("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException", Spaced),
        facts("ACCESS_DENIED", 403, "User is not authorized to access this resource", "AccessDeniedException", Capital),
        fallback("DEFAULT_4XX", Compact),
        fallback("DEFAULT_5XX", Spaced),
        // Reported.
        facts("WAF_FILTERED", 403, "Forbidden", "ForbiddenException", Compact),
        facts("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException", Compact),
        facts("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException", Compact),
        facts("API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException", Spaced),
        facts("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "BadRequestException", Spaced),
        facts("INTEGRATION_FAILURE", 504, "Internal server error", "InternalServerErrorException", Spaced),
        // Reported.
        facts(
            "EXPIRED_TOKEN",
            403,
            "The security token included in the request is expired",
            "ExpiredTokenException",
            Compact,
        ),
    ]
};

impl ResponseType {
    /// How many there are.
    pub const COUNT: usize = 21;

    /// All of them, in AWS's order; each stands at its own number.
    pub const ALL: [Self; Self::COUNT] = [
        Self::RequestTooLarge,
        Self::ResourceNotFound,
        Self::AuthorizerConfigurationError,
        Self::MissingAuthenticationToken,
        Self::BadRequestBody,
        Self::InvalidSignature,
        Self::InvalidApiKey,
        Self::BadRequestParameters,
        Self::AuthorizerFailure,
        Self::Unauthorized,
        Self::IntegrationTimeout,
        Self::AccessDenied,
        Self::Default4xx,
        Self::Default5xx,
        Self::WafFiltered,
        Self::QuotaExceeded,
        Self::Throttled,
        Self::ApiConfigurationError,
        Self::UnsupportedMediaType,
        Self::IntegrationFailure,
        Self::ExpiredToken,
    ];

    /// The type of that name, exactly as AWS spells it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// AWS's spelling: what `$context.error.responseType` prints.
    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// The status if nobody changed it; `None` of the two fallbacks, whose cause decides.
    pub const fn status(self) -> Option<u16> {
        self.facts().status
    }

    /// The usual message, for causes that have no words of their own. `None` is printed as `null`.
    pub const fn message(self) -> Option<&'static str> {
        self.facts().message
    }

    /// The value of `x-amzn-ErrorType`; `None` of the two fallbacks, whose cause decides.
    pub const fn error_type(self) -> Option<&'static str> {
        self.facts().error_type
    }

    /// How the default body is spelled.
    pub const fn body_style(self) -> BodyStyle {
        self.facts().style
    }

    /// The fallback whose customization an untouched type inherits. A fallback has none.
    pub fn fallback(self) -> Option<Self> {
        match self.status()? {
            400..=499 => Some(Self::Default4xx),
            _ => Some(Self::Default5xx),
        }
    }

    const fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }
}

impl fmt::Display for ResponseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no gateway-response type; prints AWS's validation message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownResponseType(pub String);

impl fmt::Display for UnknownResponseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ResponseType::ALL.map(ResponseType::as_str).join(", ");
        write!(
            f,
            "1 validation error detected: Value '{}' at 'responseType' failed to satisfy constraint: Member must \
             satisfy enum value set: [{names}]",
            self.0
        )
    }
}

impl std::error::Error for UnknownResponseType {}

/// Reads a customized status: three digits, the first from 1 to 5.
pub fn parse_status(text: &str) -> Option<u16> {
    let is_status = matches!(text.as_bytes(), [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']);
    is_status.then(|| text.parse().ok()).flatten()
}

/// Appends the body that AWS sends when no template was customized.
pub fn write_default_body(style: BodyStyle, message: Option<&str>, out: &mut Vec<u8>) {
    let member: &[u8] = match style {
        BodyStyle::Compact => br#"{"message":"#,
        BodyStyle::Spaced => br#"{"message": "#,
        BodyStyle::Capital => br#"{"Message":"#,
    };
    out.extend_from_slice(member);
    match message {
        None => out.extend_from_slice(b"null"),
        Some(message) => {
            quote_json(message, out);
        }
    }
    out.push(b'}');
}

/// What a user declared for one type. Text as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customization {
    /// The status, if one was given.
    pub status: Option<u16>,
    /// Target and source: `gatewayresponse.header.X` and an expression.
    pub parameters: Vec<(String, String)>,
    /// Content type and template. Empty: the standard template.
    pub templates: Vec<(String, String)>,
}

/// Where what a type answers comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing was customized.
    Standard,
    /// From a customized `DEFAULT_4XX` or `DEFAULT_5XX`. AWS lists it with `defaultResponse: true`, like a standard.
    Inherited,
    /// The type itself was customized.
    Own,
}

/// What a type answers once inheritance is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The type.
    pub response_type: ResponseType,
    /// Where the rest comes from.
    pub origin: Origin,
    /// As declared, by the type itself or by its fallback.
    pub customization: Customization,
}

impl Prepared {
    /// The status to answer with when the cause alone would give `cause_status`: a malformed proxy answer, say, is an
    /// `INTEGRATION_FAILURE` sent as 502.
    pub fn status(&self, cause_status: u16) -> u16 {
        // Recorded: an INTEGRATION_FAILURE that was customized without a status answers 500.
        let quirk = self.response_type == ResponseType::IntegrationFailure && self.origin == Origin::Own;
        self.customization.status.unwrap_or(if quirk { 500 } else { cause_status })
    }
}

/// What each of the types answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseTable([Prepared; ResponseType::COUNT]);

impl ResponseTable {
    /// What a type answers.
    pub fn prepared(&self, response_type: ResponseType) -> &Prepared {
        &self.0[response_type as usize]
    }

    /// All of them, in AWS's order.
    pub fn iter(&self) -> impl Iterator<Item = &Prepared> {
        self.0.iter()
    }
}

/// Resolves what each type answers. If a type is customized twice, the later one counts.
pub fn resolve(customizations: &[(ResponseType, Customization)]) -> ResponseTable {
    let own = |wanted| customizations.iter().rev().find(|(response_type, _)| *response_type == wanted);
    ResponseTable(ResponseType::ALL.map(|response_type| {
        let declared = match own(response_type) {
            // AWS documents that customizing this one is not supported.
            _ if response_type == ResponseType::RequestTooLarge => None,
            Some((_, customization)) => Some((Origin::Own, customization)),
            None => response_type.fallback().and_then(own).map(|(_, fallback)| (Origin::Inherited, fallback)),
        };
        let (origin, customization) = declared
            .map_or((Origin::Standard, Customization::default()), |(origin, declared)| (origin, declared.clone()));
        Prepared { response_type, origin, customization }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ResponseType::*;

    fn body(response_type: ResponseType) -> String {
        let mut out = Vec::new();
        write_default_body(response_type.body_style(), response_type.message(), &mut out);
        String::from_utf8(out).expect("messages are text")
    }

    fn header(name: &str) -> Customization {
        let parameters = vec![(format!("gatewayresponse.header.{name}"), "'*'".to_owned())];
        Customization { parameters, ..Customization::default() }
    }

    fn status(status: u16) -> Customization {
        Customization { status: Some(status), ..Customization::default() }
    }

    #[test]
    fn every_type_stands_at_its_number_and_parses_from_its_name() {
        for (index, response_type) in ResponseType::ALL.into_iter().enumerate() {
            assert_eq!(response_type as usize, index);
            assert_eq!(ResponseType::parse(response_type.as_str()), Some(response_type));
        }
        assert_eq!(ResponseType::parse("throttled"), None);
    }

    #[test]
    fn an_unknown_type_is_refused_with_the_recorded_list() {
        let expected = "1 validation error detected: Value 'FAKE_RESPONSE_TYPE' at 'responseType' failed to satisfy \
                        constraint: Member must satisfy enum value set: [REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, \
                        AUTHORIZER_CONFIGURATION_ERROR, MISSING_AUTHENTICATION_TOKEN, BAD_REQUEST_BODY, \
                        INVALID_SIGNATURE, INVALID_API_KEY, BAD_REQUEST_PARAMETERS, AUTHORIZER_FAILURE, UNAUTHORIZED, \
                        INTEGRATION_TIMEOUT, ACCESS_DENIED, DEFAULT_4XX, DEFAULT_5XX, WAF_FILTERED, QUOTA_EXCEEDED, \
                        THROTTLED, API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, INTEGRATION_FAILURE, EXPIRED_TOKEN]";
        assert_eq!(UnknownResponseType("FAKE_RESPONSE_TYPE".to_owned()).to_string(), expected);
    }

    #[test]
    fn default_bodies_are_those_recorded() {
        assert_eq!(body(MissingAuthenticationToken), r#"{"message":"Missing Authentication Token"}"#);
        assert_eq!(body(ApiConfigurationError), r#"{"message": "Internal server error"}"#);
        assert_eq!(body(IntegrationFailure).len(), 36);
        assert_eq!(body(IntegrationTimeout), r#"{"message": "Endpoint request timed out"}"#);
        assert_eq!(body(AccessDenied), r#"{"Message":"User is not authorized to access this resource"}"#);
        assert_eq!(body(AuthorizerConfigurationError), r#"{"message":null}"#);
        assert_eq!(body(BadRequestBody), r#"{"message": "Invalid request body"}"#);
        assert_eq!(body(Throttled), r#"{"message":"Too Many Requests"}"#);
        let mut out = Vec::new();
        write_default_body(BodyStyle::Compact, ApiConfigurationError.message(), &mut out);
        assert_eq!(out, br#"{"message":"Internal server error"}"#);
    }

    #[test]
    fn without_customization_every_type_is_standard() {
        let table = resolve(&[]);
        assert_eq!(table.iter().count(), 21);
        for prepared in table.iter() {
            assert_eq!(prepared.origin, Origin::Standard);
            assert_eq!(prepared.status(599), 599);
        }
    }

    #[test]
    fn an_untouched_type_inherits_all_of_a_customized_fallback_of_its_class() {
        let templates = vec![("application/xml".to_owned(), "<no/>".to_owned())];
        let fallback = Customization { status: Some(599), templates, ..header("X") };
        let table = resolve(&[(Default5xx, fallback.clone())]);
        for response_type in [AuthorizerFailure, ApiConfigurationError, IntegrationTimeout, IntegrationFailure] {
            let prepared = table.prepared(response_type);
            assert_eq!((prepared.origin, &prepared.customization), (Origin::Inherited, &fallback));
            assert_eq!(prepared.status(500), 599);
        }
        assert_eq!(table.prepared(Default5xx).origin, Origin::Own);
        assert_eq!(table.prepared(Throttled).origin, Origin::Standard);
        assert_eq!(table.prepared(Default4xx).origin, Origin::Standard);
    }

    #[test]
    fn a_type_put_explicitly_no_longer_inherits() {
        let table = resolve(&[(Default5xx, status(599)), (AuthorizerFailure, header("X"))]);
        let prepared = table.prepared(AuthorizerFailure);
        assert_eq!((prepared.origin, prepared.status(500)), (Origin::Own, 500));
        assert!(prepared.customization.templates.is_empty());
        let nothing = resolve(&[(Default4xx, status(499)), (Throttled, Customization::default())]);
        assert_eq!(nothing.prepared(Throttled).status(429), 429);
        assert_eq!(nothing.prepared(QuotaExceeded).status(429), 499);
    }

    #[test]
    fn a_fallback_without_status_leaves_each_type_its_own() {
        let table = resolve(&[(Default4xx, header("X"))]);
        assert_eq!(table.prepared(Throttled).status(429), 429);
        assert_eq!(table.prepared(Throttled).customization.parameters.len(), 1);
        assert_eq!(table.prepared(Default4xx).status(400), 400);
    }

    #[test]
    fn an_integration_failure_customized_without_status_answers_500() {
        let table = resolve(&[(IntegrationFailure, header("X"))]);
        assert_eq!(table.prepared(IntegrationFailure).status(504), 500);
        let inherited = resolve(&[(Default5xx, header("X"))]);
        assert_eq!(inherited.prepared(IntegrationFailure).status(504), 504);
    }

    #[test]
    fn a_body_too_large_cannot_be_customized() {
        let table = resolve(&[(RequestTooLarge, status(418)), (Default4xx, status(499))]);
        assert_eq!(table.prepared(RequestTooLarge).origin, Origin::Standard);
    }

    #[test]
    fn a_status_is_three_digits() {
        assert_eq!(parse_status("404"), Some(404));
        for text in ["", "40", "4040", "600", "099", "4x4", "+44"] {
            assert_eq!(parse_status(text), None, "{text}");
        }
    }
}
