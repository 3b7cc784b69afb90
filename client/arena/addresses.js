// Where the page, the server's interfaces and a match are found: all of it beside the page itself, so that a proxy may
// serve the game under a path of its own (`https://HOST/game/`).

/**
 * @typedef {object} Addresses
 * @property {string} home the page without any wish, to be shared or opened
 * @property {string} socket of sessions
 * @property {string} rooms the list of open matches
 * @property {string} health answers `ok` where nothing but HTTP is needed
 * @property {(code: string) => string} match the link to a match
 */

/**
 * @param {string} base `document.baseURI`: the page's own address, whatever name and query it was opened with
 * @returns {Addresses}
 */
export function addressesFrom(base) {
  const home = new URL('.', base);
  // A browser refuses to fetch an address with a password in it, and a link must not give it away.
  home.username = '';
  home.password = '';
  const at = (/** @type {string} */ path) => new URL(path, home);
  const socket = at('ws');
  socket.protocol = home.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    home: home.href,
    socket: socket.href,
    rooms: at('api/rooms').href,
    health: at('health').href,
    match: (code) => at(`?room=${encodeURIComponent(code)}`).href,
  };
}
