// The server's clock, estimated from pings: the minimum of each direction over the last seconds, slewed while it is nearly
// right, and set when it is wrong.
//
// A ping that was sent at s, answered at server time v and received at r says: v - s >= offset's upper side (the way up
// took some time), r - v >= its lower side. Queues only ever add delay, so the smallest of each direction is the
// nearest to the bare way, and a stall or a burst is simply never the smallest. What remains is half the difference
// between the two bare ways, which no protocol can see.
//
// A stall can be all that was measured so far: at the start, or after a long pause of this page. Then the estimate is wrong
// until the first ping that came through freely, and is set right by it, forwards or back: whoever predicts on it is told.

/**
 * Two quartz clocks drift apart by so much at most. By as much a measurement becomes worse with its age: what is a minute
 * old is 6 ms less sure, what is an hour old says less than any ping of now, however many or few came in between.
 */
const DRIFT = 1e-4;
/** Measurements older than this are of another way, perhaps; but the last few are kept, however old. */
const WINDOW_MS = 32_000;
const FEW = 8;
/** Measurements that are kept at most: those of that time, and of two dense bursts within it. */
const KEPT = 128;
/** Without a measurement for so long (30 ms of drift) the estimate is not predicted on until there is one. */
const STALE_MS = 300_000;
/**
 * So many pings in a row, over so long, that each took much longer than what is usual: no stall, the way has become longer,
 * and what was measured before is of another way.
 */
const LONGER_PINGS = 6;
const LONGER_FOR_MS = 2000;
/** Much longer: above the smallest by more than this, and by more than twice what half of them is. */
const LONGER_MS = 50;
/** Dense pings at the start and after a pause: with 32 of them a jitter of 40 ms leaves an error of 4 ms. */
const BURST_MS = 1600;
const BURST_EVERY_MS = 50;
const EVERY_MS = 500;
/** So many measurements make an estimate that can be predicted on. */
const ENOUGH = 4;
/** How much faster or slower than real time the estimate may run. */
const SLEW = 0.05;
/** The same at the start and after a long pause: the estimate is rough then and nobody is used to it. */
const SLEW_EARLY = 0.5;
/** Beyond this the estimate is set instead of slewed, which would take more than two seconds. */
const STEP_MS = 100;
/** What took so much longer than the quickest came out of a stall: it says nothing of the usual jitter. */
const STALL_MS = 100;

export class ServerClock {
  /**
   * @param {number} now local milliseconds, never less than before
   * @param {number} serverMs the server's clock, at least (the time of Welcome's tick)
   */
  constructor(now, serverMs) {
    this.earlyUntil = now + BURST_MS;
    this.burstUntil = now + BURST_MS;
    this.nextPing = now;
    this.last = now;
    this.offset = serverMs - now;
    this.target = this.offset;
    /** How often the estimate was set rather than slewed: what was measured by it before is worth nothing then. */
    this.jumps = 0;
    /** Measurements are kept in rings, `first` to `end`, oldest first. */
    this.first = 0;
    this.end = 0;
    this.ups = new Float64Array(KEPT);
    this.downs = new Float64Array(KEPT);
    /** When each of them came, local ms. */
    this.ats = new Float64Array(KEPT);
    this.sorted = new Float64Array(KEPT);
    this.begun = false;
    /** Answers to pings from before this, local ms, waited for this page and not for the network. */
    this.since = -Infinity;
    /** Round trip of the last ping, the smallest of late, in ms. */
    this.rtt = 0;
    this.rttMin = 0;
    /** What 95 % of the pings of late needed on the way up beyond the quickest, in ms; those out of stalls apart. */
    this.jitterUp = 0;
    this.jitter = 0;
  }

