//! Ranges of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network in CIDR notation. A bare address is the network that holds only itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl Cidr {
    /// The network of `bits` leading bits that `address` lies in. More bits than an address has count as all.
    pub fn around(address: IpAddr, bits: u8) -> Self {
        let (address, width) = match address {
            IpAddr::V4(a) => (IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & mask_v4(bits))), 32),
            IpAddr::V6(a) => (IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & mask_v6(bits))), 128),
        };
        Self { address, bits: bits.min(width) }
    }

    /// Its first address.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether `address` lies in this network. An IPv4 address mapped into IPv6 is taken as the IPv4 address that
    /// it is, because a dual-stack listener reports its IPv4 peers so.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = mask_v4(self.bits);
                address.to_bits() & mask == network.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = mask_v6(self.bits);
                address.to_bits() & mask == network.to_bits() & mask
            }
            _ => false,
        }
    }
}

fn mask_v4(bits: u8) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(bits))).unwrap_or(0)
}

fn mask_v6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(bits))).unwrap_or(0)
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}
