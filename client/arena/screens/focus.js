// Where the focus is while screens come and go. It is always on something that can be used and seen: on what a screen
// offers first, on what had it before when a screen closes, and in the match on the match itself, where keys fly.

/**
 * @typedef {object} Layer what can lie on the page; the topmost that is not hidden has the focus
 * @property {HTMLElement} root
 * @property {boolean} keeps the focus, whatever is clicked; false for a page of texts, where a click beside them means none
 * @property {() => HTMLElement} first what gets the focus when it opens
 */

const CHOICES = 'button, input, select, a[href]';

export class Focus {
  /**
   * @param {Window} window
   * @param {Layer[]} layers topmost first; the last is the match, which is always there
   */
  constructor(window, layers) {
    this.#document = window.document;
    this.#layers = layers;
    this.#match = layers[layers.length - 1];
    window.addEventListener('focusin', ({ target }) => this.#follow(/** @type {HTMLElement} */ (target)));
    window.addEventListener('keydown', (event) => this.#down(event), { capture: true });
    // Who points at a switch over the match has used it then: the next arrow flies, the next Space fires.
    window.addEventListener('pointerup', () => this.#pointed());
    window.addEventListener('click', ({ detail }) => { if (detail > 0) this.#pointed(); });
  }

  #document;
  #layers;
  #match;
  /** What had the focus last, by layer. @type {Map<Layer, HTMLElement>} */
  #last = new Map();
  /** What has it, or had it when it went to nothing. @type {HTMLElement | null} */
  #now = null;

  get #active() {
    const { activeElement, body } = this.#document;
    return activeElement === body ? null : /** @type {HTMLElement | null} */ (activeElement);
  }

  #top() {
    return this.#layers.find(({ root }) => !root.hidden) ?? this.#match;
  }

  /** @param {HTMLElement} root of a layer that opens anew: it begins at its first */
  forget(root) {
    for (const layer of this.#layers) if (layer.root === root) this.#last.delete(layer);
  }

  /** Something has opened, closed or gone away: the focus goes where it belongs, or stays if it is there. */
  settle() {
    const top = this.#top();
    if (this.#active !== null && top.root.contains(this.#active) && usable(this.#active)) return;
    const last = this.#last.get(top);
    if (last !== undefined && usable(last)) last.focus();
    else this.#first(top);
  }

  /** Once per frame: whatever had the focus may have gone away by itself, or something else was clicked. */
  look() {
    if (this.#active !== null || (!this.#top().keeps && (this.#now === null || usable(this.#now)))) return;
    this.#now = null;
    this.settle();
  }

  /**
   * The match gets the focus from what lies over it.
   * @returns {boolean} false if it had it
   */
  toMatch() {
    if (this.#active === null || this.#active === this.#match.first()) return false;
    this.#first(this.#match);
    return true;
  }

  /** @param {number} step to the next or the previous choice: 1 or -1 */
  step(step) {
    const choices = [.../** @type {NodeListOf<HTMLElement>} */ (this.#top().root.querySelectorAll(CHOICES))].filter(usable);
    if (choices.length === 0) return;
    const at = this.#active === null ? -1 : choices.indexOf(this.#active);
    choices[at < 0 ? 0 : (at + step + choices.length) % choices.length].focus();
  }

  /** Does what Enter does. */
  choose() {
    this.settle();
    const active = this.#active;
    if (active instanceof HTMLInputElement && active.form !== null) active.form.requestSubmit();
    else active?.click();
  }

  /** @param {Layer} layer */
  #first(layer) {
    layer.first().focus({ preventScroll: layer === this.#match });
  }

  /** @param {HTMLElement} target */
  #follow(target) {
    this.#now = target;
    // The button that opens the menu has done so: after the menu, the next Space fires.
    if (target.getAttribute('aria-haspopup') !== null) return;
    const layer = this.#layers.find(({ root }) => root.contains(target));
    if (layer !== undefined) this.#last.set(layer, target);
  }

  #pointed() {
    // After the click: it may give the focus itself.
    setTimeout(() => {
      if (this.#top() === this.#match && this.#active !== null) this.toMatch();
    });
  }

  /**
   * A screen that comes up under a key that is held is not answered by its repeats.
   * @param {KeyboardEvent} event
   */
  #down(event) {
    if (event.repeat && (event.key === 'Enter' || event.key === ' ') && isButton(event.target)) event.preventDefault();
  }
}

/** @param {EventTarget | null} target */
function isButton(target) {
  return target instanceof HTMLButtonElement || (target instanceof HTMLInputElement && target.type === 'checkbox');
}

/** @param {HTMLElement} element */
function usable(element) {
  return element.isConnected && !element.matches(':disabled') && element.closest('[inert]') === null
    && element.getClientRects().length > 0;
}
