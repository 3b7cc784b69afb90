// Where on the server's timeline others are drawn: far enough behind that the next snapshot is there when it is needed, and
// no farther. Asks no clock but the local one: how late snapshots come by it is all that counts, so that whatever the
// estimate of the server's clock learns, slews or steps does not show.
//
// The policy. A snapshot's age is the local time at which it came less its tick; ages count for five seconds.
// - Usual is what 90 of 100 ages are within. A percentile, as WebRTC's NetEq takes one of its packets, not the worst: three
//   hiccups a second cost nobody time. The delay is usual, an interval, and a little.
// - What comes up to 90 ms later than usual is guessed until it is there: a ship at full thrust is then out by 3 u at most,
//   and glides back.
// - What comes later than that again and again, by up to 120 ms, is waited for: the delay is the second oldest of these
//   ages, so that one alone moves nothing, an interval, and a little. Once begun, waiting goes on down to 70 ms.
// - What comes still later is a stall, and guessed. To wait for the next one would show the world late for ever, and later
//   than lag compensation looks back (400 ms, or the round trip and 150 ms).
// - What was on its way when a late one came waited behind it, and says nothing of its own (a spike, as Ramjee, Kurose,
//   Towsley and Schulzrinne tell one apart in "Adaptive playout mechanisms for packetized audio applications", 1994).
// - The delay is quick to grow and slow to shrink.

const WINDOW_MS = 5000;
/** So many ages at most are kept, enough for 50 snapshots a second; so many count however old they are. */
const AGES = 256;
const AGES_MIN = 16;
const USUAL = 0.9;
/** Later than usual by more than the first is waited for if it comes again; and goes on to be by more than the second. */
const GUESS_MS = 90;
const STILL_MS = 70;
/** By more than this it never is. */
const STALL_MS = 120;
/** So many ages in a row, each less than usual by a jump: the way is another, or the local clock stood still. */
const LESS = 8;
/** Beyond usual: drift of the two clocks, and snapshots a little worse. */
const SPARE_TICKS = 0.3;
/** How much slower or faster than time the render tick may run while the delay grows or shrinks. */
const GROW = 0.05;
const SHRINK = 0.02;
/** A delay that is off by more than this is set, not slewed. A render tick that is too far on by less waits, by more goes back. */
const JUMP_MS = 250;
/** How long others are extrapolated without news. A shorter cap freezes what still flies on. */
export const EXTRAPOLATE_MS = 700;

export class RenderClock {
  /**
   * @param {number} ticksPerSnapshot
   * @param {number} tickRate
   */
  constructor(ticksPerSnapshot, tickRate) {
    const perMs = tickRate / 1000;
    this.window = WINDOW_MS * perMs;
    this.guess = GUESS_MS * perMs;
    this.still = STILL_MS * perMs;
    this.stall = STALL_MS * perMs;
    this.jump = JUMP_MS * perMs;
    /** Ticks that others may be extrapolated. */
    this.farthest = EXTRAPOLATE_MS * perMs;
    this.ticksPerSnapshot = ticksPerSnapshot;
    this.ages = new Float64Array(AGES);
    /** When each of them came. */
    this.times = new Float64Array(AGES);
    this.sorted = new Float64Array(AGES);
    this.count = 0;
    this.usual = 0;
    this.last = 0;
    this.less = 0;
    /** Whether it waits for late ones. */
    this.waits = false;
    /** What should have come by then waited behind a late one. */
    this.shadow = -Infinity;
    this.target = ticksPerSnapshot * 2;
    /** How far behind the local time others are drawn, in ticks. */
    this.delay = this.target;
    /** The render tick. */
    this.tick = 0;
    this.now = 0;
  }

  /**
   * A snapshot came.
   * @param {number} tick its tick
   * @param {number} now the local time in ticks; goes back where the server tells that it skipped some
   */
  arrived(tick, now) {
    const age = now - tick;
    const caughtUp = age < this.last - this.ticksPerSnapshot / 2;
    this.last = age;
    if (caughtUp && tick + this.usual < this.shadow) return;
    // At the start nothing is usual yet: of what comes at once, behind a late Welcome say, the last waited least.
    if (caughtUp && this.count > 0 && this.count < AGES_MIN) this.count -= 1;
    this.#forget(age);
    this.ages[this.count % AGES] = age;
    this.times[this.count % AGES] = now;
    this.count += 1;
    this.target = this.#worthWaiting(now) + this.ticksPerSnapshot + SPARE_TICKS;
    if (age > this.usual + this.ticksPerSnapshot) this.shadow = now;
    // The first snapshots only say where to begin.
    if (this.count <= AGES_MIN) this.delay = this.target;
  }

  /**
   * The render tick now. It does not go back, but for a jump.
   * @param {number} now
   */
  advance(now) {
    const passed = Math.max(0, now - this.now);
    this.now = now;
    const wrong = this.target - this.delay;
    if (Math.abs(wrong) > this.jump) this.delay = this.target;
    else this.delay += Math.max(-passed * SHRINK, Math.min(passed * GROW, wrong));
    const tick = now - this.delay;
    if (tick > this.tick || this.tick - tick > this.jump) this.tick = tick;
    return this.tick;
  }

  /**
   * Lets go of all ages but the newest if they are another way's.
   * @param {number} age
   */
  #forget(age) {
    // By so much no way becomes shorter: the local clock stood still.
    if (age < this.usual - 4 * this.jump) this.count = 0;
    this.less = age < this.usual - this.jump ? this.less + 1 : 0;
    if (this.less < LESS || this.count < LESS) return;
    const newest = (/** @type {Float64Array} */ list) => {
      list.set(Array.from({ length: LESS - 1 }, (_, i) => list[(this.count - (LESS - 1) + i) % AGES]));
    };
    newest(this.ages);
    newest(this.times);
    this.count = LESS - 1;
    this.less = 0;
  }

  /**
   * The age that the next snapshots are worth waiting for.
   * @param {number} now
   */
  #worthWaiting(now) {
    let filled = 0;
    for (let ago = 1; ago <= Math.min(this.count, AGES); ago++) {
      const at = (this.count - ago) % AGES;
      if (ago > AGES_MIN && now - this.times[at] > this.window) break;
      this.sorted[filled++] = this.ages[at];
    }
    const sorted = this.sorted.subarray(0, filled).sort();
    this.usual = sorted[Math.floor((filled - 1) * USUAL)];
    let worst = filled - 1;
    while (sorted[worst] > this.usual + this.stall) worst -= 1;
    const again = sorted[Math.max(0, worst - 1)];
    this.waits = again > this.usual + (this.waits ? this.still : this.guess);
    return this.waits ? again : this.usual;
  }
}
