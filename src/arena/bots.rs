//! Bots fly with the same controls as people. What keeps them fair:
//!
//! - They see others a fifth of a second late, from the history, and aim with an error that they choose anew a few
//!   times a second.
//! - They shoot in bursts, with pauses.
//! - They ease off on people who are new or who lose a lot: worse aim, longer pauses, and other targets first.
//! - They do not gang up: who is already hunted is a worse target, and nobody has more than two on him.
//!
//! All follows from the state; each bot has dice of its own, so the order in which bots are steered does not matter.

use super::Arena;
use super::movement::ShipState;
use super::schema::{
    INPUT_BEAM, INPUT_DASH, INPUT_FIRE, INPUT_THRUST, INPUT_TURN, LEVEL_MAX, PHASE_PLAY, SORT_REPAIR, UNIT,
};
use crate::game::{Decode, Encode, InputRow};
use crate::ids::SeatId;
use crate::sim::fixed::{cos, isqrt, sin};
use crate::sim::rng::Rng;

/// What one bot has in mind.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Bot {
    rng: Rng,
    goal: Goal,
    /// When it makes up its mind again.
    think_at: i32,
    /// How far it aims to the side, in 1/256 of the distance.
    aim_error: i32,
    /// It shoots until the first tick and rests until the second.
    burst_until: i32,
    rest_until: i32,
    /// It keeps the beam's key down until this tick at the latest; 0: it does not use the beam.
    beam_until: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
enum Goal {
    /// Fly to a place, Q12.
    Roam(i32, i32),
    /// Fetch the pickup of this pad.
    Fetch(u32),
    /// Hunt this seat.
    Hunt(u16),
    /// Fly past to a place until it thinks again.
    Break(i32, i32),
}

/// How late a bot sees others, in sixteenths of a tick: 200 ms at 60 Hz, a person's reaction.
const SEES_LATE: u16 = 12 * 16;
/// How far it looks for targets and pickups.
const LOOKS_U: i32 = 900;
/// It shoots at what is nearer than this: a bolt flies 66 ticks of 15 world units, but a far one is easily dodged.
const SHOOTS_U: i32 = 560;
/// Nearer than this it breaks away, so that two bots do not dance nose to nose.
const BREAKS_U: i32 = 80;
/// How long a person counts as new: the first minute.
const NEW_TICKS: i32 = 3600;
/// Most bots that hunt one ship.
const HUNTERS_MAX: i32 = 2;

impl Bot {
    pub(super) fn new(seed: u64, tick: i32, seat: SeatId) -> Self {
        let rng = Rng::fork(seed ^ 0xB07, u32::from(seat.0) << 16 ^ tick as u32);
        Self { rng, goal: Goal::Roam(0, 0), think_at: 0, aim_error: 0, burst_until: 0, rest_until: 0, beam_until: 0 }
    }
}

/// What it wants of its controls in this tick.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    /// Where to turn to, from the ship, in world units.
    dx: i32,
    dy: i32,
    thrust: i32,
    /// Shoot if the bow points there by and large.
    shoots: bool,
    /// The distance to the target, if there is one.
    distance: i32,
}

impl Arena {
    /// Fills in what a bot does in the coming tick.
    pub(super) fn steer(&mut self, seat: SeatId, out: &mut InputRow) {
        let at = seat.index();
        let Some(mut bot) = self.world.bots.get_mut(at).and_then(Option::take) else { return };
        let dash = out[INPUT_DASH];
        *out = InputRow::default();
        out[INPUT_DASH] = dash;
        if self.world.ships[at].alive() {
            self.steer_ship(&mut bot, at, out);
        } else {
            bot.think_at = 0;
            bot.beam_until = 0;
        }
        self.world.bots[at] = Some(bot);
    }

