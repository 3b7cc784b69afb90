//! What a hit does: shield, hull, the end of a ship, and what it counts.

use super::schema::{EVENT_HIT, EVENT_KILL};
use super::{Arena, witnesses};
use crate::game::{Audience, Events};

impl Arena {
    /// `seat` is hit by a shot of `by` at a place. Shield first; a protected ship takes nothing, which its hit shows.
    pub(super) fn hurt(
        &mut self,
        seat: u16,
        by: u16,
        amount: i32,
        weapon: i32,
        place: (i32, i32),
        events: &mut Events,
    ) {
        let world = &mut self.world;
        let at = usize::from(seat);
        let (ship, pilot) = (&mut world.ships[at], &mut world.pilots[at]);
        debug_assert!(ship.alive(), "seat {seat} is hit but does not fly");
        let amount = if world.tick < ship.protected_until { 0 } else { amount };
        let absorbed = amount.min(ship.shield);
        ship.shield -= absorbed;
        ship.hull -= amount - absorbed;
        if amount > 0 {
            ship.shield_at = world.tick + self.tuning.ship.shield_wait_ticks;
            pilot.hurt_at = world.tick;
            pilot.hurt_by = by;
            pilot.hurt_with = weapon;
        }
        let shielded = i32::from(absorbed == amount);
        let fields = [place.0, place.1, i32::from(seat), i32::from(by), amount, shielded, weapon];
        events.push(EVENT_HIT, witnesses(pilot.ship_id), &fields);
        if ship.hull <= 0 {
            self.destroy(seat, by, weapon, events);
        }
    }

    fn destroy(&mut self, seat: u16, by: u16, weapon: i32, events: &mut Events) {
        let world = &mut self.world;
        let ship = &mut world.ships[usize::from(seat)];
        ship.vx = 0;
        ship.vy = 0;
        ship.hull = 0;
        ship.shield = 0;
        ship.energy = 0;
        ship.beam_at = 0;
        ship.rapid_until = 0;
        ship.might_until = 0;
        ship.respawn_at = world.tick + self.tuning.ship.respawn_ticks;
        let (x, y) = (ship.x, ship.y);

        let victim_ship = world.pilots[usize::from(seat)].ship_id;
        let streak = self.count_kill(seat, by);
        // In a crowd that no screen shows, the news of every kill would be most of the bytes.
        let audience = if self.derived.sight.culls() { witnesses(victim_ship) } else { Audience::All };
        events.push(EVENT_KILL, audience, &[x, y, i32::from(seat), i32::from(by), weapon, streak]);
    }

    /// What the end of a ship counts on the board. Returns the killer's streak.
    pub(super) fn count_kill(&mut self, seat: u16, by: u16) -> i32 {
        let world = &mut self.world;
        let t = &self.tuning.score;
        let victim = &mut world.pilots[usize::from(seat)];
        let bonus = (victim.streak * t.streak_bonus).min(t.streak_bonus_max);
        victim.deaths += 1;
        victim.streak = 0;
        let killer = &mut world.pilots[usize::from(by)];
        // A bolt may outlast its shooter's stay; leaving takes bolts along, so the seat is still the shooter's.
        killer.kills += 1;
        killer.streak += 1;
        killer.score += t.kill + bonus;
        let (score, streak) = (killer.score, killer.streak);
        if score > world.round.best {
            world.round.best = score;
            world.round.leader = Some(by);
        }
        streak
    }
}
