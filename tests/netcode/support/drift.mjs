// Own ship: what was predicted for a tick against what the server made of it, at every reconciliation, sorted by whether a
// client could have known.

import { words } from '../../../client/arena/movement.js';
import { ALTERED, BUMPED, HEADING, STARVED, TOUCHED, VX, VY, WORDS } from './truth.mjs';

/** @typedef {import('./person.mjs').Person} Person */

const UNIT = 4096;
/** A picture has settled when less than this of a correction shows. */
const SETTLED_U = 1;
/** Corrections up to this must not be seen as a jump; larger ones show for so long. */
const SMALL_U = 24;
const SHOWS_US = 400_000;
/** Ticks of the prediction that are kept. */
const PLACES = 256;

/**
 * The adapter as it is, but its words are all of an own row, and each step tells whether other ships had a hand in it.
 * @param {any} inner
 * @param {(tick: number, touched: boolean, own: import('../../../client/arena/movement.js').Ship) => void} told
 */
export function watch(inner, told) {
  const alone = inner.create();
  const nothing = () => {};
  /** @type {Record<string, any>} */
  const changed = {
    words: (/** @type {any} */ state, /** @type {number[]} */ out) => { out.push(...words(state.own)); },
    step(/** @type {any} */ state, /** @type {any} */ input, /** @type {any} */ spawns) {
      let touched = false;
      if (state.count > 0) {
        inner.copy(alone, state);
        alone.count = 0;
        inner.step(alone, input, nothing);
      }
      const crowded = state.count > 0;
      inner.step(state, input, spawns);
      if (crowded) {
        const { x, y, vx, vy } = alone.own;
        touched = x !== state.own.x || y !== state.own.y || vx !== state.own.vx || vy !== state.own.vy;
      }
      told(input.tick, touched, state.own);
    },
  };
  // The adapter has private fields, so its methods must be called on itself.
  /** @type {Map<string | symbol, any>} */
  const bound = new Map();
  return new Proxy(inner, {
    get(target, name) {
      if (typeof name === 'string' && name in changed) return changed[name];
      if (typeof target[name] !== 'function') return target[name];
      if (!bound.has(name)) bound.set(name, target[name].bind(target));
      return bound.get(name);
    },
  });
}

/** Measures one person. Make it with `Drift.who`, so that the adapter is watched, and `measure` it once the world is open. */
export class Drift {
  constructor() {
    /** @type {Map<number, boolean>} ticks in which the client thought that it touched a ship */
    this.thought = new Map();
    /** @type {Map<number, number>} inputs under way: the tick that each is stamped for, by seq */
    this.underWay = new Map();
    /** @type {{ from: number, to: number }[]} ticks in which an input was due that the room did not have yet */
    this.late = [];
    this.from = 0;
    this.reconciles = 0;
    this.qualified = 0;
    /** Of them, those with a rock or a wall in it. */
    this.bumped = 0;
    this.wrong = 0;
    /** @type {string[]} the first mismatches, to look at */
    this.examples = [];
    /** Why others do not count. */
    this.excluded = { late: 0, starved: 0, contact: 0, altered: 0, unknown: 0 };
    /** World units flown, turns made, changes of the controls that the server saw. */
    this.path = 0;
    this.turned = 0;
    this.changes = 0;
    /** Corrections in world units, of reconciles with a contact and of those without. @type {number[]} */
    this.contacts = [];
    /** @type {number[]} */
    this.others = [];
    /** Milliseconds until less than a unit of a correction showed. @type {number[]} */
    this.settled = [];
    /** How far a frame moved the picture beyond the ship's own motion, while no correction above 24 u showed. @type {number[]} */
    this.beyond = [];
    /** @type {null | { at: number, size: number }} */
    this.shows = null;
    this.smallSince = 0;
    /** @type {null | { x: number, y: number, tick: number, dashAt: number }} */
    this.was = null;
    /** The newest prediction by tick: tick, x, y, and the tick from which it may dash again. */
    this.places = new Float64Array(PLACES * 4);
  }

  /**
   * @param {import('./person.mjs').Who} who
   * @returns {import('./person.mjs').Who}
   */
  who(who) {
    const { game } = who;
    return { ...who, game: (inner) => watch(game ? game(inner) : inner, (...step) => this.#stepped(...step)) };
  }

  /**
   * @param {number} tick
   * @param {boolean} touched
   * @param {import('../../../client/arena/movement.js').Ship} own
   */
  #stepped(tick, touched, own) {
    this.thought.set(tick, touched);
    this.places.set([tick, own.x / UNIT, own.y / UNIT, own.dash_at], (tick % PLACES) * 4);
  }

  /**
   * Where the newest prediction has the own ship at a tick, a fraction; null if it was not stepped there.
   * @param {number} tick
   */
  #place(tick) {
    const before = (Math.floor(tick) % PLACES) * 4;
    const after = (Math.ceil(tick) % PLACES) * 4;
    const { places } = this;
    if (places[before] !== Math.floor(tick) || places[after] !== Math.ceil(tick)) return null;
    const part = tick - Math.floor(tick);
    return {
      x: places[before + 1] + (places[after + 1] - places[before + 1]) * part,
      y: places[before + 2] + (places[after + 2] - places[before + 2]) * part,
      dashAt: places[after + 3],
    };
  }

