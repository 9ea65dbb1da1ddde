//! Clients that call one after the other, and remember every answer.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::client::{Client, Response};
use super::harness::eventually;

/// An answer, or why there was none.
pub type Seen = Result<Response, String>;

/// Calls for as long as it is told to.
pub struct Load {
    is_over: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<Vec<Seen>>>,
    served: Arc<AtomicUsize>,
}

impl Load {
    /// Calls until [`Load::finish`].
    pub fn start(port: u16, connections: usize, method: &'static str) -> Self {
        Self::with(port, connections, method)
    }

    /// Calls until nobody listens any more.
    pub fn until_refused(port: u16, connections: usize) -> Self {
        Self::with(port, connections, "GET")
    }

    fn with(port: u16, connections: usize, method: &'static str) -> Self {
        let (is_over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let threads = (0..connections)
            .map(|_| {
                let (is_over, served) = (is_over.clone(), served.clone());
                std::thread::spawn(move || call_until(port, method, &is_over, &served))
            })
            .collect();
        Self { is_over, threads, served }
    }

    /// Waits for as many further answers.
    pub fn wait_for(&self, more: usize) {
        let goal = self.served.load(Ordering::SeqCst) + more;
        eventually("the load goes on", || (self.served.load(Ordering::SeqCst) >= goal).then_some(()));
    }

    /// Everything that was seen.
    pub fn finish(self) -> Vec<Seen> {
        self.is_over.store(true, Ordering::SeqCst);
        self.threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    }
}

fn call_until(port: u16, method: &str, is_over: &AtomicBool, served: &AtomicUsize) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut connection: Option<Client> = None;
    while !is_over.load(Ordering::SeqCst) {
        // Refused before anything was sent: nothing is lost.
        let Some(mut client) =
            connection.take().or_else(|| TcpStream::connect(("127.0.0.1", port)).ok().map(Client::of))
        else {
            return seen;
        };
        let sent = client.try_send(format!("{method} /x HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
        let response = sent.map_err(|error| error.to_string()).and_then(|()| client.try_response(false));
        if response.as_ref().is_ok_and(|response| !response.closes()) {
            connection = Some(client);
        }
        seen.push(response);
        served.fetch_add(1, Ordering::SeqCst);
    }
    seen
}
