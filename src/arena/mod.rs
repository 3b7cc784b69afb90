//! The demo game: top-down ships, bolts, a beam, pickups, rounds and bots, in a bounded arena with rocks.
//!
//! It knows the [`Game`] seam, the deterministic kit and the schema; no room, session or clock. RULES.md in this folder
//! is the text for those who write another client.
//!
//! [`Arena`] is the state and the order of a tick; each file beside it tells one story of that tick.

mod bots;
mod damage;
mod leaving;
mod map;
pub mod movement;
mod options;
mod pickups;
mod rounds;
pub mod schema;
mod ships;
mod sight;
mod state;
pub mod tuning;
mod weapons;

#[cfg(test)]
mod tests;

pub use options::ArenaOptions;

use crate::game::{
    Audience, Events, Game, InputRow, Joiner, LoadError, Rows, SeatInputs, Setup, Viewpoint, VisibleSet, decode_state,
    encode_state,
};
use crate::ids::{EntityId, OriginId, SeatId, Tick};
use crate::protocol::schema::Schema;
use crate::sim::entity_ids::EntityIds;
use crate::sim::grid::{Cells, Grid};
use crate::sim::history::History;
use crate::sim::rng::Rng;
use sight::Sight;
use state::{Derived, Pilot, Round, World};
use tuning::Tuning;

/// One match of Arena.
#[derive(Debug)]
pub struct Arena {
    options: ArenaOptions,
    tuning: Tuning,
    half_width: i32,
    half_height: i32,
    world: World,
    derived: Derived,
}

/// What the tuning's ticks are made for.
pub const TICK_RATE: u16 = 60;

/// 256 world units: at the usual crowding every second cell holds a ship.
const SHIP_CELL_SHIFT: u32 = 20;

impl Game for Arena {
    type Options = ArenaOptions;

    fn schema(_options: &ArenaOptions) -> Schema {
        schema::schema()
    }

    fn tuning(_options: &ArenaOptions) -> Vec<u8> {
        tuning::TUNING_JSON.to_vec()
    }

    fn check(setup: &Setup<ArenaOptions>) -> Result<(), String> {
        match setup.tick_rate {
            TICK_RATE => Ok(()),
            other => Err(format!(
                "Arena's numbers are made for {TICK_RATE} ticks a second: at {other} everything would fly at another \
                 speed. Leave room.tick_rate at {TICK_RATE}"
            )),
        }
    }

    fn new(setup: &Setup<ArenaOptions>) -> Self {
        let seed = setup.seed;
        let mut ids = EntityIds::for_rate(setup.tick_rate);
        let match_id = ids.take(Tick(0)).expect("the first id is free").get();
        let world = World {
            seed,
            tick: 0,
            rng: Rng::new(seed),
            ids,
            round: Round { phase: schema::PHASE_PLAY, number: 1, ends_at: 0, leader: None, best: 0 },
            match_id,
            rocks: Vec::new(),
            rock_ids: Vec::new(),
            pads: Vec::new(),
            ships: Vec::new(),
            pilots: Vec::new(),
            bots: Vec::new(),
            order: Vec::new(),
            bolts: Vec::new(),
            history: History::for_rate(setup.tick_rate),
            waits: Vec::new(),
            escapes: Vec::new(),
        };
        let mut arena = Self::around(world, &setup.options);
        arena.world.round.ends_at = arena.play_ticks();
        arena.make_map();
        arena.list_entities();
        arena
    }

