//! The last few row tables of a room, and what each entity's bits are relative to each of them: made at most once per
//! room and snapshot, whatever the number of viewers.

use std::collections::VecDeque;

use crate::game::{Rows, VisibleSet};
use crate::ids::{EntityId, SeatId, Tick};
use crate::protocol::bits::{BitWriter, Span};
use crate::protocol::delta::{put_delta, put_fields, put_kind, row_hash};
use crate::protocol::schema::Schema;
use crate::sim::timing::{TABLES_INTERVALS_MIN, tables_kept};

/// Row tables by tick, the newest last.
pub(super) struct Tables {
    /// How many are kept at least.
    kept: usize,
    /// How old the oldest may be whatever their number: where viewers take turns there is more than one per snapshot
    /// interval.
    span: u32,
    ring: VecDeque<Table>,
    /// What changed since each older table, by how many tables ago that is: made when a viewer first needs it, in the memory
    /// of the last one made for that distance.
    deltas: Vec<Deltas>,
}

/// Every entity at one snapshot tick, quantised.
#[derive(Default)]
pub(super) struct Table {
    pub(super) tick: Tick,
    rows: Rows,
    /// The ids of all rows.
    present: VisibleSet,
    /// For each id its place in `rows` plus one, or 0.
    places: Vec<u32>,
    telling: Telling,
}

/// What is needed of the newest table alone, to tell viewers of it.
#[derive(Default)]
struct Telling {
    /// The ids of rows without an owner.
    public: VisibleSet,
    /// Rows that one seat alone may see, by ascending seat.
    private: Vec<(SeatId, EntityId)>,
    /// Whole rows, as they enter: each made when the first viewer needs it.
    full: BitWriter,
    /// For each row where its bits lie in `full`; an empty span: not made yet.
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
    /// Those of them of which deltas say anything at all: a constant row has no bits.
    told: VisibleSet,
    /// Those of them whose rows differ.
    changed: VisibleSet,
    /// Their bits, as [`put_delta`] writes them.
    bits: BitWriter,
    /// By id: where its bits lie.
    spans: Vec<Span>,
}

impl Tables {
    /// None yet, in a room with so many ticks a second and so many ticks from one snapshot to the next.
    pub(super) fn new(tick_rate: u16, ticks_per_snapshot: u16) -> Self {
        Self {
            kept: tables_kept(tick_rate, ticks_per_snapshot) as usize,
            span: TABLES_INTERVALS_MIN * u32::from(ticks_per_snapshot),
            ring: VecDeque::new(),
            deltas: Vec::new(),
        }
    }

    /// The memory of a table that is too old once there is one of `tick`.
    fn spare(&mut self, tick: Tick) -> Option<Table> {
        let mut spare = None;
        while self.ring.len() >= self.kept && self.ring.front().is_some_and(|old| tick.since(old.tick) > self.span) {
            spare = self.ring.pop_front();
        }
        spare
    }

    /// Takes the rows that the game gives for `tick`, as the newest table.
    ///
    /// # Panics
    /// If the rows do not fit the schema: the game's mistake.
    pub(super) fn push(&mut self, tick: Tick, schema: &Schema, fill: impl FnOnce(&mut Rows)) {
        let mut table = self.spare(tick).unwrap_or_default();
        // Its memory goes from table to table.
        table.telling = self.ring.back_mut().map(|newest| std::mem::take(&mut newest.telling)).unwrap_or_default();
        table.refill(tick, schema, fill);
        self.ring.push_back(table);
        self.deltas.resize_with(self.ring.len().max(self.deltas.len()), Deltas::default);
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
        // Nearly all viewers hold one of the newest.
        let at = self.ring.iter().rposition(|table| table.tick == base)?;
        let deltas = &mut self.deltas[self.ring.len() - 1 - at];
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
        self.places.clear();
        let Telling { public, private, full, full_spans, hashes } = &mut self.telling;
        public.clear();
        private.clear();
        full.clear();
        full_spans.clear();
        full_spans.resize(self.rows.len(), Span::default());
        hashes.clear();
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
                Some(seat) => private.push((seat, id)),
                None => public.insert(id),
            }
            self.places.resize(id.index(), 0);
            self.places.push(at as u32 + 1);
        }
        private.sort_unstable();
    }

    /// The ids of all public rows.
    pub(super) fn public(&self) -> &VisibleSet {
        &self.telling.public
    }

    /// The ids of the rows that this seat alone may see.
    pub(super) fn private(&self, seat: SeatId) -> impl Iterator<Item = EntityId> {
        let rows = &self.telling.private;
        let start = rows.partition_point(|&(owner, _)| owner < seat);
        rows[start..].iter().take_while(move |&&(owner, _)| owner == seat).map(|&(_, id)| id)
    }

    /// The digest of a view that holds `ids`.
    pub(super) fn digest(&mut self, ids: &VisibleSet) -> u32 {
        if self.telling.hashes.is_empty() {
            self.telling.hashes.extend(self.rows.iter().map(|row| row_hash(row.id.get(), row.kind.0, row.fields)));
        }
        ids.iter().fold(0, |sum, id| sum.wrapping_add(self.telling.hashes[self.place(id)]))
    }

    /// Appends a row's kind and fields.
    pub(super) fn put_full(&mut self, id: EntityId, schema: &Schema, out: &mut BitWriter) {
        let at = self.place(id);
        let Telling { full, full_spans, .. } = &mut self.telling;
        if full_spans[at].is_empty() {
            let start = full.end();
            let row = self.rows.at(at);
            put_kind(row.kind.0, full);
            put_fields(&schema.kinds[usize::from(row.kind.0)].fields, self.tick.0, row.fields, full);
            full_spans[at] = full.since(start);
        }
        out.copy(full, full_spans[at]);
    }

    fn place(&self, id: EntityId) -> usize {
        self.places[id.index()] as usize - 1
    }
}

