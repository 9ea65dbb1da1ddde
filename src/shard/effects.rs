//! What an exchange asks of the world, given on this shard's ring.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ringgate_core::base::Instant;
use ringgate_core::base::limits::HEAD_BUFFER_BYTES;
use ringgate_core::exchange::{
    Answer, BodyFailure, BodyShape, Call, CallBody, CallFailure, CallTrace, Effects, Renderer,
};
use ringgate_core::plan::{Snapshot, UpstreamSlot};
use ringgate_core::proto::h1::{
    BodyDecoder, HeadLimits, Progress, Refusal, ResponseHead, encode_chunk_header, parse_response,
};
use ringgate_core::proto::http::Method;
use ringgate_core::proto::http::coding::{Coding, Encoder};

use super::Shard;
use super::body::ClientBody;
use super::inbuf::Inbuf;
use crate::net::buffers::{Claim, HEADROOM_BYTES, Size, TAILROOM_BYTES};
use crate::net::client::pool::Connection;
use crate::net::ring::{Shutdown, Socket};
use crate::net::timer::Deadline;

/// A body up to this size is kept until the head of the answer has come, so that the call can be made again.
const HELD_BODY_BYTES_MAX: usize = 64 * 1024;
/// Responses of class 1xx before the answer, at most; each costs a head's work.
const INFORMATIONAL_MAX: u32 = 16;

/// Answers up to this size, head included, are read into a small buffer, which is held while waiting for them.
pub(super) const SMALL_ANSWER_BYTES_MAX: u64 = (HEAD_BUFFER_BYTES - HEADROOM_BYTES - TAILROOM_BYTES - 4_096) as u64;

/// An origin's answer whose head has been read.
pub struct OriginAnswer {
    /// The connection it comes on.
    pub origin: Origin,
    /// The buffer: `bytes[head_start..]` begins with the head.
    pub buffer: Vec<u8>,
    /// Which of the two sizes it has.
    pub size: Size,
    head_start: usize,
    /// Content that is here already, in one piece.
    pub here: std::ops::Range<usize>,
    /// End of what was read; beyond `here` it is not consumed yet.
    pub end: usize,
    /// Start of what is not consumed yet.
    pub next: usize,
    /// Finds the content in what is still to come.
    pub decoder: BodyDecoder,
    /// Content seen so far.
    pub received: u64,
}

/// A connection to an origin while an exchange uses it.
pub struct Origin {
    /// The connection.
    pub connection: Connection,
    /// Its pool.
    pub upstream: UpstreamSlot,
    /// Our side has ended, or broken off within a request: it serves nobody else.
    pub is_spent: bool,
}

/// One request's view of the shard.
pub struct ShardEffects<'e> {
    pub(super) shard: &'e Shard,
    pub(super) client: &'e Socket,
    pub(super) client_deadline: &'e Deadline,
    pub(super) inbuf: &'e Inbuf,
    pub(super) body: &'e mut ClientBody,
    pub(super) answer_head: &'e mut ResponseHead,
    pub(super) answer: Option<OriginAnswer>,
    /// What was read from the client beyond the end of this request.
    pub(super) overread: &'e mut Vec<u8>,
    /// Memory of whole bodies and of encoders.
    pub(super) claim: Claim<'e>,
    /// When the last call runs out of time.
    pub(super) call_deadline: Instant,
    /// How the call went, for the decision record.
    pub(super) trace: CallTrace,
    /// The version that serves it.
    pub(super) snapshot: &'e Snapshot,
}

/// Why one attempt failed.
enum Attempt {
    /// The connection had been used before and died before the first byte of an answer.
    Stale {
        /// Nothing of the request left this process.
        nothing_written: bool,
    },
    Failed(CallFailure),
}

