use axum::body;
use axum::http::HeaderValue;
use std::net::Ipv4Addr;

use super::*;
use crate::store::Retention;

fn trail() -> Vec<AuditEntry> {
    let refusal = Outcome::Failed { code: "NotFoundException".into(), message: "Invalid stage".into() };
    let entry = |number: u64| AuditEntry {
        at: WallTime::from_millis(1_700_000_000_500 + number * 1_000),
        id: format!("id-{number}"),
        scope: if number == 3 { "111111111111/us-east-1" } else { "000000000000/eu-west-1" }.into(),
        access_key: (number == 2).then(|| "AKIA2".to_owned()),
        key_is_verified: true,
        source_ip: "127.0.0.1".into(),
        user_agent: "aws-cli/2".into(),
        operation: if number.is_multiple_of(2) { "DeleteStage" } else { "CreateRestApi" }.into(),
        resource: format!("/restapis/{number}"),
        request: "{\"name\":\"a\"}".into(),
        outcome: if number == 2 { refusal.clone() } else { Outcome::Succeeded },
        changed: "[{\"put\":\"restapi a\"}]".into(),
    };
    (0..5).map(entry).collect()
}

fn caller() -> Caller {
    Caller {
        access_key: None,
        key_is_verified: false,
        account: "000000000000".into(),
        region: "eu-west-1".into(),
        source_ip: Ipv4Addr::LOCALHOST.into(),
        user_agent: String::new(),
    }
}

fn stored() -> Store {
    let store = Store::in_memory(Retention { days: u32::MAX, entries: 100 }).expect("memory");
    trail().into_iter().for_each(|entry| drop(store.commit(Vec::new(), Some(entry))));
    store
}

/// Runs a task to its end, and reads the answer that it gives.
fn answered(task: impl Future<Output = Response>) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let (head, body) = task.await.into_parts();
        let bytes = body::to_bytes(body, usize::MAX).await.expect("a body");
        (head.status.as_u16(), serde_json::from_slice(&bytes).expect("JSON"))
    })
}

fn listed(store: &Store, query: &str) -> (u16, Value) {
    let request = Request::builder().uri(format!("{PATH}?{query}")).body(body::Body::empty()).expect("plain");
    answered(list(State(store.clone()), Extension(caller()), request))
}

fn looked_up(store: &Store, asked: &Value) -> (u16, Value) {
    answered(lookup(store, &caller(), asked.to_string().as_bytes()))
}

fn members<'v>(list: &'v Value, name: &str) -> Vec<&'v str> {
    list.as_array().expect("a list").iter().map(|one| one[name].as_str().expect("a text")).collect()
}

#[test]
fn a_caller_reads_the_trail_of_its_own_account() {
    let store = stored();
    let (status, page) = listed(&store, "");
    assert_eq!((status, members(&page["entries"], "requestId")), (200, vec!["id-4", "id-2", "id-1", "id-0"]));
    assert_eq!(
        page["entries"][1],
        json!({
            "time": "2023-11-14T22:13:22.500Z", "requestId": "id-2", "account": "000000000000", "region": "eu-west-1",
            "accessKey": "AKIA2", "accessKeyIsVerified": true, "sourceIp": "127.0.0.1", "userAgent": "aws-cli/2", "operation": "DeleteStage",
            "resource": "/restapis/2", "request": {"name": "a"}, "changed": [{"put": "restapi a"}],
            "error": {"code": "NotFoundException", "message": "Invalid stage"},
        })
    );
    let (_, first) = listed(&store, "limit=3");
    let (_, rest) = listed(&store, &format!("limit=3&after={}", first["next"].as_str().expect("there is more")));
    assert_eq!((members(&rest["entries"], "requestId"), rest.get("next")), (vec!["id-0"], None));
}

