// Hands on the real page: mouse, thumbs, keys and gamepads through the browser's own events. What is plain arithmetic about
// them stands in client/test/controls.test.js, and the screens without a pointer in focus.test.js.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { focused, wants } from './hands.js';
import { Person, Server, frames, launch, screens, until } from './harness.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 0 });
  browser = await launch();
});

test('mouse: chords hold and release each button, also outside of the window, and the middle one dashes', async () => {
  const person = await Person.at(browser, 'Mouse');
  await person.join(server.url);
  const { mouse } = person.page;
  // Dashes are heard where the page sends its inputs: the ship jumps.
  const speed = async () => {
    const { own } = await person.look();
    return own === null ? 0 : Math.hypot(own.vx, own.vy);
  };
  await mouse.move(600, 300);
  await mouse.down();
  await mouse.down({ button: 'right' });
  await wants(person, 'left held, then right', { fire: 1, beam: 1 });
  await mouse.up();
  await wants(person, 'left is up', { fire: 0, beam: 1 });
  await mouse.down();
  await mouse.up({ button: 'right' });
  await wants(person, 'right held, then left: the beam can be released', { fire: 1, beam: 0 });
  const slow = await speed();
  await mouse.down({ button: 'middle' });
  await until('the middle one dashes', async () => await speed() > slow + 50, 5000);
  await mouse.up({ button: 'middle' });
  await wants(person, 'the middle one is up', { fire: 1, beam: 0 });
  await mouse.move(600, -40);
  await mouse.up();
  await wants(person, 'let go outside of the window', { fire: 0, beam: 0 });

  // Held when the menu opens, let go above it.
  await mouse.move(640, 500);
  await mouse.down();
  await mouse.down({ button: 'right' });
  await wants(person, 'both', { fire: 1, beam: 1 });
  await person.page.keyboard.press('KeyH');
  await wants(person, 'the menu is open', { fire: 0, beam: 0 });
  await mouse.up({ button: 'right' });
  await person.page.keyboard.press('KeyH');
  await wants(person, 'held through the menu goes on, what went up does not', { fire: 1, beam: 0 });
  await mouse.up();
  await wants(person, 'up', { fire: 0, beam: 0 });

  // A pointer that the system takes away.
  await mouse.down();
  await wants(person, 'down', { fire: 1 });
  await person.page.evaluate(() => {
    document.getElementById('view').dispatchEvent(new PointerEvent('pointercancel', { pointerId: 1, pointerType: 'mouse', bubbles: true }));
  });
  await wants(person, 'cancelled', { fire: 0 });
  await mouse.up();
  assert.deepEqual(person.faults, []);
  await person.close();
});

test('touch: a button is down until the last finger has left it, and a menu does not keep one down', async () => {
  const person = await Person.at(browser, 'Thumbs', screens.phone);
  await person.page.goto(server.url);
  await person.page.fill('#name', person.name);
  await person.page.tap('#play');
  await person.plays();
  const cdp = await person.context.newCDPSession(person.page);
  const touch = (type, points) => cdp.send('Input.dispatchTouchEvent', {
    type, touchPoints: points.map(([id, x, y]) => ({ id, x, y })),
  });
  const box = await person.page.locator('#pad-fire').boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await touch('touchStart', [[1, x - 8, y]]);
  await touch('touchStart', [[1, x - 8, y], [2, x + 8, y]]);
  await wants(person, 'two fingers', { fire: 1 });
  await touch('touchEnd', [[2, x + 8, y]]);
  await frames(person);
  await wants(person, 'one is left', { fire: 1 });
  await touch('touchEnd', []);
  await wants(person, 'none', { fire: 0 });

  await touch('touchStart', [[1, x, y]]);
  await wants(person, 'down', { fire: 1 });
  await person.page.evaluate(() => document.getElementById('menu-open').click());
  await wants(person, 'the menu is open', { fire: 0 });
  await touch('touchEnd', []);
  await person.page.evaluate(() => document.getElementById('menu-back').click());
  await frames(person);
  await wants(person, 'let go meanwhile', { fire: 0 });
  assert.deepEqual(person.faults, []);
  await person.close();
});

test('keys: held through the menu goes on, Meta lets go, repeats come back, places and characters both fly', async () => {
  const person = await Person.at(browser, 'Keys');
  await person.join(server.url);
  const { keyboard } = person.page;
  await keyboard.down('KeyW');
  await keyboard.down('KeyD');
  await wants(person, 'flies', { thrust: 1, turn: 1 });
  await keyboard.press('Escape');
  await wants(person, 'the menu is open', { thrust: 0, turn: 0 });
  await keyboard.up('KeyD');
  await keyboard.press('Escape');
  await wants(person, 'W was held', { thrust: 1, turn: 0 });
  // As macOS does: W goes up while Meta is down, and nobody is told.
  await keyboard.down('Meta');
  await keyboard.up('Meta');
  await wants(person, 'Meta is up', { thrust: 0 });
  await keyboard.down('KeyW');
  await wants(person, 'it repeats', { thrust: 1 });
  await keyboard.up('KeyW');
  const send = (type, init) => person.page.evaluate(([kind, is]) => {
    const event = new KeyboardEvent(kind, { bubbles: true, cancelable: true, ...is });
    return !document.activeElement.dispatchEvent(event);
  }, [type, init]);
  assert.equal(await send('keydown', { code: '', key: 'w' }), true);
  await wants(person, 'a keyboard without places', { thrust: 1 });
  await send('keyup', { code: '', key: 'W' });
  await wants(person, 'a keyboard without places', { thrust: 0 });
  for (const [code, key] of [['KeyN', 'ф'], ['', 'n'], ['', 'N'], ['KeyN', 'n']]) {
    const before = await person.page.isVisible('#net');
    await send('keydown', { code, key });
    assert.equal(await person.page.isVisible('#net'), !before, `${code} ${key}`);
  }
  for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { modifierAltGraph: true }, { isComposing: true }]) {
    for (const code of ['KeyW', 'KeyN', 'KeyH', 'Space', 'Escape', 'ArrowLeft']) {
      assert.equal(await send('keydown', { code, key: code, ...more }), false, `${code} ${JSON.stringify(more)} was taken from the browser`);
    }
  }
  await send('keydown', { code: 'ShiftRight', key: 'Shift' });
  await frames(person);
  assert.deepEqual(await person.page.evaluate(() => [window.tickroom.wants, document.getElementById('net').hidden, document.getElementById('menu').hidden]),
    [{ thrust: 0, turn: 0, fire: 0, beam: 0 }, true, true]);
  assert.deepEqual(person.faults, []);
  await person.close();
});

