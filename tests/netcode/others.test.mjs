// Others are drawn where they were, exactly: behind the server by as little as the network allows.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { match, percent, quantile, report, seeds, short } from './support/figures.mjs';
import { Ace } from './support/pilots.mjs';
import { SETTLE_SECONDS, Seen } from './support/seen.mjs';

const SECONDS = 90;

for (const profile of ['L0', 'L100', 'L250']) {
  for (const seed of seeds()) {
    test(`${profile}: other ships are where they were at the tick that is shown, seed ${seed}`, async (t) => {
      const seen = new Seen();
      await match(profile, seed, { people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
        world.people[0].onFrame.push((person, scene) => seen.look(person, scene));
        await world.run(SETTLE_SECONDS + SECONDS);
      });
      const underrun = seen.underruns / seen.frames;
      report(t, profile, seed, {
        'p50 u': short(quantile(seen.errors, 0.5), 3), p95: short(quantile(seen.errors, 0.95), 3),
        p99: short(quantile(seen.errors, 0.99), 3), poses: seen.errors.length, 'u flown': Math.round(seen.path),
        underrun: percent(underrun), snaps: seen.snaps,
        'ticks behind the server p50': quantile(seen.delays, 0.5), 'p99 ': quantile(seen.delays, 0.99),
      });
      assert.ok(quantile(seen.errors, 0.95) <= 0.3, `p95 is ${quantile(seen.errors, 0.95)} u`);
      assert.ok(quantile(seen.errors, 0.99) <= 1, `p99 is ${quantile(seen.errors, 0.99)} u`);
      assert.ok(underrun <= 0.005, `${percent(underrun)} of the frames lack a snapshot`);
      assert.equal(seen.snaps, 0, 'ships were drawn to jump');
      assert.ok(seen.errors.length > 20 * 60 * SECONDS, `only ${seen.errors.length} poses: hardly anybody was there`);
      assert.ok(seen.path > 1e5, `others flew only ${seen.path} u`);
    });
  }
}

test('the same figure without interpolation is far out: the test can tell', async (t) => {
  const seen = new Seen();
  const [seed] = seeds();
  await match('L250', seed, { people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
    const [person] = world.people;
    person.client.set('interpolation', false);
    // Drawn at the newest snapshot, but judged at the tick that a player is meant to see.
    person.onFrame.push((_, scene) => {
      for (const entity of scene.of('ship')) entity.tick = world.serverTick - 10;
      seen.look(person, scene);
    });
    await world.run(SETTLE_SECONDS + 20);
  });
  report(t, 'L250', seed, { 'p95 u': quantile(seen.errors, 0.95), snaps: seen.snaps });
  assert.ok(quantile(seen.errors, 0.95) > 3);
});
