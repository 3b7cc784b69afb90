//! The socket of one session, from the end of HTTP to the end of the connection: one task reads it and writes to it.
//!
//! No HTTP stands between: [`Wire`] takes the session's bytes out and writes them, and the session takes its client's
//! bytes from [`Incoming`] while it is asked for its own. Nothing knows here what the bytes mean.
//!
//! **The invariant.** `Wire` asks for bytes only when the socket has taken all that it had. So being asked proves that
//! everything yielded before lies in the socket, which is what [`Outlet`] rests on: whoever
//! writes past this task when there was nothing to yield cuts into no frame.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::error::PayloadError;
use bytes::{Buf, Bytes};
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::tcp::OwnedWriteHalf;

use super::outlet::Outlet;

/// Bytes that one read asks for. What players send is far shorter, and a read that comes back with less says that there is
/// no more, without another system call.
const READ_BYTES: usize = 4 * 1024;

/// Reads in one turn of a task at most: then the worker's other tasks have theirs, whatever this client sends.
const READS_PER_TURN: u8 = 4;

/// How many reads are left in this turn; shared by the two ends of one task.
type ReadsLeft = Rc<Cell<u8>>;

/// Runs a session's socket: to the end of its stream of bytes, or until the peer is gone. Then the writing half is closed,
/// and the rest with the last that holds it.
pub struct Wire<S, W> {
    stream: S,
    socket: W,
    /// What the stream yielded last and the socket has not taken.
    unwritten: Bytes,
    reads_left: ReadsLeft,
}

/// What a client sends.
pub struct Incoming<R> {
    /// What came together with the request.
    early: Bytes,
    socket: R,
    reads_left: ReadsLeft,
}

impl<R> Incoming<R> {
    /// Reads `early` first, and then from the socket.
    pub fn new(early: Bytes, socket: R) -> Self {
        Self { early, socket, reads_left: ReadsLeft::default() }
    }

    /// The task that polls this, by way of the stream that `session` makes of it, and writes what that yields.
    pub fn drive<S, W>(self, socket: W, session: impl FnOnce(Self) -> S) -> Wire<S, W> {
        let reads_left = self.reads_left.clone();
        Wire { stream: session(self), socket, unwritten: Bytes::new(), reads_left }
    }
}

impl<R: AsyncRead + Unpin> Stream for Incoming<R> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if !this.early.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut this.early))));
        }
        // The session asks after each message; what is known in this turn is not asked again.
        let Some(reads_left) = this.reads_left.get().checked_sub(1) else { return Poll::Pending };
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut chunk = ReadBuf::uninit(&mut space);
        let Poll::Ready(read) = Pin::new(&mut this.socket).poll_read(cx, &mut chunk) else {
            this.reads_left.set(0);
            return Poll::Pending;
        };
        this.reads_left.set(reads_left);
        if reads_left == 0 {
            // Nobody else will: the socket only wakes who has seen it empty.
            cx.waker().wake_by_ref();
        }
        match read {
            Ok(()) if !chunk.filled().is_empty() => Poll::Ready(Some(Ok(Bytes::copy_from_slice(chunk.filled())))),
            // The client has gone, with or without a goodbye: that is an end, not an error.
            Ok(()) | Err(_) => Poll::Ready(None),
        }
    }
}

impl<S, W, E> Future for Wire<S, W>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    W: AsyncWrite + Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.reads_left.set(READS_PER_TURN);
        loop {
            while !this.unwritten.is_empty() {
                match ready!(Pin::new(&mut this.socket).poll_write(cx, &this.unwritten)) {
                    Ok(taken @ 1..) => this.unwritten.advance(taken),
                    // The peer is gone.
                    Ok(0) | Err(_) => return Poll::Ready(()),
                }
            }
            match ready!(Pin::new(&mut this.stream).poll_next(cx)) {
                Some(Ok(bytes)) => this.unwritten = bytes,
                Some(Err(_)) | None => {
                    // It fails only if the peer was faster.
                    let _ = ready!(Pin::new(&mut this.socket).poll_shutdown(cx));
                    return Poll::Ready(());
                }
            }
        }
    }
}

/// The writing half of a session's connection, for the task that owns it.
pub struct Outgoing {
    /// Says when there is room.
    socket: OwnedWriteHalf,
    /// Writes.
    outlet: Arc<Outlet>,
}

impl Outgoing {
    /// The half of the connection that the outlet leads to.
    #[must_use]
    pub fn new(socket: OwnedWriteHalf, outlet: Arc<Outlet>) -> Self {
        Self { socket, outlet }
    }
}

