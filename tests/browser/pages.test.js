// The page where it is not at home: behind a path prefix, in a browser that keeps nothing, on a screen that changes, with
// a menu open when the connection drops.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Person, Server, launch, until } from './harness.js';
import { Proxy } from './proxy.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 0 });
  browser = await launch();
});

test('behind a path prefix everything is found beside the page: modules, rooms, the match, and the link to it', async () => {
  const { url, origin } = await Proxy.start(server, { prefix: '/game' });
  const ada = await Person.at(browser, 'Ada');
  await ada.page.addInitScript(() => {
    navigator.clipboard.writeText = (text) => {
      window.copied = text;
      return Promise.resolve();
    };
  });
  // As people type it: the proxy leads to the page with the slash.
  await ada.join(`${origin}/game`);
  const { code, seat } = await ada.look();
  assert.equal(ada.page.url(), `${url}?room=${code}`);
  await ada.page.keyboard.press('KeyH');
  await ada.page.click('#menu-copy');
  const link = await ada.page.evaluate(() => window.copied);
  assert.equal(link, `${url}?room=${code}`);

  const ben = await Person.at(browser, 'Ben');
  await ben.page.goto(url);
  await until('the list of matches', () => ben.page.isVisible(`[data-of="Join ${code}"]`));
  for (const address of [link, `${url}index.html?room=${code}`, `${url}r/${code.toLowerCase()}`, link.replace('//', '//ben:secret@')]) {
    await ben.join(address);
    assert.equal((await ben.look()).code, code, address);
    await ben.page.keyboard.press('KeyH');
    await ben.page.click('#menu-leave');
    await until('the start', () => ben.page.isVisible('#join'));
  }
  await ada.page.reload();
  assert.equal((await ada.plays()).seat, seat);
  assert.deepEqual([...ada.faults, ...ben.faults], []);
  await ben.close();
  await ada.close();
});

test('a drop is told above the menu that was open, and after it the menu is there again', async () => {
  const proxy = await Proxy.start(server);
  const ada = await Person.at(browser, 'Ada');
  await ada.join(proxy.url);
  await ada.page.keyboard.press('KeyH');
  proxy.away();
  const above = () => ada.page.evaluate(() => {
    const button = document.querySelector('#overlay-buttons button');
    if (button === null || document.getElementById('overlay').hidden) return null;
    // What is inert is passed over by the question below, but not by the eye.
    document.getElementById('menu').inert = false;
    const { x, y, width, height } = button.getBoundingClientRect();
    return document.elementFromPoint(x + width / 2, y + height / 2) === button ? button.textContent : 'covered';
  });
  assert.equal(await until('it is told', above), 'Try now');
  await ada.picture('reconnecting-over-menu');
  proxy.sockets = 'pass';
  await ada.plays();
  assert.deepEqual([await ada.overlay(), await ada.page.isVisible('#menu')], [null, true]);
  await ada.page.click('#menu-back');
  assert.deepEqual(ada.faults, []);
  await ada.close();
});

test('after a match of one\'s own, Join again leads to that match', async () => {
  const ada = await Person.at(browser, 'Ada');
  let break_;
  await ada.page.routeWebSocket(/\/ws$/, (socket) => {
    socket.connectToServer();
    // No message of the protocol begins so: the session ends for good.
    break_ = () => socket.send(Buffer.from([9]));
  });
  await ada.join(server.url, '#create-private');
  const { code } = await ada.look();
  break_();
  await until('the ending', () => ada.page.isVisible('#overlay-buttons >> text="Join again"'));
  await ada.page.click('text="Join again"');
  const again = await ada.plays();
  assert.equal(again.code, code);
  assert.deepEqual(ada.faults, []);
  await ada.close();
});

for (const [how, spoil] of /** @type {[string, () => void][]} */ ([
  ['refuses even to look', () => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, { get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } });
    }
  }],
  ['has none', () => {
    for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { value: null });
  }],
  ['throws at every call', () => {
    for (const name of ['getItem', 'setItem', 'removeItem', 'key']) {
      Storage.prototype[name] = () => { throw new DOMException('Access is denied.', 'SecurityError'); };
    }
  }],
  ['is full', () => {
    Storage.prototype.setItem = () => { throw new DOMException('It is full.', 'QuotaExceededError'); };
  }],
])) {
  test(`a browser whose storage ${how} plays, and comes back from a drop to its seat`, async () => {
    const proxy = await Proxy.start(server);
    const ada = await Person.at(browser, 'Ada');
    await ada.page.addInitScript(spoil);
    await ada.join(proxy.url);
    const { seat, code, own } = await ada.look();
    await ada.page.keyboard.press('KeyM');
    await ada.page.keyboard.press('KeyM');
    proxy.away();
    await until('the drop is seen', async () => (await ada.look()).phase !== 'playing');
    proxy.sockets = 'pass';
    const back = await ada.plays();
    assert.deepEqual([back.seat, back.code, back.own.id], [seat, code, own.id]);
    // What cannot be kept lasts as long as the page.
    await ada.page.keyboard.press('KeyH');
    await ada.page.click('#menu-leave');
    await until('the start', () => ada.page.isVisible('#join'));
    assert.equal(await ada.page.inputValue('#name'), 'Ada');
    assert.deepEqual(ada.faults, []);
    await ada.close();
  });
}

test('a screen that becomes sharper without a resize is drawn with all of its pixels', async () => {
  const ada = await Person.at(browser, 'Ada');
  // Some browsers send a resize along, some do not.
  await ada.page.addInitScript(() => {
    window.addEventListener('resize', (event) => event.stopImmediatePropagation(), { capture: true });
  });
  await ada.join(server.url);
  const devices = await ada.context.newCDPSession(ada.page);
  const pixels = () => ada.page.evaluate(() => [document.getElementById('view').width, document.getElementById('view').height]);
  for (const [ratio, width, height] of [[2, 2560, 1440], [1.5, 1920, 1080], [1, 1280, 720]]) {
    await devices.send('Emulation.setDeviceMetricsOverride', { width: 1280, height: 720, deviceScaleFactor: ratio, mobile: false });
    await until(`${width} pixels`, async () => (await pixels())[0] === width);
    assert.deepEqual(await pixels(), [width, height]);
  }
  assert.deepEqual(ada.faults, []);
  await ada.close();
});
