// Prints what a spike costs: one message a second comes late by so much, with all that is behind it. How far behind the
// server others are drawn, and the share of frames that lack a snapshot, with this tree's policy (client/predict/
// render_clock.js) and with that of an earlier commit, in the same matches.
//
//   node tests/netcode/delay_curve.mjs [COMMIT]      TICKROOM_SEED, TICKROOM_SEEDS as in the tests

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { HEIGHTS, spiked } from './support/spikes.mjs';
import { mean, percent, seeds } from './support/figures.mjs';
import { root } from './support/pipe.mjs';

/** The last commit that waited for the worst of two seconds, unless it was 100 ms worse than the median. */
const BEFORE = 'fe3f011';

/** @param {string} commit */
async function renderClockOf(commit) {
  const folder = mkdtempSync(join(tmpdir(), 'tickroom-'));
  try {
    const file = join(folder, 'render_clock.mjs');
    writeFileSync(file, execFileSync('git', ['show', `${commit}:client/predict/render_clock.js`], { cwd: root }));
    return (await import(pathToFileURL(file).href)).RenderClock;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const commit = process.argv[2] ?? BEFORE;
const Before = await renderClockOf(commit);
console.log(`one spike a second, L100, 60 s, seeds ${seeds().join(' ')}; before: ${commit}\n`);
console.log('| spike ms | delay ms before | now | frames underrun before | now |\n|---|---|---|---|---|');
for (const height of HEIGHTS) {
  const [before, now] = [[], []];
  for (const seed of seeds()) {
    before.push(await spiked(height, seed, { RenderClock: Before }));
    now.push(await spiked(height, seed));
  }
  const cells = [before, now].map((runs) => [mean(runs.map((run) => run.delay)).toFixed(1), percent(mean(runs.map((run) => run.underrun)))]);
  console.log(`| ${height} | ${cells[0][0]} | ${cells[1][0]} | ${cells[0][1]} | ${cells[1][1]} |`);
}
