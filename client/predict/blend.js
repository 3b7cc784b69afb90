// From where a body was guessed to where it is. While snapshots stand still a body is extrapolated; when they go on, what is
// known of that time is not what was drawn. The track snaps, the picture glides: what was drawn last and what is known now
// of the same tick differ by an offset, and the offset goes to nothing while the body flies its true way. ("Visual offset",
// as in Glenn Fiedler's "State Synchronization", and as the own ship's corrections here.)
//
// While it glides a body is not where lag compensation looks for it, so this is as quick as it can be unseen: a frame moves
// a body by at most 8 u beyond its own way, and beyond how it moved in the frame before.

/** @typedef {import('./tracks.js').Row} Row */

/** A small offset shrinks to a third in so long. */
const DECAY_MS = 32;
/** A large one shrinks by so much a ms, in world units: 80 u, which few are off after a stall of half a second, are gone in 400 ms. */
const GLIDE_PER_MS = 0.25;
/** And by at most so much a frame, however long. The rest of the 8 u is for what a dash or a push between two snapshots adds. */
const GLIDE_MAX = 4;
/** From frame to frame the glide changes by at most so much: a body that was guessed to fly away from its way turns first. */
const BEND_MAX = 5;
/** An angle shrinks by at most so much a frame, in turns. */
const SPIN_MAX = 1 / 24;
/** A frame after a longer pause continues nothing. */
const PAUSE_MS = 250;
/** Less than this, in any unit, is nothing. */
const LEAST = 1e-3;

/** Which fields of a kind are blended. */
export class BlendFields {
  /**
   * @param {string[]} place say where a body is
   * @param {string[]} linear others that may lie between two values
   * @param {string[]} angles
   * @param {number[]} turns a whole turn, in the unit of each angle
   */
  constructor(place, linear, angles, turns) {
    this.names = [...place, ...linear, ...angles];
    this.places = place.length;
    this.firstAngle = place.length + linear.length;
    this.turns = turns;
  }
}

/** The offset of one body, in the real units of its row. */
export class Blend {
  /** @param {BlendFields} fields */
  constructor(fields) {
    const count = fields.names.length;
    this.fields = fields;
    this.shown = new Float64Array(count);
    /** What was known of that tick when it was shown. */
    this.was = new Float64Array(count);
    this.offset = new Float64Array(count);
    /** How far the last frame moved its place, how far beyond its own way, and how long it took. */
    this.step = new Float64Array(fields.places);
    this.glide = new Float64Array(fields.places);
    this.stepMs = 0;
    this.glides = false;
    this.corrected = false;
    /** The tick that it was last shown at; -1: it was not. */
    this.tick = -1;
    /** Up to where that was known, and by which snapshot. */
    this.known = 0;
    this.snapshot = 0;
  }

  forget() {
    this.tick = -1;
    this.stepMs = 0;
    this.stop();
  }

  /** It is where it is: a teleport, or nothing to go on from. */
  stop() {
    this.glides = false;
    this.corrected = false;
    this.offset.fill(0);
    this.glide.fill(0);
  }

  /**
   * True if what was shown may be known better by now.
   * @param {number} tick to be shown next
   * @param {number} snapshot the newest
   */
  doubtful(tick, snapshot) {
    return this.tick >= 0 && (tick < this.tick || (this.tick > this.known && snapshot !== this.snapshot));
  }

  /**
   * What is known now of the tick that was shown.
   * @param {Row} row
   */
  correct(row) {
    const { offset, shown, was } = this;
    const { names, firstAngle, turns } = this.fields;
    let wrong = 0;
    for (let f = 0; f < names.length; f++) {
      was[f] = row[names[f]];
      offset[f] = shown[f] - was[f];
      if (f >= firstAngle) offset[f] = shortest(offset[f], turns[f - firstAngle]);
      wrong = Math.max(wrong, Math.abs(offset[f]));
    }
    if (wrong < LEAST) return this.stop();
    this.begin();
  }

  /** From now on it goes on as it went, and glides to its way. */
  begin() {
    this.glides = true;
    this.corrected = true;
  }

  /**
   * Shifts a row by what is left of the offset, and remembers what is thereby shown.
   * @param {Row} row
   * @param {number} passed ms since the last frame
   */
  show(row, passed) {
    const { shown, step, was, offset } = this;
    const { names, places, firstAngle, turns } = this.fields;
    if (this.glides) this.#shrink(row, passed);
    const first = this.tick < 0;
    for (let f = 0; f < names.length; f++) {
      const known = row[names[f]];
      let value = known + offset[f];
      if (f >= firstAngle && offset[f] !== 0) value -= Math.floor(value / turns[f - firstAngle]) * turns[f - firstAngle];
      if (f < places) step[f] = first ? 0 : value - shown[f];
      row[names[f]] = value;
      shown[f] = value;
      was[f] = known;
    }
    this.stepMs = first ? 0 : passed;
  }

  #away() {
    let away = 0;
    for (let f = 0; f < this.fields.places; f++) away = Math.hypot(away, this.offset[f]);
    return away;
  }

  /**
   * @param {Row} row where it is
   * @param {number} passed
   */
  #shrink(row, passed) {
    if (passed > PAUSE_MS) return this.stop();
    const { offset, glide, step, was } = this;
    const { names, places, firstAngle, turns } = this.fields;
    const left = Math.exp(-passed / DECAY_MS);
    const away = this.#away();
    const least = Math.min(away * (1 - left), GLIDE_PER_MS * passed, GLIDE_MAX);
    let bend = 0;
    for (let f = 0; f < places; f++) {
      // What would go on as it went: beyond the way as it is known now, it is a glide of its own.
      if (this.corrected && this.stepMs > 0) glide[f] = (step[f] * passed) / this.stepMs - (row[names[f]] - was[f]);
      bend = Math.hypot(bend, away > 0 ? (-offset[f] / away) * least - glide[f] : -glide[f]);
    }
    const part = bend > BEND_MAX ? BEND_MAX / bend : 1;
    let speed = 0;
    for (let f = 0; f < places; f++) {
      const wanted = away > 0 ? (-offset[f] / away) * least : 0;
      glide[f] += (wanted - glide[f]) * part;
      speed = Math.hypot(speed, glide[f]);
    }
    const slower = speed > GLIDE_MAX ? GLIDE_MAX / speed : 1;
    let rest = 0;
    for (let f = 0; f < names.length; f++) {
      if (f < places) offset[f] += glide[f] *= slower;
      else if (f < firstAngle) offset[f] *= left;
      else offset[f] -= Math.sign(offset[f]) * Math.min(Math.abs(offset[f]) * (1 - left), SPIN_MAX * turns[f - firstAngle]);
      rest = Math.max(rest, Math.abs(offset[f]));
    }
    this.corrected = false;
    if (rest < LEAST) this.stop();
  }
}

/**
 * @param {number} way
 * @param {number} turn
 */
function shortest(way, turn) {
  return way - Math.round(way / turn) * turn;
}
