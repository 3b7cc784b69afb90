//! The whole state of a match: what is saved, and what the state hash covers. What can be made from it anew lies in
//! [`Derived`].

use super::bots::Bot;
use super::leaving::{Escape, Wait};
use super::map::RockGrid;
use super::movement::{Controls, Deeds, Rock, ShipState};
use crate::game::{Decode, Encode};
use crate::sim::entity_ids::EntityIds;
use crate::sim::grid::Grid;
use crate::sim::history::History;
use crate::sim::rng::Rng;
use crate::sim::tiles::Tiles;

/// Everything that the next tick depends on, besides options and tuning.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) tick: i32,
    pub(super) rng: Rng,
    pub(super) ids: EntityIds,
    pub(super) round: Round,
    pub(super) match_id: u32,
    pub(super) rocks: Vec<Rock>,
    /// Ascending, one per rock.
    pub(super) rock_ids: Vec<u32>,
    pub(super) pads: Vec<Pad>,
    /// By seat, like the two below; what stands at a free seat means nothing.
    pub(super) ships: Vec<ShipState>,
    pub(super) pilots: Vec<Pilot>,
    pub(super) bots: Vec<Option<Bot>>,
    /// Taken seats by ascending id of their ship: the order of every pass over ships.
    pub(super) order: Vec<u16>,
    /// By ascending id.
    pub(super) bolts: Vec<Bolt>,
    pub(super) history: History,
    /// What those who left in this round have left to others.
    pub(super) waits: Vec<Wait>,
    /// Kills since the last tick.
    pub(super) escapes: Vec<Escape>,
}

/// Where the match stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Round {
    pub(super) phase: i32,
    pub(super) number: i32,
    /// The tick at which the phase ends.
    pub(super) ends_at: i32,
    /// Who leads, and at the end has won.
    pub(super) leader: Option<u16>,
    pub(super) best: i32,
}

/// Who sits in a seat, and all about it that is not its ship's flight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Pilot {
    pub(super) taken: bool,
    pub(super) ship_id: u32,
    pub(super) own_id: u32,
    pub(super) score_id: u32,
    pub(super) joined_at: i32,
    pub(super) score: i32,
    pub(super) kills: i32,
    pub(super) deaths: i32,
    pub(super) streak: i32,
    /// The sight cell that it counts to; kept while the ship is destroyed.
    pub(super) home: u32,
    /// Of the last tick, as others see it.
    pub(super) thrust: i32,
    pub(super) turn: i32,
    pub(super) firing: bool,
    pub(super) dashed_at: i32,
    /// When it last took damage, from which seat, and by what weapon.
    pub(super) hurt_at: i32,
    pub(super) hurt_by: u16,
    pub(super) hurt_with: i32,
    /// Whence its pilot came.
    pub(super) origin: Option<u64>,
    /// Another has waited for it in this life.
    pub(super) passed_on: bool,
}

/// A place where pickups appear.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Pad {
    pub(super) id: u32,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) sort: i32,
    /// A pickup lies there from this tick on.
    pub(super) ready_at: i32,
}

/// A bolt: at tick `t` it is at `(x + vx * (t - born), y + vy * (t - born))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Bolt {
    pub(super) id: u32,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) vx: i32,
    pub(super) vy: i32,
    pub(super) born: i32,
    pub(super) expires: i32,
    pub(super) damage: i32,
    pub(super) seat: u16,
}

impl Bolt {
    /// Where it is at a tick. Its life is short: the products stay in 32 bits.
    #[inline]
    pub(super) fn place(&self, tick: i32) -> (i32, i32) {
        let age = tick - self.born;
        (self.x + self.vx * age, self.y + self.vy * age)
    }
}

/// A ship that flew when the grid was filled. Small, since thousands of bolts look for ships around them: the ship itself
/// is asked only if it is near enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flier {
    /// Its place in the order of ships' ids, among those who fly.
    pub(super) place: u16,
    pub(super) seat: u16,
    pub(super) x: i32,
    pub(super) y: i32,
}

/// What follows from the state, and memory that a tick uses again and again. After every step and after `load` it
/// holds the same for equal states.
#[derive(Debug, Default)]
pub(super) struct Derived {
    pub(super) rock_grid: RockGrid,
    /// Where a bolt could meet a rock or a wall.
    pub(super) obstacles: Tiles,
    /// Where a bolt could meet anything in this tick.
    pub(super) targets: Tiles,
    /// Those who fly, by ascending id of the ship, each with its cell in `ship_grid`.
    pub(super) flying: Vec<(u32, Flier)>,
    /// The same by cell.
    pub(super) ship_grid: Grid<Flier>,
    /// What each seat does in this tick, and how far back it sees.
    pub(super) controls: Vec<(Controls, u16)>,
    /// What ships did in this tick, in the order of the pass.
    pub(super) deeds: Vec<(u16, Deeds)>,
    pub(super) near: Vec<Flier>,
    /// Ships that may touch, as places in `flying`.
    pub(super) pairs: Vec<(u16, u16)>,
    pub(super) new_bolts: Vec<Bolt>,
    pub(super) old_bolts: Vec<Bolt>,
    pub(super) sight: super::sight::Sight,
}
