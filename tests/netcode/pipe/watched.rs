//! Arena, with a diary: what really happened in each tick, and which of it a client could have worked out.

use std::cell::RefCell;

use tickroom::arena::movement::{Controls, Rock, ShipState, Surroundings, pair_reach, step_ship, touch_ships};
use tickroom::arena::schema::{
    INPUT_BEAM, INPUT_DASH, INPUT_FIRE, INPUT_THRUST, INPUT_TURN, MATCH, OWN, OWN_FIELDS, PHASE_PLAY, ROCK, SHIP,
};
use tickroom::arena::tuning::Tuning;
use tickroom::arena::{Arena, ArenaOptions};
use tickroom::game::{Events, Game, InputRow, Joiner, LoadError, Rows, SeatInputs, Setup, Viewpoint, VisibleSet};
use tickroom::ids::SeatId;
use tickroom::protocol::schema::Schema;

use crate::bytes::Put;

/// The ship touched another in this tick.
const TOUCHED: u8 = 1;
/// The ship's state is not what its controls, the rocks and the ships that it touched make of the state before: it was
/// hit, took something up, was destroyed or appeared.
const ALTERED: u8 = 2;
/// The ship struck a rock or a wall.
const BUMPED: u8 = 4;

/// Arena and its diary. Every call goes through; `step` is also written down.
pub(crate) struct Watched {
    arena: Arena,
    tuning: Tuning,
    /// Rooms step a game once per tick, from 1.
    tick: i32,
    rows: Rows,
    before: Scene,
    log: RefCell<Vec<Truth>>,
}

/// One tick. As bytes: tick u32, phase u8, half width i32, half height i32, digest u32 (of [`Shadow`]); rocks, if they
/// are new (count u32; x, y, radius: i32); seats (count u32; seat u16, id of the ship u32 or 0, marks u8, the own row's
/// fields i32, status u8, thrust i8, turn i8, fire u8, beam u8, dashes u8, `seen_ago` u16); events (count u32; kind u8,
/// count of fields u8, fields i32).
pub(crate) struct Truth {
    pub(crate) bytes: Vec<u8>,
    pub(crate) inputs: SeatInputs,
}

/// What the rows of one tick say.
#[derive(Clone, Default)]
struct Scene {
    phase: i32,
    half_width: i32,
    half_height: i32,
    rocks: Vec<Rock>,
    /// By seat.
    own: Vec<Option<ShipState>>,
    /// Seats of ships that fly, with the ids of their ships, by ascending id.
    ships: Vec<(u16, u32)>,
}

impl Scene {
    fn of(rows: &Rows) -> Self {
        let mut scene = Self::default();
        for row in rows.iter() {
            match (row.kind, row.fields) {
                (MATCH, fields) => {
                    (scene.phase, scene.half_width, scene.half_height) = (fields[0], fields[3], fields[4])
                }
                (ROCK, &[x, y, radius, shape]) => scene.rocks.push(Rock { x, y, radius, shape }),
                (SHIP, fields) => scene.ships.push((fields[8] as u16, row.id.get())),
                (OWN, fields) => {
                    let seat = row.owner.expect("own rows have an owner").index();
                    scene.own.resize(scene.own.len().max(seat + 1), None);
                    scene.own[seat] = Some(ship_of(fields));
                }
                _ => {}
            }
        }
        scene
    }

    fn own(&self, seat: u16) -> Option<&ShipState> {
        self.own.get(usize::from(seat))?.as_ref()
    }

    fn id(&self, seat: u16) -> u32 {
        self.ships.iter().find(|ship| ship.0 == seat).map_or(0, |ship| ship.1)
    }
}

