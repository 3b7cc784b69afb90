// Where others are drawn, and when.

import assert from 'node:assert/strict';
import test from 'node:test';

import { ServerDecoder, View, encodeBody, quantise } from '../protocol/index.js';
import { RenderClock, Tracks } from '../predict/index.js';
import { L0, L100, L250, play, quantile } from './support/play.js';
import { SEED, generator } from './support/random.js';
import { snapshotBytes } from './support/snapshot.js';
import { TOY } from './support/toy.js';

const UNIT = 4096;

/** A view and tracks that are fed by hand. */
function fed(breaks = {}, /** @type {((kind: string, motion: any) => boolean) | null} */ extrapolate = null) {
  const view = new View(TOY);
  const tracks = new Tracks(TOY, 60, breaks, extrapolate);
  const decoder = new ServerDecoder();
  /** @type {import('../protocol/snapshot.js').WireRow[]} */
  let held = [];
  return {
    tracks,
    /** @param {number} tick @param {number} base 0: full @param {[number, number[]][]} ships */
    snapshot(tick, base, ships) {
      const rows = ships.map(([id, fields]) => ({ id, kind: 0, fields: fields.map((value, f) => quantise(TOY.kinds[0].fields[f], value)) }));
      const body = encodeBody(TOY, tick, base === 0 ? [] : held, rows);
      const message = decoder.decode(snapshotBytes({ tick, base }, body));
      assert.equal(message.type === 'snapshot' && view.apply(message), 'applied', view.why);
      tracks.record(view);
      held = rows;
    },
    /** x and heading at a tick, or null. @param {number} id @param {number} tick */
    at(id, tick) {
      for (const track of tracks.all) {
        if (track.id !== id || !tracks.place(track, tick, 42)) continue;
        const { row, extrapolated, frozen } = track.entity;
        return { x: row.x, heading: row.heading, extrapolated, frozen };
      }
      return null;
    },
    /** x and heading in a picture of a tick, a frame after the last, or null. @param {number} id @param {number} tick @param {number} [passed] */
    draw(id, tick, passed = 1000 / 60) {
      for (const track of tracks.all) {
        if (track.id === id && tracks.draw(track, tick, 42, passed)) return { x: track.entity.row.x, heading: track.entity.row.heading };
      }
      return null;
    },
  };
}

/** @param {number} x @param {number} [heading] @param {number} [life] */
const ship = (x, heading = 0, life = 1) => [x * UNIT, 0, heading, 0, life];

test('between two samples a body is on the line, an angle goes the shortest way, a step is the older value', () => {
  const { snapshot, at } = fed();
  snapshot(10, 0, [[1, ship(0, 65_024, 1)]]);
  snapshot(12, 2, [[1, ship(4, 512, 2)]]);
  assert.equal(at(1, 9.9), null, 'before it was known');
  assert.equal(at(1, 10)?.x, 0);
  assert.equal(at(1, 11)?.x, 2);
  assert.equal(at(1, 11.5)?.x, 3);
  assert.equal(at(1, 11)?.heading, 0);
  assert.equal(at(1, 12)?.x, 4);
});

test('a body at rest holds until the base of the snapshot in which it starts', () => {
  const { snapshot, at } = fed();
  snapshot(10, 0, [[1, ship(0)], [2, ship(0)]]);
  snapshot(12, 2, [[1, ship(0)], [2, ship(1)]]);
  // Empty ones were not sent: the base lies after the last snapshot received.
  snapshot(20, 2, [[1, ship(4)], [2, ship(1)]]);
  assert.equal(at(1, 15)?.x, 0);
  assert.equal(at(1, 18)?.x, 0);
  assert.equal(at(1, 19)?.x, 2);
});

test('who left is drawn until its tick, and a successor with the same id is another body', () => {
  const { snapshot, at, tracks } = fed();
  snapshot(10, 0, [[1, ship(0)]]);
  snapshot(12, 2, [[1, ship(2)]]);
  snapshot(14, 2, []);
  snapshot(40, 2, [[1, ship(300)]]);
  assert.equal(at(1, 12)?.x, 2);
  assert.equal(at(1, 13)?.x, 3, 'on its way until it left');
  assert.equal(at(1, 14), null);
  assert.equal(at(1, 39.9), null);
  assert.equal(at(1, 40)?.x, 300);
  tracks.forget(14);
  assert.equal(tracks.all.length, 1);
});

