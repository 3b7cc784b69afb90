//! Reads frame headers as they arrive and refuses at the header what must not be read on.
//!
//! The WebSocket codec behind it checks a frame's length only after the whole payload has arrived, buffers without
//! bound what comes faster than the session handles it, and repeats its error for as long as it is asked. So this
//! guard stands before it, on the raw bytes: what it lets through is masked, well-formed, short, and within the rate.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

use super::clock::Clock;
use super::limiter::Limiter;
use super::outlet::Outlet;
use crate::protocol::close::CloseReason;

/// After a refusal, so many bytes are read and thrown away while the client reads why it was closed. (A socket closed
/// with unread bytes is reset, and the reason is lost on the way.) Then nothing is read any more.
const DRAIN_BYTES: usize = 256 * 1024;

/// Why the guard ended the stream; shared with the session, which is only told that there was an error.
pub type Verdict = Rc<Cell<Option<CloseReason>>>;

/// A payload stream of which only good frames come out.
pub struct Guard<S> {
    upstream: S,
    phase: Phase,
    frames: Frames,
    limiter: Limiter,
    verdict: Verdict,
    outlet: Arc<Outlet>,
    clock: Clock,
}

enum Phase {
    Open,
    /// Bytes are thrown away, so many are left.
    Draining(usize),
    Ended,
}

impl<S> Guard<S> {
    /// Guards `upstream`; no message may be longer than `message_bytes_max`, in one frame or in fragments.
    pub fn new(
        upstream: S,
        message_bytes_max: usize,
        limiter: Limiter,
        verdict: Verdict,
        outlet: Arc<Outlet>,
        clock: Clock,
    ) -> Self {
        let frames = Frames::new(message_bytes_max as u64);
        Self { upstream, phase: Phase::Open, frames, limiter, verdict, outlet, clock }
    }
}

impl<S> Stream for Guard<S>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if matches!(this.phase, Phase::Ended) {
                return Poll::Ready(None);
            }
            let Some(Ok(mut chunk)) = ready!(Pin::new(&mut this.upstream).poll_next(cx)) else {
                // The client has gone, with or without a goodbye: that is an end, not an error.
                this.phase = Phase::Ended;
                return Poll::Ready(None);
            };
            match &mut this.phase {
                Phase::Open => {
                    let now = this.clock.now();
                    this.outlet.heard(now);
                    this.limiter.fill(now);
                    match this.frames.read(&chunk, &mut this.limiter) {
                        Ok(Read::All) => {}
                        Ok(Read::CloseEndsAt(end)) => {
                            chunk.truncate(end);
                            this.phase = Phase::Draining(DRAIN_BYTES);
                        }
                        Err(reason) => {
                            this.verdict.set(Some(reason));
                            this.phase = Phase::Draining(DRAIN_BYTES);
                            return Poll::Ready(Some(Err(PayloadError::Overflow)));
                        }
                    }
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Phase::Draining(left) => match left.checked_sub(chunk.len()) {
                    Some(rest) => *left = rest,
                    None => this.phase = Phase::Ended,
                },
                Phase::Ended => return Poll::Ready(None),
            }
        }
    }
}

/// How far a chunk was read.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    All,
    /// A whole Close frame ends before this byte; RFC 6455 allows nothing after it.
    CloseEndsAt(usize),
}

/// The longest header from a client: two bytes, a 64-bit length, a mask.
const HEADER_BYTES_MAX: usize = 14;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// The longest payload of a control frame (RFC 6455, 5.5).
const CONTROL_BYTES_MAX: u64 = 125;

/// Where in the stream of frames the next byte belongs.
struct Frames {
    message_bytes_max: u64,
    /// The header being read.
    header: [u8; HEADER_BYTES_MAX],
    have: usize,
    /// Payload bytes of the current frame that are still to come.
    payload_left: u64,
    in_close: bool,
    /// Bytes of a fragmented message so far; `None` outside of one.
    assembled: Option<u64>,
}

