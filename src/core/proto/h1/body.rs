//! One decoder for every framing.

use super::chunked::{Chunked, Step};
use super::framing::Framing;
use super::refusal::Refusal;

/// Finds the content of one message in the bytes behind its head, and where the message ends.
#[derive(Clone, Debug)]
pub struct BodyDecoder {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Length { left: u64 },
    Chunked(Chunked),
    UntilClose { is_closed: bool },
}

impl BodyDecoder {
    /// For a body framed as `framing` says.
    pub fn new(framing: Framing) -> Self {
        let kind = match framing {
            Framing::None => Kind::Length { left: 0 },
            Framing::Length(left) => Kind::Length { left },
            Framing::Chunked => Kind::Chunked(Chunked::new()),
            Framing::UntilClose => Kind::UntilClose { is_closed: false },
        };
        Self { kind }
    }

    /// Takes input from the end of the head, or of what was consumed before, on. Bytes not consumed after the end belong
    /// to the next message; bytes not consumed before it have to be given again.
    pub fn decode(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        let step = match &mut self.kind {
            Kind::Length { left } => {
                let len = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= len as u64;
                Step { consumed: len, data: 0..len, ended: *left == 0 }
            }
            Kind::Chunked(chunked) => chunked.decode(input)?,
            Kind::UntilClose { is_closed: true } => Step { ended: true, ..Step::default() },
            Kind::UntilClose { is_closed: false } => Step { consumed: input.len(), data: 0..input.len(), ended: false },
        };
        self.check_invariants(input, &step);
        Ok(step)
    }

    /// The input ended: the end of a body that lasts until then, a message cut short otherwise.
    pub fn handle_end(&mut self) -> Result<(), Refusal> {
        if let Kind::UntilClose { is_closed } = &mut self.kind {
            *is_closed = true;
        }
        if self.is_done() { Ok(()) } else { Err(Refusal::TruncatedBody) }
    }

    /// Whether the message is complete.
    pub fn is_done(&self) -> bool {
        match &self.kind {
            Kind::Length { left } => *left == 0,
            Kind::Chunked(chunked) => chunked.is_ended(),
            Kind::UntilClose { is_closed } => *is_closed,
        }
    }

    /// How many bytes of content are still to come, where that is known.
    pub fn bytes_left(&self) -> Option<u64> {
        match &self.kind {
            Kind::Length { left } => Some(*left),
            Kind::Chunked(chunked) => chunked.is_ended().then_some(0),
            Kind::UntilClose { is_closed } => is_closed.then_some(0),
        }
    }

    /// The decoder of a chunked body, which holds the trailers.
    pub fn chunked(&self) -> Option<&Chunked> {
        match &self.kind {
            Kind::Chunked(chunked) => Some(chunked),
            Kind::Length { .. } | Kind::UntilClose { .. } => None,
        }
    }

    fn check_invariants(&self, input: &[u8], step: &Step) {
        debug_assert!(step.consumed <= input.len());
        debug_assert!(step.data.start <= step.data.end && step.data.end <= step.consumed);
        debug_assert_eq!(step.ended, self.is_done());
        debug_assert!(step.consumed > 0 || input.is_empty() || step.ended, "a step gets further or ends");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_known_length_ends_by_itself() {
        let mut body = BodyDecoder::new(Framing::Length(5));
        assert_eq!(body.decode(b"hel"), Ok(Step { consumed: 3, data: 0..3, ended: false }));
        assert_eq!(body.bytes_left(), Some(2));
        assert_eq!(body.handle_end(), Err(Refusal::TruncatedBody));
        assert_eq!(body.decode(b"loGET"), Ok(Step { consumed: 2, data: 0..2, ended: true }));
        assert_eq!(body.decode(b"GET"), Ok(Step { consumed: 0, data: 0..0, ended: true }));
        assert_eq!(body.handle_end(), Ok(()));
    }

    #[test]
    fn no_body_is_done_before_it_starts() {
        for framing in [Framing::None, Framing::Length(0)] {
            let mut body = BodyDecoder::new(framing);
            assert!(body.is_done());
            assert_eq!(body.decode(b"GET"), Ok(Step { consumed: 0, data: 0..0, ended: true }));
        }
    }

    #[test]
    fn a_body_until_close_ends_with_the_input() {
        let mut body = BodyDecoder::new(Framing::UntilClose);
        assert_eq!(body.decode(b"abc"), Ok(Step { consumed: 3, data: 0..3, ended: false }));
        assert_eq!(body.bytes_left(), None);
        assert_eq!(body.handle_end(), Ok(()));
        assert!(body.is_done());
        assert_eq!(body.decode(b"x"), Ok(Step { consumed: 0, data: 0..0, ended: true }));
    }

    #[test]
    fn a_chunked_body_cut_short_is_not_done() {
        let mut body = BodyDecoder::new(Framing::Chunked);
        assert_eq!(body.decode(b"5\r\nhello\r\n0\r\n").map(|step| step.ended), Ok(false));
        assert_eq!(body.handle_end(), Err(Refusal::TruncatedBody));
        assert_eq!(body.decode(b"X: 1\r\n\r\n").map(|step| step.ended), Ok(true));
        assert_eq!(body.chunked().map(|it| it.trailers()), Some(&b"X: 1\r\n"[..]));
        assert_eq!(body.bytes_left(), Some(0));
    }
}
