// Integers, texts, options and lists, against assets/golden/integers.json.

import assert from 'node:assert/strict';
import test from 'node:test';

import { ProtocolError, Reader, Writer, fromHex, toHex } from '../protocol/index.js';
import { golden } from './support/golden.js';

const vectors = golden('integers');

/** How each type of the vectors is read and written. @type {Record<string, [(r: Reader) => any, (w: Writer, v: any) => void]>} */
const TYPES = {
  u8: [(r) => r.byte(), (w, v) => w.byte(v)],
  i8: [(r) => r.i8(), (w, v) => w.byte(v)],
  bool: [(r) => r.bool(), (w, v) => w.bool(v)],
  u16: [(r) => r.u16(), (w, v) => w.u32(v)],
  u32: [(r) => r.u32(), (w, v) => w.u32(v)],
  u64: [(r) => r.u64(), (w, v) => w.u64(v)],
  i32: [(r) => r.i32(), (w, v) => w.i32(v)],
  'fixed u32': [(r) => r.fixed32(), (w, v) => w.fixed32(v)],
  text: [(r) => r.string(), (w, v) => w.string(v)],
  'option of u16': [(r) => r.option((q) => q.u16()), (w, v) => w.option(v, (q, x) => q.u32(x))],
  'option of text': [(r) => r.option((q) => q.string()), (w, v) => w.option(v, (q, x) => q.string(x))],
  'list of i32': [(r) => r.sequence((q) => q.i32()), (w, v) => w.sequence(v, (q, x) => q.i32(x))],
};

/** @param {{ type: string, hex: string }} vector */
function decode({ type, hex }) {
  const reader = new Reader(fromHex(hex));
  const value = TYPES[type][0](reader);
  reader.end();
  return value;
}

test('every value of the vectors decodes and encodes to its bytes', () => {
  assert.ok(vectors.values.length >= 50);
  for (const vector of vectors.values) {
    assert.deepEqual(decode(vector), vector.value, `${vector.type} ${vector.hex}`);
    const writer = new Writer(1);
    TYPES[vector.type][1](writer, vector.value);
    assert.equal(toHex(writer.finish()), vector.hex, `${vector.type} ${vector.value}`);
  }
});

test('longer forms than needed decode', () => {
  assert.ok(vectors.longer.length > 0);
  for (const vector of vectors.longer) assert.deepEqual(decode(vector), vector.value, `${vector.type} ${vector.hex}`);
});

test('bytes that are no value of their type are refused for the right reason', () => {
  assert.ok(vectors.refused.length > 0);
  for (const vector of vectors.refused) {
    assert.throws(() => decode(vector), (error) => error instanceof ProtocolError && error.fault === vector.error,
      `${vector.type} ${vector.hex}`);
  }
});

test('every u32 around a marker boundary survives, and so does its zigzag', () => {
  const writer = new Writer(1);
  for (const edge of [0, 125, 126, 250, 251, 252, 253, 254, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1]) {
    for (let value = Math.max(0, edge - 3); value <= Math.min(2 ** 32 - 1, edge + 3); value++) {
      writer.reset().u32(value);
      assert.equal(new Reader(writer.finish()).u32(), value);
      for (const signed of [value | 0, -value | 0]) {
        writer.reset().i32(signed);
        assert.equal(new Reader(writer.finish()).i32(), signed);
      }
    }
  }
});

test('a 64-bit number above 2^53 - 1 is refused as a Number and read as a BigInt', () => {
  const bytes = fromHex('fdffffffffffffffff');
  assert.throws(() => new Reader(bytes).u64(), ProtocolError);
  assert.equal(new Reader(bytes).u64big(), 2n ** 64n - 1n);
  assert.equal(new Reader(bytes).i64big(), -(2n ** 63n));
});

test('no claimed length takes memory', () => {
  assert.throws(() => new Reader(fromHex('fdffffffffffffffff00')).sequence((r) => r.i32()), ProtocolError);
  assert.throws(() => new Reader(fromHex('fcffff0000ff')).blob(), ProtocolError);
});
