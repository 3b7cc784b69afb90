// A toy game and its server, written apart from the client code that it tests: its own input queue, by the server's rule.

import {
  FLAG_DIGEST, FLAG_NO_INPUT, FLAG_STARVED, PROTOCOL_VERSION, decodeClient, digestOf, encodeBody, encodeServer, quantise, rulesHash,
} from '../../protocol/index.js';

import { Limiter } from './limiter.js';

const UNIT = 4096;
const WALL = 400 * UNIT;
/** @type {(name: string, interpolation: import('../../protocol/schema.js').Interpolation, scale?: number, dropBits?: number) => import('../../protocol/schema.js').Field} */
const field = (name, interpolation, scale = 1, dropBits = 0) => ({ name, interpolation, scale, dropBits, changeOrder: 4, valueOrder: 9 });

/** @type {import('../../protocol/schema.js').Schema} */
export const TOY = {
  game: 'toy',
  rules: 1,
  kinds: [
    { name: 'ship', private: false, constant: false, fields: [field('x', 'linear', UNIT, 10), field('y', 'linear', UNIT, 10), field('heading', 'angle', 65_536, 8), field('seat', 'step'), field('life', 'step')] },
    { name: 'own', private: true, constant: false, fields: ['x', 'y', 'vx', 'vy'].map((n) => field(n, 'linear', UNIT)).concat(field('heading', 'angle', 65_536), field('dashes', 'step'), field('life', 'step'), field('shots', 'step')) },
    { name: 'bolt', private: false, constant: true, fields: [field('x', 'step', UNIT, 4), field('vx', 'step', UNIT, 4), field('born', 'tick'), field('seat', 'step')] },
    { name: 'score', private: false, constant: false, fields: [field('seat', 'step'), field('points', 'step')] },
  ],
  inputs: [
    { name: 'thrust', min: -10, max: 10, neutral: 0, sort: 'level' },
    { name: 'turn', min: -10, max: 10, neutral: 0, sort: 'level' },
    { name: 'fire', min: 0, max: 1, neutral: 0, sort: 'level' },
    { name: 'dash', min: 0, max: 255, neutral: null, sort: 'press' },
  ],
  events: [{ name: 'tock', fields: [field('number', 'step')] }],
};

/** @typedef {{ x: number, y: number, vx: number, vy: number, heading: number, dashes: number, life: number, shots: number }} Ship */
const WORDS = /** @type {const} */ (['x', 'y', 'vx', 'vy', 'heading', 'dashes', 'life', 'shots']);

/** @returns {Ship} */
export const newShip = () => ({ x: 0, y: 0, vx: 0, vy: 0, heading: 0, dashes: 0, life: 1, shots: 0 });

/** @param {number} v */
const drag = (v) => (v >= 0 ? v - ((v + 63) >> 6) : v + ((-v + 63) >> 6));

/**
 * One tick of a ship. Returns the bolt that it fires.
 * @param {Ship} ship
 * @param {ArrayLike<number>} levels
 * @param {ArrayLike<number>} presses
 * @param {number} tick
 */
export function stepToy(ship, levels, presses, tick) {
  ship.vx = drag(ship.vx + levels[0] * 60);
  ship.vy = drag(ship.vy + levels[1] * 30);
  ship.heading = (ship.heading + levels[1] * 70) & 65_535;
  if (presses[3] > 0) {
    ship.dashes += presses[3];
    ship.vx += ship.vx >= 0 ? 4000 : -4000;
  }
  ship.x += ship.vx;
  ship.y += ship.vy;
  if (ship.x > WALL || ship.x < -WALL) {
    ship.x = Math.max(-WALL, Math.min(WALL, ship.x));
    ship.vx = -ship.vx;
  }
  if (levels[2] === 0 || tick % 12 !== 0) return null;
  ship.shots += 1;
  return { x: ship.x, vx: 5 * UNIT, born: tick };
}

