//! A match is rounds without end: play, the results board, a new map while everybody waits, play.

use super::map::lay_out;
use super::schema::{EVENT_ROUND_END, EVENT_ROUND_START, PHASE_PLAY, PHASE_READY, PHASE_RESULTS, SORTS};
use super::state::Pad;
use super::{Arena, TICK_RATE};
use crate::game::{Audience, Events};
use crate::ids::Tick;
use crate::sim::rng::Rng;

/// Half of the pickups lie there at once, the others within this time: the first minute has something to race for.
const FIRST_PICKUPS_TICKS: i32 = 600;

impl Arena {
    /// Moves on to the next phase when its time has come.
    pub(super) fn advance_round(&mut self, events: &mut Events) {
        if self.world.tick < self.world.round.ends_at {
            return;
        }
        match self.world.round.phase {
            PHASE_PLAY => self.end_play(events),
            PHASE_RESULTS => self.make_ready(),
            _ => self.begin_play(events),
        }
    }

    fn end_play(&mut self, events: &mut Events) {
        self.end_bolts(|_| true);
        let round = &mut self.world.round;
        round.phase = PHASE_RESULTS;
        round.ends_at = self.world.tick + self.tuning.round.results_ticks;
        let winner = round.leader.map_or(0, |seat| i32::from(seat) + 1);
        events.push(EVENT_ROUND_END, Audience::All, &[round.number, winner, round.best]);
    }

    /// Scores go, the new map comes, and no ship is out: long enough that nobody's picture slides across the map.
    fn make_ready(&mut self) {
        let world = &mut self.world;
        let round = &mut world.round;
        round.phase = PHASE_READY;
        round.number += 1;
        round.ends_at = world.tick + self.tuning.round.ready_ticks;
        round.leader = None;
        round.best = 0;
        let ends_at = round.ends_at;
        world.waits.clear();
        for &seat in &world.order {
            let (ship, pilot) = (&mut world.ships[usize::from(seat)], &mut world.pilots[usize::from(seat)]);
            ship.vx = 0;
            ship.vy = 0;
            ship.beam_at = 0;
            ship.rapid_until = 0;
            ship.might_until = 0;
            ship.respawn_at = ends_at;
            pilot.score = 0;
            pilot.kills = 0;
            pilot.deaths = 0;
            pilot.streak = 0;
        }
        self.clear_map();
        self.make_map();
    }

    fn begin_play(&mut self, events: &mut Events) {
        let ends_at = self.world.tick + self.play_ticks();
        let round = &mut self.world.round;
        round.phase = PHASE_PLAY;
        round.ends_at = ends_at;
        events.push(EVENT_ROUND_START, Audience::All, &[round.number]);
    }

    /// How long a round is played.
    pub(super) fn play_ticks(&self) -> i32 {
        // A day is more than any round: the sum with a tick number stays in 31 bits.
        self.options
            .round_seconds
            .map_or(self.tuning.round.play_ticks, |seconds| seconds.clamp(1, 86_400) as i32 * i32::from(TICK_RATE))
    }

    /// Rocks and places of pickups go.
    fn clear_map(&mut self) {
        let rocks = std::mem::take(&mut self.world.rock_ids);
        let pads = std::mem::take(&mut self.world.pads);
        for id in rocks.into_iter().chain(pads.into_iter().map(|pad| pad.id)) {
            self.end_id(id);
        }
    }

    /// The map of this round: the same for the same seed and number.
    pub(super) fn make_map(&mut self) {
        let world = &mut self.world;
        let layout = lay_out(map_seed(world.seed, world.round.number), &self.options, &self.tuning);
        let now = Tick(world.tick as u32);
        let mut take = || world.ids.take(now).map(crate::ids::EntityId::get);
        // Ascending ids: clients that predict go through rocks in that order.
        let mut rock_ids: Vec<u32> = layout.rocks.iter().map_while(|_| take()).collect();
        rock_ids.sort_unstable();
        let pad_ids: Vec<u32> = layout.pads.iter().map_while(|_| take()).collect();
        world.rocks = layout.rocks;
        world.rocks.truncate(rock_ids.len());
        world.rock_ids = rock_ids;
        world.pads = Vec::with_capacity(pad_ids.len());
        for (at, (id, (x, y))) in pad_ids.into_iter().zip(layout.pads).enumerate() {
            let sort = world.rng.below(SORTS as u32);
            let wait = if at % 2 == 0 { 0 } else { world.rng.between(0, FIRST_PICKUPS_TICKS) };
            world.pads.push(Pad { id, x, y, sort, ready_at: world.tick + wait });
        }
        self.file_rocks();
    }

    /// Finds who leads, after a seat became free. Of equals the smaller seat.
    pub(super) fn find_leader(&mut self) {
        let world = &mut self.world;
        let leads = world.pilots.iter().enumerate().filter(|(_, pilot)| pilot.taken && pilot.score > 0);
        let leader = leads.max_by_key(|&(seat, pilot)| (pilot.score, std::cmp::Reverse(seat)));
        world.round.best = leader.map_or(0, |(_, pilot)| pilot.score);
        world.round.leader = leader.map(|(seat, _)| seat as u16);
    }
}

fn map_seed(seed: u64, round: i32) -> u64 {
    let mut rng = Rng::fork(seed, round as u32);
    u64::from(rng.next_u32()) << 32 | u64::from(rng.next_u32())
}
