//! Parameter mappings: what `requestParameters` and `responseParameters` say, parsed when deployed.
//!
//! A mapping is a target and an expression. Expressions are those of the parameter-mapping reference of the API Gateway
//! developer guide; nothing is concatenated or computed. A source that a request lacks leaves the mapping out
//! altogether: no empty header, no empty parameter.

use std::fmt;

use super::body::BodySource;
use super::context::{ContextVariable, UnknownContext};
use super::query;
use crate::base::escape::quote_json_from;
use crate::json::Tape;

/// Which list of mappings an expression or a target stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `requestParameters` of an integration.
    Request,
    /// `responseParameters` of an integration response.
    Response,
    /// `responseParameters` of a gateway response.
    GatewayResponse,
}

/// What an expression can be resolved against when a stage is compiled.
pub trait Resolve {
    /// The position of the route's path variable, counted from 0 in its template.
    fn path_variable(&self, name: &str) -> Option<usize>;
    /// The value of the stage's variable.
    fn stage_variable(&self, name: &str) -> Option<&str>;
    /// Gives all variables of the stage, for templates that go through them.
    fn each_stage_variable(&self, _give: &mut dyn FnMut(&str, &str)) {}
}

/// What an expression reads at run time. Names are compared as written: AWS's mappings are case-sensitive, also for
/// headers.
pub trait Values {
    /// The value of the route's path variable at this position, as sent.
    fn path(&self, index: usize) -> Option<&[u8]>;
    /// The value of the route's path variable of that name. Gateway responses ask so, since they serve every route;
    /// `None` also when no route was found.
    fn path_named(&self, name: &str) -> Option<&[u8]>;
    /// The raw query string without `?`; empty if there is none.
    fn query(&self) -> &[u8];
    /// The last value of a request header.
    fn header(&self, name: &str) -> Option<&[u8]>;
    /// Appends all values of a request header joined with `,`; `false` if there are none.
    fn headers(&self, name: &str, out: &mut Vec<u8>) -> bool;
    /// The last value of a header of the integration's answer.
    fn integration_header(&self, name: &str) -> Option<&[u8]>;
    /// Appends all values of a header of the integration's answer joined with `,`; `false` if there are none.
    fn integration_headers(&self, name: &str, out: &mut Vec<u8>) -> bool;
    /// The whole body that a mapping may read: the client's on the request's side, the integration's on the
    /// response's. `None` where nobody gathered it.
    fn body(&self) -> Option<&[u8]> {
        None
    }
    /// What a template put in the place of a variable of the integration's URI.
    fn path_override(&self, _name: &str) -> Option<&[u8]> {
        None
    }
    /// The same body as a document, if it is one.
    fn document(&self) -> Option<&Tape> {
        None
    }
    /// Appends the value of a `$context` variable; `false`, and nothing appended, if it has none. Never asked for
    /// [`ContextVariable::ErrorMessageString`], which is made from [`ContextVariable::ErrorMessage`].
    fn context(&self, variable: &ContextVariable, out: &mut Vec<u8>) -> bool;
}

/// Whether a source had a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Presence {
    /// Its text was appended.
    Present,
    /// There is none; nothing was appended, and the mapping is to be left out.
    Missing,
}

impl From<bool> for Presence {
    fn from(present: bool) -> Self {
        if present { Self::Present } else { Self::Missing }
    }
}

/// Where a mapped value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// `'text'`, or a stage variable, whose value is known.
    Literal(Box<str>),
    /// A stage variable that the stage does not have: always missing.
    Absent,
    /// `method.request.path.n`, by position.
    Path(usize),
    /// `method.request.path.n` where the route is not known: in gateway responses.
    PathNamed(Box<str>),
    /// `method.request.querystring.n`: the last value, decoded.
    Query(Box<str>),
    /// `method.request.multivaluequerystring.n`: all values, decoded.
    Queries(Box<str>),
    /// `method.request.header.n`: the last value.
    Header(Box<str>),
    /// `method.request.multivalueheader.n`: all values.
    Headers(Box<str>),
    /// `method.request.body`, or the part of it that a JSONPath (`$.a[0]`) selects.
    Body(BodySource),
    /// `integration.response.header.n`: the last value.
    IntegrationHeader(Box<str>),
    /// `integration.response.multivalueheader.n`: all values.
    IntegrationHeaders(Box<str>),
    /// `integration.response.body`, or the part of it that a JSONPath selects.
    IntegrationBody(BodySource),
    /// `context.n`
    Context(ContextVariable),
}