test('keys: both defaults dash', async () => {
  const person = await Person.at(browser, 'Dash');
  await person.join(server.url);
  for (const key of ['KeyQ', 'Shift']) {
    // The ship must be slow, and its energy back, before a dash shows.
    await until(`${key} dashes`, async () => {
      const { own } = await person.look();
      if (own === null || Math.hypot(own.vx, own.vy) > 20) return false;
      await person.page.keyboard.press(key);
      for (let look = 0; look < 20; look += 1) {
        await frames(person);
        const now = (await person.look()).own;
        if (now !== null && Math.hypot(now.vx, now.vy) > 80) return true;
      }
      return false;
    }, 20_000);
  }
  await person.page.keyboard.press('KeyH');
  const help = await person.page.innerText('#keys');
  assert.match(help, /Q or Shift\s+dash/);
  assert.match(help, /Gamepad\s+left stick flies/);
  await person.picture('help');
  await person.close();
});

test('the help and the start screen show what stands on this keyboard\'s keys', async () => {
  const person = await Person.at(browser, 'French');
  await person.page.addInitScript(() => {
    Object.defineProperty(navigator, 'keyboard', {
      value: { getLayoutMap: () => Promise.resolve(new Map([['KeyA', 'q'], ['KeyQ', 'a'], ['KeyW', 'z'], ['KeyZ', 'w'], ['KeyM', ',']])) },
    });
  });
  await person.page.goto(server.url);
  assert.match(await person.page.innerText('#how'), /or ZQSD fly .* A or Shift dash/);
  await person.page.click('#play');
  await person.plays();
  await person.page.keyboard.press('KeyH');
  const help = await person.page.innerText('#keys');
  for (const row of [/or Q D\s+turn/, /or Z S\s+thrust/, /A or Shift\s+dash/, /,\s+sound/]) assert.match(help, row);
  await person.close();
});

test('a gamepad: plugged in on the start screen, joins, flies, opens the menu, is unplugged and comes back', async () => {
  const person = await Person.at(browser, 'Pad');
  const { page } = person;
  await page.addInitScript(() => {
    window.pads = [null, null, null, null];
    Object.defineProperty(navigator, 'getGamepads', { value: () => window.pads });
  });
  await page.goto(server.url);
  const pad = (is, at = 0) => page.evaluate(([says, index]) => {
    const { axes = [0, 0, 0, 0], down = [] } = says ?? {};
    const buttons = Array.from({ length: 17 }, (_, i) => ({ pressed: down.includes(i), touched: down.includes(i), value: down.includes(i) ? 1 : 0 }));
    window.pads[index] = says === null ? null : { id: 'Fake', index, connected: true, mapping: 'standard', axes, buttons, timestamp: performance.now() };
    return new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); });
  }, [is, at]);
  const press = async (button) => {
    await pad({ down: [button] });
    await pad({});
  };
  await page.fill('#name', '');
  await page.focus('#name');
  await press(13);
  assert.equal((await focused(person, 'play')).marked, true);
  await press(12);
  await focused(person, 'name');
  await press(13);
  await press(0);
  await person.plays();
  await pad({ axes: [1, 0, 0, 0] });
  await until('the stick flies the ship to the right', async () => {
    const { own } = await person.look();
    return own !== null && Math.cos(own.heading) > 0.95 && own.vx > 20;
  });
  await pad({ axes: [0.15, 0.1, 0, 0] });
  await wants(person, 'it rests', { thrust: 0, turn: 0 });
  await pad({ down: [7, 6] });
  await wants(person, 'triggers', { fire: 1, beam: 1 });
  await pad({ down: [6] }, 1);
  await pad(null);
  await wants(person, 'one of two is unplugged', { fire: 0, beam: 1 });
  await pad(null, 1);
  await wants(person, 'both are', { fire: 0, beam: 0 });
  await press(9);
  assert.equal((await focused(person, 'menu-back')).marked, true);
  await person.picture('gamepad-menu');
  await press(13);
  await focused(person, 'menu-copy');
  await press(12);
  await pad({ down: [0] });
  await focused(person, 'view');
  await frames(person);
  await wants(person, 'A has closed the menu, and does not shoot', { fire: 0 });
  await pad({});
  await pad({ down: [0] });
  await wants(person, 'now it does', { fire: 1 });
  await pad({});
  await press(9);
  await press(1);
  assert.equal(await page.isVisible('#menu'), false, 'B closes the menu');
  // Another tab is looked at, with a hand on the pad.
  const visible = (state) => page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => value });
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value === 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  await visible('hidden');
  await pad({ down: [9, 7] });
  await wants(person, 'hidden', { fire: 0 });
  await visible('visible');
  await wants(person, 'back, and still held', { fire: 1 });
  assert.equal(await page.isVisible('#menu'), false, 'Start was not pressed for this page');
  assert.deepEqual(person.faults, []);
  await person.close();
});
