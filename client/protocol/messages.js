// Every message, both directions: a client encodes the first group and decodes the second, tools and tests do both.
// A message's number on the wire is its place in CLIENT_MESSAGES or SERVER_MESSAGES.

import { CLIENT_MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX, ProtocolError, Reader, Writer } from './bytes.js';
import { readSchema, writeSchema } from './schema.js';

/** The protocol that this client speaks. */
export const PROTOCOL_VERSION = 2;

export const CLIENT_MESSAGES = /** @type {const} */ (['hello', 'input', 'ping', 'resync', 'leave']);
export const SERVER_MESSAGES = /** @type {const} */ (['welcome', 'roster', 'snapshot', 'pong', 'closing']);
export const TIERS = /** @type {const} */ (['full', 'delta']);
export const WISHES = /** @type {const} */ (['quick', 'code', 'create', 'spectate']);
export const PRESENCES = /** @type {const} */ (['here', 'away', 'bot']);

/** Bits of a snapshot's `flags`. */
export const FLAG_NO_INPUT = 1;
export const FLAG_STARVED = 2;
export const FLAG_EVENTS_LOST = 4;
export const FLAG_DIGEST = 8;

/** @typedef {import('./schema.js').Schema} Schema */
/** @typedef {typeof TIERS[number]} Tier */
/** @typedef {typeof PRESENCES[number]} Presence */
/**
 * @typedef {{ kind: 'quick' } | { kind: 'code', code: string } | { kind: 'create', private: boolean }
 *   | { kind: 'spectate', code: string | null }} Wish
 */
/**
 * @typedef {object} Hello
 * @property {'hello'} type
 * @property {number} protocol
 * @property {string} name
 * @property {Wish} wish
 * @property {Tier} tier
 * @property {Uint8Array | null} resume 16 bytes from an earlier Welcome
 * @property {number} features
 */
/**
 * @typedef {object} Input
 * @property {'input'} type
 * @property {number} seq from 1, rising
 * @property {number} tick the tick that it is meant for; 0: as soon as possible
 * @property {number} seen the newest snapshot tick received; 0: this client does not ack
 * @property {number} seenAgo how far behind `tick` others were shown, in 1/16 ticks
 * @property {ArrayLike<number>} row one value per input field
 */
/** @typedef {{ type: 'ping', time: number | bigint, seen: number }} Ping */
/** @typedef {Hello | Input | Ping | { type: 'resync' } | { type: 'leave' }} ClientMessage */
/**
 * @typedef {object} Welcome
 * @property {'welcome'} type
 * @property {number} protocol
 * @property {number} features
 * @property {Schema} schema
 * @property {Uint8Array} tuning
 * @property {number} rulesHash
 * @property {number | null} seat null: a spectator
 * @property {Uint8Array | null} token
 * @property {number} seatKeptMs
 * @property {boolean} resumed
 * @property {string} code
 * @property {number} tickRate
 * @property {number} ticksPerSnapshot
 * @property {number} epoch the server's clock at tick 0, in microseconds
 * @property {number} tick
 * @property {number} skipped
 */
/** @typedef {{ name: string, presence: Presence }} Occupant */
/** @typedef {{ seat: number, who: Occupant | null }} RosterEntry */
/** @typedef {{ type: 'roster', since: number, version: number, entries: RosterEntry[] }} Roster */
/**
 * @typedef {object} Snapshot The header; the body starts at `bytes[bodyAt]` and is read by View.apply.
 * @property {'snapshot'} type
 * @property {number} tick
 * @property {number} base ticks before `tick`; 0: forget everything first
 * @property {number} ack
 * @property {number} margin ticks early, negative: late
 * @property {number} flags
 * @property {number} lateness in units of 100 microseconds
 * @property {number} skipped
 * @property {Uint8Array} bytes
 * @property {number} bodyAt
 */
/** @typedef {{ type: 'pong', time: number, serverTime: number }} Pong */
/** @typedef {{ type: 'closing', code: number, text: string }} Closing */
/** @typedef {Welcome | Roster | Snapshot | Pong | Closing} ServerMessage */

