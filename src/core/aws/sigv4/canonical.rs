//! The canonical request: the one spelling of a request that both sides compute and sign.

use std::iter;

use smallvec::SmallVec;

use super::Request;
use super::key::{PayloadHash, hex};
use crate::proto::http::percent::{escaped, is_unreserved, unescaped};

/// How a service spells the path that it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStyle {
    /// Without dot segments and double slashes, then encoded once more. Every service but S3.
    Normalized,
    /// As sent, then encoded once more.
    AsSent,
    /// As sent, encoded once: a path is the name of an object, in which dots and slashes mean themselves. S3.
    Object,
}

/// What stands on the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The hash of what is sent.
    Hashed(PayloadHash),
    /// `UNSIGNED-PAYLOAD`.
    Unsigned,
}

/// The line of an unsigned payload, and the header that announces it.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// The parameter that holds the signature, and is therefore not signed.
pub(super) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// Appends the canonical request. `signed_headers` is what stands between the signed names, in the order of the line:
/// lower case, ascending, joined by `;`.
pub(super) fn write(
    request: &Request<'_>,
    path_style: PathStyle,
    signed_headers: &str,
    payload: Payload,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(request.method.as_bytes());
    out.push(b'\n');
    write_path(request.path.as_bytes(), path_style, out);
    out.push(b'\n');
    write_query(request.query.as_bytes(), out);
    out.push(b'\n');
    for name in signed_headers.split(';') {
        write_header(name, request, out);
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    match payload {
        Payload::Hashed(hash) => out.extend_from_slice(&hex(&hash)),
        Payload::Unsigned => out.extend_from_slice(UNSIGNED_PAYLOAD.as_bytes()),
    }
}

fn write_path(path: &[u8], style: PathStyle, out: &mut Vec<u8>) {
    match style {
        _ if path.is_empty() => out.push(b'/'),
        PathStyle::Normalized => write_normalized(path, out),
        PathStyle::AsSent => out.extend(path.iter().copied().flat_map(encoded_in_path)),
        PathStyle::Object => out.extend(decoded(path, Plus::IsPlus).flat_map(encoded_in_path)),
    }
}

/// RFC 3986 §5.2.4 and slashes collapsed. What ends in a dot segment has no slash at the end, unless it was the root.
fn write_normalized(path: &[u8], out: &mut Vec<u8>) {
    let mut kept: SmallVec<[&[u8]; 32]> = SmallVec::new();
    for segment in path.split(|&byte| byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    for segment in &kept {
        out.push(b'/');
        out.extend(segment.iter().copied().flat_map(encoded));
    }
    if kept.is_empty() || path.ends_with(b"/") {
        out.push(b'/');
    }
}

fn write_query(query: &[u8], out: &mut Vec<u8>) {
    let mut pairs: SmallVec<[(&[u8], &[u8]); 32]> =
        pairs(query).filter(|(name, _)| !is_text(name, SIGNATURE_PARAMETER)).collect();
    // Sorted as they will be spelled: `%` comes before every letter. Compared lazily, so that nothing is kept twice.
    pairs.sort_unstable_by(|a, b| recoded(a.0).cmp(recoded(b.0)).then_with(|| recoded(a.1).cmp(recoded(b.1))));
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend(recoded(name));
        out.push(b'=');
        out.extend(recoded(value));
    }
}

/// `name:value\n`; values of the same name are joined in the order in which they were sent.
fn write_header(name: &str, request: &Request<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    for (index, value) in request.values(name).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_collapsed(value, out);
    }
    out.push(b'\n');
}

/// Without white space at the ends, and one space for a run within.
fn write_collapsed(value: &[u8], out: &mut Vec<u8>) {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// The parameters of a query as raw names and raw values. A parameter without `=` has an empty value.
pub(super) fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| match memchr::memchr(b'=', pair) {
        Some(equals) => (&pair[..equals], &pair[equals + 1..]),
        None => (pair, &[][..]),
    })
}

/// Whether a raw name or value, decoded, is `text`.
pub(super) fn is_text(raw: &[u8], text: &str) -> bool {
    decoded(raw, Plus::IsSpace).eq(text.bytes())
}

