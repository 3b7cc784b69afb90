//! The server's end of one WebSocket, by hand: the runner must see what a client really sends, frame by frame, and must
//! be able to send what a server never would.

use std::io;
use std::time::Duration;

use actix_http::ws::{CloseCode, CloseReason as CloseFrame, OpCode, Parser, hash_key};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::report::Fault;
use crate::protocol::codec::CLIENT_MESSAGE_BYTES_MAX;

/// A request's head is shorter; a browser with cookies sends 2 KiB.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// What is read of one frame, so that a message above the limit can be told by its length.
const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// No write of the runner waits longer: a client that does not read has failed.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// What a client did.
#[derive(Debug)]
pub(super) enum Heard {
    /// A whole binary message.
    Message(Vec<u8>),
    /// A text message.
    Text,
    /// A Pong frame with this payload.
    Pong(Vec<u8>),
    /// A Close frame with this code, or none.
    Close(Option<u16>),
    /// A frame that breaks RFC 6455.
    Broken(String),
    /// The connection ended.
    Gone,
    /// Nothing until the time was up.
    Nothing,
}

/// One upgraded connection.
pub(super) struct Link {
    stream: TcpStream,
    input: BytesMut,
    fragments: Option<Vec<u8>>,
}

impl Link {
    /// Reads the upgrade request and answers it. A request that is none is answered with 400.
    pub(super) async fn upgrade(mut stream: TcpStream) -> Result<Self, Fault> {
        stream.set_nodelay(true).map_err(|error| Fault::new(format!("the connection broke: {error}")))?;
        let mut input = BytesMut::new();
        let head_end = loop {
            if let Some(at) = input.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if input.len() > HEAD_BYTES_MAX {
                return Err(Fault::new("the request's head has no end"));
            }
            match timeout(Duration::from_secs(5), stream.read_buf(&mut input)).await {
                Ok(Ok(1..)) => {}
                _ => return Err(Fault::new("the connection sent no whole HTTP request within 5 s")),
            }
        };
        let head = String::from_utf8_lossy(&input.split_to(head_end)).into_owned();
        match accept_value(&head) {
            Ok(accept) => {
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                write(&mut stream, answer.as_bytes()).await.map_err(|error| Fault::new(error.to_string()))?;
                Ok(Self { stream, input, fragments: None })
            }
            Err(why) => {
                // Whether the answer arrives does not matter: the request was wrong.
                let _ = write(&mut stream, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
                Err(Fault::new(why))
            }
        }
    }

    /// Sends one binary message in one frame.
    pub(super) async fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        self.frame(OpCode::Binary, message).await
    }

    /// Sends a WebSocket Ping.
    pub(super) async fn ping(&mut self, payload: &[u8]) -> Result<(), Fault> {
        self.frame(OpCode::Ping, payload).await
    }

    /// Sends a Close frame.
    pub(super) async fn close(&mut self, code: u16, text: &str) -> Result<(), Fault> {
        let mut out = BytesMut::new();
        let frame = CloseFrame { code: CloseCode::from(code), description: Some(text.to_owned()) };
        Parser::write_close(&mut out, Some(frame), false);
        self.put(&out).await
    }

    /// Reads until the client says something that is not a Ping, or the time is up.
    pub(super) async fn hear_until(&mut self, deadline: Instant) -> Heard {
        loop {
            match Parser::parse(&mut self.input, true, FRAME_BYTES_MAX) {
                Ok(Some((finished, code, payload))) => {
                    let payload = payload.map(|bytes| bytes.to_vec()).unwrap_or_default();
                    if let Some(heard) = self.take(finished, code, payload).await {
                        return heard;
                    }
                }
                Ok(None) => match timeout_at(deadline, self.stream.read_buf(&mut self.input)).await {
                    Err(_) => return Heard::Nothing,
                    Ok(Ok(1..)) => {}
                    Ok(Ok(0) | Err(_)) => return Heard::Gone,
                },
                Err(error) => return Heard::Broken(error.to_string()),
            }
        }
    }

    async fn take(&mut self, finished: bool, code: OpCode, payload: Vec<u8>) -> Option<Heard> {
        match (code, self.fragments.take()) {
            (OpCode::Ping, fragments) => {
                self.fragments = fragments;
                self.frame(OpCode::Pong, &payload).await.is_err().then_some(Heard::Gone)
            }
            (OpCode::Pong, fragments) => {
                self.fragments = fragments;
                Some(Heard::Pong(payload))
            }
            (OpCode::Close, _) => Some(Heard::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code)))),
            (OpCode::Text, _) => Some(Heard::Text),
            (OpCode::Binary, None) if finished => Some(Heard::Message(payload)),
            (OpCode::Binary, None) => {
                self.fragments = Some(payload);
                None
            }
            (OpCode::Continue, Some(mut whole)) => {
                whole.extend(payload);
                if finished {
                    return Some(Heard::Message(whole));
                }
                if whole.len() > 4 * CLIENT_MESSAGE_BYTES_MAX {
                    return Some(Heard::Broken("fragments without end".into()));
                }
                self.fragments = Some(whole);
                None
            }
            (code, _) => Some(Heard::Broken(format!("a {code} frame out of order"))),
        }
    }

    async fn frame(&mut self, code: OpCode, payload: &[u8]) -> Result<(), Fault> {
        let mut out = BytesMut::new();
        Parser::write_message(&mut out, payload, code, true, false);
        self.put(&out).await
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        write(&mut self.stream, bytes)
            .await
            .map_err(|error| Fault::new(format!("the client ended the connection in the middle of the step: {error}")))
    }
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    match timeout(WRITE_WITHIN, stream.write_all(bytes)).await {
        Ok(written) => written,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it takes no bytes")),
    }
}

/// The value of Sec-WebSocket-Accept for a request's head, or what is wrong with the request.
fn accept_value(head: &str) -> Result<String, String> {
    let mut lines = head.split("\r\n");
    let request: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let header = |wanted: &str| {
        head.split("\r\n").skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let has = |wanted: &str, token: &str| {
        header(wanted).is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    match request.as_slice() {
        ["GET", path, "HTTP/1.1"] => {
            if path.split('?').next() != Some("/ws") {
                return Err(format!("the request is for {path}, the WebSocket is at /ws"));
            }
        }
        _ => return Err(format!("the request begins with {:?} instead of GET /ws HTTP/1.1", request.join(" "))),
    }
    if !has("upgrade", "websocket") || !has("connection", "upgrade") {
        return Err("the request does not ask for an upgrade to websocket".into());
    }
    if header("sec-websocket-version") != Some("13") {
        return Err("Sec-WebSocket-Version is not 13".into());
    }
    let key = header("sec-websocket-key").filter(|key| key.len() == 24).ok_or("Sec-WebSocket-Key is not 16 bytes")?;
    String::from_utf8(hash_key(key.as_bytes()).into()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::accept_value;

    const HEAD: &str = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nconnection: keep-alive, Upgrade\r\n\
                        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    #[test]
    fn the_request_of_the_rfc_gets_the_answer_of_the_rfc() {
        assert_eq!(accept_value(HEAD).as_deref(), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn a_request_that_is_no_upgrade_is_told_why() {
        for (from, to, why) in [
            ("GET /ws", "GET /", "the WebSocket is at /ws"),
            ("GET /ws", "POST /ws", "begins with"),
            ("Upgrade: websocket", "Upgrade: h2c", "does not ask for an upgrade"),
            ("Version: 13", "Version: 8", "is not 13"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "short", "is not 16 bytes"),
        ] {
            let error = accept_value(&HEAD.replace(from, to)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
