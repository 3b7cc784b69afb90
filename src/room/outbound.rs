//! What each viewer is sent: rosters and snapshots, for those whose send window is open.

use std::collections::HashMap;

use super::events::{EventRing, Witness};
use super::roster::RosterBook;
use super::tables::{Table, Tables};
use super::viewers::Viewer;
use crate::game::{Viewpoint, VisibleSet};
use crate::ids::{EntityId, InputSeq, Micros, Tick, ViewerId};
use crate::protocol::bits::BitWriter;
use crate::protocol::codec;
use crate::protocol::delta::Ids;
use crate::protocol::message::{ServerMessage, SnapshotHeader, Tier, flags};
use crate::protocol::schema::Schema;

/// The way out of a room; the actor implements it.
pub trait Outbox {
    /// True if this viewer's session has handed everything that it accepted to its socket. While it has not, the room
    /// makes nothing for it.
    fn is_open(&mut self, viewer: ViewerId) -> bool;

    /// Hands one whole message to the viewer's session.
    fn send(&mut self, viewer: ViewerId, message: &[u8]) -> SendOutcome;
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

/// Rows that a view holds at most: what a seat may see beyond that is as if it lay out of sight.
const VIEW_ROWS_MAX: usize = 3072;
/// Once a snapshot's body has so many bytes, nothing more enters with it; what waits enters with the next ones. It keeps
/// a snapshot below the protocol's longest message, events included.
const STATE_BYTES_MAX: usize = 32 * 1024;

/// What the snapshot of one tick says to everybody.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Micros,
    pub(super) tick: Tick,
    pub(super) lateness: Micros,
    pub(super) skipped: u32,
    /// Whether a viewer's turn for a digest depends on this and its id.
    pub(super) period: u32,
    pub(super) periods_per_second: u32,
}

/// What a snapshot says of its seat's inputs.
#[derive(Clone, Copy, Default)]
pub(super) struct InputNews {
    pub(super) ack: InputSeq,
    pub(super) starved: bool,
    pub(super) margin: Option<i8>,
}

/// What snapshots say of the state, before events: the same for all viewers that hold and see the same.
#[derive(Default)]
struct Shared {
    base: Option<Tick>,
    held: VisibleSet,
    new: VisibleSet,
    /// What of `new` the snapshot holds.
    sent: VisibleSet,
    bits: BitWriter,
    /// It is relative to `base`; else to nothing.
    relative: bool,
    /// Something left, changed or entered.
    news: bool,
}

/// Buffers and shared parts of one round of snapshots.
#[derive(Default)]
pub(super) struct Outbound {
    visible: HashMap<Viewpoint, VisibleSet>,
    spare_sets: Vec<VisibleSet>,
    body: BitWriter,
    /// The message at hand, whole.
    message: Vec<u8>,
    /// The state sections that were made last of those that others may share.
    shared: Shared,
    /// They are of this round.
    shared_is_new: bool,
    /// What the viewer at hand may see.
    new: VisibleSet,
    /// What it held before and still holds.
    kept: VisibleSet,
}

impl Outbound {
    /// A new tick: nothing is known of what anybody sees.
    pub(super) fn begin(&mut self) {
        self.spare_sets.extend(self.visible.drain().map(|(_, set)| set));
        self.shared_is_new = false;
    }

    /// The roster message that is due to this viewer, if any: the version that it makes, and its bytes.
    pub(super) fn roster(&mut self, viewer: &Viewer, book: &RosterBook, now: Micros) -> Option<(u32, &[u8])> {
        let waits = viewer.roster_sent_at.is_some_and(|at| now.since(at) < ROSTER_EVERY);
        if viewer.roster == book.version() || waits {
            return None;
        }
        let roster = book.changes(viewer.roster);
        let version = roster.version;
        self.body.clear();
        Some((version, self.whole(&ServerMessage::Roster(roster))))
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
    ) -> Option<&[u8]> {
        let base = viewer.base.filter(|_| viewer.tier == Tier::Delta);
        let digest = viewer.tier == Tier::Delta
            && (moment.period.wrapping_add(viewer.id.0)).is_multiple_of(moment.periods_per_second.max(1));
        self.body.clear();
        let (relative, news_of_state) = self.put_state(viewer, base, tables, schema);
        let due = news_of_state
            || digest
            || viewer.heartbeat_is_due(moment.now)
            || news.ack != viewer.told_ack
            || news.starved != viewer.told_starved;
        let witness = Witness { seat: viewer.seat, old: &viewer.held, new: &self.new };
        let told = events.put(viewer.events, moment.tick, &witness, &mut self.body);
        viewer.events_lost |= told.lost;
        if !(due || told.any || viewer.events_lost) {
            return None;
        }
        if digest {
            self.body.fixed_u32(tables.newest_mut().digest(&self.new));
        }
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let header = SnapshotHeader {
            tick: moment.tick.0.into(),
            base: base.filter(|_| relative).map_or(0, |base| moment.tick.since(base)),
            ack: news.ack.0,
            margin: news.margin.unwrap_or(0),
            flags: flag(news.margin.is_none(), flags::NO_INPUT)
                | flag(news.starved, flags::STARVED)
                | flag(viewer.events_lost, flags::EVENTS_LOST)
                | flag(digest, flags::DIGEST),
            lateness: u16::try_from(moment.lateness.0 / 100).unwrap_or(u16::MAX),
            skipped: moment.skipped,
        };
        Some(self.whole(&ServerMessage::Snapshot(header)))
    }

