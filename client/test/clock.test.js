// The estimate of the server's clock under jitter, stalls, drift and jumps.

import assert from 'node:assert/strict';
import test from 'node:test';

import { ServerClock } from '../net/index.js';
import { quantile } from './support/play.js';
import { SEED, generator } from './support/random.js';

/**
 * Pings over a link, a look at the clock every 16 ms; the errors in ms from `from` on.
 * @param {{ delay: number, jitter: number, seed: number, ms?: number, from?: number, drift?: number, stall?: number, up?: number }} link
 */
function errors({ delay, jitter, seed, ms = 30_000, from = 2000, drift = 0, stall = 0, up = 0 }) {
  const random = generator(seed);
  const truth = (/** @type {number} */ now) => 5_000_000 + now * (1 + drift);
  const way = () => Math.max(0, delay + (random.next() - 0.5) * jitter) + (random.chance(0.01) ? stall : 0);
  const clock = new ServerClock(0, truth(0) - delay);
  /** @type {{ at: number, sent: number, server: number }[]} */
  let coming = [];
  const list = [];
  let last = -Infinity;
  let backwards = 0;
  let fastest = 0;
  let before = { now: 0, shown: clock.serverMs(0) };
  for (let now = 0; now < ms; now += 1) {
    coming = coming.filter((pong) => {
      if (pong.at > now) return true;
      clock.pong(pong.sent, pong.server, now);
      return false;
    });
    if (now % 16 !== 0) continue;
    if (clock.takePing(now)) {
      const there = now + way() + up;
      // In order, like TCP.
      last = Math.max(last, there + way());
      coming.push({ at: last, sent: now, server: truth(there) });
    }
    const shown = clock.serverMs(now);
    if (shown < before.shown) backwards += 1;
    if (now > from) fastest = Math.max(fastest, Math.abs((shown - before.shown) / (now - before.now) - 1));
    before = { now, shown };
    if (now >= from) list.push(Math.abs(shown - truth(now)));
  }
  return { list, backwards, fastest, clock };
}

for (const [name, delay, jitter, most] of /** @type {[string, number, number, number][]} */ ([
  ['L0', 1, 0, 1], ['L100', 50, 20, 3], ['L250', 125, 40, 5],
])) {
  test(`${name}: from 2 s on the error is at most ${most} ms for 95 % of the time, and time never runs backwards`, () => {
    const all = [];
    for (let run = 0; run < 20; run++) {
      const seed = SEED * 100 + run;
      const { list, backwards, fastest } = errors({ delay, jitter, seed });
      assert.equal(backwards, 0, `seed ${seed}`);
      assert.ok(fastest <= 0.0501, `seed ${seed}: ran ${fastest} off time`);
      assert.ok(quantile(list, 0.95) <= most, `seed ${seed}: ${quantile(list, 0.95)}`);
      all.push(...list);
    }
    assert.ok(quantile(all, 0.95) <= most);
  });
}

test('stalls on 1 % of the pings change nothing, and a drift of 100 ppm is followed', () => {
  const { list } = errors({ delay: 125, jitter: 40, seed: SEED, stall: 350, drift: 1e-4, ms: 60_000 });
  assert.ok(quantile(list, 0.95) <= 5, `${quantile(list, 0.95)}`);
});

test('a way up that is longer than the way down shows as half the difference, no more', () => {
  const { list } = errors({ delay: 20, jitter: 0, seed: SEED, up: 30 });
  assert.ok(Math.abs(quantile(list, 0.5) - 15) < 0.5, `${quantile(list, 0.5)}`);
});

test('a server clock that jumped ahead (this machine slept) is taken over at once', () => {
  const clock = new ServerClock(0, 1000);
  for (let now = 0; now < 2000; now += 50) clock.pong(now, 1010 + now, now + 20);
  assert.ok(Math.abs(clock.serverMs(2000) - 3000) < 2);
  clock.pong(2000, 1010 + 2000 + 60_000, 2020);
  assert.ok(Math.abs(clock.serverMs(2020) - 63_020) < 2, `${clock.serverMs(2020)}`);
});

test('pings come at 20 Hz while the window fills, then twice a second, and densely again after a pause', () => {
  const clock = new ServerClock(0, 0);
  const times = [];
  for (let now = 0; now < 10_000; now += 16) if (clock.takePing(now)) times.push(now);
  const early = times.filter((time) => time < 1600).length;
  const late = times.filter((time) => time >= 2000).length;
  assert.ok(early >= 31 && early <= 34, `${early}`);
  assert.ok(late >= 15 && late <= 17, `${late}`);
  clock.refresh(10_000);
  let again = 0;
  for (let now = 10_000; now < 10_400; now += 16) if (clock.takePing(now)) again += 1;
  assert.ok(again >= 7 && again <= 9, `${again}`);
});

test('a way that becomes longer is known within four seconds, and one long stall is none', () => {
  for (const [before, after, jitter] of [[2, 250, 0], [20, 120, 20], [100, 400, 40]]) {
    const random = generator(SEED);
    const clock = new ServerClock(0, 1000);
    const way = (/** @type {number} */ rtt) => rtt / 2 + (random.next() - 0.5) * Math.min(rtt, jitter);
    const ping = (/** @type {number} */ now, /** @type {number} */ rtt) => {
      const [up, down] = [way(rtt), way(rtt)];
      clock.pong(now, 1000 + now + up, now + up + down);
    };
    for (let now = 0; now < 20_000; now += 500) ping(now, before);
    for (let now = 20_000; now < 22_500; now += 500) ping(now, before + 1000);
    for (let now = 22_500; now < 30_000; now += 500) ping(now, before);
    assert.ok(Math.abs(clock.rttMin - before) <= jitter, `${clock.rttMin} ms after a stall at ${before}`);
    for (let now = 30_000; now < 33_500; now += 500) ping(now, after);
    assert.ok(Math.abs(clock.rttMin - after) <= jitter, `${clock.rttMin} ms where ${before} became ${after}`);
    assert.ok(Math.abs(clock.offset - 1000) <= jitter / 2 + 0.5, `${clock.offset}`);
  }
});
