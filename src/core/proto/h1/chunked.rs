//! The chunked coding (RFC 9112 §7.1), decoded from pieces of any size.
//!
//! The decoder hands out ranges of its input, so content is never copied. It keeps trailer fields, which arrive in
//! pieces like everything else, in memory of its own; they are few, small and rare. Trailers that would change how the
//! message is framed, routed or authorized are refused; those that describe the content and belong into the head are
//! read and dropped, because old senders do that in good faith; none is ever merged into the head (RFC 9110 §6.5.1).

use std::ops::Range;

use memchr::memchr;

use super::class::{is_token_byte, is_value_byte};
use super::fields::Fields;
use super::head::{Line, field_line};
use super::refusal::Refusal;
use crate::proto::http::{FieldSet, KnownField};

/// Longest line of a chunk size with its extensions.
pub const CHUNK_LINE_BYTES_MAX: u32 = 1_024;
/// Most bytes of chunk extensions in one body. Nobody knows an extension that is in use; unbounded ones would let a
/// sender spend our time on bytes that no body limit counts.
pub const EXTENSION_BYTES_MAX: u32 = 16_384;
/// Most bytes of the trailer section.
pub const TRAILER_BYTES_MAX: usize = 8_192;
/// Most trailer fields.
pub const TRAILER_FIELDS_MAX: usize = 64;
/// What one call of a decoder did with its input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many bytes of the input are done with. Less than all of it when there is more data after `data`, or when the
    /// message ended: the rest belongs to the next message.
    pub consumed: usize,
    /// The range of the input that is content; empty if there is none.
    pub data: Range<usize>,
    /// Whether the message is complete.
    pub ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the digits of a size, of which there are `line_bytes` so far.
    Size,
    Extension(Extension),
    /// After the CR of a size line.
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers,
    Ended,
}

/// Where in `*( BWS ";" BWS name [ BWS "=" BWS value ] )` a size line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    /// White space after the size or a value: only a `;` may follow.
    Gap,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Value,
    Quoted,
    Escaped,
    AfterQuoted,
}

/// Decodes one chunked body.
#[derive(Clone, Debug)]
pub struct Chunked {
    state: State,
    /// Value of the digits read, then bytes left of the chunk.
    left: u64,
    line_bytes: u32,
    extension_bytes: u32,
    trailer_bytes: usize,
    trailers: Vec<u8>,
    trailer_fields: Fields,
}

impl Default for Chunked {
    fn default() -> Self {
        Self::new()
    }
}

impl Chunked {
    /// At the start of a body. Allocates nothing unless trailers come.
    pub fn new() -> Self {
        Self {
            state: State::Size,
            left: 0,
            line_bytes: 0,
            extension_bytes: 0,
            trailer_bytes: 0,
            trailers: Vec::new(),
            trailer_fields: Fields::default(),
        }
    }

    /// Whether the last chunk and the trailers were read.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// The field lines of the trailer section that may be passed on, each with its line end.
    pub fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// The trailer fields, as ranges of [`Chunked::trailers`].
    pub fn trailer_fields(&self) -> &Fields {
        &self.trailer_fields
    }

    /// Decodes from the start of `input`. One call yields at most one range of content and reads on behind it until
    /// more content begins, so the end of the body usually comes with its last bytes.
    pub fn decode(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        let (mut at, mut data) = (0, 0..0);
        while at < input.len() {
            match self.state {
                State::Ended => break,
                State::Data if !data.is_empty() => break,
                State::Data => {
                    data = self.take_data(at, input.len());
                    at = data.end;
                }
                State::Trailers => at += self.take_trailers(&input[at..])?,
                _ => {
                    self.state = self.take_byte(input[at])?;
                    at += 1;
                }
            }
        }
        self.check_invariants();
        Ok(Step { consumed: at, data, ended: self.is_ended() })
    }

