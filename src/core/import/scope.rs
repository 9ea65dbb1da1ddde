//! Which members each object of an OpenAPI document may have, and why those that change nothing change nothing.
//!
//! Nothing is ignored in silence: a member is read by the importer (`read` below), or it is listed here with the
//! reason why it has no effect, or it is reported as unknown.

use crate::base::Severity;

/// The objects of a document, as far as their members are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Root,
    Info,
    Server,
    Components,
    PathItem,
    Operation,
    AnyMethod,
    Parameter,
    BodyParameter,
    RequestBody,
    MediaType,
    Response,
    Header,
    SecurityScheme,
    Authorizer,
    Auth,
    Tag,
    Integration,
    TlsConfig,
    IntegrationResponse,
    GatewayResponse,
    RequestValidator,
    EndpointConfiguration,
    Documentation,
    DocumentationPart,
    DocumentationLocation,
}

/// Why a member has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Why {
    /// Text for people.
    Documentation,
    /// A part of OpenAPI or JSON Schema that API Gateway drops.
    Dropped,
    /// Addresses and schemes: the gateway has its own.
    Address,
    /// Constraints and spelling of a parameter.
    ParameterDetail,
    /// Requests that the API would make itself.
    Outgoing,
    /// An extension of somebody else.
    Vendor,
    /// A response that has no status code.
    NoStatus,
    /// A response taken from `components` by reference.
    SharedResponse,
    /// Media types of a message without a schema.
    MediaTypes,
    /// `trace`, `head`-like names that are no methods.
    NotAMethod,
    /// A parameter in a cookie or form.
    ParameterLocation,
    /// An extension for HTTP APIs.
    HttpApiOnly,
    /// An extension whose name is none of API Gateway's.
    UnknownExtension,
    /// Not a member of this object at all.
    Unknown,
    /// The identity source of an authorizer that has it from its scheme.
    IdentitySource,
    /// A member of the other version of OpenAPI.
    OtherVersion,
    /// A name among the document's tags.
    Tag,
    /// A security scheme that API Gateway does not enforce, where it is required.
    OpenScheme,
    /// A security scheme that is required and not declared.
    UndeclaredScheme,
    /// `api_key`, required and not declared.
    ImpliedKey,
    /// A second authorizer of one operation.
    SecondScheme,
    /// Scopes of a scheme that has none.
    Scopes,
    /// A keyword of JSON Schema that stays in the model and is not checked.
    SchemaKeyword,
    /// A keyword that AWS leaves out of the validation of imported models.
    SchemaPartly,
    /// A reference to a part of a model.
    ModelPart,
}

impl Why {
    pub(super) fn severity(self) -> Severity {
        match self {
            Self::Documentation | Self::Dropped | Self::Address | Self::ParameterDetail => Severity::Note,
            Self::Outgoing | Self::Vendor | Self::NoStatus | Self::SharedResponse | Self::MediaTypes => Severity::Note,
            Self::NotAMethod | Self::ParameterLocation => Severity::Warning,
            Self::HttpApiOnly | Self::UnknownExtension | Self::Unknown | Self::OtherVersion => Severity::Warning,
            Self::Tag | Self::IdentitySource | Self::SchemaKeyword | Self::SchemaPartly | Self::ImpliedKey => {
                Severity::Note
            }
            Self::OpenScheme | Self::SecondScheme | Self::Scopes | Self::ModelPart => Severity::Warning,
            Self::UndeclaredScheme => Severity::Error,
        }
    }

