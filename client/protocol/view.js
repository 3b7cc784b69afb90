// A client's view: the rows that it holds, kept right by applying snapshots. Flat integer tables, no object per entity:
// applying a snapshot makes no garbage once the tables have grown to their size.

import { ProtocolError, Reader } from './bytes.js';
import { FLAG_DIGEST, FLAG_EVENTS_LOST } from './messages.js';
import { checkSchema, valueMask } from './schema.js';

/** @typedef {import('./schema.js').Schema} Schema */
/** @typedef {import('./messages.js').Snapshot} Snapshot */
/**
 * `applied`; `resync`: the view can't be trusted any more, send Resync (at most once a second) and go on applying;
 * `ignored`: a delta that came before the full snapshot that was asked for.
 * @typedef {'applied' | 'resync' | 'ignored'} Applied
 */

/** Ids are 1 to 2^20 - 1. */
export const ENTITY_ID_MAX = (1 << 20) - 1;

/** @typedef {Int32Array<ArrayBuffer>} Table */

/**
 * @param {Table} table
 * @param {number} length
 * @returns {Table}
 */
function grown(table, length) {
  if (length <= table.length) return table;
  const bigger = new Int32Array(Math.max(length, 2 * table.length));
  bigger.set(table);
  return bigger;
}

export class View {
  /** @param {Schema} schema */
  constructor(schema) {
    checkSchema(schema);
    this.schema = schema;
    /** True while the rows are exactly those that the server showed at `tick`. */
    this.synced = false;
    /** The tick of the newest snapshot that was applied; 0 before the first. */
    this.tick = 0;
    /** The tick that it was relative to (`tick` itself if it was full): nothing changed between the one before and this. */
    this.baseTick = 0;
    /** True if the last snapshot applied had base 0. */
    this.full = false;
    /** The newest snapshot tick received, applied or not: what Input and Ping tell the server as `seen`. */
    this.seen = 0;
    /** Why the last `apply` answered `resync`. */
    this.why = '';
    /** The ProtocolError behind it, if its bytes were no snapshot. @type {ProtocolError | null} */
    this.fault = null;
    /** The last digest that was checked, and how many were. */
    this.digest = 0;
    this.digests = 0;
    this.eventsLost = 0;

    /** Held entities in ascending id: `ids[i]` is in slot `slots[i]`, for i below `count`. */
    this.count = 0;
    this.ids = new Int32Array(64);
    this.slots = new Int32Array(64);

    /** A slot keeps its entity for as long as that is held. */
    this.kindOf = new Int32Array(64);
    this.idOf = new Int32Array(64);
    /** Wire values (quantised): slot s, field f at `values[s * stride + f]`. */
    this.stride = Math.max(1, ...schema.kinds.map((kind) => kind.fields.length));
    this.values = new Int32Array(64 * this.stride);
    this.freeSlots = new Int32Array(64);
    this.freeCount = 0;
    this.slotsMade = 0;

    /**
     * What the last snapshot did, as slots. What left is told by id and slot, whose row may be another's already; after a
     * full snapshot nothing has left and everything that is held has entered.
     */
    this.leftCount = 0;
    this.leftIds = new Int32Array(64);
    this.leftSlots = new Int32Array(64);
    this.changedCount = 0;
    this.changedSlots = new Int32Array(64);
    this.enteredCount = 0;
    this.enteredSlots = new Int32Array(64);
    this.enteredIds = new Int32Array(64);

    /** Events of the last snapshot: kind, tick, and where its fields start in `eventValues`. */
    this.eventCount = 0;
    this.eventKinds = new Int32Array(16);
    this.eventTicks = new Int32Array(16);
    this.eventStarts = new Int32Array(16);
    this.eventValues = new Int32Array(64);

    /** Per kind: number of fields; per kind and field (32 each): value mask and dropped bits. */
    this.fieldCounts = Int32Array.from(schema.kinds, (kind) => kind.fields.length);
    this.masks = new Int32Array(schema.kinds.length * 32).fill(-1);
    this.drops = new Int32Array(schema.kinds.length * 32);
    schema.kinds.forEach((kind, k) => {
      kind.fields.forEach((field, f) => {
        this.masks[k * 32 + f] = valueMask(field);
        this.drops[k * 32 + f] = field.dropBits;
      });
    });
    this.eventFieldCounts = Int32Array.from(schema.events, (kind) => kind.fields.length);
    this.reader = new Reader();
  }

