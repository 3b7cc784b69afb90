// No session comes about: the player reads what is true of the way to the server, and never of a seat that they never had.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Person, Server, launch, screens, until } from './harness.js';
import { Proxy } from './proxy.js';

/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  browser = await launch();
});

test('whoever cannot connect reads why, whatever stands in between', { timeout: 120_000 }, async () => {
  const server = await Server.start({ 'room.fill_to': 0 });
  const proxy = await Proxy.start(server);
  const ada = await Person.at(browser, 'Ada');
  await ada.page.goto(proxy.url);
  const reads = async (words, picture) => {
    await ada.page.click('#play');
    const text = await until(`Ada reads ${words}`, async () => {
      const shown = await ada.overlay();
      assert.doesNotMatch(shown ?? '', /seat is kept|Reconnecting|was lost/);
      return shown !== null && words.test(shown) && shown;
    }, 15_000);
    if (picture !== undefined) await ada.picture(picture);
    await ada.page.click('#overlay-buttons >> text=Cancel');
    await until('the start', () => ada.page.isVisible('#join'));
    return text;
  };
  const BLOCKED = /^Not reachable by WebSocket\n[^]*Ask whoever runs this network/;
  for (const way of /** @type {const} */ (['cut', 403, 404, 503, 200])) {
    proxy.sockets = way;
    await reads(BLOCKED, way === 'cut' ? 'blocked' : undefined);
  }
  proxy.sockets = 'hold';
  await reads(BLOCKED);
  proxy.sockets = 'cut';
  proxy.answers = { '/health': [404, 'Not here.'] };
  await reads(BLOCKED);
  proxy.answers = { '/health': [200, '<p>Welcome to the hotel</p>'] };
  await reads(/Something else answers\n[^]*sign in/);
  proxy.answers = {};
  await ada.context.setOffline(true);
  await reads(/You are offline\n/);
  await ada.context.setOffline(false);
  // Behind the proxy, and then the proxy itself.
  await server.kill();
  await reads(/The server is away\n[^]*status 502/);
  proxy.end();
  await reads(/No answer\n[^]*does not answer/, 'no-answer');
  assert.deepEqual(ada.faults, []);
  await ada.close();
});

test('what blocks WebSockets goes away, and the match begins by itself; a later drop speaks of the seat that there is', async () => {
  const server = await Server.start({ 'room.fill_to': 0 });
  const proxy = await Proxy.start(server, { sockets: 'cut' });
  const ada = await Person.at(browser, 'Ada', screens.upright);
  await ada.page.goto(proxy.url);
  await ada.page.fill('#name', 'Ada');
  await ada.page.tap('#play');
  // The seconds until the next attempt go down, too: nothing else is drawn yet.
  const seconds = async () => Number(/Next attempt in (\d+) s/.exec(await ada.overlay() ?? '')?.[1] ?? 0);
  await until('a wait of seconds', async () => await seconds() >= 2);
  await until('it goes down', async () => await seconds() <= 1);
  await ada.picture('blocked-upright');
  proxy.sockets = 'pass';
  await ada.plays(20_000);
  const eve = await Person.at(browser, 'Eve');
  await eve.join(`${proxy.url}?room=${(await ada.look()).code}&spectate`);
  proxy.away();
  const [drop, spectators] = await Promise.all([ada, eve].map((one) => until('the drop is told', () => one.overlay())));
  assert.match(drop, /Reconnecting …\n[^]*Your seat is kept for (30|29) s/);
  assert.match(spectators, /Reconnecting …\n/);
  assert.doesNotMatch(spectators, /seat/);
  assert.deepEqual([...ada.faults, ...eve.faults], []);
  await eve.close();
  await ada.close();
});
