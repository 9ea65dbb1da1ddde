//! Response heads, as an origin sends them (RFC 9112 §4, §6).
//!
//! As strict about framing as requests are: an origin that leaves it open could make its next answer pass for somebody
//! else's. Tolerant in one place, the reason phrase, which real servers leave out or fill with anything printable.

use memchr::memchr;

use super::class::value_end;
use super::fields::Fields;
use super::framing::{Framing, FramingFields};
use super::head::{Cursor, HeadLimits, Progress, control_fault};
use super::refusal::Refusal;
use super::span::Span;
use crate::proto::http::{Method, Status, Version};

/// A response head. Reusable: parsing the next one keeps the memory. Meaningful once the parser said `Complete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version.
    pub version: Version,
    /// The status code.
    pub status: Status,
    /// The reason phrase; empty if there is none.
    pub reason: Span,
    /// The fields.
    pub fields: Fields,
    /// Where the body ends.
    pub framing: Framing,
    /// What Content-Length says, also where there is no body for it to measure (answers to HEAD, 304).
    pub content_length: Option<u64>,
    /// Whether the connection may carry another request after this response.
    pub keep_alive: bool,
    /// Length of the head in bytes, skipped empty lines included.
    pub len: usize,
    cursor: Cursor,
    noted: FramingFields,
}

impl Default for ResponseHead {
    fn default() -> Self {
        Self {
            version: Version::default(),
            status: Status::OK,
            reason: Span::default(),
            fields: Fields::default(),
            framing: Framing::default(),
            content_length: None,
            keep_alive: false,
            len: 0,
            cursor: Cursor::default(),
            noted: FramingFields::default(),
        }
    }
}

impl ResponseHead {
    /// An empty head.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the head and keeps the memory of the fields.
    pub fn clear(&mut self) {
        // Only what reading a head adds to. The rest is set whenever a head becomes complete.
        self.fields.clear();
        self.cursor = Cursor::default();
        self.noted = FramingFields::default();
    }

    /// Whether it is an interim response: the final one follows on the same connection. 101 is none, since what follows
    /// it is another protocol.
    pub fn is_informational(&self) -> bool {
        self.status.is_informational() && !self.is_switch()
    }

    /// Whether the origin changes the protocol (101).
    pub fn is_switch(&self) -> bool {
        self.status.code() == 101
    }

    /// Whether anything but skippable empty lines was seen of a head that is not complete.
    pub fn has_begun(&self) -> bool {
        self.cursor.has_begun()
    }

    /// Says what an end of input here means: nothing before a response, else a response cut short.
    pub fn handle_end(&self) -> Result<(), Refusal> {
        if self.cursor.has_begun() && !self.cursor.is_complete() { Err(Refusal::TruncatedHead) } else { Ok(()) }
    }

