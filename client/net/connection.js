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
 * @property {(status: Status) => void} status
 */

/** From opening a socket to Welcome. */
const WELCOME_MS = 10_000;
/** The server pongs twice a second; so long a silence is a dead connection that the browser has not noticed. */
const SILENCE_MS = 6000;
/** Polls further apart than this mean that this page did not run, and its messages wait to be read: no silence. */
const PAUSED_MS = 1000;
/** PROTOCOL.md 3.4: half a second, then twice as long each time. */
const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 8000;
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
    this.since = 0;
    this.heard = 0;
    this.polled = 0;
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
    this.since = now;
    this.heard = now;
    this.polled = now;
    this.told = null;
    this.open = false;
    this.#tell('connecting', this.status.reason, 0);
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
    if (paused) this.heard = now;
    const { phase, retryAt } = this.status;
    if (phase === 'waiting' && now >= retryAt) this.connect();
    else if (phase === 'connecting' && now - this.since > WELCOME_MS) this.#ended(closeReason(1006));
    else if (phase === 'playing' && now - this.heard > SILENCE_MS) this.#ended(this.told ?? closeReason(1006));
    else if (phase === 'playing' && this.status.attempt > 0 && now - this.since > SETTLED_MS) this.status.attempt = 0;
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
      this.#tell('playing', null, 0);
    } else if (this.status.phase !== 'playing') return;
    this.owner.message(message);
  }

  /** @param {CloseReason} reason */
  #ended(reason) {
    this.#drop();
    if (this.owner.ended(reason) !== 'retry' || this.status.attempt >= ATTEMPTS_MAX) {
      return this.#tell('closed', reason, 0);
    }
    const wait = Math.max(BACKOFF_ASKED_MS[reason.name] ?? 0, Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** this.status.attempt));
    this.status.attempt += 1;
    this.#tell('waiting', reason, this.clock() + wait * (1 + this.random() / 2));
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
  #tell(phase, reason, retryAt) {
    this.status = { phase, reason, retryAt, attempt: this.status.attempt };
    this.owner.status(this.status);
  }
}
