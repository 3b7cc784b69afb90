// JavaScript moves ships bit for bit as Rust does, in recorded play: every ship of every tick, pushes included.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { loadOwn, newShip, pairReach, stepShip, touchShips, words } from '../../client/arena/movement.js';
import { match, percent, report, seeds } from './support/figures.mjs';
import { root } from './support/pipe.mjs';
import { Ace } from './support/pilots.mjs';
import { ALTERED, BUMPED, TOUCHED } from './support/truth.mjs';

const SHIP_TICKS = 1_000_000;
const SECONDS_MAX = 900;
const tuning = JSON.parse(readFileSync(join(root, 'assets/arena/tuning.json'), 'utf8'));
const reach = pairReach(tuning);

/** The tick of movement that pipe/watched.rs calls a shadow, in JavaScript. */
class Shadow {
  constructor() {
    this.ships = /** @type {{ seat: number, id: number, ship: ReturnType<typeof newShip>, x: number, y: number }[]} */ ([]);
    this.count = 0;
    this.controls = { thrust: 0, turn: 0, fire: false, beam: false, dash: false };
  }

  /** @param {import('./support/truth.mjs').Truth} truth @param {number} tick */
  step(truth, tick) {
    const { phase, halfWidth, halfHeight } = truth.head(tick);
    const around = { tick, armed: phase === 0, halfWidth, halfHeight, rocks: truth.rocks };
    this.count = 0;
    for (let seat = 0; seat < truth.seats; seat++) {
      const before = truth.at(tick - 1, seat);
      if (!before || before.id === 0 || !truth.at(tick, seat)) continue;
      const entry = (this.ships[this.count++] ??= { seat: 0, id: 0, ship: newShip(), x: 0, y: 0 });
      entry.seat = seat;
      entry.id = before.id;
      loadOwn(entry.ship, before.words);
    }
    const ships = this.ships.slice(0, this.count).sort((a, b) => a.id - b.id);
    for (const entry of ships) {
      const { thrust, turn, fire, beam, dashes } = /** @type {import('./support/truth.mjs').Seat} */ (truth.at(tick, entry.seat));
      Object.assign(this.controls, { thrust, turn, fire: fire !== 0, beam: beam !== 0, dash: dashes !== 0 });
      stepShip(entry.ship, this.controls, around, tuning);
      entry.x = entry.ship.x;
      entry.y = entry.ship.y;
    }
    for (let first = 0; first < ships.length; first++) {
      for (let second = first + 1; second < ships.length; second++) {
        const [a, b] = [ships[first], ships[second]];
        if (Math.abs(a.x - b.x) < reach && Math.abs(a.y - b.y) < reach) touchShips(a.ship, b.ship, around, tuning);
      }
    }
    let digest = 0x811c9dc5;
    for (const { ship } of ships) for (const word of words(ship)) digest = Math.imul(digest ^ word, 0x01000193);
    return digest >>> 0;
  }
}

for (const seed of seeds()) {
  test(`equal digests over a million ship-ticks of recorded play, seed ${seed}`, async (t) => {
    const shadow = new Shadow();
    let shipTicks = 0;
    let ticks = 0;
    const met = { touched: 0, bumped: 0, altered: 0 };
    /** One digest over all, each side its own. */
    let [ours, theirs] = [0x811c9dc5, 0x811c9dc5];
    /** @type {number | null} */
    let differs = null;
    await match('L100', seed, { people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
      world.onTick.push((truth, tick) => {
        if (tick < 2 || shipTicks >= SHIP_TICKS) return;
        const digest = shadow.step(truth, tick);
        ticks += 1;
        shipTicks += shadow.count;
        ours = Math.imul(ours ^ digest, 0x01000193);
        theirs = Math.imul(theirs ^ truth.head(tick).digest, 0x01000193);
        if (ours !== theirs) differs ??= tick;
        for (let i = 0; i < shadow.count; i++) {
          const marks = truth.at(tick, shadow.ships[i].seat)?.marks ?? 0;
          if (marks & TOUCHED) met.touched += 1;
          if (marks & BUMPED) met.bumped += 1;
          if (marks & ALTERED) met.altered += 1;
        }
      });
      while (shipTicks < SHIP_TICKS && world.seconds < SECONDS_MAX) await world.run(10);
    });
    report(t, 'any', seed, {
      'ship-ticks': shipTicks, ticks, 'digest of JavaScript': (ours >>> 0).toString(16), 'of Rust': (theirs >>> 0).toString(16),
      'in contact with a ship': met.touched, 'with a rock or wall': met.bumped,
      'changed by more than movement': percent(met.altered / shipTicks),
    });
    assert.ok(shipTicks >= SHIP_TICKS, `only ${shipTicks} ship-ticks`);
    assert.equal(differs, null, `they differ from tick ${differs} on`);
    assert.equal(ours, theirs);
    assert.ok(met.touched > 100 && met.bumped > 100, 'hardly anything was touched');
    // What the digests are of is what the game really did, hits and pickups apart.
    assert.ok(met.altered / shipTicks < 0.1, `${percent(met.altered / shipTicks)} of the play was something else`);
  });
}
