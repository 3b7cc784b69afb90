// The mouse's buttons. One button goes down as `pointerdown` and the last goes up as `pointerup`; whatever changes between
// them comes as `pointermove`. So nothing is counted: each event says in `buttons` which are down. No DOM: events come from
// outside.

export const LEFT = 1;
export const RIGHT = 2;
export const MIDDLE = 4;

export class Mouse {
  /** The buttons that are down, by pointer: a pen may hover while the mouse is pressed. @type {Map<number, number>} */
  #down = new Map();
  /** The same, but for those that were released here and may since have gone up unseen. @type {Map<number, number>} */
  #held = new Map();

  /**
   * @param {Pick<PointerEvent, 'pointerId' | 'button' | 'buttons'>} event any of a pointer that is no finger
   * @returns {{pressed: number, missed: boolean}} the buttons that have gone down with it; whether one has gone up before
   *   it, untold: this event changes none
   */
  follow({ pointerId, button, buttons }) {
    const before = this.#down.get(pointerId) ?? 0;
    for (const map of [this.#down, this.#held]) {
      if (buttons === 0) map.delete(pointerId);
      else map.set(pointerId, buttons);
    }
    return { pressed: buttons & ~before, missed: button === -1 && (before & ~buttons) !== 0 };
  }

  /** Nothing is held until an event says that it still is. */
  release() {
    this.#held.clear();
  }

  /** @param {number} button */
  holds(button) {
    for (const buttons of this.#held.values()) if ((buttons & button) !== 0) return true;
    return false;
  }
}
