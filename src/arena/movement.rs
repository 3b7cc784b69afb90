//! One ship's tick: the part that clients predict. `client/arena/movement.js` mirrors this file function by function,
//! and `assets/golden/movement.json` holds both to the same bits.
//!
//! Nothing here knows other entities but the rocks and the one ship that is touched; damage, death, respawn and pickups
//! come from the server alone.

use super::schema::{LEVEL_MAX, OWN_FIELDS};
use super::tuning::Tuning;
use crate::game::{Decode, Encode};
use crate::sim::fixed::{ONE_Q14, TURN, cos, drag, isqrt, mul_shift, ratio, sin};

/// Everything that a ship's next tick depends on, besides its controls: the fields of an `own` row, in its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ShipState {
    /// Where it is, Q12 world units from the arena's centre.
    pub x: i32,
    /// y points down.
    pub y: i32,
    /// Q12 world units per tick.
    pub vx: i32,
    /// Q12 world units per tick.
    pub vy: i32,
    /// 0 ..= 65535, clockwise from the x axis.
    pub heading: i32,
    /// Q6 points.
    pub energy: i32,
    /// Q6 points.
    pub shield: i32,
    /// Q6 points.
    pub hull: i32,
    /// The first tick at which it may fire a bolt.
    pub fire_at: i32,
    /// The tick at which its beam is charged; 0 while it is not charging.
    pub beam_at: i32,
    /// The first tick at which it may dash.
    pub dash_at: i32,
    /// The first tick at which its shield grows.
    pub shield_at: i32,
    /// Nothing harms it before this tick.
    pub protected_until: i32,
    /// While it is destroyed: the tick at which it is back. 0 while it flies.
    pub respawn_at: i32,
    /// Rapid fire before this tick.
    pub rapid_until: i32,
    /// Harder hits before this tick.
    pub might_until: i32,
}

impl ShipState {
    /// As an `own` row.
    #[must_use]
    pub fn row(&self) -> [i32; OWN_FIELDS] {
        [
            self.x,
            self.y,
            self.vx,
            self.vy,
            self.heading,
            self.energy,
            self.shield,
            self.hull,
            self.fire_at,
            self.beam_at,
            self.dash_at,
            self.shield_at,
            self.protected_until,
            self.respawn_at,
            self.rapid_until,
            self.might_until,
        ]
    }

    /// True while it flies.
    #[inline]
    #[must_use]
    pub fn alive(&self) -> bool {
        self.respawn_at == 0
    }
}

/// What a seat does in a tick, from its input row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// -127 ..= 127.
    pub thrust: i32,
    /// -127 ..= 127, clockwise.
    pub turn: i32,
    /// Fire bolts.
    pub fire: bool,
    /// Charge the beam; letting go fires it.
    pub beam: bool,
    /// Leap.
    pub dash: bool,
}

/// What a ship did in its tick, to be turned into shots and events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// It fires a bolt.
    pub bolt: bool,
    /// It fires its beam.
    pub beam: bool,
    /// It dashed.
    pub dash: bool,
    /// The speed at which it struck a rock or a wall, Q12 per tick; 0 if it did not.
    pub bump: i32,
}

/// A circle that stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Rock {
    /// Its centre, Q12, on whole world units.
    pub x: i32,
    /// Its centre.
    pub y: i32,
    /// Q12, whole world units.
    pub radius: i32,
    /// A number from which clients draw its outline.
    pub shape: i32,
}

/// What a ship's tick depends on, besides the ship.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The tick that is being made.
    pub tick: i32,
    /// Weapons work: the round is being played.
    pub armed: bool,
    /// Half the arena's width, Q12.
    pub half_width: i32,
    /// Half the arena's height, Q12.
    pub half_height: i32,
    /// All rocks that the ship could touch, in ascending order of their ids.
    pub rocks: &'a [Rock],
}

/// Velocities are cut to this per axis after a contact, so that a pile-up cannot leave 32 bits.
const CONTACT_SPEED_MAX: i32 = 1 << 17;

