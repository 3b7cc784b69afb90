// One measured client: the real core under the world's clock, with a screen that draws nothing and a pilot at the keys.

import { createClient } from '../../../client/net/index.js';
import { decodeClient } from '../../../client/protocol/index.js';
import { createAdapter } from '../../../client/arena/adapter.js';
import { Link, SplitMix } from './link.mjs';

/**
 * @typedef {object} Who
 * @property {string} [name]
 * @property {number} [hz] of the screen
 * @property {number} [joins] seconds after the beginning
 * @property {(person: Person) => Pilot} [pilot]
 * @property {(game: any) => any} [game] changes the game adapter, for mutations
 * @property {import('./link.mjs').Profile} [profile] instead of the world's
 * @property {(bytes: Uint8Array) => Uint8Array} [forge] changes what goes out: a client that lies
 */
/** @typedef {{ frame(person: Person): void, drawn?(person: Person): void }} Pilot `frame` is asked just before each frame */

/** The first byte of a message from a client is its number. */
const MESSAGE_INPUT = 1;
/** This client's quartz runs so much faster or slower than the server's, at most: parts per million. */
const DRIFT_PPM = 30;

export class Person {
  /**
   * @param {import('./world.mjs').World} world
   * @param {Who} who
   * @param {bigint} seed
   */
  constructor(world, who, seed) {
    this.world = world;
    this.name = who.name ?? 'Measured';
    this.hz = who.hz ?? 60;
    this.random = new SplitMix(seed);
    const profile = who.profile ?? world.profile;
    this.up = new Link(profile, 'up', this.random.next());
    this.down = new Link(profile, 'down', this.random.next());
    this.forge = who.forge ?? ((bytes) => bytes);
    this.viewer = -1;
    this.seat = -1;
    this.joins = Math.round((who.joins ?? 0) * 1e6);
    // The local clock: begins anywhere, and no two quartzes agree.
    this.origin = this.random.below(1_000_000_000);
    this.rate = 1 + ((this.random.below(2 * DRIFT_PPM + 1) - DRIFT_PPM) / 1e6);
    this.phase = this.random.below(Math.floor(1e6 / this.hz));
    this.frames = 0;
    /** @type {any} the last scene; the core uses the object again */
    this.scene = null;
    /** @type {((person: Person, scene: any) => void)[]} asked after every frame */
    this.onFrame = [];
    /** @type {((person: Person, reconcile: any) => void)[]} */
    this.onReconcile = [];
    /** @type {((person: Person, kind: string, fields: Record<string, number>, tick: number) => void)[]} */
    this.onEvent = [];
    /** @type {((person: Person, input: import('../../../client/protocol/messages.js').Input) => void)[]} asked for each input sent */
    this.onInput = [];
    this.resyncs = 0;
    /** The page stands still until then: no frame, no timer, and what arrives waits. */
    this.frozenUntil = 0;
    /** @type {null | { open(): void, message(bytes: Uint8Array): void, close(code: number): void }} */
    this.socket = null;
    const game = createAdapter();
    this.game = who.game ? who.game(game) : game;
    this.client = createClient({
      url: 'virtual', name: this.name, wish: { kind: 'quick' }, tier: 'delta', game: this.game,
      transport: (_url, events) => this.#open(events),
      clock: () => this.localMs,
      timers: { every: (ms, work) => this.#every(ms, work) },
      storage: null,
      random: () => this.chance(),
      on: {
        reconcile: (reconcile) => this.onReconcile.forEach((look) => look(this, reconcile)),
        event: (kind, fields, tick) => this.onEvent.forEach((look) => look(this, kind, fields, tick)),
        resync: () => { this.resyncs += 1; },
        closing: (reason) => { throw new Error(`${this.name} was closed: ${reason.text}`); },
      },
    });
    this.pilot = who.pilot?.(this) ?? { frame() {} };
  }

  start() {
    this.world.at(this.world.begin + this.joins, () => this.client.connect());
    this.world.at(this.world.begin + this.joins + this.phase, () => this.#frame(0));
  }

  /** @param {number} seconds */
  freeze(seconds) {
    this.frozenUntil = this.world.now + Math.round(seconds * 1e6);
  }

  /** What this client's clock shows. */
  get localMs() {
    return (this.origin + (this.world.now - this.world.begin) * this.rate) / 1000;
  }

  /** What must be added to this client's clock now to get the server's. */
  get trueOffset() {
    return this.world.now / 1000 - this.localMs;
  }

  chance() {
    return this.random.below(1 << 30) / (1 << 30);
  }

  /** True once the own ship is predicted. */
  get flies() {
    return this.scene !== null && this.scene.own !== null && this.client.phase === 'playing';
  }

  /**
   * The room sent something.
   * @param {number} at
   * @param {Uint8Array} bytes
   */
  deliver(at, bytes) {
    const { world } = this;
    const arrive = () => {
      if (world.now < this.frozenUntil) world.at(this.frozenUntil, arrive);
      else this.socket?.message(bytes);
    };
    world.at(this.down.send(at - world.begin) + world.begin, arrive);
  }

  /** @param {{ open(): void, message(bytes: Uint8Array): void, close(code: number): void }} events */
  #open(events) {
    const { world } = this;
    this.socket = events;
    // The handshake takes one round trip.
    world.at(this.down.send(this.up.send(world.now - world.begin)) + world.begin, () => events.open());
    return { send: (bytes) => this.#send(bytes), close: () => { this.socket = null; } };
  }

  /** @param {Uint8Array} bytes */
  #send(bytes) {
    const forged = this.forge(bytes);
    this.world.post(this, forged);
    if (forged[0] !== MESSAGE_INPUT || this.onInput.length === 0) return;
    const input = decodeClient(forged);
    if (input.type === 'input') for (const look of this.onInput) look(this, input);
  }

  /** @param {number} ms @param {() => void} work */
  #every(ms, work) {
    let on = true;
    const again = () => {
      if (!on) return;
      if (this.world.now >= this.frozenUntil) work();
      this.world.at(this.world.now + ms * 1000, again);
    };
    this.world.at(this.world.now + ms * 1000, again);
    return () => { on = false; };
  }

  /** @param {number} number */
  #frame(number) {
    const { world } = this;
    if (world.now < this.frozenUntil) {
      // The screen goes on, and the next picture comes when it would have come.
      const missed = Math.ceil(((this.frozenUntil - world.now) * this.hz) / 1e6);
      return world.at(this.#frameAt(number + missed), () => this.#frame(number + missed));
    }
    this.pilot.frame(this);
    this.scene = this.client.frame(this.localMs);
    this.frames += 1;
    this.pilot.drawn?.(this);
    for (const look of this.onFrame) look(this, this.scene);
    world.at(this.#frameAt(number + 1), () => this.#frame(number + 1));
  }

  /** @param {number} number */
  #frameAt(number) {
    return this.world.begin + this.joins + this.phase + Math.round((number * 1e6) / this.hz);
  }
}
