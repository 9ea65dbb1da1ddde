//! The PROXY protocol, versions 1 and 2: how a load balancer in front says whom it speaks for
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest header of version 1, its line end included.
const V1_BYTES_MAX: usize = 107;
/// Longest header of version 2 that is accepted: addresses and a few kilobytes of extensions.
const V2_BYTES_MAX: usize = 4_096;
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED_BYTES: usize = 16;

/// A header of either version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its length in bytes; the request follows.
    pub len: usize,
    /// Whom it speaks for.
    pub source: Source,
}

/// Whom a connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A client at this address.
    Address(IpAddr),
    /// The balancer itself (a health check), or a kind of address that is not TCP over IP.
    Itself,
}

/// The bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads a header at the start of `bytes`. `None`: more bytes are needed.
///
/// # Errors
/// [`Malformed`] as soon as it cannot become a header any more.
pub fn parse(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let is_start_of = |whole: &[u8]| bytes.len() < whole.len() && whole.starts_with(bytes);
    if bytes.starts_with(V2_SIGNATURE) {
        parse_v2(bytes)
    } else if bytes.starts_with(b"PROXY ") {
        parse_v1(bytes)
    } else if is_start_of(V2_SIGNATURE) || is_start_of(b"PROXY ") {
        Ok(None)
    } else {
        Err(Malformed)
    }
}

fn parse_v1(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let window = &bytes[..bytes.len().min(V1_BYTES_MAX)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < V1_BYTES_MAX { Ok(None) } else { Err(Malformed) };
    };
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| Malformed)?;
    let mut words = line.split(' ').skip(1);
    let family = words.next().ok_or(Malformed)?;
    let len = end + 2;
    if family == "UNKNOWN" {
        return Ok(Some(Header { len, source: Source::Itself }));
    }
    let [source, destination] = [words.next().ok_or(Malformed)?, words.next().ok_or(Malformed)?];
    for _ in 0..2 {
        words.next().and_then(|port| port.parse::<u16>().ok()).ok_or(Malformed)?;
    }
    if words.next().is_some() {
        return Err(Malformed);
    }
    let read = |text: &str| match family {
        "TCP4" => text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| Malformed),
        "TCP6" => text.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| Malformed),
        _ => Err(Malformed),
    };
    read(destination)?;
    Ok(Some(Header { len, source: Source::Address(read(source)?) }))
}

fn parse_v2(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let Some(fixed) = bytes.first_chunk::<V2_FIXED_BYTES>() else { return Ok(None) };
    let (version, command) = (fixed[12] >> 4, fixed[12] & 0x0f);
    let rest = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let len = V2_FIXED_BYTES + rest;
    if version != 2 || command > 1 || len > V2_BYTES_MAX {
        return Err(Malformed);
    }
    let Some(addresses) = bytes.get(V2_FIXED_BYTES..len) else { return Ok(None) };
    let source = match (command, fixed[13]) {
        // LOCAL, and everything but TCP over IPv4 and IPv6.
        (1, 0x11) => Source::Address(IpAddr::V4(Ipv4Addr::from(block::<4>(addresses, 12)?))),
        (1, 0x21) => Source::Address(IpAddr::V6(Ipv6Addr::from(block::<16>(addresses, 36)?))),
        _ => Source::Itself,
    };
    Ok(Some(Header { len, source }))
}

/// The first `N` bytes of a block that must hold at least `least`.
fn block<const N: usize>(addresses: &[u8], least: usize) -> Result<[u8; N], Malformed> {
    if addresses.len() < least {
        return Err(Malformed);
    }
    addresses.first_chunk().copied().ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let len = (addresses.len() as u16).to_be_bytes();
        [&V2_SIGNATURE[..], &[0x20 | command, family], &len, addresses].concat()
    }

    #[test]
    fn both_versions_name_their_client() {
        let v4 = v2(1, 0x11, &[192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x34, 0, 80]);
        let mut addresses = [0_u8; 36];
        addresses[15] = 1;
        let v6 = v2(1, 0x21, &addresses);
        let cases: [(&[u8], &str); 4] = [
            (b"PROXY TCP4 192.0.2.1 10.0.0.1 4660 80\r\n", "192.0.2.1"),
            (b"PROXY TCP6 ::1 ::2 4660 80\r\n", "::1"),
            (&v4, "192.0.2.1"),
            (&v6, "::1"),
        ];
        for (bytes, ip) in cases {
            let header = Header { len: bytes.len(), source: Source::Address(ip.parse().unwrap()) };
            assert_eq!(parse(bytes), Ok(Some(header)));
            for cut in 0..bytes.len() {
                assert_eq!(parse(&bytes[..cut]), Ok(None), "{ip} cut at {cut}");
            }
        }
    }

    #[test]
    fn health_checks_and_other_families_speak_for_the_balancer() {
        for bytes in
            [&b"PROXY UNKNOWN\r\n"[..], b"PROXY UNKNOWN ffff::1 ::2 1 2\r\n", &v2(0, 0, &[]), &v2(1, 0x31, &[0; 216])]
        {
            let header = Header { len: bytes.len(), source: Source::Itself };
            assert_eq!(parse(bytes), Ok(Some(header)));
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
        let cases: [&[u8]; 9] = [
            b"GET / HTTP/1.1\r\n",
            b"PROXY TCP4 ::1 ::2 1 2\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 99999 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n",
            b"PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n",
            &long,
            &v2(1, 0x11, &[1, 2, 3]),
            &v2(2, 0x11, &[0; 12]),
            &v2(1, 0x11, &[0; 5000]),
        ];
        for bytes in cases {
            assert_eq!(parse(bytes), Err(Malformed));
        }
    }
}
