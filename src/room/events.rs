//! The one-shot facts of about the last second, for viewers whose snapshots come later.

use std::collections::VecDeque;

use super::flaws::Flaws;
use crate::game::{Audience, Events, VisibleSet};
use crate::ids::{SeatId, Tick};
use crate::protocol::bits::{BitWriter, Span};
use crate::protocol::delta::{put_event, put_fields, put_no_event};
use crate::protocol::schema::{EventKind, Schema};
use crate::sim::timing::{EVENT_KEPT_MS, ticks_of};

/// How many facts wait at most: 68 a tick for a second at 60 Hz.
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
pub(super) struct EventRing {
    /// How long a fact waits for its viewers.
    kept_ticks: u32,
    ring: VecDeque<Fact>,
    /// The number of the ring's first fact.
    first: u64,
    /// The fields of the fact at hand.
    quantised: Vec<i32>,
    /// Facts as they are told at the newest tick: each made when the first viewer needs it.
    told: BitWriter,
    /// For each fact where its bits lie in `told`; an empty span: not made yet.
    spans: Vec<Span>,
}

struct Fact {
    tick: Tick,
    kind: u8,
    audience: Audience,
    /// Its fields.
    fields: BitWriter,
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
    /// Nothing has happened, in a room with that many ticks a second.
    pub(super) fn new(tick_rate: u16) -> Self {
        Self {
            kept_ticks: ticks_of(EVENT_KEPT_MS, tick_rate),
            ring: VecDeque::new(),
            first: 0,
            quantised: Vec::new(),
            told: BitWriter::default(),
            spans: Vec::new(),
        }
    }

    /// Takes the facts of one tick and forgets those that are too old. What fits no kind of the schema is left out.
    pub(super) fn push(&mut self, tick: Tick, events: &Events, schema: &Schema, flaws: &mut Flaws) {
        while self.ring.front().is_some_and(|fact| tick.since(fact.tick) > self.kept_ticks) {
            self.forget_first();
        }
        for (kind, audience, values) in events.iter() {
            let Some(EventKind { name, fields }) = schema.events.get(usize::from(kind.0)) else {
                flaws.note_unknown_kind(kind.0, schema.events.len());
                continue;
            };
            if values.len() != fields.len() {
                flaws.note_fields(kind.0, name, values.len(), fields.len());
                continue;
            }
            let mut bits = if self.ring.len() == KEPT_MAX { self.forget_first() } else { BitWriter::default() };
            bits.clear();
            self.quantised.clear();
            self.quantised.extend(fields.iter().zip(values).map(|(field, &value)| field.quantise(value)));
            put_fields(fields, tick.0, &self.quantised, &mut bits);
            self.ring.push_back(Fact { tick, kind: kind.0, audience, fields: bits });
        }
        self.told.clear();
        self.spans.clear();
        self.spans.resize(self.ring.len(), Span::default());
    }

    /// Where a viewer stands that has been told everything.
    pub(super) fn end(&self) -> EventCursor {
        EventCursor(self.first + self.ring.len() as u64)
    }

    /// Appends the events section of a snapshot of the newest tick, which is `now`, for a viewer that stands at `cursor`:
    /// those facts that it may be told.
    pub(super) fn put(&mut self, cursor: EventCursor, now: Tick, witness: &Witness<'_>, out: &mut BitWriter) -> Told {
        let mut lost = cursor.0 < self.first;
        let start = (cursor.0.saturating_sub(self.first) as usize).min(self.ring.len());
        let Self { ring, spans, told, .. } = self;
        let due = || (start..).zip(ring.range(start..)).filter(|(_, fact)| witness.sees(fact.audience));
        // False if there is no room for it.
        let mut put = |(at, fact): (usize, &Fact), out: &mut BitWriter| {
            let fits = out.bytes().len() < BODY_BYTES_MAX;
            if fits {
                if spans[at].is_empty() {
                    let begin = told.end();
                    put_event(fact.kind, now.since(fact.tick), told);
                    told.append(&fact.fields);
                    spans[at] = told.since(begin);
                }
                out.copy(told, spans[at]);
            }
            fits
        };
        let begin = out.end();
        // Each fact is looked at once, unless too many are due: then the newest are told.
        let mut count = 0;
        for fact in due() {
            count += 1;
            if count <= PER_SNAPSHOT_MAX {
                lost |= !put(fact, out);
            }
        }
        if count > PER_SNAPSHOT_MAX {
            lost = true;
            out.back_to(begin);
            due().skip(count - PER_SNAPSHOT_MAX).for_each(|fact| _ = put(fact, out));
        }
        put_no_event(out);
        Told { any: count > 0, lost }
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
