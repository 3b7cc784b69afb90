// What keys and devices do, in the menu and on the start screen, with what stands on the keys of this keyboard where the
// browser tells: letters mean places, and where a US keyboard has A, a French one has Q.

import { DEVICES_HELP, KEYS_HELP, labelOf } from '../input/keys.js';

/**
 * @param {Document} document its `#keys` is filled, and each element with the place of a key in `data-place` relabelled
 * @param {Navigator} navigator
 */
export function showHelp(document, navigator) {
  const keys = /** @type {HTMLTableSectionElement} */ (document.querySelector('#keys tbody'));
  /** @param {ReadonlyMap<string, string> | null} layout characters by place */
  const show = (layout) => {
    const rows = KEYS_HELP.map(({ places, does }) => [
      places.map((group) => group.map((place) => labelOf(place, layout)).join(' ')).join(' or '), does,
    ]);
    keys.replaceChildren();
    for (const [key, does] of [...rows, ...DEVICES_HELP]) {
      const row = keys.insertRow();
      row.insertCell().textContent = key;
      row.insertCell().textContent = does;
    }
    for (const key of document.querySelectorAll('[data-place]')) {
      key.textContent = labelOf(/** @type {HTMLElement} */ (key).dataset.place ?? '', layout);
    }
  };
  show(null);
  const { keyboard } = /** @type {any} */ (navigator);
  // A frame that may not know it shows the US letters.
  keyboard?.getLayoutMap?.().then(show, () => {});
}
