// What a browser gives the client core. The only file of this folder that names browser things; Node never loads it.

import { Tab } from './tab.js';

/** @typedef {import('./connection.js').Transport} Transport */

/** @type {Transport} */
function webSocket(url, events) {
  /** @type {WebSocket} */
  let socket;
  try {
    socket = new WebSocket(url);
  } catch {
    // An address that the browser refuses; like any other, it is told later, not from within.
    setTimeout(() => events.close(1006), 0);
    return { send() {}, close() {} };
  }
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => events.open();
  socket.onmessage = ({ data }) => {
    // A text frame is not of this protocol; the decoder refuses its bytes like any others that are no message.
    events.message(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0));
  };
  socket.onclose = ({ code }) => events.close(code);
  return {
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    },
    // A page may only send 1000 and codes of its own: a protocol error (1002) ends without a code.
    close: () => socket.close(),
  };
}

/**
 * The tab's storage; null where the browser refuses even to look (a sandboxed frame, cookies forbidden).
 * @param {Window} window
 */
function tabStorage(window) {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** The wall clock went on by so much more than the page's. */
const SLEPT_MS = 5000;

/**
 * Calls whenever this page comes back to its player: shown again, restored from the history, the network back.
 * @param {Window} window
 * @param {() => void} work
 * @returns {() => void} ends it
 */
function watchReturns(window, work) {
  const { document } = window;
  const seen = () => {
    if (document.visibilityState !== 'hidden') work();
  };
  document.addEventListener('visibilitychange', seen);
  window.addEventListener('pageshow', work);
  window.addEventListener('online', work);
  // Where the page's clock stands still while the machine sleeps, only the wall clock tells of it.
  const ahead = () => Date.now() - window.performance.now();
  let was = ahead();
  const slept = window.setInterval(() => {
    const now = ahead();
    if (now - was > SLEPT_MS) work();
    was = now;
  }, 500);
  return () => {
    window.clearInterval(slept);
    document.removeEventListener('visibilitychange', seen);
    window.removeEventListener('pageshow', work);
    window.removeEventListener('online', work);
  };
}

/**
 * Transport, clock, timers, returns, storage and randomness of this page, for createClient.
 * @param {Window} window
 */
export function browserPlatform(window) {
  return {
    transport: webSocket,
    clock: () => window.performance.now(),
    timers: {
      /** @type {(ms: number, work: () => void) => () => void} */
      every(ms, work) {
        const handle = window.setInterval(work, ms);
        return () => window.clearInterval(handle);
      },
      /** @type {(ms: number, work: () => void) => void} */
      after: (ms, work) => void window.setTimeout(work, ms),
    },
    returns: (/** @type {() => void} */ work) => watchReturns(window, work),
    storage: tabStorage(window),
    random: Math.random,
  };
}

/** How long the page before this one may take to go: at a reload, and where this page is most likely a copy. */
const RELOAD_MS = 3000;
const COPY_MS = 700;

/**
 * The tab that this page is in, for `storage` of createClient.
 * @param {Window & typeof globalThis} window
 */
export function browserTab(window) {
  const { navigator, performance, BroadcastChannel } = window;
  const loads = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
  return new Tab({
    storage: tabStorage(window),
    locks: navigator.locks ?? null,
    channel: BroadcastChannel === undefined ? null : (name) => new BroadcastChannel(name),
    after: (ms, work) => void window.setTimeout(work, ms),
    random: Math.random,
    // No browser calls a copy so; and a reload on a busy machine would cost its player the seat.
    patience: loads[0]?.type === 'reload' ? RELOAD_MS : COPY_MS,
  });
}
