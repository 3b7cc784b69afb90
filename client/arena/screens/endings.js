// For every reason why a session ends: what the player reads, and the remedies as buttons.

/** @typedef {import('../screens.js').Wish} Wish */
/**
 * `again` connects once more: to the seat if it is kept, else to the same match, if one was found already.
 * @typedef {{kind: 'join', label: string, wish: Wish} | {kind: 'again', label: string} | {kind: 'reload', label: string}
 *   | {kind: 'home', label: string}} Offer
 */

const HOME = /** @type {Offer} */ ({ kind: 'home', label: 'Back to the start' });
const QUICK = /** @type {Offer} */ ({ kind: 'join', label: 'Play another match', wish: { kind: 'quick' } });
const AGAIN = /** @type {Offer} */ ({ kind: 'again', label: 'Join again' });
const RELOAD = /** @type {Offer} */ ({ kind: 'reload', label: 'Reload the page' });

/**
 * Titles by the reason's name; the sentence comes from the server or from client/protocol.
 * @type {Record<string, string>}
 */
const TITLES = {
  left: 'You left',
  malformed: 'Something went wrong',
  text_frame: 'Something went wrong',
  too_fast: 'Too fast',
  too_long: 'Something went wrong',
  room_failed: 'The match broke down',
  shutdown: 'The server restarts',
  busy: 'The server is full',
  hello_timeout: 'Too slow',
  out_of_order: 'Something went wrong',
  wrong_version: 'New version',
  unknown_room: 'No such match',
  room_full: 'The match is full',
  spectators_full: 'No room to watch',
  room_ended: 'The match is over',
  seat_gone: 'Your seat is gone',
  replaced: 'Playing elsewhere',
  idle: 'Silence',
  stuck: 'Stuck',
  lost: 'Connection lost',
  unreached: 'No connection',
  page_failed: 'This page failed',
};

/**
 * @param {string} name of a reason
 * @returns {string}
 */
export function titleFor(name) {
  return TITLES[name] ?? 'The session ended';
}

/**
 * @param {{name: string, text: string, action: string}} reason
 * @param {Wish} wish what the session had asked for
 * @returns {{title: string, text: string, offers: Offer[]}}
 */
export function endingFor(reason, wish) {
  return { title: titleFor(reason.name), text: reason.text, offers: offersFor(reason, wish) };
}

/**
 * @param {{name: string, action: string}} reason
 * @param {Wish} wish
 * @returns {Offer[]}
 */
function offersFor(reason, wish) {
  if (reason.name === 'replaced') return [{ kind: 'join', label: 'Join with another ship', wish: { kind: 'quick' } }, HOME];
  switch (reason.action) {
    case 'reload':
      return [RELOAD, HOME];
    case 'choose':
      if (reason.name === 'room_full' && wish.kind === 'code') {
        return [QUICK, { kind: 'join', label: 'Watch this match', wish: { kind: 'spectate', code: wish.code } }, HOME];
      }
      return [QUICK, HOME];
    case 'rejoin':
    case 'retry':
      return [AGAIN, HOME];
    case 'stop':
      return [HOME];
    default:
      return [AGAIN, RELOAD, HOME];
  }
}
