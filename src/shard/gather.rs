//! Whole bodies: read to their end before anything is done with them. What is gathered counts towards the memory cap.

use ringgate_core::exchange::{BodyFailure, CallFailure};

use super::effects::{OriginAnswer, ShardEffects};
use crate::net::buffers::Size;
use crate::net::ring::Shutdown;

impl ShardEffects<'_> {
    pub(super) async fn gather_body(&mut self, into: &mut Vec<u8>) -> Result<(), BodyFailure> {
        let here = &self.inbuf.bytes[self.body.here.clone()];
        self.claim.grow(here.len()).map_err(|_| BodyFailure::OutOfMemory)?;
        into.extend_from_slice(here);
        if self.body.is_done() {
            return Ok(());
        }
        self.invite_body().await?;
        let size = size_for(self.body.bytes_left());
        let mut buffer = self.shard.lend(size).map_err(|_| BodyFailure::OutOfMemory)?;
        let mut result = Ok(());
        while result.is_ok() && !self.body.is_done() {
            let (read, lent) = self.read_client(buffer).await;
            buffer = lent;
            result = read.and_then(|count| {
                self.claim.grow(count).map_err(|_| BodyFailure::OutOfMemory)?;
                self.take_pieces(&buffer[..count], |piece| into.extend_from_slice(piece))
            });
        }
        self.shard.buffers.take_back(size, buffer);
        result
    }

    pub(super) async fn gather_answer(&mut self, into: &mut Vec<u8>) -> Result<(), CallFailure> {
        let mut answer = self.answer.take().expect("asked for only after a call that succeeded");
        answer.origin.connection.deadline.set(self.call_deadline, Shutdown::Both);
        let result = self.gather_from(&mut answer, into).await;
        let is_late = answer.origin.connection.deadline.has_fired();
        answer.origin.connection.deadline.clear();
        self.answer = Some(answer);
        if is_late { Err(CallFailure::Timeout) } else { result }
    }

    async fn gather_from(&mut self, answer: &mut OriginAnswer, into: &mut Vec<u8>) -> Result<(), CallFailure> {
        answer.decode().map_err(|refusal| self.shard.broken_answer(refusal))?;
        self.claim.grow(answer.here.len()).map_err(|_| CallFailure::OutOfMemory)?;
        into.extend_from_slice(&answer.buffer[answer.here.clone()]);
        answer.here.end = answer.here.start;
        if answer.decoder.is_done() {
            return self.check_size(answer);
        }
        let size = size_for(answer.decoder.bytes_left());
        let mut buffer = self.shard.lend(size).map_err(|_| CallFailure::OutOfMemory)?;
        let mut result = Ok(());
        while result.is_ok() && !answer.decoder.is_done() {
            let all = 0..buffer.len();
            let (read, lent) = answer.origin.connection.stream.read(buffer, all).await;
            buffer = lent;
            result = match read {
                Ok(0) => answer.decoder.handle_end().map_err(|_| CallFailure::Network),
                Ok(count) => self.take_answer(answer, &buffer[..count], into),
                Err(_) => Err(CallFailure::Network),
            };
        }
        self.shard.buffers.take_back(size, buffer);
        result
    }

    fn take_answer(
        &mut self,
        answer: &mut OriginAnswer,
        mut input: &[u8],
        into: &mut Vec<u8>,
    ) -> Result<(), CallFailure> {
        self.claim.grow(input.len()).map_err(|_| CallFailure::OutOfMemory)?;
        while !input.is_empty() && !answer.decoder.is_done() {
            let step = answer.decoder.decode(input).map_err(|refusal| self.shard.broken_answer(refusal))?;
            answer.received += step.data.len() as u64;
            into.extend_from_slice(&input[step.data.clone()]);
            if step.consumed == 0 {
                break;
            }
            input = &input[step.consumed..];
        }
        // What follows the answer was not asked for: its connection serves nobody else.
        answer.origin.is_spent |= !input.is_empty();
        self.check_size(answer)
    }

    fn check_size(&self, answer: &OriginAnswer) -> Result<(), CallFailure> {
        if answer.received > self.snapshot.limits.response_body_bytes_max { Err(CallFailure::TooLarge) } else { Ok(()) }
    }
}

/// The buffer to read a rest of this length with.
fn size_for(left: Option<u64>) -> Size {
    match left {
        Some(left) if left <= Size::Head.bytes() as u64 => Size::Head,
        _ => Size::Body,
    }
}
