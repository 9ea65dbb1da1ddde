//! Message heads: collecting one that arrives in pieces, and reading what frames the body.

use memchr::{memchr, memmem};

use super::Malformed;

/// The longest head we collect.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Finds whole heads in a stream cut anywhere. A head that lies in one piece is lent from the input; only
/// one that was cut is copied.
#[derive(Default)]
pub struct HeadCollector {
    held: Vec<u8>,
    is_spent: bool,
}

impl HeadCollector {
    /// The head at the front of the stream, with its empty line, and how much of `input` belongs to it.
    /// `None`: all of the input was taken and the head goes on.
    pub fn handle_bytes<'a>(&'a mut self, input: &'a [u8]) -> Result<Option<(&'a [u8], usize)>, Malformed> {
        if self.is_spent {
            self.held.clear();
            self.is_spent = false;
        }
        if self.held.is_empty()
            && let Some(end) = memmem::find(input, HEAD_END)
        {
            let length = end + HEAD_END.len();
            return Ok(Some((&input[..length], length)));
        }
        let before = self.held.len();
        self.held.extend_from_slice(input);
        // The empty line may have begun in what was held: look again at its last three bytes.
        let search_from = before.saturating_sub(HEAD_END.len() - 1);
        match memmem::find(&self.held[search_from..], HEAD_END) {
            Some(end) => {
                let length = search_from + end + HEAD_END.len();
                self.is_spent = true;
                Ok(Some((&self.held[..length], length - before)))
            }
            None if self.held.len() > HEAD_BYTES_MAX => Err(Malformed::Head),
            None => Ok(None),
        }
    }
}

/// What the fields of a head say about the body and the connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Framing {
    /// Content-Length.
    pub length: Option<u64>,
    /// Transfer-Encoding names chunked.
    pub is_chunked: bool,
    /// `Connection: close`.
    pub is_last: bool,
}

impl Framing {
    /// Reads the fields of a whole head. Only names that begin with C or T are looked at.
    pub fn parse(head: &[u8]) -> Result<Self, Malformed> {
        let mut framing = Self::default();
        let mut rest = after_line(head);
        while let Some(&first) = rest.first() {
            if matches!(first | 0x20, b'c' | b't') {
                framing.read_field(line(rest))?;
            }
            rest = after_line(rest);
        }
        Ok(framing)
    }

    fn read_field(&mut self, field: &[u8]) -> Result<(), Malformed> {
        let Some(colon) = memchr(b':', field) else { return Ok(()) };
        let (name, value) = (&field[..colon], field[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            self.length = Some(number.ok_or(Malformed::Head)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_chunked = value.to_ascii_lowercase().ends_with(b"chunked");
        } else if name.eq_ignore_ascii_case(b"connection") {
            self.is_last = value.eq_ignore_ascii_case(b"close");
        }
        Ok(())
    }
}

fn line(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr(b'\r', bytes).unwrap_or(bytes.len())]
}

fn after_line(bytes: &[u8]) -> &[u8] {
    memchr(b'\n', bytes).map_or(&[], |end| &bytes[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_fields_are_found_in_any_case_and_order() {
        let head = b"HTTP/1.1 200 OK\r\nDate: now\r\nCONTENT-LENGTH:  12 \r\ncOnnection: Close\r\n\r\n";
        assert_eq!(Framing::parse(head), Ok(Framing { length: Some(12), is_chunked: false, is_last: true }));
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\nTE\r\n\r\n";
        assert_eq!(Framing::parse(head), Ok(Framing { length: None, is_chunked: true, is_last: false }));
        assert_eq!(Framing::parse(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), Err(Malformed::Head));
    }

    #[test]
    fn a_head_cut_anywhere_is_found_and_what_follows_is_left() {
        let whole = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        let length = whole.len() - 4;
        for cut in 0..whole.len() {
            let mut collector = HeadCollector::default();
            let (first, second) = whole.split_at(cut);
            let consumed = match collector.handle_bytes(first).unwrap() {
                Some((_, consumed)) => consumed,
                None => first.len() + collector.handle_bytes(second).unwrap().expect("the head is whole").1,
            };
            assert_eq!(consumed, length, "cut at {cut}");
        }
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let mut collector = HeadCollector::default();
        let piece = [b'x'; 4096];
        let refused = (0..100).any(|_| collector.handle_bytes(&piece).is_err());
        assert!(refused);
    }
}
