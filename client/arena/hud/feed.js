// The kill feed, and the line in the middle that says what just happened to you.

import { nameTag } from './scores.js';

const LINES = 5;
const SHOWN_MS = 6000;
const FADE_MS = 700;
const NOTICE_MS = 2200;

export class Feed {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} notice
   * @param {HTMLElement} live read aloud by screen readers
   */
  constructor(list, notice, live) {
    this.#list = list;
    this.#notice = notice;
    this.#live = live;
  }

  #list;
  #notice;
  #live;
  #noticeUntil = 0;
  /** @type {{line: HTMLLIElement, until: number}[]} oldest first */
  #lines = [];

  clear() {
    this.#list.replaceChildren();
    this.#lines = [];
    this.#noticeUntil = 0;
    this.#notice.classList.remove('shown');
  }

  /**
   * @param {import('../../net/client.js').Client} client
   * @param {number} seat
   * @returns {HTMLSpanElement}
   */
  #name(client, seat) {
    return nameTag(client.lastNameOf(seat)?.name || `Seat ${seat + 1}`, seat, seat === client.seat, false, false);
  }

  /**
   * @param {import('../../net/client.js').Client} client
   * @param {Record<string, number>} kill fields of the event
   * @param {number} now milliseconds
   */
  kill(client, kill, now) {
    const line = document.createElement('li');
    const how = document.createElement('i');
    how.textContent = kill.weapon === 1 ? '═▶' : '•▸';
    how.title = kill.weapon === 1 ? 'beam' : 'bolt';
    line.append(this.#name(client, kill.by), how, this.#name(client, kill.seat));
    this.#list.append(line);
    this.#lines.push({ line, until: now + SHOWN_MS });
    while (this.#lines.length > LINES) this.#lines.shift()?.line.remove();
    const other = (/** @type {number} */ seat) => client.lastNameOf(seat)?.name || `Seat ${seat + 1}`;
    if (kill.seat === client.seat) this.say(kill.by === client.seat ? 'You are out' : `${other(kill.by)} got you`, now);
    else if (kill.by === client.seat) this.say(kill.streak >= 3 ? `${other(kill.seat)} down, ${kill.streak} in a row` : `${other(kill.seat)} down`, now);
  }

  /**
   * @param {string} text
   * @param {number} now milliseconds
   */
  say(text, now) {
    this.#notice.textContent = text;
    this.#notice.classList.add('shown');
    this.#live.textContent = text;
    this.#noticeUntil = now + NOTICE_MS;
  }

  /** @param {number} now milliseconds */
  update(now) {
    if (this.#noticeUntil !== 0 && now > this.#noticeUntil) {
      this.#noticeUntil = 0;
      this.#notice.classList.remove('shown');
    }
    const oldest = this.#lines[0];
    if (oldest === undefined || now < oldest.until) return;
    oldest.line.classList.add('old');
    if (now > oldest.until + FADE_MS) this.#lines.shift()?.line.remove();
  }
}
