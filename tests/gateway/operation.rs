//! Running it: edits, signals, logs, metrics, the admin side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::client::{Client, message};
use super::harness::{document, each_driver, eventually, mock, proxy_all, routes, serving};
use super::load::Load;
use super::origin::{Origin, ok};

fn one(text: &str) -> Value {
    document(&routes(&[("/x", "get", mock(text))]))
}

/// Replaces a file in one step, as editors do.
fn replace(path: &std::path::Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).expect("a temporary file");
    std::fs::rename(&next, path).expect("the same folder");
}

#[test]
fn an_edit_is_served_without_losing_a_request() {
    each_driver(|driver| {
        let gateway = serving(&one("before")).on(driver).start();
        let load = Load::start(gateway.port, 3, "GET");
        load.wait_for(50);
        replace(&gateway.file, &one("after").to_string());
        eventually("the new version", || (gateway.get("/x").text() == "after").then_some(()));
        gateway.err.wait_for("has changed: 1 routes are being served", 0);
        load.wait_for(50);
        let seen = load.finish();
        let texts: Vec<_> = seen.into_iter().map(|seen| seen.expect("no request is lost").brief()).collect();
        assert!(
            texts.iter().all(|seen| *seen == message(200, "before") || *seen == message(200, "after")),
            "{texts:?}"
        );
        assert!(texts.contains(&message(200, "before")) && texts.contains(&message(200, "after")));
    });
}

#[test]
fn a_broken_edit_keeps_the_version_before_and_says_why() {
    let gateway = serving(&one("before")).start();
    for broken in
        ["{\"openapi\": \"3.0.1\", \"paths\": [", "", "openapi: 3.0.1\npaths:\n  /x: [\n", "[1, 2]", "\u{0}\u{1}"]
    {
        let printed = gateway.err.text().len();
        replace(&gateway.file, broken);
        gateway.err.wait_for("the version before goes on being served", printed);
        assert_eq!(gateway.get("/x").text(), "before");
    }
    let printed = gateway.err.text().len();
    std::fs::remove_file(&gateway.file).expect("it is there");
    assert_eq!(gateway.get("/x").text(), "before");
    replace(&gateway.file, &one("after").to_string());
    gateway.err.wait_for("has changed", printed);
    eventually("the new version", || (gateway.get("/x").text() == "after").then_some(()));
}

#[test]
fn an_edit_may_name_new_origins_and_routes() {
    each_driver(|driver| {
        let (first, second) = (Origin::answering(ok("first")), Origin::answering(ok("second")));
        let gateway = serving(&proxy_all(first.port)).on(driver).start();
        let mut client = gateway.connect();
        client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
        assert_eq!(client.response().text(), "first");
        replace(&gateway.file, &proxy_all(second.port).to_string());
        gateway.err.wait_for("has changed", 0);
        eventually("the new origin", || {
            client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
            (client.response().text() == "second").then_some(())
        });
    });
}

#[test]
fn a_termination_under_load_loses_no_request() {
    each_driver(|driver| {
        for signal in [Signal::TERM, Signal::INT] {
            let origin = Origin::start(|connection| {
                while connection.request().is_some() {
                    std::thread::sleep(Duration::from_millis(3));
                    connection.send(&ok("fine"));
                }
            });
            let mut gateway = serving(&proxy_all(origin.port)).on(driver).start();
            let load = Load::until_refused(gateway.port, 6);
            load.wait_for(100);
            gateway.signal(signal);
            let status = gateway.wait();
            assert_eq!(status.code(), Some(0), "{}", gateway.err.text());
            let seen = load.finish();
            let lost: Vec<_> = seen
                .iter()
                .filter(|seen| !seen.as_ref().is_ok_and(|seen| seen.brief() == message(200, "fine")))
                .collect();
            assert!(lost.is_empty(), "{} of {}: {lost:?}", lost.len(), seen.len());
            let closing = seen.iter().flatten().filter(|seen| seen.closes()).count();
            assert!(closing >= 6, "each connection is told: {closing}");
        }
    });
}

