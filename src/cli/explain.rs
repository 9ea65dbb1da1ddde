//! `ringgate explain`: what a running gateway decided about requests.

use std::io::{self, Write};

use serde_json::Value;

use super::client::{Gateway, Request, Response};
use crate::admin::explain::PATH;
use crate::config::explain::{Question, Telling};

/// Asks and prints the answer. Gives the exit code: 1 if the gateway does not remember the request.
///
/// # Errors
/// Those of `out` and `err`.
pub fn run(question: &Question, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let target = target(question);
    match Gateway::of(&question.admin).call(&Request { target: &target, ..Request::default() }) {
        Ok(response) if response.status == 200 => {
            write!(out, "{}", printable(&response.text()))?;
            Ok(0)
        }
        Ok(response) => {
            writeln!(err, "ringgate: {}", printable(&refusal(&response)))?;
            Ok(if response.status == 404 { 1 } else { 2 })
        }
        Err(unanswered) => {
            writeln!(err, "ringgate: {unanswered}")?;
            Ok(2)
        }
    }
}

fn target(question: &Question) -> String {
    let format = match question.telling {
        Telling::Story => "text",
        Telling::Json => "json",
        Telling::Log => "log",
    };
    let mut target = format!("{PATH}?format={format}");
    if let Some(id) = &question.id {
        let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        target.push_str(&format!("&id={encoded}"));
    }
    if let Some(last) = question.last {
        target.push_str(&format!("&last={last}"));
    }
    if let Some(status) = &question.status {
        target.push_str(&format!("&status={status}"));
    }
    target
}

fn refusal(response: &Response) -> String {
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let message = body.as_ref().and_then(|body| body["message"].as_str());
    message.map_or_else(|| format!("the gateway answered {}", response.status), str::to_owned)
}

/// What clients and back ends wrote must not steer the terminal.
fn printable(text: &str) -> String {
    let replaced = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c };
    text.chars().map(replaced).collect()
}
