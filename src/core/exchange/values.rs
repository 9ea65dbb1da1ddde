//! What mapping expressions and templates can read of an exchange.

use crate::base::escape::quote_json_from;
use crate::json::Tape;
use crate::mapping::template::{Message, OverrideTarget};
use crate::mapping::{ContextVariable, Values};
use crate::plan::Door;
use crate::plan::headers::DROPPED_ON_ARRIVAL;
use crate::plan::trie::path::collapse_leading;
use crate::proto::h1::Fields;
use crate::proto::h1::write::write_number;
use crate::proto::http::KnownField;
use crate::record::clf::ClfClock;
use crate::record::ids;

use super::effects::Answer;
use super::{Exchange, Facts, Request};

/// On whose way a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Towards the back end.
    Request,
    /// Towards the client, from the back end's answer.
    Answer,
    /// Towards the client, without a back end: a MOCK.
    Mock,
}

/// An exchange as an expression sees it: with the back end's answer where there is one already.
pub(super) struct ExchangeValues<'v, 'x> {
    x: &'v Exchange<'x>,
    side: Side,
    answer: Option<Answer<'v>>,
}

impl<'x> Exchange<'x> {
    pub(super) fn values<'v>(&'v self, answer: Option<Answer<'v>>) -> ExchangeValues<'v, 'x> {
        let side = if answer.is_some() { Side::Answer } else { Side::Request };
        ExchangeValues { x: self, side, answer }
    }

    /// What a template on one side reads.
    pub(super) fn values_on<'v>(&'v self, side: Side, answer: Option<Answer<'v>>) -> ExchangeValues<'v, 'x> {
        ExchangeValues { x: self, side, answer }
    }

    /// Whether request headers have lower-case names, as on a domain with base paths of several levels
    /// (rest-routing-and-stages §7).
    pub(super) fn lowers_header_names(&self) -> bool {
        matches!(self.door, Door::CustomDomain { has_levels: true, .. })
    }

    fn spelling(&self) -> Spelling {
        if self.lowers_header_names() { Spelling::Lower } else { Spelling::AsSent }
    }

    /// The media type of the request's body, for choosing a template.
    pub(super) fn content_type(&self) -> Option<&'x [u8]> {
        self.request.field(KnownField::ContentType)
    }
}

/// How the names of fields are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// As they were sent.
    AsSent,
    /// As if they had been sent in lower case.
    Lower,
}

impl Spelling {
    /// AWS compares the names of mapped headers as written, case and all (rest-integrations §2).
    fn is_same(self, sent: &[u8], asked: &str) -> bool {
        match self {
            Self::AsSent => sent == asked.as_bytes(),
            Self::Lower => {
                sent.eq_ignore_ascii_case(asked.as_bytes()) && !asked.bytes().any(|byte| byte.is_ascii_uppercase())
            }
        }
    }
}

fn last<'b>(fields: &Fields, bytes: &'b [u8], name: &str, spelling: Spelling) -> Option<&'b [u8]> {
    let mut found = fields.iter().filter(|field| spelling.is_same(field.name.of(bytes), name));
    found.next_back().map(|field| field.value.of(bytes))
}

fn joined(fields: &Fields, bytes: &[u8], name: &str, spelling: Spelling, out: &mut Vec<u8>) -> bool {
    let mut any = false;
    for field in fields.iter().filter(|field| spelling.is_same(field.name.of(bytes), name)) {
        if any {
            out.push(b',');
        }
        out.extend_from_slice(field.value.of(bytes));
        any = true;
    }
    any
}

/// §9.2 step A: what is dropped on arrival cannot be read either.
fn is_visible(name: &str) -> bool {
    !DROPPED_ON_ARRIVAL.contains(KnownField::from_name(name.as_bytes()))
}

impl Values for ExchangeValues<'_, '_> {
    fn path(&self, index: usize) -> Option<&[u8]> {
        let path = self.x.request.path().get(self.x.offset..)?;
        self.x.captures.span(index).map(|span| span.of_text(path))
    }

