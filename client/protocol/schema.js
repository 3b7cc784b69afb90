// What a game's clients see and do, as data: Welcome carries it. Rows are arrays of integers in the order of a kind's
// fields; the wire carries `quantise(exact)`, a client shows `wire << dropBits`.

import { ORDER_MAX } from './bits.js';
import { Writer } from './bytes.js';

/** @typedef {import('./bytes.js').Reader} Reader */
/** @typedef {'step' | 'linear' | 'angle' | 'tick'} Interpolation */
/**
 * @typedef {object} Field One integer of a row.
 * @property {string} name
 * @property {number} scale how many exact units make one unit that people speak of
 * @property {Interpolation} interpolation
 * @property {number} dropBits how many low bits snapshots drop
 * @property {number} changeOrder of the numbers that differences are written as
 * @property {number} valueOrder of the numbers in whole rows and events
 */
/**
 * @typedef {object} EntityKind
 * @property {string} name
 * @property {boolean} private every row goes to its owner alone
 * @property {boolean} constant rows never change while they live
 * @property {Field[]} fields
 */
/** @typedef {{ name: string, fields: Field[] }} EventKind */
/**
 * @typedef {object} InputField
 * @property {string} name
 * @property {number} min
 * @property {number} max
 * @property {number | null} neutral what a level becomes when its seat starves; null: it holds
 * @property {'level' | 'press'} sort
 */
/**
 * @typedef {object} Schema
 * @property {string} game
 * @property {number} rules
 * @property {EntityKind[]} kinds
 * @property {InputField[]} inputs
 * @property {EventKind[]} events
 */

/** Limits of a schema. */
export const KINDS_MAX = 64;
export const FIELDS_MAX = 32;
export const INPUT_FIELDS_MAX = 8;
/** One turn, in the exact units of an angle. */
export const TURN = 65_536;

/** The orders of the numbers that no field has: gaps between ids, kinds, ages of events. */
export const GAP_ORDER = 5;
export const KIND_ORDER = 3;
export const AGE_ORDER = 1;

/** @type {Interpolation[]} */
const INTERPOLATIONS = ['step', 'linear', 'angle', 'tick'];
/** @type {('level' | 'press')[]} */
const SORTS = ['level', 'press'];

/**
 * @param {Reader} reader
 * @returns {Field}
 */
function readField(reader) {
  return {
    name: reader.string(),
    scale: reader.u32(),
    interpolation: INTERPOLATIONS[reader.variant('Interpolation', INTERPOLATIONS.length)],
    dropBits: reader.byte(),
    changeOrder: reader.byte(),
    valueOrder: reader.byte(),
  };
}

/**
 * @param {Writer} writer
 * @param {Field} field
 */
function writeField(writer, field) {
  writer.string(field.name);
  writer.u32(field.scale);
  writer.u32(INTERPOLATIONS.indexOf(field.interpolation));
  writer.byte(field.dropBits);
  writer.byte(field.changeOrder);
  writer.byte(field.valueOrder);
}

/**
 * @param {Reader} reader
 * @returns {InputField}
 */
function readInput(reader) {
  const name = reader.string();
  const min = reader.i32();
  const max = reader.i32();
  const neutral = reader.variant('Neutral', 2) === 0 ? reader.i32() : null;
  return { name, min, max, neutral, sort: SORTS[reader.variant('InputSort', SORTS.length)] };
}

/**
 * @param {Writer} writer
 * @param {InputField} input
 */
function writeInput(writer, input) {
  writer.string(input.name);
  writer.i32(input.min);
  writer.i32(input.max);
  if (input.neutral === null) writer.u32(1);
  else {
    writer.u32(0);
    writer.i32(input.neutral);
  }
  writer.u32(SORTS.indexOf(input.sort));
}

/**
 * @param {Reader} reader
 * @returns {Schema}
 */
export function readSchema(reader) {
  return {
    game: reader.string(),
    rules: reader.u32(),
    kinds: reader.sequence((r) => ({ name: r.string(), private: r.bool(), constant: r.bool(), fields: r.sequence(readField) })),
    inputs: reader.sequence(readInput),
    events: reader.sequence((r) => ({ name: r.string(), fields: r.sequence(readField) })),
  };
}