/// Why a mapping was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// The expression or target as written.
    pub text: String,
    /// What is wrong with it.
    pub cause: Cause,
}

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is no expression, or no target, that may stand here.
    NotAnExpression,
    /// The name has characters outside `a-zA-Z0-9._$-`, or is empty.
    BadName,
    /// The route's path has no such variable.
    NoSuchPathVariable,
    /// The `context` variable does not exist.
    Context(UnknownContext),
}

/// AWS's words, whatever the cause.
impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid mapping expression specified: {}", self.text)
    }
}

impl std::error::Error for ExpressionError {}

impl Expression {
    /// Parses a source as written in a mapping.
    pub fn parse(text: &str, side: Side, resolve: &impl Resolve) -> Result<Self, ExpressionError> {
        parse_source(text, side, resolve).map_err(|cause| ExpressionError { text: text.to_owned(), cause })
    }

    /// Appends the value. Several values are joined with `,`.
    ///
    /// The value is whatever the client sent, decoded: a query parameter can hold a line break. Whoever writes a header
    /// refuses such a value.
    pub fn write(&self, values: &impl Values, out: &mut Vec<u8>) -> Presence {
        match self {
            Self::Literal(text) => append(Some(text.as_bytes()), out),
            Self::Absent => Presence::Missing,
            Self::Body(source) | Self::IntegrationBody(source) => source.write(values, out),
            Self::Path(index) => append(values.path(*index), out),
            Self::PathNamed(name) => append(values.path_named(name), out),
            Self::Query(name) => match query::last(values.query(), name) {
                Some(raw) => {
                    query::decode(raw, out);
                    Presence::Present
                }
                None => Presence::Missing,
            },
            Self::Queries(name) => write_queries(values.query(), name, out),
            Self::Header(name) => append(values.header(name), out),
            Self::Headers(name) => values.headers(name, out).into(),
            Self::IntegrationHeader(name) => append(values.integration_header(name), out),
            Self::IntegrationHeaders(name) => values.integration_headers(name, out).into(),
            Self::Context(variable) => write_context(values, variable, out),
        }
    }

