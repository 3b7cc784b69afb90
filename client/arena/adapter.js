// All that prediction must know of Arena: the own ship, the ships that it may touch, the rocks, and when weapons work.
//
// client/predict rewinds and replays; movement.js knows the rules of one tick; this file fills a state from the view and
// steps it. Ships that are near are stepped too, by their public controls, so that a push is felt at once.

import { Ahead } from './ahead.js';
import { Flight, Other } from './flight.js';
import { muzzle, pairReach, stepShip, touchShips } from './movement.js';
import { OWN, Sightings } from './sightings.js';

/** @typedef {import('../protocol/view.js').View} View */
/** @typedef {import('../predict/prediction.js').GameAdapter} GameAdapter */
/** @typedef {import('./movement.js').Ship} Ship */
/** @typedef {import('./movement.js').Rock} Rock */

/** The rules that this page knows: `RULES` of src/arena/schema.rs. */
const RULES = 2;
const PHASE_PLAY = 0;
const LEVEL_MAX = 127;
const UNIT = 4096;
/** Others are stepped within this of the own ship, and rocks heeded: further than two ships close in during a replay. */
const NEAR = 420 * UNIT;
/** Of so many others the nearest in id are stepped: more than can push one ship. */
const OTHERS_MAX = 16;
/** Snapshots further apart in time than this say nothing about a way between them. */
const APART_TICKS = 12;
/** Ships that touched since the last snapshot are not further apart than their radii and this. */
const TOUCHING = 32 * UNIT;
/** Further than this per tick nothing flies: it was somewhere else, then here. */
const STEP_MAX = 32 * UNIT;

/**
 * The numbers of a kind and its fields.
 * @param {import('../protocol/schema.js').Schema} schema
 * @param {string} name
 */
function kindNamed(schema, name) {
  const number = schema.kinds.findIndex((kind) => kind.name === name);
  if (number < 0) throw new Error(`The server's Arena has no ${name}. Reload the page.`);
  /** @type {Record<string, number>} */
  const at = {};
  schema.kinds[number].fields.forEach((field, place) => { at[field.name] = place; });
  return { number, at, fields: schema.kinds[number].fields };
}

/** @typedef {ReturnType<typeof kindNamed>} Kind */

class ArenaAdapter {
  /** Own bolts fly from the predicted ship. */
  ownTimeline = ['bolt'];
  /** Between such places nothing is interpolated: a respawn does not smear. */
  breaks = { ship: { maxStep: { fields: ['x', 'y'], perTick: STEP_MAX / UNIT } } };

  /** @type {any} */
  #tuning = null;
  /** @type {Ahead | null} */
  #ahead = null;
  /** @type {Record<'match' | 'rock' | 'ship' | 'own', Kind>} */
  #kinds = /** @type {any} */ ({});
  /** @type {Record<string, number>} places of the input fields */
  #inputs = {};
  /** How fast others fly: their rows do not say. */
  #sightings = new Sightings();
  #row = { x: 0, y: 0, heading: 0, thrust: 0, turn: 0 };
  /** @type {number[]} slots, used again */
  #near = [];
  #life = 0;
  #flew = false;
  #lastX = 0;
  #lastY = 0;
  #around = { tick: 0, armed: true, halfWidth: 0, halfHeight: 0, rocks: /** @type {Rock[]} */ ([]) };
  #controls = { thrust: 0, turn: 0, fire: false, beam: false, dash: false };

