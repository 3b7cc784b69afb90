// Another ship beyond the last snapshot: by the rules it is near where it really went, on a straight line it is not.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { Ahead } from '../arena/ahead.js';
import { newShip, stepShip } from '../arena/movement.js';
import { quantise } from '../protocol/index.js';

const tuning = JSON.parse(readFileSync(new URL('../../assets/arena/tuning.json', import.meta.url), 'utf8'));
const UNIT = 4096;
/** @type {(name: string, interpolation: import('../protocol/schema.js').Interpolation, dropBits: number) => import('../protocol/schema.js').Field} */
const field = (name, interpolation, dropBits) => ({ name, scale: 1, interpolation, dropBits, changeOrder: 4, valueOrder: 9 });
/** The fields of a public ship that say how it moves, rounded as on the wire; their order is another on purpose. */
const SHIP = {
  name: 'ship', private: false, constant: false,
  fields: [field('turn', 'step', 4), field('y', 'linear', 10), field('x', 'linear', 10), field('thrust', 'step', 4), field('heading', 'angle', 8)],
};

/**
 * Flies for a second, then asks where the ship is `ahead` ticks later. World units between that and where it went.
 * @param {number} thrust
 * @param {number} turn
 * @param {number} ahead
 */
function errors(thrust, turn, ahead) {
  const ship = { ...newShip(), heading: 9000 };
  const controls = { thrust, turn, fire: false, beam: false, dash: false };
  const around = { tick: 0, armed: false, halfWidth: 2000 * UNIT, halfHeight: 2000 * UNIT, rocks: [] };
  const values = new Int32Array(2 * SHIP.fields.length);
  /** @param {number} start */
  const sample = (start) => SHIP.fields.forEach((one, f) => {
    const exact = { ...ship, thrust, turn }[/** @type {'x'} */ (one.name)];
    values[start + f] = quantise(one, exact) << one.dropBits;
  });
  for (let tick = 0; tick < 60; tick++) stepShip(ship, controls, around, tuning);
  sample(0);
  for (let tick = 0; tick < 2; tick++) stepShip(ship, controls, around, tuning);
  sample(SHIP.fields.length);
  const straight = { x: ship.x + (ship.vx * ahead), y: ship.y + (ship.vy * ahead) };
  const motion = { values, newest: SHIP.fields.length, before: 0, span: 2, ahead, out: Float64Array.from(values.subarray(SHIP.fields.length)) };
  new Ahead(SHIP, tuning).fly(motion, around);
  for (let tick = 0; tick < Math.floor(ahead); tick++) stepShip(ship, controls, around, tuning);
  const { x, y } = ship;
  stepShip(ship, controls, around, tuning);
  const part = ahead - Math.floor(ahead);
  const truth = { x: x + (ship.x - x) * part, y: y + (ship.y - y) * part };
  const away = (/** @type {number} */ px, /** @type {number} */ py) => Math.hypot(px - truth.x, py - truth.y) / UNIT;
  return { byRules: away(motion.out[2], motion.out[1]), straight: away(straight.x, straight.y), heading: motion.out[4] };
}

test('for half a second a ship that turns and thrusts is within a few units, a straight line is not', () => {
  for (const [thrust, turn] of [[127, 127], [127, -64], [60, 127], [-127, 40], [127, 0]]) {
    const { byRules, straight, heading } = errors(thrust, turn, 30);
    assert.ok(byRules < 8, `thrust ${thrust}, turn ${turn}: ${byRules} u`);
    assert.ok(byRules < straight / 2, `thrust ${thrust}, turn ${turn}: ${byRules} u, on a line ${straight}`);
    assert.ok(heading >= 0 && heading < 65_536);
  }
});

test('parts of a tick lie between two', () => {
  assert.ok(errors(127, 127, 0.5).byRules < 0.3);
  assert.ok(errors(127, 127, 7.25).byRules < 2);
});
