// A client's view against a plain model: random streams of snapshots with skips, deaths, rebirths and resyncs.

import assert from 'node:assert/strict';
import test from 'node:test';

import {
  BitWriter, FLAG_DIGEST, GAP_ORDER, KIND_ORDER, ServerDecoder, View, digestOf, encodeBody, fromHex, quantise,
} from '../protocol/index.js';
import { fromGolden, golden } from './support/golden.js';
import { SEED, generator } from './support/random.js';
import { snapshotBytes } from './support/snapshot.js';

/** @typedef {import('../protocol/snapshot.js').WireRow} WireRow */

/** @type {(name: string, interpolation: import('../protocol/schema.js').Interpolation, dropBits?: number) => import('../protocol/schema.js').Field} */
const field = (name, interpolation, dropBits = 0) => ({ name, scale: 1, interpolation, dropBits, changeOrder: name.length, valueOrder: 8 });

/** @type {import('../protocol/schema.js').Schema} */
const SCHEMA = {
  game: 'toy',
  rules: 1,
  kinds: [
    { name: 'ship', private: false, constant: false, fields: [field('x', 'linear', 10), field('y', 'linear', 10), field('heading', 'angle', 8), field('flags', 'step')] },
    { name: 'wide', private: false, constant: false, fields: Array.from({ length: 32 }, (_, i) => ({ ...field(`f${i}`, /** @type {const} */ (['angle', 'linear', 'step'])[i % 3], i % 2), changeOrder: i % 31, valueOrder: 30 - (i % 31) })) },
    { name: 'own', private: true, constant: false, fields: [field('a', 'step'), field('b', 'angle'), ...'cdefghi'.split('').map((n) => field(n, 'linear'))] },
    { name: 'bare', private: false, constant: false, fields: [] },
    { name: 'rock', private: false, constant: true, fields: [field('x', 'linear'), field('born', 'tick')] },
  ],
  inputs: [{ name: 'push', min: -1, max: 1, neutral: 0, sort: 'level' }],
  events: [{ name: 'bump', fields: [field('a', 'tick'), field('b', 'step')] }, { name: 'end', fields: [] }],
};

/**
 * @param {number} kind
 * @param {ReturnType<typeof generator>} random
 */
function randomFields(kind, random) {
  return SCHEMA.kinds[kind].fields.map((one) => {
    const exact = random.chance(0.1) ? random.whole(-(2 ** 31), 2 ** 31 - 1) : random.whole(-200_000, 200_000);
    return quantise(one, exact);
  });
}

/**
 * @param {WireRow[]} rows
 * @param {ReturnType<typeof generator>} random
 */
function evolve(rows, random) {
  const next = [];
  for (const row of rows) {
    if (random.chance(0.05)) continue;
    if (!random.chance(0.5)) {
      next.push(row);
      continue;
    }
    const fresh = randomFields(row.kind, random);
    next.push({ ...row, fields: row.fields.map((value, f) => (random.chance(0.4) ? fresh[f] : value)) });
  }
  const taken = new Set(rows.map((row) => row.id));
  while (random.chance(0.6)) {
    const id = random.chance(0.1) ? random.whole(1, 2 ** 20 - 1) : random.whole(1, 400);
    if (taken.has(id)) continue;
    taken.add(id);
    const kind = random.whole(0, SCHEMA.kinds.length - 1);
    next.push({ id, kind, fields: randomFields(kind, random) });
  }
  return next.sort((a, b) => a.id - b.id);
}

/** @param {View} view */
function rowsOf(view) {
  const rows = [];
  for (let i = 0; i < view.count; i++) {
    const slot = view.slots[i];
    const kind = view.kindOf[slot];
    const start = slot * view.stride;
    rows.push({ id: view.ids[i], kind, fields: Array.from(view.values.subarray(start, start + view.fieldCounts[kind])) });
  }
  return rows;
}

/**
 * @param {View} view
 * @param {Uint8Array} bytes
 */
function apply(view, bytes) {
  const message = new ServerDecoder().decode(bytes);
  assert.equal(message.type, 'snapshot');
  return view.apply(/** @type {import('../protocol/messages.js').Snapshot} */ (message));
}