    pub(super) fn rule(self) -> &'static str {
        match (self, self.severity()) {
            (Self::OpenScheme | Self::UndeclaredScheme | Self::SecondScheme | Self::Scopes, _) => "security-scheme",
            (_, Severity::Note) => "ignored-field",
            (_, Severity::Warning | Severity::Error) => "unsupported-field",
        }
    }

    /// Whether it protects less than the document says, which AWS's answer must not keep silent about. Of a scheme
    /// that is left open the scheme itself is warned about.
    pub(super) fn is_aws_warning(self) -> bool {
        matches!(self, Self::UndeclaredScheme | Self::SecondScheme | Self::Scopes)
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Documentation => "is documentation: it changes no request",
            Self::Dropped => "has no effect",
            Self::Address => "has no effect: the gateway answers at its own addresses",
            Self::ParameterDetail => {
                "of a parameter is not checked: a validator only asks whether the parameter is there"
            }
            Self::Outgoing => "describes requests that the gateway does not make",
            Self::Vendor => "is an extension that the gateway does not know",
            Self::NoStatus => "is not a status code, so it declares no method response",
            Self::SharedResponse => "is taken from the shared responses of the document",
            Self::MediaTypes => "has no effect where no schema is declared",
            Self::NotAMethod => "is not a method that a resource can have; it is left out",
            Self::ParameterLocation => "is not a place where the gateway looks for parameters; left out",
            Self::HttpApiOnly => "is an extension for HTTP APIs; it does nothing in a REST API",
            Self::UnknownExtension => "is not an extension of API Gateway; it is left out",
            Self::Unknown => "is not a member of this object; it is left out",
            Self::OtherVersion => "belongs to the other version of OpenAPI; it is left out",
            Self::IdentitySource => "is not read: the header named by the security scheme holds the token",
            Self::Tag => "is a tag: documentation only",
            Self::OpenScheme => "is required here and protects nothing: everyone may call the operation",
            Self::UndeclaredScheme => "is required here and declared nowhere: the operation is closed and answers 500",
            Self::ImpliedKey => "is required here and declared nowhere: taken for the API key in x-api-key",
            Self::SecondScheme => "is a second authorizer; only the first one of an operation is asked",
            Self::Scopes => "has scopes, which only Cognito authorizers check",
            Self::SchemaKeyword => "of a schema stays in the model and is not checked",
            Self::SchemaPartly => "of a schema is checked here",
            Self::ModelPart => "refers to a part of a model",
        }
    }

    pub(super) fn on_aws(self) -> &'static str {
        match self {
            Self::Documentation => "Descriptions become documentation parts, the rest is dropped.",
            Self::Dropped => "The import drops it.",
            Self::Address => "Host and schemes are ignored on import.",
            Self::ParameterDetail => "Only name, in, required, type and description of a parameter are read.",
            Self::Outgoing | Self::Vendor => "Ignored on import.",
            Self::NoStatus => "Method responses have three-digit status codes; others are not created.",
            Self::SharedResponse => "References to shared responses are not supported by the import.",
            Self::MediaTypes => "Used for the content types of models only.",
            Self::NotAMethod => "Methods are GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD and ANY.",
            Self::ParameterLocation => "Parameters stand in path, query and header.",
            Self::HttpApiOnly | Self::UnknownExtension | Self::Unknown | Self::OtherVersion => "Ignored on import.",
            Self::IdentitySource => "Derived from the scheme's name for token and cognito_user_pools authorizers.",
            Self::Tag => "Tags are documentation in a REST API.",
            Self::OpenScheme => "Ignored with a warning: the method is open.",
            Self::UndeclaredScheme => "Not documented.",
            Self::ImpliedKey => "Not documented; the guide writes it so.",
            Self::SecondScheme => "A method has one authorizer.",
            Self::Scopes => "Ignored: authorizationScopes belong to COGNITO_USER_POOLS.",
            Self::SchemaKeyword => "Dropped or ignored.",
            Self::SchemaPartly => "Not part of the validation of an imported model.",
            Self::ModelPart => "References lead to whole models only.",
        }
    }

    pub(super) fn fix(self) -> &'static str {
        match self {
            Self::ParameterDetail => "Check values in the backend, or describe the body by a model.",
            Self::SharedResponse => "Write the response out where it is used if the document is to be imported on AWS.",
            Self::NotAMethod => "Use x-amazon-apigateway-any-method to answer every method.",
            Self::ParameterLocation => "Use a header, or a request body with a model.",
            Self::HttpApiOnly => "Remove it, or make this an HTTP API.",
            Self::OpenScheme => "Give the scheme an authorizer, or see that the backend checks.",
            Self::ImpliedKey => "Declare the scheme: type apiKey, name x-api-key, in header.",
            Self::UndeclaredScheme => "Declare the scheme, or remove the requirement.",
            Self::SecondScheme => "Join the checks in one authorizer.",
            Self::ModelPart => "Make the part a model of its own.",
            Self::OtherVersion => "Write it as the version at the top of the document does.",
            Self::UnknownExtension | Self::Unknown => "Check the spelling and the level it stands at.",
            _ => "",
        }
    }
}

type Table = (&'static [&'static str], &'static [(&'static str, Why)]);

use Why::{Address, Documentation as Doc, Dropped, MediaTypes, NotAMethod, Outgoing, ParameterDetail as Detail};

impl Scope {
    /// `None` if the importer reads the member.
    pub(super) fn why_ignored(self, name: &str) -> Option<Why> {
        let (read, ignored) = self.table();
        if read.contains(&name) {
            return None;
        }
        let listed = ignored.iter().find(|(listed, _)| *listed == name).map(|(_, why)| *why);
        Some(listed.unwrap_or_else(|| unlisted(name)))
    }

