// Boot and wiring: the only place where the page and the network meet.
//
// client/net holds the connection and says what is true; client/arena draws it and reads the controls; this file hands
// one to the other, once per frame.

import { createAdapter } from './arena/adapter.js';
import { addressesFrom } from './arena/addresses.js';
import { Commands } from './arena/commands.js';
import { Drawing } from './arena/draw.js';
import { OUTSIDE, OUTSIDE_TOUCH } from './arena/draw/camera.js';
import { Hud } from './arena/hud.js';
import { Controls, levelsFor } from './arena/input.js';
import { Gamepads, gamepadSays } from './arena/input/gamepads.js';
import { isTyped } from './arena/input/keys.js';
import { Reach, whyUnreached } from './arena/reach.js';
import { PHASE_READY, Reading, readLooks } from './arena/reading.js';
import { Scene } from './arena/scene.js';
import { Screens } from './arena/screens.js';
import { openSettings } from './arena/settings.js';
import { Sound } from './arena/sound.js';
import { TouchPad } from './arena/touch.js';
import { Watching } from './arena/watching.js';
import { exposeToTests } from './arena/window.js';
import { Lag, browserPlatform, browserTab, createClient, savedSeat } from './net/index.js';

/** @typedef {import('./arena/screens.js').Wish} Wish */

const SOUND_KEY = 'tickroom.sound';
/** @type {Record<string, string>} */
const SOUND_SAYS = { off: 'Sound off', none: 'This browser has no sound' };
/** A request that says why there is no session waits so long for an answer. */
const ASK_MS = 5000;
/** A first session that has not begun after so long is looked into. */
const SLOW_MS = 4000;
/** A frame that took longer is shown as one of this length: a hidden tab must not throw particles across the arena. */
const FRAME_MAX_S = 0.1;

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const settings = openSettings(() => window.localStorage);
const addresses = addressesFrom(document.baseURI);
const view = /** @type {HTMLCanvasElement} */ (element('view'));
const scene = new Scene();
const reading = new Reading(scene);
const drawing = new Drawing(view, /** @type {HTMLCanvasElement} */ (element('map')), reading);
const watching = new Watching();
const sound = new Sound(settings.getItem(SOUND_KEY) === 'on', window);
const pad = new TouchPad(window, element('stick'), element('pad-fire'), element('pad-beam'), element('pad-dash'));
const gamepads = new Gamepads(() => navigator.getGamepads?.() ?? []);
const controls = new Controls(window, view, pad, gamepads, () => client?.press('dash'));
const platform = browserPlatform(window);
const tab = browserTab(window);
/** The sliders of the net panel; they last as long as the page. */
const lag = new Lag(platform.clock, platform.timers.after, platform.random);

/** The session's client; null on the join screen. @type {import('./net/client.js').Client | null} */
let client = null;
/** True once a Welcome came: a seat that is lost later is asked for again without a question. */
let welcomed = false;
/** @type {((wants: import('./arena/input.js').Wants) => Record<string, number>) | null} */
let levels = null;
let ghost = false;
/** True while this page lies in the browser's history, and until it has come back from there. */
let away = false;
/** False until this page knows which tab it is: nothing that is kept is to be had before. */
let claimed = false;
/** What was chosen meanwhile. @type {(() => void) | null} */
let early = null;
let lastFrame = 0;
/** The device's pixels per CSS pixel that the canvas has been made for. */
let drawnRatio = 0;
/** True while the client's phase is `playing`. */
let playing = false;
/** Why the session dropped, as the server told; later attempts that fail say less. Without one: why the last attempt failed. @type {import('./net/connection.js').Status['reason']} */
let dropped = null;
/** Until when the server keeps the seat, on the clock of the platform; null: nobody promised that. @type {number | null} */
let keptUntil = null;
/** What is known of the way to the server while there is no session. */
const reach = new Reach(() => whyUnreached(addresses, ask, navigator.onLine !== false), () => {
  if (client !== null && client.phase !== 'playing' && client.phase !== 'closed') waiting(client.status);
});
/** Where the own ship is on the screen, for aiming; filled each frame. */
const aim = { heading: 0, screenX: 0, screenY: 0, turnPerTick: 0.01 };

const hud = new Hud({
  technique: (name, on) => client?.set(/** @type {keyof import('./net/session.js').Switches} */ (name), on),
  ghost: (on) => { ghost = on; },
  trouble: (trouble) => lag.set(trouble),
  watch: (step) => watching.choose(scene, step),
});

const screens = new Screens({
  join,
  leave: () => end(true),
  retry: () => client?.retry(),
  rooms: openRooms,
  back: closeMenu,
  copyLink: () => void copyLink(),
  toggleSound,
  toggleNet,
}, settings, invitation());

