// Everything that stands before the match: joining, connecting, why a session ended, the menu. Real buttons and labels;
// whoever opens a screen gets the focus, whoever closes it gives it back.

import { endingFor } from './screens/endings.js';
import { Focus } from './screens/focus.js';
import { showHelp } from './screens/help.js';
import { RoomList } from './screens/rooms.js';
import { waitingWords } from './screens/waiting.js';

const NAME_KEY = 'tickroom.name';

/** @typedef {{kind: 'quick'} | {kind: 'code', code: string} | {kind: 'create', private: boolean} | {kind: 'spectate', code: string | null}} Wish */

/**
 * What the screens ask of the page.
 * @typedef {object} ScreenActions
 * @property {(wish: Wish, name: string) => void} join
 * @property {() => void} leave frees the seat and shows the join screen
 * @property {() => void} retry connects now, also after a session that ended for good
 * @property {() => Promise<any[]>} rooms the open matches
 * @property {() => void} back from the menu to the match
 * @property {() => void} copyLink
 * @property {() => boolean} toggleSound answers whether it is on now
 * @property {() => boolean} toggleNet
 */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
function element(id) {
  return /** @type {T} */ (document.getElementById(id));
}

export class Screens {
  /**
   * @param {ScreenActions} actions
   * @param {import('./settings.js').Settings} storage for the name
   * @param {Wish | null} invited from the page's address
   */
  constructor(actions, storage, invited) {
    this.#actions = actions;
    this.#storage = storage;
    this.#invited = invited;
    this.#name.value = storage.getItem(NAME_KEY) ?? '';
    this.#rooms = new RoomList(element('room-list'), element('rooms-note'), (wish) => this.#join(wish), actions.rooms);
    element('join-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#join(this.#invited ?? { kind: 'quick' });
    });
    element('code-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const code = this.#code.value.trim().toUpperCase();
      if (code === '') this.note('Type the code of a match first.');
      else this.#join({ kind: 'code', code });
    });
    this.#on('create-public', () => this.#join({ kind: 'create', private: false }));
    this.#on('create-private', () => this.#join({ kind: 'create', private: true }));
    this.#on('watch', () => this.#join({ kind: 'spectate', code: null }));
    this.#on('menu-back', () => actions.back());
    this.#on('menu-copy', () => actions.copyLink());
    this.#on('menu-sound', () => this.setPressed('menu-sound', actions.toggleSound()));
    this.#on('menu-net', () => this.setPressed('menu-net', actions.toggleNet()));
    this.#on('menu-leave', () => actions.leave());
    showHelp(document, navigator);
    this.#showInvitation();
  }

  #actions;
  #storage;
  #rooms;
  /** @type {Wish | null} */
  #invited;
  #joining = element('join');
  #name = /** @type {HTMLInputElement} */ (element('name'));
  #code = /** @type {HTMLInputElement} */ (element('code'));
  #note = element('join-note');
  #overlay = element('overlay');
  #title = element('overlay-title');
  #text = element('overlay-text');
  #spin = element('overlay-spin');
  #buttons = element('overlay-buttons');
  #menu = element('menu');
  #hud = element('hud');
  #view = element('view');
  #overlayIs = '';
  focus = new Focus(window, [
    { root: this.#overlay, keeps: true, first: () => /** @type {HTMLElement} */ (this.#buttons.firstElementChild) },
    { root: this.#menu, keeps: true, first: () => element('menu-back') },
    // On a phone the focus on a text would open the keyboard over half of the screen.
    { root: this.#joining, keeps: false, first: () => (this.#name.value === '' && !document.body.classList.contains('touch') ? this.#name : element('play')) },
    { root: document.body, keeps: true, first: () => this.#view },
  ]);

  get name() {
    return this.#name.value.trim();
  }

  get menuOpen() {
    return !this.#menu.hidden;
  }

  /** Whether something lies over all, the menu too. */
  get covered() {
    return !this.#overlay.hidden || !this.#joining.hidden;
  }

  /**
   * @param {string} id
   * @param {() => void} act
   */
  #on(id, act) {
    element(id).addEventListener('click', act);
  }

  /**
   * @param {string} id
   * @param {boolean} on
   */
  setPressed(id, on) {
    element(id).setAttribute('aria-pressed', String(on));
  }

  /** What lies below can neither be clicked nor reached by Tab, and has not the focus. */
  #settle() {
    this.#view.inert = this.#hud.inert = this.covered || this.menuOpen;
    this.#menu.inert = this.covered;
    this.focus.settle();
  }

  /** @param {Wish} wish */
  #join(wish) {
    this.#storage.setItem(NAME_KEY, this.name);
    this.note('');
    this.#actions.join(wish, this.name);
  }

  #showInvitation() {
    const play = element('play');
    const invited = this.#invited;
    if (invited === null || (invited.kind !== 'code' && invited.kind !== 'spectate')) play.textContent = 'Play';
    else if (invited.kind === 'code') play.textContent = `Join match ${invited.code}`;
    else play.textContent = invited.code === null ? 'Watch' : `Watch match ${invited.code}`;
  }

  /** The address named a room that cannot be had: the big button is quick play again. */
  forgetInvitation() {
    this.#invited = null;
    this.#showInvitation();
  }

  /** @param {string} text */
  note(text) {
    this.#note.textContent = text;
  }

  showJoin() {
    this.#menu.hidden = true;
    this.#joining.hidden = false;
    this.focus.forget(this.#joining);
    this.hideOverlay();
    this.#rooms.start();
  }

  hideJoin() {
    this.#joining.hidden = true;
    this.#rooms.stop();
  }

  /**
   * @param {string} code of the match
   * @param {boolean} sound
   * @param {boolean} net
   */
  showMenu(code, sound, net) {
    element('menu-code').textContent = code;
    this.setPressed('menu-sound', sound);
    this.setPressed('menu-net', net);
    this.#menu.hidden = false;
    this.focus.forget(this.#menu);
    this.#settle();
  }

  hideMenu() {
    this.#menu.hidden = true;
    this.#settle();
  }

  hideOverlay() {
    this.#overlay.hidden = true;
    this.#overlayIs = '';
    this.#settle();
  }

  /**
   * There is no session now, and the page tries to get one by itself.
   * @param {import('./screens/waiting.js').Waiting} waiting
   */
  showWaiting(waiting) {
    const { title, text, leave } = waitingWords(waiting);
    /** @type {[string, () => void][]} */
    const buttons = [[leave, () => this.#actions.leave()]];
    // Whoever plays may press a key meanwhile: the first button must not be the one that ends it all.
    if (waiting.welcomed || waiting.attempt > 0) buttons.unshift(['Try now', () => this.#actions.retry()]);
    this.#show(title, text, true, buttons);
  }

  /**
   * A session ended for good.
   * @param {{name: string, text: string, action: string}} reason
   * @param {Wish} wish what was asked for
   */
  showEnding(reason, wish) {
    const ending = endingFor(reason, wish);
    // It was of the match that has ended.
    this.#menu.hidden = true;
    /** @type {[string, () => void][]} */
    const buttons = ending.offers.map((offer) => {
      if (offer.kind === 'reload') return [offer.label, () => window.location.reload()];
      if (offer.kind === 'again') return [offer.label, () => this.#actions.retry()];
      if (offer.kind === 'home') return [offer.label, () => this.#actions.leave()];
      return [offer.label, () => this.#join(offer.wish)];
    });
    this.#show(ending.title, ending.text, false, buttons);
  }

  /**
   * @param {string} title
   * @param {string} text
   * @param {boolean} busy
   * @param {[string, () => void][]} buttons the first is the likely one
   */
  #show(title, text, busy, buttons) {
    this.#title.textContent = title;
    this.#text.textContent = text;
    this.#spin.hidden = !busy;
    const is = `${title} ${buttons.map(([label]) => label).join(' ')}`;
    // The same overlay with another countdown keeps its buttons, and with them the focus.
    if (is === this.#overlayIs) return;
    this.#overlayIs = is;
    this.#buttons.replaceChildren(...buttons.map(([label, act], at) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = label;
      if (at === 0 && !busy) button.className = 'primary';
      button.addEventListener('click', act);
      return button;
    }));
    this.#overlay.hidden = false;
    this.#settle();
  }
}
