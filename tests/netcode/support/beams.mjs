// What became of each beam: who was hit, and where the victim really was, tick by tick, until the shot was judged.

import { EVENT_BEAM, HEADING, X, Y } from './truth.mjs';
import { REACH_U } from './gunner.mjs';

const UNIT = 4096;
/** Sixteenths of a tick in which a rewind is told. */
const PARTS = 16;
/** Nobody may be hit longer than this after leaving the line: 400 ms. */
export const REWIND_MAX_TICKS = 24;
/** The sine table has 1024 directions and the history 16 parts a tick: what that costs at the far end of a beam. */
const ROUNDING_U = 4;

/** A target crosses the line if it is seen to go so far across it in a frame: 90 u a second, half of what ships usually fly. */
export const CROSSING_U = 1.5;

/** One person's shots against the truth. */
export class Beams {
  constructor() {
    this.shots = 0;
    this.hits = 0;
    /** Of the shots and the hits, those at targets that were seen to cross the line. */
    this.crossing = 0;
    this.crossingHits = 0;
    /** The target was destroyed before the shot was judged: nobody is left to be hit. */
    this.gone = 0;
    /** Hits on whoever it was, by this person. */
    this.anybody = 0;
    /** Of them, those whose victim was off the line for more than 400 ms. */
    this.tooLate = 0;
    /** Of them, those that the room's cap does not explain: the victim was not on the line at the instant that it judged. */
    this.unexplained = 0;
    /** Shots whose target was on the line at the instant that the sender named, however long ago. */
    this.named = 0;
    /** How far the target was from the line when the shot was judged, world units. @type {number[]} */
    this.live = [];
    /** The longest rewind that the room allowed, in ticks. */
    this.longest = 0;
    this.place = { x: 0, y: 0 };
  }

  /**
   * @param {import('./person.mjs').Person} person
   * @param {import('./gunner.mjs').Gunner} gunner
   */
  measure(person, gunner) {
    person.world.onTick.push((truth, tick) => {
      const shooter = truth.at(tick, person.seat);
      if (!shooter) return;
      this.longest = Math.max(this.longest, shooter.seenAgo / PARTS);
      for (const { kind, fields } of truth.events) {
        if (kind === EVENT_BEAM && fields[4] === person.seat) this.#judge(truth, tick, shooter, fields[5] - 1, gunner);
      }
    });
  }

  /**
   * @param {import('./truth.mjs').Truth} truth
   * @param {number} tick
   * @param {import('./truth.mjs').Seat} shooter
   * @param {number} victim -1: nobody
   * @param {import('./gunner.mjs').Gunner} gunner
   */
  #judge(truth, tick, shooter, victim, gunner) {
    const off = (/** @type {number} */ seat, /** @type {number} */ ago) => {
      // The victim of this very shot may be gone in this tick; where it was is asked of the ticks before.
      const place = truth.place(tick - ago, seat, this.place);
      if (!place) return Infinity;
      const angle = ((shooter.words[HEADING] & ~63) / 65_536) * 2 * Math.PI;
      const [dx, dy] = [place.x - shooter.words[X] / UNIT, place.y - shooter.words[Y] / UNIT];
      return dx * Math.cos(angle) + dy * Math.sin(angle) < 0 ? Infinity : Math.abs(dy * Math.cos(angle) - dx * Math.sin(angle));
    };
    const reach = REACH_U + ROUNDING_U;
    if (victim >= 0) {
      this.anybody += 1;
      let onLine = false;
      for (let ago = 0; ago <= REWIND_MAX_TICKS * PARTS && !onLine; ago++) onLine = off(victim, ago / PARTS) <= reach;
      if (!onLine) this.tooLate += 1;
      // The very tick of a kill has no place for its victim: then the tick before is as good.
      const judged = Math.min(off(victim, shooter.seenAgo / PARTS), off(victim, Math.max(1, shooter.seenAgo / PARTS)));
      if (judged > reach) this.unexplained += 1;
    }
    const shot = gunner.shots.find(({ stamp }) => tick - stamp >= 0 && tick - stamp < 30);
    if (!shot) return;
    gunner.shots.splice(0, gunner.shots.indexOf(shot) + 1);
    if (victim !== shot.target && truth.at(tick, shot.target)?.id === 0) {
      this.gone += 1;
      return;
    }
    this.shots += 1;
    const hit = victim === shot.target ? 1 : 0;
    this.hits += hit;
    if (shot.crossing >= CROSSING_U) {
      this.crossing += 1;
      this.crossingHits += hit;
    }
    if (off(shot.target, shot.seenAgo / PARTS) <= reach) this.named += 1;
    const live = off(shot.target, 0);
    if (live !== Infinity) this.live.push(live);
  }
}

/** @param {Beams[]} all */
export function together(all) {
  const sum = new Beams();
  for (const one of all) {
    for (const name of /** @type {const} */ (['shots', 'hits', 'crossing', 'crossingHits', 'gone', 'anybody', 'tooLate', 'unexplained', 'named'])) sum[name] += one[name];
    sum.live.push(...one.live);
    sum.longest = Math.max(sum.longest, one.longest);
  }
  return sum;
}
