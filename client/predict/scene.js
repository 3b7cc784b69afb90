// What a frame shows: entities by kind at the render tick, own shots on their way from the own timeline to the others'.

/** @typedef {import('./tracks.js').Tracks} Tracks */
/** @typedef {import('./tracks.js').Entity} Entity */
/** @typedef {import('./prediction.js').Prediction} Prediction */
/** @typedef {import('./prediction.js').GameAdapter} GameAdapter */
/** @typedef {import('./prediction.js').Pose} Pose */

/**
 * An own shot starts where the own ship is, ahead of the others, and must meet them where they are drawn, behind. It
 * flies its first part slower: over so many times the distance between the two timelines.
 */
const BLEND_SPANS = 3;
/** Own positions that the server told, for the picture without prediction. */
const TOLD_MAX = 64;

export class Scene {
  /** @param {string[]} kinds */
  constructor(kinds) {
    this.phase = 'idle';
    /** The render tick, the predicted tick, both fractions. */
    this.tick = 0;
    this.ownTick = 0;
    this.stale = false;
    /** @type {Pose | null} */
    this.own = null;
    /** @type {Pose | null} */
    this.ghost = null;
    this.offset = { x: 0, y: 0, heading: 0 };
    /** @type {Entity[]} */
    this.all = [];
    /** @type {Map<string, Entity[]>} */
    this.byKind = new Map(kinds.map((kind) => [kind, []]));
    /** Entities that were extrapolated in this frame. */
    this.extrapolated = 0;
  }

  /**
   * The entities of a kind; none if this game has no such kind.
   * @param {string} kind
   * @returns {readonly Entity[]}
   */
  of(kind) {
    return this.byKind.get(kind) ?? [];
  }

  clear() {
    this.all.length = 0;
    for (const list of this.byKind.values()) list.length = 0;
  }

  /** @param {Entity} entity */
  add(entity) {
    this.all.push(entity);
    this.byKind.get(entity.kind)?.push(entity);
    if (entity.extrapolated > 0) this.extrapolated += 1;
  }
}

/** Fills a scene from tracks and prediction. */
export class Stage {
  /**
   * @param {import('../protocol/schema.js').Schema} schema
   * @param {Tracks} tracks
   * @param {GameAdapter | null} game
   */
  constructor(schema, tracks, game) {
    this.schema = schema;
    this.tracks = tracks;
    this.game = game;
    this.ownTimeline = new Set(game?.ownTimeline ?? []);
    this.scene = new Scene(schema.kinds.map((kind) => kind.name));
    /** @type {Entity[]} */
    this.spawnPool = [];
    /** @type {{ tick: number, x: number, y: number, heading: number }[]} */
    this.told = Array.from({ length: TOLD_MAX }, () => ({ tick: -1, x: 0, y: 0, heading: 0 }));
    this.toldCount = 0;
    /** @type {Pose} */
    this.plain = { x: 0, y: 0, heading: 0 };
  }

  /**
   * @param {number} seat -1: a spectator
   * @param {number} render
   * @param {number} own
   * @param {{ interpolation: boolean, prediction: boolean }} switches
   * @param {number} farthest ticks that may be extrapolated
   * @param {number} passed ms since the last frame
   */
  others(seat, render, own, switches, farthest, passed) {
    const { scene, tracks } = this;
    scene.clear();
    scene.extrapolated = 0;
    tracks.forget(Math.min(render, own));
    for (const track of tracks.all) {
      const { entity } = track;
      if (!track.judged) this.#judge(track, seat);
      if (entity.mine && switches.prediction && this.ownTimeline.has(entity.kind)) {
        const tick = this.shotTick(track.birth, own, render);
        // Known before its time has come: it is there at once.
        if (tick >= track.left || !tracks.place(track, Math.max(tick, track.ticks[0]), 0)) continue;
        entity.tick = tick;
      } else if (!switches.interpolation) {
        if (track.left !== Infinity) continue;
        tracks.placeNewest(track);
      } else if (!tracks.draw(track, render, farthest, passed)) continue;
      scene.add(entity);
    }
  }

  /**
   * Own things that appear before the server confirmed them.
   * @param {Prediction} prediction
   * @param {number} render
   * @param {number} own
   */
  spawns(prediction, render, own) {
    let used = 0;
    for (const spawn of prediction.spawns) {
      const kind = this.schema.kinds.find((one) => one.name === spawn.kind);
      if (!kind) continue;
      const entity = this.spawnPool[used] ?? this.#newSpawn();
      used += 1;
      entity.id = -(spawn.tick * 16 + spawn.index);
      entity.kind = spawn.kind;
      entity.tick = this.shotTick(spawn.tick, own, render);
      for (const field of kind.fields) entity.row[field.name] = (spawn.row[field.name] ?? 0) / field.scale;
      this.scene.add(entity);
    }
  }

  /**
   * When to draw an own shot: it starts on the own timeline and ends on the others', and never flies backwards.
   * @param {number} birth
   * @param {number} own
   * @param {number} render
   */
  shotTick(birth, own, render) {
    const between = Math.max(0, own - render);
    const age = Math.max(0, own - birth);
    return own - between * Math.min(1, age / (BLEND_SPANS * between || 1));
  }

  /**
   * The server told where the own ship is.
   * @param {number} tick
   * @param {Pose | null} pose
   */
  remember(tick, pose) {
    if (pose === null) {
      this.toldCount = 0;
      return;
    }
    const entry = this.told[this.toldCount++ % TOLD_MAX];
    entry.tick = tick;
    entry.x = pose.x;
    entry.y = pose.y;
    entry.heading = pose.heading;
  }

  /**
   * The own ship as it looks without prediction: late by the way up, the way down and the interpolation delay.
   * @param {Pose} told the newest, for everything that is not position
   * @param {number} render
   * @returns {Pose | null}
   */
  unpredicted(told, render) {
    if (this.toldCount === 0) return null;
    let at = this.toldCount - 1;
    const oldest = Math.max(0, this.toldCount - TOLD_MAX);
    while (at > oldest && this.told[at % TOLD_MAX].tick > render) at -= 1;
    const from = this.told[at % TOLD_MAX];
    const to = this.told[Math.min(at + 1, this.toldCount - 1) % TOLD_MAX];
    const span = to.tick - from.tick;
    const part = span > 0 ? Math.max(0, Math.min(1, (render - from.tick) / span)) : 0;
    Object.assign(this.plain, told);
    this.plain.x = from.x + (to.x - from.x) * part;
    this.plain.y = from.y + (to.y - from.y) * part;
    const turn = to.heading - from.heading;
    const heading = from.heading + (turn - Math.round(turn)) * part;
    this.plain.heading = heading - Math.floor(heading);
    return this.plain;
  }

  /**
   * Asks the game once per entity whose it is.
   * @param {Tracks['all'][number]} track
   * @param {number} seat
   */
  #judge(track, seat) {
    const { entity } = track;
    track.judged = true;
    this.tracks.placeNewest(track);
    entity.mine = seat >= 0 && this.game !== null && this.game.isMine(entity.kind, entity.row, seat);
    track.birth = this.game?.birth?.(entity.kind, entity.row) ?? track.ticks[0];
  }

  /** @returns {Entity} */
  #newSpawn() {
    /** @type {Entity} */
    const entity = { id: 0, kind: '', row: {}, mine: true, predicted: true, tick: 0, extrapolated: 0, frozen: false };
    this.spawnPool.push(entity);
    return entity;
  }
}