/**
 * One request to the server, or to whatever answers in its place.
 * @param {string} url
 */
async function ask(url) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), ASK_MS);
  try {
    const answer = await fetch(url, { cache: 'no-store', redirect: 'manual', signal: patience.signal });
    return { status: answer.type === 'opaqueredirect' ? 0 : answer.status, text: await answer.text() };
  } finally {
    clearTimeout(timer);
  }
}

/** @returns {Promise<any[]>} the open matches */
async function openRooms() {
  const answer = await ask(addresses.rooms).catch(() => {
    throw new Error(navigator.onLine === false ? 'This device is offline.' : 'The server does not answer. Is it running?');
  });
  try {
    return JSON.parse(answer.text).rooms.slice();
  } catch {
    throw new Error(`The list of matches is not to be had right now${answer.status === 200 ? '' : ` (status ${answer.status})`}.`);
  }
}

/** @returns {Wish | null} what the page's address asks for */
function invitation() {
  const query = new URLSearchParams(location.search);
  const code = query.get('room')?.trim().toUpperCase() || null;
  if (query.has('spectate')) return { kind: 'spectate', code };
  return code === null ? null : { kind: 'code', code };
}

/**
 * @param {Wish} wish
 * @param {string} name
 */
function join(wish, name) {
  if (!claimed) {
    early = () => join(wish, name);
    screens.hideJoin();
    return;
  }
  end(false);
  welcomed = false;
  playing = false;
  dropped = null;
  keptUntil = null;
  sound.wake();
  const mine = createClient({
    url: addresses.socket,
    name,
    wish,
    tier: 'delta',
    game: createAdapter(),
    ...platform,
    storage: tab.storage,
    transport: lag.over(platform.transport),
    on: {
      // A client that was left may still say something: nobody listens.
      welcome: (told) => { if (client === mine) welcome(told); },
      status: (told) => { if (client === mine) status(told); },
      event: (kind, fields) => { if (client === mine) event(kind, fields); },
    },
  });
  client = mine;
  client.setHidden(document.visibilityState === 'hidden');
  screens.hideJoin();
  client.connect();
  // Some proxies neither let a WebSocket through nor say so.
  setTimeout(() => {
    if (client === mine && mine.phase === 'connecting') reach.look();
  }, SLOW_MS);
}

/**
 * Ends the session.
 * @param {boolean} home true: to the join screen
 */
function end(home) {
  const old = client;
  client = null;
  old?.leave();
  reach.forget();
  controls.active = false;
  levels = null;
  reading.reset();
  hud.show(false);
  document.body.classList.remove('playing');
  if (!home) return;
  showAddress('');
  screens.forgetInvitation();
  screens.showJoin();
  drawing.reset();
}

/**
 * What the address bar says of the match: a reload, a bookmark and a copied address lead there again.
 * @param {string} query
 */
function showAddress(query) {
  const address = new URL(location.href);
  address.search = query;
  address.hash = '';
  try {
    history.replaceState(null, '', address);
  } catch {
    // Too many changes for this browser, or a frame that may not: the match does not need it.
  }
}

/** @param {import('./protocol/messages.js').Welcome} told */
function welcome(told) {
  const again = welcomed;
  welcomed = true;
  reading.looks = readLooks(told);
  hud.bars.setBeamCost(reading.looks.beamCost / reading.looks.energyMax);
  aim.turnPerTick = reading.looks.turnPerTick;
  levels = levelsFor(told.schema);
  if (!told.resumed) {
    reading.reset();
    drawing.reset();
    watching.reset();
    hud.reset();
  }
  hud.show(true);
  document.body.classList.add('playing');
  document.body.classList.toggle('spectating', told.seat === null);
  showAddress(`?room=${encodeURIComponent(told.code)}${told.seat === null ? '&spectate' : ''}`);
  if (again) hud.feed.say(told.resumed ? 'Back in the match' : 'A new match', performance.now());
}

/** @param {import('./net/connection.js').Status} told */
function status(told) {
  const { phase, reason } = told;
  if (away) return;
  if (phase === 'playing') {
    playing = true;
    dropped = null;
    reach.forget();
    screens.hideOverlay();
    return;
  }
  if (phase === 'waiting' && reason !== null) {
    if (!welcomed || dropped === null || reason.name !== 'lost') dropped = reason;
    if (reason.name === 'lost') reach.look();
    if (playing) keptUntil = seatKeptUntil(reason);
    playing = false;
  }
  if (phase === 'waiting' || phase === 'connecting') waiting(told);
  else if (phase === 'closed' && reason !== null) ended(reason);
}

/**
 * @param {import('./protocol/close.js').CloseReason} reason why the session dropped, just now
 * @returns {number | null}
 */
