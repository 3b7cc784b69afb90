// The on-screen stick and buttons. The stick stands where the thumb first touches: nobody looks for it.

/** CSS pixels from the middle to full thrust. */
const REACH = 46;
/** Share of the reach below which the thumb only rests. */
const REST = 0.22;

export class TouchPad {
  /**
   * @param {HTMLElement} stick the area for the left thumb; its first child shows the stick
   * @param {HTMLElement} fire
   * @param {HTMLElement} beam
   * @param {HTMLElement} dash
   */
  constructor(stick, fire, beam, dash) {
    this.#stick = stick;
    this.#knob = /** @type {HTMLElement} */ (stick.firstElementChild);
    stick.addEventListener('pointerdown', (event) => this.#start(event));
    stick.addEventListener('pointermove', (event) => this.#move(event));
    for (const kind of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      stick.addEventListener(kind, (event) => this.#end(/** @type {PointerEvent} */ (event)));
    }
    hold(fire, (down) => { this.fire = down; });
    hold(beam, (down) => { this.beam = down; });
    hold(dash, (down) => { if (down) this.onDash(); });
    this.#buttons = [fire, beam, dash];
  }

  #stick;
  #knob;
  #buttons;
  #pointer = -1;
  #baseX = 0;
  #baseY = 0;

  fire = false;
  beam = false;
  /** How far the stick is out, 0..1; 0 while it rests. */
  reach = 0;
  /** Where it points, turns. */
  direction = 0;
  /** @type {() => void} */
  onDash = () => {};

  release() {
    this.fire = false;
    this.beam = false;
    this.reach = 0;
    this.#pointer = -1;
    this.#show(0, 0);
    this.#knob.style.transform = '';
    for (const button of this.#buttons) button.classList.remove('down');
  }

  /** @param {PointerEvent} event */
  #start(event) {
    if (this.#pointer !== -1) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#stick.setPointerCapture(event.pointerId);
    this.#knob.style.transform = '';
    const at = this.#knob.getBoundingClientRect();
    this.#baseX = event.clientX;
    this.#baseY = event.clientY;
    this.#knob.style.transform = `translate(${event.clientX - at.left - at.width / 2}px, ${event.clientY - at.top - at.height / 2}px)`;
  }

  /** @param {PointerEvent} event */
  #move(event) {
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
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = -1;
    this.reach = 0;
    this.#show(0, 0);
    this.#knob.style.transform = '';
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

/**
 * @param {HTMLElement} button
 * @param {(down: boolean) => void} set
 */
function hold(button, set) {
  button.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    button.setPointerCapture(event.pointerId);
    button.classList.add('down');
    set(true);
  });
  for (const kind of ['pointerup', 'pointercancel', 'lostpointercapture']) {
    button.addEventListener(kind, () => {
      button.classList.remove('down');
      set(false);
    });
  }
}
