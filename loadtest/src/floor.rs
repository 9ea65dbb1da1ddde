//! The floor: the least that any forwarder on this kernel must do for a request. This text is its definition.
//!
//! One thread, edge-triggered epoll, one hot 128 KiB read buffer, Content-Length framing only, nothing else:
//! no timers, no log, no header is read but Content-Length, none is changed. Each client connection has one
//! upstream connection of its own, opened on first use. What is left is the kernel's work: a read and a write
//! for the request, a read and a write for the answer, and a share of one wait. What a gateway costs above
//! this is its own doing.
//!
//! The responder is the floor of a gateway that answers by itself: a read, a write, a share of one wait.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use memchr::memmem;
use rustix::event::epoll::EventFlags;

use crate::affinity::Cpus;
use crate::net::{self, ENDED, Moved, Poll};

const BUFFER_BYTES: usize = 128 * 1024;
const LISTENER_KEY: u64 = u64::MAX;

/// `ringload floor`
#[derive(clap::Args)]
pub struct FloorArgs {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// Forward to this address.
    #[arg(long, required_unless_present = "respond", conflicts_with = "respond")]
    upstream: Option<SocketAddr>,
    /// Answer with this many bytes.
    #[arg(long, value_name = "BYTES")]
    respond: Option<usize>,
    /// Run on this processor only.
    #[arg(long)]
    cpu: Option<usize>,
}

/// Serves until the process is ended.
pub fn main(args: &FloorArgs) -> Result<ExitCode, String> {
    if let Some(cpu) = args.cpu {
        Cpus::one(cpu).confine_current_thread().map_err(|error| format!("processor {cpu}: {error}"))?;
    }
    let role = match (args.upstream, args.respond) {
        (Some(address), _) => Role::Forward(address),
        (None, body_bytes) => Role::Respond(fixed_answer(body_bytes.unwrap_or(0))),
    };
    Floor::new(args.listen, role).and_then(Floor::serve).map_err(|error| format!("floor: {error}"))
}

fn fixed_answer(body_bytes: usize) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body_bytes}\r\n\r\n")
            .into_bytes();
    answer.resize(answer.len() + body_bytes, b'x');
    answer
}

enum Role {
    Forward(SocketAddr),
    Respond(Vec<u8>),
}

struct Floor {
    poll: Poll,
    listener: OwnedFd,
    role: Role,
    links: Vec<Option<Link>>,
    free: Vec<usize>,
    buffer: Box<[u8]>,
}

/// A client and, once it has sent something, the upstream connection that is its own.
struct Link {
    client: Side,
    upstream: Option<Side>,
}

/// One socket: what it last sent of an unfinished message, and what it has not yet taken.
struct Side {
    socket: OwnedFd,
    /// Bytes of the current body still to come from this socket.
    body_left: usize,
    /// The beginning of a head that has not arrived whole.
    partial_head: Vec<u8>,
    /// What could not be written to this socket. While there is any, its partner is not read.
    unsent: Vec<u8>,
}

/// A link that has ended: closed by its peer, failed, or not understood.
struct Ended;

impl Floor {
    fn new(address: SocketAddr, role: Role) -> std::io::Result<Self> {
        let (poll, listener) = (Poll::new()?, net::listen(address)?);
        poll.add_level(&listener, LISTENER_KEY)?;
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Ok(Self { poll, listener, role, links: Vec::new(), free: Vec::new(), buffer })
    }