/// One tick of one ship that flies: turn, recover, dash, thrust, drag, move, rocks, walls, weapons, in this order.
pub fn step_ship(ship: &mut ShipState, controls: &Controls, around: &Surroundings<'_>, tuning: &Tuning) -> Deeds {
    let mut deeds = Deeds::default();
    let t = &tuning.ship;
    ship.heading = (ship.heading + ratio(controls.turn, t.turn_brads_per_tick, LEVEL_MAX)) & (TURN - 1);
    ship.energy = (ship.energy + t.energy_regen_q6_per_tick).min(t.energy_max_q6);
    if around.tick >= ship.shield_at {
        ship.shield = (ship.shield + t.shield_regen_q6_per_tick).min(t.shield_max_q6);
    }

    let (ahead_x, ahead_y) = (cos(ship.heading), sin(ship.heading));
    if controls.dash && around.tick >= ship.dash_at && ship.energy >= tuning.dash.cost_q6 {
        ship.energy -= tuning.dash.cost_q6;
        ship.dash_at = around.tick + tuning.dash.wait_ticks;
        // Back when it reverses: a way out for someone who is looking at what is coming.
        let impulse =
            if controls.thrust < 0 { -tuning.dash.impulse_q12_per_tick } else { tuning.dash.impulse_q12_per_tick };
        ship.vx += mul_shift(ahead_x, impulse, 14);
        ship.vy += mul_shift(ahead_y, impulse, 14);
        deeds.dash = true;
    }
    let full = if controls.thrust < 0 { t.reverse_q12_per_tick2 } else { t.thrust_q12_per_tick2 };
    let push = ratio(controls.thrust, full, LEVEL_MAX);
    ship.vx = drag(ship.vx + mul_shift(ahead_x, push, 14), t.drag_q7);
    ship.vy = drag(ship.vy + mul_shift(ahead_y, push, 14), t.drag_q7);
    limit_speed(ship, t.speed_max_q12_per_tick);
    ship.x += ship.vx;
    ship.y += ship.vy;

    for rock in around.rocks {
        deeds.bump = deeds.bump.max(strike_rock(ship, rock, tuning));
    }
    deeds.bump = deeds.bump.max(strike_walls(ship, around, tuning));
    use_weapons(ship, controls, around, tuning, &mut deeds);
    deeds
}

fn limit_speed(ship: &mut ShipState, max: i32) {
    if ship.vx.abs() + ship.vy.abs() <= max {
        return;
    }
    let (vx, vy) = (ship.vx >> 4, ship.vy >> 4);
    let speed = isqrt(vx * vx + vy * vy);
    if speed > max >> 4 {
        ship.vx = ratio(ship.vx, max >> 4, speed);
        ship.vy = ratio(ship.vy, max >> 4, speed);
    }
}

/// How two circles touch: the unit vector from the second's centre to the first's in Q14, and how deep, in Q7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Q14.
    pub nx: i32,
    /// Q14.
    pub ny: i32,
    /// Q7 world units.
    pub depth: i32,
}

/// Whether two circles overlap, given the way from the second's centre to the first's and the sum of the radii, at most
/// 181 world units: the squares of Q7 distances fit 31 bits. Circles with one centre part along the x axis.
#[inline]
#[must_use]
pub fn touch(dx: i32, dy: i32, reach: i32) -> Option<Touch> {
    if dx.abs() >= reach || dy.abs() >= reach {
        return None;
    }
    let (dx, dy, reach) = (dx >> 5, dy >> 5, reach >> 5);
    let square = dx * dx + dy * dy;
    if square >= reach * reach {
        return None;
    }
    let distance = isqrt(square);
    if distance == 0 {
        return Some(Touch { nx: ONE_Q14, ny: 0, depth: reach });
    }
    Some(Touch { nx: ratio(dx, ONE_Q14, distance), ny: ratio(dy, ONE_Q14, distance), depth: reach - distance })
}

/// How fast `(vx, vy)` goes along a normal, Q8 per tick.
fn along(vx: i32, vy: i32, touch: Touch) -> i32 {
    ((vx >> 4) * touch.nx + (vy >> 4) * touch.ny) >> 14
}

/// Pushes the ship out of a rock and throws it back; the speed of the impact, 0 without one.
fn strike_rock(ship: &mut ShipState, rock: &Rock, tuning: &Tuning) -> i32 {
    let Some(touch) = touch(ship.x - rock.x, ship.y - rock.y, rock.radius + tuning.ship.radius_q12) else { return 0 };
    ship.x += (touch.nx * touch.depth) >> 9;
    ship.y += (touch.ny * touch.depth) >> 9;
    let speed = along(ship.vx, ship.vy, touch);
    if speed >= 0 {
        return 0;
    }
    let change = (speed * (256 + tuning.ship.rock_bounce_q8)) >> 8;
    ship.vx -= (touch.nx * change) >> 10;
    ship.vy -= (touch.ny * change) >> 10;
    -speed << 4
}

/// Keeps the ship inside and throws it back; the speed of the impact, 0 without one.
fn strike_walls(ship: &mut ShipState, around: &Surroundings<'_>, tuning: &Tuning) -> i32 {
    let radius = tuning.ship.radius_q12;
    let x = strike_wall(&mut ship.x, &mut ship.vx, around.half_width - radius, tuning.ship.wall_bounce_q8);
    let y = strike_wall(&mut ship.y, &mut ship.vy, around.half_height - radius, tuning.ship.wall_bounce_q8);
    x.max(y)
}

