//! Request heads (RFC 9112 §3, §5, §6).

use super::class::{target_end, token_end};
use super::fields::Fields;
use super::framing::{Framing, FramingFields};
use super::head::{Cursor, HeadLimits, Progress, control_fault};
use super::refusal::Refusal;
use super::span::Span;
use super::target::{Target, TargetForm};
use crate::proto::http::{Authority, KnownField, Method, Version};

/// A request head. Reusable: parsing the next one keeps the memory. Meaningful once the parser said `Complete`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The method's name, for those that are `Other`.
    pub method_text: Span,
    /// The whole target without its fragment.
    pub target: Span,
    /// The form of the target.
    pub form: TargetForm,
    /// Host and port: of an absolute target, else of the Host field (RFC 9112 §3.2.2 ignores the field then). `None` in
    /// HTTP/1.0 requests that name none. [`Authority::parse`] takes it apart.
    pub authority: Option<Span>,
    /// The path. Empty only in an absolute target without one: see [`RequestHead::path`].
    pub path: Span,
    /// What stands after `?`, possibly nothing; `None` without a `?`.
    pub query: Option<Span>,
    /// The version.
    pub version: Version,
    /// The fields.
    pub fields: Fields,
    /// Where the body ends.
    pub framing: Framing,
    /// Whether the client keeps the connection open for another request.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// Length of the head in bytes, skipped empty lines included.
    pub len: usize,
    cursor: Cursor,
    noted: FramingFields,
}

impl RequestHead {
    /// An empty head.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the head and keeps the memory of the fields.
    pub fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = Self { fields, ..Self::default() };
    }

    /// The path as routing wants it: `/` for an absolute target that has none.
    #[inline]
    pub fn path<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        if self.path.is_empty() { b"/" } else { self.path.of(bytes) }
    }

    /// Whether the client offers to change the protocol.
    pub fn has_upgrade(&self) -> bool {
        self.fields.contains(KnownField::Upgrade)
    }

    /// Whether anything but skippable empty lines was seen of a head that is not complete.
    pub fn has_begun(&self) -> bool {
        self.cursor.has_begun()
    }

    /// Says what an end of input here means: nothing between two requests, else a request cut short.
    pub fn handle_end(&self) -> Result<(), Refusal> {
        if self.cursor.has_begun() && !self.cursor.is_complete() { Err(Refusal::TruncatedHead) } else { Ok(()) }
    }

    /// Reads the start line, if it is whole.
    #[inline]
    fn read_start(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<bool, Refusal> {
        let Some(at) = self.cursor.skip_empty_lines(bytes)? else { return Ok(false) };
        let Some(line) = RequestLine::read(bytes, at)? else { return Ok(false) };
        self.cursor.pass_start_line(line.end, limits)?;
        self.method_text = line.method;
        self.method = method(line.method.of(bytes))?;
        self.version = line.version;
        let target = Target::read(bytes, line.target, self.method)?;
        (self.target, self.form, self.authority) = (target.text, target.form, target.authority);
        (self.path, self.query) = (target.path, target.query);
        Ok(true)
    }

    #[inline]
    fn read_fields(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Progress, Refusal> {
        let Self { cursor, fields, noted, authority, expect_continue, form, version, .. } = self;
        let mut has_host = fields.contains(KnownField::Host);
        cursor.read_fields(bytes, limits, fields, |field| match field.known {
            KnownField::Host if has_host => Err(Refusal::DuplicateHost),
            KnownField::Host => {
                has_host = true;
                Authority::parse(field.value.of(bytes)).ok_or(Refusal::BadHost)?;
                if *form != TargetForm::Absolute {
                    *authority = Some(field.value);
                }
                Ok(())
            }
            KnownField::Expect => note_expectation(field.value.of(bytes), *version, expect_continue),
            known => noted.note(known, field.value.of(bytes)),
        })
    }

    /// Decides what only the whole head can tell.
    #[inline]
    fn conclude(&mut self, len: usize) -> Result<(), Refusal> {
        if self.version == Version::Http11 && !self.fields.contains(KnownField::Host) {
            return Err(Refusal::MissingHost);
        }
        self.framing = self.noted.framing(self.version)?.unwrap_or(Framing::None);
        self.keep_alive = self.noted.keeps_alive(self.version);
        self.len = len;
        Ok(())
    }
}

/// Reads the request head at the start of `bytes` into `head`.
///
/// While it says `Partial`, call it again with more bytes behind the same ones: it goes on where it stopped. After
/// `Complete` the next call starts a new head by itself; after a refusal the connection is over (or call `clear`).
pub fn parse_request(bytes: &[u8], limits: &HeadLimits, head: &mut RequestHead) -> Result<Progress, Refusal> {
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
        head.conclude(len)?;
    }
    Ok(progress)
}

