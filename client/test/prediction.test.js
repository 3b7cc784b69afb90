// The own ship over whole links: prediction, reconciliation, smoothing, the answer to a key press, stalls, hidden tabs.

import assert from 'node:assert/strict';
import test from 'node:test';

import { L0, L100, L250, play, quantile } from './support/play.js';

/** @typedef {ReturnType<typeof play>} Game */

/**
 * Restless play: controls change about five times a second.
 * @param {Game} game
 */
const restless = (game) => () => {
  const { random, client } = game;
  if (random.chance(0.08)) client.setControls({ thrust: random.whole(-10, 10), turn: random.whole(-10, 10), fire: random.whole(0, 1) });
  if (random.chance(0.01)) client.press('dash');
};

for (const [name, link] of /** @type {[string, import('./support/play.js').Profile][]} */ ([['L0', L0], ['L100', L100], ['L250', L250]])) {
  test(`${name}: without late inputs every state word is exactly as predicted, and the ship really flies`, () => {
    const game = play({ up: link });
    game.client.connect();
    let turns = 0;
    let path = 0;
    let before = { x: 0, heading: 0 };
    game.run(60_000, {
      each: restless(game),
      after: ({ own }) => {
        if (!own) return;
        path += Math.abs(own.x - before.x);
        if (own.heading !== before.heading) turns += 1;
        before = { x: own.x, heading: own.heading };
      },
    });
    const { reconcile } = game.log;
    const known = reconcile.filter((r) => r.known);
    const inexact = known.filter((r) => !r.exact);
    const { late, taken, waits } = game.server.queue;
    assert.ok(known.length > 1500 && known.length >= reconcile.length - 2, `${known.length} of ${reconcile.length} compared`);
    assert.ok(path > 3000 && turns > 1000, `${path} u flown, ${turns} frames turned`);
    assert.ok(late / taken <= (name === 'L250' ? 0.03 : 0.01), `${late} of ${taken} inputs came late`);
    assert.ok(waits.reduce((a, b) => a + b, 0) / waits.length <= 2, 'mean wait');
    // A late input is applied later than predicted: at most one correction each, and nothing else corrects.
    assert.ok(inexact.length <= late, `${inexact.length} of ${known.length} reconciles were not exact, ${late} inputs were late`);
    assert.equal(game.log.resync.length, 0);
  });
}

test('a step that differs by one unit shows in the drift: the comparison can fail', () => {
  const game = play({ up: L100, client: {} });
  const adapter = game.client.game;
  assert.ok(adapter);
  const { step } = adapter;
  adapter.step = (state, input, spawns) => {
    step(state, input, spawns);
    state.vx += input.levels[0] === 10 ? 1 : 0;
  };
  game.client.connect();
  game.client.setControls({ thrust: 10 });
  game.run(5000);
  assert.ok(game.log.reconcile.filter((r) => r.known && !r.exact).length > 50);
});

for (const fps of [60, 144]) {
  for (const [name, link] of /** @type {[string, import('./support/play.js').Profile][]} */ ([['L0', L0], ['L250', L250]])) {
    test(`${name} at ${fps} Hz: a key shows in the very frame in which it is down`, () => {
      for (let offset = 0; offset < 5; offset++) {
        // The same run twice, with the key and without: the first frame that differs answers the key.
        const runs = [true, false].map((pressed) => {
          const game = play({ up: link, fps });
          game.client.connect();
          /** @type {{ x: number, y: number }[]} */
          const poses = [];
          const at = 4000 + offset * 5;
          let frame = -1;
          let count = 0;
          game.run(4300, {
            each: (now) => {
              count += 1;
              if (pressed && now >= at && frame < 0) {
                frame = count - 1;
                game.client.setControls({ thrust: 10 });
              }
            },
            after: ({ own }) => poses.push(own ? { x: own.x, y: own.y } : { x: NaN, y: NaN }),
          });
          return { poses, frame };
        });
        const first = runs[0].poses.findIndex((pose, i) => !Object.is(pose.x, runs[1].poses[i].x));
        assert.ok(first === runs[0].frame || first === runs[0].frame + 1, `frame ${first}, key in frame ${runs[0].frame}`);
      }
    });
  }
}

