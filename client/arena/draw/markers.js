// Arrows at the edge of the screen: who is near, but not in view. On a narrow screen they replace what is not seen.

/** Units beyond which nobody is pointed at. */
const REACH = 1500;

/**
 * @param {CanvasRenderingContext2D} ctx in canvas pixels
 * @param {import('../scene.js').Scene} scene
 * @param {import('./camera.js').Camera} camera
 * @param {number} pixelRatio
 */
export function drawMarkers(ctx, scene, camera, pixelRatio) {
  if (scene.own === null) return;
  const inset = 16 * pixelRatio;
  const halfWidth = camera.width / 2 - inset;
  const halfHeight = camera.height / 2 - inset;
  for (let i = 0; i < scene.ships.count; i++) {
    const ship = scene.ships.items[i];
    if (ship.own || camera.sees(ship.x, ship.y, ship.radius)) continue;
    const x = (ship.x - camera.x) * camera.ppu;
    const y = (ship.y - camera.y) * camera.ppu;
    const far = Math.hypot(ship.x - scene.own.x, ship.y - scene.own.y);
    if (far > REACH) continue;
    const cut = Math.min(halfWidth / Math.max(1, Math.abs(x)), halfHeight / Math.max(1, Math.abs(y)));
    const turn = Math.atan2(y, x);
    const size = pixelRatio * (5 + 4 * (1 - far / REACH));
    ctx.globalAlpha = 0.25 + 0.6 * (1 - far / REACH);
    ctx.translate(camera.width / 2 + x * cut, camera.height / 2 + y * cut);
    ctx.rotate(turn);
    ctx.fillStyle = ship.color;
    ctx.beginPath();
    ctx.moveTo(size, 0);
    ctx.lineTo(-size * 0.7, size * 0.8);
    ctx.lineTo(-size * 0.7, -size * 0.8);
    ctx.closePath();
    ctx.fill();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
  }
  ctx.globalAlpha = 1;
}