/// A request line whose bytes are of the right kinds. `end` is the offset after its line end.
struct RequestLine {
    method: Span,
    target: Span,
    version: Version,
    end: usize,
}

impl RequestLine {
    /// `method SP request-target SP HTTP-version CRLF`, single spaces, nothing else (RFC 9112 §3).
    #[inline]
    fn read(bytes: &[u8], at: usize) -> Result<Option<Self>, Refusal> {
        let method_end = token_end(bytes, at);
        match bytes.get(method_end..).unwrap_or_default() {
            [b' ', ..] if method_end > at => {}
            [] => return Ok(None),
            rest => return Err(line_fault(rest, Refusal::BadMethod)),
        }
        let target_start = method_end + 1;
        let target_end = target_end(bytes, target_start);
        match bytes.get(target_end..).unwrap_or_default() {
            [b' ', ..] if target_end > target_start => {}
            [] => return Ok(None),
            rest => return Err(line_fault(rest, Refusal::BadTarget)),
        }
        let Some((version, end)) = version(bytes, target_end + 1)? else { return Ok(None) };
        let (method, target) = (Span::new(at, method_end), Span::new(target_start, target_end));
        Ok(Some(Self { method, target, version, end }))
    }
}

/// Names what stopped a request line: a control character, a missing part, or `otherwise`.
#[cold]
fn line_fault(rest: &[u8], otherwise: Refusal) -> Refusal {
    match rest {
        // The line ends before its version: HTTP/0.9, or no HTTP at all. A lone CR may yet become a line end.
        [b'\r', b'\n', ..] | [b'\r'] => Refusal::BadVersion,
        rest => control_fault(rest, otherwise),
    }
}

/// The version at `at` and the offset after the line end that follows it.
#[inline]
fn version(bytes: &[u8], at: usize) -> Result<Option<(Version, usize)>, Refusal> {
    const LEN: usize = "HTTP/1.1\r\n".len();
    match bytes.get(at..at + LEN) {
        Some(b"HTTP/1.1\r\n") => Ok(Some((Version::Http11, at + LEN))),
        Some(b"HTTP/1.0\r\n") => Ok(Some((Version::Http10, at + LEN))),
        _ => version_fault(bytes.get(at..).unwrap_or_default()),
    }
}

/// What is wrong with a version that is none of ours; nothing yet if its line goes on.
#[cold]
fn version_fault(rest: &[u8]) -> Result<Option<(Version, usize)>, Refusal> {
    let Some(lf) = memchr::memchr(b'\n', rest) else { return Ok(None) };
    match &rest[..lf] {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b'\r']
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::UnsupportedVersion)
        }
        line if line.contains(&0) => Err(Refusal::Nul),
        [line @ .., b'\r'] if line.contains(&b'\r') => Err(Refusal::BareCr),
        [line @ .., b'\r'] if line.contains(&b' ') => Err(Refusal::BadTarget),
        [.., b'\r'] => Err(Refusal::BadVersion),
        _ => Err(Refusal::BareLf),
    }
}

#[inline]
fn method(text: &[u8]) -> Result<Method, Refusal> {
    Method::from_bytes(text)
        .ok_or_else(|| if Method::differs_in_case_only(text) { Refusal::BadMethod } else { Refusal::UnknownMethod })
}

/// HTTP/1.0 clients cannot wait for an interim answer, so what they expect is ignored (RFC 9110 §10.1.1).
fn note_expectation(value: &[u8], version: Version, expect_continue: &mut bool) -> Result<(), Refusal> {
    match version {
        Version::Http10 => Ok(()),
        Version::Http11 if value.eq_ignore_ascii_case(b"100-continue") => {
            *expect_continue = true;
            Ok(())
        }
        Version::Http11 => Err(Refusal::UnknownExpectation),
    }
}
