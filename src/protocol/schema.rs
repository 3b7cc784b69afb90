//! What a game's clients see and do, as data: entity kinds, inputs, events. Welcome carries it, so the decoders, the
//! load generator and the fuzzers need no game code.

use super::bits::ORDER_MAX;
use super::codec::{Decode, Encode};
use serde::Serialize;

/// Limits of a schema, so that tables indexed by them can be fixed arrays.
pub const KINDS_MAX: usize = 64;
/// Most fields of an entity or event kind.
pub const FIELDS_MAX: usize = 32;
/// Most input fields.
pub const INPUT_FIELDS_MAX: usize = 8;
/// One turn, in the exact units of an [`Interpolation::Angle`] field.
pub const TURN: i32 = 1 << 16;

/// Everything a client must know of a game to show it and to play it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Schema {
    /// The game's name, for people and for clients that know one game only: "arena".
    pub game: String,
    /// Rises when the rules or the tuning change in a way that a predicting client must follow.
    pub rules: u32,
    /// Entity kinds; a [`KindId`](crate::ids::KindId) is an index.
    pub kinds: Vec<EntityKind>,
    /// The fields of an input row, in order.
    pub inputs: Vec<InputField>,
    /// Event kinds; an [`EventKindId`](crate::ids::EventKindId) is an index.
    pub events: Vec<EventKind>,
}

/// What one kind of entity shows.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct EntityKind {
    /// "ship".
    pub name: String,
    /// True if every row of this kind has an owner and goes to that seat alone.
    pub private: bool,
    /// True if a row of this kind stays as it is while it lives: deltas then say nothing of it. Should it change all the
    /// same, clients are told that it left and another entered.
    pub constant: bool,
    /// In the order of the row.
    pub fields: Vec<Field>,
}

impl EntityKind {
    /// A kind that everybody may see.
    #[must_use]
    pub fn public(name: &str, fields: Vec<Field>) -> Self {
        Self { name: name.into(), private: false, constant: false, fields }
    }

    /// A kind whose rows go to their owner alone.
    #[must_use]
    pub fn private(name: &str, fields: Vec<Field>) -> Self {
        Self { private: true, ..Self::public(name, fields) }
    }

    /// A kind that everybody may see, and whose rows stay as they are while they live.
    #[must_use]
    pub fn constant(name: &str, fields: Vec<Field>) -> Self {
        Self { constant: true, ..Self::public(name, fields) }
    }
}

impl EventKind {
    /// A kind of event.
    #[must_use]
    pub fn new(name: &str, fields: Vec<Field>) -> Self {
        Self { name: name.into(), fields }
    }
}

/// A one-shot fact. No client state may depend on an event: it may be lost.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct EventKind {
    /// "kill".
    pub name: String,
    /// In the order of the row.
    pub fields: Vec<Field>,
}

/// One `i32` of a row.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Field {
    /// "x".
    pub name: String,
    /// How many of the field's exact units make one unit that people speak of (one world unit, one turn, one second).
    pub scale: u32,
    /// How a client shows the field between two snapshots.
    pub interpolation: Interpolation,
    /// How many low bits snapshots drop: the wire carries `quantise(exact)`, a client shows `wire << drop_bits`.
    pub drop_bits: u8,
    /// How differences from one snapshot to the next are written: those below `2^change_order` in zigzag form take the
    /// fewest bits, each doubling two more. `cargo bench --bench bytes` shows the best for the demo game.
    pub change_order: u8,
    /// The same for the values of a whole row or event.
    pub value_order: u8,
}

impl Field {
    fn new(name: &str, scale: u32, interpolation: Interpolation, drop_bits: u8) -> Self {
        Self { name: name.into(), scale, interpolation, drop_bits, change_order: 0, value_order: 0 }
    }

    /// A field that jumps: flags, counters, ids.
    #[must_use]
    pub fn step(name: &str) -> Self {
        Self::new(name, 1, Interpolation::Step, 0).orders(1, 3)
    }

    /// A field that moves along a line; at some units per snapshot, among some hundreds, unless
    /// [other orders](Field::orders) are set.
    #[must_use]
    pub fn linear(name: &str, scale: u32, drop_bits: u8) -> Self {
        let unit = (scale.max(1).ilog2() as u8).saturating_sub(drop_bits);
        Self::new(name, scale, Interpolation::Linear, drop_bits)
            .orders((unit + 3).min(ORDER_MAX), (unit + 8).min(ORDER_MAX))
    }

