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
        // Only what reading a head adds to. The rest is set whenever a head becomes complete.
        self.fields.clear();
        self.cursor = Cursor::default();
        self.noted = FramingFields::default();
        self.expect_continue = false;
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
        self.fields.set_connection_names_fields(self.noted.names_fields);
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

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nX-One:  1 \r\nCookie: a=b\r\ncookie: c\r\n\r\n";

    fn parse(text: &[u8]) -> Result<(RequestHead, Progress), Refusal> {
        let mut head = RequestHead::new();
        parse_request(text, &HeadLimits::default(), &mut head).map(|progress| (head, progress))
    }

    fn parsed(text: &str) -> RequestHead {
        let (head, progress) = parse(text.as_bytes()).unwrap_or_else(|refusal| panic!("{text:?}: {refusal}"));
        assert_eq!(progress, Progress::Complete(head.len), "{text:?}");
        head
    }

    fn with_host(start: &str) -> String {
        format!("{start} HTTP/1.1\r\nHost: a.example\r\n\r\n")
    }

    #[test]
    fn a_plain_request_is_taken_apart() {
        let head = parsed(PLAIN);
        let bytes = PLAIN.as_bytes();
        assert_eq!((head.method, head.version, head.form), (Method::Get, Version::Http11, TargetForm::Origin));
        assert_eq!(head.target.of(bytes), b"/a/b?c=d");
        assert_eq!(head.path(bytes), b"/a/b");
        assert_eq!(head.query.map(|query| query.of(bytes)), Some(&b"c=d"[..]));
        assert_eq!(head.authority.map(|authority| authority.of(bytes)), Some(&b"a.example"[..]));
        assert_eq!((head.framing, head.keep_alive, head.expect_continue), (Framing::None, true, false));
        assert_eq!(head.len, bytes.len());
        assert_eq!(head.fields.value(KnownField::Cookie, bytes), Some(&b"a=b"[..]));
        assert_eq!(head.fields.values(KnownField::Cookie, bytes).count(), 2);
        assert_eq!(head.fields.named(b"x-oNE", bytes).next().map(|field| field.value.of(bytes)), Some(&b"1"[..]));
        assert_eq!(head.fields.named(b"COOKIE", bytes).count(), 2);
        assert_eq!(head.fields.find(KnownField::Te), None);
    }

    #[test]
    fn targets_in_the_forms_that_a_gateway_reads() {
        let cases: &[(&str, TargetForm, &str, Option<&str>, &str)] = &[
            ("GET /", TargetForm::Origin, "/", None, "a.example"),
            ("GET /?", TargetForm::Origin, "/", Some(""), "a.example"),
            ("GET /a?b?c#d?e", TargetForm::Origin, "/a", Some("b?c"), "a.example"),
            ("GET /a#b?c", TargetForm::Origin, "/a", None, "a.example"),
            ("GET ///x", TargetForm::Origin, "///x", None, "a.example"),
            ("OPTIONS *", TargetForm::Asterisk, "*", None, "a.example"),
            ("GET http://b.example/x", TargetForm::Absolute, "/x", None, "b.example"),
            ("GET HTTPS://b.example:1?q=/", TargetForm::Absolute, "/", Some("q=/"), "b.example:1"),
            ("GET http://[::1]:80", TargetForm::Absolute, "/", None, "[::1]:80"),
            ("M-SEARCH *", TargetForm::Asterisk, "*", None, "a.example"),
        ];
        for (start, form, path, query, authority) in cases {
            let text = with_host(start);
            let head = parsed(&text);
            assert_eq!(head.form, *form, "{start}");
            assert_eq!(head.path(text.as_bytes()), path.as_bytes(), "{start}");
            assert_eq!(head.query.map(|it| it.of(text.as_bytes())), query.map(str::as_bytes), "{start}");
            assert_eq!(head.authority.map(|it| it.of(text.as_bytes())), Some(authority.as_bytes()), "{start}");
        }
    }

    #[test]
    fn every_fault_of_a_request_has_its_reason() {
        let cases: &[(&str, Refusal)] = &[
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", Refusal::BareLf),
            ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::BareLf),
            ("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", Refusal::BareLf),
            ("GET / HTTP/1.1\r\nHost: a\r\nX\n\r\n", Refusal::BareLf),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n", Refusal::BareCr),
            ("GET / HTTP/1.1\r\nHost: a\r\nX\ry: z\r\n\r\n", Refusal::BareCr),
            ("GET / HTTP/1.1\r\nHost: a\r\n\rX", Refusal::BareCr),
            ("GET /x HTTP/1.1\rHost: a.example\r\r", Refusal::BareCr),
            ("\r\r\nGET / HTTP/1.1\r\n", Refusal::BareCr),
            ("GET /a\rb HTTP/1.1\r\n", Refusal::BareCr),
            ("GET /a\0b HTTP/1.1\r\n", Refusal::Nul),
            ("GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n", Refusal::Nul),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", Refusal::Nul),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", Refusal::ObsFold),
            ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refusal::ObsFold),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Refusal::SpaceBeforeColon),
            ("GET / HTTP/1.1\r\nX Y: a\r\n\r\n", Refusal::BadFieldName),
            ("GET / HTTP/1.1\r\n: a\r\n\r\n", Refusal::BadFieldName),
            ("GET / HTTP/1.1\r\nHost\r\n\r\n", Refusal::BadFieldName),
            ("GET / HTTP/1.1\r\nH\u{f6}st: a\r\n\r\n", Refusal::BadFieldName),
            ("GET / HTTP/1.1\r\nX: \x07\r\n\r\n", Refusal::BadFieldValue),
            ("GET / HTTP/1.1\r\nX: a\x7f\r\n\r\n", Refusal::BadFieldValue),
            ("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", Refusal::EmptyHead),
            ("G(T / HTTP/1.1\r\n\r\n", Refusal::BadMethod),
            (" / HTTP/1.1\r\n\r\n", Refusal::BadMethod),
            ("get / HTTP/1.1\r\n\r\n", Refusal::BadMethod),
            ("FETCH / HTTP/1.1\r\n\r\n", Refusal::UnknownMethod),
            ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Connect),
            ("GET * HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET a HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET #/ HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET ftp://a/ HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET http:///x HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET http://u@a/ HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET  / HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET /a b HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET /\u{e9} HTTP/1.1\r\n\r\n", Refusal::BadTarget),
            ("GET /\r\n\r\n", Refusal::BadVersion),
            ("GET / HTTP/1.1 \r\n\r\n", Refusal::BadTarget),
            ("GET / http/1.1\r\n\r\n", Refusal::BadVersion),
            ("GET / HTTP/1.10\r\n\r\n", Refusal::BadVersion),
            ("GET / HTTP/2.0\r\n\r\n", Refusal::UnsupportedVersion),
            ("GET / HTTP/1.2\r\n\r\n", Refusal::UnsupportedVersion),
            ("GET / HTTP/1.1\r\n\r\n", Refusal::MissingHost),
            ("GET http://a/ HTTP/1.1\r\n\r\n", Refusal::MissingHost),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Refusal::DuplicateHost),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Refusal::BadHost),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", Refusal::BadHost),
            ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::TransferEncodingInHttp10),
            ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", Refusal::UnknownExpectation),
            ("GET / HTTP/1.1\r\nContent-Length: 9999999999999999999999\r\n", Refusal::BadContentLength),
        ];
        for (text, refusal) in cases {
            assert_eq!(parse(text.as_bytes()).map(|it| it.1), Err(*refusal), "{text:?}");
        }
    }

    #[test]
    fn a_head_in_two_pieces_is_the_head_in_one() {
        let texts =
            [PLAIN, "\r\n\r\nPOST http://b?x HTTP/1.0\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"];
        for text in texts {
            let (whole, progress) = parse(text.as_bytes()).expect("well formed");
            let Progress::Complete(len) = progress else { panic!("{text:?} is complete") };
            for cut in 0..len {
                let mut head = RequestHead::new();
                let first = parse_request(&text.as_bytes()[..cut], &HeadLimits::default(), &mut head);
                assert_eq!(first, Ok(Progress::Partial), "{text:?} cut at {cut}");
                let second = parse_request(text.as_bytes(), &HeadLimits::default(), &mut head);
                assert_eq!(second, Ok(Progress::Complete(len)), "{text:?} cut at {cut}");
                assert_eq!(facts(&head), facts(&whole), "{text:?} cut at {cut}");
            }
        }
    }

    /// A head without its cursor, which remembers how it came.
    fn facts(head: &RequestHead) -> RequestHead {
        RequestHead { cursor: Cursor::default(), ..head.clone() }
    }

    #[test]
    fn a_dripping_sender_gets_the_same_head_and_head_memory_is_reused() {
        let mut head = RequestHead::new();
        for _ in 0..2 {
            for end in 0..PLAIN.len() {
                let progress = parse_request(&PLAIN.as_bytes()[..end], &HeadLimits::default(), &mut head);
                assert_eq!(progress, Ok(Progress::Partial));
            }
            let progress = parse_request(PLAIN.as_bytes(), &HeadLimits::default(), &mut head);
            assert_eq!(progress, Ok(Progress::Complete(PLAIN.len())));
            assert_eq!(head.fields.len(), 4);
        }
    }

    #[test]
    fn the_second_of_two_heads_starts_anew() {
        let text = "POST / HTTP/1.0\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n";
        let mut head = RequestHead::new();
        assert!(matches!(parse_request(text.as_bytes(), &HeadLimits::default(), &mut head), Ok(Progress::Complete(_))));
        assert_eq!((head.framing, head.authority, head.expect_continue), (Framing::Length(0), None, false));
        assert!(matches!(
            parse_request(PLAIN.as_bytes(), &HeadLimits::default(), &mut head),
            Ok(Progress::Complete(_))
        ));
        assert_eq!(facts(&head), facts(&parsed(PLAIN)));
    }

    #[test]
    fn limits_hold_at_their_edge_and_before_the_line_ends() {
        let limits = HeadLimits { start_line_bytes_max: 16, header_bytes_max: 20, fields_max: 2 };
        let parse = |text: &str| parse_request(text.as_bytes(), &limits, &mut RequestHead::new());
        assert_eq!(parse("GET /12 HTTP/1.1\r\nHost: a\r\nX: 345678\r\n\r\n"), Ok(Progress::Complete(40)));
        assert_eq!(parse("GET /123 HTTP/1.1\r\n"), Err(Refusal::LineTooLong));
        assert_eq!(parse("GET /123456789012345"), Err(Refusal::LineTooLong));
        assert_eq!(parse("GET / HTTP/1.1\r\nHost: a\r\nX: 3456789\r\n"), Err(Refusal::HeadersTooLarge));
        assert_eq!(parse("GET / HTTP/1.1\r\nHost: a\r\nX: 345678901234"), Err(Refusal::HeadersTooLarge));
        assert_eq!(parse("GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\n"), Err(Refusal::TooManyFields));
    }

    #[test]
    fn an_end_between_requests_is_no_fault_and_inside_one_is() {
        let ended = |text: &str| {
            let mut head = RequestHead::new();
            parse_request(text.as_bytes(), &HeadLimits::default(), &mut head).and_then(|_| head.handle_end())
        };
        assert_eq!(ended(""), Ok(()));
        assert_eq!(ended("\r\n"), Ok(()));
        assert_eq!(ended(PLAIN), Ok(()));
        assert_eq!(ended("G"), Err(Refusal::TruncatedHead));
        assert_eq!(ended("GET / HTTP/1.1\r\n"), Err(Refusal::TruncatedHead));
    }

    #[test]
    fn fields_of_one_connection_are_told_from_those_that_go_on() {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Secret, host, content-length\r\nContent-Length: 0\r\n\
                    X-Secret: y\r\nX-Open: z\r\nTE: trailers\r\n\r\n";
        let head = parsed(text);
        let passed: Vec<_> = head
            .fields
            .iter()
            .filter(|field| !head.fields.is_hop_by_hop(field, text.as_bytes()))
            .map(|field| field.name.of(text.as_bytes()))
            .collect();
        assert_eq!(passed, [&b"Host"[..], b"Content-Length", b"X-Open"]);
    }

    #[test]
    fn a_client_that_waits_is_noticed() {
        assert!(
            parsed("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n").expect_continue
        );
        assert!(parsed("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n").has_upgrade());
    }
}