test('a correction snaps in the state and decays in the picture: under 1 u within 200 ms, no step above 8 u', () => {
  const game = play({ up: L250 });
  game.client.connect();
  /** @type {{ now: number, x: number, offset: number, vx: number }[]} */
  const frames = [];
  let struck = 0;
  game.run(8000, {
    each: (now) => {
      if (now >= 5000 && struck === 0) {
        // Something that nobody could predict throws the ship 24 u aside.
        struck = now;
        game.server.ship.x += 24 * 4096;
      }
    },
    after: ({ own, offset }, now) => {
      if (own) frames.push({ now, x: own.x, offset: offset.x, vx: game.server.ship.vx / 4096 });
    },
  });
  const seen = frames.findIndex((frame) => Math.abs(frame.offset) > 1);
  assert.ok(seen > 0, 'the correction came');
  for (let i = seen; i < frames.length; i++) {
    const step = Math.abs(frames[i].x - frames[i - 1].x - frames[i].vx);
    assert.ok(step <= 8, `a step of ${step} u`);
    if (frames[i].now - frames[seen].now >= 200) assert.ok(Math.abs(frames[i].offset) < 1, `${frames[i].offset} u after ${frames[i].now - frames[seen].now} ms`);
  }
  assert.ok(Math.abs(frames.at(-1)?.x ?? 0) > 20, 'the ship is where the server put it');
  game.client.set('smoothing', false);
  game.server.ship.x -= 24 * 4096;
  const after = frames.length;
  game.run(9000, { after: ({ own, offset }, now) => own && frames.push({ now, x: own.x, offset: offset.x, vx: 0 }) });
  const steps = frames.slice(after + 1).map((frame, i) => Math.abs(frame.x - frames[after + i].x));
  assert.ok(Math.max(...steps) > 20, 'without smoothing the same correction is one jump');
});

test('a respawn does not smear, and a dead ship is not drawn', () => {
  const game = play({ up: L100 });
  game.client.connect();
  game.client.setControls({ thrust: 10 });
  game.run(4000);
  game.server.alive = false;
  game.run(5000);
  assert.equal(game.client.frame(game.clock()).own, null);
  Object.assign(game.server.ship, { x: -50 * 4096, vx: 0, life: 2 });
  game.server.alive = true;
  let most = 0;
  game.run(6000, { after: ({ offset }) => { most = Math.max(most, Math.abs(offset.x)); } });
  assert.equal(most, 0);
  assert.ok(game.client.frame(game.clock()).own);
});

test('own shots appear at once and are handed over to the server\'s without a jump', () => {
  const game = play({ up: L250 });
  game.client.connect();
  game.run(4000);
  game.client.setControls({ fire: 1 });
  const pressed = game.world.now;
  /** @type {number | null} */
  let first = null;
  /** Place in flight by birth. @type {Map<number, { x: number, now: number, predicted: boolean }>} */
  const flights = new Map();
  let handed = 0;
  let worst = 0;
  game.run(8000, {
    after: (scene, now) => {
      for (const bolt of scene.of('bolt')) {
        const { x, vx, born } = bolt.row;
        const place = x + vx * (bolt.tick - born);
        first ??= now;
        assert.ok(bolt.mine);
        const before = flights.get(born);
        if (before) {
          const step = place - before.x;
          assert.ok(step >= -0.1, `a shot flew back by ${-step}`);
          worst = Math.max(worst, step / ((now - before.now) * 0.06 * 5));
          if (before.predicted && !bolt.predicted) handed += 1;
        }
        flights.set(born, { x: place, now, predicted: bolt.predicted });
      }
    },
  });
  assert.ok(first !== null && first - pressed <= 12 * 17, `the first shot after ${first} - ${pressed} ms`);
  assert.ok(handed >= 15, `${handed} were handed over`);
  assert.ok(worst <= 1.1, `a shot moved ${worst} times as fast as it flies`);
});

