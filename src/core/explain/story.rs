//! A decision as a story: what came, what was decided at each step and why, what was sent and came back, where the time
//! went, and what to do.

use std::fmt::Write;

use crate::base::WallTime;
use crate::proto::http::imf_fixdate;
use crate::record::decision::{Step, Tag};

use super::advice::advice;
use super::{Body, Decision, Message};

/// Columns that the names of steps take.
const NAME_COLUMNS: usize = 22;
/// Lines of a body that are shown.
const BODY_LINES_MAX: usize = 40;

/// The story of one request.
pub fn story(decision: &Decision) -> String {
    let mut story = Story { decision, out: String::new() };
    story.write_title();
    for step in Step::ALL {
        story.write_step(step);
    }
    story.write_response();
    story.write_times();
    story.write_advice();
    story.out
}

/// What each step is called.
pub(super) const fn name(step: Step) -> &'static str {
    match step {
        Step::Find => "API and stage",
        Step::Route => "Method",
        Step::Authorize => "Authorization",
        Step::Admit => "API key and limits",
        Step::Validate => "Validation",
        Step::Lookup => "Cache",
        Step::MapRequest => "Integration request",
        Step::Call => "Call",
        Step::MapResponse => "Integration response",
    }
}

/// What became of each step, in one line.
pub(super) fn outcome(decision: &Decision, step: Step) -> String {
    let ended_at = decision.summary.step;
    if step > ended_at {
        return match decision.text(Tag::ErrorType) {
            "" => "not needed".to_owned(),
            _ => format!("not reached: the request ended at \u{201c}{}\u{201d}", name(ended_at)),
        };
    }
    match step {
        Step::Find => found(decision),
        Step::Route => routed(decision),
        // Only a route that is closed ends here.
        Step::Authorize if ended_at == step => format!("refused to everyone: {}", why(decision)),
        Step::Authorize => {
            verdict(decision, Tag::Authorizer, || demanded(decision, Tag::Protection, "no authorization"))
        }
        Step::Admit => verdict(decision, Tag::Admission, || {
            let key = demanded(decision, Tag::Metering, "no API key");
            format!("{key}; throttles and quotas are not enforced yet")
        }),
        Step::Validate => {
            verdict(decision, Tag::Validation, || "not checked: the method has no request validator".into())
        }
        Step::Lookup => verdict(decision, Tag::Cache, || "not asked: responses are not cached yet".into()),
        Step::MapRequest => integration(decision),
        Step::Call => called(decision),
        Step::MapResponse => mapped(decision),
    }
}

/// What was noted on the way, else what follows from the definition.
fn verdict(decision: &Decision, tag: Tag, implied: impl FnOnce() -> String) -> String {
    match (tag, decision.text(tag), decision.text(Tag::Validator)) {
        (_, "", _) => implied(),
        (Tag::Validation, text, validator) if !validator.is_empty() => format!("{text} (validator {validator})"),
        (_, text, _) => text.to_owned(),
    }
}

fn demanded(decision: &Decision, tag: Tag, none: &str) -> String {
    let demands: Vec<_> = decision.texts(tag).collect();
    match demands[..] {
        [] => format!("not checked: the method demands {none}"),
        _ => format!("the definition demands {}", demands.join(", ")),
    }
}

fn found(decision: &Decision) -> String {
    let api = decision.text(Tag::ApiId);
    if api.is_empty() {
        return format!("none: {}", decision.text(Tag::Reason));
    }
    let (stage, deployment) = (decision.text(Tag::Stage), decision.text(Tag::Deployment));
    let version = decision.summary.version;
    let canary = if decision.summary.is_canary { ", its canary" } else { "" };
    let found = mapping(decision, api);
    format!("API {api}, stage {stage}{canary}, deployment {deployment} (snapshot {version}), found {found}")
}

/// What in the request led to the stage.
fn mapping(decision: &Decision, api: &str) -> String {
    let host = decision.request.field("host").unwrap_or_default();
    let target = decision.request.target();
    let offset = usize::from(decision.summary.offset);
    let base_path = usize::from(decision.summary.base_path_end);
    if base_path > 0 {
        let base_path = target.get(..base_path).unwrap_or_default();
        format!("by the mapping of base path {base_path} of the custom domain {host}")
    } else if host.to_ascii_lowercase().starts_with(&format!("{api}.execute-api.")) {
        format!("by host {host} and the stage in the path")
    } else if target.starts_with("/restapis/") {
        "by path /restapis/{api}/{stage}/_user_request_".to_owned()
    } else if decision.request.field("x-apigw-api-id") == Some(api) {
        format!("by x-apigw-api-id {api} and the stage in the path")
    } else if let Some(before) = target.get(..offset).filter(|before| !before.is_empty()) {
        format!("by host {host} and path {before}")
    } else {
        format!("by host {host}, with nothing in the path")
    }
}

