// The parts of the page that are plain arithmetic or plain words.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { addressesFrom } from '../arena/addresses.js';
import { OTHERS, SELF, seatColor, seatShape } from '../arena/draw/palette.js';
import { levelsFor, steer, turnBetween } from '../arena/input.js';
import { endingFor } from '../arena/screens/endings.js';
import { openSettings } from '../arena/settings.js';
import { CLOSE_REASONS, closeReason } from '../protocol/close.js';

test('steering to a direction arrives the shortest way, and stays there', () => {
  const perTick = 728 / 65_536;
  for (let from = 0; from < 1; from += 0.061) {
    for (const to of [0, 0.13, 0.5, 0.77, 0.999]) {
      let heading = from;
      const way = turnBetween(from, to);
      let turned = 0;
      for (let tick = 0; tick < 60; tick++) {
        const level = steer(heading, to, perTick);
        assert.ok(level >= -1 && level <= 1, `level ${level}`);
        heading += level * perTick;
        turned += Math.abs(level * perTick);
      }
      assert.ok(Math.abs(turnBetween(heading, to)) < 0.0012, `from ${from} to ${to}: stopped at ${heading}`);
      assert.ok(turned < Math.abs(way) + 0.01, `from ${from} to ${to}: turned ${turned} for a way of ${way}`);
    }
  }
});

test('controls become levels by the names and ranges of the schema', () => {
  const level = (/** @type {string} */ name, /** @type {number} */ min, /** @type {number} */ max) => (
    { name, min, max, neutral: 0, sort: /** @type {const} */ ('level') });
  const schema = { game: '', rules: 0, kinds: [], events: [], inputs: [level('turn', -100, 100), level('thrust', -50, 127), level('fire', 0, 1), { ...level('dash', 0, 255), sort: /** @type {const} */ ('press') }] };
  const levels = levelsFor(schema)({ thrust: -1, turn: 0.5, fire: 1, beam: 1 });
  assert.deepEqual(levels, { turn: 50, thrust: -50, fire: 1 });
});

test('every reason why a session ends gives the player a title, a sentence and a way on', () => {
  const wishes = /** @type {import('../arena/screens.js').Wish[]} */ ([
    { kind: 'quick' }, { kind: 'code', code: 'ABCD' }, { kind: 'create', private: true }, { kind: 'spectate', code: null },
  ]);
  for (const reason of [...CLOSE_REASONS, closeReason(1006)]) {
    for (const wish of wishes) {
      const { title, text, offers } = endingFor(reason, wish);
      assert.notEqual(title, 'The session ended', `${reason.name} has no title of its own`);
      assert.ok(text.endsWith('.'), reason.name);
      assert.ok(offers.length > 0 && offers.every(({ label }) => label !== ''), reason.name);
      assert.ok(offers.some(({ kind }) => kind === 'home'), `${reason.name} leads nowhere else`);
    }
  }
});

test('every address lies beside the page, however that was opened', () => {
  for (const [base, home] of [
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/'],
    ['https://play.example/game/', 'https://play.example/game/'],
    ['https://play.example/game/index.html?room=BCDF&spectate#x', 'https://play.example/game/'],
    ['https://play.example/a/b/?next=/c/', 'https://play.example/a/b/'],
    ['https://ada:secret@play.example/game/', 'https://play.example/game/'],
    ['http://[::1]:8080/game/?room=BCDF', 'http://[::1]:8080/game/'],
  ]) {
    const { home: start, socket, rooms, health, match } = addressesFrom(base);
    const wire = home.replace('http', 'ws');
    assert.deepEqual([start, socket, rooms, health], [home, `${wire}ws`, `${home}api/rooms`, `${home}health`], base);
    assert.equal(match('BC DF'), `${home}?room=BC%20DF`);
  }
});

test('settings that the browser does not keep last as long as the page', () => {
  const fails = () => { throw new Error('SecurityError'); };
  const full = /** @type {any} */ ({ getItem: () => 'old', setItem: fails });
  const none = /** @type {any} */ (null);
  const throws = /** @type {any} */ ({ getItem: fails, setItem: fails });
  for (const [open, before] of /** @type {[() => Storage, string | null][]} */ ([
    [fails, null], [() => none, null], [() => throws, null], [() => full, 'old'],
  ])) {
    const settings = openSettings(open);
    assert.equal(settings.getItem('name'), before);
    settings.setItem('name', 'Ada');
    assert.equal(settings.getItem('name'), 'Ada');
  }
});

test('seats are told apart by colour and hull, and none of them looks like yours', () => {
  const looks = new Set();
  for (let seat = 0; seat < 48; seat++) looks.add(`${seatColor(seat)} ${seatShape(seat)}`);
  assert.equal(looks.size, 48);
  const channels = (/** @type {string} */ hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  for (const other of OTHERS) {
    // What the common kinds of colour blindness keep is the way from blue to yellow: yours is the blue end.
    const yellowness = (/** @type {string} */ hex) => {
      const [r, g, b] = channels(hex);
      return (r + g) / 2 - b;
    };
    const apart = Math.max(yellowness(other) - yellowness(SELF), channels(other)[0] - channels(SELF)[0]);
    assert.ok(apart > 80, `${other} is too near to ${SELF}: ${apart}`);
  }
});

/**
 * Every module that a page loads which begins with this one.
 * @param {URL} from
 * @param {Set<string>} [found]
 */
function modulesOf(from, found = new Set()) {
  if (found.has(from.href)) return found;
  found.add(from.href);
  for (const [, target] of readFileSync(from, 'utf8').matchAll(/^(?:import|export)\s[^'";]*?from '([^']+)';$/gm)) {
    modulesOf(new URL(target, from), found);
  }
  return found;
}

test('what the page asks for ahead of time are its own modules, and so many that no long chain of requests is left', () => {
  const page = new URL('../index.html', import.meta.url);
  const modules = modulesOf(new URL('../main.js', import.meta.url));
  const ahead = [...readFileSync(page, 'utf8').matchAll(/<link rel="modulepreload" href="([^"]+)">/g)]
    .map(([, path]) => new URL(path, page).href);
  for (const path of ahead) assert.ok(modules.has(path), `${path} is not a module of the page`);
  assert.equal(new Set(ahead).size, ahead.length, 'one is named twice');
  // A module that is not named costs its visitors one round trip more, not a fault: a few may be missing.
  assert.ok(modules.size - ahead.length <= 5, `${modules.size - ahead.length} of ${modules.size} modules are missing`);
});
