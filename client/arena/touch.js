// The on-screen stick and buttons. The stick stands where the thumb first touches: nobody looks for it.

/** CSS pixels from the middle to full thrust. */
const REACH = 46;
/** Share of the reach below which the thumb only rests. */
const REST = 0.22;

export class TouchPad {
  /**
   * @param {Window} window
   * @param {HTMLElement} stick the area for the left thumb; its first child shows the stick
   * @param {HTMLElement} fire
   * @param {HTMLElement} beam
   * @param {HTMLElement} dash
   */
  constructor(window, stick, fire, beam, dash) {
    this.#stick = stick;
    this.#knob = /** @type {HTMLElement} */ (stick.firstElementChild);
    stick.addEventListener('pointerdown', (event) => this.#start(event));
    stick.addEventListener('pointermove', (event) => this.#move(event));
    this.#fire = new TouchButton(fire, () => {});
    this.#beam = new TouchButton(beam, () => {});
    this.#dash = new TouchButton(dash, () => this.onDash());
    const lift = (/** @type {PointerEvent} */ event) => {
      this.#end(event);
      for (const button of [this.#fire, this.#beam, this.#dash]) button.lift(event.pointerId);
    };
    // At the window: a pad that went away under a finger does not hear it leave.
    for (const kind of /** @type {const} */ (['pointerup', 'pointercancel', 'lostpointercapture'])) {
      window.addEventListener(kind, lift, { capture: true });
    }
    // A finger that stays is no wish for a menu of the browser.
    for (const part of [stick, fire, beam, dash]) part.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  #stick;
  #knob;
  #fire;
  #beam;
  #dash;
  /** The thumb that steers, and others on the stick: when it leaves, one of them takes over with its next move. */
  #pointer = -1;
  /** @type {Set<number>} */
  #others = new Set();
  #baseX = 0;
  #baseY = 0;

  /** How far the stick is out, 0..1; 0 while it rests. */
  reach = 0;
  /** Where it points, turns. */
  direction = 0;
  /** @type {() => void} */
  onDash = () => {};

  get fire() {
    return this.#fire.down;
  }

  get beam() {
    return this.#beam.down;
  }

  /** Thumbs that stay down take over again with their next move. */
  release() {
    if (this.#pointer !== -1) this.#others.add(this.#pointer);
    this.#rest();
    for (const button of [this.#fire, this.#beam, this.#dash]) button.release();
  }

  #rest() {
    this.#pointer = -1;
    this.reach = 0;
    this.#show(0, 0);
    this.#knob.style.transform = '';
  }

  /** @param {PointerEvent} event */
  #start(event) {
    event.preventDefault();
    capture(this.#stick, event.pointerId);
    if (this.#pointer === -1) this.#begin(event);
    else this.#others.add(event.pointerId);
  }

  /** @param {PointerEvent} event where the stick's middle is from now on */
  #begin(event) {
    this.#pointer = event.pointerId;
    this.#knob.style.transform = '';
    const at = this.#knob.getBoundingClientRect();
    this.#baseX = event.clientX;
    this.#baseY = event.clientY;
    this.#knob.style.transform = `translate(${event.clientX - at.left - at.width / 2}px, ${event.clientY - at.top - at.height / 2}px)`;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#pointer === -1 && event.buttons !== 0 && this.#others.delete(event.pointerId)) this.#begin(event);
    if (event.pointerId !== this.#pointer) return;
    const x = event.clientX - this.#baseX;
    const y = event.clientY - this.#baseY;
    const far = Math.hypot(x, y);
    const share = Math.min(1, far / REACH);
    this.reach = share < REST ? 0 : (share - REST) / (1 - REST);
    if (far > 2) this.direction = Math.atan2(y, x) / (Math.PI * 2);
    const scale = far > REACH ? REACH / far : 1;
    this.#show(x * scale, y * scale);
  }

  /** @param {PointerEvent} event */
  #end(event) {
    this.#others.delete(event.pointerId);
    if (event.pointerId === this.#pointer) this.#rest();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #show(x, y) {
    this.#knob.style.setProperty('--stick-x', `${x}px`);
    this.#knob.style.setProperty('--stick-y', `${y}px`);
  }
}

/** One button: down for as long as any finger is on it. */
class TouchButton {
  /**
   * @param {HTMLElement} element
   * @param {() => void} press for each finger that comes
   */
  constructor(element, press) {
    this.#element = element;
    element.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      capture(element, event.pointerId);
      this.#pointers.add(event.pointerId);
      element.classList.add('down');
      press();
    });
    element.addEventListener('pointermove', (event) => {
      if (event.buttons === 0 || !this.#released.delete(event.pointerId)) return;
      this.#pointers.add(event.pointerId);
      element.classList.add('down');
    });
  }

  #element;
  /** @type {Set<number>} */
  #pointers = new Set();
  /** Those that were released here and may still be down: their next move says so. @type {Set<number>} */
  #released = new Set();

  get down() {
    return this.#pointers.size > 0;
  }

  /** @param {number} pointer that is gone, from here or from elsewhere */
  lift(pointer) {
    this.#released.delete(pointer);
    if (this.#pointers.delete(pointer) && !this.down) this.#element.classList.remove('down');
  }

  release() {
    for (const pointer of this.#pointers) this.#released.add(pointer);
    this.#pointers.clear();
    this.#element.classList.remove('down');
  }
}

/**
 * All that a pointer does from here on is told to the element, wherever it is.
 * @param {HTMLElement} element
 * @param {number} pointerId
 */
export function capture(element, pointerId) {
  try {
    element.setPointerCapture(pointerId);
  } catch {
    // It is gone already.
  }
}
