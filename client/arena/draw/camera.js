// Where the picture looks. Everybody sees the same world height, whatever the screen: a big monitor shows it sharper,
// not further. A narrow (portrait) screen is the one exception: it zooms out, up to a bound, so that what comes from
// the side is not a surprise.

/** World units from the top to the bottom of the screen. */
export const VIEW_HEIGHT = 800;
/** A narrower view than this zooms out ... */
const VIEW_WIDTH_MIN = 600;
/** ... up to this factor. */
const PORTRAIT_ZOOM_MAX = 1.5;
/** A wider screen than this shows less height, not more width: the server tells of what is within reach only. */
const ASPECT_MAX = 2.2;
/** Seconds of flight that the camera looks ahead of the ship, and how far at most (share of the view height). */
const LOOK_AHEAD_S = 0.42;
const LOOK_AHEAD_MAX = 0.2;
/** At full speed the view is this much wider. */
const SPEED_ZOOM = 0.08;

/** How much of each half of the view may lie outside the arena, so that a ship at the wall does not look at nothing. */
export const OUTSIDE = 0.42;
export const OUTSIDE_TOUCH = 0.8;

/**
 * Where to look on one axis, for not too much of the outside.
 * @param {number} at
 * @param {number} half of the view
 * @param {number} arena half of the arena; 0: not known
 * @param {number} outside
 */
function within(at, half, arena, outside) {
  if (arena === 0) return at;
  const limit = Math.max(0, arena - half * (1 - outside));
  return Math.max(-limit, Math.min(limit, at));
}

export class Camera {
  constructor() {
    /** Centre, world units. */
    this.x = 0;
    this.y = 0;
    /** Canvas pixels per world unit. */
    this.ppu = 1;
    /** Half of what is visible, world units. */
    this.halfWidth = 1;
    this.halfHeight = 1;
    /** Canvas size, pixels. */
    this.width = 1;
    this.height = 1;
    this.calm = false;
    /** Half of the arena; 0 while it is not known. */
    this.arenaHalfWidth = 0;
    this.arenaHalfHeight = 0;
    /** How much of each half of the view may lie outside the arena. Thumbs cover the edges of a touch screen: more there. */
    this.outside = OUTSIDE;
    this.shakeX = 0;
    this.shakeY = 0;
    this.#trauma = 0;
  }

  #trauma;
  #zoom = 1;
  #leadX = 0;
  #leadY = 0;
  #time = 0;
  #placed = false;

