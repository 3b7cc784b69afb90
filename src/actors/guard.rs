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
/// with unread bytes is reset, and the reason is lost on the way.) Then nothing is read any more; nor after the client's
/// own Close frame, behind which nothing comes.
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
    /// The client has been refused: bytes are thrown away, so many are left.
    Draining(usize),
    /// Nothing is read any more. For a session that closes this is the end: its client has said its last.
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
                    this.limiter.fill(now, this.clock.returned().max(this.outlet.frozen_at()));
                    let close_end = this.frames.read(&chunk, &mut this.limiter);
                    if let Some(end) = close_end {
                        chunk.truncate(end);
                        this.phase = Phase::Ended;
                    }
                    if let Some(reason) = this.frames.fault {
                        if close_end.is_none() {
                            this.phase = Phase::Draining(DRAIN_BYTES);
                        }
                        this.verdict.set(Some(reason));
                        return Poll::Ready(Some(Err(PayloadError::Overflow)));
                    }
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Phase::Draining(left) => match (left.checked_sub(chunk.len()), this.frames.skim(&chunk)) {
                    (Some(rest), None) => *left = rest,
                    _ => this.phase = Phase::Ended,
                },
                Phase::Ended => return Poll::Ready(None),
            }
        }
    }
}

/// The longest header from a client: two bytes, a 64-bit length, a mask.
const HEADER_BYTES_MAX: usize = 14;

