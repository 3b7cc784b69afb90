//! Where others can reach a socket of this machine: "every address" (`0.0.0.0`, `[::]`) is none that can be opened.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Addresses of the local network that are listed; a machine with many containers has hundreds.
const LISTED_MAX: usize = 8;

/// The addresses at which a socket that is bound to `bound` can be opened, this machine's own first. Never empty.
#[must_use]
pub fn reachable(bound: SocketAddr) -> Vec<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    // Without a list of interfaces there is still this machine.
    let ips = if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip());
    among(bound, ips)
}

/// What `bound`, which stands for every address, means on a machine with these.
fn among(bound: SocketAddr, ips: impl IntoIterator<Item = IpAddr>) -> Vec<SocketAddr> {
    // A socket for every address of version 6 takes those of version 4, too (`server::listen` sees to it).
    let mut others: Vec<IpAddr> = ips
        .into_iter()
        .filter(|ip| match ip {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
            // What is local to a link can't be opened without the name of the interface, which no browser takes.
            IpAddr::V6(ip) => {
                bound.is_ipv6() && !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified()
            }
        })
        .collect();
    // The shorter ones first: they are typed by hand on a phone.
    others.sort();
    others.dedup();
    others.truncate(LISTED_MAX);
    let own = IpAddr::V4(Ipv4Addr::LOCALHOST);
    std::iter::once(own).chain(others).map(|ip| SocketAddr::new(ip, bound.port())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(bound: &str, ips: &[&str]) -> Vec<String> {
        let ips = ips.iter().map(|ip| ip.parse().expect("an address"));
        among(bound.parse().expect("an address"), ips).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_address_is_listed_as_addresses_that_can_be_opened() {
        let ips = ["fe80::1", "2001:db8::7", "169.254.1.1", "192.168.1.20", "::1", "127.0.0.1", "10.0.0.5", "10.0.0.5"];
        assert_eq!(listed("0.0.0.0:80", &ips), ["127.0.0.1:80", "10.0.0.5:80", "192.168.1.20:80"]);
        assert_eq!(
            listed("[::]:80", &ips),
            ["127.0.0.1:80", "10.0.0.5:80", "192.168.1.20:80", "[2001:db8::7]:80"],
            "it takes both versions"
        );
        assert_eq!(listed("[::]:80", &[]), ["127.0.0.1:80"]);
    }

    #[test]
    fn an_address_of_its_own_is_itself_and_many_are_cut() {
        assert_eq!(reachable("10.1.2.3:80".parse().expect("one")), ["10.1.2.3:80".parse().expect("one")]);
        let many: Vec<String> = (0..100).map(|last| format!("10.0.0.{last}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(listed("0.0.0.0:80", &many).len(), 1 + LISTED_MAX);
    }
}
