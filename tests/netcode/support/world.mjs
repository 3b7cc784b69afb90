// A match in virtual time: the real room in a child process, real client cores, seeded links between them, and one clock
// that all of them believe. Times are whole microseconds since the start of the server's clock.

import { Link, SplitMix } from './link.mjs';
import { Person } from './person.mjs';
import { RoomPipe } from './pipe.mjs';
import { Truth } from './truth.mjs';

/** The server's clock when the world begins: it ran before. */
const BEGIN = 7_000_000;
/** The server's own measurement of each session's round trip. */
const MEASURE_EVERY = 1_000_000;

/**
 * @typedef {object} Setting
 * @property {import('./link.mjs').Profile} profile
 * @property {number} seed
 * @property {number} [bots] the room's own
 * @property {object} [options] of Arena
 * @property {object} [config] of the room
 * @property {boolean} [inPage] the delay lies within the page: the browser answers WebSocket pings at once
 * @property {import('./person.mjs').Who[]} people
 */

export class World {
  /** @param {Setting} setting */
  static async open({ profile, seed, bots = 39, options = {}, config = {}, inPage = false, people }) {
    const seats = bots + people.length;
    const pipe = new RoomPipe();
    const settings = { seats_max: seats, fill_to: seats, ...config };
    await pipe.create(BEGIN, seed, { config: settings, options });
    return new World(pipe, profile, seed, seats, inPage, people);
  }

  /**
   * @param {RoomPipe} pipe
   * @param {import('./link.mjs').Profile} profile
   * @param {number} seed
   * @param {number} seats
   * @param {boolean} inPage
   * @param {import('./person.mjs').Who[]} people
   */
  constructor(pipe, profile, seed, seats, inPage, people) {
    this.pipe = pipe;
    this.profile = profile;
    this.seed = seed;
    this.inPage = inPage;
    this.random = new SplitMix(BigInt(seed) ^ 0x9e37n);
    this.now = BEGIN;
    this.begin = BEGIN;
    this.nextTickAt = BEGIN;
    this.truth = new Truth(seats);
    this.queue = new Queue();
    /** Messages on their way to the room. */
    this.inbound = new Queue();
    /** @type {{ viewer: number, at: number, bytes: Uint8Array }[]} that have arrived and wait for the next tick */
    this.arrived = [];
    /** @type {{ viewer: number, rtt: number }[]} measured, and not yet told to the room */
    this.measured = [];
    /** Ticks of time before the first tick, in which the room rested. */
    this.skipped = 0;
    /** The server's process stands still until then; what arrives waits. */
    this.stoppedUntil = 0;
    this.stopTold = true;
    /** @type {Map<number, Person>} */
    this.viewers = new Map();
    /** @type {((truth: Truth, tick: number) => void)[]} asked after every tick */
    this.onTick = [];
    /** @type {((taken: { viewer: number, seq: number, stamp: number, next: number, tick: number }) => void)[]} */
    this.onTaken = [];
    this.people = people.map((who, i) => new Person(this, who, this.random.next() ^ BigInt(i)));
    this.people.forEach((person) => person.start());
  }

  close() {
    this.pipe.close();
  }

  /** Seconds since the beginning. */
  get seconds() {
    return (this.now - this.begin) / 1e6;
  }

  /** A number from 0 to below 1. */
  chance() {
    return this.random.below(1 << 30) / (1 << 30);
  }

  /**
   * @param {number} at
   * @param {() => void} work
   */
  at(at, work) {
    this.queue.push(Math.max(at, this.now), work);
  }

  /**
   * A client's message is on its way.
   * @param {Person} person
   * @param {Uint8Array} bytes
   */
  post(person, bytes) {
    this.inbound.push(person.up.send(this.now - this.begin) + this.begin, { person, bytes });
  }

  /**
   * The server's process is stopped, as by SIGSTOP.
   * @param {number} seconds
   */
  stop(seconds) {
    this.stoppedUntil = this.now + Math.round(seconds * 1e6);
    this.stopTold = false;
  }

  /** The server's tick now, a fraction. */
  get serverTick() {
    return ((this.now - this.begin) * 60) / 1e6 - this.skipped;
  }

