// A marksman with the beam: turns until the muzzle points at what the screen shows, and lets go exactly then. It knows its
// own predicted ship and the picture, nothing else.

import { turnTo } from './pilots.mjs';

const UNIT = 4096;
const TURN = 2 * Math.PI;
const BRADS = 65_536;
const TURN_PER_TICK = 728;
const LEVEL_MAX = 127;
/** Not so near that any aim hits, not so far that the beam ends before. */
const NEAREST_U = 150;
const FARTHEST_U = 700;
/** The beam meets a ship within its radius and its own; others must be further from the line than that and a ship's way. */
export const REACH_U = 18;
const CLEAR_U = 30;
/** The muzzle points there if it is off by less than this: half a step of the sine table. */
const ON_BRADS = 32;
/** Frames of places that are remembered, for the liar. */
const MEMORY = 128;

/** @typedef {{ target: number, stamp: number, seenAgo: number, away: number, crossing: number }} Shot `crossing`: how fast the target was seen to cross the line, u per frame */

export class Gunner {
  /**
   * @param {import('./person.mjs').Person} person
   * @param {{ past?: number, crossing?: number }} [habits] `past`: aims at where others were so many frames ago; `crossing`:
   *   only at those that are seen to go so far across the line in a frame
   */
  constructor(person, { past = 0, crossing = 0 } = {}) {
    this.past = past;
    this.least = crossing;
    /** What was shown in the last frames, by id: x, y of frame `n` at `n % MEMORY`. @type {Map<number, { x: number, y: number, frame: number }[]>} */
    this.memory = new Map();
    /** @type {number | null} the seat that a shot is aimed at, until its input is sent */
    this.aimed = null;
    this.away = 0;
    this.crossing = 0;
    /** @type {Shot[]} */
    this.shots = [];
    this.thrust = 0;
    this.next = 0;
    let beam = 0;
    person.onInput.push((_, { tick, seenAgo, row }) => {
      if (beam === 1 && row[3] === 0 && this.aimed !== null) {
        this.shots.push({ target: this.aimed, stamp: tick, seenAgo, away: this.away, crossing: this.crossing });
      }
      beam = row[3];
    });
  }

  /** @param {import('./person.mjs').Person} person */
  frame(person) {
    this.aimed = null;
    const prediction = person.client.session?.prediction;
    if (!person.flies || !prediction?.alive) return;
    const { world, scene, client } = person;
    this.#remember(person.frames, scene);
    if (world.now >= this.next) {
      this.next = world.now + person.chance() * 1e6;
      this.thrust = person.chance() < 0.4 ? LEVEL_MAX : person.chance() < 0.5 ? 0 : -LEVEL_MAX;
    }
    /** @type {import('../../../client/arena/movement.js').Ship} */
    const own = prediction.state.own;
    // Where the own ship will be in the tick that this frame makes.
    const at = { x: (own.x + own.vx) / UNIT, y: (own.y + own.vy) / UNIT };
    const target = this.#choose(person.frames, scene, at, own.heading);
    if (target === null) {
      client.setControls({ thrust: this.thrust, turn: LEVEL_MAX / 2, beam: 1 });
      return;
    }
    const need = turnTo(own.heading / BRADS, target.bearing) * BRADS;
    const turn = Math.max(-LEVEL_MAX, Math.min(LEVEL_MAX, Math.round((need / TURN_PER_TICK) * LEVEL_MAX)));
    const off = Math.abs(need - Math.trunc((turn * TURN_PER_TICK) / LEVEL_MAX));
    const charged = own.beam_at !== 0 && prediction.tick + 1 >= own.beam_at;
    const fires = charged && off <= ON_BRADS && target.clear;
    if (fires) {
      this.aimed = target.seat;
      this.away = target.away;
      this.crossing = target.crossing;
    }
    client.setControls({ thrust: this.thrust, turn, beam: fires ? 0 : 1 });
  }

  /** @param {number} frame @param {any} scene */
  #remember(frame, scene) {
    for (const { id, row } of scene.of('ship')) {
      let places = this.memory.get(id);
      if (!places) this.memory.set(id, (places = []));
      places[frame % MEMORY] = { x: row.x, y: row.y, frame };
    }
  }

  /** Where a ship will be shown in the next frame, or was `past` frames before. @param {number} frame @param {any} entity */
  #where(frame, { id, row }) {
    const places = /** @type {{ x: number, y: number, frame: number }[]} */ (this.memory.get(id));
    const now = this.past > 0 ? places[(frame - this.past) % MEMORY] : { x: row.x, y: row.y, frame };
    const before = places[(frame - this.past - 1) % MEMORY];
    if (frame <= this.past || !now || now.frame !== frame - this.past || !before || before.frame !== frame - this.past - 1) return null;
    return { x: 2 * now.x - before.x, y: 2 * now.y - before.y, vx: now.x - before.x, vy: now.y - before.y };
  }

  /**
   * The ship that takes the least turning.
   * @param {number} frame
   * @param {any} scene
   * @param {{ x: number, y: number }} at
   * @param {number} heading
   */
  #choose(frame, scene, at, heading) {
    let best = null;
    let least = Infinity;
    for (const entity of scene.of('ship')) {
      const place = entity.mine || entity.extrapolated > 0 ? null : this.#where(frame, entity);
      if (place === null) continue;
      const away = Math.hypot(place.x - at.x, place.y - at.y);
      if (away < NEAREST_U || away > FARTHEST_U) continue;
      const bearing = Math.atan2(place.y - at.y, place.x - at.x) / TURN;
      const turn = Math.abs(turnTo(heading / BRADS, bearing));
      const crossing = Math.abs(place.vx * (place.y - at.y) - place.vy * (place.x - at.x)) / away;
      if (turn >= least || crossing < this.least) continue;
      least = turn;
      best = { seat: entity.row.seat, id: entity.id, bearing, away, crossing };
    }
    return best === null ? null : { ...best, clear: this.#isClear(scene, at, best) };
  }

  /** Nothing else on the way. @param {any} scene @param {{ x: number, y: number }} at @param {{ id: number, bearing: number, away: number }} target */
  #isClear(scene, at, { id, bearing, away }) {
    const [x, y] = [Math.cos(bearing * TURN), Math.sin(bearing * TURN)];
    const near = (/** @type {any} */ row, /** @type {number} */ reach) => {
      const along = (row.x - at.x) * x + (row.y - at.y) * y;
      const across = Math.abs((row.y - at.y) * x - (row.x - at.x) * y);
      return along > -reach && along < away + reach && across < reach;
    };
    for (const { row } of scene.of('rock')) if (near(row, row.radius + 4)) return false;
    for (const other of scene.of('ship')) if (!other.mine && other.id !== id && near(other.row, CLEAR_U)) return false;
    return true;
  }
}