fn ship_of(fields: &[i32]) -> ShipState {
    let [
        x,
        y,
        vx,
        vy,
        heading,
        energy,
        shield,
        hull,
        fire_at,
        beam_at,
        dash_at,
        shield_at,
        protected_until,
        respawn_at,
        rapid_until,
        might_until,
    ] = *<&[i32; OWN_FIELDS]>::try_from(fields).expect("an own row");
    ShipState {
        x,
        y,
        vx,
        vy,
        heading,
        energy,
        shield,
        hull,
        fire_at,
        beam_at,
        dash_at,
        shield_at,
        protected_until,
        respawn_at,
        rapid_until,
        might_until,
    }
}

/// A tick of movement alone, worked out from the tick before by the public functions of `arena::movement`: what a client
/// that knew every ship exactly would predict.
struct Shadow {
    ships: Vec<(u16, ShipState, u8)>,
}

impl Shadow {
    fn of(before: &Scene, after: &Scene, tick: i32, inputs: &SeatInputs, tuning: &Tuning) -> Self {
        let around = Surroundings {
            tick,
            armed: after.phase == PHASE_PLAY,
            half_width: after.half_width,
            half_height: after.half_height,
            rocks: &after.rocks,
        };
        let mut ships = Vec::new();
        for &(seat, _) in &before.ships {
            let (Some(mut ship), Some(controls)) = (before.own(seat).copied(), controls_of(inputs, seat)) else {
                continue;
            };
            let deeds = step_ship(&mut ship, &controls, &around, tuning);
            ships.push((seat, ship, if deeds.bump > 0 { BUMPED } else { 0 }));
        }
        let reach = pair_reach(tuning);
        let from: Vec<(i32, i32)> = ships.iter().map(|(_, ship, _)| (ship.x, ship.y)).collect();
        for first in 0..ships.len() {
            for second in first + 1..ships.len() {
                let (dx, dy) = (from[first].0 - from[second].0, from[first].1 - from[second].1);
                if dx.abs() >= reach || dy.abs() >= reach {
                    continue;
                }
                let [one, other] = ships.get_disjoint_mut([first, second]).expect("a pair is two");
                let were = (one.1, other.1);
                touch_ships(&mut one.1, &mut other.1, &around, tuning);
                if were != (one.1, other.1) {
                    one.2 |= TOUCHED;
                    other.2 |= TOUCHED;
                }
            }
        }
        Self { ships }
    }

    /// FNV-1a by words, over every word of every ship.
    fn digest(&self) -> u32 {
        let words = self.ships.iter().flat_map(|(_, ship, _)| ship.row());
        words.fold(0x811C_9DC5, |hash, word| (hash ^ word as u32).wrapping_mul(0x0100_0193))
    }

    fn find(&self, seat: u16) -> Option<&(u16, ShipState, u8)> {
        self.ships.iter().find(|ship| ship.0 == seat)
    }
}

fn controls_of(inputs: &SeatInputs, seat: u16) -> Option<Controls> {
    let input = inputs.get(SeatId(seat))?;
    Some(Controls {
        thrust: input.levels[INPUT_THRUST],
        turn: input.levels[INPUT_TURN],
        fire: input.levels[INPUT_FIRE] != 0,
        beam: input.levels[INPUT_BEAM] != 0,
        dash: input.presses[INPUT_DASH] != 0,
    })
}

impl Watched {
    /// The ticks since this was last asked.
    pub(crate) fn take_log(&self) -> Vec<Truth> {
        std::mem::take(&mut self.log.borrow_mut())
    }

    /// Looks at the last ticks, the oldest of them first.
    pub(crate) fn with_last(&self, count: u32, mut look: impl FnMut(u32, &Truth)) {
        let log = self.log.borrow();
        let first = log.len().checked_sub(count as usize).expect("so many ticks were simulated");
        (0..count).zip(&log[first..]).for_each(|(at, truth)| look(at, truth));
    }

    fn around(arena: Arena) -> Self {
        let mut rows = Rows::default();
        arena.rows(&mut rows);
        let before = Scene { rocks: Vec::new(), ..Scene::of(&rows) };
        Self { arena, tuning: Tuning::shipped(), tick: 0, rows, before, log: RefCell::default() }
    }