  /** @param {number} seconds of virtual time */
  async run(seconds) {
    const until = this.now + Math.round(seconds * 1e6);
    for (;;) {
      const mine = this.queue.first;
      // What arrives waits for the next tick, unless it must be answered at once.
      const mail = this.inbound.first;
      const server = Math.max(Math.min(this.nextTickAt, mail), this.stopTold ? 0 : this.stoppedUntil);
      const at = Math.min(mine, server);
      if (at > until) break;
      this.now = at;
      if (server <= mine) await this.#serve(at, mail <= this.nextTickAt);
      else this.queue.pop()();
    }
    this.now = until;
  }

  /**
   * @param {number} at
   * @param {boolean} mail
   */
  async #serve(at, mail) {
    if (!mail) return this.#advance(at);
    const { person, bytes } = this.inbound.pop();
    // The message's number is its first byte: Hello makes a session, Ping is answered on arrival, the rest can wait.
    if (bytes[0] === 0) return this.#join(person, at);
    if (person.viewer < 0) return;
    this.arrived.push({ viewer: person.viewer, at, bytes });
    if (bytes[0] === 2) await this.#advance(at);
  }

  /** @param {number} at */
  async #advance(at) {
    const messages = this.arrived;
    this.arrived = [];
    const stopped = !this.stopTold;
    if (stopped) await this.pipe.stop(this.stoppedUntil);
    this.stopTold = true;
    for (const { viewer, rtt } of this.measured.splice(0)) await this.pipe.rtt(viewer, rtt);
    const { nextTickAt, sent, truths, taken } = await this.pipe.advance(at, messages);
    this.nextTickAt = nextTickAt;
    for (const reader of truths) {
      this.truth.read(reader);
      if (this.truth.newest === 1) this.skipped = Math.round(((at - this.begin) * 60) / 1e6) - 1;
      for (const look of this.onTick) look(this.truth, this.truth.newest);
    }
    if (stopped) this.skipped = Math.floor(((at - this.begin) * 60) / 1e6 + 1e-6) - this.truth.newest;
    for (const one of taken) for (const look of this.onTaken) look(one);
    for (const { viewer, at: when, bytes } of sent) this.viewers.get(viewer)?.deliver(when, bytes);
  }

  /**
   * @param {Person} person
   * @param {number} at
   */
  async #join(person, at) {
    await this.#advance(at);
    const { viewer, seat, welcome } = await this.pipe.join(at, { name: person.name });
    person.viewer = viewer;
    person.seat = seat;
    this.viewers.set(viewer, person);
    person.deliver(at, welcome);
    // From now on the room runs; while it was empty it rested.
    await this.#advance(at);
    this.#measure(person);
  }

  /** @param {Person} person */
  #measure(person) {
    const sent = this.now;
    const there = person.down.send(sent - this.begin) + this.begin;
    this.at(there, () => {
      const back = person.up.send(this.now - this.begin) + this.begin;
      this.at(back, () => {
        this.measured.push({ viewer: person.viewer, rtt: this.inPage ? 0 : back - sent });
      });
    });
    this.at(sent + MEASURE_EVERY, () => this.#measure(person));
  }
}

/** What happens when: a binary heap, first come first served at equal times. */
export class Queue {
  constructor() {
    /** @type {{ at: number, order: number, value: any }[]} */
    this.heap = [];
    this.order = 0;
  }

  get first() {
    return this.heap.length > 0 ? this.heap[0].at : Infinity;
  }

  /**
   * @param {number} at
   * @param {any} value
   */
  push(at, value) {
    const { heap } = this;
    const entry = { at, order: this.order++, value };
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(entry, heap[parent])) break;
      heap[place] = heap[parent];
      place = parent;
    }
    heap[place] = entry;
  }

  pop() {
    const { heap } = this;
    const top = heap[0];
    const last = /** @type {typeof top} */ (heap.pop());
    if (heap.length > 0) {
      let place = 0;
      for (;;) {
        let child = 2 * place + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child += 1;
        if (!before(heap[child], last)) break;
        heap[place] = heap[child];
        place = child;
      }
      heap[place] = last;
    }
    return top.value;
  }
}

/** @param {{ at: number, order: number }} a @param {{ at: number, order: number }} b */
function before(a, b) {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
