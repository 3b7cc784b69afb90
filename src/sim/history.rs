//! Where things were in the last ticks: what lag compensation judges a shot by. Part of the game's state, saved with it.

use crate::game::{Decode, Encode};
use crate::sim::timing::history_ticks;

/// A ring of places per track. A track is a place in a table that outlives its occupants (a seat, say); its birth says
/// since when the present occupant is there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct History {
    depth: u32,
    newest: u32,
    tracks: u32,
    /// `(tick % depth) * tracks + track`.
    places: Vec<(i32, i32)>,
    born: Vec<u32>,
}

/// Parts of a tick that a rewind can name.
pub const PARTS_PER_TICK: u16 = 16;

impl History {
    /// Remembers what a shot may look back to in a match with so many ticks a second.
    #[must_use]
    pub fn for_rate(tick_rate: u16) -> Self {
        Self::new(history_ticks(tick_rate))
    }

    /// How many ticks it remembers, the present one included.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Remembers `depth` ticks, the present one included.
    ///
    /// # Panics
    /// If `depth < 2`: nothing lies between one tick and itself.
    #[must_use]
    pub fn new(depth: u32) -> Self {
        assert!(depth >= 2, "a history of {depth} ticks");
        Self { depth, newest: 0, tracks: 0, places: Vec::new(), born: Vec::new() }
    }

    /// Makes room for `tracks` tracks; those that are new have never been born.
    pub fn grow(&mut self, tracks: usize) {
        let (old, new) = (self.tracks as usize, tracks);
        if new <= old {
            return;
        }
        let mut places = vec![(0, 0); self.depth as usize * new];
        for slot in 0..self.depth as usize {
            places[slot * new..slot * new + old].copy_from_slice(&self.places[slot * old..(slot + 1) * old]);
        }
        self.places = places;
        self.tracks = new as u32;
        self.born.resize(new, u32::MAX);
    }

    /// Somebody new is on a track from `tick` on: nothing older is told of it.
    pub fn birth(&mut self, track: usize, tick: u32) {
        self.born[track] = tick;
    }

    /// The places of `tick`, one per track, to be written. Ticks must be contiguous.
    pub fn begin(&mut self, tick: u32) -> &mut [(i32, i32)] {
        debug_assert!(tick == self.newest + 1 || self.newest == 0, "tick {tick} after {}", self.newest);
        self.newest = tick;
        let tracks = self.tracks as usize;
        let start = (tick % self.depth) as usize * tracks;
        &mut self.places[start..start + tracks]
    }

    /// Where a track's occupant was `ago` sixteenths of a tick before the newest tick, between two ticks on a line. More
    /// than the ring holds counts as its oldest tick. `None` if the occupant was not born then.
    #[must_use]
    pub fn rewind(&self, track: usize, ago: u16) -> Option<(i32, i32)> {
        let longest = (self.depth - 1).min(self.newest) * u32::from(PARTS_PER_TICK);
        let ago = u32::from(ago).min(longest);
        let part = (ago % u32::from(PARTS_PER_TICK)) as i32;
        let later = self.newest - ago / u32::from(PARTS_PER_TICK);
        let earlier = later - u32::from(part != 0);
        if self.born[track] > earlier {
            return None;
        }
        let (x, y) = self.place(track, later);
        let (earlier_x, earlier_y) = self.place(track, earlier);
        // Within one life a tick is a short way: the products stay in 32 bits.
        Some((x + (((earlier_x - x) * part) >> 4), y + (((earlier_y - y) * part) >> 4)))
    }

    fn place(&self, track: usize, tick: u32) -> (i32, i32) {
        self.places[(tick % self.depth) as usize * self.tracks as usize + track]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Track 0 moves by (160, -320) a tick; track 1 stands.
    fn moving(depth: u32, ticks: u32) -> History {
        let mut history = History::new(depth);
        history.grow(2);
        history.birth(0, 1);
        history.birth(1, 1);
        for tick in 1..=ticks {
            let places = history.begin(tick);
            places[0] = (tick as i32 * 160, tick as i32 * -320);
            places[1] = (7, 7);
        }
        history
    }

    #[test]
    fn it_tells_every_sixteenth_of_a_tick() {
        let history = moving(8, 50);
        for ago in 0..=7 * 16_u16 {
            let part = i32::from(ago) * 10;
            assert_eq!(history.rewind(0, ago), Some((8000 - part, -16_000 + 2 * part)), "ago {ago}");
            assert_eq!(history.rewind(1, ago), Some((7, 7)));
        }
    }

    #[test]
    fn more_than_it_holds_counts_as_the_oldest() {
        assert_eq!(moving(8, 50).rewind(0, u16::MAX), Some((43 * 160, -43 * 320)));
        assert_eq!(moving(8, 3).rewind(1, 2 * 16), Some((7, 7)));
    }

    #[test]
    fn nobody_is_found_before_its_birth() {
        let mut history = moving(8, 50);
        history.birth(0, 48);
        assert!(history.rewind(0, 2 * 16).is_some());
        assert_eq!(history.rewind(0, 2 * 16 + 1), None, "between 47 and 48 it was not there yet");
        assert_eq!(history.rewind(0, 5 * 16), None);
        assert!(history.rewind(1, 5 * 16).is_some());
    }

    #[test]
    fn growing_keeps_what_is_known() {
        let mut history = moving(8, 50);
        let before: Vec<_> = (0..100).map(|ago| history.rewind(0, ago)).collect();
        history.grow(40);
        assert_eq!(before, (0..100).map(|ago| history.rewind(0, ago)).collect::<Vec<_>>());
        assert_eq!(history.rewind(39, 0), None, "a track that was never born");
    }
}