    /// The query parameter whose values each become a parameter of their own when mapped to a query string. Its raw
    /// values are those of [`query::values`].
    pub fn repeated_query(&self) -> Option<&str> {
        match self {
            Self::Queries(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it reads a message body, which then has to be gathered.
    pub const fn reads_body(&self) -> bool {
        matches!(self, Self::Body(_) | Self::IntegrationBody(_))
    }

    /// The value, if it is the same for every request.
    pub fn as_literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            _ => None,
        }
    }

    /// Whether its value is text that was never decoded, so that `%2F` in it is an escape and not a percent sign.
    pub const fn is_as_sent(&self) -> bool {
        matches!(self, Self::Path(_) | Self::PathNamed(_))
    }
}

/// Appends the value of a `$context` variable; `error.messageString` is `error.message` as a JSON string.
pub fn write_context(values: &impl Values, variable: &ContextVariable, out: &mut Vec<u8>) -> Presence {
    if *variable != ContextVariable::ErrorMessageString {
        return values.context(variable, out).into();
    }
    let start = out.len();
    let has_message = values.context(&ContextVariable::ErrorMessage, out);
    if has_message {
        quote_json_from(out, start);
    }
    has_message.into()
}

fn append(value: Option<&[u8]>, out: &mut Vec<u8>) -> Presence {
    value.inspect(|value| out.extend_from_slice(value)).is_some().into()
}

fn write_queries(raw: &[u8], name: &str, out: &mut Vec<u8>) -> Presence {
    let mut presence = Presence::Missing;
    for value in query::values(raw, name) {
        if presence == Presence::Present {
            out.push(b',');
        }
        query::decode(value, out);
        presence = Presence::Present;
    }
    presence
}

fn parse_source(text: &str, side: Side, resolve: &impl Resolve) -> Result<Expression, Cause> {
    if let Some(literal) = text.strip_prefix('\'') {
        let inside = literal.strip_suffix('\'').ok_or(Cause::NotAnExpression)?;
        return Ok(Expression::Literal(inside.into()));
    }
    if let Some(variable) = text.strip_prefix("stageVariables.") {
        let value = resolve.stage_variable(checked(variable)?);
        return Ok(value.map_or(Expression::Absent, |value| Expression::Literal(value.into())));
    }
    if let Some(variable) = text.strip_prefix("context.") {
        return ContextVariable::parse(checked(variable)?).map(Expression::Context).map_err(Cause::Context);
    }
    match (side, text.strip_prefix("method.request."), text.strip_prefix("integration.response.")) {
        (Side::Request | Side::GatewayResponse, Some(source), _) => parse_request(source, side, resolve),
        (Side::Response, _, Some(source)) => parse_answer(source),
        _ => Err(Cause::NotAnExpression),
    }
}

fn parse_request(source: &str, side: Side, resolve: &impl Resolve) -> Result<Expression, Cause> {
    if let Some(path) = source.strip_prefix("body") {
        return match side {
            Side::Request => BodySource::parse(path).map(Expression::Body).ok_or(Cause::NotAnExpression),
            Side::Response | Side::GatewayResponse => Err(Cause::NotAnExpression),
        };
    }
    let (location, name) = source.split_once('.').ok_or(Cause::NotAnExpression)?;
    let name = checked(name)?;
    match location {
        "path" if side == Side::GatewayResponse => Ok(Expression::PathNamed(name.into())),
        "path" => resolve.path_variable(name).map(Expression::Path).ok_or(Cause::NoSuchPathVariable),
        "querystring" => Ok(Expression::Query(name.into())),
        "multivaluequerystring" => Ok(Expression::Queries(name.into())),
        "header" => Ok(Expression::Header(name.into())),
        "multivalueheader" => Ok(Expression::Headers(name.into())),
        _ => Err(Cause::NotAnExpression),
    }
}

fn parse_answer(source: &str) -> Result<Expression, Cause> {
    if let Some(path) = source.strip_prefix("body") {
        return BodySource::parse(path).map(Expression::IntegrationBody).ok_or(Cause::NotAnExpression);
    }
    let (location, name) = source.split_once('.').ok_or(Cause::NotAnExpression)?;
    let name = checked(name)?;
    match location {
        "header" => Ok(Expression::IntegrationHeader(name.into())),
        "multivalueheader" => Ok(Expression::IntegrationHeaders(name.into())),
        _ => Err(Cause::NotAnExpression),
    }
}

/// The documented pattern of source names: `^[a-zA-Z0-9._$-]+$`.
fn checked(name: &str) -> Result<&str, Cause> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._$-".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_allowed) {
        return Err(Cause::BadName);
    }
    Ok(name)
}

/// Where a mapped value goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `integration.request.header.n`
    RequestHeader(Box<str>),
    /// `integration.request.querystring.n`
    RequestQuery(Box<str>),
    /// `integration.request.path.n`: fills `{n}` in the URI.
    RequestPath(Box<str>),
    /// `method.response.header.n`
    ResponseHeader(Box<str>),
    /// `gatewayresponse.header.n`
    GatewayHeader(Box<str>),
    /// `gatewayresponse.path.n`; AWS takes it and does nothing with it.
    GatewayPath(Box<str>),
    /// `gatewayresponse.querystring.n`; AWS takes it and does nothing with it.
    GatewayQuery(Box<str>),
}

impl Target {
    /// Parses a target as written in a mapping.
    pub fn parse(text: &str, side: Side) -> Result<Self, ExpressionError> {
        parse_target(text, side).map_err(|cause| ExpressionError { text: text.to_owned(), cause })
    }
}

