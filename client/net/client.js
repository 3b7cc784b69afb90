// The client core: one object between a page (or a test) and the server. README.md in this folder is its manual.

import { PROTOCOL_VERSION, closeReason } from '../protocol/index.js';
import { Scene } from '../predict/index.js';
import { Connection, PAUSED_MS } from './connection.js';
import { Farewell } from './farewell.js';
import { KeptSeat } from './resume.js';
import { Session } from './session.js';
import { Rates } from './stats.js';
import { Steady } from './steady.js';

/** @typedef {import('../protocol/messages.js').Wish} Wish */
/** @typedef {import('../protocol/messages.js').Tier} Tier */
/** @typedef {import('../protocol/messages.js').Welcome} Welcome */
/** @typedef {import('../protocol/messages.js').Occupant} Occupant */
/** @typedef {import('../protocol/close.js').CloseReason} CloseReason */
/** @typedef {import('../predict/prediction.js').GameAdapter} GameAdapter */
/** @typedef {import('../predict/prediction.js').Reconcile} Reconcile */
/** @typedef {import('./connection.js').Status} Status */
/** @typedef {import('./connection.js').Transport} Transport */
/** @typedef {import('./session.js').Switches} Switches */
/**
 * @typedef {object} Listeners
 * @property {(welcome: Welcome) => void} [welcome]
 * @property {(status: Status) => void} [status]
 * @property {(roster: Map<number, Occupant>) => void} [roster]
 * @property {(reason: CloseReason) => void} [closing]
 * @property {(kind: string, fields: Record<string, number>, tick: number) => void} [event]
 * @property {(why: string) => void} [resync]
 * @property {(reconcile: Reconcile) => void} [reconcile] after each reconciliation, for measurements
 */
/**
 * @typedef {object} ClientOptions
 * @property {string} url
 * @property {string} [name]
 * @property {Wish} [wish]
 * @property {Tier} [tier]
 * @property {GameAdapter | null} [game]
 * @property {Transport} transport
 * @property {() => number} clock
 * @property {{ every(ms: number, work: () => void): () => void } | null} [timers] null: whoever owns the client calls poll(now)
 * @property {((work: () => void) => () => void) | null} [returns] calls whenever the page comes back (visible again, network
 *   back) until the answer is called; null: whoever owns the client calls wake()
 * @property {import('./resume.js').SeatStorage | null} [storage]
 * @property {() => number} [random]
 * @property {boolean} [rejoin] join like anybody, without asking, when the seat is gone at a reconnect; true unless told
 * @property {Listeners} [on]
 */

/** How often the client looks whether something is due while no frame is drawn. */
const POLL_EVERY_MS = 50;
/** Who was not drawn for so long was away: hidden, asleep, another workspace. The connection may have died meanwhile. */
const AWAY_MS = 5000;

/** @param {ClientOptions} options */
export function createClient(options) {
  return new Client(options);
}

/** @param {string} text @returns {CloseReason} */
const otherVersion = (text) => ({ ...closeReason(4002), text });

/** @param {unknown} error @returns {CloseReason} */
const failed = (error) => ({
  ...closeReason(1006), name: 'page_failed', action: 'reload', text: `This page has a mistake and cannot go on: ${error}. Reload it.`,
});

export class Client {
  /** @param {ClientOptions} options */
  constructor({ url, name = '', wish = { kind: 'quick' }, tier = 'delta', game = null, transport, clock, timers = null,
    returns = null, storage = null, random = () => 0.5, rejoin = true, on = {} }) {
    this.url = url;
    this.name = name;
    /** @type {Wish} */
    this.wish = wish;
    this.tier = tier;
    this.game = game;
    this.transport = transport;
    this.time = new Steady(clock);
    this.random = random;
    this.kept = new KeptSeat(storage, url);
    this.parked = false;
    this.rejoin = rejoin;
    this.on = on;
    /** @type {Switches} */
    this.switches = { prediction: true, smoothing: true, interpolation: true, lagCompensation: true };
    /** @type {Session | null} */
    this.session = null;
    this.resumed = false;
    this.code = '';
    this.reconnects = 0;
    this.hidden = false;
    /** @type {Map<string, number>} Levels survive a reconnect: a key that is down stays down. */
    this.levels = new Map();
    this.blank = new Scene([]);
    this.rates = new Rates();
    this.connection = this.#newConnection();
    /** @type {Farewell | null} */
    this.farewell = null;
    this.timers = timers;
    this.stopTimer = () => {};
    this.returns = returns;
    this.stopReturns = () => {};
    /** When anything of this page last ran, and when a frame was last drawn. */
    this.ran = Infinity;
    this.framed = Infinity;
  }

