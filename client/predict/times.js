// What both sides mean by time. Each is a number of milliseconds and becomes ticks here, once, rounded up: the server does
// the same, so that a client knows its rules from Welcome's `tick_rate` alone (PROTOCOL.md, part 7).

/** How long the last input holds without news; then the seat is neutral. */
export const STARVED_MS = 250;
/** How far beyond the next tick an input may be stamped; a later stamp counts as this. */
export const AHEAD_MS = 500;

/**
 * @param {number} ms
 * @param {number} tickRate
 */
export function ticksOf(ms, tickRate) {
  return Math.ceil((ms * tickRate) / 1000);
}
