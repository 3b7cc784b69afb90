// Pictures made once: a glow is expensive to draw (shadowBlur, gradients) and cheap to copy.

import { ROCK_FILL, ROCK_LINE, SELF, seatColor, seatShape, withAlpha } from './palette.js';
import { dropPicture, picture } from './picture.js';

/**
 * @typedef {object} Sprite
 * @property {HTMLCanvasElement} image
 * @property {number} half half of its side, world units
 */

/** Hull outlines for a ship of radius 1 whose nose points along +x. */
export const HULLS = [
  [[1.15, 0], [-0.8, 0.78], [-0.45, 0], [-0.8, -0.78]],
  [[1.15, 0], [0.1, 0.4], [-0.75, 0.9], [-0.5, 0], [-0.75, -0.9], [0.1, -0.4]],
  [[1.1, 0.16], [-0.1, 0.85], [-0.85, 0.6], [-0.55, 0], [-0.85, -0.6], [-0.1, -0.85], [1.1, -0.16]],
  [[1.15, 0], [0.05, 0.62], [-0.3, 1], [-0.85, 0.42], [-0.6, 0], [-0.85, -0.42], [-0.3, -1], [0.05, -0.62]],
];

/** The most expensive screens do not need more: a sprite is at most this many pixels wide. */
const PIXELS_MAX = 512;

/** @typedef {Map<number | string, Sprite>} Store the sprites of one sort, by what tells them apart */

/** @type {Store[]} */
const stores = [];
let madeFor = 0;

/** @returns {Store} empty, and empty again whenever the scale changes */
export function newStore() {
  /** @type {Store} */
  const store = new Map();
  stores.push(store);
  return store;
}

/**
 * Sprites are made for a scale; a new one (a resize, another screen) makes them anew.
 * @param {number} ppu canvas pixels per world unit
 */
export function spritesFor(ppu) {
  if (Math.abs(ppu - madeFor) < madeFor * 0.02) return;
  madeFor = ppu;
  for (const store of stores) {
    for (const { image } of store.values()) dropPicture(image);
    store.clear();
  }
}

/** How many sprites are kept, and what they take. */
export function spritesKept() {
  let count = 0;
  let bytes = 0;
  for (const store of stores) {
    for (const { image } of store.values()) {
      count += 1;
      bytes += image.width * image.height * 4;
    }
  }
  return { count, bytes };
}

/**
 * Makes a sprite. Ask the store first, `store.get(key) ?? sprite(...)`: then a frame in which all is known makes no
 * garbage, not even the function that paints.
 * @param {Store} store
 * @param {number | string} key
 * @param {number} half world units
 * @param {(ctx: CanvasRenderingContext2D) => void} paint draws in world units around the origin
 * @returns {Sprite}
 */
export function sprite(store, key, half, paint) {
  const pixels = Math.max(2, Math.min(PIXELS_MAX, Math.ceil(half * 2 * madeFor)));
  const scale = pixels / (half * 2);
  const image = picture(pixels, pixels, (ctx) => {
    ctx.setTransform(scale, 0, 0, scale, pixels / 2, pixels / 2);
    ctx.lineJoin = 'round';
    ctx.lineCap = 'round';
    paint(ctx);
  });
  const fresh = { image, half };
  store.set(key, fresh);
  return fresh;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Sprite} of
 * @param {number} x
 * @param {number} y
 */
export function blit(ctx, of, x, y) {
  ctx.drawImage(of.image, x - of.half, y - of.half, of.half * 2, of.half * 2);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Sprite} of
 * @param {number} x
 * @param {number} y
 * @param {number} turn radians
 */
export function blitTurned(ctx, of, x, y, turn) {
  ctx.translate(x, y);
  ctx.rotate(turn);
  ctx.drawImage(of.image, -of.half, -of.half, of.half * 2, of.half * 2);
  ctx.rotate(-turn);
  ctx.translate(-x, -y);
}

/** @type {Map<string, HTMLCanvasElement>} */
const glows = new Map();