  /** Forgets everything, as at a new session. */
  clear() {
    this.count = 0;
    this.freeCount = 0;
    this.slotsMade = 0;
    this.synced = false;
    this.tick = 0;
    this.baseTick = 0;
    this.seen = 0;
    this.#clearChanges();
  }

  /**
   * Applies one snapshot. Bytes that break the layout are answered like a view that went wrong: `resync`, with the
   * ProtocolError in `fault`.
   * @param {Snapshot} snapshot
   * @returns {Applied}
   */
  apply(snapshot) {
    this.fault = null;
    try {
      return this.#read(snapshot);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.fault = error;
      return this.#lost(error.message);
    }
  }

  /**
   * @param {Snapshot} snapshot
   * @returns {Applied}
   */
  #read(snapshot) {
    this.#clearChanges();
    if (snapshot.flags & FLAG_EVENTS_LOST) this.eventsLost += 1;
    const before = this.seen;
    this.seen = snapshot.tick;
    this.full = snapshot.base === 0;
    if (this.full) this.#forgetRows();
    else if (!this.synced) return 'ignored';
    else if (snapshot.base > snapshot.tick || snapshot.tick - snapshot.base < before) {
      return this.#lost(`a snapshot is relative to tick ${snapshot.tick - snapshot.base}, before the last one, ${before}`);
    }
    // Until the last byte is read the rows are neither the old ones nor the new ones.
    this.synced = false;
    const reader = this.reader.reset(snapshot.bytes, snapshot.bodyAt);
    const trouble = this.#readLeft(reader) || this.#readChanged(reader) || this.#readEntered(reader);
    if (trouble) return this.#lost(trouble);
    this.#readEvents(reader, snapshot.tick);
    const digest = snapshot.flags & FLAG_DIGEST ? reader.fixed32() : -1;
    reader.end();
    this.tick = snapshot.tick;
    this.baseTick = this.full ? snapshot.tick : snapshot.tick - snapshot.base;
    if (digest >= 0) {
      this.digest = this.computeDigest();
      this.digests += 1;
      if (digest !== this.digest) {
        return this.#lost(`the digest at tick ${snapshot.tick} is ${digest}, this view's is ${this.digest}`);
      }
    }
    this.synced = true;
    return 'applied';
  }

  /** The wrapping sum over all held rows: equal to the server's for an equal view. */
  computeDigest() {
    let sum = 0;
    for (let i = 0; i < this.count; i++) {
      const slot = this.slots[i];
      const kind = this.kindOf[slot];
      let h = Math.imul((this.ids[i] << 8) | kind, 0x9e3779b1);
      const start = slot * this.stride;
      const end = start + this.fieldCounts[kind];
      for (let at = start; at < end; at++) {
        h = Math.imul(h ^ this.values[at], 0x85ebca6b);
        h ^= h >>> 15;
      }
      h = Math.imul(h, 0xc2b2ae35);
      sum = (sum + (h ^ (h >>> 16))) | 0;
    }
    return sum >>> 0;
  }

  /**
   * The slot of an id that is held, or -1.
   * @param {number} id
   */
  slotOf(id) {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.ids[middle];
      if (found === id) return this.slots[middle];
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * A field in exact units.
   * @param {number} slot
   * @param {number} field
   */
  exact(slot, field) {
    return this.values[slot * this.stride + field] << this.drops[this.kindOf[slot] * 32 + field];
  }

  /**
   * The number of a kind or field by its name; -1 if this game has none of that name.
   * @param {string} kind
   * @param {string} [field]
   */
  indexOf(kind, field) {
    const at = this.schema.kinds.findIndex((one) => one.name === kind);
    if (field === undefined || at < 0) return at;
    return this.schema.kinds[at].fields.findIndex((one) => one.name === field);
  }

  /**
   * One entity as an object with exact values, for people and tests: `{ id, kind, x: 1, ... }`.
   * @param {number} slot
   */
  describe(slot) {
    const kind = this.schema.kinds[this.kindOf[slot]];
    /** @type {Record<string, number | string>} */
    const row = { id: this.idOf[slot], kind: kind.name };
    kind.fields.forEach((field, f) => {
      row[field.name] = this.exact(slot, f);
    });
    return row;
  }

  #clearChanges() {
    this.leftCount = 0;
    this.changedCount = 0;
    this.enteredCount = 0;
    this.eventCount = 0;
  }

  #forgetRows() {
    this.count = 0;
    this.freeCount = 0;
    this.slotsMade = 0;
  }

  /**
   * @param {string} why
   * @returns {'resync'}
   */
  #lost(why) {
    this.synced = false;
    this.#clearChanges();
    this.why = why;
    return 'resync';
  }

  /**
   * @param {number} id
   * @param {number} slot
   */
  #leave(id, slot) {
    this.leftIds = grown(this.leftIds, this.leftCount + 1);
    this.leftSlots = grown(this.leftSlots, this.leftCount + 1);
    this.leftIds[this.leftCount] = id;
    this.leftSlots[this.leftCount++] = slot;
    this.freeSlots = grown(this.freeSlots, this.freeCount + 1);
    this.freeSlots[this.freeCount++] = slot;
  }

  #takeSlot() {
    if (this.freeCount > 0) return this.freeSlots[--this.freeCount];
    const slot = this.slotsMade++;
    this.kindOf = grown(this.kindOf, this.slotsMade);
    this.idOf = grown(this.idOf, this.slotsMade);
    this.values = grown(this.values, this.slotsMade * this.stride);
    return slot;
  }

  /**
   * The next id of an ascending list of gaps.
   * @param {Reader} reader
   * @param {number} last
   */
  #nextId(reader, last) {
    const at = reader.at;
    const gap = reader.u32();
    const id = last + gap;
    if (gap === 0 || id > ENTITY_ID_MAX) {
      reader.at = at;
      reader.malformed(gap === 0 ? 'an id gap of 0' : `id ${id} lies above ${ENTITY_ID_MAX}`);
    }
    return id;
  }

  /**
   * @param {Reader} reader
   * @returns {string} what makes the view untrustworthy, or ''
   */
  #readLeft(reader) {
    const { ids, slots } = this;
    const left = this.#readCount(reader, 1);
    let kept = 0;
    let from = 0;
    let id = 0;
    for (let i = 0; i < left; i++) {
      id = this.#nextId(reader, id);
      while (from < this.count && ids[from] < id) {
        ids[kept] = ids[from];
        slots[kept++] = slots[from++];
      }
      if (from === this.count || ids[from] !== id) return `entity ${id} left, but it was not held`;
      this.#leave(id, slots[from++]);
    }
    if (left > 0) {
      while (from < this.count) {
        ids[kept] = ids[from];
        slots[kept++] = slots[from++];
      }
      this.count = kept;
    }
    return '';
  }

  /**
   * @param {Reader} reader
   * @returns {string}
   */
  #readChanged(reader) {
    const { count, slots, kindOf, values, stride, masks, fieldCounts } = this;
    const bitsAt = reader.at;
    const bitBytes = (count + 7) >> 3;
    if (bitBytes > reader.remaining) reader.truncated();
    reader.at += bitBytes;
    if ((count & 7) !== 0 && reader.bytes[bitsAt + bitBytes - 1] >> (count & 7) !== 0) {
      reader.at = bitsAt + bitBytes - 1;
      reader.malformed('a padding bit is set');
    }
    this.changedSlots = grown(this.changedSlots, count);
    let changed = 0;
    for (let i = 0; i < bitBytes; i++) {
      let bits = reader.bytes[bitsAt + i];
      while (bits !== 0) {
        const lowest = bits & -bits;
        bits ^= lowest;
        const slot = slots[i * 8 + 31 - Math.clz32(lowest)];
        const kind = kindOf[slot];
        const start = slot * stride;
        let mask = this.#readMask(reader, fieldCounts[kind]);
        while (mask !== 0) {
          const bit = mask & -mask;
          mask ^= bit;
          const field = 31 - Math.clz32(bit);
          values[start + field] = (values[start + field] + reader.i32()) & masks[kind * 32 + field];
        }
        this.changedSlots[changed++] = slot;
      }
    }
    this.changedCount = changed;
    return '';
  }

  /**
   * @param {Reader} reader
   * @param {number} fields
   */
  #readMask(reader, fields) {
    const at = reader.at;
    const mask = reader.u32() | 0;
    if (fields < 32 && mask >>> fields !== 0) {
      reader.at = at;
      reader.malformed('a field mask names a field that the kind has not');
    }
    return mask;
  }

  /**
   * @param {Reader} reader
   * @returns {string}
   */
  #readEntered(reader) {
    const entered = this.#readCount(reader, 2);
    if (entered === 0) return '';
    let id = 0;
    for (let i = 0; i < entered; i++) {
      id = this.#nextId(reader, id);
      const kind = reader.byte();
      if (kind >= this.fieldCounts.length) {
        reader.at -= 1;
        reader.malformed(`there is no entity kind ${kind}`);
      }
      const slot = this.#takeSlot();
      this.kindOf[slot] = kind;
      this.idOf[slot] = id;
      const start = slot * this.stride;
      const end = start + this.fieldCounts[kind];
      for (let at = start; at < end; at++) this.values[at] = reader.i32();
      this.enteredSlots = grown(this.enteredSlots, i + 1);
      this.enteredIds = grown(this.enteredIds, i + 1);
      this.enteredSlots[i] = slot;
      this.enteredIds[i] = id;
      this.enteredCount = i + 1;
    }
    return this.#merge();
  }

  /**
   * Merges what entered into the ascending list, from the back, in place.
   * @returns {string}
   */
  #merge() {
    const total = this.count + this.enteredCount;
    this.ids = grown(this.ids, total);
    this.slots = grown(this.slots, total);
    const { ids, slots, enteredIds, enteredSlots } = this;
    let old = this.count - 1;
    let fresh = this.enteredCount - 1;
    for (let to = total - 1; fresh >= 0; to--) {
      if (old >= 0 && ids[old] === enteredIds[fresh]) return `entity ${ids[old]} entered, but it was held already`;
      if (old >= 0 && ids[old] > enteredIds[fresh]) {
        ids[to] = ids[old];
        slots[to] = slots[old--];
      } else {
        ids[to] = enteredIds[fresh];
        slots[to] = enteredSlots[fresh--];
      }
    }
    this.count = total;
    return '';
  }

  /**
   * @param {Reader} reader
   * @param {number} tick
   */
  #readEvents(reader, tick) {
    const events = this.#readCount(reader, 2);
    let values = 0;
    for (let i = 0; i < events; i++) {
      const kind = reader.byte();
      if (kind >= this.eventFieldCounts.length) {
        reader.at -= 1;
        reader.malformed(`there is no event kind ${kind}`);
      }
      const age = reader.u32();
      this.eventKinds = grown(this.eventKinds, i + 1);
      this.eventTicks = grown(this.eventTicks, i + 1);
      this.eventStarts = grown(this.eventStarts, i + 1);
      this.eventKinds[i] = kind;
      this.eventTicks[i] = Math.max(0, tick - age);
      this.eventStarts[i] = values;
      const end = values + this.eventFieldCounts[kind];
      this.eventValues = grown(this.eventValues, end);
      while (values < end) this.eventValues[values++] = reader.i32();
    }
    this.eventCount = events;
  }

  /**
   * A count of things that take at least `bytes` bytes each, so that no claim makes us work for nothing.
   * @param {Reader} reader
   * @param {number} bytes
   */
  #readCount(reader, bytes) {
    const count = reader.u32();
    if (count * bytes > reader.remaining) reader.truncated();
    return count;
  }
}

