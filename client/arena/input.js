// Keyboard, mouse and touch become the levels of an input row, by the names of the schema's input fields.

import { TouchPad } from './touch.js';

/** What each key does, by its place on the keyboard (so WASD is where it should be on every layout). */
const KEYS = new Map([
  ['ArrowLeft', 'left'], ['KeyA', 'left'],
  ['ArrowRight', 'right'], ['KeyD', 'right'],
  ['ArrowUp', 'ahead'], ['KeyW', 'ahead'],
  ['ArrowDown', 'back'], ['KeyS', 'back'],
  ['Space', 'fire'], ['KeyJ', 'fire'],
  ['KeyE', 'beam'], ['KeyX', 'beam'], ['KeyK', 'beam'],
  ['ShiftLeft', 'dash'], ['ShiftRight', 'dash'], ['KeyQ', 'dash'], ['KeyL', 'dash'],
]);

/** Pixels that the mouse must move before it takes over the turning: a nudged desk must not. */
const AIM_AFTER_PIXELS = 24;
/** Share of the remaining angle that the ship turns per tick: below 1, or it would swing around the pointer. */
const AIM_GAIN = 0.45;
/** Turns: nearer than this is on target. */
const AIM_SLACK = 0.0011;
/** Levels are sent when they change: steps keep a resting hand from sending one each tick. */
const LEVEL_STEP = 1 / 32;

/**
 * What the row wants, named as in Arena's schema; -1..1 and 0 or 1.
 * @typedef {object} Wants
 * @property {number} thrust
 * @property {number} turn
 * @property {number} fire
 * @property {number} beam
 */

/**
 * The shortest way from one direction to another, in turns, -0.5 .. 0.5.
 * @param {number} from
 * @param {number} to
 * @returns {number}
 */
export function turnBetween(from, to) {
  const way = to - from;
  return way - Math.round(way);
}

/**
 * The turning level that brings a heading to a direction.
 * @param {number} heading turns
 * @param {number} target turns
 * @param {number} turnPerTick turns per tick at full deflection
 * @returns {number} -1..1
 */
export function steer(heading, target, turnPerTick) {
  const way = turnBetween(heading, target);
  if (Math.abs(way) < AIM_SLACK) return 0;
  const level = Math.max(-1, Math.min(1, (way / turnPerTick) * AIM_GAIN));
  const stepped = Math.round(level / LEVEL_STEP) * LEVEL_STEP;
  return stepped === 0 ? Math.sign(level) * LEVEL_STEP : stepped;
}