fn parse_target(text: &str, side: Side) -> Result<Target, Cause> {
    let prefix = match side {
        Side::Request => "integration.request.",
        Side::Response => "method.response.",
        Side::GatewayResponse => "gatewayresponse.",
    };
    let target = text.strip_prefix(prefix).ok_or(Cause::NotAnExpression)?;
    let (location, name) = target.split_once('.').ok_or(Cause::NotAnExpression)?;
    match (side, location) {
        (Side::Request, "header") => field_name(name).map(Target::RequestHeader),
        (Side::Request, "querystring") => plain_name(name).map(Target::RequestQuery),
        (Side::Request, "path") => plain_name(name).map(Target::RequestPath),
        (Side::Response, "header") => field_name(name).map(Target::ResponseHeader),
        (Side::GatewayResponse, "header") => field_name(name).map(Target::GatewayHeader),
        (Side::GatewayResponse, "path") => plain_name(name).map(Target::GatewayPath),
        (Side::GatewayResponse, "querystring") => plain_name(name).map(Target::GatewayQuery),
        _ => Err(Cause::NotAnExpression),
    }
}

/// A field name is a token (RFC 9110, section 5.1): anything else would write a broken message.
fn field_name(name: &str) -> Result<Box<str>, Cause> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(Cause::BadName);
    }
    Ok(name.into())
}

