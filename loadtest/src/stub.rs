//! A very fast origin: prebuilt answers from one epoll thread.
//!
//! `/bytes/N` answers N bytes, `/delay/MS` after a delay; anything else gets the default of the flags. It
//! shares a processor with the generator when gateways are compared, so it does as little as it can.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::event::epoll::EventFlags;

use crate::affinity::Cpus;
use crate::http::request::{RequestEvent, RequestReader, start_line};
use crate::net::{self, ENDED, Moved, Poll};

const BUFFER_BYTES: usize = 128 * 1024;
const LISTENER_KEY: u64 = u64::MAX;
/// Largest body anyone may ask for.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Sizes whose answers are kept; beyond that the oldest are built again when asked for.
const SIZES_KEPT_MAX: usize = 64;
/// Data bytes of a chunk in chunked answers.
const CHUNK_BYTES: usize = 16 * 1024;

/// `ringload stub`
#[derive(Clone, clap::Args)]
pub struct StubArgs {
    /// Where to listen.
    #[arg(long)]
    pub listen: SocketAddr,
    /// Size of the default answer.
    #[arg(long, default_value_t = 1024)]
    pub bytes: usize,
    /// Delay of the default answer.
    #[arg(long, default_value_t = 0)]
    pub delay_ms: u64,
    /// Run on this processor only.
    #[arg(long)]
    pub cpu: Option<usize>,
    /// Status of every answer.
    #[arg(long, default_value_t = 200)]
    pub status: u16,
    /// Answer with Transfer-Encoding: chunked instead of Content-Length.
    #[arg(long)]
    pub chunked: bool,
}

impl StubArgs {
    /// A stub with default answers.
    pub fn plain(listen: SocketAddr) -> Self {
        Self { listen, bytes: 1024, delay_ms: 0, cpu: None, status: 200, chunked: false }
    }
}

