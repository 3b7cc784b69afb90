// Where another ship is beyond the last snapshot: it flies on by the rules, with the controls that it showed. A stalled
// connection then shows ships that turn and brake as they did, not ships on rails.

import { newShip, stepShip } from './movement.js';

/** @typedef {import('./movement.js').Rock} Rock */
/** @typedef {{ halfWidth: number, halfHeight: number, rocks: Rock[] }} Place what is known of the arena; half sizes 0: nothing */

const TURN = 65_536;
const LEVEL_MAX = 127;
/** Wider than any arena. */
const NO_WALL = 1 << 27;

export class Ahead {
  /**
   * @param {import('../protocol/schema.js').EntityKind} kind the public ship
   * @param {import('./movement.js').Tuning} tuning
   */
  constructor(kind, tuning) {
    /** @type {Record<string, number>} */
    this.at = {};
    kind.fields.forEach((field, place) => { this.at[field.name] = place; });
    this.tuning = tuning;
    this.ship = newShip();
    this.controls = { thrust: 0, turn: 0, fire: false, beam: false, dash: false };
    this.around = { tick: 0, armed: false, halfWidth: 0, halfHeight: 0, rocks: /** @type {Rock[]} */ ([]) };
  }

  /**
   * @param {import('../predict/tracks.js').Motion} motion
   * @param {Place} place
   */
  fly({ values, newest, before, span, ahead, out }, { halfWidth, halfHeight, rocks }) {
    const { at, ship, controls, around } = this;
    ship.x = values[newest + at.x];
    ship.y = values[newest + at.y];
    ship.heading = values[newest + at.heading];
    ship.vx = Math.round((ship.x - values[before + at.x]) / span);
    ship.vy = Math.round((ship.y - values[before + at.y]) / span);
    controls.thrust = clamp(values[newest + at.thrust]);
    controls.turn = clamp(values[newest + at.turn]);
    around.halfWidth = halfWidth || NO_WALL;
    around.halfHeight = halfHeight || NO_WALL;
    around.rocks = rocks;
    for (let left = Math.floor(ahead); left > 0; left--) stepShip(ship, controls, around, this.tuning);
    const { x, y, heading } = ship;
    const part = ahead - Math.floor(ahead);
    stepShip(ship, controls, around, this.tuning);
    out[at.x] = x + (ship.x - x) * part;
    out[at.y] = y + (ship.y - y) * part;
    const turned = ((ship.heading - heading + TURN / 2) & (TURN - 1)) - TURN / 2;
    const shown = heading + turned * part;
    out[at.heading] = shown - Math.floor(shown / TURN) * TURN;
  }
}

/**
 * A public row's controls are rounded: full thrust may come as a little more.
 * @param {number} told
 */
function clamp(told) {
  return Math.max(-LEVEL_MAX, Math.min(LEVEL_MAX, told));
}
