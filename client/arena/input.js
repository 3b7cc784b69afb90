// Keyboard, mouse, fingers and gamepads become the levels of an input row, by the names of the schema's input fields.
//
// What is down is followed all the time, and counts while the controls move a ship: what is held while a menu is open or
// the connection is away goes on after it, and what was let go meanwhile does not.

import { Keyboard } from './input/keyboard.js';
import { LEFT, MIDDLE, Mouse, RIGHT } from './input/mouse.js';
import { capture } from './touch.js';

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
   * @param {import('./touch.js').TouchPad} pad
   * @param {import('./input/gamepads.js').Gamepads} gamepads
   * @param {() => void} dash called at each press of the dash
   */
  constructor(window, surface, pad, gamepads, dash) {
    this.#document = window.document;
    this.#surface = surface;
    this.#pad = pad;
    this.#gamepads = gamepads;
    this.#dash = () => { if (this.active) dash(); };
    pad.onDash = this.#dash;
    gamepads.onPress = (press) => {
      if (press === 'dash') this.#dash();
      this.onPress(press);
    };
    window.addEventListener('keydown', (event) => this.#key(event));
    window.addEventListener('keyup', (event) => this.#keyboard.lift(event));
    for (const kind of /** @type {const} */ (['pointerdown', 'pointermove', 'pointerleave', 'lostpointercapture'])) {
      surface.addEventListener(kind, (event) => this.#point(event));
    }
    for (const kind of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      window.addEventListener(kind, (event) => this.#point(event), { capture: true });
    }
    // The middle button would scroll or paste, those at the thumb would leave the page, and any would take the focus.
    for (const kind of ['mousedown', 'mouseup', 'auxclick', 'contextmenu']) {
      surface.addEventListener(kind, (event) => event.preventDefault());
    }
    // Each of these takes away what would tell that something is let go.
    for (const kind of ['blur', 'pagehide']) window.addEventListener(kind, () => this.release());
    window.addEventListener('contextmenu', (event) => { if (!event.defaultPrevented) this.release(); });
    for (const kind of ['visibilitychange', 'freeze']) {
      this.#document.addEventListener(kind, () => { if (kind === 'freeze' || this.#document.hidden) this.release(); });
    }
  }

  #document;
  #surface;
  #pad;
  #gamepads;
  #dash;
  #keyboard = new Keyboard();
  #mouse = new Mouse();
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
  /** A gamepad is used. */
  onGamepad = () => {};
  /** @type {(press: import('./input/gamepads.js').Press) => void} */
  onPress = () => {};

  /** @type {Wants} */
  wants = { thrust: 0, turn: 0, fire: 0, beam: 0 };

  /** Everything is let go: something else has the devices. Keys repeat and pointers move, so what stays down comes back. */
  release() {
    this.#keyboard.release();
    this.#mouse.release();
    this.#pad.release();
    this.#gamepads.release();
  }

  /** Asks the gamepads, once per frame, whatever is on the screen. */
  poll() {
    // A window without the focus may be seen, and the gamepad be another's.
    if (this.#document.hidden || !this.#document.hasFocus()) {
      this.#gamepads.release();
      return;
    }
    if (!this.#gamepads.read(this.active)) return;
    this.#aim(false);
    this.onGamepad();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const action = this.#keyboard.press(event);
    if (action === null || !this.active) return;
    event.preventDefault();
    if (event.repeat) return;
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
  #point(event) {
    if (event.pointerType === 'touch') return;
    const { type, pointerId } = event;
    const { pressed, missed } = this.#mouse.follow(type === 'pointercancel' ? { pointerId, button: 0, buttons: 0 } : event);
    // What has swallowed that a button went up, a menu of the browser, has swallowed keys too: those still down repeat.
    if (missed) this.#keyboard.release();
    if (type === 'pointerdown') {
      // Or a button that goes up outside of the window would not be heard.
      capture(this.#surface, pointerId);
      this.#surface.focus({ preventScroll: true });
    }
    if (type !== 'pointerdown' && type !== 'pointermove') return;
    this.pointerX = event.clientX;
    this.pointerY = event.clientY;
    if (!this.active) return;
    if (pressed & MIDDLE) this.#dash();
    if (pressed !== 0) this.#aim(true);
    if (this.aiming) return;
    this.#moved += Math.abs(event.movementX) + Math.abs(event.movementY);
    if (this.#moved > AIM_AFTER_PIXELS) this.#aim(true);
  }

  /**
   * Reads the controls, once per frame.
   * @param {{heading: number, screenX: number, screenY: number, turnPerTick: number} | null} ship where the own ship is
   *   on the screen (CSS pixels) and where it points (turns); null while there is none
   * @returns {Wants} all 0 while the controls move no ship
   */
  sample(ship) {
    const { wants } = this;
    wants.thrust = wants.turn = wants.fire = wants.beam = 0;
    if (!this.active) return wants;
    const keys = this.#keyboard;
    const mouse = this.#mouse;
    const thumbs = this.#pad;
    const gamepads = this.#gamepads;
    wants.thrust = both(keys.holds('ahead'), keys.holds('back')) || gamepads.thrust;
    wants.turn = both(keys.holds('right'), keys.holds('left')) || gamepads.turn;
    wants.fire = mouse.holds(LEFT) || thumbs.fire || keys.holds('fire') || gamepads.fire ? 1 : 0;
    wants.beam = mouse.holds(RIGHT) || thumbs.beam || keys.holds('beam') || gamepads.beam ? 1 : 0;
    if (ship === null) return wants;
    const stick = thumbs.reach > 0 ? thumbs : gamepads.fly;
    if (gamepads.aim.reach > 0) {
      // Two sticks: the nose follows one, and the other pushes as far as it points along the nose.
      wants.turn = steer(ship.heading, gamepads.aim.direction, ship.turnPerTick);
      if (stick.reach > 0) wants.thrust = eighths(stick.reach * along(ship.heading, stick.direction));
    } else if (stick.reach > 0) {
      wants.turn = steer(ship.heading, stick.direction, ship.turnPerTick);
      // Thrust only when the nose points roughly there: a flick to the other side turns first.
      const ahead = along(ship.heading, stick.direction);
      wants.thrust = ahead > 0.25 ? eighths(stick.reach * ahead) : 0;
    } else if (this.aiming && wants.turn === 0) {
      const x = this.pointerX - ship.screenX;
      const y = this.pointerY - ship.screenY;
      if (x * x + y * y > 64) wants.turn = steer(ship.heading, Math.atan2(y, x) / (Math.PI * 2), ship.turnPerTick);
    }
    return wants;
  }
}

/**
 * @param {boolean} more
 * @param {boolean} less
 */
function both(more, less) {
  return (more ? 1 : 0) - (less ? 1 : 0);
}

/**
 * How much of a push in a direction goes along the nose, -1..1.
 * @param {number} heading turns
 * @param {number} direction turns
 */
function along(heading, direction) {
  return Math.cos(turnBetween(heading, direction) * Math.PI * 2);
}

/** @param {number} level in steps, so that a resting hand does not send one each tick */
function eighths(level) {
  return Math.round(level * 8) / 8 || 0;
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
