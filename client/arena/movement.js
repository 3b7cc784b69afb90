// One ship's tick, bit for bit as the server makes it: the mirror of src/arena/movement.rs, function by function.
// assets/golden/movement.json holds both to the same numbers; change both files together.
//
// All numbers are integers of 32 bits. No intermediate leaves 31 bits, so plain `*` is exact; every result that could
// carry a fraction is cut with `>>` or `| 0`. No DOM, no clock, no view: the adapter fills the objects from rows.
//
//   const ship = newShip();
//   loadOwn(ship, row);                                       // the exact values of an `own` row, in schema order
//   const { bolt, beam } = stepShip(ship, controls, around, tuning);
//   touchShips(first, second, around, tuning);                // for each near pair, ascending ids, after all have stepped
//   if (bolt) [x, y, vx, vy] = muzzle(ship, tuning);          // after the touches
//   words(ship)                                               // to compare with the next own row, word by word
//
// A destroyed ship (respawn_at != 0) is not stepped. Damage, pickups and respawns come from the server alone.

import { SINE } from './sine.js';

/**
 * @typedef {object} Ship Exact units, names and order of the schema's kind `own`.
 * @property {number} x Q12 world units from the arena's centre
 * @property {number} y
 * @property {number} vx Q12 world units per tick
 * @property {number} vy
 * @property {number} heading 0 to 65535, clockwise from the x axis
 * @property {number} energy Q6 points
 * @property {number} shield
 * @property {number} hull
 * @property {number} fire_at first tick at which a bolt may be fired
 * @property {number} beam_at tick at which the beam is charged, 0 while it is not charging
 * @property {number} dash_at first tick at which it may dash
 * @property {number} shield_at first tick at which the shield grows
 * @property {number} protected_until nothing harms it before this tick
 * @property {number} respawn_at while destroyed, the tick at which it is back; 0 while it flies
 * @property {number} rapid_until
 * @property {number} might_until
 */
/**
 * @typedef {object} Controls
 * @property {number} thrust -127 to 127
 * @property {number} turn -127 to 127, clockwise
 * @property {boolean} fire
 * @property {boolean} beam
 * @property {boolean} dash pressed at least once for this tick
 */
/**
 * @typedef {object} Around
 * @property {number} tick the tick that is being made
 * @property {boolean} armed weapons work: the phase of that tick is play
 * @property {number} halfWidth Q12, from the match row
 * @property {number} halfHeight
 * @property {Rock[]} rocks those that could be touched (more do no harm), by ascending id
 */
/** @typedef {{ x: number, y: number, radius: number }} Rock Q12 */
/**
 * @typedef {object} Deeds What a ship did in its tick. The object is used again by the next call.
 * @property {boolean} bolt it fires a bolt: see `muzzle`
 * @property {boolean} beam it fires its beam
 * @property {boolean} dash
 * @property {number} bump the speed at which it struck a rock or a wall, Q12 per tick
 */
/** @typedef {any} Tuning assets/arena/tuning.json, parsed: Welcome carries its bytes */

const TURN = 65_536;
const ONE_Q14 = 16_384;
const LEVEL_MAX = 127;
const CONTACT_SPEED_MAX = 131_072;

/** @returns {Ship} */
export function newShip() {
  return {
    x: 0, y: 0, vx: 0, vy: 0, heading: 0, energy: 0, shield: 0, hull: 0, fire_at: 0, beam_at: 0, dash_at: 0, shield_at: 0,
    protected_until: 0, respawn_at: 0, rapid_until: 0, might_until: 0,
  };
}

const OWN_FIELDS = /** @type {(keyof Ship)[]} */ (Object.keys(newShip()));

/**
 * Fills a ship from an `own` row: exact values, in schema order.
 * @param {Ship} ship
 * @param {ArrayLike<number>} row
 */
export function loadOwn(ship, row) {
  for (let i = 0; i < OWN_FIELDS.length; i++) ship[OWN_FIELDS[i]] = row[i];
}

