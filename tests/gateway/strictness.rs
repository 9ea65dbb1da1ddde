//! The published rows of messages that part strict readers from lenient ones, over sockets, on both sides; and seeded
//! edits of them.

#[path = "../vectors/http1/verdict.rs"]
mod verdict;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Client, Response};
use super::harness::{Gateway, document, each_driver, operation, serving};
use super::origin::{Connection, Origin, Request, ok};
use verdict::{Observed, Ruling, Served, latin1};

/// Clients at a time.
const WORKERS: usize = 8;

/// The rows of one file, or nothing, said aloud, where the data is not installed.
fn rows(file: &str) -> Vec<Value> {
    let root = std::env::var_os("RINGGATE_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    let path = root.join("http1").join(file);
    let Ok(text) = std::fs::read(&path) else {
        println!("http1/{file}: no data at {}", path.display());
        return Vec::new();
    };
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn bytes_of(row: &Value) -> Vec<u8> {
    latin1(row["bytes"].as_str().expect("a row has bytes"))
}

/// Does `work` on every row, several at a time; what was wrong.
fn on_each<T: Sync>(rows: &[T], work: impl Fn(usize, &T) -> Option<String> + Sync) -> Vec<String> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let broken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    let Some(row) = rows.get(index) else { return };
                    if let Some(what) = work(index, row) {
                        broken.lock().expect("no panic").push(what);
                    }
                }
            });
        }
    });
    broken.into_inner().expect("no panic")
}

/// An API whose routes, one for each row, pass everything on. The row's number is the first segment of the origin's
/// path, and the second is the target as it came.
fn gateway_for(driver: &'static str, port: u16) -> Gateway {
    let integration = |uri: String, greedy: bool| {
        let mut integration = json!({"type": "http_proxy", "httpMethod": "ANY", "uri": uri});
        if greedy {
            integration["requestParameters"] = json!({"integration.request.path.proxy": "method.request.path.proxy"});
        }
        integration
    };
    let to = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let paths = json!({
        "/": {"x-amazon-apigateway-any-method": operation("/", &integration(to("/"), false))},
        "/{proxy+}": {"x-amazon-apigateway-any-method": operation("/{proxy+}", &integration(to("/{proxy}"), true))},
    });
    serving(&document(&paths)).on(driver).start()
}

/// What one connection came to: every response, and whether the gateway closed it before we did.
struct Seen {
    responses: Vec<Response>,
    broken: Option<String>,
}

/// Sends `bytes`, says that no more will come, and reads every answer.
fn exchange(port: u16, bytes: &[u8]) -> Seen {
    let mut client = Client::connect(port);
    let _ = client.try_send(bytes);
    client.half_close();
    let is_head = bytes.starts_with(b"HEAD ");
    let mut responses = Vec::new();
    loop {
        match client.try_response(is_head) {
            Ok(response) => responses.push(response),
            Err(why) if why.starts_with("the end after \"\"") || why.contains("reset") => return Seen { responses, broken: None },
            Err(why) => return Seen { responses, broken: Some(why) },
        }
    }
}

/// What the origin got of one connection, by the marks that the requests carry.
#[derive(Clone, Default)]
struct Marked(Arc<Mutex<HashMap<String, Vec<Request>>>>);

/// A field that marks whose request this is. It comes first, so that faults behind it stay what they are.
const MARK: &str = "X-Row";

impl Marked {
    fn origin(&self) -> Origin {
        let this = self.clone();
        Origin::start(move |connection| {
            while let Some(request) = connection.request() {
                let mark = request.fields(MARK).first().map_or_else(String::new, |mark| (*mark).to_owned());
                this.0.lock().expect("no panic").entry(mark).or_default().push(request.clone());
                let answer = if request.method == "HEAD" { b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec() } else { ok("") };
                if !connection.send(&answer) {
                    return;
                }
            }
        })
    }

    fn of(&self, mark: &str) -> Vec<Request> {
        self.0.lock().expect("no panic").get(mark).cloned().unwrap_or_default()
    }
}

/// `bytes` with the mark behind the first start line, where there is one that a field can follow.
fn marked(bytes: &[u8], mark: &str) -> Vec<u8> {
    let start = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let Some(end) = bytes[start..].windows(2).position(|pair| pair == b"\r\n") else { return bytes.to_vec() };
    let at = start + end + 2;
    let mut bytes = bytes.to_vec();
    let line = format!("{MARK}: {mark}\r\n");
    // A line that continues the start line must go on doing so.
    if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
        bytes.splice(at..at, line.into_bytes());
    }
    bytes
}

