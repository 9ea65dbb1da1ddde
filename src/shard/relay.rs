//! Passing an origin's body on to the client.
//!
//! The response head is written into the free space before the body it precedes, and chunk framing around it, so that
//! what was read in one call leaves in one call, uncopied.

use std::ops::Range;

use ringgate_core::exchange::Framed;
use ringgate_core::proto::h1::encode_chunk_header;
use ringgate_core::proto::http::coding::{Encoder, Flush};
pub use ringgate_core::record::decision::Ended;

use super::Shard;
use super::effects::OriginAnswer;
use crate::net::buffers::{HEADROOM_BYTES, Size, TAILROOM_BYTES};
use crate::net::ring::{Shutdown, Socket};
use crate::net::timer::Deadline;

/// One response on its way.
pub struct Relay<'r> {
    pub(super) shard: &'r Shard,
    pub(super) client: &'r Socket,
    pub(super) client_deadline: &'r Deadline,
    pub(super) framed: Framed,
    pub(super) body_bytes_max: u64,
    /// The answer to HEAD: a head only.
    pub(super) is_head: bool,
}

impl Relay<'_> {
    /// Sends `head` and the body of `answer`. Gives the number of body bytes that came from the origin. The head is kept:
    /// chunk framing stands behind it for a moment, so that it needs no memory of its own.
    pub async fn run(&self, head: &mut Vec<u8>, answer: &mut OriginAnswer) -> (Ended, u64) {
        let is_bodiless = self.is_head || self.framed == Framed::Bodiless;
        if is_bodiless || (answer.decoder.is_done() && answer.received == 0 && self.framed != Framed::Chunked) {
            return (self.write_from(head, 0).await, 0);
        }
        let (mut from, end) = (0, head.len());
        loop {
            if answer.received > self.body_bytes_max {
                return (Ended::TooLarge, answer.received);
            }
            let ended = self.send_piece(head, from, answer).await;
            head.truncate(end);
            if ended != Ended::Complete || answer.decoder.is_done() {
                return (ended, answer.received);
            }
            from = end;
            if let Err(ended) = self.receive_piece(answer).await {
                return (ended, answer.received);
            }
        }
    }

    /// Sends `head` and the body of `answer`, encoded. Gives the number of bytes that the client got of it.
    pub async fn run_encoded(&self, head: &[u8], answer: &mut OriginAnswer, encoder: &mut Encoder) -> (Ended, u64) {
        // Where nobody knows how long the origin takes for the rest, the client gets what there is.
        let flush = if answer.decoder.bytes_left().is_some() { Flush::Later } else { Flush::Now };
        let (mut encoded, mut out, mut sent) = (Vec::new(), head.to_vec(), 0);
        loop {
            if answer.received > self.body_bytes_max {
                return (Ended::TooLarge, sent);
            }
            let is_last = answer.decoder.is_done();
            encoded.clear();
            let flush = if is_last { Flush::End } else { flush };
            encoder.encode(&answer.buffer[answer.here.clone()], flush, &mut encoded);
            sent += encoded.len() as u64;
            self.frame_encoded(&encoded, is_last, &mut out);
            let all = 0..out.len();
            let (ended, lent) = self.write(out, all).await;
            out = lent;
            if ended != Ended::Complete || is_last {
                return (ended, sent);
            }
            out.clear();
            if let Err(ended) = self.receive_piece(answer).await {
                return (ended, sent);
            }
        }
    }

    fn frame_encoded(&self, encoded: &[u8], is_last: bool, out: &mut Vec<u8>) {
        if self.framed != Framed::Chunked {
            return out.extend_from_slice(encoded);
        }
        if !encoded.is_empty() {
            encode_chunk_header(encoded.len(), out);
            out.extend_from_slice(encoded);
            out.extend_from_slice(b"\r\n");
        }
        if is_last {
            out.extend_from_slice(b"0\r\n\r\n");
        }
    }

    /// Reads from the origin, which must keep sending: each piece has the patience of a body. `false`: it ended.
    async fn read_into(&self, answer: &mut OriginAnswer, room: Range<usize>) -> Result<bool, Ended> {
        let patience = self.shard.clock.recent() + self.shard.settings.body_timeout;
        let deadline = &answer.origin.connection.deadline;
        deadline.set(patience, Shutdown::Both);
        (answer.next, answer.end) = (room.start, room.start);
        let buffer = std::mem::take(&mut answer.buffer);
        let (read, buffer) = answer.origin.connection.stream.read(buffer, room).await;
        answer.buffer = buffer;
        match read {
            Ok(0) if answer.origin.connection.deadline.has_fired() => Err(Ended::OriginBroke),
            Ok(count) => {
                answer.end += count;
                Ok(count > 0)
            }
            Err(_) => Err(Ended::OriginBroke),
        }
    }

    /// Frames and writes `answer.here`, with `before[from..]` before it.
    async fn send_piece(&self, before: &mut Vec<u8>, from: usize, answer: &mut OriginAnswer) -> Ended {
        let end = if self.framed == Framed::Chunked { frame_chunk(before, answer) } else { answer.here.end };
        let mut start = answer.here.start;
        let prefix = before.get(from..).unwrap_or_default();
        if prefix.len() <= start {
            start -= prefix.len();
            answer.buffer[start..answer.here.start].copy_from_slice(prefix);
        } else {
            let ended = self.write_from(before, from).await;
            if ended != Ended::Complete {
                return ended;
            }
        }
        let buffer = std::mem::take(&mut answer.buffer);
        let (ended, buffer) = self.write(buffer, start..end).await;
        answer.buffer = buffer;
        answer.here = HEADROOM_BYTES..HEADROOM_BYTES;
        ended
    }

    /// Writes `bytes[from..]`, which are lent for it.
    async fn write_from(&self, bytes: &mut Vec<u8>, from: usize) -> Ended {
        let rest = from..bytes.len();
        let (ended, lent) = self.write(std::mem::take(bytes), rest).await;
        *bytes = lent;
        ended
    }

    /// Writes to the client, for which it has the time of a body.
    pub async fn write(&self, buffer: Vec<u8>, range: Range<usize>) -> (Ended, Vec<u8>) {
        if range.is_empty() {
            return (Ended::Complete, buffer);
        }
        self.client_deadline.set(self.shard.clock.recent() + self.shard.settings.body_timeout, Shutdown::Both);
        let (written, buffer) = self.client.write_all(buffer, range).await;
        self.client_deadline.clear();
        (if written.is_ok() { Ended::Complete } else { Ended::ClientGone }, buffer)
    }

    /// What did not fit a small buffer goes on in a large one, if there is one.
    fn enlarge(&self, answer: &mut OriginAnswer) {
        if answer.size == Size::Head
            && let Ok(large) = self.shard.buffers.lend(Size::Body)
        {
            let small = std::mem::replace(&mut answer.buffer, large);
            self.shard.buffers.take_back(Size::Head, small);
            answer.size = Size::Body;
        }
    }

    /// Reads and decodes until there is content to send or the body has ended.
    async fn receive_piece(&self, answer: &mut OriginAnswer) -> Result<(), Ended> {
        answer.here = HEADROOM_BYTES..HEADROOM_BYTES;
        self.enlarge(answer);
        while answer.here.is_empty() && !answer.decoder.is_done() {
            let room = HEADROOM_BYTES..answer.size.bytes() - TAILROOM_BYTES;
            if self.read_into(answer, room).await? {
                answer.decode().map_err(|_| Ended::OriginBroke)?;
            } else {
                answer.decoder.handle_end().map_err(|_| Ended::OriginBroke)?;
            }
        }
        Ok(())
    }
}

/// Appends the chunk header to `prefix` and puts the chunk's end, and the last chunk, behind the content. Gives the new
/// end. Trailers of the origin end here: the client was promised none.
fn frame_chunk(prefix: &mut Vec<u8>, answer: &mut OriginAnswer) -> usize {
    let mut end = answer.here.end;
    let mut put = |bytes: &[u8], end: &mut usize| {
        answer.buffer[*end..*end + bytes.len()].copy_from_slice(bytes);
        *end += bytes.len();
    };
    if !answer.here.is_empty() {
        encode_chunk_header(answer.here.len(), prefix);
        put(b"\r\n", &mut end);
    }
    if answer.decoder.is_done() {
        put(b"0\r\n\r\n", &mut end);
    }
    end
}
