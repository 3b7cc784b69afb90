// Keys, mouse, fingers and gamepads: what is down, what is not, and whose it is. tests/browser/controls.test.js has the same
// where the browser is the matter.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Controls } from '../arena/input.js';
import { Gamepads, gamepadSays } from '../arena/input/gamepads.js';
import { COMMANDS, DEVICES_HELP, FLYING, KEYS_HELP, isTyped, labelOf, placeOf } from '../arena/input/keys.js';
import { TouchPad } from '../arena/touch.js';
import { FakeElement, FakeWindow, keyEvent, pointerEvent } from './support/page.js';

/** Controls of a ship, and all that can be done to them. */
function make() {
  const window = new FakeWindow();
  const [surface, stick, fire, beam, dash] = Array.from({ length: 5 }, () => new FakeElement());
  stick.firstElementChild = new FakeElement();
  const as = (/** @type {unknown} */ fake) => /** @type {any} */ (fake);
  const pad = new TouchPad(as(window), as(stick), as(fire), as(beam), as(dash));
  /** @type {any[]} */
  const pads = [];
  const gamepads = new Gamepads(() => pads);
  let dashes = 0;
  const controls = new Controls(as(window), as(surface), pad, gamepads, () => { dashes += 1; });
  controls.active = true;
  /** @type {string[]} */
  const pressed = [];
  controls.onPress = (press) => pressed.push(press);
  const send = (/** @type {EventTarget} */ to, /** @type {Event} */ event) => {
    to.dispatchEvent(event);
    return event;
  };
  return {
    window, surface, stick, fire, beam, dash, pad, pads, controls, pressed,
    /** @param {string} code @param {object} [more] */
    down: (code, more) => send(window, keyEvent('keydown', code, { ...more })),
    /** @param {string} code @param {object} [more] */
    up: (code, more) => send(window, keyEvent('keyup', code, { ...more })),
    /** @param {string} type @param {number} buttons @param {object} [more] */
    mouse: (type, buttons, more) => send(
      type === 'pointerup' || type === 'pointercancel' ? window : surface, pointerEvent(type, buttons, { ...more })),
    /** @param {EventTarget} to @param {string} type @param {number} pointerId @param {object} [more] */
    finger: (to, type, pointerId, more) => send(to, pointerEvent(type, 1, { pointerId, pointerType: 'touch', ...more })),
    /** Fire, beam and dashes so far. */
    get held() {
      controls.poll();
      const { fire: bolts, beam: ray } = controls.sample(null);
      return [bolts, ray, dashes];
    },
    /** Turn and thrust. */
    get way() {
      controls.poll();
      const { turn, thrust } = controls.sample(null);
      return [turn, thrust];
    },
  };
}

const LEFT = 1;
const RIGHT = 2;
const MIDDLE = 4;

test('mouse: the second button of a chord comes as a move, and so does the first that goes up', () => {
  const page = make();
  page.mouse('pointerdown', LEFT, { button: 0 });
  assert.deepEqual(page.held, [1, 0, 0]);
  page.mouse('pointermove', LEFT | RIGHT, { button: 2 });
  assert.deepEqual(page.held, [1, 1, 0], 'left held, then right');
  page.mouse('pointermove', RIGHT, { button: 0 });
  assert.deepEqual(page.held, [0, 1, 0]);
  page.mouse('pointermove', RIGHT | LEFT, { button: 0 });
  page.mouse('pointermove', LEFT, { button: 2 });
  assert.deepEqual(page.held, [1, 0, 0], 'right held, then left: the beam is released');
  page.mouse('pointermove', LEFT | MIDDLE, { button: 1 });
  page.mouse('pointermove', LEFT | MIDDLE);
  assert.deepEqual(page.held, [1, 0, 1], 'the middle one dashes once');
  page.mouse('pointermove', LEFT, { button: 1 });
  page.mouse('pointermove', LEFT | MIDDLE, { button: 1 });
  assert.deepEqual(page.held, [1, 0, 2]);
  page.mouse('pointerup', 0);
  assert.deepEqual(page.held, [0, 0, 2]);
});

