// The other direction of view.js: makes a snapshot's body from rows. Servers are written in Rust; this is for tools and
// tests in JS, so it is plain rather than fast.

import { BitWriter } from './bits.js';
import { AGE_ORDER, GAP_ORDER, KIND_ORDER, difference, moves, origin } from './schema.js';

/** @typedef {import('./schema.js').Schema} Schema */
/** @typedef {{ id: number, kind: number, fields: number[] }} WireRow a row of quantised values */
/** @typedef {{ kind: number, age: number, fields: number[] }} WireEvent */

/**
 * The body of a snapshot at `tick` that leads from the rows `old` to the rows `now`, both by ascending id. For base 0 pass
 * no old rows. An id in `reborn` is told as left and entered, whatever its rows.
 * @param {Schema} schema
 * @param {number} tick
 * @param {WireRow[]} old
 * @param {WireRow[]} now
 * @param {{ events?: WireEvent[], digest?: number | null, reborn?: Set<number> }} [more]
 * @returns {Uint8Array}
 */
export function encodeBody(schema, tick, old, now, { events = [], digest = null, reborn = new Set() } = {}) {
  const writer = new BitWriter();
  const before = new Map(old.map((row) => [row.id, row]));
  /** @type {(row: WireRow) => boolean} */
  const stays = (row) => {
    const was = before.get(row.id);
    if (was?.kind !== row.kind || reborn.has(row.id)) return false;
    return !schema.kinds[row.kind].constant || String(was.fields) === String(row.fields);
  };
  const kept = now.filter(stays);
  const keptIds = new Set(kept.map((row) => row.id));
  writeList(writer, old.filter((row) => !keptIds.has(row.id)), () => {});
  for (const row of kept) writeChange(writer, schema.kinds[row.kind], before.get(row.id) ?? row, row);
  writeList(writer, now.filter((row) => !keptIds.has(row.id)), (row) => {
    writer.number(row.kind, KIND_ORDER);
    writeFields(writer, schema.kinds[row.kind].fields, tick, row.fields);
  });
  for (const event of events) {
    writer.number(event.kind + 1, KIND_ORDER);
    writer.number(event.age, AGE_ORDER);
    writeFields(writer, schema.events[event.kind].fields, tick - event.age, event.fields);
  }
  writer.number(0, KIND_ORDER);
  if (digest !== null) writer.fixed32(digest);
  return writer.finish();
}

/**
 * Ids as gaps, each with what belongs to it; a gap of 0 ends the list.
 * @param {BitWriter} writer
 * @param {WireRow[]} rows
 * @param {(row: WireRow) => void} then
 */
function writeList(writer, rows, then) {
  let last = 0;
  for (const row of rows) {
    writer.number(row.id - last, GAP_ORDER);
    last = row.id;
    then(row);
  }
  writer.number(0, GAP_ORDER);
}

/**
 * @param {BitWriter} writer
 * @param {import('./schema.js').EntityKind} kind
 * @param {WireRow} old
 * @param {WireRow} now
 */
function writeChange(writer, { constant, fields }, old, now) {
  if (constant) return;
  const steps = fields.map((field, f) => ({ field, step: difference(field, old.fields[f], now.fields[f]) }));
  const changed = steps.some(({ step }) => step !== 0);
  writer.bit(changed);
  if (!changed) return;
  for (const { field, step } of steps) if (moves(field)) writer.signed(step, field.changeOrder);
  const rest = steps.filter(({ field }) => !moves(field));
  if (rest.length === 0) return;
  const any = rest.some(({ step }) => step !== 0);
  writer.bit(any);
  if (!any) return;
  for (const { field, step } of rest) {
    writer.bit(step !== 0);
    if (step !== 0) writer.signed(step, field.changeOrder);
  }
}

/**
 * @param {BitWriter} writer
 * @param {import('./schema.js').Field[]} fields
 * @param {number} tick
 * @param {number[]} values
 */
function writeFields(writer, fields, tick, values) {
  fields.forEach((field, f) => writer.signed(difference(field, origin(field, tick), values[f]), field.valueOrder));
}

/**
 * The digest of a list of rows (View.computeDigest without a View).
 * @param {WireRow[]} rows
 */
export function digestOf(rows) {
  let sum = 0;
  for (const row of rows) {
    let h = Math.imul((row.id << 8) | row.kind, 0x9e3779b1);
    for (const value of row.fields) {
      h = Math.imul(h ^ value, 0x85ebca6b);
      h ^= h >>> 15;
    }
    h = Math.imul(h, 0xc2b2ae35);
    sum = (sum + (h ^ (h >>> 16))) | 0;
  }
  return sum >>> 0;
}
