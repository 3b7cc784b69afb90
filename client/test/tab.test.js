// A seat belongs to one tab: several pages of one browser, with Web Locks, with a BroadcastChannel, with neither.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saveSeat, savedSeat } from '../net/index.js';
import { Tab } from '../net/tab.js';
import { memoryStorage } from './support/play.js';
import { World } from './support/world.js';

const URL = 'ws://x/ws';
const seat = (/** @type {number} */ token) => ({ token: new Uint8Array(16).fill(token), code: 'BCDF' });

/** Locks as a browser has them: one holder a name, the others wait until their signal ends it. */
function fakeLocks() {
  /** @type {Map<string, (() => void)[]>} */
  const queues = new Map();
  return /** @type {any} */ ({
    /**
     * @param {string} name
     * @param {{ signal: AbortSignal }} options
     * @param {() => Promise<void>} work
     */
    request(name, { signal }, work) {
      return new Promise((resolve, reject) => {
        const queue = queues.get(name) ?? [];
        queues.set(name, queue);
        const go = () => {
          void work().then(() => {
            queue.shift();
            queue[0]?.();
            resolve(undefined);
          });
        };
        queue.push(go);
        signal.addEventListener('abort', () => {
          const at = queue.indexOf(go);
          if (at <= 0) return;
          queue.splice(at, 1);
          reject(signal.reason);
        });
        if (queue.length === 1) go();
      });
    },
  });
}

/** A channel among the pages of one browser; messages take a moment. */
function fakeChannels(/** @type {World} */ world) {
  /** @type {Set<any>} */
  const open = new Set();
  return () => {
    const channel = {
      onmessage: /** @type {any} */ (null),
      postMessage(/** @type {any} */ data) {
        for (const other of open) {
          if (other !== channel) world.schedule(world.now + 2, () => { if (open.has(other)) other.onmessage?.({ data: structuredClone(data) }); });
        }
      },
      close: () => void open.delete(channel),
    };
    open.add(channel);
    return channel;
  };
}

/** One browser; `load` is a page that a tab with this storage loads. */
function browser(/** @type {'locks' | 'channel' | 'neither'} */ has, seed = 1) {
  const world = new World();
  const locks = has === 'locks' ? fakeLocks() : null;
  const channel = has === 'channel' ? fakeChannels(world) : null;
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
  const after = (/** @type {number} */ ms, /** @type {() => void} */ work) => world.schedule(world.now + ms, work);
  const load = (/** @type {any} */ storage) => new Tab({ storage, locks, channel, after, random, patience: 700 });
  /** Milliseconds between the claims of several. */
  const stagger = { ms: 0 };
  /** Lets time pass until all of these are claimed. @param {Tab[]} tabs */
  const claim = async (...tabs) => {
    /** @type {string[]} */
    const said = [];
    tabs.forEach((tab, at) => after(at * stagger.ms, () => void tab.claim().then((what) => { said[at] = what; })));
    for (let i = 0; i < 400 && Object.keys(said).length < tabs.length; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      world.run(world.now + 10);
    }
    return said;
  };
  return { load, claim, world, stagger };
}

/** As a browser copies a tab's storage. */
const copyOf = (/** @type {ReturnType<typeof memoryStorage>} */ storage) => {
  const copy = memoryStorage();
  for (const [key, value] of storage.map) copy.map.set(key, value);
  return copy;
};