    fn take_data(&mut self, at: usize, end: usize) -> Range<usize> {
        let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(end - at);
        self.left -= len as u64;
        if self.left == 0 {
            self.state = State::DataCr;
        }
        at..at + len
    }

    /// One byte of framing: the state after it.
    fn take_byte(&mut self, byte: u8) -> Result<State, Refusal> {
        match (self.state, byte) {
            (State::Size, _) => self.take_size(byte),
            (State::Extension(extension), _) => self.take_extension(extension, byte),
            (State::SizeLf, b'\n') => Ok(self.begin_chunk()),
            (State::SizeLf, _) => Err(Refusal::BareCr),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => {
                self.line_bytes = 0;
                Ok(State::Size)
            }
            _ => Err(Refusal::BadChunkEnd),
        }
    }

    fn take_size(&mut self, byte: u8) -> Result<State, Refusal> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            const LAST_DIGIT: u32 = u64::BITS - 4;
            self.line_bytes += 1;
            // Leading zeros are digits; a size beyond 64 bits would wrap around to a small one.
            if self.line_bytes > CHUNK_LINE_BYTES_MAX || self.left >> LAST_DIGIT != 0 {
                return Err(Refusal::BadChunkSize);
            }
            self.left = self.left << 4 | u64::from(digit);
            return Ok(State::Size);
        }
        match byte {
            b'\n' => Err(Refusal::BareLf),
            _ if self.line_bytes == 0 => Err(Refusal::BadChunkSize),
            b'\r' => Ok(State::SizeLf),
            b';' | b' ' | b'\t' => self.take_extension(Extension::Gap, byte),
            _ => Err(Refusal::BadChunkSize),
        }
    }

    fn take_extension(&mut self, extension: Extension, byte: u8) -> Result<State, Refusal> {
        self.line_bytes += 1;
        self.extension_bytes += 1;
        if self.line_bytes > CHUNK_LINE_BYTES_MAX || self.extension_bytes > EXTENSION_BYTES_MAX {
            return Err(Refusal::ChunkExtensionTooLong);
        }
        extension.after(byte)
    }

    fn begin_chunk(&mut self) -> State {
        if self.left == 0 { State::Trailers } else { State::Data }
    }

    /// Takes trailer bytes up to a line end, or all there are.
    fn take_trailers(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        let piece = memchr(b'\n', input).map_or(input, |lf| &input[..=lf]);
        self.trailer_bytes += piece.len();
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(Refusal::TrailersTooLarge);
        }
        self.trailers.extend_from_slice(piece);
        if piece.ends_with(b"\n") {
            self.end_trailer_line()?;
        }
        Ok(piece.len())
    }

    /// Judges the line that just became complete, which is the last one of `trailers`.
    fn end_trailer_line(&mut self) -> Result<(), Refusal> {
        let start = self.trailer_fields.iter().next_back().map_or(0, |field| self.line_end_after(field.value.end()));
        match field_line(&self.trailers, start)? {
            Line::Empty(_) => {
                self.trailers.truncate(start);
                self.state = State::Ended;
            }
            Line::Field(field, _) if REFUSED_TRAILERS.contains(field.known) => return Err(Refusal::TrailerForbidden),
            Line::Field(field, _) if DROPPED_TRAILERS.contains(field.known) => self.trailers.truncate(start),
            Line::Field(..) if self.trailer_fields.len() >= TRAILER_FIELDS_MAX => {
                return Err(Refusal::TrailersTooLarge);
            }
            Line::Field(field, _) => self.trailer_fields.push(field),
            // A line that ends in LF is whole or wrong; saying so again costs nothing.
            Line::Partial => return Err(Refusal::BadFieldName),
        }
        Ok(())
    }

    /// Offset after the line end that follows a value, whose trailing white space is not part of it.
    fn line_end_after(&self, value_end: usize) -> usize {
        let rest = self.trailers.get(value_end..).unwrap_or_default();
        memchr(b'\n', rest).map_or(self.trailers.len(), |lf| value_end + lf + 1)
    }

    fn check_invariants(&self) {
        debug_assert!(self.state != State::Data || self.left > 0, "a chunk being read has bytes left");
        debug_assert!(!matches!(self.state, State::DataCr | State::DataLf | State::Trailers) || self.left == 0);
        debug_assert!(self.trailer_bytes <= TRAILER_BYTES_MAX && self.trailers.len() <= self.trailer_bytes);
        debug_assert!(self.trailer_fields.len() <= TRAILER_FIELDS_MAX);
        debug_assert!(self.extension_bytes <= EXTENSION_BYTES_MAX);
    }
}

