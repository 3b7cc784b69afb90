// How far behind the server others are drawn when a connection hiccups: the policy is in client/predict/render_clock.js, and
// `node tests/netcode/delay_curve.mjs` prints the whole curve beside that of an earlier one.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { percent, report, seeds } from './support/figures.mjs';
import { spiked } from './support/spikes.mjs';

/** What the policy before cost (delay_curve.mjs of fe3f011, seeds 1 to 3): height ms, delay ms, share of frames underrun. */
const BEFORE = [
  [20, 111.5, 0.0010], [40, 131.1, 0.0007], [80, 170.9, 0.0010], [90, 180.3, 0.0012], [100, 167.8, 0.0181], [110, 111.3, 0.0809],
  [130, 98.8, 0.1116], [150, 98.7, 0.1314], [200, 98.6, 0.1805], [250, 99.1, 0.2285], [400, 101.7, 0.3740],
];

for (const [height, delayBefore, underrunBefore] of BEFORE) {
  for (const seed of seeds()) {
    test(`L100, a hiccup of ${height} ms a second, seed ${seed}`, async (t) => {
      const { delay, underrun, pops } = await spiked(height, seed);
      report(t, 'L100', seed, { 'hiccup ms': height, 'ms behind the server': delay, underrun: percent(underrun), pops });
      assert.ok(delay <= delayBefore || underrun <= underrunBefore, `${delay} ms and ${percent(underrun)}: both are worse than they were`);
      if (height <= 80) assert.ok(delay <= 120, `${delay} ms`);
      if (height === 110) assert.ok(underrun <= 0.01, percent(underrun));
      assert.equal(pops, 0, 'a ship was drawn to leap');
    });
  }
}

for (const profile of /** @type {const} */ (['L0', 'L250'])) {
  for (const seed of seeds()) {
    test(`${profile}: hiccups of 80 ms move nothing, those of 110 ms are waited for, seed ${seed}`, async (t) => {
      const [none, small, large] = [await spiked(0, seed, { profile }), await spiked(80, seed, { profile }), await spiked(110, seed, { profile })];
      report(t, profile, seed, { 'without ms': none.delay, '80 ms': small.delay, '110 ms': large.delay, underrun: percent(large.underrun) });
      assert.ok(small.delay < none.delay + 20, `${small.delay} ms`);
      assert.ok(large.underrun <= 0.02, percent(large.underrun));
    });
  }
}
