//! A game whose rows and events are as wide and as wild as a schema allows: each number takes the most bits that one can.

use tickroom::game::{
    Audience, Events, Game, InputRow, Joiner, LoadError, Rows, SeatInputs, Setup, Viewpoint, VisibleSet,
};
use tickroom::ids::{EntityId, EventKindId, KindId, SeatId};
use tickroom::protocol::schema::{EntityKind, EventKind, FIELDS_MAX, Field, Schema};

/// How many there are of both, rows for good and events in each tick.
const COUNT: u32 = 1000;

/// So long nothing happens to any row.
pub const CALM_TICKS: u32 = 20;

#[derive(Default)]
pub struct Wild {
    tick: u32,
}

impl Wild {
    /// Calm at first, so that many rows fit a view; then from one end of all numbers to the other.
    fn fields(&self) -> [i32; FIELDS_MAX] {
        let value = match self.tick {
            0..CALM_TICKS => 0,
            tick if tick.is_multiple_of(4) => i32::MIN,
            _ => i32::MAX / 2,
        };
        [value; FIELDS_MAX]
    }
}

impl Game for Wild {
    type Options = ();

    fn schema((): &()) -> Schema {
        let fields = || (0..FIELDS_MAX).map(|i| Field::linear(&format!("f{i}"), 1, 0).orders(0, 0)).collect();
        Schema {
            game: "wild".into(),
            rules: 1,
            kinds: vec![EntityKind::public("thing", fields())],
            inputs: vec![],
            events: vec![EventKind::new("boom", fields())],
        }
    }

    fn tuning((): &()) -> Vec<u8> {
        Vec::new()
    }

    fn new(_: &Setup<()>) -> Self {
        Self::default()
    }

    fn join(&mut self, _: SeatId, _: &Joiner) {}

    fn leave(&mut self, _: SeatId) {}

    fn steer_bot(&mut self, _: SeatId, _: &mut InputRow) {}

    fn step(&mut self, _: &SeatInputs, events: &mut Events) {
        self.tick += 1;
        (0..COUNT).for_each(|_| events.push(EventKindId(0), Audience::All, &self.fields()));
    }

    fn rows(&self, out: &mut Rows) {
        for id in 1..=COUNT {
            out.push(EntityId::new(id).expect("ids are small"), KindId(0), None, &self.fields());
        }
    }

    fn viewpoint(&self, _: Option<SeatId>) -> Viewpoint {
        Viewpoint(0)
    }

    fn visible(&self, _: Viewpoint, out: &mut VisibleSet) {
        (1..=COUNT).for_each(|id| out.insert(EntityId::new(id).expect("ids are small")));
    }

    fn save(&self, _: &mut Vec<u8>) {}

    fn load(_: &[u8], _: &Setup<()>) -> Result<Self, LoadError> {
        Err(LoadError::Truncated)
    }
}