  /** @param {import('../protocol/messages.js').Welcome} welcome */
  start({ schema, tuning }) {
    if (schema.game !== 'arena' || schema.rules !== RULES) {
      throw new Error('The server plays other rules than this page. Reload the page.');
    }
    this.#tuning = JSON.parse(new TextDecoder().decode(tuning));
    this.#kinds = {
      match: kindNamed(schema, 'match'),
      rock: kindNamed(schema, 'rock'),
      ship: kindNamed(schema, 'ship'),
      own: kindNamed(schema, 'own'),
    };
    this.#ahead = new Ahead(schema.kinds[this.#kinds.ship.number], this.#tuning);
    this.#inputs = {};
    schema.inputs.forEach((field, place) => { this.#inputs[field.name] = place; });
    this.#sightings.clear();
    this.#flew = false;
  }

  create() {
    return new Flight();
  }

  /**
   * @param {Flight} to
   * @param {Flight} from
   */
  copy(to, from) {
    to.copy(from);
  }

  /**
   * @param {Flight} state
   * @param {View} view
   * @param {number} seat
   * @returns {boolean}
   */
  load(state, view, seat) {
    const { match, rock, own } = this.#kinds;
    state.seat = seat;
    let flies = false;
    for (let i = 0; i < view.count; i++) {
      const slot = view.slots[i];
      if (view.kindOf[slot] === own.number) flies = this.#loadOwn(state, view, slot);
      else if (view.kindOf[slot] === match.number) {
        state.phase = exact(view, match, slot, 'phase');
        state.endsAt = exact(view, match, slot, 'ends_at');
        state.halfWidth = exact(view, match, slot, 'half_width');
        state.halfHeight = exact(view, match, slot, 'half_height');
      }
    }
    if (!flies) {
      this.#flew = false;
      this.#sightings.clear();
      return false;
    }
    this.#loadRocks(state, view);
    this.#loadOthers(state, view, seat);
    return true;
  }

  /**
   * The rocks that are near. States share the array: it is made anew only if something changed.
   * @param {Flight} state
   * @param {View} view
   */
  #loadRocks(state, view) {
    const { rock } = this.#kinds;
    const near = this.#near;
    near.length = 0;
    let same = true;
    for (let i = 0; i < view.count; i++) {
      const slot = view.slots[i];
      if (view.kindOf[slot] !== rock.number || !isNear(state.own, view, rock, slot)) continue;
      const was = state.rocks[near.length];
      same &&= was !== undefined && was.x === exact(view, rock, slot, 'x') && was.y === exact(view, rock, slot, 'y')
        && was.radius === exact(view, rock, slot, 'radius');
      near.push(slot);
    }
    if (same && near.length === state.rocks.length) return;
    state.rocks = near.map((slot) => ({
      x: exact(view, rock, slot, 'x'),
      y: exact(view, rock, slot, 'y'),
      radius: exact(view, rock, slot, 'radius'),
    }));
  }

  /**
   * @param {Flight} state
   * @param {View} view
   * @param {number} slot
   * @returns {boolean} whether it flies
   */
  #loadOwn(state, view, slot) {
    const { own } = this.#kinds;
    const ship = /** @type {Record<string, number>} */ (/** @type {unknown} */ (state.own));
    for (const field of own.fields) ship[field.name] = exact(view, own, slot, field.name);
    if (state.own.respawn_at !== 0) return false;
    const { x, y } = state.own;
    const jumped = Math.abs(x - this.#lastX) > STEP_MAX * APART_TICKS || Math.abs(y - this.#lastY) > STEP_MAX * APART_TICKS;
    if (!this.#flew || jumped) this.#life += 1;
    this.#flew = true;
    this.#lastX = x;
    this.#lastY = y;
    state.life = this.#life;
    return true;
  }

  /**
   * @param {Flight} state
   * @param {View} view
   * @param {number} seat
   */
  #loadOthers(state, view, seat) {
    const { ship } = this.#kinds;
    const row = this.#row;
    const around = this.#around;
    this.#surround(state);
    this.#feel(state, view, seat);
    state.count = 0;
    for (let i = 0; i < view.count; i++) {
      const slot = view.slots[i];
      if (view.kindOf[slot] !== ship.number) continue;
      const id = view.idOf[slot];
      if (exact(view, ship, slot, 'seat') === seat) {
        state.ownId = id;
        continue;
      }
      row.x = exact(view, ship, slot, 'x');
      row.y = exact(view, ship, slot, 'y');
      row.heading = exact(view, ship, slot, 'heading');
      row.thrust = level(exact(view, ship, slot, 'thrust'));
      row.turn = level(exact(view, ship, slot, 'turn'));
      const seen = this.#sightings.see(id, view.tick, row, around, this.#tuning);
      if (state.count === OTHERS_MAX || !isNear(state.own, view, ship, slot)) continue;
      const other = state.others[state.count] ?? (state.others[state.count] = new Other());
      state.count += 1;
      other.id = id;
      other.thrust = row.thrust;
      other.turn = row.turn;
      Object.assign(other.ship, seen);
    }
  }

