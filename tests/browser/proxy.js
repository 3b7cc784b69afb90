// A small reverse proxy of the kinds that stand in front of a server: it serves the game under a path of its own, and may
// be of those that let no WebSocket through.

import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { after } from 'node:test';

const running = new Set();
after(() => {
  for (const proxy of running) proxy.end();
});

export class Proxy {
  /**
   * @param {{ port: number }} server what lies behind it; may be away
   * @param {object} [how]
   * @param {string} [how.prefix] `/game`: only what lies below is passed on, without it
   * @param {'pass' | 'cut' | 'hold' | number} [how.sockets] what becomes of an upgrade: passed on, the connection cut, held
   *   without an answer, or refused with this status
   * @param {Record<string, [number, string]>} [how.answers] by path: the proxy's own status and text instead of the server's
   */
  static async start(server, { prefix = '', sockets = 'pass', answers = {} } = {}) {
    const proxy = new Proxy();
    Object.assign(proxy, { server, prefix, sockets, answers, upgrades: 0, held: new Set() });
    proxy.http = createServer((ask, answer) => proxy.#pass(ask, answer));
    proxy.http.on('upgrade', (ask, socket, head) => proxy.#upgrade(ask, socket, head));
    proxy.http.on('connection', (socket) => {
      proxy.held.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => proxy.held.delete(socket));
    });
    proxy.http.listen(0, '127.0.0.1');
    await once(proxy.http, 'listening');
    running.add(proxy);
    proxy.origin = `http://127.0.0.1:${proxy.http.address().port}`;
    proxy.url = `${proxy.origin}${prefix}/`;
    return proxy;
  }

  /** The path behind the proxy, or null if it is none of the game's. */
  #behind(url) {
    return url.startsWith(`${this.prefix}/`) ? url.slice(this.prefix.length) : null;
  }

  #pass(ask, answer) {
    const path = this.#behind(ask.url);
    if (path === null && ask.url.split('?')[0] === this.prefix) {
      // As nginx and Caddy do: the page's own addresses are beside it only with the slash.
      answer.writeHead(301, { location: ask.url.replace(this.prefix, `${this.prefix}/`) }).end();
      return;
    }
    const own = path === null ? [404, 'No such page.\n'] : this.answers[path.split('?')[0]];
    if (own !== undefined) {
      answer.writeHead(own[0], { 'content-type': 'text/html' }).end(own[1]);
      return;
    }
    const on = request({ host: '127.0.0.1', port: this.server.port, path, method: ask.method, headers: ask.headers }, (came) => {
      answer.writeHead(came.statusCode, came.headers);
      came.pipe(answer);
    });
    on.on('error', () => answer.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502 Bad Gateway</h1>\n'));
    ask.pipe(on);
  }

  #upgrade(ask, socket, head) {
    this.upgrades += 1;
    const path = this.#behind(ask.url);
    const status = path === null ? 404 : this.sockets;
    if (status === 'hold') return;
    if (status === 'cut') {
      socket.destroy();
      return;
    }
    if (status !== 'pass') {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const on = connect(this.server.port, '127.0.0.1', () => {
      const lines = [`${ask.method} ${path} HTTP/1.1`];
      for (let at = 0; at < ask.rawHeaders.length; at += 2) lines.push(`${ask.rawHeaders[at]}: ${ask.rawHeaders[at + 1]}`);
      on.write(`${lines.join('\r\n')}\r\n\r\n`);
      on.write(head);
      on.pipe(socket).pipe(on);
    });
    on.on('error', () => socket.destroy());
    on.on('close', () => socket.destroy());
    socket.on('close', () => on.destroy());
  }

  /** Cuts every connection, and every new WebSocket until `sockets` says otherwise. */
  away() {
    this.sockets = 'cut';
    for (const socket of this.held) socket.destroy();
  }

  end() {
    running.delete(this);
    for (const socket of this.held) socket.destroy();
    this.http.close();
  }
}
