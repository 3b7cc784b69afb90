// Ships: flame, hull, shield, charge, name.

import { HEAL, HULL, SELF, SHIELD, WHITE, withAlpha } from './palette.js';
import { dropPicture, picture } from './picture.js';
import { blit, blitTurned, glow, glowStroke, newStore, shipSprite, sprite } from './sprites.js';

/**
 * A ship's name as a picture, since text layout each frame is slow; kept with the ship until it says something else.
 * @param {import('../scene.js').Ship} ship
 * @param {number} pixelRatio
 * @returns {HTMLCanvasElement}
 */
function tagOf({ tag, name, color, away }, pixelRatio) {
  if (tag.image !== null && tag.name === name && tag.color === color && tag.away === away && tag.ratio === pixelRatio) {
    return tag.image;
  }
  tag.name = name;
  tag.color = color;
  tag.away = away;
  tag.ratio = pixelRatio;
  if (tag.image !== null) dropPicture(tag.image);
  tag.image = makeTag(away ? `${name} (away)` : name, color, pixelRatio);
  return tag.image;
}

/**
 * @param {string} text
 * @param {string} color
 * @param {number} pixelRatio
 * @returns {HTMLCanvasElement}
 */
function makeTag(text, color, pixelRatio) {
  const font = `600 ${12 * pixelRatio}px system-ui, sans-serif`;
  ruler ??= /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
  ruler.font = font;
  const width = Math.ceil(ruler.measureText(text).width + 8 * pixelRatio);
  const height = Math.ceil(18 * pixelRatio);
  return picture(width, height, (ctx) => {
    ctx.font = font;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.lineJoin = 'round';
    ctx.lineWidth = 3 * pixelRatio;
    ctx.strokeStyle = 'rgba(3, 5, 12, 0.85)';
    ctx.strokeText(text, width / 2, height / 2);
    ctx.fillStyle = color;
    ctx.fillText(text, width / 2, height / 2);
  });
}

/** What text is measured on. @type {CanvasRenderingContext2D | null} */
let ruler = null;

/**
 * @param {CanvasRenderingContext2D} ctx in world units
 * @param {import('../scene.js').Ship} ship
 * @param {number} time seconds
 */
function flame(ctx, ship, time) {
  if (ship.thrust <= 0.05 && !ship.dashing) return;
  const r = ship.radius;
  const flicker = 0.82 + 0.18 * Math.sin(time * 47 + ship.seat * 2.1) * Math.sin(time * 83 + ship.seat);
  const length = r * (ship.dashing ? 5 : 0.9 + 2.3 * Math.max(0, ship.thrust)) * flicker;
  const light = glow(ship.dashing ? WHITE : ship.color);
  const core = glow('#ffd9a0');
  ctx.globalCompositeOperation = 'lighter';
  ctx.drawImage(light, -r * 0.5 - length, -r * 0.62, length * 1.25 + r * 0.3, r * 1.24);
  ctx.drawImage(core, -r * 0.5 - length * 0.62, -r * 0.3, length * 0.8 + r * 0.3, r * 0.6);
  ctx.globalCompositeOperation = 'source-over';
}

const shields = newStore();

