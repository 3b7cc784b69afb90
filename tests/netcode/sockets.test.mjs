// The same core over real sockets: a served room, `tickroom lag` in between, real time. A few short runs that show that what
// holds in virtual time is what people get; the figures proper are in the other files, which know the truth.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { createAdapter } from '../../client/arena/adapter.js';
import { createClient } from '../../client/net/index.js';
import { nodeTransport } from '../../client/test/support/socket.js';
import { tickroom } from '../support/built.mjs';
import { percent, quantile, short } from './support/figures.mjs';
import { Ace } from './support/pilots.mjs';

const SECONDS = 10;
const FRAME_MS = 1000 / 60;
const folder = mkdtempSync(join(tmpdir(), 'tickroom-sockets-'));
/** @type {import('node:child_process').ChildProcess[]} */
const running = [];
let server = '';
let program = '';

/** Ours are for the tests: they are no settings of the server's. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TICKROOM_')));

/** Starts a subcommand and gives the address that it says it listens on. @param {string[]} args */
async function start(...args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env });
  running.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const address = line.match(/http:\/\/([^\s/]+)/)?.[1];
    if (address) {
      child.stdout.resume();
      return address;
    }
  }
  throw new Error(`tickroom ${args[0]} ended before it said where it listens`);
}

before(async () => {
  program = tickroom();
  const config = join(folder, 'tickroom.toml');
  writeFileSync(config, 'room.seats_max = 40\nroom.fill_to = 40\n');
  server = await start('serve', '--config', config, '--listen', '127.0.0.1:0');
});

after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/**
 * Plays for a while through a link.
 * @param {string[]} flags of `tickroom lag`
 */
async function play(...flags) {
  const address = await start('lag', '--listen', '127.0.0.1:0', '--to', server, ...flags);
  const met = { reconciles: 0, exact: 0, corrections: /** @type {number[]} */ ([]), frames: 0, underruns: 0, ships: 0, resyncs: 0 };
  const client = createClient({
    url: `ws://${address}/ws`, name: 'Socket', game: createAdapter(), transport: nodeTransport, clock: () => performance.now(),
    storage: null, random: Math.random,
    on: {
      reconcile: ({ known, exact, correction }) => {
        if (!known) return;
        met.reconciles += 1;
        if (exact) met.exact += 1;
        met.corrections.push(correction);
      },
      resync: () => { met.resyncs += 1; },
    },
  });
  /** @type {any} What a pilot needs of a person. */
  const person = {
    client, scene: null, world: { get now() { return performance.now() * 1000; } }, chance: Math.random,
    get flies() { return this.scene !== null && this.scene.own !== null && client.phase === 'playing'; },
  };
  const ace = new Ace(person);
  client.connect();
  const begin = performance.now();
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now();
      ace.frame(person);
      const scene = client.frame(now);
      person.scene = scene;
      if (now - begin > 3000) {
        met.frames += 1;
        if (scene.tick > (client.session?.view.tick ?? Infinity)) met.underruns += 1;
        met.ships = Math.max(met.ships, scene.of('ship').length);
      }
      if (now - begin < SECONDS * 1000) return;
      clearInterval(timer);
      resolve(null);
    }, FRAME_MS);
  });
  const { rttMin } = client.stats();
  client.leave();
  return { ...met, rttMin };
}

for (const [name, rtt, jitter, ...more] of /** @type {[string, number, number, ...string[]][]} */ ([
  ['L100', 100, 20], ['L250', 250, 40], ['S100', 100, 20, '--stall-every', '5s', '--stall', '500ms', '--stall-way', 'turns'],
])) {
  test(`${name} over real sockets: predicted, drawn, in step`, async (t) => {
    const met = await play('--rtt', `${rtt}ms`, '--jitter', `${jitter}ms`, ...more);
    t.diagnostic(`${name}: rtt min ${short(met.rttMin)} ms, ${met.reconciles} reconciles, exact ${percent(met.exact / met.reconciles)}, `
      + `correction p95 ${short(quantile(met.corrections, 0.95))} u, ${met.frames} frames, underrun ${percent(met.underruns / met.frames)}, `
      + `${met.ships} ships`);
    assert.ok(met.rttMin > rtt - jitter - 1 && met.rttMin < rtt + 30, `a round trip of ${met.rttMin} ms`);
    assert.ok(met.reconciles > 100, `only ${met.reconciles} reconciliations`);
    // Contacts, hits and a busy machine's late frames are in this; a wrong rule would leave nothing exact.
    assert.ok(met.exact / met.reconciles > 0.6, `only ${percent(met.exact / met.reconciles)} exact`);
    assert.ok(met.ships >= 20, `only ${met.ships} ships were seen`);
    assert.ok(met.underruns / met.frames < (more.length > 0 ? 0.3 : 0.1), `${percent(met.underruns / met.frames)} of the frames lack a snapshot`);
    assert.equal(met.resyncs, 0);
  });
}
