// Virtual time and a seeded link: nothing here waits, everything happens in the order of its time.

/** What happens when, in milliseconds. */
export class World {
  constructor() {
    this.now = 0;
    /** @type {{ at: number, order: number, work: () => void }[]} */
    this.queue = [];
    this.order = 0;
  }

  /**
   * @param {number} at
   * @param {() => void} work
   */
  schedule(at, work) {
    const item = { at: Math.max(at, this.now), order: this.order++, work };
    let i = this.queue.length;
    while (i > 0 && (this.queue[i - 1].at > item.at)) i -= 1;
    this.queue.splice(i, 0, item);
  }

  /**
   * So much time passes, and whatever was to happen happens so much later.
   * @param {number} ms
   */
  leap(ms) {
    this.now += ms;
    for (const item of this.queue) item.at += ms;
  }

  /** @param {number} until */
  run(until) {
    while (this.queue.length > 0 && this.queue[0].at <= until) {
      const { at, work } = /** @type {{ at: number, work: () => void }} */ (this.queue.shift());
      this.now = at;
      work();
    }
    this.now = until;
  }
}

/**
 * One direction of a TCP connection: delays, jitters, stalls; never loses, never reorders.
 */
export class Way {
  /**
   * @param {World} world
   * @param {import('./random.js').generator extends (seed: number) => infer R ? R : never} random
   * @param {{ delay: number, jitter: number, stallEvery?: number, stall?: number, stallFrom?: number }} profile
   */
  constructor(world, random, profile) {
    this.world = world;
    this.random = random;
    this.profile = profile;
    this.last = 0;
    this.cut = false;
  }

  /** @param {() => void} deliver */
  send(deliver) {
    const { delay, jitter, stallEvery = 0, stall = 0, stallFrom = 0 } = this.profile;
    const sent = this.world.now;
    let at = sent + Math.max(0, delay + (this.random.next() - 0.5) * jitter);
    if (stallEvery > 0 && at >= stallFrom) {
      // Nothing arrives during a stall; what was on its way comes at its end, at once.
      const into = (at - stallFrom) % stallEvery;
      if (at - stallFrom >= stallEvery && into < stall) at += stall - into;
    }
    this.last = Math.max(this.last, at);
    this.world.schedule(this.last, () => {
      if (!this.cut) deliver();
    });
  }
}
