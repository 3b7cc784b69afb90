//! Bolts fly live; the beam is judged where its shooter saw the others.

use super::map::ROCK_STEP_U;
use super::movement::{Deeds, Rock, muzzle};
use super::schema::{EVENT_BEAM, EVENT_SPARK, UNIT, WEAPON_BEAM, WEAPON_BOLT};
use super::state::{Bolt, Derived, Flier};
use super::{Arena, witnesses};
use crate::game::Events;
use crate::ids::{EntityId, Tick};
use crate::sim::fixed::{cos, isqrt, mul_shift, sin};

/// True if two circles overlap; as [`touch`](super::movement::touch), without the root.
#[inline]
fn overlap(dx: i32, dy: i32, reach: i32) -> bool {
    if dx.abs() >= reach || dy.abs() >= reach {
        return false;
    }
    let (dx, dy, reach) = (dx >> 5, dy >> 5, reach >> 5);
    dx * dx + dy * dy < reach * reach
}

/// What became of a bolt in a tick.
enum Flight {
    On,
    Ended,
    Spark(i32, i32),
    Hit(u16, i32, i32),
}

impl Arena {
    /// Bolts fly and hit, by ascending id.
    pub(super) fn fly_bolts(&mut self, events: &mut Events) {
        let Derived { ship_grid, obstacles, targets, .. } = &mut self.derived;
        targets.copy_from(obstacles);
        let reach = self.tuning.ship.radius_q12 + self.tuning.bolt.radius_q12;
        for flier in ship_grid.all() {
            targets.mark((flier.x - reach, flier.y - reach), (flier.x + reach, flier.y + reach));
        }
        let mut bolts = std::mem::take(&mut self.world.bolts);
        bolts.retain(|bolt| {
            let flight = self.fly_bolt(bolt);
            match flight {
                Flight::On => return true,
                Flight::Ended => {}
                Flight::Spark(x, y) => events.push(EVENT_SPARK, witnesses(bolt.id), &[x, y, i32::from(bolt.seat)]),
                Flight::Hit(seat, x, y) => self.hurt(seat, bolt.seat, bolt.damage, WEAPON_BOLT, (x, y), events),
            }
            self.end_id(bolt.id);
            false
        });
        self.world.bolts = bolts;
    }

    /// Looks at the middle and at the end of the bolt's way in this tick: a step of that length cannot leap over a ship.
    fn fly_bolt(&mut self, bolt: &Bolt) -> Flight {
        let (world, derived) = (&self.world, &mut self.derived);
        if world.tick >= bolt.expires {
            return Flight::Ended;
        }
        let (from_x, from_y) = bolt.place(world.tick - 1);
        let (to_x, to_y) = (from_x + bolt.vx, from_y + bolt.vy);
        let points = [(from_x + (bolt.vx >> 1), from_y + (bolt.vy >> 1)), (to_x, to_y)];
        if !points.iter().any(|&(x, y)| derived.targets.is_marked(x, y)) {
            return Flight::On;
        }
        let reach = self.tuning.ship.radius_q12 + self.tuning.bolt.radius_q12;
        let low = (from_x.min(to_x) - reach, from_y.min(to_y) - reach);
        let high = (from_x.max(to_x) + reach, from_y.max(to_y) + reach);
        let near = &mut derived.near;
        near.clear();
        derived.ship_grid.visit(low, high, |flier| {
            if (low.0..=high.0).contains(&flier.x) && (low.1..=high.1).contains(&flier.y) {
                near.push(flier);
            }
        });
        near.sort_unstable();
        let rocks = derived.rock_grid.near(from_x, from_y);
        for (x, y) in points {
            let rock = |rock: &Rock| overlap(x - rock.x, y - rock.y, rock.radius + self.tuning.bolt.radius_q12);
            if x.abs() > self.half_width || y.abs() > self.half_height || rocks.iter().any(rock) {
                let (width, height) = (self.half_width, self.half_height);
                return Flight::Spark(x.clamp(-width, width), y.clamp(-height, height));
            }
            for &Flier { seat, .. } in near.iter() {
                let ship = &world.ships[usize::from(seat)];
                if seat != bolt.seat && ship.alive() && overlap(x - ship.x, y - ship.y, reach) {
                    return Flight::Hit(seat, x, y);
                }
            }
        }
        Flight::On
    }

