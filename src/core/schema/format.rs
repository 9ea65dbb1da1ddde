//! The formats that the Java validator asserts: those that draft 4 names (section 7.3), and some of its own.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::base::pattern::{Extent, Pattern};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Regex,
    Uri,
    Uuid,
}

/// Longest host name in bytes (RFC 1034 section 3.1).
const HOSTNAME_BYTES_MAX: usize = 253;
/// Longest label of a host name in bytes.
const LABEL_BYTES_MAX: usize = 63;
/// Longest pattern that is tried out.
const REGEX_BYTES_MAX: usize = 1_024;

impl Format {
    /// Other names, known or not, assert nothing.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "date-time" => Self::DateTime,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "regex" => Self::Regex,
            "uri" => Self::Uri,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    pub(super) fn allows(self, text: &str) -> bool {
        match self {
            Self::DateTime => is_date_time(text.as_bytes()),
            Self::Email => is_email(text),
            Self::Hostname => is_hostname(text),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Regex => text.len() <= REGEX_BYTES_MAX && Pattern::compile(text, Extent::Part).is_ok(),
            Self::Uri => is_uri(text),
            Self::Uuid => is_uuid(text),
        }
    }
}

/// RFC 3339 section 5.6.
fn is_date_time(text: &[u8]) -> bool {
    let Some((date, time)) = text.split_at_checked(10) else { return false };
    let [b'T' | b't', time @ ..] = time else { return false };
    is_date(date) && is_time(time)
}

fn is_date(text: &[u8]) -> bool {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else { return false };
    let (Some(year), Some(month), Some(day)) =
        (number(&[*y0, *y1, *y2, *y3]), number(&[*m0, *m1]), number(&[*d0, *d1]))
    else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &[u8]) -> bool {
    let [h0, h1, b':', m0, m1, b':', s0, s1, rest @ ..] = text else { return false };
    let (Some(hour), Some(minute), Some(second)) = (number(&[*h0, *h1]), number(&[*m0, *m1]), number(&[*s0, *s1]))
    else {
        return false;
    };
    let rest = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
        rest => rest,
    };
    let Some(offset) = offset_minutes(rest) else { return false };
    let in_day = i64::from(hour * 60 + minute) - offset;
    // A leap second is the last one of a day in UTC.
    let is_second = second < 60 || (second == 60 && in_day.rem_euclid(24 * 60) == 23 * 60 + 59);
    hour < 24 && minute < 60 && is_second
}

/// `Z` or `+hh:mm`.
fn offset_minutes(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (number(&[*h0, *h1])?, number(&[*m0, *m1])?);
            let offset = i64::from(hours * 60 + minutes);
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -offset } else { offset })
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(is_word)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= HOSTNAME_BYTES_MAX && text.split('.').all(is_label)
}

/// A local part of RFC 5322 (dot-atom or quoted), an at sign, and a host name or an address in brackets.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte) || byte >= 0x80;
    let is_quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let is_local = is_quoted || local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom));
    let address = domain.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let is_domain = match address {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => is_hostname(domain),
    };
    is_local && is_domain
}

/// Five numbers of up to 63 bits in hexadecimal with hyphens between them, as `java.util.UUID` reads them.
fn is_uuid(text: &str) -> bool {
    let is_number = |part: &str| !part.starts_with(['+', '-']) && i64::from_str_radix(part, 16).is_ok();
    text.split('-').count() == 5 && text.split('-').all(is_number)
}

/// An absolute URI (RFC 3986).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let hierarchy = rest.split(['?', '#']).next().unwrap_or_default();
    let authority = hierarchy.strip_prefix("//").map(|after| after.split('/').next().unwrap_or_default());
    is_scheme
        && has_uri_characters(rest)
        && rest.matches('#').count() <= 1
        && authority.is_none_or(is_authority)
        && (authority.is_some() || !rest.contains(['[', ']']))
}

fn has_uri_characters(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)),
        other => other.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(other),
    })
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("", port),
            _ => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port =
        |port: &str| port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    !user.contains(['[', ']', '@']) && !host.contains(['[', ']']) && is_port(port)
}
