//! The last few row tables of a room, and what each entity's bytes are relative to each of them: made at most once per
//! room and snapshot, whatever the number of viewers.

use std::collections::VecDeque;

use crate::game::{Rows, VisibleSet};
use crate::ids::{EntityId, SeatId, Tick};
use crate::protocol::delta::{put_delta, put_full, row_hash};
use crate::protocol::schema::Schema;

/// Tables kept: a client that misses more snapshots in a row than this gets one with base 0. A second at 30 Hz, or half of
/// it where viewers take turns and there is a table for every tick. A slow reader gets two to five snapshots a second, and
/// whole ones would be twice the bytes and make it slower still.
pub(super) const TABLES_MAX: usize = 32;

/// Row tables by tick, the newest last.
#[derive(Default)]
pub(super) struct Tables {
    ring: VecDeque<Table>,
    /// One per older table, in the ring's order: what changed since then. Made when a viewer first needs it.
    deltas: Vec<Deltas>,
}

/// Every entity at one snapshot tick, quantised.
#[derive(Default)]
pub(super) struct Table {
    pub(super) tick: Tick,
    rows: Rows,
    /// The ids of all rows.
    present: VisibleSet,
    /// The ids of rows without an owner.
    public: VisibleSet,
    /// Rows that one seat alone may see, by ascending seat.
    private: Vec<(SeatId, EntityId)>,
    /// For each id its place in `rows` plus one, or 0.
    places: Vec<u32>,
    /// Whole rows, as [`put_full`] writes them: each made when the first viewer needs it.
    full: Vec<u8>,
    /// For each row where its bytes lie in `full`; an empty span: not made yet.
    full_spans: Vec<Span>,
    /// For each row its part of a digest; empty until the first viewer needs one.
    hashes: Vec<u32>,
}

/// What turns an older table into the newest.
#[derive(Default)]
pub(super) struct Deltas {
    made: bool,
    /// The ids that were there in every table from the older one to the newest: the same entities in both.
    kept: VisibleSet,
    /// Those of them whose rows differ.
    changed: VisibleSet,
    /// Their bytes, as [`put_delta`] writes them, and [`SPLICE_BYTES`] more, so that every copy may be of that width.
    bytes: Vec<u8>,
    /// By id: where the bytes lie; of length 0 for an id that did not change.
    spans: Vec<Span>,
}

/// A part of a buffer.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..][..self.len as usize]
    }
}

/// Deltas are copied in this width, whatever their own: most have fewer bytes, and what is copied beyond is overwritten
/// by the next. A copy of a known width is two instructions, one of an unknown width a call.
const SPLICE_BYTES: usize = 16;

impl Tables {
    /// Takes the rows that the game gives for `tick`, as the newest table.
    ///
    /// # Panics
    /// If the rows do not fit the schema: the game's mistake.
    pub(super) fn push(&mut self, tick: Tick, schema: &Schema, fill: impl FnOnce(&mut Rows)) {
        let mut table = if self.ring.len() == TABLES_MAX { self.ring.pop_front() } else { None }.unwrap_or_default();
        table.refill(tick, schema, fill);
        self.ring.push_back(table);
        self.deltas.resize_with(TABLES_MAX, Deltas::default);
        for deltas in &mut self.deltas {
            deltas.made = false;
        }
    }

    /// The newest table.
    ///
    /// # Panics
    /// If there is none yet.
    pub(super) fn newest(&self) -> &Table {
        self.ring.back().expect("a table was pushed")
    }

    /// The newest table, to make parts of it that nobody has needed yet.
    ///
    /// # Panics
    /// If there is none yet.
    pub(super) fn newest_mut(&mut self) -> &mut Table {
        self.ring.back_mut().expect("a table was pushed")
    }

    /// What turned the table at `base` into the newest; `None` if that one is gone.
    pub(super) fn since(&mut self, base: Tick, schema: &Schema) -> Option<&Deltas> {
        let at = self.ring.iter().position(|table| table.tick == base)?;
        let deltas = &mut self.deltas[at];
        if !deltas.made {
            deltas.make(&self.ring, at, schema);
        }
        Some(deltas)
    }
}

