//! The authority of an http or https URI, as the Host field carries it (RFC 3986 §3.2, RFC 9110 §4.2 and §7.2).

use std::net::Ipv6Addr;

/// A host and perhaps a port, known to be well formed. Never with user information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// Name, IPv4 address, or IPv6 address in brackets, spelled as it came.
    pub host: &'a [u8],
    /// The port, if one was written.
    pub port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `host[:port]`. Stricter than RFC 3986 where servers are known to differ: no percent escapes, no commas
    /// (two Host fields joined by a careless proxy), no future address forms, no empty host, no port past 65,535.
    #[inline]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let host_len = match text.first()? {
            b'[' => ipv6_len(text)?,
            _ => text.iter().position(|&byte| !IS_NAME_BYTE[usize::from(byte)]).unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at(host_len);
        if host.is_empty() {
            return None;
        }
        match rest {
            [] => Some(Self { host, port: None }),
            [b':', digits @ ..] => Some(Self { host, port: port(digits)? }),
            _ => None,
        }
    }
}

/// `unreserved / sub-delims` of RFC 3986, less the comma.
const IS_NAME_BYTE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'='
            );
        byte += 1;
    }
    table
};

/// Length of a bracketed IPv6 address, brackets included.
fn ipv6_len(text: &[u8]) -> Option<usize> {
    let close = text.iter().position(|&byte| byte == b']')?;
    let address = std::str::from_utf8(text.get(1..close)?).ok()?;
    address.parse::<Ipv6Addr>().ok().map(|_| close + 1)
}

/// The outer `None` is malformed; the inner one is the empty port that RFC 3986 §3.2.3 allows.
fn port(digits: &[u8]) -> Option<Option<u16>> {
    if digits.is_empty() {
        return Some(None);
    }
    let mut port: u16 = 0;
    for digit in digits {
        let value = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        port = port.checked_mul(10)?.checked_add(value)?;
    }
    Some(Some(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_ports() {
        let parsed = |text: &'static str| Authority::parse(text.as_bytes()).map(|it| (it.host, it.port));
        assert_eq!(parsed("a.example"), Some((&b"a.example"[..], None)));
        assert_eq!(parsed("A.EXAMPLE:80"), Some((&b"A.EXAMPLE"[..], Some(80))));
        assert_eq!(parsed("a.example:"), Some((&b"a.example"[..], None)));
        assert_eq!(parsed("127.0.0.1:65535"), Some((&b"127.0.0.1"[..], Some(65535))));
        assert_eq!(parsed("[::1]:8080"), Some((&b"[::1]"[..], Some(8080))));
        assert_eq!(parsed("[2001:db8::1]"), Some((&b"[2001:db8::1]"[..], None)));
        assert_eq!(parsed("home_0.example=5"), Some((&b"home_0.example=5"[..], None)));
    }

    #[test]
    fn what_two_servers_could_read_differently_is_no_authority() {
        let bad = [
            "",
            ":80",
            "a b",
            "a,b",
            "a.example/x",
            "user@a.example",
            "u:p@a.example",
            "a.example:port",
            "a:65536",
            "a:99999999",
            "a:+1",
            "a:80:80",
            "[::1",
            "[::1]x",
            "[::g]",
            "[]",
            "::1",
            "a%2eb",
            "a\0",
            "a#",
            "a?b",
            "caf\u{e9}",
            "a\\b",
            "[v1.a]",
            " a",
            "a ",
            "\"a\"",
        ];
        for text in bad {
            assert_eq!(Authority::parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
