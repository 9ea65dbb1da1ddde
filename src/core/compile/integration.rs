//! Integrations: URIs, mappings, templates and responses, each parsed once.

use std::borrow::Cow;
use std::time::Duration;

use crate::base::Place;
use crate::base::limits::{INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MIN};
use crate::mapping::Expression;
use crate::mapping::expression::{Cause, ExpressionError, Side, Target};
use crate::mapping::template::{About, Remark, Template};
use crate::mapping::uri::{Authority, Literals, Scheme, UriError, UriTemplate, with_stage_variables};
use crate::model::rest::{
    ContentHandling, Declared, Integration, IntegrationKind, IntegrationResponse, Method, MethodName, ParameterMapping,
    PassthroughBehavior, RestApi,
};
use crate::plan::content::{BinaryMediaTypes, Handling};
use crate::plan::headers::{FORBIDDEN_MAPPINGS, NEVER_ANSWERED, NEVER_MAPPED, REMAPPED_FROM_MAPPING, REMAPPED_PREFIX};
use crate::plan::{
    BodyTemplate, ByMediaType, HeaderMapping, HttpPlan, IntegrationPlan, MockPlan, MockRequest, Passthrough,
    QueryMapping, ResponseHeader, ResponsePlan, Responses, UpstreamPlan,
};
use crate::proto::http::KnownField;

use super::choices::Choices;
use super::slots::Slots;
use super::{Findings, Names, OriginRewrite, Pointer, StageInput, template, unsupported};

/// Why the route of an integration answers 500.
#[derive(Debug)]
pub(super) enum Fault {
    /// It asks for what is not there yet, or what AWS would not take.
    Unserved(String),
    /// Its URI cannot be called: AWS stores it and finds out when a request comes.
    Endpoint(String),
}

impl Fault {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Unserved(why) | Self::Endpoint(why) => why,
        }
    }

    pub(super) fn into_plan(self) -> IntegrationPlan {
        match self {
            Self::Unserved(why) => IntegrationPlan::Unserved(why.into()),
            Self::Endpoint(why) => IntegrationPlan::BadEndpoint(why.into()),
        }
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Unserved(why)
    }
}

impl From<UriError> for Fault {
    fn from(error: UriError) -> Self {
        match error {
            UriError::EmptyHost | UriError::BadPort | UriError::BadHost => Self::Endpoint(error.to_string()),
            UriError::NotHttp | UriError::Unmapped(_) => Self::Unserved(error.to_string()),
        }
    }
}

/// The plan of an integration, or why its route answers 500.
pub(super) fn plan(
    route: &Route<'_>,
    declared: &Integration,
    input: &StageInput<'_>,
    slots: &mut Slots,
    choices: &mut Choices,
    findings: &mut Findings,
) -> Result<IntegrationPlan, Fault> {
    let Route { names, pointer, .. } = *route;
    let mut compiler = Compiler { route, declared, names, pointer, choices, findings };
    if let Some(why) = unsupported::unserved(declared) {
        compiler.check_templates();
        return Err(why.into());
    }
    if declared.kind == IntegrationKind::Mock {
        return Ok(IntegrationPlan::Mock(Box::new(compiler.mock()?)));
    }
    compiler.http(input, slots).map(|plan| IntegrationPlan::Http(Box::new(plan)))
}

/// What an integration belongs to.
pub(super) struct Route<'c> {
    pub(super) api: &'c RestApi,
    pub(super) method: &'c Method,
    pub(super) names: &'c Names<'c>,
    pub(super) pointer: Pointer<'c>,
}

struct Compiler<'c> {
    route: &'c Route<'c>,
    declared: &'c Integration,
    names: &'c Names<'c>,
    pointer: Pointer<'c>,
    choices: &'c mut Choices,
    findings: &'c mut Findings,
}

/// Mappings of a request, by target.
#[derive(Default)]
struct RequestMappings {
    headers: Vec<HeaderMapping>,
    reads_body: bool,
    queries: Vec<QueryMapping>,
    paths: Vec<(Box<str>, Expression)>,
}

