// Every screen that people have: sharp ones, resized windows, phones with thumbs.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, Server, launch, screens, until } from './harness.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start();
  browser = await launch();
});

/** Where the picture's canvas is, and how many pixels it has. */
function canvas(person) {
  return person.page.evaluate(() => {
    const view = /** @type {HTMLCanvasElement} */ (document.getElementById('view'));
    const { width, height } = view.getBoundingClientRect();
    return { shown: [width, height], pixels: [view.width, view.height] };
  });
}

test('a sharp screen gets all of its pixels, and a resized window fills itself', async () => {
  const person = await Person.at(browser, 'Sharp', screens.sharp);
  await person.join(server.url);
  assert.deepEqual(await canvas(person), { shown: [1000, 640], pixels: [2000, 1280] });
  const picture = await person.picture('sharp');
  assert.deepEqual([picture.width, picture.height], [2000, 1280]);
  assert.ok(picture.colours() > 200);

  for (const [width, height] of [[640, 900], [1400, 500]]) {
    await person.page.setViewportSize({ width, height });
    await until('the canvas follows', async () => (await canvas(person)).shown[0] === width);
    assert.deepEqual(await canvas(person), { shown: [width, height], pixels: [2 * width, 2 * height] });
    const { own } = await until('a ship', async () => (await person.look()).own && person.look());
    assert.ok(own.screenX > 0 && own.screenX < width && own.screenY > 0 && own.screenY < height, 'the ship is off the screen');
    const scrolls = await person.page.evaluate(() => {
      const { scrollWidth, scrollHeight } = document.documentElement;
      return scrollWidth > window.innerWidth || scrollHeight > window.innerHeight;
    });
    assert.ok(!scrolls, `the page scrolls at ${width} x ${height}`);
    await person.picture(`resized-${width}`);
  }
  assert.deepEqual(person.faults, []);
  await person.close();
});

/** Fingers on the glass, by the browser's own touch input. */
class Fingers {
  static async of(person) {
    const fingers = new Fingers();
    fingers.cdp = await person.context.newCDPSession(person.page);
    return fingers;
  }

  /** @param {'touchStart' | 'touchMove' | 'touchEnd'} type */
  touch(type, ...points) {
    return this.cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  }
}

/** The middle of an element, in CSS pixels; fails if it is not whole on the screen. */
async function middle(person, selector) {
  const box = await person.page.locator(selector).boundingBox();
  assert.ok(box !== null, `${selector} is not shown`);
  const { width, height } = person.page.viewportSize();
  const inside = box.x >= -1 && box.y >= -1 && box.x + box.width <= width + 1 && box.y + box.height <= height + 1;
  assert.ok(inside, `${selector} lies outside the screen: ${JSON.stringify(box)}`);
  return [box.x + box.width / 2, box.y + box.height / 2];
}

for (const way of /** @type {const} */ (['phone', 'upright'])) {
  test(`a thumb flies and another fires on a ${way === 'phone' ? 'phone' : 'phone held upright'}`, async () => {
    const person = await Person.at(browser, 'Thumb', screens[way]);
    await person.page.goto(server.url);
    await person.picture(`${way}-join`);
    await person.page.fill('#name', person.name);
    await person.page.tap('#play');
    await person.plays();

    const fire = await middle(person, '#pad-fire');
    await middle(person, '#pad-beam');
    await middle(person, '#pad-dash');
    const box = await person.page.locator('#stick').boundingBox();
    const rest = [box.x + box.width / 2, box.y + box.height / 2];
    const fingers = await Fingers.of(person);

    // Flies where the thumb points, whatever happens to the ship meanwhile: bots are about.
    const flew = await until('the ship flies where the thumb points', async () => {
      const own = (await person.look()).own;
      if (!own) return false;
      await fingers.touch('touchStart', rest);
      await fingers.touch('touchMove', [rest[0] + 25, rest[1]]);
      await fingers.touch('touchMove', [rest[0] + 60, rest[1]]);
      await sleep(1200);
      const now = (await person.look()).own;
      await fingers.touch('touchEnd');
      // A bot or a rock may be in the way: then once more.
      return now && Math.cos(now.heading) > 0.95 && now.vx > 20 && Math.abs(now.vy) < now.vx && now;
    }, 30_000);
    assert.ok(Math.abs(flew.vy) < flew.vx, `flies ${flew.vx}, ${flew.vy}`);

    await until('the other thumb fires', async () => {
      await fingers.touch('touchStart', rest, fire);
      await sleep(400);
      const { bolts } = await person.look();
      const picture = await person.picture(`${way}-play`);
      await fingers.touch('touchEnd');
      return picture.colours() > 200 && bolts.some((bolt) => bolt.own);
    }, 30_000);
    const zoomed = await person.page.evaluate(() => window.visualViewport.scale !== 1 || window.scrollY !== 0);
    assert.ok(!zoomed, 'the thumbs zoomed or scrolled the page');
    assert.deepEqual(person.faults, []);
    await person.close();
  });
}

test('a lone visitor meets bots, and the net graph opens on its key', async () => {
  const person = await Person.at(browser, 'Lone');
  await person.join(server.url);
  const { ships } = await until('others fly', async () => {
    const seen = await person.look();
    return seen.ships.length >= 4 && seen;
  });
  assert.ok(ships.some((ship) => ship.bot));
  await person.page.keyboard.press('KeyN');
  const numbers = await until('numbers', async () => (await person.page.innerText('#net-numbers')).trim() || null);
  assert.match(numbers, /\d/);
  await sleep(1000);
  await person.picture('net-graph');
  // 30 a second, but for what a busy machine misses.
  const stats = await until('30 snapshots a second', async () => {
    const { stats: now } = await person.look();
    assert.ok(now.snapshotRate < 40, `${now.snapshotRate} snapshots a second`);
    return now.snapshotRate > 20 && now;
  }, 20_000);
  assert.ok(stats.rttMin >= 0 && stats.rttMin < 100, `round trip ${stats.rttMin} ms`);
  assert.ok(stats.bytesDown > 100 && stats.bytesDown < 100_000, `${stats.bytesDown} bytes a second`);
  await person.page.keyboard.press('Escape');
  await until('the menu', () => person.page.isVisible('#menu'));
  await person.picture('menu');
  await person.page.click('#menu-leave');
  await until('the join screen', () => person.page.isVisible('#join'));
  assert.deepEqual(person.faults, []);
  await person.close();
});