for (const [type, buttons] of /** @type {[string, number][]} */ ([
  ['pointerup', 0], ['pointercancel', 0], ['pointercancel', LEFT | RIGHT], ['pointerleave', 0], ['lostpointercapture', 0], ['pointermove', 0],
])) {
  test(`mouse: what ${type} says is not down is not held (buttons ${buttons})`, () => {
    const page = make();
    page.mouse('pointerdown', LEFT | RIGHT);
    assert.deepEqual(page.held, [1, 1, 0]);
    page.mouse(type, buttons);
    assert.deepEqual(page.held, [0, 0, 0]);
  });
}

test('mouse: who leaves with a button down still holds it', () => {
  const page = make();
  page.mouse('pointerdown', LEFT);
  page.mouse('pointerleave', LEFT);
  page.mouse('lostpointercapture', LEFT);
  assert.deepEqual(page.held, [1, 0, 0]);
});

test('mouse: a pen that hovers does not lift the mouse, and a finger is no mouse', () => {
  const page = make();
  page.mouse('pointerdown', RIGHT);
  page.mouse('pointermove', 0, { pointerId: 7, pointerType: 'pen' });
  page.mouse('pointerup', 0, { pointerId: 8, pointerType: 'touch' });
  assert.deepEqual(page.held, [0, 1, 0]);
});

test('mouse: after a blur nothing is held until the mouse says that it is, and a held middle button does not dash again', () => {
  const page = make();
  page.mouse('pointerdown', LEFT | MIDDLE);
  page.window.dispatchEvent(new Event('blur'));
  assert.deepEqual(page.held, [0, 0, 1]);
  page.mouse('pointermove', LEFT | MIDDLE);
  assert.deepEqual(page.held, [1, 0, 1]);
});

test('mouse: pressed while a menu is open is no dash; held through it goes on', () => {
  const page = make();
  page.mouse('pointerdown', LEFT);
  page.controls.active = false;
  assert.deepEqual(page.held, [0, 0, 0]);
  page.mouse('pointermove', LEFT | MIDDLE);
  page.controls.active = true;
  assert.deepEqual(page.held, [1, 0, 0]);
});

test('mouse: a button that went up unseen lets go of the keys too: a menu of the browser had them', () => {
  const page = make();
  page.down('KeyW');
  page.mouse('pointerdown', RIGHT, { button: 2 });
  page.mouse('pointermove', RIGHT);
  page.mouse('pointermove', RIGHT | LEFT, { button: 0 });
  page.mouse('pointermove', RIGHT, { button: 0 });
  assert.deepEqual(page.way, [0, 1], 'all of it was told');
  page.mouse('pointermove', 0);
  assert.deepEqual([page.way, page.held], [[0, 0], [0, 0, 0]]);
  page.down('KeyW', { repeat: true });
  page.mouse('pointermove', 0);
  assert.deepEqual(page.way, [0, 1]);
});

test('mouse: a press gives the keys back to the match', () => {
  const page = make();
  page.mouse('pointerdown', LEFT);
  assert.equal(page.surface.focused, 1);
});

test('touch: a button is down until the last finger has left it', () => {
  const page = make();
  page.finger(page.fire, 'pointerdown', 11);
  page.finger(page.fire, 'pointerdown', 12);
  page.finger(page.window, 'pointerup', 11);
  page.finger(page.window, 'lostpointercapture', 11);
  assert.deepEqual(page.held, [1, 0, 0]);
  assert.ok(page.fire.classes.has('down'));
  page.finger(page.beam, 'pointerdown', 13);
  page.finger(page.window, 'pointercancel', 12);
  assert.deepEqual(page.held, [0, 1, 0]);
  assert.ok(!page.fire.classes.has('down'));
  page.finger(page.window, 'pointerup', 99);
  assert.deepEqual(page.held, [0, 1, 0], 'a finger from elsewhere');
  page.finger(page.dash, 'pointerdown', 14);
  page.finger(page.dash, 'pointerdown', 15);
  assert.deepEqual(page.held, [0, 1, 2], 'each finger dashes');
});

