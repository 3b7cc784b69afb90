// The other direction of view.js: makes a snapshot's body from rows. Servers are written in Rust; this is for tools and
// tests in JS, so it is plain rather than fast.

import { Writer } from './bytes.js';
import { difference } from './schema.js';

/** @typedef {import('./schema.js').Schema} Schema */
/** @typedef {{ id: number, kind: number, fields: number[] }} WireRow a row of quantised values */
/** @typedef {{ kind: number, age: number, fields: number[] }} WireEvent */

/**
 * The body of a snapshot that leads from the rows `old` to the rows `now`, both by ascending id. For base 0 pass no old
 * rows. An id in `reborn` is told as left and entered, whatever its rows.
 * @param {Schema} schema
 * @param {WireRow[]} old
 * @param {WireRow[]} now
 * @param {{ events?: WireEvent[], digest?: number | null, reborn?: Set<number> }} [more]
 * @returns {Uint8Array}
 */
export function encodeBody(schema, old, now, { events = [], digest = null, reborn = new Set() } = {}) {
  const writer = new Writer(1024);
  const before = new Map(old.map((row) => [row.id, row]));
  const kept = now.filter((row) => before.get(row.id)?.kind === row.kind && !reborn.has(row.id));
  const keptIds = new Set(kept.map((row) => row.id));
  writeIds(writer, old.map((row) => row.id).filter((id) => !keptIds.has(id)));
  const changes = kept.map((row) => fieldChanges(schema, before.get(row.id) ?? row, row));
  const bits = new Uint8Array((kept.length + 7) >> 3);
  changes.forEach((change, i) => {
    if (change.length > 0) bits[i >> 3] |= 1 << (i & 7);
  });
  writer.raw(bits);
  for (const change of changes) writeChange(writer, change);
  writeEntered(writer, now.filter((row) => !keptIds.has(row.id)));
  writer.u32(events.length);
  for (const event of events) {
    writer.byte(event.kind);
    writer.u32(event.age);
    for (const value of event.fields) writer.i32(value);
  }
  if (digest !== null) writer.fixed32(digest);
  return writer.finish();
}

/**
 * @param {Writer} writer
 * @param {number[]} ids
 */
function writeIds(writer, ids) {
  writer.u32(ids.length);
  let last = 0;
  for (const id of ids) {
    writer.u32(id - last);
    last = id;
  }
}

/**
 * @param {Schema} schema
 * @param {WireRow} old
 * @param {WireRow} now
 * @returns {{ field: number, step: number }[]}
 */
function fieldChanges(schema, old, now) {
  const changes = [];
  for (const [f, field] of schema.kinds[now.kind].fields.entries()) {
    const step = difference(field, old.fields[f], now.fields[f]);
    if (step !== 0) changes.push({ field: f, step });
  }
  return changes;
}

/**
 * @param {Writer} writer
 * @param {{ field: number, step: number }[]} change
 */
function writeChange(writer, change) {
  if (change.length === 0) return;
  let mask = 0;
  for (const { field } of change) mask |= 1 << field;
  writer.u32(mask >>> 0);
  for (const { step } of change) writer.i32(step);
}

/**
 * @param {Writer} writer
 * @param {WireRow[]} rows
 */
function writeEntered(writer, rows) {
  writer.u32(rows.length);
  let last = 0;
  for (const row of rows) {
    writer.u32(row.id - last);
    last = row.id;
    writer.byte(row.kind);
    for (const value of row.fields) writer.i32(value);
  }
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