impl Compiler<'_> {
    fn http(&mut self, input: &StageInput<'_>, slots: &mut Slots) -> Result<HttpPlan, Fault> {
        let declared = self.declared;
        let mappings = self.request_mappings()?;
        let written = self.declared.uri.as_ref().ok_or(UriError::NotHttp)?;
        let fills: Vec<_> = mappings.paths.iter().map(|(name, expression)| (&**name, expression.clone())).collect();
        let resolved = with_stage_variables(&written.value, self.names);
        let rewritten = rewrite_origin(&resolved, input.rewrites);
        let uri = self.uri(&rewritten, &fills)?;
        let upstream = self.upstream(&uri)?;
        let is_proxy = self.declared.kind == IntegrationKind::HttpProxy;
        let templates =
            if is_proxy { ByMediaType::default() } else { self.body_templates(&declared.request_templates) };
        let runs = templates.iter().any(|(_, template)| template.program().is_some());
        let content = self.handling(self.declared.content_handling);
        let (reads_body, decodes) = (mappings.reads_body, self.route.api.minimum_compression_size.is_some());
        let method = self.declared.http_method.as_deref().filter(|method| !method.eq_ignore_ascii_case("ANY"));
        if let Some(unknown) = method.filter(|method| MethodName::parse(method).is_none()) {
            return Err(format!("httpMethod `{}` is none of AWS's", unknown.escape_debug()).into());
        }
        Ok(HttpPlan {
            upstream: slots.upstream(upstream),
            is_proxy,
            method: method.map(|method| method.to_ascii_uppercase().into_bytes().into()),
            static_path: static_path(&uri),
            uri,
            query_mappings: mappings.queries.into(),
            header_mappings: mappings.headers.into(),
            templates,
            passthrough: passthrough(self.declared),
            content,
            reads_body,
            streams: content.is_none() && !reads_body && !decodes && !runs,
            converts_answers: is_proxy && self.has_binary_types(),
            timeout: self.timeout(input.integration_timeout_ms_max),
            responses: if is_proxy { Responses::default() } else { self.responses()? },
        })
    }

    fn mock(&mut self) -> Result<MockPlan, String> {
        // MOCK reads no mapped parameter, but one that AWS would not take is a mistake here as well.
        self.request_mappings()?;
        let templates = self.declared.request_templates.iter();
        let templates: Vec<_> =
            templates.map(|(media_type, text)| (media_type.clone(), self.mock_request(media_type, text))).collect();
        Ok(MockPlan {
            templates: ByMediaType::new(templates),
            passthrough: passthrough(self.declared),
            content: self.handling(self.declared.content_handling),
            responses: self.responses()?,
        })
    }

    /// What `contentHandling` comes to; `None`: nothing, for all bodies are text and stay so.
    fn handling(&self, declared: Option<ContentHandling>) -> Option<Handling> {
        match declared {
            Some(ContentHandling::ConvertToBinary) => Some(Handling::ToBinary),
            Some(ContentHandling::ConvertToText) => self.has_binary_types().then_some(Handling::ToText),
            None => self.has_binary_types().then_some(Handling::ByType),
        }
    }

    fn has_binary_types(&self) -> bool {
        !BinaryMediaTypes::new(&self.route.api.binary_media_types).is_empty()
    }

    /// A variable that no mapping fills may still be filled by a template, at run time.
    fn uri(&self, text: &str, fills: &[(&str, Expression)]) -> Result<UriTemplate, UriError> {
        let templates = &self.declared.request_templates;
        let is_proxy = self.declared.kind == IntegrationKind::HttpProxy;
        let may_fill = !is_proxy && templates.iter().any(|(_, text)| text.value.contains("requestOverride"));
        // An override wins over what is mapped, be that a literal (rest-integrations §2).
        let literals = if may_fill { Literals::Kept } else { Literals::Folded };
        let unmapped = match UriTemplate::compile(text, fills, literals, self.names) {
            Err(UriError::Unmapped(name)) if may_fill => name,
            compiled => return compiled,
        };
        let fills: Vec<_> = fills.iter().cloned().chain([(&*unmapped, Expression::Absent)]).collect();
        self.uri(text, &fills)
    }

    fn upstream(&mut self, uri: &UriTemplate) -> Result<UpstreamPlan, String> {
        let authority = uri
            .static_authority()
            .ok_or("a URI whose host comes from the request is not supported yet; stage variables may name hosts")?;
        let is_tls = uri.scheme() == Scheme::Https;
        if !authority.is_port_allowed_on_aws() {
            let message = format!("port {} works here; AWS calls 80, 443 and 1024-65535 only", authority.port);
            self.findings.warn("uri-port", self.declared.place, self.pointer, message);
        }
        Ok(UpstreamPlan {
            is_tls,
            any_authority: self.declared.insecure_skip_verification,
            host: authority.host.trim_start_matches('[').trim_end_matches(']').into(),
            port: authority.port,
            authority: authority.text.into(),
        })
    }

    fn timeout(&mut self, longest_ms: u64) -> Duration {
        let declared = self.declared.timeout_in_millis.map_or(INTEGRATION_TIMEOUT_MS_MAX, u64::from);
        let used = declared.clamp(INTEGRATION_TIMEOUT_MS_MIN, longest_ms);
        if used != declared {
            let message = format!(
                "timeoutInMillis {declared} is outside {INTEGRATION_TIMEOUT_MS_MIN} to {longest_ms}: {used} is used"
            );
            let found = self.findings.warn("timeout-range", self.declared.place, self.pointer, message);
            found.on_aws = "the integration is refused, unless the account's quota was raised".into();
        }
        Duration::from_millis(used)
    }

    fn request_mappings(&mut self) -> Result<RequestMappings, String> {
        let mut mappings = RequestMappings::default();
        for mapping in &self.declared.request_parameters {
            let Some((target, value)) = self.mapping(mapping, Side::Request)? else { continue };
            match target {
                Target::RequestHeader(name) => match KnownField::from_name(name.as_bytes()) {
                    known if FORBIDDEN_MAPPINGS.contains(known) => {
                        return Err(format!("the header {name} must not be mapped: AWS answers 500 at run time"));
                    }
                    known if NEVER_MAPPED.contains(known) => {
                        let message = format!("a mapped {name} header is dropped");
                        self.findings.warn("mapping-dropped", mapping.place, self.pointer, message);
                    }
                    _ => {
                        mappings.reads_body |= value.reads_body();
                        self.header(&mut mappings.headers, name, value, mapping.place);
                    }
                },
                Target::RequestQuery(name) => {
                    mappings.reads_body |= value.reads_body();
                    mappings.queries.push(QueryMapping { name: encoded_name(&name), value });
                }
                Target::RequestPath(name) => {
                    mappings.reads_body |= value.reads_body();
                    mappings.paths.push((name, value));
                }
                Target::ResponseHeader(_)
                | Target::GatewayHeader(_)
                | Target::GatewayPath(_)
                | Target::GatewayQuery(_) => {}
            }
        }
        Ok(mappings)
    }

    /// Adds a mapped header. Names that differ in case only are one header: the later one counts.
    fn header(&mut self, headers: &mut Vec<HeaderMapping>, name: Box<str>, value: Expression, place: Place) {
        let before = headers.len();
        headers.retain(|known| !known.name.eq_ignore_ascii_case(name.as_bytes()));
        if headers.len() < before {
            let message = format!("the header {name} is mapped twice; this mapping counts");
            self.findings.warn("mapping-repeated", place, self.pointer, message);
        }
        headers.push(HeaderMapping { name: name.into_boxed_bytes(), value });
    }

    /// One mapping parsed; `None` with a finding where AWS skips it.
    fn mapping(&mut self, mapping: &ParameterMapping, side: Side) -> Result<Option<(Target, Expression)>, String> {
        let target = Target::parse(&mapping.target, side).map_err(|error| error.to_string())?;
        let value = match Expression::parse(&mapping.source, side, self.names) {
            // A path parameter that no path of this method has is always missing.
            Err(ExpressionError { cause: Cause::NoSuchPathVariable, .. }) => {
                let message = format!("`{}` names no variable of this path: it is always missing", mapping.source);
                self.findings.warn("mapping-missing", mapping.place, self.pointer, message);
                Expression::Absent
            }
            parsed => parsed.map_err(|error| error.to_string())?,
        };
        Ok(Some((target, value)))
    }

    /// What is wrong with the templates of an integration that is not served is worth knowing all the same.
    fn check_templates(&mut self) {
        if self.declared.kind == IntegrationKind::Aws {
            self.body_templates(&self.declared.request_templates);
            for response in &self.declared.responses {
                self.body_templates(&response.response_templates);
            }
        }
    }

    fn body_templates(&mut self, declared: &[(String, Declared<String>)]) -> ByMediaType<BodyTemplate> {
        let compiled: Vec<_> = declared
            .iter()
            .map(|(media_type, text)| {
                let template = template::body(&text.value, self.names);
                if let BodyTemplate::Broken(reason) = &template {
                    self.say_broken(media_type, text, reason);
                }
                self.say_remarks(text, template.program());
                (media_type.clone(), template)
            })
            .collect();
        ByMediaType::new(compiled)
    }

    fn mock_request(&mut self, media_type: &str, text: &Declared<String>) -> MockRequest {
        let made = template::mock(&text.value, self.names);
        match &made {
            MockRequest::Broken(reason) => self.say_broken(media_type, text, reason),
            MockRequest::NoStatus => {
                let message = format!("the {media_type} template has no integer statusCode: requests answer 500");
                self.findings.warn("mock-status", text.place, self.pointer, message);
            }
            MockRequest::Program(program) => self.say_remarks(text, Some(program)),
            _ => {}
        }
        made
    }

    fn say_broken(&mut self, media_type: &str, text: &Declared<String>, reason: &str) {
        let message = format!("{reason} ({media_type}); requests answer 500");
        self.findings.warn("template-broken", text.place, self.pointer, message);
    }

    /// Says what is remarkable about a template, and where in it that is.
    fn say_remarks(&mut self, text: &Declared<String>, program: Option<&Template>) {
        for Remark { place, about, message } in program.map(Template::remarks).unwrap_or_default() {
            let rule = match about {
                About::Pattern => "template-pattern",
                About::Name => "template-name",
            };
            let message = format!("at {place} of the template {message}");
            self.findings.warn(rule, text.place, self.pointer, message);
        }
    }

    fn responses(&mut self) -> Result<Responses, String> {
        let declared = &self.declared.responses;
        if declared.len() > Responses::COUNT_MAX {
            return Err(format!("more than {} integration responses", Responses::COUNT_MAX));
        }
        let plans = declared.iter().map(|response| self.response(response)).collect::<Result<Vec<_>, _>>()?;
        let chosen = self.choices.among(declared);
        for (response, why) in chosen.invalid.iter().filter_map(|(index, why)| Some((declared.get(*index)?, why))) {
            let pattern = response.selection_pattern.as_deref().unwrap_or_default();
            let message = format!("the pattern `{pattern}` is not valid and never matches: {why}");
            self.findings.warn("selection-pattern", response.place, self.pointer, message);
        }
        Ok(Responses::new(plans, chosen.choice.clone()))
    }

    fn response(&mut self, response: &IntegrationResponse) -> Result<ResponsePlan, String> {
        let status = crate::aws::errors::parse_status(&response.status_code).ok_or_else(|| {
            format!("the integration response's status `{}` is not [1-5]\\d\\d", response.status_code)
        })?;
        if status < 200 {
            // AWS takes it; a client takes it for an interim response and waits for the final one.
            return Err(format!("a response with status {status} would never end"));
        }
        let is_undeclared = self.is_undeclared(response);
        let headers = self.response_headers(response)?;
        let reads_answer = headers.iter().any(|header| header.value.reads_body());
        let content = self.handling(response.content_handling);
        let (headers, bodies) = (headers.into(), self.body_templates(&response.response_templates));
        Ok(ResponsePlan { status, is_undeclared, headers, reads_answer, content, bodies })
    }

    /// rest-integrations §5: a response that the method does not declare answers 500 at run time. The import says so.
    fn is_undeclared(&self, response: &IntegrationResponse) -> bool {
        !self.route.method.responses.iter().any(|declared| declared.status_code == response.status_code)
    }

    fn response_headers(&mut self, response: &IntegrationResponse) -> Result<Vec<ResponseHeader>, String> {
        let mut headers: Vec<ResponseHeader> = Vec::new();
        for mapping in &response.response_parameters {
            let Some((Target::ResponseHeader(name), value)) = self.mapping(mapping, Side::Response)? else { continue };
            let Some(header) = response_header(&name, value) else { continue };
            headers.retain(|known| !known.name.eq_ignore_ascii_case(&header.name));
            headers.push(header);
        }
        Ok(headers)
    }
}

