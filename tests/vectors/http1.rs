//! HTTP/1.1 messages that part strict readers from lenient ones: each row is read, refused or guarded as it says.

#[path = "../fuzz/h1_chunked.rs"]
mod h1_chunked;
#[path = "../fuzz/h1_head.rs"]
mod h1_head;
mod mutation;
mod verdict;
mod wire;

use std::path::PathBuf;

use ringgate_core::proto::h1::Refusal;
use ringgate_core::proto::http::Method;
use serde_json::Value;

use mutation::{Random, check_requests, check_responses, is_same_reading, mutated};
use verdict::{Observed, Ruling, Served, latin1};
use wire::{End, Reading, read_requests, read_responses};

/// The rows of one file, or nothing, said aloud, where the data is not installed.
fn rows(file: &str) -> Vec<Value> {
    let root = std::env::var_os("RINGGATE_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    let path = root.join("http1").join(file);
    let Ok(text) = std::fs::read(&path) else {
        println!("http1/{file}: no data at {}", path.display());
        return Vec::new();
    };
    let rows: Vec<Value> = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(!rows.is_empty(), "{}: no rows", path.display());
    rows
}

fn bytes_of(row: &Value) -> Vec<u8> {
    latin1(row["bytes"].as_str().expect("a row has bytes"))
}

fn observed(reading: &Reading) -> Observed {
    let refused = match reading.end {
        End::Refused(refusal) | End::Cut(refusal) => Some(refusal.status()),
        End::Open | End::Closed => None,
    };
    let served = reading.messages.iter().map(|message| Served {
        method: message.start.0.clone(),
        target: message.start.1.clone(),
        fields: message.fields.clone(),
        body: message.body.clone(),
        is_open_ended: message.framing == ringgate_core::proto::h1::Framing::UntilClose,
    });
    Observed { served: served.collect(), refused, is_closed: reading.end == End::Closed }
}

/// `bytes` with a Host field in each head that is refused for want of one. Suites of mere parsers leave it out, and
/// their rows are about something else.
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

/// Counts rulings and prints what a reader of the log wants to know.
#[derive(Default)]
struct Tally {
    held: usize,
    excused: Vec<String>,
    skipped: Vec<String>,
    broken: Vec<String>,
}

impl Tally {
    fn add(&mut self, row: &Value, ruling: Ruling, reading: &Reading) {
        let name = row["name"].as_str().unwrap_or("a row without a name");
        match ruling {
            Ruling::Held => self.held += 1,
            Ruling::Excused(excuse) => self.excused.push(format!("{name}: {:?}: {excuse}", reading.end)),
            Ruling::Skipped => self.skipped.push(name.to_owned()),
            Ruling::Broken(what) => self.broken.push(format!("{name}: {:?}: {what}", reading.end)),
        }
    }

    fn conclude(self, file: &str, rows: usize) {
        if rows == 0 {
            return;
        }
        let Self { held, excused, skipped, broken } = self;
        println!(
            "http1/{file}: {rows} rows, {held} held, {} differ for a reason, {} skipped (relaxed modes), {} broken",
            excused.len(),
            skipped.len(),
            broken.len()
        );
        excused.iter().for_each(|line| println!("  differs: {line}"));
        skipped.iter().for_each(|line| println!("  skipped: {line}"));
        assert!(broken.is_empty(), "{} rows:\n{}", broken.len(), broken.join("\n"));
        assert!(held > 0, "no row held: is this the right file?");
    }
}

#[test]
fn messages_written_for_strictness_are_read_refused_or_guarded_as_they_say() {
    let (rows, mut tally) = (rows("strictness.json"), Tally::default());
    for row in &rows {
        let reading = read_requests(&bytes_of(row), &[]);
        tally.add(row, verdict::strictness(row, &observed(&reading)), &reading);
    }
    tally.conclude("strictness.json", rows.len());
}

#[test]
fn a_strict_parser_sees_the_same_messages_and_faults() {
    let (rows, mut tally) = (rows("llhttp.json"), Tally::default());
    for row in &rows {
        let (bytes, reading) = read_parser_row(row);
        let ruling = verdict::strict_parser(row, &observed(&reading), excuse(row, &bytes));
        tally.add(row, ruling, &reading);
    }
    tally.conclude("llhttp.json", rows.len());
}

/// What kind of bytes a row of the parser's suite holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Response,
    /// A target alone.
    Target,
}

fn kind(row: &Value) -> Kind {
    match row["meta"]["type"].as_str() {
        Some(kind) if kind.starts_with("response") => Kind::Response,
        Some(kind) if kind.starts_with("request") => Kind::Request,
        _ => Kind::Target,
    }
}

