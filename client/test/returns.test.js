// The page comes back, leaves, or has listeners that throw: the connection is what it says it is.

import assert from 'node:assert/strict';
import test from 'node:test';

import { PROTOCOL_VERSION, decodeClient, decodeServer, encodeServer, rulesHash } from '../protocol/index.js';
import { createClient, savedSeat } from '../net/index.js';
import { L100, L250, memoryStorage, play } from './support/play.js';
import { snapshotBytes } from './support/snapshot.js';
import { TOY } from './support/toy.js';

/** @typedef {import('../net/connection.js').SocketEvents} SocketEvents */

/** A client over sockets that do nothing by themselves. @param {Partial<import('../net/client.js').ClientOptions>} [options] */
function setup(options = {}) {
  let now = 1000;
  /** @type {{ events: SocketEvents, sent: any[], closed: boolean }[]} */
  const sockets = [];
  const storage = memoryStorage();
  let returned = () => {};
  const client = createClient({
    url: 'ws://x/ws', clock: () => now, storage, random: () => 0,
    transport: (url, events) => {
      const socket = { events, sent: /** @type {any[]} */ ([]), closed: false };
      sockets.push(socket);
      return { send: (bytes) => socket.sent.push(decodeClient(bytes)), close: () => { socket.closed = true; } };
    },
    returns: (work) => {
      returned = work;
      return () => { returned = () => {}; };
    },
    ...options,
  });
  const newest = () => sockets[sockets.length - 1];
  const welcome = (more = {}) => {
    const tuning = new Uint8Array(0);
    newest().events.message(encodeServer({
      type: 'welcome', protocol: PROTOCOL_VERSION, features: 0, schema: TOY, tuning, rulesHash: rulesHash(TOY, tuning), seat: 0,
      token: new Uint8Array(16).fill(7), seatKeptMs: 30_000, resumed: false, code: 'K7QX', tickRate: 60, ticksPerSnapshot: 2,
      epoch: 0, tick: 0, skipped: 0, ...more,
    }));
  };
  const open = (more = {}) => {
    newest().events.open();
    welcome(more);
  };
  const pong = () => {
    const ping = newest().sent.findLast((message) => message.type === 'ping');
    newest().events.message(encodeServer({ type: 'pong', time: ping.time, serverTime: now * 1000 }));
  };
  const pass = (/** @type {number} */ ms, poll = true) => {
    for (const end = now + ms; now < end;) {
      now += 50;
      if (poll) client.poll(now);
    }
  };
  const sleep = (/** @type {number} */ ms) => { now += ms; };
  return { client, sockets, storage, newest, welcome, open, pong, pass, sleep, returns: () => returned(), clock: () => now };
}

test('a connection that died in sleep is known 1.5 s after the return, whatever tells of it, and opened again at once', () => {
  for (const [name, back] of /** @type {[string, (game: ReturnType<typeof setup>) => void][]} */ ([
    ['shown, pageshow, online', ({ returns }) => returns()],
    ['a gap between frames', ({ client, clock }) => client.frame(clock())],
    ['a gap between timers', ({ client, clock }) => client.poll(clock())],
    ['no longer hidden', ({ client }) => client.setHidden(false)],
  ])) {
    const game = setup();
    const { client, sockets } = game;
    client.connect();
    game.open();
    client.frame(game.clock());
    if (name === 'no longer hidden') client.setHidden(true);
    game.pass(500);
    game.sleep(60_000);
    // What was read before the sleep is no sign of life.
    sockets[0].events.message(encodeServer({ type: 'pong', time: 1_400_000, serverTime: 1_400_000 }));
    back(game);
    game.pass(1450);
    assert.equal(client.phase, 'playing', name);
    game.pass(150);
    assert.deepEqual([client.phase, sockets.length, sockets[0].closed], ['connecting', 2, true], name);
    game.open({ resumed: true });
    assert.deepEqual(sockets[1].sent[0].resume, new Uint8Array(16).fill(7), name);
    assert.equal(client.phase, 'playing', name);
  }
});

test('a connection that lives is kept, also if the page stops again before the answer', () => {
  const { client, sockets, open, pass, sleep, returns, pong } = setup();
  client.connect();
  open();
  pass(500);
  sleep(60_000);
  returns();
  pass(1000);
  sleep(20_000);
  client.poll(82_500);
  pass(1000);
  pong();
  pass(3000);
  assert.deepEqual([client.phase, sockets.length], ['playing', 1]);
});