impl Effects for ShardEffects<'_> {
    fn now(&self) -> Instant {
        self.shard.clock.now()
    }

    fn draw(&mut self) -> u64 {
        self.shard.random.next()
    }

    async fn call(&mut self, mut call: Call<'_>) -> Result<(), CallFailure> {
        let deadline = self.shard.clock.recent() + call.timeout;
        self.call_deadline = deadline;
        let head_len = call.request.len();
        let mut may_reuse = true;
        loop {
            self.trace.attempts += 1;
            let mut origin = match self.shard.origin(self.snapshot, call.upstream, deadline, may_reuse).await {
                Ok(origin) => origin,
                Err(failure) => return Err(self.failed(call.upstream, failure)),
            };
            self.connected(&origin);
            origin.connection.deadline.set(deadline, Shutdown::Both);
            match self.attempt(&mut origin, &mut call, head_len).await {
                Ok(received) => {
                    // It was for the head; what follows has the patience of a body.
                    origin.connection.deadline.clear();
                    self.answer = Some(OriginAnswer::open(origin, received, self.answer_head));
                    return Ok(());
                }
                Err(attempt) => {
                    let is_late = origin.connection.deadline.has_fired();
                    let address = origin.connection.address;
                    self.shard.close_origin(origin);
                    match attempt {
                        _ if is_late => return Err(self.failed(call.upstream, CallFailure::Timeout)),
                        Attempt::Stale { nothing_written } if may_reuse && self.may_retry(&call, nothing_written) => {
                            self.shard.counters.origin_retries.increment();
                            may_reuse = false;
                            call.request.truncate(head_len);
                        }
                        Attempt::Stale { .. } => return Err(self.failed(call.upstream, CallFailure::Network)),
                        Attempt::Failed(failure) => {
                            if failure == CallFailure::Network {
                                self.shard.set_aside(call.upstream, address);
                            }
                            return Err(self.failed(call.upstream, failure));
                        }
                    }
                }
            }
        }
    }

    fn uploaded(&self) -> Option<Instant> {
        self.trace.uploaded
    }

    fn answer(&self) -> Answer<'_> {
        let answer = self.answer.as_ref().expect("asked for only after a call that succeeded");
        let length = if answer.decoder.is_done() { Some(answer.received) } else { self.answer_head.content_length };
        Answer { head: self.answer_head, bytes: &answer.buffer[answer.head_start..], length }
    }

    fn can_serve_again(&self) -> bool {
        self.body.is_done() && !self.shard.is_draining()
    }

    async fn read_body(&mut self, into: &mut Vec<u8>) -> Result<(), BodyFailure> {
        self.gather_body(into).await
    }

    async fn read_answer(&mut self, into: &mut Vec<u8>) -> Result<(), CallFailure> {
        self.gather_answer(into).await
    }

    fn with_renderer<R>(&self, run: impl FnOnce(&mut Renderer) -> R) -> R {
        self.shard.renderer.with(run)
    }

    fn lend_encoder(&mut self, coding: Coding) -> Option<Box<Encoder>> {
        self.claim.grow(Encoder::BYTES).inspect_err(|_| self.shard.counters.shed_memory.increment()).ok()?;
        Some(self.shard.lend_encoder(coding))
    }

    fn take_back_encoder(&mut self, encoder: Box<Encoder>) {
        self.claim.shrink(Encoder::BYTES);
        self.shard.take_back_encoder(encoder);
    }
}

/// An answer without its connection.
struct Received {
    buffer: Vec<u8>,
    size: Size,
    head_start: usize,
    end: usize,
}

