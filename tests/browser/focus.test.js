// Every screen without a pointer, and the focus: always on something that can be used and seen, and never in the ship's way.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { focus, focused, wants } from './hands.js';
import { Person, Server, frames, launch, until } from './harness.js';
import { Proxy } from './proxy.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 0 });
  browser = await launch();
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