/// rest-routing-and-stages §9.2 step D: remapped, dropped or as it is.
fn response_header(name: &str, value: Expression) -> Option<ResponseHeader> {
    let known = KnownField::from_name(name.as_bytes());
    if NEVER_ANSWERED.contains(known) {
        return None;
    }
    let prefix = if REMAPPED_FROM_MAPPING.contains(known) { REMAPPED_PREFIX } else { b"" };
    let name = [prefix, name.as_bytes()].concat().into();
    Some(ResponseHeader { name, known, value })
}

/// The table of rest-integrations §3, for a media type without a template.
fn passthrough(declared: &Integration) -> Passthrough {
    match declared.passthrough_behavior {
        PassthroughBehavior::WhenNoMatch => Passthrough::Allowed,
        PassthroughBehavior::WhenNoTemplates if declared.request_templates.is_empty() => Passthrough::Allowed,
        PassthroughBehavior::WhenNoTemplates | PassthroughBehavior::Never => Passthrough::Refused,
    }
}

/// Path and query where they are the same for every request.
fn static_path(uri: &UriTemplate) -> Option<Box<[u8]>> {
    let path = uri.static_path()?;
    if !uri.has_query() {
        return Some(path.as_bytes().into());
    }
    let query = uri.static_query()?;
    Some(format!("{path}?{query}").into_bytes().into())
}

