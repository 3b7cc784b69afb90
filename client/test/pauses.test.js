// The server's process stands still (SIGSTOP, a stolen core), or the network does: afterwards everything is as before, soon.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Steady } from '../net/steady.js';
import { Pace } from '../predict/index.js';
import { L0, L100, L250, play } from './support/play.js';

/** @typedef {ReturnType<typeof play>} Game */

/**
 * Flies normally from now on: the own ship answers a key in the very next frames, the server soon after, and what was
 * predicted is what comes.
 * @param {Game} game
 * @param {string} name
 * @param {number} rtt
 */
function flies(game, name, rtt) {
  const { client, server, world } = game;
  assert.equal(client.phase, 'playing', `${name}: ${client.phase}`);
  const { session } = client;
  assert.ok(session, name);
  const from = game.log.reconcile.length;
  const shots = server.queue.taken;
  client.setControls({ turn: 0 });
  game.run(world.now + 300);
  let heading = client.frame(game.clock()).own?.heading;
  assert.notEqual(heading, undefined, `${name}: no own ship`);
  let frames = 0;
  let answered = 0;
  /** @type {number | null} */
  let there = null;
  client.setControls({ turn: 8 });
  const pressed = world.now;
  game.run(pressed + 700, {
    after: ({ own }, now) => {
      frames += 1;
      if (answered === 0 && own?.heading !== heading) answered = frames;
      heading = own?.heading;
      if (server.queue.levels[1] === 8) there ??= now;
    },
  });
  assert.ok(answered > 0 && answered <= 2, `${name}: a key showed after ${answered} frames`);
  assert.ok(there !== null && there - pressed <= rtt / 2 + 60, `${name}: and counted after ${there} - ${pressed} ms`);
  const known = game.log.reconcile.slice(from);
  const exact = known.filter((r) => r.exact).length / known.length;
  assert.ok(exact > 0.8, `${name}: ${exact} of the snapshots are as predicted`);
  assert.ok(Math.abs(session.serverTick(game.clock()) - game.trueTick()) < 1.5, `${name}: the clock is off by ${session.serverTick(game.clock()) - game.trueTick()} ticks`);
  assert.ok(session.pace.margin >= -2 && session.pace.margin < 12, `${name}: margin ${session.pace.margin}`);
  assert.ok(server.queue.taken > shots, name);
  assert.ok(session.inputs.pending < 40, `${name}: ${session.inputs.pending} inputs are pending`);
}

/** @type {[string, import('./support/play.js').Profile, number][]} */
const LINKS = [['L0', L0, 2], ['L100', L100, 120], ['L250', L250, 290]];

for (const ms of [200, 500, 1500, 5000, 5900, 6100, 7000, 17_000, 30_000, 60_000]) {
  test(`the server stands still for ${ms} ms: a second later the own ship answers as always`, () => {
    for (const [name, link, rtt] of LINKS) {
      const game = play({ up: link, timers: true });
      game.client.connect();
      game.client.setControls({ thrust: 10 });
      game.run(4000);
      game.server.stop(ms);
      game.run(4000 + ms + 1000 + (ms > 6000 ? 2 * rtt : 0), {
        each: (now) => game.client.setControls({ turn: Math.floor(now / 250) % 2 === 0 ? 4 : -4 }),
      });
      assert.ok(game.log.closing.every(({ name: why }) => why === 'lost'), `${name}: ${game.log.closing.map((one) => one.name)}`);
      flies(game, `${name}, ${ms} ms`, rtt);
    }
  });
}

test('pauses in a row, of the server and of the page by turns', () => {
  const game = play({ up: L100, timers: true });
  game.client.connect();
  game.client.setControls({ thrust: 10 });
  game.run(4000);
  for (const [server, page, between] of [[700, 0, 200], [0, 900, 100], [300, 300, 0], [1500, 400, 300], [2000, 0, 50], [0, 3000, 0], [400, 5500, 150]]) {
    game.server.stop(server);
    if (page > 0) {
      game.freeze();
      game.world.run(game.world.now + page);
      game.thaw();
    }
    game.run(game.world.now + Math.max(0, server - page) + between);
  }
  game.run(game.world.now + 1000);
  flies(game, 'after all', 120);
  assert.equal(game.client.stats().reconnects, 0);
});

test('the server stands still while the page is hidden, and before the Welcome, and while a seat is taken back', () => {
  const hidden = play({ up: L100, timers: true });
  hidden.client.connect();
  hidden.run(4000);
  hidden.client.setHidden(true);
  hidden.world.run(5000);
  hidden.server.stop(3000);
  hidden.world.run(20_000);
  hidden.client.setHidden(false);
  hidden.run(20_400);
  flies(hidden, 'hidden', 120);

  const early = play({ up: L100, timers: true });
  early.server.stop(4000);
  early.client.connect();
  early.run(5000);
  flies(early, 'before the Welcome', 120);

  const resuming = play({ up: L100, timers: true });
  resuming.client.connect();
  resuming.run(4000);
  resuming.net.cut();
  resuming.run(4560);
  resuming.server.stop(2500);
  resuming.run(8500);
  flies(resuming, 'while a seat is taken back', 120);

  const frozen = play({ up: L100, timers: true });
  frozen.client.connect();
  frozen.run(30);
  frozen.freeze();
  frozen.world.run(9000);
  frozen.thaw();
  frozen.run(9500);
  flies(frozen, 'the page stood still before its Welcome', 120);
  assert.equal(frozen.net.sockets, 1);
});

