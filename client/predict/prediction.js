// The own ship ahead of the server: steps at once, rewinds and replays at each snapshot, and lets the visible error decay.
//
// The state snaps; only the picture is smoothed. What a state is, how it steps and how it looks is the game adapter's.

/** @typedef {import('../protocol/view.js').View} View */
/** @typedef {import('./inputs.js').Inputs} Inputs */
/** @typedef {import('./inputs.js').StepInput} StepInput */
/** @typedef {{ x: number, y: number, heading: number } & Record<string, any>} Pose world units and turns, and what the page wants besides */
/** @typedef {(kind: string, row: Record<string, number>) => void} Spawns exact fields by name */
/**
 * @typedef {object} GameAdapter
 * @property {(welcome: import('../protocol/messages.js').Welcome) => void} start
 * @property {() => any} create
 * @property {(to: any, from: any) => void} copy
 * @property {(state: any, view: View, seat: number) => boolean} load
 * @property {(state: any, input: StepInput, spawns: Spawns) => void} step
 * @property {(state: any, out: Pose) => void} pose
 * @property {(state: any, out: number[]) => void} words
 * @property {(state: any) => number} life
 * @property {(kind: string, row: Record<string, number>, seat: number) => boolean} isMine
 * @property {(kind: string, row: Record<string, number>) => number} [birth] the tick at which a thing of an own-timeline kind began
 * @property {Record<string, { changed?: string[], maxStep?: { fields: string[], perTick: number } }>} [breaks]
 * @property {(kind: string, motion: import('./tracks.js').Motion) => boolean} [extrapolate] fills `motion.out` with where a body
 *   is beyond the last snapshot; false: it goes on along its last way
 * @property {string[]} [ownTimeline]
 */
/** @typedef {{ tick: number, index: number, kind: string, row: Record<string, number> }} Spawn */
/**
 * @typedef {object} Reconcile What one reconciliation found; the object is used again.
 * @property {number} tick the snapshot's
 * @property {boolean} known a prediction for that tick was there to compare
 * @property {boolean} exact every state word was as predicted
 * @property {number} correction how far the own ship moved now because of it, in world units
 * @property {number} replayed ticks
 * @property {number[]} predicted words
 * @property {number[]} actual words
 */

/**
 * The visible error halves every 22 ms, but never goes by more than 0.45 u a ms, 7.5 u in a picture at 60 Hz: a small one is
 * gone at once, a large one glides instead of leaping, and whatever is smoothed at all is under 1 u after 195 ms.
 */
const DECAY_MS = 32;
const GLIDE_PER_MS = 0.45;
/** A longer way is a teleport: no smoothing would look like flying. */
const SMOOTH_MAX = 64;
/** Without a snapshot for so long the prediction stands still. */
const AHEAD_MS = 2000;
/** Ticks whose predicted words are kept: more than are ever ahead, at any rate that a server may have (240 Hz). */
const WORDS_RING = 512;

const noSpawns = () => {};