/** The toy's adapter. @type {() => import('../../predict/prediction.js').GameAdapter} */
export const toyAdapter = () => ({
  start(welcome) {
    if (welcome.schema.game !== 'toy') throw new Error('This page plays the toy only.');
  },
  create: newShip,
  copy: (to, from) => Object.assign(to, from),
  load(state, view) {
    const own = view.indexOf('own');
    for (let i = 0; i < view.count; i++) {
      const slot = view.slots[i];
      if (view.kindOf[slot] !== own) continue;
      WORDS.forEach((word, f) => {
        state[word] = view.exact(slot, f);
      });
      return true;
    }
    return false;
  },
  step(state, input, spawns) {
    const bolt = stepToy(state, input.levels, input.presses, input.tick);
    if (bolt) spawns('bolt', bolt);
  },
  pose(state, out) {
    out.x = state.x / UNIT;
    out.y = state.y / UNIT;
    out.heading = state.heading / 65_536;
  },
  words(state, out) {
    for (const word of WORDS) out.push(state[word]);
  },
  life: (state) => state.life,
  isMine: (kind, row, seat) => row.seat === seat,
  birth: (kind, row) => row.born,
  breaks: { ship: { changed: ['life'] } },
  ownTimeline: ['bolt'],
});

/** The server's queue of one seat's inputs, by the text of the rule. */
class Queue {
  constructor() {
    /** @type {{ seq: number, due: number, row: number[], seenAgo: number }[]} */
    this.waiting = [];
    this.lastSeq = 0;
    this.lastDue = 0;
    this.ack = 0;
    this.levels = [0, 0, 0, 0];
    /** @type {number | null} */
    this.counter = null;
    this.starved = true;
    /** @type {number | null} */
    this.margin = null;
    /** @type {number[]} */
    this.waits = [];
    this.late = 0;
    this.taken = 0;
    this.seenAgo = 0;
  }

  /** @param {any} input @param {number} next */
  push(input, next) {
    if (input.seq <= this.lastSeq) return;
    this.lastSeq = input.seq;
    const early = input.tick - next;
    this.margin = this.margin === null ? early : Math.min(this.margin, early);
    this.taken += 1;
    if (early < 0) this.late += 1;
    else this.waits.push(early);
    this.lastDue = Math.max(Math.min(input.tick, next + 30), next, this.lastDue);
    this.waiting.push({ seq: input.seq, due: this.lastDue, row: [...input.row], seenAgo: input.seenAgo });
  }

  /** @param {number} tick */
  take(tick) {
    let newest = null;
    while (this.waiting.length > 0 && this.waiting[0].due <= tick) newest = this.waiting.shift();
    const presses = [0, 0, 0, 0];
    if (newest) {
      this.levels = [...newest.row.slice(0, 3), 0];
      if (this.counter !== null) presses[3] = Math.min(2, (newest.row[3] - this.counter) & 255);
      this.counter = newest.row[3];
      this.ack = newest.seq;
      this.seenAgo = newest.seenAgo;
      this.starved = false;
    } else if (!this.starved && tick - this.lastDue > 15) {
      this.starved = true;
      this.levels = [0, 0, 0, 0];
    }
    return { levels: this.levels, presses };
  }
}

/** @typedef {{ id: number, kind: number, fields: number[] }} Row exact values */

/** Quantises exact rows, ascending. @param {Row[]} rows */
const onWire = (rows) => rows.map((row) => ({ ...row, fields: row.fields.map((value, f) => quantise(TOY.kinds[row.kind].fields[f], value)) })).sort((a, b) => a.id - b.id);

/** Ticks that are made up for when the server was late; time beyond that is skipped, as src/sim/clock.rs does. */
const CATCH_UP_MAX = 5;

/**
 * One seat and some bots, 60 ticks and 30 snapshots a second. Sessions come and go, the seat stays. Each session may send as
 * much as a real server lets it.
 */
