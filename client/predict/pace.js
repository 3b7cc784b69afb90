// How far ahead of the server's tick the own ship is: far enough that each input is there when its tick is simulated, and
// no farther, since every tick of lead is a tick that must be predicted.

/** Faster or slower than time by at most this. */
const SLEW = 0.05;
/** Off by more than this, the predicted tick is set, not slewed: the server stood still, or the clock was wrong. */
const JUMP_MS = 100;
/** After so long without a frame the predicted tick is set too: nothing of the gap is made up for. */
const GAP_MS = 250;
/** On top of the way up and its jitter at the start: an input is made at most a frame after its tick began. */
const SPARE_MS = 21;
/** An input this late came out of a stall: more lead than that would be felt, and the next stall would be longer. */
const STALL_MS = 100;
/** What one late input adds, and how long until another one may. */
const LATE_STEP_MS = 8;
const LATE_EVERY_MS = 250;
/** Nothing late, nothing even just in time, for so long: the lead is too long, and shrinks by so much a second. */
const CALM_MS = 2000;
const CALM_STEP_MS_PER_S = 4;
/** A way that has become longer by more than this at once was another one before. */
const LONGER_MS = 16;
/** The lead beyond the way up stays within these. */
const EXTRA_MIN_MS = 4;
const EXTRA_MAX_MS = 167;

export class Pace {
  /** @param {number} tickRate */
  constructor(tickRate) {
    this.perMs = tickRate / 1000;
    this.spare = SPARE_MS * this.perMs;
    this.started = false;
    /** The predicted tick, a fraction. */
    this.tick = 0;
    /** Ticks ahead beyond the bare way up. */
    this.extra = this.spare;
    this.lead = 0;
    /** What the last jump was beyond the time that passed, in ticks. */
    this.jumpedBy = 0;
    /** The bare way up, in ticks. */
    this.way = 0;
    this.last = 0;
    /** How often the clock had been set at the last frame. */
    this.jumps = 0;
    this.lateAt = -Infinity;
    this.tightAt = 0;
    /** The last margin told, in ticks. */
    this.margin = 0;
  }

  /**
   * The server told how early the latest of the last inputs came.
   * @param {number} margin ticks, negative: late
   * @param {number} now
   */
  told(margin, now) {
    this.margin = margin;
    if (margin < -STALL_MS * this.perMs) return;
    if (margin <= 0) this.tightAt = now;
    if (margin < 0 && now - this.lateAt >= LATE_EVERY_MS) {
      this.lateAt = now;
      this.extra = Math.min(EXTRA_MAX_MS * this.perMs, this.extra + LATE_STEP_MS * this.perMs);
    }
  }

  /**
   * The predicted tick now. True if it jumped, by `jumpedBy`: the state must be made anew.
   * @param {number} now
   * @param {number} serverTick
   * @param {{ rttMin: number, jitterUp: number, jumps?: number }} clock
   */
  advance(now, serverTick, clock) {
    const passed = Math.max(0, now - this.last);
    this.last = now;
    const { perMs, spare } = this;
    if (!this.started) {
      this.extra = Math.min(EXTRA_MAX_MS * perMs, spare + clock.jitterUp * perMs);
      this.tightAt = now;
    } else if (passed > GAP_MS) {
      // Nothing was sent, so nothing is known of how early it would have come.
      this.tightAt = now;
    } else if (now - this.tightAt > CALM_MS) {
      this.extra = Math.max(EXTRA_MIN_MS * perMs, this.extra - (CALM_STEP_MS_PER_S * perMs * passed) / 1000);
    }
    const way = (clock.rttMin / 2) * perMs;
    // A way that has become longer was made up for by late inputs until the clock knew of it.
    if (this.started && way - this.way > LONGER_MS * perMs) this.extra = Math.max(Math.min(this.extra, spare), this.extra - (way - this.way));
    this.way = way;
    this.lead = way + this.extra;
    const target = serverTick + this.lead;
    const ticks = passed * perMs;
    const wrong = target - (this.tick + ticks);
    const { jumps = 0 } = clock;
    const set = jumps !== this.jumps;
    this.jumps = jumps;
    if (!this.started || set || passed > GAP_MS || Math.abs(wrong) > JUMP_MS * perMs) {
      this.jumpedBy = this.started ? wrong : 0;
      this.started = true;
      this.tick = target;
      return true;
    }
    this.tick += ticks + Math.max(-ticks * SLEW, Math.min(ticks * SLEW, wrong));
    return false;
  }
}