    fn join(&mut self, seat: SeatId, who: &Joiner) {
        let waited_until = self.inherit(who);
        let world = &mut self.world;
        let (at, now) = (seat.index(), Tick(world.tick as u32));
        if at >= world.pilots.len() {
            world.pilots.resize(at + 1, Pilot::default());
            world.ships.resize(at + 1, movement::ShipState::default());
            world.bots.resize(at + 1, None);
            // Doubled, because growing copies the whole ring.
            world.history.grow((at + 1).next_power_of_two());
        }
        assert!(!world.pilots[at].taken, "seat {at} is taken");
        let mut take = || world.ids.take(now).expect("three ids per seat are far fewer than there are").get();
        let pilot = Pilot {
            taken: true,
            ship_id: take(),
            own_id: take(),
            score_id: take(),
            joined_at: world.tick,
            origin: who.origin.map(|OriginId(origin)| origin),
            ..Pilot::default()
        };
        let respawn_at = match world.round.phase {
            schema::PHASE_READY => world.round.ends_at,
            _ => waited_until.max(world.tick + 1),
        };
        world.ships[at] = movement::ShipState { respawn_at, ..movement::ShipState::default() };
        world.bots[at] = who.bot.then(|| bots::Bot::new(world.seed, world.tick, seat));
        let place = world.order.partition_point(|&other| world.pilots[usize::from(other)].ship_id < pilot.ship_id);
        world.order.insert(place, seat.0);
        world.pilots[at] = pilot;
    }

    fn leave(&mut self, seat: SeatId) {
        let at = seat.index();
        assert!(self.world.pilots[at].taken, "seat {at} is free");
        self.settle(seat);
        self.end_bolts(|bolt| bolt.seat == seat.0);
        let Pilot { ship_id, own_id, score_id, .. } = self.world.pilots[at];
        [ship_id, own_id, score_id].into_iter().for_each(|id| self.end_id(id));
        self.world.pilots[at] = Pilot::default();
        self.world.ships[at] = movement::ShipState { respawn_at: i32::MAX, ..movement::ShipState::default() };
        self.world.bots[at] = None;
        self.world.order.retain(|&other| other != seat.0);
        if self.world.round.leader == Some(seat.0) && self.world.round.phase == schema::PHASE_PLAY {
            self.find_leader();
        }
        // Nothing may still find the ship that is gone, or a match that is loaded now would differ from one that ran on.
        self.file_ships();
        self.list_entities();
    }

    fn steer_bot(&mut self, seat: SeatId, out: &mut InputRow) {
        self.steer(seat, out);
    }

    /// The order of a tick. Each pass goes through its entities by ascending id.
    fn step(&mut self, inputs: &SeatInputs, events: &mut Events) {
        self.world.tick += 1;
        self.tell_escapes(events);
        self.advance_round(events);
        self.appear(events);
        self.take_inputs(inputs);
        self.fly(events);
        self.touch_all(events);
        self.remember();
        self.fly_bolts(events);
        self.shoot(events);
        self.take_pickups(events);
        self.go_home();
        self.list_entities();
    }

    fn rows(&self, out: &mut Rows) {
        self.write_rows(out);
    }

    fn viewpoint(&self, seat: Option<SeatId>) -> Viewpoint {
        self.viewpoint_of(seat)
    }

    fn visible(&self, from: Viewpoint, out: &mut VisibleSet) {
        self.see(from, out);
    }

    fn save(&self, out: &mut Vec<u8>) {
        encode_state(&self.world, out);
    }

    fn load(bytes: &[u8], setup: &Setup<ArenaOptions>) -> Result<Self, LoadError> {
        let mut arena = Self::around(decode_state(bytes)?, &setup.options);
        arena.file_rocks();
        arena.file_ships();
        arena.list_entities();
        Ok(arena)
    }
}

impl Arena {
    /// A match around a state; what the state derives is not filled in yet.
    fn around(world: World, options: &ArenaOptions) -> Self {
        let tuning = Tuning::shipped();
        let (width, height) = options.size(&tuning.map);
        let (half_width, half_height) = (width / 2 * schema::UNIT, height / 2 * schema::UNIT);
        let derived = Derived {
            ship_grid: Grid::new(Cells::new(half_width, half_height, SHIP_CELL_SHIFT)),
            sight: Sight::new(half_width, half_height, options.culls(&tuning.map)),
            ..Derived::default()
        };
        Self { options: options.clone(), tuning, half_width, half_height, world, derived }
    }
}

/// Those who see an entity.
fn witnesses(id: u32) -> Audience {
    Audience::Witnesses(EntityId::new(id).expect("entities of the world have valid ids"))
}
