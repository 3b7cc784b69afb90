// One frame on the canvas: order of layers, resolution, and what events add to the picture.

import { Background } from './draw/background.js';
import { Camera } from './draw/camera.js';
import { Effects } from './draw/effects.js';
import { Minimap } from './draw/minimap.js';
import { drawMarkers } from './draw/markers.js';
import { SELF, seatColor } from './draw/palette.js';
import { drawGhost, drawShip, drawTag } from './draw/ships.js';
import { blitTurned, keepRocks, rockSprite, spritesFor } from './draw/sprites.js';
import { Beams, drawPickup, drawRock, drawShot, pickupColor, wayTo } from './draw/things.js';

/** More device pixels than this per CSS pixel cost time and show nothing. */
const PIXEL_RATIO_MAX = 2;
const PIXELS_MAX = 2560 * 1600;

/** The rocks behind the join screen: places as shares of the view, and how near they are. */
const DRIFTING = [
  { shape: 1, radius: 84, x: 0.1, y: 0.2, depth: 0.9 },
  { shape: 2, radius: 46, x: 0.85, y: 0.12, depth: 0.5 },
  { shape: 4, radius: 64, x: 0.93, y: 0.66, depth: 0.75 },
  { shape: 5, radius: 38, x: 0.22, y: 0.78, depth: 0.45 },
  { shape: 6, radius: 54, x: 0.55, y: 0.95, depth: 0.6 },
];

