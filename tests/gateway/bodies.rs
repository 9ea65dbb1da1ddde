//! Bodies of every framing, and the order of what shares a connection.

use std::time::Duration;

use serde_json::json;

use super::client::message;
use super::harness::{document, each_driver, eventually, mock, proxy, proxy_all, routes, serving};
use super::origin::{Origin, ok};

const TOO_LONG: &str = "{\"message\":\"Request Too Long\"}";

fn chunked(pieces: &[&[u8]], trailers: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
    out
}

#[test]
fn a_body_arrives_whole_whatever_its_size_framing_and_pieces() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for size in [0, 1, 5, 4_096, 23_000, 24_576, 70_000, 131_072, 300_001] {
            let body: Vec<u8> = (0..size).map(|at| b'a' + (at % 23) as u8).collect();
            client.send(format!("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: {size}\r\n\r\n").as_bytes());
            client.send(&body);
            assert_eq!(client.response().brief(), message(200, "done"), "{size}");
            assert!(origin.last().body == body, "{size} by length");
            let pieces: Vec<&[u8]> = body.chunks(997.max(size / 7)).collect();
            let head = b"POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
            client.send(&[head, &chunked(&pieces, "")[..]].concat());
            assert_eq!(client.response().brief(), message(200, "done"), "{size}");
            assert!(origin.last().body == body, "{size} chunked");
        }
    });
}

#[test]
fn a_chunked_body_that_trickles_in_is_passed_on_and_its_trailers_end_here() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        let head = b"POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n";
        let bytes = [head, &chunked(&[b"hello", b" ", b"world"], "X-T: 1\r\n")[..]].concat();
        for byte in bytes {
            client.send(&[byte]);
        }
        assert_eq!(client.response().brief(), message(200, "done"));
        let request = origin.request();
        assert_eq!((request.body.as_slice(), request.trailers.as_slice()), (&b"hello world"[..], &b""[..]));
    });
}

#[test]
fn an_answer_of_any_framing_reaches_the_client() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            while let Some(request) = connection.request() {
                let size: usize = request.target.rsplit('/').next().unwrap_or_default().parse().expect("a size");
                let body = vec![b'x'; size];
                let is_closing = request.target.starts_with("/close");
                let (framing, bytes) = match &request.target {
                    it if it.starts_with("/length") => (format!("Content-Length: {size}\r\n"), body),
                    it if it.starts_with("/chunked") => {
                        let pieces: Vec<&[u8]> = body.chunks(30_011).collect();
                        ("Transfer-Encoding: chunked\r\n".into(), chunked(&pieces, "X-T: 1\r\n"))
                    }
                    _ => (String::new(), body),
                };
                connection.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n").as_bytes());
                connection.send(&bytes);
                if is_closing {
                    return;
                }
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for size in [0, 1, 4_090, 60_000, 131_072, 1_000_000] {
            for framing in ["length", "chunked", "close"] {
                client.send(format!("GET /{framing}/{size} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
                let seen = client.response();
                assert!(seen.status == 200 && seen.body == vec![b'x'; size], "{framing} {size}: {}", seen.body.len());
            }
            // HTTP/1.0 has no chunks: the end of the connection is the end of the body.
            let old = gateway.call(&format!("GET /chunked/{size} HTTP/1.0\r\nHost: a.example\r\n\r\n"));
            assert!(!old.is_chunked && old.closes() && old.body.len() == size);
        }
    });
}

#[test]
fn a_body_is_invited_only_when_it_is_wanted() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let rows =
            [("/up", "post", proxy(&format!("http://127.0.0.1:{}/", origin.port))), ("/mock", "post", mock("mocked"))];
        let gateway = serving(&document(&routes(&rows))).on(driver).start();
        let head = |path: &str, size: u64| {
            format!("POST {path} HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: {size}\r\n\r\n")
        };
        let mut client = gateway.connect();
        client.send(head("/up", 5).as_bytes());
        assert_eq!(client.head().expect("an invitation").status, 100);
        client.send(b"hello");
        let seen = client.response();
        assert_eq!((seen.brief(), seen.interim), (message(200, "done"), vec![]));
        assert_eq!(origin.request().body, b"hello");
        assert_eq!(origin.request().field("expect"), None);
        for (path, size, status) in [("/none", 5, 403), ("/up", 10_485_761, 413), ("/mock", 5, 200)] {
            let mut client = gateway.connect();
            client.send(head(path, size).as_bytes());
            let seen = client.response();
            assert_eq!((seen.status, seen.interim.len(), seen.closes()), (status, 0, true), "{path}");
        }
        // A body that is here already needs no invitation.
        let mut client = gateway.connect();
        client.send(format!("{}hello", head("/up", 5)).as_bytes());
        assert_eq!(client.response().status, 200);
        let refused =
            gateway.call("POST /up HTTP/1.1\r\nHost: a.example\r\nExpect: 200-maybe\r\nContent-Length: 1\r\n\r\n");
        assert_eq!(refused.status, 417);
    });
}