test('touch: when the thumb leaves the stick, the other one on it takes over', () => {
  const page = make();
  page.finger(page.stick, 'pointerdown', 1, { clientX: 0 });
  page.finger(page.stick, 'pointerdown', 2, { clientX: 100 });
  page.finger(page.stick, 'pointermove', 1, { clientX: 60 });
  page.finger(page.stick, 'pointermove', 2, { clientX: 200 });
  assert.deepEqual([page.pad.reach, page.pad.direction], [1, 0]);
  page.finger(page.window, 'pointerup', 1);
  assert.equal(page.pad.reach, 0);
  page.finger(page.stick, 'pointermove', 2, { clientX: 200 });
  page.finger(page.stick, 'pointermove', 2, { clientX: 140 });
  assert.deepEqual([page.pad.reach, page.pad.direction], [1, 0.5]);
  page.finger(page.window, 'pointerup', 2);
  page.finger(page.stick, 'pointermove', 2, { clientX: 0 });
  assert.equal(page.pad.reach, 0);
});

test('touch: fingers that stay through a menu go on, and those that left do not', () => {
  const page = make();
  page.finger(page.stick, 'pointerdown', 1);
  page.finger(page.stick, 'pointermove', 1, { clientX: 60 });
  page.finger(page.fire, 'pointerdown', 2);
  page.finger(page.beam, 'pointerdown', 3);
  page.controls.active = false;
  assert.deepEqual(page.held, [0, 0, 0]);
  page.finger(page.dash, 'pointerdown', 4);
  page.finger(page.window, 'pointerup', 3);
  page.controls.active = true;
  assert.deepEqual(page.held, [1, 0, 0]);
  assert.equal(page.pad.reach, 1);
  page.finger(page.window, 'pointerup', 1);
  assert.equal(page.pad.reach, 0);
});

test('keys: everything is let go when Meta goes up, because its system tells of no other', () => {
  const page = make();
  page.down('KeyW');
  page.down('Space');
  page.down('MetaLeft', { key: 'Meta', metaKey: true });
  // macOS says nothing when W and Space go up here.
  page.up('MetaLeft', { key: 'Meta' });
  assert.deepEqual([page.way, page.held], [[0, 0], [0, 0, 0]]);
  for (const [code, key] of [['MetaRight', 'Meta'], ['OSLeft', 'OS'], ['', 'Meta']]) {
    page.down('KeyW');
    page.up(code, { key });
    assert.deepEqual(page.way, [0, 0], `${code} ${key}`);
  }
});

test('keys: everything is let go when Meta turns out to have gone up elsewhere', () => {
  const page = make();
  page.down('KeyW');
  page.down('MetaLeft', { key: 'Meta', metaKey: true });
  page.down('KeyD');
  assert.deepEqual(page.way, [1, 0]);
});

for (const kind of ['blur', 'pagehide', 'contextmenu']) {
  test(`keys: everything is let go at ${kind}`, () => {
    const page = make();
    page.down('KeyW');
    page.down('KeyE');
    page.window.dispatchEvent(new Event(kind));
    assert.deepEqual([page.way, page.held], [[0, 0], [0, 0, 0]]);
    page.down('KeyW', { repeat: true });
    assert.deepEqual(page.way, [0, 1], 'what is still down repeats');
  });
}

test('keys: a hidden page lets go', () => {
  const page = make();
  page.down('KeyW');
  page.window.document.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual(page.way, [0, 1], 'it is visible');
  page.window.document.hidden = true;
  page.window.document.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual(page.way, [0, 0]);
});

test('keys: what is held through a menu or a reconnect goes on, what went up meanwhile does not', () => {
  const page = make();
  page.down('KeyW');
  page.down('KeyD');
  page.down('Space');
  page.controls.active = false;
  assert.deepEqual([page.way, page.held], [[0, 0], [0, 0, 0]]);
  page.up('Space');
  page.down('KeyE');
  page.controls.active = true;
  assert.deepEqual([page.way, page.held], [[1, 1], [0, 1, 0]]);
});