/// What `+` means.
#[derive(Clone, Copy)]
pub(super) enum Plus {
    /// Itself, as in a path.
    IsPlus,
    /// A space, as in a query.
    IsSpace,
}

/// The bytes that a raw text means. An escape that is none stays as it is: those are refused before they come here.
pub(super) fn decoded(raw: &[u8], plus: Plus) -> impl Iterator<Item = u8> {
    let mut rest = raw;
    iter::from_fn(move || {
        let (byte, used) = match (rest, plus) {
            ([], _) => return None,
            ([b'%', high, low, ..], _) => unescaped(*high, *low).map_or((b'%', 1), |byte| (byte, 3)),
            ([b'+', ..], Plus::IsSpace) => (b' ', 1),
            ([byte, ..], _) => (*byte, 1),
        };
        rest = rest.get(used..).unwrap_or_default();
        Some(byte)
    })
}

/// A raw name or value of the query in its canonical spelling.
fn recoded(raw: &[u8]) -> impl Iterator<Item = u8> {
    decoded(raw, Plus::IsSpace).flat_map(encoded)
}

fn encoded(byte: u8) -> impl Iterator<Item = u8> {
    spelled(byte, is_unreserved(byte))
}

fn encoded_in_path(byte: u8) -> impl Iterator<Item = u8> {
    spelled(byte, byte == b'/' || is_unreserved(byte))
}

fn spelled(byte: u8, is_plain: bool) -> impl Iterator<Item = u8> {
    let (text, len) = if is_plain { ([byte, 0, 0], 1) } else { (escaped(byte), 3) };
    text.into_iter().take(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn each_service_spells_its_path_in_its_own_way() {
        let rows = [
            // sent, normalized, as sent, object
            ("", "/", "/", "/"),
            ("/", "/", "/", "/"),
            ("//a//b/", "/a/b/", "//a//b/", "//a//b/"),
            ("/a/./b/../c", "/a/c", "/a/./b/../c", "/a/./b/../c"),
            ("/../..", "/", "/../..", "/../.."),
            ("/a/..", "/", "/a/..", "/a/.."),
            ("/a/b/..", "/a", "/a/b/..", "/a/b/.."),
            ("/@connections/abc%3D", "/%40connections/abc%253D", "/%40connections/abc%253D", "/%40connections/abc%3D"),
            ("/a b+%2f", "/a%20b%2B%252f", "/a%20b%2B%252f", "/a%20b%2B/"),
        ];
        for (sent, normalized, as_sent, object) in rows {
            let spelled = |style| text(|out| write_path(sent.as_bytes(), style, out));
            assert_eq!(spelled(PathStyle::Normalized), normalized);
            assert_eq!(spelled(PathStyle::AsSent), as_sent);
            assert_eq!(spelled(PathStyle::Object), object);
        }
    }

    #[test]
    fn parameters_are_sorted_as_they_are_spelled() {
        let rows = [
            ("", ""),
            ("b&a=", "a=&b="),
            ("a=2&a=1&A=3", "A=3&a=1&a=2"),
            ("a-b=1&a=2&a%20=3", "a=2&a%20=3&a-b=1"),
            ("x=%7e%2d&y=a+b&z=a%2bb", "x=~-&y=a%20b&z=a%2Bb"),
            ("k=%E1%88%B4&k=z&k=~", "k=%E1%88%B4&k=z&k=~"),
            ("a==&&b", "a=%3D&b="),
            ("a=1&X-Amz-Signature=0&%58-Amz-Signature=1&X-Amz-Signatures=2", "X-Amz-Signatures=2&a=1"),
        ];
        for (query, canonical) in rows {
            assert_eq!(text(|out| write_query(query.as_bytes(), out)), canonical);
        }
    }

    #[test]
    fn white_space_in_a_value_is_one_space() {
        for (value, canonical) in [("  a \t b\r\n  c ", "a b c"), ("", ""), (" ", ""), ("\"a  b\"", "\"a b\"")] {
            assert_eq!(text(|out| write_collapsed(value.as_bytes(), out)), canonical);
        }
    }
}
