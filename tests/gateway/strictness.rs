//! The published rows of messages that part strict readers from lenient ones, over sockets, on both sides; and seeded
//! edits of them.

#[allow(dead_code, reason = "the rules for responses are the machines' own")]
#[path = "../vectors/http1/verdict.rs"]
mod verdict;
#[allow(dead_code, reason = "only requests are read here")]
#[path = "../vectors/http1/wire.rs"]
mod wire;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ringgate_core::proto::h1::Refusal;
use serde_json::Value;

use super::client::{Client, Response};
use super::harness::{Gateway, each_driver, proxy_all, serving};
use super::origin::{Connection, Origin, Request, ok};
use verdict::{Observed, Ruling, Served, latin1};
use wire::{End, read_requests};

/// Gateways at a time.
const WORKERS: usize = 4;

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

/// One gateway before one origin, for one worker: what arrives between two rows belongs to the row.
struct Bench {
    gateway: Gateway,
    origin: Origin,
}

/// Does `work` on every row, on several benches at a time; what was wrong.
fn on_each<T: Sync>(
    rows: &[T],
    bench: impl Fn() -> Bench + Sync,
    work: impl Fn(&mut Bench, usize, &T) -> Option<String> + Sync,
) {
    let next = AtomicUsize::new(0);
    let broken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut bench = bench();
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(row) = rows.get(index) else { break };
                    if let Some(what) = work(&mut bench, index, row) {
                        broken.lock().expect("no panic").push(what);
                    }
                }
                assert!(bench.gateway.is_alive());
                assert_eq!(bench.gateway.get("/still-there").status, 200);
            });
        }
    });
    let broken = broken.into_inner().expect("no panic");
    assert!(broken.is_empty(), "{} of {}:\n{}", broken.len(), rows.len(), broken.join("\n"));
}

fn bench(driver: &'static str, origin: Origin) -> Bench {
    Bench { gateway: serving(&proxy_all(origin.port)).on(driver).start(), origin }
}

/// What one connection came to.
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
            Err(why) if why.starts_with("the end after \"\"") || why.contains("reset") => {
                return Seen { responses, broken: None };
            }
            Err(why) => return Seen { responses, broken: Some(why) },
        }
    }
}

/// An origin that takes everything.
fn taking() -> Origin {
    Origin::start(|connection| {
        while let Some(request) = connection.request() {
            let body =
                if request.method == "HEAD" { "Content-Length: 0\r\n\r\n" } else { "Content-Length: 2\r\n\r\nok" };
            if !connection.send(format!("HTTP/1.1 200 OK\r\n{body}").as_bytes()) {
                return;
            }
        }
    })
}

/// Statuses with which the gateway refuses a message that it does not read.
const REFUSING: [u16; 9] = [400, 408, 413, 414, 417, 431, 501, 503, 505];

/// Sends `bytes` on a connection of their own; what became of them on both sides.
fn observe(bench: &Bench, bytes: &[u8]) -> Result<Observed, String> {
    let before = bench.origin.request_count();
    let seen = exchange(bench.gateway.port, bytes);
    let arrived = bench.origin.requests().split_off(before);
    let statuses: Vec<_> = seen.responses.iter().map(|response| response.status).collect();
    if let Some(why) = seen.broken {
        return Err(format!("{statuses:?}, then a broken answer: {why}"));
    }
    let refused = statuses.last().copied().filter(|status| REFUSING.contains(status));
    let answered = statuses.iter().filter(|status| !REFUSING.contains(status)).count();
    if answered + usize::from(refused.is_some()) != statuses.len() {
        return Err(format!("{statuses:?}: it went on after a refusal"));
    }
    if refused.is_some() && !seen.responses.last().is_some_and(Response::closes) {
        return Err(format!("{statuses:?}: refused, but not closed"));
    }
    // Answered here: OPTIONS * and the like, which have no route.
    let routed = statuses.iter().filter(|status| **status == 200).count();
    if arrived.len() != routed {
        return Err(format!("{statuses:?}, and {} reached the origin: {arrived:?}", arrived.len()));
    }
    let mut served: Vec<_> = arrived.into_iter().map(served).collect();
    served.resize_with(answered, Served::default);
    Ok(Observed { served, refused, is_closed: seen.responses.last().is_some_and(Response::closes) })
}

fn served(request: Request) -> Served {
    Served {
        method: request.method.into_bytes(),
        target: request.target.into_bytes(),
        fields: request.fields.iter().map(|(name, value)| (latin1(name), latin1(value))).collect(),
        body: request.body,
        is_open_ended: false,
    }
}

