// Arena's adapter against a server in miniature: the same rules stepped with the exact state, of which the adapter sees
// only what a view holds.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createAdapter } from '../arena/adapter.js';
import { muzzle, newShip, pairReach, stepShip, touchShips } from '../arena/movement.js';

const UNIT = 4096;
const bytes = readFileSync(new URL('../../assets/arena/tuning.json', import.meta.url));
const tuning = JSON.parse(bytes.toString());

/** @type {(name: string, scale?: number, dropBits?: number) => import('../protocol/schema.js').Field} */
const field = (name, scale = 1, dropBits = 0) => ({ name, scale, interpolation: 'step', dropBits, changeOrder: 4, valueOrder: 9 });
const kinds = [
  { name: 'match', private: false, constant: false, fields: [field('phase'), field('ends_at'), field('half_width', UNIT, 12), field('half_height', UNIT, 12)] },
  { name: 'rock', private: false, constant: false, fields: [field('x', UNIT, 12), field('y', UNIT, 12), field('radius', UNIT, 12)] },
  {
    name: 'ship', private: false, constant: false,
    fields: [field('x', UNIT, 10), field('y', UNIT, 10), field('heading', 65_536, 8), field('thrust', 127, 4), field('turn', 127, 4), field('seat')],
  },
  { name: 'own', private: true, constant: false, fields: Object.keys(newShip()).map((name) => field(name)) },
];
/** @type {import('../protocol/schema.js').InputField[]} */
const inputs = ['thrust', 'turn', 'fire', 'beam', 'dash'].map((name) => ({
  name, min: -127, max: 127, neutral: 0, sort: name === 'dash' ? 'press' : 'level',
}));
const welcome = /** @type {any} */ ({ schema: { game: 'arena', rules: 2, kinds, inputs, events: [] }, tuning: new Uint8Array(bytes) });

/**
 * A view with these rows, as far as an adapter reads it.
 * @param {number} tick
 * @param {{ id: number, kind: string, row: Record<string, number> }[]} entities exact units
 */
function viewOf(tick, entities) {
  const stride = 16;
  const values = new Int32Array(entities.length * stride);
  const kindOf = entities.map(({ kind }) => kinds.findIndex(({ name }) => name === kind));
  entities.forEach(({ row }, slot) => {
    kinds[kindOf[slot]].fields.forEach(({ name, dropBits }, at) => {
      values[slot * stride + at] = (row[name] + ((1 << dropBits) >> 1)) >> dropBits;
    });
  });
  return /** @type {any} */ ({
    tick, stride, values, kindOf, count: entities.length, slots: entities.map((_, slot) => slot), idOf: entities.map(({ id }) => id),
  });
}

/** Two ships and a rock; the state that a server would have. */
class Truth {
  tick = 100;
  own = Object.assign(newShip(), { x: 0, y: 0, energy: 6400, hull: 6400 });
  other = Object.assign(newShip(), { x: 300 * UNIT, y: 4 * UNIT, heading: 32_768, energy: 6400, hull: 6400 });
  rock = { x: 500 * UNIT, y: 500 * UNIT, radius: 40 * UNIT };
  around = { tick: 0, armed: true, halfWidth: 1200 * UNIT, halfHeight: 800 * UNIT, rocks: [this.rock] };
  /** @type {number[][]} */
  bolts = [];

  /** @param {import('../arena/movement.js').Controls} controls */
  step(controls) {
    this.tick += 1;
    this.around.tick = this.tick;
    const { bolt } = stepShip(this.own, controls, this.around, tuning);
    stepShip(this.other, { thrust: 127, turn: 0, fire: false, beam: false, dash: false }, this.around, tuning);
    const reach = pairReach(tuning);
    let touched = false;
    if (Math.abs(this.own.x - this.other.x) < reach && Math.abs(this.own.y - this.other.y) < reach) {
      touched = touchShips(this.own, this.other, this.around, tuning) > 0;
    }
    if (bolt) this.bolts.push(muzzle(this.own, tuning));
    return touched;
  }

  view() {
    const { own, other, rock } = this;
    return viewOf(this.tick, [
      { id: 1, kind: 'match', row: { phase: 0, ends_at: 9999, half_width: 1200 * UNIT, half_height: 800 * UNIT } },
      { id: 2, kind: 'rock', row: rock },
      { id: 5, kind: 'ship', row: { ...own, thrust: 0, turn: 0, seat: 3 } },
      { id: 6, kind: 'own', row: { ...own } },
      { id: 9, kind: 'ship', row: { ...other, thrust: 127, turn: 0, seat: 4 } },
    ]);
  }
}

