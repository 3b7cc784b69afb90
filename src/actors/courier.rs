//! The way of rooms' messages to the sockets of one HTTP worker: in batches, not one message to each session.
//!
//! A courier lives on its worker's own thread, where it may write to a session's socket directly whenever the session's
//! stream is idle ([`Outlet::deliver`]): no wakeup, no mailbox, no poll of a session's task.
//! `benches/fanout.rs` says what that costs beside raw writes of the same bytes.

use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient, WrapFuture};

use super::outlet::{Outlet, put_frame};

/// Messages in a batch at most: the worker's other tasks have their turn after 128 writes, about a millisecond, and the
/// first of a crowd's messages are on their way while the room makes the others.
const BATCH_MAX: usize = 128;
/// A batch with so many bytes is full, too: long messages must not make it a burden.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// What the couriers of one server are called by: rooms keep one list of messages for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerId(pub usize);

/// The way to one session: who carries, and where to.
#[derive(Clone)]
pub struct Route {
    worker: WorkerId,
    courier: Recipient<Batch>,
    outlet: Arc<Outlet>,
}

impl Route {
    /// To the session behind `outlet`, by the courier of its worker.
    #[must_use]
    pub fn new(worker: &Worker, outlet: Arc<Outlet>) -> Self {
        Self { worker: worker.id, courier: worker.courier.clone(), outlet }
    }

    /// What the session's thread and ours share.
    #[must_use]
    pub fn outlet(&self) -> &Outlet {
        &self.outlet
    }
}

/// One HTTP worker, as its sessions know it.
pub struct Worker {
    /// Its number.
    pub id: WorkerId,
    /// Its courier.
    pub courier: Recipient<Batch>,
}

impl Worker {
    /// Starts the courier on the thread that calls this.
    #[must_use]
    pub fn start(id: WorkerId) -> Self {
        Self { id, courier: Courier.start().recipient() }
    }
}

/// Some of one room's messages of one tick, for one worker: whole frames, one after the other in one piece of memory.
#[derive(Default, Message)]
#[rtype(result = "()")]
pub struct Batch {
    frames: Vec<u8>,
    parcels: Vec<Parcel>,
}

struct Parcel {
    to: Arc<Outlet>,
    /// Where its frame ends, and the next one's begins.
    end: usize,
}

/// One room's messages of one tick, by worker.
#[derive(Default)]
pub struct Dispatch {
    batches: Vec<(WorkerId, Recipient<Batch>, Batch)>,
}

impl Dispatch {
    /// Adds a message that the route's outlet has accepted.
    pub fn add(&mut self, route: &Route, message: &[u8]) {
        let at = self.batches.iter().position(|(worker, ..)| *worker == route.worker).unwrap_or_else(|| {
            self.batches.push((route.worker, route.courier.clone(), Batch::default()));
            self.batches.len() - 1
        });
        let (_, courier, batch) = &mut self.batches[at];
        put_frame(message, &mut batch.frames);
        batch.parcels.push(Parcel { to: route.outlet.clone(), end: batch.frames.len() });
        if batch.is_full() {
            batch.send(courier);
        }
    }

    /// Sends the rest on its way.
    pub fn send(&mut self) {
        for (_, courier, batch) in &mut self.batches {
            if !batch.parcels.is_empty() {
                batch.send(courier);
            }
        }
    }
}

impl Batch {
    fn is_full(&self) -> bool {
        self.parcels.len() >= BATCH_MAX || self.frames.len() >= BATCH_BYTES_MAX
    }

    fn send(&mut self, courier: &Recipient<Batch>) {
        let next =
            Self { frames: Vec::with_capacity(self.frames.len()), parcels: Vec::with_capacity(self.parcels.len()) };
        // Bounded without the mailbox's limit: while a message of an outlet is under way, the room makes no other for
        // it. A courier that is gone has taken its sessions with it.
        courier.do_send(std::mem::replace(self, next));
    }
}

/// Carries messages to the sockets of its own thread.
struct Courier;

impl Actor for Courier {
    type Context = Context<Self>;
}

impl Handler<Batch> for Courier {
    type Result = ();

    fn handle(&mut self, batch: Batch, ctx: &mut Self::Context) {
        let full = batch.is_full();
        let mut begin = 0;
        // Each parcel goes as it is delivered: a batch later its outlet would have left the cache.
        for Parcel { to, end } in batch.parcels {
            to.deliver(&batch.frames[begin..end]);
            begin = end;
        }
        if full {
            // The next batch waits until the worker's other tasks have had their turn.
            ctx.wait(tokio::task::yield_now().into_actor(self));
        }
    }
}