    fn steer_ship(&mut self, bot: &mut Bot, at: usize, out: &mut InputRow) {
        if self.world.tick >= bot.think_at || !self.makes_sense(bot.goal) {
            self.think(bot, at);
        }
        let (ship, tick) = (self.world.ships[at], self.world.tick);
        let mut wish = self.pursue(bot, at, &ship);
        if let Some((dx, dy)) = self.danger_ahead(&ship) {
            wish = Wish { dx, dy, thrust: LEVEL_MAX, ..wish };
        }

        let length = isqrt(wish.dx * wish.dx + wish.dy * wish.dy).max(1);
        let (ahead_x, ahead_y) = (cos(ship.heading), sin(ship.heading));
        let sine = (ahead_x * wish.dy - ahead_y * wish.dx) / length;
        let cosine = (ahead_x * wish.dx + ahead_y * wish.dy) / length;
        // A sine of one is 16384, and a full turn of a tick is 0.07 of a radian: an eighteenth closes half the gap.
        let turn = if cosine < 0 { sine.signum() * LEVEL_MAX } else { sine / 18 };
        let limit = 72 + i32::from(self.options.bot_skill_percent.min(100)) / 2;
        // In steps of 16: what others are told of the controls then changes seldom.
        out[INPUT_TURN] = turn.clamp(-limit, limit) / 16 * 16;
        out[INPUT_THRUST] = if cosine > 4096 { wish.thrust } else { wish.thrust.clamp(0, 32) };

        let wide = 8192.min(1200 + 16384 * 14 / wish.distance.max(1));
        let aligned = wish.shoots && cosine > 0 && sine.abs() < wide;
        if bot.beam_until != 0 {
            let charged = ship.beam_at != 0 && tick >= ship.beam_at;
            let done = charged && wish.shoots && cosine > 0 && sine.abs() < 500;
            if done || tick >= bot.beam_until {
                bot.beam_until = 0;
            } else {
                out[INPUT_BEAM] = 1;
            }
        } else if aligned && wish.distance < SHOOTS_U && tick < bot.burst_until {
            out[INPUT_FIRE] = 1;
        }
        if self.wants_to_dash(bot, at, &ship, cosine) {
            out[INPUT_DASH] = (out[INPUT_DASH] + 1) & 255;
        }
    }

    /// False if the goal is gone.
    fn makes_sense(&self, goal: Goal) -> bool {
        match goal {
            Goal::Roam(..) | Goal::Break(..) => true,
            Goal::Fetch(pad) => self.world.pads.get(pad as usize).is_some_and(|pad| pad.ready_at <= self.world.tick),
            Goal::Hunt(seat) => self.world.ships[usize::from(seat)].alive(),
        }
    }

    /// Chooses a goal, an error of aim, and when to shoot.
    fn think(&mut self, bot: &mut Bot, at: usize) {
        let tick = self.world.tick;
        bot.think_at = tick + bot.rng.between(12, 24);
        bot.goal = self.choose(bot, at);
        let ease = match bot.goal {
            Goal::Hunt(seat) => self.ease_on(usize::from(seat)),
            _ => 0,
        };
        let clumsy = 6 + (100 - i32::from(self.options.bot_skill_percent.min(100))) * 30 / 100 + ease * 20;
        bot.aim_error = bot.rng.between(-clumsy, clumsy);
        if tick >= bot.rest_until {
            bot.burst_until = tick + bot.rng.between(30, 60);
            bot.rest_until = bot.burst_until + bot.rng.between(20, 50) + ease * 25;
        }
        let ship = &self.world.ships[at];
        let rich = ship.energy > self.tuning.ship.energy_max_q6 / 2;
        if bot.beam_until == 0 && rich && ease == 0 && matches!(bot.goal, Goal::Hunt(_)) && bot.rng.chance(3) {
            bot.beam_until = tick + self.tuning.beam.charge_ticks + bot.rng.between(20, 60);
        }
    }

    fn choose(&mut self, bot: &mut Bot, at: usize) -> Goal {
        let ship = self.world.ships[at];
        let hurt = ship.hull < self.tuning.ship.hull_max_q6 * 2 / 5;
        if hurt || bot.rng.chance(25) {
            let reach = if hurt { LOOKS_U } else { 420 };
            let pads = self.world.pads.iter().enumerate();
            let wanted = pads.filter(|(_, pad)| pad.ready_at <= self.world.tick && (!hurt || pad.sort == SORT_REPAIR));
            let nearest = wanted.map(|(place, pad)| (distance_u(pad.x - ship.x, pad.y - ship.y), place as u32)).min();
            if let Some((_, pad)) = nearest.filter(|&(way, _)| way < reach) {
                return Goal::Fetch(pad);
            }
        }
        if self.world.round.phase == PHASE_PLAY
            && let Some(target) = self.find_target(bot, at, &ship)
        {
            return Goal::Hunt(target);
        }
        if let Goal::Roam(x, y) = bot.goal
            && distance_u(x - ship.x, y - ship.y) > 150
        {
            return bot.goal;
        }
        let mut one = |from: i32, half: i32| {
            let limit = half - 150 * UNIT;
            (from + bot.rng.between(-700, 700) * UNIT).clamp(-limit, limit)
        };
        Goal::Roam(one(ship.x, self.half_width), one(ship.y, self.half_height))
    }

