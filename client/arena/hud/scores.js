// The scoreboard in the corner and the results board: both show the score rows, best first.

import { SELF, seatColor } from '../draw/palette.js';
import { Score } from '../scene.js';

export class Scores {
  /**
   * @param {HTMLTableSectionElement} corner
   * @param {HTMLTableSectionElement} board
   */
  constructor(corner, board) {
    this.#corner = corner;
    this.#board = board;
  }

  #corner;
  #board;
  #cornerWas = '';
  #boardWas = '';
  /** @type {Score[]} best first */
  list = [];

  /**
   * Reads the score rows; a few times a second is enough.
   * @param {import('../../predict/tracks.js').Entity[]} entities of kind score
   * @param {import('../../net/client.js').Client} client
   */
  read(entities, client) {
    while (this.list.length < entities.length) this.list.push(new Score());
    this.list.length = entities.length;
    entities.forEach(({ row }, at) => {
      const line = this.list[at];
      const who = client.nameOf(row.seat);
      line.seat = row.seat;
      line.name = who?.name || `Seat ${row.seat + 1}`;
      line.score = row.score;
      line.kills = row.kills;
      line.deaths = row.deaths;
      line.streak = row.streak;
      line.own = row.seat === client.seat;
      line.bot = who?.presence === 'bot';
      line.away = who?.presence === 'away';
    });
    this.list.sort((a, b) => b.score - a.score || b.kills - a.kills || a.deaths - b.deaths || a.seat - b.seat);
  }

  /**
   * The best, and yourself.
   * @param {number} lines how many there is room for
   * @returns {Score[]}
   */
  #best(lines) {
    const shown = this.list.slice(0, lines);
    const own = this.list.findIndex((line) => line.own);
    if (own >= lines) shown[lines - 1] = this.list[own];
    return shown;
  }

  /** @param {number} lines how many the corner has room for */
  showCorner(lines) {
    const shown = this.#best(lines);
    const is = shown.map((line) => this.#text(line)).join('\n');
    if (is === this.#cornerWas) return;
    this.#cornerWas = is;
    this.#corner.replaceChildren(...shown.map((line) => (
      row(line, [this.#place(line), line.name, `${line.score}`, `${line.kills}/${line.deaths}`])
    )));
  }

  /** @param {number} lines how many the board has room for */
  showBoard(lines) {
    const shown = this.#best(lines);
    const is = shown.map((line) => this.#text(line)).join('\n');
    if (is === this.#boardWas) return;
    this.#boardWas = is;
    this.#board.replaceChildren(...shown.map((line) => (
      row(line, [this.#place(line), line.name, `${line.score}`, `${line.kills}`, `${line.deaths}`])
    )));
  }

  /** @param {Score} line */
  #place(line) {
    return `${this.list.indexOf(line) + 1}`;
  }

  /**
   * All that a line shows: equal texts need no new line.
   * @param {Score} line
   */
  #text(line) {
    return `${this.#place(line)} ${line.seat} ${line.name} ${line.score} ${line.kills} ${line.deaths} ${line.own} ${line.bot} ${line.away}`;
  }
}

/**
 * @param {Score} line
 * @param {string[]} cells the second one is the name
 * @returns {HTMLTableRowElement}
 */
function row(line, cells) {
  const tr = document.createElement('tr');
  if (line.own) tr.className = 'own';
  cells.forEach((cell, at) => {
    const td = tr.insertCell();
    if (at !== 1) {
      td.textContent = cell;
      return;
    }
    td.append(nameTag(line.name, line.seat, line.own, line.bot, line.away));
  });
  return tr;
}

/**
 * A pilot's name in the seat's colour, with a mark for bots and those who are away.
 * @param {string} name
 * @param {number} seat
 * @param {boolean} own
 * @param {boolean} bot
 * @param {boolean} away
 * @returns {HTMLSpanElement}
 */
export function nameTag(name, seat, own, bot, away) {
  const tag = document.createElement('span');
  tag.className = bot ? 'pilot bot' : away ? 'pilot away' : 'pilot';
  const text = document.createElement('b');
  text.textContent = name;
  text.style.color = own ? SELF : seatColor(seat);
  tag.append(text);
  return tag;
}
