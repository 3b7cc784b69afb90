//! A client's half of RFC 6455, for thousands of connections on one thread: frames in and out of byte buffers, no I/O, no
//! allocation per message. It speaks what a binary protocol needs and refuses the rest: no extensions, no fragments.

use std::net::SocketAddr;

/// The key of the RFC's own example. A fixed one is enough for a load generator, and it makes the answer a constant.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// What a server must answer to [`KEY`].
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// An answer to the upgrade that is longer than this is not read any further.
const HANDSHAKE_BYTES_MAX: usize = 8 * 1024;
/// A frame that claims more than this ends the connection: the protocol's messages are at most 64 KiB.
const FRAME_BYTES_MAX: u64 = 1024 * 1024;

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Why a connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WsError {
    /// The server did not upgrade.
    #[error("the server did not upgrade to a WebSocket: {0}")]
    Refused(String),
    /// A frame that this client does not speak, or that breaks the RFC.
    #[error("the server sent a frame that breaks RFC 6455: {0}")]
    Frame(&'static str),
}

/// The request that opens a WebSocket.
#[must_use]
pub fn request(host: &str, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// Looks for the end of the server's answer to [`request`]. Returns how many bytes it has; the rest is frames. `None`:
/// more must come.
///
/// # Errors
/// [`WsError::Refused`] if the answer is not the upgrade.
pub fn response(bytes: &[u8]) -> Result<Option<usize>, WsError> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > HANDSHAKE_BYTES_MAX {
            Err(WsError::Refused("its answer has no end".into()))
        } else {
            Ok(None)
        };
    };
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        let body = String::from_utf8_lossy(&bytes[end + 4..]);
        let body = body.lines().next().unwrap_or_default();
        return Err(WsError::Refused(format!("{status} {body}").trim().chars().take(200).collect()));
    }
    let accepted = lines
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT);
    if accepted { Ok(Some(end + 4)) } else { Err(WsError::Refused("Sec-WebSocket-Accept is wrong".into())) }
}

/// Appends a masked binary frame.
pub fn put_binary(out: &mut Vec<u8>, payload: &[u8], mask: u32) {
    put_frame(out, BINARY, payload, mask);
}

/// Appends a masked pong.
pub fn put_pong(out: &mut Vec<u8>, payload: &[u8], mask: u32) {
    put_frame(out, PONG, payload, mask);
}

/// Appends a masked Close frame.
pub fn put_close(out: &mut Vec<u8>, code: u16, mask: u32) {
    put_frame(out, CLOSE, &code.to_be_bytes(), mask);
}

