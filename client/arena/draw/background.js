// What lies behind the match: stars in three depths, the grid, the wall of the arena.

import { GRID, SPACE, WALL, withAlpha } from './palette.js';
import { dropPicture, picture } from './picture.js';

const CELL = 150;
const WALL_LIGHT = withAlpha(WALL, 0.1);
const WALL_LINE = withAlpha(WALL, 0.95);
const TILE = 512;
/** How far each layer of stars moves with the camera, how many a tile has, and how big they are. */
const LAYERS = [
  { depth: 0.12, stars: 46, size: 0.9, alpha: 0.4 },
  { depth: 0.25, stars: 26, size: 1.2, alpha: 0.55 },
  { depth: 0.45, stars: 10, size: 1.8, alpha: 0.75 },
];

export class Background {
  /** @type {HTMLCanvasElement[]} */
  #tiles = [];
  #tileScale = 0;
  /** @type {CanvasGradient | null} */
  #haze = null;
  #hazeFor = '';

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {import('./camera.js').Camera} camera
   * @param {number} pixelRatio
   */
  #stars(ctx, camera, pixelRatio) {
    if (this.#tileScale !== pixelRatio) {
      this.#tileScale = pixelRatio;
      for (const tile of this.#tiles) dropPicture(tile);
      this.#tiles = LAYERS.map((layer, at) => starTile(layer, at, pixelRatio));
    }
    for (let at = 0; at < LAYERS.length; at++) {
      const tile = this.#tiles[at];
      const size = tile.width;
      const depth = LAYERS[at].depth * camera.ppu;
      const startX = -((((camera.x + camera.shakeX) * depth) % size) + size) % size;
      const startY = -((((camera.y + camera.shakeY) * depth) % size) + size) % size;
      for (let y = startY; y < camera.height; y += size) {
        for (let x = startX; x < camera.width; x += size) ctx.drawImage(tile, Math.round(x), Math.round(y));
      }
    }
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {import('./camera.js').Camera} camera
   * @param {number} pixelRatio
   * @param {number} halfWidth of the arena, world units; 0 while it is not known
   * @param {number} halfHeight
   */
  draw(ctx, camera, pixelRatio, halfWidth, halfHeight) {
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.fillStyle = SPACE;
    ctx.fillRect(0, 0, camera.width, camera.height);
    const size = `${camera.width} ${camera.height}`;
    if (this.#haze === null || this.#hazeFor !== size) {
      this.#hazeFor = size;
      const reach = Math.max(camera.width, camera.height) * 0.75;
      const haze = ctx.createRadialGradient(camera.width / 2, camera.height / 2, 0, camera.width / 2, camera.height / 2, reach);
      haze.addColorStop(0, 'rgba(38, 58, 120, 0.34)');
      haze.addColorStop(0.6, 'rgba(24, 26, 66, 0.18)');
      haze.addColorStop(1, 'rgba(0, 0, 0, 0)');
      this.#haze = haze;
    }
    ctx.fillStyle = this.#haze;
    ctx.fillRect(0, 0, camera.width, camera.height);
    this.#stars(ctx, camera, pixelRatio);
    if (halfWidth === 0) return;
    camera.apply(ctx);
    grid(ctx, camera, halfWidth, halfHeight);
    wall(ctx, camera, halfWidth, halfHeight);
  }
}

/**
 * @param {{stars: number, size: number, alpha: number}} layer
 * @param {number} seed
 * @param {number} pixelRatio
 * @returns {HTMLCanvasElement}
 */
function starTile(layer, seed, pixelRatio) {
  const width = Math.round(TILE * pixelRatio);
  return picture(width, width, (ctx) => {
    let state = 0x1234567 + seed * 7919;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 0x1_0000_0000;
    };
    for (let i = 0; i < layer.stars; i++) {
      const bright = layer.alpha * (0.4 + 0.6 * random());
      const side = layer.size * pixelRatio * (0.7 + random() * 0.6);
      ctx.fillStyle = random() < 0.2 ? `rgba(255, 214, 170, ${bright})` : `rgba(190, 214, 255, ${bright})`;
      ctx.fillRect(random() * width, random() * width, side, side);
    }
  });
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {import('./camera.js').Camera} camera
 * @param {number} halfWidth
 * @param {number} halfHeight
 */
function grid(ctx, camera, halfWidth, halfHeight) {
  const left = Math.max(-halfWidth, camera.x - camera.halfWidth - 20);
  const right = Math.min(halfWidth, camera.x + camera.halfWidth + 20);
  const top = Math.max(-halfHeight, camera.y - camera.halfHeight - 20);
  const bottom = Math.min(halfHeight, camera.y + camera.halfHeight + 20);
  if (left >= right || top >= bottom) return;
  ctx.beginPath();
  for (let x = Math.ceil(left / CELL) * CELL; x <= right; x += CELL) {
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
  }
  for (let y = Math.ceil(top / CELL) * CELL; y <= bottom; y += CELL) {
    ctx.moveTo(left, y);
    ctx.lineTo(right, y);
  }
  ctx.strokeStyle = GRID;
  ctx.lineWidth = 1 / camera.ppu;
  ctx.stroke();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {import('./camera.js').Camera} camera
 * @param {number} halfWidth
 * @param {number} halfHeight
 */
function wall(ctx, camera, halfWidth, halfHeight) {
  // Outside is darker, so that the edge reads even where no line is in view.
  const far = 4000;
  ctx.fillStyle = 'rgba(0, 0, 0, 0.55)';
  ctx.fillRect(-halfWidth - far, -halfHeight - far, halfWidth * 2 + far * 2, far);
  ctx.fillRect(-halfWidth - far, halfHeight, halfWidth * 2 + far * 2, far);
  ctx.fillRect(-halfWidth - far, -halfHeight, far, halfHeight * 2);
  ctx.fillRect(halfWidth, -halfHeight, far, halfHeight * 2);
  for (let step = 0; step < 4; step++) {
    ctx.strokeStyle = step === 3 ? WALL_LINE : WALL_LIGHT;
    ctx.lineWidth = step === 3 ? 2.5 : 22 - step * 6;
    ctx.strokeRect(-halfWidth, -halfHeight, halfWidth * 2, halfHeight * 2);
  }
}
