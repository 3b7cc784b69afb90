// A clock whose jumps back are none. A frame's time may lie a little before that of the timer that ran just before it, and
// everybody here bears that; a clock that is set back by minutes would stop them for as long.

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
    if (this.last - (now + this.shift) > BACK_MS) {
      // A frame that was begun before this page stood still tells an old time: the clock itself did not go back.
      if (this.last - (this.clock() + this.shift) <= BACK_MS) return this.last;
      this.shift = this.last - now;
    }
    this.last = Math.max(this.last, now + this.shift);
    return now + this.shift;
  }
}
