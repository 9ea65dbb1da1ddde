//! Connections that are silent for a while: they cost little, wake when something comes, and end as others do.

use rustix::process::Signal;

use super::client::Client;
use super::harness::{Gateway, document, each_driver, eventually, mock, routes, serving};

const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n";
/// More than keep a buffer while they wait.
const CLIENTS: usize = 300;

/// Clients that have been served, and are parked.
fn parked(driver: &'static str) -> (Gateway, Vec<Client>) {
    let definition = document(&routes(&[("/x", "get", mock("fine"))]));
    let gateway = serving(&definition).on(driver).flags(["--shards=1"]).start();
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| gateway.connect()).collect();
    for _ in 0..2 {
        clients.iter_mut().for_each(|client| client.send(REQUEST));
        clients.iter_mut().for_each(|client| assert_eq!(client.response().text(), "fine"));
    }
    gateway.wait_for_metric("ringgate_connections_parked", CLIENTS as u64);
    (gateway, clients)
}

#[test]
fn parked_connections_wake_and_are_parked_again() {
    each_driver(|driver| {
        let (gateway, mut clients) = parked(driver);
        clients.iter_mut().for_each(|client| client.send(REQUEST));
        clients.iter_mut().for_each(|client| assert_eq!(client.response().text(), "fine"));
        gateway.wait_for_metric("ringgate_connections_parked", CLIENTS as u64);
        // A request in two pieces, with one behind it and the end of the client's side.
        let client = &mut clients[0];
        client.send(&REQUEST[..7]);
        client.send(&[&REQUEST[7..], REQUEST].concat());
        client.half_close();
        assert_eq!([client.response().text(), client.response().text()], ["fine", "fine"]);
        assert!(client.is_at_end());
    });
}

#[test]
fn parked_connections_that_their_clients_close_are_closed() {
    each_driver(|driver| {
        let (gateway, mut clients) = parked(driver);
        let rest = clients.split_off(CLIENTS / 2);
        rest[0].half_close();
        drop(clients);
        let open = (CLIENTS - CLIENTS / 2 - 1) as u64;
        eventually("they are gone", || (gateway.metric("ringgate_connections") == open).then_some(()));
        eventually("parked or not", || (gateway.metric("ringgate_connections_parked") == open).then_some(()));
    });
}

#[test]
fn a_drain_ends_parked_connections() {
    each_driver(|driver| {
        let (mut gateway, mut clients) = parked(driver);
        gateway.signal(Signal::TERM);
        clients.iter_mut().for_each(|client| assert!(client.is_at_end()));
        assert_eq!(gateway.wait().code(), Some(0));
    });
}