    fn read_start(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<bool, Refusal> {
        let Some(at) = self.cursor.skip_empty_lines(bytes)? else { return Ok(false) };
        let Some(line) = StatusLine::read(bytes, at)? else { return Ok(false) };
        self.cursor.pass_start_line(line.end, limits)?;
        (self.version, self.status, self.reason) = (line.version, line.status, line.reason);
        Ok(true)
    }

    fn read_fields(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Progress, Refusal> {
        let Self { cursor, fields, noted, .. } = self;
        cursor.read_fields(bytes, limits, fields, |field| noted.note(field.known, field.value.of(bytes)))
    }

    fn conclude(&mut self, request_method: Method, len: usize) -> Result<(), Refusal> {
        let declared = self.noted.framing(self.version)?;
        let has_body = request_method != Method::Head && !self.status.has_no_content();
        self.framing = if has_body { declared.unwrap_or(Framing::UntilClose) } else { Framing::None };
        self.content_length = self.noted.length;
        let ends_by_itself = self.framing != Framing::UntilClose && !self.is_switch();
        self.keep_alive = ends_by_itself && self.noted.keeps_alive(self.version);
        self.fields.set_connection_names_fields(self.noted.names_fields);
        self.len = len;
        Ok(())
    }
}

/// Reads the response head at the start of `bytes` into `head`; `request_method` is that of the request it answers.
/// Otherwise as [`parse_request`](super::parse_request).
pub fn parse_response(
    bytes: &[u8],
    limits: &HeadLimits,
    request_method: Method,
    head: &mut ResponseHead,
) -> Result<Progress, Refusal> {
    if head.cursor.is_complete() {
        head.clear();
    }
    if !head.cursor.can_advance(bytes) {
        return head.cursor.wait(bytes, limits);
    }
    if head.cursor.is_at_start() && !head.read_start(bytes, limits)? {
        return head.cursor.wait(bytes, limits);
    }
    let progress = head.read_fields(bytes, limits)?;
    if let Progress::Complete(len) = progress {
        head.conclude(request_method, len)?;
    }
    Ok(progress)
}

/// A status line. `end` is the offset after its line end.
struct StatusLine {
    version: Version,
    status: Status,
    reason: Span,
    end: usize,
}

impl StatusLine {
    /// `HTTP-version SP status-code [SP [reason-phrase]] CRLF` (RFC 9112 §4, where the second SP is not optional).
    fn read(bytes: &[u8], at: usize) -> Result<Option<Self>, Refusal> {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(lf) = memchr(b'\n', rest) else { return Ok(None) };
        let [line @ .., b'\r'] = &rest[..lf] else { return Err(Refusal::BareLf) };
        let (version, rest) = version(line)?;
        let (status, rest) = status(rest)?;
        let reason_start = at + line.len() - rest.len();
        let reason = match rest {
            [] => Span::new(reason_start, reason_start),
            [b' ', reason @ ..] => match reason.get(value_end(reason, 0)..) {
                None | Some([]) => Span::new(reason_start + 1, at + line.len()),
                Some(fault) => return Err(control_fault(fault, Refusal::BadStatus)),
            },
            rest => return Err(control_fault(rest, Refusal::BadStatus)),
        };
        Ok(Some(Self { version, status, reason, end: at + lf + 1 }))
    }
}

/// The version and the space after it; then what follows.
fn version(line: &[u8]) -> Result<(Version, &[u8]), Refusal> {
    match line {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', rest @ ..] => Ok((Version::Http11, rest)),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0', b' ', rest @ ..] => Ok((Version::Http10, rest)),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b' ', ..]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::UnsupportedVersion)
        }
        _ => Err(Refusal::BadVersion),
    }
}

