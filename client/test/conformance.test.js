// The client core against `tickroom conformance`: takes about a minute, and a build of the server if there is none.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { tickroom } from '../../tests/support/built.mjs';

const client = fileURLToPath(new URL('conformance.js', import.meta.url));

test('the client core passes every step of the script', { timeout: 1_500_000 }, async (t) => {
  const runner = spawn(tickroom(), ['conformance', '--listen', '127.0.0.1:0', '--json']);
  t.after(() => runner.kill());
  const ended = new Promise((resolve) => runner.on('close', resolve));
  let report = '';
  runner.stdout.on('data', (text) => (report += text));
  /** @type {string} */
  const url = await new Promise((resolve) => {
    let said = '';
    runner.stderr.on('data', (text) => {
      said += text;
      if (said.includes('\n')) resolve(said.split('\n')[0].split(' ').at(-1) ?? '');
    });
  });
  const player = spawn(process.execPath, [client, url], { stdio: 'ignore' });
  t.after(() => player.kill());
  const code = await ended;
  const { steps } = JSON.parse(report);
  const wrong = steps.filter((/** @type {{verdict: string}} */ step) => step.verdict !== 'passed');
  assert.deepEqual(wrong, []);
  assert.equal(code, 0);
  assert.ok(steps.length >= 35, `${steps.length} steps`);
});