test('in the full tier an entity keeps its track while it is told, and loses it after a long silence', () => {
  const { snapshot, at, tracks } = fed();
  snapshot(10, 0, [[1, ship(0)], [2, ship(5)]]);
  snapshot(12, 0, [[1, ship(2)], [2, ship(5)]]);
  assert.equal(at(1, 11)?.x, 1);
  assert.equal(tracks.live.size, 2);
  snapshot(14, 0, [[2, ship(5)]]);
  assert.equal(at(1, 14), null);
  assert.equal(at(2, 13)?.x, 5);
  snapshot(200, 0, [[2, ship(90)]]);
  assert.equal(at(2, 150)?.x, 5, 'after more than two seconds it may be another: nothing lies between');
  assert.equal(at(2, 200)?.x, 90);
});

test('a respawn and a teleport never smear', () => {
  const breaks = { ship: { changed: ['life'], maxStep: { fields: ['x', 'y'], perTick: 20 } } };
  const { snapshot, at } = fed(breaks);
  snapshot(10, 0, [[1, ship(0)], [2, ship(0)]]);
  snapshot(12, 2, [[1, ship(10, 0, 2)], [2, ship(200)]]);
  assert.equal(at(1, 11.9)?.x, 0);
  assert.equal(at(2, 11.9)?.x, 0);
  assert.equal(at(1, 12)?.x, 10);
  assert.equal(at(2, 12)?.x, 200);
  assert.equal(at(2, 13)?.x, 200, 'a teleport is no velocity');
  assert.throws(() => fed({ ship: { changed: ['lives'] } }), /ship has no field 'lives'/);
});

test('beyond the last snapshot a moving body goes on for 42 ticks, then stands frozen; a resting one rests', () => {
  const { snapshot, at } = fed();
  snapshot(10, 0, [[1, ship(0)], [2, ship(7)]]);
  snapshot(12, 2, [[1, ship(2)], [2, ship(7)]]);
  assert.deepEqual(at(1, 15), { x: 5, heading: 0, extrapolated: 3, frozen: false });
  assert.deepEqual(at(1, 54), { x: 44, heading: 0, extrapolated: 42, frozen: false });
  assert.deepEqual(at(1, 90), { x: 44, heading: 0, extrapolated: 42, frozen: true });
  assert.deepEqual(at(2, 15), { x: 7, heading: 0, extrapolated: 0, frozen: false });
  snapshot(18, 2, [[1, ship(8)], [2, ship(7)]]);
  assert.equal(at(1, 17)?.x, 5, 'a late snapshot corrects what was guessed: it stood until 16');
});

/** Half a second of guesses: a ship that flew 4 u a tick, and what 15 snapshots at once say of that time. */
function guessed(/** @type {(tick: number) => number[]} */ truth, breaks = {}) {
  const game = fed(breaks);
  game.snapshot(10, 0, [[1, ship(0)]]);
  game.snapshot(12, 2, [[1, ship(8)]]);
  for (let tick = 11; tick <= 42; tick++) game.draw(1, tick);
  for (let tick = 14; tick <= 60; tick += 2) game.snapshot(tick, 2, [[1, truth(tick)]]);
  return game;
}

test('what a late snapshot corrects glides: no frame leaps, and after 400 ms the body is where it is', () => {
  // It stopped at once, and turned half way round.
  const { draw } = guessed(() => ship(8, 32_768));
  let last = { x: 128, heading: 0 };
  let step = 4;
  for (let tick = 43; tick <= 54; tick++) {
    const now = draw(1, tick);
    assert.ok(now && Math.abs(now.x - last.x) <= 8, `${tick}: from ${last.x} to ${now?.x}`);
    assert.ok(Math.abs(now.x - last.x - step) <= 8, `${tick}: it went ${step} u and then ${now.x - last.x}`);
    const turned = now.heading - last.heading;
    assert.ok(Math.abs(turned - Math.round(turned)) < 0.06, `${tick}: turned from ${last.heading} to ${now.heading}`);
    step = now.x - last.x;
    last = now;
  }
  for (let tick = 55; tick <= 43 + 36; tick++) last = draw(1, tick) ?? last;
  assert.ok(Math.abs(last.x - 8) < 0.5, `${last.x}`);
  assert.ok(Math.abs(last.heading - 0.5) < 0.001, `${last.heading}`);
});