/// `name=`, percent-encoded but for unreserved characters.
fn encoded_name(name: &str) -> Box<[u8]> {
    let mut encoded = Vec::new();
    crate::proto::http::percent::encode(name.as_bytes(), &mut encoded);
    encoded.push(b'=');
    encoded.into()
}

/// Replaces `scheme://authority` where a rewrite names it. Ports count as they are meant, written or not.
fn rewrite_origin<'u>(uri: &'u str, rewrites: &[OriginRewrite]) -> Cow<'u, str> {
    if rewrites.is_empty() {
        return uri.into();
    }
    let Some((scheme, authority, rest)) = split_origin(uri) else { return uri.into() };
    let Ok(authority) = Authority::parse(authority, scheme) else { return uri.into() };
    let named = rewrites.iter().find(|rewrite| {
        let host = rewrite.host.trim_start_matches('[').trim_end_matches(']');
        rewrite.scheme == scheme && rewrite.port == authority.port && host.eq_ignore_ascii_case(authority.host)
    });
    named.map_or_else(|| uri.into(), |rewrite| format!("{}{rest}", rewrite.to).into())
}

fn split_origin(uri: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = [Scheme::Http, Scheme::Https].into_iter().find(|known| known.as_str().eq_ignore_ascii_case(scheme))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some((scheme, &rest[..end], &rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_replaced_as_a_whole() {
        let to = "http://127.0.0.1:9000".to_owned();
        let rewrites = [OriginRewrite { scheme: Scheme::Https, host: "api.example.com".to_owned(), port: 443, to }];
        let cases = [
            ("https://api.example.com/pets?a=b", "http://127.0.0.1:9000/pets?a=b"),
            ("HTTPS://API.example.com:443", "http://127.0.0.1:9000"),
            ("https://api.example.com.evil/pets", "https://api.example.com.evil/pets"),
            ("https://api.example.com:8443/", "https://api.example.com:8443/"),
            ("http://api.example.com/", "http://api.example.com/"),
        ];
        for (uri, expected) in cases {
            assert_eq!(rewrite_origin(uri, &rewrites), expected);
        }
    }
}