    fn table(self) -> Table {
        match self {
            Self::Root => (ROOT, ROOT_IGNORED),
            Self::Info => (
                &["title", "description", "version"],
                &[("termsOfService", Doc), ("contact", Doc), ("license", Doc), ("summary", Doc)],
            ),
            Self::Server => (
                &["url", "variables", "x-amazon-apigateway-endpoint-configuration"],
                &[("description", Doc), ("name", Doc)],
            ),
            Self::Components => (
                &["schemas", "responses", "parameters", "requestBodies", "headers", "securitySchemes", "pathItems"],
                &[("examples", Doc), ("links", Outgoing), ("callbacks", Outgoing)],
            ),
            Self::PathItem => {
                (PATH_ITEM, &[("summary", Doc), ("description", Doc), ("servers", Address), ("trace", NotAMethod)])
            }
            Self::Operation => (OPERATION, OPERATION_IGNORED),
            Self::AnyMethod => (OPERATION, ANY_METHOD_IGNORED),
            Self::Parameter => (&["name", "in", "required", "$ref"], PARAMETER_IGNORED),
            Self::BodyParameter => (&["name", "in", "schema", "$ref"], BODY_PARAMETER_IGNORED),
            Self::RequestBody => {
                (&["content", "$ref"], &[("description", Doc), ("required", Dropped), ("summary", Doc)])
            }
            Self::MediaType => (&["schema"], &[("example", Doc), ("examples", Doc), ("encoding", Detail)]),
            Self::Response => (
                &["headers", "content", "schema", "$ref"],
                &[("description", Doc), ("summary", Doc), ("examples", Doc), ("links", Outgoing)],
            ),
            Self::Header => (&["$ref"], HEADER_IGNORED),
            _ => self.extension_table(),
        }
    }

    fn extension_table(self) -> Table {
        match self {
            Self::SecurityScheme => (SECURITY_SCHEME, &[("description", Doc)]),
            Self::Authorizer => (AUTHORIZER, AUTHORIZER_IGNORED),
            Self::Auth => (&["type"], &[]),
            Self::Tag => (
                &["name"],
                &[("description", Doc), ("externalDocs", Doc), ("x-amazon-apigateway-tag-value", Why::HttpApiOnly)],
            ),
            Self::Integration => {
                (INTEGRATION, &[("payloadFormatVersion", Dropped), ("integrationSubtype", Why::HttpApiOnly)])
            }
            Self::TlsConfig => (&["insecureSkipVerification"], &[("serverNameToVerify", Why::HttpApiOnly)]),
            Self::IntegrationResponse => {
                (&["statusCode", "responseParameters", "responseTemplates", "contentHandling"], &[])
            }
            Self::GatewayResponse => (&["statusCode", "responseParameters", "responseTemplates"], &[]),
            Self::RequestValidator => (&["validateRequestBody", "validateRequestParameters"], &[]),
            Self::EndpointConfiguration => (&["disableExecuteApiEndpoint", "vpcEndpointIds", "ipAddressType"], &[]),
            Self::Documentation => (&["version", "documentationParts"], &[("createdDate", Doc), ("description", Doc)]),
            Self::DocumentationPart => (&["location", "properties"], &[]),
            Self::DocumentationLocation => (&["type", "path", "method", "statusCode", "name"], &[]),
            _ => (&[], &[]),
        }
    }
}

fn unlisted(name: &str) -> Why {
    const HTTP_API: [&str; 4] = [
        "x-amazon-apigateway-cors",
        "x-amazon-apigateway-importexport-version",
        "x-amazon-apigateway-integrations",
        "x-amazon-apigateway-tag-value",
    ];
    match name {
        _ if HTTP_API.contains(&name) => Why::HttpApiOnly,
        _ if name.starts_with("x-amazon-apigateway-") => Why::UnknownExtension,
        _ if name.starts_with("x-") => Why::Vendor,
        _ => Why::Unknown,
    }
}

const ROOT: &[&str] = &[
    "swagger",
    "openapi",
    "info",
    "basePath",
    "servers",
    "paths",
    "components",
    "definitions",
    "parameters",
    "responses",
    "securityDefinitions",
    "security",
    "consumes",
    "produces",
    "tags",
    "x-amazon-apigateway-api-key-source",
    "x-amazon-apigateway-binary-media-types",
    "x-amazon-apigateway-documentation",
    "x-amazon-apigateway-endpoint-access-mode",
    "x-amazon-apigateway-endpoint-configuration",
    "x-amazon-apigateway-gateway-responses",
    "x-amazon-apigateway-minimum-compression-size",
    "x-amazon-apigateway-policy",
    "x-amazon-apigateway-request-validator",
    "x-amazon-apigateway-request-validators",
    "x-amazon-apigateway-security-policy",
];

const ROOT_IGNORED: &[(&str, Why)] = &[
    ("host", Address),
    ("schemes", Address),
    ("externalDocs", Doc),
    ("webhooks", Outgoing),
    ("jsonSchemaDialect", Dropped),
];

const PATH_ITEM: &[&str] = &[
    "get",
    "put",
    "post",
    "delete",
    "options",
    "head",
    "patch",
    "x-amazon-apigateway-any-method",
    "parameters",
    "$ref",
];