fn hold(row: &Value, observed: Result<Observed, String>, rule: impl Fn(&Observed) -> Ruling) -> Option<String> {
    let name = row["name"].as_str().unwrap_or_default();
    match observed.map(|observed| rule(&observed)) {
        Ok(Ruling::Broken(what)) | Err(what) => Some(format!("{name}: {what}")),
        Ok(_) => None,
    }
}

#[test]
fn rows_of_strictness_hold_over_sockets() {
    let rows = rows("strictness.json");
    each_driver(|driver| {
        on_each(
            &rows,
            || bench(driver, taking()),
            |bench, _, row| hold(row, observe(bench, &bytes_of(row)), |observed| verdict::strictness(row, observed)),
        );
    });
}

#[test]
fn rows_of_a_strict_parser_hold_over_sockets() {
    let rows: Vec<_> = rows("llhttp.json").into_iter().filter(|row| is_kind(row, "request")).collect();
    each_driver(|driver| {
        on_each(
            &rows,
            || bench(driver, taking()),
            |bench, _, row| {
                let bytes = with_hosts(bytes_of(row));
                let excuse = verdict::request_excuse(&bytes);
                hold(row, observe(bench, &bytes), |observed| verdict::strict_parser(row, observed, excuse))
            },
        );
    });
}

fn is_kind(row: &Value, kind: &str) -> bool {
    row["meta"]["type"].as_str().is_some_and(|it| it.starts_with(kind))
}

/// `bytes` with a Host field in each head that is refused for want of one: suites of mere parsers leave it out.
fn with_hosts(mut bytes: Vec<u8>) -> Vec<u8> {
    loop {
        let reading = read_requests(&bytes, &[]);
        if reading.end != End::Refused(Refusal::MissingHost) {
            return bytes;
        }
        let head = &bytes[reading.stopped_at..];
        let empty_lines = head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line_end = head[empty_lines..].iter().position(|&byte| byte == b'\n').expect("a head was read");
        let at = reading.stopped_at + empty_lines + line_end + 1;
        bytes.splice(at..at, b"Host: a.example\r\n".iter().copied());
    }
}

#[test]
fn nothing_reaches_an_origin_that_another_server_refuses() {
    let rows = rows("gunicorn.json");
    each_driver(|driver| {
        on_each(
            &rows,
            || bench(driver, taking()),
            |bench, _, row| {
                let observed = observe(bench, &with_hosts(bytes_of(row)));
                // The origin gets our own framing and headers, so only the number of requests is held against the row.
                hold(row, observed, |observed| match row["verdict"].as_str() {
                    Some("accept") => {
                        let expected = row["requests"].as_array().map_or(0, Vec::len);
                        let same = observed.served.len() == expected || observed.refused.is_some();
                        if same && observed.served.len() <= expected {
                            Ruling::Held
                        } else {
                            Ruling::Broken(observed.to_string())
                        }
                    }
                    _ => verdict::server(row, observed),
                })
            },
        );
    });
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
    let rows: Vec<_> = rows("llhttp.json").into_iter().filter(|row| is_kind(row, "response")).collect();
    let answers: Vec<_> = rows.iter().map(bytes_of).collect();
    each_driver(|driver| {
        let bench = || bench(driver, answering_rows(answers.clone()));
        on_each(&rows, bench, |bench, index, row| check_response_row(&bench.gateway, index, row).err());
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
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    "\0",
    ",",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Host: b.example\r\n",
    "Connection: close\r\n",
    "\r\n ",
    "HTTP/1.0",
    "\u{7f}",
    "Transfer-Encoding: identity\r\n",
    "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n",
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
    let seeds: Vec<u64> = (0..edits).collect();
    each_driver(|driver| {
        on_each(
            &seeds,
            || bench(driver, taking()),
            |bench, _, seed| {
                let bytes = edited(*seed);
                // A request edited into HEAD is answered without a body, which this reader does not know.
                if bytes.windows(4).any(|text| text == b"HEAD") {
                    return None;
                }
                observe(bench, &bytes).err().map(|what| format!("seed={seed} {}\n{what}", bytes.escape_ascii()))
            },
        );
    });
}

#[test]
fn a_body_that_holds_a_request_stays_a_body() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("fine"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let inner = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";
        let by_length =
            format!("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n{inner}", inner.len());
        let by_chunks = format!(
            "POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{inner}\r\n0\r\n\r\n",
            inner.len()
        );
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