export class Controls {
  /**
   * @param {Window} window
   * @param {HTMLElement} surface where the pointer aims
   * @param {TouchPad} pad
   * @param {() => void} dash called at each press of the dash
   */
  constructor(window, surface, pad, dash) {
    this.#pad = pad;
    this.#dash = dash;
    pad.onDash = dash;
    window.addEventListener('keydown', (event) => this.#key(event, true));
    window.addEventListener('keyup', (event) => this.#key(event, false));
    window.addEventListener('blur', () => this.release());
    surface.addEventListener('pointermove', (event) => this.#move(event));
    surface.addEventListener('pointerdown', (event) => this.#button(event, true));
    window.addEventListener('pointerup', (event) => this.#button(event, false));
    window.addEventListener('pointercancel', () => this.#releaseMouse());
    surface.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  #pad;
  #dash;
  /** @type {Set<string>} the codes of the keys that are down */
  #down = new Set();
  #mouseFire = false;
  #mouseBeam = false;
  #moved = 0;
  /** True while the controls move a ship: keys belong to the page's screens otherwise. */
  active = false;
  /** True while the ship turns to the pointer. */
  aiming = false;
  /** The pointer, CSS pixels. */
  pointerX = 0;
  pointerY = 0;
  /** @type {(aiming: boolean) => void} */
  onAiming = () => {};

  /** @type {Wants} */
  wants = { thrust: 0, turn: 0, fire: 0, beam: 0 };

  /**
   * Whether the controls move a ship now; what is held is let go when they no longer do.
   * @param {boolean} active
   */
  activate(active) {
    if (this.active === active) return;
    this.active = active;
    if (!active) this.release();
  }

  /** Everything is let go: another window has the keyboard, or a screen is open. */
  release() {
    this.#down.clear();
    this.#releaseMouse();
    this.#pad.release();
  }

  #releaseMouse() {
    this.#mouseFire = false;
    this.#mouseBeam = false;
  }

  /** @param {string} action */
  #holds(action) {
    for (const code of this.#down) if (KEYS.get(code) === action) return true;
    return false;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} down
   */
  #key(event, down) {
    const action = KEYS.get(event.code);
    if (action === undefined) return;
    if (!down) {
      this.#down.delete(event.code);
      return;
    }
    if (!this.active || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    event.preventDefault();
    if (event.repeat) return;
    this.#down.add(event.code);
    if (action === 'dash') this.#dash();
    if (action === 'left' || action === 'right') this.#aim(false);
  }

  /** @param {boolean} on */
  #aim(on) {
    this.#moved = 0;
    if (this.aiming === on) return;
    this.aiming = on;
    this.onAiming(on);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerType === 'touch') return;
    this.pointerX = event.clientX;
    this.pointerY = event.clientY;
    if (!this.active || this.aiming) return;
    this.#moved += Math.abs(event.movementX) + Math.abs(event.movementY);
    if (this.#moved > AIM_AFTER_PIXELS) this.#aim(true);
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} down
   */
  #button(event, down) {
    if (event.pointerType === 'touch') return;
    if (!down) {
      // One `pointerup` comes when the last button is let go; `buttons` says what is still held.
      this.#mouseFire = (event.buttons & 1) !== 0;
      this.#mouseBeam = (event.buttons & 2) !== 0;
      return;
    }
    if (!this.active) return;
    this.pointerX = event.clientX;
    this.pointerY = event.clientY;
    this.#aim(true);
    if (event.button === 0) this.#mouseFire = true;
    else if (event.button === 2) this.#mouseBeam = true;
    else if (event.button === 1) this.#dash();
    event.preventDefault();
  }

  /**
   * Reads the controls, once per frame.
   * @param {{heading: number, screenX: number, screenY: number, turnPerTick: number} | null} ship where the own ship is
   *   on the screen (CSS pixels) and where it points (turns); null while there is none
   * @returns {Wants}
   */
  sample(ship) {
    const { wants } = this;
    wants.thrust = (this.#holds('ahead') ? 1 : 0) - (this.#holds('back') ? 1 : 0);
    wants.turn = (this.#holds('right') ? 1 : 0) - (this.#holds('left') ? 1 : 0);
    wants.fire = this.#mouseFire || this.#pad.fire || this.#holds('fire') ? 1 : 0;
    wants.beam = this.#mouseBeam || this.#pad.beam || this.#holds('beam') ? 1 : 0;
    if (ship === null) return wants;
    if (this.#pad.reach > 0) {
      const target = this.#pad.direction;
      wants.turn = steer(ship.heading, target, ship.turnPerTick);
      // Thrust only when the nose points roughly there: a flick to the other side turns first.
      const ahead = Math.cos(turnBetween(ship.heading, target) * Math.PI * 2);
      wants.thrust = ahead > 0.25 ? Math.round(this.#pad.reach * ahead * 8) / 8 : 0;
    } else if (this.aiming && wants.turn === 0) {
      const x = this.pointerX - ship.screenX;
      const y = this.pointerY - ship.screenY;
      if (x * x + y * y > 64) wants.turn = steer(ship.heading, Math.atan2(y, x) / (Math.PI * 2), ship.turnPerTick);
    }
    return wants;
  }
}

/**
 * @param {EventTarget | null} target
 * @returns {boolean} true if keys belong to it
 */
export function typing(target) {
  return target instanceof HTMLInputElement && !['checkbox', 'range'].includes(target.type);
}

/**
 * From wants to the levels that the schema's ranges ask for.
 * @param {import('../protocol/schema.js').Schema} schema of Welcome
 * @returns {(wants: Wants) => Record<string, number>} one object, used again
 */
export function levelsFor(schema) {
  /** @type {Record<string, number>} */
  const levels = {};
  /** @type {{name: keyof Wants, min: number, max: number}[]} */
  const fields = /** @type {any} */ (schema.inputs.filter((field) => ['thrust', 'turn', 'fire', 'beam'].includes(field.name)));
  return (wants) => {
    for (const { name, min, max } of fields) {
      const want = wants[name];
      levels[name] = Math.round(want < 0 ? -want * min : want * max);
    }
    return levels;
  };
}