    /// The seat that it likes best to hunt.
    fn find_target(&mut self, bot: &Bot, at: usize, ship: &ShipState) -> Option<u16> {
        let reach = LOOKS_U * UNIT;
        let mut near = std::mem::take(&mut self.derived.near);
        let (low, high) = ((ship.x - reach, ship.y - reach), (ship.x + reach, ship.y + reach));
        near.clear();
        self.derived.ship_grid.visit(low, high, |flier| near.push(flier));
        near.sort_unstable();
        let world = &self.world;
        let seats = || near.iter().map(|flier| flier.seat);
        let me = &world.pilots[at];
        let mut best: Option<(i32, u16)> = None;
        for seat in seats() {
            let other = &world.ships[usize::from(seat)];
            if usize::from(seat) == at || !other.alive() {
                continue;
            }
            let way = distance_u(other.x - ship.x, other.y - ship.y);
            let hunts = |hunter: u16| {
                usize::from(hunter) != at
                    && matches!(&world.bots[usize::from(hunter)], Some(bot) if bot.goal == Goal::Hunt(seat))
            };
            let hunters = seats().filter(|&hunter| hunts(hunter)).count() as i32;
            let ease = self.ease_on(usize::from(seat));
            if way > LOOKS_U || hunters >= HUNTERS_MAX || (ease > 0 && hunters > 0) {
                continue;
            }
            let mut dislike = way + 150 * ease + 400 * hunters;
            // It finishes what is begun, but not a weak player.
            if ease == 0 {
                dislike -= (self.tuning.ship.hull_max_q6 - other.hull) * 250 / self.tuning.ship.hull_max_q6;
            }
            if world.tick < other.protected_until {
                dislike += 500;
            }
            if bot.goal == Goal::Hunt(seat) {
                dislike -= 150;
            }
            if me.hurt_at != 0 && me.hurt_by == seat && world.tick - me.hurt_at < 180 {
                dislike -= 200;
            }
            if best.is_none_or(|(least, _)| dislike < least) {
                best = Some((dislike, seat));
            }
        }
        self.derived.near = near;
        best.map(|(_, seat)| seat)
    }

    /// How much it holds back on a seat: 0 for bots and for people who do well, up to 3.
    fn ease_on(&self, seat: usize) -> i32 {
        if self.world.bots[seat].is_some() {
            return 0;
        }
        let pilot = &self.world.pilots[seat];
        let new = if self.world.tick - pilot.joined_at < NEW_TICKS { 2 } else { 0 };
        (new + i32::from(pilot.deaths > pilot.kills + 2)).min(3)
    }

    fn pursue(&self, bot: &mut Bot, at: usize, ship: &ShipState) -> Wish {
        match bot.goal {
            Goal::Roam(x, y) => Self::fly_to(ship, x, y, 96),
            Goal::Break(x, y) => Self::fly_to(ship, x, y, LEVEL_MAX),
            Goal::Fetch(pad) => {
                let pad = &self.world.pads[pad as usize];
                // Aims at where it must push to end up there: the drift taken off.
                Self::fly_to(ship, pad.x - ship.vx * 20, pad.y - ship.vy * 20, LEVEL_MAX)
            }
            Goal::Hunt(seat) => self.hunt(bot, at, ship, usize::from(seat)),
        }
    }

    fn fly_to(ship: &ShipState, x: i32, y: i32, thrust: i32) -> Wish {
        let (dx, dy) = near_u(x - ship.x, y - ship.y);
        Wish { dx, dy, thrust, ..Wish::default() }
    }

    /// Turns to where the target will be when a bolt arrives, as far as a late look tells, and keeps some distance.
    fn hunt(&self, bot: &mut Bot, at: usize, ship: &ShipState, target: usize) -> Wish {
        let history = &self.world.history;
        let other = &self.world.ships[target];
        let (x, y) = history.rewind(target, SEES_LATE).unwrap_or((other.x, other.y));
        let (old_x, old_y) = history.rewind(target, SEES_LATE + 4 * 16).unwrap_or((x, y));
        let (dx, dy) = near_u(x - ship.x, y - ship.y);
        let distance = isqrt(dx * dx + dy * dy).max(1);
        if distance < BREAKS_U {
            // Past the target and on, to one side.
            let side = if (at + target).is_multiple_of(2) { 1 } else { -1 };
            let limit = |place: i32, half: i32| place.clamp(-(half - 150 * UNIT), half - 150 * UNIT);
            let break_x = limit(ship.x + (dx + side * dy) * 3 * UNIT, self.half_width);
            let break_y = limit(ship.y + (dy - side * dx) * 3 * UNIT, self.half_height);
            bot.goal = Goal::Break(break_x, break_y);
            bot.think_at = self.world.tick + bot.rng.between(20, 35);
            return Self::fly_to(ship, break_x, break_y, LEVEL_MAX);
        }
        // It reckons on as far as its look is late, and then for the bolt's way: 15 world units a tick.
        let ticks = distance / 15 + i32::from(SEES_LATE / 16);
        let lead = |now: i32, old: i32, mine: i32| ((((now - old) >> 2) - (mine >> 1)) * ticks) >> 12;
        let (lead_x, lead_y) = (lead(x, old_x, ship.vx), lead(y, old_y, ship.vy));
        let aim_x = dx + lead_x - ((dy * bot.aim_error) >> 8);
        let aim_y = dy + lead_y + ((dx * bot.aim_error) >> 8);
        let thrust = match distance {
            ..180 => -64,
            180..300 => 48,
            _ => LEVEL_MAX,
        };
        let visible = self.world.tick >= other.protected_until;
        Wish { dx: aim_x, dy: aim_y, thrust, shoots: visible && self.clear_shot(ship, dx, dy), distance }
    }

