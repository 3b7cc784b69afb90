//! The seam between the server and a game's rules. A game author implements [`Game`] and touches nothing else.
//!
//! No clock, no I/O, no randomness but the seed: same seed and same calls give the same state, bit for bit. What a
//! `Game` must never learn: sockets, sessions, spectators, chat, wire formats.
//!
//! Before adding an item to the trait, try a row, an event, or a field of `Options`.

use crate::ids::{EntityId, EventKindId, KindId, OriginId, SeatId};
use crate::protocol::schema::{INPUT_FIELDS_MAX, InputSort, Neutral, Schema};
use crate::sim::timing::ticks_of;

pub use crate::protocol::codec::{CodecError as LoadError, Decode, Encode, decode_state, encode_state};

/// A game's rules.
pub trait Game: Sized + Send + 'static {
    /// What a server's configuration may say about the game.
    type Options: Default + Clone + Send + serde::de::DeserializeOwned;

    /// Entity kinds, inputs, events and the rules version. Constant for equal options.
    fn schema(options: &Self::Options) -> Schema;

    /// The numbers that predicting clients share, as sent in Welcome. Constant for equal options.
    fn tuning(options: &Self::Options) -> Vec<u8>;

    /// Looks at what a match would begin with, once when the server starts: the place to refuse options, or a tick rate,
    /// that the game cannot do. Unless it says something, every setup is good.
    ///
    /// # Errors
    /// A sentence for the operator: what is wrong, and what would be right.
    fn check(_setup: &Setup<Self::Options>) -> Result<(), String> {
        Ok(())
    }

    /// A fresh match at tick 0.
    fn new(setup: &Setup<Self::Options>) -> Self;

    /// Somebody takes a seat. Called between ticks; never for a seat that is taken.
    fn join(&mut self, seat: SeatId, who: &Joiner);

    /// A seat becomes free. Called between ticks; its entities must be gone from the next rows.
    fn leave(&mut self, seat: SeatId);

    /// What a bot's seat does in the coming tick: fills `out`, which holds what it did in the last one. Everything that
    /// it decides must follow from the game's state and the seed.
    fn steer_bot(&mut self, seat: SeatId, out: &mut InputRow);

    /// Simulates one tick.
    fn step(&mut self, inputs: &SeatInputs, events: &mut Events);

    /// Every entity as it is after the last step, by ascending id. Private rows name their owner. A freed id must rest for 2 s,
    /// as [`EntityIds`](crate::sim::entity_ids::EntityIds) has it, before it is another entity's.
    ///
    /// A spectator sees all public rows, and a view holds 3,072: with more, those with the highest ids are left out, and the
    /// room warns once.
    fn rows(&self, out: &mut Rows);

    /// Where a seat looks from, or a spectator's whole-arena viewpoint for `None`. Equal viewpoints see the same.
    fn viewpoint(&self, seat: Option<SeatId>) -> Viewpoint;

    /// The ids of all public rows that can be seen from `from`; private ones are the room's business. A view holds 3,072 rows:
    /// of more, those with the highest ids are left out until others go, and the room warns once.
    fn visible(&self, from: Viewpoint, out: &mut VisibleSet);

    /// Appends the whole state. Its hash is the state hash, so no field may be forgotten.
    fn save(&self, out: &mut Vec<u8>);

    /// The state that was saved, of a match with that setup.
    ///
    /// # Errors
    /// [`LoadError`] if the bytes are not one.
    fn load(bytes: &[u8], setup: &Setup<Self::Options>) -> Result<Self, LoadError>;
}

/// What a match begins with. It is the same as long as the match lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup<O> {
    /// Of all randomness that the game has.
    pub seed: u64,
    /// Ticks per second, 5 to 240.
    pub tick_rate: u16,
    /// Seats are numbered below this.
    pub seats_max: u16,
    /// What the configuration says about the game.
    pub options: O,
}

impl<O> Setup<O> {
    /// How many ticks of this match last so many milliseconds at least: times of a game's own become ticks so.
    #[must_use]
    pub fn ticks(&self, ms: u32) -> u32 {
        ticks_of(ms, self.tick_rate)
    }
}

/// Who takes a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joiner {
    /// As shown to others.
    pub name: String,
    /// True if the server plays this seat.
    pub bot: bool,
    /// Whence; `None` for a bot, and where it is not known.
    pub origin: Option<OriginId>,
    /// Taken seats whose players came from the same origin, lost their connection, and have not come back: this may be one
    /// of them, in another tab.
    pub lost_seats: Vec<SeatId>,
}

