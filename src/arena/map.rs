//! How an arena is laid out: rocks and the places of pickups, from the seed, the same again turned by half a turn, so
//! that no corner is better than the opposite one.

use super::Arena;
use super::movement::{Rock, touch};
use super::options::ArenaOptions;
use super::schema::UNIT;
use super::tuning::Tuning;
use crate::sim::grid::Cells;
use crate::sim::rng::Rng;
use crate::sim::tiles::Tiles;

/// What lies where in one round.
pub(super) struct Layout {
    pub(super) rocks: Vec<Rock>,
    /// Where pickups appear.
    pub(super) pads: Vec<(i32, i32)>,
}

/// Room between two rocks, and between a rock and a wall: three ships pass, so none is ever wedged in.
const GAP_U: i32 = 96;
/// The middle stays free for the first pickup place.
const MIDDLE_U: i32 = 120;
/// How often a place is tried before the map counts as full.
const TRIES: u32 = 40;

/// Lays out a round's arena.
pub(super) fn lay_out(seed: u64, options: &ArenaOptions, tuning: &Tuning) -> Layout {
    let mut rng = Rng::new(seed);
    let t = &tuning.map;
    let (width, height) = options.size(t);
    let by_area = |u2: i32| (i64::from(width) * i64::from(height) / i64::from(u2.max(1))) as u32;
    let rocks_wanted = options.rocks.unwrap_or_else(|| by_area(t.u2_per_rock)).min(20_000);
    let pads_wanted = options.pickups.unwrap_or_else(|| by_area(t.u2_per_pickup).max(1)).min(20_000);

    // Everything here is in whole world units; circles so far, filed by cells wider than the largest circle and its gap.
    let mut plan = Plan::new(width / 2, height / 2);
    plan.add(0, 0, MIDDLE_U);
    let mut rocks = Vec::new();
    'rocks: while rocks.len() + 2 <= rocks_wanted as usize {
        let radius = rng.between(t.rock_radius_min_u, t.rock_radius_max_u);
        let shape = rng.below(1 << 16);
        for _ in 0..TRIES {
            let (x, y) = plan.somewhere(&mut rng, radius + GAP_U);
            if plan.is_free(x, y, radius + GAP_U) && apart(x, y, radius + GAP_U) {
                for side in [1, -1] {
                    plan.add(side * x, side * y, radius);
                    let (x, y) = (side * x * UNIT, side * y * UNIT);
                    rocks.push(Rock { x, y, radius: radius * UNIT, shape });
                }
                continue 'rocks;
            }
        }
        break;
    }
    let mut pads = if pads_wanted % 2 == 1 { vec![(0, 0)] } else { Vec::new() };
    'pads: while pads.len() + 2 <= pads_wanted as usize {
        for _ in 0..TRIES {
            let (x, y) = plan.somewhere(&mut rng, GAP_U);
            if plan.is_free(x, y, GAP_U) && apart(x, y, 4 * GAP_U) {
                for side in [1, -1] {
                    plan.add(side * x, side * y, 2 * GAP_U);
                    pads.push((side * x * UNIT, side * y * UNIT));
                }
                continue 'pads;
            }
        }
        break;
    }
    Layout { rocks, pads }
}

/// True if a circle stays clear of its own counterpart on the other side of the middle.
fn apart(x: i32, y: i32, reach: i32) -> bool {
    x.abs().max(y.abs()) > reach
}

/// Circles on a plane in whole world units.
struct Plan {
    half_width: i32,
    half_height: i32,
    columns: i32,
    cells: Vec<Vec<(i32, i32, i32)>>,
}

/// Wider than any circle's radius with the gap to the next.
const PLAN_CELL_U: i32 = 512;

impl Plan {
    fn new(half_width: i32, half_height: i32) -> Self {
        let columns = 2 * half_width / PLAN_CELL_U + 1;
        let rows = 2 * half_height / PLAN_CELL_U + 1;
        Self { half_width, half_height, columns, cells: vec![Vec::new(); (columns * rows) as usize] }
    }

