//! The way out of a room to one session, as their two threads share it: what waits, and whether all of it has reached
//! the socket.
//!
//! The room asks [`Outlet::is_open`] and hands messages to the [courier](super::courier) of the session's HTTP worker,
//! which calls [`Outlet::deliver`] on that worker's own thread: straight into the socket when nothing is before it, else
//! into the queue, from which [`Output`] takes it. `Output` wraps the session's own stream of bytes (answers, Closing,
//! Close), so the three ways never cut into each other's frames.
//!
//! That the stream is idle is known by the [wire](super::wire), which asks `Output` for bytes only when the socket has
//! taken all that it had: to be asked proves that everything yielded before lies in the socket, and an answer of
//! "nothing" that nothing of the session's is on its way. `tests/frames.rs` holds it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::task::AtomicWaker;

use super::connection::{Connection, Depths};
use crate::ids::Micros;
use crate::room::SendOutcome;

/// A Welcome, a roster and a snapshot may wait together when a session begins; after that the room sends nothing while
/// anything waits. One more is slack.
const QUEUE_MAX: usize = 4;

/// What a room, a session, its courier and the watch share about one socket.
///
/// A crowd's outlets do not fit in a cache, so what every message needs comes first and lies together.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Outlet {
    /// Messages that were accepted and have not reached the socket: on the way to the courier, in the lane, or yielded.
    pending: AtomicU32,
    closed: AtomicBool,
    lane: Mutex<Lane>,
    waker: AtomicWaker,
    /// The connection has gone.
    gone: AtomicBool,
    heard_at: AtomicU64,
    frozen_at: AtomicU64,
    acks: AtomicBool,
    /// Since when, and how long, the connection may stand; 0: for good.
    closing_since: AtomicU64,
    closing_for: AtomicU64,
}

/// What waits for one socket.
#[derive(Debug, Default)]
#[repr(C)]
struct Lane {
    /// The wire has written everything, the session has nothing to say and nothing waits here: the socket may be written
    /// to directly. Only the session's own thread may do that.
    idle: bool,
    /// The socket, until [`Output`] goes, and the connection with it.
    socket: Option<Connection>,
    /// The rest of a frame of which the socket took a part: nothing may come before it.
    rest: Option<Bytes>,
    /// Whole frames.
    queue: VecDeque<Bytes>,
}

