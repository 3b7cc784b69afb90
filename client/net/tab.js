// A seat belongs to one tab. A tab's storage lives through reloads, crashes and the back button, which is what resuming
// needs; but a browser that duplicates a tab, or opens a window from one, copies it. So each tab has a name of its own in
// its storage, and whoever loads a page claims it: if another page that lives holds the name already, this one is a copy,
// takes a new name, and sees nothing of what the first one keeps.
//
// Web Locks hold a name where there are any; they need a secure context, so plain HTTP in a local network has none: there,
// pages ask each other on a BroadcastChannel. With neither, a copy takes the seat and the first tab is told so
// (`replaced`), which the server sees to.

/** @typedef {import('./resume.js').SeatStorage} SeatStorage */
/** @typedef {{ postMessage(message: any): void, onmessage: ((event: any) => void) | null, close(): void }} Channel */
/**
 * @typedef {object} TabParts What a browser may have; null for what it has not.
 * @property {SeatStorage | null} storage the tab's
 * @property {Pick<LockManager, 'request'> | null} locks
 * @property {((name: string) => Channel) | null} channel may throw
 * @property {(ms: number, work: () => void) => void} after
 * @property {() => number} random 0 to below 1
 * @property {number} patience ms: how long another page may still hold the name that is only about to go, as at a reload
 */

const NAME_KEY = 'tickroom tab';
const CHANNEL = 'tickroom tabs';
/** A page that lives answers within this: its timers may sleep in the background, its messages do not. */
const ANSWER_MS = 250;

export class Tab {
  /** @param {TabParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  #parts;
  #name = '';
  #release = () => {};
  /** The last claim: a page that goes and comes back before it is settled must not meet itself. @type {Promise<unknown>} */
  #claiming = Promise.resolve();
  /** What the tab that this one was copied from keeps; null: it was not. @type {SeatStorage | null} */
  copiedFrom = null;

  /** What this tab keeps, and no copy of it sees; nothing before it was claimed. @type {SeatStorage} */
  storage = this.#keptBy(() => this.#name);

  /**
   * To be awaited before anything is taken from `storage`, when the page was loaded and when it comes back from the
   * browser's history: meanwhile a copy may have become the tab.
   * @returns {Promise<'own' | 'copy'>}
   */
  claim() {
    const again = () => this.#claim();
    const claim = this.#claiming.then(again, again);
    this.#claiming = claim;
    return claim;
  }

  /** @returns {Promise<'own' | 'copy'>} */
  async #claim() {
    this.release();
    const name = this.#remembered();
    if (name !== null && await this.#hold(name)) {
      this.#name = name;
      return 'own';
    }
    this.#name = this.#random();
    this.#remember();
    // Nobody can hold it yet.
    await this.#hold(this.#name);
    if (name === null) return 'own';
    this.copiedFrom = this.#keptBy(() => name);
    return 'copy';
  }

  /** The page goes, or is put away for the back button: who comes next may have the tab. */
  release() {
    this.#release();
    this.#release = () => {};
  }

  /**
   * @param {() => string} name
   * @returns {SeatStorage}
   */
  #keptBy(name) {
    const at = (/** @type {string} */ key) => `${key} of ${name()}`;
    const storage = () => {
      const { storage: all } = this.#parts;
      // Not in silence: whoever keeps something must know that it is kept nowhere.
      if (all === null || name() === '') throw new Error('this tab has no storage, or was not claimed yet');
      return all;
    };
    return {
      getItem: (key) => storage().getItem(at(key)),
      setItem: (key, value) => storage().setItem(at(key), value),
      removeItem: (key) => storage().removeItem(at(key)),
    };
  }

  #random() {
    return Array.from({ length: 4 }, () => Math.floor(this.#parts.random() * 0x1_0000).toString(16).padStart(4, '0')).join('');
  }

  /** @returns {string | null} */
  #remembered() {
    try {
      return this.#parts.storage?.getItem(NAME_KEY) ?? null;
    } catch {
      return null;
    }
  }

  #remember() {
    try {
      this.#parts.storage?.setItem(NAME_KEY, this.#name);
    } catch {
      // Then the next page of this tab has a name of its own, and no seat to take back.
    }
  }

  /**
   * @param {string} name
   * @returns {Promise<boolean>} false: another page that lives has it
   */
  async #hold(name) {
    const held = await this.#lock(name) ?? await this.#ask(name);
    return held ?? true;
  }

  /**
   * @param {string} name
   * @returns {Promise<boolean | null>} null: there are no locks
   */
  #lock(name) {
    return new Promise((resolve) => {
      const { locks, after, patience: ms } = this.#parts;
      if (!locks) return resolve(null);
      const patience = new AbortController();
      /** @param {unknown} error */
      const failed = (error) => resolve(patience.signal.aborted && /** @type {any} */ (error)?.name === 'AbortError' ? false : null);
      after(ms, () => patience.abort());
      try {
        locks.request(`${CHANNEL} ${name}`, { signal: patience.signal }, () => {
          resolve(true);
          return new Promise((release) => { this.#release = () => release(undefined); });
        }).catch(failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /**
   * @param {string} name
   * @returns {Promise<boolean | null>} null: nobody can be asked
   */
  async #ask(name) {
    /** @type {Channel} */
    let channel;
    try {
      if (this.#parts.channel === null) return null;
      channel = this.#parts.channel(CHANNEL);
    } catch {
      return null;
    }
    const by = this.#random();
    let held = false;
    let taken = false;
    channel.onmessage = ({ data }) => {
      if (data?.name !== name || data.by === by) return;
      if (data.to === by) taken = true;
      if (data.to !== undefined) return;
      // Two that ask at once must agree: the smaller has it.
      if (held || by < data.by) channel.postMessage({ name, by, to: data.by });
      else taken = true;
    };
    for (let waited = 0; waited < this.#parts.patience + ANSWER_MS && !held; waited += ANSWER_MS) {
      taken = false;
      channel.postMessage({ name, by });
      await new Promise((resolve) => this.#parts.after(ANSWER_MS, () => resolve(undefined)));
      held = !taken;
    }
    if (held) this.#release = () => channel.close();
    else channel.close();
    return held;
  }
}