    /// A random point at least `margin` from the walls.
    fn somewhere(&self, rng: &mut Rng, margin: i32) -> (i32, i32) {
        let mut one = |half: i32| {
            let span = 2 * (half - margin).max(1);
            // A product of 16 and 18 bits: i64, since only the server lays out maps.
            ((i64::from(rng.below(1 << 16)) * i64::from(span)) >> 16) as i32 - span / 2
        };
        (one(self.half_width), one(self.half_height))
    }

    fn cell(&self, x: i32, y: i32) -> (i32, i32) {
        ((x + self.half_width) / PLAN_CELL_U, (y + self.half_height) / PLAN_CELL_U)
    }

    fn add(&mut self, x: i32, y: i32, radius: i32) {
        let (column, row) = self.cell(x, y);
        self.cells[(row * self.columns + column) as usize].push((x, y, radius));
    }

    fn is_free(&self, x: i32, y: i32, reach: i32) -> bool {
        let (column, row) = self.cell(x, y);
        let near = (row - 1..=row + 1).flat_map(|row| (column - 1..=column + 1).map(move |column| (column, row)));
        near.filter(|&(column, _)| (0..self.columns).contains(&column))
            .filter_map(|(column, row)| self.cells.get(usize::try_from(row * self.columns + column).ok()?))
            .flatten()
            .all(|&(ox, oy, radius)| {
                let (dx, dy, apart) = (x - ox, y - oy, reach + radius);
                dx.abs() >= apart || dy.abs() >= apart || dx * dx + dy * dy >= apart * apart
            })
    }
}

/// 64 world units: seven of ten bolts and ships find their tile free, and all tiles of ten thousand ships' arena are 36 KiB.
const TILE_SHIFT: u32 = 18;

impl Arena {
    /// Files what stands still.
    pub(super) fn file_rocks(&mut self) {
        let (width, height, rocks) = (self.half_width, self.half_height, &self.world.rocks);
        self.derived.rock_grid = RockGrid::new(width, height, rocks);
        let mut obstacles = Tiles::new(Cells::new(width, height, TILE_SHIFT));
        obstacles.mark_edges();
        for rock in rocks {
            obstacles.mark_around((rock.x, rock.y), rock.radius + self.tuning.bolt.radius_q12);
        }
        self.derived.obstacles = obstacles;
    }
}

/// Which rocks something small near a point could touch: a copy of them per cell, so that a ship's step gets a slice.
#[derive(Debug, Default)]
pub(super) struct RockGrid {
    /// Where there are any: for most points there are none.
    tiles: Tiles,
    cells: Cells,
    starts: Vec<u32>,
    rocks: Vec<Rock>,
}

/// 256 world units.
const ROCK_CELL_SHIFT: u32 = 20;
/// How near to a rock's edge a point must be to hear of it: a ship's radius and twice its longest way in a tick; checked
/// against the shipped tuning by a test. No more, since rocks are so far apart that none pushes a ship to another.
const ROCK_NEAR: i32 = 52 * UNIT;
/// Who asks at points this far apart on a line hears of every rock on it.
pub(super) const ROCK_STEP_U: i32 = 64;
const _: () = assert!(ROCK_STEP_U / 2 * UNIT + UNIT <= ROCK_NEAR, "half a step, and what rounding adds");

impl RockGrid {
    /// Files rocks, which keep their order.
    pub(super) fn new(half_width: i32, half_height: i32, rocks: &[Rock]) -> Self {
        let mut tiles = Tiles::new(Cells::new(half_width, half_height, TILE_SHIFT));
        let cells = Cells::new(half_width, half_height, ROCK_CELL_SHIFT);
        let mut lists = vec![Vec::new(); cells.count()];
        for rock in rocks {
            let reach = rock.radius + ROCK_NEAR;
            tiles.mark_around((rock.x, rock.y), reach);
            cells.around((rock.x, rock.y), reach, |cell| lists[cell].push(*rock));
        }
        let mut starts = vec![0];
        let mut filed = Vec::new();
        for list in lists {
            filed.extend(list);
            starts.push(filed.len() as u32);
        }
        Self { tiles, cells, starts, rocks: filed }
    }