test('who waits to reconnect waits no longer when the page is back, unless the server asked for the wait', () => {
  const game = setup();
  const { client, sockets } = game;
  client.connect();
  game.open();
  for (let i = 0; i < 6; i++) {
    game.newest().events.close(1006);
    game.pass(8100);
  }
  game.newest().events.close(1006);
  assert.equal(client.phase, 'waiting');
  const before = sockets.length;
  game.returns();
  assert.deepEqual([client.phase, sockets.length], ['connecting', before + 1]);
  game.newest().events.close(1006);
  game.pass(550);
  assert.equal(sockets.length, before + 2, 'the network comes up a moment later: the waits begin anew');

  const asked = setup();
  asked.client.connect();
  asked.open();
  asked.newest().events.message(encodeServer({ type: 'closing', code: 1008, text: 'Slow down.' }));
  asked.newest().events.close(1008);
  asked.returns();
  assert.deepEqual([asked.client.phase, asked.sockets.length], ['waiting', 1]);

  const given = setup();
  given.client.connect();
  for (let i = 0; i < 60 && given.client.phase !== 'closed'; i++) {
    given.newest().events.close(1006);
    given.pass(8100);
  }
  assert.equal(given.client.phase, 'closed');
  given.returns();
  assert.equal(given.client.phase, 'connecting', 'it had given up while nobody looked');
});

test('after leave nothing comes back', () => {
  const { client, sockets, open, returns, pass } = setup();
  client.connect();
  open();
  client.leave();
  returns();
  client.wake();
  pass(20_000);
  assert.deepEqual([client.phase, sockets.length], ['closed', 1]);
});

test('over a whole link: a network that died in sleep costs its deadline and a reconnect, no 6 s', () => {
  for (const link of [L100, L250]) {
    const game = play({ up: link, timers: true });
    game.client.connect();
    game.run(4000);
    game.client.setHidden(true);
    game.freeze();
    game.world.run(20_000);
    // The other end has gone without a word.
    game.server.out = null;
    game.thaw();
    game.client.setHidden(false);
    game.run(20_000 + 1500 + 1500);
    assert.equal(game.client.phase, 'playing');
    assert.equal(game.client.stats().reconnects, 1);
    assert.ok(game.client.frame(game.clock()).own);
  }
});

test('leaving while nobody is connected takes the seat back once and gives it up', () => {
  for (const how of ['waiting', 'connecting', 'Hello sent']) {
    const game = setup();
    const { client, sockets, storage } = game;
    client.connect();
    game.open();
    game.newest().events.close(1006);
    if (how !== 'waiting') game.pass(500);
    if (how === 'Hello sent') game.newest().events.open();
    client.leave();
    assert.deepEqual([client.phase, client.status.reason?.name], ['closed', 'left'], how);
    assert.equal(savedSeat(storage, 'ws://x/ws'), null, how);
    assert.equal(sockets.length, 2, how);
    if (how !== 'Hello sent') game.newest().events.open();
    assert.deepEqual(sockets[1].sent[0].resume, new Uint8Array(16).fill(7), how);
    game.welcome({ resumed: true });
    assert.deepEqual(sockets[1].sent.at(-1), { type: 'leave' }, how);
    assert.equal(sockets[1].closed, true, how);
    game.pass(30_000);
    assert.deepEqual([sockets.length, client.phase], [2, 'closed'], how);
  }
});

test('leaving before the first Welcome gives up the seat that it brings', () => {
  const { client, newest, welcome } = setup();
  client.connect();
  newest().events.open();
  client.leave();
  assert.equal(client.phase, 'closed');
  welcome();
  assert.deepEqual(newest().sent.map(({ type }) => type), ['hello', 'leave']);
  assert.equal(newest().closed, true);
  assert.equal(client.session, null);

  const early = setup();
  early.client.connect();
  early.client.leave();
  assert.equal(early.newest().closed, true, 'nobody was asked for anything yet');
});

test('a farewell is bounded: a server that stays away is given up after 10 s, with its timer', () => {
  let timers = 0;
  const game = setup({ timers: { every: () => { timers += 1; return () => { timers -= 1; }; } } });
  const { client, sockets } = game;
  client.connect();
  game.open();
  game.newest().events.close(1006);
  client.leave();
  assert.equal(timers, 1);
  for (let i = 0; i < 40; i++) {
    game.newest().events.close(1006);
    game.pass(500);
  }
  const tries = sockets.length;
  assert.ok(tries >= 3 && tries <= 8, `${tries} attempts`);
  assert.deepEqual([timers, client.farewell], [0, null]);
  game.pass(20_000);
  assert.equal(sockets.length, tries);

  const refused = setup();
  refused.client.connect();
  refused.open();
  refused.newest().events.close(1006);
  refused.client.leave();
  refused.newest().events.open();
  refused.newest().events.message(encodeServer({ type: 'closing', code: 4007, text: 'Gone.' }));
  refused.newest().events.close(4007);
  refused.pass(20_000);
  assert.equal(refused.sockets.length, 2, 'a seat that is gone needs no farewell');
});

