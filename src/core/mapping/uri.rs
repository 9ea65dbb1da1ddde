//! URIs of HTTP integrations: a template in which stage variables are text and `{name}` is filled for each request.
//!
//! `${stageVariables.x}` is replaced first, when the stage is compiled; a variable that the stage lacks is empty.
//! `{name}` is filled only by a mapping to `integration.request.path.name`. `${name}` without the prefix is text, as
//! recorded. The scheme is literal. Authority, path and query are told apart in the template, so a value can never
//! move the border: what is filled in is escaped for where it stands.

use std::borrow::Cow;
use std::fmt;

use super::expression::{Expression, Presence, Resolve, Values};

/// How the origin is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Scheme {
    /// The port if none is written.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Why a URI cannot be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UriError {
    /// It does not begin with `http://` or `https://`. AWS refuses to store it.
    NotHttp,
    /// No host. AWS stores it and answers 500, for a stage variable can be missing.
    EmptyHost,
    /// The port is no number from 1 to 65535.
    BadPort,
    /// The host has a character that no host has, or there is a user name before it.
    BadHost,
    /// No mapping to `integration.request.path.` fills this variable.
    Unmapped(String),
}

/// AWS's words for a URI that it does not store, and for one that it cannot call.
impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp => f.write_str("Invalid HTTP endpoint specified for URI"),
            Self::EmptyHost | Self::BadPort | Self::BadHost => f.write_str("Invalid endpoint address"),
            Self::Unmapped(name) => write!(f, "No mapping to integration.request.path.{name} fills {{{name}}}"),
        }
    }
}

impl std::error::Error for UriError {}

/// Host and port of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Authority<'a> {
    /// As written; an IPv6 address without its brackets.
    pub host: &'a str,
    /// The port, the scheme's if none is written.
    pub port: u16,
    /// Host and port as written: the value of the `Host` header.
    pub text: &'a str,
}

impl<'a> Authority<'a> {
    /// Reads `host`, `host:port`, `[address]` or `[address]:port`.
    pub fn parse(text: &'a str, scheme: Scheme) -> Result<Self, UriError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or(UriError::BadHost)?;
                check_host(address, |byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))?;
                (address, port)
            }
            None => {
                let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                check_host(host, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))?;
                (host, port)
            }
        };
        Ok(Self { host, port: parse_port(port, scheme)?, text })
    }

    /// AWS calls ports 80, 443 and 1024 to 65535 only. Others are served here, which is worth a warning.
    pub const fn is_port_allowed_on_aws(&self) -> bool {
        matches!(self.port, 80 | 443 | 1024..)
    }
}

fn check_host(host: &str, is_allowed: impl Fn(u8) -> bool) -> Result<(), UriError> {
    if host.is_empty() {
        return Err(UriError::EmptyHost);
    }
    if host.bytes().all(is_allowed) { Ok(()) } else { Err(UriError::BadHost) }
}

fn parse_port(text: &str, scheme: Scheme) -> Result<u16, UriError> {
    match text.strip_prefix(':') {
        None if text.is_empty() => Ok(scheme.default_port()),
        // RFC 3986, section 3.2.3: the port may be empty.
        Some("") => Ok(scheme.default_port()),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|&port| port != 0).ok_or(UriError::BadPort)
        }
        _ => Err(UriError::BadPort),
    }
}

/// A compiled URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    scheme: Scheme,
    authority: Box<[Piece]>,
    path: Box<[Piece]>,
    query: Option<Box<[Piece]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The variable's name, and what fills it.
    Fill(Box<str>, Expression),
}

/// What becomes of literals among the fills of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literals {
    /// They are text of the URI.
    Folded,
    /// They are values like others, which a template may replace.
    Kept,
}

impl UriTemplate {
    /// Compiles a URI. `fills` are the mappings to `integration.request.path.{name}`. An authority that does not vary
    /// is checked here.
    pub fn compile(
        text: &str,
        fills: &[(&str, Expression)],
        literals: Literals,
        resolve: &impl Resolve,
    ) -> Result<Self, UriError> {
        let text = with_stage_variables(text, resolve);
        let (scheme, rest) = split_scheme(&text)?;
        let (authority, path, query) = split_parts(rest);
        let template = Self {
            scheme,
            authority: pieces(authority, None, fills, Literals::Folded)?,
            path: pieces(path, Some(Place::Path), fills, literals)?,
            query: query.map(|query| pieces(query, Some(Place::Query), fills, literals)).transpose()?,
        };
        if let Some(authority) = template.static_authority_text() {
            Authority::parse(authority, scheme)?;
        }
        Ok(template)
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether every request goes to the same host.
    pub fn authority_is_static(&self) -> bool {
        self.static_authority_text().is_some()
    }

    /// Host and port, if every request goes there.
    pub fn static_authority(&self) -> Option<Authority<'_>> {
        Authority::parse(self.static_authority_text()?, self.scheme).ok()
    }

