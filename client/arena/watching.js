// Whom the camera follows: yourself, while dead the one who got you, and for a spectator whoever was chosen.

/** Seconds that the camera stays where you died before it looks at the winner of the duel. */
const LINGER_S = 1.1;
/** A spectator's choice of the whole arena. */
const ALL = -1;

export class Watching {
  /** The seat that a spectator follows, or ALL. */
  #seat = ALL;
  #killer = -1;
  #sinceDeath = 0;
  #lastX = 0;
  #lastY = 0;

  reset() {
    this.#seat = ALL;
    this.#killer = -1;
    this.#sinceDeath = 0;
  }

  /** @param {number} by the seat that destroyed the own ship */
  died(by) {
    this.#killer = by;
    this.#sinceDeath = 0;
  }

  /**
   * The next or previous ship, with the whole arena between the last and the first.
   * @param {import('./scene.js').Scene} scene
   * @param {number} step 1 or -1
   */
  choose(scene, step) {
    const seats = [ALL];
    for (let i = 0; i < scene.ships.count; i++) seats.push(scene.ships.items[i].seat);
    seats.sort((a, b) => a - b);
    const at = seats.indexOf(this.#seat);
    this.#seat = seats[(Math.max(0, at) + step + seats.length) % seats.length];
  }

  /**
   * @param {import('./scene.js').Scene} scene
   * @returns {string | null} the name of the ship that a spectator follows
   */
  name(scene) {
    return this.#ship(scene, this.#seat)?.name ?? null;
  }

  /**
   * @param {import('./scene.js').Scene} scene
   * @param {number} seat
   */
  #ship(scene, seat) {
    for (let i = 0; i < scene.ships.count; i++) {
      if (scene.ships.items[i].seat === seat) return scene.ships.items[i];
    }
    return null;
  }

  /**
   * @param {import('./draw/camera.js').Camera} camera
   * @param {import('./scene.js').Scene} scene
   * @param {boolean} between rounds: no ship is out, the new map is worth a look
   * @param {number} dt seconds
   */
  move(camera, scene, between, dt) {
    const { own } = scene;
    camera.arenaHalfWidth = scene.halfWidth;
    camera.arenaHalfHeight = scene.halfHeight;
    if (own !== null) {
      this.#sinceDeath = 0;
      this.#killer = -1;
      this.#lastX = own.x;
      this.#lastY = own.y;
      camera.follow(own.x, own.y, own.vx, own.vy, scene.speedMax, dt);
      return;
    }
    if (between && scene.halfWidth > 0) {
      camera.overview(scene.halfWidth, scene.halfHeight, dt);
      return;
    }
    if (scene.ownSeat >= 0) {
      this.#sinceDeath += dt;
      const killer = this.#sinceDeath > LINGER_S ? this.#ship(scene, this.#killer) : null;
      if (killer !== null) camera.follow(killer.x, killer.y, killer.vx, killer.vy, scene.speedMax, dt);
      else camera.follow(this.#lastX, this.#lastY, 0, 0, scene.speedMax, dt);
      return;
    }
    const watched = this.#seat === ALL ? null : this.#ship(scene, this.#seat);
    if (watched !== null) camera.follow(watched.x, watched.y, watched.vx, watched.vy, scene.speedMax, dt);
    else if (this.#seat !== ALL) camera.follow(camera.x, camera.y, 0, 0, scene.speedMax, dt);
    else if (scene.halfWidth > 0) camera.overview(scene.halfWidth, scene.halfHeight, dt);
  }
}
