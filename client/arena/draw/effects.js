// What one-shot events look like. Nothing here changes what is true: an event that was lost is only not seen.

import { ENERGY, SHIELD, WHITE } from './palette.js';
import { GLOW, RING, SHARD, SPARK, Particles } from './particles.js';

export class Effects {
  /** @param {boolean} calm fewer particles, no flashes */
  constructor(calm) {
    this.calm = calm;
    this.particles = new Particles();
  }

  /** @param {number} n */
  #many(n) {
    return this.calm ? Math.ceil(n / 3) : n;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} from radians: where the shot came from
   * @param {string} color the shooter's
   * @param {boolean} onShield
   * @param {number} strength 0..1
   */
  hit(x, y, from, color, onShield, strength) {
    const tint = onShield ? SHIELD : color;
    this.particles.add(GLOW, x, y, 0, 0, 0.16, 20 + 26 * strength, tint);
    const sparks = this.#many(onShield ? 7 : 12);
    for (let i = 0; i < sparks; i++) {
      const turn = from + (Math.random() - 0.5) * (onShield ? 2.4 : 1.5);
      const speed = 90 + Math.random() * 260;
      this.particles.add(
        SPARK, x, y, Math.cos(turn) * speed, Math.sin(turn) * speed, 0.2 + Math.random() * 0.28, 1,
        i % 3 === 0 ? WHITE : tint, 3,
      );
    }
  }

  /**
   * A bolt that met a rock or the wall.
   * @param {number} x
   * @param {number} y
   * @param {number} heading of the bolt
   * @param {string} color
   */
  spent(x, y, heading, color) {
    this.particles.add(GLOW, x, y, 0, 0, 0.12, 15, color);
    for (let i = this.#many(5); i > 0; i--) {
      const turn = heading + Math.PI + (Math.random() - 0.5) * 2.2;
      const speed = 60 + Math.random() * 150;
      this.particles.add(SPARK, x, y, Math.cos(turn) * speed, Math.sin(turn) * speed, 0.18 + Math.random() * 0.15, 1, color, 3);
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} vx
   * @param {number} vy
   * @param {string} color
   * @param {number} radius
   */
  explosion(x, y, vx, vy, color, radius) {
    const p = this.particles;
    if (!this.calm) p.add(GLOW, x, y, vx * 0.2, vy * 0.2, 0.5, radius * 9, '#ffd9a0');
    p.add(GLOW, x, y, vx * 0.2, vy * 0.2, 0.8, radius * 5, color);
    p.add(RING, x, y, 0, 0, 0.55, radius, color, 0, 0, radius * 11);
    p.add(RING, x, y, 0, 0, 0.8, radius * 0.5, WHITE, 0, 0, radius * 5);
    for (let i = this.#many(46); i > 0; i--) {
      const turn = Math.random() * Math.PI * 2;
      const speed = 60 + Math.random() * Math.random() * 560;
      p.add(
        SPARK, x, y, vx * 0.4 + Math.cos(turn) * speed, vy * 0.4 + Math.sin(turn) * speed,
        0.4 + Math.random() * 0.8, 1.3, i % 4 === 0 ? WHITE : i % 3 === 0 ? '#ffb35c' : color, 2,
      );
    }
    for (let i = this.#many(9); i > 0; i--) {
      const turn = Math.random() * Math.PI * 2;
      const speed = 30 + Math.random() * 130;
      p.add(
        SHARD, x, y, vx * 0.6 + Math.cos(turn) * speed, vy * 0.6 + Math.sin(turn) * speed,
        0.9 + Math.random() * 0.9, radius * (0.25 + Math.random() * 0.45), color, 0.8,
        Math.random() * Math.PI, (Math.random() - 0.5) * 9,
      );
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {string} color
   */
  pickup(x, y, color) {
    this.particles.add(RING, x, y, 0, 0, 0.45, 12, color, 0, 0, 120);
    this.particles.add(GLOW, x, y, 0, 0, 0.3, 40, color);
    for (let i = this.#many(14); i > 0; i--) {
      const turn = (i / 14) * Math.PI * 2;
      this.particles.add(SPARK, x, y, Math.cos(turn) * 130, Math.sin(turn) * 130, 0.45, 1, color, 3);
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {string} color
   * @param {number} radius
   */
  spawn(x, y, color, radius) {
    this.particles.add(RING, x, y, 0, 0, 0.7, radius * 6, color, 0, 0, -radius * 8);
    this.particles.add(GLOW, x, y, 0, 0, 0.5, radius * 4, color);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} heading radians
   * @param {string} color
   */
  dash(x, y, heading, color) {
    this.particles.add(RING, x, y, 0, 0, 0.35, 8, color, 0, 0, 110);
    for (let i = this.#many(16); i > 0; i--) {
      const turn = heading + Math.PI + (Math.random() - 0.5) * 0.7;
      const speed = 150 + Math.random() * 320;
      this.particles.add(SPARK, x, y, Math.cos(turn) * speed, Math.sin(turn) * speed, 0.25 + Math.random() * 0.25, 1.2, color, 3);
    }
  }

  /**
   * The muzzle of a bolt or a beam.
   * @param {number} x
   * @param {number} y
   * @param {string} color
   * @param {number} size
   */
  muzzle(x, y, color, size) {
    this.particles.add(GLOW, x, y, 0, 0, 0.09, size, color);
  }

  /**
   * Exhaust of a thrusting ship; called each frame.
   * @param {import('../scene.js').Ship} ship
   * @param {number} dt seconds
   */
  exhaust(ship, dt) {
    const rate = ship.dashing ? 120 : ship.thrust > 0.05 ? 34 * ship.thrust : 0;
    if (rate === 0 || Math.random() > rate * dt * (this.calm ? 0.3 : 1)) return;
    const back = ship.heading + Math.PI + (Math.random() - 0.5) * 0.5;
    const x = ship.x - Math.cos(ship.heading) * ship.radius * 0.7;
    const y = ship.y - Math.sin(ship.heading) * ship.radius * 0.7;
    const speed = 120 + Math.random() * 130;
    this.particles.add(
      SPARK, x, y, ship.vx + Math.cos(back) * speed, ship.vy + Math.sin(back) * speed,
      0.25 + Math.random() * 0.25, 0.7, Math.random() < 0.35 ? ENERGY : ship.color, 2.5,
    );
  }

  /**
   * Smoke of a ship that is nearly lost.
   * @param {import('../scene.js').Ship} ship
   * @param {number} dt seconds
   */
  damage(ship, dt) {
    if (ship.hull > 0.35 || Math.random() > dt * 14) return;
    const turn = Math.random() * Math.PI * 2;
    this.particles.add(
      SPARK, ship.x + Math.cos(turn) * ship.radius * 0.5, ship.y + Math.sin(turn) * ship.radius * 0.5,
      ship.vx * 0.6 + Math.cos(turn) * 70, ship.vy * 0.6 + Math.sin(turn) * 70, 0.5, 1, '#ff8a4a', 1.5,
    );
  }
}
