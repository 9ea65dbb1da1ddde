//! `ringgate deploy`: a document onto a running gateway, after telling what that changes.
//!
//! What would change is asked of the gateway: it alone has the definition that the stage serves, with all that an
//! import keeps of the one before. Everything it then does is a call of the management API that any client could make.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use ringgate_core::import::{Format, render};
use ringgate_core::proto::http::Method;
use serde_json::{Value, json};

use super::check::examine;
use super::client::{Gateway, Request, Response};
use super::definition::{Definition, Reading};
use crate::admin::changes::{DeploymentPlan, PLAN_PATH};
use crate::config::deploy::{DeploySettings, Effect, WhichApi};
use crate::config::settings::{LimitSet, OutputFormat};

/// Why nothing was deployed, or not all of it.
enum Failure {
    /// The document is wrong.
    Refused(String),
    /// The call is: no such API or file, nobody there, not allowed.
    Wrong(String),
    /// The terminal or the pipe.
    Io(io::Error),
}

impl Failure {
    /// The same, when something was done before.
    fn after(self, done: &str) -> Self {
        match self {
            Self::Refused(message) => Self::Refused(format!("{message}; {done}")),
            Self::Wrong(message) => Self::Wrong(format!("{message}; {done}")),
            Self::Io(error) => Self::Io(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Tells what deploying the file at `path` changes, and does it. Gives the exit code: 1 when the document is refused, or
/// when there would be changes and they are only told.
///
/// # Errors
/// Those of `out` and `err`.
pub fn run(settings: &DeploySettings, path: &Path, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let mut report = json!({});
    let done = deploy(settings, path, &mut report, out);
    if settings.format == OutputFormat::Json && !matches!(done, Err(Failure::Io(_))) {
        writeln!(out, "{report:#}")?;
    }
    match done {
        Ok(code) => Ok(code),
        Err(Failure::Refused(message)) => writeln!(err, "ringgate: {message}").map(|()| 1),
        Err(Failure::Wrong(message)) => writeln!(err, "ringgate: {message}").map(|()| 2),
        Err(Failure::Io(error)) => Err(error),
    }
}

fn deploy(settings: &DeploySettings, path: &Path, report: &mut Value, out: &mut impl Write) -> Result<u8, Failure> {
    let mut tell = |line: &dyn std::fmt::Display| match settings.format {
        OutputFormat::Human => writeln!(out, "{line}"),
        OutputFormat::Json => Ok(()),
    };
    let (text, title) = read(path, report, &mut tell)?;
    let target = Target { gateway: Gateway::of(&settings.admin), settings, document: text.as_bytes() };
    let plan = target.plan(&title)?;
    (report["apiId"], report["stage"]) = (json!(plan.api_id), json!(settings.stage));
    report["changes"] = json!(plan.changes);
    for change in &plan.changes {
        tell(change)?;
    }
    if plan.changes.is_empty() {
        tell(&"nothing to change")?;
        return Ok(0);
    }
    if settings.effect == Effect::Told {
        return Ok(1);
    }
    let api = target.define(plan.api_id.as_deref())?;
    let deployment =
        target.deploy(&api).map_err(|failure| failure.after("the definition was changed, but not deployed"))?;
    (report["apiId"], report["deploymentId"]) = (json!(api), json!(deployment));
    tell(&format_args!("deployment {deployment} of API {api} is served on stage {}", settings.stage))?;
    if let Some(port) = plan.port {
        let url = url(SocketAddr::new(settings.admin.address.ip(), port), &api, &settings.stage);
        report["url"] = json!(url);
        tell(&url)?;
    }
    Ok(0)
}

/// The text of a document that nothing is wrong with, and its title. Findings are told.
fn read(
    path: &Path,
    report: &mut Value,
    tell: &mut impl FnMut(&dyn std::fmt::Display) -> io::Result<()>,
) -> Result<(String, String), Failure> {
    // Which limits apply is known to the gateway, which refuses what is beyond them.
    let reading = Reading {
        kind: None,
        limits: LimitSet::Relaxed,
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
    };
    let name = path.display().to_string();
    let examined = examine(&reading, path);
    let (text, Definition { api, diagnostics }) =
        examined.map_err(|error| Failure::Wrong(format!("{name}: {error}")))?;
    report["findings"] = serde_json::from_str(&render(&diagnostics, &name, Format::Json)).unwrap_or_default();
    if !diagnostics.is_empty() {
        tell(&render(&diagnostics, &name, Format::Human).trim_end())?;
    }
    match api {
        Some(api) => Ok((text, api.name)),
        None => Err(Failure::Refused(format!("{name} is refused; nothing was changed"))),
    }
}

/// A document and the gateway that is to serve it.
struct Target<'t> {
    gateway: Gateway,
    settings: &'t DeploySettings,
    document: &'t [u8],
}

impl Target<'_> {
    /// What would change.
    fn plan(&self, title: &str) -> Result<DeploymentPlan, Failure> {
        let (parameter, value) = match &self.settings.api {
            WhichApi::Id(id) => ("api", id.as_str()),
            WhichApi::Name(name) => ("name", name.as_str()),
            WhichApi::Titled => ("name", title),
        };
        let stage = encoded(&self.settings.stage);
        let target = format!("{PLAN_PATH}?stage={stage}&{parameter}={}", encoded(value));
        let response = self.call(Method::Post, &target, self.document)?;
        let plan: Option<DeploymentPlan> = serde_json::from_slice(&response.body).ok();
        let plan = plan.ok_or_else(|| self.failure(&response))?;
        match (&self.settings.api, &plan.api_id) {
            (WhichApi::Name(name), None) => Err(Failure::Wrong(format!("no API is named {name}"))),
            _ => Ok(plan),
        }
    }

    /// Makes the document the definition of the API, or of a new one. Gives its id.
    fn define(&self, api: Option<&str>) -> Result<String, Failure> {
        let response = match api {
            Some(id) => self.call(Method::Put, &format!("/restapis/{}?mode=overwrite", encoded(id)), self.document),
            None => self.call(Method::Post, "/restapis?mode=import", self.document),
        };
        self.id(&response?)
    }

    /// Deploys the definition. Gives the deployment's id.
    fn deploy(&self, api: &str) -> Result<String, Failure> {
        let mut asked = json!({ "stageName": self.settings.stage });
        if let Some(description) = &self.settings.description {
            asked["description"] = json!(description);
        }
        let target = format!("/restapis/{}/deployments", encoded(api));
        self.id(&self.call(Method::Post, &target, asked.to_string().as_bytes())?)
    }

    fn id(&self, response: &Response) -> Result<String, Failure> {
        let answer: Option<Value> = serde_json::from_slice(&response.body).ok();
        let id = answer.and_then(|answer| answer["id"].as_str().map(str::to_owned));
        id.ok_or_else(|| self.failure(response))
    }

    fn call(&self, method: Method, target: &str, body: &[u8]) -> Result<Response, Failure> {
        let request = Request { method, target, fields: &[("Content-Type", "application/json")], body };
        let response = self.gateway.call(&request).map_err(|unanswered| Failure::Wrong(unanswered.to_string()))?;
        if (200..300).contains(&response.status) { Ok(response) } else { Err(self.failure(&response)) }
    }

    fn failure(&self, response: &Response) -> Failure {
        let message = refusal(self.gateway.address, response);
        match response.status {
            400 => Failure::Refused(message),
            _ => Failure::Wrong(message),
        }
    }
}

/// Where a stage is called: by the host name that needs no name server, or at a distance by the path.
fn url(address: SocketAddr, api: &str, stage: &str) -> String {
    let port = address.port();
    if address.ip().is_loopback() {
        format!("http://{api}.execute-api.localhost:{port}/{stage}/")
    } else {
        format!("http://{address}/restapis/{api}/{stage}/_user_request_/")
    }
}

/// A gateway's refusal, in its words.
pub(super) fn refusal(address: SocketAddr, response: &Response) -> String {
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let said = body.as_ref().and_then(|body| body["message"].as_str()).map(str::to_owned);
    let said = said.unwrap_or_else(|| response.text());
    // What came from elsewhere must not steer the terminal.
    let said: String = said.trim_end().chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    format!("{address} answered {}: {said}", response.status)
}

/// Percent-encodes all but the unreserved characters (RFC 3986 section 2.3).
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = Vec::new();
    ringgate_core::proto::http::percent::encode(text.as_bytes(), &mut encoded);
    String::from_utf8_lossy(&encoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_at_a_distance_is_called_by_path() {
        let at = |address: &str| url(address.parse().expect("an address"), "abc", "dev");
        assert_eq!(at("127.0.0.1:8080"), "http://abc.execute-api.localhost:8080/dev/");
        assert_eq!(at("192.0.2.1:80"), "http://192.0.2.1:80/restapis/abc/dev/_user_request_/");
    }
}
