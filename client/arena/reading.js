// From Arena's rows to a scene: the one place of the page that knows the names of Arena's fields.

import { SELF, seatColor } from './draw/palette.js';
import { Ship } from './scene.js';

/** Bits of `ship.flags`, as in src/arena/schema.rs. */
const PROTECTED = 1;
const CHARGING = 2;
const CHARGED = 4;
const FIRING = 8;
const RAPID = 16;
const MIGHT = 32;
const DASH = 64;

/** `match.phase` */
export const PHASE_PLAY = 0;
export const PHASE_RESULTS = 1;
export const PHASE_READY = 2;

/** How long a dash shows, as the server's flag does. */
const DASH_SHOWS_TICKS = 12;
const Q12 = 4096;
const Q6 = 64;
/** A ship that moved further than this between two frames did not fly there. */
const JUMP_UNITS = 120;

/**
 * The numbers of tuning.json that the page shows something by.
 * @typedef {object} Looks
 * @property {number} radius of a ship, units
 * @property {number} speed that a ship reaches by thrust, units per second
 * @property {number} hullMax points
 * @property {number} shieldMax points
 * @property {number} energyMax points
 * @property {number} dashCost points
 * @property {number} dashWait ticks
 * @property {number} beamCost points
 * @property {number} beamCharge ticks
 * @property {number} beamRange units
 * @property {number} boltLife ticks
 * @property {number} pickupRadius units
 * @property {number} turnPerTick turns per tick at full deflection
 * @property {number} tickRate
 */

/**
 * @param {{tuning: Uint8Array, tickRate: number}} welcome
 * @returns {Looks}
 */
export function readLooks(welcome) {
  const t = JSON.parse(new TextDecoder().decode(welcome.tuning));
  const perTick = ((t.ship.thrust_q12_per_tick2 / t.ship.drag_q7) * 128) / Q12;
  return {
    radius: t.ship.radius_q12 / Q12,
    speed: Math.min(perTick, t.ship.speed_max_q12_per_tick / Q12) * welcome.tickRate,
    hullMax: t.ship.hull_max_q6 / Q6,
    shieldMax: t.ship.shield_max_q6 / Q6,
    energyMax: t.ship.energy_max_q6 / Q6,
    dashCost: t.dash.cost_q6 / Q6,
    dashWait: t.dash.wait_ticks,
    beamCost: t.beam.cost_q6 / Q6,
    beamCharge: t.beam.charge_ticks,
    beamRange: t.beam.range_u,
    boltLife: t.bolt.life_ticks,
    pickupRadius: t.pickup.radius_q12 / Q12,
    turnPerTick: t.ship.turn_brads_per_tick / 65536,
    tickRate: welcome.tickRate,
  };
}

/** Fills a scene, frame after frame; holds what one frame does not say: velocities, and how long ago a hit was. */
export class Reading {
  /** @param {import('./scene.js').Scene} scene */
  constructor(scene) {
    this.scene = scene;
  }

  /** @type {Map<number, Ship>} */
  #bySeat = new Map();
  #frame = 0;
  /** @type {Looks | null} */
  looks = null;
  #armed = true;
  /** The birth of the newest bolt of each seat: a seat fires at most one per tick. @type {Map<number, number>} */
  #born = new Map();
  /** Told of each bolt when it is first seen. @type {(shot: import('./scene.js').Shot) => void} */
  onBolt = () => {};
  /** Told when the own ship fires its beam, as predicted: the flash does not wait for the server. @type {(ship: Ship) => void} */
  onBeam = () => {};
  /** Told when the own ship dashes, as predicted. @type {(ship: Ship) => void} */
  onDash = () => {};
  /** The own `beam_at` and `dash_at` of the last frame. */
  #beamAt = 0;
  #dashAt = 0;

  /** The own thrust as the controls stand, -1..1: the own flame does not wait for the server. */
  ownThrust = 0;

  /** A new session: nothing of the old one stays. */
  reset() {
    this.#bySeat.clear();
    this.#born.clear();
    this.scene.ships.count = 0;
    this.scene.shots.clear();
    this.scene.rocks.clear();
    this.scene.pickups.clear();
    this.scene.own = null;
  }

  /**
   * The ship of a seat, dead or alive, as last shown.
   * @param {number} seat
   * @returns {Ship | undefined}
   */
  shipOf(seat) {
    return this.#bySeat.get(seat);
  }