#[test]
fn a_drain_waits_for_a_request_under_way_and_closes_what_is_idle() {
    each_driver(|driver| {
        let release = Arc::new(AtomicBool::new(false));
        let released = release.clone();
        let origin = Origin::start(move |connection| {
            connection.request();
            eventually("the release", || released.load(Ordering::SeqCst).then_some(()));
            connection.send(&ok("in the end"));
        });
        let mut gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let (mut busy, mut silent) = (gateway.connect(), gateway.connect());
        busy.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
        eventually("the origin is asked", || (origin.request_count() == 1).then_some(()));
        gateway.signal(Signal::TERM);
        assert!(silent.is_at_end(), "idle connections are closed");
        assert!(gateway.is_alive());
        release.store(true, Ordering::SeqCst);
        let seen = busy.response();
        assert_eq!((seen.brief(), seen.closes()), (message(200, "in the end"), true));
        assert_eq!(gateway.wait().code(), Some(0));
    });
}

#[test]
fn a_drain_does_not_wait_longer_than_told() {
    let origin = Origin::start(|connection| {
        connection.request();
        connection.wait_for_end();
    });
    let mut gateway = serving(&proxy_all(origin.port)).flags(["--drain-timeout=200ms"]).start();
    let mut client = gateway.connect();
    client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
    eventually("the origin is asked", || (origin.request_count() == 1).then_some(()));
    gateway.signal(Signal::TERM);
    let started = std::time::Instant::now();
    assert_eq!(gateway.wait().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

fn lines_of(path: &std::path::Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn the_access_log_is_json_with_the_names_of_aws() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("hello"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).file_flag("--log=", "access.log").start();
        let seen = gateway.call("GET /x?q=1 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: quo\"te\\\r\n\r\n");
        gateway.call("PATCH /nope\" HTTP/1.1\r\nHost: a.example\r\n\r\n");
        let path = gateway.folder.file("access.log");
        let lines = eventually("two lines", || Some(lines_of(&path)).filter(|lines| lines.len() >= 2));
        let first: Value = serde_json::from_str(&lines[0]).unwrap_or_else(|error| panic!("{error}: {}", lines[0]));
        let names: Vec<_> = first.as_object().expect("an object").keys().cloned().collect();
        for (name, value) in [
            ("requestId", json!(seen.field("x-amzn-requestid"))),
            ("httpMethod", json!("GET")),
            ("resourcePath", json!("/{proxy+}")),
            ("stage", json!("dev")),
        ] {
            assert_eq!(first[name], value, "{name} of {names:?}");
        }
        assert_eq!(first["status"].to_string().trim_matches('"'), "200");
        assert_eq!(first["responseLength"].to_string().trim_matches('"'), "5");
        for line in &lines {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    });
}

#[test]
fn a_log_format_is_obeyed_and_cannot_be_broken_by_a_client() {
    let format = "--log-format=$context.requestId $context.httpMethod $context.path $context.status $context.identity.userAgent $context.error.responseType $context.endpointType";
    let gateway = serving(&one("x")).flags([format, "--log=-"]).start();
    let id = "x-amzn-RequestId: 01234567-89ab-cdef-0123-456789abcdef";
    gateway.call(&format!("GET /x HTTP/1.1\r\nHost: a.example\r\nUser-Agent: me\r\n{id}\r\n\r\n"));
    gateway.call("GET /nope HTTP/1.1\r\nHost: a.example\r\nx-amzn-RequestId: mine\r\n\r\n");
    gateway.out.wait_for("01234567-89ab-cdef-0123-456789abcdef GET /dev/x 200 me - EDGE\n", 0);
    gateway.out.wait_for("UUID_REPLACED_INVALID_REQUEST_ID GET /dev/nope 403 - MISSING_AUTHENTICATION_TOKEN EDGE\n", 0);
}

#[test]
fn a_hangup_reopens_the_log() {
    let gateway = serving(&one("x")).file_flag("--log=", "access.log").start();
    let (path, moved) = (gateway.folder.file("access.log"), gateway.folder.file("moved.log"));
    gateway.get("/x");
    eventually("a line", || (lines_of(&path).len() == 1).then_some(()));
    std::fs::rename(&path, &moved).expect("the same folder");
    gateway.signal(Signal::HUP);
    eventually("the new file", || path.exists().then_some(()));
    gateway.get("/x");
    eventually("a line in the new file", || (lines_of(&path).len() == 1).then_some(()));
    assert_eq!(lines_of(&moved).len(), 1);
}

#[test]
fn no_line_of_the_log_is_lost_at_the_end() {
    let mut gateway = serving(&one("x")).file_flag("--log=", "access.log").start();
    let mut client = gateway.connect();
    for _ in 0..500 {
        client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
        client.response();
    }
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().code(), Some(0));
    assert_eq!(lines_of(&gateway.folder.file("access.log")).len(), 500);
}

