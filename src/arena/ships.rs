//! The passes of a tick that move ships: they appear, fly, and touch each other.

use super::movement::{Controls, ShipState, Surroundings, pair_reach, step_ship, touch_ships};
use super::schema::{
    EVENT_BUMP, EVENT_DASH, EVENT_SPAWN, INPUT_BEAM, INPUT_DASH, INPUT_FIRE, INPUT_THRUST, INPUT_TURN, LEVEL_MAX,
    PHASE_PLAY, UNIT,
};
use super::state::Flier;
use super::{Arena, witnesses};
use crate::game::{Events, SeatInputs};
use crate::sim::fixed::{TURN, cos, isqrt, sin};

/// An impact below this is not worth a sound: 1.5 world units per tick.
const BUMP_MIN: i32 = 3 * UNIT / 2;
/// Who appears should have the next enemy about this far away: neither shot at once nor alone.
const SPAWN_WAY_U: i32 = 600;
/// How many places are compared for one who appears.
const SPAWN_TRIES: u32 = 10;
/// A place counts as free if no rock is this near.
const SPAWN_CLEAR: i32 = 40 * UNIT;
const SPAWN_WALL: i32 = 120 * UNIT;

impl Arena {
    /// Ships whose time has come appear.
    pub(super) fn appear(&mut self, events: &mut Events) {
        for at in 0..self.world.order.len() {
            let seat = usize::from(self.world.order[at]);
            // One comparison, hardly ever true, also rules out the 0 of those who fly: who is destroyed and still waits is
            // one of ten in no order, which two comparisons have to guess.
            if (self.world.ships[seat].respawn_at.wrapping_sub(1) as u32) < self.world.tick as u32 {
                self.spawn(seat, events);
            }
        }
    }

    fn spawn(&mut self, seat: usize, events: &mut Events) {
        let (x, y) = self.spawn_place();
        let t = &self.tuning.ship;
        let world = &mut self.world;
        // It looks towards the middle: of 16 headings the one that points there best.
        let heading = (0..16).map(|step| step * (TURN / 16)).max_by_key(|&heading| {
            let (dx, dy) = (-(x >> 12), -(y >> 12));
            i64::from(cos(heading)) * i64::from(dx) + i64::from(sin(heading)) * i64::from(dy)
        });
        world.ships[seat] = ShipState {
            x,
            y,
            heading: heading.unwrap_or(0),
            energy: t.energy_max_q6,
            shield: t.shield_max_q6,
            hull: t.hull_max_q6,
            protected_until: world.tick + t.protected_ticks,
            ..ShipState::default()
        };
        world.history.birth(seat, world.tick as u32);
        let pilot = &mut world.pilots[seat];
        pilot.home = self.derived.sight.cell(x, y);
        pilot.hurt_at = 0;
        pilot.passed_on = false;
        events.push(EVENT_SPAWN, witnesses(pilot.ship_id), &[x, y, seat as i32]);
    }

    /// Of a few random places, the one whose next ship is nearest to [`SPAWN_WAY_U`].
    fn spawn_place(&mut self) -> (i32, i32) {
        let mut best = ((0, 0), i32::MAX);
        for _ in 0..SPAWN_TRIES {
            let mut one = |half: i32| {
                let span = 2 * i64::from(half - SPAWN_WALL);
                (((i64::from(self.world.rng.below(1 << 16)) * span) >> 16) as i32 - (half - SPAWN_WALL)) & !(UNIT - 1)
            };
            let (x, y) = (one(self.half_width), one(self.half_height));
            let clear = self.derived.rock_grid.is_free(x, y, SPAWN_CLEAR);
            // A place in a rock is taken only if all are: the rock then pushes the ship out.
            let unfit = (self.nearest_ship_u(x, y) - SPAWN_WAY_U).abs() + if clear { 0 } else { 1 << 20 };
            if unfit < best.1 {
                best = ((x, y), unfit);
            }
        }
        best.0
    }

    /// The distance to the next ship in world units; 1000 if there is none within that.
    fn nearest_ship_u(&self, x: i32, y: i32) -> i32 {
        let reach = 1000 * UNIT;
        let mut nearest = 1000 * 1000;
        self.derived.ship_grid.visit((x - reach, y - reach), (x + reach, y + reach), |flier| {
            let (dx, dy) = ((flier.x - x) >> 12, (flier.y - y) >> 12);
            if dx.abs().max(dy.abs()) < 1000 && dx * dx + dy * dy < nearest {
                // Who was destroyed since then is still filed.
                if self.world.ships[usize::from(flier.seat)].alive() {
                    nearest = dx * dx + dy * dy;
                }
            }
        });
        isqrt(nearest)
    }