export class Drawing {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLCanvasElement} map
   * @param {import('./reading.js').Reading} reading
   */
  constructor(canvas, map, reading) {
    this.canvas = canvas;
    this.camera = new Camera();
    this.effects = new Effects(false);
    this.reading = reading;
    this.pixelRatio = 1;
    this.#ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
    this.#minimap = new Minimap(map);
  }

  #ctx;
  #minimap;
  #background = new Background();
  #beams = new Beams();
  #time = 0;
  /** Changes when a rock comes or goes. */
  #rocks = 0;
  /** Seconds for which the whole screen still shows that you were hit. */
  #hurt = 0;

  /** @param {boolean} calm prefers-reduced-motion */
  setCalm(calm) {
    this.effects.calm = calm;
    this.camera.calm = calm;
  }

  /**
   * @param {number} width CSS pixels
   * @param {number} height
   * @param {number} ratio device pixels per CSS pixel
   */
  resize(width, height, ratio) {
    const cap = Math.sqrt(PIXELS_MAX / Math.max(1, width * height));
    this.pixelRatio = Math.max(0.5, Math.min(ratio, PIXEL_RATIO_MAX, cap));
    this.canvas.width = Math.max(1, Math.round(width * this.pixelRatio));
    this.canvas.height = Math.max(1, Math.round(height * this.pixelRatio));
    this.camera.resize(this.canvas.width, this.canvas.height);
    spritesFor(this.camera.spritePpu);
  }

  /** A new match: no effect of the old one stays. */
  reset() {
    this.effects.particles.clear();
    this.#beams.clear();
    keepRocks({ items: [], count: 0 });
    this.camera.reset();
    this.#hurt = 0;
  }

  /**
   * The picture behind the join screen: stars and rocks that drift by.
   * @param {number} dt seconds
   */
  idle(dt) {
    const { camera } = this;
    const ctx = this.#ctx;
    this.#time += dt;
    spritesFor(camera.spritePpu);
    camera.arenaHalfWidth = 0;
    camera.arenaHalfHeight = 0;
    const drift = this.effects.calm ? 0 : this.#time * 20;
    camera.follow(drift, drift * 0.35, 0, 0, 1, dt);
    this.#background.draw(ctx, camera, this.pixelRatio, 0, 0);
    camera.apply(ctx);
    const width = camera.halfWidth * 2 + 300;
    const height = camera.halfHeight * 2 + 300;
    for (const rock of DRIFTING) {
      // Each comes back on the other side once it has left the view.
      const x = camera.x - width / 2 + (((rock.x * width - camera.x * rock.depth) % width) + width) % width;
      const y = camera.y - height / 2 + (((rock.y * height - camera.y * rock.depth) % height) + height) % height;
      ctx.globalAlpha = 0.75 * rock.depth;
      blitTurned(ctx, rockSprite(rock.shape, rock.radius), x, y, drift * 0.004 * (rock.shape - 3));
    }
    ctx.globalAlpha = 1;
  }

  /**
   * @param {import('./scene.js').Scene} scene
   * @param {number} dt seconds since the last frame
   * @param {number} now milliseconds
   */
  frame(scene, dt, now) {
    const ctx = this.#ctx;
    const camera = this.camera;
    this.#time += dt;
    spritesFor(camera.spritePpu);
    this.#background.draw(ctx, camera, this.pixelRatio, scene.halfWidth, scene.halfHeight);
    camera.apply(ctx);
    let rocks = 0;
    for (let i = 0; i < scene.rocks.count; i++) {
      const rock = scene.rocks.items[i];
      rocks += rock.id * (i + 1);
      if (camera.sees(rock.x, rock.y, rock.radius * 1.3)) drawRock(ctx, rock);
    }
    if (rocks !== this.#rocks) keepRocks(scene.rocks);
    this.#rocks = rocks;
    for (let i = 0; i < scene.pickups.count; i++) {
      const pickup = scene.pickups.items[i];
      if (camera.sees(pickup.x, pickup.y, 60)) drawPickup(ctx, pickup, this.#time);
    }
    for (let i = 0; i < scene.shots.count; i++) {
      const shot = scene.shots.items[i];
      if (camera.sees(shot.x, shot.y, 40)) drawShot(ctx, shot);
    }
    for (let i = 0; i < scene.ships.count; i++) {
      const ship = scene.ships.items[i];
      if (!camera.sees(ship.x, ship.y, 80)) continue;
      this.effects.exhaust(ship, dt);
      this.effects.damage(ship, dt);
      if (!ship.own) drawShip(ctx, ship, this.#time);
    }
    if (scene.own !== null) drawShip(ctx, scene.own, this.#time);
    if (scene.ghost.shown) drawGhost(ctx, scene.ghost, scene.shipRadius);
    this.#beams.draw(ctx, dt);
    this.effects.particles.step(dt);
    this.effects.particles.draw(ctx, camera);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    for (let i = 0; i < scene.ships.count; i++) {
      const ship = scene.ships.items[i];
      if (camera.sees(ship.x, ship.y, 60)) drawTag(ctx, ship, camera, this.pixelRatio);
    }
    drawMarkers(ctx, scene, camera, this.pixelRatio);
    this.#veil(scene, dt);
    this.#minimap.draw(scene, camera, this.pixelRatio, now);
  }

  /**
   * What lies over the whole picture: red edges when you are hit, dimness when nothing comes any more.
   * @param {import('./scene.js').Scene} scene
   * @param {number} dt
   */
  #veil(scene, dt) {
    const ctx = this.#ctx;
    const { width, height } = this.camera;
    if (this.#hurt > 0) {
      this.#hurt = Math.max(0, this.#hurt - dt);
      ctx.globalAlpha = this.#hurt * (this.effects.calm ? 0.5 : 1.3);
      ctx.fillStyle = '#ff3b4e';
      const edge = Math.round(Math.min(width, height) * 0.012);
      ctx.fillRect(0, 0, width, edge);
      ctx.fillRect(0, height - edge, width, edge);
      ctx.fillRect(0, edge, edge, height - 2 * edge);
      ctx.fillRect(width - edge, edge, edge, height - 2 * edge);
      ctx.globalAlpha = 1;
    }
    if (scene.stale) {
      ctx.fillStyle = 'rgba(3, 5, 12, 0.45)';
      ctx.fillRect(0, 0, width, height);
    }
  }

  /**
   * Shows an event of the match. Fields as in src/arena/schema.rs, in world units.
   * @param {string} kind
   * @param {Record<string, number>} f
   * @param {number} ownSeat
   */
  event(kind, f, ownSeat) {
    const color = (/** @type {number} */ seat) => (seat === ownSeat ? SELF : seatColor(seat));
    const ship = this.reading.shipOf(f.seat);
    const near = f.x !== undefined && this.camera.sees(f.x, f.y, 200);
    switch (kind) {
      case 'hit':
        this.#hit(f, ownSeat, ship, color(f.by));
        break;
      case 'kill':
        if (near) {
          this.effects.explosion(f.x, f.y, ship?.vx ?? 0, ship?.vy ?? 0, color(f.seat), this.reading.looks?.radius ?? 16);
        }
        if (f.seat === ownSeat) this.camera.jolt(0.9);
        else if (near) this.camera.jolt(f.by === ownSeat ? 0.45 : 0.2);
        break;
      case 'pickup':
        if (near) this.effects.pickup(f.x, f.y, pickupColor(f.sort));
        break;
      case 'beam':
        // The own one has been seen already, when it was fired.
        if (f.seat === ownSeat) break;
        this.#beams.add(f.from_x, f.from_y, f.to_x, f.to_y, color(f.seat));
        if (f.hit === 0) this.effects.spent(f.to_x, f.to_y, Math.atan2(f.to_y - f.from_y, f.to_x - f.from_x), color(f.seat));
        break;
      case 'spark':
        if (near) this.effects.spent(f.x, f.y, Math.random() * Math.PI * 2, color(f.seat));
        break;
      case 'spawn':
        if (near) this.effects.spawn(f.x, f.y, color(f.seat), this.reading.looks?.radius ?? 16);
        break;
      case 'dash':
        if (near && f.seat !== ownSeat) this.effects.dash(f.x, f.y, f.heading * Math.PI * 2, color(f.seat));
        break;
      case 'bump':
        if (near) this.effects.spent(f.x, f.y, Math.random() * Math.PI * 2, '#c9d4f0');
        if (f.seat === ownSeat || f.with === ownSeat + 1) this.camera.jolt(Math.min(0.4, f.speed * 0.05));
        break;
      default:
    }
  }

  /**
   * The own beam, as far as the first thing that is drawn on its way: with lag compensation that is what it hits.
   * @param {import('./scene.js').Scene} scene
   * @param {import('./scene.js').Ship} ship
   * @param {number} range units
   */
  ownBeam(scene, ship, range) {
    const aheadX = Math.cos(ship.heading);
    const aheadY = Math.sin(ship.heading);
    let way = range;
    for (let i = 0; i < scene.rocks.count; i++) {
      const { x, y, radius } = scene.rocks.items[i];
      way = Math.min(way, wayTo(x - ship.x, y - ship.y, aheadX, aheadY, radius));
    }
    for (let i = 0; i < scene.ships.count; i++) {
      const other = scene.ships.items[i];
      if (other !== ship) way = Math.min(way, wayTo(other.x - ship.x, other.y - ship.y, aheadX, aheadY, other.radius));
    }
    const x = Math.max(-scene.halfWidth, Math.min(scene.halfWidth, ship.x + aheadX * way));
    const y = Math.max(-scene.halfHeight, Math.min(scene.halfHeight, ship.y + aheadY * way));
    this.#beams.add(ship.x, ship.y, x, y, ship.color);
    this.effects.spent(x, y, ship.heading, ship.color);
    this.camera.jolt(0.25);
  }

  /** @param {import('./scene.js').Ship} ship the own one */
  ownDash(ship) {
    this.effects.dash(ship.x, ship.y, ship.heading, ship.color);
  }

  /**
   * A bolt leaves a ship.
   * @param {import('./scene.js').Shot} shot
   */
  muzzle(shot) {
    if (this.camera.sees(shot.x, shot.y, 0)) this.effects.muzzle(shot.x, shot.y, shot.color, shot.might ? 30 : 20);
  }

  /**
   * @param {Record<string, number>} f
   * @param {number} ownSeat
   * @param {import('./scene.js').Ship | undefined} ship
   * @param {string} color
   */
  #hit(f, ownSeat, ship, color) {
    const shooter = this.reading.shipOf(f.by);
    const from = shooter === undefined ? Math.random() * 6.3 : Math.atan2(shooter.y - f.y, shooter.x - f.x);
    const strong = Math.min(1, f.amount / 40);
    if (this.camera.sees(f.x, f.y, 60)) this.effects.hit(f.x, f.y, from, color, f.shielded !== 0, strong);
    if (ship !== undefined) {
      ship.hitFrom = from;
      if (f.shielded !== 0) ship.sinceShieldHit = 0;
      else ship.sinceHullHit = 0;
    }
    if (f.seat !== ownSeat) return;
    this.camera.jolt(0.16 + 0.4 * strong);
    this.#hurt = Math.min(0.6, this.#hurt + (f.shielded !== 0 ? 0.08 : 0.2 + 0.3 * strong));
  }
}
