// What each entity did lately: samples by tick, from which its row at any tick in between is made. Samples are placed by
// tick, never by arrival time, so a burst after a stall is as good as a steady stream.

import { TURN } from '../protocol/index.js';
import { Blend, BlendFields } from './blend.js';

/** @typedef {import('../protocol/view.js').View} View */
/** @typedef {import('../protocol/schema.js').Schema} Schema */
/** @typedef {Record<string, number>} Row fields by name, in real units */
/**
 * @typedef {object} Entity
 * @property {number} id negative: predicted, not confirmed
 * @property {string} kind
 * @property {Row} row
 * @property {boolean} mine
 * @property {boolean} predicted
 * @property {number} tick when to draw it
 * @property {number} extrapolated ticks beyond the last snapshot
 * @property {boolean} frozen
 */
/** @typedef {Record<string, { changed?: string[], maxStep?: { fields: string[], perTick: number } }>} Breaks */

/**
 * @typedef {object} Motion A body to be extrapolated. All values in exact units; the object is used again.
 * @property {Int32Array} values its samples
 * @property {number} newest where the newest sample's first field is
 * @property {number} before where that of the one before is
 * @property {number} span ticks between the two
 * @property {number} ahead ticks beyond the newest, a fraction
 * @property {Float64Array} out its fields, as in the newest sample, to be changed
 */

/** Samples of one entity: a second at 30 Hz even if it starts and stops at each (a stop takes two). */
const SAMPLES = 64;
/** A freed id is out of use for so long; the same id after a longer gap may be another entity. */
const REUSE_MS = 2000;
/** Who left so long before the newest snapshot is drawn no more, however far behind the render tick lies. */
const KEPT_MS = 2000;
/** Who stood frozen until so long after the last news is shown where it is at once: no eye follows it any more. */
const GONE_MS = 2000;
/** Samples further apart than this say nothing about a velocity. */
const VELOCITY_MS = 200;

/** The samples of one entity. */
class Track {
  /**
   * @param {number} kind
   * @param {KindTable} table
   */
  constructor(kind, table) {
    this.kind = kind;
    this.table = table;
    this.id = 0;
    this.slot = -1;
    this.stamp = 0;
    /** Its values are known to hold up to this tick; gone from `left` on. */
    this.known = 0;
    this.left = Infinity;
    /** Whether the game was asked whose it is, and what it said of its birth. */
    this.judged = false;
    this.birth = 0;
    this.count = 0;
    this.ticks = new Int32Array(SAMPLES);
    this.breaks = new Uint8Array(SAMPLES);
    this.values = new Int32Array(SAMPLES * table.count);
    this.blend = table.moves ? new Blend(table.blended) : null;
    /** @type {Entity} */
    this.entity = { id: 0, kind: table.name, row: {}, mine: false, predicted: false, tick: 0, extrapolated: 0, frozen: false };
    for (const name of table.names) this.entity.row[name] = 0;
  }

  /** The newest sample's place in the rings. */
  get newest() {
    return (this.count - 1) % SAMPLES;
  }

  /**
   * The newest sample at or before a tick, as a count; -1 if there is none.
   * @param {number} tick
   */
  sampleAt(tick) {
    const oldest = Math.max(0, this.count - SAMPLES);
    for (let i = this.count - 1; i >= oldest; i--) if (this.ticks[i % SAMPLES] <= tick) return i;
    return -1;
  }
}

