// Time: the client knows the server's clock, and its inputs are there when their tick is simulated.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { match, mean, percent, quantile, report, seeds, short } from './support/figures.mjs';
import { Ace } from './support/pilots.mjs';

const SECONDS = 90;
/** From here on the figures count, but what may never happen may not happen before either. */
const SETTLE_SECONDS = 2;

for (const [profile, most] of /** @type {[string, number][]} */ ([['L0', 1], ['L100', 3], ['L250', 5]])) {
  for (const seed of seeds()) {
    test(`${profile}: the clock is right within ${most} ms and never runs backwards, seed ${seed}`, async (t) => {
      /** @type {number[]} */
      const errors = [];
      let backwards = 0;
      let last = { server: -Infinity, own: -Infinity, others: -Infinity };
      await match(profile, seed, { people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
        const [person] = world.people;
        person.onFrame.push((_, scene) => {
          if (!person.client.session) return;
          const server = person.localMs + person.client.stats().clockOffset;
          if (world.seconds >= SETTLE_SECONDS) errors.push(Math.abs(server - world.now / 1000));
          const now = { server, own: scene.ownTick, others: scene.tick };
          if (now.server < last.server || now.own < last.own || now.others < last.others) backwards += 1;
          last = now;
        });
        await world.run(SETTLE_SECONDS + SECONDS);
      });
      report(t, profile, seed, {
        'p50 ms': short(quantile(errors, 0.5)), p95: short(quantile(errors, 0.95)), 'at most': short(quantile(errors, 1)),
        backwards, frames: errors.length,
      });
      assert.ok(errors.length > 50 * SECONDS, `only ${errors.length} frames`);
      assert.ok(quantile(errors, 0.95) <= most, `p95 is ${quantile(errors, 0.95)} ms`);
      assert.equal(backwards, 0, 'a clock or a displayed tick ran backwards');
    });
  }
}

for (const [profile, least] of /** @type {[string, number][]} */ ([['L100', 0.99], ['L250', 0.97]])) {
  for (const seed of seeds()) {
    test(`${profile}: inputs are applied on the tick that they are stamped for, seed ${seed}`, async (t) => {
      /** @type {number[]} */
      const waits = [];
      let onTime = 0;
      let changes = 0;
      /** @type {number[]} */
      const leads = [];
      await match(profile, seed, { people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
        world.onTaken.push(({ stamp, next, tick }) => {
          if (world.seconds < SETTLE_SECONDS) return;
          changes += 1;
          if (tick === stamp) onTime += 1;
          waits.push(tick - next);
        });
        world.people[0].onFrame.push((_, scene) => leads.push(scene.ownTick - world.serverTick));
        await world.run(SETTLE_SECONDS + SECONDS);
      });
      const share = onTime / changes;
      report(t, profile, seed, {
        'on the tick': percent(share), inputs: changes, 'mean wait ticks': mean(waits), 'p95 ': quantile(waits, 0.95),
        'lead p50 ticks': quantile(leads, 0.5),
      });
      assert.ok(changes > 5 * SECONDS, `only ${changes} inputs`);
      assert.ok(share >= least, `only ${percent(share)} on their tick`);
      assert.ok(mean(waits) <= 2, `inputs wait ${mean(waits)} ticks`);
    });
  }
}
