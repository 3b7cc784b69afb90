// The client core as a client that `tickroom conformance` judges:
//
//   tickroom conformance --listen 127.0.0.1:8090 &
//   node client/test/conformance.js ws://127.0.0.1:8090/ws
//
// It steers by whatever levels the game has, and joins again two seconds after it ended for good, as a player would.

import { createClient } from '../net/index.js';
import { memoryStorage } from './support/play.js';
import { nodeTransport } from './support/socket.js';

const FRAME_MS = 16;
const STEER_EVERY = 20;
const AGAIN_MS = 2000;

let closedAt = 0;
const client = createClient({
  url: process.argv[2],
  name: 'The page',
  transport: nodeTransport,
  clock: () => performance.now(),
  storage: memoryStorage(),
  random: Math.random,
  // The script wants to see who joins anew only when asked.
  rejoin: false,
  on: {
    status: ({ phase, reason }) => {
      console.log(phase, reason?.name ?? '');
      if (phase === 'closed') closedAt = performance.now();
    },
    resync: (why) => console.log('resync:', why),
  },
});

let frames = 0;
setInterval(() => {
  const now = performance.now();
  frames += 1;
  if (frames % STEER_EVERY === 0) steer();
  client.frame(now);
  if (client.phase === 'closed' && now - closedAt > AGAIN_MS) client.retry();
}, FRAME_MS);

function steer() {
  for (const { name, sort, min, max } of client.welcome?.schema.inputs ?? []) {
    if (sort === 'press') client.press(name);
    else client.setControls({ [name]: Math.round(min + Math.random() * (max - min)) });
  }
}

client.connect();