fn routed(decision: &Decision) -> String {
    let resource = decision.text(Tag::Resource);
    let (method, given) = (decision.method(), decision.resource_path_given());
    if resource.is_empty() {
        return format!("none: nothing answers {method} {given}");
    }
    let declared = decision.text(Tag::Method);
    let why = if declared == "ANY" { format!(", which answers {method} as well") } else { String::new() };
    let id = decision.text(Tag::ResourceId);
    let sent = decision.request.method();
    let named =
        if sent == method { String::new() } else { format!("; X-HTTP-Method-Override made {method} of {sent}") };
    format!("{declared} {resource} (resource {id}) matches {given}{why}{named}")
}

fn integration(decision: &Decision) -> String {
    let (kind, uri) = (decision.text(Tag::Integration), decision.text(Tag::Uri));
    match (kind, decision.summary.step) {
        ("", _) => format!("none: {}", decision.text(Tag::Reason)),
        (_, Step::MapRequest) => format!("{} could not be made: {}", format!("{kind} {uri}").trim_end(), why(decision)),
        _ => format!("{kind} {uri}").trim_end().to_owned(),
    }
}

fn called(decision: &Decision) -> String {
    let Some(endpoint) = decision.endpoint() else { return "no back end: a MOCK answers by itself".to_owned() };
    let summary = &decision.summary;
    let mut out = endpoint;
    if let Some(address) = decision.address {
        let _ = write!(out, " at {address}");
    }
    if summary.is_reused {
        out.push_str(", over a kept connection");
    } else if summary.connected_nanos > 0 {
        out.push_str(", over a new connection");
    }
    if summary.attempts > 1 {
        out.push_str(", at the second attempt: a kept connection had died");
    }
    if !decision.text(Tag::Failure).is_empty() {
        let _ = write!(out, ": {}", why(decision));
    }
    match summary.addresses {
        [0, _] => {}
        [known, 0] => {
            let _ = write!(out, " ({known} addresses known, none set aside)");
        }
        [known, aside] => {
            let _ = write!(out, " ({aside} of {known} known addresses set aside after failures)");
        }
    }
    out
}

fn mapped(decision: &Decision) -> String {
    let status = decision.summary.integration_status;
    match (decision.text(Tag::ErrorType), status) {
        ("", 0) => "made by the definition alone".to_owned(),
        ("", _) => format!("the back end's {status} became {}", decision.summary.status),
        (_, 0) => format!("failed: {}", why(decision)),
        (_, _) => format!("the back end answered {status}, but: {}", why(decision)),
    }
}

/// The reason in the best words there are.
fn why(decision: &Decision) -> &str {
    [Tag::Reason, Tag::ErrorMessage, Tag::ErrorType]
        .map(|tag| decision.text(tag))
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or("unknown")
}

struct Story<'d> {
    decision: &'d Decision,
    out: String,
}

