// The resume token in the tab's storage: what takes a dropped seat back after a lost connection or a reload.

import { fromHex, toHex } from '../protocol/index.js';

/** @typedef {import('../protocol/messages.js').Wish} Wish */
/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} SeatStorage of the tab, not of the browser: two tabs must not share a seat */
/** @typedef {{ token: Uint8Array, code: string }} SavedSeat */

/** @param {string} url */
const keyOf = (url) => `tickroom seat ${url}`;

/**
 * The seat that this tab may take back.
 * @param {SeatStorage | null} storage
 * @param {string} url
 * @returns {SavedSeat | null}
 */
export function savedSeat(storage, url) {
  try {
    const { token, code } = JSON.parse(storage?.getItem(keyOf(url)) ?? 'null') ?? {};
    const bytes = fromHex(token);
    return bytes.length === 16 && typeof code === 'string' ? { token: bytes, code } : null;
  } catch {
    return null;
  }
}

/**
 * Remembers a seat, or forgets it. A storage that refuses (private window, full) only costs the resume after a reload.
 * @param {SeatStorage | null} storage
 * @param {string} url
 * @param {SavedSeat | null} seat
 * @returns {boolean} whether storage says so now
 */
export function saveSeat(storage, url, seat) {
  if (storage === null) return false;
  try {
    if (seat === null) storage.removeItem(keyOf(url));
    else storage.setItem(keyOf(url), JSON.stringify({ token: toHex(seat.token), code: seat.code }));
    return true;
  } catch {
    return false;
  }
}

/**
 * The seat of one client. Another page of the same tab may have taken it back meanwhile, and hold a newer token of it, or
 * have left it: this page comes back from the browser's history and knows nothing of that. So storage is asked each time,
 * and memory only where storage did not take what it was told.
 */
export class KeptSeat {
  /**
   * @param {SeatStorage | null} storage
   * @param {string} url
   */
  constructor(storage, url) {
    this.#storage = storage;
    this.#url = url;
  }

  #storage;
  #url;
  #stored = true;
  /** @type {Uint8Array | null} What the last Hello took along, or the last Welcome brought. */
  token = null;

  /**
   * The token to come back with, from now on.
   * @param {Wish} wish
   * @returns {Uint8Array | null} null: there is no seat to take back
   */
  recall(wish) {
    this.token = this.peek(wish);
    return this.token;
  }

  /**
   * What `recall` would say.
   * @param {Wish} wish
   */
  peek(wish) {
    if (!this.#stored) return this.token;
    const saved = savedSeat(this.#storage, this.#url);
    if (saved === null) return null;
    return wishAllows(wish, saved.code) ? saved.token : this.token;
  }

  /**
   * @param {Uint8Array | null} token null: of a spectator
   * @param {string} code
   */
  keep(token, code) {
    this.token = token;
    this.#stored = saveSeat(this.#storage, this.#url, token && { token, code });
    // What lies there is older, and would be taken for the newest.
    if (!this.#stored) saveSeat(this.#storage, this.#url, null);
  }

  forget() {
    const saved = savedSeat(this.#storage, this.#url);
    const mine = saved !== null && this.token !== null && toHex(saved.token) === toHex(this.token);
    if (mine) saveSeat(this.#storage, this.#url, null);
    this.token = null;
  }
}

/**
 * True if a wish may be answered by a seat that is kept: "anywhere", or that very room.
 * @param {Wish} wish
 * @param {string} code
 */
export function wishAllows(wish, code) {
  return wish.kind === 'quick' || (wish.kind === 'code' && wish.code.toUpperCase() === code.toUpperCase());
}
