// What there is to draw in one frame, in world units, radians and seconds. The one place that knows Arena's field names
// is `reading.js`, which fills this; everything that draws reads only this. All objects are made once and used again.

/** One ship as shown. */
export class Ship {
  id = 0;
  seat = 0;
  own = false;
  x = 0;
  y = 0;
  /** Radians; 0 points along +x, growing clockwise on the screen. */
  heading = 0;
  /** Units per second. */
  vx = 0;
  vy = 0;
  radius = 16;
  /** -1..1, as the controls stand. */
  thrust = 0;
  turn = 0;
  /** 0..1 */
  hull = 1;
  shield = 0;
  /** 0..1: how far the beam is charged. */
  charge = 0;
  dashing = false;
  /** Cannot be hurt: just back. */
  guarded = false;
  alive = true;
  /** The server has not told of it for long: shown dim. */
  stale = false;
  name = '';
  bot = false;
  away = false;
  color = '#ffffff';
  /** Seconds since the shield, the hull was hit. */
  sinceShieldHit = 9;
  sinceHullHit = 9;
  /** Where the last hit came from, radians. */
  hitFrom = 0;
  /** Holds the pickup that fires faster, that hurts more. */
  rapid = false;
  might = false;
  firing = false;
  /** The name as a picture, and what it was made for. */
  tag = { image: /** @type {HTMLCanvasElement | null} */ (null), name: '', color: '', away: false, ratio: 0 };
  /** The last frame in which it was in the scene. */
  frame = -1;
}

export class Shot {
  id = 0;
  x = 0;
  y = 0;
  heading = 0;
  color = '#ffffff';
  own = false;
  /** Hurts more. */
  might = false;
}

export class Rock {
  id = 0;
  x = 0;
  y = 0;
  radius = 0;
  /** Says what its outline looks like. */
  shape = 0;
}

export class Pickup {
  id = 0;
  x = 0;
  y = 0;
  radius = 14;
  /** A place in `PICKUP_SORTS`, or a number that this client does not know. */
  sort = 0;
}

/** One line of the scoreboard. */
export class Score {
  seat = 0;
  name = '';
  score = 0;
  kills = 0;
  deaths = 0;
  streak = 0;
  own = false;
  bot = false;
  away = false;
}

/** What a number of `pickup.sort` gives. */
export const PICKUP_SORTS = ['repair', 'charge', 'rapid', 'might'];

/**
 * A list whose items are made once.
 * @template T
 */
export class Pool {
  /** @param {() => T} make */
  constructor(make) {
    this.#make = make;
    /** @type {T[]} */
    this.items = [];
    this.count = 0;
  }

  #make;

  clear() {
    this.count = 0;
  }

  /** @returns {T} the next item, with whatever it held before */
  next() {
    if (this.count === this.items.length) this.items.push(this.#make());
    return this.items[this.count++];
  }
}

/** Everything of one frame. */
export class Scene {
  /** The ships that fly, and how many of them there are: those of `items` beyond `count` are old.
   * @type {{items: Ship[], count: number}} */
  ships = { items: [], count: 0 };
  /** @type {Pool<Shot>} */
  shots = new Pool(() => new Shot());
  /** @type {Pool<Rock>} */
  rocks = new Pool(() => new Rock());
  /** @type {Pool<Pickup>} */
  pickups = new Pool(() => new Pickup());
  /** @type {Ship | null} */
  own = null;
  /** Own seat, or -1 for a spectator. */
  ownSeat = -1;
  /** Half of the arena; 0 while it is not known. */
  halfWidth = 0;
  halfHeight = 0;
  /** Units per second. */
  speedMax = 500;
  shipRadius = 16;
  /** The server's position of the own ship, for the ghost. */
  ghost = { shown: false, x: 0, y: 0, heading: 0 };
  /** Nothing has come for so long that everything stands still. */
  stale = false;
}
