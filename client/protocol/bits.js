// The bits of a snapshot's body, the lowest of each byte first, and the numbers in them. A number of order k is q one-bits,
// a zero-bit, and k + q bits r, lowest first: it is ((1 << q) - 1 << k) + r. No DOM, no game.

import { ProtocolError } from './bytes.js';

/** The largest order of a number. */
export const ORDER_MAX = 30;

/** A load of four bytes has so many bits at least, wherever in its first byte they begin. */
const LOADED_BITS = 25;

/** Reads bits front to back; every read checks that they are there. One reader serves any number of bodies. */
export class BitReader {
  constructor() {
    /** @type {Uint8Array} */
    this.bytes = new Uint8Array(0);
    this.at = 0;
    this.end = 0;
  }

  /**
   * Starts again in other bytes.
   * @param {Uint8Array} bytes
   * @param {number} from the first byte
   * @param {number} to the byte after the last
   */
  reset(bytes, from, to) {
    this.bytes = bytes;
    this.at = from * 8;
    this.end = to * 8;
    if (to < from) this.truncated();
    return this;
  }

  /**
   * @param {string} what
   * @returns {never}
   */
  malformed(what) {
    throw new ProtocolError('malformed', `byte ${this.at >> 3}: ${what}`, this.at >> 3);
  }

  /** @returns {never} */
  truncated() {
    throw new ProtocolError('truncated', `the body ends at byte ${this.end >> 3}, in the middle of a field`, this.at >> 3);
  }

  /** One bit, 0 or 1. */
  bit() {
    const at = this.at;
    if (at >= this.end) this.truncated();
    this.at = at + 1;
    return (this.bytes[at >> 3] >> (at & 7)) & 1;
  }

  /**
   * An unsigned number.
   * @param {number} order
   */
  number(order) {
    const { at, bytes } = this;
    const byte = at >> 3;
    if (byte + 4 > bytes.length) return this.#bitByBit(order);
    const bits = (bytes[byte] | (bytes[byte + 1] << 8) | (bytes[byte + 2] << 16) | (bytes[byte + 3] << 24)) >> (at & 7);
    // The place of the lowest zero; bits without one give 63, not -1. All of it stays within 31 bits and a sign: numbers
    // beyond are objects until this is compiled.
    const ones = (31 - Math.clz32(~bits & ((bits + 1) | 0))) & 63;
    const long = order + ones;
    if (ones + 1 + long > LOADED_BITS) return this.#bitByBit(order);
    this.at = at + ones + 1 + long;
    if (this.at > this.end) this.truncated();
    return ((bits >> (ones + 1)) & ((1 << long) - 1)) + (1 << long) - (1 << order);
  }

  /**
   * What is too long for one look, or too near to the end.
   * @param {number} order
   */
  #bitByBit(order) {
    let ones = 0;
    while (this.bit() === 1) {
      ones += 1;
      if (order + ones > 32) this.malformed('a number lies above 4294967295');
    }
    let value = 2 ** (order + ones) - 2 ** order;
    for (let i = 0; i < order + ones; i++) value += this.bit() * 2 ** i;
    if (value > 0xffff_ffff) this.malformed('a number lies above 4294967295');
    return value;
  }

  /**
   * A number of either sign: 0, 1, 2, 3 stand for 0, -1, 1, -2.
   * @param {number} order
   */
  signed(order) {
    const value = this.number(order);
    return (value >>> 1) ^ -(value & 1);
  }

  /** Throws unless fewer than eight bits are left, all of them 0. */
  finish() {
    const left = (this.end >> 3) - ((this.at + 7) >> 3);
    if (left > 0) throw new ProtocolError('trailing', `${left} bytes are left over after the body's last field`, (this.at + 7) >> 3);
    while (this.at < this.end) if (this.bit() === 1) this.malformed('a padding bit is set');
  }
}

/** The other direction, for tools and tests: plain rather than fast. */
export class BitWriter {
  constructor() {
    /** @type {number[]} */
    this.bytes = [];
    this.at = 0;
  }

  /** @param {number | boolean} bit */
  bit(bit) {
    if ((this.at & 7) === 0) this.bytes.push(0);
    if (bit) this.bytes[this.at >> 3] |= 1 << (this.at & 7);
    this.at += 1;
  }

  /**
   * @param {number} value a `u32`
   * @param {number} order
   */
  number(value, order) {
    let rest = value;
    let long = order;
    for (; rest >= 2 ** long; long++) {
      rest -= 2 ** long;
      this.bit(1);
    }
    this.bit(0);
    for (let i = 0; i < long; i++) this.bit(Math.floor(rest / 2 ** i) % 2);
  }

  /**
   * @param {number} value an `i32`
   * @param {number} order
   */
  signed(value, order) {
    this.number(((value << 1) ^ (value >> 31)) >>> 0, order);
  }

  /**
   * Four whole bytes, after zeros up to the next one.
   * @param {number} value
   */
  fixed32(value) {
    this.bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
    this.at = this.bytes.length * 8;
  }

  finish() {
    return Uint8Array.from(this.bytes);
  }
}