    /// The path as it is sent, if it is the same for every request.
    pub fn static_path(&self) -> Option<&str> {
        match &*self.path {
            [] => Some("/"),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The query as it is sent, if there is one and it is the same for every request.
    pub fn static_query(&self) -> Option<&str> {
        match self.query.as_deref()? {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether there is a query in the URI itself.
    pub const fn has_query(&self) -> bool {
        self.query.is_some()
    }

    /// Appends the authority, to be read with [`Authority::parse`]. Values stand in it as they are, so that what no
    /// host has is refused there. [`Presence::Missing`]: a variable had no value and was left empty.
    pub fn write_authority(&self, values: &impl Values, out: &mut Vec<u8>) -> Presence {
        write(&self.authority, None, values, out)
    }

    /// Appends the path, from its slash on. [`Presence::Missing`]: a variable had no value and was left empty.
    pub fn write_path(&self, values: &impl Values, out: &mut Vec<u8>) -> Presence {
        if self.path.is_empty() {
            out.push(b'/');
        }
        write(&self.path, Some(Place::Path), values, out)
    }

    /// Appends the query of the URI, without `?`. [`Presence::Missing`]: a variable had no value and was left empty.
    pub fn write_query(&self, values: &impl Values, out: &mut Vec<u8>) -> Presence {
        match &self.query {
            Some(query) => write(query, Some(Place::QueryValue), values, out),
            None => Presence::Present,
        }
    }

    fn static_authority_text(&self) -> Option<&str> {
        match &*self.authority {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// As it was declared, with a mark for what requests fill in.
impl fmt::Display for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        let query = self.query.as_deref().unwrap_or_default();
        let question = [Piece::Text("?".to_owned())];
        let question = if self.query.is_some() { &question[..] } else { &[] };
        for piece in self.authority.iter().chain(&self.path).chain(question).chain(query) {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Fill(..) => f.write_str("{…}")?,
            }
        }
        Ok(())
    }
}

/// Replaces every `${stageVariables.x}`; a variable that the stage does not have leaves nothing.
pub fn with_stage_variables<'t>(text: &'t str, resolve: &impl Resolve) -> Cow<'t, str> {
    const OPEN: &str = "${stageVariables.";
    if !text.contains(OPEN) {
        return text.into();
    }
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        resolved.push_str(before);
        match after.split_once('}') {
            Some((name, after)) => {
                resolved.push_str(resolve.stage_variable(name).unwrap_or_default());
                rest = after;
            }
            None => {
                resolved.push_str(OPEN);
                rest = after;
            }
        }
    }
    resolved.push_str(rest);
    resolved.into()
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), UriError> {
    let (scheme, rest) = text.split_once("://").ok_or(UriError::NotHttp)?;
    let schemes = [Scheme::Http, Scheme::Https];
    let scheme = schemes.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(scheme));
    Ok((scheme.ok_or(UriError::NotHttp)?, rest))
}

/// Authority, path and query; a fragment is dropped.
fn split_parts(rest: &str) -> (&str, &str, Option<&str>) {
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (hierarchical, query) = match rest.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = hierarchical.split_at(hierarchical.find('/').unwrap_or(hierarchical.len()));
    (authority, path, query)
}

/// Where a byte stands in a URI, which decides whether it must be escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Path,
    /// The query as its author wrote it.
    Query,
    /// A value inside it, which must not end where it says `&`.
    QueryValue,
}

/// Cuts a part of the template at its variables. Text is escaped now, values when they are written.
fn pieces(
    part: &str,
    place: Option<Place>,
    fills: &[(&str, Expression)],
    literals: Literals,
) -> Result<Box<[Piece]>, UriError> {
    // Most parts are one text.
    let mut pieces = Vec::with_capacity(1);
    let mut text = String::new();
    let mut rest = part;
    while let Some((before, name, after)) = next_variable(rest) {
        push_text(&mut text, before, place);
        let fill = fills.iter().find(|(known, _)| *known == name);
        let (_, expression) = fill.ok_or_else(|| UriError::Unmapped(name.to_owned()))?;
        match literal(expression, place).filter(|_| literals == Literals::Folded) {
            Some(literal) => text.push_str(&literal),
            None => {
                end_text(&mut text, &mut pieces);
                pieces.push(Piece::Fill(name.into(), expression.clone()));
            }
        }
        rest = after;
    }
    push_text(&mut text, rest, place);
    end_text(&mut text, &mut pieces);
    Ok(pieces.into())
}

