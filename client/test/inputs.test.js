// Controls, presses, and the server's rule for when an input counts.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Inputs } from '../predict/index.js';
import { SEED, generator } from './support/random.js';
import { TOY } from './support/toy.js';

const make = () => new Inputs(TOY.inputs, 60);

/** @param {Inputs} inputs @param {number} tick */
const consume = (inputs, tick) => {
  const { status, levels, presses } = inputs.consume(tick);
  return [status, [...levels].slice(0, 2), presses[3]];
};

test('an input is made when the controls change, and every 6 ticks at the latest', () => {
  const inputs = make();
  const made = [];
  for (let tick = 1; tick <= 30; tick++) {
    if (tick === 9) inputs.setLevel('thrust', 5);
    if (tick === 10) inputs.press('dash');
    const input = inputs.sample(tick);
    if (input) made.push([input.seq, input.tick, [...input.row]]);
  }
  assert.deepEqual(made, [
    [1, 1, [0, 0, 0, 0]], [2, 7, [0, 0, 0, 0]], [3, 9, [5, 0, 0, 0]], [4, 10, [5, 0, 0, 1]], [5, 16, [5, 0, 0, 1]],
    [6, 22, [5, 0, 0, 1]], [7, 28, [5, 0, 0, 1]],
  ]);
  assert.equal(inputs.pending, 7);
});

test('what no page has set yet is neutral, and within the schema: the server takes nothing else', () => {
  const level = (/** @type {string} */ name, /** @type {number} */ min, /** @type {number} */ max, /** @type {number | null} */ neutral) => (
    { name, sort: /** @type {const} */ ('level'), min, max, neutral });
  const inputs = new Inputs([
    level('song', 5, 8, 6), level('gaze', 5, 8, null), level('depth', -9, -2, null), level('turn', -3, 3, 0),
    { name: 'dive', sort: 'press', min: 0, max: 255, neutral: null },
  ], 60);
  assert.deepEqual([...(inputs.sample(1)?.row ?? [])], [6, 5, -2, 0, 0]);
});

test('levels are clamped to the schema, unknown names are a mistake of the page', () => {
  const inputs = make();
  inputs.setLevel('thrust', 99.4);
  inputs.setLevel('turn', -99);
  assert.deepEqual([...inputs.controls], [10, -10, 0, 0]);
  assert.throws(() => inputs.setLevel('dash', 1), /no level 'dash'/);
  assert.throws(() => inputs.press('thrust'), /no press 'thrust'/);
});

test('the first input sets the counters without pressing, and a press before it is not lost', () => {
  const inputs = make();
  inputs.press('dash');
  inputs.sample(5);
  inputs.rewind(4, true);
  assert.deepEqual(consume(inputs, 5), ['fresh', [0, 0], 0]);
  inputs.sample(6);
  assert.deepEqual(consume(inputs, 6), ['fresh', [0, 0], 1]);
});

test('levels hold, then starve after 15 ticks; presses count at most 2 at once', () => {
  const inputs = make();
  inputs.setLevel('thrust', 3);
  inputs.sample(10);
  inputs.rewind(9, true);
  assert.deepEqual(consume(inputs, 10), ['fresh', [3, 0], 0]);
  for (let tick = 11; tick <= 25; tick++) assert.deepEqual(consume(inputs, tick), ['held', [3, 0], 0]);
  assert.deepEqual(consume(inputs, 26), ['starved', [0, 0], 0]);
  for (let i = 0; i < 5; i++) inputs.press('dash');
  inputs.sample(27);
  assert.deepEqual(consume(inputs, 27), ['fresh', [3, 0], 2]);
});

