// Time stops and goes on, for the real page and the real server: a page that does not run, a process that is stopped, a network
// that comes back.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, Server, launch, until } from './harness.js';

/** @type {Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await Server.start({ 'room.fill_to': 4 });
  browser = await launch();
});

/** A person whose page counts the inputs that it sends: the first byte of a message is its number. */
async function counted(name) {
  const person = await Person.at(browser, name);
  await person.page.addInitScript(() => {
    window.inputs = 0;
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function counts(bytes) {
      if (new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0)[0] === 1) window.inputs += 1;
      send.call(this, bytes);
    };
  });
  await person.join(server.url);
  await until('the clock has settled', async () => (await person.look()).stats.rttMin > 0);
  await sleep(2000);
  return person;
}

test('a page that does not run for 7 s, as under window.prompt, sends one input for it and is in the match at once', async (t) => {
  const person = await counted('Still');
  const { page } = person;
  const [sent, frames] = await page.evaluate(async () => {
    const end = performance.now() + 7000;
    while (performance.now() < end);
    const before = window.inputs;
    // The frame after the gap, and those of the next 150 ms: one input for the gap, and who rests says so ten times a second.
    let drawn = 0;
    const from = performance.now();
    while (performance.now() - from < 150) {
      await new Promise((resolve) => { requestAnimationFrame(resolve); });
      drawn += 1;
    }
    return [window.inputs - before, drawn];
  });
  t.diagnostic(`${sent} inputs in the ${frames} frames after the gap`);
  assert.ok(sent <= 4, `${sent} inputs for the gap`);
  await sleep(1000);
  const { phase, own, stats } = await person.look();
  assert.equal(phase, 'playing');
  assert.ok(own);
  assert.equal(stats.reconnects, 0);
  assert.ok(stats.interpolationDelay < 400 && stats.margin > -20 && stats.margin < 20, JSON.stringify(stats));
  assert.deepEqual(person.faults, []);
  await person.close();
});

test('a server that is stopped for 1.5 s is followed: a second later inputs wait no longer than before', async (t) => {
  const person = await counted('Patient');
  await person.page.keyboard.down('KeyW');
  const usual = (await person.look()).stats;
  server.child.kill('SIGSTOP');
  await sleep(1500);
  server.child.kill('SIGCONT');
  await sleep(1000);
  const { phase, stats } = await person.look();
  await person.page.keyboard.up('KeyW');
  t.diagnostic(`margin ${usual.margin} before, ${stats.margin} after; lead ${usual.inputLead.toFixed(0)} and ${stats.inputLead.toFixed(0)} ms; ${stats.skipped} ticks skipped`);
  assert.equal(phase, 'playing');
  assert.ok(stats.skipped > 60, 'the server skipped what it missed');
  // A busy machine draws late, but nothing waits for a second and more.
  assert.ok(stats.margin < 25, `inputs come ${stats.margin} ticks early`);
  assert.equal(stats.reconnects, 0);
  assert.deepEqual(person.faults, []);
  await person.close();
});

test('who waits to reconnect is back as soon as the network is, not when the wait is over', async (t) => {
  const person = await counted('Traveller');
  await server.kill();
  // 0.5 s, 1 s, 2 s: then it waits for four.
  await until('it waits for long', () => person.page.evaluate(() => window.tickroom.phase === 'waiting'), 10_000);
  await sleep(4600);
  await server.again();
  const begin = Date.now();
  await person.page.evaluate(() => window.dispatchEvent(new Event('online')));
  await person.plays(15_000);
  t.diagnostic(`back after ${Date.now() - begin} ms`);
  assert.ok(Date.now() - begin < 3000, `back only after ${Date.now() - begin} ms`);
  await person.close();
});