fn read_parser_row(row: &Value) -> (Vec<u8>, Reading) {
    let bytes = bytes_of(row);
    match kind(row) {
        Kind::Response => {
            let is_bodiless = row["meta"]["skipBody"].as_bool().unwrap_or(false);
            let reading = read_responses(&bytes, if is_bodiless { Method::Head } else { Method::Get }, &[]);
            (bytes, reading)
        }
        Kind::Request => {
            let bytes = with_hosts(bytes);
            let reading = read_requests(&bytes, &[]);
            (bytes, reading)
        }
        Kind::Target => {
            let bytes = [b"GET ", &bytes[..], b" HTTP/1.1\r\nHost: a.example\r\n\r\n"].concat();
            let reading = read_requests(&bytes, &[]);
            (bytes, reading)
        }
    }
}

/// That parser reads targets of any scheme, with user information and without a path, for any method.
fn excuse(row: &Value, bytes: &[u8]) -> Option<&'static str> {
    match kind(row) {
        Kind::Target => Some("a target that is no http or https URI without user information"),
        Kind::Request => verdict::request_excuse(bytes),
        Kind::Response => verdict::response_excuse(bytes),
    }
}

#[test]
fn nothing_is_read_that_another_server_refuses() {
    let (rows, mut tally) = (rows("gunicorn.json"), Tally::default());
    for row in &rows {
        // As it stands, and then without the excuse that it lacks a Host.
        let plain = read_requests(&bytes_of(row), &[]);
        let reading = read_requests(&with_hosts(bytes_of(row)), &[]);
        let ruling = match verdict::server(row, &observed(&plain)) {
            broken @ Ruling::Broken(_) => broken,
            _ => verdict::server(row, &observed(&reading)),
        };
        tally.add(row, ruling, &reading);
    }
    tally.conclude("gunicorn.json", rows.len());
}

const PLAIN: [&[u8]; 6] = [
    b"GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nX-Empty:\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\n\r\nhello world",
    b"POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
    b"OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET http://b.example?x HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 204\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\nHTTP/1.0 200 OK\r\n\r\nuntil close",
];

/// Plain messages and the rows of all suites, with the Host fields that the suites of mere parsers leave out.
fn corpus() -> Vec<Vec<u8>> {
    const LONGEST: usize = 4_096;
    let suites = ["strictness.json", "llhttp.json", "gunicorn.json"].into_iter().flat_map(rows);
    let all = PLAIN.iter().map(|it| it.to_vec()).chain(suites.map(|row| with_hosts(bytes_of(&row))));
    all.filter(|bytes| bytes.len() <= LONGEST).collect()
}

/// Calls `check` with edits of the whole corpus; a failure prints the seed and the bytes. HTTP1_EDITS=n edits each message
/// n times, for a longer search.
fn for_each_edit(edits: u64, mut check: impl FnMut(&[u8], &mut Random) -> Result<(), String>) {
    let edits = std::env::var("HTTP1_EDITS").ok().and_then(|edits| edits.parse().ok()).unwrap_or(edits);
    let corpus = corpus();
    for (index, bytes) in corpus.iter().enumerate() {
        for edit in 0..edits {
            let seed = (index as u64) << 32 | edit;
            let mut random = Random::new(seed);
            let other = &corpus[random.below(corpus.len())];
            let edited = mutated(bytes, other, &mut random);
            check(&edited, &mut random)
                .unwrap_or_else(|what| panic!("seed={seed:#x} {}\n{what}", edited.escape_ascii()));
        }
    }
}

#[test]
fn edited_messages_are_read_alike_by_us_and_by_those_behind_us() {
    let (mut edited, mut requests, mut responses) = (0, 0, 0);
    for_each_edit(150, |bytes, random| {
        edited += 1;
        requests += usize::from(check_requests(bytes, random)? > 0);
        responses += usize::from(check_responses(bytes, random)? > 0);
        Ok(())
    });
    println!("http1: {edited} edited messages, {requests} of them still requests, {responses} still responses");
    assert!(requests > 0 && responses > 0, "edits that leave nothing to read test nothing");
}

#[test]
fn the_fuzz_targets_hold_on_edited_messages() {
    for_each_edit(40, |bytes, random| {
        let piece = random.below(256) as u8;
        h1_head::target(&[&[piece], bytes].concat());
        let body = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
        h1_chunked::target(&[&[piece % 16], &bytes[body..]].concat());
        Ok(())
    });
}

#[test]
fn rows_read_the_same_however_they_are_cut() {
    for row in ["strictness.json", "llhttp.json", "gunicorn.json"].into_iter().flat_map(rows) {
        let bytes = bytes_of(&row);
        if bytes.len() > 700 {
            continue;
        }
        let whole = read_requests(&bytes, &[]);
        for cut in 0..=bytes.len() {
            let pieces = read_requests(&bytes, &[cut]);
            is_same_reading(&whole, &pieces).unwrap_or_else(|what| panic!("{} cut at {cut}: {what}", row["name"]));
        }
    }
}