    /// A field that turns: 65,536 to a turn.
    #[must_use]
    pub fn angle(name: &str, drop_bits: u8) -> Self {
        Self::new(name, TURN as u32, Interpolation::Angle, drop_bits)
            .orders(11_u8.saturating_sub(drop_bits), 16_u8.saturating_sub(drop_bits))
    }

    /// The number of a tick, mostly near the present one.
    #[must_use]
    pub fn tick(name: &str) -> Self {
        Self::new(name, 1, Interpolation::Tick, 0).orders(6, 6)
    }

    /// The same field in parts of a unit.
    #[must_use]
    pub fn scaled(self, scale: u32, drop_bits: u8) -> Self {
        Self { scale, drop_bits, ..self }
    }

    /// The same field with these orders.
    #[must_use]
    pub fn orders(self, change_order: u8, value_order: u8) -> Self {
        Self { change_order, value_order, ..self }
    }

    /// True if deltas tell it each time, since it mostly changes when anything does: the others have a bit for that.
    #[inline]
    #[must_use]
    pub fn moves(&self) -> bool {
        matches!(self.interpolation, Interpolation::Linear | Interpolation::Angle)
    }

    /// What a whole row or event that shows `tick` tells the field's difference from.
    #[inline]
    #[must_use]
    pub fn origin(&self, tick: u32) -> i32 {
        if self.interpolation == Interpolation::Tick { tick as i32 } else { 0 }
    }

    /// What the wire carries for an exact value: the nearest multiple of `2^drop_bits`, divided by it; an angle within
    /// one turn.
    #[inline]
    #[must_use]
    pub fn quantise(&self, exact: i32) -> i32 {
        let half = (1_i64 << self.drop_bits) >> 1;
        let quantised = ((i64::from(exact) + half) >> self.drop_bits) as i32;
        match self.interpolation {
            Interpolation::Angle => quantised & self.angle_mask(),
            Interpolation::Linear | Interpolation::Step | Interpolation::Tick => quantised,
        }
    }

    /// What must be added to the wire value `base` to reach `now`: wrapping in `i32`, an angle the shortest way.
    #[inline]
    #[must_use]
    pub fn difference(&self, base: i32, now: i32) -> i32 {
        let difference = now.wrapping_sub(base);
        match self.interpolation {
            Interpolation::Angle => {
                let half_turn = (self.angle_mask() >> 1) + 1;
                (difference.wrapping_add(half_turn) & self.angle_mask()) - half_turn
            }
            Interpolation::Linear | Interpolation::Step | Interpolation::Tick => difference,
        }
    }

    /// The inverse of [`Field::difference`].
    #[inline]
    #[must_use]
    pub fn apply(&self, base: i32, difference: i32) -> i32 {
        let value = base.wrapping_add(difference);
        match self.interpolation {
            Interpolation::Angle => value & self.angle_mask(),
            Interpolation::Linear | Interpolation::Step | Interpolation::Tick => value,
        }
    }

    fn angle_mask(&self) -> i32 {
        (TURN >> self.drop_bits) - 1
    }
}

/// How a client shows a field between two snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum Interpolation {
    /// The newest value at or before the render tick.
    Step,
    /// Along a line between the two.
    Linear,
    /// The shortest way round; 65,536 exact units are one turn.
    Angle,
    /// The number of a tick: it jumps, and a whole row tells it by its distance from the present one.
    Tick,
}

/// One number of an input row.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct InputField {
    /// "thrust".
    pub name: String,
    /// Smallest value of a level; the server clamps. 0 for a press counter.
    pub min: i32,
    /// Largest value of a level. 255 for a press counter.
    pub max: i32,
    /// What the field becomes when no input comes for the starvation time.
    pub neutral: Neutral,
    /// A level or a press counter.
    pub sort: InputSort,
}

/// What a level becomes when its seat starves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum Neutral {
    /// This value.
    Value(i32),
    /// It stays as it was: an aim has no neutral direction.
    Hold,
}

/// How an input field speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum InputSort {
    /// Held until superseded.
    Level,
    /// A wrapping `u8` that rises by one at each press, so that presses survive coalescing; never clamped.
    Press,
}

