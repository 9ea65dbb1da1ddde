//! The execution log of one request, in the sentences that API Gateway writes to CloudWatch and `TestInvokeMethod`
//! returns (observability §6).

use crate::base::WallTime;
use crate::proto::http::imf_fixdate;
use crate::record::decision::{Summary, Tag};

use super::{Body, Decision};

/// Longest event, in bytes; more is cut and marked.
const EVENT_BYTES_MAX: usize = 1_024;
const TRUNCATED: &str = "[TRUNCATED]";

/// What stands before each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `(request-id) `, as in a log group.
    CloudWatch,
    /// A time, as in the answer of `TestInvokeMethod`, which begins with a line of its own.
    TestInvoke,
}

/// A stage's `loggingLevel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Failures only.
    Error,
    /// Every request.
    Info,
}

/// A stage's `dataTraceEnabled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What happened.
    Outline,
    /// Parameters, headers and bodies too.
    DataTrace,
}

/// The log of `decision`: lines, each with its end; nothing at [`Level::Error`] if it went well.
pub fn execution_log(decision: &Decision, shape: Shape, level: Level, detail: Detail) -> String {
    let mut log = Log { decision, shape, out: String::new() };
    if level == Level::Error {
        log.write_failure();
        return log.out;
    }
    if shape == Shape::TestInvoke {
        log.out = format!("Execution log for request {}\n", decision.request_id());
    }
    log.write_beginning();
    if detail == Detail::DataTrace {
        log.write_request();
        log.write_call();
    }
    if !log.write_failure() {
        if detail == Detail::DataTrace {
            log.write_response();
        }
        log.line("Successfully completed execution");
        log.line(&format!("Method completed with status: {}", decision.summary.status));
    }
    log.out
}

struct Log<'d> {
    decision: &'d Decision,
    shape: Shape,
    out: String,
}

