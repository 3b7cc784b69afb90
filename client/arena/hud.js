// What lies over the match: bars, scores, clock, feed, respawn, results, spectator's choice, net panel.
//
// It reads rows and events; it changes nothing but its own elements, texts a few times a second and bars when they move.

import { Bars } from './hud/bars.js';
import { Feed } from './hud/feed.js';
import { NetGraph } from './hud/netgraph.js';
import { Scores } from './hud/scores.js';
import { PHASE_PLAY, PHASE_READY, PHASE_RESULTS } from './reading.js';

const TEXT_EVERY_MS = 120;
/** Seconds before the end of a round from which the clock warns. */
const SOON_S = 20;

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * @param {string} id
 * @returns {HTMLTableSectionElement}
 */
function body(id) {
  return /** @type {HTMLTableSectionElement} */ (element(id).querySelector('tbody'));
}

export class Hud {
  /**
   * @param {{technique: (name: string, on: boolean) => void, ghost: (on: boolean) => void,
   *   trouble: (trouble: import('../net/lag.js').Trouble) => import('../net/lag.js').Trouble, watch: (step: number) => void}} actions
   */
  constructor(actions) {
    this.bars = new Bars(element('bars'));
    this.scores = new Scores(body('scores'), body('results'));
    this.feed = new Feed(element('feed'), element('notice'), element('live'));
    this.net = new NetGraph(element('net'), actions.technique, actions.ghost, actions.trouble);
    element('watch-previous').addEventListener('click', () => actions.watch(-1));
    element('watch-next').addEventListener('click', () => actions.watch(1));
  }

  #root = element('hud');
  #clock = element('clock');
  #clockLabel = element('clock-label');
  #clockTime = element('clock-time');
  #respawn = element('respawn');
  #respawnIn = element('respawn-in');
  #results = element('results');
  #winner = element('results-winner');
  #next = element('results-next');
  #watching = element('watching');
  #watchName = element('watch-name');
  #texted = 0;
  #fps = 60;
  /** The newest `match` row, or null. @type {Record<string, number> | null} */
  match = null;
  /** The render tick of the last frame. */
  tick = 0;

  /** @param {boolean} on */
  show(on) {
    this.#root.hidden = !on;
  }

  reset() {
    this.feed.clear();
    this.#results.hidden = true;
    this.#root.classList.remove('over');
    this.#respawn.hidden = true;
    this.match = null;
  }

  /**
   * @param {import('./scene.js').Scene} scene
   * @param {import('../predict/scene.js').Scene} from
   * @param {import('../net/client.js').Client} client
   * @param {import('./reading.js').Looks} looks
   * @param {string | null} watched the name of the ship that a spectator follows
   * @param {number} now milliseconds
   * @param {number} dt seconds
   */
  update(scene, from, client, looks, watched, now, dt) {
    this.tick = from.tick;
    if (dt > 0) this.#fps += (1 / dt - this.#fps) * 0.05;
    const own = client.latest('own')[0]?.row;
    this.bars.show(own !== undefined && scene.own !== null);
    if (own !== undefined && scene.own !== null) {
      const energy = (from.own?.energy ?? own.energy) / looks.energyMax;
      this.bars.update(
        own.shield / looks.shieldMax, own.hull / looks.hullMax, energy,
        (own.rapid_until - from.ownTick) / looks.tickRate, (own.might_until - from.ownTick) / looks.tickRate,
      );
    }
    this.feed.update(now);
    this.net.update(client, now, this.#fps);
    if (now - this.#texted < TEXT_EVERY_MS) return;
    this.#texted = now;
    this.match = client.latest('match')[0]?.row ?? null;
    this.scores.read(client.latest('score'), client);
    this.scores.showCorner(window.innerWidth < 700 || window.innerHeight < 480 ? 4 : 6);
    this.#round(from, looks, client);
    const back = own !== undefined && scene.own === null ? (own.respawn_at - from.ownTick) / looks.tickRate : 0;
    const shown = back > 0 && this.match?.phase === PHASE_PLAY;
    if (this.#respawn.hidden === shown) this.#respawn.hidden = !shown;
    if (shown) write(this.#respawnIn, back.toFixed(1));
    const spectating = client.seat === null;
    if (this.#watching.hidden === spectating) this.#watching.hidden = !spectating;
    if (spectating) write(this.#watchName, watched === null ? 'Whole arena' : `Watching ${watched}`);
  }

  /**
   * @param {import('../predict/scene.js').Scene} from
   * @param {import('./reading.js').Looks} looks
   * @param {import('../net/client.js').Client} client
   */
  #round(from, looks, client) {
    const { match } = this;
    if (match === null) return;
    const left = Math.max(0, (match.ends_at - from.tick) / looks.tickRate);
    const label = match.phase === PHASE_RESULTS ? 'Results' : match.phase === PHASE_READY ? 'Get ready' : `Round ${match.round}`;
    write(this.#clockLabel, label);
    const whole = Math.ceil(left);
    write(this.#clockTime, `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`);
    this.#clock.classList.toggle('soon', match.phase === PHASE_PLAY && left < SOON_S);
    const results = match.phase === PHASE_RESULTS;
    if (this.#results.hidden === results) {
      this.#results.hidden = !results;
      this.#root.classList.toggle('over', results);
    }
    if (!results) return;
    this.scores.showBoard(Math.max(3, Math.min(10, Math.floor((window.innerHeight - 190) / 27))));
    const winner = match.winner - 1;
    const name = winner < 0 ? '' : client.nameOf(winner)?.name || `Seat ${winner + 1}`;
    write(this.#winner, winner < 0 ? 'Nobody scored' : winner === client.seat ? 'You win!' : `${name} wins with ${match.best}`);
    write(this.#next, `Next round in ${whole} s`);
  }
}

/**
 * @param {HTMLElement} into
 * @param {string} text
 */
function write(into, text) {
  if (into.textContent !== text) into.textContent = text;
}
