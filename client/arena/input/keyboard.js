// The keys that are down and fly the ship. They are known while a menu is open or the connection is away, too: what is held
// through it goes on. No DOM: events come from outside.

import { FLYING, hasPlace, isBrowsers, isControls, placeOf } from './keys.js';

/** @typedef {import('./keys.js').Action} Action */

export class Keyboard {
  /** By the key's own name: what it does. A key keeps its name until it is up, whatever modifiers make of its character. */
  #down = /** @type {Map<string, Action>} */ (new Map());
  /** True while Meta is down, as far as events tell. */
  #meta = false;

  /**
   * A key goes down, or repeats.
   * @param {KeyboardEvent} event
   * @returns {Action | null} what it does if it is the ship's
   */
  press(event) {
    this.#watchMeta(event);
    const place = placeOf(event);
    const action = FLYING.get(place);
    if (action === undefined || isBrowsers(event) || isControls(event, place)) return null;
    // A repeat of a key that is not down is one that was pressed while something else had the keyboard.
    this.#down.set(nameOf(event), action);
    return action;
  }

  /** @param {KeyboardEvent} event a key goes up */
  lift(event) {
    this.#watchMeta(event);
    if (/^(Meta|OS)/.test(event.key ?? '') || /^(Meta|OS)/.test(event.code ?? '')) this.release();
    if (this.#down.delete(nameOf(event)) || hasPlace(event)) return;
    // A key that has only its character may be lifted with another one than it was pressed with: which one it was is not
    // known, and those that are still down repeat.
    for (const name of this.#down.keys()) if (name.startsWith('=')) this.#down.delete(name);
  }

  release() {
    this.#down.clear();
  }

  /** @param {Action} action */
  holds(action) {
    for (const held of this.#down.values()) if (held === action) return true;
    return false;
  }

  /**
   * macOS swallows the keyup of every key that is let go while Meta is down, so nothing is known of them when it is up; its
   * own keyup may go to another window.
   * @param {KeyboardEvent} event
   */
  #watchMeta(event) {
    if (this.#meta && !event.metaKey) this.release();
    this.#meta = event.metaKey;
  }
}

/** @param {KeyboardEvent} event */
function nameOf(event) {
  return hasPlace(event) ? event.code : `=${(event.key ?? '').toLowerCase()}`;
}
