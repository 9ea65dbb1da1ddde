//! Full is answered with 503, counted, and over as soon as there is room again.

use std::time::Duration;

use super::client::{Client, message};
use super::harness::{document, each_driver, eventually, mock, proxy_all, routes, serving};
use super::origin::{Origin, ok};

const UNAVAILABLE: &str = "{\"message\":\"Service Unavailable\"}";
const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n";

fn one() -> serde_json::Value {
    document(&routes(&[("/x", "any", mock("fine"))]))
}

#[test]
fn connections_beyond_the_cap_are_turned_away_with_503() {
    each_driver(|driver| {
        let gateway = serving(&one()).on(driver).flags(["--connections-max=3"]).start();
        let mut inside: Vec<Client> = (0..3).map(|_| gateway.connect()).collect();
        for client in &mut inside {
            client.send(REQUEST);
            assert_eq!(client.response().status, 200);
        }
        for _ in 0..2 {
            let mut outside = gateway.connect();
            let seen = outside.response();
            assert_eq!((seen.status, seen.closes()), (503, true));
        }
        assert_eq!(gateway.metric("ringgate_shed_total{cap=\"connections\"}"), 2);
        inside[0].send(REQUEST);
        assert_eq!(inside[0].response().status, 200, "who is inside is served");
        drop(inside.pop());
        eventually("room again", || {
            let mut client = gateway.connect();
            let _ = client.try_send(REQUEST);
            client.try_response(false).is_ok_and(|seen| seen.status == 200).then_some(())
        });
    });
}

#[test]
fn a_client_that_is_turned_away_after_sending_reads_why() {
    each_driver(|driver| {
        let gateway = serving(&one()).on(driver).flags(["--connections-max=1"]).start();
        let mut inside = gateway.connect();
        inside.send(REQUEST);
        assert_eq!(inside.response().status, 200);
        for _ in 0..20 {
            let mut outside = gateway.connect();
            let _ = outside.try_send(REQUEST);
            let seen = outside.try_response(false).expect("a reset must not take the answer away");
            assert_eq!(seen.status, 503);
        }
    });
}

#[test]
fn requests_beyond_the_memory_cap_are_shed_and_the_process_stays() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            connection.request();
            connection.wait_for_end();
        });
        let mut gateway =
            serving(&proxy_all(origin.port)).on(driver).flags(["--memory-max=64MiB", "--shards=1"]).start();
        // Each holds the buffer of its head and one for the answer.
        let mut clients: Vec<Client> = (0..600).map(|_| gateway.connect()).collect();
        let upload = b"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\nhello";
        for client in &mut clients {
            client.send(upload);
        }
        gateway.wait_for_metric("ringgate_shed_total{cap=\"memory\"}", 1);
        let shed = eventually("one is told", || clients.iter().position(has_answer));
        assert_eq!(clients[shed].response().brief(), message(503, UNAVAILABLE));
        drop(clients);
        let memory = "ringgate_buffer_bytes";
        eventually("the buffers come back", || (gateway.metric(memory) < 1 << 20).then_some(()));
        assert!(gateway.is_alive());
        assert!(gateway.resident_kib() < 200 * 1024, "{} KiB", gateway.resident_kib());
    });
}

#[test]
fn without_descriptors_clients_are_told_and_later_ones_are_served() {
    each_driver(|driver| {
        let origin = Origin::answering(ok("fine"));
        let gateway = serving(&proxy_all(origin.port)).on(driver).descriptors(64).start();
        let mut clients: Vec<Client> = (0..100).map(|_| gateway.connect()).collect();
        gateway_is_full(&mut clients);
        drop(clients);
        eventually("served again", || {
            let mut client = gateway.connect();
            let _ = client.try_send(REQUEST);
            client.try_response(false).is_ok_and(|seen| seen.status == 200).then_some(())
        });
        assert!(gateway.metric("ringgate_accept_out_of_descriptors_total") > 0);
    });
}

fn has_answer(client: &Client) -> bool {
    let stream = client.tcp();
    stream.set_nonblocking(true).expect("a socket");
    let has_bytes = stream.peek(&mut [0]).is_ok_and(|bytes| bytes > 0);
    stream.set_nonblocking(false).expect("a socket");
    has_bytes
}

/// Those for whom there is no descriptor see the end of their connection, instead of waiting.
fn gateway_is_full(clients: &mut [Client]) {
    let last = clients.last_mut().expect("many");
    last.tcp().set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
    assert!(last.try_response(false).is_err_and(|why| !why.contains("temporarily")), "the last one waits in the queue");
}
