// The match from far away: the real page and the real server with `tickroom lag` between them, or with the page's own sliders.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, Server, lag, launch, screens, until } from './harness.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 0 });
  browser = await launch();
});

/** Presses a key that turns the ship; how many frames were drawn from the key's event until it had turned. */
async function answer(person, key) {
  await person.page.evaluate(() => {
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
  await person.page.keyboard.down(key);
  const frames = await person.page.evaluate(() => window.answered);
  await sleep(500);
  await person.page.keyboard.up(key);
  return frames;
}

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

  const frames = await answer(far, 'KeyD');
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

/** How far each frame drew another ship beyond the way that the frame before drew it, and what a bounce may change: u, largest first. */
function leaps(person, ms) {
  return person.page.evaluate((length) => new Promise((resolve) => {
    /** Twice the usual top speed, in u a tick: a bounce off a wall, or a dash across. */
    const TURNED = 13;
    const found = [];
    const ships = new Map();
    let frames = 0;
    let last = window.tickroom.tick;
    const end = performance.now() + length;
    const look = () => {
      const { tick, seat } = window.tickroom;
      const ticks = tick - last;
      if (ticks > 0) {
        frames += 1;
        last = tick;
        for (const ship of window.tickroom.ships) {
          if (ship.seat === seat) continue;
          const was = ships.get(ship.id);
          const next = { x: ship.x, y: ship.y, frames, vx: 0, vy: 0, known: false };
          ships.set(ship.id, next);
          if (!was || was.frames !== frames - 1) continue;
          [next.vx, next.vy, next.known] = [(ship.x - was.x) / ticks, (ship.y - was.y) / ticks, true];
          if (was.known) found.push(Math.hypot(ship.x - was.x - was.vx * ticks, ship.y - was.y - was.vy * ticks) - TURNED * Math.max(1, ticks));
        }
      }
      if (performance.now() < end) requestAnimationFrame(look);
      else resolve({ frames, found: found.sort((a, b) => b - a).slice(0, 100), looks: found.length });
    };
    requestAnimationFrame(look);
  }), ms);
}

test('who was guessed in a stall of half a second glides to where it is: no frame of the page leaps', async (t) => {
  const full = await Server.start({ 'room.fill_to': 9 });
  const person = await Person.at(browser, 'Glider');
  await person.join(await lag(full, '--rtt', '100', '--jitter', '20', '--stall-every', '3s', '--stall', '500ms'));
  await until('the clock has settled', async () => (await person.look()).stats.rttMin > 60 || null, 20_000);
  const { frames, found, looks } = await leaps(person, 15_000);
  t.diagnostic(`${frames} frames, ${looks} steps, the farthest leaps ${found.slice(0, 5).map((leap) => leap.toFixed(1)).join(', ')} u`);
  assert.ok(frames > 100 && looks > 500, `${frames} frames, ${looks} steps: nobody was there`);
  assert.ok(found[0] <= 8, `a ship was drawn to leap by ${found[0]} u`);
  assert.deepEqual(person.faults, []);
  await person.close();
});

/** Pulls a slider of the net panel as a hand does: the value, and the events of it. */
function pull(person, name, value) {
  return person.page.locator(`#net-lag input[name=${name}]`).fill(String(value));
}

test('the sliders of the net panel make the connection worse, and the match stays playable', async (t) => {
  const person = await Person.at(browser, 'Slider');
  await person.join(server.url);
  // Somebody must move, or there is nothing to send.
  const other = await Person.at(browser, 'Spinner');
  await other.join(server.url);
  await other.page.keyboard.down('KeyD');
  await until('a short round trip', async () => (await person.look()).stats.rttMin < 60 || null, 20_000);
  await person.page.keyboard.press('KeyN');
  await pull(person, 'rtt', 250);
  await pull(person, 'jitter', 40);
  assert.equal(await person.page.locator('#net-lag label').first().innerText(), 'Delay\n250 ms');
  const stats = await until('the panel shows the delay', async () => {
    const shown = await person.page.innerText('#net-numbers');
    const { stats: now } = await person.look();
    // More than the delay where the page itself is slow.
    return /Round trip\s+[2-9]\d\d ms/.test(shown) && now.rttMin > 200 && now.inputLead > 100 && now;
  }, 60_000);
  t.diagnostic(`round trip ${stats.rttMin.toFixed(0)} ms, inputs lead by ${stats.inputLead.toFixed(0)} ms, beams look back ${stats.seenAgo.toFixed(0)} ms`);

  // The server knows of this delay by acks alone, and goes on sending.
  const rate = await person.page.evaluate(async () => {
    const rates = [];
    while (rates.length < 20) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      rates.push(window.tickroom.stats.snapshotRate);
    }
    return rates.reduce((sum, one) => sum + one) / rates.length;
  });
  t.diagnostic(`${rate.toFixed(1)} snapshots a second over ten seconds`);
  assert.ok(rate > 20, `${rate} snapshots a second: has the send window closed?`);

  const frames = await answer(person, 'KeyA');
  t.diagnostic(`${frames} frame(s) from key to turned ship`);
  assert.ok(frames <= 2, `the ship turned ${frames} frames after the key was pressed`);
  await person.picture('net-sliders');

  // Without prediction it answers only when the server has.
  await person.page.getByLabel('Prediction').click();
  const waited = await answer(person, 'KeyD');
  t.diagnostic(`${waited} frame(s) without prediction`);
  assert.ok(waited > 6, `the ship turned ${waited} frames after the key was pressed, without prediction`);
  await person.page.getByLabel('Prediction').click();

  await pull(person, 'stall', 500);
  await pull(person, 'stallEvery', 2000);
  await sleep(6000);
  await pull(person, 'stall', 0);
  await pull(person, 'rtt', 0);
  const end = await until('the delay is gone', async () => {
    const { stats: now } = await person.look();
    return now.rtt < 60 && now.snapshotRate > 20 && now;
  }, 20_000);
  assert.deepEqual([end.resyncs, end.reconnects], [0, 0]);
  assert.deepEqual(person.faults, []);
  await person.close();
  await other.close();
});

for (const way of ['phone', 'upright']) {
  test(`a thumb finds the sliders on a phone, ${way}`, async () => {
    const person = await Person.at(browser, 'Thumb', screens[way]);
    await person.join(server.url);
    await person.page.tap('#menu-open');
    await person.page.tap('#menu-net');
    await person.page.tap('#menu-back');
    const slider = person.page.locator('#net-lag input[name=rtt]');
    // In its middle, once it stands still.
    await slider.tap();
    await until('half of the way is half of 500 ms', async () => (
      /^2[3-7]0 ms$/.test(await person.page.locator('#net-lag output').first().innerText())));
    await until('the delay is felt', async () => (await person.look()).stats.rtt > 200 || null, 20_000);
    await person.picture(`net-sliders-${way}`);
    assert.deepEqual(person.faults, []);
    await person.close();
  });
}