impl Outlet {
    /// The way out to this connection.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { lane: Mutex::new(Lane { socket: Some(connection), ..Lane::default() }), ..Self::default() }
    }

    /// True if the connection has gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Ends the connection now, if it is still there, whatever the session does.
    pub fn cut(&self) {
        if let Some(socket) = &self.lane().socket {
            socket.cut();
        }
    }

    /// Writes what the socket takes without waiting, and says how much that was. Only for what [`Output`] has yielded.
    ///
    /// # Errors
    /// As `send(2)`: `WouldBlock` if the socket takes nothing; `NotConnected` if it is gone.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.lane().socket.as_mut().ok_or(io::ErrorKind::NotConnected)?.write(bytes)
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

    /// Delivers the frame of a message that was accepted. On the session's own thread only.
    pub fn deliver(&self, frame: &[u8]) {
        self.deliver_by(frame, |socket, frame| socket.map_or(Ok(0), |socket| socket.write(frame)));
    }

    /// `write` writes to the socket without blocking, and says how much it took.
    fn deliver_by(&self, frame: &[u8], write: impl FnOnce(Option<&mut Connection>, &[u8]) -> io::Result<usize>) {
        let mut lane = self.lane();
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        if lane.idle {
            // An error is no different from a socket that takes nothing: the wire meets it too, and ends the session.
            let taken = write(lane.socket.as_mut(), frame).unwrap_or(0);
            if taken == frame.len() {
                self.reached_the_socket(1);
                return;
            }
            lane.rest = Some(Bytes::copy_from_slice(&frame[taken..]));
            lane.idle = false;
        } else {
            lane.queue.push_back(Bytes::copy_from_slice(frame));
        }
        drop(lane);
        self.waker.wake();
    }

    /// Takes a complete message from any thread, past the courier: a Welcome, when nothing else is under way.
    #[must_use]
    pub fn send(&self, message: &[u8]) -> SendOutcome {
        let mut frame = Vec::new();
        put_frame(message, &mut frame);
        let mut lane = self.lane();
        if self.closed.load(Ordering::Relaxed) {
            return SendOutcome::Closed;
        }
        if lane.queue.len() >= QUEUE_MAX {
            return SendOutcome::Full;
        }
        lane.queue.push_back(frame.into());
        lane.idle = false;
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

    /// The connection goes.
    fn hang_up(&self) {
        self.close();
        self.lane().socket = None;
        self.gone.store(true, Ordering::Release);
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

    /// The socket takes nothing, so what the client says is not read: it piles up.
    pub fn freeze(&self, now: Micros) {
        self.frozen_at.store(now.0, Ordering::Relaxed);
    }

    /// When the socket was last known to take nothing; 0: never.
    #[must_use]
    pub fn frozen_at(&self) -> Micros {
        Micros(self.frozen_at.load(Ordering::Relaxed))
    }

    /// The client said which snapshot it has seen; 0: it does not say.
    pub fn heard_of(&self, seen: u32) {
        if seen != 0 {
            self.acks.store(true, Ordering::Relaxed);
        }
    }

    /// True if the client acks.
    #[must_use]
    pub fn acks(&self) -> bool {
        self.acks.load(Ordering::Relaxed)
    }

    /// Asks the watch to cut the socket when so much `time` has passed since `now`, whatever the session does until then.
    pub fn cut_after(&self, now: Micros, time: Micros) {
        self.closing_for.store(time.0, Ordering::Relaxed);
        self.closing_since.store(now.0.max(1), Ordering::Release);
    }

    /// Since when the socket waits to be cut, and how long it may; `None`: it is not to be cut.
    #[must_use]
    pub fn closing(&self) -> Option<(Micros, Micros)> {
        let since = self.closing_since.load(Ordering::Acquire);
        (since != 0).then(|| (Micros(since), Micros(self.closing_for.load(Ordering::Relaxed))))
    }

    /// What the kernel knows of the socket. `None`: it is gone, or this system does not tell.
    #[must_use]
    pub fn depths(&self) -> Option<Depths> {
        self.lane().socket.as_ref().and_then(Connection::depths)
    }

    fn reached_the_socket(&self, messages: u32) {
        self.pending.fetch_sub(messages, Ordering::AcqRel);
    }

    fn lane(&self) -> MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends a message as one unmasked, final binary frame, as RFC 6455 lays it out.
pub fn put_frame(message: &[u8], out: &mut Vec<u8>) {
    const BINARY: u8 = 0x82;
    match message.len() {
        short @ 0..=125 => out.extend_from_slice(&[BINARY, short as u8]),
        medium @ 126..=0xFFFF => {
            out.extend_from_slice(&[BINARY, 126]);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.extend_from_slice(&[BINARY, 127]);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(message);
}

/// A session's stream of bytes: the rest of a frame that has begun, then its own, then its room's messages.
pub struct Output<S> {
    own: S,
    outlet: Arc<Outlet>,
    /// Messages of the room's among what was yielded last: 0 or 1.
    in_wire: u32,
}

impl<S> Output<S> {
    /// Wraps the session's own stream.
    pub fn new(own: S, outlet: Arc<Outlet>) -> Self {
        Self { own, outlet, in_wire: 0 }
    }
}

impl<S, E> Stream for Output<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.outlet.reached_the_socket(std::mem::take(&mut this.in_wire));
        let rest = {
            let mut lane = this.outlet.lane();
            lane.idle = false;
            lane.rest.take()
        };
        if let Some(rest) = rest {
            this.in_wire = 1;
            return Poll::Ready(Some(Ok(rest)));
        }
        match Pin::new(&mut this.own).poll_next(cx) {
            Poll::Ready(Some(item)) => {
                return Poll::Ready(Some(item));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {}
        }
        // Before the look into the queue, or a message that comes in between would wake nobody.
        this.outlet.waker.register(cx.waker());
        let mut lane = this.outlet.lane();
        let Some(frame) = lane.queue.pop_front() else {
            lane.idle = true;
            return Poll::Pending;
        };
        drop(lane);
        this.in_wire = 1;
        Poll::Ready(Some(Ok(frame)))
    }
}

impl<S> Drop for Output<S> {
    fn drop(&mut self) {
        self.outlet.hang_up();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;
    use std::task::Waker;

    use actix_http::ws::{OpCode, Parser};
    use bytes::BytesMut;
    use tokio::io::AsyncWrite;

    use super::super::wire::Incoming;
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
        assert_eq!(outlet.send(b"one"), SendOutcome::Accepted);
        assert_eq!(outlet.send(b"two"), SendOutcome::Accepted);
        assert!(!outlet.is_open());
        assert_eq!(poll(&mut output).as_deref(), Some(&b"\x82\x03one"[..]));
        assert_eq!(poll(&mut output).as_deref(), Some(&b"\x82\x03two"[..]));
        assert!(!outlet.is_open(), "yielded is not taken by the socket");
        assert_eq!(poll(&mut output), None);
        assert!(outlet.is_open());
    }

    #[test]
    fn the_sessions_own_bytes_go_first() {
        let (mut output, outlet, own) = output();
        assert_eq!(outlet.send(b"snapshot"), SendOutcome::Accepted);
        own.borrow_mut().push_back(Bytes::from_static(b"pong"));
        assert_eq!(poll(&mut output).as_deref(), Some(&b"pong"[..]));
        assert_eq!(poll(&mut output).as_deref(), Some(&b"\x82\x08snapshot"[..]));
    }

    #[test]
    fn a_full_queue_and_a_closed_outlet_say_so() {
        let (mut output, outlet, _own) = output();
        for _ in 0..QUEUE_MAX {
            assert_eq!(outlet.send(b"x"), SendOutcome::Accepted);
        }
        assert_eq!(outlet.send(b"x"), SendOutcome::Full);
        outlet.close();
        assert_eq!(outlet.send(b"x"), SendOutcome::Closed);
        assert_eq!(poll(&mut output), None, "after closing, nothing of the room's may follow the Close frame");
        let (output, outlet, _own) = self::output();
        drop(output);
        assert_eq!(outlet.send(b"x"), SendOutcome::Closed, "the connection is gone");
    }

    /// A write that takes at most `room` bytes and keeps them.
    fn takes(
        room: usize,
        socket: &RefCell<Vec<u8>>,
    ) -> impl FnOnce(Option<&mut Connection>, &[u8]) -> io::Result<usize> {
        move |_, frame| {
            let taken = frame.len().min(room);
            socket.borrow_mut().extend_from_slice(&frame[..taken]);
            if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
        }
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        put_frame(message, &mut frame);
        frame
    }

    #[test]
    fn an_idle_stream_is_passed_and_a_busy_one_waited_for() {
        let (mut output, outlet, _own) = output();
        let socket = RefCell::new(Vec::new());
        assert_eq!(outlet.accept(), SendOutcome::Accepted);
        assert!(!outlet.is_open());
        outlet.deliver_by(&framed(b"one"), takes(100, &socket));
        assert!(socket.borrow().is_empty(), "nobody has said that the stream is idle");
        assert_eq!(poll(&mut output).as_deref(), Some(&b"\x82\x03one"[..]));
        assert_eq!(poll(&mut output), None);
        assert!(outlet.is_open());
        assert_eq!(outlet.accept(), SendOutcome::Accepted);
        outlet.deliver_by(&framed(b"two"), takes(100, &socket));
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
            outlet.deliver_by(&framed(message.as_bytes()), takes(3, &socket));
        }
        assert_eq!(*socket.borrow(), b"\x82\x04t");
        own.borrow_mut().push_back(Bytes::from_static(b"close"));
        outlet.close();
        assert_eq!(poll(&mut output).as_deref(), Some(&b"orn"[..]));
        assert_eq!(poll(&mut output).as_deref(), Some(&b"close"[..]));
        assert_eq!(poll(&mut output), None, "what had not begun is forgotten");
        assert_eq!(outlet.accept(), SendOutcome::Closed);
    }

    /// A socket that has room for so many bytes more, and keeps what it took.
    struct Narrow<'a> {
        room: &'a Cell<usize>,
        socket: &'a RefCell<Vec<u8>>,
    }

    impl AsyncWrite for Narrow<'_> {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.room.get());
            self.room.set(self.room.get() - taken);
            self.socket.borrow_mut().extend_from_slice(&bytes[..taken]);
            if taken == 0 { Poll::Pending } else { Poll::Ready(Ok(taken)) }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    proptest::proptest! {
        /// Messages of all sizes, the session's own frames, sockets that take a little at a time: what arrives are
        /// whole frames, each once, the room's in order and the session's in order.
        #[test]
        fn frames_stay_whole_under_every_interleaving(
            steps in proptest::collection::vec((0..4_u8, 0..300_usize, 0..400_usize), 1..200)
        ) {
            let (output, outlet, own) = output();
            let (socket, free) = (RefCell::new(Vec::new()), Cell::new(0));
            let narrow = Narrow { room: &free, socket: &socket };
            let mut wire = Incoming::new(Bytes::new(), tokio::io::empty()).drive(narrow, |_| output);
            // The wire is woken when the socket has room for so much.
            let mut run = |room| {
                free.set(room);
                Pin::new(&mut wire).poll(&mut Context::from_waker(Waker::noop())).is_pending()
            };
            let (mut accepted, mut own_sent) = (0_u32, 0_u32);
            let payload = |tag: u8, number: u32, length: usize| {
                let mut payload = vec![tag; length + 5];
                payload[1..5].copy_from_slice(&number.to_be_bytes());
                payload
            };
            for (what, length, room) in steps {
                match what {
                    // The room sends, by the courier, when it may.
                    0 | 1 if outlet.is_open() => {
                        proptest::prop_assert_eq!(outlet.accept(), SendOutcome::Accepted);
                        outlet.deliver_by(&framed(&payload(b'R', accepted, length * 300)), takes(room, &socket));
                        accepted += 1;
                    }
                    // The session answers something.
                    2 => {
                        own.borrow_mut().push_back(framed(&payload(b'O', own_sent, length % 100)).into());
                        own_sent += 1;
                    }
                    _ => proptest::prop_assert!(run(room)),
                }
            }
            proptest::prop_assert!(run(usize::MAX));
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
