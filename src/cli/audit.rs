//! `ringgate audit`: the trail of management calls, from a running gateway or from its folder.

use std::io::{self, Write};

use serde_json::Value;

use super::client::{Gateway, Request};
use crate::admin::audit;
use crate::config::settings::OutputFormat;
use crate::config::store::{AuditSettings, AuditSource};
use crate::store::{StoreError, read_trail};

/// Prints what was asked for. Gives the exit code.
///
/// # Errors
/// Those of `out` and `err`.
pub fn run(settings: &AuditSettings, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let page = match read(settings) {
        Ok(page) => page,
        Err((message, code)) => {
            writeln!(err, "ringgate: {message}")?;
            return Ok(code);
        }
    };
    match settings.format {
        OutputFormat::Json => writeln!(out, "{page:#}")?,
        OutputFormat::Human => print(&page, out)?,
    }
    Ok(0)
}

fn read(settings: &AuditSettings) -> Result<Value, (String, u8)> {
    let gateway = match &settings.source {
        AuditSource::Gateway(admin) => Gateway::of(admin),
        AuditSource::Folder(folder) => {
            let page = read_trail(folder, &settings.query);
            return page.map(|page| audit::document(&page)).map_err(|error| {
                let code = if matches!(error, StoreError::Internal(_)) { 70 } else { 2 };
                (format!("{}: {error}", folder.display()), code)
            });
        }
    };
    let target = format!("{}?{}", audit::PATH, audit::query_string(&settings.query));
    let response = gateway.call(&Request { target: &target, ..Request::default() });
    let response = response.map_err(|error| (error.to_string(), 2))?;
    match (response.status, serde_json::from_slice(&response.body)) {
        (200, Ok(page)) => Ok(page),
        (status, _) => {
            Err((format!("{} answered {status}: {}", gateway.address, printable(response.text().trim_end())), 2))
        }
    }
}

/// A line for each entry: when, who, from where, what, and how it ended.
fn print(page: &Value, out: &mut impl Write) -> io::Result<()> {
    let entries = page["entries"].as_array().map_or(&[][..], Vec::as_slice);
    for entry in entries {
        let text = |name: &str| printable(entry[name].as_str().unwrap_or("-"));
        let (time, mut key, ip) = (text("time"), text("accessKey"), text("sourceIp"));
        if entry["accessKeyIsVerified"] == false {
            key.push_str(" (unverified)");
        }
        write!(out, "{time}  {key}  {ip}  {} {}", text("operation"), text("resource"))?;
        match (entry["error"]["code"].as_str(), entry["changed"].as_array()) {
            (Some(code), _) => {
                let message = entry["error"]["message"].as_str().unwrap_or_default();
                writeln!(out, "  refused: {}: {}", printable(code), printable(message))?;
            }
            (None, Some(changed)) if !changed.is_empty() => writeln!(out, "  {} changes", changed.len())?,
            _ => writeln!(out)?,
        }
    }
    match (entries.is_empty(), page.get("next")) {
        (true, _) => writeln!(out, "no entries"),
        (false, Some(_)) => writeln!(out, "there are older ones: --entries, --until"),
        (false, None) => Ok(()),
    }
}

/// What others wrote must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
