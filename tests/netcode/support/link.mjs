// One direction of a bad network: the arithmetic of src/tools/lag/link.rs, number for number (link.test.mjs holds the two
// together). Times are whole microseconds.

/**
 * @typedef {object} Profile
 * @property {string} name
 * @property {number} rtt there and back, without jitter
 * @property {number} jitter each direction's delay is spread evenly over this width
 * @property {number} [stallEvery] from the start of one stall to the start of the next
 * @property {number} [stall] how long nothing comes out
 * @property {'both' | 'up' | 'down' | 'turns'} [stallWay]
 * @property {number} [loss] of a million sends, how many cost RTT + 100 ms and hold up all that is behind them
 */

const ms = 1000;
export const STALL_WAYS = /** @type {const} */ (['both', 'up', 'down', 'turns']);

/** The profiles of the figures. @type {Record<string, Profile>} */
export const PROFILES = {
  L0: { name: 'L0', rtt: 2 * ms, jitter: 0 },
  L100: { name: 'L100', rtt: 100 * ms, jitter: 20 * ms },
  L250: { name: 'L250', rtt: 250 * ms, jitter: 40 * ms },
  L250L: { name: 'L250L', rtt: 250 * ms, jitter: 40 * ms, loss: 10_000 },
  S100: { name: 'S100', rtt: 100 * ms, jitter: 20 * ms, stallEvery: 5000 * ms, stall: 500 * ms, stallWay: 'turns' },
};

/** What a retransmission costs beyond the round trip. */
const RETRANSMISSION = 100 * ms;
const WORD = (1n << 64n) - 1n;

/** SplitMix64, as in link.rs. */
export class SplitMix {
  /** @param {number | bigint} seed */
  constructor(seed) {
    this.state = BigInt(seed) & WORD;
  }

  next() {
    this.state = (this.state + 0x9e3779b97f4a7c15n) & WORD;
    let mixed = this.state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & WORD;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & WORD;
    return mixed ^ (mixed >> 31n);
  }

  /** A whole number from 0 to `end - 1`. @param {number} end */
  below(end) {
    return Number((this.next() * BigInt(end)) >> 64n);
  }
}

export class Link {
  /**
   * @param {Profile} profile
   * @param {'up' | 'down'} way
   * @param {number | bigint} seed two directions need two seeds
   */
  constructor(profile, way, seed) {
    this.profile = profile;
    this.way = way;
    this.random = new SplitMix(seed);
    this.last = 0;
  }

  /**
   * When what is sent at `now` comes out; never before what was sent earlier.
   * @param {number} now
   */
  send(now) {
    const { rtt, jitter, loss = 0 } = this.profile;
    let out = now + Math.floor(rtt / 2) + this.random.below(jitter + 1) - Math.floor(jitter / 2);
    if (this.random.below(1_000_000) < loss) out += rtt + RETRANSMISSION;
    // In order first: what waits for an earlier send can thereby come to lie in a stall.
    out = this.#afterStall(Math.max(out, this.last));
    this.last = out;
    return out;
  }

  /** @param {number} at */
  #afterStall(at) {
    const stall = this.stallAt(at);
    return stall === null ? at : Math.max(at, stall.end);
  }

  /**
   * The stall of this direction whose period holds `at` (it may have ended), or null.
   * @param {number} at
   */
  stallAt(at) {
    const { stallEvery: every = 0, stall = 0, stallWay = 'both' } = this.profile;
    if (every === 0) return null;
    const count = Math.floor(at / every);
    const strikes = stallWay === 'both' || stallWay === this.way
      || (stallWay === 'turns' && count % 2 === (this.way === 'up' ? 1 : 0));
    return count > 0 && strikes ? { start: count * every, end: count * every + stall } : null;
  }
}
