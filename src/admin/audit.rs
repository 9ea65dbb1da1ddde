//! The audit trail on the admin listener: our own `GET /_ringgate/audit`, and CloudTrail's `LookupEvents`.
//!
//! A caller sees what was done in its own account.

mod cloudtrail;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router, routing::get};
use ringgate_core::base::{WallTime, calendar};
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::v1::request::pairs;
use crate::store::{AuditEntry, AuditPage, AuditQuery, Outcome, PAGE_ENTRIES_MAX, Place, Store, StoreError};

/// Where the trail is read.
pub const PATH: &str = "/_ringgate/audit";

/// The routes of the trail. They expect a [`Caller`] in the request's extensions.
pub fn router(store: Store) -> Router {
    Router::new().route(PATH, get(list)).with_state(store)
}

pub use cloudtrail::is_lookup;

/// Answers `LookupEvents`.
pub async fn lookup(store: &Store, caller: &Caller, body: &[u8]) -> Response {
    cloudtrail::lookup(store, caller, body).await
}

async fn list(State(store): State<Store>, Extension(caller): Extension<Caller>, request: Request) -> Response {
    let query = match query(request.uri().query().unwrap_or_default()) {
        Ok(query) => AuditQuery { scope: Some(caller.account), ..query },
        Err(message) => return refused(StatusCode::BAD_REQUEST, &message),
    };
    match store.audit(query).await {
        Ok(page) => json_response(StatusCode::OK, &document(&page)),
        Err(error) => refused(status(&error), &error.to_string()),
    }
}

fn status(error: &StoreError) -> StatusCode {
    match error {
        StoreError::Overloaded | StoreError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    json_response(status, &json!({ "message": message }))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

/// What `ringgate audit` asks, as the query of [`PATH`]. Undone by [`query`].
pub fn query_string(query: &AuditQuery) -> String {
    let mut pairs = vec![("limit", query.limit.to_string())];
    let texts = [("operation", &query.operation), ("accessKey", &query.access_key), ("resource", &query.resource)];
    pairs.extend(texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
    let times = [("since", query.since), ("until", query.until)];
    pairs.extend(times.into_iter().filter_map(|(name, time)| Some((name, calendar::rfc3339(time?)))));
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// Percent-encodes all but the unreserved characters (RFC 3986 section 2.3).
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn query(text: &str) -> Result<AuditQuery, String> {
    let mut query = AuditQuery::default();
    for (name, value) in pairs(text) {
        let wrong = |expected: String| format!("{name}: expected {expected}, not `{value}`");
        let time =
            || calendar::from_rfc3339(&value).ok_or_else(|| wrong("a time such as 2026-11-21T07:00:00Z".to_owned()));
        match name.as_str() {
            "operation" => query.operation = Some(value),
            "accessKey" => query.access_key = Some(value),
            "resource" => query.resource = Some(value),
            "requestId" => query.id = Some(value),
            "since" => query.since = Some(time()?),
            "until" => query.until = Some(time()?),
            "after" => query.after = Some(Place(value.parse().map_err(|_| wrong("the `next` of a page".to_owned()))?)),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=PAGE_ENTRIES_MAX).contains(limit));
                query.limit = limit.ok_or_else(|| wrong(format!("1 to {PAGE_ENTRIES_MAX}")))?;
            }
            _ => return Err(format!("there is no parameter `{name}`")),
        }
    }
    Ok(query)
}

/// A page as it is answered.
pub fn document(page: &AuditPage) -> Value {
    let entries: Vec<_> = page.entries.iter().map(entry).collect();
    let mut document = json!({ "entries": entries });
    if let Some(Place(next)) = page.next {
        document["next"] = next.to_string().into();
    }
    document
}

fn entry(entry: &AuditEntry) -> Value {
    let (account, region) = entry.scope.split_once('/').unwrap_or((&entry.scope, ""));
    let mut document = json!({
        "time": calendar::rfc3339(entry.at),
        "requestId": entry.id,
        "account": account,
        "region": region,
        "accessKey": entry.access_key,
        "accessKeyIsVerified": entry.access_key.as_ref().map(|_| entry.key_is_verified),
        "sourceIp": entry.source_ip,
        "userAgent": entry.user_agent,
        "operation": entry.operation,
        "resource": entry.resource,
        "request": embedded(&entry.request),
        "changed": embedded(&entry.changed),
    });
    if let Outcome::Failed { code, message } = &entry.outcome {
        document["error"] = json!({ "code": code, "message": message });
    }
    document
}

/// A document inside another; what is none is text.
fn embedded(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

#[cfg(test)]
mod tests;
