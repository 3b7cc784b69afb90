//! The way of rooms' messages to the sockets of one HTTP worker: one batch per room and tick, not one message per
//! session.
//!
//! A courier lives on its worker's own thread, where it may write to a session's socket directly whenever the session's
//! stream is idle ([`Outlet::deliver`]): no wakeup, no mailbox, no poll of a session's actor and dispatcher.
//! `benches/fanout.rs` says what that costs beside raw writes of the same bytes.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::{Arc, Weak};

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient, WrapFuture};
use bytes::Bytes;

use super::outlet::Outlet;
use super::watch::Connection;

/// Messages written before the worker's other tasks have their turn: 128 writes take about half a millisecond.
const TURN: usize = 128;

/// What the couriers of one server are called by: rooms keep one list of messages for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerId(pub usize);

/// The way to one session: who carries, and where to.
#[derive(Clone)]
pub struct Route {
    worker: WorkerId,
    courier: Recipient<Batch>,
    end: Arc<End>,
}

/// A session's end of the way.
struct End {
    outlet: Arc<Outlet>,
    connection: Weak<Connection>,
}

impl Route {
    /// To the session behind `outlet`, by the courier of its worker. A connection that is gone is no loss: its session
    /// is about to end.
    #[must_use]
    pub fn new(worker: &Worker, outlet: Arc<Outlet>, connection: Weak<Connection>) -> Self {
        Self { worker: worker.id, courier: worker.courier.clone(), end: Arc::new(End { outlet, connection }) }
    }

    /// What the session's thread and ours share.
    #[must_use]
    pub fn outlet(&self) -> &Outlet {
        &self.end.outlet
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

/// One room's messages of one tick for one worker.
#[derive(Default, Message)]
#[rtype(result = "()")]
pub struct Batch(Vec<Parcel>);

struct Parcel {
    end: Arc<End>,
    message: Bytes,
}

impl Parcel {
    fn deliver(self) {
        let connection = self.end.connection.upgrade();
        let write = connection.as_ref().map(|connection| |parts: &[IoSlice<'_>]| connection.write(parts));
        self.end.outlet.deliver(self.message, write);
    }
}

/// One room's messages of one tick, by worker.
#[derive(Default)]
pub struct Dispatch {
    batches: Vec<(WorkerId, Recipient<Batch>, Batch)>,
}

impl Dispatch {
    /// Adds a message that the route's outlet has accepted.
    pub fn add(&mut self, route: &Route, message: Bytes) {
        let parcel = Parcel { end: route.end.clone(), message };
        match self.batches.iter_mut().find(|(worker, ..)| *worker == route.worker) {
            Some((_, _, Batch(parcels))) => parcels.push(parcel),
            None => self.batches.push((route.worker, route.courier.clone(), Batch(vec![parcel]))),
        }
    }

    /// Sends everything on its way.
    pub fn send(&mut self) {
        for (_, courier, batch) in &mut self.batches {
            if !batch.0.is_empty() {
                let room_for_next = Vec::with_capacity(batch.0.len());
                // Bounded without the mailbox's limit: while a message of an outlet is under way, the room makes no
                // other for it. A courier that is gone has taken its sessions with it.
                courier.do_send(Batch(std::mem::replace(&mut batch.0, room_for_next)));
            }
        }
    }
}

/// Carries messages to the sockets of its own thread.
struct Courier;

impl Actor for Courier {
    type Context = Context<Self>;
}

impl Handler<Batch> for Courier {
    type Result = ();

    fn handle(&mut self, Batch(parcels): Batch, ctx: &mut Self::Context) {
        if parcels.len() <= TURN {
            parcels.into_iter().for_each(Parcel::deliver);
            return;
        }
        // Later batches wait until this one is out, so no session's messages change places.
        let turns = async move {
            let mut parcels = VecDeque::from(parcels);
            while !parcels.is_empty() {
                let turn = parcels.len().min(TURN);
                parcels.drain(..turn).for_each(Parcel::deliver);
                tokio::task::yield_now().await;
            }
        };
        ctx.wait(turns.into_actor(self));
    }
}
