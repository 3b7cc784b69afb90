// How long a client takes to decode and apply a delta in which 200 ships move, and what it allocates.
//
//   node --expose-gc client/test/decode.bench.js [entities] [snapshots]

import { ServerDecoder, View, digestOf } from '../protocol/index.js';
import { Tracks } from '../predict/index.js';
import { CROWD, crowd } from './support/crowd.js';

const entities = Number(process.argv[2] ?? 200);
const snapshots = Number(process.argv[3] ?? 1200);
const { messages, last } = crowd(entities, snapshots, 1);
const bytes = messages.slice(1).reduce((sum, message) => sum + message.length, 0) / snapshots;

/** @param {boolean} withTracks */
function pass(withTracks) {
  const decoder = new ServerDecoder();
  const view = new View(CROWD);
  const tracks = new Tracks(CROWD, 60);
  /** @type {number[]} */
  const times = [];
  for (const message of messages) {
    const start = performance.now();
    const snapshot = decoder.decode(message);
    if (snapshot.type !== 'snapshot' || view.apply(snapshot) !== 'applied') throw new Error(view.why);
    if (withTracks) tracks.record(view);
    times.push(performance.now() - start);
  }
  if (view.count !== entities || view.computeDigest() !== digestOf(last)) throw new Error('the view is not the last one');
  return times.slice(1).sort((a, b) => a - b);
}

/** @param {number[]} sorted */
const show = (sorted) => `mean ${(sorted.reduce((a, b) => a + b, 0) / sorted.length).toFixed(4)} ms, p50 ${sorted[sorted.length >> 1].toFixed(4)}, p99 ${sorted[Math.floor(sorted.length * 0.99)].toFixed(4)}`;

pass(true);
console.log(`${entities} moving ships, ${bytes.toFixed(0)} bytes a delta (${(bytes / entities).toFixed(2)} a ship), ${snapshots} deltas`);
console.log(`decode and apply:             ${show(pass(false))}`);
console.log(`with samples for the picture: ${show(pass(true))}`);
