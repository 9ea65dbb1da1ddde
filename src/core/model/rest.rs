//! A REST API (v1) as declared: resources, methods, integrations and what surrounds them.
//!
//! Nouns and members are those of the API Gateway REST API reference
//! (<https://docs.aws.amazon.com/apigateway/latest/api/>). Every declared thing remembers its [`Place`] so that a
//! finding about it can point into the file it came from.

use std::fmt;

use serde_json::Value;

use crate::base::Place;

use super::documentation::Documentation;

/// One REST API.
#[derive(Clone, Debug, Default)]
pub struct RestApi {
    /// `info.title`.
    pub name: String,
    /// `info.description`.
    pub description: Option<String>,
    /// `info.version`.
    pub version: Option<String>,
    /// Every resource that has a path, the intermediate ones included, root first, parents before children.
    pub resources: Vec<Resource>,
    /// Media types whose payloads are binary, in the order given.
    pub binary_media_types: Vec<String>,
    /// Smallest response in bytes that is compressed (0 to 10,485,760); `None`: never.
    pub minimum_compression_size: Option<u32>,
    /// Where an API key is read from.
    pub api_key_source: ApiKeySource,
    /// Resource policy, an IAM policy document.
    pub policy: Option<Declared<Value>>,
    /// Endpoint types, in the order given; empty: edge-optimized.
    pub endpoint_types: Vec<EndpointType>,
    /// The default invoke host answers 403.
    pub disable_execute_api_endpoint: bool,
    /// Named schemas.
    pub models: Vec<Model>,
    /// Named request validators.
    pub request_validators: Vec<RequestValidator>,
    /// Authorizers, also those that no method names.
    pub authorizers: Vec<Authorizer>,
    /// Customized gateway responses.
    pub gateway_responses: Vec<GatewayResponse>,
    /// `basePath` of Swagger 2, or the path of the first server; used by the import parameter `basepath`.
    pub base_path: Option<String>,
    /// VPC endpoints that may call a private API.
    pub vpc_endpoint_ids: Vec<String>,
    /// `ipv4` or `dualstack`, as written.
    pub ip_address_type: Option<String>,
    /// Name of the TLS security policy.
    pub security_policy: Option<String>,
    /// `BASIC` or `STRICT`, as written.
    pub endpoint_access_mode: Option<String>,
    /// Documentation that is kept with the API. It changes no request.
    pub documentation: Documentation,
    /// Where the settings were written.
    pub places: SettingPlaces,
}

/// Where the settings of an API were written, for findings about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettingPlaces {
    /// The endpoint configuration.
    pub endpoint_configuration: Place,
    /// The security policy.
    pub security_policy: Place,
    /// The endpoint access mode.
    pub endpoint_access_mode: Place,
}

/// A value together with the place where it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// One of `endpointConfiguration.types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointType {
    /// `EDGE`
    Edge,
    /// `REGIONAL`
    Regional,
    /// `PRIVATE`
    Private,
}

impl EndpointType {
    /// AWS's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "EDGE",
            Self::Regional => "REGIONAL",
            Self::Private => "PRIVATE",
        }
    }

    /// The type of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Edge, Self::Regional, Self::Private].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where the API key of a request is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiKeySource {
    /// In the `x-api-key` header.
    #[default]
    Header,
    /// In the authorizer's `usageIdentifierKey`.
    Authorizer,
}

/// A node of the resource tree.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// Whole path from the root, with braces: `/pets/{petId}`. The root is `/`. No trailing slash.
    pub path: String,
    /// Methods of this resource, in the order given. At most one per [`MethodName`].
    pub methods: Vec<Method>,
    /// Where the path was written (of an intermediate resource: the first path that goes through it).
    pub place: Place,
}

/// An HTTP method a resource may declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum MethodName {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
    /// `OPTIONS`
    Options,
    /// `HEAD`
    Head,
    /// `ANY`: every method above that the resource does not declare itself.
    Any,
}

impl MethodName {
    /// All of them, in AWS's order.
    pub const ALL: [Self; 8] =
        [Self::Get, Self::Put, Self::Post, Self::Delete, Self::Patch, Self::Options, Self::Head, Self::Any];

    /// AWS's spelling, upper case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
            Self::Head => "HEAD",
            Self::Any => "ANY",
        }
    }

    /// The method of that name, whatever its case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A method of a resource.
