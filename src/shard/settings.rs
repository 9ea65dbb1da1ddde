//! What a shard is told once, at start.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::net::cidr::Cidr;

/// Bounds and rules of one shard.
#[derive(Clone, Debug)]
pub struct Settings {
    /// From the first byte of a head to its last.
    pub head_timeout: Duration,
    /// Longest pause between two pieces of a body, either way.
    pub body_timeout: Duration,
    /// Longest wait between two requests.
    pub idle_timeout: Duration,
    /// Client connections of this shard.
    pub connections_max: u32,
    /// Bytes of buffers lent at a time by this shard.
    pub memory_bytes_max: usize,
    /// Bytes of decision records of this shard; 0: none are kept.
    pub explain_bytes: usize,
    /// Connections to one origin from this shard.
    pub origin_connections_max: usize,
    /// Who may speak for others.
    pub trusted: Trusted,
    /// Peers that may speak for others.
    pub trusted_proxies: Vec<Cidr>,
    /// Our own admin listener: never an origin.
    pub admin: Vec<SocketAddr>,
    /// Origins allowed although they are refused by default.
    pub allowed_origins: Vec<Cidr>,
}

/// How a trusted proxy says whom it speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// Nobody is trusted: the client is the peer.
    Nobody,
    /// In `X-Forwarded-For`.
    ForwardedFor,
    /// In a PROXY protocol header before the first request.
    ProxyProtocol,
}

impl Settings {
    /// Whether an origin may be called at `address`: not where a cloud keeps its machines' secrets, not our own
    /// management.
    pub fn allows_origin(&self, address: SocketAddr) -> bool {
        if self.allowed_origins.iter().any(|network| network.contains(address.ip())) {
            return true;
        }
        let is_metadata = match address.ip().to_canonical() {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.to_bits() == METADATA_V6,
        };
        let is_admin = |admin: &SocketAddr| {
            admin.port() == address.port()
                && (admin.ip() == address.ip().to_canonical()
                    || (admin.ip().is_unspecified() && address.ip().is_loopback()))
        };
        !is_metadata && !self.admin.iter().any(is_admin)
    }
}

/// fd00:ec2::254, the instance metadata service over IPv6.
const METADATA_V6: u128 = 0xfd00_0ec2_0000_0000_0000_0000_0000_0254;

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(allowed: &[Cidr]) -> Settings {
        Settings {
            head_timeout: Duration::ZERO,
            body_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            connections_max: 1,
            memory_bytes_max: 1,
            explain_bytes: 0,
            origin_connections_max: 1,
            trusted: Trusted::Nobody,
            trusted_proxies: Vec::new(),
            admin: vec!["127.0.0.1:8081".parse().unwrap()],
            allowed_origins: allowed.to_vec(),
        }
    }

    #[test]
    fn metadata_and_admin_are_no_origins() {
        let refused = [
            "169.254.169.254:80",
            "[fe80::1]:80",
            "[fd00:ec2::254]:80",
            "[::ffff:169.254.169.254]:80",
            "127.0.0.1:8081",
        ];
        for address in refused {
            assert!(!settings(&[]).allows_origin(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1:8082", "10.0.0.1:80", "[::1]:8081"] {
            assert!(settings(&[]).allows_origin(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_named_origin_is_allowed() {
        let network: Cidr = Cidr::around("169.254.0.0".parse().unwrap(), 16);
        assert!(settings(&[network]).allows_origin("169.254.169.254:80".parse().unwrap()));
        assert!(!settings(&[network]).allows_origin("127.0.0.1:8081".parse().unwrap()));
    }
}