/// Holds a connection against what was sent: as many answers as requests that arrived, then at most one refusal.
fn observed(seen: &Seen, arrived: &[Request]) -> Observed {
    let refused = seen.responses.last().map(|last| last.status).filter(|status| *status >= 400 && *status != 403);
    let served = arrived.iter().map(|request| Served {
        method: request.method.clone().into_bytes(),
        target: request.target.clone().into_bytes(),
        fields: request.fields.iter().map(|(name, value)| (latin1(name), latin1(value))).collect(),
        body: request.body.clone(),
        is_open_ended: false,
    });
    let is_closed = seen.responses.last().is_some_and(Response::closes);
    Observed { served: served.collect(), refused, is_closed }
}

#[test]
fn rows_of_strictness_hold_over_sockets() {
    each_driver(|driver| {
        let marks = Marked::default();
        let origin = marks.origin();
        let gateway = gateway_for(driver, origin.port);
        let rows = rows("strictness.json");
        let broken = on_each(&rows, |index, row| {
            let mark = format!("s{index}");
            let seen = exchange(gateway.port, &marked(&bytes_of(row), &mark));
            check_strictness(row, &seen, &marks.of(&mark)).err()
        });
        assert!(broken.is_empty(), "{} rows:\n{}", broken.len(), broken.join("\n"));
        assert_eq!(gateway.get("/still-there").status, 200);
    });
}

fn check_strictness(row: &Value, seen: &Seen, arrived: &[Request]) -> Result<(), String> {
    let name = row["name"].as_str().unwrap_or_default();
    let statuses: Vec<_> = seen.responses.iter().map(|response| response.status).collect();
    let context = format!("{name}: {statuses:?}, {} arrived", arrived.len());
    if let Some(why) = &seen.broken {
        return Err(format!("{context}: a broken answer: {why}"));
    }
    let was_refused = statuses.last().is_some_and(|status| matches!(status, 400 | 405 | 408 | 411 | 413 | 414 | 417 | 431 | 501 | 505));
    match row["verdict"].as_str() {
        Some("reject") if !was_refused => return Err(format!("{context}: not refused")),
        Some("reject") if !arrived.is_empty() => return Err(format!("{context}: its fault reached the origin: {arrived:?}")),
        Some("accept") if statuses.first().is_none_or(|status| *status != 200 && *status != 403) => {
            return Err(format!("{context}: not served"));
        }
        _ => {}
    }
    if was_refused && !seen.responses.last().is_some_and(Response::closes) {
        return Err(format!("{context}: refused, but the connection goes on"));
    }
    // A row whose target has no route, or whose mark found no place, says less.
    if arrived.is_empty() {
        return Ok(());
    }
    match verdict::strictness(row, &first_only(row, observed(seen, arrived))) {
        Ruling::Broken(what) => Err(format!("{context}: {what}")),
        _ => Ok(()),
    }
}

/// Only a row's first request carries its mark, so rows about several are held by their first.
fn first_only(row: &Value, mut observed: Observed) -> Observed {
    let requests = row["requests"].as_u64().unwrap_or(1);
    if let Some(first) = observed.served.first().cloned() {
        observed.served = vec![first; usize::try_from(requests).unwrap_or(1).max(1)];
    }
    observed
}

/// Sends what a connection asks for by number, and then closes.
fn answering_rows(answers: Vec<Vec<u8>>) -> Origin {
    let serve = move |connection: &mut Connection| {
        while let Some(request) = connection.request() {
            let index = request.target.trim_start_matches('/').parse::<usize>().ok();
            let Some(answer) = index.and_then(|index| answers.get(index)) else {
                if !connection.send(&ok("plain")) {
                    return;
                }
                continue;
            };
            connection.send(answer);
            return;
        }
    };
    Origin::start(serve)
}

#[test]
fn rows_of_responses_are_passed_on_valid_or_answered_504() {
    each_driver(|driver| {
        let rows: Vec<_> = rows("llhttp.json")
            .into_iter()
            .filter(|row| row["meta"]["type"].as_str().is_some_and(|kind| kind.starts_with("response")))
            .collect();
        let origin = answering_rows(rows.iter().map(bytes_of).collect());
        let gateway = gateway_for(driver, origin.port);
        let broken = on_each(&rows, |index, row| check_response_row(&gateway, index, row).err());
        assert!(broken.is_empty(), "{} rows:\n{}", broken.len(), broken.join("\n"));
    });
}

