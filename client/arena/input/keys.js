// Which key does what, by its place on the keyboard, and whose a key is: the browser's, a control's that has the focus, or
// the ship's. The README's table says the same; client/test/controls.test.js holds them together.

/** @typedef {'left' | 'right' | 'ahead' | 'back' | 'fire' | 'beam' | 'dash'} Action */
/** @typedef {Pick<KeyboardEvent, 'code' | 'key'>} Key */

/** What each key does while it is down (so WASD is where it should be on every layout). @type {Map<string, Action>} */
export const FLYING = new Map([
  ['ArrowLeft', 'left'], ['KeyA', 'left'],
  ['ArrowRight', 'right'], ['KeyD', 'right'],
  ['ArrowUp', 'ahead'], ['KeyW', 'ahead'],
  ['ArrowDown', 'back'], ['KeyS', 'back'],
  ['Space', 'fire'], ['KeyJ', 'fire'],
  ['KeyE', 'beam'], ['KeyX', 'beam'], ['KeyK', 'beam'],
  // Windows asks about Sticky Keys at the fifth Shift, and takes the keyboard with it: Q is named first.
  ['KeyQ', 'dash'], ['KeyL', 'dash'], ['ShiftLeft', 'dash'], ['ShiftRight', 'dash'],
]);

/** @typedef {'menu' | 'escape' | 'net' | 'sound'} Command */

/** What a key does for the page when it is pressed. @type {Map<string, Command>} */
export const COMMANDS = new Map([['Escape', 'escape'], ['KeyH', 'menu'], ['KeyN', 'net'], ['KeyM', 'sound']]);

/**
 * The help: keys by their places, in groups of which one does, and what they do.
 * @type {{places: string[][], does: string}[]}
 */
export const KEYS_HELP = [
  { places: [['ArrowLeft', 'ArrowRight'], ['KeyA', 'KeyD']], does: 'turn; spectators: another ship' },
  { places: [['ArrowUp', 'ArrowDown'], ['KeyW', 'KeyS']], does: 'thrust, reverse' },
  { places: [['Space']], does: 'bolts' },
  { places: [['KeyE']], does: 'beam: hold to charge, release to fire' },
  { places: [['KeyQ'], ['ShiftLeft']], does: 'dash' },
  { places: [['KeyH'], ['Escape']], does: 'this menu' },
  { places: [['KeyN']], does: 'net graph' },
  { places: [['KeyM']], does: 'sound' },
  { places: [['Tab']], does: 'buttons and switches; Esc back to the ship' },
];

/** The help for everything that is no keyboard. */
export const DEVICES_HELP = [
  ['Mouse', 'aim; left bolts, right beam, middle dash'],
  ['Gamepad', 'left stick flies, right aims; A or RT bolts, X or LT beam, B or RB dash, Start menu'],
];

/** @type {Record<string, string>} */
const LABELS = {
  ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', ShiftLeft: 'Shift', Escape: 'Esc',
};

/**
 * What stands on a key.
 * @param {string} place
 * @param {ReadonlyMap<string, string> | null} [layout] characters by place; null: as on a US keyboard
 */
export function labelOf(place, layout = null) {
  if (LABELS[place] !== undefined) return LABELS[place];
  return place.startsWith('Key') ? (layout?.get(place) ?? place.slice(3)).toUpperCase() : place;
}

/** Keys that people move elsewhere (Caps Lock as Escape, arrows on another layer): what they mean goes before their place. */
const MOVED = new Set(['Escape', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']);

/** What keys without a place are called, where that is not the name of a place; older browsers' names too. */
const NAMED = new Map([
  [' ', 'Space'], ['Spacebar', 'Space'], ['Shift', 'ShiftLeft'], ['Esc', 'Escape'],
  ['Left', 'ArrowLeft'], ['Right', 'ArrowRight'], ['Up', 'ArrowUp'], ['Down', 'ArrowDown'],
]);

/**
 * Whether an event says at which place its key is: some virtual and remote keyboards do not.
 * @param {Key} event
 */
export function hasPlace({ code }) {
  return Boolean(code) && code !== 'Unidentified';
}

/**
 * A key's place on the keyboard; where the device does not say, the place that its character has on a US keyboard.
 * @param {Key} event
 * @returns {string} as `KeyboardEvent.code` names it; '' if nobody knows
 */
export function placeOf(event) {
  // A browser that fills in a form sends key events without a key.
  const key = event.key ?? '';
  if (hasPlace(event)) return MOVED.has(key) ? key : event.code;
  if (/^[a-z]$/i.test(key)) return `Key${key.toUpperCase()}`;
  return NAMED.get(key) ?? key;
}

/**
 * True if a key is part of a combination of the browser or the system, or of a word that is being composed. (AltGr is a
 * modifier of its own on some systems, Ctrl and Alt on others.)
 * @param {KeyboardEvent} event
 */
export function isBrowsers(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.getModifierState?.('AltGraph') === true;
}

/** Inputs that no text is typed into. */
const NO_TEXT = new Set(['button', 'checkbox', 'color', 'file', 'image', 'radio', 'range', 'reset', 'submit']);

/**
 * The element that a key goes to, also inside of what an extension put into the page.
 * @param {KeyboardEvent} event
 * @returns {any} an Element, or whatever else the event was sent to
 */
function targetOf(event) {
  return event.composedPath?.()[0] ?? event.target;
}

/**
 * True if text is typed: every key belongs to it.
 * @param {KeyboardEvent} event
 */
export function isTyped(event) {
  const target = targetOf(event);
  if (target?.isContentEditable === true) return true;
  switch (target?.tagName) {
    case 'INPUT': return !NO_TEXT.has(target.type);
    case 'TEXTAREA':
    case 'SELECT': return true;
    default: return false;
  }
}

/**
 * True if the control that has the focus uses this key: a switch its Space, a slider its arrows.
 * @param {KeyboardEvent} event
 * @param {string} place of its key
 */
export function isControls(event, place) {
  if (isTyped(event)) return true;
  const { tagName, type } = targetOf(event) ?? {};
  const arrow = place.startsWith('Arrow');
  if (tagName === 'INPUT') return type === 'range' ? arrow : place === 'Space' || (type === 'radio' && arrow);
  return tagName === 'BUTTON' && place === 'Space';
}