for (const has of /** @type {const} */ (['locks', 'channel'])) {
  test(`with ${has} a copy of a tab sees nothing of its seat, and a reload of either goes on with its own`, async () => {
    const { load, claim } = browser(has);
    const first = memoryStorage();
    const page = load(first);
    assert.equal(savedSeat(page.storage, URL), null);
    assert.deepEqual(await claim(page), ['own']);
    saveSeat(page.storage, URL, seat(1));

    // Twice: a copy of a copy, too.
    const second = copyOf(first);
    const copied = load(second);
    assert.deepEqual(await claim(copied), ['copy']);
    assert.equal(savedSeat(copied.storage, URL), null);
    assert.equal(savedSeat(copied.copiedFrom, URL)?.code, 'BCDF', 'where the first one plays');
    saveSeat(copied.storage, URL, seat(2));
    const third = load(copyOf(second));
    assert.deepEqual(await claim(third), ['copy']);
    assert.equal(savedSeat(third.storage, URL), null);

    // A reload: the page before it goes, but perhaps a moment late.
    for (const [storage, before, token] of /** @type {const} */ ([[first, page, 1], [second, copied, 2]])) {
      before.release();
      const next = load(storage);
      assert.deepEqual(await claim(next), ['own']);
      assert.deepEqual(savedSeat(next.storage, URL), seat(token));
    }
  });

  test(`with ${has} a page that is reloaded is the same tab, though the page before it goes late`, async () => {
    const { load, claim, world } = browser(has);
    const storage = memoryStorage();
    const page = load(storage);
    await claim(page);
    world.schedule(world.now + 600, () => page.release());
    assert.deepEqual(await claim(load(storage)), ['own']);
  });

  test(`with ${has} a page that goes and comes back while it claims does not meet itself`, async () => {
    const { load, claim, world } = browser(has);
    const page = load(memoryStorage());
    await claim(page);
    page.release();
    /** @type {string[]} */
    const said = [];
    void page.claim().then((what) => said.push(what));
    world.schedule(world.now + 100, () => {
      page.release();
      void page.claim().then((what) => said.push(what));
    });
    for (let i = 0; i < 400 && said.length < 2; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      world.run(world.now + 10);
    }
    assert.deepEqual(said, ['own', 'own']);
  });

  test(`with ${has} a tab is had by one, also when two load at once or one comes back from the history`, async () => {
    for (let seed = 1; seed <= 80; seed++) {
      const { load, claim, stagger } = browser(has, seed);
      const storage = memoryStorage();
      const page = load(storage);
      await claim(page);
      saveSeat(page.storage, URL, seat(1));
      page.release();
      stagger.ms = (seed % 40) * 10;
      const twins = [load(storage), load(copyOf(storage)), load(copyOf(storage))];
      const said = await claim(...twins);
      assert.deepEqual(said.filter((what) => what === 'own').length, 1, `seed ${seed}: ${said}`);
      // The first page comes back: one of them is the tab now.
      assert.deepEqual(await claim(page), ['copy'], `seed ${seed}`);
      assert.equal(savedSeat(page.storage, URL), null);
    }
  });
}

test('with neither, and with storage that refuses, there is a tab all the same', async () => {
  const { load, claim } = browser('neither');
  const storage = memoryStorage();
  const page = load(storage);
  assert.deepEqual(await claim(page), ['own']);
  saveSeat(page.storage, URL, seat(1));
  const copied = load(copyOf(storage));
  assert.deepEqual(await claim(copied), ['own'], 'nobody can tell; the server tells the first tab that it was replaced');
  assert.deepEqual(savedSeat(copied.storage, URL), seat(1));

  const refuse = () => { throw new Error('SecurityError'); };
  for (const broken of [null, { getItem: refuse, setItem: refuse, removeItem: refuse }]) {
    for (const has of /** @type {const} */ (['locks', 'channel', 'neither'])) {
      const other = browser(has);
      const alone = other.load(broken);
      assert.deepEqual(await other.claim(alone), ['own']);
      saveSeat(alone.storage, URL, seat(1));
      assert.equal(savedSeat(alone.storage, URL), null);
    }
  }
});

test('locks and channels that a browser has but forbids are as good as none', async () => {
  const world = new World();
  const after = (/** @type {number} */ ms, /** @type {() => void} */ work) => world.schedule(world.now + ms, work);
  const rejects = /** @type {any} */ ({ request: () => Promise.reject(new Error('SecurityError')) });
  const throws = /** @type {any} */ ({ request() { throw new Error('SecurityError'); } });
  for (const locks of [rejects, throws]) {
    const storage = memoryStorage();
    for (let load = 0; load < 2; load++) {
      const tab = new Tab({ storage, locks, channel: () => { throw new Error('SecurityError'); }, after, random: () => 0.3, patience: 700 });
      assert.equal(await tab.claim(), 'own');
    }
  }
});
