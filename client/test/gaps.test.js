// Time stops and goes on: the page's frames, its timers, all of it, the server's process. Nobody replays what was missed.

import assert from 'node:assert/strict';
import test from 'node:test';

import { L0, L100, L250, play } from './support/play.js';

/** @typedef {ReturnType<typeof play>} Game */
/** What an input may come later than by the round trip, and the state be exact again. */
const IN_STEP_MS = 100;

/**
 * How a page stops. `frames`: nothing is drawn, timers and messages go on (another workspace); `hidden`: the same, and the
 * page knows; `frozen`: nothing of it runs (a phone in a pocket, window.prompt); `pocket`: frozen, and the page knows.
 */
const WAYS = /** @type {const} */ (['frames', 'hidden', 'frozen', 'pocket']);

/**
 * Plays, stops for `ms`, goes on; says what was sent for the gap and when everything was right again.
 * @param {{ way: typeof WAYS[number], ms: number, frameFirst: boolean, link?: import('./support/play.js').Profile, drift?: number, clockStops?: boolean }} setting
 */
function gap({ way, ms, frameFirst, link = L100, drift = 0, clockStops = false }) {
  const game = play({ up: link, timers: true, drift });
  const { client, server, world } = game;
  client.connect();
  client.setControls({ thrust: 10, turn: 5 });
  game.run(4000);
  client.press('dash');
  game.run(4500);
  assert.equal(server.ship.dashes, 1);
  const inputs = client.session?.inputs.lastSeq ?? 0;
  if (way === 'hidden' || way === 'pocket') client.setHidden(true);
  if (way === 'frozen' || way === 'pocket') {
    world.run(world.now + 30);
    game.freeze();
  }
  const until = world.now + ms;
  world.run(Math.min(until, world.now + 2000));
  if (ms > 1000) assert.deepEqual(server.queue.levels.slice(0, 2), [0, 0], 'neutral in the gap');
  // Nobody steers for what is left of it.
  if (until - world.now > 700_000) game.leap(Math.floor((until - world.now) / 1000) * 1000, { clockStops });
  world.run(until);
  const meanwhile = (client.session?.inputs.lastSeq ?? 0) - inputs;
  if (way === 'frozen' || way === 'pocket') game.thaw();
  if (frameFirst) client.frame(game.clock());
  if (way === 'hidden' || way === 'pocket') client.setHidden(false);
  if (!frameFirst) client.frame(game.clock());
  const atReturn = (client.session?.inputs.lastSeq ?? 0) - inputs - meanwhile;
  const back = world.now;
  const from = game.log.reconcile.length;
  /** @type {number | null} */
  let inStep = null;
  let known = 0;
  game.run(back + 3000, {
    after: (scene, now) => {
      const last = game.log.reconcile.slice(from).at(-1);
      const { session } = client;
      const near = session !== null && Math.abs(scene.ownTick - game.trueTick() - session.pace.lead) < 2;
      const others = game.trueTick() - scene.tick < 14;
      if (last?.exact && near && others && inStep === null) {
        inStep = now;
        known = game.log.reconcile.length;
      }
    },
  });
  const then = game.log.reconcile.slice(known);
  const exact = then.filter((r) => r.exact).length / then.length;
  return { game, meanwhile, atReturn, exact, after: inStep === null ? Infinity : inStep - back };
}

/** @param {ReturnType<typeof gap>} result @param {string} name @param {number} rtt @param {boolean} hides */
function judge({ game, meanwhile, atReturn, exact, after }, name, rtt, hides) {
  const { client, server } = game;
  assert.deepEqual(game.log.closing, [], `${name}: closed`);
  assert.equal(client.phase, 'playing', name);
  assert.equal(client.stats().reconnects, 0, name);
  // A page that knows that it is hidden says so: neutral, once.
  assert.equal(meanwhile, hides ? 1 : 0, `${name}: ${meanwhile} inputs in the gap`);
  assert.ok(atReturn <= 1, `${name}: ${atReturn} inputs for the gap`);
  assert.ok(after <= rtt + IN_STEP_MS, `${name}: in step after ${after} ms`);
  // An input that jitter makes late corrects once.
  assert.ok(exact > 0.9, `${name}: only ${exact} of the snapshots that followed were as predicted`);
  assert.deepEqual(server.queue.levels.slice(0, 2), [10, 5], `${name}: the keys that are still down count again`);
  assert.equal(server.ship.dashes, 1, `${name}: a press was repeated`);
  const { session } = client;
  assert.ok(session);
  assert.ok(session.events.length < 10 && session.inputs.pending < 20, `${name}: ${session.events.length} events, ${session.inputs.pending} inputs`);
  assert.ok(client.stats().replayed < 20, `${name}: ${client.stats().replayed} ticks replayed`);
  assert.equal(session.view.synced, true, name);
}

const LENGTHS = /** @type {[string, number][]} */ ([['1 s', 1000], ['48 s', 48_000], ['60 s', 60_000], ['10 min', 600_000], ['24 h', 86_400_000]]);
for (const [long, ms] of LENGTHS) {
  for (const way of WAYS) {
    test(`${long}, ${way}: at most one input for the gap, no close, and in step within the round trip + 100 ms`, () => {
      for (const frameFirst of [true, false]) {
        for (const [link, rtt] of /** @type {[import('./support/play.js').Profile, number][]} */ ([[L100, 120], [L250, 290]])) {
          const result = gap({ way, ms, frameFirst, link, drift: ms > 1e6 ? 3e-5 : 0 });
          judge(result, `${frameFirst ? 'frame first' : 'shown first'}, ${rtt} ms`, rtt, way === 'hidden' || way === 'pocket');
        }
      }
    });
  }
}
