// The real room as a child process: room_pipe.rs says what goes through the pipe.

import { spawn } from 'node:child_process';

import { roomPipe, root } from '../../support/built.mjs';
import { STALL_WAYS } from './link.mjs';

export { root };

/** @type {string | undefined} */
let program;

/** Writes little-endian numbers into a buffer that grows. */
class Writer {
  constructor() {
    this.bytes = Buffer.alloc(1 << 14);
    this.length = 4;
  }

  /** @param {number} count */
  #room(count) {
    while (this.length + count > this.bytes.length) this.bytes = Buffer.concat([this.bytes, Buffer.alloc(this.bytes.length)]);
    this.length += count;
    return this.length - count;
  }

  /** @param {number} value */
  u8(value) { const at = this.#room(1); this.bytes.writeUInt8(value, at); }
  /** @param {number} value */
  u32(value) { const at = this.#room(4); this.bytes.writeUInt32LE(value >>> 0, at); }
  /** @param {number | bigint} value */
  u64(value) { const at = this.#room(8); this.bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at); }
  /** @param {Uint8Array} blob */
  blob(blob) {
    this.u32(blob.length);
    const at = this.#room(blob.length);
    this.bytes.set(blob, at);
  }
  /** @param {string} text */
  text(text) { this.blob(new TextEncoder().encode(text)); }

  frame() {
    this.bytes.writeUInt32LE(this.length - 4, 0);
    const frame = Buffer.from(this.bytes.subarray(0, this.length));
    this.length = 4;
    return frame;
  }
}

/** Reads them. */
export class Reader {
  /** @param {Buffer} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  u8() { return this.bytes[this.at++]; }
  i8() { return (this.bytes[this.at++] << 24) >> 24; }
  u16() { this.at += 2; return this.bytes.readUInt16LE(this.at - 2); }
  u32() { this.at += 4; return this.bytes.readUInt32LE(this.at - 4); }
  i32() { this.at += 4; return this.bytes.readInt32LE(this.at - 4); }
  /** Exact below 2^53: 285 years of microseconds. */
  u64() { const low = this.u32(); return low + this.u32() * 2 ** 32; }
  blob() { const length = this.u32(); this.at += length; return this.bytes.subarray(this.at - length, this.at); }
}

export class RoomPipe {
  constructor() {
    this.child = spawn((program ??= roomPipe()), [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.out = new Writer();
    /** @type {Buffer[]} */
    this.chunks = [];
    this.held = 0;
    /** @type {null | { resolve: (answer: Reader) => void, reject: (why: Error) => void }} */
    this.waiting = null;
    this.child.stdout.on('data', (chunk) => this.#take(chunk));
    this.child.stdin.on('error', () => {});
    this.child.on('exit', (code) => this.#fail(`the room's process ended with code ${code}`));
  }

  close() {
    this.child.removeAllListeners('exit');
    this.child.stdin.end();
    this.child.kill();
  }

  /**
   * @param {number} epoch
   * @param {number | bigint} seed
   * @param {{ config: object, options: object }} settings
   */
  async create(epoch, seed, settings) {
    this.out.u8(0);
    this.out.u64(seed);
    this.out.u64(epoch);
    this.out.text(JSON.stringify(settings));
    await this.#ask();
  }

  /**
   * @param {number} now
   * @param {{ name: string, spectate?: boolean, full?: boolean }} who
   */
  async join(now, { name, spectate = false, full = false }) {
    this.out.u8(1);
    this.out.u64(now);
    this.out.u8(spectate ? 1 : 0);
    this.out.u8(full ? 1 : 0);
    this.out.text(name);
    const answer = await this.#ask();
    return { viewer: answer.u32(), seat: answer.i32(), welcome: new Uint8Array(answer.blob()) };
  }

  /**
   * Hands over messages, in the order of their times, and simulates until `now`.
   * @param {number} now
   * @param {{ viewer: number, at: number, bytes: Uint8Array }[]} messages
   */
  async advance(now, messages) {
    this.out.u8(2);
    this.out.u64(now);
    this.out.u32(messages.length);
    for (const { viewer, at, bytes } of messages) {
      this.out.u32(viewer);
      this.out.u64(at);
      this.out.blob(bytes);
    }
    const answer = await this.#ask();
    const nextTickAt = answer.u64();
    const sent = [];
    for (let left = answer.u32(); left > 0; left--) {
      sent.push({ viewer: answer.u32(), at: answer.u64(), bytes: new Uint8Array(answer.blob()) });
    }
    const truths = [];
    for (let left = answer.u32(); left > 0; left--) truths.push(new Reader(answer.blob()));
    const taken = [];
    for (let left = answer.u32(); left > 0; left--) {
      const [viewer, seq, stamp, next, tick] = [answer.u32(), answer.u32(), answer.u32(), answer.u32(), answer.u32()];
      taken.push({ viewer, seq, stamp, next, tick });
    }
    return { nextTickAt, sent, truths, taken };
  }

  /**
   * @param {number} viewer
   * @param {number} rtt
   */
  async rtt(viewer, rtt) {
    this.out.u8(3);
    this.out.u32(viewer);
    this.out.u64(Math.round(rtt));
    await this.#ask();
  }

  /**
   * The process stands still: no tick is simulated before `until`.
   * @param {number} until
   */
  async stop(until) {
    this.out.u8(5);
    this.out.u64(until);
    await this.#ask();
  }

  /**
   * When sends would come out of the server's own link.
   * @param {import('./link.mjs').Profile} profile
   * @param {'up' | 'down'} way
   * @param {number} seed
   * @param {number[]} sends
   */
  async link(profile, way, seed, sends) {
    const { rtt, jitter, stallEvery = 0, stall = 0, stallWay = 'both', loss = 0 } = profile;
    this.out.u8(4);
    this.out.u64(seed);
    this.out.u8(way === 'up' ? 1 : 0);
    for (const value of [rtt, jitter, stallEvery, stall, STALL_WAYS.indexOf(stallWay), loss, 0]) this.out.u64(value);
    this.out.u32(sends.length);
    for (const at of sends) {
      this.out.u64(at);
      this.out.u32(100);
    }
    const answer = await this.#ask();
    return sends.map(() => answer.u64());
  }

  /** @returns {Promise<Reader>} */
  #ask() {
    if (this.waiting) throw new Error('one command at a time');
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.stdin.write(this.out.frame());
    });
  }

  /** @param {Buffer} chunk */
  #take(chunk) {
    this.chunks.push(chunk);
    this.held += chunk.length;
    if (this.held < 4) return;
    if (this.chunks[0].length < 4) this.chunks = [Buffer.concat(this.chunks)];
    const length = this.chunks[0].readUInt32LE(0);
    if (this.held < 4 + length) return;
    const frame = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
    this.chunks = frame.length > 4 + length ? [frame.subarray(4 + length)] : [];
    this.held -= 4 + length;
    const answer = new Reader(frame.subarray(4, 4 + length));
    const waiting = this.waiting;
    this.waiting = null;
    if (answer.u8() === 1) waiting?.resolve(answer);
    else waiting?.reject(new Error(`the room refused: ${frame.toString('utf8', 5, 4 + length)}`));
  }

  /** @param {string} why */
  #fail(why) {
    this.waiting?.reject(new Error(why));
    this.waiting = null;
  }
}
