// A clock that never runs backwards, made of one that may: a frame's time lies before that of the timer that ran just
// before it, and some machines set their clock back after a sleep.

/** A step back by more than this is another clock, not an older look at the same one: time goes on from where it was. */
const BACK_MS = 1000;

export class Steady {
  /** @param {() => number} clock milliseconds */
  constructor(clock) {
    this.clock = clock;
    this.shift = 0;
    this.last = -Infinity;
  }

  now() {
    return this.of(this.clock());
  }

  /**
   * What this clock shows when the other one shows `now`.
   * @param {number} now
   */
  of(now) {
    if (this.last - (now + this.shift) > BACK_MS) this.shift = this.last - now;
    this.last = Math.max(this.last, now + this.shift);
    return this.last;
  }
}
