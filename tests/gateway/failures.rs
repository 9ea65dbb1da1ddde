//! Origins that are away, break off, lie, or come back.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Client, Response, message};
use super::harness::{
    Folder, document, each_driver, eventually, is_listening, mock, proxy, proxy_all, refusing_port, routes, serving,
};
use super::origin::{Origin, ok};

const ENDPOINT: &str = "{\"message\":\"Internal server error\"}";
const NETWORK: &str = "{\"message\": \"Network error communicating with endpoint\"}";

#[test]
fn an_origin_that_is_not_there_is_answered_500() {
    each_driver(|driver| {
        let rows = [
            ("/refused", "get", proxy(&format!("http://127.0.0.1:{}/", refusing_port()))),
            ("/nowhere", "get", proxy("http://nowhere.invalid/")),
            ("/mock", "get", mock("fine")),
        ];
        let gateway = serving(&document(&routes(&rows))).on(driver).start();
        let mut client = gateway.connect();
        for path in ["/refused", "/nowhere", "/refused"] {
            client.send(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
            let seen = client.response();
            assert_eq!(seen.brief(), message(500, ENDPOINT), "{path}");
            assert_eq!(seen.field("x-amzn-errortype"), Some("InternalServerErrorException"));
        }
        assert_eq!(gateway.get("/mock").text(), "fine");
        assert_eq!(gateway.metric("ringgate_integration_failures_total{cause=\"refused\"}"), 2);
        assert_eq!(gateway.metric("ringgate_integration_failures_total{cause=\"name_not_found\"}"), 1);
    });
}

#[test]
fn an_origin_that_breaks_off_before_its_answer_is_answered_504() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            let Some(request) = connection.request() else { return };
            match request.target.as_str() {
                "/reset" => connection.reset(),
                "/half" => drop(connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")),
                _ => {}
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        for path in ["/close", "/reset", "/half"] {
            let mut client = gateway.connect();
            for _ in 0..2 {
                client.send(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
                assert_eq!(client.response().brief(), message(504, NETWORK), "{path}");
            }
        }
        assert_eq!(origin.request_count(), 6, "a fresh connection that dies is not tried again");
    });
}

#[test]
fn an_answer_that_breaks_the_protocol_is_answered_504() {
    each_driver(|driver| {
        let answers = [
            "nonsense\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ];
        let origin = Origin::start(move |connection| {
            while let Some(request) = connection.request() {
                let index: usize = request.target[1..].parse().expect("a number");
                connection.send(answers[index].as_bytes());
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for (index, answer) in answers.iter().enumerate() {
            client.send(format!("GET /{index} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
            assert_eq!(client.response().brief(), message(504, NETWORK), "{answer}");
        }
        assert_eq!(origin.connections(), answers.len(), "a connection that lied is not kept");
        assert_eq!(gateway.metric("ringgate_integration_failures_total{cause=\"protocol\"}"), answers.len() as u64);
    });
}

#[test]
fn an_answer_that_breaks_off_is_never_taken_for_whole() {
    each_driver(|driver| {
        let bodies = [
            "Content-Length: 10\r\n\r\nhello",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX",
        ];
        let origin = Origin::start(move |connection| {
            let Some(request) = connection.request() else { return };
            let index: usize = request.target[1..].parse().expect("a number");
            connection.send(format!("HTTP/1.1 200 OK\r\n{}", bodies[index]).as_bytes());
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        for (index, body) in bodies.iter().enumerate() {
            let mut client = gateway.connect();
            client.send(format!("GET /{index} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
            match client.try_response(false) {
                Err(_) => {}
                Ok(seen) => assert_eq!(seen.status, 504, "{body}: {seen:?}"),
            }
            assert!(!client.rest().windows(5).any(|text| text == b"HTTP/"), "{body}");
        }
    });
}

#[test]
fn what_follows_an_answer_is_never_given_to_another_request() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            while let Some(request) = connection.request() {
                connection.send(&ok(&request.target));
                connection.send(&ok("smuggled"));
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for n in 0..10 {
            client.send(format!("GET /{n} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
            let seen = client.response();
            assert!(seen.brief() == message(200, &format!("/{n}")) || seen.status == 504, "{n}: {seen:?}");
            // Time for what was sent unasked to arrive.
            std::thread::sleep(Duration::from_millis(2));
        }
    });
}

/// Answers the first request of each connection and closes while the second is on its way.
fn closing_after_one(how: fn(&super::origin::Connection)) -> Origin {
    Origin::start(move |connection| {
        connection.request();
        connection.send(&ok("first"));
        let request = connection.head();
        if let Some(request) = request {
            connection.record(request);
        }
        how(connection);
    })
}

#[test]
fn a_kept_connection_that_died_costs_an_idempotent_request_nothing() {
    each_driver(|driver| {
        for how in [|_: &super::origin::Connection| {}, super::origin::Connection::reset] {
            let origin = closing_after_one(how);
            let gateway = serving(&proxy_all(origin.port)).on(driver).start();
            let mut client = gateway.connect();
            for n in 0..6 {
                client.send(format!("PUT /{n} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi").as_bytes());
                assert_eq!(client.response().brief(), message(200, "first"), "{n}");
            }
            assert!(gateway.metric("ringgate_origin_retries_total") >= 2);
        }
    });
}

#[test]
fn a_post_is_never_sent_twice() {
    each_driver(|driver| {
        let origin = closing_after_one(|_| {});
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for n in 0..10 {
            client.send(format!("POST /{n} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi").as_bytes());
            let seen = client.response();
            assert!(matches!(seen.status, 200 | 504), "{seen:?}");
        }
        let mut targets: Vec<_> = origin.requests().into_iter().map(|request| request.target).collect();
        let count = targets.len();
        targets.sort();
        targets.dedup();
        assert_eq!(targets.len(), count, "one was sent twice");
    });
}

#[test]
fn a_post_is_not_lost_to_connections_that_closed_while_idle() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            connection.request();
            connection.send(&ok("first"));
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for n in 0..10 {
            client.send(format!("POST /{n} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi").as_bytes());
            assert_eq!(client.response().brief(), message(200, "first"), "{n}");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(origin.request_count(), 10);
    });
}

/// Calls for as long as it is told to; every status that came.
struct Load {
    is_over: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<Vec<Result<Response, String>>>>,
    served: Arc<AtomicUsize>,
}

impl Load {
    fn start(port: u16, connections: usize, method: &'static str) -> Self {
        let (is_over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let threads = (0..connections)
            .map(|_| {
                let (is_over, served) = (is_over.clone(), served.clone());
                std::thread::spawn(move || call_until(port, method, &is_over, &served))
            })
            .collect();
        Self { is_over, threads, served }
    }

    fn wait_for(&self, more: usize) {
        let goal = self.served.load(Ordering::SeqCst) + more;
        eventually("the load goes on", || (self.served.load(Ordering::SeqCst) >= goal).then_some(()));
    }

    fn finish(self) -> Vec<Result<Response, String>> {
        self.is_over.store(true, Ordering::SeqCst);
        self.threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    }
}

fn call_until(port: u16, method: &str, is_over: &AtomicBool, served: &AtomicUsize) -> Vec<Result<Response, String>> {
    let mut seen = Vec::new();
    let mut client = Client::connect(port);
    while !is_over.load(Ordering::SeqCst) {
        client.send(format!("{method} /x HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
        let response = client.try_response(false);
        let goes_on = response.as_ref().is_ok_and(|response| !response.closes());
        seen.push(response);
        served.fetch_add(1, Ordering::SeqCst);
        if !goes_on {
            client = Client::connect(port);
        }
    }
    seen
}

#[test]
fn an_origin_that_is_killed_and_restarted_loses_no_request_that_could_be_saved() {
    each_driver(|driver| {
        let mut origin = Origin::answering(ok("fine"));
        let port = origin.port;
        let gateway = serving(&proxy_all(port)).on(driver).start();
        let load = Load::start(gateway.port, 4, "GET");
        for _ in 0..3 {
            load.wait_for(200);
            origin.kill();
            std::thread::sleep(Duration::from_millis(20));
            origin = Origin::start_on(
                port,
                |connection| while connection.request().is_some() && connection.send(&ok("fine")) {},
            );
        }
        load.wait_for(100);
        let seen = load.finish();
        // While nobody listens, 500 is the truth; a request that was being answered as the process died is 504. Nothing
        // else, and no connection of a client is lost.
        let lost: Vec<_> = seen
            .iter()
            .filter(|seen| !seen.as_ref().is_ok_and(|seen| matches!(seen.status, 200 | 500 | 504)))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
        let broken = seen.iter().flatten().filter(|seen| seen.status == 504).count();
        assert!(broken <= 3 * 4, "{broken} requests were under way while three processes died under four clients");
        assert_eq!(seen.last().and_then(|last| last.as_ref().ok()).map(|last| last.status), Some(200));
    });
}

#[test]
fn an_address_that_fails_is_set_aside_while_another_serves() {
    each_driver(|driver| {
        // `localhost` is both loopback addresses (RFC 6761); here one of them refuses.
        let origin = Origin::echoing();
        let rows = [("/x", "any", proxy(&format!("http://localhost:{}/", origin.port)))];
        let gateway = serving(&document(&routes(&rows))).on(driver).start();
        for _ in 0..6 {
            let seen = gateway.call("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi");
            assert_eq!(seen.brief(), message(200, "POST /|hi"));
        }
    });
}

#[test]
fn the_admin_side_and_metadata_addresses_are_no_origins() {
    each_driver(|driver| {
        let document = |port: u16| {
            document(&routes(&[
                ("/admin", "get", proxy(&format!("http://127.0.0.1:{port}/healthz"))),
                ("/meta", "get", proxy("http://169.254.169.254/latest/meta-data/")),
            ]))
        };
        // A port that is free now, and will be the admin's.
        let port = refusing_port();
        let flag = format!("--admin=127.0.0.1:{port}");
        let gateway = serving(&document(port)).on(driver).flags([&flag]).start();
        for path in ["/admin", "/meta"] {
            assert_eq!(gateway.get(path).brief(), message(500, ENDPOINT), "{path}");
        }
        assert_eq!(gateway.metric("ringgate_integration_failures_total{cause=\"address_not_allowed\"}"), 2);
        drop(gateway);
        let gateway = serving(&document(port)).on(driver).flags([&flag, "--allow-origin-address=127.0.0.1"]).start();
        assert_eq!(gateway.get("/admin").brief(), message(200, "ok\n"));
    });
}

/// A TLS server of the openssl command line, with a certificate of its own for `name`.
struct TlsOrigin {
    child: Child,
    port: u16,
    _folder: Folder,
}

impl TlsOrigin {
    fn start(name: &str) -> Self {
        let folder = Folder::new();
        let (key, certificate) = (folder.file("key.pem"), folder.file("cert.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName=DNS:{name}")])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .expect("the tests need openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let child = Command::new("openssl")
            .args(["s_server", "-quiet", "-www", "-4", "-accept", &port.to_string()])
            .arg("-key")
            .arg(&key)
            .arg("-cert")
            .arg(&certificate)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the tests need openssl");
        eventually("the TLS origin listens", || is_listening(port).then_some(()));
        Self { child, port, _folder: folder }
    }
}

impl Drop for TlsOrigin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_self_signed_origin_is_trusted_only_where_told_and_under_its_name() {
    let origin = TlsOrigin::start("localhost");
    let other = TlsOrigin::start("elsewhere.example");
    let plain = Origin::echoing();
    let to = |port: u16, skips: bool| -> Value {
        let mut integration = proxy(&format!("https://localhost:{port}/"));
        if skips {
            integration["tlsConfig"] = json!({"insecureSkipVerification": true});
        }
        integration
    };
    let rows = [
        ("/strict", "get", to(origin.port, false)),
        ("/lenient", "get", to(origin.port, true)),
        ("/misnamed", "get", to(other.port, true)),
        ("/plain", "get", to(plain.port, true)),
    ];
    each_driver(|driver| {
        let gateway = serving(&document(&routes(&rows))).on(driver).start();
        for path in ["/strict", "/misnamed", "/plain"] {
            assert_eq!(gateway.get(path).brief(), message(504, NETWORK), "{path}");
        }
        for _ in 0..2 {
            let seen = gateway.get("/lenient");
            assert!(seen.status == 200 && seen.text().contains("Cipher"), "{seen:?}");
        }
    });
}

#[test]
fn each_origin_has_a_cap_and_the_others_go_on() {
    each_driver(|driver| {
        let (hold, held) = (Arc::new(Mutex::new(())), Arc::new(AtomicUsize::new(0)));
        let (gate, counted) = (hold.clone(), held.clone());
        let closed = hold.lock().expect("free");
        let slow = Origin::start(move |connection| {
            while connection.request().is_some() {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(gate.lock());
                connection.send(&ok("slow"));
            }
        });
        let quick = Origin::answering(ok("quick"));
        let to = |port: u16| proxy(&format!("http://127.0.0.1:{port}/"));
        let rows = [("/slow", "get", to(slow.port)), ("/quick", "get", to(quick.port))];
        let gateway = serving(&document(&routes(&rows))).on(driver).flags(["--origin-connections-max=2"]).start();
        let request = b"GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n";
        let mut waiting: Vec<_> = (0..2).map(|_| gateway.connect()).collect();
        waiting.iter_mut().for_each(|client| client.send(request));
        eventually("both wait", || (held.load(Ordering::SeqCst) == 2).then_some(()));
        let shed = gateway.get("/slow");
        assert_eq!(shed.brief(), message(503, "{\"message\":\"Service Unavailable\"}"));
        assert_eq!(gateway.get("/quick").text(), "quick");
        assert_eq!(gateway.metric("ringgate_shed_total{cap=\"origin_connections\"}"), 1);
        drop(closed);
        for client in &mut waiting {
            assert_eq!(client.response().text(), "slow");
        }
        assert_eq!(gateway.get("/slow").text(), "slow");
    });
}
