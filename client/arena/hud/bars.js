// The own ship's bars and what it has picked up. They scale, so that no layout follows a hit.

export class Bars {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#shield = bar(root, '.shield i');
    this.#hull = bar(root, '.hull i');
    this.#hullBox = /** @type {HTMLElement} */ (root.querySelector('.hull'));
    this.#energy = bar(root, '.energy i');
    this.#energyBox = /** @type {HTMLElement} */ (root.querySelector('.energy'));
    this.#perks = /** @type {HTMLElement} */ (root.querySelector('#perks'));
    this.#rapid = perk(this.#perks, 'rapid');
    this.#might = perk(this.#perks, 'might');
  }

  #root;
  #shield;
  #hull;
  #hullBox;
  #energy;
  #energyBox;
  #perks;
  #rapid;
  #might;
  /** @type {Map<HTMLElement, number>} */
  #shown = new Map();

  /** @param {boolean} on */
  show(on) {
    if (this.#root.hidden === on) this.#root.hidden = !on;
  }

  /** @param {number} share of the energy that a beam costs */
  setBeamCost(share) {
    this.#energyBox.style.setProperty('--beam-cost', `${Math.round(share * 100)}%`);
  }

  /**
   * @param {number} shield 0..1
   * @param {number} hull 0..1
   * @param {number} energy 0..1
   * @param {number} rapid seconds left
   * @param {number} might seconds left
   */
  update(shield, hull, energy, rapid, might) {
    this.#set(this.#shield, shield);
    this.#set(this.#hull, hull);
    this.#set(this.#energy, energy);
    const low = hull <= 0.35;
    if (this.#hullBox.classList.contains('low') !== low) this.#hullBox.classList.toggle('low', low);
    this.#time(this.#rapid, 'RAPID', rapid);
    this.#time(this.#might, 'MIGHT', might);
  }

  /**
   * @param {HTMLElement} fill
   * @param {number} share
   */
  #set(fill, share) {
    const shown = Math.round(Math.max(0, Math.min(1, share)) * 200) / 200;
    if (this.#shown.get(fill) === shown) return;
    this.#shown.set(fill, shown);
    fill.style.transform = `scaleX(${shown})`;
  }

  /**
   * @param {HTMLElement} label
   * @param {string} name
   * @param {number} seconds
   */
  #time(label, name, seconds) {
    const left = Math.max(0, Math.ceil(seconds));
    if (this.#shown.get(label) === left) return;
    this.#shown.set(label, left);
    label.textContent = left === 0 ? '' : `${name} ${left}`;
  }
}

/**
 * @param {HTMLElement} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
function bar(root, selector) {
  return /** @type {HTMLElement} */ (root.querySelector(selector));
}

/**
 * @param {HTMLElement} root
 * @param {string} name
 * @returns {HTMLElement}
 */
function perk(root, name) {
  const label = document.createElement('span');
  label.className = name;
  root.append(label);
  return label;
}
