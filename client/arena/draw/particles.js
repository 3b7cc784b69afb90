// Sparks, rings, shards and glows: everything that flies apart. Flat arrays filled once; the oldest makes way.

import { glow } from './sprites.js';

const MAX = 1400;
/** Sparks are drawn in batches: one path per colour and this many steps of brightness. */
const FADES = 3;

/** What a particle is drawn as. */
export const SPARK = 0;
export const SHARD = 1;
export const RING = 2;
export const GLOW = 3;

export class Particles {
  #x = new Float32Array(MAX);
  #y = new Float32Array(MAX);
  #vx = new Float32Array(MAX);
  #vy = new Float32Array(MAX);
  #age = new Float32Array(MAX);
  #life = new Float32Array(MAX);
  #size = new Float32Array(MAX);
  #turn = new Float32Array(MAX);
  #spin = new Float32Array(MAX);
  #drag = new Float32Array(MAX);
  #sort = new Uint8Array(MAX);
  #color = new Uint8Array(MAX);
  /** The next spark of the same batch, or -1; rebuilt each frame. */
  #chain = new Int16Array(MAX);
  /** The first spark of each batch. */
  #heads = new Int16Array(0);
  #next = 0;
  #top = 0;
  /** @type {string[]} */
  #colors = [];
  /** @type {Map<string, number>} */
  #colorIds = new Map();

  clear() {
    this.#life.fill(0);
    this.#top = 0;
    this.#next = 0;
  }

  /**
   * @param {number} sort SPARK, SHARD, RING or GLOW
   * @param {number} x
   * @param {number} y
   * @param {number} vx units per second
   * @param {number} vy
   * @param {number} life seconds
   * @param {number} size units
   * @param {string} color
   * @param {number} [drag] share of the speed lost per second
   * @param {number} [turn] radians
   * @param {number} [spin] radians per second; for a RING, how fast it grows
   */
  add(sort, x, y, vx, vy, life, size, color, drag = 1.5, turn = 0, spin = 0) {
    const i = this.#next;
    this.#next = (i + 1) % MAX;
    this.#top = Math.max(this.#top, i + 1);
    let id = this.#colorIds.get(color);
    if (id === undefined) {
      id = this.#colors.push(color) - 1;
      this.#colorIds.set(color, id);
    }
    this.#sort[i] = sort;
    this.#x[i] = x;
    this.#y[i] = y;
    this.#vx[i] = vx;
    this.#vy[i] = vy;
    this.#age[i] = 0;
    this.#life[i] = life;
    this.#size[i] = size;
    this.#color[i] = id;
    this.#drag[i] = drag;
    this.#turn[i] = turn;
    this.#spin[i] = spin;
  }

  /** @param {number} dt seconds */
  step(dt) {
    for (let i = 0; i < this.#top; i++) {
      if (this.#life[i] === 0) continue;
      this.#age[i] += dt;
      if (this.#age[i] >= this.#life[i]) {
        this.#life[i] = 0;
        continue;
      }
      const keep = Math.max(0, 1 - this.#drag[i] * dt);
      this.#vx[i] *= keep;
      this.#vy[i] *= keep;
      this.#x[i] += this.#vx[i] * dt;
      this.#y[i] += this.#vy[i] * dt;
      this.#turn[i] += this.#spin[i] * dt;
    }
  }

  /**
   * @param {CanvasRenderingContext2D} ctx in world units
   * @param {import('./camera.js').Camera} camera
   */
  draw(ctx, camera) {
    ctx.save();
    ctx.globalCompositeOperation = 'lighter';
    ctx.lineCap = 'round';
    this.#chainUp(camera);
    for (let batch = 0; batch < this.#heads.length; batch++) {
      if (this.#heads[batch] >= 0) this.#lines(ctx, batch);
    }
    for (let i = 0; i < this.#top; i++) {
      if (this.#life[i] === 0 || this.#sort[i] < RING) continue;
      const left = 1 - this.#age[i] / this.#life[i];
      const size = this.#size[i];
      if (!camera.sees(this.#x[i], this.#y[i], size * 4)) continue;
      if (this.#sort[i] === GLOW) {
        const r = size * (0.35 + 0.65 * left);
        ctx.globalAlpha = left * left;
        ctx.drawImage(glow(this.#colors[this.#color[i]]), this.#x[i] - r, this.#y[i] - r, r * 2, r * 2);
      } else {
        ctx.globalAlpha = left;
        ctx.strokeStyle = this.#colors[this.#color[i]];
        ctx.lineWidth = 0.5 + 3.5 * left;
        ctx.beginPath();
        const out = 1 - left * left;
        ctx.arc(this.#x[i], this.#y[i], size + this.#spin[i] * out * this.#life[i], 0, Math.PI * 2);
        ctx.stroke();
      }
    }
    ctx.restore();
  }

  /**
   * Sorts the sparks and shards that can be seen into batches of one colour and one step of brightness.
   * @param {import('./camera.js').Camera} camera
   */
  #chainUp(camera) {
    const batches = this.#colors.length * FADES;
    if (this.#heads.length !== batches) this.#heads = new Int16Array(batches);
    this.#heads.fill(-1);
    for (let i = 0; i < this.#top; i++) {
      if (this.#life[i] === 0 || this.#sort[i] > SHARD || !camera.sees(this.#x[i], this.#y[i], 40)) continue;
      const left = 1 - this.#age[i] / this.#life[i];
      const batch = this.#color[i] * FADES + Math.min(FADES - 1, Math.floor(left * FADES));
      this.#chain[i] = this.#heads[batch];
      this.#heads[batch] = i;
    }
  }

  /**
   * One batch, as one path.
   * @param {CanvasRenderingContext2D} ctx
   * @param {number} batch
   */
  #lines(ctx, batch) {
    ctx.beginPath();
    for (let i = this.#heads[batch]; i >= 0; i = this.#chain[i]) {
      const x = this.#x[i];
      const y = this.#y[i];
      if (this.#sort[i] === SPARK) {
        const reach = 0.03 * this.#size[i];
        ctx.moveTo(x, y);
        ctx.lineTo(x - this.#vx[i] * reach, y - this.#vy[i] * reach);
      } else {
        const dx = Math.cos(this.#turn[i]) * this.#size[i];
        const dy = Math.sin(this.#turn[i]) * this.#size[i];
        ctx.moveTo(x - dx, y - dy);
        ctx.lineTo(x + dx, y + dy);
      }
    }
    const fade = batch % FADES;
    ctx.globalAlpha = (fade + 1) / FADES;
    ctx.strokeStyle = this.#colors[Math.floor(batch / FADES)];
    ctx.lineWidth = 1.3 + 0.6 * fade;
    ctx.stroke();
  }
}
