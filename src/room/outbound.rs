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
pub(super) const VIEW_ROWS_MAX: usize = 3072;
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
    /// What of `new` the snapshot holds, and how many rows that are.
    sent: VisibleSet,
    rows: usize,
    bits: BitWriter,
    /// It is relative to `base`; else to nothing.
    relative: bool,
    /// Something left, changed or entered.
    news: bool,
}

/// Buffers and shared parts of one round of snapshots.
#[derive(Default)]
pub(super) struct Outbound {
    /// Where among `visible` the set of what is seen from there stands.
    looks: HashMap<Viewpoint, usize>,
    /// Public ids; beyond those of this round, spare ones.
    visible: Vec<VisibleSet>,
    body: BitWriter,
    /// The message at hand, whole.
    message: Vec<u8>,
    /// The state sections that were made last of those that others may share.
    shared: Shared,
    /// They are of this round.
    shared_is_new: bool,
    /// What the viewer at hand may see.
    new: VisibleSet,
    /// Some of that is its own.
    sees_private: bool,
    /// What it held before and still holds.
    kept: VisibleSet,
    /// How many rows it holds with this snapshot.
    rows: usize,
    /// How many rows somebody would see, if that is more than a view holds.
    crowd: Option<usize>,
}

impl Outbound {
    /// How many rows somebody would have seen since this was asked, if there were places for them.
    pub(super) fn take_crowd(&mut self) -> Option<usize> {
        self.crowd.take()
    }

    /// A new tick: nothing is known of what anybody sees.
    pub(super) fn begin(&mut self) {
        self.looks.clear();
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
        self.sees_private = false;
        let Some(seat) = viewer.seat else { return self.new.clone_from(table.public()) };
        let next = self.looks.len();
        let at = *self.looks.entry(from).or_insert(next);
        if at == next {
            if at == self.visible.len() {
                self.visible.push(VisibleSet::default());
            }
            let set = &mut self.visible[at];
            set.clear();
            visible(from, set);
            // Whatever the game says: one seat's rows are nobody else's.
            retain(set, table.public());
        }
        self.new.clone_from(&self.visible[at]);
        for id in table.private(seat) {
            self.new.insert(id);
            self.sees_private = true;
        }
    }

    /// The viewer's snapshot of what [`Outbound::look`] found; `None` if it would say nothing.
    pub(super) fn snapshot(
        &mut self,
        viewer: &mut Viewer,
        tables: &mut Tables,
        events: &mut EventRing,
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
        let may_share = !self.sees_private;
        let shared = &self.shared;
        if may_share
            && self.shared_is_new
            && shared.base == base
            && shared.new == self.new
            && (!shared.relative || shared.held == viewer.held)
        {
            self.body.append(&shared.bits);
            self.new.clone_from(&shared.sent);
            self.rows = shared.rows;
            return (shared.relative, shared.news);
        }
        let begin = self.body.end();
        let (mut relative, mut news) = (false, true);
        if let Some(deltas) = base.and_then(|base| tables.since(base, schema)) {
            intersect(&viewer.held, &self.new, deltas.kept(), &mut self.kept);
            let left = put_left(&viewer.held, &self.kept, &mut self.body);
            let changed = deltas.put(&self.kept, &mut self.body);
            (relative, news) = (true, left > 0 || changed);
            self.rows = viewer.rows - left;
        }
        // Changes that no message holds: the view begins anew, as far as there is room.
        relative &= self.body.bytes().len() <= STATE_BYTES_MAX;
        if !relative {
            self.body.back_to(begin);
            self.kept.clear();
            self.rows = 0;
            Ids::default().end(&mut self.body);
            news = true;
        }
        if may_share {
            self.shared.new.clone_from(&self.new);
        }
        let places = VIEW_ROWS_MAX.saturating_sub(self.rows);
        let (entered, waiting) =
            put_entered(tables.newest_mut(), schema, &mut self.new, &self.kept, places, &mut self.body);
        news |= entered > 0;
        self.rows += entered;
        if waiting > 0 && entered == places {
            self.crowd = Some(VIEW_ROWS_MAX + waiting);
        }
        if may_share {
            let shared = &mut self.shared;
            shared.base = base;
            shared.held.clone_from(&viewer.held);
            shared.sent.clone_from(&self.new);
            shared.rows = self.rows;
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
        viewer.rows = self.rows;
        debug_assert_eq!(viewer.rows, viewer.held.len());
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

/// Takes out of `set` what is not in `of`.
fn retain(set: &mut VisibleSet, of: &VisibleSet) {
    let words = set.words_mut();
    words.truncate(of.words().len());
    words.iter_mut().zip(of.words()).for_each(|(word, of)| *word &= of);
}

/// What is in all three.
fn intersect(a: &VisibleSet, b: &VisibleSet, c: &VisibleSet, out: &mut VisibleSet) {
    let words = out.words_mut();
    words.clear();
    words.extend(a.words().iter().zip(b.words()).zip(c.words()).map(|((a, b), c)| a & b & c));
}

/// Does something for each id that is in `a` but not in `b`, by ascending id.
fn for_each_without(a: &VisibleSet, b: &VisibleSet, mut each: impl FnMut(EntityId)) {
    // Nearly all ids are in both, so words are looked at four at a time first.
    const STRIDE: usize = 4;
    let (common, beyond) = a.words().split_at(a.words().len().min(b.words().len()));
    let mut take = |at: usize, mut rest: u64| {
        while rest != 0 {
            each(EntityId::new((at * 64) as u32 + rest.trailing_zeros()).expect("only ids are in a set"));
            rest &= rest - 1;
        }
    };
    for (stride, (a, b)) in common.chunks(STRIDE).zip(b.words().chunks(STRIDE)).enumerate() {
        let words = || a.iter().zip(b).map(|(a, b)| a & !b);
        if words().fold(0, |any, word| any | word) != 0 {
            words().enumerate().for_each(|(at, word)| take(stride * STRIDE + at, word));
        }
    }
    beyond.iter().enumerate().for_each(|(at, &word)| take(common.len() + at, word));
}

/// The `left` section: how many left.
fn put_left(held: &VisibleSet, kept: &VisibleSet, out: &mut BitWriter) -> usize {
    let (mut ids, mut left) = (Ids::default(), 0);
    for_each_without(held, kept, |id| {
        ids.put(id.get(), out);
        left += 1;
    });
    ids.end(out);
    left
}

/// The `entered` section: how many entered, `places` at most, and how many have to wait, which it takes out of `new`.
fn put_entered(
    newest: &mut Table,
    schema: &Schema,
    new: &mut VisibleSet,
    kept: &VisibleSet,
    places: usize,
    out: &mut BitWriter,
) -> (usize, usize) {
    let (mut ids, mut entered) = (Ids::default(), 0);
    let mut waiting = Vec::new();
    for_each_without(new, kept, |id| {
        if entered == places || out.bytes().len() > STATE_BYTES_MAX {
            waiting.push(id);
            return;
        }
        ids.put(id.get(), out);
        newest.put_full(id, schema, out);
        entered += 1;
    });
    for id in &waiting {
        new.remove(*id);
    }
    ids.end(out);
    (entered, waiting.len())
}