test('keys: a repeat of a key that is not down counts as down, but presses nothing', () => {
  const page = make();
  page.down('KeyW', { repeat: true });
  page.down('KeyQ', { repeat: true });
  assert.deepEqual([page.way, page.held], [[0, 1], [0, 0, 0]]);
  page.up('KeyW');
  assert.deepEqual(page.way, [0, 0]);
});

test('keys: Q, L and both Shifts dash once a press', () => {
  const page = make();
  let dashes = 0;
  for (const code of ['KeyQ', 'KeyL', 'ShiftLeft', 'ShiftRight']) {
    page.down(code);
    page.down(code, { repeat: true });
    page.up(code);
    dashes += 1;
    assert.deepEqual(page.held, [0, 0, dashes], code);
  }
  page.controls.active = false;
  page.down('KeyQ');
  assert.deepEqual(page.held, [0, 0, dashes]);
});

test('keys: letters are places, for flying and for commands, and characters where there is no place', () => {
  const cases = /** @type {[string, string, string][]} */ ([
    ['KeyW', 'z', 'KeyW'], ['KeyW', 'ц', 'KeyW'], ['KeyM', ',', 'KeyM'], ['KeyN', 'b', 'KeyN'], ['KeyH', 'd', 'KeyH'], ['KeyE', '.', 'KeyE'],
    ['KeyE', 'Process', 'KeyE'],
    ['', 'w', 'KeyW'], ['', 'W', 'KeyW'], ['', 'm', 'KeyM'], ['', 'N', 'KeyN'], ['', 'h', 'KeyH'], ['', 'e', 'KeyE'],
    ['Unidentified', 'd', 'KeyD'], ['', ' ', 'Space'], ['', 'Spacebar', 'Space'], ['', 'Shift', 'ShiftLeft'], ['', 'Left', 'ArrowLeft'],
    ['', 'ArrowUp', 'ArrowUp'], ['', 'Esc', 'Escape'], ['', 'Tab', 'Tab'], ['', 'Unidentified', 'Unidentified'],
    // Keys that people have moved: what they mean.
    ['CapsLock', 'Escape', 'Escape'], ['Numpad4', 'ArrowLeft', 'ArrowLeft'], ['KeyH', 'ArrowLeft', 'ArrowLeft'], ['Numpad4', '4', 'Numpad4'],
  ]);
  for (const [code, key, place] of cases) assert.equal(placeOf({ code, key }), place, `${code} ${key}`);
  // A browser that fills in a form sends a keydown without a key.
  assert.equal(placeOf(/** @type {any} */ ({})), '');
});

test('keys: without a place, a key may go up with another character than it went down with', () => {
  const page = make();
  page.down('', { key: 'w' });
  page.up('', { key: 'W' });
  assert.deepEqual(page.way, [0, 0]);
  page.down('', { key: 'w' });
  page.up('', { key: 'ł' });
  assert.deepEqual(page.way, [0, 0]);
  page.down('KeyD');
  page.up('', { key: 'ł' });
  assert.deepEqual(page.way, [1, 0], 'those with a place tell it when they go up');
  page.down('Numpad8', { key: 'ArrowUp' });
  page.up('Numpad8', { key: '8' });
  assert.deepEqual(page.way, [1, 0]);
});

test('keys: combinations are the browser\'s, and are not taken from it', () => {
  const mine = make();
  assert.equal(mine.down('KeyW').defaultPrevented, true);
  for (const more of [
    { ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true },
    { getModifierState: (/** @type {string} */ name) => name === 'AltGraph' },
  ]) {
    const page = make();
    for (const code of ['KeyW', 'KeyD', 'KeyE', 'Space', 'KeyQ', 'ArrowLeft']) {
      assert.equal(page.down(code, more).defaultPrevented, false, `${code} ${JSON.stringify(more)}`);
    }
    assert.deepEqual([page.way, page.held], [[0, 0], [0, 0, 0]], JSON.stringify(more));
  }
  // Pressed before, held through a combination: goes on, and ends when it goes up.
  mine.down('ControlLeft', { key: 'Control', ctrlKey: true });
  mine.down('KeyW', { ctrlKey: true, repeat: true });
  assert.deepEqual(mine.way, [0, 1]);
  mine.up('KeyW', { ctrlKey: true });
  assert.deepEqual(mine.way, [0, 0]);
});

