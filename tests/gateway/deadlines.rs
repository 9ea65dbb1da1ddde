//! Who is too slow is let go, in time, and alone.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::message;
use super::harness::{Gateway, document, each_driver, eventually, mock, operation, proxy_all, routes, serving};
use super::origin::{Origin, ok};

/// How late something may be on a machine that does much else.
const TOLERANCE: Duration = Duration::from_millis(1500);

/// Runs `act` and says how long it took; meanwhile another client must be served.
fn timed<T>(gateway: &Gateway, act: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    assert_eq!(gateway.get("/mock").text(), "mocked", "nobody else suffers");
    let result = act();
    let taken = started.elapsed();
    assert_eq!(gateway.get("/mock").text(), "mocked", "nobody else suffers");
    (result, taken)
}

fn assert_about(taken: Duration, expected_ms: u64) {
    let expected = Duration::from_millis(expected_ms);
    let early = expected.saturating_sub(Duration::from_millis(60));
    assert!(taken >= early && taken < expected + TOLERANCE, "{taken:?} instead of {expected:?}");
}

fn gateway(driver: &'static str, port: u16, flag: &str) -> Gateway {
    let mut document = proxy_all(port);
    document["paths"]["/mock"] = json!({"x-amazon-apigateway-any-method": operation("/mock", &mock("mocked"))});
    serving(&document).on(driver).flags([flag]).start()
}

#[test]
fn a_head_that_does_not_end_in_time_is_answered_408() {
    each_driver(|driver| {
        let gateway = gateway(driver, 1, "--head-timeout=300ms");
        let mut client = gateway.connect();
        client.send(b"GET /mock HTTP/1.1\r\nHost: a.example\r\nX-Slow: ");
        let mut trickle = client.tcp().try_clone().expect("a descriptor");
        let trickling = std::thread::spawn(move || {
            // Bytes that keep coming do not move the deadline.
            while trickle.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let (seen, taken) = timed(&gateway, || client.response());
        assert_eq!((seen.status, seen.closes()), (408, true));
        assert_about(taken, 300);
        drop(client);
        trickling.join().expect("it ends");
        gateway.wait_for_metric("ringgate_refused_messages_total{reason=\"head_timeout\"}", 1);
        // On a kept connection too.
        let mut client = gateway.connect();
        client.send(b"GET /mock HTTP/1.1\r\nHost: a.example\r\n\r\nGET /mo");
        assert_eq!(client.response().status, 200);
        assert_eq!(client.response().status, 408);
    });
}

#[test]
fn a_client_that_never_says_anything_is_let_go() {
    each_driver(|driver| {
        let gateway = gateway(driver, 1, "--head-timeout=200ms");
        let mut client = gateway.connect();
        let (at_end, taken) = timed(&gateway, || client.is_at_end());
        assert!(at_end);
        assert_about(taken, 200);
    });
}

#[test]
fn an_idle_connection_is_closed_in_time_and_not_before() {
    each_driver(|driver| {
        let gateway = gateway(driver, 1, "--idle-timeout=1500ms");
        let mut client = gateway.connect();
        client.send(b"GET /mock HTTP/1.1\r\nHost: a.example\r\n\r\n");
        assert_eq!(client.response().status, 200);
        std::thread::sleep(Duration::from_millis(1200));
        client.send(b"GET /mock HTTP/1.1\r\nHost: a.example\r\n\r\n");
        assert_eq!(client.response().status, 200, "a parked connection wakes");
        let (at_end, taken) = timed(&gateway, || client.is_at_end());
        assert!(at_end);
        // Counted from when it was parked, and looked at once a second.
        assert!(taken >= Duration::from_millis(1400) && taken < Duration::from_millis(3500) + TOLERANCE, "{taken:?}");
    });
}

#[test]
fn a_body_that_pauses_too_long_is_answered_408() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let gateway = gateway(driver, origin.port, "--body-timeout=300ms");
        for framing in ["Content-Length: 10\r\n\r\nhal", "Transfer-Encoding: chunked\r\n\r\n5\r\nha"] {
            for path in ["/x", "/mock"] {
                let mut client = gateway.connect();
                client.send(format!("POST {path} HTTP/1.1\r\nHost: a.example\r\n{framing}").as_bytes());
                let (seen, taken) = timed(&gateway, || client.response());
                if path == "/x" {
                    assert_eq!((seen.status, seen.closes()), (408, true), "{framing}");
                    assert_about(taken, 300);
                } else {
                    assert_eq!((seen.status, seen.closes()), (200, true), "a MOCK does not need its body");
                }
            }
        }
        assert_eq!(origin.request_count(), 0);
        gateway.wait_for_metric("ringgate_refused_messages_total{reason=\"body_timeout\"}", 2);
    });
}

#[test]
fn a_body_that_trickles_is_given_up_and_one_that_flows_is_not() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let gateway = gateway(driver, origin.port, "--body-timeout=300ms");
        // A byte every 30 ms never pauses for long, and would hold the connection for ever.
        let mut client = gateway.connect();
        client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000\r\n\r\n");
        let (seen, taken) = timed(&gateway, || {
            for _ in 0..40 {
                let _ = client.try_send(b"x");
                std::thread::sleep(Duration::from_millis(30));
            }
            client.response()
        });
        assert_eq!((seen.status, seen.closes()), (408, true));
        assert!(taken.as_millis() >= 300, "{taken:?}");
        gateway.wait_for_metric("ringgate_refused_messages_total{reason=\"body_timeout\"}", 1);
        let mut client = gateway.connect();
        client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2000\r\n\r\n");
        for _ in 0..20 {
            client.send(&[b'x'; 100]);
            std::thread::sleep(Duration::from_millis(30));
        }
        assert_eq!(client.response().status, 200);
    });
}