    /// What ships did in this tick becomes shots, by ascending id of the ship. A shot of one who was destroyed in this
    /// tick still counts: it was fired before.
    pub(super) fn shoot(&mut self, events: &mut Events) {
        let deeds = std::mem::take(&mut self.derived.deeds);
        for &(seat, Deeds { bolt, beam, .. }) in &deeds {
            if bolt {
                self.fire_bolt(seat);
            }
            if beam {
                self.fire_beam(seat, events);
            }
        }
        self.derived.deeds = deeds;
        self.merge_bolts();
    }

    fn fire_bolt(&mut self, seat: u16) {
        let world = &mut self.world;
        let ship = &world.ships[usize::from(seat)];
        let Some(id) = world.ids.take(Tick(world.tick as u32)) else { return };
        let [x, y, vx, vy] = muzzle(ship, &self.tuning);
        let damage =
            strength(self.tuning.bolt.damage_q6, ship.might_until, world.tick, self.tuning.pickup.might_damage_q8);
        let (born, expires) = (world.tick, world.tick + self.tuning.bolt.life_ticks);
        self.derived.new_bolts.push(Bolt { id: id.get(), x, y, vx, vy, born, expires, damage, seat });
    }

    /// New bolts take their places among the old, by ascending id: two sorted lists become one in a single pass.
    fn merge_bolts(&mut self) {
        let (new, old) = (&mut self.derived.new_bolts, &mut self.derived.old_bolts);
        if new.is_empty() {
            return;
        }
        new.sort_unstable_by_key(|bolt| bolt.id);
        std::mem::swap(&mut self.world.bolts, old);
        let bolts = &mut self.world.bolts;
        bolts.clear();
        let mut rest = old.iter().peekable();
        for bolt in new.drain(..) {
            while let Some(earlier) = rest.next_if(|earlier| earlier.id < bolt.id) {
                bolts.push(*earlier);
            }
            bolts.push(bolt);
        }
        bolts.extend(rest.copied());
    }

    /// The beam ends at the first thing on its way: a rock, or a ship where the shooter saw it, that is where it was
    /// `seen_ago` before this tick. Who was not there then, or is destroyed by now, is not hit.
    fn fire_beam(&mut self, seat: u16, events: &mut Events) {
        let (world, derived) = (&self.world, &mut self.derived);
        let shooter = &world.ships[usize::from(seat)];
        let seen_ago = derived.controls[usize::from(seat)].1;
        let ray = Ray { x: shooter.x, y: shooter.y, ahead_x: cos(shooter.heading), ahead_y: sin(shooter.heading) };
        let mut nearest = self.tuning.beam.range_u << 5;
        let mut hit = None;

        for at in 0..=nearest / (ROCK_STEP_U << 5) {
            // The rock grid knows what is near a point: ask at many.
            let (x, y) = ray.point(at * (ROCK_STEP_U << 5));
            for rock in derived.rock_grid.near(x, y) {
                if let Some(way) = ray.meets(rock.x, rock.y, rock.radius) {
                    nearest = nearest.min(way);
                }
            }
        }
        // Where a ship may be now that was on the beam then.
        let slack =
            world.history.depth() as i32 * self.tuning.ship.speed_max_q12_per_tick + self.tuning.ship.radius_q12;
        let (end_x, end_y) = ray.point(nearest);
        let low = (ray.x.min(end_x) - slack, ray.y.min(end_y) - slack);
        let high = (ray.x.max(end_x) + slack, ray.y.max(end_y) + slack);
        let near = &mut derived.near;
        near.clear();
        derived.ship_grid.visit(low, high, |flier| {
            if (low.0..=high.0).contains(&flier.x) && (low.1..=high.1).contains(&flier.y) {
                near.push(flier);
            }
        });
        near.sort_unstable();
        for &Flier { seat: other, .. } in &derived.near {
            if other == seat || !world.ships[usize::from(other)].alive() {
                continue;
            }
            let Some((x, y)) = world.history.rewind(usize::from(other), seen_ago) else { continue };
            if let Some(way) = ray.meets(x, y, self.tuning.ship.radius_q12 + self.tuning.beam.width_q12)
                && way < nearest
            {
                nearest = way;
                hit = Some(other);
            }
        }

        let (to_x, to_y) = ray.point(nearest);
        let (to_x, to_y) =
            (to_x.clamp(-self.half_width, self.half_width), to_y.clamp(-self.half_height, self.half_height));
        let damage =
            strength(self.tuning.beam.damage_q6, shooter.might_until, world.tick, self.tuning.pickup.might_damage_q8);
        let fields = [ray.x, ray.y, to_x, to_y, i32::from(seat), hit.map_or(0, |seat| i32::from(seat) + 1)];
        events.push(EVENT_BEAM, witnesses(world.pilots[usize::from(seat)].ship_id), &fields);
        if let Some(victim) = hit {
            self.hurt(victim, seat, damage, WEAPON_BEAM, (to_x, to_y), events);
        }
    }

