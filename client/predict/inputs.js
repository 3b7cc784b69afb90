// What this seat does: the controls now, the inputs that were sent and not yet acked, and the server's rule for when each
// of them counts. The rule is the same here as there, so that a replay does what the server did.

import { AHEAD_MS, STARVED_MS, ticksOf } from './times.js';

/** @typedef {import('../protocol/schema.js').InputField} InputField */
/**
 * @typedef {object} StepInput What a seat does in one tick; one value per input field of the schema.
 * @property {number} tick
 * @property {'fresh' | 'held' | 'starved'} status
 * @property {Int32Array} levels 0 where the field is a press counter
 * @property {Int32Array} presses how often it was pressed for this tick, at most 2; 0 where the field is a level
 */
/**
 * @typedef {object} Pending An input as it was sent.
 * @property {number} seq
 * @property {number} tick the tick that it is stamped for, or the later one to which the server put an earlier stamp
 * @property {number} next the tick that the server was believed to have before it when this arrives
 * @property {Int32Array} row
 */

/** An input is sent when the controls changed, and at the latest so long after the last. */
export const KEEP_ALIVE_MS = 100;
/** Presses of one field that one tick may count. The server's number. */
export const PRESSES_MAX = 2;
/** Unacked inputs that are kept: over two seconds of a change in every tick. Older ones are given up as lost. */
const PENDING_MS = 2133;
const PENDING_MIN = 128;
/** The highest tick that an input can name. */
const TICK_MAX = 0xffff_ffff;

export class Inputs {
  /**
   * @param {InputField[]} fields
   * @param {number} tickRate
   */
  constructor(fields, tickRate) {
    this.fields = fields;
    this.keepAlive = Math.max(1, Math.round((KEEP_ALIVE_MS * tickRate) / 1000));
    /** So many ticks after the newest due tick without news the seat is neutral. */
    this.starvedTicks = ticksOf(STARVED_MS, tickRate);
    /** A stamp further ahead of the server's next tick than this counts as one that is just so far ahead. */
    this.aheadTicks = ticksOf(AHEAD_MS, tickRate);
    /** @type {Map<string, number>} */
    this.places = new Map(fields.map((field, i) => [field.name, i]));
    /** The controls as they are now: levels clamped, counters wrapping. */
    this.controls = Int32Array.from(fields, ({ sort, neutral, min, max }) => (
      sort === 'press' ? 0 : neutral ?? Math.max(min, Math.min(max, 0))));
    /** Presses that wait for the first input to have set the counters. */
    this.early = new Int32Array(fields.length);
    this.hidden = false;

    this.lastSeq = 0;
    this.lastTick = 0;
    this.lastRow = new Int32Array(fields.length);
    /** @type {Pending[]} Unacked, ascending; `first` to `end` of a ring, so that nothing is allocated for an input. */
    this.ring = Array.from({ length: Math.max(PENDING_MIN, ticksOf(PENDING_MS, tickRate)) }, () => ({ seq: 0, tick: 0, next: 0, row: new Int32Array(fields.length) }));
    this.first = 0;
    this.end = 0;

    /** The newest acked input: the row in force and the counters that presses are counted from. */
    this.acked = { seq: 0, tick: 0, row: new Int32Array(fields.length) };

    /** Where the stepping stands: the next pending input, the row in force, the newest due tick. */
    this.cursor = 0;
    this.due = 0;
    this.earliest = 0;
    this.starved = true;
    this.counted = false;
    this.force = new Int32Array(fields.length);
    this.counters = new Int32Array(fields.length);
    /** @type {StepInput} */
    this.step = { tick: 0, status: 'starved', levels: new Int32Array(fields.length), presses: new Int32Array(fields.length) };
    this.reset();
  }

  /** At each Welcome: seqs and counters start again, the controls stay. */
  reset() {
    this.lastSeq = 0;
    this.lastTick = 0;
    this.first = 0;
    this.end = 0;
    this.cursor = 0;
    this.acked.seq = 0;
    this.acked.tick = 0;
    this.fields.forEach((field, i) => {
      const neutral = field.sort === 'level' && field.neutral !== null ? field.neutral : 0;
      this.acked.row[i] = neutral;
      if (field.sort === 'press') this.controls[i] = 0;
      this.early[i] = 0;
    });
    this.rewind(0, true);
  }

  /** Inputs that were sent and are not acked. */
  get pending() {
    return this.end - this.first;
  }

  /**
   * @param {string} name
   * @param {number} value
   */
  setLevel(name, value) {
    const place = this.places.get(name);
    if (place === undefined || this.fields[place].sort !== 'level') throw new Error(`this game has no level '${name}'`);
    const { min, max } = this.fields[place];
    this.controls[place] = Math.max(min, Math.min(max, Math.round(value)));
  }

  /** @param {string} name */
  press(name) {
    const place = this.places.get(name);
    if (place === undefined || this.fields[place].sort !== 'press') throw new Error(`this game has no press '${name}'`);
    if (this.hidden) return;
    // The first input only sets the counters: a press before it would be lost.
    if (this.lastSeq === 0) this.early[place] += 1;
    else this.controls[place] = (this.controls[place] + 1) & 255;
  }