test('keys: what is typed does not fly, and a control that has the focus uses its own keys only', () => {
  const focused = (/** @type {string} */ tagName, type = '') => ({ target: { tagName, type, isContentEditable: false } });
  const flies = (/** @type {string} */ code, /** @type {object} */ more) => {
    const page = make();
    const { defaultPrevented } = page.down(code, more);
    const any = [...page.way, ...page.held].some((level) => level !== 0);
    assert.equal(defaultPrevented, any, `${code}: taken from the control, or left to the page`);
    return any;
  };
  for (const typed of [
    focused('INPUT', 'text'), focused('INPUT', 'search'), focused('INPUT', 'number'), focused('TEXTAREA'), focused('SELECT', 'select-one'),
    { target: { tagName: 'DIV', isContentEditable: true } },
    // A password manager's own field, inside of its element.
    { target: { tagName: 'X-FIELD' }, composedPath: () => [{ tagName: 'INPUT', type: 'password' }] },
  ]) {
    assert.equal(isTyped(/** @type {any} */ ({ ...typed })), true);
    for (const code of ['KeyW', 'Space', 'ArrowLeft', 'KeyQ']) assert.equal(flies(code, typed), false);
  }
  for (const [element, uses, leaves] of /** @type {[object, string[], string[]][]} */ ([
    [focused('INPUT', 'range'), ['ArrowLeft', 'ArrowUp'], ['KeyA', 'Space', 'KeyE', 'KeyQ']],
    [focused('INPUT', 'checkbox'), ['Space'], ['ArrowLeft', 'KeyW', 'KeyE']],
    [focused('BUTTON', 'button'), ['Space'], ['ArrowLeft', 'KeyW', 'KeyJ']],
    [focused('CANVAS'), [], ['ArrowLeft', 'Space', 'KeyW']],
  ])) {
    for (const code of uses) assert.equal(flies(code, element), false, `${JSON.stringify(element)} ${code}`);
    for (const code of leaves) assert.equal(flies(code, element), true, `${JSON.stringify(element)} ${code}`);
  }
  // Held when the focus went into a text: its end is heard all the same.
  const page = make();
  page.down('KeyW');
  page.up('KeyW', focused('INPUT', 'text'));
  assert.deepEqual(page.way, [0, 0]);
});

/** A gamepad with the standard mapping. @param {{axes?: number[], down?: number[], values?: Record<number, number>, mapping?: string}} [is] */
function gamepad({ axes = [0, 0, 0, 0], down = [], values = {}, mapping = 'standard' } = {}) {
  const buttons = Array.from({ length: 17 }, (_, i) => {
    const value = values[i] ?? (down.includes(i) ? 1 : 0);
    return { pressed: value > 0.1, touched: value > 0, value };
  });
  return { id: 'Pad', index: 0, connected: true, mapping, axes, buttons, timestamp: 0 };
}

const SHIP = { heading: 0, screenX: 100, screenY: 100, turnPerTick: 0.01 };

test('gamepad: the left stick turns and pushes, a resting one does neither, nor does a worn one', () => {
  const page = make();
  for (const [axes, turn, thrust] of /** @type {[number[], number, number][]} */ ([
    [[0.14, -0.14, 0, 0], 0, 0], [[0.2, 0, 0.2, 0], 0, 0], [[NaN, NaN, NaN, NaN], 0, 0], [[], 0, 0],
    [[1, 0, 0, 0], 0, 1], [[0.96, 0, 0, 0], 0, 1], [[0, 1, 0, 0], 1, 0], [[0, -1, 0, 0], -1, 0], [[-1, 0.01, 0, 0], 1, 0],
    [[0.585, 0, 0, 0], 0, 0.5],
    // The right one aims: the ship turns, and the left one pushes along the nose, backwards too.
    [[0, 0, 0, 1], 1, 0], [[-1, 0, 1, 0], 0, -1], [[0, 1, 1, 0], 0, 0],
  ])) {
    page.pads[0] = gamepad({ axes });
    page.controls.poll();
    const wants = page.controls.sample(SHIP);
    assert.deepEqual([wants.turn, wants.thrust], [turn, thrust], `${axes}`);
  }
});

