// What stands over the match while there is no session and the page goes on trying: only what is true. Who never had a
// seat is not told that it is kept, and who had none to lose (a spectator) neither.

import { titleFor } from './endings.js';

/** A server that was there a moment ago may be between two breaths: "blocked" is said after so many attempts. */
const BLOCKED_AFTER = 3;

/**
 * @typedef {object} Waiting
 * @property {boolean} welcomed there was a session before
 * @property {number | null} keptMs how long the seat is still kept; null: there is none that anybody promised to keep
 * @property {{ name: string, text: string } | null} reason why the last session, or the last attempt, ended
 * @property {import('../reach.js').Finding | null} found what is known of the way to the server
 * @property {number} attempt how many attempts have failed
 * @property {number} seconds until the next one; 0 while it runs
 */

/**
 * @param {Waiting} waiting
 * @returns {{ title: string, text: string, leave: string }} `leave`: what the button that ends it all says
 */
export function waitingWords({ welcomed, keptMs, reason, found, attempt, seconds }) {
  const told = reason !== null && reason.name !== 'lost';
  const next = seconds > 0 ? `Next attempt in ${Math.ceil(seconds)} s.` : 'Trying now …';
  if (welcomed) {
    const sure = found !== null && (found.kind !== 'blocked' || attempt >= BLOCKED_AFTER);
    const why = told || !sure ? reason?.text ?? '' : found.text;
    return { title: 'Reconnecting …', text: sentences(why, ofSeat(keptMs), next), leave: 'Leave' };
  }
  if (told) return { title: titleFor(reason.name), text: sentences(reason.text, next), leave: 'Cancel' };
  if (found !== null) return { title: found.title, text: sentences(found.text, next), leave: 'Cancel' };
  if (attempt === 0) return { title: 'Connecting …', text: 'Finding you a seat.', leave: 'Cancel' };
  return { title: 'Connecting …', text: sentences('No connection yet.', next), leave: 'Cancel' };
}

/** @param {number | null} keptMs */
function ofSeat(keptMs) {
  if (keptMs === null) return '';
  return keptMs > 0 ? `Your seat is kept for ${Math.ceil(keptMs / 1000)} s.` : 'Your seat may be given away by now.';
}

/** @param {string[]} parts */
function sentences(...parts) {
  return parts.filter((part) => part !== '').join(' ');
}
