//! The client's request body: what came with the head, and how much is still to come.

use std::ops::Range;
use std::time::Duration;

use ringgate_core::base::limits::BODY_BYTES_PER_SECOND_MIN;
use ringgate_core::exchange::{BodyFailure, BodyShape};
use ringgate_core::proto::h1::{BodyDecoder, Framing, Refusal};

use super::inbuf::Inbuf;

/// A request body that may still be arriving.
pub struct ClientBody {
    decoder: BodyDecoder,
    framing: Framing,
    /// Content that is here already, within the in-buffer.
    pub here: Range<usize>,
    /// Bytes of the in-buffer that belong to this request, the head included, counted from the in-buffer's start.
    pub consumed: usize,
    /// Content seen so far.
    pub received: u64,
    /// How long its pieces were waited for.
    pub waited: Duration,
    /// The client waits for `100 Continue`.
    pub expects_continue: bool,
}

impl ClientBody {
    /// Decodes what already stands behind the head, in place: chunk framing is squeezed out so that the content lies in
    /// one piece.
    ///
    /// # Errors
    /// The fault in the framing.
    pub fn open(framing: Framing, expects_continue: bool, head_len: usize, inbuf: &mut Inbuf) -> Result<Self, Refusal> {
        let start = inbuf.start + head_len;
        let mut body = Self {
            decoder: BodyDecoder::new(framing),
            framing,
            here: start..start,
            consumed: head_len,
            received: 0,
            waited: Duration::ZERO,
            expects_continue,
        };
        while !body.decoder.is_done() && inbuf.start + body.consumed < inbuf.end {
            let at = inbuf.start + body.consumed;
            let step = body.decoder.decode(&inbuf.bytes[at..inbuf.end])?;
            let data = at + step.data.start..at + step.data.end;
            if data.start != body.here.end {
                inbuf.bytes.copy_within(data.clone(), body.here.end);
            }
            body.here.end += data.len();
            body.received += data.len() as u64;
            body.consumed += step.consumed;
            if step.consumed == 0 {
                break;
            }
        }
        Ok(body)
    }

    /// Whether all of it has arrived.
    pub fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// How it will be framed towards the origin.
    pub fn shape(&self) -> BodyShape {
        match self.framing {
            Framing::None | Framing::Length(0) => BodyShape::Empty,
            Framing::Length(length) => BodyShape::Length(length),
            _ if self.is_done() && self.received == 0 => BodyShape::Empty,
            _ if self.is_done() => BodyShape::Length(self.received),
            _ => BodyShape::Chunked,
        }
    }

    /// Most bytes that may be read without reading into the next request; `None` where the framing does not tell.
    pub fn bytes_left(&self) -> Option<u64> {
        self.decoder.bytes_left()
    }

    /// How long the next piece may take: `patience`, and less of it the slower the body came so far. So a client that
    /// sends a byte now and then does not keep its memory for ever.
    pub fn patience(&self, patience: Duration) -> Duration {
        let earned = Duration::from_millis(self.received.saturating_mul(1_000) / BODY_BYTES_PER_SECOND_MIN);
        patience.min(patience.saturating_add(earned).saturating_sub(self.waited))
    }

    /// Decodes further input: the range of content in it, and how much of it was consumed.
    ///
    /// # Errors
    /// [`BodyFailure::Malformed`], or [`BodyFailure::TooLarge`] once more than `bytes_max` came.
    pub fn decode(&mut self, input: &[u8], bytes_max: u64) -> Result<(Range<usize>, usize), BodyFailure> {
        let step = self.decoder.decode(input).map_err(|_| BodyFailure::Malformed)?;
        self.received += step.data.len() as u64;
        if self.received > bytes_max {
            return Err(BodyFailure::TooLarge);
        }
        Ok((step.data, step.consumed))
    }
}