test('a glide is as long at 144 Hz as at 60, and leaps no farther at 20', () => {
  for (const [hz, seconds] of [[144, 0.45], [20, 1.5]]) {
    const way = (/** @type {number} */ tick) => 4 * (tick - 32);
    const { draw } = guessed((tick) => ship(way(tick)));
    let off = 88;
    for (let frame = 1; frame <= hz * seconds; frame++) {
      const tick = Math.min(60, 42 + (frame * 60) / hz);
      const now = (draw(1, tick, 1000 / hz)?.x ?? NaN) - way(tick);
      assert.ok(off - now <= 4.01 && now <= off + 1e-9, `${hz} Hz: ${off} u off, then ${now}`);
      off = now;
    }
    assert.ok(Math.abs(off) < 1, `${hz} Hz: still ${off} u off`);
  }
});

test('a teleport is hard, before and after its time is drawn, and so is the return from a pause', () => {
  const breaks = { ship: { changed: ['life'], maxStep: { fields: ['x', 'y'], perTick: 32 } } };
  const teleport = guessed((tick) => (tick < 30 ? ship(8 + 4 * (tick - 12)) : ship(8, 0, 2)), breaks);
  assert.equal(teleport.draw(1, 43)?.x, 8, 'it was told apart by the game while it was guessed');
  const later = guessed((tick) => (tick < 50 ? ship(8) : ship(200, 0, 2)), breaks);
  const gliding = later.draw(1, 43)?.x ?? 0;
  assert.ok(gliding > 100, `${gliding}`);
  assert.equal(later.draw(1, 50)?.x, 200, 'and while it glided');
  assert.equal(later.draw(1, 51)?.x, 200);
  const paused = guessed(() => ship(8));
  assert.equal(paused.draw(1, 60, 300)?.x, 8);
  const gone = fed(breaks);
  gone.snapshot(10, 0, [[1, ship(0)]]);
  gone.snapshot(12, 2, [[1, ship(8)]]);
  for (let tick = 11; tick <= 150; tick++) gone.draw(1, tick);
  for (let tick = 14; tick <= 60; tick += 2) gone.snapshot(tick, 2, [[1, ship(8)]]);
  assert.equal(gone.draw(1, 151)?.x, 8, 'nobody follows with their eyes what stood for two seconds');
});

test('without frames no more is kept than with them, however long', () => {
  const { snapshot, tracks } = fed();
  const shots = (/** @type {number} */ tick) => Array.from({ length: 10 }, (_, i) => /** @type {[number, number[]]} */ ([1 + ((tick * 5 + i) % 4000), ship(i)]));
  let most = 0;
  let pool = 0;
  // Ten that live for one snapshot each: 300 a second.
  for (let tick = 2; tick <= 20_000; tick += 2) {
    snapshot(tick, tick === 2 ? 0 : 2, shots(tick));
    most = Math.max(most, tracks.all.length);
    pool = Math.max(pool, tracks.tables[0].pool.length);
  }
  assert.ok(most <= 10 * 62 && pool <= 10 * 62, `${most} tracks, ${pool} in the pool`);
  assert.equal(tracks.live.size, 10);
});

test('the game may say where a body is beyond the last snapshot, and only there', () => {
  /** @type {any[]} */
  const asked = [];
  const { snapshot, at } = fed({}, (kind, { values, newest, before, span, ahead, out }) => {
    asked.push([kind, values[newest] / UNIT, values[before] / UNIT, span, ahead]);
    out[0] = 50 * UNIT;
    return ahead < 10;
  });
  snapshot(10, 0, [[1, ship(0, 0)]]);
  snapshot(12, 2, [[1, ship(2, 256)]]);
  assert.equal(at(1, 11)?.x, 1);
  assert.equal(asked.length, 0);
  assert.deepEqual(at(1, 15), { x: 50, heading: 256 / 65_536, extrapolated: 3, frozen: false });
  assert.deepEqual(asked, [['ship', 2, 0, 2, 3]]);
  assert.equal(at(1, 22)?.x, 12, 'where it does not, the body goes straight on');
});