const TOKEN_BYTES = 16;
/** @type {(reader: Reader) => Uint8Array} */
const readToken = (reader) => reader.take(TOKEN_BYTES);
/** @type {(writer: Writer, token: Uint8Array) => void} */
const writeToken = (writer, token) => {
  if (token.length !== TOKEN_BYTES) throw new Error(`a token has ${TOKEN_BYTES} bytes, not ${token.length}`);
  writer.raw(token);
};
/** @type {(reader: Reader) => string} */
const readString = (reader) => reader.string();
/** @type {(writer: Writer, text: string) => void} */
const writeString = (writer, text) => writer.string(text);
/** @type {(reader: Reader) => number} */
const readU16 = (reader) => reader.u16();
/** @type {(writer: Writer, value: number) => void} */
const writeU16 = (writer, value) => writer.u32(value);

/** @type {(what: string, list: readonly string[], word: string) => number} */
function place(what, list, word) {
  const at = list.indexOf(word);
  if (at < 0) throw new Error(`${what} '${word}' is none of ${list.join(', ')}`);
  return at;
}

/**
 * @param {Writer} writer
 * @param {Wish} wish
 */
function writeWish(writer, wish) {
  writer.u32(place('wish', WISHES, wish.kind));
  if (wish.kind === 'code') writer.string(wish.code);
  else if (wish.kind === 'create') writer.bool(wish.private);
  else if (wish.kind === 'spectate') writer.option(wish.code, writeString);
}

/**
 * @param {Reader} reader
 * @returns {Wish}
 */
function readWish(reader) {
  switch (WISHES[reader.variant('RoomWish', WISHES.length)]) {
    case 'code':
      return { kind: 'code', code: reader.string() };
    case 'create':
      return { kind: 'create', private: reader.bool() };
    case 'spectate':
      return { kind: 'spectate', code: reader.option(readString) };
    default:
      return { kind: 'quick' };
  }
}

/**
 * The bytes of a client's message. With a writer of your own nothing is allocated but the result.
 * @param {ClientMessage} message
 * @param {Writer} [writer]
 * @returns {Uint8Array}
 */
export function encodeClient(message, writer = new Writer()) {
  writer.reset();
  writer.u32(place('message', CLIENT_MESSAGES, message.type));
  switch (message.type) {
    case 'hello':
      writer.u32(message.protocol);
      writer.string(message.name);
      writeWish(writer, message.wish);
      writer.u32(place('tier', TIERS, message.tier));
      writer.option(message.resume, writeToken);
      writer.u32(message.features);
      break;
    case 'input':
      writer.u32(message.seq);
      writer.u32(message.tick);
      writer.u32(message.seen);
      writer.u32(message.seenAgo);
      writer.u64(message.row.length);
      for (let i = 0; i < message.row.length; i++) writer.i32(message.row[i]);
      break;
    case 'ping':
      writer.u64(message.time);
      writer.u32(message.seen);
      break;
  }
  return writer.finish();
}

/**
 * @param {Uint8Array} bytes
 * @returns {ClientMessage}
 */
export function decodeClient(bytes) {
  checkLength(bytes, CLIENT_MESSAGE_BYTES_MAX);
  const reader = new Reader(bytes);
  const message = readClient(reader);
  reader.end();
  return message;
}

/**
 * @param {Reader} reader
 * @returns {ClientMessage}
 */
function readClient(reader) {
  switch (CLIENT_MESSAGES[reader.variant('ClientMessage', CLIENT_MESSAGES.length)]) {
    case 'hello':
      return {
        type: 'hello',
        protocol: reader.u16(),
        name: reader.string(),
        wish: readWish(reader),
        tier: TIERS[reader.variant('Tier', TIERS.length)],
        resume: reader.option(readToken),
        features: reader.u32(),
      };
    case 'input':
      return {
        type: 'input',
        seq: reader.u32(),
        tick: reader.u32(),
        seen: reader.u32(),
        seenAgo: reader.u16(),
        row: reader.sequence((r) => r.i32()),
      };
    case 'ping':
      return { type: 'ping', time: reader.u64(), seen: reader.u32() };
    case 'resync':
      return { type: 'resync' };
    default:
      return { type: 'leave' };
  }
}

/** Decodes a server's messages. Its Snapshot object is used again for the next snapshot, so that none is garbage. */
export class ServerDecoder {
  constructor() {
    this.reader = new Reader();
    /** @type {Snapshot} */
    this.snapshot = {
      type: 'snapshot', tick: 0, base: 0, ack: 0, margin: 0, flags: 0, lateness: 0, skipped: 0,
      bytes: this.reader.bytes, bodyAt: 0,
    };
  }