#[test]
fn the_metrics_page_is_prometheus_text_and_counts_refusals_by_reason() {
    each_driver(|driver| {
        let gateway = serving(&one("x")).on(driver).start();
        gateway.get("/x");
        gateway.call("GET /x HTTP/1.1\r\nHost: a.example\r\nX : y\r\n\r\n");
        gateway.call("GET /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
        for reason in ["space_before_colon", "content_length_with_transfer_encoding"] {
            gateway.wait_for_metric(&format!("ringgate_refused_messages_total{{reason=\"{reason}\"}}"), 1);
        }
        assert_eq!(gateway.metric("ringgate_requests_total{class=\"4xx\"}"), 2);
        let page = gateway.admin("/metrics");
        assert!(page.field("content-type").is_some_and(|kind| kind.starts_with("text/plain; version=0.0.4")));
        assert_is_exposition(&page.text());
        assert!(page.text().contains(if driver == "epoll" { "driver=\"epoll\"" } else { "driver=\"" }));
    });
}

/// Every sample belongs to a family that was announced, once, and has a value.
fn assert_is_exposition(page: &str) {
    let mut families: Vec<&str> = Vec::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a kind");
            assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
            assert!(!families.contains(&name), "{name} twice");
            families.push(name);
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
            value.parse::<f64>().unwrap_or_else(|_| panic!("no number: {line}"));
            let name = series.split('{').next().unwrap_or_default();
            let family = families.last().expect("a family first");
            let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} under {family}"));
            assert!(matches!(suffix, "" | "_bucket" | "_sum" | "_count"), "{line}");
        }
    }
    assert!(families.len() > 10, "{families:?}");
}

#[test]
fn the_admin_side_answers_to_its_own_names_only() {
    let gateway = serving(&one("x")).flags(["--admin-name=gateway.test"]).start();
    let call = |path: &str, lines: &str| {
        let mut client = Client::connect(gateway.admin);
        client.send(format!("GET {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n").as_bytes());
        client.rest()
    };
    let status =
        |path: &str, lines: &str| String::from_utf8_lossy(&call(path, lines)).split(' ').nth(1).map(str::to_owned);
    let rows = [
        ("/restapis", "Host: localhost\r\n", "200"),
        ("/restapis", "Host: gateway.test:1\r\n", "200"),
        ("/restapis", "Host: evil.example\r\n", "403"),
        ("/restapis", "Host: localhost\r\nOrigin: http://evil.example\r\n", "403"),
        ("/restapis", "Host: localhost\r\nOrigin: null\r\n", "403"),
        ("/restapis", "Host: localhost\r\nOrigin: http://127.0.0.1\r\n", "200"),
        ("/healthz", "Host: evil.example\r\n", "200"),
        ("/metrics", "Host: evil.example\r\n", "200"),
    ];
    for (path, lines, expected) in rows {
        assert_eq!(status(path, lines).as_deref(), Some(expected), "{path} {lines}");
    }
    assert_eq!(gateway.admin("/healthz").brief(), message(200, "ok\n"));
    // The two sides never mix.
    assert_eq!(gateway.get("/metrics").status, 403);
}

#[test]
fn metrics_may_have_a_port_of_their_own() {
    let gateway = serving(&one("x")).flags(["--metrics=127.0.0.1:0"]).start();
    let text = gateway.err.text();
    let port = super::harness::between(&text, "metrics http://127.0.0.1:", "/").and_then(|port| port.parse().ok());
    let mut client = Client::connect(port.expect("the banner names it"));
    client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(client.response().status, 200);
    assert_eq!(gateway.admin("/metrics").status, 404);
}

#[test]
fn a_line_of_the_log_is_json_whatever_bytes_a_client_sends() {
    let gateway = serving(&one("x")).file_flag("--log=", "access.log").start();
    let mut client = gateway.connect();
    client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\nUser-Agent: \xff\xfe\"\\\t\xc3\xa9\r\n\r\n");
    assert_eq!(client.response().status, 200);
    client.send(b"GET /x?%ff=\"{}&a=%22 HTTP/1.1\r\nHost: \"\r\n\r\n");
    let _ = client.try_response(false);
    let path = gateway.folder.file("access.log");
    let bytes = eventually("a line", || std::fs::read(&path).ok().filter(|bytes| bytes.ends_with(b"\n")));
    for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        serde_json::from_slice::<Value>(line).unwrap_or_else(|error| panic!("{error}: {}", line.escape_ascii()));
    }
}
