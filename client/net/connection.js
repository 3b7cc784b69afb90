// One session after another: connects, says Hello, decodes, and reconnects when the way a session ended allows it.
// No WebSocket, no timer: a transport is a parameter, and poll(now) does what is due.

import { ProtocolError, ServerDecoder, closeReason, encodeClient } from '../protocol/index.js';

/** @typedef {import('../protocol/close.js').CloseReason} CloseReason */
/** @typedef {import('../protocol/messages.js').ClientMessage} ClientMessage */
/** @typedef {import('../protocol/messages.js').ServerMessage} ServerMessage */
/** @typedef {{ send(bytes: Uint8Array): void, close(code?: number): void }} Socket a code that the platform forbids may be left out */
/** @typedef {{ open(): void, message(bytes: Uint8Array): void, close(code: number): void }} SocketEvents */
/** @typedef {(url: string, events: SocketEvents) => Socket} Transport opens a socket; events come later, never from within */
/** @typedef {'idle' | 'connecting' | 'playing' | 'waiting' | 'closed'} Phase */
/** @typedef {{ phase: Phase, reason: CloseReason | null, retryAt: number, attempt: number }} Status */
/**
 * @typedef {object} Owner What a connection asks of whoever made it.
 * @property {() => ClientMessage} hello the Hello of the next session
 * @property {(message: ServerMessage) => void} message anything but Closing; the first is a Welcome
 * @property {(reason: CloseReason) => CloseReason['action']} ended a session ended; the answer may differ from the reason's
 *   own action (a seat that is gone may be joined anew at once: `retry`)
 * @property {(reason: CloseReason) => void} closing tells whoever listens, as `status` does; either may throw
 * @property {(status: Status) => void} status
 */

/** From opening a socket to Welcome. */
const WELCOME_MS = 10_000;
/** The server pongs twice a second; so long a silence is a dead connection that the browser has not noticed. */
const SILENCE_MS = 6000;
/** Polls further apart than this mean that this page did not run, and its messages wait to be read: no silence. */
export const PAUSED_MS = 1000;
/** A connection that is asked whether it still lives has so long to answer, or twice its round trip if that is longer. */
const PROBE_MS = 1500;
/** An attempt that began so long ago was under way when the page stopped, and may lead nowhere by now. */
const STALE_MS = 5000;
/** PROTOCOL.md 3.4: half a second, then twice as long each time, counted from where the attempt that failed began. */
const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 8000;
/** After a silence, and after an attempt that took longer than its wait: a server that stood still may be back any moment. */
const BACKOFF_MIN_MS = 100;
/** After these a client that knocks again at once makes things worse. @type {Record<string, number>} */
const BACKOFF_ASKED_MS = { too_fast: 8000, busy: 2000 };
/** About five minutes: longer than most seats are kept, and a page that knocks for ever helps nobody. */
const ATTEMPTS_MAX = 32;
/** @type {CloseReason} */
const MALFORMED = {
  ...closeReason(1002), text: 'The server sent something that is not a message of this protocol. Reload the page.',
};
/** A session that lasted so long was a good one: the next drop starts with the shortest wait again. */
const SETTLED_MS = 5000;

export class Connection {
  /**
   * @param {string} url
   * @param {Transport} transport
   * @param {() => number} clock milliseconds, monotonic
   * @param {() => number} random 0 to below 1: keeps a crowd from reconnecting in step
   * @param {Owner} owner
   */
  constructor(url, transport, clock, random, owner) {
    this.url = url;
    this.transport = transport;
    this.clock = clock;
    this.random = random;
    this.owner = owner;
    /** @type {Status} */
    this.status = { phase: 'idle', reason: null, retryAt: 0, attempt: 0 };
    /** @type {Socket | null} */
    this.socket = null;
    this.open = false;
    /** @type {CloseReason | null} What Closing said, until the close itself comes. */
    this.told = null;
    this.began = 0;
    this.since = 0;
    this.heard = 0;
    this.polled = 0;
    /** When the connection was asked whether it still lives, until it answers. @type {number | null} */
    this.probed = null;
    this.patience = PROBE_MS;
    this.decoder = new ServerDecoder();
    this.bytesUp = 0;
    this.bytesDown = 0;
    this.messagesUp = 0;
    this.messagesDown = 0;
  }

  /** Starts the first session, or the next one now; after the last one ended for good, begins anew. */
  connect() {
    if (this.socket) this.#drop();
    if (this.status.phase === 'closed') this.status.attempt = 0;
    const now = this.clock();
    this.began = now;
    this.since = now;
    this.heard = now;
    this.polled = now;
    this.probed = null;
    this.told = null;
    this.open = false;
    // Each session has events of its own: a late word of an old socket finds nobody.
    /** @type {Socket | null} */
    let mine = null;
    const current = () => mine !== null && this.socket === mine;
    mine = this.transport(this.url, {
      open: () => {
        if (!current()) return;
        this.open = true;
        this.send(this.owner.hello());
      },
      message: (bytes) => {
        if (current()) this.#message(bytes);
      },
      close: (code) => {
        if (current()) this.#ended(this.told ?? closeReason(code));
      },
    });
    this.socket = mine;
    // Whoever is told last finds everything in its place, also if they throw.
    this.#tell('connecting', this.status.reason, 0);
  }

