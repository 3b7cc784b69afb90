//! Addresses and ranges of addresses, as operators write them in lists.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One address, or all that share its first bits: `10.0.0.5`, `10.0.0.0/8`, `2001:db8::/32`. An IPv4 address that is
/// written as an IPv6 one (`::ffff:10.0.0.5`) is the IPv4 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// What is possible, for whoever typed something else.
const EXPECTED: &str = "an address, as in 10.0.0.5 or 2001:db8::1, or a range, as in 10.0.0.0/8 or 2001:db8::/32";

impl Network {
    /// What a machine calls itself.
    pub const LOOPBACK: [Self; 2] = [
        Self { address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 },
        Self { address: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
    ];

    /// True if the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differs = ours.to_bits() ^ theirs.to_bits();
                // Shifting by a type's whole width is not defined: `/0` shares no bit with anybody.
                self.bits == 0 || differs >> (32 - self.bits) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differs = ours.to_bits() ^ theirs.to_bits();
                self.bits == 0 || differs >> (128 - self.bits) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (address, bits) = match text.trim().split_once('/') {
                Some((address, bits)) => (address, Some(bits)),
                None => (text.trim(), None),
            };
            let written: IpAddr = address.parse().ok()?;
            let address = written.to_canonical();
            let whole = if address.is_ipv4() { 32 } else { 128 };
            // The bits of `::ffff:10.0.0.0/104` are counted in the address as it is written.
            let spare = if written.is_ipv6() && address.is_ipv4() { 96 } else { 0 };
            let bits = match bits {
                // `parse` alone would take `+8`.
                Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    bits.parse::<u32>().ok()?.checked_sub(spare)?
                }
                Some(_) => return None,
                None => whole,
            };
            (bits <= whole).then_some(Self { address, bits })
        };
        read().ok_or_else(|| format!("`{text}` is no network: it must be {EXPECTED}"))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.bits)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        let network: Network = network.parse().expect(network);
        network.contains(address.parse().expect(address))
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_bits_and_no_other() {
        for (network, inside, outside) in [
            ("127.0.0.0/8", "127.9.8.7", "128.0.0.1"),
            ("10.0.0.5", "10.0.0.5", "10.0.0.4"),
            ("10.0.0.77/24", "10.0.0.1", "10.0.1.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
            ("::ffff:10.0.0.5", "10.0.0.5", "10.0.0.6"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            (" 192.168.0.0/16 ", "192.168.255.255", "192.169.0.0"),
        ] {
            assert!(holds(network, inside), "{inside} in {network}");
            assert!(!holds(network, outside), "{outside} in {network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_would_be_one() {
        for text in [
            "",
            "/",
            "localhost",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "::/129",
            "10.0.0",
            "10.0.0.0/8/8",
            "::ffff:10.0.0.0/8",
            "*",
            "10.0.0.1:80",
        ] {
            let error = text.parse::<Network>().expect_err(text);
            assert!(error.contains("10.0.0.0/8") && error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for network in Network::LOOPBACK {
            assert_eq!(network.to_string().parse(), Ok(network));
        }
    }
}
