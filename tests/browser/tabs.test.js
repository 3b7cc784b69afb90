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
  browser = await launch({ args: ['--host-resolver-rules=MAP lan.example 127.0.0.1'] });
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