#[test]
fn every_filter_of_a_query_survives_the_way_to_the_gateway() {
    let asked = AuditQuery {
        operation: Some("Create RestApi&%".into()),
        access_key: Some("AKIA2".into()),
        resource: Some("/restapis/é/=+".into()),
        since: Some(WallTime::from_millis(1)),
        until: Some(WallTime::from_millis(1_700_000_000_000)),
        limit: 7,
        ..AuditQuery::default()
    };
    assert_eq!(query(&query_string(&asked)), Ok(asked));
    let store = stored();
    assert_eq!(members(&listed(&store, "since=2023-11-14T22:13:22Z").1["entries"], "requestId"), ["id-4", "id-2"]);
    for wrong in ["since=soon", "limit=0", "limit=1001", "after=x", "colour=red"] {
        let (status, answer) = listed(&store, wrong);
        let name = wrong.split('=').next().expect("a name");
        assert!(status == 400 && answer["message"].as_str().expect("words").contains(name), "{answer}");
    }
}

#[test]
fn events_are_looked_up_as_in_cloudtrail() {
    let store = stored();
    let attribute =
        |key: &str, value: &str| json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]});
    let rows = [
        (json!({}), vec!["id-4", "id-2", "id-1", "id-0"]),
        (attribute("EventName", "CreateRestApi"), vec!["id-1"]),
        (attribute("AccessKeyId", "AKIA2"), vec!["id-2"]),
        (attribute("EventId", "id-0"), vec!["id-0"]),
        (attribute("ResourceName", "/restapis/4"), vec!["id-4"]),
        (attribute("EventSource", "apigateway.amazonaws.com"), vec!["id-4", "id-2", "id-1", "id-0"]),
        (attribute("EventSource", "s3.amazonaws.com"), vec![]),
        (attribute("ReadOnly", "true"), vec![]),
        (json!({"StartTime": 1_700_000_001, "EndTime": 1_700_000_002.5}), vec!["id-2", "id-1"]),
        (json!({"EventCategory": "insight"}), vec![]),
    ];
    for (asked, expected) in rows {
        let (status, answer) = looked_up(&store, &asked);
        assert_eq!((status, members(&answer["Events"], "EventId")), (200, expected), "{asked}");
    }
    let (_, first) = looked_up(&store, &json!({"MaxResults": 2}));
    let (_, rest) = looked_up(&store, &json!({"MaxResults": 2, "NextToken": first["NextToken"]}));
    assert_eq!((members(&rest["Events"], "EventId"), rest.get("NextToken")), (vec!["id-1", "id-0"], None));
    let event = &first["Events"][1];
    assert_eq!((event["EventTime"].as_f64(), event["AccessKeyId"].as_str()), (Some(1_700_000_002.5), Some("AKIA2")));
    let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().expect("a text")).expect("JSON");
    assert_eq!(record["eventTime"], "2023-11-14T22:13:22Z");
    assert_eq!(
        (&record["errorCode"], &record["requestParameters"]["name"]),
        (&json!("NotFoundException"), &json!("a"))
    );
}

#[test]
fn a_wrong_lookup_is_refused_with_the_name_that_aws_has_for_it() {
    let store = stored();
    let rows = [
        (json!([]), "SerializationException"),
        (json!({"MaxResults": 51}), "InvalidMaxResultsException"),
        (json!({"MaxResults": "5"}), "InvalidMaxResultsException"),
        (json!({"NextToken": "x"}), "InvalidNextTokenException"),
        (json!({"StartTime": 2, "EndTime": 1}), "InvalidTimeRangeException"),
        (json!({"StartTime": -1}), "InvalidTimeRangeException"),
        (json!({"EventCategory": "other"}), "InvalidEventCategoryException"),
        (json!({"LookupAttributes": [{}]}), "InvalidLookupAttributesException"),
        (json!({"LookupAttributes": [1, 2]}), "InvalidLookupAttributesException"),
    ];
    for (asked, kind) in rows {
        let (status, answer) = looked_up(&store, &asked);
        assert_eq!((status, answer["__type"].as_str()), (400, Some(kind)), "{asked}");
    }
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
    let mut headers = axum::http::HeaderMap::new();
    assert!(!is_lookup(&headers));
    headers.insert("x-amz-target", HeaderValue::from_static(target));
    assert!(is_lookup(&headers));
}