export class ToyServer {
  /**
   * @param {import('./world.js').World} world
   * @param {{ bots?: number, epoch?: number, heartbeat?: number }} [options]
   */
  constructor(world, { bots = 3, epoch = 0, heartbeat = 6 } = {}) {
    this.world = world;
    this.epoch = epoch;
    this.heartbeat = heartbeat;
    this.tick = 0;
    this.skipped = 0;
    this.ship = newShip();
    /** @type {{ id: number, x: number, vx: number, born: number, seat: number }[]} */
    this.bolts = [];
    this.queue = new Queue();
    this.bots = Array.from({ length: bots }, (_, i) => ({ id: 10 + i, ship: { ...newShip(), x: i * 40 * UNIT } }));
    this.alive = true;
    /** Truth: exact rows by tick. @type {Map<number, Row[]>} */
    this.truth = new Map();
    /** @type {Map<number, number[]>} */
    this.words = new Map();
    /** @type {((bytes: Uint8Array) => void) | null} */
    this.out = null;
    /** @type {any} */
    this.hello = null;
    this.sentTick = 0;
    /** @type {Row[]} */
    this.sentRows = [];
    this.sentAck = -1;
    this.sentAt = 0;
    this.bytes = 0;
    this.messages = { input: 0, ping: 0, resync: 0, leave: 0, hello: 0 };
    /** Snapshots that are lost on purpose (a bug of the server): the client must ask for a resync. */
    this.loseTicks = new Set();
    this.token = new Uint8Array(16).fill(7);
    /** Ends the session's socket. @type {(code: number) => void} */
    this.cut = () => {};
    this.limiter = new Limiter(world.now);
    /** The process stands still until then, and what arrives waits. */
    this.stoppedUntil = 0;
    /** @type {(() => void)[]} */
    this.waiting = [];
    this.step = () => {
      if (world.now < this.stoppedUntil) return world.schedule(this.stoppedUntil, this.step);
      for (const arrived of this.waiting.splice(0)) arrived();
      const due = Math.floor((world.now * 60) / 1000 + 1e-6) - this.skipped - this.tick;
      this.skipped += Math.max(0, due - CATCH_UP_MAX);
      for (let i = Math.min(due, CATCH_UP_MAX); i > 0; i--) this.#simulate();
      this.world.schedule(this.timeOf(this.tick + 1), this.step);
    };
    world.schedule(this.timeOf(1), this.step);
  }

  /**
   * The process is stopped for so long, as by SIGSTOP: no tick, no answer; what arrives is read afterwards.
   * @param {number} ms
   */
  stop(ms) {
    this.stoppedUntil = this.world.now + ms;
  }

  /** World time of a tick. @param {number} tick */
  timeOf(tick) {
    return ((tick + this.skipped) * 1000) / 60;
  }

  /** The server's clock. */
  get micros() {
    return Math.round(this.epoch * 1000 + this.world.now * 1000);
  }

  /** @param {() => void} work at once, or when the process goes on */
  whenRunning(work) {
    if (this.world.now < this.stoppedUntil) this.waiting.push(work);
    else work();
  }

  /**
   * So many ticks pass in which nothing changes: those of a day, which nobody wants to wait for.
   * @param {number} ticks
   */
  leap(ticks) {
    this.tick += ticks;
    this.sentTick = 0;
    this.bolts.length = 0;
  }

  /**
   * A new session: of the old one nothing is heard any more.
   * @param {(bytes: Uint8Array) => void} out
   * @param {(code: number) => void} cut
   */
  accept(out, cut) {
    this.out = out;
    this.cut = cut;
    this.limiter = new Limiter(this.world.now);
  }

  /** @param {Uint8Array} bytes */
  receive(bytes) {
    if (this.world.now < this.stoppedUntil) {
      const { out } = this;
      return this.whenRunning(() => { if (this.out === out) this.receive(bytes); });
    }
    if (!this.limiter.charge(bytes.length, this.world.now, this.stoppedUntil || -Infinity)) {
      this.#send({ type: 'closing', code: 1008, text: 'This client sends more than the server allows. Slow down and reconnect.' });
      this.cut(1008);
      return;
    }
    const message = decodeClient(bytes);
    this.messages[message.type] += 1;
    if (message.type === 'hello') this.#welcome(message);
    else if (message.type === 'input') this.queue.push(message, this.tick + 1);
    else if (message.type === 'ping') this.#send({ type: 'pong', time: Number(message.time), serverTime: this.micros });
    else if (message.type === 'resync') this.sentTick = 0;
  }