impl Joiner {
    /// Somebody of whom only the name is known.
    #[must_use]
    pub fn person(name: impl Into<String>) -> Self {
        Self { bot: false, ..Self::bot(name) }
    }

    /// The server itself, under a name.
    #[must_use]
    pub fn bot(name: impl Into<String>) -> Self {
        Self { name: name.into(), bot: true, origin: None, lost_seats: Vec::new() }
    }
}

/// One value per input field, in the schema's order; the rest is 0.
pub type InputRow = [i32; INPUT_FIELDS_MAX];

/// The row in which every level is at its neutral value (0 for those that hold) and no press has happened.
#[must_use]
pub fn neutral_row(schema: &Schema) -> InputRow {
    let mut row = [0; INPUT_FIELDS_MAX];
    for (value, field) in row.iter_mut().zip(&schema.inputs) {
        if let (InputSort::Level, Neutral::Value(neutral)) = (field.sort, field.neutral) {
            *value = neutral;
        }
    }
    row
}

/// How much a seat's input can be believed to be what its player wants right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum InputStatus {
    /// An input became due at this tick.
    Fresh,
    /// The last input still holds.
    Held,
    /// No news for the starvation time: levels are neutral.
    Starved,
}

/// What one seat does in one tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SeatInput {
    /// Whether it is new.
    pub status: InputStatus,
    /// The levels in force, within the schema's ranges; 0 where the field is a press counter.
    pub levels: InputRow,
    /// How often each press field was pressed for this tick: 0, 1 or 2; 0 where the field is a level.
    pub presses: [u8; INPUT_FIELDS_MAX],
    /// How far in the past this seat saw others, in 1/16 ticks before this tick; already clamped to the cap.
    pub seen_ago: u16,
}

/// What every seat does in one tick, by ascending seat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SeatInputs {
    seats: Vec<(u16, SeatInput)>,
}

impl SeatInputs {
    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.seats.clear();
    }

    /// Adds the next seat.
    ///
    /// # Panics
    /// If `seat` is not above the one added before: the order is part of determinism.
    #[inline]
    pub fn push(&mut self, seat: SeatId, input: SeatInput) {
        if let Some(&(last, _)) = self.seats.last() {
            assert!(seat.0 > last, "seat {} after seat {last}: inputs must ascend", seat.0);
        }
        self.seats.push((seat.0, input));
    }

    /// What `seat` does; `None` if nobody sits there.
    #[must_use]
    pub fn get(&self, seat: SeatId) -> Option<&SeatInput> {
        let at = self.seats.binary_search_by_key(&seat.0, |&(seat, _)| seat).ok()?;
        Some(&self.seats[at].1)
    }

    /// All of them, by ascending seat.
    pub fn iter(&self) -> impl Iterator<Item = (SeatId, &SeatInput)> {
        self.seats.iter().map(|(seat, input)| (SeatId(*seat), input))
    }
}

/// Who is told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody in the room.
    All,
    /// One seat.
    Seat(SeatId),
    /// Everybody who sees this entity, before or after the tick.
    Witnesses(EntityId),
}

/// The one-shot facts of one tick, in the order in which they happened.
#[derive(Clone, Debug, Default)]
pub struct Events {
    list: Vec<(EventKindId, Audience, u32)>,
    values: Vec<i32>,
}

impl Events {
    /// Adds a fact. `fields` must be as many as the kind has in the schema: the room leaves out what is not, and warns once.
    pub fn push(&mut self, kind: EventKindId, audience: Audience, fields: &[i32]) {
        self.list.push((kind, audience, self.values.len() as u32));
        self.values.extend_from_slice(fields);
    }

    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.values.clear();
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (EventKindId, Audience, &[i32])> {
        self.list.iter().enumerate().map(|(i, &(kind, audience, start))| {
            let end = self.list.get(i + 1).map_or(self.values.len(), |next| next.2 as usize);
            (kind, audience, &self.values[start as usize..end])
        })
    }
}

/// One row of a table: an entity's id, kind, owner and fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Which entity.
    pub id: EntityId,
    /// What it is.
    pub kind: KindId,
    /// The only seat that may see it; `None`: it is public.
    pub owner: Option<SeatId>,
    /// Its fields, in schema order.
    pub fields: &'a [i32],
}

