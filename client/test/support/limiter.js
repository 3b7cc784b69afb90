// How much a session may send at 60 Hz, as src/actors/limiter.rs and src/config.rs have it: who breaks it is closed with 1008. A toy
// server without it can't see a client that sends too much. limits.test.js holds the numbers together.

/** `server` of the configuration, as it is unless configured otherwise. */
export const LIMITS = { messages_per_second: 120, bytes_per_second: 16 * 1024, burst_ms: 4000 };

/** How long after an absence of the server what piled up meanwhile may take to be read. */
const PILE_IS_READ_IN_MS = 2000;

/** A masked frame's header: two bytes, four of mask, two more from 126 bytes on. @param {number} length */
const headerBytes = (length) => (length < 126 ? 6 : 8);

/** Fills at a rate up to a burst; a charge that it cannot pay is refused. */
class Bucket {
  /** @param {number} perSecond @param {number} burstMs */
  constructor(perSecond, burstMs) {
    this.perSecond = perSecond;
    this.full = (perSecond * burstMs) / 1000;
    this.level = this.full;
  }

  /** @param {number} ms @param {boolean} beyond above the burst, too */
  fill(ms, beyond) {
    const level = this.level + (ms * this.perSecond) / 1000;
    this.level = beyond ? level : Math.min(this.full, level);
  }

  /** @param {number} units */
  charge(units) {
    if (this.level < units) return false;
    this.level -= units;
    return true;
  }
}

/** One session's allowance; full at its start. */
export class Limiter {
  /** @param {number} now ms */
  constructor(now, { messages_per_second, bytes_per_second, burst_ms } = LIMITS) {
    this.messages = new Bucket(messages_per_second, burst_ms);
    this.bytes = new Bucket(bytes_per_second, burst_ms);
    this.filled = now;
  }

  /**
   * Charges one message; false if it is too much.
   * @param {number} length of the message
   * @param {number} now ms
   * @param {number} [returned] when the server was last back from an absence
   */
  charge(length, now, returned = -Infinity) {
    const beyond = now - returned < PILE_IS_READ_IN_MS;
    this.messages.fill(now - this.filled, beyond);
    this.bytes.fill(now - this.filled, beyond);
    this.filled = now;
    return this.messages.charge(1) && this.bytes.charge(headerBytes(length) + length);
  }
}
