//! `GET /_ringgate/explain`: what shards remember of requests. A caller sees those to the APIs of its own account, and
//! those that reached no API.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router, routing::get};
use ringgate_core::explain::{Decision, Detail, Level, Shape, execution_log, json, story};
use ringgate_core::record::decision::Wanted;
use serde_json::json;

use super::access::Caller;
use super::service::Management;
use super::state::Scope;
use super::v1::request::pairs;
use crate::control::explain::Explained;
use crate::control::gateway::Gateway;

/// Where requests are explained.
pub const PATH: &str = "/_ringgate/explain";
/// Most requests explained at a time.
pub const REQUESTS_MAX: usize = 100;
/// Requests explained where a status is asked for and no number.
const REQUESTS_OF_STATUS: usize = 10;

/// The route. It expects a [`Caller`] in the request's extensions.
pub fn router(gateway: Arc<Gateway>, management: Arc<Management>) -> Router {
    Router::new().route(PATH, get(explain)).with_state((gateway, management))
}

/// What is asked: `id=`, or `last=` and `status=`; and `format=`.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    wanted: Wanted,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Log,
}

async fn explain(
    State((gateway, management)): State<(Arc<Gateway>, Arc<Management>)>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let question = match Question::read(request.uri().query().unwrap_or_default()) {
        Ok(question) => question,
        Err(message) => return refused(StatusCode::BAD_REQUEST, &message),
    };
    let mut explained = gateway.explain(question.wanted).await;
    explained.decisions.retain(|decision| decision.account().is_empty() || decision.account() == caller.account);
    if explained.decisions.is_empty() && matches!(question.wanted, Wanted::Id(_) | Wanted::ExtendedId(_)) {
        return refused(StatusCode::NOT_FOUND, &unknown(&explained));
    }
    let notices = notices(&explained, &management, &caller.region);
    answer(&explained, &notices, question.format)
}

/// What whoever reads this should know of the APIs: that stages do not serve them as they are now.
fn notices(explained: &Explained, management: &Management, region: &str) -> BTreeSet<String> {
    let notice = |decision: &Decision| {
        let scope = Scope { account: decision.account().into(), region: region.into() };
        management.notice(&scope, decision.api_id())
    };
    explained.decisions.iter().filter_map(notice).collect()
}

fn answer(explained: &Explained, notices: &BTreeSet<String>, format: Format) -> Response {
    let show = |show: fn(&Decision) -> String| explained.decisions.iter().map(show).collect::<Vec<_>>().join("\n");
    let mut remarks: String = notices.iter().map(|notice| format!("\nNote: {notice}\n")).collect();
    if explained.silent > 0 {
        remarks += &format!("{} shards did not answer in time: what they remember is missing\n", explained.silent);
    }
    let (kind, body) = match format {
        Format::Json => {
            let requests: Vec<_> = explained.decisions.iter().map(json).collect();
            (
                "application/json",
                format!("{:#}\n", json!({"requests": requests, "notices": notices, "silentShards": explained.silent})),
            )
        }
        Format::Text if explained.decisions.is_empty() => {
            ("text/plain; charset=utf-8", format!("no such request\n{remarks}"))
        }
        Format::Text => ("text/plain; charset=utf-8", show(story) + &remarks),
        Format::Log => ("text/plain; charset=utf-8", show(log) + &remarks),
    };
    (StatusCode::OK, [(header::CONTENT_TYPE, kind)], body).into_response()
}

fn log(decision: &Decision) -> String {
    let lines = execution_log(decision, Shape::CloudWatch, Level::Info, Detail::DataTrace);
    format!("Execution log for request {}\n{lines}", decision.request_id())
}

fn unknown(explained: &Explained) -> String {
    let silent = match explained.silent {
        0 => String::new(),
        count => format!(" of those that answered; {count} did not"),
    };
    format!(
        "no shard remembers this request{silent}: it is still under way, was refused before it was read, or has made \
         room for newer ones (--explain-memory)"
    )
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{}\n", json!({ "message": message })))
        .into_response()
}

impl Question {
    fn read(query: &str) -> Result<Self, String> {
        let (mut id, mut last, mut status, mut format) = (None, None, None, Format::Text);
        for (name, value) in pairs(query) {
            match name.as_str() {
                "id" => id = Some(read_id(&value)?),
                "last" => last = Some(read_count(&value)?),
                "status" => status = Some(read_status(&value)?),
                "format" => format = read_format(&value)?,
                _ => return Err(format!("`{name}` is no parameter; id, last, status and format are")),
            }
        }
        let wanted = match (id, status, last) {
            (Some(id), None, None) => id,
            (Some(_), ..) => return Err("a request is named by its id alone, without last and status".to_owned()),
            (None, Some(Status::Exact(status)), count) => Wanted::Status(status, count.unwrap_or(REQUESTS_OF_STATUS)),
            (None, Some(Status::Class(class)), count) => Wanted::Class(class, count.unwrap_or(REQUESTS_OF_STATUS)),
            (None, None, count) => Wanted::Last(count.unwrap_or(1)),
        };
        Ok(Self { wanted, format })
    }
}

enum Status {
    Exact(u16),
    Class(u8),
}

fn read_id(text: &str) -> Result<Wanted, String> {
    let bytes = text.as_bytes();
    if let Ok(id) = bytes.try_into() {
        return Ok(Wanted::Id(id));
    }
    bytes.try_into().map(Wanted::ExtendedId).map_err(|_| {
        format!("`{text}` is no request id: take it from the response's x-amzn-RequestId or x-amz-apigw-id")
    })
}

fn read_count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=REQUESTS_MAX).contains(count));
    count.ok_or_else(|| format!("last: expected 1 to {REQUESTS_MAX}, not `{text}`"))
}

fn read_status(text: &str) -> Result<Status, String> {
    let wrong = || format!("status: expected a status such as 504, or a class such as 5xx, not `{text}`");
    match text.as_bytes() {
        [class @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => Ok(Status::Class(class - b'0')),
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] => text.parse().map(Status::Exact).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

fn read_format(text: &str) -> Result<Format, String> {
    match text {
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        "log" => Ok(Format::Log),
        _ => Err(format!("format: expected text, json or log, not `{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_a_request_or_says_which_of_the_newest() {
        let id = "c0ffee00-0000-4000-8000-0000000000aa";
        let cases = [
            ("", Wanted::Last(1), Format::Text),
            ("last=5&format=json", Wanted::Last(5), Format::Json),
            ("status=5xx", Wanted::Class(5, REQUESTS_OF_STATUS), Format::Text),
            ("status=404&last=2&format=log", Wanted::Status(404, 2), Format::Log),
            (&format!("id={id}"), Wanted::Id(*id.as_bytes().first_chunk().unwrap()), Format::Text),
            ("id=BwcHBwcHBwcHBwc%3D", Wanted::ExtendedId(*b"BwcHBwcHBwcHBwc="), Format::Text),
        ];
        for (query, wanted, format) in cases {
            assert_eq!(Question::read(query), Ok(Question { wanted, format }), "{query}");
        }
    }

    #[test]
    fn a_question_that_cannot_be_understood_is_told_so() {
        for query in [
            "id=x",
            "last=0",
            "last=101",
            "status=6xx",
            "status=50",
            "format=xml",
            "ids=1",
            &format!("id={}&last=1", "a".repeat(36)),
        ] {
            assert!(Question::read(query).is_err(), "{query}");
        }
    }
}