    /// The rocks that something at this point could touch within a tick, in their order.
    #[inline]
    pub(super) fn near(&self, x: i32, y: i32) -> &[Rock] {
        if !self.tiles.is_marked(x, y) {
            return &[];
        }
        let cell = self.cells.cell(x, y);
        &self.rocks[self.starts[cell] as usize..self.starts[cell + 1] as usize]
    }

    /// True if a circle of at most 52 world units is clear of all rocks.
    pub(super) fn is_free(&self, x: i32, y: i32, radius: i32) -> bool {
        debug_assert!(radius <= ROCK_NEAR);
        self.near(x, y).iter().all(|rock| touch(x - rock.x, y - rock.y, rock.radius + radius).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rocks_leave_room_for_ships_everywhere() {
        let tuning = Tuning::shipped();
        for seed in 0..50 {
            let layout = lay_out(seed, &ArenaOptions::default(), &tuning);
            assert!(layout.rocks.len() >= 12, "seed {seed}: {} rocks", layout.rocks.len());
            assert!(layout.pads.len() >= 5, "seed {seed}: {} pads", layout.pads.len());
            let gap = f64::from(4 * tuning.ship.radius_q12);
            for (at, a) in layout.rocks.iter().enumerate() {
                let inside = |half: i32, place: i32| half * UNIT - place.abs() - a.radius >= gap as i32;
                assert!(inside(1200, a.x) && inside(800, a.y), "seed {seed}: {a:?} is too near to a wall");
                for b in &layout.rocks[at + 1..] {
                    let way = f64::from(a.x - b.x).hypot(f64::from(a.y - b.y)) - f64::from(a.radius + b.radius);
                    assert!(way >= gap, "seed {seed}: {a:?} and {b:?}");
                }
                for &(x, y) in &layout.pads {
                    let way = f64::from(a.x - x).hypot(f64::from(a.y - y)) - f64::from(a.radius);
                    assert!(way >= gap, "seed {seed}: {a:?} covers a pickup");
                }
            }
        }
    }

    #[test]
    fn the_grid_tells_of_every_rock_that_a_tick_can_reach() {
        let tuning = Tuning::shipped();
        let reach = tuning.ship.radius_q12 + 2 * tuning.ship.speed_max_q12_per_tick;
        assert!(reach <= ROCK_NEAR);
        let bolt = tuning.bolt.speed_q12_per_tick + tuning.ship.speed_max_q12_per_tick + tuning.bolt.radius_q12;
        assert!(bolt <= ROCK_NEAR);
        let layout = lay_out(9, &ArenaOptions::default(), &tuning);
        let grid = RockGrid::new(1200 * UNIT, 800 * UNIT, &layout.rocks);
        let mut rng = Rng::new(1);
        for _ in 0..20_000 {
            let (x, y) = (rng.between(-1200, 1200) * UNIT, rng.between(-800, 800) * UNIT);
            let near = grid.near(x, y);
            let all: Vec<&Rock> = layout
                .rocks
                .iter()
                .filter(|rock| f64::from(rock.x - x).hypot(f64::from(rock.y - y)) < f64::from(rock.radius + ROCK_NEAR))
                .collect();
            assert!(all.iter().all(|rock| near.contains(rock)), "at {x},{y}");
            let places: Vec<_> = near.iter().map(|rock| layout.rocks.iter().position(|r| r == rock)).collect();
            assert!(places.is_sorted(), "the grid reorders");
        }
    }

    #[test]
    fn options_choose_how_much_lies_about() {
        let tuning = Tuning::shipped();
        let options = ArenaOptions { rocks: Some(0), pickups: Some(4), ..ArenaOptions::default() };
        let layout = lay_out(1, &options, &tuning);
        assert_eq!((layout.rocks.len(), layout.pads.len()), (0, 4));
        let crowded = ArenaOptions { rocks: Some(20_000), ..ArenaOptions::default() };
        assert!(lay_out(1, &crowded, &tuning).rocks.len() < 100, "full is full, and found soon");
    }
}
