//! A game of a page: movers on a line that drop mines. Small enough to know by heart, with one of everything that a
//! room must carry: public and private rows, levels, a held level, presses, events of each audience, interest.

use std::collections::BTreeMap;

use serde::Deserialize;
use tickroom::game::{
    Audience, Decode, Encode, Events, Game, InputRow, Joiner, LoadError, Rows, SeatInputs, Setup, Viewpoint,
    VisibleSet, decode_state, encode_state,
};
use tickroom::ids::{EntityId, EventKindId, KindId, OriginId, SeatId};
use tickroom::protocol::schema::{EntityKind, EventKind, Field, InputField, Neutral, Schema};

pub const MOVER: KindId = KindId(0);
pub const OWN: KindId = KindId(1);
pub const MINE: KindId = KindId(2);
pub const JOINED: EventKindId = EventKindId(0);
pub const DROPPED: EventKindId = EventKindId(1);
pub const SECRET: EventKindId = EventKindId(2);

/// How long a mine lies, in ticks.
pub const MINE_TICKS: u32 = 30;
/// A seat sees what lies in its own cell of the line and the two beside it.
pub const CELL: i32 = 1000;
/// The value of "go" at which a game with `panics` panics.
pub const PANIC: i32 = -100;

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct ToyOptions {
    /// True: a seat whose "go" is [`PANIC`] breaks the game.
    pub panics: bool,
    /// True: everybody sees everything.
    pub sees_all: bool,
    /// Mines that lie there from the beginning, for good.
    pub mines: u32,
}

impl Default for ToyOptions {
    fn default() -> Self {
        Self { panics: false, sees_all: true, mines: 0 }
    }
}

#[derive(Debug, Encode, Decode)]
pub struct Toy {
    pub tick: u32,
    movers: BTreeMap<u16, Mover>,
    mines: Vec<Mine>,
    next_mine: u32,
    panics: bool,
    sees_all: bool,
    /// Of everybody who ever joined: the seat, whence, and which lost seats from there they were told of.
    pub joined: Vec<(u16, Option<u64>, Vec<u16>)>,
}

#[derive(Debug, Encode, Decode)]
pub struct Mover {
    pub x: i32,
    pub aim: i32,
    pub presses: i32,
    bot: bool,
}

#[derive(Debug, Encode, Decode)]
struct Mine {
    id: u32,
    x: i32,
    gone_at: u32,
}

impl Toy {
    pub fn mover(&self, seat: SeatId) -> &Mover {
        &self.movers[&seat.0]
    }

    pub fn seats(&self) -> Vec<u16> {
        self.movers.keys().copied().collect()
    }
}

/// The mover of a seat is entity `2 * seat + 1`, its private row the next one; mines lie above.
const MINES_FROM: u32 = 1000;

fn entity(id: u32) -> EntityId {
    EntityId::new(id).expect("a toy's ids are small")
}

impl Game for Toy {
    type Options = ToyOptions;

    fn schema(_: &ToyOptions) -> Schema {
        let event = EventKind::new;
        Schema {
            game: "toy".into(),
            rules: 1,
            kinds: vec![
                EntityKind::public(
                    "mover",
                    vec![Field::step("seat"), Field::linear("x", 16, 2), Field::angle("aim", 8)],
                ),
                EntityKind::private("own", vec![Field::linear("x", 16, 0), Field::step("presses")]),
                EntityKind::constant("mine", vec![Field::step("x").scaled(16, 2).orders(0, 10)]),
            ],
            inputs: vec![
                InputField::level("go", -100, 100, Neutral::Value(0)),
                InputField::level("aim", 0, 65_535, Neutral::Hold),
                InputField::press("drop"),
            ],
            events: vec![
                event("joined", vec![Field::step("seat")]),
                event("dropped", vec![Field::linear("x", 16, 0)]),
                event("secret", vec![Field::step("presses")]),
            ],
        }
    }

    fn tuning(_: &ToyOptions) -> Vec<u8> {
        b"{}".to_vec()
    }