  /**
   * Tells who may have pushed the own ship: the nearest, if it is near enough.
   * @param {Flight} state
   * @param {View} view
   * @param {number} seat
   */
  #feel({ own }, view, seat) {
    const { ship } = this.#kinds;
    let nearest = 2 * this.#tuning.ship.radius_q12 + TOUCHING;
    let id = 0;
    for (let i = 0; i < view.count; i++) {
      const slot = view.slots[i];
      if (view.kindOf[slot] !== ship.number || exact(view, ship, slot, 'seat') === seat) continue;
      const away = Math.hypot(exact(view, ship, slot, 'x') - own.x, exact(view, ship, slot, 'y') - own.y);
      if (away >= nearest) continue;
      nearest = away;
      id = view.idOf[slot];
    }
    if (id !== 0) this.#sightings.feel(view.tick, own, id);
  }

  /** @param {Flight} state */
  #surround(state) {
    const around = this.#around;
    around.halfWidth = state.halfWidth;
    around.halfHeight = state.halfHeight;
    around.rocks = state.rocks;
  }

  /**
   * One tick, in the order of the server's: every ship's own, then those that touch, then shots.
   * @param {Flight} state
   * @param {import('../predict/inputs.js').StepInput} input
   * @param {import('../predict/prediction.js').Spawns} spawns
   */
  step(state, input, spawns) {
    const around = this.#around;
    const controls = this.#controls;
    const { levels, presses } = input;
    const at = this.#inputs;
    this.#surround(state);
    around.tick = input.tick;
    around.armed = state.phase === PHASE_PLAY && input.tick < state.endsAt;
    controls.thrust = levels[at.thrust];
    controls.turn = levels[at.turn];
    controls.fire = levels[at.fire] !== 0;
    controls.beam = levels[at.beam] !== 0;
    controls.dash = presses[at.dash] !== 0;
    const { own } = state;
    const { bolt } = stepShip(own, controls, around, this.#tuning);
    controls.fire = false;
    controls.beam = false;
    controls.dash = false;
    for (let i = 0; i < state.count; i++) {
      controls.thrust = state.others[i].thrust;
      controls.turn = state.others[i].turn;
      stepShip(state.others[i].ship, controls, around, this.#tuning);
    }
    this.#touch(state);
    this.#sightings.foresee(OWN, input.tick, own);
    for (let i = 0; i < state.count; i++) this.#sightings.foresee(state.others[i].id, input.tick, state.others[i].ship);
    if (!bolt) return;
    const [x, y, vx, vy] = muzzle(own, this.#tuning);
    spawns('bolt', {
      x, y, vx, vy,
      born: input.tick,
      seat: state.seat,
      might: input.tick < own.might_until ? 1 : 0,
    });
  }

  /**
   * The own ship and those that it touches; the one with the smaller id first, as the server does.
   * @param {Flight} state
   */
  #touch(state) {
    const { own } = state;
    const reach = pairReach(this.#tuning);
    const { x, y } = own;
    for (let i = 0; i < state.count; i++) {
      const { id, ship } = state.others[i];
      if (Math.abs(ship.x - x) >= reach || Math.abs(ship.y - y) >= reach) continue;
      if (id < state.ownId) touchShips(ship, own, this.#around, this.#tuning);
      else touchShips(own, ship, this.#around, this.#tuning);
    }
  }

  /**
   * @param {Flight} state
   * @param {import('../predict/prediction.js').Pose} out
   */
  pose({ own }, out) {
    out.x = own.x / UNIT;
    out.y = own.y / UNIT;
    out.heading = own.heading / 65_536;
    out.vx = own.vx / UNIT;
    out.vy = own.vy / UNIT;
    out.energy = own.energy / 64;
    out.beamAt = own.beam_at;
    out.dashAt = own.dash_at;
  }

  /**
   * What follows from the rules alone; damage and pickups come from the server.
   * @param {Flight} state
   * @param {number[]} out
   */
  words({ own }, out) {
    out.push(own.x, own.y, own.vx, own.vy, own.heading, own.energy, own.fire_at, own.beam_at, own.dash_at);
  }

  /**
   * Ships beyond the last snapshot; whatever else moves goes straight on.
   * @param {string} kind
   * @param {import('../predict/tracks.js').Motion} motion
   */
  extrapolate(kind, motion) {
    if (kind !== 'ship' || this.#ahead === null) return false;
    this.#ahead.fly(motion, this.#around);
    return true;
  }

  /** @param {Flight} state */
  life(state) {
    return state.life;
  }

  /**
   * @param {string} kind
   * @param {Record<string, number>} row
   * @param {number} seat
   */
  isMine(kind, row, seat) {
    return (kind === 'ship' || kind === 'bolt' || kind === 'score') && row.seat === seat;
  }

  /**
   * @param {string} kind only bolts are asked for: they alone are on the own timeline
   * @param {Record<string, number>} row
   */
  birth(kind, row) {
    return row.born;
  }
}

/**
 * A field of a row in exact units.
 * @param {View} view
 * @param {Kind} kind
 * @param {number} slot
 * @param {string} field
 */
function exact(view, kind, slot, field) {
  const place = kind.at[field];
  return view.values[slot * view.stride + place] << kind.fields[place].dropBits;
}

/**
 * @param {Ship} own
 * @param {View} view
 * @param {Kind} kind
 * @param {number} slot
 */
function isNear(own, view, kind, slot) {
  return Math.abs(exact(view, kind, slot, 'x') - own.x) < NEAR && Math.abs(exact(view, kind, slot, 'y') - own.y) < NEAR;
}

/**
 * A public row's controls are rounded: full thrust may come as a little more.
 * @param {number} told
 */
function level(told) {
  return Math.max(-LEVEL_MAX, Math.min(LEVEL_MAX, told));
}

/** @returns {GameAdapter} */
export function createAdapter() {
  return new ArenaAdapter();
}
