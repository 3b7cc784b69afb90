// Prediction, reconciliation and interpolation. No clock, no socket, no DOM and no game of its own: time comes in as
// ticks, a game as an adapter (GameAdapter in prediction.js).

export { Inputs, KEEP_ALIVE_MS, PRESSES_MAX } from './inputs.js';
export { Pace } from './pace.js';
export { Prediction, turn } from './prediction.js';
export { EXTRAPOLATE_MS, RenderClock } from './render_clock.js';
export { Scene, Stage } from './scene.js';
export { AHEAD_MS, STARVED_MS, ticksOf } from './times.js';
export { Tracks } from './tracks.js';
