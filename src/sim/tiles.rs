//! A bitmap over the plane: where something may be. One look tells most of those who ask that nothing is near, and the
//! whole map stays in the cache.

use super::grid::Cells;

/// One bit per cell.
#[derive(Debug, Default)]
pub struct Tiles {
    cells: Cells,
    words: Vec<u64>,
}

impl Tiles {
    /// Nothing anywhere.
    #[must_use]
    pub fn new(cells: Cells) -> Self {
        let words = vec![0; cells.count().div_ceil(64)];
        Self { cells, words }
    }

    /// Takes over what others say, in the same memory.
    pub fn copy_from(&mut self, other: &Self) {
        self.cells.clone_from(&other.cells);
        self.words.clone_from(&other.words);
    }

    /// Something may be in any cell that a box touches.
    #[inline]
    pub fn mark(&mut self, low: (i32, i32), high: (i32, i32)) {
        let columns = self.cells.column(low.0)..=self.cells.column(high.0);
        for row in self.cells.row(low.1)..=self.cells.row(high.1) {
            for column in columns.clone() {
                let cell = (row * self.cells.size().0 + column) as usize;
                self.words[cell / 64] |= 1 << (cell % 64);
            }
        }
    }

    /// Something may be in any cell that a circle touches.
    pub fn mark_around(&mut self, centre: (i32, i32), radius: i32) {
        self.cells.around(centre, radius, |cell| self.words[cell / 64] |= 1 << (cell % 64));
    }

    /// Something may be in the outermost cells, to which all that lies outside counts.
    pub fn mark_edges(&mut self) {
        for edge in [i32::MIN, i32::MAX] {
            self.mark((i32::MIN, edge), (i32::MAX, edge));
            self.mark((edge, i32::MIN), (edge, i32::MAX));
        }
    }

    /// Whether something may be at a point.
    #[inline]
    #[must_use]
    pub fn is_marked(&self, x: i32, y: i32) -> bool {
        let cell = self.cells.cell(x, y);
        self.words[cell / 64] >> (cell % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::Rng;

    #[test]
    fn a_point_in_what_is_marked_is_marked_and_one_far_from_all_is_not() {
        let cells = Cells::new(10_000, 8_000, 8);
        let (mut boxes, mut circles) = (Tiles::new(cells.clone()), Tiles::new(cells));
        let mut rng = Rng::new(1);
        let marked: Vec<(i32, i32, i32)> =
            (0..40).map(|_| (rng.between(-11_000, 11_000), rng.between(-9_000, 9_000), rng.between(1, 700))).collect();
        for &(x, y, reach) in &marked {
            boxes.mark((x - reach, y - reach), (x + reach, y + reach));
            circles.mark_around((x, y), reach);
        }
        for _ in 0..20_000 {
            let (x, y) = (rng.between(-9_000, 9_000), rng.between(-7_000, 7_000));
            let ways = marked.iter().map(|&(ox, oy, reach)| (f64::from(x - ox), f64::from(y - oy), f64::from(reach)));
            let in_box = |slack: f64| ways.clone().any(|(dx, dy, reach)| dx.abs().max(dy.abs()) <= reach + slack);
            let in_circle = |slack: f64| ways.clone().any(|(dx, dy, reach)| dx.hypot(dy) <= reach + slack);
            for (tiles, within) in [(&boxes, &in_box as &dyn Fn(f64) -> bool), (&circles, &in_circle)] {
                assert!(!within(0.0) || tiles.is_marked(x, y), "at {x},{y} something is");
                // A tile's diagonal.
                assert!(within(363.0) || !tiles.is_marked(x, y), "at {x},{y} nothing is near");
            }
        }
    }

    #[test]
    fn what_lies_outside_counts_to_the_edges() {
        let mut tiles = Tiles::new(Cells::new(1000, 800, 6));
        tiles.mark_edges();
        for (x, y) in [(1001, 0), (-1001, 0), (0, 801), (0, -801), (i32::MAX, i32::MIN)] {
            assert!(tiles.is_marked(x, y), "{x},{y} is outside");
        }
        assert!(!tiles.is_marked(0, 0) && !tiles.is_marked(-900, 700));
        let mut copy = Tiles::default();
        copy.copy_from(&tiles);
        assert!(copy.is_marked(1001, 0) && !copy.is_marked(0, 0));
    }
}
