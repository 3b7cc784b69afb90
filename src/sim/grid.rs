//! A spatial grid: which things may lie in a box. It filters and never reorders.
//!
//! Filled anew each tick by counting sort: two passes over the things, no allocation once it has grown. What is in a cell
//! lies side by side in memory, and so do cells of a row: a look around reads a few short runs, not a thing here and
//! there.

use std::ops::RangeInclusive;

/// Square cells over a rectangle around the origin; what lies outside counts to the nearest cell.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    shift: u32,
    half_width: i32,
    half_height: i32,
    columns: i32,
    rows: i32,
}

impl Cells {
    /// Cells of `2^shift` units over `-half_width ..= half_width` and `-half_height ..= half_height`.
    #[must_use]
    pub fn new(half_width: i32, half_height: i32, shift: u32) -> Self {
        let columns = ((2 * half_width) >> shift) + 1;
        let rows = ((2 * half_height) >> shift) + 1;
        Self { shift, half_width, half_height, columns, rows }
    }

    /// How many cells lie side by side, and how many above each other.
    #[inline]
    #[must_use]
    pub fn size(&self) -> (i32, i32) {
        (self.columns, self.rows)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        (self.columns * self.rows) as usize
    }

    /// The column of an x.
    #[inline]
    #[must_use]
    pub fn column(&self, x: i32) -> i32 {
        (x.saturating_add(self.half_width) >> self.shift).clamp(0, self.columns - 1)
    }

    /// The row of a y.
    #[inline]
    #[must_use]
    pub fn row(&self, y: i32) -> i32 {
        (y.saturating_add(self.half_height) >> self.shift).clamp(0, self.rows - 1)
    }

    /// The cell of a point.
    #[inline]
    #[must_use]
    pub fn cell(&self, x: i32, y: i32) -> usize {
        (self.row(y) * self.columns + self.column(x)) as usize
    }

    /// The smallest corner of a cell, given by column and row.
    #[must_use]
    pub fn corner(&self, column: i32, row: i32) -> (i32, i32) {
        ((column << self.shift) - self.half_width, (row << self.shift) - self.half_height)
    }

    /// Calls `each` for all cells that a circle touches.
    pub fn around(&self, (x, y): (i32, i32), radius: i32, mut each: impl FnMut(usize)) {
        // From the centre to the nearest point of a column or row, squared: large circles need more than 32 bits.
        let way = |low: i32, centre: i32| {
            let high = low + (1 << self.shift);
            i64::from(centre.clamp(low, high) - centre).pow(2)
        };
        for row in self.row(y - radius)..=self.row(y + radius) {
            for column in self.column(x - radius)..=self.column(x + radius) {
                let (low_x, low_y) = self.corner(column, row);
                if way(low_x, x) + way(low_y, y) <= i64::from(radius).pow(2) {
                    each((row * self.columns + column) as usize);
                }
            }
        }
    }
}

/// Things by cell.
#[derive(Clone, Debug, Default)]
pub struct Grid<T> {
    cells: Cells,
    /// Where a cell's things begin in `things`, then the end of the last cell's, twice.
    starts: Vec<u32>,
    things: Vec<T>,
}

impl<T: Copy + Default> Grid<T> {
    /// Nothing in any cell.
    #[must_use]
    pub fn new(cells: Cells) -> Self {
        let starts = vec![0; cells.count() + 2];
        Self { cells, starts, things: Vec::new() }
    }