    fn path_named(&self, name: &str) -> Option<&[u8]> {
        let route = self.x.route?;
        self.path(route.variables.iter().position(|variable| **variable == *name)?)
    }

    fn query(&self) -> &[u8] {
        self.x.request.query().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        last(&self.x.request.head.fields, self.x.request.bytes, name, self.x.spelling()).filter(|_| is_visible(name))
    }

    fn headers(&self, name: &str, out: &mut Vec<u8>) -> bool {
        is_visible(name) && joined(&self.x.request.head.fields, self.x.request.bytes, name, self.x.spelling(), out)
    }

    fn integration_header(&self, name: &str) -> Option<&[u8]> {
        let answer = self.answer?;
        last(&answer.head.fields, answer.bytes, name, Spelling::AsSent)
    }

    fn integration_headers(&self, name: &str, out: &mut Vec<u8>) -> bool {
        self.answer.is_some_and(|answer| joined(&answer.head.fields, answer.bytes, name, Spelling::AsSent, out))
    }

    fn body(&self) -> Option<&[u8]> {
        Some(self.payload())
    }

    fn path_override(&self, name: &str) -> Option<&[u8]> {
        let set = self.x.scratch.overrides.of(OverrideTarget::RequestPath).find(|set| *set.name == *name)?;
        set.values.first().map(|value| value.as_bytes())
    }

    fn document(&self) -> Option<&Tape> {
        Some(&self.x.scratch.document)
    }

    fn context(&self, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
        let x = self.x;
        context_of_stage(x, variable, out)
            || context_of_request(x, variable, out)
            || context_of_facts(&x.facts, variable, out)
    }
}

impl Message for ExchangeValues<'_, '_> {
    fn payload(&self) -> &[u8] {
        match self.side {
            Side::Request if self.x.has_request_body => &self.x.scratch.request_body,
            Side::Answer if self.x.has_answer_body => &self.x.scratch.answer_body,
            _ => b"",
        }
    }

    fn path_parameter(&self, index: usize) -> Option<(&str, &[u8])> {
        let name = self.x.route?.variables.get(index)?;
        Some((name, self.path(index)?))
    }

    fn lowers_header_names(&self) -> bool {
        self.x.lowers_header_names()
    }

    fn header_parameter(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let Request { head, bytes, .. } = self.x.request;
        let mut visible = head.fields.iter().filter(|field| !DROPPED_ON_ARRIVAL.contains(field.known));
        visible.nth(index).map(|field| (field.name.of(bytes), field.value.of(bytes)))
    }
}

/// A `$context` variable as the access log prints it.
pub(super) fn log_value(x: &Exchange<'_>, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
    if *variable == ContextVariable::RequestId && x.facts.has_invalid_request_id {
        out.extend_from_slice(ids::INVALID_REQUEST_ID.as_bytes());
        return true;
    }
    x.values(None).context(variable, out)
}

fn put(value: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
    value.inspect(|value| out.extend_from_slice(value)).is_some()
}

fn put_number(value: Option<u64>, out: &mut Vec<u8>) -> bool {
    value.inspect(|&value| write_number(value, out)).is_some()
}

fn context_of_stage(x: &Exchange<'_>, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
    let Some(stage) = x.stage else { return false };
    let text = match variable {
        ContextVariable::AccountId => &*stage.account_id,
        ContextVariable::ApiId => &*stage.api_id,
        ContextVariable::Stage => &*stage.name,
        ContextVariable::DeploymentId => &*stage.deployment_id,
        ContextVariable::EndpointType => stage.endpoint_type,
        // Only a stage with a canary has it (R `test_sqs_amz_json_protocol`).
        ContextVariable::IsCanaryRequest if stage.is_canary => "true",
        ContextVariable::IsCanaryRequest if x.has_canary => "false",
        ContextVariable::ResourceId => match x.route {
            Some(route) => &*route.resource_id,
            None => return false,
        },
        ContextVariable::ResourcePath => match x.route {
            Some(route) => &*route.resource_path,
            None => return false,
        },
        _ => return false,
    };
    put(Some(text.as_bytes()), out)
}

