// Can the drift figure tell? Each number of the own ship's movement is off by the least that the arithmetic can show, in one
// client each; every one of them must drift, and the one beside them that has the true numbers must not.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Drift } from './support/drift.mjs';
import { match, report, seeds } from './support/figures.mjs';
import { Ace } from './support/pilots.mjs';

const SECONDS = 90;

/**
 * Section, name, by how much. Not here: the speed limit, which no ship reaches by itself (thrust and dashes end at 66,550 of
 * 68,266), and the bounce of two ships, since contacts do not qualify; both are in movement.test.mjs and the golden vectors.
 * @type {[string, string, number][]}
 */
const MUTATIONS = [
  ['ship', 'radius_q12', 32], // Contacts are judged in Q7: 32 of Q12 are its step.
  ['ship', 'thrust_q12_per_tick2', 1],
  ['ship', 'reverse_q12_per_tick2', 1],
  ['ship', 'drag_q7', 1],
  ['ship', 'turn_brads_per_tick', 1],
  ['ship', 'wall_bounce_q8', 1],
  ['ship', 'rock_bounce_q8', 1],
  ['ship', 'shield_regen_q6_per_tick', 1],
  ['ship', 'energy_max_q6', 1],
  ['ship', 'energy_regen_q6_per_tick', 1],
  ['dash', 'impulse_q12_per_tick', 1],
  ['dash', 'cost_q6', 1],
  ['dash', 'wait_ticks', 1],
  ['bolt', 'wait_ticks', 1],
  ['bolt', 'cost_q6', 1],
  ['beam', 'charge_ticks', 1],
  ['beam', 'cost_q6', 1],
];

/** The adapter with one number of the tuning changed. @param {string} section @param {string} name @param {number} by */
function off(section, name, by) {
  return (/** @type {any} */ inner) => {
    const start = inner.start.bind(inner);
    inner.start = (/** @type {any} */ welcome) => {
      const tuning = JSON.parse(new TextDecoder().decode(welcome.tuning));
      assert.equal(typeof tuning[section][name], 'number', `${section}.${name} is no number of the tuning`);
      tuning[section][name] += by;
      start({ ...welcome, tuning: new TextEncoder().encode(JSON.stringify(tuning)) });
    };
    return inner;
  };
}

for (const seed of seeds()) {
  test(`each number off by one makes the own ship drift, seed ${seed}`, async (t) => {
    const drifts = [null, ...MUTATIONS].map(() => new Drift());
    const people = drifts.map((drift, i) => drift.who({
      joins: i * 0.05,
      pilot: (person) => new Ace(person, { ram: 0.2 }),
      game: i === 0 ? undefined : off(...MUTATIONS[i - 1]),
    }));
    await match('L100', seed, { bots: 40 - people.length, people }, async (world) => {
      drifts.forEach((drift, i) => drift.measure(world.people[i]));
      await world.run(SECONDS);
    });
    report(t, 'L100', seed, Object.fromEntries(drifts.map((drift, i) => (
      [i === 0 ? 'unchanged' : MUTATIONS[i - 1].slice(0, 2).join('.'), `${drift.wrong} of ${drift.qualified}`]))));
    assert.equal(drifts[0].wrong, 0, drifts[0].examples.join('\n'));
    drifts.slice(1).forEach(({ wrong }, i) => assert.ok(wrong > 0, `${MUTATIONS[i].join(' ')} does not show`));
  });
}
