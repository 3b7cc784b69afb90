//! A spatial grid over points: which of them may lie in a box. It filters and never reorders.
//!
//! Filled anew each tick by counting sort: two passes over the points, no allocation once it has grown.

use std::ops::{Range, RangeInclusive};

/// Square cells over a rectangle around the origin; what lies outside counts to the nearest cell.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    shift: u32,
    half_width: i32,
    half_height: i32,
    columns: i32,
    rows: i32,
    /// Where a cell's items begin in `items`; one more at the end.
    starts: Vec<u32>,
    items: Vec<u32>,
    cells: Vec<u32>,
}

impl Grid {
    /// Cells of `2^shift` units over `-half_width ..= half_width` and `-half_height ..= half_height`.
    #[must_use]
    pub fn new(half_width: i32, half_height: i32, shift: u32) -> Self {
        let columns = ((2 * half_width) >> shift) + 1;
        let rows = ((2 * half_height) >> shift) + 1;
        let starts = vec![0; (columns * rows) as usize + 1];
        Self { shift, half_width, half_height, columns, rows, starts, ..Self::default() }
    }

    /// How many cells lie side by side, and how many above each other.
    #[must_use]
    pub fn size(&self) -> (i32, i32) {
        (self.columns, self.rows)
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

    /// Forgets all and takes in these points; an item is its point's place in the sequence.
    pub fn fill(&mut self, points: impl Iterator<Item = (i32, i32)>) {
        self.cells.clear();
        for (x, y) in points {
            let cell = self.cell(x, y);
            self.cells.push(cell as u32);
        }
        self.sort();
    }

    /// Forgets all and takes in items that already know their cell; an item is its place in the sequence.
    pub fn fill_cells(&mut self, cells: impl Iterator<Item = u32>) {
        self.cells.clear();
        self.cells.extend(cells);
        self.sort();
    }

    fn sort(&mut self) {
        self.starts.fill(0);
        for &cell in &self.cells {
            self.starts[cell as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        self.items.resize(self.cells.len(), 0);
        // From the back, so that each cell's items ascend; `starts` ends up one cell to the left and is put right.
        for item in (0..self.cells.len()).rev() {
            let end = &mut self.starts[self.cells[item] as usize + 1];
            *end -= 1;
            self.items[*end as usize] = item as u32;
        }
        self.starts.copy_within(1.., 0);
        let last = self.starts.len() - 1;
        self.starts[last] = self.items.len() as u32;
    }

    /// The items of one cell, ascending.
    #[inline]
    #[must_use]
    pub fn items(&self, cell: usize) -> &[u32] {
        &self.items[self.starts[cell] as usize..self.starts[cell + 1] as usize]
    }

    /// All items, cell by cell.
    #[must_use]
    pub fn all(&self) -> &[u32] {
        &self.items
    }

    /// Where in [`Grid::all`] the items of some neighbouring cells of a row lie: cells side by side are side by side in
    /// memory.
    ///
    /// # Panics
    /// If there are no such cells.
    #[inline]
    #[must_use]
    pub fn run(&self, row: i32, columns: &RangeInclusive<i32>) -> Range<usize> {
        let first = row * self.columns;
        let (from, to) = (first + columns.start(), first + columns.end() + 1);
        self.starts[from as usize] as usize..self.starts[to as usize] as usize
    }

    /// Calls `each` for all items in the cells that a box touches: a cell's ascend, but not all of them together.
    #[inline]
    pub fn visit(&self, low: (i32, i32), high: (i32, i32), mut each: impl FnMut(u32)) {
        let columns = self.column(low.0)..=self.column(high.0);
        for row in self.row(low.1)..=self.row(high.1) {
            self.items[self.run(row, &columns)].iter().for_each(|&item| each(item));
        }
    }

    /// Puts all items in the cells that a box touches into `out`, ascending.
    #[inline]
    pub fn collect(&self, low: (i32, i32), high: (i32, i32), out: &mut Vec<u32>) {
        out.clear();
        self.visit(low, high, |item| out.push(item));
        out.sort_unstable();
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

    #[test]
    fn a_box_finds_every_point_in_it_in_ascending_order() {
        let points = points(500, 3);
        let mut grid = Grid::new(10_000, 8_000, 10);
        grid.fill(points.iter().copied());
        let mut found = Vec::new();
        for (at, &(x, y)) in points.iter().enumerate() {
            let (low, high) = ((x - 900, y - 700), (x + 900, y + 700));
            grid.collect(low, high, &mut found);
            assert!(found.is_sorted() && found.contains(&(at as u32)));
            for (other, &(ox, oy)) in points.iter().enumerate() {
                let inside = (low.0..=high.0).contains(&ox) && (low.1..=high.1).contains(&oy);
                assert!(!inside || found.contains(&(other as u32)), "point {other} at {ox},{oy} was filtered out");
            }
            assert!(found.len() < 200, "a box of a fiftieth of the area finds {} of 500", found.len());
        }
    }

    #[test]
    fn every_item_is_in_exactly_one_cell_and_refilling_forgets() {
        let mut grid = Grid::new(10_000, 8_000, 11);
        for (count, seed) in [(300, 1), (7, 2), (0, 3), (40, 4)] {
            grid.fill(points(count, seed).into_iter());
            let (columns, rows) = grid.size();
            let mut all: Vec<u32> = (0..(columns * rows) as usize).flat_map(|cell| grid.items(cell).to_vec()).collect();
            all.sort_unstable();
            assert_eq!(all, (0..count as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn points_far_outside_count_to_the_edge() {
        let mut grid = Grid::new(1000, 1000, 8);
        grid.fill([(i32::MAX, i32::MAX), (i32::MIN, i32::MIN)].into_iter());
        let mut found = Vec::new();
        grid.collect((900, 900), (1000, 1000), &mut found);
        assert_eq!(found, [0]);
        grid.collect((-1000, -1000), (-900, -900), &mut found);
        assert_eq!(found, [1]);
    }
}
