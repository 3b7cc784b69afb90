// The protocol's client side: bytes, messages, a view of the world, close reasons. No DOM, no clock, no socket, no game:
// lift this folder alone into another page or Node project.

export {
  CLIENT_MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX, ProtocolError, Reader, Writer, fromHex, toHex,
} from './bytes.js';
export { BitReader, BitWriter, ORDER_MAX } from './bits.js';
export {
  AGE_ORDER, FIELDS_MAX, GAP_ORDER, INPUT_FIELDS_MAX, KINDS_MAX, KIND_ORDER, TURN, applyDifference, checkSchema, difference,
  moves, origin, quantise, readSchema, rulesHash, valueMask, writeSchema,
} from './schema.js';
export {
  CLIENT_MESSAGES, FLAG_DIGEST, FLAG_EVENTS_LOST, FLAG_NO_INPUT, FLAG_STARVED, PRESENCES, PROTOCOL_VERSION, SERVER_MESSAGES,
  ServerDecoder, TIERS, WISHES, decodeClient, decodeServer, encodeClient, encodeServer,
} from './messages.js';
export { CLOSE_REASONS, closeReason } from './close.js';
export { ENTITY_ID_MAX, View } from './view.js';
export { RosterBook } from './roster.js';
export { digestOf, encodeBody } from './snapshot.js';
