// README.md promises commands. This runs every one of them, as written, in a clean clone of HEAD, with no setting but
// the port to serve on; and fails on a command that it does not know how to judge.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const clone = join(root, 'target/readme');
const minutes = 60_000;

/** Every process that a command started, each the leader of its own group: cargo's children end with it. */
const started = [];
after(() => {
  for (const child of started) signal(child, 'SIGKILL');
});

function signal(child, name) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, name);
  } catch { /* it has ended meanwhile */ }
}

/** The commands of all blocks marked `sh`, in order: comments left out, continued lines joined. */
function commands(markdown) {
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((block) => block[1]);
  return blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').replace(/\s+/g, ' ').trim())
    .filter((line) => line && !line.startsWith('#'));
}

/** Starts a command line; `output` grows as it speaks. */
function start(line) {
  const child = spawn('bash', ['-c', line], {
    cwd: clone,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // Compiled dependencies are shared with the repository's own build; the clone's own code is built from scratch.
      CARGO_TARGET_DIR: join(root, 'target'),
      CARGO_TERM_COLOR: 'never',
      TICKROOM_LISTEN: '127.0.0.1:0',
    },
  });
  started.push(child);
  const run = { child, line, output: '', closed: once(child, 'close') };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => { run.output = (run.output + text).slice(-50_000); });
  }
  return run;
}

/** Waits for a line of output, or fails with all that was said. */
async function says(run, pattern, ms) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
    const found = run.output.match(pattern);
    if (found) return found;
    assert.equal(run.child.exitCode, null, `${run.line} ended early:\n${run.output}`);
  }
  assert.fail(`${run.line} did not say ${pattern} within ${ms} ms:\n${run.output}`);
}

/** Waits for the end and gives the exit code. */
async function ends(run, ms) {
  if (run.child.exitCode === null && run.child.signalCode === null) {
    const late = sleep(ms, 'late', { ref: false });
    if (await Promise.race([run.closed, late]) === 'late') {
      assert.fail(`${run.line} did not end within ${ms} ms:\n${run.output}`);
    }
  }
  return run.child.exitCode;
}

/** As Ctrl-C does in a terminal. */
async function interrupt(run) {
  signal(run.child, 'SIGINT');
  return ends(run, 15_000);
}

/** How each command is judged; the first pattern that fits. */
const judges = [
  // This very run is part of it.
  [/^tests\/all(?: |$)/, (line) => accessSync(join(clone, line.split(' ')[0]), constants.X_OK)],
  // Runs until it is stopped, and says where it listens.
  [/^cargo run --release -- lag /, async (line) => {
    const run = start(line);
    const [url] = await says(run, /http:\/\/\S+/, 10 * minutes);
    assert.match(await (await fetch(url)).text(), /<canvas/, `${line}: the page does not come through`);
    assert.equal(await interrupt(run), 0, run.output);
  }],
  // Waits for a client: the one in Python, again and again as a script would start it, until the verdict is out.
  [/^cargo run --release -- conformance /, async (line) => {
    const run = start(line);
    const [url] = await says(run, /ws:\/\/\S+/, 10 * minutes);
    for (const end = Date.now() + 5 * minutes; run.child.exitCode === null && Date.now() < end;) {
      const client = start(`python3 client/python/tickroom_client.py ${url}`);
      await Promise.race([client.closed, run.closed]);
      signal(client.child, 'SIGKILL');
      // As a person starts it anew: after the script has seen that the client stays away by itself.
      await sleep(2500);
    }
    assert.equal(await ends(run, 10_000), 0, run.output);
    await run.closed; // with all that it said
    assert.match(run.output, /\b[3-9]\d passed, 0 failed, 0 warned, 0 skipped/);
  }],
  // Runs until it is stopped, and must still be running after a while.
  [/^\S*python3? client\/python\/tickroom_client\.py/, async (line) => {
    const run = start(line);
    await says(run, /Python/, 30_000); // its own line of the scoreboard
    await sleep(1000);
    assert.equal(run.child.exitCode, null, `${line} ended:\n${run.output}`);
    await interrupt(run);
  }],
  // Everything else ends by itself, well.
  [/^/, async (line) => {
    const run = start(line);
    assert.equal(await ends(run, 10 * minutes), 0, `${line}:\n${run.output}`);
  }],
];

const all = commands(readFileSync(join(root, 'README.md'), 'utf8'));

test('the first command of README.md serves the game', { timeout: 38 * minutes }, async (t) => {
  rmSync(clone, { recursive: true, force: true });
  execFileSync('git', ['clone', '--quiet', root, clone]);
  assert.equal(all[0], 'cargo run --release');
  const begin = Date.now();
  const server = start(all[0]);
  const [url] = await says(server, /http:\/\/\S+/, 25 * minutes);
  const page = await fetch(url);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<canvas/);
  assert.equal((await fetch(`${url}/api/rooms`)).status, 200);
  t.diagnostic(`from command to page: ${((Date.now() - begin) / 1000).toFixed(1)} s`);

  for (const line of all.slice(1)) {
    await t.test(line, { timeout: 12 * minutes }, () => {
      const [, judge] = judges.find(([pattern]) => pattern.test(line));
      return judge(line.replaceAll('127.0.0.1:8080', new URL(url).host));
    });
  }
  assert.equal(await interrupt(server), 0, server.output);
});