impl ShardEffects<'_> {
    /// The client's body, or what of it came with the head.
    pub(super) fn body_at_hand(&self) -> &[u8] {
        &self.inbuf.bytes[self.body.here.clone()]
    }

    fn connected(&mut self, origin: &Origin) {
        self.trace.address = Some(origin.connection.address);
        self.trace.is_reused = origin.connection.is_reused;
        // Only connecting takes time worth a look at the clock.
        self.trace.connected = (!origin.connection.is_reused).then(|| self.shard.clock.now());
    }

    /// Remembers the origin's health along with its failure.
    fn failed(&mut self, upstream: UpstreamSlot, failure: CallFailure) -> CallFailure {
        self.shard.note_health(upstream, &mut self.trace);
        failure
    }

    /// The retry rule: once, on a fresh connection, if nothing was sent or sending twice does no harm and the body is
    /// still here.
    fn may_retry(&self, call: &Call<'_>, nothing_written: bool) -> bool {
        let body_is_held = call.body == CallBody::Own
            || (self.body.is_done()
                && self.body.here.len() as u64 == self.body.received
                && self.body.here.len() <= HELD_BODY_BYTES_MAX);
        body_is_held && (nothing_written || call.is_idempotent)
    }

    async fn attempt(
        &mut self,
        origin: &mut Origin,
        call: &mut Call<'_>,
        head_len: usize,
    ) -> Result<Received, Attempt> {
        debug_assert_eq!(call.request.len(), head_len);
        let is_reused = origin.connection.is_reused;
        let streams = call.body == CallBody::Clients && !self.body.is_done();
        let chunked = self.body.shape() == BodyShape::Chunked;
        if call.body == CallBody::Clients {
            let here = &self.inbuf.bytes[self.body.here.clone()];
            append_piece(here, chunked, call.request);
        }
        let all = 0..call.request.len();
        let (written, request) = origin.connection.stream.write_all(std::mem::take(call.request), all).await;
        *call.request = request;
        if written.is_err() {
            // Whatever the peer had to say may still be there to be read, but a connection that was closed while idle is
            // the usual reason: then nothing of the request was processed.
            return Err(if is_reused { Attempt::Stale { nothing_written: false } } else { network() });
        }
        if streams {
            // Boxed because it is rare, as connecting is.
            origin.is_spent = Box::pin(self.upload(origin, chunked, call.timeout)).await?;
            let now = self.shard.clock.now();
            self.trace.uploaded = Some(now);
            self.call_deadline = now + call.timeout;
            origin.connection.deadline.set(self.call_deadline, Shutdown::Both);
        }
        self.receive_head(origin, call.is_head).await
    }

    /// Passes the rest of the client's body on while watching for an early answer. `true`: the origin did not get all of
    /// it.
    async fn upload(&mut self, origin: &Origin, chunked: bool, timeout: Duration) -> Result<bool, Attempt> {
        self.invite_body().await.map_err(body_failed)?;
        let client_deadline = self.client_deadline;
        let stream = &origin.connection.stream;
        let early = {
            let mut upload = pin!(self.pump(origin, chunked, timeout));
            let mut answered = pin!(stream.readable());
            let mut early = false;
            let result = std::future::poll_fn(|context| {
                if let Poll::Ready(result) = upload.as_mut().poll(context) {
                    return Poll::Ready(result);
                }
                if !early && answered.as_mut().poll(context).is_ready() {
                    // The answer came before the body was sent: the origin does not want the rest. What is under way is
                    // ended and awaited, not dropped.
                    early = true;
                    client_deadline.cancel();
                    stream.socket().shutdown(Shutdown::Write);
                    return upload.as_mut().poll(context);
                }
                Poll::Pending
            })
            .await;
            match result {
                _ if early => true,
                Ok(()) => false,
                // The origin stopped reading; it may have said why.
                Err(PumpFailure::Origin) => true,
                Err(PumpFailure::Client(failure)) => return Err(body_failed(failure)),
            }
        };
        if early {
            self.shard.counters.early_answers.increment();
        }
        Ok(early)
    }

    /// The origin has `timeout` for each piece; what the client takes for the next one is not its time.
    async fn pump(&mut self, origin: &Origin, chunked: bool, timeout: Duration) -> Result<(), PumpFailure> {
        let lend = |size| self.shard.lend(size).map_err(|_| PumpFailure::Client(BodyFailure::OutOfMemory));
        let size = if self.body.bytes_left().is_some() { Size::Body } else { Size::Head };
        let mut buffer = lend(size)?;
        let mut outgoing = Vec::new();
        let mut result = Ok(());
        while result.is_ok() && !self.body.is_done() {
            origin.connection.deadline.clear();
            let (read, lent) = self.read_client(buffer).await;
            origin.connection.deadline.set(self.shard.clock.now() + timeout, Shutdown::Both);
            buffer = lent;
            result = match read {
                Err(failure) => Err(PumpFailure::Client(failure)),
                Ok(count) if !chunked => {
                    let (sent, lent) = self.pass_plain(origin, buffer, count).await;
                    buffer = lent;
                    sent
                }
                Ok(count) => {
                    outgoing.clear();
                    let taken = self.take_pieces(&buffer[..count], |piece| append_piece(piece, true, &mut outgoing));
                    match taken {
                        Err(failure) => Err(PumpFailure::Client(failure)),
                        Ok(()) => {
                            if self.body.is_done() {
                                outgoing.extend_from_slice(b"0\r\n\r\n");
                            }
                            let all = 0..outgoing.len();
                            let (written, lent) = origin.connection.stream.write_all(outgoing, all).await;
                            outgoing = lent;
                            written.map_err(|_| PumpFailure::Origin)
                        }
                    }
                }
            };
        }
        self.shard.buffers.take_back(size, buffer);
        result
    }

    /// A piece of a body with a length needs no other framing: the buffer itself is passed on.
    async fn pass_plain(
        &mut self,
        origin: &Origin,
        buffer: Vec<u8>,
        count: usize,
    ) -> (Result<(), PumpFailure>, Vec<u8>) {
        let taken = self.body.decode(&buffer[..count], self.snapshot.limits.request_body_bytes_max);
        let data = match taken {
            Ok((data, consumed)) => {
                self.overread.extend_from_slice(&buffer[consumed..count]);
                data
            }
            Err(failure) => return (Err(PumpFailure::Client(failure)), buffer),
        };
        let (written, buffer) = origin.connection.stream.write_all(buffer, data).await;
        (written.map_err(|_| PumpFailure::Origin), buffer)
    }

    /// Reads from the client into the whole buffer, not beyond this body where its length is known.
    pub(super) async fn read_client(&mut self, buffer: Vec<u8>) -> (Result<usize, BodyFailure>, Vec<u8>) {
        let began = self.shard.clock.now();
        let patience = self.body.patience(self.shard.settings.body_timeout);
        self.client_deadline.set(began + patience, Shutdown::Read);
        let left = self.body.bytes_left().and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
        let room = 0..buffer.len().min(left);
        // Given up when the rest is not wanted any more; the socket stays open to linger on.
        let cancel = self.client_deadline.cancellable();
        let (read, buffer) = self.client.read_until_cancelled(buffer, room, cancel).await;
        self.client_deadline.clear();
        self.body.waited += self.shard.clock.now().since(began);
        let result = match read {
            Ok(0) | Err(_) if self.client_deadline.has_fired() => {
                self.shard.counters.body_timeouts.increment();
                Err(BodyFailure::Timeout)
            }
            Ok(0) | Err(_) => Err(BodyFailure::Gone),
            Ok(count) => Ok(count),
        };
        (result, buffer)
    }

    /// Decodes input piece by piece; what belongs to the next request is kept.
    pub(super) fn take_pieces(&mut self, mut input: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), BodyFailure> {
        while !input.is_empty() && !self.body.is_done() {
            let (data, consumed) = self.body.decode(input, self.snapshot.limits.request_body_bytes_max)?;
            take(&input[data]);
            input = &input[consumed..];
            if consumed == 0 {
                break;
            }
        }
        self.overread.extend_from_slice(input);
        Ok(())
    }

    /// Answers an expectation (RFC 9110 section 10.1.1), once, and only when the body is really wanted.
    pub(super) async fn invite_body(&mut self) -> Result<(), BodyFailure> {
        if !std::mem::take(&mut self.body.expects_continue) {
            return Ok(());
        }
        let line = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
        let all = 0..line.len();
        self.client.write_all(line, all).await.0.map_err(|_| BodyFailure::Gone)
    }

    async fn receive_head(&mut self, origin: &mut Origin, is_head: bool) -> Result<Received, Attempt> {
        let mut received = self.prepare_to_receive(origin).await?;
        self.answer_head.clear();
        match self.read_head(origin, &mut received, is_head).await {
            Ok(()) => Ok(received),
            Err(attempt) => {
                self.shard.buffers.take_back(received.size, received.buffer);
                Err(attempt)
            }
        }
    }

    /// A small answer is waited for with its buffer in hand, which saves an operation; for a large one the large buffer
    /// is taken when it is there, so that waiting holds little.
    async fn prepare_to_receive(&self, origin: &Origin) -> Result<Received, Attempt> {
        let size = if self.shard.expects_much(origin.upstream) { Size::Body } else { Size::Head };
        if size == Size::Body {
            origin.connection.stream.readable().await.map_err(|_| network())?;
        }
        let lent = self.shard.lend(size);
        let buffer = lent.map_err(|_| Attempt::Failed(CallFailure::OutOfMemory))?;
        Ok(Received { buffer, size, head_start: HEADROOM_BYTES, end: HEADROOM_BYTES })
    }

    async fn read_head(&mut self, origin: &Origin, received: &mut Received, is_head: bool) -> Result<(), Attempt> {
        let is_reused = origin.connection.is_reused;
        loop {
            let room = received.end..received.size.bytes() - TAILROOM_BYTES;
            let buffer = std::mem::take(&mut received.buffer);
            let (read, buffer) = origin.connection.stream.read(buffer, room).await;
            received.buffer = buffer;
            match read {
                Ok(0) | Err(_) if received.end == HEADROOM_BYTES && is_reused => {
                    return Err(Attempt::Stale { nothing_written: false });
                }
                Ok(0) | Err(_) => return Err(network()),
                Ok(count) => received.end += count,
            }
            match self.parse_head(received, is_head) {
                Ok(Progress::Complete(_)) => return Ok(()),
                Ok(Progress::Partial) => self.make_room(received)?,
                Err(failure) => return Err(Attempt::Failed(failure)),
            }
        }
    }

    /// A head that fills the small buffer goes on in a large one.
    fn make_room(&self, received: &mut Received) -> Result<(), Attempt> {
        if received.end < received.size.bytes() - TAILROOM_BYTES {
            return Ok(());
        }
        if received.size == Size::Body {
            return Err(Attempt::Failed(CallFailure::Protocol));
        }
        let lent = self.shard.lend(Size::Body);
        let mut large = lent.map_err(|_| Attempt::Failed(CallFailure::OutOfMemory))?;
        large[..received.end].copy_from_slice(&received.buffer[..received.end]);
        let small = std::mem::replace(&mut received.buffer, large);
        self.shard.buffers.take_back(received.size, small);
        received.size = Size::Body;
        Ok(())
    }

    /// Parses the head, passing over interim responses (RFC 9110 section 15.2).
    fn parse_head(&mut self, received: &mut Received, is_head: bool) -> Result<Progress, CallFailure> {
        for _ in 0..INFORMATIONAL_MAX {
            let bytes = &received.buffer[received.head_start..received.end];
            let method = if is_head { Method::Head } else { Method::Get };
            let progress = parse_response(bytes, &HeadLimits::for_origin(), method, self.answer_head)
                .map_err(|refusal| self.shard.broken_answer(refusal))?;
            let Progress::Complete(len) = progress else { return Ok(progress) };
            // Nobody asked for another protocol.
            if self.answer_head.is_switch() {
                return Err(CallFailure::Protocol);
            }
            if !self.answer_head.is_informational() {
                return Ok(progress);
            }
            received.head_start += len;
            self.answer_head.clear();
        }
        Err(CallFailure::Protocol)
    }
}

