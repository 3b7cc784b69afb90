// The ship's step of this client against the server's, number by number: assets/golden/movement.json.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import {
  cos, drag, isqrt, loadOwn, muzzle, newShip, pairReach, sin, stepShip, touchShips, words,
} from '../arena/movement.js';
import { SINE } from '../arena/sine.js';
import { golden } from './support/golden.js';

/** @param {string} name */
const arena = (name) => JSON.parse(readFileSync(new URL(`../../assets/arena/${name}.json`, import.meta.url), 'utf8'));

const vectors = golden('movement');
const tuning = arena('tuning');
/** @type {number[][]} */
const rockRows = vectors.rocks;
const rocks = rockRows.map(([x, y, radius]) => ({ x, y, radius }));

/**
 * @param {number} tick
 * @param {boolean} armed
 */
const around = (tick, armed) => ({ tick, armed, halfWidth: vectors.half_width, halfHeight: vectors.half_height, rocks });

/** @param {number[]} row */
function shipFrom(row) {
  const ship = newShip();
  loadOwn(ship, row);
  return ship;
}

test('the sine table is the shipped one', () => {
  assert.deepEqual([...SINE], arena('sine'));
});

test('the integer functions give what the server gives', () => {
  for (const [heading, sine, cosine] of vectors.sine) assert.deepEqual([sin(heading), cos(heading)], [sine, cosine]);
  for (const [n, root] of vectors.isqrt) assert.equal(isqrt(n), root, `isqrt(${n})`);
  for (const [v, share, out] of vectors.drag) assert.equal(drag(v, share), out, `drag(${v}, ${share})`);
});

test('each rule of a step gives what the server gives', () => {
  const met = new Set();
  for (const { what, before, controls, tick, armed, after, deeds } of vectors.steps) {
    const [thrust, turn, fire, beam, dash] = controls;
    const ship = shipFrom(before);
    const did = stepShip(ship, { thrust, turn, fire: fire === 1, beam: beam === 1, dash: dash === 1 }, around(tick, armed), tuning);
    assert.deepEqual(words(ship), after, what);
    assert.deepEqual([did.bolt, did.beam, did.dash, did.bump].map(Number), deeds, what);
    met.add(what);
  }
  assert.ok(met.size >= 25, `only ${met.size} rules are met`);
});

test('two ships part as on the server', () => {
  let struck = 0;
  for (const pair of vectors.pairs) {
    const first = shipFrom(pair.first);
    const second = shipFrom(pair.second);
    assert.equal(touchShips(first, second, around(5, true), tuning), pair.speed);
    assert.deepEqual(words(first), pair.first_after);
    assert.deepEqual(words(second), pair.second_after);
    if (pair.speed > 0) struck += 1;
  }
  assert.ok(struck > 5);
});

test('a bolt leaves the bow as on the server', () => {
  for (const { ship, bolt } of vectors.muzzle) assert.deepEqual(muzzle(shipFrom(ship), tuning), bolt);
});

/** Ships with random controls among rocks: the same play as in tests/movement.rs, from the same dice. */
class Play {
  /**
   * @param {number} seed
   * @param {number} count
   */
  constructor(seed, count) {
    this.state = seed;
    this.tick = 0;
    this.digest = 0x811c9dc5 | 0;
    this.ships = Array.from({ length: count }, (_, at) => {
      const ship = newShip();
      ship.x = this.between(-600, 600) * 4096;
      ship.y = this.between(-400, 400) * 4096;
      ship.heading = this.between(0, 65_535);
      ship.energy = this.between(0, tuning.ship.energy_max_q6);
      ship.shield = this.between(0, tuning.ship.shield_max_q6);
      ship.hull = tuning.ship.hull_max_q6;
      ship.shield_at = this.between(0, 600);
      ship.protected_until = 120;
      ship.rapid_until = at % 2 === 0 ? 900 : 0;
      return ship;
    });
    this.controls = this.ships.map(() => ({ thrust: 0, turn: 0, fire: false, beam: false, dash: false }));
    this.from = this.ships.map(() => ({ x: 0, y: 0 }));
    this.bolts = this.ships.map(() => false);
    this.around = around(0, true);
  }

  /** Marsaglia's xorshift with 13, 17, 5. */
  roll() {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /**
   * @param {number} low
   * @param {number} high
   */
  between(low, high) {
    return low + ((this.roll() >>> 16) % (high - low + 1));
  }

  /** @param {number} word */
  absorb(word) {
    this.digest = Math.imul(this.digest ^ word, 0x01000193);
  }

  step() {
    const { ships, controls, from, bolts } = this;
    this.tick += 1;
    this.around.tick = this.tick;
    this.around.armed = this.tick % 1000 < 900;
    for (let at = 0; at < ships.length; at++) {
      const control = controls[at];
      control.dash = false;
      if ((this.roll() & 15) === 0) {
        const bits = this.roll();
        control.thrust = Math.max((bits & 255) - 128, -127);
        control.turn = Math.max(((bits >>> 8) & 255) - 128, -127);
        control.fire = ((bits >>> 16) & 1) === 1;
        control.beam = ((bits >>> 17) & 1) === 1;
        control.dash = ((bits >>> 18) & 7) === 0;
      }
      const deeds = stepShip(ships[at], control, this.around, tuning);
      bolts[at] = deeds.bolt;
      this.absorb(deeds.bump);
      this.absorb(Number(deeds.bolt) | (Number(deeds.beam) << 1) | (Number(deeds.dash) << 2));
    }
    const reach = pairReach(tuning);
    ships.forEach(({ x, y }, at) => { from[at].x = x; from[at].y = y; });
    for (let a = 0; a < ships.length; a++) {
      for (let b = a + 1; b < ships.length; b++) {
        if (Math.abs(from[a].x - from[b].x) < reach && Math.abs(from[a].y - from[b].y) < reach) {
          this.absorb(touchShips(ships[a], ships[b], this.around, tuning));
        }
      }
    }
    for (let at = 0; at < ships.length; at++) {
      if (bolts[at]) for (const word of muzzle(ships[at], tuning)) this.absorb(word);
      for (const word of words(ships[at])) this.absorb(word);
    }
  }
}

test('thousands of ship-ticks of play stay equal, looked at every 100 ticks', () => {
  const { seed, ships, start, digest_every: every, digests } = vectors.play;
  const play = new Play(seed, ships);
  assert.deepEqual(play.ships.map(words), start);
  for (const digest of digests) {
    for (let i = 0; i < every; i++) play.step();
    assert.equal(play.digest >>> 0, digest, `by tick ${play.tick}`);
  }
});

test('a million ship-ticks stay equal', () => {
  const { seed, ships, ticks, digest } = vectors.million;
  assert.ok(ships * ticks >= 1_000_000);
  const play = new Play(seed, ships);
  for (let i = 0; i < ticks; i++) play.step();
  assert.equal(play.digest >>> 0, digest);
});

test('state is whole numbers of 32 bits, never minus zero', () => {
  const play = new Play(4, 12);
  for (let i = 0; i < 2000; i++) {
    play.step();
    for (const ship of play.ships) {
      for (const word of words(ship)) assert.ok(Object.is(word, word | 0), `${word} at tick ${play.tick}`);
    }
  }
});