#[derive(Clone, Debug)]
pub struct Method {
    /// Its HTTP method.
    pub name: MethodName,
    /// `operationId`.
    pub operation_name: Option<String>,
    /// Who may call it.
    pub authorization: Authorization,
    /// Whether a valid API key must come with the request.
    pub api_key_required: bool,
    /// Name of a request validator of the API.
    pub request_validator: Option<Declared<String>>,
    /// Declared parameters, among them every path variable.
    pub request_parameters: Vec<RequestParameter>,
    /// Content type and model name of the request body.
    pub request_models: Vec<(String, String)>,
    /// Declared responses.
    pub responses: Vec<MethodResponse>,
    /// What answers; `None` is legal to store and refused at deployment.
    pub integration: Option<Integration>,
    /// Where the operation was written.
    pub place: Place,
}

/// How a method is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authorization {
    /// `NONE`
    #[default]
    None,
    /// `AWS_IAM`
    Iam,
    /// `CUSTOM`: a Lambda authorizer, by name.
    Custom {
        /// Name of the authorizer.
        authorizer: String,
    },
    /// `COGNITO_USER_POOLS`, by name of the authorizer.
    Cognito {
        /// Name of the authorizer.
        authorizer: String,
        /// Scopes of which the token must carry one; empty: any identity token.
        scopes: Vec<String>,
    },
}

/// Where a request parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ParameterLocation {
    /// `method.request.path.x`
    Path,
    /// `method.request.querystring.x`
    QueryString,
    /// `method.request.header.x`
    Header,
}

/// A declared request parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestParameter {
    /// Where it stands.
    pub location: ParameterLocation,
    /// Its name, case kept.
    pub name: String,
    /// Whether a validator refuses a request without it.
    pub required: bool,
}

/// A declared response of a method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodResponse {
    /// Three digits.
    pub status_code: String,
    /// Declared headers.
    pub headers: Vec<String>,
    /// Content type and model name.
    pub models: Vec<(String, String)>,
}

/// What a method calls.
#[derive(Clone, Debug)]
pub struct Integration {
    /// Its kind.
    pub kind: IntegrationKind,
    /// `httpMethod` towards the back end as written (`ANY` and absent: the client's).
    pub http_method: Option<String>,
    /// URL or ARN, stage variables and `{name}` included.
    pub uri: Option<Declared<String>>,
    /// Role ARN.
    pub credentials: Option<String>,
    /// `INTERNET` or `VPC_LINK`.
    pub connection_type: ConnectionType,
    /// VPC link id, or a stage variable that holds it.
    pub connection_id: Option<String>,
    /// What happens to a body for which there is no template.
    pub passthrough_behavior: PassthroughBehavior,
    /// Conversion of the request body.
    pub content_handling: Option<ContentHandling>,
    /// Milliseconds, 50 to 29,000; `None`: 29,000.
    pub timeout_in_millis: Option<u32>,
    /// Cache namespace; `None`: the resource.
    pub cache_namespace: Option<String>,
    /// Parameters that are part of the cache key.
    pub cache_key_parameters: Vec<String>,
    /// `integration.request.{header|querystring|path}.{name}` and the expression that fills it.
    pub request_parameters: Vec<ParameterMapping>,
    /// Content type and VTL.
    pub request_templates: Vec<(String, Declared<String>)>,
    /// Integration responses, in the order given.
    pub responses: Vec<IntegrationResponse>,
    /// Load balancer or listener ARN of a VPC link of the second kind.
    pub integration_target: Option<String>,
    /// `tlsConfig.insecureSkipVerification`.
    pub insecure_skip_verification: bool,
    /// `responseTransferMode` is `STREAM`.
    pub stream: bool,
    /// Where it was written.
    pub place: Place,
}

/// The five integration types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntegrationKind {
    /// `AWS`
    Aws,
    /// `AWS_PROXY`
    AwsProxy,
    /// `HTTP`
    Http,
    /// `HTTP_PROXY`
    HttpProxy,
    /// `MOCK`
    Mock,
}

impl IntegrationKind {
    /// AWS's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::AwsProxy => "AWS_PROXY",
            Self::Http => "HTTP",
            Self::HttpProxy => "HTTP_PROXY",
            Self::Mock => "MOCK",
        }
    }

    /// The type of that name, whatever its case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Aws, Self::AwsProxy, Self::Http, Self::HttpProxy, Self::Mock]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

/// `connectionType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionType {
    /// Over the public network.
    #[default]
    Internet,
    /// Through a VPC link.
    VpcLink,
}

