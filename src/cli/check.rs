//! `ringgate check`: what is wrong with a definition, without serving it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use ringgate_core::compile::{self, Findings, Slots, StageInput};
use ringgate_core::import::{Format, render};

use super::definition::{Definition, Reading, count, limits, sort};
use crate::config::CheckSettings;
use crate::config::settings::{FailsOn, OutputFormat};

/// Prints the findings about the file at `path`. Gives the exit code: 1 when they are bad enough, 2 when the file cannot
/// be read.
///
/// # Errors
/// Those of `out`.
pub fn run(settings: &CheckSettings, path: &Path, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let reading = Reading {
        kind: settings.kind,
        limits: settings.limits,
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
    };
    let (_, Definition { api, diagnostics }) = match examine(&reading, path) {
        Ok(read) => read,
        Err(error) => {
            writeln!(err, "ringgate: {}: {error}", path.display())?;
            return Ok(2);
        }
    };
    let format = match settings.format {
        OutputFormat::Human => Format::Human,
        OutputFormat::Json => Format::Json,
    };
    write!(out, "{}", render(&diagnostics, &path.display().to_string(), format))?;
    let (errors, warnings) = count(&diagnostics);
    if settings.format == OutputFormat::Human {
        let verdict = if api.is_some() { "loads" } else { "is refused" };
        writeln!(out, "{} {verdict}: {errors} errors, {warnings} warnings", path.display())?;
    }
    let fails = api.is_none() || errors > 0 || (settings.fails_on == FailsOn::Warnings && warnings > 0);
    Ok(u8::from(fails))
}

/// Reads a file, with what compiling finds as well. Findings are in the order of the file.
///
/// # Errors
/// The file cannot be read.
pub(super) fn examine(reading: &Reading, path: &Path) -> io::Result<(String, Definition)> {
    let (text, mut definition) = reading.read_file(path)?;
    if let Some(api) = &definition.api {
        let variables = BTreeMap::new();
        let input = StageInput {
            account_id: &reading.account,
            region: &reading.region,
            api_id: "check00000",
            stage_name: "check",
            deployment_id: "check00000",
            is_canary: false,
            variables: &variables,
            rewrites: &[],
            backend: None,
            ignores_authorization: false,
            records_bodies: false,
            access_log: None,
            integration_timeout_ms_max: limits(reading.limits).integration_timeout_ms_max,
        };
        let mut findings = Findings::default();
        compile::stage(api, &input, &mut Slots::default(), &mut findings);
        definition.diagnostics.extend(findings.0);
    }
    sort(&mut definition.diagnostics);
    Ok((text, definition))
}
