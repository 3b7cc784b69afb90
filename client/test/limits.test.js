// What both sides must agree on: the toy server's limiter is the real one, and the client's ticks are the server's.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { AHEAD_MS, STARVED_MS, ticksOf } from '../predict/index.js';
import { LIMITS, Limiter } from './support/limiter.js';
import { play } from './support/play.js';

test('the limits are those that the server ships with', () => {
  const protocol = readFileSync(new URL('../../src/protocol/PROTOCOL.md', import.meta.url), 'utf8');
  const row = (/** @type {string} */ name) => protocol.split('\n').find((line) => line.startsWith(`| \`server.${name}\` |`)) ?? '';
  for (const name of /** @type {const} */ (['messages_per_second', 'bytes_per_second'])) {
    assert.equal(Number(row(name).match(/(\d+) at 60 Hz/)?.[1]), LIMITS[name], row(name));
  }
  assert.equal(Number(row('burst_ms').split('|')[2]), LIMITS.burst_ms);
});

test('what means time is the same number of ticks here and on the server', () => {
  const timing = readFileSync(new URL('../../src/sim/timing.rs', import.meta.url), 'utf8');
  for (const [name, ms] of Object.entries({ STARVED_MS, AHEAD_MS })) {
    assert.equal(Number(timing.match(new RegExp(`pub const ${name}: u32 = (\\d+);`))?.[1]), ms, name);
  }
  assert.deepEqual([5, 60, 128, 240].map((rate) => ticksOf(STARVED_MS, rate)), [2, 15, 32, 60]);
  assert.deepEqual([5, 60, 128, 240].map((rate) => ticksOf(AHEAD_MS, rate)), [3, 30, 64, 120]);
});

test('a burst is let through and no message more, and a steady sender at the rate is never refused', () => {
  const burst = new Limiter(0);
  let allowed = 0;
  while (burst.charge(10, 0)) allowed += 1;
  assert.equal(allowed, 480);
  const steady = new Limiter(0);
  for (let i = 1; i <= 10_000; i++) assert.ok(steady.charge(10, (i * 1000) / 120), `message ${i}`);
  const back = new Limiter(0);
  let piled = 0;
  while (back.charge(10, 10_000, 9_990)) piled += 1;
  assert.equal(piled, 480 + 1200, 'what piled up while the server was away is no flood');
  const long = new Limiter(0);
  let bytes = 0;
  while (long.charge(1000, 0)) bytes += 1008;
  assert.equal(bytes, 65 * 1008);
});

test('who sends what the limit forbids is closed with 1008 by the toy too', () => {
  const game = play({ timers: true });
  game.client.connect();
  game.run(2000);
  for (let i = 0; i < 500; i++) game.client.connection.send({ type: 'resync' });
  game.run(2100);
  assert.deepEqual(game.log.closing.map(({ name }) => name), ['too_fast']);
  assert.equal(game.client.phase, 'waiting');
});