/** What the tracks of one kind share. */
class KindTable {
  /**
   * @param {import('../protocol/schema.js').EntityKind} kind
   * @param {Breaks[string] | undefined} breaks
   */
  constructor(kind, breaks) {
    this.name = kind.name;
    this.count = kind.fields.length;
    this.names = kind.fields.map((field) => field.name);
    this.units = Float64Array.from(kind.fields, (field) => 1 / field.scale);
    this.modes = kind.fields.map((field) => field.interpolation);
    this.out = new Float64Array(this.count);
    this.moves = this.modes.some((mode) => mode === 'linear' || mode === 'angle');
    this.breakFields = (breaks?.changed ?? []).map((name) => this.#place(name));
    this.stepFields = (breaks?.maxStep?.fields ?? []).map((name) => this.#place(name));
    this.stepMax = breaks?.maxStep?.perTick ?? Infinity;
    this.blended = this.#blended(breaks?.maxStep?.fields);
    /** @type {Track[]} Not in use. */
    this.pool = [];
  }

  /**
   * What glides after a correction. Where a body is, the game's own rule says best.
   * @param {string[] | undefined} place
   */
  #blended(place) {
    const named = (/** @type {string} */ mode) => this.names.filter((_, f) => this.modes[f] === mode);
    const angles = named('angle');
    const turns = angles.map((name) => TURN * this.units[this.#place(name)]);
    if (place === undefined) return new BlendFields(named('linear'), [], angles, turns);
    return new BlendFields(place, named('linear').filter((name) => !place.includes(name)), angles, turns);
  }

  /** @param {string} name */
  #place(name) {
    const place = this.names.indexOf(name);
    if (place < 0) throw new Error(`${this.name} has no field '${name}'`);
    return place;
  }
}

export class Tracks {
  /**
   * @param {Schema} schema
   * @param {number} tickRate
   * @param {Breaks} [breaks]
   * @param {((kind: string, motion: Motion) => boolean) | null} [extrapolate]
   * @param {number} [ticksPerSnapshot]
   */
  constructor(schema, tickRate, breaks = {}, extrapolate = null, ticksPerSnapshot = 1) {
    this.extrapolate = extrapolate;
    /** @type {Motion} */
    this.motion = { values: new Int32Array(0), newest: 0, before: 0, span: 1, ahead: 0, out: new Float64Array(0) };
    this.reuse = (REUSE_MS * tickRate) / 1000;
    this.gone = (GONE_MS * tickRate) / 1000;
    this.kept = (KEPT_MS * tickRate) / 1000;
    this.velocity = Math.max(ticksPerSnapshot, (VELOCITY_MS * tickRate) / 1000);
    this.tables = schema.kinds.map((kind) => new KindTable(kind, breaks[kind.name]));
    /** @type {Map<number, Track>} What the view holds. */
    this.live = new Map();
    /** @type {Track[]} All that may be drawn: live ones, and those that left after the render tick. */
    this.all = [];
    this.lastTick = 0;
    this.stamp = 0;
  }

  /**
   * Takes over what a snapshot that was just applied changed.
   * @param {View} view
   */
  record(view) {
    const { tick } = view;
    const { lastTick } = this;
    this.lastTick = tick;
    if (view.full) this.#recordFull(view, lastTick);
    else {
      for (let i = 0; i < view.leftCount; i++) this.#leave(this.live.get(view.leftIds[i]), view.baseTick, tick);
      for (let i = 0; i < view.changedCount; i++) this.#push(view, view.changedSlots[i], view.baseTick);
      for (let i = 0; i < view.enteredCount; i++) this.#enter(view, view.enteredSlots[i]);
    }
    // Frames let go of what they have passed; where none are drawn (a hidden page), age does.
    this.forget(tick - this.kept);
  }

  /**
   * Lets go of what left before `tick`.
   * @param {number} tick
   */
  forget(tick) {
    const { all } = this;
    let kept = 0;
    for (let i = 0; i < all.length; i++) {
      const track = all[i];
      if (track.left <= tick) track.table.pool.push(track);
      else all[kept++] = track;
    }
    all.length = kept;
  }

  /**
   * The tick until which a track's newest values are known to hold.
   * @param {Track} track
   */
  knownUntil(track) {
    return track.left === Infinity ? this.lastTick : track.known;
  }

  /**
   * Fills a track's entity with its row at a tick. False if it was not there then.
   * @param {Track} track
   * @param {number} tick
   * @param {number} farthest ticks that may be extrapolated
   */
  place(track, tick, farthest) {
    const at = tick < track.left ? track.sampleAt(tick) : -1;
    if (at < 0) return false;
    const { entity, table } = track;
    entity.extrapolated = 0;
    entity.frozen = false;
    entity.tick = tick;
    if (at < track.count - 1) {
      const after = (at + 1) % SAMPLES;
      const from = track.ticks[at % SAMPLES];
      const part = track.breaks[after] ? 0 : (tick - from) / (track.ticks[after] - from);
      this.#mix(track, at % SAMPLES, after, part);
      return true;
    }
    const beyond = tick - this.knownUntil(track);
    const newest = track.newest;
    const before = (track.count - 2) % SAMPLES;
    const span = track.count > 1 && !track.breaks[newest] ? track.ticks[newest] - track.ticks[before] : 0;
    // Beyond what is known: on along the last way, if it was moving when we last heard of it.
    if (beyond > 0 && table.moves && span > 0 && span <= this.velocity && track.ticks[newest] === this.knownUntil(track)) {
      const ahead = Math.min(beyond, farthest);
      entity.extrapolated = ahead;
      entity.frozen = beyond > farthest;
      if (!this.#flyOn(track, before, newest, span, ahead)) this.#mix(track, before, newest, 1 + ahead / span);
    } else {
      entity.frozen = beyond > farthest;
      this.#mix(track, newest, newest, 0);
    }
    return true;
  }

  /**
   * As `place`, for a picture: what a snapshot corrects of the last one glides instead of leaping, but for the breaks that
   * the game names.
   * @param {Track} track
   * @param {number} tick
   * @param {number} farthest ticks that may be extrapolated
   * @param {number} passed ms since the last picture
   */
  draw(track, tick, farthest, passed) {
    const { blend, entity } = track;
    if (blend === null) return this.place(track, tick, farthest);
    if (blend.doubtful(tick, this.lastTick)) {
      const long = blend.tick - blend.known > this.gone;
      if (!long && this.place(track, Math.min(tick, blend.tick), farthest)) blend.correct(entity.row);
      else blend.stop();
    }
    const flew = entity.extrapolated > 0 && !entity.frozen;
    if (!this.place(track, tick, farthest)) {
      blend.forget();
      return false;
    }
    // Whose guess ends stops as softly.
    if (flew && entity.frozen) blend.begin();
    if (blend.glides && this.#broke(track, blend.known, tick)) blend.stop();
    blend.show(entity.row, passed);
    blend.tick = tick;
    blend.known = Math.min(tick, this.knownUntil(track));
    blend.snapshot = this.lastTick;
    return true;
  }

  /**
   * Fills a track's entity with the newest values.
   * @param {Track} track
   */
  placeNewest(track) {
    const { entity } = track;
    entity.extrapolated = 0;
    entity.frozen = false;
    entity.tick = this.lastTick;
    this.#mix(track, track.newest, track.newest, 0);
  }

  /**
   * @param {View} view
   * @param {number} lastTick
   */
  #recordFull(view, lastTick) {
    const { tick } = view;
    this.stamp += 1;
    for (let i = 0; i < view.count; i++) {
      const slot = view.slots[i];
      const track = this.live.get(view.ids[i]);
      if (track && track.kind === view.kindOf[slot] && tick - lastTick <= this.reuse && tick > lastTick) {
        track.slot = slot;
        this.#push(view, slot, lastTick);
        track.stamp = this.stamp;
      } else {
        this.#leave(track, lastTick, tick);
        this.#enter(view, slot);
      }
    }
    for (const track of this.live.values()) if (track.stamp !== this.stamp) this.#leave(track, lastTick, tick);
  }

  /**
   * @param {View} view
   * @param {number} slot
   */
  #enter(view, slot) {
    const kind = view.kindOf[slot];
    const table = this.tables[kind];
    const track = table.pool.pop() ?? new Track(kind, table);
    track.id = view.idOf[slot];
    track.slot = slot;
    track.stamp = this.stamp;
    track.left = Infinity;
    track.count = 0;
    track.entity.id = track.id;
    track.entity.mine = false;
    track.judged = false;
    track.blend?.forget();
    this.live.set(track.id, track);
    this.all.push(track);
    this.#sample(track, view, view.tick);
    track.breaks[0] = 1;
  }

  /**
   * @param {Track | undefined} track
   * @param {number} known
   * @param {number} tick
   */
  #leave(track, known, tick) {
    if (!track) return;
    track.known = Math.max(known, track.ticks[track.newest]);
    track.left = tick;
    this.live.delete(track.id);
  }

  /**
   * New values of an entity that is held; the old ones held until tick `held`.
   * @param {View} view
   * @param {number} slot
   * @param {number} held
   */
  #push(view, slot, held) {
    const track = this.live.get(view.idOf[slot]);
    if (!track || this.#same(track, view, slot)) return;
    if (track.ticks[track.newest] < held) this.#hold(track, held);
    this.#sample(track, view, view.tick);
    track.breaks[track.newest] = this.#breaks(track) ? 1 : 0;
  }

  /**
   * @param {Track} track
   * @param {View} view
   * @param {number} slot
   */
  #same(track, view, slot) {
    const start = track.newest * track.table.count;
    for (let f = 0; f < track.table.count; f++) if (track.values[start + f] !== view.exact(slot, f)) return false;
    return true;
  }

