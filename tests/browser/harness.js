// What every browser test needs: the real server as its own process on a free port, Chromium, people in it, and
// pictures. Everything that is started here is ended when the test file ends.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

import { root, tickroom } from '../support/built.mjs';

export { root };
const pictures = join(root, 'target/screenshots');
const program = tickroom();

/** What is still running; ended in reverse order, whatever a test did. */
const running = [];
after(async () => {
  for (const end of running.reverse()) await end();
});

/** The first of these that is installed: Debian's name, then others'. */
function browserPath() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  for (const folder of process.env.PATH.split(':')) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path);
        return path;
      } catch { /* not there */ }
    }
  }
  throw new Error(`none of ${names.join(', ')} is installed`);
}

/**
 * Waits until `look` gives something that is neither false, null nor undefined, and returns it.
 * @template T
 * @param {string} what for the message when it never comes
 * @param {() => T | Promise<T>} look
 * @param {number} [ms]
 * @returns {Promise<T>}
 */
export async function until(what, look, ms = 10_000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    last = await look();
    if (last !== false && last !== null && last !== undefined) return last;
    if (Date.now() > end) throw new Error(`waited ${ms} ms: ${what}`);
    await sleep(20);
  }
}

/**
 * `tickroom lag` in front of a server: the address to open instead of the server's.
 * @param {Server} server
 * @param {string[]} flags
 */
export async function lag(server, ...flags) {
  const child = spawn(program, ['lag', '--listen', '127.0.0.1:0', '--to', `127.0.0.1:${server.port}`, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(() => { child.kill('SIGKILL'); });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = line.match(/http:\/\/[^\s/]+/)?.[0];
    if (url) return url;
  }
  throw new Error('the lag proxy ended before it said where it listens');
}

/** One server process. */
export class Server {
  /**
   * @param {Record<string, number | string | boolean>} [settings] of the configuration file: `{ 'room.fill_to': 0 }`
   * @returns {Promise<Server>}
   */
  static async start(settings = {}) {
    const server = new Server();
    const folder = mkdtempSync(join(tmpdir(), 'tickroom-'));
    server.config = join(folder, 'tickroom.toml');
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
    writeFileSync(server.config, lines.join(''));
    running.push(async () => {
      await server.kill();
      rmSync(folder, { recursive: true });
    });
    await server.#spawn(0);
    return server;
  }

  async #spawn(port) {
      const args = ['serve', '--config', this.config, '--listen', `127.0.0.1:${port}`];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.errors = '';
    child.stderr.on('data', (text) => { this.errors = (this.errors + text).slice(-20_000); });
    const lines = createInterface({ input: child.stdout });
    const said = (async () => {
      for await (const line of lines) {
        const url = line.match(/http:\/\/[^\s/]+/)?.[0];
        if (url) return url;
      }
      throw new Error(`the server ended before it said where it listens\n${this.errors}`);
    })();
    this.url = await Promise.race([said, sleep(20_000).then(() => { throw new Error('the server said nothing for 20 s'); })]);
    this.port = Number(new URL(this.url).port);
  }

  /** As Ctrl-C does; gives the exit code. */
  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGINT');
    const [code] = await Promise.race([gone, sleep(10_000).then(() => { throw new Error('the server did not stop in 10 s'); })]);
    return code;
  }

  /** As a crash does: no goodbye. */
  async kill() {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  /** On the same port again. */
  async again() {
    await this.#spawn(this.port);
  }

  /** @returns {Promise<any[]>} */
  async rooms() {
    const answer = await (await fetch(`${this.url}/api/rooms`)).json();
    return Array.isArray(answer) ? answer : answer.rooms;
  }
}

/**
 * One Chromium for all people of a test file.
 * @param {import('playwright-core').LaunchOptions} [more]
 */
export async function launch({ args = [], ...more } = {}) {
  const browser = await chromium.launch({
    ...more,
    executablePath: browserPath(),
    args: [
      ...args,
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--mute-audio',
    ],
  });
  running.push(() => browser.close());
  return browser;
}

/** Screens that people have. */
export const screens = {
  laptop: { viewport: { width: 1280, height: 720 } },
  sharp: { viewport: { width: 1000, height: 640 }, deviceScaleFactor: 2 },
  phone: { viewport: { width: 844, height: 390 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true },
  upright: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true },
};

/** One person in front of one tab. */
export class Person {
  /**
   * @param {import('playwright-core').Browser} browser
   * @param {string} name
   * @param {object} [screen] one of `screens`
   */
  static async at(browser, name, screen = screens.laptop) {
    const person = new Person();
    person.name = name;
    person.context = await browser.newContext(screen);
    await person.tab();
    return person;
  }

  /** Another tab of the same browser window: shares local storage, not the session's. */
  async beside() {
    const person = new Person();
    person.name = this.name;
    person.context = this.context;
    await person.tab();
    return person;
  }

