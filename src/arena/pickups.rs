//! What lies about: taken by the nearest ship that touches it, back somewhat later as something else.

use super::Arena;
use super::schema::{EVENT_PICKUP, SORT_CHARGE, SORT_RAPID, SORT_REPAIR, SORTS};
use super::state::Flier;
use super::{movement::touch, witnesses};
use crate::game::Events;

impl Arena {
    /// Ships take what they touch, by the order of the places.
    pub(super) fn take_pickups(&mut self, events: &mut Events) {
        let reach = self.tuning.ship.radius_q12 + self.tuning.pickup.radius_q12;
        for at in 0..self.world.pads.len() {
            let pad = &self.world.pads[at];
            if pad.ready_at > self.world.tick {
                continue;
            }
            let (x, y, sort) = (pad.x, pad.y, pad.sort);
            // How deep, as a smallest number, and who: the deepest is the nearest; of equals the smaller id.
            let mut taker: Option<(i32, Flier)> = None;
            self.derived.ship_grid.visit((x - reach, y - reach), (x + reach, y + reach), |flier| {
                if let Some(touch) = touch(flier.x - x, flier.y - y, reach)
                    && self.world.ships[usize::from(flier.seat)].alive()
                {
                    let candidate = (-touch.depth, flier);
                    taker = Some(taker.map_or(candidate, |best| best.min(candidate)));
                }
            });
            if let Some((_, Flier { seat, .. })) = taker {
                self.give(seat, sort);
                let ship_id = self.world.pilots[usize::from(seat)].ship_id;
                events.push(EVENT_PICKUP, witnesses(ship_id), &[x, y, i32::from(seat), sort]);
                self.refill(at);
            }
        }
    }

    fn give(&mut self, seat: u16, sort: i32) {
        let (ship, tick) = (&mut self.world.ships[usize::from(seat)], self.world.tick);
        let (t, limits) = (&self.tuning.pickup, &self.tuning.ship);
        match sort {
            SORT_REPAIR => ship.hull = (ship.hull + t.repair_q6).min(limits.hull_max_q6),
            SORT_CHARGE => {
                ship.energy = limits.energy_max_q6;
                ship.shield = limits.shield_max_q6;
            }
            SORT_RAPID => ship.rapid_until = tick + t.rapid_ticks,
            _ => ship.might_until = tick + t.might_ticks,
        }
    }

    /// Decides what lies at a place next, and when.
    fn refill(&mut self, at: usize) {
        let (world, t) = (&mut self.world, &self.tuning.pickup);
        world.pads[at].sort = world.rng.below(SORTS as u32);
        world.pads[at].ready_at = world.tick + world.rng.between(t.respawn_ticks_min, t.respawn_ticks_max);
    }
}
