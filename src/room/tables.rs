//! The last few row tables of a room, and what each entity's bytes are relative to each of them: made at most once per
//! room and snapshot, whatever the number of viewers.

use std::collections::VecDeque;

use crate::game::{Rows, VisibleSet};
use crate::ids::{EntityId, SeatId, Tick};
use crate::protocol::delta::{put_delta, put_full, row_hash};
use crate::protocol::schema::Schema;

/// Tables kept: a client that misses more snapshots in a row than this gets one with base 0. A quarter of a second at
/// 30 Hz.
pub(super) const TABLES_MAX: usize = 8;

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
    /// Whole rows, as [`put_full`] writes them, in the order of `rows`; made with the table, since somebody enters most
    /// of the time.
    full: Spans,
}

/// What turns an older table into the newest.
#[derive(Default)]
pub(super) struct Deltas {
    made: bool,
    /// The ids that were there in every table from the older one to the newest: the same entities in both.
    kept: VisibleSet,
    /// Those of them whose rows differ.
    changed: VisibleSet,
    /// Their bytes, as [`put_delta`] writes them, in the order of the newest table's rows.
    bytes: Spans,
}

/// Byte strings, one per row of a table, in one buffer.
#[derive(Default)]
struct Spans {
    bytes: Vec<u8>,
    /// Where each ends; it starts where the one before it ends.
    ends: Vec<u32>,
}

impl Spans {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Ends the current one.
    fn end(&mut self) {
        self.ends.push(self.bytes.len() as u32);
    }

    fn range(&self, at: usize) -> (usize, usize) {
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        (start, self.ends[at] as usize)
    }
}

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

    /// The newest table and what turned the one at `base` into it; `None` if that one is gone.
    pub(super) fn since(&mut self, base: Tick, schema: &Schema) -> Option<(&Table, &Deltas)> {
        let at = self.ring.iter().position(|table| table.tick == base)?;
        let newest = self.ring.back()?;
        let deltas = &mut self.deltas[at];
        if !deltas.made {
            deltas.make(&self.ring, at, schema);
        }
        Some((newest, deltas))
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
            put_full(number, self.rows.at(at).fields, &mut self.full.bytes);
            self.full.end();
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

    /// The digest of a view that holds `ids`.
    pub(super) fn digest(&self, ids: &VisibleSet) -> u32 {
        ids.iter().fold(0, |sum, id| {
            let row = self.rows.at(self.place(id));
            sum.wrapping_add(row_hash(id.get(), row.kind.0, row.fields))
        })
    }

    /// Appends a row's kind and fields.
    pub(super) fn put_full(&self, id: EntityId, out: &mut Vec<u8>) {
        let (start, end) = self.full.range(self.place(id));
        out.extend_from_slice(&self.full.bytes[start..end]);
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
        for row in new.rows.iter() {
            if self.kept.contains(row.id) {
                let before = old.rows.at(old.place(row.id));
                assert_eq!(before.kind, row.kind, "the kind of entity {} within one life", row.id.get());
                let kind = &schema.kinds[usize::from(row.kind.0)];
                if put_delta(kind, before.fields, row.fields, &mut self.bytes.bytes) {
                    self.changed.insert(row.id);
                }
            }
            self.bytes.end();
        }
    }

    /// The ids that were there all the time.
    pub(super) fn kept(&self) -> &VisibleSet {
        &self.kept
    }

    /// Those of them whose rows differ.
    pub(super) fn changed(&self) -> &VisibleSet {
        &self.changed
    }

    /// Appends the bytes of the changed rows among `ids`. Neighbours in the table are neighbours in the buffer, so a
    /// seat that sees everything gets one copy.
    pub(super) fn put(&self, newest: &Table, ids: impl Iterator<Item = EntityId>, out: &mut Vec<u8>) {
        let (mut start, mut end) = (0, 0);
        for id in ids {
            let (from, to) = self.bytes.range(newest.place(id));
            if from != end {
                out.extend_from_slice(&self.bytes.bytes[start..end]);
                start = from;
            }
            end = to;
        }
        out.extend_from_slice(&self.bytes.bytes[start..end]);
    }
}
