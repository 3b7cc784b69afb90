// A client's view: the rows that it holds, kept right by applying snapshots. Flat integer tables, no object per entity:
// applying a snapshot makes no garbage once the tables have grown to their size.

import { BitReader } from './bits.js';
import { ProtocolError } from './bytes.js';
import { FLAG_DIGEST, FLAG_EVENTS_LOST } from './messages.js';
import { AGE_ORDER, GAP_ORDER, KIND_ORDER, checkSchema, moves, valueMask } from './schema.js';

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

/** What is asked of fields again and again, by kind and field (32 each). */
class Fields {
  /** @param {{ fields: import('./schema.js').Field[] }[]} kinds */
  constructor(kinds) {
    const table = () => new Int32Array(kinds.length * 32);
    this.masks = table();
    this.drops = table();
    this.valueOrders = table();
    /** All bits where the field is a tick, whose origin is not 0. */
    this.ticks = table();
    kinds.forEach(({ fields }, k) => {
      fields.forEach((field, f) => {
        const at = k * 32 + f;
        this.masks[at] = valueMask(field);
        this.drops[at] = field.dropBits;
        this.valueOrders[at] = field.valueOrder;
        this.ticks[at] = field.interpolation === 'tick' ? -1 : 0;
      });
    });
  }
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

    /** Per kind: number of fields, how many of them move, whether it never changes. */
    this.fieldCounts = Int32Array.from(schema.kinds, (kind) => kind.fields.length);
    this.moverCounts = Int32Array.from(schema.kinds, (kind) => kind.fields.filter(moves).length);
    this.constants = Int32Array.from(schema.kinds, (kind) => Number(kind.constant));
    this.fields = new Fields(schema.kinds);
    /** Per kind and place (32 each): the fields in the order in which deltas tell them, those that move first. */
    this.toldFields = new Int32Array(schema.kinds.length * 32);
    this.toldOrders = new Int32Array(schema.kinds.length * 32);
    schema.kinds.forEach(({ fields }, k) => {
      const places = [...fields.keys()];
      const told = [...places.filter((f) => moves(fields[f])), ...places.filter((f) => !moves(fields[f]))];
      this.toldFields.set(told, k * 32);
      this.toldOrders.set(told.map((f) => fields[f].changeOrder), k * 32);
    });
    this.eventFieldCounts = Int32Array.from(schema.events, (kind) => kind.fields.length);
    this.eventFields = new Fields(schema.events);
    this.reader = new BitReader();
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
    const { bytes, tick } = snapshot;
    const hasDigest = (snapshot.flags & FLAG_DIGEST) !== 0;
    const end = bytes.length - (hasDigest ? 4 : 0);
    const reader = this.reader.reset(bytes, snapshot.bodyAt, end);
    const trouble = this.#readLeft(reader) || this.#readChanged(reader) || this.#readEntered(reader, tick);
    if (trouble) return this.#lost(trouble);
    this.#readEvents(reader, tick);
    reader.finish();
    this.tick = snapshot.tick;
    this.baseTick = this.full ? snapshot.tick : snapshot.tick - snapshot.base;
    if (hasDigest) {
      const digest = (bytes[end] | (bytes[end + 1] << 8) | (bytes[end + 2] << 16) | (bytes[end + 3] << 24)) >>> 0;
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
    return this.values[slot * this.stride + field] << this.fields.drops[this.kindOf[slot] * 32 + field];
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
   * The next id of a list of gaps, 0 at its end.
   * @param {BitReader} reader
   * @param {number} last
   */
  #nextId(reader, last) {
    const gap = reader.number(GAP_ORDER);
    if (gap === 0) return 0;
    if (last + gap > ENTITY_ID_MAX) reader.malformed(`id ${last + gap} lies above ${ENTITY_ID_MAX}`);
    return last + gap;
  }