/**
 * @param {Writer} writer
 * @param {Schema} schema
 */
export function writeSchema(writer, schema) {
  writer.string(schema.game);
  writer.u32(schema.rules);
  writer.sequence(schema.kinds, (w, kind) => {
    w.string(kind.name);
    w.bool(kind.private);
    w.bool(kind.constant);
    w.sequence(kind.fields, writeField);
  });
  writer.sequence(schema.inputs, writeInput);
  writer.sequence(schema.events, (w, kind) => {
    w.string(kind.name);
    w.sequence(kind.fields, writeField);
  });
}

/**
 * Throws an Error with a sentence if the tables that a client builds from a schema could not hold it.
 * @param {Schema} schema
 */
export function checkSchema(schema) {
  /** @type {(what: string, count: number, max: number) => void} */
  const atMost = (what, count, max) => {
    if (count > max) throw new Error(`${what}: ${count}, at most ${max} are possible`);
  };
  atMost('entity kinds', schema.kinds.length, KINDS_MAX);
  atMost('event kinds', schema.events.length, KINDS_MAX);
  atMost('input fields', schema.inputs.length, INPUT_FIELDS_MAX);
  for (const kind of [...schema.kinds, ...schema.events]) {
    atMost(`fields of ${kind.name}`, kind.fields.length, FIELDS_MAX);
    for (const field of kind.fields) {
      if (field.scale < 1) throw new Error(`${kind.name}.${field.name}: scale must be at least 1`);
      if (field.dropBits > 15) throw new Error(`${kind.name}.${field.name}: dropBits must be at most 15`);
      if (field.changeOrder > ORDER_MAX || field.valueOrder > ORDER_MAX) {
        throw new Error(`${kind.name}.${field.name}: an order must be at most ${ORDER_MAX}`);
      }
    }
  }
}

/**
 * The bits that an angle's wire value has; -1 (all) for other fields.
 * @param {Field} field
 */
export function valueMask(field) {
  return field.interpolation === 'angle' ? (TURN >> field.dropBits) - 1 : -1;
}

/**
 * True if every delta tells the field; others have a bit that says whether they changed.
 * @param {Field} field
 */
export function moves({ interpolation }) {
  return interpolation === 'linear' || interpolation === 'angle';
}

/**
 * What a whole row or event at `tick` tells the field's difference from.
 * @param {Field} field
 * @param {number} tick
 */
export function origin(field, tick) {
  return field.interpolation === 'tick' ? tick | 0 : 0;
}

/**
 * What the wire carries for an exact value.
 * @param {Field} field
 * @param {number} exact
 */
export function quantise(field, exact) {
  const half = (1 << field.dropBits) >> 1;
  // Not `>>`: adding the half may leave 32 bits.
  return (Math.floor((exact + half) / 2 ** field.dropBits) | 0) & valueMask(field);
}

/**
 * What must be added to the wire value `base` to reach `now`: wrapping in 32 bits, an angle the shortest way.
 * @param {Field} field
 * @param {number} base
 * @param {number} now
 */
export function difference(field, base, now) {
  const wrapped = (now - base) | 0;
  if (field.interpolation !== 'angle') return wrapped;
  const mask = valueMask(field);
  const half = (mask >> 1) + 1;
  return ((wrapped + half) & mask) - half;
}

/**
 * The inverse of `difference`.
 * @param {Field} field
 * @param {number} base
 * @param {number} step
 */
export function applyDifference(field, base, step) {
  return ((base + step) | 0) & valueMask(field);
}

/**
 * FNV-1a (32 bits) over the encoded schema, then the tuning's bytes: Welcome's `rulesHash`.
 * @param {Schema} schema
 * @param {Uint8Array} tuning
 */
export function rulesHash(schema, tuning) {
  const writer = new Writer(1024);
  writeSchema(writer, schema);
  let hash = 0x811c9dc5;
  for (const bytes of [writer.finish(), tuning]) {
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  }
  return hash >>> 0;
}