fn with_timeout(port: u16, millis: u64) -> serde_json::Value {
    let integration = json!({"type": "http_proxy", "httpMethod": "ANY", "uri": format!("http://127.0.0.1:{port}/"), "timeoutInMillis": millis});
    document(&routes(&[("/x", "any", integration), ("/mock", "any", mock("mocked"))]))
}

#[test]
fn an_origin_that_is_late_is_answered_504_in_time() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            connection.request();
            connection.send(b"HTTP/1.1 200 OK\r\nX-Slow: ");
            connection.wait_for_end();
        });
        let gateway = serving(&with_timeout(origin.port, 300)).on(driver).start();
        for request in
            ["GET /x HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"]
        {
            let (seen, taken) = timed(&gateway, || gateway.call(request));
            assert_eq!(seen.brief(), message(504, "{\"message\": \"Endpoint request timed out\"}"));
            assert_eq!(seen.field("x-amzn-errortype"), Some("InternalServerErrorException"));
            assert!(!seen.closes(), "the client did nothing wrong");
            assert_about(taken, 300);
        }
        assert_eq!(origin.request_count(), 2, "what timed out is not sent again");
    });
}

/// AWS has the whole body before it calls; here it passes as it comes.
#[test]
fn what_a_client_takes_to_send_is_not_the_integrations_time() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let gateway = serving(&with_timeout(origin.port, 250)).on(driver).file_flag("--log=", "access.log").start();
        for framing in ["Content-Length: 600", "Transfer-Encoding: chunked"] {
            let is_chunked = framing.starts_with('T');
            let mut client = gateway.connect();
            client.send(format!("POST /x HTTP/1.1\r\nHost: a.example\r\n{framing}\r\n\r\n").as_bytes());
            for _ in 0..6 {
                std::thread::sleep(Duration::from_millis(100));
                let piece = "x".repeat(100);
                client.send(if is_chunked { format!("64\r\n{piece}\r\n") } else { piece }.as_bytes());
            }
            if is_chunked {
                client.send(b"0\r\n\r\n");
            }
            assert_eq!(client.response().brief(), message(200, "done"), "{framing}");
        }
        let path = gateway.folder.file("access.log");
        let lines = eventually("two lines", || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            Some(text.lines().map(str::to_owned).collect::<Vec<_>>()).filter(|lines| lines.len() == 2)
        });
        for line in lines {
            let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            let of = |name: &str| line[name].as_u64().expect("milliseconds");
            assert!(of("responseLatency") >= 500 && of("integrationLatency") < 300, "{line}");
        }
    });
}

/// An origin that takes nothing of a body has its timeout, and no more.
#[test]
fn an_origin_that_does_not_read_is_answered_504() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            connection.head();
            std::thread::sleep(Duration::from_secs(4));
        });
        let gateway = serving(&with_timeout(origin.port, 300)).on(driver).start();
        let mut client = gateway.connect();
        client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10000000\r\n\r\n");
        let mut sender = client.tcp().try_clone().expect("a descriptor");
        let sending = std::thread::spawn(move || sender.write_all(&vec![b'x'; 10_000_000]).is_ok());
        let (seen, taken) = timed(&gateway, || client.response());
        assert_eq!(seen.brief(), message(504, "{\"message\": \"Endpoint request timed out\"}"));
        assert_about(taken, 300);
        drop(client);
        let _ = sending.join();
    });
}

#[test]
fn the_integrations_timeout_ends_with_the_head_of_the_answer() {
    each_driver(|driver| {
        let size = 4_000_000;
        let origin = Origin::start(move |connection| {
            connection.request();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
            connection.send(&[head.as_bytes(), &vec![b'x'; size]].concat());
        });
        let gateway = serving(&with_timeout(origin.port, 200)).on(driver).flags(["--limits=relaxed"]).start();
        let mut client = gateway.connect_narrowly();
        client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
        // The client takes its time; the answer is on its way all the while.
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(client.response().body.len(), size);
    });
}

#[test]
fn a_reader_that_stops_is_cut_off() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            connection.request();
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n");
            for _ in 0..60 {
                if !connection.send(&vec![b'x'; 1_000_000]) {
                    return;
                }
            }
        });
        let mut document = with_timeout(origin.port, 29_000);
        document["info"]["title"] = json!("slow readers");
        let gateway = serving(&document).on(driver).flags(["--limits=relaxed", "--body-timeout=400ms"]).start();
        let mut client = gateway.connect();
        let ((), taken) = timed(&gateway, || {
            client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
            gateway.wait_for_metric("ringgate_client_aborts_total", 1);
        });
        assert_about(taken, 400);
        assert!(client.rest().len() < 60_000_000);
        eventually("its connection is gone", || (gateway.metric("ringgate_connections") == 0).then_some(()));
    });
}

#[test]
fn an_origin_that_stops_in_the_middle_is_given_up() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            connection.request();
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
            connection.wait_for_end();
        });
        let gateway = gateway(driver, origin.port, "--body-timeout=300ms");
        let mut client = gateway.connect();
        client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
        let (seen, taken) = timed(&gateway, || client.try_response(false));
        assert!(seen.is_err(), "half a body is not a response");
        assert_about(taken, 300);
        gateway.wait_for_metric("ringgate_origin_aborts_total", 1);
    });
}