for (const [way, up, down] of /** @type {[string, number, number][]} */ ([['up', 2000, 0], ['down', 0, 2000], ['both ways', 2000, 2000]])) {
  test(`a network that stands still for 2 s right after Welcome, ${way}: what the clock learnt is corrected within 3 s`, () => {
    for (const [name, link, rtt] of LINKS) {
      const stalled = (/** @type {number} */ stall) => ({ ...link, ...(stall > 0 ? { stallEvery: 100_000, stallFrom: -100_000 + link.delay * 2 + 20, stall } : {}) });
      const game = play({ up: stalled(up), down: stalled(down), timers: true });
      game.client.connect();
      game.client.setControls({ thrust: 10 });
      const end = link.delay * 2 + 2020;
      game.run(end + 1000);
      flies(game, `${name}, ${way}`, rtt);
      const { session } = game.client;
      assert.ok(session && game.world.now < end + 3000 && session.pace.margin < 8, `margin ${session?.pace.margin}`);
    }
  });
}

for (const [way, up, down] of /** @type {[string, boolean, boolean][]} */ ([['up', true, false], ['down', false, true], ['both ways', true, true]])) {
  test(`a network that stands still in the middle of a match, ${way}: a second later all is as always`, () => {
    for (const stall of [300, 1000, 2500, 5000]) {
      for (const [name, link, rtt] of LINKS) {
        const stalled = { ...link, stallEvery: 60_000, stallFrom: -54_000, stall };
        const game = play({ up: up ? stalled : link, down: down ? stalled : link, timers: true });
        game.client.connect();
        game.client.setControls({ thrust: 10 });
        game.run(6000 + stall + 1000, { each: (now) => game.client.setControls({ turn: Math.floor(now / 250) % 2 === 0 ? 4 : -4 }) });
        assert.equal(game.client.stats().reconnects, 0);
        flies(game, `${name}, ${stall} ms`, rtt);
      }
    }
  });
}

test('the lead is a time, whatever the tick rate', () => {
  for (const rate of [5, 20, 60, 128, 240]) {
    const pace = new Pace(rate);
    pace.advance(1000, (1000 * rate) / 1000, { rttMin: 100, jitterUp: 10 });
    assert.ok(Math.abs((pace.lead * 1000) / rate - 81) < 0.01, `${(pace.lead * 1000) / rate} ms at ${rate} Hz`);
  }
});

test('a clock that jumps back, ahead, or stood still in sleep', () => {
  for (const [name, jump] of /** @type {[string, number][]} */ ([['back', -10_000], ['back by a little', -40], ['ahead', 20_000], ['stood still', 0]])) {
    const game = play({ up: L100, timers: true });
    game.client.connect();
    game.client.setControls({ thrust: 10 });
    game.run(4000);
    if (name === 'stood still') game.leap(3_600_000, { clockStops: true });
    else game.page.slept -= jump;
    game.run(game.world.now + 1500);
    flies(game, name, 120);
    assert.equal(game.client.stats().reconnects, 0, name);
  }
});

test('a frame that began before the page stood still is no clock that was set back', () => {
  let now = 1000;
  const steady = new Steady(() => now);
  assert.equal(steady.now(), 1000);
  now = 4000;
  assert.equal(steady.now(), 4000, 'a timer that runs first after three seconds');
  assert.equal(steady.of(1016), 4000, 'the frame that had begun before');
  assert.equal(steady.now(), 4000);
  now = 500;
  assert.equal(steady.now(), 4000, 'a clock that is set back goes on');
  now = 600;
  assert.equal(steady.now(), 4100);
});

test('once the clock was set the prediction is set with it', () => {
  const pace = new Pace(60);
  const clock = { rttMin: 100, jitterUp: 0, jumps: 0 };
  let now = 0;
  pace.advance(now, 100, clock);
  for (let frame = 1; frame <= 60; frame++) pace.advance((now += 1000 / 60), 100 + frame, clock);
  const lead = pace.tick - 160;
  clock.jumps = 1;
  assert.equal(pace.advance((now += 1000 / 60), 161 + 4, clock), true, 'four ticks, too few to leap for by themselves');
  assert.ok(Math.abs(pace.tick - 165 - lead) < 0.5, `${pace.tick - 165} ahead, ${lead} before`);
});