/// The text before the next `{name}`, the name, and what follows. `${name}` is text.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text.get(from..)?.find('{')?;
        let close = open + text[open..].find('}')?;
        let name = &text[open + 1..close];
        if !text[..open].ends_with('$') && !name.is_empty() && !name.contains('{') {
            return Some((&text[..open], name, &text[close + 1..]));
        }
        from = open + 1;
    }
}

fn literal(expression: &Expression, place: Option<Place>) -> Option<String> {
    let mut text = Vec::new();
    match (expression, place) {
        (Expression::Literal(literal), Some(place)) => {
            escape(literal.as_bytes(), in_value(place), Escapes::Escaped, &mut text);
        }
        (Expression::Literal(literal), None) => text.extend_from_slice(literal.as_bytes()),
        _ => return None,
    }
    String::from_utf8(text).ok()
}

const fn in_value(place: Place) -> Place {
    match place {
        Place::Path => Place::Path,
        Place::Query | Place::QueryValue => Place::QueryValue,
    }
}

fn push_text(text: &mut String, more: &str, place: Option<Place>) {
    let Some(place) = place.filter(|place| !more.bytes().all(|byte| is_plain(byte, *place))) else {
        return text.push_str(more);
    };
    let mut escaped = Vec::with_capacity(more.len());
    escape(more.as_bytes(), place, Escapes::Kept, &mut escaped);
    // Everything outside ASCII has been escaped, so this is text.
    text.push_str(&String::from_utf8_lossy(&escaped));
}

fn end_text(text: &mut String, pieces: &mut Vec<Piece>) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}

fn write(pieces: &[Piece], place: Option<Place>, values: &impl Values, out: &mut Vec<u8>) -> Presence {
    let mut presence = Presence::Present;
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Fill(name, expression) => {
                let start = out.len();
                let overridden = values.path_override(name);
                match overridden {
                    Some(value) => out.extend_from_slice(value),
                    None if expression.write(values, out) == Presence::Missing => presence = Presence::Missing,
                    None => {}
                }
                if let Some(place) = place {
                    let is_as_sent = overridden.is_none() && expression.is_as_sent();
                    let escapes = if is_as_sent { Escapes::Kept } else { Escapes::Escaped };
                    escape_from(out, start, in_value(place), escapes);
                }
            }
        }
    }
    presence
}

/// What a `%XX` in a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escapes {
    /// An escape that the client or the author of the URI wrote, and that stays.
    Kept,
    /// A percent sign of a decoded value, to be escaped itself.
    Escaped,
}

/// Escapes what stands in `out` from `start` on. Most values need nothing and are only read.
fn escape_from(out: &mut Vec<u8>, start: usize, place: Place, escapes: Escapes) {
    let value = out.get(start..).unwrap_or_default();
    if value.iter().all(|&byte| is_plain(byte, place)) {
        return;
    }
    let end = out.len();
    for at in start..end {
        let (byte, is_kept) = (out[at], escapes == Escapes::Kept && is_escape(&out[at..end]));
        push_escaped(byte, is_kept, place, out);
    }
    out.drain(start..end);
}

fn escape(text: &[u8], place: Place, escapes: Escapes, out: &mut Vec<u8>) {
    for (at, &byte) in text.iter().enumerate() {
        push_escaped(byte, escapes == Escapes::Kept && is_escape(&text[at..]), place, out);
    }
}

