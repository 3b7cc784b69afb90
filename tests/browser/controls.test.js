// Hands on the real page: mouse, thumbs, keys and gamepads through the browser's own events, and every screen without a
// pointer. What is plain arithmetic about them stands in client/test/controls.test.js.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Person, Server, frames, launch, screens, until } from './harness.js';
import { Proxy } from './proxy.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 0 });
  browser = await launch();
});

/** What the controls ask of the ship, once it is so; the ship must be there. */
function wants(person, what, wanted) {
  let last;
  return until(`${what}: ${JSON.stringify(wanted)}`, async () => {
    last = await person.page.evaluate(() => window.tickroom.wants);
    return Object.entries(wanted).every(([name, level]) => last[name] === level);
  }, 5000).catch((error) => { throw new Error(`${error.message}, but ${JSON.stringify(last)}`); });
}

/** What has the focus: its id or text; whether it can be seen and used, and whether it is marked. */
function focus(person) {
  return person.page.evaluate(() => {
    const element = document.activeElement;
    const { x, y, width, height } = element.getBoundingClientRect();
    const at = document.elementFromPoint(x + width / 2, y + height / 2);
    const seen = at !== null && (element.contains(at) || at.contains(element)) && element !== document.body;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return { is: element.id || element.name || element.textContent, seen, marked: outlineStyle !== 'none' && outlineWidth !== '0px' };
  });
}

async function focused(person, is) {
  let last;
  return until(`the focus is on ${is}`, async () => {
    last = await focus(person);
    return last.is === is && last.seen && last;
  }, 5000).catch((error) => { throw new Error(`${error.message}, but ${JSON.stringify(last)}`); });
}

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

test('without a pointer: from the start into the match, through menu and net panel, and out of it', async () => {
  const person = await Person.at(browser, 'Keys only');
  const { page } = person;
  const { keyboard } = page;
  await page.goto(server.url);
  await focused(person, 'name');
  await keyboard.type('Tab and Enter');
  await keyboard.press('Tab');
  assert.equal((await focused(person, 'play')).marked, true);
  await keyboard.press('Enter');
  await person.plays();
  await focused(person, 'view');
  await keyboard.down('Space');
  await wants(person, 'Space fires at once', { fire: 1 });
  await keyboard.up('Space');

  // The menu by its button, and closed again: Space fires, and opens nothing.
  await keyboard.press('Tab');
  assert.equal((await focused(person, 'menu-open')).marked, true);
  await person.picture('focus-menu-button');
  await keyboard.press('Enter');
  assert.equal((await focused(person, 'menu-back')).marked, true);
  await person.picture('focus-menu');
  const order = [];
  for (let i = 0; i < 4; i += 1) {
    await keyboard.press('Tab');
    const { is, seen, marked } = await focus(person);
    assert.ok(seen && marked, `${is} has the focus and does not show it`);
    order.push(is);
  }
  assert.deepEqual(order, ['menu-copy', 'menu-sound', 'menu-net', 'menu-leave']);
  await keyboard.press('Shift+Tab');
  await keyboard.press('Space');
  assert.equal(await page.getAttribute('#menu-net', 'aria-pressed'), 'true');
  await focused(person, 'menu-net');
  await keyboard.press('Escape');
  await focused(person, 'view');
  await keyboard.press('Space');
  assert.equal(await page.isVisible('#menu'), false);

  // The net panel: each switch by Space, each slider by arrows, which do not fly then; letters still do.
  await keyboard.press('Tab');
  await keyboard.press('Tab');
  for (const name of ['Prediction', 'Smoothing', 'Interpolation', 'Lag compensation', 'Server ghost']) {
    const box = page.getByLabel(name);
    const was = await box.isChecked();
    const { seen, marked } = await focus(person);
    assert.ok(seen && marked, name);
    await keyboard.press('Space');
    assert.equal(await box.isChecked(), !was, name);
    assert.equal(await box.evaluate((element) => element === document.activeElement), true, `${name} lost the focus`);
    await keyboard.press('Space');
    await keyboard.press('Tab');
  }
  await wants(person, 'no Space has fired', { fire: 0 });
  for (const [name, step] of [['rtt', 10], ['jitter', 10], ['stall', 50], ['stallEvery', 500]]) {
    const { marked } = await focused(person, name);
    assert.ok(marked, name);
    const slider = page.locator(`#net-lag input[name=${name}]`);
    const was = Number(await slider.inputValue());
    await keyboard.down('ArrowRight');
    await keyboard.down('ArrowRight');
    await wants(person, 'an arrow of the slider', { turn: 0 });
    await keyboard.up('ArrowRight');
    assert.equal(Number(await slider.inputValue()), was + 2 * step, name);
    await keyboard.down('KeyD');
    await wants(person, 'letters fly', { turn: 1 });
    await keyboard.up('KeyD');
    await keyboard.press('ArrowLeft');
    await keyboard.press('ArrowLeft');
    await focused(person, name);
    await keyboard.press('Tab');
  }
  await person.picture('focus-net');

  // The focus is within the panel when it closes, and when the menu lies over it.
  await page.focus('#net-lag input[name=jitter]');
  await keyboard.press('KeyH');
  await focused(person, 'menu-back');
  await keyboard.press('KeyH');
  await focused(person, 'jitter');
  await keyboard.press('KeyN');
  await focused(person, 'view');
  await keyboard.press('KeyN');
  await page.focus('#net-lag input[name=rtt]');
  await keyboard.press('Escape');
  await focused(person, 'view');
  assert.equal(await page.isVisible('#menu'), false, 'Escape gave the keys back to the ship');
  await keyboard.press('Escape');
  await focused(person, 'menu-back');
  await page.focus('#menu-leave');
  await keyboard.press('Enter');
  await focused(person, 'play');
  assert.equal((await person.look()).phase, 'start');
  assert.deepEqual(person.faults, []);
  await person.close();
});