/**
 * A round soft light, to be stretched as needed.
 * @param {string} color
 * @returns {HTMLCanvasElement}
 */
export function glow(color) {
  const known = glows.get(color);
  if (known !== undefined) return known;
  const image = picture(64, 64, (ctx) => {
    const light = ctx.createRadialGradient(32, 32, 0, 32, 32, 32);
    light.addColorStop(0, 'rgba(255, 255, 255, 0.95)');
    light.addColorStop(0.18, withAlpha(color, 0.8));
    light.addColorStop(0.5, withAlpha(color, 0.22));
    light.addColorStop(1, withAlpha(color, 0));
    ctx.fillStyle = light;
    ctx.fillRect(0, 0, 64, 64);
  });
  glows.set(color, image);
  return image;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number[][]} points
 * @param {number} scale
 */
export function trace(ctx, points, scale) {
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x * scale, y * scale);
  ctx.closePath();
}

/**
 * Strokes the current path twice: a blurred one below, a crisp one above.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} color
 * @param {number} width world units
 * @param {number} blur world units
 */
export function glowStroke(ctx, color, width, blur) {
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.shadowColor = color;
  ctx.shadowBlur = blur * ctx.getTransform().a;
  ctx.stroke();
  ctx.stroke();
  ctx.restore();
  ctx.strokeStyle = withAlpha('#ffffff', 0.55);
  ctx.lineWidth = width * 0.4;
  ctx.stroke();
}

const ships = newStore();

/**
 * @param {number} seat
 * @param {boolean} own
 * @param {number} radius
 * @returns {Sprite}
 */
export function shipSprite(seat, own, radius) {
  const key = own ? -1 - seatShape(seat) : seat;
  return ships.get(key) ?? makeShip(key, seat, own, radius);
}

/**
 * @param {number} key
 * @param {number} seat
 * @param {boolean} own
 * @param {number} radius
 * @returns {Sprite}
 */
function makeShip(key, seat, own, radius) {
  const color = own ? SELF : seatColor(seat);
  const shape = seatShape(seat);
  return sprite(ships, key, radius * 2, (ctx) => {
    trace(ctx, HULLS[shape], radius);
    ctx.fillStyle = own ? withAlpha(color, 0.42) : withAlpha('#060a14', 0.92);
    ctx.fill();
    if (!own) {
      ctx.fillStyle = withAlpha(color, 0.14);
      ctx.fill();
    }
    glowStroke(ctx, color, radius * 0.13, radius * 0.55);
    // The spine and cockpit: a nose that can be read at a glance.
    ctx.beginPath();
    ctx.moveTo(radius * 0.72, 0);
    ctx.lineTo(-radius * 0.3, 0);
    ctx.strokeStyle = withAlpha(color, 0.75);
    ctx.lineWidth = radius * 0.08;
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(radius * 0.22, 0, radius * 0.15, 0, Math.PI * 2);
    ctx.fillStyle = own ? '#ffffff' : color;
    ctx.fill();
  });
}

/** Bolts by colour; those that hurt more are longer. */
const bolts = newStore();
const mightyBolts = newStore();

/**
 * A bolt that flies along +x.
 * @param {string} color
 * @param {boolean} might
 * @returns {Sprite}
 */
export function boltSprite(color, might) {
  const store = might ? mightyBolts : bolts;
  return store.get(color) ?? makeBolt(store, color, might ? 42 : 30);
}

/**
 * @param {Store} store
 * @param {string} color
 * @param {number} length
 * @returns {Sprite}
 */