test('the render delay follows interval and jitter, and a stall does not stretch it', () => {
  const random = generator(SEED);
  const render = new RenderClock(2, 60);
  let least = Infinity;
  for (let tick = 0; tick < 1200; tick += 2) {
    const age = 8 + random.next() * 2.4;
    // Half a second of stall every five: fifteen snapshots come at once, up to 30 ticks late.
    const into = tick % 300;
    const late = into >= 270 ? 300 - into : 0;
    render.arrived(tick, tick + age + late);
    if (tick > 200) least = Math.min(least, render.target);
  }
  assert.ok(render.target <= 8 + 2.4 + 2 + 0.3 + 6 && render.target >= 8 + 2 + 2, `${render.target}`);
  assert.ok(least >= 12, `${least}`);
});

test('the render tick never goes back, runs within 5 % of time, and jumps only when it is far off', () => {
  const render = new RenderClock(2, 60);
  for (let tick = -40; tick <= 20; tick += 2) render.arrived(tick, tick + 3);
  let last = render.advance(30);
  for (let tick = 30.5; tick < 60; tick += 0.5) {
    const now = render.advance(tick);
    assert.ok(now - last <= 0.5 * 1.0501 && now >= last, `${now - last}`);
    last = now;
  }
  for (let tick = 60; tick <= 80; tick += 2) render.arrived(tick, tick + 9);
  for (let tick = 60; tick < 300; tick += 0.5) {
    const now = render.advance(tick);
    assert.ok(now - last >= 0.5 * 0.9499 - 1e-9, `${now - last}`);
    last = now;
  }
  assert.ok(Math.abs(render.delay - render.target) < 0.01);
  // The server skipped ten ticks: the render tick stands, then goes on.
  for (let tick = 290; tick < 400; tick += 0.5) {
    const now = render.advance(tick);
    assert.ok(now >= last);
    last = now;
  }
});

/**
 * A render clock that hears a snapshot each 2 ticks, `late(tick)` ticks later than 3, in order.
 * @param {RenderClock} render
 * @param {number} from
 * @param {number} to
 * @param {(tick: number) => number} late
 */
function hear(render, from, to, late) {
  let came = -Infinity;
  for (let tick = from; tick < to; tick += 2) {
    came = Math.max(came, tick + 3 + late(tick));
    render.arrived(tick, came);
  }
}

test('hiccups of 80 ms a second cost no delay, of 110 ms they are waited for soon and for long, one costs nothing', () => {
  const each = (/** @type {number} */ ms) => (/** @type {number} */ tick) => (tick % 60 === 0 ? ms * 0.06 : 0);
  const small = new RenderClock(2, 60);
  hear(small, 0, 600, each(80));
  assert.ok(Math.abs(small.target - 5.3) < 0.1, `${small.target}`);
  const large = new RenderClock(2, 60);
  hear(large, 0, 190, each(110));
  assert.ok(Math.abs(large.target - 5.3 - 6.6) < 0.1, `${large.target} after three`);
  hear(large, 190, 410, () => 0);
  assert.ok(large.target > 11, 'it is remembered for five seconds');
  hear(large, 410, 700, () => 0);
  assert.ok(Math.abs(large.target - 5.3) < 0.1, `${large.target}`);
  const once = new RenderClock(2, 60);
  hear(once, 0, 300, (tick) => (tick === 150 ? 6.6 : 0));
  assert.ok(Math.abs(once.target - 5.3) < 0.1, `${once.target}`);
});

test('what came late with Welcome says nothing', () => {
  const render = new RenderClock(2, 60);
  hear(render, 0, 60, (tick) => Math.max(0, 18 - tick));
  assert.ok(Math.abs(render.target - 5.3) < 0.1 && Math.abs(render.delay - 5.3) < 0.1, `${render.target}, ${render.delay}`);
});

