// Time stops and goes on: the server's process stands still, or the page does. A second later nobody can tell, and who comes
// back has sent nothing for the time that they missed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { match, percent, quantile, report, seeds, short } from './support/figures.mjs';
import { Ace } from './support/pilots.mjs';

/** From so long after a pause on everything must be as always. */
const SETTLE_SECONDS = 1;
const CALM_SECONDS = 4;
const SERVER_SECONDS = [0.2, 0.5, 1.5, 4, 0.3, 5.5];
const PAGE_SECONDS = [0.3, 1, 5, 20];

/**
 * What is measured while nothing stands still.
 * @param {import('./support/world.mjs').World} world
 */
function watch(world) {
  const [person] = world.people;
  const seen = { calm: false, onTime: 0, inputs: 0, waits: /** @type {number[]} */ ([]), known: 0, exact: 0, leads: /** @type {number[]} */ ([]), clock: /** @type {number[]} */ ([]), shown: /** @type {number[]} */ ([]) };
  world.onTaken.push(({ stamp, next, tick }) => {
    if (!seen.calm) return;
    seen.inputs += 1;
    if (stamp === tick) seen.onTime += 1;
    seen.waits.push(tick - next);
  });
  person.onReconcile.push((_, { known, exact }) => {
    if (!seen.calm || !known) return;
    seen.known += 1;
    if (exact) seen.exact += 1;
  });
  person.onFrame.push((_, scene) => {
    if (!seen.calm) return;
    seen.leads.push(scene.ownTick - world.serverTick);
    seen.shown.push(world.serverTick - scene.tick);
    seen.clock.push(Math.abs(person.localMs + person.client.stats().clockOffset - world.now / 1000));
  });
  return seen;
}

/**
 * Turns now and then; in how many frames each turn showed.
 * @param {import('./support/world.mjs').World} world
 * @param {number} seconds
 */
async function turns(world, seconds) {
  const [person] = world.people;
  /** @type {number[]} */
  const frames = [];
  let heading = 0;
  let still = 0;
  let pressed = -1;
  const look = (/** @type {any} */ _, /** @type {any} */ { own }) => {
    if (own === null) return;
    still = own.heading === heading ? still + 1 : 0;
    if (pressed >= 0 && own.heading !== heading) {
      frames.push(person.frames - pressed);
      pressed = -1;
    }
    heading = own.heading;
  };
  person.onFrame.push(look);
  for (const end = world.seconds + seconds; world.seconds < end;) {
    person.client.setControls({ turn: 0 });
    await world.run(0.4);
    if (person.flies && still > 3) pressed = person.frames;
    person.client.setControls({ turn: 127 });
    await world.run(0.2);
  }
  person.client.setControls({ turn: 0 });
  person.onFrame.splice(person.onFrame.indexOf(look), 1);
  return frames;
}

for (const profile of ['L0', 'L100', 'L250']) {
  for (const seed of seeds()) {
    test(`${profile}: the server stands still for 0.2 to 5.5 s, and a second later the own ship answers as always, seed ${seed}`, async (t) => {
      await match(profile, seed, { bots: 7, people: [{}] }, async (world) => {
        const seen = watch(world);
        /** @type {number[]} */
        const frames = [];
        await world.run(3);
        for (const seconds of SERVER_SECONDS) {
          const { skipped } = world;
          seen.calm = false;
          world.stop(seconds);
          await world.run(seconds + SETTLE_SECONDS);
          assert.ok(world.skipped > skipped, `a stop of ${seconds} s skipped nothing`);
          seen.calm = true;
          frames.push(...await turns(world, CALM_SECONDS));
        }
        report(t, profile, seed, {
          turns: frames.length, 'frames until one shows, at most': Math.max(...frames), 'inputs on their tick': percent(seen.onTime / seen.inputs),
          'wait ticks at most': Math.max(...seen.waits), 'exact': percent(seen.exact / seen.known), 'lead p95 ticks': quantile(seen.leads, 0.95),
          'clock off by ms, p95': short(quantile(seen.clock, 0.95)), 'others behind ticks, p95': quantile(seen.shown, 0.95),
        });
        assert.ok(frames.length > 20, `only ${frames.length} turns`);
        assert.ok(Math.max(...frames) <= 2, `a turn showed after ${Math.max(...frames)} frames`);
        assert.ok(seen.onTime / seen.inputs >= 0.97, `only ${percent(seen.onTime / seen.inputs)} on their tick`);
        assert.ok(quantile(seen.waits, 0.99) <= 6, `inputs wait ${quantile(seen.waits, 0.99)} ticks`);
        assert.ok(seen.exact / seen.known >= 0.95, `only ${percent(seen.exact / seen.known)} as predicted`);
        assert.ok(quantile(seen.clock, 0.95) <= 5, `the clock is off by ${quantile(seen.clock, 0.95)} ms`);
      });
    });

    test(`${profile}: the page stands still for 0.3 to 20 s and sends one input for it, seed ${seed}`, async (t) => {
      const rtt = { L0: 2, L100: 120, L250: 290 }[profile] ?? 0;
      await match(profile, seed, { bots: 7, people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
        const [person] = world.people;
        const seen = watch(world);
        let sent = 0;
        person.onInput.push(() => { sent += 1; });
        /** @type {number[]} */
        const back = [];
        await world.run(3);
        for (const seconds of PAGE_SECONDS) {
          seen.calm = false;
          // Between two frames: the one that comes next is the first one after the gap.
          sent = 0;
          person.freeze(seconds);
          await world.run(seconds - 0.001);
          const missed = sent;
          const { frames } = person;
          while (person.frames === frames) await world.run(0.001);
          assert.ok(missed === 0 && sent <= 1, `${missed} inputs in a gap of ${seconds} s, ${sent} at its end`);
          const begin = world.seconds;
          let inStep = Infinity;
          const look = (/** @type {any} */ _, /** @type {any} */ scene) => {
            const { pace } = person.client.session ?? { pace: { lead: Infinity } };
            if (Math.abs(scene.ownTick - world.serverTick - pace.lead) < 2) inStep = Math.min(inStep, world.seconds - begin);
          };
          person.onFrame.push(look);
          await world.run(SETTLE_SECONDS);
          person.onFrame.splice(person.onFrame.indexOf(look), 1);
          back.push(inStep * 1000);
          seen.calm = true;
          await world.run(CALM_SECONDS);
        }
        report(t, profile, seed, {
          gaps: back.length, 'in step after ms, at most': Math.max(...back), 'inputs on their tick': percent(seen.onTime / seen.inputs),
          'exact': percent(seen.exact / seen.known), 'clock off by ms, p95': short(quantile(seen.clock, 0.95)), 'others behind ticks, p95': quantile(seen.shown, 0.95),
        });
        assert.ok(Math.max(...back) <= rtt + 100, `in step after ${Math.max(...back)} ms`);
        assert.ok(seen.onTime / seen.inputs >= 0.95, `only ${percent(seen.onTime / seen.inputs)} on their tick`);
        assert.ok(quantile(seen.clock, 0.95) <= 5, `the clock is off by ${quantile(seen.clock, 0.95)} ms`);
      });
    });
  }
}