impl AsyncWrite for Outgoing {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let socket = self.socket.as_ref();
        loop {
            ready!(socket.poll_write_ready(cx))?;
            match socket.try_io(Interest::WRITABLE, || self.outlet.write(bytes)) {
                // There was none after all: to ask again waits for it.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Wake, Waker};

    use super::*;

    /// What a reading socket has next: bytes, or an end. When it runs out, it waits.
    struct Has {
        chunks: VecDeque<Vec<u8>>,
        asked: Rc<Cell<u32>>,
    }

    impl AsyncRead for Has {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.asked.set(self.asked.get() + 1);
            let Some(chunk) = self.chunks.pop_front() else { return Poll::Pending };
            buf.put_slice(&chunk);
            Poll::Ready(Ok(()))
        }
    }

    /// What a writing socket does next, one for each write; and what it took.
    struct Takes {
        answers: VecDeque<Poll<io::Result<usize>>>,
        taken: Vec<u8>,
        shut: bool,
    }

    impl AsyncWrite for Takes {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let answer = self.answers.pop_front().unwrap_or(Poll::Pending);
            if let Poll::Ready(Ok(taken)) = answer {
                self.taken.extend_from_slice(&bytes[..taken]);
            }
            answer
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.shut = true;
            Poll::Ready(Ok(()))
        }
    }

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A session that says nothing and keeps what it hears; it asks once more after each chunk, and at the end it ends.
    fn hears(
        mut incoming: Incoming<Has>,
        heard: Rc<Cell<Vec<u8>>>,
    ) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        futures_util::stream::poll_fn(move |cx| {
            // Twice, since a session does so: what it hears may be several messages.
            for _ in 0..2 {
                while let Poll::Ready(item) = Pin::new(&mut incoming).poll_next(cx) {
                    let Some(chunk) = item else { return Poll::Ready(None) };
                    let mut all = heard.take();
                    all.extend_from_slice(&chunk.expect("reading does not fail"));
                    heard.set(all);
                }
            }
            Poll::Pending
        })
    }

    fn says(chunks: &[&'static str]) -> impl Stream<Item = Result<Bytes, ()>> + Unpin {
        futures_util::stream::iter(
            chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect::<Vec<_>>(),
        )
    }

    fn deaf() -> Incoming<tokio::io::Empty> {
        Incoming::new(Bytes::new(), tokio::io::empty())
    }

    fn takes(answers: impl IntoIterator<Item = Poll<io::Result<usize>>>) -> Takes {
        Takes { answers: answers.into_iter().collect(), taken: Vec::new(), shut: false }
    }

    fn poll(wire: &mut (impl Future<Output = ()> + Unpin)) -> (Poll<()>, u32) {
        let woken = Arc::new(Woken::default());
        let poll = Pin::new(wire).poll(&mut Context::from_waker(&Waker::from(woken.clone())));
        (poll, woken.0.load(Ordering::Relaxed))
    }

    #[test]
    fn what_came_with_the_request_is_heard_before_what_the_socket_has() {
        let (heard, asked) = (Rc::default(), Rc::default());
        let socket = Has { chunks: [b"later".to_vec()].into(), asked };
        let incoming = Incoming::new(Bytes::from_static(b"early, "), socket);
        let mut wire = incoming.drive(takes([]), |incoming| hears(incoming, Rc::clone(&heard)));
        assert_eq!(poll(&mut wire), (Poll::Pending, 0));
        assert_eq!(heard.take(), b"early, later");
    }

    #[test]
    fn a_flood_is_read_in_turns_and_a_socket_that_has_nothing_is_asked_once() {
        let (heard, asked) = (Rc::default(), Rc::<Cell<u32>>::default());
        let chunks = vec![vec![7; READ_BYTES]; usize::from(READS_PER_TURN) + 1].into();
        let incoming = Incoming::new(Bytes::new(), Has { chunks, asked: asked.clone() });
        let mut wire = incoming.drive(takes([]), |incoming| hears(incoming, Rc::clone(&heard)));
        assert_eq!(poll(&mut wire), (Poll::Pending, 1), "whoever has not seen the end of it must come again");
        assert_eq!(heard.take().len(), usize::from(READS_PER_TURN) * READ_BYTES);
        assert_eq!(poll(&mut wire), (Poll::Pending, 0), "the socket wakes");
        assert_eq!(heard.take().len(), READ_BYTES);
        assert_eq!(asked.get(), u32::from(READS_PER_TURN) + 2);
    }

    #[test]
    fn nothing_is_asked_for_before_the_socket_has_taken_all_that_there_is() {
        let mut wire = deaf()
            .drive(takes([Poll::Ready(Ok(2)), Poll::Pending, Poll::Ready(Ok(1)), Poll::Ready(Ok(4))]), |_| {
                says(&["one", "four", "five"])
            });
        assert_eq!(poll(&mut wire).0, Poll::Pending);
        assert_eq!(wire.socket.taken, b"on");
        assert_eq!(wire.stream.size_hint().0, 2, "\"four\" must stay where it is");
        assert_eq!(poll(&mut wire).0, Poll::Pending, "it takes no more");
        assert_eq!(wire.socket.taken, b"onefour");
        assert!(!wire.socket.shut);
    }

    #[test]
    fn the_wire_ends_with_the_session_or_with_the_peer() {
        let mut over = deaf().drive(takes([Poll::Ready(Ok(3))]), |_| says(&["end"]));
        assert_eq!(poll(&mut over).0, Poll::Ready(()));
        assert!(over.socket.shut, "the peer is told that this was all");
        let reset = Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        let mut gone = deaf().drive(takes([reset]), |_| says(&["to nobody", "nor this"]));
        assert_eq!(poll(&mut gone).0, Poll::Ready(()));
        assert_eq!(gone.stream.size_hint().0, 1);
        // The client's end is the session's to see, and its own end follows.
        let end = Has { chunks: [Vec::new()].into(), asked: Rc::default() };
        let mut half_closed =
            Incoming::new(Bytes::new(), end).drive(takes([]), |incoming| hears(incoming, Rc::default()));
        assert_eq!(poll(&mut half_closed).0, Poll::Ready(()));
        assert!(half_closed.socket.shut);
    }
}
