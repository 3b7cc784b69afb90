//! What each viewer is sent: rosters and snapshots, for those whose send window is open.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use super::events::{EventRing, Witness};
use super::roster::RosterBook;
use super::tables::{Table, Tables};
use super::viewers::Viewer;
use crate::game::{Viewpoint, VisibleSet};
use crate::ids::{EntityId, InputSeq, Micros, Tick, ViewerId};
use crate::protocol::codec::{self, varint};
use crate::protocol::message::{ServerMessage, SnapshotHeader, Tier, flags};
use crate::protocol::schema::Schema;

/// The way out of a room; the actor implements it.
pub trait Outbox {
    /// True if this viewer's session has handed everything that it accepted to its socket. While it has not, the room
    /// makes nothing for it.
    fn is_open(&mut self, viewer: ViewerId) -> bool;

    /// Hands one whole message to the viewer's session.
    fn send(&mut self, viewer: ViewerId, message: Bytes) -> SendOutcome;
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// The session has it and will deliver it or end.
    Accepted,
    /// It has no room for it: as if the snapshot had never been made.
    Full,
    /// The session is gone.
    Closed,
}

/// Names change in bursts when many join: this often at most, a viewer is told.
const ROSTER_EVERY: Micros = Micros::from_millis(200);
/// A viewer's bytes are slices of chunks of this size: a slice keeps its whole chunk in memory, and a reader that is
/// stuck must not keep a tick's.
const CHUNK_BYTES: usize = 16 * 1024;

/// What the snapshot of one tick says to everybody.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Micros,
    pub(super) tick: Tick,
    pub(super) lateness: Micros,
    pub(super) skipped: u32,
    /// Whether a viewer's turn for a digest depends on this and its id.
    pub(super) snapshot: u32,
    pub(super) snapshots_per_second: u32,
}

/// What a snapshot says of its seat's inputs.
#[derive(Clone, Copy, Default)]
pub(super) struct InputNews {
    pub(super) ack: InputSeq,
    pub(super) starved: bool,
    pub(super) margin: Option<i8>,
}

/// Buffers and shared parts of one round of snapshots.
#[derive(Default)]
pub(super) struct Outbound {
    visible: HashMap<Viewpoint, VisibleSet>,
    spare_sets: Vec<VisibleSet>,
    chunk: BytesMut,
    head: Vec<u8>,
    body: Vec<u8>,
    /// What the viewer at hand may see.
    new: VisibleSet,
    /// What it held before and still holds.
    kept: VisibleSet,
}

impl Outbound {
    /// A new tick: nothing is known of what anybody sees.
    pub(super) fn begin(&mut self) {
        self.spare_sets.extend(self.visible.drain().map(|(_, set)| set));
    }

    /// The roster message that is due to this viewer, if any: the version that it makes, and its bytes.
    pub(super) fn roster(&mut self, viewer: &Viewer, book: &RosterBook, now: Micros) -> Option<(u32, Bytes)> {
        let waits = viewer.roster_sent_at.is_some_and(|at| now.since(at) < ROSTER_EVERY);
        if viewer.roster == book.version() || waits {
            return None;
        }
        let roster = book.changes(viewer.roster);
        let version = roster.version;
        self.body.clear();
        Some((version, self.cut(&ServerMessage::Roster(roster))))
    }

    /// Finds what the viewer may see now, from its viewpoint; for [`Outbound::snapshot`].
    pub(super) fn look(
        &mut self,
        table: &Table,
        viewer: &Viewer,
        from: Viewpoint,
        visible: impl FnOnce(Viewpoint, &mut VisibleSet),
    ) {
        match viewer.seat {
            None => self.new.clone_from(table.public()),
            Some(_) => {
                let seen = self.visible.entry(from).or_insert_with(|| {
                    let mut set = self.spare_sets.pop().unwrap_or_default();
                    set.clear();
                    visible(from, &mut set);
                    set
                });
                self.new.clone_from(seen);
            }
        }
        table.admit(&mut self.new, viewer.seat);
    }