/**
 * The ship as an `own` row.
 * @param {Ship} ship
 * @returns {number[]}
 */
export function words(ship) {
  return OWN_FIELDS.map((field) => ship[field]);
}

/**
 * The sine of a heading, Q14.
 * @param {number} heading
 */
export function sin(heading) {
  return SINE[(heading >> 6) & 1023];
}

/**
 * The cosine of a heading, Q14.
 * @param {number} heading
 */
export function cos(heading) {
  return SINE[((heading >> 6) + 256) & 1023];
}

/**
 * The largest integer whose square is at most n; 0 for negative n.
 * @param {number} n
 */
export function isqrt(n) {
  if (n <= 0) return 0;
  let rest = n;
  let root = 0;
  let bit = 1 << 30;
  while (bit > rest) bit >>= 2;
  while (bit !== 0) {
    if (rest >= root + bit) {
      rest -= root + bit;
      root = (root >> 1) + bit;
    } else root >>= 1;
    bit >>= 2;
  }
  return root;
}

/**
 * Takes shareQ7 / 128 off a velocity, rounded away from zero: sign and magnitude apart, so that it comes to rest.
 * @param {number} v
 * @param {number} shareQ7
 */
export function drag(v, shareQ7) {
  const loss = (Math.abs(v) * shareQ7 + 127) >> 7;
  return v < 0 ? v + loss : v - loss;
}

/**
 * a * b / 2^shift, to the nearest, halves upwards.
 * @param {number} a
 * @param {number} b
 * @param {number} shift
 */
export function mulShift(a, b, shift) {
  return (a * b + (1 << (shift - 1))) >> shift;
}

/**
 * value * numerator / denominator, towards zero.
 * @param {number} value
 * @param {number} numerator
 * @param {number} denominator
 */
export function ratio(value, numerator, denominator) {
  return ((value * numerator) / denominator) | 0;
}

/** @type {Deeds} */
const deeds = { bolt: false, beam: false, dash: false, bump: 0 };

/**
 * One tick of one ship that flies: turn, recover, dash, thrust, drag, move, rocks, walls, weapons, in this order.
 * @param {Ship} ship
 * @param {Controls} controls
 * @param {Around} around
 * @param {Tuning} tuning
 * @returns {Deeds}
 */
export function stepShip(ship, controls, around, tuning) {
  const t = tuning.ship;
  deeds.bolt = false;
  deeds.beam = false;
  deeds.dash = false;
  deeds.bump = 0;
  ship.heading = (ship.heading + ratio(controls.turn, t.turn_brads_per_tick, LEVEL_MAX)) & (TURN - 1);
  ship.energy = Math.min(ship.energy + t.energy_regen_q6_per_tick, t.energy_max_q6);
  if (around.tick >= ship.shield_at) ship.shield = Math.min(ship.shield + t.shield_regen_q6_per_tick, t.shield_max_q6);

  const aheadX = cos(ship.heading);
  const aheadY = sin(ship.heading);
  if (controls.dash && around.tick >= ship.dash_at && ship.energy >= tuning.dash.cost_q6) {
    ship.energy -= tuning.dash.cost_q6;
    ship.dash_at = around.tick + tuning.dash.wait_ticks;
    const impulse = controls.thrust < 0 ? -tuning.dash.impulse_q12_per_tick : tuning.dash.impulse_q12_per_tick;
    ship.vx += mulShift(aheadX, impulse, 14);
    ship.vy += mulShift(aheadY, impulse, 14);
    deeds.dash = true;
  }
  const full = controls.thrust < 0 ? t.reverse_q12_per_tick2 : t.thrust_q12_per_tick2;
  const push = ratio(controls.thrust, full, LEVEL_MAX);
  ship.vx = drag(ship.vx + mulShift(aheadX, push, 14), t.drag_q7);
  ship.vy = drag(ship.vy + mulShift(aheadY, push, 14), t.drag_q7);
  limitSpeed(ship, t.speed_max_q12_per_tick);
  ship.x += ship.vx;
  ship.y += ship.vy;

  for (let i = 0; i < around.rocks.length; i++) deeds.bump = Math.max(deeds.bump, strikeRock(ship, around.rocks[i], tuning));
  deeds.bump = Math.max(deeds.bump, strikeWalls(ship, around, tuning));
  useWeapons(ship, controls, around, tuning);
  return deeds;
}

