// Gamepads, of which none, one or several may be there at any time. Nothing announces what they do: they are asked once per
// frame. Only those with the standard mapping count: of others nobody knows which axis rests at its end.

/** Share of the way below which a stick only rests, and from which it is all the way out: worn ones reach neither. */
const REST = 0.22;
const FULL = 0.95;
/** A trigger is pressed from here on. */
const TRIGGER = 0.35;
/** A stick that chooses in a menu is out from here, and back below that: no trembling at the edge. */
const FLICK = 0.6;
const FLICK_BACK = 0.4;

/** @typedef {'dash' | 'menu' | 'accept' | 'back' | 'up' | 'down' | 'left' | 'right'} Press */

const bit = (/** @type {number[]} */ ...buttons) => buttons.reduce((bits, button) => bits | (1 << button), 0);

/** Numbers of the standard mapping's buttons, as bits: A, B, X, Y are 0 to 3, then come the shoulders and triggers. */
const FIRE = bit(0, 7);
const BEAM = bit(2, 6);
const DASH = bit(1, 5);
/** The cross. */
const [UP, DOWN, LEFT, RIGHT] = [bit(12), bit(13), bit(14), bit(15)];
/** The left stick when it is used as a cross, behind all real buttons. */
const [STICK_UP, STICK_DOWN, STICK_LEFT, STICK_RIGHT] = [bit(24), bit(25), bit(26), bit(27)];
const BUTTONS_MAX = 20;
/** @type {[number, Press][]} */
const PRESSES = [
  [DASH, 'dash'], [bit(9), 'menu'], [bit(0), 'accept'], [bit(1), 'back'],
  [UP | STICK_UP, 'up'], [DOWN | STICK_DOWN, 'down'], [LEFT | STICK_LEFT, 'left'], [RIGHT | STICK_RIGHT, 'right'],
];
/** What a screen answers to. */
const SCREENS = bit(0, 1, 9) | UP | DOWN | LEFT | RIGHT;

/** @typedef {{ mapping: string, connected?: boolean, axes: readonly number[], buttons: readonly { pressed: boolean, value: number }[] }} Pad what is used of a Gamepad */

/**
 * What to say to somebody who has plugged one in.
 * @param {Pick<Gamepad, 'mapping'>} pad
 */
export function gamepadSays({ mapping }) {
  return mapping === 'standard'
    ? 'Gamepad found: left stick flies, Start opens the menu'
    : 'This gamepad does not work here: the browser does not know its layout';
}

/** A stick: how far it is out, 0..1, and where it points, turns clockwise from the right. */
class Stick {
  reach = 0;
  direction = 0;

  /**
   * @param {number} x -1..1
   * @param {number} y
   */
  lean(x, y) {
    const far = Math.hypot(x, y);
    // A way that is no number is no way.
    const reach = Math.max(0, Math.min(1, (far - REST) / (FULL - REST))) || 0;
    if (reach <= this.reach) return;
    this.reach = reach;
    this.direction = Math.atan2(y, x) / (Math.PI * 2);
  }

  rest() {
    this.reach = 0;
  }
}

export class Gamepads {
  /** @param {() => ArrayLike<Pad | null>} ask may throw, where a page must not know of gamepads */
  constructor(ask) {
    this.#ask = ask;
  }

  #ask;
  /** What each pad had down when it was last asked: buttons, and its stick as the cross. @type {number[]} */
  #was = [];
  /** What was pressed while it meant something else: it counts again when it has been up. @type {number[]} */
  #spent = [];
  #silenced = false;
  #bits = 0;
  fly = new Stick();
  aim = new Stick();
  /** @type {(press: Press) => void} */
  onPress = () => {};

  /**
   * Asks all pads, once per frame. What is gone is let go.
   * @param {boolean} flying false: what is pressed now is for a screen, and will not shoot when that is closed
   * @returns {boolean} true if anything is touched
   */
  read(flying) {
    this.fly.rest();
    this.aim.rest();
    this.#bits = 0;
    const pads = this.#pads();
    let pressed = 0;
    for (let i = 0; i < Math.max(pads.length, this.#was.length); i++) {
      const pad = pads[i] ?? null;
      const down = pad === null || pad.connected === false || pad.mapping !== 'standard' ? 0 : this.#lean(pad, this.#was[i] ?? 0);
      const edges = this.#silenced ? 0 : down & ~(this.#was[i] ?? 0);
      this.#spent[i] = ((this.#spent[i] ?? 0) | (flying ? 0 : edges & SCREENS)) & down;
      this.#was[i] = down;
      this.#bits |= down & ~this.#spent[i];
      pressed |= edges;
    }
    this.#silenced = false;
    // Only now: whoever is told may ask.
    for (const [buttons, press] of PRESSES) if ((pressed & buttons) !== 0) this.onPress(press);
    return pressed !== 0 || this.#bits !== 0 || this.fly.reach > 0 || this.aim.reach > 0;
  }

  /** The page did not look for a while: nothing is held, and what is down when it looks again was not pressed for it. */
  release() {
    this.fly.rest();
    this.aim.rest();
    this.#bits = 0;
    this.#silenced = true;
  }

  get fire() {
    return (this.#bits & FIRE) !== 0;
  }

  get beam() {
    return (this.#bits & BEAM) !== 0;
  }

  /** The cross turns and thrusts like the arrow keys: -1, 0 or 1. */
  get turn() {
    return (this.#bits & RIGHT ? 1 : 0) - (this.#bits & LEFT ? 1 : 0);
  }

  get thrust() {
    return (this.#bits & UP ? 1 : 0) - (this.#bits & DOWN ? 1 : 0);
  }

  /**
   * @param {Pad} pad
   * @param {number} was what it had down before
   * @returns {number} what it has down now
   */
  #lean(pad, was) {
    const [x = 0, y = 0, aimX = 0, aimY = 0] = pad.axes;
    this.fly.lean(x, y);
    this.aim.lean(aimX, aimY);
    let down = 0;
    for (let i = 0; i < Math.min(BUTTONS_MAX, pad.buttons.length); i++) {
      const { pressed, value } = pad.buttons[i];
      // A worn trigger rests a little pressed, which browsers call pressed.
      if (value > TRIGGER || (pressed && !(value > 0))) down |= 1 << i;
    }
    const out = (/** @type {number} */ way, /** @type {number} */ as) => way > ((was & as) === 0 ? FLICK : FLICK_BACK);
    if (out(-y, STICK_UP)) down |= STICK_UP;
    if (out(y, STICK_DOWN)) down |= STICK_DOWN;
    if (out(-x, STICK_LEFT)) down |= STICK_LEFT;
    if (out(x, STICK_RIGHT)) down |= STICK_RIGHT;
    return down;
  }

  #pads() {
    try {
      return this.#ask() ?? [];
    } catch {
      return [];
    }
  }
}