fn strike_wall(place: &mut i32, velocity: &mut i32, limit: i32, bounce: i32) -> i32 {
    let outwards = match *place {
        place if place > limit => *velocity,
        place if place < -limit => -*velocity,
        _ => return 0,
    };
    *place = (*place).clamp(-limit, limit);
    if outwards <= 0 {
        return 0;
    }
    *velocity = -ratio(*velocity, bounce, 256);
    outwards
}

fn use_weapons(
    ship: &mut ShipState,
    controls: &Controls,
    around: &Surroundings<'_>,
    tuning: &Tuning,
    deeds: &mut Deeds,
) {
    if !around.armed {
        ship.beam_at = 0;
        return;
    }
    if ship.beam_at != 0 {
        if !controls.beam {
            // Let go too early, it fizzles.
            deeds.beam = around.tick >= ship.beam_at;
            ship.beam_at = 0;
        }
    } else if controls.beam && ship.energy >= tuning.beam.cost_q6 {
        ship.energy -= tuning.beam.cost_q6;
        ship.beam_at = around.tick + tuning.beam.charge_ticks;
    } else if controls.fire && around.tick >= ship.fire_at {
        let rapid = around.tick < ship.rapid_until;
        let (cost, wait) = if rapid {
            (tuning.pickup.rapid_cost_q6, tuning.pickup.rapid_wait_ticks)
        } else {
            (tuning.bolt.cost_q6, tuning.bolt.wait_ticks)
        };
        if ship.energy >= cost {
            ship.energy -= cost;
            ship.fire_at = around.tick + wait;
            deeds.bolt = true;
        }
    }
    if deeds.bolt || deeds.beam {
        // Who attacks can be attacked.
        ship.protected_until = 0;
    }
}

/// Two ships that touch part and exchange what they have along the line between them; `first` has the smaller id. The
/// speed of the impact, Q12 per tick; 0 without one.
pub fn touch_ships(first: &mut ShipState, second: &mut ShipState, around: &Surroundings<'_>, tuning: &Tuning) -> i32 {
    let radius = tuning.ship.radius_q12;
    let Some(touch) = touch(first.x - second.x, first.y - second.y, 2 * radius) else { return 0 };
    let (px, py) = ((touch.nx * touch.depth) >> 10, (touch.ny * touch.depth) >> 10);
    let (limit_x, limit_y) = (around.half_width - radius, around.half_height - radius);
    first.x = (first.x + px).clamp(-limit_x, limit_x);
    first.y = (first.y + py).clamp(-limit_y, limit_y);
    second.x = (second.x - px).clamp(-limit_x, limit_x);
    second.y = (second.y - py).clamp(-limit_y, limit_y);
    let speed = along(first.vx - second.vx, first.vy - second.vy, touch);
    if speed >= 0 {
        return 0;
    }
    // Half of it each: they weigh the same.
    let change = (speed * (256 + tuning.ship.ship_bounce_q8)) >> 9;
    let (cx, cy) = ((touch.nx * change) >> 10, (touch.ny * change) >> 10);
    let cut = |v: i32| v.clamp(-CONTACT_SPEED_MAX, CONTACT_SPEED_MAX);
    first.vx = cut(first.vx - cx);
    first.vy = cut(first.vy - cy);
    second.vx = cut(second.vx + cx);
    second.vy = cut(second.vy + cy);
    -speed << 4
}

/// How far apart on either axis two ships may be, before any contact of a tick is resolved, to count as a pair in it.
#[must_use]
pub fn pair_reach(tuning: &Tuning) -> i32 {
    2 * tuning.ship.radius_q12 + (8 << 12)
}

/// Where a bolt starts and how it flies, as the ship is at the end of its tick, contacts included: x, y, vx, vy.
#[must_use]
pub fn muzzle(ship: &ShipState, tuning: &Tuning) -> [i32; 4] {
    let (ahead_x, ahead_y) = (cos(ship.heading), sin(ship.heading));
    let t = &tuning.bolt;
    [
        ship.x + mul_shift(ahead_x, t.muzzle_q12, 14),
        ship.y + mul_shift(ahead_y, t.muzzle_q12, 14),
        mul_shift(ahead_x, t.speed_q12_per_tick, 14) + mul_shift(ship.vx, t.inherit_q8, 8),
        mul_shift(ahead_y, t.speed_q12_per_tick, 14) + mul_shift(ship.vy, t.inherit_q8, 8),
    ]
}