test('the focus is not lost to a click beside the buttons', async () => {
  const proxy = await Proxy.start(server);
  const person = await Person.at(browser, 'Beside');
  await person.join(proxy.url);
  const { page } = person;
  await page.mouse.click(640, 300);
  await focused(person, 'view');
  await page.keyboard.press('KeyH');
  await page.keyboard.press('Tab');
  await focused(person, 'menu-copy');
  await page.click('#menu-title');
  await focused(person, 'menu-copy');
  await page.mouse.click(5, 700);
  await focused(person, 'menu-copy');
  assert.equal(await page.evaluate(() => document.elementFromPoint(5, 700).id), 'menu');
  proxy.away();
  await focused(person, 'Try now');
  await page.click('#overlay-text');
  await focused(person, 'Try now');
  proxy.sockets = 'pass';
  await person.plays();
  await focused(person, 'menu-copy');

  assert.deepEqual(person.faults, []);
  await person.close();
});

test('a menu does not outlive its match: after an ending the keys fly at once', async () => {
  const person = await Person.at(browser, 'Again');
  const { page } = person;
  let end;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    socket.connectToServer();
    // No message of the protocol begins so: the session ends for good.
    end = () => socket.send(Buffer.from([9]));
  });
  await person.join(server.url);
  await page.keyboard.press('KeyH');
  await focused(person, 'menu-back');
  end();
  await focused(person, 'Join again');
  await page.keyboard.press('Enter');
  await person.plays();
  await focused(person, 'view');
  await page.keyboard.down('KeyW');
  await wants(person, 'flies', { thrust: 1 });
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

test('a mouse that used the net panel gives the keys back: the next arrow flies, the next Space fires', async () => {
  const person = await Person.at(browser, 'Both');
  await person.join(server.url);
  const { page } = person;
  await page.keyboard.press('KeyN');
  for (const use of [
    () => page.getByLabel('Smoothing').click(),
    () => page.getByText('Server ghost').click(),
    () => page.locator('#net-lag input[name=jitter]').click({ position: { x: 2, y: 10 } }),
  ]) {
    await use();
    await focused(person, 'view');
    await page.keyboard.down('Space');
    await page.keyboard.down('ArrowLeft');
    await wants(person, 'the keys are the ship\'s', { fire: 1, turn: -1 });
    await page.keyboard.up('Space');
    await page.keyboard.up('ArrowLeft');
  }
  assert.equal(await page.getByLabel('Smoothing').isChecked(), false);
  assert.equal(await page.getByLabel('Server ghost').isChecked(), true);
  await person.close();
});