impl Deltas {
    fn make(&mut self, ring: &VecDeque<Table>, base: usize, schema: &Schema) {
        self.made = true;
        self.bits.clear();
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
        for set in [&mut self.told, &mut self.changed] {
            set.clear();
            // As many words as any set of ids that are kept may have.
            set.words_mut().resize(new.places.len().div_ceil(64), 0);
        }
        for row in new.rows.iter() {
            if !self.kept.contains(row.id) {
                continue;
            }
            let before = old.rows.at(old.place(row.id));
            assert_eq!(before.kind, row.kind, "the kind of entity {} within one life", row.id.get());
            let kind = &schema.kinds[usize::from(row.kind.0)];
            if !kind.constant {
                let start = self.bits.end();
                self.told.insert(row.id);
                if put_delta(kind, before.fields, row.fields, &mut self.bits) {
                    self.changed.insert(row.id);
                }
                self.spans[row.id.index()] = self.bits.since(start);
            } else if before.fields != row.fields {
                // Deltas cannot tell this: for its viewers it leaves, and enters as it is now.
                self.kept.remove(row.id);
            }
        }
    }

    /// The ids that were there all the time.
    pub(super) fn kept(&self) -> &VisibleSet {
        &self.kept
    }

    /// Appends the `changed` section for a viewer that keeps these ids, by ascending id. False if none of them changed.
    ///
    /// One look at each id, and no branch on whether it changed, which nobody could foretell.
    pub(super) fn put(&self, kept: &VisibleSet, out: &mut BitWriter) -> bool {
        let mut pen = out.pen(self.bits.len());
        let mut news = 0;
        let words = kept.words().iter().zip(self.told.words().iter().zip(self.changed.words()));
        for ((&kept, (&told, &changed)), spans) in words.zip(self.spans.chunks(64)) {
            news |= kept & changed;
            let mut rest = kept & told;
            while rest != 0 {
                let place = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                pen.copy(&self.bits, spans[place]);
            }
        }
        pen.lift();
        news != 0
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
        let mut out = BitWriter::default();
        for round in 0..500 {
            let mut deltas = Deltas::default();
            let (mut kept, mut expected, mut news) = (VisibleSet::default(), BitWriter::default(), false);
            deltas.spans.resize(500, Span::default());
            for set in [&mut deltas.told, &mut deltas.changed] {
                set.words_mut().resize(500_usize.div_ceil(64), 0);
            }
            for id in 1..500 {
                let id = EntityId::new(id).expect("a small id");
                let (told, changed) = (random() % 5 != 0, random() % 3 == 0);
                let start = deltas.bits.end();
                if told {
                    deltas.told.insert(id);
                    deltas.bits.bit(changed);
                }
                if told && changed {
                    deltas.changed.insert(id);
                    // Some are longer than what is copied in one step.
                    (0..random() % 40).for_each(|_| deltas.bits.number(random() as u32, 5));
                }
                deltas.spans[id.index()] = deltas.bits.since(start);
                if random() % 8 < round % 9 {
                    kept.insert(id);
                    news |= told && changed;
                    expected.copy(&deltas.bits, deltas.spans[id.index()]);
                }
            }
            out.clear();
            assert_eq!(deltas.put(&kept, &mut out), news);
            assert_eq!((out.len(), out.bytes()), (expected.len(), expected.bytes()), "round {round}");
        }
    }

    #[test]
    fn a_row_that_should_never_change_leaves_and_enters_when_it_does() {
        use crate::ids::KindId;
        use crate::protocol::schema::{EntityKind, Field};
        let schema = Schema {
            game: "toy".into(),
            rules: 1,
            kinds: vec![EntityKind::constant("rock", vec![Field::step("x")])],
            inputs: vec![],
            events: vec![],
        };
        let id = |id| EntityId::new(id).expect("a small id");
        let mut tables = Tables::new(60, 2);
        for (tick, x) in [(2, 7), (4, 8)] {
            tables.push(Tick(tick), &schema, |rows| {
                rows.push(id(1), KindId(0), None, &[5]);
                rows.push(id(2), KindId(0), None, &[x]);
            });
        }
        let deltas = tables.since(Tick(2), &schema).expect("it is in the ring");
        assert_eq!(deltas.kept().iter().collect::<Vec<_>>(), [id(1)], "the other is a new entity");
        let mut out = BitWriter::default();
        assert!(!deltas.put(deltas.kept(), &mut out));
        assert_eq!(out.len(), 0, "nothing is said of a constant row");
    }
}
