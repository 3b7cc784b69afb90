// What a browser takes away in the middle of a match: what was painted on canvases, and the sound. And what the page gives
// back itself: the pictures of rounds that are over.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, Server, launch, screens, until } from './harness.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 2 });
  browser = await launch();
});

test('a canvas that the browser empties and gives back is drawn again, with all that had been painted once', async () => {
  const ada = await Person.at(browser, 'Ada');
  await ada.page.addInitScript(() => {
    window.canvases = [];
    const create = document.createElement;
    document.createElement = function createElement(name, ...more) {
      const made = create.call(this, name, ...more);
      if (name === 'canvas') window.canvases.push(made);
      return made;
    };
    // As when the graphics process dies: everything is blank, every context is as new, and says so.
    window.lose = () => {
      const all = [...document.querySelectorAll('canvas'), ...window.canvases];
      for (const canvas of all) canvas.dispatchEvent(new Event('contextlost', { cancelable: true }));
      for (const canvas of all) canvas.getContext('2d').reset();
      for (const canvas of all) canvas.dispatchEvent(new Event('contextrestored'));
      return all.length;
    };
    window.blank = () => window.canvases.filter((canvas) => {
      if (canvas.width * canvas.height < 4 || !canvas.isConnected && canvas.width === 300 && canvas.height === 150) return false;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return !data.some((byte) => byte !== 0);
    }).length;
  });
  await ada.join(server.url);
  await until('a name beside another ship', async () => (await ada.look()).ships.length > 1);
  await sleep(500);
  assert.equal(await ada.page.evaluate(() => window.blank()), 0, 'the test tells what is blank');
  const lost = await ada.page.evaluate(() => window.lose());
  assert.ok(lost > 10, `${lost} canvases`);
  await sleep(300);
  assert.equal(await ada.page.evaluate(() => window.blank()), 0);
  const picture = await ada.picture('canvas-restored');
  assert.ok(picture.colours() > 200, `${picture.colours()} colours`);
  const { own } = await ada.look();
  const around = { x: own.screenX - 20, y: own.screenY - 20, width: 40, height: 40 };
  assert.ok(picture.lit(around) > 0.05, 'the own ship is not drawn');
  assert.deepEqual(ada.faults, []);
  await ada.close();
});

test('pictures of rocks go with their round', async () => {
  const ada = await Person.at(browser, 'Ada', screens.sharp);
  await ada.page.goto(server.url);
  const kept = await ada.page.evaluate(async () => {
    const [{ Drawing }, { Reading }, { Scene }, { spritesKept }] = await Promise.all(
      ['draw', 'reading', 'scene', 'draw/sprites'].map((name) => import(`./arena/${name}.js`)),
    );
    const scene = new Scene();
    const canvases = [document.createElement('canvas'), document.createElement('canvas')];
    const drawing = new Drawing(canvases[0], canvases[1], new Reading(scene));
    drawing.resize(innerWidth, innerHeight, devicePixelRatio);
    scene.halfWidth = 1000;
    scene.halfHeight = 1000;
    const told = [];
    for (let round = 0; round < 8; round++) {
      scene.rocks.clear();
      for (let i = 0; i < 12; i++) {
        const rock = scene.rocks.next();
        Object.assign(rock, { id: round * 40 + i + 1, x: i * 20 - 120, y: 0, radius: 30 + 5 * i, shape: round * 31 + i });
      }
      for (let frame = 0; frame < 3; frame++) drawing.frame(scene, 1 / 60, round * 1000 + frame * 16);
      told.push(spritesKept());
    }
    drawing.reset();
    return { told, after: spritesKept(), page: window.tickroom.sprites };
  });
  const { count, bytes } = kept.told[0];
  assert.ok(count >= 12 && bytes > 100_000, JSON.stringify(kept));
  // The page behind it draws its own few.
  for (const later of kept.told) assert.ok(later.count <= count + 5 && later.bytes < bytes * 1.3, JSON.stringify(kept));
  assert.ok(kept.after.count < 12 && kept.page.count < 12, JSON.stringify(kept));
  assert.deepEqual(ada.faults, []);
  await ada.close();
});

test('sound that was on waits for a gesture after a reload, and comes back after a call; without any the match is played', async () => {
  const ada = await Person.at(browser, 'Ada');
  await ada.page.addInitScript(() => {
    const Real = window.AudioContext;
    window.AudioContext = class extends Real {
      constructor(...more) {
        super(...more);
        window.audio = this;
        window.voices = 0;
      }

      createOscillator() {
        window.voices += 1;
        return super.createOscillator();
      }
    };
  });
  await ada.join(server.url);
  const sound = () => ada.page.evaluate(() => window.tickroom.sound);
  assert.equal(await sound(), 'off');
  await ada.page.keyboard.press('KeyM');
  await until('sound', async () => await sound() === 'running');
  await ada.page.reload();
  await ada.plays();
  // This browser knows that the page was used a moment ago; others do not.
  await ada.page.evaluate(() => { window.tickroom.sound === 'none' || window.audio.suspend(); });
  await sleep(200);
  assert.notEqual(await sound(), 'running');
  await ada.page.mouse.click(400, 300);
  await until('sound at the first gesture', async () => await sound() === 'running');
  // A call: the browser suspends, and tells nobody when it is over.
  await ada.page.evaluate(() => window.audio.suspend());
  await until('no sound', async () => await sound() === 'suspended');
  const before = await ada.page.evaluate(() => window.voices);
  await sleep(500);
  assert.equal(await ada.page.evaluate(() => window.voices), before, 'sounds wait to be heard all at once');
  await ada.hold(['Space'], 300);
  await until('sound again', async () => await sound() === 'running');
  await ada.hold(['Space'], 300);
  await until('a bolt is heard', () => ada.page.evaluate((was) => window.voices > was, before));
  assert.deepEqual(ada.faults, []);

  const bob = await ada.beside();
  await bob.page.addInitScript(() => {
    delete window.AudioContext;
    delete window.webkitAudioContext;
  });
  await bob.join(server.url);
  assert.equal(await bob.page.evaluate(() => window.tickroom.sound), 'none', 'it was on, and there is none');
  await bob.page.keyboard.press('KeyM');
  await bob.page.keyboard.press('KeyM');
  await until('it is said', async () => /no sound/.test(await bob.page.innerText('#hud')));
  assert.deepEqual(bob.faults, []);
  await bob.close();
  await ada.close();
});