  /**
   * @param {BitReader} reader
   * @returns {string} what makes the view untrustworthy, or ''
   */
  #readLeft(reader) {
    const { ids, slots } = this;
    let kept = 0;
    let from = 0;
    for (let id = this.#nextId(reader, 0); id !== 0; id = this.#nextId(reader, id)) {
      while (from < this.count && ids[from] < id) {
        ids[kept] = ids[from];
        slots[kept++] = slots[from++];
      }
      if (from === this.count || ids[from] !== id) return `entity ${id} left, but it was not held`;
      this.#leave(id, slots[from++]);
    }
    if (from > 0) {
      while (from < this.count) {
        ids[kept] = ids[from];
        slots[kept++] = slots[from++];
      }
      this.count = kept;
    }
    return '';
  }

  /**
   * @param {BitReader} reader
   * @returns {string}
   */
  #readChanged(reader) {
    const { count, slots, kindOf, values, stride, constants, moverCounts, fieldCounts, toldFields, toldOrders } = this;
    const { masks } = this.fields;
    this.changedSlots = grown(this.changedSlots, count);
    let changed = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i];
      const kind = kindOf[slot];
      if (constants[kind] !== 0 || reader.bit() === 0) continue;
      this.changedSlots[changed++] = slot;
      const start = slot * stride;
      const table = kind * 32;
      const movers = table + moverCounts[kind];
      const end = table + fieldCounts[kind];
      for (let told = table; told < movers; told++) {
        const field = toldFields[told];
        values[start + field] = (values[start + field] + reader.signed(toldOrders[told])) & masks[table + field];
      }
      if (movers === end || reader.bit() === 0) continue;
      for (let told = movers; told < end; told++) {
        if (reader.bit() === 0) continue;
        values[start + toldFields[told]] += reader.signed(toldOrders[told]);
      }
    }
    this.changedCount = changed;
    return '';
  }

  /**
   * The fields of a whole row or event.
   * @param {BitReader} reader
   * @param {Fields} fields
   * @param {number} kind
   * @param {number} count
   * @param {number} tick
   * @param {Table} into
   * @param {number} start
   */
  #readFields(reader, fields, kind, count, tick, into, start) {
    const table = kind * 32;
    for (let f = 0; f < count; f++) {
      const value = reader.signed(fields.valueOrders[table + f]);
      into[start + f] = (value + (tick & fields.ticks[table + f])) & fields.masks[table + f];
    }
  }

  /**
   * @param {BitReader} reader
   * @param {number} tick
   * @returns {string}
   */
  #readEntered(reader, tick) {
    let entered = 0;
    for (let id = this.#nextId(reader, 0); id !== 0; id = this.#nextId(reader, id)) {
      const kind = reader.number(KIND_ORDER);
      if (kind >= this.fieldCounts.length) reader.malformed(`there is no entity kind ${kind}`);
      const slot = this.#takeSlot();
      this.kindOf[slot] = kind;
      this.idOf[slot] = id;
      this.#readFields(reader, this.fields, kind, this.fieldCounts[kind], tick, this.values, slot * this.stride);
      this.enteredSlots = grown(this.enteredSlots, entered + 1);
      this.enteredIds = grown(this.enteredIds, entered + 1);
      this.enteredSlots[entered] = slot;
      this.enteredIds[entered++] = id;
    }
    this.enteredCount = entered;
    return entered === 0 ? '' : this.#merge();
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
   * @param {BitReader} reader
   * @param {number} tick
   */
  #readEvents(reader, tick) {
    let events = 0;
    let values = 0;
    for (let number = reader.number(KIND_ORDER); number !== 0; number = reader.number(KIND_ORDER)) {
      const kind = number - 1;
      if (kind >= this.eventFieldCounts.length) reader.malformed(`there is no event kind ${kind}`);
      const happened = Math.max(0, tick - reader.number(AGE_ORDER));
      this.eventKinds = grown(this.eventKinds, events + 1);
      this.eventTicks = grown(this.eventTicks, events + 1);
      this.eventStarts = grown(this.eventStarts, events + 1);
      this.eventKinds[events] = kind;
      this.eventTicks[events] = happened;
      this.eventStarts[events++] = values;
      const count = this.eventFieldCounts[kind];
      this.eventValues = grown(this.eventValues, values + count);
      this.#readFields(reader, this.eventFields, kind, count, happened, this.eventValues, values);
      values += count;
    }
    this.eventCount = events;
  }
}