    /// True if no rock lies between the ship and what is `(dx, dy)` world units away: looks at each quarter of the way.
    fn clear_shot(&self, ship: &ShipState, dx: i32, dy: i32) -> bool {
        (1..4).all(|part| {
            let (x, y) = (ship.x + dx * part * (UNIT / 4), ship.y + dy * part * (UNIT / 4));
            self.derived.rock_grid.is_free(x, y, 8 * UNIT)
        })
    }

    /// Where to turn to, in world units, if the ship is about to strike a rock or a wall.
    fn danger_ahead(&self, ship: &ShipState) -> Option<(i32, i32)> {
        let bow = (cos(ship.heading) * 15, sin(ship.heading) * 15);
        let looks = [(ship.vx * 12, ship.vy * 12), (ship.vx * 24, ship.vy * 24), bow];
        for (ahead_x, ahead_y) in looks {
            let (x, y) = (ship.x + ahead_x, ship.y + ahead_y);
            let margin = 40 * UNIT;
            let beyond = |place: i32, half: i32| {
                if place > half - margin {
                    -1
                } else if place < margin - half {
                    1
                } else {
                    0
                }
            };
            let (inwards_x, inwards_y) = (beyond(x, self.half_width), beyond(y, self.half_height));
            if (inwards_x, inwards_y) != (0, 0) {
                // Inwards, and on along the wall.
                let along = |inwards: i32, v: i32| if inwards != 0 { 200 * inwards } else { 100 * v.signum() };
                return Some((along(inwards_x, ship.vx), along(inwards_y, ship.vy)));
            }
            for rock in self.derived.rock_grid.near(x, y) {
                let clear = rock.radius + self.tuning.ship.radius_q12 + 16 * UNIT;
                let (dx, dy) = (x - rock.x, y - rock.y);
                if dx.abs() < clear && dy.abs() < clear {
                    let (dx, dy) = (dx >> 12, dy >> 12);
                    if dx * dx + dy * dy < (clear >> 12) * (clear >> 12) {
                        // Past it on the side to which the way already leads, and outwards.
                        let (out_x, out_y) = near_u(ship.x - rock.x, ship.y - rock.y);
                        let side = if out_x * (ship.vy >> 6) - out_y * (ship.vx >> 6) >= 0 { 1 } else { -1 };
                        return Some((out_x - side * out_y, out_y + side * out_x));
                    }
                }
            }
        }
        None
    }

    /// A leap out of fire, or towards something far ahead.
    fn wants_to_dash(&self, bot: &mut Bot, at: usize, ship: &ShipState, cosine: i32) -> bool {
        let tick = self.world.tick;
        if tick < ship.dash_at || ship.energy < self.tuning.dash.cost_q6 * 2 || cosine < 8192 {
            return false;
        }
        let under_fire = self.world.pilots[at].hurt_at == tick && tick != 0;
        match bot.goal {
            _ if under_fire => bot.rng.chance(20),
            Goal::Break(..) | Goal::Fetch(_) => bot.rng.chance(1),
            _ => false,
        }
    }
}

/// A way in world units, each axis cut so that sums of squares and products with a Q14 sine stay in 31 bits.
fn near_u(dx: i32, dy: i32) -> (i32, i32) {
    ((dx >> 12).clamp(-10_000, 10_000), (dy >> 12).clamp(-10_000, 10_000))
}

fn distance_u(dx: i32, dy: i32) -> i32 {
    let (dx, dy) = near_u(dx, dy);
    isqrt(dx * dx + dy * dy)
}