function seatKeptUntil(reason) {
  const welcome = client?.welcome ?? null;
  // A server that restarts keeps nothing, and a spectator has nothing to keep.
  if (welcome === null || welcome.seat === null || reason.name === 'shutdown') return null;
  return platform.clock() + welcome.seatKeptMs;
}

/** @param {import('./net/connection.js').Status} told */
function waiting({ phase, retryAt, attempt }) {
  screens.showWaiting({
    welcomed,
    keptMs: keptUntil === null ? null : keptUntil - platform.clock(),
    reason: dropped,
    found: reach.found,
    attempt,
    seconds: phase === 'waiting' ? (retryAt - platform.clock()) / 1000 : 0,
  });
}

/** @param {import('./protocol/close.js').CloseReason} reason */
function ended(reason) {
  // Nobody who never had a connection has lost one.
  const unreached = reason.name === 'lost' && !welcomed;
  const text = reach.found?.text ?? 'No connection to the server came about.';
  screens.showEnding(unreached ? { ...reason, name: 'unreached', text } : reason, client?.wish ?? { kind: 'quick' });
}

/**
 * @param {string} kind
 * @param {Record<string, number>} fields
 */
function event(kind, fields) {
  if (client === null) return;
  const now = performance.now();
  drawing.event(kind, fields, scene.ownSeat);
  sound.event(kind, fields, scene.ownSeat, drawing.camera);
  if (kind === 'kill') {
    hud.feed.kill(client, fields, now);
    if (fields.seat === scene.ownSeat) watching.died(fields.by);
  } else if (kind === 'round_start') {
    hud.feed.say(`Round ${fields.round}. Go!`, now);
  } else if (kind === 'pickup' && fields.seat === scene.ownSeat) {
    hud.feed.say(['Hull repaired', 'Recharged', 'Rapid fire', 'Double might'][fields.sort] ?? 'Pickup', now);
  }
}

async function copyLink() {
  const link = addresses.match(client?.code ?? '');
  try {
    await navigator.clipboard.writeText(link);
    hud.feed.say('Link copied', performance.now());
    closeMenu();
  } catch {
    // No permission, or no secure context: show it where it can be copied by hand.
    window.prompt('The link to this match:', link);
  }
}

function openMenu() {
  if (client === null || client.phase !== 'playing') return;
  screens.showMenu(client.code, sound.on, hud.net.shown);
}

function closeMenu() {
  screens.hideMenu();
}

function toggleSound() {
  const on = sound.toggle();
  settings.setItem(SOUND_KEY, on ? 'on' : 'off');
  return on;
}

function toggleNet() {
  hud.net.show(!hud.net.shown);
  return hud.net.shown;
}

/** @param {string} text where it is read now */
function tell(text) {
  if (client === null) screens.note(text);
  else hud.feed.say(text, performance.now());
}

/** @returns {import('./arena/commands.js').Mode} */
function mode() {
  if (client === null) return 'start';
  if (screens.covered) return 'covered';
  if (screens.menuOpen) return 'menu';
  return client.seat === null ? 'watching' : 'flying';
}

/** @param {number} now */
function frame(now) {
  requestAnimationFrame(frame);
  // A window on a sharper screen keeps its size in CSS pixels, so nothing resizes; a media query of the resolution would
  // tell of most such changes, but not of all.
  if (window.devicePixelRatio !== drawnRatio) resize();
  const dt = Math.min(FRAME_MAX_S, Math.max(0, (now - lastFrame) / 1000));
  lastFrame = now;
  controls.active = mode() === 'flying' && client?.phase === 'playing';
  controls.poll();
  screens.focus.look();
  if (away) return;
  if (client?.phase === 'waiting') waiting(client.status);
  if (client === null || reading.looks === null || !welcomed) {
    drawing.idle(dt);
    return;
  }
  if (levels !== null && client.seat !== null) {
    const wants = controls.sample(scene.own === null ? null : aim);
    reading.ownThrust = wants.thrust;
    client.setControls(levels(wants));
  }
  lag.poll();
  // What arrives can end the session.
  if (client === null) return;
  const shown = client.frame(now);
  // `frame` can end the session (a timer of its own ran out): then there is nothing to draw.
  if (client === null) return;
  reading.read(shown, client, client.phase === 'playing' ? dt : 0);
  if (!ghost) scene.ghost.shown = false;
  const { camera } = drawing;
  watching.move(camera, scene, hud.match?.phase === PHASE_READY, dt);
  const { own } = scene;
  if (own !== null) {
    aim.heading = own.heading / (Math.PI * 2);
    aim.screenX = ((own.x - camera.x) * camera.ppu + camera.width / 2) / drawing.pixelRatio;
    aim.screenY = ((own.y - camera.y) * camera.ppu + camera.height / 2) / drawing.pixelRatio;
  }
  drawing.frame(scene, dt, now);
  hud.update(scene, shown, client, reading.looks, watching.name(scene), now, dt);
}