  /**
   * Ends for good.
   * @param {CloseReason} reason
   */
  close(reason) {
    this.#drop();
    this.#tell('closed', reason, 0);
  }

  /** @param {ClientMessage} message */
  send(message) {
    if (!this.socket || !this.open) return;
    const bytes = encodeClient(message);
    this.bytesUp += bytes.length;
    this.messagesUp += 1;
    this.socket.send(bytes);
  }

  /**
   * Does what is due: deadlines and reconnects.
   * @param {number} now
   */
  poll(now) {
    const paused = now - this.polled > PAUSED_MS;
    this.polled = now;
    if (paused) this.#countAnew(now);
    const { phase, retryAt } = this.status;
    if (phase === 'waiting' && now >= retryAt) this.connect();
    else if (this.probed !== null && now - this.probed > this.patience) this.#ended(this.told ?? closeReason(1006), 0);
    else if (phase === 'connecting' && now - this.since > WELCOME_MS) this.#ended(closeReason(1006), BACKOFF_MIN_MS);
    else if (phase === 'playing' && now - this.heard > SILENCE_MS) this.#ended(this.told ?? closeReason(1006), BACKOFF_MIN_MS);
    else if (phase === 'playing' && this.status.attempt > 0 && now - this.since > SETTLED_MS) this.status.attempt = 0;
  }

  /**
   * This page was away (hidden, asleep, without a network), and the connection may have died meanwhile: what was sent or
   * begun must be answered soon, or it is given up. Who waits for the next attempt waits no longer, unless the server asked
   * for the wait. Send a Ping with it.
   * @param {number} now
   * @param {number} rtt as far as is known
   */
  probe(now, rtt) {
    const { phase, reason } = this.status;
    this.patience = Math.max(PROBE_MS, 2 * rtt);
    // An attempt that is under way may fail with the network that it began on.
    if (phase === 'connecting') this.status.attempt = 0;
    if (phase === 'playing' || (phase === 'connecting' && now - this.began > STALE_MS)) this.probed = now;
    else if (phase === 'waiting' && BACKOFF_ASKED_MS[reason?.name ?? ''] === undefined) {
      this.status.attempt = 0;
      this.connect();
    }
  }

  /**
   * This page did not run, so no deadline says anything: its messages may wait to be read.
   * @param {number} now
   */
  #countAnew(now) {
    this.heard = now;
    if (this.status.phase === 'connecting') this.since = now;
    if (this.probed !== null) this.probed = now;
  }

  /** @param {Uint8Array} bytes */
  #message(bytes) {
    this.heard = this.clock();
    this.bytesDown += bytes.length;
    this.messagesDown += 1;
    let message;
    try {
      message = this.decoder.decode(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#drop(MALFORMED.code);
      return this.#ended(MALFORMED);
    }
    if (message.type === 'closing') {
      this.told = { ...closeReason(message.code), text: message.text };
      return;
    }
    if (message.type === 'welcome') {
      this.since = this.heard;
      this.probed = null;
      try {
        this.#tell('playing', null, 0);
      } finally {
        this.owner.message(message);
      }
    } else if (this.status.phase === 'playing') {
      // Only an answer to something later says that the way is open now; the rest may have been on its way before.
      if (message.type === 'pong' && this.probed !== null && message.time / 1000 >= this.probed - 1) this.probed = null;
      this.owner.message(message);
    }
  }

  /**
   * @param {CloseReason} reason
   * @param {number} [least] the wait, if it was us who gave the connection up: nobody asked for a longer one
   */
  #ended(reason, least) {
    const now = this.clock();
    const { attempt, phase } = this.status;
    const tried = phase === 'connecting' ? now - this.since : 0;
    this.#drop();
    if (this.owner.ended(reason) !== 'retry' || attempt >= ATTEMPTS_MAX) {
      this.#set('closed', reason, 0);
    } else {
      const usual = Math.max(BACKOFF_MIN_MS, Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** attempt) - tried);
      const wait = Math.max(BACKOFF_ASKED_MS[reason.name] ?? 0, least ?? usual);
      this.status.attempt += 1;
      this.#set('waiting', reason, now + wait * (1 + this.random() / 2));
    }
    try {
      this.owner.closing(reason);
    } finally {
      this.owner.status(this.status);
    }
    if (this.status.phase === 'waiting' && this.status.retryAt <= now) this.connect();
  }

  /** @param {number} [code] */
  #drop(code) {
    const socket = this.socket;
    this.socket = null;
    this.open = false;
    socket?.close(code);
  }

  /**
   * @param {Phase} phase
   * @param {CloseReason | null} reason
   * @param {number} retryAt
   */
  #set(phase, reason, retryAt) {
    this.status = { phase, reason, retryAt, attempt: this.status.attempt };
  }

  /**
   * @param {Phase} phase
   * @param {CloseReason | null} reason
   * @param {number} retryAt
   */
  #tell(phase, reason, retryAt) {
    this.#set(phase, reason, retryAt);
    this.owner.status(this.status);
  }
}