  /**
   * True while the estimate is good enough to predict on. After a long pause it is not until the server answered again: a
   * clock that is too fast by what two quartzes differ in a night makes inputs that the server keeps for half a second.
   * @param {number} now
   */
  synced(now) {
    return this.begun && this.end > this.first && now - this.ats[(this.end - 1) % KEPT] <= STALE_MS;
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
   * This page did not run for a while: measures densely. If it was for long, what was on its way meanwhile says nothing; a
   * page that is always slow has nothing else.
   * @param {number} now
   * @param {boolean} [long]
   */
  refresh(now, long = true) {
    this.burstUntil = now + BURST_MS;
    this.nextPing = Math.min(this.nextPing, now);
    // A ping tells its time rounded.
    if (long) this.since = now - 1;
  }

  /**
   * @param {number} sent local ms
   * @param {number} server the server's ms
   * @param {number} received local ms
   */
  pong(sent, server, received) {
    if (received < sent || sent < this.since) return;
    this.rtt = received - sent;
    const up = server - sent;
    const down = received - server;
    // One of the clocks jumped (a machine slept): what was measured before says nothing any more.
    if (up + this.#min(this.downs, received) < -5 || down + this.#min(this.ups, received) < -5) {
      this.first = this.end;
      this.refresh(received, false);
    }
    if (!this.synced(received)) this.earlyUntil = received + BURST_MS;
    const at = this.end % KEPT;
    this.ups[at] = up;
    this.downs[at] = down;
    this.ats[at] = received;
    this.end += 1;
    this.first = Math.max(this.first, this.end - KEPT);
    while (this.end - this.first > FEW && received - this.ats[this.first % KEPT] > WINDOW_MS) this.first += 1;
    this.#forgetShorterWay(received);
    const rough = !this.begun || this.end - this.first < ENOUGH;
    this.begun ||= this.end - this.first >= ENOUGH;
    const minUp = this.#min(this.ups, received);
    const minDown = this.#min(this.downs, received);
    this.target = (minUp - minDown) / 2;
    this.rttMin = minUp + minDown;
    this.jitterUp = this.#high(this.ups, minUp, received) - minUp;
    this.jitter = this.jitterUp + this.#high(this.downs, minDown, received) - minDown;
    this.serverMs(received);
    const wrong = this.target - this.offset;
    if (Math.abs(wrong) > STEP_MS || (rough && wrong > 0)) {
      this.offset = this.target;
      this.jumps += 1;
    }
  }

  /**
   * The server's clock now. It runs backwards only where it was set.
   * @param {number} now
   */
  serverMs(now) {
    const passed = now - this.last;
    if (passed > 0) {
      const most = passed * (now < this.earlyUntil ? SLEW_EARLY : SLEW);
      this.offset += Math.max(-most, Math.min(most, this.target - this.offset));
      this.last = now;
    }
    return Math.max(now, this.last) + this.offset;
  }

  /** @param {number} now */
  #forgetShorterWay(now) {
    const filled = this.end - this.first;
    if (filled < 2 * LONGER_PINGS) return;
    const place = (/** @type {number} */ ago) => (this.end - 1 - ago) % KEPT;
    if (now - this.ats[place(LONGER_PINGS - 1)] < LONGER_FOR_MS) return;
    let least = Infinity;
    for (let ago = 0; ago < LONGER_PINGS; ago++) least = Math.min(least, this.ups[place(ago)] + this.downs[place(ago)]);
    const all = this.sorted.subarray(0, filled);
    for (let i = 0; i < filled; i++) all[i] = this.ups[place(i)] + this.downs[place(i)];
    all.sort();
    if (least - all[0] <= Math.max(LONGER_MS, 2 * (all[filled >> 1] - all[0]))) return;
    this.first = this.end - LONGER_PINGS;
  }

  /**
   * The smallest of a direction.
   * @param {Float64Array} list
   * @param {number} now
   */
  #min(list, now) {
    let least = Infinity;
    for (let i = this.first; i < this.end; i++) least = Math.min(least, this.#aged(list, i, now));
    return least;
  }

  /**
   * What 95 % of a direction are below.
   * @param {Float64Array} list
   * @param {number} least the smallest
   * @param {number} now
   */
  #high(list, least, now) {
    let count = 0;
    for (let i = this.first; i < this.end; i++) {
      const value = this.#aged(list, i, now);
      if (value - least <= STALL_MS) this.sorted[count++] = value;
    }
    return this.sorted.subarray(0, count).sort()[Math.floor((count - 1) * 0.95)];
  }

  /**
   * A measurement, as sure as it is by now.
   * @param {Float64Array} list
   * @param {number} i
   * @param {number} now
   */
  #aged(list, i, now) {
    return list[i % KEPT] + (now - this.ats[i % KEPT]) * DRIFT;
  }
}