/// Serves until the process is ended.
pub fn main(args: &StubArgs) -> Result<ExitCode, String> {
    if let Some(cpu) = args.cpu {
        Cpus::one(cpu).confine_current_thread().map_err(|error| format!("processor {cpu}: {error}"))?;
    }
    let mut stub = Stub::bind(args).map_err(|error| format!("stub on {}: {error}", args.listen))?;
    stub.serve().map_err(|error| format!("stub: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

/// What one request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    body_bytes: usize,
    delay: Duration,
    is_head_only: bool,
}

/// The origin: its sockets, its answers, and those it is holding back.
pub struct Stub {
    args: StubArgs,
    poll: Poll,
    listener: OwnedFd,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    answers: Answers,
    delayed: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    next_serial: u64,
    buffer: Box<[u8]>,
}

struct Connection {
    socket: OwnedFd,
    /// Tells this connection from an earlier one in the same slot, to which a delayed answer may belong.
    serial: u64,
    reader: RequestReader,
    wish: Option<Wish>,
    /// Bytes read while an answer was held back or could not be written.
    unread: Vec<u8>,
    sending: Option<Sending>,
    is_delayed: bool,
    has_ended: bool,
}

/// An answer that the socket did not take whole.
struct Sending {
    answer: Rc<[u8]>,
    length: usize,
    sent: usize,
}

impl Stub {
    /// Listens; nothing is served yet.
    pub fn bind(args: &StubArgs) -> std::io::Result<Self> {
        let (poll, listener) = (Poll::new()?, net::listen(args.listen)?);
        poll.add_level(&listener, LISTENER_KEY)?;
        Ok(Self {
            args: args.clone(),
            poll,
            listener,
            connections: Vec::new(),
            free: Vec::new(),
            answers: Answers::new(args.status, args.chunked),
            delayed: BinaryHeap::new(),
            next_serial: 0,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
        })
    }

    /// Serves until polling fails.
    pub fn serve(&mut self) -> std::io::Result<()> {
        loop {
            let timeout = self.delayed.peek().map(|Reverse((due, ..))| due.saturating_duration_since(Instant::now()));
            self.poll.wait(timeout)?;
            for index in 0..self.poll.len() {
                let (key, flags) = self.poll.event(index);
                if key == LISTENER_KEY {
                    self.accept();
                } else {
                    self.handle_event(key as usize, flags);
                }
            }
            if !self.delayed.is_empty() {
                self.release_delayed(Instant::now());
            }
        }
    }

    fn accept(&mut self) {
        while let Some(socket) = net::accept(&self.listener) {
            let slot = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            self.next_serial += 1;
            if self.poll.add(&socket, slot as u64).is_ok() {
                self.connections[slot] = Some(Connection::new(socket, self.next_serial));
            } else {
                self.free.push(slot);
            }
        }
    }

    fn handle_event(&mut self, slot: usize, flags: EventFlags) {
        let Some(connection) = &mut self.connections[slot] else { return };
        connection.has_ended |= flags.intersects(ENDED);
        connection.flush();
        self.advance(slot);
    }

    /// Reads and answers until there is nothing to read, or an answer is in the way.
    fn advance(&mut self, slot: usize) {
        let Some(mut connection) = self.connections[slot].take() else { return };
        let mut is_open = true;
        if !connection.unread.is_empty() && connection.can_read() {
            let unread = std::mem::take(&mut connection.unread);
            is_open = self.handle_input(slot, &mut connection, &unread);
        }
        while is_open && connection.can_read() {
            let mut buffer = std::mem::take(&mut self.buffer);
            let moved = net::read(&connection.socket, &mut buffer);
            is_open = match moved {
                Moved::Bytes(count) => self.handle_input(slot, &mut connection, &buffer[..count]),
                Moved::Later => true,
                Moved::Ended => false,
            };
            let is_all = !matches!(moved, Moved::Bytes(count) if count == buffer.len() || connection.has_ended);
            self.buffer = buffer;
            if is_all {
                break;
            }
        }
        if is_open {
            self.connections[slot] = Some(connection);
        } else {
            self.free.push(slot);
        }
    }

    fn handle_input(&mut self, slot: usize, connection: &mut Connection, mut input: &[u8]) -> bool {
        while !input.is_empty() || connection.reader.is_in_body() {
            if !connection.can_read() {
                connection.unread.extend_from_slice(input);
                return true;
            }
            let Ok((used, event)) = connection.reader.handle_bytes(input) else { return false };
            match event {
                RequestEvent::Head(head) => connection.wish = Some(wish_of(head, &self.args)),
                RequestEvent::End => self.grant(slot, connection),
                RequestEvent::NeedMore => return true,
            }
            input = &input[used..];
        }
        true
    }

    fn grant(&mut self, slot: usize, connection: &mut Connection) {
        let Some(wish) = connection.wish else { return };
        if wish.delay.is_zero() {
            connection.send(&mut self.answers);
        } else {
            connection.is_delayed = true;
            self.delayed.push(Reverse((Instant::now() + wish.delay, slot, connection.serial)));
        }
    }

    fn release_delayed(&mut self, now: Instant) {
        while let Some(&Reverse((due, slot, serial))) = self.delayed.peek() {
            if due > now {
                return;
            }
            self.delayed.pop();
            if let Some(connection) = self.connections[slot].as_mut().filter(|other| other.serial == serial) {
                connection.is_delayed = false;
                connection.send(&mut self.answers);
                self.advance(slot);
            }
        }
    }
}

impl Connection {
    fn new(socket: OwnedFd, serial: u64) -> Self {
        let reader = RequestReader::default();
        Self {
            socket,
            serial,
            reader,
            wish: None,
            unread: Vec::new(),
            sending: None,
            is_delayed: false,
            has_ended: false,
        }
    }

    fn can_read(&self) -> bool {
        self.sending.is_none() && !self.is_delayed
    }

    fn send(&mut self, answers: &mut Answers) {
        let Some(wish) = self.wish.take() else { return };
        let (answer, length) = answers.find(wish);
        let sent = match net::write(&self.socket, &answer[..length]) {
            Moved::Bytes(count) => count,
            // A socket that failed reports its end by itself.
            Moved::Later | Moved::Ended => 0,
        };
        if sent < length {
            self.sending = Some(Sending { answer: Rc::clone(answer), length, sent });
        }
    }

    fn flush(&mut self) {
        let Some(sending) = &mut self.sending else { return };
        if let Moved::Bytes(count) = net::write(&self.socket, &sending.answer[sending.sent..sending.length]) {
            sending.sent += count;
        }
        if sending.sent == sending.length || self.has_ended {
            self.sending = None;
        }
    }
}

/// Answers built once for each size.
struct Answers {
    status: u16,
    is_chunked: bool,
    /// Size, bytes of the head, head and body. The one used last is first.
    built: Vec<(usize, usize, Rc<[u8]>)>,
}

impl Answers {
    fn new(status: u16, is_chunked: bool) -> Self {
        Self { status, is_chunked, built: Vec::new() }
    }

    /// The answer, and how much of it to send: only its head when HEAD asked.
    fn find(&mut self, wish: Wish) -> (&Rc<[u8]>, usize) {
        let at = self.built.iter().position(|(size, ..)| *size == wish.body_bytes).unwrap_or_else(|| {
            self.built.truncate(SIZES_KEPT_MAX - 1);
            let (head_bytes, answer) = build_answer(self.status, wish.body_bytes, self.is_chunked);
            self.built.push((wish.body_bytes, head_bytes, answer));
            self.built.len() - 1
        });
        self.built.swap(0, at);
        let (_, head_bytes, answer) = &self.built[0];
        (answer, if wish.is_head_only { *head_bytes } else { answer.len() })
    }
}

fn build_answer(status: u16, body_bytes: usize, is_chunked: bool) -> (usize, Rc<[u8]>) {
    let framing =
        if is_chunked { "Transfer-Encoding: chunked".to_owned() } else { format!("Content-Length: {body_bytes}") };
    let mut answer =
        format!("HTTP/1.1 {status} Stub\r\nContent-Type: application/octet-stream\r\n{framing}\r\n\r\n").into_bytes();
    let head_bytes = answer.len();
    let body = vec![b'r'; body_bytes];
    if is_chunked {
        for chunk in body.chunks(CHUNK_BYTES) {
            answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            answer.extend_from_slice(chunk);
            answer.extend_from_slice(b"\r\n");
        }
        answer.extend_from_slice(b"0\r\n\r\n");
    } else {
        answer.extend_from_slice(&body);
    }
    (head_bytes, answer.into())
}

fn wish_of(head: &[u8], args: &StubArgs) -> Wish {
    let mut wish = Wish { body_bytes: args.bytes, delay: Duration::from_millis(args.delay_ms), is_head_only: false };
    let Ok((method, target)) = start_line(head) else { return wish };
    wish.is_head_only = method == b"HEAD";
    if let Some(number) = target.strip_prefix(b"/bytes/").and_then(leading_number) {
        wish.body_bytes = number.min(BODY_BYTES_MAX);
    } else if let Some(number) = target.strip_prefix(b"/delay/").and_then(leading_number) {
        wish.delay = Duration::from_millis(number as u64);
    }
    wish
}

fn leading_number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_choose_size_and_delay() {
        let args = StubArgs { bytes: 7, ..StubArgs::plain(([127, 0, 0, 1], 0).into()) };
        let wish = |line: &str| wish_of(format!("{line} HTTP/1.1\r\n\r\n").as_bytes(), &args);
        let plain = Wish { body_bytes: 7, delay: Duration::ZERO, is_head_only: false };
        assert_eq!(wish("GET /"), plain);
        assert_eq!(wish("GET /bytes/64?x=1"), Wish { body_bytes: 64, ..plain });
        assert_eq!(wish("GET /delay/20"), Wish { delay: Duration::from_millis(20), ..plain });
        assert_eq!(wish("HEAD /bytes/x"), Wish { is_head_only: true, ..plain });
    }

    #[test]
    fn a_chunked_answer_carries_the_size_asked_for() {
        use crate::http::response::{Bodies, ResponseReader};
        let (_, answer) = build_answer(200, 40_000, true);
        let (used, read) = ResponseReader::new(Bodies::AsFramed).handle_bytes(&answer).unwrap();
        assert_eq!((used, read.map(|read| read.body_bytes)), (answer.len(), Some(40_000)));
    }
}
