//! An origin that does as it is told, records what it got, and misbehaves on request.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;

use super::harness::{PATIENCE, eventually};

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which connection brought it, from 0.
    pub connection: usize,
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub is_chunked: bool,
    pub trailers: Vec<u8>,
}

impl Request {
    /// All values of a field.
    pub fn fields(&self, name: &str) -> Vec<&str> {
        let named = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a field that occurs at most once.
    pub fn field(&self, name: &str) -> Option<&str> {
        let values = self.fields(name);
        assert!(values.len() < 2, "{name} occurs twice: {values:?}");
        values.first().copied()
    }
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Request>>,
    streams: Mutex<Vec<(usize, TcpStream)>>,
    connections: AtomicUsize,
    is_over: AtomicBool,
}

/// A running origin.
pub struct Origin {
    pub port: u16,
    seen: Arc<Seen>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// One of its connections.
pub struct Connection {
    pub stream: TcpStream,
    /// Its number, from 0.
    pub number: usize,
    unread: Vec<u8>,
    seen: Arc<Seen>,
}

/// A plain answer.
pub fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Origin {
    /// Lets `serve` have each connection, on a thread of its own.
    pub fn start(serve: impl Fn(&mut Connection) + Send + Sync + 'static) -> Self {
        Self::start_on(0, serve)
    }

    /// The same on a port that was used before.
    pub fn start_on(port: u16, serve: impl Fn(&mut Connection) + Send + Sync + 'static) -> Self {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let listener = eventually("the port is free", || TcpListener::bind(address).ok());
        let port = listener.local_addr().expect("bound").port();
        let seen = Arc::new(Seen::default());
        let (ours, serve) = (seen.clone(), Arc::new(serve));
        let thread = std::thread::spawn(move || accept(&listener, &ours, &serve));
        Self { port, seen, thread: Some(thread) }
    }

    /// Gives every request the same answer.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |connection| while connection.request().is_some() && connection.send(&answer) {})
    }

    /// Answers with what came: the start line and the body.
    pub fn echoing() -> Self {
        Self::start(|connection| {
            while let Some(request) = connection.request() {
                let text = format!("{} {}|{}", request.method, request.target, String::from_utf8_lossy(&request.body));
                let mut answer = ok(&text);
                if request.method == "HEAD" {
                    answer.truncate(answer.len() - text.len());
                }
                if !connection.send(&answer) {
                    return;
                }
            }
        })
    }

    /// What arrived so far.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().expect("no thread panics").clone()
    }

    pub fn request_count(&self) -> usize {
        self.seen.requests.lock().expect("no thread panics").len()
    }

    /// The only request.
    pub fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.into_iter().next().expect("one")
    }

    /// The latest request.
    pub fn last(&self) -> Request {
        self.requests().pop().expect("the origin was called")
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Ends it as a killed process ends: no listener, all connections reset. Gives the port, to be used again.
    pub fn kill(self) -> u16 {
        for (_, stream) in self.seen.streams.lock().expect("no thread panics").iter() {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
        self.port
    }
}

fn accept<F: Fn(&mut Connection) + Send + Sync + 'static>(listener: &TcpListener, seen: &Arc<Seen>, serve: &Arc<F>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if seen.is_over.load(Ordering::SeqCst) {
            return;
        }
        let number = seen.connections.fetch_add(1, Ordering::SeqCst);
        seen.streams.lock().expect("no thread panics").push((number, stream.try_clone().expect("a descriptor")));
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        let (seen, serve) = (seen.clone(), serve.clone());
        std::thread::spawn(move || serve(&mut Connection { stream, number, unread: Vec::new(), seen }));
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.seen.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for (_, stream) in self.seen.streams.lock().expect("no thread panics").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Connection {
    // The copy that ends a killed origin must not keep a finished connection open.
    fn drop(&mut self) {
        self.seen.streams.lock().expect("no thread panics").retain(|(number, _)| *number != self.number);
    }
}

impl Connection {
    fn fill(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        let count = self.stream.read(&mut piece).unwrap_or(0);
        self.unread.extend_from_slice(&piece[..count]);
        count > 0
    }

    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.unread.len() < count {
            if !self.fill() {
                return None;
            }
        }
        Some(self.unread.drain(..count).collect())
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).collect();
                return Some(line[..at].iter().map(|&byte| char::from(byte)).collect());
            }
            if !self.fill() {
                return None;
            }
        }
    }

    /// Reads a head, without recording the request.
    pub fn head(&mut self) -> Option<Request> {
        let line = self.line()?;
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let mut request = Request { connection: self.number, method: part(), target: part(), ..Request::default() };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                request.is_chunked = request.field("transfer-encoding").is_some();
                return Some(request);
            }
            let (name, value) = line.split_once(": ").expect("the gateway writes fields");
            request.fields.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Reads a whole request and records it.
    pub fn request(&mut self) -> Option<Request> {
        let mut request = self.head()?;
        self.body(&mut request)?;
        self.record(request.clone());
        Some(request)
    }

    pub fn record(&self, request: Request) {
        self.seen.requests.lock().expect("no thread panics").push(request);
    }

    /// Reads the body that a head announces.
    pub fn body(&mut self, request: &mut Request) -> Option<()> {
        if !request.is_chunked {
            let length = request.field("content-length").map_or(0, |length| length.parse().expect("digits"));
            request.body = self.take(length)?;
            return Some(());
        }
        loop {
            let size = usize::from_str_radix(&self.line()?, 16).expect("the gateway writes chunk sizes");
            if size == 0 {
                break;
            }
            request.body.extend(self.take(size)?);
            assert_eq!(self.take(2)?, b"\r\n");
        }
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Some(());
            }
            request.trailers.extend_from_slice(line.as_bytes());
        }
    }

    /// Reads and forgets the body that a head announces; its length.
    pub fn skim_body(&mut self, request: &Request) -> usize {
        let length: usize = request.field("content-length").map_or(0, |length| length.parse().expect("digits"));
        let mut count = std::mem::take(&mut self.unread).len();
        let mut scratch = vec![0; 1 << 20];
        while count < length {
            match self.stream.read(&mut scratch) {
                Ok(read) if read > 0 => count += read,
                _ => break,
            }
        }
        count
    }

    /// Sends bytes; `false` when nobody takes them.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Ends with a reset instead of an orderly end.
    pub fn reset(&self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Waits until the gateway ends the connection.
    pub fn wait_for_end(&mut self) {
        while self.fill() {}
    }
}
