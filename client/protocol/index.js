// The protocol's client side: bytes, messages, a view of the world, close reasons. No DOM, no clock, no socket, no game:
// lift this folder alone into another page or Node project.

export * from './bytes.js';
export * from './schema.js';
export * from './messages.js';
export * from './close.js';
export { ENTITY_ID_MAX, View } from './view.js';
export { RosterBook } from './roster.js';
export { digestOf, encodeBody } from './snapshot.js';
