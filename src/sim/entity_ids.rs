//! Small entity ids, each out of use for a while after it was freed.
//!
//! Replication tells one life of an id from the next by the snapshot in which it was absent, and a client's picture of
//! the dead must have faded before another appears under its number.

use std::collections::VecDeque;

use crate::game::{Decode, Encode, ids_in};
use crate::ids::{EntityId, Tick};
use crate::sim::timing::quarantine_ticks;

/// Hands out ids, the longest-freed first, and a fresh one when none has rested long enough.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EntityIds {
    quarantine_ticks: u32,
    /// The smallest id never used.
    fresh: u32,
    /// Id and the tick at which it was freed, oldest first.
    resting: VecDeque<(u32, u32)>,
    /// One bit per id that is in use.
    live: Vec<u64>,
}

impl EntityIds {
    /// None is in use. A freed id rests for as long as a match with so many ticks a second needs.
    #[must_use]
    pub fn for_rate(tick_rate: u16) -> Self {
        Self::new(quarantine_ticks(tick_rate))
    }

    /// A freed id is out of use for `quarantine_ticks`; that must be longer than a snapshot interval.
    #[must_use]
    pub fn new(quarantine_ticks: u32) -> Self {
        Self { quarantine_ticks, fresh: 1, resting: VecDeque::new(), live: Vec::new() }
    }

    /// An id for something that begins at `now`. `None` when all ids are in use or resting.
    pub fn take(&mut self, now: Tick) -> Option<EntityId> {
        let rested = self.resting.front().is_some_and(|&(_, freed)| now.since(Tick(freed)) >= self.quarantine_ticks);
        let id = if rested {
            EntityId::new(self.resting.pop_front().expect("its front was just looked at").0)?
        } else {
            let id = EntityId::new(self.fresh)?;
            self.fresh += 1;
            id
        };
        let word = id.index() / 64;
        if word >= self.live.len() {
            self.live.resize(word + 1, 0);
        }
        self.live[word] |= 1 << (id.index() % 64);
        Some(id)
    }

    /// The thing with this id ended at `now`.
    ///
    /// # Panics
    /// If the id is not in use: two owners of one id is a mistake that would show far from here.
    pub fn free(&mut self, id: EntityId, now: Tick) {
        assert!(self.is_live(id), "entity {} is freed but not in use", id.get());
        self.live[id.index() / 64] &= !(1 << (id.index() % 64));
        self.resting.push_back((id.get(), now.0));
    }

    /// True while the id is in use.
    #[must_use]
    pub fn is_live(&self, id: EntityId) -> bool {
        self.live.get(id.index() / 64).is_some_and(|word| word >> (id.index() % 64) & 1 == 1)
    }

    /// All ids in use, ascending.
    pub fn iter(&self) -> impl Iterator<Item = EntityId> + '_ {
        ids_in(&self.live)
    }

    /// All ids ever used are below this.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.fresh as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_id_rests_for_two_seconds() {
        let mut ids = EntityIds::for_rate(60);
        let first = ids.take(Tick(0)).unwrap();
        ids.free(first, Tick(10));
        assert_ne!(ids.take(Tick(10)), Some(first));
        assert_ne!(ids.take(Tick(129)), Some(first));
        assert_eq!(ids.take(Tick(130)), Some(first));
        assert!(ids.is_live(first));
    }

    #[test]
    fn ids_stay_small_and_no_two_users_share_one() {
        let mut ids = EntityIds::new(5);
        let mut used: VecDeque<EntityId> = VecDeque::new();
        for now in 0..1000 {
            let id = ids.take(Tick(now)).unwrap();
            assert!(!used.contains(&id), "tick {now}: {} is in use", id.get());
            used.push_back(id);
            if used.len() > 20 {
                ids.free(used.pop_front().unwrap(), Tick(now));
            }
            let mut live: Vec<EntityId> = used.iter().copied().collect();
            live.sort_unstable();
            assert!(ids.iter().eq(live), "tick {now}");
        }
        assert!(ids.bound() <= 28, "20 in use, 6 resting, but ids up to {}", ids.bound());
    }

    #[test]
    fn ids_run_out_instead_of_overflowing() {
        let mut ids = EntityIds::new(1_000_000);
        for _ in 0..EntityId::MAX {
            ids.take(Tick(0)).unwrap();
        }
        assert_eq!(ids.take(Tick(0)), None);
        assert_eq!(ids.take(Tick(1)), None);
    }

    #[test]
    #[should_panic(expected = "freed but not in use")]
    fn freeing_twice_is_a_mistake_of_ours() {
        let mut ids = EntityIds::for_rate(60);
        let id = ids.take(Tick(0)).unwrap();
        ids.free(id, Tick(0));
        ids.free(id, Tick(0));
    }
}
