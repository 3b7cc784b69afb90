// The recorded session of the vectors: every message in both directions, and what the view holds after each snapshot.

import assert from 'node:assert/strict';
import test from 'node:test';

import { RosterBook, View, decodeClient, decodeServer, encodeClient, encodeServer, fromHex, toHex } from '../protocol/index.js';
import { fromGolden, golden } from './support/golden.js';

const { messages } = golden('session');

test('every message of the recorded session decodes to its value and encodes to its bytes', () => {
  assert.ok(messages.length > 50);
  for (const { from, hex, value } of messages) {
    if (from === 'client') {
      assert.deepEqual(decodeClient(fromHex(hex)), fromGolden(value));
      assert.equal(toHex(encodeClient(fromGolden(value))), hex);
      continue;
    }
    const message = decodeServer(fromHex(hex));
    assert.equal(message.type, value.type.toLowerCase());
    assert.equal(toHex(encodeServer(message)), hex);
    if (message.type !== 'snapshot') assert.deepEqual(message, fromGolden(value));
  }
});

test('a view that follows the session holds what is written after each snapshot', () => {
  let view = new View({ game: '', rules: 0, kinds: [], inputs: [], events: [] });
  const roster = new RosterBook();
  let checked = 0;
  for (const { from, hex, held } of messages) {
    if (from !== 'server') continue;
    const message = decodeServer(fromHex(hex));
    if (message.type === 'welcome') {
      view = new View(message.schema);
      roster.clear();
    } else if (message.type === 'roster') assert.ok(roster.apply(message));
    else if (message.type === 'snapshot') {
      assert.equal(view.apply(message), 'applied', view.why);
      const now = { tick: view.tick, entities: view.count, events: view.eventCount, digest: view.computeDigest() };
      assert.deepEqual(now, held);
      checked += 1;
    }
  }
  assert.ok(checked > 10, `${checked} snapshots`);
  assert.ok(roster.seats.size > 0);
});

test('who has left is remembered until another sits there', () => {
  const book = new RosterBook();
  const who = (/** @type {string} */ name) => ({ name, presence: /** @type {const} */ ('here') });
  book.apply({ type: 'roster', since: 0, version: 1, entries: [{ seat: 3, who: who('Ada') }] });
  book.apply({ type: 'roster', since: 1, version: 2, entries: [{ seat: 3, who: null }] });
  assert.deepEqual([book.seats.get(3), book.former.get(3)?.name], [undefined, 'Ada']);
  book.apply({ type: 'roster', since: 2, version: 3, entries: [{ seat: 3, who: who('Bob') }] });
  assert.deepEqual([book.seats.get(3)?.name, book.former.get(3)], ['Bob', undefined]);
});