test('gamepad: buttons and triggers fire, beam and dash; a trigger that rests a little pressed does not', () => {
  for (const [is, held] of /** @type {[object, number[]][]} */ ([
    [{ down: [0] }, [1, 0, 0]], [{ down: [7] }, [1, 0, 0]], [{ values: { 7: 0.5 } }, [1, 0, 0]], [{ values: { 7: 0.2 } }, [0, 0, 0]],
    [{ down: [2] }, [0, 1, 0]], [{ values: { 6: 0.8 } }, [0, 1, 0]], [{ down: [1] }, [0, 0, 1]], [{ down: [5] }, [0, 0, 1]],
    [{ down: [3, 4, 8, 10, 11, 16] }, [0, 0, 0]],
  ])) {
    const page = make();
    page.pads.push(null, gamepad(is));
    assert.deepEqual(page.held, held, JSON.stringify(is));
    assert.deepEqual(page.held, held, 'held is not pressed again');
  }
  const page = make();
  page.pads[0] = gamepad({ down: [12, 15] });
  assert.deepEqual(page.way, [1, 1], 'the cross');
});

test('gamepad: plugged in at any time, unplugged while pressed, several at once', () => {
  const page = make();
  assert.deepEqual(page.held, [0, 0, 0]);
  page.pads.push(gamepad({ down: [7] }), gamepad({ down: [6], axes: [0.1, 0, 0, 0] }));
  assert.deepEqual(page.held, [1, 1, 0], 'two');
  page.pads[0] = null;
  assert.deepEqual(page.held, [0, 1, 0], 'one is gone');
  page.pads[1] = { ...page.pads[1], connected: false };
  assert.deepEqual(page.held, [0, 0, 0]);
  page.pads.length = 0;
  assert.deepEqual(page.held, [0, 0, 0]);
  page.pads.push(gamepad({ down: [1] }));
  assert.deepEqual(page.held, [0, 0, 1]);
  page.pads[0] = gamepad();
  page.pads[0] = gamepad({ down: [1] });
  assert.deepEqual(page.held, [0, 0, 1], 'nobody looked in between');
  // Two sticks: the one that is further out.
  page.pads.splice(0, 1, gamepad({ axes: [0.3, 0, 0, 0] }), gamepad({ axes: [0, 1, 0, 0] }));
  page.controls.poll();
  assert.equal(page.controls.sample(SHIP).turn, 1);
});

test('gamepad: one whose axes nobody knows does not fly the ship, and a page that may not know of any plays', () => {
  const page = make();
  page.pads.push(gamepad({ mapping: '', axes: [-1, -1, -1, -1], down: [0, 1, 2, 9] }));
  assert.deepEqual([page.way, page.held, page.pressed], [[0, 0], [0, 0, 0], []]);
  assert.match(gamepadSays({ mapping: '' }), /does not work here/);
  assert.match(gamepadSays({ mapping: 'standard' }), /found/);
  const none = new Gamepads(() => { throw new Error('SecurityError'); });
  assert.equal(none.read(true), false);
  assert.equal(new Gamepads(() => /** @type {any} */ (null)).read(true), false);
});

for (const [away, back] of [[{ focused: false }, { focused: true }], [{ hidden: true }, { hidden: false }]]) {
  test(`gamepad: not read with ${JSON.stringify(away)}, and what is down at its return was not pressed for the page`, () => {
    awayAndBack(away, back);
  });
}

/** @param {object} away @param {object} back */
function awayAndBack(away, back) {
  const page = make();
  page.pads[0] = gamepad();
  page.controls.poll();
  Object.assign(page.window.document, away);
  page.pads[0] = gamepad({ down: [1, 7, 9], axes: [1, 0, 0, 0] });
  assert.deepEqual([page.held, page.way], [[0, 0, 0], [0, 0]]);
  Object.assign(page.window.document, back);
  assert.deepEqual(page.held, [1, 0, 0], 'held, but no dash');
  assert.deepEqual(page.pressed, []);
  page.pads[0] = gamepad();
  page.controls.poll();
  page.pads[0] = gamepad({ down: [1] });
  assert.deepEqual(page.held, [0, 0, 1]);
}

