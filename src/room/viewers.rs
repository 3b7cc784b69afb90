//! The sessions of a room, players' and spectators', and what each of them holds.

use super::acks::Acks;
use super::events::EventCursor;
use crate::game::VisibleSet;
use crate::ids::{InputSeq, Micros, SeatId, Tick, ViewerId};
use crate::protocol::message::Tier;

/// A snapshot goes out at least this often, even an empty one: a silent server and a dead one must look different.
const HEARTBEAT: Micros = Micros::from_millis(150);
/// So many viewers get their snapshots at the same ticks; those beyond share what one round costs (the rows, what changed
/// since the last). In a larger room later ones take other turns, so that a crowd's snapshots leave in several short
/// bursts instead of one whose last message is late.
const TURN_VIEWERS: usize = 64;
/// Resync is honoured this often at most: base 0 costs bytes, and a broken client might ask at every snapshot.
const RESYNC_EVERY: Micros = Micros::from_millis(500);

/// One session in the room.
pub(super) struct Viewer {
    pub(super) id: ViewerId,
    /// `None`: a spectator.
    pub(super) seat: Option<SeatId>,
    pub(super) tier: Tier,
    /// Its snapshots are due at the ticks that leave this remainder when divided by `ticks_per_snapshot`.
    turn: u16,
    /// The tick that its next snapshot is relative to; `None`: base 0.
    pub(super) base: Option<Tick>,
    /// The ids that it holds at that tick, and how many they are.
    pub(super) held: VisibleSet,
    pub(super) rows: usize,
    pub(super) events: EventCursor,
    pub(super) events_lost: bool,
    pub(super) roster: u32,
    pub(super) roster_sent_at: Option<Micros>,
    /// What the last snapshot sent said.
    pub(super) told_ack: InputSeq,
    pub(super) told_starved: bool,
    pub(super) sent_at: Micros,
    pub(super) acks: Acks,
    pub(super) resynced_at: Option<Micros>,
}

impl Viewer {
    pub(super) fn new(
        id: ViewerId,
        seat: Option<SeatId>,
        tier: Tier,
        turn: u16,
        events: EventCursor,
        now: Micros,
    ) -> Self {
        Self {
            id,
            seat,
            tier,
            turn,
            base: None,
            held: VisibleSet::default(),
            rows: 0,
            events,
            events_lost: false,
            roster: 0,
            roster_sent_at: None,
            told_ack: InputSeq(0),
            told_starved: true,
            sent_at: now,
            acks: Acks::new(now),
            resynced_at: None,
        }
    }

    /// The client cannot trust its view: the next snapshot has base 0, and the window opens for it.
    pub(super) fn resync(&mut self, now: Micros) {
        if self.resynced_at.is_some_and(|at| now.since(at) < RESYNC_EVERY) {
            return;
        }
        self.resynced_at = Some(now);
        self.base = None;
        self.acks.handle_resync();
    }

    /// True if a snapshot for it is due at one of the ticks after `after`, up to `tick`.
    pub(super) fn is_its_turn(&self, after: Tick, tick: Tick, ticks_per_snapshot: u16) -> bool {
        let every = u64::from(ticks_per_snapshot);
        let turns_until = |tick: Tick| (u64::from(tick.0) + every - u64::from(self.turn)) / every;
        turns_until(tick) > turns_until(after)
    }

    /// True if silence would last too long.
    pub(super) fn heartbeat_is_due(&self, now: Micros) -> bool {
        now.since(self.sent_at) >= HEARTBEAT
    }
}

/// All viewers, by ascending id.
#[derive(Default)]
pub(super) struct Viewers {
    list: Vec<Viewer>,
    /// Their ids, apart: whom an input is from is looked up here, in a sixtieth of the memory.
    ids: Vec<ViewerId>,
    next: u32,
}

impl Viewers {
    pub(super) fn add(&mut self, viewer: impl FnOnce(ViewerId) -> Viewer) -> ViewerId {
        let id = ViewerId(self.next);
        self.next += 1;
        self.list.push(viewer(id));
        self.ids.push(id);
        id
    }

    /// The turn that whoever comes next should take.
    pub(super) fn next_turn(&self, ticks_per_snapshot: u16) -> u16 {
        let viewers = |turn: &u16| self.list.iter().filter(|viewer| viewer.turn == *turn).count();
        // Up to that number, turns are as good as empty ones: the first of them is filled first.
        (0..ticks_per_snapshot).min_by_key(|turn| viewers(turn).saturating_sub(TURN_VIEWERS - 1)).unwrap_or(0)
    }

    pub(super) fn remove(&mut self, id: ViewerId) -> Option<Viewer> {
        let at = self.place(id)?;
        self.ids.remove(at);
        Some(self.list.remove(at))
    }

    pub(super) fn get(&self, id: ViewerId) -> Option<&Viewer> {
        self.place(id).map(|at| &self.list[at])
    }

    pub(super) fn get_mut(&mut self, id: ViewerId) -> Option<&mut Viewer> {
        self.place(id).map(|at| &mut self.list[at])
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Viewer> {
        self.list.iter_mut()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn spectators(&self) -> usize {
        self.list.iter().filter(|viewer| viewer.seat.is_none()).count()
    }

    fn place(&self, id: ViewerId) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }
}
