// The beam hits what its shooter sees, whatever the way there takes; and nobody gains by lying about what they see.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeClient, encodeClient } from '../../client/protocol/index.js';
import { Beams, CROSSING_U, REWIND_MAX_TICKS, together } from './support/beams.mjs';
import { match, percent, quantile, report, seeds } from './support/figures.mjs';
import { Gunner } from './support/gunner.mjs';

/** Each takes a shot every second or two, if they live and have somebody in sight. */
const GUNNERS = 8;
const SHOTS = 1000;
const MINUTES_MAX = 20;
/** A second, in sixteenths of a tick. */
const LIE = 60 * 16;

/**
 * @param {number} seed
 * @param {number} shots
 * @param {{ compensation?: boolean, lie?: boolean, crossing?: number, inPage?: boolean }} how
 */
async function shoot(seed, shots, { compensation = true, lie = false, crossing = 0, inPage = false }) {
  /** @type {Gunner[]} */
  const gunners = [];
  const people = Array.from({ length: GUNNERS }, (_, i) => ({
    joins: i * 0.1,
    pilot: (/** @type {import('./support/person.mjs').Person} */ person) => (gunners[i] = new Gunner(person, { past: lie ? 60 : 0, crossing })),
    forge: lie ? pretend : undefined,
  }));
  return match('L250', seed, { bots: 40 - GUNNERS, inPage, people }, async (world) => {
    const beams = world.people.map((person, i) => {
      const one = new Beams();
      one.measure(person, gunners[i]);
      if (!compensation) person.client.set('lagCompensation', false);
      return one;
    });
    for (let left = MINUTES_MAX * 6; left > 0 && together(beams).shots < shots; left--) await world.run(10);
    return together(beams);
  });
}

/** Says that it sees others as they were a second before. @param {Uint8Array} bytes */
function pretend(bytes) {
  const message = decodeClient(bytes);
  return message.type === 'input' ? encodeClient({ ...message, seenAgo: message.seenAgo + LIE }) : bytes;
}

for (const seed of seeds()) {
  test(`L250: a beam aimed at what is seen hits it, seed ${seed}`, async (t) => {
    const on = await shoot(seed, SHOTS, {});
    report(t, 'L250', seed, {
      shots: on.shots, hit: percent(on.hits / on.shots), 'at targets that cross': on.crossing, 'hit ': percent(on.crossingHits / on.crossing), 'targets gone': on.gone, 'longest rewind ticks': on.longest,
      'target off the line by then, p50 u': quantile(on.live, 0.5), 'hit after 400 ms': on.tooLate, unexplained: on.unexplained,
    });
    assert.ok(on.shots >= SHOTS, `only ${on.shots} shots`);
    assert.ok(on.hits / on.shots >= 0.99, `only ${percent(on.hits / on.shots)} hit`);
    const crossing = on.crossingHits / on.crossing;
    assert.ok(crossing >= 0.99, `only ${percent(crossing)} of those hit whose like are missed without compensation`);
    assert.equal(on.tooLate, 0, 'somebody was hit more than 400 ms after leaving the line');
    assert.equal(on.unexplained, 0, 'somebody was hit who was not on the line when the shot was judged');
  });

  test(`L250: a delay within the page, which pings do not see, costs no hit, seed ${seed}`, async (t) => {
    const on = await shoot(seed, SHOTS / 4, { inPage: true });
    report(t, 'L250', seed, { shots: on.shots, hit: percent(on.hits / on.shots), 'longest rewind ticks': on.longest });
    assert.ok(on.shots >= SHOTS / 4, `only ${on.shots} shots`);
    assert.ok(on.hits / on.shots >= 0.98, `only ${percent(on.hits / on.shots)} hit: do acks measure the round trip?`);
  });

  test(`L250: without compensation the same aim misses, seed ${seed}`, async (t) => {
    const off = await shoot(seed, SHOTS, { compensation: false, crossing: CROSSING_U });
    // Who flies at the shooter, away, or not at all is hit by anybody: compensation is for those who cross the line.
    report(t, 'L250', seed, { 'shots at ships that cross': off.shots, hit: percent(off.hits / off.shots) });
    assert.ok(off.shots >= SHOTS, `only ${off.shots} shots`);
    assert.ok(off.hits / off.shots <= 0.25, `${percent(off.hits / off.shots)} hit: what is it that compensation does?`);
  });

  test(`L250: a liar who says that it saw a second more wins nothing past the cap, seed ${seed}`, async (t) => {
    const lies = await shoot(seed, SHOTS / 4, { lie: true });
    report(t, 'L250', seed, {
      shots: lies.shots, 'would hit without a cap': percent(lies.named / lies.shots), 'hit, all within the cap': percent(lies.hits / lies.shots),
      'hits past the cap': lies.unexplained, 'hit after 400 ms': lies.tooLate, 'longest rewind ticks': lies.longest,
    });
    assert.ok(lies.shots >= SHOTS / 4, `only ${lies.shots} shots`);
    assert.ok(lies.named / lies.shots > 0.9, 'the lie is no good: it would not pay even if it were believed');
    assert.equal(lies.unexplained, 0, 'a hit that only the lie explains');
    assert.equal(lies.tooLate, 0, 'somebody was hit more than 400 ms after leaving the line');
    assert.ok(lies.longest <= REWIND_MAX_TICKS, `the room looked back ${lies.longest} ticks`);
    assert.ok(lies.longest > 20, 'the cap was never reached');
  });
}
