// How a session begins, ends and begins again, over a fake transport and a fake clock.

import assert from 'node:assert/strict';
import test from 'node:test';

import { CLOSE_REASONS, PROTOCOL_VERSION, decodeClient, encodeServer, fromHex, rulesHash } from '../protocol/index.js';
import { createClient, saveSeat, savedSeat } from '../net/index.js';
import { memoryStorage, play } from './support/play.js';
import { TOY } from './support/toy.js';

/** @typedef {import('../net/connection.js').SocketEvents} SocketEvents */

/** @param {Partial<import('../net/client.js').ClientOptions>} [options] */
function setup(options = {}) {
  let now = 1000;
  /** @type {{ events: SocketEvents, sent: any[], closed: boolean, code?: number }[]} */
  const sockets = [];
  const storage = memoryStorage();
  /** @type {any[]} */
  const told = [];
  const client = createClient({
    url: 'ws://x/ws', clock: () => now, storage,
    transport: (url, events) => {
      const socket = { events, sent: /** @type {any[]} */ ([]), closed: false, code: /** @type {number | undefined} */ (undefined) };
      sockets.push(socket);
      return { send: (bytes) => socket.sent.push(decodeClient(bytes)), close: (code) => { socket.closed = true; socket.code = code; } };
    },
    on: { closing: (reason) => told.push(reason.name) },
    ...options,
  });
  const welcome = (token = 1, more = {}) => {
    const socket = sockets[sockets.length - 1];
    socket.events.open();
    const tuning = new Uint8Array(0);
    socket.events.message(encodeServer({
      type: 'welcome', protocol: PROTOCOL_VERSION, features: 0, schema: TOY, tuning, rulesHash: rulesHash(TOY, tuning), seat: 0,
      token: new Uint8Array(16).fill(token), seatKeptMs: 1000, resumed: false, code: 'K7QX', tickRate: 60, ticksPerSnapshot: 2,
      epoch: 0, tick: 0, skipped: 0, ...more,
    }));
  };
  const close = (/** @type {number} */ code, closing = true) => {
    const { events } = sockets[sockets.length - 1];
    if (closing) events.message(encodeServer({ type: 'closing', code, text: 'Because.' }));
    events.close(code);
  };
  const pass = (/** @type {number} */ ms) => {
    for (const end = now + ms; now < end;) {
      now += 50;
      client.poll(now);
    }
  };
  return { client, sockets, storage, told, welcome, close, pass, hello: () => sockets[sockets.length - 1].sent[0] };
}

test('Hello is sent when the socket opens, and Welcome begins the session', () => {
  const { client, sockets, welcome, hello } = setup({ name: 'Ada', wish: { kind: 'code', code: 'abcd' } });
  client.connect();
  assert.equal(client.phase, 'connecting');
  assert.equal(sockets[0].sent.length, 0);
  welcome();
  assert.deepEqual(hello(), { type: 'hello', protocol: PROTOCOL_VERSION, name: 'Ada', wish: { kind: 'code', code: 'abcd' }, tier: 'delta', resume: null, features: 0 });
  assert.equal(client.phase, 'playing');
  assert.equal(client.seat, 0);
});

