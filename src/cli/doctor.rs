//! `ringgate doctor`: what of this host costs speed or connections, and the command that fixes each.
//!
//! Three steps that know nothing of each other: [`host`] reads files below a root (so that tests can give a made-up
//! machine), [`examine`] judges what was read, this file prints. Nothing is ever changed here.

pub mod examine;
pub mod host;

use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use crate::config::DoctorSettings;
use crate::config::settings::OutputFormat;

pub use examine::{Finding, Verdict, examine};
pub use host::{Host, RingSupport};

/// Looks at the host below `root` (`/` but in tests) and prints what it found to `out`. `probe` asks the kernel for
/// a ring. Returns the exit code: 1 when something is red.
pub fn run(
    settings: DoctorSettings,
    root: &Path,
    probe: impl Fn() -> RingSupport,
    out: &mut impl Write,
) -> io::Result<u8> {
    let findings = examine(&Host::read(root, probe()));
    match settings.format {
        OutputFormat::Human => print(&findings, out)?,
        OutputFormat::Json => print_json(&findings, out)?,
    }
    Ok(u8::from(findings.iter().any(|finding| finding.verdict == Verdict::Red)))
}

fn print(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "{:<6} {:<28} {}", finding.verdict.as_str(), finding.check, finding.found)?;
        if !matches!(finding.verdict, Verdict::Green) {
            writeln!(out, "       wanted: {}; {}", finding.wanted, finding.why)?;
        }
        if let Some(fix) = &finding.fix {
            writeln!(out, "       fix:    {fix}")?;
        }
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let [green, yellow, red] = [Verdict::Green, Verdict::Yellow, Verdict::Red].map(count);
    writeln!(out, "{green} green, {yellow} yellow, {red} red, {} not readable here", count(Verdict::Unknown))
}

fn print_json(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    let each = |finding: &Finding| {
        json!({
            "check": finding.check,
            "verdict": finding.verdict.as_str(),
            "found": finding.found,
            "wanted": finding.wanted,
            "why": finding.why,
            "fix": finding.fix,
        })
    };
    let list: Vec<_> = findings.iter().map(each).collect();
    writeln!(out, "{:#}", json!({ "findings": list }))
}

#[cfg(test)]
mod tests;