test('an uplink stall of 500 ms: neutral after the starvation time, no burst, no press counted twice', () => {
  const game = play({ up: { ...L100, stallEvery: 5000, stall: 500 }, down: L100 });
  game.client.connect();
  let pressed = 0;
  let fastest = 0;
  let starved = 0;
  let last = { tick: 0, x: 0 };
  game.run(31_000, {
    each: (now) => {
      game.client.setControls({ thrust: now % 2000 < 1000 ? 10 : -10 });
      if (Math.floor(now / 700) !== Math.floor((now - 17) / 700)) {
        game.client.press('dash');
        pressed += 1;
      }
    },
    after: () => {
      const { tick, ship, queue } = game.server;
      if (queue.starved && tick > 200) starved += 1;
      if (tick > last.tick && last.tick > 0) fastest = Math.max(fastest, Math.abs(ship.x - last.x) / 4096 / (tick - last.tick));
      last = { tick, x: ship.x };
    },
  });
  assert.ok(starved > 20, `${starved} starved ticks`);
  assert.ok(game.server.ship.dashes <= pressed, `${game.server.ship.dashes} dashes of ${pressed} presses`);
  assert.ok(game.server.ship.dashes >= pressed * 0.8, `${game.server.ship.dashes} dashes of ${pressed} presses`);
  // The fastest that the rules allow: full thrust against drag, and two dashes.
  assert.ok(fastest < (600 * 64 + 8000) / 4096 + 0.2, `${fastest} u in a tick`);
  assert.ok(game.client.session && Math.abs(game.client.session.pace.extra) < 6, 'the stall did not stretch the lead');
});

test('a hidden tab is neutral, keeps its seat, and is in step within 250 ms of its return, without a backlog', () => {
  const game = play({ up: L100, timers: true });
  game.client.connect();
  game.client.setControls({ thrust: 10, turn: 5 });
  game.run(4000);
  game.client.setHidden(true);
  game.world.run(5000);
  assert.deepEqual(game.server.queue.levels.slice(0, 2), [0, 0]);
  game.world.run(34_000);
  assert.equal(game.client.phase, 'playing');
  game.client.setHidden(false);
  const back = game.world.now;
  const before = game.log.reconcile.length;
  /** @type {number | null} */
  let inStep = null;
  game.run(36_000, {
    after: (scene, now) => {
      const exact = game.log.reconcile.slice(before).at(-1)?.exact;
      const near = Math.abs(scene.ownTick - game.trueTick() - (game.client.session?.pace.lead ?? 0)) < 2;
      if (exact && near && game.trueTick() - scene.tick < 12) inStep ??= now;
    },
  });
  assert.ok(inStep !== null && inStep - back <= 250, `in step after ${inStep} - ${back} ms`);
  assert.ok(game.client.stats().replayed < 20);
  assert.deepEqual(game.server.queue.levels.slice(0, 2), [10, 5], 'the keys that are still down count again');
  assert.ok(game.log.event.every((event) => event.tick > 0 && (event.at ?? 0) - event.tick < 120));
});

test('time that the server skips moves everything over without a jump of the own ship', () => {
  const game = play({ up: L100 });
  game.client.connect();
  game.client.setControls({ thrust: 5 });
  game.run(4000);
  game.server.skipped += 7;
  const { tick } = game.server;
  let last = game.client.frame(game.clock()).tick;
  let back = 0;
  game.run(9000, { after: (scene) => { if (scene.tick < last) back += 1; last = scene.tick; } });
  assert.ok(game.server.tick > tick);
  assert.equal(back, 0);
  assert.ok(Math.abs((game.client.session?.serverTick(game.clock()) ?? 0) - game.trueTick()) < 1);
  assert.ok(game.log.reconcile.slice(-60).every((r) => r.exact));
});

test('a lost snapshot is noticed and asked for again, at most once a second', () => {
  const game = play({ up: L100 });
  game.client.connect();
  game.run(3000);
  for (let tick = 200; tick < 206; tick++) game.server.loseTicks.add(tick);
  game.run(6000);
  assert.equal(game.server.messages.resync, 1);
  assert.match(game.log.resync[0], /relative to tick|digest/);
  assert.equal(game.client.session?.view.synced, true);
});

test('events are told when the picture reaches them', () => {
  const game = play({ up: L100 });
  game.client.connect();
  game.run(10_000);
  assert.ok(game.log.event.length >= 8);
  for (const { kind, fields, tick, at } of game.log.event) {
    assert.equal(kind, 'tock');
    assert.equal(fields.number, tick + 1);
    assert.ok(at - tick >= 0 && at - tick < 1.1, `told ${at - tick} ticks after it was shown`);
  }
});

