// The numbers of a snapshot's body, by the words of the protocol text, at every order and every place in a byte.

import assert from 'node:assert/strict';
import test from 'node:test';

import { BitReader, BitWriter, ORDER_MAX, ProtocolError } from '../protocol/index.js';
import { SEED, generator } from './support/random.js';

/** @param {Uint8Array} bytes */
const reading = (bytes) => new BitReader().reset(bytes, 0, bytes.length);

test('the worked numbers of the text', () => {
  // As in PROTOCOL.md 6.2: order, number, bits in wire order.
  for (const [order, value, shown] of /** @type {[number, number, string][]} */ ([
    [3, 0, '0000'], [3, 5, '0101'], [3, 7, '0111'], [3, 8, '100000'], [3, 20, '100011'], [0, 0, '0'], [0, 2, '101'],
  ])) {
    const writer = new BitWriter();
    writer.number(value, order);
    const bits = Array.from({ length: writer.at }, (_, i) => (writer.bytes[i >> 3] >> (i & 7)) & 1).join('');
    assert.equal(bits, shown, `${value} of order ${order}`);
  }
});

test('every order carries its boundaries from every bit of a byte', () => {
  for (let order = 0; order <= ORDER_MAX; order++) {
    for (let ones = 0; ones <= 32 - order; ones++) {
      const edge = 2 ** (order + ones) - 2 ** order;
      for (const value of [edge - 1, edge, edge + 1]) {
        if (value < 0 || value > 0xffff_ffff) continue;
        const shift = (order + ones) & 7;
        const writer = new BitWriter();
        for (let i = 0; i < shift; i++) writer.bit(i & 1);
        writer.number(value, order);
        const long = shift + 2 * Math.floor(Math.log2(value + 2 ** order)) - order + 1;
        assert.equal(writer.at, long, `${value} of order ${order}`);
        const reader = reading(writer.finish());
        for (let i = 0; i < shift; i++) assert.equal(reader.bit(), i & 1);
        assert.equal(reader.number(order), value, `order ${order}`);
        reader.finish();
        // With bytes behind it, which the quick way looks at.
        const followed = reading(Uint8Array.from([...writer.bytes, 255, 255, 255, 255]));
        for (let i = 0; i < shift; i++) followed.bit();
        assert.equal(followed.number(order), value, `order ${order}, followed`);
      }
    }
  }
});

test('random streams are read as they were written', () => {
  const random = generator(SEED);
  for (let run = 0; run < 200; run++) {
    const writer = new BitWriter();
    const items = Array.from({ length: random.whole(0, 40) }, () => {
      const order = random.whole(0, ORDER_MAX);
      const value = random.chance(0.5) ? random.whole(-300, 300) : random.whole(-(2 ** 31), 2 ** 31 - 1);
      const bit = random.chance(0.5);
      writer.bit(bit);
      writer.signed(value, order);
      return { order, value, bit };
    });
    const reader = reading(writer.finish());
    for (const { order, value, bit } of items) {
      assert.equal(reader.bit() === 1, bit);
      assert.equal(reader.signed(order), value, `order ${order}`);
    }
    reader.finish();
  }
});

test('what is no number, ends early or goes on is refused', () => {
  /** @type {(fault: string) => (thrown: unknown) => boolean} */
  const fault = (word) => (thrown) => thrown instanceof ProtocolError && thrown.fault === word;
  for (let order = 0; order <= ORDER_MAX; order++) {
    assert.throws(() => reading(new Uint8Array(16).fill(255)).number(order), fault('malformed'), `order ${order}`);
    const beyond = new BitWriter();
    for (let i = 0; i < 32 - order; i++) beyond.bit(1);
    beyond.bit(0);
    for (let i = 0; i < 32; i++) beyond.bit(i === order);
    assert.throws(() => reading(beyond.finish()).number(order), fault('malformed'), `order ${order}: 2^32`);
    const writer = new BitWriter();
    writer.number(0xffff_ffff, order);
    const whole = writer.finish();
    for (let cut = 0; cut < whole.length; cut++) {
      assert.throws(() => reading(whole.subarray(0, cut)).number(order), fault('truncated'), `order ${order}, ${cut} bytes`);
    }
    // The bytes go on, but they are no part of the body.
    const longer = Uint8Array.from([...whole, 0, 0, 0, 0]);
    assert.throws(() => new BitReader().reset(longer, 0, whole.length - 1).number(order), fault('truncated'));
  }
  assert.throws(() => reading(new Uint8Array(1)).finish(), fault('trailing'));
  const padded = reading(Uint8Array.of(0b1000_0000));
  padded.bit();
  assert.throws(() => padded.finish(), fault('malformed'));
});
