//! The one-shot facts of about the last second, for viewers whose snapshots come later.

use std::collections::VecDeque;

use crate::game::{Audience, Events, VisibleSet};
use crate::ids::{SeatId, Tick};
use crate::protocol::bits::BitWriter;
use crate::protocol::delta::{put_event, put_fields, put_no_event};
use crate::protocol::schema::Schema;

/// How long a fact waits for its viewers: about a second at 60 Hz.
const KEPT_TICKS: u32 = 60;
/// How many facts wait at most: 68 a tick for a second.
const KEPT_MAX: usize = 4096;
/// How many facts one snapshot carries at most: what is more is lost to that viewer, and flagged.
const PER_SNAPSHOT_MAX: usize = 256;
/// Once a snapshot's body has so many bytes, what more is due is lost likewise: with the longest fact it still is a
/// message.
const BODY_BYTES_MAX: usize = 60 * 1024;

/// A viewer's place in the ring: the number of the first fact that it has not been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EventCursor(u64);

/// Facts by number, the newest last.
#[derive(Default)]
pub(super) struct EventRing {
    ring: VecDeque<Fact>,
    /// The number of the ring's first fact.
    first: u64,
    /// The fields of the fact at hand.
    quantised: Vec<i32>,
}

struct Fact {
    tick: Tick,
    kind: u8,
    audience: Audience,
    /// Its fields, made once for all viewers.
    fields: BitWriter,
}

impl Fact {
    /// False if there was no room for it.
    fn put(&self, now: Tick, out: &mut BitWriter) -> bool {
        let fits = out.bytes().len() < BODY_BYTES_MAX;
        if fits {
            put_event(self.kind, now.since(self.tick), out);
            out.append(&self.fields);
        }
        fits
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
    pub(super) fn push(&mut self, tick: Tick, events: &Events, schema: &Schema) {
        while self.ring.front().is_some_and(|fact| tick.since(fact.tick) > KEPT_TICKS) {
            self.forget_first();
        }
        for (kind, audience, values) in events.iter() {
            let mut bits = if self.ring.len() == KEPT_MAX { self.forget_first() } else { BitWriter::default() };
            bits.clear();
            let fields = &schema.events[usize::from(kind.0)].fields;
            assert_eq!(values.len(), fields.len(), "fields of event {}", kind.0);
            self.quantised.clear();
            self.quantised.extend(fields.iter().zip(values).map(|(field, &value)| field.quantise(value)));
            put_fields(fields, tick.0, &self.quantised, &mut bits);
            self.ring.push_back(Fact { tick, kind: kind.0, audience, fields: bits });
        }
    }

    /// Where a viewer stands that has been told everything.
    pub(super) fn end(&self) -> EventCursor {
        EventCursor(self.first + self.ring.len() as u64)
    }

    /// Appends a snapshot's events section for a viewer that stands at `cursor`: those facts that it may be told.
    pub(super) fn put(&self, cursor: EventCursor, now: Tick, witness: &Witness<'_>, out: &mut BitWriter) -> Told {
        let mut lost = cursor.0 < self.first;
        let start = (cursor.0.saturating_sub(self.first) as usize).min(self.ring.len());
        let told = || self.ring.range(start..).filter(|fact| witness.sees(fact.audience));
        let begin = out.end();
        // Each fact is looked at once, unless too many are due: then the newest are told.
        let mut due = 0;
        for fact in told() {
            due += 1;
            if due <= PER_SNAPSHOT_MAX {
                lost |= !fact.put(now, out);
            }
        }
        if due > PER_SNAPSHOT_MAX {
            lost = true;
            out.back_to(begin);
            told().skip(due - PER_SNAPSHOT_MAX).for_each(|fact| _ = fact.put(now, out));
        }
        put_no_event(out);
        Told { any: due > 0, lost }
    }

    fn forget_first(&mut self) -> BitWriter {
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
