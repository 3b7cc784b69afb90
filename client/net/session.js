// One session from its Welcome on: messages in, frames out. Everything that must begin anew after a reconnect is here;
// what survives it (name, wish, token, switches) is the client's.

import { FLAG_NO_INPUT, FLAG_STARVED, RosterBook, View } from '../protocol/index.js';
import { Inputs, Pace, Prediction, RenderClock, Stage, Tracks } from '../predict/index.js';
import { ServerClock } from './clock.js';

/** @typedef {import('../protocol/messages.js').ClientMessage} ClientMessage */
/** @typedef {import('../protocol/messages.js').ServerMessage} ServerMessage */
/** @typedef {import('../protocol/messages.js').Snapshot} Snapshot */
/** @typedef {import('../protocol/messages.js').Welcome} Welcome */
/** @typedef {import('../predict/prediction.js').GameAdapter} GameAdapter */
/** @typedef {import('../predict/prediction.js').Reconcile} Reconcile */
/** @typedef {import('../predict/tracks.js').Entity} Entity */
/** @typedef {{ prediction: boolean, smoothing: boolean, interpolation: boolean, lagCompensation: boolean }} Switches */
/** @typedef {{ kind: string, fields: Record<string, number>, tick: number }} Fact */
/**
 * @typedef {object} Teller
 * @property {(message: ClientMessage) => void} send
 * @property {(kind: string, fields: Record<string, number>, tick: number) => void} event
 * @property {(seats: Map<number, import('../protocol/messages.js').Occupant>) => void} roster
 * @property {(why: string) => void} resync
 * @property {(reconcile: Reconcile) => void} reconciled
 */

/** The server answers one Resync a second. */
const RESYNC_EVERY_MS = 1000;
/** A client that sends no inputs tells what it has seen so often, or the server would stop sending to it. */
const SEEN_EVERY_MS = 100;
/** Events older than this when they could be shown are news of yesterday: the tab was hidden. */
const EVENT_MS_MAX = 2000;
const EVENTS_MAX = 512;
/** A frame after a longer pause is drawn as if so much time had passed. */
const FRAME_MS_MAX = 250;

export class Session {
  /**
   * @param {Welcome} welcome
   * @param {number} now
   * @param {GameAdapter | null} game
   * @param {Teller} teller
   */
  constructor(welcome, now, game, teller) {
    this.welcome = welcome;
    this.game = game;
    this.teller = teller;
    this.seat = welcome.seat ?? -1;
    this.skipped = welcome.skipped;
    this.epochMs = welcome.epoch / 1000;
    this.clock = new ServerClock(now, this.epochMs + ((welcome.tick + welcome.skipped) * 1000) / welcome.tickRate);
    this.view = new View(welcome.schema);
    this.roster = new RosterBook();
    this.tracks = new Tracks(welcome.schema, welcome.tickRate, game?.breaks, game?.extrapolate?.bind(game), welcome.ticksPerSnapshot);
    this.render = new RenderClock(welcome.ticksPerSnapshot, welcome.tickRate);
    this.inputs = new Inputs(welcome.schema.inputs, welcome.tickRate);
    this.pace = new Pace(welcome.tickRate);
    this.prediction = game && this.seat >= 0 ? new Prediction(game, this.inputs, welcome.tickRate) : null;
    this.stage = new Stage(welcome.schema, this.tracks, game);
    /** @type {Fact[]} */
    this.events = [];
    /** A snapshot came since the last reconciliation. */
    this.fresh = false;
    /** @type {Reconcile | null} The reconciliation of this frame, until it is told. */
    this.told = null;
    this.ack = 0;
    this.starved = true;
    this.lateness = 0;
    this.snapshots = 0;
    this.resyncs = 0;
    this.resyncAt = -Infinity;
    this.seenSentAt = -Infinity;
    this.seenSent = 0;
    this.begun = now;
    this.lastFrame = now;
    /** How far behind the server's tick others were drawn in the last frame, in ticks. */
    this.delay = 0;
    this.seenAgo = 0;
    /** The tick that the last frame showed others at, and whether to tell the server. */
    this.shown = welcome.tick;
    this.lagCompensation = true;
    /** The tick up to which inputs were made. */
    this.stepped = 0;
    this.frames = 0;
    this.underruns = 0;
    this.corrections = 0;
    this.reconciles = 0;
    this.exact = 0;
    this.correctionMean = 0;
    /** @type {Map<string, Entity[]>} */
    this.latestPools = new Map();
  }

  /**
   * The server's tick, a fraction; never before the newest snapshot's, whatever clock and header say.
   * @param {number} now
   */
  serverTick(now) {
    const ticks = ((this.clock.serverMs(now) - this.epochMs) * this.welcome.tickRate) / 1000 - this.skipped;
    return Math.max(this.view.tick, ticks);
  }