/// Why a schema cannot be served. The game author's mistake, found when the room is made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Too many of something.
    #[error("{what}: {count}, at most {max} are possible")]
    TooMany {
        /// Of what.
        what: String,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// A name that says nothing, or says it twice.
    #[error("{what} are named `{name}`: clients find them by name, so each needs one of its own")]
    Name {
        /// How many of what.
        what: String,
        /// The name.
        name: String,
    },
    /// A field that the wire cannot carry.
    #[error("{kind}.{field}: {why}")]
    Field {
        /// Of which kind.
        kind: String,
        /// Which field.
        field: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Schema {
    /// Checks every limit.
    ///
    /// # Errors
    /// The first [`SchemaError`] found.
    pub fn check(&self) -> Result<(), SchemaError> {
        let at_most = |what: &str, count: usize, max: usize| {
            if count > max { Err(SchemaError::TooMany { what: what.into(), count, max }) } else { Ok(()) }
        };
        at_most("entity kinds", self.kinds.len(), KINDS_MAX)?;
        at_most("event kinds", self.events.len(), KINDS_MAX)?;
        at_most("input fields", self.inputs.len(), INPUT_FIELDS_MAX)?;
        let fields = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
        names("entity kinds", self.kinds.iter().map(|kind| kind.name.clone()).collect())?;
        names("event kinds", self.events.iter().map(|kind| kind.name.clone()).collect())?;
        names("input fields", self.inputs.iter().map(|input| input.name.clone()).collect())?;
        for kind in &self.kinds {
            at_most(&format!("fields of {}", kind.name), kind.fields.len(), FIELDS_MAX)?;
            names(&format!("fields of `{}`", kind.name), fields(&kind.fields))?;
            for field in &kind.fields {
                field.check(&kind.name)?;
            }
        }
        for kind in &self.events {
            at_most(&format!("fields of {}", kind.name), kind.fields.len(), FIELDS_MAX)?;
            names(&format!("fields of event `{}`", kind.name), fields(&kind.fields))?;
            for field in &kind.fields {
                field.check(&kind.name)?;
            }
        }
        for input in &self.inputs {
            input.check()?;
        }
        Ok(())
    }
}

/// Each name once, and none empty.
fn names(of: &str, mut names: Vec<String>) -> Result<(), SchemaError> {
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| ("two", &pair[0]));
    match twice.or_else(|| names.first().filter(|name| name.is_empty()).map(|name| ("some", name))) {
        Some((many, name)) => Err(SchemaError::Name { what: format!("{many} {of}"), name: name.clone() }),
        None => Ok(()),
    }
}

impl Field {
    fn check(&self, kind: &str) -> Result<(), SchemaError> {
        if self.scale == 0 {
            return Err(self.error(kind, "scale must be at least 1"));
        }
        if self.drop_bits > 15 {
            return Err(self.error(kind, "drop_bits must be at most 15"));
        }
        if self.interpolation == Interpolation::Tick && self.drop_bits != 0 {
            return Err(self.error(kind, "drop_bits of a tick must be 0"));
        }
        if self.change_order > ORDER_MAX || self.value_order > ORDER_MAX {
            return Err(self.error(kind, "an order must be at most 30"));
        }
        Ok(())
    }

    fn error(&self, kind: &str, why: &'static str) -> SchemaError {
        SchemaError::Field { kind: kind.into(), field: self.name.clone(), why }
    }
}

impl InputField {
    /// A level from `min` to `max` whose neutral is `neutral`.
    #[must_use]
    pub fn level(name: &str, min: i32, max: i32, neutral: Neutral) -> Self {
        Self { name: name.into(), min, max, neutral, sort: InputSort::Level }
    }

    /// A press counter.
    #[must_use]
    pub fn press(name: &str) -> Self {
        Self { name: name.into(), min: 0, max: 255, neutral: Neutral::Hold, sort: InputSort::Press }
    }

    fn check(&self) -> Result<(), SchemaError> {
        let why = match (self.sort, self.neutral) {
            _ if self.min > self.max => "min lies above max",
            (InputSort::Level, Neutral::Value(v)) if !(self.min..=self.max).contains(&v) => {
                "neutral lies outside min..=max"
            }
            (InputSort::Press, _) if (self.min, self.max) != (0, 255) => "a press counter ranges over 0..=255",
            _ => return Ok(()),
        };
        Err(SchemaError::Field { kind: "input".into(), field: self.name.clone(), why })
    }
}
