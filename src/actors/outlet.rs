//! The way out of a room to one session, as their two threads share it: what waits, and whether all of it has reached
//! the socket.
//!
//! The room asks [`Outlet::is_open`] and hands messages to the [courier](super::courier) of the session's HTTP worker,
//! which calls [`Outlet::deliver`] on that worker's own thread: straight into the socket when nothing is before it, else
//! into the queue, from which [`Output`] takes it. `Output` wraps the session's own stream of bytes (answers, Closing,
//! Close), so the three ways never cut into each other's frames.
//!
//! **The invariant.** The HTTP dispatcher asks `Output` for bytes only when its write buffer holds fewer than
//! `h1_write_buffer_size` bytes. The server sets that to 1, so being asked proves that everything yielded before lies
//! in the socket, and an answer of "nothing" that its buffer is empty and stays so. With the default of 32 KiB it would
//! prove nothing and frames would be torn; `tests/frames.rs` holds it.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use actix_http::ws::{OpCode, Parser};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::Stream;
use futures_util::task::AtomicWaker;

use super::watch::Connection;
use crate::ids::Micros;
use crate::room::SendOutcome;

/// A Welcome, a roster and a snapshot may wait together when a session begins; after that the room sends nothing while
/// anything waits. One more is slack.
const QUEUE_MAX: usize = 4;

/// What a room, a session, its courier and the watch share about one socket.
#[derive(Debug, Default)]
pub struct Outlet {
    /// The socket itself; it goes when the connection goes.
    connection: Weak<Connection>,
    lane: Mutex<Lane>,
    waker: AtomicWaker,
    /// Messages that were accepted and have not reached the socket: on the way to the courier, in the lane, or yielded.
    pending: AtomicU32,
    closed: AtomicBool,
    /// Chunks yielded to the dispatcher, and chunks of them that reached the socket: equal, or one apart.
    yielded: AtomicU32,
    handed: AtomicU32,
    heard_at: AtomicU64,
    cut_at: AtomicU64,
}

/// What waits for one socket.
#[derive(Debug, Default)]
struct Lane {
    /// The rest of a frame of which the socket took a part: nothing may come before it.
    rest: Option<Bytes>,
    queue: VecDeque<Bytes>,
    /// The dispatcher's buffer is empty and the session has nothing to say: the socket may be written to directly. Only
    /// the session's own thread may do that, or look at this.
    idle: bool,
}

/// The header of an unmasked binary frame, at most: a length of up to 65,535 bytes takes two more bytes than its first
/// two, a longer one eight.
const HEADER_BYTES_MAX: usize = 10;

impl Outlet {
    /// The way out to this connection; to one that is gone, the way of a session that is about to end.
    #[must_use]
    pub fn new(connection: Weak<Connection>) -> Self {
        Self { connection, ..Self::default() }
    }

    /// The socket, unless it is gone.
    #[must_use]
    pub fn connection(&self) -> Option<Arc<Connection>> {
        self.connection.upgrade()
    }

