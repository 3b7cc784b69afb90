// The harness's links are the links of `tickroom lag`: what a person feels there is what is measured here.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seeds } from './support/figures.mjs';
import { Link, PROFILES } from './support/link.mjs';
import { RoomPipe } from './support/pipe.mjs';

test('for every profile, both ways, each of 5,000 sends comes out at the same microsecond', async () => {
  const [seed] = seeds();
  const pipe = new RoomPipe();
  try {
    for (const profile of Object.values(PROFILES)) {
      for (const way of /** @type {const} */ (['up', 'down'])) {
        const link = new Link(profile, way, seed);
        const sends = Array.from({ length: 5000 }, (_, i) => i * 7919);
        assert.deepEqual(sends.map((at) => link.send(at)), await pipe.link(profile, way, seed, sends), `${profile.name} ${way}`);
      }
    }
  } finally {
    pipe.close();
  }
});