/// `passthroughBehavior`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PassthroughBehavior {
    /// Unmatched content types pass.
    #[default]
    WhenNoMatch,
    /// They pass only when there is no template at all.
    WhenNoTemplates,
    /// They are refused with 415.
    Never,
}

/// `contentHandling`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentHandling {
    /// `CONVERT_TO_TEXT`
    ConvertToText,
    /// `CONVERT_TO_BINARY`
    ConvertToBinary,
}

/// One entry of `requestParameters` or `responseParameters`: a target and the expression that fills it, both as
/// written. `compile` parses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterMapping {
    /// For instance `integration.request.header.X` or `method.response.header.Y`.
    pub target: String,
    /// For instance `method.request.path.id`, `'literal'`, `context.requestId`.
    pub source: String,
    /// Where it was written.
    pub place: Place,
}

/// One integration response.
#[derive(Clone, Debug, Default)]
pub struct IntegrationResponse {
    /// The method response it leads to, three digits.
    pub status_code: String,
    /// Java regular expression; `None`: the default response.
    pub selection_pattern: Option<String>,
    /// `method.response.header.{name}` and the expression that fills it.
    pub response_parameters: Vec<ParameterMapping>,
    /// Content type and VTL.
    pub response_templates: Vec<(String, Declared<String>)>,
    /// Conversion of the response body.
    pub content_handling: Option<ContentHandling>,
    /// Where it was written.
    pub place: Place,
}

/// A named schema.
#[derive(Clone, Debug)]
pub struct Model {
    /// Alphanumeric.
    pub name: String,
    /// `application/json` for imported ones.
    pub content_type: String,
    /// The model's description.
    pub description: Option<String>,
    /// JSON Schema draft 4, with `$ref`s as written in the document.
    pub schema: Value,
    /// Where it was written.
    pub place: Place,
}

/// A named request validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestValidator {
    /// Its name.
    pub name: String,
    /// Checks the body against the method's models.
    pub validate_request_body: bool,
    /// Checks that required parameters are there.
    pub validate_request_parameters: bool,
    /// Where it was written.
    pub place: Place,
}

/// An authorizer.
#[derive(Clone, Debug)]
pub struct Authorizer {
    /// Name of the security scheme.
    pub name: String,
    /// Its kind.
    pub kind: AuthorizerKind,
    /// `x-amazon-apigateway-authtype`.
    pub auth_type: Option<String>,
    /// Lambda invocation URI.
    pub uri: Option<String>,
    /// Role ARN.
    pub credentials: Option<String>,
    /// Comma list of `method.request.header.X` and the like.
    pub identity_source: Option<String>,
    /// Regular expression that a token must match.
    pub identity_validation_expression: Option<String>,
    /// Seconds; `None`: member absent, behaves as 300.
    pub result_ttl_in_seconds: Option<u32>,
    /// User pools.
    pub provider_arns: Vec<String>,
    /// Where it was written.
    pub place: Place,
}

/// Kind of an authorizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizerKind {
    /// `TOKEN`
    Token,
    /// `REQUEST`
    Request,
    /// `COGNITO_USER_POOLS`
    CognitoUserPools,
}

/// A customized gateway response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayResponse {
    /// One of the 21 types, `DEFAULT_4XX` for instance.
    pub response_type: String,
    /// Three digits; `None`: the type's own.
    pub status_code: Option<String>,
    /// `gatewayresponse.header.{name}` and the expression that fills it.
    pub response_parameters: Vec<ParameterMapping>,
    /// Content type and template (substitution, not VTL).
    pub response_templates: Vec<(String, String)>,
    /// Where it was written.
    pub place: Place,
}

impl Integration {
    /// An integration of a kind with everything else at its default.
    pub const fn new(kind: IntegrationKind) -> Self {
        Self {
            kind,
            http_method: None,
            uri: None,
            credentials: None,
            connection_type: ConnectionType::Internet,
            connection_id: None,
            integration_target: None,
            passthrough_behavior: PassthroughBehavior::WhenNoMatch,
            content_handling: None,
            timeout_in_millis: None,
            cache_namespace: None,
            cache_key_parameters: Vec::new(),
            request_parameters: Vec::new(),
            request_templates: Vec::new(),
            responses: Vec::new(),
            insecure_skip_verification: false,
            stream: false,
            place: Place::NOWHERE,
        }
    }
}
