// A worse connection, made within the page: what `tickroom lag` does to bytes between two machines, done to whole messages
// between the socket and the client. It delays, jitters and stalls, but it never drops and never reorders, as TCP.
//
// While it is switched off and nothing is under way, a message goes straight through.

/** @typedef {import('./connection.js').Transport} Transport */
/**
 * @typedef {object} Trouble All in milliseconds.
 * @property {number} rtt there and back, without jitter; each way takes half of it
 * @property {number} jitter each way's delay is spread evenly over this width, half of it less to half of it more; at most `rtt`
 * @property {number} stall how long nothing comes through, either way
 * @property {number} stallEvery from the start of one stall to the start of the next; the first comes after this time
 */

/** @type {Trouble} */
const NONE = { rtt: 0, jitter: 0, stall: 0, stallEvery: 0 };

export class Lag {
  /**
   * @param {() => number} clock milliseconds, monotonic
   * @param {(ms: number, work: () => void) => void} after calls once, after that time
   * @param {() => number} random 0 to below 1
   */
  constructor(clock, after, random) {
    this.clock = clock;
    this.after = after;
    this.random = random;
    this.trouble = NONE;
    this.since = 0;
    /** @type {Set<Way>} on which something is under way */
    this.busy = new Set();
  }

  /**
   * From now on the connection is so bad. What is under way stays as it was.
   * @param {Partial<Trouble>} trouble
   * @returns {Trouble} as it will be: no message arrives before it is sent, and no stall lasts until the next
   */
  set(trouble) {
    const { rtt, jitter, stall, stallEvery } = { ...NONE, ...trouble };
    const stalls = stall > 0 && stallEvery > 0;
    this.trouble = {
      rtt, jitter: Math.min(jitter, rtt), stall: stalls ? Math.min(stall, stallEvery / 2) : 0, stallEvery: stalls ? stallEvery : 0,
    };
    this.since = this.clock();
    return this.trouble;
  }

  /**
   * The same transport over this connection.
   * @param {Transport} transport
   * @returns {Transport}
   */
  over(transport) {
    return (url, events) => {
      const up = new Way(this);
      const down = new Way(this);
      const socket = transport(url, {
        open: () => down.send(events.open),
        message: (bytes) => down.send(() => events.message(bytes)),
        close: (code) => down.send(() => events.close(code)),
      });
      return {
        send: (bytes) => up.send(() => socket.send(bytes)),
        // After what was said before: a Leave must arrive.
        close: (code) => up.send(() => socket.close(code)),
      };
    };
  }

  /** Lets in what has arrived: before each frame, since timers are late on a page that draws all the time. */
  poll() {
    if (this.busy.size === 0) return;
    const now = this.clock();
    for (const way of this.busy) way.poll(now);
  }

  /**
   * When what is sent now arrives, if nothing was sent before.
   * @param {number} now
   */
  arrival(now) {
    const { rtt, jitter, stall, stallEvery } = this.trouble;
    const at = now + rtt / 2 + (this.random() - 0.5) * jitter;
    if (stallEvery === 0 || at - this.since < stallEvery) return at;
    const into = (at - this.since) % stallEvery;
    return into < stall ? at + stall - into : at;
  }
}

/** One direction of one connection. */
class Way {
  /** @param {Lag} lag */
  constructor(lag) {
    this.lag = lag;
    /** @type {{ at: number, deliver: () => void }[]} */
    this.queue = [];
    this.last = -Infinity;
    this.waiting = false;
  }

  /** @param {() => void} deliver */
  send(deliver) {
    const now = this.lag.clock();
    const at = Math.max(this.last, this.lag.arrival(now));
    if (at <= now && this.queue.length === 0) return deliver();
    this.last = at;
    this.queue.push({ at, deliver });
    this.lag.busy.add(this);
    this.#wait(now);
  }

  /** @param {number} now */
  poll(now) {
    while (this.queue.length > 0 && this.queue[0].at <= now) this.queue.shift()?.deliver();
    if (this.queue.length === 0) this.lag.busy.delete(this);
  }

  /** @param {number} now */
  #wait(now) {
    if (this.waiting || this.queue.length === 0) return;
    this.waiting = true;
    // A timer may be early by a part of a millisecond: then it is set again. Or late by much: then several are due.
    this.lag.after(Math.max(0, this.queue[0].at - now), () => {
      this.waiting = false;
      const then = this.lag.clock();
      try {
        this.poll(then);
      } finally {
        this.#wait(then);
      }
    });
  }
}
