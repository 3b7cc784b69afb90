// Decoding a crowd is quick and leaves no garbage per entity.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';

import { ServerDecoder, View, digestOf } from '../protocol/index.js';
import { SEED } from './support/random.js';
import { CROWD, crowd } from './support/crowd.js';

const ENTITIES = 200;
const DELTAS = 600;

test('a delta of 200 moving ships is applied in under 0.1 ms', () => {
  const { messages, last } = crowd(ENTITIES, DELTAS, SEED);
  let best = Infinity;
  // The best of five: the machine has other work too, and the first runs are not compiled yet.
  for (let run = 0; run < 5; run++) {
    const decoder = new ServerDecoder();
    const view = new View(CROWD);
    const apply = (/** @type {Uint8Array} */ bytes) => {
      const message = decoder.decode(bytes);
      assert.equal(message.type === 'snapshot' && view.apply(message), 'applied');
    };
    apply(messages[0]);
    const start = performance.now();
    for (let i = 1; i < messages.length; i++) apply(messages[i]);
    best = Math.min(best, (performance.now() - start) / DELTAS);
    assert.equal(view.computeDigest(), digestOf(last));
  }
  assert.ok(best < 0.1, `${best} ms`);
});

test('in the steady state neither the view nor the samples allocate per entity', () => {
  // A process of its own, without other tests' garbage. Young space so large that nothing is collected while it counts.
  const script = `
    import { ServerDecoder, View } from '${new URL('../protocol/index.js', import.meta.url)}';
    import { Tracks } from '${new URL('../predict/index.js', import.meta.url)}';
    import { CROWD, crowd } from '${new URL('./support/crowd.js', import.meta.url)}';
    const { messages } = crowd(${ENTITIES}, ${2 * DELTAS}, ${SEED});
    const decoder = new ServerDecoder();
    const view = new View(CROWD);
    const tracks = new Tracks(CROWD, 60);
    const apply = (from, to) => {
      for (let i = from; i < to; i++) {
        view.apply(decoder.decode(messages[i]));
        tracks.record(view);
      }
    };
    // What was compiled may be thrown away with the garbage and is compiled once more: that counts for nothing yet.
    apply(0, 200);
    globalThis.gc();
    apply(200, ${DELTAS} + 1);
    const before = process.memoryUsage().heapUsed;
    apply(${DELTAS} + 1, ${2 * DELTAS} + 1);
    console.log(process.memoryUsage().heapUsed - before, view.synced, view.tick);
  `;
  const out = execFileSync(process.execPath, ['--expose-gc', '--max-semi-space-size=64', '--input-type=module', '-e', script], { encoding: 'utf8' });
  const [bytes, synced, tick] = out.trim().split(' ');
  assert.deepEqual([synced, Number(tick)], ['true', 2 + 4 * DELTAS]);
  const each = Number(bytes) / DELTAS;
  // One object per entity would be at least 16 bytes each, 3,200 a snapshot.
  assert.ok(each < 500, `${each} bytes of heap a snapshot of ${ENTITIES} ships`);
});