  /**
   * The newest values once more at a later tick: the entity did not move until then.
   * @param {Track} track
   * @param {number} tick
   */
  #hold(track, tick) {
    const from = track.newest * track.table.count;
    track.count += 1;
    track.ticks[track.newest] = tick;
    track.breaks[track.newest] = 0;
    track.values.copyWithin(track.newest * track.table.count, from, from + track.table.count);
  }

  /**
   * @param {Track} track
   * @param {View} view
   * @param {number} tick
   */
  #sample(track, view, tick) {
    track.count += 1;
    track.ticks[track.newest] = tick;
    const start = track.newest * track.table.count;
    for (let f = 0; f < track.table.count; f++) track.values[start + f] = view.exact(track.slot, f);
  }

  /**
   * True if nothing lies between the newest two samples: a respawn, a teleport.
   * @param {Track} track
   */
  #breaks(track) {
    const { table, values } = track;
    const now = track.newest * table.count;
    const old = ((track.count - 2) % SAMPLES) * table.count;
    for (const f of table.breakFields) if (values[now + f] !== values[old + f]) return true;
    if (table.stepFields.length === 0) return false;
    let way = 0;
    for (const f of table.stepFields) way = Math.hypot(way, (values[now + f] - values[old + f]) * table.units[f]);
    return way > table.stepMax * (track.ticks[track.newest] - track.ticks[(track.count - 2) % SAMPLES]);
  }

  /**
   * True if a break lies between two ticks: after the first, up to the second.
   * @param {Track} track
   * @param {number} from
   * @param {number} to
   */
  #broke(track, from, to) {
    const oldest = Math.max(0, track.count - SAMPLES);
    for (let i = track.count - 1; i >= oldest && track.ticks[i % SAMPLES] > from; i--) {
      if (track.breaks[i % SAMPLES] && track.ticks[i % SAMPLES] <= to) return true;
    }
    return false;
  }

  /**
   * Asks the game where a body is beyond its newest sample.
   * @param {Track} track
   * @param {number} before
   * @param {number} newest
   * @param {number} span
   * @param {number} ahead
   */
  #flyOn(track, before, newest, span, ahead) {
    if (this.extrapolate === null) return false;
    const { motion } = this;
    const { table, values, entity } = track;
    motion.values = values;
    motion.newest = newest * table.count;
    motion.before = before * table.count;
    motion.span = span;
    motion.ahead = ahead;
    motion.out = table.out;
    for (let f = 0; f < table.count; f++) table.out[f] = values[motion.newest + f];
    if (!this.extrapolate(table.name, motion)) return false;
    for (let f = 0; f < table.count; f++) entity.row[table.names[f]] = table.out[f] * table.units[f];
    return true;
  }

  /**
   * The row `part` of the way from one sample to another (beyond 1: on along that way).
   * @param {Track} track
   * @param {number} from
   * @param {number} to
   * @param {number} part
   */
  #mix(track, from, to, part) {
    const { table, values } = track;
    const { names, units, modes, count } = table;
    const { row } = track.entity;
    const a = from * count;
    const b = to * count;
    for (let f = 0; f < count; f++) {
      const old = values[a + f];
      const mode = modes[f];
      let value = part >= 1 ? values[b + f] : old;
      if (mode === 'linear') value = old + (values[b + f] - old) * part;
      else if (mode === 'angle') {
        const way = ((values[b + f] - old + TURN / 2) & (TURN - 1)) - TURN / 2;
        value = old + way * part;
        value -= Math.floor(value / TURN) * TURN;
      }
      row[names[f]] = value * units[f];
    }
  }
}