impl Extension {
    /// White space around the marks is bad but has to be read (RFC 9112 §7.1.1). White space before the line end is in
    /// no grammar.
    fn after(self, byte: u8) -> Result<State, Refusal> {
        let next = match (self, byte) {
            (Self::Name | Self::Value | Self::AfterQuoted, b'\r') => return Ok(State::SizeLf),
            (Self::Quoted, b'"') => Self::AfterQuoted,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::Quoted | Self::Escaped, _) if is_value_byte(byte) => Self::Quoted,
            (Self::Gap | Self::Name | Self::AfterName | Self::Value | Self::AfterQuoted, b';') => Self::BeforeName,
            (Self::Name | Self::AfterName, b'=') => Self::BeforeValue,
            (Self::BeforeValue, b'"') => Self::Quoted,
            (Self::BeforeName | Self::Name, _) if is_token_byte(byte) => Self::Name,
            (Self::BeforeValue | Self::Value, _) if is_token_byte(byte) => Self::Value,
            (Self::Name | Self::AfterName, b' ' | b'\t') => Self::AfterName,
            (Self::BeforeName | Self::BeforeValue, b' ' | b'\t') => self,
            (Self::Gap | Self::Value | Self::AfterQuoted, b' ' | b'\t') => Self::Gap,
            (_, b'\n') => return Err(Refusal::BareLf),
            (_, 0) => return Err(Refusal::Nul),
            // Nothing but white space after the size: that is no extension.
            (Self::Gap, _) => return Err(Refusal::BadChunkSize),
            _ => return Err(Refusal::BadChunkExtension),
        };
        Ok(State::Extension(next))
    }
}

/// Framing, routing, authentication and what modifies how a request is handled.
const REFUSED_TRAILERS: FieldSet = FieldSet::of(&[
    KnownField::ContentLength,
    KnownField::TransferEncoding,
    KnownField::Trailer,
    KnownField::Connection,
    KnownField::KeepAlive,
    KnownField::ProxyConnection,
    KnownField::Te,
    KnownField::Upgrade,
    KnownField::Http2Settings,
    KnownField::Host,
    KnownField::Forwarded,
    KnownField::XForwardedFor,
    KnownField::XForwardedHost,
    KnownField::XForwardedPort,
    KnownField::XForwardedProto,
    KnownField::MaxForwards,
    KnownField::Via,
    KnownField::XApigwApiId,
    KnownField::XHttpMethodOverride,
    KnownField::XApiKey,
    KnownField::Authorization,
    KnownField::ProxyAuthenticate,
    KnownField::ProxyAuthorization,
    KnownField::WwwAuthenticate,
    KnownField::Cookie,
    KnownField::SetCookie,
    KnownField::XAmzDate,
    KnownField::XAmzSecurityToken,
    KnownField::Expect,
    KnownField::Range,
    KnownField::IfMatch,
    KnownField::IfNoneMatch,
    KnownField::IfModifiedSince,
    KnownField::IfUnmodifiedSince,
    KnownField::IfRange,
    KnownField::CacheControl,
    KnownField::ContentEncoding,
    KnownField::ContentRange,
    KnownField::Origin,
    KnownField::AccessControlRequestMethod,
    KnownField::AccessControlRequestHeaders,
]);

