//! A game that is nothing but change: entities that come, go, jump and hide at random, ids that come back as soon as
//! they may, extreme values. For tests of replication.

use std::collections::BTreeMap;

use tickroom::game::{
    Audience, Events, Game, InputRow, Joiner, LoadError, Rows, SeatInputs, Setup, Viewpoint, VisibleSet,
};
use tickroom::ids::{EntityId, EventKindId, KindId, SeatId};
use tickroom::protocol::schema::{EntityKind, EventKind, Field, InputField, Neutral, Schema};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Ids that the game uses, so that sets and views overlap a lot.
const IDS: u32 = 150;
/// How long a freed id is out of use, in ticks: the least that the protocol allows at two ticks a snapshot.
const QUARANTINE: u32 = 2;

pub struct Chaos {
    rng: ChaCha8Rng,
    tick: u32,
    entities: BTreeMap<u32, Entity>,
    freed: BTreeMap<u32, u32>,
    seats: Vec<u16>,
}

#[derive(Clone)]
pub struct Entity {
    pub kind: u8,
    pub owner: Option<u16>,
    pub fields: Vec<i32>,
    /// Which of eight viewpoints see it, one bit each.
    pub seen_from: u8,
}

impl Chaos {
    pub fn entities(&self) -> &BTreeMap<u32, Entity> {
        &self.entities
    }

    fn value(&mut self) -> i32 {
        match self.rng.random_range(0..6) {
            0 => self.rng.random(),
            1 => i32::MAX - self.rng.random_range(0..3),
            2 => i32::MIN + self.rng.random_range(0..3),
            _ => self.rng.random_range(-5000..5000),
        }
    }

    fn spawn(&mut self) {
        let id = self.rng.random_range(1..IDS);
        let free = self.freed.get(&id).is_none_or(|&at| self.tick >= at + QUARANTINE);
        if self.entities.contains_key(&id) || !free {
            return;
        }
        let owned = !self.seats.is_empty() && self.rng.random_range(0..6) == 0;
        let kind = if owned { 2 } else { [0, 1, 3][self.rng.random_range(0..3)] };
        let owner = owned.then(|| self.seats[self.rng.random_range(0..self.seats.len())]);
        let fields = Self::schema(&()).kinds[usize::from(kind)].fields.len();
        let fields = (0..fields).map(|_| self.value()).collect();
        self.entities.insert(id, Entity { kind, owner, fields, seen_from: self.rng.random() });
    }
}

impl Game for Chaos {
    type Options = ();

    fn schema(_: &()) -> Schema {
        let mut wide: Vec<Field> = (0..8).map(|i| Field::linear(&format!("w{i}"), 1, i)).collect();
        wide.push(Field::angle("turn", 8));
        Schema {
            game: "chaos".into(),
            rules: 1,
            kinds: vec![
                EntityKind::public("thin", vec![Field::linear("x", 16, 4), Field::angle("turn", 0)]),
                EntityKind::public("wide", wide),
                EntityKind::private("own", vec![Field::step("a"), Field::tick("b")]),
                // It changes all the same.
                EntityKind::constant("rock", vec![Field::step("x"), Field::tick("born")]),
            ],
            inputs: vec![InputField::level("go", -1, 1, Neutral::Value(0))],
            events: vec![EventKind::new("boom", vec![Field::step("id").scaled(4, 1), Field::tick("at")])],
        }
    }

    fn tuning(_: &()) -> Vec<u8> {
        Vec::new()
    }

    fn new(setup: &Setup<()>) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(setup.seed),
            tick: 0,
            entities: BTreeMap::new(),
            freed: BTreeMap::new(),
            seats: Vec::new(),
        }
    }

    fn join(&mut self, seat: SeatId, _: &Joiner) {
        self.seats.push(seat.0);
    }

    fn leave(&mut self, seat: SeatId) {
        self.seats.retain(|&other| other != seat.0);
        let owned: Vec<u32> =
            self.entities.iter().filter(|(_, e)| e.owner == Some(seat.0)).map(|(&id, _)| id).collect();
        for id in owned {
            self.entities.remove(&id);
            // Between ticks: the next one is the first without it.
            self.freed.insert(id, self.tick + 1);
        }
    }

    fn steer_bot(&mut self, _: SeatId, _: &mut InputRow) {}

    fn step(&mut self, _: &SeatInputs, events: &mut Events) {
        self.tick += 1;
        for _ in 0..self.rng.random_range(0..8) {
            self.spawn();
        }
        let ids: Vec<u32> = self.entities.keys().copied().collect();
        for id in ids {
            match self.rng.random_range(0..40) {
                0 => {
                    self.entities.remove(&id);
                    self.freed.insert(id, self.tick);
                    let gone = EntityId::new(id).expect("ids are small");
                    events.push(EventKindId(0), Audience::Witnesses(gone), &[id as i32, self.tick as i32]);
                }
                1 => {
                    let seen_from = self.rng.random();
                    self.entities.get_mut(&id).expect("it lives").seen_from = seen_from;
                }
                2..15 => {
                    let value = self.value();
                    let fields = self.entities[&id].fields.len();
                    let at = self.rng.random_range(0..fields);
                    self.entities.get_mut(&id).expect("it lives").fields[at] = value;
                }
                _ => {}
            }
        }
    }

    fn rows(&self, out: &mut Rows) {
        for (&id, entity) in &self.entities {
            let id = EntityId::new(id).expect("ids are small");
            out.push(id, KindId(entity.kind), entity.owner.map(SeatId), &entity.fields);
        }
    }

    fn viewpoint(&self, seat: Option<SeatId>) -> Viewpoint {
        // Moves now and then, so that visible sets change under an unmoving world too.
        Viewpoint(seat.map_or(0, |seat| u64::from(u32::from(seat.0) + self.tick / 7) % 8))
    }

    /// Names private rows too, now and then: what a seat may see is not left to the game.
    fn visible(&self, from: Viewpoint, out: &mut VisibleSet) {
        for (&id, entity) in &self.entities {
            if entity.seen_from >> from.0 & 1 == 1 {
                out.insert(EntityId::new(id).expect("ids are small"));
            }
        }
    }

    fn save(&self, _: &mut Vec<u8>) {}

    fn load(_: &[u8], _: &Setup<()>) -> Result<Self, LoadError> {
        Err(LoadError::Truncated)
    }
}
