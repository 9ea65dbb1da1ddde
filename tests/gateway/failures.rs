//! Origins that are away, break off, lie, or come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::client::message;
use super::harness::{document, each_driver, eventually, mock, proxy, proxy_all, refusing_port, routes, serving};
use super::load::Load;
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
        gateway.wait_for_metric("ringgate_integration_failures_total{cause=\"refused\"}", 2);
        gateway.wait_for_metric("ringgate_integration_failures_total{cause=\"name_not_found\"}", 1);
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
        let brought: Vec<_> =
            origin.requests().into_iter().map(|request| (request.target, request.connection)).collect();
        assert_eq!(origin.connections(), answers.len(), "a connection that lied is not kept: {brought:?}");
        gateway.wait_for_metric("ringgate_integration_failures_total{cause=\"protocol\"}", answers.len() as u64);
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
        gateway.wait_for_metric("ringgate_integration_failures_total{cause=\"address_not_allowed\"}", 2);
        drop(gateway);
        let gateway = serving(&document(port)).on(driver).flags([&flag, "--allow-origin-address=127.0.0.1"]).start();
        assert_eq!(gateway.get("/admin").brief(), message(200, "ok\n"));
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
        gateway.wait_for_metric("ringgate_shed_total{cap=\"origin_connections\"}", 1);
        drop(closed);
        for client in &mut waiting {
            assert_eq!(client.response().text(), "slow");
        }
        assert_eq!(gateway.get("/slow").text(), "slow");
    });
}

#[test]
fn an_origin_that_closes_after_each_answer_is_called_anew() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            let Some(request) = connection.request() else { return };
            let answer = match request.target.as_str() {
                "/close" => "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
                "/old" => "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                _ => "HTTP/1.0 200 OK\r\n\r\nhi",
            };
            connection.send(answer.as_bytes());
            if request.target != "/end" {
                // It does not hang up at once: what it said must be believed.
                assert!(connection.request().is_none(), "a second request came");
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        let mut client = gateway.connect();
        for path in ["/close", "/old", "/end", "/close", "/end", "/old"] {
            client.send(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
            let seen = client.response();
            assert_eq!((seen.brief(), seen.closes()), (message(200, "hi"), false), "{path}");
        }
        assert_eq!(origin.connections(), 6);
    });
}