/// The first byte of a header: whether the message ends with this frame, and what it is.
const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// The longest payload of a control frame (RFC 6455, 5.5), and the longest whose length is in the second byte itself.
const CONTROL_BYTES_MAX: u64 = 125;
/// The second byte of a header: whether a mask follows, and the two lengths that are none.
const MASKED: u8 = 0x80;
const LENGTH_IN_2_BYTES: u8 = 126;
const LENGTH_IN_8_BYTES: u8 = 127;

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
    /// The first rule that was broken. From then on frames are only counted, to find the client's Close among them.
    fault: Option<CloseReason>,
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
            fault: None,
        }
    }

    /// Judges each frame. The byte before which a whole Close frame ends, if one does: RFC 6455 allows nothing after it.
    fn read(&mut self, chunk: &[u8], limiter: &mut Limiter) -> Option<usize> {
        self.walk(chunk, |frames, length| match length {
            None => frames.check_first_bytes(),
            Some(length) => {
                frames.begin_frame(length)?;
                let within = limiter.charge(frames.have as u64 + length);
                if within { Ok(()) } else { Err(CloseReason::TooFast) }
            }
        })
    }

    /// The same without a judgement: what comes after a fault has no other use.
    fn skim(&mut self, chunk: &[u8]) -> Option<usize> {
        self.walk(chunk, |_, _| Ok(()))
    }

    /// `judge` is asked after each byte of a header, and with the payload's length when that is known.
    fn walk(
        &mut self,
        chunk: &[u8],
        mut judge: impl FnMut(&mut Self, Option<u64>) -> Result<(), CloseReason>,
    ) -> Option<usize> {
        let mut judge = |frames: &mut Self, length| {
            if frames.fault.is_none() {
                frames.fault = judge(frames, length).err();
            }
        };
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
                judge(self, None);
                if self.have < 2 || self.have < header_bytes(self.header[1]) {
                    continue;
                }
                let length = payload_bytes(&self.header);
                judge(self, Some(length));
                self.in_close = self.is_close();
                self.payload_left = length;
                self.have = 0;
            }
            if self.in_close && self.payload_left == 0 && self.have == 0 {
                return Some(at);
            }
        }
        None
    }

    /// True for the header of a Close frame as RFC 6455 has it: among bytes that are no frames at all, hardly any look so.
    fn is_close(&self) -> bool {
        self.header[0] == FIN | CLOSE && (MASKED..=MASKED | CONTROL_BYTES_MAX as u8).contains(&self.header[1])
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
            2 if self.header[1] & MASKED == 0 => Err(CloseReason::Malformed), // a client must mask
            _ => Ok(()),
        }
    }

    /// What the whole header tells.
    fn begin_frame(&mut self, length: u64) -> Result<(), CloseReason> {
        let finished = self.header[0] & FIN != 0;
        // Two ways to write the same, and only the shortest may be used (RFC 6455, 5.2).
        let longer_than_needed = match self.header[1] & !MASKED {
            LENGTH_IN_2_BYTES => length <= CONTROL_BYTES_MAX,
            LENGTH_IN_8_BYTES => length <= u64::from(u16::MAX),
            _ => false,
        };
        if longer_than_needed {
            return Err(CloseReason::Malformed);
        }
        let before = match (self.header[0] & 0x0F, self.assembled) {
            (CLOSE | PING | PONG, _) if !finished || length > CONTROL_BYTES_MAX => return Err(CloseReason::Malformed),
            (CLOSE | PING | PONG, _) => return Ok(()),
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
    let length = match second & !MASKED {
        LENGTH_IN_2_BYTES => 2,
        LENGTH_IN_8_BYTES => 8,
        _ => 0,
    };
    2 + length + if second & MASKED == 0 { 0 } else { 4 }
}

fn payload_bytes(header: &[u8; HEADER_BYTES_MAX]) -> u64 {
    match header[1] & !MASKED {
        LENGTH_IN_2_BYTES => u64::from(u16::from_be_bytes([header[2], header[3]])),
        LENGTH_IN_8_BYTES => header[2..10].iter().fold(0, |length, &byte| length << 8 | u64::from(byte)),
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
        Limiter::new(&ServerConfig::default().for_rate(60), Micros(1))
    }

    /// What became of a stream: the first fault, and the byte before which the Close frame ends.
    type Judged = (Option<CloseReason>, Option<usize>);

    /// The judgement must not depend on where the network cuts the stream.
    fn judge(bytes: &[u8]) -> Judged {
        let (mut frames, mut limits) = (Frames::new(1000), limiter());
        let close_end = frames.read(bytes, &mut limits);
        let whole = (frames.fault, close_end);
        let (mut frames, mut limits) = (Frames::new(1000), limiter());
        let close_end = bytes.chunks(1).position(|byte| frames.read(byte, &mut limits).is_some());
        assert_eq!(whole, (frames.fault, close_end.map(|at| at + 1)));
        whole
    }

    /// Fails if a Close frame was found.
    fn fault(bytes: &[u8]) -> Option<CloseReason> {
        let (fault, close_end) = judge(bytes);
        assert_eq!(close_end, None);
        fault
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
        assert_eq!(fault(&bytes), None);
    }

    /// A header with this marker and length, and no payload.
    fn lengthy(first: u8, marker: u8, length: &[u8]) -> Vec<u8> {
        [&[first, 0x80 | marker], length, &[1, 2, 3, 4]].concat()
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_any_payload() {
        assert_eq!(fault(&frame(0x82, &[7; 1001])[..8]), Some(CloseReason::TooLong));
        let mut claim = vec![0x82, 0xFF];
        claim.extend_from_slice(&(1_u64 << 40).to_be_bytes());
        claim.extend_from_slice(&[0; 4]);
        assert_eq!(fault(&claim), Some(CloseReason::TooLong));
        claim[2..10].fill(0xFF);
        assert_eq!(fault(&claim), Some(CloseReason::TooLong));
    }

    #[test]
    fn fragments_are_limited_by_their_sum() {
        let mut bytes = frame(0x02, &[7; 600]);
        bytes.extend(frame(0x00, &[7; 300]));
        bytes.extend(frame(0x80, &[7; 101]));
        assert_eq!(fault(&bytes), Some(CloseReason::TooLong));
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
            ("a short length in two bytes", lengthy(0x82, 126, &[0, 125])),
            ("a short length in eight", lengthy(0x82, 127, &[0, 0, 0, 0, 0, 0, 0, 125])),
            ("a length of two bytes in eight", lengthy(0x82, 127, &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF])),
            ("no length in two bytes", lengthy(0x89, 126, &[0, 0])),
            ("a fragment with one", [frame(0x02, b"x"), lengthy(0x00, 126, &[0, 5])].concat()),
        ] {
            assert_eq!(fault(&bytes), Some(CloseReason::Malformed), "{what}");
        }
        assert_eq!(fault(&frame(0x81, b"x")), Some(CloseReason::TextFrame));
    }

    #[test]
    fn nothing_is_read_after_a_close_frame() {
        let close = frame(0x88, &[3, 232]);
        let bytes = [close.clone(), vec![0xFF; 50]].concat();
        assert_eq!(judge(&bytes), (None, Some(close.len())));
        let empty = frame(0x88, &[]);
        assert_eq!(judge(&[empty.clone(), vec![0xFF]].concat()), (None, Some(empty.len())));
    }

    /// After a refusal the session ends as soon as its client's Close is there, which is found behind frames of any kind.
    #[test]
    fn the_close_frame_behind_a_fault_is_found() {
        let close = frame(0x88, &[3, 234]);
        for (what, before, reason) in [
            ("a text frame", frame(0x81, b"hello"), CloseReason::TextFrame),
            ("reserved bits, then a message", [frame(0xF2, b"x"), frame(0x82, b"y")].concat(), CloseReason::Malformed),
            ("no mask", vec![0x82, 0x02, b'x', b'y'], CloseReason::Malformed),
            ("a long message", frame(0x82, &[0x88; 2000]), CloseReason::TooLong),
            ("a long control frame", frame(0x89, &[0x88; 126]), CloseReason::Malformed),
            ("a Close frame in fragments", frame(0x08, &[3, 232]), CloseReason::Malformed),
        ] {
            let bytes = [before, close.clone()].concat();
            assert_eq!(judge(&[bytes.clone(), vec![0xFF]].concat()), (Some(reason), Some(bytes.len())), "{what}");
        }
    }

    #[test]
    fn empty_fragments_and_pings_are_charged_like_messages() {
        let config = ServerConfig::default().for_rate(60);
        let burst = (config.messages_per_second * config.burst_ms / 1000) as usize;
        let mut bytes = frame(0x02, &[]);
        bytes.extend((1..burst).flat_map(|i| frame(if i % 2 == 0 { 0x00 } else { 0x89 }, &[])));
        assert_eq!(fault(&bytes), None);
        bytes.extend(frame(0x00, &[]));
        assert_eq!(fault(&bytes), Some(CloseReason::TooFast));
    }
}