impl Frames {
    fn new(message_bytes_max: u64) -> Self {
        Self {
            message_bytes_max,
            header: [0; HEADER_BYTES_MAX],
            have: 0,
            payload_left: 0,
            in_close: false,
            assembled: None,
        }
    }

    fn read(&mut self, chunk: &[u8], limiter: &mut Limiter) -> Result<Read, CloseReason> {
        let mut at = 0;
        while at < chunk.len() {
            if self.payload_left > 0 {
                let taken = self.payload_left.min((chunk.len() - at) as u64);
                self.payload_left -= taken;
                at += taken as usize;
            } else {
                self.header[self.have] = chunk[at];
                self.have += 1;
                at += 1;
                self.check_first_bytes()?;
                if self.have < 2 || self.have < header_bytes(self.header[1]) {
                    continue;
                }
                let length = payload_bytes(&self.header);
                self.begin_frame(length)?;
                if !limiter.charge(self.have as u64 + length) {
                    return Err(CloseReason::TooFast);
                }
                self.payload_left = length;
                self.have = 0;
            }
            if self.in_close && self.payload_left == 0 && self.have == 0 {
                return Ok(Read::CloseEndsAt(at));
            }
        }
        Ok(Read::All)
    }

    /// What the first and the second byte tell, as soon as each is there.
    fn check_first_bytes(&self) -> Result<(), CloseReason> {
        let first = self.header[0];
        let opcode = first & 0x0F;
        match self.have {
            1 if first & 0x70 != 0 => Err(CloseReason::Malformed), // reserved bits: no extension was agreed on
            1 => match opcode {
                TEXT => Err(CloseReason::TextFrame),
                CONTINUATION | BINARY | CLOSE | PING | PONG => Ok(()),
                _ => Err(CloseReason::Malformed),
            },
            2 if self.header[1] & 0x80 == 0 => Err(CloseReason::Malformed), // a client must mask
            _ => Ok(()),
        }
    }

    /// What the whole header tells.
    fn begin_frame(&mut self, length: u64) -> Result<(), CloseReason> {
        let finished = self.header[0] & 0x80 != 0;
        let before = match (self.header[0] & 0x0F, self.assembled) {
            (CLOSE | PING | PONG, _) if !finished || length > CONTROL_BYTES_MAX => return Err(CloseReason::Malformed),
            (opcode @ (CLOSE | PING | PONG), _) => {
                self.in_close = opcode == CLOSE;
                return Ok(());
            }
            (CONTINUATION, Some(assembled)) => assembled,
            (BINARY, None) => 0,
            // A continuation of nothing, or a message within another.
            _ => return Err(CloseReason::Malformed),
        };
        match before.checked_add(length) {
            Some(total) if total <= self.message_bytes_max => {
                self.assembled = (!finished).then_some(total);
                Ok(())
            }
            _ => Err(CloseReason::TooLong),
        }
    }
}

fn header_bytes(second: u8) -> usize {
    match second & 0x7F {
        126 => 8,
        127 => 14,
        _ => 6,
    }
}

