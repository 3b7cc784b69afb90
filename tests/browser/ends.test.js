// Every way in which a session ends or is refused, as its player sees it: a sentence, and a way on.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, Server, launch, until } from './harness.js';

/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  browser = await launch();
});

/** Waits until something stands over the match, and gives its text. */
function overlay(person, pattern) {
  return until(`${person.name} reads ${pattern}`, async () => {
    const text = await person.overlay();
    return text !== null && pattern.test(text) && text;
  });
}

for (const [how, end] of /** @type {const} */ ([['restarts', 'stop'], ['crashes and comes back', 'kill']])) {
  test(`a server that ${how} is a pause to its player, not a dead page`, { timeout: 60_000 }, async () => {
    const server = await Server.start();
    const person = await Person.at(browser, 'Ada');
    await person.join(server.url);
    await person.page.evaluate(() => { window.sameMark = true; });
    const code = await server[end]();
    if (end === 'stop') assert.equal(code, 0, server.errors);
    const text = await overlay(person, /reconnect/i);
    if (end === 'stop') assert.match(text, /restarting/, text);
    assert.ok((await person.picture(`server-${end}`)).colours() > 50);
    // The page goes on trying for as long as the server is away.
    await sleep(3000);
    assert.match(await person.overlay(), /reconnect/i);
    await server.again();
    await person.plays(20_000);
    assert.equal(await person.overlay(), null);
    assert.ok(await person.page.evaluate(() => window.sameMark), 'the page was loaded anew');
    assert.deepEqual(person.faults, []);
    await person.close();
    await server.stop();
  });
}

test('a connection that drops takes the seat back, with ship and score', { timeout: 60_000 }, async () => {
  const server = await Server.start();
  const person = await Person.at(browser, 'Ada');
  await person.join(server.url);
  const before = await person.look();
  // A reload is the harshest drop: all that is left is what the tab remembers.
  await person.page.reload();
  const back = await person.plays();
  assert.equal(back.code, before.code);
  assert.equal(back.seat, before.seat);
  await person.close();
  await server.stop();
});

test('a code that no match has says so, and quick play is one click away', async () => {
  const server = await Server.start();
  const person = await Person.at(browser, 'Ada');
  await person.page.goto(`${server.url}/?room=NOSUCH`);
  await person.page.click('#play');
  const text = await overlay(person, /no match with this code/);
  await person.picture('unknown-room');
  assert.ok(text.length < 400, text);
  const buttons = await person.page.locator('#overlay-buttons button').allInnerTexts();
  assert.ok(buttons.length > 0, 'there is no way on');
  await person.page.locator('#overlay-buttons button').first().click();
  await until('a way on', async () => {
    const { phase } = await person.look();
    return phase === 'playing' || (phase === 'start' && person.page.isVisible('#join'));
  });
  assert.deepEqual(person.faults, []);
  await person.close();
  await server.stop();
});

test('a full match says so', async () => {
  const server = await Server.start({ 'room.seats_max': 1, 'room.fill_to': 1 });
  const ada = await Person.at(browser, 'Ada');
  await ada.join(server.url);
  const ben = await Person.at(browser, 'Ben');
  await ben.page.goto(ada.page.url());
  await ben.page.click('#play');
  await overlay(ben, /seats .* are taken/);
  await ben.picture('room-full');
  assert.equal((await ada.look()).phase, 'playing');
  assert.deepEqual([...ada.faults, ...ben.faults], []);
  await ada.close();
  await ben.close();
  await server.stop();
});

test('a seat that is taken over in another window says so and is not stolen back', async () => {
  // Only where a browser has nothing by which two pages know of each other: see tabs.test.js for all others.
  const server = await Server.start();
  const ada = await Person.at(browser, 'Ada');
  await ada.context.addInitScript(() => {
    Object.defineProperty(navigator, 'locks', { value: undefined });
    delete window.BroadcastChannel;
  });
  await ada.join(server.url);
  const { seat } = await ada.look();
  // A browser that duplicates a tab copies its session storage.
  const stored = await ada.page.evaluate(() => ({ ...sessionStorage }));
  const twin = await ada.beside();
  await twin.page.addInitScript((entries) => {
    if (sessionStorage.length > 0) return;
    for (const [key, value] of Object.entries(entries)) sessionStorage.setItem(key, value);
  }, stored);
  await twin.page.goto(ada.page.url());
  assert.equal((await twin.plays()).seat, seat);
  await overlay(ada, /another window/);
  await ada.picture('replaced');
  await sleep(3000);
  assert.equal((await twin.look()).phase, 'playing', 'the seat was stolen back');
  assert.match(await ada.overlay(), /another window/);
  assert.deepEqual([...ada.faults, ...twin.faults], []);
  await twin.close();
  await ada.close();
  await server.stop();
});
