// The list of open matches, asked for while the join screen is open.

const EVERY_MS = 4000;

/** @typedef {import('../screens.js').Wish} Wish */

export class RoomList {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} note
   * @param {(wish: Wish) => void} join
   * @param {() => Promise<any[]>} ask what GET /api/rooms answers; rejects with a sentence if it does not
   */
  constructor(list, note, join, ask) {
    this.#list = list;
    this.#note = note;
    this.#join = join;
    this.#fetch = ask;
  }

  #list;
  #note;
  #join;
  #fetch;
  #was = '';
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  start() {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#ask(), EVERY_MS);
    void this.#ask();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #ask() {
    if (document.visibilityState === 'hidden') return;
    try {
      this.#show(await this.#fetch());
    } catch (error) {
      this.#was = '';
      this.#list.replaceChildren();
      this.#note.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  /** @param {any[]} rooms */
  #show(rooms) {
    this.#note.textContent = rooms.length === 0 ? 'None yet. Press Play and you open one.' : '';
    const is = JSON.stringify(rooms.map((room) => [room.code, room.people, room.bots, room.seats_max, room.spectators]));
    if (is === this.#was) return;
    this.#was = is;
    const active = /** @type {HTMLElement | null} */ (document.activeElement);
    const line = active?.closest('li') ?? null;
    const at = line === null ? -1 : [...this.#list.children].indexOf(line);
    const of = active?.getAttribute('data-of') ?? '';
    this.#list.replaceChildren(...rooms.map((room) => this.#line(room)));
    if (at >= 0) this.#focus(of, at);
  }

  /**
   * The focus stays on its button; if that went, on the other one of the same match, else on the match in its place.
   * @param {string} of what the button was for
   * @param {number} at the line that it was in
   */
  #focus(of, at) {
    const [label, code] = of.split(' ');
    const lines = [...this.#list.children];
    const line = lines.find((one) => one.querySelector('b')?.textContent === code) ?? lines[Math.min(at, lines.length - 1)];
    const buttons = [.../** @type {NodeListOf<HTMLElement>} */ (line?.querySelectorAll('button:enabled') ?? [])];
    (buttons.find((button) => button.textContent === label) ?? buttons[0])?.focus();
  }

  /** @param {any} room */
  #line(room) {
    const line = document.createElement('li');
    const code = document.createElement('b');
    code.textContent = room.code;
    const text = document.createElement('span');
    const people = room.people === 1 ? '1 player' : `${room.people} players`;
    text.textContent = room.bots > 0 ? `${people}, ${room.bots} bots` : people;
    if (room.spectators > 0) text.textContent += `, ${room.spectators} watching`;
    const full = room.people >= room.seats_max;
    line.append(
      code, text,
      this.#button(full ? 'Full' : 'Join', room.code, { kind: 'code', code: room.code }, full),
      this.#button('Watch', room.code, { kind: 'spectate', code: room.code }, false),
    );
    return line;
  }

  /**
   * @param {string} label
   * @param {string} code
   * @param {Wish} wish
   * @param {boolean} disabled
   */
  #button(label, code, wish, disabled) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.disabled = disabled;
    button.setAttribute('aria-label', `${label} match ${code}`);
    button.setAttribute('data-of', `${label} ${code}`);
    button.addEventListener('click', () => this.#join(wish));
    return button;
  }
}