/** @param {number} r */
function makeShield(r) {
  return sprite(shields, r, r * 2, (ctx) => {
    ctx.beginPath();
    ctx.arc(0, 0, r * 1.5, 0, Math.PI * 2);
    const fill = ctx.createRadialGradient(0, 0, r * 0.9, 0, 0, r * 1.5);
    fill.addColorStop(0, withAlpha(SHIELD, 0));
    fill.addColorStop(1, withAlpha(SHIELD, 0.28));
    ctx.fillStyle = fill;
    ctx.fill();
    glowStroke(ctx, SHIELD, r * 0.06, r * 0.3);
  });
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {import('../scene.js').Ship} ship
 * @param {number} time
 */
function shield(ctx, ship, time) {
  const r = ship.radius;
  if (ship.guarded) {
    // Blinks: cannot be hurt yet.
    ctx.globalAlpha = 0.35 + 0.35 * Math.sin(time * 11);
    ctx.strokeStyle = WHITE;
    ctx.lineWidth = 1.6;
    ctx.setLineDash([7, 6]);
    ctx.lineDashOffset = time * 26;
    ctx.beginPath();
    ctx.arc(ship.x, ship.y, r * 1.75, 0, Math.PI * 2);
    ctx.stroke();
    ctx.setLineDash(NO_DASH);
    ctx.globalAlpha = 1;
  }
  if (ship.shield <= 0.01 && ship.sinceShieldHit > 0.4) return;
  const flash = Math.max(0, 1 - ship.sinceShieldHit / 0.4);
  ctx.globalAlpha = Math.min(1, 0.1 + 0.22 * ship.shield + 0.04 * Math.sin(time * 5 + ship.seat) + 0.7 * flash);
  blit(ctx, shields.get(r) ?? makeShield(r), ship.x, ship.y);
  if (flash > 0) {
    ctx.globalAlpha = flash;
    ctx.strokeStyle = WHITE;
    ctx.lineWidth = 2.5;
    ctx.beginPath();
    ctx.arc(ship.x, ship.y, r * 1.5, ship.hitFrom - 0.4 - 0.8 * (1 - flash), ship.hitFrom + 0.4 + 0.8 * (1 - flash));
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** @type {number[]} */
const NO_DASH = [];

/**
 * Draws one living ship.
 * @param {CanvasRenderingContext2D} ctx in world units
 * @param {import('../scene.js').Ship} ship
 * @param {number} time seconds
 */
export function drawShip(ctx, ship, time) {
  const r = ship.radius;
  const dim = ship.stale || ship.away ? 0.4 : 1;
  const blink = ship.guarded && Math.sin(time * 22) > 0.2 ? 0.45 : 1;
  if (ship.own) {
    // A soft light below your ship: found at once after a respawn.
    ctx.globalAlpha = 0.22 * dim;
    ctx.drawImage(glow(SELF), ship.x - r * 4, ship.y - r * 4, r * 8, r * 8);
  }
  ctx.globalAlpha = dim * blink;
  ctx.translate(ship.x, ship.y);
  ctx.rotate(ship.heading);
  flame(ctx, ship, time);
  ctx.rotate(-ship.heading);
  ctx.translate(-ship.x, -ship.y);
  blitTurned(ctx, shipSprite(ship.seat, ship.own, r), ship.x, ship.y, ship.heading);
  if (ship.sinceHullHit < 0.18) {
    ctx.globalCompositeOperation = 'lighter';
    ctx.globalAlpha = 0.9 * (1 - ship.sinceHullHit / 0.18);
    ctx.drawImage(glow(HULL), ship.x - r * 2, ship.y - r * 2, r * 4, r * 4);
    ctx.globalCompositeOperation = 'source-over';
  }
  if (ship.charge > 0.02) charge(ctx, ship, time);
  ctx.globalAlpha = 1;
  shield(ctx, ship, time);
}

/**
 * The beam gathers at the nose.
 * @param {CanvasRenderingContext2D} ctx
 * @param {import('../scene.js').Ship} ship
 * @param {number} time
 */
function charge(ctx, ship, time) {
  const r = ship.radius;
  const x = ship.x + Math.cos(ship.heading) * r * 1.35;
  const y = ship.y + Math.sin(ship.heading) * r * 1.35;
  const size = r * (0.5 + 1.4 * ship.charge) * (0.92 + 0.08 * Math.sin(time * 60));
  ctx.globalCompositeOperation = 'lighter';
  ctx.globalAlpha = 0.9;
  ctx.drawImage(glow(ship.color), x - size, y - size, size * 2, size * 2);
  ctx.strokeStyle = ship.color;
  ctx.lineWidth = 1.6;
  ctx.beginPath();
  ctx.arc(x, y, r * (1.5 - ship.charge), 0, Math.PI * 2);
  ctx.stroke();
  ctx.globalCompositeOperation = 'source-over';
}

/**
 * The name and, once hurt, a small hull bar; in canvas pixels, so that text stays crisp.
 * @param {CanvasRenderingContext2D} ctx in canvas pixels
 * @param {import('../scene.js').Ship} ship
 * @param {import('./camera.js').Camera} camera
 * @param {number} pixelRatio
 */
export function drawTag(ctx, ship, camera, pixelRatio) {
  const x = (ship.x - camera.x - camera.shakeX) * camera.ppu + camera.width / 2;
  const y = (ship.y - camera.y - camera.shakeY) * camera.ppu + camera.height / 2;
  const below = ship.radius * 1.9 * camera.ppu;
  ctx.globalAlpha = ship.stale || ship.away ? 0.5 : 0.92;
  if (!ship.own && ship.name !== '') {
    const image = tagOf(ship, pixelRatio);
    ctx.drawImage(image, Math.round(x - image.width / 2), Math.round(y - below - image.height));
  }
  if (ship.hull < 0.999) {
    const width = 34 * pixelRatio;
    const height = 3 * pixelRatio;
    const left = Math.round(x - width / 2);
    const top = Math.round(y + below);
    ctx.fillStyle = 'rgba(3, 5, 12, 0.75)';
    ctx.fillRect(left - pixelRatio, top - pixelRatio, width + 2 * pixelRatio, height + 2 * pixelRatio);
    ctx.fillStyle = ship.hull > 0.35 ? HEAL : HULL;
    ctx.fillRect(left, top, width * ship.hull, height);
  }
  ctx.globalAlpha = 1;
}

/**
 * Where the server has the own ship, as an outline.
 * @param {CanvasRenderingContext2D} ctx in world units
 * @param {{x: number, y: number, heading: number}} ghost
 * @param {number} radius
 */
export function drawGhost(ctx, ghost, radius) {
  ctx.globalAlpha = 0.8;
  ctx.strokeStyle = WHITE;
  ctx.lineWidth = 1.2;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.arc(ghost.x, ghost.y, radius, 0, Math.PI * 2);
  ctx.moveTo(ghost.x, ghost.y);
  ctx.lineTo(ghost.x + Math.cos(ghost.heading) * radius * 1.5, ghost.y + Math.sin(ghost.heading) * radius * 1.5);
  ctx.stroke();
  ctx.setLineDash(NO_DASH);
  ctx.globalAlpha = 1;
}
