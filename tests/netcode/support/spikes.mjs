// A connection that hiccups once a second: one message comes late, and all that is behind it waits.

import { match, mean } from './figures.mjs';
import { PROFILES } from './link.mjs';
import { Ace } from './pilots.mjs';
import { SETTLE_SECONDS, Seen } from './seen.mjs';

export const HEIGHTS = [0, 20, 40, 60, 80, 90, 100, 110, 120, 130, 150, 175, 200, 250, 300, 400];

const SECOND = 1_000_000;
/** Milliseconds of a tick. */
const TICK_MS = 1000 / 60;

/**
 * Makes a link late: once in each second, at any time in it, by so much.
 * @param {import('./link.mjs').Link} link
 * @param {number} height microseconds
 * @param {import('./link.mjs').SplitMix} random
 */
export function spike(link, height, random) {
  const send = link.send.bind(link);
  let at = random.below(SECOND);
  link.send = (now) => {
    const out = send(now);
    if (now < at || height === 0) return out;
    at = (Math.floor(now / SECOND) + 1) * SECOND + random.below(SECOND);
    link.last = out + height;
    return link.last;
  };
}

/** An earlier policy: it measured by the estimate of the server's tick, and began anew when that was set. */
class OnServerTime {
  /** @param {any} RenderClock @param {any} session @param {import('./person.mjs').Person} person */
  constructor(RenderClock, session, person) {
    this.policy = new RenderClock(session.welcome.ticksPerSnapshot, session.welcome.tickRate);
    this.farthest = this.policy.farthest;
    this.serverTick = () => session.serverTick(person.localMs);
    this.clock = session.clock;
    this.jumps = this.clock.jumps;
  }

  /** @param {number} tick */
  arrived(tick) {
    if (this.clock.jumps !== this.jumps) this.policy.restart();
    this.jumps = this.clock.jumps;
    this.policy.arrived(tick, this.serverTick());
  }

  advance() {
    return this.policy.advance(this.serverTick());
  }
}

/**
 * A minute with such a connection down.
 * @param {number} height ms
 * @param {number} seed
 * @param {{ profile?: keyof typeof PROFILES, RenderClock?: any, seconds?: number }} [how] `RenderClock`: an earlier policy
 */
export async function spiked(height, seed, { profile = 'L100', RenderClock = null, seconds = 60 } = {}) {
  const seen = new Seen();
  await match(profile, seed, { bots: 8, people: [{ pilot: (person) => new Ace(person) }] }, async (world) => {
    const [person] = world.people;
    spike(person.down, height * 1000, world.random);
    let session = null;
    person.onFrame.push((_, scene) => {
      if (RenderClock !== null && session !== person.client.session && person.client.session) {
        session = person.client.session;
        session.render = /** @type {any} */ (new OnServerTime(RenderClock, session, person));
      }
      seen.look(person, scene);
    });
    await world.run(SETTLE_SECONDS + seconds);
  });
  return { delay: mean(seen.delays) * TICK_MS, underrun: seen.underruns / seen.frames, pops: seen.pops };
}