impl OriginAnswer {
    /// Whether it was read to its end, nothing came after it, and its connection can serve again.
    pub fn is_exhausted(&self) -> bool {
        self.decoder.is_done() && self.next == self.end && !self.origin.is_spent
    }

    /// Decodes the content that came with the head.
    fn open(origin: Origin, received: Received, head: &ResponseHead) -> Self {
        let Received { buffer, size, head_start, end } = received;
        let next = head_start + head.len;
        let decoder = BodyDecoder::new(head.framing);
        let mut answer = Self { origin, buffer, size, head_start, here: next..next, end, next, decoder, received: 0 };
        // A fault in the framing shows again, to the relay, which is where it is answered.
        let _ = answer.decode();
        answer
    }

    /// Content that is here and was not passed on yet.
    pub fn content_here(&self) -> &[u8] {
        self.buffer.get(self.here.clone()).unwrap_or_default()
    }

    /// Decodes what was read and not consumed yet, and moves its content together behind [`OriginAnswer::here`].
    ///
    /// # Errors
    /// The fault in the framing.
    pub fn decode(&mut self) -> Result<(), Refusal> {
        while !self.decoder.is_done() && self.next < self.end {
            let step = self.decoder.decode(&self.buffer[self.next..self.end])?;
            let data = self.next + step.data.start..self.next + step.data.end;
            let count = data.len();
            if data.start != self.here.end {
                self.buffer.copy_within(data, self.here.end);
            }
            self.here.end += count;
            self.received += count as u64;
            self.next += step.consumed;
            if step.consumed == 0 {
                break;
            }
        }
        Ok(())
    }
}

enum PumpFailure {
    Client(BodyFailure),
    Origin,
}

fn network() -> Attempt {
    Attempt::Failed(CallFailure::Network)
}

fn body_failed(failure: BodyFailure) -> Attempt {
    Attempt::Failed(CallFailure::Body(failure))
}

fn append_piece(piece: &[u8], chunked: bool, out: &mut Vec<u8>) {
    if !chunked {
        out.extend_from_slice(piece);
    } else if !piece.is_empty() {
        encode_chunk_header(piece.len(), out);
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
}