  /**
   * @param {Uint8Array} bytes one WebSocket message
   * @returns {ServerMessage}
   */
  decode(bytes) {
    checkLength(bytes, MESSAGE_BYTES_MAX);
    const reader = this.reader.reset(bytes);
    const type = SERVER_MESSAGES[reader.variant('ServerMessage', SERVER_MESSAGES.length)];
    if (type === 'snapshot') return readSnapshot(reader, this.snapshot);
    const message = readServer(reader, type);
    reader.end();
    return message;
  }
}

/**
 * One message from a server; for many, keep a ServerDecoder.
 * @param {Uint8Array} bytes
 */
export function decodeServer(bytes) {
  return new ServerDecoder().decode(bytes);
}

/**
 * @param {Reader} reader
 * @param {Snapshot} into
 */
function readSnapshot(reader, into) {
  into.tick = reader.fixed32();
  into.base = reader.u32();
  into.ack = reader.u32();
  into.margin = reader.i8();
  into.flags = reader.byte();
  into.lateness = reader.u16();
  into.skipped = reader.u32();
  into.bytes = reader.bytes;
  into.bodyAt = reader.at;
  return into;
}

/**
 * @param {Reader} reader
 * @param {'welcome' | 'roster' | 'pong' | 'closing'} type
 * @returns {ServerMessage}
 */
function readServer(reader, type) {
  switch (type) {
    case 'welcome':
      return {
        type,
        protocol: reader.u16(),
        features: reader.u32(),
        schema: readSchema(reader),
        tuning: reader.blob(),
        rulesHash: reader.u32(),
        seat: reader.option(readU16),
        token: reader.option(readToken),
        seatKeptMs: reader.u32(),
        resumed: reader.bool(),
        code: reader.string(),
        tickRate: reader.u16(),
        ticksPerSnapshot: reader.u16(),
        epoch: reader.u64(),
        tick: reader.u32(),
        skipped: reader.u32(),
      };
    case 'roster':
      return { type, since: reader.u32(), version: reader.u32(), entries: reader.sequence(readRosterEntry) };
    case 'pong':
      return { type, time: reader.u64(), serverTime: reader.u64() };
    default:
      return { type, code: reader.u16(), text: reader.string() };
  }
}

/**
 * @param {Reader} reader
 * @returns {RosterEntry}
 */
function readRosterEntry(reader) {
  const seat = reader.u16();
  const who = reader.option((r) => ({
    name: r.string(),
    presence: PRESENCES[r.variant('Presence', PRESENCES.length)],
  }));
  return { seat, who };
}

/**
 * The bytes of a server's message; of a snapshot, its number, header and body.
 * @param {ServerMessage} message
 * @param {Writer} [writer]
 * @returns {Uint8Array}
 */
export function encodeServer(message, writer = new Writer()) {
  writer.reset();
  writer.u32(place('message', SERVER_MESSAGES, message.type));
  switch (message.type) {
    case 'welcome':
      writer.u32(message.protocol);
      writer.u32(message.features);
      writeSchema(writer, message.schema);
      writer.blob(message.tuning);
      writer.u32(message.rulesHash);
      writer.option(message.seat, writeU16);
      writer.option(message.token, writeToken);
      writer.u32(message.seatKeptMs);
      writer.bool(message.resumed);
      writer.string(message.code);
      writer.u32(message.tickRate);
      writer.u32(message.ticksPerSnapshot);
      writer.u64(message.epoch);
      writer.u32(message.tick);
      writer.u32(message.skipped);
      break;
    case 'roster':
      writer.u32(message.since);
      writer.u32(message.version);
      writer.sequence(message.entries, (w, entry) => {
        w.u32(entry.seat);
        w.option(entry.who, (out, who) => {
          out.string(who.name);
          out.u32(place('presence', PRESENCES, who.presence));
        });
      });
      break;
    case 'snapshot':
      writer.fixed32(message.tick);
      writer.u32(message.base);
      writer.u32(message.ack);
      writer.byte(message.margin);
      writer.byte(message.flags);
      writer.u32(message.lateness);
      writer.u32(message.skipped);
      writer.raw(message.bytes.subarray(message.bodyAt));
      break;
    case 'pong':
      writer.u64(message.time);
      writer.u64(message.serverTime);
      break;
    case 'closing':
      writer.u32(message.code);
      writer.string(message.text);
      break;
  }
  return writer.finish();
}

/**
 * @param {Uint8Array} bytes
 * @param {number} limit
 */
function checkLength(bytes, limit) {
  if (bytes.length > limit) {
    throw new ProtocolError('too_long', `the message has ${bytes.length} bytes; the limit is ${limit}`, limit);
  }
}