    fn write(&self, after: &Scene, inputs: &SeatInputs, events: &Events) -> Vec<u8> {
        let shadow = Shadow::of(&self.before, after, self.tick, inputs, &self.tuning);
        let mut out = Vec::with_capacity(4096);
        out.put_i32(self.tick);
        out.put_u8(after.phase as u8);
        out.put_i32(after.half_width);
        out.put_i32(after.half_height);
        out.put_u32(shadow.digest());
        let rocks = if after.rocks == self.before.rocks { &[][..] } else { &after.rocks[..] };
        out.put_u32(rocks.len() as u32);
        rocks.iter().flat_map(|rock| [rock.x, rock.y, rock.radius]).for_each(|value| out.put_i32(value));
        let seats: Vec<u16> = (0..after.own.len() as u16).filter(|&seat| after.own(seat).is_some()).collect();
        out.put_u32(seats.len() as u32);
        for seat in seats {
            let own = after.own(seat).expect("filtered above");
            let guess = shadow.find(seat);
            let same = match guess {
                Some((_, ship, _)) => ship == own,
                None => self.before.own(seat) == Some(own),
            };
            out.put_u16(seat);
            out.put_u32(after.id(seat));
            out.put_u8(guess.map_or(0, |guess| guess.2) | if same { 0 } else { ALTERED });
            own.row().into_iter().for_each(|word| out.put_i32(word));
            // A seat without an input has just come: it does nothing.
            let input = inputs.get(SeatId(seat));
            out.put_u8(input.map_or(2, |input| input.status as u8));
            let level = |at: usize| input.map_or(0, |input| input.levels[at]) as i8;
            [INPUT_THRUST, INPUT_TURN, INPUT_FIRE, INPUT_BEAM].into_iter().for_each(|at| out.put_u8(level(at) as u8));
            out.put_u8(input.map_or(0, |input| input.presses[INPUT_DASH]));
            out.put_u16(input.map_or(0, |input| input.seen_ago));
        }
        let list: Vec<_> = events.iter().collect();
        out.put_u32(list.len() as u32);
        for (kind, _, fields) in list {
            out.put_u8(kind.0);
            out.put_u8(fields.len() as u8);
            fields.iter().for_each(|&value| out.put_i32(value));
        }
        out
    }
}

impl Game for Watched {
    type Options = ArenaOptions;

    fn schema(options: &ArenaOptions) -> Schema {
        Arena::schema(options)
    }

    fn tuning(options: &ArenaOptions) -> Vec<u8> {
        Arena::tuning(options)
    }

    fn new(setup: &Setup<ArenaOptions>) -> Self {
        Self::around(Arena::new(setup))
    }

    fn join(&mut self, seat: SeatId, who: &Joiner) {
        self.arena.join(seat, who);
    }

    fn leave(&mut self, seat: SeatId) {
        self.arena.leave(seat);
    }

    fn steer_bot(&mut self, seat: SeatId, out: &mut InputRow) {
        self.arena.steer_bot(seat, out);
    }

    fn step(&mut self, inputs: &SeatInputs, events: &mut Events) {
        self.tick += 1;
        self.arena.step(inputs, events);
        self.rows.clear();
        self.arena.rows(&mut self.rows);
        let after = Scene::of(&self.rows);
        let bytes = self.write(&after, inputs, events);
        self.log.get_mut().push(Truth { bytes, inputs: inputs.clone() });
        self.before = after;
    }

    fn rows(&self, out: &mut Rows) {
        self.arena.rows(out);
    }

    fn viewpoint(&self, seat: Option<SeatId>) -> Viewpoint {
        self.arena.viewpoint(seat)
    }

    fn visible(&self, from: Viewpoint, out: &mut VisibleSet) {
        self.arena.visible(from, out);
    }

    fn save(&self, out: &mut Vec<u8>) {
        self.arena.save(out);
    }

    fn load(bytes: &[u8], setup: &Setup<ArenaOptions>) -> Result<Self, LoadError> {
        Arena::load(bytes, setup).map(Self::around)
    }
}