    /// Takes all bolts that `ends` names out of the world.
    pub(super) fn end_bolts(&mut self, ends: impl Fn(&Bolt) -> bool) {
        let mut bolts = std::mem::take(&mut self.world.bolts);
        bolts.retain(|bolt| {
            let end = ends(bolt);
            if end {
                self.end_id(bolt.id);
            }
            !end
        });
        self.world.bolts = bolts;
    }

    /// Frees the id of something that is gone.
    pub(super) fn end_id(&mut self, id: u32) {
        let id = EntityId::new(id).expect("entities of the world have valid ids");
        self.world.ids.free(id, Tick(self.world.tick as u32));
    }
}

fn strength(damage: i32, might_until: i32, tick: i32, might_q8: i32) -> i32 {
    if tick < might_until { (damage * might_q8) >> 8 } else { damage }
}

/// A line from a point in a direction. Ways along it are in Q5 world units: with at most 1300 of them the products with
/// a Q14 direction stay in 31 bits.
#[derive(Clone, Copy, Debug)]
struct Ray {
    x: i32,
    y: i32,
    ahead_x: i32,
    ahead_y: i32,
}

impl Ray {
    fn point(&self, way: i32) -> (i32, i32) {
        (self.x + (mul_shift(self.ahead_x, way, 14) << 7), self.y + (mul_shift(self.ahead_y, way, 14) << 7))
    }

    /// How far along the ray a circle begins, if the ray meets it within reach of its arithmetic.
    fn meets(&self, x: i32, y: i32, radius: i32) -> Option<i32> {
        const FAR: i32 = 1100 * UNIT;
        let (dx, dy) = (x - self.x, y - self.y);
        if dx.abs() > FAR || dy.abs() > FAR {
            return None;
        }
        let (dx, dy, radius) = (dx >> 7, dy >> 7, radius >> 7);
        let across = (dy * self.ahead_x - dx * self.ahead_y) >> 14;
        let along = (dx * self.ahead_x + dy * self.ahead_y) >> 14;
        if across.abs() >= radius || along < 0 {
            return None;
        }
        Some((along - isqrt(radius * radius - across * across)).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::fixed::TURN;

    #[test]
    fn a_ray_meets_circles_where_geometry_says() {
        for step in 0..64 {
            let heading = step * (TURN / 64);
            let ray = Ray { x: 100 * UNIT, y: -50 * UNIT, ahead_x: cos(heading), ahead_y: sin(heading) };
            let (x, y) = ray.point(500 << 5);
            let way = ray.meets(x, y, 20 * UNIT).expect("dead on");
            assert!((way - (480 << 5)).abs() <= 8, "heading {heading}: {way}");
            // 25 units to the side of the line: a circle of 20 is missed, one of 30 is met.
            let (side_x, side_y) = (x - 25 * (ray.ahead_y >> 2), y + 25 * (ray.ahead_x >> 2));
            assert_eq!(ray.meets(side_x, side_y, 20 * UNIT), None, "heading {heading}");
            assert!(ray.meets(side_x, side_y, 30 * UNIT).is_some(), "heading {heading}");
            let (x, y) = ray.point(-(500 << 5));
            assert_eq!(ray.meets(x, y, 20 * UNIT), None, "heading {heading}: behind");
        }
    }
}