    /// True if all that was accepted has been handed to the socket.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.pending.load(Ordering::Acquire) == 0
    }

    /// Takes responsibility for a message that the courier will deliver: what is accepted is delivered, or the session
    /// ends.
    #[must_use]
    pub fn accept(&self) -> SendOutcome {
        if self.closed.load(Ordering::Acquire) {
            return SendOutcome::Closed;
        }
        self.pending.fetch_add(1, Ordering::AcqRel);
        SendOutcome::Accepted
    }

    /// Delivers a complete message that was accepted. On the session's own thread only.
    pub fn deliver(&self, message: Bytes) {
        let connection = self.connection();
        self.deliver_by(connection.map(|connection| move |parts: &[IoSlice<'_>]| connection.write(parts)), message);
    }

    /// `write` writes to the socket without blocking; `None` where that cannot be done.
    fn deliver_by(&self, write: Option<impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>>, message: Bytes) {
        let mut lane = self.lane();
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let free = lane.idle && lane.rest.is_none() && lane.queue.is_empty();
        let Some(write) = write.filter(|_| free) else {
            lane.queue.push_back(message);
            drop(lane);
            self.waker.wake();
            return;
        };
        let mut header = [0; HEADER_BYTES_MAX];
        let header = frame_header(message.len(), &mut header);
        // An error is no different from a socket that takes nothing: the dispatcher meets it too, and ends the session.
        let taken = write(&[IoSlice::new(header), IoSlice::new(&message)]).unwrap_or(0);
        if taken == header.len() + message.len() {
            self.reached_the_socket(1);
            return;
        }
        let mut rest = BytesMut::with_capacity(header.len() + message.len());
        rest.extend_from_slice(header);
        rest.extend_from_slice(&message);
        rest.advance(taken);
        lane.rest = Some(rest.freeze());
        lane.idle = false;
        drop(lane);
        self.waker.wake();
    }

    /// Takes a complete message from any thread, past the courier: a Welcome, when nothing else is under way.
    #[must_use]
    pub fn send(&self, message: Bytes) -> SendOutcome {
        let mut lane = self.lane();
        if self.closed.load(Ordering::Relaxed) {
            return SendOutcome::Closed;
        }
        if lane.queue.len() >= QUEUE_MAX {
            return SendOutcome::Full;
        }
        lane.queue.push_back(message);
        self.pending.fetch_add(1, Ordering::AcqRel);
        drop(lane);
        self.waker.wake();
        SendOutcome::Accepted
    }

    /// From now on nothing is accepted, and what waits is forgotten, but for a frame that has begun: the session is
    /// closing or gone.
    pub fn close(&self) {
        let mut lane = self.lane();
        self.closed.store(true, Ordering::Release);
        lane.queue.clear();
    }

    /// The client sent something.
    pub fn heard(&self, now: Micros) {
        self.heard_at.store(now.0, Ordering::Relaxed);
    }

    /// When the client last sent something.
    #[must_use]
    pub fn heard_at(&self) -> Micros {
        Micros(self.heard_at.load(Ordering::Relaxed))
    }

    /// Asks the watch to cut the socket at that time, whatever the session does until then.
    pub fn cut_at(&self, then: Micros) {
        self.cut_at.store(then.0.max(1), Ordering::Relaxed);
    }

    /// True if the time to cut has come.
    #[must_use]
    pub fn is_cut_due(&self, now: Micros) -> bool {
        let cut_at = self.cut_at.load(Ordering::Relaxed);
        cut_at != 0 && cut_at <= now.0
    }

    /// The number of the chunk that the socket has not taken yet; `None` if it has taken all.
    #[must_use]
    pub fn unsent(&self) -> Option<u32> {
        let yielded = self.yielded.load(Ordering::Relaxed);
        (self.handed.load(Ordering::Relaxed) != yielded).then_some(yielded)
    }

    fn reached_the_socket(&self, messages: u32) {
        self.pending.fetch_sub(messages, Ordering::AcqRel);
    }

    fn was_yielded(&self) {
        // One writer: the session's own stream.
        self.yielded.store(self.yielded.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    fn was_handed(&self) {
        self.handed.store(self.yielded.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn lane(&self) -> MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An unmasked, final binary frame's header, as RFC 6455 lays it out.
fn frame_header(length: usize, out: &mut [u8; HEADER_BYTES_MAX]) -> &[u8] {
    out[0] = 0x82;
    match length {
        0..=125 => {
            out[1] = length as u8;
            &out[..2]
        }
        126..=0xFFFF => {
            out[1] = 126;
            out[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            &out[..4]
        }
        _ => {
            out[1] = 127;
            out[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            &out[..10]
        }
    }
}

/// A session's stream of bytes: the rest of a frame that has begun, then its own, then its room's messages.
pub struct Output<S> {
    own: S,
    outlet: Arc<Outlet>,
    /// Reused: the dispatcher copies each frame into its write buffer and lets it go.
    frame: BytesMut,
    /// Messages of the room's among what was yielded last: 0 or 1.
    in_dispatcher: u32,
}

impl<S> Output<S> {
    /// Wraps the session's own stream.
    pub fn new(own: S, outlet: Arc<Outlet>) -> Self {
        Self { own, outlet, frame: BytesMut::new(), in_dispatcher: 0 }
    }
}

impl<S, E> Stream for Output<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.outlet.was_handed();
        this.outlet.reached_the_socket(std::mem::take(&mut this.in_dispatcher));
        let rest = {
            let mut lane = this.outlet.lane();
            lane.idle = false;
            lane.rest.take()
        };
        if let Some(rest) = rest {
            this.in_dispatcher = 1;
            this.outlet.was_yielded();
            return Poll::Ready(Some(Ok(rest)));
        }
        match Pin::new(&mut this.own).poll_next(cx) {
            Poll::Ready(Some(item)) => {
                this.outlet.was_yielded();
                return Poll::Ready(Some(item));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {}
        }
        // Before the look into the queue, or a message that comes in between would wake nobody.
        this.outlet.waker.register(cx.waker());
        let mut lane = this.outlet.lane();
        let Some(message) = lane.queue.pop_front() else {
            lane.idle = true;
            return Poll::Pending;
        };
        drop(lane);
        this.in_dispatcher = 1;
        Parser::write_message(&mut this.frame, message, OpCode::Binary, true, false);
        this.outlet.was_yielded();
        Poll::Ready(Some(Ok(this.frame.split().freeze())))
    }
}

impl<S> Drop for Output<S> {
    fn drop(&mut self) {
        self.outlet.close();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::task::Waker;

    use super::*;

    type Own = Rc<RefCell<VecDeque<Bytes>>>;

    fn output() -> (Output<impl Stream<Item = Result<Bytes, ()>> + Unpin>, Arc<Outlet>, Own) {
        let own: Own = Rc::default();
        let outlet = Arc::new(Outlet::default());
        let source = own.clone();
        let stream = futures_util::stream::poll_fn(move |_| match source.borrow_mut().pop_front() {
            Some(bytes) => Poll::Ready(Some(Ok(bytes))),
            None => Poll::Pending,
        });
        (Output::new(stream, outlet.clone()), outlet, own)
    }

    fn poll<S: Stream<Item = Result<Bytes, ()>> + Unpin>(output: &mut Output<S>) -> Option<Bytes> {
        match Pin::new(output).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(item) => item.map(|bytes| bytes.expect("these streams do not fail")),
            Poll::Pending => None,
        }
    }

    #[test]
    fn an_outlet_is_open_again_only_when_the_socket_has_taken_everything() {
        let (mut output, outlet, _own) = output();
        assert!(outlet.is_open());
        assert_eq!(outlet.send(Bytes::from_static(b"one")), SendOutcome::Accepted);
        assert_eq!(outlet.send(Bytes::from_static(b"two")), SendOutcome::Accepted);
        assert!(!outlet.is_open());
        assert_eq!(poll(&mut output).as_deref(), Some(&b"\x82\x03one"[..]));
        assert_eq!(poll(&mut output).as_deref(), Some(&b"\x82\x03two"[..]));
        assert!(!outlet.is_open(), "yielded is not taken by the socket");
        assert!(outlet.unsent().is_some());
        assert_eq!(poll(&mut output), None);
        assert!(outlet.is_open());
        assert!(outlet.unsent().is_none());
    }

    #[test]
    fn the_sessions_own_bytes_go_first() {
        let (mut output, outlet, own) = output();
        assert_eq!(outlet.send(Bytes::from_static(b"snapshot")), SendOutcome::Accepted);
        own.borrow_mut().push_back(Bytes::from_static(b"pong"));
        assert_eq!(poll(&mut output).as_deref(), Some(&b"pong"[..]));
        assert_eq!(poll(&mut output).as_deref(), Some(&b"\x82\x08snapshot"[..]));
    }

    #[test]
    fn a_full_queue_and_a_closed_outlet_say_so() {
        let (mut output, outlet, _own) = output();
        for _ in 0..QUEUE_MAX {
            assert_eq!(outlet.send(Bytes::from_static(b"x")), SendOutcome::Accepted);
        }
        assert_eq!(outlet.send(Bytes::from_static(b"x")), SendOutcome::Full);
        outlet.close();
        assert_eq!(outlet.send(Bytes::from_static(b"x")), SendOutcome::Closed);
        assert_eq!(poll(&mut output), None, "after closing, nothing of the room's may follow the Close frame");
        let (output, outlet, _own) = self::output();
        drop(output);
        assert_eq!(outlet.send(Bytes::from_static(b"x")), SendOutcome::Closed, "the connection is gone");
    }

    /// A write that takes at most `room` bytes and keeps them.
    fn takes(room: usize, socket: &RefCell<Vec<u8>>) -> Option<impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>> {
        Some(move |parts: &[IoSlice<'_>]| {
            let whole: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
            let taken = whole.len().min(room);
            socket.borrow_mut().extend_from_slice(&whole[..taken]);
            if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
        })
    }

    #[test]
    fn an_idle_stream_is_passed_and_a_busy_one_waited_for() {
        let (mut output, outlet, _own) = output();
        let socket = RefCell::new(Vec::new());
        assert_eq!(outlet.accept(), SendOutcome::Accepted);
        assert!(!outlet.is_open());
        outlet.deliver_by(takes(100, &socket), Bytes::from_static(b"one"));
        assert!(socket.borrow().is_empty(), "nobody has said that the stream is idle");
        assert_eq!(poll(&mut output).as_deref(), Some(&b"\x82\x03one"[..]));
        assert_eq!(poll(&mut output), None);
        assert!(outlet.is_open());
        assert_eq!(outlet.accept(), SendOutcome::Accepted);
        outlet.deliver_by(takes(100, &socket), Bytes::from_static(b"two"));
        assert_eq!(*socket.borrow(), b"\x82\x03two");
        assert!(outlet.is_open(), "the socket has it");
        assert_eq!(poll(&mut output), None);
    }

    #[test]
    fn the_rest_of_a_frame_goes_before_everything_and_survives_closing() {
        let (mut output, outlet, own) = output();
        assert_eq!(poll(&mut output), None);
        let socket = RefCell::new(Vec::new());
        for message in ["torn", "next"] {
            assert_eq!(outlet.accept(), SendOutcome::Accepted);
            outlet.deliver_by(takes(3, &socket), Bytes::from_static(message.as_bytes()));
        }
        assert_eq!(*socket.borrow(), b"\x82\x04t");
        own.borrow_mut().push_back(Bytes::from_static(b"close"));
        outlet.close();
        assert_eq!(poll(&mut output).as_deref(), Some(&b"orn"[..]));
        assert_eq!(poll(&mut output).as_deref(), Some(&b"close"[..]));
        assert_eq!(poll(&mut output), None, "what had not begun is forgotten");
        assert_eq!(outlet.accept(), SendOutcome::Closed);
    }

    /// The dispatcher as the server sets it up: it asks for bytes only when its buffer is empty.
    struct Dispatcher {
        buffer: Vec<u8>,
    }

    impl Dispatcher {
        /// Writes and asks, as long as the socket takes at most `room` bytes.
        fn run<S: Stream<Item = Result<Bytes, ()>> + Unpin>(
            &mut self,
            output: &mut Output<S>,
            mut room: usize,
            socket: &RefCell<Vec<u8>>,
        ) {
            loop {
                let taken = self.buffer.len().min(room);
                socket.borrow_mut().extend(self.buffer.drain(..taken));
                room -= taken;
                if !self.buffer.is_empty() {
                    return;
                }
                match poll(output) {
                    Some(bytes) => self.buffer.extend_from_slice(&bytes),
                    None => return,
                }
            }
        }
    }

    proptest::proptest! {
        /// Messages of all sizes, the session's own frames, sockets that take a little at a time: what arrives are
        /// whole frames, each once, the room's in order and the session's in order.
        #[test]
        fn frames_stay_whole_under_every_interleaving(
            steps in proptest::collection::vec((0..4_u8, 0..300_usize, 0..400_usize), 1..200)
        ) {
            let (mut output, outlet, own) = output();
            let mut dispatcher = Dispatcher { buffer: Vec::new() };
            let socket = RefCell::new(Vec::new());
            let (mut accepted, mut own_sent) = (0_u32, 0_u32);
            let frame = |tag: u8, number: u32, length: usize| {
                let mut payload = vec![tag; length + 5];
                payload[1..5].copy_from_slice(&number.to_be_bytes());
                payload
            };
            for (what, length, room) in steps {
                match what {
                    // The room sends, by the courier, when it may.
                    0 | 1 if outlet.is_open() => {
                        proptest::prop_assert_eq!(outlet.accept(), SendOutcome::Accepted);
                        outlet.deliver_by(takes(room, &socket), frame(b'R', accepted, length * 300).into());
                        accepted += 1;
                    }
                    // The session answers something.
                    2 => {
                        let mut bytes = BytesMut::new();
                        let payload = Bytes::from(frame(b'O', own_sent, length % 100));
                        Parser::write_message(&mut bytes, payload, OpCode::Binary, true, false);
                        own.borrow_mut().push_back(bytes.freeze());
                        own_sent += 1;
                    }
                    // The dispatcher is woken.
                    _ => dispatcher.run(&mut output, room, &socket),
                }
            }
            dispatcher.run(&mut output, usize::MAX, &socket);
            proptest::prop_assert!(outlet.is_open(), "everything has reached the socket");
            let mut bytes = BytesMut::from(&socket.borrow()[..]);
            let mut next = [0, 0];
            while let Some((true, OpCode::Binary, Some(payload))) =
                Parser::parse(&mut bytes, false, usize::MAX).expect("whole frames")
            {
                let which = usize::from(payload[0] == b'O');
                let number = u32::from_be_bytes(payload[1..5].try_into().expect("four bytes"));
                proptest::prop_assert_eq!(number, next[which]);
                proptest::prop_assert!(payload[5..].iter().all(|&byte| byte == payload[0]), "a frame was torn");
                next[which] += 1;
            }
            proptest::prop_assert!(bytes.is_empty());
            proptest::prop_assert_eq!(next, [accepted, own_sent]);
        }
    }
}