fn push_escaped(byte: u8, is_kept: bool, place: Place, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if is_kept || is_plain(byte, place) {
        return out.push(byte);
    }
    out.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

fn is_escape(text: &[u8]) -> bool {
    matches!(text, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Whether a byte may stand there as it is (RFC 3986, sections 3.3 and 3.4).
fn is_plain(byte: u8, place: Place) -> bool {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
        b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'\'' | b'(' | b')' | b'*' | b',' | b':' | b'@' | b'/' => true,
        b'&' | b'+' | b';' | b'=' => place != Place::QueryValue,
        b'?' => place != Place::Path,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::Side;
    use super::super::expression::tests::{Request, Route};
    use super::*;

    fn source(text: &str) -> Expression {
        Expression::parse(text, Side::Request, &Route).expect(text)
    }

    fn compile(text: &str) -> Result<UriTemplate, UriError> {
        let fills = [
            ("id", source("method.request.path.id")),
            ("proxy", source("method.request.path.proxy")),
            ("q", source("method.request.querystring.q")),
            ("none", source("method.request.header.none")),
            ("fixed", source("'a/b c&d%20?'")),
            ("host", source("context.stage")),
        ];
        UriTemplate::compile(text, &fills, Literals::Folded, &Route)
    }

    fn written(template: &UriTemplate) -> String {
        let mut out = format!("{}://", template.scheme().as_str()).into_bytes();
        let _ = template.write_authority(&Request, &mut out);
        let _ = template.write_path(&Request, &mut out);
        if template.has_query() {
            out.push(b'?');
        }
        let _ = template.write_query(&Request, &mut out);
        String::from_utf8(out).expect("a URI is text")
    }

    #[test]
    fn variables_are_filled_where_they_stand() {
        let rows = [
            ("http://h", "http://h/"),
            ("HTTPS://h:8443/a?b=c#d", "https://h:8443/a?b=c"),
            ("http://h/p/{id}?x={id}&y={q}", "http://h/p/42?x=42&y=last%20one!"),
            ("http://h/{proxy}", "http://h/a%2Fb/c"),
            ("http://${stageVariables.host}/v1", "http://backend.example:8080/v1"),
            ("http://h/${stageVariables.none}/${name}", "http://h//$%7Bname%7D"),
            ("http://{host}.example/", "http://dev.example/"),
            ("http://h/{none}/x", "http://h//x"),
            ("http://h/{fixed}", "http://h/a/b%20c&d%2520%3F"),
            ("http://h/?f={fixed}", "http://h/?f=a/b%20c%26d%2520?"),
            ("http://h/a b\r\nü%41", "http://h/a%20b%0D%0A%C3%BC%41"),
            ("http://h?x=1", "http://h/?x=1"),
            ("http://[::1]:3000/", "http://[::1]:3000/"),
            ("http://h/{}{{id}}", "http://h/%7B%7D%7B42%7D"),
            ("http://h/${stageVariables.open", "http://h/$%7BstageVariables.open"),
        ];
        for (text, expected) in rows {
            assert_eq!(written(&compile(text).expect(text)), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        let rows = [
            ("ftp://h/", UriError::NotHttp),
            ("h/p", UriError::NotHttp),
            ("", UriError::NotHttp),
            ("${stageVariables.host}/", UriError::NotHttp),
            ("http://", UriError::EmptyHost),
            ("http:///p", UriError::EmptyHost),
            ("http://${stageVariables.none}/p", UriError::EmptyHost),
            ("http://:80/", UriError::EmptyHost),
            ("http://h:x/", UriError::BadPort),
            ("http://h:0/", UriError::BadPort),
            ("http://h:65536/", UriError::BadPort),
            ("http://h:+80/", UriError::BadPort),
            ("http://user@h/", UriError::BadHost),
            ("http://user:pass@h/", UriError::BadPort),
            ("http://a b/", UriError::BadHost),
            ("http://[::1/", UriError::BadHost),
            ("http://h\r\nX: y/", UriError::BadHost),
            ("http://h/{other}", UriError::Unmapped("other".into())),
        ];
        for (text, error) in rows {
            assert_eq!(compile(text), Err(error), "{text:?}");
        }
        assert_eq!(UriError::NotHttp.to_string(), "Invalid HTTP endpoint specified for URI");
    }

    #[test]
    fn what_varies_is_visible() {
        let fixed = compile("https://h.example/a").expect("a URI");
        assert!(fixed.authority_is_static());
        let authority = fixed.static_authority().expect("static");
        assert_eq!((authority.host, authority.port, authority.text), ("h.example", 443, "h.example"));
        assert_eq!(fixed.static_path(), Some("/a"));
        let moving = compile("https://{host}.example/{id}").expect("a URI");
        assert!(!moving.authority_is_static());
        assert_eq!((moving.static_authority(), moving.static_path()), (None, None));
    }

    #[test]
    fn a_missing_value_is_told_and_a_written_authority_is_read_again() {
        let template = compile("http://h/{none}").expect("a URI");
        assert_eq!(template.write_path(&Request, &mut Vec::new()), Presence::Missing);
        let template = compile("http://{host}:81/").expect("a URI");
        let mut out = Vec::new();
        assert_eq!(template.write_authority(&Request, &mut out), Presence::Present);
        let text = std::str::from_utf8(&out).expect("text");
        let authority = Authority::parse(text, Scheme::Http).expect("a host and a port");
        assert_eq!((authority.host, authority.port), ("dev", 81));
        assert!(!authority.is_port_allowed_on_aws());
    }
}
