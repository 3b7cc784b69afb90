//! The way out of a room to one session: a short queue and a flag that says whether all of it has reached the socket.
//!
//! This is the one seam between rooms and sockets: [`Outlet::is_open`] and [`Outlet::send`] on the room's side,
//! [`Output`] on the session's. `Output` wraps the session's own stream of bytes (answers, Closing, Close) and yields
//! the room's messages whenever that has nothing to say, so a message costs no mailbox, no envelope and no actor call.
//!
//! **The invariant.** The HTTP dispatcher asks `Output` for bytes only when its write buffer holds fewer than
//! `h1_write_buffer_size` bytes. The server sets that to 1, so being asked proves that everything yielded before lies
//! in the socket. With the default of 32 KiB it would prove nothing; `tests/outlet.rs` holds it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use actix_http::ws::{OpCode, Parser};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::task::AtomicWaker;

use crate::ids::Micros;
use crate::room::SendOutcome;

/// A Welcome, a roster and a snapshot may wait together when a session begins; after that the room sends nothing while
/// anything waits. One more is slack.
const QUEUE_MAX: usize = 4;

/// What a room, a session and the watch share about one socket.
#[derive(Debug, Default)]
pub struct Outlet {
    queue: Mutex<VecDeque<Bytes>>,
    waker: AtomicWaker,
    /// A message waits in `queue` or was yielded and has not reached the socket.
    busy: AtomicBool,
    closed: AtomicBool,
    /// Chunks yielded to the dispatcher, and chunks of them that reached the socket: equal, or one apart.
    yielded: AtomicU32,
    handed: AtomicU32,
    heard_at: AtomicU64,
    cut_at: AtomicU64,
}

impl Outlet {
    /// True if all that was sent has been handed to the socket.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.busy.load(Ordering::Acquire)
    }

    /// Takes a complete message. What is accepted is delivered, or the session ends.
    #[must_use]
    pub fn send(&self, message: Bytes) -> SendOutcome {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if self.closed.load(Ordering::Relaxed) {
            return SendOutcome::Closed;
        }
        if queue.len() >= QUEUE_MAX {
            return SendOutcome::Full;
        }
        queue.push_back(message);
        self.busy.store(true, Ordering::Release);
        drop(queue);
        self.waker.wake();
        SendOutcome::Accepted
    }

    /// From now on nothing is accepted, and what waits is forgotten: the session is closing or gone.
    pub fn close(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        self.closed.store(true, Ordering::Relaxed);
        queue.clear();
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

    fn was_yielded(&self) {
        // One writer: the session's own stream.
        self.yielded.store(self.yielded.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    fn was_handed(&self) {
        self.handed.store(self.yielded.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The next message; without one, everything has reached the socket.
    fn take(&self) -> Option<Bytes> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let message = queue.pop_front();
        if message.is_none() {
            self.busy.store(false, Ordering::Release);
        }
        message
    }
}

/// A session's stream of bytes: its own first, then its room's messages, each as one frame.
pub struct Output<S> {
    own: S,
    outlet: Arc<Outlet>,
    /// Reused: the dispatcher copies each frame into its write buffer and lets it go.
    frame: BytesMut,
}

impl<S> Output<S> {
    /// Wraps the session's own stream.
    pub fn new(own: S, outlet: Arc<Outlet>) -> Self {
        Self { own, outlet, frame: BytesMut::new() }
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
        let Some(message) = this.outlet.take() else { return Poll::Pending };
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
}