    fn new(setup: &Setup<ToyOptions>) -> Self {
        let options = &setup.options;
        Self {
            tick: 0,
            movers: BTreeMap::new(),
            mines: (0..options.mines)
                .map(|i| Mine { id: MINES_FROM + i, x: i as i32 * 1000, gone_at: u32::MAX })
                .collect(),
            next_mine: MINES_FROM + options.mines,
            panics: options.panics,
            sees_all: options.sees_all,
            joined: Vec::new(),
        }
    }

    fn join(&mut self, seat: SeatId, who: &Joiner) {
        let before = self.movers.insert(seat.0, Mover { x: i32::from(seat.0) * 10, aim: 0, presses: 0, bot: who.bot });
        assert!(before.is_none(), "seat {} was taken", seat.0);
        let lost_seats = who.lost_seats.iter().map(|seat| seat.0).collect();
        self.joined.push((seat.0, who.origin.map(|OriginId(origin)| origin), lost_seats));
    }

    fn leave(&mut self, seat: SeatId) {
        assert!(self.movers.remove(&seat.0).is_some(), "seat {} was free", seat.0);
    }

    fn steer_bot(&mut self, seat: SeatId, out: &mut InputRow) {
        out[0] = i32::from(seat.0) % 3 - 1;
        if self.tick.is_multiple_of(60) {
            out[2] = (out[2] + 1) & 0xFF;
        }
    }

    fn step(&mut self, inputs: &SeatInputs, events: &mut Events) {
        self.tick += 1;
        self.mines.retain(|mine| mine.gone_at > self.tick);
        for (seat, input) in inputs.iter() {
            assert!(!(self.panics && input.levels[0] == PANIC), "told to panic");
            let mover = self.movers.get_mut(&seat.0).expect("only seats that are taken have inputs");
            mover.x = mover.x.wrapping_add(input.levels[0]);
            mover.aim = input.levels[1];
            for _ in 0..input.presses[2] {
                mover.presses += 1;
                self.mines.push(Mine { id: self.next_mine, x: mover.x, gone_at: self.tick + MINE_TICKS });
                self.next_mine += 1;
                events.push(DROPPED, Audience::Witnesses(entity(u32::from(seat.0) * 2 + 1)), &[mover.x]);
                events.push(SECRET, Audience::Seat(seat), &[mover.presses]);
            }
            if self.tick == 1 {
                events.push(JOINED, Audience::All, &[i32::from(seat.0)]);
            }
        }
    }

    fn rows(&self, out: &mut Rows) {
        for (&seat, mover) in &self.movers {
            let id = u32::from(seat) * 2 + 1;
            out.push(entity(id), MOVER, None, &[i32::from(seat), mover.x, mover.aim]);
            out.push(entity(id + 1), OWN, Some(SeatId(seat)), &[mover.x, mover.presses]);
        }
        for mine in &self.mines {
            out.push(entity(mine.id), MINE, None, &[mine.x]);
        }
    }

    fn viewpoint(&self, seat: Option<SeatId>) -> Viewpoint {
        let cell = |mover: &Mover| (mover.x / CELL) as u32;
        Viewpoint(seat.and_then(|seat| self.movers.get(&seat.0)).map_or(0, |mover| u64::from(cell(mover))))
    }

    fn visible(&self, from: Viewpoint, out: &mut VisibleSet) {
        let near = |x: i32| self.sees_all || (x / CELL - from.0 as u32 as i32).abs() <= 1;
        for (&seat, mover) in &self.movers {
            if near(mover.x) {
                out.insert(entity(u32::from(seat) * 2 + 1));
            }
        }
        for mine in self.mines.iter().filter(|mine| near(mine.x)) {
            out.insert(entity(mine.id));
        }
    }

    fn save(&self, out: &mut Vec<u8>) {
        encode_state(self, out);
    }

    fn load(bytes: &[u8], _: &Setup<ToyOptions>) -> Result<Self, LoadError> {
        decode_state(bytes)
    }
}
