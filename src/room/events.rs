//! The one-shot facts of about the last second, for viewers whose snapshots come later.

use std::collections::VecDeque;

use crate::game::{Audience, Events, VisibleSet};
use crate::ids::{SeatId, Tick};
use crate::protocol::codec::varint;

/// How long a fact waits for its viewers: about a second at 60 Hz.
const KEPT_TICKS: u32 = 60;
/// How many facts wait at most: 68 a tick for a second.
const KEPT_MAX: usize = 4096;
/// How many facts one snapshot carries at most: what is more is lost to that viewer, and flagged.
const PER_SNAPSHOT_MAX: usize = 256;

/// The largest count that is one byte on the wire.
const ONE_BYTE_MAX: usize = 250;

/// A viewer's place in the ring: the number of the first fact that it has not been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EventCursor(u64);

/// Facts by number, the newest last.
#[derive(Default)]
pub(super) struct EventRing {
    ring: VecDeque<Fact>,
    /// The number of the ring's first fact.
    first: u64,
}

struct Fact {
    tick: Tick,
    kind: u8,
    audience: Audience,
    /// The fields' bytes.
    fields: Vec<u8>,
}

impl Fact {
    fn put(&self, now: Tick, out: &mut Vec<u8>) {
        out.push(self.kind);
        varint::put_u32(out, now.since(self.tick));
        out.extend_from_slice(&self.fields);
    }
}

/// What a viewer may be told of: its seat, and what it saw before and sees now.
pub(super) struct Witness<'a> {
    pub(super) seat: Option<SeatId>,
    pub(super) old: &'a VisibleSet,
    pub(super) new: &'a VisibleSet,
}

impl Witness<'_> {
    fn sees(&self, audience: Audience) -> bool {
        match audience {
            Audience::All => true,
            Audience::Seat(seat) => self.seat == Some(seat),
            Audience::Witnesses(id) => self.old.contains(id) || self.new.contains(id),
        }
    }
}

impl EventRing {
    /// Takes the facts of one tick and forgets those that are too old.
    pub(super) fn push(&mut self, tick: Tick, events: &Events) {
        while self.ring.front().is_some_and(|fact| tick.since(fact.tick) > KEPT_TICKS) {
            self.forget_first();
        }
        for (kind, audience, fields) in events.iter() {
            let mut bytes = if self.ring.len() == KEPT_MAX { self.forget_first() } else { Vec::new() };
            bytes.clear();
            for &value in fields {
                varint::put_i32(&mut bytes, value);
            }
            self.ring.push_back(Fact { tick, kind: kind.0, audience, fields: bytes });
        }
    }

    /// Where a viewer stands that has been told everything.
    pub(super) fn end(&self) -> EventCursor {
        EventCursor(self.first + self.ring.len() as u64)
    }

    /// Appends a snapshot's events section for a viewer that stands at `cursor`: those facts that it may be told.
    pub(super) fn put(&self, cursor: EventCursor, now: Tick, witness: &Witness<'_>, out: &mut Vec<u8>) -> Told {
        let mut lost = cursor.0 < self.first;
        let start = (cursor.0.saturating_sub(self.first) as usize).min(self.ring.len());
        let told = || self.ring.range(start..).filter(|fact| witness.sees(fact.audience));
        // Each fact is looked at once, its count written afterwards: that fits if it stays one byte.
        let count_at = out.len();
        out.push(0);
        let mut due = 0;
        for fact in told() {
            due += 1;
            if due <= ONE_BYTE_MAX {
                fact.put(now, out);
            }
        }
        if due <= ONE_BYTE_MAX {
            out[count_at] = due as u8;
            return Told { any: due > 0, lost };
        }
        out.truncate(count_at);
        lost |= due > PER_SNAPSHOT_MAX;
        let count = due.min(PER_SNAPSHOT_MAX);
        varint::put_u32(out, count as u32);
        told().skip(due - count).for_each(|fact| fact.put(now, out));
        Told { any: true, lost }
    }

    fn forget_first(&mut self) -> Vec<u8> {
        self.first += 1;
        self.ring.pop_front().map(|fact| fact.fields).unwrap_or_default()
    }
}

/// What a viewer's snapshot says of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// It carries some.
    pub(super) any: bool,
    /// Some were lost before they could be told.
    pub(super) lost: bool,
}