    /// The viewer's snapshot of what [`Outbound::look`] found; `None` if it would say nothing.
    pub(super) fn snapshot(
        &mut self,
        viewer: &mut Viewer,
        tables: &mut Tables,
        events: &EventRing,
        schema: &Schema,
        news: InputNews,
        moment: Moment,
    ) -> Option<Bytes> {
        let base = viewer.base.filter(|_| viewer.tier == Tier::Delta);
        let since = base.and_then(|base| tables.since(base, schema));
        let digest = viewer.tier == Tier::Delta
            && (moment.snapshot + viewer.id.0).is_multiple_of(moment.snapshots_per_second.max(1));
        let mut due = digest
            || viewer.heartbeat_is_due(moment.now)
            || news.ack != viewer.told_ack
            || news.starved != viewer.told_starved;

        self.body.clear();
        let base_ticks = match since {
            Some((newest, deltas)) => {
                intersect(&viewer.held, &self.new, deltas.kept(), &mut self.kept);
                due |= put_left(&viewer.held, &self.kept, &mut self.body);
                due |= put_changed_bits(&self.kept, deltas.changed(), &mut self.body);
                deltas.put(newest, both(&self.kept, deltas.changed()), &mut self.body);
                due |= put_entered(newest, &self.new, &self.kept, &mut self.body);
                moment.tick.since(base.unwrap_or_default())
            }
            None => {
                due = true;
                self.kept.clear();
                varint::put_u32(&mut self.body, 0);
                put_entered(tables.newest(), &self.new, &self.kept, &mut self.body);
                0
            }
        };
        let witness = Witness { seat: viewer.seat, old: &viewer.held, new: &self.new };
        let told = events.put(viewer.events, moment.tick, &witness, &mut self.body);
        viewer.events_lost |= told.lost;
        if !(due || told.any || viewer.events_lost) {
            return None;
        }
        if digest {
            self.body.extend_from_slice(&tables.newest().digest(&self.new).to_le_bytes());
        }
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let header = SnapshotHeader {
            tick: moment.tick.0.into(),
            base: base_ticks,
            ack: news.ack.0,
            margin: news.margin.unwrap_or(0),
            flags: flag(news.margin.is_none(), flags::NO_INPUT)
                | flag(news.starved, flags::STARVED)
                | flag(viewer.events_lost, flags::EVENTS_LOST)
                | flag(digest, flags::DIGEST),
            lateness: u16::try_from(moment.lateness.0 / 100).unwrap_or(u16::MAX),
            skipped: moment.skipped,
        };
        Some(self.cut(&ServerMessage::Snapshot(header)))
    }

    /// What the viewer holds once its session has accepted the snapshot, or there was nothing to say.
    pub(super) fn commit(&mut self, viewer: &mut Viewer, events: &EventRing, tick: Tick) {
        viewer.base = Some(tick);
        std::mem::swap(&mut viewer.held, &mut self.new);
        viewer.events = events.end();
    }

    /// One whole message: `message`, then the body.
    fn cut(&mut self, message: &ServerMessage) -> Bytes {
        self.head.clear();
        codec::encode_into(message, &mut self.head);
        let bytes = self.head.len() + self.body.len();
        if self.chunk.capacity() - self.chunk.len() < bytes {
            self.chunk = BytesMut::with_capacity(CHUNK_BYTES.max(bytes));
        }
        self.chunk.extend_from_slice(&self.head);
        self.chunk.extend_from_slice(&self.body);
        self.chunk.split().freeze()
    }
}

/// What is in all three.
fn intersect(a: &VisibleSet, b: &VisibleSet, c: &VisibleSet, out: &mut VisibleSet) {
    let words = out.words_mut();
    words.clear();
    words.extend(a.words().iter().zip(b.words()).zip(c.words()).map(|((a, b), c)| a & b & c));
}

/// The ids in both, ascending.
fn both<'a>(a: &'a VisibleSet, b: &'a VisibleSet) -> impl Iterator<Item = EntityId> + 'a {
    ids(a.words().iter().zip(b.words()).map(|(a, b)| a & b))
}

/// The ids in `a` but not in `b`, ascending.
fn without<'a>(a: &'a VisibleSet, b: &'a VisibleSet) -> impl Iterator<Item = EntityId> + 'a {
    ids(a.words().iter().enumerate().map(|(at, word)| word & !b.words().get(at).copied().unwrap_or(0)))
}

fn ids(words: impl Iterator<Item = u64>) -> impl Iterator<Item = EntityId> {
    words.enumerate().flat_map(|(at, word)| {
        std::iter::successors((word != 0).then_some(word), |rest| Some(rest & (rest - 1)).filter(|&rest| rest != 0))
            .filter_map(move |rest| EntityId::new((at * 64) as u32 + rest.trailing_zeros()))
    })
}

/// The `left` section; false if nothing left.
fn put_left(held: &VisibleSet, kept: &VisibleSet, out: &mut Vec<u8>) -> bool {
    let left = || without(held, kept);
    let count = left().count();
    varint::put_u32(out, count as u32);
    let mut previous = 0;
    for id in left() {
        varint::put_u32(out, id.get() - previous);
        previous = id.get();
    }
    count > 0
}

/// One bit per id kept, ascending: whether it changed; false if none did.
fn put_changed_bits(kept: &VisibleSet, changed: &VisibleSet, out: &mut Vec<u8>) -> bool {
    let (mut byte, mut bits, mut any) = (0_u8, 0, 0_u8);
    for (at, &word) in kept.words().iter().enumerate() {
        let changed = changed.words().get(at).copied().unwrap_or(0);
        let mut rest = word;
        while rest != 0 {
            byte |= ((changed >> rest.trailing_zeros() & 1) as u8) << bits;
            rest &= rest - 1;
            bits += 1;
            if bits == 8 {
                out.push(byte);
                any |= byte;
                (byte, bits) = (0, 0);
            }
        }
    }
    if bits > 0 {
        out.push(byte);
        any |= byte;
    }
    any != 0
}

/// The `entered` section; false if nothing entered.
fn put_entered(newest: &Table, new: &VisibleSet, kept: &VisibleSet, out: &mut Vec<u8>) -> bool {
    let entered = || without(new, kept);
    let count = entered().count();
    varint::put_u32(out, count as u32);
    let mut previous = 0;
    for id in entered() {
        varint::put_u32(out, id.get() - previous);
        previous = id.get();
        newest.put_full(id, out);
    }
    count > 0
}
