//! Who the client is, and over what it comes.

use super::client::{Client, message};
use super::harness::{document, each_driver, eventually, mock, proxy_all, routes, serving};
use super::origin::Origin;

fn source_ip() -> serde_json::Value {
    document(&routes(&[("/x", "get", mock("$context.identity.sourceIp"))]))
}

const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// A PROXY protocol header of version 2 for a TCP connection from 203.0.113.7:1 to 127.0.0.1:80.
fn version_2() -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend_from_slice(&[203, 0, 113, 7, 127, 0, 0, 1, 0, 1, 0, 80]);
    header
}

#[test]
fn a_proxy_header_of_a_trusted_peer_names_the_client() {
    each_driver(|driver| {
        let flags = ["--proxy-protocol", "--trusted-proxies=127.0.0.0/8", "--head-timeout=400ms"];
        let gateway = serving(&source_ip()).on(driver).flags(flags).start();
        let rows: [(Vec<u8>, &str); 5] = [
            (b"PROXY TCP4 203.0.113.5 127.0.0.1 1234 80\r\n".to_vec(), "203.0.113.5"),
            (b"PROXY TCP6 2001:db8::5 ::1 1234 80\r\n".to_vec(), "2001:db8::5"),
            (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
            (version_2(), "203.0.113.7"),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".to_vec(), "127.0.0.1"),
        ];
        for (header, ip) in &rows {
            let mut client = gateway.connect();
            // In pieces, and it counts for every request of the connection.
            client.send(&header[..5]);
            client.send(&header[5..]);
            for _ in 0..2 {
                client.send(REQUEST);
                assert_eq!(client.response().text(), *ip);
            }
        }
        let broken: [&[u8]; 4] = [
            REQUEST,
            b"PROXY TCP4 999.0.113.5 127.0.0.1 1234 80\r\n",
            b"PROXY TCP4 1.2.3.4\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
        ];
        for header in broken {
            let mut client = gateway.connect();
            client.send(header);
            assert!(client.is_at_end(), "{}", header.escape_ascii());
        }
        // One that does not come is not waited for.
        assert!(gateway.connect().is_at_end());
        gateway.wait_for_metric("ringgate_refused_messages_total{reason=\"proxy_header\"}", 4);
    });
}

#[test]
fn a_proxy_header_counts_after_a_pause_too() {
    each_driver(|driver| {
        let flags = ["--proxy-protocol", "--trusted-proxies=127.0.0.0/8"];
        let gateway = serving(&source_ip()).on(driver).flags(flags).start();
        let (mut client, mut silent) = (gateway.connect(), gateway.connect());
        client.send(b"PROXY TCP4 203.0.113.5 127.0.0.1 1234 80\r\n");
        client.send(REQUEST);
        assert_eq!(client.response().text(), "203.0.113.5");
        gateway.wait_for_metric("ringgate_connections_parked", 2);
        client.send(REQUEST);
        assert_eq!(client.response().text(), "203.0.113.5");
        // One that said nothing before the pause owes its header still.
        silent.send(&version_2());
        silent.send(REQUEST);
        assert_eq!(silent.response().text(), "203.0.113.7");
    });
}

#[test]
fn a_proxy_header_of_anyone_else_is_no_request() {
    let gateway = serving(&source_ip()).flags(["--proxy-protocol", "--trusted-proxies=10.0.0.0/8"]).start();
    assert_eq!(gateway.get("/x").text(), "127.0.0.1");
    let seen = gateway.call("PROXY TCP4 203.0.113.5 127.0.0.1 1234 80\r\nGET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!((seen.status, seen.closes()), (400, true));
}

#[test]
fn forwarded_for_is_believed_from_trusted_peers_only() {
    each_driver(|driver| {
        let call = |trusted: &str, lines: &str| {
            let gateway = serving(&source_ip()).on(driver).flags([trusted]).start();
            gateway.call(&format!("GET /x HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n")).text()
        };
        let spoofed = "X-Forwarded-For: 1.1.1.1, 203.0.113.5, 10.1.1.1\r\n";
        assert_eq!(call("--trusted-proxies=127.0.0.1,10.0.0.0/8", spoofed), "203.0.113.5");
        assert_eq!(call("--trusted-proxies=127.0.0.1", spoofed), "10.1.1.1");
        assert_eq!(call("--trusted-proxies=192.0.2.0/24", spoofed), "127.0.0.1");
        assert_eq!(call("--trusted-proxies=127.0.0.1", ""), "127.0.0.1");
        assert_eq!(call("--trusted-proxies=127.0.0.1", "X-Forwarded-For: nonsense\r\n"), "127.0.0.1");
        let two_lines = "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.9\r\n";
        assert_eq!(call("--trusted-proxies=127.0.0.1", two_lines), "203.0.113.9");
    });
}

#[test]
fn a_unix_socket_serves_and_goes_away_with_the_process() {
    each_driver(|driver| {
        let origin = Origin::echoing();
        let start = serving(&proxy_all(origin.port)).on(driver).no_listener().file_flag("--listen=unix:", "gate.sock");
        let mut gateway = start.flags(["--shards=2"]).start();
        let path = gateway.folder.file("gate.sock");
        for _ in 0..10 {
            let mut client = Client::connect_unix(&path);
            client.send(b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi");
            assert_eq!(client.response().brief(), message(200, "POST /x|hi"));
        }
        assert_eq!(origin.last().field("x-forwarded-for"), Some("127.0.0.1"));
        gateway.signal(rustix::process::Signal::TERM);
        assert_eq!(gateway.wait().code(), Some(0));
        assert!(!path.exists());
    });
}

#[test]
fn several_listeners_and_shards_serve_the_same() {
    each_driver(|driver| {
        let gateway = serving(&source_ip()).on(driver).flags(["--listen=[::1]:0", "--shards=2"]).start();
        for _ in 0..20 {
            assert_eq!(gateway.get("/x").text(), "127.0.0.1");
        }
        let text = gateway.err.text();
        let port =
            super::harness::between(&text, "serving http://[::1]:", "/").and_then(|port| port.parse::<u16>().ok());
        let stream = std::net::TcpStream::connect(("::1", port.expect("the banner names it"))).expect("it listens");
        let mut client = Client::of(stream);
        client.send(REQUEST);
        assert_eq!(client.response().text(), "::1");
        eventually("all are counted", || {
            (gateway.metric("ringgate_requests_total{class=\"2xx\"}") == 21).then_some(())
        });
    });
}
