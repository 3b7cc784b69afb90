// Numbers for the net graph: rates over the last second, and what the session knows.

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./session.js').Session} Session */

const EVERY_MS = 1000;

export class Rates {
  constructor() {
    this.since = -Infinity;
    /** Counters at `since`, and what they rose by in the last full second. */
    this.was = [0, 0, 0, 0, 0, 0, 0];
    this.rate = [0, 0, 0, 0, 0, 0, 0];
  }

  /**
   * @param {number} now
   * @param {Connection} connection
   * @param {Session | null} session
   */
  poll(now, connection, session) {
    const passed = now - this.since;
    if (passed < EVERY_MS) return;
    const counters = [
      connection.bytesUp, connection.bytesDown, connection.messagesUp, connection.messagesDown,
      session?.snapshots ?? 0, session?.frames ?? 0, session?.underruns ?? 0,
    ];
    // A new session counts from 0; the first second has nothing to compare with.
    this.rate = counters.map((counter, i) => (Number.isFinite(passed) ? (Math.max(0, counter - this.was[i]) * 1000) / passed : 0));
    this.was = counters;
    this.since = now;
  }

  /**
   * @param {number} now
   * @param {Session | null} session
   * @param {number} reconnects
   */
  stats(now, session, reconnects) {
    const [bytesUp, bytesDown, messagesUp, messagesDown, snapshotRate, frames, underruns] = this.rate;
    const tickMs = session ? 1000 / session.welcome.tickRate : 0;
    return {
      rtt: session?.clock.rtt ?? 0,
      rttMin: session?.clock.rttMin ?? 0,
      jitter: session?.clock.jitter ?? 0,
      clockOffset: session?.clock.offset ?? 0,
      snapshotRate, bytesUp, bytesDown, messagesUp, messagesDown,
      lateness: session?.lateness ?? 0,
      skipped: session?.skipped ?? 0,
      serverTick: session?.serverTick(now) ?? 0,
      interpolationDelay: (session?.delay ?? 0) * tickMs,
      inputLead: (session?.pace.lead ?? 0) * tickMs,
      margin: session?.pace.margin ?? 0,
      seenAgo: ((session?.seenAgo ?? 0) / 16) * tickMs,
      pending: session?.inputs.pending ?? 0,
      replayed: session?.prediction?.last.replayed ?? 0,
      correction: session?.prediction?.last.correction ?? 0,
      corrections: session?.corrections ?? 0,
      predictionError: session?.correctionMean ?? 0,
      exact: session && session.reconciles > 0 ? session.exact / session.reconciles : 1,
      underruns: frames > 0 ? underruns / frames : 0,
      resyncs: session?.resyncs ?? 0,
      eventsLost: session?.view.eventsLost ?? 0,
      starved: session ? session.seat >= 0 && session.starved : false,
      reconnects,
    };
  }
}
