// What keys and gamepads do beside flying: the menu, the net graph, the sound, whom a spectator watches, and a way through
// each screen without a pointer.

import { COMMANDS, FLYING, isBrowsers, isControls, isTyped, placeOf } from './input/keys.js';

/**
 * What the page is at: nobody has joined; a screen lies over all; the menu is open; a ship is flown; a match is watched.
 * @typedef {'start' | 'covered' | 'menu' | 'flying' | 'watching'} Mode
 */

/**
 * @typedef {object} CommandActions
 * @property {() => Mode} mode
 * @property {() => void} openMenu
 * @property {() => void} closeMenu
 * @property {() => void} net shows or hides the net graph
 * @property {() => void} sound
 * @property {(step: number) => void} watch the next or previous ship
 */

export class Commands {
  /**
   * @param {CommandActions} actions
   * @param {import('./screens/focus.js').Focus} focus
   */
  constructor(actions, focus) {
    this.#actions = actions;
    this.#focus = focus;
  }

  #actions;
  #focus;

  /** @param {KeyboardEvent} event of a key that goes down */
  key(event) {
    const mode = this.#actions.mode();
    if (mode === 'start' || event.repeat || isBrowsers(event) || isTyped(event)) return;
    const place = placeOf(event);
    const command = COMMANDS.get(place);
    // A browser may look for what is typed where nobody else takes it.
    if (command !== undefined) event.preventDefault();
    switch (command) {
      case 'menu':
        this.#menu(mode);
        return;
      case 'escape':
        if (mode === 'menu' || mode === 'covered' || !this.#focus.toMatch()) this.#menu(mode);
        return;
      case 'net':
        this.#actions.net();
        return;
      case 'sound':
        this.#actions.sound();
        return;
      default:
    }
    const action = FLYING.get(place);
    if (mode !== 'watching' || isControls(event, place) || (action !== 'left' && action !== 'right')) return;
    this.#actions.watch(action === 'left' ? -1 : 1);
    event.preventDefault();
  }

  /** @param {import('./input/gamepads.js').Press} press of a gamepad */
  press(press) {
    const mode = this.#actions.mode();
    if (mode === 'flying' || mode === 'watching') {
      if (press === 'menu') this.#menu(mode);
      else if (mode === 'watching' && press === 'left') this.#actions.watch(-1);
      else if (mode === 'watching' && press === 'right') this.#actions.watch(1);
      return;
    }
    if (press === 'up' || press === 'left') this.#focus.step(-1);
    else if (press === 'down' || press === 'right') this.#focus.step(1);
    else if (press === 'accept') this.#focus.choose();
    else if (mode === 'menu' && (press === 'menu' || press === 'back')) this.#menu(mode);
  }

  /** @param {Mode} mode */
  #menu(mode) {
    if (mode === 'menu') this.#actions.closeMenu();
    else if (mode !== 'covered') this.#actions.openMenu();
  }
}
