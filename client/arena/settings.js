// What a player chose, kept for their next visit where the browser allows it: the name, the sound.

/**
 * @param {() => Storage} open may throw, as the storage that it gives may at any call (cookies forbidden, a sandboxed
 *   frame, a full disk): then settings last as long as the page
 */
export function openSettings(open) {
  /** What storage did not take. @type {Map<string, string>} */
  const held = new Map();
  return {
    /** @param {string} key */
    getItem(key) {
      const here = held.get(key);
      if (here !== undefined) return here;
      try {
        return open().getItem(key);
      } catch {
        return null;
      }
    },
    /**
     * @param {string} key
     * @param {string} value
     */
    setItem(key, value) {
      try {
        open().setItem(key, value);
        held.delete(key);
      } catch {
        held.set(key, value);
      }
    },
  };
}

/** @typedef {ReturnType<typeof openSettings>} Settings */
