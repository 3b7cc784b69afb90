// Applies recorded messages (a Welcome, then snapshots, each after its length as four bytes) to a view, over and over:
//   node apply.mjs FILE ROUNDS
// Prints the digest of the view in the end, and how long one snapshot took. Called by benches/decode.rs.

import { readFileSync } from 'node:fs';
import { ServerDecoder, View, decodeServer } from '../../client/protocol/index.js';

const bytes = new Uint8Array(readFileSync(process.argv[2]));
const rounds = Number(process.argv[3]);
const messages = [];
const lengths = new DataView(bytes.buffer, bytes.byteOffset);
for (let at = 0; at < bytes.length;) {
  const length = lengths.getUint32(at, true);
  messages.push(bytes.subarray(at + 4, at + 4 + length));
  at += 4 + length;
}
const welcome = decodeServer(messages[0]);
const view = new View(welcome.schema);
const decoder = new ServerDecoder();

function round() {
  for (let i = 1; i < messages.length; i++) {
    const snapshot = decoder.decode(messages[i]);
    if (view.apply(snapshot) !== 'applied') throw new Error(`message ${i}: ${view.why}`);
  }
}

round();
let best = Infinity;
for (let i = 0; i < rounds; i++) {
  const begin = performance.now();
  round();
  best = Math.min(best, performance.now() - begin);
}
console.log(`digest ${view.computeDigest()}`);
console.log(`JavaScript (Node ${process.versions.node}): ${(best * 1000 / (messages.length - 1)).toFixed(1)} us per snapshot, best of ${rounds} rounds`);
