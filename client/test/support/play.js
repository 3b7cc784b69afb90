// The real client core, a toy server and a seeded link, on one virtual clock.

import { createClient } from '../../net/index.js';
import { SEED, generator } from './random.js';
import { ToyServer, toyAdapter } from './toy.js';
import { Way, World } from './world.js';

/** The link profiles of the figures: round trip and jitter in ms. */
export const L0 = { delay: 1, jitter: 0 };
export const L100 = { delay: 50, jitter: 20 };
export const L250 = { delay: 125, jitter: 40 };

/** @typedef {{ delay: number, jitter: number, stallEvery?: number, stall?: number, stallFrom?: number }} Profile */

/** A storage like a tab's. */
export function memoryStorage() {
  /** @type {Map<string, string>} */
  const map = new Map();
  return {
    map,
    getItem: (/** @type {string} */ key) => map.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void map.set(key, value),
    removeItem: (/** @type {string} */ key) => void map.delete(key),
  };
}

/**
 * @param {object} [options]
 * @param {Profile} [options.up]
 * @param {Profile} [options.down]
 * @param {number} [options.seed]
 * @param {number} [options.fps]
 * @param {number} [options.clockOffset] what the client's clock shows when the world begins
 * @param {number} [options.drift] how much faster than the server's the client's clock runs
 * @param {boolean} [options.timers]
 * @param {Partial<import('../../net/client.js').ClientOptions>} [options.client]
 * @param {ConstructorParameters<typeof ToyServer>[1]} [options.server]
 */
export function play({ up = L0, down = up, seed = SEED, fps = 60, clockOffset = 12_345, drift = 0, timers = false, client: more = {}, server: rules = {} } = {}) {
  const world = new World();
  const random = generator(seed);
  const server = new ToyServer(world, { epoch: 777_000, ...rules });
  /** The page: while it is frozen, nothing of it runs and what arrives waits. */
  const page = { frozen: false, slept: 0, waiting: /** @type {(() => void)[]} */ ([]) };
  const onPage = (/** @type {() => void} */ work) => (page.frozen ? void page.waiting.push(work) : work());
  const clock = () => world.now * (1 + drift) + clockOffset - page.slept;
  const storage = memoryStorage();
  /** @type {{ code: number | null, refuse: boolean, sockets: number, cut: (code?: number) => void, say: (bytes: Uint8Array) => void }} */
  const net = { code: null, refuse: false, sockets: 0, cut: () => {}, say: () => {} };
  /** @type {import('../../net/connection.js').Transport} */
  const transport = (url, events) => {
    net.sockets += 1;
    const upWay = new Way(world, random, up);
    const downWay = new Way(world, random, down);
    let closed = false;
    const end = (/** @type {number} */ code) => {
      if (closed) return;
      closed = true;
      upWay.cut = true;
      downWay.cut = true;
      onPage(() => events.close(code));
    };
    net.cut = (code = 1006) => {
      if (server.out === say) server.out = null;
      end(code);
    };
    const say = (/** @type {Uint8Array} */ bytes) => downWay.send(() => onPage(() => { if (!closed) events.message(bytes); }));
    net.say = say;
    if (net.refuse) world.schedule(world.now + 5, () => end(1006));
    else {
      downWay.send(() => server.whenRunning(() => {
        if (closed) return;
        server.accept(say, (code) => downWay.send(() => end(code)));
        onPage(() => { if (!closed) events.open(); });
      }));
    }
    return {
      send: (bytes) => upWay.send(() => server.receive(bytes)),
      close: () => {
        if (server.out === say) server.out = null;
        closed = true;
        upWay.cut = true;
        downWay.cut = true;
      },
    };
  };
  /** @type {{ status: any[], closing: any[], welcome: any[], event: any[], resync: string[], reconcile: any[] }} */
  const log = { status: [], closing: [], welcome: [], event: [], resync: [], reconcile: [] };
  const client = createClient({
    url: 'ws://toy/ws', name: 'Ada', game: toyAdapter(), transport, clock, storage, random: random.next,
    timers: timers ? { every: (ms, work) => every(world, ms, () => { if (!page.frozen) work(); }) } : null,
    on: {
      status: (status) => log.status.push(status),
      closing: (reason) => log.closing.push(reason),
      welcome: (welcome) => log.welcome.push(welcome),
      event: (kind, fields, tick) => log.event.push({ kind, fields, tick, at: client.session?.stage.scene.tick }),
      resync: (why) => log.resync.push(why),
      reconcile: (r) => log.reconcile.push({ ...r, predicted: [...r.predicted], actual: [...r.actual] }),
    },
    ...more,
  });
  /**
   * Frames until a time of the world; `each` is called before each frame with the frame's number, `after` with its scene.
   * @param {number} until
   * @param {{ each?: (now: number) => void, after?: (scene: ReturnType<typeof client.frame>, now: number) => void }} [hooks]
   */
  const run = (until, { each, after } = {}) => {
    const step = 1000 / fps;
    while (world.now + step <= until) {
      world.run(world.now + step);
      each?.(world.now);
      const scene = client.frame(clock());
      after?.(scene, world.now);
    }
  };
  const freeze = () => { page.frozen = true; };
  /** The page goes on: what arrived meanwhile is handled in its order. */
  const thaw = () => {
    page.frozen = false;
    for (const work of page.waiting.splice(0)) work();
  };
  /**
   * So much time passes at once: the server's and, unless its machine sleeps, this page's. Nothing moves meanwhile.
   * @param {number} ms whole ticks
   * @param {{ clockStops?: boolean }} [how]
   */
  const leap = (ms, { clockStops = false } = {}) => {
    server.leap((ms * 60) / 1000);
    world.leap(ms);
    if (clockStops) page.slept += ms;
  };
  /** The true tick of the server, a fraction. */
  const trueTick = () => (world.now * 60) / 1000 - server.skipped;
  return { world, server, client, run, net, log, storage, trueTick, random, clock, freeze, thaw, leap, page };
}

/**
 * @param {World} world
 * @param {number} ms
 * @param {() => void} work
 */
function every(world, ms, work) {
  let stopped = false;
  const tick = () => {
    if (stopped) return;
    work();
    world.schedule(world.now + ms, tick);
  };
  world.schedule(world.now + ms, tick);
  return () => {
    stopped = true;
  };
}

/**
 * The value below which a share of a list lies.
 * @param {number[]} list
 * @param {number} share
 */
export function quantile(list, share) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