#[test]
fn a_body_beyond_ten_megabytes_is_refused_before_the_origin_hears_of_it() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10485761\r\n\r\n");
        let seen = client.response();
        assert_eq!((seen.brief(), seen.closes()), (message(413, TOO_LONG), true));
        assert_eq!(origin.connections(), 0);
        // Exactly ten are fine.
        let mut client = gateway.connect();
        client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10485760\r\n\r\n");
        client.send(&vec![b'x'; 10_485_760]);
        assert_eq!(client.response().status, 200);
        assert_eq!(origin.last().body.len(), 10_485_760);
    });
}

#[test]
fn a_client_that_sends_its_refused_body_anyway_still_reads_why() {
    each_driver(|driver| {
        let gateway = serving(&document(&routes(&[("/mock", "post", mock("mocked"))]))).on(driver).start();
        let body = vec![b'x'; 4 * 1024 * 1024];
        for (path, size, status) in [("/mock", 20_000_000, 413), ("/none", 4 << 20, 403), ("/mock", 4 << 20, 200)] {
            let mut client = gateway.connect();
            client
                .send(format!("POST {path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {size}\r\n\r\n").as_bytes());
            client.try_send(&body).unwrap_or_else(|error| panic!("{path} {size}: {error}"));
            assert_eq!(client.response().status, status, "{path}");
        }
    });
}

#[test]
fn a_chunked_body_that_grows_too_large_is_cut_off() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n");
        let piece = [b"80000\r\n", &vec![b'x'; 0x80000][..], b"\r\n"].concat();
        for _ in 0..24 {
            if client.try_send(&piece).is_err() {
                break;
            }
        }
        assert_eq!(client.response().brief(), message(413, TOO_LONG));
        assert_eq!(origin.request_count(), 0, "nobody got a whole request");
    });
}

#[test]
fn requests_in_one_write_are_answered_in_order() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let mut document = proxy_all(origin.port);
        document["paths"]["/mock/{n}"] = json!({"get": super::harness::operation("/mock/{n}", &mock("$context.path"))});
        let gateway = serving(&document).on(driver).start();
        let mut client = gateway.connect();
        let mut bytes = Vec::new();
        let expected: Vec<String> = (0..400).map(|n| pipelined(n, &mut bytes)).collect();
        client.send(&bytes);
        for expected in expected {
            assert_eq!(client.response().brief(), message(200, &expected));
        }
    });
}

/// Appends the `n`th request; gives the answer that is due.
fn pipelined(n: usize, out: &mut Vec<u8>) -> String {
    let (text, expected) = match n % 4 {
        0 => (format!("GET /mock/{n} HTTP/1.1\r\nHost: a.example\r\n\r\n"), format!("/dev/mock/{n}")),
        1 => (format!("GET /p/{n} HTTP/1.1\r\nHost: a.example\r\n\r\n"), format!("GET /p/{n}|")),
        2 => {
            let body = "b".repeat(n * 13);
            let head = format!("POST /p HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n", body.len());
            (format!("{head}{body}"), format!("POST /p|{body}"))
        }
        _ => {
            let body = format!("{n:04}");
            let head = "PUT /p HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
            (format!("{head}4;x=y\r\n{body}\r\n0\r\nX-T: {n}\r\n\r\n"), format!("PUT /p|{body}"))
        }
    };
    out.extend_from_slice(text.as_bytes());
    expected
}

#[test]
fn a_client_that_closes_its_half_still_gets_its_answer() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            connection.request();
            std::thread::sleep(Duration::from_millis(50));
            connection.send(&ok("late"));
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
        client.half_close();
        assert_eq!(client.response().brief(), message(200, "late"));
        assert!(client.is_at_end());
    });
}

