// The page's client core against the script that judges strangers' clients. No browser: Node plays the page, so that it
// may close with the code that the protocol asks for, which a page may not.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from './harness.js';

test('the client core conforms, without a warning', { timeout: 240_000 }, async () => {
  const judge = spawn(join(root, 'target/debug/tickroom'), ['conformance', '--listen', '127.0.0.1:0', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  after(() => judge.kill('SIGKILL'));
  let report = '';
  judge.stdout.on('data', (text) => { report += text; });
  let client = null;
  for await (const line of createInterface({ input: judge.stderr })) {
    const url = line.match(/ws:\/\/\S+/)?.[0];
    if (!url || client) continue;
    client = spawn(process.execPath, [join(root, 'client/test/conformance.js'), url], { stdio: 'ignore' });
    after(() => client.kill('SIGKILL'));
  }
  const { steps } = JSON.parse(report);
  const wrong = steps.filter((step) => step.verdict !== 'passed');
  assert.ok(steps.length >= 35, `${steps.length} steps`);
  assert.deepEqual(wrong, []);
});
