// Sound that a browser has not, keeps back, takes away or gives up: the match goes on, and a gesture brings it back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Camera } from '../arena/draw/camera.js';
import { Shot } from '../arena/scene.js';
import { Sound } from '../arena/sound.js';

/** A browser's sound: `made` are the contexts, `allowed` whether resume() may succeed, `voices` what was ever begun. */
function browser() {
  const told = { made: /** @type {any[]} */ ([]), allowed: true, voices: 0, refuse: false };
  const param = () => ({ value: 0, setValueAtTime() {}, exponentialRampToValueAtTime() {} });
  const node = () => ({
    connect: (/** @type {any} */ to) => to, disconnect() {}, gain: param(), frequency: param(), pan: param(),
    start() { told.voices += 1; }, stop() {}, onended: null, buffer: null, type: '',
  });
  class AudioContext {
    constructor() {
      if (told.refuse) throw new Error('NotSupportedError');
      told.made.push(this);
    }

    state = told.allowed ? 'running' : 'suspended';
    currentTime = 0;
    sampleRate = 44_100;
    destination = {};
    createGain = node;
    createOscillator = node;
    createBufferSource = node;
    createBiquadFilter = node;
    createStereoPanner = node;
    createBuffer = (/** @type {number} */ _, /** @type {number} */ length) => ({ getChannelData: () => new Float32Array(length) });
    resume() {
      if (this.state === 'closed') return Promise.reject(new Error('InvalidStateError'));
      if (told.allowed) this.state = 'running';
      return told.allowed ? Promise.resolve() : Promise.reject(new Error('NotAllowedError'));
    }

    suspend() {
      this.state = 'suspended';
      return Promise.resolve();
    }
  }
  return { told, window: /** @type {any} */ ({ AudioContext }) };
}

/** Everything that makes a sound. @param {Sound} sound */
function noise(sound) {
  const camera = new Camera();
  camera.resize(100, 100);
  for (const kind of ['hit', 'kill', 'beam', 'dash', 'pickup', 'spawn', 'bump', 'round_end', 'round_start', 'later']) {
    sound.event(kind, { x: 0, y: 0, seat: 2, by: 1, shielded: 0, speed: 3 }, 1, camera);
  }
  sound.ownBeam();
  sound.ownDash();
  sound.bolt(new Shot(), camera);
}

test('a browser without sound plays the match, and says so', () => {
  for (const window of [{}, { AudioContext: undefined, webkitAudioContext: undefined }]) {
    const sound = new Sound(true, window);
    sound.wake();
    noise(sound);
    assert.equal(sound.state, 'none');
    assert.equal(sound.toggle(), false);
    assert.equal(sound.toggle(), true);
    noise(sound);
  }
});

test('one that refuses a context, or its start, is asked again at the next gesture', async () => {
  const { told, window } = browser();
  told.refuse = true;
  const sound = new Sound(true, window);
  sound.wake();
  noise(sound);
  assert.equal(sound.state, 'none');
  told.refuse = false;
  told.allowed = false;
  // The page was loaded with the sound on, and nobody touched it yet.
  sound.wake();
  noise(sound);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([sound.state, told.voices], ['suspended', 0], 'what was missed does not wait to be heard all at once');
  told.allowed = true;
  sound.wake();
  noise(sound);
  assert.equal(sound.state, 'running');
  assert.ok(told.voices > 5);
  assert.equal(told.made.length, 1);
});

test('what a phone call takes away comes back, also when the browser gave the context up', async () => {
  const { told, window } = browser();
  const sound = new Sound(true, window);
  sound.wake();
  for (const state of ['interrupted', 'suspended', 'closed']) {
    told.made[told.made.length - 1].state = state;
    const before = told.voices;
    noise(sound);
    assert.equal(told.voices, before, state);
    sound.wake();
    assert.equal(sound.state, 'running', state);
    noise(sound);
    assert.ok(told.voices > before, state);
  }
  assert.equal(told.made.length, 2);
  assert.deepEqual([sound.toggle(), sound.state], [false, 'off']);
  sound.wake();
  assert.equal(told.made[1].state, 'suspended', 'off stays off, whatever is touched');
});

test('the oldest Safari has another name for it and knows no sides', () => {
  const { told, window } = browser();
  const webkitAudioContext = class extends window.AudioContext {
    createStereoPanner = undefined;
  };
  const sound = new Sound(true, /** @type {any} */ ({ webkitAudioContext }));
  sound.wake();
  noise(sound);
  assert.ok(told.voices > 5);
});
