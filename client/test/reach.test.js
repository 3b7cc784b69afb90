// What a player reads while no session comes about: what is true, and what helps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesFrom } from '../arena/addresses.js';
import { Reach, whyUnreached } from '../arena/reach.js';
import { waitingWords } from '../arena/screens/waiting.js';
import { closeReason } from '../protocol/close.js';

const addresses = addressesFrom('https://play.example/game/');
const ROOMS = '{"rooms":[]}';

/**
 * @param {Record<string, [number, string] | null>} answers by the path below /game/; null: none
 * @param {boolean} [online]
 */
const find = (answers, online = true) => whyUnreached(addresses, async (url) => {
  const answer = answers[url.replace('https://play.example/game/', '')] ?? null;
  if (answer === null) throw new TypeError('Failed to fetch');
  return { status: answer[0], text: answer[1] };
}, online);

test('ordinary requests tell what is missing: the device, the network, the server, or only WebSockets', async () => {
  for (const [kind, words, answers, online] of /** @type {[string, RegExp, Record<string, [number, string] | null>, boolean?][]} */ ([
    ['offline', /no connection to a network/, { health: [200, 'ok\n'] }, false],
    ['silent', /play\.example does not answer/, {}],
    ['blocked', /not by WebSocket.* Ask whoever runs this network.* wss:\/\/play\.example\/game\/ws/, { health: [200, 'ok\n'] }],
    ['restarting', /restarting/, { health: [503, 'shutting down\n'] }],
    ['away', /status 502/, { health: [502, '<h1>Bad Gateway</h1>'] }],
    ['away', /status 503/, { health: [503, ''] }],
    ['away', /status 504/, { health: [504, ''], 'api/rooms': [200, ROOMS] }],
    ['blocked', /not by WebSocket/, { health: [404, 'Not found'], 'api/rooms': [200, ROOMS] }],
    ['blocked', /not by WebSocket/, { health: [403, ''], 'api/rooms': [200, ROOMS] }],
    ['other', /status 404.* sign in/, { health: [404, ''], 'api/rooms': [404, ''] }],
    ['other', /status 404/, { health: [404, ''] }],
    ['other', /status 511/, { health: [511, '<p>Pay first</p>'], 'api/rooms': [511, ''] }],
    ['other', /sign in/, { health: [200, '<p>Welcome to Hotel</p>'], 'api/rooms': [200, '<p>Welcome to Hotel</p>'] }],
    ['other', /sign in/, { health: [0, ''] }],
  ])) {
    const found = await find(answers, online);
    assert.equal(found.kind, kind, JSON.stringify(answers));
    assert.match(found.text, words);
    assert.ok(found.title !== '' && found.text.endsWith('.'), found.text);
  }
});

/** @type {import('../arena/screens/waiting.js').Waiting} */
const FIRST = { welcomed: false, keptMs: null, reason: null, found: null, attempt: 0, seconds: 0 };
const LOST = closeReason(1006);
const text = (/** @type {Partial<import('../arena/screens/waiting.js').Waiting>} */ more) => {
  const words = waitingWords({ ...FIRST, ...more });
  return `${words.title} | ${words.text} | ${words.leave}`;
};

test('nobody is told of a seat that is not kept, and everybody of one that is', async () => {
  const blocked = await find({ health: [200, 'ok\n'] });
  const silent = await find({});
  const offline = await find({}, false);
  for (const found of [null, blocked, silent, offline]) {
    for (const reason of [null, LOST, closeReason(1013), closeReason(1012)]) {
      for (let attempt = 0; attempt < 5; attempt++) {
        assert.doesNotMatch(text({ found, reason, attempt, seconds: 1 }), /seat is kept|Reconnecting|was lost/);
        assert.doesNotMatch(text({ welcomed: true, found, reason, attempt, seconds: 1 }), /[Yy]our seat/, 'a spectator');
        assert.match(text({ welcomed: true, keptMs: 29_500, found, reason, attempt }), /^Reconnecting … \| .*Your seat is kept for 30 s\. Trying now … \| Leave$/);
        assert.match(text({ welcomed: true, keptMs: -1, found, reason, attempt }), /may be given away/);
      }
    }
  }
});

test('the first connection says what it waits for', async () => {
  const blocked = await find({ health: [200, 'ok\n'] });
  assert.equal(text({}), 'Connecting … | Finding you a seat. | Cancel');
  assert.equal(text({ reason: LOST, attempt: 1, seconds: 0.5 }), 'Connecting … | No connection yet. Next attempt in 1 s. | Cancel');
  assert.match(text({ reason: LOST, found: blocked, attempt: 1, seconds: 3.2 }), /^Not reachable by WebSocket \| .* Next attempt in 4 s\. \| Cancel$/);
  assert.match(text({ reason: closeReason(1013), found: blocked, attempt: 1 }), /^The server is full \| The server is full right now\./);
});

test('whoever played a moment ago is not told at once that WebSockets are blocked', async () => {
  const blocked = await find({ health: [200, 'ok\n'] });
  const silent = await find({});
  assert.match(text({ welcomed: true, reason: LOST, found: blocked, attempt: 1 }), /The connection was lost\./);
  assert.match(text({ welcomed: true, reason: LOST, found: blocked, attempt: 3 }), /not by WebSocket/);
  assert.match(text({ welcomed: true, reason: LOST, found: silent, attempt: 1 }), /does not answer/);
  assert.match(text({ welcomed: true, reason: closeReason(1012), found: silent, attempt: 1 }), /server is restarting/, 'the server said more');
});

test('a look that is overtaken tells nothing', async () => {
  /** @type {((found: any) => void)[]} */
  const answers = [];
  let told = 0;
  const reach = new Reach(() => new Promise((resolve) => answers.push(resolve)), () => { told += 1; });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  reach.look();
  reach.look();
  answers[1]({ kind: 'silent' });
  answers[0]({ kind: 'blocked' });
  await settle();
  assert.deepEqual([reach.found?.kind, told], ['silent', 1]);
  reach.look();
  reach.forget();
  answers[2]({ kind: 'blocked' });
  await settle();
  assert.deepEqual([reach.found, told], [null, 1]);
});
