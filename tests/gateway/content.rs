//! Whole bodies, compression and binary media types, over sockets.

use std::io::Write;

use ringgate_core::proto::http::coding::{Coding, Encoder, Flush, decode};
use serde_json::{Value, json};

use super::client::message;
use super::harness::{document, each_driver, operation, proxy_all, serving};
use super::origin::{Origin, ok};

/// The document with further members at its top.
fn with(mut document: Value, members: Value) -> Value {
    for (name, value) in members.as_object().expect("members") {
        document[name] = value.clone();
    }
    document
}

fn compressing(port: u16, minimum: u32) -> Value {
    with(proxy_all(port), json!({"x-amazon-apigateway-minimum-compression-size": minimum}))
}

fn plain(coding: Coding, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(decode(coding, body, 100_000_000, &mut out), Ok(()), "{} bytes", body.len());
    out
}

/// Text that compresses, and is not the same everywhere.
fn prose(length: usize) -> Vec<u8> {
    (0..length).map(|at| b"the quick brown fox "[(at + at / 977) % 20]).collect()
}

#[test]
fn answers_of_every_framing_and_size_are_compressed_as_they_pass() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            while let Some(request) = connection.request() {
                let (framing, length) = request.target.trim_start_matches('/').split_once('-').expect("two parts");
                let body = prose(length.parse().expect("digits"));
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
                if framing == "length" {
                    connection.send(format!("{head}Content-Length: {length}\r\n\r\n").as_bytes());
                    connection.send(&body);
                    continue;
                }
                connection.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes());
                for piece in body.chunks(40_000) {
                    connection.send(format!("{:x}\r\n", piece.len()).as_bytes());
                    connection.send(piece);
                    connection.send(b"\r\n");
                }
                connection.send(b"0\r\n\r\n");
            }
        });
        let gateway = serving(&compressing(origin.port, 100)).on(driver).start();
        let mut client = gateway.connect();
        for framing in ["length", "chunked"] {
            for (accept, coding) in [("gzip", Coding::Gzip), ("br, deflate;q=0.5", Coding::Deflate)] {
                for length in [100, 5_000, 130_000, 1_000_001] {
                    client.send(
                        format!("GET /{framing}-{length} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {accept}\r\n\r\n")
                            .as_bytes(),
                    );
                    let seen = client.response();
                    assert_eq!((seen.status, seen.field("content-encoding")), (200, Some(coding.as_str())));
                    assert!(seen.is_chunked && seen.body.len() < length, "{framing} {length}");
                    assert!(plain(coding, &seen.body) == prose(length), "{framing} {length}");
                }
            }
        }
        client.send(b"GET /length-99 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        let seen = client.response();
        assert_eq!((seen.field("content-encoding"), seen.body.len()), (None, 99), "below the minimum");
        client.send(b"GET /length-5000 HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.response().field("content-encoding"), None, "nobody asked");
    });
}

#[test]
fn an_event_reaches_the_client_before_the_next_one_is_made() {
    each_driver(|driver| {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let origin = Origin::start(move |connection| {
            while connection.request().is_some() {
                connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nevent 1\n\r\n");
                let _ = wait.lock().expect("one at a time").recv();
                connection.send(b"8\r\nevent 2\n\r\n0\r\n\r\n");
            }
        });
        let gateway = serving(&compressing(origin.port, 0)).on(driver).start();
        let mut client = gateway.connect();
        client.send(b"GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        let head = client.head().expect("a head");
        assert_eq!(head.field("content-encoding"), Some("gzip"));
        let first = client.take(2).expect("a chunk comes while the origin waits");
        assert_ne!(first, b"0\r");
        go.send(()).expect("the origin waits");
        client.half_close();
        assert!(client.rest().ends_with(b"\r\n0\r\n\r\n"));
    });
}

#[test]
fn a_compressed_request_is_read_and_a_bomb_is_refused() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("done"));
        let gateway = serving(&compressing(origin.port, 0)).on(driver).start();
        let mut client = gateway.connect();
        let encode = |body: &[u8]| {
            let mut out = Vec::new();
            Encoder::new(Coding::Gzip).encode(body, Flush::End, &mut out);
            out
        };
        let mut post = |body: &[u8]| {
            let head = format!(
                "POST /x HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            client.send(&[head.as_bytes(), body].concat());
            client.response().brief()
        };
        for length in [0, 10, 300_000, 10_485_760] {
            assert_eq!(post(&encode(&prose(length))), message(200, "done"));
            assert!(origin.last().body == prose(length), "{length}");
        }
        assert_eq!(post(&encode(&prose(10_485_761))), message(413, "{\"message\":\"Request Too Long\"}"));
        assert_eq!(post(b"no gzip"), message(415, "{\"message\": \"Unsupported Media Type\"}"));
        assert_eq!(post(&encode(b"again")), message(200, "done"));
    });
}

fn converting(port: u16) -> Value {
    let uri = format!("http://127.0.0.1:{port}/x");
    let integration = json!({"type": "http", "httpMethod": "POST", "uri": uri,
        "requestParameters": {"integration.request.header.X-Body": "method.request.body"},
        "responses": {"default": {"statusCode": "200", "contentHandling": "CONVERT_TO_TEXT",
            "responseParameters": {"method.response.header.X-Back": "integration.response.body"}}}});
    with(
        document(&json!({"/c": {"post": operation("/c", &integration)}})),
        json!({"x-amazon-apigateway-binary-media-types": ["image/png"]}),
    )
}

#[test]
fn whole_bodies_are_mapped_and_converted_whatever_their_framing() {
    each_driver(|driver| {
        let chunked = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n";
        let origin = Origin::answering(chunked.to_vec());
        let gateway = serving(&converting(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for framed in
            ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"]
        {
            client.send(format!("POST /c HTTP/1.1\r\nHost: a\r\n{framed}").as_bytes());
            let seen = client.response();
            assert_eq!((seen.brief(), seen.field("x-back")), (message(200, "aGk="), Some("aGk=")));
            let request = origin.last();
            assert_eq!((request.field("x-body"), &*request.body), (Some("hello"), &b"hello"[..]));
        }
        assert_eq!(origin.connections(), 1, "an answer that was read to its end leaves its connection in use");
    });
}

#[test]
fn an_answer_that_is_gathered_and_breaks_off_is_a_failure_of_the_integration() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            while connection.request().is_some() {
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
                let _ = connection.stream.flush();
                let _ = connection.stream.shutdown(std::net::Shutdown::Both);
            }
        });
        let gateway = serving(&converting(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for _ in 0..2 {
            client.send(b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
            let expected = "{\"message\": \"Network error communicating with endpoint\"}";
            assert_eq!(client.response().brief(), message(504, expected));
        }
    });
}
