// The own ship is predicted by the server's own rules: where nothing interferes, nothing is ever corrected; where another
// ship does, the correction is small and does not show as a jump.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Drift } from './support/drift.mjs';
import { match, percent, quantile, report, seeds } from './support/figures.mjs';
import { Ace } from './support/pilots.mjs';

const SECONDS = 90;

for (const profile of ['L0', 'L100', 'L250', 'L250L', 'S100']) {
  for (const seed of seeds()) {
    test(`${profile}: no drift in any state word, seed ${seed}`, async (t) => {
      const drift = new Drift();
      const pilot = { pilot: (/** @type {any} */ person) => new Ace(person) };
      await match(profile, seed, { people: [drift.who(pilot)] }, async (world) => {
        drift.measure(world.people[0]);
        await world.run(SECONDS);
      });
      const share = drift.qualified / drift.reconciles;
      report(t, profile, seed, {
        wrong: drift.wrong, reconciles: drift.reconciles, 'that qualify': percent(share), 'with a rock or wall': drift.bumped,
        'not for late input': drift.excluded.late, 'for starving': drift.excluded.starved,
        'for contact': drift.excluded.contact, 'for a hit or pickup': drift.excluded.altered,
        'u flown': drift.path, turns: drift.turned, 'changes a second': drift.changes / SECONDS,
      });
      assert.equal(drift.wrong, 0, drift.examples.join('\n'));
      // Nothing drifts that does not move: the ship flew, turned, was steered and hit things.
      assert.ok(drift.path > 5000, `flew only ${drift.path} u`);
      assert.ok(drift.turned > 10, `made only ${drift.turned} turns`);
      assert.ok(drift.changes > 3 * SECONDS, `only ${drift.changes} changes of the controls`);
      assert.ok(drift.bumped > 0, 'never struck a rock or a wall');
      assert.ok(drift.reconciles > 15 * SECONDS, `only ${drift.reconciles} reconciliations`);
      assert.ok(share > 0.75, `only ${percent(share)} of the reconciliations say anything`);
    });
  }
}

/**
 * Contacts are rare: it takes a quarter of an hour to have some hundreds. One in twenty-five comes with a dash of the other
 * ship that nobody could know of, and is corrected by 20 u and more; at L100 that is so near to p95 that it takes twice as long.
 */
const CONTACTS = /** @type {[string, number, number][]} */ ([['L100', 10, 1800], ['L250', 32, 900]]);

for (const [profile, most, seconds] of CONTACTS) {
  for (const seed of seeds()) {
    test(`${profile}: a contact is corrected by little and without a jump, seed ${seed}`, async (t) => {
      const drift = new Drift();
      const pilot = { pilot: (/** @type {any} */ person) => new Ace(person, { ram: 0.8 }) };
      await match(profile, seed, { people: [drift.who(pilot)] }, async (world) => {
        drift.measure(world.people[0]);
        await world.run(seconds);
      });
      const { contacts, settled, beyond } = drift;
      report(t, profile, seed, {
        contacts: contacts.length, 'correction p50': quantile(contacts, 0.5), p95: quantile(contacts, 0.95),
        p99: quantile(contacts, 0.99), corrections: settled.length, 'shown for p50 ms': quantile(settled, 0.5),
        'at most ms': quantile(settled, 1), frames: beyond.length, 'beyond own motion p99.9 u': quantile(beyond, 0.999),
        'at most u': quantile(beyond, 1),
      });
      assert.ok(contacts.length > 200, `only ${contacts.length} contacts`);
      assert.ok(quantile(contacts, 0.95) <= most, `p95 is ${quantile(contacts, 0.95)} u`);
      assert.ok(settled.length > 200, `only ${settled.length} corrections were seen to settle`);
      assert.ok(quantile(settled, 1) <= 200, `an offset showed for ${quantile(settled, 1)} ms`);
      assert.ok(quantile(beyond, 1) <= 8, `a frame moved the ship ${quantile(beyond, 1)} u beyond its own motion`);
    });
  }
}
