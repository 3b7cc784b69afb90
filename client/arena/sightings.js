// How fast other ships fly. Their public rows say where they are, to a quarter of a world unit, but not their velocity: it
// is worked out here, because who is about to touch whom, and how hard, hangs on it.
//
// Two places alone would do badly: their rounding is a part of the result, and they tell the mean of two ticks, not the
// newest. So each ship is stepped along by the rules and its told controls, and each row corrects the guess by a share
// that falls with the rows that agreed (the gains of a least-squares line). A row that the guess cannot explain means that
// something happened (a push, a dash): then the guess starts again from the row.

import { newShip, stepShip } from './movement.js';

/** @typedef {import('./movement.js').Ship} Ship */
/** @typedef {import('./movement.js').Around} Around */

const UNIT = 4096;
/** Rows further apart than this say nothing about each other. */
const TICKS_MAX = 12;
/** Further than this per tick nothing flies: it was somewhere else, then here. */
const STEP_MAX = 32 * UNIT;
/** A guess this far off is not rounding, nor a change of thrust in between: half a world unit. */
const SURPRISE = UNIT / 2;
/** Rows that count: more would trust the guess above a change of the controls that the row does not show. */
const AGREED_MAX = 5;

/** Ticks of a prediction that are kept: a replay is shorter. */
const FORESEEN_TICKS = 64;
/** Of a foreseen ship: tick, x, y, vx, vy. */
const STRIDE = 5;

/** In the place of an id: the own ship. */
export const OWN = 0;

/** One other ship. */
class Sighting {
  /** What the last prediction made of it, by tick: it knows of pushes by the own ship. */
  foreseen = new Int32Array(FORESEEN_TICKS * STRIDE);
  tick = 0;
  /** Rows that agreed with the guess since it began. */
  agreed = 0;
  ship = newShip();
  thrust = 0;
  turn = 0;
}

export class Sightings {
  /** @type {Map<number, Sighting>} by id of the ship */
  #all = new Map();
  #controls = { thrust: 0, turn: 0, fire: false, beam: false, dash: false };

  clear() {
    this.#all.clear();
  }

  /**
   * The prediction stepped a ship, together with those that it touched.
   * @param {number} id
   * @param {number} tick
   * @param {Ship} ship
   */
  foresee(id, tick, { x, y, vx, vy }) {
    const { foreseen } = this.#at(id);
    const at = (tick % FORESEEN_TICKS) * STRIDE;
    foreseen[at] = tick;
    foreseen[at + 1] = x;
    foreseen[at + 2] = y;
    foreseen[at + 3] = vx;
    foreseen[at + 4] = vy;
  }

  /**
   * The own row came: what the prediction did not know of hit the own ship and, as hard and the other way, whoever touched
   * it. That ship's row does not say so, but the own row is exact.
   * @param {number} tick
   * @param {Ship} own
   * @param {number} id of the nearest ship
   */
  feel(tick, own, id) {
    const mine = this.#at(OWN).foreseen;
    const { foreseen } = this.#at(id);
    const at = (tick % FORESEEN_TICKS) * STRIDE;
    if (mine[at] !== tick || foreseen[at] !== tick) return;
    foreseen[at + 1] -= own.x - mine[at + 1];
    foreseen[at + 2] -= own.y - mine[at + 2];
    foreseen[at + 3] -= own.vx - mine[at + 3];
    foreseen[at + 4] -= own.vy - mine[at + 4];
  }

  /** @param {number} id */
  #at(id) {
    let seen = this.#all.get(id);
    if (seen === undefined) {
      seen = new Sighting();
      this.#all.set(id, seen);
    }
    return seen;
  }

  /**
   * A row came.
   * @param {number} id
   * @param {number} tick
   * @param {{ x: number, y: number, heading: number, thrust: number, turn: number }} row exact units, as rounded
   * @param {Around} around of the last known tick
   * @param {any} tuning
   * @returns {Ship} where it is and how fast it flies
   */
  see(id, tick, row, around, tuning) {
    const seen = this.#at(id);
    const { ship } = seen;
    const ticks = tick - seen.tick;
    if (ticks <= 0) return ship;
    const known = seen.tick > 0 && ticks <= TICKS_MAX
      && Math.abs(row.x - ship.x) <= STEP_MAX * ticks && Math.abs(row.y - ship.y) <= STEP_MAX * ticks;
    if (known) this.#follow(seen, tick, ticks, row, around, tuning);
    else {
      seen.agreed = 0;
      ship.x = row.x;
      ship.y = row.y;
      ship.vx = 0;
      ship.vy = 0;
    }
    ship.heading = row.heading;
    seen.tick = tick;
    seen.thrust = row.thrust;
    seen.turn = row.turn;
    return ship;
  }

  /**
   * @param {Sighting} seen
   * @param {number} tick
   * @param {number} ticks
   * @param {{ x: number, y: number, heading: number, thrust: number, turn: number }} row
   * @param {Around} around
   * @param {any} tuning
   */
  #follow(seen, tick, ticks, row, around, tuning) {
    const { ship, foreseen } = seen;
    const controls = this.#controls;
    const at = (tick % FORESEEN_TICKS) * STRIDE;
    if (foreseen[at] === tick) {
      [, ship.x, ship.y, ship.vx, ship.vy] = foreseen.subarray(at, at + STRIDE);
    } else for (let at = seen.tick + 1; at <= tick; at++) {
      // When between the two rows the controls changed is not told: in the last tick they were the new ones.
      controls.thrust = at === tick ? row.thrust : seen.thrust;
      controls.turn = at === tick ? row.turn : seen.turn;
      around.tick = at;
      stepShip(ship, controls, around, tuning);
    }
    const dx = row.x - ship.x;
    const dy = row.y - ship.y;
    const surprised = Math.abs(dx) > SURPRISE || Math.abs(dy) > SURPRISE;
    if (surprised) seen.agreed = 0;
    seen.agreed = Math.min(AGREED_MAX, seen.agreed + 1);
    const n = seen.agreed;
    const place = (2 * (2 * n + 1)) / ((n + 1) * (n + 2));
    const speed = 6 / ((n + 1) * (n + 2)) / ticks;
    ship.x = Math.round(ship.x + dx * place);
    ship.y = Math.round(ship.y + dy * place);
    ship.vx = Math.round(ship.vx + dx * speed);
    ship.vy = Math.round(ship.vy + dy * speed);
  }
}
