// The state that Arena's prediction steps: what it holds, and how it is copied. The rules are movement.js's.

import { newShip } from './movement.js';

/** @typedef {import('./movement.js').Rock} Rock */

/** A ship that is stepped beside the own one. */
export class Other {
  id = 0;
  ship = newShip();
  thrust = 0;
  turn = 0;
}

/** What is predicted. */
export class Flight {
  own = newShip();
  ownId = 0;
  seat = 0;
  life = 0;
  /** @type {Other[]} by ascending id; those beyond `count` are old */
  others = [];
  count = 0;
  phase = 0;
  endsAt = 0;
  halfWidth = 0;
  halfHeight = 0;
  /** @type {Rock[]} shared, never written */
  rocks = [];

  /** @param {Flight} from becomes this one; the objects stay apart */
  copy(from) {
    Object.assign(this.own, from.own);
    this.ownId = from.ownId;
    this.seat = from.seat;
    this.life = from.life;
    this.phase = from.phase;
    this.endsAt = from.endsAt;
    this.halfWidth = from.halfWidth;
    this.halfHeight = from.halfHeight;
    this.rocks = from.rocks;
    this.count = from.count;
    for (let i = 0; i < from.count; i++) {
      const other = this.others[i] ?? (this.others[i] = new Other());
      other.id = from.others[i].id;
      other.thrust = from.others[i].thrust;
      other.turn = from.others[i].turn;
      Object.assign(other.ship, from.others[i].ship);
    }
  }
}
