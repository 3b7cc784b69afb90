// The worse connection that a page makes for itself: late, uneven, held up, but whole and in order.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Lag } from '../net/index.js';
import { play, quantile } from './support/play.js';
import { SEED, generator } from './support/random.js';
import { World } from './support/world.js';

/** A lag between a socket that notes what it is told, and events that note what comes. */
function setup() {
  const world = new World();
  const random = generator(SEED);
  const lag = new Lag(() => world.now, (ms, work) => world.schedule(world.now + ms, work), random.next);
  /** @type {{ at: number, what: any }[]} */
  const up = [];
  /** @type {{ at: number, what: any }[]} */
  const down = [];
  /** @type {import('../net/connection.js').SocketEvents | null} */
  let far = null;
  const note = (/** @type {any[]} */ list) => (/** @type {any} */ what) => void list.push({ at: world.now, what });
  const near = lag.over((_, events) => {
    far = events;
    return { send: (bytes) => note(up)(bytes[0]), close: () => note(up)('close') };
  })('ws://x/ws', { open: () => note(down)('open'), message: (bytes) => note(down)(bytes[0]), close: (code) => note(down)(code) });
  const server = /** @type {import('../net/connection.js').SocketEvents} */ (/** @type {unknown} */ (far));
  /** One message each way every 10 ms; gives the delays. @param {number} count */
  const talk = (count) => {
    const from = [up.length, down.length];
    const start = world.now;
    for (let i = 0; i < count; i++) {
      world.schedule(start + i * 10, () => {
        near.send(Uint8Array.of(i & 255));
        server.message(Uint8Array.of(i & 255));
      });
    }
    world.run(start + count * 10 + 3000);
    return [up.slice(from[0]), down.slice(from[1])].map((list) => {
      assert.deepEqual(list.map(({ what }) => what), Array.from({ length: count }, (_, i) => i & 255), 'each once, and in order');
      return list.map(({ at }, i) => at - start - i * 10);
    });
  };
  return { world, lag, near, server, up, down, talk };
}

test('switched off it is not there: messages go through within the call', () => {
  const { near, server, up, down, world } = setup();
  server.open();
  near.send(Uint8Array.of(7));
  server.message(Uint8Array.of(8));
  near.close();
  server.close(1000);
  assert.deepEqual([up, down].map((list) => list.map(({ what }) => what)), [[7, 'close'], ['open', 8, 1000]]);
  assert.equal(world.queue.length, 0, 'and nothing waits');
});

test('each way takes half of the round trip, and jitter spreads it evenly', () => {
  const { lag, talk } = setup();
  lag.set({ rtt: 250 });
  for (const delays of talk(100)) assert.ok(delays.every((ms) => Math.abs(ms - 125) < 1e-6), `${delays}`);
  lag.set({ rtt: 250, jitter: 40 });
  for (const delays of talk(2000)) {
    assert.ok(delays.every((ms) => ms >= 105 && ms <= 145), `${Math.min(...delays)} to ${Math.max(...delays)} ms`);
    // A message behind a later one waits for it, so the middle lies a little above 125.
    assert.ok(Math.abs(quantile(delays, 0.5) - 127) < 5, `${quantile(delays, 0.5)} ms`);
    assert.ok(Math.min(...delays) < 108 && Math.max(...delays) > 142, 'the whole width is used');
  }
});

test('no message arrives before it is sent, and no stall lasts for ever', () => {
  const { lag, talk } = setup();
  assert.equal(lag.set({ rtt: 20, jitter: 100 }).jitter, 20);
  for (const delays of talk(500)) assert.ok(Math.min(...delays) >= 0);
  assert.equal(lag.set({ stall: 1000, stallEvery: 0 }).stall, 0);
  assert.equal(lag.set({ stall: 9000, stallEvery: 5000 }).stall, 2500);
});

test('a stall holds up what would arrive in it, and then all comes at once', () => {
  const { lag, talk } = setup();
  lag.set({ rtt: 100, stall: 500, stallEvery: 2000 });
  for (const delays of talk(600)) {
    delays.forEach((ms, i) => {
      const into = (i * 10 + 50) % 2000;
      const held = i * 10 + 50 >= 2000 && into < 500;
      assert.ok(Math.abs(ms - (held ? 50 + 500 - into : 50)) < 1e-6, `message ${i} took ${ms} ms`);
    });
  }
});

test('a connection that becomes better overtakes nothing', () => {
  const { world, lag, near, up } = setup();
  lag.set({ rtt: 400 });
  near.send(Uint8Array.of(1));
  world.run(10);
  lag.set({});
  near.send(Uint8Array.of(2));
  assert.equal(up.length, 0);
  near.close();
  world.run(1000);
  assert.deepEqual(up, [{ at: 200, what: 1 }, { at: 200, what: 2 }, { at: 200, what: 'close' }]);
  near.send(Uint8Array.of(3));
  assert.equal(up.length, 4, 'nothing is under way any more');
});

test('the whole client over it: the round trip follows, and the session goes on', () => {
  /** @type {Lag | undefined} */
  let lag;
  const game = play();
  const direct = game.client.connection.transport;
  lag = new Lag(game.clock, (ms, work) => game.world.schedule(game.world.now + ms, work), game.random.next);
  game.client.connection.transport = lag.over(direct);
  game.client.connect();
  game.run(3000);
  assert.ok(game.client.stats().rttMin < 10, `${game.client.stats().rttMin} ms`);
  lag.set({ rtt: 250, jitter: 40 });
  game.run(45_000);
  const { rttMin, resyncs, reconnects, snapshotRate, underruns } = game.client.stats();
  assert.ok(rttMin > 205 && rttMin < 260, `${rttMin} ms`);
  assert.deepEqual([resyncs, reconnects], [0, 0]);
  assert.ok(snapshotRate > 25, `${snapshotRate} snapshots a second`);
  assert.ok(underruns < 0.05, `${underruns} of all frames lacked a snapshot`);
});