fn context_of_request(x: &Exchange<'_>, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
    let request = &x.request;
    match variable {
        ContextVariable::HttpMethod => put(Some(x.method), out),
        // Always this, whatever the client spoke (dg/api-gateway-mapping-template-reference).
        ContextVariable::Protocol => put(Some(b"HTTP/1.1"), out),
        ContextVariable::Path => write_path(x, out),
        ContextVariable::CustomDomainBasePathMatched => put(base_path_matched(x), out),
        ContextVariable::IdentitySourceIp => put(Some(request.client.source_ip), out),
        ContextVariable::IdentityUserAgent => put(request.field(KnownField::UserAgent), out),
        ContextVariable::DomainName => put(Some(without_port(request.host())), out),
        ContextVariable::DomainPrefix => put(without_port(request.host()).split(|&byte| byte == b'.').next(), out),
        _ => false,
    }
}

/// `$context.path` holds the stage, also where the request's own path does not (a bare request in `dev`). On a custom
/// domain it is the path as it was sent, with the base path.
fn write_path(x: &Exchange<'_>, out: &mut Vec<u8>) -> bool {
    let path = x.request.path();
    if let Door::CustomDomain { .. } = x.door {
        return put(Some(collapse_leading(path).of_text(path)), out);
    }
    if let Some(stage) = x.stage {
        out.push(b'/');
        out.extend_from_slice(stage.name.as_bytes());
    }
    put(path.get(x.offset..), out)
}

fn base_path_matched<'x>(x: &Exchange<'x>) -> Option<&'x [u8]> {
    let Door::CustomDomain { base_path, .. } = x.door else { return None };
    Some(base_path.of_text(x.request.path()))
}

fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|&byte| byte == b':') {
        Some(colon) if !host[colon..].contains(&b']') => &host[..colon],
        _ => host,
    }
}

const NANOS_PER_MILLI: u64 = 1_000_000;

fn context_of_facts(facts: &Facts, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
    match variable {
        ContextVariable::RequestId => put(Some(&facts.request_id), out),
        ContextVariable::ExtendedRequestId => put(Some(&facts.extended_request_id), out),
        ContextVariable::RequestTime => {
            out.extend_from_slice(ClfClock::new().text(facts.wall));
            true
        }
        ContextVariable::RequestTimeEpoch => put_number(Some(facts.wall.as_millis()), out),
        ContextVariable::Status => put_number(Some(facts.status.into()), out),
        ContextVariable::ResponseLength => put_number(Some(facts.response_length), out),
        ContextVariable::ResponseLatency => put_number(Some(facts.response_latency_nanos / NANOS_PER_MILLI), out),
        ContextVariable::IntegrationStatus
        | ContextVariable::IntegrationStatusOf
        | ContextVariable::IntegrationIntegrationStatus => put_number(facts.integration_status.map(u64::from), out),
        ContextVariable::IntegrationLatency | ContextVariable::IntegrationLatencyOf => {
            put_number(facts.integration_latency_nanos.map(|nanos| nanos / NANOS_PER_MILLI), out)
        }
        ContextVariable::IntegrationError | ContextVariable::IntegrationErrorMessage => {
            let reason = facts.reason.as_deref().filter(|_| facts.is_integration_error());
            put(reason.map(str::as_bytes), out)
        }
        ContextVariable::ErrorMessage => put(facts.error.as_ref().map(|(_, message)| message.as_bytes()), out),
        ContextVariable::ErrorMessageString => facts.error.as_ref().is_some_and(|(_, message)| {
            let start = out.len();
            out.extend_from_slice(message.as_bytes());
            quote_json_from(out, start);
            true
        }),
        ContextVariable::ErrorResponseType => put(facts.error.as_ref().map(|(kind, _)| kind.as_str().as_bytes()), out),
        ContextVariable::ErrorValidationErrorString => put(facts.validation_error.as_deref().map(str::as_bytes), out),
        _ => false,
    }
}
