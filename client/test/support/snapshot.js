import { encodeServer } from '../../protocol/index.js';

/**
 * @param {Partial<import('../../protocol/messages.js').Snapshot>} header
 * @param {Uint8Array} body
 */
export function snapshotBytes(header, body) {
  return encodeServer({
    type: 'snapshot', tick: 0, base: 0, ack: 0, margin: 0, flags: 0, lateness: 0, skipped: 0, ...header, bytes: body, bodyAt: 0,
  });
}
