//! Reading answers: status, how long the body was, and whether the connection lives on.

use super::Malformed;
use super::chunked::ChunkedBody;
use super::head::{Framing, HeadCollector};

/// A whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Bytes of its body, without chunk framing.
    pub body_bytes: u64,
    /// Whether another request may follow on the connection.
    pub is_kept_alive: bool,
}

/// Which requests are being answered: those to HEAD have answers without bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// As the answer says.
    AsFramed,
    /// None, whatever Content-Length says (RFC 9110 section 9.3.2).
    Absent,
}

#[derive(Debug)]
enum State {
    Head,
    Length { left: u64 },
    Chunked(ChunkedBody),
    UntilClose,
}

/// Reads the answers of one connection, one after the other.
pub struct ResponseReader {
    bodies: Bodies,
    collector: HeadCollector,
    state: State,
    answer: Answer,
}

impl ResponseReader {
    /// A reader for a fresh connection.
    pub fn new(bodies: Bodies) -> Self {
        let answer = Answer { status: 0, body_bytes: 0, is_kept_alive: true };
        Self { bodies, collector: HeadCollector::default(), state: State::Head, answer }
    }

    /// Takes bytes in: how many were used, and the answer if they completed one. Bytes after a completed
    /// answer are not touched.
    pub fn handle_bytes(&mut self, input: &[u8]) -> Result<(usize, Option<Answer>), Malformed> {
        let mut at = 0;
        loop {
            let rest = &input[at..];
            match &mut self.state {
                State::Head => {
                    let Some((head, used)) = self.collector.handle_bytes(rest)? else { return Ok((input.len(), None)) };
                    at += used;
                    let (status, framing) = (status_of(head)?, Framing::parse(head)?);
                    if status >= 200 {
                        self.begin_body(status, &framing);
                    }
                }
                State::Length { left } => {
                    let taken = (*left).min(rest.len() as u64);
                    *left -= taken;
                    at += taken as usize;
                    let is_end = *left == 0;
                    return Ok((at, is_end.then(|| self.finish())));
                }
                State::Chunked(body) => {
                    let (used, is_end) = body.handle_bytes(rest)?;
                    self.answer.body_bytes = body.data_bytes();
                    return Ok((at + used, is_end.then(|| self.finish())));
                }
                State::UntilClose => {
                    self.answer.body_bytes += rest.len() as u64;
                    return Ok((input.len(), None));
                }
            }
        }
    }

    /// The peer has closed: completes an answer that only closing could end.
    pub fn handle_close(&mut self) -> Option<Answer> {
        matches!(self.state, State::UntilClose).then(|| self.finish())
    }

    fn begin_body(&mut self, status: u16, framing: &Framing) {
        let has_body = self.bodies == Bodies::AsFramed && !matches!(status, 204 | 304);
        self.state = match (has_body, framing) {
            (false, _) => State::Length { left: 0 },
            (true, Framing { is_chunked: true, .. }) => State::Chunked(ChunkedBody::default()),
            (true, Framing { length: Some(length), .. }) => State::Length { left: *length },
            (true, _) => State::UntilClose,
        };
        let body_bytes = if let State::Length { left } = self.state { left } else { 0 };
        let is_kept_alive = !framing.is_last && !matches!(self.state, State::UntilClose);
        self.answer = Answer { status, body_bytes, is_kept_alive };
    }

    fn finish(&mut self) -> Answer {
        self.state = State::Head;
        self.answer
    }
}

fn status_of(head: &[u8]) -> Result<u16, Malformed> {
    let code = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5)).ok_or(Malformed::StartLine)?;
    if !code.iter().all(u8::is_ascii_digit) {
        return Err(Malformed::StartLine);
    }
    Ok(code.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(reader: &mut ResponseReader, mut input: &[u8], answers: &mut Vec<Answer>) {
        while !input.is_empty() {
            let (used, answer) = reader.handle_bytes(input).unwrap();
            answers.extend(answer);
            input = &input[used..];
        }
    }

    /// Three answers, one of each framing, an interim one before the second.
    const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\
        HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
        HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

    fn expected() -> Vec<Answer> {
        vec![
            Answer { status: 200, body_bytes: 5, is_kept_alive: true },
            Answer { status: 502, body_bytes: 3, is_kept_alive: true },
            Answer { status: 204, body_bytes: 0, is_kept_alive: false },
        ]
    }

    #[test]
    fn answers_are_the_same_wherever_the_stream_is_cut() {
        for cut in 0..=STREAM.len() {
            let mut reader = ResponseReader::new(Bodies::AsFramed);
            let mut answers = Vec::new();
            read_all(&mut reader, &STREAM[..cut], &mut answers);
            read_all(&mut reader, &STREAM[cut..], &mut answers);
            assert_eq!(answers, expected(), "cut at {cut}");
        }
    }

    #[test]
    fn answers_are_the_same_byte_by_byte() {
        let mut reader = ResponseReader::new(Bodies::AsFramed);
        let mut answers = Vec::new();
        STREAM.chunks(1).for_each(|byte| read_all(&mut reader, byte, &mut answers));
        assert_eq!(answers, expected());
    }

    #[test]
    fn an_empty_body_completes_with_its_head() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let (used, answer) = ResponseReader::new(Bodies::AsFramed).handle_bytes(head).unwrap();
        assert_eq!((used, answer.map(|answer| answer.body_bytes)), (head.len(), Some(0)));
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";
        let (_, answer) = ResponseReader::new(Bodies::Absent).handle_bytes(head).unwrap();
        assert_eq!(answer.map(|answer| answer.body_bytes), Some(0), "the answer to HEAD");
    }

    #[test]
    fn a_body_without_framing_ends_with_the_connection() {
        let mut reader = ResponseReader::new(Bodies::AsFramed);
        assert_eq!(reader.handle_bytes(b"HTTP/1.1 200 OK\r\n\r\nabc").unwrap().1, None);
        let answer = Answer { status: 200, body_bytes: 3, is_kept_alive: false };
        assert_eq!(reader.handle_close(), Some(answer));
        assert_eq!(reader.handle_close(), None);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let mut reader = ResponseReader::new(Bodies::AsFramed);
        assert_eq!(reader.handle_bytes(b"SSH-2.0-x\r\n\r\n"), Err(Malformed::StartLine));
    }
}