test('a rewind begins with the acked row and its counters, or neutral if the server starved', () => {
  const inputs = make();
  inputs.setLevel('thrust', 4);
  inputs.sample(1);
  inputs.press('dash');
  inputs.sample(2);
  inputs.press('dash');
  inputs.setLevel('thrust', 6);
  inputs.sample(3);
  inputs.ack(2);
  assert.equal(inputs.pending, 1);
  inputs.rewind(5, false);
  // Stamped 3, but tick 3 has passed on the server: it counts at once, after the snapshot.
  assert.deepEqual(consume(inputs, 6), ['fresh', [6, 0], 1]);
  inputs.rewind(2, false);
  assert.deepEqual(consume(inputs, 3), ['fresh', [6, 0], 1]);
  inputs.ack(3);
  inputs.rewind(3, true);
  assert.deepEqual(consume(inputs, 4), ['starved', [0, 0], 0]);
});

test('a hidden tab is neutral, makes no input of its own accord and takes no press', () => {
  const inputs = make();
  inputs.setLevel('thrust', 7);
  inputs.sample(1);
  inputs.hidden = true;
  inputs.press('dash');
  assert.deepEqual([...(inputs.sample(2)?.row ?? [])], [0, 0, 0, 0]);
  for (let tick = 3; tick < 50; tick++) assert.equal(inputs.sample(tick), null);
  inputs.hidden = false;
  assert.deepEqual([...(inputs.sample(50)?.row ?? [])], [7, 0, 0, 0]);
});

test('the picture between ticks uses the controls of now and consumes nothing', () => {
  const inputs = make();
  inputs.sample(1);
  inputs.rewind(0, true);
  inputs.consume(1);
  inputs.setLevel('turn', -2);
  inputs.press('dash');
  const out = { tick: 0, status: /** @type {const} */ ('held'), levels: new Int32Array(4), presses: new Int32Array(4) };
  const peeked = inputs.peek(2, out);
  assert.deepEqual([[...peeked.levels], [...peeked.presses]], [[0, -2, 0, 0], [0, 0, 0, 1]]);
  inputs.sample(2);
  assert.deepEqual(consume(inputs, 2), ['fresh', [0, -2], 1]);
});

test('stepping as inputs are made and replaying them from any ack give the same', () => {
  for (let run = 0; run < 200; run++) {
    const seed = SEED * 1000 + run;
    const random = generator(seed);
    const inputs = make();
    inputs.rewind(0, true);
    /** @type {any[]} */
    const live = [];
    /** @type {{ seq: number, tick: number }[]} */
    const made = [];
    for (let tick = 1; tick <= 60; tick++) {
      if (random.chance(0.2)) inputs.setLevel('thrust', random.whole(-10, 10));
      if (random.chance(0.2)) inputs.press('dash');
      const input = inputs.sample(tick);
      if (input) made.push({ seq: input.seq, tick: input.tick });
      live[tick] = consume(inputs, tick);
    }
    for (const from of [random.whole(1, 20), random.whole(20, 40), random.whole(40, 60)]) {
      inputs.ack(made.filter((input) => input.tick <= from).at(-1)?.seq ?? 0);
      inputs.rewind(from, false);
      for (let tick = from + 1; tick <= 60; tick++) assert.deepEqual(consume(inputs, tick), live[tick], `seed ${seed}, tick ${tick}`);
    }
  }
});

test('the ring holds two seconds of a change in every tick at any rate', () => {
  for (const rate of [5, 60, 128, 240]) {
    const inputs = new Inputs(TOY.inputs, rate);
    for (let tick = 1; tick <= 2 * rate; tick++) {
      inputs.setLevel('thrust', tick % 2);
      inputs.sample(tick);
    }
    assert.equal(inputs.acked.seq, 0, `${rate} Hz: what was not acked was given up`);
    assert.equal(inputs.pending, 2 * rate);
  }
});

test('a full ring gives up the oldest as if it had been acked', () => {
  const inputs = make();
  for (let tick = 1; tick <= 300; tick++) {
    inputs.setLevel('thrust', tick % 2);
    inputs.sample(tick);
  }
  assert.equal(inputs.pending, 128);
  assert.equal(inputs.acked.seq, 300 - 128);
});
