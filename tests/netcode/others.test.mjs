// Others are drawn where they were, exactly: behind the server by as little as the network allows.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { match, percent, quantile, report, seeds, short } from './support/figures.mjs';
import { PROFILES } from './support/link.mjs';
import { Ace } from './support/pilots.mjs';
import { SETTLE_SECONDS, SNAP_U, Seen } from './support/seen.mjs';

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

/** Eight ships, a minute. What a person saw of them, and how far off they were shown 400 ms and more after a stall. */
async function stalled(/** @type {import('./support/link.mjs').Profile} */ profile, /** @type {number} */ seed) {
  const seen = new Seen();
  /** @type {number[]} */
  const after = [];
  await match(profile, seed, { bots: 8, people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
    const [person] = world.people;
    person.onFrame.push((_, scene) => {
      const before = seen.errors.length;
      seen.look(person, scene);
      const stall = person.down.stallAt(world.now - world.begin);
      if (stall !== null && world.now - world.begin >= stall.end + 400_000) after.push(...seen.errors.slice(before));
    });
    await world.run(SETTLE_SECONDS + 60);
  });
  return { seen, after };
}

/**
 * A pop is a frame that moves a ship by more than 8 u beyond its own way. Of a stall of a second the room skips snapshots, so
 * that the way itself is not known: less than 16 u.
 * @type {[name: string, every: number, stall: number, underrun: number, most: number][]}
 */
const STALLS = [
  ['no stalls', 0, 0, 0, SNAP_U], ['stalls of 80 ms each half second', 500, 80, 0, SNAP_U], ['stalls of 150 ms each second', 1000, 150, 0, SNAP_U],
  ['stalls of 300 ms each 2 s', 2000, 300, 0.05, SNAP_U], ['stalls of 500 ms each 3 s', 3000, 500, 0.1, SNAP_U],
  ['stalls of 1 s each 4 s', 4000, 1000, 0.2, 2 * SNAP_U],
];
for (const [name, every, stall, guessed, most] of STALLS) {
  for (const seed of seeds()) {
    test(`L100, ${name}: who was guessed glides to where it is, and soon, seed ${seed}`, async (t) => {
      /** @type {import('./support/link.mjs').Profile} */
      const profile = { ...PROFILES.L100, name, stallEvery: every * 1000, stall: stall * 1000, stallWay: 'down' };
      const { seen, after } = await stalled(profile, seed);
      const underrun = seen.underruns / seen.frames;
      report(t, name, seed, {
        pops: seen.pops, 'most beyond its own way u': seen.worst, 'with wrong guesses': seen.snaps, underrun: percent(underrun),
        'errors from 400 ms on p95 u': quantile(after, 0.95), p99: quantile(after, 0.99),
      });
      assert.ok(seen.worst <= most, `${seen.pops} times a ship was drawn to leap, once by ${seen.worst} u`);
      assert.ok(underrun >= guessed, `only ${percent(underrun)} of the frames guessed: there was nothing to glide`);
      assert.ok(seen.path > 3e4, `others flew only ${seen.path} u`);
      assert.ok(quantile(after, 0.95) <= 2, `p95 is ${quantile(after, 0.95)} u 400 ms after stalls`);
    });
  }
}

test('70 s in which no frame is drawn: what is kept of others is as small as before, and what comes back is right', async (t) => {
  const [seed] = seeds();
  const seen = new Seen();
  await match('L100', seed, { people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
    const [person] = world.people;
    const { client } = person;
    const kept = () => {
      const { tracks, latestPools, stage, events } = /** @type {NonNullable<typeof client.session>} */ (client.session);
      const pooled = tracks.tables.reduce((sum, { pool }) => sum + pool.length, 0);
      const latest = [...latestPools.values()].reduce((sum, pool) => sum + pool.length, 0);
      return { tracks: tracks.all.length, pooled, latest, spawns: stage.spawnPool.length, events: events.length };
    };
    await world.run(10);
    const before = kept();
    const frame = client.frame.bind(client);
    client.frame = () => person.scene;
    let most = 0;
    let whole = 0;
    for (let second = 0; second < 70; second++) {
      await world.run(1);
      most = Math.max(most, kept().tracks);
      whole = Math.max(whole, kept().tracks + kept().pooled);
    }
    client.frame = frame;
    person.onFrame.push((_, scene) => seen.look(person, scene));
    const without = kept();
    await world.run(1);
    report(t, 'L100', seed, {
      'tracks before': before.tracks, 'at most without frames': most, 'with the pool': whole, events: without.events,
      'errors afterwards p95 u': quantile(seen.errors, 0.95),
    });
    // Two seconds of bolts that came and went are all that is more.
    assert.ok(most <= 4 * before.tracks && whole <= 6 * before.tracks, `${most} tracks, ${whole} with the pool; before ${before.tracks}`);
    assert.ok(without.events <= 512 && without.latest <= 4096 && without.spawns <= before.spawns + 64);
    assert.ok(seen.errors.length > 500 && quantile(seen.errors, 0.95) <= 0.3, `p95 ${quantile(seen.errors, 0.95)} u of ${seen.errors.length}`);
  });
});

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