/// What describes the content or controls the answer, and would have had to come before it.
const DROPPED_TRAILERS: FieldSet = FieldSet::of(&[
    KnownField::ContentType,
    KnownField::ContentLocation,
    KnownField::Accept,
    KnownField::AcceptCharset,
    KnownField::AcceptEncoding,
    KnownField::UserAgent,
    KnownField::Referer,
    KnownField::Pragma,
    KnownField::Server,
    KnownField::Age,
    KnownField::Date,
    KnownField::Expires,
    KnownField::Location,
    KnownField::Vary,
    KnownField::Warning,
    KnownField::XAmznRequestId,
    KnownField::XAmznTraceId,
    KnownField::XAmznApigatewayApiId,
    KnownField::XAmznErrorType,
    KnownField::XAmzApigwId,
]);

/// Appends the line that starts a chunk of `len` bytes. The chunk itself and CRLF follow; a chunk of none ends the body.
pub fn encode_chunk_header(len: usize, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut shift = (usize::BITS - len.leading_zeros()).div_ceil(4).max(1) * 4;
    while shift > 0 {
        shift -= 4;
        out.push(DIGITS[len >> shift & 0xf]);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Content, trailers and the number of bytes used, from `input` in pieces that end at `cuts`.
    fn decoded(input: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, Vec<u8>, usize), Refusal> {
        let (mut chunked, mut content, mut at) = (Chunked::new(), Vec::new(), 0);
        for end in cuts.iter().copied().chain([input.len()]) {
            while at < end && !chunked.is_ended() {
                let step = chunked.decode(&input[at..end])?;
                assert!(step.consumed > 0, "a decoder with input gets further");
                content.extend_from_slice(&input[at..end][step.data]);
                at += step.consumed;
            }
        }
        if chunked.is_ended() { Ok((content, chunked.trailers().to_vec(), at)) } else { Err(Refusal::TruncatedBody) }
    }

    const GOOD: &[(&str, &str, &str)] = &[
        ("0\r\n\r\n", "", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", ""),
        ("00000000000000000005\r\nhello\r\n000\r\n\r\n", "hello", ""),
        ("00A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", ""),
        ("1;a\r\nx\r\n1;a=b;c=\"d;\\\"\u{b5} \t\"\r\ny\r\n0;z\r\n\r\n", "xy", ""),
        ("1 ; a = b ;c\t= \"d\"\t;e\r\nx\r\n0\r\n\r\n", "x", ""),
        ("1\r\n\n\r\n0\r\nX-T: 1 \r\nContent-Type: a/b\r\nEtag:  \"x\" \r\n\r\n", "\n", "X-T: 1 \r\nEtag:  \"x\" \r\n"),
    ];

    #[test]
    fn good_bodies_decode_the_same_however_they_are_cut() {
        for (input, content, trailers) in GOOD {
            let input: Vec<u8> = input.chars().map(|it| it as u8).chain(*b"GET /").collect();
            let expected = Ok((content.as_bytes().to_vec(), trailers.as_bytes().to_vec(), input.len() - 5));
            for first in 0..input.len() {
                assert_eq!(decoded(&input, &[first]), expected, "{input:?} cut at {first}");
            }
            let drip: Vec<_> = (1..input.len()).collect();
            assert_eq!(decoded(&input, &drip), expected, "{input:?} byte by byte");
        }
    }

    #[test]
    fn every_fault_of_a_chunked_body_has_its_reason() {
        let long = format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(CHUNK_LINE_BYTES_MAX as usize));
        let zeros = "0".repeat(CHUNK_LINE_BYTES_MAX as usize + 1);
        let many = format!("1;{}\r\nx\r\n", "a".repeat(1_000)).repeat(17);
        let trailer = format!("0\r\nX: {}\r\n\r\n", "a".repeat(TRAILER_BYTES_MAX));
        let trailers = format!("0\r\n{}\r\n", "x:\r\n".repeat(TRAILER_FIELDS_MAX + 1));
        let cases: &[(&str, Refusal)] = &[
            ("\r\n", Refusal::BadChunkSize),
            (" 5\r\n", Refusal::BadChunkSize),
            ("+5\r\n", Refusal::BadChunkSize),
            ("-5\r\n", Refusal::BadChunkSize),
            ("0x5\r\n", Refusal::BadChunkSize),
            ("1_0\r\n", Refusal::BadChunkSize),
            ("5 \r\n", Refusal::BadChunkSize),
            ("5 x\r\n", Refusal::BadChunkSize),
            ("10000000000000005\r\n", Refusal::BadChunkSize),
            (&zeros, Refusal::BadChunkSize),
            (";a\r\n", Refusal::BadChunkSize),
            ("5\n", Refusal::BareLf),
            ("5;a\nb\r\n", Refusal::BareLf),
            ("5\rx", Refusal::BareCr),
            ("5;a\rx\r\n", Refusal::BareCr),
            ("5;a\0\r\n", Refusal::Nul),
            ("5;\r\n", Refusal::BadChunkExtension),
            ("5;a=\r\n", Refusal::BadChunkExtension),
            ("5;a=\"b\r\n", Refusal::BadChunkExtension),
            ("5;a=\"b\"c\r\n", Refusal::BadChunkExtension),
            ("5;a=b=c\r\n", Refusal::BadChunkExtension),
            ("5;a \r\n", Refusal::BadChunkExtension),
            (&long, Refusal::ChunkExtensionTooLong),
            (&many, Refusal::ChunkExtensionTooLong),
            ("3\r\nhello\r\n", Refusal::BadChunkEnd),
            ("5\r\nhello0\r\n", Refusal::BadChunkEnd),
            ("5\r\nhello\n0\r\n", Refusal::BadChunkEnd),
            ("0\r\nContent-Length: 5\r\n\r\n", Refusal::TrailerForbidden),
            ("0\r\nhost: b\r\n\r\n", Refusal::TrailerForbidden),
            ("0\r\nAuthorization: b\r\n\r\n", Refusal::TrailerForbidden),
            ("0\r\nX-T\r\n\r\n", Refusal::BadFieldName),
            ("0\r\nX-T : 1\r\n\r\n", Refusal::SpaceBeforeColon),
            ("0\r\nX: 1\r\n 2\r\n\r\n", Refusal::ObsFold),
            ("0\r\n\n", Refusal::BareLf),
            ("0\r\nX: \x01\r\n\r\n", Refusal::BadFieldValue),
            (&trailer, Refusal::TrailersTooLarge),
            (&trailers, Refusal::TrailersTooLarge),
            ("5\r\nhell", Refusal::TruncatedBody),
            ("0\r\n", Refusal::TruncatedBody),
        ];
        for (input, refusal) in cases {
            let drip: Vec<_> = (1..input.len()).collect();
            assert_eq!(decoded(input.as_bytes(), &[]), Err(*refusal), "{input:?}");
            assert_eq!(decoded(input.as_bytes(), &drip), Err(*refusal), "{input:?} byte by byte");
        }
    }

    #[test]
    fn one_step_reads_on_to_the_next_content() {
        let mut chunked = Chunked::new();
        let input = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nrest";
        assert_eq!(chunked.decode(input), Ok(Step { consumed: 13, data: 3..8, ended: false }));
        assert_eq!(chunked.decode(&input[13..]), Ok(Step { consumed: 13, data: 0..6, ended: true }));
        assert_eq!(chunked.decode(&input[26..]), Ok(Step { consumed: 0, data: 0..0, ended: true }));
    }

    #[test]
    fn chunk_headers_that_were_written_can_be_read() {
        for len in [0, 1, 9, 10, 15, 16, 255, 256, 65_536, usize::MAX] {
            let mut out = Vec::new();
            encode_chunk_header(len, &mut out);
            assert_eq!(out, format!("{len:x}\r\n").as_bytes());
        }
    }
}