    /// Its cells.
    #[inline]
    #[must_use]
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Forgets all and takes in these things, each with its cell. Within a cell they keep their order.
    pub fn fill(&mut self, things: &[(u32, T)]) {
        // Counted two places further on: a sum then says where a cell begins one place further on, and once that has moved
        // on by the cell's things, it says where the next begins.
        self.starts.fill(0);
        for &(cell, _) in things {
            self.starts[cell as usize + 2] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        self.things.resize(things.len(), T::default());
        for &(cell, thing) in things {
            let place = &mut self.starts[cell as usize + 1];
            self.things[*place as usize] = thing;
            *place += 1;
        }
    }

    /// All things, cell by cell.
    #[must_use]
    pub fn all(&self) -> &[T] {
        &self.things
    }

    /// The things in some neighbouring cells of a row.
    ///
    /// # Panics
    /// If there are no such cells.
    #[inline]
    #[must_use]
    pub fn run(&self, row: i32, columns: &RangeInclusive<i32>) -> &[T] {
        let first = row * self.cells.columns;
        let (from, to) = (first + columns.start(), first + columns.end() + 1);
        &self.things[self.starts[from as usize] as usize..self.starts[to as usize] as usize]
    }

    /// Calls `each` for all things in the cells that a box touches, cell by cell.
    #[inline]
    pub fn visit(&self, low: (i32, i32), high: (i32, i32), mut each: impl FnMut(T)) {
        let columns = self.cells.column(low.0)..=self.cells.column(high.0);
        for row in self.cells.row(low.1)..=self.cells.row(high.1) {
            self.run(row, &columns).iter().for_each(|&thing| each(thing));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::Rng;

    fn points(count: usize, seed: u64) -> Vec<(i32, i32)> {
        let mut rng = Rng::new(seed);
        (0..count).map(|_| (rng.between(-12_000, 12_000), rng.between(-9_000, 9_000))).collect()
    }

    /// Points by cell, each known by its place in the list.
    fn grid(points: &[(i32, i32)], cells: Cells) -> Grid<u32> {
        let mut grid = Grid::new(cells);
        fill(&mut grid, points);
        grid
    }

    fn fill(grid: &mut Grid<u32>, points: &[(i32, i32)]) {
        let cell = |&(x, y): &(i32, i32)| grid.cells().cell(x, y) as u32;
        let things: Vec<(u32, u32)> = points.iter().map(cell).zip(0..).collect();
        grid.fill(&things);
    }

    fn find(grid: &Grid<u32>, low: (i32, i32), high: (i32, i32)) -> Vec<u32> {
        let mut found = Vec::new();
        grid.visit(low, high, |thing| found.push(thing));
        found
    }

    #[test]
    fn a_box_finds_every_point_in_it_once() {
        let points = points(500, 3);
        let grid = grid(&points, Cells::new(10_000, 8_000, 10));
        for (at, &(x, y)) in points.iter().enumerate() {
            let (low, high) = ((x - 900, y - 700), (x + 900, y + 700));
            let mut found = find(&grid, low, high);
            found.sort_unstable();
            assert!(found.is_sorted_by(|a, b| a < b) && found.contains(&(at as u32)));
            for (other, &(ox, oy)) in points.iter().enumerate() {
                let inside = (low.0..=high.0).contains(&ox) && (low.1..=high.1).contains(&oy);
                assert!(!inside || found.contains(&(other as u32)), "point {other} at {ox},{oy} was filtered out");
            }
            assert!(found.len() < 200, "a box of a fiftieth of the area finds {} of 500", found.len());
        }
    }

    #[test]
    fn every_thing_is_in_its_cell_in_order_and_refilling_forgets() {
        let mut grid = grid(&[], Cells::new(10_000, 8_000, 11));
        for (count, seed) in [(300, 1), (7, 2), (0, 3), (40, 4)] {
            let points = points(count, seed);
            fill(&mut grid, &points);
            let (columns, rows) = grid.cells().size();
            let mut all = Vec::new();
            for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
                let things = grid.run(row, &(column..=column));
                assert!(things.is_sorted());
                let cell = |&thing: &u32| grid.cells().cell(points[thing as usize].0, points[thing as usize].1);
                assert!(things.iter().all(|thing| cell(thing) == (row * columns + column) as usize));
                all.extend_from_slice(things);
            }
            assert_eq!(all, grid.all());
            all.sort_unstable();
            assert_eq!(all, (0..count as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn points_far_outside_count_to_the_edge() {
        let grid = grid(&[(i32::MAX, i32::MAX), (i32::MIN, i32::MIN)], Cells::new(1000, 1000, 8));
        assert_eq!(find(&grid, (900, 900), (1000, 1000)), [0]);
        assert_eq!(find(&grid, (-1000, -1000), (-900, -900)), [1]);
    }
}
