// Two people in one match, each in a tab of their own, with keyboard and mouse: what one does, the other sees.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, Server, launch, until } from './harness.js';

/** @type {Server} */
let server;
/** @type {Person} */
let ada;
/** @type {Person} */
let ben;

before(async () => {
  // No bots: who is hit, and by whom, is these two people's doing. No rocks: wherever the two appear, nothing that
  // neither flies around by itself lies between them.
  server = await Server.start({ 'room.fill_to': 0, 'game.rocks': 0 });
  const browser = await launch();
  ada = await Person.at(browser, 'Ada');
  ben = await Person.at(browser, 'Ben');
});

test('a visitor plays within three seconds of opening the page', async (t) => {
  const begin = Date.now();
  await ada.join(server.url);
  const took = Date.now() - begin;
  t.diagnostic(`${took} ms from address to ship`);
  assert.ok(took < 3000, `${took} ms`);
});

test('the second visitor lands in the same match, and each sees the other by name', async () => {
  await ben.join(server.url);
  assert.equal((await ben.look()).code, (await ada.look()).code);
  for (const [who, other] of [[ada, ben], [ben, ada]]) {
    const names = await until('both ships', async () => {
      const { ships } = await who.look();
      return ships.length === 2 && ships.map((ship) => ship.name).sort();
    });
    assert.deepEqual(names, ['Ada', 'Ben'], `${who.name} beside ${other.name}`);
  }
  const rooms = await server.rooms();
  assert.equal(rooms.length, 1, JSON.stringify(rooms));
});

test('one flies, and the other sees the whole way and the same place at its end', async () => {
  const { seat, own: from } = await ada.look();
  // Written down in the page, frame by frame: asking from here would miss frames on a busy machine.
  const way = ben.page.evaluate(async (who) => {
    const places = [];
    for (const end = performance.now() + 2500; performance.now() < end;) {
      await new Promise((drawn) => { requestAnimationFrame(drawn); });
      const ship = window.tickroom.ships.find((one) => one.seat === who);
      if (ship) places.push(`${ship.x.toFixed(1)} ${ship.y.toFixed(1)}`);
    }
    return places;
  }, seat);
  await ada.hold(['KeyW', 'KeyD'], 900);
  const frames = await way;
  const there = await until('Ada stands still', async () => {
    const { own } = await ada.look();
    await sleep(200);
    const { own: later } = await ada.look();
    return Math.hypot(own.x - later.x, own.y - later.y) < 0.05 && later;
  }, 20_000);
  const flown = Math.hypot(there.x - from.x, there.y - from.y);
  assert.ok(flown > 30, `Ada flew ${flown} units`);
  const first = frames.findIndex((place) => place !== frames[0]);
  const last = frames.findLastIndex((place) => place !== frames.at(-1));
  const flying = frames.slice(first, last + 1);
  const share = new Set(flying).size / flying.length;
  assert.ok(flying.length > 5 && share > 0.6, `Ben saw her at a new place in ${share} of ${flying.length} frames`);
  const seen = await ben.ship(seat);
  const apart = Math.hypot(seen.x - there.x, seen.y - there.y);
  assert.ok(apart < 1, `Ada is at ${there.x}, ${there.y}; Ben sees her ${apart} units away`);
  assert.ok(Math.abs(Math.sin((seen.heading - there.heading) / 2)) < 0.01, `${seen.heading}, ${there.heading}`);
});

test('the ships are on the screen, not only in the numbers', async () => {
  for (const who of [ada, ben]) {
    const { own } = await who.look();
    const picture = await who.picture(`match-${who.name}`);
    assert.ok(picture.colours() > 200, `${picture.colours()} colours: an empty page`);
    const ship = picture.lit({ x: own.screenX - 16, y: own.screenY - 16, width: 32, height: 32 });
    assert.ok(ship > 0.05, `${who.name}: ${ship} of the pixels where the ship is are lit`);
  }
});

/**
 * Flies `hunter` to the ship of a seat and shoots at it until `done` says so.
 * @param {Person} hunter
 * @param {number} seat
 * @param {() => Promise<boolean>} done
 */
