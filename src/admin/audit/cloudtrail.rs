//! CloudTrail's `LookupEvents` (JSON 1.1), so that tools which read a trail on AWS read ours.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ringgate_core::base::calendar;
use serde_json::{Number, Value, json};

use super::{Caller, Map, WallTime, embedded, status};
use crate::store::{AuditEntry, AuditPage, AuditQuery, Outcome, Place, Store};

const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
const EVENT_SOURCE: &str = "apigateway.amazonaws.com";
/// Most events of one answer, and how many there are unless asked for less.
const RESULTS_MAX: u64 = 50;

/// AWS's name of an error, and its words.
type Refusal = (&'static str, String);

/// Whether a call asks for `LookupEvents`.
pub fn is_lookup(headers: &HeaderMap) -> bool {
    headers.get("x-amz-target").is_some_and(|target| target == TARGET)
}

pub(super) async fn lookup(store: &Store, caller: &Caller, body: &[u8]) -> Response {
    let query = match read(caller, body) {
        Ok(query) => query,
        Err((kind, message)) => return answer(StatusCode::BAD_REQUEST, &json!({"__type": kind, "message": message})),
    };
    let page = match query {
        Some(query) => store.audit(query).await,
        None => Ok(AuditPage::default()),
    };
    match page {
        Ok(page) => answer(StatusCode::OK, &events(&page)),
        Err(error) => answer(status(&error), &json!({"__type": "InternalFailure", "message": error.to_string()})),
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}

/// What is asked for; `None`: something that no event of ours has.
fn read(caller: &Caller, body: &[u8]) -> Result<Option<AuditQuery>, Refusal> {
    let asked: Map<String, Value> = match body {
        [] => Map::new(),
        body => serde_json::from_slice(body).map_err(|_| ("SerializationException", "not a JSON object".to_owned()))?,
    };
    let mut query = AuditQuery {
        scope: Some(format!("{}/{}", caller.account, caller.region)),
        since: time(&asked, "StartTime")?,
        // CloudTrail's end belongs to the range.
        until: time(&asked, "EndTime")?.map(|end| WallTime::from_millis(end.as_millis().saturating_add(1))),
        after: place(&asked)?,
        limit: results(&asked)?,
        ..AuditQuery::default()
    };
    if query.since.zip(query.until).is_some_and(|(since, until)| since >= until) {
        return Err(("InvalidTimeRangeException", "StartTime is after EndTime".to_owned()));
    }
    if let Some(category) = asked.get("EventCategory") {
        // The one other category: insights, of which there are none here.
        let is_insight = category == "insight";
        let message = format!("there is no event category {category}");
        return if is_insight { Ok(None) } else { Err(("InvalidEventCategoryException", message)) };
    }
    Ok(filter(&asked, &mut query)?.then_some(query))
}

/// Puts the lookup attribute into `query`. Gives whether any event can have it.
fn filter(asked: &Map<String, Value>, query: &mut AuditQuery) -> Result<bool, Refusal> {
    let refuse = |message: &str| Err(("InvalidLookupAttributesException", message.to_owned()));
    let attributes = asked.get("LookupAttributes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let attribute = match attributes {
        [] => return Ok(true),
        [attribute] => attribute,
        _ => return refuse("You can only specify one attribute at a time"),
    };
    let (Some(key), Some(value)) = (attribute["AttributeKey"].as_str(), attribute["AttributeValue"].as_str()) else {
        return refuse("an attribute has an AttributeKey and an AttributeValue");
    };
    let value = Some(value.to_owned());
    match key {
        "EventId" => query.id = value,
        "EventName" => query.operation = value,
        "ResourceName" => query.resource = value,
        // There are no users but those that the keys stand for.
        "AccessKeyId" | "Username" => query.access_key = value,
        "EventSource" => return Ok(value.as_deref() == Some(EVENT_SOURCE)),
        // Calls that only read leave no trail.
        "ReadOnly" => return Ok(value.as_deref() == Some("false")),
        "ResourceType" => return refuse("ResourceType is not supported: look for a ResourceName"),
        _ => return refuse("there is no such AttributeKey"),
    }
    Ok(true)
}

/// Seconds since 1970, with a fraction or without.
fn time(asked: &Map<String, Value>, name: &str) -> Result<Option<WallTime>, Refusal> {
    match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            // Saturates: no time is too late to ask about.
            Some(seconds) if seconds >= 0.0 => Ok(Some(WallTime::from_millis((seconds * 1000.0) as u64))),
            _ => Err(("InvalidTimeRangeException", format!("{name} is not a time"))),
        },
    }
}

fn place(asked: &Map<String, Value>) -> Result<Option<Place>, Refusal> {
    let wrong = || ("InvalidNextTokenException", "not the NextToken of an answer".to_owned());
    match asked.get("NextToken") {
        None | Some(Value::Null) => Ok(None),
        Some(token) => token.as_str().and_then(|token| token.parse().ok()).map(Place).ok_or_else(wrong).map(Some),
    }
}

fn results(asked: &Map<String, Value>) -> Result<usize, Refusal> {
    let wrong = || ("InvalidMaxResultsException", format!("MaxResults is from 1 to {RESULTS_MAX}"));
    let number = asked.get("MaxResults").map_or(Some(RESULTS_MAX), Value::as_u64);
    number.filter(|number| (1..=RESULTS_MAX).contains(number)).map(|number| number as usize).ok_or_else(wrong)
}

fn events(page: &AuditPage) -> Value {
    let events: Vec<_> = page.entries.iter().map(event).collect();
    let mut document = json!({ "Events": events });
    if let Some(Place(next)) = page.next {
        document["NextToken"] = next.to_string().into();
    }
    document
}

fn event(entry: &AuditEntry) -> Value {
    let mut event = json!({
        "EventId": entry.id,
        "EventName": entry.operation,
        "ReadOnly": "false",
        "EventTime": Number::from_f64(entry.at.as_millis() as f64 / 1000.0),
        "EventSource": EVENT_SOURCE,
        "Resources": [{ "ResourceName": entry.resource }],
        "CloudTrailEvent": record(entry).to_string(),
    });
    if let Some(key) = &entry.access_key {
        event["AccessKeyId"] = key.as_str().into();
        event["Username"] = key.as_str().into();
    }
    event
}

/// Whoever did not prove who they are is `Unknown`, as CloudTrail says it.
fn identity(entry: &AuditEntry, account: &str) -> Value {
    let kind = if entry.access_key.is_some() && entry.key_is_verified { "IAMUser" } else { "Unknown" };
    json!({ "type": kind, "accountId": account, "accessKeyId": entry.access_key })
}

/// The event as CloudTrail writes it to a log file.
fn record(entry: &AuditEntry) -> Value {
    let (account, region) = entry.scope.split_once('/').unwrap_or((&entry.scope, ""));
    let second = calendar::rfc3339(WallTime::from_millis(entry.at.as_secs() * 1000)).replace(".000", "");
    let mut record = json!({
        "eventVersion": "1.08",
        "userIdentity": identity(entry, account),
        "eventTime": second,
        "eventSource": EVENT_SOURCE,
        "eventName": entry.operation,
        "awsRegion": region,
        "sourceIPAddress": entry.source_ip,
        "userAgent": entry.user_agent,
        "requestParameters": embedded(&entry.request),
        "responseElements": null,
        "requestID": entry.id,
        "eventID": entry.id,
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    if let Outcome::Failed { code, message } = &entry.outcome {
        record["errorCode"] = code.as_str().into();
        record["errorMessage"] = message.as_str().into();
    }
    record
}
