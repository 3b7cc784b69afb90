//! Where the head of a request ends, and what is wrong with it, before anybody decodes it.
//!
//! A request that two servers read differently lets a client put words into another's mouth. So whatever the decoder
//! behind this would be lenient about is refused here: a line that ends without CR, a CR alone, a line that goes on in
//! the next one, a target that is none. And nothing is read on that is too long already.

use actix_web::http::header::{self, HeaderMap};
use actix_web::http::uri::Authority;
use actix_web::http::{Method, StatusCode, Uri};

/// A browser's head is 1 to 2 KiB, 8 with every cookie of a shared domain.
pub(super) const HEAD_BYTES_MAX: usize = 16 * 1024;

/// As most servers and proxies have it.
pub(super) const TARGET_BYTES_MAX: usize = 8 * 1024;

/// The decoder's own limit.
const HEADERS_MAX: usize = 96;

/// Why a request is not answered with what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub StatusCode, pub &'static str);

const fn bad(why: &'static str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, why)
}

/// Looks for the end of a head as its bytes come, at each of them once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    /// Bytes that were looked at.
    seen: usize,
    /// Where the line began that is being looked at.
    line: usize,
    /// Lines that have ended, the first among them.
    lines: usize,
}

impl Scan {
    /// `bytes` are all that came of the request, those of before among them. Its head's length, once it is whole.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        while let Some(&byte) = bytes.get(self.seen) {
            let before = self.seen.checked_sub(1).map(|at| bytes[at]);
            match byte {
                b'\n' if before != Some(b'\r') => return Err(bad("A line of the head ends without CR.\n")),
                b'\n' if self.ends(&bytes[..self.seen - 1])? => return Ok(Some(self.seen + 1)),
                b'\n' => {}
                _ if before == Some(b'\r') => return Err(bad("There is a CR in the head that ends no line.\n")),
                b' ' | b'\t' if self.lines > 0 && self.seen == self.line => {
                    return Err(bad("A line of the head begins with a space.\n"));
                }
                b'\r' | b'\t' => {}
                0..0x20 | 0x7F => return Err(bad("There is a byte in the head that is no text: speak HTTP/1.1.\n")),
                _ => {}
            }
            self.seen += 1;
            self.bounded()?;
        }
        Ok(None)
    }

    /// The line without its end is `before` from where it began. True: it was the empty one, the head's last.
    fn ends(&mut self, before: &[u8]) -> Result<bool, Refusal> {
        let line = &before[self.line..];
        match (line.is_empty(), self.lines) {
            // Some clients of old send one after a body.
            (true, 0) if self.line == 0 => {}
            (true, 0) => return Err(bad("There is no request.\n")),
            (true, _) => return Ok(true),
            (false, 0) if line.contains(&b'#') => return Err(bad("A request's target has no fragment (#).\n")),
            (false, lines) if lines > HEADERS_MAX => return Err(TOO_MANY),
            (false, _) => self.lines += 1,
        }
        self.line = self.seen + 1;
        Ok(false)
    }

    fn bounded(&self) -> Result<(), Refusal> {
        if self.lines == 0 && self.seen > TARGET_BYTES_MAX {
            return Err(Refusal(StatusCode::URI_TOO_LONG, "The address is too long.\n"));
        }
        if self.seen >= HEAD_BYTES_MAX { Err(TOO_MANY) } else { Ok(()) }
    }
}

const TOO_MANY: Refusal =
    Refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's head is too long: 16 KiB, 96 headers.\n");

