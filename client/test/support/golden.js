// The golden vectors of assets/golden, and their way of writing values: Rust's names, enums as a name or an object with
// one key, bytes as hex.

import { readFileSync } from 'node:fs';

import { fromHex } from '../../protocol/index.js';

/** @param {string} name */
export function golden(name) {
  return JSON.parse(readFileSync(new URL(`../../../assets/golden/${name}.json`, import.meta.url), 'utf8'));
}

/** @param {string} name */
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/**
 * An enum as the vectors write it, as `[name in lower case, data]`.
 * @param {any} value
 * @returns {[string, any]}
 */
function variant(value) {
  if (typeof value === 'string') return [value.toLowerCase(), null];
  const [name] = Object.keys(value);
  return [name.toLowerCase(), value[name]];
}

/** @param {any} wish */
function wishOf(wish) {
  const [kind, data] = variant(wish);
  if (kind === 'create') return { kind, private: data.private };
  return kind === 'quick' ? { kind } : { kind, code: data };
}

/** @param {any} neutral */
function neutralOf(neutral) {
  return variant(neutral)[1];
}

/** How one field of the vectors reads in JS, where it is not the same. @type {Record<string, (value: any) => any>} */
const READ = {
  wish: wishOf,
  tier: (value) => value.toLowerCase(),
  presence: (value) => value.toLowerCase(),
  interpolation: (value) => value.toLowerCase(),
  sort: (value) => value.toLowerCase(),
  neutral: neutralOf,
  type: (value) => value.toLowerCase(),
  resume: (value) => value && fromHex(value),
  token: (value) => value && fromHex(value),
  tuning: fromHex,
  body: fromHex,
};

/**
 * A value of the vectors as `client/protocol` has it.
 * @param {any} value
 * @returns {any}
 */
export function fromGolden(value) {
  if (Array.isArray(value)) return value.map(fromGolden);
  if (value === null || typeof value !== 'object') return value;
  /** @type {Record<string, any>} */
  const out = {};
  for (const [name, inner] of Object.entries(value)) {
    out[camel(name)] = READ[name] ? READ[name](inner) : fromGolden(inner);
  }
  return out;
}