test('a listener that throws is heard as what it is, and the client is what it says', () => {
  const names = /** @type {const} */ (['welcome', 'status', 'roster', 'closing', 'event', 'resync', 'reconcile']);
  for (const name of names) {
    /** @type {string[]} */
    const closings = [];
    const mine = new TypeError(`a mistake in ${name}`);
    const game = play({
      up: L100, timers: false,
      client: { on: { closing: (reason) => void closings.push(reason.name), [name]: () => { throw mine; } } },
    });
    /** @type {unknown[]} */
    const heard = [];
    const careful = (/** @type {() => void} */ work) => {
      try {
        work();
      } catch (error) {
        heard.push(error);
      }
    };
    const { client, server } = game;
    careful(() => client.connect());
    const until = (/** @type {number} */ end) => {
      while (game.world.now < end) careful(() => game.run(game.world.now + 17));
    };
    until(3000);
    server.loseTicks.add(server.tick + 2 - (server.tick % 2));
    until(6000);
    assert.equal(client.phase, 'playing', name);
    assert.ok(client.session && client.session.view.synced, name);
    if (name === 'closing') {
      careful(() => game.net.cut());
      until(6500);
    }
    until(9000);
    assert.equal(client.phase, 'playing', name);
    assert.ok(heard.length > 0 && heard.every((error) => error === mine), `${name}: ${heard.map(String)}`);
    assert.ok(!closings.includes('wrong_version'), name);
    assert.ok(server.queue.ack > 5 && Math.abs(client.session.pace.tick - game.trueTick() - client.session.pace.lead) < 2, name);
    client.setControls({ thrust: 10 });
    until(9500);
    assert.equal(server.queue.levels[0], 10, name);
  }
});

test('an end that a listener does not survive is an end all the same', () => {
  const mine = new Error('mine');
  const { client, newest, open, pass, sockets } = setup({ on: { status: ({ phase }) => { if (phase === 'waiting') throw mine; } } });
  client.connect();
  open();
  assert.throws(() => newest().events.close(1006), mine);
  assert.equal(client.phase, 'waiting');
  pass(600);
  assert.deepEqual([client.phase, sockets.length], ['connecting', 2]);
});

test('a snapshot that breaks off is not half taken, not even by a frame that must begin anew', () => {
  const game = play({ up: L100 });
  game.client.connect();
  game.client.setControls({ thrust: 10 });
  game.run(4000);
  const { session } = game.client;
  assert.ok(session?.prediction);
  const { view } = session;
  const before = { ...game.client.frame(game.clock()).own };
  const { x } = session.prediction.base;
  // Everything goes, a ship of nobody comes, and then the bytes end.
  const bits = snapshotBytes({ tick: view.tick + 2, base: 0, ack: session.ack }, new Uint8Array([0x80, 0x02, 0x00, 0xff, 0xff]));
  session.handle(/** @type {any} */ ({ type: 'snapshot', tick: view.tick + 2, base: 0, ack: session.ack, margin: 0, flags: 0, lateness: 0, skipped: session.skipped, bytes: bits, bodyAt: bits.length - 5 }), game.clock());
  assert.equal(view.synced, false);
  assert.equal(game.log.resync.length, 1);
  // A clock that is set makes the prediction anew.
  session.clock.offset += 300;
  session.clock.target += 300;
  const scene = game.client.frame(game.clock());
  assert.ok(scene.own, 'the own ship is still there');
  assert.equal(session.prediction.base.x, x);
  assert.ok(Math.abs(scene.own.x - (before.x ?? 0)) < 300, `${before.x} became ${scene.own.x}`);
  game.run(8000);
  assert.equal(view.synced, true);
  assert.ok(game.log.reconcile.slice(-30).every((r) => r.exact));
});

test('a header that tells of more skipped time than there was, or of a tick beyond all, does not make a frame throw', () => {
  for (const header of [{ skipped: 0xffff_ffff }, { skipped: 100_000 }, { tick: 0xffff_fff0 }, { tick: 0xffff_fff0, skipped: 0xffff_ffff }, { tick: 0x8000_0000 }, { margin: -128, lateness: 0xffff }]) {
    const game = play({ up: L100, timers: true });
    game.client.connect();
    game.client.setControls({ thrust: 10 });
    game.run(4000);
    const { session } = game.client;
    assert.ok(session);
    const { tick } = session.view;
    const bytes = snapshotBytes({ tick: tick + 8, base: 0, ack: session.ack, ...header }, new Uint8Array([0, 0]));
    session.handle(decodeServer(bytes), game.clock());
    // A frame before any honest header comes.
    game.client.frame(game.clock());
    game.run(4500);
    game.client.setControls({ turn: 3 });
    // The next honest one does not fit, so it is asked anew.
    game.run(8000);
    assert.equal(game.client.phase, 'playing', JSON.stringify(header));
    assert.equal(session.view.synced, true);
    assert.ok(Math.abs(session.serverTick(game.clock()) - game.trueTick()) < 2, JSON.stringify(header));
    assert.ok(game.log.reconcile.slice(-30).every((r) => r.exact), JSON.stringify(header));
  }
});
