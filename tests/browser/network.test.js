// The match from far away: the real page and the real server with `tickroom lag` between them.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, Server, lag, launch, until } from './harness.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 0 });
  browser = await launch();
});

test('at 250 ms the own ship answers in the frame of the key press, and others see it where it is', async (t) => {
  const far = await Person.at(browser, 'Far');
  await far.join(await lag(server, '--rtt', '250', '--jitter', '40'));
  const near = await Person.at(browser, 'Near');
  await near.join(server.url);
  const stats = await until('the clock has settled', async () => {
    const { stats: now } = await far.look();
    // The mean suffers on a busy machine; the smallest is the network's.
    return now.rttMin > 180 && now.rttMin < 350 && now.inputLead > 100 && now;
  }, 20_000);
  t.diagnostic(`round trip ${stats.rttMin.toFixed(0)} ms, inputs lead by ${stats.inputLead.toFixed(0)} ms`);

  // Counted in the page: frames that were drawn from the key's event until the ship had turned.
  await far.page.evaluate(() => {
    window.answered = new Promise((resolve) => {
      window.addEventListener('keydown', () => {
        const { heading } = window.tickroom.own;
        let frames = 0;
        const look = () => {
          frames += 1;
          if (window.tickroom.own.heading !== heading || frames > 60) resolve(frames);
          else requestAnimationFrame(look);
        };
        // Registered after the page's own loop asked for its frame: looks at what that has drawn.
        requestAnimationFrame(look);
      }, { once: true });
    });
  });
  await far.page.keyboard.down('KeyD');
  const frames = await far.page.evaluate(() => window.answered);
  await sleep(500);
  await far.page.keyboard.up('KeyD');
  assert.ok(frames <= 2, `the ship turned ${frames} frames after the key was pressed`);
  t.diagnostic(`${frames} frame(s) from key to turned ship`);

  await far.hold(['KeyW'], 700);
  const { seat } = await far.look();
  const [mine, seen] = await until('both stand still and agree', async () => {
    const [one, other] = await Promise.all([far.look(), near.ship(seat)]);
    return one.own && other && Math.hypot(one.own.vx, one.own.vy) < 0.1 && Math.hypot(other.vx, other.vy) < 0.1
      && [one.own, other];
  }, 20_000);
  const apart = Math.hypot(mine.x - seen.x, mine.y - seen.y);
  assert.ok(apart < 1, `${apart} units between where Far is and where Near sees Far`);
  const { stats: end } = await far.look();
  assert.equal(end.resyncs, 0);
  assert.deepEqual([...far.faults, ...near.faults], []);
  await far.close();
  await near.close();
});

test('stalls of half a second are lived through without a reconnect', async () => {
  const person = await Person.at(browser, 'Tunnel');
  await person.join(await lag(server, '--rtt', '100', '--jitter', '20', '--stall-every', '3s', '--stall', '500ms'));
  let stale = 0;
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(50)) {
    const seen = await person.look();
    assert.equal(seen.phase, 'playing');
    if (seen.own?.stale) stale += 1;
  }
  const { stats } = await person.look();
  assert.equal(stats.reconnects, 0);
  assert.equal(stats.resyncs, 0);
  assert.ok(stale < 20, `the picture stood still in ${stale} of 200 looks`);
  assert.deepEqual(person.faults, []);
  await person.close();
});