/// Three digits; then what follows.
fn status(rest: &[u8]) -> Result<(Status, &[u8]), Refusal> {
    let [hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = rest else {
        return Err(Refusal::BadStatus);
    };
    let code = [hundreds, tens, ones].iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'));
    Status::new(code).map(|status| (status, rest)).ok_or(Refusal::BadStatus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::http::KnownField;

    fn parse(text: &[u8], method: Method) -> Result<(ResponseHead, Progress), Refusal> {
        let mut head = ResponseHead::new();
        parse_response(text, &HeadLimits::for_origin(), method, &mut head).map(|progress| (head, progress))
    }

    fn parsed(text: &str) -> ResponseHead {
        let (head, progress) = parse(text.as_bytes(), Method::Get).unwrap_or_else(|it| panic!("{text:?}: {it}"));
        assert_eq!(progress, Progress::Complete(head.len), "{text:?}");
        head
    }

    #[test]
    fn reason_phrases_may_be_missing_or_hold_anything_printable() {
        let reason = |text: &str| String::from_utf8_lossy(parsed(text).reason.of(text.as_bytes())).into_owned();
        assert_eq!(reason("HTTP/1.1 200 OK\r\n\r\n"), "OK");
        assert_eq!(reason("HTTP/1.1 200 \r\n\r\n"), "");
        assert_eq!(reason("HTTP/1.1 200\r\n\r\n"), "");
        assert_eq!(reason("\r\nHTTP/1.0 500 Ori\u{eb}n \t!\r\n\r\n"), "Ori\u{eb}n \t!");
    }

    #[test]
    fn framing_follows_method_status_and_fields() {
        let framing =
            |text: &str, method| parse(text.as_bytes(), method).map(|(head, _)| (head.framing, head.keep_alive));
        let length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(framing(length, Method::Get), Ok((Framing::Length(5), true)));
        assert_eq!(framing(length, Method::Head), Ok((Framing::None, true)));
        assert_eq!(framing("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", Method::Get), Ok((Framing::None, true)));
        assert_eq!(framing("HTTP/1.1 204 x\r\nConnection: close\r\n\r\n", Method::Get), Ok((Framing::None, false)));
        assert_eq!(framing("HTTP/1.1 200 x\r\n\r\n", Method::Get), Ok((Framing::UntilClose, false)));
        let chunked = "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(framing(chunked, Method::Get), Ok((Framing::Chunked, true)));
        let kept = "HTTP/1.0 200 x\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n";
        assert_eq!(framing(kept, Method::Get), Ok((Framing::Length(0), true)));
        assert_eq!(parse(length.as_bytes(), Method::Head).map(|it| it.0.content_length), Ok(Some(5)));
    }

    #[test]
    fn interim_responses_are_recognised_and_a_switch_is_none() {
        let head = parsed("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        assert!(head.is_informational() && head.framing == Framing::None && head.keep_alive);
        let head = parsed("HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\n\r\n");
        assert!(head.is_switch() && !head.is_informational() && !head.keep_alive);
        assert!(head.fields.contains(KnownField::Upgrade));
    }

    #[test]
    fn every_fault_of_a_response_has_its_reason() {
        let cases: &[(&str, Refusal)] = &[
            ("HTTP/1.1 200 OK\nX: y\r\n\r\n", Refusal::BareLf),
            ("HTTP/1.1 200 OK\rX: y\r\n\r\n", Refusal::BareCr),
            ("HTTP/1.1 200 OK\r\rX: y", Refusal::BareCr),
            ("HTTP/1.1 200 O\0K\r\n\r\n", Refusal::Nul),
            ("HTTP/1.1  200 OK\r\n\r\n", Refusal::BadStatus),
            ("HTTP/1.1 20 OK\r\n\r\n", Refusal::BadStatus),
            ("HTTP/1.1 2000 OK\r\n\r\n", Refusal::BadStatus),
            ("HTTP/1.1 200OK\r\n\r\n", Refusal::BadStatus),
            ("HTTP/1.1 099 OK\r\n\r\n", Refusal::BadStatus),
            ("HTTP/1.1 200 O\x01K\r\n\r\n", Refusal::BadStatus),
            ("HTTP/1.1\t200 OK\r\n\r\n", Refusal::BadVersion),
            ("HTTP/01.1 200 OK\r\n\r\n", Refusal::BadVersion),
            ("ICY 200 OK\r\n\r\n", Refusal::BadVersion),
            ("HTTP/2.0 200 OK\r\n\r\n", Refusal::UnsupportedVersion),
            ("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", Refusal::SpaceBeforeColon),
            ("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", Refusal::ObsFold),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", Refusal::DuplicateContentLength),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Refusal::UnknownTransferEncoding),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::TransferEncodingInHttp10),
        ];
        for (text, refusal) in cases {
            assert_eq!(parse(text.as_bytes(), Method::Get).map(|it| it.1), Err(*refusal), "{text:?}");
        }
    }

    #[test]
    fn a_head_in_two_pieces_is_the_head_in_one() {
        let text = "\r\nHTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 3\r\n\r\nabc".as_bytes();
        let (whole, progress) = parse(text, Method::Get).expect("well formed");
        let Progress::Complete(len) = progress else { panic!("it is complete") };
        for cut in 0..len {
            let mut head = ResponseHead::new();
            let first = parse_response(&text[..cut], &HeadLimits::for_origin(), Method::Get, &mut head);
            assert_eq!(first, Ok(Progress::Partial), "cut at {cut}");
            let second = parse_response(text, &HeadLimits::for_origin(), Method::Get, &mut head);
            assert_eq!(second, Ok(Progress::Complete(len)), "cut at {cut}");
            head.cursor = whole.cursor;
            assert_eq!(head, whole, "cut at {cut}");
        }
    }
}