  /** @param {Person} person */
  measure(person) {
    const { world } = person;
    person.onInput.push((_, { seq, tick }) => this.underWay.set(seq, tick));
    world.onTaken.push(({ viewer, seq, stamp, tick }) => {
      if (viewer !== person.viewer) return;
      this.underWay.delete(seq);
      if (tick !== stamp) this.late.push({ from: stamp, to: tick });
    });
    world.onTick.push((truth, tick) => this.#live(truth, tick, person.seat));
    person.onReconcile.push((_, reconcile) => this.#reconciled(person, reconcile));
    person.onFrame.push((_, scene) => this.#drawn(person, scene));
  }

  /**
   * Proof that the ship did something: drift is also 0 of what does not move.
   * @param {import('./truth.mjs').Truth} truth
   * @param {number} tick
   * @param {number} seat
   */
  #live(truth, tick, seat) {
    const now = truth.at(tick, seat);
    const was = truth.at(tick - 1, seat);
    if (!now || !was || now.id === 0 || was.id === 0) return;
    this.path += Math.hypot(now.words[VX], now.words[VY]) / UNIT;
    const turn = (((now.words[HEADING] - was.words[HEADING]) + 98_304) & 65_535) - 32_768;
    this.turned += Math.abs(turn) / 65_536;
    if (now.thrust !== was.thrust || now.turn !== was.turn || now.dashes > 0) this.changes += 1;
  }

  /** @param {Person} person @param {any} reconcile */
  #reconciled(person, reconcile) {
    const { truth } = person.world;
    const { tick, known, predicted, correction } = reconcile;
    const from = this.from;
    this.from = tick;
    if (!known || from === 0) {
      this.excluded.unknown += 1;
      return;
    }
    this.reconciles += 1;
    this.late = this.late.filter((late) => late.to > from);
    const met = { late: this.late.some((late) => late.from <= tick),  starved: false, contact: false, altered: false, bumped: false };
    for (let t = from + 1; t <= tick; t++) {
      const seat = truth.at(t, person.seat);
      if (!seat) throw new Error(`tick ${t} of seat ${person.seat} is not known any more`);
      met.starved ||= seat.status === STARVED;
      met.contact ||= (seat.marks & TOUCHED) !== 0 || this.thought.get(t) === true;
      met.altered ||= (seat.marks & ALTERED) !== 0;
      met.bumped ||= (seat.marks & BUMPED) !== 0;
    }
    for (const stamp of this.underWay.values()) met.late ||= stamp <= tick;
    for (const t of this.thought.keys()) if (t <= tick) this.thought.delete(t);
    if (met.altered) this.excluded.altered += 1;
    else if (met.contact) this.excluded.contact += 1;
    else if (met.starved) this.excluded.starved += 1;
    else if (met.late) this.excluded.late += 1;
    else this.#judge(truth.at(tick, person.seat), tick, predicted, met.bumped);
    if (!met.altered) (met.contact ? this.contacts : this.others).push(correction);
    // A correction of many units or a contact begins to show now; one that follows takes its place.
    if (correction > 0.05) this.shows = { at: person.world.now, size: correction };
    if (correction > SMALL_U) this.smallSince = person.world.now + SHOWS_US;
  }

  /**
   * @param {import('./truth.mjs').Seat | null} seat
   * @param {number} tick
   * @param {number[]} predicted
   * @param {boolean} bumped
   */
  #judge(seat, tick, predicted, bumped) {
    this.qualified += 1;
    if (bumped) this.bumped += 1;
    const real = Array.from(seat?.words ?? []);
    if (predicted.length === WORDS && real.every((word, i) => word === predicted[i])) return;
    this.wrong += 1;
    if (this.examples.length < 5) this.examples.push(`tick ${tick}: predicted ${predicted.join(' ')}, was ${real.join(' ')}`);
  }

  /** @param {Person} person @param {any} scene */
  #drawn(person, scene) {
    const { own, offset } = scene;
    const now = person.world.now;
    if (own === null) {
      this.was = null;
      this.shows = null;
      return;
    }
    const left = Math.hypot(offset.x, offset.y);
    if (this.shows !== null && left < SETTLED_U) {
      this.settled.push((now - this.shows.at) / 1000);
      this.shows = null;
    }
    const { was } = this;
    const tick = scene.ownTick;
    const from = was && this.#place(was.tick);
    const to = this.#place(tick);
    // A dash shows at once, in the tick that is half drawn already: that leap is what the player asked for.
    const dashed = was !== null && from !== null && from.dashAt !== was.dashAt;
    if (was && from && to && !dashed && tick > was.tick && now >= this.smallSince) {
      // What the ship does by itself, bounces and all, is the way between these two places of one prediction.
      this.beyond.push(Math.hypot(own.x - was.x - (to.x - from.x), own.y - was.y - (to.y - from.y)));
    }
    this.was = { x: own.x, y: own.y, tick, dashAt: to === null ? 0 : to.dashAt };
  }
}
