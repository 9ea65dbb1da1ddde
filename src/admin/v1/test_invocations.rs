//! `TestInvokeMethod`: a method as it is defined now, called without its authorizer and API key (rest-integrations §13).

use std::collections::BTreeMap;
use std::sync::Arc;

use ringgate_core::explain::{Detail, Level, Shape, execution_log};
use ringgate_core::model::rest::{Authorization, MethodName, RestApi};
use serde::Serialize;
use serde_json::Value;

use super::methods::{METHOD, place};
use super::{Operation, Request, Run};
use crate::admin::state::{Tenant, convert};
use crate::admin::wire::Texts;
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::reply::{Answer, Reply};
use crate::control::served::{DeploymentSpec, StageSpec};
use crate::control::test_invoke::{HEAD_BYTES_MAX, HOST, Outcome, TestFailure, Trial};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "TestInvokeMethod", verb: "POST", path: METHOD, run: Run::Test(test_invoke) }];

/// `$context.stage` of a test.
const STAGE: &str = "test-invoke-stage";

/// Header fields that a test writes itself: they say where the request goes and how long it is.
const OWN_FIELDS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Header fields of a response that are about its delivery, and those that every response of the data plane carries.
const DELIVERY_FIELDS: [&str; 6] =
    ["connection", "content-length", "date", "transfer-encoding", "x-amz-apigw-id", "x-amzn-requestid"];

type Lists = BTreeMap<String, Vec<String>>;

/// What the body of the call asks for.
struct Asked {
    path_with_query_string: String,
    body: String,
    headers: Texts,
    multi_value_headers: Lists,
    stage_variables: Texts,
}

fn test_invoke(tenant: &Tenant, request: &Request<'_>) -> Result<Trial, Error> {
    let (api_id, resource_id, verb) = place(request);
    let resource = tenant.resource(api_id, resource_id)?;
    let method = tenant.method(api_id, resource_id, verb).or_else(|_| tenant.method(api_id, resource_id, "ANY"))?;
    let name = MethodName::parse(&method.http_method).filter(|_| is_sent(verb)).ok_or_else(|| {
        Error::bad_request("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD")
    })?;
    let asked = request.read(|input| read(&input))?;
    let definition = &tenant.apis.get(api_id).ok_or_else(Error::unknown_resource)?.definition;
    let api = Arc::new(alone(convert::to_model(definition), &resource.path, name));
    let fields = fields(asked.headers, asked.multi_value_headers)?;
    let (path, query) = asked.path_with_query_string.split_once('?').unwrap_or((&asked.path_with_query_string, ""));
    let path = if path.is_empty() { &resource.path } else { path };
    Ok(Trial {
        stage: StageSpec {
            account_id: request.caller.account.clone(),
            region: request.caller.region.clone(),
            api_id: api_id.to_owned(),
            stage_name: STAGE.to_owned(),
            deployment: DeploymentSpec {
                deployment_id: String::new(),
                api,
                variables: Arc::new(asked.stage_variables),
            },
            canary: None,
            access_log_format: None,
            is_default_endpoint_disabled: false,
        },
        head: head(verb, &target(&resource.path, path, query), &fields, asked.body.len())?,
        body: asked.body.into_bytes(),
        is_head: verb == "HEAD",
        path: path.to_owned(),
        fields,
    })
}

/// Whether a request can have this method.
fn is_sent(verb: &str) -> bool {
    MethodName::ALL.iter().any(|name| *name != MethodName::Any && name.as_str() == verb)
}

fn read(input: &Input<'_>) -> Result<Asked, Error> {
    if input.string("clientCertificateId")?.is_some_and(|id| !id.is_empty()) {
        return Err(Error::bad_request("clientCertificateId is not supported: back ends are called without one"));
    }
    Ok(Asked {
        path_with_query_string: input.string("pathWithQueryString")?.unwrap_or_default(),
        body: input.string("body")?.unwrap_or_default(),
        headers: input.texts("headers")?.unwrap_or_default(),
        multi_value_headers: input.map("multiValueHeaders", texts)?.unwrap_or_default(),
        stage_variables: input.texts("stageVariables")?.unwrap_or_default(),
    })
}

fn texts(value: &Value) -> Result<Vec<String>, Error> {
    let wrong = || Error::serialization("multiValueHeaders: expected lists of texts");
    let items = value.as_array().ok_or_else(wrong)?;
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
}

/// The API with this one method, which anybody may call.
fn alone(mut api: RestApi, path: &str, name: MethodName) -> RestApi {
    api.policy = None;
    api.vpc_endpoint_ids.clear();
    api.resources.retain(|resource| resource.path == path);
    for resource in &mut api.resources {
        resource.methods.retain(|method| method.name == name);
        for method in &mut resource.methods {
            method.authorization = Authorization::None;
            method.api_key_required = false;
        }
    }
    api
}

/// Header fields, each value once: a name may be in both maps.
fn fields(headers: Texts, lists: Lists) -> Result<Vec<(String, String)>, Error> {
    let mut fields: Vec<_> = lists
        .into_iter()
        .flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value)))
        .collect();
    for header in headers {
        if !fields.contains(&header) {
            fields.push(header);
        }
    }
    match fields.iter().find(|(name, value)| !can_be_sent(name, value)) {
        Some((name, _)) => Err(Error::bad_request(format!("Invalid header specified: {name}"))),
        None => Ok(fields),
    }
}