fn put_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: u32) {
    out.push(0x80 | opcode);
    match payload.len() {
        len @ 0..126 => out.push(0x80 | len as u8),
        len @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    let mask = mask.to_be_bytes();
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// A whole frame from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// One message of the protocol.
    Binary(&'a [u8]),
    /// To be answered with a pong of the same payload.
    Ping(&'a [u8]),
    /// The answer to a ping.
    Pong,
    /// The end; its code, 1005 if it has none.
    Close(u16),
}

/// Cuts the bytes of one connection into frames. What is whole in the bytes just read is not copied.
#[derive(Debug, Default)]
pub struct Inbound {
    /// The beginning of a frame whose end has not come yet.
    rest: Vec<u8>,
}

impl Inbound {
    /// Takes the bytes read next and hands on every frame that they complete.
    ///
    /// # Errors
    /// [`WsError::Frame`]; the connection must end then.
    pub fn feed(&mut self, read: &[u8], mut each: impl FnMut(Frame<'_>)) -> Result<(), WsError> {
        if self.rest.is_empty() {
            let used = split(read, &mut each)?;
            self.rest.extend_from_slice(&read[used..]);
        } else {
            self.rest.extend_from_slice(read);
            let used = split(&self.rest, &mut each)?;
            self.rest.drain(..used);
        }
        Ok(())
    }
}

/// Hands on every whole frame at the front of `bytes`; returns how many bytes they have.
fn split(bytes: &[u8], each: &mut impl FnMut(Frame<'_>)) -> Result<usize, WsError> {
    let mut used = 0;
    while let Some((frame, length)) = first(&bytes[used..])? {
        each(frame);
        used += length;
    }
    Ok(used)
}

/// The frame at the front of `bytes` and how many bytes it has; `None`: more must come.
fn first(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, WsError> {
    let [head, length, ..] = *bytes else { return Ok(None) };
    if head & 0x70 != 0 {
        return Err(WsError::Frame("a reserved bit is set, but no extension was agreed on"));
    }
    if head & 0x80 == 0 {
        return Err(WsError::Frame("a fragment: the protocol's messages come whole"));
    }
    if length & 0x80 != 0 {
        return Err(WsError::Frame("a server's frame is masked"));
    }
    let (start, length) = match length {
        126 => match bytes.get(2..4) {
            Some(bytes) => (4, u64::from(u16::from_be_bytes([bytes[0], bytes[1]]))),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10).map(<[u8; 8]>::try_from) {
            Some(Ok(bytes)) => (10, u64::from_be_bytes(bytes)),
            _ => return Ok(None),
        },
        length => (2, u64::from(length)),
    };
    if length > FRAME_BYTES_MAX {
        return Err(WsError::Frame("a frame claims more than a megabyte"));
    }
    let end = start + length as usize;
    let Some(payload) = bytes.get(start..end) else { return Ok(None) };
    let frame = match head & 0x0F {
        BINARY => Frame::Binary(payload),
        CLOSE => Frame::Close(match *payload {
            [a, b, ..] => u16::from_be_bytes([a, b]),
            _ => 1005,
        }),
        PING => Frame::Ping(payload),
        PONG => Frame::Pong,
        1 => return Err(WsError::Frame("a text frame: the protocol is binary")),
        _ => return Err(WsError::Frame("an opcode that the RFC does not know")),
    };
    Ok(Some((frame, end)))
}

/// `ws://host:port/path` as a host to name, an address to connect to, and a path.
///
/// # Errors
/// A sentence.
pub fn address(url: &str) -> Result<(String, SocketAddr, String), String> {
    use std::net::ToSocketAddrs;
    let rest = url.strip_prefix("ws://").ok_or_else(|| format!("{url}: a URL looks like ws://127.0.0.1:8080/ws"))?;
    let (host, path) = rest.split_once('/').map_or((rest, "/ws".to_owned()), |(host, path)| (host, format!("/{path}")));
    let with_port = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut addresses = with_port.to_socket_addrs().map_err(|error| format!("{host} has no address: {error}"))?;
    let address = addresses.next().ok_or_else(|| format!("{host} has no address"))?;
    Ok((host.to_owned(), address, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An unmasked frame, as a server sends it.
    fn server_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![0x80 | opcode];
        match payload.len() {
            len @ 0..126 => out.push(len as u8),
            len => {
                out.push(126);
                out.extend_from_slice(&(len as u16).to_be_bytes());
            }
        }
        out.extend_from_slice(payload);
        out
    }

    #[test]
    fn a_masked_frame_is_what_the_rfc_shows() {
        // RFC 6455, section 5.7: a masked "Hello", here as a binary frame.
        let mut out = Vec::new();
        put_binary(&mut out, b"Hello", 0x37FA_213D);
        assert_eq!(out, [0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        let mut long = Vec::new();
        put_binary(&mut long, &[0; 300], 0);
        assert_eq!(&long[..8], [0x82, 0x80 | 126, 1, 44, 0, 0, 0, 0]);
        assert_eq!(long.len(), 308);
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let long = vec![7; 1000];
        let mut stream = server_frame(BINARY, b"one");
        stream.extend(server_frame(PING, b"are you there"));
        stream.extend(server_frame(BINARY, &long));
        stream.extend(server_frame(CLOSE, &4008_u16.to_be_bytes()));
        for step in 1..stream.len() {
            let mut inbound = Inbound::default();
            let (mut lengths, mut pings, mut close) = (Vec::new(), 0, None);
            for read in stream.chunks(step) {
                inbound
                    .feed(read, |frame| match frame {
                        Frame::Binary(payload) => lengths.push(payload.len()),
                        Frame::Ping(payload) => pings += usize::from(payload == b"are you there"),
                        Frame::Close(code) => close = Some(code),
                        Frame::Pong => panic!("no pong was sent"),
                    })
                    .expect("good frames");
            }
            assert_eq!((lengths, pings, close), (vec![3, 1000], 1, Some(4008)), "cut into {step} bytes each");
        }
    }

    #[test]
    fn what_a_server_must_not_send_ends_the_connection() {
        let refused = |bytes: &[u8]| Inbound::default().feed(bytes, |_| ()).expect_err("refused");
        assert!(refused(&[0x82, 0x85]).to_string().contains("masked"));
        assert!(refused(&[0x02, 0x01]).to_string().contains("fragment"));
        assert!(refused(&[0xC2, 0x01]).to_string().contains("reserved"));
        assert!(refused(&[0x81, 0x01, b'x']).to_string().contains("text"));
        assert!(refused(&[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]).to_string().contains("megabyte"));
    }

    #[test]
    fn only_the_right_upgrade_is_taken() {
        let good = format!("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\r\nrest");
        assert_eq!(response(good.as_bytes()), Ok(Some(good.len() - 4)));
        assert_eq!(response(&good.as_bytes()[..40]), Ok(None));
        let refused = |text: &str| response(text.as_bytes()).expect_err("refused").to_string();
        assert!(refused("HTTP/1.1 503 Service Unavailable\r\n\r\nfull").contains("503 Service Unavailable full"));
        assert!(refused("HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: x\r\n\r\n").contains("Accept is wrong"));
        assert!(response(&[b'x'; 9000]).is_err());
    }

    #[test]
    fn an_address_comes_from_a_url() {
        let (host, at, path) = address("ws://127.0.0.1:9000/ws").expect("a good URL");
        assert_eq!(
            (host.as_str(), at.to_string().as_str(), path.as_str()),
            ("127.0.0.1:9000", "127.0.0.1:9000", "/ws")
        );
        assert_eq!(address("ws://127.0.0.1").expect("a good URL").1.port(), 80);
        assert_eq!(address("ws://[::1]:7/x?y").expect("a good URL").2, "/x?y");
        assert!(address("http://127.0.0.1").is_err());
    }
}
