//! Reading requests, as far as the stub cares: the head, and where the body ends.

use super::Malformed;
use super::chunked::ChunkedBody;
use super::head::{Framing, HeadCollector};

/// What a request stream holds next.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestEvent<'a> {
    /// A whole head.
    Head(&'a [u8]),
    /// The request is complete, its body skipped.
    End,
    /// Nothing yet: the input is used up.
    NeedMore,
}

#[derive(Debug)]
enum State {
    Head,
    Length { left: u64 },
    Chunked(ChunkedBody),
}

/// Reads the requests of one connection, one after the other.
pub struct RequestReader {
    collector: HeadCollector,
    state: State,
}

impl Default for RequestReader {
    fn default() -> Self {
        Self { collector: HeadCollector::default(), state: State::Head }
    }
}

impl RequestReader {
    /// Takes bytes in: how many were used, and what they came to. Each head is followed by one `End`.
    pub fn handle_bytes<'a>(&'a mut self, input: &'a [u8]) -> Result<(usize, RequestEvent<'a>), Malformed> {
        match &mut self.state {
            State::Head => {
                let Some((head, used)) = self.collector.handle_bytes(input)? else {
                    return Ok((input.len(), RequestEvent::NeedMore));
                };
                let framing = Framing::parse(head)?;
                self.state = match framing {
                    Framing { is_chunked: true, .. } => State::Chunked(ChunkedBody::default()),
                    Framing { length, .. } => State::Length { left: length.unwrap_or(0) },
                };
                Ok((used, RequestEvent::Head(head)))
            }
            State::Length { left } => {
                let taken = (*left).min(input.len() as u64);
                *left -= taken;
                let is_end = *left == 0;
                Ok((taken as usize, self.ended(is_end)))
            }
            State::Chunked(body) => {
                let (used, is_end) = body.handle_bytes(input)?;
                Ok((used, self.ended(is_end)))
            }
        }
    }

    /// Whether a body is being skipped: [`Self::handle_bytes`] may then complete without further input.
    pub fn is_in_body(&self) -> bool {
        !matches!(self.state, State::Head)
    }

    fn ended(&mut self, is_end: bool) -> RequestEvent<'static> {
        if !is_end {
            return RequestEvent::NeedMore;
        }
        self.state = State::Head;
        RequestEvent::End
    }
}

/// Method and target of a request head.
pub fn start_line(head: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut words = head.splitn(3, |&byte| byte == b' ');
    match (words.next(), words.next()) {
        (Some(method), Some(target)) if !target.is_empty() => Ok((method, target)),
        _ => Err(Malformed::StartLine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n\
        POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
        PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";

    fn read_all(reader: &mut RequestReader, mut input: &[u8], seen: &mut Vec<String>) {
        while !input.is_empty() || reader.is_in_body() {
            let (used, event) = reader.handle_bytes(input).unwrap();
            match event {
                RequestEvent::Head(head) => {
                    let (method, target) = start_line(head).unwrap();
                    seen.push(format!("{} {}", method.escape_ascii(), target.escape_ascii()));
                }
                RequestEvent::End => seen.push("end".to_owned()),
                RequestEvent::NeedMore => return,
            }
            input = &input[used..];
        }
    }

    #[test]
    fn requests_are_the_same_wherever_the_stream_is_cut() {
        for cut in 0..=STREAM.len() {
            let mut reader = RequestReader::default();
            let mut seen = Vec::new();
            read_all(&mut reader, &STREAM[..cut], &mut seen);
            read_all(&mut reader, &STREAM[cut..], &mut seen);
            assert_eq!(seen, ["GET /a", "end", "POST /b", "end", "PUT /c", "end"], "cut at {cut}");
        }
    }
}