test('over random streams the view holds exactly the rows of the server', () => {
  let snapshots = 0;
  for (let run = 0; run < 60; run++) {
    const seed = SEED * 1000 + run;
    const random = generator(seed);
    const view = new View(SCHEMA);
    /** @type {WireRow[]} */
    let held = [];
    /** @type {WireRow[]} */
    let now = [];
    let tick = random.whole(0, 1000);
    let sent = 0;
    for (let i = 0; i < 80; i++) {
      const skipped = random.whole(1, 4);
      /** @type {Set<number>} Ids that died and came back while nothing was sent: told as left and entered. */
      const reborn = new Set();
      for (let k = 0; k < skipped; k++) {
        tick += 1;
        now = evolve(now, random);
        const ids = new Set(now.map((row) => row.id));
        for (const row of held) if (!ids.has(row.id)) reborn.add(row.id);
      }
      const full = sent === 0 || random.chance(0.05);
      // Base may lie after the last snapshot: empty ones in between were not sent.
      const base = full ? 0 : random.whole(1, tick - sent);
      const digest = random.chance(0.5) ? digestOf(now) : null;
      const events = random.chance(0.3) ? [{ kind: 0, age: random.whole(0, 3), fields: [i, i - 50] }, { kind: 1, age: 0, fields: [] }] : [];
      const body = encodeBody(SCHEMA, tick, full ? [] : held, now, { digest, events, reborn });
      const answer = apply(view, snapshotBytes({ tick, base, flags: digest === null ? 0 : FLAG_DIGEST }, body));
      assert.equal(answer, 'applied', `seed ${seed}, snapshot ${i}: ${view.why}`);
      assert.deepEqual(rowsOf(view), now, `seed ${seed}, snapshot ${i}`);
      assert.equal(view.computeDigest(), digestOf(now), `seed ${seed}, snapshot ${i}`);
      assert.equal(view.eventCount, events.length);
      if (events.length > 0) {
        assert.equal(view.eventTicks[0], tick - events[0].age);
        assert.deepEqual(Array.from(view.eventValues.subarray(0, 2)), [i, i - 50]);
      }
      held = now;
      sent = tick;
      snapshots += 1;
    }
  }
  assert.equal(snapshots, 60 * 80);
});

test('what the last snapshot did is told by slot', () => {
  const view = new View(SCHEMA);
  const a = { id: 3, kind: 0, fields: [1, 2, 3, 4] };
  const b = { id: 9, kind: 3, fields: [] };
  apply(view, snapshotBytes({ tick: 10 }, encodeBody(SCHEMA, 10, [], [a, b])));
  assert.deepEqual([view.full, view.enteredCount, view.leftCount, view.changedCount], [true, 2, 0, 0]);
  const slot = view.slotOf(3);
  const moved = { ...a, fields: [1, 2, 255, 4] };
  const c = { id: 4, kind: 0, fields: [0, 0, 0, 0] };
  apply(view, snapshotBytes({ tick: 12, base: 2 }, encodeBody(SCHEMA, 12, [a, b], [moved, c])));
  assert.deepEqual([view.full, view.tick, view.baseTick], [false, 12, 10]);
  assert.deepEqual([view.leftCount, view.leftIds[0]], [1, 9]);
  assert.deepEqual([view.changedCount, view.changedSlots[0]], [1, slot]);
  assert.deepEqual([view.enteredCount, view.idOf[view.enteredSlots[0]]], [1, 4]);
  assert.deepEqual(view.describe(slot), { id: 3, kind: 'ship', x: 1024, y: 2048, heading: 65_280, flags: 4 });
  assert.equal(view.slotOf(9), -1);
});

const ship = { id: 5, kind: 0, fields: [10, 20, 30, 0] };
const start = () => {
  const view = new View(SCHEMA);
  apply(view, snapshotBytes({ tick: 100 }, encodeBody(SCHEMA, 100, [], [ship])));
  return view;
};

const GAP = GAP_ORDER;
const KIND = KIND_ORDER;
/** Nothing left, and the one ship held has not changed. */
const still = /** @type {const} */ ([[0, GAP], false]);

/**
 * A body of numbers with their orders, bits, and a digest.
 * @param {(readonly [number, number] | boolean | number)[]} parts
 */
function bits(...parts) {
  const writer = new BitWriter();
  for (const part of parts) {
    if (typeof part === 'boolean') writer.bit(part);
    else if (typeof part === 'number') writer.fixed32(part);
    else writer.number(part[0], part[1]);
  }
  return writer.finish();
}