  #newConnection() {
    return new Connection(this.url, this.transport, () => this.time.now(), this.random, {
      hello: () => this.#hello(),
      message: (message) => this.#message(message),
      ended: (reason) => this.#ended(reason),
      closing: (reason) => this.on.closing?.(reason),
      status: (status) => this.on.status?.(status),
    });
  }

  get status() {
    return this.connection.status;
  }

  get phase() {
    return this.connection.status.phase;
  }

  /** The last Welcome, null before the first. */
  get welcome() {
    return this.session?.welcome ?? null;
  }

  /** The seat number; null for a spectator and before the first Welcome. */
  get seat() {
    return this.session?.welcome.seat ?? null;
  }

  /** Names by seat. @returns {Map<number, Occupant>} */
  get roster() {
    return this.session?.roster.seats ?? new Map();
  }

  connect() {
    this.parked = false;
    this.stopTimer();
    this.stopReturns();
    this.ran = Infinity;
    this.framed = Infinity;
    this.stopTimer = this.timers?.every(POLL_EVERY_MS, () => this.poll(this.time.clock())) ?? (() => {});
    this.stopReturns = this.returns?.(() => this.wake()) ?? (() => {});
    this.connection.connect();
  }

  /** Reconnects now instead of at `status.retryAt`; after a final close, begins again. */
  retry() {
    if (this.phase === 'closed' || this.phase === 'idle') this.connect();
    else if (this.phase === 'waiting') this.connection.connect();
  }

  /**
   * The page is back (visible again, network back): asks at once whether the connection still lives, and reconnects if no
   * answer comes; who waits to reconnect waits no longer. `returns` calls it, and a long gap between frames.
   */
  wake() {
    const now = this.time.now();
    const { phase, reason } = this.status;
    if (phase === 'closed' && reason?.action === 'retry') return this.connect();
    if (phase === 'playing') this.session?.resume(now);
    this.connection.probe(now, this.session?.clock.rttMin ?? 0);
  }

  /**
   * The page is put away (the browser's history), and with it the session; the seat stays kept. `connect()` comes back.
   */
  park() {
    this.parked = true;
    this.#stop();
    // For no reason that anybody would reconnect by themselves.
    this.connection.close(closeReason(1000));
  }

  /** True if `connect()` would take a seat back. */
  get canResume() {
    return this.kept.peek(this.wish) !== null;
  }

  /** Gives the seat up, also while there is no connection: then one is made for this, in the background. */
  leave() {
    const { connection } = this;
    const resumes = this.canResume;
    const waits = this.phase === 'waiting' && resumes;
    const joins = this.phase === 'connecting' && (resumes || (this.wish.kind !== 'spectate' && connection.open));
    if (waits || joins) {
      this.farewell?.connection.close(closeReason(1000));
      this.connection = this.#newConnection();
      this.farewell = new Farewell(connection, this.#hello(), this.time.now());
    } else connection.send({ type: 'leave' });
    this.kept.forget();
    this.#stop();
    this.connection.close(closeReason(1000));
  }

  /**
   * Everything that is due and needs no frame. Timers call it; without them, call it yourself.
   * @param {number} now
   */
  poll(now) {
    const time = this.time.of(now);
    this.farewell?.poll(time);
    if (this.farewell?.done) {
      this.farewell = null;
      if (this.phase === 'closed') this.#stop();
    }
    this.connection.poll(time);
    this.#notice(time);
    if (this.phase === 'playing') this.session?.poll(time);
    this.rates.poll(time, this.connection, this.session);
  }

  /**
   * Once per rendered frame.
   * @param {number} now
   */
  frame(now) {
    this.poll(now);
    const time = this.time.of(now);
    if (time - this.framed > AWAY_MS) this.wake();
    this.framed = time;
    const { session } = this;
    if (!session) {
      this.blank.phase = this.phase;
      return this.blank;
    }
    const { scene } = session.stage;
    scene.phase = this.phase;
    if (this.phase !== 'playing') {
      scene.stale = true;
      return scene;
    }
    session.lagCompensation = this.switches.lagCompensation;
    return session.frame(time, this.switches);
  }

  /** @param {Record<string, number>} levels by the names of the schema's input fields */
  setControls(levels) {
    for (const [name, value] of Object.entries(levels)) {
      this.levels.set(name, value);
      this.session?.inputs.setLevel(name, value);
    }
  }

  /** @param {string} name a press counter of the schema */
  press(name) {
    if (this.phase === 'playing') this.session?.inputs.press(name);
  }

  /** @param {boolean} hidden */
  setHidden(hidden) {
    if (hidden === this.hidden) return;
    this.hidden = hidden;
    const now = this.time.now();
    this.connection.poll(now);
    if (!hidden) this.wake();
    if (this.phase === 'playing') this.session?.setHidden(hidden, now);
  }

  /**
   * @param {keyof Switches} technique
   * @param {boolean} on
   */
  set(technique, on) {
    if (!(technique in this.switches)) throw new Error(`there is no technique '${technique}'`);
    this.switches[technique] = on;
  }

  /**
   * The newest rows of a kind, not delayed.
   * @param {string} kind
   */
  latest(kind) {
    return this.session?.latest(kind) ?? [];
  }

  /**
   * Whoever sits there, or sat there last: for what is told of somebody who has just left.
   * @param {number} seat
   */
  lastNameOf(seat) {
    return this.nameOf(seat) ?? this.session?.roster.former.get(seat) ?? null;
  }

  /** @param {number} seat */
  nameOf(seat) {
    return this.session?.roster.seats.get(seat) ?? null;
  }

  /** Numbers for the net graph. */
  stats() {
    return this.rates.stats(this.time.now(), this.session, this.reconnects);
  }

  /**
   * Something of this page runs. If nothing did for a while, what was under way meanwhile says nothing of the network.
   * @param {number} now
   */
  #notice(now) {
    const gap = now - this.ran;
    this.ran = now;
    if (gap > AWAY_MS) this.wake();
    else if (gap > PAUSED_MS && this.phase === 'playing') this.session?.resume(now, false);
  }

  #hello() {
    return /** @type {const} */ ({
      type: 'hello', protocol: PROTOCOL_VERSION, name: this.name, wish: this.wish, tier: this.tier,
      resume: this.kept.recall(this.wish), features: 0,
    });
  }

  /** @param {import('../protocol/messages.js').ServerMessage} message */
  #message(message) {
    const now = this.time.now();
    this.#notice(now);
    if (message.type !== 'welcome') return this.session?.handle(message, now);
    if (message.protocol !== PROTOCOL_VERSION) return this.#refuse(otherVersion('This page and the server speak different versions. Reload the page.'));
    let session;
    try {
      this.game?.start(message);
      session = this.#newSession(message);
    } catch (error) {
      // What a game refuses is an Error with a sentence. Anything else is a mistake in it, and no other version's fault.
      if (error instanceof Error && error.constructor === Error) return this.#refuse(otherVersion(error.message));
      this.#refuse(failed(error));
      throw error;
    }
    this.#begin(message, session);
  }

  /** @param {Welcome} welcome */
  #newSession(welcome) {
    const { on } = this;
    return new Session(welcome, this.time.now(), this.game, {
      send: (message) => this.connection.send(message),
      event: (kind, fields, tick) => on.event?.(kind, fields, tick),
      roster: (seats) => on.roster?.(seats),
      resync: (why) => on.resync?.(why),
      reconciled: (reconcile) => on.reconcile?.(reconcile),
    });
  }

  /**
   * @param {Welcome} welcome
   * @param {Session} session
   */
  #begin(welcome, session) {
    if (this.session) this.reconnects += 1;
    this.session = session;
    for (const [name, value] of this.levels) {
      const field = welcome.schema.inputs.find((input) => input.name === name);
      if (field?.sort === 'level') session.inputs.setLevel(name, value);
    }
    if (this.hidden) session.setHidden(true, this.time.now());
    this.code = welcome.code;
    this.kept.keep(welcome.token, welcome.code);
    // The next session looks for the same room, not for another new one.
    if (this.wish.kind === 'create') this.wish = { kind: 'code', code: welcome.code };
    if (this.wish.kind === 'spectate') this.wish = { kind: 'spectate', code: welcome.code };
    // Last, so that a listener that throws finds a session that goes on.
    this.on.welcome?.(welcome);
  }

  /**
   * This page can't play what the server serves: a sentence instead of a drifting ship.
   * @param {CloseReason} reason
   */
  #refuse(reason) {
    this.connection.send({ type: 'leave' });
    this.kept.forget();
    this.#stop();
    try {
      this.on.closing?.(reason);
    } finally {
      this.connection.close(reason);
    }
  }

  /**
   * @param {CloseReason} reason
   * @returns {CloseReason['action']}
   */
  #ended(reason) {
    if (reason.action === 'retry') return 'retry';
    const tried = this.kept.token !== null;
    this.kept.forget();
    // The seat was kept for too short or the server began anew: the player wants to play, so they join like anybody.
    if (reason.name === 'seat_gone' && tried && this.rejoin) return 'retry';
    this.#stop();
    return reason.action;
  }

  #stop() {
    this.stopReturns();
    this.stopReturns = () => {};
    // A farewell needs the time until it is over.
    if (this.farewell !== null) return;
    this.stopTimer();
    this.stopTimer = () => {};
  }
}
