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

/**
 * A clock under pings over a bare way of 50 ms each, later for as long as `stalled` says; its error at each look.
 * @param {(sent: number) => { up: number, down: number }} stalled what the way takes longer then
 * @param {number} ms
 * @param {number} [drift]
 */
function watched(stalled, ms, drift = 0) {
  const truth = (/** @type {number} */ now) => 5_000_000 + now * (1 + drift);
  const clock = new ServerClock(0, truth(0) - 50);
  /** @type {{ at: number, sent: number, server: number }[]} */
  let coming = [];
  /** @type {{ now: number, error: number }[]} */
  const errors = [];
  for (let now = 0; now < ms; now += 16) {
    coming = coming.filter((pong) => {
      if (pong.at > now) return true;
      clock.pong(pong.sent, pong.server, pong.at);
      return false;
    });
    if (clock.takePing(now)) {
      const { up, down } = stalled(now);
      coming.push({ at: now + 100 + up + down, sent: now, server: truth(now + 50 + up) });
    }
    errors.push({ now, error: clock.serverMs(now) - truth(now) });
  }
  return { clock, errors };
}

test('a stall right at the start makes the clock wrong until the first free ping, not for half a minute', () => {
  for (const stall of [300, 1000, 2000, 5000]) {
    for (const way of ['up', 'down']) {
      const { errors } = watched((sent) => ({ up: 0, down: 0, [way]: Math.max(0, stall - sent) }), stall + 10_000);
      const late = errors.filter(({ now }) => now > stall + 1500);
      const worst = Math.max(...late.map(({ error }) => Math.abs(error)));
      assert.ok(worst <= 2, `${stall} ms, ${way}: off by ${worst} ms after that`);
    }
  }
});

test('an hour hidden, with a ping a minute: measurements count by their age, and the clock is right at the return', () => {
  for (const drift of [3e-5, -3e-5, 9e-5]) {
    const random = generator(SEED);
    const truth = (/** @type {number} */ now) => 5_000_000 + now * (1 + drift);
    const clock = new ServerClock(0, truth(0) - 50);
    const ping = (/** @type {number} */ now) => {
      const [up, down] = [40 + random.next() * 20, 40 + random.next() * 20];
      clock.pong(now, truth(now + up), now + up + down);
      return now + up + down;
    };
    for (let now = 0; now < 60_000; now += 500) ping(now);
    for (let now = 60_000; now < 3_660_000; now += 60_000) ping(now);
    const back = 3_700_000;
    clock.refresh(back);
    let now = back;
    for (; now < back + 220; now += 50) ping(now);
    assert.ok(Math.abs(clock.serverMs(now + 100) - truth(now + 100)) <= 10, `off by ${clock.serverMs(now + 100) - truth(now + 100)} ms within 320 ms`);
    for (; now < back + 1600; now += 50) ping(now);
    assert.ok(Math.abs(clock.serverMs(now + 100) - truth(now + 100)) <= 5, `off by ${clock.serverMs(now + 100) - truth(now + 100)} ms`);
  }
});

test('a clock that nobody measured for long is not predicted on until the server answers', () => {
  const { clock } = watched(() => ({ up: 0, down: 0 }), 3000);
  assert.equal(clock.synced(3000 + 100_000), true);
  assert.equal(clock.synced(3000 + 86_400_000), false);
  const back = 86_403_000;
  clock.refresh(back);
  // What waited for this page says nothing; what was asked after the return does.
  clock.pong(2990, 5_003_040, back + 1);
  assert.equal(clock.synced(back + 1), false);
  clock.pong(back, 5_000_000 + back + 50 + 2600, back + 100);
  assert.equal(clock.synced(back + 100), true);
  assert.ok(Math.abs(clock.serverMs(back + 100) - (5_000_000 + back + 100 + 2600)) < 1);
});

test('a way that becomes longer under a slow page is known once what was measured before is half a minute old', () => {
  const random = generator(SEED);
  const clock = new ServerClock(0, 1000);
  // A page that draws twice a second: every answer waits for it, and half of them take much longer than the way.
  const ping = (/** @type {number} */ now, /** @type {number} */ rtt) => {
    const up = rtt / 2;
    const down = rtt / 2 + random.next() * 400;
    clock.pong(now, 1000 + now + up, now + up + down);
  };
  for (let now = 0; now < 60_000; now += 500) ping(now, 4);
  for (let now = 60_000; now < 96_000; now += 500) ping(now, 250);
  assert.ok(clock.rttMin > 200, `${clock.rttMin} ms`);
});

test('a page whose every pause is longer than a second still measures', () => {
  const clock = new ServerClock(0, 1000);
  for (let now = 0; now < 20_000; now += 1200) {
    clock.refresh(now, false);
    clock.pong(now, 1000 + now + 50, now + 1200);
  }
  assert.ok(clock.synced(20_000));
  assert.ok(clock.end >= 16);
});
