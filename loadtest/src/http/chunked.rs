//! Finding the end of a chunked body (RFC 9112 section 7.1) without looking at its data.

use super::Malformed;

/// Sizes beyond this many hexadecimal digits are refused.
const SIZE_DIGITS_MAX: u8 = 15;

#[derive(Clone, Copy, Debug)]
enum State {
    Size { size: u64, digits: u8 },
    Extension { size: u64 },
    SizeEnd { size: u64 },
    Data { left: u64 },
    DataReturn,
    DataEnd,
    TrailerStart,
    TrailerField,
    LastEnd,
}

/// Follows a chunked body through its stream.
#[derive(Debug)]
pub struct ChunkedBody {
    state: State,
    data_bytes: u64,
}

impl Default for ChunkedBody {
    fn default() -> Self {
        Self { state: State::Size { size: 0, digits: 0 }, data_bytes: 0 }
    }
}

impl ChunkedBody {
    /// Takes bytes in: how many belong to the body, and whether it has ended with them.
    pub fn handle_bytes(&mut self, input: &[u8]) -> Result<(usize, bool), Malformed> {
        let mut at = 0;
        while at < input.len() {
            if let State::Data { left } = self.state {
                let taken = left.min((input.len() - at) as u64);
                at += taken as usize;
                let left = left - taken;
                self.state = if left == 0 { State::DataReturn } else { State::Data { left } };
                continue;
            }
            let (state, is_end) = step(self.state, input[at])?;
            at += 1;
            if let (State::SizeEnd { .. }, State::Data { left }) = (self.state, state) {
                self.data_bytes += left;
            }
            self.state = state;
            if is_end {
                return Ok((at, true));
            }
        }
        Ok((at, false))
    }

    /// Bytes of data in the chunks begun so far.
    pub fn data_bytes(&self) -> u64 {
        self.data_bytes
    }
}

fn step(state: State, byte: u8) -> Result<(State, bool), Malformed> {
    let next = match (state, byte) {
        (State::Size { digits: 1.., size }, b'\r') => State::SizeEnd { size },
        (State::Size { digits: 1.., size }, b';' | b' ' | b'\t') => State::Extension { size },
        (State::Size { digits: SIZE_DIGITS_MAX.., .. }, _) => return Err(Malformed::Chunk),
        (State::Size { size, digits }, _) => {
            let digit = char::from(byte).to_digit(16).ok_or(Malformed::Chunk)?;
            State::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }
        }
        (State::Extension { size }, b'\r') => State::SizeEnd { size },
        (State::Extension { size }, _) => State::Extension { size },
        (State::SizeEnd { size: 0 }, b'\n') => State::TrailerStart,
        (State::SizeEnd { size }, b'\n') => State::Data { left: size },
        (State::DataReturn, b'\r') => State::DataEnd,
        (State::DataEnd, b'\n') => State::Size { size: 0, digits: 0 },
        (State::TrailerStart, b'\r') => State::LastEnd,
        (State::TrailerField, b'\n') => State::TrailerStart,
        (State::TrailerStart | State::TrailerField, _) => State::TrailerField,
        (State::LastEnd, b'\n') => return Ok((State::Size { size: 0, digits: 0 }, true)),
        _ => return Err(Malformed::Chunk),
    };
    Ok((next, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5\r\nhello\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

    #[test]
    fn the_end_is_found_wherever_the_stream_is_cut() {
        let mut stream = BODY.to_vec();
        stream.extend_from_slice(b"HTTP/1.1");
        for cut in 0..BODY.len() {
            let mut body = ChunkedBody::default();
            let (first, is_end) = body.handle_bytes(&stream[..cut]).unwrap();
            assert_eq!((first, is_end), (cut, false));
            let (second, is_end) = body.handle_bytes(&stream[cut..]).unwrap();
            assert_eq!((cut + second, is_end), (BODY.len(), true), "cut at {cut}");
            assert_eq!(body.data_bytes(), 15);
        }
    }

    #[test]
    fn broken_chunks_are_refused() {
        for wrong in [&b"x\r\n"[..], b"\r\n", b"1\n", b"1\r\nab", b"1000000000000000\r\n"] {
            assert_eq!(ChunkedBody::default().handle_bytes(wrong), Err(Malformed::Chunk), "{wrong:?}");
        }
    }
}