const OPERATION: &[&str] = &[
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "security",
    "consumes",
    "produces",
    "x-amazon-apigateway-auth",
    "x-amazon-apigateway-integration",
    "x-amazon-apigateway-request-validator",
];

const OPERATION_IGNORED: &[(&str, Why)] = &[
    ("tags", Doc),
    ("summary", Doc),
    ("description", Doc),
    ("externalDocs", Doc),
    ("deprecated", Dropped),
    ("callbacks", Outgoing),
    ("servers", Address),
    ("schemes", Address),
];

const ANY_METHOD_IGNORED: &[(&str, Why)] = &[
    ("tags", Doc),
    ("summary", Doc),
    ("description", Doc),
    ("externalDocs", Doc),
    ("deprecated", Dropped),
    ("callbacks", Outgoing),
    ("servers", Address),
    ("schemes", Address),
    ("isDefaultRoute", Why::HttpApiOnly),
];

const PARAMETER_IGNORED: &[(&str, Why)] = &[
    ("description", Doc),
    ("summary", Doc),
    ("example", Doc),
    ("examples", Doc),
    ("deprecated", Dropped),
    ("schema", Detail),
    ("content", Detail),
    ("type", Detail),
    ("format", Detail),
    ("items", Detail),
    ("collectionFormat", Detail),
    ("default", Detail),
    ("maximum", Detail),
    ("exclusiveMaximum", Detail),
    ("minimum", Detail),
    ("exclusiveMinimum", Detail),
    ("maxLength", Detail),
    ("minLength", Detail),
    ("pattern", Detail),
    ("maxItems", Detail),
    ("minItems", Detail),
    ("uniqueItems", Detail),
    ("enum", Detail),
    ("multipleOf", Detail),
    ("style", Detail),
    ("explode", Detail),
    ("allowReserved", Detail),
    ("allowEmptyValue", Detail),
];

const BODY_PARAMETER_IGNORED: &[(&str, Why)] =
    &[("description", Doc), ("required", Dropped), ("example", Doc), ("examples", Doc)];

const HEADER_IGNORED: &[(&str, Why)] = &[
    ("description", Doc),
    ("example", Doc),
    ("examples", Doc),
    ("required", Dropped),
    ("deprecated", Dropped),
    ("schema", MediaTypes),
    ("content", MediaTypes),
    ("type", MediaTypes),
    ("format", MediaTypes),
    ("items", MediaTypes),
    ("style", MediaTypes),
    ("explode", MediaTypes),
];

const SECURITY_SCHEME: &[&str] = &[
    "type",
    "name",
    "in",
    "$ref",
    "scheme",
    "bearerFormat",
    "flows",
    "flow",
    "scopes",
    "authorizationUrl",
    "tokenUrl",
    "openIdConnectUrl",
    "x-amazon-apigateway-authtype",
    "x-amazon-apigateway-authorizer",
];

const AUTHORIZER: &[&str] = &[
    "type",
    "authorizerUri",
    "authorizerCredentials",
    "identitySource",
    "identityValidationExpression",
    "authorizerResultTtlInSeconds",
    "providerARNs",
];

const AUTHORIZER_IGNORED: &[(&str, Why)] = &[
    ("authorizerPayloadFormatVersion", Why::HttpApiOnly),
    ("enableSimpleResponses", Why::HttpApiOnly),
    ("jwtConfiguration", Why::HttpApiOnly),
];

const INTEGRATION: &[&str] = &[
    "type",
    "uri",
    "httpMethod",
    "credentials",
    "connectionType",
    "connectionId",
    "integrationTarget",
    "passthroughBehavior",
    "contentHandling",
    "cacheNamespace",
    "cacheKeyParameters",
    "timeoutInMillis",
    "responseTransferMode",
    "tlsConfig",
    "requestParameters",
    "requestTemplates",
    "responses",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_is_read_or_has_a_reason() {
        let cases = [
            (Scope::Root, "paths", None),
            (Scope::Root, "host", Some(Address)),
            (Scope::Root, "x-amazon-apigateway-cors", Some(Why::HttpApiOnly)),
            (Scope::Root, "x-amazon-apigateway-polcy", Some(Why::UnknownExtension)),
            (Scope::Root, "x-logo", Some(Why::Vendor)),
            (Scope::Operation, "operationID", Some(Why::Unknown)),
            (Scope::PathItem, "trace", Some(NotAMethod)),
            (Scope::Integration, "integrationResponses", Some(Why::Unknown)),
            (Scope::Parameter, "schema", Some(Why::ParameterDetail)),
            (Scope::BodyParameter, "schema", None),
        ];
        for (scope, name, expected) in cases {
            assert_eq!(scope.why_ignored(name), expected, "{scope:?} {name}");
        }
    }
}