function makeBolt(store, color, length) {
  return sprite(store, color, length, (ctx) => {
    const trail = ctx.createLinearGradient(-length * 0.9, 0, length * 0.35, 0);
    trail.addColorStop(0, withAlpha(color, 0));
    trail.addColorStop(0.7, withAlpha(color, 0.55));
    trail.addColorStop(1, color);
    ctx.strokeStyle = trail;
    ctx.shadowColor = color;
    ctx.shadowBlur = 9 * ctx.getTransform().a;
    ctx.lineWidth = 4.6;
    ctx.beginPath();
    ctx.moveTo(-length * 0.9, 0);
    ctx.lineTo(length * 0.3, 0);
    ctx.stroke();
    ctx.shadowBlur = 0;
    ctx.strokeStyle = '#ffffff';
    ctx.lineWidth = 2.6;
    ctx.beginPath();
    ctx.moveTo(-length * 0.1, 0);
    ctx.lineTo(length * 0.3, 0);
    ctx.stroke();
  });
}

/**
 * The same rock for everybody: its corners follow from its number.
 * @param {number} shape
 * @param {number} radius
 * @returns {number[][]} in units of the radius
 */
export function rockOutline(shape, radius) {
  let state = (Math.imul(shape, 0x9e3779b1) ^ 0x2545f491) >>> 0;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
  for (let warm = 0; warm < 4; warm++) random();
  const corners = Math.max(9, Math.min(18, Math.round(radius / 7)));
  const points = [];
  for (let i = 0; i < corners; i++) {
    const turn = ((i + (random() - 0.5) * 0.55) / corners) * Math.PI * 2;
    // Collisions are with the circle: the outline stays close to it, or hits would look unfair.
    const reach = 0.93 + random() * 0.1;
    points.push([Math.cos(turn) * reach, Math.sin(turn) * reach]);
  }
  return points;
}

const rocks = newStore();
/** Radii are below this. */
const RADII = 4096;

/**
 * @param {number} shape
 * @param {number} radius
 * @returns {Sprite}
 */
export function rockSprite(shape, radius) {
  const key = rockKey(shape, radius);
  return rocks.get(key) ?? makeRock(key, shape, radius);
}

/**
 * @param {number} shape
 * @param {number} radius
 */
function rockKey(shape, radius) {
  return shape * RADII + radius;
}

/**
 * Lets go of all rocks but these: each round has a map of its own, and each of its pictures takes up to a megabyte.
 * @param {{ items: import('../scene.js').Rock[], count: number }} present
 */
export function keepRocks({ items, count }) {
  const kept = new Set();
  for (let i = 0; i < count; i++) kept.add(rockKey(items[i].shape, items[i].radius));
  for (const [key, { image }] of rocks) {
    if (kept.has(key)) continue;
    dropPicture(image);
    rocks.delete(key);
  }
}

/**
 * @param {number} key
 * @param {number} shape
 * @param {number} radius
 * @returns {Sprite}
 */
function makeRock(key, shape, radius) {
  return sprite(rocks, key, radius * 1.25 + 8, (ctx) => {
    const points = rockOutline(shape, radius);
    trace(ctx, points, radius);
    const light = ctx.createRadialGradient(-radius * 0.35, -radius * 0.4, radius * 0.1, 0, 0, radius * 1.1);
    light.addColorStop(0, '#232d47');
    light.addColorStop(1, ROCK_FILL);
    ctx.fillStyle = light;
    ctx.fill();
    ctx.save();
    ctx.clip();
    // Facets: lines from some corners to a point inside, and two craters.
    ctx.strokeStyle = withAlpha(ROCK_LINE, 0.3);
    ctx.lineWidth = 1.4;
    const cx = points[0][0] * radius * 0.2;
    const cy = points[1][1] * radius * 0.25;
    ctx.beginPath();
    for (let i = 0; i < points.length; i += 3) {
      ctx.moveTo(points[i][0] * radius, points[i][1] * radius);
      ctx.lineTo(cx + points[i][0] * radius * 0.35, cy + points[i][1] * radius * 0.35);
      const next = points[(i + 3) % points.length];
      ctx.lineTo(cx + next[0] * radius * 0.35, cy + next[1] * radius * 0.35);
    }
    ctx.stroke();
    ctx.restore();
    trace(ctx, points, radius);
    glowStroke(ctx, ROCK_LINE, 2.2, 6);
  });
}