impl Log<'_> {
    fn line(&mut self, text: &str) {
        let decision = self.decision;
        match self.shape {
            Shape::CloudWatch => self.out.push_str(&format!("({}) ", decision.request_id())),
            Shape::TestInvoke => self.out.push_str(&format!("{} : ", java_date(decision.summary.wall_millis))),
        }
        // An event is one line.
        let text = text.replace(['\r', '\n'], " ");
        if text.len() <= EVENT_BYTES_MAX {
            self.out.push_str(&text);
        } else {
            self.out.push_str(&text[..text.floor_char_boundary(EVENT_BYTES_MAX - TRUNCATED.len() - 1)]);
            self.out.push(' ');
            self.out.push_str(TRUNCATED);
        }
        self.out.push('\n');
    }

    fn write_beginning(&mut self) {
        let decision = self.decision;
        let id = decision.request_id();
        // In a log group the path is the resource's; a test prints the path it was given.
        let path = match (self.shape, decision.text(Tag::Resource)) {
            (Shape::CloudWatch, resource) if !resource.is_empty() => resource.to_owned(),
            _ => decision.resource_path_given(),
        };
        if self.shape == Shape::CloudWatch {
            self.line(&format!("Extended Request Id: {}", decision.extended_request_id()));
        }
        if self.shape == Shape::CloudWatch && !decision.text(Tag::Resource).is_empty() {
            self.write_metering();
        }
        self.line(&format!("Starting execution for request: {id}"));
        self.line(&format!("HTTP Method: {}, Resource Path: {path}", decision.method()));
    }

    /// As CloudWatch shows it, with two blanks where a key would stand.
    fn write_metering(&mut self) {
        let decision = self.decision;
        if !decision.text(Tag::Metering).is_empty() {
            return;
        }
        let stage = format!("{}/{}", decision.text(Tag::ApiId), decision.text(Tag::Stage));
        let (id, resource) = (decision.request_id(), decision.text(Tag::Resource));
        let method = decision.method();
        self.line(&format!("Verifying Usage Plan for request: {id}. API Key:  API Stage: {stage}"));
        self.line(&format!(
            "API Key  authorized because method '{method} {resource}' does not require API Key. Request will not \
             contribute to throttle or quota limits"
        ));
        self.line(&format!("Usage Plan check succeeded for API Key  and API Stage {stage}"));
    }

    fn write_request(&mut self) {
        let decision = self.decision;
        self.line(&format!("Method request path: {}", map(&decision.path_variables)));
        self.line(&format!("Method request query string: {}", map(&decision.query)));
        self.line(&format!("Method request headers: {}", map(&decision.request.fields)));
        self.line(&format!("Method request body before transformations: {}", words(decision.request_body.as_ref())));
    }

    fn write_call(&mut self) {
        let decision = self.decision;
        let (Some(call), Some(endpoint)) = (&decision.call, decision.endpoint()) else { return };
        let body = decision.call_body.as_ref().or(decision.request_body.as_ref());
        self.line(&format!("Endpoint request URI: {endpoint}"));
        self.line(&format!("Endpoint request headers: {}", map(&call.fields)));
        self.line(&format!("Endpoint request body after transformations: {}", words(body)));
        self.line(&format!("Sending request to {endpoint}"));
        let Some(answer) = &decision.answer else { return };
        let Summary { answered_nanos, called_nanos, .. } = decision.summary;
        let millis = answered_nanos.saturating_sub(called_nanos) / 1_000_000;
        let status = decision.summary.integration_status;
        self.line(&format!("Received response. Status: {status}, Integration latency: {millis} ms"));
        self.line(&format!("Endpoint response headers: {}", map(&answer.fields)));
        self.line(&format!("Endpoint response body before transformations: {}", words(decision.answer_body.as_ref())));
    }

    fn write_response(&mut self) {
        let decision = self.decision;
        let body = decision.response_body.as_ref().or(decision.answer_body.as_ref());
        let fields: Vec<_> = decision.own_response_fields().cloned().collect();
        self.line(&format!("Method response body after transformations: {}", words(body)));
        self.line(&format!("Method response headers: {}", map(&fields)));
    }

    /// The sentence for a request that the gateway had to answer itself. `false`: it did not.
    fn write_failure(&mut self) -> bool {
        let decision = self.decision;
        let error_type = decision.text(Tag::ErrorType);
        if error_type.is_empty() {
            return false;
        }
        self.line(&failure(error_type, decision));
        self.line(&format!("Method completed with status: {}", decision.summary.status));
        true
    }
}

/// Recorded and reported sentences; what none is known for is told in the same manner.
fn failure(error_type: &str, decision: &Decision) -> String {
    let (reason, message) = (decision.text(Tag::Reason), decision.text(Tag::ErrorMessage));
    // AWS says no more than this; the rest of our reason is for `explain`.
    const ENDPOINT: &str = "Invalid endpoint address";
    let cause = if reason.starts_with(ENDPOINT) { ENDPOINT } else { reason };
    match error_type {
        "API_CONFIGURATION_ERROR" => format!("Execution failed due to configuration error: {cause}"),
        "INTEGRATION_TIMEOUT" => "Execution failed due to a timeout error".to_owned(),
        "INTEGRATION_FAILURE" => format!("Execution failed due to configuration error: {cause}"),
        "BAD_REQUEST_BODY" => {
            let media_type = decision.request.field("content-type").unwrap_or("application/json");
            format!("Request body does not match model schema for content type {media_type}: {reason}")
        }
        _ if reason.is_empty() => format!("Execution failed: {message}"),
        _ => format!("Execution failed: {reason}"),
    }
}

/// As Java prints a map.
fn map(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn words(body: Option<&Body>) -> String {
    body.map(Body::in_words).unwrap_or_default()
}

/// `EEE MMM dd HH:mm:ss UTC yyyy`
fn java_date(millis: u64) -> String {
    let http = imf_fixdate(WallTime::from_millis(millis));
    let http = String::from_utf8_lossy(&http);
    let part = |range: std::ops::Range<usize>| http.get(range).unwrap_or_default().to_owned();
    format!("{} {} {} {} UTC {}", part(0..3), part(8..11), part(5..7), part(17..25), part(12..16))
}