/**
 * @param {Ship} ship
 * @param {number} max
 */
function limitSpeed(ship, max) {
  if (Math.abs(ship.vx) + Math.abs(ship.vy) <= max) return;
  const vx = ship.vx >> 4;
  const vy = ship.vy >> 4;
  const speed = isqrt(vx * vx + vy * vy);
  if (speed > max >> 4) {
    ship.vx = ratio(ship.vx, max >> 4, speed);
    ship.vy = ratio(ship.vy, max >> 4, speed);
  }
}

/** How two circles touch; used again by the next call. The unit vector from the second to the first in Q14, depth in Q7. */
const contact = { nx: 0, ny: 0, depth: 0 };

/**
 * Whether two circles overlap, given the way from the second's centre to the first's and the sum of the radii.
 * @param {number} dx
 * @param {number} dy
 * @param {number} reach at most 181 world units
 * @returns {typeof contact | null}
 */
export function touch(dx, dy, reach) {
  if (Math.abs(dx) >= reach || Math.abs(dy) >= reach) return null;
  const x = dx >> 5;
  const y = dy >> 5;
  const r = reach >> 5;
  const square = x * x + y * y;
  if (square >= r * r) return null;
  const distance = isqrt(square);
  if (distance === 0) {
    contact.nx = ONE_Q14;
    contact.ny = 0;
    contact.depth = r;
  } else {
    contact.nx = ratio(x, ONE_Q14, distance);
    contact.ny = ratio(y, ONE_Q14, distance);
    contact.depth = r - distance;
  }
  return contact;
}

/**
 * How fast (vx, vy) goes along the contact's normal, Q8 per tick.
 * @param {number} vx
 * @param {number} vy
 */
function along(vx, vy) {
  return ((vx >> 4) * contact.nx + (vy >> 4) * contact.ny) >> 14;
}

/**
 * @param {Ship} ship
 * @param {Rock} rock
 * @param {Tuning} tuning
 * @returns {number} the speed of the impact
 */
function strikeRock(ship, rock, tuning) {
  if (touch(ship.x - rock.x, ship.y - rock.y, rock.radius + tuning.ship.radius_q12) === null) return 0;
  const { nx, ny, depth } = contact;
  ship.x += (nx * depth) >> 9;
  ship.y += (ny * depth) >> 9;
  const speed = along(ship.vx, ship.vy);
  if (speed >= 0) return 0;
  const change = (speed * (256 + tuning.ship.rock_bounce_q8)) >> 8;
  ship.vx -= (nx * change) >> 10;
  ship.vy -= (ny * change) >> 10;
  return -speed << 4;
}

/**
 * @param {Ship} ship
 * @param {Around} around
 * @param {Tuning} tuning
 * @returns {number} the speed of the impact
 */
function strikeWalls(ship, around, tuning) {
  const { radius_q12: radius, wall_bounce_q8: bounce } = tuning.ship;
  const limitX = around.halfWidth - radius;
  const limitY = around.halfHeight - radius;
  let impact = 0;
  if (ship.x > limitX || ship.x < -limitX) {
    const outwards = ship.x > limitX ? ship.vx : -ship.vx;
    ship.x = clamp(ship.x, limitX);
    if (outwards > 0) {
      ship.vx = 0 - ratio(ship.vx, bounce, 256);
      impact = outwards;
    }
  }
  if (ship.y > limitY || ship.y < -limitY) {
    const outwards = ship.y > limitY ? ship.vy : -ship.vy;
    ship.y = clamp(ship.y, limitY);
    if (outwards > 0) {
      ship.vy = 0 - ratio(ship.vy, bounce, 256);
      impact = Math.max(impact, outwards);
    }
  }
  return impact;
}

