// The client in client/protocol/README.md runs as it is written.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { ToyServer } from './support/toy.js';
import { World } from './support/world.js';

test('the client of the README joins, flies and prints', async () => {
  const folder = new URL('../protocol/', import.meta.url);
  const text = readFileSync(new URL('README.md', folder), 'utf8');
  const code = /```js\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const lines = code.trim().split('\n').length;
  assert.ok(lines <= 45, `${lines} lines`);

  const world = new World();
  const server = new ToyServer(world);
  /** @type {any[]} */
  const printed = [];
  class FakeSocket {
    constructor() {
      FakeSocket.last = this;
    }

    /** @param {Uint8Array} bytes */
    send(bytes) {
      server.receive(bytes);
    }
  }
  /** @type {any} */
  FakeSocket.last = null;
  const source = code.replace("'./index.js'", JSON.stringify(new URL('index.js', folder).href));
  // The example uses globals; they are replaced for as long as it runs.
  const globals = /** @type {any} */ (globalThis);
  const { WebSocket: realSocket, console: realConsole } = globals;
  Object.assign(globals, { WebSocket: FakeSocket, console: { log: (/** @type {any[]} */ ...words) => printed.push(words) } });
  try {
    await import(`data:text/javascript,${encodeURIComponent(source)}`);
    const socket = FakeSocket.last;
    server.out = (bytes) => socket.onmessage({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
    socket.onopen();
    world.run(3000);
    socket.onclose({ code: 1012 });
  } finally {
    Object.assign(globals, { WebSocket: realSocket, console: realConsole });
  }
  assert.deepEqual(printed[0], ['seat 0 of TOYS']);
  const [tick, ships, names] = printed[printed.length - 2];
  assert.ok(tick >= 120);
  assert.equal(ships.length, 4);
  assert.deepEqual(names, ['Ada']);
  assert.ok(server.ship.x > 0 && server.ship.heading > 0, 'it flew');
  assert.equal(server.messages.resync, 0);
  assert.deepEqual(printed[printed.length - 1], ['The server is restarting. Reconnect in a moment.', '(retry)']);
});
