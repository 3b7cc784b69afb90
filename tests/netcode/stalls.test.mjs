// A connection that stands still for half a second, every five seconds, up and down in turn: nothing is replayed slowly,
// nothing bursts, nothing counts twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { match, quantile, report, seeds } from './support/figures.mjs';
import { Ace } from './support/pilots.mjs';
import { SETTLE_SECONDS, Seen } from './support/seen.mjs';
import { BUMPED, HELD, STARVED, TOUCHED, X, Y } from './support/truth.mjs';

const SECONDS = 122;
const UNIT = 4096;
/** So soon after a stall who was guessed has glided to where it is: 80 u, at a speed that is not seen as a leap. */
const GLIDE_MS = 400;
/** And the one in a hundred who was guessed farther wrong than that. */
const GLIDE_FAR_MS = 450;
/** The band is that of the figure without stalls. */
const BAND_P95_U = 0.3;
const BAND_P99_U = 1;
/** Ticks by which the delay may exceed what is usual between stalls. */
const DELAY_TICKS = 1;

for (const seed of seeds()) {
  test(`S100: others are in the band again at once after a downlink stall, seed ${seed}`, async (t) => {
    /** @type {{ since: number, tick: number, delay: number, under: boolean, errors: number[] }[][]} frames after each stall */
    const stalls = [];
    /** @type {number[]} */
    const usual = [];
    let stalled = 0;
    await match('S100', seed, { people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
      const [person] = world.people;
      person.onFrame.push((_, scene) => {
        if (world.seconds < SETTLE_SECONDS) return;
        const seen = new Seen();
        seen.look(person, scene);
        const stall = person.down.stallAt(world.now - world.begin);
        const since = stall === null ? Infinity : world.now - world.begin - stall.end;
        const frame = { since: since / 1000, tick: scene.tick, delay: world.serverTick - scene.tick, under: seen.underruns > 0, errors: seen.errors };
        if (since < 0) stalled += 1;
        else if (since < 1e6) {
          if (stalls.length === 0 || since < (stalls.at(-1)?.at(-1)?.since ?? 0) * 1000) stalls.push([]);
          stalls.at(-1)?.push(frame);
        } else usual.push(frame.delay);
      });
      await world.run(SECONDS);
    });
    const normal = quantile(usual, 0.5);
    // The first frame from which on, for the rest of the second, no frame lacks a snapshot or is late; where ships are
    // shown from 400 ms on is judged below.
    const back = stalls.map((frames) => {
      const out = frames.findLastIndex(({ under, delay }) => under || delay > normal + DELAY_TICKS);
      return out + 1 < frames.length ? frames[out + 1].since : Infinity;
    });
    const from = (/** @type {number} */ ms) => stalls.flatMap((frames) => frames.filter(({ since }) => since >= ms).flatMap(({ errors }) => errors));
    const after = from(GLIDE_MS);
    const p99 = quantile(from(GLIDE_FAR_MS), 0.99);
    // Slow motion would be a displayed tick that runs slower than time while it catches up; a leap, one that runs faster.
    const pace = stalls.flatMap((frames) => frames.slice(1).map(({ tick, since }, i) => (
      (tick - frames[i].tick) / ((since - frames[i].since) * 0.06))));
    report(t, 'S100', seed, {
      stalls: stalls.length, 'frames in stalls': stalled, 'back in the band after ms, p50': quantile(back, 0.5), 'at most': Math.max(...back),
      'errors from 400 ms on p95 u': quantile(after, 0.95), 'from 450 ms p99 u': p99, poses: after.length,
      'displayed time against time, least': Math.min(...pace), 'most': Math.max(...pace), 'usual delay ticks': normal,
    });
    assert.ok(stalls.length >= 10 && stalled > 10 * 25, `only ${stalls.length} stalls, ${stalled} frames in them`);
    assert.ok(Math.max(...back) <= 50, `back in the band only after ${Math.max(...back)} ms`);
    assert.ok(quantile(after, 0.95) <= BAND_P95_U, `p95 is ${quantile(after, 0.95)} u after stalls`);
    assert.ok(p99 <= BAND_P99_U, `p99 is ${p99} u after stalls`);
    assert.ok(Math.min(...pace) >= 0.94, `displayed time ran at ${Math.min(...pace)} of time`);
    assert.ok(Math.max(...pace) <= 1.06, `displayed time ran at ${Math.max(...pace)} times time`);
  });

  test(`S100: an uplink stall ends neutral, without a burst, and no press counts twice, seed ${seed}`, async (t) => {
    let pressed = 0;
    let counted = 0;
    let wild = 0;
    let neutralLate = 0;
    let starvedTicks = 0;
    let fastest = 0;
    /** The newest tick for which the room had an input. */
    let newest = 0;
    /** @type {{ pressed: number, counted: number }[]} per stall */
    const stalls = [];
    await match('S100', seed, { people: [{ pilot: (person) => new Ace(person, { ram: 0, dashes: 0 }) }] }, async (world) => {
      const [person] = world.people;
      world.onTaken.push(({ tick, stamp }) => { newest = Math.max(newest, stamp, tick); });
      world.onTick.push((truth, tick) => {
        const now = truth.at(tick, person.seat);
        const was = truth.at(tick - 1, person.seat);
        if (!now || !was || now.id === 0 || was.id === 0) return;
        counted += now.dashes;
        if (stalls.length > 0) stalls[stalls.length - 1].counted += now.dashes;
        const way = Math.hypot(now.words[X] - was.words[X], now.words[Y] - was.words[Y]) / UNIT;
        fastest = Math.max(fastest, (now.marks & (TOUCHED | BUMPED)) === 0 ? way : 0);
        if (now.status === STARVED) {
          starvedTicks += 1;
          if (now.thrust !== 0 || now.turn !== 0 || now.fire !== 0 || now.beam !== 0 || now.dashes !== 0) wild += 1;
        } else if (now.status === HELD && tick - newest > 15) neutralLate += 1;
      });
      // Three presses in the middle of each uplink stall: they arrive together, and two are all that one tick may count.
      for (let start = 5; start < SECONDS; start += 10) {
        world.at(world.begin + start * 1e6 - 1e5, () => stalls.push({ pressed: 0, counted: 0 }));
        for (const at of [0.1, 0.2, 0.3]) {
          world.at(world.begin + (start + at) * 1e6, () => {
            if (!person.flies) return;
            person.client.press('dash');
            pressed += 1;
            stalls[stalls.length - 1].pressed += 1;
          });
        }
        // And one between the stalls, so that there is something to count twice.
        world.at(world.begin + (start + 3) * 1e6, () => {
          if (!person.flies) return;
          person.client.press('dash');
          pressed += 1;
          stalls[stalls.length - 1].pressed += 1;
        });
      }
      await world.run(SECONDS);
    });
    const burst = Math.max(...stalls.map((stall) => stall.counted));
    report(t, 'S100', seed, {
      stalls: stalls.length, 'ticks starved': starvedTicks, 'of them not neutral': wild, 'ticks held too long': neutralLate,
      'longest way in a tick u': fastest, presses: pressed, counted, 'most per stall': burst,
    });
    assert.ok(stalls.length >= 10 && starvedTicks > stalls.length * 5, `${stalls.length} stalls, ${starvedTicks} ticks starved`);
    assert.equal(wild, 0, 'a starved ship did something');
    assert.equal(neutralLate, 0, 'a ship held its controls past the starvation time');
    // 68266 / 4096 u a tick is the speed limit: what a burst of inputs in one tick would leap beyond.
    assert.ok(fastest <= 16.7, `a ship went ${fastest} u in one tick`);
    assert.ok(counted > 10 && counted <= pressed, `${pressed} presses counted as ${counted}`);
    for (const stall of stalls) assert.ok(stall.counted <= Math.min(3, stall.pressed), `${stall.pressed} presses counted as ${stall.counted}`);
  });
}
