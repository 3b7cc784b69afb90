// A seat belongs to one tab: copies of a tab, reloads, crashes, and pages that come back from the browser's history.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, Server, launch, until } from './harness.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 0, 'room.seat_kept_ms': 60_000 });
  // A name that is not this machine's to the browser: there plain HTTP is no secure context, as in a local network.
  browser = await launch({
    args: ['--host-resolver-rules=MAP lan.example 127.0.0.1'],
    // Playwright switches it off.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
});

/** Opens a page with another's session storage in it, as a browser does that duplicates a tab or opens a crashed one again. */
async function copyOf(person, stored) {
  const copy = await person.beside();
  await copy.page.addInitScript((entries) => {
    if (sessionStorage.length > 0) return;
    for (const [key, value] of Object.entries(entries)) sessionStorage.setItem(key, value);
  }, stored);
  return copy;
}

/** Which seats of the match somebody sits in, as a third one sees it. */
async function taken(person) {
  return (await person.look()).scores.filter((line) => !line.away).map((line) => line.seat).sort();
}

for (const [where, host, secure] of /** @type {const} */ ([
  ['over a secure connection', '127.0.0.1', true], ['over plain HTTP in a local network', 'lan.example', false],
])) {
  test(`a copy of a tab gets a ship of its own, ${where}; the first one plays on`, { timeout: 60_000 }, async () => {
    const url = `http://${host}:${server.port}/`;
    const ada = await Person.at(browser, 'Ada');
    await ada.join(url, '#create-private');
    assert.equal(await ada.page.evaluate(() => navigator.locks !== undefined), secure, 'the test tests what it says');
    const first = await ada.look();
    const stored = await ada.page.evaluate(() => ({ ...sessionStorage }));

    const duplicate = await copyOf(ada, stored);
    await duplicate.page.goto(ada.page.url());
    const second = await duplicate.plays();
    assert.equal(second.code, first.code);
    assert.notEqual(second.seat, first.seat, 'the copy took the seat');

    const opened = ada.page.waitForEvent('popup');
    await ada.page.evaluate(() => { window.open(window.location.href); });
    const popup = await ada.beside();
    await popup.page.close();
    popup.page = await opened;
    await popup.page.waitForFunction(() => window.tickroom);
    const third = await popup.plays();
    assert.equal(third.code, first.code);
    assert.equal(new Set([first.seat, second.seat, third.seat]).size, 3);

    await sleep(1000);
    assert.equal(await ada.overlay(), null);
    assert.deepEqual([(await ada.look()).seat, (await ada.look()).own.id], [first.seat, first.own.id]);

    // Each goes on with its own, and nobody with a second ship.
    for (const [one, seat] of [[ada, first.seat], [duplicate, second.seat], [popup, third.seat]]) {
      await one.page.reload();
      assert.equal((await one.plays()).seat, seat);
    }
    assert.deepEqual(await until('all are there', async () => (await taken(ada)).length >= 3 && taken(ada)), [0, 1, 2]);

    await popup.close();
    // The tab crashes, and its owner opens it again.
    const kept = await ada.page.evaluate(() => ({ ...sessionStorage }));
    const crashed = ada.page.waitForEvent('crash');
    ada.page.goto('chrome://crash').catch(() => {});
    await crashed;
    const again = await copyOf(duplicate, kept);
    await again.page.goto(`${url}?room=${first.code}`);
    assert.equal((await again.plays()).seat, first.seat);
    const flying = [first.seat, second.seat].sort();
    await until('both and nobody else', async () => String(await taken(duplicate)) === String(flying));
    assert.deepEqual([...duplicate.faults, ...again.faults], []);
    for (const one of [duplicate, again]) await one.close();
  });
}

test('back from the browser\'s history a page takes the seat that its tab has by now, and never a second one', { timeout: 60_000 }, async () => {
  const ben = await Person.at(browser, 'Ben');
  await ben.join(server.url, '#create-private');
  const address = ben.page.url();
  const ada = await Person.at(browser, 'Ada');
  await ada.join(address);
  const first = await ada.look();
  // The page as it was left, by the back button: not loaded anew.
  const mark = () => ada.page.evaluate(() => { window.marked = true; });
  const away = () => ada.page.goto(`${server.url}/health`);
  const back = async (steps) => {
    ada.page.evaluate((by) => { window.history.go(-by); }, steps).catch(() => {});
    await until('the page of before', () => ada.page.evaluate(() => window.marked === true).catch(() => false));
  };
  const flying = async (who) => until(`${who} fly`, async () => String((await ben.look()).scores.map((line) => line.seat).sort()) === who);

  await mark();
  await away();
  await until('the server knows that she is away', async () => (await ben.look()).scores.some((line) => line.away));
  await back(1);
  const again = await ada.plays();
  assert.deepEqual([again.seat, again.own.id], [first.seat, first.own.id]);
  await flying('0,1');

  // Another page of this tab takes the seat back meanwhile: it has a newer token of it.
  await away();
  await ada.page.goto(address);
  assert.equal((await ada.plays()).seat, first.seat);
  await back(2);
  assert.equal((await ada.plays()).seat, first.seat);
  await flying('0,1');

  // A copy of this tab is loaded meanwhile, and becomes the tab: the page that comes back is one more player.
  const stored = await ada.page.evaluate(() => ({ ...sessionStorage }));
  await away();
  const copy = await copyOf(ada, stored);
  await copy.page.goto(address);
  assert.equal((await copy.plays()).seat, first.seat);
  await back(1);
  const own = await ada.plays();
  assert.deepEqual([own.seat !== first.seat, own.code], [true, first.code]);
  await sleep(500);
  assert.deepEqual([await copy.overlay(), (await copy.look()).seat], [null, first.seat]);

  // Another page of this tab has left the match: nothing is joined that nobody asked for.
  await away();
  await ada.page.goto(address);
  await ada.plays();
  await ada.page.keyboard.press('KeyH');
  await ada.page.click('#menu-leave');
  await back(2);
  await until('the start', () => ada.page.isVisible('#join'));
  await flying('0,1');
  assert.deepEqual([...ada.faults, ...ben.faults, ...copy.faults], []);
  for (const one of [ada, ben, copy]) await one.close();
});