fn check_response_row(gateway: &Gateway, index: usize, row: &Value) -> Result<(), String> {
    let name = row["name"].as_str().unwrap_or_default();
    let mut client = gateway.connect();
    client.send(format!("GET /{index} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
    let first = match client.try_response(false) {
        Ok(first) => first,
        // Cut off after its head was passed on: the client sees that it is not whole.
        Err(_) => return Ok(()),
    };
    let is_fault = row["error"]["code"].as_u64().is_some_and(|code| !matches!(code, 5 | 22));
    let is_whole_fault = is_fault && row["messages"].as_u64() == Some(0) && !verdict::is_lenient(row);
    if is_whole_fault && first.status != 504 {
        return Err(format!("{name}: a faulty answer was passed on: {first:?}"));
    }
    let network = "{\"message\": \"Network error communicating with endpoint\"}";
    if first.status == 504 && first.text() != network {
        return Err(format!("{name}: {first:?}"));
    }
    if first.closes() {
        return if client.is_at_end() { Ok(()) } else { Err(format!("{name}: bytes after the end")) };
    }
    // The connection is kept: what comes next must be the next answer and nothing else.
    client.send(b"GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n");
    match client.try_response(false) {
        Ok(next) if next.text() == "plain" => Ok(()),
        other => Err(format!("{name}: {first:?}, then out of step: {other:?}")),
    }
}

/// A generator with a state of 64 bits (splitmix64): a failure is its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { usize::try_from(self.next() % bound as u64).unwrap_or(0) }
    }
}

const PIECES: [&str; 20] = [
    "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", "\0", ",", "0\r\n\r\n", "5\r\nhello\r\n", "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n", "Host: b.example\r\n", "Connection: close\r\n", "\r\n ", "HTTP/1.0", "\u{7f}",
    "Transfer-Encoding: identity\r\n", "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n",
];

const MESSAGES: [&str; 5] = [
    "GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nX-Empty:\r\n\r\nGET /second HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\n\r\nhello world",
    "POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
    "PUT /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhiGET /y HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
];

fn edited(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes = MESSAGES[random.below(MESSAGES.len())].as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let until = (at + random.below(12)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..until)),
            2 => {
                let piece = bytes[at..until].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => bytes.truncate(at),
            _ => {
                let piece = PIECES[random.below(PIECES.len())].as_bytes().to_vec();
                bytes.splice(at..until.min(at + random.below(3)), piece);
            }
        }
    }
    bytes
}

/// RINGGATE_EDITS=n for a longer search.
#[test]
fn edited_messages_are_answered_or_refused_and_smuggle_nothing() {
    let edits = std::env::var("RINGGATE_EDITS").ok().and_then(|edits| edits.parse().ok()).unwrap_or(400);
    each_driver(|driver| {
        let marks = Marked::default();
        let origin = marks.origin();
        let mut gateway = gateway_for(driver, origin.port);
        let seeds: Vec<u64> = (0..edits).collect();
        let broken = on_each(&seeds, |_, seed| check_edit(&gateway, &origin, *seed).err());
        assert!(broken.is_empty(), "{}:\n{}", broken.len(), broken.join("\n"));
        assert!(gateway.is_alive());
        assert_eq!(gateway.get("/still-there").status, 200);
        // Nobody's request came twice, and no request came that nobody was answered for.
        let accepted = gateway.metric("ringgate_requests_total{class=\"2xx\"}") + gateway.metric("ringgate_requests_total{class=\"4xx\"}");
        assert!(origin.request_count() as u64 <= accepted, "{} requests for {accepted} answers", origin.request_count());
    });
}

fn check_edit(gateway: &Gateway, origin: &Origin, seed: u64) -> Result<(), String> {
    let bytes = edited(seed);
    let context = || format!("seed={seed} {}", bytes.escape_ascii());
    let seen = exchange(gateway.port, &bytes);
    if let Some(why) = seen.broken {
        // A request edited into HEAD is answered without a body, which this reader does not know.
        if !bytes.windows(4).any(|text| text == b"HEAD") {
            return Err(format!("{}\n{why}", context()));
        }
    }
    let refusals = seen.responses.iter().filter(|response| matches!(response.status, 400 | 408 | 413..=417 | 431 | 501 | 505)).count();
    let is_last = seen.responses.last().is_none_or(|last| refusals == 0 || (refusals == 1 && last.status >= 400 && last.closes()));
    let _ = origin;
    if is_last { Ok(()) } else { Err(format!("{}\n{:?}", context(), seen.responses)) }
}

#[test]
fn a_body_that_holds_a_request_stays_a_body() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("fine"));
        let gateway = gateway_for(driver, origin.port);
        let inner = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";
        let by_length = format!("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n{inner}", inner.len());
        let by_chunks = format!("POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
        for request in [by_length, by_chunks] {
            let mut client = gateway.connect();
            let (head, tail) = request.split_at(request.len() - 20);
            client.send(head.as_bytes());
            std::thread::sleep(Duration::from_millis(5));
            client.send(tail.as_bytes());
            assert_eq!(client.response().text(), "fine");
            client.half_close();
            assert!(client.is_at_end(), "one request, one answer");
        }
        assert_eq!(origin.requests().iter().map(|request| request.target.as_str()).collect::<Vec<_>>(), ["/x", "/x"]);
    });
}