impl Table {
    fn refill(&mut self, tick: Tick, schema: &Schema, fill: impl FnOnce(&mut Rows)) {
        self.tick = tick;
        self.rows.clear();
        fill(&mut self.rows);
        self.present.clear();
        self.public.clear();
        self.private.clear();
        self.places.clear();
        self.full.clear();
        self.full_spans.clear();
        self.full_spans.resize(self.rows.len(), Span::default());
        self.hashes.clear();
        for at in 0..self.rows.len() {
            let row = self.rows.at(at);
            let (id, owner, number) = (row.id, row.owner, row.kind.0);
            let kind = schema.kinds.get(usize::from(number));
            let kind = kind.unwrap_or_else(|| panic!("entity {} is of kind {number}, which has no schema", id.get()));
            assert_eq!(row.fields.len(), kind.fields.len(), "fields of a {} row", kind.name);
            assert_eq!(owner.is_some(), kind.private, "whether a {} row has an owner", kind.name);
            for (value, field) in self.rows.fields_mut(at).iter_mut().zip(&kind.fields) {
                *value = field.quantise(*value);
            }
            self.present.insert(id);
            match owner {
                Some(seat) => self.private.push((seat, id)),
                None => self.public.insert(id),
            }
            self.places.resize(id.index(), 0);
            self.places.push(at as u32 + 1);
        }
        self.private.sort_unstable();
    }

    /// Takes out of `visible` what is not a public row, and puts in the seat's own: what a seat may see.
    pub(super) fn admit(&self, visible: &mut VisibleSet, seat: Option<SeatId>) {
        let words = visible.words_mut();
        words.truncate(self.public.words().len());
        for (word, public) in words.iter_mut().zip(self.public.words()) {
            *word &= public;
        }
        if let Some(seat) = seat {
            let start = self.private.partition_point(|&(owner, _)| owner < seat);
            for &(_, id) in self.private[start..].iter().take_while(|&&(owner, _)| owner == seat) {
                visible.insert(id);
            }
        }
    }

    /// The ids of all public rows.
    pub(super) fn public(&self) -> &VisibleSet {
        &self.public
    }

    /// True if there are rows that this seat alone may see.
    pub(super) fn has_private_rows(&self, seat: SeatId) -> bool {
        self.private.binary_search_by_key(&seat, |&(owner, _)| owner).is_ok()
    }

    /// The digest of a view that holds `ids`.
    pub(super) fn digest(&mut self, ids: &VisibleSet) -> u32 {
        if self.hashes.is_empty() {
            self.hashes.extend(self.rows.iter().map(|row| row_hash(row.id.get(), row.kind.0, row.fields)));
        }
        ids.iter().fold(0, |sum, id| sum.wrapping_add(self.hashes[self.place(id)]))
    }

    /// Appends a row's kind and fields.
    pub(super) fn put_full(&mut self, id: EntityId, out: &mut Vec<u8>) {
        let at = self.place(id);
        if self.full_spans[at].len == 0 {
            let start = self.full.len();
            let row = self.rows.at(at);
            put_full(row.kind.0, row.fields, &mut self.full);
            self.full_spans[at] = Span { start: start as u32, len: (self.full.len() - start) as u32 };
        }
        out.extend_from_slice(self.full_spans[at].of(&self.full));
    }

    fn place(&self, id: EntityId) -> usize {
        self.places[id.index()] as usize - 1
    }
}

