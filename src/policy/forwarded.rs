//! For whom a proxy asks, as it says in `X-Forwarded-For` or `Forwarded` (RFC 7239). Each proxy on the way adds at the
//! right end who asked it, so what stands there is as good as the proxy that wrote it, and what stands left of the first
//! address that is not a trusted proxy's can be anything.

use core::net::{IpAddr, SocketAddr};

/// Who asked a proxy; `None` where it did not say or nobody can read it: `unknown`, `_hidden`, garbage.
type Hop = Option<IpAddr>;

/// Where a request comes from: the rightmost that is no trusted proxy. If all are trusted, the leftmost. If a trusted
/// proxy does not say, that proxy. `None` if there is no hop at all.
pub(super) fn origin(peer: IpAddr, hops: Vec<Hop>, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    if hops.is_empty() {
        return None;
    }
    let mut last = peer;
    for hop in hops.into_iter().rev() {
        match hop {
            Some(address) if is_trusted(address) => last = address,
            Some(address) => return Some(address),
            None => break,
        }
    }
    Some(last)
}

/// The hops of all `X-Forwarded-For` headers. There is no standard for it: ports, brackets and quotes are met.
pub(super) fn x_forwarded_for<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<Hop> {
    let hops = values.flat_map(|value| value.split(|&byte| byte == b','));
    hops.map(|hop| hop.trim_ascii()).filter(|hop| !hop.is_empty()).map(|hop| node(unquoted(hop).as_deref()?)).collect()
}

/// The hops of all `Forwarded` headers: `for=192.0.2.43, for="[2001:db8:cafe::17]:4711";proto=https`.
pub(super) fn forwarded<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<Hop> {
    values
        .flat_map(|value| split_outside_quotes(value, b','))
        .filter(|element| !element.trim_ascii().is_empty())
        .map(|element| {
            // What a client left open swallows what a proxy wrote behind it: then nothing of it is worth anything.
            if !is_closed(element) {
                return None;
            }
            let pairs = split_outside_quotes(element, b';').into_iter();
            let mut named = pairs.filter_map(|pair| {
                let at = pair.iter().position(|&byte| byte == b'=')?;
                let (name, value) = (&pair[..at], &pair[at + 1..]);
                name.trim_ascii().eq_ignore_ascii_case(b"for").then_some(value.trim_ascii())
            });
            // "Each parameter MUST NOT occur more than once": of two nobody knows which is meant.
            match (named.next(), named.next()) {
                (Some(value), None) => node(unquoted(value).as_deref()?),
                _ => None,
            }
        })
        .collect()
}

/// An address with or without port, zone and brackets.
fn node(text: &str) -> Hop {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match text.split_once(':') {
            // One colon stands before a port, which may be hidden, as in `192.0.2.1:_gazonk`.
            Some((address, port)) if !port.contains(':') => address,
            _ => text,
        },
    };
    // The zone says through which of the proxy's own interfaces it came.
    let bare = bare.split_once('%').map_or(bare, |(address, _)| address);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// What a token or a quoted string says; `None` if it is neither.
fn unquoted(value: &[u8]) -> Option<String> {
    let Some(rest) = value.strip_prefix(b"\"") else { return String::from_utf8(value.to_vec()).ok() };
    let mut said = Vec::new();
    let mut bytes = rest.iter();
    loop {
        match bytes.next()? {
            b'"' => break,
            b'\\' => said.push(*bytes.next()?),
            byte => said.push(*byte),
        }
    }
    if bytes.next().is_some() { None } else { String::from_utf8(said).ok() }
}

/// Follows quoted strings.
#[derive(Default)]
struct Quotes {
    quoted: bool,
    escaped: bool,
}

impl Quotes {
    /// True if this byte belongs to no quoted string.
    fn is_outside(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.quoted => self.escaped = true,
            b'"' => self.quoted = !self.quoted,
            _ => return !self.quoted,
        }
        false
    }
}

/// Splits at `separator`, but for those in quoted strings. A quote that is never closed reaches to the end.
fn split_outside_quotes(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut quotes = Quotes::default();
    text.split(|&byte| quotes.is_outside(byte) && byte == separator).collect()
}

/// True if every quoted string ends.
fn is_closed(text: &[u8]) -> bool {
    let mut quotes = Quotes::default();
    for &byte in text {
        quotes.is_outside(byte);
    }
    !quotes.quoted
}