export class Prediction {
  /**
   * @param {GameAdapter} game
   * @param {Inputs} inputs
   * @param {number} tickRate
   */
  constructor(game, inputs, tickRate) {
    this.aheadMax = Math.ceil((AHEAD_MS * tickRate) / 1000);
    this.game = game;
    this.inputs = inputs;
    this.state = game.create();
    this.next = game.create();
    /** The server's state at tick `from`: what every replay begins with, also while the view is being made anew. */
    this.base = game.create();
    this.baseStarved = true;
    /** False: dead, or a spectator, or nothing known yet. */
    this.alive = false;
    /** The tick that `state` is at, the snapshot that it was last made from. */
    this.tick = 0;
    this.from = 0;
    this.frozen = false;
    this.smoothing = true;
    this.offset = { x: 0, y: 0, heading: 0 };
    /** @type {Spawn[]} Things that appear at once, of ticks that no snapshot has shown yet. */
    this.spawns = [];
    /** @type {Pose} */
    this.before = { x: 0, y: 0, heading: 0 };
    /** @type {Pose} */
    this.after = { x: 0, y: 0, heading: 0 };
    /** @type {Pose} */
    this.pose = { x: 0, y: 0, heading: 0 };
    /** @type {Pose} The last picture without the offset, and the same place after a reconciliation. */
    this.shown = { x: 0, y: 0, heading: 0 };
    /** @type {Pose} */
    this.now = { x: 0, y: 0, heading: 0 };
    this.part = 0;
    this.drawn = false;
    /** @type {Pose} The own ship as the newest snapshot said. */
    this.told = { x: 0, y: 0, heading: 0 };
    this.toldAlive = false;
    /** @type {{ tick: number, words: number[] }[]} */
    this.words = Array.from({ length: WORDS_RING }, () => ({ tick: -1, words: [] }));
    /** @type {StepInput} */
    this.peeked = { tick: 0, status: 'fresh', levels: new Int32Array(inputs.fields.length), presses: new Int32Array(inputs.fields.length) };
    /** @type {Reconcile} */
    this.last = { tick: 0, known: false, exact: false, correction: 0, replayed: 0, predicted: [], actual: [] };
    this.stepTick = 0;
    this.stepSpawns = 0;
    /** @type {Spawns} */
    this.spawned = (kind, row) => {
      this.spawns.push({ tick: this.stepTick, index: this.stepSpawns++, kind, row });
    };
  }

  /**
   * A snapshot came: takes the server's state at its tick and replays to tick `to`.
   * @param {View} view
   * @param {number} seat
   * @param {{ ack: number, starved: boolean }} told
   * @param {number} to
   * @returns {Reconcile}
   */
  reconcile(view, seat, told, to) {
    const { game, inputs, last } = this;
    const before = this.#before();
    inputs.ack(told.ack);
    this.from = view.tick;
    last.tick = view.tick;
    this.toldAlive = game.load(this.base, view, seat);
    this.baseStarved = told.starved;
    if (this.toldAlive) game.pose(this.base, this.told);
    this.#compare(view.tick);
    this.#remake(to, before);
    return last;
  }

  /**
   * The predicted tick was set to another: replays to it from the newest snapshot that was taken.
   * @param {number} to
   */
  rebase(to) {
    if (this.from === 0) return;
    this.#remake(to, this.#before());
  }