/// RFC 9110 sections 5.1 and 5.5, and not one that a test writes itself.
fn can_be_sent(name: &str, value: &str) -> bool {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(is_token_byte)
        && value.bytes().all(|byte| byte == b'\t' || !byte.is_ascii_control())
        && !OWN_FIELDS.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// The target that leads to the resource: the path as given where it does, else the resource's own, whose variables
/// then stand for themselves (R).
fn target(resource: &str, path: &str, query: &str) -> String {
    let path = if leads_to(resource, path) { path } else { resource };
    let separator = if query.is_empty() { "" } else { "?" };
    let mut target = String::new();
    for byte in [path, separator, query].into_iter().flat_map(str::bytes) {
        match byte {
            b'!'..=b'~' if byte != b'#' => target.push(char::from(byte)),
            _ => target.push_str(&format!("%{byte:02X}")),
        }
    }
    target
}

/// Whether a path is one of the resource's.
fn leads_to(resource: &str, path: &str) -> bool {
    let mut given = path.split('/');
    for part in resource.split('/') {
        let Some(segment) = given.next() else { return false };
        if part.ends_with("+}") {
            return !segment.is_empty();
        }
        let is_variable = part.starts_with('{') && part.ends_with('}');
        if if is_variable { segment.is_empty() } else { segment != part } {
            return false;
        }
    }
    given.next().is_none()
}

fn head(verb: &str, target: &str, fields: &[(String, String)], length: usize) -> Result<Vec<u8>, Error> {
    let mut head = format!("{verb} {target} HTTP/1.1\r\nHost: {HOST}\r\n");
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if length > 0 {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    head.push_str("\r\n");
    if head.len() > HEAD_BYTES_MAX {
        return Err(Error::bad_request(format!("Path and headers are longer than {HEAD_BYTES_MAX} bytes")));
    }
    Ok(head.into_bytes())
}

/// `TestInvokeMethodResponse`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestInvokeMethodResponse {
    status: u16,
    body: String,
    headers: Texts,
    multi_value_headers: Lists,
    log: String,
    latency: u64,
}

/// The answer to a test that was run.
///
/// # Errors
/// Nothing came of it.
pub fn answer(tested: Result<Outcome, TestFailure>) -> Answer {
    let Outcome { decision, fields, body } = tested.map_err(refusal)?;
    let mut lists = Lists::new();
    // A gateway response is shown without its type (R).
    let has_type = !decision.is_rejected();
    let is_shown = |name: &str| {
        let is_delivery = DELIVERY_FIELDS.iter().any(|known| known.eq_ignore_ascii_case(name));
        !is_delivery && (has_type || !name.eq_ignore_ascii_case("content-type"))
    };
    for (name, value) in fields.into_iter().filter(|(name, _)| is_shown(name)) {
        lists.entry(name).or_default().push(value);
    }
    let last = |(name, values): (&String, &Vec<String>)| Some((name.clone(), values.last()?.clone()));
    Ok(Reply::ok(&TestInvokeMethodResponse {
        status: decision.summary.status,
        body: String::from_utf8_lossy(&body).into_owned(),
        headers: lists.iter().filter_map(last).collect(),
        multi_value_headers: lists,
        log: execution_log(&decision, Shape::TestInvoke, Level::Info, Detail::DataTrace),
        latency: decision.summary.ended_nanos / 1_000_000,
    }))
}

fn refusal(failure: TestFailure) -> Error {
    match failure {
        TestFailure::Refused(status) => {
            Error::bad_request(format!("The request was refused with {status} before it reached the API"))
        }
        TestFailure::TooLarge => Error::bad_request("The response is larger than a test can show"),
        TestFailure::Late => Error::unavailable("The test did not end in time"),
        TestFailure::Broken => Error::unavailable("The test could not be run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_lead_to_the_resource_gives_way_to_the_resources_own() {
        let cases = [
            ("/pets/{id}", "/pets/7", "", "/pets/7"),
            ("/pets/{id}", "/pets/7", "a=b&c", "/pets/7?a=b&c"),
            ("/pets/{id}", "/pets", "", "/pets/{id}"),
            ("/pets/{id}", "/pets/", "a=b", "/pets/{id}?a=b"),
            ("/pets/{id}", "/pets/7/toys", "", "/pets/{id}"),
            ("/pets/{id}", "pets/7", "", "/pets/{id}"),
            ("/a/{rest+}", "/a/b/c", "", "/a/b/c"),
            ("/", "/", "", "/"),
            ("/", "/x", "", "/"),
            ("/pets/{id}", "/pets/a b#\u{e4}", "x=\r\n", "/pets/a%20b%23%C3%A4?x=%0D%0A"),
        ];
        for (resource, path, query, expected) in cases {
            assert_eq!(target(resource, path, query), expected, "{resource} {path}");
        }
    }

    #[test]
    fn headers_that_would_change_the_message_are_refused() {
        for (name, value) in
            [("Host", "x"), ("content-length", "1"), ("", "x"), ("a b", "x"), ("a", "b\r\nc: d"), ("a:", "b")]
        {
            assert!(!can_be_sent(name, value), "{name}: {value}");
        }
        assert!(can_be_sent("X-Kind", "a\tb \u{e4}"));
    }

    #[test]
    fn a_header_in_both_maps_is_sent_once() {
        let text = str::to_owned;
        let headers = Texts::from([(text("a"), text("1")), (text("b"), text("2"))]);
        let lists = Lists::from([(text("a"), vec![text("1"), text("3")])]);
        let expected = [("a", "1"), ("a", "3"), ("b", "2")].map(|(name, value)| (text(name), text(value)));
        assert_eq!(fields(headers, lists), Ok(expected.to_vec()));
    }
}