/// What is wrong with a head although it could be decoded.
pub(super) fn check(method: &Method, target: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let target_is_good = match (method, target.scheme_str(), target.authority()) {
        (&Method::CONNECT, None, Some(_)) => true,
        (_, None, None) => target.path().starts_with('/') || (method == Method::OPTIONS && target.path() == "*"),
        (_, Some("http" | "https"), Some(_)) => true,
        _ => false,
    };
    if !target_is_good {
        return Err(bad("A request's target is a path, as in GET /index.html.\n"));
    }
    // An empty one is what a client sends whose address has no host. A comma is what a proxy makes of two.
    let host = headers.get(header::HOST).map_or(&b""[..], |host| host.as_bytes());
    if !host.is_empty() && !Authority::try_from(host).is_ok_and(|host| !host.as_str().contains(['@', ','])) {
        return Err(bad("The Host header names no host.\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it comes in one piece, and byte by byte.
    fn find(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        let whole = Scan::default().find(bytes);
        let mut scan = Scan::default();
        let pieces = (0..=bytes.len()).map(|length| scan.find(&bytes[..length])).find(|found| found != &Ok(None));
        assert_eq!(pieces.unwrap_or(Ok(None)), whole, "{:?}", String::from_utf8_lossy(bytes));
        whole
    }

    #[test]
    fn a_head_ends_at_its_first_empty_line() {
        let head = b"GET / HTTP/1.1\r\nHost: x\r\nA:\tb \r\n\r\n";
        assert_eq!(find(head), Ok(Some(head.len())));
        assert_eq!(find(&[head, &b"GET / HTTP/1.1\r\n"[..]].concat()), Ok(Some(head.len())));
        assert_eq!(find(&[b"\r\n", &head[..]].concat()), Ok(Some(head.len() + 2)), "an empty line before it");
        assert_eq!(find(b"GET / HTTP/1.0\r\n\r\n"), Ok(Some(18)));
        for length in 0..head.len() {
            assert_eq!(find(&head[..length]), Ok(None), "{length}");
        }
    }

    #[test]
    fn what_two_servers_could_read_differently_is_refused() {
        for bytes in [
            &b"GET / HTTP/1.1\nHost: x\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nHost: x\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: b\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\n",
            b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
            b"GET / HTTP/1.1\r\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n b\r\n\r\n",
            b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\tb\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0Bchunked\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: \x7F\r\n\r\n",
            b"GET /#a HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01",
        ] {
            let Err(Refusal(status, _)) = find(bytes) else { panic!("{:?} passed", String::from_utf8_lossy(bytes)) };
            assert_eq!(status, StatusCode::BAD_REQUEST, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_ends() {
        let refused = |bytes: &[u8]| find(bytes).map_err(|Refusal(status, _)| status.as_u16());
        let target = |bytes: usize| [b"GET /", &[b'a'; TARGET_BYTES_MAX][..bytes]].concat();
        assert_eq!(refused(&target(TARGET_BYTES_MAX - 5)), Ok(None));
        assert_eq!(refused(&target(TARGET_BYTES_MAX)), Err(414));
        let long = |bytes: usize| [b"GET / HTTP/1.1\r\nA: ", &[b'a'; HEAD_BYTES_MAX][..bytes]].concat();
        assert_eq!(refused(&long(HEAD_BYTES_MAX - 20)), Ok(None));
        assert_eq!(refused(&long(HEAD_BYTES_MAX)), Err(431));
        let many = |count: usize| [b"GET / HTTP/1.1\r\n", &b"A: b\r\n".repeat(count)[..], b"\r\n"].concat();
        assert!(matches!(refused(&many(HEADERS_MAX)), Ok(Some(_))));
        assert_eq!(refused(&many(HEADERS_MAX + 1)), Err(431));
    }

    #[test]
    fn a_target_is_a_path_or_an_address_and_a_host_is_a_host() {
        let check = |method: &str, target: &str, host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a header"));
            check(&method.parse().expect("a method"), &target.parse().expect("a target"), &headers).is_ok()
        };
        for (method, target, host) in [
            ("GET", "/", "127.0.0.1:8080"),
            ("GET", "/a?b", "[::1]:8080"),
            ("GET", "http://x/a", "x"),
            ("HEAD", "https://x:1/a", ""),
            ("OPTIONS", "*", "play.example"),
            ("CONNECT", "x:80", "x:80"),
        ] {
            assert!(check(method, target, host), "{method} {target} at {host}");
        }
        for (method, target, host) in [
            ("GET", "*", "x"),
            ("GET", "x:80", "x"),
            ("GET", "health", "x"),
            ("GET", "ftp://x/a", "x"),
            ("GET", "/", "a b"),
            ("GET", "/", "a,b"),
            ("GET", "/", "a/b"),
            ("GET", "/", "user@x"),
        ] {
            assert!(!check(method, target, host), "{method} {target} at {host}");
        }
    }
}