    /// Appends the sections left, changed and entered. Returns whether they are relative to `base`, else to nothing, and
    /// whether they say anything.
    fn put_state(&mut self, viewer: &Viewer, base: Option<Tick>, tables: &mut Tables, schema: &Schema) -> (bool, bool) {
        // Whoever has rows of its own shares with nobody: not worth comparing, nor keeping.
        let may_share = viewer.seat.is_none_or(|seat| !tables.newest().has_private_rows(seat));
        let shared = &self.shared;
        if may_share
            && self.shared_is_new
            && shared.base == base
            && shared.new == self.new
            && (!shared.relative || shared.held == viewer.held)
        {
            self.body.append(&shared.bits);
            self.new.clone_from(&shared.sent);
            return (shared.relative, shared.news);
        }
        let begin = self.body.end();
        let (mut relative, mut news) = (false, true);
        if let Some(deltas) = base.and_then(|base| tables.since(base, schema)) {
            intersect(&viewer.held, &self.new, deltas.kept(), &mut self.kept);
            let left = put_left(&viewer.held, &self.kept, &mut self.body);
            let changed = deltas.put(&self.kept, &mut self.body);
            (relative, news) = (true, left | changed);
        }
        // Changes that no message holds: the view begins anew, as far as there is room.
        relative &= self.body.bytes().len() <= STATE_BYTES_MAX;
        if !relative {
            self.body.back_to(begin);
            self.kept.clear();
            Ids::default().end(&mut self.body);
            news = true;
        }
        if may_share {
            self.shared.new.clone_from(&self.new);
        }
        news |= put_entered(tables.newest_mut(), schema, &mut self.new, &self.kept, &mut self.body);
        if may_share {
            let shared = &mut self.shared;
            shared.base = base;
            shared.held.clone_from(&viewer.held);
            shared.sent.clone_from(&self.new);
            shared.bits.clear();
            shared.bits.append(&self.body);
            (shared.relative, shared.news) = (relative, news);
            self.shared_is_new = true;
        }
        (relative, news)
    }

    /// What the viewer holds once its session has accepted the snapshot, or there was nothing to say.
    pub(super) fn commit(&mut self, viewer: &mut Viewer, events: &EventRing, tick: Tick) {
        viewer.base = Some(tick);
        std::mem::swap(&mut viewer.held, &mut self.new);
        viewer.events = events.end();
    }

    /// One whole message: `head`, then the body.
    fn whole(&mut self, head: &ServerMessage) -> &[u8] {
        self.message.clear();
        codec::encode_into(head, &mut self.message);
        self.message.extend_from_slice(self.body.bytes());
        &self.message
    }
}

/// What is in all three.
fn intersect(a: &VisibleSet, b: &VisibleSet, c: &VisibleSet, out: &mut VisibleSet) {
    let words = out.words_mut();
    words.clear();
    words.extend(a.words().iter().zip(b.words()).zip(c.words()).map(|((a, b), c)| a & b & c));
}

/// Does something for each id that is in `a` but not in `b`, by ascending id.
fn for_each_without(a: &VisibleSet, b: &VisibleSet, mut each: impl FnMut(EntityId)) {
    for (at, word) in a.words().iter().enumerate() {
        let mut rest = word & !b.words().get(at).copied().unwrap_or(0);
        while rest != 0 {
            each(EntityId::new((at * 64) as u32 + rest.trailing_zeros()).expect("only ids are in a set"));
            rest &= rest - 1;
        }
    }
}

/// The `left` section; false if nothing left.
fn put_left(held: &VisibleSet, kept: &VisibleSet, out: &mut BitWriter) -> bool {
    let mut ids = Ids::default();
    for_each_without(held, kept, |id| ids.put(id.get(), out));
    ids.end(out)
}

/// The `entered` section; false if nothing entered. Takes out of `new` what has to wait.
fn put_entered(
    newest: &mut Table,
    schema: &Schema,
    new: &mut VisibleSet,
    kept: &VisibleSet,
    out: &mut BitWriter,
) -> bool {
    let mut places = VIEW_ROWS_MAX.saturating_sub(kept.len());
    let mut waiting = Vec::new();
    let mut ids = Ids::default();
    for_each_without(new, kept, |id| {
        if places == 0 || out.bytes().len() > STATE_BYTES_MAX {
            waiting.push(id);
            return;
        }
        ids.put(id.get(), out);
        newest.put_full(id, schema, out);
        places -= 1;
    });
    for id in waiting {
        new.remove(id);
    }
    ids.end(out)
}
