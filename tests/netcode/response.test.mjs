// A key shows in the very next frame, whatever the way to the server takes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { match, report, seeds } from './support/figures.mjs';

const PRESSES = 60;
/** A key is held, then everything rests until the heading is still. */
const HELD_SECONDS = 0.3;
const REST_SECONDS = 0.7;

/**
 * How many frames after a press of the turn key the own ship looks changed, press by press.
 * @param {string} profile
 * @param {number} hz
 * @param {number} seed
 */
async function framesToChange(profile, hz, seed) {
  return match(profile, seed, { people: [{ hz }] }, async (world) => {
    const [person] = world.people;
    /** @type {number[]} */
    const frames = [];
    let heading = 0;
    let still = 0;
    /** @type {null | { frame: number, heading: number }} */
    let pressed = null;
    person.onFrame.push((_, scene) => {
      if (scene.own === null) {
        pressed = null;
        still = 0;
        return;
      }
      still = scene.own.heading === heading ? still + 1 : 0;
      heading = scene.own.heading;
      if (pressed !== null && heading !== pressed.heading) {
        frames.push(person.frames - pressed.frame);
        pressed = null;
      }
    });
    await world.run(3);
    for (let tries = 0; frames.length < PRESSES && tries < 3 * PRESSES; tries++) {
      // Anywhere between two frames.
      await world.run(REST_SECONDS + person.chance() / hz);
      if (still > hz / 10) pressed = { frame: person.frames, heading };
      person.client.setControls({ turn: person.chance() < 0.5 ? 127 : -127 });
      await world.run(HELD_SECONDS);
      person.client.setControls({ turn: 0 });
    }
    return frames;
  });
}

for (const seed of seeds()) {
  for (const hz of [60, 144]) {
    test(`${hz} Hz: a press shows in the next frame, at L250 as at L0, seed ${seed}`, async (t) => {
      const near = await framesToChange('L0', hz, seed);
      const far = await framesToChange('L250', hz, seed);
      for (const [profile, frames] of /** @type {[string, number[]][]} */ ([['L0', near], ['L250', far]])) {
        report(t, profile, seed, { presses: frames.length, 'frames at most': Math.max(...frames), 'at least': Math.min(...frames) });
        assert.ok(frames.length >= PRESSES, `only ${frames.length} presses`);
        assert.equal(Math.max(...frames), 1, `a press showed after ${Math.max(...frames)} frames`);
      }
      assert.deepEqual(near, far, 'distance changes the answer');
    });
  }
}