fn payload_bytes(header: &[u8; HEADER_BYTES_MAX]) -> u64 {
    match header[1] & 0x7F {
        126 => u64::from(u16::from_be_bytes([header[2], header[3]])),
        127 => header[2..10].iter().fold(0, |length, &byte| length << 8 | u64::from(byte)),
        short => short.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServerConfig;
    use crate::ids::Micros;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..=125 => bytes.push(0x80 | short as u8),
            long => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(long as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[1, 2, 3, 4]);
        bytes.extend_from_slice(payload);
        bytes
    }

    fn limiter() -> Limiter {
        Limiter::new(&ServerConfig::default(), Micros(1))
    }

    /// The verdict must not depend on where the network cuts the stream.
    fn verdict(bytes: &[u8]) -> Result<Read, CloseReason> {
        let whole = Frames::new(1000).read(bytes, &mut limiter());
        let mut frames = Frames::new(1000);
        let mut limiter = limiter();
        let mut by_byte = Ok(Read::All);
        for (at, byte) in bytes.chunks(1).enumerate() {
            match frames.read(byte, &mut limiter) {
                Ok(Read::All) => {}
                Ok(Read::CloseEndsAt(_)) => {
                    by_byte = Ok(Read::CloseEndsAt(at + 1));
                    break;
                }
                Err(reason) => {
                    by_byte = Err(reason);
                    break;
                }
            }
        }
        assert_eq!(whole, by_byte);
        whole
    }

    #[test]
    fn messages_pings_and_fragments_within_the_limit_pass() {
        let mut bytes = frame(0x82, &[7; 1000]);
        bytes.extend(frame(0x82, &[]));
        bytes.extend(frame(0x89, b"ping"));
        bytes.extend(frame(0x02, &[7; 400]));
        bytes.extend(frame(0x8A, b"between fragments"));
        bytes.extend(frame(0x00, &[7; 400]));
        bytes.extend(frame(0x80, &[7; 200]));
        bytes.extend(frame(0x82, &[7; 126]));
        assert_eq!(verdict(&bytes), Ok(Read::All));
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_any_payload() {
        assert_eq!(verdict(&frame(0x82, &[7; 1001])[..8]), Err(CloseReason::TooLong));
        let mut claim = vec![0x82, 0xFF];
        claim.extend_from_slice(&(1_u64 << 40).to_be_bytes());
        claim.extend_from_slice(&[0; 4]);
        assert_eq!(verdict(&claim), Err(CloseReason::TooLong));
        claim[2..10].fill(0xFF);
        assert_eq!(verdict(&claim), Err(CloseReason::TooLong));
    }

    #[test]
    fn fragments_are_limited_by_their_sum() {
        let mut bytes = frame(0x02, &[7; 600]);
        bytes.extend(frame(0x00, &[7; 300]));
        bytes.extend(frame(0x80, &[7; 101]));
        assert_eq!(verdict(&bytes), Err(CloseReason::TooLong));
    }

    #[test]
    fn what_breaks_the_rules_of_frames_is_malformed() {
        for (what, bytes) in [
            ("reserved bits", frame(0xC2, b"x")),
            ("unknown opcode", frame(0x83, b"x")),
            ("unknown control opcode", frame(0x8B, b"x")),
            ("no mask", vec![0x82, 0x01, b'x']),
            ("a control frame in fragments", frame(0x09, b"x")),
            ("a long control frame", frame(0x89, &[7; 126])),
            ("a continuation of nothing", frame(0x80, b"x")),
            ("a message within a message", [frame(0x02, b"x"), frame(0x82, b"x")].concat()),
        ] {
            assert_eq!(verdict(&bytes), Err(CloseReason::Malformed), "{what}");
        }
        assert_eq!(verdict(&frame(0x81, b"x")), Err(CloseReason::TextFrame));
    }

    #[test]
    fn nothing_is_read_after_a_close_frame() {
        let close = frame(0x88, &[3, 232]);
        let bytes = [close.clone(), vec![0xFF; 50]].concat();
        assert_eq!(verdict(&bytes), Ok(Read::CloseEndsAt(close.len())));
        let empty = frame(0x88, &[]);
        assert_eq!(verdict(&[empty.clone(), vec![0xFF]].concat()), Ok(Read::CloseEndsAt(empty.len())));
    }

    #[test]
    fn empty_fragments_and_pings_are_charged_like_messages() {
        let config = ServerConfig::default();
        let burst = (config.messages_per_second * config.burst_ms / 1000) as usize;
        let mut bytes = frame(0x02, &[]);
        bytes.extend((1..burst).flat_map(|i| frame(if i % 2 == 0 { 0x00 } else { 0x89 }, &[])));
        assert_eq!(verdict(&bytes), Ok(Read::All));
        bytes.extend(frame(0x00, &[]));
        assert_eq!(verdict(&bytes), Err(CloseReason::TooFast));
    }
}
