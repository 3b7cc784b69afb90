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
    fn a_point_in_a_marked_box_is_marked_and_one_far_from_all_is_not() {
        let mut tiles = Tiles::new(Cells::new(10_000, 8_000, 8));
        let mut rng = Rng::new(1);
        let boxes: Vec<_> = (0..40)
            .map(|_| {
                let (x, y) = (rng.between(-11_000, 11_000), rng.between(-9_000, 9_000));
                ((x, y), (x + rng.between(0, 700), y + rng.between(0, 700)))
            })
            .collect();
        boxes.iter().for_each(|&(low, high)| tiles.mark(low, high));
        let within = |x: i32, y: i32, slack: i32| {
            boxes.iter().any(|&(low, high)| {
                (low.0 - slack..=high.0 + slack).contains(&x) && (low.1 - slack..=high.1 + slack).contains(&y)
            })
        };
        for _ in 0..20_000 {
            let (x, y) = (rng.between(-9_000, 9_000), rng.between(-7_000, 7_000));
            assert!(!within(x, y, 0) || tiles.is_marked(x, y), "at {x},{y} something is");
            assert!(within(x, y, 256) || !tiles.is_marked(x, y), "at {x},{y} nothing is near");
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
