// Why no session comes about. A browser does not tell a page why a WebSocket failed, so ordinary requests are asked
// instead: what they meet on the same way says whether the device, the network, the server or only WebSockets are missing.

/** @typedef {import('./addresses.js').Addresses} Addresses */
/**
 * @typedef {object} Finding
 * @property {'offline' | 'silent' | 'restarting' | 'away' | 'other' | 'blocked'} kind
 * @property {string} title
 * @property {string} text what is known, and what can be done about it
 */
/**
 * @typedef {(url: string) => Promise<{ status: number, text: string }>} Ask rejects if nothing answers; a redirect, which
 *   the game's server never makes here, has the status 0
 */

/** Statuses of a server that hides an address, or of a network that wants something first. */
const REFUSED = new Set([401, 403, 404, 405, 511]);

/**
 * @param {Addresses} addresses
 * @param {Ask} ask
 * @param {boolean} online what the browser says of the device
 * @returns {Promise<Finding>}
 */
export async function whyUnreached(addresses, ask, online) {
  const { host } = new URL(addresses.home);
  if (!online) return { kind: 'offline', title: 'You are offline', text: 'This device has no connection to a network.' };
  let health;
  try {
    health = await ask(addresses.health);
  } catch {
    return { kind: 'silent', title: 'No answer', text: `${host} does not answer: the server is down, or the way to it is.` };
  }
  const { status, text } = health;
  if (status === 200 && text.trim() === 'ok') return blocked(addresses, host);
  if (status === 503 && text.trim() === 'shutting down') {
    return { kind: 'restarting', title: 'The server restarts', text: 'The server is restarting.' };
  }
  if (status >= 500 && status !== 511) {
    return { kind: 'away', title: 'The server is away', text: `${host} answers, but not the game's server behind it (status ${status}).` };
  }
  // A proxy may keep /health to itself; the list of matches is part of the page.
  if (REFUSED.has(status) && await listsMatches(addresses, ask)) return blocked(addresses, host);
  return {
    kind: 'other', title: 'Something else answers',
    text: `What answers at ${host} is not the game's server${status === 0 || status === 200 ? '' : ` (status ${status})`}. `
      + 'Perhaps this network wants you to sign in first: open any other page to see.',
  };
}

/**
 * @param {Addresses} addresses
 * @param {string} host
 * @returns {Finding}
 */
function blocked({ socket }, host) {
  return {
    kind: 'blocked', title: 'Not reachable by WebSocket',
    text: `${host} answers, but not by WebSocket, which the game needs: a proxy, a firewall or an extension of this browser `
      + `seems to block it. Ask whoever runs this network, or the server's proxy, to let WebSockets (HTTP Upgrade) through `
      + `to ${socket}, or try another network.`,
  };
}

/**
 * @param {Addresses} addresses
 * @param {Ask} ask
 */
async function listsMatches(addresses, ask) {
  try {
    const { status, text } = await ask(addresses.rooms);
    return status === 200 && Array.isArray(JSON.parse(text).rooms);
  } catch {
    return false;
  }
}

/** What is known of the way to the server, looked at anew whenever an attempt fails. */
export class Reach {
  /**
   * @param {() => Promise<Finding>} find
   * @param {() => void} told called when something was found
   */
  constructor(find, told) {
    this.#find = find;
    this.#told = told;
  }

  #find;
  #told;
  #looking = 0;
  /** @type {Finding | null} */
  found = null;

  /** Looks, and tells; what an earlier look still finds is not news any more. */
  look() {
    const mine = ++this.#looking;
    void this.#find().then((found) => {
      if (mine !== this.#looking) return;
      this.found = found;
      this.#told();
    });
  }

  /** A session began, or nobody wants one any more. */
  forget() {
    this.#looking += 1;
    this.found = null;
  }
}