  /**
   * Samples the controls for a tick. Returns the input to send, or null if the last one still says it all.
   * @param {number} tick
   * @param {number} [next] the server's next tick when this arrives, as far as is known
   * @returns {Pending | null}
   */
  sample(tick, next = tick) {
    const { fields, lastRow } = this;
    let changed = this.lastSeq === 0 || tick - this.lastTick >= this.keepAlive;
    if (this.hidden && this.lastSeq !== 0) changed = false;
    for (let i = 0; i < fields.length; i++) changed ||= lastRow[i] !== this.#value(i);
    if (!changed) return null;
    if (this.pending === this.ring.length) this.#give();
    const input = this.ring[this.end % this.ring.length];
    this.end += 1;
    this.lastSeq += 1;
    // Tick 0 would mean "now", and a server that names ticks beyond all bounds must not break a frame.
    this.lastTick = Math.min(TICK_MAX, Math.max(1, tick, this.lastTick));
    input.seq = this.lastSeq;
    input.tick = this.lastTick;
    input.next = next;
    for (let i = 0; i < fields.length; i++) {
      input.row[i] = this.#value(i);
      lastRow[i] = input.row[i];
      if (this.lastSeq === 1) {
        this.controls[i] += fields[i].sort === 'press' ? this.early[i] : 0;
        this.early[i] = 0;
      }
    }
    return input;
  }

  /**
   * The server has consumed every input up to `seq`.
   * @param {number} seq
   */
  ack(seq) {
    while (this.first < this.end && this.ring[this.first % this.ring.length].seq <= seq) this.#give();
  }

  /**
   * The server is behind what was believed: it stood still, or our clock was too fast. From now on inputs are for the ticks
   * from `tick` on; what is under way was for later ones, and the server will not wait for them for longer than its rule says.
   * @param {number} tick
   * @param {number} by ticks
   * @param {number} shown the newest snapshot's tick: what came before it found the server there at least
   */
  stepBack(tick, by, shown) {
    this.lastTick = Math.min(this.lastTick, Math.max(0, tick - 1));
    for (let i = this.first; i < this.end; i++) {
      const input = this.ring[i % this.ring.length];
      input.next = Math.max(shown + 1, input.next - by);
      input.tick = Math.min(input.tick, Math.floor(input.next) + this.aheadTicks);
    }
  }

  /**
   * Goes back to just after tick `after`: what the server has acked is in force, or neutral if it told that we starved.
   * @param {number} after
   * @param {boolean} starved
   */
  rewind(after, starved) {
    this.cursor = this.first;
    this.earliest = after + 1;
    // What was taken by tick `after` was due by then, whatever its stamp said.
    this.due = Math.min(this.acked.tick, after);
    this.starved = starved;
    this.counted = this.acked.seq !== 0;
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i];
      this.counters[i] = this.acked.row[i];
      this.force[i] = field.sort === 'press' ? 0 : this.acked.row[i];
    }
    if (starved) this.#goNeutral();
  }

  /**
   * What counts in tick `tick`, the one after the last that was asked for. The result is used again.
   * @param {number} tick
   */
  consume(tick) {
    const { step, fields } = this;
    step.tick = tick;
    step.presses.fill(0);
    let fresh = null;
    while (this.cursor < this.end) {
      const input = this.ring[this.cursor % this.ring.length];
      const due = Math.max(input.tick, this.earliest, this.due);
      if (due > tick) break;
      this.due = due;
      this.cursor += 1;
      fresh = input;
    }
    if (fresh !== null) {
      this.starved = false;
      for (let i = 0; i < fields.length; i++) {
        if (fields[i].sort === 'level') this.force[i] = fresh.row[i];
        else {
          if (this.counted) step.presses[i] = Math.min(PRESSES_MAX, (fresh.row[i] - this.counters[i]) & 255);
          this.counters[i] = fresh.row[i];
        }
      }
      this.counted = true;
    } else if (!this.starved && tick - this.due > this.starvedTicks) {
      this.starved = true;
      this.#goNeutral();
    }
    step.levels.set(this.force);
    step.status = fresh !== null ? 'fresh' : this.starved ? 'starved' : 'held';
    return step;
  }

  /**
   * What tick `tick` would do if the controls stayed as they are now: for the picture between ticks. Consumes nothing.
   * @param {number} tick
   * @param {StepInput} out
   */
  peek(tick, out) {
    out.tick = tick;
    out.status = 'fresh';
    for (let i = 0; i < this.fields.length; i++) {
      const press = this.fields[i].sort === 'press';
      out.levels[i] = press ? 0 : this.#value(i);
      out.presses[i] = press && this.counted ? Math.min(PRESSES_MAX, (this.controls[i] - this.counters[i]) & 255) : 0;
    }
    return out;
  }

  /** @param {number} place the value to send: a hidden tab's levels are neutral */
  #value(place) {
    const field = this.fields[place];
    if (this.hidden && field.sort === 'level' && field.neutral !== null) return field.neutral;
    return this.controls[place];
  }

  /** The oldest pending input becomes the acked one. */
  #give() {
    const input = this.ring[this.first % this.ring.length];
    this.acked.seq = input.seq;
    this.acked.tick = input.tick;
    this.acked.row.set(input.row);
    this.first += 1;
    this.cursor = Math.max(this.cursor, this.first);
  }

  #goNeutral() {
    for (let i = 0; i < this.fields.length; i++) {
      const { sort, neutral } = this.fields[i];
      if (sort === 'level' && neutral !== null) this.force[i] = neutral;
    }
  }
}