  /** @param {any} message */
  #send(message) {
    const bytes = encodeServer(message);
    this.bytes += bytes.length;
    this.out?.(bytes);
  }

  /** @param {any} hello */
  #welcome(hello) {
    const resumed = hello.resume !== null && this.hello !== null;
    this.hello = hello;
    this.queue = new Queue();
    this.sentTick = 0;
    const tuning = new Uint8Array([1, 2, 3]);
    this.#send({
      type: 'welcome', protocol: PROTOCOL_VERSION, features: 0, schema: TOY, tuning, rulesHash: rulesHash(TOY, tuning),
      seat: hello.wish.kind === 'spectate' ? null : 0, token: hello.wish.kind === 'spectate' ? null : this.token,
      seatKeptMs: 30_000, resumed, code: 'TOYS', tickRate: 60, ticksPerSnapshot: 2, epoch: this.epoch * 1000, tick: this.tick,
      skipped: this.skipped,
    });
    this.#send({ type: 'roster', since: 0, version: 1, entries: [{ seat: 0, who: { name: hello.name, presence: 'here' } }] });
  }

  #simulate() {
    this.tick += 1;
    const { levels, presses } = this.queue.take(this.tick);
    if (this.alive) {
      const bolt = stepToy(this.ship, levels, presses, this.tick);
      if (bolt) this.bolts.push({ ...bolt, id: 1000 + this.tick, seat: 0 });
    }
    this.bolts = this.bolts.filter((bolt) => this.tick - bolt.born < 60);
    for (const { id, ship } of this.bots) {
      const phase = Math.floor(this.tick / 40 + id) % 4;
      stepToy(ship, [phase < 2 ? 10 : -10, phase % 2 === 0 ? 8 : -8, 0, 0], [0, 0, 0, 0], this.tick);
    }
    const rows = this.rows();
    this.truth.set(this.tick, rows);
    this.words.set(this.tick, WORDS.map((word) => this.ship[word]));
    if (this.tick % 2 === 0 && this.out) this.#snapshot(rows);
  }

  /** @returns {Row[]} */
  rows() {
    const { ship } = this;
    /** @type {Row[]} */
    const rows = this.bots.map((bot) => ({ id: bot.id, kind: 0, fields: [bot.ship.x, bot.ship.y, bot.ship.heading, bot.id, 1] }));
    for (const { id, x, vx, born, seat } of this.bolts) rows.push({ id, kind: 2, fields: [x, vx, born, seat] });
    rows.push({ id: 3, kind: 3, fields: [0, ship.dashes] });
    if (this.alive) {
      rows.push({ id: 1, kind: 0, fields: [ship.x, ship.y, ship.heading, 0, ship.life] });
      if (this.hello?.wish.kind !== 'spectate') rows.push({ id: 2, kind: 1, fields: WORDS.map((word) => ship[word]) });
    }
    return rows;
  }

  /** @param {Row[]} exact */
  #snapshot(exact) {
    const rows = onWire(exact);
    const full = this.sentTick === 0;
    const unchanged = JSON.stringify(rows) === JSON.stringify(this.sentRows) && this.queue.ack === this.sentAck;
    const events = this.tick % 60 === 0 ? [{ kind: 0, age: 1, fields: [this.tick] }] : [];
    if (!full && unchanged && events.length === 0 && this.tick - this.sentAt < this.heartbeat) {
      this.sentTick = this.tick;
      return;
    }
    const digest = this.tick % 60 < 2 ? digestOf(rows) : null;
    const { margin, starved, ack } = this.queue;
    const body = encodeBody(TOY, this.tick, full ? [] : this.sentRows, rows, { digest, events });
    const flags = (digest === null ? 0 : FLAG_DIGEST) | (margin === null ? FLAG_NO_INPUT : 0) | (starved ? FLAG_STARVED : 0);
    const header = { tick: this.tick, base: full ? 0 : this.tick - this.sentTick, ack, margin: Math.max(-128, Math.min(127, margin ?? 0)), flags, lateness: 3, skipped: this.skipped };
    if (!this.loseTicks.has(this.tick)) this.#send({ type: 'snapshot', ...header, bytes: body, bodyAt: 0 });
    this.queue.margin = null;
    this.sentRows = rows;
    this.sentTick = this.tick;
    this.sentAck = ack;
    this.sentAt = this.tick;
  }
}
