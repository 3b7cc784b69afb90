// Bytes in and out: the integers of bincode 2's standard configuration, strings and options. No DOM, no imports.
//
//   0 ..= 250     the value itself, one byte
//   251, u16      two bytes, little-endian
//   252, u32      four bytes
//   253, u64      eight bytes
// Signed integers are zigzagged first: 0, -1, 1, -2 become 0, 1, 2, 3. `u8` and `i8` are always one raw byte.

/** The longest message that either side accepts, in bytes. */
export const MESSAGE_BYTES_MAX = 64 * 1024;
/** The longest message that a client may send, in bytes. */
export const CLIENT_MESSAGE_BYTES_MAX = 1024;

/** @typedef {'too_long' | 'malformed' | 'truncated' | 'trailing'} Fault */

/** Bytes that are no message of the protocol. `fault` is one of four words, `at` the byte where reading stopped. */
export class ProtocolError extends Error {
  /**
   * @param {Fault} fault
   * @param {string} text
   * @param {number} [at]
   */
  constructor(fault, text, at = 0) {
    super(text);
    this.name = 'ProtocolError';
    this.fault = fault;
    this.at = at;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8Out = new TextEncoder();
const EMPTY = new Uint8Array(0);

/** Reads bytes front to back; every read checks that they are there. One reader serves any number of messages. */
export class Reader {
  /** @param {Uint8Array} [bytes] */
  constructor(bytes = EMPTY) {
    /** @type {Uint8Array} */
    this.bytes = bytes;
    this.at = 0;
  }

  /**
   * Starts again at `at` in other bytes.
   * @param {Uint8Array} bytes
   * @param {number} [at]
   */
  reset(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
    return this;
  }

  /** How many bytes are left. */
  get remaining() {
    return this.bytes.length - this.at;
  }

  /**
   * @param {string} what
   * @returns {never}
   */
  malformed(what) {
    throw new ProtocolError('malformed', `byte ${this.at}: ${what}`, this.at);
  }

  /** @returns {never} */
  truncated() {
    throw new ProtocolError('truncated', `the message ends at byte ${this.bytes.length}, in the middle of a field`, this.at);
  }

  /** Throws unless all bytes were read. */
  end() {
    const left = this.remaining;
    if (left !== 0) {
      throw new ProtocolError('trailing', `${left} bytes are left over after the message's last field`, this.at);
    }
  }

  /** One raw byte. */
  byte() {
    if (this.at >= this.bytes.length) this.truncated();
    return this.bytes[this.at++];
  }

  /** One raw byte, signed. */
  i8() {
    return (this.byte() << 24) >> 24;
  }

  /** Two raw bytes, little-endian. */
  fixed16() {
    const at = this.at;
    if (at + 2 > this.bytes.length) this.truncated();
    this.at = at + 2;
    return this.bytes[at] | (this.bytes[at + 1] << 8);
  }

  /** Four raw bytes, little-endian, unsigned. */
  fixed32() {
    const at = this.at;
    const bytes = this.bytes;
    if (at + 4 > bytes.length) this.truncated();
    this.at = at + 4;
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }

  /** A variable-length `u16`. */
  u16() {
    const first = this.byte();
    if (first < 251) return first;
    if (first === 251) return this.fixed16();
    this.at -= 1;
    return this.malformed(`marker ${first} is no u16`);
  }

  /** A variable-length `u32`. A longer form than needed is accepted, a wider marker is not. */
  u32() {
    const first = this.byte();
    if (first < 251) return first;
    if (first === 251) return this.fixed16();
    if (first === 252) return this.fixed32();
    this.at -= 1;
    return this.malformed(`marker ${first} is no u32`);
  }

  /** A variable-length `u64` of any size. */
  u64big() {
    const first = this.byte();
    if (first < 251) return BigInt(first);
    if (first === 251) return BigInt(this.fixed16());
    if (first === 252) return BigInt(this.fixed32());
    if (first !== 253) {
      this.at -= 1;
      return this.malformed(`marker ${first} is no u64`);
    }
    if (this.remaining < 8) this.truncated();
    const low = BigInt(this.fixed32());
    return low | (BigInt(this.fixed32()) << 32n);
  }

  /** A variable-length `u64` as a Number: times in microseconds stay below 2^53 for 285 years. */
  u64() {
    const first = this.bytes[this.at];
    if (first < 253) return this.u32();
    const at = this.at;
    const value = Number(this.u64big());
    if (!Number.isSafeInteger(value)) {
      this.at = at;
      return this.malformed('a 64-bit number lies above 2^53 - 1');
    }
    return value;
  }

  /** A zigzag `i32`. */
  i32() {
    const value = this.u32();
    return (value >>> 1) ^ -(value & 1);
  }

  /** A zigzag `i64` of any size. */
  i64big() {
    const value = this.u64big();
    return (value >> 1n) ^ -(value & 1n);
  }

  /** One byte, 0 or 1. */
  bool() {
    const value = this.byte();
    if (value > 1) {
      this.at -= 1;
      this.malformed(`${value} is no bool`);
    }
    return value === 1;
  }

  /**
   * `count` raw bytes, copied out.
   * @param {number} count
   */
  take(count) {
    if (count > this.remaining) this.truncated();
    const taken = this.bytes.slice(this.at, this.at + count);
    this.at += count;
    return taken;
  }

  /** The length of a sequence whose elements take at least one byte each, so it can't be longer than what is left. */
  length() {
    const at = this.at;
    const count = this.u64big();
    if (count > BigInt(this.remaining)) {
      if (count > BigInt(8 * MESSAGE_BYTES_MAX)) {
        this.at = at;
        this.malformed('a length claims more than a message may hold');
      }
      this.truncated();
    }
    return Number(count);
  }

  /** Length and raw bytes. */
  blob() {
    return this.take(this.length());
  }

  /** Length and UTF-8. */
  string() {
    const count = this.length();
    const at = this.at;
    if (count > this.remaining) this.truncated();
    this.at = at + count;
    try {
      return utf8.decode(this.bytes.subarray(at, at + count));
    } catch {
      this.at = at;
      return this.malformed('a text is not UTF-8');
    }
  }

  /**
   * A number of an enum's variant, below `count`.
   * @param {string} what
   * @param {number} count
   */
  variant(what, count) {
    const at = this.at;
    const value = this.u32();
    if (value >= count) {
      this.at = at;
      this.malformed(`${what} has no variant ${value}`);
    }
    return value;
  }

  /**
   * Absent (one byte 0) or present (1 and the value).
   * @template T
   * @param {(reader: Reader) => T} read
   * @returns {T | null}
   */
  option(read) {
    const tag = this.byte();
    if (tag > 1) {
      this.at -= 1;
      this.malformed(`an option starts with ${tag}, not 0 or 1`);
    }
    return tag === 0 ? null : read(this);
  }

  /**
   * Length and elements, each at least one byte.
   * @template T
   * @param {(reader: Reader) => T} read
   * @returns {T[]}
   */
  sequence(read) {
    const count = this.length();
    const list = [];
    for (let i = 0; i < count; i++) list.push(read(this));
    return list;
  }
}

/** Writes bytes front to back into a buffer that grows and is used again. */
export class Writer {
  /** @param {number} [capacity] */
  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.at = 0;
  }

  /** Forgets what was written, keeps the memory. */
  reset() {
    this.at = 0;
    return this;
  }

  /** A copy of what was written. */
  finish() {
    return this.bytes.slice(0, this.at);
  }

  /** @param {number} more */
  room(more) {
    if (this.at + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + more));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  /** @param {number} value 0 to 255, or -128 to 127 */
  byte(value) {
    this.room(1);
    this.bytes[this.at++] = value;
  }

  /** @param {number} value */
  fixed16(value) {
    this.room(2);
    this.bytes[this.at++] = value;
    this.bytes[this.at++] = value >>> 8;
  }

  /** @param {number} value */
  fixed32(value) {
    this.room(4);
    this.bytes[this.at++] = value;
    this.bytes[this.at++] = value >>> 8;
    this.bytes[this.at++] = value >>> 16;
    this.bytes[this.at++] = value >>> 24;
  }

  /** @param {number} value a `u16` or `u32` */
  u32(value) {
    if (value < 251) this.byte(value);
    else if (value < 65_536) {
      this.byte(251);
      this.fixed16(value);
    } else {
      this.byte(252);
      this.fixed32(value);
    }
  }

  /** @param {number | bigint} value a `u64` */
  u64(value) {
    if (value <= 0xffff_ffff) return this.u32(Number(value));
    const big = BigInt(value);
    this.byte(253);
    this.fixed32(Number(big & 0xffff_ffffn));
    this.fixed32(Number(big >> 32n));
  }

  /** @param {number} value */
  i32(value) {
    this.u32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** @param {bigint} value */
  i64(value) {
    this.u64(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
  }

  /** @param {boolean} value */
  bool(value) {
    this.byte(value ? 1 : 0);
  }

  /** @param {ArrayLike<number>} bytes raw, without a length */
  raw(bytes) {
    this.room(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** @param {ArrayLike<number>} bytes with a length */
  blob(bytes) {
    this.u64(bytes.length);
    this.raw(bytes);
  }

  /** @param {string} text */
  string(text) {
    this.blob(utf8Out.encode(text));
  }

  /**
   * @template T
   * @param {T | null | undefined} value
   * @param {(writer: Writer, value: T) => void} write
   */
  option(value, write) {
    if (value === null || value === undefined) return this.byte(0);
    this.byte(1);
    write(this, value);
  }

  /**
   * @template T
   * @param {ReadonlyArray<T>} list
   * @param {(writer: Writer, value: T) => void} write
   */
  sequence(list, write) {
    this.u64(list.length);
    for (const value of list) write(this, value);
  }
}

/**
 * Bytes as lower-case hex.
 * @param {ArrayLike<number>} bytes
 */
export function toHex(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += bytes[i].toString(16).padStart(2, '0');
  return text;
}

/**
 * Hex (blanks allowed) as bytes.
 * @param {string} text
 */
export function fromHex(text) {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new Error(`no hex: ${text.slice(0, 40)}`);
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
