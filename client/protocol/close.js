// Why a session ends, and what a client does then.

/**
 * What a client offers when a session has ended:
 * `retry` (reconnect by itself, with the token), `rejoin` (the seat or room is gone: join again without the token),
 * `choose` (let the player pick another room), `reload` (client and server speak different versions),
 * `stop` (nothing by itself: the player left, or plays in another window), `fault` (a bug of this client).
 * @typedef {'retry' | 'rejoin' | 'choose' | 'reload' | 'stop' | 'fault'} CloseAction
 */
/** @typedef {{ code: number, name: string, action: CloseAction, text: string }} CloseReason */

/** @type {(code: number, name: string, action: CloseAction, text: string) => CloseReason} */
const reason = (code, name, action, text) => ({ code, name, action, text });

/** The server's reasons, by code; name and text as in the server. */
export const CLOSE_REASONS = Object.freeze([
  reason(1000, 'left', 'stop', 'You left the match.'),
  reason(1002, 'malformed', 'fault',
    'The server could not understand this client: its bytes are not a message of the protocol.'),
  reason(1003, 'text_frame', 'fault', 'This protocol is binary: send binary WebSocket messages, not text.'),
  reason(1008, 'too_fast', 'retry', 'This client sends more than the server allows. Slow down and reconnect.'),
  reason(1009, 'too_long', 'fault', 'This client sent a message above the size limit.'),
  reason(1011, 'room_failed', 'choose', 'The match broke down because of a fault in the game. Join another one.'),
  reason(1012, 'shutdown', 'retry', 'The server is restarting. Reconnect in a moment.'),
  reason(1013, 'busy', 'retry', 'The server is full right now. Try again in a moment.'),
  reason(4000, 'hello_timeout', 'retry', 'No Hello came within five seconds of connecting.'),
  reason(4001, 'out_of_order', 'fault', 'This client sent a message that does not belong at this point of the session.'),
  reason(4002, 'wrong_version', 'reload',
    'This client and the server speak different versions. Reload the page or update the client.'),
  reason(4003, 'unknown_room', 'choose', 'There is no match with this code. Check it, or start a new match.'),
  reason(4004, 'room_full', 'choose', 'All seats of this match are taken. Join another one, or watch it.'),
  reason(4005, 'spectators_full', 'choose', 'All spectator places of this match are taken.'),
  reason(4006, 'room_ended', 'choose', 'The match has ended. Join another one.'),
  reason(4007, 'seat_gone', 'rejoin', 'Your seat is no longer kept for you. Join again.'),
  reason(4008, 'replaced', 'stop', 'You are playing this seat from another window now.'),
  reason(4009, 'idle', 'retry', 'The connection was silent for too long.'),
  reason(4010, 'stuck', 'retry', 'The connection took no data for too long.'),
]);

const LOST = reason(1006, 'lost', 'retry', 'The connection was lost.');

const UNKNOWN = reason(4999, 'unknown', 'stop', 'The server ended the session for a reason that this client does not know.');

/**
 * The reason with this WebSocket close code. Unknown codes below 4000 (1001, 1005, 1006, a proxy's own) mean that the
 * connection was lost on the way; from 4000 they are a newer server's, which must have its reason.
 * @param {number} code
 * @returns {CloseReason}
 */
export function closeReason(code) {
  for (const known of CLOSE_REASONS) if (known.code === code) return known;
  return { ...(code < 4000 ? LOST : UNKNOWN), code };
}
