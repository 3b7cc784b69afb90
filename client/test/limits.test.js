// The toy server's limiter is the real one: the same numbers, the same answers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { LIMITS, Limiter } from './support/limiter.js';
import { play } from './support/play.js';

test('the limits are those that the server ships with', () => {
  const config = readFileSync(new URL('../../src/config.rs', import.meta.url), 'utf8');
  const defaults = config.slice(config.indexOf('impl Default for ServerConfig'));
  for (const [name, value] of Object.entries(LIMITS)) {
    const written = defaults.match(new RegExp(`${name}: ([\\d_ *]+),`))?.[1];
    assert.ok(written, `src/config.rs has no default for ${name}`);
    const real = written.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1);
    assert.equal(real, value, name);
  }
});

test('a burst is let through and no message more, and a steady sender at the rate is never refused', () => {
  const burst = new Limiter(0);
  let allowed = 0;
  while (burst.charge(10, 0)) allowed += 1;
  assert.equal(allowed, 480);
  const steady = new Limiter(0);
  for (let i = 1; i <= 10_000; i++) assert.ok(steady.charge(10, (i * 1000) / 120), `message ${i}`);
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