fn plain_name(name: &str) -> Result<Box<str>, Cause> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Cause::BadName);
    }
    Ok(name.into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A route `/{id}/{proxy+}` on a stage with one variable.
    pub struct Route;

    impl Resolve for Route {
        fn path_variable(&self, name: &str) -> Option<usize> {
            ["id", "proxy"].iter().position(|&known| known == name)
        }

        fn stage_variable(&self, name: &str) -> Option<&str> {
            (name == "host").then_some("backend.example:8080")
        }
    }

    /// One request to it.
    pub struct Request;

    impl Values for Request {
        fn path(&self, index: usize) -> Option<&[u8]> {
            [&b"42"[..], b"a%2Fb/c"].get(index).copied()
        }

        fn path_named(&self, name: &str) -> Option<&[u8]> {
            self.path(Route.path_variable(name)?)
        }

        fn query(&self) -> &[u8] {
            b"q=first&q=last+one%21&e="
        }

        fn header(&self, name: &str) -> Option<&[u8]> {
            (name == "Accept").then_some(b"text/html")
        }

        fn headers(&self, name: &str, out: &mut Vec<u8>) -> bool {
            out.extend_from_slice(if name == "Accept" { b"a,text/html" } else { b"" });
            name == "Accept"
        }

        fn integration_header(&self, name: &str) -> Option<&[u8]> {
            (name == "ETag").then_some(b"\"1\"")
        }

        fn integration_headers(&self, name: &str, out: &mut Vec<u8>) -> bool {
            out.extend_from_slice(if name == "ETag" { b"\"0\",\"1\"" } else { b"" });
            name == "ETag"
        }

        fn context(&self, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
            let text = match variable {
                ContextVariable::Stage => "dev",
                ContextVariable::ErrorMessage => "say \"no\"",
                ContextVariable::ErrorValidationErrorString => "[\"a\"]",
                _ => return false,
            };
            out.extend_from_slice(text.as_bytes());
            true
        }
    }

    fn value(text: &str, side: Side) -> Option<String> {
        let expression = Expression::parse(text, side, &Route).expect(text);
        let mut out = Vec::new();
        let presence = expression.write(&Request, &mut out);
        (presence == Presence::Present).then(|| String::from_utf8(out).expect("test values are text"))
    }

    #[test]
    fn request_sources_give_their_documented_values() {
        let rows = [
            ("method.request.path.id", Some("42")),
            ("method.request.path.proxy", Some("a%2Fb/c")),
            ("method.request.querystring.q", Some("last one!")),
            ("method.request.querystring.e", Some("")),
            ("method.request.querystring.none", None),
            ("method.request.multivaluequerystring.q", Some("first,last one!")),
            ("method.request.multivaluequerystring.none", None),
            ("method.request.header.Accept", Some("text/html")),
            ("method.request.header.none", None),
            ("method.request.multivalueheader.Accept", Some("a,text/html")),
            ("stageVariables.host", Some("backend.example:8080")),
            ("stageVariables.none", None),
            ("context.stage", Some("dev")),
            ("context.identity.user", None),
            ("'a literal, isn't it'", Some("a literal, isn't it")),
            ("''", Some("")),
        ];
        for (text, expected) in rows {
            assert_eq!(value(text, Side::Request).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn response_sources_give_their_documented_values() {
        assert_eq!(value("integration.response.header.ETag", Side::Response).as_deref(), Some("\"1\""));
        assert_eq!(value("integration.response.multivalueheader.ETag", Side::Response).as_deref(), Some("\"0\",\"1\""));
        assert_eq!(value("integration.response.header.etag", Side::Response), None);
        assert_eq!(value("method.request.path.id", Side::GatewayResponse).as_deref(), Some("42"));
        assert_eq!(value("method.request.path.other", Side::GatewayResponse), None);
    }

    #[test]
    fn body_sources_are_parsed_and_say_so() {
        let source = |path| BodySource::parse(path).expect("a path");
        let rows = [
            ("method.request.body", Side::Request, Expression::Body(source(""))),
            ("method.request.body.a.b", Side::Request, Expression::Body(source(".a.b"))),
            ("method.request.body[0].price", Side::Request, Expression::Body(source("[0].price"))),
            ("integration.response.body.e", Side::Response, Expression::IntegrationBody(source(".e"))),
        ];
        for (text, side, expected) in rows {
            let parsed = Expression::parse(text, side, &Route).expect(text);
            assert!(parsed.reads_body());
            assert_eq!(parsed, expected);
        }
    }

    #[test]
    fn what_is_no_expression_is_refused_with_the_words_of_aws() {
        let rows = [
            ("true", Side::Request, Cause::NotAnExpression),
            ("", Side::Request, Cause::NotAnExpression),
            ("'", Side::Request, Cause::NotAnExpression),
            ("'open", Side::Request, Cause::NotAnExpression),
            ("method.request.cookie.x", Side::Request, Cause::NotAnExpression),
            ("method.request.bodyx", Side::Request, Cause::NotAnExpression),
            ("method.request.body.", Side::Request, Cause::NotAnExpression),
            ("method.request.header", Side::Request, Cause::NotAnExpression),
            ("method.request.header.", Side::Request, Cause::BadName),
            ("method.request.header.a b", Side::Request, Cause::BadName),
            ("method.request.path.none", Side::Request, Cause::NoSuchPathVariable),
            ("integration.response.header.X", Side::Request, Cause::NotAnExpression),
            ("method.request.header.X", Side::Response, Cause::NotAnExpression),
            ("method.request.body", Side::GatewayResponse, Cause::NotAnExpression),
            ("context.nope", Side::Request, Cause::Context(UnknownContext::NoSuchName("nope".into()))),
        ];
        for (text, side, cause) in rows {
            let error = Expression::parse(text, side, &Route).expect_err(text);
            assert_eq!(error.to_string(), format!("Invalid mapping expression specified: {text}"));
            assert_eq!(error.cause, cause, "{text}");
        }
    }

    #[test]
    fn targets_belong_to_their_side() {
        let header = Target::RequestHeader("X-A".into());
        assert_eq!(Target::parse("integration.request.header.X-A", Side::Request), Ok(header));
        assert!(Target::parse("integration.request.path.p", Side::Request).is_ok());
        assert!(Target::parse("integration.request.querystring.filter[a]", Side::Request).is_ok());
        assert!(Target::parse("method.response.header.X", Side::Response).is_ok());
        assert!(Target::parse("gatewayresponse.header.X", Side::GatewayResponse).is_ok());
        for (text, side) in [
            ("method.response.header.X", Side::Request),
            ("integration.request.header.X", Side::Response),
            ("integration.request.body", Side::Request),
            ("method.response.header.A: b\r\nC", Side::Response),
            ("gatewayresponse.body.x", Side::GatewayResponse),
        ] {
            assert!(Target::parse(text, side).is_err(), "{text}");
        }
    }
}
