// A crowd of ships and a stream of deltas in which all of them move: what the bench and the heap check decode.

import { digestOf, encodeBody, quantise } from '../../protocol/index.js';
import { generator } from './random.js';
import { snapshotBytes } from './snapshot.js';

/** @type {(name: string, interpolation: import('../../protocol/schema.js').Interpolation, dropBits?: number) => import('../../protocol/schema.js').Field} */
const field = (name, interpolation, dropBits = 0) => ({ name, scale: 1, interpolation, dropBits, changeOrder: 4, valueOrder: 9 });

/** Nine fields like Arena's ships. @type {import('../../protocol/schema.js').Schema} */
export const CROWD = {
  game: 'crowd', rules: 1, inputs: [], events: [],
  kinds: [{
    name: 'ship', private: false, constant: false,
    fields: [field('x', 'linear', 10), field('y', 'linear', 10), field('heading', 'angle', 8), ...['thrust', 'turn', 'flags', 'shield', 'hull', 'seat'].map((name) => field(name, 'step'))],
  }],
};

/**
 * The first, full snapshot and then `count` deltas. Bytes only: nothing of the server is left to be measured with them.
 * @param {number} entities
 * @param {number} count
 * @param {number} seed
 */
export function crowd(entities, count, seed) {
  const random = generator(seed);
  const ships = Array.from({ length: entities }, (_, i) => ({
    id: i * 3 + 1, x: random.whole(-4e6, 4e6), y: random.whole(-4e6, 4e6), vx: random.whole(-12_000, 12_000), vy: random.whole(-12_000, 12_000),
    heading: random.whole(0, 65_535), turn: random.whole(-700, 700), controls: [0, 0, 0],
  }));
  const rows = () => ships.map((ship) => ({
    id: ship.id, kind: 0,
    fields: [ship.x, ship.y, ship.heading, ...ship.controls, 100, 100, ship.id].map((value, f) => quantise(CROWD.kinds[0].fields[f], value)),
  }));
  let old = rows();
  const messages = [snapshotBytes({ tick: 2 }, encodeBody(CROWD, 2, [], old))];
  for (let i = 0; i < count; i++) {
    for (const ship of ships) {
      ship.x += 2 * ship.vx;
      ship.y += 2 * ship.vy;
      ship.heading = (ship.heading + ship.turn) & 65_535;
      if (random.chance(0.15)) ship.controls[random.whole(0, 2)] = random.whole(-8, 8);
    }
    const now = rows();
    const digest = i % 30 === 0 ? digestOf(now) : null;
    const header = { tick: 4 + 2 * i, base: 2, flags: digest === null ? 0 : 8, ack: i, margin: 1 };
    messages.push(snapshotBytes(header, encodeBody(CROWD, header.tick, old, now, { digest })));
    old = now;
  }
  return { messages, last: old };
}