  /**
   * @param {number} width canvas pixels
   * @param {number} height
   */
  resize(width, height) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.#project();
  }

  #project() {
    const aspect = Math.min(this.width / this.height, ASPECT_MAX);
    const narrow = Math.min(PORTRAIT_ZOOM_MAX, Math.max(1, VIEW_WIDTH_MIN / (VIEW_HEIGHT * aspect)));
    const across = this.width / this.height > ASPECT_MAX ? this.width / (VIEW_HEIGHT * ASPECT_MAX) : 0;
    this.ppu = Math.max(across, this.height / (VIEW_HEIGHT * narrow)) / this.#zoom;
    this.halfWidth = this.width / this.ppu / 2;
    this.halfHeight = this.height / this.ppu / 2;
  }

  /** The pixels per world unit at rest: sprites are made for it. */
  get spritePpu() {
    return this.ppu * this.#zoom;
  }

  /** Forgets where it was: the next `follow` jumps. */
  reset() {
    this.#placed = false;
    this.#trauma = 0;
  }

  /**
   * Adds a jolt.
   * @param {number} amount 0..1
   */
  jolt(amount) {
    this.#trauma = Math.min(1, this.#trauma + amount);
  }

  /**
   * Moves towards a body.
   * @param {number} x world units
   * @param {number} y
   * @param {number} vx world units per second
   * @param {number} vy
   * @param {number} speedMax the speed at which the view is widest
   * @param {number} dt seconds since the last frame
   */
  follow(x, y, vx, vy, speedMax, dt) {
    const speed = Math.hypot(vx, vy);
    const reach = Math.min(speed * LOOK_AHEAD_S, Math.min(this.halfWidth, this.halfHeight) * 2 * LOOK_AHEAD_MAX);
    const unit = speed > 1 ? reach / speed : 0;
    const ease = 1 - Math.exp(-dt * 2.6);
    if (!this.#placed) {
      this.#leadX = vx * unit;
      this.#leadY = vy * unit;
      this.x = this.#lookX(x);
      this.y = this.#lookY(y);
      this.#placed = true;
    } else {
      this.#leadX += (vx * unit - this.#leadX) * ease;
      this.#leadY += (vy * unit - this.#leadY) * ease;
      // The ship's own motion is followed without delay (a lag would look like a soft ship); only a jump, such as a
      // respawn across the arena, is travelled.
      const wayX = this.#lookX(x) - this.x;
      const wayY = this.#lookY(y) - this.y;
      const follow = 1 - Math.exp(-dt * (Math.hypot(wayX, wayY) < VIEW_HEIGHT ? 22 : 7));
      this.x += wayX * follow;
      this.y += wayY * follow;
    }
    this.#settle(1 + SPEED_ZOOM * Math.min(1, speed / Math.max(1, speedMax)), dt);
  }

  /** @param {number} x */
  #lookX(x) {
    return within(x + this.#leadX, this.halfWidth, this.arenaHalfWidth, this.outside);
  }

  /** @param {number} y */
  #lookY(y) {
    return within(y + this.#leadY, this.halfHeight, this.arenaHalfHeight, this.outside);
  }

  /**
   * Shows a whole rectangle around the origin: a spectator's view of the arena.
   * @param {number} halfWidth
   * @param {number} halfHeight
   * @param {number} dt
   */
  overview(halfWidth, halfHeight, dt) {
    const follow = this.#placed ? 1 - Math.exp(-dt * 4) : 1;
    this.#placed = true;
    this.x += (0 - this.x) * follow;
    this.y += (0 - this.y) * follow;
    const at = this.spritePpu;
    this.#settle(Math.max(1, (halfHeight * 2.06 * at) / this.height, (halfWidth * 2.06 * at) / this.width), dt);
  }

  /**
   * @param {number} zoom
   * @param {number} dt
   */
  #settle(zoom, dt) {
    this.#zoom += (zoom - this.#zoom) * (1 - Math.exp(-dt * 2));
    this.#project();
    this.#time += dt;
    this.#trauma = Math.max(0, this.#trauma - dt * 1.5);
    const shake = this.calm ? 0 : this.#trauma * this.#trauma * 13;
    this.shakeX = shake * Math.sin(this.#time * 71) * Math.cos(this.#time * 43);
    this.shakeY = shake * Math.sin(this.#time * 59 + 2) * Math.cos(this.#time * 37);
  }

  /**
   * From now on the context draws in world units.
   * @param {CanvasRenderingContext2D} ctx
   */
  apply(ctx) {
    const ppu = this.ppu;
    ctx.setTransform(
      ppu, 0, 0, ppu,
      this.width / 2 - (this.x + this.shakeX) * ppu,
      this.height / 2 - (this.y + this.shakeY) * ppu,
    );
  }

  /**
   * @param {number} x world units
   * @param {number} y
   * @param {number} margin how far outside the view still counts
   * @returns {boolean}
   */
  sees(x, y, margin) {
    return Math.abs(x - this.x) < this.halfWidth + margin && Math.abs(y - this.y) < this.halfHeight + margin;
  }

  /**
   * @param {number} x canvas pixels
   * @returns {number} world units
   */
  worldX(x) {
    return this.x + (x - this.width / 2) / this.ppu;
  }

  /**
   * @param {number} y canvas pixels
   * @returns {number} world units
   */
  worldY(y) {
    return this.y + (y - this.height / 2) / this.ppu;
  }
}