/** @param {number} tick */
function steady(tick) {
  return { thrust: 127, turn: tick % 50 < 9 ? 60 : 0, fire: tick % 3 !== 0, beam: false, dash: tick % 97 === 0 };
}

/** @param {import('../arena/movement.js').Controls} controls */
function asInput(tick = 0, controls = steady(tick)) {
  return /** @type {any} */ ({
    tick, status: 'fresh',
    levels: Int32Array.of(controls.thrust, controls.turn, controls.fire ? 1 : 0, controls.beam ? 1 : 0, 0),
    presses: Int32Array.of(0, 0, 0, 0, controls.dash ? 1 : 0),
  });
}

test('prediction from any snapshot is exact for as long as nothing else interferes, bolts included', () => {
  const truth = new Truth();
  truth.other.y = 700 * UNIT;
  const adapter = createAdapter();
  adapter.start(welcome);
  const state = adapter.create();
  let checked = 0;
  for (let from = 0; from < 40; from++) {
    assert.ok(adapter.load(state, truth.view(), 3));
    /** @type {number[][]} */
    const bolts = [];
    truth.bolts = [];
    for (let ahead = 0; ahead < 20; ahead++) {
      const tick = truth.tick + 1;
      truth.step(steady(tick));
      adapter.step(state, asInput(tick), (kind, row) => {
        assert.equal(kind, 'bolt');
        assert.equal(row.born, tick);
        assert.equal(row.seat, 3);
        bolts.push([row.x, row.y, row.vx, row.vy]);
      });
      /** @type {number[]} */
      const words = [];
      adapter.words(state, words);
      const { x, y, vx, vy, heading, energy, fire_at, beam_at, dash_at } = truth.own;
      assert.deepEqual(words, [x, y, vx, vy, heading, energy, fire_at, beam_at, dash_at], `tick ${tick}`);
      checked += 1;
    }
    assert.deepEqual(bolts, truth.bolts);
  }
  assert.ok(checked === 800 && Math.hypot(truth.own.x, truth.own.y) > 100 * UNIT, 'it hardly flew');
});

test('a push by a ship that is seen is felt at once', () => {
  const truth = new Truth();
  const adapter = createAdapter();
  adapter.start(welcome);
  const state = adapter.create();
  const still = { thrust: 0, turn: 0, fire: false, beam: false, dash: false };
  let touched = 0;
  for (let round = 0; round < 60 && touched === 0; round++) {
    assert.ok(adapter.load(state, truth.view(), 3));
    for (let ahead = 0; ahead < 2; ahead++) {
      if (truth.step(still)) touched = truth.tick;
      adapter.step(state, asInput(truth.tick, still), () => {});
    }
  }
  assert.ok(touched > 0, 'they never met');
  const pose = { x: 0, y: 0, heading: 0 };
  adapter.pose(state, pose);
  const apart = Math.hypot(pose.x - truth.own.x / UNIT, pose.y - truth.own.y / UNIT);
  assert.ok(Math.abs(truth.own.vx) > UNIT, 'the push was too weak to tell');
  assert.ok(apart < 4, `${apart} units off after the push`);
});

test('a copy is its own, a dead ship is not predicted, and a respawn is another life', () => {
  const truth = new Truth();
  const adapter = createAdapter();
  adapter.start(welcome);
  const state = adapter.create();
  const copy = adapter.create();
  assert.ok(adapter.load(state, truth.view(), 3));
  adapter.copy(copy, state);
  adapter.step(copy, asInput(101, { thrust: 127, turn: 127, fire: true, beam: false, dash: true }), () => {});
  /** @type {[number[], number[]]} */
  const words = [[], []];
  adapter.words(state, words[0]);
  adapter.words(copy, words[1]);
  assert.equal(words[0][0], truth.own.x);
  assert.notDeepEqual(words[0], words[1]);
  const life = adapter.life(state);
  truth.own.respawn_at = 400;
  assert.equal(adapter.load(state, truth.view(), 3), false);
  truth.own.respawn_at = 0;
  assert.ok(adapter.load(state, truth.view(), 3));
  assert.notEqual(adapter.life(state), life);
});

test('other rules are refused with a sentence', () => {
  const other = { ...welcome, schema: { ...welcome.schema, rules: 3 } };
  assert.throws(() => createAdapter().start(other), /Reload the page\./);
});
