// The whole arena in a corner: rocks once, blips a few times a second.

import { ROCK_LINE, SELF, WALL, withAlpha } from './palette.js';
import { pickupColor } from './things.js';

/** Milliseconds between two pictures: a map need not move at 60 Hz. */
const EVERY_MS = 50;
const ROCK = withAlpha(ROCK_LINE, 0.5);
const EDGE = withAlpha(WALL, 0.8);

export class Minimap {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  }

  #canvas;
  #ctx;
  #last = 0;
  #scale = 0;

  /**
   * @param {import('../scene.js').Scene} scene
   * @param {import('./camera.js').Camera} camera
   * @param {number} pixelRatio
   * @param {number} now milliseconds
   */
  draw(scene, camera, pixelRatio, now) {
    if (now - this.#last < EVERY_MS || scene.halfWidth === 0) return;
    this.#last = now;
    const canvas = this.#canvas;
    if (now - this.#measured > 500) this.#measure(scene, pixelRatio, now);
    const ctx = this.#ctx;
    const scale = this.#scale;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    ctx.translate(canvas.width / 2, canvas.height / 2);
    ctx.fillStyle = 'rgba(6, 10, 24, 0.62)';
    ctx.fillRect(-scene.halfWidth * scale, -scene.halfHeight * scale, scene.halfWidth * 2 * scale, scene.halfHeight * 2 * scale);
    ctx.fillStyle = ROCK;
    for (let i = 0; i < scene.rocks.count; i++) {
      const rock = scene.rocks.items[i];
      ctx.beginPath();
      ctx.arc(rock.x * scale, rock.y * scale, Math.max(pixelRatio, rock.radius * scale), 0, Math.PI * 2);
      ctx.fill();
    }
    for (let i = 0; i < scene.pickups.count; i++) {
      const pickup = scene.pickups.items[i];
      ctx.fillStyle = pickupColor(pickup.sort);
      ctx.fillRect(pickup.x * scale - pixelRatio, pickup.y * scale - pixelRatio, 2 * pixelRatio, 2 * pixelRatio);
    }
    ctx.strokeStyle = 'rgba(180, 205, 255, 0.28)';
    ctx.lineWidth = pixelRatio;
    ctx.strokeRect(
      (camera.x - camera.halfWidth) * scale, (camera.y - camera.halfHeight) * scale,
      camera.halfWidth * 2 * scale, camera.halfHeight * 2 * scale,
    );
    for (let i = 0; i < scene.ships.count; i++) {
      const ship = scene.ships.items[i];
      if (ship.alive && !ship.own) this.#blip(ship, pixelRatio);
    }
    if (scene.own !== null && scene.own.alive) this.#arrow(scene.own, pixelRatio);
    ctx.strokeStyle = EDGE;
    ctx.lineWidth = pixelRatio;
    ctx.strokeRect(
      -scene.halfWidth * scale, -scene.halfHeight * scale, scene.halfWidth * 2 * scale, scene.halfHeight * 2 * scale,
    );
  }

  #measured = -1e9;

  /**
   * Reads the layout, seldom: it costs a reflow when something changed.
   * @param {import('../scene.js').Scene} scene
   * @param {number} pixelRatio
   * @param {number} now
   */
  #measure(scene, pixelRatio, now) {
    this.#measured = now;
    const width = Math.round(this.#canvas.clientWidth * pixelRatio);
    const height = Math.round(this.#canvas.clientHeight * pixelRatio);
    if (width === 0 || height === 0) return;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    const inset = 3 * pixelRatio;
    this.#scale = Math.min((width - inset) / (scene.halfWidth * 2), (height - inset) / (scene.halfHeight * 2));
  }

  /**
   * @param {import('../scene.js').Ship} ship
   * @param {number} pixelRatio
   */
  #blip(ship, pixelRatio) {
    const ctx = this.#ctx;
    ctx.fillStyle = ship.color;
    ctx.beginPath();
    ctx.arc(ship.x * this.#scale, ship.y * this.#scale, 2.2 * pixelRatio, 0, Math.PI * 2);
    ctx.fill();
  }

  /**
   * @param {import('../scene.js').Ship} ship
   * @param {number} pixelRatio
   */
  #arrow(ship, pixelRatio) {
    const ctx = this.#ctx;
    const size = 5 * pixelRatio;
    ctx.save();
    ctx.translate(ship.x * this.#scale, ship.y * this.#scale);
    ctx.rotate(ship.heading);
    ctx.fillStyle = SELF;
    ctx.strokeStyle = '#ffffff';
    ctx.lineWidth = pixelRatio * 0.8;
    ctx.beginPath();
    ctx.moveTo(size, 0);
    ctx.lineTo(-size * 0.75, size * 0.7);
    ctx.lineTo(-size * 0.35, 0);
    ctx.lineTo(-size * 0.75, -size * 0.7);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
    ctx.restore();
  }
}