test('Tab is the browser\'s without a seat: for spectators, before Welcome and at endings, whose buttons it reaches', async () => {
  const person = await Person.at(browser, 'Tabs');
  await person.join(server.url);
  const { code } = await person.look();
  const watcher = await Person.at(browser, 'Watcher');
  const { page } = watcher;
  await watcher.join(`${server.url}/?room=${code}&spectate`);
  await focused(watcher, 'view');
  for (const is of ['menu-open', 'watch-previous', 'watch-next']) {
    await page.keyboard.press('Tab');
    assert.equal((await focused(watcher, is)).marked, true);
  }
  await page.keyboard.press('Space');
  await until('the button chooses', async () => /Watching /.test(await page.innerText('#watch-name')));
  await page.keyboard.press('Escape');
  await focused(watcher, 'view');
  await page.keyboard.press('ArrowLeft');
  await until('an arrow chooses', async () => /Whole arena/.test(await page.innerText('#watch-name')));
  await page.keyboard.press('KeyD');
  await until('its letter, too', async () => /Watching /.test(await page.innerText('#watch-name')));
  await watcher.picture('focus-watching');
  await watcher.close();

  // Before Welcome: the socket is held.
  const proxy = await Proxy.start(server, { sockets: 'hold' });
  await person.page.goto(proxy.url);
  await focused(person, 'name');
  await person.page.keyboard.press('Enter');
  await focused(person, 'Cancel');
  const free = () => person.page.evaluate(() => {
    const event = new KeyboardEvent('keydown', { key: 'Tab', code: 'Tab', bubbles: true, cancelable: true });
    return document.activeElement.dispatchEvent(event);
  });
  assert.equal(await free(), true);
  await person.page.keyboard.press('Enter');
  await focused(person, 'name');

  // An ending.
  await person.page.goto(`${server.url}/?room=NOSUCH`);
  await focused(person, 'play');
  await person.page.keyboard.press('Enter');
  await focused(person, 'Play another match');
  assert.equal(await free(), true);
  await person.page.keyboard.press('Tab');
  assert.equal((await focused(person, 'Back to the start')).marked, true);
  await person.picture('focus-ending');
  await person.page.keyboard.press('Escape');
  await person.page.keyboard.press('KeyH');
  assert.match(await person.overlay(), /No such match/i);
  await person.page.keyboard.press('Space');
  await focused(person, 'play');
  assert.deepEqual(person.faults, []);
  await person.close();
});

test('a screen that comes up under a held key is not answered by it, and the focus returns to where it was', async () => {
  const proxy = await Proxy.start(server);
  const person = await Person.at(browser, 'Held');
  await person.join(proxy.url);
  const { page } = person;
  for (const [key, does] of [['Space', 'fire'], ['KeyW', 'thrust']]) {
    await page.keyboard.down(key);
    await wants(person, key, { [does]: 1 });
    proxy.away();
    await focused(person, 'Try now');
    await page.keyboard.press('Tab');
    await focused(person, 'Leave');
    // The key repeats and goes up above a button that gives the seat away.
    for (let i = 0; i < 3; i += 1) await page.keyboard.down(key);
    await page.evaluate(() => document.querySelector('#overlay-buttons button').focus());
    await page.keyboard.press('Tab');
    await frames(person);
    assert.match(await person.overlay(), /Reconnecting/);
    proxy.sockets = 'pass';
    await person.plays();
    await focused(person, 'view');
    await wants(person, `${key} was held through it`, { [does]: 1 });
    await page.keyboard.up(key);
    await wants(person, `${key} is up`, { [does]: 0 });
  }
  await page.keyboard.down('Space');
  proxy.away();
  await focused(person, 'Try now');
  await page.keyboard.press('Tab');
  await focused(person, 'Leave');
  await page.keyboard.down('Space');
  await page.keyboard.down('Space');
  await page.keyboard.up('Space');
  await frames(person);
  assert.match(await person.overlay(), /Reconnecting/, 'the key went up and has left the match');
  proxy.sockets = 'pass';
  await person.plays();

  // Over the menu, too.
  await page.keyboard.press('KeyH');
  await page.focus('#menu-sound');
  proxy.away();
  await focused(person, 'Try now');
  await page.keyboard.press('KeyH');
  proxy.sockets = 'pass';
  await person.plays();
  await focused(person, 'menu-sound');
  assert.deepEqual(person.faults, []);
  await person.close();
});

test('the list of matches keeps the focus while matches come, fill and go', async () => {
  const person = await Person.at(browser, 'List');
  const { page } = person;
  const room = (code, people = 1) => ({ code, people, bots: 0, seats_max: 2, spectators: 0 });
  let rooms = [room('AAAA'), room('BBBB'), room('CCCC')];
  await page.route('**/api/rooms', (route) => route.fulfill({ json: { rooms } }));
  await page.goto(server.url);
  const shown = async (next) => {
    rooms = next;
    const label = JSON.stringify(next.map(({ code, people }) => [code, people]));
    await until(`the list shows ${label}`, async () => label === JSON.stringify(await page.evaluate(() => (
      [...document.querySelectorAll('#room-list li')].map((line) => [line.querySelector('b').textContent, parseInt(line.querySelector('span').textContent, 10)])))));
  };
  const on = () => page.evaluate(() => document.activeElement.getAttribute('data-of') ?? document.activeElement.id);
  await shown(rooms);
  await page.focus('[data-of="Join BBBB"]');
  await shown([room('0000'), ...rooms]);
  assert.equal(await on(), 'Join BBBB');
  await shown([room('AAAA'), room('BBBB', 2), room('CCCC')]);
  assert.equal(await on(), 'Watch BBBB', 'the match is full');
  await shown([room('AAAA'), room('CCCC')]);
  assert.equal(await on(), 'Watch CCCC', 'the match is gone: the next one has its place');
  await shown([]);
  await until('the list is empty: what the screen offers first', async () => ['name', 'play'].includes(await on()), 2000);
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
