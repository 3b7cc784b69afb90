// As much of a page as the controls ask for: a window, an element, events with what they say.

export class FakeElement extends EventTarget {
  /** @type {Set<string>} */
  classes = new Set();
  classList = {
    add: (/** @type {string} */ name) => void this.classes.add(name),
    remove: (/** @type {string} */ name) => void this.classes.delete(name),
  };
  style = { transform: '', setProperty() {} };
  /** @type {FakeElement | null} */
  firstElementChild = null;
  focused = 0;
  focus() { this.focused += 1; }
  // As a browser does with a pointer that it does not know.
  setPointerCapture() { throw new Error('NotFoundError'); }
  getBoundingClientRect() { return { left: 0, top: 0, width: 10, height: 10 }; }
}

export class FakeWindow extends EventTarget {
  document = Object.assign(new EventTarget(), { hidden: false, focused: true, hasFocus: () => this.document.focused });
}

/**
 * @param {string} type
 * @param {Record<string, unknown>} says
 * @returns {any}
 */
function event(type, says) {
  const made = new Event(type, { cancelable: true });
  for (const [name, value] of Object.entries(says)) Object.defineProperty(made, name, { value });
  return made;
}

/**
 * @param {'keydown' | 'keyup'} type
 * @param {string} code
 * @param {Record<string, unknown>} [more]
 */
export function keyEvent(type, code, more = {}) {
  return event(type, {
    ...(more.target ? { composedPath: () => [more.target] } : {}), code, key: code.replace(/^Key/, '').toLowerCase(), repeat: false, ctrlKey: false, altKey: false, metaKey: false,
    isComposing: false, ...more,
  });
}

/**
 * @param {string} type
 * @param {number} buttons
 * @param {Record<string, unknown>} [more]
 */
export function pointerEvent(type, buttons, more = {}) {
  return event(type, {
    buttons, button: -1, pointerId: 1, pointerType: 'mouse', clientX: 0, clientY: 0, movementX: 0, movementY: 0, ...more,
  });
}
