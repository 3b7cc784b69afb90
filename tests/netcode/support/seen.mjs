// Other ships: where they were drawn, against where they were at the tick that was shown.

/** The clock and the delay are being set while the first snapshots come. */
export const SETTLE_SECONDS = 2;
/** A frame that moves a ship by more than this beyond its own way is a snap. */
export const SNAP_U = 8;

/** Collects what a person saw of other ships. */
export class Seen {
  constructor() {
    /** @type {number[]} distance from the truth at the displayed tick, world units */
    this.errors = [];
    /** @type {number[]} ticks behind the server */
    this.delays = [];
    this.frames = 0;
    this.underruns = 0;
    this.snaps = 0;
    /** Likewise, but while it is guessed its own way may also be the one that it was drawn to go before: a wrong guess is no leap. */
    this.pops = 0;
    /** The most that a frame moved a ship so. */
    this.worst = 0;
    /** World units that the drawn ships flew: what stands still is easy to draw. */
    this.path = 0;
    /** @type {Map<number, { x: number, y: number, tick: number, frame: number, step: null | { x: number, y: number } }>} */
    this.was = new Map();
    this.place = { x: 0, y: 0 };
    this.past = { x: 0, y: 0 };
  }

  /** @param {import('./person.mjs').Person} person @param {any} scene */
  look(person, scene) {
    const { world } = person;
    const { session } = person.client;
    if (world.seconds < SETTLE_SECONDS || !session) return;
    this.frames += 1;
    if (scene.tick > session.view.tick) this.underruns += 1;
    this.delays.push(world.serverTick - scene.tick);
    for (const { id, row, mine, tick, extrapolated } of scene.of('ship')) {
      if (mine) continue;
      const place = world.truth.place(tick, row.seat, this.place);
      const was = this.was.get(id);
      const went = was && was.frame === this.frames - 1 ? { x: row.x - was.x, y: row.y - was.y } : null;
      this.was.set(id, { x: row.x, y: row.y, tick, frame: this.frames, step: went });
      if (!place) continue;
      this.errors.push(Math.hypot(row.x - place.x, row.y - place.y));
      const past = was && went ? world.truth.place(was.tick, row.seat, this.past) : null;
      if (!was || !went || !past) continue;
      // The ship's own way between the two displayed ticks, which may hold a bounce, and what was drawn beyond it.
      const [ownX, ownY] = [place.x - past.x, place.y - past.y];
      this.path += Math.hypot(went.x, went.y);
      const beyond = Math.hypot(went.x - ownX, went.y - ownY);
      // Frames are as long as each other here.
      const bend = extrapolated > 0 && was.step ? Math.hypot(went.x - was.step.x, went.y - was.step.y) : Infinity;
      const leap = Math.min(beyond, bend);
      this.worst = Math.max(this.worst, leap);
      if (beyond > SNAP_U) this.snaps += 1;
      if (leap > SNAP_U) this.pops += 1;
    }
  }
}
