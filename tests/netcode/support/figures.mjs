// What every figure needs: seeds, quantiles, worlds that end with their test, and a line that says what was measured.

import { PROFILES } from './link.mjs';
import { World } from './world.mjs';

/**
 * TICKROOM_SEED sets the first seed, TICKROOM_SEEDS how many are run, one after the other: each figure must hold for any.
 * @returns {number[]}
 */
export function seeds() {
  const first = Number(process.env.TICKROOM_SEED ?? 1);
  const count = Number(process.env.TICKROOM_SEEDS ?? 1);
  return Array.from({ length: count }, (_, i) => first + i);
}

/**
 * The value below which a part of them lies; 0 if there are none.
 * @param {number[]} values
 * @param {number} part
 */
export function quantile(values, part) {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

/** @param {number[]} values */
export function mean(values) {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param {number} value @param {number} [digits] */
export function short(value, digits = 2) {
  return Number.isInteger(value) ? String(value) : value.toFixed(digits);
}

/** @param {number} part */
export function percent(part) {
  return `${(part * 100).toFixed(2)} %`;
}

/**
 * Says what was measured, and with which seed, so that it can be measured again.
 * @param {import('node:test').TestContext} t
 * @param {string} profile
 * @param {number} seed
 * @param {Record<string, string | number>} figures
 */
export function report(t, profile, seed, figures) {
  const list = Object.entries(figures).map(([name, value]) => `${name} ${typeof value === 'number' ? short(value) : value}`);
  t.diagnostic(`${profile}, seed ${seed}: ${list.join(', ')}`);
}

/**
 * Runs a match and ends it, whatever happens.
 * @template T
 * @param {keyof typeof PROFILES | import('./link.mjs').Profile} profile
 * @param {number} seed
 * @param {Omit<import('./world.mjs').Setting, 'profile' | 'seed'>} setting
 * @param {(world: World) => Promise<T>} play
 */
export async function match(profile, seed, setting, play) {
  const world = await World.open({ ...setting, seed, profile: typeof profile === 'string' ? PROFILES[profile] : profile });
  try {
    return await play(world);
  } finally {
    world.close();
  }
}
