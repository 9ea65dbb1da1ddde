//! Appends the lines of a message to a buffer. No formatting machinery: these run for every request.
//!
//! Nothing that is written can end its line early or start another: names, values and targets are checked, and what
//! does not pass is not written at all. What a mapping computes from a client's input comes through here.

use std::fmt;

use super::class::{is_token, target_end, value_end};
use super::fields::Field;
use crate::proto::http::{Status, Version};

/// A part of a message that would break the line it is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unwritable {
    /// A method that is no token.
    Method,
    /// A target that is empty or holds something else than visible ASCII.
    Target,
    /// A reason phrase with a control character.
    Reason,
    /// A field name that is no token.
    Name,
    /// A field value with a control character other than the tab: CR, LF and NUL above all.
    Value,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the method is not a token",
            Self::Target => "the request target holds a space, a control character or a byte beyond ASCII",
            Self::Reason => "the reason phrase holds a control character",
            Self::Name => "the field name is not a token",
            Self::Value => "the field value holds a control character",
        })
    }
}

impl std::error::Error for Unwritable {}

const LINE_END: &[u8; 2] = b"\r\n";

/// `method SP target SP HTTP/1.1`.
pub fn write_request_line(method: &[u8], target: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    if !is_token(method) {
        return Err(Unwritable::Method);
    }
    if target.is_empty() || target_end(target, 0) != target.len() {
        return Err(Unwritable::Target);
    }
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(target);
    out.extend_from_slice(b" HTTP/1.1\r\n");
    Ok(())
}

/// `HTTP/1.1 SP code SP reason`, with the registered reason phrase.
#[inline]
pub fn write_status_line(status: Status, out: &mut Vec<u8>) {
    match status.code() {
        200 => out.extend_from_slice(b"HTTP/1.1 200 OK\r\n"),
        _ => status_line(status, status.reason().as_bytes(), out),
    }
}

/// As [`write_status_line`], with a reason phrase of one's own.
pub fn write_status_line_with(status: Status, reason: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    if value_end(reason, 0) != reason.len() {
        return Err(Unwritable::Reason);
    }
    status_line(status, reason, out);
    Ok(())
}

fn status_line(status: Status, reason: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(Version::Http11.as_str().as_bytes());
    out.push(b' ');
    write_number(u64::from(status.code()), out);
    out.push(b' ');
    out.extend_from_slice(reason);
    out.extend_from_slice(LINE_END);
}

/// `name: value`.
#[inline]
pub fn write_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    if !is_token(name) {
        return Err(Unwritable::Name);
    }
    if value_end(value, 0) != value.len() {
        return Err(Unwritable::Value);
    }
    append_field(name, value, out);
    Ok(())
}

/// Passes on a field of a head that was parsed from `bytes`. What the parser has read needs no second look.
#[inline]
pub fn copy_field(field: &Field, bytes: &[u8], out: &mut Vec<u8>) {
    append_field(field.name.of(bytes), field.value.of(bytes), out);
}

#[inline]
fn append_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.reserve(name.len() + value.len() + b": \r\n".len());
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(LINE_END);
}

/// `Content-Length: length`.
#[inline]
pub fn write_length(length: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Length: ");
    write_number(length, out);
    out.extend_from_slice(LINE_END);
}

/// `Transfer-Encoding: chunked`.
pub fn write_chunked(out: &mut Vec<u8>) {
    out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
}

/// The empty line after the fields.
#[inline]
pub fn end_head(out: &mut Vec<u8>) {
    out.extend_from_slice(LINE_END);
}

/// `number` in decimal.
#[inline]
pub fn write_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_as_the_grammar_has_them() {
        let mut out = Vec::new();
        write_request_line(b"GET", b"/a?b", &mut out).expect("plain");
        write_field(b"Host", b"a.example", &mut out).expect("plain");
        write_field(b"X", b"", &mut out).expect("an empty value is a value");
        write_length(1_234, &mut out);
        write_chunked(&mut out);
        end_head(&mut out);
        assert_eq!(
            out,
            b"GET /a?b HTTP/1.1\r\nHost: a.example\r\nX: \r\nContent-Length: 1234\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
    }

    #[test]
    fn status_lines_carry_their_reason_or_none() {
        let line = |code| {
            let mut out = Vec::new();
            write_status_line(Status::new(code).expect("three digits"), &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(line(200), "HTTP/1.1 200 OK\r\n");
        assert_eq!(line(404), "HTTP/1.1 404 Not Found\r\n");
        assert_eq!(line(799), "HTTP/1.1 799 \r\n");
    }

    #[test]
    fn no_part_of_a_message_can_end_its_line() {
        let mut out = Vec::new();
        for byte in (0..=0x1f).filter(|&byte| byte != b'\t').chain([0x7f]) {
            let evil = [b'a', byte, b'b'];
            assert_eq!(write_field(b"X", &evil, &mut out), Err(Unwritable::Value), "{byte:#x}");
            assert_eq!(write_field(&evil, b"x", &mut out), Err(Unwritable::Name));
            assert_eq!(write_request_line(b"GET", &evil, &mut out), Err(Unwritable::Target));
            assert_eq!(write_request_line(&evil, b"/", &mut out), Err(Unwritable::Method));
            assert_eq!(write_status_line_with(Status::OK, &evil, &mut out), Err(Unwritable::Reason));
        }
        assert_eq!(write_field(b"", b"x", &mut out), Err(Unwritable::Name));
        assert_eq!(write_field(b"a:", b"x", &mut out), Err(Unwritable::Name));
        assert_eq!(write_request_line(b"GET", b"/a b", &mut out), Err(Unwritable::Target));
        assert_eq!(write_request_line(b"GET", b"", &mut out), Err(Unwritable::Target));
        assert!(out.is_empty(), "what is refused leaves no trace");
    }
}
