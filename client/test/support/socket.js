// A WebSocket for Node as a transport of the client core: what a page has, and a close code of one's own choice, which a
// page has not. Only what a client needs of RFC 6455; Node below 22 brings none of its own.

import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CONTINUED = 0;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/**
 * One frame, masked as a client's must be.
 * @param {number} opcode
 * @param {Uint8Array} payload
 */
function frame(opcode, payload) {
  const { length } = payload;
  const head = length < 126 ? [0x80 | length] : length < 65_536 ? [0x80 | 126, length >> 8, length & 255] : [];
  if (head.length === 0) throw new Error(`a client's message of ${length} bytes`);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head]), mask, payload.map((byte, i) => byte ^ mask[i & 3])]);
}

/**
 * Takes the first whole frame off what came.
 * @param {Buffer} bytes
 * @returns {{ last: boolean, opcode: number, payload: Buffer, rest: Buffer } | null}
 */
function takeFrame(bytes) {
  if (bytes.length < 2) return null;
  let length = bytes[1] & 127;
  let at = 2;
  if (length >= 126) {
    at = length === 126 ? 4 : 10;
    if (bytes.length < at) return null;
    length = length === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  }
  if (bytes.length < at + length) return null;
  return { last: (bytes[0] & 128) !== 0, opcode: bytes[0] & 15, payload: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) };
}

/** @type {import('../../net/connection.js').Transport} */
export function nodeTransport(url, events) {
  const { hostname, port, pathname, host } = new URL(url);
  const key = randomBytes(16).toString('base64');
  const socket = connect({ host: hostname, port: Number(port) });
  /** @type {Buffer} */
  let coming = Buffer.alloc(0);
  let open = false;
  let code = 1006;
  let told = false;
  /** @type {Buffer[]} */
  let parts = [];
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('connect', () => socket.write([
    `GET ${pathname} HTTP/1.1`, `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`, '', '',
  ].join('\r\n')));
  socket.on('close', () => {
    if (!told) events.close(code);
    told = true;
  });
  socket.on('data', (data) => {
    coming = Buffer.concat([coming, data]);
    if (!open && !upgraded()) return;
    for (let next = takeFrame(coming); next !== null; next = takeFrame(coming)) {
      coming = next.rest;
      heard(next);
    }
  });

  function upgraded() {
    const end = coming.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = coming.subarray(0, end).toString('latin1').toLowerCase();
    const accept = createHash('sha1').update(key + MAGIC).digest('base64').toLowerCase();
    if (!head.startsWith('http/1.1 101') || !head.includes(accept)) {
      socket.destroy();
      return false;
    }
    coming = coming.subarray(end + 4);
    open = true;
    events.open();
    return true;
  }

  /** @param {NonNullable<ReturnType<typeof takeFrame>>} next */
  function heard({ last, opcode, payload }) {
    if (opcode === PING) socket.write(frame(PONG, payload));
    else if (opcode === CLOSE) {
      code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      socket.end(frame(CLOSE, payload.subarray(0, 2)));
    } else if (opcode === BINARY || opcode === CONTINUED) {
      parts.push(payload);
      if (!last) return;
      const whole = Buffer.concat(parts);
      parts = [];
      events.message(new Uint8Array(whole));
    }
  }

  return {
    send(bytes) {
      if (open && socket.writable) socket.write(frame(BINARY, bytes));
    },
    close(why) {
      told = true;
      if (!open) socket.destroy();
      else if (socket.writable) socket.end(frame(CLOSE, Buffer.from(why === undefined ? [] : [why >> 8, why & 255])));
    },
  };
}