/**
 * @param {Ship} ship
 * @param {Controls} controls
 * @param {Around} around
 * @param {Tuning} tuning
 */
function useWeapons(ship, controls, around, tuning) {
  if (!around.armed) {
    ship.beam_at = 0;
    return;
  }
  if (ship.beam_at !== 0) {
    if (!controls.beam) {
      deeds.beam = around.tick >= ship.beam_at;
      ship.beam_at = 0;
    }
  } else if (controls.beam && ship.energy >= tuning.beam.cost_q6) {
    ship.energy -= tuning.beam.cost_q6;
    ship.beam_at = around.tick + tuning.beam.charge_ticks;
  } else if (controls.fire && around.tick >= ship.fire_at) {
    const rapid = around.tick < ship.rapid_until;
    const cost = rapid ? tuning.pickup.rapid_cost_q6 : tuning.bolt.cost_q6;
    const wait = rapid ? tuning.pickup.rapid_wait_ticks : tuning.bolt.wait_ticks;
    if (ship.energy >= cost) {
      ship.energy -= cost;
      ship.fire_at = around.tick + wait;
      deeds.bolt = true;
    }
  }
  if (deeds.bolt || deeds.beam) ship.protected_until = 0;
}

/**
 * Two ships that touch part and exchange what they have along the line between them.
 * @param {Ship} first the one with the smaller id
 * @param {Ship} second
 * @param {Around} around
 * @param {Tuning} tuning
 * @returns {number} the speed of the impact, Q12 per tick
 */
export function touchShips(first, second, around, tuning) {
  const radius = tuning.ship.radius_q12;
  if (touch(first.x - second.x, first.y - second.y, 2 * radius) === null) return 0;
  const { nx, ny, depth } = contact;
  const px = (nx * depth) >> 10;
  const py = (ny * depth) >> 10;
  const limitX = around.halfWidth - radius;
  const limitY = around.halfHeight - radius;
  first.x = clamp(first.x + px, limitX);
  first.y = clamp(first.y + py, limitY);
  second.x = clamp(second.x - px, limitX);
  second.y = clamp(second.y - py, limitY);
  const speed = along(first.vx - second.vx, first.vy - second.vy);
  if (speed >= 0) return 0;
  const change = (speed * (256 + tuning.ship.ship_bounce_q8)) >> 9;
  const cx = (nx * change) >> 10;
  const cy = (ny * change) >> 10;
  first.vx = clamp(first.vx - cx, CONTACT_SPEED_MAX);
  first.vy = clamp(first.vy - cy, CONTACT_SPEED_MAX);
  second.vx = clamp(second.vx + cx, CONTACT_SPEED_MAX);
  second.vy = clamp(second.vy + cy, CONTACT_SPEED_MAX);
  return -speed << 4;
}

/**
 * How far apart on either axis two ships may be, before any touch of a tick is resolved, to count as a pair in it.
 * @param {Tuning} tuning
 */
export function pairReach(tuning) {
  return 2 * tuning.ship.radius_q12 + (8 << 12);
}

/**
 * Where a bolt starts and how it flies, as the ship is at the end of its tick, touches included.
 * @param {Ship} ship
 * @param {Tuning} tuning
 * @returns {[number, number, number, number]} x, y, vx, vy
 */
export function muzzle(ship, tuning) {
  const aheadX = cos(ship.heading);
  const aheadY = sin(ship.heading);
  const t = tuning.bolt;
  return [
    ship.x + mulShift(aheadX, t.muzzle_q12, 14),
    ship.y + mulShift(aheadY, t.muzzle_q12, 14),
    mulShift(aheadX, t.speed_q12_per_tick, 14) + mulShift(ship.vx, t.inherit_q8, 8),
    mulShift(aheadY, t.speed_q12_per_tick, 14) + mulShift(ship.vy, t.inherit_q8, 8),
  ];
}

/**
 * @param {number} value
 * @param {number} limit
 */
function clamp(value, limit) {
  return value > limit ? limit : value < -limit ? -limit : value;
}