test('each breach of the rules asks for a resync, deltas are then ignored, and a full snapshot heals', () => {
  const empty = encodeBody(SCHEMA, 102, [], []);
  const cases = /** @type {[string, Partial<import('../protocol/messages.js').Snapshot>, Uint8Array, RegExp][]} */ ([
    ['a base before the last snapshot', { tick: 104, base: 5 }, empty, /before the last one/],
    ['a base before tick 0', { tick: 104, base: 105 }, empty, /before the last one/],
    ['an id left that is not held', { tick: 102, base: 2 }, bits([4, GAP], [0, GAP]), /left, but it was not held/],
    ['an id entered that is held', { tick: 102, base: 2 }, bits(...still, [5, GAP], [3, KIND], [0, GAP], [0, KIND]), /held already/],
    ['a digest that differs', { tick: 102, base: 2, flags: FLAG_DIGEST }, bits(...still, [0, GAP], [0, KIND], 0x04030201), /digest/],
    ['a digest that is cut short', { tick: 102, base: 2, flags: FLAG_DIGEST }, new Uint8Array(3), /the body ends at/],
    ['an id above the last', { tick: 102, base: 2 }, bits(...still, [2 ** 20, GAP], [3, KIND], [0, GAP], [0, KIND]), /lies above/],
    ['a number above the last', { tick: 102, base: 2 }, new Uint8Array(20).fill(255), /lies above 4294967295/],
    ['a padding bit', { tick: 102, base: 2 }, bits(...still, [0, GAP], [0, KIND], true), /padding/],
    ['a kind that is none', { tick: 102, base: 2 }, bits(...still, [6, GAP], [5, KIND]), /no entity kind 5/],
    ['an event kind that is none', { tick: 102, base: 2 }, bits(...still, [0, GAP], [3, KIND]), /no event kind 2/],
    ['a byte too many', { tick: 102, base: 2 }, bits(...still, [0, GAP], [0, KIND], 0).subarray(0, 4), /left over/],
    ['a byte too few', { tick: 102, base: 2 }, bits([0, GAP]), /the body ends at/],
    ['entities without end', { tick: 102, base: 2 }, bits(...still, ...Array.from({ length: 999 }, () => /** @type {const} */ ([7, GAP]))), /./],
  ]);
  for (const [name, header, body, why] of cases) {
    const view = start();
    assert.equal(apply(view, snapshotBytes(header, body)), 'resync', name);
    assert.match(view.why, why, name);
    assert.equal(view.synced, false, name);
    assert.equal(apply(view, snapshotBytes({ tick: 106, base: 2 }, empty)), 'ignored', name);
    assert.equal(view.seen, 106, name);
    const now = [ship, { id: 7, kind: 3, fields: [] }];
    assert.equal(apply(view, snapshotBytes({ tick: 108, flags: FLAG_DIGEST }, encodeBody(SCHEMA, 108, [], now, { digest: digestOf(now) }))), 'applied', name);
    assert.deepEqual(rowsOf(view), now, name);
  }
});

test('a snapshot cut anywhere, or with any byte changed, never breaks more than the view', () => {
  const random = generator(SEED);
  /** @type {WireRow[]} */
  let old = [];
  for (let i = 0; i < 6; i++) old = evolve(old, random);
  const now = evolve(old, random);
  const body = encodeBody(SCHEMA, 102, old, now, { digest: digestOf(now), events: [{ kind: 0, age: 1, fields: [1, 2] }] });
  const header = { tick: 102, base: 2, flags: FLAG_DIGEST };
  let refused = 0;
  for (let i = 0; i < 4000; i++) {
    const view = new View(SCHEMA);
    apply(view, snapshotBytes({ tick: 100 }, encodeBody(SCHEMA, 100, [], old)));
    const broken = body.slice(0, i < body.length ? i : body.length);
    if (i >= body.length) broken[random.whole(0, broken.length - 1)] = random.whole(0, 255);
    if (apply(view, snapshotBytes(header, broken)) === 'resync') refused += 1;
    else assert.deepEqual(rowsOf(view), now);
    assert.equal(apply(view, snapshotBytes({ tick: 110 }, encodeBody(SCHEMA, 110, [], now))), 'applied');
    assert.deepEqual(rowsOf(view), now);
  }
  assert.ok(refused > 3000, `${refused} of 4000 were refused`);
});

test('the stream of the vectors: each answer, view, event and digest', () => {
  const { schema, steps } = golden('snapshots');
  const view = new View(fromGolden(schema));
  assert.ok(steps.length > 50);
  for (const { name, hex, answer, view: rows, events, digest } of steps) {
    assert.equal(apply(view, fromHex(hex)), answer, `${name}: ${view.why}`);
    if (answer !== 'applied') continue;
    assert.deepEqual(rowsOf(view), rows, name);
    assert.equal(view.computeDigest(), digest, name);
    assert.equal(view.eventCount, events.length, name);
    events.forEach((/** @type {any} */ event, /** @type {number} */ i) => {
      assert.equal(view.eventKinds[i], event.kind, name);
      assert.equal(view.eventTicks[i], event.tick, name);
      const start = view.eventStarts[i];
      assert.deepEqual(Array.from(view.eventValues.subarray(start, start + event.fields.length)), event.fields, name);
    });
  }
});