    /// Takes what each seat does; a seat without a word does nothing.
    pub(super) fn take_inputs(&mut self, inputs: &SeatInputs) {
        let controls = &mut self.derived.controls;
        controls.clear();
        controls.resize(self.world.pilots.len(), (Controls::default(), 0));
        for (seat, input) in inputs.iter() {
            // The room clamps and names taken seats only; a mistake there must not break the arithmetic here.
            let Some(entry) = controls.get_mut(seat.index()) else { continue };
            let level = |at: usize| input.levels[at].clamp(-LEVEL_MAX, LEVEL_MAX);
            let controls = Controls {
                thrust: level(INPUT_THRUST),
                turn: level(INPUT_TURN),
                fire: input.levels[INPUT_FIRE] != 0,
                beam: input.levels[INPUT_BEAM] != 0,
                dash: input.presses[INPUT_DASH] != 0,
            };
            *entry = (controls, input.seen_ago);
        }
    }

    /// Every ship's own tick, by ascending id; what they did is kept for the passes that follow.
    pub(super) fn fly(&mut self, events: &mut Events) {
        let world = &mut self.world;
        self.derived.deeds.clear();
        for &seat in &world.order {
            let at = usize::from(seat);
            let (ship, pilot) = (&mut world.ships[at], &mut world.pilots[at]);
            if !ship.alive() {
                continue;
            }
            let controls = &self.derived.controls[at].0;
            let around = Surroundings {
                tick: world.tick,
                armed: world.round.phase == PHASE_PLAY,
                half_width: self.half_width,
                half_height: self.half_height,
                rocks: self.derived.rock_grid.near(ship.x, ship.y),
            };
            let deeds = step_ship(ship, controls, &around, &self.tuning);
            pilot.thrust = controls.thrust;
            pilot.turn = controls.turn;
            pilot.firing = controls.fire;
            if deeds.dash {
                pilot.dashed_at = world.tick;
                events.push(EVENT_DASH, witnesses(pilot.ship_id), &[ship.x, ship.y, ship.heading, i32::from(seat)]);
            }
            if deeds.bump > BUMP_MIN {
                let fields = [ship.x, ship.y, deeds.bump, i32::from(seat), 0];
                events.push(EVENT_BUMP, witnesses(pilot.ship_id), &fields);
            }
            if deeds.bolt || deeds.beam {
                self.derived.deeds.push((seat, deeds));
            }
        }
    }

    /// Pairs of ships that touch, by ascending ids: the first's, then the second's. The grid only filters: a pair is one
    /// whose ships were near each other on both axes when the pass began.
    pub(super) fn touch_all(&mut self, events: &mut Events) {
        self.file_ships();
        let (world, derived) = (&mut self.world, &mut self.derived);
        let around = Surroundings {
            tick: world.tick,
            armed: true,
            half_width: self.half_width,
            half_height: self.half_height,
            rocks: &[],
        };
        let reach = pair_reach(&self.tuning);
        let pairs = &mut derived.pairs;
        pairs.clear();
        // Cell by cell, so that what is near in the arena is near in memory; sorted after that.
        for first in derived.ship_grid.all() {
            let (low, high) = ((first.x - reach, first.y - reach), (first.x + reach, first.y + reach));
            derived.ship_grid.visit(low, high, |second| {
                let (dx, dy) = (second.x - first.x, second.y - first.y);
                if second.place > first.place && dx.abs() < reach && dy.abs() < reach {
                    pairs.push((first.place, second.place));
                }
            });
        }
        pairs.sort_unstable();
        let moved = !pairs.is_empty();
        for &(first, second) in pairs.iter() {
            let [a, b] = [first, second].map(|place| usize::from(derived.flying[usize::from(place)].1.seat));
            let [one, other] = world.ships.get_disjoint_mut([a, b]).expect("a pair is two ships");
            let speed = touch_ships(one, other, &around, &self.tuning);
            if speed > BUMP_MIN {
                let fields = [(one.x + other.x) >> 1, (one.y + other.y) >> 1, speed, a as i32, b as i32 + 1];
                events.push(EVENT_BUMP, witnesses(world.pilots[a].ship_id), &fields);
            }
        }
        if moved {
            // Shots and pickups look ships up where they are now.
            self.file_ships();
        }
    }

    /// Fills the grid of ships that fly.
    pub(super) fn file_ships(&mut self) {
        let (world, derived) = (&self.world, &mut self.derived);
        let cells = derived.ship_grid.cells();
        // Everybody is written down, and who does not fly is written over: quicker than to guess who flies.
        derived.flying.resize(world.order.len(), Default::default());
        let mut place = 0;
        for &seat in &world.order {
            let ship = &world.ships[usize::from(seat)];
            let flier = Flier { place: place as u16, seat, x: ship.x, y: ship.y };
            derived.flying[place] = (cells.cell(ship.x, ship.y) as u32, flier);
            place += usize::from(ship.alive());
        }
        derived.flying.truncate(place);
        derived.ship_grid.fill(&derived.flying);
    }

    /// Writes down where every seat's ship is, for shots that are judged later.
    pub(super) fn remember(&mut self) {
        let world = &mut self.world;
        let places = world.history.begin(world.tick as u32);
        for (place, ship) in places.iter_mut().zip(&world.ships) {
            *place = (ship.x, ship.y);
        }
    }
}
