//! What clients get to see: rows, viewpoints, visible sets.
//!
//! In an arena that fits some screens everybody sees everything. In a larger one a seat sees the cells around its own;
//! an entity changes its cell only when it is well inside the next one, so that nothing flickers at an edge, and all
//! seats with one home cell share one visible set.

use super::Arena;
use super::movement::ShipState;
use super::schema::{
    BOLT, FLAG_CHARGED, FLAG_CHARGING, FLAG_DASH, FLAG_FIRING, FLAG_MIGHT, FLAG_PROTECTED, FLAG_RAPID, MATCH, OWN,
    PICKUP, ROCK, SCORE, SHIP,
};
use super::state::{Pilot, World};
use crate::game::{Rows, Viewpoint, VisibleSet};
use crate::ids::{EntityId, KindId, SeatId};
use crate::sim::grid::{Cells, Grid};

/// 512 world units.
const CELL_SHIFT: u32 = 21;
/// How far beyond its home cell something must be to change home: 64 world units.
const STAY: i32 = 64 << 12;
/// How many cells a seat sees on each side of its own: at the least 896 world units, more than half a screen.
const SEES_CELLS: i32 = 2;
/// How long `FLAG_DASH` shows.
const DASH_SHOWS_TICKS: i32 = 12;

/// Ids of one word of a [`VisibleSet`] that are seen together: the first in the low bits, and above it a bit for that and
/// for each of the next few. A ship and its score took their ids together: mostly they are one of these.
type Ids = u32;

/// All bits of an id are set in the largest.
const FIRST_ID: u32 = EntityId::MAX;
const ID_BITS: u32 = FIRST_ID.count_ones();

fn single(id: u32) -> Ids {
    1 << ID_BITS | id
}

/// Which entities there are, by id and by cell. Follows from the state.
#[derive(Debug, Default)]
pub(super) struct Sight {
    culls: bool,
    grid: Grid<Ids>,
    /// By entity id: kind + 1 in the high byte, the place in its table in the rest; 0 for none.
    table: Vec<u32>,
    /// Public entities that have a place, each with its cell in `grid`.
    placed: Vec<(u32, Ids)>,
}

impl Sight {
    pub(super) fn new(half_width: i32, half_height: i32, culls: bool) -> Self {
        Self { culls, grid: Grid::new(Cells::new(half_width, half_height, CELL_SHIFT)), ..Self::default() }
    }

    /// True if a seat sees only what is near.
    pub(super) fn culls(&self) -> bool {
        self.culls
    }

    /// The home cell of something that has just appeared.
    pub(super) fn cell(&self, x: i32, y: i32) -> u32 {
        self.grid.cells().cell(x, y) as u32
    }

    /// The home cell of something that was at home in `home`.
    fn stay(&self, home: u32, x: i32, y: i32) -> u32 {
        let columns = self.grid.cells().size().0;
        let (low_x, low_y) = self.grid.cells().corner(home as i32 % columns, home as i32 / columns);
        let side = (1 << CELL_SHIFT) + STAY;
        let stays = (-STAY..side).contains(&(x - low_x)) && (-STAY..side).contains(&(y - low_y));
        if stays { home } else { self.cell(x, y) }
    }

    fn list(&mut self, id: u32, kind: KindId, at: usize) {
        self.table[id as usize] = (u32::from(kind.0) + 1) << 24 | at as u32;
    }

    fn place(&mut self, id: u32, kind: KindId, at: usize, cell: u32) {
        self.list(id, kind, at);
        self.placed.push((cell, single(id)));
    }

    /// Places a second entity where another has just been placed.
    fn place_along(&mut self, id: u32, kind: KindId, at: usize) {
        self.list(id, kind, at);
        let &mut (cell, ref mut ids) = self.placed.last_mut().expect("another was placed");
        let first = *ids & FIRST_ID;
        if first < id && id / 64 == first / 64 && id - first < u32::BITS - ID_BITS {
            *ids |= 1 << (ID_BITS + id - first);
        } else {
            self.placed.push((cell, single(id)));
        }
    }
}

impl Arena {
    /// Brings homes up to date: part of the state, since they depend on where things were.
    pub(super) fn go_home(&mut self) {
        let (world, sight) = (&mut self.world, &self.derived.sight);
        for &seat in &world.order {
            let (ship, pilot) = (&world.ships[usize::from(seat)], &mut world.pilots[usize::from(seat)]);
            pilot.home = sight.stay(pilot.home, ship.x, ship.y);
        }
    }

    /// Lists every entity that there is now.
    pub(super) fn list_entities(&mut self) {
        let (world, sight) = (&self.world, &mut self.derived.sight);
        sight.table.clear();
        sight.table.resize(world.ids.bound(), 0);
        sight.placed.clear();
        sight.list(world.match_id, MATCH, 0);
        for (at, (rock, &id)) in world.rocks.iter().zip(&world.rock_ids).enumerate() {
            let cell = sight.cell(rock.x, rock.y);
            sight.place(id, ROCK, at, cell);
        }
        for (at, pad) in world.pads.iter().enumerate() {
            if pad.ready_at <= world.tick {
                let cell = sight.cell(pad.x, pad.y);
                sight.place(pad.id, PICKUP, at, cell);
            }
        }
        for &seat in &world.order {
            let at = usize::from(seat);
            let pilot = &world.pilots[at];
            sight.list(pilot.own_id, OWN, at);
            if world.ships[at].alive() {
                sight.place(pilot.ship_id, SHIP, at, pilot.home);
                sight.place_along(pilot.score_id, SCORE, at);
            } else {
                // Where its ship was: so a seat always sees its own line.
                sight.place(pilot.score_id, SCORE, at, pilot.home);
            }
        }
        for (at, bolt) in world.bolts.iter().enumerate() {
            let (x, y) = bolt.place(world.tick);
            let cell = sight.cell(x, y);
            sight.place(bolt.id, BOLT, at, cell);
        }
        if sight.culls {
            sight.grid.fill(&sight.placed);
        }
    }

