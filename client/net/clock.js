// The server's clock, estimated from pings: the minimum of each direction over a window, slewed, never backwards.
//
// A ping that was sent at s, answered at server time v and received at r says: v - s >= offset's upper side (the way up
// took some time), r - v >= its lower side. Queues only ever add delay, so the smallest of each direction over a window is
// the nearest to the bare way, and a stall or a burst is simply never the smallest. What remains is half the difference
// between the two bare ways, which no protocol can see.

/**
 * Pings in the window. With 32 and a jitter of 40 ms one run of 30 s in twenty had seconds of 5 ms error; with 64 the
 * worst moment of 300 such runs was 4 ms, of 285 of them 2 ms.
 */
const WINDOW = 64;
/**
 * So many pings in a row, over so long, that each took much longer than what is usual: no stall, the way has become longer,
 * and what was measured before is of another way.
 */
const LONGER_PINGS = 6;
const LONGER_FOR_MS = 2000;
/** Much longer: above the smallest by more than this, and by more than twice what half of the window is. */
const LONGER_MS = 50;
/** Dense pings after a start: half a window within 1.6 s. */
const BURST_MS = 1600;
const BURST_EVERY_MS = 50;
/** Afterwards: two quartz clocks drift apart by 2 ms at most in the 32 s that the window then spans. */
const EVERY_MS = 500;
/** After coming back from a hidden tab. */
const REFRESH_MS = 400;
/** How much faster or slower than real time the estimate may run. */
const SLEW = 0.05;
/** The same while the window fills: the estimate is rough then and nobody has got used to it. */
const SLEW_EARLY = 0.5;
/** Beyond this the estimate jumps ahead instead of slewing. */
const JUMP_MS = 250;

export class ServerClock {
  /**
   * @param {number} now local milliseconds
   * @param {number} serverMs the server's clock, at least (the time of Welcome's tick)
   */
  constructor(now, serverMs) {
    this.started = now;
    this.burstUntil = now + BURST_MS;
    this.nextPing = now;
    this.last = now;
    this.offset = serverMs - now;
    this.target = this.offset;
    /** How often the estimate was set rather than slewed: what was measured by it before is worth nothing then. */
    this.jumps = 0;
    this.samples = 0;
    this.ups = new Float64Array(WINDOW);
    this.downs = new Float64Array(WINDOW);
    /** When each of them came, local ms. */
    this.ats = new Float64Array(WINDOW);
    this.sorted = new Float64Array(WINDOW);
    /** Round trip of the last ping, smallest of the window, in ms. */
    this.rtt = 0;
    this.rttMin = 0;
    /** What 95 % of the pings of the window needed on the way up beyond the quickest, in ms. */
    this.jitterUp = 0;
    this.jitter = 0;
  }

  /** True once the estimate is good enough to predict on. */
  get synced() {
    return this.samples >= 4;
  }

  /**
   * True if a ping is due; the next one is then planned.
   * @param {number} now
   */
  takePing(now) {
    if (now < this.nextPing) return false;
    const every = now < this.burstUntil ? BURST_EVERY_MS : EVERY_MS;
    // From the plan, not from now: frames are later than planned, by up to a frame each.
    this.nextPing = Math.max(this.nextPing + every, now + every / 2);
    return true;
  }

  /**
   * Measures densely for a while: the tab was hidden, the machine asleep.
   * @param {number} now
   */
  refresh(now) {
    this.burstUntil = Math.max(this.burstUntil, now + REFRESH_MS);
    this.nextPing = Math.min(this.nextPing, now);
  }

  /**
   * @param {number} sent local ms
   * @param {number} server the server's ms
   * @param {number} received local ms
   */
  pong(sent, server, received) {
    this.rtt = received - sent;
    if (this.rtt < 0) return;
    const up = server - sent;
    const down = received - server;
    // One of the clocks jumped (a machine slept): what was measured before says nothing any more.
    if (up + this.#min(this.downs) < -5 || down + this.#min(this.ups) < -5) this.samples = 0;
    const at = this.samples % WINDOW;
    this.ups[at] = up;
    this.downs[at] = down;
    this.ats[at] = received;
    this.samples += 1;
    this.#forgetShorterWay(received);
    const minUp = this.#min(this.ups);
    const minDown = this.#min(this.downs);
    this.target = (minUp - minDown) / 2;
    this.rttMin = minUp + minDown;
    this.jitterUp = this.#high(this.ups) - minUp;
    this.jitter = this.jitterUp + this.#high(this.downs) - minDown;
    this.serverMs(received);
    if (this.target - this.offset > JUMP_MS || (this.samples <= 4 && this.target > this.offset)) {
      this.offset = this.target;
      this.jumps += 1;
    }
  }

  /**
   * The server's clock now; never less than what it answered before.
   * @param {number} now
   */
  serverMs(now) {
    const passed = now - this.last;
    if (passed > 0) {
      const most = passed * (now - this.started < BURST_MS ? SLEW_EARLY : SLEW);
      this.offset += Math.max(-most, Math.min(most, this.target - this.offset));
      this.last = now;
    }
    return Math.max(now, this.last) + this.offset;
  }

  /** @param {number} now */
  #forgetShorterWay(now) {
    const filled = Math.min(this.samples, WINDOW);
    if (filled < 2 * LONGER_PINGS) return;
    const place = (/** @type {number} */ ago) => (this.samples - 1 - ago) % WINDOW;
    if (now - this.ats[place(LONGER_PINGS - 1)] < LONGER_FOR_MS) return;
    let least = Infinity;
    for (let ago = 0; ago < LONGER_PINGS; ago++) least = Math.min(least, this.ups[place(ago)] + this.downs[place(ago)]);
    const all = this.sorted.subarray(0, filled);
    for (let i = 0; i < filled; i++) all[i] = this.ups[i] + this.downs[i];
    all.sort();
    if (least - all[0] <= Math.max(LONGER_MS, 2 * (all[filled >> 1] - all[0]))) return;
    for (const list of [this.ups, this.downs, this.ats]) {
      const kept = Array.from({ length: LONGER_PINGS }, (_, i) => list[place(LONGER_PINGS - 1 - i)]);
      list.set(kept);
    }
    this.samples = LONGER_PINGS;
  }

  /** @param {Float64Array} list */
  #min(list) {
    const filled = Math.min(this.samples, WINDOW);
    let least = Infinity;
    for (let i = 0; i < filled; i++) if (list[i] < least) least = list[i];
    return least;
  }

  /** @param {Float64Array} list */
  #high(list) {
    const filled = Math.min(this.samples, WINDOW);
    const sorted = this.sorted.subarray(0, filled);
    sorted.set(list.subarray(0, filled));
    sorted.sort();
    return sorted[Math.floor((filled - 1) * 0.95)];
  }
}
