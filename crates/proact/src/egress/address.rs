//! Which addresses are out in the world, and which are somebody's own network.
//!
//! Source: IANA's registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890 and its updates). What is not *globally
//! reachable* there is refused, and so is what carries another address inside it and could be routed to that one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not one of the public internet; `None` if it is one.
pub(super) fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => not_public_v4(address),
        IpAddr::V6(address) => not_public_v6(address),
    }
}

/// Whether `address` is this machine, also when an IPv4 address is written as an IPv6 one.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
    }
}

/// Why not even a host that the operator named may be at this address: clouds keep their keys at link-local ones, and no
/// request goes to nobody or to everybody.
pub(super) fn never(address: IpAddr) -> Option<&'static str> {
    let embedded = match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    not_public(embedded).filter(|why| matches!(*why, UNSPECIFIED | LINK_LOCAL | MULTICAST | BROADCAST))
}

const UNSPECIFIED: &str = "no address at all";
const LINK_LOCAL: &str = "link-local";
const MULTICAST: &str = "multicast";
const BROADCAST: &str = "broadcast";
const LOOPBACK: &str = "this machine";
const PRIVATE: &str = "a private network's";
const DOCUMENTATION: &str = "kept for documentation";
const RESERVED: &str = "reserved";

fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, d] = address.octets();
    Some(match (a, b, c, d) {
        (0, 0, 0, 0) => UNSPECIFIED,
        (0, ..) => "this network's (RFC 791)",
        (10, ..) | (172, 16..=31, ..) | (192, 168, ..) => PRIVATE,
        (100, 64..=127, ..) => "shared behind a carrier's NAT (RFC 6598)",
        (127, ..) => LOOPBACK,
        (169, 254, ..) => LINK_LOCAL,
        // 192.0.0.9 and .10 are anycast services for relays, nothing that serves HTTP.
        (192, 0, 0, _) => "kept for protocols (RFC 6890)",
        (192, 0, 2, _) | (198, 51, 100, _) | (203, 0, 113, _) => DOCUMENTATION,
        (192, 31, 196, _) | (192, 52, 193, _) | (192, 175, 48, _) => "a special service's",
        (192, 88, 99, _) => "a 6to4 relay's",
        (198, 18 | 19, ..) => "kept for benchmarks (RFC 2544)",
        (224..=239, ..) => MULTICAST,
        (255, 255, 255, 255) => BROADCAST,
        (240..=255, ..) => RESERVED,
        _ => return None,
    })
}

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(v4) = address.to_ipv4_mapped() {
        return not_public_v4(v4);
    }
    let segments = address.segments();
    Some(match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => UNSPECIFIED,
        [0, 0, 0, 0, 0, 0, 0, 1] => LOOPBACK,
        [0, 0, 0, 0, 0, 0, ..] => "an IPv4 address in IPv6 (RFC 4291)",
        [0, 0, 0, 0, 0xffff, 0, ..] => "a translated IPv4 address (RFC 2765)",
        // What a network without IPv4 reaches the IPv4 world by: it is where the embedded address is.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            return not_public_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
        }
        [0x64, 0xff9b, ..] => "a local translation to IPv4 (RFC 8215)",
        [0x100, ..] => "for discarding (RFC 6666), or reserved",
        [0x2001, 0, ..] => "a Teredo tunnel's",
        [0x2001, 0x2, 0, ..] => "kept for benchmarks (RFC 5180)",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => DOCUMENTATION,
        [0x2001, 0..=0x1ff, ..] => "kept for protocols (RFC 2928)",
        [0x2002, ..] => "a 6to4 tunnel's",
        [0x5f00, ..] => "for segment routing (RFC 9602)",
        [0xfc00..=0xfdff, ..] => PRIVATE,
        [0xfe80..=0xfebf, ..] => LINK_LOCAL,
        [0xfec0..=0xfeff, ..] => "site-local",
        [0xff00..=0xffff, ..] => MULTICAST,
        [0x2000..=0x3fff, ..] => return None,
        // IANA has given out nothing beyond 2000::/3.
        _ => RESERVED,
    })
}

/// A range of addresses, such as `10.4.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `address/bits`; an address alone is a network of one. The bits beyond the prefix must be zero.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let first: IpAddr = address.parse().ok()?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => {
                // All addresses are no network: that would be no check at all.
                bits.parse().ok().filter(|it| (1..=width).contains(it))?
            }
            Some(_) => return None,
        };
        let network = Self { first, bits };
        (number(first) & !network.mask() == 0).then_some(network)
    }

    /// Whether an address lies in it, also when an IPv4 address is written as an IPv6 one.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) if self.first.is_ipv4() => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            _ => address,
        };
        address.is_ipv4() == self.first.is_ipv4() && number(address) & self.mask() == number(self.first)
    }

    /// The bits that count, of the address as a number.
    fn mask(self) -> u128 {
        let width = if self.first.is_ipv4() { 32 } else { 128 };
        let all = u128::MAX >> (128 - width);
        all & !(all.checked_shr(u32::from(self.bits)).unwrap_or(0))
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_out_in_the_world_passes() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "52.112.0.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2603:1030::1",
            "2a01:111::1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:200::1",
        ] {
            assert_eq!(not_public(address(public)), None, "{public}");
        }
    }

    #[test]
    fn every_other_range_is_refused_from_its_first_to_its_last() {
        for other in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.255",
            "192.0.2.0",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "192.175.48.1",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.255",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.254",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::808:808",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:808:808",
            "64:ff9b::a00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "64:ff9b:0:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378::1",
            "2001:2::1",
            "2001:db8::1",
            "2001:1ff::1",
            "3fff::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "5f00::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "feff::1",
            "ff02::1",
            "4000::1",
            "1::1",
            "e000::1",
        ] {
            assert!(not_public(address(other)).is_some(), "{other}");
        }
    }

    #[test]
    fn some_are_nobodys_or_everybodys() {
        for bad in [
            "0.0.0.0",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:169.254.169.254",
        ] {
            assert!(never(address(bad)).is_some(), "{bad}");
        }
        for own in ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "100.64.0.1", "8.8.8.8"] {
            assert_eq!(never(address(own)), None, "{own}");
        }
    }

    #[test]
    fn a_network_is_its_prefix() {
        let network = |text| Network::parse(text).unwrap();
        assert!(network("10.4.0.0/16").contains(address("10.4.255.1")));
        assert!(network("10.4.0.0/16").contains(address("::ffff:10.4.0.1")));
        assert!(!network("10.4.0.0/16").contains(address("10.5.0.0")));
        assert!(!network("10.4.0.0/16").contains(address("a04::1")));
        assert!(network("128.0.0.0/1").contains(address("255.0.0.1")));
        assert!(
            network("127.0.0.2").contains(address("127.0.0.2"))
                && !network("127.0.0.2").contains(address("127.0.0.3"))
        );
        assert!(
            network("fd00::/8").contains(address("fdff::1"))
                && !network("fd00::/8").contains(address("fe00::1"))
        );
        assert!(network("8000::/1").contains(address("ffff::")));
        for bad in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "fd00::/129",
            "host/8",
            "10.0.0.0/-1",
            // Everything.
            "0.0.0.0/0",
            "::/0",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