test('each technique can be switched off, and is seen to be off', () => {
  const game = play({ up: L250, server: { bots: 4 } });
  game.client.connect();
  game.client.setControls({ thrust: 10 });
  game.run(4000);
  const lag = () => {
    const { own } = game.client.frame(game.clock());
    return own ? own.x : NaN;
  };
  const predicted = lag();
  game.client.set('prediction', false);
  assert.notEqual(lag(), predicted);
  game.client.set('prediction', true);
  assert.equal(lag(), predicted);
  assert.ok(game.server.queue.seenAgo > 200, 'others are shown over 12 ticks behind the input');
  game.client.set('lagCompensation', false);
  game.client.set('interpolation', false);
  game.run(5000, {
    after: (scene) => {
      assert.equal(scene.tick, game.client.session?.view.tick);
      assert.equal(scene.extrapolated, 0);
    },
  });
  assert.equal(game.server.queue.seenAgo, 0);
  assert.throws(() => game.client.set(/** @type {any} */ ('magic'), true), /no technique/);
});

test('what is told to the server as seen_ago is how far behind the input the picture is', () => {
  const game = play({ up: L100 });
  game.client.connect();
  let checked = 0;
  game.run(8000, {
    each: restless(game),
    after: (scene) => {
      const { seenAgo } = game.client.stats();
      if (seenAgo > 0) {
        checked += 1;
        assert.ok(Math.abs(seenAgo - (scene.ownTick - scene.tick) * (1000 / 60)) < 40, `${seenAgo} ms`);
      }
    },
  });
  assert.ok(checked > 100);
});

test('a spectator sees the match, predicts nothing, sends no input and still tells what it has seen', () => {
  const game = play({ up: L100, client: { wish: { kind: 'spectate', code: null } } });
  game.client.connect();
  game.run(5000);
  const scene = game.client.frame(game.clock());
  assert.equal(game.client.seat, null);
  assert.equal(scene.own, null);
  assert.equal(scene.of('ship').length, 4);
  assert.ok(scene.all.every((entity) => !entity.mine));
  assert.equal(game.server.messages.input, 0);
  assert.ok(game.server.messages.ping > 50);
});

test('the newest rows are there without delay, names by seat too', () => {
  const game = play({ up: L100 });
  game.client.connect();
  assert.deepEqual(game.client.latest('score'), []);
  game.run(3000);
  assert.deepEqual(game.client.latest('score').map((entity) => entity.row), [{ seat: 0, points: 0 }]);
  assert.equal(game.client.latest('own').length, 1);
  assert.deepEqual(game.client.latest('nothing'), []);
  assert.deepEqual(game.client.nameOf(0), { name: 'Ada', presence: 'here' });
  assert.equal(game.client.nameOf(5), null);
});

test('without a game adapter everything is interpolated and inputs still count', () => {
  const game = play({ up: L100, client: { game: null } });
  game.client.connect();
  game.client.setControls({ thrust: 10 });
  game.run(4000);
  const scene = game.client.frame(game.clock());
  assert.equal(scene.own, null);
  assert.ok(scene.of('ship').some((entity) => entity.id === 1));
  assert.ok(game.server.ship.x > 0);
});

test('the numbers of the net graph are those of the link', () => {
  const game = play({ up: L100 });
  game.client.connect();
  game.run(10_000, { each: restless(game) });
  const stats = game.client.stats();
  assert.ok(Math.abs(stats.rttMin - 82) < 4 && stats.rtt >= 80 && stats.rtt <= 121, `${stats.rtt}`);
  assert.ok(Math.abs(stats.snapshotRate - 30) < 2);
  assert.ok(stats.bytesDown > 500 && stats.bytesUp > 50);
  assert.ok(stats.interpolationDelay > 60 && stats.interpolationDelay < 140, `${stats.interpolationDelay}`);
  assert.ok(stats.inputLead > 50 && stats.inputLead < 120, `${stats.inputLead}`);
  assert.equal(stats.lateness, 0.3);
  assert.ok(Object.values(stats).every((value) => typeof value === 'boolean' || Number.isFinite(value)));
  assert.ok(quantile([stats.exact], 1) > 0.9);
});
