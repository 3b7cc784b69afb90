//! The simulation's own dice: xorshift on 32 bits, no multiplication, so JavaScript needs no `Math.imul`.
//!
//! Not for tokens, seeds or anything that must not be guessed.

use crate::game::{Decode, Encode};

/// A stream of numbers that follows from its seed alone (Marsaglia's xorshift with 13, 17, 5).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Rng {
    /// Never 0: from there the stream would not move.
    state: u32,
}

impl Rng {
    /// The stream of a seed. Equal low and high halves, 0 included, are fine.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mixed = (seed as u32) ^ ((seed >> 32) as u32).rotate_left(16) ^ 0x9E37_79B9;
        let mut rng = Self { state: if mixed == 0 { 0x9E37_79B9 } else { mixed } };
        // Seeds that differ by one bit give near streams at first.
        for _ in 0..8 {
            rng.next_u32();
        }
        rng
    }

    /// The stream of one of many users of a seed: a seat's own dice, say.
    #[must_use]
    pub fn fork(seed: u64, user: u32) -> Self {
        Self::new(seed ^ (u64::from(user).wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// The next 32 bits, never all zero.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        let mut x = self.state;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.state = x;
        x
    }

    /// A number in `0 .. bound`, from the high bits. `bound` is 1 to 65536: the product stays in 32 bits.
    #[inline]
    pub fn below(&mut self, bound: u32) -> i32 {
        debug_assert!((1..=1 << 16).contains(&bound), "bound {bound}");
        ((u64::from(self.next_u32() >> 16) * u64::from(bound)) >> 16) as i32
    }

    /// A number in `low ..= high`; the span is at most 65535.
    #[inline]
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low) as u32 + 1)
    }

    /// True `percent` times in a hundred.
    #[inline]
    pub fn chance(&mut self, percent: u32) -> bool {
        (self.below(100) as u32) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_one_that_other_languages_make() {
        let mut rng = Rng { state: 1 };
        assert_eq!([rng.next_u32(), rng.next_u32(), rng.next_u32()], [270_369, 67_634_689, 2_647_435_461]);
    }

    #[test]
    fn every_seed_moves_and_near_seeds_differ() {
        let firsts: Vec<u32> = (0..200).map(|seed| Rng::new(seed).next_u32()).collect();
        for (at, first) in firsts.iter().enumerate() {
            assert_ne!(*first, 0);
            assert!(!firsts[at + 1..].contains(first), "seed {at} is not alone with {first}");
        }
        // The one seed whose mix is 0.
        assert_ne!(Rng::new(0x9E37_79B9).next_u32(), 0);
        assert_ne!(Rng::fork(7, 0), Rng::fork(7, 1));
    }

    #[test]
    fn numbers_keep_to_their_range_and_fill_it() {
        let mut rng = Rng::new(5);
        let mut seen = [0_u32; 7];
        for _ in 0..7000 {
            seen[(rng.between(-3, 3) + 3) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (800..1200).contains(&count)), "{seen:?}");
        assert_eq!(rng.below(1), 0);
        assert!((0..1000).all(|_| rng.below(65_536) < 65_536));
        assert!(!rng.chance(0) && rng.chance(100));
    }
}