  /**
   * The time since Welcome in ticks from Welcome's, as this client's own clock has it: as even as a clock can be.
   * @param {number} now
   */
  #localTick(now) {
    const { tick, tickRate, skipped } = this.welcome;
    return tick + ((now - this.begun) * tickRate) / 1000 - (this.skipped - skipped);
  }

  /**
   * @param {ServerMessage} message
   * @param {number} now
   */
  handle(message, now) {
    if (message.type === 'snapshot') this.#snapshot(message, now);
    else if (message.type === 'pong') this.clock.pong(message.time / 1000, message.serverTime / 1000, now);
    else if (message.type === 'roster') {
      if (this.roster.apply(message)) this.teller.roster(this.roster.seats);
      else this.#resync(now, 'a roster changes one that this client does not have');
    }
  }

  /**
   * Pings that are due.
   * @param {number} now
   */
  poll(now) {
    const unseen = this.seat < 0 && this.view.seen !== this.seenSent && now - this.seenSentAt >= SEEN_EVERY_MS;
    if (!this.clock.takePing(now) && !unseen) return;
    this.#told(now);
    this.teller.send({ type: 'ping', time: Math.max(0, Math.round(now * 1000)), seen: this.view.seen });
  }

  /**
   * @param {boolean} hidden
   * @param {number} now
   */
  setHidden(hidden, now) {
    this.inputs.hidden = hidden;
    if (hidden) {
      if (this.seat >= 0 && this.pace.started) this.#input(Math.floor(this.pace.tick) + 1, now);
      return;
    }
    if (this.serverTick(now) - this.view.tick > this.welcome.tickRate) this.#resync(now, 'the page was hidden');
  }

  /**
   * This page goes on after a pause: asks at once what time it is.
   * @param {number} now
   * @param {boolean} [long]
   */
  resume(now, long = true) {
    this.clock.refresh(now, long);
    this.poll(now);
  }

  /**
   * @param {number} now
   * @param {Switches} switches
   */
  frame(now, switches) {
    const passed = Math.max(0, Math.min(FRAME_MS_MAX, now - this.lastFrame));
    this.lastFrame = now;
    const { stage, prediction, pace, view } = this;
    const { scene } = stage;
    const serverTick = this.serverTick(now);
    const interpolated = this.render.advance(this.#localTick(now));
    this.delay = serverTick - interpolated;
    const render = switches.interpolation ? interpolated : view.tick;
    if (this.seat >= 0 && this.clock.synced(now)) this.#ahead(now, serverTick);
    scene.tick = render;
    scene.ownTick = pace.started && switches.prediction ? pace.tick : render;
    stage.others(this.seat, render, scene.ownTick, switches, this.render.farthest, passed);
    scene.own = null;
    scene.ghost = null;
    if (prediction) {
      prediction.smoothing = switches.smoothing;
      const own = pace.started ? prediction.render(Math.min(1, pace.tick - prediction.tick), passed) : null;
      scene.ghost = prediction.toldAlive ? prediction.told : null;
      scene.own = switches.prediction ? own : scene.ghost && stage.unpredicted(scene.ghost, render);
      Object.assign(scene.offset, prediction.offset);
      if (switches.prediction) stage.spawns(prediction, render, scene.ownTick);
    }
    scene.stale = this.tracks.lastTick > 0 && interpolated - this.tracks.lastTick > this.render.farthest;
    this.frames += 1;
    // Not `scene.extrapolated`: who was destroyed between two snapshots flies on until the second, however many are here.
    if (this.tracks.lastTick > 0 && interpolated > this.tracks.lastTick) this.underruns += 1;
    // What the player sees in this frame is what the next input aims at.
    this.shown = render;
    // Listeners last: whatever they do, the frame is whole.
    const { told } = this;
    this.told = null;
    try {
      if (told !== null) this.teller.reconciled(told);
    } finally {
      this.#tellEvents(render);
    }
    return scene;
  }

  /**
   * The newest rows of a kind.
   * @param {string} kind
   * @returns {Entity[]}
   */
  latest(kind) {
    const number = this.view.indexOf(kind);
    const pool = this.latestPools.get(kind) ?? [];
    this.latestPools.set(kind, pool);
    let used = 0;
    const fields = number < 0 ? [] : this.welcome.schema.kinds[number].fields;
    for (let i = 0; i < this.view.count && this.view.synced; i++) {
      const slot = this.view.slots[i];
      if (this.view.kindOf[slot] !== number) continue;
      const entity = (pool[used] ??= {
        id: 0, kind, row: {}, mine: false, predicted: false, tick: 0, extrapolated: 0, frozen: false,
      });
      used += 1;
      entity.id = this.view.ids[i];
      entity.tick = this.view.tick;
      for (let f = 0; f < fields.length; f++) entity.row[fields[f].name] = this.view.exact(slot, f) / fields[f].scale;
      entity.mine = this.game !== null && this.seat >= 0 && this.game.isMine(kind, entity.row, this.seat);
    }
    // While the view is being made again the last rows stay.
    if (this.view.synced) pool.length = used;
    return pool;
  }

  /**
   * Inputs and own steps up to the predicted tick, after a reconciliation if a snapshot came. Of a gap nothing is made up
   * for: the server held the last input and then went neutral, and one new input says what is held now.
   * @param {number} now
   * @param {number} serverTick
   */
  #ahead(now, serverTick) {
    const { prediction, pace, inputs, view } = this;
    const jumped = pace.advance(now, serverTick, this.clock);
    const to = Math.floor(pace.tick);
    const apart = jumped || to - this.stepped > inputs.keepAlive;
    if (apart) {
      this.stepped = to - 1;
      if (jumped && pace.jumpedBy < 0) inputs.stepBack(to, -pace.jumpedBy, view.tick);
    }
    if (prediction && this.fresh) {
      this.fresh = false;
      this.#reconciled(prediction.reconcile(view, this.seat, this, this.stepped));
      this.stage.remember(view.tick, prediction.toldAlive ? prediction.told : null);
    } else if (apart) prediction?.rebase(this.stepped);
    while (this.stepped < to) {
      this.stepped += 1;
      this.#input(this.stepped, now);
      prediction?.advance();
    }
  }

  /** @param {Reconcile} reconcile */
  #reconciled(reconcile) {
    if (reconcile.known) {
      this.reconciles += 1;
      if (reconcile.exact) this.exact += 1;
      this.correctionMean += (reconcile.correction - this.correctionMean) / 30;
      if (reconcile.correction > 0) this.corrections += 1;
    }
    this.told = reconcile;
  }

  /**
   * Sends the controls for a tick if they say anything new.
   * @param {number} tick
   * @param {number} now
   */
  #input(tick, now) {
    const input = this.inputs.sample(tick, tick - this.pace.extra);
    if (input === null) return;
    const ago = this.lagCompensation ? Math.round((input.tick - this.shown) * 16) : 0;
    this.seenAgo = Math.max(0, Math.min(65_535, ago));
    this.#told(now);
    this.teller.send({
      type: 'input', seq: input.seq, tick: input.tick, seen: this.view.seen, seenAgo: this.seenAgo, row: input.row,
    });
  }

  /** @param {number} now */
  #told(now) {
    this.seenSentAt = now;
    this.seenSent = this.view.seen;
  }

  /**
   * @param {Snapshot} snapshot
   * @param {number} now
   */
  #snapshot(snapshot, now) {
    this.snapshots += 1;
    const applied = this.view.apply(snapshot);
    // What was half read is neither the old state nor the new one: the last whole one stays until there is another.
    if (applied !== 'applied') this.fresh = false;
    if (applied === 'resync') return this.#resync(now, this.view.why);
    this.skipped = snapshot.skipped;
    this.lateness = snapshot.lateness / 10;
    if (applied === 'ignored') return this.#resync(now, 'waiting for a full snapshot');
    this.ack = snapshot.ack;
    if (this.prediction === null) this.inputs.ack(snapshot.ack);
    this.starved = (snapshot.flags & FLAG_STARVED) !== 0;
    if ((snapshot.flags & FLAG_NO_INPUT) === 0) this.pace.told(snapshot.margin, now);
    this.render.arrived(snapshot.tick, this.#localTick(now));
    this.tracks.record(this.view);
    this.fresh = true;
    this.#queueEvents();
  }

  /**
   * @param {number} now
   * @param {string} why
   */
  #resync(now, why) {
    if (now - this.resyncAt < RESYNC_EVERY_MS) return;
    this.resyncAt = now;
    this.resyncs += 1;
    this.teller.send({ type: 'resync' });
    this.teller.resync(why);
  }

  #queueEvents() {
    const { view } = this;
    for (let i = 0; i < view.eventCount; i++) {
      const kind = this.welcome.schema.events[view.eventKinds[i]];
      /** @type {Record<string, number>} */
      const fields = {};
      kind.fields.forEach((field, f) => {
        fields[field.name] = (view.eventValues[view.eventStarts[i] + f] << field.dropBits) / field.scale;
      });
      this.events.push({ kind: kind.name, fields, tick: view.eventTicks[i] });
    }
    if (this.events.length > EVENTS_MAX) this.events.splice(0, this.events.length - EVENTS_MAX);
  }

  /** @param {number} render */
  #tellEvents(render) {
    while (this.events.length > 0 && this.events[0].tick <= render) {
      // Taken off first: a listener that throws is not told the same again in every frame.
      const { kind, fields, tick } = /** @type {Fact} */ (this.events.shift());
      if ((render - tick) * 1000 <= EVENT_MS_MAX * this.welcome.tickRate) this.teller.event(kind, fields, tick);
    }
  }
}