    /// Every entity's row, by ascending id.
    pub(super) fn write_rows(&self, out: &mut Rows) {
        let world = &self.world;
        // Most ids are out of use or resting, in no order: to look at each entry of the table would be to guess which.
        for id in world.ids.iter() {
            let entry = self.derived.sight.table[id.index()];
            if entry == 0 {
                continue;
            }
            let (kind, at) = (KindId((entry >> 24) as u8 - 1), (entry & 0xFF_FFFF) as usize);
            match kind {
                MATCH => out.push(id, kind, None, &self.match_row()),
                ROCK => {
                    let rock = &world.rocks[at];
                    out.push(id, kind, None, &[rock.x, rock.y, rock.radius, rock.shape]);
                }
                SHIP => out.push(id, kind, None, &ship_row(world, at)),
                OWN => out.push(id, kind, Some(SeatId(at as u16)), &world.ships[at].row()),
                BOLT => {
                    let bolt = &world.bolts[at];
                    let might = i32::from(bolt.damage > self.tuning.bolt.damage_q6);
                    let seat = i32::from(bolt.seat);
                    let fields = [bolt.x, bolt.y, bolt.vx, bolt.vy, bolt.born, seat, might];
                    out.push(id, kind, None, &fields);
                }
                PICKUP => {
                    let pad = &world.pads[at];
                    out.push(id, kind, None, &[pad.x, pad.y, pad.sort]);
                }
                _ => {
                    let Pilot { score, kills, deaths, streak, .. } = world.pilots[at];
                    out.push(id, SCORE, None, &[at as i32, score, kills, deaths, streak]);
                }
            }
        }
    }

    fn match_row(&self) -> [i32; 7] {
        let round = &self.world.round;
        let winner = round.leader.map_or(0, |seat| i32::from(seat) + 1);
        [round.phase, round.number, round.ends_at, self.half_width, self.half_height, winner, round.best]
    }

    /// 0 sees everything; else the home cell plus 1.
    pub(super) fn viewpoint_of(&self, seat: Option<SeatId>) -> Viewpoint {
        match seat.and_then(|seat| self.world.pilots.get(seat.index())) {
            Some(pilot) if self.derived.sight.culls => Viewpoint(u64::from(pilot.home) + 1),
            _ => Viewpoint(0),
        }
    }

    /// The public ids in the cells around a viewpoint.
    pub(super) fn see(&self, from: Viewpoint, out: &mut VisibleSet) {
        let sight = &self.derived.sight;
        // All words at once: then ids are one word to change, and there are many for each of many viewpoints.
        let words = out.words_mut();
        let enough = sight.table.len().div_ceil(64);
        if words.len() < enough {
            words.resize(enough, 0);
        }
        let words = words.as_mut_slice();
        let mut add = |ids: Ids| {
            let first = ids & FIRST_ID;
            words[first as usize / 64] |= u64::from(ids >> ID_BITS) << (first % 64);
        };
        add(single(self.world.match_id));
        let Some(home) = from.0.checked_sub(1) else {
            sight.placed.iter().for_each(|&(_, ids)| add(ids));
            return;
        };
        let (columns, rows) = sight.grid.cells().size();
        let home = (home as i32).min(columns * rows - 1);
        let (column, row) = (home % columns, home / columns);
        let near_columns = (column - SEES_CELLS).max(0)..=(column + SEES_CELLS).min(columns - 1);
        for row in (row - SEES_CELLS).max(0)..=(row + SEES_CELLS).min(rows - 1) {
            sight.grid.run(row, &near_columns).iter().for_each(|&ids| add(ids));
        }
    }
}

fn ship_row(world: &World, at: usize) -> [i32; 9] {
    let (ship, pilot) = (&world.ships[at], &world.pilots[at]);
    let flags = flags(ship, pilot, world.tick);
    [ship.x, ship.y, ship.heading, pilot.thrust, pilot.turn, flags, ship.shield, ship.hull, at as i32]
}

fn flags(ship: &ShipState, pilot: &Pilot, tick: i32) -> i32 {
    let flag = |on: bool, bit: i32| if on { bit } else { 0 };
    flag(tick < ship.protected_until, FLAG_PROTECTED)
        | flag(ship.beam_at != 0, FLAG_CHARGING)
        | flag(ship.beam_at != 0 && tick >= ship.beam_at, FLAG_CHARGED)
        | flag(pilot.firing, FLAG_FIRING)
        | flag(tick < ship.rapid_until, FLAG_RAPID)
        | flag(tick < ship.might_until, FLAG_MIGHT)
        | flag(pilot.dashed_at != 0 && tick < pilot.dashed_at + DASH_SHOWS_TICKS, FLAG_DASH)
}
