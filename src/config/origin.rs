//! Origins that may connect: a list that can match nothing is a mistake that nobody would notice.

use super::ConfigError;

/// Refuses what no browser sends as its Origin.
pub(super) fn check(origins: &[String]) -> Result<(), ConfigError> {
    match origins.iter().find(|origin| !is_sent_by_browsers(origin.trim_end_matches('/'))) {
        None => Ok(()),
        Some(origin) => Err(ConfigError {
            setting: "server.allowed_origins",
            value: format!("`{origin}`"),
            must: "origins as browsers send them, each in full: scheme, host in ASCII, and the port unless it is the \
                   scheme's own, as in https://example.com or http://10.0.0.5:3000; no path, no `*`",
        }),
    }
}

/// True for `scheme://host[:port]` in the form of RFC 6454, section 6.2, and for `null`, which files and sandboxes send.
fn is_sent_by_browsers(origin: &str) -> bool {
    if origin == "null" {
        return true;
    }
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    // Pages connect by these, and none is ever of one.
    let is_of_sockets = ["ws", "wss"].iter().any(|own| scheme.eq_ignore_ascii_case(own));
    let scheme_is_one = !is_of_sockets
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    // The port is behind the last colon, unless that is one of an IPv6 address.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let host_is_one = match host.strip_prefix('[') {
        // Browsers write it in its shortest form (an IPv4 address within they write otherwise than Rust: let it pass).
        Some(rest) => rest.strip_suffix(']').is_some_and(|ip| {
            ip.parse::<std::net::Ipv6Addr>()
                .is_ok_and(|read| read.to_ipv4_mapped().is_some() || read.to_string().eq_ignore_ascii_case(ip))
        }),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
    };
    let port_is_one = port.is_none_or(|port| {
        let own =
            [("http", "80"), ("https", "443")].iter().any(|own| scheme.eq_ignore_ascii_case(own.0) && port == own.1);
        !own && port.parse::<u16>().is_ok_and(|number| number.to_string() == port)
    });
    scheme_is_one && host_is_one && port_is_one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_no_browser_sends_is_refused() {
        for good in [
            "https://example.com",
            "https://example.com/",
            "HTTPS://Example.COM",
            "http://10.0.0.5:3000",
            "http://[2001:db8::1]:3000",
            "http://[::1]",
            "capacitor://localhost",
            "chrome-extension://abcdef",
            "https://xn--mnchen-3ya.example",
            "null",
        ] {
            assert_eq!(check(&[good.to_owned()]), Ok(()), "{good}");
        }
        for bad in [
            "",
            "*",
            "/",
            "example.com",
            "//example.com",
            "https://",
            "https://*.example.com",
            "wss://example.com",
            "http://[2001:DB8:0:0::1]:3000",
            "https://example.com/play",
            "https://example.com?x",
            "https://me@example.com",
            "https://m\u{fc}nchen.example",
            "https://example.com:443",
            "http://example.com:80",
            "http://example.com:",
            "http://example.com:99999",
            "http://example.com:080",
            "http://[::1",
            "http://::1",
            " https://example.com",
        ] {
            let error = check(&["https://example.com".to_owned(), bad.to_owned()]).expect_err(bad).to_string();
            assert!(error.starts_with(&format!("server.allowed_origins is `{bad}`")), "{error}");
        }
    }
}
