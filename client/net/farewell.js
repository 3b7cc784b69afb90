// Leaving while nobody is connected: the server keeps a dropped seat for its owner, so the seat is taken back once more and
// given up. What happens here is told to nobody: the player has left.

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('../protocol/messages.js').ClientMessage} ClientMessage */

import { closeReason } from '../protocol/index.js';

/** After so long the server gives the seat up by itself, or nearly. */
const FAREWELL_MS = 10_000;

export class Farewell {
  /**
   * Takes the connection over; an attempt that is under way goes on, since its Welcome may have taken a seat already.
   * @param {Connection} connection
   * @param {ClientMessage} hello
   * @param {number} now
   */
  constructor(connection, hello, now) {
    this.connection = connection;
    this.until = now + FAREWELL_MS;
    connection.owner = {
      hello: () => hello,
      message: (message) => {
        if (message.type !== 'welcome') return;
        connection.send({ type: 'leave' });
        connection.close(closeReason(1000));
      },
      ended: (reason) => reason.action,
      closing: () => {},
      status: () => {},
    };
    if (connection.status.phase === 'waiting') connection.connect();
  }

  get done() {
    return this.connection.status.phase === 'closed';
  }

  /** @param {number} now */
  poll(now) {
    if (now > this.until) this.connection.close(closeReason(1006));
    else this.connection.poll(now);
  }
}
