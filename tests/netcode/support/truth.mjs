// What really happened: every ship's exact state in the last seconds of ticks, as the room's process wrote it down.

/** Marks of a ship in a tick; see pipe/watched.rs. */
export const TOUCHED = 1;
export const ALTERED = 2;
export const BUMPED = 4;

/** How many words an own row has; their places are those of the schema. */
export const WORDS = 16;
export const X = 0;
export const Y = 1;
export const VX = 2;
export const VY = 3;
export const HEADING = 4;
export const BEAM_AT = 9;
export const RESPAWN_AT = 13;

const ID = WORDS;
const MARKS = WORDS + 1;
const STATUS = WORDS + 2;
const THRUST = WORDS + 3;
const TURN = WORDS + 4;
const FIRE = WORDS + 5;
const BEAM = WORDS + 6;
const DASHES = WORDS + 7;
const SEEN_AGO = WORDS + 8;
const STRIDE = WORDS + 9;

export const FRESH = 0;
export const HELD = 1;
export const STARVED = 2;

/** How many ticks are kept: 17 s. */
const KEPT = 1024;

/** Event kinds of Arena that the figures need, with the places of their fields. */
export const EVENT_BEAM = 3;

/**
 * @typedef {object} Seat What one seat's ship was and did in one tick.
 * @property {Int32Array} words the own row, exact; valid until the tick is forgotten
 * @property {number} id of the public ship; 0: destroyed
 * @property {number} marks
 * @property {number} status
 * @property {number} thrust
 * @property {number} turn
 * @property {number} fire
 * @property {number} beam
 * @property {number} dashes
 * @property {number} seenAgo
 */

export class Truth {
  /** @param {number} seats the most that can be taken */
  constructor(seats) {
    this.seats = seats;
    this.newest = 0;
    this.table = new Int32Array(KEPT * seats * STRIDE);
    /** Per tick kept: which tick it is, phase, half width, half height, digest. */
    this.heads = new Int32Array(KEPT * 5);
    /** @type {Uint8Array} 1 where a seat is taken */
    this.taken = new Uint8Array(KEPT * seats);
    /** @type {{ x: number, y: number, radius: number }[]} exact units */
    this.rocks = [];
    /** The tick from which `rocks` are these. */
    this.rocksSince = 0;
    /** @type {{ tick: number, kind: number, fields: number[] }[]} of the last tick */
    this.events = [];
  }

  /** @param {import('./pipe.mjs').Reader} reader */
  read(reader) {
    const tick = reader.i32();
    this.newest = tick;
    const slot = tick % KEPT;
    this.heads.set([tick, reader.u8(), reader.i32(), reader.i32(), reader.i32()], slot * 5);
    const rocks = reader.u32();
    if (rocks > 0) {
      this.rocks = Array.from({ length: rocks }, () => ({ x: reader.i32(), y: reader.i32(), radius: reader.i32() }));
      this.rocksSince = tick;
    }
    this.taken.fill(0, slot * this.seats, (slot + 1) * this.seats);
    for (let left = reader.u32(); left > 0; left--) {
      const seat = reader.u16();
      const start = (slot * this.seats + seat) * STRIDE;
      this.taken[slot * this.seats + seat] = 1;
      this.table[start + ID] = reader.u32();
      this.table[start + MARKS] = reader.u8();
      for (let word = 0; word < WORDS; word++) this.table[start + word] = reader.i32();
      this.table[start + STATUS] = reader.u8();
      this.table[start + THRUST] = reader.i8();
      this.table[start + TURN] = reader.i8();
      this.table[start + FIRE] = reader.u8();
      this.table[start + BEAM] = reader.u8();
      this.table[start + DASHES] = reader.u8();
      this.table[start + SEEN_AGO] = reader.u16();
    }
    this.events = [];
    for (let left = reader.u32(); left > 0; left--) {
      const kind = reader.u8();
      const fields = Array.from({ length: reader.u8() }, () => reader.i32());
      this.events.push({ tick, kind, fields });
    }
  }

  /** @param {number} tick */
  holds(tick) {
    return tick > 0 && this.heads[(tick % KEPT) * 5] === tick;
  }

  /** @param {number} tick */
  head(tick) {
    const [, phase, halfWidth, halfHeight, digest] = this.heads.subarray((tick % KEPT) * 5, (tick % KEPT) * 5 + 5);
    return { phase, halfWidth, halfHeight, digest: digest >>> 0 };
  }

  /**
   * @param {number} tick
   * @param {number} seat
   * @returns {Seat | null}
   */
  at(tick, seat) {
    const slot = tick % KEPT;
    if (seat < 0 || seat >= this.seats || !this.holds(tick) || !this.taken[slot * this.seats + seat]) return null;
    const start = (slot * this.seats + seat) * STRIDE;
    const table = this.table;
    return {
      words: table.subarray(start, start + WORDS),
      id: table[start + ID] >>> 0,
      marks: table[start + MARKS],
      status: table[start + STATUS],
      thrust: table[start + THRUST],
      turn: table[start + TURN],
      fire: table[start + FIRE],
      beam: table[start + BEAM],
      dashes: table[start + DASHES],
      seenAgo: table[start + SEEN_AGO],
    };
  }

  /**
   * Where a seat's ship was, in world units, at a tick that may be a fraction; null if it was not there all the time.
   * @param {number} tick
   * @param {number} seat
   * @param {{ x: number, y: number }} out
   */
  place(tick, seat, out) {
    const before = Math.floor(tick);
    const part = tick - before;
    const from = this.#start(before, seat);
    const to = part === 0 ? from : this.#start(before + 1, seat);
    if (from < 0 || to < 0) return null;
    const { table } = this;
    out.x = (table[from + X] + (table[to + X] - table[from + X]) * part) / 4096;
    out.y = (table[from + Y] + (table[to + Y] - table[from + Y]) * part) / 4096;
    return out;
  }

  /** Where a flying ship's words start, or -1. @param {number} tick @param {number} seat */
  #start(tick, seat) {
    const slot = tick % KEPT;
    if (!this.holds(tick) || !this.taken[slot * this.seats + seat]) return -1;
    const start = (slot * this.seats + seat) * STRIDE;
    return this.table[start + ID] === 0 ? -1 : start;
  }
}