async function hunt(hunter, seat, done, ms = 90_000) {
  const { mouse, keyboard } = hunter.page;
  for (const end = Date.now() + ms; Date.now() < end; await sleep(30)) {
    if (await done()) break;
    const { own, ships } = await hunter.look();
    const prey = ships.find((ship) => ship.seat === seat);
    if (!own || !prey) continue;
    const far = Math.hypot(prey.x - own.x, prey.y - own.y);
    const towards = Math.atan2(prey.y - own.y, prey.x - own.x);
    await mouse.move(own.screenX + 200 * Math.cos(towards), own.screenY + 200 * Math.sin(towards));
    const off = Math.abs(Math.sin((own.heading - towards) / 2));
    await keyboard[far > 250 && off < 0.3 ? 'down' : 'up']('KeyW');
    await mouse[far < 600 && off < 0.05 ? 'down' : 'up']();
  }
  await mouse.up();
  await keyboard.up('KeyW');
  assert.ok(await done(), `${hunter.name} did not manage in ${ms} ms`);
}

test('one shoots: the other sees the bolts, loses shield, is destroyed, and both boards show the score', { timeout: 180_000 }, async () => {
  const adas = (await ada.look()).seat;
  const { seat: bens, own: whole } = await ben.look();
  let bolts = 0;
  let least = whole.hull + whole.shield;
  await hunt(ada, bens, async () => {
    const seen = await ben.look();
    bolts = Math.max(bolts, seen.bolts.length);
    if (seen.own) least = Math.min(least, seen.own.hull + seen.own.shield);
    const line = seen.scores.find((score) => score.seat === adas);
    return line !== undefined && line.kills > 0;
  });
  assert.ok(bolts > 0, 'Ben saw no bolt');
  assert.ok(least < whole.hull + whole.shield, 'Ben saw no damage');
  await ada.picture('kill-Ada');
  await ben.picture('kill-Ben');
  for (const who of [ada, ben]) {
    const line = await until(`${who.name} sees the score`, async () => {
      const { scores } = await who.look();
      return scores.find((score) => score.seat === adas && score.kills > 0);
    });
    assert.ok(line.score > 0);
    const board = await who.page.innerText('#scores');
    assert.match(board, new RegExp(`Ada[^\\n]*\\b${line.score}\\b`), `${who.name}'s board: ${board}`);
  }
  const back = await until('Ben is back', async () => (await ben.look()).own, 15_000);
  assert.equal(back.seat, bens);
});

test('a link to the match leads into it, and a spectator sees it without taking part', async () => {
  const code = (await ada.look()).code;
  const link = ada.page.url();
  assert.ok(link.includes(code), `${link} does not name ${code}`);
  const cleo = await Person.at(ada.context.browser(), 'Cleo');
  await cleo.join(link);
  assert.equal((await cleo.look()).code, code);
  await cleo.close();

  const dan = await Person.at(ada.context.browser(), 'Dan');
  await dan.join(server.url, '#watch');
  const seen = await dan.look();
  assert.equal(seen.code, code);
  assert.equal(seen.seat, null);
  assert.equal(seen.own, null);
  const names = seen.ships.map((ship) => ship.name);
  assert.ok(names.includes('Ada') && names.includes('Ben'), `Dan sees ${names}`);
  assert.ok((await dan.picture('spectator')).colours() > 200);
  await dan.close();
});

test('a hidden tab keeps its seat and is in step at once when it returns', async (t) => {
  const { seat, own: before } = await ben.look();
  const cdp = await ben.context.newCDPSession(ben.page);
  const visibility = (state) => ben.page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => value });
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value === 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  await ben.page.keyboard.down('KeyD');
  await visibility('hidden');
  // Nothing runs in the page, as in a tab that the browser has put to sleep.
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
  await sleep(3000);
  const asSeen = await ada.ship(seat);
  await sleep(500);
  const still = await ada.ship(seat);
  assert.ok(Math.abs(Math.sin((still.heading - asSeen.heading) / 2)) < 0.01, 'the hidden ship goes on turning');
  await cdp.send('Page.setWebLifecycleState', { state: 'active' });
  await visibility('visible');
  const returned = Date.now();
  // A page on a busy machine shows a tick that is a few frames old, so more than one look may be needed.
  const back = await until('in step with a tab that was never hidden', async () => {
    const [one, witness] = await Promise.all([ben.look(), ada.look()]);
    return Math.abs(witness.tick - one.tick) < 15 && one;
  }, 2000);
  t.diagnostic(`in step at most ${Date.now() - returned} ms after the return`);
  await ben.page.keyboard.up('KeyD');
  assert.equal(back.phase, 'playing');
  assert.equal(back.seat, seat);
  assert.ok(before.seat === seat && back.own !== null);
});

test('nobody saw an error', () => {
  assert.deepEqual([...ada.faults, ...ben.faults], []);
});
