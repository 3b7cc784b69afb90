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
 */
export function saveSeat(storage, url, seat) {
  try {
    if (seat === null) storage?.removeItem(keyOf(url));
    else storage?.setItem(keyOf(url), JSON.stringify({ token: toHex(seat.token), code: seat.code }));
  } catch {
    // See above.
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
