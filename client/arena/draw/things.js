// What flies, lies and shines between the ships: bolts, beams, rocks, pickups.

import { ENERGY, HEAL, MIGHT, RAPID, WHITE, withAlpha } from './palette.js';
import { blit, blitTurned, boltSprite, glow, glowStroke, newStore, rockSprite, sprite, trace } from './sprites.js';

const HEXAGON = [0, 1, 2, 3, 4, 5].map((i) => [Math.cos((i * Math.PI) / 3), Math.sin((i * Math.PI) / 3)]);
const CROSS = [[
  [-0.5, -0.16], [-0.16, -0.16], [-0.16, -0.5], [0.16, -0.5], [0.16, -0.16], [0.5, -0.16],
  [0.5, 0.16], [0.16, 0.16], [0.16, 0.5], [-0.16, 0.5], [-0.16, 0.16], [-0.5, 0.16],
]];
const FLASH = [[[0.15, -0.6], [-0.42, 0.1], [-0.04, 0.1], [-0.15, 0.6], [0.42, -0.1], [0.04, -0.1]]];
const ARROWS = [
  [[-0.5, -0.45], [-0.25, -0.45], [0.05, 0], [-0.25, 0.45], [-0.5, 0.45], [-0.2, 0]],
  [[0, -0.45], [0.25, -0.45], [0.55, 0], [0.25, 0.45], [0, 0.45], [0.3, 0]],
];
const STAR = [[0, 1, 2, 3, 4, 5, 6, 7].map((i) => {
  const reach = i % 2 === 0 ? 0.62 : 0.22;
  return [Math.cos((i * Math.PI) / 4) * reach, Math.sin((i * Math.PI) / 4) * reach];
})];

/**
 * @param {CanvasRenderingContext2D} ctx in world units
 * @param {import('../scene.js').Shot} shot
 */
export function drawShot(ctx, shot) {
  blitTurned(ctx, boltSprite(shot.color, shot.might), shot.x, shot.y, shot.heading);
}

/**
 * @param {CanvasRenderingContext2D} ctx in world units
 * @param {import('../scene.js').Rock} rock
 */
export function drawRock(ctx, rock) {
  blit(ctx, rockSprite(rock.shape, rock.radius), rock.x, rock.y);
}

/** What a pickup looks like, by sort: a colour and a sign, so that it is told by shape too. */
const PICKUPS = [
  { color: HEAL, sign: CROSS },
  { color: ENERGY, sign: FLASH },
  { color: RAPID, sign: ARROWS },
  { color: MIGHT, sign: STAR },
];
const UNKNOWN_PICKUP = { color: WHITE, sign: ARROWS };

/**
 * @param {number} sort
 * @returns {string}
 */
export function pickupColor(sort) {
  return (PICKUPS[sort] ?? UNKNOWN_PICKUP).color;
}

const pickups = newStore();

/**
 * @param {number} sort
 * @param {number} r
 */
function makePickup(sort, r) {
  const { color, sign } = PICKUPS[sort] ?? UNKNOWN_PICKUP;
  return sprite(pickups, sort, r * 2, (ctx) => {
    trace(ctx, HEXAGON, r);
    ctx.fillStyle = withAlpha(color, 0.16);
    ctx.fill();
    glowStroke(ctx, color, r * 0.13, r * 0.5);
    ctx.fillStyle = color;
    for (const outline of sign) {
      trace(ctx, outline, r);
      ctx.fill();
    }
  });
}

/**
 * @param {CanvasRenderingContext2D} ctx in world units
 * @param {import('../scene.js').Pickup} pickup
 * @param {number} time seconds
 */
export function drawPickup(ctx, pickup, time) {
  const pulse = Math.sin(time * 3.2 + pickup.id);
  const r = pickup.radius;
  const light = r * (2.3 + 0.5 * pulse);
  ctx.globalCompositeOperation = 'lighter';
  ctx.globalAlpha = 0.34 + 0.12 * pulse;
  ctx.drawImage(glow(pickupColor(pickup.sort)), pickup.x - light, pickup.y - light, light * 2, light * 2);
  ctx.globalCompositeOperation = 'source-over';
  ctx.globalAlpha = 1;
  const picture = pickups.get(pickup.sort) ?? makePickup(pickup.sort, r);
  const half = picture.half * (1 + 0.07 * pulse);
  ctx.drawImage(picture.image, pickup.x - half, pickup.y - half, half * 2, half * 2);
}

/** Seconds for which a beam is seen. */
const BEAM_SEEN_S = 0.34;
const BEAMS_MAX = 24;

/**
 * How far along a ray a circle begins.
 * @param {number} dx from the ray's start to the circle's middle
 * @param {number} dy
 * @param {number} aheadX the ray's direction, of length 1
 * @param {number} aheadY
 * @param {number} radius
 * @returns {number} Infinity if the ray misses it
 */
export function wayTo(dx, dy, aheadX, aheadY, radius) {
  const along = dx * aheadX + dy * aheadY;
  const across = dx * aheadY - dy * aheadX;
  if (along < 0 || Math.abs(across) >= radius) return Infinity;
  return Math.max(0, along - Math.sqrt(radius * radius - across * across));
}

/** The flashes of beams: they hit at once, so what is drawn is their trace. */
export class Beams {
  #beams = Array.from({ length: BEAMS_MAX }, () => ({ x0: 0, y0: 0, x1: 0, y1: 0, age: 9, color: WHITE }));
  #next = 0;

  /**
   * @param {number} x0
   * @param {number} y0
   * @param {number} x1
   * @param {number} y1
   * @param {string} color
   */
  add(x0, y0, x1, y1, color) {
    const beam = this.#beams[this.#next];
    this.#next = (this.#next + 1) % BEAMS_MAX;
    beam.x0 = x0;
    beam.y0 = y0;
    beam.x1 = x1;
    beam.y1 = y1;
    beam.color = color;
    beam.age = 0;
  }

  clear() {
    for (const beam of this.#beams) beam.age = 9;
  }

  /**
   * @param {CanvasRenderingContext2D} ctx in world units
   * @param {number} dt seconds
   */
  draw(ctx, dt) {
    ctx.lineCap = 'round';
    ctx.globalCompositeOperation = 'lighter';
    for (const beam of this.#beams) {
      if (beam.age > BEAM_SEEN_S) continue;
      const left = 1 - beam.age / BEAM_SEEN_S;
      beam.age += dt;
      ctx.beginPath();
      ctx.moveTo(beam.x0, beam.y0);
      ctx.lineTo(beam.x1, beam.y1);
      ctx.strokeStyle = beam.color;
      ctx.globalAlpha = 0.16 * left;
      ctx.lineWidth = 26 * left;
      ctx.stroke();
      ctx.globalAlpha = 0.55 * left;
      ctx.lineWidth = 9 * left;
      ctx.stroke();
      ctx.globalAlpha = left;
      ctx.strokeStyle = WHITE;
      ctx.lineWidth = 0.6 + 2.6 * left;
      ctx.stroke();
      const size = 34 * left;
      ctx.drawImage(glow(beam.color), beam.x1 - size, beam.y1 - size, size * 2, size * 2);
      ctx.drawImage(glow(beam.color), beam.x0 - size * 0.7, beam.y0 - size * 0.7, size * 1.4, size * 1.4);
    }
    ctx.globalCompositeOperation = 'source-over';
    ctx.globalAlpha = 1;
  }
}
