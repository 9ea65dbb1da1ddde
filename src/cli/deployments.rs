//! `ringgate deployments diff`: in what two deployments of an API differ.

use std::io::{self, Write};

use serde::Deserialize;
use serde_json::Value;

use super::client::{Gateway, Request};
use super::deploy::{encoded, refusal};
use crate::admin::changes::DIFF_PATH;
use crate::admin::state::changes::Change;
use crate::config::deploy::DiffSettings;
use crate::config::settings::OutputFormat;

/// Prints the differences. Gives the exit code: 1 when there are any.
///
/// # Errors
/// Those of `out` and `err`.
pub fn diff(settings: &DiffSettings, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let (document, changes) = match ask(settings) {
        Ok(answer) => answer,
        Err(message) => {
            writeln!(err, "ringgate: {message}")?;
            return Ok(2);
        }
    };
    match settings.format {
        OutputFormat::Json => writeln!(out, "{document:#}")?,
        OutputFormat::Human if changes.is_empty() => writeln!(out, "no difference")?,
        OutputFormat::Human => changes.iter().try_for_each(|change| writeln!(out, "{change}"))?,
    }
    Ok(u8::from(!changes.is_empty()))
}

fn ask(settings: &DiffSettings) -> Result<(Value, Vec<Change>), String> {
    let [a, b] = &settings.sides;
    let target = format!("{DIFF_PATH}?api={}&a={}&b={}", encoded(&settings.api_id), encoded(a), encoded(b));
    let gateway = Gateway::of(&settings.admin);
    let response = gateway.call(&Request { target: &target, ..Request::default() });
    let response = response.map_err(|unanswered| unanswered.to_string())?;
    let document: Option<Value> = serde_json::from_slice(&response.body).ok().filter(|_| response.status == 200);
    let changes = document.as_ref().and_then(|document| Vec::deserialize(&document["changes"]).ok());
    document.zip(changes).ok_or_else(|| refusal(gateway.address, &response))
}
