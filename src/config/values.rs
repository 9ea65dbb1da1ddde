//! The words an operator writes: addresses, sizes, durations, networks, origins.
//!
//! Each type parses from text and says in one sentence what was expected. Nothing here touches the network or the
//! file system: a name is not resolved and a path is not opened.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub use crate::net::cidr::Cidr;

/// Why a written value was refused: what was expected, in words that end a sentence beginning with the flag's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid(message.into()))
}

/// Where requests are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// A TCP socket; every shard opens its own with `SO_REUSEPORT`.
    Tcp(SocketAddr),
    /// A Unix stream socket; bound once, its descriptor duplicated to each shard.
    Unix(PathBuf),
}

/// `sun_path` holds 108 bytes, the last of which must be NUL (unix(7)).
const UNIX_PATH_BYTES_MAX: usize = 107;

impl FromStr for ListenAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.strip_prefix("unix:") {
            Some("") => invalid("a path must follow `unix:`"),
            Some(path) if path.len() > UNIX_PATH_BYTES_MAX => {
                invalid(format!("a socket's path has at most {UNIX_PATH_BYTES_MAX} bytes, this has {}", path.len()))
            }
            Some(path) => Ok(Self::Unix(PathBuf::from(path))),
            None => socket_address(text).map(Self::Tcp),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Reads `ADDR:PORT`. Names are refused, `localhost` apart: what is listened on must not depend on a name server.
pub fn socket_address(text: &str) -> Result<SocketAddr, Invalid> {
    if let Some(port) = text.strip_prefix("localhost:") {
        return socket_address(&format!("127.0.0.1:{port}"));
    }
    match text.parse() {
        Ok(address) => Ok(address),
        Err(_) => invalid(format!("expected ADDR:PORT such as 127.0.0.1:8080 or [::1]:8080, not `{text}`")),
    }
}

/// Whether two TCP addresses would compete for one socket. Port 0 asks the kernel for a free one and never does.
pub fn compete(a: SocketAddr, b: SocketAddr) -> bool {
    let same_place = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && same_place
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const BYTE_UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl FromStr for ByteSize {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (digits, unit) = split_number(text);
        let Ok(number) = digits.parse::<u64>() else {
            return invalid(format!("expected a size such as 512MiB or 2GB, not `{text}`"));
        };
        // A bare letter means 1000 to some and 1024 to others, so it is asked back instead of guessed.
        if matches!(unit, "k" | "K" | "M" | "G" | "T") {
            return invalid(format!(
                "`{text}` is ambiguous: write {number}{unit}B (powers of 1000) or {number}{unit}iB"
            ));
        }
        let Some((_, factor)) = BYTE_UNITS.iter().find(|(name, _)| *name == unit) else {
            return invalid(format!("unknown unit `{unit}`; known are B, kB, MB, GB, KiB, MiB, GiB, TiB"));
        };
        number.checked_mul(*factor).map(Self).ok_or_else(|| Invalid(format!("`{text}` is more than 2^64 bytes")))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = BYTE_UNITS.iter().rev().find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        let (unit, factor) = exact.map_or(("B", 1), |(unit, factor)| (if *factor == 1 { "B" } else { unit }, *factor));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

/// Longest time a flag may ask for: a larger number is a slip of the unit.
const DURATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads `500ms`, `10s`, `5m` or `1h`: a positive whole number with its unit, one day at most.
pub fn duration(text: &str) -> Result<Duration, Invalid> {
    let (digits, unit) = split_number(text);
    let Ok(number) = digits.parse::<u64>() else {
        return invalid(format!("expected a time such as 500ms, 10s, 5m or 1h, not `{text}`"));
    };
    let millis_per_unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" => return invalid(format!("`{text}` has no unit: write {number}s or {number}ms")),
        _ => return invalid(format!("unknown unit `{unit}`; known are ms, s, m, h")),
    };
    match number.checked_mul(millis_per_unit).map(Duration::from_millis) {
        Some(Duration::ZERO) => invalid("a deadline of zero would refuse everything"),
        Some(time) if time <= DURATION_MAX => Ok(time),
        _ => invalid(format!("`{text}` is more than a day")),
    }
}

fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

impl FromStr for Cidr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let Ok(address) = address.parse::<IpAddr>() else {
            return invalid(format!("expected an address or a network such as 10.0.0.0/8, not `{text}`"));
        };
        let width: u8 = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits.map(str::parse::<u8>) {
            None => width,
            Some(Ok(bits)) if bits <= width => bits,
            Some(_) => return invalid(format!("`{text}`: the prefix length must be 0 to {width}")),
        };
        let network = Self::around(address, bits);
        // Host bits beside a prefix mean that one of the two is a slip, and either reading may open too much.
        if network.address() != address {
            return invalid(format!("`{text}` has bits beyond its prefix: write {network} or {address}"));
        }
        Ok(network)
    }
}

