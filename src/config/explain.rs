//! `explain`: which requests, and how they are told.

use clap::Args;

use super::admin::{Admin, AdminConfig};
use super::settings::{OutputFormat, Problems, format};
use super::values::Invalid;
use super::{Options, Problem, Slot, Written};

/// What the operator wrote for `explain`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct ExplainConfig {
    /// The newest requests, so many of them
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1")]
    pub last: Option<Written>,
    /// The newest requests with this status, or of this class
    #[arg(long, value_name = "504|5xx")]
    pub status: Option<Written>,
    /// The gateway that is asked.
    #[command(flatten)]
    pub admin: AdminConfig,
    /// How it is told [default: human]
    #[arg(long, value_name = "human|json")]
    pub format: Option<Written>,
}

/// What a gateway is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Where its management side is.
    pub admin: Admin,
    /// The request's id; else the newest.
    pub id: Option<String>,
    /// How many.
    pub last: Option<u16>,
    /// Only those with this status or of this class.
    pub status: Option<String>,
    /// How it is told.
    pub telling: Telling,
}

/// How a request is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// As a story.
    Story,
    /// As JSON.
    Json,
    /// As an execution log.
    Log,
}

impl Question {
    /// Reports every problem at once.
    pub fn resolve(id: Option<String>, log: bool, config: &ExplainConfig) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        if id.is_some() && (config.last.is_some() || config.status.is_some()) {
            found.push("ID".to_owned(), "names one request, --last and --status ask for others", "leave out either");
        }
        let telling = match (log, format(&config.format, &mut found)) {
            (true, _) => Telling::Log,
            (false, OutputFormat::Json) => Telling::Json,
            (false, OutputFormat::Human) => Telling::Story,
        };
        let question = Self {
            admin: Admin::resolve(&config.admin, &mut found),
            id,
            last: found.one("last", &config.last, count),
            status: found.one("status", &config.status, status),
            telling,
        };
        found.into_result(question)
    }
}

fn count(text: &str) -> Result<u16, Invalid> {
    let count = text.parse().ok().filter(|count| (1..=100).contains(count));
    count.ok_or_else(|| Invalid(format!("expected 1 to 100, not `{text}`")))
}

fn status(text: &str) -> Result<String, Invalid> {
    match text.as_bytes() {
        [b'1'..=b'5', b'x', b'x'] | [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] => Ok(text.to_owned()),
        _ => Err(Invalid(format!("expected a status such as 504, or a class such as 5xx, not `{text}`"))),
    }
}

impl Options for ExplainConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "last" => Slot::One(&mut self.last),
            "status" => Slot::One(&mut self.status),
            "format" => Slot::One(&mut self.format),
            _ => return self.admin.slot(key),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(last: Option<&str>, status: Option<&str>, admin: Option<&str>) -> ExplainConfig {
        let written = |text: Option<&str>| text.map(|text| text.parse().expect("never fails"));
        ExplainConfig {
            last: written(last),
            status: written(status),
            admin: AdminConfig { admin: written(admin), region: None },
            format: None,
        }
    }

    #[test]
    fn an_address_may_be_written_as_a_url() {
        for text in ["127.0.0.1:9", "http://127.0.0.1:9", "http://127.0.0.1:9/"] {
            let question = Question::resolve(None, false, &config(None, None, Some(text))).expect(text);
            assert_eq!(question.admin.address, "127.0.0.1:9".parse().unwrap());
        }
    }

    #[test]
    fn a_request_is_named_or_described_not_both() {
        assert!(Question::resolve(Some("x".into()), false, &config(Some("1"), None, None)).is_err());
        for (last, status) in [(Some("0"), None), (Some("101"), None), (None, Some("6xx")), (None, Some("50"))] {
            assert!(Question::resolve(None, false, &config(last, status, None)).is_err(), "{last:?} {status:?}");
        }
        let question = Question::resolve(None, true, &config(Some("3"), Some("5xx"), None)).expect("fine");
        assert_eq!((question.last, question.status.as_deref(), question.telling), (Some(3), Some("5xx"), Telling::Log));
    }
}