#[test]
fn an_early_answer_reaches_a_client_that_is_still_sending() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            while let Some(request) = connection.head() {
                connection.record(request);
                connection.send(b"HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\nno!");
                connection.wait_for_end();
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 8000000\r\n\r\n");
        client.send(&vec![b'x'; 100_000]);
        let seen = client.response();
        assert_eq!((seen.brief(), seen.closes()), (message(409, "no!"), true));
        // One that sends on without looking must not lose the answer to a reset.
        let mut client = gateway.connect();
        client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 800000\r\n\r\n");
        for _ in 0..8 {
            client.try_send(&vec![b'x'; 100_000]).expect("the gateway reads on for a while");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(client.response().brief(), message(409, "no!"));
        gateway.wait_for_metric("ringgate_origin_early_answers_total", 2);
    });
}

#[test]
fn a_client_that_leaves_halfway_takes_nobody_with_it() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            while let Some(request) = connection.request() {
                let size = if request.target == "/large" { 5_000_000 } else { 2 };
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
                if !connection.send(&[head.as_bytes(), &vec![b'x'; size]].concat()) {
                    return;
                }
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        for _ in 0..3 {
            let mut client = gateway.connect();
            client.send(b"GET /large HTTP/1.1\r\nHost: a.example\r\n\r\n");
            client.take(1000).expect("a beginning");
        }
        gateway.wait_for_metric("ringgate_client_aborts_total", 3);
        assert_eq!(gateway.get("/small").text(), "xx");
        // One that leaves while it uploads.
        let mut client = gateway.connect();
        client.send(b"POST /large HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\nhello");
        drop(client);
        assert_eq!(gateway.get("/small").text(), "xx");
        eventually("its connections are gone", || (gateway.metric("ringgate_connections") == 0).then_some(()));
    });
}

#[test]
fn targets_in_absolute_and_asterisk_form_are_understood() {
    let origin = Origin::echoing();
    let gateway = serving(&proxy_all(origin.port)).start();
    let id = gateway.api_id.clone();
    let rows = [
        ("GET http://a.example/x?y=1 HTTP/1.1\r\nHost: a.example\r\n\r\n".to_owned(), message(200, "GET /x?y=1|")),
        // The target's host counts, not the field's (RFC 9112 section 3.2.2).
        (
            format!("GET http://{id}.execute-api.localhost/dev/x HTTP/1.1\r\nHost: b.example\r\n\r\n"),
            message(200, "GET /x|"),
        ),
        ("GET http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n".to_owned(), message(200, "GET /|")),
    ];
    for (request, expected) in rows {
        assert_eq!(gateway.call(&request).brief(), expected, "{request}");
    }
    let asterisk = gateway.call("OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert!(matches!(asterisk.status, 200 | 204 | 403), "{asterisk:?}");
    let other = gateway.call("GET * HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!(other.status, 400);
}

#[test]
fn interim_responses_of_an_origin_end_here() {
    each_driver(|driver| {
        let interim = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
        let origin = Origin::answering(format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for _ in 0..2 {
            client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
            let seen = client.response();
            assert_eq!((seen.brief(), seen.interim.len()), (message(200, "hi"), 0));
        }
    });
}

#[test]
fn statuses_without_a_body_have_none_whatever_the_origin_sends() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            while let Some(request) = connection.request() {
                let status = request.target.trim_start_matches('/');
                let answer = match status {
                    "204" | "304" => format!("HTTP/1.1 {status} X\r\nETag: \"x\"\r\n\r\n"),
                    _ => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
                };
                connection.send(answer.as_bytes());
            }
        });
        let to_204 = json!({"type": "http", "httpMethod": "GET", "uri": format!("http://127.0.0.1:{}/200", origin.port),
            "responses": {"default": {"statusCode": "204"}}});
        let mut document = proxy_all(origin.port);
        let mut operation = super::harness::operation("/mapped", &to_204);
        operation["responses"]["204"] = json!({"description": "none"});
        document["paths"]["/mapped"] = json!({"get": operation});
        let gateway = serving(&document).on(driver).start();
        let mut client = gateway.connect();
        for (path, status) in [("/204", 204), ("/304", 304), ("/mapped", 204), ("/200", 200), ("/mapped", 204)] {
            client.send(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
            let seen = client.response();
            assert_eq!(seen.status, status, "{path}");
            if status != 200 {
                assert_eq!((seen.field("content-length"), seen.is_chunked), (None, false), "{path}");
            }
        }
    });
}