/// How an origin is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL without one means.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// `scheme://host[:port]` (RFC 6454), the host in lower case and the port always known, so that two spellings of
/// one origin are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Name or address; an IPv6 address is in brackets, as in a URL.
    pub host: String,
    /// Port, the scheme's own when none was written.
    pub port: u16,
}

impl FromStr for Origin {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let url = HttpUrl::from_str(text)?;
        // A path after an origin would be dropped without a word, and then missed.
        if url.path.is_empty() {
            Ok(url.origin)
        } else {
            invalid(format!("`{text}` has a path; an origin is scheme://host[:port] only"))
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// An http or https URL without query, fragment or credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpUrl {
    /// Where it is.
    pub origin: Origin,
    /// What stands before every path sent there: empty or `/base`, never with a slash at the end.
    pub path: String,
}

impl FromStr for HttpUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            _ => return invalid(format!("expected http://host[:port] or https://host[:port], not `{text}`")),
        };
        if let Some(bad) = rest.chars().find(|c| matches!(c, '?' | '#' | '@' | '\\') || !c.is_ascii_graphic()) {
            return invalid(format!("`{text}` must not contain `{}`", bad.escape_default()));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_authority(authority, scheme)?;
        Ok(Self { origin: Origin { scheme, host, port }, path: path.trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

fn split_authority(authority: &str, scheme: Scheme) -> Result<(String, u16), Invalid> {
    let after_address = authority.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match authority[after_address..].rfind(':') {
        Some(colon) => (&authority[..after_address + colon], Some(&authority[after_address + colon + 1..])),
        None => (authority, None),
    };
    let port = match port.map(str::parse::<u16>) {
        None => scheme.default_port(),
        Some(Ok(port)) if port != 0 => port,
        Some(_) => return invalid(format!("`{authority}`: the port must be 1 to 65535")),
    };
    let is_host = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => is_host_name(host),
    };
    if is_host { Ok((host.to_ascii_lowercase(), port)) } else { invalid(format!("`{host}` is not a host name")) }
}

/// Whether `text` can be a host name: dot-separated labels of letters, digits, `-` and `_`. Underscores are not in
/// RFC 952, but service names in containers have them.
pub fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.strip_suffix('.').unwrap_or(text).split('.').all(is_label)
}

/// `FROM=TO`: an integration that points at FROM is sent to TO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRewrite {
    /// The origin as the definition has it.
    pub from: Origin,
    /// The origin to use instead.
    pub to: Origin,
}

impl FromStr for OriginRewrite {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((from, to)) = text.split_once('=') else {
            return invalid(format!(
                "expected FROM=TO such as https://api.example.com=http://127.0.0.1:3000, not `{text}`"
            ));
        };
        Ok(Self { from: from.parse()?, to: to.parse()? })
    }
}

/// `NAME=VALUE` of a stage variable, by the rules of
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageVariable {
    /// Letters, digits and `_`, 64 at most.
    pub name: String,
    /// Characters that AWS allows, 512 at most.
    pub value: String,
}

const STAGE_VARIABLE_NAME_CHARS_MAX: usize = 64;
const STAGE_VARIABLE_VALUE_CHARS_MAX: usize = 512;