test('a lost connection is opened again by itself, with the token, after a wait that grows', () => {
  const { client, sockets, welcome, close, pass, hello } = setup({ random: () => 0 });
  client.connect();
  welcome(9);
  close(1006, false);
  assert.equal(client.phase, 'waiting');
  const waits = [];
  for (let i = 0; i < 7; i++) {
    const before = sockets.length;
    let waited = 0;
    while (sockets.length === before) {
      pass(50);
      waited += 50;
    }
    waits.push(waited);
    sockets[sockets.length - 1].events.close(1006);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
  client.retry();
  welcome(10);
  assert.deepEqual(hello().resume, new Uint8Array(16).fill(9));
  pass(5500);
  assert.equal(client.status.attempt, 0, 'a session that lasted begins the waits anew');
});

test('each close reason ends as its action says', () => {
  for (const reason of CLOSE_REASONS) {
    const { client, sockets, welcome, close, pass, told, storage } = setup({ random: () => 0 });
    client.connect();
    welcome(3);
    close(reason.code);
    pass(8500);
    const again = sockets.length > 1;
    const expected = reason.action === 'retry' || reason.name === 'seat_gone';
    assert.equal(again, expected, reason.name);
    assert.deepEqual(told, [reason.name]);
    assert.equal(savedSeat(storage, 'ws://x/ws') !== null, reason.action === 'retry', `${reason.name} and the saved seat`);
    if (!expected) assert.deepEqual([client.phase, client.status.reason?.text], ['closed', 'Because.']);
  }
});

test('Replaced never reconnects, not even after the page asks storage: two tabs do not steal a seat in a loop', () => {
  const { client, sockets, welcome, close, pass } = setup();
  client.connect();
  welcome();
  close(4008);
  pass(60_000);
  assert.equal(sockets.length, 1);
  assert.equal(client.phase, 'closed');
});

test('a seat that is gone is joined anew by the first wish, once', () => {
  const { client, sockets, welcome, close, pass, hello } = setup({ wish: { kind: 'quick' } });
  client.connect();
  welcome(3);
  close(1012);
  pass(1000);
  sockets[1].events.open();
  assert.ok(hello().resume);
  close(4007);
  pass(2000);
  sockets[2].events.open();
  assert.equal(hello().resume, null);
  assert.deepEqual(hello().wish, { kind: 'quick' });
  close(4007);
  pass(20_000);
  assert.equal(sockets.length, 3);
  assert.equal(client.phase, 'closed');

  const asks = setup({ rejoin: false });
  asks.client.connect();
  asks.welcome(3);
  asks.close(4007);
  asks.pass(20_000);
  assert.deepEqual([asks.sockets.length, asks.client.phase], [1, 'closed'], 'a page that wants to ask first');
});

test('a reload takes the seat back if the wish allows it', () => {
  const first = setup();
  first.client.connect();
  first.welcome(5);
  for (const [wish, resumes] of /** @type {[import('../protocol/messages.js').Wish, boolean][]} */ ([
    [{ kind: 'quick' }, true], [{ kind: 'code', code: 'k7qx' }, true], [{ kind: 'code', code: 'AAAA' }, false],
    [{ kind: 'create', private: false }, false], [{ kind: 'spectate', code: null }, false],
  ])) {
    const next = setup({ storage: first.storage, wish });
    next.client.connect();
    next.sockets[0].events.open();
    assert.equal(next.hello().resume !== null, resumes, wish.kind);
  }
  first.client.leave();
  assert.deepEqual(first.sockets[0].sent.at(-1), { type: 'leave' });
  assert.equal(first.sockets[0].closed, true);
  assert.equal(savedSeat(first.storage, 'ws://x/ws'), null);
});

const URL = 'ws://x/ws';
const token = (/** @type {number} */ byte) => new Uint8Array(16).fill(byte);

test('each reconnect asks storage for the token: another page of this tab may have a newer one, or have left', () => {
  for (const [wish, told, resume] of /** @type {[import('../protocol/messages.js').Wish, import('../net/resume.js').SavedSeat | null, number | null][]} */ ([
    [{ kind: 'quick' }, { token: token(7), code: 'K7QX' }, 7],
    [{ kind: 'code', code: 'k7qx' }, { token: token(7), code: 'K7QX' }, 7],
    [{ kind: 'quick' }, null, null],
    // The tab plays elsewhere now: whoever wants any match goes there, whoever wants this one has a seat here.
    [{ kind: 'quick' }, { token: token(8), code: 'BBBB' }, 8],
    [{ kind: 'code', code: 'K7QX' }, { token: token(8), code: 'BBBB' }, 3],
  ])) {
    const { client, storage, welcome, close, pass, sockets, hello } = setup({ wish });
    client.connect();
    welcome(3);
    saveSeat(storage, URL, told);
    close(1006, false);
    pass(1000);
    sockets[1].events.open();
    assert.deepEqual(hello().resume, resume && token(resume), JSON.stringify([wish, told?.code]));
  }
});

test('a token that storage did not take is remembered instead of the older one that lies there', () => {
  const { storage } = setup();
  saveSeat(storage, URL, { token: token(1), code: 'K7QX' });
  const full = { ...storage, setItem: () => { throw new Error('QuotaExceededError'); } };
  const { client, sockets, welcome, close, pass, hello } = setup({ storage: full });
  client.connect();
  welcome(2);
  assert.deepEqual(hello().resume, token(1));
  for (const at of [1, 2]) {
    close(1006, false);
    pass(1000 * at);
    sockets[at].events.open();
    assert.deepEqual(hello().resume, token(at + 1));
    welcome(at + 2);
  }
  assert.equal(savedSeat(storage, URL), null, 'a reload must not come with a token of long ago');
});

test('a page that is put away keeps its seat, tries nothing by itself, and comes back to what the tab has then', () => {
  const { client, sockets, storage, welcome, pass, hello } = setup();
  client.connect();
  welcome(3);
  client.park();
  assert.equal(sockets[0].closed, true);
  assert.ok(sockets[0].sent.every(({ type }) => type !== 'leave'));
  pass(20_000);
  client.frame(40_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual([client.phase, client.parked, client.canResume], ['closed', true, true]);
  // Meanwhile another page of the tab has the seat, and a newer token.
  saveSeat(storage, URL, { token: token(9), code: 'K7QX' });
  client.connect();
  sockets[1].events.open();
  assert.deepEqual([hello().resume, client.parked], [token(9), false]);
  welcome(11);
  // What another page keeps is not this one's to forget.
  saveSeat(storage, URL, { token: token(10), code: 'BBBB' });
  client.leave();
  assert.deepEqual(savedSeat(storage, URL)?.token, token(10));
});

test('after creating a room the next session looks for that room, not for another new one', () => {
  const { client, sockets, welcome, close, pass, hello } = setup({ wish: { kind: 'create', private: true } });
  client.connect();
  welcome(1);
  close(1006, false);
  pass(1000);
  sockets[1].events.open();
  assert.deepEqual(hello().wish, { kind: 'code', code: 'K7QX' });
});

test('no Welcome and a silent server are lost connections; bytes that are no message end with 1002 for good', () => {
  const late = setup();
  late.client.connect();
  late.sockets[0].events.open();
  late.pass(9900);
  assert.equal(late.client.phase, 'connecting');
  late.pass(200);
  assert.equal(late.client.phase, 'waiting');
  assert.equal(late.sockets[0].closed, true);

  const silent = setup();
  silent.client.connect();
  silent.welcome();
  silent.pass(5900);
  assert.equal(silent.client.phase, 'playing');
  silent.pass(200);
  assert.equal(silent.client.phase, 'waiting');

  const strange = setup();
  strange.client.connect();
  strange.welcome();
  strange.sockets[0].events.message(fromHex('09'));
  assert.equal(strange.client.phase, 'closed');
  assert.equal(strange.client.status.reason?.action, 'fault');
  assert.equal(strange.sockets[0].code, 1002);
});

test('a page that slept does not take its own silence for the server\'s', () => {
  const { client, sockets, welcome } = setup();
  client.connect();
  welcome();
  client.poll(1000 + 60_000);
  assert.equal(client.phase, 'playing');
  assert.equal(sockets[0].closed, false);
});

test('a server that stays away ends the attempts after a few minutes, and retry begins anew', () => {
  const { client, sockets, pass } = setup({ random: () => 0 });
  client.connect();
  for (let i = 0; i < 60 && client.phase !== 'closed'; i++) {
    sockets[sockets.length - 1].events.close(1006);
    pass(8100);
  }
  assert.equal(client.phase, 'closed');
  assert.equal(sockets.length, 33);
  client.retry();
  assert.equal(client.phase, 'connecting');
  sockets[sockets.length - 1].events.close(1006);
  assert.equal(client.phase, 'waiting');
});

test('words of a socket that was given up find nobody', () => {
  const { client, sockets, welcome, pass } = setup();
  client.connect();
  welcome();
  sockets[0].events.close(1006);
  pass(1000);
  assert.equal(sockets.length, 2);
  sockets[0].events.message(encodeServer({ type: 'closing', code: 4008, text: 'Old.' }));
  sockets[0].events.close(4008);
  welcome(2);
  assert.equal(client.phase, 'playing');
});

test('a game that this page cannot play is a sentence, not a drifting ship', () => {
  /** @type {any} */
  const game = { start() { throw new Error('Reload the page: its tuning is another.'); } };
  const { client, sockets, welcome, pass } = setup({ game });
  client.connect();
  welcome();
  pass(20_000);
  assert.equal(client.phase, 'closed');
  assert.deepEqual([client.status.reason?.action, client.status.reason?.text], ['reload', 'Reload the page: its tuning is another.']);
  assert.equal(sockets.length, 1);
});

test('a mistake in a game is told as what it is, and comes out where the page sees it', () => {
  /** @type {any} */
  const game = { start() { return game.nothing.here; } };
  const { client, sockets, welcome, pass } = setup({ game });
  client.connect();
  assert.throws(welcome, TypeError);
  pass(20_000);
  assert.equal(client.phase, 'closed');
  assert.equal(client.status.reason?.name, 'page_failed');
  assert.match(client.status.reason?.text ?? '', /TypeError/);
  assert.equal(sockets.length, 1, 'nobody knocks with the same mistake again');
});

test('a storage that refuses costs only the resume after a reload', () => {
  const refuse = () => { throw new Error('quota'); };
  const { client, welcome, close, pass, sockets, hello } = setup({ storage: { getItem: refuse, setItem: refuse, removeItem: refuse } });
  client.connect();
  welcome(4);
  close(1006, false);
  pass(1000);
  sockets[1].events.open();
  assert.deepEqual(hello().resume, new Uint8Array(16).fill(4));
});

test('over a whole link: the seat, its state and the keys that are down survive a drop', () => {
  const game = play({ timers: true });
  game.client.connect();
  game.client.setControls({ thrust: 10 });
  game.run(3000);
  const before = game.server.ship.x;
  game.net.cut();
  game.run(6000);
  assert.equal(game.client.phase, 'playing');
  assert.equal(game.client.stats().reconnects, 1);
  assert.equal(game.client.welcome?.resumed, true);
  assert.notEqual(game.server.ship.x, before);
  assert.deepEqual(game.server.queue.levels.slice(0, 2), [10, 0], 'the key is still down');
  assert.ok(game.log.reconcile.slice(-50).every((r) => r.known && r.exact));
});