function resize() {
  drawnRatio = window.devicePixelRatio;
  drawing.resize(window.innerWidth, window.innerHeight, drawnRatio || 1);
}

/** @param {boolean} on */
function setTouch(on) {
  document.body.classList.toggle('touch', on);
  drawing.camera.outside = on ? OUTSIDE_TOUCH : OUTSIDE;
}

function boot() {
  resize();
  window.addEventListener('resize', resize);
  const commands = new Commands({
    mode,
    openMenu,
    closeMenu,
    net: toggleNet,
    sound: () => {
      toggleSound();
      tell(SOUND_SAYS[sound.state] ?? 'Sound on');
    },
    watch: (step) => watching.choose(scene, step),
  }, screens.focus);
  window.addEventListener('keydown', (pressed) => commands.key(pressed));
  controls.onPress = (press) => {
    sound.wake();
    commands.press(press);
  };
  document.addEventListener('visibilitychange', () => {
    client?.setHidden(document.visibilityState === 'hidden');
    if (document.visibilityState !== 'hidden') sound.wake();
  });
  setTouch(window.matchMedia('(pointer: coarse)').matches);
  // A laptop with a touch screen becomes a phone at the first touch, and a laptop again at the first key.
  window.addEventListener('pointerdown', (at) => { if (at.pointerType === 'touch') setTouch(true); }, { capture: true });
  window.addEventListener('keydown', (at) => { if (!isTyped(at)) setTouch(false); });
  // Sound comes back with the first gesture that the browser takes for one: each of them knows others.
  for (const gesture of ['pointerdown', 'pointerup', 'touchend', 'click', 'keydown']) {
    window.addEventListener(gesture, () => sound.wake(), { capture: true, passive: true });
  }
  controls.onGamepad = () => {
    setTouch(false);
    // Who points sees where; who chooses with a gamepad is shown.
    document.body.classList.add('choosing');
  };
  window.addEventListener('pointermove', () => document.body.classList.remove('choosing'), { passive: true });
  window.addEventListener('gamepadconnected', ({ gamepad }) => tell(gamepadSays(gamepad)));
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  drawing.setCalm(calm.matches);
  calm.addEventListener('change', () => drawing.setCalm(calm.matches));
  controls.onAiming = (aiming) => document.body.classList.toggle('aiming', aiming);
  element('menu-open').addEventListener('click', openMenu);
  reading.onBolt = (shot) => {
    drawing.muzzle(shot);
    sound.bolt(shot, drawing.camera);
  };
  reading.onBeam = (ship) => {
    drawing.ownBeam(scene, ship, reading.looks?.beamRange ?? 0);
    sound.ownBeam();
  };
  reading.onDash = (ship) => {
    drawing.ownDash(ship);
    sound.ownDash();
  };
  exposeToTests(window, { client: () => client, scene, hud, drawing, sound, controls });
  requestAnimationFrame(frame);
  window.addEventListener('pagehide', putAway);
  window.addEventListener('pageshow', ({ persisted }) => { if (persisted) void comeBack(); });
  void begin();
}

/** The page goes, perhaps to come back as it is; a socket or a lock would keep it from that, and others from the seat. */
function putAway() {
  away = true;
  if (client !== null && client.phase !== 'closed') client.park();
  tab.release();
}

/** Back from the browser's history: another page of this tab may have played on or left, or a copy may be the tab now. */
async function comeBack() {
  const whose = await claim();
  away = false;
  if (client === null) return;
  // One that was not put away has gone on meanwhile, and nobody was told.
  if (!client.parked) return status(client.status);
  if (client.seat === null || client.canResume) client.connect();
  else if (whose === 'copy') join({ kind: 'code', code: client.code }, screens.name);
  else end(true);
}

function claim() {
  return tab.claim().catch(() => /** @type {const} */ ('own'));
}

/** A reload in the middle of a match goes on with it, unless the address asks for another one. */
async function begin() {
  const whose = await claim();
  claimed = true;
  if (early !== null) return early();
  // A copy of a tab goes to the same match, with a ship of its own.
  const seat = savedSeat(whose === 'own' ? tab.storage : tab.copiedFrom, addresses.socket);
  const invited = invitation();
  if (seat !== null && (invited === null || (invited.kind === 'code' && invited.code === seat.code))) {
    join({ kind: 'code', code: seat.code }, screens.name);
  } else {
    screens.showJoin();
  }
}

boot();