/// Every entity at one tick, by ascending id; one flat table, so that filling it again allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    heads: Vec<RowHead>,
    values: Vec<i32>,
}

#[derive(Clone, Copy, Debug)]
struct RowHead {
    id: EntityId,
    kind: KindId,
    owner: Option<SeatId>,
    start: u32,
}

impl Rows {
    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.values.clear();
    }

    /// Adds the next row.
    ///
    /// # Panics
    /// If `id` is not above the one added before: the wire and the digest rely on the order.
    #[inline]
    pub fn push(&mut self, id: EntityId, kind: KindId, owner: Option<SeatId>, fields: &[i32]) {
        if let Some(last) = self.heads.last() {
            assert!(id > last.id, "entity {} after entity {}: rows must ascend", id.get(), last.id.get());
        }
        self.heads.push(RowHead { id, kind, owner, start: self.values.len() as u32 });
        self.values.extend_from_slice(fields);
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The row at a place in the table.
    ///
    /// # Panics
    /// If `at >= len()`.
    #[inline]
    #[must_use]
    pub fn at(&self, at: usize) -> Row<'_> {
        let RowHead { id, kind, owner, start } = self.heads[at];
        let end = self.heads.get(at + 1).map_or(self.values.len(), |next| next.start as usize);
        Row { id, kind, owner, fields: &self.values[start as usize..end] }
    }

    /// All rows, by ascending id.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|at| self.at(at))
    }

    /// The fields of the row at a place, to change them in place.
    ///
    /// # Panics
    /// If `at >= len()`.
    #[inline]
    pub fn fields_mut(&mut self, at: usize) -> &mut [i32] {
        let start = self.heads[at].start as usize;
        let end = self.heads.get(at + 1).map_or(self.values.len(), |next| next.start as usize);
        &mut self.values[start..end]
    }
}

/// Where a seat looks from, in the game's own coding (a grid cell, say): seats with equal viewpoints see the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Viewpoint(pub u64);

/// A set of entity ids: one bit each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct VisibleSet {
    words: Vec<u64>,
}

impl Clone for VisibleSet {
    fn clone(&self) -> Self {
        Self { words: self.words.clone() }
    }

    /// Keeps the memory, which a derived one would not: sets are copied for every viewer and snapshot.
    fn clone_from(&mut self, source: &Self) {
        self.words.clone_from(&source.words);
    }
}

impl VisibleSet {
    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.words.clear();
    }

    /// Adds an id.
    #[inline]
    pub fn insert(&mut self, id: EntityId) {
        let word = id.index() / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (id.index() % 64);
    }

    /// Takes an id out.
    #[inline]
    pub fn remove(&mut self, id: EntityId) {
        if let Some(word) = self.words.get_mut(id.index() / 64) {
            *word &= !(1 << (id.index() % 64));
        }
    }

    /// True if the id is in.
    #[inline]
    #[must_use]
    pub fn contains(&self, id: EntityId) -> bool {
        self.words.get(id.index() / 64).is_some_and(|word| word >> (id.index() % 64) & 1 == 1)
    }

    /// The bits, 64 ids a word, id 0 (which is never set) in the lowest bit of the first.
    #[inline]
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The bits, to combine sets word by word.
    #[inline]
    pub fn words_mut(&mut self) -> &mut Vec<u64> {
        &mut self.words
    }

    /// How many ids are in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// True if none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// All ids, ascending.
    pub fn iter(&self) -> impl Iterator<Item = EntityId> + '_ {
        ids_in(&self.words)
    }
}

/// The ids whose bits are set, ascending.
pub(crate) fn ids_in(words: &[u64]) -> impl Iterator<Item = EntityId> + '_ {
    words.iter().enumerate().flat_map(|(at, &word)| {
        std::iter::successors((word != 0).then_some(word), |&rest| {
            let rest = rest & (rest - 1);
            (rest != 0).then_some(rest)
        })
        .filter_map(move |rest| EntityId::new((at * 64) as u32 + rest.trailing_zeros()))
    })
}

impl FromIterator<EntityId> for VisibleSet {
    fn from_iter<I: IntoIterator<Item = EntityId>>(ids: I) -> Self {
        let mut set = Self::default();
        for id in ids {
            set.insert(id);
        }
        set
    }
}
