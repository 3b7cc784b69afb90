//! Where to listen, in the ways in which people write it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::de::{Deserializer, Error as _, Unexpected, Visitor};

/// What is possible, for whoever typed something else.
const EXPECTED: &str = "127.0.0.1:8080 or localhost:8080 (this machine only; 8080 alone is the same), 0.0.0.0:8080 or \
                        :8080 (every address of it), or [::]:8080 (those of IPv6, too); port 0 is any free one";

/// Reads an address to listen on: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` (every address), `8080` (this
/// machine only). Other names are not looked up: what is listened on should not depend on a name server.
///
/// # Errors
/// A sentence that says what is possible.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let read = || {
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let (host, port) = text.rsplit_once(':').unwrap_or(("localhost", text));
        // `parse` alone would take `+80`.
        let port = port.parse().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))?;
        let ip = match host {
            "" | "*" => Ipv4Addr::UNSPECIFIED,
            _ if host.eq_ignore_ascii_case("localhost") => Ipv4Addr::LOCALHOST,
            _ => return None,
        };
        Some(SocketAddr::new(IpAddr::V4(ip), port))
    };
    read().ok_or_else(|| format!("`{text}` is no address to listen on: it must be {EXPECTED}"))
}

/// A setting in a file or a variable: a text, or a port alone, which is a number there.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    struct Address;

    impl Visitor<'_> for Address {
        type Value = SocketAddr;

        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str(EXPECTED)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SocketAddr, E> {
            listen_address(text).map_err(E::custom)
        }

        fn visit_u64<E: serde::de::Error>(self, port: u64) -> Result<SocketAddr, E> {
            listen_address(&port.to_string()).map_err(|_| E::invalid_value(Unexpected::Unsigned(port), &self))
        }

        fn visit_i64<E: serde::de::Error>(self, port: i64) -> Result<SocketAddr, E> {
            listen_address(&port.to_string()).map_err(|_| E::invalid_value(Unexpected::Signed(port), &self))
        }
    }

    deserializer.deserialize_any(Address).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_the_ways_in_which_people_write_it() {
        for (typed, meant) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::]:80", "[::]:80"),
            ("[::1]:0", "[::1]:0"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("LocalHost:1", "127.0.0.1:1"),
            (":8080", "0.0.0.0:8080"),
            ("*:8080", "0.0.0.0:8080"),
            ("8080", "127.0.0.1:8080"),
            (" 8080 ", "127.0.0.1:8080"),
        ] {
            assert_eq!(listen_address(typed), Ok(meant.parse().expect("an address")), "{typed}");
        }
        for typed in ["", ":", "localhost", "0.0.0.0", "example.com:80", "::1", "1:2:3", "65536", "-1", "+80", ":+80"] {
            let error = listen_address(typed).expect_err(typed);
            assert!(error.contains("localhost:8080") && error.contains(&format!("`{typed}`")), "{error}");
        }
    }
}