  async tab() {
    this.page = await this.context.newPage();
    this.faults = [];
    this.page.on('pageerror', (error) => this.faults.push(`error: ${error.message}`));
    this.page.on('console', (message) => {
      // A socket or a request that fails while the server is away is the browser's own line, and no fault of the page; so is
      // what it thinks of plain HTTP.
      const ofNetwork = /WebSocket connection to|net::ERR_|Failed to load resource|origin was untrustworthy/.test(message.text());
      if (message.type() === 'error' && !ofNetwork) this.faults.push(`console: ${message.text()}`);
    });
  }

  /**
   * Opens an address, types the name, and plays.
   * @param {string} url
   * @param {string} [button] what to click: Play, which follows the address, or another way into a match
   */
  async join(url, button = '#play') {
    await this.page.goto(url);
    await this.page.fill('#name', this.name);
    await this.page.click(button);
    await this.plays();
  }

  /** Waits until a match is on the screen; gives what `look` says. */
  plays(ms = 10_000) {
    return until(`${this.name} plays`, async () => {
      const seen = await this.look();
      return seen.phase === 'playing' && (seen.own || seen.seat === null) && seen.ships.length > 0 && seen;
    }, ms);
  }

  /** What the page knows, all of one moment: see client/arena/window.js. */
  look() {
    return this.page.evaluate(() => {
      const { phase, code, seat, tick, own, ships, bolts, scores, match, stats } = window.tickroom;
      return { phase, code, seat, tick, own, ships, bolts, scores, match, stats };
    });
  }

  /** The ship of a seat as this person sees it, if they do. */
  async ship(seat) {
    return (await this.look()).ships.find((ship) => ship.seat === seat);
  }

  /** The text of what stands over the match, or null. */
  overlay() {
    return this.page.evaluate(() => {
      const overlay = document.getElementById('overlay');
      return overlay.hidden ? null : overlay.innerText;
    });
  }

  /** Holds keys for a while. */
  async hold(keys, ms) {
    for (const key of keys) await this.page.keyboard.down(key);
    await sleep(ms);
    for (const key of keys) await this.page.keyboard.up(key);
  }

  /** Saves what this person sees, to look at, and gives its pixels: width, height and RGBA bytes. */
  async picture(name) {
    mkdirSync(pictures, { recursive: true });
    const png = await this.page.screenshot({ path: join(pictures, `${name}.png`) });
    return pixels(this.context.browser(), png);
  }

  close() {
    return this.page.close();
  }
}

/** A page apart, in which pictures are decoded: the page under test is not disturbed, and no image library is needed. */
let darkroom;

/**
 * @param {import('playwright-core').Browser} browser
 * @param {Buffer} png
 */
async function pixels(browser, png) {
  darkroom ??= await browser.newPage();
  const { width, height, bytes } = await darkroom.evaluate(async (base64) => {
    const blob = await (await fetch(`data:image/png;base64,${base64}`)).blob();
    const bitmap = await createImageBitmap(blob);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let text = '';
    for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
    return { width: bitmap.width, height: bitmap.height, bytes: btoa(text) };
  }, png.toString('base64'));
  return new Picture(width, height, Buffer.from(bytes, 'base64'));
}

/** Two frames: what was sent to the page has been seen by it. */
export function frames(person) {
  return person.page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); }));
}

/** What a person saw at one moment. */
export class Picture {
  constructor(width, height, data) {
    this.width = width;
    this.height = height;
    this.data = data;
  }

  /** Red, green and blue at a place, from 0 to 255. */
  at(x, y) {
    const at = (Math.round(y) * this.width + Math.round(x)) * 4;
    return [this.data[at], this.data[at + 1], this.data[at + 2]];
  }

  /** How many different colours there are: a page that draws nothing has a handful. */
  colours() {
    const seen = new Set();
    for (let at = 0; at < this.data.length; at += 4) seen.add(this.data.readUInt32LE(at));
    return seen.size;
  }

  /** The share of pixels within a rectangle that are bright: something is drawn there. */
  lit({ x, y, width, height }, least = 90) {
    let lit = 0;
    let all = 0;
    for (let row = Math.max(0, Math.floor(y)); row < Math.min(this.height, y + height); row += 1) {
      for (let column = Math.max(0, Math.floor(x)); column < Math.min(this.width, x + width); column += 1) {
        all += 1;
        if (Math.max(...this.at(column, row)) >= least) lit += 1;
      }
    }
    return all === 0 ? 0 : lit / all;
  }

  /** The share of pixels that differ visibly from another picture of the same size. */
  differs(other) {
    if (this.width !== other.width || this.height !== other.height) return 1;
    let count = 0;
    for (let at = 0; at < this.data.length; at += 4) {
      const by = Math.abs(this.data[at] - other.data[at]) + Math.abs(this.data[at + 1] - other.data[at + 1])
        + Math.abs(this.data[at + 2] - other.data[at + 2]);
      if (by > 48) count += 1;
    }
    return count / (this.data.length / 4);
  }
}