impl Story<'_> {
    fn line(&mut self, name: &str, text: &str) {
        let line = format!("  {name:<NAME_COLUMNS$}{text}");
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn more(&mut self, text: &str) {
        self.line("", text);
    }

    fn write_title(&mut self) {
        let Decision { summary, request, .. } = self.decision;
        let when = imf_fixdate(WallTime::from_millis(summary.wall_millis));
        let from = self.decision.text(Tag::Client);
        let id = self.decision.request_id();
        let _ = writeln!(self.out, "Request {id} (extended {})", self.decision.extended_request_id());
        let _ = writeln!(self.out, "{}, from {from}", String::from_utf8_lossy(&when));
        let _ = writeln!(self.out, "{}", request.start_line);
        let duration = millis(summary.ended_nanos);
        let _ = match self.decision.text(Tag::ErrorType) {
            "" => writeln!(self.out, "-> {} in {duration}\n", summary.status),
            error => writeln!(self.out, "-> {} in {duration}: {error}, {}\n", summary.status, why(self.decision)),
        };
    }

    fn write_step(&mut self, step: Step) {
        let decision = self.decision;
        self.line(name(step), &outcome(decision, step));
        if step > decision.summary.step {
            return;
        }
        match step {
            Step::Route => {
                for (name, value) in &decision.path_variables {
                    self.more(&format!("{name} = {value}"));
                }
                self.write_message(&decision.request, decision.request_body.as_ref());
            }
            Step::MapRequest => {
                for variable in decision.texts(Tag::StageVariable) {
                    self.more(&format!("stage variable {}", variable.replacen('=', " = ", 1)));
                }
                for (target, source) in mappings(decision, "integration.request.") {
                    self.more(&format!("{target} <- {source}"));
                }
                if let Some(rendered) = &decision.rendered {
                    self.more("The request template made:");
                    self.write_body(rendered);
                }
            }
            Step::Call => {
                if let Some(call) = &decision.call {
                    self.write_message(call, decision.call_body.as_ref());
                }
            }
            Step::MapResponse => {
                if let Some(answer) = &decision.answer {
                    self.write_message(answer, decision.answer_body.as_ref());
                }
                for (target, source) in mappings(decision, "method.response.") {
                    self.more(&format!("{target} <- {source}"));
                }
            }
            _ => {}
        }
    }

    fn write_message(&mut self, message: &Message, body: Option<&Body>) {
        self.more(&format!("| {}", message.start_line));
        for (name, value) in &message.fields {
            self.more(&format!("| {name}: {value}"));
        }
        if message.is_cut {
            self.more("| … (longer)");
        }
        if let Some(body) = body {
            self.more("|");
            self.write_body(body);
        }
    }

    fn write_body(&mut self, body: &Body) {
        if body.is_binary {
            return self.more(&format!("| ({} bytes that are no text)", body.kept));
        }
        for line in body.text.lines().take(BODY_LINES_MAX) {
            self.more(&format!("| {line}"));
        }
        if body.is_cut || body.text.lines().count() > BODY_LINES_MAX {
            self.more("| … (longer)");
        }
    }

    fn write_response(&mut self) {
        let decision = self.decision;
        let length = decision.summary.response_length;
        self.line("Response", &format!("{} with {length} bytes", decision.summary.status));
        self.write_message(&decision.response, decision.response_body.as_ref());
    }

    fn write_times(&mut self) {
        self.out.push('\n');
        let parts: Vec<_> =
            times(self.decision).into_iter().map(|(what, nanos)| format!("{what} {}", millis(nanos))).collect();
        self.line("Time", &parts.join(", "));
    }

    fn write_advice(&mut self) {
        let (origin, text) = advice(self.decision);
        let error = self.decision.text(Tag::ErrorType);
        if text.is_empty() && error.is_empty() {
            return;
        }
        self.line("Comes from", &format!("the {}", origin.as_str()));
        let reason = self.decision.text(Tag::Reason);
        if !reason.is_empty() {
            self.line("Because", reason);
        }
        if !text.is_empty() {
            self.line("What to do", &text);
        }
    }
}

/// Where the time went, in the order in which it passed.
pub(super) fn times(decision: &Decision) -> Vec<(&'static str, u64)> {
    let summary = &decision.summary;
    let (connected, answered, ended) = (summary.connected_nanos, summary.answered_nanos, summary.ended_nanos);
    let mut times = vec![("total", ended)];
    if summary.called_nanos > 0 {
        times.push(("until called", summary.called_nanos));
    }
    if connected > 0 {
        times.push(("until connected", connected.saturating_sub(summary.called_nanos)));
    }
    if answered > 0 {
        times.push(("back end", answered.saturating_sub(connected.max(summary.called_nanos))));
        times.push(("then until sent", ended.saturating_sub(answered)));
    }
    times
}

/// Parameter mappings whose target begins so, as target and source.
pub(super) fn mappings<'d>(decision: &'d Decision, begin: &'d str) -> impl Iterator<Item = (&'d str, &'d str)> {
    let all = decision.texts(Tag::Mapping).filter_map(|mapping| mapping.split_once('='));
    all.filter(move |(target, _)| target.starts_with(begin))
}

fn millis(nanos: u64) -> String {
    format!("{}.{:03} ms", nanos / 1_000_000, nanos / 1_000 % 1_000)
}
