// Who sits at the keys. All of them are seeded, and none looks at the truth: they see what a player sees.

/** @typedef {import('./person.mjs').Person} Person */

const TURN = 2 * Math.PI;

/** The smallest difference of two angles, in turns. @param {number} from @param {number} to */
export function turnTo(from, to) {
  const turns = to - from;
  return turns - Math.round(turns);
}

/** Changes its controls 4.5 times a second, fires, dashes, and often flies at the next ship. */
export class Ace {
  /**
   * @param {Person} person
   * @param {{ ram?: number, changes?: number, dashes?: number }} [habits] `ram`: the part of its time in which it flies at others
   */
  constructor(person, { ram = 0.5, changes = 4.5, dashes = 0.6 } = {}) {
    this.person = person;
    this.habits = { ram, changes, dashes };
    this.next = 0;
    this.ramming = false;
    this.changes = 0;
    this.presses = 0;
    this.controls = { thrust: 0, turn: 0, fire: 0, beam: 0 };
  }

  /** @param {Person} person */
  frame(person) {
    const { world } = person;
    if (!person.flies) return;
    if (world.now >= this.next) this.#decide(person);
    if (this.ramming) this.#aim(person);
    person.client.setControls(this.controls);
  }

  /** @param {Person} person */
  #decide(person) {
    const { ram, changes, dashes } = this.habits;
    this.next = person.world.now - (Math.log(1 - person.chance()) / changes) * 1e6;
    this.changes += 1;
    this.ramming = person.chance() < ram;
    const pick = person.chance();
    this.controls.thrust = pick < 0.65 ? 127 : pick < 0.75 ? 0 : pick < 0.85 ? -127 : Math.round(person.chance() * 254 - 127);
    const way = person.chance();
    this.controls.turn = way < 0.3 ? -127 : way < 0.6 ? 127 : way < 0.8 ? 0 : Math.round(person.chance() * 254 - 127);
    this.controls.fire = person.chance() < 0.35 ? 1 : 0;
    this.controls.beam = person.chance() < 0.15 ? 1 : 0;
    if (person.chance() < dashes / changes) {
      this.presses += 1;
      person.client.press('dash');
    }
  }

  /** @param {Person} person */
  #aim({ scene }) {
    const { own } = scene;
    let best = Infinity;
    for (const { row, mine } of scene.of('ship')) {
      const way = Math.hypot(row.x - own.x, row.y - own.y);
      if (mine || way >= best) continue;
      best = way;
      const off = turnTo(own.heading, Math.atan2(row.y - own.y, row.x - own.x) / TURN);
      this.controls.turn = Math.max(-127, Math.min(127, Math.round(off * 127 * 60)));
      this.controls.thrust = 127;
    }
  }
}