    fn serve(mut self) -> std::io::Result<ExitCode> {
        loop {
            self.poll.wait(None)?;
            for index in 0..self.poll.len() {
                let (key, flags) = self.poll.event(index);
                if key == LISTENER_KEY {
                    self.accept();
                } else {
                    self.handle_event(key, flags);
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Some(socket) = net::accept(&self.listener) {
            let slot = self.free.pop().unwrap_or_else(|| {
                self.links.push(None);
                self.links.len() - 1
            });
            if self.poll.add(&socket, (slot as u64) << 1).is_ok() {
                self.links[slot] = Some(Link { client: Side::new(socket), upstream: None });
            } else {
                self.free.push(slot);
            }
        }
    }

    /// The lowest bit of a key tells the upstream side from the client side. An event for a link that ended
    /// earlier in the same batch finds an empty slot, or a newcomer to whom it is one idle read.
    fn handle_event(&mut self, key: u64, flags: EventFlags) {
        let slot = (key >> 1) as usize;
        let Some(link) = &mut self.links[slot] else { return };
        let outcome = match &self.role {
            Role::Respond(answer) => link.client.respond(answer, flags, &mut self.buffer),
            Role::Forward(address) => link.forward(*address, &self.poll, key, flags, &mut self.buffer),
        };
        if outcome.is_err() {
            self.links[slot] = None;
            self.free.push(slot);
        }
    }
}

impl Link {
    fn forward(
        &mut self,
        address: SocketAddr,
        poll: &Poll,
        key: u64,
        flags: EventFlags,
        buffer: &mut [u8],
    ) -> Result<(), Ended> {
        let upstream = match &mut self.upstream {
            Some(upstream) => upstream,
            None => {
                let socket = net::connect(address).map_err(|_| Ended)?;
                poll.add(&socket, key | 1).map_err(|_| Ended)?;
                self.upstream.insert(Side::new(socket))
            }
        };
        let (near, far) = if key & 1 == 0 { (&mut self.client, upstream) } else { (upstream, &mut self.client) };
        if near.flush()? {
            far.forward_to(near, flags, buffer)?;
        }
        near.forward_to(far, flags, buffer)
    }
}

/// What one read brought.
struct Arrived {
    /// Bytes at the front of the buffer that are whole heads or parts of bodies.
    bytes: usize,
    /// Heads among them.
    heads: usize,
    /// The read came back short: there is no more for now, and asking again would cost a call.
    is_all: bool,
}

impl Side {
    fn new(socket: OwnedFd) -> Self {
        Self { socket, body_left: 0, partial_head: Vec::new(), unsent: Vec::new() }
    }

    fn respond(&mut self, answer: &[u8], flags: EventFlags, buffer: &mut [u8]) -> Result<(), Ended> {
        self.flush()?;
        while self.unsent.is_empty() {
            let Some(arrived) = self.read(buffer)? else { return Ok(()) };
            for _ in 0..arrived.heads {
                self.send(answer)?;
            }
            if arrived.is_all && !flags.intersects(ENDED) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn forward_to(&mut self, partner: &mut Self, flags: EventFlags, buffer: &mut [u8]) -> Result<(), Ended> {
        while partner.unsent.is_empty() {
            let Some(arrived) = self.read(buffer)? else { return Ok(()) };
            partner.send(&buffer[..arrived.bytes])?;
            if arrived.is_all && !flags.intersects(ENDED) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads behind the held beginning of a head, so that a head is always whole before it passes.
    fn read(&mut self, buffer: &mut [u8]) -> Result<Option<Arrived>, Ended> {
        let held = self.partial_head.len();
        buffer[..held].copy_from_slice(&self.partial_head);
        let count = match net::read(&self.socket, &mut buffer[held..]) {
            Moved::Bytes(count) => count,
            Moved::Later => return Ok(None),
            Moved::Ended => return Err(Ended),
        };
        self.partial_head.clear();
        let filled = held + count;
        let (bytes, heads) = self.frame(&buffer[..filled])?;
        if bytes < filled {
            self.partial_head.extend_from_slice(&buffer[bytes..filled]);
        }
        let is_full = self.partial_head.len() == buffer.len();
        if is_full { Err(Ended) } else { Ok(Some(Arrived { bytes, heads, is_all: filled < buffer.len() })) }
    }

    /// How far whole heads and their bodies reach, and how many heads there are.
    fn frame(&mut self, bytes: &[u8]) -> Result<(usize, usize), Ended> {
        let (mut at, mut heads) = (0, 0);
        loop {
            let body = self.body_left.min(bytes.len() - at);
            self.body_left -= body;
            at += body;
            if at == bytes.len() {
                return Ok((at, heads));
            }
            let Some(end) = memmem::find(&bytes[at..], b"\r\n\r\n") else { return Ok((at, heads)) };
            self.body_left = content_length(&bytes[at..at + end + 2])?;
            at += end + 4;
            heads += 1;
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let mut written = 0;
        if self.unsent.is_empty() && !bytes.is_empty() {
            match net::write(&self.socket, bytes) {
                Moved::Bytes(count) => written = count,
                Moved::Later => {}
                Moved::Ended => return Err(Ended),
            }
        }
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Writes what was left. True when something was and all of it has now gone.
    fn flush(&mut self) -> Result<bool, Ended> {
        if self.unsent.is_empty() {
            return Ok(false);
        }
        match net::write(&self.socket, &self.unsent) {
            Moved::Bytes(count) => drop(self.unsent.drain(..count)),
            Moved::Later => {}
            Moved::Ended => return Err(Ended),
        }
        Ok(self.unsent.is_empty())
    }
}

/// The number behind Content-Length, zero without one.
fn content_length(head: &[u8]) -> Result<usize, Ended> {
    const NAME: &[u8] = b"content-length:";
    for line in head.split(|&byte| byte == b'\n') {
        if line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME) {
            let digits = std::str::from_utf8(line[NAME.len()..].trim_ascii()).map_err(|_| Ended)?;
            return digits.parse().map_err(|_| Ended);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::run::options::{Expectation, Load};
    use crate::run::requests::Requests;
    use crate::run::{NoWatcher, measure};
    use crate::stub::{Stub, StubArgs};

    fn floor(role: Role) -> SocketAddr {
        let address = net::free_address().unwrap();
        let (bound, is_bound) = mpsc::channel();
        std::thread::spawn(move || {
            let floor = Floor::new(address, role).unwrap();
            bound.send(()).unwrap();
            floor.serve().unwrap();
        });
        is_bound.recv().unwrap();
        address
    }

    fn origin() -> SocketAddr {
        let address = net::free_address().unwrap();
        let (bound, is_bound) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stub = Stub::bind(&StubArgs::plain(address)).unwrap();
            bound.send(()).unwrap();
            stub.serve().unwrap();
        });
        is_bound.recv().unwrap();
        address
    }

    fn check(address: SocketAddr, path: &str, request_bytes: usize, answer_bytes: u64) {
        let body = vec![b'x'; request_bytes];
        let requests = Requests::build("POST", "floor:1", &[], &body, &[path.to_owned()]).unwrap();
        let mut load = Load::closed(address, requests, 4, Duration::from_millis(150));
        load.expectation = Expectation { status: Some(200), body_bytes: Some(answer_bytes) };
        let tally = measure(&load, &mut NoWatcher).unwrap();
        assert!(tally.completed > 0 && tally.errors.total() == 0, "{:?}", tally.errors);
    }

    #[test]
    fn bodies_larger_than_every_buffer_pass_whole_in_both_directions() {
        check(floor(Role::Forward(origin())), "/bytes/5000000", 3_000_000, 5_000_000);
    }

    #[test]
    fn the_responder_answers_each_head_once_whatever_its_body() {
        check(floor(Role::Respond(fixed_answer(5))), "/", 300_000, 5);
        check(floor(Role::Respond(fixed_answer(3_000_000))), "/", 0, 3_000_000);
    }

    #[test]
    fn content_length_is_found_in_any_case() {
        assert!(matches!(content_length(b"GET / HTTP/1.1\r\nX: 1\r\nCONTENT-length: 42\r\n"), Ok(42)));
        assert!(matches!(content_length(b"GET / HTTP/1.1\r\n"), Ok(0)));
        assert!(content_length(b"GET / HTTP/1.1\r\nContent-Length: x\r\n").is_err());
    }
}
