// Every message in both directions, against assets/golden/messages.json and refusals.json.

import assert from 'node:assert/strict';
import test from 'node:test';

import {
  CLIENT_MESSAGES, CLOSE_REASONS, ProtocolError, SERVER_MESSAGES, Writer, closeReason, decodeClient, decodeServer,
  PROTOCOL_VERSION, encodeClient, encodeServer, fromHex, rulesHash, toHex,
} from '../protocol/index.js';
import { fromGolden, golden } from './support/golden.js';

const vectors = golden('messages');
const refusals = golden('refusals');

/**
 * A decoded snapshot with its body in place of where it lies.
 * @param {any} message
 */
function comparable(message) {
  if (message.type !== 'snapshot') return message;
  const { bytes, bodyAt, ...header } = message;
  return { ...header, body: bytes.slice(bodyAt) };
}

test('every client message of the vectors decodes and encodes to its bytes', () => {
  const writer = new Writer(1);
  for (const { name, hex, value } of vectors.client) {
    assert.deepEqual(decodeClient(fromHex(hex)), fromGolden(value), name);
    assert.equal(toHex(encodeClient(fromGolden(value), writer)), hex, name);
  }
});

test('every server message of the vectors decodes and encodes to its bytes', () => {
  const writer = new Writer(1);
  for (const { name, hex, value } of vectors.server) {
    const message = decodeServer(fromHex(hex));
    assert.deepEqual(comparable(message), fromGolden(value), name);
    assert.equal(toHex(encodeServer(message, writer)), hex, name);
  }
});

test('the vectors hold every message', () => {
  const types = (/** @type {any[]} */ list) => new Set(list.map((vector) => vector.value.type.toLowerCase()));
  assert.deepEqual(types(vectors.client), new Set(CLIENT_MESSAGES));
  assert.deepEqual(types(vectors.server), new Set(SERVER_MESSAGES));
});

test('the rules hash of each Welcome is that of its schema and tuning', () => {
  let checked = 0;
  for (const { value } of vectors.server) {
    if (value.type !== 'Welcome') continue;
    const welcome = fromGolden(value);
    // The vector of an empty schema shows its bytes, not its hash.
    if (welcome.schema.kinds.length === 0) continue;
    assert.equal(rulesHash(welcome.schema, welcome.tuning), welcome.rulesHash);
    checked += 1;
  }
  assert.ok(checked > 0);
});

test('bytes that are no message are refused for the right reason', () => {
  const cases = [...refusals.client.map((/** @type {any} */ v) => [v, decodeClient]),
    ...refusals.server.map((/** @type {any} */ v) => [v, decodeServer])];
  assert.ok(cases.length > 100);
  for (const [{ name, hex, error }, decode] of cases) {
    assert.throws(() => decode(fromHex(hex)), (thrown) => thrown instanceof ProtocolError && thrown.fault === error, name);
  }
});

test('every close reason of the vectors has its sentence here; unknown codes are lost connections, or final from 4000', () => {
  const told = vectors.server.filter((/** @type {any} */ v) => v.value.type === 'Closing');
  assert.equal(told.length, CLOSE_REASONS.length);
  for (const { name, value } of told) {
    const reason = closeReason(value.code);
    assert.equal(reason.text, value.text);
    assert.equal(`Closing: ${reason.name}`, name);
  }
  for (const code of [1001, 1005, 1006, 1014, 3999]) {
    assert.deepEqual([closeReason(code).code, closeReason(code).name, closeReason(code).action], [code, 'lost', 'retry']);
  }
  for (const code of [4011, 4999]) {
    assert.deepEqual([closeReason(code).code, closeReason(code).name, closeReason(code).action], [code, 'unknown', 'stop']);
  }
});

test('a message that cannot be written says what is wrong', () => {
  const hello = /** @type {any} */ ({ type: 'hello', protocol: PROTOCOL_VERSION, name: '', wish: { kind: 'sideways' }, tier: 'delta', resume: null, features: 0 });
  assert.throws(() => encodeClient(hello), /wish 'sideways' is none of quick, code, create, spectate/);
  assert.throws(() => encodeClient({ ...hello, wish: { kind: 'quick' }, resume: new Uint8Array(15) }), /16 bytes, not 15/);
});
