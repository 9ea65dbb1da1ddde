//! What is kept of an exchange for whoever asks why.

use super::*;
use crate::record::decision::{Decisions, MEMORY_BYTES_MIN, Step, Summary, Tag, Wanted, read};

/// The record of one exchange: its numbers, and its chunks as text.
struct Kept {
    summary: Summary,
    chunks: Vec<(Tag, String)>,
}

impl Kept {
    fn of(world: &World, request: &[u8], answer: Result<&str, CallFailure>) -> Self {
        let mut session = Session { decisions: Decisions::new(MEMORY_BYTES_MIN), ..Session::default() };
        let answer = answer.map(wire);
        let mut effects = Table { answer: answer.as_deref().map_err(|failure| *failure), ..Table::default() };
        world.ask_with(request, &mut session, &mut effects);
        let found = session.decisions.find(Wanted::Last(2));
        assert_eq!(found.len(), 1, "each request leaves one record");
        let (summary, chunks) = read(&found[0]).expect("a record");
        let chunks = chunks.map(|chunk| (chunk.tag, text(chunk.bytes))).collect();
        Self { summary, chunks }
    }

    fn all(&self, tag: Tag) -> Vec<&str> {
        self.chunks.iter().filter(|(known, _)| *known == tag).map(|(_, text)| text.as_str()).collect()
    }

    fn one(&self, tag: Tag) -> &str {
        match self.all(tag)[..] {
            [] => "",
            [text] => text,
            ref several => panic!("{tag:?}: {several:?}"),
        }
    }
}

fn proxy() -> World {
    World::with(
        &operation(
            "post",
            "/pets/{id}",
            "type: http_proxy, httpMethod: POST, uri: 'http://${stageVariables.host}/{id}', requestParameters: \
             {integration.request.path.id: method.request.path.id, integration.request.header.X-Q: method.request.querystring.q}",
        ),
        &Setting { variables: &[("host", "origin.example"), ("unread", "x")], ..Setting::default() },
    )
}

#[test]
fn a_request_that_goes_well_leaves_heads_and_names_but_no_bodies_that_only_pass() {
    let kept = Kept::of(&proxy(), &request("POST /dev/pets/7?q=1", "", "hello"), Ok(OK));
    let Summary { status, integration_status, step, attempts, version, .. } = kept.summary;
    assert_eq!((status, integration_status, step, attempts, version), (200, 200, Step::MapResponse, 1, 1));
    let names = [Tag::ApiId, Tag::Stage, Tag::Deployment, Tag::Resource, Tag::Method, Tag::PathVariable];
    assert_eq!(names.map(|tag| kept.one(tag)), [world::API_ID, "dev", "deploy1234", "/pets/{id}", "POST", "id"]);
    assert_eq!(kept.one(Tag::Integration), "HTTP_PROXY");
    assert_eq!(kept.one(Tag::StageVariable), "host=origin.example");
    assert_eq!(kept.all(Tag::Mapping).len(), 2);
    assert!(kept.one(Tag::RequestHead).starts_with("POST /dev/pets/7?q=1 HTTP/1.1\n"));
    assert!(kept.one(Tag::CallHead).starts_with("POST /7?q=1 HTTP/1.1\n") && kept.one(Tag::CallHead).ends_with("\n\n"));
    assert!(kept.one(Tag::AnswerHead).starts_with("HTTP/1.1 200 OK\n"));
    assert!(kept.one(Tag::ResponseHead).starts_with("HTTP/1.1 200 OK\nDate: "));
    let bodies = [Tag::RequestBody, Tag::CallBody, Tag::AnswerBody, Tag::ResponseBody, Tag::ErrorType, Tag::Reason];
    assert_eq!(bodies.map(|tag| kept.all(tag).len()), [0; 6]);
}

#[test]
fn a_failure_leaves_bodies_and_its_reason() {
    let kept = Kept::of(&proxy(), &request("POST /pets/7", "", "hello"), Err(CallFailure::Timeout));
    assert_eq!((kept.summary.status, kept.summary.step), (504, Step::Call));
    assert_eq!((kept.one(Tag::ErrorType), kept.one(Tag::Failure)), ("INTEGRATION_TIMEOUT", "timeout"));
    assert_eq!(kept.one(Tag::RequestBody), "hello");
    assert_eq!(kept.one(Tag::ResponseBody), "{\"message\": \"Endpoint request timed out\"}");
    let kept = Kept::of(&proxy(), &request("POST /pets/7", "", "hello"), Ok("HTTP/1.1 500 x\nContent-Length: 0\n\n"));
    assert_eq!(kept.one(Tag::AnswerBody), "(passing)");
}

#[test]
fn a_request_that_ends_early_says_where() {
    let world = proxy();
    let ended = |target: &str, headers: &str| {
        let kept = Kept::of(&world, &request(&format!("GET {target}"), headers, ""), Ok(OK));
        assert!(kept.all(Tag::CallHead).is_empty() && kept.all(Tag::AnswerHead).is_empty(), "nobody was called");
        (kept.summary.status, kept.summary.step, kept.one(Tag::Stage).to_owned())
    };
    assert_eq!(ended("/none", ""), (403, Step::Route, "dev".into()));
    assert_eq!(ended("/restapis/zzz/dev/_user_request_/x", ""), (404, Step::Find, String::new()));
}

#[test]
fn templates_leave_what_they_made() {
    let world = World::of(&operation(
        "post",
        "/pets",
        "type: http, httpMethod: POST, uri: 'http://origin.example/', requestTemplates: {application/json: \
         'stage $context.stage'}, responses: {default: {statusCode: '200', responseTemplates: {application/json: 'made'}}}",
    ));
    let kept = Kept::of(&world, &request("POST /pets", "", "hello"), Ok(OK));
    assert_eq!((kept.one(Tag::CallBody), kept.one(Tag::ResponseBody)), ("stage dev", "made"));
    assert!(kept.one(Tag::CallHead).ends_with("\n\n") && kept.one(Tag::ResponseHead).ends_with("\n\n"));
}

#[test]
fn one_session_never_shows_what_the_request_before_left() {
    let world = proxy();
    let mut session = Session { decisions: Decisions::new(MEMORY_BYTES_MIN), ..Session::default() };
    let answer = wire(OK);
    for target in ["POST /pets/7", "GET /none"] {
        let mut effects = Table { answer: Ok(&answer), ..Table::default() };
        world.ask_with(&request(target, "", ""), &mut session, &mut effects);
    }
    let found = session.decisions.find(Wanted::Last(1));
    let tags: Vec<_> = read(&found[0]).expect("a record").1.map(|chunk| chunk.tag).collect();
    assert!(!tags.iter().any(|tag| matches!(tag, Tag::CallHead | Tag::AnswerHead | Tag::Captures)), "{tags:?}");
}