test('a way that becomes longer or shorter is learnt, and an hour without news moves nothing', () => {
  const render = new RenderClock(2, 60);
  hear(render, 0, 300, () => 0);
  hear(render, 300, 400, () => 20);
  assert.ok(Math.abs(render.target - 25.3) < 0.1, `${render.target}: longer`);
  hear(render, 430, 450, () => 0);
  assert.ok(Math.abs(render.target - 5.3) < 0.1, `${render.target}: shorter, and at once: the longer one was a stall`);
  hear(render, 450, 800, () => 0);
  const hour = 3600 * 60;
  let most = 0;
  // What the kernel kept comes first, all at once.
  for (let tick = 800; tick < 900; tick += 2) {
    render.arrived(tick, 800 + hour);
    most = Math.max(most, render.target);
  }
  hear(render, 800 + hour, 1400 + hour, () => 0);
  assert.ok(Math.abs(most - 5.3) < 0.1 && Math.abs(render.target - 5.3) < 0.1, `${most}, ${render.target}`);
});

for (const step of [-3000, -800, -150, 150, 800, 3000]) {
  test(`a server clock that steps by ${step} ms does not show in others`, () => {
    const game = play({ up: L100, server: { bots: 8 } });
    game.client.connect();
    game.run(5000);
    /** @type {import('../net/session.js').Session} */
    const session = /** @type {any} */ (game.client.session);
    const behind = game.trueTick() - session.stage.scene.tick;
    session.clock.offset += step;
    session.clock.target += step;
    let last = session.stage.scene.tick;
    game.run(6000, {
      after: (scene) => {
        assert.ok(Math.abs(scene.tick - last - 1) < 0.06, `the render tick went on by ${scene.tick - last}`);
        last = scene.tick;
        assert.ok(Math.abs(game.trueTick() - scene.tick - behind) < 1, `${game.trueTick() - scene.tick} ticks behind, before ${behind}`);
      },
    });
  });
}

for (const ticks of [5, 12, 90, 600]) {
  test(`the server pauses for ${ticks} ticks: others wait or glide back, and are right within a second`, () => {
    const game = play({ up: L100, server: { bots: 8 } });
    game.client.connect();
    game.run(5000);
    const { server, world } = game;
    const from = world.now;
    const { step } = server;
    // It stands, and tells afterwards.
    server.step = () => world.schedule(world.now + (ticks * 1000) / 60, () => {
      server.skipped += ticks;
      server.step = step;
      step();
    });
    /** @type {Map<number, number>} */
    const was = new Map();
    let wrong = 0;
    let back = 0;
    let last = 0;
    game.run(from + (ticks * 1000) / 60 + 3000, {
      after: (scene, now) => {
        if (scene.tick < last) back += 1;
        last = scene.tick;
        for (const entity of scene.of('ship')) {
          if (entity.mine) continue;
          const x = was.get(entity.id) ?? entity.row.x;
          // At most 6 u a tick of its own, and the glide. Who stood for two seconds and more may leap.
          if (ticks <= 90) assert.ok(Math.abs(entity.row.x - x) <= 6 + 4, `from ${x} to ${entity.row.x}`);
          was.set(entity.id, entity.row.x);
          const tick = Math.floor(scene.tick);
          const place = (/** @type {number} */ at) => (server.truth.get(at)?.find(({ id }) => id === entity.id)?.fields[0] ?? NaN) / UNIT;
          const x0 = place(tick) + (place(tick + 1) - place(tick)) * (scene.tick - tick);
          if (now > from + (ticks * 1000) / 60 + 1000) wrong = Math.max(wrong, Math.abs(entity.row.x - x0));
        }
      },
    });
    assert.ok(wrong < 1, `${wrong} u`);
    assert.equal(back, ticks > 15 ? 1 : 0);
    const behind = game.trueTick() - last;
    assert.ok(behind > 4 && behind < 9, `${behind} ticks behind`);
  });
}