  /**
   * @param {import('../predict/scene.js').Scene} from
   * @param {import('../net/client.js').Client} client
   * @param {number} dt seconds since the last frame
   */
  read(from, client, dt) {
    const { scene, looks } = this;
    if (looks === null) return;
    this.#frame++;
    scene.ownSeat = client.seat ?? -1;
    scene.stale = from.stale;
    scene.speedMax = looks.speed;
    scene.shipRadius = looks.radius;
    const match = from.of('match')[0];
    if (match !== undefined) {
      scene.halfWidth = match.row.half_width;
      scene.halfHeight = match.row.half_height;
      this.#armed = match.row.phase === PHASE_PLAY;
    }
    this.#rocks(from);
    this.#pickups(from, looks);
    this.#shots(from, looks);
    this.#ships(from, client, looks, dt);
    const ghost = from.ghost;
    scene.ghost.shown = ghost !== null;
    if (ghost !== null) {
      scene.ghost.x = ghost.x;
      scene.ghost.y = ghost.y;
      scene.ghost.heading = ghost.heading * Math.PI * 2;
    }
  }

  /** @param {import('../predict/scene.js').Scene} from */
  #rocks(from) {
    const { rocks } = this.scene;
    rocks.clear();
    for (const { id, row } of from.of('rock')) {
      const rock = rocks.next();
      rock.id = id;
      rock.x = row.x;
      rock.y = row.y;
      rock.radius = row.radius;
      rock.shape = row.shape;
    }
  }

  /**
   * @param {import('../predict/scene.js').Scene} from
   * @param {Looks} looks
   */
  #pickups(from, looks) {
    const { pickups } = this.scene;
    pickups.clear();
    for (const { id, row } of from.of('pickup')) {
      const pickup = pickups.next();
      pickup.id = id;
      pickup.x = row.x;
      pickup.y = row.y;
      pickup.sort = row.sort;
      pickup.radius = looks.pickupRadius;
    }
  }

  /**
   * @param {import('../predict/scene.js').Scene} from
   * @param {Looks} looks
   */
  #shots(from, looks) {
    const { shots, ownSeat } = this.scene;
    shots.clear();
    for (const { id, row, tick } of from.of('bolt')) {
      const flown = tick - row.born;
      if (flown < 0 || flown >= looks.boltLife) continue;
      const x = row.x + row.vx * flown;
      const y = row.y + row.vy * flown;
      if (this.#isSolid(x, y)) continue;
      const shot = shots.next();
      shot.id = id;
      shot.x = x;
      shot.y = y;
      shot.heading = Math.atan2(row.vy, row.vx);
      shot.own = row.seat === ownSeat;
      shot.might = row.might !== 0;
      shot.color = shot.own ? SELF : seatColor(row.seat);
      const newest = this.#born.get(row.seat);
      if (newest !== undefined && newest >= row.born) continue;
      this.#born.set(row.seat, row.born);
      if (flown < 12) this.onBolt(shot);
    }
  }

  /**
   * True beyond the wall and inside a rock. A bolt ends there, but of an own one, which is shown ahead of the server, that
   * comes a round trip later.
   * @param {number} x
   * @param {number} y
   */
  #isSolid(x, y) {
    const { halfWidth, halfHeight, rocks } = this.scene;
    if (Math.abs(x) > halfWidth || Math.abs(y) > halfHeight) return true;
    for (let i = 0; i < rocks.count; i++) {
      const rock = rocks.items[i];
      if (Math.hypot(x - rock.x, y - rock.y) < rock.radius) return true;
    }
    return false;
  }

  /**
   * @param {import('../predict/scene.js').Scene} from
   * @param {import('../net/client.js').Client} client
   * @param {Looks} looks
   * @param {number} dt
   */
  #ships(from, client, looks, dt) {
    const { scene } = this;
    scene.ships.count = 0;
    scene.own = null;
    /** @type {import('../predict/tracks.js').Entity | null} */
    let shown = null;
    for (const entity of from.of('ship')) {
      const { row } = entity;
      if (row.seat === scene.ownSeat) {
        shown = entity;
        continue;
      }
      const ship = this.#add(row.seat, client, looks);
      this.#place(ship, row, looks.tickRate, dt);
      ship.id = entity.id;
      ship.hull = row.hull / looks.hullMax;
      ship.shield = row.shield / looks.shieldMax;
      ship.thrust = row.thrust;
      ship.turn = row.turn;
      this.#flags(ship, row.flags, looks, dt);
      ship.stale = entity.frozen === true;
    }
    this.#ownShip(from, client, looks, dt, shown);
    for (const ship of this.#bySeat.values()) {
      if (ship.frame !== this.#frame) ship.alive = false;
    }
  }

  /**
   * @param {number} seat
   * @param {import('../net/client.js').Client} client
   * @param {Looks} looks
   * @returns {Ship} now in the scene
   */
  #add(seat, client, looks) {
    const { scene } = this;
    let ship = this.#bySeat.get(seat);
    if (ship === undefined) {
      ship = new Ship();
      this.#bySeat.set(seat, ship);
    }
    ship.seat = seat;
    ship.own = seat === scene.ownSeat;
    ship.color = ship.own ? SELF : seatColor(seat);
    ship.radius = looks.radius;
    ship.alive = true;
    const who = client.nameOf(seat);
    ship.name = who?.name ?? '';
    ship.bot = who?.presence === 'bot';
    ship.away = who?.presence === 'away';
    scene.ships.items[scene.ships.count++] = ship;
    return ship;
  }

  /**
   * The own ship is shown ahead of the others: its numbers come from the newest private row and the prediction.
   * @param {import('../predict/scene.js').Scene} from
   * @param {import('../net/client.js').Client} client
   * @param {Looks} looks
   * @param {number} dt
   * @param {import('../predict/tracks.js').Entity | null} shown the public ship, as others see it
   */
  #ownShip(from, client, looks, dt, shown) {
    const own = client.latest('own')[0]?.row;
    const known = this.#bySeat.get(this.scene.ownSeat);
    const wasShown = known !== undefined && known.frame === this.#frame - 1;
    if (from.own === null || own === undefined) {
      // Destroyed, but the picture is not there yet: it stays where it was until the explosion.
      if (shown === null || !wasShown) return;
      const ship = this.#add(this.scene.ownSeat, client, looks);
      ship.thrust = 0;
      ship.frame = this.#frame;
      this.scene.own = ship;
      return;
    }
    const ship = this.#add(this.scene.ownSeat, client, looks);
    this.#place(ship, from.own, looks.tickRate, dt);
    ship.hull = own.hull / looks.hullMax;
    ship.shield = own.shield / looks.shieldMax;
    ship.thrust = this.ownThrust;
    ship.id = shown?.id ?? 0;
    ship.guarded = own.protected_until > from.ownTick;
    ship.rapid = own.rapid_until > from.ownTick;
    ship.might = own.might_until > from.ownTick;
    const { beamAt, dashAt } = from.own;
    ship.dashing = dashAt !== 0 && from.ownTick < dashAt - looks.dashWait + DASH_SHOWS_TICKS;
    ship.charge = beamAt === 0 ? 0 : Math.max(0.05, Math.min(1, 1 - (beamAt - from.ownTick) / looks.beamCharge));
    ship.stale = from.stale;
    this.scene.own = ship;
    if (wasShown && dashAt > this.#dashAt) this.onDash(ship);
    // Let go too early, it fizzles; the round's end puts it out.
    if (wasShown && beamAt === 0 && this.#beamAt !== 0 && this.#beamAt <= from.ownTick && this.#armed) this.onBeam(ship);
    this.#beamAt = beamAt;
    this.#dashAt = dashAt;
  }

  /**
   * @param {Ship} ship
   * @param {Record<string, number>} pose in world units and turns; the predicted one says its velocity too, per tick
   * @param {number} tickRate
   * @param {number} dt
   */
  #place(ship, pose, tickRate, dt) {
    const { x, y } = pose;
    const fresh = ship.frame !== this.#frame - 1 || Math.abs(x - ship.x) + Math.abs(y - ship.y) > JUMP_UNITS;
    if (fresh) {
      ship.vx = 0;
      ship.vy = 0;
      ship.charge = 0;
      ship.sinceHullHit = 9;
      ship.sinceShieldHit = 9;
    } else if (dt > 0) {
      // Public rows have no velocity: what matters here is how it looks, so the shown motion says it.
      const ease = 1 - Math.exp(-dt * 14);
      ship.vx += ((x - ship.x) / dt - ship.vx) * ease;
      ship.vy += ((y - ship.y) / dt - ship.vy) * ease;
    }
    if (pose.vx !== undefined) {
      ship.vx = pose.vx * tickRate;
      ship.vy = pose.vy * tickRate;
    }
    ship.frame = this.#frame;
    ship.x = x;
    ship.y = y;
    ship.heading = pose.heading * Math.PI * 2;
    ship.sinceHullHit += dt;
    ship.sinceShieldHit += dt;
  }

  /**
   * @param {Ship} ship
   * @param {number} flags
   * @param {Looks} looks
   * @param {number} dt
   */
  #flags(ship, flags, looks, dt) {
    ship.guarded = (flags & PROTECTED) !== 0;
    ship.dashing = (flags & DASH) !== 0;
    ship.firing = (flags & FIRING) !== 0;
    ship.rapid = (flags & RAPID) !== 0;
    ship.might = (flags & MIGHT) !== 0;
    if ((flags & CHARGED) !== 0) ship.charge = 1;
    else if ((flags & CHARGING) !== 0) ship.charge = Math.min(0.95, ship.charge + (dt * looks.tickRate) / looks.beamCharge);
    else ship.charge = 0;
  }
}