impl FromStr for StageVariable {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((name, value)) = text.split_once('=') else {
            return invalid(format!("expected NAME=VALUE, not `{text}`"));
        };
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if !(1..=STAGE_VARIABLE_NAME_CHARS_MAX).contains(&name.len()) || !name.bytes().all(is_name) {
            return invalid(format!("`{name}`: a stage variable's name is 1 to 64 letters, digits and `_`"));
        }
        let is_value = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b);
        if !(1..=STAGE_VARIABLE_VALUE_CHARS_MAX).contains(&value.len()) || !value.bytes().all(is_value) {
            return invalid(format!(
                "the value of `{name}` must be 1 to 512 characters of A-Z a-z 0-9 - . _ ~ : / ? # & = ,"
            ));
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listen_address_is_an_ip_and_port_or_a_path() {
        let tcp = |text: &str| ListenAddress::Tcp(text.parse().unwrap());
        assert_eq!("0.0.0.0:80".parse(), Ok(tcp("0.0.0.0:80")));
        assert_eq!("[::]:80".parse(), Ok(tcp("[::]:80")));
        assert_eq!("localhost:1".parse(), Ok(tcp("127.0.0.1:1")));
        assert_eq!("unix:/run/r.sock".parse(), Ok(ListenAddress::Unix("/run/r.sock".into())));
        for bad in ["", "8080", ":8080", "unix:", "example.com:80", "127.0.0.1", "1.2.3.4:70000"] {
            assert!(bad.parse::<ListenAddress>().is_err(), "{bad}");
        }
        assert!(format!("unix:/{}", "a".repeat(107)).parse::<ListenAddress>().is_err());
    }

    #[test]
    fn addresses_compete_on_one_port_when_equal_or_when_one_is_every_address() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert!(compete(at("127.0.0.1:1"), at("127.0.0.1:1")));
        assert!(compete(at("0.0.0.0:1"), at("127.0.0.1:1")));
        assert!(!compete(at("127.0.0.2:1"), at("127.0.0.1:1")));
        assert!(!compete(at("127.0.0.1:0"), at("127.0.0.1:0")));
    }

    #[test]
    fn sizes_have_exact_units_and_a_bare_letter_is_asked_back() {
        for (text, bytes) in
            [("0", 0), ("17", 17), ("17B", 17), ("2kB", 2_000), ("1MiB", 1 << 20), ("3GB", 3_000_000_000)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for bad in ["", "MiB", "1M", "1 MiB", "-1", "1.5GiB", "99999999TiB", "1mib"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
        assert!("1M".parse::<ByteSize>().unwrap_err().0.contains("1MiB"));
        for bytes in [0, 1, 1000, 1024, 1 << 30, 1_500_000, 12_345] {
            assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }
        assert_eq!(ByteSize(1 << 30).to_string(), "1GiB");
    }

    #[test]
    fn durations_have_a_unit_are_positive_and_at_most_a_day() {
        for (text, millis) in [("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("1h", 3_600_000), ("24h", 86_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "s", "10", "0s", "25h", "1.5s", "-1s", "10 s", "10us", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_contains_its_addresses_in_either_dress() {
        let cases = [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "10.0.0.1", false),
        ];
        for (network, address, expected) in cases {
            let network: Cidr = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{network} {address}");
        }
        for bad in ["", "10.0.0.0/33", "10.0.0.1/8", "::/129", "host/8", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn two_spellings_of_one_origin_are_equal() {
        let origin = |text: &str| text.parse::<Origin>().unwrap();
        assert_eq!(origin("HTTPS://API.Example.com"), origin("https://api.example.com:443/"));
        assert_eq!(origin("http://[::1]:3000").to_string(), "http://[::1]:3000");
        assert_eq!(origin("http://h:80").to_string(), "http://h");
        let bad_ones =
            ["", "h", "ftp://h", "http://", "http://h:0", "http://h:x", "http://u@h", "http://h/p", "http://h?q"];
        for bad in bad_ones.into_iter().chain(["http://-h", "http://h..x", "http://[::1", "http://a b", "http://h:1:2"])
        {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rewrite_is_two_origins() {
        let rewrite: OriginRewrite = "https://a.example=http://127.0.0.1:3000".parse().unwrap();
        assert_eq!((rewrite.from.port, rewrite.to.port), (443, 3000));
        assert!("https://a.example".parse::<OriginRewrite>().is_err());
        assert!("https://a.example=".parse::<OriginRewrite>().is_err());
    }

    #[test]
    fn a_url_keeps_its_path_without_the_last_slash() {
        let url: HttpUrl = "http://127.0.0.1:3000/base/".parse().unwrap();
        assert_eq!((url.path.as_str(), url.to_string().as_str()), ("/base", "http://127.0.0.1:3000/base"));
    }

    #[test]
    fn stage_variables_keep_to_the_characters_that_aws_allows() {
        let variable: StageVariable = "url=h.example:80/x?a=b&c,d".parse().unwrap();
        assert_eq!((variable.name.as_str(), variable.value.as_str()), ("url", "h.example:80/x?a=b&c,d"));
        for bad in ["", "x", "=v", "x=", "a-b=v", "x=a b", "x=ü", "x=a%20b"] {
            assert!(bad.parse::<StageVariable>().is_err(), "{bad}");
        }
        assert!(format!("{}=v", "n".repeat(65)).parse::<StageVariable>().is_err());
        assert!(format!("n={}", "v".repeat(513)).parse::<StageVariable>().is_err());
    }
}