impl Deltas {
    fn make(&mut self, ring: &VecDeque<Table>, base: usize, schema: &Schema) {
        self.made = true;
        self.changed.clear();
        self.bytes.clear();
        self.kept.clone_from(&ring[base].present);
        for table in ring.range(base + 1..) {
            let words = self.kept.words_mut();
            words.truncate(table.present.words().len());
            for (word, present) in words.iter_mut().zip(table.present.words()) {
                *word &= present;
            }
        }
        let (old, new) = (&ring[base], &ring[ring.len() - 1]);
        self.spans.clear();
        self.spans.resize(new.places.len(), Span::default());
        // As many words as any set of ids that are kept may have.
        self.changed.words_mut().resize(new.places.len().div_ceil(64), 0);
        for row in new.rows.iter() {
            if self.kept.contains(row.id) {
                let before = old.rows.at(old.place(row.id));
                assert_eq!(before.kind, row.kind, "the kind of entity {} within one life", row.id.get());
                let kind = &schema.kinds[usize::from(row.kind.0)];
                let start = self.bytes.len();
                if put_delta(kind, before.fields, row.fields, &mut self.bytes) {
                    self.changed.insert(row.id);
                    self.spans[row.id.index()] = Span { start: start as u32, len: (self.bytes.len() - start) as u32 };
                }
            }
        }
        self.bytes.resize(self.bytes.len() + SPLICE_BYTES, 0);
    }

    /// The ids that were there all the time.
    pub(super) fn kept(&self) -> &VisibleSet {
        &self.kept
    }

    /// Appends the `changed` section for a viewer that keeps these ids: a bit for each, then the bytes of those that
    /// changed, by ascending id. False if none did. `scratch` is only ever grown.
    ///
    /// One look at each id, and no branch on whether it changed, which nobody could foretell: an id that did not has a
    /// span of length 0.
    pub(super) fn put(&self, kept: &VisibleSet, scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
        if scratch.len() < self.bytes.len() + SPLICE_BYTES {
            scratch.resize(self.bytes.len() + SPLICE_BYTES, 0);
        }
        let (mut bits, mut filled, mut end) = (0_u64, 0_u32, 0);
        for (at, (&kept, &changed)) in kept.words().iter().zip(self.changed.words()).enumerate() {
            let mut rest = kept;
            while rest != 0 {
                let place = rest.trailing_zeros();
                rest &= rest - 1;
                bits |= (changed >> place & 1) << filled;
                filled += 1;
                if filled == 64 {
                    out.extend_from_slice(&bits.to_le_bytes());
                    (bits, filled) = (0, 0);
                }
                let span = self.spans[at * 64 + place as usize];
                let (start, len) = (span.start as usize, span.len as usize);
                scratch[end..end + SPLICE_BYTES].copy_from_slice(&self.bytes[start..start + SPLICE_BYTES]);
                if len > SPLICE_BYTES {
                    scratch[end..end + len].copy_from_slice(span.of(&self.bytes));
                }
                end += len;
            }
        }
        out.extend_from_slice(&bits.to_le_bytes()[..filled.div_ceil(8) as usize]);
        out.extend_from_slice(&scratch[..end]);
        end > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_spliced_in_the_order_of_ids_whatever_is_kept() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        let mut scratch = Vec::new();
        for round in 0..500 {
            let mut deltas = Deltas::default();
            let mut kept = VisibleSet::default();
            let (mut bits, mut count, mut bytes) = (Vec::new(), 0, Vec::new());
            for id in 1..500 {
                let id = EntityId::new(id).expect("a small id");
                let changed = random() % 3 == 0;
                let start = deltas.bytes.len();
                deltas.changed.words_mut().resize(500_usize.div_ceil(64), 0);
                deltas.spans.resize(id.index() + 1, Span::default());
                if changed {
                    deltas.changed.insert(id);
                    // Some are longer than the width of a copy.
                    let len = 1 + random() as usize % 40;
                    deltas.bytes.extend((0..len).map(|_| random() as u8));
                    deltas.spans[id.index()] = Span { start: start as u32, len: len as u32 };
                }
                if random() % 8 < round % 9 {
                    kept.insert(id);
                    if count % 8 == 0 {
                        bits.push(0);
                    }
                    *bits.last_mut().expect("one was pushed") |= u8::from(changed) << (count % 8);
                    count += 1;
                    bytes.extend_from_slice(&deltas.bytes[start..]);
                }
            }
            deltas.bytes.resize(deltas.bytes.len() + SPLICE_BYTES, 0);
            let mut out = Vec::new();
            assert_eq!(deltas.put(&kept, &mut scratch, &mut out), !bytes.is_empty());
            bits.extend_from_slice(&bytes);
            assert_eq!(out, bits, "round {round}");
        }
    }
}