test('gamepad: what was pressed for a screen does not shoot when that is closed, what was held through it does', () => {
  const page = make();
  page.pads[0] = gamepad({ down: [6] });
  assert.deepEqual(page.held, [0, 1, 0]);
  page.controls.active = false;
  page.pads[0] = gamepad({ down: [6, 0] });
  assert.deepEqual(page.held, [0, 0, 0]);
  page.controls.active = true;
  assert.deepEqual(page.held, [0, 1, 0], 'A has closed the menu');
  page.pads[0] = gamepad({ down: [6] });
  page.controls.poll();
  page.pads[0] = gamepad({ down: [6, 0] });
  assert.deepEqual(page.held, [1, 1, 0]);
});

test('gamepad: presses are told once each, and a stick at the edge does not tremble', () => {
  const page = make();
  for (const is of [{ down: [9] }, { down: [9] }, {}, { down: [9, 12] }, {}]) {
    page.pads[0] = gamepad(is);
    page.controls.poll();
  }
  assert.deepEqual(page.pressed, ['menu', 'menu', 'up']);
  page.pressed.length = 0;
  for (const y of [0.5, 0.65, 0.55, 0.62, 0.5, 0.61, 0.3, 0.7]) {
    page.pads[0] = gamepad({ axes: [0, y, 0, 0] });
    page.controls.poll();
  }
  assert.deepEqual(page.pressed, ['down', 'down']);
});

test('gamepad: takes the turning from the mouse, which gets it back by moving', () => {
  const page = make();
  page.mouse('pointerdown', LEFT);
  assert.equal(page.controls.aiming, true);
  page.pads[0] = gamepad({ axes: [0.1, 0.1, 0, 0] });
  page.controls.poll();
  assert.equal(page.controls.aiming, true, 'it rests');
  page.pads[0] = gamepad({ axes: [1, 0, 0, 0] });
  page.controls.poll();
  assert.equal(page.controls.aiming, false);
  page.pads[0] = gamepad();
  page.controls.poll();
  page.mouse('pointermove', 0, { movementX: 30 });
  assert.equal(page.controls.aiming, true);
});

test('the help and the README name the keys that do it', () => {
  const does = /** @type {Record<string, (string | undefined)[]>} */ ({
    'turn; spectators: another ship': ['left', 'right'], 'thrust, reverse': ['ahead', 'back'], bolts: ['fire'],
    'beam: hold to charge, release to fire': ['beam'], dash: ['dash'], 'this menu': ['menu', 'escape'], 'net graph': ['net'], sound: ['sound'],
  });
  for (const { places, does: what } of KEYS_HELP) {
    if (places[0][0] === 'Tab') continue;
    const all = new Set(places.flat().map((place) => FLYING.get(place) ?? COMMANDS.get(place)));
    assert.deepEqual(all, new Set(does[what]), what);
  }
  assert.deepEqual(DEVICES_HELP.map(([device]) => device), ['Mouse', 'Gamepad']);
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  for (const row of [
    '| arrows or WASD | fly |', '| space, left mouse button | bolts |', '| E, right mouse button | beam: hold to charge, release to fire |',
    '| Q, shift, middle mouse button | dash |', '| M | sound |', '| N | net graph', '| H, Esc | menu',
  ]) assert.ok(readme.includes(row), row);
  assert.match(readme, /gamepad/);
});

test('the help shows what stands on this keyboard\'s keys, where the browser tells', () => {
  const french = new Map([['KeyQ', 'a'], ['KeyA', 'q'], ['KeyW', 'z'], ['KeyE', 'é']]);
  assert.deepEqual(['KeyQ', 'KeyW', 'KeyE', 'KeyN', 'ArrowUp', 'Tab'].map((place) => labelOf(place, french)), ['A', 'Z', 'É', 'N', '↑', 'Tab']);
  assert.deepEqual(['KeyQ', 'Space', 'ShiftLeft', 'Escape'].map((place) => labelOf(place)), ['Q', 'Space', 'Shift', 'Esc']);
});
