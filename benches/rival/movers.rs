//! The game of `rival`: as little as it can be, and all that a game author writes. Movers that everybody sees, each with
//! five fields of 16 bits that change in every tick. `server.mjs` beside it moves them by the same sums.

use serde::Deserialize;
use tickroom::game::{
    Decode, Encode, Events, Game, InputRow, Joiner, LoadError, Rows, SeatInputs, Setup, Viewpoint, VisibleSet,
    decode_state, encode_state,
};
use tickroom::ids::{EntityId, KindId, SeatId};
use tickroom::protocol::schema::{EntityKind, Field, InputField, Neutral, Schema};

/// Nothing to choose.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Options {}

/// By seat: place in 1/16 units, speed in 1/16 units a tick, heading with 65,536 to the turn.
#[derive(Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Mover {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) vx: i32,
    pub(crate) vy: i32,
    pub(crate) heading: i32,
}

impl Mover {
    fn step(&mut self, push_x: i32, push_y: i32, turn: i32) {
        self.vx += push_x / 8 - self.vx / 8;
        self.vy += push_y / 8 - self.vy / 8;
        self.x = (self.x + self.vx) & 0xFFFF;
        self.y = (self.y + self.vy) & 0xFFFF;
        // At most 56 degrees a second.
        self.heading = (self.heading + turn * 4) & 0xFFFF;
    }

    pub(crate) fn fields(&self) -> [i32; 5] {
        [self.x, self.y, self.vx, self.vy, self.heading]
    }
}

#[derive(Default, Encode, Decode)]
pub(crate) struct Movers {
    seats: Vec<Option<Mover>>,
}

impl Movers {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Mover)> {
        self.seats.iter().enumerate().filter_map(|(seat, mover)| Some((seat as u32, mover.as_ref()?)))
    }
}

fn entity(seat: u32) -> EntityId {
    EntityId::new(seat + 1).expect("seats are few")
}

impl Game for Movers {
    type Options = Options;

    fn schema(_: &Options) -> Schema {
        let level = |name: &str| InputField::level(name, -127, 127, Neutral::Value(0));
        let fields = vec![
            Field::linear("x", 16, 0),
            Field::linear("y", 16, 0),
            // Speeds change by less from one tick to the next, and headings by at most 508.
            Field::linear("vx", 16, 0).orders(4, 8),
            Field::linear("vy", 16, 0).orders(4, 8),
            Field::angle("heading", 0).orders(9, 16),
        ];
        Schema {
            game: "movers".into(),
            rules: 1,
            kinds: vec![EntityKind::public("mover", fields)],
            inputs: vec![level("push_x"), level("push_y"), level("turn")],
            events: Vec::new(),
        }
    }

    fn tuning(_: &Options) -> Vec<u8> {
        Vec::new()
    }

    fn new(_: &Setup<Options>) -> Self {
        Self::default()
    }

    fn join(&mut self, seat: SeatId, _: &Joiner) {
        let at = seat.index();
        if at >= self.seats.len() {
            self.seats.resize(at + 1, None);
        }
        let place = |at: usize| 8192 + (at as i32 % 16) * 3072;
        self.seats[at] = Some(Mover { x: place(at), y: place(at / 16), ..Mover::default() });
    }

    fn leave(&mut self, seat: SeatId) {
        self.seats[seat.index()] = None;
    }

    fn steer_bot(&mut self, _: SeatId, _: &mut InputRow) {}

    fn step(&mut self, inputs: &SeatInputs, _: &mut Events) {
        for (seat, input) in inputs.iter() {
            if let Some(Some(mover)) = self.seats.get_mut(seat.index()) {
                mover.step(input.levels[0], input.levels[1], input.levels[2]);
            }
        }
    }

    fn rows(&self, out: &mut Rows) {
        for (seat, mover) in self.iter() {
            out.push(entity(seat), KindId(0), None, &mover.fields());
        }
    }

    fn viewpoint(&self, _: Option<SeatId>) -> Viewpoint {
        Viewpoint(0)
    }

    fn visible(&self, _: Viewpoint, out: &mut VisibleSet) {
        self.iter().for_each(|(seat, _)| out.insert(entity(seat)));
    }

    fn save(&self, out: &mut Vec<u8>) {
        encode_state(self, out);
    }

    fn load(bytes: &[u8], _: &Setup<Options>) -> Result<Self, LoadError> {
        decode_state(bytes)
    }
}
