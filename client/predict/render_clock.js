// Where on the server's timeline others are drawn: far enough behind that the next snapshot is there when it is needed,
// and no farther. The delay follows what snapshots really do: their interval, the way, its jitter.

/** Snapshots that the delay is judged by: two seconds at 30 Hz. */
const WINDOW = 64;
/** Snapshots that set the delay at the start: half a second. */
const START = 16;
/** Snapshots older than the usual by more than this came out of a stall. Waiting for the next one would show the world late for ever. */
const STALL_MS = 100;
/** Beyond the worst of the window: clock slew, and snapshots a little worse. */
const SPARE_TICKS = 0.3;
/** How much faster or slower than time the render tick may run while the delay changes. */
const SLEW = 0.05;
/** A delay that is off by more than this is set, not slewed. */
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
    this.stall = STALL_MS * perMs;
    this.jump = JUMP_MS * perMs;
    /** Ticks that others may be extrapolated. */
    this.farthest = EXTRAPOLATE_MS * perMs;
    this.ticksPerSnapshot = ticksPerSnapshot;
    this.ages = new Float64Array(WINDOW);
    this.sorted = new Float64Array(WINDOW);
    this.count = 0;
    /** Older than this, a snapshot came out of a stall. */
    this.worst = Infinity;
    /** The last snapshot came out of a stall, and when it came. */
    this.burst = false;
    this.arrivedAt = -Infinity;
    this.target = ticksPerSnapshot * 2;
    /** How far behind the server's tick others are drawn, in ticks. */
    this.delay = this.target;
    /** The render tick. */
    this.tick = 0;
    this.serverTick = 0;
  }

  /**
   * A snapshot came.
   * @param {number} tick its tick
   * @param {number} serverTick the server's tick now
   */
  arrived(tick, serverTick) {
    const age = serverTick - tick;
    const atOnce = serverTick - this.arrivedAt < this.ticksPerSnapshot / 4;
    this.arrivedAt = serverTick;
    // What comes in the same moment as one out of a stall waited behind it, and says nothing about the next.
    if (this.burst && atOnce) return;
    this.burst = this.count > START && age > this.worst;
    this.ages[this.count % WINDOW] = age;
    this.count += 1;
    const filled = Math.min(this.count, WINDOW);
    const sorted = this.sorted.subarray(0, filled);
    sorted.set(this.ages.subarray(0, filled));
    sorted.sort();
    this.worst = sorted[filled >> 1] + this.stall;
    let high = sorted[filled - 1];
    for (let i = filled - 1; high > this.worst; i--) high = sorted[i];
    this.target = Math.max(0, high) + this.ticksPerSnapshot + SPARE_TICKS;
    // The first snapshots only say where to begin.
    if (this.count <= START) this.delay = this.target;
  }

  /** The clock was set: ages measured by the old one say nothing. */
  restart() {
    this.count = 0;
  }

  /**
   * The render tick now; it never goes back.
   * @param {number} serverTick
   */
  advance(serverTick) {
    const passed = serverTick - this.serverTick;
    this.serverTick = serverTick;
    if (passed < 0) {
      // The server told that it skipped time, so its ticks lie later than thought. Others stand where they are until the
      // delay is right again, which the slew sees to.
      this.delay += passed;
    } else {
      const most = passed * SLEW;
      this.delay += Math.max(-most, Math.min(most, this.target - this.delay));
    }
    if (Math.abs(this.target - this.delay) > this.jump) this.delay = this.target;
    const tick = serverTick - this.delay;
    // Only a jump far back (another clock altogether) is followed.
    if (tick > this.tick || this.tick - tick > 4 * this.jump) this.tick = tick;
    return this.tick;
  }
}
