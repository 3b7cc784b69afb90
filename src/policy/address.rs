//! Whom a limit means, and who is believed.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;

use super::forwarded;
use crate::config::{Network, PolicyConfig};

/// What counts as one address: an IPv4 address, or the first 64 bits of an IPv6 one, which is what one customer has at
/// least. An IPv4 address inside an IPv6 one (`::ffff:a.b.c.d`, or `64:ff9b::a.b.c.d` behind NAT64) is the IPv4 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// All of it.
    V4(u32),
    /// The first half of it.
    V6(u64),
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => match address.segments() {
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Self::V4(u32::from(high) << 16 | u32::from(low)),
                _ => Self::V6((address.to_bits() >> 64) as u64),
            },
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4(bits) => Ipv4Addr::from_bits(bits).fmt(out),
            Self::V6(bits) => write!(out, "{}/64", Ipv6Addr::from_bits(u128::from(bits) << 64)),
        }
    }
}

/// Somebody who asks for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub(super) address: Address,
    exempt: bool,
}

impl Caller {
    /// The address that is limited; `None` for one that is not.
    #[must_use]
    pub fn limited(&self) -> Option<Address> {
        (!self.exempt).then_some(self.address)
    }

    /// The address, limited or not.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }
}

/// Whose word is taken, and who is not limited. It never changes, so that asking it takes no lock.
#[derive(Clone, Debug)]
pub struct Trust {
    proxies: Vec<Network>,
    exempt: Vec<Network>,
}

impl Trust {
    /// As configured.
    #[must_use]
    pub fn new(config: &PolicyConfig) -> Self {
        Self { proxies: config.trusted_proxies.clone(), exempt: config.exempt.clone() }
    }

    /// Who opened a connection; for whom is not known before it has asked for something.
    #[must_use]
    pub fn peer(&self, peer: IpAddr) -> Caller {
        let exempt = self.exempt.iter().any(|network| network.contains(peer));
        Caller { address: peer.into(), exempt }
    }

    /// Who asks, when the request came from `peer` with these headers: all values of `X-Forwarded-For` and of
    /// `Forwarded`, in the order in which they stand. A proxy that is not trusted is itself who asks.
    #[must_use]
    pub fn caller<'a>(
        &self,
        peer: IpAddr,
        x_forwarded_for: impl Iterator<Item = &'a [u8]>,
        forwarded: impl Iterator<Item = &'a [u8]>,
    ) -> Caller {
        let is_trusted = |address: IpAddr| self.proxies.iter().any(|network| network.contains(address));
        if !is_trusted(peer) {
            return self.peer(peer);
        }
        let of_header = [
            forwarded::origin(peer, forwarded::x_forwarded_for(x_forwarded_for), is_trusted),
            forwarded::origin(peer, forwarded::forwarded(forwarded), is_trusted),
        ];
        match of_header {
            [None, None] => self.peer(peer),
            [Some(address), None] | [None, Some(address)] => Caller { address: address.into(), exempt: false },
            // A proxy writes one of the two and may let pass what a client wrote in the other. If they differ, one is
            // perhaps a lie, and nobody can tell which: it is the proxy that asks.
            [Some(one), Some(other)] => {
                let agreed = if Address::from(one) == Address::from(other) { one } else { peer };
                Caller { address: agreed.into(), exempt: false }
            }
        }
    }
}