for (const [name, link, p95, p99] of /** @type {[string, import('./support/play.js').Profile, number, number][]} */ ([
  ['L0', L0, 0.3, 1], ['L100', L100, 0.3, 1], ['L250', L250, 0.3, 1],
])) {
  test(`${name}: remote ships are where they were at their displayed tick, p95 <= ${p95} u, p99 <= ${p99} u`, () => {
    const game = play({ up: link, server: { bots: 8 } });
    game.client.connect();
    /** @type {number[]} */
    const errors = [];
    let frames = 0;
    let under = 0;
    let back = 0;
    let last = 0;
    let path = 0;
    game.run(30_000, {
      after: (scene, now) => {
        if (now < 2000) return;
        frames += 1;
        if (scene.extrapolated > 0) under += 1;
        if (scene.tick < last) back += 1;
        last = scene.tick;
        const tick = Math.floor(scene.tick);
        const [a, b] = [game.server.truth.get(tick), game.server.truth.get(tick + 1)];
        if (!a || !b) return;
        for (const entity of scene.of('ship')) {
          if (entity.mine) continue;
          const before = a.find((row) => row.id === entity.id);
          const after = b.find((row) => row.id === entity.id);
          if (!before || !after) continue;
          const part = scene.tick - tick;
          const x = (before.fields[0] + (after.fields[0] - before.fields[0]) * part) / UNIT;
          const y = (before.fields[1] + (after.fields[1] - before.fields[1]) * part) / UNIT;
          errors.push(Math.hypot(entity.row.x - x, entity.row.y - y));
          path += Math.abs(after.fields[0] - before.fields[0]) / UNIT;
        }
      },
    });
    assert.ok(errors.length > 10_000 && path > 5000, `${errors.length} poses, ${path} u flown`);
    assert.equal(back, 0);
    assert.ok(quantile(errors, 0.95) <= p95 && quantile(errors, 0.99) <= p99, `p95 ${quantile(errors, 0.95)}, p99 ${quantile(errors, 0.99)}`);
    assert.ok(under / frames <= 0.005, `${under} of ${frames} frames extrapolated`);
  });
}

test('a downlink stall of 500 ms: back in the band within 400 ms, and the backlog is not replayed', () => {
  const stall = { ...L100, stallEvery: 5000, stall: 500 };
  const game = play({ up: L100, down: stall, server: { bots: 8 } });
  game.client.connect();
  /** @type {{ at: number, tick: number, newest: number, worst: number }[]} */
  const frames = [];
  game.run(31_000, {
    after: (scene, now) => {
      let worst = 0;
      const tick = Math.floor(scene.tick);
      for (const entity of scene.of('ship')) {
        const row = game.server.truth.get(tick)?.find((one) => one.id === entity.id);
        const next = game.server.truth.get(tick + 1)?.find((one) => one.id === entity.id);
        if (entity.mine || !row || !next) continue;
        const x = (row.fields[0] + (next.fields[0] - row.fields[0]) * (scene.tick - tick)) / UNIT;
        worst = Math.max(worst, Math.abs(entity.row.x - x));
      }
      frames.push({ at: now, tick: scene.tick, newest: game.client.session?.view.tick ?? 0, worst });
    },
  });
  let stalls = 0;
  for (let from = 5000; from < 30_000; from += 5000) {
    // The first frame after the burst, which ends the stall.
    const during = frames.filter((frame) => frame.at > from + 100 && frame.at < from + 490);
    assert.ok(during.some((frame) => frame.worst > 1), 'the stall shows');
    const back = frames.filter((frame) => frame.at > from + 500 + 400 && frame.at < from + 1500);
    for (const frame of back) assert.ok(frame.worst <= 1, `${frame.at - from} ms after the stall began: ${frame.worst} u`);
    // Time goes on evenly all the while: no slow motion, no fast forward.
    const around = frames.filter((frame) => frame.at > from - 100 && frame.at < from + 1500);
    for (let i = 1; i < around.length; i++) {
      const speed = (around[i].tick - around[i - 1].tick) / ((around[i].at - around[i - 1].at) * 0.06);
      assert.ok(speed > 0.89 && speed < 1.11, `speed ${speed} at ${around[i].at - from}`);
    }
    stalls += 1;
  }
  assert.equal(stalls, 5);
});
