// `window.tickroom`: what browser tests and curious people may read. Everything is a copy or a number; nothing steers.
//
// | name | is |
// |---|---|
// | `phase` | `'start'` on the join screen, else the client's: `connecting`, `playing`, `waiting`, `closed` |
// | `code`, `seat` | of the match; null while there is none, a spectator's seat is null |
// | `tick` | the render tick |
// | `own` | the own ship as drawn, or null: `{ id, seat, name, x, y, heading, vx, vy, hull, shield, guarded, screenX, screenY }` |
// | `ships`, `bolts`, `rocks`, `pickups` | what is in the scene; ships like `own` |
// | `scores` | best first: `{ seat, name, score, kills, deaths, own, bot, away }` |
// | `match` | the newest `match` row, or null |
// | `stats` | what `client.stats()` says, or null |
// | `sound` | `off`, `none`, or the state of the page's AudioContext |
// | `wants` | what the controls ask of the own ship: `{ thrust, turn, fire, beam }`, -1..1 and 0 or 1 |
// | `sprites` | the pictures that are kept to be copied: `{ count, bytes }` |

import { spritesKept } from './draw/sprites.js';

/**
 * @param {Window} window
 * @param {{client: () => import('../net/client.js').Client | null, scene: import('./scene.js').Scene, hud: import('./hud.js').Hud,
 *   drawing: import('./draw.js').Drawing, sound: import('./sound.js').Sound,
 *   controls: import('./input.js').Controls}} page
 */
export function exposeToTests(window, { client, scene, hud, drawing, sound, controls }) {
  const ships = () => scene.ships.items.slice(0, scene.ships.count).map((ship) => shipAs(ship, drawing));
  const told = {
    get phase() { return client()?.phase ?? 'start'; },
    get code() { return client()?.welcome?.code ?? null; },
    get seat() { return client()?.seat ?? null; },
    get tick() { return hud.tick; },
    get own() { return scene.own === null ? null : shipAs(scene.own, drawing); },
    get ships() { return ships(); },
    get bolts() { return scene.shots.items.slice(0, scene.shots.count).map((bolt) => ({ ...bolt })); },
    get rocks() { return scene.rocks.items.slice(0, scene.rocks.count).map((rock) => ({ ...rock })); },
    get pickups() { return scene.pickups.items.slice(0, scene.pickups.count).map((pickup) => ({ ...pickup })); },
    get scores() { return hud.scores.list.map((line) => ({ ...line })); },
    get match() { return hud.match === null ? null : { ...hud.match }; },
    get stats() { return client()?.stats() ?? null; },
    get sound() { return sound.state; },
    get sprites() { return spritesKept(); },
    get wants() { return { ...controls.wants }; },
  };
  Object.defineProperty(window, 'tickroom', { value: Object.freeze(told) });
}

/**
 * @param {import('./scene.js').Ship} ship
 * @param {import('./draw.js').Drawing} drawing
 */
function shipAs(ship, { camera, pixelRatio }) {
  const { id, seat, name, own, bot, away, x, y, heading, vx, vy, hull, shield, charge, guarded, stale } = ship;
  const screenX = ((x - camera.x) * camera.ppu + camera.width / 2) / pixelRatio;
  const screenY = ((y - camera.y) * camera.ppu + camera.height / 2) / pixelRatio;
  return { id, seat, name, own, bot, away, x, y, heading, vx, vy, hull, shield, charge, guarded, stale, screenX, screenY };
}