  /**
   * Steps from the state of the newest snapshot to tick `to`, with the inputs that are pending.
   * @param {number} to
   * @param {{ life: number, drawn: boolean }} before
   */
  #remake(to, before) {
    const { game, last } = this;
    last.correction = 0;
    this.alive = this.toldAlive;
    if (this.alive) game.copy(this.state, this.base);
    this.#replay(to);
    this.drawn = false;
    // Over a jump too: what the picture leaps by glides, if it is little.
    if (this.alive && before.drawn && game.life(this.state) === before.life) this.#smooth();
    else this.clearOffset();
  }

  #before() {
    const flies = this.alive && !this.frozen;
    return { life: flies ? this.game.life(this.state) : 0, drawn: flies && this.drawn };
  }

  /** @param {number} to */
  #replay(to) {
    const { inputs, last } = this;
    inputs.rewind(this.from, this.baseStarved);
    this.spawns.length = 0;
    this.tick = this.from;
    this.frozen = to - this.from > this.aheadMax;
    last.replayed = 0;
    if (this.frozen) {
      this.tick = to;
      return;
    }
    this.#remember();
    while (this.tick < to) {
      this.advance();
      last.replayed += 1;
    }
    this.tick = to;
  }

  /** Steps one tick. */
  advance() {
    this.tick += 1;
    const input = this.inputs.consume(this.tick);
    if (this.tick - this.from > this.aheadMax) this.frozen = true;
    if (!this.alive || this.frozen) {
      this.words[this.tick % WORDS_RING].tick = -1;
      return;
    }
    this.stepTick = this.tick;
    this.stepSpawns = 0;
    this.game.step(this.state, input, this.spawned);
    this.#remember();
  }

  /**
   * The own ship `part` of the way from the predicted tick to the next, as it is if the controls stay as they are now: a
   * key that was pressed since the last tick shows in this very frame. Null if there is none.
   * @param {number} part
   * @param {number} passed ms since the last picture
   * @returns {Pose | null}
   */
  render(part, passed) {
    if (!this.alive) return null;
    const { shown, pose, offset } = this;
    this.part = part;
    this.inputs.peek(this.tick + 1, this.peeked);
    this.#between(shown);
    this.drawn = true;
    Object.assign(pose, shown);
    const size = Math.hypot(offset.x, offset.y);
    const kept = this.smoothing && size > 0 ? decayed(size, passed) / size : 0;
    offset.x *= kept;
    offset.y *= kept;
    offset.heading *= this.smoothing ? Math.exp(-passed / DECAY_MS) : 0;
    pose.x += offset.x;
    pose.y += offset.y;
    pose.heading = wrap(pose.heading + offset.heading);
    return pose;
  }

  /**
   * The own ship where the picture has it, the offset apart: `part` of the way to the next tick, which does what was peeked.
   * @param {Pose} out
   */
  #between(out) {
    const { game, before, after, part } = this;
    game.pose(this.state, before);
    Object.assign(out, before);
    if (this.frozen) return;
    game.copy(this.next, this.state);
    game.step(this.next, this.peeked, noSpawns);
    game.pose(this.next, after);
    if (game.life(this.next) !== game.life(this.state)) return;
    out.x += (after.x - before.x) * part;
    out.y += (after.y - before.y) * part;
    out.heading += turn(before.heading, after.heading) * part;
  }

  clearOffset() {
    this.offset.x = 0;
    this.offset.y = 0;
    this.offset.heading = 0;
  }

  #remember() {
    if (!this.alive) return;
    const entry = this.words[this.tick % WORDS_RING];
    entry.tick = this.tick;
    entry.words.length = 0;
    this.game.words(this.state, entry.words);
  }

  /** @param {number} tick */
  #compare(tick) {
    const { last } = this;
    const entry = this.words[tick % WORDS_RING];
    last.known = this.toldAlive && entry.tick === tick;
    last.exact = false;
    if (!last.known) return;
    last.predicted.length = 0;
    last.predicted.push(...entry.words);
    last.actual.length = 0;
    this.game.words(this.base, last.actual);
    last.exact = last.actual.length === last.predicted.length && last.actual.every((word, i) => word === last.predicted[i]);
  }

  /**
   * What the picture would jump by is added to the offset, so that it does not. Judged where the last picture was, between
   * ticks: a bounce that was not foreseen changes the way from tick to tick too.
   */
  #smooth() {
    const { now, shown, offset, last } = this;
    this.#between(now);
    const dx = shown.x - now.x;
    const dy = shown.y - now.y;
    last.correction = Math.hypot(dx, dy);
    if (last.correction > SMOOTH_MAX) return this.clearOffset();
    if (!this.smoothing) return;
    offset.x += dx;
    offset.y += dy;
    // Corrections in a row add up; what is beyond the longest way jumps, or the rest would show for too long.
    const sum = Math.hypot(offset.x, offset.y);
    if (sum > SMOOTH_MAX) {
      offset.x *= SMOOTH_MAX / sum;
      offset.y *= SMOOTH_MAX / sum;
    }
    offset.heading = wrap(offset.heading + turn(now.heading, shown.heading) + 0.5) - 0.5;
  }
}

/**
 * What is left of a visible error.
 * @param {number} size world units
 * @param {number} ms
 */
function decayed(size, ms) {
  const knee = GLIDE_PER_MS * DECAY_MS;
  const glides = Math.max(0, size - knee) / GLIDE_PER_MS;
  if (ms <= glides) return size - GLIDE_PER_MS * ms;
  return Math.min(size, knee) * Math.exp((glides - ms) / DECAY_MS);
}

/**
 * The shortest way from one angle to another, in turns.
 * @param {number} from
 * @param {number} to
 */
export function turn(from, to) {
  return wrap(to - from + 0.5) - 0.5;
}

/** @param {number} turns */
function wrap(turns) {
  return turns - Math.floor(turns);
}
